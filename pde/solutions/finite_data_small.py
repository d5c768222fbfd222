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
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Solution
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


# -- the hierarchy, exactly ------------------------------------------------------------------------


def _initial(k: int) -> Polynomial:
    """z^k Σ_b N(k, b) y^b in p, H and sigma2."""
    if k == 0:
        return Polynomial({(): 1})
    return Polynomial(
        {
            tuple(
                (name, power) for name, power in (("H", b), ("p", k - b), ("sigma2", k)) if power
            ): comb(k, b) * comb(k, b - 1) // k
            for b in range(1, k + 1)
        }
    )


def hierarchy(last: int, *, with_target: bool) -> list[list[Polynomial]]:
    """Taylor coefficients in ϑ: row k holds those of m_k, up to the order last for m_1, m_2, m_3.

    Parameters
    ----------
    last : int
        The largest order.
    with_target : bool
        False on the edge with free.

    Examples
    --------
    >>> rows = hierarchy(1, with_target=True)
    >>> print(rows[1][0])
    H*sigma2
    """
    top = last + 3
    rows = [[_initial(k)] for k in range(top + 1)]
    rows[0] += [Polynomial()] * last
    for order in range(last):
        # m_k' contains m_{k+1}: with every order one k less is known.
        for k in range(1, top - order):
            total = Polynomial()
            for i in range(k):
                total += _convolution(rows[i + 2], rows[k - 1 - i], order) * -1
                total += _convolution(rows[i + 1], rows[k - i], order) * -2
                total += _convolution(rows[i], rows[k - i + 1], order) * -1
                if with_target:
                    total += _convolution(rows[i + 1], rows[k - 1 - i], order) * 2
                    total += _convolution(rows[i], rows[k - i], order) * 2
            rows[k].append(total * Fraction(1, order + 1))
    return rows


def _convolution(a: list[Polynomial], b: list[Polynomial], order: int) -> Polynomial:
    return sum((a[j] * b[order - j] for j in range(order + 1)), start=Polynomial())


def _taylor(loss: Loss, *, with_target: bool) -> Iterator[Polynomial]:
    # Each coefficient costs about as much as all before it.
    done, number = 0, 4
    while True:
        whole = _coefficients(loss, number, with_target=with_target)
        yield from whole[done:]
        done, number = number, number + 1


def _coefficients(loss: Loss, number: int, *, with_target: bool) -> list[Polynomial]:
    rows = hierarchy(number - 1, with_target=with_target)
    p = Polynomial({(("p", 1),): 1})
    ratio = Polynomial({(("N", -1), ("p", 1)): 1})
    N = Polynomial({(("N", 1),): 1})
    result: list[Polynomial] = []
    power = Polynomial({(): 1})
    for s in range(number):
        half = _half_square(rows, s, with_target=with_target)
        if loss == "train" or not s:
            value = p * half * factorial(s)
        else:
            value = N * _rate(rows, s - 1, with_target=with_target) * factorial(s - 1)
        result.append(value * power)
        power = power * ratio
    return result


def _half_square(rows: list[list[Polynomial]], s: int, *, with_target: bool) -> Polynomial:
    """½(1 - 2m_1 + m_2), or ½m_2."""
    square = rows[2][s]
    if with_target:
        square = square - rows[1][s] * 2 + rows[0][s]
    return square * Fraction(1, 2)


def _rate(rows: list[list[Polynomial]], s: int, *, with_target: bool) -> Polynomial:
    """-4(m_1 - 2m_2 + m_3), or -4m_3."""
    if not with_target:
        return rows[3][s] * -4
    return (rows[1][s] - rows[2][s] * 2 + rows[3][s]) * -4


# -- the curve -------------------------------------------------------------------------------------


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
        taylor=lambda: _taylor(loss, with_target=with_target),
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
