"""Expectations of many diagrams: a table of contractions, evaluated level by level.

Integration by parts on one factor (see `diagrams.wick`) turns a diagram with 2l random factors
into diagrams with 2l - 2 of them. The table keeps, for every distinct diagram met so far, its
children with their multiplicities and the free nodes they set loose; it grows when new diagrams
arrive and is never recomputed. Of all factors the one with the fewest partners is integrated: for
a model with several weight tensors this finishes one tensor after the other and keeps the number
of distinct diagrams several times smaller than any other rule tried (see benchmarks/README.md);
ties go to the node of smallest degree, then to the factor with most parallel copies.

Expectations are polynomials with integer coefficients. For Gaussian tensors they are not negative
and their sum is at most the number of pairings, a product of double factorials; for others
`diagrams.engine.arrays.block_counting` has a bound. They are added up as
`diagrams.engine.arrays.kronecker`.

Source: ours.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from operator import add

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.carried import Carried, Ways, carried
from diagrams.engine.arrays.codes import Weights
from diagrams.engine.arrays.integration_by_parts import (
    Contractions,
    integrate,
    without_random_factors,
)
from diagrams.engine.arrays.kronecker import KroneckerLayout, SparseLayout
from diagrams.engine.arrays.packing import Codes, Packing, batches
from diagrams.engine.arrays.row_numbers import RowNumbers, row_numbers
from diagrams.engine.blocks import Tick
from diagrams.errors import CapacityError

__all__ = ["Combination", "ContractionTable", "SizePolynomial"]

_ROWS = 8192
"""Diagrams with n factors are integrated _ROWS / n at a time: enough to share the cost of a step,
few enough for caches. It does not depend on how steps are carried out, so that what one run has
kept serves every other."""

_PIECES = 12
"""Pieces that are passed on for each step of expansion: as many as the sums that are taken at once,
and more, so that nothing is left to do when the last step is expanded."""

_END = object()

_CarriedByLevel = defaultdict[int, dict[int, Carried]]
"""By the number of factors of a level, and the number of a sum."""

SizePolynomial = dict[tuple[int, ...], Fraction]
"""Coefficients by exponents of the true axes."""

SumIndices = Callable[[Codes], tuple[tuple[int, ...], SizePolynomial]]
"""For a row of deterministic factors the numbers of free indices on every axis, and the sum over
the indices that carry powers, of which a monomial of coefficient one is nothing to keep."""

Integrated = Callable[[Iterator[Codes]], Generator[list[Contractions]]]
"""Contractions of groups of rows, in their order."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of expectations of diagrams with one number of factors.

    ``numbers`` are those that `ContractionTable.add` returns; ``pairings`` is at least the number
    of pairings of each of the diagrams; ``free`` are exponents of the axes that all are multiplied
    with, for axes that are not pinned.
    """

    size: int
    numbers: NDArray[np.int32]
    coefficients: Weights
    pairings: int
    free: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Children:
    """The children with ``size`` factors of some consecutive diagrams of one level.

    ``parent``, sorted, counts from the first diagram; ``free`` numbers a row of ``free_nodes``, the
    free nodes on every axis.
    """

    size: int
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    multiplicity: NDArray[np.int64] | NDArray[np.object_]
    free: NDArray[np.int32]
    free_nodes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The children of some consecutive diagrams, by their number of factors.

    ``counted`` marks those that count: diagrams with an open block are met on the way to others.
    None if there is no such. ``sums`` are the polynomials of diagrams that have no children, by
    position.
    """

    parents: int
    parts: tuple[_Children, ...]
    counted: NDArray[np.bool_] | None = None
    sums: tuple[tuple[int, SizePolynomial], ...] = ()

    @property
    def count(self) -> int:
        """How many count."""
        return self.parents if self.counted is None else int(np.count_nonzero(self.counted))


@dataclass(slots=True)
class _Level:
    """The diagrams with one number of factors: their numbers by packed row, and their children."""

    number: RowNumbers
    expansions: list[_Expansion] = field(default_factory=list)

    @property
    def expanded(self) -> int:
        return sum(part.parents for part in self.expansions)


