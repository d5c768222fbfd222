r"""A finite system that starts from Gaussian numbers: solved for each of them, averaged at the end.

Cores that fluctuate at their own scale are random order parameters: at time zero they are a value
plus a Gaussian vector g of known covariance, and given g the system is deterministic. The loss is

    E[L(t)] = ∫ L(t; g) N(dg; 0, C),

a sum over Gauss-Hermite nodes; two numbers of nodes give its error.

>>> from expansion.dynamics.system import SystemTerm
>>> p = Polynomial.parse
>>> growth = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("-1"), ((0, 1),)),),),
...     initial=(p("g_1"),),
...     output=(SystemTerm(p("1"), ((0, 2),)),),
... )
>>> curve = mixed_curve(growth, {("g_1", "g_1"): p("s")}, {"s": Fraction(3), "T": Fraction(1)})
>>> print(f"{curve.evaluate(np.array([1.0]))[0]:.10f}")  # 3 exp(-2)
0.4060058497

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import count, product
from math import inf, prod

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from expansion.dynamics.system import PolynomialSystem
from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, FloatArray, Parameters, exact_value
from pde.evolution import DerivationStep, Method, Solution
from pde.systems.solution import system_curve

__all__ = ["mixed_curve", "mixed_solution"]

Covariance = Mapping[tuple[str, str], Polynomial]

_NODES = {1: (30, 20), 2: (14, 10), 3: (8, 6)}
"""Nodes in every direction, by the number of Gaussian numbers: a finer and a coarser rule."""

_STOPS = "because the solution for some initial values ends there"


def mixed_curve(system: PolynomialSystem, covariance: Covariance, parameters: Parameters) -> Curve:
    """The average of the output over the Gaussian numbers in the initial values.

    Parameters
    ----------
    system : PolynomialSystem
        With the names of the Gaussian numbers among the symbols of its initial values.
    covariance : mapping from pairs of names to Polynomial
        In the other symbols.
    parameters : mapping from str to Fraction
        A value for every other symbol, and T.

    Raises
    ------
    InvalidInputError
        If there are more Gaussian numbers than a product rule can average over.
    """
    names = sorted({name for pair in covariance for name in pair})
    if len(names) not in _NODES:
        raise InvalidInputError(
            f"average over {len(names)} Gaussian numbers: at most {max(_NODES)} are averaged by "
            "nodes; use the coefficients of the series"
        )
    matrix = np.array(
        [[float(exact_value(covariance[a, b], parameters)) for b in names] for a in names]
    )
    fine, coarse = (
        _Rule.of(system, names, _root(matrix), parameters, nodes) for nodes in _NODES[len(names)]
    )

    def errors(t: FloatArray) -> FloatArray:
        return np.asarray(np.abs(fine.evaluate(t) - coarse.evaluate(t)) + fine.error(t))

    start = max(fine.domain.start, coarse.domain.start)
    stop = min(fine.domain.stop, coarse.domain.stop)
    reason = _STOPS if -inf < start or stop < inf else ""
    return Curve(
        evaluate=fine.evaluate,
        domain=Domain(start=start, stop=stop, reason=reason),
        errors=errors,
    )


class _Rule:
    """Curves at the nodes of a product rule, with their weights."""

    def __init__(self, curves: list[Curve], weights: list[float]) -> None:
        self._curves = curves
        self._weights = weights
        self.domain = Domain(
            start=max(curve.domain.start for curve in curves),
            stop=min(curve.domain.stop for curve in curves),
        )

    @classmethod
    def of(
        cls,
        system: PolynomialSystem,
        names: list[str],
        root: NDArray[np.float64],
        parameters: Parameters,
        nodes: int,
    ) -> _Rule:
        points, weights = np.polynomial.hermite_e.hermegauss(nodes)
        weights = weights / weights.sum()
        curves, products = [], []
        for places in product(range(nodes), repeat=len(names)):
            deviation = root @ points[list(places)]
            values = {name: Fraction(float(x)) for name, x in zip(names, deviation, strict=True)}
            curves.append(system_curve(system, {**parameters, **values}))
            products.append(prod(float(weights[place]) for place in places))
        return cls(curves, products)

    def evaluate(self, t: FloatArray) -> FloatArray:
        terms = zip(self._weights, self._curves, strict=True)
        return np.asarray(sum(weight * curve.evaluate(t) for weight, curve in terms))

    def error(self, t: FloatArray) -> FloatArray:
        """The errors of the single curves, averaged."""
        total = np.zeros(np.shape(t))
        for weight, curve in zip(self._weights, self._curves, strict=True):
            if curve.errors is not None:
                total = total + weight * curve.errors(t)
            else:
                total = total + weight * (curve.error_estimate or 0.0)
        return total


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A square root of a covariance matrix, which may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))


def mixed_solution(
    system: PolynomialSystem,
    covariance: Covariance,
    *,
    rows: Callable[[int], tuple[Polynomial, ...]],
    problem: str,
    regime: str,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution:
    """The solution of a regime whose finite hierarchy starts from Gaussian numbers.

    Parameters
    ----------
    system, covariance
        See `mixed_curve`.
    rows : callable
        From a number to so many leading coefficients, averaged exactly.
    problem, regime, source
        See `Solution`.
    derivation : tuple of DerivationStep
        How the system was obtained.

    Returns
    -------
    Solution
        Without a certificate; see `Solution.certified`.
    """

    def taylor() -> Iterator[Polynomial]:
        known: tuple[Polynomial, ...] = ()
        for s in count():
            if s >= len(known):
                known = rows(max(2 * len(known), 8))
            yield known[s]

    last = DerivationStep(
        "Average over random order parameters",
        r"\mathbf{E}[L(t)] \sim \int L(t; g)\, \mathcal{N}(dg; 0, C)",
        "The equations are integrated for every node of a Gauss-Hermite rule of the cores that "
        "are Gaussian at time zero; a coarser rule gives the error.",
    )
    return Solution(
        problem=problem,
        regime=regime,
        method=Method.MOMENTS,
        source=source,
        formula=None,
        derivation=(*derivation, last),
        taylor=taylor,
        curve=lambda parameters: mixed_curve(system, covariance, parameters),
        validity="t until the solution for one of the initial values ends",
    )
