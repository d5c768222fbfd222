"""Piecewise polynomials, all evaluated at once.

>>> pieces = np.array([[1.0, 1.0], [2.0, 0.0]])  # 1 + x before 1, then 2
>>> at = np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 1.0])
>>> piecewise(*at, pieces, np.array([0.5, 3.0])).tolist()
[1.5, 2.0]

Source: ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["piecewise"]

FloatArray = NDArray[np.float64]


def piecewise(
    starts: FloatArray, centres: FloatArray, units: FloatArray, pieces: FloatArray, x: FloatArray
) -> FloatArray:
    """Values of a piecewise polynomial.

    Parameters
    ----------
    starts : numpy.ndarray, shape (k,)
        Where pieces begin, ascending.
    centres, units : numpy.ndarray, shape (k,)
        A piece is a polynomial in (x - centre)/unit.
    pieces : numpy.ndarray, shape (k, n)
        Coefficients, the constant first.
    x : numpy.ndarray
        From the first start on.
    """
    place = np.searchsorted(starts, x, side="right") - 1
    scaled = (x - centres[place]) / units[place]
    columns = pieces[place].T
    value: FloatArray = columns[-1].copy()
    for column in columns[-2::-1]:
        value *= scaled
        value += column
    return value
