"""Steps of gradient descent in theory and simulation: exact means against those of runs.

There is no regime and nothing is neglected: the theory is E[L_0] ... E[L_K] at the sizes of the
runs, and only standard errors and rounding are allowed for.

>>> from expansion.models import cp
>>> stepping = cp(order=2, symmetric=True).driven_by(step="eta")
>>> at = {"p": 3, "H": 2, "sigma2": Fraction(1, 10), "eta": Fraction(1, 20)}
>>> result = compare_steps(stepping, 1, at=at, runs=300)
>>> result.verdict.value, result.theory.round(4).tolist()
('agrees', [1.08, 1.0444])

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial

import numpy as np

from diagflow.comparison.enough_runs import compare_enough
from diagflow.comparison.verdict import STANDARD_ERRORS, Comparison, compare
from diagflow.simulation import Trajectory, simulate
from diagflow.time_limit import TimeLimit
from diagrams.arguments import whole
from diagrams.errors import InvalidInputError
from expansion.problem import Problem
from expansion.series import Budget, loss_series
from expansion.series_store import SeriesStore

__all__ = ["compare_steps"]


def compare_steps(
    problem: Problem,
    steps: int | None,
    *,
    at: Mapping[str, Fraction],
    runs: int | None = None,
    loss: str | None = None,
    seed: int = 0,
    standard_errors: float = STANDARD_ERRORS,
    tolerance: float | None = None,
    jobs: int = 1,
    seconds: float | None = None,
    budget: Budget | None = None,
    store: SeriesStore | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare exact means after 0, 1, ... steps with those of runs.

    Parameters
    ----------
    problem : Problem
        One in discrete time.
    steps : int
        The last step.
    at : mapping from str to Fraction
        Sizes, variances and the other symbols.
    runs : int, optional
        Without it as many as a verdict needs, see `diagflow.comparison.enough_runs`.
    seed, jobs, seconds, progress
        See `diagflow.simulation.simulate`.
    loss : str, optional
        The loss or observable; by default the loss that drives the steps.
    standard_errors, tolerance
        See `diagflow.comparison.verdict.compare`.
    budget, store
        For the expansion, see `LossSeries`.

    Raises
    ------
    InvalidInputError
        If the number of steps is missing, or a value is missing or wrong.
    BudgetExceededError
        If the budget does not suffice for the exact means, or the limit leaves less than two runs.
    """
    if steps is None:
        raise InvalidInputError(
            f"compare {problem.title}: its time is discrete; give the number of steps, such as "
            "steps=1"
        )
    times = np.arange(whole(steps, "steps", least=0) + 1, dtype=np.float64)

    def simulated(number: int) -> Trajectory:
        return simulate(
            problem,
            at=at,
            times=times,
            loss=loss,
            runs=number,
            seed=seed,
            jobs=jobs,
            seconds=limit.left,
            progress=progress,
        )

    series = loss_series(problem, loss=loss, budget=budget, store=store)
    exact = [
        float(mean.evaluate(**{name: Fraction(at[name]) for name in mean.symbols}))
        for mean in series[0 : steps + 1]
    ]
    judge = partial(
        compare,
        lambda t: np.array([exact[int(step)] for step in t]),
        scale=max(map(abs, exact)) or 1.0,
        standard_errors=standard_errors,
        tolerance=tolerance,
    )
    limit = TimeLimit.begun(seconds, f"comparison of {problem.title}")
    return compare_enough(simulated, judge, runs)
