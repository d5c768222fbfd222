"""The files of a report, and the PDF where there is a LaTeX.

Everything is made in a temporary folder beside the wanted one and moved there at the end, so that
an error leaves nothing half-written.

Source: ours.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diagflow.plotting import plot_regimes
from diagflow.plotting.style import article_fonts
from diagflow.report.article import MAP_FILE, article, solutions
from diagflow.report.experiments import caption, caption_summed, draw, draw_summed
from diagflow.report.parts import (
    is_interrupted,
    simulable,
    unfinished_coefficients,
    unfinished_solutions,
)
from diagflow.report.trials import SECONDS, Trial, TrialLimits, run_trials
from diagflow.time_limit import TimeLimit, time_limit
from diagflow.wording import as_options
from diagflow.workers.lifetime import check_jobs
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import Budget, Progress
from expansion.series_exponents import SeriesExponents
from pde.evolution import Method, Solution

__all__ = ["Report", "check_report_folder", "write_report"]

_RUNS = 2
"""pdflatex runs twice, so that references are right."""

_EXPANSION = 0.5
"""The expansion takes at most this part of the time, so that the rest can be made of it."""

_SECONDS = 300
"""pdflatex is stopped after this time."""


@dataclass(frozen=True, slots=True)
class Report:
    """The files that were written.

    Parameters
    ----------
    source : Path
        The LaTeX document.
    pdf : Path or None
        The PDF made from it.
    reason : str
        Why there is no PDF, if there is none.
    missing : tuple of str
        What was not finished, a line each.
    interrupted : bool
        Whether the user stopped it.
    over_budget : bool
        Whether a limit on all of it did.
    """

    source: Path
    pdf: Path | None
    reason: str = ""
    missing: tuple[str, ...] = ()
    interrupted: bool = False
    over_budget: bool = False


def write_report(
    problem: Problem,
    folder: Path,
    *,
    loss: str | None = None,
    terms: int | None = None,
    slice: str | None = None,
    simulate: bool = True,
    without: Collection[str] = (),
    simulation_seconds: float = SECONDS,
    jobs: int = 1,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    simulated: Callable[[str], None] = lambda name: None,
) -> Report:
    """Write a report about a problem into a folder.

    What is not finished within a limit, or before an interrupt, is left out; the article is
    complete without it and lists the missing parts.

    Parameters
    ----------
    problem : Problem
    folder : Path
        It is made if it does not exist; files of the same names in it are replaced.
    loss : str, optional
        Which loss, observable or cumulant; without it the loss that drives the flow.
    terms : int, optional
        The last coefficient that is expanded; as many as take a few seconds unless given.
    slice : str, optional
        Restrict the scalings, see `Regimes.restricted`.
    simulate : bool, default True
        Whether solved regimes are compared with simulations at sizes of their own.
    without : collection of str
        Names of regimes that are not.
    simulation_seconds : float
        Limit on the comparison in one regime.
    jobs : int
        Number of processes that share the comparisons.
    budget : Budget, optional
        Limits on the expansion; that of seconds is one on everything but the typesetting. The
        expansion may take half of it; the rest is shared by the solutions and simulations.
    progress : callable, optional
        For the expansion, see `LossSeries`.
    simulated : callable, optional
        Called with the name of every regime that is simulated.

    Raises
    ------
    InvalidInputError
        If the folder cannot be written, a limit or the number of processes is not positive, or
        there is no regime of a name.
    BudgetExceededError
        If not even Y_0 is finished within the budget.
    """
    check_report_folder(folder)
    check_jobs(jobs)
    seconds = None if budget is None else budget.seconds
    whole = TimeLimit.begun(seconds, f"report {problem.title}")
    if budget is not None and seconds is not None:
        budget = replace(budget, seconds=seconds * _EXPANSION)
    stops: list[BaseException] = []
    found, missing = _found(problem, loss, terms, slice, budget, progress, whole, stops)
    unwanted = {found[name].name for name in without} if isinstance(found, Regimes) else set()
    parts = _Parts(
        whole=whole,
        limits=TrialLimits(simulation_seconds, whole),
        stops=stops,
        missing=missing,
        solved={},
        figures={},
        captions={},
    )
    try:
        with tempfile.TemporaryDirectory(dir=_existing(folder), prefix=".report") as name:
            made = Path(name)
            if isinstance(found, Regimes):
                parts.missing += _map(found, made, stops)
            if isinstance(found, Regimes) and not found.exponents.discrete:
                parts.solve(found, simulate=simulate)
                if simulate:
                    parts.simulate(found, made, unwanted, jobs, simulated)
                parts.sum(found, made)
            text = article(
                found,
                figures=parts.figures,
                captions=parts.captions,
                solved=parts.solved,
                has_map=(made / MAP_FILE).exists(),
                missing=parts.missing,
            )
            (made / "main.tex").write_text(text, encoding="utf-8")
            reason = _compile(made)
            _move(made, folder, {"main.tex"} | (set() if reason else {"main.pdf"}))
    except OSError as error:
        raise InvalidInputError(
            f"report {folder}: cannot be written ({error.strerror}); give another folder"
        ) from None
    pdf = None if reason else folder / "main.pdf"
    return Report(
        folder / "main.tex",
        pdf,
        reason,
        tuple(parts.missing),
        interrupted=is_interrupted(stops),
        over_budget=bool(parts.missing) and (whole.is_over or parts.hurried or len(stops) > 0),
    )


@dataclass(slots=True)
class _Parts:
    """The parts of a report as far as they are made.

    Parameters
    ----------
    whole : TimeLimit
    limits : TrialLimits
        Of the simulations.
    stops : list of BaseException
        What stopped parts.
    missing : list of str
    solved, figures, captions : dict
        By the names of regimes.
    hurried : bool
        Whether a part needed more than its share of the time.
    """

    whole: TimeLimit
    limits: TrialLimits
    stops: list[BaseException]
    missing: list[str]
    solved: dict[str, Solution | DiagflowError]
    figures: dict[str, str]
    captions: dict[str, str]
    hurried: bool = False

    def solve(self, regime_set: Regimes, *, simulate: bool) -> None:
        """Solve all regimes; each of them may be simulated as well."""
        self.solved = solutions(
            regime_set,
            limit=self.whole,
            further=len(regime_set) if simulate else 0,
            stopped=self.stops.append,
        )
        late = unfinished_solutions(self.solved)
        self.missing += late
        self.hurried = self.whole.seconds is not None and bool(late)

    def simulate(
        self,
        regime_set: Regimes,
        folder: Path,
        unwanted: Collection[str],
        jobs: int,
        begun: Callable[[str], None],
    ) -> None:
        """Compare the solved regimes with simulations and draw the curves."""
        stopped = is_interrupted(self.stops)
        wanted = [n for n in simulable(self.solved) if n not in unwanted and not stopped]
        trials = run_trials(
            regime_set, wanted, self.limits, jobs=jobs, begun=begun, stopped=self.stops.append
        )
        self.missing += [trial.reason for trial in trials if trial.reason]
        self.hurried |= any(trial.reason and trial.had_less for trial in trials)
        self.figures, self.captions = _figures(regime_set, folder, trials)

    def sum(self, regime_set: Regimes, folder: Path) -> None:
        """Draw the curves of resummed regimes with their errors."""
        summed = {
            name: known
            for name, known in self.solved.items()
            if isinstance(known, Solution) and known.method is Method.RESUMMED
        }
        for number, (name, known) in enumerate(summed.items()):
            what = f"the curve of regime {name}"
            if self.limits.is_over or is_interrupted(self.stops):
                self.missing.append(what)
                continue
            file = _file(name)
            try:
                with time_limit(self.limits.next(len(summed) - number), what):
                    at = draw_summed(regime_set, regime_set[name], known, folder / file)
            except BudgetExceededError:
                self.missing.append(what)
            except KeyboardInterrupt as error:
                self.stops.append(error)
                self.missing.append(f"{what}: interrupted")
            else:
                if at is not None:
                    self.figures[name] = file
                    self.captions[name] = caption_summed(regime_set[name], at)


def _map(regime_set: Regimes, folder: Path, stops: list[BaseException]) -> list[str]:
    """Draw the map of regimes; return the missing part if that fails."""
    try:
        with article_fonts():
            plot_regimes(regime_set, folder / MAP_FILE)
    except DiagflowError as error:
        # The folder of the moment is no place that a reader could find.
        reason = str(error).replace(f"{folder / MAP_FILE}: ", "")
        return [f"the map of regimes: {reason}"]
    except KeyboardInterrupt as error:
        stops.append(error)
        return ["the map of regimes: interrupted"]
    return []


def _found(
    problem: Problem,
    loss: str | None,
    terms: int | None,
    slice: str | None,
    budget: Budget | None,
    progress: Callable[[Progress], None] | None,
    whole: TimeLimit,
    stops: list[BaseException],
) -> tuple[Regimes | SeriesExponents, list[str]]:
    """The regimes, or the coefficients alone if there was no time for more; the missing parts."""
    exponents = SeriesExponents.of_problem(
        problem, loss=loss, terms=terms, stopped=stops.append, budget=budget, progress=progress
    )
    missing = unfinished_coefficients(exponents.last, terms)
    try:
        with time_limit(whole.left, "the map of regimes"):
            return regimes(exponents, slice=slice), missing
    except BudgetExceededError as error:
        stops.append(error)
        missing.append(f"the regimes and their solutions: {as_options(error)}")
    except InvalidInputError as error:  # too few coefficients
        if not stops:
            raise
        missing.append(f"the regimes and their solutions: {as_options(error)}")
    except KeyboardInterrupt as error:
        stops.append(error)
        missing.append("the regimes and their solutions: interrupted")
    return exponents, missing


def _figures(
    regime_set: Regimes, folder: Path, trials: Sequence[Trial]
) -> tuple[dict[str, str], dict[str, str]]:
    """Figures of theory against simulation and their captions, by the name of the regime."""
    figures, captions = {}, {}
    for trial in trials:
        if trial.done is not None:
            regime = regime_set[trial.regime]
            file = _file(trial.regime)
            draw(regime_set, regime, trial.done, folder / file)
            figures[trial.regime] = file
            captions[trial.regime] = caption(regime, trial.done)
    return figures, captions


def _file(name: str) -> str:
    return f"regime-{name.replace(' & ', '-and-')}.pdf"


def _move(made: Path, folder: Path, documents: Collection[str]) -> None:
    """Put the documents and everything they show into the folder, or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = {path.name for path in made.glob("regime*")}
    files = sorted({*documents, *shown})
    for file in files:
        if (folder / file).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / file))
    for file in files:
        os.replace(made / file, folder / file)
    if "main.pdf" not in documents:  # one of an earlier report would not show this one
        (folder / "main.pdf").unlink(missing_ok=True)


def check_report_folder(folder: Path) -> None:
    """Reject a folder that cannot be written, before work is spent on it.

    Raises
    ------
    InvalidInputError
        If it is a file, or it or the folder that it is made in cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"report {folder}: is a file, not a folder; give another name")
    if not os.access(_existing(folder), os.W_OK):
        raise InvalidInputError(
            f"report {folder}: {_existing(folder)} cannot be written; give another folder"
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    whole = folder.absolute()
    return next(place for place in (whole, *whole.parents) if place.is_dir())


def _compile(folder: Path) -> str:
    """Make main.pdf from main.tex; the reason if that is not possible."""
    program = shutil.which("pdflatex")
    if program is None:
        return "there is no pdflatex here; install a TeX distribution and run it twice on main.tex"
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    for _ in range(_RUNS):
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"pdflatex was stopped after {_SECONDS} seconds; run it on main.tex"
        if done.returncode:
            log = done.stdout.decode("utf-8", errors="replace")
            first = next((line for line in log.splitlines() if line.startswith("!")), "no message")
            return f"pdflatex failed: {first.lstrip('! ')}; run it on main.tex to see where"
    return ""
