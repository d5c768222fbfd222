"""Resummation with an error estimate, and refusal where approximants disagree.

Families of approximants (`pde.numerics.approximants`: Padé, Borel-Padé, Levin, and Levin for the
even and the odd part of a series by themselves) sum one series. Each is applied to all coefficients
and to fewer; the *change* is the largest difference. At every point the family with the smallest
change gives the value. Its error is estimated by that change and by the distance to the method with
the second smallest change, whichever is larger: two methods that share nothing but the coefficients
have to agree.

Two curves that disagree may cross. So the estimate at x is the largest one on the way from 0 to x,
times `SAFETY`, a factor that is calibrated on sums known in closed form; a family ends at the first
pole between 0 and x of one of its members. The estimate is an observation, not a bound.

All sums are exact distances from the first coefficient, rounded once, so that a series that moves
by little keeps its digits.

>>> from math import factorial
>>> euler = [Fraction((-1) ** n * factorial(n)) for n in range(20)]
>>> value, error = Resummation(euler).estimate(np.array([1.0]))  # e E_1(1) = 0.59634736...
>>> bool(abs(value[0] - 0.596347362323194) <= error[0] < 1e-3)
True

On its Stokes line the same series is rejected:

>>> Resummation(euler)(np.array([-1.0]), relative_tolerance=1e-3)
Traceback (most recent call last):
    ...
pde.numerics.resummation.ResummationError: resummed series at x = -1: approximants agree only to ...

Source: ours; the approximants are cited in `pde.numerics.approximants`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError, InvalidInputError
from pde.numerics.approximants import (
    BorelSum,
    RationalFunction,
    borel_pade,
    levin,
    levin_by_parity,
    pade,
)

__all__ = ["Resummation", "ResummationError", "coefficient_growth", "diverges", "unit_of"]

FloatArray = NDArray[np.float64]
Approximant = RationalFunction | BorelSum

FEWEST = 4
"""The fewest coefficients that do not vanish from which a sum is estimated."""

SAFETY = 8.0
"""The estimate in units of the observed differences; see `tests/pde/test_calibration.py`."""

_ROUNDING = 2.0**-48
"""A relative change of x by some units in the last place."""

_PER_OCTAVE = 4
_OCTAVES = (-12, 20)
"""The way from 0: points per doubling of x, from and to these powers of 2 of the unit."""


class ResummationError(DiagflowError):
    """Approximants of a series disagree by more than the tolerance."""

    code = "resummation"


@dataclass(frozen=True, slots=True)
class _Family:
    """One method on all coefficients, then on fewer."""

    members: tuple[Approximant, ...]
    reach: tuple[float, float]
    """The distances of the nearest pole at negative and at positive x."""

    @classmethod
    def of(cls, members: Sequence[Approximant]) -> _Family:
        reach = [min(m.first_pole(sign=sign) for m in members) for sign in (-1, 1)]
        return cls(tuple(members), (reach[0], reach[1]))

    def value_and_change(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        values = np.stack([member(x) for member in self.members])
        change = np.max(np.abs(values[1:] - values[0]), axis=0)
        beyond = np.abs(x) >= np.where(x < 0, *self.reach)
        return values[0], np.where(beyond & (x != 0), np.nan, change)


def coefficient_growth(coefficients: Sequence[Fraction]) -> float:
    """The k for which the coefficients grow like (k n)!, by the slope of log abs(c_n/c_m) in log n.

    Examples
    --------
    >>> from math import factorial
    >>> round(coefficient_growth([Fraction(factorial(2 * n)) for n in range(30)]), 1)
    2.0
    >>> abs(coefficient_growth([Fraction(3) ** n for n in range(30)])) < 1e-9
    True
    """
    places = [n for n, c in enumerate(coefficients) if c and n]
    if len(places) < 3:
        return 0.0
    rates = [
        (log((m + n) / 2), (_log(coefficients[m]) - _log(coefficients[n])) / (m - n))
        for n, m in pairwise(places)
    ]
    late = rates[len(rates) // 2 - 1 :] if len(rates) > 3 else rates
    slope = np.polyfit([x for x, _ in late], [y for _, y in late], 1)[0]
    return float(slope)


def diverges(coefficients: Sequence[Fraction], *, sign: int) -> bool:
    """Whether a series is seen to diverge at every x of a sign, with no sum there.

    That is so if its coefficients grow like factorials, so that no x > 0 is inside a circle of
    convergence, and its late terms have one sign, so that this half of the line is a Stokes line:
    analytic continuations from above and from below differ. Growth like a factorial is seen by the
    quotients of successive coefficients. They increase in steps that do not become smaller; those
    of a convergent series tend to a constant, in steps that fall like 1/n². At least five
    successive terms are needed; series in x², and x times such, are recognised by every second one.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...
    sign : int
        1 for x > 0, -1 for x < 0.

    Examples
    --------
    >>> from math import factorial
    >>> growing = [Fraction(factorial(n)) for n in range(6)]
    >>> diverges(growing, sign=1), diverges(growing, sign=-1)
    (True, False)
    >>> diverges([Fraction(1, n + 1) for n in range(9)], sign=1)
    False
    >>> diverges([(-1) ** n * c for n, c in enumerate(growing * 2)], sign=1)
    False
    """
    terms = [c * sign**n for n, c in enumerate(coefficients)][1:]
    for parity in (0, 1):
        if not any(terms[1 - parity :: 2]):
            return _seen_to_grow(terms[parity::2])
    return _seen_to_grow(terms)


def _seen_to_grow(terms: Sequence[Fraction]) -> bool:
    late = list(terms[-5:])
    if len(late) < 5 or not all(late) or len({c > 0 for c in late}) > 1:
        return False
    quotients = [later / earlier for earlier, later in pairwise(late)]
    steps = [later - earlier for earlier, later in pairwise(quotients)]
    return all(step > 0 for step in steps) and all(
        later >= _STEADY * earlier for earlier, later in pairwise(steps)
    )


_STEADY = Fraction(9, 10)
"""Steps of quotients that shrink faster than this belong to a series that may converge."""


def _log(value: Fraction) -> float:
    return log(abs(value.numerator)) - log(value.denominator)


def unit_of(coefficients: Sequence[Fraction]) -> Fraction:
    """The largest power of 2 at which no later term exceeds the first that moves the sum, about.

    Examples
    --------
    >>> unit_of([Fraction(1), Fraction(1, 8), Fraction(1)])
    Fraction(1, 8)
    """
    places = [n for n, c in enumerate(coefficients) if c and n]
    if len(places) < 2:
        return Fraction(1)
    first = places[0]
    start = _log(coefficients[first])
    powers = [(start - _log(coefficients[n])) / log(2) / (n - first) for n in places[1:]]
    return Fraction(2) ** round(min(powers))


class Resummation:
    """The sum of a power series from its first coefficients.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...
    growth : int, optional
        The k with which coefficients grow like (kn)!, for the Borel transform; by default
        `coefficient_growth`, rounded, and at least 1.

    Raises
    ------
    InvalidInputError
        If fewer than four coefficients differ from zero.
    """

    def __init__(self, coefficients: Sequence[Fraction], *, growth: int | None = None) -> None:
        exact = tuple(Fraction(c) for c in coefficients)
        places = [n for n, c in enumerate(exact) if c]
        if len(places) < FEWEST:
            raise InvalidInputError(
                f"resummation: {len(places)} coefficients that do not vanish are not enough for an "
                f"error estimate; give at least {FEWEST}"
            )
        self.coefficients = exact
        self.growth = max(1, round(coefficient_growth(exact))) if growth is None else growth
        self.unit = unit_of(exact)
        # In units of x, and of the first term that moves the sum, everything is of moderate size.
        first = next(n for n in places if n)
        self._size = abs(exact[first]) * self.unit**first
        scaled = tuple(c * self.unit**n / self._size for n, c in enumerate(exact))
        # Odd and even series are shortened by a whole period, so that something changes.
        parts = [scaled[: places[-k] + 1] for k in (1, 2, 3)]
        methods = (
            (_members(pade, *parts),),
            (_members(self._borel, *parts),),
            (tuple(map(levin, parts)), tuple(map(levin_by_parity, parts))),
        )
        found = [
            [
                _Family.of([member.less(scaled[0]) for member in members])
                for members in method
                if len(members) > 1
            ]
            for method in methods
        ]
        self._methods = tuple(tuple(families) for families in found if families)
        if len(self._methods) < 2:
            raise InvalidInputError(
                "resummation: Padé approximants do not exist for these coefficients, and one "
                "method alone has no error estimate; give more coefficients"
            )
        self._way = lru_cache(maxsize=2)(self._find_way)

    def _borel(self, coefficients: Sequence[Fraction], *, degree: int) -> Approximant:
        return borel_pade(coefficients, growth=self.growth, degree=degree)

    @property
    def grid(self) -> FloatArray:
        """The positive points of the way from 0, a geometric sequence."""
        low, high = (k * _PER_OCTAVE for k in _OCTAVES)
        return _float(self.unit) * 2.0 ** (np.arange(low, high + 1) / _PER_OCTAVE)

    def moved(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The sum minus its first coefficient, and its estimated absolute errors.

        The error is infinite where two methods are missing, as beyond poles.

        Parameters
        ----------
        x : numpy.ndarray
        """
        shape = np.shape(x)
        points = np.ravel(np.asarray(x, dtype=float))
        value, error = self._observed(points)
        for sign in (-1, 1):
            chosen = np.flatnonzero(points * sign > 0)
            if not chosen.size:
                continue
            largest = self._way(sign)
            before = np.searchsorted(self.grid, np.abs(points[chosen]), side="right")
            error[chosen] = np.maximum(error[chosen], np.where(before, largest[before - 1], 0.0))
        error = np.where(points == 0, 0.0, SAFETY * error)
        # Rounding of the result, and of x, which is felt near a pole.
        error = np.maximum(error, np.spacing(np.abs(np.where(np.isfinite(value), value, 0.0))))
        with np.errstate(invalid="ignore"):
            felt = np.abs(self._observed(points * (1 + _ROUNDING))[0] - value)
        error = error + np.where(np.isfinite(felt), felt, np.inf)
        size = _float(self._size)
        with np.errstate(over="ignore", invalid="ignore"):
            return (size * value).reshape(shape), (size * error).reshape(shape)

    def estimate(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values and estimated absolute errors; an infinite error where two methods are missing."""
        moved, error = self.moved(x)
        value = _float(self.coefficients[0]) + moved
        finite = np.where(np.isfinite(value), value, 0.0)
        return value, np.maximum(error, np.spacing(np.abs(finite)))

    def _find_way(self, sign: int) -> FloatArray:
        """The largest observed error so far, at the points of the grid on one side."""
        return np.maximum.accumulate(self._observed(sign * self.grid)[1])

    def _observed(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The scaled distance from the first coefficient, and the differences seen at each x."""
        unit = _float(self.unit)
        scaled = points / unit if math.isfinite(1 / unit) else np.zeros_like(points)
        with np.errstate(all="ignore"):
            pairs = [_best(scaled, families) for families in self._methods]
        values = np.stack([value for value, _ in pairs])
        changes = np.stack([change for _, change in pairs])
        order = np.argsort(changes, axis=0, kind="stable")
        column = np.arange(points.size)
        best, second = order[0], order[1]
        value = values[best, column]
        with np.errstate(invalid="ignore"):
            apart = np.abs(value - values[second, column])
        error = np.maximum(changes[best, column], np.where(np.isfinite(apart), apart, np.inf))
        return value, np.where(np.isfinite(changes[second, column]), error, np.inf)

    def __call__(
        self, x: FloatArray, *, relative_tolerance: float, offset: float = 0.0
    ) -> FloatArray:
        """The sum, where its estimated error meets a tolerance.

        Parameters
        ----------
        x : numpy.ndarray
        relative_tolerance : float
            Allowed error, relative to the distance of the sum from the offset.
        offset : float, default 0
            A known constant that is of no interest.

        Raises
        ------
        ResummationError
            If it is exceeded at a point; the message names the first one.
        """
        points = np.asarray(x, dtype=float)
        value, error = self.estimate(points)
        bad = ~(error <= relative_tolerance * np.abs(value - offset))
        if np.any(bad):
            place = int(np.argmax(bad.ravel()))
            size = error.ravel()[place] / abs(value.ravel()[place] - offset)
            raise ResummationError(
                f"resummed series at x = {points.ravel()[place]:.6g}: approximants agree only to "
                f"{size:.1g} (relative), the tolerance is {relative_tolerance:.1g}; stay closer to "
                "0, give more coefficients or raise the tolerance"
            )
        return value


def _best(x: FloatArray, families: Sequence[_Family]) -> tuple[FloatArray, FloatArray]:
    """Value and change of the family of one method that changes least, at every point."""
    pairs = [family.value_and_change(x) for family in families]
    values = np.stack([value for value, _ in pairs])
    changes = np.stack([change for _, change in pairs])
    changes = np.where(np.isfinite(values) & np.isfinite(changes), changes, np.inf)
    place = np.argmin(changes, axis=0), np.arange(x.size)
    return values[place], changes[place]


def _members(
    method: Callable[..., Approximant], *parts: Sequence[Fraction]
) -> tuple[Approximant, ...]:
    """Diagonal and neighbouring approximants that exist."""
    found = []
    for part in parts:
        half = len(part) // 2
        for degree in (half, half - 1):
            try:
                found.append(method(part, degree=degree))
            except InvalidInputError:
                continue
            break
    return tuple(found)


def _float(value: Fraction) -> float:
    """The nearest floating-point number, infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
