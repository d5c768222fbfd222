"""The expected correction of a leading solution at finite sizes.

Definition. A solution of a regime sums the leading parts of Y_0, Y_1, ...; what they leave out is
known exactly, and at given numbers

    c(t) = sum over s of (Y_s - lead(Y_s)) (t/T)^s / s!

is what finite sizes add to the solution: relative corrections of order 1/p, 1/H and their powers.

Convention. From finitely many terms the sum is told only where approximants of different kinds
agree, in an interval of times around 0. Beyond it there is no value; the *allowance* there is the
largest size that the correction had inside, on the same side of 0.

>>> rest = [Fraction((-2) ** s, 10) for s in range(12)]  # exp(-2t)/10
>>> correction = FiniteSizeCorrection.of(rest)
>>> print(correction([0.0, 0.5]).round(6))
[0.1      0.036788]
>>> print(correction.allowance([0.5, 1e9]).round(4))
[0.0368 0.1   ]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagrams.errors import InvalidInputError
from pde.evolution import Domain
from pde.resummation import Resummation
from pde.solutions.resummed import resummed_curve

if TYPE_CHECKING:
    from expansion.regimes import Regimes

__all__ = ["FiniteSizeCorrection", "finite_size_correction", "neglected_coefficients"]

AGREEMENT = 0.16
"""Where the estimated error, relative to the correction, is larger, it has no value."""

_SAMPLES = 65
"""Times between 0 and the end of the interval at which its largest size is looked for."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FiniteSizeCorrection:
    """The correction c(t) at given numbers.

    Parameters
    ----------
    coefficients : tuple of Fraction
        Y_s - lead(Y_s).
    T : Fraction
        The inverse learning rate.
    domain : Domain
        The times at which it can be told.
    series : Resummation or None
        The sum over s; None if only c(0) is known.
    """

    coefficients: tuple[Fraction, ...]
    T: Fraction
    domain: Domain
    series: Resummation | None

    @classmethod
    def of(cls, coefficients: Sequence[Fraction], *, T: Fraction | int = 1) -> FiniteSizeCorrection:
        """The correction with given coefficients, at least one."""
        exact = tuple(Fraction(c) for c in coefficients)
        if not exact:
            raise InvalidInputError("correction: has no coefficients; give at least that of s = 0")
        try:
            series = Resummation([c / factorial(s) for s, c in enumerate(exact)])
            domain = resummed_curve(
                exact, target=Fraction(0), T=Fraction(T), relative_tolerance=AGREEMENT
            ).domain
        except InvalidInputError:  # too few terms for an error estimate
            return cls(exact, Fraction(T), Domain(start=0.0, stop=0.0), None)
        return cls(exact, Fraction(T), domain, series)

    def __call__(self, times: ArrayLike) -> FloatArray:
        """The correction at some times; not a number where it cannot be told."""
        return self.estimate(times)[0]

    def estimate(self, times: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The correction at some times and its estimated errors."""
        t = np.asarray(times, dtype=np.float64)
        if not any(self.coefficients):
            return np.zeros_like(t), np.zeros_like(t)
        values = np.where(t == 0, float(self.coefficients[0]), np.nan)
        errors = np.where(t == 0, 0.0, np.nan)
        inside = self.domain.inside(t) & (t != 0)
        if self.series is not None and np.any(inside):
            values[inside], errors[inside] = self.series.estimate(t[inside] / float(self.T))
        return values, errors

    def allowance(self, times: ArrayLike) -> FloatArray:
        """The size that a deviation may have because of the correction."""
        t = np.asarray(times, dtype=np.float64)
        value, error = self.estimate(t)
        size = np.abs(value) + error
        for beyond, end in ((t > 0, self.domain.stop), (t < 0, self.domain.start)):
            unknown = beyond & np.isnan(size)
            if np.any(unknown):
                size[unknown] = np.nanmax(np.abs(self(np.linspace(0.0, end, _SAMPLES)[:-1])))
        return size


def neglected_coefficients(
    found: Regimes, name: str, at: Mapping[str, Fraction | float]
) -> tuple[Fraction, ...]:
    """Y_s minus what the solution of a regime sums of it, at given numbers.

    Parameters
    ----------
    found : Regimes
        The regimes of a problem, with its exact coefficients.
    name : str
        Name of the regime.
    at : mapping
        A number for every symbol; ``T`` is not used.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> found = regimes(cp(order=2, symmetric=True), terms=4)
    >>> at = {"p": 10, "H": 5, "sigma2": Fraction(1, 10)}
    >>> neglected_coefficients(found, "A-B-E", at)[0]  # 1/2 p H sigma^4
    Fraction(1, 4)
    """
    from expansion.leading import LeadingSeries
    from pde.solving import leading_coefficients

    exponents = found.exponents
    values = {symbol: Fraction(at[symbol]) for symbol in exponents.symbols}
    result = []
    kept = leading_coefficients(LeadingSeries(found, found[name]))
    for s, (whole, leading) in enumerate(zip(exponents.coefficients, kept, strict=False)):
        rest = whole - leading
        result.append((rest + exponents.pure_target if s == 0 else rest).evaluate(**values))
    return tuple(Fraction(value) for value in result)


def finite_size_correction(
    found: Regimes, name: str, at: Mapping[str, Fraction | float]
) -> FiniteSizeCorrection:
    """The correction of the solution of a regime at given numbers, ``T`` being 1 unless given."""
    coefficients = neglected_coefficients(found, name, at)
    return FiniteSizeCorrection.of(coefficients, T=Fraction(at.get("T", 1)))
