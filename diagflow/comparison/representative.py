"""Sizes, variances and times at which a regime is worth comparing with a simulation.

The numbers are found, not given: the cone of scalings of a regime has an interior point α, and
sizes are a^α, and variances half of that, for the largest whole a at which all tensors together
stay small. Where the regime neglects more than a tenth of its loss there, sizes and variances are
doubled and halved as long as that makes it neglect less.

The times of a solution are chosen by looking at it: on a grid of powers of two, up to where its
domain ends, the first time at which nine tenths of its whole change are behind it, and as much
again. A solution that holds for t <= 0 only is looked at there.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> order2 = regimes(cp(order=2, symmetric=True), terms=4)
>>> representative_sizes(order2, order2["A-B-E"], entries=2000)
{'p': Fraction(44, 1), 'H': Fraction(44, 1), 'sigma2': Fraction(1, 88)}
>>> from pde.solving import solve
>>> loss = solve(cp(order=2), "C-D", at={"p": 100, "H": 10**5, "sigma2": 1e-6})
>>> representative_times(loss)
(0.0, 4.0)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from itertools import takewhile
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from expansion.closest_regime import TOLERANCE
from expansion.regimes import Regime, Regimes
from pde.solving import neglected

if TYPE_CHECKING:
    from pde.evolution import LossEvolution

__all__ = ["ENTRIES", "representative_sizes", "representative_times"]

ENTRIES = 30_000
"""Entries of all tensors together."""

_LARGEST_BASE = 10**4
_FALLS = Fraction(19, 20)
"""A step to other numbers is one that makes the neglected share smaller by this factor at least."""

_MOST = 0.9
_INSIDE = 0.98
"""How near the times come to the end of a domain."""

_POWERS = range(-40, 41)

Numbers = dict[str, Fraction]
"""A value for every size and variance."""


def representative_sizes(
    regime_set: Regimes, regime: Regime, *, entries: int = ENTRIES
) -> dict[str, Fraction] | None:
    """Numbers at which a regime leads and that can be simulated quickly.

    Parameters
    ----------
    regime_set : Regimes
        Of a problem.
    regime : Regime
    entries : int
        How many entries all tensors may have together.

    Returns
    -------
    dict or None
        None if there are no such numbers, as when the scaling is on a wall that moves. Otherwise
        those at which the regime neglects least of what was tried, which may be too much.
    """
    problem = regime_set.exponents.problem
    if problem is None:
        return None
    inside = dict(zip(regime.symbols, regime.cone.interior, strict=True))
    if any(inside[name] <= 0 for name in regime_set.exponents.growing):
        return None

    growing = regime_set.exponents.growing

    def numbers(base: int) -> Numbers:
        # Half of every variance: products such as pσ² = 1 are fixed points, at which nothing moves.
        return {
            name: Fraction(base) ** power / (1 if name in growing else 2)
            for name, power in inside.items()
        }

    def fits(at: Numbers) -> bool:
        held = sum(
            (
                prod((at.get(axis.name, Fraction(1)) for axis in tensor.axes), start=Fraction(1))
                for tensor in problem.tensors
                if tensor.is_random
            ),
            start=Fraction(0),
        )
        return held <= entries

    fitting = list(takewhile(fits, map(numbers, range(2, _LARGEST_BASE))))
    return _deeper(regime_set, regime, fitting[-1], fits) if fitting else None


def _deeper(
    regime_set: Regimes, regime: Regime, start: Numbers, fits: Callable[[Numbers], bool]
) -> Numbers:
    """Double and halve numbers while the regime neglects less, until it neglects little.

    A share that hardly falls has a limit above the tolerance; the numbers would grow for ever.
    """
    best, least = start, neglected(regime_set, regime.name, start).largest
    while least > TOLERANCE:
        others = [
            (neglected(regime_set, regime.name, at).largest, number, at)
            for number, at in enumerate(_neighbours(best, regime_set.exponents.growing))
            if fits(at)
        ]
        share, _, at = min(others, default=(least, 0, best))
        if not share < _FALLS * least:
            break
        best, least = at, share
    return best


def _neighbours(at: Numbers, growing: Collection[str]) -> Iterator[Numbers]:
    for name, value in at.items():
        for other in (2 * value, Fraction(value // 2) if name in growing else value / 2):
            if other:
                yield {**at, name: other}


def representative_times(evolution: LossEvolution) -> tuple[float, float]:
    """The times, from smaller to larger, between which a solution is worth looking at.

    Parameters
    ----------
    evolution : LossEvolution

    Returns
    -------
    tuple of (float, float)
        One of the two is zero.
    """
    unit = float(evolution.parameters.get("T", 1))
    domain = evolution.domain
    sign = 1.0 if domain.stop > 0 else -1.0
    end = _INSIDE * abs(domain.stop if sign > 0 else domain.start)
    times = np.array([sign * min(unit * 2.0**k, end) for k in _POWERS])
    values = evolution(np.concatenate([[0.0], times]))
    change = np.abs(values[1:] - values[0])
    finite = np.isfinite(change)
    if not finite.any() or not change[finite].max() > 0:
        return (0.0, unit) if sign > 0 else (-unit, 0.0)
    first = int(np.argmax(finite & (change >= _MOST * change[finite].max())))
    edge = sign * min(2 * abs(float(times[first])), end)
    return (0.0, edge) if sign > 0 else (edge, 0.0)
