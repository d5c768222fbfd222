"""The particle of a moment hierarchy, integrated numerically, and its blow-up.

`pde.moments.hierarchy` defines a particle in R^C (C colours) driven by its own averages,

    du_c/dtau = - sum over m of  m_c u^{m - e_c} dl/dz_m,     z_m = w E[u^m],    u(0) ~ N(0, v).

Here the average is a quadrature over the initial value of the particle
(`pde.numerics.gaussian_quadrature`; a product rule for several colours) and the nodes move by an
adaptive Runge-Kutta method. Nothing else about the loss is used, so the result is independent of
any reduction to closed form.

A moment that *blows up* behaves as (tau_c - tau)^{-e}. Then (log z)' = e/(tau_c - tau), so that
1/(log z)' is a line in tau close to tau_c: its zero is tau_c and its slope is -1/e.

>>> free = ContractedLoss.parse("1/2*z2**2")
>>> path = integrate(free, weight=1.0, variance=1.0, parameters={}, times=[0.0, 1.0])
>>> bool(abs(path.loss[1] - 0.5 / (1 + 4 * 1.0) ** 2) < 1e-10)
True

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from pde.moments.hierarchy import ContractedLoss, LossTerm, Multiplicity
from pde.numerics.gaussian_quadrature import QuadratureError, gaussian_rule
from pde.numerics.trajectories import Equation, follow

__all__ = ["BlowUp", "ParticlePath", "blow_up", "integrate"]

FloatArray = NDArray[np.float64]

_SIZES = {1: (5, 4), 2: (4, 3), 3: (3, 3)}
"""Levels of the fine and the coarse rule by number of colours; three have no coarser one."""

LARGEST = 1e12
"""A loss beyond this multiple of its initial size counts as blown up."""


@dataclass(frozen=True, slots=True, eq=False)
class ParticlePath:
    """The contracted loss along the path of a particle.

    Parameters
    ----------
    times : numpy.ndarray, shape (n,)
    loss : numpy.ndarray, shape (n,)
        l(z(tau)).
    slope : numpy.ndarray, shape (n,)
        Its derivative.
    error : float
        Largest distance from the path with the coarser quadrature, relative to max(1, abs(l)).
    """

    times: FloatArray
    loss: FloatArray
    slope: FloatArray
    error: float


@dataclass(frozen=True, slots=True)
class BlowUp:
    """Behaviour c (tau_c - tau)^{-exponent} near a finite time.

    Parameters
    ----------
    time : float
        tau_c.
    exponent : float
    """

    time: float
    exponent: float


class _Particle:
    """Right-hand side of the equation of motion on the nodes of a quadrature."""

    def __init__(
        self,
        loss: ContractedLoss,
        weight: float,
        variance: float,
        parameters: Mapping[str, float],
        level: int,
    ) -> None:
        rule = gaussian_rule(level)
        nodes, weights = rule.nodes, rule.weights
        colours = loss.colours
        if colours > 1:
            nodes = np.concatenate([-nodes[::-1], nodes])
            weights = np.concatenate([weights[::-1], weights]) / 2
        elif any(m % 2 for (m,) in loss.moments):
            raise InvalidInputError(
                "contracted loss: odd moments of one colour break the symmetry u -> -u; only even "
                "ones are integrated"
            )
        grids = np.meshgrid(*[nodes] * colours, indexing="ij")
        self.start = np.sqrt(variance) * np.stack([grid.ravel() for grid in grids])
        products = np.meshgrid(*[weights] * colours, indexing="ij")
        self._weights = weight * np.prod(np.stack([grid.ravel() for grid in products]), axis=0)
        self._loss, self._parameters = loss, parameters
        self._gradient = {m: loss.derivative(m) for m in loss.moments}

    def moments(self, u: FloatArray) -> dict[Multiplicity, float]:
        return {
            m: float(self._weights @ prod(u[c] ** k for c, k in enumerate(m) if k))
            for m in self._loss.moments
        }

    def _evaluate(self, terms: Sequence[LossTerm], moments: Mapping[Multiplicity, float]) -> float:
        return sum(
            float(term.coefficient)
            * prod(self._parameters[name] ** power for name, power in term.parameters)
            * prod(moments[m] ** power for m, power in term.moments)
            for term in terms
        )

    def velocity(self, u: FloatArray) -> FloatArray:
        moments = self.moments(u)
        result = np.zeros_like(u)
        for m, terms in self._gradient.items():
            slope = self._evaluate(terms, moments)
            for c, k in enumerate(m):
                if k:
                    lowered = [*m]
                    lowered[c] -= 1
                    factors = [u[d] ** j for d, j in enumerate(lowered) if j]
                    result[c] -= k * slope * prod(factors[1:], start=factors[0])
        return result

    def loss_and_slope(self, u: FloatArray) -> tuple[float, float]:
        """The loss, and its derivative -E[|velocity|^2] w: the flow is a gradient flow."""
        speed = self.velocity(u)
        value = self._evaluate(self._loss.terms, self.moments(u))
        return value, -float(self._weights @ np.sum(speed**2, axis=0))


def integrate(
    loss: ContractedLoss,
    *,
    weight: float,
    variance: float,
    parameters: Mapping[str, float],
    times: Sequence[float],
    relative_tolerance: float = 1e-11,
) -> ParticlePath:
    """The contracted loss along the flow, by direct integration of the particle.

    Parameters
    ----------
    loss : ContractedLoss
    weight : float
        w, which multiplies every average.
    variance : float
        Of every coordinate at the start.
    parameters : mapping from str to float
        Values of the symbols in the loss.
    times : sequence of float
        Starting at 0 and monotone, in tau; decreasing times are gradient ascent.
    relative_tolerance : float, default 1e-11
        Of the Runge-Kutta method.

    Raises
    ------
    InvalidInputError
        If the times do not start at 0 or are not monotone, a parameter has no value, or there are
        more than three colours.
    QuadratureError
        If a particle leaves every bound before the last time, as it does where the average does
        not exist.
    """
    tau = np.asarray(times, dtype=float)
    steps = np.diff(tau)
    if tau.size < 2 or tau[0] != 0 or not (np.all(steps > 0) or np.all(steps < 0)):
        raise InvalidInputError("times: must start at 0 and be strictly monotone; sort them")
    missing = [name for name in loss.parameters if name not in parameters]
    if missing:
        raise InvalidInputError(
            f"contracted loss: no value for {', '.join(missing)}; give one for each of "
            f"{', '.join(loss.parameters)}"
        )
    if loss.colours not in _SIZES:
        raise InvalidInputError(
            f"contracted loss: {loss.colours} colours need too many nodes; at most 3 are integrated"
        )
    paths = []
    for level in dict.fromkeys(_SIZES[loss.colours]):
        particle = _Particle(loss, weight, variance, parameters, level)
        paths.append(_follow(particle, tau, relative_tolerance))
    values, slopes = paths[0]
    coarse = paths[-1][0]
    error = float(np.max(np.abs(values - coarse) / np.maximum(1.0, np.abs(values))))
    return ParticlePath(tau, values, slopes, error if len(paths) > 1 else np.nan)


def _follow(
    particle: _Particle, tau: FloatArray, relative_tolerance: float
) -> tuple[FloatArray, FloatArray]:
    shape = particle.start.shape
    bound = LARGEST * (1 + float(np.max(np.abs(particle.start))))

    equation = Equation(
        lambda u: particle.velocity(u.reshape(shape)).ravel(),
        particle.start.ravel(),
        lambda u: np.array(particle.loss_and_slope(u.reshape(shape))),
        tolerance=relative_tolerance,
        absolute=0.0,
        name="particle of a moment hierarchy",
    )
    path = follow(equation, tau, going=lambda u: bound - float(np.max(np.abs(u))))
    if np.isfinite(path.start) or np.isfinite(path.end):
        reached = path.end if np.isfinite(path.end) else path.start
        raise QuadratureError(
            f"particle: a trajectory is unbounded soon after tau = {reached:.6g}; give times before"
        )
    return path.values[:, 0], path.values[:, 1]


def blow_up(
    evaluate: Callable[[float], tuple[float, float]], *, start: float, relative_tolerance: float
) -> BlowUp:
    """Time and exponent of a blow-up, by following the line 1/(log z)' to its zero.

    Parameters
    ----------
    evaluate : callable
        z and dz/dtau at a time tau before the blow-up.
    start : float
        A time on the right side of which, towards the blow-up, z is monotone.
    relative_tolerance : float
        The search ends when two successive times agree to this.

    Raises
    ------
    InvalidInputError
        If no blow-up is approached within 200 steps.

    Examples
    --------
    >>> found = blow_up(
    ...     lambda t: ((2 - t) ** -1.5, 1.5 * (2 - t) ** -2.5), start=0.0, relative_tolerance=1e-9
    ... )
    >>> round(found.time, 9), round(found.exponent, 6)
    (2.0, 1.5)
    """

    def inverse_rate(tau: float) -> float:
        value, slope = evaluate(tau)
        return value / slope

    one, other = start, start + 0.01 * inverse_rate(start)
    left, right = inverse_rate(one), inverse_rate(other)
    previous = np.inf
    for _ in range(200):
        gradient = (right - left) / (other - one)
        time = other - right / gradient if gradient else np.nan
        # Where z does not blow up, the line need not have a zero ahead.
        if not (gradient < 0 and (time - other) * (other - one) >= 0):
            break
        if np.isfinite(time) and abs(time - previous) <= relative_tolerance * abs(time):
            return BlowUp(float(time), float(-1 / gradient))
        previous = time
        # Half of the way: the line holds only asymptotically, and beyond its zero there is nothing.
        one, left = other, right
        other = other + 0.5 * (time - other)
        right = inverse_rate(other)
    raise InvalidInputError(
        "blow-up: none is approached; start closer to it, or there is none at a finite time"
    )
