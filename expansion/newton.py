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

Source: Yarotsky, Golikov, Gusev 2026, section 5, for Pareto terms and polygons; the definition with
growing directions in any dimension is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from operator import ge, index, sub

from diagrams.errors import InvalidInputError
from expansion.cones import Cone
from expansion.convex_hull import Hull, LatticeFace, bits, convex_hull, face_layers, unit_vector
from expansion.linear_algebra import (
    Point,
    inner_product,
    integer_multiple,
    modulo,
    reduced_basis,
)
from expansion.minkowski import sum_of_hulls

__all__ = ["Face", "HalfSpace", "NewtonPolyhedron", "Point", "minkowski_sum", "pareto_optimal"]


def pareto_optimal(points: Iterable[Point], growing: Sequence[int]) -> tuple[Point, ...]:
    """The points that no other point equals at all other indices and matches at the growing ones.

    Parameters
    ----------
    points : iterable of Point
        Exponent vectors of one length.
    growing : sequence of int
        Indices whose larger entries are better.

    Returns
    -------
    tuple of Point
        Without repetition, sorted.

    Raises
    ------
    InvalidInputError
        If the points have different lengths or entries that are no integers, or if an index is
        repeated or out of range.

    Examples
    --------
    >>> pareto_optimal([(1, 1, 0), (2, 1, 0), (0, 2, 0), (0, 0, 1)], growing=(0, 1))
    ((0, 0, 1), (0, 2, 0), (2, 1, 0))
    """
    exact = _points(points)
    if not exact:
        return ()
    indices = _growing(growing, dimension=len(exact[0]))
    classes: dict[Point, list[Point]] = {}
    for point in exact:
        others = tuple(entry for place, entry in enumerate(point) if place not in indices)
        classes.setdefault(others, []).append(tuple(point[place] for place in indices))
    kept = []
    for point in exact:
        others = tuple(entry for place, entry in enumerate(point) if place not in indices)
        sizes = tuple(point[place] for place in indices)
        if not any(rival != sizes and all(map(ge, rival, sizes)) for rival in classes[others]):
            kept.append(point)
    return tuple(kept)


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


