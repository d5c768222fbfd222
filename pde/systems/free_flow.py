"""The flow of a matrix model on words: traces as scalar products, and their gradient.

Every trace of a model is the scalar product of two elements, each a product of moving matrices that
is cut off beyond some number of letters. What moves is the gradient flow of the sum of these
products, whatever is cut off: where traces are squares, so is what is left of them, and nothing
grows without bound. Under inertia the elements have velocities, at rest at first. Derivatives go
backwards through the products.

>>> from fractions import Fraction
>>> from expansion.dynamics.derivation import derive
>>> from expansion.dynamics.matrix_model import matrix_model
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> model = matrix_model(derive(regimes(cp(order=2), terms=4), "A-B"))
>>> numbers = {"p": Fraction(100), "H": Fraction(200), "sigma2": Fraction(1, 100)}
>>> flow = FreeFlow(model, numbers, letters=3)
>>> print(flow.output(flow.start).round(9))  # (p H sigma2)^2/2
[100.]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from expansion.dynamics.matrix_model import Letter, MatrixModel, TraceTerm, Word
from expansion.polynomial import Polynomial
from pde.curve import Parameters, bounded_float, exact_value
from pde.numerics.free_words import Source, Space, WordAdjoint, WordBasis, WordProduct
from pde.numerics.trajectories import Equation

__all__ = ["FreeFlow", "suits"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A trace as the scalar product of two words from one space to another, times a size."""

    first: Word
    second: Word
    tail: str


_MOST_STEPS = 400
"""Steps after which a flow is too stiff to be followed, and a curve ends; 60 are common."""

_Term = tuple[float, list[_Pair]]
"""A coefficient and the traces that it is multiplied by."""


def _halves(terms: Iterable[_Term]) -> Iterable[Word]:
    """The words of some traces."""
    return (word for _, pairs in terms for pair in pairs for word in (pair.first, pair.second))


