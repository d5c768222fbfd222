"""How far a run is from the mean: the leading variance of a regime, summed, and higher cumulants.

A map of ``cumulant(loss, 2)`` has regimes of its own. In each of them the variance has the
coefficients of `expansion.dynamics.fluctuations`, from the hierarchy of the loss at the same
scalings; they are certified with the exact ones and summed like those of a loss. Coefficients of
lower order than the natural T asks for, every second one in some regimes, are left out. Cumulants
of order three and four are those of `expansion.dynamics.connected`, likewise.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> problem = cp(order=2, symmetric=True)
>>> regime_set = regimes(problem, loss="cumulant(train, 2)", terms=4)
>>> summary, solved = variance_solution(regime_set, "E")
>>> solved.certificate.matched
(0, 1, 2, 3, 4)

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement

from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.cumulants import read_cumulant
from expansion.dynamics.averages import Averages
from expansion.dynamics.connected import TREES, cumulant_coefficients
from expansion.dynamics.derivation import EffectiveDynamics, derive
from expansion.dynamics.fluctuations import variance_coefficients
from expansion.dynamics.scales import Scaling
from expansion.leading import LeadingSeries, leading_part
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regime_laws import regimes_at
from expansion.regimes import Regime, Regimes, regimes
from expansion.series import Budget
from pde.evolution import Certificate, DerivationStep, Origin, Solution
from pde.hierarchies import HierarchyKind, HierarchySummary
from pde.systems import series_solution

__all__ = ["DerivedVariance", "derived_variance", "variance_solution"]

_LENGTHS = (6, 8, 12, 16, 20)
"""Numbers of coefficients that are asked for, one after the other."""

_DIAGRAMS = 40_000
"""Diagrams that each of these lengths, and the derivation, may meet."""

_STEP = DerivationStep(
    "Fluctuations of the start",
    r"\operatorname{Var} L = \sum_{c, c'} \frac{\partial L}{\partial c(0)} "
    r"\frac{\partial L}{\partial c'(0)} \operatorname{Cov}(c, c')",
    "To first order in the deviations of the cores c at t = 0, whose covariances are exact.",
)


_TREES = DerivationStep(
    "Fluctuations of the start",
    r"\kappa_3 = L_a L_b L_c C_{abc} + 3 L_{ab} L_c L_d C_{ac} C_{bd}, \qquad "
    r"\kappa_4 = L_a L_b L_c L_d C_{abcd} + \dots",
    "Trees of derivatives by the initial values of the cores and of their exact joint cumulants.",
)

_ORDERS = (2, *TREES)
"""The orders of cumulants that are derived."""


@dataclass(frozen=True)
class DerivedVariance:
    """The variance of a regime, or a higher cumulant, from the dynamics of the quantity itself.

    Parameters
    ----------
    name : str
        The cumulant.
    regime : str
        The regime of its map.
    dynamics : EffectiveDynamics
        That of the quantity at the same scalings.
    covariances : tuple of (Diagram, Diagram, Polynomial)
        The leading parts of the covariances at time zero of the cores of the output, if not zero.
    coefficients : tuple of Polynomial
        The leading parts of V_0, V_1, ...; zero where they are of lower order than the dynamics.
    certificate : Certificate
        Which of them are the exact ones.
    """

    name: str
    regime: str
    dynamics: EffectiveDynamics
    covariances: tuple[tuple[Diagram, Diagram, Polynomial], ...]
    coefficients: tuple[Polynomial, ...]
    certificate: Certificate


def derived_variance(regime_set: Regimes, name: str) -> DerivedVariance:
    """The variance, or a higher cumulant, in a regime of its map, from fluctuations of the start.

    Parameters
    ----------
    regime_set : Regimes
        The map of a cumulant of order two to four.
    name : str
        A regime of it.

    Raises
    ------
    InvalidInputError
        If cores are random to leading order, grow beyond their scales, or their dynamics is not
        certified.
    BudgetExceededError
        If the work is too much.
    """
    exponents = regime_set.exponents
    problem, loss, regime = exponents.problem, exponents.loss, regime_set[name]
    quantity, order = read_cumulant(loss or "")
    if problem is None or loss is None or order not in _ORDERS:
        raise InvalidInputError(
            f"variance of regime {regime.name}: is derived on the map of a cumulant of order two, "
            "three or four; give that map"
        )
    dynamics = _dynamics(regime_set, regime, problem, quantity)
    rows = _rows(dynamics, regime, order, known=len(exponents.coefficients))
    scaling: dict[str, int | Fraction] = {
        symbol: Fraction(power)
        for symbol, power in zip(dynamics.regime.symbols, dynamics.regime.scaling, strict=True)
    }
    cores = sorted({core for term in dynamics.output for core in term.cores})
    pairs = (
        (a, b, leading_part(Polynomial(dynamics.scales.fluctuation(a, b)), scaling))
        for a, b in combinations_with_replacement(cores, 2)
    )
    return DerivedVariance(
        loss,
        regime.name,
        dynamics,
        tuple((a, b, value) for a, b, value in pairs if len(value)),
        rows,
        _certificate(regime_set, regime, rows),
    )


def variance_solution(regime_set: Regimes, name: str) -> tuple[HierarchySummary, Solution | None]:
    """The hierarchy behind the variance in a regime, and its certified sum if there is one.

    Parameters
    ----------
    regime_set : Regimes
        The map of a cumulant of order two to four.
    name : str
        A regime of it.
    """
    try:
        found = derived_variance(regime_set, name)
    except (InvalidInputError, BudgetExceededError) as error:
        return HierarchySummary(remark=str(error)), None
    dynamics, rows, certificate = found.dynamics, found.coefficients, found.certificate
    problem = dynamics.problem
    step = _STEP if read_cumulant(found.name)[1] == 2 else _TREES
    if not certificate.holds:
        remark = "the fluctuations of its cores do not give the exact coefficients"
        return HierarchySummary(remark=remark), None
    solved = series_solution(
        rows, number=len(rows), problem=problem.title, regime=found.regime, derivation=(step,)
    )
    summary = HierarchySummary(HierarchyKind[dynamics.kind.name], len(dynamics.cores))
    return summary, replace(
        solved, origin=Origin.DERIVED, certificate=certificate, hierarchy=summary
    )


def _dynamics(
    regime_set: Regimes, regime: Regime, problem: Problem, loss: str
) -> EffectiveDynamics:
    """That of the loss at the scalings of the regime."""
    base = _map(problem, loss, regime_set.exponents.last)
    (place,) = regimes_at(base, regime.scaling)
    return derive(
        base,
        place.name,
        budget=Budget(diagrams=_DIAGRAMS),
        averages=_averages(problem, loss),
    )


@lru_cache(maxsize=2)
def _map(problem: Problem, loss: str, last: int) -> Regimes:
    """The map of the loss, which all regimes of its variance share."""
    return regimes(problem, loss=None if loss == problem.loss_name else loss, terms=last)


@lru_cache(maxsize=2)
def _averages(problem: Problem, loss: str) -> Averages:
    """The table of means; every tensor fluctuates for itself."""
    generator = problem.dynamics.generator
    return Averages(generator, problem.quantity(loss).diagrams, exchange=False)


def _rows(
    dynamics: EffectiveDynamics, regime: Regime, order: int, *, known: int
) -> tuple[Polynomial, ...]:
    """As many coefficients as the budget allows, at least those that the certificate needs."""
    rows: tuple[Polynomial, ...] = ()
    for length in sorted({known, *(n for n in _LENGTHS if n > known)}):
        try:
            rows = (
                variance_coefficients(dynamics, length - 1, diagrams=_DIAGRAMS)
                if order == 2
                else cumulant_coefficients(dynamics, order, length - 1, diagrams=_DIAGRAMS)
            )
        except BudgetExceededError:
            if not rows:
                raise
            break
    alpha = dict(zip(regime.symbols, map(Fraction, regime.scaling), strict=True))
    time = sum((alpha.get(name, 0) * k for name, k in regime.natural_time), Fraction(0))
    scaling = Scaling(alpha, time)
    orders = [scaling.top(dict(row)) for row in rows]
    level = max(
        (order - s * time for s, order in enumerate(orders) if order is not None), default=None
    )
    return tuple(
        row if order is not None and order - s * time == level else Polynomial()
        for s, (row, order) in enumerate(zip(rows, orders, strict=True))
    )


def _certificate(regime_set: Regimes, regime: Regime, rows: tuple[Polynomial, ...]) -> Certificate:
    leading = LeadingSeries(regime_set, regime)
    exact = [
        leading[s] if s in regime_set.polyhedra else Polynomial()
        for s in range(len(regime_set.exponents.coefficients))
    ]
    pairs = list(zip(rows, exact, strict=False))
    left_out = tuple(s for s, (row, wanted) in enumerate(pairs) if len(wanted) and not len(row))
    compared = tuple(s for s, (row, _) in enumerate(pairs) if len(row))
    matched = tuple(s for s in compared if pairs[s][0] == pairs[s][1])
    return Certificate(matched, compared, left_out)
