"""Solutions against small simulations, with everything that finite sizes add.

Definition. At given numbers the theory of a regime plus its exact finite-size correction is the sum
of all Y_s (t/T)^s / s!, the leading parts by their solution, the rest resummed where approximants
agree, see `diagflow.comparison.finite_size`. The mean over an ensemble may differ from it by k
standard errors, by the error estimates of solution and correction, and by the tolerance of the
integrator. A larger deviation is simulated again, with more runs and another seed.

Convention. Numbers are those of `diagflow.comparison.representative`; times reach as far as the
correction is known. Resummed regimes are left out: they have no solution of their own.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf

import numpy as np

from diagflow.checking.findings import Finding, Verdict, listed
from diagflow.columns import counted
from diagflow.comparison.finite_size import finite_size_correction
from diagflow.comparison.representative import representative_sizes, representative_times
from diagflow.simulation import simulate
from diagflow.time_limit import TimeLimit, time_limit
from diagflow.wording import as_options
from diagrams.errors import BudgetExceededError, DiagflowError
from expansion.regimes import Regime, Regimes
from pde.evolution import Method, Solution
from pde.solving import solution

__all__ = ["STANDARD_ERRORS", "check_simulation", "deviation"]

STANDARD_ERRORS = 5.0
"""Allowed ones: with 24 runs a regime exceeds them by chance about once in ten thousand times."""

_AGAIN = 4
"""A deviation has to be seen again in so many times as many runs: the standard error of few runs is
too small where the loss is skewed, as with one datum."""

_ENTRIES = 2_000
_POINTS = 6
_LARGEST = 0.5
"""Where an estimated correction is a larger part of the theory, its error decides."""

_INSIDE = 0.9
_NEAR = 1e-3
"""Even a loss that grows without bound is a number up to this part of the times it is shown for."""
_RTOL = 1e-7


def check_simulation(
    regime_set: Regimes,
    *,
    runs: int,
    seed: int,
    at_most: int | None = None,
    jobs: int = 1,
    seconds: float | None = None,
    whole: TimeLimit | None = None,
    progress: Callable[[str], None] | None = None,
) -> Finding:
    """Every solved regime of a problem against an ensemble at small sizes.

    Parameters
    ----------
    regime_set : Regimes
    runs : int
        Of each ensemble, at least 2.
    seed : int
        The same seed gives the same finding.
    at_most : int, optional
        So many regimes.
    jobs : int
        Number of processes that share the runs.
    seconds : float, optional
        Limit on one regime; one that takes longer is left out.
    whole : TimeLimit, optional
        Limit on all of them.
    progress : callable, optional
        Told the name of each regime before it is simulated.
    """
    problem = regime_set.exponents.problem
    title = None if problem is None else problem.title
    compared: dict[str, float] = {}
    left_out: list[str] = []
    for regime in regime_set:
        if at_most is not None and len(compared) >= at_most:
            break
        each = TimeLimit.begun(_left(seconds, whole), f"regime {regime.name}")
        try:
            with time_limit(each.seconds, each.what):
                solved = solution(regime_set, regime.name)
                if solved.method is Method.RESUMMED:
                    continue
                if progress is not None:
                    progress(regime.name)
                size = deviation(regime_set, regime, solved, runs=runs, seed=seed, jobs=jobs)
                if size is not None and STANDARD_ERRORS < size < inf:
                    size = deviation(
                        regime_set, regime, solved, runs=_AGAIN * runs, seed=seed + 1, jobs=jobs
                    )
        except BudgetExceededError as error:
            reason = _over(whole, each) if each.is_over else as_options(error)
            left_out.append(f"{regime.name} ({reason})")
            continue
        except DiagflowError as error:
            left_out.append(f"{regime.name} ({as_options(error)})")
            continue
        if size is not None:
            compared[regime.name] = size
    rest = f"; left out: {listed(left_out, at_most=2)}" if left_out else ""
    if not compared:
        detail = f"no regime has a solution and numbers that can be simulated quickly{rest}"
        return Finding(title, "simulation", Verdict.SKIPPED, detail)
    # The negation finds what is not a number, too.
    wrong = [name for name, size in compared.items() if not size <= STANDARD_ERRORS]
    if wrong:
        words = (f"regime {name} by {compared[name]:.1f} standard errors" for name in wrong)
        return Finding(title, "simulation", Verdict.FAILED, f"differs: {listed(words)}")
    largest = max(compared, key=compared.__getitem__)
    detail = (
        f"{counted(len(compared), 'regime')}, {counted(runs, 'run')} each: at most "
        f"{compared[largest]:.1f} standard errors ({largest}), {STANDARD_ERRORS:g} allowed{rest}"
    )
    return Finding(title, "simulation", Verdict.PASSED, detail)


def _over(whole: TimeLimit | None, each: TimeLimit) -> str:
    """Whose time was over: that of all simulations, or that of one regime."""
    if whole is not None and whole.is_over:
        return f"budget: {whole.what} need more than {whole.seconds:g} seconds; raise --max-seconds"
    return (
        f"budget: {each.what} needs more than {each.seconds:g} seconds; raise --simulation-seconds"
    )


def _left(seconds: float | None, whole: TimeLimit | None) -> float | None:
    """The seconds that a regime has which begins now."""
    limits = (seconds, None if whole is None else whole.left)
    return min((limit for limit in limits if limit is not None), default=None)


def deviation(
    regime_set: Regimes, regime: Regime, solved: Solution, *, runs: int, seed: int, jobs: int = 1
) -> float | None:
    """The largest deviation over some times in standard errors, beyond the other allowances.

    Returns
    -------
    float or None
        None if there are no numbers to simulate at, or no times at which the correction is known;
        infinite if theory or simulation are not finite there.
    """
    problem = regime_set.exponents.problem
    at = representative_sizes(regime_set, regime, entries=_ENTRIES)
    if at is None or problem is None:
        return None
    evolution = solved.at({"T": Fraction(1), **at})
    correction = finite_size_correction(regime_set, regime.name, at, theory=evolution)
    with np.errstate(all="ignore"):
        start, stop = representative_times(evolution)
        if not np.all(np.isfinite(evolution(_NEAR * np.array([0.0, start, stop])))):
            return inf
        end = (
            min(stop, _INSIDE * correction.domain.stop)
            if stop > 0
            else max(start, _INSIDE * correction.domain.start)
        )
        if not end:
            return None
        times = np.linspace(0.0, end, _POINTS)
        theory = evolution(times)
        added, error = correction.estimate(times)
    if not np.all(np.isfinite(added + error)):
        return None
    if not np.all(np.isfinite(theory)):
        return inf
    ensemble = simulate(
        problem,
        at=at,
        times=times,
        runs=runs,
        seed=seed,
        rtol=_RTOL,
        jobs=jobs,
        loss=regime_set.exponents.loss,
    )
    if ensemble.interrupted:  # some runs were finished; the check was not
        raise KeyboardInterrupt
    if not np.all(np.isfinite(ensemble.mean)):
        return inf
    allowed = error + (evolution.error_at(times) or 0.0) + 10 * _RTOL * np.abs(ensemble.mean)
    beyond = np.abs(ensemble.mean - theory - added) - allowed
    beyond[(error > 0) & (np.abs(added) > _LARGEST * np.abs(theory))] = 0.0
    smallest = np.finfo(np.float64).tiny
    return max(0.0, float(np.max(beyond / np.maximum(ensemble.standard_error, smallest))))
