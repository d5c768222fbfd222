"""The figure of ``diagflow regimes --plot``: the polygon above the regime map."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from diagflow.plotting.polygon import draw_polygon
from diagflow.plotting.regime_map import draw_map, learning_key
from diagflow.plotting.style import COLUMN_WIDTH, check_figure_file, figure_style, write_figure
from expansion.regimes import Regimes

__all__ = ["plot_regimes"]


def plot_regimes(
    found: Regimes, file: Path, *, at: Mapping[str, Fraction | float] | None = None
) -> None:
    """Write a figure with the polygon of exponents and the regime map.

    Parameters
    ----------
    found : Regimes
    file : Path
        An ``.svg``, ``.pdf`` or ``.png`` file.
    at : mapping from str to number, optional
        Values that are shown as a point of the map.

    Raises
    ------
    InvalidInputError
        If the file cannot be written.
    """
    check_figure_file(file)
    from matplotlib.figure import Figure

    with figure_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 1.75 * COLUMN_WIDTH), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=[1, 1.25])
        draw_polygon(above, found)
        draw_map(below, found, at=at)
        figure.legend(
            handles=[*above.get_legend_handles_labels()[0], *learning_key(found)],
            loc="outside lower center",
            ncols=3,
            frameon=False,
            handletextpad=0.4,
            columnspacing=1.2,
        )
        write_figure(figure, file)
