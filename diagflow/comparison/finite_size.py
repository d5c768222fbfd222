"""The expected correction of a leading solution at finite sizes, with its error.

Definition. A solution of a regime sums its Taylor coefficients y_0, y_1, ...; what they leave out
of Y_0, Y_1, ... is known exactly, and at given numbers

    c(t) = sum over s of (Y_s - y_s) (t/T)^s / s!

is what finite sizes add to the solution: relative corrections of order 1/p, 1/H and their powers.
The y_s are lead(Y_s), but for those that are of lower order than the dynamics: some solutions do
not contain them (`pde.evolution.Certificate.left_out`), and then they belong to the correction.

From finitely many terms the sum is estimated on two routes that fail in different ways, each
resummed with an error of its own (`pde.numerics.resummation`):

- in powers of t, as it stands;
- in powers of L(t) - L(0), the change of the solution. Where the loss tends to a limit this
  variable stays bounded, and so does the estimate of c(t) at late times. It is done twice, for the
  series above and for the whole loss, sum of Y_s (t/T)^s / s!, minus the solution; what the two
  differ by is part of the error.

The value is that of the route with the smaller error; the *stated error* is three times that error
or three times the distance to the other route, whichever is larger; where the other one tells
nothing, five times that error, for what fails on one route only is seen by the other. The factors
are calibrated on corrections that are known: the difference of two solutions, one of which contains
the other (`tests/diagflow/comparison/test_calibration.py`). It is an estimate, not a bound.

Convention. There is a value in the interval of times around 0 in which the stated error is at most
an eighth of how far the solution has moved, or without a solution a twentieth of the size of the
correction. Beyond, nothing is known.

>>> rest = [Fraction((-2) ** s, 10) for s in range(12)]  # exp(-2t)/10
>>> correction = FiniteSizeCorrection.of(rest)
>>> print(correction([0.0, 0.5]).round(6))
[0.1      0.036788]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from flint import ctx, fmpq, fmpq_series
from numpy.typing import ArrayLike, NDArray

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq, as_fraction
from expansion.leading import LeadingSeries
from pde.curve import Domain
from pde.evolution import LossEvolution
from pde.numerics.resummation import Resummation

if TYPE_CHECKING:
    from expansion.regimes import Regimes

__all__ = [
    "FiniteSizeCorrection",
    "finite_size_correction",
    "kept_coefficients",
    "neglected_coefficients",
    "target_constant",
]

AGREEMENT = 0.125
"""The largest stated error of a correction, relative to how far the solution has moved."""

AGREEMENT_ALONE = 0.05
"""The same relative to the correction, where there is no solution."""

SAFETY = 3.0
"""The stated error is so many times what two routes differ by, or the error of the better one."""

SAFETY_ALONE = 5.0
"""The same where only one route gives a value."""

_OCTAVES = 24
_PER_OCTAVE = 3
"""The grid on which the interval is looked for: so many points for each doubling of the time."""

FloatArray = NDArray[np.float64]
Route = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""From times t to values of the correction and their estimated errors."""


