"""A series as text, JSON or LaTeX.

>>> from expansion.models import cp
>>> from expansion.series import loss_series
>>> problem = cp(order=2, symmetric=True, target="zero")
>>> print(text(problem, [loss_series(problem)[0]]), end="")
cp order=2 symmetric=true target=zero
Y_0 = 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2 + 1/2*p*H*sigma2**2
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.records import series_record

__all__ = ["json_text", "latex", "text"]

_TERMS_PER_LINE = 4


def text(problem: Problem, coefficients: Sequence[Polynomial]) -> str:
    """One line for the problem and one for each coefficient."""
    lines = [problem.title]
    lines += [f"Y_{s} = {polynomial}" for s, polynomial in enumerate(coefficients)]
    return "\n".join(lines) + "\n"


def json_text(problem: Problem, coefficients: Sequence[Polynomial]) -> str:
    """The record of `expansion.records.series_record`, indented."""
    return json.dumps(series_record(problem, coefficients), indent=1) + "\n"


def latex(problem: Problem, coefficients: Sequence[Polynomial]) -> str:
    """An ``align*`` environment, to be set with the package amsmath; long lines are broken."""
    rows = [_row(s, polynomial) for s, polynomial in enumerate(coefficients)]
    body = " \\\\\n".join(rows)
    environment = f"\\begin{{align*}}\n{body}\n\\end{{align*}}"
    return f"% {problem.title}\n{{\\allowdisplaybreaks\n{environment}}}\n"


def _row(s: int, polynomial: Polynomial) -> str:
    if not len(polynomial):
        return f"Y_{{{s}}} &= 0"
    pieces = [
        Polynomial(dict(polynomial.terms[first : first + _TERMS_PER_LINE])).latex()
        for first in range(0, len(polynomial), _TERMS_PER_LINE)
    ]
    lines = [pieces[0]]
    lines += [piece if piece.startswith("-") else f"+ {piece}" for piece in pieces[1:]]
    return f"Y_{{{s}}} &= " + " \\\\\n  &\\quad ".join(lines)
