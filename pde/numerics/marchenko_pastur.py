r"""The Marchenko-Pastur law: exact moments, and averages over it.

The eigenvalues λ of S = XXᵀ/N, with X a p × N matrix of independent standard Gaussian entries,
p, N → ∞ at r = p/N, have the moments

    m_k(r) = Σ_b N(k, b) r^{k-b},    N(k, b) the Narayana numbers, m_0 = 1,

an atom of weight 1 - 1/r at 0 if r > 1, and else, with λ = 1 + r + 2√r cos θ, the density
(2/π) sin²θ/λ dθ on 0 < θ < π. The factor 1/λ is almost singular near r = 1. Therefore

    ∫ f = f(0) + (2/π) ∫_0^π sin²θ (f(λ) - f(0))/λ dθ,

which has the atom in it. The midpoint rule converges exponentially; its number of nodes is doubled
until nothing changes.

>>> [str(moment(k)) for k in range(4)]
['1', '1', '1 + r', '1 + r**2 + 3*r']
>>> bool(abs(average(lambda x: x**2, 3.0).value - 4) < 1e-13)
True
>>> bool(abs(average(lambda x: np.exp(-x), 1.0).value - 0.5237777) < 1e-6)
True

Source: V. A. Marchenko, L. A. Pastur, Math. USSR Sb. 1 (1967) 457; the form with f(0) is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, sqrt

import mpmath
import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError
from expansion.polynomial import Polynomial

__all__ = [
    "Average",
    "AverageError",
    "average",
    "averages",
    "edge",
    "generating_average",
    "moment",
    "moment_in_sizes",
    "precise_average",
    "rule",
]

FloatArray = NDArray[np.float64]

_FEWEST, _MOST = 64, 2**15
"""Numbers of nodes."""

_TOLERANCE = 1e-13

_TILTED_NODES = 2048
"""Nodes of an average of exponentials."""


class AverageError(DiagflowError):
    """An average over the Marchenko-Pastur law that does not converge."""

    code = "average"


@dataclass(frozen=True, slots=True)
class Average:
    """An average and the change of the last doubling."""

    value: float
    error: float


def moment(k: int) -> Polynomial:
    """The k-th moment as a polynomial in r."""
    if k == 0:
        return Polynomial({(): 1})
    return Polynomial(
        {
            (("r", k - b),) if k > b else (): comb(k, b) * comb(k, b - 1) // k
            for b in range(1, k + 1)
        }
    )


def moment_in_sizes(k: int) -> Polynomial:
    """The k-th moment at r = p/N.

    Examples
    --------
    >>> print(moment_in_sizes(2))
    1 + p*N**-1
    """
    return Polynomial(
        {
            (("N", -power), ("p", power)) if power else (): coefficient
            for powers, coefficient in moment(k)
            for power in [dict(powers).get("r", 0)]
        }
    )


def edge(r: float) -> float:
    """The largest eigenvalue, (1 + √r)²."""
    return (1 + sqrt(r)) ** 2


def rule(r: float, number: int) -> tuple[FloatArray, FloatArray]:
    """Nodes λ and weights w of ∫ f ≈ f(0) + Σ w (f(λ) - f(0)).

    Examples
    --------
    >>> nodes, weights = rule(0.5, 64)
    >>> bool(abs(weights @ nodes - 1) < 1e-12)
    True
    """
    half = np.pi * (np.arange(number) + 0.5) / (2 * number)
    cosine, sine = np.cos(half) ** 2, np.sin(half) ** 2
    nodes = (1 - sqrt(r)) ** 2 + 4 * sqrt(r) * cosine
    weights = 8 / number * cosine * sine / nodes
    return nodes, weights


def average(f: Callable[[FloatArray], FloatArray], r: float) -> Average:
    """The average of a function of λ, given on arrays of nodes.

    Parameters
    ----------
    f : callable
        From an array of n nodes to an array of n numbers.
    r : float
        p/N.

    Raises
    ------
    AverageError
        If the rule does not converge.
    """
    values, error = averages(lambda nodes: f(nodes)[None, :], r)
    return Average(float(values[0]), float(error[0]))


def averages(f: Callable[[FloatArray], FloatArray], r: float) -> tuple[FloatArray, FloatArray]:
    """The averages of several functions of λ, and the change of the last doubling.

    Parameters
    ----------
    f : callable
        From an array of n nodes to an array of m × n numbers.
    r : float
        p/N.

    Raises
    ------
    AverageError
        If the rule does not converge.
    """
    at_zero = f(np.zeros(1))
    before = None
    number = _FEWEST
    while number <= _MOST:
        nodes, weights = rule(r, number)
        with np.errstate(invalid="ignore"):  # what is not finite is not accepted below
            value = at_zero[:, 0] + (f(nodes) - at_zero) @ weights
            error = np.abs(value - (np.nan if before is None else before))
        if before is not None:
            scale = np.maximum(np.abs(at_zero[:, 0]), np.abs(value))
            if np.all(np.isfinite(value) & (error <= _TOLERANCE * scale)):
                return value, error
        before, number = value, 2 * number
    raise AverageError(
        f"average over the Marchenko-Pastur law at r = {r:g}: does not converge with {_MOST} "
        "nodes; choose an earlier time"
    )


def precise_average(
    f: Callable[[mpmath.mpf], mpmath.mpf], r: mpmath.mpf, digits: int
) -> mpmath.mpf:
    """The same to a number of digits.

    Examples
    --------
    >>> mpmath.nstr(precise_average(lambda x: x**3, mpmath.mpf(2), 30), 25)
    '11.0'
    """
    with mpmath.workdps(digits + 15):
        root = mpmath.sqrt(r)
        at_zero = f(mpmath.mpf(0))

        def weighted(half: mpmath.mpf) -> mpmath.mpf:
            cosine, sine = mpmath.cos(half) ** 2, mpmath.sin(half) ** 2
            node = (1 - root) ** 2 + 4 * root * cosine
            return 16 * cosine * sine / node * (f(node) - at_zero) / mpmath.pi

        quarter = mpmath.pi / 4
        whole = mpmath.quad(weighted, [0, quarter, 2 * quarter], maxdegree=12)
        return at_zero + whole


def generating_average(
    r: float, *, number: int = _TILTED_NODES
) -> Callable[[float], tuple[float, float]]:
    """The logarithm of Z(α), the average of e^{2λα}, and Z'(α)/2Z(α), the tilted average of λ.

    Parameters
    ----------
    r : float
        p/N.
    number : int, optional
        Nodes of the average.

    Examples
    --------
    >>> logarithm, mean = generating_average(0.5)(0.0)
    >>> bool(abs(logarithm) < 1e-12), bool(abs(mean - 1) < 1e-12)
    (True, True)
    """
    nodes, weights = rule(r, number)
    rest = 1 - weights.sum()
    top = edge(r)

    def at(alpha: float) -> tuple[float, float]:
        shift = 2 * top * max(alpha, 0.0)
        tilted = weights * np.exp(2 * nodes * alpha - shift)
        Z = tilted.sum() + rest * np.exp(-shift)
        return float(np.log(Z) + shift), float(tilted @ nodes / Z)

    return at
