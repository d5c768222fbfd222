r"""Free rectangular matrices: products of large independent Gaussian matrices in a basis of words.

Let M_1, M_2, ... be independent matrices with Gaussian entries of variances s_m between spaces of
sizes n_a that grow alike. To leading order a mean of traces of products is that of operators on the
full Fock space: words are an orthonormal basis, and a matrix from a space b to a space a puts a
letter in front of a word, or takes one away,

    M  =  sqrt(s n_a) c(M)  +  sqrt(s n_b) c(Mᵀ)*,          tr X = n_b <Ω_b, X Ω_b>.

An element X of the algebra that they generate is known by the vector X Ω_b, its components along
words. The product of X (from c to a) and Y (from b to c) has the components

    (X Y)_u  =  Σ over u = w v, over words x from c to t, of  (n_c/n_t)^{1/2} X_{w x} Y_{x* v},

with t the space where w and v meet and x* the word x read backwards with its letters transposed.
Vectors are cut off beyond some number of letters: for elements that flow from the M_m, what is left
out falls geometrically with it.

Where sizes do not grow alike, what comes to a larger space and goes back to a smaller one is
concentrated: its mean is that of the empty word, the rest is smaller by powers of their quotient.
Such words are left out.

>>> basis = WordBasis((Space("p", 2.0), Space("H", 3.0)), (Source(0, "H", "p", 0.5),), letters=4)
>>> M = basis.matrix(0)
>>> gram = basis.product("p", "H", "p")(basis.adjoint("p", "H")(M), M)
>>> round(basis.trace(gram, "p"), 12)  # n_p n_H s
3.0
>>> round(basis.trace(basis.product("p", "p", "p")(gram, gram), "p"), 12)  # with n_p + n_H and s^2
7.5

Source: D. Voiculescu, "Addition of certain non-commuting random variables", J. Funct. Anal. 66
(1986) 323, for the Fock space; F. Benaych-Georges, "Rectangular random matrices, related free
entropy and free Fisher's information", J. Operator Theory 62 (2009) 371, for spaces of different
sizes; the rule of products from it is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["Source", "Space", "WordAdjoint", "WordBasis", "WordProduct"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_Word = tuple[int, ...]
"""Letters, the first one acts last; letter 2 m is the matrix m, 2 m + 1 its transpose."""


@dataclass(frozen=True, slots=True)
class Space:
    """A space with the size of its axis.

    Parameters
    ----------
    name : str
    size : float
    order : Fraction, default 0
        How the size grows, if not all grow alike.
    """

    name: str
    size: float
    order: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Source:
    """A Gaussian matrix.

    Parameters
    ----------
    number : int
    rows, columns : str
        The names of the spaces to and from which it maps.
    variance : float
        Of an entry.
    symmetric : bool, default False
        Whether it equals its transpose.
    """

    number: int
    rows: str
    columns: str
    variance: float
    symmetric: bool = False


class WordBasis:
    """Words of a few letters, and how elements are multiplied in this basis.

    Parameters
    ----------
    spaces : sequence of Space
    sources : sequence of Source
        Numbered from 0.
    letters : int
        The most letters of a word.
    """

    def __init__(self, spaces: Sequence[Space], sources: Sequence[Source], *, letters: int) -> None:
        self.letters = letters
        self.size = {space.name: space.size for space in spaces}
        self._order = {space.name: space.order for space in spaces}
        self._sources = tuple(sources)
        self._ends: dict[int, tuple[str, str]] = {}
        for source in sources:
            self._ends[2 * source.number] = (source.rows, source.columns)
            if not source.symmetric:
                self._ends[2 * source.number + 1] = (source.columns, source.rows)
        self._words = cache(self._all_words)
        self._number = cache(self._numbered)

    @staticmethod
    def count(
        ends: Iterable[tuple[str, str]],
        tail: str,
        letters: int,
        orders: Mapping[str, Fraction] | None = None,
    ) -> int:
        """How many words there are from a space.

        Parameters
        ----------
        ends : iterable of (str, str)
            Head and tail of every letter.
        tail : str
        letters : int
            The most letters of a word.
        orders : mapping from str to Fraction, optional
            How the sizes of the spaces grow, if not alike.
        """
        pairs, order = list(ends), orders or {}
        # By the space where words end, and whether it is larger than one before.
        level, total = {(tail, False): 1}, 1
        for _ in range(letters):
            following: dict[tuple[str, bool], int] = {}
            for head, end in pairs:
                step = order.get(head, Fraction(0)) - order.get(end, Fraction(0))
                for risen in (False, True):
                    if not (risen and step < 0):
                        key = head, risen or step > 0
                        following[key] = following.get(key, 0) + level.get((end, risen), 0)
            level = following
            total += sum(level.values())
        return total

    def _all_words(self, tail: str, length: int) -> dict[str, tuple[_Word, ...]]:
        """The words of a length that begin in a space, by the space where they end."""
        if not length:
            return {tail: ((),)}
        found: dict[str, list[_Word]] = {}
        for end, words in self._words(tail, length - 1).items():
            for letter, (head, start) in self._ends.items():
                if start != end:
                    continue
                falls = self._order[head] < self._order[end]
                found.setdefault(head, []).extend(
                    (letter, *word) for word in words if not (falls and self._rises(word))
                )
        return {head: tuple(sorted(words)) for head, words in found.items()}

    def _rises(self, word: _Word) -> bool:
        """Whether a word comes to a space that is larger than the one before."""
        return any(
            self._order[head] > self._order[tail]
            for head, tail in (self._ends[letter] for letter in word)
        )

    def words(self, tail: str, head: str, length: int) -> tuple[_Word, ...]:
        """The words of a length from one space to another, sorted."""
        found = self._words(tail, length)
        return found.get(head, ())

    def _numbered(self, tail: str, head: str) -> dict[_Word, int]:
        """The place of every word from one space to another in a vector."""
        every = (w for n in range(self.letters + 1) for w in self.words(tail, head, n))
        return {word: place for place, word in enumerate(every)}

    def places(self, tail: str, head: str) -> dict[_Word, int]:
        """The place of every word from one space to another in a vector."""
        found: dict[_Word, int] = self._number(tail, head)
        return found

    def opposite(self, word: _Word) -> _Word:
        """The word read backwards, its letters transposed."""
        return tuple(
            letter if self._sources[letter // 2].symmetric else letter ^ 1
            for letter in reversed(word)
        )

    def magnitudes(self, tail: str, head: str) -> FloatArray:
        """How large components are, relative to each other: what passes a small space is small."""
        smallest = (
            min([self.size[tail], *(self.size[self._ends[letter][0]] for letter in word)])
            for word in self.places(tail, head)
        )
        return np.sqrt(np.array(list(smallest)) / self.size[tail])

    def matrix(self, number: int) -> FloatArray:
        """The vector of one of the Gaussian matrices."""
        source = self._sources[number]
        places = self.places(source.columns, source.rows)
        vector = np.zeros(len(places))
        vector[places[(2 * number,)]] = sqrt(source.variance * self.size[source.rows])
        return vector

    def identity(self, space: str) -> FloatArray:
        """The vector of the identity of a space."""
        vector = np.zeros(len(self.places(space, space)))
        vector[0] = 1.0
        return vector

    def trace(self, vector: FloatArray, space: str) -> float:
        """The trace of an element from a space to itself."""
        return self.size[space] * float(vector[0])

    def product(self, head: str, middle: str, tail: str) -> WordProduct:
        """The product of elements from `middle` to `head` and from `tail` to `middle`."""
        return WordProduct(self, head, middle, tail)

    def adjoint(self, head: str, tail: str) -> WordAdjoint:
        """The adjoint, from `tail` to `head`, of elements from `head` to `tail`."""
        return WordAdjoint(self, head, tail)


class WordAdjoint:
    """The adjoint of elements, a linear map of vectors.

    Parameters
    ----------
    basis : WordBasis
    head, tail : str
        The spaces that the adjoint maps to and from.
    """

    def __init__(self, basis: WordBasis, head: str, tail: str) -> None:
        given, wanted = basis.places(head, tail), basis.places(tail, head)
        self._from = np.zeros(len(wanted), dtype=np.intp)
        for word, place in wanted.items():
            self._from[place] = given[basis.opposite(word)]
        self._factor = sqrt(basis.size[head] / basis.size[tail])

    def __call__(self, vector: FloatArray) -> FloatArray:
        """The vector of the adjoint."""
        return self._factor * vector[self._from]

    def pulled_back(self, slope: FloatArray) -> FloatArray:
        """The derivative by an element, from that by its adjoint."""
        result = np.empty_like(slope)
        result[self._from] = self._factor * slope
        return result


@dataclass(frozen=True, slots=True)
class _Block:
    """Words w of one length and v of one length that meet in one space, with all x between."""

    first: IndexArray
    second: IndexArray
    weights: FloatArray
    result: IndexArray


class WordProduct:
    """The product of elements, cut off beyond the letters of the basis: a bilinear map.

    Parameters
    ----------
    basis : WordBasis
    head, middle, tail : str
        The first element maps `middle` to `head`, the second one `tail` to `middle`.
    """

    def __init__(self, basis: WordBasis, head: str, middle: str, tail: str) -> None:
        first = basis.places(middle, head)
        second = basis.places(tail, middle)
        result = basis.places(tail, head)
        self._length = len(result)
        self._blocks = tuple(
            block
            for meeting in basis.size
            for block in _blocks(basis, (head, middle, tail, meeting), first, second, result)
        )

    def __call__(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """The vector of the product."""
        # What is left out has the last place, with nothing in it.
        first, second = np.append(first, 0.0), np.append(second, 0.0)
        result = np.zeros(self._length + 1)
        for block in self._blocks:
            left, right = first[block.first], second[block.second] * block.weights
            result[block.result] += left @ right
        return result[:-1]

    def pulled_back(
        self, first: FloatArray, second: FloatArray, slope: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The derivatives by both elements, from that by their product."""
        first, second, slope = (np.append(vector, 0.0) for vector in (first, second, slope))
        by_first, by_second = np.zeros_like(first), np.zeros_like(second)
        for block in self._blocks:
            outer = slope[block.result]
            right = second[block.second] * block.weights
            by_first[block.first] += outer @ right.T
            by_second[block.second] += block.weights * (first[block.first].T @ outer)
        return by_first[:-1], by_second[:-1]


def _blocks(
    basis: WordBasis,
    spaces: tuple[str, str, str, str],
    first: dict[_Word, int],
    second: dict[_Word, int],
    result: dict[_Word, int],
) -> Iterable[_Block]:
    head, middle, tail, meeting = spaces
    weight = sqrt(basis.size[middle] / basis.size[meeting])
    lengths = range(basis.letters + 1)
    between = [basis.words(middle, meeting, j) for j in lengths]
    turned = [[basis.opposite(x) for x in words] for words in between]
    for k in lengths:
        before = basis.words(meeting, head, k)
        if not before:
            continue
        for m in range(basis.letters - k + 1):
            after = basis.words(tail, meeting, m)
            allowed = [j for j in lengths if max(j + k, j + m) <= basis.letters and between[j]]
            if not (after and allowed):
                continue
            xs = [x for j in allowed for x in between[j]]
            backwards = [x for j in allowed for x in turned[j]]
            yield _Block(
                np.array([[first.get(w + x, len(first)) for x in xs] for w in before]),
                np.array([[second.get(x + v, len(second)) for v in after] for x in backwards]),
                np.full((len(xs), 1), weight),
                np.array([[result.get(w + v, len(result)) for v in after] for w in before]),
            )
