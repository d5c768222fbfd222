"""The steps of the array engine: merge some packed diagrams, integrate some others.

As bytes, steps and results are arrays in numpy's own file format, one after the other, where object
arrays of integers are hexadecimal text.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.integration_by_parts import Contractions
from diagrams.engine.arrays.merging import ArrayMerger, Source
from diagrams.engine.arrays.packed_sums import PackedSum
from diagrams.engine.arrays.packing import Codes
from diagrams.engine.steps import EngineStep
from diagrams.errors import InvalidInputError

__all__ = ["Integration", "Merging"]

_Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Integration(EngineStep[list[Contractions]]):
    """Integrate one factor, or one nearly finished tensor, of each of some diagrams."""

    codes: Codes

    name: ClassVar[str] = "integration"

    def carry_out(self, merger: ArrayMerger) -> list[Contractions]:
        """The children, by their number of factors."""
        return merger.integrated(self.codes)

    def to_bytes(self) -> bytes:
        """The rows of factors as bytes."""
        return _written([self.codes])

    @staticmethod
    def result_to_bytes(result: list[Contractions]) -> bytes:
        """All arrays of all parts."""
        return _written(
            array
            for part in result
            for array in (
                part.codes, part.parent, part.child, part.free, part.multiplicity, part.free_nodes,
            )
        )  # fmt: skip

    @staticmethod
    def result_from_bytes(data: bytes) -> list[Contractions]:
        """The parts that arrays of results stand for."""
        return [Contractions(*arrays) for arrays in _groups(_read(data), 6)]


@dataclass(frozen=True, slots=True)
class Merging(EngineStep[PackedSum]):
    """Merge some diagrams with some blocks of the potential, and add up."""

    sources: tuple[Source, ...]

    name: ClassVar[str] = "merging"

    def carry_out(self, merger: ArrayMerger) -> PackedSum:
        """The sum of the mergers."""
        return merger.merged(self.sources)

    def to_bytes(self) -> bytes:
        """All arrays of all sources."""
        return _written(
            array
            for free, codes, coefficients, blocks in self.sources
            for array in (_integers(free), codes, _text(coefficients), _integers(blocks))
        )

    @staticmethod
    def result_to_bytes(result: PackedSum) -> bytes:
        """Free nodes, rows and coefficients of every group."""
        return _written(
            array
            for (_, free), (codes, coefficients) in result.items()
            for array in (_integers(free), codes, _text(coefficients))
        )

    @staticmethod
    def result_from_bytes(data: bytes) -> PackedSum:
        """The groups of a sum from its arrays."""
        return {
            (codes.shape[1], tuple(free.tolist())): (codes, _from_text(text))
            for free, codes, text in _groups(_read(data), 3)
        }


def _integers(values: Sequence[int]) -> _Array:
    return np.array(values, dtype=np.int64)


# Hexadecimal, because decimal text of very large integers is slow and Python limits its length.
def _text(values: NDArray[np.object_]) -> _Array:
    return np.frombuffer(
        " ".join([f"{value:x}" for value in values.tolist()]).encode("ascii"), dtype=np.uint8
    )


def _from_text(text: _Array) -> NDArray[np.object_]:
    return np.array([int(word, 16) for word in text.tobytes().split()], dtype=object)


def _written(arrays: Iterable[_Array]) -> bytes:
    stream = BytesIO()
    for array in arrays:
        np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def _read(data: bytes) -> list[_Array]:
    stream = BytesIO(data)
    arrays = []
    try:
        while stream.tell() < len(data):
            arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise InvalidInputError(f"cached result of a step: {error}; compute it again") from None
    return arrays


def _groups(arrays: Sequence[_Array], size: int) -> Iterator[Sequence[_Array]]:
    if len(arrays) % size:
        raise InvalidInputError(
            f"result of a step: {len(arrays)} arrays, in groups of {size}; compute it again"
        )
    for first in range(0, len(arrays), size):
        yield arrays[first : first + size]
