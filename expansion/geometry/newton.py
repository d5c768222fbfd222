"""Newton polyhedra: exact convex geometry of exponents, with directions that only fall.

The Newton polyhedron of a set of exponent vectors is their convex hull plus the cone spanned by
−e_i for every index i that *grows*. A scaling vector a, positive at the growing indices, gives the
monomial with exponents x the order a·x; the points of largest order lie on a *compact face*, and
every compact face is found so. Its *normal cone* holds the vectors that are maximal on all of it;
those in the relative interior are maximal nowhere else. Without growing indices the polyhedron is a
polytope, whose faces, itself included, are all compact.

The compact faces of the Minkowski sum of several polyhedra are the sums of the faces that one
vector picks in each of them; its normal cones are the intersections of theirs.

Two notions that are not the same: a point is *Pareto-optimal* when no other point equal to it at
all other indices is at least as large at all growing ones; a *vertex* is the only maximum of some
vector. Vertices are Pareto-optimal, Pareto-optimal points need not lie on any compact face.

Laws:

- ``polyhedron.face(face.cone.interior) == face`` for every compact face;
- Euler: the alternating sum of the f-vector of a polytope is 1;
- the face of a Minkowski sum that a vector picks is the sum of the faces that it picks.

>>> points = [(11, 1), (9, 2), (8, 3), (7, 4), (6, 5), (6, 4)]
>>> pareto_optimal(points, growing=(0, 1))
((6, 5), (7, 4), (8, 3), (9, 2), (11, 1))
>>> polyhedron = NewtonPolyhedron(points, growing=(0, 1))
>>> polyhedron.vertices, polyhedron.f_vector
(((6, 5), (11, 1)), (2, 1))
>>> edge = polyhedron.face((4, 5))
>>> edge.vertices, edge.cone.rays
(((6, 5), (11, 1)), ((4, 5),))
>>> polyhedron.minkowski_sum(polyhedron).vertices
((12, 10), (22, 2))

Source: Yarotsky, Golikov, Gusev 2026, section 4, for Pareto terms and their polygons; the
definition with growing directions in any dimension is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from diagrams.errors import InvalidInputError
from expansion.geometry.convex_hull import (
    Hull,
    Tick,
    bits,
    convex_hull,
    hull_of_sum,
    unhurried,
    unit_vector,
)
from expansion.geometry.face_lattice import LatticeFace, face_layers
from expansion.geometry.faces import Face, HalfSpace, compact_faces, half_spaces
from expansion.geometry.linear_algebra import Point, inner_product, integer_multiple
from expansion.geometry.pareto import pareto_optimal, read_indices, read_points

__all__ = ["Face", "HalfSpace", "NewtonPolyhedron", "Point", "minkowski_sum", "pareto_optimal"]


@dataclass(frozen=True, init=False)
class NewtonPolyhedron:
    """The convex hull of points plus the cone spanned by −e_i for the growing indices i.

    Parameters
    ----------
    points : iterable of Point
        Exponent vectors of one length, at least one; kept without repetition, sorted.
    growing : iterable of int, optional
        Indices of the directions that fall; without any the polyhedron is a polytope.
    tick : callable, optional
        Called while its faces are computed, which happens when they are asked for first.

    Raises
    ------
    InvalidInputError
        If there is no point, the points have different lengths or entries that are no integers, or
        if an index is repeated or out of range.

    Examples
    --------
    >>> NewtonPolyhedron([(0, 0), (2, 0), (0, 2), (1, 1), (2, 2)]).f_vector
    (4, 4, 1)
    """

    points: tuple[Point, ...]
    growing: tuple[int, ...]
    _tick: Tick = field(compare=False, repr=False)

    def __repr__(self) -> str:
        return f"<NewtonPolyhedron of {len(self.points)} points, growing {self.growing}>"

    def __init__(
        self, points: Iterable[Point], *, growing: Iterable[int] = (), tick: Tick = unhurried
    ) -> None:
        exact = read_points(points)
        if not exact:
            raise InvalidInputError("Newton polyhedron: has no point; give at least one")
        object.__setattr__(self, "points", exact)
        object.__setattr__(self, "growing", read_indices(growing, dimension=len(exact[0])))
        object.__setattr__(self, "_tick", tick)

    @property
    def dimension_of_space(self) -> int:
        """The length of the points."""
        return len(self.points[0])

    @property
    def falls(self) -> tuple[Point, ...]:
        """The unit vectors of the growing indices, on which scalings are positive."""
        size = self.dimension_of_space
        return tuple(unit_vector(place, dimension=size) for place in self.growing)

    @cached_property
    def vertices(self) -> tuple[Point, ...]:
        """The vertices, sorted."""
        return tuple(
            self._hull.points[vertex.members.bit_length() - 1] for vertex in self._layers[0]
        )

    @property
    def normal_fan(self) -> frozenset[frozenset[Point]]:
        """What generates the normal cone of every vertex: its rays and a basis of its lineality.

        Polyhedra are refined by the same walls when these are equal.

        Examples
        --------
        >>> small, large = (NewtonPolyhedron([(0, 0), (0, k), (k, 0)]) for k in (1, 2))
        >>> small.normal_fan == large.normal_fan
        True
        """
        return frozenset(
            frozenset(
                [
                    *(self._hull.normals[number] for number in bits(vertex.facets)),
                    *self._hull.lineality,
                ]
            )
            for vertex in self._layers[0]
        )

    @property
    def dimension(self) -> int:
        """The largest dimension of a compact face."""
        return len(self._layers) - 1

    @property
    def f_vector(self) -> tuple[int, ...]:
        """The numbers of compact faces of dimensions 0, 1, ...

        Examples
        --------
        >>> NewtonPolyhedron([(0, 0), (0, 1), (1, 0)], growing=(0,)).f_vector
        (2, 1)
        """
        return tuple(map(len, self._layers))

    @property
    def facets(self) -> tuple[HalfSpace, ...]:
        """The half-spaces of the facets of the whole polyhedron, compact or not, sorted by normal.

        Normals are taken modulo the vectors that are constant on the polyhedron.

        Examples
        --------
        >>> NewtonPolyhedron([(3, 4)], growing=(0, 1)).facets
        (HalfSpace(normal=(0, 1), bound=4), HalfSpace(normal=(1, 0), bound=3))
        """
        return half_spaces(self._hull)

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """All compact faces, sorted by dimension and vertices.

        A polytope is a face of itself. Those of a polyhedron with growing indices are the faces
        that a vector positive at these indices can pick.
        """
        return compact_faces(self._hull, self._layers)

    def face(self, vector: Iterable[int | Fraction]) -> Face:
        """The compact face on which a vector is maximal.

        Parameters
        ----------
        vector : iterable of int or Fraction
            Positive at every growing index.

        Raises
        ------
        InvalidInputError
            If the vector has another length, inexact entries or an entry at a growing index that
            is not positive.

        Examples
        --------
        >>> NewtonPolyhedron([(0, 0), (0, 1), (1, 0)]).face((1, Fraction(1, 2))).vertices
        ((1, 0),)
        """
        exact = integer_multiple(vector, dimension=self.dimension_of_space)
        for place in self.growing:
            if exact[place] <= 0:
                raise InvalidInputError(
                    f"vector {exact}: is not positive at the growing index {place}, so that its "
                    "maximum is not on a compact face; make this entry positive"
                )
        orders = [inner_product(exact, vertex) for vertex in self.vertices]
        largest = max(orders)
        return self._face_of_vertices[
            tuple(
                vertex
                for vertex, order in zip(self.vertices, orders, strict=True)
                if order == largest
            )
        ]

    def includes(self, big: Face, small: Face) -> bool:
        """Whether one face contains another one; every face contains itself.

        Raises
        ------
        InvalidInputError
            If one of them is not a face of this polyhedron.
        """
        return self._corners(small) & ~self._corners(big) == 0

    def faces_of(self, face: Face) -> tuple[Face, ...]:
        """The faces that a face contains, itself among them, in the order of `faces`.

        Raises
        ------
        InvalidInputError
            If it is not a face of this polyhedron.

        Examples
        --------
        >>> triangle = NewtonPolyhedron([(0, 0), (0, 1), (1, 0)])
        >>> [face.vertices for face in triangle.faces_of(triangle.face((-1, 0)))]
        [((0, 0),), ((0, 1),), ((0, 0), (0, 1))]
        """
        corners = self._corners(face)
        return tuple(
            other
            for other, others in zip(self.faces, self._corners_of_vertices.values(), strict=True)
            if not others & ~corners
        )

    def cofaces(self, face: Face) -> tuple[Face, ...]:
        """The compact faces that contain a face, itself among them, in the order of `faces`.

        Raises
        ------
        InvalidInputError
            If it is not a face of this polyhedron.

        Examples
        --------
        >>> triangle = NewtonPolyhedron([(0, 0), (0, 1), (1, 0)])
        >>> [face.dimension for face in triangle.cofaces(triangle.face((1, 2)))]
        [0, 1, 1, 2]
        """
        corners = self._corners(face)
        return tuple(
            other
            for other, others in zip(self.faces, self._corners_of_vertices.values(), strict=True)
            if not corners & ~others
        )

    def neighbours(self, face: Face) -> tuple[Face, ...]:
        """The faces of equal dimension that share a face of one dimension less with a face.

        Vertices have no such face; they are neighbours when an edge joins them.

        Raises
        ------
        InvalidInputError
            If it is not a face of this polyhedron.

        Examples
        --------
        >>> square = NewtonPolyhedron([(0, 0), (0, 1), (1, 0), (1, 1)])
        >>> [vertex.points for vertex in square.neighbours(square.face((1, 1)))]
        [((0, 1),), ((1, 0),)]
        """
        if face.dimension:
            shared = [part for part in self.faces_of(face) if part.dimension == face.dimension - 1]
            near = {other.vertices for part in shared for other in self.cofaces(part)}
        else:
            edges = [edge for edge in self.cofaces(face) if edge.dimension == 1]
            near = {other.vertices for edge in edges for other in self.faces_of(edge)}
        return tuple(
            other
            for other in self.faces
            if other.dimension == face.dimension and other.vertices in near and other != face
        )

    def minkowski_sum(self, other: NewtonPolyhedron) -> NewtonPolyhedron:
        """The polyhedron of all sums of a point of this one and a point of another one.

        Raises
        ------
        InvalidInputError
            If the spaces or the growing indices are different.
        """
        return minkowski_sum([self, other])

    @cached_property
    def _hull(self) -> Hull:
        optimal = pareto_optimal(self.points, self.growing)
        return convex_hull(optimal, falls=self.falls, tick=self._tick)

    @cached_property
    def _layers(self) -> tuple[tuple[LatticeFace, ...], ...]:
        return tuple(face_layers(self._hull))

    @cached_property
    def _face_of_vertices(self) -> dict[tuple[Point, ...], Face]:
        return {face.vertices: face for face in self.faces}

    @cached_property
    def _corners_of_vertices(self) -> dict[tuple[Point, ...], int]:
        number = {vertex: place for place, vertex in enumerate(self.vertices)}
        return {
            face.vertices: sum(1 << number[vertex] for vertex in face.vertices)
            for face in self.faces
        }

    def _corners(self, face: Face) -> int:
        """The vertices of a face as bits, after the check that it is one."""
        if self._face_of_vertices.get(face.vertices) != face:
            raise InvalidInputError(
                f"face of dimension {face.dimension} with the vertex {face.vertices[0]}: is not a "
                "face of this polyhedron; take one of its faces"
            )
        return self._corners_of_vertices[face.vertices]


def minkowski_sum(polyhedra: Iterable[NewtonPolyhedron]) -> NewtonPolyhedron:
    """The polyhedron of all sums of one point of each of some polyhedra.

    Parameters
    ----------
    polyhedra : iterable of NewtonPolyhedron
        At least one, in one space, with the same growing indices.

    Returns
    -------
    NewtonPolyhedron
        Its points are its vertices.

    Raises
    ------
    InvalidInputError
        If there is none, or if the spaces or the growing indices are different.

    Examples
    --------
    >>> segments = [NewtonPolyhedron([(0, 0), end]) for end in ((1, 0), (0, 1), (1, 1))]
    >>> minkowski_sum(segments).vertices
    ((0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2))
    """
    summands = tuple(polyhedra)
    if not summands:
        raise InvalidInputError("Minkowski sum: has no summand; give at least one")
    if len({(summand.dimension_of_space, summand.growing) for summand in summands}) > 1:
        raise InvalidInputError(
            "Minkowski sum: its summands differ in their space or growing indices; give all of "
            "them the same symbols and the same growing indices"
        )
    hull = hull_of_sum([part.vertices for part in summands], falls=summands[0].falls)
    total = NewtonPolyhedron(hull.points, growing=summands[0].growing)
    # The facets are known already: fill the cached property instead of computing them again.
    total.__dict__["_hull"] = hull
    return total
