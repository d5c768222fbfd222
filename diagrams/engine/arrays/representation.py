"""Sums of diagrams as arrays of packed factors.

The general representation: tensors with up to six slots, any axes, millions of diagrams. An encoded
sum groups its diagrams by their number of factors and of free nodes; each group is an array of
sorted codes (`diagrams.engine.arrays.packing`), without repetitions, and a list of integer
coefficients. Merging and contracting act on whole groups; equal results are found by the labelling
of `diagrams.engine.arrays.labelling`.

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diagrams import index_powers
from diagrams.diagram import Diagram
from diagrams.engine.arrays.block_counting import SCALE
from diagrams.engine.arrays.contraction_table import Combination, ContractionTable, SizePolynomial
from diagrams.engine.arrays.merging import ArrayMerger, Source
from diagrams.engine.arrays.packed_sums import PackedSum, SumBuilder
from diagrams.engine.arrays.packing import (
    MAXIMAL_RANK,
    Codes,
    batches,
    distinct_rows,
)
from diagrams.engine.arrays.second_derivatives import second_derivatives
from diagrams.engine.arrays.steps import Integration, Merging
from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.engine.representation import NoisePart, Representation
from diagrams.engine.steps import IN_PROCESS, StepRunner
from diagrams.factorials import double_factorial
from diagrams.index_partitions import STEPS_OF_ONE, IndexPartitions
from diagrams.residue_sums import divisors, power_sums, solutions
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Tensor
from diagrams.wick import Expectation, Monomial, monomial

__all__ = ["ArrayRepresentation"]

_PORTION = 128
"""Diagrams that are merged in one step: a fraction of a second, and many to share its cost."""

_KEPT_BYTES = 16 * 2**20
"""More than the arrays of a step take."""

_COUNT = "#"
"""Begins the name of a number of factors, by the class of their tensor."""

_MANY_IN_BLOCKS = 10
"""With fewer factors in blocks the table of contractions is as fast, and serves other diagrams."""

_ROWS = 2048
"""Products that are packed together: they fit the cache."""


class ArrayRepresentation(Representation[PackedSum]):
    """Sums are encoded as groups of packed rows with coefficients."""

    @staticmethod
    def suits(diagram: Diagram) -> bool:
        """Whether its tensors have few enough slots for a packed factor."""
        return all(tensor.rank <= MAXIMAL_RANK for tensor in diagram.tensors)

    def __init__(
        self, blocks: FlowDiagrams, tick: Tick | None = None, work: StepRunner = IN_PROCESS
    ) -> None:
        super().__init__(blocks, tick, work)
        _keep_freed_memory()
        self._merger = ArrayMerger(blocks)
        self._packing = self._merger.packing
        self._divisors: defaultdict[str, set[int]] = defaultdict(set)
        self._table = self._empty_table()
        self._partitions = IndexPartitions()
        self._by_partitions: dict[bytes, tuple[Expectation, int]] = {}

    def _empty_table(self) -> ContractionTable:
        return ContractionTable(
            self._packing,
            self.tick,
            self._summed,
            lambda parts: self.work.results(
                self._merger, (Integration(codes) for codes in parts), self.tick
            ),
        )

    # -- translation ---------------------------------------------------------------------------

    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> PackedSum:
        """The encoded form of a linear combination."""
        found = SumBuilder()
        for diagram, coefficient in terms:
            local, kinds, free = self._merger.numbered(diagram)
            starts = self._packing.starts(len(diagram.nodes) for _ in self._packing.axes)
            nodes = local + self._packing.offsets(kinds, starts)
            codes = self._packing.pack(nodes[None], kinds[None], starts)
            found.append(free, codes, np.array([coefficient], dtype=object))
        return found.build()

    def decode(self, encoded: PackedSum) -> DiagramSum:
        """The linear combination of an encoded sum."""
        return collect(
            (self._merger.diagram(row, free), Fraction(coefficient))
            for (_, free), (codes, coefficients) in encoded.items()
            for row, coefficient in zip(codes, coefficients, strict=True)
        )

    def count(self, encoded: PackedSum) -> int:
        """Number of distinct diagrams."""
        return sum(len(codes) for codes, _ in encoded.values())

    def without(self, encoded: PackedSum, kind: Callable[[Tensor], bool]) -> PackedSum:
        """The diagrams that have no tensor of a kind."""
        packing = self._packing
        labels = [packing.tensor_label(tensor) for tensor in self.blocks.tensors if kind(tensor)]
        result: PackedSum = {}
        for group, (codes, coefficients) in encoded.items():
            found = packing.tensor_labels(*packing.unpack(codes))
            kept = ~np.isin(found, labels).any(axis=1)
            if kept.any():
                result[group] = codes[kept], coefficients[kept]
        return result

    # -- merging -------------------------------------------------------------------------------

    def derivative(self, sources: Iterable[tuple[PackedSum, Sequence[int]]]) -> PackedSum:
        """Merge each encoded sum with blocks of the potential; the sum."""
        portions = list(_portions(sources))
        found = SumBuilder()
        with closing(self.work.results(self._merger, map(Merging, portions), self.tick)) as results:
            for encoded in results:
                found.append_sum(encoded)
                self.tick(0)
        # What comes from one step is added up already.
        result = encoded if len(portions) == 1 else found.build()
        self.tick(self.count(result))
        return result

    def noise(self, encoded: PackedSum, parts: Sequence[NoisePart]) -> PackedSum:
        """The sum of second derivatives by the entries of some tensors."""
        found = SumBuilder()
        for tensor, number, symbols in parts:
            label = self._packing.tensor_label(tensor)
            weight = number // len(tensor.orders)
            more = np.array([symbols.count(axis) for axis in self._packing.axes], dtype=np.intp)
            for (_, free), (codes, coefficients) in encoded.items():
                before = more + np.array(free, dtype=np.intp)
                for rows, source, loose, counts in second_derivatives(self._packing, codes, label):
                    weights = coefficients[source] * counts.astype(object) * weight
                    found.append_groups(before + loose, rows, weights)
                    self.tick(0)
        result = found.build()
        self.tick(self.count(result))
        return result

    def added(self, first: PackedSum, second: PackedSum) -> PackedSum:
        """The sum of two encoded sums."""
        found = SumBuilder()
        found.append_sum(first)
        found.append_sum(second)
        return found.build()

    # -- contraction ---------------------------------------------------------------------------

    def _summed(self, row: Codes) -> tuple[tuple[int, ...], SizePolynomial]:
        """The sum of a diagram of deterministic factors, see `ContractionTable`."""
        diagram = self._merger.diagram(row, (0,) * self._packing.sizes)
        for name, values in divisors(diagram).items():
            self._divisors[name] |= {*values}
        free = Counter(solutions(diagram))
        return tuple(free[axis] for axis in self._packing.axes), self._power_sums(diagram)

    def _power_sums(self, diagram: Diagram) -> SizePolynomial:
        """The product of the sums of powers of indices, a polynomial in the sizes."""
        names = [axis.name for axis in self._packing.axes]
        result: SizePolynomial = {(0,) * len(names): Fraction(1)}
        for axis, exponent in power_sums(diagram):
            if axis.pinned is not None:
                number = index_powers.value(axis.pinned, exponent)
                result = {powers: c * number for powers, c in result.items()}
                continue
            place, product = (
                names.index(axis.name),
                defaultdict[tuple[int, ...], Fraction](Fraction),
            )
            for powers, c in result.items():
                for ((_, power),), more in index_powers.power_sum(axis.name, exponent).items():
                    product[*powers[:place], powers[place] + power, *powers[place + 1 :]] += (
                        c * more
                    )
            result = dict(product)
        return result

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By axis, the elementary divisors above 1 of all sums met so far."""
        return {name: tuple(sorted(self._divisors[name])) for name in sorted(self._divisors)}

    @property
    def contractions(self) -> int:
        """Number of distinct diagrams contracted."""
        return len(self._table) + len(self._by_partitions)

    def expectation(self, encoded: PackedSum) -> Expectation:
        """The expectation of an encoded sum."""
        sums: defaultdict[Monomial, list[Combination]] = defaultdict(list)
        result: defaultdict[Monomial, Fraction] = defaultdict(Fraction)
        for (size, free), (codes, coefficients) in encoded.items():
            pinned = 1
            for axis, count in zip(self._packing.axes, free, strict=True):
                pinned *= (axis.pinned or 1) ** count
            for part in batches(codes, _ROWS):
                rows, counts = codes[part], coefficients[part]
                listed = self._listed(rows)
                for row, count in zip(rows[listed], counts[listed], strict=True):
                    self._add_listed(result, row, free, Fraction(int(count) * pinned))
                rows, counts = rows[~listed], counts[~listed]
                for variances, pairings, chosen in self._variances(rows):
                    numbers = self._table.add(rows[chosen])
                    weights = counts[chosen] * pinned
                    sums[variances].append(Combination(size, numbers, weights, pairings, free))
                self.tick(0)
        for variances, values in zip(
            sums, self._table.evaluate([*sums.values()]) if sums else (), strict=True
        ):
            for exponents, coefficient in values.items():
                total, value = self._counted(variances, exponents[self._packing.sizes :])
                for axis, power in zip(self._packing.axes, exponents, strict=False):
                    total[axis.name] = total.get(axis.name, 0) + power
                result[monomial(total)] += coefficient * value
        return {key: result[key] for key in sorted(result) if result[key]}

    def _listed(self, rows: Codes) -> NDArray[np.bool_]:
        """Which diagrams are averaged by partitions of their indices, see `IndexPartitions`.

        Those with many factors in blocks of all sizes: masks have few, and pairs are the table's.
        """
        _, kinds = self._packing.unpack(rows)
        count = np.isin(kinds, self._packing.in_many_blocks).sum(axis=1)
        listed: NDArray[np.bool_] = (count >= _MANY_IN_BLOCKS) & (4 * count >= 3 * rows.shape[1])
        for place in listed.nonzero()[0].tolist():
            row = rows[place]
            listed[place] = row.tobytes() in self._by_partitions or IndexPartitions.suits(
                self._merger.diagram(row, (0,) * self._packing.sizes)
            )
        return listed

    def _add_listed(
        self, result: defaultdict[Monomial, Fraction], row: Codes, free: Sequence[int], c: Fraction
    ) -> None:
        """Add the mean of a diagram by partitions of its indices, with free nodes, c times."""
        key = row.tobytes()
        known = self._by_partitions.get(key)
        if known is None:
            diagram = self._merger.diagram(row, (0,) * self._packing.sizes)
            mean, work = self._partitions.expectation(diagram)
            known = self._by_partitions[key] = mean, 1 + work // STEPS_OF_ONE
            self.tick(known[1])
        more = Counter(
            {
                axis.name: count
                for axis, count in zip(self._packing.axes, free, strict=True)
                if axis.pinned is None
            }
        )
        for powers, value in known[0].items():
            result[monomial(Counter(dict(powers)) + more)] += c * value

    def _counted(
        self, variances: Monomial, powers: Sequence[int]
    ) -> tuple[dict[str, int], Fraction | int]:
        """The powers of variances and cumulants, and a number, from counts of factors."""
        total: dict[str, int] = {}
        value: Fraction | int = 1
        for name, count in variances:
            if not name.startswith(_COUNT):
                total[name] = total.get(name, 0) + count
                continue
            kind = int(name.removeprefix(_COUNT))
            counting = self._packing.countings[kind]
            own = tuple(
                power
                for power, (owner, _) in zip(powers, self._packing.counters, strict=True)
                if owner == kind
            )
            for text, power in zip(counting.counters, own, strict=True):
                total[text] = total.get(text, 0) + power
            value *= Fraction(1, SCALE**count)
            if counting.base:
                power = counting.base_power(count, own)
                total[counting.base] = total.get(counting.base, 0) + power
        return total, value

    def reach(self, encoded: PackedSum) -> int:
        """How many distinct diagrams the expectation of an encoded sum rests on; taken after it."""
        work = 0
        starts: list[tuple[int, NDArray[np.int32]]] = []
        for (size, _), (codes, _) in encoded.items():
            for rows in (codes[part] for part in batches(codes, _ROWS)):
                listed = self._listed(rows)
                work += sum(self._by_partitions[row.tobytes()][1] for row in rows[listed])
                others = rows[~listed]
                starts += [
                    (size, self._table.add(others[chosen]))
                    for _, _, chosen in self._variances(others)
                ]
        return work + self._table.reach(starts)

    def forget(self) -> None:
        """Drop the table of expectations; a later request computes them again."""
        self._table = self._empty_table()
        self._by_partitions.clear()

    def _variances(self, codes: Codes) -> Iterator[tuple[Monomial, int, NDArray[np.intp]]]:
        """The diagrams whose expectation does not vanish, by the numbers of their tensors.

        Yields the powers of the variances, or for a law of its own the number of factors, a bound
        of the coefficients, and the rows. Numbers of tensors
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
        classes = [packing.place(tensor)[0] for tensor in tensors]
        symbols = [
            f"{_COUNT}{kind}" if kind in packing.countings else tensor.variance
            for tensor, kind in zip(tensors, classes, strict=True)
        ]
        even = [tensor.entries.is_even for tensor in tensors]
        ways = [len(tensor.orders) for tensor in tensors]
        distinct, number = distinct_rows(counts)
        for index, row in enumerate(distinct):
            if any(count % 2 and own for count, own in zip(row, even, strict=True)):
                continue
            powers: dict[str, int] = {}
            pairings = 1
            for symbol, kind, orders, count in zip(symbols, classes, ways, row, strict=True):
                if kind in packing.countings:
                    powers[symbol] = powers.get(symbol, 0) + count
                    pairings *= packing.countings[kind].bound(count)
                    continue
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


def _portions(sources: Iterable[tuple[PackedSum, Sequence[int]]]) -> Iterator[tuple[Source, ...]]:
    """The rows of some encoded sums in portions of at most `_PORTION`, each with its blocks."""
    portion: list[Source] = []
    room = _PORTION
    for encoded, blocks in sources:
        for (size, free), (codes, coefficients) in encoded.items():
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
