"""One run of gradient flow: the loss at given times, in both directions, or the time of blow-up.

Definition. T du/dt = -dL/du from u(0) at t = 0. Positive times are descent, negative ones ascent;
a grid with both signs is integrated from 0 both ways.

Other dynamics of `expansion.drive` have algorithms of their own. *Momentum*: the weights and their
velocities, at rest at first, by the same methods. *Steps*: the times are numbers of steps, done as
they are defined, with tensors drawn anew after each if the problem declares so. *Temperature*:
Euler-Maruyama, T du = -g dt + (2 D T)^{1/2} dB, each step corrected by the slope at its end as in
the method of Heun, with steps halved until the recorded loss changes
by less than a tolerance when a run of half the steps follows the same noise; since the noise is
additive, both errors are proportional to the step.

Convention. The adaptive methods are those of SciPy, with a relative tolerance on the weights;
``euler`` is plain gradient descent whose step is a length of time and is shortened to meet the
times exactly. A *blow-up* is the time at which the adaptive step falls below the spacing of
floating point numbers or the weights overflow; from there on the loss has no value (infinity).

>>> import numpy
>>> from expansion.models import cp
>>> from diagflow.simulation.gradient import LossGradient
>>> flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1.0})
>>> path = integrate(flow, {"U": numpy.array([[2.0]])}, [-1.0, 0.0, 1.0], rtol=1e-10)
>>> path.loss[1], round(path.blow_up, 8)  # a' = 4 a (1 - a) from a = 4: a blows up at log(3/4)/4
(4.5, -0.07192052)

Source: the integrators are SciPy's (Hairer, Norsett, Wanner 1993; Petzold 1983); the rest is ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, prod, ulp
from numbers import Real
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy.integrate import DOP853, LSODA

from diagflow.simulation.gradient import LossGradient, drawn, symmetric_part
from diagflow.simulation.values import factor_at
from diagrams.arguments import shown, word
from diagrams.errors import InvalidInputError

__all__ = [
    "METHODS",
    "NOISE_TOLERANCE",
    "LossPath",
    "check_options",
    "check_pace",
    "check_times",
    "integrate",
]

METHODS = ("DOP853", "LSODA", "euler")
"""The integrators by name."""

_ADAPTIVE = {"DOP853": DOP853, "LSODA": LSODA}

_STEPS = 1000
_MOST = 10_000_000
"""Euler takes at most so many steps. Adaptive methods are stopped if they expect to need more after
_STEPS steps about as long as the _STEPS before, or after _PACES times _STEPS that waver: near its
end a flow rests, but explicit steps do not grow with that. Towards a blow-up steps become shorter,
until the method fails. In any case they are stopped after _MOST steps."""

_PACES = 4

NOISE_TOLERANCE = 1e-3
"""Smallest relative tolerance on the recorded loss under noise: less than what runs differ by."""

_FIRST_STEPS = 16
"""Steps to the last time that noise is first tried with."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LossPath:
    """The loss along one run.

    Parameters
    ----------
    loss : tuple of float
        At each time; infinite from the blow-up on.
    blow_up : float or None
        The time of blow-up nearest to 0.
    evaluations : int
        Number of gradients computed.
    weights : tuple of (mapping or None)
        The weights at each time if they were asked for; None from the blow-up on.
    """

    loss: tuple[float, ...]
    blow_up: float | None
    evaluations: int
    weights: tuple[Mapping[str, Any] | None, ...] = ()


