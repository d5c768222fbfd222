"""All checks of some problems, one after the other.

>>> problem, *_ = default_problems()
>>> first, *_ = check_problems([problem], quick=True)
>>> first.check, first.verdict.value in ("passed", "skipped")
('versions', True)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from expansion.regimes import Regimes, regimes

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
    checks = _Checks(
        whole=TimeLimit.begun(seconds, "check"),
        quick=quick,
        seed=seed,
        simulate=simulate,
        jobs=jobs,
        simulation_seconds=simulation_seconds,
        begin=begin or (lambda text: None),
    )
    yield checks.bounded(None, "versions", check_versions)
    yield checks.bounded(None, "counters", check_wishart)
    for problem in problems:
        yield from checks.of_problem(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checks:
    """The checks of problems within a limit on all of them; see `check_problems`."""

    whole: TimeLimit
    quick: bool
    seed: int
    simulate: bool
    jobs: int
    simulation_seconds: float | None
    begin: Callable[[str], None]

    def bounded(self, title: str | None, check: str, done: Callable[[], Finding]) -> Finding:
        """The finding of a check, or that it was not finished."""
        self.begin(check if title is None else f"{title}: {check}")
        try:
            with time_limit(self.whole.left, "the check"):
                return done()
        except BudgetExceededError:
            return _unfinished(title, check, self.whole)

    def of_problem(self, problem: Problem) -> Iterator[Finding]:
        """The findings of one problem."""
        title, whole = problem.title, self.whole
        monomials, terms = (_QUICK_MONOMIALS, 1) if self.quick else (_MONOMIALS, 2)
        yield self.bounded(title, "oracle", partial(check_oracle, problem, monomials=monomials))
        yield self.bounded(title, "counters", partial(check_counters, problem, terms=terms))
        self.begin(f"{title}: certificates")
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
            return
        # A limit that is asked for replaces those of the parts: raising it gives them more time.
        limited = whole.seconds is not None
        limit = None if limited else TimeLimit.begun(CERTIFICATE_SECONDS, "the certificates")
        certificates = partial(check_certificates, regime_set, limit=limit)
        yield self.bounded(title, "certificates", certificates)
        yield self.simulation(title, regime_set)

    def simulation(self, title: str, regime_set: Regimes) -> Finding:
        """The comparison of the solved regimes of a problem with simulations."""
        if not self.simulate:
            return Finding(title, "simulation", Verdict.SKIPPED, "it was not asked for")
        if self.whole.is_over:
            return _unfinished(title, "simulation", self.whole)
        seconds, left = self.simulation_seconds, self.whole.left
        if left is None and (seconds is None or seconds <= SIMULATION_SECONDS):
            # A longer time for one regime is meant for every regime.
            left = SIMULATIONS_SECONDS
        return check_simulation(
            regime_set,
            runs=_QUICK_RUNS if self.quick else _RUNS,
            seed=self.seed,
            at_most=_QUICK_REGIMES if self.quick else None,
            jobs=self.jobs,
            seconds=seconds,
            whole=TimeLimit.begun(left, "the simulations"),
            progress=lambda name: self.begin(f"{title}: simulation of {name}"),
        )


def _unfinished(title: str | None, check: str, whole: TimeLimit) -> Finding:
    detail = f"not finished within {whole.seconds:g} seconds; raise --max-seconds"
    return Finding(title, check, Verdict.SKIPPED, detail)
