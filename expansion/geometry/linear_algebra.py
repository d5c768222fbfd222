"""Exact linear algebra with integer vectors, up to positive multiples.

Exponents are integer vectors, and the normals and rays of polyhedra matter only up to a positive
multiple. So everything rational is written with *primitive* vectors: integers without a common
factor. A linear subspace is written by its *reduced basis*: the reduced row echelon form, each row
primitive with a positive leading entry. It depends on the subspace alone.

Laws:

- ``reduced_basis`` of a spanning set of V is the same for every spanning set of V;
- ``orthogonal_basis(orthogonal_basis(V)) == reduced_basis(V)``;
- ``modulo(v, basis)`` depends only on the ray of v in the quotient by the span of ``basis``.

>>> plane = reduced_basis([(2, 4, 6), (1, 1, 0)], dimension=3)
>>> plane
((1, 0, -3), (0, 1, 3))
>>> orthogonal_basis(plane, dimension=3)
((3, -3, 1),)
>>> modulo((5, 5, 2), plane)
(0, 0, 1)

Source: standard.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from numbers import Rational
from operator import mul

from flint import fmpz_mat

from diagrams.errors import InvalidInputError

__all__ = [
    "Point",
    "inner_product",
    "integer_multiple",
    "modulo",
    "orthogonal_basis",
    "primitive",
    "reduced_basis",
]

Point = tuple[int, ...]
"""An integer vector."""


def inner_product(left: Sequence[int], right: Sequence[int]) -> int:
    """The sum of the products of the entries of two vectors of the same length.

    Examples
    --------
    >>> inner_product((1, 2, 3), (4, 5, 6))
    32
    """
    return sum(map(mul, left, right))


def primitive(vector: Sequence[int]) -> Point:
    """The positive multiple of an integer vector whose entries have no common factor.

    The zero vector stays as it is.

    Examples
    --------
    >>> primitive((6, -4, 0)), primitive((0, 0))
    ((3, -2, 0), (0, 0))
    """
    divisor = math.gcd(*vector)
    return tuple(entry // divisor for entry in vector) if divisor > 1 else tuple(vector)


def integer_multiple(vector: Iterable[int | Fraction], *, dimension: int) -> Point:
    """The primitive positive multiple of a rational vector.

    Parameters
    ----------
    vector : iterable of int or Fraction, of length ``dimension``
    dimension : int
        Number of entries that the vector must have.

    Raises
    ------
    InvalidInputError
        If an entry is not an exact rational number, or if there are more or fewer entries.

    Examples
    --------
    >>> integer_multiple((Fraction(1, 2), Fraction(-2, 3)), dimension=2)
    (3, -4)
    """
    entries = tuple(vector)
    if not all(isinstance(entry, Rational) for entry in entries):
        raise InvalidInputError(
            f"vector {entries}: its entries must be exact numbers; use int or Fraction"
        )
    if len(entries) != dimension:
        raise InvalidInputError(
            f"vector {entries}: has {len(entries)} entries, the space has dimension {dimension}; "
            f"give {dimension} entries"
        )
    denominator = math.lcm(*(int(entry.denominator) for entry in entries))
    return primitive(
        [int(entry.numerator) * (denominator // int(entry.denominator)) for entry in entries]
    )


def reduced_basis(vectors: Sequence[Sequence[int]], *, dimension: int) -> tuple[Point, ...]:
    """The basis of the span of some vectors in reduced row echelon form, each row primitive.

    Parameters
    ----------
    vectors : sequence of integer vectors of length ``dimension``
    dimension : int
        Dimension of the space.

    Examples
    --------
    >>> reduced_basis([(2, 1), (4, 2)], dimension=2)
    ((2, 1),)
    """
    if not vectors or not dimension:
        return ()
    echelon, _, rank = fmpz_mat([list(vector) for vector in vectors]).rref()
    rows = ([int(entry) for entry in row] for row in echelon.tolist()[:rank])
    return tuple(
        primitive(row if row[_leading(row)] > 0 else [-entry for entry in row]) for row in rows
    )


def orthogonal_basis(vectors: Sequence[Sequence[int]], *, dimension: int) -> tuple[Point, ...]:
    """The reduced basis of the orthogonal complement of the span of some vectors.

    Parameters
    ----------
    vectors : sequence of integer vectors of length ``dimension``
    dimension : int
        Dimension of the space.

    Examples
    --------
    >>> orthogonal_basis([(1, 1, 1)], dimension=3)
    ((1, 0, -1), (0, 1, -1))
    """
    basis = reduced_basis(vectors, dimension=dimension)
    leading = [_leading(row) for row in basis]
    denominator = math.lcm(*(row[index] for row, index in zip(basis, leading, strict=True)))
    complement = []
    for free in (index for index in range(dimension) if index not in leading):
        solution = [0] * dimension
        solution[free] = denominator
        for row, index in zip(basis, leading, strict=True):
            solution[index] = -row[free] * (denominator // row[index])
        complement.append(solution)
    return reduced_basis(complement, dimension=dimension)


def modulo(vector: Sequence[int], basis: Sequence[Point]) -> Point:
    """The representative of the ray of a vector in the quotient by a subspace.

    Parameters
    ----------
    vector : integer vector
    basis : sequence of integer vectors
        The reduced basis of the subspace (`reduced_basis`).

    Returns
    -------
    Point
        The primitive vector that is zero at the leading positions of the basis and equals a
        positive multiple of ``vector`` up to the subspace.

    Examples
    --------
    >>> modulo((1, 1), ((2, 1),))
    (0, 1)
    """
    entries = list(vector)
    for row in basis:
        index = _leading(row)
        if part := entries[index]:
            scale = row[index]
            entries = [
                scale * entry - part * other for entry, other in zip(entries, row, strict=True)
            ]
    return primitive(entries)


def _leading(row: Sequence[int]) -> int:
    """The position of the first entry that is not zero."""
    return next(index for index, entry in enumerate(row) if entry)