@dataclass(frozen=True, eq=False)
class FiniteSizeCorrection:
    """The correction c(t) at given numbers.

    Parameters
    ----------
    coefficients : tuple of Fraction
        Y_s - y_s.
    domain : Domain
        The times at which it is known; only t = 0 if there are too few coefficients.
    routes : tuple of Route
        Ways to sum it, see above.
    """

    coefficients: tuple[Fraction, ...]
    domain: Domain
    routes: tuple[Route, ...]

    @classmethod
    def of(
        cls,
        coefficients: Sequence[Fraction],
        *,
        T: Fraction | int = 1,
        kept: Sequence[Fraction] = (),
        constant: Fraction | int = 0,
        theory: LossEvolution | None = None,
    ) -> FiniteSizeCorrection:
        """The correction with given coefficients, at least one.

        Parameters
        ----------
        coefficients : sequence of Fraction
            Y_s - y_s.
        T : Fraction
            The inverse learning rate.
        kept : sequence of Fraction
            y_s, if the solution is given.
        constant : Fraction
            The part of y_0 that only measures the target.
        theory : LossEvolution, optional
            The solution that sums ``kept``.

        Raises
        ------
        InvalidInputError
            If there is no coefficient.
        """
        exact = tuple(Fraction(c) for c in coefficients)
        if not exact:
            raise InvalidInputError("correction: has no coefficients; give at least that of s = 0")
        routes = tuple(_routes(exact, tuple(kept), Fraction(T), theory))
        nowhere = cls(exact, Domain(start=0.0, stop=0.0), routes)
        if not routes:
            return nowhere
        unit = _unit(exact) * float(T)
        moved = None if theory is None else _Moved(theory, float(constant))
        ends = [_reach(nowhere, sign, unit, moved) for sign in (-1.0, 1.0)]
        return cls(exact, Domain(start=ends[0], stop=ends[1]), routes)

    def __call__(self, times: ArrayLike) -> FloatArray:
        """The correction at some times; not a number where it is not known."""
        return self.estimate(times)[0]

    def estimate(self, times: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The correction at some times and its stated errors; not a number where not known."""
        t = np.asarray(times, dtype=np.float64)
        if not any(self.coefficients):
            return np.zeros_like(t), np.zeros_like(t)
        values = np.where(t == 0, float(self.coefficients[0]), np.nan)
        errors = np.where(t == 0, 0.0, np.nan)
        inside = self.domain.inside(t) & (t != 0)
        if np.any(inside):
            values[inside], errors[inside] = self.combined(t[inside])
        return values, errors

    def combined(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Value and stated error of all routes together, in the domain or not."""
        if not self.routes:
            return np.full_like(t, np.nan), np.full_like(t, np.nan)
        with np.errstate(all="ignore"):
            pairs = [route(t) for route in self.routes]
            values = np.stack([value for value, _ in pairs])
            errors = np.stack([error for _, error in pairs])
            errors = np.where(np.isfinite(values) & np.isfinite(errors), errors, np.inf)
            order = np.argsort(errors, axis=0, kind="stable")
            column = np.arange(t.size)
            value, error = values[order[0], column], errors[order[0], column]
            if len(pairs) == 1:
                return value, SAFETY_ALONE * error
            apart = np.abs(value - values[order[1], column])
            second = np.isfinite(errors[order[1], column])
            both = SAFETY * np.maximum(error, apart)
            return value, np.where(second, both, SAFETY_ALONE * error)


@dataclass(frozen=True, eq=False)
class _Moved:
    """How far a solution has moved at some times; not a number outside its domain."""

    theory: LossEvolution
    constant: float

    def __call__(self, t: FloatArray) -> FloatArray:
        result = np.full_like(t, np.nan)
        inside = self.theory.domain.inside(t)
        with np.errstate(all="ignore"):
            start = float(self.theory(0.0))
            result[inside] = np.abs(self.theory(t[inside]) - start) + abs(start - self.constant)
        return result


def _routes(
    rest: Sequence[Fraction],
    kept: Sequence[Fraction],
    T: Fraction,
    theory: LossEvolution | None,
) -> list[Route]:
    routes: list[Route] = []

    def add(make: Callable[[], Route]) -> None:
        try:
            routes.append(make())
        except InvalidInputError:  # too few terms for an error estimate
            return

    terms = [c / factorial(s) for s, c in enumerate(rest)]
    add(lambda: _in_time(terms, float(T)))
    if theory is None or len(kept) < len(terms):
        return routes
    leading = [c / factorial(s) for s, c in enumerate(kept[: len(terms)])]
    if len(leading) > 1 and leading[1]:
        add(lambda: _in_change(terms, leading, theory))
    return routes


def _in_time(terms: Sequence[Fraction], T: float) -> Route:
    series = Resummation(terms)
    return lambda t: series.estimate(t / T)


def _in_change(
    terms: Sequence[Fraction], leading: Sequence[Fraction], theory: LossEvolution
) -> Route:
    whole = [a + b for a, b in zip(terms, leading, strict=True)]
    rest_series = Resummation(_in_powers_of(terms, leading))
    whole_series = Resummation(_in_powers_of(whole, leading))
    start = float(leading[0])

    def route(t: FloatArray) -> tuple[FloatArray, FloatArray]:
        losses = theory(t)
        finite = np.isfinite(losses)
        change = np.where(finite, losses - start, 0.0)
        first, first_error = rest_series.estimate(change)
        second, second_error = whole_series.estimate(change)
        second = np.where(finite, second - losses, np.nan)
        value = np.where(first_error <= second_error, first, second)
        error = np.minimum(first_error, second_error)
        return value, np.maximum(error, np.abs(first - second))

    return route


def _in_powers_of(terms: Sequence[Fraction], leading: Sequence[Fraction]) -> list[Fraction]:
    """The coefficients of a series in powers of the change of another one.

    Examples
    --------
    >>> squares = [Fraction(0), Fraction(0), Fraction(1), Fraction(0)]  # t^2
    >>> line = [Fraction(5), Fraction(2), Fraction(0), Fraction(0)]  # 5 + 2t
    >>> [str(c) for c in _in_powers_of(squares, line)]
    ['0', '0', '1/4', '0']
    """
    before, ctx.cap = ctx.cap, len(terms)
    try:
        change = fmpq_series([fmpq(0), *(as_fmpq(c) for c in leading[1:])])
        result = fmpq_series([as_fmpq(c) for c in terms])(change.reversion())
    finally:
        ctx.cap = before
    return [as_fraction(result[n]) for n in range(len(terms))]


def _unit(coefficients: Sequence[Fraction]) -> float:
    """The time t/T at which the first two terms are equal, beyond that with s = 0 if possible.

    Examples
    --------
    >>> _unit([Fraction(3), Fraction(0), Fraction(24)])  # 3 = 12 t^2
    0.5
    >>> _unit([Fraction(0), Fraction(7)])
    1.0
    """
    places = [s for s, c in enumerate(coefficients) if c]
    if len(places) < 2:
        return 1.0
    first, second = places[1:3] if len(places) > 2 else places
    sizes = [abs(coefficients[s]) / factorial(s) for s in (first, second)]
    return float(float(sizes[0] / sizes[1]) ** (1 / (second - first)))


def _reach(
    correction: FiniteSizeCorrection, sign: float, unit: float, moved: _Moved | None
) -> float:
    """The time up to which the stated error is small enough, walking outwards."""
    half = _OCTAVES // 2 * _PER_OCTAVE
    grid = sign * unit * 2.0 ** (np.arange(-half, half) / _PER_OCTAVE)
    if moved is not None:
        grid = grid[moved.theory.domain.inside(grid)]
    if not grid.size:
        return 0.0
    value, error = correction.combined(grid)
    start = abs(float(correction.coefficients[0]))
    if moved is None:
        limit = AGREEMENT_ALONE * (np.abs(value - float(correction.coefficients[0])) + start)
    else:
        limit = AGREEMENT * moved(grid)
    good = error <= limit  # a comparison with what is not a number fails
    number = len(grid) if np.all(good) else int(np.argmin(good))
    return float(grid[number - 1]) if number else 0.0


def neglected_coefficients(
    regime_set: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    left_out: Collection[int] = (),
) -> tuple[Fraction, ...]:
    """Y_s minus the part that the solution of a regime sums, at given numbers.

    Parameters
    ----------
    regime_set : Regimes
        The regimes of a problem, with its exact coefficients.
    name : str
        Name of the regime.
    at : mapping
        A number for every symbol; ``T`` is not used.
    left_out : collection of int
        The s whose leading part the solution does not contain.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
    >>> at = {"p": 10, "H": 5, "sigma2": Fraction(1, 10)}
    >>> neglected_coefficients(regime_set, "A-B-E", at)[0]  # 1/2 p H sigma^4
    Fraction(1, 4)
    """
    exponents = regime_set.exponents
    values = {symbol: Fraction(at[symbol]) for symbol in exponents.symbols}
    kept = kept_coefficients(regime_set, name, at, left_out)
    result = []
    for s, (whole, leading) in enumerate(zip(exponents.coefficients, kept, strict=False)):
        exact = whole + exponents.pure_target if s == 0 else whole
        result.append(Fraction(exact.evaluate(**values)) - leading)
    return tuple(result)


def kept_coefficients(
    regime_set: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    left_out: Collection[int] = (),
) -> tuple[Fraction, ...]:
    """lead(Y_0), lead(Y_1), ... as the solution of a regime sums them, at given numbers.

    They are not read off the solution: a wrong one would be corrected to the truth.

    Parameters
    ----------
    regime_set, name, at, left_out
        See `neglected_coefficients`.
    """
    from pde.solving import leading_coefficients

    values = {symbol: Fraction(at[symbol]) for symbol in regime_set.exponents.symbols}
    kept = leading_coefficients(LeadingSeries(regime_set, regime_set[name]), left_out)
    return tuple(Fraction(leading.evaluate(**values)) for leading in kept)


def finite_size_correction(
    regime_set: Regimes,
    name: str,
    at: Mapping[str, Fraction | float],
    *,
    theory: LossEvolution | None = None,
) -> FiniteSizeCorrection:
    """The correction of the solution of a regime at given numbers.

    Parameters
    ----------
    regime_set, name
        See `neglected_coefficients`.
    at : mapping
        A number for every symbol; T is 1 unless given.
    theory : LossEvolution, optional
        The solution at these numbers; with it the correction is known at more times.
    """
    left_out = () if theory is None else theory.certificate.left_out
    return FiniteSizeCorrection.of(
        neglected_coefficients(regime_set, name, at, left_out),
        T=Fraction(at.get("T", 1)),
        kept=kept_coefficients(regime_set, name, at, left_out),
        constant=target_constant(regime_set, name, at),
        theory=theory,
    )


def target_constant(regime_set: Regimes, name: str, at: Mapping[str, Fraction | float]) -> Fraction:
    """The part of the kept loss that only measures the target: ½|F|², if it counts."""
    values = {symbol: Fraction(at[symbol]) for symbol in regime_set.exponents.symbols}
    return Fraction(LeadingSeries(regime_set, regime_set[name]).pure_target.evaluate(**values))
