"""The options of an ensemble of simulations, the same for every command, and its progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.shared_options import INTERRUPTED, USAGE_ERROR, optional, stop

if TYPE_CHECKING:
    from diagflow.simulation.trajectory import Trajectory

__all__ = [
    "At",
    "Band",
    "CurveFormat",
    "Fitting",
    "Integrator",
    "Jobs",
    "LimitOfLoss",
    "Seed",
    "SimulationSeconds",
    "Times",
    "Tolerance",
    "check_fit",
    "counting",
    "missing_runs",
    "required",
]


class CurveFormat(StrEnum):
    """How curves are printed."""

    text = "text"
    json = "json"
    csv = "csv"


class Integrator(StrEnum):
    """The integrators."""

    DOP853 = "DOP853"
    LSODA = "LSODA"
    euler = "euler"


At = Annotated[
    str | None,
    optional("--at", "Sizes (integers), variances and T (1 unless given).", "p=…,H=…,sigma2=…,T=…"),
]
_TIMES = "The times, both ends included; negative ones are gradient ascent."
_GRID = "START:STOP:COUNT"
Times = Annotated[str, typer.Option("--times", help=_TIMES, metavar=_GRID)]
TimesOfSolution = Annotated[
    str | None,
    typer.Option(
        "--times",
        help=_TIMES,
        metavar=_GRID,
        show_default="0:1:11, or 0 to where the solution ends",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same numbers.")]
Tolerance = Annotated[
    float, typer.Option("--rtol", help="Relative tolerance of the integrator on the weights.")
]
Band = Annotated[
    bool,
    typer.Option(
        "--band", help="Also print how far a single run is from the mean, by the leading variance."
    ),
]
Fitting = Annotated[
    bool,
    typer.Option(
        "--fit",
        help="Also print half-life, rate and exponent of the loss minus its limit, with errors.",
    ),
]
LimitOfLoss = Annotated[
    float | None,
    optional(
        "--limit",
        "With --fit: the limit of the loss; unless given, the known one of a solution, 0 for runs.",
        "X",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Number of processes.")]
SimulationSeconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds",
        help="Stop after this many seconds and print the result of the finished runs.",
        metavar="X",
        show_default=False,
        rich_help_panel="Limits",
    ),
]


def required(command: str, option: str, value: str | None) -> str:
    """The value of an option that the command cannot do without.

    Raises
    ------
    InvalidInputError
        If it was not given.
    """
    from diagrams.errors import InvalidInputError

    if value is None:
        raise InvalidInputError(f"{command}: {option} is missing; see 'diagflow {command} --help'")
    return value


def check_fit(*, fitting: bool, limit: float | None, output: str) -> None:
    """Reject a limit without a fit, and a fit in a format that has no place for it.

    Raises
    ------
    InvalidInputError
        If one of them is so.
    """
    from diagrams.errors import InvalidInputError

    if limit is not None and not fitting:
        raise InvalidInputError("--limit: is that of a fit; ask for it with --fit")
    if fitting and output not in ("text", "json"):
        raise InvalidInputError(f"--fit: --format {output} has no place for it; take text or json")


@contextmanager
def counting(title: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over runs; yields the callback that moves it.

    Nothing is drawn when standard error is not a terminal.
    """
    from diagflow.terminal import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def missing_runs(trajectory: "Trajectory", runs: int, done: str) -> None:
    """End the command, after its output, if runs are missing; with what stopped them.

    Parameters
    ----------
    trajectory : Trajectory
    runs : int
        How many were asked for.
    done : str
        What happened to those that are finished: ``"simulated"`` or ``"compared"``.
    """
    if not trajectory.interrupted:
        return
    finished = f"{trajectory.runs} of {runs} runs were finished and are {done}"
    if trajectory.limit is None:
        stop(f"interrupted: {finished}", INTERRUPTED)
    stop(
        f"error: budget: the simulation needs more than {trajectory.limit:g} seconds; {finished}; "
        "raise --max-seconds or ask for fewer runs",
        USAGE_ERROR,
    )
