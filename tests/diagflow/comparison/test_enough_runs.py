"""As many runs as a verdict needs, and verdicts where the correction is not known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from diagflow.comparison.enough_runs import FEWEST, MOST, compare_enough, runs_for_a_verdict
from diagflow.comparison.finite_size import FiniteSizeCorrection
from diagflow.comparison.regime import compare_regime
from diagflow.comparison.steps import compare_steps
from diagflow.comparison.verdict import Agreement, Comparison, compare
from diagflow.simulation import Trajectory
from diagrams.errors import BudgetExceededError
from expansion.models import cp
from expansion.problem import Problem
from expansion.regimes import regimes

SYM = cp(order=2, symmetric=True)
KNOWN_AT_0 = FiniteSizeCorrection.of([Fraction(0), Fraction(1)])


def drawn(runs: int, *, mean: float = 1.0, spread: float, times: int = 1) -> Trajectory:
    """Runs whose scatter is exactly known."""
    sign = np.resize([1.0, -1.0], runs) * np.sqrt((runs - 1) / runs)
    loss = mean + spread * sign[:, None] * np.ones(times)
    return Trajectory(
        t=np.arange(times, dtype=np.float64),
        loss=loss,
        seed=0,
        blow_up=(None,) * runs,
        method="DOP853",
        rtol=1e-12,
        step=None,
        finished=tuple(range(runs)),
        interrupted=False,
    )


def against_one(trajectory: Trajectory) -> Comparison:
    return compare(np.ones_like, trajectory, scale=1.0)


@pytest.mark.parametrize(("spread", "runs"), [(0.03, FEWEST), (0.1, 84), (0.2, 333), (1.0, MOST)])
def test_runs_are_added_until_the_standard_error_is_small(spread: float, runs: int) -> None:
    """4 spread/sqrt(n) = 1/20 for n = (80 spread)^2, and a third of them more."""
    result = compare_enough(lambda n: drawn(n, spread=spread), against_one, None)
    assert (result.trajectory.runs, result.asked) == (runs, runs)
    assert result.verdict is (Agreement.UNDECIDED if runs == MOST else Agreement.AGREES)
    given = compare_enough(lambda n: drawn(n, spread=spread), against_one, 20)
    assert given.trajectory.runs == given.asked == 20


@pytest.mark.parametrize("limit", [None, 5.0])
def test_a_larger_ensemble_that_is_stopped_early_leaves_the_first_one(limit: float | None) -> None:
    def stopped(runs: int) -> Trajectory:
        if runs == FEWEST:
            return drawn(runs, spread=0.1)
        return replace(drawn(2, spread=0.1), interrupted=True, limit=limit)

    result = compare_enough(stopped, against_one, None)
    assert (result.trajectory.runs, result.asked) == (FEWEST, 84)
    assert (result.trajectory.interrupted, result.trajectory.limit) == (True, limit)


def test_a_first_ensemble_of_one_run_is_none() -> None:
    def stopped(runs: int) -> Trajectory:
        whole = drawn(2, spread=0.1)
        return replace(
            whole, loss=whole.loss[:1], blow_up=(None,), finished=(0,), interrupted=True, limit=5.0
        )

    with pytest.raises(BudgetExceededError, match="1 of 10 runs was finished"):
        compare_enough(stopped, against_one, None)


def test_more_runs_are_not_asked_for_where_they_decide_nothing() -> None:
    far = against_one(drawn(10, mean=3.0, spread=0.1))
    assert far.verdict is Agreement.DIFFERS and runs_for_a_verdict(far) == 10
    late = compare(
        np.ones_like, drawn(10, mean=1.2, spread=0.001, times=2), scale=1.0, correction=KNOWN_AT_0
    )
    assert late.agreements[1] is Agreement.UNDECIDED and runs_for_a_verdict(late) == 10
    tolerant = compare(np.ones_like, drawn(10, mean=1.2, spread=1.0), scale=1.0, tolerance=0.1)
    assert runs_for_a_verdict(tolerant) == 10


@pytest.mark.parametrize(
    ("mean", "spread", "error", "agrees"),
    [(1.02, 0.01, 0, True), (1.04, 0.01, 0, False), (1.02, 0.01, 0.02, False)],
)
def test_what_is_close_agrees_without_a_correction(
    mean: float, spread: float, error: float, agrees: bool
) -> None:
    """Deviation, four standard errors and the error of the theory together are at most 1/20."""
    result = compare(
        np.ones_like,
        drawn(10, mean=mean, spread=spread, times=2),
        scale=1.0,
        correction=KNOWN_AT_0,
        theory_error=error,
    )
    assert not np.isfinite(result.correction[1])
    assert (result.agreements[1] is Agreement.AGREES) is agrees
    assert result.judged_by_distance.tolist()[1] is agrees


DRIVES: dict[str, tuple[Problem, str, dict[str, Fraction | int], float]] = {
    "decay": (
        SYM.driven_by("train + lambda*weight-norm"),
        "H/p -> oo",
        {"lambda": Fraction(1, 2)},
        1.0,
    ),
    "temperature": (SYM.driven_by(temperature="tau"), "H/p -> oo", {"tau": Fraction(1, 512)}, 0.4),
    "momentum": (SYM.driven_by(momentum="gamma"), "H/p -> oo", {"gamma": 1}, 2.0),
    "implicit": (SYM.driven_by(implicit="eta"), "H/p -> oo", {"eta": Fraction(1, 8)}, 0.8),
}


@pytest.mark.parametrize("name", DRIVES)
def test_every_drive_has_a_verdict_with_the_default_number_of_runs(name: str) -> None:
    """Wide weights; every drive is of order one there."""
    problem, condition, numbers, end = DRIVES[name]
    found = regimes(problem, terms=5)
    regime = max(
        (r for r in found if condition in {str(c) for c in r.conditions}),
        key=lambda regime: regime.dimension,
    )
    at = {"p": Fraction(6), "H": Fraction(384), "sigma2": Fraction(1, 768), **numbers}
    result = compare_regime(
        found,
        regime.name,
        at={symbol: Fraction(value) for symbol, value in at.items()},
        times=np.linspace(0, end, 5).tolist(),
        rtol=1e-2 if name == "temperature" else 1e-8,
    )
    assert result.verdict is Agreement.AGREES


def test_steps_and_rates_have_a_verdict_with_the_default_number_of_runs() -> None:
    at = {"p": Fraction(6), "H": Fraction(6), "sigma2": Fraction(1, 12)}
    stepping = SYM.driven_by(step="eta")
    result = compare_steps(stepping, 1, at={**at, "eta": Fraction(1, 20)})
    assert result.verdict is Agreement.AGREES and result.trajectory.runs > FEWEST
    rated = cp(order=2).driven_by(rates={"U1": "etaU"})
    found = regimes(rated, terms=5)
    regime = max(found, key=lambda regime: regime.dimension)
    at = {"p": Fraction(24), "H": Fraction(24), "sigma2": Fraction(1, 96), "etaU": Fraction(2)}
    result = compare_regime(found, regime.name, at=at, times=[0.0, 0.05, 0.1])
    assert result.verdict is Agreement.AGREES
