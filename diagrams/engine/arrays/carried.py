"""The integers that the diagrams of one level carry, and passing them on to another level.

The integers encode polynomials (`diagrams.engine.arrays.kronecker`): they are as long as the
polynomials are, and passing one on is multiplying it by a small integer and shifting it.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class _Limbs:
    """Integers as rows of 64-bit limbs in two's complement, for the compiled kernel.

    No integer is larger in size than ``bound``, by which the rows are as wide as they must be.
    """

    def __init__(self, count: int) -> None:
        self._limbs = np.zeros((count, 1), dtype=np.uint64)
        self._bound = 0

    def reserve(self, count: int) -> None:
        if len(self._limbs) < count:
            more = count + count // 2 - len(self._limbs)
            self._limbs = np.pad(self._limbs, ((0, more), (0, 0)))

    def add(self, numbers: NDArray[np.int32], values: Weights) -> None:
        if not len(values):
            return
        self._widen(int(sum(map(abs, values))))
        size = self._limbs.shape[1] * (_LIMB // 8)
        for number, value in zip(numbers.tolist(), values.tolist(), strict=True):
            total = self.value(number) + value
            row = total.to_bytes(size, "little", signed=True)
            self._limbs[number] = np.frombuffer(row, dtype="<u8")

    def is_silent(self, first: int, last: int) -> bool:
        return not self._limbs[first:last].any()

    def pass_on(self, first: int, last: int, ways: Ways, target: _Limbs) -> None:
        here = self._limbs[first:last]
        if len(ways.parent):
            # At most so much of one diagram arrives at another: all its copies together.
            most = np.bincount(ways.child, weights=np.abs(ways.multiplicity))
            largest = ceil(float(most.max()) * _ROUNDED)
            target._widen((self._bound * largest) << max(ways.shifts))
            pass_limbs(
                here,
                target._limbs,
                ways.parent,
                ways.child,
                ways.multiplicity,
                ways.shift,
                ways.shifts,
            )

    def value(self, number: int) -> int:
        return int.from_bytes(self._limbs[number].astype("<u8").tobytes(), "little", signed=True)

    def _widen(self, more: int) -> None:
        """Let the integers become larger by so much."""
        self._bound += more
        needed = self._bound.bit_length() // _LIMB + 1
        count, have = self._limbs.shape
        if needed > have:
            # Levels become wider little by little: leave some room.
            wider = np.empty((count, needed + needed // 4), dtype=np.uint64)
            wider[:, :have] = self._limbs
            wider[:, have:] = (self._limbs[:, -1:].view(np.int64) >> (_LIMB - 1)).view(np.uint64)
            self._limbs = wider


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
