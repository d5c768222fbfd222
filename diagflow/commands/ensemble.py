"""The options of an ensemble of simulations, the same for every command, and its progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "At",
    "CurveFormat",
    "Integrator",
    "Jobs",
    "Seed",
    "Times",
    "Tolerance",
    "counting",
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
    typer.Option(
        "--at",
        help="Sizes (integers), variances and T (1 unless given).",
        metavar="p=…,H=…,sigma2=…,T=…",
        show_default=False,
    ),
]
Times = Annotated[
    str,
    typer.Option(
        "--times", help="The times; negative ones are gradient ascent.", metavar="START:STOP:COUNT"
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same numbers.")]
Tolerance = Annotated[
    float, typer.Option("--rtol", help="Relative tolerance of the integrator on the weights.")
]
Jobs = Annotated[int, typer.Option("--jobs", help="Number of processes.")]


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


@contextmanager
def counting(title: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over runs; yields the callback that moves it.

    Nothing is drawn when standard error is not a terminal.
    """
    from diagflow.terminal import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, _: bar.update(task, completed=done)
