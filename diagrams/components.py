"""Diagrams side by side: the connected components of a diagram, and the product of two.

>>> p = Axis("p")
>>> node = Diagram((p,))
>>> pieces(disjoint_union(node, node).nodes, ()) == (node, node)
True

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.quotient import leaders, restricted
from diagrams.tensors import Axis

__all__ = ["disjoint_union", "pieces"]


def pieces(nodes: tuple[Axis, ...], factors: Iterable[Factor]) -> tuple[Diagram, ...]:
    """The connected components of a labelled diagram, nodes without factors included.

    Examples
    --------
    >>> len(pieces((Axis("p"), Axis("p")), ()))
    2
    """
    factors = tuple(factors)
    leader = leaders(len(nodes), ((at[0], node) for _, at in factors for node in at[1:]))
    result = []
    for first in sorted(set(leader)):
        kept = [node for node in range(len(nodes)) if leader[node] == first]
        own = [factor for factor in factors if leader[factor[1][0]] == first]
        result.append(Diagram(*restricted(nodes, own, kept)))
    return tuple(result)


def disjoint_union(first: Diagram, second: Diagram) -> Diagram:
    """The product of two diagrams, side by side.

    Examples
    --------
    >>> node = Diagram((Axis("p"),))
    >>> disjoint_union(node, node).nodes
    (Axis(name='p'), Axis(name='p'))
    """
    shift = len(first.nodes)
    moved = tuple((tensor, tuple(n + shift for n in at)) for tensor, at in second.factors)
    return Diagram(first.nodes + second.nodes, first.factors + moved)
