"""Rational polyhedral cones, exact and canonical.

A `Cone` is {a : e·a = 0 for every equation e, f·a >= 0 for every inequality f}; equivalently, the
sums of a vector of its lineality space and of non-negative multiples of its rays. It carries both
descriptions, both without redundancy:

- ``equations`` and ``lineality`` are reduced bases, of the orthogonal complement of the span of the
  cone and of the largest subspace in it;
- ``inequalities`` are the facets modulo the equations, ``rays`` the extremal rays modulo lineality:
  primitive, zero at the leading positions of the basis, sorted.

Laws:

- equal cones are equal values;
- ``x.dual().dual() == x``, and the dual exchanges the two descriptions;
- a vector is in the intersection exactly when it is in both cones;
- ``interior`` is an integer vector in the relative interior.

>>> cone = Cone.from_inequalities([(1, 0), (1, 1), (2, 1)], dimension=2)
>>> cone.rays, cone.inequalities
(((0, 1), (1, -1)), ((1, 0), (1, 1)))
>>> cone == Cone.from_rays([(0, 2), (1, 0), (3, -3)], dimension=2)
True
>>> cone.interior, cone.contains((0, 1)), cone.contains_in_interior((0, 1))
((1, 0), True, False)

Source: standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.geometry.double_description import Generators, extremal_rays
from expansion.geometry.linear_algebra import (
    Point,
    inner_product,
    integer_multiple,
    modulo,
    orthogonal_basis,
    primitive,
    reduced_basis,
)

__all__ = ["Cone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cone:
    """A rational polyhedral cone in both descriptions.

    Build one with `from_inequalities` or `from_rays`, which make the descriptions canonical.

    Parameters
    ----------
    dimension_of_space : int
    equations : tuple of Point
        Reduced basis of the vectors that are orthogonal to the cone.
    inequalities : tuple of Point
        Inner normals of the facets, modulo the equations.
    rays : tuple of Point
        Extremal rays, modulo lineality.
    lineality : tuple of Point
        Reduced basis of the largest linear subspace in the cone.

    Raises
    ------
    InvalidInputError
        If a generator violates an equation or an inequality.
    """

    dimension_of_space: int
    equations: tuple[Point, ...]
    inequalities: tuple[Point, ...]
    rays: tuple[Point, ...]
    lineality: tuple[Point, ...]

    def __post_init__(self) -> None:
        lines, rays = self.lineality, self.rays
        if (
            any(inner_product(row, line) for row in self.equations for line in (*lines, *rays))
            or any(inner_product(row, line) for row in self.inequalities for line in lines)
            or any(inner_product(row, ray) < 0 for row in self.inequalities for ray in rays)
        ):
            raise InvalidInputError(
                "cone: its rays violate its inequalities; build it with from_inequalities or "
                "from_rays"
            )

    @classmethod
    def from_inequalities(
        cls,
        inequalities: Iterable[Sequence[int | Fraction]],
        equations: Iterable[Sequence[int | Fraction]] = (),
        *,
        dimension: int,
    ) -> Cone:
        """The vectors orthogonal to all equations and at no obtuse angle to any inequality.

        Parameters
        ----------
        inequalities, equations : iterable of int or Fraction vectors of length ``dimension``
            Repeated, redundant and zero vectors are allowed.
        dimension : int
            Dimension of the space.

        Raises
        ------
        InvalidInputError
            If a vector has another length or inexact entries.

        Examples
        --------
        >>> Cone.from_inequalities([(1, 0, 0)], [(0, 1, 1)], dimension=3).lineality
        ((0, 1, -1),)
        """
        half_spaces = sorted({integer_multiple(row, dimension=dimension) for row in inequalities})
        hyperplanes = reduced_basis(
            [integer_multiple(row, dimension=dimension) for row in equations], dimension=dimension
        )
        lineality, rays, tight = _generators(half_spaces, hyperplanes, dimension)
        normals = orthogonal_basis([*rays, *lineality], dimension=dimension)
        facets = {
            modulo(half_spaces[number], normals) for number in _facets(len(half_spaces), tight)
        }
        return cls(
            dimension_of_space=dimension,
            equations=normals,
            inequalities=tuple(sorted(facets)),
            rays=rays,
            lineality=lineality,
        )

    @classmethod
    def from_rays(
        cls,
        rays: Iterable[Sequence[int | Fraction]],
        lineality: Iterable[Sequence[int | Fraction]] = (),
        *,
        dimension: int,
    ) -> Cone:
        """The sums of non-negative multiples of some rays and any multiples of further vectors.

        Parameters
        ----------
        rays, lineality : iterable of int or Fraction vectors of length ``dimension``
            Repeated, redundant and zero vectors are allowed.
        dimension : int
            Dimension of the space.

        Raises
        ------
        InvalidInputError
            If a vector has another length or inexact entries.

        Examples
        --------
        >>> Cone.from_rays([(1, 1), (-1, -1)], dimension=2).lineality
        ((1, 1),)
        """
        return cls.from_inequalities(rays, lineality, dimension=dimension).dual()

    @property
    def dimension(self) -> int:
        """The dimension of the span of the cone."""
        return self.dimension_of_space - len(self.equations)

    @property
    def interior(self) -> Point:
        """An integer vector in the relative interior: the sum of the extremal rays, primitive.

        Examples
        --------
        >>> Cone.from_inequalities([(1, 0), (0, 1)], dimension=2).interior
        (1, 1)
        """
        zero = (0,) * self.dimension_of_space
        return primitive([sum(entries) for entries in zip(zero, *self.rays, strict=True)])

    @property
    def facets(self) -> tuple[Cone, ...]:
        """The faces of one dimension less, in the order of the inequalities.

        Examples
        --------
        >>> [facet.rays for facet in Cone.from_rays([(1, 0), (0, 1)], dimension=2).facets]
        [((1, 0),), ((0, 1),)]
        """
        return tuple(
            Cone.from_rays(
                [ray for ray in self.rays if not inner_product(normal, ray)],
                self.lineality,
                dimension=self.dimension_of_space,
            )
            for normal in self.inequalities
        )

    def contains(self, vector: Iterable[int | Fraction]) -> bool:
        """Whether a rational vector is in the cone.

        Raises
        ------
        InvalidInputError
            If the vector has another length or inexact entries.
        """
        exact = integer_multiple(vector, dimension=self.dimension_of_space)
        return not any(inner_product(normal, exact) for normal in self.equations) and all(
            inner_product(normal, exact) >= 0 for normal in self.inequalities
        )

    def contains_in_interior(self, vector: Iterable[int | Fraction]) -> bool:
        """Whether a rational vector is in the relative interior of the cone.

        Raises
        ------
        InvalidInputError
            If the vector has another length or inexact entries.
        """
        exact = integer_multiple(vector, dimension=self.dimension_of_space)
        return not any(inner_product(normal, exact) for normal in self.equations) and all(
            inner_product(normal, exact) > 0 for normal in self.inequalities
        )

    def intersection(self, other: Cone) -> Cone:
        """The vectors that are in both cones.

        Raises
        ------
        InvalidInputError
            If the cones lie in spaces of different dimensions.

        Examples
        --------
        >>> left = Cone.from_inequalities([(1, 0)], dimension=2)
        >>> left.intersection(Cone.from_inequalities([(-1, 1)], dimension=2)).rays
        ((0, 1), (1, 1))
        """
        if other.dimension_of_space != self.dimension_of_space:
            raise InvalidInputError(
                f"intersection of cones: their spaces have dimensions {self.dimension_of_space} "
                f"and {other.dimension_of_space}; take cones in one space"
            )
        return Cone.from_inequalities(
            self.inequalities + other.inequalities,
            self.equations + other.equations,
            dimension=self.dimension_of_space,
        )

    def dual(self) -> Cone:
        """The vectors at no obtuse angle to any vector of the cone.

        Examples
        --------
        >>> Cone.from_rays([(1, 0), (1, 1)], dimension=2).dual().rays
        ((0, 1), (1, -1))
        """
        return Cone(
            dimension_of_space=self.dimension_of_space,
            equations=self.lineality,
            inequalities=self.rays,
            rays=self.inequalities,
            lineality=self.equations,
        )


def _generators(
    inequalities: Sequence[Point], equations: Sequence[Point], dimension: int
) -> Generators:
    """Generators of the cone of both, computed inside the solution space of the equations."""
    if not equations:
        return extremal_rays(inequalities, dimension=dimension)
    solutions = orthogonal_basis(equations, dimension=dimension)
    inner = extremal_rays(
        [tuple(inner_product(row, solution) for solution in solutions) for row in inequalities],
        dimension=len(solutions),
    )

    def outer(coordinates: Point) -> list[int]:
        return [inner_product(coordinates, entries) for entries in zip(*solutions, strict=True)]

    lineality = reduced_basis([outer(row) for row in inner.lineality], dimension=dimension)
    found = sorted(
        (modulo(outer(ray), lineality), tight)
        for ray, tight in zip(inner.rays, inner.tight, strict=True)
    )
    return Generators(lineality, tuple(ray for ray, _ in found), tuple(bits for _, bits in found))


def _facets(number_of_inequalities: int, tight: Sequence[int]) -> list[int]:
    """The inequalities that cut out facets: their sets of rays are maximal among proper faces."""
    whole = (1 << len(tight)) - 1
    faces = [
        sum(1 << k for k, rows in enumerate(tight) if rows >> number & 1)
        for number in range(number_of_inequalities)
    ]
    proper = {face for face in faces if face != whole}
    maximal = {
        face
        for face in proper
        if not any(face != other and face & other == face for other in proper)
    }
    return [number for number, face in enumerate(faces) if face in maximal]
