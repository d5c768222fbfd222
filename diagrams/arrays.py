"""Sums of diagrams as arrays of packed factors.

The general representation: any tensors, any axes, millions of diagrams. A state groups its
diagrams by their number of factors and of free nodes; each group is an array of sorted codes
(`diagrams.packing`), without repetitions, and a list of integer coefficients. Merging and
contracting act on whole groups; equal results are found by the labelling of `diagrams.labelling`.

Source: ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diagrams.canonical import Factor
from diagrams.contraction import Combination, ContractionTable
from diagrams.counting import double_factorial
from diagrams.diagram import Diagram
from diagrams.identification import free_nodes, identified, led, nodes_used
from diagrams.merge import factor_orbits
from diagrams.packing import Codes, Packing, batches, factor_multiplicities
from diagrams.representation import Blocks, Representation, Tick
from diagrams.states import Collector, State
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis
from diagrams.wick import Moments, monomial

__all__ = ["ArrayRepresentation"]

_ROWS = 2048
"""Diagrams that are merged together: their products fit the cache."""


@dataclass(frozen=True, slots=True)
class _Template:
    """A block of the potential with one factor cut out, numbered within its axes."""

    label: int
    kind: int
    weight: int
    cut: NDArray[np.intp]
    rest: NDArray[np.intp]
    rest_kinds: NDArray[np.uint8]
    nodes: tuple[int, ...]
    free: tuple[int, ...]


class ArrayRepresentation(Representation[State]):
    """States are groups of packed rows with coefficients."""

    def __init__(self, blocks: Blocks, tick: Tick | None = None) -> None:
        super().__init__(blocks, tick)
        self._packing = Packing(blocks)
        self._table = ContractionTable(self._packing, self.tick)
        self._templates = [
            [
                self._template(diagram, factor, weight * size)
                for factor, size in factor_orbits(diagram).items()
            ]
            for diagram, weight in blocks.potential
        ]

    # -- translation ---------------------------------------------------------------------------

    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> State:
        """The state of a linear combination."""
        found = Collector()
        for diagram, coefficient in terms:
            local, kinds, free = self._numbered(diagram)
            starts = self._packing.starts(len(diagram.nodes) for _ in self._packing.axes)
            nodes = local + self._packing.offsets(kinds, starts)
            codes = self._packing.pack(nodes[None], kinds[None], starts)
            found.append(free, codes, np.array([coefficient], dtype=object))
        return found.state()

    def decode(self, state: State) -> DiagramSum:
        """The linear combination of a state."""
        return collect(
            (self._diagram(row, free), Fraction(coefficient))
            for (_, free), (codes, coefficients) in state.items()
            for row, coefficient in zip(codes, coefficients, strict=True)
        )

    def count(self, state: State) -> int:
        """Number of distinct diagrams."""
        return sum(len(codes) for codes, _ in state.values())

    def _numbered(
        self, diagram: Diagram
    ) -> tuple[NDArray[np.intp], NDArray[np.uint8], tuple[int, ...]]:
        """Nodes within axes, shape (factors, slots), classes, and free nodes on every axis."""
        packing = self._packing
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

    def _diagram(self, row: Codes, free: Sequence[int]) -> Diagram:
        packing = self._packing
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

    # -- merging -------------------------------------------------------------------------------

    def _template(self, diagram: Diagram, factor: Factor, weight: int) -> _Template:
        nodes, kinds, free = self._numbered(diagram)
        cut = diagram.factors.index(factor)
        rest = np.arange(len(kinds)) != cut
        return _Template(
            label=self._packing.tensor_label(factor[0]),
            kind=int(kinds[cut]),
            weight=weight,
            cut=nodes[cut],
            rest=nodes[rest],
            rest_kinds=kinds[rest],
            nodes=tuple(diagram.nodes.count(axis) for axis in self._packing.axes),
            free=free,
        )

    def differentiate(self, state: State, blocks: Sequence[int]) -> State:
        """Merge with blocks of the potential."""
        found = Collector()
        templates = [template for block in blocks for template in self._templates[block]]
        for (size, free), (codes, coefficients) in state.items():
            if size == 0:
                continue
            for part in batches(codes, _ROWS):
                before = found.rows
                for merged in self._merge(codes[part], coefficients[part], templates):
                    loose, rows, weights = merged
                    found.append_groups(loose + np.array(free, dtype=np.intp), rows, weights)
                self.tick(found.rows - before)
        return found.state()

    def _merge(
        self, codes: Codes, coefficients: NDArray[np.object_], templates: Sequence[_Template]
    ) -> Iterator[tuple[NDArray[np.intp], Codes, NDArray[np.object_]]]:
        """All mergers of some diagrams with templates: free nodes, rows and weights."""
        packing = self._packing
        local, kinds = packing.unpack(codes)
        extents = packing.extents(local, kinds)
        labels = packing.tensor_labels(local, kinds)
        multiplicities = factor_multiplicities(codes)
        for template in templates:
            row, factor = np.nonzero((labels == template.label) & (multiplicities > 0))
            if not len(row):
                continue
            starts = packing.starts(a + b for a, b in zip(extents, template.nodes, strict=True))
            nodes = local + packing.offsets(kinds, starts)
            # Nodes of the template come after those of the diagram on every true axis.
            shift = starts.copy()
            shift[: packing.sizes] += extents
            kept = np.arange(codes.shape[1] - 1) + np.zeros_like(factor[:, None])
            kept += kept >= factor[:, None]
            added = template.rest + packing.offsets(template.rest_kinds, shift)
            cut = template.cut + shift[packing.slot_axes[template.kind]]
            rest = np.concatenate(
                [nodes[row[:, None], kept], np.broadcast_to(added, (len(row), *added.shape))],
                axis=1,
            )
            rest_kinds = np.concatenate(
                [
                    kinds[row[:, None], kept],
                    np.broadcast_to(template.rest_kinds, (len(row), len(template.rest_kinds))),
                ],
                axis=1,
            )
            removed = np.full(len(row), template.kind, dtype=np.uint8)
            first = nodes[row, factor][:, None]
            second = np.broadcast_to(cut, first.shape)
            width = int(starts[-1])
            leaders = identified(first, second, packing.rank, width)
            free = free_nodes(packing, leaders, nodes_used(rest, width), first, removed)
            rest = led(leaders, rest)
            weights = coefficients[row] * (
                multiplicities[row, factor].astype(object) * template.weight
            )
            yield free + np.array(template.free), packing.pack(rest, rest_kinds, starts), weights

    def add(self, states: Iterable[State]) -> State:
        """The sum of some states."""
        found = Collector()
        for state in states:
            for (_, free), (codes, coefficients) in state.items():
                found.append(free, codes, coefficients)
        return found.state()

    # -- contraction ---------------------------------------------------------------------------

    @property
    def contractions(self) -> int:
        """Number of distinct diagrams contracted."""
        return len(self._table)

    def expectation(self, state: State) -> Moments:
        """The Gaussian expectation of a state."""
        combinations: list[Combination] = []
        scales: list[dict[str, int]] = []
        for (size, free), (codes, coefficients) in state.items():
            pinned = 1
            for axis, count in zip(self._packing.axes, free, strict=True):
                pinned *= (axis.pinned or 1) ** count
            for powers, pairings, chosen in self._variances(codes):
                numbers = self._table.add(codes[chosen])
                weights = (coefficients[chosen] * pinned).tolist()
                combinations.append(Combination(size, numbers, weights, pairings))
                for axis, count in zip(self._packing.axes, free, strict=True):
                    if axis.pinned is None:
                        powers[axis.name] = powers.get(axis.name, 0) + count
                scales.append(powers)
        if not combinations:
            return {}
        result: defaultdict[tuple[tuple[str, int], ...], int] = defaultdict(int)
        for powers, values in zip(scales, self._table.evaluate(combinations), strict=True):
            for exponents, coefficient in values.items():
                total = dict(powers)
                for axis, power in zip(self._packing.axes, exponents, strict=True):
                    total[axis.name] = total.get(axis.name, 0) + power
                result[monomial(total)] += coefficient
        return {key: Fraction(result[key]) for key in sorted(result) if result[key]}

    def _variances(self, codes: Codes) -> Iterator[tuple[dict[str, int], int, NDArray[np.intp]]]:
        """The diagrams whose expectation does not vanish, by the numbers of their tensors.

        Yields the powers of the variances, the number of pairings and the rows. Numbers of tensors
        of one class are compared in order of size: the class is symmetric.
        """
        packing = self._packing
        local, kinds = packing.unpack(codes)
        labels = packing.tensor_labels(local, kinds)
        counts = np.concatenate(
            [
                np.sort(
                    np.stack(
                        [(labels == packing.tensor_label(t)).sum(axis=1) for t in members], axis=1
                    ),
                    axis=1,
                )
                for members in packing.classes
            ]
            or [np.zeros((len(codes), 0), dtype=np.intp)],
            axis=1,
        )
        symbols = [tensor.variance for members in packing.classes for tensor in members]
        for row in np.unique(counts[(counts % 2 == 0).all(axis=1)], axis=0):
            powers: dict[str, int] = {}
            pairings = 1
            for symbol, count in zip(symbols, row.tolist(), strict=True):
                powers[symbol] = powers.get(symbol, 0) + count // 2
                pairings *= double_factorial(count - 1)
            yield powers, pairings, np.flatnonzero((counts == row).all(axis=1))
