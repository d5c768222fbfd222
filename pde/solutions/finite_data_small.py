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
z(1+y), ..., beside it z√y), cut off at n rows, which is Gauss quadrature, and
A' = AM + MA with M = (I-A)S + S(I-A), S = e_1e_1ᵀ. Two sizes n give the error.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import comb, factorial

import numpy as np
from scipy.integrate import DOP853

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.deadline import check_time
from pde.evolution import Method, Solution, Step
from pde.solutions.finite_data import (
    POPULATION,
    SOURCE,
    Loss,
    Numbers,
    is_finite_data,
    loss_of,
)
from pde.solver import Solver

__all__ = ["SOLVERS", "closure_error", "data_moments", "hierarchy"]

SIZES = (40, 60)
"""Rows of the two Jacobi matrices."""

_TOLERANCE = 1e-12
_MOST_STEPS = 20_000
_AT_REST = 1e-14
"""A total change below this is none."""

_ACCURACY = 1e-6
"""Largest relative difference between the two sizes that is accepted."""

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
            rows[k].append(Polynomial({m: c / (order + 1) for m, c in total}))
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
    return Polynomial({m: c / 2 for m, c in square})


def _rate(rows: list[list[Polynomial]], s: int, *, with_target: bool) -> Polynomial:
    """-4(m_1 - 2m_2 + m_3), or -4m_3."""
    if not with_target:
        return rows[3][s] * -4
    return (rows[1][s] - rows[2][s] * 2 + rows[3][s]) * -4


# -- the Jacobi matrix, numerically ----------------------------------------------------------------


