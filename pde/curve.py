"""A function of time at given numbers: its values, where it holds, and how well it is known.

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial

if TYPE_CHECKING:
    import mpmath

__all__ = [
    "Curve",
    "Domain",
    "FloatArray",
    "Parameters",
    "bounded_float",
    "exact_value",
    "unrelated_numbers",
]

FloatArray = NDArray[np.float64]
Parameters = Mapping[str, Fraction]
"""A value for every symbol: sizes, variances and the inverse learning rate T."""


def bounded_float(value: Fraction) -> float:
    """The nearest floating-point number.

    Raises
    ------
    InvalidInputError
        If the number is larger than all of them.
    """
    try:
        return float(value)
    except OverflowError:
        raise InvalidInputError(
            "numbers: the loss at these sizes and variances is larger than every floating point "
            "number; give numbers closer to 1"
        ) from None


def exact_value(polynomial: Polynomial, parameters: Parameters) -> Fraction:
    """The value of a polynomial, of which T is no symbol.

    Examples
    --------
    >>> exact_value(Polynomial.parse("1/2*p"), {"p": Fraction(3), "T": Fraction(1)})
    Fraction(3, 2)
    """
    return Fraction(polynomial.evaluate(**{name: parameters[name] for name in polynomial.symbols}))


def unrelated_numbers(symbols: Iterable[str]) -> dict[str, Fraction]:
    """Numbers for some symbols without simple relations among them, to try a formula at.

    Examples
    --------
    >>> unrelated_numbers(["p", "H"])
    {'H': Fraction(5, 3), 'p': Fraction(7, 5)}
    """
    from sympy import prime

    return {name: Fraction(prime(n + 3), prime(n + 2)) for n, name in enumerate(sorted({*symbols}))}


@dataclass(frozen=True, slots=True)
class Domain:
    """The times at which a solution holds.

    Parameters
    ----------
    start, stop : float
        Bounds of t, infinite if there is none; ``start <= 0 <= stop``.
    reason : str
        Why it is bounded.
    start_reason : str, optional
        Why it is bounded below, if that is for another reason.
    """

    start: float = -math.inf
    stop: float = math.inf
    reason: str = ""
    start_reason: str = ""

    def why(self, t: float) -> str:
        """Why a time is outside."""
        return self.start_reason or self.reason if t < 0 else self.reason

    @property
    def reasons(self) -> str:
        """All reasons, as one text."""
        early = [f"t < 0: {self.start_reason}"] if self.start_reason else []
        late = [f"t > 0: {self.reason}" if early else self.reason] if self.reason else []
        return "; ".join(early + late if self.start_reason != self.reason else late)

    def contains(self, times: FloatArray) -> bool:
        """Whether all times are inside; the bounds are not, but t = 0 always is."""
        return bool(np.all(self.inside(times)))

    def inside(self, times: FloatArray) -> NDArray[np.bool_]:
        """Which of some times are inside."""
        inside: NDArray[np.bool_] = ((times > self.start) & (times < self.stop)) | (times == 0)
        return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A solution at given numbers, before it is dressed as a `LossEvolution`.

    Parameters
    ----------
    evaluate : callable
        From an array of times t to an array of losses; only asked for times in the domain.
    domain : Domain
    precise : callable, optional
        From a time and a number of digits to an mpmath number.
    limits : tuple of (float or None)
        The losses as t tends to minus and plus infinity.
    error_estimate : float, optional
        Largest expected error of the values, for methods that are not exact up to rounding.
    errors : callable, optional
        From an array of times to the expected error of each value.
    notes : tuple of (str, float)
        Further numbers, such as the time of a blow-up.
    """

    evaluate: Callable[[FloatArray], FloatArray]
    domain: Domain = field(default_factory=Domain)
    precise: Callable[[mpmath.mpf, int], mpmath.mpf] | None = None
    limits: tuple[float | None, float | None] = (None, None)
    error_estimate: float | None = None
    errors: Callable[[FloatArray], FloatArray] | None = None
    notes: tuple[tuple[str, float], ...] = ()

    def __repr__(self) -> str:
        return f"<Curve from {self.domain.start:g} to {self.domain.stop:g}>"
