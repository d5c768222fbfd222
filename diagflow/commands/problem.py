"""The argument PROBLEM and its options, the same for every command.

A command is a function whose first argument is a problem. `takes_problem` replaces this argument by
those of the command line that describe it, so that they are declared once.
"""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["Loss", "RegimeName", "read_problem", "takes_problem"]

SUFFIX = ".toml"

STANDARD_INPUT = "-"
"""In place of the path of a file."""

Loss = Annotated[
    str | None,
    typer.Option(
        "--loss",
        help="Which loss: train, population; without it the one that drives the flow.",
        metavar="NAME",
        show_default=False,
    ),
]
"""The option that chooses among the losses of a problem."""

RegimeName = Annotated[
    str | None,
    typer.Option(
        "--regime",
        help="The name of the regime, as [bold]diagflow regimes[/bold] prints it.",
        metavar="NAME",
        show_default=False,
    ),
]
"""The option that names a regime."""

_PANEL = "Problem"


def _problems(incomplete: str) -> list[str]:
    """What a shell may complete PROBLEM to: presets, files and the folders on the way to them."""
    from expansion.models import PRESETS

    folder = Path(incomplete).parent if incomplete and not incomplete.endswith("/") else incomplete
    found = [path for path in Path(folder).glob("*") if path.suffix == SUFFIX or path.is_dir()]
    paths = sorted(f"{path}/" if path.is_dir() else str(path) for path in found)
    return [name for name in (*PRESETS, *paths) if name.startswith(incomplete)]


def _targets(incomplete: str) -> list[str]:
    """What a shell may complete a target to."""
    from expansion.targets import TARGETS

    return [name for name in TARGETS if name.startswith(incomplete)]


_PARAMETERS: dict[str, tuple[Any, Any]] = {
    "problem": (
        Annotated[
            str,
            typer.Argument(
                metavar="PROBLEM",
                help="A preset, [bold]cp[/bold], [bold]autoencoder[/bold], "
                "[bold]tied-autoencoder[/bold], [bold]deep-linear[/bold] or "
                "[bold]two-layer[/bold], the path of a [bold].toml[/bold] file, "
                "or [bold]-[/bold] for one from standard input.",
                show_default=False,
                autocompletion=_problems,
            ),
        ],
        inspect.Parameter.empty,
    ),
    "order": (
        Annotated[
            int | None,
            typer.Option(
                "--order",
                help="Number of tensor modes of cp; 3 unless given.",
                metavar="N",
                show_default=False,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "symmetric": (
        Annotated[
            bool | None,
            typer.Option(
                "--symmetric/--asymmetric",
                help="One weight matrix for all modes of cp, or one each.",
                show_default=False,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "depth": (
        Annotated[
            int | None,
            typer.Option(
                "--depth",
                help="Number of weight matrices of deep-linear; 3 unless given.",
                metavar="D",
                show_default=False,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "degree": (
        Annotated[
            int | None,
            typer.Option(
                "--degree",
                help="Degree of the activation of two-layer; 2 unless given.",
                metavar="K",
                show_default=False,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "target": (
        Annotated[
            str | None,
            typer.Option(
                "--target",
                help="What a preset is fitted to: identity (unless given), zero, spike, spiked, "
                "modular-addition, teacher, or a combination such as 'identity + beta*teacher'.",
                metavar="NAME",
                show_default=False,
                autocompletion=_targets,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
    "data": (
        Annotated[
            bool | None,
            typer.Option(
                "--data",
                help="Finite Gaussian data for a linear model, N inputs.",
                show_default=False,
                rich_help_panel=_PANEL,
            ),
        ],
        None,
    ),
}
"""Names, types and defaults of what describes a problem."""


def takes_problem(
    command: Callable[..., None], *, read: Callable[..., object] | None = None
) -> Callable[..., None]:
    """The command with the options of a problem in place of its first argument.

    Parameters
    ----------
    command : callable
        Its first argument is what ``read`` returns.
    read : callable, optional
        Makes it from the options; `read_problem` unless given.
    """
    reader = read or read_problem
    own = list(inspect.signature(command).parameters.values())[1:]
    described = [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind
        )
        for name, (kind, default) in _PARAMETERS.items()
    ]

    @wraps(command)
    def wrapped(**given: Any) -> None:
        options = {name: given.pop(name) for name in _PARAMETERS}
        try:
            command(reader(**options), **given)
        except (OverflowError, ZeroDivisionError):
            # Powers of the numbers, not the numbers: no range of --at keeps all of them in bounds.
            if given.get("at") is None:
                raise
            from diagrams.errors import InvalidInputError
            from expansion.untrusted import legible

            raise InvalidInputError(
                f"--at {legible(given['at'], 60)}: leads to numbers outside the range of floating "
                "point; give sizes, variances and times closer to 1"
            ) from None

    # The argument comes first, then what the command asks for, then the rest of the description.
    parameters = [described[0], *described[1:], *own]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {
        **{parameter.name: parameter.annotation for parameter in parameters},
        "return": None,
    }
    return wrapped


def read_problem(*, problem: str, **options: object) -> "Problem":
    """The problem that the argument and the options describe.

    Raises
    ------
    InvalidInputError
        If there is no such preset or file, or an option does not suit it.
    """
    from diagrams.errors import InvalidInputError
    from expansion.models import PRESETS

    given = {name: value for name, value in options.items() if value is not None}
    preset = PRESETS.get(problem)
    known = [] if preset is None else list(inspect.signature(preset).parameters)
    if preset is None and problem != STANDARD_INPUT and not problem.endswith(SUFFIX):
        raise InvalidInputError(
            f"problem {problem[:60]!r}: is not a known preset; choose one of "
            f"{', '.join(PRESETS)}, or give the path of a {SUFFIX} file"
        )
    described = "a problem from standard input" if problem == STANDARD_INPUT else problem
    for name in given:
        if name not in known:
            takes = ", ".join(f"--{option}" for option in known) or "no such options"
            raise InvalidInputError(
                f"--{name}: does not describe {described}, which takes {takes}; leave it out"
            )
    if preset is not None:
        return preset(**given)
    from expansion.problem_files.problem_file import read_problem_file, read_problem_stream

    if problem != STANDARD_INPUT:
        return read_problem_file(Path(problem))
    if sys.stdin is None:
        raise InvalidInputError(
            "problem from standard input: it is closed; write the text into a pipe"
        )
    return read_problem_stream(sys.stdin.buffer)
