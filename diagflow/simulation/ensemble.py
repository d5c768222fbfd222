"""Ensembles of gradient flows over initialisations.

Definition. Every run draws all Gaussian tensors of the problem, weights and fixed ones, afresh and
follows the flow.

Convention. Run k takes the k-th child of ``SeedSequence(seed)``, so a run has the same numbers
however many runs there are and however many processes share them. For the same reason a run uses
one thread; several cores are used by ``jobs``.

>>> from expansion.models import cp
>>> problem = cp(order=2, symmetric=True)
>>> result = simulate(problem, at={"p": 4, "H": 4, "sigma2": 0.2}, times=[0, 1], runs=3)
>>> result.loss.shape, result.runs, result.blow_up
((3, 2), 3, (None, None, None))

Source: ours; the experiments are those of Yarotsky, Golikov, Gusev 2026, appendix L.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from diagflow.simulation.gradient import LossGradient, drawn
from diagflow.simulation.integrate import (
    NOISE_TOLERANCE,
    LossPath,
    check_options,
    check_times,
    integrate,
)
from diagflow.simulation.processes import processes
from diagflow.simulation.statistics import check_order
from diagflow.simulation.trajectory import Trajectory
from diagflow.time_limit import TimeLimit, check_seconds, time_limit
from diagrams.arguments import function, instance, whole, word
from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.cumulants import read_cumulant
from expansion.problem import Problem

__all__ = ["initial_tensors", "simulate"]

MAXIMAL_RUNS = 10**9
"""Each run has a seed of its own, and all of them are in memory."""

_SOON = 1e-6
"""Seconds that a run has whose time is over before it begins."""


@dataclass(frozen=True, slots=True)
class _EnsembleTask:
    """The data that a process needs to follow runs."""

    problem: Problem
    at: dict[str, float]
    times: tuple[float, ...]
    loss: str | None
    options: dict[str, Any]
    end: float | None = None
    """When the time is over, by `time.time`, which processes share."""


def initial_tensors(flow: LossGradient, seed: np.random.SeedSequence) -> dict[str, Any]:
    """Draw all random tensors of a problem from their laws, in the order of their names."""
    generator = np.random.default_rng(seed)
    tensors = (tensor for tensor in flow.problem.tensors if tensor.is_random)
    return {tensor.name: drawn(tensor, flow, generator) for tensor in tensors}


def simulate(
    problem: Problem,
    *,
    at: Mapping[str, Fraction | float],
    times: ArrayLike,
    loss: str | None = None,
    runs: int = 1,
    seed: int = 0,
    rtol: float = 1e-8,
    method: str = "DOP853",
    step: float | None = None,
    jobs: int = 1,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    xp: Any = np,
) -> Trajectory:
    """Simulate the gradient flow of a problem at finite sizes.

    Parameters
    ----------
    problem : Problem
        Model and target.
    at : mapping
        Sizes, variances and ``T`` (1 when left out) by name.
    times : array
        Times, of both signs if wanted; negative ones are gradient ascent.
    loss : str, optional
        What is recorded along the flow: a name in ``problem.quantities``, an expression in them,
        or a cumulant of one; by default the loss that drives it.
    runs : int
        Number of initialisations.
    seed : int
        Not negative; the same seed gives the same numbers for any ``jobs``.
    rtol, method, step
        See `diagflow.simulation.integrate.integrate`.
    jobs : int
        Number of processes; more than one needs NumPy.
    seconds : float, optional
        Limit on the time of all runs together, by the clock on the wall.
    progress : callable, optional
        Called with the numbers of finished and of all runs.
    xp : array namespace
        Of the array-API standard.

    Returns
    -------
    Trajectory
        With the runs that were finished if the user interrupts or the time is over.

    Raises
    ------
    InvalidInputError
        If a symbol, the times, the number of runs or jobs, or the seed breaks a rule, or the
        sizes do not fit in memory.
    BudgetExceededError
        If the time is over before a run is finished.
    """
    check_seconds(seconds, "simulation: a limit")
    instance(problem, Problem, "problem", remedy="make one, as cp(order=3)")
    function(progress, "progress")
    loss, cumulant = (None, 1) if loss is None else read_cumulant(word(loss, "loss"))
    grid = _grid(times)
    runs = whole(runs, "runs", least=1, most=MAXIMAL_RUNS)
    check_order(cumulant, runs)
    jobs, seed = whole(jobs, "jobs", least=1), whole(seed, "seed", least=0)
    if jobs > 1 and xp is not np:
        raise InvalidInputError(
            f"jobs {jobs}: several processes share runs with NumPy only; give jobs 1"
        )
    seeds = np.random.SeedSequence(seed).spawn(runs)

    def paths(limit: TimeLimit, end: float | None) -> Iterator[tuple[int, LossPath]]:
        flow = LossGradient(problem, at, loss=loss, xp=xp, copies=min(jobs, runs))
        check_options(flow, rtol=rtol, method=method, step=step)
        check_times(flow, grid.tolist())
        options = {"rtol": rtol, "method": method, "step": step}
        task = _EnsembleTask(problem, dict(flow.values), tuple(grid.tolist()), loss, options, end)
        return _serial(flow, task, seeds, limit) if jobs == 1 else _parallel(task, seeds, jobs)

    finished, stopped = _finished(paths, runs, seconds, problem.title, progress)
    order = tuple(sorted(finished))
    return Trajectory(
        t=grid,
        loss=np.array([finished[run].loss for run in order]),
        seed=seed,
        blow_up=tuple(finished[run].blow_up for run in order),
        method=_method(problem, method),
        rtol=max(rtol, NOISE_TOLERANCE) if problem.drive.temperature else rtol,
        step=step,
        finished=order,
        interrupted=stopped is not None,
        limit=seconds if isinstance(stopped, BudgetExceededError) else None,
        cumulant=cumulant,
    )


def _finished(
    paths: Callable[[TimeLimit, float | None], Iterator[tuple[int, LossPath]]],
    runs: int,
    seconds: float | None,
    title: str,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[int, LossPath], BaseException | None]:
    """The runs that were finished, and what stopped the others, if any are missing."""
    end = None if seconds is None else time.time() + seconds
    finished: dict[int, LossPath] = {}
    try:
        with time_limit(seconds, f"simulation of {title}") as limit:
            for run, path in paths(limit, end):
                finished[run] = path
                if progress is not None:
                    progress(len(finished), runs)
    except KeyboardInterrupt as error:
        if not finished:
            raise
        return finished, error
    except BudgetExceededError as error:
        if seconds is None or end is None or time.time() < end or not finished:
            raise
        return finished, error if len(finished) < runs else None
    return finished, None


def _grid(times: ArrayLike) -> NDArray[np.float64]:
    """The times as an array, if they are a list of finite numbers."""
    try:
        grid = np.asarray(times, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        grid = np.empty(0)
    if grid.ndim != 1 or grid.size == 0 or not np.all(np.isfinite(grid)):
        raise InvalidInputError(
            "times: must be a list of finite numbers that is not empty; give for example 0:1:11"
        )
    return grid


def _method(problem: Problem, method: str) -> str:
    """The integrator of the runs, in words."""
    if problem.drive.step:
        return "gradient descent"
    return "Euler-Maruyama" if problem.drive.temperature else method


def _followed(flow: LossGradient, seed: np.random.SeedSequence, task: _EnsembleTask) -> LossPath:
    """One run; its noise, if there is any, has a seed of its own."""
    noise = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1))
    tensors = initial_tensors(flow, seed)
    return integrate(flow, tensors, task.times, noise=noise, **task.options)


def _serial(
    flow: LossGradient,
    task: _EnsembleTask,
    seeds: Sequence[np.random.SeedSequence],
    limit: TimeLimit,
) -> Iterator[tuple[int, LossPath]]:
    with threadpool_limits(limits=1):
        for run, seed in enumerate(seeds):
            limit.check()
            yield run, _followed(flow, seed, task)


_of_process: list[tuple[LossGradient, _EnsembleTask]] = []
"""In a process of an ensemble: its problem, compiled once."""


def _prepare(task: _EnsembleTask) -> None:
    flow = LossGradient(task.problem, task.at, loss=task.loss)
    _of_process.append((flow, task))


def _in_process(seed: np.random.SeedSequence) -> LossPath:
    flow, task = _of_process[-1]
    left = None if task.end is None else max(_SOON, task.end - time.time())
    with time_limit(left, f"simulation of {task.problem.title}"):
        return _followed(flow, seed, task)


def _parallel(
    task: _EnsembleTask, seeds: Sequence[np.random.SeedSequence], jobs: int
) -> Iterator[tuple[int, LossPath]]:
    with processes(min(jobs, len(seeds)), prepare=_prepare, arguments=(task,)) as pool:
        runs = {pool.submit(_in_process, seed): run for run, seed in enumerate(seeds)}
        for future in as_completed(runs):
            yield runs[future], future.result()
