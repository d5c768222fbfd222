"""The leading part of a series in a regime, in the regime's own variables.

In a regime the leading monomials of Y_s are those on one face of its Newton polyhedron. Their
quotients are products of a few monomials x_1, x_2, ... that stay of order one, so that

    lead(Y_s) = c_s · Q_s(x_1, x_2, ...)

with a monomial c_s, the *scale*, and a polynomial Q_s with exact coefficients. For SYM of order 2
on the whole triangle the variables are y = H/p and z = p σ².

All other monomials of Y_s are *dropped*. Each of them, divided by a leading one, tends to zero
under the conditions of the regime, as the quotient shows.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> leading = LeadingSeries(regime_set, regime_set["A-B-E"])
>>> [monomial_text(powers) for powers in leading.variables.values()]
['p**-1*H', 'p*sigma2']
>>> print(leading[0])
-p*H*sigma2 + 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2
>>> scale, polynomial = leading.scaled(0)
>>> monomial_text(scale), str(polynomial)
('p*H*sigma2', '-1 + 1/2*y*z + 1/2*z')
>>> [(monomial_text(term), str(condition)) for term, condition in leading.dropped(0)]
[('p*H*sigma2**2', 'p -> oo')]

Beyond the last exact coefficient the leading parts may come from the effective dynamics of the
regime, see `expansion.dynamics.high_order`.

Source: Yarotsky, Golikov, Gusev 2026, sections 5 and 6; scaled variables in general are ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Protocol

from diagrams.arguments import brief, instance, shown
from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.learning import Learning
from expansion.polynomial import Polynomial, monomial_text
from expansion.regimes import Regime, Regimes
from expansion.scaling_conditions import (
    Condition,
    as_monomial,
    integer_coordinates,
    lattice_basis,
    simplest_modulo,
)

__all__ = ["HighOrder", "LeadingSeries", "leading_coefficients", "leading_part", "monomial_text"]


def leading_part(polynomial: Polynomial, scaling: Mapping[str, int | Fraction]) -> Polynomial:
    """The terms of largest order under a scaling.

    Parameters
    ----------
    polynomial : Polynomial
    scaling : mapping from str to int or Fraction
        The exponent α of every symbol; a symbol without one does not scale.

    Examples
    --------
    >>> polynomial = Polynomial.parse("p*H*sigma2 + p**2*H*sigma2**2 + p*H**2*sigma2**2")
    >>> print(leading_part(polynomial, {"p": 1, "H": 2, "sigma2": -2}))
    p*H*sigma2 + p*H**2*sigma2**2
    """
    order = {
        powers: sum(Fraction(scaling.get(name, 0)) * power for name, power in powers)
        for powers, _ in polynomial
    }
    largest = max(order.values(), default=Fraction(0))
    return Polynomial({powers: c for powers, c in polynomial if order[powers] == largest})


class HighOrder(Protocol):
    """What knows leading coefficients of any order, such as the dynamics of a regime."""

    @property
    def cores(self) -> Sequence[object]:
        """The variables of its coefficients."""

    def coefficients(self, last: int) -> Sequence[Polynomial]:
        """The leading parts of Y_0 ... Y_last."""


@dataclass(frozen=True)
class LeadingSeries:
    """The leading parts of Y_0, Y_1, ... in a regime.

    Parameters
    ----------
    regimes : Regimes
    regime : Regime
        One of them; its name does as well.
    dynamics : HighOrder, optional
        What coefficients beyond the exact ones are taken from.
    """

    regimes: Regimes
    regime: Regime
    dynamics: HighOrder | None = None

    def __repr__(self) -> str:
        return f"<LeadingSeries of {brief(repr(self.regimes))}, regime {self.regime.name}>"

    def origin(self, s: int) -> str:
        """Where the leading part of Y_s is taken from, in words."""
        if self.dynamics is None or s <= self.last:
            return "exact"
        return f"hierarchy of {len(self.dynamics.cores)} cores, certified for s = 0 ... {self.last}"

    def __post_init__(self) -> None:
        instance(self.regimes, Regimes, "map", remedy="make one, as regimes(problem)")
        if not isinstance(self.regime, Regime):
            object.__setattr__(self, "regime", self.regimes[self.regime])

    def __getitem__(self, s: int) -> Polynomial:
        """The leading part of Y_s in the original symbols, without the pure-target term.

        Before the vertices move linearly it may be zero: when all of Y_s is smaller than what the
        vertex sequences of the regime, continued to this s, would give.

        Raises
        ------
        InvalidInputError
            If Y_s is zero or not known.
        BudgetExceededError
            If the hierarchy that continues the exact coefficients does not reach so far.
        """
        if not isinstance(s, int):
            raise InvalidInputError(
                f"leading part of Y_{shown(s)}: s counts time derivatives; give an integer"
            )
        if self.dynamics is not None and s > self.last:
            return self.dynamics.coefficients(s)[s]
        exponents = self.regimes.exponents
        points = set(self.regimes.face(self.regime, s).points)
        if s < self.regimes.start and self._falls_short(s, points):
            return Polynomial()
        table = {as_monomial(exponents.symbols, point) for point in points}
        return Polynomial({p: c for p, c in exponents.coefficients[s] if p in table})

    @cached_property
    def pure_target(self) -> Polynomial:
        """The part of Y_0 that only measures the target, as far as the loss of the regime has it.

        In a free regime the model moves as if there were no target, whose measure is left out
        where scalings of the regime make it smaller than what moves; where none does it stays.
        """
        target = self.regimes.exponents.pure_target
        if self.regime.learning is not Learning.FREE or not len(target):
            return target
        moving = self[0] if 0 in self.regimes.polyhedra else Polynomial()
        if not len(moving):
            return Polynomial()
        symbols, cone = self.regime.symbols, self.regime.cone
        leading = moving.exponents(symbols)[0]
        kept = {}
        for powers, c in target:
            (point,) = Polynomial({powers: c}).exponents(symbols)
            larger = tuple(a - b for a, b in zip(leading, point, strict=True))
            if all(inner_product(larger, ray) <= 0 for ray in cone.rays) and not any(
                inner_product(larger, line) for line in cone.lineality
            ):
                kept[powers] = c
        return Polynomial(kept)

    @property
    def last(self) -> int:
        """The s of the last exact coefficient."""
        return self.regimes.exponents.last

    @cached_property
    def variables(self) -> dict[str, Monomial]:
        """The monomials of order one by the names of the variables that stand for them.

        They are a basis of the lattice that the quotients of leading monomials generate. With at
        most two of them they are called y and z, with more x_1, x_2, ...
        """
        names = self._names(len(self._basis))
        symbols = self.regime.symbols
        return {
            name: as_monomial(symbols, vector)
            for name, vector in zip(names, self._basis, strict=True)
        }

    def scaled(self, s: int) -> tuple[Monomial, Polynomial]:
        """The scale c_s and the polynomial Q_s in the regime's variables.

        The scale is chosen so that Q_s has no negative powers and no common factor.
        """
        symbols = self.regime.symbols
        polynomial = self[s]
        if not len(polynomial):
            return (), polynomial
        points = polynomial.exponents(symbols)
        origin = points[0]
        coordinates = [
            integer_coordinates(
                tuple(a - b for a, b in zip(point, origin, strict=True)), self._basis
            )
            for point in points
        ]
        least = [min(column) for column in zip(*coordinates, strict=True)]
        scale = tuple(
            entry + sum(k * vector[i] for k, vector in zip(least, self._basis, strict=True))
            for i, entry in enumerate(origin)
        )
        table = {
            tuple(
                (name, k - low) for name, k, low in zip(self.variables, place, least, strict=True)
            ): coefficient
            for place, (_, coefficient) in zip(coordinates, polynomial, strict=True)
        }
        return as_monomial(symbols, scale), Polynomial(table)

    def dropped(self, s: int) -> tuple[tuple[Monomial, Condition], ...]:
        """The other monomials of Y_s, each with a condition under which it is negligible.

        The condition is that of the quotient by a leading monomial, in its simplest form.
        """
        symbols = self.regime.symbols
        exponents = self.regimes.exponents
        kept = sorted(self[s].exponents(symbols)) or [self._promised(s)]
        equations = [vector for vector in self._basis if any(vector)]
        result = []
        for powers, _ in exponents.coefficients[s]:
            table = dict(powers)
            point = tuple(table.get(name, 0) for name in symbols)
            if point in kept:
                continue
            quotient = tuple(a - b for a, b in zip(kept[0], point, strict=True))
            result.append(
                (powers, Condition.diverging(symbols, simplest_modulo(quotient, equations)))
            )
        return tuple(result)

    def _promised(self, s: int) -> Point:
        """The largest monomial that the vertex sequences give at s."""
        scaling = self.regime.scaling
        return max(self.regime.sequences, key=lambda q: q.order(scaling, s)).point(s)

    def _falls_short(self, s: int, points: set[Point]) -> bool:
        """Whether leading monomials are smaller than the vertex sequences promise."""
        scaling = self.regime.scaling
        promised = max(q.order(scaling, s) for q in self.regime.sequences)
        return (
            self.regimes.law_last is not None
            and max(inner_product(scaling, point) for point in points) < promised
        )

    @cached_property
    def _basis(self) -> tuple[Point, ...]:
        """A basis of the lattice of differences of leading exponents."""
        regimes, symbols = self.regimes, self.regime.symbols
        differences = []
        for s in range(regimes.start, self.last + 1):
            points = self[s].exponents(symbols)
            differences += [
                tuple(a - b for a, b in zip(point, points[0], strict=True)) for point in points
            ]
        return lattice_basis(differences, dimension=len(symbols))

    @staticmethod
    def _names(count: int) -> tuple[str, ...]:
        return ("y", "z")[:count] if count <= 2 else tuple(f"x_{k}" for k in range(1, count + 1))


def leading_coefficients(
    leading: LeadingSeries, left_out: Collection[int] = ()
) -> tuple[Polynomial, ...]:
    """lead(Y_0), lead(Y_1), ... as they are summed: with the pure-target term unless free.

    They end with the last one that is not zero.

    Parameters
    ----------
    leading : LeadingSeries
    left_out : collection of int
        The s whose leading part a solution does not contain, see `pde.evolution.Certificate`.
    """
    found = leading.regimes
    result = []
    last = max((s for s in found.polyhedra if s <= leading.last), default=0)
    for s in range(last + 1):
        vanishes = s in left_out or s not in found.polyhedra
        whole = Polynomial() if vanishes else leading[s]
        if s == 0:
            whole = whole + leading.pure_target
        result.append(whole)
    return tuple(result)
