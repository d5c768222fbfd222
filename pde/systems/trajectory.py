"""Trajectories of a flow in one direction of time, by Taylor polynomials of high order.

Around the state at the end of every step the flow is expanded to order N; the step is e^{-2} of the
radius in which the series converges by its last two terms, so that what is left out is of the
size of rounding. The Taylor polynomials of the output are kept: values at any number of times are
one look-up and one Horner scheme.

A polynomial flow exists for ever or reaches infinity at a finite time t_c. There the steps shrink
like t_c - t, and for x ~ (t_c - t)^{-e} the ratios of successive coefficients are
x_n/x_{n-1} = (n + e - 1)/(n (t_c - t)): two of them give t_c and e.

It ends before in a state that does not change any more: Newton's step from there to the nearest
fixed point is below rounding and no direction is unstable. Where a fast decay keeps the steps short
although nothing happens, an implicit method takes over.

Source: ours; A. Jorba, M. Zou, Experimental Mathematics 14 (2005) 99, for the step; C. Domb, M.
F. Sykes, Proc. R. Soc. Lond. A 240 (1957) 214, for the ratios; E. Hairer, G. Wanner, Solving
Ordinary Differential Equations II (1996), for the implicit method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, isfinite

import numpy as np
from numpy.typing import NDArray

from pde.systems.flows import EquationsOfMotion
from pde.systems.implicit import Collocation
from pde.systems.pieces import piecewise

__all__ = ["Accuracy", "Ending", "PiecewiseOutput", "follow"]

FloatArray = NDArray[np.float64]

_STEPS = 600
"""The most Taylor steps."""

_IMPLICIT_STEPS = 400
_TRIAL = 40
"""Taylor steps after which an implicit one is tried."""

_LEAP, _PAYS = 16.0, 4.0
"""The first implicit step, and the shortest that pays, in units of the last Taylor step."""

_HORIZON, _NEARER = 1e15, 1e3
"""The longest time, in the flow's unit, and that of flows too large for a matrix."""

_ALIKE = 2.0
"""A pole leads where two ratios of coefficients, one after the other, differ by less than this."""

_CLOSE = 1e-14
"""Distance to a blow-up, relative to its time, at which a trajectory ends."""

_LARGEST = 1e250
_UNITS = 40
"""Units of time that are tried in a step."""

_STILL = 1e-13
_SLOW = 1e-9


class Ending(StrEnum):
    """Why a trajectory has an end."""

    BLOW_UP = "blow-up"
    STATIONARY = "stationary"
    HORIZON = "horizon"
    OVERFLOW = "overflow"
    STOPPED = "stopped"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Order and caution of the Taylor method, stages and tolerance of the implicit one.

    Parameters
    ----------
    order : int
    caution : float
        A step is exp(-caution) of the radius of convergence.
    stages : int
        Fewer than the order.
    tolerance : float
        Relative, of the implicit method.
    """

    order: int
    caution: float
    stages: int
    tolerance: float


@dataclass(frozen=True, slots=True, eq=False)
class PiecewiseOutput:
    """The output along a flow in one direction, in pieces.

    Parameters
    ----------
    starts, steps : numpy.ndarray, shape (k,)
        Where a piece begins and the unit of its polynomial; times count from 0 in the direction of
        the trajectory, in the flow's unit.
    pieces : numpy.ndarray, shape (k, order + 1)
        Coefficients of the output on every piece.
    end : float
        Beyond it there are no values, but for a stationary trajectory.
    ending : Ending
    pole : float
        The time of the blow-up, infinite if there is none.
    exponent : float
        That of the output, which grows like (pole - time)^(-exponent).
    state : numpy.ndarray, shape (n,)
        The last one.
    """

    starts: FloatArray
    steps: FloatArray
    pieces: FloatArray
    end: float
    ending: Ending
    pole: float
    exponent: float
    state: FloatArray

    def __call__(self, times: FloatArray) -> FloatArray:
        """The output at times in the direction of the trajectory, in the flow's unit."""
        still = self.ending is Ending.STATIONARY
        capped = np.minimum(times, self.starts[-1] if still else self.end)
        return piecewise(self.starts, self.starts, self.steps, self.pieces, capped)

    @property
    def limit(self) -> float | None:
        """The output at the fixed point where it ends, if it does."""
        if self.ending is not Ending.STATIONARY:
            return None
        return float(self.pieces[-1, 0])


