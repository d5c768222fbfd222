r"""ASYM, ν >= 3, C-D: many ranks, one vector particle for every coordinate of the output.

The coordinates of the output decouple. With f the value on the diagonal, ℓ = ½f² - f for each of p
coordinates, f = H E[u_1 ... u_ν] = z_{1...1}, and E[L] ~ p/2 + p ℓ. The particle obeys

    du_c/dτ = (1 - f) · product of the other coordinates,    u(0) ~ N(0, σ² I_ν).

In the time ds = (1 - f) dτ it does not know f, so f = Hσ^ν G(σ^{ν-2} s), where G(s) = E[Π v_c(s)]
and v_c' = Π_{c' ≠ c} v_{c'}. All squares v_c² grow by the same amount q, q' = 2 Π v_c: for ν >= 3
some particles reach infinity at once, in both directions of time, since flipping one coordinate
reverses time. The average G is a formal series only, and the coefficients of the loss, which the
moment hierarchy gives exactly, are resummed where approximants agree.

On D, the face of smallest initialisation, every coefficient keeps its lowest power of σ.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from expansion.polynomial import Polynomial
from pde.evolution import DerivationStep
from pde.moments.hierarchy import ContractedLoss
from pde.moments.taylor import moment_taylor
from pde.solutions.vector_particles import vector_particle_solver

__all__ = ["SOLVERS", "contracted_loss", "mean_field_taylor"]


def contracted_loss(order: int) -> ContractedLoss:
    """ℓ = ½ z_{1...1}² - z_{1...1}.

    Examples
    --------
    >>> contracted_loss(3).moments
    ((1, 1, 1),)
    """
    overlap = "z" + "_".join("1" * order)
    return ContractedLoss.parse(f"1/2*{overlap}**2 - {overlap}")


def mean_field_taylor(order: int) -> Iterator[Polynomial]:
    """The coefficients of the loss on C-D, times s!."""
    return moment_taylor(contracted_loss(order), number="p", weight="H", symmetric=True)


def _steps(order: int) -> tuple[DerivationStep, ...]:
    return (
        DerivationStep(
            "Contracted loss",
            rf"\ell = \tfrac12 f^2 - f,\quad f = H\,\mathbf{{E}}[u_1\cdots u_{{{order}}}]",
            "Coordinates of the output decouple.",
        ),
        DerivationStep(
            "Vector particle",
            r"u_c' = (1-f)\prod_{c'\ne c}u_{c'},\quad u(0)\sim N(0,\sigma^2)",
            "Its moments are the multiplicities of the edges of each colour.",
        ),
    )


SOLVERS = (
    vector_particle_solver(
        title="ASYM of order >= 3: mean field by vector particles, resummed",
        edge="C-D",
        vertex="D",
        taylor=mean_field_taylor,
        steps=_steps,
    ),
)
