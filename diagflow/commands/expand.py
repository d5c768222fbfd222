"""``diagflow expand``: the exact coefficients of the loss expansion."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, checked_steps, takes_problem
from diagflow.commands.shared_options import (
    INTERRUPTED,
    UNLIMITED,
    Resources,
    optional,
    stop,
    takes_resources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from expansion.problem import Problem
    from expansion.series import LossSeries

__all__ = ["EPILOG", "NAME", "Format", "run"]

NAME = "expand"

EPILOG = (
    "Examples:\n\n"
    "  diagflow expand cp --order 3 --symmetric --terms 2\n\n"
    "  diagflow expand cp --order 2 --terms 4 --format json > series.json\n\n"
    "  diagflow expand cp --order 2 --terms 8 --at p=30,H=20,sigma2=1/60\n\n"
    "  diagflow expand cp --order 2 --format mathematica\n\n"
    "  diagflow expand tied-autoencoder --data --loss population\n\n"
    "  diagflow expand deep-linear --depth 3 --observable ntk-trace\n\n"
    "  diagflow expand cp --order 2 --symmetric --cumulant 2\n\n"
    "  diagflow expand cp --order 2 --symmetric --flow 'train + lambda*weight-norm'\n\n"
    "  diagflow expand cp --order 2 --rate U1=eta --temperature tau\n\n"
    "  diagflow expand cp --order 2 --symmetric --steps 1 --step-size eta"
)


_LAST = 2
"""The last coefficient, unless another one is asked for."""


class Format(StrEnum):
    """How a command prints its result."""

    text = "text"
    json = "json"
    latex = "latex"


class SeriesFormat(StrEnum):
    """How a series is printed."""

    text = "text"
    json = "json"
    latex = "latex"
    sympy = "sympy"
    mathematica = "mathematica"
    sage = "sage"
    julia = "julia"


@dataclass(frozen=True)
class ExpandOptions:
    """The options of ``diagflow expand``; the order, the numbers and the times that they give."""

    problem: "Problem"
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms", help="Print Y_0 ... Y_S; 2 unless given.", metavar="S", show_default=False
        ),
    ] = None
    steps: Steps = None
    followed: str | None = None
    at: Annotated[
        str | None,
        optional(
            "--at",
            "Print the exact coefficients at these sizes and variances, and their sum at the "
            "times with its error.",
            "p=…,H=…,sigma2=…,T=…",
        ),
    ] = None
    times: Annotated[
        str,
        typer.Option(
            "--times",
            help="The times of the sum, with --at; in discrete time the means after every step.",
            metavar="START:STOP:COUNT",
        ),
    ] = "0:1:11"
    output: Annotated[SeriesFormat, typer.Option("--format", help="Format of the output.")] = (
        SeriesFormat.text
    )
    resources: Resources = UNLIMITED
    last: int = field(init=False)
    values: "Mapping[str, Fraction] | None" = field(init=False)
    grid: "Sequence[float]" = field(init=False)

    def __post_init__(self) -> None:
        """Reject what contradicts itself before anything is computed."""
        from diagflow.commands.values import parse_times, parse_values
        from diagrams.errors import InvalidInputError

        last = checked_steps(self.problem, self.steps, self.terms)
        object.__setattr__(self, "last", _LAST if last is None else last)
        if self.last < 0:
            raise InvalidInputError(
                f"--terms {self.last}: is the number of the last coefficient; give 0 or more"
            )
        object.__setattr__(self, "values", None if self.at is None else parse_values(self.at))
        object.__setattr__(self, "grid", parse_times(self.times))
        if self.values is not None and self.output not in (SeriesFormat.text, SeriesFormat.json):
            raise InvalidInputError(
                f"--format {self.output.value}: is for coefficients in symbols; with --at give "
                "text or json"
            )


@takes_problem
@takes_followed
@takes_resources
@takes_options(ExpandOptions)
def run(options: ExpandOptions) -> None:
    """Print the exact coefficients Y_0 ... Y_S of the loss expansion.

    Y_s is T^s times the expectation of the s-th time derivative of the loss at t = 0, a polynomial
    in the sizes, such as p and H, and the initial variance sigma2: L(t) ~ sum of Y_s (t/T)^s / s!.
    With --step-size time is discrete, and Y_s is the mean loss after s steps of gradient descent.
    """
    series, completed = _expanded(options)
    typer.echo(_rendered(series, options), nl=False)
    if not completed:
        known = len(series.known) - 1
        kept = f"Y_0 ... Y_{known} were finished and are printed" if known >= 0 else "nothing kept"
        stop(f"interrupted: {kept}", INTERRUPTED)


def _expanded(options: ExpandOptions) -> "tuple[LossSeries, bool]":
    """The series with its coefficients, and whether the user let all of them be computed."""
    from diagflow.terminal import following
    from diagflow.workers.executors import executor
    from expansion.series import loss_series

    resources, last = options.resources, options.last
    limits = resources.budget
    with (
        executor(jobs=resources.jobs, scheduler=resources.scheduler) as workers,
        following(f"Y_0 ... Y_{last}", last + 1) as progress,
    ):
        series = loss_series(
            options.problem,
            loss=options.followed,
            budget=limits,
            progress=progress,
            store=resources.opened_store(),
            executor=workers,
        )
        return series, _completed(series, last)


def _completed(series: "LossSeries", terms: int) -> bool:
    """Compute up to Y_terms; False if the user interrupted."""
    try:
        series[terms]
    except KeyboardInterrupt:
        return False
    return True


def _rendered(series: "LossSeries", options: ExpandOptions) -> str:
    """The known coefficients in a format: as formulas, as code, or as numbers with their sum."""
    from diagflow.show.languages import Language, series_code
    from diagflow.show.series import FORMATS

    problem, output = options.problem, options.output
    if options.values is not None:
        # Resummation and what it stands on take longer to load than a few coefficients to compute.
        from diagflow.show.series_sum import sum_json, sum_text

        summed = sum_json if output is SeriesFormat.json else sum_text
        return summed(problem, series.known, options.values, options.grid)
    if output.value in tuple(Language):
        return series_code(Language(output.value), series.known)
    return FORMATS[output](problem, series.known, loss=series.loss, divisors=series.divisors)
