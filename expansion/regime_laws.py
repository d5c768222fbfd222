"""The laws of a map of regimes, checked.

The construction makes them true (`expansion.regime_cells`); what is printed is checked all the
same: a map that contradicts itself is worth less than none.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> check_map(regimes(cp(order=2, symmetric=True), terms=4))

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.geometry.convex_hull import Tick, unhurried
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.regime_values import Regime, Regimes
from expansion.vertex_sequences import order

__all__ = ["check_map", "regimes_at", "scalings_to_try"]

_SAMPLES = 24


def check_map(regime_set: Regimes, *, tick: Tick = unhurried) -> None:
    """Check a map that is not restricted to a slice.

    Parameters
    ----------
    regime_set : Regimes
    tick : callable, optional
        Called during the work.

    Raises
    ------
    InvalidInputError
        If two regimes share a cone, a scaling is in none or in two, a regime holds no scaling with
        growing sizes, or its natural time is not the largest slope of a vertex at its scaling.
    """
    growing = regime_set.exponents.growing_places
    if len({regime.cone for regime in regime_set}) < len(regime_set):
        raise _contradiction("two regimes have the same cone")
    slopes = {sequence.slope for regime in regime_set for sequence in regime.sequences}
    for regime in regime_set:
        tick()
        inside = regime.scaling
        if not all(inside[place] > 0 for place in growing):
            raise _contradiction(f"the sizes do not grow in {regime.name}")
        if regimes_at(regime_set, inside) != (regime,):
            raise _contradiction(f"a scaling of {regime.name} is in another number of regimes")
        powers = dict(regime.natural_time)
        time = [powers.get(symbol, Fraction(0)) for symbol in regime.symbols]
        if regime_set.law_last is not None and order(inside, time) != max(
            order(inside, slope) for slope in slopes
        ):
            raise _contradiction(f"the natural time of {regime.name} is not the largest slope")
    size = len(regime_set.exponents.symbols)
    for scaling in scalings_to_try(size, growing=growing, count=_SAMPLES):
        if len(regimes_at(regime_set, scaling)) != 1:
            raise _contradiction(f"the scaling {scaling} is not in one regime")


def regimes_at(regime_set: Regimes, scaling: Point) -> tuple[Regime, ...]:
    """The regimes in whose relatively open cone a scaling is: one, if its sizes grow.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> regimes_at(regimes(cp(order=2, symmetric=True), terms=4), (1, 2, -2))
    (<regime B-E>,)
    """
    return tuple(
        regime
        for regime in regime_set
        if not any(inner_product(normal, scaling) for normal in regime.cone.equations)
        and all(inner_product(normal, scaling) > 0 for normal in regime.cone.inequalities)
    )


def scalings_to_try(size: int, *, growing: Sequence[int], count: int) -> Iterator[Point]:
    """Some scalings with growing sizes, always the same ones.

    Examples
    --------
    >>> all(scaling[0] > 0 for scaling in scalings_to_try(3, growing=[0], count=100))
    True
    """
    state = 1
    for _ in range(count):
        entries = []
        for place in range(size):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            entry = (state >> 16) % 25
            entries.append(1 + entry % 12 if place in growing else entry - 12)
        yield tuple(entries)


def _contradiction(what: str) -> InvalidInputError:
    return InvalidInputError(
        f"map of regimes: {what}; the coefficients do not decide it, give more terms"
    )
