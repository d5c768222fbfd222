"""The polygon or polytope of exponents, and the plane of the regime map, as plain data.

Exact numbers are strings. A page cuts the cones with the plane itself, so that a point of one's own
can move the plane where there are more than three symbols.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> map_record(regime_set)["kind"], exponents_record(regime_set)["kind"]
('plane', 'polygon')
>>> thumbnail(regime_set).startswith("<svg ")
True

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction
from html import escape
from typing import Any

from diagflow.plotting.map_plane import MapPlane, free_symbols, sections, window_of
from diagflow.plotting.polygon import projection
from diagflow.plotting.polytope import telling_view
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.geometry.linear_algebra import Point
from expansion.geometry.newton import pareto_optimal
from expansion.regimes import Regimes

__all__ = ["exponents_record", "map_record", "thumbnail"]

_LARGEST_SOLID = 3
"""Faces of more dimensions are not drawn."""

_FACES = 400
"""Faces of one coefficient that are drawn at most."""


def exponents_record(regime_set: Regimes) -> dict[str, Any]:
    """For every Y_s its points by kind, and the faces of its Newton polyhedron with their regimes.

    Kinds are letters: ``v`` a vertex, ``f`` on a compact face, ``o`` Pareto-optimal on no face,
    ``d`` dominated.
    """
    exponents = regime_set.exponents
    growing = exponents.growing_places
    orders: dict[str, Any] = {}
    dimension = 0
    for s, polyhedron in regime_set.polyhedra.items():
        vertices = list(polyhedron.vertices)
        place = {vertex: number for number, vertex in enumerate(vertices)}
        on_face = {point for face in polyhedron.faces for point in face.points}
        optimal = set(pareto_optimal(exponents.points(s), growing))
        names = _regimes_of_faces(regime_set, s)
        faces = [face for face in polyhedron.faces if 0 < face.dimension <= _LARGEST_SOLID]
        dimension = max(dimension, *(face.dimension for face in polyhedron.faces))

        def kind(
            point: Point,
            corners: dict[Point, int] = place,
            on: set[Point] = on_face,
            best: set[Point] = optimal,
        ) -> str:
            if point in corners:
                return "v"
            return "f" if point in on else "o" if point in best else "d"

        orders[str(s)] = {
            "points": [[*point] for point in exponents.points(s)],
            "kinds": "".join(kind(point) for point in exponents.points(s)),
            "vertices": [[*vertex] for vertex in vertices],
            "names": [names.get(frozenset([vertex]), []) for vertex in vertices],
            "faces": [
                {
                    "dimension": face.dimension,
                    "vertices": [place[vertex] for vertex in face.vertices],
                    "regimes": names.get(frozenset(face.vertices), []),
                }
                for face in faces[:_FACES]
            ],
        }
    record: dict[str, Any] = {"kind": "points", "orders": orders}
    try:
        record["axes"] = list(projection(regime_set))
        record["kind"] = "polygon"
    except InvalidInputError:
        record["axes"] = [0]
    if dimension == _LARGEST_SOLID:
        try:
            record["view"] = list(telling_view(regime_set))
            record["kind"] = "polytope"
        except DiagflowError:
            pass  # the last coefficient is flatter: a projection shows it
    return record


def _regimes_of_faces(regime_set: Regimes, s: int) -> dict[frozenset[Point], list[str]]:
    """The regimes of every face of Y_s, by its vertices; several before their vertices part."""
    result: dict[frozenset[Point], list[str]] = {}
    for regime in regime_set:
        result.setdefault(frozenset(regime_set.face(regime, s).vertices), []).append(regime.name)
    return result


def map_record(regime_set: Regimes) -> dict[str, Any]:
    """The plane of the map with its window, a line for two symbols, or nothing for one."""
    symbols = regime_set.exponents.symbols
    free = free_symbols(regime_set)
    if len(free) > 2:
        plane = MapPlane.of(regime_set)
        window = window_of(regime_set, plane)
        return {
            "kind": "plane",
            "across": plane.across,
            "up": plane.up,
            "base": plane.base,
            "fixed": [str(x) for x in plane.fixed],
            "tied": {str(at): [str(x) for x in row] for at, row in plane.tied},
            "window": [str(x) for x in (window.left, window.bottom, window.right, window.top)],
        }
    growing = [name for name in free if name in regime_set.exponents.growing]
    others = [name for name in free if name not in growing[:1]]
    if not growing or not others:
        return {"kind": "none"}
    base, across = symbols.index(growing[0]), symbols.index(others[0])
    corners = sorted(
        Fraction(ray[across], ray[base])
        for regime in regime_set
        for ray in regime.cone.rays
        if ray[base] > 0
    ) or [Fraction(0)]
    room = max(corners[-1] - corners[0], Fraction(2))
    low = Fraction(0) if others[0] in regime_set.exponents.growing else corners[0] - room
    return {
        "kind": "line",
        "across": across,
        "base": base,
        "fixed": [str(int(place == base)) for place in range(len(symbols))],
        "tied": {},
        "window": [str(low), "0", str(corners[-1] + room), "1"],
    }


_FILL = {"free": "#bcd9ee", "lazy": "#f6d993", "rich": "#a9dcc6"}
_SIDE = 100


def thumbnail(regime_set: Regimes) -> str:
    """The regions of the map as a small picture, or stripes where there is no plane."""
    parts = []
    try:
        plane = MapPlane.of(regime_set)
        window = window_of(regime_set, plane)
        wide, high = window.right - window.left, window.top - window.bottom
        for regime, places in sections(regime_set, plane, window):
            if len(places) > 2:
                points = " ".join(
                    f"{float((x - window.left) / wide) * _SIDE:.1f},"
                    f"{float((window.top - y) / high) * _SIDE:.1f}"
                    for x, y in places
                )
                parts.append(
                    f'<polygon points="{points}" fill="{_FILL.get(regime.learning.value, "#ddd")}" '
                    'stroke="#333" stroke-width="0.8"/>'
                )
    except InvalidInputError:
        vertices = [regime for regime in regime_set if not regime.dimension]
        step = _SIDE / max(1, len(vertices))
        parts = [
            f'<rect x="{step * k:.1f}" y="30" width="{step:.1f}" height="40" '
            f'fill="{_FILL.get(regime.learning.value, "#ddd")}" stroke="#333" stroke-width="0.8"/>'
            for k, regime in enumerate(vertices)
        ]
    problem = regime_set.exponents.problem
    title = escape("" if problem is None else problem.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" role="img">'
        f"<title>regime map of {title}</title>{''.join(parts)}</svg>"
    )
