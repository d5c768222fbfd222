"""The regime map: the normal fan in a plane of scaling exponents.

A point of the map is a scaling: two exponents vary, the others are fixed, for the CP models
x = α_H/α_p and y = α_σ/α_p. A full-dimensional cone is a region, a cone of one dimension less a
wall, and so on. Regions are clipped to the window exactly, with rational numbers, before they are
drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from diagflow.plotting.style import COLOURS
from diagflow.show_regimes import power_latex
from expansion.cones import Cone
from expansion.polynomial import symbol_latex
from expansion.regimes import Learning, Regime, Regimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

__all__ = ["MapPlane", "draw_map", "learning_key", "map_plane"]

_SHORT = 0.25
"""A wall shorter than this share of a side has its label beside it."""

Place = tuple[Fraction, Fraction]
Line = tuple[Fraction, Fraction, Fraction]
"""Coefficients (a, b, c) of the inequality a x + b y + c >= 0."""

_FILL = {
    Learning.FREE: ("#DCEBF5", ""),
    Learning.LAZY: ("#FBEBC8", "...."),
    Learning.RICH: ("#D6EFE6", "////"),
    Learning.UNKNOWN: ("#EEEEEE", ""),
}


@dataclass(frozen=True, slots=True)
class MapPlane:
    """A plane of scalings: α = fixed + x e_across + y e_up.

    Parameters
    ----------
    across, up : int
        Places of the two exponents that vary.
    fixed : tuple of Fraction
        The other exponents; those that vary are zero here.
    """

    across: int
    up: int
    fixed: tuple[Fraction, ...]

    def line(self, normal: Sequence[int]) -> Line:
        """The half-plane in which a linear form is not negative."""
        constant = sum((n * f for n, f in zip(normal, self.fixed, strict=True)), Fraction(0))
        return Fraction(normal[self.across]), Fraction(normal[self.up]), constant

    def place(self, scaling: Sequence[Fraction]) -> Place | None:
        """Where the ray of a scaling meets the plane, if it does at one point."""
        index = next(i for i, entry in enumerate(self.fixed) if entry)
        if scaling[index] <= 0:
            return None
        factor = self.fixed[index] / scaling[index]
        moved = [factor * entry for entry in scaling]
        if any(
            x != f
            for i, (x, f) in enumerate(zip(moved, self.fixed, strict=True))
            if i not in (self.across, self.up)
        ):
            return None
        return moved[self.across], moved[self.up]


def map_plane(found: Regimes) -> MapPlane:
    """The plane of the last size and the last variance, the exponents of all other sizes one."""
    exponents = found.exponents
    still = [i for i, name in enumerate(exponents.symbols) if name not in exponents.growing]
    across, up = exponents.growing_places[-1], still[-1]
    fixed = tuple(
        Fraction(int(i in exponents.growing_places and i != across))
        for i in range(len(exponents.symbols))
    )
    return MapPlane(across, up, fixed)


def draw_map(
    axes: Axes,
    found: Regimes,
    *,
    plane: MapPlane | None = None,
    at: Mapping[str, Fraction | float] | None = None,
) -> None:
    """Draw regions, walls and corners with their names and natural times.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    found : Regimes
    plane : MapPlane, optional
        `map_plane` unless given.
    at : mapping from str to number, optional
        Values of the symbols, shown as a point of the map.
    """
    chosen = plane or map_plane(found)
    window = _window(found, chosen)
    (left, right), (bottom, top) = window
    symbols = found.exponents.symbols
    half = Fraction(1, 2) if symbols[chosen.up].startswith("sigma2") else Fraction(1)
    frame = [(left, bottom), (right, bottom), (right, top), (left, top)]

    def floats(places: Iterable[Place]) -> list[tuple[float, float]]:
        return [(float(x), float(half * y)) for x, y in places]

    for regime in found:
        region = _clipped(frame, regime.cone, chosen)
        if regime.cone.equations or len(region) < 3:
            continue
        colour, hatch = _FILL[regime.learning]
        axes.fill(
            *zip(*floats(region), strict=True),
            facecolor=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            zorder=1,
        )
        x, y = _centre(floats(region))
        time = power_latex(regime.natural_time)
        axes.text(
            x,
            y,
            f"{_dashes(regime.name)}\n$T \\sim {time}$",
            ha="center",
            va="center",
            fontsize=7,
            linespacing=1.3,
            zorder=6,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": colour, "edgecolor": "none"},
        )
    _draw_walls(axes, found, chosen, frame, half)
    for regime in found:
        corner = chosen.place([Fraction(x) for x in regime.scaling])
        if len(regime.cone.equations) == 2 and corner is not None:
            ((x, y),) = floats([corner])
            axes.plot([x], [y], "o", color=COLOURS["vermilion"], markersize=4, zorder=7)
            axes.annotate(
                _dashes(regime.name),
                (x, y),
                xytext=(-4, 4),
                textcoords="offset points",
                ha="right",
                fontsize=6,
                zorder=8,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            )
    if at is not None:
        _draw_values(axes, found, chosen, at, half)
    axes.set_xlim(float(left), float(right))
    axes.set_ylim(float(half * bottom), float(half * top))
    axes.set_xlabel(_ratio(symbols[chosen.across], symbols, chosen))
    axes.set_ylabel(_ratio(symbols[chosen.up], symbols, chosen))


def learning_key(found: Regimes) -> list[Patch]:
    """Samples of the colours of a map, to be given to a legend."""
    from matplotlib.patches import Patch

    present = {regime.learning for regime in found if not regime.cone.equations}
    return [
        Patch(facecolor=colour, hatch=hatch, edgecolor="0.6", linewidth=0.4, label=learning.value)
        for learning, (colour, hatch) in _FILL.items()
        if learning in present
    ]


def _draw_walls(
    axes: Axes, found: Regimes, plane: MapPlane, frame: Sequence[Place], half: Fraction
) -> None:
    for regime in found:
        if len(regime.cone.equations) != 1:
            continue
        ends = _segment(frame, regime.cone, plane)
        if ends is None:
            continue
        (x0, y0), (x1, y1) = [(float(x), float(half * y)) for x, y in ends]
        axes.plot(
            [x0, x1],
            [y0, y1],
            color=COLOURS["black"],
            linestyle="--" if regime.moving else "-",
            linewidth=1.1,
            zorder=4,
        )
        if regime.moving:
            _draw_observed(axes, found, regime, plane, frame, half)
        angle, length = _appearance(axes, frame, half, (x0, y0), (x1, y1))
        short = length < _SHORT
        axes.annotate(
            f"{_dashes(regime.name)}: $T \\sim {power_latex(regime.natural_time)}$",
            ((x0 + x1) / 2, (y0 + y1) / 2),
            xytext=(-5, 0) if short else (0, 0),
            textcoords="offset points",
            ha="right" if short else "center",
            va="center",
            fontsize=5.5,
            rotation=0 if short else angle,
            rotation_mode="anchor",
            zorder=5,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )


def _draw_observed(
    axes: Axes,
    found: Regimes,
    regime: Regime,
    plane: MapPlane,
    frame: Sequence[Place],
    half: Fraction,
) -> None:
    """Where a wall that moves is at the known s."""
    for s in range(found.start, found.exponents.last + 1):
        face = found.face(regime, s)
        ends = _segment(frame, face.cone, plane) if face.dimension == 1 else None
        if ends is not None:
            axes.plot(
                [float(x) for x, _ in ends],
                [float(half * y) for _, y in ends],
                color=COLOURS["grey"],
                linestyle=":",
                linewidth=0.8,
                zorder=3,
            )


def _draw_values(
    axes: Axes,
    found: Regimes,
    plane: MapPlane,
    at: Mapping[str, Fraction | float],
    half: Fraction,
) -> None:
    """The exponents of given values, to the base of the size whose exponent is fixed."""
    symbols = found.exponents.symbols
    index = next(i for i, entry in enumerate(plane.fixed) if entry)
    base = math.log(float(at[symbols[index]])) / float(plane.fixed[index])
    if base <= 0:
        return
    x = math.log(float(at[symbols[plane.across]])) / base
    y = float(half) * math.log(float(at[symbols[plane.up]])) / base
    axes.plot(
        [x],
        [y],
        "*",
        color=COLOURS["black"],
        markeredgecolor="white",
        markeredgewidth=0.5,
        markersize=8,
        zorder=9,
    )


def _window(found: Regimes, plane: MapPlane) -> tuple[Place, Place]:
    """Ranges of x and y that show all corners of the map with room around them."""
    places = [
        place
        for regime in found
        for ray in (regime.scaling, *regime.cone.rays)
        if (place := plane.place([Fraction(x) for x in ray])) is not None
    ]
    corners = [
        place
        for regime in found
        if len(regime.cone.equations) >= 1
        and (place := plane.place([Fraction(x) for x in regime.scaling])) is not None
    ] or places
    across = [x for x, _ in corners] or [Fraction(1)]
    rays = [
        place
        for regime in found
        for ray in regime.cone.rays
        if (place := plane.place([Fraction(x) for x in ray])) is not None
    ]
    heights = [y for _, y in rays] or [y for _, y in places] or [Fraction(-1)]
    wide = max(max(x for x, _ in rays) if rays else across[0], Fraction(1, 2))
    right = 2 * wide
    span = max(max(heights) - min(heights), abs(min(heights)), Fraction(1))
    return (Fraction(0), right), (
        min(heights) - span * Fraction(3, 4),
        max(heights) + span * Fraction(3, 5),
    )


def _lines(cone: Cone, plane: MapPlane) -> list[Line]:
    return [plane.line(normal) for normal in cone.inequalities]


def _clipped(frame: Sequence[Place], cone: Cone, plane: MapPlane) -> list[Place]:
    """The part of a convex polygon in a cone."""
    region = list(frame)
    for a, b, c in _lines(cone, plane):
        kept: list[Place] = []
        for (x0, y0), (x1, y1) in zip(region, [*region[1:], *region[:1]], strict=True):
            before, after = a * x0 + b * y0 + c, a * x1 + b * y1 + c
            if before >= 0:
                kept.append((x0, y0))
            if (before > 0 > after) or (before < 0 < after):
                t = before / (before - after)
                kept.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
        region = kept
    return region


def _segment(frame: Sequence[Place], cone: Cone, plane: MapPlane) -> tuple[Place, Place] | None:
    """The part of a wall in a convex polygon."""
    a, b, c = plane.line(cone.equations[0])
    if not a and not b:
        return None
    crossings: list[Place] = []
    for (x0, y0), (x1, y1) in zip(frame, [*frame[1:], *frame[:1]], strict=True):
        before, after = a * x0 + b * y0 + c, a * x1 + b * y1 + c
        if before != after and (before >= 0 >= after or before <= 0 <= after):
            t = before / (before - after)
            crossings.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    if len(set(crossings)) < 2:
        return None
    start, end = min(crossings), max(crossings)
    first, last = Fraction(0), Fraction(1)
    for p, q, r in _lines(cone, plane):
        before = p * start[0] + q * start[1] + r
        after = p * end[0] + q * end[1] + r
        if before < 0 and after < 0:
            return None
        if before < 0:
            first = max(first, before / (before - after))
        elif after < 0:
            last = min(last, before / (before - after))
    if first >= last:
        return None

    def at(t: Fraction) -> Place:
        return start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])

    return at(first), at(last)


def _centre(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The centroid of a convex polygon."""
    x0, y0 = places[0]
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in pairwise(places[1:]):
        part = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        area += part
        x += part * (x0 + x1 + x2) / 3
        y += part * (y0 + y1 + y2) / 3
    return x / area, y / area


def _appearance(
    axes: Axes,
    frame: Sequence[Place],
    half: Fraction,
    start: tuple[float, float],
    end: tuple[float, float],
) -> tuple[float, float]:
    """The angle of a line in degrees, so that text is not upside down, and its share of a side."""
    box = axes.get_window_extent()
    right = (end[0] - start[0]) / float(frame[1][0] - frame[0][0])
    up = (end[1] - start[1]) / float(half * (frame[2][1] - frame[1][1]))
    angle = math.degrees(math.atan2(up * box.height, right * box.width))
    if not -90 < angle <= 90:
        angle -= math.copysign(180, angle)
    return angle, math.hypot(right, up)


def _dashes(name: str) -> str:
    return name.replace("-", "–")


def _ratio(name: str, symbols: Sequence[str], plane: MapPlane) -> str:
    """The label of an axis: α_name/α_fixed."""
    shown = "\\sigma" if name == "sigma2" else symbol_latex(name)
    others = [symbols[i] for i, entry in enumerate(plane.fixed) if entry]
    below = ", ".join(f"\\alpha_{{{symbol_latex(other)}}}" for other in others)
    return f"$\\alpha_{{{shown}}} / {below}$"