class FreeFlow:
    """Traces of words of moving elements, and their derivatives, in a basis.

    Parameters
    ----------
    model : MatrixModel
    numbers : mapping from str to Fraction
    letters : int

    Raises
    ------
    ValueError
        If a trace is no scalar product of words that are kept, see `suits`.
    """

    def __init__(self, model: MatrixModel, numbers: Parameters, letters: int) -> None:
        self._model = model
        pace, self._gain = 1.0, 1.0
        if model.depth is not None:
            numbers = model.depth.moved(numbers)
            pace, self._gain = 2.0**-model.depth.time, 2.0**-model.depth.output
        orders = dict(model.orders)
        spaces = [
            Space(name, float(numbers[axis]), orders.get(axis, Fraction(0)))
            for name, axis in model.spaces.items()
        ]
        sources = [
            Source(
                number,
                rows=model.ends[number][0],
                columns=model.ends[number][1],
                variance=_number(matrix.variance, numbers),
                symmetric=matrix.tensor.symmetric,
            )
            for number, matrix in enumerate(model.matrices)
        ]
        self.basis = WordBasis(spaces, sources, letters=letters)
        self._moving = [n for n, m in enumerate(model.matrices) if len(m.rate)]
        # tr(XᵀY) is the size of a space times a scalar product.
        self._speeds: list[tuple[int, float]] = []
        for number in self._moving:
            size = self.basis.size[self._ends((number, False))[1]]
            rate = pace * _number(model.matrices[number].rate, numbers)
            self._speeds.append((number, rate / size))
        vectors = [self.basis.matrix(n) for n in range(len(sources))]
        self._fixed = vectors
        self.start = np.concatenate([vectors[n] for n in self._moving])
        self._cuts = np.cumsum([len(vectors[n]) for n in self._moving])[:-1]
        self._inertia: tuple[float, float] | None = None
        if model.inertia is not None:
            speed, damping = model.inertia.speed, model.inertia.damping
            self._inertia = pace * _number(speed, numbers), pace * _number(damping, numbers)
            self.start = np.concatenate([self.start, np.zeros_like(self.start)])
        self._potential = self._terms(model.potential, numbers)
        self._output = self._terms(model.output, numbers)
        self._adjoints: dict[int, WordAdjoint] = {}
        self._products: dict[tuple[str, str, str], WordProduct] = {}

    def _terms(self, terms: Iterable[TraceTerm], numbers: Parameters) -> list[_Term]:
        halves = _squares(self._model)
        found = []
        for term in terms:
            pairs = []
            for word in term.words:
                pair = _cut(self._model, word, halves)
                if pair is None:
                    raise ValueError("a trace is no scalar product of words that are kept")
                pairs.append(pair)
            found.append((_number(term.coefficient, numbers), pairs))
        return found

    def _ends(self, letter: Letter) -> tuple[str, str]:
        return _ends(self._model, letter)

    def _adjoint(self, number: int) -> WordAdjoint:
        if number not in self._adjoints:
            rows, columns = self._ends((number, False))
            self._adjoints[number] = self.basis.adjoint(columns, rows)
        return self._adjoints[number]

    def _product(self, word: Word) -> WordProduct:
        """The product of the first letter and the others."""
        head, middle = self._ends(word[0])
        key = head, middle, self._ends(word[-1])[1]
        if key not in self._products:
            self._products[key] = self.basis.product(*key)
        return self._products[key]

    def equation(self, tolerance: float) -> Equation:
        """The equation of motion of the components."""
        return Equation(
            self.rate,
            self.start,
            self.output,
            tolerance=tolerance,
            absolute=tolerance * float(np.max(np.abs(self.start))) * self._magnitudes(),
            name="flow of free matrices",
            most_steps=_MOST_STEPS,
        )

    def _magnitudes(self) -> FloatArray:
        """How large the components of the state are, relative to each other."""
        sizes = []
        for number in self._moving:
            head, tail = self._ends((number, False))
            sizes.append(self.basis.magnitudes(tail, head))
        return np.concatenate(sizes if self._inertia is None else [*sizes, *sizes])

    @property
    def unit(self) -> float:
        """The time in which the matrices change, the longer one of a force and of friction."""
        if self._inertia is None:
            return float(np.linalg.norm(self.start) / np.linalg.norm(self.rate(self.start)))
        speed, damping = self._inertia
        size = float(np.linalg.norm(self.start))
        force = speed * float(np.linalg.norm(self.rate(self.start)))
        return max(sqrt(size / force), size * damping / force)

    def _vectors(self, state: FloatArray) -> list[FloatArray]:
        """Those of all matrices; velocities stand behind the components of those that move."""
        vectors = list(self._fixed)
        places = state if self._inertia is None else np.split(state, 2)[0]
        for number, vector in zip(self._moving, np.split(places, self._cuts), strict=True):
            vectors[number] = vector
        return vectors

    def _elements(self, state: FloatArray, words: Iterable[Word]) -> dict[Word, FloatArray]:
        """The vectors of words and of all that they end in."""
        vectors = self._vectors(state)
        found: dict[Word, FloatArray] = {}

        def element(word: Word) -> FloatArray:
            if word in found:
                return found[word]
            if len(word) == 1:
                number, transposed = word[0]
                vector = vectors[number]
                found[word] = self._adjoint(number)(vector) if transposed else vector
            else:
                found[word] = self._product(word)(element(word[:1]), element(word[1:]))
            return found[word]

        for word in words:
            if word:
                element(word)
        return found

    def _pairing(self, pair: _Pair, elements: dict[Word, FloatArray]) -> float:
        size = self.basis.size[pair.tail]
        if not pair.first:
            return size * float(elements[pair.second][0])
        return size * float(elements[pair.first] @ elements[pair.second])

    def output(self, state: FloatArray) -> FloatArray:
        """What is followed."""
        elements = self._elements(state, _halves(self._output))
        products = (
            c * prod(self._pairing(pair, elements) for pair in ps) for c, ps in self._output
        )
        return np.array([self._gain * sum(products)])

    def _slopes(self, state: FloatArray) -> list[FloatArray]:
        """Derivatives of the potential by the components of every matrix."""
        terms = self._potential
        elements = self._elements(state, _halves(terms))
        slopes: dict[Word, FloatArray] = {}

        def add(word: Word, slope: FloatArray) -> None:
            slopes[word] = slopes[word] + slope if word in slopes else slope

        for coefficient, pairs in terms:
            values = [self._pairing(pair, elements) for pair in pairs]
            for place, pair in enumerate(pairs):
                others = prod(values[:place]) * prod(values[place + 1 :])
                factor = coefficient * others * self.basis.size[pair.tail]
                if pair.first:
                    add(pair.first, factor * elements[pair.second])
                    add(pair.second, factor * elements[pair.first])
                else:
                    unit = np.zeros_like(elements[pair.second])
                    unit[0] = factor
                    add(pair.second, unit)
        result = [np.zeros_like(vector) for vector in self._vectors(state)]
        for word in sorted(elements, key=len, reverse=True):
            if word not in slopes:
                continue
            slope = slopes.pop(word)
            if len(word) > 1:
                first, second = word[:1], word[1:]
                one, other = self._product(word).pulled_back(
                    elements[first], elements[second], slope
                )
                add(first, one)
                add(second, other)
                continue
            number, transposed = word[0]
            if transposed:
                slope = self._adjoint(number).pulled_back(slope)
            result[number] += slope
        return result

    def rate(self, state: FloatArray) -> FloatArray:
        """The derivative of the state."""
        slopes = self._slopes(state)
        force = np.concatenate([slopes[n] * -speed for n, speed in self._speeds])
        if self._inertia is None:
            return force
        speed, damping = self._inertia
        velocity = np.split(state, 2)[1]
        return np.concatenate([speed * velocity, force - damping * velocity])

    def power(self, state: FloatArray) -> float:
        """How fast the potential falls."""
        slopes = self._slopes(state)
        return sum(speed * float(slopes[n] @ slopes[n]) for n, speed in self._speeds)


