r"""ASYM of order 2 (linear autoencoders f = U V): C-D, E-A, D, E and D-E in closed form.

- **C-D**, many ranks. The coordinates of the output decouple. With f the value on the diagonal, r
  half the kernel and κ = Hσ², f' = 2r(1 - f), r' = 2f(1 - f), f(0) = 0, r(0) = κ, and E[L] ~
  ½p(1 - f)². The first integral r² - f² = κ² leaves one separable equation; with R = √(1 + κ²),

      1 - f = R² / [(R cosh Rτ + κ sinh Rτ)² - sinh² Rτ].

- **E-A**, few ranks. Rows decouple, E[L] ~ p/2 + H(½a² - c), where a is p times the mean square of
  a row and c its overlap with the target. The shared drift is a change of scale; without it a row
  (u₁, u₂) turns hyperbolically, u₁' = u₂, u₂' = u₁. With z = pσ²,

      a = z cosh 2τ / (1 + z sinh 2τ),   c = z sinh 2τ / (1 + z sinh 2τ).

- **D**, **E** and **D-E** follow from these two: even s keep the lowest even power of κ or z, odd
  s the lowest odd one, and on D-E both corrections of second order add up:

      E[L] ~ p/2 - pHσ² sinh 2τ + pκ² [½ sinh² 2τ + cosh 2τ (cosh 2τ - 1)]
                                + Hz² [½ cosh² 2τ + sinh² 2τ].

Backwards in time the loss blows up at a finite time on C-D and E-A.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import comb
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, closed_form, in_blocks
from pde.evolution import DerivationStep, Solution
from pde.face import UNTIL_BLOW_UP, RegimeFormulas
from pde.moments.hierarchy import ContractedLoss
from pde.moments.taylor import moment_taylor
from pde.solver import CpModel, Solved, Solver, cp_model
from pde.taylor import ExpansionError, symbol, taylor

if TYPE_CHECKING:
    import sympy

__all__ = [
    "SOLVERS",
    "against_hierarchy",
    "derived_face",
    "mean_field",
    "mean_field_taylor",
    "narrow_latent",
    "without_root",
]


def _symbols() -> tuple[sympy.Expr, ...]:
    """p, H, κ, z, τ and T."""
    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    return p, H, H * sigma2, p * sigma2, t / T, T


# -- C-D -----------------------------------------------------------------------------------------


def mean_field() -> RegimeFormulas:
    """The loss on C-D, where all modes share one drift."""
    import sympy

    _, _, kappa, _, _, T = _symbols()
    R = sympy.sqrt(1 + kappa**2)
    return RegimeFormulas(
        loss=_mean_field_formula(R),
        blow_up=(-T / R * sympy.log((R + kappa + 1) / sympy.sqrt(2 * kappa)),),
        late=sympy.Integer(0),
    )


def _mean_field_formula(R: sympy.Expr) -> sympy.Expr:
    import sympy

    p, _, kappa, _, tau, _ = _symbols()
    cosh, sinh = sympy.cosh(R * tau), sympy.sinh(R * tau)
    return p / 2 * ((cosh + kappa * sinh / R) ** 2 - (sinh / R) ** 2) ** -2


def mean_field_taylor() -> Iterator[Polynomial]:
    """The formula is even in R: it is expanded in R, then R² = 1 + κ²."""
    formula = _mean_field_formula(symbol("R"))
    return map(without_root, in_blocks(lambda number: taylor(formula, number)))


def without_root(polynomial: Polynomial) -> Polynomial:
    """A polynomial with 1 + κ² for every square of R, κ = H σ²."""
    total = Polynomial()
    for powers, coefficient in polynomial:
        table = dict(powers)
        half, odd = divmod(table.pop("R", 0), 2)
        if half < 0 or odd:
            raise ExpansionError("formula of C-D: is not a polynomial in 1 + κ²; check its parity")
        for k in range(half + 1):
            raised = table | {name: table.get(name, 0) + 2 * k for name in ("H", "sigma2")}
            total = total + Polynomial({tuple(raised.items()): coefficient * comb(half, k)})
    return total


_WIDE_STEPS = (
    DerivationStep(
        "Moment characteristics",
        r"\ell = \tfrac12 z_{11}^2 - z_{11}, \qquad f' = 2r(1-f),\quad r' = 2f(1-f)",
        "Coordinates decouple; f = z_11, and 2r = z_20 + z_02 is the kernel.",
    ),
    DerivationStep(
        "First integral", r"r^2 - f^2 = \kappa^2", "f' f = r' r; at the start f = 0, r = κ."
    ),
    DerivationStep(
        "Separable equation",
        r"f = \kappa\sinh x,\quad x' = 2(1-\kappa\sinh x),\quad "
        r"\tanh\tfrac x2 = \frac{\tanh R\tau}{R+\kappa\tanh R\tau},\quad R=\sqrt{1+\kappa^2}",
        "Integrated with q = tanh(x/2).",
    ),
    DerivationStep(
        "Loss",
        r"\mathbf{E}[L] \sim \frac p2 \left[\frac{R^2}{(R\cosh R\tau+\kappa\sinh R\tau)^2"
        r"-\sinh^2 R\tau}\right]^2",
        "½p(1 - f)².",
    ),
)

# -- E-A -----------------------------------------------------------------------------------------


def narrow_latent() -> RegimeFormulas:
    """The loss on E-A, where rows decouple."""
    import sympy

    p, H, _, z, tau, T = _symbols()
    cosh, sinh = sympy.cosh(2 * tau), sympy.sinh(2 * tau)
    below = 1 + z * sinh
    return RegimeFormulas(
        loss=p / 2 + H * ((z * cosh) ** 2 / 2 * below**-2 - z * sinh / below),
        blow_up=(-T / 2 * sympy.asinh(1 / z),),
        late=(p - H) / 2,
    )


_NARROW_STEPS = (
    DerivationStep(
        "Moment characteristics",
        r"\ell = \tfrac12 z_{20}z_{02} - z_{11},\qquad u_1' = u_2 - a u_1,\quad u_2' = u_1 - a u_2",
        "Rows decouple; by symmetry z_20 = z_02 = a.",
    ),
    DerivationStep(
        "Shared drift",
        r"u = \chi v,\quad \chi' = -a\chi,\quad v_1' = v_2,\ v_2' = v_1",
        "v turns hyperbolically: E[v₁²] = σ² cosh 2τ, E[v₁v₂] = σ² sinh 2τ.",
    ),
    DerivationStep(
        "Scale",
        r"\chi^{-2} = 1 + 2\int_0^\tau z\cosh 2\tau'\,d\tau' = 1 + z\sinh 2\tau",
        "From (χ⁻²)' = 2aχ⁻² = 2z cosh 2τ.",
    ),
    DerivationStep(
        "Loss",
        r"\mathbf{E}[L] \sim \frac p2 + H\left[\frac{z^2\cosh^2 2\tau}{2(1+z\sinh 2\tau)^2}"
        r"-\frac{z\sinh 2\tau}{1+z\sinh 2\tau}\right]",
        "½a² - c for each of H rows.",
    ),
)

# -- D, E, D-E -----------------------------------------------------------------------------------


def _small_start(*, mean_field: bool, narrow_latent: bool) -> RegimeFormulas:
    import sympy

    p, H, kappa, z, tau, _ = _symbols()
    cosh, sinh = sympy.cosh(2 * tau), sympy.sinh(2 * tau)
    total = p / 2 - p * kappa * sinh
    if mean_field:
        total += p * kappa**2 * (sinh**2 / 2 + cosh * (cosh - 1))
    if narrow_latent:
        total += H * z**2 * (cosh**2 / 2 + sinh**2)
    return RegimeFormulas(loss=total)


_SMALL_STEPS = (
    DerivationStep(
        "Lowest orders",
        r"f = \kappa\sinh 2\tau - \kappa^2\cosh 2\tau(\cosh 2\tau - 1) + O(\kappa^3)",
        "A small initialisation: C-D and E-A to second order, the odd order leads at odd s.",
    ),
)


_FACES: dict[str, Callable[[], RegimeFormulas]] = {
    "C-D": mean_field,
    "E-A": narrow_latent,
    "D": lambda: _small_start(mean_field=True, narrow_latent=False),
    "E": lambda: _small_start(mean_field=False, narrow_latent=True),
    "D-E": lambda: _small_start(mean_field=True, narrow_latent=True),
}

_STEPS = {
    "C-D": _WIDE_STEPS,
    "E-A": _NARROW_STEPS,
    "D": (*_WIDE_STEPS, *_SMALL_STEPS),
    "E": (*_NARROW_STEPS, *_SMALL_STEPS),
    "D-E": (*_WIDE_STEPS, *_NARROW_STEPS, *_SMALL_STEPS),
}


def _applies(problem: Problem, regime: str) -> bool:
    model = CpModel(order=2, symmetric=False, target="identity")
    return cp_model(problem) == model and regime in _FACES


_CHARACTERISTICS = {
    "C-D": ("1/2*z1_1**2 - z1_1", "p", "H"),
    "E-A": ("1/2*z2_0*z0_2 - z1_1", "H", "p"),
}
"""Contracted loss, and the symbols of the number of particles and of their weight."""

_COMPARED = 12
"""Coefficients at which a formula is compared with the moment hierarchy."""


def against_hierarchy(regime: str, solution: Solution) -> DerivationStep:
    """The comparison of a formula with the moment hierarchy it solves.

    Raises
    ------
    InvalidInputError
        If a coefficient differs.
    """
    loss, number, weight = _CHARACTERISTICS[regime]
    hierarchy = moment_taylor(
        ContractedLoss.parse(loss), number=number, weight=weight, symmetric=True
    )
    for s, (mine, other) in enumerate(
        zip(solution.coefficients(_COMPARED), hierarchy, strict=False)
    ):
        if mine != other:
            raise InvalidInputError(
                f"regime {regime}: its formula differs from its moment characteristics at s = {s}; "
                "correct it"
            )
    return DerivationStep(
        "Comparison",
        rf"[\tau^s]\,\mathbf{{E}}[L] = [\tau^s]\left(\tfrac p2 + {number}\,\ell(z(\tau))\right)"
        rf",\quad s = 0, \ldots, {_COMPARED - 1}",
        "The Taylor coefficients of the formula are those of the infinite system, exactly.",
    )


def derived_face(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    """The solution of a face by its formula."""
    solution = closed_form(
        _FACES[regime](),
        problem=problem.title,
        regime=regime,
        source="ours",
        derivation=_STEPS[regime],
        validity=UNTIL_BLOW_UP if regime in _CHARACTERISTICS else EARLY_TIMES,
    )
    if regime == "C-D":
        solution = replace(solution, taylor=mean_field_taylor)
    if regime in _CHARACTERISTICS:
        step = against_hierarchy(regime, solution)
        solution = replace(solution, derivation=(*solution.derivation, step))
    return solution


SOLVERS = (
    Solver(
        title="ASYM of order 2: mean field, few ranks and small initialisation",
        source="ours",
        applies=_applies,
        derive=derived_face,
        solved=(
            Solved(
                model="ASYM order 2",
                regimes=("C-D", "E-A"),
                method="closed form",
                holds="until ascent blows up",
                example=lambda: cp(order=2),
            ),
            Solved(
                model="ASYM order 2",
                regimes=("D", "E", "D-E"),
                method="closed form",
                holds="early times",
                example=lambda: cp(order=2),
            ),
        ),
    ),
)
