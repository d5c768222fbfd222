"""``diagflow check``: independent checks on the user's own machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.ensemble import Jobs, Seed
from diagflow.commands.problem import takes_problem
from diagflow.commands.shared_options import INTERRUPTED, stop

if TYPE_CHECKING:
    from diagflow.checking import CheckReport, Finding
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "CheckFormat", "run"]

NAME = "check"

EPILOG = (
    "Examples:\n\n"
    "  diagflow check\n\n"
    "  diagflow check cp --order 4 --symmetric --quick\n\n"
    "  diagflow check model.toml --format json > check.json"
)


class CheckFormat(StrEnum):
    """How the findings are printed."""

    text = "text"
    json = "json"


@dataclass(frozen=True)
class CheckOptions:
    """The options of ``diagflow check``."""

    problems: "tuple[Problem, ...]"
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer coefficients, runs and regimes.")
    ] = False
    seed: Seed = 0
    output: Annotated[CheckFormat, typer.Option("--format", help="Format of the output.")] = (
        CheckFormat.text
    )
    simulations: Annotated[
        bool,
        typer.Option(
            "--simulations/--no-simulations", help="Compare solutions with small simulations."
        ),
    ] = True
    jobs: Jobs = 1
    simulation_seconds: Annotated[
        float,
        typer.Option(
            "--simulation-seconds",
            help="Leave out the simulation of a regime that takes more seconds than this; more "
            "than 30 lifts the limit of 30 seconds on all regimes of a problem.",
            metavar="X",
            rich_help_panel="Limits",
        ),
    ] = 30.0
    max_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-seconds",
            help="Skip the remaining checks after this many seconds, in place of the limits of "
            "the parts.",
            metavar="X",
            show_default=False,
            rich_help_panel="Limits",
        ),
    ] = None


def _read(*, problem: str | None, **options: object) -> "tuple[Problem, ...]":
    """The problem that is named, or the default ones."""
    from diagflow.checking import default_problems
    from diagflow.commands.problem import read_problem
    from diagrams.errors import InvalidInputError

    if problem is not None:
        return (read_problem(problem=problem, **options),)
    for name, value in options.items():
        if value is not None:
            raise InvalidInputError(
                f"check: --{name} describes a problem, and none is named; name one, such as cp"
            )
    return default_problems()


@partial(takes_problem, read=_read, required=False)
@takes_options(CheckOptions)
def run(options: CheckOptions) -> None:
    """Verify the results on this machine against independent computations; print a verdict.

    Compares the coefficients with ordinary algebra at small sizes and with counters, the
    certificates of all solved regimes with the exact series, the solutions with small simulations,
    and the versions of the libraries with the required ones. Without PROBLEM three problems are
    checked, in a few minutes. The cache is not read. Exits with 1 if a check fails; a check that is
    impossible or exceeds the limits is skipped, with the reason.
    """
    from rich.console import Console

    from diagflow.checking import show as show_check
    from diagflow.checking.machine import describe_machine

    machine = describe_machine()
    streams = options.output is CheckFormat.text and not Console().is_terminal
    if streams:
        typer.echo(show_check.opening(machine))
    report = _report(options, machine, streams=streams)
    _show(report, options, streams=streams)
    _end(report)


def _report(
    options: CheckOptions, machine: "tuple[tuple[str, str], ...]", *, streams: bool
) -> "CheckReport":
    """The findings of all checks; each printed when it is made, if they stream."""
    from diagflow.checking import CheckReport, check_problems
    from diagflow.checking import show as show_check
    from diagflow.checking.run import STEPS

    findings: list[Finding] = []
    complete = True
    try:
        with _steps(2 + STEPS * len(options.problems)) as (begin, finish):
            for finding in check_problems(
                options.problems,
                quick=options.quick,
                seed=options.seed,
                simulate=options.simulations,
                jobs=options.jobs,
                seconds=options.max_seconds,
                simulation_seconds=options.simulation_seconds,
                begin=begin,
            ):
                findings.append(finding)
                finish()
                if streams:
                    typer.echo(show_check.line(finding))
    except KeyboardInterrupt:
        complete = False
    return CheckReport(
        problems=tuple(problem.title for problem in options.problems),
        seed=options.seed,
        quick=options.quick,
        findings=tuple(findings),
        machine=machine,
        complete=complete,
    )


def _show(report: "CheckReport", options: CheckOptions, *, streams: bool) -> None:
    """Print the record, or the verdict below the findings, which a terminal shows as a table."""
    from rich.console import Console

    from diagflow.checking import show as show_check

    if options.output is CheckFormat.json:
        typer.echo(show_check.json_text(report), nl=False)
        return
    if not streams:
        console = Console()
        console.print(show_check.opening(report.machine), highlight=False, markup=False)
        console.print(show_check.table(report))
    typer.echo(show_check.closing(report))


def _end(report: "CheckReport") -> None:
    """Exit with the verdict, unless every check was finished and passed or skipped."""
    from diagflow.checking import Verdict

    if not report.complete:
        number = len(report.findings)
        stop(f"interrupted: {number} checks were finished", INTERRUPTED)
    if report.verdict is Verdict.FAILED:
        failed = ", ".join(
            f"{f.check} of {f.problem}" if f.problem else f.check
            for f in report.findings
            if f.verdict is Verdict.FAILED
        )
        stop(f"failed: {failed}")


@contextmanager
def _steps(total: int) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """A progress bar over checks: functions that set its title and advance it."""
    from diagflow.terminal import progress_bar

    with progress_bar() as bar:
        task = bar.add_task("check", total=total)
        yield (
            lambda title: bar.update(task, description=title),
            lambda: bar.advance(task),
        )
