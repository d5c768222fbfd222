"""What is said on standard error beside the result: progress while the engine works, and notes.

Inside `quietly` nothing is said. Errors do not come this way: they are always told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from expansion.series import Progress

__all__ = ["draws_progress", "following", "note", "quietly"]

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Say nothing beside the result, for the time of a ``with`` block."""
    token = _QUIET.set(quiet)
    try:
        yield
    finally:
        _QUIET.reset(token)


def note(text: str, *, err: bool = True) -> None:
    """Say something beside the result, unless it is to be quiet."""
    if not _QUIET.get():
        typer.echo(text, err=err)


def draws_progress(is_terminal: bool) -> bool:
    """Whether a progress bar is wanted on a standard error that is, or is not, a terminal."""
    return is_terminal and not _QUIET.get()


@contextmanager
def following(title: str, total: int) -> Iterator[Callable[[Progress], None]]:
    """A progress bar over the coefficients of a series; yields the callback that moves it.

    Nothing is drawn when standard error is not a terminal.

    Parameters
    ----------
    title : str
        What is computed.
    total : int
        Number of coefficients.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[diagrams]} diagrams"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not draws_progress(console.is_terminal),
    )
    with bar:
        task = bar.add_task(title, total=total, diagrams=0)
        yield lambda state: bar.update(task, completed=state.s, diagrams=state.diagrams)
