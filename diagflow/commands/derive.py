"""``diagflow derive``: the effective dynamics of a regime."""

from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.expand import Format
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import continuous, takes_problem
from diagflow.commands.regime_search import search
from diagflow.commands.shared_options import UNLIMITED, Resources, takes_resources
from diagflow.wording import as_options

if TYPE_CHECKING:
    from expansion.problem import Problem
    from expansion.regimes import Regimes

__all__ = ["EPILOG", "NAME", "run"]

NAME = "derive"

EPILOG = (
    "Examples:\n\n"
    "  diagflow derive cp --order 4 --symmetric --regime A-B-E\n\n"
    "  diagflow derive two-layer --regime V1-V2 --terms 20\n\n"
    "  diagflow derive cp --order 2 --regime C-D --format json\n\n"
    "  diagflow derive cp --order 2 --symmetric --regime B-E --cumulant 2"
)


@takes_problem
@takes_followed
@takes_resources
def run(
    problem: "Problem",
    regime: Annotated[
        str | None,
        typer.Option(
            "--regime",
            help="A name from 'diagflow regimes'.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    terms: Annotated[
        int,
        typer.Option(
            "--terms", help="Print the leading coefficients of Y_0 ... Y_S.", metavar="S", min=0
        ),
    ] = 8,
    followed: str | None = None,
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    resources: Resources = UNLIMITED,
) -> None:
    """Derive the leading dynamics of a regime from the loss, without knowing the model.

    Prints the reduced potential, the cores and their equations, the terms that are replaced by
    their means or left out, with reasons, and leading coefficients far beyond the enumerated ones.
    The certificate lists the s at which they equal the exact ones. Exits with 1, without
    coefficients, if one differs. With --cumulant 2 the variance is derived from fluctuations of
    the cores at the start.
    """
    from diagflow.show import derivation as show_derivation
    from diagflow.terminal import following
    from diagrams.errors import BudgetExceededError, InvalidInputError
    from expansion.cumulants import read_cumulant
    from expansion.dynamics.derivation import derive
    from expansion.dynamics.hierarchy import GrowthError

    if regime is None:
        raise InvalidInputError(
            "derive: --regime is missing; name one that 'diagflow regimes' lists"
        )
    limits = resources.budget
    found = search(
        continuous(problem, NAME),
        loss=followed,
        terms=None,
        budget=limits,
        store=resources.opened_store(),
        jobs=resources.jobs,
        scheduler=resources.scheduler,
    )
    if followed is not None and read_cumulant(followed)[1] == 2:
        _variance(found, regime, terms, output)
        return
    limited = any(x is not None for x in (limits.seconds, limits.diagrams, limits.memory))
    with following(f"cores of {regime}", 1) as progress:
        try:
            derived = derive(
                found,
                regime,
                loss=followed,
                rate_of_change=None,
                budget=limits if limited else None,
                progress=progress,
            )
        except GrowthError as error:
            typer.echo(f"diagflow: error: {as_options(error)}", err=True)
            raise typer.Exit(1) from None
        last = terms
        if derived.certificate.holds:
            try:
                derived.loss_coefficients(last)
            except BudgetExceededError:
                if limited or derived.depth is None:
                    raise
                last = min(last, derived.depth + int(derived.rate_of_change))
    render = {
        Format.text: show_derivation.text,
        Format.json: show_derivation.json_text,
        Format.latex: show_derivation.latex,
    }
    typer.echo(render[output](derived, last), nl=False)
    if not derived.certificate.holds:
        typer.echo(
            f"diagflow: error: effective dynamics of regime {derived.regime.name}: "
            f"{derived.loss_certificate}",
            err=True,
        )
        raise typer.Exit(1)


def _variance(found: "Regimes", regime: str, last: int, output: Format) -> None:
    """The variance of a regime, from the dynamics of what it is the variance of."""
    from diagflow.show import derivation as show_derivation
    from expansion.dynamics.derivation import RefusedError
    from expansion.dynamics.hierarchy import GrowthError
    from pde.variance import derived_variance

    try:
        derived = derived_variance(found, found[regime].name)
    except (GrowthError, RefusedError) as error:
        typer.echo(f"diagflow: error: {as_options(error)}", err=True)
        raise typer.Exit(1) from None
    render = {
        Format.text: show_derivation.variance_text,
        Format.json: show_derivation.variance_json,
        Format.latex: show_derivation.variance_latex,
    }
    typer.echo(render[output](derived, last), nl=False)
    if not derived.certificate.holds:
        typer.echo(
            f"diagflow: error: variance of regime {derived.regime}: the fluctuations of its cores "
            "do not give the exact coefficients; use those",
            err=True,
        )
        raise typer.Exit(1)
