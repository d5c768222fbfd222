r"""The logistic curve b' = c b(1 - b), without overflow and cancellation.

With x = c t, b = b_0 e^x/(1 - b_0 + b_0 e^x) and 1 - b = (1 - b_0)/(1 - b_0 + b_0 e^x).

>>> bool(abs(logistic_rest(np.array(0.5), np.array(2000.0))) < 1e-300)
True

Source: ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["logistic_rest"]

FloatArray = NDArray[np.float64]


def logistic_rest(start: float | FloatArray, x: FloatArray) -> FloatArray:
    """1 - b at x = c t for b = start at 0.

    Parameters
    ----------
    start : float or numpy.ndarray
        b_0, positive.
    x : numpy.ndarray
        c t; negative ones down to the blow-up of b_0 > 1.
    """
    late = (1 - start) * np.exp(-np.maximum(x, 0))
    growing = np.exp(np.minimum(x, 0))
    value: FloatArray = np.where(
        x > 0, late / (start + late), (1 - start) / (1 - start + start * growing)
    )
    return value
