"""The polytope of leading exponents when it has three dimensions.

With four symbols the Pareto-optimal exponents fill a polytope, for the finite-data autoencoder a
prism; its facets, edges and vertices are regimes. It is drawn in parallel projection with hidden
edges dashed; each name stands on a visible facet or vertex, so that a view from the front and one
from behind name all of them. Where several polytopes meet in a facet, it is inside and not drawn;
a facet or an edge that bounds no polytope is a sheet or a wire, seen from both sides. The axes are
three powers, each stretched to its own range.

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from diagflow.plotting.label_placement import Labels, polygon_area
from diagflow.plotting.polygon import telling_orders
from diagflow.plotting.style import COLOURS, LEARNING_FILL, dashes
from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import Point, reduced_basis
from expansion.geometry.newton import Face, NewtonPolyhedron
from expansion.polynomial import symbol_latex
from expansion.regimes import Regime, Regimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_polytope", "telling_view"]

Vector = tuple[float, float, float]

_AZIMUTHS = range(-90, 90, 5)
_ELEVATIONS = range(10, 45, 5)
"""Views that are tried, in degrees; the opposite ones show the same faces."""


def telling_view(regime_set: Regimes, *, s: int | None = None) -> tuple[float, float]:
    """The azimuth and elevation, in degrees, that show the faces best.

    No facet is seen edge-on and no vertex lies on an edge of others: the smaller of the least
    projected area and the least distance of a vertex from a foreign edge is largest.

    Raises
    ------
    InvalidInputError
        As `draw_polytope`.
    """
    polyhedron, places = _solid(regime_set, s)
    solid = _stretched(polyhedron.vertices, places)
    facets = [face.vertices for face in polyhedron.faces if face.dimension == 2]
    edges = [face.vertices for face in polyhedron.faces if face.dimension == 1]

    def clearness(view: tuple[float, float]) -> float:
        right, up, _ = _directions(*view)
        flat = {vertex: (_inner(p, right), _inner(p, up)) for vertex, p in solid.items()}
        areas = [polygon_area(_cyclic([flat[v] for v in corners])) for corners in facets]
        gaps = [
            _distance(flat[vertex], flat[edge[0]], flat[edge[1]])
            for vertex in flat
            for edge in edges
            if vertex not in edge
        ]
        return round(min(*areas, *gaps), 9)

    return max(((float(a), float(e)) for e in _ELEVATIONS for a in _AZIMUTHS), key=clearness)


def draw_polytope(
    axes: Axes,
    regime_set: Regimes,
    *,
    s: int | None = None,
    view: tuple[float, float] | None = None,
) -> None:
    """Draw the compact faces of the Newton polyhedron of one coefficient, of dimension three.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Ordinary ones, of their final size.
    regime_set : Regimes
    s : int, optional
        Which coefficient; the last unless given.
    view : pair of float, optional
        Azimuth and elevation of the eye, in degrees; `telling_view` unless given.

    Raises
    ------
    InvalidInputError
        If Y_s is zero or not known, or its faces have another dimension.
    """
    order = telling_orders(regime_set)[-1] if s is None else s
    polyhedron, places = _solid(regime_set, order)
    solid = _stretched(polyhedron.vertices, places)
    right, up, eye = _directions(*(view or telling_view(regime_set, s=order)))
    flat = {vertex: (_inner(p, right), _inner(p, up)) for vertex, p in solid.items()}
    _set_frame(axes, list(flat.values()))
    labels = Labels(axes)
    _draw_tripod(
        axes, labels, [symbol_latex(regime_set.exponents.symbols[i]) for i in places], right, up
    )
    facets = [face for face in polyhedron.faces if face.dimension == 2]
    bodies = [face for face in polyhedron.faces if face.dimension == 3]
    visible = [face for face in facets if _faces_eye(face, bodies, solid, eye)]
    named = {
        frozenset(q.point(order) for q in regime.sequences): regime
        for regime in reversed(list(regime_set))
    }
    wires = [
        edge
        for edge in polyhedron.faces
        if edge.dimension == 1 and not any(_lies_on(edge, face) for face in facets)
    ]
    outlines = [(face, _cyclic([flat[vertex] for vertex in face.vertices])) for face in visible]
    for face, outline in outlines:
        regime = named.get(frozenset(face.vertices))
        colour, hatch = LEARNING_FILL[regime.learning] if regime else ("white", "")
        axes.fill(
            *zip(*outline, strict=True),
            facecolor=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            zorder=1,
        )
    for edge in polyhedron.faces:
        if edge.dimension == 1:
            shown = edge in wires or any(_lies_on(edge, face) for face in visible)
            ends = [flat[vertex] for vertex in edge.vertices]
            axes.plot(
                *zip(*ends, strict=True),
                color=COLOURS["black"] if shown else COLOURS["grey"],
                linestyle="-" if shown else "--",
                linewidth=1.1 if shown else 0.7,
                zorder=3 if shown else 2,
            )
            labels.avoid(ends, soft=not shown)
    seen = {vertex for face in (*visible, *wires) for vertex in face.vertices}
    _name(axes, labels, named, flat, seen, outlines)
    axes.set_title(f"$s = {order}$", fontsize=8)


def _name(
    axes: Axes,
    labels: Labels,
    named: dict[frozenset[Point], Regime],
    flat: dict[Point, tuple[float, float]],
    seen: set[Point],
    outlines: Sequence[tuple[Face, list[tuple[float, float]]]],
) -> None:
    centre = _middle(list(flat.values()))
    for vertex in sorted(seen):
        axes.plot(*flat[vertex], "o", color=COLOURS["vermilion"], markersize=4, zorder=5)
        labels.avoid([flat[vertex]], room=2.7)
    for vertex in sorted(seen):
        regime = named.get(frozenset([vertex]))
        if regime is not None:
            labels.near(flat[vertex], dashes(regime.name), size=7.5, bold=True, away_from=centre)
    # First the names that have room in their facets, then the others, off all facets.
    waiting = []
    for face, outline in outlines:
        regime = named.get(frozenset(face.vertices))
        if regime is not None:
            colour = LEARNING_FILL[regime.learning][0]
            texts = _wrapped(regime)
            if not labels.in_region(outline, *texts, size=6, colour=colour, or_beside=False):
                waiting.append((outline, texts[-1]))
    for _, outline in outlines:
        labels.avoid(outline)
    for outline, text in waiting:
        labels.near(_middle(outline), text, size=6, away_from=centre)


def _wrapped(regime: Regime) -> tuple[str, ...]:
    """The name of a facet in one, two and more lines."""
    name = dashes(regime.name)
    joint = "\N{EN DASH}" if "\N{EN DASH}" in name else " "
    parts = name.split(joint)
    end = joint.rstrip() + "\n"
    half = -(-len(parts) // 2)
    halves = (joint.join(parts[:half]), joint.join(parts[half:]))
    return name, end.join(filter(None, halves)), end.join(parts)


def _coordinates(regime_set: Regimes, vertices: Sequence[Point]) -> tuple[int, int, int]:
    """Three symbols whose powers distinguish the points, preferably without the first size."""
    exponents = regime_set.exponents
    still = [i for i, name in enumerate(exponents.symbols) if name not in exponents.growing]
    preferred = [*exponents.growing_places[1:], *still, exponents.growing_places[0]]

    def rank(triple: tuple[int, ...]) -> int:
        differences = [tuple(v[i] - vertices[0][i] for i in triple) for v in vertices]
        return len(reduced_basis(differences, dimension=3))

    # Points that fill three dimensions have three independent coordinates.
    return max(combinations(preferred, 3), key=rank)


def _solid(regime_set: Regimes, s: int | None) -> tuple[NewtonPolyhedron, tuple[int, int, int]]:
    """The polyhedron of a coefficient and the places of three symbols in which it is solid."""
    order = telling_orders(regime_set)[-1] if s is None else s
    polyhedron = regime_set.polyhedra.get(order)
    if polyhedron is None or polyhedron.dimension != 3:
        raise InvalidInputError(
            f"polytope of Y_{order}: its leading exponents do not fill three dimensions; "
            "draw the polygon"
        )
    return polyhedron, _coordinates(regime_set, polyhedron.vertices)


def _stretched(vertices: Sequence[Point], places: Sequence[int]) -> dict[Point, Vector]:
    """Three coordinates of every vertex, each from 0 to 1."""
    ranges = [(min(v[i] for v in vertices), max(v[i] for v in vertices)) for i in places]
    result = {}
    for vertex in vertices:
        x, y, z = (
            (vertex[i] - low) / (high - low) for i, (low, high) in zip(places, ranges, strict=True)
        )
        result[vertex] = (x, y, z)
    return result


def _directions(azimuth: float, elevation: float) -> tuple[Vector, Vector, Vector]:
    """Unit vectors to the right, up and towards the eye."""
    a, e = math.radians(azimuth), math.radians(elevation)
    eye = (math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e))
    right = (-math.sin(a), math.cos(a), 0.0)
    up = (-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e))
    return right, up, eye


def _faces_eye(face: Face, bodies: Sequence[Face], solid: dict[Point, Vector], eye: Vector) -> bool:
    """Whether the outer normal of a facet, of the only body that it bounds, points to the eye."""
    bounded = [body for body in bodies if _lies_on(face, body)]
    if len(bounded) != 1:
        return not bounded
    first, *others = (solid[vertex] for vertex in face.vertices)
    second = others[0]
    # The third corner that spans the largest triangle, for a well-defined normal.
    normal = max(
        (_cross(_minus(second, first), _minus(third, first)) for third in others[1:]),
        key=lambda n: _inner(n, n),
    )
    inside = [solid[vertex] for vertex in bounded[0].vertices]
    height = sum(_inner(normal, _minus(p, first)) for p in inside)
    return _inner(normal, eye) * (-1 if height > 0 else 1) > 1e-9


def _lies_on(small: Face, big: Face) -> bool:
    return set(small.vertices) <= set(big.vertices)


def _cyclic(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a convex polygon in cyclic order."""
    x, y = _middle(corners)
    return sorted(corners, key=lambda c: math.atan2(c[1] - y, c[0] - x))


