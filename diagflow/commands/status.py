"""Exit statuses and the budget options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from expansion.series import Budget

__all__ = ["INTERRUPTED", "USAGE_ERROR", "Diagrams", "Memory", "Seconds", "budget"]

USAGE_ERROR = 2
INTERRUPTED = 130

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


def budget(seconds: float | None, diagrams: int | None, memory: float | None) -> Budget:
    """The budget of the options above; memory is in gigabytes."""
    from expansion.series import Budget

    return Budget(
        seconds=seconds,
        diagrams=diagrams,
        memory=None if memory is None else memory * 2**30,
    )
