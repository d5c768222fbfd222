"""Theory against simulation: deviations, what explains them, and a verdict.

Definition. At every time the *deviation* is the mean loss of an ensemble minus the theory. What is
judged is the deviation minus the known finite-size correction. Its *allowance* is

    k standard errors of the mean + stated error of the correction + error of the theory.

At a time theory and simulation *differ* if it exceeds the allowance, unless the deviation is far
below the resolution and lies between nothing and a correction that is an estimate: then the
correction may be too large. They *agree* if it does not and the allowance is at most the
*resolution*, a twentieth of what the theory keeps: a theory that is off by more would have been
found out. So they do where the correction is not known, or not well, if the whole deviation with
its standard errors and the error of the theory is at most the resolution. Otherwise the time
*cannot be judged*. With a tolerance it is the deviation itself that is judged, and the allowance is
k standard errors + the tolerance times a scale, whatever its size. A run that has blown up differs
from every theory.

The verdict: they differ if they differ at some time, or if the correction is as large as what the
theory keeps, for then the theory describes something else. They agree if they agree at all times
and the correction is at most a quarter of what the theory keeps. Otherwise it cannot be judged.

Convention. Relative deviations are relative to one scale for all times, such as the loss of the
zero model: the loss itself may tend to zero.

>>> ensemble = Trajectory(
...     t=np.array([0.0, 1.0]),
...     loss=np.array([[2.0, 0.9], [2.02, 0.92]]),
...     seed=0,
...     blow_up=(None, None),
...     method="DOP853",
...     rtol=1e-8,
...     step=None,
...     finished=(0, 1),
...     interrupted=False,
... )
>>> result = compare(lambda t: 2.02 - 1.08 * t, ensemble, scale=2.0)
>>> result.verdict.value, round(result.largest, 3)
('agrees', 0.015)
>>> compare(lambda t: 2.02 - 1.2 * t, ensemble, scale=2.0).verdict.value
'differs'

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from diagflow.comparison.finite_size import FiniteSizeCorrection
from diagflow.simulation.trajectory import Trajectory
from diagrams.errors import BudgetExceededError, InvalidInputError

__all__ = [
    "LARGEST_SHARE",
    "RESOLUTION",
    "STANDARD_ERRORS",
    "Agreement",
    "Comparison",
    "check_finished",
    "compare",
    "comparison_record",
]

STANDARD_ERRORS = 4.0
"""The k of the verdict: over a grid of times, three would be exceeded by chance now and then."""

RESOLUTION = 0.05
"""An allowance that is larger than this part of the leading loss decides nothing."""

_SMALL = 0.2
"""The share of the resolution below which a deviation refutes nothing by an estimate alone."""

_LEAST = 2
"""Runs without which there is no standard error."""

LARGEST_SHARE = 0.25
"""Where the correction is a larger part of what the theory keeps, agreement is not the theory's."""

FloatArray = NDArray[np.float64]


