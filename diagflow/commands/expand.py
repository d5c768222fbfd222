"""``diagflow expand``: the exact coefficients of the loss expansion."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import Steps, checked_steps, takes_problem
from diagflow.commands.shared_options import INTERRUPTED, UNLIMITED, Resources, takes_resources

if TYPE_CHECKING:
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


@takes_problem
@takes_followed
@takes_resources
def run(
    problem: "Problem",
    terms: Annotated[
        int | None,
        typer.Option(
            "--terms", help="Print Y_0 ... Y_S; 2 unless given.", metavar="S", show_default=False
        ),
    ] = None,
    steps: Steps = None,
    followed: str | None = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="Print the exact coefficients at these sizes and variances, and their sum at the "
            "times with its error.",
            metavar="p=…,H=…,sigma2=…,T=…",
            show_default=False,
        ),
    ] = None,
    times: Annotated[
        str,
        typer.Option(
            "--times",
            help="The times of the sum, with --at; in discrete time the means after every step.",
            metavar="START:STOP:COUNT",
        ),
    ] = "0:1:11",
    output: Annotated[
        SeriesFormat, typer.Option("--format", help="How to print.")
    ] = SeriesFormat.text,
    resources: Resources = UNLIMITED,
) -> None:
    """Print the exact coefficients Y_0 ... Y_S of the loss expansion.

    Y_s is T^s times the expectation of the s-th time derivative of the loss at t = 0, a polynomial
    in the sizes, such as p and H, and the initial variance sigma2: L(t) ~ sum of Y_s (t/T)^s / s!.
    With --step-size time is discrete, and Y_s is the mean loss after s steps of gradient descent.
    """
    from diagflow.commands.values import parse_times, parse_values
    from diagflow.show import series as show
    from diagflow.show.languages import Language, series_code
    from diagflow.terminal import following
    from diagflow.workers.executors import executor
    from diagrams.errors import InvalidInputError
    from expansion.series import loss_series

    last = checked_steps(problem, steps, terms)
    terms = 2 if last is None else last
    if terms < 0:
        raise InvalidInputError(
            f"--terms {terms}: is the number of the last coefficient; give 0 or more"
        )
    values = None if at is None else parse_values(at)
    grid = parse_times(times)
    if values is not None and output not in (SeriesFormat.text, SeriesFormat.json):
        raise InvalidInputError(
            f"--format {output.value}: is for coefficients in symbols; with --at give text or json"
        )
    limits = resources.budget
    with (
        executor(jobs=resources.jobs, scheduler=resources.scheduler) as workers,
        following(f"Y_0 ... Y_{terms}", terms + 1) as progress,
    ):
        series = loss_series(
            problem,
            loss=followed,
            budget=limits,
            progress=progress,
            store=resources.opened_store(),
            executor=workers,
        )
        interrupted = not _completed(series, terms)
    if values is not None:
        # Resummation and what it stands on take longer to load than a few coefficients to compute.
        from diagflow.show.series_sum import sum_json, sum_text

        summed = sum_json if output is SeriesFormat.json else sum_text
        typer.echo(summed(problem, series.known, values, grid), nl=False)
    elif output.value in tuple(Language):
        typer.echo(series_code(Language(output.value), series.known), nl=False)
    else:
        render = {
            SeriesFormat.text: show.text,
            SeriesFormat.json: show.json_text,
            SeriesFormat.latex: show.latex,
        }
        typer.echo(
            render[output](problem, series.known, loss=series.loss, divisors=series.divisors),
            nl=False,
        )
    if interrupted:
        last = len(series.known) - 1
        kept = f"Y_0 ... Y_{last} were finished and are printed" if last >= 0 else "nothing kept"
        typer.echo(f"diagflow: interrupted: {kept}", err=True)
        raise typer.Exit(INTERRUPTED)


def _completed(series: "LossSeries", terms: int) -> bool:
    """Compute up to Y_terms; False if the user interrupted."""
    try:
        series[terms]
    except KeyboardInterrupt:
        return False
    return True
