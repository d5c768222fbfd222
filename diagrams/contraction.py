"""Expectations of many diagrams: a table of contractions, evaluated level by level.

Integration by parts on one factor (see `diagrams.wick`) turns a diagram with 2l random factors
into diagrams with 2l - 2 of them. The table keeps, for every distinct diagram met so far, its
children with their multiplicities and the free nodes they set loose; it grows when new diagrams
arrive and is never recomputed. Of all factors the one with the fewest partners is integrated: for
a model with several weight tensors this finishes one tensor after the other and keeps the number
of distinct diagrams several times smaller than any other rule tried (see benchmarks/README.md);
ties go to the node of smallest degree, then to the factor with most parallel copies.

An expectation is a polynomial with non-negative integer coefficients whose sum is at most the
number of pairings, a double factorial. So it is kept as *one* integer with a field of fixed width
for each coefficient (Kronecker substitution): adding polynomials is adding integers, multiplying
by a size is a shift. The width is chosen from the bound, never guessed.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from diagrams.labelling import Nodes
from diagrams.packing import Codes, Kinds, Packing, factor_multiplicities
from diagrams.partners import choose_factor, partner_counts
from diagrams.representation import Tick

__all__ = ["Combination", "ContractionTable", "join_nodes"]

_CHILDREN = 4096
"""About as many children are made in one step: enough to share its cost, few enough for caches."""

_AT_ONCE = 6
"""A tensor with at most this many factors left is integrated in one step, by all its matchings."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of expectations of diagrams with one number of factors.

    ``numbers`` are those that `ContractionTable.add` returns; ``pairings`` is at least the number
    of pairings of each of the diagrams.
    """

    size: int
    numbers: Sequence[int]
    coefficients: Sequence[int]
    pairings: int


@dataclass(frozen=True, slots=True)
class _Children:
    """The children with ``size`` factors of some consecutive diagrams of one level.

    ``made`` is the number of children before equal ones were collected; ``parent`` counts from the
    first diagram; ``free`` numbers a row of ``free_nodes``, the free nodes on every axis.
    """

    size: int
    made: int
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    multiplicity: list[int]
    free: NDArray[np.int32]
    free_nodes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The children of some consecutive diagrams, by their number of factors."""

    parents: int
    parts: tuple[_Children, ...]

    @property
    def made(self) -> int:
        return sum(part.made for part in self.parts)


