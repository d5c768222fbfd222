"""From a flow to a curve: both directions of time, domain, blow-up and error.

A flow is followed twice in each direction, with different orders, steps and stages. The reported
error is the largest distance of the two, over the times at which the loss is not larger than some
hundred times its start; close to a blow-up the relative error is what stays small.

>>> from expansion.dynamics.system import PolynomialSystem, SystemTerm
>>> from expansion.polynomial import Polynomial
>>> from pde.systems.flows import SystemFlow
>>> p = Polynomial.parse
>>> square = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("1"), ((0, 2),)),),),
...     initial=(p("4"),),
...     output=(SystemTerm(p("1"), ((0, 1),)),),
... )
>>> curve = flow_curve([SystemFlow(square)], T=Fraction(1))
>>> curve.domain.start < -1e14, round(curve.domain.stop, 12), curve.notes[0][0]
(True, 0.25, 'blow-up time')

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite

import numpy as np

from pde.curve import Curve, Domain, FloatArray
from pde.resummed_series import TOLERANCE
from pde.systems.flows import EquationsOfMotion
from pde.systems.trajectory import Accuracy, Ending, PiecewiseOutput, follow

__all__ = ["Branch", "branch", "flow_curve", "joined"]

_FINE = Accuracy(order=32, caution=1.3, stages=12, tolerance=1e-14)
_CHECK = Accuracy(order=28, caution=1.4, stages=10, tolerance=1e-13)
_LARGE_FINE = Accuracy(order=20, caution=1.3, stages=11, tolerance=1e-9)
_LARGE_CHECK = Accuracy(order=18, caution=1.3, stages=10, tolerance=1e-8)
"""For particles of several colours, whose rules know fewer digits."""

_WILD = 100.0
"""Losses beyond this multiple of the start do not count in the absolute error."""

_CAUTION = 2.0
"""The error of an average in units of the difference of two rules."""

_ROUNDING = 1e-12

_REASONS = {
    Ending.BLOW_UP: "because it reaches infinity there",
    Ending.OVERFLOW: "because beyond, it exceeds double precision",
    Ending.HORIZON: "because the integration ends there",
    Ending.STEPS: "because beyond, the integration needs too many steps",
    Ending.STOPPED: f"because beyond, the average over its start is not known to {TOLERANCE:g}",
}


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A curve in one direction of time.

    Parameters
    ----------
    evaluate : callable
        From |τ|/unit to the output.
    unit : float
    end : float
        The last |τ|, infinite if there is none.
    reason : str
        Why there is a last one.
    limit : float or None
    error : float
        Largest expected error.
    notes : tuple of (str, float)
    """

    evaluate: Callable[[FloatArray], FloatArray]
    unit: float
    end: float
    reason: str = ""
    limit: float | None = None
    error: float = 0.0
    notes: tuple[tuple[str, float], ...] = ()

    def __call__(self, distance: FloatArray) -> FloatArray:
        """The output at |τ|."""
        return self.evaluate(distance / self.unit)


def branch(
    flows: Sequence[EquationsOfMotion], *, past: bool, constant: float | None = None
) -> Branch:
    """One direction of a flow, with its error.

    Parameters
    ----------
    flows : sequence of EquationsOfMotion
        The flow, and, if its state is a discretisation, a coarser one.
    past : bool
    constant : float, optional
        The part of the output that does not move. With it the branch ends where the two flows
        differ by too much, compared with what moves.
    """
    fine, check = flows[0], flows[-1]
    second = follow(check, past=past, accuracy=_LARGE_CHECK if fine.is_large else _CHECK)
    ratio = check.unit / fine.unit
    accuracy = _LARGE_FINE if fine.is_large else _FINE
    holds = None if constant is None else _Agreement(second, ratio, constant)
    trajectory = follow(fine, past=past, accuracy=accuracy, holds=holds)
    error = _distance(trajectory, second, ratio)
    sign = -1 if past else 1
    pole = sign * trajectory.pole * fine.unit
    notes: tuple[tuple[str, float], ...] = ()
    if trajectory.ending is Ending.BLOW_UP:
        other = sign * second.pole * check.unit
        notes = (
            ("blow-up time", pole),
            ("blow-up time error", max(abs(pole - other), float(np.spacing(abs(pole))))),
            ("blow-up exponent", -trajectory.exponent),
        )
    still = trajectory.ending is Ending.STATIONARY
    end = inf if still else min(trajectory.end * fine.unit, abs(pole))
    return Branch(
        evaluate=trajectory,
        unit=fine.unit,
        end=end,
        reason=_REASONS.get(trajectory.ending, ""),
        limit=trajectory.limit,
        error=error if constant is None else _CAUTION * error,
        notes=notes,
    )


