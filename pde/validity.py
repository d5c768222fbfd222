r"""Where a summed series leaves what every loss obeys: it is not negative, and descent lowers it.

The leading parts of a regime are summed at fixed t. In the regimes of small initialisation they
grow like e^{4t}, until at times of order log(1/σ) the terms that were neglected are as large as
those that were kept: the scaling has left the regime. The sum then turns negative, or rises. Its
domain ends there.

>>> curve = Curve(evaluate=lambda t: 1 - 1e-6 * np.exp(4 * t))
>>> bounded = within_bounds(curve, [1, -4e-6, -16e-6], T=Fraction(1))
>>> round(bounded.domain.stop, 6)  # log(10^6)/4
3.453878

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import DiagflowError
from pde.curve import Curve, Domain, FloatArray
from pde.numerics.resummation import unit_of

__all__ = ["within_bounds"]

_OCTAVES = (-60, 60)
_PER_OCTAVE = 4
_ZOOMS = 5
_TOGETHER = 16
"""Times that are evaluated at once where some of them are rejected."""

_ROUNDING = 1e-11
"""Changes below this share of the values are rounding."""

_CAUTION = 3.0
"""The least violation in units of the error."""

_SMALL = np.finfo(float).tiny
"""A time that is just not 0."""

_NEGATIVE = "because there the sum of the leading terms makes the loss negative"
_RISES = "because there the sum of the leading terms makes the loss rise under gradient descent"
_LEFT = (
    ": what the regime neglects is as large there; a small initialisation is left at times of "
    "order log(1/sigma)"
)
_AT_ONCE = (
    "because at these numbers the leading terms are negative at t = 0 already: they do not lead"
)


def within_bounds(
    curve: Curve,
    coefficients: Sequence[Fraction | float],
    *,
    T: Fraction,
    positive: bool = True,
    descending: bool = True,
    error: float = 0.0,
) -> Curve:
    """A curve whose domain ends where it is negative or rises under descent.

    Parameters
    ----------
    curve : Curve
    coefficients : sequence of rational
        s! times the first coefficients in t/T; they set the scale of time.
    T : Fraction
    positive, descending : bool
        Which bounds hold.
    error : float, default 0
        Of the values; a violation is larger.
    """
    if not positive and not descending:
        return curve
    start = curve.evaluate(np.zeros(1))[0]

    def noise(sign: int) -> float:
        """What rounding and the error leave undecided, on one side of 0."""
        known = error
        if error and curve.errors is not None:
            known = float(curve.errors(np.array([sign * _SMALL]))[0])
        return max(_ROUNDING * abs(float(coefficients[0])), _CAUTION * known)

    if positive and start < -noise(1):
        domain = replace(curve.domain, stop=0.0, reason=_AT_ONCE)
        return replace(curve, domain=domain, limits=(curve.limits[0], None))
    exact = [Fraction(c) / math.factorial(s) for s, c in enumerate(coefficients)]
    unit = _logarithm(unit_of(exact) * T)
    domain, limits = curve.domain, curve.limits
    for sign in (1, -1):
        found = _first_violation(
            curve, sign, unit, noise(sign), positive=positive, descending=descending
        )
        if found is None:
            continue
        time, reason = found
        if sign > 0:
            early = domain.start_reason or domain.reason
            domain = Domain(domain.start, time, reason + _LEFT, early if early != reason else "")
            limits = (limits[0], None)
        else:
            domain = replace(domain, start=time, start_reason=reason)
            limits = (None, limits[1])
    return replace(curve, domain=domain, limits=limits)


def _logarithm(value: Fraction) -> float:
    return math.log2(value.numerator) - math.log2(value.denominator)


def _first_violation(
    curve: Curve, sign: int, unit: float, noise: float, *, positive: bool, descending: bool
) -> tuple[float, str] | None:
    """The time nearest to 0 at which a bound is broken, and which it is."""
    low, high = (unit + k for k in _OCTAVES)
    with np.errstate(over="ignore", under="ignore"):
        steps = 2.0 ** np.linspace(low, high, (_OCTAVES[1] - _OCTAVES[0]) * _PER_OCTAVE + 1)
    times = sign * steps
    times = times[np.isfinite(times) & curve.domain.inside(times) & (times != 0)]
    if not times.size:
        return None
    times = np.concatenate([[0.0], times])
    bound = sign > 0

    def broken(values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        below = np.zeros(values.shape, dtype=bool)
        if positive and bound:
            below = ~(values >= -noise)
        rises = np.zeros(values.shape, dtype=bool)
        if descending:
            with np.errstate(invalid="ignore"):
                step = sign * np.diff(values)
                rises[1:] = step > noise + _ROUNDING * np.abs(values[1:])
        return below, rises

    values = _values(curve.evaluate, times)
    below, rises = broken(values)
    if not np.any(below | rises):
        return None
    place = int(np.argmax(below | rises))
    negative = bool(below[place])
    left, right = times[max(place - (1 if negative else 2), 0)], times[place]
    for _ in range(_ZOOMS):
        inner = np.linspace(left, right, 65)
        found = _values(curve.evaluate, inner)
        if len(found) < len(inner):
            break
        if negative:
            at = int(np.argmax(~(found >= -noise)))
            left, right = inner[max(at - 1, 0)], inner[at]
        else:
            at = int(np.argmin(np.where(np.isfinite(found), sign * found, np.inf)))
            left, right = inner[max(at - 1, 0)], inner[min(at + 1, 64)]
    return float(left if negative else (left + right) / 2), _NEGATIVE if negative else _RISES


def _values(evaluate: Callable[[FloatArray], FloatArray], times: FloatArray) -> FloatArray:
    """Values at times that go away from 0, up to the first that the method rejects."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(evaluate(times), dtype=float)
        except DiagflowError:
            pass
        found: list[FloatArray] = []
        for place in range(0, len(times), _TOGETHER):
            try:
                found.append(np.asarray(evaluate(times[place : place + _TOGETHER]), dtype=float))
            except DiagflowError:
                break
    return np.concatenate(found) if found else np.zeros(0)
