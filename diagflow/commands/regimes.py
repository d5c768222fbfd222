"""``diagflow regimes``: the map of learning regimes."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, checked_steps, takes_problem
from diagflow.commands.regime_search import SliceOption, search
from diagflow.commands.shared_options import (
    UNLIMITED,
    Resources,
    check_figure,
    optional,
    takes_resources,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from expansion.polynomial import Polynomial
    from expansion.problem import Problem
    from expansion.regimes import Regimes

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


@dataclass(frozen=True)
class RegimesOptions:
    """The options of ``diagflow regimes``; the numbers that they give."""

    source: "Problem | Sequence[Polynomial]"
    followed: str | None = None
    terms: Annotated[
        int | None,
        optional(
            "--terms",
            "Use Y_0 ... Y_S; without it as many as decide the map, within a limit on the "
            "number of diagrams.",
            "S",
        ),
    ] = None
    steps: Steps = None
    regime: Annotated[
        str | None,
        optional(
            "--regime", "Print the leading series of this regime and the dropped terms.", "NAME"
        ),
    ] = None
    at: Annotated[
        str | None,
        optional("--at", "Print which regime is closest to these numbers.", "p=…,H=…,sigma2=…"),
    ] = None
    slice_: SliceOption = None
    growing: Annotated[
        str | None,
        optional("--growing", "With a JSON series: the symbols that are sizes.", "p,H"),
    ] = None
    output: Annotated[RegimesFormat, typer.Option("--format", help="Format of the output.")] = (
        RegimesFormat.text
    )
    plot: Annotated[
        Path | None,
        optional("--plot", "Also draw the polygon and the regime map: .svg, .pdf or .png.", "FILE"),
    ] = None
    resources: Resources = UNLIMITED
    values: "Mapping[str, Fraction] | None" = field(init=False)

    def __post_init__(self) -> None:
        """Reject what contradicts itself before anything is computed."""
        from diagflow.commands.values import parse_values

        object.__setattr__(self, "values", None if self.at is None else parse_values(self.at))
        check_figure(self.plot)


def _read(*, problem: str, **options: object) -> "Problem | Sequence[Polynomial]":
    """A problem, or the coefficients in a JSON file."""
    if problem.endswith(".json"):
        from expansion.series_files import read_series_file

        return read_series_file(Path(problem))
    from diagflow.commands.problem import read_problem

    return read_problem(problem=problem, **options)


@partial(takes_problem, read=_read)
@takes_followed
@takes_resources
@takes_options(RegimesOptions)
def run(options: RegimesOptions) -> None:
    """Print the learning regimes: scaling conditions, natural T, how much is learnt.

    A regime is a face of the Newton polyhedra of Y_0, Y_1, ...: a set of monomials that lead
    together when the sizes grow. PROBLEM may be a JSON file with coefficients, as written by
    [bold]expand --format json[/bold].
    """
    from diagflow.columns import terminal_width
    from diagflow.show.regimes import FORMATS, text
    from expansion.closest_regime import locate
    from expansion.leading import LeadingSeries

    found = _found(options)
    name, values = options.regime, options.values
    leading = None if name is None else LeadingSeries(found, found[name])
    place = None if values is None else locate(found, at=values)
    formats: dict[str, Callable[..., str]] = {**FORMATS}
    formats["text"] = partial(text, width=terminal_width())
    typer.echo(formats[options.output](found, leading=leading, place=place), nl=False)
    if options.plot is not None:
        from diagflow.plotting import plot_regimes

        # After the table, which does not depend on it.
        plot_regimes(found, options.plot, at=values)


def _found(options: RegimesOptions) -> "Regimes":
    """The map of a problem, or of coefficients from a file."""
    from diagrams.errors import InvalidInputError
    from expansion.problem import Problem
    from expansion.regimes import regimes
    from expansion.series_exponents import SeriesExponents

    source, terms, growing = options.source, options.terms, options.growing
    if isinstance(source, Problem):
        if growing is not None:
            raise InvalidInputError(
                "--growing: applies to JSON series only; leave it out, the axes are the sizes"
            )
        return search(
            source,
            loss=options.followed,
            terms=checked_steps(source, options.steps, terms),
            resources=options.resources,
            slice_=options.slice_,
        )
    if options.steps is not None:
        raise InvalidInputError("--steps: a JSON file holds coefficients; give --terms")
    sizes = None if growing is None else [name.strip() for name in growing.split(",")]
    coefficients = source if terms is None else source[: terms + 1]
    return regimes(
        SeriesExponents.of_coefficients(coefficients, growing=sizes),
        slice=options.slice_,
        budget=options.resources.budget,
    )
