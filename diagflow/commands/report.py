"""``diagflow report``: an article about a problem, or a page to walk through."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, checked_steps, takes_problem
from diagflow.commands.regime_search import SliceOption
from diagflow.commands.shared_options import (
    INTERRUPTED,
    UNLIMITED,
    USAGE_ERROR,
    Resources,
    optional,
    stop,
    takes_limits,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagflow.atlas.explorer import Explored
    from diagflow.report.write import Report
    from expansion.problem import Problem
    from expansion.series import Progress

__all__ = ["EPILOG", "NAME", "run"]

NAME = "report"

EPILOG = (
    "Examples:\n\n"
    "  diagflow report cp --order 2 --symmetric --output out/report\n\n"
    "  diagflow report cp --order 3 --terms 4 --output out/report-order-3\n\n"
    "  diagflow report cp --order 2 --html --output out/cp.html"
)


@dataclass(frozen=True)
class ReportOptions:
    """The options of ``diagflow report``."""

    problem: "Problem"
    output: Annotated[
        Path | None,
        optional(
            "--output",
            "Where main.tex, its figure and main.pdf are written; with --html the page.",
            "DIR|FILE.html",
        ),
    ] = None
    html: Annotated[
        bool,
        typer.Option(
            "--html", help="Write one self-contained page to walk through, in place of the article."
        ),
    ] = False
    terms: Annotated[
        int | None,
        optional("--terms", "Expand Y_0 ... Y_S; without it as many as take a few seconds.", "S"),
    ] = None
    steps: Steps = None
    followed: str | None = None
    slice_: SliceOption = None
    simulations: Annotated[
        bool,
        typer.Option(
            "--simulations/--no-simulations",
            help="Compare solved regimes with a few simulations, at sizes that suit each of them.",
        ),
    ] = True
    without: Annotated[
        list[str] | None,
        optional(
            "--no-simulation-of",
            "Leave out the simulations of this regime; may be repeated.",
            "REGIME",
        ),
    ] = None
    simulation_seconds: Annotated[
        float,
        typer.Option(
            "--simulation-seconds",
            help="Leave out the simulations of a regime that take more seconds than this.",
            metavar="X",
            rich_help_panel="Limits",
        ),
    ] = 30.0
    jobs: Annotated[int, typer.Option("--jobs", help="Number of processes that simulate.")] = 1
    resources: Resources = UNLIMITED

    def __post_init__(self) -> None:
        """Reject a place that cannot be written before anything is computed."""
        from diagflow.atlas.explorer import check_page_file
        from diagflow.report.write import check_report_folder

        checked_steps(self.problem, self.steps, self.terms)
        check = check_page_file if self.html else check_report_folder
        check(self.place)

    @property
    def last(self) -> int | None:
        """The last coefficient, counted in terms or in steps, if it is given."""
        return checked_steps(self.problem, self.steps, self.terms)

    @property
    def place(self) -> Path:
        """The folder of the article, or the file of the page."""
        from diagrams.errors import InvalidInputError

        if self.output is None:
            raise InvalidInputError("report: --output is missing; name a folder such as out/report")
        return self.output


@takes_problem
@takes_followed
@takes_limits
@takes_options(ReportOptions)
def run(options: ReportOptions) -> None:
    """Write an article: the problem, its diagrams, coefficients, regimes and their solutions.

    The document needs a plain TeX distribution; the PDF is made if pdflatex is installed. With
    [bold]--html[/bold] the report is one page for a browser, in which every regime is a link and
    the curves follow any sizes. Parts that a limit or an interrupt cuts off are listed in the
    article or on the page.
    """
    from diagflow.terminal import following
    from expansion.series_exponents import MAXIMAL_DEFAULT_TERMS

    last = MAXIMAL_DEFAULT_TERMS if options.last is None else options.last
    with following(f"Y_0 ... Y_{last}", last + 1) as progress:
        made = _page(options, progress) if options.html else _article(options, progress)
    _show(made, options.place)
    _end(made)


def _page(options: ReportOptions, progress: "Callable[[Progress], None]") -> "Explored":
    """The page of a problem as data."""
    from diagflow.atlas.explorer import explore
    from diagflow.terminal import note

    return explore(
        options.problem,
        **_asked(options),
        progress=progress,
        begun=lambda what: note(f"{what} ..."),
    )


def _article(options: ReportOptions, progress: "Callable[[Progress], None]") -> "Report":
    """The files of an article, which are written."""
    from diagflow.report.write import write_report
    from diagflow.terminal import note

    return write_report(
        options.problem,
        options.place,
        **_asked(options),
        progress=progress,
        simulated=lambda name: note(f"simulating {name} ..."),
    )


def _asked(options: ReportOptions) -> dict[str, Any]:
    """The arguments that a page and an article have in common."""
    return {
        "loss": options.followed,
        "terms": options.last,
        "slice": options.slice_,
        "simulate": options.simulations,
        "without": options.without or (),
        "simulation_seconds": options.simulation_seconds,
        "jobs": options.jobs,
        "budget": options.resources.budget,
    }


def _show(made: "Explored | Report", place: Path) -> None:
    """Write the page, if it is one, and print which files there are."""
    from diagflow.atlas.explorer import Explored, write_explorer
    from diagflow.terminal import note

    if isinstance(made, Explored):
        write_explorer(made, place)
        note(f"written: {place}", err=False)
        return
    note(f"written: {made.source}", err=False)
    note(f"no PDF: {made.reason}" if made.pdf is None else f"written: {made.pdf}", err=False)


def _end(report: "Explored | Report") -> None:
    """Print what is missing; exits with an error if a limit or the user is the reason."""
    from diagflow.terminal import note

    for line in report.missing:
        note(f"missing: {line}", err=False)
    if report.interrupted:
        stop("interrupted: the report lists the missing parts", INTERRUPTED)
    if report.over_budget:
        stop(
            "error: budget: not all of the report was finished; it lists the missing parts; raise "
            "the limits or ask for fewer terms",
            USAGE_ERROR,
        )
