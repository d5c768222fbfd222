"""``diagflow correlators``: means of products of a model and its derivatives."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.expand import Format
from diagflow.commands.problem import takes_problem
from diagflow.commands.shared_options import UNLIMITED, Resources, takes_limits_and_store

if TYPE_CHECKING:
    from expansion.problem import Problem

__all__ = ["EPILOG", "NAME", "run"]

NAME = "correlators"

EPILOG = (
    "Examples:\n\n"
    "  diagflow correlators mlp-linear --depth 3\n\n"
    "  diagflow correlators mlp-linear --depth 2 --format json"
)


@takes_problem
@takes_limits_and_store
def run(
    problem: "Problem",
    output: Annotated[Format, typer.Option("--format", help="Format of the output.")] = Format.text,
    resources: Resources = UNLIMITED,
) -> None:
    """Print correlators of the model f and its derivatives at initialisation, exactly.

    Each is compared with the power of the width that Dyer and Gur-Ari (2019) conjecture for it; the
    last lines are the finite-width corrections of the tangent kernel. The model has one output.
    """
    from diagflow.columns import terminal_width
    from diagflow.show.correlators import FORMATS, text
    from diagflow.terminal import following
    from expansion.correlators import CLUSTERS, correlators

    with following("correlators", len(CLUSTERS)) as progress:
        found = correlators(
            problem,
            budget=resources.budget,
            progress=progress,
            store=resources.opened_store(),
        )
    formats: dict[str, Callable[..., str]] = {**FORMATS}
    formats["text"] = partial(text, width=terminal_width())
    typer.echo(formats[output](found), nl=False)
