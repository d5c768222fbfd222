"""How fast a loss falls: its half-life, its rate and its exponent, each with an error.

Definition. The *excess* is the loss minus its limit, relative to its value at the first time. The
*half-life* is the time after which half of the excess is gone for the first time. Where the excess
is between a tenth and a thousandth, or in the times that are asked for, straight lines are fitted
to its logarithm: the *rate* r of an exponential, excess ~ exp(-r t), and the *exponent* k of a
power law, excess ~ t**-k. The *law* is that of the two whose line is straighter, if it is straight:
the excess stays within a tenth of it.

Errors. A slope has as error half the difference between the slopes of the two halves of its times,
which is large where the law is another one, and for an ensemble the error of leaving out one run at
a time (the jackknife) besides. The half-life of a solution has the error that its stated error
makes; that of an ensemble the jackknife's.

>>> t = np.linspace(0, 5, 401)
>>> found = fit_points(t, 3 + 2 * np.exp(-1.5 * t), limit=3)
>>> found.law.value, round(found.rate.value, 6), found.rate.error < 1e-6
('exponential', 1.5, True)
>>> round(found.half_life.value, 4)
0.4621
>>> fit_points(t, (1 + t) ** -2.0, limit=0).law.value
'power law'

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagflow.simulation.trajectory import Trajectory
from diagrams.errors import DiagflowError, InvalidInputError
from pde.evolution import LossEvolution

__all__ = ["CurveFit", "DecayLaw", "Measured", "fit", "fit_points", "fit_record"]

FloatArray = NDArray[np.float64]

_UPPER, _LOWER = 0.1, 1e-3
"""The excess where lines are fitted."""

_STRAIGHT = 0.1
"""A line is straight if the excess stays within this factor of it."""

_FEWEST = 6
"""Points of a line: three in each half."""

_POINTS = 400
_POWERS = range(-40, 61)


class DecayLaw(StrEnum):
    """How an excess falls."""

    EXPONENTIAL = "exponential"
    POWER = "power law"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with an error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.6g} +- {self.error:.2g}"


@dataclass(frozen=True, slots=True)
class CurveFit:
    """What was fitted to a loss.

    Parameters
    ----------
    limit : float
        To which the loss falls.
    half_life : Measured or None
        None where the excess does not fall to a half.
    rate, exponent : Measured or None
        Of an exponential and of a power law; None where there are too few times for a line.
    law : DecayLaw
        Which of the two it is.
    times : tuple of (float, float) or None
        The first and the last time of the lines.
    """

    limit: float
    half_life: Measured | None = None
    rate: Measured | None = None
    exponent: Measured | None = None
    law: DecayLaw = DecayLaw.NEITHER
    times: tuple[float, float] | None = None

    def __str__(self) -> str:
        lines = [f"Fits of the loss minus its limit {self.limit:.6g}:"]
        lines.append(f"  half-life  {self.half_life or 'not reached'}")
        if self.times is None:
            return "\n".join([*lines, "  rate, exponent: too few times at which it is small"])
        lines += [f"  rate       {self.rate}", f"  exponent   {self.exponent}"]
        between = f"between t = {self.times[0]:.4g} and {self.times[1]:.4g}"
        return "\n".join([*lines, f"  law        {self.law.value}, {between}"])


def fit(
    curve: LossEvolution | Trajectory,
    *,
    limit: float | None = None,
    between: tuple[float, float] | None = None,
) -> CurveFit:
    """Fit a half-life, a rate and an exponent to a solution or to an ensemble.

    Parameters
    ----------
    curve : LossEvolution or Trajectory
    limit : float, optional
        To which the loss falls; the known one of a solution and zero for an ensemble unless given.
    between : tuple of (float, float), optional
        The times of the lines; where the excess is between a tenth and a thousandth unless given.

    Raises
    ------
    InvalidInputError
        If the limit of a solution is not known, or the times or the loss cannot be fitted.

    Examples
    --------
    >>> from diagflow import cp, solve
    >>> loss = solve(cp(order=2), "C", at={"p": 100, "H": 10**7, "sigma2": 1e-4}, terms=6)
    >>> print(fit(loss).rate)
    4000 +- 0
    """
    if isinstance(curve, Trajectory):
        return _fit_ensemble(curve, 0.0 if limit is None else limit, between)
    if not isinstance(curve, LossEvolution):
        raise InvalidInputError(
            f"fit of {type(curve).__name__}: is neither a solution at numbers nor an ensemble; "
            "give what solve or simulate returns"
        )
    known = curve.limit() if limit is None else limit
    if known is None or not math.isfinite(known):
        raise InvalidInputError(
            f"fit: the limit of the loss in regime {curve.solution.regime} is not known; give limit"
        )
    times = _grid(curve, known, between)
    loss = curve(times)
    found = fit_points(times, loss, limit=known, between=between)
    error = curve.error_at(times) or 0.0
    if found.half_life is None:
        return found
    ends = [_half_life(times, loss + shift, known) for shift in (-error, error)]
    spread = max((abs(end - found.half_life.value) for end in ends if end is not None), default=0.0)
    return replace(found, half_life=Measured(found.half_life.value, spread))


def fit_points(
    times: ArrayLike,
    loss: ArrayLike,
    *,
    limit: float,
    between: tuple[float, float] | None = None,
) -> CurveFit:
    """The same for a loss at some times; the half-life has no error.

    Parameters
    ----------
    times, loss : array_like
        Of one length, the times not negative and increasing.
    limit : float
    between : tuple of (float, float), optional

    Raises
    ------
    InvalidInputError
        If the times do not begin at zero and increase, or the loss begins at its limit.
    """
    t, values = np.asarray(times, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    if t.ndim != 1 or t.shape != values.shape or len(t) < 2 or np.any(np.diff(t) <= 0) or t[0] < 0:
        raise InvalidInputError(
            "fit: the times are not two or more that increase from zero, with a loss each; give "
            "others"
        )
    start = values[0] - limit
    if not (math.isfinite(start) and start):
        raise InvalidInputError(
            f"fit: the loss at the first time is {values[0]:.6g}, its limit; give another limit"
        )
    half = _half_life(t, values, limit)
    found = CurveFit(limit, None if half is None else Measured(half, 0.0))
    excess = (values - limit) / start
    chosen = np.isfinite(excess) & (excess > 0) & (t > 0)
    if between is None:
        small = np.flatnonzero(excess < _UPPER)
        first = small[0] if small.size else len(t)
        over = np.flatnonzero(~(excess > _LOWER))
        last = over[over >= first][0] if np.any(over >= first) else len(t)
        chosen &= (np.arange(len(t)) >= first) & (np.arange(len(t)) < last)
    else:
        chosen &= (t >= between[0]) & (t <= between[1])
    if np.count_nonzero(chosen) < _FEWEST:
        return found
    x, y = t[chosen], np.log(excess[chosen])
    rate, rest = _slope(x, y)
    exponent, other = _slope(np.log(x), y)
    straight = min(rest, other) <= math.log1p(_STRAIGHT)
    law = (
        DecayLaw.NEITHER
        if not straight
        else DecayLaw.EXPONENTIAL
        if rest <= other
        else DecayLaw.POWER
    )
    return replace(found, rate=rate, exponent=exponent, law=law, times=(float(x[0]), float(x[-1])))


def fit_record(found: CurveFit) -> dict[str, object]:
    """A fit as plain data, for JSON."""

    def plain(measured: Measured | None) -> dict[str, float | None] | None:
        if measured is None:
            return None
        known = math.isfinite(measured.error)
        return {"value": measured.value, "error": measured.error if known else None}

    return {
        "limit": found.limit,
        "half_life": plain(found.half_life),
        "rate": plain(found.rate),
        "exponent": plain(found.exponent),
        "law": found.law.value,
        "times": None if found.times is None else list(found.times),
    }


def _fit_ensemble(runs: Trajectory, limit: float, between: tuple[float, float] | None) -> CurveFit:
    """The fit of the mean, with the error of leaving out one run at a time."""
    order = np.argsort(runs.t, kind="stable")
    t, loss = runs.t[order], runs.loss[:, order]
    found = fit_points(t, loss.mean(axis=0), limit=limit, between=between)
    if runs.runs < 2:
        return found
    times = between or found.times
    rest = [
        fit_points(t, np.delete(loss, k, axis=0).mean(axis=0), limit=limit, between=times)
        for k in range(runs.runs)
    ]

    def measured(name: str) -> Measured | None:
        whole: Measured | None = getattr(found, name)
        values = [part.value for part in (getattr(one, name) for one in rest) if part is not None]
        if whole is None or len(values) < runs.runs:
            return whole if whole is None else Measured(whole.value, math.inf)
        spread = float(np.var(values)) * (runs.runs - 1)
        return Measured(whole.value, math.hypot(whole.error, math.sqrt(spread)))

    return replace(
        found,
        half_life=measured("half_life"),
        rate=measured("rate"),
        exponent=measured("exponent"),
    )


def _grid(curve: LossEvolution, limit: float, between: tuple[float, float] | None) -> FloatArray:
    """Times from zero to where the excess is small, or the solution ends."""
    if not curve.domain.stop > 0:
        raise InvalidInputError(
            f"fit: the solution of regime {curve.solution.regime} holds for t <= 0 only; there is "
            "no fall to fit"
        )
    unit = float(curve.parameters.get("T", 1))
    stop = 0.98 * curve.domain.stop
    ends = np.unique(np.minimum([unit * 2.0**k for k in _POWERS], stop))
    values = _quietly(curve, np.concatenate([[0.0], ends]))
    with np.errstate(invalid="ignore"):
        small = np.flatnonzero(np.abs(values[1:] - limit) < _LOWER * abs(values[0] - limit))
    end = float(ends[small[0]] if small.size else ends[np.isfinite(values[1:])][-1])
    last = max(end, between[1]) if between else end
    # Fine where half is gone, and evenly where the lines are.
    return np.unique(
        np.concatenate(
            [[0.0], np.geomspace(1e-6 * last, last, _POINTS), np.linspace(0, last, _POINTS)[1:]]
        )
    )


def _quietly(curve: Callable[[ArrayLike], FloatArray], times: FloatArray) -> FloatArray:
    """The curve, not a number where it has none."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(curve(times), dtype=np.float64)
        except (DiagflowError, ArithmeticError):
            result = np.full(len(times), np.nan)
            for k, t in enumerate(times):
                try:
                    result[k] = float(curve(np.array([t]))[0])
                except (DiagflowError, ArithmeticError):
                    break
            return result


