"""Theory against simulation: deviations, what explains them, and a verdict.

Definition. At every time the *deviation* is the mean loss of an ensemble minus the theory. It
*agrees* if its size is at most

    k standard errors of the mean + size of the finite-size correction + error of the theory,

or, with a tolerance, k standard errors + tolerance times a scale. The comparison holds if it
agrees at every time. A run that has blown up agrees with nothing.

Convention. Relative deviations are relative to one scale for all times, such as the loss of the
zero model: the loss itself may tend to zero.

>>> ensemble = Trajectory(
...     t=np.array([0.0, 1.0]),
...     loss=np.array([[2.0, 0.9], [2.2, 1.1]]),
...     seed=0,
...     blow_up=(None, None),
...     method="DOP853",
...     rtol=1e-8,
...     step=None,
...     finished=(0, 1),
...     interrupted=False,
... )
>>> result = compare(lambda t: 2 - t, ensemble, scale=2.0)
>>> result.holds, round(float(result.largest), 3)
(True, 0.05)
>>> compare(lambda t: 2 - t * 2, ensemble, scale=2.0).agrees.tolist()
[True, False]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from diagflow.finite_size import FiniteSizeCorrection
from diagflow.simulation.trajectory import Trajectory
from diagrams.errors import InvalidInputError

__all__ = ["STANDARD_ERRORS", "Comparison", "compare", "comparison_record"]

STANDARD_ERRORS = 4.0
"""The k of the verdict: over a grid of times, three would be exceeded by chance now and then."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Theory and simulation at the same times.

    Parameters
    ----------
    t, theory, mean, standard_error : array, shape (times,)
    correction : array, shape (times,)
        The expected deviation at finite sizes; not a number where it is not known.
    allowed : array, shape (times,)
        The largest deviation that agrees.
    scale : float
        What relative deviations are relative to.
    tolerance : float or None
        The relative tolerance of the verdict, if there is one.
    trajectory : Trajectory
        The ensemble.
    """

    t: FloatArray
    theory: FloatArray
    mean: FloatArray
    standard_error: FloatArray
    correction: FloatArray
    allowed: FloatArray
    scale: float
    tolerance: float | None
    trajectory: Trajectory

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
    def agrees(self) -> NDArray[np.bool_]:
        """At which times the deviation is allowed."""
        return np.asarray(np.abs(self.deviation) <= self.allowed, dtype=np.bool_)

    @property
    def holds(self) -> bool:
        """The verdict: whether it is allowed at all times."""
        return bool(np.all(self.agrees))


def compare(
    theory: Callable[[FloatArray], FloatArray],
    trajectory: Trajectory,
    *,
    scale: float,
    correction: FiniteSizeCorrection | None = None,
    standard_errors: float = STANDARD_ERRORS,
    tolerance: float | None = None,
    theory_error: float = 0.0,
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
        What the theory leaves out at these sizes.
    standard_errors : float
        The k of the verdict.
    tolerance : float, optional
        Allowed relative deviation, in place of the correction.
    theory_error : float
        Absolute error of the theory.

    Raises
    ------
    InvalidInputError
        If there are fewer than two runs, or a number above is not positive.
    """
    if trajectory.runs < 2:
        raise InvalidInputError(
            f"comparison with {trajectory.runs} run: the standard error needs two or more; "
            "give more runs"
        )
    for name, value in (
        ("scale", scale),
        ("standard errors", standard_errors),
        ("tolerance", tolerance),
    ):
        if value is not None and not (value > 0 and isfinite(value)):
            raise InvalidInputError(f"{name} {value}: is not positive; give a positive number")
    t = trajectory.t
    statistical = standard_errors * trajectory.standard_error
    systematic = theory_error + (correction.allowance(t) if correction is not None else 0.0)
    # Rounding of the simulated loss, which is a difference of numbers of the size of the scale.
    rounding = 1e-12 * scale + 10 * trajectory.rtol * np.abs(trajectory.mean)
    allowed = statistical + (systematic if tolerance is None else tolerance * scale) + rounding
    return Comparison(
        t=t,
        theory=np.asarray(theory(t), dtype=np.float64),
        mean=trajectory.mean,
        standard_error=trajectory.standard_error,
        correction=np.full_like(t, np.nan) if correction is None else correction(t),
        allowed=np.where(np.isfinite(trajectory.mean), allowed, 0.0),
        scale=scale,
        tolerance=tolerance,
        trajectory=trajectory,
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
        "deviation": plain(comparison.deviation),
        "relative_deviation": plain(comparison.relative),
        "correction": plain(comparison.correction),
        "allowed": plain(comparison.allowed),
        "agrees": [bool(value) for value in comparison.agrees],
        "scale": comparison.scale,
        "tolerance": comparison.tolerance,
        "blow_up": list(comparison.trajectory.blow_up),
        "runs": comparison.trajectory.runs,
        "seed": comparison.trajectory.seed,
        "largest": _finite(comparison.largest),
        "remaining": _finite(comparison.remaining),
        "holds": comparison.holds,
    }
