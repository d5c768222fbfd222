"""``diagflow regimes``: the map of learning regimes."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, checked_steps, takes_problem
from diagflow.commands.regime_search import SliceOption, search
from diagflow.commands.shared_options import UNLIMITED, Resources, takes_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from expansion.polynomial import Polynomial
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "regimes"

EPILOG = (
    "Examples:\n\n"
    "  diagflow regimes cp --order 4 --symmetric\n\n"
    "  diagflow regimes cp --order 2 --symmetric --at p=512,H=256,sigma2=2e-5\n\n"
    "  diagflow regimes cp --order 3 --target teacher --slice 'H_teacher ~ H'\n\n"
    "  diagflow regimes cp --order 2 --symmetric --steps 1 --step-size eta\n\n"
    "  diagflow regimes series.json --growing p,H --regime V1-V2"
)


class RegimesFormat(StrEnum):
    """How a map is printed."""

    text = "text"
    json = "json"
    csv = "csv"
    latex = "latex"


def _read(*, problem: str, **options: object) -> "Problem | Sequence[Polynomial]":
    """A problem, or the coefficients in a JSON file."""
    if problem.endswith(".json"):
        from expansion.series_files import read_series_file

        return read_series_file(Path(problem))
    from diagflow.commands.problem import read_problem

    return read_problem(problem=problem, **options)


def _run(
    source: "Problem | Sequence[Polynomial]",
    followed: str | None = None,
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms",
            help="Use Y_0 ... Y_S; without it as many as decide the map, within a limit on the "
            "number of diagrams.",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    steps: Steps = None,
    regime: Annotated[
        str | None,
        typer.Option(
            "--regime",
            help="Print the leading series of this regime and the dropped terms.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="Print which regime is closest to these numbers.",
            metavar="p=…,H=…,sigma2=…",
            show_default=False,
        ),
    ] = None,
    slice_: SliceOption = None,
    growing: Annotated[
        str | None,
        typer.Option(
            "--growing",
            help="The sizes among the symbols of a JSON series.",
            metavar="p,H",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        RegimesFormat, typer.Option("--format", help="How to print.")
    ] = RegimesFormat.text,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Draw the polygon and the regime map: .svg, .pdf or .png.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    resources: Resources = UNLIMITED,
) -> None:
    """Print the learning regimes: scaling conditions, natural T, how much is learnt.

    A regime is a face of the Newton polyhedra of Y_0, Y_1, ...: a set of monomials that lead
    together when the sizes grow. PROBLEM may be a JSON file with coefficients, as written by
    [bold]expand --format json[/bold].
    """
    from diagflow.columns import terminal_width
    from diagflow.commands.values import parse_values
    from diagflow.show import regimes as show_regimes
    from diagrams.errors import InvalidInputError
    from expansion.closest_regime import locate
    from expansion.leading import LeadingSeries
    from expansion.problem import Problem
    from expansion.regimes import regimes
    from expansion.series_exponents import SeriesExponents

    values = None if at is None else parse_values(at)
    if plot is not None:
        from diagflow.plotting.style import check_figure_file

        check_figure_file(plot)
    if isinstance(source, Problem):
        if growing is not None:
            raise InvalidInputError(
                "--growing: applies to JSON series only; leave it out, the axes are the sizes"
            )
        found = search(
            source,
            loss=followed,
            terms=checked_steps(source, steps, terms),
            budget=resources.budget,
            store=resources.opened_store(),
            jobs=resources.jobs,
            scheduler=resources.scheduler,
            slice_=slice_,
        )
    else:
        if steps is not None:
            raise InvalidInputError("--steps: a JSON file holds coefficients; give --terms")
        sizes = None if growing is None else [name.strip() for name in growing.split(",")]
        coefficients = source if terms is None else source[: terms + 1]
        found = regimes(
            SeriesExponents.of_coefficients(coefficients, growing=sizes),
            slice=slice_,
            budget=resources.budget,
        )
    text: Callable[..., str] = partial(show_regimes.text, width=terminal_width())
    leading = None if regime is None else LeadingSeries(found, found[regime])
    place = None if values is None else locate(found, at=values)
    render = {
        RegimesFormat.text: text,
        RegimesFormat.json: show_regimes.json_text,
        RegimesFormat.csv: show_regimes.csv_text,
        RegimesFormat.latex: show_regimes.latex,
    }
    typer.echo(render[output](found, leading=leading, place=place), nl=False)
    if plot is not None:
        from diagflow.plotting import plot_regimes

        # After the table, which does not depend on it.
        plot_regimes(found, plot, at=values)


run = takes_problem(takes_followed(takes_resources(_run)), read=_read)
