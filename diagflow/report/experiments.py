"""A comparison with simulation for every solved regime of a report.

The numbers are found, not given: the cone of scalings of a regime has an interior point α, and
sizes are a^α, and variances half of that, for the largest whole a at which all tensors together
stay small. Where the regime neglects more than a tenth of its loss there, sizes and variances are
doubled and halved as long as that makes it neglect less. Where it still neglects a quarter, there
is no comparison: its figure would show something else. The times are those at which the loss
changes; where a solution grows without bound, those at which it has changed by less than half.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> found = regimes(cp(order=2, symmetric=True), terms=4)
>>> typical_numbers(found, found["A-B-E"], entries=2000)
{'p': Fraction(44, 1), 'H': Fraction(44, 1), 'sigma2': Fraction(1, 88)}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from itertools import takewhile
from math import prod
from pathlib import Path

import numpy as np

from diagflow.comparison.regime import compare_regime
from diagflow.comparison.verdict import LARGEST_SHARE, Comparison
from diagflow.plotting.curves import plot_comparison
from diagflow.plotting.evolution import telling_times
from diagrams.errors import DiagflowError
from expansion.closest_regime import TOLERANCE
from expansion.regimes import Regime, Regimes
from pde.evolution import LossEvolution, Method, Solution
from pde.solving import neglected

__all__ = ["Experiment", "draw", "experiment", "typical_numbers"]

ENTRIES = 30_000
"""Entries of all tensors together."""

RUNS = 4
POINTS = 31
_LARGEST_BASE = 10**4
_CHANGE = 0.5
_FALLS = Fraction(19, 20)
"""A step to other numbers is one that makes the neglected share smaller by this factor at least."""

Numbers = dict[str, Fraction]
"""A value for every size and variance."""

Experiment = tuple[dict[str, Fraction], Comparison]
"""The numbers, and the comparison at them."""


def typical_numbers(
    found: Regimes, regime: Regime, *, entries: int = ENTRIES
) -> dict[str, Fraction] | None:
    """Numbers at which a regime leads and that can be simulated quickly.

    Parameters
    ----------
    found : Regimes
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
    problem = found.exponents.problem
    if problem is None:
        return None
    inside = dict(zip(regime.symbols, regime.cone.interior, strict=True))
    if any(inside[name] <= 0 for name in found.exponents.growing):
        return None

    growing = found.exponents.growing

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
    return _deeper(found, regime, fitting[-1], fits) if fitting else None


def _deeper(
    found: Regimes, regime: Regime, start: Numbers, fits: Callable[[Numbers], bool]
) -> Numbers:
    """Double and halve numbers while the regime neglects less, until it neglects little.

    A share that hardly falls has a limit above what is little; the numbers would grow for ever.
    """
    best, least = start, neglected(found, regime.name, start).largest
    while least > TOLERANCE:
        others = [
            (neglected(found, regime.name, at).largest, number, at)
            for number, at in enumerate(_neighbours(best, found.exponents.growing))
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


def experiment(found: Regimes, regime: Regime, solved: Solution) -> Experiment | None:
    """Theory against simulation in a regime, or None where there is nothing to compare."""
    if solved.method is Method.RESUMMED:
        return None
    at = typical_numbers(found, regime, entries=ENTRIES)
    if at is None or neglected(found, regime.name, at).largest > LARGEST_SHARE:
        return None
    try:
        with np.errstate(all="ignore"):
            evolution = solved.at({"T": Fraction(1), **at})
            times = list(_times(evolution))
            done = compare_regime(
                found, regime.name, at=at, times=times, runs=RUNS, seed=1, rtol=1e-6
            )
    except DiagflowError:
        return None
    return at, done


def _times(evolution: LossEvolution) -> Iterator[float]:
    start, stop = telling_times(evolution)
    sign, end = (1.0, stop) if stop > 0 else (-1.0, -start)
    if sign > 0 and evolution.limit() is None:
        grid = end * 2.0 ** np.arange(-60, 1)
        with np.errstate(all="ignore"):
            first, *values = evolution(np.concatenate(([0.0], grid)))
        moderate = np.abs(np.array(values) / first - 1) < _CHANGE
        end = float(grid[np.flatnonzero(moderate)[-1]]) if moderate.any() else float(grid[0])
    yield from (sign * end * k / (POINTS - 1) for k in range(POINTS))


def draw(found: Regimes, regime: Regime, done: Experiment, file: Path) -> None:
    """Write the figure of an experiment, and its numbers beside it."""
    at, comparison = done
    problem = found.exponents.problem
    title = "" if problem is None else f"{problem.title}, {regime.name}"
    plot_comparison(comparison, file, title=title, at=at)
