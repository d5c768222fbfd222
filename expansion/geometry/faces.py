"""Faces of convex hulls as values, each compact one with its normal cone.

The normal cone of a face F is spanned by the outer normals of the facets that contain F, and by the
vectors that are constant on the hull. It is cut out by the differences v − w for v on F and a w on
each face that covers F (f for a cover that adds the falling direction −f), and it is orthogonal
to the differences of points of F. So both descriptions of the cone are read off the lattice of
faces.

>>> from expansion.geometry.convex_hull import convex_hull
>>> from expansion.geometry.face_lattice import face_layers
>>> segment = convex_hull([(0, 1), (1, 0)], falls=((1, 0), (0, 1)))
>>> [(face.points, face.cone.rays) for face in compact_faces(segment, [*face_layers(segment)])]
[(((0, 1),), ((0, 1), (1, 1))), (((1, 0),), ((1, 0), (1, 1))), (((0, 1), (1, 0)), ((1, 1),))]

Source: standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub

from expansion.geometry.cones import Cone
from expansion.geometry.convex_hull import Hull, bits
from expansion.geometry.face_lattice import LatticeFace
from expansion.geometry.linear_algebra import Point, inner_product, modulo, reduced_basis

__all__ = ["Face", "HalfSpace", "compact_faces", "half_spaces"]


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """The vectors x with normal·x <= bound.

    Parameters
    ----------
    normal : Point
        Primitive.
    bound : int
    """

    normal: Point
    bound: int


@dataclass(frozen=True, slots=True)
class Face:
    """A compact face of a Newton polyhedron.

    Parameters
    ----------
    vertices : tuple of Point
        Sorted.
    points : tuple of Point
        All given points on the face, sorted.
    dimension : int
    cone : Cone
        The normal cone: the vectors that are maximal on the whole face.
    """

    vertices: tuple[Point, ...]
    points: tuple[Point, ...]
    dimension: int
    cone: Cone


def half_spaces(hull: Hull) -> tuple[HalfSpace, ...]:
    """The half-spaces of the facets of a hull, in the order of their normals.

    Examples
    --------
    >>> from expansion.geometry.convex_hull import convex_hull
    >>> half_spaces(convex_hull([(3, 4)], falls=((1, 0), (0, 1))))
    (HalfSpace(normal=(0, 1), bound=4), HalfSpace(normal=(1, 0), bound=3))
    """
    return tuple(
        HalfSpace(normal, inner_product(normal, hull.points[next(bits(tight))]))
        for normal, tight in zip(hull.normals, hull.tight, strict=True)
    )


def compact_faces(hull: Hull, layers: Sequence[Sequence[LatticeFace]]) -> tuple[Face, ...]:
    """The compact faces of a hull, sorted by dimension and vertices.

    Parameters
    ----------
    hull : Hull
    layers : sequence of sequence of LatticeFace
        What `expansion.geometry.face_lattice.face_layers` gives for it.
    """
    corners = sum(vertex.members for vertex in layers[0])
    faces = []
    for dimension, layer in enumerate(layers):
        for face in layer:
            numbers = bits(face.members)
            faces.append(
                Face(
                    vertices=tuple(hull.points[number] for number in bits(face.members & corners)),
                    points=tuple(hull.points[number] for number in numbers),
                    dimension=dimension,
                    cone=_normal_cone(hull, face),
                )
            )
    return tuple(sorted(faces, key=lambda face: (face.dimension, face.vertices)))


def _normal_cone(hull: Hull, face: LatticeFace) -> Cone:
    """The normal cone of a compact face."""
    space = hull.dimension_of_space
    points = [hull.points[number] for number in bits(face.members)]
    along = reduced_basis(
        [tuple(map(sub, point, points[0])) for point in points[1:]], dimension=space
    )
    away: list[Point] = []
    for cover in face.covers:
        number = next(bits(cover & ~face.members))
        if number < len(hull.points):
            away.append(tuple(map(sub, points[0], hull.points[number])))
        else:
            away.append(hull.falls[number - len(hull.points)])
    return Cone(
        dimension_of_space=space,
        equations=along,
        inequalities=tuple(sorted(modulo(vector, along) for vector in away)),
        rays=tuple(hull.normals[number] for number in bits(face.facets)),
        lineality=hull.lineality,
    )