def integrate(
    flow: LossGradient,
    tensors: Mapping[str, Any],
    times: Sequence[float],
    *,
    rtol: float = 1e-8,
    method: str = "DOP853",
    step: float | None = None,
    keep_weights: bool = False,
    ceiling: float = inf,
    noise: np.random.SeedSequence | None = None,
) -> LossPath:
    """Follow the flow from the given tensors.

    Parameters
    ----------
    flow : LossGradient
        The problem at its sizes.
    tensors : mapping
        All tensors at t = 0 as NumPy arrays.
    times : sequence of float
        In any order.
    rtol : float
        Relative tolerance of the adaptive methods.
    method : str
        One of `METHODS`.
    step : float, optional
        Length of a step of ``euler``.
    keep_weights : bool
        Whether to return the weights too.
    ceiling : float
        A run of an adaptive method counts as blown up when its largest weight exceeds this many
        times its first value; without it, when the step vanishes.
    noise : SeedSequence, optional
        Of the noise, if there is a temperature, and of tensors that are drawn anew.

    Returns
    -------
    LossPath

    Raises
    ------
    InvalidInputError
        If the method is unknown, the tolerance not between 0 and 1, or the step is not positive
        for ``euler`` or given to another method.
        Also if a time is out of reach: more than ten million steps away.
    """
    check_options(flow, rtol=rtol, method=method, step=step)
    check_times(flow, times)
    run = _Run(flow, tensors)
    loss = [inf] * len(times)
    weights: list[Mapping[str, Any] | None] = [None] * len(times)
    blow_ups: list[float] = []
    for sign in (1.0, -1.0):
        chosen = sorted(
            (k for k, t in enumerate(times) if t * sign > 0 or (t == 0 and sign > 0)),
            key=lambda k: sign * times[k],
        )
        grid = [times[k] for k in chosen]
        states: Iterator[Vector]
        if flow.problem.drive.step:
            states = run.steps(grid, noise or np.random.SeedSequence(0))
        elif flow.noise:
            states = run.noisy(grid, step, rtol, noise or np.random.SeedSequence(0))
        elif step and method == "euler":
            states = run.euler(grid, step)
        else:
            states = run.adaptive(grid, _ADAPTIVE[method], rtol, ceiling)
        with np.errstate(over="ignore", invalid="ignore"):
            # The states first: a flow without times begins nevertheless, and forgets the last stop.
            for state, k in zip(states, chosen, strict=False):
                loss[k] = run.loss(state)
                if not isfinite(loss[k]):
                    run.stopped = times[k] if run.stopped is None else run.stopped
                    loss[k] = inf
                elif keep_weights:
                    weights[k] = {name: run.tensors(state)[name] for name in run.names}
        if run.stopped is not None:
            blow_ups.append(run.stopped)
    return LossPath(
        loss=tuple(loss),
        blow_up=min(blow_ups, key=abs, default=None),
        evaluations=run.evaluations,
        weights=tuple(weights) if keep_weights else (),
    )


def check_options(flow: LossGradient, *, rtol: float, method: str, step: float | None) -> None:
    """Reject options that `integrate` does not support; see there.

    Raises
    ------
    InvalidInputError
        As `integrate`, and if the method does not fit in memory.
    """
    if word(method, "method") not in METHODS:
        raise InvalidInputError(f"method {method!r}: is unknown; choose {', '.join(METHODS)}")
    if method == "euler" and not (isinstance(step, Real) and step > 0 and isfinite(step)):
        raise InvalidInputError(
            f"step {shown(step)}: euler needs a positive length of time; give step"
        )
    if method != "euler" and step is not None:
        raise InvalidInputError(
            f"step {shown(step)}: {method} chooses its own steps; give rtol instead"
        )
    if not (isinstance(rtol, Real) and 0 < rtol < 1):
        raise InvalidInputError(
            f"tolerance {shown(rtol)}: must lie between 0 and 1; give 1e-8 or so"
        )
    weights = sum(prod(flow.shapes[tensor.name]) for tensor in flow.weights)
    needed, free = 8 * weights**2, psutil.virtual_memory().available
    if method == "LSODA" and needed > free:
        raise InvalidInputError(
            f"method LSODA: keeps a matrix of {weights} x {weights} numbers, about "
            f"{needed / 2**30:.3g} GiB, and {free / 2**30:.3g} GiB are free; choose DOP853"
        )


def check_times(flow: LossGradient, times: Sequence[float]) -> None:
    """Reject times that the dynamics does not have.

    Raises
    ------
    InvalidInputError
        If noise is followed backwards, or a time of gradient descent is no number of steps.
    """
    drive = flow.problem.drive
    for time in times:
        if flow.noise and time < 0:
            raise InvalidInputError(
                f"time {time:g}: noise is not undone backwards in time; give 0 or more"
            )
        if drive.step and not (0 <= time <= _MOST and time == int(time)):
            raise InvalidInputError(
                f"time {time:g}: is no number of steps; give integers from 0 on, such as 0:10:11"
            )


def _to_numpy(array: Any) -> NDArray[np.float64]:
    """The array in the memory of NumPy, copied there from another device if need be."""
    here = array if isinstance(array, np.ndarray) else np.from_dlpack(array, device="cpu")
    return np.asarray(here, dtype=np.float64)