class Agreement(StrEnum):
    """The verdict on a comparison."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDED = "cannot be judged"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Theory and simulation at the same times.

    Parameters
    ----------
    t, theory, mean, standard_error : array, shape (times,)
    correction, correction_error : array, shape (times,)
        The expected deviation at finite sizes and its stated error; not a number where they are not
        known.
    allowed : array, shape (times,)
        The largest size of the deviation minus the correction, or with a tolerance of the
        deviation, that does not differ; not a number where the correction is needed and not known.
    scale : float
        What relative deviations are relative to.
    kept : float
        The size of the terms that the theory sums, in units of the loss.
    tolerance : float or None
        The relative tolerance of the verdict, if there is one.
    trajectory : Trajectory
        The ensemble.
    standard_errors : float
        The k of the allowance.
    theory_error : float
        Absolute error of the theory.
    asked : int or None
        How many runs were asked for; None for as many as there are.
    left_out : tuple of int
        The s whose leading part the theory does not contain.
    band : array, shape (times,), optional
        The standard deviation of one run from theory; not a number where it is not known.
    fine : (array, array), optional
        The theory at times between those, for a figure without corners: times and losses.
    """

    t: FloatArray
    theory: FloatArray
    mean: FloatArray
    standard_error: FloatArray
    correction: FloatArray
    correction_error: FloatArray
    allowed: FloatArray
    scale: float
    kept: float
    tolerance: float | None
    trajectory: Trajectory
    standard_errors: float = STANDARD_ERRORS
    theory_error: float = 0.0
    asked: int | None = None
    left_out: tuple[int, ...] = ()
    band: FloatArray | None = None
    fine: tuple[FloatArray, FloatArray] | None = None

    @property
    def spread(self) -> FloatArray:
        """The standard deviation of the runs."""
        return np.asarray(self.standard_error * np.sqrt(self.trajectory.runs))

    @property
    def deviation(self) -> FloatArray:
        """Mean minus theory."""
        return self.mean - self.theory

    @property
    def relative(self) -> FloatArray:
        """Deviation in units of the scale."""
        return self.deviation / self.scale

    @property
    def largest(self) -> float:
        """The largest size of a relative deviation."""
        return float(np.max(np.abs(self.relative)))

    @property
    def remaining(self) -> float | None:
        """The largest relative deviation after the correction, where that is known, if it is."""
        rest = np.abs(self.deviation - self.correction)[np.isfinite(self.correction)] / self.scale
        return float(np.max(rest)) if rest.size else None

    @property
    def neglected(self) -> float | None:
        """The size of the correction relative to the summed terms, at least; None if unknown.

        The largest value over the times at which it is known, less its stated error.
        """
        known = np.isfinite(self.correction + self.correction_error)
        if not known.any():
            return None
        least = np.abs(self.correction[known]) - self.correction_error[known]
        return max(0.0, float(np.max(least)) / self.kept)

    @property
    def resolution(self) -> float:
        """The largest allowance with which a time is judged, in units of the loss."""
        return RESOLUTION * self.kept

    @property
    def expected(self) -> FloatArray:
        """What the deviation is judged against: the correction where it is known, else nothing."""
        # Without a correction nothing is expected; where it is not known, nothing is allowed.
        known = np.isfinite(self.correction) & (self.tolerance is None)
        return np.where(known, self.correction, 0.0)

    @property
    def between(self) -> NDArray[np.bool_]:
        """Times at which the deviation is beyond the allowance and smaller than was estimated.

        It lies between nothing and a correction that is not exact, which may be too large, and is
        so small that a theory that is off by as much as is looked for would show more.
        """
        center = self.expected
        with np.errstate(invalid="ignore"):
            beyond = np.abs(self.deviation - center) > self.allowed
            inside = np.abs(self.deviation - center / 2) <= np.abs(center) / 2
            small = np.abs(self.deviation) <= self.resolution * _SMALL
            estimated = (self.correction_error > 0) & (center != 0)
            return np.asarray(beyond & inside & small & estimated)

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        """The verdict at every time."""
        known, within = np.isfinite(self.allowed), self._within
        fine = known if self.tolerance is not None else self._sharp
        return tuple(
            Agreement.DIFFERS
            if not finite or (sure and not inside)
            else Agreement.AGREES
            if (inside and sharp) or close
            else Agreement.UNDECIDED
            for finite, sure, inside, sharp, close in zip(
                np.isfinite(self.mean),
                known & ~self.between,
                within,
                fine,
                self.judged_by_distance,
                strict=True,
            )
        )

    @property
    def _within(self) -> NDArray[np.bool_]:
        """Where the deviation minus the correction is what is allowed, if that is known."""
        with np.errstate(invalid="ignore"):
            within: NDArray[np.bool_] = np.abs(self.deviation - self.expected) <= self.allowed
        return within

    @property
    def _sharp(self) -> NDArray[np.bool_]:
        """Where what is allowed is so little that a wrong theory would be found out."""
        with np.errstate(invalid="ignore"):
            sharp: NDArray[np.bool_] = self.allowed <= self.resolution
        return sharp

    @property
    def judged_by_distance(self) -> NDArray[np.bool_]:
        """Where the correction is not known, or not well, and the theory is close all the same."""
        scatter = self.standard_errors * self.standard_error + self.theory_error
        with np.errstate(invalid="ignore"):
            close: NDArray[np.bool_] = np.abs(self.deviation) + scatter <= self.resolution
        undecided = ~self._sharp & (self._within | ~np.isfinite(self.allowed))
        return close & undecided & (self.tolerance is None)

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """At which times they agree."""
        return np.array([at is Agreement.AGREES for at in self.agreements], dtype=np.bool_)

    @property
    def verdict(self) -> Agreement:
        """The verdict at all times together, see above."""
        at = self.agreements
        share = 0.0 if self.tolerance is not None else self.neglected
        if Agreement.DIFFERS in at or (share is not None and not share < 1):
            return Agreement.DIFFERS
        if Agreement.UNDECIDED in at or (share is not None and not share <= LARGEST_SHARE):
            return Agreement.UNDECIDED
        return Agreement.AGREES

    @property
    def holds(self) -> bool:
        """Whether the verdict is that they agree."""
        return self.verdict is Agreement.AGREES


