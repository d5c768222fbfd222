"""The family of exceptions of the project.

Every message names the thing that is wrong, the rule it breaks and the remedy, in one line, so
that the command line can print it as it stands.

>>> issubclass(InvalidInputError, DiagflowError), InvalidInputError("terms=-1: give 0 or more").code
(True, 'invalid-input')
"""

from __future__ import annotations

__all__ = ["BudgetExceededError", "CapacityError", "DiagflowError", "InvalidInputError"]


class DiagflowError(Exception):
    """Base class of all errors that a user can cause and mend.

    Attributes
    ----------
    code : str
        A short name of the kind of error that stays, whatever the words of its message.
    """

    code = "error"


class InvalidInputError(DiagflowError, ValueError):
    """A value from outside breaks a rule of the mathematics or of a format."""

    code = "invalid-input"


class BudgetExceededError(DiagflowError):
    """A limit on seconds, diagrams or memory was reached; earlier results remain."""

    code = "budget-exceeded"


class CapacityError(DiagflowError):
    """A diagram or a number is larger than can be held, drawn or written."""

    code = "capacity"