class _Run:
    """The flow as a vector field; counts evaluations and remembers where it stopped."""

    def __init__(self, flow: LossGradient, tensors: Mapping[str, Any]) -> None:
        self.flow = flow
        self.names = [tensor.name for tensor in flow.weights]
        self.fixed = {n: flow.xp.asarray(a) for n, a in tensors.items() if n not in self.names}
        self.start: Vector = np.concatenate([np.ravel(tensors[name]) for name in self.names])
        self.size = self.start.size
        momentum = flow.problem.drive.momentum
        self.friction: float | None = None
        if momentum:
            self.friction = factor_at(momentum, flow.values)
            self.start = np.concatenate([self.start, np.zeros(self.size)])
        self.evaluations = 0
        self.stopped: float | None = None

    def tensors(self, state: Vector) -> dict[str, Any]:
        arrays, offset = dict(self.fixed), 0
        for name in self.names:
            shape = self.flow.shapes[name]
            size = prod(shape)
            part = state[offset : offset + size].reshape(shape)
            arrays[name] = self.flow.xp.asarray(part)
            offset += size
        return arrays

    def loss(self, state: Vector) -> float:
        return float(self.flow.loss(self.tensors(state)))

    def force(self, state: Vector) -> Vector:
        """Minus the slope of what drives, times the rates."""
        self.evaluations += 1
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = self.flow.gradient(self.tensors(state))
        return -np.concatenate([np.ravel(_to_numpy(gradient[name])) for name in self.names])

    def velocity(self, t: float, state: Vector) -> Vector:
        moved = self.force(state)
        if self.friction is not None:  # the state also has the velocities in t/T
            speed = state[self.size :]
            moved = np.concatenate([speed, moved - self.friction * speed])
        return moved / self.flow.values["T"]

    def steps(self, grid: Sequence[float], seed: np.random.SeedSequence) -> Iterator[Vector]:
        """States after some numbers of steps of gradient descent."""
        self.stopped = None
        generator = np.random.default_rng(seed)
        problem = self.flow.problem
        redrawn = [tensor for tensor in problem.tensors if tensor.name in problem.drive.resample]
        length = factor_at(self.flow.problem.drive.step, self.flow.values)
        done, state = 0, self.start
        for number in grid:
            while done < number:
                done += 1
                with np.errstate(over="ignore", invalid="ignore"):
                    state = state + length * self.force(state)
                if not np.all(np.isfinite(state)):
                    self.stopped = float(done)
                    return
                for tensor in redrawn:
                    array = drawn(tensor, self.flow, generator)
                    self.fixed[tensor.name] = self.flow.xp.asarray(array)
            yield state

    def noisy(
        self, grid: Sequence[float], step: float | None, rtol: float, seed: np.random.SeedSequence
    ) -> Iterator[Vector]:
        """States at the times under noise; with a step given, in steps of about this length."""
        self.stopped = None
        if not grid:
            return
        tolerance = max(rtol, NOISE_TOLERANCE)
        length = step or max(abs(grid[-1]) / _FIRST_STEPS, ulp(0.0))
        while True:
            found, error, stopped = self._noisy(grid, length, seed)
            if step is not None or error <= tolerance:
                self.stopped = stopped
                yield from found
                return
            length /= 2

    def _noisy(
        self, grid: Sequence[float], length: float, seed: np.random.SeedSequence
    ) -> tuple[list[Vector], float, float | None]:
        """States at the times, in steps of half a length, and how far whole steps lead from them.

        The last value is the time at which the state left the floating point numbers.
        """
        generator = np.random.default_rng(seed)
        t, coarse, fine = 0.0, self.start, self.start
        found: list[Vector] = []
        error = 0.0
        for end in grid:
            count = int(np.ceil((end - t) / length - 1e-9))
            if count > _MOST:
                raise InvalidInputError(
                    f"time {end:.3g}: {count:.0e} steps of {length:g} away, which the noise needs; "
                    "ask for earlier times, or give a larger tolerance"
                )
            for k in range(count):
                half = (end - t) / count / 2
                with np.errstate(over="ignore", invalid="ignore"):
                    first, second = (
                        self._increment(generator, half),
                        self._increment(generator, half),
                    )
                    coarse = self._kicked(coarse, 2 * half, first + second)
                    fine = self._kicked(fine, half, first)
                    fine = self._kicked(fine, half, second)
                if not np.all(np.isfinite(fine)):
                    return found, inf, t + 2 * (k + 1) * half
            t = end
            found.append(fine)
            with np.errstate(over="ignore", invalid="ignore"):
                one, two = self.loss(fine), self.loss(coarse)
                apart = abs(one - two) / max(abs(one), abs(two)) if one != two else 0.0
            error = max(error, apart if isfinite(apart) else inf)
        return found, error, None

    def _kicked(self, state: Vector, length: float, kick: Vector) -> Vector:
        """A step of the method of Euler and Maruyama, corrected by the slope at its end.

        The correction is that of Heun: where noise is weak the error is quadratic in the length,
        and on the mean of many entries everywhere.
        """
        slope = self.velocity(0.0, state)
        ahead = state + length * slope + kick
        corrected: Vector = state + length / 2 * (slope + self.velocity(0.0, ahead)) + kick
        return corrected

    def _increment(self, generator: np.random.Generator, length: float) -> Vector:
        """The noise of a length of time."""
        parts = []
        for tensor in self.flow.weights:
            array = generator.standard_normal(self.flow.shapes[tensor.name])
            if tensor.symmetric:
                array = symmetric_part(array, tensor, np)
            spread = np.sqrt(2 * self.flow.noise[tensor.name] * length / self.flow.values["T"])
            parts.append(np.ravel(array) * spread)
        return np.concatenate(parts)

    def euler(self, grid: Sequence[float], step: float) -> Iterator[Vector]:
        """States at the times, by steps of equal length between one time and the next."""
        self.stopped = None
        t, state = 0.0, self.start
        for end in grid:
            count = int(np.ceil(abs(end - t) / step - 1e-9))
            if count > _MOST:
                raise InvalidInputError(
                    f"time {end:.3g}: {count:.0e} steps of {step:g} away; ask for earlier times, "
                    "or give longer steps"
                )
            for k in range(count):
                length = (end - t) / count
                with np.errstate(over="ignore", invalid="ignore"):
                    state = state + length * self.velocity(t, state)
                if not np.all(np.isfinite(state)):
                    self.stopped = t + (k + 1) * length
                    return
            t = end
            yield state

    def adaptive(
        self, grid: Sequence[float], solver_class: Any, rtol: float, ceiling: float
    ) -> Iterator[Vector]:
        """States at the times, by the dense output of an adaptive method."""
        self.stopped = None
        rest = [t for t in grid if t != 0]
        yield from (self.start for t in grid if t == 0)
        if not rest:
            return
        scale = float(np.sqrt(np.mean(self.start**2)))
        with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
            warnings.simplefilter("ignore", UserWarning)
            solver = solver_class(
                self.velocity, 0.0, self.start, rest[-1], rtol=rtol, atol=rtol * scale or rtol
            )
        done, highest = 0, ceiling * float(np.max(np.abs(self.start)))
        steps, reached = 0, [0.0]
        while done < len(rest):
            steps += 1
            if steps % _STEPS == 0:
                reached.append(abs(float(solver.t)))
                check_pace(reached, float(rest[-1]))
            with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
                warnings.simplefilter("ignore", UserWarning)
                solver.step()
            failed = solver.status == "failed" or not np.all(np.isfinite(solver.y))
            if failed or float(np.max(np.abs(solver.y))) > highest > 0:
                self.stopped = float(solver.t)
                return
            first = done
            while done < len(rest) and abs(rest[done]) <= abs(solver.t):
                done += 1
            if done > first:
                dense = solver.dense_output()
                yield from (np.asarray(dense(t)) for t in rest[first:done])


def check_pace(reached: Sequence[float], end: float) -> None:
    """Reject a time far out of reach; ``reached`` are the times after every `_STEPS` steps.

    The way is judged by the fastest of the last paces, once they are steady: two that differ by
    less than a factor of two, or four that neither grow nor shrink by such factors all the time.
    """
    paces = [later - earlier for earlier, later in pairwise(reached[-_PACES - 1 :])]
    if len(paces) < 2:
        return
    taken = _STEPS * (len(reached) - 1)
    needed = _STEPS * (abs(end) - reached[-1]) / max(*paces, ulp(reached[-1]))
    faster = [second >= 2 * first for first, second in pairwise(paces)]
    slower = [2 * second <= first for first, second in pairwise(paces)]
    steady = not (faster[-1] or slower[-1])
    wavering = len(paces) == _PACES and not (all(faster) or all(slower))
    if (needed > _MOST and (steady or wavering)) or (needed > 0 and taken >= _MOST):
        raise InvalidInputError(
            f"time {end:.3g}: {taken} steps lead to {reached[-1]:.3g}, "
            f"the rest needs {needed:.0e} more; ask for earlier times"
        )


Path = LossPath  # its former name
