"""Errors of the library in the words of the command line.

The layers below speak Python: ``terms=-1``, ``raise budget.seconds``. A person at a terminal gave
``--terms`` and ``--max-seconds``.

>>> as_options("terms=-1: is the number of the last coefficient; give 0 or more")
'--terms -1: is the number of the last coefficient; give 0 or more'
>>> as_options("x.json: has no list of coefficients; write it with series_record")
'x.json: has no list of coefficients; write it as expand --format json does'
>>> as_options("budget: Y_3 needs more than 2 seconds; raise budget.seconds or ask for fewer terms")
'budget: Y_3 needs more than 2 seconds; raise --max-seconds or ask for fewer terms'
"""

from __future__ import annotations

import re

__all__ = ["as_options"]

_NAMES = {
    "write it with series_record": "write it as expand --format json does",
    "see loss_series(problem)": "see expand --steps",
}
"""Functions of the library with the commands that call them."""

_LIMIT = re.compile(r"\bbudget\.(seconds|diagrams|memory)\b")
_ARGUMENT = re.compile(r"(?<![\w.-])(terms|steps)=(?=[\w-])")


def as_options(message: object) -> str:
    """A message with the options of the command line in the place of arguments and limits.

    Parameters
    ----------
    message : object
        A text or an error.
    """
    text = _ARGUMENT.sub(r"--\1 ", _LIMIT.sub(r"--max-\1", str(message)))
    for function, command in _NAMES.items():
        text = text.replace(function, command)
    return text
