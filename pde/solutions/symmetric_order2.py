r"""SYM of order 2, the weight-tied linear autoencoder: the whole triangle A-B-E and its faces.

With y = H/p, z = p σ², τ = t/T and u = z (e^{4τ} - 1), S = √(1 + 2u(1 + y) + u²(1 - y)²),
D = 1 + u(1 + y) + S and q = 1 + S + u(1 - y),

    E[L(t)] ~ p/(2DS) · [ q²/2 - 4zy + 2z²y (2(1 + y) + u(1 - y)²)/(S + 1) ].

This is half the sum of (1 - μ)²/(1 - μ + μ e^{4τ})² over the eigenvalues μ of WᵀW, which follow the
Marchenko-Pastur law: the three terms are the averages of 1, -2μ and μ² over (1 + (e^{4τ} - 1) μ)².

The faces are the limits of the triangle: y → 0 (E-A), y → ∞ at fixed κ = Hσ² (B-E), z → ∞ at fixed
zτ (A-B, where the target drops out), and their intersections.

Source: Yarotsky, Golikov, Gusev 2026, section 9, for the triangle as a Hadamard product; the form
without cancellation is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, closed_form
from pde.curve import FloatArray
from pde.evolution import Origin, Solution
from pde.face import UNTIL_BLOW_UP, RegimeFormulas, logistic_pole
from pde.solver import CpModel, Solved, Solver, cp_model
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["SOLVERS", "derived_face", "triangle_loss"]

_SOURCE = "Yarotsky, Golikov, Gusev 2026, section 9"
_REASON = "before it gradient ascent has blown up"


def _symbols() -> tuple[sympy.Expr, ...]:
    """p, H, y, z, κ, τ and T."""
    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    return p, H, H / p, p * sigma2, H * sigma2, t / T, T


def _roots(u: sympy.Expr, y: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """S, D, and the bracket of the last term, which the free face has alone."""
    import sympy

    S = sympy.sqrt(1 + 2 * u * (1 + y) + u**2 * (1 - y) ** 2)
    return S, 1 + u * (1 + y) + S, 2 * (1 + y) + u * (1 - y) ** 2


@cache
def _triangle() -> RegimeFormulas:
    """The largest eigenvalue of the initial WᵀW, z (1 + √y)², blows up first."""
    import sympy

    p, H, y, z, _, tau, _ = _symbols()
    u = z * (sympy.exp(4 * tau) - 1)
    S, D, bracket = _roots(u, y)
    q = 1 + S + u * (1 - y)
    return RegimeFormulas(
        loss=p / (2 * D * S) * (q**2 / 2 - 4 * z * y + 2 * z**2 * y * bracket / (S + 1)),
        blow_up=(logistic_pole(z * (1 + sympy.sqrt(y)) ** 2, 4),),
        late=sympy.Max(p - H, 0) / 2,
        early=p / 2,
        reason=_REASON,
    )


def _free() -> RegimeFormulas:
    import sympy

    p, _, y, z, _, tau, T = _symbols()
    S, D, bracket = _roots(4 * z * tau, y)
    return RegimeFormulas(
        loss=p * z**2 * y * bracket / (D * S * (S + 1)),
        blow_up=(-T / (4 * z * (1 + sympy.sqrt(y)) ** 2),),
        late=sympy.Integer(0),
        reason=_REASON,
    )


def _narrow_latent() -> RegimeFormulas:
    import sympy

    p, H, _, z, _, tau, _ = _symbols()
    b = z * sympy.exp(4 * tau) / (1 - z + z * sympy.exp(4 * tau))
    return RegimeFormulas(
        loss=p / 2 + H * (b**2 / 2 - b),
        blow_up=(logistic_pole(z, 4),),
        late=(p - H) / 2,
        early=p / 2,
        reason=_REASON,
    )


def _mean_field() -> RegimeFormulas:
    import sympy

    p, _, _, _, kappa, tau, _ = _symbols()
    return RegimeFormulas(
        loss=p / 2 * ((1 - kappa) / (1 - kappa + kappa * sympy.exp(4 * tau))) ** 2,
        blow_up=(logistic_pole(kappa, 4),),
        late=sympy.Integer(0),
        early=p / 2,
        reason=_REASON,
    )


def _small_start() -> RegimeFormulas:
    import sympy

    p, _, _, _, kappa, tau, _ = _symbols()
    return RegimeFormulas(loss=p / 2 - p * kappa * sympy.exp(4 * tau), early=p / 2)


def _square(*, narrow_latent: bool) -> RegimeFormulas:
    """A and B: one eigenvalue z or κ, without the target."""
    import sympy

    p, H, _, z, kappa, tau, T = _symbols()
    number, eigenvalue = (H, z) if narrow_latent else (p, kappa)
    return RegimeFormulas(
        loss=number * eigenvalue**2 / 2 * (1 + 4 * eigenvalue * tau) ** -2,
        blow_up=(-T / (4 * eigenvalue),),
        late=sympy.Integer(0),
        reason=_REASON,
    )


def triangle_loss(y: float, z: float, tau: FloatArray) -> FloatArray:
    """E[L]/p on the whole triangle, accurate to rounding.

    Parameters
    ----------
    y, z : float
        H/p and p σ².
    tau : numpy.ndarray
        Times t/T; negative ones down to the blow-up.

    Examples
    --------
    >>> triangle_loss(1.0, 1.0, np.array([0.0, 1.0])).round(12)
    array([0.5       , 0.03310105])
    """
    numbers = {"p": Fraction(1), "H": Fraction(y), "sigma2": Fraction(z), "T": Fraction(1)}
    return _triangle().curve(numbers).evaluate(np.asarray(tau, dtype=float))


_FACES: dict[str, Callable[[], RegimeFormulas]] = {
    "A-B-E": _triangle,
    "A-B": _free,
    "E-A": _narrow_latent,
    "B-E": _mean_field,
    "E": _small_start,
    "A": lambda: _square(narrow_latent=True),
    "B": lambda: _square(narrow_latent=False),
}


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model in {CpModel(order=2, symmetric=True, target=t) for t in ("identity", "zero")}
        and regime in _FACES
    )


def derived_face(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    """The solution of a face by its formula."""
    from pde.solutions.symmetric_order2_derivation import derivation

    face = _FACES[regime]()
    return closed_form(
        face,
        problem=problem.title,
        regime=regime,
        source=f"{_SOURCE}; form without cancellation ours",
        derivation=derivation(regime, face.loss),
        origin=Origin.DERIVED,
        validity=EARLY_TIMES if regime == "E" else UNTIL_BLOW_UP,
    )


SOLVERS = (
    Solver(
        title="SYM of order 2: the triangle by a Hadamard product, and its faces",
        source=_SOURCE,
        applies=_applies,
        derive=derived_face,
        solved=(
            Solved(
                model="SYM order 2",
                regimes=("A-B-E", "A-B", "E-A", "B-E", "A", "B"),
                method="closed form, from the Hadamard product of merging and contraction",
                holds="until ascent blows up",
                example=lambda: cp(order=2, symmetric=True),
            ),
            Solved(
                model="SYM order 2",
                regimes=("E",),
                method="closed form",
                holds="early times",
                example=lambda: cp(order=2, symmetric=True),
            ),
        ),
    ),
)
