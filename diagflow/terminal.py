"""Messages on standard error beside the result: progress while the engine works, and notes.

Inside `quietly` nothing is printed. Errors do not come this way: they are always printed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import rich.progress

    from expansion.series import Progress

__all__ = [
    "LONG",
    "draws_progress",
    "duration",
    "following",
    "note",
    "progress_bar",
    "quietly",
    "working",
]

LONG = 10.0
"""Estimated seconds of a coefficient from which on the estimate is printed."""

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Say nothing beside the result, for the time of a ``with`` block."""
    token = _QUIET.set(quiet)
    engine = logging.getLogger("diagrams")
    level = engine.level
    if quiet:
        engine.setLevel(logging.ERROR)
    try:
        yield
    finally:
        engine.setLevel(level)
        _QUIET.reset(token)


def note(text: str, *, err: bool = True) -> None:
    """Say something beside the result, unless it is to be quiet."""
    if not _QUIET.get():
        typer.echo(text, err=err)


def draws_progress(is_terminal: bool) -> bool:
    """Whether a progress bar is wanted on a standard error that is, or is not, a terminal."""
    return is_terminal and not _QUIET.get()


def progress_bar(*texts: str) -> rich.progress.Progress:
    """A bar on standard error that counts finished parts; not drawn where nobody looks at it.

    Parameters
    ----------
    texts : str
        What stands between the count and the time, in terms of the fields of the task.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *map(TextColumn, texts),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not draws_progress(console.is_terminal),
    )


@contextmanager
def working(title: str) -> Iterator[None]:
    """Show that something is done, and for how long, where it is not known how far it is.

    Nothing is drawn when standard error is not a terminal.

    Parameters
    ----------
    title : str
        What is done.
    """
    with progress_bar() as bar:
        bar.add_task(title, total=None)
        yield


def duration(seconds: float) -> str:
    """A duration in words.

    Examples
    --------
    >>> duration(12.3), duration(200), duration(1e4), duration(1e6)
    ('12 s', '3 min', '2.8 h', '12 days')
    """
    for limit, divisor, digits, unit in (
        (120, 1, 0, "s"),
        (7200, 60, 0, "min"),
        (172800, 3600, 1, "h"),
    ):
        if seconds < limit:
            return f"{seconds / divisor:.{digits}f} {unit}"
    return f"{seconds / 86400:.0f} days"


@contextmanager
def following(title: str, total: int) -> Iterator[Callable[[Progress], None]]:
    """A progress bar over the coefficients of a series; yields the callback that moves it.

    Nothing is drawn when standard error is not a terminal. Before a coefficient that is expected
    to take long, an estimate is printed, terminal or not.

    Parameters
    ----------
    title : str
        A name for the computation.
    total : int
        Number of coefficients.
    """
    with progress_bar("{task.fields[diagrams]} diagrams") as bar:
        task = bar.add_task(title, total=total, diagrams=0)
        noted = set()

        def follow(state: Progress) -> None:
            if state.stage is not None:
                bar.update(task, description=state.stage)
                return
            bar.update(task, completed=state.s, diagrams=state.diagrams)
            if state.expected is not None and state.expected > LONG and state.s not in noted:
                noted.add(state.s)
                note(
                    f"diagflow: Y_{state.s}: about {duration(state.expected)}, judging by the "
                    "growth so far"
                )

        yield follow
