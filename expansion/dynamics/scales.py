"""Dynamic scales: how large a diagram becomes in a regime, not only at time zero.

A regime is given by a scaling, the exponent alpha of every symbol, and the exponent alpha_T of its
natural time T. The *order* of a monomial is its exponent under the scaling. The *dynamic scale* of
a connected diagram G is

    sigma(G) = max over s of  ( order of T^s E d^s G/dt^s at time zero  -  s alpha_T ),

because after a time of order T all derivatives count: the overlap of a model with its target is
zero on average at time zero in a mean-field regime, and of order one soon after. The maximum is
taken over s = 0 ... `LAST`, less for diagrams with many factors; that it is enough is part of what
a certificate checks.

>>> from expansion.models import cp
>>> problem = cp(order=2)
>>> scaling = Scaling({"p": Fraction(1), "H": Fraction(2), "sigma2": Fraction(-2)}, Fraction(0))
>>> scales = Scales(Averages(problem.loss), scaling)
>>> overlap = next(diagram for diagram, _ in problem.overlap)
>>> scaling.top(scales.averages.mean(overlap)), scales.of(overlap)
(None, Fraction(1, 1))

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

from diagrams.components import disjoint_union, pieces
from diagrams.diagram import Diagram
from diagrams.wick import Moments, Monomial
from expansion.dynamics.averages import Averages
from expansion.polynomial import Polynomial

__all__ = ["LAST", "Scales", "Scaling"]

LAST = 2
"""Derivatives that dynamic scales look at; under inertia twice as many, two for every merger."""

MAXIMAL_FACTORS = 26
"""Derivatives whose diagrams have more factors are not looked at."""


@dataclass(frozen=True)
class Scaling:
    """Exponents of the symbols and of the natural time.

    Parameters
    ----------
    exponents : mapping from str to Fraction
        alpha; a symbol without one does not scale.
    time : Fraction
        alpha_T, less what one factor of the normalisation of the loss contributes.
    """

    exponents: Mapping[str, Fraction]
    time: Fraction

    def order(self, powers: Monomial) -> Fraction:
        """The order of a monomial."""
        return Fraction(self._multiple(powers), self._denominator)

    def multiple(self, moments: Moments) -> int:
        """The largest order of a polynomial in units of the smallest one, zero if it is zero."""
        return max((self._multiple(powers) for powers, c in moments.items() if c), default=0)

    def of(self, multiple: int) -> Fraction:
        """The order that is so many units."""
        return Fraction(multiple, self._denominator)

    def top(self, moments: Moments) -> Fraction | None:
        """The largest order of a polynomial, None if it is zero."""
        largest = max((self._multiple(powers) for powers, c in moments.items() if c), default=None)
        return None if largest is None else Fraction(largest, self._denominator)

    def from_order(self, moments: Moments, least: Fraction) -> Polynomial:
        """The part of a polynomial of at least some order."""
        bound = least * self._denominator
        return Polynomial({m: c for m, c in moments.items() if self._multiple(m) >= bound})

    def of_order(self, moments: Moments, order: Fraction) -> Moments:
        """The part of a polynomial of one order."""
        multiple = order * self._denominator
        return {m: c for m, c in moments.items() if self._multiple(m) == multiple}

    def leading(self, moments: Moments, order: Fraction) -> Polynomial:
        """The part of a polynomial of one order, as a polynomial."""
        return Polynomial(self.of_order(moments, order))

    @cached_property
    def _denominator(self) -> int:
        return lcm(*(exponent.denominator for exponent in self.exponents.values()))

    @cached_property
    def _weights(self) -> dict[str, int]:
        """The exponents over their common denominator: orders are compared a million times."""
        return {name: int(a * self._denominator) for name, a in self.exponents.items()}

    def _multiple(self, powers: Monomial) -> int:
        """The order of a monomial, times the common denominator."""
        weights = self._weights
        return sum([weights.get(name, 0) * k for name, k in powers])


class Scales:
    """Dynamic scales of diagrams and of linear combinations of them.

    Parameters
    ----------
    averages : Averages
    scaling : Scaling
    derivatives : int, optional
        How many are looked at, without inertia.
    """

    def __init__(self, averages: Averages, scaling: Scaling, *, derivatives: int = LAST) -> None:
        self.averages = averages
        self.scaling = scaling
        self._derivatives = derivatives
        self._known: dict[Diagram, Fraction | None] = {}

    def last(self, factors: int) -> int:
        """How many derivatives of a diagram with so many factors are looked at."""
        growth, period = max(1, self.averages.growth), self.averages.period
        return max(0, min(self.least, period * ((MAXIMAL_FACTORS - factors) // growth)))

    @property
    def least(self) -> int:
        """Derivatives that are looked at unless a diagram has too many factors."""
        return self._derivatives * self.averages.period

    def of(self, diagram: Diagram) -> Fraction | None:
        """The dynamic scale of a diagram, None if all means that were looked at vanish."""
        diagram = self.averages.representative(diagram)
        if diagram not in self._known:
            parts = pieces(diagram.nodes, diagram.factors)
            self._known[diagram] = (
                self.of_sum({diagram: Fraction(1)})
                if len(parts) == 1
                else _sum(self.of(part) for part in parts)
            )
        return self._known[diagram]

    def apart(self, diagram: Diagram, growth: int, *, far: bool = False) -> int | None:
        """How many derivatives show the size of a sum over different indices.

        Such a sum has a mean only if every factor occurs an even number of times at its indices.
        A merger with a block of B factors changes the parity of B of them, and two mergers share
        one; so with n odd factors, (n - 2)/(B - 2) mergers may be needed before it has a mean.

        Parameters
        ----------
        diagram : Diagram
        growth : int
            B - 2 of the blocks that are counted on.
        far : bool, default False
            Whether as many factors may be looked at as `fits` says.

        Returns
        -------
        int or None
            None if that many derivatives have too many factors to be looked at.
        """
        needed = max(self._derivatives, -((2 - _odd_factors(diagram)) // max(1, growth)))
        needed *= self.averages.period
        return needed if self.fits(diagram, needed, far=far) else None

    def fits(self, diagram: Diagram, derivatives: int, *, far: bool = False) -> bool:
        """Whether so many derivatives of a diagram have few enough factors to be looked at.

        From far these are as many as the second derivatives of the largest block have.
        """
        growth = self.averages.growth
        most = max(MAXIMAL_FACTORS, 3 * growth + 2) if far else MAXIMAL_FACTORS
        mergers = -(-derivatives // self.averages.period)
        return len(diagram.factors) + mergers * growth <= most

    def reached_at(self, diagram: Diagram) -> int:
        """The number of derivatives after which a diagram is first as large as its scale.

        Parameters
        ----------
        diagram : Diagram
            One that has a scale.
        """
        scale = self.of(diagram)
        for s, moments in enumerate(self.averages.derivatives(diagram, self.least)):
            order = self.scaling.top(moments)
            if order is not None and order - s * self.scaling.time == scale:
                return s
        return 0

    @cached_property
    def least_growth(self) -> int:
        """By how much less than two the parity of factors changes in a merger with a leading block.

        What occurs an even number of times in a block changes no parity.
        """
        moving = [d for d, _ in self.averages.potential if any(t.is_learnable for t in d.tensors)]
        scales = {diagram: self.of(diagram) for diagram in moving}
        top = max((scale for scale in scales.values() if scale is not None), default=None)
        leading = [diagram for diagram in moving if scales[diagram] == top]
        return min((odd - 2 for d in leading if (odd := _odd_factors(d)) > 2), default=1)

    def of_sum(self, terms: Mapping[Diagram, Fraction], last: int | None = None) -> Fraction | None:
        """The dynamic scale of a linear combination of diagrams, from so many derivatives."""
        size = max(len(diagram.factors) for diagram in terms)
        if size > MAXIMAL_FACTORS:
            moments = [[self.averages.mean(diagram)] for diagram in terms]
        else:
            last = self.last(size) if last is None else last
            moments = [list(self.averages.derivatives(diagram, last)) for diagram in terms]
        best: Fraction | None = None
        for s in range(min(map(len, moments))):
            order = self.scaling.top(_combined([*terms.values()], [known[s] for known in moments]))
            if order is not None:
                order -= s * self.scaling.time
                best = order if best is None else max(best, order)
        return best

    def fluctuation(self, first: Diagram, second: Diagram) -> Moments:
        """The covariance of two diagrams at time zero."""
        averages = self.averages
        result = dict(averages.mean(disjoint_union(first, second)))
        for a, x in averages.mean(first).items():
            for b, y in averages.mean(second).items():
                key = times(a, b)
                result[key] = result.get(key, Fraction(0)) - x * y
        return {powers: c for powers, c in result.items() if c}


def _odd_factors(diagram: Diagram) -> int:
    """How many random factors of a diagram occur an odd number of times at their nodes."""
    return sum(count % 2 for (t, _), count in diagram.multiplicities.items() if t.is_random)


def times(first: Monomial, second: Monomial) -> Monomial:
    """The product of two monomials.

    Examples
    --------
    >>> times((("p", 1),), (("H", 2), ("p", -1)))
    (('H', 2),)
    """
    powers = dict(first)
    for name, power in second:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _combined(coefficients: Sequence[Fraction], moments: Sequence[Moments]) -> Moments:
    if len(moments) == 1 and coefficients[0]:
        return moments[0]  # a factor changes no order
    total: Moments = {}
    for coefficient, known in zip(coefficients, moments, strict=True):
        for powers, value in known.items():
            total[powers] = total.get(powers, Fraction(0)) + coefficient * value
    return total


def _sum(orders: Iterable[Fraction | None]) -> Fraction | None:
    total = Fraction(0)
    for order in orders:
        if order is None:
            return None
        total += order
    return total
