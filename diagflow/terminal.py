"""Progress on standard error while the engine works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expansion.series import Progress

__all__ = ["following"]


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
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(title, total=total, diagrams=0)
        yield lambda state: bar.update(task, completed=state.s, diagrams=state.diagrams)
