"""The family of exceptions of the project.

Every message names the thing that is wrong, the rule it breaks and the remedy, in one line, so
that the command line can print it as it stands.

>>> issubclass(InvalidInputError, DiagflowError)
True
"""

from __future__ import annotations

__all__ = ["BudgetExceededError", "CapacityError", "DiagflowError", "InvalidInputError"]


class DiagflowError(Exception):
    """Base class of all errors that a user can cause and mend."""


class InvalidInputError(DiagflowError, ValueError):
    """A value from outside breaks a rule of the mathematics or of a format."""


class BudgetExceededError(DiagflowError):
    """A limit on seconds, diagrams or memory was reached; earlier results remain."""


class CapacityError(DiagflowError):
    """A diagram or a number is larger than can be held, drawn or written."""