@dataclass(frozen=True)
class NewtonPolyhedron:
    """The convex hull of points plus the cone spanned by −e_i for the growing indices i.

    Parameters
    ----------
    points : iterable of Point
        Exponent vectors of one length, at least one; kept without repetition, sorted.
    growing : iterable of int, optional
        Indices of the directions that fall; without any the polyhedron is a polytope.

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
    growing: tuple[int, ...] = field(default=(), kw_only=True)

    def __init__(self, points: Iterable[Point], *, growing: Iterable[int] = ()) -> None:
        exact = _points(points)
        if not exact:
            raise InvalidInputError("Newton polyhedron: has no point; give at least one")
        object.__setattr__(self, "points", exact)
        object.__setattr__(self, "growing", _growing(growing, dimension=len(exact[0])))

    @property
    def dimension_of_space(self) -> int:
        """The length of the points."""
        return len(self.points[0])

    @property
    def vertices(self) -> tuple[Point, ...]:
        """The vertices, sorted."""
        return tuple(
            self._hull.points[vertex.members.bit_length() - 1] for vertex in self._layers[0]
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
        hull = self._hull
        return tuple(
            HalfSpace(normal, inner_product(normal, hull.points[next(bits(tight))]))
            for normal, tight in zip(hull.normals, hull.tight, strict=True)
        )

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """All compact faces, sorted by dimension and vertices.

        A polytope is a face of itself. Those of a polyhedron with growing indices are the faces
        that a vector positive at these indices can pick.
        """
        corners = sum(vertex.members for vertex in self._layers[0])
        faces = [
            self._face(face, dimension, corners)
            for dimension, layer in enumerate(self._layers)
            for face in layer
        ]
        return tuple(sorted(faces, key=lambda face: (face.dimension, face.vertices)))

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
        self._check(big)
        self._check(small)
        return set(big.vertices).issuperset(small.vertices)

    def faces_of(self, face: Face) -> tuple[Face, ...]:
        """The faces that a face contains, itself among them, in the order of `faces`."""
        self._check(face)
        vertices = set(face.vertices)
        return tuple(other for other in self.faces if vertices.issuperset(other.vertices))

    def cofaces(self, face: Face) -> tuple[Face, ...]:
        """The compact faces that contain a face, itself among them, in the order of `faces`."""
        self._check(face)
        vertices = set(face.vertices)
        return tuple(other for other in self.faces if vertices.issubset(other.vertices))

    def neighbours(self, face: Face) -> tuple[Face, ...]:
        """The faces of equal dimension that share a face of one dimension less with a face.

        Vertices have no such face; they are neighbours when an edge joins them.

        Examples
        --------
        >>> square = NewtonPolyhedron([(0, 0), (0, 1), (1, 0), (1, 1)])
        >>> [vertex.points for vertex in square.neighbours(square.face((1, 1)))]
        [((0, 1),), ((1, 0),)]
        """
        self._check(face)
        if face.dimension:
            common = [part for part in self.faces_of(face) if part.dimension == face.dimension - 1]
            near = [other for part in common for other in self.cofaces(part)]
        else:
            edges = [edge for edge in self.cofaces(face) if edge.dimension == 1]
            near = [other for edge in edges for other in self.faces_of(edge)]
        found = {
            other.vertices: other
            for other in near
            if other.dimension == face.dimension and other != face
        }
        return tuple(found[vertices] for vertices in sorted(found))

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
        return convex_hull(pareto_optimal(self.points, self.growing), growing=self.growing)

    @cached_property
    def _layers(self) -> tuple[tuple[LatticeFace, ...], ...]:
        return tuple(face_layers(self._hull))

    @cached_property
    def _face_of_vertices(self) -> dict[tuple[Point, ...], Face]:
        return {face.vertices: face for face in self.faces}

    def _check(self, face: Face) -> None:
        if self._face_of_vertices.get(face.vertices) != face:
            raise InvalidInputError(
                f"face with the vertices {face.vertices}: is not a face of this polyhedron; take "
                "one of its faces"
            )

    def _face(self, face: LatticeFace, dimension: int, corners: int) -> Face:
        """A face with its points and its normal cone."""
        hull, space = self._hull, self.dimension_of_space
        falls = [unit_vector(place, dimension=space) for place in self.growing]
        numbers = list(bits(face.members))
        origin = hull.points[numbers[0]]
        along = reduced_basis(
            [tuple(map(sub, hull.points[number], origin)) for number in numbers[1:]],
            dimension=space,
        )
        away = []
        for cover in face.covers:
            number = next(bits(cover & ~face.members))
            if number < len(hull.points):
                away.append(tuple(map(sub, origin, hull.points[number])))
            else:
                away.append(falls[number - len(hull.points)])
        return Face(
            vertices=tuple(hull.points[number] for number in bits(face.members & corners)),
            points=tuple(hull.points[number] for number in numbers),
            dimension=dimension,
            cone=Cone(
                dimension_of_space=space,
                equations=along,
                inequalities=tuple(sorted(modulo(vector, along) for vector in away)),
                rays=tuple(hull.normals[number] for number in bits(face.facets)),
                lineality=hull.lineality,
            ),
        )


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
    hull = sum_of_hulls([summand._hull for summand in summands])
    total = NewtonPolyhedron(hull.points, growing=hull.growing)
    # The facets are known already: fill the cached property instead of computing them again.
    total.__dict__["_hull"] = hull
    return total


def _points(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points without repetition, sorted, checked to be integer vectors of one length."""
    try:
        exact = sorted({tuple(index(entry) for entry in point) for point in points})
    except TypeError:
        raise InvalidInputError(
            "points: must be sequences of integers; give every exponent as an int"
        ) from None
    if len({len(point) for point in exact}) > 1:
        raise InvalidInputError(
            "points: have different lengths; give every point one exponent per symbol"
        )
    return tuple(exact)


def _growing(growing: Iterable[int], *, dimension: int) -> tuple[int, ...]:
    """The growing indices, sorted, checked to be positions in a point."""
    indices = sorted(growing)
    if len(set(indices)) < len(indices) or not all(0 <= place < dimension for place in indices):
        raise InvalidInputError(
            f"growing indices {tuple(indices)}: must be different numbers from 0 to "
            f"{dimension - 1}; name each growing symbol by its position once"
        )
    return tuple(indices)
