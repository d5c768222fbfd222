"""Ordinary differential equations: both directions of time, events, and an error that is reported.

An `Equation` x' = rate(x) is followed from its start through times of either sign, by the
Runge-Kutta method of order 8 of Dormand and Prince with its dense output. A path ends before the
last time where an event ends it, or where no step is short enough, as at a blow-up; its values are
infinite from there on. The error is the distance of a second path, of a coarser equation or with a
larger tolerance.

>>> square = Equation(lambda x: x**2, np.array([1.0]), lambda x: x)
>>> path = follow(square, np.array([0.5, -1.0, 2.0]))
>>> path.values[:, 0].round(9).tolist(), bool(abs(path.end - 1) < 1e-9)
([2.0, 0.5, inf], True)
>>> far = follow(square, np.array([2.0]), going=lambda x: 4 - x[0])
>>> round(far.end, 9)
0.75

Polynomial equations have a faster method, with poles and exponents: `pde.systems.trajectory`.

Source: ours; E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I (1993),
for the method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from pde.deadline import check_time

__all__ = ["Equation", "OutputPath", "distance", "follow", "largest_distance"]

FloatArray = NDArray[np.float64]

_ROUNDING = 1e-12
"""Relative error of a value below which two paths do not show any."""

_HALVINGS = 60
_WILD = 100.0
"""Values beyond this multiple of the start do not count in the largest error."""


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """A differential equation that does not contain the time, and what is looked at along it.

    Parameters
    ----------
    rate : callable
        From a state to its derivative.
    start : numpy.ndarray, shape (n,)
    output : callable
        From a state to an array of shape (k,).
    tolerance : float, default 1e-13
        Relative to the state.
    absolute : float or numpy.ndarray, optional
        The same for small states; as large as the relative one if it is left out.
    most_steps : int, default 100 000
        In one direction.
    name : str
        What is integrated, for messages about limits of time.
    unit : float, default 1
        The user's time at time 1, for the same messages.
    """

    rate: Callable[[FloatArray], FloatArray]
    start: FloatArray
    output: Callable[[FloatArray], FloatArray]
    tolerance: float = 1e-13
    absolute: float | FloatArray | None = None
    most_steps: int = 100_000
    name: str = "equation of motion"
    unit: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class OutputPath:
    """The output at some times.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, k)
        Infinite beyond the ends.
    start, end : float
        Where the path ends in the past and in the future; infinite if it reaches all times.
    reason : str
        Why it ends, if it is not for an event.
    """

    values: FloatArray
    start: float = -inf
    end: float = inf
    reason: str = ""


def follow(
    equation: Equation,
    times: FloatArray,
    *,
    going: Callable[[FloatArray], float] | None = None,
) -> OutputPath:
    """The output of an equation at times of either sign and in any order.

    Parameters
    ----------
    equation : Equation
    times : numpy.ndarray, shape (n,)
    going : callable, optional
        From a state to a number; the path ends where it stops being positive.

    Raises
    ------
    BudgetExceededError
        If a limit of time is reached.
    """
    times = np.asarray(times, dtype=float)
    with np.errstate(all="ignore"):
        first = np.asarray(equation.output(equation.start), dtype=float)
        path = OutputPath(np.full((len(times), len(first)), inf))
        path.values[times == 0] = first
        for sign in (-1, 1):
            chosen = np.flatnonzero(times * sign > 0)
            if chosen.size:
                chosen = chosen[np.argsort(np.abs(times[chosen]), kind="stable")]
                path = _one_way(equation, times, chosen, going, path)
    return path


def _one_way(
    equation: Equation,
    times: FloatArray,
    chosen: NDArray[np.intp],
    going: Callable[[FloatArray], float] | None,
    path: OutputPath,
) -> OutputPath:
    """The path with its values at the chosen times, which go away from 0."""
    from scipy.integrate import DOP853  # not loaded before it is needed

    last = float(times[chosen[-1]])
    absolute = equation.tolerance if equation.absolute is None else equation.absolute
    stepper = DOP853(
        lambda _, x: equation.rate(x),
        0.0,
        equation.start,
        last,
        rtol=equation.tolerance,
        atol=absolute,
    )
    place = steps = 0
    end, reason = None, ""
    while place < len(chosen) and end is None:
        check_time(
            equation.name,
            f"t = {equation.unit * stepper.t:.3g} of {equation.unit * last:.3g}",
        )
        message, steps = stepper.step(), steps + 1
        if stepper.status == "failed":
            end, reason = float(stepper.t), str(message)
            break
        inside = stepper.dense_output()
        if going is not None and not going(stepper.y) > 0:
            end = _last(inside, going, stepper.t_old, stepper.t)
        elif steps >= equation.most_steps:
            end, reason = float(stepper.t), f"{steps} steps"
        reached = abs(stepper.t if end is None else end)
        while place < len(chosen) and abs(times[chosen[place]]) <= reached:
            path.values[chosen[place]] = equation.output(inside(times[chosen[place]]))
            place += 1
    if end is None or place == len(chosen):
        return path
    return (
        replace(path, start=end, reason=reason)
        if last < 0
        else replace(path, end=end, reason=reason)
    )


def _last(
    inside: Callable[[float], FloatArray],
    going: Callable[[FloatArray], float],
    left: float,
    right: float,
) -> float:
    """The last time of a step at which a path is still going, as it is at its beginning."""
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        left, right = (middle, right) if going(inside(middle)) > 0 else (left, middle)
    return float(left)


def distance(fine: Equation, coarse: Equation, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The output of an equation, and how far that of a coarser one is from it.

    Parameters
    ----------
    fine, coarse : Equation
        The second one with a larger tolerance, and a coarser average if it has one.
    times : numpy.ndarray, shape (n,)

    Returns
    -------
    values, errors : numpy.ndarray, shape (n, k)
    """
    values, other = (follow(each, times).values for each in (fine, coarse))
    with np.errstate(invalid="ignore"):
        apart = np.abs(values - other)
    return values, np.asarray(apart + _ROUNDING * np.abs(values))


def largest_distance(fine: Equation, coarse: Equation, times: FloatArray) -> FloatArray:
    """The largest error of every output at some times.

    Where an output is some hundred times its start, as close to a blow-up, it is not looked at.

    Parameters
    ----------
    fine, coarse : Equation
    times : numpy.ndarray, shape (n,)
        They should reach as far as the path changes.
    """
    values, errors = distance(fine, coarse, times)
    start = np.abs(np.asarray(fine.output(fine.start), dtype=float))
    usual = np.abs(values) <= _WILD * np.maximum(start, np.finfo(float).tiny)
    return np.asarray(np.max(np.where(usual, errors, 0.0), axis=0, initial=0.0))


Path = OutputPath  # its former name