class ContractionTable:
    """Distinct diagrams and how they contract.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.
    tick : callable
        Called with the number of diagrams expanded; may raise. The table stays consistent: what
        was expanded is kept and the rest is done when it is asked for again.
    sum_indices : callable, optional
        For diagrams of deterministic factors only, the sums over their indices.
    integrated : callable, optional
        Maps an iterator of packed rows to an iterator of their contractions, in the same order;
        without it they are integrated here.
    """

    def __init__(
        self,
        packing: Packing,
        tick: Tick,
        sum_indices: SumIndices | None = None,
        integrated: Integrated | None = None,
    ) -> None:
        self._packing = packing
        self._sum_indices: SumIndices = sum_indices or _no_rule
        self._integrated: Integrated = integrated or (
            lambda parts: (integrate(packing, codes) for codes in parts)
        )
        self._tick = tick
        self._levels: dict[int, _Level] = {}
        self._level(0).number.enter(np.zeros((1, 0), dtype=packing.dtype))
        self._extents = [0] * (packing.sizes + len(packing.counters))
        self._has_pins = any(axis.pinned is not None for axis in packing.axes)

    def __len__(self) -> int:
        return sum(len(level.number) for level in self._levels.values())

    def add(self, codes: Codes) -> NDArray[np.int32]:
        """Numbers of the given diagrams within their level, new ones entered."""
        nodes, kinds = self._packing.unpack(codes)
        extents = self._packing.extents(nodes, kinds)
        # No cumulant has a counter to a higher power than the size of its block.
        extents += [codes.shape[1]] * len(self._packing.counters)
        self._extents = [max(a, b) for a, b in zip(self._extents, extents, strict=True)]
        return self._enter(codes)

    def _enter(self, codes: Codes) -> NDArray[np.int32]:
        return self._level(codes.shape[1]).number.enter(codes)

    def _level(self, size: int) -> _Level:
        level = self._levels.get(size)
        if level is None:
            level = self._levels[size] = _Level(row_numbers(self._packing, size))
        return level

    def _expanded(self, size: int) -> Iterator[None]:
        """Expand the diagrams with one number of factors; yields after every step."""
        level = self._level(size)
        waiting = level.number.rows(level.expanded, len(level.number))
        parts = [waiting[part] for part in batches(waiting, _ROWS // size + 1)]
        deterministic = [self._deterministic(codes) for codes in parts]
        random = (codes[~rows] for codes, rows in zip(parts, deterministic, strict=True))
        with closing(self._integrated(random)) as results:
            for codes, rows, contractions in zip(parts, deterministic, results, strict=True):
                expansion = self._expansion(codes, rows, contractions)
                # One append makes the step visible: an interrupt leaves it done or not begun.
                level.expansions.append(expansion)
                self._tick(expansion.count)
                yield

    def _deterministic(self, codes: Codes) -> NDArray[np.bool_]:
        """Which rows have no random factors: they are not integrated but finished."""
        if not self._packing.has_deterministic:
            return np.zeros(len(codes), dtype=bool)
        _, kinds = self._packing.unpack(codes)
        deterministic: NDArray[np.bool_] = np.all(self._packing.is_deterministic[kinds], axis=1)
        return deterministic

    def _expansion(
        self, codes: Codes, deterministic: NDArray[np.bool_], contractions: Iterable[Contractions]
    ) -> _Expansion:
        """Enter the children of some rows; ``contractions`` are those of the random rows."""
        others = np.flatnonzero(~deterministic)
        parts = [self._children(part, others) for part in contractions]
        sums: list[tuple[int, SizePolynomial]] = []
        counts: list[tuple[int, ...]] = []
        rows: list[int] = []
        for row in np.flatnonzero(deterministic).tolist():
            free, polynomial = self._sum_indices(codes[row])
            if polynomial == {(0,) * self._packing.sizes: 1}:
                counts.append(free)
                rows.append(row)
            else:
                sums.append((row, self._times_free(polynomial, free)))
        if rows:
            table = np.array(counts, dtype=np.intp)
            if self._packing.countings:  # there is no block
                table = np.concatenate([table, np.zeros((len(table), 1), dtype=np.intp)], axis=1)
            parents = np.array(rows, dtype=np.intp)
            parts.append(self._children(without_random_factors(table, codes.dtype), parents))
        if not self._packing.countings:
            return _Expansion(len(codes), tuple(parts), sums=tuple(sums))
        labels = self._packing.tensor_labels(*self._packing.unpack(codes))
        closed: NDArray[np.bool_] = np.logical_not(self._packing.opened(labels).any(axis=1))
        return _Expansion(len(codes), tuple(parts), closed, tuple(sums))

    def _times_free(self, polynomial: SizePolynomial, free: Sequence[int]) -> SizePolynomial:
        """A polynomial times the sizes of free indices."""
        scale = self._pinned(free)
        axes = self._packing.axes
        more = [count if axis.pinned is None else 0 for axis, count in zip(axes, free, strict=True)]
        return {tuple(map(add, powers, more)): c * scale for powers, c in polynomial.items()}

    def _children(self, results: Contractions, parents: NDArray[np.intp]) -> _Children:
        number = self._enter(results.codes)
        free_nodes = tuple([tuple(exponents) for exponents in results.free_nodes.tolist()])
        multiplicity: NDArray[np.int64] | NDArray[np.object_] = results.multiplicity
        if self._packing.countings:
            return self._children_of_blocks(results, number, parents)
        if self._has_pins:
            scales = np.array([self._pinned(exponents) for exponents in free_nodes], dtype=object)
            multiplicity = multiplicity.astype(object) * scales[results.free]
        return _Children(
            results.codes.shape[1],
            parents[results.parent].astype(np.int32),
            number[results.child],
            multiplicity,
            results.free,
            free_nodes,
        )

    def _children_of_blocks(
        self, results: Contractions, number: NDArray[np.int32], parents: NDArray[np.intp]
    ) -> _Children:
        """The same where the free nodes end with the number of the block that was integrated."""
        found: dict[tuple[int, ...], int] = {}
        terms: list[list[tuple[int, int]]] = []
        for *exponents, block in results.free_nodes.tolist():
            scale = self._pinned(exponents)
            terms.append(
                [
                    (scale * c, found.setdefault((*exponents, *powers), len(found)))
                    for c, powers in self._packing.block_terms(block)
                ]
            )
        counts = np.array([len(own) for own in terms], dtype=np.intp)[results.free]
        way = np.repeat(np.arange(len(results.free)), counts)
        pairs = [pair for row in results.free.tolist() for pair in terms[row]]
        factors = np.array([c for c, _ in pairs], dtype=object)
        return _Children(
            results.codes.shape[1],
            parents[results.parent[way]].astype(np.int32),
            number[results.child[way]],
            results.multiplicity[way].astype(object) * factors,
            np.array([place for _, place in pairs], dtype=np.int32),
            tuple(found),
        )

    def _pinned(self, exponents: Sequence[int]) -> int:
        """The number that free nodes on pinned axes contribute."""
        result = 1
        for axis, exponent in zip(self._packing.axes, exponents, strict=True):
            result *= (axis.pinned or 1) ** exponent
        return result

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(
        self, sums: Sequence[Sequence[Combination]]
    ) -> list[dict[tuple[int, ...], int | Fraction]]:
        """For each sum of combinations the coefficients by exponents of the axes and counters.

        The coefficients are pushed down level by level, from diagrams to their children, and what
        arrives at the empty diagram is the sum. Large diagrams are many, but their polynomials are
        short: the other way round, from the empty diagram up, costs twice as much. What one level
        carries is passed on while the next is expanded, which other processes may do. Where powers
        of indices are summed, what arrives is multiplied by the polynomial of the sum.
        """
        fields = self._fields(sums)
        counters = (0,) * len(self._packing.counters)
        levels: _CarriedByLevel = defaultdict(dict)
        for index, combinations in enumerate(sums):
            for combination in combinations:
                shift = fields.shift((*combination.free, *counters))
                weights = self._weights(levels, combination.size, index, fields)
                weights.add(combination.numbers, fields.placed(combination.coefficients, shift))
        result: list[dict[tuple[int, ...], int | Fraction]] = [{} for _ in sums]
        passing = _InTurn()
        for size in range(max(self._levels), 0, -1):
            for _ in self._expanded(size):
                passing.advance(_PIECES)
            passing.append(self._passed(size, levels, fields, result))
        passing.finish()
        for index, arrived in levels[0].items():
            _add(result[index], fields.unpack(arrived.value(0)))
        return result

    def reach(self, starts: Iterable[tuple[int, NDArray[np.int32]]]) -> int:
        """How many distinct diagrams the expectations of some expanded ones rest on, with them.

        A function of the diagrams alone: what else the table holds, and in which order it came,
        does not matter.

        Parameters
        ----------
        starts : iterable of (int, array)
            Numbers of factors, and numbers that `add` returned.
        """
        marks = {size: np.zeros(len(level.number), bool) for size, level in self._levels.items()}
        for size, numbers in starts:
            marks[size][numbers] = True
        total = 0
        for size in range(max(self._levels), 0, -1):
            level = self._levels.get(size)
            base = 0
            for expansion in level.expansions if level is not None else ():
                here = marks[size][base : base + expansion.parents]
                for part in expansion.parts if here.any() else ():
                    marks[part.size][part.child[here[part.parent]]] = True
                counted = here if expansion.counted is None else here & expansion.counted
                total += int(np.count_nonzero(counted))
                base += expansion.parents
        return total + int(np.count_nonzero(marks[0]))

    def _fields(self, sums: Sequence[Sequence[Combination]]) -> KroneckerLayout | SparseLayout:
        """The layout that holds these sums and all that is met on the way.

        What a diagram carries counts some of the pairings of the diagrams above it, so the bound
        for the whole bounds it; nodes become fewer.
        """
        bound = max(
            sum(c.pairings * sum(map(abs, c.coefficients)) for c in total) for total in sums
        )
        extents = []
        sizes = self._extents[: self._packing.sizes]
        for number, (axis, count) in enumerate(zip(self._packing.axes, sizes, strict=True)):
            free = max((c.free[number] for total in sums for c in total), default=0)
            bound *= (axis.pinned or 1) ** count
            extents.append(count + free + 1 if axis.pinned is None else 1)
        extents += [count + 1 for count in self._extents[self._packing.sizes :]]
        if SparseLayout.is_shorter(extents):
            return SparseLayout(tuple(extents))
        return KroneckerLayout.fitting(bound, extents)

    def _weights(
        self,
        levels: _CarriedByLevel,
        size: int,
        index: int,
        fields: KroneckerLayout | SparseLayout,
    ) -> Carried:
        """What the diagrams of one level carry for one of the sums, with room for all."""
        needed = len(self._levels[size].number)
        found = levels[size].get(index)
        if found is None:
            # Scales of pins and numbers of blocks may be larger than 64-bit integers are.
            compiled = self._packing.compiled is not None and not self._has_pins
            found = levels[size][index] = carried(
                needed, is_compiled=compiled, is_sparse=isinstance(fields, SparseLayout)
            )
        found.reserve(needed)
        return found

    def _passed(
        self,
        size: int,
        levels: _CarriedByLevel,
        fields: KroneckerLayout | SparseLayout,
        result: Sequence[dict[tuple[int, ...], int | Fraction]],
    ) -> Iterator[None]:
        """Pass on what the diagrams of one level carry to their children; yields now and then.

        What those without children carry is added to the results.
        """
        # Nothing arrives here any more: the levels above have their turn first.
        for index in list(levels[size]):
            weights = self._weights(levels, size, index, fields)
            first = 0
            for expansion in self._levels[size].expansions:
                last = first + expansion.parents
                # A table that serves many small sums is mostly silent in each of them.
                parts = () if weights.is_silent(first, last) else expansion.parts
                for part in parts:
                    ways = Ways(
                        part.parent,
                        part.child,
                        part.multiplicity,
                        part.free,
                        [fields.shift(exponents) for exponents in part.free_nodes],
                    )
                    target = self._weights(levels, part.size, index, fields)
                    weights.pass_on(first, last, ways, target)
                for row, polynomial in expansion.sums:
                    here = weights.value(first + row)
                    if here:
                        _add(result[index], _product(fields.unpack(here), polynomial))
                first = last
                self._tick(0)
                yield
            del levels[size][index]


class _InTurn:
    """Pieces of work of several iterators, one iterator after the other."""

    def __init__(self) -> None:
        self._iterators: deque[Iterator[None]] = deque()

    def append(self, iterator: Iterator[None]) -> None:
        """What comes after everything that waits."""
        self._iterators.append(iterator)

    def advance(self, pieces: int) -> None:
        """Do the next pieces."""
        for _ in range(pieces):
            while self._iterators and next(self._iterators[0], _END) is _END:
                self._iterators.popleft()

    def finish(self) -> None:
        """Do everything that waits."""
        for iterator in self._iterators:
            for _ in iterator:
                pass
        self._iterators.clear()


def _add(
    total: dict[tuple[int, ...], int | Fraction],
    more: Mapping[tuple[int, ...], int | Fraction],
) -> None:
    """Add coefficients to others, by exponents."""
    for powers, c in more.items():
        total[powers] = total.get(powers, 0) + c


def _product(
    values: Mapping[tuple[int, ...], int], polynomial: SizePolynomial
) -> dict[tuple[int, ...], int | Fraction]:
    """A polynomial in axes and counters times one in the axes."""
    total: dict[tuple[int, ...], int | Fraction] = {}
    for powers, c in values.items():
        for more, factor in polynomial.items():
            raised = (*map(add, powers, more), *powers[len(more) :])
            total[raised] = total.get(raised, 0) + c * factor
    return total


def _no_rule(row: Codes) -> tuple[tuple[int, ...], SizePolynomial]:
    raise CapacityError(
        "contraction: deterministic factors need a rule to sum over their indices; give one"
    )
