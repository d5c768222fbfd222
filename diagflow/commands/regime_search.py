"""The regimes of a problem for several commands: with progress, cache and workers."""

from typing import TYPE_CHECKING, Annotated

from diagflow.commands.shared_options import INTERRUPTED, Resources, optional, stop

if TYPE_CHECKING:
    from expansion.problem import Problem
    from expansion.regimes import Regimes
    from expansion.series import Progress

__all__ = ["SliceOption", "search"]

SliceOption = Annotated[
    str | None,
    optional(
        "--slice",
        "Only scalings at which these monomials are of the same order, such as "
        "'H ~ p, sigma2 ~ p**-1'.",
        "RELATIONS",
    ),
]
"""The option that restricts a map to a linear subspace of scalings."""


def search(
    problem: "Problem",
    *,
    loss: str | None,
    terms: int | None,
    resources: Resources,
    slice_: str | None = None,
) -> "Regimes":
    """The regimes of a loss, while a bar on the terminal follows the expansion.

    A map that is not finished is not printed: its law is that no scaling is left over, and before
    the last face is known none of the others is. An interrupt prints how far the work was.
    """
    from diagflow.terminal import following
    from diagflow.workers.executors import executor
    from expansion.regimes import regimes
    from expansion.series_exponents import MAXIMAL_DEFAULT_TERMS

    last = MAXIMAL_DEFAULT_TERMS if terms is None else terms
    store = resources.opened_store()
    seen: list[Progress] = []
    with (
        executor(jobs=resources.jobs, scheduler=resources.scheduler) as workers,
        following(f"Y_0 ... Y_{last}", last + 1) as progress,
    ):

        def follow(state: "Progress") -> None:
            seen[:] = [state]
            progress(state)

        try:
            return regimes(
                problem,
                loss=loss,
                terms=terms,
                budget=resources.budget,
                progress=follow,
                store=store,
                executor=workers,
                slice=slice_,
            )
        except KeyboardInterrupt:
            if not seen:
                raise
            stop(f"interrupted: {_done(seen[-1])}", INTERRUPTED)


def _done(state: "Progress") -> str:
    """How far the work was, and what gives a result sooner."""
    if state.stage is not None:
        return (
            f"{state.stage} was not finished, and none of it is decided before all of it is; its "
            f"coefficients are, Y_0 ... Y_{state.s}; ask for fewer --terms"
        )
    if not state.s:
        return "no term was finished"
    return (
        f"Y_0 ... Y_{state.s - 1} were finished; --terms {state.s - 1} gives the map of these, if "
        "they are enough"
    )
