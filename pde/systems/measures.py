r"""A measure from its first exact moments, and Gauss rules for it.

The spectrum of a Gram matrix or of a fixed random matrix is known by its moments m_0, m_1, ...
only. Those of the usual laws (Marchenko-Pastur, the semicircle, both times a power of λ) obey a
recurrence

    Σ_i (a_i + b_i k) m_{k+i} = 0,

which is found in the first ones by exact linear algebra and confirmed by the others; it gives as
many more as a rule needs. From the moments the coefficients of the orthogonal polynomials follow by
the algorithm of Chebyshev, exactly, and from these the nodes and weights of Gauss.

>>> from math import comb
>>> catalan = [Fraction(comb(2 * n, n), n + 1) for n in range(10)]
>>> found = find_recurrence(catalan)
>>> found.order, found.confirmations
(1, 6)
>>> rule = gauss_rule(found.extended(catalan, 20), 10)
>>> bool(abs(rule.weights @ rule.nodes**9 - 4862) < 1e-8)
True

Source: ours. Chebyshev's algorithm: W. Gautschi, Orthogonal Polynomials (2004), 2.1.7; rules from
eigenvalues: G. Golub, J. Welsch, Math. Comp. 23 (1969) 221.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from diagrams.rationals import as_fmpq, as_fraction
from pde.systems.kernel import kernel

__all__ = [
    "GaussRule",
    "MomentRecurrence",
    "OrthogonalPolynomials",
    "find_recurrence",
    "gauss_rule",
    "multiple",
    "orthogonal_polynomials",
]

FloatArray = NDArray[np.float64]

_ORDERS = (1, 2, 3)
_CONFIRMATIONS = 2
"""Moments that confirm a recurrence, beyond those that make it."""


@dataclass(frozen=True, slots=True)
class MomentRecurrence:
    """Σ_i (a_i + b_i k) m_{k+i} = 0, and what speaks for it.

    Parameters
    ----------
    coefficients : tuple of (flint.fmpq, flint.fmpq)
        a_i and b_i.
    confirmations : int
        Moments beyond those that it was made from.
    """

    coefficients: tuple[tuple[fmpq, fmpq], ...]
    confirmations: int

    @property
    def order(self) -> int:
        """How many moments give the next one."""
        return len(self.coefficients) - 1

    def extended(self, moments: Sequence[Fraction], number: int) -> list[Fraction] | None:
        """So many moments, from the first ones; None if the recurrence does not give them."""
        known = [as_fmpq(m) for m in moments]
        while len(known) < number:
            k = len(known) - self.order
            *rest, (a, b) = self.coefficients
            leading = a + b * k
            if leading == 0:
                return None
            total = sum(((x + y * k) * known[k + i] for i, (x, y) in enumerate(rest)), fmpq(0))
            known.append(-total / leading)
        return [as_fraction(m) for m in known[:number]]


def find_recurrence(moments: Sequence[Fraction]) -> MomentRecurrence | None:
    """The recurrence of lowest order that moments obey.

    Parameters
    ----------
    moments : sequence of Fraction
        m_0, m_1, ...
    """
    known = [as_fmpq(m) for m in moments]
    for order in _ORDERS:
        rows, unknowns = len(known) - order, 2 * (order + 1)
        confirmations = rows - (unknowns - 1)
        if confirmations < _CONFIRMATIONS:
            return None
        entries = [
            known[k + i] * factor
            for k in range(rows)
            for i in range(order + 1)
            for factor in (1, k)
        ]
        basis = kernel(fmpq_mat(rows, unknowns, entries))
        if len(basis) == 1:
            vector = basis[0][1]
            pairs = tuple((vector[2 * i], vector[2 * i + 1]) for i in range(order + 1))
            # One that leaves out the next moment says nothing about the last of them.
            return (
                MomentRecurrence(pairs, confirmations) if any(x != 0 for x in pairs[-1]) else None
            )
    return None


@dataclass(frozen=True, slots=True, eq=False)
class GaussRule:
    """Nodes and positive weights of a measure.

    Parameters
    ----------
    nodes, weights : numpy.ndarray, shape (n,)
    """

    nodes: FloatArray
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OrthogonalPolynomials:
    """The recurrence of the orthogonal polynomials of a measure, which has all rules of Gauss.

    Parameters
    ----------
    mass : float
    diagonal : numpy.ndarray, shape (n,)
    squares : numpy.ndarray, shape (n - 1,)
        p_{k+1} = (λ - diagonal_k) p_k - squares_{k-1} p_{k-1}.
    """

    mass: float
    diagonal: FloatArray
    squares: FloatArray

    def rule(self, number: int) -> GaussRule:
        """The rule with so many nodes, at most n."""
        nodes, vectors = eigh_tridiagonal(
            self.diagonal[:number], np.sqrt(self.squares[: number - 1])
        )
        return GaussRule(nodes, self.mass * vectors[0] ** 2)


def orthogonal_polynomials(
    moments: Sequence[Fraction], number: int
) -> OrthogonalPolynomials | None:
    """The first orthogonal polynomials, None if the moments are those of no positive measure.

    Of a measure of fewer points there are as many as points.

    Parameters
    ----------
    moments : sequence of Fraction
        At least 2 * number of them.
    number : int
    """
    m = [as_fmpq(c) for c in moments[: 2 * number]]
    if m[0] <= 0:
        return None
    before = [fmpq(0)] * (2 * number)
    row = m
    diagonal = [m[1] / m[0]]
    squares: list[fmpq] = []
    for k in range(1, number):
        following = [fmpq(0)] * (2 * number)
        below = squares[-1] if squares else fmpq(0)
        for j in range(k, 2 * number - k):
            following[j] = row[j + 1] - diagonal[-1] * row[j] - below * before[j]
        if following[k] == 0:
            break  # a measure of k points
        if following[k] < 0:
            return None
        diagonal.append(following[k + 1] / following[k] - row[k] / row[k - 1])
        squares.append(following[k] / row[k - 1])
        before, row = row, following
    return OrthogonalPolynomials(
        mass=float(as_fraction(m[0])),
        diagonal=np.array([float(as_fraction(x)) for x in diagonal]),
        squares=np.array([float(as_fraction(x)) for x in squares]),
    )


def gauss_rule(moments: Sequence[Fraction], number: int) -> GaussRule | None:
    """The rule of Gauss with some nodes, None if the moments are those of no positive measure.

    Parameters
    ----------
    moments : sequence of Fraction
        At least 2 * number of them.
    number : int
    """
    found = orthogonal_polynomials(moments, number)
    return None if found is None else found.rule(number)


def multiple(
    moments: Sequence[Fraction], base: Sequence[Fraction], degree: int = 2
) -> tuple[Fraction, ...] | None:
    """The polynomial q with m_k = Σ_j q_j base_{k+j}, that is, the measure q(λ) times another one.

    Parameters
    ----------
    moments, base : sequence of Fraction
    degree : int, default 2
        The largest that is tried.

    Returns
    -------
    tuple of Fraction or None
        None if there is none that two more moments confirm.

    Examples
    --------
    >>> base = [Fraction(1), Fraction(2), Fraction(5), Fraction(14), Fraction(42)]
    >>> multiple([Fraction(4), Fraction(10), Fraction(28), Fraction(84)], base)
    (Fraction(0, 1), Fraction(2, 1))
    """
    if not any(moments):
        return ()
    for top in range(degree + 1):
        rows = min(len(moments), len(base) - top)
        if rows < top + 1 + _CONFIRMATIONS:
            return None
        entries = []
        for k in range(rows):
            entries += [as_fmpq(base[k + j]) for j in range(top + 1)] + [as_fmpq(moments[k])]
        for _, vector in kernel(fmpq_mat(rows, top + 2, entries)):
            if vector[-1] != 0:
                return tuple(as_fraction(-x / vector[-1]) for x in vector[:-1])
    return None