@dataclass(slots=True)
class _Agreement:
    """Whether a value is that of another rule, compared with what has moved so far.

    Where particles part at the border of two basins, the average is one of a step, which no rule
    knows well; what is left out is then as large as what two rules differ by.

    Parameters
    ----------
    other : PiecewiseOutput
    ratio : float
        The unit of time of the other rule in that of the finer one.
    constant : float
        The part of the output that does not move.
    moved : float
        An output that oscillates may be back where it was.
    """

    other: PiecewiseOutput
    ratio: float
    constant: float
    moved: float = 0.0

    def __call__(self, time: float, value: float) -> bool:
        """Whether they agree at a time, which is later than those before."""
        # The time is in the unit of the finer rule, whose length the coarser one sees as 1/ratio.
        if not time / self.ratio <= self.other.end:
            return self.other.ending is Ending.HORIZON
        start, compared = self.other(np.array([0.0, time / self.ratio]))
        self.moved = max(self.moved, abs(compared - start) + abs(start - self.constant))
        allowed = TOLERANCE / _CAUTION * self.moved + _ROUNDING * abs(start)
        return bool(abs(value - compared) <= allowed)


def _distance(one: PiecewiseOutput, other: PiecewiseOutput, ratio: float) -> float:
    """The largest difference at the beginnings and in the middle of pieces."""
    last = min(one.end, other.end * ratio)
    starts = one.starts[one.starts < last] if isfinite(last) else one.starts
    times = np.unique(np.concatenate([starts, (starts[1:] + starts[:-1]) / 2]))
    values, compared = one(times), other(times / ratio)
    # One that starts from zero has the size that it reaches in its first step.
    size = float(np.max(np.abs(values[:2])))
    usual = np.abs(values) <= _WILD * max(size, 1e-300)
    difference = np.abs(values - compared)
    rounding = float(np.spacing(np.max(np.abs(values[usual]), initial=0.0)))
    return max(float(np.max(difference[usual], initial=0.0)), rounding)


def joined(past: Branch, future: Branch, *, T: Fraction) -> Curve:
    """A curve from its two branches, without digits beyond double precision.

    Parameters
    ----------
    past, future : Branch
    T : Fraction
        The inverse learning rate: τ = t/T.
    """
    scale = float(T)

    def evaluate(t: FloatArray) -> FloatArray:
        distance = np.abs(t) / scale
        values = np.empty_like(distance)
        before = t < 0
        values[before] = past(distance[before])
        values[~before] = future(distance[~before])
        return values

    reasons = dict.fromkeys(each.reason for each in (past, future) if isfinite(each.end))
    notes = (*((f"past {name}", x * scale if "time" in name else x) for name, x in past.notes),)
    notes += (*((name, x * scale if "time" in name else x) for name, x in future.notes),)
    return Curve(
        evaluate=evaluate,
        domain=Domain(
            start=0.0 - past.end * scale, stop=future.end * scale, reason=", and ".join(reasons)
        ),
        limits=(past.limit, future.limit),
        error_estimate=max(past.error, future.error),
        errors=lambda t: np.where(t < 0, past.error, future.error),
        notes=notes,
    )


def flow_curve(
    flows: Sequence[EquationsOfMotion], *, T: Fraction, constant: float | None = None
) -> Curve:
    """The curve of a flow in both directions of time.

    Parameters
    ----------
    flows : sequence of EquationsOfMotion
        The flow, and, if its state is a discretisation, a coarser one.
    T : Fraction
    constant : float, optional
        See `branch`.
    """
    past, future = (branch(flows, past=side, constant=constant) for side in (True, False))
    return joined(past, future, T=T)
