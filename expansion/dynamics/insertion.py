"""How a core grows along a chain: two factors more, or one, inserted at a node.

The next member of a chain is the last one with a node torn apart and a matrix between its halves:
U(h,i) U(h,j) M(i,j) becomes U(h,i) U(h,k) M(i,j) M(j,k). Which node, and what is inserted, is read
off the first members; then further ones need no derivatives of the hierarchy.

>>> text = "gaussian M[p,p]~1; weight U[H,p]~sigma2; "
>>> first = Diagram.parse(text + "M(p0,p1) U(H0,p0) U(H0,p1)")
>>> second = Diagram.parse(text + "M(p0,p1) M(p1,p2) U(H0,p0) U(H0,p2)")
>>> third = Diagram.parse(text + "M(p0,p1) M(p1,p2) M(p2,p3) U(H0,p0) U(H0,p3)")
>>> fourth = text + "M(p0,p1) M(p1,p2) M(p2,p3) M(p3,p4) U(H0,p0) U(H0,p4)"
>>> following((first, second, third)) == Diagram.parse(fourth)
True

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Tensor

__all__ = ["Insertion", "following"]

_MOST_FACTORS = 2
"""Factors that may be inserted."""

_MOST_ENDS = 4
"""Factors at a node that is torn apart."""

Place = tuple[str, tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]
"""The axis of a node, and the tensors with their slots on either half of it."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """How the next member of a chain is made of the last one.

    ``tensors`` are those of the path that is inserted, ``place`` the node that is torn apart, and
    ``way`` the number of the path between its halves.
    """

    tensors: tuple[Tensor, ...]
    place: Place
    way: int

    @classmethod
    def of(cls, members: Sequence[Diagram]) -> Insertion | None:
        """What leads from each of some members to the next, None if nothing or too much does.

        Parameters
        ----------
        members : sequence of Diagram
            At least three that follow each other.
        """
        steps = list(pairwise(members))
        inserted = [_difference(*step) for step in steps]
        tensors = inserted[0] if inserted else None
        if len(steps) < 2 or tensors is None or any(each != tensors for each in inserted):
            return None
        common: set[tuple[Place, int]] | None = None
        for before, after in steps:
            signature = _signature(after.nodes, after.factors)
            places = {
                (place, way)
                for place, way, labelled in _grown(before, tensors)
                if (common is None or (place, way) in common)
                and _signature(*labelled) == signature
                and Diagram(*labelled) == after
            }
            common = places
        for place, way in sorted(common or ()):
            found = cls(tensors, place, way)
            if found.after(members[-1]) is not None:
                return found
        return None

    def after(self, member: Diagram) -> Diagram | None:
        """The next member, None if there are several."""
        results = {
            Diagram(*labelled)
            for place, way, labelled in _grown(member, self.tensors)
            if (place, way) == (self.place, self.way)
        }
        return results.pop() if len(results) == 1 else None


def following(members: Sequence[Diagram]) -> Diagram | None:
    """The next member of a chain, None if the known ones do not determine it.

    Parameters
    ----------
    members : sequence of Diagram
        At least three that follow each other.
    """
    insertion = Insertion.of(members)
    return None if insertion is None else insertion.after(members[-1])


def _signature(
    nodes: Sequence[Axis], factors: Sequence[Factor]
) -> list[tuple[str, list[tuple[str, int]]]]:
    """The tensors and slots at the nodes: equal for diagrams that are equal."""
    at_node: list[list[tuple[str, int]]] = [[] for _ in nodes]
    for tensor, at in factors:
        for slot, node in enumerate(at):
            at_node[node].append((tensor.name, 0 if tensor.symmetric else slot))
    return sorted((axis.name, sorted(slots)) for axis, slots in zip(nodes, at_node, strict=True))


def _difference(before: Diagram, after: Diagram) -> tuple[Tensor, ...] | None:
    """The tensors of the factors that are new, None if that is no short path."""
    counts = Counter(tensor for tensor, _ in after.factors)
    counts.subtract(tensor for tensor, _ in before.factors)
    if min(counts.values()) < 0 or not 0 < sum(counts.values()) <= _MOST_FACTORS:
        return None
    found = tuple(sorted(counts.elements(), key=lambda tensor: tensor.sort_key))
    return found if all(len(tensor.axes) == 2 for tensor in found) else None


_Labelled = tuple[tuple[Axis, ...], tuple[Factor, ...]]


def _grown(diagram: Diagram, tensors: Sequence[Tensor]) -> Iterator[tuple[Place, int, _Labelled]]:
    """The diagrams with a path of some tensors in a node, with the place and the kind of path."""
    for node, axis in enumerate(diagram.nodes):
        ends = [
            (number, slot)
            for number, (_, at) in enumerate(diagram.factors)
            for slot, end in enumerate(at)
            if end == node
        ]
        if not 2 <= len(ends) <= _MOST_ENDS:
            continue
        for size in range(1, len(ends)):
            for moved in combinations(ends, size):
                kept = [end for end in ends if end not in moved]
                place = axis.name, _slots(diagram, kept), _slots(diagram, moved)
                for way, result in enumerate(_torn(diagram, node, moved, tensors)):
                    if result is not None:
                        yield place, way, result


def _slots(diagram: Diagram, ends: Sequence[tuple[int, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((diagram.factors[number][0].name, slot) for number, slot in ends))


def _torn(
    diagram: Diagram, node: int, moved: Sequence[tuple[int, int]], tensors: Sequence[Tensor]
) -> Iterator[_Labelled | None]:
    """A node with some of its factors moved to a new one, and the paths between the two."""
    axis, new = diagram.nodes[node], len(diagram.nodes)
    factors = [
        (tensor, tuple(new if (number, slot) in moved else end for slot, end in enumerate(at)))
        for number, (tensor, at) in enumerate(diagram.factors)
    ]
    for nodes, path in _paths(axis, node, new, tensors):
        if nodes is None:
            yield None
        else:
            yield (*diagram.nodes, axis, *nodes), (*factors, *path)


def _paths(
    axis: Axis, start: int, end: int, tensors: Sequence[Tensor]
) -> Iterator[tuple[tuple[Axis, ...] | None, tuple[Factor, ...]]]:
    """Nodes and factors of the paths between two nodes of an axis; None where axes do not fit."""
    if len(tensors) == 1:
        (tensor,) = tensors
        for at in ((start, end), (end, start)):
            yield (() if tensor.axes == (axis, axis) else None), ((tensor, at),)
        return
    one, other = tensors
    middle = end + 1
    for first, second in ((one, other), (other, one)):
        for slot in (0, 1):
            for out in (0, 1):
                fits = (
                    first.axes[slot] == axis == second.axes[out]
                    and first.axes[1 - slot] == second.axes[1 - out]
                )
                path = (
                    (first, (start, middle) if slot == 0 else (middle, start)),
                    (second, (end, middle) if out == 0 else (middle, end)),
                )
                yield ((first.axes[1 - slot],) if fits else None), path
