"""The quantity to expand: --loss, --observable and --cumulant, the same for every command.

A command has a parameter ``followed``. `takes_followed` replaces it by these options, so that they
are declared once.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from diagflow.commands.bundles import bundled
from diagflow.commands.shared_options import optional

__all__ = ["followed_name", "takes_followed"]

_PANEL = "Quantity"

Loss = Annotated[
    str | None,
    optional(
        "--loss",
        "The loss to follow, train or population; unless given, the one that drives the flow.",
        "NAME",
        panel=_PANEL,
    ),
]

ObservableName = Annotated[
    str | None,
    optional(
        "--observable",
        "Another quantity in its place: weight-norm, ntk-trace, model-norm, alignment, one that "
        "the file declares, or an expression such as 'train**2' or 'merge(ntk, f)'.",
        "NAME",
        panel=_PANEL,
    ),
]

Cumulant = Annotated[
    int,
    typer.Option(
        "--cumulant",
        help="Its cumulant of this order over initialisations; 2 is the variance.",
        metavar="K",
        rich_help_panel=_PANEL,
    ),
]

_OPTIONS = (("loss", Loss, None), ("observable", ObservableName, None), ("cumulant", Cumulant, 1))


def takes_followed(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the three options in place of its parameter ``followed``."""
    return bundled(command, "followed", _OPTIONS, followed_name)


def followed_name(
    problem: object, *, loss: str | None, observable: str | None, cumulant: int
) -> str | None:
    """The name of the quantity; None is the loss that drives the flow.

    Raises
    ------
    InvalidInputError
        If two things are named, or the problem has none of this name.
    """
    from diagrams.errors import InvalidInputError
    from expansion.cumulants import cumulant_name
    from expansion.problem import Problem

    if loss is not None and observable is not None:
        raise InvalidInputError(
            "--loss and --observable: name one thing to follow each; give one of them"
        )
    name = observable if loss is None else loss
    if not isinstance(problem, Problem):
        if name is not None or cumulant != 1:
            option = "--loss" if loss else "--observable" if observable else "--cumulant"
            raise InvalidInputError(f"{option}: a JSON file holds one series; leave it out")
        return None
    if name is not None:
        problem.quantity(name)
    if cumulant == 1:
        return name
    return cumulant_name(problem.loss_name if name is None else name, cumulant)
