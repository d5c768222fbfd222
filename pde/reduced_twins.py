r"""Regimes that share their reduced potential with one that is solved.

Effective dynamics (`expansion.dynamics`) makes the loss of a regime a sum of products of cores, its
reduced potential. The flow of the cores follows from it, and from the law of the weights. So two
problems whose reduced potentials in a regime are equal, up to names and units, have the same
leading dynamics there, whatever else stands in their losses: the tied autoencoder on many data has
that of the tied autoencoder without data, and one on few data whose decay does not lead has that
without decay. What is solved for one is solved for the other.

Equal potentials are compared as losses are (`expansion.equal_losses`), and the shared solution is
certified by the exact coefficients of the regime that it is given to, like any other.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import product

from diagrams.components import disjoint_union
from diagrams.diagram import Diagram
from diagrams.variances import Powers
from expansion.dynamics.derivation import EffectiveDynamics, derive
from expansion.dynamics.hierarchy import CoreTerm
from expansion.equal_losses import Side, Terms, compared
from expansion.leading import LeadingSeries
from expansion.models import cp, tied_autoencoder
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

__all__ = ["KNOWN", "SolvedPotential", "known_dynamics", "shape_of", "shared_solution"]

_TERMS = 4
"""The last coefficient of the map of a known problem: its regimes are known."""

_FEWEST = 3
"""So many coefficients have to be the same."""

Shape = tuple[tuple[tuple[int, int], ...], ...]
"""Of every term of a potential the numbers of weights and of other tensors in each of its cores."""


@dataclass(frozen=True, slots=True)
class SolvedPotential:
    """Regimes that are solved although the cores of their potentials, all of one shape, are words.

    Parameters
    ----------
    problem : callable
        Makes their problem.
    shape : tuple
        The shape of their potentials, at which other potentials are sorted out.
    regimes : tuple of str
    """

    problem: Callable[[], Problem]
    shape: Shape
    regimes: tuple[str, ...]


_WORD, _SQUARE, _ON_DATA, _SQUARE_ON_DATA = ((2, 0),), ((4, 0),), ((2, 2),), ((4, 2),)


def _one_matrix() -> Problem:
    return cp(order=2, symmetric=True)


def _on_data() -> Problem:
    return tied_autoencoder(data=True)


KNOWN = (
    SolvedPotential(_one_matrix, (_WORD, _SQUARE), ("A-B-E",)),
    SolvedPotential(_one_matrix, (_SQUARE,), ("A-B",)),
    SolvedPotential(
        _on_data,
        (_ON_DATA, _SQUARE_ON_DATA),
        ("mean-field", "small-data", "small-data & mean-field"),
    ),
    SolvedPotential(
        _on_data,
        (_SQUARE_ON_DATA,),
        ("mean-field & free", "small-data & free", "small-data & mean-field & free"),
    ),
    SolvedPotential(_on_data, (((2, 0), (2, 2)), _ON_DATA), ("narrow-latent",)),
    SolvedPotential(_on_data, (((2, 0), (2, 2)),), ("narrow-latent & free",)),
    SolvedPotential(_on_data, (_ON_DATA,), ("mean-field & narrow-latent",)),
)
"""What other regimes are compared with."""


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
    shape = shape_of(dynamics)
    for known in KNOWN:
        if known.shape != shape:
            continue
        problem = known.problem()
        if itself is not None and itself.preset == problem:
            continue
        for name, loss in product(known.regimes, problem.losses):
            solved = _compared(mine, problem, loss, name, dynamics, wanted)
            if solved is not None:
                return solved
    return None


def _compared(
    mine: Sequence[Side],
    problem: Problem,
    loss: str,
    name: str,
    dynamics: EffectiveDynamics,
    wanted: Sequence[Polynomial],
) -> Solution | None:
    """The solution of a regime of another problem, if the potentials and outputs are equal."""
    other, regime_set = known_dynamics(problem, loss, name)
    still = LeadingSeries(regime_set, regime_set[name]).pure_target
    degree = sum(1 for t, _ in problem.model[0].factors if t.is_learnable)
    for one, each in zip(mine, (still, Polynomial()), strict=True):
        found = compared(one, _side(other, each), degree=degree)
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
            losses=((dynamics.loss, loss),),
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


@lru_cache(maxsize=16)
def known_dynamics(problem: Problem, loss: str, name: str) -> tuple[EffectiveDynamics, Regimes]:
    """The derivation of a known regime, and the map of its problem.

    Parameters
    ----------
    problem : Problem
    loss, name : str
        What is followed, and the regime.
    """
    regime_set = _regimes(problem, loss)
    return derive(regime_set, name, budget=Budget(diagrams=20_000)), regime_set


@lru_cache(maxsize=4)
def _regimes(problem: Problem, loss: str) -> Regimes:
    return regimes(problem, loss=loss, terms=_TERMS)


def shape_of(dynamics: EffectiveDynamics) -> Shape:
    """The shape of a reduced potential; equal ones have the same."""
    return tuple(
        sorted(tuple(sorted(_numbers(core) for core in term.cores)) for term in dynamics.potential)
    )


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


def _numbers(core: Diagram) -> tuple[int, int]:
    weights = sum(tensor.is_learnable for tensor, _ in core.factors)
    return weights, len(core.factors) - weights
