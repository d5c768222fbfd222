"""Merging and integrating packed diagrams: the arithmetic of the steps of `engine.arrays.steps`.

A block of the potential with one factor cut out is its derivative by that factor; merging puts it
in the place of a factor of a diagram, for all diagrams of a batch and all their factors at once.

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.engine.arrays.codes import Weights
from diagrams.engine.arrays.integration_by_parts import Contractions, integrate
from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.node_identification import free_nodes, identify, nodes_used, relabelled
from diagrams.engine.arrays.packed_sums import PackedSum, SumBuilder
from diagrams.engine.arrays.packing import Codes, Kinds, Packing, factor_multiplicities
from diagrams.engine.arrays.pins import PinPairs, without_second_pins
from diagrams.engine.blocks import FlowDiagrams
from diagrams.engine.steps import Merger
from diagrams.tensors import Axis, Tensor

__all__ = ["ArrayMerger", "Source"]

Source = tuple[tuple[int, ...], Codes, NDArray[np.object_], tuple[int, ...]]
"""Free nodes on every axis, rows, their coefficients, and the blocks they are merged with."""

_Way = tuple[Factor, int, tuple[int, ...]]
"""A factor to be cut, how many are like it, and an order of its slots."""

_ROWS = 2048
"""Products that are packed together: they fit the cache."""


@dataclass(frozen=True, slots=True)
class _PotentialDerivatives:
    """A block of the potential with one factor cut out, in several ways.

    A factor of a symmetric tensor is cut in every order of its slots, with its share of the weight.
    No two of the factors are of one tensor: ``number`` is the way for each label of a tensor
    (`Packing.tensor_labels`), -1 where there is none. Nodes are numbered within their axes; the
    leading dimension of the arrays counts the ways.
    """

    number: NDArray[np.intp]
    kind: Kinds
    weight: Weights
    cut: Nodes
    rest: Nodes
    rest_kinds: Kinds
    nodes: tuple[int, ...]
    free: tuple[int, ...]


class ArrayMerger(Merger):
    """Merges and integrates rows of packed factors."""

    name: ClassVar[str] = "arrays"

    def __init__(self, blocks: FlowDiagrams) -> None:
        super().__init__(blocks)
        self.packing = Packing(blocks)
        self._derivatives = [
            [self._derivative(diagram, weight, factors) for factors in _rounds(cuts)]
            for (diagram, weight), cuts in zip(blocks.potential, blocks.cuts, strict=True)
        ]

    def numbered(
        self, diagram: Diagram
    ) -> tuple[NDArray[np.intp], NDArray[np.uint8], tuple[int, ...]]:
        """Nodes within axes, shape (factors, slots), classes, and free nodes on every axis."""
        packing = self.packing
        seen = [0] * packing.sizes
        within = []
        free = [0] * packing.sizes
        for axis, degree in zip(diagram.nodes, diagram.degrees, strict=True):
            number = packing.axes.index(axis)
            within.append(seen[number])
            seen[number] += 1
            free[number] += degree == 0
        nodes = np.zeros((len(diagram.factors), packing.slots), dtype=np.intp)
        kinds = np.zeros(len(diagram.factors), dtype=np.uint8)
        for row, (tensor, at) in enumerate(diagram.factors):
            nodes[row, : len(at)] = [within[node] for node in at]
            kinds[row], member = packing.place(tensor)
            if packing.has_members:
                nodes[row, -1] = member
        return nodes, kinds, tuple(free)

    def diagram(self, row: Codes, free: Sequence[int]) -> Diagram:
        """The diagram of a row, with free nodes on every axis."""
        packing = self.packing
        [local], [kinds] = packing.unpack(row[None])
        extents = packing.extents(local[None], kinds[None])
        nodes: list[Axis] = []
        first = []
        for axis, count, loose in zip(packing.axes, extents, free, strict=True):
            first.append(len(nodes))
            nodes += [axis] * (count + loose)
        factors = []
        for at, kind in zip(local.tolist(), kinds.tolist(), strict=True):
            tensor = packing.classes[kind][at[-1] if packing.has_members else 0]
            factors.append(
                (
                    tensor,
                    tuple(
                        first[packing.slot_axes[kind, slot]] + at[slot]
                        for slot in range(tensor.rank)
                    ),
                )
            )
        return Diagram(tuple(nodes), tuple(factors))

    def _derivative(
        self, diagram: Diagram, weight: int, ways: Sequence[_Way]
    ) -> _PotentialDerivatives:
        packing = self.packing
        nodes, kinds, free = self.numbered(diagram)
        factors = [factor for factor, _, _ in ways]
        cuts = [diagram.factors.index(factor) for factor in factors]
        cut = nodes[cuts]
        for row, (_, _, order) in enumerate(ways):
            cut[row, : len(order)] = cut[row, list(order)]
        rest = np.array([[i for i in range(len(kinds)) if i != cut] for cut in cuts], dtype=np.intp)
        labels = [packing.tensor_label(tensor) for tensor, _ in factors]
        number = np.full(packing.label_bound, -1, dtype=np.intp)
        number[labels] = np.arange(len(labels))
        return _PotentialDerivatives(
            number=number,
            kind=kinds[cuts],
            weight=np.array(
                [weight * size // len(factor[0].orders) for factor, size, _ in ways], dtype=object
            ),
            cut=cut,
            rest=nodes[rest],
            rest_kinds=kinds[rest],
            nodes=tuple(diagram.nodes.count(axis) for axis in packing.axes),
            free=free,
        )

    def merged(self, sources: Sequence[Source]) -> PackedSum:
        """The sum of the mergers of some rows with the blocks that each is given with."""
        starts, shift = self._room([codes for _, codes, _, _ in sources])
        found = SumBuilder()
        mergers = _Mergers(self.packing, starts, found)
        for free, codes, coefficients, blocks in sources:
            for block in blocks:
                for cuts in self._derivatives[block]:
                    for merged in self._merge(codes, coefficients, cuts, shift, starts):
                        mergers.take(free, *merged)
        mergers.finish()
        return found.build()

    def integrated(self, codes: Codes) -> list[Contractions]:
        """What integrating a factor of each of some rows leads to, by the number of factors."""
        return integrate(self.packing, codes)

    def _room(self, rows: Sequence[Codes]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Numbers for the nodes of some diagrams and of a derivative behind them.

        The first number of each axis, and the first number that derivatives use on it.
        """
        packing = self.packing
        extents = [0] * packing.sizes
        for codes in rows:
            here = packing.extents(*packing.unpack(codes))
            extents = [max(a, b) for a, b in zip(extents, here, strict=True)]
        nodes = [
            max((t.nodes[axis] for block in self._derivatives for t in block), default=0)
            for axis in range(packing.sizes)
        ]
        starts = packing.starts(a + b for a, b in zip(extents, nodes, strict=True))
        shift = starts.copy()
        shift[: packing.sizes] += np.array(extents, dtype=np.intp)
        return starts, shift

    def _merge(
        self,
        codes: Codes,
        coefficients: Weights,
        derivatives: _PotentialDerivatives,
        shift: NDArray[np.intp],
        starts: NDArray[np.intp],
    ) -> Iterator[tuple[NDArray[np.intp], Nodes, Kinds, Weights]]:
        """All mergers of some diagrams with derivatives: free nodes, factors and weights."""
        packing = self.packing
        local, kinds = packing.unpack(codes)
        multiplicities = factor_multiplicities(codes)
        ways = derivatives.number[packing.tensor_labels(local, kinds)]
        row, factor = np.nonzero((ways >= 0) & (multiplicities > 0))
        way = ways[row, factor]
        nodes = local + packing.offsets(kinds, starts)
        kept = np.arange(codes.shape[1] - 1) + np.zeros_like(factor[:, None])
        kept += kept >= factor[:, None]
        added = derivatives.rest + packing.offsets(derivatives.rest_kinds, shift)
        cut = derivatives.cut + shift[packing.slot_axes[derivatives.kind]]
        rest = np.concatenate([nodes[row[:, None], kept], added[way]], axis=1)
        rest_kinds = np.concatenate(
            [kinds[row[:, None], kept], derivatives.rest_kinds[way]], axis=1
        )
        first, second = nodes[row, factor][:, None], cut[way][:, None]
        pins = PinPairs(packing, rest, rest_kinds) if packing.pins else None
        if pins:
            first = np.concatenate([first, pins.first], axis=1)
            second = np.concatenate([second, pins.second], axis=1)
        width = int(starts[-1])
        representatives = identify(first, second, packing.rank, width)
        free = free_nodes(packing, representatives, nodes_used(rest, width), first, starts)
        free += np.array(derivatives.free, dtype=np.intp)
        count = multiplicities[row, factor].astype(object)
        weights = coefficients[row] * count * derivatives.weight[way]
        rest = relabelled(representatives, rest)
        if pins is None:
            yield free, rest, rest_kinds, weights
            return
        for rows, kept_nodes, kept_kinds in without_second_pins(pins, rest, rest_kinds):
            yield free[rows], kept_nodes, kept_kinds, weights[rows]


