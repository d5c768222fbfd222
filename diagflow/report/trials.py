"""The comparisons of a report: one trial for every solved regime, each within its time.

A trial solves a regime, finds numbers, simulates and compares (`diagflow.report.experiments`). It
is independent of the others, so several processes share them, and one that takes too long or is
interrupted costs its own figure only, or a part of its runs; what is missing, and why, is returned.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=3), terms=4)
>>> trials = run_trials(regime_set, ["A"], TrialLimits(each=0.001))
>>> print(trials[0].reason)
the simulation of regime A needs more than 0.001 seconds

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace

from diagflow.report.experiments import Experiment, experiment, finished_runs
from diagflow.simulation.processes import processes
from diagflow.time_limit import TimeLimit, check_seconds, time_limit
from diagflow.wording import as_options
from diagrams.errors import BudgetExceededError, DiagflowError
from expansion.regimes import Regimes
from pde.solving import solution

__all__ = ["SECONDS", "Trial", "TrialLimits", "run_trials"]

SECONDS = 30.0
"""Time of one trial, unless another is given."""

_RUNNING = 0.9
"""The part of the time of a trial after which its runs end, so that the finished ones are used."""


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """The time that trials may take.

    Parameters
    ----------
    each : float
        Seconds of one.
    together : TimeLimit, optional
        Of all.

    Raises
    ------
    InvalidInputError
        If the seconds are not positive.
    """

    each: float = SECONDS
    together: TimeLimit | None = None

    def __post_init__(self) -> None:
        check_seconds(self.each, "simulation: a limit")

    def next(self, waves: int) -> float:
        """Seconds that a trial has that begins now, when so many are still to follow each other."""
        share = None if self.together is None else self.together.share(waves)
        return self.each if share is None else min(self.each, share)

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another one."""
        return self.together is not None and self.together.is_over


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the comparison in a regime.

    Parameters
    ----------
    regime : str
    done : Experiment or None
        The comparison, where there is one.
    reason : str
        Why it was not finished; empty where it was, or where there is nothing to compare. With a
        comparison it tells how many runs that is from.
    interrupted : bool
        Whether the user stopped its runs.
    had_less : bool
        Whether it had less time than each may take, because of the limit on all.
    """

    regime: str
    done: Experiment | None = None
    reason: str = ""
    interrupted: bool = False
    had_less: bool = False


def run_trials(
    regime_set: Regimes,
    names: Sequence[str],
    limits: TrialLimits,
    *,
    jobs: int = 1,
    begun: Callable[[str], None] = lambda name: None,
    stopped: Callable[[BaseException], None] = lambda error: None,
) -> tuple[Trial, ...]:
    """Compare regimes with simulations.

    Parameters
    ----------
    regime_set : Regimes
    names : sequence of str
        Of the regimes.
    limits : TrialLimits
    jobs : int
        Number of processes; each does one regime at a time.
    begun : callable
        Told the name of a regime when it begins, or with several processes when it has ended.

    stopped : callable
        Called with an interrupt of the user, which ends the trials.

    Returns
    -------
    tuple of Trial
        In the order of the names. After an interrupt those that are missing have that as reason.
    """
    trials: dict[str, Trial] = {}
    reason = "the simulation of regime {} was not begun, because the time was over"
    running = (
        _here(regime_set, names, limits, begun)
        if jobs == 1 or len(names) < 2
        else _elsewhere(regime_set, names, limits, jobs, begun)
    )
    try:
        for trial in running:
            trials[trial.regime] = trial
            if trial.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        stopped(error)
        reason = "the simulation of regime {} was interrupted"
    except BudgetExceededError as error:  # a process was ended from outside
        reason = f"the simulation of regime {{}} was not finished ({as_options(error)})"
    return tuple(trials.get(name, Trial(name, reason=reason.format(name))) for name in names)


def _here(
    regime_set: Regimes, names: Sequence[str], limits: TrialLimits, begun: Callable[[str], None]
) -> Iterator[Trial]:
    for number, name in enumerate(names):
        if limits.is_over:
            return
        begun(name)
        seconds = limits.next(len(names) - number)
        yield replace(_trial(regime_set, name, seconds), had_less=seconds < limits.each)


def _elsewhere(
    regime_set: Regimes,
    names: Sequence[str],
    limits: TrialLimits,
    jobs: int,
    begun: Callable[[str], None],
) -> Iterator[Trial]:
    with processes(min(jobs, len(names))) as pool:
        waiting = list(names)
        while waiting and not limits.is_over:
            # As many as there are processes, so that each is given the time that is left.
            seconds = limits.next(-(-len(waiting) // jobs))
            together, waiting = waiting[:jobs], waiting[jobs:]
            running = {pool.submit(_trial, regime_set, name, seconds): name for name in together}
            for future in as_completed(running):
                begun(running[future])
                yield replace(future.result(), had_less=seconds < limits.each)


def _trial(regime_set: Regimes, name: str, seconds: float) -> Trial:
    try:
        with time_limit(seconds, f"the simulation of regime {name}") as limit:
            regime, solved = regime_set[name], solution(regime_set, name)
            left = _RUNNING * (limit.left or seconds)
            done = experiment(regime_set, regime, solved, seconds=left)
    except BudgetExceededError:
        return Trial(
            name, reason=f"the simulation of regime {name} needs more than {seconds:.3g} seconds"
        )
    except DiagflowError:  # no solution: there is nothing to compare
        return Trial(name)
    if done is None:
        return Trial(name)
    ensemble = done[1].trajectory
    stopped = ensemble.interrupted and ensemble.limit is None
    return Trial(name, done, finished_runs(regime, done), interrupted=stopped)
