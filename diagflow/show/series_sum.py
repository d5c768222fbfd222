"""The exact series at given sizes: its coefficients as numbers, and its sum with an error.

>>> from expansion.models import cp
>>> from expansion.series import loss_series
>>> problem = cp(order=2, symmetric=True)
>>> series = loss_series(problem)
>>> at = {"p": Fraction(10), "H": Fraction(5), "sigma2": Fraction(1, 20)}
>>> print(sum_text(problem, series[:6], at, [0.0, 0.1]), end="")
cp order=2 symmetric=true target=identity
At p = 10, H = 5, sigma2 = 0.05
<BLANKLINE>
Y_0 = 7/2
Y_1 = -21/10
Y_2 = 33/5
Y_3 = -15072/125
Y_4 = 399264/125
Y_5 = -63414336/625
<BLANKLINE>
             t           mean loss     stated error
             0                 3.5                0
           0.1 ...

Source: ours; the sum is that of `pde.numerics.resummation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from diagflow.schemas import versioned_text
from diagflow.show.numbers import number, values_line
from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.numerics.resummation import Resummation

__all__ = ["sum_json", "sum_text", "summed"]

SAFETY = 3.0
"""The stated error is so many times what two kinds of approximants differ by."""


def summed(
    coefficients: Sequence[Polynomial], at: Mapping[str, Fraction], times: Sequence[float]
) -> tuple[tuple[Fraction, ...], list[float], list[float]]:
    """Y_s at numbers, the sum at some times, and its stated errors; not numbers where unknown.

    The coefficients are those of a series in time, no means after steps.

    Parameters
    ----------
    coefficients : sequence of Polynomial
    at : mapping from str to Fraction
        Sizes and variances, and T, which is 1 unless given.
    times : sequence of float

    Raises
    ------
    InvalidInputError
        If a symbol has no number, or a number belongs to no symbol.
    """
    exact = _exact(coefficients, at)
    t = np.asarray(times, dtype=np.float64) / float(at.get("T", 1))
    losses, errors = np.full_like(t, np.nan), np.full_like(t, np.nan)
    try:
        series = Resummation([c / math.factorial(s) for s, c in enumerate(exact)])
        with np.errstate(all="ignore"):
            losses, errors = series.estimate(t)
    except InvalidInputError:
        pass  # too few terms for an error: the sum is known at t = 0 only
    known = np.isfinite(losses) & np.isfinite(errors)
    losses = np.where(t == 0, float(exact[0]), np.where(known, losses, np.nan))
    errors = np.where(t == 0, 0.0, np.where(known, SAFETY * errors, np.nan))
    return exact, losses.tolist(), errors.tolist()


def _exact(coefficients: Sequence[Polynomial], at: Mapping[str, Fraction]) -> tuple[Fraction, ...]:
    symbols = {name for coefficient in coefficients for name in coefficient.symbols}
    missing, others = sorted(symbols - set(at)), sorted(set(at) - symbols - {"T"})
    if missing or others:
        wrong = (
            f"there is none for {', '.join(missing)}"
            if missing
            else (f"{', '.join(others)} does not occur in the series")
        )
        raise InvalidInputError(f"--at: {wrong}; give one for each of {', '.join(sorted(symbols))}")
    values = {name: at[name] for name in symbols}
    return tuple(Fraction(coefficient.evaluate(**values)) for coefficient in coefficients)


def _curve(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    at: Mapping[str, Fraction],
    times: Sequence[float],
) -> tuple[tuple[Fraction, ...], list[float], list[float], list[float]]:
    """Y_s at numbers, times, the means there and their errors; after steps if time is discrete."""
    if not problem.drive.step:
        exact, losses, errors = summed(coefficients, at, times)
        return exact, list(times), losses, errors
    exact = _exact(coefficients, at)
    steps = [float(step) for step in range(len(exact))]
    return exact, steps, [float(mean) for mean in exact], [0.0] * len(exact)


def sum_text(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    at: Mapping[str, Fraction],
    times: Sequence[float],
) -> str:
    """The exact coefficients, and a line with the sum and its error for every time."""
    exact, grid, losses, errors = _curve(problem, coefficients, at, times)
    lines = [problem.title, f"At {values_line(at)}", ""]
    lines += [f"Y_{s} = {value}" for s, value in enumerate(exact)]
    lines += ["", f"{'t':>14}  {'mean loss':>18}  {'stated error':>15}"]
    for t, loss, error in zip(grid, losses, errors, strict=True):
        lines.append(f"{t:>14.8g}  {number(loss, '.12g'):>18}  {number(error, '.2g'):>15}")
    return "\n".join(lines) + "\n"


def sum_json(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    at: Mapping[str, Fraction],
    times: Sequence[float],
) -> str:
    """The same as a record."""
    exact, t, losses, errors = _curve(problem, coefficients, at, times)

    def plain(values: Sequence[float]) -> list[float | None]:
        return [value if math.isfinite(value) else None for value in values]

    record = {
        "problem": problem.title,
        "parameters": {name: str(value) for name, value in at.items()},
        "coefficients": [str(value) for value in exact],
        "t": t,
        "loss": plain(losses),
        "error": plain(errors),
    }
    return versioned_text("series-sum", record)
