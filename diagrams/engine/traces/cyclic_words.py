"""Cyclic words: cyclic sequences of oriented letters.

A *cyclic word* stands for a cycle of a diagram (`diagrams.engine.traces.representation`): a letter
for each factor met on the way around. A letter is one of two neighbouring characters, one for each
orientation in which its tensor can be walked; a symmetric tensor has one. Rotating a word or
walking it backwards does not change the cycle.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

from diagrams.tensors import Tensor

__all__ = [
    "Key",
    "Word",
    "canonical_word",
    "letter_of",
    "opposite",
    "reverse",
    "tensor_of",
    "tensor_permutations",
]

Word = str

Key = tuple[tuple[Word, ...], tuple[int, ...]]
"""Cyclic words, sorted, and the numbers of the axes of the free nodes, sorted."""

_BASE = 64
"""Code of the first letter: even, so that the lowest bit is the orientation, and printable."""

_SYMMETRIC = 0x10000
"""Code of the first letter of a symmetric tensor: those from here on are their own opposites."""


def letter_of(tensor: int, slot: int, *, symmetric: bool = False) -> str:
    """The letter of the tensor with this number, walked from the given slot to the other.

    A symmetric tensor has one letter, whichever way it is walked.
    """
    return chr(_SYMMETRIC + 2 * tensor) if symmetric else chr(_BASE + 2 * tensor + slot)


def tensor_of(letter: str) -> int:
    """The number of the tensor of a letter."""
    code = ord(letter)
    return (code - (_BASE if code < _SYMMETRIC else _SYMMETRIC)) // 2


def opposite(letter: str) -> str:
    """The same tensor walked the other way."""
    code = ord(letter)
    return chr(code ^ 1) if code < _SYMMETRIC else letter


class _Opposite(dict[int, str]):
    """Translation table that flips the orientation of letters."""

    def __missing__(self, letter: int) -> str:
        self[letter] = opposite(chr(letter))
        return self[letter]


_OPPOSITE = _Opposite()


def reverse(word: Word) -> Word:
    """Walk the other way: opposite order, opposite orientations."""
    return word[::-1].translate(_OPPOSITE)


def canonical_word(word: Word) -> Word:
    """The smallest rotation of a cyclic word or of its reverse.

    Examples
    --------
    The two orientations of a letter are neighbours, ``b`` and ``c``, ``d`` and ``e``. Reversing
    ``dbe`` gives ``ebd`` with flipped letters, ``dce``:

    >>> canonical_word("dbe"), canonical_word("dce")
    ('bed', 'bed')
    """
    length = len(word)
    backwards = reverse(word)
    first = min(min(word), min(backwards))
    return min(
        [
            doubled[start : start + length]
            for doubled in (word + word, backwards + backwards)
            for start in range(length)
            if doubled[start] == first
        ]
    )


def tensor_permutations(
    classes: Sequence[Sequence[Tensor]], tensors: Sequence[Tensor]
) -> Iterator[tuple[tuple[int, ...], dict[int, int]]]:
    """All permutations within the classes of symmetric tensors, the identity first.

    For each, the tensor that every tensor is the image of, and the translation of letters.
    """
    number = {tensor: index for index, tensor in enumerate(tensors)}
    members = [number[tensor] for one in classes for tensor in one]
    for images in product(*(permutations(one) for one in classes)):
        image = [number[tensor] for one in images for tensor in one]
        origin = dict(zip(image, members, strict=True))
        table = {
            ord(letter_of(old, side, symmetric=symmetric)): ord(
                letter_of(new, side, symmetric=symmetric)
            )
            for old, new in zip(members, image, strict=True)
            for symmetric in (tensors[old].symmetric,)
            for side in (0, 1)
        }
        yield tuple(origin[index] for index in range(len(tensors))), table
