r"""ASYM, ν >= 3, E-A: few ranks, one vector particle for every row.

Rows decouple. With a the weighted mean square of a row, which all colours share, and c its overlap
with the target, ℓ = ½a^ν - c for each of H rows, a = p E[u_1²], c = p E[u_1 ... u_ν], and
E[L] ~ p/2 + H ℓ. The particle obeys

    du_c/dτ = - a^{ν-1} u_c + product of the other coordinates,    u(0) ~ N(0, σ² I_ν),

with a drift that all particles share (`pde.moments.common_drift`). Without it, it is the particle
of the mean field: for ν >= 3 the averages are formal series in both directions of time. The
coefficients of the loss, which the moment hierarchy gives exactly, are resummed where approximants
agree.

On E, the face of smallest initialisation, every coefficient keeps its lowest power of σ.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from expansion.polynomial import Polynomial
from pde.evolution import DerivationStep
from pde.moments.hierarchy import ContractedLoss
from pde.moments.taylor import moment_taylor
from pde.solutions.vector_particles import vector_particle_solver

__all__ = ["SOLVERS", "contracted_loss", "narrow_latent_taylor"]


def contracted_loss(order: int) -> ContractedLoss:
    """ℓ = ½ z_{20...0} z_{02...0} ... - z_{1...1}.

    Examples
    --------
    >>> contracted_loss(3).moments
    ((0, 0, 2), (0, 2, 0), (1, 1, 1), (2, 0, 0))
    """
    squares = ["z" + "_".join("2" if c == d else "0" for d in range(order)) for c in range(order)]
    overlap = "z" + "_".join("1" * order)
    return ContractedLoss.parse(f"1/2*{'*'.join(squares)} - {overlap}")


def narrow_latent_taylor(order: int) -> Iterator[Polynomial]:
    """The coefficients of the loss on E-A, times s!."""
    return moment_taylor(contracted_loss(order), number="H", weight="p", symmetric=True)


narrow_taylor = narrow_latent_taylor
"""The former name."""


def _steps(order: int) -> tuple[DerivationStep, ...]:
    return (
        DerivationStep(
            "Contracted loss",
            rf"\ell = \tfrac12 a^{{{order}}} - c,\quad a = p\,\mathbf{{E}}[u_1^2],\quad "
            rf"c = p\,\mathbf{{E}}[u_1\cdots u_{{{order}}}]",
            "Rows decouple.",
        ),
        DerivationStep(
            "Vector particle",
            rf"u_c' = -a^{{{order - 1}}}u_c + \prod_{{c'\ne c}}u_{{c'}},\quad "
            r"u(0)\sim N(0,\sigma^2)",
            "Its moments are the multiplicities of the edges of each colour.",
        ),
    )


SOLVERS = (
    vector_particle_solver(
        title="ASYM of order >= 3: few ranks by vector particles, resummed",
        edge="E-A",
        vertex="E",
        taylor=narrow_latent_taylor,
        steps=_steps,
    ),
)
