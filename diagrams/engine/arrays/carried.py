"""The integers that the diagrams of one level carry, and passing them on to another level.

The integers encode polynomials (`diagrams.engine.arrays.kronecker`): they are as long as the
polynomials are, and passing one on is multiplying it by a small integer and shifting it.

Source: ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.codes import Weights
from diagrams.engine.arrays.kernel import pass_limbs
from diagrams.engine.arrays.kronecker import objects

__all__ = ["Carried", "Ways", "carried"]

_LIMB = 64
"""Bits of a limb."""

_BLOCK = 8192
"""Diagrams whose integers become wider together: megabytes, and hundreds of ways at once."""

_ROUNDED = 1 + 1e-9
"""More than a sum of doubles may lose."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Along which ways some consecutive diagrams pass on what they carry.

    ``parent`` counts from the first of them; the integer is multiplied by ``multiplicity`` and
    shifted by the bits ``shifts[shift]``, or multiplied by that monomial, on its way to ``child``.
    """

    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    multiplicity: NDArray[np.int64] | Weights
    shift: NDArray[np.int32]
    shifts: Sequence[Any]


Own = TypeVar("Own", bound="Carried")


class Carried(Protocol):
    """One integer for each diagram of a level; zero where nothing has arrived."""

    def reserve(self, count: int) -> None:
        """Have room for so many diagrams."""

    def add(self, numbers: NDArray[np.int32], values: Weights) -> None:
        """Add integers to those of some diagrams, repeated ones one after the other."""

    def is_silent(self, first: int, last: int) -> bool:
        """Whether some consecutive diagrams carry nothing."""

    def pass_on(self: Own, first: int, last: int, ways: Ways, target: Own) -> None:
        """Add what some consecutive diagrams carry to others."""

    def value(self, number: int) -> Any:
        """What one diagram carries."""


class _Integers:
    """Integers of Python."""

    def __init__(self, count: int) -> None:
        self._values: Weights = np.zeros(count, dtype=object)

    def reserve(self, count: int) -> None:
        if len(self._values) < count:
            # The level is still growing: leave some room.
            longer = np.zeros(count + count // 2, dtype=object)
            longer[: len(self._values)] = self._values
            self._values = longer

    def add(self, numbers: NDArray[np.int32], values: Weights) -> None:
        np.add.at(self._values, numbers, values)

    def is_silent(self, first: int, last: int) -> bool:
        return not self._values[first:last].any()

    def pass_on(self, first: int, last: int, ways: Ways, target: _Integers) -> None:
        passed = self._values[first:last][ways.parent]
        used = passed.nonzero()[0]
        shifts = objects(ways.shifts)[ways.shift[used]]
        target.add(ways.child[used], self._times(passed[used] * ways.multiplicity[used], shifts))

    def _times(self, values: Weights, shifts: Weights) -> Weights:
        """Values times what the shifts stand for."""
        result: Weights = values << shifts
        return result

    def value(self, number: int) -> Any:
        return self._values[number]


class _Polynomials(_Integers):
    """Sparse polynomials; a shift is the monomial that they are multiplied by."""

    def _times(self, values: Weights, shifts: Weights) -> Weights:
        result: Weights = values * shifts
        return result


class _LimbBlock:
    """Some consecutive rows of limbs; no integer is larger in size than ``bound``."""

    def __init__(self, count: int) -> None:
        self.limbs = np.zeros((count, 1), dtype=np.uint64)
        self.bound = 0

    def lengthen(self, count: int) -> None:
        """Have at least so many rows."""
        have, width = self.limbs.shape
        if have < count:
            longer = np.zeros((count, width), dtype=np.uint64)
            longer[:have] = self.limbs
            self.limbs = longer

    def value(self, row: int) -> int:
        return int.from_bytes(self.limbs[row].astype("<u8").tobytes(), "little", signed=True)

    def put(self, row: int, value: int) -> None:
        size = self.limbs.shape[1] * (_LIMB // 8)
        data = value.to_bytes(size, "little", signed=True)
        self.limbs[row] = np.frombuffer(data, dtype="<u8")

    def widen(self, more: int) -> None:
        """Let the integers become larger by so much."""
        self.bound += more
        needed = self.bound.bit_length() // _LIMB + 1
        have = self.limbs.shape[1]
        if needed > have:
            # Levels become wider little by little: leave some room.
            wider = np.empty((len(self.limbs), needed + needed // 4), dtype=np.uint64)
            wider[:, :have] = self.limbs
            wider[:, have:] = (self.limbs[:, -1:].view(np.int64) >> (_LIMB - 1)).view(np.uint64)
            self.limbs = wider


class _Limbs:
    """Integers as rows of 64-bit limbs in two's complement, for the compiled kernel.

    The rows are in blocks, each as wide as it must be: a level that grows, in diagrams or in bits,
    is never copied as a whole.
    """

    def __init__(self, count: int) -> None:
        self._blocks: list[_LimbBlock] = []
        self._count = 0
        self._extend(count)

    def reserve(self, count: int) -> None:
        if self._count < count:
            # The level is still growing: leave some room.
            self._extend(count + count // 2)

    def _extend(self, count: int) -> None:
        self._count = count
        if self._blocks:
            self._blocks[-1].lengthen(min(_BLOCK, count - (len(self._blocks) - 1) * _BLOCK))
        while (rest := count - len(self._blocks) * _BLOCK) > 0:
            self._blocks.append(_LimbBlock(min(_BLOCK, rest)))

    def add(self, numbers: NDArray[np.int32], values: Weights) -> None:
        more: defaultdict[int, int] = defaultdict(int)
        pairs = list(zip(numbers.tolist(), values.tolist(), strict=True))
        for number, value in pairs:
            more[number // _BLOCK] += abs(value)
        for number, size in more.items():
            self._blocks[number].widen(size)
        for number, value in pairs:
            block, row = self._blocks[number // _BLOCK], number % _BLOCK
            block.put(row, block.value(row) + value)

    def is_silent(self, first: int, last: int) -> bool:
        return not any(here.limbs[rows].any() for here, rows, _ in self._spans(first, last))

    def pass_on(self, first: int, last: int, ways: Ways, target: _Limbs) -> None:
        for here, rows, before in self._spans(first, last):
            own = ways
            if before or rows.stop - rows.start < last - first:
                chosen = (ways.parent >= before) & (ways.parent < before + rows.stop - rows.start)
                own = _chosen(ways, chosen.nonzero()[0], parent=before)
            target._receive(here.limbs[rows], here.bound, own)

    def _receive(self, source: NDArray[np.uint64], bound: int, ways: Ways) -> None:
        """Add what arrives from some rows, none of which is larger than the bound."""
        if not len(ways.parent):
            return
        for block, own in self._by_block(ways):
            # At most so much of one diagram arrives at another: all its copies together.
            most = np.bincount(own.child, weights=np.abs(own.multiplicity))
            largest = ceil(float(most.max()) * _ROUNDED)
            block.widen((bound * largest) << max(own.shifts))
            pass_limbs(
                source,
                block.limbs,
                own.parent,
                own.child,
                own.multiplicity,
                own.shift,
                own.shifts,
            )

    def _by_block(self, ways: Ways) -> Iterator[tuple[_LimbBlock, Ways]]:
        """The blocks of children with the ways to each of them."""
        if len(self._blocks) == 1:
            yield self._blocks[0], ways
            return
        number = (ways.child // _BLOCK).astype(np.uint16)  # short ones are sorted in one pass
        order = np.argsort(number, kind="stable")
        last = 0
        for block, count in enumerate(np.bincount(number).tolist()):
            first, last = last, last + count
            if count:
                yield self._blocks[block], _chosen(ways, order[first:last], child=block * _BLOCK)

    def _spans(self, first: int, last: int) -> Iterator[tuple[_LimbBlock, slice, int]]:
        """The blocks of some consecutive diagrams, the rows there, how many are before them."""
        at = first
        while at < last:
            number, row = divmod(at, _BLOCK)
            count = min(_BLOCK - row, last - at)
            yield self._blocks[number], slice(row, row + count), at - first
            at += count

    def value(self, number: int) -> int:
        return self._blocks[number // _BLOCK].value(number % _BLOCK)


def _chosen(ways: Ways, chosen: NDArray[np.intp], *, parent: int = 0, child: int = 0) -> Ways:
    """Some of the ways, with parents and children counted from others."""
    return Ways(
        ways.parent[chosen] - np.int32(parent),
        ways.child[chosen] - np.int32(child),
        ways.multiplicity[chosen],
        ways.shift[chosen],
        ways.shifts,
    )


def carried(count: int, *, is_compiled: bool, is_sparse: bool = False) -> Carried:
    """Nothing yet on a level with so many diagrams.

    Parameters
    ----------
    count : int
    is_compiled : bool
        Whether the compiled kernel passes on; the multiplicities are then 64-bit integers.
    is_sparse : bool, default False
        Whether the shifts are monomials, see `diagrams.engine.arrays.kronecker.SparseLayout`.

    Examples
    --------
    >>> here, there = carried(1, is_compiled=False), carried(2, is_compiled=False)
    >>> here.add(np.array([0], dtype=np.int32), np.array([5], dtype=object))
    >>> zero, one = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    >>> here.pass_on(0, 1, Ways(zero, one, np.array([3]), zero, [8]), there)
    >>> there.value(1) == 15 << 8
    True
    """
    if is_sparse:
        return _Polynomials(count)
    return _Limbs(count) if is_compiled else _Integers(count)
