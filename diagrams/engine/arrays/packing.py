"""Diagrams packed into integers: one code for each factor, one row of codes for each diagram.

A code holds, from the highest byte down, the class of the factor's tensor and the number of the
node in each of its slots, counted from 0 within the axis of the slot. A class is a set of tensors
that the whole problem treats alike (`diagrams.merge.symmetric_tensors`); which member a factor
belongs to is one more slot, on an axis of members, so that permuting the members is the same thing
as renumbering nodes and the labelling divides it out without knowing. Tensors with fewer slots
than others are filled up with a node of a padding axis. The nodes of a symmetric tensor are sorted
after the renumbering; two rows may still stand for one diagram then, which costs time only.

Nodes without factors are not part of a row: they only multiply by the size of their axis and are
counted apart.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.block_counting import MAXIMAL_BLOCK, SCALE, Counting, Term
from diagrams.engine.arrays.codes import BITS, Codes, Kinds
from diagrams.engine.arrays.kernel import CompiledPacking, is_compiled, too_many_nodes
from diagrams.engine.arrays.labelling import Nodes, renumber_together
from diagrams.engine.blocks import FlowDiagrams
from diagrams.errors import CapacityError
from diagrams.tensors import Axis, Kind, Tensor

__all__ = [
    "MAXIMAL_RANK",
    "Codes",
    "Kinds",
    "Packing",
    "batches",
    "distinct_rows",
    "factor_multiplicities",
    "row_runs",
    "run_numbers",
    "runs",
]

_FITS = 2**62
_LIMIT = 1 << BITS
_BLOCK_BITS = 16
_DROPPED = 1 << (_BLOCK_BITS - 1)

MAXIMAL_RANK = 64 // BITS - 2
"""Most slots of a tensor: a code of 64 bits holds them, a class and a member."""


class Packing:
    """The layout of codes for the tensors and axes of one problem.

    Parameters
    ----------
    blocks : FlowDiagrams
        Symmetric classes of tensors and axes.

    Attributes
    ----------
    slots : int
        Slots of every factor: those of its tensor, padding, and the member slot if there is one.
    slot_axes : array of shape (classes, slots)
        Number of the axis on which each slot of each class lies.
    sizes : int
        The axes 0 .. sizes - 1 are true axes, the others hold members and padding.
    is_deterministic : array of shape (classes,)
        Whether factors of a class are neither merged over nor paired.
    pins : tuple of int
        The classes of pins.
    symmetric : tuple of int
        The classes of symmetric tensors.
    countings : dict
        For every class with a law of its own what its blocks contribute.
    counters : tuple of (int, str)
        Their counters, with the classes.
    powers : dict
        The classes whose entries have a square that is no power, and whether it is the entry
        itself and not a number.
    in_many_blocks : list of int
        The classes with a law of their own that is no mask: their blocks have all sizes.

    Raises
    ------
    CapacityError
        If a tensor has more slots than a 64-bit code can hold.
    """

    def __init__(self, blocks: FlowDiagrams) -> None:
        self.axes: tuple[Axis, ...] = blocks.axes
        self.classes = (*blocks.symmetric, *((tensor,) for tensor in blocks.deterministic))
        kinds = [members[0].kind for members in self.classes]
        self.has_deterministic = bool(blocks.deterministic)
        self.is_deterministic = np.array(
            [k not in (Kind.WEIGHT, Kind.FIXED) for k in kinds], dtype=bool
        )
        self.pins = tuple(number for number, kind in enumerate(kinds) if kind is Kind.PIN)
        self.symmetric = tuple(n for n, members in enumerate(self.classes) if members[0].symmetric)
        self.countings = {
            number: Counting.of(members[0].entries)
            for number, members in enumerate(self.classes)
            if members[0].is_random and not members[0].entries.is_wick
        }
        # Squares of signs are a number, and those of zeros and ones are themselves.
        self.powers = {
            number: counting.law.name == "bernoulli"
            for number, counting in self.countings.items()
            if counting.law.name == "bernoulli" or counting.law.is_sign
        }
        self.in_many_blocks = [n for n in self.countings if not self.powers.get(n, False)]
        self.counters = tuple(
            (number, text)
            for number, counting in self.countings.items()
            for text in counting.counters
        )
        self.sizes = len(self.axes)
        self.rank = max((members[0].rank for members in self.classes), default=1)
        self.has_members = any(len(members) > 1 for members in self.classes)
        self.slots = self.rank + self.has_members
        if (self.slots + 1) * BITS > 64:
            raise CapacityError(
                f"tensors with {self.rank} slots: a packed factor has room for "
                f"{MAXIMAL_RANK}; split the tensor into smaller ones"
            )
        self.dtype = np.dtype(np.uint32 if (self.slots + 1) * BITS <= 32 else np.uint64)
        self._number_blocks()
        self._place_slots()
        self._spans = self._slot_spans()
        self._orders, self._order_counts = self._slot_orders()
        self._place = {
            tensor: (number, member)
            for number, members in enumerate(self.classes)
            for member, tensor in enumerate(members)
        }

    @cached_property
    def compiled(self) -> CompiledPacking | None:
        """The layout for the compiled kernel; None without it or for tensors it does not know."""
        if self.countings or self.symmetric or not self.classes or not is_compiled():
            return None
        return CompiledPacking(self, self._spans, self._more_widths)

    def _number_blocks(self) -> None:
        """Number the classes of tensors, and after them those of open blocks, by class and size."""
        blocks_of = [kind for kind in self.countings for _ in range(2, MAXIMAL_BLOCK + 1)]
        own = [*range(len(self.classes)), *blocks_of]
        if len(own) > _LIMIT:
            raise CapacityError(
                f"{len(self.countings)} tensors with laws of their own: a packed factor has room "
                f"for {(_LIMIT - len(self.classes)) // (MAXIMAL_BLOCK - 1)}; use fewer"
            )
        self._block_classes = np.array(own or [0], dtype=np.intp)
        self._block_sizes = np.ones(len(self._block_classes), dtype=np.intp)
        self._first_blocks = np.zeros(max(1, len(self.classes)), dtype=np.intp)
        for place, kind in enumerate(self.countings):
            first = len(self.classes) + place * (MAXIMAL_BLOCK - 1)
            self._first_blocks[kind] = first
            self._block_sizes[first : first + MAXIMAL_BLOCK - 1] = range(2, MAXIMAL_BLOCK + 1)

    def _place_slots(self) -> None:
        """The axis of every slot, by the classes of factors and blocks."""
        # Axes that only the rows have: one of members for each class with several, then padding.
        shared = [number for number, members in enumerate(self.classes) if len(members) > 1]
        padding = self.sizes + len(shared)
        self.slot_axes = np.full((max(1, len(self.classes)), self.slots), padding, dtype=np.intp)
        for number, members in enumerate(self.classes):
            for slot, axis in enumerate(members[0].axes):
                self.slot_axes[number, slot] = self.axes.index(axis)
            if len(members) > 1:
                self.slot_axes[number, -1] = self.sizes + shared.index(number)
        self.slot_axes = self.slot_axes[self._block_classes]
        if self.classes:
            self.is_deterministic = self.is_deterministic[self._block_classes]
        self._more_widths = [len(self.classes[number]) for number in shared]
        if (self.slot_axes == padding).any():
            self._more_widths.append(1)

    def _slot_spans(self) -> tuple[tuple[int, int], ...]:
        """For each slot a range of axes that holds its nodes; ranges are equal or disjoint."""
        count = self.sizes + len(self._more_widths)
        cuts = set(range(count + 1))
        for slot in range(self.slots):
            axes = self.slot_axes[:, slot]
            cuts -= set(range(int(axes.min()) + 1, int(axes.max()) + 1))
        return tuple(
            (max(c for c in cuts if c <= axis), min(c for c in cuts if c > axis))
            for axis in self.slot_axes[0].tolist()
        )

    def _slot_orders(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The orders of the slots of each class, shape (classes, orders, slots), and how many."""
        orders = [members[0].orders for members in self.classes] or [((),)]
        table = np.zeros((len(orders), max(map(len, orders)), self.slots), dtype=np.intp)
        table += np.arange(self.slots)
        for number, own in enumerate(orders):
            table[number, : len(own), : len(own[0])] = own
        return table, np.array([len(own) for own in orders], dtype=np.intp)

    def in_all_orders(self, nodes: Nodes, kinds: Kinds) -> tuple[NDArray[np.intp], Nodes]:
        """Factors in all orders of the slots in which they are identified with others.

        Parameters
        ----------
        nodes : array of shape (factors, slots)
        kinds : array of shape (factors,)

        Returns
        -------
        index : array of shape (ways,)
            Which factor it is.
        nodes : array of shape (ways, slots)
            Its nodes in one of the orders.
        """
        counts = self._order_counts[kinds]
        index = np.repeat(np.arange(len(kinds)), counts)
        way = np.arange(len(index)) - np.repeat(counts.cumsum() - counts, counts)
        return index, np.take_along_axis(nodes[index], self._orders[kinds[index], way], axis=1)

    def place(self, tensor: Tensor) -> tuple[int, int]:
        """The class of a tensor and its number in the class."""
        return self._place[tensor]

    def starts(self, nodes: Iterable[int]) -> NDArray[np.intp]:
        """First number of each axis when nodes of all axes are numbered through.

        Parameters
        ----------
        nodes : iterable of int
            How many numbers to reserve on each true axis.
        """
        widths = [max(1, count) for count in nodes] + self._more_widths
        return np.array([0, *accumulate(widths)], dtype=np.intp)

    def unpack(self, codes: Codes) -> tuple[Nodes, Kinds]:
        """Node numbers within their axes, shape (diagrams, factors, slots), and classes."""
        nodes = np.empty((*codes.shape, self.slots), dtype=np.intp)
        for slot in range(self.slots):
            shift = self.dtype.type(BITS * (self.slots - 1 - slot))
            nodes[:, :, slot] = (codes >> shift) & self.dtype.type(_LIMIT - 1)
        kinds = codes >> self.dtype.type(BITS * self.slots)
        return nodes, kinds.astype(np.uint8)

    def extents(self, nodes: Nodes, kinds: Kinds) -> list[int]:
        """For each true axis one more than the largest node number on it."""
        result = [0] * self.sizes
        present = {*np.unique(kinds).tolist()} if self.countings else None
        for kind, axes in enumerate(self.slot_axes.tolist()):
            if present is not None and kind not in present:
                continue
            chosen = (
                nodes[kinds == kind] if len(self.slot_axes) > 1 else nodes.reshape(-1, self.slots)
            )
            if not len(chosen):
                continue
            largest = chosen.max(axis=0).tolist()
            for slot, axis in enumerate(axes[: self.rank]):
                if axis < self.sizes:
                    result[axis] = max(result[axis], largest[slot] + 1)
        return result

    def offsets(self, kinds: Kinds, starts: NDArray[np.intp]) -> NDArray[np.intp]:
        """What to add to node numbers within axes to number the nodes of all axes through."""
        table = starts[self.slot_axes]
        result: NDArray[np.intp] = table[kinds] if len(table) > 1 else table[0]
        return result

    def pack(self, nodes: Nodes, kinds: Kinds, starts: NDArray[np.intp]) -> Codes:
        """Rows of sorted codes, renumbered by structure, see `engine.arrays.labelling.renumber`.

        Parameters
        ----------
        nodes : array of shape (diagrams, factors, slots)
            Node numbers, those of all axes numbered through from ``starts``.
        kinds : array of shape (diagrams, factors)
            Classes.

        Raises
        ------
        CapacityError
            If a diagram has more than 256 nodes on one axis.
        """
        [codes] = self.pack_together([(nodes, kinds)], starts)
        return codes

    def pack_together(
        self, groups: Sequence[tuple[Nodes, Kinds]], starts: NDArray[np.intp]
    ) -> list[Codes]:
        """`pack` for groups of diagrams with different numbers of factors, in one go."""
        if self.compiled is not None:
            packed = [self.compiled.pack(*group, starts) for group in groups]
            return [codes.astype(self.dtype, copy=False) for codes in packed]
        proper = [group for group in groups if group[0].size]
        numbers = iter(
            renumber_together(proper, tuple(starts.tolist()), self._spans) if proper else ()
        )
        return [
            self._coded(next(numbers), kinds) if nodes.size else kinds.astype(self.dtype)
            for nodes, kinds in groups
        ]

    def _coded(self, numbers: Nodes, kinds: Kinds) -> Codes:
        if int(numbers.max(initial=0)) >= _LIMIT:
            raise too_many_nodes()
        for kind in self.symmetric:
            chosen, rank = kinds == kind, self.classes[kind][0].rank
            numbers[chosen, :rank] = np.sort(numbers[chosen, :rank], axis=1)
        codes = kinds.astype(self.dtype)
        for slot in range(self.slots):
            codes = (codes << self.dtype.type(BITS)) | numbers[:, :, slot].astype(self.dtype)
        codes.sort(axis=1)
        return codes

    def tensor_labels(self, nodes: Nodes, kinds: Kinds) -> NDArray[np.intp]:
        """A number for the tensor of each factor: equal exactly for factors that can be paired."""
        labels = kinds.astype(np.intp) << BITS
        return labels | nodes[:, :, -1] if self.has_members else labels

    def fixed_labels(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether factors, by the numbers of their tensors, are neither merged over nor paired."""
        result: NDArray[np.bool_] = self.is_deterministic[labels >> BITS]
        return result

    def unordered_labels(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether factors, by the numbers of their tensors, are symmetric."""
        return np.isin(labels >> BITS, self.symmetric)

    def law_labels(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether factors, by the numbers of their tensors, have a law with larger blocks."""
        return np.isin(self._block_classes[labels >> BITS], [*self.countings])

    def opened(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether factors, by their numbers, are open blocks."""
        result: NDArray[np.bool_] = labels >> BITS >= len(self.classes)
        return result

    def block_sizes(self, labels: NDArray[np.intp]) -> NDArray[np.intp]:
        """How many factors an open block has taken, one for a factor."""
        result: NDArray[np.intp] = self._block_sizes[labels >> BITS]
        return result

    def block_tensors(self, labels: NDArray[np.intp]) -> NDArray[np.intp]:
        """The numbers of the tensors whose factors an open block takes, and of others."""
        result: NDArray[np.intp] = (self._block_classes[labels >> BITS] << BITS) | (
            labels & (_LIMIT - 1)
        )
        return result

    def block_kinds(self, labels: NDArray[np.intp], sizes: NDArray[np.intp]) -> Kinds:
        """The classes of open blocks of tensors with so many factors.

        Raises
        ------
        CapacityError
            If one is too large.
        """
        if int(sizes.max(initial=0)) > MAXIMAL_BLOCK:
            raise CapacityError(
                f"a block of more than {MAXIMAL_BLOCK} factors of one tensor: does not fit a "
                "packed factor; ask for fewer terms"
            )
        kinds: NDArray[np.intp] = self._first_blocks[labels >> BITS] + sizes - 2
        return kinds.astype(np.uint8)

    def largest_block(self, label: int, count: int) -> int:
        """The largest block of a tensor among so many factors; 0 if all its blocks are pairs."""
        counting = self.countings.get(label >> BITS)
        return 0 if counting is None else max(counting.law.sizes(count), default=0)

    def closes(self, label: int, size: int) -> bool:
        """Whether a tensor has a cumulant of this order."""
        counting = self.countings.get(label >> BITS)
        return counting is not None and size in counting.law.sizes(MAXIMAL_BLOCK)

    def block_numbers(self, labels: NDArray[np.intp], sizes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Numbers, not zero, for closed blocks of tensors with so many factors."""
        result: NDArray[np.intp] = (labels >> BITS << _BLOCK_BITS) | sizes
        return result

    def dropped_number(self, kind: int, count: int) -> int:
        """A number, not zero, for so many factors that were dropped from powers of entries."""
        return (kind << _BLOCK_BITS) | _DROPPED | count

    def block_terms(self, number: int) -> tuple[Term, ...]:
        """The contribution of a block, with the powers of all counters; of no block, one."""
        kind = number >> _BLOCK_BITS
        if not number:
            return ((1, (0,) * len(self.counters)),)
        if number & _DROPPED:
            count = number & (_DROPPED - 1)
            return ((SCALE**count, (0,) * len(self.counters)),)
        own = [place for place, (owner, _) in enumerate(self.counters) if owner == kind]
        result = []
        for c, powers in self.countings[kind].terms(number & ((1 << _BLOCK_BITS) - 1)):
            exponents = [0] * len(self.counters)
            for place, power in zip(own, powers, strict=True):
                exponents[place] = power
            result.append((c, tuple(exponents)))
        return tuple(result)

    def tensor_label(self, tensor: Tensor) -> int:
        """The number that `tensor_labels` gives to factors of this tensor."""
        kind, member = self.place(tensor)
        return (kind << BITS) | (member if self.has_members else 0)

    @property
    def label_bound(self) -> int:
        """One more than the largest number that `tensor_labels` gives."""
        return len(self.slot_axes) << BITS

    def slots_meeting(self, slot: int) -> list[int]:
        """The slots in which a node that stands in the given slot of some factor can stand."""
        here = set(self.slot_axes[:, slot].tolist())
        return [s for s in range(self.rank) if here & set(self.slot_axes[:, s].tolist())]


def factor_multiplicities(codes: NDArray[np.integer]) -> NDArray[np.intp]:
    """The number of parallel copies at the first of each run of equal codes, 0 at the others.

    Examples
    --------
    >>> factor_multiplicities(np.array([[3, 3, 5]], dtype=np.uint32)).tolist()
    [[2, 0, 1]]
    """
    size = codes.shape[1]
    first = np.ones(codes.shape, dtype=bool)
    first[:, 1:] = codes[:, 1:] != codes[:, :-1]
    position = np.where(first, np.arange(size), size)
    following = np.minimum.accumulate(position[:, ::-1], axis=1)[:, ::-1]
    end = np.concatenate([following[:, 1:], np.full((len(codes), 1), size)], axis=1)
    return np.where(first, end - np.arange(size), 0)


def runs(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """An order that puts equal values together, and where each run of them begins.

    Examples
    --------
    >>> order, first = runs(np.array([7, 3, 7]))
    >>> order.tolist(), first.tolist()
    ([1, 0, 2], [0, 1])
    """
    order = values.argsort(kind="stable")
    ordered = values[order]
    begins = np.empty(len(values), dtype=bool)
    begins[:1] = True
    begins[1:] = ordered[1:] != ordered[:-1]
    return order, begins.nonzero()[0]


def run_numbers(order: NDArray[np.intp], first: NDArray[np.intp]) -> NDArray[np.intp]:
    """For every value the number of its run, see `runs`."""
    steps = np.zeros_like(order)
    steps[first[1:]] = 1
    number = np.empty_like(order)
    number[order] = steps.cumsum()
    return number


def row_runs(rows: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """`runs` of the rows of a table of unsigned integers."""
    if rows.shape[1] == 0:
        return np.arange(len(rows)), np.arange(min(1, len(rows)))
    width = rows.shape[1] * rows.itemsize
    return runs(np.ascontiguousarray(rows).view(np.dtype((np.void, width))).ravel())


def distinct_rows(
    counts: NDArray[np.signedinteger[Any]],
) -> tuple[tuple[tuple[int, ...], ...], NDArray[np.intp]]:
    """Distinct rows of small counts, and for every row the number of the distinct one.

    Examples
    --------
    >>> distinct_rows(np.array([[0, 1], [0, 0], [0, 1]]))
    (((0, 0), (0, 1)), array([1, 0, 1]))
    """
    if not counts.any():
        return ((0,) * counts.shape[1],), np.zeros(len(counts), dtype=np.intp)
    base = 1 + int(counts.max())
    if base ** counts.shape[1] > _FITS:
        order, first = row_runs(counts)
        rows = counts[order[first]].tolist()
        return tuple([tuple(row) for row in rows]), run_numbers(order, first)
    powers = [base**i for i in range(counts.shape[1])]
    codes = counts @ np.array(powers, dtype=np.intp)
    order, first = runs(codes)
    distinct = codes[order[first]].tolist()
    numbers = run_numbers(order, first)
    return tuple([tuple([code // p % base for p in powers]) for code in distinct]), numbers


def batches(sequence: Sized, size: int) -> Iterator[slice]:
    """Slices that cut a sequence into pieces of at most the given size."""
    for first in range(0, len(sequence), size):
        yield slice(first, first + size)
