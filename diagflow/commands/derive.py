"""``diagflow derive``: the effective dynamics of a regime."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from diagflow.commands.bundles import takes_options
from diagflow.commands.expand import Format
from diagflow.commands.followed import takes_followed
from diagflow.commands.problem import RegimeName, continuous, takes_problem
from diagflow.commands.regime_search import search
from diagflow.commands.shared_options import UNLIMITED, Resources, stop, takes_resources
from diagflow.wording import as_options

if TYPE_CHECKING:
    from expansion.dynamics.derivation import EffectiveDynamics
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


@dataclass(frozen=True)
class DeriveOptions:
    """The options of ``diagflow derive``."""

    problem: "Problem"
    regime: RegimeName = None
    terms: Annotated[
        int,
        typer.Option(
            "--terms", help="Print the leading coefficients of Y_0 ... Y_S.", metavar="S", min=0
        ),
    ] = 8
    followed: str | None = None
    output: Annotated[Format, typer.Option("--format", help="Format of the output.")] = Format.text
    resources: Resources = UNLIMITED

    def __post_init__(self) -> None:
        """Reject a derivation of no regime."""
        from diagrams.errors import InvalidInputError

        if self.regime is None:
            raise InvalidInputError(
                "derive: --regime is missing; name one that 'diagflow regimes' lists"
            )


@takes_problem
@takes_followed
@takes_resources
@takes_options(DeriveOptions)
def run(options: DeriveOptions) -> None:
    """Derive the leading dynamics of a regime from the loss alone.

    Prints the reduced potential, the cores and their equations, the terms that are replaced by
    their means or left out, with reasons, and leading coefficients far beyond the enumerated ones.
    The certificate lists the s at which they equal the exact ones. Exits with 1, without
    coefficients, if one differs. With --cumulant 2 the variance is derived from fluctuations of
    the cores at the start, with --cumulant 3 and 4 the further cumulants.
    """
    from expansion.cumulants import read_cumulant

    followed = options.followed
    found = search(
        continuous(options.problem, NAME), loss=followed, terms=None, resources=options.resources
    )
    if followed is not None and read_cumulant(followed)[1] > 1:
        _variance(found, options)
    else:
        _dynamics(found, options)


def _dynamics(found: "Regimes", options: DeriveOptions) -> None:
    """Print the leading dynamics and its coefficients."""
    from diagflow.show.derivation import FORMATS

    derived, last = _derived(found, options)
    typer.echo(FORMATS[options.output](derived, last), nl=False)
    if not derived.certificate.holds:
        stop(
            f"error: effective dynamics of regime {derived.regime.name}: {derived.loss_certificate}"
        )


def _derived(found: "Regimes", options: DeriveOptions) -> "tuple[EffectiveDynamics, int]":
    """The leading dynamics, and the last of its coefficients within the limits."""
    from diagflow.terminal import following, note
    from diagrams.errors import BudgetExceededError
    from expansion.dynamics.any_basis import derive_in_any_basis
    from expansion.dynamics.hierarchy import GrowthError

    limits, last = options.resources.budget, options.terms
    limited = any(x is not None for x in (limits.seconds, limits.diagrams, limits.memory))
    with following(f"cores of {options.regime}", 1) as progress:
        try:
            derived = derive_in_any_basis(
                found,
                str(options.regime),
                loss=options.followed,
                rate_of_change=None,
                budget=limits if limited else None,
                progress=progress,
            )
        except GrowthError as error:
            stop(f"error: {as_options(error)}")
        if derived.problem != found.exponents.problem:
            note("the cores close in Fourier modes, on half as many pairs of modes as indices")
        if derived.certificate.holds:
            try:
                derived.loss_coefficients(last)
            except BudgetExceededError:
                if limited or derived.depth is None:
                    raise
                last = min(last, derived.depth + int(derived.rate_of_change))
    return derived, last


def _variance(found: "Regimes", options: DeriveOptions) -> None:
    """Print the variance of a regime, from the dynamics of what it is the variance of."""
    from diagflow.show.derivation import VARIANCE_FORMATS
    from expansion.dynamics.derivation import RefusedError
    from expansion.dynamics.hierarchy import GrowthError
    from pde.variance import derived_variance

    try:
        derived = derived_variance(found, found[str(options.regime)].name)
    except (GrowthError, RefusedError) as error:
        stop(f"error: {as_options(error)}")
    typer.echo(VARIANCE_FORMATS[options.output](derived, options.terms), nl=False)
    if not derived.certificate.holds:
        stop(
            f"error: {derived.name} of regime {derived.regime}: the fluctuations of its cores do "
            "not give the exact coefficients; use those"
        )
