"""Exit statuses, and the options that several commands share: resources, ``--quiet``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from diagflow.commands.bundles import bundled, parameter, with_parameters
from diagflow.terminal import note, quietly

if TYPE_CHECKING:
    from diagflow.store import SQLiteStore
    from expansion.series import Budget

__all__ = [
    "BROKEN_PIPE",
    "INTERRUPTED",
    "UNDECIDED",
    "UNLIMITED",
    "USAGE_ERROR",
    "Diagrams",
    "Jobs",
    "Memory",
    "NoStore",
    "Resources",
    "Scheduler",
    "Seconds",
    "Store",
    "budget",
    "can_be_quiet",
    "check_figure",
    "opened_store",
    "optional",
    "stop",
    "takes_limits",
    "takes_limits_and_store",
    "takes_resources",
]

USAGE_ERROR = 2
UNDECIDED = 3
"""A comparison was made, and it cannot be judged whether theory and simulation agree."""
INTERRUPTED = 130
BROKEN_PIPE = 141


def stop(message: str, status: int = 1) -> NoReturn:
    """End the command with a line on standard error and an exit status."""
    typer.echo(f"diagflow: {message}", err=True)
    raise typer.Exit(status)


def optional(
    option: str,
    description: str,
    value: str | None = None,
    *,
    panel: str | None = None,
    completed: Callable[[str], list[str]] | None = None,
) -> Any:
    """An option that may be left out; its help shows no default.

    Parameters
    ----------
    option : str
        With its dashes; ``"--one/--other"`` for one of two.
    description : str
        Its line in the help.
    value : str, optional
        What the help writes in place of its value.
    panel : str, optional
        Its group in the help.
    completed : callable, optional
        Completes what is typed in a shell.
    """
    return typer.Option(
        option,
        help=description,
        metavar=value,
        show_default=False,
        rich_help_panel=panel,
        autocompletion=completed,
    )


def check_figure(plot: Path | None) -> None:
    """Reject the file of a figure, if one is wanted, that cannot be written."""
    if plot is not None:
        from diagflow.plotting.style import check_figure_file

        check_figure_file(plot)


_LIMITS = "Limits"
_STORE = "Store"
_WORKERS = "Workers"
_QUIET = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print the result only: no progress, notes or warnings."),
]

Seconds = Annotated[
    float | None,
    optional("--max-seconds", "Give up after this many seconds.", "X", panel=_LIMITS),
]
Diagrams = Annotated[
    int | None,
    optional("--max-diagrams", "Give up after this many distinct diagrams.", "N", panel=_LIMITS),
]
Memory = Annotated[
    float | None,
    optional(
        "--max-memory", "Give up when the process holds this many gigabytes.", "X", panel=_LIMITS
    ),
]

Store = Annotated[
    Path | None,
    optional(
        "--store",
        "The cache of coefficients, in place of the file in the user's cache folder.",
        "FILE",
        panel=_STORE,
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
    optional(
        "--scheduler",
        "Address of a dask scheduler that distributes the work.",
        "ADDRESS",
        panel=_WORKERS,
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


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of an expansion: the values of the options for limits, cache and workers."""

    max_seconds: float | None = None
    max_diagrams: int | None = None
    max_memory: float | None = None
    store: Path | None = None
    no_store: bool = False
    jobs: int = 1
    scheduler: str | None = None

    @property
    def budget(self) -> Budget:
        """The limits."""
        return budget(self.max_seconds, self.max_diagrams, self.max_memory)

    def opened_store(self) -> SQLiteStore | None:
        """The cache; None if none is wanted."""
        return opened_store(self.store, no_store=self.no_store)


UNLIMITED = Resources()


_LIMITING = (
    ("max_seconds", Seconds, None),
    ("max_diagrams", Diagrams, None),
    ("max_memory", Memory, None),
)
_KEEPING = (("store", Store, None), ("no_store", NoStore, False))
_WORKING = (("jobs", Jobs, 1), ("scheduler", Scheduler, None))


def takes_resources(command: Callable[..., None]) -> Callable[..., None]:
    """The command with all options of `Resources` in place of its parameter ``resources``."""
    return _takes(command, *_LIMITING, *_KEEPING, *_WORKING)


def takes_limits_and_store(command: Callable[..., None]) -> Callable[..., None]:
    """The same without workers, for commands whose expansions are small."""
    return _takes(command, *_LIMITING, *_KEEPING)


def takes_limits(command: Callable[..., None]) -> Callable[..., None]:
    """The same without workers and cache."""
    return _takes(command, *_LIMITING)


def _takes(command: Callable[..., None], *options: tuple[str, Any, Any]) -> Callable[..., None]:
    return bundled(command, "resources", options, lambda *_, **values: Resources(**values))


def can_be_quiet(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option ``--quiet``, which silences `diagflow.terminal.note`."""

    @wraps(command)
    def wrapped(*, quiet: bool, **given: Any) -> None:
        with quietly(quiet):
            command(**given)

    parameters = inspect.signature(command).parameters.values()
    return with_parameters(wrapped, [*parameters, parameter("quiet", _QUIET, False)])
