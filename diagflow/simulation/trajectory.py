"""The loss of an ensemble of runs at given times.

Definition. The mean over n runs estimates E[L(t)]; its standard error is sd / sqrt(n) with the
standard deviation over the runs, n - 1 in the denominator. In its place a higher cumulant may be
estimated, see `diagflow.simulation.statistics`.

Convention. Where a run has blown up its loss is infinite, and so is the mean; the blow-up is
reported as a time.

>>> loss = np.array([[1.0, 0.0], [3.0, np.inf]])
>>> ensemble = Trajectory(
...     t=np.array([0.0, 1.0]),
...     loss=loss,
...     seed=0,
...     blow_up=(None, 0.7),
...     method="DOP853",
...     rtol=1e-8,
...     step=None,
...     finished=(0, 1),
...     interrupted=False,
... )
>>> trajectory_record(ensemble)["mean"], trajectory_record(ensemble)["standard_error"]
([2.0, None], [1.0, None])

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagflow.simulation.statistics import k_statistic
from diagrams.display import figure, frame, picture, report, save

__all__ = ["Trajectory", "trajectory_record"]


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The loss of an ensemble of runs.

    Parameters
    ----------
    t : array, shape (times,)
        The times as given.
    loss : array, shape (runs, times)
        The loss of each finished run.
    seed : int
        Seed of the ensemble.
    blow_up : tuple of (float or None)
        For each finished run the time of its blow-up, if any.
    method : str
        The integrator.
    rtol : float
        Its relative tolerance on the weights.
    step : float or None
        The step of ``euler``.
    finished : tuple of int
        The numbers of the finished runs.
    interrupted : bool
        Whether runs are missing because the user, or a limit, stopped the ensemble.
    limit : float or None
        The limit in seconds, if it was that.
    cumulant : int
        The order of the cumulant that is estimated; the mean unless given.
    """

    t: NDArray[np.float64]
    loss: NDArray[np.float64]
    seed: int
    blow_up: tuple[float | None, ...]
    method: str
    rtol: float
    step: float | None
    finished: tuple[int, ...]
    interrupted: bool
    limit: float | None = None
    cumulant: int = 1

    @property
    def runs(self) -> int:
        """Number of finished runs."""
        return len(self.finished)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the runs, or the estimate of another cumulant, shape (times,)."""
        return k_statistic(self.loss, self.cumulant)[0]

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard error of the mean, shape (times,); NaN where it is not defined.

        It is not defined for a single run or where a run has blown up.
        """
        return k_statistic(self.loss, self.cumulant)[1]

    def __repr__(self) -> str:
        return f"<{self.runs} runs at {len(self.t)} times, seed {self.seed}: {self.method}>"

    def __str__(self) -> str:
        return report("trajectory", self)

    def to_frame(self) -> Any:
        """A data frame of pandas with the columns t, mean and standard_error.

        Raises
        ------
        InvalidInputError
            If pandas is not installed.
        """
        return frame(
            {
                "t": self.t.tolist(),
                "mean": self.mean.tolist(),
                "standard_error": self.standard_error.tolist(),
            }
        )

    def plot(self) -> Any:
        """The mean with its standard errors and every run, as a figure of matplotlib.

        Raises
        ------
        InvalidInputError
            If there is no such figure.
        """
        return figure("trajectory", self)

    def save(self, file: str | PathLike[str]) -> None:
        """Write the figure to an ``.svg``, ``.pdf`` or ``.png`` file, or the numbers to ``.csv``.

        Raises
        ------
        InvalidInputError
            If the file has another ending or cannot be written.
        """
        save("trajectory", self, file)

    def _repr_png_(self) -> bytes | None:
        drawn: bytes | None = picture("trajectory", self)
        return drawn


def trajectory_record(trajectory: Trajectory) -> dict[str, object]:
    """The trajectory as plain data: t, mean, standard error, runs, seed; None where undefined."""

    def plain(values: NDArray[np.float64]) -> list[float | None]:
        return [float(value) if np.isfinite(value) else None for value in values]

    return {
        "t": trajectory.t.tolist(),
        "mean": plain(trajectory.mean),
        "standard_error": plain(trajectory.standard_error),
        "runs": trajectory.runs,
        "seed": trajectory.seed,
        **({} if trajectory.cumulant == 1 else {"cumulant": trajectory.cumulant}),
    }
