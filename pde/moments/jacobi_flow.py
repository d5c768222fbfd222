r"""The flow of a Jacobi matrix that is moved at its first row, by its eigenvalues and weights.

A is a Jacobi matrix, m_k = e_1ᵀA^k e_1 = Σ_j w_j μ_j^k its moments, and A' = AM + MA with
M = (I-A)S + S(I-A), S = e_1e_1ᵀ, or M = -(AS + SA) without a target. Cut off at n rows, which is
Gauss quadrature, its eigenvalues and weights move by

    μ_j' = 4w_j μ_j(1 - μ_j),    (log w_j)' = 2Σ_{i≠j} w_i (μ_i+μ_j)(2-μ_i-μ_j)/(μ_j-μ_i),

and μ_j is a function of K_j = 4∫w_j alone; without a target the constants 1 and 2 in brackets are
0. In K and log w nothing becomes stiff: late times cost no more than early ones. Three sizes n give
the error.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from diagrams.errors import InvalidInputError
from pde.curve import FloatArray
from pde.numerics.trajectories import Equation, follow

__all__ = ["ACCURACY", "closure_error", "data_moments"]

_TOLERANCE = 1e-12
_MOST_STEPS = 20_000
_ROUNDING = 1e-14
"""The share of the largest eigenvalue below which another one is zero."""

ACCURACY = 1e-6
"""Largest relative error that is accepted."""

_SAFETY = 4
"""The estimated error in units of the last change."""

_SETTLES = 0.5
"""A change that is more than this share of the one before is not the last: the sizes do not yet
resolve what decides the loss, such as an edge of the spectrum at 2."""

_SMALL = 1e-8
"""The share of the loss below which a change that does not settle has the error `ACCURACY`."""


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
    A = np.diag(np.full(size, z * (1 + y)))
    A[0, 0] = z * y
    beside = np.arange(size - 1)
    A[beside, beside + 1] = A[beside + 1, beside] = z * np.sqrt(y)
    start, vectors = np.linalg.eigh(A)
    start = np.where(start > _ROUNDING * start[-1], start, 0.0)
    weights = vectors[0] ** 2
    spectrum = _pulled_to_one if with_target else _pulled_to_zero

    def parts(state: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        return np.exp(state[size:-1]), *spectrum(start, state[:size])

    def rate(state: FloatArray) -> FloatArray:
        w, mu, rest = parts(state)
        apart = rest - rest[:, None]
        np.fill_diagonal(apart, np.inf)
        pull = (mu + mu[:, None]) * (rest + rest[:, None]) / apart
        change: FloatArray = np.concatenate([4 * w, 2 * pull @ w, [-4 * (w * mu * rest) @ rest]])
        return change

    def output(state: FloatArray) -> FloatArray:
        w, _, rest = parts(state)
        return np.array([(w * rest) @ rest / 2, state[-1]])

    # A weight that is zero by rounding stays so.
    least = np.finfo(float).tiny
    equation = Equation(
        rate,
        np.concatenate([np.zeros(size), np.log(np.maximum(weights, least)), [0.0]]),
        output,
        tolerance=_TOLERANCE,
        most_steps=_MOST_STEPS,
        name=f"moment hierarchy of {size} rows",
        unit=unit,
    )
    path = follow(equation, times)
    if path.end < np.inf:
        raise InvalidInputError(
            f"moment hierarchy at z = {z:g}, y = {y:g}: {path.reason} end at "
            f"{path.end / times[-1]:.2g} of the last time; give earlier times"
        )
    return path.values[:, 0], path.values[:, 1]


def _pulled_to_one(start: FloatArray, K: FloatArray) -> tuple[FloatArray, FloatArray]:
    """μ and 1 - μ, each with its digits, where μ' = K'μ(1 - μ)."""
    # Beyond 700 the exponential would vanish and two μ coincide; it changes nothing by then.
    shrunk = np.exp(-np.minimum(K, 700.0)) * (1 - start)
    whole = np.where(start > 0, start + shrunk, 1.0)
    return start / whole, np.where(start > 0, shrunk / whole, 1.0)


def _pulled_to_zero(start: FloatArray, K: FloatArray) -> tuple[FloatArray, FloatArray]:
    """μ and -μ, where μ' = -K'μ²."""
    mu = start / (1 + start * K)
    return mu, -mu


def closure_error(values: Sequence[FloatArray]) -> FloatArray:
    """The estimated error of the largest of three sizes at increasing times, the first one exact.

    Where the values do not settle it is infinite, or the accepted one if they hardly change.

    Parameters
    ----------
    values : sequence of numpy.ndarray
        The values of each size, the smallest first.

    Examples
    --------
    >>> start = np.array([1.0, 0.25])
    >>> [f"{error:.3g}" for error in closure_error([start, start + [0, 1e-4], start + [0, 1.1e-4]])]
    ['4e-10', '4e-05']
    >>> print(closure_error([start, start + [0, 1e-4], start + [0, 3e-4]])[1])
    inf
    """
    size = np.max(np.abs(values[-1]))
    rounding = 100 * _TOLERANCE * size
    first, last = (
        np.maximum.accumulate(np.abs(fine - coarse)) for coarse, fine in pairwise(values)
    )
    settled = last <= np.maximum(_SETTLES * first, rounding)
    unsettled = np.where(last <= _SMALL * size, ACCURACY * size, np.inf)
    error: FloatArray = np.where(settled, _SAFETY * np.maximum(last, rounding), unsettled)
    return np.maximum.accumulate(error)
