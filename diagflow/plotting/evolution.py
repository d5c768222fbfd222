"""One curve by itself: the loss of a regime over the times at which it changes, or of an ensemble.

The times of a solution are chosen by looking at it: on a grid of powers of two, up to where its
domain ends, the first time at which nine tenths of its whole change are behind it, and as much
again. A solution that holds for t <= 0 only is drawn there.

>>> from expansion.models import cp
>>> from pde.solving import solve
>>> loss = solve(cp(order=2), "C-D", at={"p": 100, "H": 10**5, "sigma2": 1e-6})
>>> start, stop = telling_times(loss)
>>> start, stop
(0.0, 4.0)
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagflow.columns import counted
from diagflow.plotting.style import (
    COLOURS,
    COLUMN_WIDTH,
    dashes,
    figure_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from diagflow.simulation.trajectory import Trajectory
    from pde.evolution import LossEvolution

__all__ = ["draw_band", "draw_evolution", "draw_trajectory", "png", "telling_times"]

_HEIGHT = 2.1
"""Height of a picture, in inches."""

_RESOLUTION = 150
_POINTS = 201
_MOST = 0.9
_INSIDE = 0.98
"""How near a picture comes to the end of a domain."""

_POWERS = range(-40, 41)


def telling_times(evolution: LossEvolution) -> tuple[float, float]:
    """The times, from smaller to larger, between which a solution is worth looking at.

    Parameters
    ----------
    evolution : LossEvolution

    Returns
    -------
    tuple of (float, float)
        One of the two is zero.
    """
    unit = float(evolution.parameters.get("T", 1))
    domain = evolution.domain
    sign = 1.0 if domain.stop > 0 else -1.0
    end = _INSIDE * abs(domain.stop if sign > 0 else domain.start)
    times = np.array([sign * min(unit * 2.0**k, end) for k in _POWERS])
    values = evolution(np.concatenate([[0.0], times]))
    change = np.abs(values[1:] - values[0])
    finite = np.isfinite(change)
    if not finite.any() or not change[finite].max() > 0:
        return (0.0, unit) if sign > 0 else (-unit, 0.0)
    first = int(np.argmax(finite & (change >= _MOST * change[finite].max())))
    edge = sign * min(2 * abs(float(times[first])), end)
    return (0.0, edge) if sign > 0 else (edge, 0.0)


def draw_evolution(
    axes: Axes,
    evolution: LossEvolution,
    *,
    times: ArrayLike | None = None,
) -> None:
    """The loss of a regime as a line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    evolution : LossEvolution
    times : array_like, optional
        Where; between the times of `telling_times` unless given.
    """
    t = np.linspace(*telling_times(evolution), _POINTS) if times is None else np.asarray(times)
    loss = evolution(t)
    axes.plot(t, loss, color=COLOURS["blue"])
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
