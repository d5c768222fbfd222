r"""Regimes that share their reduced potential with one that is solved.

Effective dynamics (`expansion.dynamics`) makes the loss of a regime a sum of products of cores, its
reduced potential. The flow of the cores follows from it, and from the law of the weights. So two
problems whose reduced potentials in a regime are equal, up to names and units, have the same
leading dynamics there, whatever else stands in their losses: the tied autoencoder on many data has
that of the tied autoencoder without data. What is solved for one is solved for the other.

Equal potentials are compared as losses are (`expansion.equal_losses`), and the shared solution is
certified by the exact coefficients of the regime that it is given to, like any other.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache, reduce

from diagrams.components import disjoint_union
from diagrams.diagram import Diagram
from diagrams.variances import Powers
from expansion.dynamics.derivation import EffectiveDynamics, derive
from expansion.dynamics.hierarchy import CoreTerm
from expansion.equal_losses import Side, Terms, compared
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.recognition import Recognised, recognised
from expansion.regimes import Regimes, regimes
from expansion.rescaling import Rescaling
from expansion.series import Budget
from pde.evolution import DerivationStep, Solution
from pde.solutions import SOLVERS
from pde.translation import translated
from pde.vertex_sums import sum_of_solutions

__all__ = ["shared_solution"]

_TERMS = 4
"""The last coefficient of the map of a known problem: its regimes are known."""

_FEWEST = 3
"""So many coefficients have to be the same."""

KNOWN: tuple[tuple[Callable[[], Problem], tuple[str, ...]], ...] = (
    (lambda: cp(order=2, symmetric=True), ("A-B-E", "A-B")),
)
"""Problems and those of their regimes that have a closed form although their cores are words."""


def shared_solution(
    dynamics: EffectiveDynamics, wanted: Sequence[Polynomial], target: Polynomial
) -> Solution | None:
    """The solution of a regime that has the reduced potential of one that is solved.

    Parameters
    ----------
    dynamics : EffectiveDynamics
        The derivation of the regime, of the loss itself.
    wanted : sequence of Polynomial
        lead(Y_0), lead(Y_1), ... with the pure-target term, which certify the answer.
    target : Polynomial
        The pure-target term.

    Returns
    -------
    Solution or None
        None if there is no such regime of another problem.
    """
    if dynamics.random or dynamics.rate_of_change:
        return None
    mine = [_side(dynamics, still) for still in (target, Polynomial())]
    itself = recognised(dynamics.problem)
    for make, names in KNOWN:
        problem = make()
        if itself is not None and itself.preset == problem:
            continue
        degree = sum(1 for t, _ in problem.model[0].factors if t.is_learnable)
        if {_weights(term.cores) for term in dynamics.potential} - {0, degree, 2 * degree}:
            continue
        for name in names:
            other, regime_set = _known(problem, name)
            still = LeadingSeries(regime_set, regime_set[name]).pure_target
            theirs = [_side(other, each) for each in (still, Polynomial())]
            for one, two in zip(mine, theirs, strict=True):
                found = compared(one, two, degree=degree)
                if found is None or found.sign < 0:
                    continue
                units = Rescaling(
                    values=tuple(sorted(found.values.items())),
                    weights=tuple(n for n in problem.weight_variances if n in found.values),
                    loss=found.losses[0],
                    square=found.square,
                    degree=degree,
                )
                known = Recognised(
                    preset=problem,
                    units=units,
                    losses=((dynamics.loss, problem.loss_name),),
                    factors=(found.losses[1],),
                )
                solved = _shared(known, regime_set, name, dynamics, wanted)
                if solved is not None:
                    return solved
    return None


def _shared(
    known: Recognised,
    regime_set: Regimes,
    name: str,
    dynamics: EffectiveDynamics,
    wanted: Sequence[Polynomial],
) -> Solution | None:
    """The solution of a known regime in other units, if it has the coefficients that are wanted."""
    solver = next((s for s in SOLVERS if s.applies(known.preset, name)), None)
    if solver is None:
        return None
    solution = solver.derive(known.preset, name, LeadingSeries(regime_set, regime_set[name]))
    step = DerivationStep(
        "Equal reduced potentials",
        r"P = \kappa P'",
        f"It has the reduced potential of {known}, regime {name}.",
    )
    moved = translated(solution, known, dynamics.loss)
    rows = moved.coefficients(len(wanted))
    if len(rows) < min(_FEWEST, len(wanted)):
        return None
    # The target has its own measure: a number that does not move.
    still = wanted[0] - rows[0]
    if any({*dict(powers)} & {*dynamics.problem.weight_variances} for powers, _ in still):
        return None
    return sum_of_solutions(
        [moved],
        still,
        wanted,
        problem=dynamics.problem.title,
        regime=dynamics.regime.name,
        derivation=(step, *moved.derivation),
    )


@lru_cache(maxsize=8)
def _known(problem: Problem, name: str) -> tuple[EffectiveDynamics, Regimes]:
    regime_set = regimes(problem, terms=_TERMS)
    return derive(regime_set, name, budget=Budget(diagrams=20_000)), regime_set


def _side(dynamics: EffectiveDynamics, still: Polynomial) -> Side:
    """The reduced potential and the output, with what does not move, as losses."""
    problem = dynamics.problem
    moving = Terms(tuple(_terms(dynamics.potential)), problem.driven.normalisation)
    return Side(
        problem,
        (moving, Terms((*_terms(dynamics.output), *_terms([CoreTerm(still, ())])))),
        frozenset(),
    )


def _terms(terms: Sequence[CoreTerm]) -> Iterator[tuple[Diagram, Fraction, Powers]]:
    for term in terms:
        for powers, c in term.coefficient:
            yield reduce(disjoint_union, term.cores, Diagram(())), c, powers


def _weights(cores: Sequence[Diagram]) -> int:
    return sum(tensor.is_learnable for core in cores for tensor, _ in core.factors)
