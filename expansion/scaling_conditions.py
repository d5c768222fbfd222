"""Scalings and the monomials that measure them.

A *scaling* sends every symbol x to a power a^{α_x} of one large number a. A monomial with exponents
e then has the order a^{α·e}: it stays of order one on the hyperplane α·e = 0, vanishes on one side
of it and grows on the other. Conditions on scalings are therefore written as monomials with one of
the relations ``~1``, ``->0``, ``->oo``, and many monomials mean the same once others are known to
be of order one. The functions of this module choose the simplest of them: few symbols, small
exponents.

>>> condition = Condition((("p", 2), ("sigma2", 2)), Relation.VANISHES)
>>> print(condition)
p**2*sigma2**2 -> 0
>>> simplest_basis([(1, 1, 2), (1, -2, -1)], dimension=3)
((-1, 1, 0), (1, 0, 1))

Source: Yarotsky, Golikov, Gusev 2026, section 5, for scaling conditions; the choice of monomials is
ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import lcm

from flint import fmpz_mat

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fraction
from diagrams.wick import Monomial, monomial
from expansion.geometry.linear_algebra import (
    Point,
    inner_product,
    orthogonal_basis,
    primitive,
    reduced_basis,
)
from expansion.polynomial import quotient_latex, quotient_text

__all__ = [
    "Condition",
    "Relation",
    "as_monomial",
    "integer_coordinates",
    "lattice_basis",
    "simplest_basis",
    "simplest_modulo",
]


class Relation(StrEnum):
    """The behaviour of a monomial as the sizes grow."""

    CONSTANT = "~1"
    VANISHES = "->0"
    DIVERGES = "->oo"


_TEXT = {Relation.CONSTANT: "~ 1", Relation.VANISHES: "-> 0", Relation.DIVERGES: "-> oo"}
_LATEX = {
    Relation.CONSTANT: r"\asymp 1",
    Relation.VANISHES: r"\to 0",
    Relation.DIVERGES: r"\to \infty",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A monomial and what it does.

    Parameters
    ----------
    powers : Monomial
        The monomial, as pairs of symbol and exponent.
    relation : Relation
    """

    powers: Monomial
    relation: Relation

    def __str__(self) -> str:
        return f"{quotient_text(self.powers)} {_TEXT[self.relation]}"

    @classmethod
    def diverging(cls, symbols: Sequence[str], exponents: Point) -> Condition:
        """The condition that a monomial grows, written with it or with its inverse.

        Examples
        --------
        >>> print(Condition.diverging(("p", "H"), (-3, 1)))
        H/p**3 -> oo
        """
        shown = _readable(exponents)
        relation = Relation.DIVERGES if shown == exponents else Relation.VANISHES
        return cls(as_monomial(symbols, shown), relation)

    def latex(self) -> str:
        """The condition in LaTeX, without dollar signs."""
        return f"{quotient_latex(self.powers)} {_LATEX[self.relation]}"


def as_monomial(symbols: Sequence[str], exponents: Sequence[int]) -> Monomial:
    """The monomial with given exponents.

    Examples
    --------
    >>> as_monomial(("p", "H"), (2, 0))
    (('p', 2),)
    """
    return monomial(dict(zip(symbols, exponents, strict=True)))


def simplest_basis(
    vectors: Iterable[Point], *, dimension: int, beside: Iterable[Point] = ()
) -> tuple[Point, ...]:
    """A basis of the span of some vectors that consists of its simplest elements.

    Candidates are the vectors of smallest support, which always contain a basis. Each is primitive.

    Parameters
    ----------
    vectors : iterable of Point
        Of length ``dimension``; they may depend on each other.
    dimension : int
        Dimension of the space.
    beside : iterable of Point, optional
        Vectors of the span that are known already: what is returned completes them to a basis.

    Examples
    --------
    >>> simplest_basis([(0, 2, 4), (0, 3, 6)], dimension=3)
    ((0, 1, 2),)
    >>> simplest_basis([(1, 0, 0), (0, 1, 0)], dimension=3, beside=[(1, 1, 0)])
    ((1, 0, 0),)
    """
    span = reduced_basis(list(vectors), dimension=dimension)
    if not span:
        return ()
    candidates = {_readable(v) for v in _smallest_supports(span, len(span) - 1, dimension)}
    known = list(reduced_basis(list(beside), dimension=dimension))
    chosen: list[Point] = []
    for candidate in sorted(candidates, key=_complexity):
        rank = len(known) + len(chosen)
        if len(reduced_basis([*known, *chosen, candidate], dimension=dimension)) > rank:
            chosen.append(candidate)
    return tuple(chosen)