def data_moments(
    z: float,
    y: float,
    times: FloatArray,
    *,
    size: int,
    with_target: bool = True,
    unit: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """½(1 - 2m_1 + m_2) and -4∫(m_1 - 2m_2 + m_3) at increasing times ϑ >= 0.

    Parameters
    ----------
    z, y : float
        pσ² and H/p.
    times : numpy.ndarray
        ϑ, increasing, not negative.
    size : int
        Rows of the Jacobi matrix.
    with_target : bool, default True
        False for ½m_2 and -4∫m_3.
    unit : float, default 1
        The time t at ϑ = 1, for messages.

    Examples
    --------
    >>> half, moved = data_moments(1.0, 1.0, np.array([0.0, 50.0]), size=40)
    >>> round(float(half[0]), 12), round(float(moved[1]), 8)
    (0.5, -1.12837536)
    """
    one = 1.0 if with_target else 0.0
    A = np.diag(np.full(size, z * (1 + y)))
    A[0, 0] = z * y
    beside = np.arange(size - 1)
    A[beside, beside + 1] = A[beside + 1, beside] = z * np.sqrt(y)

    def derivative(_: float, state: FloatArray) -> FloatArray:
        A = state[1:].reshape(size, size)
        first = A[0]
        v = -first.copy()
        v[0] += one
        Av = A @ v
        moved = np.outer(first, v)
        moved += moved.T
        moved[:, 0] += Av
        moved[0] += Av
        # (I - A) A (I - A) in the corner, with 0 in place of I without a target.
        change: FloatArray = np.concatenate(([-4 * (v @ Av)], moved.ravel()))
        return change

    def observed(state: FloatArray) -> tuple[float, float]:
        first = state[1 : size + 1]
        rest = float(first[1:] @ first[1:])
        return ((one - first[0]) ** 2 + rest) / 2, float(state[0])

    state = np.concatenate(([0.0], A.ravel()))
    values = np.array([observed(state)] * len(times))
    late = np.flatnonzero(times > 0)
    if not late.size:
        return values[:, 0], values[:, 1]
    solver = DOP853(derivative, 0.0, state, float(times[-1]), rtol=_TOLERANCE, atol=_TOLERANCE)
    place, steps = int(late[0]), 0
    while place < len(times):
        check_time(
            f"moment hierarchy of {size} rows",
            f"t = {unit * solver.t:.3g} of {unit * float(times[-1]):.3g}",
        )
        message, steps = solver.step(), steps + 1
        if steps > _MOST_STEPS:
            raise InvalidInputError(
                f"moment hierarchy at z = {z:g}, y = {y:g}: {_MOST_STEPS} steps end at "
                f"{solver.t / times[-1]:.2g} of the last time; give earlier times"
            )
        if solver.status == "failed":
            raise InvalidInputError(
                f"moment hierarchy at z = {z:g}, y = {y:g}: {message}; give earlier times"
            )
        inside = solver.dense_output()
        while place < len(times) and times[place] <= solver.t:
            values[place] = observed(inside(times[place]))
            place += 1
        # At rest: what is left of the way changes nothing, though it costs a step per time unit.
        rest = float(times[-1]) - solver.t
        if rest > 0 and float(np.max(np.abs(derivative(solver.t, solver.y)))) * rest < _AT_REST:
            values[place:] = observed(solver.y)
            break
    return values[:, 0], values[:, 1]


def closure_error(coarse: FloatArray, fine: FloatArray) -> float:
    """The largest difference between two sizes, relative to the largest value."""
    return float(np.max(np.abs(fine - coarse)) / np.max(np.abs(fine)))


def _curve(parameters: Parameters, loss: Loss, *, with_target: bool) -> Curve:
    n = Numbers.of(parameters)

    def at(times: FloatArray, size: int) -> FloatArray:
        half, moved = data_moments(
            n.z, n.y, n.r * times / n.T, size=size, with_target=with_target, unit=n.T / n.r
        )
        values: FloatArray = n.p * half if loss == "train" else n.p * half[0] + n.N * moved
        return values

    @lru_cache(maxsize=4)
    def both(times: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
        # From time 0 on, where the population loss is known.
        grid = np.array([0.0, *times])
        return at(grid, SIZES[1]), at(grid, SIZES[0])

    def errors(t: FloatArray) -> FloatArray:
        order = np.argsort(t)
        fine, coarse = both(tuple(float(x) for x in t[order]))
        result = np.empty_like(fine[1:])
        rounding = 100 * _TOLERANCE * np.max(np.abs(fine))
        result[order] = (np.maximum.accumulate(np.abs(fine - coarse)) + rounding)[1:]
        return result

    def evaluate(t: FloatArray) -> FloatArray:
        order = np.argsort(t)
        fine, coarse = both(tuple(float(x) for x in t[order]))
        if not closure_error(coarse, fine) <= _ACCURACY:
            raise InvalidInputError(
                f"t = {float(t.max()):g}: {SIZES[0]} and {SIZES[1]} rows of the moment hierarchy "
                "give different losses; give earlier times"
            )
        result = np.empty_like(fine[1:])
        result[order] = fine[1:]
        return result

    return Curve(
        evaluate=evaluate,
        domain=Domain(start=0.0, reason=_REASON),
        error_estimate=_ACCURACY * n.p / 2,
        errors=errors,
        limits=(None, 0.0 if loss == "train" else None),
    )


_STEPS = {
    True: (
        Step(
            "Few data",
            r"S \to \tfrac pN P,\quad \operatorname{rank}P = N \ll p,\qquad m_k = "
            r"\frac{x^{T}A^kx}{|x|^2},\qquad \vartheta = \tau\,p/N",
            "The data are orthogonal, and each sees the mean of the others.",
        ),
        Step(
            "Moment hierarchy",
            r"m_k' = \sum_{i<k}\bigl[2(m_{i+1}m_{k-1-i}+m_im_{k-i}) - (m_{i+2}m_{k-1-i}"
            r"+2m_{i+1}m_{k-i}+m_im_{k-i+1})\bigr]",
            "It begins with the moments of the Marchenko-Pastur law of A.",
        ),
        Step(
            "Loss",
            r"L_{\mathrm{train}} \sim \tfrac p2(1-2m_1+m_2),\qquad "
            r"\tfrac{d}{d\vartheta}L_{\mathrm{pop}} \sim -4N(m_1-2m_2+m_3)",
            "Integrated for the Jacobi matrix of the moments, at two sizes.",
        ),
    ),
    False: (
        Step(
            "Few data, no target",
            r"m_k' = -\sum_{i<k}(m_{i+2}m_{k-1-i}+2m_{i+1}m_{k-i}+m_im_{k-i+1}),\qquad "
            r"\vartheta = \tau\,p/N",
            "The hierarchy of small-data with its largest powers only.",
        ),
        Step(
            "Loss",
            r"L_{\mathrm{train}} \sim \tfrac p2m_2,\qquad "
            r"\tfrac{d}{d\vartheta}L_{\mathrm{pop}} \sim -4Nm_3",
            "Integrated for the Jacobi matrix of the moments, at two sizes.",
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
    ),
)
