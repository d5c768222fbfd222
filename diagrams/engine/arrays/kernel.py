"""The compiled steps of the array engine, where they were built.

``kernel.c`` is built when the package is installed, if there is a compiler, and is part of every
wheel. It does what the array operations of this folder do, diagram by diagram, with the same
results; without it, or with ``DIAGFLOW_KERNEL=off``, everything runs on numpy alone and takes
several times as long. What it leaves to numpy are tensors with laws of their own and symmetric
tensors.

It is a plain library without a line of Python in it, called with `ctypes`, which lets other
threads run meanwhile.

Source: ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from ctypes import (
    CDLL,
    POINTER,
    Structure,
    byref,
    c_int32,
    c_int64,
    c_uint8,
    c_uint64,
    c_void_p,
)
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, Protocol
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.codes import BITS, Codes, Kinds
from diagrams.errors import CapacityError

__all__ = [
    "CompiledPacking",
    "CompiledRows",
    "RawContractions",
    "is_compiled",
    "pass_limbs",
    "too_many_nodes",
]

_VERSION = 1
"""That of ``kernel.c``: a library that was built from another one is left alone."""

_OUT_OF_MEMORY, _TOO_MANY_NODES = 1, 2


class _Packing(Structure):
    _fields_ = (
        *((name, c_int32) for name in ("slots", "rank", "sizes", "axes", "classes", "has_members")),
        *((n, POINTER(c_int32)) for n in ("slot_axes", "more_nodes", "span_low", "span_high")),
        ("fixed", POINTER(c_uint8)),
        ("single", POINTER(c_uint8)),
    )


class _KernelResults(Structure):
    _fields_ = (
        ("ways", c_int64),
        ("distinct", c_int64),
        ("parent", POINTER(c_int32)),
        ("child", POINTER(c_int32)),
        ("multiplicity", POINTER(c_int64)),
        ("free", POINTER(c_int32)),
        ("codes", POINTER(c_uint64)),
    )


@cache
def _library() -> CDLL | None:
    """The library, None where there is none or it is another version."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.is_file():
            try:
                library = CDLL(str(path))
                if library.diagflow_version() == _VERSION:
                    library.diagflow_rows_make.restype = c_void_p
                    library.diagflow_rows_free.restype = None
                    library.diagflow_rows_count.restype = c_int64
                    library.diagflow_rows_at.restype = POINTER(c_uint64)
                    return library
            except (OSError, AttributeError):
                continue
    return None


def is_compiled() -> bool:
    """Whether steps are carried out by the compiled kernel.

    Examples
    --------
    >>> is_compiled() in (True, False)
    True
    """
    return os.environ.get("DIAGFLOW_KERNEL") != "off" and _library() is not None


class RawContractions:
    """What integration leads to, before equal ways of different diagrams are put in order.

    Attributes
    ----------
    codes : array of shape (results, factors)
        Distinct rows, in the order in which they were found.
    parent, child, multiplicity : arrays of shape (ways,)
        The diagram, the number of the result and how often it comes from the diagram.
    free : array of shape (ways, sizes)
        The nodes on every true axis that are left without factors.
    """

    def __init__(
        self, results: _KernelResults, factors: int, sizes: int, dtype: np.dtype[Any]
    ) -> None:
        ways = results.ways
        codes = _copied(results.codes, (results.distinct, factors), np.uint64)
        self.codes: Codes = codes.astype(dtype, copy=False)
        self.parent = _copied(results.parent, (ways,), np.int32)
        self.child = _copied(results.child, (ways,), np.int32)
        self.multiplicity = _copied(results.multiplicity, (ways,), np.int64)
        self.free = _copied(results.free, (ways, sizes), np.int32)


class CompiledRows:
    """Distinct rows of codes with their numbers (`row_numbers.RowNumbers`)."""

    def __init__(self, factors: int, dtype: np.dtype[Any]) -> None:
        self._library = _loaded()
        self._factors, self._dtype = factors, dtype
        pointer = self._library.diagflow_rows_make(c_int32(factors))
        if not pointer:
            raise MemoryError
        self._rows = c_void_p(pointer)
        finalize(self, self._library.diagflow_rows_free, self._rows)

    def __len__(self) -> int:
        return int(self._library.diagflow_rows_count(self._rows))

    def enter(self, codes: Codes) -> NDArray[np.int32]:
        """The numbers of some rows, new ones entered."""
        rows = np.ascontiguousarray(codes, dtype=np.uint64)
        numbers = np.empty(len(rows), dtype=np.int32)
        _check(
            self._library.diagflow_rows_enter(
                self._rows, _address(rows, c_uint64), c_int64(len(rows)), _address(numbers, c_int32)
            )
        )
        return numbers

    def rows(self, first: int, last: int) -> Codes:
        """The rows with some consecutive numbers."""
        at = self._library.diagflow_rows_at(self._rows, c_int64(first))
        shape = (last - first, self._factors)
        rows: Codes = _copied(at, shape, np.uint64).astype(self._dtype, copy=False)
        return rows


def pass_limbs(
    source: NDArray[np.uint64],
    target: NDArray[np.uint64],
    parent: NDArray[np.int32],
    child: NDArray[np.int32],
    multiplicity: NDArray[Any],
    shift: NDArray[np.int32],
    shifts: Sequence[int],
) -> None:
    """Add what diagrams carry, as rows of limbs, to what others do.

    Parameters
    ----------
    source, target : arrays of shape (diagrams, limbs)
        Integers in two's complement, the lowest limb first; those of ``target`` become larger and
        have room for that.
    parent, child, multiplicity, shift, shifts
        As for `carried.Ways`.
    """
    parent, child = np.ascontiguousarray(parent), np.ascontiguousarray(child)
    multiplicity = np.ascontiguousarray(multiplicity, dtype=np.int64)
    shift, bits = np.ascontiguousarray(shift), np.array(shifts, dtype=np.int64)
    _check(
        _loaded().diagflow_pass(
            _address(source, c_uint64), c_int64(source.shape[1]),
            _address(target, c_uint64), c_int64(target.shape[1]),
            _address(parent, c_int32), _address(child, c_int32), _address(multiplicity, c_int64),
            _address(shift, c_int32), _address(bits, c_int64), c_int64(len(parent)),
        )
    )  # fmt: skip