def compare(
    theory: Callable[[FloatArray], FloatArray],
    trajectory: Trajectory,
    *,
    scale: float,
    correction: FiniteSizeCorrection | None = None,
    standard_errors: float = STANDARD_ERRORS,
    tolerance: float | None = None,
    theory_error: float = 0.0,
    kept: float | None = None,
) -> Comparison:
    """Compare a loss curve with an ensemble.

    Parameters
    ----------
    theory : callable
        From an array of times to an array of losses.
    trajectory : Trajectory
        At least two runs.
    scale : float
        Positive; see above.
    correction : FiniteSizeCorrection, optional
        What the theory leaves out at these sizes; without it, nothing.
    standard_errors : float
        The k of the verdict.
    tolerance : float, optional
        Allowed relative deviation, in place of the correction.
    theory_error : float
        Absolute error of the theory.
    kept : float, optional
        Positive; the size of what the theory keeps, the scale unless given.

    Raises
    ------
    InvalidInputError
        If there are fewer than two runs, or a number above is not positive.
    """
    if trajectory.runs < _LEAST:
        raise InvalidInputError(
            f"comparison with {trajectory.runs} run: the standard error needs two or more; "
            "give more runs"
        )
    for name, value in (
        ("scale", scale),
        ("standard errors", standard_errors),
        ("tolerance", tolerance),
        ("kept", kept),
    ):
        if value is not None and not (value > 0 and isfinite(value)):
            raise InvalidInputError(f"{name} {value}: is not positive; give a positive number")
    t = trajectory.t
    if correction is None:
        expected, error = np.full_like(t, np.nan), np.zeros_like(t)
    else:
        expected, error = correction.estimate(t)
    systematic = theory_error + error if tolerance is None else tolerance * scale
    # Rounding of the simulated loss, which is a difference of numbers of the size of the scale.
    rounding = 1e-12 * scale + 10 * trajectory.rtol * np.abs(trajectory.mean)
    with np.errstate(invalid="ignore"):
        allowed = standard_errors * trajectory.standard_error + systematic + rounding
    return Comparison(
        t=t,
        theory=np.asarray(theory(t), dtype=np.float64),
        mean=trajectory.mean,
        standard_error=trajectory.standard_error,
        correction=expected,
        correction_error=np.where(np.isfinite(expected), error, np.nan),
        allowed=np.where(np.isfinite(trajectory.mean), allowed, 0.0),
        scale=scale,
        kept=scale if kept is None else kept,
        tolerance=tolerance,
        trajectory=trajectory,
        standard_errors=standard_errors,
        theory_error=theory_error,
    )


def check_finished(trajectory: Trajectory, runs: int) -> None:
    """Say what stopped an ensemble, if that left too few runs for a comparison.

    Parameters
    ----------
    trajectory : Trajectory
    runs : int
        How many were asked for.

    Raises
    ------
    KeyboardInterrupt
        If it was the user, with the number of runs in words.
    BudgetExceededError
        If it was a limit.
    """
    if not trajectory.interrupted or trajectory.runs >= _LEAST:
        return
    finished = f"{trajectory.runs} of {runs} runs was finished, and a comparison needs two"
    if trajectory.limit is None:
        raise KeyboardInterrupt(finished)
    raise BudgetExceededError(
        f"budget: the comparison needs more than {trajectory.limit:.3g} seconds; {finished}; raise "
        "--max-seconds"
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def comparison_record(comparison: Comparison) -> dict[str, object]:
    """The comparison as plain data; None where a number is not known."""

    def plain(values: FloatArray) -> list[float | None]:
        return [float(value) if np.isfinite(value) else None for value in values]

    return {
        "t": comparison.t.tolist(),
        "theory": plain(comparison.theory),
        "mean": plain(comparison.mean),
        "standard_error": plain(comparison.standard_error),
        **(
            {}
            if comparison.band is None
            else {"band": plain(comparison.band), "spread": plain(comparison.spread)}
        ),
        "deviation": plain(comparison.deviation),
        "relative_deviation": plain(comparison.relative),
        "correction": plain(comparison.correction),
        "correction_error": plain(comparison.correction_error),
        "allowed": plain(comparison.allowed),
        "agrees": [bool(value) for value in comparison.agrees],
        "verdicts": [at.value for at in comparison.agreements],
        "scale": comparison.scale,
        "tolerance": comparison.tolerance,
        "blow_up": list(comparison.trajectory.blow_up),
        "runs": comparison.trajectory.runs,
        "interrupted": comparison.trajectory.interrupted,
        "seed": comparison.trajectory.seed,
        "largest": _finite(comparison.largest),
        "remaining": _finite(comparison.remaining),
        "kept": comparison.kept,
        "neglected": _finite(comparison.neglected),
        "verdict": comparison.verdict.value,
        "holds": comparison.holds,
    }