class _Pieces:
    """A trajectory that grows, with its time as a sum of two numbers."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[tuple[float, float, FloatArray]] = []
        self.time = self._rest = 0.0

    def add(self, step: float, unit: float, row: FloatArray) -> None:
        self._rows.append((self.time, unit, np.pad(row, (0, self._width - row.size))))
        rest = step + self._rest
        total = self.time + rest
        self._rest = rest - (total - self.time)
        self.time = total

    def closed(
        self, ending: Ending, state: FloatArray, pole: float = inf, exponent: float = 0.0
    ) -> PiecewiseOutput:
        starts, units, rows = zip(*self._rows, strict=True)
        return PiecewiseOutput(
            starts=np.array(starts),
            steps=np.array(units),
            pieces=np.stack(rows),
            end=inf if ending is Ending.STATIONARY else self.time,
            ending=ending,
            pole=pole,
            exponent=exponent,
            state=state,
        )

    def __len__(self) -> int:
        return len(self._rows)


def follow(
    flow: EquationsOfMotion,
    *,
    past: bool,
    accuracy: Accuracy,
    holds: Callable[[float, float], bool] | None = None,
) -> PiecewiseOutput:
    """The trajectory of a flow from its start.

    Parameters
    ----------
    flow : EquationsOfMotion
    past : bool
        Whether time runs backwards.
    accuracy : Accuracy
    holds : callable, optional
        Whether an output at a time may stand; the trajectory ends before one that may not.
    """
    sign = -1.0 if past else 1.0
    order = accuracy.order
    pieces = _Pieces(order + 1)
    state = flow.start
    peak = np.abs(state)
    unit = 1.0
    implicit = _IMPLICIT_STEPS
    horizon = _NEARER if flow.is_large else _HORIZON
    leap = _Leap(flow, accuracy, pieces, sign, horizon, holds)
    for number in range(1, _STEPS + 1):
        found = _expansion(flow, state, peak, sign * unit, accuracy)
        if found is None:
            return pieces.closed(Ending.OVERFLOW, state)
        series, output, step, unit = found
        step = min(step, max(horizon - pieces.time, unit) / unit)
        before = pieces.time
        if holds is not None and not holds(before, float(output[0])):
            return pieces.closed(Ending.STOPPED, state)
        pieces.add(step * unit, unit, output)
        pole = _pole(series, output)
        if pole is not None and pole[0] * unit <= _CLOSE * pieces.time:
            return pieces.closed(Ending.BLOW_UP, state, before + pole[0] * unit, pole[1])
        state = _sum(series, step)
        peak = np.maximum(peak, np.abs(state))
        if not np.max(np.abs(state)) < _LARGEST:
            return pieces.closed(Ending.OVERFLOW, state)
        if pieces.time >= horizon:
            return pieces.closed(Ending.HORIZON, state)
        if _is_still(flow, state, peak, sign, pieces.time):
            pieces.add(0.0, 1.0, flow.expand(state, 0, 1.0)[1])
            return pieces.closed(Ending.STATIONARY, state)
        unit *= step
        if number % _TRIAL == 0:
            allowed = len(pieces) + implicit
            state, peak, ending = leap.along(state, peak, unit, implicit)
            if ending is not None:
                return pieces.closed(ending, state)
            implicit = allowed - len(pieces)
    return pieces.closed(Ending.STEPS, state)


def _expansion(
    flow: EquationsOfMotion, state: FloatArray, peak: FloatArray, signed: float, accuracy: Accuracy
) -> tuple[FloatArray, FloatArray, float, float] | None:
    """Taylor coefficients in a unit of time near the step, the step in it, and that unit.

    None if the numbers are beyond double precision in any unit.
    """
    unit = signed
    for _ in range(_UNITS):
        with np.errstate(all="ignore"):
            series, output = flow.expand(state, accuracy.order, unit)
            if not (np.all(np.isfinite(series)) and np.all(np.isfinite(output))):
                unit *= 2.0**-10
                continue
            sizes = np.maximum(np.abs(state), 1e-3 * np.maximum(peak, np.abs(series[1])))
            radius = _radius(series, sizes)
        if not np.any(series[2:]):
            # Straight lines: no step is too long.
            return series, output, _HORIZON / abs(unit), abs(unit)
        step = radius * exp(-accuracy.caution)
        if 1e-3 < step < 1e3:
            return series, output, step, abs(unit)
        unit *= min(step, 2.0**30)
    return None


def _sum(series: FloatArray, x: float) -> FloatArray:
    value: FloatArray = series[-1].copy()
    for row in series[-2::-1]:
        value = value * x + row
    return value


def _radius(series: FloatArray, sizes: FloatArray) -> float:
    """The distance at which the last two terms reach the size of the state."""
    moving = sizes > 0
    if not np.any(moving):
        return inf
    last = len(series) - 1
    largest = [float(np.max(np.abs(series[n, moving]) / sizes[moving])) for n in (last - 1, last)]
    rate = max(size ** (1 / n) for n, size in zip((last - 1, last), largest, strict=True))
    return 1 / rate if rate else inf  # also where they underflow


def _pole(series: FloatArray, output: FloatArray) -> tuple[float, float] | None:
    """Distance of a pole ahead and the exponent of the output, from ratios of coefficients."""
    last = len(series) - 1
    column = series[:, int(np.argmax(np.abs(series[-1])))]
    distance = _distance(column, last)
    if distance is None:
        return None
    with np.errstate(all="ignore"):
        exponent = last * (output[-1] / output[-2] * distance - 1) + 1
    return distance, float(exponent)


def _distance(column: FloatArray, last: int) -> float | None:
    """That of the pole that leads the last coefficients, None where none does.

    Of a variable that is even or odd around a point every second coefficient is rounding, and its
    ratios are anything.
    """
    with np.errstate(all="ignore"):
        one, other = column[-1] / column[-2], column[-2] / column[-3]
        inverse = last * one - (last - 1) * other
    if not other / _ALIKE < one < other * _ALIKE:
        return None
    return float(1 / inverse) if inverse > 0 and isfinite(inverse) else None


def _is_still(
    flow: EquationsOfMotion, state: FloatArray, peak: FloatArray, sign: float, time: float
) -> bool:
    """Whether a state is a stable fixed point up to rounding."""
    moving = peak > 0
    with np.errstate(all="ignore"):
        rate = flow.expand(state, 1, 1.0)[0][1]
    # A decay like a power of time, which is not still, fails the second test.
    largest = float(np.max(np.abs(rate[moving]) / peak[moving], initial=0.0))
    if not (largest <= 10 * _STILL and largest * time <= _SLOW):
        return False
    matrix = flow.slopes(state).matrix
    if matrix is None:
        return False
    slopes = matrix[np.ix_(moving, moving)]
    slopes = slopes * peak[moving] / peak[moving][:, None]
    rate = rate[moving] / peak[moving]
    newton = np.linalg.lstsq(slopes, rate, rcond=1e-12)[0]
    if not np.max(np.abs(newton), initial=0.0) <= _STILL:
        return False
    growth = np.linalg.eigvals(sign * slopes)
    return bool(np.max(growth.real) <= 1e-9 * np.max(np.abs(growth)))


@dataclass(frozen=True, slots=True)
class _Leap:
    """Implicit steps, with polynomials through their output, for as long as they pay."""

    flow: EquationsOfMotion
    accuracy: Accuracy
    pieces: _Pieces
    sign: float
    horizon: float
    holds: Callable[[float, float], bool] | None

    def along(
        self, state: FloatArray, peak: FloatArray, unit: float, most: int
    ) -> tuple[FloatArray, FloatArray, Ending | None]:
        """The state and the peak after at most so many steps, and how the trajectory ends there.

        The ending is None if Taylor steps have to continue.
        """
        accuracy, pieces = self.accuracy, self.pieces
        method = Collocation(
            self.flow, sign=self.sign, stages=accuracy.stages, tolerance=accuracy.tolerance
        )
        length = _LEAP * unit
        for _ in range(most):
            sizes = np.maximum(np.abs(state), 1e-3 * peak)
            found = method.step(state, sizes, length, least=_PAYS * unit)
            if found is None:
                return state, peak, None
            if self.holds is not None and not self.holds(pieces.time, float(found.output[0])):
                return state, peak, Ending.STOPPED
            pieces.add(found.length, found.length, found.output)
            state, length = found.state, found.following
            peak = np.maximum(peak, np.abs(state))
            if not np.max(np.abs(state)) < _LARGEST:
                return state, peak, Ending.OVERFLOW
            if _is_still(self.flow, state, peak, self.sign, pieces.time):
                pieces.add(0.0, 1.0, self.flow.expand(state, 0, 1.0)[1])
                return state, peak, Ending.STATIONARY
            if pieces.time >= self.horizon:
                return state, peak, Ending.HORIZON
        return state, peak, Ending.STEPS


Trajectory = PiecewiseOutput  # its former name
