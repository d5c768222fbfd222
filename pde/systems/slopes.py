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
from typing import Protocol

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
        """What solves (shift - J) x = r; None if a derivative is not finite."""
        ...


@dataclass(frozen=True, eq=False)
class DenseSlopes:
    """A small matrix."""

    matrix: FloatArray

    def solver(self, shift: complex) -> Solver | None:
        """See `Jacobian`."""
        from scipy.linalg import lu_factor, lu_solve  # not loaded before it is needed

        shifted = shift * np.eye(len(self.matrix)) - self.matrix
        if not np.all(np.isfinite(shifted)):
            return None
        factors = lu_factor(shifted, check_finite=False)
        return lambda right: np.asarray(lu_solve(factors, right, check_finite=False))


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
        from scipy.linalg import lu_factor, lu_solve

        parts = (shifted, self.left, self.right)
        if not all(np.all(np.isfinite(part)) for part in parts):
            return None
        inverse = np.linalg.inv(shifted)

        def blocks(right: ComplexArray) -> ComplexArray:
            columns = right.reshape(coordinates, particles, -1)
            return np.asarray(np.einsum("ncd,dnk->cnk", inverse, columns)).reshape(right.shape)

        felt = blocks(self.left.astype(complex))
        factors = lu_factor(np.eye(self.right.shape[0]) - self.right @ felt, check_finite=False)

        def solved(right: ComplexArray) -> ComplexArray:
            own = blocks(right)
            return np.asarray(own + felt @ lu_solve(factors, self.right @ own, check_finite=False))

        return solved
