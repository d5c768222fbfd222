"""Gaussian integration by parts in many diagrams at once.

Each diagram has a chosen factor (`diagrams.engine.arrays.pairing.choose_factor`). Integrating it
pairs it with each of its partners, deletes the two and identifies their nodes. When a tensor has
only a few factors left, all of them are integrated in one step, by listing their perfect matchings,
and so are further tensors while the list stays short: the diagrams between are never met, which
leaves a third of the diagrams to know for CP of order 4. Factors of a symmetric tensor are paired
in all orders of the slots, one pair in a step. A factor of a tensor with a law of its own opens
a *block*, which takes other factors one after the other and is closed at any size k: each set of
factors is taken in (k - 1)! orders, by which the cumulant is divided. So a step has no more results
than a pairing, although there are exponentially many blocks.

Source: ours; see `diagrams.wick` for the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.node_identification import free_nodes, identify, nodes_used, relabelled
from diagrams.engine.arrays.packing import (
    Codes,
    Kinds,
    Packing,
    distinct_rows,
    factor_multiplicities,
    row_runs,
    run_numbers,
    runs,
)
from diagrams.engine.arrays.pairing import choose_factor, occurrences, partner_counts

__all__ = ["MATCHINGS", "Contractions", "integrate", "without_random_factors"]

MATCHINGS = 15
"""Tensors with at most so many matchings together are integrated in one step, by listing them."""

_MOST_TENSORS = 20
"""As many octal digits fit the integer that describes them."""

_MATCHINGS = np.array([1, 1, 1, 1, 3, 3, 15, 15, MATCHINGS + 1])
"""Number of matchings of 0, 1, 2, ... factors, more than `MATCHINGS` from 8 on."""


@dataclass(frozen=True, slots=True)
class Contractions:
    """Distinct results of integration with one number of factors, and their parents.

    Parameters
    ----------
    codes : array of shape (results, factors)
        Packed rows, distinct.
    parent : array of shape (ways,)
        The position of the diagram that is integrated, sorted.
    child : array of shape (ways,)
        The position of the result.
    free : array of shape (ways,)
        The row of ``free_nodes``.
    multiplicity : array of shape (ways,)
        How often this result comes from this diagram with these free nodes.
    free_nodes : array of shape (kinds, sizes)
        How many nodes on each true axis were left without factors; where tensors have laws of
        their own, followed by the number of the block that was integrated, or 0.
    """

    codes: Codes
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    free: NDArray[np.int32]
    multiplicity: NDArray[np.intp]
    free_nodes: NDArray[np.intp]


def integrate(packing: Packing, codes: Codes) -> list[Contractions]:
    """Integrate one factor, or one nearly finished tensor, of each diagram.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.
    codes : array of shape (diagrams, factors)
        Packed rows, each with an even number of factors of every Gaussian tensor.

    Returns
    -------
    list of Contractions
        One entry for each number of factors that the results have.
    """
    if not len(codes):
        return []
    if packing.compiled is not None:
        return [
            _put_together(raw.codes, raw.child, raw.parent, raw.free, raw.multiplicity)
            for raw in packing.compiled.integrate(codes, MATCHINGS)
        ]
    batch = _Batch.of(packing, codes)
    order, patterns = _nearly_finished(packing, batch.labels)
    results: list[_UnpackedContractions] = []
    whole = np.ones(len(codes), dtype=bool)
    for kind in packing.powers:
        reducible = whole & _has_powers(packing, batch, kind)
        whole &= ~reducible
        results += _without_powers(packing, batch, reducible.nonzero()[0], kind)
    for pattern in sorted(set(patterns[whole].tolist())):
        rows = ((patterns == pattern) & whole).nonzero()[0]
        if pattern:
            results.append(_integrate_all(packing, batch, rows, order[rows], pattern))
        elif packing.countings:
            results += _integrate_blocks(packing, batch, rows)
        else:
            results.append(_integrate_one(packing, batch, rows))
    if packing.countings:
        results = [r if r.has_block else r.without_block() for r in results]
    packed = packing.pack_together([(r.nodes, r.kinds) for r in results], batch.starts)
    return [
        _collected(codes, r.parent, r.free, r.multiplicity)
        for codes, r in zip(packed, results, strict=True)
    ]


def without_random_factors(free: NDArray[np.intp], dtype: np.dtype[Any]) -> Contractions:
    """The rows without their random factors, which are summed at once.

    Parameters
    ----------
    free : array of shape (diagrams, sizes)
        The free indices that each leaves on every true axis.
    dtype : dtype
        Of packed rows.
    """
    every = np.arange(len(free))
    return _collected(np.zeros((len(free), 0), dtype), every, free, np.ones_like(every))


def _collected(
    codes: Codes,
    parent: NDArray[np.intp],
    free: NDArray[np.intp],
    multiplicity: NDArray[np.intp],
) -> Contractions:
    """Results of integration with equal rows, and what leads to them, put together."""
    return _put_together(codes, np.arange(len(codes)), parent, free, multiplicity)


def _put_together(
    codes: Codes,
    row: NDArray[np.signedinteger[Any]],
    parent: NDArray[np.signedinteger[Any]],
    free: NDArray[np.signedinteger[Any]],
    multiplicity: NDArray[np.intp],
) -> Contractions:
    """The same where some ways lead to each row; ``row`` is that of every way."""
    order, first = row_runs(codes)
    child = run_numbers(order, first)[row]
    free_nodes, number = distinct_rows(free)
    parent = parent.astype(np.intp)
    key = (parent * len(free_nodes) + number) * len(first) + child
    ways, begin = runs(key)
    index = ways[begin]
    return Contractions(
        codes=codes[order[first]],
        parent=parent[index].astype(np.int32),
        child=child[index].astype(np.int32),
        free=number[index].astype(np.int32),
        multiplicity=np.add.reduceat(multiplicity[ways], begin) if len(begin) else key,
        free_nodes=np.array(free_nodes, dtype=np.intp).reshape(len(free_nodes), -1),
    )


def _nearly_finished(
    packing: Packing, labels: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which tensors of each diagram are integrated at once.

    Returns
    -------
    order : array of shape (diagrams, factors)
        Positions of the factors, those of the rarest tensor first.
    patterns : array of shape (diagrams,)
        The numbers of pairs of the first tensors in that order, as octal digits: as many tensors
        as there are with at most `MATCHINGS` matchings together; 0 if there is none.
    """
    counts = occurrences(labels, int(labels.max()) + 1)
    if packing.has_deterministic:
        # As if there were too many of them: they are never finished.
        counts = np.where(packing.fixed_labels(labels), labels.shape[1] + len(_MATCHINGS), counts)
    if packing.countings:  # so are these: their factors are in blocks of any size
        counts = np.where(packing.law_labels(labels), labels.shape[1] + len(_MATCHINGS), counts)
    if packing.symmetric:  # and these: every pair of theirs is a sum over orders
        counts = np.where(
            packing.unordered_labels(labels), labels.shape[1] + len(_MATCHINGS), counts
        )
    order = np.argsort(counts * (int(labels.max()) + 1) + labels, axis=1, kind="stable")
    every = np.arange(len(labels))
    ordered = np.concatenate(
        [counts[every[:, None], order], np.full((len(labels), 1), len(_MATCHINGS))], axis=1
    )
    position = np.zeros(len(labels), dtype=np.intp)
    patterns = np.zeros(len(labels), dtype=np.intp)
    matchings = np.ones(len(labels), dtype=np.intp)
    growing = np.ones(len(labels), dtype=bool)
    for _ in range(_MOST_TENSORS):
        if not growing.any():
            break
        count = np.minimum(ordered[every, position], len(_MATCHINGS) - 1)
        matchings = np.minimum(matchings * _MATCHINGS[count], MATCHINGS + 1)
        growing &= matchings <= MATCHINGS
        patterns = np.where(growing, patterns * 8 + count // 2, patterns)
        position += np.where(growing, count, 0)
    return order, patterns


def _integrate_one(
    packing: Packing, batch: _Batch, rows: NDArray[np.intp]
) -> _UnpackedContractions:
    """Pair the chosen factor with each of its partners."""
    multiplicities, labels = batch.multiplicities[rows], batch.labels[rows]
    position = choose_factor(packing, batch.nodes[rows], labels, multiplicities)
    counts = partner_counts(
        packing, batch.local[rows], batch.kinds[rows], labels, multiplicities, position
    )
    which, partner = np.nonzero(counts)
    parent, chosen = rows[which], position[which]
    second = batch.nodes[parent, partner]
    if packing.symmetric:
        index, second = packing.in_all_orders(second, batch.kinds[parent, partner])
        which, partner, parent, chosen = which[index], partner[index], parent[index], chosen[index]
    low, high = np.minimum(chosen, partner)[:, None], np.maximum(chosen, partner)[:, None]
    kept = np.arange(batch.size - 2) + np.zeros_like(low)
    kept += kept >= low
    kept += kept >= high
    kept += (parent * batch.size)[:, None]
    rest = batch.nodes.reshape(-1, packing.slots).take(kept, axis=0)
    width = int(batch.starts[-1])
    first = batch.nodes[parent, chosen][:, None]
    representatives = identify(first, second[:, None], packing.rank, width)
    free = free_nodes(packing, representatives, nodes_used(rest, width), first, batch.starts)
    kinds = batch.kinds.ravel().take(kept)
    return _UnpackedContractions(
        relabelled(representatives, rest), kinds, parent, free, counts[which, partner]
    )


def _has_powers(packing: Packing, batch: _Batch, kind: int) -> NDArray[np.bool_]:
    """Which rows have parallel factors of a class, and no open block."""
    parallel = (batch.kinds == kind) & (batch.multiplicities > 1)
    result: NDArray[np.bool_] = parallel.any(axis=1) & ~packing.opened(batch.labels).any(axis=1)
    return result


def _without_powers(
    packing: Packing, batch: _Batch, rows: NDArray[np.intp], kind: int
) -> Iterator[_UnpackedContractions]:
    """Replace powers of entries by lower ones that are equal: of signs, or of zeros and ones.

    While a block is open this would be wrong: it takes factors of a product as it is written.
    """
    multiplicities = batch.multiplicities[rows]
    least = np.ones_like(multiplicities) if packing.powers[kind] else multiplicities % 2
    keep = (batch.kinds[rows] != kind) | ((multiplicities > 0) & (least > 0))
    counts = keep.sum(axis=1)
    width = int(batch.starts[-1])
    for count in sorted(set(counts.tolist())):
        which = (counts == count).nonzero()[0]
        parent = rows[which]
        kept = np.nonzero(keep[which])[1].reshape(len(which), count)
        rest = batch.nodes[parent[:, None], kept]
        kinds = batch.kinds[parent[:, None], kept]
        representatives = np.broadcast_to(np.arange(width, dtype=np.uint16), (len(parent), width))
        used = nodes_used(rest, width)
        free = free_nodes(packing, representatives, used, batch.nodes[parent], batch.starts)
        number = np.full((len(parent), 1), packing.dropped_number(kind, batch.size - count))
        one = np.ones(len(parent), dtype=np.intp)
        free = np.concatenate([free, number], axis=1)
        yield _UnpackedContractions(rest, kinds, parent, free, one, True)


def _integrate_blocks(
    packing: Packing, batch: _Batch, rows: NDArray[np.intp]
) -> Iterator[_UnpackedContractions]:
    """Let the open block of a row, or its chosen factor, take one more factor, or close it."""
    multiplicities, labels = batch.multiplicities[rows], batch.labels[rows]
    opened = packing.opened(labels)
    position = np.where(
        opened.any(axis=1),
        opened.argmax(axis=1),
        choose_factor(packing, batch.nodes[rows], labels, multiplicities),
    )
    every = np.arange(len(rows))
    sizes, labels = packing.block_sizes(labels), packing.block_tensors(labels)
    own, size = labels[every, position], sizes[every, position]
    with_law = packing.law_labels(own)
    if not with_law.all():
        yield _integrate_one(packing, batch, rows[~with_law])
    largest = np.array(
        [
            packing.largest_block(label, batch.size - 1 + k)
            for label, k in zip(own.tolist(), size.tolist(), strict=True)
        ]
    )
    counts = partner_counts(
        packing, batch.local[rows], batch.kinds[rows], labels, multiplicities, position
    )
    counts[~with_law | (size >= largest)] = 0
    yield _absorbed(packing, batch, rows, position, counts, own, size)
    closing = np.array(
        [packing.closes(label, k) for label, k in zip(own.tolist(), size.tolist(), strict=True)],
        dtype=bool,
    )
    which = (with_law & closing).nonzero()[0]
    yield _closed(packing, batch, rows[which], position[which], own[which], size[which])


def _absorbed(
    packing: Packing,
    batch: _Batch,
    rows: NDArray[np.intp],
    position: NDArray[np.intp],
    counts: NDArray[np.intp],
    own: NDArray[np.intp],
    size: NDArray[np.intp],
) -> _UnpackedContractions:
    """Open blocks that take one of their partners, of which each stands for some."""
    which, partner = np.nonzero(counts)
    parent, chosen = rows[which], position[which]
    kept = np.arange(batch.size - 1) + np.zeros_like(partner[:, None])
    kept += kept >= partner[:, None]
    rest = batch.nodes[parent[:, None], kept]
    kinds = batch.kinds[parent[:, None], kept]
    kinds[kept == chosen[:, None]] = packing.block_kinds(own[which], size[which] + 1)
    width = int(batch.starts[-1])
    first = batch.nodes[parent, chosen][:, None]
    representatives = identify(first, batch.nodes[parent, partner][:, None], packing.rank, width)
    free = free_nodes(packing, representatives, nodes_used(rest, width), first, batch.starts)
    multiplicity = counts[which, partner]
    return _UnpackedContractions(
        relabelled(representatives, rest), kinds, parent, free, multiplicity
    ).without_block()


def _closed(
    packing: Packing,
    batch: _Batch,
    rows: NDArray[np.intp],
    position: NDArray[np.intp],
    own: NDArray[np.intp],
    size: NDArray[np.intp],
) -> _UnpackedContractions:
    """Blocks that are closed: nothing is left of them but a cumulant, and what they set loose."""
    kept = np.arange(batch.size - 1) + np.zeros_like(position[:, None])
    kept += kept >= position[:, None]
    rest = batch.nodes[rows[:, None], kept]
    kinds = batch.kinds[rows[:, None], kept]
    width = int(batch.starts[-1])
    deleted = batch.nodes[rows, position][:, None]
    representatives = identify(deleted, deleted, packing.rank, width)
    free = free_nodes(packing, representatives, nodes_used(rest, width), deleted, batch.starts)
    numbers = packing.block_numbers(own, size)[:, None]
    one = np.ones(len(rows), dtype=np.intp)
    return _UnpackedContractions(
        rest, kinds, rows, np.concatenate([free, numbers], axis=1), one, True
    )


def _integrate_all(
    packing: Packing,
    batch: _Batch,
    rows: NDArray[np.intp],
    order: NDArray[np.intp],
    pattern: int,
) -> _UnpackedContractions:
    """Pair all factors of the rarest tensors, in all ways."""
    matchings = _pattern_matchings(pattern)
    count = matchings.shape[1]
    deleted = batch.nodes[rows[:, None], order[:, :count]]
    # The factors that remain keep their order, so that equal results are equal rows.
    kept = np.sort(order[:, count:], axis=1)
    rest = batch.nodes[rows[:, None], kept]
    rest_kinds = batch.kinds[rows[:, None], kept]
    width = int(batch.starts[-1])
    which = np.repeat(np.arange(len(rows)), len(matchings))
    pairs = deleted[:, matchings].reshape(len(which), -1, 2, packing.slots)
    first, second = pairs[:, :, 0], pairs[:, :, 1]
    representatives = identify(first, second, packing.rank, width)
    used = nodes_used(rest, width)[which]
    free = free_nodes(packing, representatives, used, first, batch.starts)
    # Many matchings identify the same nodes: collect those before the costly renumbering.
    marks = np.concatenate([which[:, None], free, np.where(used, representatives, 0)], axis=1)
    index, multiplicity = _distinct(marks.astype(np.uint16))
    which = which[index]
    nodes = relabelled(representatives[index], rest[which])
    return _UnpackedContractions(nodes, rest_kinds[which], rows[which], free[index], multiplicity)


@cache
def _pattern_matchings(pattern: int) -> NDArray[np.intp]:
    """The products of the matchings of consecutive groups of points, see `_nearly_finished`."""
    result = np.zeros((1, 0), dtype=np.intp)
    for digit in oct(pattern)[2:]:
        more = _matchings(2 * int(digit)) + result.shape[1]
        result = np.concatenate(
            [np.repeat(result, len(more), axis=0), np.tile(more, (len(result), 1))], axis=1
        )
    return result


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
    order, first = row_runs(rows)
    return order[first], np.diff(first, append=len(rows))


@dataclass(frozen=True, slots=True)
class _UnpackedContractions:
    """`Contractions` before packing."""

    nodes: Nodes
    kinds: Kinds
    parent: NDArray[np.intp]
    free: NDArray[np.intp]
    multiplicity: NDArray[np.intp]
    has_block: bool = False

    def without_block(self) -> _UnpackedContractions:
        """The same with a zero where others have the number of a block."""
        none = np.zeros((len(self.free), 1), dtype=np.intp)
        return replace(self, free=np.concatenate([self.free, none], axis=1), has_block=True)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some diagrams with one number of factors, unpacked."""

    size: int
    local: Nodes
    nodes: Nodes
    kinds: Kinds
    starts: NDArray[np.intp]
    labels: NDArray[np.intp]
    multiplicities: NDArray[np.intp]

    @classmethod
    def of(cls, packing: Packing, codes: Codes) -> _Batch:
        local, kinds = packing.unpack(codes)
        starts = packing.starts(packing.extents(local, kinds))
        nodes = local + packing.offsets(kinds, starts)
        labels = packing.tensor_labels(local, kinds)
        multiplicities = factor_multiplicities(codes)
        return cls(codes.shape[1], local, nodes, kinds, starts, labels, multiplicities)