def _half_life(t: FloatArray, loss: FloatArray, limit: float) -> float | None:
    """The first time at which half of the excess is gone, between two of the given ones."""
    start = loss[0] - limit
    rest = (loss - limit) / start
    past = np.flatnonzero(rest <= 0.5)
    if not past.size or not past[0]:
        return None
    k = int(past[0])
    one, two = rest[k - 1], rest[k]
    # Between two times an excess is nearly exponential.
    part = math.log(2 * one) / math.log(one / two) if two > 0 else (one - 0.5) / (one - two)
    return float(t[k - 1] + part * (t[k] - t[k - 1]) - t[0])


def _slope(x: FloatArray, y: FloatArray) -> tuple[Measured, float]:
    """Minus the slope of a line with half the difference of its halves; the largest distance."""

    def line(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.polyfit(a - a[0], b, 1)

    slope, height = line(x, y)
    middle = int(np.searchsorted(x, (x[0] + x[-1]) / 2))
    middle = min(max(middle, _FEWEST // 2), len(x) - _FEWEST // 2)
    halves = [line(x[:middle], y[:middle])[0], line(x[middle:], y[middle:])[0]]
    error = abs(halves[0] - halves[1]) / 2
    distance = float(np.max(np.abs(y - height - slope * (x - x[0]))))
    # What rounding leaves is no error of a fit.
    if error < 1e-9 * abs(slope):
        error = 0.0
    return Measured(float(-slope), float(error)), distance


Law = DecayLaw  # its former name
