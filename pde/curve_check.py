"""Whether the curve that is evaluated is the one that is certified.

A certificate compares Taylor coefficients; what is printed comes from a floating-point evaluator of
its own. So the *evaluated* curve is compared

- with its exact Taylor polynomial at several small times on both sides of 0, at the numbers asked
  for and at fixed numbers of moderate size, where no term hides behind another one;
- with the formula to many digits, where there is one, at times from small to large and at some of
  those asked for.

Differences are allowed for the next term of the series, for rounding, and for the error that the
method estimates itself. A value that is not a number is never allowed.

>>> from expansion.models import cp
>>> from pde.solving import solve
>>> evolution = solve(cp(order=3), "C", at={"p": 9, "H": 4, "sigma2": Fraction(1, 50)}, terms=4)
>>> check_curve(evolution).holds
True

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle, pairwise

import numpy as np

from diagrams.errors import DiagflowError
from expansion.polynomial import Polynomial
from pde.curve import Curve, Parameters, exact_value
from pde.evolution import LossEvolution, Origin, Solution
from pde.numerics.resummation import unit_of
from pde.systems.enclosure import EnclosureError

__all__ = ["CurveCheck", "check_curve", "check_solution", "reference_numbers"]

_STEPS = (Fraction(1, 4), Fraction(1, 16), Fraction(1, 64))
"""Small times, in units of the time at which two terms are equal."""

_LATE = (Fraction(1), Fraction(7), Fraction(50), Fraction(200))
"""Later times at which a formula is evaluated to many digits, in the same unit."""

_RELATIVE = 1e-9
_ROUNDING = 1e-12
_DIGITS = 25
_SENSITIVE = 1e-11

_LARGEST = 1e300
"""Beyond this a floating-point value overflows, and is not printed."""

_SIZES = (5, 7, 11, 13, 17, 19, 23)
_VARIANCES = (Fraction(1, 30), Fraction(1, 37), Fraction(1, 41))


@dataclass(frozen=True, slots=True)
class CurveCheck:
    """How far an evaluated curve is from what it should be.

    Parameters
    ----------
    compared : int
        The number of values that were compared.
    worst : float
        The largest difference, in units of what is allowed; at most 1 if the check holds.
    time : float
        Where it is.
    """

    compared: int
    worst: float
    time: float

    @property
    def holds(self) -> bool:
        """Whether something was compared and every difference is allowed."""
        return self.compared > 0 and self.worst <= 1


def reference_numbers(solution: Solution) -> dict[str, Fraction]:
    """Numbers of moderate size for the symbols of a solution: sizes of a few, small variances."""
    found = {name for row in solution.coefficients(2) for name in row.symbols}
    names = sorted(found | {*solution.symbols})
    weights = [name for name in names if name in solution.variances]
    values = {"T": Fraction(2)}
    sizes = [name for name in names if name not in weights]
    values |= {name: Fraction(v) for name, v in zip(sizes, cycle(_SIZES), strict=False)}
    values |= dict(zip(weights, cycle(_VARIANCES), strict=False))
    return values


def check_curve(evolution: LossEvolution, times: Sequence[float] = ()) -> CurveCheck:
    """Compare the curve at given numbers, and at numbers of moderate size.

    Parameters
    ----------
    evolution : LossEvolution
    times : sequence of float, optional
        Times that are printed; the first, the middle and the last are compared with the formula.
    """
    solution = evolution.solution
    chosen = [times[k] for k in sorted({0, len(times) // 2, len(times) - 1})] if times else []
    here = _differences(solution, evolution.curve, evolution.parameters, chosen)
    return _worst([*here, *_at_reference(solution)])


def check_solution(solution: Solution) -> CurveCheck:
    """Compare the curve of a solution at numbers of moderate size."""
    return _worst(_at_reference(solution))


def _at_reference(solution: Solution) -> Iterator[tuple[float, float]]:
    numbers = reference_numbers(solution)
    # Without the bounds of a loss: a wrong curve would hide behind them.
    yield from _differences(solution, solution.curve(numbers), numbers, ())


def _worst(differences: Iterable[tuple[float, float]]) -> CurveCheck:
    compared, worst, time = 0, 0.0, 0.0
    for t, size in differences:
        compared += 1
        if not size <= worst:
            worst, time = (size if size == size else math.inf), t
    return CurveCheck(compared, worst, time)


def _differences(
    solution: Solution, curve: Curve, numbers: Parameters, times: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Times with the differences there, in units of what is allowed."""
    number = max(len(solution.certificate.compared), solution.checked_terms)
    rows = solution.coefficients(number)
    terms = [exact_value(row, numbers) / math.factorial(s) for s, row in enumerate(rows)]
    unit = unit_of(terms) * numbers["T"]
    steps = [sign * step * unit for step in _STEPS for sign in (1, -1)]
    small = [Fraction(0), *(step for step in steps if _inside(curve, step))]
    # Monomials of Y_0 may cancel: floating point numbers keep the digits of the largest.
    monomials = [Polynomial({m: c}) for row in rows[:1] for m, c in row]
    felt = sum((abs(exact_value(each, numbers)) for each in monomials), Fraction(0))
    yield from _near_zero(curve, terms, numbers["T"], small, felt)
    # The digits of a curve without a formula are enclosures of the same equations.
    enclosed = solution.origin is Origin.DERIVED and solution.formula is None
    if curve.precise is not None and not enclosed:
        late = [unit * k for k in _LATE if _inside(curve, unit * k)]
        far = [*small[1:3], *late, *(Fraction(t) for t in times if _inside(curve, Fraction(t)))]
        yield from _many_digits(curve, far, felt)


