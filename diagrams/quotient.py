"""Identifying nodes of a labelled diagram.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagrams.canonical import Factor
from diagrams.tensors import Axis

__all__ = ["identify"]


def identify(
    nodes: Sequence[Axis], factors: Iterable[Factor], pairs: Iterable[tuple[int, int]]
) -> tuple[tuple[Axis, ...], tuple[Factor, ...]]:
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
    leader = list(range(len(nodes)))

    def find(node: int) -> int:
        while leader[node] != node:
            node = leader[node]
        return node

    for first, second in pairs:
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    kept = [node for node in range(len(nodes)) if leader[node] == node]
    number = {node: new for new, node in enumerate(kept)}
    return (
        tuple(nodes[node] for node in kept),
        tuple((tensor, tuple(number[find(node)] for node in at)) for tensor, at in factors),
    )