def _number(polynomial: Polynomial, numbers: Parameters) -> float:
    return bounded_float(exact_value(polynomial, numbers))


def _reversed(word: Word) -> Word:
    return tuple((number, not transposed) for number, transposed in reversed(word))


def _cuts(word: Word) -> Iterable[tuple[Word, Word]]:
    """All ways to write a trace as the scalar product of two words, equal lengths first."""
    length = len(word)
    order = sorted(range(length), key=lambda size: (abs(2 * size - length), size))
    for size in order:
        for start in range(length):
            turned = word[start:] + word[:start]
            yield _reversed(turned[:size]), turned[size:]


def suits(model: MatrixModel) -> bool:
    """Whether every trace of a model is a scalar product of words that are kept.

    Where axes do not grow alike a product that comes to a larger space and goes back is not.
    """
    halves = _squares(model)
    words = (word for term in (*model.potential, *model.output) for word in term.words)
    return all(_cut(model, word, halves) is not None for word in words)


def _squares(model: MatrixModel) -> frozenset[Word]:
    """Words X for which tr(X^T X) is one of the traces of the potential."""
    return frozenset(
        first
        for term in model.potential
        for word in term.words
        for first, second in _cuts(word)
        if first == second
    )


def _ends(model: MatrixModel, letter: Letter) -> tuple[str, str]:
    """The spaces to and from which a letter maps."""
    number, transposed = letter
    rows, columns = model.ends[number]
    return (columns, rows) if transposed else (rows, columns)


def _is_kept(model: MatrixModel, word: Word) -> bool:
    """Whether a product comes to no larger space between two smaller ones."""
    if not (word and model.orders):
        return True
    growth = dict(model.orders)
    spaces = [_ends(model, letter)[0] for letter in word] + [_ends(model, word[-1])[1]]
    sizes = [growth[model.spaces[space]] for space in spaces]
    low = sizes.index(min(sizes))
    falling, rising = sizes[: low + 1], sizes[low:]
    return falling == sorted(falling, reverse=True) and rising == sorted(rising)


def _cut(model: MatrixModel, word: Word, halves: frozenset[Word]) -> _Pair | None:
    """The cut of a trace into words that occur in squares if there is one, or in the middle."""
    cuts = [cut for cut in _cuts(word) if all(_is_kept(model, half) for half in cut)]
    good = [cut for cut in cuts if {*cut} <= halves]
    if not cuts:
        return None
    first, second = (good or cuts)[0]
    return _Pair(first, second, _ends(model, second[-1])[1])
