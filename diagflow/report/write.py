"""The files of a report, and the PDF where there is a LaTeX.

Everything is made in a temporary folder beside the wanted one and moved there at the end, so that
an error leaves nothing half-written.

Source: ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diagflow.plotting import plot_regimes
from diagflow.report.article import MAP_FILE, article
from diagflow.report.experiments import draw, experiment
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import Budget, Progress
from pde.solving import solution

__all__ = ["Report", "check_report_folder", "write_report"]

_RUNS = 2
"""pdflatex runs twice, so that references are right."""

_SECONDS = 300
"""pdflatex is stopped after this time."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Parameters
    ----------
    source : Path
        The LaTeX document.
    pdf : Path or None
        The PDF made from it.
    reason : str
        Why there is no PDF, if there is none.
    """

    source: Path
    pdf: Path | None
    reason: str = ""


def write_report(
    problem: Problem,
    folder: Path,
    *,
    terms: int | None = None,
    simulate: bool = True,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    simulated: Callable[[str], None] = lambda name: None,
) -> Report:
    """Write a report about a problem into a folder.

    Parameters
    ----------
    problem : Problem
    folder : Path
        It is made if it does not exist; files of the same names in it are replaced.
    terms : int, optional
        The last coefficient that is expanded; as many as take a few seconds unless given.
    simulate : bool, default True
        Whether solved regimes are compared with simulations at sizes of their own.
    budget, progress
        For the expansion, see `LossSeries`.
    simulated : callable, optional
        Called with the name of every regime before its simulation.

    Raises
    ------
    InvalidInputError
        If the folder cannot be written.
    """
    check_report_folder(folder)
    found = regimes(problem, terms=terms, budget=budget, progress=progress)
    try:
        with tempfile.TemporaryDirectory(dir=_existing(folder), prefix=".report") as name:
            made = Path(name)
            drawn = _map(found, made / MAP_FILE)
            figures = _comparisons(found, made, simulated) if simulate else {}
            text = article(found, figures=figures, has_map=drawn)
            (made / "main.tex").write_text(text, encoding="utf-8")
            reason = _compile(made)
            folder.mkdir(parents=True, exist_ok=True)
            kept = {"main.tex", *([MAP_FILE] if drawn else []), *figures.values()}
            kept |= {Path(file).with_suffix(".csv").name for file in figures.values()}
            for file in sorted(kept | (set() if reason else {"main.pdf"})):
                os.replace(made / file, folder / file)
    except OSError as error:
        raise InvalidInputError(
            f"report {folder}: cannot be written ({error.strerror}); give another folder"
        ) from None
    return Report(folder / "main.tex", None if reason else folder / "main.pdf", reason)


def _map(found: Regimes, file: Path) -> bool:
    """Draw the map; the report is written without it where it cannot be drawn."""
    try:
        plot_regimes(found, file)
    except DiagflowError:
        return False
    return True


def _comparisons(found: Regimes, folder: Path, simulated: Callable[[str], None]) -> dict[str, str]:
    """Figures of theory against simulation, by the name of the regime."""
    figures = {}
    for regime in found:
        try:
            solved = solution(found, regime.name)
        except DiagflowError:
            continue
        simulated(regime.name)
        done = experiment(found, regime, solved)
        if done is not None:
            file = f"regime-{regime.name.replace(' & ', '-and-')}.pdf"
            draw(found, regime, done, folder / file)
            figures[regime.name] = file
    return figures


def check_report_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written, before work is spent on it.

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