class CodeLayout(Protocol):
    """What the kernel has to know of a layout of codes (`packing.Packing`)."""

    slots: int
    rank: int
    sizes: int
    has_members: bool
    slot_axes: NDArray[np.intp]
    is_deterministic: NDArray[np.bool_]
    dtype: np.dtype[Any]

    def slots_meeting(self, slot: int) -> list[int]:
        """The slots in which a node of a slot can stand."""


class CompiledPacking:
    """A layout of codes as the kernel reads it.

    Parameters
    ----------
    packing : CodeLayout
    spans : tuple of (int, int)
        For each slot the range of axes that its nodes can lie on.
    more : list of int
        Numbers of nodes on the axes after the true ones.
    """

    def __init__(
        self, packing: CodeLayout, spans: tuple[tuple[int, int], ...], more: list[int]
    ) -> None:
        single = [
            packing.slots_meeting(slot) == [slot]
            and len({*packing.slot_axes[:, slot].tolist()}) == 1
            for slot in range(packing.rank)
        ]
        # Kept here: the structure holds their addresses alone.
        self._arrays = (
            np.ascontiguousarray(packing.slot_axes, dtype=np.int32),
            np.array([*more, 0], dtype=np.int32),
            np.array([low for low, _ in spans], dtype=np.int32),
            np.array([high for _, high in spans], dtype=np.int32),
            np.array(packing.is_deterministic, dtype=np.uint8),
            np.array([*single, False], dtype=np.uint8),
        )
        self._axes = packing.sizes + len(more)
        self._sizes = packing.sizes
        self._dtype = packing.dtype
        axes, nodes, low, high, fixed, is_single = self._arrays
        self._packing = _Packing(
            packing.slots,
            packing.rank,
            packing.sizes,
            self._axes,
            len(packing.slot_axes),
            packing.has_members,
            _address(axes, c_int32),
            _address(nodes, c_int32),
            _address(low, c_int32),
            _address(high, c_int32),
            _address(fixed, c_uint8),
            _address(is_single, c_uint8),
        )

    def integrate(self, codes: Codes, matchings: int) -> Iterator[RawContractions]:
        """Integrate one factor, or some nearly finished tensors, of each row.

        Parameters
        ----------
        codes : array of shape (diagrams, factors)
        matchings : int
            Tensors with at most so many matchings together are integrated at once; at most 15.

        Yields
        ------
        RawContractions
            For every pattern of nearly finished tensors, in their order.
        """
        library = _loaded()
        count, factors = codes.shape
        rows = np.ascontiguousarray(codes, dtype=np.uint64)
        starts = np.empty(self._axes + 1, dtype=np.int32)
        patterns = np.empty(count, dtype=np.int64)
        own, first = byref(self._packing), _address(rows, c_uint64)
        _check(
            library.diagflow_patterns(
                own, first, c_int64(count), c_int32(factors), c_int32(matchings),
                _address(starts, c_int32), _address(patterns, c_int64),
            )
        )  # fmt: skip
        for pattern in np.unique(patterns).tolist():
            chosen = np.flatnonzero(patterns == pattern).astype(np.int64)
            results = _KernelResults()
            _check(
                library.diagflow_integrate(
                    own, first, _address(chosen, c_int64), c_int64(len(chosen)), c_int32(factors),
                    _address(starts, c_int32), c_int64(pattern), byref(results),
                )
            )  # fmt: skip
            paired = 2 * sum(map(int, f"{pattern:o}")) if pattern else 2
            try:
                yield RawContractions(results, factors - paired, self._sizes, self._dtype)
            finally:
                library.diagflow_free_results(byref(results))

    def pack(
        self, nodes: NDArray[np.intp], kinds: Kinds, starts: NDArray[np.intp]
    ) -> NDArray[np.uint64]:
        """Rows of sorted codes (`Packing.pack`)."""
        library = _loaded()
        count, factors, _ = nodes.shape
        result = np.empty((count, factors), dtype=np.uint64)
        own = np.ascontiguousarray(nodes, dtype=np.int64)
        classes = np.ascontiguousarray(kinds, dtype=np.uint8)
        first = starts.astype(np.int32)
        _check(
            library.diagflow_pack(
                byref(self._packing), _address(own, c_int64), _address(classes, c_uint8),
                c_int64(count), c_int32(factors), _address(first, c_int32),
                _address(result, c_uint64),
            )
        )  # fmt: skip
        return result


def _loaded() -> CDLL:
    library = _library()
    assert library is not None
    return library


def too_many_nodes() -> CapacityError:
    """What is raised where a node number does not fit a packed factor."""
    return CapacityError(
        f"a diagram with more than {1 << BITS} nodes on one axis: does not fit a packed factor; "
        "ask for fewer terms"
    )


def _check(status: int) -> None:
    if status == _OUT_OF_MEMORY:
        raise MemoryError
    if status == _TOO_MANY_NODES:
        raise too_many_nodes()


def _address(array: NDArray[Any], kind: Any) -> Any:
    return array.ctypes.data_as(POINTER(kind))


def _copied(pointer: Any, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    if not all(shape):
        return np.zeros(shape, dtype=dtype)
    return np.array(np.ctypeslib.as_array(pointer, shape), dtype=dtype)
