"""From a regime and numbers to a comparison: solve, simulate, correct, judge.

>>> from diagflow.comparison.verdict import Agreement
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=6)
>>> at = {"p": Fraction(12), "H": Fraction(6), "sigma2": Fraction(1, 12)}
>>> compare_regime(regime_set, "A-B-E", at=at, times=[0.2, 0.5], runs=40).verdict.value
'agrees'
>>> compare_regime(regime_set, "A-B", at=at, times=[0.2, 0.5], runs=40).verdict is Agreement.AGREES
False

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diagflow.comparison.enough_runs import compare_enough
from diagflow.comparison.finite_size import finite_size_correction, target_constant
from diagflow.comparison.verdict import STANDARD_ERRORS, Comparison, compare
from diagflow.simulation import Trajectory, simulate
from diagflow.time_limit import time_limit
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.closest_regime import unit
from expansion.leading import LeadingSeries
from expansion.regimes import Regimes
from pde.evolution import LossEvolution, Solution
from pde.solving import solve

__all__ = ["compare_regime", "natural_scale"]

FloatArray = NDArray[np.float64]

_FINE = 201
_FINE_SECONDS = 5.0


def compare_regime(
    regime_set: Regimes,
    name: str,
    *,
    at: Mapping[str, Fraction],
    times: Sequence[float],
    runs: int | None = None,
    seed: int = 0,
    rtol: float = 1e-8,
    jobs: int = 1,
    seconds: float | None = None,
    tolerance: float | None = None,
    standard_errors: float = STANDARD_ERRORS,
    scale: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    solved: Solution | None = None,
) -> Comparison:
    """Compare the solution of a regime with an ensemble.

    After an interrupt or the limit it is the ensemble of the finished runs, two at least.

    Parameters
    ----------
    regime_set : Regimes
        The regimes of a problem.
    name : str
        Name of the regime.
    at : mapping from str to Fraction
        Sizes, variances and T.
    times, seed, rtol, jobs, progress
        See `diagflow.simulation.simulate`.
    runs : int, optional
        Without it as many as a verdict needs, see `diagflow.comparison.enough_runs`.
    seconds : float, optional
        Limit on the time of solution and simulation together.
    tolerance, standard_errors, scale
        See `diagflow.comparison.verdict.compare`; the scale is `natural_scale` unless given.
    solved : Solution, optional
        The solution of the regime, where it is known already.

    Raises
    ------
    InvalidInputError
        If there is no solution there, a time is outside its domain, or a number breaks a rule.
    BudgetExceededError
        If the limit leaves less than two runs.
    """
    problem = regime_set.exponents.problem
    if problem is None:
        raise InvalidInputError(
            f"regime {name}: belongs to given coefficients; a simulation needs their problem"
        )
    with time_limit(seconds, f"comparison in regime {regime_set[name].name}") as limit:
        evolution = (
            solve(regime_set, name, at=at)
            if solved is None
            else solved.at({"T": Fraction(1), **at})
        )
        curve = evolution(np.asarray(times, dtype=np.float64))  # rejects bad times before the runs
    if not np.all(np.isfinite(curve)):
        raise InvalidInputError(
            f"regime {name}: the loss is too large for a floating point number; give times "
            "closer to 0"
        )

    def simulated(number: int) -> Trajectory:
        return simulate(
            problem,
            at=at,
            times=times,
            runs=number,
            seed=seed,
            rtol=rtol,
            jobs=jobs,
            seconds=limit.left,
            progress=progress,
            loss=regime_set.exponents.loss,
        )

    judge = partial(
        compare,
        evolution,
        scale=natural_scale(regime_set, name, evolution) if scale is None else scale,
        correction=finite_size_correction(regime_set, name, at, theory=evolution),
        standard_errors=standard_errors,
        tolerance=tolerance,
        theory_error=evolution.error_at(times) or 0.0,
        kept=_kept(regime_set, name, evolution, np.asarray(times, dtype=np.float64)),
    )
    result = compare_enough(simulated, judge, runs)
    return replace(
        result,
        left_out=evolution.certificate.left_out,
        fine=_between(evolution, result.t, limit.left),
    )


def _between(
    evolution: LossEvolution, times: FloatArray, seconds: float | None
) -> tuple[FloatArray, FloatArray] | None:
    """The theory on a fine grid; None where that takes too long, for it only smoothes figures."""
    grid = np.union1d(times, np.linspace(times.min(), times.max(), _FINE))
    try:
        most = min(_FINE_SECONDS, seconds or _FINE_SECONDS)
        with time_limit(most, "a fine curve"), np.errstate(all="ignore"):
            return grid, np.asarray(evolution(grid), dtype=np.float64)
    except (DiagflowError, ArithmeticError):
        return None


def _kept(regime_set: Regimes, name: str, evolution: LossEvolution, times: FloatArray) -> float:
    """The largest distance of the theory from the loss of the zero model (from 0 if free).

    On the given times and where the terms of the exact series become as large as each other: in
    some lazy regimes nothing has moved at t = 0.
    """
    constant = float(target_constant(regime_set, name, evolution.parameters))
    scale = float(unit(_numbers(regime_set, evolution)) * evolution.parameters["T"])
    more = np.array([time for time in (scale, -scale) if evolution.domain.inside(np.array(time))])
    every = np.concatenate((times, more[:1]))
    kept = float(np.max(np.abs(evolution(every) - constant)))
    return kept if kept > 0 else natural_scale(regime_set, name, evolution)


def _numbers(regime_set: Regimes, evolution: LossEvolution) -> list[Fraction]:
    """The exact coefficients at the numbers of a curve."""
    values = {symbol: evolution.parameters[symbol] for symbol in regime_set.exponents.symbols}
    return [Fraction(Y.evaluate(**values)) for Y in regime_set.exponents.coefficients]


def natural_scale(regime_set: Regimes, name: str, evolution: LossEvolution) -> float:
    """The loss of the zero model, or where it is neglected the theory's loss at t = 0.

    Where both vanish, as for an output that is zero on average at first, it is what the theory
    reaches after one unit of its series, and 1 if it vanishes for all times.
    """
    target = LeadingSeries(regime_set, regime_set[name]).pure_target
    if len(target):
        values = {symbol: evolution.parameters[symbol] for symbol in target.symbols}
        return float(target.evaluate(**values))
    start = abs(float(evolution(0.0)))
    if start > 0:
        return start
    later = float(unit(_numbers(regime_set, evolution)) * evolution.parameters["T"])
    inside = [t for t in (later, -later) if evolution.domain.inside(np.array(t))]
    return next((abs(v) for t in inside if (v := float(evolution(t)))), 1.0)