def _rounds(orbits: Iterable[tuple[Factor, int]]) -> list[list[_Way]]:
    """Deal factors, in all orders, out so that no two in a round are of one tensor."""
    rounds: list[list[_Way]] = []
    dealt: Counter[Tensor] = Counter()
    for factor, size in orbits:
        for order in factor[0].orders:
            if dealt[factor[0]] == len(rounds):
                rounds.append([])
            rounds[dealt[factor[0]]].append((factor, size, order))
            dealt[factor[0]] += 1
    return rounds


class _Mergers:
    """Mergers on their way into packed rows: small batches are packed together."""

    def __init__(self, packing: Packing, starts: NDArray[np.intp], found: SumBuilder) -> None:
        self._packing = packing
        self._starts = starts
        self._found = found
        self._waiting: defaultdict[int, list[tuple[NDArray[np.intp], Nodes, Kinds, Weights]]]
        self._waiting = defaultdict(list)

    def take(
        self,
        free: tuple[int, ...],
        loose: NDArray[np.intp],
        nodes: Nodes,
        kinds: Kinds,
        weights: Weights,
    ) -> None:
        """Take mergers that have the given free nodes and the loose ones, row by row."""
        if not len(nodes):
            return
        parts = self._waiting[nodes.shape[1]]
        parts.append((loose + np.array(free, dtype=np.intp), nodes, kinds, weights))
        if sum(len(part[1]) for part in parts) >= _ROWS:
            self._pack([nodes.shape[1]])

    def finish(self) -> None:
        """Pack what is still waiting."""
        self._pack(sorted(self._waiting))

    def _pack(self, sizes: Sequence[int]) -> None:
        groups: list[tuple[Nodes, Kinds]] = []
        others: list[tuple[NDArray[np.intp], Weights]] = []
        for size in sizes:
            free, nodes, kinds, weights = zip(*self._waiting.pop(size), strict=True)
            groups.append((np.concatenate(nodes), np.concatenate(kinds)))
            others.append((np.concatenate(free), np.concatenate(weights)))
        packed = self._packing.pack_together(groups, self._starts)
        for codes, (loose, total) in zip(packed, others, strict=True):
            self._found.append_groups(loose, codes, total)
