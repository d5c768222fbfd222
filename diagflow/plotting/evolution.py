"""One curve by itself: the loss of a regime over the times at which it changes, or of an ensemble.

The times of a solution are those of `diagflow.comparison.representative`.

Source: ours.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagflow.columns import counted
from diagflow.comparison.representative import representative_times
from diagflow.plotting.style import (
    COLOURS,
    COLUMN_WIDTH,
    dashes,
    figure_style,
    spans_decades,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from diagflow.simulation.trajectory import Trajectory
    from pde.evolution import LossEvolution

__all__ = ["draw_band", "draw_evolution", "draw_trajectory", "png"]

_HEIGHT = 2.1
"""Height of a picture, in inches."""

_RESOLUTION = 150
_POINTS = 201

telling_times = representative_times  # its former name and place


def draw_evolution(
    axes: Axes,
    evolution: LossEvolution,
    *,
    times: ArrayLike | None = None,
) -> None:
    """The loss of a regime as a line, with a band of its error where that varies.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    evolution : LossEvolution
    times : array_like, optional
        Where; between the times of `representative_times` unless given.
    """
    t = (
        np.linspace(*representative_times(evolution), _POINTS)
        if times is None
        else np.asarray(times)
    )
    loss = evolution(t)
    axes.plot(t, loss, color=COLOURS["blue"], label="theory")
    if evolution.curve.errors is not None and np.any(np.asarray(evolution.curve.errors(t)) > 0):
        error = np.asarray(evolution.curve.errors(t))
        axes.fill_between(
            t,
            loss - error,
            loss + error,
            color=COLOURS["sky"],
            alpha=0.35,
            linewidth=0,
            label="its estimated error",
        )
        axes.legend(frameon=False, loc="best")
    if spans_decades(loss[np.isfinite(loss)]):
        axes.set_yscale("log", nonpositive="clip")
    limit = evolution.limit(past=bool(t.min() < 0))
    if limit is not None and math.isfinite(limit):
        axes.axhline(limit, color=COLOURS["grey"], linestyle=":", linewidth=0.8)
    axes.set_title(f"{evolution.solution.problem}, {dashes(evolution.solution.regime)}", fontsize=7)
    axes.set_xlabel("time $t$")
    axes.set_ylabel("expected loss")


def draw_band(
    axes: Axes,
    t: NDArray[np.float64],
    loss: NDArray[np.float64],
    width: NDArray[np.float64],
) -> None:
    """One standard deviation of a single run, either way of the loss, where it is known."""
    axes.fill_between(
        t,
        loss - width,
        loss + width,
        where=np.isfinite(width),
        color=COLOURS["blue"],
        alpha=0.2,
        linewidth=0,
        label="one run, $\\pm$ one standard deviation",
    )


def draw_trajectory(axes: Axes, trajectory: Trajectory) -> None:
    """The mean loss of an ensemble, with the loss of every run in the background."""
    order = np.argsort(trajectory.t, kind="stable")
    t = trajectory.t[order]
    runs = np.where(np.isfinite(trajectory.loss), trajectory.loss, np.nan)
    axes.plot(t, runs[:, order].T, color=COLOURS["grey"], alpha=0.35, linewidth=0.6)
    mean = np.where(np.isfinite(trajectory.mean), trajectory.mean, np.nan)
    axes.plot(t, mean[order], color=COLOURS["vermilion"])
    axes.set_title(f"{counted(trajectory.runs, 'run')}, seed {trajectory.seed}", fontsize=7)
    axes.set_xlabel("time $t$")
    axes.set_ylabel("loss")


def png(draw: Callable[[Axes], None]) -> bytes:
    """A small picture of one pair of axes, as the bytes of a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH, _HEIGHT), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        figure.savefig(buffer, format="png", dpi=_RESOLUTION, metadata={})
    return buffer.getvalue()
