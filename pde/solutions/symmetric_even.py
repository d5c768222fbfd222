r"""SYM, even ν >= 4: A-B-E, E-A, B-E and E by moment characteristics, for gradient ascent.

In these regimes a contracted diagram is described by its edge multiplicities, with the loss
ℓ = ½θ z₂^ν - z_ν for each of H rows, z_m(0) = p E[u^m], and E[L] ~ p/2 + H ℓ. On the triangle
θ = 1 + (ν-1)!! H/p^{ν/2}; on E-A only the 1 is left, on B-E only the second term, and on E, θ = 0.

The particle is du/dτ = ν(u^{ν-1} - θ z₂^{ν-1} u). Without the shared drift v' = ν v^{ν-1}, so that

    v(s) = v (1 - ν(ν-2) s v^{ν-2})^{-1/(ν-2)},    v ~ N(0, 1),

and the rest is `pde.moments.common_drift` with A(s) = K(s) = E[v(s)²], C(s) = E[v(s)^ν] and the
coupling g = ν² θ p^{ν-1}σ^ν. The averages exist for s <= 0 only: for t <= 0, gradient ascent. For t
> 0 a particle that starts at v reaches infinity at s = 1/(ν(ν-2)v^{ν-2}), some at once, and the
formal series diverges.

Ascent lasts for ever if and only if p^{ν-1}σ^ν < ρ* = 1/(ν² θ ∫K^{ν-1}) (integral over s < 0).
Then E[L] → p/2 like |τ|^{-ν/(ν-2)}. Beyond, the loss blows up at a finite time with the exponent
-ν/(ν-1). For ν = 4, ρ*θ = 2.0778094484725803.

>>> round(critical_noise(4), 10)
2.0778094485

Source: ours; for ν = 4 and θ = 1 + 3H/p², Yarotsky, Golikov, Gusev 2026, section 10.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from diagrams.factorials import double_factorial
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.common_drift import FreeParticle, MeanFieldClock
from pde.moments.hierarchy import ContractedLoss
from pde.moments.taylor import moment_taylor
from pde.numerics.gaussian_quadrature import gaussian_rule
from pde.solver import Solved, Solver, cp_model

__all__ = ["SOLVERS", "contracted_loss", "critical_noise", "even_curve", "shape"]

_LEVEL = 5
"""Step of the Gaussian average: exact to rounding for orders up to 10."""

_FACES = {"A-B-E": (1, 1), "E-A": (1, 0), "B-E": (0, 1), "E": (0, 0)}
"""The two terms of θ on a face: 1, and (ν-1)!! H/p^{ν/2}."""

_REASON = (
    "because for t > 0 some particles reach infinity at once and the formal series diverges; only "
    "gradient ascent is summed"
)


def contracted_loss(order: int, regime: str) -> ContractedLoss:
    """ℓ(z), with the symbol theta for θ.

    Examples
    --------
    >>> len(contracted_loss(6, "A-B-E").terms), len(contracted_loss(6, "E").terms)
    (2, 1)
    """
    attraction = f"1/2*theta*z2**{order} " if any(_FACES[regime]) else ""
    return ContractedLoss.parse(f"{attraction}- z{order}")


@lru_cache(maxsize=8)
def shape(order: int) -> FreeParticle:
    """K(s) = E[v(s)²] and E[v(s)^ν] of the particles without the shared drift, s <= 0."""
    rule = gaussian_rule(_LEVEL)
    speed = order * (order - 2)
    powers = rule.nodes ** (order - 2)

    def moment(m: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        weights = rule.weights * rule.nodes**m

        def average(s: NDArray[np.float64]) -> NDArray[np.float64]:
            growth = 1 - speed * np.asarray(s)[..., None] * powers
            return np.asarray(growth ** (-m / (order - 2)) @ weights)

        return average

    scale = 1 / (speed * order ** ((order - 2) / 2))
    return FreeParticle(order=order, scale=scale, square=moment(2), overlap=moment(order))


def critical_noise(order: int, theta: float = 1.0) -> float:
    """ρ*, the p^{ν-1}σ^ν beyond which ascent blows up at a finite time.

    Parameters
    ----------
    order : int
        ν, even, at least 4.
    theta : float, default 1
        θ.
    """
    return float(1 / (order**2 * theta * shape(order).integral))


def _theta(order: int, regime: str, parameters: Parameters) -> Fraction:
    one, other = _FACES[regime]
    ratio = parameters["H"] / parameters["p"] ** (order // 2)
    return one + other * double_factorial(order - 1) * ratio


def even_curve(order: int, regime: str, parameters: Parameters) -> Curve:
    """The curve of a regime of SYM of even order at numbers."""
    p, H, sigma2, T = (parameters[name] for name in ("p", "H", "sigma2", "T"))
    theta = _theta(order, regime, parameters)
    noise = p ** (order - 1) * sigma2 ** (order // 2)
    drift = MeanFieldClock(shape(order), coupling=float(order**2 * theta * noise))
    speed = float(sigma2 ** (order // 2 - 1) / T)
    # The two terms of H l at the start, without their averages of 1.
    attraction = float(H * theta * (p * sigma2) ** order / 2)
    overlap = float(H * p * sigma2 ** (order // 2))

    def evaluate(t: FloatArray) -> FloatArray:
        square, product = drift.square_and_overlap(t * speed)
        return np.asarray(float(p / 2) + attraction * square**order - overlap * product)

    critical = drift.blow_up
    notes: list[tuple[str, float]] = [("theta", float(theta)), ("noise", float(noise))]
    if theta:
        notes.append(("critical noise", critical_noise(order, float(theta))))
    if critical is None:
        return Curve(
            evaluate=evaluate,
            domain=Domain(stop=0.0, reason=_REASON),
            limits=(float(p / 2), None),
            notes=tuple(notes),
        )
    notes.append(("blow-up exponent", -order / (order - 1)))
    start = critical / speed
    reason = f"{_REASON}, and it blows up at t = {start:.6g}"
    return Curve(
        evaluate=evaluate,
        domain=Domain(start=start, stop=0.0, reason=reason),
        limits=(inf, None),
        notes=tuple(notes),
    )


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model is not None
        and model.symmetric
        and model.order >= 4
        and model.order % 2 == 0
        and model.target == "identity"
        and regime in _FACES
    )


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    model = cp_model(problem)
    order = 0 if model is None else model.order
    one, other = _FACES[regime]
    theta = Polynomial({(): one})
    theta += Polynomial({(("H", 1), ("p", -order // 2)): other * double_factorial(order - 1)})
    return Solution(
        problem=problem.title,
        regime=regime,
        method=Method.MOMENTS,
        source="ours; order 4: Yarotsky, Golikov, Gusev 2026, section 10",
        formula=None,
        derivation=_steps(order, theta),
        taylor=lambda: moment_taylor(
            contracted_loss(order, regime),
            number="H",
            weight="p",
            substitutions={"theta": theta},
        ),
        curve=lambda parameters: even_curve(order, regime, parameters),
        validity="t <= 0 (gradient ascent), until the loss blows up",
    )


def _steps(order: int, theta: Polynomial) -> tuple[DerivationStep, ...]:
    nu, k = order, order * (order - 2)
    return (
        DerivationStep(
            "Contracted loss",
            rf"\mathbf{{E}}[L] \sim \frac p2 + H\left(\tfrac12\theta z_2^{{{nu}}} - z_{{{nu}}}"
            rf"\right),\qquad \theta = {theta.latex()}",
            "Optimal contractions commute with merging: edge multiplicities describe a diagram.",
        ),
        DerivationStep(
            "Moment characteristics",
            rf"z_m' = {nu}m\left(z_{{m+{nu - 2}}} - \theta z_2^{{{nu - 1}}} z_m\right),\qquad "
            rf"u' = {nu}\left(u^{{{nu - 1}}} - \theta z_2^{{{nu - 1}}}u\right)",
            "Merging acts on multiplicities as on the moments z_m = p E[u^m] of one particle.",
        ),
        DerivationStep(
            "Particle without the shared drift",
            rf"K(s) = \mathbf{{E}}\left[v^2\left(1-{k}s v^{{{nu - 2}}}\right)"
            rf"^{{-{Fraction(2, nu - 2)}}}\right],\quad v\sim N(0,1)",
            "A Bernoulli equation; the average exists for s <= 0.",
        ),
        DerivationStep(
            "Mean field",
            rf"\chi^{{-{nu}}} = 1 + {nu**2}\theta p^{{{nu - 1}}}\sigma^{{{nu}}}"
            rf"\int_0^s K^{{{nu - 1}}},\qquad ds = (\sigma\chi)^{{{nu - 2}}}d\tau,\qquad "
            r"z_2 = p\sigma^2\chi^2 K(s)",
            "Two quadratures and one inversion.",
        ),
    )


SOLVERS = (
    Solver(
        title="SYM of even order >= 4: moment characteristics, gradient ascent",
        source="ours; order 4: Yarotsky, Golikov, Gusev 2026, section 10",
        applies=_applies,
        derive=_derive,
        solved=(
            Solved(
                model="SYM even order from 4 on",
                regimes=("A-B-E", "E-A", "B-E", "E"),
                method="moment characteristics",
                holds="t ≤ 0",
                example=lambda: cp(order=4, symmetric=True),
            ),
        ),
    ),
)
