"""Resummation with an error estimate, and refusal where approximants disagree.

Three families of approximants (`pde.approximants`: Padé, Borel-Padé, Levin) sum one series. Each
family is applied to all coefficients and to fewer; the *change* is the largest difference. At every
point the family with the smallest change gives the value. Its error is estimated by that change and
by the distance to the family with the second smallest change, whichever is larger: two methods that
share nothing but the coefficients have to agree. The estimate is an observation, not a bound.

>>> from math import factorial
>>> euler = [Fraction((-1) ** n * factorial(n)) for n in range(20)]
>>> value, error = Resummation(euler).estimate(np.array([1.0]))  # e E_1(1) = 0.59634736...
>>> bool(abs(value[0] - 0.596347362323194) <= error[0] < 1e-4)
True

On its Stokes line the same series is refused:

>>> Resummation(euler)(np.array([-1.0]), relative_tolerance=1e-3)
Traceback (most recent call last):
    ...
pde.resummation.ResummationError: resummed series at x = -1: approximants agree only to ...

Source: ours; the approximants are cited in `pde.approximants`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError, InvalidInputError
from pde.approximants import borel_pade, levin, pade

__all__ = ["Resummation", "ResummationError", "coefficient_growth"]

FloatArray = NDArray[np.float64]
Approximant = Callable[[FloatArray], FloatArray]

FEWEST = 4
"""The fewest coefficients that do not vanish from which a sum is estimated."""


class ResummationError(DiagflowError):
    """Approximants of a series disagree by more than the tolerance."""


@dataclass(frozen=True, slots=True)
class _Family:
    """One method on all coefficients, then on fewer."""

    name: str
    members: tuple[Approximant, ...]

    def value_and_change(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        values = np.stack([member(x) for member in self.members])
        return values[0], np.max(np.abs(values[1:] - values[0]), axis=0)


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


def _log(value: Fraction) -> float:
    return log(abs(value.numerator)) - log(value.denominator)


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
        # Odd and even series are shortened by a whole period, so that something changes.
        whole = exact[: places[-1] + 1]
        shorter = exact[: places[-2] + 1]
        shortest = exact[: places[-3] + 1]
        self._families = tuple(
            _Family(name, members)
            for name, members in (
                ("Padé", self._members(pade, whole, shorter, shortest)),
                ("Borel-Padé", self._members(self._borel, whole, shorter, shortest)),
                ("Levin", tuple(levin(part) for part in (whole, shorter, shortest))),
            )
            if len(members) > 1
        )
        if len(self._families) < 2:
            raise InvalidInputError(
                "resummation: Padé approximants do not exist for these coefficients, and one "
                "method alone has no error estimate; give more coefficients"
            )

    def _borel(self, coefficients: Sequence[Fraction], *, degree: int) -> Approximant:
        return borel_pade(coefficients, growth=self.growth, degree=degree)

    @staticmethod
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

    def estimate(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values and estimated absolute errors; an infinite error where two methods are missing."""
        shape = np.shape(x)
        points = np.ravel(np.asarray(x, dtype=float))
        with np.errstate(all="ignore"):
            pairs = [family.value_and_change(points) for family in self._families]
        values = np.stack([value for value, _ in pairs])
        changes = np.stack([change for _, change in pairs])
        changes = np.where(np.isfinite(values) & np.isfinite(changes), changes, np.inf)
        order = np.argsort(changes, axis=0, kind="stable")
        column = np.arange(points.size)
        best, second = order[0], order[1]
        value = values[best, column]
        with np.errstate(invalid="ignore"):
            apart = np.abs(value - values[second, column])
        error = np.maximum(changes[best, column], np.where(np.isfinite(apart), apart, np.inf))
        error = np.where(np.isfinite(changes[second, column]), error, np.inf)
        # Rounding of the result.
        error = np.maximum(error, np.spacing(np.abs(np.where(np.isfinite(value), value, 0.0))))
        return value.reshape(shape), error.reshape(shape)

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
