"""Antiderivatives that can be evaluated and inverted at many points.

The integrand is interpolated by a Chebyshev polynomial on every panel of a partition; the
polynomials are integrated exactly and joined. For a smooth integrand the error falls geometrically
with the degree. It is estimated on every panel by the last Chebyshev coefficients.

>>> import math
>>> F = Antiderivative(np.exp, np.linspace(0.0, 3.0, 7))
>>> bool(abs(F(np.array([2.0]))[0] - (math.exp(2) - 1)) < 1e-13)
True
>>> bool(abs(F.inverse(np.array([math.e - 1]))[0] - 1) < 1e-14)
True

Source: C. W. Clenshaw, A. R. Curtis, Numer. Math. 2 (1960) 197, for the integration; the
inverse is ours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError

__all__ = ["Antiderivative"]

FloatArray = NDArray[np.float64]

_DEGREE = 17
_NEWTON_STEPS = 60


class Antiderivative:
    """F(x), the integral of f from the first break to x.

    Parameters
    ----------
    function : callable
        f, on arrays of any shape.
    breaks : numpy.ndarray, shape (n + 1,)
        Increasing ends of the panels.

    Raises
    ------
    InvalidInputError
        If the breaks do not increase.
    """

    def __init__(self, function: Callable[[FloatArray], FloatArray], breaks: FloatArray) -> None:
        if breaks.size < 2 or not np.all(np.diff(breaks) > 0):
            raise InvalidInputError("breaks: must increase; give at least two different ones")
        self._function = function
        self.breaks = breaks
        self._half = np.diff(breaks) / 2
        self._middle = (breaks[1:] + breaks[:-1]) / 2
        nodes = chebyshev.chebpts1(_DEGREE + 1)
        values = function(self._middle[:, None] + self._half[:, None] * nodes)
        coefficients = np.linalg.solve(chebyshev.chebvander(nodes, _DEGREE), values.T)
        self.error = float(np.sum(self._half * np.max(np.abs(coefficients[-2:]), axis=0)))
        integrals = chebyshev.chebint(coefficients, lbnd=-1, axis=0) * self._half
        self._integrals = integrals
        pieces = chebyshev.chebval(1.0, integrals)
        self.values = np.concatenate([[0.0], np.cumsum(pieces)])

    @property
    def total(self) -> float:
        """F at the last break."""
        return float(self.values[-1])

    def __call__(self, x: FloatArray) -> FloatArray:
        """F(x) for x between the first and the last break."""
        panel = np.clip(np.searchsorted(self.breaks, x) - 1, 0, self._half.size - 1)
        local = (x - self._middle[panel]) / self._half[panel]
        value = chebyshev.chebval(local, self._integrals[:, panel], tensor=False)
        return np.asarray(self.values[panel] + value)

    def inverse(self, y: FloatArray) -> FloatArray:
        """The x with F(x) = y, for an integrand that is not negative.

        Newton's method, with bisection where a step would leave the panel.
        """
        panel = np.clip(np.searchsorted(self.values, y) - 1, 0, self._half.size - 1)
        low, high = self.breaks[panel], self.breaks[panel + 1]
        share = (y - self.values[panel]) / (self.values[panel + 1] - self.values[panel])
        x = low + np.clip(share, 0.0, 1.0) * (high - low)
        for _ in range(_NEWTON_STEPS):
            defect = self(x) - y
            low, high = np.where(defect < 0, x, low), np.where(defect > 0, x, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = x - defect / self._function(x)
            inside = (step >= low) & (step <= high)
            new = np.where(inside, step, (low + high) / 2)
            if np.all(np.abs(new - x) <= 4e-16 * np.abs(new)):
                return np.asarray(new)
            x = new
        return np.asarray(x)
