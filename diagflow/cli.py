"""The command line: ``diagflow COMMAND PROBLEM [options]``.

Every command reads a problem, calls the layers below and prints. Bad input gives one line on
standard error that names the thing, the rule and the remedy, and exit status 2; an interrupt keeps
what was finished and exits with 130. Heavy imports happen inside the commands, so that ``--help``
answers at once.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow import __version__

if TYPE_CHECKING:
    from expansion.problem import Problem
    from expansion.series import LossSeries

__all__ = ["app", "main"]

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="diagflow",
    help="Diagram expansions of the training dynamics of large models.",
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How a command prints its result."""

    text = "text"
    json = "json"
    latex = "latex"


ProblemArgument = Annotated[
    str, typer.Argument(metavar="PROBLEM", help="A preset: [bold]cp[/bold].", show_default=False)
]
Order = Annotated[
    int, typer.Option("--order", help="Number of tensor modes of a CP model.", metavar="N")
]
Symmetric = Annotated[
    bool,
    typer.Option("--symmetric/--asymmetric", help="One weight matrix for all modes, or one each."),
]
TargetName = Annotated[
    str, typer.Option("--target", help="What the model is fitted to: identity, zero.")
]
Seconds = Annotated[
    float | None,
    typer.Option("--max-seconds", help="Give up after this time.", metavar="X", show_default=False),
]
Diagrams = Annotated[
    int | None,
    typer.Option(
        "--max-diagrams",
        help="Give up after this many distinct diagrams.",
        metavar="N",
        show_default=False,
    ),
]
Memory = Annotated[
    float | None,
    typer.Option(
        "--max-memory",
        help="Give up when the process holds this many gigabytes.",
        metavar="X",
        show_default=False,
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diagflow {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Diagram expansions of the training dynamics of large models."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


EXPAND_EPILOG = (
    "Examples:\n\n"
    "  diagflow expand cp --order 3 --symmetric --terms 2\n\n"
    "  diagflow expand cp --order 2 --terms 4 --format json > series.json"
)


@app.command(epilog=EXPAND_EPILOG)
def expand(
    problem: ProblemArgument,
    terms: Annotated[int, typer.Option("--terms", help="Print Y_0 ... Y_S.", metavar="S")] = 2,
    order: Order = 3,
    symmetric: Symmetric = False,
    target: TargetName = "identity",
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    max_seconds: Seconds = None,
    max_diagrams: Diagrams = None,
    max_memory: Memory = None,
) -> None:
    """Print the exact coefficients Y_0 ... Y_S of the loss expansion.

    Y_s is T^s times the expectation of the s-th time derivative of the loss at t = 0, a polynomial
    in the sizes p and H and the initial variance sigma2: L(t) ~ sum of Y_s (t/T)^s / s!.
    """
    from diagflow import show
    from diagflow.terminal import following
    from diagrams.errors import InvalidInputError
    from expansion.series import Budget, LossSeries

    if terms < 0:
        raise InvalidInputError(
            f"--terms {terms}: the number of the last coefficient is not negative; give 0 or more"
        )
    budget = Budget(
        seconds=max_seconds,
        diagrams=max_diagrams,
        memory=None if max_memory is None else max_memory * 2**30,
    )
    chosen = _problem(problem, order=order, symmetric=symmetric, target=target)
    with following(f"Y_0 ... Y_{terms}", terms + 1) as progress:
        series = LossSeries(chosen, budget=budget, progress=progress)
        interrupted = not _completed(series, terms)
    render = {Format.text: show.text, Format.json: show.json_text, Format.latex: show.latex}
    typer.echo(render[output](chosen, series.known), nl=False)
    if interrupted:
        last = len(series.known) - 1
        kept = f"Y_0 ... Y_{last} were finished and are printed" if last >= 0 else "nothing kept"
        typer.echo(f"diagflow: interrupted: {kept}", err=True)
        raise typer.Exit(INTERRUPTED)


DEMO_EPILOG = "Examples:\n\n  diagflow demo\n\n  diagflow demo --output results"


@app.command(epilog=DEMO_EPILOG)
def demo(
    output: Annotated[
        Path, typer.Option("--output", help="Folder for the JSON and LaTeX files.", metavar="DIR")
    ] = Path("out"),
) -> None:
    """Expand three problems, check them against the independent oracle, write JSON and LaTeX.

    SYM order 2, ASYM order 3 and SYM order 4, with what every coefficient cost. Exits with 1 if a
    coefficient differs from the oracle.
    """
    from diagflow.demo import run

    if not run(output):
        raise typer.Exit(1)


def _problem(name: str, *, order: int, symmetric: bool, target: str) -> Problem:
    from diagrams.errors import InvalidInputError
    from expansion.models import PRESETS

    if name not in PRESETS:
        raise InvalidInputError(
            f"problem {name!r}: is not a known preset; choose one of {', '.join(sorted(PRESETS))}"
        )
    return PRESETS[name](order=order, symmetric=symmetric, target=target)


def _completed(series: LossSeries, terms: int) -> bool:
    """Compute up to Y_terms; False if the user interrupted."""
    try:
        series[terms]
    except KeyboardInterrupt:
        return False
    return True


def main() -> None:
    """Run the command line and turn errors into one line and an exit status."""
    from diagrams.errors import DiagflowError

    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        context: typer.Context | None = getattr(error, "ctx", None)
        hint = f"; see '{context.command_path} --help'" if context else ""
        message = " ".join(error.format_message().split()).rstrip(".")
        typer.echo(f"diagflow: error: {message}{hint}", err=True)
        status = USAGE_ERROR
    except DiagflowError as error:
        typer.echo(f"diagflow: error: {error}", err=True)
        status = USAGE_ERROR
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("diagflow: interrupted", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away; there is nobody left to tell.
        sys.stderr.close()
        status = 1
    sys.exit(status)
