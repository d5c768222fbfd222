"""Exit statuses, and the options that several commands share: limits of the work, ``--quiet``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diagflow.terminal import note, quietly

if TYPE_CHECKING:
    from diagflow.store import SQLiteStore
    from expansion.series import Budget

__all__ = [
    "BROKEN_PIPE",
    "INTERRUPTED",
    "UNDECIDED",
    "USAGE_ERROR",
    "Diagrams",
    "Jobs",
    "Memory",
    "NoStore",
    "Scheduler",
    "Seconds",
    "Store",
    "budget",
    "can_be_quiet",
    "opened_store",
]

USAGE_ERROR = 2
UNDECIDED = 3
"""A comparison was made, and it cannot be judged whether theory and simulation agree."""
INTERRUPTED = 130
BROKEN_PIPE = 141

_LIMITS = "Limits"
_STORE = "Store"
_WORKERS = "Workers"
_QUIET = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print the result only: no progress, notes or warnings."),
]

Seconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds",
        help="Give up after this time.",
        metavar="X",
        show_default=False,
        rich_help_panel=_LIMITS,
    ),
]
Diagrams = Annotated[
    int | None,
    typer.Option(
        "--max-diagrams",
        help="Give up after this many distinct diagrams.",
        metavar="N",
        show_default=False,
        rich_help_panel=_LIMITS,
    ),
]
Memory = Annotated[
    float | None,
    typer.Option(
        "--max-memory",
        help="Give up when the process holds this many gigabytes.",
        metavar="X",
        show_default=False,
        rich_help_panel=_LIMITS,
    ),
]

Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="The cache of coefficients, in place of the file in the user's cache folder.",
        metavar="FILE",
        show_default=False,
        rich_help_panel=_STORE,
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        help="Number of processes that merge and contract diagrams.",
        rich_help_panel=_WORKERS,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Address of a dask scheduler that distributes the work.",
        metavar="ADDRESS",
        show_default=False,
        rich_help_panel=_WORKERS,
    ),
]
NoStore = Annotated[
    bool,
    typer.Option(
        "--no-store",
        help="Do not read or write the cache.",
        rich_help_panel=_STORE,
    ),
]


def opened_store(path: Path | None, *, no_store: bool) -> SQLiteStore | None:
    """The store of the options above, None if none is wanted.

    Raises
    ------
    InvalidInputError
        If a file is named and none is wanted.
    """
    from diagflow.store import SQLiteStore, expanded, store_bytes, store_path
    from diagrams.errors import InvalidInputError

    if path is not None and no_store:
        raise InvalidInputError("--store and --no-store: contradict each other; give one of them")
    if no_store:
        return None
    place = store_path() if path is None else expanded(path, "--store")
    if place is not None and place.is_dir():
        raise InvalidInputError(f"store {place}: is a folder; name a file in it")
    return None if place is None else SQLiteStore(place, tell=note, most_bytes=store_bytes())


def budget(seconds: float | None, diagrams: int | None, memory: float | None) -> Budget:
    """The budget of the options above; memory is in gigabytes."""
    from expansion.series import Budget

    return Budget(
        seconds=seconds,
        diagrams=diagrams,
        memory=None if memory is None else memory * 2**30,
    )


def can_be_quiet(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option ``--quiet``, which silences `diagflow.terminal.note`."""
    parameters = list(inspect.signature(command).parameters.values())
    parameters.append(
        inspect.Parameter(
            "quiet", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=_QUIET
        )
    )

    @wraps(command)
    def wrapped(*, quiet: bool, **given: Any) -> None:
        with quietly(quiet):
            command(**given)

    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {
        **{parameter.name: parameter.annotation for parameter in parameters},
        "return": None,
    }
    return wrapped