def _distance(
    place: tuple[float, float], start: tuple[float, float], end: tuple[float, float]
) -> float:
    """The distance of a point from a segment."""
    along = (end[0] - start[0], end[1] - start[1])
    square = along[0] ** 2 + along[1] ** 2
    t = (place[0] - start[0]) * along[0] + (place[1] - start[1]) * along[1]
    t = min(max(t / square, 0.0), 1.0) if square else 0.0
    return math.dist(place, (start[0] + t * along[0], start[1] + t * along[1]))


def _middle(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _set_frame(axes: Axes, places: Sequence[tuple[float, float]]) -> None:
    xs, ys = zip(*places, strict=True)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    axes.set_xlim(min(xs) - 0.2 * wide, max(xs) + 0.2 * wide)
    axes.set_ylim(min(ys) - 0.34 * high, max(ys) + 0.18 * high)
    axes.set_axis_off()


def _draw_tripod(
    axes: Axes, labels: Labels, names: Sequence[str], right: Vector, up: Vector
) -> None:
    """Where the three powers grow, in the lower left corner."""
    origin = axes.transAxes.transform((0.1, 0.07))
    figure = axes.get_figure(root=True)
    assert figure is not None
    length = 12 * figure.dpi / 72
    to_axes = axes.transAxes.inverted().transform
    reach = 1.9 * length
    to_data = axes.transData.inverted().transform
    labels.avoid(
        [
            tuple(to_data((origin[0] + x * reach, origin[1] + y * reach)))
            for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    )
    for k, name in enumerate(names):
        tip = (origin[0] + length * right[k], origin[1] + length * up[k])
        far = (origin[0] + 1.55 * length * right[k], origin[1] + 1.55 * length * up[k])
        axes.annotate(
            "",
            tuple(to_axes(tip)),
            xytext=tuple(to_axes(origin)),
            xycoords="axes fraction",
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "->", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
        x, y = to_axes(far)
        axes.text(
            x, y, f"${name}$", transform=axes.transAxes, fontsize=6.5, ha="center", va="center"
        )


def _inner(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
