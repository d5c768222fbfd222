"""A series as text, JSON or LaTeX.

>>> from expansion.models import cp
>>> from expansion.series import loss_series
>>> problem = cp(order=2, symmetric=True, target="zero")
>>> print(text(problem, [loss_series(problem)[0]]), end="")
cp order=2 symmetric=true target=zero
Y_0 = 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2 + 1/2*p*H*sigma2**2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from diagflow.schemas import versioned_text
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series_records import series_record

__all__ = ["FORMATS", "json_text", "latex", "text"]

_TERMS_PER_LINE = 4

Divisors = Mapping[str, Sequence[int]]
"""By size, numbers with which it must have no factor in common."""


def text(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    *,
    loss: str | None = None,
    divisors: Divisors | None = None,
) -> str:
    """One line for the problem, one for each coefficient, and one for sizes that are left out."""
    lines = [_title(problem, loss), *_conditions(problem, divisors)]
    lines += [f"Y_{s} = {polynomial}" for s, polynomial in enumerate(coefficients)]
    return "\n".join(lines) + "\n"


def json_text(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    *,
    loss: str | None = None,
    divisors: Divisors | None = None,
) -> str:
    """The record of `expansion.series_records.series_record` with its version, indented."""
    record = series_record(problem, coefficients, loss=loss, divisors=divisors)
    return versioned_text("expand", record)


def latex(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    *,
    loss: str | None = None,
    divisors: Divisors | None = None,
) -> str:
    """An ``align*`` environment, to be set with the package amsmath; long lines are broken."""
    rows = [_row(s, polynomial) for s, polynomial in enumerate(coefficients)]
    body = " \\\\\n".join(rows)
    environment = f"\\begin{{align*}}\n{body}\n\\end{{align*}}"
    first = (_title(problem, loss), *_conditions(problem, divisors))
    comments = "".join(f"% {line}\n" for line in first)
    return f"{comments}{{\\allowdisplaybreaks\n{environment}}}\n"


def _title(problem: Problem, loss: str | None) -> str:
    """The problem, and the expanded quantity unless it is the only loss."""
    if loss is None or problem.losses == (loss,):
        return problem.title
    return f"{problem.title} {'loss' if loss in problem.losses else 'observable'}={loss}"


def _conditions(problem: Problem, divisors: Divisors | None) -> list[str]:
    """For which sizes the polynomials hold, if not for all."""
    exceptions = [
        f"for {name} without a common factor with {', '.join(map(str, numbers))}"
        for name, numbers in (divisors or {}).items()
    ]
    bounds = [
        f"for {large.name} at least {small.pinned or small.name}"
        for small, large in problem.nested
        if large.pinned is None
    ]
    return exceptions + bounds


def _row(s: int, polynomial: Polynomial) -> str:
    if not len(polynomial):
        return f"Y_{{{s}}} &= 0"
    pieces = [
        Polynomial(dict(polynomial.terms[first : first + _TERMS_PER_LINE])).latex()
        for first in range(0, len(polynomial), _TERMS_PER_LINE)
    ]
    lines = [pieces[0]]
    # A sign at the beginning of a line joins the terms, as it does between them.
    lines += [f"- {piece[1:]}" if piece[0] == "-" else f"+ {piece}" for piece in pieces[1:]]
    return f"Y_{{{s}}} &= " + " \\\\\n  &\\quad ".join(lines)


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json_text, "latex": latex}
"""How a series is printed, by the name of the format."""
