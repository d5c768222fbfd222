"""Convex hulls with growing directions, and the lattice of their compact faces.

A `Hull` describes the convex hull of some points plus the cone spanned by −e_i for every growing
index i. Its *generators* are the points followed by the growing indices; a face is the set of the
generators on it, written as the bits of an integer. Facets are the extremal rays of the dual of the
cone over the hull, spanned by (v, 1) for every point v and (−e_i, 0) for every growing i. All other
faces are intersections of facets; they are climbed from the vertices up, and only the compact ones,
those without a growing direction, are visited.

>>> square = convex_hull([(0, 0), (0, 1), (1, 0), (1, 1)], growing=())
>>> square.normals
((-1, 0), (0, -1), (0, 1), (1, 0))
>>> [len(layer) for layer in face_layers(square)]
[4, 4, 1]
>>> corner = convex_hull([(0, 0), (0, 1), (1, 0), (1, 1)], growing=(0, 1))
>>> [len(layer) for layer in face_layers(corner)]
[1]

Source: the climb from closed sets to closed sets after Kaibel and Pfetsch 2002.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from expansion.double_description import extremal_rays
from expansion.linear_algebra import Point

__all__ = ["Hull", "LatticeFace", "bits", "convex_hull", "face_layers", "unit_vector"]


class Hull(NamedTuple):
    """Facets of a convex hull with growing directions.

    Parameters
    ----------
    points : tuple of Point
        The points, of which all vertices are some.
    growing : tuple of int
        Indices i whose −e_i spans a direction of the hull.
    lineality : tuple of Point
        Reduced basis of the vectors that are constant on the hull.
    normals : tuple of Point
        Outer normals of the facets, primitive, modulo the lineality.
    tight : tuple of int
        For every facet, the generators on it.
    """

    points: tuple[Point, ...]
    growing: tuple[int, ...]
    lineality: tuple[Point, ...]
    normals: tuple[Point, ...]
    tight: tuple[int, ...]

    @property
    def dimension_of_space(self) -> int:
        """The length of the points."""
        return len(self.points[0])


class LatticeFace(NamedTuple):
    """A face by its generators and its facets, and the generators of the faces that cover it."""

    members: int
    facets: int
    covers: tuple[int, ...]


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


def convex_hull(points: Sequence[Point], *, growing: tuple[int, ...]) -> Hull:
    """The convex hull of distinct points, at least one, plus the growing directions.

    Parameters
    ----------
    points : sequence of Point
    growing : tuple of int
        Indices that grow.

    Examples
    --------
    >>> convex_hull([(0, 1), (1, 0)], growing=()).lineality
    ((1, 1),)
    """
    dimension = len(points[0])
    cone = [(*point, 1) for point in points]
    for index in growing:
        cone.append((*(-entry for entry in unit_vector(index, dimension=dimension)), 0))
    dual = extremal_rays(cone, dimension=dimension + 1)
    some_point = (1 << len(points)) - 1
    # A facet without a point is the one at infinity.
    facets = sorted(
        (tuple(-entry for entry in ray[:-1]), tight)
        for ray, tight in zip(dual.rays, dual.tight, strict=True)
        if tight & some_point
    )
    return Hull(
        points=tuple(points),
        growing=growing,
        lineality=tuple(row[:-1] for row in dual.lineality),
        normals=tuple(normal for normal, _ in facets),
        tight=tuple(tight for _, tight in facets),
    )


def face_layers(hull: Hull) -> Iterator[tuple[LatticeFace, ...]]:
    """The compact faces by dimension: first the vertices, then the edges, and so on.

    Yields
    ------
    tuple of LatticeFace
        The compact faces of one dimension, sorted by their generators. The covers of a face are all
        faces of one dimension more that contain it, compact or not.
    """
    number_of_points = len(hull.points)
    incidence = [0] * (number_of_points + len(hull.growing))
    for number, tight in enumerate(hull.tight):
        for generator in bits(tight):
            incidence[generator] |= 1 << number
    layer = {
        1 << number: incidence[number]
        for number in range(number_of_points)
        if _closure(hull, incidence[number]) == 1 << number
    }
    while layer:
        faces = []
        following: dict[int, int] = {}
        for members, facets in sorted(layer.items()):
            covers = {}
            for cover in _covers(hull, incidence, members, facets):
                covers[_closure(hull, cover)] = cover
            faces.append(LatticeFace(members, facets, tuple(sorted(covers))))
            for larger, cover in covers.items():
                if not larger >> number_of_points:
                    following[larger] = cover
        yield tuple(faces)
        layer = following


def _closure(hull: Hull, facets: int) -> int:
    """The generators on all of some facets."""
    members = (1 << (len(hull.points) + len(hull.growing))) - 1
    for number in bits(facets):
        members &= hull.tight[number]
    return members


def _covers(hull: Hull, incidence: Sequence[int], members: int, facets: int) -> list[int]:
    """The sets of facets of the smallest faces that are larger than a face."""
    near = 0
    for number in bits(facets):
        near |= hull.tight[number]
    candidates = {facets & incidence[generator] for generator in bits(near & ~members)}
    if not candidates:
        return [0] if facets else []
    return [
        some
        for some in candidates
        if not any(some != other and some & other == some for other in candidates)
    ]