@dataclass(slots=True)
class _Level:
    """The diagrams with one number of factors: their numbers by packed row, and their children."""

    number: dict[bytes, int] = field(default_factory=dict)
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
    """

    def __init__(self, packing: Packing, tick: Tick) -> None:
        self._packing = packing
        self._tick = tick
        self._levels: dict[int, _Level] = {0: _Level({b"": 0})}
        self._extents = [0] * packing.sizes
        self._has_no_pins = all(axis.pinned is None for axis in packing.axes)

    def __len__(self) -> int:
        return sum(len(level.number) for level in self._levels.values())

    def add(self, codes: Codes) -> list[int]:
        """Numbers of the given diagrams within their level, new ones entered."""
        nodes, kinds = self._packing.unpack(codes)
        extents = self._packing.extents(nodes, kinds)
        self._extents = [max(a, b) for a, b in zip(self._extents, extents, strict=True)]
        return self._enter(codes)

    def _enter(self, codes: Codes) -> list[int]:
        level = self._levels.setdefault(codes.shape[1], _Level())
        width = codes.shape[1] * codes.dtype.itemsize
        packed = codes.tobytes()
        number = level.number
        return [
            number.setdefault(packed[width * i : width * (i + 1)], len(number))
            for i in range(len(codes))
        ]

    def complete(self) -> None:
        """Expand every diagram that was entered, down to the empty one."""
        for size in range(max(self._levels), 0, -1):
            level = self._levels.setdefault(size, _Level())
            waiting = list(islice(level.number, level.expanded, None))
            first, step = 0, _CHILDREN // size + 1
            while first < len(waiting):
                part = waiting[first : first + step]
                rows = np.frombuffer(b"".join(part), dtype=self._packing.dtype)
                expansion = self._expand(rows.reshape(-1, size))
                # One append makes the step visible: an interrupt leaves it done or not begun.
                level.expansions.append(expansion)
                self._tick(len(part))
                first += len(part)
                step = 1 + _CHILDREN * len(part) // (expansion.made + 1)

    def _expand(self, codes: Codes) -> _Expansion:
        batch = _Batch.of(self._packing, codes)
        partners = batch.same_tensor.sum(axis=1)
        parts = []
        for count in np.unique(np.minimum(partners, _AT_ONCE + 1)).tolist():
            if count > _AT_ONCE:
                parts.append(self._integrate_one(batch, np.flatnonzero(partners > _AT_ONCE)))
            else:
                parts.append(self._integrate_all(batch, np.flatnonzero(partners == count), count))
        return _Expansion(len(codes), tuple(parts))

    def _integrate_one(self, batch: _Batch, rows: NDArray[np.intp]) -> _Children:
        """Pair the chosen factor with each of its partners."""
        packing = self._packing
        counts = partner_counts(
            packing,
            batch.local[rows],
            batch.kinds[rows],
            batch.labels[rows],
            batch.multiplicities[rows],
            batch.chosen[rows],
        )
        which, partner = np.nonzero(counts)
        parent = rows[which]
        chosen = batch.chosen[parent]
        low, high = np.minimum(chosen, partner)[:, None], np.maximum(chosen, partner)[:, None]
        kept = np.arange(batch.size - 2) + np.zeros_like(low)
        kept += kept >= low
        kept += kept >= high
        rest = batch.nodes[parent[:, None], kept]
        first, second = batch.nodes[parent, chosen], batch.nodes[parent, partner]
        free = join_nodes(
            packing, rest, first[:, None], second[:, None], batch.kinds[parent, partner]
        )
        return self._children(
            batch, parent, rest, batch.kinds[parent[:, None], kept], free, counts[which, partner]
        )

    def _integrate_all(self, batch: _Batch, rows: NDArray[np.intp], count: int) -> _Children:
        """Pair all factors of the chosen factor's tensor, in all ways."""
        packing = self._packing
        matchings = _matchings(count)
        order = np.argsort(~batch.same_tensor[rows], axis=1, kind="stable")
        parent = np.repeat(rows, len(matchings))
        rest_at = np.repeat(order[:, count:], len(matchings), axis=0)
        pairs = order[:, matchings].reshape(len(parent), -1, 2)
        rest = batch.nodes[parent[:, None], rest_at]
        first = batch.nodes[parent[:, None], pairs[:, :, 0]]
        second = batch.nodes[parent[:, None], pairs[:, :, 1]]
        free = join_nodes(packing, rest, first, second, batch.kinds[parent, pairs[:, 0, 0]])
        # Many matchings identify the same nodes: collect those before the costly renumbering.
        raw = np.concatenate([parent[:, None], free, rest.reshape(len(rest), -1)], axis=1)
        index, multiplicity = _distinct(raw.astype(np.uint16))
        return self._children(
            batch,
            parent[index],
            rest[index],
            batch.kinds[parent[index][:, None], rest_at[index]],
            free[index],
            multiplicity,
        )

    def _children(
        self,
        batch: _Batch,
        parent: NDArray[np.intp],
        rest: Nodes,
        kinds: Kinds,
        free: NDArray[np.intp],
        multiplicity: NDArray[np.intp],
    ) -> _Children:
        """Renumber and enter the children, collect equal ones of each parent."""
        numbers = self._enter(self._packing.pack(rest, kinds, batch.starts))
        base = 1 + int(free.max(initial=0))
        powers = base ** np.arange(self._packing.sizes)
        free_codes, free_index = np.unique(free @ powers, return_inverse=True)
        child = np.array(numbers, dtype=np.intp)
        key = (parent * len(free_codes) + free_index) * (int(child.max(initial=0)) + 1) + child
        key, index, inverse = np.unique(key, return_index=True, return_inverse=True)
        free_nodes = [tuple(int(c) // int(p) % base for p in powers) for c in free_codes]
        total = np.bincount(inverse, multiplicity, minlength=len(key)).astype(np.int64)
        if not self._has_no_pins:
            scales = np.array([self._pinned(exponents) for exponents in free_nodes], dtype=object)
            total = total * scales[free_index[index]]
        return _Children(
            rest.shape[1],
            len(parent),
            parent[index].astype(np.int32),
            child[index].astype(np.int32),
            total.tolist(),
            free_index[index].astype(np.int32),
            tuple(free_nodes),
        )

    def _pinned(self, exponents: Sequence[int]) -> int:
        """The number that free nodes on pinned axes contribute."""
        result = 1
        for axis, exponent in zip(self._packing.axes, exponents, strict=True):
            result *= (axis.pinned or 1) ** exponent
        return result

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(self, combinations: Sequence[Combination]) -> list[dict[tuple[int, ...], int]]:
        """For each combination the coefficients by exponents of the axes."""
        self.complete()
        fields = _Fields.fitting(self._packing, self._extents, combinations)
        positive, negative = [0] * len(combinations), [0] * len(combinations)
        largest = max((c.size for c in combinations), default=0)
        last_use = self._last_uses(largest)
        values: dict[int, list[int]] = {0: [1]}
        for size in range(0, largest + 1, 2):
            if size:
                values[size] = self._values(size, values, fields)
            for index, combination in enumerate(combinations):
                if combination.size == size:
                    for number, coefficient in zip(
                        combination.numbers, combination.coefficients, strict=True
                    ):
                        if coefficient > 0:
                            positive[index] += coefficient * values[size][number]
                        else:
                            negative[index] -= coefficient * values[size][number]
            for used in [used for used, last in last_use.items() if last == size]:
                values.pop(used, None)
        return [
            {
                exponents: plus.get(exponents, 0) - minus.get(exponents, 0)
                for exponents in sorted({*plus, *minus})
                if plus.get(exponents, 0) != minus.get(exponents, 0)
            }
            for plus, minus in zip(
                map(fields.unpack, positive), map(fields.unpack, negative), strict=True
            )
        ]

    def _last_uses(self, largest: int) -> dict[int, int]:
        """For each number of factors the largest diagrams that need values of that size."""
        result: dict[int, int] = {}
        for size in range(largest + 1):
            for expansion in self._levels.get(size, _Level()).expansions:
                for part in expansion.parts:
                    result[part.size] = size
        return result

    def _values(self, size: int, known: dict[int, list[int]], fields: _Fields) -> list[int]:
        level = self._levels.get(size, _Level())
        values = [0] * level.expanded
        base = 0
        for expansion in level.expansions:
            for part in expansion.parts:
                below = known[part.size]
                shifts = [fields.shift(exponents) for exponents in part.free_nodes]
                # Most children count once and set no node free: skip what does nothing to them.
                for parent, child, multiplicity, free in zip(
                    part.parent.tolist(),
                    part.child.tolist(),
                    part.multiplicity,
                    part.free.tolist(),
                    strict=True,
                ):
                    value = below[child]
                    if multiplicity != 1:
                        value *= multiplicity
                    if shifts[free]:
                        value <<= shifts[free]
                    values[base + parent] += value
            base += expansion.parents
        return values


def join_nodes(
    packing: Packing, rest: Nodes, first: Nodes, second: Nodes, kinds: Kinds
) -> NDArray[np.intp]:
    """Identify the nodes of pairs of deleted factors slot by slot, in place, in each diagram.

    Parameters
    ----------
    rest : array of shape (diagrams, factors, slots)
        The remaining factors; changed in place. Of identified nodes the least number remains.
    first, second : arrays of shape (diagrams, pairs, slots)
        The nodes of the two factors of each pair.
    kinds : array of shape (diagrams,)
        The class of the deleted factors.

    Returns
    -------
    array of shape (diagrams, sizes)
        How many nodes on each true axis are left without factors.
    """
    first, second = first.copy(), second.copy()
    for pair in range(first.shape[1]):
        for slot in range(packing.rank):
            one, other = first[:, pair, slot], second[:, pair, slot]
            keep, drop = np.minimum(one, other)[:, None], np.maximum(one, other)[:, None]
            for column in packing.slots_meeting(slot):
                for nodes in (rest, first, second):
                    nodes[:, :, column] = np.where(
                        nodes[:, :, column] == drop, keep, nodes[:, :, column]
                    )
    free = np.zeros((len(rest), packing.sizes), dtype=np.intp)
    every = np.arange(len(rest))
    for slot in range(packing.rank):
        axis = packing.slot_axes[kinds, slot]
        meeting = packing.slots_meeting(slot)
        for pair in range(first.shape[1]):
            node = first[:, pair, slot]
            loose = axis < packing.sizes
            for column in meeting:
                loose &= ~(rest[:, :, column] == node[:, None]).any(axis=1)
                # Count a node that stands in several places once, at the first of them.
                earlier = pair + (column < slot)
                loose &= ~(first[:, :earlier, column] == node[:, None]).any(axis=1)
            free[every[loose], axis[loose]] += 1
    return free


@cache
def _matchings(count: int) -> NDArray[np.intp]:
    """All perfect matchings of some points, each as a sequence of points, pair after pair."""

    def extend(points: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not points:
            yield ()
        for i in range(1, len(points)):
            for rest in extend(points[1:i] + points[i + 1 :]):
                yield (points[0], points[i], *rest)

    return np.array(list(extend(tuple(range(count)))), dtype=np.intp)


def _distinct(rows: NDArray[np.uint16]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of distinct rows and how often each occurs."""
    if not len(rows):
        empty = np.zeros(0, dtype=np.intp)
        return empty, empty
    packed = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, index, count = np.unique(packed, return_index=True, return_counts=True)
    return index, count


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some diagrams with one number of factors, unpacked, and the choice of what to integrate."""

    size: int
    local: Nodes
    nodes: Nodes
    kinds: Kinds
    starts: NDArray[np.intp]
    labels: NDArray[np.intp]
    multiplicities: NDArray[np.intp]
    chosen: NDArray[np.intp]
    same_tensor: NDArray[np.bool_]

    @classmethod
    def of(cls, packing: Packing, codes: Codes) -> _Batch:
        local, kinds = packing.unpack(codes)
        starts = packing.starts(packing.extents(local, kinds))
        nodes = local + packing.offsets(kinds, starts)
        labels = packing.tensor_labels(local, kinds)
        multiplicities = factor_multiplicities(codes)
        chosen = choose_factor(packing, nodes, labels, multiplicities)
        same = labels == labels[np.arange(len(codes)), chosen][:, None]
        return cls(
            codes.shape[1], local, nodes, kinds, starts, labels, multiplicities, chosen, same
        )


@dataclass(frozen=True, slots=True)
class _Fields:
    """Polynomials in the sizes as single integers, one field of ``width`` bits a coefficient.

    The coefficient of the monomial with exponents ``e`` stands at field ``sum(e * strides)``;
    exponents of axis ``a`` are below ``extents[a]``; pinned axes are numbers and have extent 1.
    """

    width: int
    extents: tuple[int, ...]

    @classmethod
    def fitting(
        cls, packing: Packing, extents: Sequence[int], combinations: Sequence[Combination]
    ) -> _Fields:
        """Fields that hold every coefficient of these combinations and of all they are made of."""
        bound = max(c.pairings * max(1, sum(map(abs, c.coefficients))) for c in combinations)
        for axis, count in zip(packing.axes, extents, strict=True):
            bound *= (axis.pinned or 1) ** count
        return cls(
            width=8 * (bound.bit_length() // 8 + 1),
            extents=tuple(
                count + 1 if axis.pinned is None else 1
                for axis, count in zip(packing.axes, extents, strict=True)
            ),
        )

    def shift(self, exponents: Sequence[int]) -> int:
        """Bits by which multiplying with this monomial shifts."""
        field_number, stride = 0, 1
        for exponent, extent in zip(exponents, self.extents, strict=True):
            field_number += exponent * stride if extent > 1 else 0
            stride *= extent
        return field_number * self.width

    def unpack(self, value: int) -> dict[tuple[int, ...], int]:
        """Coefficients by exponents."""
        total = 1
        for extent in self.extents:
            total *= extent
        step = self.width // 8
        data = value.to_bytes(total * step, "little")
        result = {}
        for number in range(total):
            coefficient = int.from_bytes(data[number * step : (number + 1) * step], "little")
            if coefficient:
                exponents = []
                for extent in self.extents:
                    number, exponent = divmod(number, extent)
                    exponents.append(exponent)
                result[tuple(exponents)] = coefficient
        return result