def _inside(curve: Curve, t: Fraction) -> bool:
    try:
        time = float(t)
    except OverflowError:
        return False
    return bool(time) and curve.domain.contains(np.array([time]))


def _near_zero(
    curve: Curve,
    terms: Sequence[Fraction],
    T: Fraction,
    times: Sequence[Fraction],
    felt: Fraction,
) -> Iterator[tuple[float, float]]:
    values = _evaluated(curve, times)
    errors = np.zeros(len(times))
    if curve.errors is not None:
        errors = curve.errors(np.array([float(t) for t in times]))
    last = max((n for n, c in enumerate(terms) if c), default=0)
    for t, value, error in zip(times, values, errors, strict=True):
        # The time of a float, not the one it was rounded from.
        tau = Fraction(float(t)) / T
        parts = [c * tau**n for n, c in enumerate(terms)]
        exact = sum(parts, start=Fraction(0))
        moved = sum((abs(part) for part in parts[1:]), start=Fraction(0))
        # Terms fall by at least this factor, up to the growth of a divergent series.
        fall = _fall(parts)
        tail = max(fall * abs(parts[last]), fall**2 * abs(parts[last - 1])) if last > 1 else 0
        remainder = 4 * len(terms) * tail if tau else 0
        allowed = (
            float(remainder)
            + _RELATIVE * float(moved)
            + _ROUNDING * float(felt + abs(exact))
            + float(error)
            + (curve.error_estimate or 0.0 if curve.errors is None else 0.0)
        )
        away = abs(float(value) - float(exact))
        yield float(t), away / allowed if allowed else (0.0 if away == 0 else math.inf)


def _fall(parts: Sequence[Fraction]) -> Fraction:
    """The largest quotient of terms that follow each other, over at most two steps."""
    sizes = [abs(part) for part in parts[1:] if part]
    return max(
        (later / earlier for earlier, later in pairwise(sizes)),
        default=Fraction(1),
    )


def _many_digits(
    curve: Curve, times: Sequence[Fraction], felt: Fraction
) -> Iterator[tuple[float, float]]:
    import mpmath

    assert curve.precise is not None
    start = float(felt)
    refused: Fraction | None = None
    for t in times:
        if refused is not None and abs(t) >= refused:
            continue
        try:
            with np.errstate(all="ignore"):
                shifted = t * (1 - Fraction(_SENSITIVE))
                value, beside = curve.evaluate(np.array([float(t), float(shifted)]))
        except DiagflowError:  # nothing is printed there, nor later
            refused = abs(t)
            continue
        with mpmath.workdps(_DIGITS + 10):
            rounded = Fraction(float(t))
            try:
                exact = curve.precise(mpmath.mpf(rounded.numerator) / rounded.denominator, _DIGITS)
            except EnclosureError:  # no digits to compare with, nor later
                refused = abs(t)
                continue
            if not abs(exact) < _LARGEST:
                continue
            away = float(abs(mpmath.mpf(float(value)) - exact))
            size = float(abs(exact))
        moved = abs(float(beside) - float(value))
        allowed = _RELATIVE * size + _ROUNDING * start + moved
        yield float(t), away / allowed if allowed else (0.0 if away == 0 else math.inf)


def _evaluated(curve: Curve, times: Sequence[Fraction]) -> Sequence[float]:
    with np.errstate(all="ignore"):
        try:
            values = curve.evaluate(np.array([float(t) for t in times]))
        except DiagflowError:
            return [math.nan] * len(times)
    return [float(value) for value in values]
