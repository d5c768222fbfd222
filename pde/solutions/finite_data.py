r"""The weight-tied linear autoencoder on finite Gaussian data: what its solved regimes share.

W is H × p of variance σ², A = WᵀW, S = XXᵀ/N for p × N standard Gaussian data X. The flow of
L_train = ½ Tr (I-A) S (I-A) is dA/dτ = AM + MA, M = (I-A)S + S(I-A); L_pop = ½ ‖I-A‖². Variables:

    z = pσ²,   y = H/p,   r = p/N,   a_0 = Hσ² = yz,   ϑ = τ p/N.

On large-data and its edges S is the identity, and both losses are those of SYM of order 2, given by
`pde.solutions.symmetric_order2`.

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from expansion.leading import LeadingSeries
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.recognition import recognised
from pde.curve import Parameters
from pde.evolution import DerivationStep, Solution
from pde.solutions import symmetric_order2
from pde.solver import Solved, Solver
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["POPULATION", "SOLVERS", "SOURCE", "Numbers", "Symbols", "is_finite_data", "loss_of"]

POPULATION = "population"
SOURCE = "ours"

Loss = Literal["train", "population"]

_LARGE_DATA = {
    "large-data": "A-B-E",
    "large-data & mean-field": "B-E",
    "large-data & narrow-latent": "E-A",
    "large-data & free": "A-B",
    "large-data & mean-field & narrow-latent": "E",
    "large-data & mean-field & free": "B",
    "large-data & narrow-latent & free": "A",
}
"""The faces of SYM of order 2 that the regimes with many data are."""


def is_finite_data(problem: Problem) -> bool:
    """Whether a problem is the tied autoencoder on finite Gaussian data, by its loss."""
    known = recognised(problem)
    return known is not None and known.is_itself and len(known.preset.losses) > 1


def loss_of(leading: LeadingSeries) -> Loss:
    """Which of the two losses a leading series is."""
    return "population" if leading.regimes.exponents.loss == POPULATION else "train"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The scaled variables at given numbers, as floating point numbers."""

    p: float
    H: float
    N: float
    z: float
    y: float
    r: float
    start: float
    T: float

    @classmethod
    def of(cls, parameters: Parameters) -> Numbers:
        """The variables; start is a_0 = Hσ²."""
        p, H, N, sigma2, T = (parameters[name] for name in ("p", "H", "N", "sigma2", "T"))
        exact = (p, H, N, p * sigma2, H / p, p / N, H * sigma2, T)
        return cls(*(float(value) for value in exact))


@dataclass(frozen=True, slots=True)
class Symbols:
    """The scaled variables in the symbols of the problem."""

    p: sympy.Expr
    H: sympy.Expr
    N: sympy.Expr
    z: sympy.Expr
    start: sympy.Expr
    tau: sympy.Expr
    data_time: sympy.Expr

    @classmethod
    def all(cls) -> Symbols:
        """The symbols; start is a_0 = Hσ², tau is t/T, data_time is ϑ."""
        p, H, N, sigma2, t, T = (symbol(name) for name in ("p", "H", "N", "sigma2", "t", "T"))
        return cls(p, H, N, p * sigma2, H * sigma2, t / T, p * t / (N * T))


def _applies(problem: Problem, regime: str) -> bool:
    return is_finite_data(problem) and regime in _LARGE_DATA


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    (solver,) = symmetric_order2.SOLVERS
    face = _LARGE_DATA[regime]
    solution = solver.derive(cp(order=2, symmetric=True), face, leading)
    step = DerivationStep(
        "Many data",
        r"S = XX^{T}/N \to I",
        f"Both losses are that of SYM of order 2 on {face}; the number of data drops out.",
    )
    return replace(
        solution,
        problem=problem.title,
        regime=regime,
        derivation=(step, *solution.derivation),
    )


SOLVERS = (
    Solver(
        title="Tied autoencoder on many data: SYM of order 2",
        source=symmetric_order2.SOLVERS[0].source,
        applies=_applies,
        derive=_derive,
        losses=(POPULATION,),
        solved=(
            Solved(
                model="tied autoencoder on data",
                regimes=tuple(_LARGE_DATA),
                method="those of SYM order 2",
                holds="as there",
                example=lambda: tied_autoencoder(data=True),
            ),
        ),
    ),
)
