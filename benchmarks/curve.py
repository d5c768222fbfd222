"""Loss evolutions against simulation: the same curve from a formula and from one run.

Set-up (expanding the series, deriving the solution, building the gradient) is not counted on either
side: the second evaluation of a solution is measured, and one run of the flow, whose loss is taken
at few of the times, so that its steps are what is measured.

>>> from benchmarks.cases import CURVES
>>> measure(CURVES[0], points=10, terms=2).deviation < 0.2
True

Source: ours.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from benchmarks.cases import CURVE_POINTS, CurveCase
from diagflow.simulation import simulate
from expansion.models import cp
from pde.solving import solve

__all__ = ["SIMULATED", "CurveTimes", "measure"]

SIMULATED = 100
"""At how many of the times the simulation takes the loss."""


@dataclass(frozen=True)
class CurveTimes:
    """Seconds for one curve by a solution and by simulation, and how much the two differ."""

    case: CurveCase
    solution: float
    simulation: float
    deviation: float
    points: int

    @property
    def value(self) -> float:
        return self.simulation / self.solution

    @property
    def met(self) -> bool:
        """Whether the declared number of points took no longer than the limit."""
        return self.points < CURVE_POINTS or self.solution <= self.case.limit


def measure(case: CurveCase, *, points: int = CURVE_POINTS, terms: int | None = None) -> CurveTimes:
    """Evaluate and simulate one curve.

    Parameters
    ----------
    case
        The regime and its numbers.
    points
        How many times.
    terms
        The last coefficient for the regimes, if not the declared one.
    """
    problem = cp(order=case.order, symmetric=case.symmetric)
    evolution = solve(
        problem, case.regime, at=dict(case.at), terms=case.terms if terms is None else terms
    )
    grid = np.linspace(*case.times, points)
    evolution(grid)
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        theory = evolution(grid)
        best = min(best, time.perf_counter() - start)
    few = np.linspace(0, points - 1, min(points, SIMULATED)).astype(int)
    start = time.perf_counter()
    run = simulate(problem, at=dict(case.at), times=grid[few], runs=1, seed=1)
    seconds = time.perf_counter() - start
    known = np.isfinite(run.mean)
    deviation = float(np.max(np.abs(run.mean[known] / theory[few][known] - 1)))
    return CurveTimes(case, best, seconds, deviation, points)
