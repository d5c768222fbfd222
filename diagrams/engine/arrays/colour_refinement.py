"""Colour refinement of many diagrams at once, on arrays.

Every node has a colour, a 32-bit number. A *sweep* sends, through every factor and slot by slot,
a message made of the colours of the factor's other nodes, and mixes the messages that a node
receives into its colour. Nodes that an automorphism exchanges keep equal colours.

The diagrams of a batch may have different numbers of factors: the factors of all of them stand one
after another, so that a sweep takes the same few array operations for any batch. Small batches
cost what starting these operations costs, and are best joined.

Source: ours; colour refinement is classical, see `diagrams.engine.arrays.labelling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NUMBER_BITS", "Colours", "IncidenceBatch", "NodeNumbering", "Nodes"]

Nodes = NDArray[np.intp]
Colours = NDArray[np.uint32]

_ODD = np.uint32(0x9E3779B1)
_SCRAMBLE = np.uint32(0x85EBCA6B)
_INDIVIDUAL = np.uint32(0x27D4EB2F)
_ONE, _NINE = np.uint32(1), np.uint32(9)

# A sort key is, from the top, the axis of a node, whether it is unused, its colour and its number.
NUMBER_BITS = np.uint64(16)
_NUMBER = np.uint64(2**16 - 1)
_UNUSED = np.uint64(2**48)
_AXIS_BITS = np.uint64(49)


@dataclass(frozen=True, slots=True)
class NodeNumbering:
    """How nodes are numbered, prepared once for each set of axes.

    ``parts`` are the distinct spans of slots, and what no slot covers, as ranges of axes, with
    their first node and width in ``first`` and ``width``; ``slot_part`` and ``node_part`` are the
    part a slot and a node belong to. Messages tell the slots apart by an odd number for each,
    ``slot_odd``. For each node ``axis_start`` is the first node of its axis, ``within`` its number
    on the axis, ``initial`` the colour of the axis and ``base`` its sort key without a colour.
    """

    starts: tuple[int, ...]
    slot_part: tuple[int, ...]
    first: tuple[int, ...]
    width: tuple[int, ...]
    slot_odd: tuple[np.uint32, ...]
    node_part: Nodes
    axis_start: Nodes
    within: Nodes
    initial: Colours
    base: NDArray[np.uint64]

    @classmethod
    def of(cls, starts: Sequence[int], spans: Sequence[tuple[int, int]]) -> NodeNumbering:
        """The layout of axes with these first nodes, and of slots that hold these spans of axes."""
        return _layout(tuple(starts), tuple(spans))

    def node_at(self, keys: NDArray[np.uint64], place: Nodes) -> Nodes:
        """The nodes that the keys at some places of the order belong to."""
        result: Nodes = self.axis_start[place] + (keys & _NUMBER).astype(np.intp)
        return result


@dataclass(frozen=True, slots=True)
class IncidenceBatch:
    """The incidences of a batch of diagrams, laid out for sweeps.

    The factors of all diagrams stand one after another: ``diagram`` is the diagram of each,
    ``nodes`` its node in every slot, ``kinds`` what its kind adds to its messages (None if there is
    one kind only). Colours are kept as one array for each distinct span, of shape (diagrams, nodes
    of the span); ``at`` are the positions in it, read row by row, of the nodes in every slot, and
    ``used`` marks the nodes that are on a factor.
    """

    layout: NodeNumbering
    count: int
    diagram: NDArray[np.intp]
    nodes: tuple[Nodes, ...]
    kinds: Colours | None
    at: tuple[Nodes, ...]
    used: NDArray[np.bool_]

    @classmethod
    def of(
        cls, layout: NodeNumbering, groups: Sequence[tuple[Nodes, NDArray[np.uint8]]]
    ) -> IncidenceBatch:
        """The incidences of groups of diagrams."""
        firsts = [0, *accumulate(len(nodes) for nodes, _ in groups)]
        diagram = _joined(
            [
                np.repeat(np.arange(*ends), nodes.shape[1])
                for ends, (nodes, _) in zip(pairwise(firsts), groups, strict=True)
            ]
        )
        columns = tuple(
            _joined([nodes[:, :, slot].ravel() for nodes, _ in groups])
            for slot in range(len(layout.slot_part))
        )
        kinds = _joined([kinds.ravel() for _, kinds in groups])
        # Kind 0 adds nothing, so that a single kind costs nothing.
        added = kinds.astype(np.uint32) * _INDIVIDUAL if kinds.any() else None
        at = _positions(layout, diagram, columns)
        used = [np.zeros((firsts[-1], width), dtype=bool) for width in layout.width]
        for part, positions in zip(layout.slot_part, at, strict=True):
            used[part].ravel()[positions] = True
        return cls(layout, firsts[-1], diagram, columns, added, at, np.concatenate(used, axis=1))

    def only(self, rows: NDArray[np.intp]) -> IncidenceBatch:
        """The incidences of some of the diagrams."""
        if len(rows) == self.count:
            return self
        number = np.full(self.count, -1, dtype=np.intp)
        number[rows] = np.arange(len(rows))
        diagram = number[self.diagram]
        kept = np.flatnonzero(diagram >= 0)
        diagram = diagram[kept]
        nodes = tuple(column[kept] for column in self.nodes)
        kinds = None if self.kinds is None else self.kinds[kept]
        at = _positions(self.layout, diagram, nodes)
        return IncidenceBatch(self.layout, len(rows), diagram, nodes, kinds, at, self.used[rows])

    def uniform(self) -> list[Colours]:
        """One colour for each axis."""
        return [
            np.repeat(self.layout.initial[None, first : first + width], self.count, axis=0)
            for first, width in zip(self.layout.first, self.layout.width, strict=True)
        ]

    def refine(self, colours: Sequence[Colours], sweeps: int) -> list[Colours]:
        """Mix the colours of neighbours into those of all nodes, slot after slot."""
        colours = list(colours)
        slot_part = self.layout.slot_part
        # A factor sends to one slot what the nodes in the others contribute.
        terms = [self._term(slot, colours[part].ravel()) for slot, part in enumerate(slot_part)]
        total = self._total(terms)
        for _ in range(sweeps):
            for slot, part in enumerate(slot_part):
                received = self._received(slot, total - terms[slot])
                colours[part] = colours[part] * _ODD + received
                for other, other_part in enumerate(slot_part):
                    if other_part == part:
                        total -= terms[other]
                        terms[other] = self._term(other, colours[part].ravel())
                        total += terms[other]
        return colours

    def individualised(self, colours: list[Colours], chosen: Nodes) -> list[Colours]:
        """Give one node of each diagram a colour of its own."""
        parts = self.layout.node_part[chosen]
        for number in sorted(set(parts.tolist())):
            here = np.flatnonzero(parts == number)
            at = chosen[here] - self.layout.first[number]
            part = colours[number]
            part[here, at] = _scrambled(part[here, at] + _INDIVIDUAL)
        return colours

    def keys(self, colours: Sequence[Colours]) -> NDArray[np.uint64]:
        """The colours of the nodes with their numbers on their axis, sorted axis by axis."""
        keys = np.concatenate(colours, axis=1).astype(np.uint64) << NUMBER_BITS
        keys = np.where(self.used, keys, _UNUSED) | self.layout.base
        keys.sort(axis=1)
        return keys

    def neighbourhoods(self) -> Colours:
        """A hash of the factors at each node with the numbers of their other nodes."""
        layout = self.layout
        labels = _scrambled(np.arange(1, layout.starts[-1] + 1, dtype=np.uint32) * _ODD)
        terms = [
            (labels * layout.slot_odd[slot]).take(column) for slot, column in enumerate(self.nodes)
        ]
        total = self._total(terms)
        result = [np.zeros((self.count, width), dtype=np.uint32) for width in layout.width]
        for slot, part in enumerate(layout.slot_part):
            received = self._received(slot, total - terms[slot])
            result[part] += received * (_ODD + np.uint32(2 * slot))
        return np.concatenate(result, axis=1)

    def _term(self, slot: int, colours: Colours) -> Colours:
        """The contribution of the nodes in one slot to the messages of their factors."""
        # There are fewer nodes than factors: multiply first.
        result: Colours = (colours * self.layout.slot_odd[slot]).take(self.at[slot])
        return result

    def _total(self, terms: Sequence[Colours]) -> Colours:
        total = terms[0].copy()
        for term in terms[1:]:
            total += term
        if self.kinds is not None:
            total += self.kinds
        return total

    def _received(self, slot: int, message: Colours) -> Colours:
        """What each node gets from its factors through one slot; zero where there are none."""
        # A product makes the message a non-linear function of the colours, so that sums keep them
        # apart.
        message = message * ((message >> _NINE) | _ONE) | _ONE
        width = self.layout.width[self.layout.slot_part[slot]]
        total = np.zeros(self.count * width, dtype=np.uint32)
        np.add.at(total, self.at[slot], message)
        return total.reshape(self.count, width)


@lru_cache(maxsize=1024)
def _layout(starts: tuple[int, ...], spans: tuple[tuple[int, int], ...]) -> NodeNumbering:
    covered = {axis for low, high in spans for axis in range(low, high)}
    bare = {(axis, axis + 1) for axis in range(len(starts) - 1) if axis not in covered}
    parts = sorted({*spans} | bare)
    widths = np.diff(starts)
    axis_start = np.repeat(starts[:-1], widths).astype(np.intp)
    axis = np.repeat(np.arange(1, len(starts), dtype=np.uint32), widths)
    within = np.arange(starts[-1]) - axis_start
    first = tuple(starts[low] for low, _ in parts)
    width = tuple(starts[high] - starts[low] for low, high in parts)
    return NodeNumbering(
        starts=starts,
        slot_part=tuple(parts.index(span) for span in spans),
        first=first,
        width=width,
        slot_odd=tuple(_ODD + np.uint32(4 * slot) for slot in range(len(spans))),
        node_part=np.repeat(np.arange(len(parts)), width),
        axis_start=axis_start,
        within=within,
        initial=_scrambled(axis * _ODD),
        base=(axis.astype(np.uint64) << _AXIS_BITS) | within.astype(np.uint64),
    )


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _positions(
    layout: NodeNumbering, diagram: NDArray[np.intp], nodes: Sequence[Nodes]
) -> tuple[Nodes, ...]:
    """Where the nodes in each slot stand in the colours of its span."""
    return tuple(
        column + (diagram * layout.width[part] - layout.first[part])
        for part, column in zip(layout.slot_part, nodes, strict=True)
    )


def _scrambled(values: Colours) -> Colours:
    """Scramble 32-bit integers so that sums of them hardly ever agree by accident."""
    values = (values ^ (values >> np.uint32(15))) * _SCRAMBLE
    result: Colours = values ^ (values >> np.uint32(13))
    return result
