"""The argument PROBLEM and its options, the same for every command.

A command is a function whose first argument is a problem. `takes_problem` replaces this argument by
those of the command line that describe it, so that they are declared once.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["read_problem", "takes_problem"]

_PARAMETERS: dict[str, tuple[Any, Any]] = {
    "problem": (
        Annotated[
            str,
            typer.Argument(
                metavar="PROBLEM", help="A preset: [bold]cp[/bold].", show_default=False
            ),
        ],
        inspect.Parameter.empty,
    ),
    "order": (
        Annotated[
            int,
            typer.Option("--order", help="Number of tensor modes of a CP model.", metavar="N"),
        ],
        3,
    ),
    "symmetric": (
        Annotated[
            bool,
            typer.Option(
                "--symmetric/--asymmetric", help="One weight matrix for all modes, or one each."
            ),
        ],
        False,
    ),
    "target": (
        Annotated[
            str, typer.Option("--target", help="What the model is fitted to: identity, zero.")
        ],
        "identity",
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
        command(reader(**options), **given)

    # The argument comes first, then what the command asks for, then the rest of the description.
    parameters = [described[0], *described[1:], *own]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {
        **{parameter.name: parameter.annotation for parameter in parameters},
        "return": None,
    }
    return wrapped


def read_problem(*, problem: str, order: int, symmetric: bool, target: str) -> "Problem":
    """The problem that the options describe.

    Raises
    ------
    InvalidInputError
        If there is no such preset, or an option does not suit it.
    """
    from diagrams.errors import InvalidInputError
    from expansion.models import PRESETS

    if problem not in PRESETS:
        raise InvalidInputError(
            f"problem {problem!r}: is not a known preset; choose one of "
            f"{', '.join(sorted(PRESETS))}"
        )
    return PRESETS[problem](order=order, symmetric=symmetric, target=target)
