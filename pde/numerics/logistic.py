r"""The logistic curve b' = c b(1 - b), without overflow and cancellation.

With x = c t, b = b_0 e^x/(1 - b_0 + b_0 e^x) and 1 - b = (1 - b_0)/(1 - b_0 + b_0 e^x).

>>> bool(abs(logistic_rest(np.array(0.5), np.array(2000.0))) < 1e-300)
True
>>> float(logistic_rest(1e20, np.array(0.0)))
-1e+20

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
    # Of a large b_0 the sum 1 - b_0 + b_0 e^x would leave nothing near t = 0, and 1 + b_0 (e^x - 1)
    # of b_0 = 1 nothing at early times, where the curve rests at b = 1.
    late = np.maximum(x, 0)
    early = np.minimum(x, 0)
    decayed = np.exp(-late)
    below = (1 - start) + start * np.exp(early)
    above = 1 + start * np.expm1(early)
    value: FloatArray = np.where(
        x > 0,
        (1 - start) * decayed / (decayed - start * np.expm1(-late)),
        (1 - start) / np.where(start == 1, 1.0, np.where(np.less(start, 1), below, above)),
    )
    return value
