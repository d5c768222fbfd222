"""Distinct rows of codes, numbered in the order in which they come.

Source: ours.
"""

from __future__ import annotations

from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.kernel import CompiledRows
from diagrams.engine.arrays.packing import Codes, Packing

__all__ = ["RowNumbers", "row_numbers"]


class RowNumbers(Protocol):
    """The numbers of distinct rows; they only become more."""

    def __len__(self) -> int:
        """How many there are."""

    def enter(self, codes: Codes) -> NDArray[np.int32]:
        """The numbers of some rows, new ones entered."""

    def rows(self, first: int, last: int) -> Codes:
        """The rows with some consecutive numbers."""


class _HashedRows:
    """The numbers by the bytes of the rows."""

    def __init__(self, packing: Packing, factors: int) -> None:
        self._dtype, self._factors = packing.dtype, factors
        self._number: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._number)

    def enter(self, codes: Codes) -> NDArray[np.int32]:
        width = codes.shape[1] * codes.dtype.itemsize
        packed = codes.tobytes()
        number = self._number
        numbers = [
            number.setdefault(packed[width * i : width * (i + 1)], len(number))
            for i in range(len(codes))
        ]
        return np.array(numbers, dtype=np.int32)

    def rows(self, first: int, last: int) -> Codes:
        packed = b"".join(islice(self._number, first, last))
        return np.frombuffer(packed, dtype=self._dtype).reshape(last - first, self._factors)


def row_numbers(packing: Packing, factors: int) -> RowNumbers:
    """No rows with a number of factors yet.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.
    factors : int
        Factors of each.
    """
    if packing.compiled is not None:
        return CompiledRows(factors, packing.dtype)
    return _HashedRows(packing, factors)
