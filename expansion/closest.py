"""Which regime describes given numbers best.

A regime keeps the leading monomials of every Y_s and neglects the others. At given sizes and
variances the *neglected share* of Y_s is the sum of the absolute values of the neglected terms over
that of the kept ones, with the pure-target term among the kept ones unless the regime is free; the
share of the regime is the largest one over the known s. A face that contains another one always
neglects less, but its formula is harder. The *closest* regime is therefore the simplest one that is
good enough: of all regimes whose share is at most the tolerance, or at most twice the least share
if that is more, one of the smallest dimension, and among these the one with the least share.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> found = regimes(cp(order=2, symmetric=True), terms=4)
>>> answer = where(found, p=1000, H=1000, sigma2=Fraction(1, 100))
>>> answer.closest.name, answer.share("A-B") < Fraction(1, 2)
('A-B-E', True)
>>> where(found, p=512, H=10**7, sigma2=Fraction(1, 1000)).closest.name
'B'

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Learning, Regime, Regimes, regimes

__all__ = ["TOLERANCE", "NeglectedShare", "Place", "where"]

TOLERANCE = Fraction(1, 10)
"""A regime that neglects at most this share is good enough."""

_ALMOST_AS_GOOD = 2


@dataclass(frozen=True, slots=True)
class NeglectedShare:
    """What a regime neglects at given numbers.

    Parameters
    ----------
    regime : Regime
    shares : tuple of (int, Fraction)
        For each s the neglected terms relative to the kept ones.
    """

    regime: Regime
    shares: tuple[tuple[int, Fraction], ...]

    @property
    def largest(self) -> Fraction:
        """The largest share over all s."""
        return max(share for _, share in self.shares)


@dataclass(frozen=True, slots=True)
class Place:
    """Where given numbers lie on the map of regimes.

    Parameters
    ----------
    values : tuple of (str, Fraction)
    closest : Regime
    table : tuple of NeglectedShare
        All regimes, the least share first.
    """

    values: tuple[tuple[str, Fraction], ...]
    closest: Regime
    table: tuple[NeglectedShare, ...]

    def share(self, name: str) -> Fraction:
        """The largest neglected share of a regime."""
        return next(entry.largest for entry in self.table if entry.regime.name == name)


def where(
    source: Regimes | Problem,
    *,
    tolerance: Fraction = TOLERANCE,
    at: Mapping[str, Fraction | float] | None = None,
    **values: Fraction | float,
) -> Place:
    """The regime whose leading terms describe given numbers best.

    Parameters
    ----------
    source : Regimes or Problem
    tolerance : Fraction
        The share that is good enough.
    at : mapping from str to number, optional
        The same as ``values``, for symbols with names that Python does not allow there.
    **values
        A positive number for every symbol, for example ``p=512, H=256, sigma2=2e-5``.

    Raises
    ------
    InvalidInputError
        If a symbol has no value, a name is not a symbol or a value is not positive.
    """
    found = source if isinstance(source, Regimes) else regimes(source)
    exact = _checked(found, {**(at or {}), **values})
    table = sorted(
        (_neglected(found, regime, exact) for regime in found), key=lambda entry: entry.largest
    )
    limit = max(tolerance, _ALMOST_AS_GOOD * table[0].largest)
    good = [entry for entry in table if entry.largest <= limit]
    closest = min(good, key=lambda entry: (entry.regime.dimension, entry.largest))
    return Place(tuple(exact.items()), closest.regime, tuple(table))


def _checked(found: Regimes, values: Mapping[str, Fraction | float]) -> dict[str, Fraction]:
    symbols = found.exponents.symbols
    for name in values:
        if name not in symbols:
            raise InvalidInputError(
                f"symbol {name!r}: does not occur in the series; its symbols are "
                f"{', '.join(symbols)}"
            )
    missing = [name for name in symbols if name not in values]
    if missing:
        raise InvalidInputError(
            f"values: there is none for {', '.join(missing)}; give one for each of "
            f"{', '.join(symbols)}"
        )
    exact = {}
    for name in symbols:
        try:
            exact[name] = Fraction(values[name])
        except (OverflowError, ValueError):
            exact[name] = Fraction(0)
        if exact[name] <= 0:
            raise InvalidInputError(
                f"{name} = {values[name]}: must be a positive number; give a larger one"
            )
    return exact


def _neglected(found: Regimes, regime: Regime, values: Mapping[str, Fraction]) -> NeglectedShare:
    leading = LeadingSeries(found, regime)
    shares = []
    for s in sorted(found.polyhedra):
        kept, whole = _size(leading[s], values), _size(found.exponents.coefficients[s], values)
        if s == 0:
            pure = _size(found.exponents.pure_target, values)
            whole += pure
            kept += 0 if regime.learning is Learning.FREE else pure
        if kept:
            shares.append((s, (whole - kept) / kept))
    return NeglectedShare(regime, tuple(shares))


def _size(polynomial: Polynomial, values: Mapping[str, Fraction]) -> Fraction:
    """The sum of the absolute values of the terms."""
    total = Fraction(0)
    for powers, coefficient in polynomial:
        term = abs(coefficient)
        for name, power in powers:
            term *= values[name] ** power
        total += term
    return total
