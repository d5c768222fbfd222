"""Quotients and parts of labelled diagrams: nodes identified, left out, connected.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagrams.canonical import Factor
from diagrams.tensors import Axis

__all__ = ["Labelled", "identify", "leaders", "restricted", "without_free"]

Labelled = tuple[tuple[Axis, ...], tuple[Factor, ...]]
"""Nodes and factors."""


def leaders(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """For every node the least one that it is connected with.

    Parameters
    ----------
    count : int
        How many nodes there are.
    links : iterable of (int, int)
        Nodes that are connected, two by two.

    Examples
    --------
    >>> leaders(4, [(3, 1), (2, 3)])
    [0, 1, 1, 1]
    """
    leader = list(range(count))
    for first, second in links:
        while leader[first] != first:
            first = leader[first]
        while leader[second] != second:
            second = leader[second]
        leader[max(first, second)] = min(first, second)
    for node in range(count):
        leader[node] = leader[leader[node]]  # no leader is larger than its node
    return leader


def restricted(nodes: Sequence[Axis], factors: Iterable[Factor], kept: Sequence[int]) -> Labelled:
    """Some nodes, numbered in the order in which they are given, with factors on them alone.

    Examples
    --------
    >>> p, H = Axis("p"), Axis("H")
    >>> restricted((p, H, p), [], (1, 0))
    ((Axis(name='H'), Axis(name='p')), ())
    """
    number = {node: new for new, node in enumerate(kept)}
    return (
        tuple([nodes[node] for node in kept]),
        tuple([(tensor, tuple([number[node] for node in at])) for tensor, at in factors]),
    )


def without_free(
    nodes: Sequence[Axis], factors: Sequence[Factor]
) -> tuple[Labelled, tuple[Axis, ...]]:
    """The nodes that factors stand on, with these, and the axes of the free nodes.

    Examples
    --------
    >>> without_free((Axis("p"),), [])
    (((), ()), (Axis(name='p'),))
    """
    used = {node for _, at in factors for node in at}
    free = tuple([axis for node, axis in enumerate(nodes) if node not in used])
    return restricted(nodes, factors, sorted(used)), free


def identify(
    nodes: Sequence[Axis], factors: Iterable[Factor], pairs: Iterable[tuple[int, int]]
) -> Labelled:
    """Quotient of a labelled diagram: each pair of nodes becomes one node.

    Parameters
    ----------
    nodes, factors
        The labelled diagram.
    pairs : iterable of (int, int)
        Nodes to identify, two by two, on equal axes.

    Returns
    -------
    tuple
        Nodes and factors of the quotient, numbered in the old order.

    Examples
    --------
    >>> p = Axis("p")
    >>> identify((p, p, p), [], [(0, 2)])
    ((Axis(name='p'), Axis(name='p')), ())
    """
    leader = leaders(len(nodes), pairs)
    kept = [node for node in range(len(nodes)) if leader[node] == node]
    number = {node: new for new, node in enumerate(kept)}
    return (
        tuple([nodes[node] for node in kept]),
        tuple([(tensor, tuple([number[leader[n]] for n in at])) for tensor, at in factors]),
    )
