"""Merging products of traces: the arithmetic of the step of `engine.traces.steps`.

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from diagrams.diagram import Diagram
from diagrams.engine.blocks import FlowDiagrams
from diagrams.engine.steps import Merger
from diagrams.engine.traces.cyclic_words import (
    Key,
    Word,
    canonical_word,
    letter_of,
    opposite,
    reverse,
    tensor_of,
    tensor_permutations,
)
from diagrams.tensors import Axis, Tensor

__all__ = ["TraceMerger"]


@dataclass(frozen=True, slots=True)
class _PotentialDerivative:
    """A block of the potential with one letter cut out, in its first orientation."""

    letter: str
    path: Word
    backwards: Word
    others: tuple[Word, ...]
    free: tuple[int, ...]
    weight: int


class TraceMerger(Merger):
    """Merges products of cyclic words with the blocks of the potential."""

    name: ClassVar[str] = "traces"

    def __init__(self, blocks: FlowDiagrams) -> None:
        super().__init__(blocks)
        self._axes: tuple[Axis, ...] = blocks.axes
        self._tensors: tuple[Tensor, ...] = blocks.tensors
        self._axis_number = {axis: number for number, axis in enumerate(self._axes)}
        self._letters = [
            tuple({letter_of(number, slot, symmetric=tensor.symmetric): slot for slot in (0, 1)})
            for number, tensor in enumerate(self._tensors)
        ]
        self._tensor_permutations = list(tensor_permutations(blocks.symmetric, self._tensors))
        # Both ends of a letter, as axis numbers: where walking along it starts and stops.
        self.start_axis: dict[str, int] = {}
        for number, tensor in enumerate(self._tensors):
            for orientation, letter in enumerate(self._letters[number]):
                self.start_axis[letter] = self._axis_number[tensor.axes[orientation]]
        self._derivatives_by_block = [
            self._derivatives(diagram, weight, {tensor for (tensor, _), _ in cuts})
            for (diagram, weight), cuts in zip(blocks.potential, blocks.cuts, strict=True)
        ]

    def _derivatives(
        self, diagram: Diagram, weight: int, tensors: Collection[Tensor]
    ) -> list[_PotentialDerivative]:
        """All ways to cut a letter of some tensors out of a block, equal ones collected."""
        words, free = list(self.words(diagram)), self.free(diagram)
        found: Counter[tuple[str, Word, tuple[Word, ...]]] = Counter()
        for j, word in enumerate(words):
            others = tuple(words[:j] + words[j + 1 :])
            for i, letter in enumerate(word):
                path = word[i + 1 :] + word[:i]
                # Walk so that the letter is met in its first orientation.
                backwards = opposite(letter)
                if backwards == letter:  # symmetric: the weights of blocks are even then
                    found[letter, path, others] += weight // 2
                    found[letter, reverse(path), others] += weight // 2
                else:
                    first = min(letter, backwards)
                    found[first, path if letter == first else reverse(path), others] += weight
        return [
            _PotentialDerivative(letter, path, reverse(path), others, free, total)
            for (letter, path, others), total in found.items()
            if self._tensor(letter) in tensors
        ]

    def _tensor(self, letter: str) -> Tensor:
        return self._tensors[tensor_of(letter)]

    def words(self, diagram: Diagram) -> Iterator[Word]:
        """A word for every cycle of a product of traces, begun and walked anyhow."""
        number = {tensor: index for index, tensor in enumerate(self._tensors)}
        ends: dict[int, list[tuple[int, int]]] = {}
        for index, (_, at) in enumerate(diagram.factors):
            for slot, node in enumerate(at):
                ends.setdefault(node, []).append((index, slot))
        seen: set[int] = set()
        for first in range(len(diagram.factors)):
            letters = []
            index, slot = first, 0
            while index not in seen:
                seen.add(index)
                tensor, at = diagram.factors[index]
                letters.append(self._letters[number[tensor]][0 if tensor.symmetric else slot])
                here = (index, 1 - slot)
                [(index, slot)] = [end for end in ends[at[1 - slot]] if end != here]
            if letters:
                yield "".join(letters)

    def free(self, diagram: Diagram) -> tuple[int, ...]:
        """The numbers of the axes of the free nodes."""
        return tuple(
            self._axis_number[axis]
            for axis, degree in zip(diagram.nodes, diagram.degrees, strict=True)
            if degree == 0
        )

    def diagram(self, key: Key) -> Diagram:
        """The diagram of a product of words and free nodes."""
        words, free = key
        nodes = [self._axes[axis] for axis in free]
        factors = []
        for word in words:
            offset = len(nodes)
            nodes += [self._axes[self.start_axis[letter]] for letter in word]
            for i, letter in enumerate(word):
                at = (offset + i, offset + (i + 1) % len(word))
                factors.append((self._tensor(letter), at[:: 1 if ord(letter) % 2 == 0 else -1]))
        return Diagram(tuple(nodes), tuple(factors))

    def symmetrised(self, words: Sequence[Word], free: Iterable[int]) -> Key:
        """The representative of a product under permutations of tensors that the problem allows.

        Among the images the one whose first tensors occur most often, then the smallest.
        """
        if len(self._tensor_permutations) == 1:
            return tuple(sorted(map(canonical_word, words))), tuple(sorted(free))
        counts = self.counts(words)
        best = max(tuple([counts[i] for i in origin]) for origin, _ in self._tensor_permutations)
        images = [
            tuple(sorted(canonical_word(word.translate(table)) for word in words))
            for origin, table in self._tensor_permutations
            if all(counts[i] == most for i, most in zip(origin, best, strict=True))
        ]
        return min(images), tuple(sorted(free))

    def merged(self, encoded: Iterable[tuple[Key, int]], blocks: Sequence[int]) -> dict[Key, int]:
        """The sum of the mergers of some products with some blocks."""
        result: Counter[Key] = Counter()
        by_letter: defaultdict[str, list[_PotentialDerivative]] = defaultdict(list)
        for block in blocks:
            for cut in self._derivatives_by_block[block]:
                by_letter[cut.letter].append(cut)
        for (words, free), coefficient in encoded:
            for j, word in enumerate(words):
                others = words[:j] + words[j + 1 :]
                period = (word + word).find(word, 1)
                repeats = coefficient * (len(word) // period)
                for i in range(period):
                    letter = word[i]
                    first = min(letter, opposite(letter))
                    for cut in by_letter[first]:
                        path = cut.backwards if letter == first else cut.path
                        merged = word[i + 1 :] + word[:i] + path
                        key = self._merged(letter, merged, others + cut.others, free + cut.free)
                        result[key] += repeats * cut.weight
        return dict(result)

    def _merged(
        self, letter: str, merged: Word, others: tuple[Word, ...], free: tuple[int, ...]
    ) -> Key:
        if merged:
            return self.symmetrised([merged, *others], free)
        return self.symmetrised(others, (*free, self.start_axis[letter]))

    def counts(self, words: Iterable[Word]) -> tuple[int, ...]:
        """How often each tensor occurs in some words."""
        return tuple(
            [
                sum(word.count(letter) for word in words for letter in letters)
                for letters in self._letters
            ]
        )
