"""Laws of a weight at initialisation: exact moments, and rules for averages.

>>> GAUSSIAN.moment(4), RADEMACHER.moment(4), GAUSSIAN.moment(3)
(3, 1, 0)
>>> nodes, weights = RADEMACHER.rule(1, coarse=False)
>>> nodes.tolist(), weights.tolist()
([[-1.0, 1.0]], [0.5, 0.5])

Source: ours; the rules are those of `pde.numerics.gaussian_quadrature`, of Gauss and
Hermite and of Gauss and Legendre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from diagrams.errors import CapacityError
from diagrams.factorials import double_factorial
from pde.numerics.gaussian_quadrature import gaussian_rule

__all__ = ["GAUSSIAN", "RADEMACHER", "UNIFORM", "StartLaw"]

FloatArray = NDArray[np.float64]

_LEVELS = (5, 4)
"""Of the rule for one colour and of the coarser one."""

_HERMITE = {2: (64, 48), 3: (20, 16), 4: (12, 10)}
"""Numbers of nodes for each of several colours."""

_LEGENDRE = {1: (64, 48), 2: (24, 18), 3: (12, 10), 4: (8, 6)}
"""The same for uniform entries, and for one colour."""


@dataclass(frozen=True, slots=True)
class StartLaw:
    """A symmetric law of variance one.

    Parameters
    ----------
    name : str
    moment : callable
        From an order to the exact moment.
    bounded : bool
        Whether a largest value exists.
    line : callable
        From (number of colours, coarse) to nodes and weights for one coordinate.
    """

    name: str
    moment: Callable[[int], Fraction | int]
    bounded: bool
    line: Callable[[int, bool], tuple[FloatArray, FloatArray]]

    def rule(self, colours: int, *, coarse: bool) -> tuple[FloatArray, FloatArray]:
        """Nodes and weights for independent coordinates.

        Parameters
        ----------
        colours : int
        coarse : bool

        Returns
        -------
        nodes : numpy.ndarray, shape (colours, n)
        weights : numpy.ndarray, shape (n,)
        """
        x, w = self.line(colours, coarse)
        grids = np.meshgrid(*[x] * colours, indexing="ij")
        products = np.meshgrid(*[w] * colours, indexing="ij")
        nodes = np.stack([grid.ravel() for grid in grids])
        return nodes, np.prod(np.stack([grid.ravel() for grid in products]), axis=0)


def _gaussian_line(colours: int, coarse: bool) -> tuple[FloatArray, FloatArray]:
    if colours == 1:
        half = gaussian_rule(_LEVELS[coarse])
        nodes = np.concatenate([-half.nodes[::-1], half.nodes])
        return nodes, np.concatenate([half.weights[::-1], half.weights]) / 2
    if colours not in _HERMITE:
        raise CapacityError(
            f"particle of {colours} colours: needs too many nodes; at most {max(_HERMITE)} are "
            "integrated"
        )
    x, w = hermegauss(_HERMITE[colours][coarse])
    return x, w / np.sqrt(2 * np.pi)


def _legendre_line(colours: int, coarse: bool) -> tuple[FloatArray, FloatArray]:
    if colours not in _LEGENDRE:
        raise CapacityError(
            f"particle of {colours} colours: needs too many nodes; at most {max(_LEGENDRE)} are "
            "integrated"
        )
    x, w = leggauss(_LEGENDRE[colours][coarse])
    # The ends have no weight. They move faster than all others: when one of them is at infinity
    # the average ceases to exist, which a rule without them does not see.
    nodes = np.concatenate([[-1.0], x, [1.0]]) * np.sqrt(3)
    return nodes, np.concatenate([[0.0], w / 2, [0.0]])


def _two_values(colours: int, coarse: bool) -> tuple[FloatArray, FloatArray]:
    return np.array([-1.0, 1.0]), np.array([0.5, 0.5])


GAUSSIAN = StartLaw(
    "Gaussian",
    lambda k: 0 if k % 2 else double_factorial(k - 1),
    bounded=False,
    line=_gaussian_line,
)
UNIFORM = StartLaw(
    "uniform",
    lambda k: 0 if k % 2 else Fraction(3 ** (k // 2), k + 1),
    bounded=True,
    line=_legendre_line,
)
RADEMACHER = StartLaw("Rademacher", lambda k: (k + 1) % 2, bounded=True, line=_two_values)

Law = StartLaw  # its former name
