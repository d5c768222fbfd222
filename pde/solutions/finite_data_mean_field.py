r"""Finite data, many latent dimensions: mean-field, its edges and their vertices.

On mean-field H ≫ p, so that A begins as a_0 = Hσ² times the identity, stays a function of S, and
every eigenvalue λ of S learns by itself: a' = 4λa(1 - a),

    1 - a = (1 - a_0)/(1 - a_0 + a_0 e^{4λτ}),
    L_train ~ ½p ∫ λ(1-a)² dMP_r,    L_pop ~ ½p ∫ (1-a)² dMP_r,    r = p/N,

averages over the Marchenko-Pastur law. Its edges and vertices:

- with free: a = a_0/(1 + 4λa_0τ), the losses ½p ∫ λa² and ½p ∫ a²;
- with narrow-latent: ½p - pa_0 ∫ λe^{4λτ} and ½p - pa_0 ∫ e^{4λτ};
- with small-data: S has N equal eigenvalues r, so that at ϑ = τp/N the train loss is ½p(1-a)² with
  λ = 1, and L_pop moves by ½N [(1-a)² - (1-a_0)²];
- the vertices of the last one with free and with narrow-latent.

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from expansion.leading import LeadingSeries
from expansion.models import tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, closed_form
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.face import UNTIL_BLOW_UP, RegimeFormulas, logistic_pole
from pde.numerics.logistic import logistic_rest
from pde.numerics.marchenko_pastur import averages, edge, moment_in_sizes, precise_average
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
from pde.taylor import symbol, taylor

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = ["SOLVERS"]

_BLOW_UP = "because backwards in time the weights reach infinity there"
_EIGENVALUE = "lam"


# -- averages over the eigenvalues of S ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spectral:
    """A face whose loss is a constant plus scale times an average over λ.

    ``density`` is the formula that is averaged for the population loss; that of the train loss has
    a factor λ. ``values`` evaluates it at columns of times and rows of eigenvalues.

    Here, and here alone, values are written beside their formula. The certified evaluator proves
    digits of every value; an average over thousands of eigenvalues needs digits of the sum, in
    which most values at late times are e^{-8λτ} and less: each of them would be a ball, half a
    minute for a curve. The tests compare the values with those of the evaluator where they count.
    """

    has_target: bool
    scale: Callable[[Symbols], sympy.Expr]
    density: Callable[[Symbols, sympy.Expr], sympy.Expr]
    values: Callable[[Numbers, FloatArray, FloatArray], FloatArray]
    size: Callable[[Numbers], float]
    domain: Callable[[Numbers], Domain]
    late: Callable[[Numbers, Loss], float | None]
    steps: tuple[DerivationStep, ...]


def _logistic_density(q: Symbols, lam: sympy.Expr) -> sympy.Expr:
    import sympy

    return ((1 - q.start) / (1 - q.start + q.start * sympy.exp(4 * lam * q.tau))) ** 2


def _free_density(q: Symbols, lam: sympy.Expr) -> sympy.Expr:
    return (q.start / (1 + 4 * lam * q.start * q.tau)) ** 2


def _small_density(q: Symbols, lam: sympy.Expr) -> sympy.Expr:
    import sympy

    return sympy.exp(4 * lam * q.tau)


def _logistic_domain(n: Numbers) -> Domain:
    if n.start <= 1:
        return Domain()
    start = n.T * math.log1p(-1 / n.start) / (4 * edge(n.r))
    return Domain(start=start, reason=_BLOW_UP)


def _atom(n: Numbers) -> float:
    """The weight of the directions without data."""
    return max(1 - 1 / n.r, 0.0)


_EIGENVECTORS = DerivationStep(
    "Eigenvalues of the data",
    r"A(0) \to a_0 I,\quad a_0 = H\sigma^2,\qquad a' = 4\lambda\, a(1-a)",
    "A commutes with S at the start and therefore always; each eigenvalue learns by itself.",
)
_AVERAGE = DerivationStep(
    "Average",
    r"\lambda = 1 + r + 2\sqrt r\cos\theta,\qquad "
    r"\int f\,d\mathrm{MP}_r = f(0) + \tfrac2\pi\int_0^\pi \sin^2\theta\,"
    r"\tfrac{f(\lambda)-f(0)}{\lambda}\,d\theta,\qquad r = p/N",
    "The eigenvalues of S follow the Marchenko-Pastur law.",
)

_SPECTRAL = {
    "mean-field": _Spectral(
        has_target=False,
        scale=lambda q: q.p / 2,
        density=_logistic_density,
        values=lambda n, t, lam: logistic_rest(n.start, 4 * lam * t / n.T) ** 2,
        size=lambda n: n.p / 2,
        domain=_logistic_domain,
        late=lambda n, loss: 0.0 if loss == "train" else n.p / 2 * _atom(n) * (1 - n.start) ** 2,
        steps=(_EIGENVECTORS, _AVERAGE),
    ),
    "mean-field & free": _Spectral(
        has_target=False,
        scale=lambda q: q.p / 2,
        density=_free_density,
        values=lambda n, t, lam: (n.start / (1 + 4 * lam * n.start * t / n.T)) ** 2,
        size=lambda n: n.p / 2,
        domain=lambda n: Domain(start=-n.T / (4 * n.start * edge(n.r)), reason=_BLOW_UP),
        late=lambda n, loss: 0.0 if loss == "train" else n.p / 2 * _atom(n) * n.start**2,
        steps=(
            _EIGENVECTORS,
            DerivationStep("No target", r"a' = -4\lambda a^2", "Of 1 - a only -a is left."),
            _AVERAGE,
        ),
    ),
    "mean-field & narrow-latent": _Spectral(
        has_target=True,
        scale=lambda q: -q.p * q.start,
        density=_small_density,
        values=lambda n, t, lam: np.exp(4 * lam * t / n.T),
        size=lambda n: -n.p * n.start,
        domain=lambda n: Domain(),
        late=lambda n, loss: None,
        steps=(
            _EIGENVECTORS,
            DerivationStep(
                "Small initialisation", r"a = a_0 e^{4\lambda\tau}", "To first order in a_0."
            ),
            _AVERAGE,
        ),
    ),
}


def _spectral_solution(problem: Problem, regime: str, loss: Loss) -> Solution:
    import sympy

    face, q = _SPECTRAL[regime], Symbols.all()
    lam, theta = symbol(_EIGENVALUE), symbol("theta")
    factor = lam if loss == "train" else sympy.Integer(1)
    density = factor * face.density(q, lam)
    target = q.p / 2 if face.has_target else sympy.Integer(0)
    r = q.p / q.N
    on_circle = 1 + r + 2 * sympy.sqrt(r) * sympy.cos(theta)
    at_zero = density.subs(lam, 0)
    integrand = (sympy.sin(theta) ** 2 * (density - at_zero) / lam).subs(lam, on_circle)
    integral = sympy.Integral(integrand, (theta, 0, sympy.pi)) * 2 / sympy.pi
    formula = target + face.scale(q) * (at_zero + integral)

    def coefficients() -> Iterator[Polynomial]:
        done, number = 0, 8
        while True:
            whole = taylor(target + face.scale(q) * density, number)
            yield from (_averaged(c) for c in whole[done:])
            done, number = number, 2 * number

    return Solution(
        problem=problem.title,
        regime=regime,
        method=Method.CLOSED_FORM,
        source=SOURCE,
        formula=formula,
        derivation=face.steps,
        taylor=coefficients,
        curve=partial(_spectral_curve, face, loss, density),
        validity=EARLY_TIMES if face.has_target else UNTIL_BLOW_UP,
        obeys_bounds=not face.has_target,
    )


def _spectral_curve(
    face: _Spectral, loss: Loss, density: sympy.Expr, parameters: Parameters
) -> Curve:
    """The curve of a face: at every time an average over the spectrum of the data."""
    n = Numbers.of(parameters)
    constant = n.p / 2 if face.has_target else 0.0

    def evaluate(t: FloatArray) -> FloatArray:
        def values(nodes: FloatArray) -> FloatArray:
            with np.errstate(over="ignore"):
                plain = face.values(n, t[:, None], nodes)
            return plain * nodes if loss == "train" else plain

        if not t.size:
            return t
        mean, _ = averages(values, n.r)
        result: FloatArray = constant + face.size(n) * mean
        return result

    def precise(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        return _precise(density, face, parameters, t, digits)

    return Curve(
        evaluate=evaluate,
        domain=face.domain(n),
        precise=precise,
        limits=(None, face.late(n, loss)),
    )


def _averaged(polynomial: Polynomial) -> Polynomial:
    """Powers of λ replaced by moments of the Marchenko-Pastur law."""
    total = Polynomial()
    for powers, coefficient in polynomial:
        table = dict(powers)
        k = table.pop(_EIGENVALUE, 0)
        rest = Polynomial({tuple(sorted(table.items())): coefficient})
        total = total + rest * moment_in_sizes(k)
    return total


def _precise(
    density: sympy.Expr,
    face: _Spectral,
    parameters: Parameters,
    t: mpmath.mpf,
    digits: int,
) -> mpmath.mpf:
    import mpmath
    import sympy

    exact = {name: sympy.Rational(v.numerator, v.denominator) for name, v in parameters.items()}
    values = {symbol(name): value for name, value in exact.items()}
    lam = symbol(_EIGENVALUE)
    function = sympy.lambdify([lam, symbol("t")], density.subs(values), "mpmath")
    q = Symbols.all()
    with mpmath.workdps(digits + 15):
        r = mpmath.mpf(exact["p"].p) / exact["p"].q * exact["N"].q / exact["N"].p
        mean = precise_average(lambda node: mpmath.mpf(function(node, t)), r, digits + 5)
        scale = face.scale(q).subs(values)
        target = (q.p / 2).subs(values) if face.has_target else sympy.Integer(0)
        return _number(target) + _number(scale) * mean


def _number(value: sympy.Expr) -> mpmath.mpf:
    import mpmath

    return mpmath.mpf(int(value.p)) / int(value.q)


# -- few data --------------------------------------------------------------------------------------


_RANK = DerivationStep(
    "Few data",
    r"S \to \tfrac pN P,\quad \operatorname{rank} P = N \ll p,\qquad \vartheta = \tau\,p/N",
    "The data are orthogonal; only the directions that they span move.",
)


def _logistic(q: Symbols, loss: Loss) -> RegimeFormulas:
    import sympy

    a, still = q.start, (1 - q.start) ** 2
    moved = ((1 - a) / (1 - a + a * sympy.exp(4 * q.data_time))) ** 2
    pole = logistic_pole(a, 4 * q.p / q.N)
    if loss == "train":
        return RegimeFormulas(loss=q.p / 2 * moved, blow_up=(pole,), late=sympy.Integer(0))
    return RegimeFormulas(
        loss=q.p / 2 * still + q.N / 2 * (moved - still),
        blow_up=(pole,),
        late=(q.p - q.N) / 2 * still,
    )


def _free(q: Symbols, loss: Loss) -> RegimeFormulas:
    import sympy

    moved = (q.start / (1 + 4 * q.start * q.data_time)) ** 2
    pole = -symbol("T") * q.N / (4 * q.start * q.p)
    if loss == "train":
        return RegimeFormulas(loss=q.p / 2 * moved, blow_up=(pole,), late=sympy.Integer(0))
    return RegimeFormulas(
        loss=q.p / 2 * q.start**2 + q.N / 2 * (moved - q.start**2),
        blow_up=(pole,),
        late=(q.p - q.N) / 2 * q.start**2,
    )


def _small(q: Symbols, loss: Loss) -> RegimeFormulas:
    import sympy

    grown = sympy.exp(4 * q.data_time)
    if loss == "train":
        return RegimeFormulas(loss=q.p / 2 - q.p * q.start * grown)
    return RegimeFormulas(loss=q.p / 2 - q.p * q.start - q.N * q.start * (grown - 1))


_FEW: dict[str, Callable[[Symbols, Loss], RegimeFormulas]] = {
    "small-data & mean-field": _logistic,
    "small-data & mean-field & free": _free,
    "small-data & mean-field & narrow-latent": _small,
}


def _few_solution(problem: Problem, regime: str, loss: Loss) -> Solution:
    return closed_form(
        _FEW[regime](Symbols.all(), loss),
        problem=problem.title,
        regime=regime,
        source=SOURCE,
        derivation=(_EIGENVECTORS, _RANK),
        validity=EARLY_TIMES if regime.endswith("narrow-latent") else UNTIL_BLOW_UP,
    )


def _applies(problem: Problem, regime: str) -> bool:
    return is_finite_data(problem) and (regime in _SPECTRAL or regime in _FEW)


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    make = _spectral_solution if regime in _SPECTRAL else _few_solution
    return make(problem, regime, loss_of(leading))


SOLVERS = (
    Solver(
        title="Tied autoencoder on data, many latent dimensions: logistic curves of eigenvalues",
        source=SOURCE,
        applies=_applies,
        derive=_derive,
        losses=(POPULATION,),
        solved=(
            Solved(
                model="tied autoencoder on data",
                regimes=(*_SPECTRAL, *_FEW),
                method="closed form, averaged over the eigenvalues of the data",
                holds="until ascent blows up; early times with narrow-latent",
                example=lambda: tied_autoencoder(data=True),
            ),
        ),
    ),
)
