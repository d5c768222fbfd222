"""All checks of some problems, one after the other.

>>> problem, *_ = default_problems()
>>> first, *_ = check_problems([problem], quick=True)
>>> first.check, first.verdict.value in ("passed", "skipped")
('versions', True)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from diagflow.checking.exact import (
    check_certificates,
    check_counters,
    check_oracle,
    check_wishart,
)
from diagflow.checking.findings import Finding, Verdict
from diagflow.checking.machine import check_versions
from diagflow.checking.simulated import check_simulation
from diagflow.time_limit import TimeLimit, check_seconds, time_limit
from diagflow.wording import as_options
from diagflow.workers.lifetime import check_jobs
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.models import autoencoder, cp
from expansion.problem import Problem
from expansion.regimes import regimes

__all__ = ["SIMULATION_SECONDS", "STEPS", "check_problems", "default_problems"]

STEPS = 4
"""Checks of one problem: oracle, counters, certificates, simulation; two more are of none."""

SIMULATION_SECONDS = 30.0
"""Time of the simulation in one regime, unless another is given."""

CERTIFICATE_SECONDS = 20.0
"""Time of all certificates of a problem, if no limit is given; regimes beyond are counted."""

SIMULATIONS_SECONDS = 30.0
"""Time of all simulations of a problem, if no limit is given; regimes beyond are named.

If one regime is given a longer time than `SIMULATION_SECONDS`, this limit falls away."""

_RUNS = 24
_QUICK_RUNS = 12
_QUICK_REGIMES = 2
_MONOMIALS = 200_000
_QUICK_MONOMIALS = 20_000


def default_problems() -> tuple[Problem, ...]:
    """The problems that are checked by default: one model of each kind of engine."""
    return cp(order=2, symmetric=True), cp(order=3), autoencoder(data=True)


def check_problems(
    problems: Sequence[Problem],
    *,
    quick: bool = False,
    seed: int = 0,
    simulate: bool = True,
    jobs: int = 1,
    seconds: float | None = None,
    simulation_seconds: float | None = SIMULATION_SECONDS,
    begin: Callable[[str], None] | None = None,
) -> Iterator[Finding]:
    """The findings as they are made.

    Parameters
    ----------
    problems : sequence of Problem
    quick : bool
        Fewer coefficients, runs and regimes.
    seed : int
        Of the simulations, not negative; nothing else is random.
    simulate : bool, default True
        Whether solutions are compared with simulations.
    jobs : int
        Number of processes of a simulation.
    seconds : float, optional
        Limit on all checks together; one that does not end within it is skipped.
    simulation_seconds : float, optional
        Limit on the simulation of one regime; one that takes longer is left out.
    begin : callable, optional
        Told what begins.

    Raises
    ------
    InvalidInputError
        If the seed is negative, or a limit or the number of processes is not positive.
    """
    if seed < 0:
        raise InvalidInputError(f"--seed {seed}: is negative; give 0 or more")

    check_jobs(jobs)
    check_seconds(simulation_seconds, "simulation: a limit")
    whole = TimeLimit.begun(seconds, "check")
    # A limit that is asked for replaces those of the parts: raising it gives them more time.
    limited = seconds is not None
    # And a longer time for one regime is meant for every regime.
    longer = simulation_seconds is not None and simulation_seconds > SIMULATION_SECONDS
    together = None if longer else SIMULATIONS_SECONDS

    def printed(text: str) -> None:
        if begin is not None:
            begin(text)

    def bounded(title: str | None, check: str, done: Callable[[], Finding]) -> Finding:
        printed(check if title is None else f"{title}: {check}")
        try:
            with time_limit(whole.left, "the check"):
                return done()
        except BudgetExceededError:
            return _unfinished(title, check, whole)

    yield bounded(None, "versions", check_versions)
    yield bounded(None, "counters", check_wishart)
    for problem in problems:
        title = problem.title
        monomials, terms = (_QUICK_MONOMIALS, 1) if quick else (_MONOMIALS, 2)
        yield bounded(title, "oracle", partial(check_oracle, problem, monomials=monomials))
        yield bounded(title, "counters", partial(check_counters, problem, terms=terms))
        printed(f"{title}: certificates")
        try:
            with time_limit(whole.left, "the map of regimes"):
                regime_set = regimes(problem)
        except DiagflowError as error:
            for check in ("certificates", "simulation"):
                yield (
                    _unfinished(title, check, whole)
                    if whole.is_over
                    else Finding(title, check, Verdict.SKIPPED, as_options(error))
                )
            continue
        limit = None if limited else TimeLimit.begun(CERTIFICATE_SECONDS, "the certificates")
        yield bounded(title, "certificates", partial(check_certificates, regime_set, limit=limit))
        if not simulate:
            yield Finding(title, "simulation", Verdict.SKIPPED, "it was not asked for")
        elif whole.is_over:
            yield _unfinished(title, "simulation", whole)
        else:
            yield check_simulation(
                regime_set,
                runs=_QUICK_RUNS if quick else _RUNS,
                seed=seed,
                at_most=_QUICK_REGIMES if quick else None,
                jobs=jobs,
                seconds=simulation_seconds,
                whole=TimeLimit.begun(whole.left if limited else together, "the simulations"),
                progress=lambda name, title=title: printed(f"{title}: simulation of {name}"),  # type: ignore[misc]
            )


def _unfinished(title: str | None, check: str, whole: TimeLimit) -> Finding:
    detail = f"not finished within {whole.seconds:g} seconds; raise --max-seconds"
    return Finding(title, check, Verdict.SKIPPED, detail)
