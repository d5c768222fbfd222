"""The regime map: the normal fan in a plane of scaling exponents.

A point of the map is a scaling; for the CP models x = α_H/α_p and y = α_σ/α_p. Regions, walls and
corners are the regimes whose cones meet the plane in an area, a segment and a point; each is
labelled with its name and, but for corners, its natural T. Colours and hatches show how much is
learnt. A wall that moves with s is drawn dashed at its limit, and dotted where it is at each known
s.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from diagflow.plotting.label_placement import Labels, polygon_area
from diagflow.plotting.map_plane import (
    MapPlane,
    Place,
    Window,
    exponents_of_values,
    sections,
    window_of,
)
from diagflow.plotting.style import COLOURS, LEARNING_FILL, beside_formula, dashes, wrapped
from diagflow.show.regimes import power_latex
from expansion.regimes import Learning, Regime, Regimes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw_map", "map_key"]

Section = tuple[Regime, tuple[Place, ...]]


def draw_map(
    axes: Axes,
    regime_set: Regimes,
    *,
    plane: MapPlane | None = None,
    at: Mapping[str, Fraction | float] | None = None,
) -> None:
    """Draw regions, walls and corners with their names and natural T.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of its final size: labels are placed by their extent on it.
    regime_set : Regimes
    plane : MapPlane, optional
        ``MapPlane.of(found)`` unless given.
    at : mapping from str to number, optional
        Values of the symbols, shown as a star.

    Raises
    ------
    InvalidInputError
        If the series has fewer than three symbols, or the values are not those of a scaling.
    """
    chosen = plane or MapPlane.of(regime_set)
    star: list[Place] = []
    if at is not None:
        scaling = exponents_of_values(chosen, at)
        star = [(Fraction(scaling[chosen.across]), Fraction(scaling[chosen.up]))]
    window = window_of(regime_set, chosen, shown=star)
    pieces = sections(regime_set, chosen, window)
    low, high = chosen.on_axes(window.corners[0]), chosen.on_axes(window.corners[2])
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel(chosen.label(chosen.across))
    axes.set_ylabel(chosen.label(chosen.up))
    if chosen.note():
        axes.set_title(chosen.note(), fontsize=7)
    labels = Labels(axes)
    _draw_regions(axes, chosen, pieces)
    _draw_walls(axes, labels, chosen, pieces)
    _draw_observed(axes, labels, regime_set, chosen, window)
    for place in star:
        _draw_values(axes, labels, chosen.on_axes(place))
    _draw_corners(axes, labels, chosen, pieces)
    for regime, places in pieces:
        if len(places) == 2:
            start, end = (chosen.on_axes(place) for place in places)
            labels.along(
                start, end, f"{beside_formula(dashes(regime.name))}: {_time(regime)}", size=6
            )
    # The smallest regions have the least choice.
    for regime, places in sorted(pieces, key=lambda piece: _area(chosen, piece[1])):
        if len(places) > 2:
            labels.in_region(
                [chosen.on_axes(place) for place in places],
                *(f"{name}\n{_time(regime)}" for name in wrapped(regime.name)),
                size=7,
                colour=LEARNING_FILL[regime.learning][0],
            )


def map_key(
    regime_set: Regimes,
    *,
    plane: MapPlane | None = None,
    at: Mapping[str, Fraction | float] | None = None,
) -> list[Artist]:
    """Samples of the colours and lines of a map, to be given to a legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    chosen = plane or MapPlane.of(regime_set)
    pieces = sections(regime_set, chosen, window_of(regime_set, chosen))
    present = {regime.learning for regime, places in pieces if len(places) > 2}
    key: list[Artist] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="0.6", linewidth=0.4, label=_said(learning))
        for learning, (colour, hatch) in LEARNING_FILL.items()
        if learning in present
    ]
    if any(regime.moving for regime, places in pieces if len(places) == 2):
        key += [
            Line2D([], [], color=COLOURS["black"], linestyle="--", label="limit of a wall"),
            Line2D([], [], color=COLOURS["grey"], linestyle=":", label="wall at known $s$"),
        ]
    if at is not None:
        key.append(Line2D([], [], **_STAR, label="given values"))
    return key


_STAR: Mapping[str, Any] = {
    "marker": "*",
    "linestyle": "none",
    "color": COLOURS["black"],
    "markeredgecolor": "white",
    "markeredgewidth": 0.5,
    "markersize": 8,
}


def _draw_regions(axes: Axes, plane: MapPlane, pieces: list[Section]) -> None:
    for regime, places in pieces:
        if len(places) > 2:
            colour, hatch = LEARNING_FILL[regime.learning]
            axes.fill(
                *zip(*(plane.on_axes(place) for place in places), strict=True),
                facecolor=colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
                zorder=1,
            )


def _draw_walls(axes: Axes, labels: Labels, plane: MapPlane, pieces: list[Section]) -> None:
    for regime, places in pieces:
        if len(places) == 2:
            ends = [plane.on_axes(place) for place in places]
            axes.plot(
                *zip(*ends, strict=True),
                color=COLOURS["black"],
                linestyle="--" if regime.moving else "-",
                linewidth=1.1,
                zorder=4,
            )
            labels.avoid(ends)


def _draw_observed(
    axes: Axes, labels: Labels, regime_set: Regimes, plane: MapPlane, window: Window
) -> None:
    """Where walls that move are at the known s."""
    for regime in regime_set:
        if regime.moving and len(regime.vertices) == 2:
            for s in range(regime_set.start, regime_set.exponents.last + 1):
                edge = regime_set.wall(regime, s)
                places = () if edge is None else plane.section(edge.cone, window)
                if len(places) == 2:
                    ends = [plane.on_axes(place) for place in places]
                    axes.plot(
                        *zip(*ends, strict=True),
                        color=COLOURS["grey"],
                        linestyle=":",
                        linewidth=0.8,
                        zorder=3,
                    )
                    labels.avoid(ends, soft=True)


def _draw_corners(axes: Axes, labels: Labels, plane: MapPlane, pieces: list[Section]) -> None:
    named: dict[Place, list[str]] = {}
    for regime, places in pieces:
        if len(places) == 1:
            named.setdefault(places[0], []).append(dashes(regime.name))
    for place in named:
        axes.plot(*plane.on_axes(place), "o", color=COLOURS["vermilion"], markersize=4, zorder=6)
        labels.avoid([plane.on_axes(place)], room=2.0)
    for place, names in named.items():
        others = [plane.on_axes(other) for other in named]
        labels.near(plane.on_axes(place), ", ".join(names), size=6, others=others)


def _draw_values(axes: Axes, labels: Labels, place: tuple[float, float]) -> None:
    axes.plot(*place, **_STAR, zorder=9)
    labels.avoid([place], room=5.0)


def _said(learning: Learning) -> str:
    return "learning not known" if learning is Learning.UNKNOWN else learning.value


def _time(regime: Regime) -> str:
    return rf"$T \sim {power_latex(regime.natural_time)}$"


def _area(plane: MapPlane, places: tuple[Place, ...]) -> float:
    return polygon_area([plane.on_axes(place) for place in places])
