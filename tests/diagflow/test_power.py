"""Verdicts have power: in every solved regime wrong theories are found out, and right ones pass.

The ensembles are made, not simulated: at numbers of a regime their mean is its solution with the
finite-size correction, and their standard error a five hundredth of what the solution keeps. That
simulations have such means is the matter of `tests.diagflow.test_compare` and of `diagflow check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from diagflow.comparison.finite_size import (
    FiniteSizeCorrection,
    finite_size_correction,
    target_constant,
)
from diagflow.comparison.regime import natural_scale
from diagflow.comparison.representative import representative_sizes, representative_times
from diagflow.comparison.verdict import Agreement, Comparison, compare
from diagflow.simulation import Trajectory
from diagrams.errors import DiagflowError
from expansion.models import cp
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes, regimes
from pde.evolution import LossEvolution, Method, Solution
from pde.solving import solution

PROBLEMS: Mapping[str, tuple[Problem, int]] = {
    "symmetric": (cp(order=2, symmetric=True), 5),
    "free": (cp(order=2, symmetric=True, target="zero"), 5),
    "asymmetric": (cp(order=2), 5),
    "symmetric-3": (cp(order=3, symmetric=True), 4),
    "asymmetric-3": (cp(order=3), 4),
    "free-3": (cp(order=3, target="zero"), 4),
}

QUICK = ("symmetric", "free")

EACH = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name)
    for name in PROBLEMS
]

RESOLUTION = 1 / 500
"""The standard error, relative to what the solution keeps."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A regime at numbers of a regime, which may be another one."""

    found: Regimes
    regime: Regime
    at: Mapping[str, Fraction]
    evolution: LossEvolution
    correction: FiniteSizeCorrection
    constant: float

    @classmethod
    def of(cls, found: Regimes, regime: Regime, at: Mapping[str, Fraction]) -> Place:
        solved = _solved(found, regime.name)
        with np.errstate(all="ignore"):
            evolution = solved.at({"T": Fraction(1), **at})
            correction = finite_size_correction(found, regime.name, at, theory=evolution)
        constant = float(target_constant(found, regime.name, at))
        return cls(found, regime, at, evolution, correction, constant)

    @property
    def times(self) -> Array:
        """Times over which the loss changes, none of them zero."""
        start, stop = representative_times(self.evolution)
        return (stop if stop > 0 else start) * np.linspace(0.2, 1, 5)

    def keeps(self, times: Array) -> float:
        """How far the solution is from the loss of the zero model, at most."""
        return float(np.max(np.abs(self.evolution(times) - self.constant)))

    def is_known(self, times: Array) -> bool:
        """Whether the correction is known well enough to see half a per cent."""
        added, error = self.correction.estimate(times)
        return bool(np.all(np.isfinite(added)) and np.max(error) < self.keeps(times) / 200)

    def ensemble(self, times: Array) -> Trajectory:
        """Runs as they are if the solution and its correction are right."""
        added, _ = self.correction.estimate(times)
        mean = self.evolution(times) + np.where(np.isfinite(added), added, 0.0)
        spread = RESOLUTION * self.keeps(times)
        return Trajectory(
            t=times,
            loss=np.stack([mean - spread, mean + spread]),
            seed=0,
            blow_up=(None, None),
            method="DOP853",
            rtol=1e-8,
            step=None,
            finished=(0, 1),
            interrupted=False,
        )

    def judged(self, runs: Trajectory, factor: float = 1.0) -> Comparison:
        """The verdict on the solution with a factor on what it adds to the zero model."""
        return compare(
            lambda t: self.constant + factor * (self.evolution(t) - self.constant),
            runs,
            scale=natural_scale(self.found, self.regime.name, self.evolution),
            correction=self.correction,
            kept=self.keeps(runs.t),
        )


_SOLVED: dict[tuple[int, str], Solution] = {}


