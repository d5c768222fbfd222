"""How many runs a verdict needs.

Standard errors fall with the square root of the number of runs. So a few runs tell how many make
what is allowed as small as the resolution of a verdict (`diagflow.comparison.verdict`), wherever
the standard error is what makes it large. The number depends on the runs alone and on no clock:
the same seed gives the same runs.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil

import numpy as np

from diagflow.comparison.verdict import Agreement, Comparison, check_finished
from diagflow.simulation.trajectory import Trajectory

__all__ = ["FEWEST", "MOST", "compare_enough", "runs_for_a_verdict"]

FEWEST = 10
"""Runs that are begun with."""

MOST = 1000
"""Where more are needed, the ensemble is left at so many."""

_ROUNDS = 3
"""How often the number is raised: the first few runs know their scatter by a third or so."""

_MARGIN = 1.3
"""More runs than the estimate says."""


def compare_enough(
    simulated: Callable[[int], Trajectory],
    compared: Callable[[Trajectory], Comparison],
    runs: int | None,
) -> Comparison:
    """The comparison with a given number of runs, or with as many as a verdict needs.

    Parameters
    ----------
    simulated : callable
        The ensemble of so many runs.
    compared : callable
    runs : int, optional
        Without it there are `FEWEST` to `MOST` runs.

    Raises
    ------
    KeyboardInterrupt, BudgetExceededError
        If what stopped the first ensemble leaves less than two runs.
    """
    asked = FEWEST if runs is None else runs
    trajectory = simulated(asked)
    check_finished(trajectory, asked)
    result = compared(trajectory)
    for _ in range(_ROUNDS if runs is None else 0):
        needed = runs_for_a_verdict(result)
        if needed <= result.trajectory.runs or result.trajectory.interrupted:
            break
        asked, trajectory = needed, simulated(needed)
        if trajectory.runs < result.trajectory.runs:
            # Stopped before it has as many as there are, which are not thrown away.
            kept = replace(result.trajectory, interrupted=True, limit=trajectory.limit)
            result = replace(result, trajectory=kept)
            break
        result = compared(trajectory)
    return replace(result, asked=asked)


def runs_for_a_verdict(result: Comparison) -> int:
    """So many runs make the standard errors of a comparison small enough, if that helps.

    Those that there are, where it differs already, has a tolerance, or is judged; `MOST` at most.

    Parameters
    ----------
    result : Comparison
    """
    runs = result.trajectory.runs
    if result.verdict is not Agreement.UNDECIDED or result.tolerance is not None:
        return runs
    undecided = np.array([at is Agreement.UNDECIDED for at in result.agreements])
    scatter = result.standard_errors * result.standard_error
    known = np.isfinite(result.allowed)
    with np.errstate(invalid="ignore"):
        # Where the correction is not known the deviation itself, without its scatter, takes a part.
        distance = np.maximum(np.abs(result.deviation) - scatter, 0.0)
        other = np.where(known, result.allowed - scatter, distance)
        room = result.resolution - other
        ratio = scatter / np.where(known, room, room / 2)
    useful = undecided & (room > 0) & np.isfinite(ratio)
    if not useful.any():
        return runs
    needed = ceil(runs * _MARGIN * float(np.max(ratio[useful])) ** 2)
    return min(max(runs, needed), MOST)
