"""The regimes of a problem, as several commands look for them: with progress, store and workers."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from diagflow.store import SQLiteStore
    from expansion.problem import Problem
    from expansion.regimes import Regimes
    from expansion.series import Budget

__all__ = ["SliceOption", "search"]

SliceOption = Annotated[
    str | None,
    typer.Option(
        "--slice",
        help="Only scalings at which these monomials are of the same order, such as "
        "'H ~ p, sigma2 ~ p**-1'.",
        metavar="RELATIONS",
        show_default=False,
    ),
]
"""The option that restricts a map to a linear subspace of scalings."""


def search(
    problem: "Problem",
    *,
    loss: str | None,
    terms: int | None,
    budget: "Budget",
    store: "SQLiteStore | None",
    jobs: int = 1,
    scheduler: str | None = None,
    slice_: str | None = None,
) -> "Regimes":
    """The regimes of a loss, while a bar on the terminal follows the expansion."""
    from diagflow.terminal import following
    from diagflow.workers.executors import executor
    from expansion.exponents import MAXIMAL_DEFAULT_TERMS
    from expansion.regimes import regimes

    last = MAXIMAL_DEFAULT_TERMS if terms is None else terms
    with (
        executor(jobs=jobs, scheduler=scheduler) as workers,
        following(f"Y_0 ... Y_{last}", last + 1) as progress,
    ):
        return regimes(
            problem,
            loss=loss,
            terms=terms,
            budget=budget,
            progress=progress,
            store=store,
            executor=workers,
            slice=slice_,
        )
