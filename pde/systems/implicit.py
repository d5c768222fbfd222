"""Implicit steps of high order for stiff flows: collocation at Radau's points.

On a step of length h the state is a polynomial X of degree s with X' = f(X) at s points, the last
of which is the end of the step: the Radau IIA method of order 2s - 1, which damps fast decays. X is
found by simplified Newton iterations. The size of its last coefficients in Legendre polynomials
measures what is left out and chooses the next h.

Source: E. Hairer, G. Wanner, Solving Ordinary Differential Equations II (1996), section IV.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from pde.systems.flows import EquationsOfMotion
from pde.systems.slopes import Jacobian

__all__ = ["Collocation", "ImplicitStep"]

FloatArray = NDArray[np.float64]

_ITERATIONS = 12
_LONGEST = 4.0
"""The most by which a step grows."""


@dataclass(frozen=True, slots=True, eq=False)
class ImplicitStep:
    """One step.

    Parameters
    ----------
    length : float
    state : numpy.ndarray, shape (n,)
        At its end.
    output : numpy.ndarray, shape (stages + 1,)
        Coefficients of the output in powers of (time/length).
    following : float
        The length that the next step should have.
    """

    length: float
    state: FloatArray
    output: FloatArray
    following: float


class Collocation:
    """The method for one flow.

    Parameters
    ----------
    flow : EquationsOfMotion
    sign : float
        -1 for time that runs backwards.
    stages : int
    tolerance : float
        Of the last coefficients, relative to the size of the state.
    """

    def __init__(
        self, flow: EquationsOfMotion, *, sign: float, stages: int, tolerance: float
    ) -> None:
        self._flow, self._sign, self._tolerance = flow, sign, tolerance
        # The roots of P_s - P_{s-1} on [-1, 1], of which the last one is 1.
        roots = np.sort(legendre.legroots([*[0.0] * (stages - 1), -1.0, 1.0]).real)
        self._nodes = (np.append(roots[:-1], 1.0) + 1) / 2
        # All in Legendre polynomials on the step: in powers of time this would lose digits.
        x = 2 * self._nodes - 1
        values = legendre.legvander(x, stages - 1)
        unit = np.eye(stages)
        integrals = [legendre.legval(x, legendre.legint(row, lbnd=-1)) / 2 for row in unit]
        self._integral = np.stack(integrals, axis=1) @ np.linalg.inv(values)
        # In its eigenvectors a Newton step falls apart into one system for every point, of which
        # those of complex conjugate eigenvalues are conjugate.
        self._pace, self._vectors = np.linalg.eig(self._integral)
        self._inverse = np.linalg.inv(self._vectors)
        whole = np.append(-1.0, x)
        self._legendre = np.linalg.inv(legendre.legvander(whole, stages))
        self._monomials = np.zeros((stages + 1, stages + 1))
        for n in range(stages + 1):
            powers = [(-1) ** (n + k) * comb(n, k) * comb(n + k, k) for k in range(n + 1)]
            self._monomials[: n + 1, n] = powers
        self._stages = stages

    def step(
        self, state: FloatArray, sizes: FloatArray, length: float, *, least: float
    ) -> ImplicitStep | None:
        """One step of at most a given length, None if there is none that is not too short.

        Parameters
        ----------
        state : numpy.ndarray, shape (n,)
        sizes : numpy.ndarray, shape (n,)
            What errors are measured by.
        length, least : float
            The longest and the shortest that it may be.
        """
        with np.errstate(all="ignore"):
            return self._step(state, np.where(sizes > 0, sizes, 1.0), length, least)

    def _step(
        self, state: FloatArray, sizes: FloatArray, length: float, least: float
    ) -> ImplicitStep | None:
        slopes = self._flow.slopes(state)
        while length >= least:
            path = self._solve(state, sizes, slopes, length)
            if path is None:
                length /= 2
                continue
            whole = np.vstack([state, path])
            last = np.abs(self._legendre[-2:] @ whole) / sizes
            error = float(np.max(last))
            factor = (self._tolerance / error) ** (1 / self._stages) if error else _LONGEST
            if factor < 0.9:
                length *= max(0.2, 0.9 * factor)
                continue
            values = [self._flow.expand(x, 0, 1.0)[1][0] for x in whole]
            output = self._monomials @ (self._legendre @ np.array(values))
            if not np.all(np.isfinite(output)):
                return None
            return ImplicitStep(length, path[-1], output, length * min(_LONGEST, 0.9 * factor))
        return None

    def _solve(
        self, state: FloatArray, sizes: FloatArray, slopes: Jacobian, length: float
    ) -> FloatArray | None:
        """The states at the points, None if the iterations do not converge."""
        systems = []
        for n, pace in enumerate(self._pace):
            if pace.imag < 0:
                continue
            shift = self._sign / (length * pace)
            solver = slopes.solver(shift)
            if solver is None:
                return None
            systems.append((n, shift, 2 if pace.imag else 1, solver))
        path = np.tile(state, (self._stages, 1))
        before = np.inf
        for _ in range(_ITERATIONS):
            rates = np.stack([self._flow.expand(x, 1, self._sign)[0][1] for x in path])
            parts = self._inverse @ (state + length * self._integral @ rates - path)
            change = np.zeros_like(path)
            for n, shift, times, solver in systems:
                change += times * (self._vectors[:, n, None] * solver(shift * parts[n])).real
            path = np.asarray(path + change)
            largest = float(np.max(np.abs(change) / sizes))
            if largest <= self._tolerance:
                return path
            if not largest < before:
                return path if largest <= 100 * self._tolerance else None
            before = largest
        return None
