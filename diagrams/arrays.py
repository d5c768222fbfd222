"""Sums of diagrams as arrays of packed factors.

The general representation: tensors with up to six slots, any axes, millions of diagrams. A state
groups its diagrams by their number of factors and of free nodes; each group is an array of sorted
codes (`diagrams.packing`), without repetitions, and a list of integer coefficients. Merging and
contracting act on whole groups; equal results are found by the labelling of `diagrams.labelling`.

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diagrams.array_steps import Integration, Merging, Source
from diagrams.canonical import Factor
from diagrams.contraction import Combination, ContractionTable
from diagrams.counting import double_factorial
from diagrams.diagram import Diagram
from diagrams.fixed_factors import PinPairs, without_second_pins
from diagrams.identification import free_nodes, identified, led, nodes_used
from diagrams.integration import Contractions, integrate
from diagrams.labelling import Nodes
from diagrams.packing import (
    MAXIMAL_RANK,
    Codes,
    Kinds,
    Packing,
    batches,
    distinct_rows,
    factor_multiplicities,
)
from diagrams.representation import Blocks, Representation, Tick
from diagrams.states import Collector, State
from diagrams.structure import divisors, solutions
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Moments, Monomial, monomial
from diagrams.work import HERE, Work

__all__ = ["ArrayRepresentation"]

Weights = NDArray[np.object_]

_Way = tuple[Factor, int, tuple[int, ...]]
"""A factor to be cut, how many are like it, and an order of its slots."""

_PORTION = 128
"""Diagrams that are merged in one step: a fraction of a second, and many to share its cost."""

_KEPT_BYTES = 16 * 2**20
"""More than the arrays of a step take."""

_ROWS = 2048
"""Products that are packed together: they fit the cache."""


@dataclass(frozen=True, slots=True)
class _Templates:
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


class ArrayRepresentation(Representation[State]):
    """States are groups of packed rows with coefficients."""

    @staticmethod
    def suits(diagram: Diagram) -> bool:
        """Whether its tensors have few enough slots for a packed factor."""
        return all(tensor.rank <= MAXIMAL_RANK for tensor in diagram.tensors)

    def __init__(self, blocks: Blocks, tick: Tick | None = None, work: Work = HERE) -> None:
        super().__init__(blocks, tick, work)
        _keep_freed_memory()
        self._packing = Packing(blocks)
        self._divisors: defaultdict[str, set[int]] = defaultdict(set)
        self._table = self._empty_table()
        self._templates = [
            [self._cut(diagram, weight, factors) for factors in _rounds(cuts)]
            for (diagram, weight), cuts in zip(blocks.potential, blocks.cuts, strict=True)
        ]

    def _empty_table(self) -> ContractionTable:
        return ContractionTable(
            self._packing,
            self.tick,
            self._finished,
            lambda parts: self.work.results(
                self, (Integration(codes) for codes in parts), self.tick
            ),
        )

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

    def _cut(self, diagram: Diagram, weight: int, ways: Sequence[_Way]) -> _Templates:
        packing = self._packing
        nodes, kinds, free = self._numbered(diagram)
        factors = [factor for factor, _, _ in ways]
        cuts = [diagram.factors.index(factor) for factor in factors]
        cut = nodes[cuts]
        for row, (_, _, order) in enumerate(ways):
            cut[row, : len(order)] = cut[row, list(order)]
        rest = np.array([[i for i in range(len(kinds)) if i != cut] for cut in cuts], dtype=np.intp)
        labels = [packing.tensor_label(tensor) for tensor, _ in factors]
        number = np.full(packing.label_bound, -1, dtype=np.intp)
        number[labels] = np.arange(len(labels))
        return _Templates(
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

    def derivative(self, sources: Iterable[tuple[State, Sequence[int]]]) -> State:
        """Merge each state with blocks of the potential; the sum."""
        portions = list(_portions(sources))
        found = Collector()
        with closing(self.work.results(self, map(Merging, portions), self.tick)) as results:
            for state in results:
                found.append_state(state)
                self.tick(0)
        # What comes from one step is added up already.
        result = state if len(portions) == 1 else found.state()
        self.tick(self.count(result))
        return result

    def merged(self, sources: Sequence[Source]) -> State:
        """The step `Merging`."""
        starts, shift = self._room([codes for _, codes, _, _ in sources])
        found = Collector()
        mergers = _Mergers(self._packing, starts, found)
        for free, codes, coefficients, blocks in sources:
            for block in blocks:
                for cuts in self._templates[block]:
                    for merged in self._merge(codes, coefficients, cuts, shift, starts):
                        mergers.take(free, *merged)
        mergers.finish()
        return found.state()

    def integrated(self, codes: Codes) -> list[Contractions]:
        """The step `Integration`."""
        return integrate(self._packing, codes)

    def _room(self, rows: Sequence[Codes]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Numbers for the nodes of some diagrams and of a template behind them.

        The first number of each axis, and the first number that templates use on it.
        """
        packing = self._packing
        extents = [0] * packing.sizes
        for codes in rows:
            here = packing.extents(*packing.unpack(codes))
            extents = [max(a, b) for a, b in zip(extents, here, strict=True)]
        nodes = [
            max((t.nodes[axis] for block in self._templates for t in block), default=0)
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
        templates: _Templates,
        shift: NDArray[np.intp],
        starts: NDArray[np.intp],
    ) -> Iterator[tuple[NDArray[np.intp], Nodes, Kinds, Weights]]:
        """All mergers of some diagrams with templates: free nodes, factors and weights."""
        packing = self._packing
        local, kinds = packing.unpack(codes)
        multiplicities = factor_multiplicities(codes)
        ways = templates.number[packing.tensor_labels(local, kinds)]
        row, factor = np.nonzero((ways >= 0) & (multiplicities > 0))
        way = ways[row, factor]
        nodes = local + packing.offsets(kinds, starts)
        kept = np.arange(codes.shape[1] - 1) + np.zeros_like(factor[:, None])
        kept += kept >= factor[:, None]
        added = templates.rest + packing.offsets(templates.rest_kinds, shift)
        cut = templates.cut + shift[packing.slot_axes[templates.kind]]
        rest = np.concatenate([nodes[row[:, None], kept], added[way]], axis=1)
        rest_kinds = np.concatenate([kinds[row[:, None], kept], templates.rest_kinds[way]], axis=1)
        first, second = nodes[row, factor][:, None], cut[way][:, None]
        pins = PinPairs(packing, rest, rest_kinds) if packing.pins else None
        if pins:
            first = np.concatenate([first, pins.first], axis=1)
            second = np.concatenate([second, pins.second], axis=1)
        width = int(starts[-1])
        leaders = identified(first, second, packing.rank, width)
        free = free_nodes(packing, leaders, nodes_used(rest, width), first, starts)
        free += np.array(templates.free, dtype=np.intp)
        count = multiplicities[row, factor].astype(object)
        weights = coefficients[row] * count * templates.weight[way]
        rest = led(leaders, rest)
        if pins is None:
            yield free, rest, rest_kinds, weights
            return
        for rows, kept_nodes, kept_kinds in without_second_pins(pins, rest, rest_kinds):
            yield free[rows], kept_nodes, kept_kinds, weights[rows]

    # -- contraction ---------------------------------------------------------------------------

    def _finished(self, row: Codes) -> tuple[int, ...]:
        """The numbers of free indices, by axis, of a diagram of fixed factors."""
        diagram = self._diagram(row, (0,) * self._packing.sizes)
        for name, values in divisors(diagram).items():
            self._divisors[name] |= {*values}
        free = Counter(solutions(diagram))
        return tuple(free[axis] for axis in self._packing.axes)

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By axis, the elementary divisors above 1 of all sums met so far."""
        return {name: tuple(sorted(self._divisors[name])) for name in sorted(self._divisors)}

    @property
    def contractions(self) -> int:
        """Number of distinct diagrams contracted."""
        return len(self._table)

    def expectation(self, state: State) -> Moments:
        """The Gaussian expectation of a state."""
        sums: defaultdict[Monomial, list[Combination]] = defaultdict(list)
        for (size, free), (codes, coefficients) in state.items():
            pinned = 1
            for axis, count in zip(self._packing.axes, free, strict=True):
                pinned *= (axis.pinned or 1) ** count
            for part in batches(codes, _ROWS):
                rows, counts = codes[part], coefficients[part]
                for variances, pairings, chosen in self._variances(rows):
                    numbers = self._table.add(rows[chosen])
                    weights = counts[chosen] * pinned
                    sums[variances].append(Combination(size, numbers, weights, pairings, free))
                self.tick(0)
        if not sums:
            return {}
        result: defaultdict[Monomial, int] = defaultdict(int)
        for variances, values in zip(sums, self._table.evaluate([*sums.values()]), strict=True):
            for exponents, coefficient in values.items():
                total = dict(variances)
                for axis, power in zip(self._packing.axes, exponents, strict=True):
                    total[axis.name] = total.get(axis.name, 0) + power
                result[monomial(total)] += coefficient
        return {key: Fraction(result[key]) for key in sorted(result) if result[key]}

    def reach(self, state: State) -> int:
        """How many distinct diagrams the expectation of a state rests on; taken after it."""
        return self._table.reach(
            (size, self._table.add(rows[chosen]))
            for (size, _), (codes, _) in state.items()
            for rows in (codes[part] for part in batches(codes, _ROWS))
            for _, _, chosen in self._variances(rows)
        )

    def forget(self) -> None:
        """Drop the table of expectations: what is asked for again is computed again."""
        self._table = self._empty_table()

    def _variances(self, codes: Codes) -> Iterator[tuple[Monomial, int, NDArray[np.intp]]]:
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
                for members in self.blocks.symmetric
            ]
            or [np.zeros((len(codes), 0), dtype=np.intp)],
            axis=1,
        )
        tensors = [tensor for members in self.blocks.symmetric for tensor in members]
        symbols = [tensor.variance for tensor in tensors]
        ways = [len(tensor.orders) for tensor in tensors]
        distinct, number = distinct_rows(counts)
        for index, row in enumerate(distinct):
            if any(count % 2 for count in row):
                continue
            powers: dict[str, int] = {}
            pairings = 1
            for symbol, orders, count in zip(symbols, ways, row, strict=True):
                powers[symbol] = powers.get(symbol, 0) + count // 2
                pairings *= double_factorial(count - 1) * orders ** (count // 2)
            yield monomial(powers), pairings, (number == index).nonzero()[0]


def _keep_freed_memory() -> None:
    """Let one step have the memory that the step before has freed.

    The C library of Linux returns what is freed to the system, but for about twice the size of the
    largest block that was freed so far. The arrays of steps are small: each step would begin by
    getting all its memory again, page by page, a sixth of its time. A large block that is freed
    and was never touched teaches it better; to other systems it means nothing.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def _portions(sources: Iterable[tuple[State, Sequence[int]]]) -> Iterator[tuple[Source, ...]]:
    """The rows of some states in portions of at most `_PORTION`, each with its blocks."""
    portion: list[Source] = []
    room = _PORTION
    for state, blocks in sources:
        for (size, free), (codes, coefficients) in state.items():
            first = 0
            while size and first < len(codes):
                part = slice(first, first + room)
                portion.append((free, codes[part], coefficients[part], tuple(blocks)))
                room -= len(codes[part])
                first = part.stop
                if not room:
                    yield tuple(portion)
                    portion, room = [], _PORTION
    if portion:
        yield tuple(portion)


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

    def __init__(self, packing: Packing, starts: NDArray[np.intp], found: Collector) -> None:
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
