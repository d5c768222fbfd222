"""The step of the trace engine: merge some products of traces.

As bytes, steps and results are JSON, integers of any size hexadecimal text.

Source: ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from diagrams.engine.steps import EngineStep
from diagrams.engine.traces.cyclic_words import Key, Word
from diagrams.engine.traces.merging import TraceMerger
from diagrams.errors import InvalidInputError

__all__ = ["TraceMerging"]


@dataclass(frozen=True, slots=True)
class TraceMerging(EngineStep[dict[Key, int]]):
    """Merge some products with some blocks of the potential, and add up."""

    terms: tuple[tuple[Key, int], ...]
    blocks: tuple[int, ...]

    name: ClassVar[str] = "merging"

    def carry_out(self, merger: TraceMerger) -> dict[Key, int]:
        """The sum of the mergers."""
        return merger.merged(self.terms, self.blocks)

    def to_bytes(self) -> bytes:
        """The blocks and the terms."""
        return json.dumps([self.blocks, _listed(self.terms)]).encode()

    @staticmethod
    def result_to_bytes(result: dict[Key, int]) -> bytes:
        """The terms of a sum from their bytes."""
        return json.dumps(_listed(result.items())).encode()

    @staticmethod
    def result_from_bytes(data: bytes) -> dict[Key, int]:
        """The products of such terms.

        Raises
        ------
        InvalidInputError
            If it is not a list of terms.
        """
        try:
            return {
                (tuple(map(str, words)), tuple(map(int, free))): int(coefficient, 16)
                for words, free, coefficient in json.loads(data)
            }
        except (ValueError, TypeError) as error:
            raise InvalidInputError(f"cached result of a step: {error}; compute it again") from None


def _listed(
    terms: Iterable[tuple[Key, int]],
) -> list[tuple[tuple[Word, ...], tuple[int, ...], str]]:
    return [(words, free, f"{coefficient:x}") for (words, free), coefficient in terms]
