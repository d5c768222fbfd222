"""Convex hulls and Minkowski sums with falling directions, found by asking for maxima.

A `Hull` describes the convex hull of some points, or the Minkowski sum of several such hulls, plus
the cone spanned by −f for every *fall* f: a vector on which scalings have to be positive. Its
*generators* are the points followed by the falls. Facets are the extremal rays of the dual of the
cone over the hull, spanned by (v, 1) for every point v and (−f, 0) for every fall f.

All that has to be known of the points is which of them is largest along a normal. One starts from
a few vertices, and asks for the largest point along the outer normal of every facet found so far:
either the facet is one of the whole, or the answer is a vertex beyond it, which is added. So the
work depends on the number of vertices and facets, not on the number of points, and a Minkowski sum,
whose largest point is the sum of the largest points, costs no more than a hull of its vertices.

>>> square = convex_hull([(0, 0), (0, 1), (1, 0), (1, 1)])
>>> square.normals
((-1, 0), (0, -1), (0, 1), (1, 0))
>>> hull_of_sum([[(0, 0), (1, 0)], [(0, 0), (0, 1)]]).points
((0, 0), (0, 1), (1, 0), (1, 1))

Source: the method of the supporting oracle, as in Gritzmann and Sturmfels 1993 and Huggins 2006;
facets by double description (`expansion.geometry.double_description`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import sub
from typing import NamedTuple

from expansion.geometry.double_description import insert, simplicial_start
from expansion.geometry.linear_algebra import Point, inner_product, orthogonal_basis, reduced_basis

__all__ = ["Hull", "Tick", "bits", "convex_hull", "hull_of_sum", "unhurried", "unit_vector"]

Tick = Callable[[], None]
"""Called often during long work; it may raise an exception to end it."""


def unhurried() -> None:
    """The tick of work without limits."""


class Hull(NamedTuple):
    """Facets of a convex hull with falling directions.

    Parameters
    ----------
    points : tuple of Point
        All vertices, and for the hull of points also others that are on faces, sorted.
    falls : tuple of Point
        Vectors f whose −f spans a direction of the hull.
    lineality : tuple of Point
        Reduced basis of the vectors that are constant on the hull.
    normals : tuple of Point
        Outer normals of the facets, primitive, modulo the lineality.
    tight : tuple of int
        For every facet, the generators on it.
    tick : callable
        Called during further work with the hull.
    """

    points: tuple[Point, ...]
    falls: tuple[Point, ...]
    lineality: tuple[Point, ...]
    normals: tuple[Point, ...]
    tight: tuple[int, ...]
    tick: Tick = unhurried

    @property
    def dimension_of_space(self) -> int:
        """The length of the points."""
        return len(self.points[0])


def unit_vector(index: int, *, dimension: int) -> Point:
    """The vector with a one at an index and zeros elsewhere.

    Examples
    --------
    >>> unit_vector(1, dimension=3)
    (0, 1, 0)
    """
    return tuple(int(position == index) for position in range(dimension))


def bits(members: int) -> Iterator[int]:
    """The positions of the ones of an integer, in increasing order.

    Examples
    --------
    >>> list(bits(0b1101))
    [0, 2, 3]
    """
    while members:
        lowest = members & -members
        yield lowest.bit_length() - 1
        members ^= lowest


def convex_hull(
    points: Sequence[Point], *, falls: Sequence[Point] = (), tick: Tick = unhurried
) -> Hull:
    """The convex hull of distinct points, at least one, plus the falling directions.

    Parameters
    ----------
    points : sequence of Point
    falls : sequence of Point, optional
    tick : callable, optional

    Examples
    --------
    >>> convex_hull([(0, 1), (1, 0)]).lineality
    ((1, 1),)
    """
    hull = hull_of_sum([points], falls=falls, tick=tick)
    bounds = [
        inner_product(normal, hull.points[next(bits(tight))])
        for normal, tight in zip(hull.normals, hull.tight, strict=True)
    ]
    vertices = set(hull.points)
    on_boundary = [
        point
        for point in points
        if not falls  # a polytope is a face of itself
        or point in vertices
        or any(
            inner_product(normal, point) == bound
            for normal, bound in zip(hull.normals, bounds, strict=True)
        )
    ]
    return _described(hull, on_boundary, bounds)


def hull_of_sum(
    summands: Sequence[Sequence[Point]], *, falls: Sequence[Point] = (), tick: Tick = unhurried
) -> Hull:
    """The Minkowski sum of the convex hulls of some sets of points, plus the falling directions.

    Parameters
    ----------
    summands : sequence of sequence of Point
        At least one, none of them empty.
    falls : sequence of Point, optional
    tick : callable, optional

    Returns
    -------
    Hull
        Its points are the vertices.
    """
    dimension = len(summands[0][0])
    spread = [tuple(map(sub, v, points[0])) for points in summands for v in points[1:]]
    spread = list(reduced_basis([*falls, *spread], dimension=dimension))
    lineality = orthogonal_basis(spread, dimension=dimension)
    leading = {next(i for i, entry in enumerate(row) if entry) for row in lineality}
    free = [index for index in range(dimension) if index not in leading]
    support = _Support(summands, free)
    rows = [(*(-fall[index] for index in free), 0) for fall in falls]
    rows += [(*support.shadow(vertex), 1) for vertex in _spanning(support, rows, len(free))]
    rays, inserted = simplicial_start(rows, len(free) + 1)
    for number in sorted(set(range(len(rows))) - set(inserted)):
        rays = insert(rays, rows[number], bit=1 << number, rank=len(free) + 1)
    settled: set[Point] = set()
    while True:
        for ray in [ray for ray in rays if ray not in settled]:
            tick()
            normal = tuple(-entry for entry in ray[:-1])
            vertex = support.largest(normal)
            shadow = support.shadow(vertex)
            if any(normal) and inner_product(normal, shadow) > ray[-1]:
                rows.append((*shadow, 1))
                rays = insert(rays, rows[-1], bit=1 << (len(rows) - 1), rank=len(free) + 1)
                break
            settled.add(ray)
        else:
            break
    points = [support.whole[row[:-1]] for row in rows[len(falls) :]]
    number_of_falls = len(falls)
    facets = []
    for ray, tight in rays.items():
        if tight >> number_of_falls:  # a facet without a point is the one at infinity
            entries = [0] * dimension
            for index, entry in zip(free, ray[:-1], strict=True):
                entries[index] = -entry
            facets.append(tuple(entries))
    hull = Hull(tuple(points), tuple(falls), lineality, tuple(sorted(facets)), (), tick)
    bounds = [max(inner_product(normal, point) for point in points) for normal in hull.normals]
    return _described(hull, points, bounds)


def _described(hull: Hull, points: Sequence[Point], bounds: Sequence[int]) -> Hull:
    """The hull with other points, all of them in it."""
    points = tuple(sorted(points))
    tight = []
    for normal, bound in zip(hull.normals, bounds, strict=True):
        members = [inner_product(normal, point) == bound for point in points]
        members += [not inner_product(normal, fall) for fall in hull.falls]
        tight.append(sum(1 << number for number, member in enumerate(members) if member))
    return hull._replace(points=points, tight=tuple(tight))


class _Support:
    """The largest points of a Minkowski sum, with normals in some free coordinates."""

    def __init__(self, summands: Sequence[Sequence[Point]], free: Sequence[int]) -> None:
        self._free = free
        # The lexicographically largest of several maxima is a vertex.
        self._summands = [
            [(self.shadow(point), point) for point in sorted(points, reverse=True)]
            for points in summands
        ]
        self.whole: dict[Point, Point] = {}

    def shadow(self, point: Point) -> Point:
        """The free coordinates of a point."""
        return tuple(point[index] for index in self._free)

    def largest(self, normal: Point) -> Point:
        """The lexicographically largest of the points that are largest along a normal."""
        parts = []
        for points in self._summands:
            record, best = inner_product(normal, points[0][0]), points[0][1]
            for shadow, point in points:
                value = inner_product(normal, shadow)
                if value > record:
                    record, best = value, point
            parts.append(best)
        total = tuple(map(sum, zip(*parts, strict=True)))
        self.whole[self.shadow(total)] = total
        return total


def _spanning(support: _Support, falls: Sequence[Point], dimension: int) -> list[Point]:
    """Vertices that span the space together with the falls, written as rows of the cone."""
    first = support.largest((0,) * dimension)
    found = [first]
    along = [row[:-1] for row in falls]
    origin = support.shadow(first)
    while True:
        basis = reduced_basis(along, dimension=dimension)
        missing = orthogonal_basis(basis, dimension=dimension)
        if not missing:
            return found
        normal = missing[0]
        for sign in (1, -1):
            vertex = support.largest(tuple(sign * entry for entry in normal))
            step = tuple(map(sub, support.shadow(vertex), origin))
            if inner_product(normal, step):
                found.append(vertex)
                along = [*basis, step]
                break
