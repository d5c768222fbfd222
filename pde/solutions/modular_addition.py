r"""ASYM of order 3 with the target of modular addition: particles in complex coordinates.

In the Fourier basis of Z_p the target [a + b = c mod p] is √p times the identity tensor. The
weights of a mode k are complex, a_k = p^{-1/2} Σ_i A_i e^{2πi ik/p}, with a_{-k} the conjugate of
a_k: of the p modes all but one or two are complex, E|a|² = σ² and E a² = 0. The gradient flow of
one mode is

    da/ds = b̄ c,   db/ds = ā c,   dc/ds = a b,

whose mean overlap G(s) = Σ g_n s^n/n! of ρ = Re(a b c̄) is that of `pde.moments.complex_particle`.
A real particle, that of the identity target, has the same equations and ρ² = ABC; its moments are
larger. With g_n = E[d^n ρ/ds^n](0), at σ = 1, the first ones are 3, 72, 4608 instead of 3, 108, ...

- *C-D*, mean field: the modes decouple. With θ = √p σ τ and κ = H σ³/√p,
  E[L] ~ (p²/2)(1 - f)², f = κ Σ g_n s^n/n!, ds/dθ = 1 - f.
- *E-A*, narrow latent: the rows decouple, with a drift that all modes of a row share.
  With ω = (p σ²)^{3/2}, E[L] ~ p²/2 + H(½ω²λ⁶M³ - ωλ³G), M = 1 + 2∫G ds, ds/dθ = λ, dλ/dθ = -ωλ⁵M².
- *D*, *E* and the edge between them: the lowest power of σ in every coefficient, in those that lead
  -H p^{(n+3)/2} g_n σ^{n+3}; the others of D-E are the sums of those of D and E.

The averages are formal series in both directions of time, as those of the identity target.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series_exponents import pure_target_of
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.complex_particle import (
    complex_moments,
    mean_field_taylor,
    narrow_latent_taylor,
)
from pde.moments.taylor import lowest_variance
from pde.resummed_series import series_solution
from pde.solutions.vector_particles import TERMS
from pde.solver import Solved, Solver, cp_model

__all__ = ["SOLVERS", "complex_moments", "mean_field_taylor", "narrow_latent_taylor"]

narrow_taylor = narrow_latent_taylor
wide_taylor = mean_field_taylor
"""Former names."""


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model is not None
        and not model.symmetric
        and model.order == 3
        and model.target == "modular-addition"
        and regime in _TAYLOR
    )


def _small_start() -> Iterator[Polynomial]:
    """D-E: coefficients of odd s are those of D and of E, of even s their sum."""
    target = Polynomial({(("p", 2),): Fraction(1, 2)})
    both = zip(mean_field_taylor(), narrow_latent_taylor(), strict=True)
    for s, (wide, narrow) in enumerate(both):
        first, second = lowest_variance(wide), lowest_variance(narrow)
        yield first if s % 2 else first + second - (Polynomial() if s else target)


_TAYLOR: dict[str, Callable[[], Iterator[Polynomial]]] = {
    "C-D": mean_field_taylor,
    "D": lambda: map(lowest_variance, mean_field_taylor()),
    "E-A": narrow_latent_taylor,
    "E": lambda: map(lowest_variance, narrow_latent_taylor()),
    "D-E": _small_start,
}


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    return series_solution(
        problem=problem.title,
        regime=regime,
        source="ours",
        derivation=_steps(regime),
        taylor=_TAYLOR[regime],
        number=TERMS,
        method=Method.MOMENTS,
        pure_target=pure_target_of(problem, problem.loss_name),
        asymptotic=True,
    )


def _steps(regime: str) -> tuple[DerivationStep, ...]:
    mean_field = regime in {"C-D", "D", "D-E"}
    return (
        DerivationStep(
            "Fourier basis",
            r"a_k = p^{-1/2}\sum_i A_i e^{2\pi\mathrm{i} ik/p},\qquad "
            r"\mathbf{E}|a_k|^2 = \sigma^2,\quad \mathbf{E}a_k^2 = 0",
            "Modular addition is the identity tensor in this basis, times the root of p.",
        ),
        DerivationStep(
            "Complex particle",
            r"a' = \bar b c,\quad b' = \bar a c,\quad c' = ab,\qquad "
            r"\frac{d|a|^2}{ds} = 2\rho,\quad \frac{d\rho}{ds} = |ab|^2 + |bc|^2 + |ca|^2,\quad "
            r"\rho = \mathrm{Re}(ab\bar c)",
            "Squares are exponential at the start, and the phase is uniform.",
        ),
        DerivationStep(
            "Loss",
            r"\tfrac{p^2}{2}(1-f)^2,\quad f = \kappa\,\mathbf{E}[\rho](s),\quad "
            r"s' = 1-f,\quad \kappa = H\sigma^3p^{-1/2}"
            if mean_field
            else r"\tfrac{p^2}{2} + H(\tfrac12\omega^2\lambda^6M^3 - \omega\lambda^3G),\quad "
            r"s' = \lambda,\quad \lambda' = -\omega\lambda^5M^2,\quad \omega = (p\sigma^2)^{3/2}",
            "Modes decouple." if mean_field else "Rows decouple, their modes share a drift.",
        ),
    )


SOLVERS = (
    Solver(
        title="modular addition of order 3: complex particles, resummed",
        source="ours",
        applies=_applies,
        derive=_derive,
        solved=(
            Solved(
                model="modular addition of order 3",
                regimes=("C-D", "D", "E-A", "E", "D-E"),
                method="particles in complex coordinates, resummed",
                holds="where approximants agree",
                example=lambda: cp(order=3, target="modular-addition"),
            ),
        ),
    ),
)
