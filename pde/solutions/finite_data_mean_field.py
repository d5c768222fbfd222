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

from collections.abc import Callable
from typing import TYPE_CHECKING

from expansion.leading import LeadingSeries
from expansion.models import tied_autoencoder
from expansion.problem import Problem
from pde.closed_form import EARLY_TIMES, closed_form, in_blocks
from pde.evolution import DerivationStep, Method, Solution
from pde.face import UNTIL_BLOW_UP, RegimeFormulas, logistic_pole
from pde.solutions.finite_data import (
    POPULATION,
    SOURCE,
    Loss,
    Symbols,
    is_finite_data,
    loss_of,
)
from pde.solver import Solved, Solver
from pde.spectral_formulas import SCALED, SpectralFormulas, largest_eigenvalue, unseen_share
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["SOLVERS", "SPECTRAL"]

_BLOW_UP = "because backwards in time the weights reach infinity there"

# -- averages over the eigenvalues of S ------------------------------------------------------------


def _logistic_average(q: Symbols, loss: Loss) -> SpectralFormulas:
    import sympy

    a, x = q.start, symbol(SCALED)
    return SpectralFormulas(
        scale=q.p / 2,
        density=((1 - a) / (1 - a + a * sympy.exp(4 * x))) ** 2,
        weighted=loss == "train",
        blow_up=(logistic_pole(a, 4 * largest_eigenvalue()),),
        late=_never_seen(q, (1 - a) ** 2, loss),
        reason=_BLOW_UP,
    )


def _free_average(q: Symbols, loss: Loss) -> SpectralFormulas:
    a, x = q.start, symbol(SCALED)
    return SpectralFormulas(
        scale=q.p / 2,
        density=(a / (1 + 4 * a * x)) ** 2,
        weighted=loss == "train",
        blow_up=(-symbol("T") / (4 * a * largest_eigenvalue()),),
        late=_never_seen(q, a**2, loss),
        reason=_BLOW_UP,
    )


def _small_average(q: Symbols, loss: Loss) -> SpectralFormulas:
    import sympy

    return SpectralFormulas(
        constant=q.p / 2,
        scale=-q.p * q.start,
        density=sympy.exp(4 * symbol(SCALED)),
        weighted=loss == "train",
    )


def _never_seen(q: Symbols, at_start: sympy.Expr, loss: Loss) -> sympy.Expr:
    """What the loss tends to: that of directions without data stays as it was."""
    import sympy

    return sympy.Integer(0) if loss == "train" else q.p / 2 * unseen_share() * at_start


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
_NO_TARGET = DerivationStep("No target", r"a' = -4\lambda a^2", "Of 1 - a only -a is left.")
_FIRST_ORDER = DerivationStep(
    "Small initialisation", r"a = a_0 e^{4\lambda\tau}", "To first order in a_0."
)

SPECTRAL: dict[str, Callable[[Symbols, Loss], SpectralFormulas]] = {
    "mean-field": _logistic_average,
    "mean-field & free": _free_average,
    "mean-field & narrow-latent": _small_average,
}
_SPECTRAL_STEPS = {
    "mean-field": (_EIGENVECTORS, _AVERAGE),
    "mean-field & free": (_EIGENVECTORS, _NO_TARGET, _AVERAGE),
    "mean-field & narrow-latent": (_EIGENVECTORS, _FIRST_ORDER, _AVERAGE),
}


def _spectral_solution(problem: Problem, regime: str, loss: Loss) -> Solution:
    formulas = SPECTRAL[regime](Symbols.all(), loss)

    early = regime.endswith("narrow-latent")
    return Solution(
        problem=problem.title,
        regime=regime,
        method=Method.CLOSED_FORM,
        source=SOURCE,
        formula=formulas.formula(),
        derivation=_SPECTRAL_STEPS[regime],
        taylor=lambda: in_blocks(formulas.coefficients),
        curve=formulas.curve,
        validity=EARLY_TIMES if early else UNTIL_BLOW_UP,
        obeys_bounds=not early,
    )


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
    return is_finite_data(problem) and (regime in SPECTRAL or regime in _FEW)


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    make = _spectral_solution if regime in SPECTRAL else _few_solution
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
                regimes=(*SPECTRAL, *_FEW),
                method="closed form, averaged over the eigenvalues of the data",
                holds="until ascent blows up; early times with narrow-latent",
                example=lambda: tied_autoencoder(data=True),
            ),
        ),
    ),
)
