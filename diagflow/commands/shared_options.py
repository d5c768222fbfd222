"""Exit statuses, and the options that several commands share: resources, ``--quiet``.

A command has a parameter for a bundle of options, such as ``resources``, and `bundled` replaces it
by the options, so that they are declared once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    "bundled",
    "can_be_quiet",
    "opened_store",
    "takes_limits_and_store",
    "takes_resources",
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


def bundled(
    command: Callable[..., None],
    name: str,
    options: Sequence[tuple[str, Any, Any]],
    make: Callable[..., object],
) -> Callable[..., None]:
    """The command with options in place of one of its parameters.

    Parameters
    ----------
    command : callable
    name : str
        The parameter.
    options : sequence of (str, type, default)
        The options that replace it.
    make : callable
        The value of the parameter, from the positional arguments of the command and the options by
        name.
    """
    described = [
        inspect.Parameter(
            option, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind
        )
        for option, kind, default in options
    ]

    @wraps(command)
    def wrapped(*arguments: Any, **given: Any) -> None:
        values = {option: given.pop(option) for option, _, _ in options}
        command(*arguments, **{name: make(*arguments, **values)}, **given)

    own = list(inspect.signature(command).parameters.values())
    place = next(n for n, parameter in enumerate(own) if parameter.name == name)
    parameters = [*own[:place], *described, *own[place + 1 :]]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapped


_EXPANDING = (
    ("max_seconds", Seconds, None),
    ("max_diagrams", Diagrams, None),
    ("max_memory", Memory, None),
    ("store", Store, None),
    ("no_store", NoStore, False),
)
_WORKING = (("jobs", Jobs, 1), ("scheduler", Scheduler, None))


def takes_resources(command: Callable[..., None]) -> Callable[..., None]:
    """The command with all options of `Resources` in place of its parameter ``resources``."""
    return bundled(
        command, "resources", (*_EXPANDING, *_WORKING), lambda *_, **values: Resources(**values)
    )


def takes_limits_and_store(command: Callable[..., None]) -> Callable[..., None]:
    """The same without workers, for commands whose expansions are small."""
    return bundled(command, "resources", _EXPANDING, lambda *_, **values: Resources(**values))


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
