"""Derivatives of the rates of a flow, as far as implicit steps need them.

An implicit step solves (s - J) x = r for a few complex numbers s. A small J is a matrix. Particles
that feel each other through a few moments alone have a J of small blocks, one for every particle,
plus a matrix of low rank, and the solution costs as much as the particles are many.

>>> blocks = np.array([[[-1.0]], [[-2.0]]])  # two particles with one coordinate
>>> slopes = BlockSlopes(blocks, left=np.array([[1.0], [0.0]]), right=np.array([[0.0, 1.0]]))
>>> slopes.matrix
array([[-1.,  1.],
       [ 0., -2.]])
>>> slopes.solver(1.0)(np.array([3.0, 3.0])).real
array([2., 1.])

Source: the formula of Sherman, Morrison and Woodbury.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlockSlopes", "DenseSlopes", "Jacobian"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Solver = Callable[[ComplexArray], ComplexArray]


class Jacobian(Protocol):
    """Derivatives of the rates at a state."""

    @property
    def matrix(self) -> FloatArray | None:
        """All of them, shape (n, n); None if they are too many."""
        ...

    def solver(self, shift: complex) -> Solver | None:
        """What solves (shift - J) x = r; None if a derivative is not finite or it is singular."""
        ...


@dataclass(frozen=True, eq=False)
class DenseSlopes:
    """A small matrix."""

    matrix: FloatArray

    def solver(self, shift: complex) -> Solver | None:
        """See `Jacobian`."""
        shifted = np.asarray(shift * np.eye(len(self.matrix)) - self.matrix)
        return _inverse(shifted) if np.all(np.isfinite(shifted)) else None


@dataclass(frozen=True, eq=False)
class BlockSlopes:
    """Blocks of particles, and how these feel their moments.

    Parameters
    ----------
    blocks : numpy.ndarray, shape (particles, coordinates, coordinates)
        The state has all first coordinates, then all second ones.
    left : numpy.ndarray, shape (n, moments)
        Derivatives of the rates with respect to the moments.
    right : numpy.ndarray, shape (moments, n)
        Derivatives of the moments.
    """

    blocks: FloatArray
    left: FloatArray
    right: FloatArray

    LARGEST = 600
    """The most coordinates of all particles for which there is a matrix."""

    @property
    def matrix(self) -> FloatArray | None:
        """See `Jacobian`."""
        particles, coordinates, _ = self.blocks.shape
        size = particles * coordinates
        if size > self.LARGEST:
            return None
        result = np.zeros((coordinates, particles, coordinates, particles))
        diagonal = np.arange(particles)
        result[:, diagonal, :, diagonal] = self.blocks
        return result.reshape(size, size) + self.left @ self.right

    def solver(self, shift: complex) -> Solver | None:
        """See `Jacobian`."""
        particles, coordinates, _ = self.blocks.shape
        shifted = shift * np.eye(coordinates) - self.blocks
        parts = (shifted, self.left, self.right)
        if not all(np.all(np.isfinite(part)) for part in parts):
            return None
        try:
            inverse = np.linalg.inv(shifted)
        except np.linalg.LinAlgError:
            return None

        def blocks(right: ComplexArray) -> ComplexArray:
            columns = right.reshape(coordinates, particles, -1)
            return np.asarray(np.einsum("ncd,dnk->cnk", inverse, columns)).reshape(right.shape)

        felt = blocks(self.left.astype(complex))
        moments = _inverse(np.eye(self.right.shape[0]) - self.right @ felt)
        if moments is None:
            return None

        def solved(right: ComplexArray) -> ComplexArray:
            own = blocks(right)
            return np.asarray(own + felt @ moments(self.right @ own))

        return solved


def _inverse(matrix: NDArray[Any]) -> Solver | None:
    """What solves matrix x = r by its triangular factors; None if it is singular."""
    from scipy.linalg import get_lapack_funcs, lu_solve  # not loaded before it is needed

    (factorise,) = get_lapack_funcs(("getrf",), (matrix,))
    factors, pivots, zero = factorise(matrix)
    if zero:
        return None
    return lambda right: np.asarray(lu_solve((factors, pivots), right, check_finite=False))
