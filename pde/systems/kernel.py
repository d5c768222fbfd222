"""Kernels of rational matrices.

>>> [[int(x) for x in vector] for _, vector in kernel(fmpq_mat(1, 3, [1, 2, 3]))]
[[-2, 1, 0], [-3, 0, 1]]

Source: ours.
"""

from __future__ import annotations

from flint import fmpq, fmpq_mat

__all__ = ["kernel"]


def kernel(matrix: fmpq_mat) -> list[tuple[int, list[fmpq]]]:
    """A basis of the vectors that a matrix sends to zero.

    Parameters
    ----------
    matrix : flint.fmpq_mat

    Returns
    -------
    list of (int, list of fmpq)
        Every free column with the vector that is one there, zero in the other free columns, and
        zero after it.
    """
    reduced, rank = matrix.rref()
    width = matrix.ncols()
    pivots: list[int] = []
    for column in range(width):
        if len(pivots) < rank and reduced[len(pivots), column] == 1:
            pivots.append(column)
    basis = []
    for free in sorted(set(range(width)) - set(pivots)):
        vector = [fmpq(0)] * width
        vector[free] = fmpq(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -reduced[row, free]
        basis.append((free, vector))
    return basis
