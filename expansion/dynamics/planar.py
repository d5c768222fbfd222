r"""Means of long words of large Gaussian matrices, by pairings without crossings.

When all axes grow, the mean of tr(x_1 x_2 ... x_n) is at leading order the sum over pairings of
equal matrices whose arcs do not cross. The first letter x_1 = M is paired with an x_k = Mᵀ, and
what is between them and what is outside are traces of their own:

    E tr(x_1 ... x_n)  =  Σ_k var(M) · E tr(x_2 ... x_{k-1}) · E tr(x_{k+1} ... x_n),

where an empty word is the size of its axis. Words a wᵐ that grow by one piece w share their parts,
so that dozens of them cost little.

>>> from diagrams.tensors import Axis, Tensor
>>> p, N = Axis("p"), Axis("N")
>>> X = Tensor("X", (p, N), variance="v")
>>> scaling = Scaling({"p": Fraction(1), "N": Fraction(1), "v": Fraction(0)}, Fraction(0))
>>> words = GrowingWords((), ((X, False), (X, True)), scaling)
>>> for mean in words.means(4)[1:]:
...     print(mean)
p*N*v
p**2*N*v**2 + p*N**2*v**2
p**3*N*v**3 + 3*p**2*N**2*v**3 + p*N**3*v**3
>>> words.means_at({"p": Fraction(2), "N": Fraction(4), "v": Fraction(1, 2)}, 3)[2]
(Fraction(3, 1), Fraction(12, 1))

Source: G. 't Hooft, Nucl. Phys. B 72 (1974) 461; A. Nica, R. Speicher, Lectures on the
Combinatorics of Free Probability (2006), lecture 22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Generic, TypeVar

from flint import fmpz

from diagrams.diagram import Diagram
from expansion.dynamics.scales import Scaling
from expansion.dynamics.trace_words import (
    TensorLetter,
    are_words,
    named,
    trace_letters,
    transposed,
)
from expansion.polynomial import Polynomial

__all__ = ["ChainMeans", "GrowingWords", "growing_words"]

Value = TypeVar("Value", Polynomial, fmpz)

_LEAST = 3
"""Members of a chain from which the piece that it grows by is read."""


@dataclass(frozen=True)
class GrowingWords:
    """The words a, a w, a w w, ... of Gaussian matrices whose axes grow.

    Parameters
    ----------
    base, piece : tuple of TensorLetter
        a and w.
    scaling : Scaling
        Of every mean the terms of the largest order are kept. All terms are positive, so that they
        come from the largest orders of its parts.
    """

    base: tuple[TensorLetter, ...]
    piece: tuple[TensorLetter, ...]
    scaling: Scaling

    def means(self, number: int) -> list[Polynomial]:
        """The means of the first words, zero if no pairing is without crossings."""
        pairings = _Pairings(self, {name: named(name) for name in self._names}, Polynomial())
        return [pairings.mean(m)[1] for m in range(number)]

    def means_at(
        self, numbers: Mapping[str, Fraction], number: int
    ) -> list[tuple[Fraction | None, Fraction]]:
        """Their orders, None of those that vanish, and their values at numbers, in little time.

        Parameters
        ----------
        numbers : mapping from str to Fraction
            A value for every symbol.
        number : int
        """
        values = {
            name: Fraction(size.evaluate(**{each: numbers[each] for each in size.symbols}))
            for name, size in ((name, named(name)) for name in self._names)
        }
        # A word of 2n letters has n variances and n + 1 loops: as whole numbers they cost least.
        variances = {tensor.variance for tensor, _ in (*self.base, *self.piece)}
        scale, scales = (
            lcm(*(x.denominator for name, x in values.items() if (name in variances) is inside))
            for inside in (False, True)
        )
        whole = {
            name: fmpz(int(x * (scales if name in variances else scale)))
            for name, x in values.items()
        }
        pairings = _Pairings(self, whole, fmpz(0))
        result = []
        for m in range(number):
            order, value = pairings.mean(m)
            half = (len(self.base) + m * len(self.piece)) // 2
            result.append((order, Fraction(int(value), scale ** (half + 1) * scales**half)))
        return result

    @property
    def _names(self) -> set[str]:
        """The names of all sizes and variances."""
        tensors = {tensor for tensor, _ in (*self.base, *self.piece)}
        sizes = {axis.name for tensor in tensors for axis in tensor.axes}
        return sizes | {tensor.variance for tensor in tensors}


class _Pairings(Generic[Value]):
    """Sums over pairings without crossings, of all parts of some words, in a ring of values.

    Parameters
    ----------
    words : GrowingWords
    values : mapping from str to Value
        Of sizes and variances.
    zero : Value
    """

    def __init__(self, words: GrowingWords, values: Mapping[str, Value], zero: Value) -> None:
        self._zero: Value = zero
        self._scaling = words.scaling
        self._start, self._step = len(words.base), len(words.piece)
        self._period = next(
            d for d in range(1, self._step + 1) if words.piece == words.piece[d:] + words.piece[:d]
        )
        letters = (*words.base, *words.piece[: self._period])
        orders = {name: words.scaling.multiple(dict(named(name))) for name in values}
        self._loops: list[tuple[int, Value]] = [
            (orders[name], values[name]) for name in (t.axes[int(x)].name for t, x in letters)
        ]
        self._variances: list[tuple[int, Value]] = [
            (orders[t.variance], values[t.variance]) for t, _ in letters
        ]
        self._partner = [[_paired(one, other) for other in letters] for one in letters]
        self._known: dict[int, list[tuple[int, Value] | None]] = {}

    def mean(self, m: int) -> tuple[Fraction | None, Value]:
        """The order and the mean of tr(a wᵐ)."""
        length = self._start + m * self._step
        if length % 2:
            return None, self._zero
        # Shorter words first: what a sum is made of is always known.
        for shorter in range(2 * len(self._known), length + 2, 2):
            self._known[shorter] = [
                self._summed(start, shorter) for start in range(self._start + self._period)
            ]
        found = self._known[length][0]
        return (None, self._zero) if found is None else (self._scaling.of(found[0]), found[1])

    def _phase(self, place: int) -> int:
        """The first place from which on all letters are the same."""
        if place < self._start:
            return place
        return self._start + (place - self._start) % self._period

    def _summed(self, start: int, length: int) -> tuple[int, Value] | None:
        """Order and mean of the trace of so many letters from one of them on."""
        loop = self._loops[start]
        if not length:
            return loop
        best: int | None = None
        total = self._zero
        order_of, variance = self._variances[start]
        partner, after = self._partner[start], self._phase(start + 1)
        for inside in range(0, length - 1, 2):
            if not partner[self._phase(start + inside + 1)]:
                continue
            one = self._known[inside][after]
            outside = length - inside - 2
            # An empty word is a loop at the axis where it began.
            other = self._known[outside][self._phase(start + inside + 2)] if outside else loop
            if one is None or other is None:
                continue
            order = one[0] + other[0]
            if best is None or order > best:
                best, total = order, self._zero
            if order == best:
                total = total + one[1] * other[1]
        if best is None:
            return None
        value: Value = total * variance
        return best + order_of, value


@dataclass(frozen=True)
class ChainMeans:
    """The initial values of a chain of words, any number of them.

    Parameters
    ----------
    words : GrowingWords
    before : int
        Members of the chain before the first word.
    orders : (Fraction, Fraction)
        That of member 0, and by how much it grows with every member; what is of lower order counts
        as zero.
    """

    words: GrowingWords
    before: int
    orders: tuple[Fraction, Fraction]

    def started_later(self) -> ChainMeans:
        """Those of the chain without its first member."""
        low, step = self.orders
        return ChainMeans(self.words, self.before - 1, (low + step, step))

    def values(self, first: int, number: int) -> list[Polynomial]:
        """The initial values of the members first, ..., number - 1, exactly."""
        low, step = self.orders
        means = self.words.means(number - self.before)
        return [
            self.words.scaling.leading(dict(means[k - self.before]), low + step * k)
            for k in range(first, number)
        ]

    def values_at(self, numbers: Mapping[str, Fraction], first: int, number: int) -> list[Fraction]:
        """The same at numbers."""
        low, step = self.orders
        means = self.words.means_at(numbers, number - self.before)
        found = ((low + step * k, means[k - self.before]) for k in range(first, number))
        return [value if order == wanted else Fraction(0) for wanted, (order, value) in found]


def _paired(one: TensorLetter, other: TensorLetter) -> bool:
    """Whether two letters are paired without a twist; a symmetric matrix is its transpose."""
    (tensor, turned), (second, also) = one, other
    return tensor == second and (tensor.symmetric or turned != also)


def growing_words(cores: Sequence[Diagram], scaling: Scaling) -> GrowingWords | None:
    """The words of a chain of cores, of which the last one has m = 2.

    Parameters
    ----------
    cores : sequence of Diagram
        Members that follow each other.
    scaling : Scaling

    Returns
    -------
    GrowingWords or None
        None if they are no traces of Gaussian matrices with growing axes, or if no piece leads from
        each of the last three to the next.
    """
    if len(cores) < _LEAST or not are_words(cores, scaling):
        return None
    if any(tensor.symmetric for core in cores for tensor in core.tensors):
        return None
    first, second, third = (trace_letters(core) for core in cores[-_LEAST:])
    step = len(third) - len(second)
    if step <= 0 or len(second) - len(first) != step or len(first) < step:
        return None
    for word in _rotations(third):
        piece = word[-step:]
        if (
            word[-2 * step : -step] == piece
            and _same(word[:-step], second)
            and _same(word[: -2 * step], first)
        ):
            return GrowingWords(word[: -2 * step], piece, scaling)
    return None


def _rotations(word: tuple[TensorLetter, ...]) -> list[tuple[TensorLetter, ...]]:
    """A cyclic word from each of its letters on, in both directions."""
    return [each[k:] + each[:k] for each in (word, transposed(word)) for k in range(len(word))]


def _same(one: tuple[TensorLetter, ...], other: tuple[TensorLetter, ...]) -> bool:
    """Whether two words have the same trace."""
    return len(one) == len(other) and one in _rotations(other)
