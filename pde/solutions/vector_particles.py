"""ASYM of order 3 and higher: solvers of the two faces that are vector particles.

An edge of the pentagon, C-D or E-A, has moment characteristics, and the vertex of smallest
initialisation on it, D or E, keeps the lowest power of the variance in every coefficient. Both are
formal series; their exact coefficients are resummed where approximants agree.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series_exponents import pure_target_of
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.taylor import lowest_variance
from pde.resummed_series import series_solution
from pde.solver import Solved, Solver, cp_model

__all__ = ["TERMS", "vector_particle_solver"]

TERMS = 24
"""Coefficients that are summed."""


def vector_particle_solver(
    *,
    title: str,
    edge: str,
    vertex: str,
    taylor: Callable[[int], Iterator[Polynomial]],
    steps: Callable[[int], tuple[DerivationStep, ...]],
) -> Solver:
    """The solver of an edge and of the vertex of smallest initialisation on it.

    Parameters
    ----------
    title : str
    edge, vertex : str
        Names of the regimes.
    taylor : callable
        From the order to the coefficients of the loss on the edge, times s!.
    steps : callable
        From the order to the derivation.
    """

    def applies(problem: Problem, regime: str) -> bool:
        model = cp_model(problem)
        return (
            model is not None
            and not model.symmetric
            and model.order >= 3
            and model.target == "identity"
            and regime in {edge, vertex}
        )

    def derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
        model = cp_model(problem)
        order = 0 if model is None else model.order

        def coefficients() -> Iterator[Polynomial]:
            whole = taylor(order)
            return map(lowest_variance, whole) if regime == vertex else whole

        return series_solution(
            problem=problem.title,
            regime=regime,
            source="ours",
            derivation=steps(order),
            taylor=coefficients,
            number=TERMS,
            method=Method.MOMENTS,
            pure_target=pure_target_of(problem, problem.loss_name),
            # The averages over the particle are formal series in both directions of time.
            asymptotic=True,
        )

    solved = Solved(
        model="ASYM order from 3 on",
        regimes=(edge, vertex),
        method="moment characteristics, resummed",
        holds="where approximants agree",
        example=lambda: cp(order=3),
    )
    return Solver(title=title, source="ours", applies=applies, derive=derive, solved=(solved,))