def simplest_modulo(vector: Point, basis: Sequence[Point]) -> Point:
    """The simplest vector on the ray of a given one in the quotient by the span of a basis.

    Parameters
    ----------
    vector : Point
        Not in the span of the basis.
    basis : sequence of Point
        Independent.

    Examples
    --------
    >>> simplest_modulo((-2, 2, 0), [(2, 2, 4)])
    (-1, 1, 0)
    >>> simplest_modulo((3, 1, 4), [(1, 1, 2)])
    (1, -1, 0)
    """
    dimension = len(vector)
    span = reduced_basis([vector, *basis], dimension=dimension)
    # A functional that vanishes on the basis and is positive on the vector distinguishes the ray
    # from its opposite.
    functional, sign = next(
        (normal, inner_product(normal, vector))
        for normal in orthogonal_basis(basis, dimension=dimension)
        if inner_product(normal, vector)
    )
    candidates = []
    for candidate in _smallest_supports(span, len(basis), dimension):
        value = inner_product(functional, candidate) * sign
        if value:
            candidates.append(candidate if value > 0 else tuple(-entry for entry in candidate))
    return min(candidates, key=_complexity)


def lattice_basis(vectors: Iterable[Point], *, dimension: int) -> tuple[Point, ...]:
    """A basis of the lattice that some vectors generate: the simplest one if it generates it.

    Parameters
    ----------
    vectors : iterable of Point
        Of length ``dimension``.
    dimension : int
        Dimension of the space.

    Examples
    --------
    >>> lattice_basis([(2, 0), (0, 3), (2, 3)], dimension=2)
    ((2, 0), (0, 3))
    >>> lattice_basis([(1, 1), (1, -1)], dimension=2)
    ((-1, 1), (1, 1))
    """
    rows = sorted({tuple(vector) for vector in vectors if any(vector)})
    if not rows:
        return ()
    reduced = fmpz_mat([list(row) for row in rows]).hnf()
    rank = len(reduced_basis(rows, dimension=dimension))
    generators = [tuple(int(x) for x in row) for row in reduced.tolist()[:rank]]
    simple = []
    for vector in simplest_basis(rows, dimension=dimension):
        # A primitive vector may be a fraction of the lattice's own vector in its direction.
        coordinates = _coordinates(vector, generators)
        multiple = lcm(*(entry.denominator for entry in coordinates))
        simple.append(tuple(multiple * entry for entry in vector))
    if all(x.denominator == 1 for row in generators for x in _coordinates(row, simple)):
        return tuple(simple)
    short = fmpz_mat([list(row) for row in generators]).lll()
    return tuple(sorted(_readable(tuple(int(x) for x in row)) for row in short.tolist()))


def integer_coordinates(vector: Point, basis: Sequence[Point]) -> tuple[int, ...]:
    """The coordinates of a vector of a lattice in a basis of it.

    Raises
    ------
    InvalidInputError
        If the vector is not in the lattice.

    Examples
    --------
    >>> integer_coordinates((3, -1), ((1, 1), (1, -1)))
    (1, 2)
    """
    coordinates = _coordinates(vector, basis)
    combined = [
        sum(x * row[i] for x, row in zip(coordinates, basis, strict=True))
        for i in range(len(vector))
    ]
    if any(x.denominator != 1 for x in coordinates) or combined != list(vector):
        raise InvalidInputError(
            f"vector {vector}: is not an integer combination of the basis {tuple(basis)}; take "
            "a vector of the lattice"
        )
    return tuple(int(x) for x in coordinates)


def _coordinates(vector: Point, basis: Sequence[Point]) -> tuple[Fraction, ...]:
    """The coordinates of the orthogonal projection of a vector to the span of a basis."""
    if not basis:
        return ()
    gram = fmpz_mat([[inner_product(a, b) for b in basis] for a in basis])
    right = fmpz_mat([[inner_product(row, vector)] for row in basis])
    solution = gram.solve(right)
    return tuple(as_fraction(solution[i, 0]) for i in range(len(basis)))


def _smallest_supports(span: Sequence[Point], zeros: int, dimension: int) -> Iterator[Point]:
    """The vectors of a subspace that independent zeros determine up to a factor."""
    conditions = orthogonal_basis(span, dimension=dimension)
    units = [tuple(int(i == j) for j in range(dimension)) for i in range(dimension)]
    for places in combinations(units, zeros):
        solutions = orthogonal_basis([*conditions, *places], dimension=dimension)
        if len(solutions) == 1:
            yield primitive(solutions[0])


def _readable(vector: Point) -> Point:
    """The vector or its opposite: the last symbol stands in the numerator, as in H/p."""
    last = next((entry for entry in reversed(vector) if entry), 1)
    return vector if last > 0 else tuple(-entry for entry in vector)


def _complexity(vector: Point) -> tuple[object, ...]:
    """Fewer symbols, then smaller exponents, then the first symbols."""
    return (
        sum(1 for entry in vector if entry),
        sum(abs(entry) for entry in vector),
        tuple(-abs(entry) for entry in vector),
        tuple(-entry for entry in vector),
    )
