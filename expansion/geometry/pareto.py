"""Pareto-optimal exponents.

Some symbols are sizes that grow. Among monomials that agree in all other symbols, one whose powers
of the growing symbols are all at least as large as those of another one is never smaller. A point
is *Pareto-optimal* when no other point dominates it so.

Laws:

- every point is dominated by, or is, a Pareto-optimal one;
- ``pareto_optimal(pareto_optimal(points, growing), growing) == pareto_optimal(points, growing)``.

>>> pareto_optimal([(1, 1, 0), (2, 1, 0), (0, 2, 0), (0, 0, 1)], growing=(0, 1))
((0, 0, 1), (0, 2, 0), (2, 1, 0))

Source: Yarotsky, Golikov, Gusev 2026, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import ge, index

from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import Point

__all__ = ["pareto_optimal", "read_indices", "read_points"]


def read_points(points: Iterable[Sequence[int]]) -> tuple[Point, ...]:
    """Exponent vectors without repetition, sorted.

    Raises
    ------
    InvalidInputError
        If the points have different lengths or entries that are no integers.

    Examples
    --------
    >>> read_points([(2, 1), (0, 3), (2, 1)])
    ((0, 3), (2, 1))
    """
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


def read_indices(growing: Iterable[int], *, dimension: int) -> tuple[int, ...]:
    """Growing indices, sorted.

    Parameters
    ----------
    growing : iterable of int
    dimension : int
        Length of the points.

    Raises
    ------
    InvalidInputError
        If an index is no integer, is repeated or is out of range.

    Examples
    --------
    >>> read_indices([2, 0], dimension=3)
    (0, 2)
    """
    try:
        indices = sorted(index(place) for place in growing)
    except TypeError:
        raise InvalidInputError(
            "growing indices: must be integers; name each growing symbol by its position"
        ) from None
    if len(set(indices)) < len(indices) or not all(0 <= place < dimension for place in indices):
        raise InvalidInputError(
            f"growing indices {tuple(indices)}: must be different and from 0 to {dimension - 1}; "
            "name each growing symbol once, by its position"
        )
    return tuple(indices)


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
    exact = read_points(points)
    if not exact:
        return ()
    indices = read_indices(growing, dimension=len(exact[0]))
    # In decreasing order a point comes after all points that dominate it. Those have an entry at
    # the first growing index that is at least as large, so the other growing ones decide.
    fronts: dict[Point, list[Point]] = {}
    kept = []
    for point in reversed(exact):
        others = tuple(entry for place, entry in enumerate(point) if place not in indices)
        sizes = tuple(point[place] for place in indices[1:])
        front = fronts.setdefault(others, [])
        if not any(all(map(ge, rival, sizes)) for rival in front):
            front[:] = [rival for rival in front if not all(map(ge, sizes, rival))]
            front.append(sizes)
            kept.append(point)
    return tuple(reversed(kept))
