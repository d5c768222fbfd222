"""What a command takes, as one frozen value: its fields are the options, declared once.

A command is a function of a frozen dataclass. `takes_options` makes a function of the single
options out of it, as typer wants them. A field may stand for a bundle that several commands share,
such as ``resources``: `bundled` replaces it by the options of the bundle.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Greeting:
...     name: str
...     loud: bool = False
>>> @takes_options(Greeting)
... def greet(options: Greeting) -> None:
...     print(options)
>>> print(*inspect.signature(greet).parameters)
name loud
>>> greet("reader")
Greeting(name='reader', loud=False)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar

__all__ = ["bundled", "parameter", "takes_options", "with_parameters"]

Options = TypeVar("Options")


def takes_options(
    kind: Callable[..., Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Turn a command that takes a frozen value into one that takes its fields.

    Parameters
    ----------
    kind : type
        A dataclass whose fields are annotated as typer wants the parameters of a command.
    """

    def decorated(command: Callable[[Options], None]) -> Callable[..., None]:
        @wraps(command)
        def wrapped(*arguments: Any, **given: Any) -> None:
            command(kind(*arguments, **given))

        return with_parameters(wrapped, inspect.signature(kind).parameters.values())

    return decorated


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
    described = [parameter(*option) for option in options]

    @wraps(command)
    def wrapped(*arguments: Any, **given: Any) -> None:
        values = {option: given.pop(option) for option, _, _ in options}
        command(*arguments, **{name: make(*arguments, **values)}, **given)

    own = list(inspect.signature(command).parameters.values())
    place = next(n for n, parameter in enumerate(own) if parameter.name == name)
    return with_parameters(wrapped, [*own[:place], *described, *own[place + 1 :]])


def parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    """A parameter of a command."""
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
    )


def with_parameters(
    command: Callable[..., None], parameters: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """The command, with a signature from which typer reads the options."""
    signature = inspect.Signature(list(parameters), return_annotation=None)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {
        **{name: parameter.annotation for name, parameter in signature.parameters.items()},
        "return": None,
    }
    return command
