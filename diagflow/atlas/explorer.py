"""From a problem to its page: expansion, regimes, solutions and their figures.

Every part has its share of the time; what is not finished within a limit, or before an interrupt,
is left out, with a note on the page.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from diagflow.atlas.page import page
from diagflow.atlas.pictures import dynamics_record, terms_record
from diagflow.atlas.record import explorer_record
from diagflow.atlas.shapes import thumbnail
from diagflow.atlas.tables import tabulated
from diagflow.comparison.representative import representative_sizes
from diagflow.files import write_whole
from diagflow.report.article import solutions
from diagflow.report.parts import (
    is_interrupted,
    simulable,
    unfinished_coefficients,
    unfinished_solutions,
)
from diagflow.report.trials import SECONDS, Trial, TrialLimits, run_trials
from diagflow.time_limit import TimeLimit, time_limit
from diagflow.workers.lifetime import check_jobs
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.dynamics.any_basis import derive_in_any_basis
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import Budget, LossSeries, Progress
from expansion.series_exponents import SeriesExponents
from expansion.series_store import SeriesStore
from pde.evolution import Solution
from pde.solving import solution

__all__ = ["Explored", "check_page_file", "explore", "write_explorer"]

_EXPANSION = 0.4
"""The part of the time that the expansion may take."""

_DERIVED_DIAGRAMS = 40_000
"""Diagrams that a derivation for the pictures of cores may meet."""

_TABLE_SECONDS = 8.0
_TAYLOR_SECONDS = 4.0
_TAYLOR_LENGTH = 25
_TAYLOR_TERMS = 80
_DYNAMICS_SECONDS = 8.0
_DRAWN = 2
"""The last Y_s whose diagrams are drawn."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A page as data.

    Parameters
    ----------
    record : mapping
        What it shows, see `diagflow.atlas.record`.
    thumbnail : str
        Its map as a small SVG picture.
    missing : tuple of str
        What was not finished, a line each.
    interrupted : bool
        Whether the user stopped it.
    over_budget : bool
        Whether a limit on all of it did.
    """

    record: dict[str, Any]
    thumbnail: str
    missing: tuple[str, ...] = ()
    interrupted: bool = False
    over_budget: bool = False


def explore(
    problem: Problem,
    *,
    loss: str | None = None,
    terms: int | None = None,
    slice: str | None = None,
    simulate: bool = True,
    without: Collection[str] = (),
    simulation_seconds: float = SECONDS,
    jobs: int = 1,
    budget: Budget | None = None,
    store: SeriesStore | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    begun: Callable[[str], None] = lambda what: None,
) -> Explored:
    """Everything that the page of a problem shows.

    Parameters
    ----------
    problem : Problem
    loss, terms, slice
        See `expansion.regimes.regimes`.
    simulate : bool, default True
        Whether solved regimes are compared with simulations at sizes of their own.
    without : collection of str
        Names of regimes that are not.
    simulation_seconds : float
        Limit on the comparison in one regime.
    jobs : int
        Number of processes that share the comparisons.
    budget : Budget, optional
        Limits on the expansion; that of seconds is one on everything.
    store, executor, progress
        For the expansion, see `LossSeries`.
    begun : callable, optional
        Told what begins.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for a map, the number of processes is not positive, or
        there is no regime of a name.
    BudgetExceededError
        If the map is not finished within the budget.
    """
    check_jobs(jobs)
    seconds = None if budget is None else budget.seconds
    whole = TimeLimit.begun(seconds, f"the page of {problem.title}")
    if budget is not None and seconds is not None:
        budget = replace(budget, seconds=_EXPANSION * seconds)
    stops: list[BaseException] = []
    exponents = SeriesExponents.of_problem(
        problem,
        loss=loss,
        terms=terms,
        stopped=stops.append,
        budget=budget,
        store=store,
        executor=executor,
        progress=progress,
    )
    missing = unfinished_coefficients(exponents.last, terms)
    regime_set = _mapped(exponents, slice, whole, stops)
    unwanted = {regime_set[name].name for name in without}
    begun("solutions")
    solved = solutions(
        regime_set,
        limit=whole,
        further=2 * len(regime_set) if simulate else len(regime_set),
        stopped=stops.append,
    )
    findings: dict[str, dict[str, Any]] = {regime.name: {} for regime in regime_set}
    drawn: dict[str, Any] | None = None
    try:
        begun("tables, cores and diagrams")
        drawn = _terms(problem, exponents, whole)
        _describe(regime_set, solved, findings, whole, further=len(regime_set) if simulate else 0)
        if simulate and not is_interrupted(stops):
            wanted = [name for name in simulable(solved) if name not in unwanted]
            limits = TrialLimits(simulation_seconds, whole)
            missing += _simulated(regime_set, wanted, limits, jobs, findings, begun, stops)
        if not is_interrupted(stops):
            _again(regime_set, solved, whole)
    except KeyboardInterrupt as error:
        stops.append(error)
        missing.append("pictures, tables and simulations: interrupted")
    missing += unfinished_solutions(solved)
    record = explorer_record(regime_set, solved, findings=findings, terms=drawn, missing=missing)
    return Explored(
        record,
        thumbnail(regime_set),
        tuple(missing),
        interrupted=is_interrupted(stops),
        over_budget=bool(missing) and (whole.is_over or len(stops) > 0),
    )


def _mapped(
    exponents: SeriesExponents,
    slice: str | None,
    whole: TimeLimit,
    stops: Sequence[BaseException],
) -> Regimes:
    """The map; where it has too few coefficients, what stopped the expansion is the error."""
    try:
        with time_limit(whole.left, "the map of regimes"):
            return regimes(exponents, slice=slice)
    except InvalidInputError:
        if stops:
            raise stops[0] from None
        raise


def _simulated(
    regime_set: Regimes,
    wanted: Sequence[str],
    limits: TrialLimits,
    jobs: int,
    findings: dict[str, dict[str, Any]],
    begun: Callable[[str], None],
    stops: list[BaseException],
) -> list[str]:
    """Compare regimes with simulations; returns the reasons of those that are missing."""
    trials = run_trials(
        regime_set,
        wanted,
        limits,
        jobs=jobs,
        begun=lambda name: begun(f"simulation of {name}"),
        stopped=stops.append,
    )
    for trial in trials:
        findings[trial.regime] |= _trial(trial)
    return [trial.reason for trial in trials if trial.reason]


def _terms(problem: Problem, exponents: SeriesExponents, whole: TimeLimit) -> dict[str, Any] | None:
    try:
        with time_limit(whole.share(4), "the diagrams"):
            return terms_record(
                LossSeries(problem, loss=exponents.loss), min(_DRAWN, exponents.last)
            )
    except DiagflowError:
        return None


def _again(
    regime_set: Regimes, solved: dict[str, Solution | DiagflowError], whole: TimeLimit
) -> None:
    """Solve what needed more than its share, in the time that the others left."""
    late = [name for name, known in solved.items() if isinstance(known, BudgetExceededError)]
    for number, name in enumerate(late):
        if whole.left is None or whole.is_over:
            return
        try:
            with time_limit(whole.share(len(late) - number), f"the solution of regime {name}"):
                solved[name] = solution(regime_set, name)
        except DiagflowError as error:
            solved[name] = error


def _describe(
    regime_set: Regimes,
    solved: dict[str, Solution | DiagflowError],
    findings: dict[str, dict[str, Any]],
    whole: TimeLimit,
    *,
    further: int,
) -> None:
    """Tables, cores and numbers of every regime, as far as there is time."""
    for number, regime in enumerate(regime_set):
        share = whole.share(3 * (len(regime_set) - number) + further)
        kept, name = findings[regime.name], regime.name
        try:
            with time_limit(_least(share, _DYNAMICS_SECONDS), "the numbers"):
                kept["numbers"] = representative_sizes(regime_set, regime)
        except DiagflowError:
            pass
        known = solved[name]
        try:
            with time_limit(_least(share, _DYNAMICS_SECONDS), "the cores"):
                limits = Budget(diagrams=_DERIVED_DIAGRAMS)
                dynamics = derive_in_any_basis(regime_set, name, budget=limits)
                kept["dynamics"] = dynamics_record(dynamics)
        except DiagflowError:
            pass
        if isinstance(known, Solution):
            formula = known.formula
            if formula is None or _is_not_evaluated(known):
                kept["taylor"] = _taylor(known, _least(share, _TAYLOR_SECONDS))
                kept["table"] = tabulated(
                    regime_set, name, known, seconds=_least(share, _TABLE_SECONDS)
                )


def _taylor(solved: Solution, seconds: float) -> list[Polynomial]:
    """As many Taylor coefficients of a solution as there is time and room for."""
    result: list[Polynomial] = []
    try:
        with time_limit(seconds, "the Taylor coefficients"):
            for coefficient in islice(solved.taylor(), _TAYLOR_LENGTH):
                if len(coefficient) > _TAYLOR_TERMS:
                    break
                result.append(coefficient)
    except DiagflowError:
        pass  # those that are there are right
    return result


def _is_not_evaluated(solved: Solution) -> bool:
    from diagflow.atlas.formulas import tree

    return solved.formula is not None and tree(solved.formula) is None


def _least(share: float | None, most: float) -> float:
    return most if share is None else min(share, most)


def _trial(trial: Trial) -> dict[str, Any]:
    if trial.done is not None:
        return {"experiment": trial.done}
    reason = trial.reason or (
        "the sizes at which this regime describes the loss are larger than those that can be "
        "simulated quickly"
    )
    return {"no_experiment": reason}


def check_page_file(file: Path) -> None:
    """Reject a file that cannot be written, before work is spent on it.

    Raises
    ------
    InvalidInputError
        If its name does not end in ``.html``, it is a folder, or its folder does not exist.
    """
    if file.suffix.lower() not in (".html", ".htm"):
        raise InvalidInputError(
            f"report {file}: is no page by its name; give one that ends in .html"
        )
    if file.is_dir():
        raise InvalidInputError(f"report {file}: is a folder; name a file in it")
    if not file.absolute().parent.is_dir():
        raise InvalidInputError(
            f"report {file}: the folder {file.parent} does not exist; make it first"
        )


def write_explorer(explored: Explored, file: Path) -> None:
    """Write the page of a problem, whole or not at all.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    """
    write_whole(file, page(explored.record))
