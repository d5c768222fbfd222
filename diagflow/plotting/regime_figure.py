"""The figure of ``diagflow regimes --plot``: the exponents above the regime map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from diagflow.plotting.map_plane import MapPlane, exponents_of_values, free_symbols
from diagflow.plotting.polygon import draw_polygon, polygon_key, telling_orders
from diagflow.plotting.polytope import draw_polytope, telling_view
from diagflow.plotting.regime_map import draw_map, map_key
from diagflow.plotting.style import (
    COLUMN_WIDTH,
    RESOLUTION,
    draw_to_file,
    figure_style,
)
from expansion.regimes import Regimes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_regimes", "regimes_figure"]

_LEFT, _RIGHT, _BETWEEN = 0.53, 0.12, 0.12
_TOP, _POLYGON, _LABELS, _MAP = 0.24, 1.7, 0.45, 2.5
_KEY_LINE = 0.16
"""Sizes of margins and panels, in inches."""

_COLUMNS = 3
"""Columns of the key."""


def plot_regimes(
    regime_set: Regimes, file: Path, *, at: Mapping[str, Fraction | float] | None = None
) -> None:
    """Write a figure with the polygon of exponents and the regime map.

    Parameters
    ----------
    regime_set : Regimes
    file : Path
        An ``.svg``, ``.pdf`` or ``.png`` file.
    at : mapping from str to number, optional
        Values that are shown as a point of the map; with more than three symbols they fix the
        exponents that do not vary on it.

    Raises
    ------
    InvalidInputError
        If the file cannot be written, or the values are not those of a scaling.
    FigureError
        If there is no such picture of these regimes.
    """
    draw_to_file(lambda: regimes_figure(regime_set, at=at), file, what="the regimes")


def regimes_figure(
    regime_set: Regimes, *, at: Mapping[str, Fraction | float] | None = None
) -> Figure:
    """The figure itself, see `plot_regimes`."""
    from matplotlib import figure as library

    mapped = len(free_symbols(regime_set)) > 2
    plane = _plane(regime_set, at) if mapped else None
    solid = regime_set.polyhedra[regime_set.exponents.last].dimension == 3
    key = [
        *([] if solid else polygon_key(regime_set)),
        *(map_key(regime_set, plane=plane, at=at) if mapped else []),
    ]
    title = 0.2 if plane is not None and plane.note() else 0.0
    sizes = _Sizes(
        upper=_POLYGON + (_LABELS if solid else 0),
        lower=(_LABELS + title + _MAP) if mapped else 0.0,
        bottom=_LABELS + _KEY_LINE * (-(-len(key) // _COLUMNS)) + 0.04,
    )
    with figure_style():
        figure = library.Figure(figsize=(COLUMN_WIDTH, sizes.height), dpi=RESOLUTION)
        _draw_panels(figure, regime_set, sizes, solid=solid)
        if mapped:
            place = (_LEFT, sizes.bottom, sizes.inner, _MAP)
            draw_map(figure.add_axes(sizes.part(*place)), regime_set, plane=plane, at=at)
        figure.legend(
            handles=key,
            loc="lower center",
            ncols=_COLUMNS,
            frameon=False,
            borderpad=0.1,
            labelspacing=0.35,
            handletextpad=0.4,
            handlelength=1.8,
            columnspacing=1.2,
        )
    return figure


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The heights of the parts of a figure, in inches: exponents, map, and the key below them."""

    upper: float
    lower: float
    bottom: float

    @property
    def height(self) -> float:
        """That of the figure."""
        return _TOP + _POLYGON + self.bottom + self.lower

    @property
    def inner(self) -> float:
        """The width between the margins."""
        return COLUMN_WIDTH - _LEFT - _RIGHT

    def part(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """A place in units of the figure."""
        whole = self.height
        return left / COLUMN_WIDTH, bottom / whole, width / COLUMN_WIDTH, height / whole


def _draw_panels(figure: Figure, regime_set: Regimes, sizes: _Sizes, *, solid: bool) -> None:
    """Draw the exponents: the polygons of some Y_s, or a polytope from two sides."""
    panels: list[tuple[int, tuple[float, float] | None]] = [
        (s, None) for s in telling_orders(regime_set)
    ]
    if solid:
        last = panels[-1][0]
        azimuth, elevation = telling_view(regime_set, s=last)
        panels = [(last, (azimuth, elevation)), (last, (azimuth + 180, -elevation))]
    width = (sizes.inner - _BETWEEN * (len(panels) - 1)) / len(panels)
    bottom = sizes.height - _TOP - sizes.upper
    for number, (s, view) in enumerate(panels):
        left = _LEFT + number * (width + _BETWEEN)
        axes = figure.add_axes(sizes.part(left, bottom, width, sizes.upper))
        if solid:
            draw_polytope(axes, regime_set, s=s, view=view)
            axes.set_title("from behind" if number else f"$s = {s}$", fontsize=8)
            continue
        draw_polygon(axes, regime_set, s=s)
        if number:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)


def _plane(regime_set: Regimes, at: Mapping[str, Fraction | float] | None) -> MapPlane:
    """The plane of a map, through given values up to a hundredth."""
    plane = MapPlane.of(regime_set)
    if at is None:
        return plane
    scaling = exponents_of_values(plane, at)
    symbols = plane.symbols
    return MapPlane.of(
        regime_set,
        fixed={
            symbols[i]: Fraction(round(100 * entry), 100)
            for i, entry in enumerate(scaling)
            if i not in (plane.across, plane.up, *(bound for bound, _ in plane.tied))
        },
    )
