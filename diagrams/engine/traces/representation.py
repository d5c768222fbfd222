"""Diagrams that are products of traces, kept as cyclic words.

When every tensor has two slots and every node two slots attached to it, a diagram is a set of
cycles, that is a product of traces of matrix products. Merging and contracting keep that
property, so linear models (matrix factorisation, autoencoders, deep linear networks, with or
without data) never leave it. A cycle is written as a *cyclic word*: walking around it, a letter
for every factor, in one of two orientations. Its canonical form is the smallest among all
rotations of the word and of its reverse, a few string comparisons instead of a graph labelling.

With ``a`` a letter, ``P`` and ``Q`` words and ``~`` reversal (order and orientations):

- merging ``aP`` with ``bQ`` gives ``P ~Q`` if ``a = b`` and ``P Q`` if ``a = ~b``;
- contracting ``a`` with ``b`` in ``aPbQ`` gives ``P ~Q`` if ``a = b`` and the two words ``P`` and
  ``Q`` if ``a = ~b``; an empty word is a free node.

The letter of a symmetric tensor is its own reversal: contracting takes both ways, merging half of
each.

The expectation integrates the shortest word first: long words then split off short ones instead of
each other, which keeps the number of distinct products small (it is the reason why 40 derivatives
of a weight-tied autoencoder take a second).

Source: ours; for one Gaussian matrix the recursion is the Wishart moment recursion, see
U. Haagerup, S. Thorbjornsen, "Random matrices with complex Gaussian entries", 2003.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice

import flint

from diagrams.diagram import Diagram
from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.engine.representation import NoisePart, Representation
from diagrams.engine.steps import IN_PROCESS, StepRunner, step_key
from diagrams.engine.traces.cyclic_words import (
    Key,
    Word,
    canonical_word,
    opposite,
    reverse,
    tensor_of,
)
from diagrams.engine.traces.merging import TraceMerger
from diagrams.engine.traces.power_traces import power_of, power_trace
from diagrams.engine.traces.steps import TraceMerging
from diagrams.named_polynomial import NamedPolynomial, integer_context
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import UNIT_VARIANCE, Tensor
from diagrams.wick import Expectation, monomial

__all__ = ["TraceRepresentation", "is_product_of_traces"]

_PORTION = 256
"""Diagrams that are merged in one step: a fraction of a second, and many to share its cost."""

_TOGETHER = 64
"""Products that are contracted, and kept, together."""


_SHORT = 2
"""Traces of powers up to this are contracted: products of others need them."""


def is_product_of_traces(diagram: Diagram) -> bool:
    """Whether every tensor is Gaussian with two slots, every node free or of degree two."""
    return all(
        tensor.is_random and tensor.entries.is_wick and tensor.rank == 2
        for tensor in diagram.tensors
    ) and all(degree in (0, 2) for degree in diagram.degrees)


class TraceRepresentation(Representation[dict[Key, int]]):
    """Sums are encoded as dictionaries from products of cyclic words to integers.

    Parameters
    ----------
    blocks : FlowDiagrams
        The potential of the flow, its symmetries, and all tensors and axes that occur.
    tick : callable, optional
        Called with the number of diagrams that a step added; may raise to stop.
    work : StepRunner, default IN_PROCESS
        Carries out mergers. Expectations are taken here, because almost every one needs others
        that a neighbour has just found; the store keeps them too.
    """

    @staticmethod
    def suits(diagram: Diagram) -> bool:
        """Whether it is a product of traces."""
        return is_product_of_traces(diagram)

    def __init__(
        self, blocks: FlowDiagrams, tick: Tick | None = None, work: StepRunner = IN_PROCESS
    ) -> None:
        super().__init__(blocks, tick, work)
        self._merger = TraceMerger(blocks)
        self._ring = flint.fmpz_mpoly_ctx.get(
            [axis.name for axis in blocks.axes] or ["unused"], flint.Ordering.lex
        )
        self._size = [
            self._ring.constant(axis.pinned) if axis.pinned else generator
            for axis, generator in zip(blocks.axes, self._ring.gens(), strict=False)
        ]
        self._known: dict[tuple[Word, ...], flint.fmpz_mpoly] = {(): self._ring.constant(1)}
        self._steps: dict[tuple[Word, ...], tuple[tuple[Word, ...], ...]] | None = None

    # -- translation ---------------------------------------------------------------------------

    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> dict[Key, int]:
        """The encoded form of a linear combination."""
        encoded: Counter[Key] = Counter()
        for diagram, coefficient in terms:
            words = list(self._merger.words(diagram))
            encoded[self._merger.symmetrised(words, self._merger.free(diagram))] += coefficient
        return dict(encoded)

    def decode(self, encoded: dict[Key, int]) -> DiagramSum:
        """The linear combination of an encoded sum."""
        return collect(
            (self._merger.diagram(key), coefficient) for key, coefficient in encoded.items()
        )

    def count(self, encoded: dict[Key, int]) -> int:
        """Number of distinct diagrams."""
        return len(encoded)

    def without(self, encoded: dict[Key, int], kind: Callable[[Tensor], bool]) -> dict[Key, int]:
        """The products that have no tensor of a kind."""
        chosen = [place for place, tensor in enumerate(self.blocks.tensors) if kind(tensor)]

        def has(words: tuple[Word, ...]) -> bool:
            counts = self._merger.counts(words)
            return any(counts[place] for place in chosen)

        return {key: c for key, c in encoded.items() if not has(key[0])}

    # -- merging -------------------------------------------------------------------------------

    def derivative(self, sources: Iterable[tuple[dict[Key, int], Sequence[int]]]) -> dict[Key, int]:
        """Merge each encoded sum with blocks of the potential; the sum."""
        result: Counter[Key] = Counter()
        steps = (
            TraceMerging(part, tuple(blocks))
            for encoded, blocks in sources
            for part in _portions(encoded)
        )
        with closing(self.work.results(self._merger, steps, self.tick)) as results:
            for merged in results:
                before = len(result)
                for key, coefficient in merged.items():
                    result[key] += coefficient
                self.tick(len(result) - before)
        return {key: coefficient for key, coefficient in result.items() if coefficient}

    def noise(self, encoded: dict[Key, int], parts: Sequence[NoisePart]) -> dict[Key, int]:
        """The sum of second derivatives by the entries of some tensors.

        A letter is paired with every other of its tensor, as in a contraction, and so is each.
        """
        place = {tensor: number for number, tensor in enumerate(self.blocks.tensors)}
        axes = {axis: number for number, axis in enumerate(self.blocks.axes)}
        result: Counter[Key] = Counter()
        for tensor, number, symbols in parts:
            weight = number // len(tensor.orders)
            more = tuple(axes[axis] for axis in symbols)
            for (words, free), coefficient in encoded.items():
                for parted, remaining, count in self._pairings(words, place[tensor]):
                    loose = tuple(axis for part, axis in parted if not part)
                    new = [part for part, _ in parted if part]
                    key = self._merger.symmetrised([*remaining, *new], free + loose + more)
                    result[key] += coefficient * weight * count
            self.tick(0)
        self.tick(len(result))
        return {key: coefficient for key, coefficient in result.items() if coefficient}

    def _pairings(
        self, words: Sequence[Word], number: int
    ) -> Iterator[tuple[list[tuple[Word, int]], list[Word], int]]:
        """Every letter of a tensor paired with all others, see `_contractions`."""
        for word, copies in Counter(words).items():
            others = list(words)
            others.remove(word)
            period = (word + word).find(word, 1)
            for i in range(period):
                if tensor_of(word[i]) == number:
                    rest = word[i + 1 :] + word[:i]
                    for parts, remaining, count in self._contractions(word[i], rest, others):
                        yield parts, remaining, count * copies * (len(word) // period)

    def added(self, first: dict[Key, int], second: dict[Key, int]) -> dict[Key, int]:
        """The sum of two encoded sums."""
        total = Counter(first)
        total.update(second)
        return {key: coefficient for key, coefficient in total.items() if coefficient}

    # -- contraction ---------------------------------------------------------------------------

    @property
    def contractions(self) -> int:
        """Number of distinct diagrams contracted."""
        return len(self._known)

    def expectation(self, encoded: dict[Key, int]) -> Expectation:
        """The Gaussian expectation of an encoded sum."""
        return self._moments(self._totals(encoded))

    def polynomial(self, encoded: dict[Key, int]) -> NamedPolynomial | None:
        """The same as a polynomial of FLINT; None if a variance is no symbol."""
        variances = [tensor.variance for tensor in self.blocks.tensors]
        if not all(name.isidentifier() or name == UNIT_VARIANCE for name in variances):
            return None
        axes = [axis.name for axis in self.blocks.axes]
        names = sorted({*axes, *variances} - {UNIT_VARIANCE})
        place = {name: number for number, name in enumerate(names)}
        ring = integer_context(len(names))
        places: dict[int | str, int | str] = {n: place[name] for n, name in enumerate(axes)}
        parts = []
        for counts, value in self._totals(encoded).items():
            powers = [0] * max(1, len(names))
            for name, count in zip(variances, counts, strict=True):
                if name != UNIT_VARIANCE:
                    powers[place[name]] += count // 2
            in_sizes = value.project_to_context(ring, places) if axes else ring.constant(value[0,])
            parts.append(in_sizes * ring.from_dict({tuple(powers): 1}))
        while len(parts) > 1:  # in pairs: one after the other, the sum is gone through every time
            parts = [sum(parts[n + 1 : n + 2], parts[n]) for n in range(0, len(parts), 2)]
        return NamedPolynomial.of_integers(tuple(names), parts[0] if parts else ring.constant(0))

    def _totals(self, encoded: dict[Key, int]) -> dict[tuple[int, ...], flint.fmpz_mpoly]:
        """The counts of contractions by how often every tensor occurs."""
        if self.work.store is not None:
            products = (words for words, _ in encoded if not self._is_odd(words))
            while together := tuple(islice(products, _TOGETHER)):
                self._contract_together(together)
        totals: dict[tuple[int, ...], flint.fmpz_mpoly] = {}
        for (words, free), coefficient in encoded.items():
            value = self._expectation(words)
            if not value:
                continue
            for axis in free:
                value = value * self._size[axis]
            counts = self._merger.counts(words)
            totals[counts] = totals.get(counts, self._ring.constant(0)) + coefficient * value
        return totals

    def keep_steps(self) -> None:
        """Keep from now on what every product is contracted to, which `reach` needs."""
        self._steps = {}

    def reach(self, encoded: dict[Key, int]) -> int:
        """How many distinct products the expectation of an encoded sum rests on; taken after it.

        A function of the encoded sum alone: what was known before does not matter. Steps must
        have been kept from the start.
        """
        assert self._steps is not None
        seen = {words for words, _ in encoded if not self._is_odd(words)}
        waiting = list(seen)
        while waiting:
            for words in self._steps.get(waiting.pop(), ()):
                if words not in seen:
                    seen.add(words)
                    waiting.append(words)
        return len(seen)

    def forget(self) -> None:
        """Drop the table of expectations; a later request computes them again."""
        self._known = {(): self._ring.constant(1)}
        if self._steps is not None:
            self._steps = {}

    def _moments(self, totals: dict[tuple[int, ...], flint.fmpz_mpoly]) -> Expectation:
        result: Counter[tuple[tuple[str, int], ...]] = Counter()
        for counts, value in totals.items():
            for exponents, coefficient in value.to_dict().items():
                powers: Counter[str] = Counter()
                for axis, power in zip(self.blocks.axes, exponents, strict=False):
                    powers[axis.name] += int(power)
                for tensor, count in zip(self.blocks.tensors, counts, strict=True):
                    powers[tensor.variance] += count // 2
                result[monomial(powers)] += int(coefficient)
        return {key: Fraction(result[key]) for key in sorted(result) if result[key]}

    def _expectation(self, words: tuple[Word, ...]) -> flint.fmpz_mpoly:
        """The count of contractions as a polynomial in the sizes, variances left out."""
        known = self._known.get(words)
        if known is not None:
            return known
        if self._is_odd(words):
            return self._ring.constant(0)
        total = self._contracted(words)
        self._known[words] = total
        self.tick(1)
        return total

    def _is_odd(self, words: Iterable[Word]) -> bool:
        """Whether a tensor occurs an odd number of times, so that the expectation vanishes."""
        return any(count % 2 for count in self._merger.counts(words))

    def _contract_together(self, products: tuple[tuple[Word, ...], ...]) -> None:
        """Contract some products, or read the results of an earlier run.

        One record has all that was new, smaller products too: one by one they would cost more to
        keep than to contract again.
        """
        store = self.work.store
        if store is None or all(words in self._known for words in products):
            return
        key = step_key(self._merger, "products", json.dumps(products).encode())
        kept = self._read(store.recall(key))
        if kept is not None:
            before = len(self._known)
            self._known |= kept
            self.tick(len(self._known) - before)
            return
        before, start = len(self._known), time.perf_counter()
        for words in products:
            self._expectation(words)
        seconds = time.perf_counter() - start
        self.work.keep(key, lambda: _written(islice(self._known.items(), before, None)), seconds)

    def _read(self, data: bytes | None) -> dict[tuple[Word, ...], flint.fmpz_mpoly] | None:
        """The counts that `_written` wrote; None if there are none."""
        if data is None:
            return None
        try:
            return {
                tuple(map(str, words)): self._ring.from_dict(
                    {tuple(powers): int(count, 16) for powers, count in terms}
                )
                for words, terms in json.loads(data)
            }
        except (ValueError, TypeError):
            return None

    def _contracted(self, words: tuple[Word, ...]) -> flint.fmpz_mpoly:
        """`_expectation`, in closed form or from those of smaller products."""
        power = power_of(words[0]) if len(words) == 1 else None
        if power is not None and power > _SHORT:
            return self._power(words[0], power)
        shortest = min(words, key=lambda word: (len(word), word))
        others = list(words)
        others.remove(shortest)
        letter, rest = self._choose(shortest, others)
        children: dict[tuple[int, ...], Counter[tuple[Word, ...]]] = {}
        for parts, remaining, multiplicity in self._contractions(letter, rest, others):
            free = tuple(sorted(axis for part, axis in parts if not part))
            new = [canonical_word(part) for part, _ in parts if part]
            key = tuple(sorted([*remaining, *new]))
            children.setdefault(free, Counter())[key] += multiplicity
        if self._steps is not None:
            self._steps[words] = tuple({key for group in children.values() for key in group})
        total = self._ring.constant(0)
        for free, group in children.items():
            inner = self._ring.constant(0)
            for key, multiplicity in group.items():
                inner += multiplicity * self._expectation(key)
            for axis in free:
                inner = inner * self._size[axis]
            total += inner
        return total

    def _power(self, word: Word, power: int) -> flint.fmpz_mpoly:
        """The expectation of the trace of a power of one matrix times its transpose."""
        if self._steps is not None:
            self._steps[word,] = ()
        ends = [self._merger.start_axis[letter] for letter in (word[0], opposite(word[0]))]
        total: Counter[tuple[int, ...]] = Counter()
        for exponents, count in power_trace(power).items():
            powers = [0] * len(self._size)
            for axis, exponent in zip(ends, exponents, strict=True):
                pinned = self.blocks.axes[axis].pinned
                if pinned is None:
                    powers[axis] += exponent
                else:
                    count *= pinned**exponent
            total[tuple(powers)] += count
        return self._ring.from_dict(total)

    def _choose(self, word: Word, others: Sequence[Word]) -> tuple[str, Word]:
        """The letter of the shortest word with the fewest partners, and the word cut there."""
        counts = self._merger.counts((word, *others))
        at = min(range(len(word)), key=lambda i: (counts[tensor_of(word[i])], i))
        return word[at], word[at + 1 :] + word[:at]

    def _contractions(
        self, letter: str, rest: Word, others: Sequence[Word]
    ) -> Iterator[tuple[list[tuple[Word, int]], list[Word], int]]:
        """Pair one letter with all its partners.

        Yields the new words, each with the axis of its node if it is empty, the words that were
        not touched, and a multiplicity.
        """
        backwards = opposite(letter)
        start, stop = self._merger.start_axis[letter], self._merger.start_axis[backwards]
        for i, partner in enumerate(rest):
            before, after = rest[:i], rest[i + 1 :]
            if partner == backwards:
                yield [(before, stop), (after, start)], list(others), 1
            if partner == letter:
                yield [(before + reverse(after), stop)], list(others), 1
        for word, copies in Counter(others).items():
            remaining = list(others)
            remaining.remove(word)
            period = (word + word).find(word, 1)
            multiplicity = copies * (len(word) // period)
            for i in range(period):
                path = word[i + 1 :] + word[:i]
                if word[i] == letter:
                    yield [(rest + reverse(path), stop)], remaining, multiplicity
                if word[i] == backwards:
                    yield [(rest + path, stop)], remaining, multiplicity


def _portions(encoded: dict[Key, int]) -> Iterator[tuple[tuple[Key, int], ...]]:
    terms = iter(encoded.items())
    while portion := tuple(islice(terms, _PORTION)):
        yield portion


def _written(counts: Iterable[tuple[tuple[Word, ...], flint.fmpz_mpoly]]) -> bytes:
    """Products with their counts, as JSON: exponents and coefficients, these hexadecimal."""
    listed = [
        (
            words,
            [([int(power) for power in powers], f"{int(c):x}") for powers, c in value.terms()],
        )
        for words, value in counts
    ]
    return json.dumps(listed, separators=(",", ":")).encode()
