"""``diagflow report``: an article about a problem, or a page to walk through."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import takes_problem
from diagflow.commands.regime_search import SliceOption
from diagflow.commands.shared_options import (
    INTERRUPTED,
    USAGE_ERROR,
    Diagrams,
    Memory,
    Seconds,
    budget,
)

if TYPE_CHECKING:
    from diagflow.atlas.explorer import Explored
    from diagflow.report.write import Report
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "report"

EPILOG = (
    "Examples:\n\n"
    "  diagflow report cp --order 2 --symmetric --output out/report\n\n"
    "  diagflow report cp --order 3 --terms 4 --output out/report-order-3\n\n"
    "  diagflow report cp --order 2 --html --output out/cp.html"
)


@takes_problem
@takes_followed
def run(
    problem: "Problem",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Where main.tex, its figure and main.pdf are written; with --html the page.",
            metavar="DIR|FILE.html",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        bool,
        typer.Option(
            "--html", help="Write one self-contained page to walk through, in place of the article."
        ),
    ] = False,
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms",
            help="Expand Y_0 ... Y_S; without it as many as take a few seconds.",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    followed: str | None = None,
    slice_: SliceOption = None,
    simulations: Annotated[
        bool,
        typer.Option(
            "--simulations/--no-simulations",
            help="Compare solved regimes with a few simulations at sizes of their own.",
        ),
    ] = True,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--no-simulation-of",
            help="Leave out the simulations of this regime; may be repeated.",
            metavar="REGIME",
            show_default=False,
        ),
    ] = None,
    simulation_seconds: Annotated[
        float,
        typer.Option(
            "--simulation-seconds",
            help="Leave out the simulations of a regime that take longer.",
            metavar="X",
            rich_help_panel="Limits",
        ),
    ] = 30.0,
    jobs: Annotated[int, typer.Option("--jobs", help="Number of processes that simulate.")] = 1,
    max_seconds: Seconds = None,
    max_diagrams: Diagrams = None,
    max_memory: Memory = None,
) -> None:
    """Write an article: the problem, its diagrams, coefficients, regimes and their solutions.

    The document needs a plain TeX distribution; the PDF is made if pdflatex is installed. With
    [bold]--html[/bold] the report is one page for a browser, in which every regime is a link and
    the curves follow any sizes. Parts that a limit or an interrupt cuts off are listed in the
    article or on the page.
    """
    from diagflow.atlas.explorer import Explored, check_page_file, explore, write_explorer
    from diagflow.report.write import check_report_folder, write_report
    from diagflow.terminal import following, note
    from diagrams.errors import InvalidInputError
    from expansion.series_exponents import MAXIMAL_DEFAULT_TERMS

    if output is None:
        raise InvalidInputError("report: --output is missing; name a folder such as out/report")
    if html:
        check_page_file(output)
    else:
        check_report_folder(output)
    last = MAXIMAL_DEFAULT_TERMS if terms is None else terms
    limits = budget(max_seconds, max_diagrams, max_memory)
    report: Explored | Report
    with following(f"Y_0 ... Y_{last}", last + 1) as progress:
        if html:
            report = explore(
                problem,
                loss=followed,
                terms=terms,
                slice=slice_,
                simulate=simulations,
                without=without or (),
                simulation_seconds=simulation_seconds,
                jobs=jobs,
                budget=limits,
                progress=progress,
                begun=lambda what: note(f"{what} ..."),
            )
        else:
            report = write_report(
                problem,
                output,
                loss=followed,
                terms=terms,
                slice=slice_,
                simulate=simulations,
                without=without or (),
                simulation_seconds=simulation_seconds,
                jobs=jobs,
                simulated=lambda name: note(f"simulating {name} ..."),
                budget=limits,
                progress=progress,
            )
    if isinstance(report, Explored):
        write_explorer(report, output)
        note(f"written: {output}", err=False)
    else:
        _printed(report)
    _end(report)


def _printed(report: "Report") -> None:
    """Print which files an article has."""
    from diagflow.terminal import note

    note(f"written: {report.source}", err=False)
    if report.pdf is None:
        note(f"no PDF: {report.reason}", err=False)
    else:
        note(f"written: {report.pdf}", err=False)


def _end(report: "Explored | Report") -> None:
    """Print what is missing; exits with an error if a limit or the user is the reason."""
    from diagflow.terminal import note

    for line in report.missing:
        note(f"missing: {line}", err=False)
    if report.interrupted:
        typer.echo("diagflow: interrupted: the report lists the missing parts", err=True)
        raise typer.Exit(INTERRUPTED)
    if report.over_budget:
        typer.echo(
            "diagflow: error: budget: not all of the report was finished; it lists the missing "
            "parts; raise the limits or ask for fewer terms",
            err=True,
        )
        raise typer.Exit(USAGE_ERROR)
