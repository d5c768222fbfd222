"""Figures of one curve in a file: the loss of a regime, or of an ensemble.

What `solve --plot`, `simulate --plot` and the methods ``plot`` and ``save`` of values draw.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from diagflow.plotting.evolution import draw_band, draw_evolution, draw_trajectory
from diagflow.plotting.style import (
    COLOURS,
    COLUMN_WIDTH,
    draw_to_file,
    figure_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from diagflow.simulation.trajectory import Trajectory
    from pde.evolution import LossEvolution

__all__ = ["evolution_figure", "plot_evolution", "plot_trajectory", "trajectory_figure"]

_HEIGHT = 2.4
"""Height of a figure, in inches."""

_FINE = 201


def evolution_figure(
    evolution: LossEvolution,
    *,
    times: ArrayLike | None = None,
    correction: Callable[[ArrayLike], ArrayLike] | None = None,
    at: Mapping[str, Fraction] | None = None,
    band: Sequence[float | None] | None = None,
    titled: bool = True,
) -> Figure:
    """The loss of a regime as a fine line, with its finite-size correction if that is given.

    Parameters
    ----------
    evolution : LossEvolution
    times : array_like, optional
        The curve is drawn from the first to the last of them; where it changes unless given.
    correction : callable, optional
        From times to what finite sizes add; not numbers where that is not known.
    at : mapping, optional
        Numbers that the title names.
    band : sequence of (float or None), optional
        The standard deviation of one run at the times.
    titled : bool
        Whether the figure itself has a title; a caption may have it instead.
    """

    def draw(axes: Axes) -> None:
        t = None if times is None else _fine(times)
        draw_evolution(axes, evolution, times=t)
        if band is not None and times is not None:
            width = np.array([np.nan if value is None else value for value in band])
            draw_band(axes, np.asarray(times), evolution(times), width)
            axes.legend(frameon=False, loc="best")
        if correction is not None:
            grid = np.asarray(axes.lines[0].get_xdata(), dtype=float)
            corrected = evolution(grid) + np.asarray(correction(grid))
            if np.count_nonzero(np.isfinite(corrected)) > 1:
                axes.lines[0].set_label("theory")
                axes.plot(
                    grid,
                    corrected,
                    color=COLOURS["black"],
                    linestyle="--",
                    linewidth=0.8,
                    label="with finite-size correction",
                )
                axes.legend(frameon=False)
        if at:
            numbers = ", ".join(f"{name} = {float(value):g}" for name, value in at.items())
            axes.set_title(f"{axes.get_title()}\n{numbers}", fontsize=7)
        if not titled:
            axes.set_title("")

    return _figure(draw)


def trajectory_figure(trajectory: Trajectory, *, title: str = "") -> Figure:
    """The mean of an ensemble with a band of standard errors, and every run in the background."""

    def draw(axes: Axes) -> None:
        draw_trajectory(axes, trajectory)
        order = np.argsort(trajectory.t, kind="stable")
        mean, error = trajectory.mean[order], trajectory.standard_error[order]
        known = np.isfinite(mean) & np.isfinite(error)
        axes.fill_between(
            trajectory.t[order],
            mean - error,
            mean + error,
            where=known,
            color=COLOURS["orange"],
            alpha=0.35,
            linewidth=0,
        )
        if title:
            axes.set_title(f"{title}\n{axes.get_title()}", fontsize=7)

    return _figure(draw)


def plot_evolution(
    evolution: LossEvolution,
    file: Path,
    *,
    times: ArrayLike | None = None,
    correction: Callable[[ArrayLike], ArrayLike] | None = None,
    at: Mapping[str, Fraction] | None = None,
    band: Sequence[float | None] | None = None,
    titled: bool = True,
) -> None:
    """Write `evolution_figure` to an ``.svg``, ``.pdf`` or ``.png`` file.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    FigureError
        If there is no such picture.
    """
    draw_to_file(
        lambda: evolution_figure(
            evolution, times=times, correction=correction, at=at, band=band, titled=titled
        ),
        file,
        what="the numbers",
    )


def plot_trajectory(trajectory: Trajectory, file: Path, *, title: str = "") -> None:
    """Write `trajectory_figure` to an ``.svg``, ``.pdf`` or ``.png`` file.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    FigureError
        If there is no such picture.
    """
    draw_to_file(lambda: trajectory_figure(trajectory, title=title), file, what="the numbers")


def _figure(draw: Callable[[Axes], None]) -> Figure:
    from matplotlib.figure import Figure

    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH, _HEIGHT), layout="constrained")
        draw(figure.add_subplot())
    return figure


def _fine(times: ArrayLike) -> Sequence[float]:
    """Between the first and the last time, so finely that a curve has no corners."""
    t = np.asarray(times, dtype=float)
    fine: list[float] = np.unique(
        np.concatenate([t, np.linspace(t.min(), t.max(), _FINE)])
    ).tolist()
    return fine
