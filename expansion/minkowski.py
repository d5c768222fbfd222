"""Minkowski sums of convex hulls, by walking along the edges of the sum.

A vertex of the sum is the sum of one vertex of each summand, in one way only. Its normal cone is
cut out by the directions of all edges that leave those vertices, and by e_i for the growing i. A
facet of that cone is an edge of the sum: every summand that has an edge in this direction moves to
its other end, the others stay. So all vertices are found from one, without forming the other sums
of points. The rays of the normal cones are the normals of the facets of the sum.

A facet across e_i is an edge without end, and no summand moves. The walk starts at the sum of the
lexicographically largest vertices: one vector, (1, ε, ε², ...) with a small ε > 0, picks them all.

>>> from expansion.convex_hull import convex_hull
>>> horizontal = convex_hull([(0, 0), (1, 0)], growing=())
>>> vertical = convex_hull([(0, 0), (0, 1)], growing=())
>>> sum_of_hulls([horizontal, vertical]).points
((0, 0), (0, 1), (1, 0), (1, 1))

Source: ours; the use of edge directions is that of Fukuda 2004.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import sub

from expansion.cones import Cone
from expansion.convex_hull import Hull, bits, face_layers, unit_vector
from expansion.linear_algebra import Point, primitive

__all__ = ["sum_of_hulls"]


def sum_of_hulls(hulls: Sequence[Hull]) -> Hull:
    """The Minkowski sum of hulls in one space, at least one, with the same growing indices.

    Parameters
    ----------
    hulls : sequence of Hull

    Returns
    -------
    Hull
        Its points are the vertices of the sum, sorted.
    """
    growing, dimension = hulls[0].growing, hulls[0].dimension_of_space
    falls = [unit_vector(index, dimension=dimension) for index in growing]
    edges = [_edges(hull) for hull in hulls]
    start = tuple(max(ends) for ends in edges)
    normal_cones: dict[Point, Cone] = {}
    waiting = {_total(start, dimension): start}
    while waiting:
        total, parts = waiting.popitem()
        directions = [ends[part] for ends, part in zip(edges, parts, strict=True)]
        cone = Cone.from_inequalities({*falls}.union(*directions), dimension=dimension)
        normal_cones[total] = cone
        for direction in cone.inequalities:
            moved = tuple(
                ends[part].get(direction, part) for ends, part in zip(edges, parts, strict=True)
            )
            reached = _total(moved, dimension)
            if reached not in normal_cones:
                waiting[reached] = moved
    return _hull(normal_cones, growing)


def _edges(hull: Hull) -> dict[Point, dict[Point, Point]]:
    """For every vertex its compact edges: the other end by the direction that leads back."""
    vertices = next(face_layers(hull))
    corners = sum(vertex.members for vertex in vertices)
    edges: dict[Point, dict[Point, Point]] = {}
    for vertex in vertices:
        point = hull.points[vertex.members.bit_length() - 1]
        edges[point] = {}
        for edge in vertex.covers:
            for number in bits(edge & corners & ~vertex.members):
                end = hull.points[number]
                edges[point][primitive(tuple(map(sub, point, end)))] = end
    return edges


def _total(parts: Sequence[Point], dimension: int) -> Point:
    """The sum of some points."""
    return tuple(sum(part[index] for part in parts) for index in range(dimension))


def _hull(normal_cones: Mapping[Point, Cone], growing: tuple[int, ...]) -> Hull:
    """The hull with given vertices and the normal cones at them."""
    points = tuple(sorted(normal_cones))
    tight: dict[Point, int] = {}
    for number, point in enumerate(points):
        for ray in normal_cones[point].rays:
            tight[ray] = tight.get(ray, 0) | 1 << number
    for normal in tight:
        for number, index in enumerate(growing, start=len(points)):
            if not normal[index]:
                tight[normal] |= 1 << number
    normals = tuple(sorted(tight))
    return Hull(
        points=points,
        growing=growing,
        lineality=normal_cones[points[0]].lineality,
        normals=normals,
        tight=tuple(tight[normal] for normal in normals),
    )
