r"""Finite data, N ≪ p: small-data and its edge with free, by a moment hierarchy.

The data are orthogonal to each other, S → (p/N) P with a projector P of rank N, and each of them
sees the mean of the others. With m_k = xᵀA^k x/|x|² for one of them, in the time ϑ = τp/N,

    m_k' = Σ_{i<k} [2(m_{i+1}m_{k-1-i} + m_i m_{k-i})
                    - (m_{i+2}m_{k-1-i} + 2m_{i+1}m_{k-i} + m_i m_{k-i+1})],
    m_k(0) = z^k Σ_b N(k, b) y^b,

    L_train ~ ½p(1 - 2m_1 + m_2),    L_pop' = -4N(m_1 - 2m_2 + m_3).

On the edge with free only the second line of the sum is left, and L_train ~ ½p m_2,
L_pop' = -4N m_3.

Numerically, m_k = e_1ᵀA^k e_1 for the Jacobi matrix A of these moments (diagonal zy, z(1+y),
z(1+y), ..., beside it z√y), whose flow `pde.moments.jacobi_flow` integrates by its eigenvalues and
weights.

At rest every weight is on an eigenvalue 0 or 1. The loss tends to 0 unless A has a kernel, y < 1,
and x can be pushed into it: where w → 1 at μ = 0 the others change like (log w_j)' = 2(2 - μ_j), so
that is stable if all of them are above 2, z(1 - √y)² > 2.

Source: ours.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import tied_autoencoder
from expansion.problem import Problem
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.moments.few_data import few_data_taylor, hierarchy
from pde.moments.jacobi_flow import ACCURACY, closure_error, data_moments
from pde.solutions.finite_data import (
    POPULATION,
    SOURCE,
    Loss,
    Numbers,
    is_finite_data,
    loss_of,
)
from pde.solver import Solved, Solver

__all__ = ["SOLVERS", "closure_error", "data_moments", "hierarchy"]

SIZES = (40, 60, 90)
"""Rows of the Jacobi matrices; the largest gives the values."""

_REASON = "because only gradient descent is integrated"


def _curve(parameters: Parameters, loss: Loss, *, with_target: bool) -> Curve:
    n = Numbers.of(parameters)

    def at(times: FloatArray, size: int) -> FloatArray:
        half, moved = data_moments(
            n.z, n.y, n.r * times / n.T, size=size, with_target=with_target, unit=n.T / n.r
        )
        values: FloatArray = n.p * half if loss == "train" else n.p * half[0] + n.N * moved
        return values

    @lru_cache(maxsize=4)
    def values_and_errors(times: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
        # From time 0 on, where the population loss is known.
        grid = np.array([0.0, *times])
        values = [at(grid, size) for size in SIZES]
        return values[-1], closure_error(values)

    def in_order(t: FloatArray) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
        order = np.argsort(t)
        return (order, *values_and_errors(tuple(float(x) for x in t[order])))

    def errors(t: FloatArray) -> FloatArray:
        order, _, error = in_order(t)
        result = np.empty(t.shape)
        result[order] = error[1:]
        return result

    def evaluate(t: FloatArray) -> FloatArray:
        order, values, error = in_order(t)
        refused = np.flatnonzero(~(error[1:] <= ACCURACY * np.max(np.abs(values))))
        if refused.size:
            raise InvalidInputError(
                f"t = {float(t[order][refused[0]]):g}: {SIZES[-2]} and {SIZES[-1]} rows of the "
                "moment hierarchy give different losses; give earlier times"
            )
        result = np.empty(t.shape)
        result[order] = values[1:]
        return result

    return Curve(
        evaluate=evaluate,
        domain=Domain(start=0.0, reason=_REASON),
        error_estimate=ACCURACY * n.p / 2,
        errors=errors,
        limits=(None, 0.0 if loss == "train" and _learns_all(n, with_target) else None),
    )


def _learns_all(n: Numbers, with_target: bool) -> bool:
    """Whether the train loss is known to tend to 0."""
    return not with_target or n.y >= 1 or n.z * (1 - math.sqrt(n.y)) ** 2 < 2


_STEPS = {
    True: (
        DerivationStep(
            "Few data",
            r"S \to \tfrac pN P,\quad \operatorname{rank}P = N \ll p,\qquad m_k = "
            r"\frac{x^{T}A^kx}{|x|^2},\qquad \vartheta = \tau\,p/N",
            "The data are orthogonal, and each sees the mean of the others.",
        ),
        DerivationStep(
            "Moment hierarchy",
            r"m_k' = \sum_{i<k}\bigl[2(m_{i+1}m_{k-1-i}+m_im_{k-i}) - (m_{i+2}m_{k-1-i}"
            r"+2m_{i+1}m_{k-i}+m_im_{k-i+1})\bigr]",
            "It begins with the moments of the Marchenko-Pastur law of A.",
        ),
        DerivationStep(
            "Loss",
            r"L_{\mathrm{train}} \sim \tfrac p2(1-2m_1+m_2),\qquad "
            r"\tfrac{d}{d\vartheta}L_{\mathrm{pop}} \sim -4N(m_1-2m_2+m_3)",
            "Integrated for the spectrum of the Jacobi matrix of the moments, at three sizes.",
        ),
    ),
    False: (
        DerivationStep(
            "Few data, no target",
            r"m_k' = -\sum_{i<k}(m_{i+2}m_{k-1-i}+2m_{i+1}m_{k-i}+m_im_{k-i+1}),\qquad "
            r"\vartheta = \tau\,p/N",
            "The hierarchy of small-data with its largest powers only.",
        ),
        DerivationStep(
            "Loss",
            r"L_{\mathrm{train}} \sim \tfrac p2m_2,\qquad "
            r"\tfrac{d}{d\vartheta}L_{\mathrm{pop}} \sim -4Nm_3",
            "Integrated for the spectrum of the Jacobi matrix of the moments, at three sizes.",
        ),
    ),
}


def _applies(problem: Problem, regime: str) -> bool:
    return is_finite_data(problem) and regime in {"small-data", "small-data & free"}


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    loss, with_target = loss_of(leading), regime == "small-data"
    return Solution(
        problem=problem.title,
        regime=regime,
        method=Method.MOMENTS,
        source=SOURCE,
        formula=None,
        derivation=_STEPS[with_target],
        taylor=lambda: few_data_taylor(loss, with_target=with_target),
        curve=lambda parameters: _curve(parameters, loss, with_target=with_target),
        validity="t >= 0",
    )


SOLVERS = (
    Solver(
        title="Tied autoencoder on few data: a moment hierarchy",
        source=SOURCE,
        applies=_applies,
        derive=_derive,
        losses=(POPULATION,),
        solved=(
            Solved(
                model="tied autoencoder on data",
                regimes=("small-data", "small-data & free"),
                method="a moment hierarchy, integrated",
                holds="t ≥ 0",
                example=lambda: tied_autoencoder(data=True),
            ),
        ),
    ),
)