def _solved(found: Regimes, name: str) -> Solution:
    """The solution of a regime, derived once; `found_of` keeps the maps."""
    key = id(found), name
    if key not in _SOLVED:
        _SOLVED[key] = solution(found, name)
    return _SOLVED[key]


@cache
def found_of(name: str) -> Regimes:
    problem, terms = PROBLEMS[name]
    return regimes(problem, terms=terms)


@cache
def places(name: str) -> tuple[Place, ...]:
    """All regimes with a solution of their own, at numbers at which it is one of later times."""
    return tuple(_places(found_of(name)))


def _places(found: Regimes) -> Iterator[Place]:
    for regime in found:
        try:
            if _solved(found, regime.name).method is Method.RESUMMED:
                continue
            at = representative_sizes(found, regime)
            if at is None:
                continue
            place = Place.of(found, regime, at)
            place.evolution(place.times)
        except DiagflowError:  # no solution, or one at t = 0 only
            continue
        yield place


@pytest.mark.parametrize("name", EACH)
def test_a_solution_that_is_off_by_a_twentieth_is_found_out_in_every_regime(name: str) -> None:
    seen = []
    for place in places(name):
        times = next((t for k in range(8) if place.is_known(t := place.times / 2**k)), None)
        if times is None:
            continue
        runs = place.ensemble(times)
        verdicts = [place.judged(runs, factor).verdict for factor in (1.0, 0.95, 1.05)]
        if np.max(np.abs(place.correction.estimate(times)[0])) >= place.keeps(times):
            # No numbers that fit are inside the regime: it describes something else there.
            assert set(verdicts) == {Agreement.DIFFERS}, place.regime
            continue
        if verdicts[0] is Agreement.UNDECIDED:  # then nothing is learnt of the others
            assert Agreement.AGREES not in verdicts, place.regime
            continue
        assert verdicts == [Agreement.AGREES, Agreement.DIFFERS, Agreement.DIFFERS], place.regime
        seen.append(place.regime.name)
    assert len(seen) >= AT_LEAST[name], seen


AT_LEAST = {
    "symmetric": 7,
    "free": 3,
    "asymmetric": 9,
    "symmetric-3": 3,
    "asymmetric-3": 5,
    "free-3": 2,
}
"""Regimes that are judged."""


PAIRS = {
    "symmetric": 8,
    "free": 2,
    "asymmetric": 6,
}
"""Pairs of a regime and a neighbour in which the neighbour is wrong."""


@pytest.mark.parametrize("name", [parameter for parameter in EACH if parameter.id in PAIRS])
def test_no_regime_agrees_at_numbers_of_a_neighbour(name: str) -> None:
    """Both ways, for regimes that share a wall and for faces at numbers of what contains them.

    Sizes are finite, so that numbers of a regime may be such at which its neighbour is not wrong,
    as a face that contains another one is right at numbers of that. It is wrong where it is off by
    as much as it keeps.
    """
    found = found_of(name)
    agreeing, judged = [], 0
    for there in places(name):
        runs = there.ensemble(there.times)
        for here in places(name):
            if not _are_near(found, here.regime, there.regime):
                continue
            try:
                with np.errstate(all="ignore"):
                    moved = Place.of(found, here.regime, there.at)
                    off = float(np.max(np.abs(moved.evolution(runs.t) - runs.mean)))
                    result = moved.judged(runs)
            except DiagflowError:  # the solution refuses these numbers or times
                continue
            if off < moved.keeps(runs.t):
                continue
            judged += 1
            if result.verdict is Agreement.AGREES:
                agreeing.append(f"{here.regime.name} at numbers of {there.regime.name}")
    assert not agreeing
    assert judged >= PAIRS[name]


def _are_near(found: Regimes, one: Regime, other: Regime) -> bool:
    """Whether one is a neighbour of the other, or in its face."""
    return one is not other and (found.includes(other, one) or other in found.neighbours(one))
