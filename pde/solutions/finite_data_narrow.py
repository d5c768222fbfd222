r"""Finite data, few latent dimensions: narrow-latent, its edge with free, and those with few data.

On narrow-latent H ≪ p, the rows of W see each other only through their number. With the averages
w_k = zE e^{-2γ} λ^k e^{2λα} over the Marchenko-Pastur law (z = pσ², r = p/N), in the time t/T,

    w_k' = 2w_{k+1}(2 - w_0) - 2w_1w_k,    w_k(0) = z m_k(r),
    L_train ~ ½p - H w_1(1 - ½w_0),    L_pop ~ ½p - H(w_0 - ½w_0²).

This infinite system of characteristics is two equations, α' = 2 - b and γ' = w_1, with b = w_0, and
has the first integrals 1 - b = (1-z)e^{-4γ} and b²/(1-b) = z²Z²/(1-z). With Z(α) the average of
e^{2λα},

    α' = 2 - b,    γ' = b Z'(α)/2Z(α),    b = z + (1-z)(1 - e^{-4γ}),

in which nothing overflows or cancels. On its edge with free the target drops out,

    w_k' = -2w_{k+1}w_0 - 2w_1w_k,

so that b = zZ² and α' = -b. With few data Z is dominated by one power of r, and both losses are
exponentials of ϑ = τp/N.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import inf, log, sqrt

import numpy as np

from expansion.leading import LeadingSeries
from expansion.models import tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, closed_form
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.face import RegimeFormulas
from pde.moments.narrow_latent import narrow_latent_losses
from pde.numerics.marchenko_pastur import edge, generating_average
from pde.numerics.trajectories import Equation, distance, follow, largest_distance
from pde.solutions.finite_data import (
    POPULATION,
    SOURCE,
    Loss,
    Numbers,
    Symbols,
    is_finite_data,
    loss_of,
)
from pde.solver import Solved, Solver

__all__ = ["SOLVERS", "few_data_face", "generating_average"]

_TOLERANCE = 1e-13
_COARSE_NODES = 1448
_COARSE_TOLERANCE = 1e-11
"""A second path with a coarser average and longer steps gives the error of the first."""

_LONGEST = 1e12
"""How far back a blow-up is looked for, in units of T/min(z, 1)."""

_BLOWN_UP = 1e9
"""From this b on the loss counts as blown up; what is left of the time is about its inverse."""

_REASON = "because backwards in time the weights reach infinity there"


# -- the characteristics, numerically --------------------------------------------------------------


def _equation(n: Numbers, loss: Loss, *, with_target: bool, coarse: bool = False) -> Equation:
    """The equations of α and γ, with the loss and b."""
    Z = generating_average(n.r, number=_COARSE_NODES) if coarse else generating_average(n.r)

    def b_and_w1(state: FloatArray) -> tuple[float, float]:
        logarithm, mean = Z(float(state[0]))
        if with_target:
            b = n.z - (1 - n.z) * float(np.expm1(-4 * state[1]))
        else:
            b = n.z * float(np.exp(2 * logarithm))
        return b, b * mean

    def rate(state: FloatArray) -> FloatArray:
        b, w1 = b_and_w1(state)
        return np.array([(2 if with_target else 0) - b, w1])

    def output(state: FloatArray) -> FloatArray:
        b, w1 = b_and_w1(state)
        other = w1 if loss == "train" else b
        value = n.p / 2 - n.H * other * (1 - b / 2) if with_target else n.H / 2 * b * other
        return np.array([value, b])

    return Equation(
        rate,
        np.zeros(2),
        output,
        tolerance=_COARSE_TOLERANCE if coarse else _TOLERANCE,
        name="characteristics of narrow-latent",
        unit=n.T,
    )


def _blow_up(equation: Equation, *, longest: float) -> float:
    """The time before which b has blown up, minus infinity if it does not in the longest time."""
    path = follow(
        replace(equation, tolerance=1e-10, absolute=1e-12),
        np.array([-longest]),
        going=lambda state: _BLOWN_UP - equation.output(state)[1],
    )
    # Late blow-ups end by steps below the spacing of floating point numbers.
    return path.start


def _curve(parameters: Parameters, loss: Loss, *, with_target: bool) -> Curve:
    n = Numbers.of(parameters)
    fine, coarse = (
        _equation(n, loss, with_target=with_target, coarse=coarse) for coarse in (False, True)
    )
    rounding = 100 * _TOLERANCE * (n.p / 2 if with_target else 0.0)

    def errors(t: FloatArray) -> FloatArray:
        return np.asarray(distance(fine, coarse, t / n.T)[1][:, 0] + rounding)

    domain = Domain()
    if not with_target or n.z > 1:
        start = _blow_up(fine, longest=_LONGEST / min(n.z, 1.0)) * n.T
        domain = Domain(start=start, reason=_REASON) if start > -inf else Domain()
    changing = _times_of_change(n, domain.start / n.T, with_target=with_target)
    return Curve(
        evaluate=lambda t: follow(fine, t / n.T).values[:, 0],
        domain=domain,
        limits=(None, _late(n, loss, with_target=with_target)),
        errors=errors,
        error_estimate=float(largest_distance(fine, coarse, changing)[0]) + rounding,
    )


def _times_of_change(n: Numbers, start: float, *, with_target: bool) -> FloatArray:
    """Times in which what is learnt, or forgotten, is; back to shortly before a blow-up."""
    last = 10 / min(n.z, 1.0) if not with_target else 10 + max(-log(n.z), 0.0)
    first = 0.95 * max(start, -last)
    return np.concatenate([np.linspace(first, 0, 8), np.geomspace(last / 1000, last, 24)])


def _late(n: Numbers, loss: Loss, *, with_target: bool) -> float:
    """The loss as t tends to infinity.

    If there are directions without data, Z stays above their weight 1 - 1/r. Without a target α
    goes back for ever, w_1 tends to 0 and b = zZ² to its least value. With one α goes back first
    for z > 2; then b²/(b-1) = (zZ)²/(z-1) may keep b above 2 for ever, and w_1 tends to 0.
    """
    unseen = max(1 - 1 / n.r, 0.0)
    if not with_target:
        return 0.0 if loss == "train" else n.H / 2 * (n.z * unseen**2) ** 2
    least = (n.z * unseen) ** 2
    if n.z > 2 and least >= 4 * (n.z - 1):
        ratio = least / (n.z - 1)
        b = (ratio + sqrt(ratio * (ratio - 4))) / 2
        return n.p / 2 if loss == "train" else n.p / 2 - n.H * (b - b**2 / 2)
    return n.p / 2 - n.H / 2 * (edge(n.r) if loss == "train" else 1.0)


_HIERARCHY_STEPS = (
    DerivationStep(
        "Infinite system of characteristics",
        r"w_k' = 2w_{k+1}(2 - w_0) - 2w_1w_k,\qquad w_k(0) = z\,m_k(r),\quad z = p\sigma^2",
        "The rows of W act on each other through w_0 and w_1 only; m_k are the moments of the "
        "Marchenko-Pastur law.",
    ),
    DerivationStep(
        "Two equations",
        r"w_k = z e^{-2\gamma}\int\lambda^k e^{2\lambda\alpha}\,d\mathrm{MP}_r(\lambda),\qquad "
        r"\alpha' = 2 - w_0,\quad \gamma' = w_1",
        "Solved by substitution.",
    ),
)
_TARGET_STEPS = (
    DerivationStep("First integral", r"1 - w_0 = (1 - z)\, e^{-4\gamma}", "w_0' = 4w_1(1 - w_0)."),
    DerivationStep(
        "Loss",
        r"L_{\mathrm{train}} \sim \tfrac p2 - H w_1(1 - \tfrac12 w_0),\qquad "
        r"L_{\mathrm{pop}} \sim \tfrac p2 - H(w_0 - \tfrac12 w_0^2)",
        "Integrated numerically; nothing overflows.",
    ),
)
_FREE_STEPS = (
    DerivationStep(
        "No target",
        r"w_0 = z Z(\alpha)^2,\qquad \alpha' = -w_0,\qquad Z(\alpha) = \int e^{2\lambda\alpha}\,"
        r"d\mathrm{MP}_r",
        "Of 2 - w_0 only -w_0 is left, and Z exp(2γ) = 1 is a first integral.",
    ),
    DerivationStep(
        "Loss",
        r"L_{\mathrm{train}} \sim \tfrac H2 w_0w_1,\qquad L_{\mathrm{pop}} \sim \tfrac H2 w_0^2",
        "Integrated numerically.",
    ),
)


def _characteristic_solution(problem: Problem, regime: str, loss: Loss) -> Solution:
    with_target = regime == "narrow-latent"
    return Solution(
        problem=problem.title,
        regime=regime,
        method=Method.CHARACTERISTICS,
        source=SOURCE,
        formula=None,
        derivation=(*_HIERARCHY_STEPS, *(_TARGET_STEPS if with_target else _FREE_STEPS)),
        taylor=lambda: narrow_latent_losses(loss, with_target=with_target),
        curve=lambda parameters: _curve(parameters, loss, with_target=with_target),
        validity="all t >= 0, and t < 0 until the loss blows up",
    )


# -- few data --------------------------------------------------------------------------------------


def few_data_face(
    q: Symbols, loss: Loss, *, with_target: bool, at_rest: bool = False
) -> RegimeFormulas:
    """The loss; where z = 2 is at rest, the limit of the formula, which is 0/0 there."""
    import sympy

    two = 2 if with_target else 0
    rate = 2 * (two - q.z)
    grown = sympy.exp(rate * q.data_time)
    target = q.p / 2 if with_target else sympy.Integer(0)
    start = target - q.H * q.z * (two - q.z) / 2
    decays = q.z > two if with_target else True
    if loss == "train":
        moved = target - q.H * q.z * (two - q.z) / 2 * grown
        return RegimeFormulas(loss=moved, late=sympy.Piecewise((target, decays)))
    one = 1 if with_target else 0
    speed = 4 * q.z * (one - q.z) ** 2 * q.H * q.N / q.p
    if at_rest:
        return RegimeFormulas(loss=start - speed * q.data_time)
    return RegimeFormulas(
        loss=start - speed * (grown - 1) / rate,
        late=sympy.Piecewise((start + speed / rate, decays)),
    )


def _few_taylor(loss: Loss, *, with_target: bool) -> Iterator[Polynomial]:
    """The same from its recurrence C_s = 2(2 - z)(p/N) C_{s-1}, without a division by 2 - z."""
    z = Polynomial({(("p", 1), ("sigma2", 1)): 1})
    one = Polynomial({(): int(with_target)})
    ratio = Polynomial({(("N", -1), ("p", 1)): 1})
    H, half = Polynomial({(("H", 1),): 1}), Fraction(1, 2)
    rate = (one * 2 - z) * ratio * 2
    start = H * z * (one * 2 - z) * -half
    target = Polynomial({(("p", 1),): half}) if with_target else Polynomial()
    yield target + start
    if loss == "train":
        term = start * rate
    else:
        per_data = Polynomial({(("N", 1), ("p", -1)): 1})
        term = H * z * (one - z) * (one - z) * per_data * ratio * -4
    while True:
        yield term
        term = term * rate


def _few_solution(problem: Problem, regime: str, loss: Loss) -> Solution:
    with_target = regime == "small-data & narrow-latent"
    q = Symbols.all()
    face = few_data_face(q, loss, with_target=with_target)
    rest = few_data_face(q, loss, with_target=with_target, at_rest=True)

    def at(parameters: Parameters) -> RegimeFormulas:
        return rest if with_target and parameters["p"] * parameters["sigma2"] == 2 else face

    solution = closed_form(
        face,
        at=at,
        problem=problem.title,
        regime=regime,
        source=SOURCE,
        derivation=(
            *_HIERARCHY_STEPS[:1],
            DerivationStep(
                "Few data",
                r"w_k \to r^{k-1} v_k,\quad k \ge 1,\qquad "
                + (r"v_k' = 2(2-z)\,v_{k+1}" if with_target else r"v_k' = -2z\,v_{k+1}")
                + r",\quad v_k(0) = z,\qquad ' = d/d\vartheta,\quad \vartheta = \tau\, p/N",
                "Of every moment the largest power of r is kept; all v_k are one exponential.",
            ),
        ),
        validity=EARLY_TIMES,
    )
    return replace(solution, taylor=lambda: _few_taylor(loss, with_target=with_target))


_CHARACTERISTIC = {"narrow-latent", "narrow-latent & free"}
_FEW = {"small-data & narrow-latent", "small-data & narrow-latent & free"}


def _applies(problem: Problem, regime: str) -> bool:
    return is_finite_data(problem) and regime in _CHARACTERISTIC | _FEW


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    make = _few_solution if regime in _FEW else _characteristic_solution
    return make(problem, regime, loss_of(leading))


SOLVERS = (
    Solver(
        title="Tied autoencoder on data, few latent dimensions: two characteristic equations",
        source=SOURCE,
        applies=_applies,
        derive=_derive,
        losses=(POPULATION,),
        solved=(
            Solved(
                model="tied autoencoder on data",
                regimes=tuple(sorted(_CHARACTERISTIC)),
                method="two characteristic equations, integrated",
                holds="until ascent blows up",
                example=lambda: tied_autoencoder(data=True),
            ),
            Solved(
                model="tied autoencoder on data",
                regimes=tuple(sorted(_FEW)),
                method="closed form",
                holds="early times",
                example=lambda: tied_autoencoder(data=True),
            ),
        ),
    ),
)
