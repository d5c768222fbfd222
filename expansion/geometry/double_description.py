"""From the inequalities of a polyhedral cone to its extremal rays, and back by duality.

The cone {x : a·x >= 0 for every row a} is the sum of a linear subspace, its *lineality space*, and
of a pointed cone, which is spanned by finitely many *extremal rays*. The double description method
finds the rays by adding one inequality after the other: the rays that violate it go, and every
pair of *adjacent* rays on its two sides gives a new ray on its hyperplane. Two rays are adjacent
when they span a face of dimension two, that is, when no third ray lies on all inequalities on which
both of them lie.

The same function goes back: the extremal rays of the dual cone are the facets.

Law: every ray satisfies all inequalities, and the rows on which it lies have rank d − 1, where d is
the dimension of the space modulo lineality.

>>> quadrant = extremal_rays([(1, 0), (0, 1), (1, 1)], dimension=2)
>>> quadrant.rays
((0, 1), (1, 0))
>>> [f"{rows:03b}" for rows in quadrant.tight]
['001', '010']
>>> extremal_rays([(0, 1, 1)], dimension=3)
Generators(lineality=((1, 0, 0), (0, 1, -1)), rays=((0, 0, 1),), tight=(0,))

Source: Motzkin, Raiffa, Thompson, Thrall 1953; the combinatorial test of adjacency after Fukuda and
Prodon 1996.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flint import fmpq_mat, fmpz_mat

from expansion.geometry.linear_algebra import (
    Point,
    inner_product,
    orthogonal_basis,
    primitive,
)

__all__ = ["Generators", "extremal_rays", "insert", "simplicial_start"]


class Generators(NamedTuple):
    """A lineality space and extremal rays, and which inequalities are tight on each ray.

    Bit i of ``tight[k]`` says that inequality i is an equality on ``rays[k]``.
    """

    lineality: tuple[Point, ...]
    rays: tuple[Point, ...]
    tight: tuple[int, ...]


def extremal_rays(inequalities: Sequence[Point], *, dimension: int) -> Generators:
    """Generators of the cone on which all inner products with some vectors are non-negative.

    Parameters
    ----------
    inequalities : sequence of integer vectors of length ``dimension``
        Repeated, redundant and zero vectors are allowed.
    dimension : int
        Dimension of the space.

    Returns
    -------
    Generators
        The reduced basis of the lineality space and the extremal rays modulo it: primitive, zero at
        the leading positions of that basis, sorted.

    Examples
    --------
    A cone over a square has four extremal rays.

    >>> square = [(1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1)]
    >>> extremal_rays(square, dimension=3).rays
    ((-1, -1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, 1))
    """
    lineality = orthogonal_basis(inequalities, dimension=dimension)
    leading = {next(i for i, entry in enumerate(row) if entry) for row in lineality}
    free = [index for index in range(dimension) if index not in leading]
    rows = [tuple(row[index] for index in free) for row in inequalities]
    rank = len(free)
    rays, inserted = simplicial_start(rows, rank)
    for number in sorted(set(range(len(rows))) - set(inserted), key=rows.__getitem__):
        rays = insert(rays, rows[number], bit=1 << number, rank=rank)
    found = []
    for ray, tight in rays.items():
        vector = [0] * dimension
        for index, entry in zip(free, ray, strict=True):
            vector[index] = entry
        found.append((tuple(vector), tight))
    found.sort()
    return Generators(lineality, tuple(ray for ray, _ in found), tuple(bits for _, bits in found))


def simplicial_start(rows: Sequence[Point], rank: int) -> tuple[dict[Point, int], list[int]]:
    """The rays of the cone of the first ``rank`` independent rows, and which rows these are.

    Every ray comes with the rows on which it lies, as bits.
    """
    if not rank:
        return {}, []
    echelon, _, _ = fmpz_mat([list(column) for column in zip(*rows, strict=True)]).rref()
    chosen = [next(j for j, entry in enumerate(line) if entry != 0) for line in echelon.tolist()]
    inverse = fmpq_mat(fmpz_mat([list(rows[number]) for number in chosen])).inv()
    numerators, _ = inverse.numer_denom()  # the denominator is positive
    every = sum(1 << number for number in chosen)
    columns = zip(*numerators.tolist(), strict=True)
    return {
        primitive([int(entry) for entry in column]): every ^ (1 << number)
        for column, number in zip(columns, chosen, strict=True)
    }, chosen


def insert(rays: dict[Point, int], row: Point, *, bit: int, rank: int) -> dict[Point, int]:
    """The rays, with their tight rows, after one more inequality.

    Parameters
    ----------
    rays : mapping from Point to int
        The rays of a cone in a space of dimension ``rank`` without lineality, and for each the
        rows on which it lies.
    row : Point
        The inequality.
    bit : int
        Stands for it among the tight rows.
    rank : int
    """
    kept: dict[Point, int] = {}
    inside: list[tuple[Point, int, int]] = []
    outside: list[tuple[Point, int, int]] = []
    for ray, tight in rays.items():
        value = inner_product(row, ray)
        if value < 0:
            outside.append((ray, tight, value))
        else:
            kept[ray] = tight if value else tight | bit
            if value:
                inside.append((ray, tight, value))
    if not outside:
        return kept
    faces = list(rays.values())
    for ray, tight, value in inside:
        for other, other_tight, other_value in outside:
            common = tight & other_tight
            # Both rays themselves contain the common rows; a third one that does parts them.
            if common.bit_count() >= rank - 2 and _contained_in(common, faces) == 2:
                combined = primitive(
                    [value * y - other_value * x for x, y in zip(ray, other, strict=True)]
                )
                kept[combined] = common | bit
    return kept


def _contained_in(rows: int, faces: Sequence[int]) -> int:
    """In how many sets a set is contained; counting stops at three."""
    count = 0
    for face in faces:
        if rows & face == rows:
            count += 1
            if count > 2:
                break
    return count
