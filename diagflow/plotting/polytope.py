"""The polytope of leading exponents when it has three dimensions.

With four symbols the Pareto-optimal exponents fill a polytope, for the finite-data autoencoder a
prism; its facets, edges and vertices are regimes. It is drawn in parallel projection with hidden
edges dashed; each name stands on a visible facet or vertex, so that a view from the front and one
from behind name all of them. The axes are three powers, each stretched to its own range.

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from diagflow.plotting.label_placement import Labels
from diagflow.plotting.polygon import telling_orders
from diagflow.plotting.style import COLOURS, LEARNING_FILL, dashes
from diagrams.errors import InvalidInputError
from expansion.linear_algebra import Point, reduced_basis
from expansion.newton import Face
from expansion.polynomial import symbol_latex
from expansion.regimes import Regime, Regimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BEHIND", "FRONT", "draw_polytope"]

Vector = tuple[float, float, float]

FRONT = (-58.0, 27.0)
"""Azimuth and elevation of the usual view, in degrees."""

BEHIND = (FRONT[0] + 180.0, -FRONT[1])
"""The opposite view."""


def draw_polytope(
    axes: Axes, found: Regimes, *, s: int | None = None, view: tuple[float, float] = FRONT
) -> None:
    """Draw the compact faces of the Newton polyhedron of one coefficient, of dimension three.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Ordinary ones, of their final size.
    found : Regimes
    s : int, optional
        Which coefficient; the last unless given.
    view : pair of float
        Azimuth and elevation of the eye, in degrees.

    Raises
    ------
    InvalidInputError
        If Y_s is zero or not known, or its faces have another dimension.
    """
    order = telling_orders(found)[-1] if s is None else s
    polyhedron = found.polyhedra.get(order)
    if polyhedron is None or polyhedron.dimension != 3:
        raise InvalidInputError(
            f"polytope of Y_{order}: its leading exponents do not fill three dimensions; "
            "draw the polygon"
        )
    places = _coordinates(found, polyhedron.vertices)
    low = [min(v[i] for v in polyhedron.vertices) for i in places]
    high = [max(v[i] for v in polyhedron.vertices) for i in places]
    solid = {
        vertex: _unit_cube([vertex[i] for i in places], low, high) for vertex in polyhedron.vertices
    }
    right, up, eye = _directions(*view)
    flat = {vertex: (_inner(p, right), _inner(p, up)) for vertex, p in solid.items()}
    _set_frame(axes, list(flat.values()))
    labels = Labels(axes)
    facets = [face for face in polyhedron.faces if face.dimension == 2]
    bodies = [face for face in polyhedron.faces if face.dimension == 3]
    visible = [face for face in facets if _faces_eye(face, bodies, solid, eye)]
    named = {
        frozenset(q.point(order) for q in regime.sequences): regime
        for regime in reversed(list(found))
    }
    outlines = [(face, _outline(face, flat)) for face in visible]
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
            shown = any(set(edge.vertices) <= set(face.vertices) for face in visible)
            ends = [flat[vertex] for vertex in edge.vertices]
            axes.plot(
                *zip(*ends, strict=True),
                color=COLOURS["black"] if shown else COLOURS["grey"],
                linestyle="-" if shown else "--",
                linewidth=1.1 if shown else 0.7,
                zorder=3 if shown else 2,
            )
            labels.avoid(ends, soft=not shown)
    seen = {vertex for face in visible for vertex in face.vertices}
    _name(axes, labels, named, flat, seen, outlines)
    _draw_tripod(axes, [symbol_latex(found.exponents.symbols[i]) for i in places], right, up)
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
    for face, outline in outlines:
        regime = named.get(frozenset(face.vertices))
        if regime is not None:
            labels.in_region(
                outline,
                _wrapped(regime),
                size=6,
                colour=LEARNING_FILL[regime.learning][0],
            )


def _wrapped(regime: Regime) -> str:
    """The name of a facet, in two lines if it is long."""
    name = dashes(regime.name)
    if len(name) <= 8:
        return name
    joint = "\N{EN DASH}" if "\N{EN DASH}" in name else " "
    parts = name.split(joint)
    half = -(-len(parts) // 2)
    return (joint.join(parts[:half]) + joint.rstrip() + "\n" + joint.join(parts[half:])).strip()


def _coordinates(found: Regimes, vertices: Sequence[Point]) -> tuple[int, int, int]:
    """Three symbols whose powers tell the points apart, preferably without the first size."""
    exponents = found.exponents
    still = [i for i, name in enumerate(exponents.symbols) if name not in exponents.growing]
    preferred = [*exponents.growing_places[1:], *still, exponents.growing_places[0]]
    for triple in combinations(preferred, 3):
        differences = [tuple(v[i] - vertices[0][i] for i in triple) for v in vertices]
        if len(reduced_basis(differences, dimension=3)) == 3:
            return triple
    raise AssertionError("points that fill three dimensions have three independent coordinates")


def _unit_cube(entries: Sequence[int], low: Sequence[int], high: Sequence[int]) -> Vector:
    x, y, z = ((e - a) / (b - a) for e, a, b in zip(entries, low, high, strict=True))
    return x, y, z


def _directions(azimuth: float, elevation: float) -> tuple[Vector, Vector, Vector]:
    """Unit vectors to the right, up and towards the eye."""
    a, e = math.radians(azimuth), math.radians(elevation)
    eye = (math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e))
    right = (-math.sin(a), math.cos(a), 0.0)
    up = (-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e))
    return right, up, eye


def _faces_eye(face: Face, bodies: Sequence[Face], solid: dict[Point, Vector], eye: Vector) -> bool:
    """Whether the outer normal of a facet, of the body that it bounds, points to the eye."""
    first, *others = (solid[vertex] for vertex in face.vertices)
    second = others[0]
    # The third corner that spans the largest triangle, for a well-defined normal.
    normal = max(
        (_cross(_minus(second, first), _minus(third, first)) for third in others[1:]),
        key=lambda n: _inner(n, n),
    )
    body = next(b for b in bodies if set(b.vertices) >= set(face.vertices))
    inside = [solid[vertex] for vertex in body.vertices]
    height = sum(_inner(normal, _minus(p, first)) for p in inside)
    return _inner(normal, eye) * (-1 if height > 0 else 1) > 1e-9


def _outline(face: Face, flat: dict[Point, tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a projected facet in cyclic order."""
    corners = [flat[vertex] for vertex in face.vertices]
    x, y = _middle(corners)
    return sorted(corners, key=lambda c: math.atan2(c[1] - y, c[0] - x))


def _middle(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _set_frame(axes: Axes, places: Sequence[tuple[float, float]]) -> None:
    xs, ys = zip(*places, strict=True)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    axes.set_xlim(min(xs) - 0.26 * wide, max(xs) + 0.26 * wide)
    axes.set_ylim(min(ys) - 0.4 * high, max(ys) + 0.3 * high)
    axes.set_axis_off()


def _draw_tripod(axes: Axes, names: Sequence[str], right: Vector, up: Vector) -> None:
    """Where the three powers grow, in the lower left corner."""
    origin = axes.transAxes.transform((0.1, 0.07))
    figure = axes.get_figure(root=True)
    assert figure is not None
    length = 14 * figure.dpi / 72
    to_axes = axes.transAxes.inverted().transform
    for k, name in enumerate(names):
        tip = (origin[0] + length * right[k], origin[1] + length * up[k])
        far = (origin[0] + 1.45 * length * right[k], origin[1] + 1.45 * length * up[k])
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
