"""Isometries between axes: nodes on different axes that share one index.

A factor J(i, a) of an isometry from an axis of size r to one of size p >= r is one where i = a and
zero elsewhere. So all nodes that such factors join have one index, which runs over the smallest of
their axes. Deterministic tensors of low rank are products of them: ``J[i,a] K[j,a]``, summed over
the r values of a, is the partial isometry of rank r between the axes of i and j.

Laws, which bring factors of isometries into normal form:

- J(i, a) J(i, b) and J(a, i) J(b, i) identify a and b;
- J(i, a) is its own square;
- summed over i, J(i, a) is one: a node that only an isometry from its axis holds disappears.

>>> p, r = Axis("p"), Axis("r")
>>> J = Tensor.isometry(p, r)
>>> joined((p, r, r), ((J, (0, 1)), (J, (0, 2))))
((Axis(name='r'),), ())

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from diagrams.canonical import Factor
from diagrams.errors import InvalidInputError
from diagrams.quotient import identify, leaders, restricted
from diagrams.tensors import Axis, Kind, Tensor

__all__ = ["joined", "one_node_each"]

Nodes = tuple[Axis, ...]
Factors = tuple[Factor, ...]


def joined(nodes: Nodes, factors: Factors) -> tuple[Nodes, Factors]:
    """The normal form of a labelled diagram with regard to its isometries."""
    while pairs := _shared(factors):
        nodes, factors = identify(nodes, factors, pairs)
        distinct = dict.fromkeys(f for f in factors if f[0].kind is Kind.ISOMETRY)
        factors = (*distinct, *(f for f in factors if f[0].kind is not Kind.ISOMETRY))
    while True:
        degree = Counter(node for _, at in factors for node in at)
        ends = {
            at[0]: factor
            for factor in factors
            if (at := factor[1]) and factor[0].kind is Kind.ISOMETRY and degree[at[0]] == 1
        }
        if not ends:
            return nodes, factors
        kept = [node for node in range(len(nodes)) if node not in ends]
        dropped = {*ends.values()}
        left = [factor for factor in factors if factor not in dropped]
        nodes, factors = restricted(nodes, left, kept)


def _shared(factors: Factors) -> list[tuple[int, int]]:
    """Pairs of factors to be made one, as pairs of nodes: those that share a node in one slot."""
    first: dict[tuple[Tensor, int, int], int] = {}
    pairs = []
    seen: set[Factor] = set()
    for factor in factors:
        tensor, at = factor
        if tensor.kind is not Kind.ISOMETRY:
            continue
        for slot in (0, 1):
            other = first.setdefault((tensor, slot, at[slot]), at[1 - slot])
            if other != at[1 - slot] or factor in seen:
                pairs.append((other, at[1 - slot]))
        seen.add(factor)
    return pairs


def one_node_each(nodes: Sequence[Axis], factors: Sequence[Factor]) -> tuple[Nodes, Factors]:
    """Nodes that share an index made one node on the smallest of their axes, isometries dropped.

    The other factors must not be random; they may stand on nodes of smaller axes than their own.

    Raises
    ------
    InvalidInputError
        If it is not known which axis is the smallest, or a modular sum is on a larger one.
    """
    links = [(at[0], at[1]) for tensor, at in factors if tensor.kind is Kind.ISOMETRY]
    leader = leaders(len(nodes), links)
    larger: list[set[Axis]] = [set() for _ in nodes]
    for tensor, at in factors:
        if tensor.kind is Kind.ISOMETRY:
            larger[leader[at[0]]].add(tensor.axes[0])
    kept = sorted(set(leader))
    number = {node: new for new, node in enumerate(kept)}
    members = {
        node: {a for a, own in zip(nodes, leader, strict=True) if own == node} for node in kept
    }
    axes = tuple(_smallest(members[node] - larger[node]) for node in kept)
    rest = []
    for tensor, at in factors:
        if tensor.kind is Kind.ISOMETRY:
            continue
        moved = tuple(number[leader[node]] for node in at)
        if tensor.kind is Kind.MODULAR and any(axes[node] != tensor.axes[0] for node in moved):
            raise InvalidInputError(
                f"tensor {tensor.name}: a modular sum of indices that an isometry restricts has no "
                "polynomial number of solutions; leave out one of the two"
            )
        rest.append((tensor, moved))
    return axes, tuple(rest)


def _smallest(candidates: set[Axis]) -> Axis:
    if len(candidates) == 1:
        return next(iter(candidates))
    sizes = [axis.pinned for axis in candidates if axis.pinned is not None]
    if len(sizes) == len(candidates):
        return min(candidates, key=lambda axis: (axis.pinned or 0, axis.name))
    names = " and ".join(sorted(axis.name for axis in candidates))
    raise InvalidInputError(
        f"isometries from the axes {names}: meet in one index, and which size is the smaller is "
        "not known; use one axis for both"
    )
