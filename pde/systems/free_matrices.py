r"""Solution of matrix models: the flow of free matrices, in words of finitely many letters.

A matrix M of `expansion.dynamics.matrix_model` moves by dM/dτ = -r dP/dM. In the basis of
`pde.numerics.free_words` it is a vector. Every trace of the potential is written as a scalar
product of two elements, each cut off beyond n letters; the flow is the gradient flow of what is
left, an ordinary differential equation for the components. Its output converges geometrically as n
grows, from above and below in turn: the limit of three values by Aitken's rule is given, and that
of the three before shows the error. The curve ends where it is larger than allowed.

>>> from fractions import Fraction
>>> from expansion.dynamics.derivation import derive
>>> from expansion.dynamics.matrix_model import matrix_model
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> model = matrix_model(derive(regimes(cp(order=2), terms=4), "A-B-C-D-E"))
>>> numbers = {"p": Fraction(100), "H": Fraction(100), "sigma2": Fraction(1, 100), "T": Fraction(1)}
>>> curve = free_curve(model, numbers, target=Fraction(50), letters=8)
>>> import numpy as np
>>> print([f"{x:.2f}" for x in curve.evaluate(np.array([0.1, 0.5]))])
['61.83', '23.94']

Source: ours; A. C. Aitken, Proc. R. Soc. Edinburgh 46 (1926) 289, for the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, prod

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from expansion.dynamics.matrix_model import Letter, MatrixModel, TraceTerm, Word
from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, Parameters, bounded_float
from pde.numerics.free_words import Adjoint, Source, Space, WordBasis, WordProduct
from pde.numerics.trajectories import Equation, follow
from pde.resummed_series import TOLERANCE

__all__ = ["free_curve"]

FloatArray = NDArray[np.float64]

_LEVELS = 4
"""Cut-offs that are compared."""

_WORDS = 4500
"""The most words from one space."""

_DEPTH = 24
"""The most letters of a word."""

_LONGEST = 16.0
"""Where a curve ends at the latest, in the time in which the matrices change."""

_FEWEST = 3
"""Cut-offs whose limit is taken."""

_NODES = 16
"""Points on every piece of a curve."""

_ACCURACY = 1e-9
"""Of the integration, relative."""

_WILD = 30.0
"""Where a curve ends at the latest, in multiples of the output at time 0."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A trace as the scalar product of two words from one space to another, times a size."""

    first: Word
    second: Word
    tail: str


class _Words:
    """Traces of words of moving elements, and their derivatives, in a basis.

    Parameters
    ----------
    model : MatrixModel
    numbers : mapping from str to Fraction
    letters : int
    """

    def __init__(self, model: MatrixModel, numbers: Parameters, letters: int) -> None:
        self._model = model
        spaces = [Space(axis.name, float(numbers[axis.name])) for axis in model.axes]
        sources = [
            Source(
                number,
                matrix.axes[0].name,
                matrix.axes[1].name,
                variance=_value(matrix.variance, numbers),
                symmetric=matrix.tensor.symmetric,
            )
            for number, matrix in enumerate(model.matrices)
        ]
        self.basis = WordBasis(spaces, sources, letters=letters)
        self._moving = [n for n, m in enumerate(model.matrices) if len(m.rate)]
        self._rates = [_value(model.matrices[n].rate, numbers) for n in self._moving]
        vectors = [self.basis.matrix(n) for n in range(len(sources))]
        self._fixed = vectors
        self.start = np.concatenate([vectors[n] for n in self._moving])
        self._cuts = np.cumsum([len(vectors[n]) for n in self._moving])[:-1]
        halves = _squares(model.potential)
        self._potential = self._terms(model.potential, halves, numbers)
        self._output = self._terms(model.output, halves, numbers)
        self._adjoints: dict[int, Adjoint] = {}
        self._products: dict[tuple[str, str, str], WordProduct] = {}

    def _terms(
        self, terms: Iterable[TraceTerm], halves: frozenset[Word], numbers: Parameters
    ) -> list[tuple[float, list[_Pair]]]:
        found = []
        for term in terms:
            pairs = [_cut(word, halves, self._ends) for word in term.words]
            found.append((_value(term.coefficient, numbers), pairs))
        return found

    def _ends(self, letter: Letter) -> tuple[str, str]:
        """The spaces to and from which a letter maps."""
        number, transposed = letter
        rows, columns = (axis.name for axis in self._model.matrices[number].axes)
        return (columns, rows) if transposed else (rows, columns)

    def _adjoint(self, number: int) -> Adjoint:
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

    def _vectors(self, state: FloatArray) -> list[FloatArray]:
        vectors = list(self._fixed)
        for number, vector in zip(self._moving, np.split(state, self._cuts), strict=True):
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
        pairs = [pair for _, pairs in self._output for pair in pairs]
        words = [word for pair in pairs for word in (pair.first, pair.second)]
        elements = self._elements(state, words)
        return np.array(
            [sum(c * prod(self._pairing(pair, elements) for pair in ps) for c, ps in self._output)]
        )

    def rate(self, state: FloatArray) -> FloatArray:
        """The derivative of the state."""
        terms = self._potential
        words = [w for _, pairs in terms for pair in pairs for w in (pair.first, pair.second)]
        elements = self._elements(state, words)
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
        moved = []
        for number, rate in zip(self._moving, self._rates, strict=True):
            columns = self._ends((number, False))[1]
            moved.append(result[number] * (-rate / self.basis.size[columns]))
        return np.concatenate(moved)


def _value(polynomial: Polynomial, numbers: Parameters) -> float:
    symbols = {name: value for name, value in numbers.items() if name != "T"}
    return bounded_float(Fraction(polynomial.evaluate(**symbols)))


def _reversed(word: Word) -> Word:
    return tuple((number, not transposed) for number, transposed in reversed(word))


def _cuts(word: Word) -> Iterable[tuple[Word, Word]]:
    """All ways to write a trace as the scalar product of two words, equal halves first."""
    length = len(word)
    order = sorted(range(length), key=lambda size: (abs(2 * size - length), size))
    for size in order:
        for start in range(length):
            turned = word[start:] + word[:start]
            yield _reversed(turned[:size]), turned[size:]


def _squares(terms: Iterable[TraceTerm]) -> frozenset[Word]:
    """Words X for which tr(X^T X) is one of the traces of some terms."""
    return frozenset(
        first
        for term in terms
        for word in term.words
        for first, second in _cuts(word)
        if first == second
    )


def _cut(word: Word, halves: frozenset[Word], ends: Callable[[Letter], tuple[str, str]]) -> _Pair:
    """The cut of a trace into words that occur in squares if there is one, or in the middle."""
    cuts = list(_cuts(word))
    good = [cut for cut in cuts if {*cut} <= halves]
    first, second = (good or cuts)[0]
    return _Pair(first, second, ends(second[-1])[1])


def free_curve(
    model: MatrixModel,
    parameters: Parameters,
    *,
    target: Fraction = Fraction(0),
    letters: int | None = None,
) -> Curve:
    """The output of a matrix model at numbers, as a function of t.

    Parameters
    ----------
    model : MatrixModel
    parameters : mapping from str to Fraction
        A value for every symbol, and T.
    target : Fraction, default 0
        A constant that is added to the output.
    letters : int, optional
        The most letters of a word; as many as a few seconds allow if it is left out.
    """
    finest = most_letters(model) if letters is None else letters
    levels = [_Words(model, parameters, finest - k) for k in reversed(range(_LEVELS))]
    unit = float(np.linalg.norm(levels[0].start) / np.linalg.norm(levels[0].rate(levels[0].start)))
    remains = abs(float(levels[0].output(levels[0].start)[0]))
    past, future = (_Side(levels, sign * unit, remains) for sign in (-1, 1))
    scale, constant = float(parameters["T"]), bounded_float(target)

    def on_sides(t: FloatArray, look: Callable[[_Side, FloatArray], FloatArray]) -> FloatArray:
        values = np.empty(t.shape)
        for side, chosen in ((past, t < 0), (future, t >= 0)):
            values[chosen] = look(side, np.abs(t[chosen]) / scale)
        return values

    disagree = f"because beyond, words of {finest} letters do not give {TOLERANCE:g}"
    return Curve(
        evaluate=lambda t: constant + on_sides(t, _Side.values),
        errors=lambda t: on_sides(t, _Side.errors),
        domain=Domain(start=-past.end * scale, stop=future.end * scale, reason=disagree),
        error_estimate=max(past.largest, future.largest),
    )


def most_letters(model: MatrixModel) -> int:
    """How many letters words may have for a curve within a few seconds."""
    ends = set()
    for number, matrix in enumerate(model.matrices):
        rows, columns = (axis.name for axis in matrix.axes)
        ends.add((2 * number, rows, columns))
        if not matrix.tensor.symmetric:
            ends.add((2 * number + 1, columns, rows))
    pairs = [(head, tail) for _, head, tail in ends]
    letters = _LEVELS
    while letters < _DEPTH and all(
        WordBasis.count(pairs, axis.name, letters + 1) <= _WORDS for axis in model.axes
    ):
        letters += 1
    return letters


class _Side:
    """A curve in one direction of time, as polynomials on pieces.

    Parameters
    ----------
    levels : sequence of _Words
        The flow with fewer and more letters.
    unit : float
        The time in which the matrices change, negative in the past.
    remains : float
        The size of the output at time 0.
    """

    def __init__(self, levels: Sequence[_Words], unit: float, remains: float) -> None:
        self._remains = remains
        edges = [0.0, 0.25]
        while edges[-1] < _LONGEST:
            edges.append(2 * edges[-1])
        self._edges = np.array(edges) * abs(unit)
        unit_nodes = (1 - np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))) / 2
        width = np.diff(self._edges)[:, None]
        nodes = self._edges[:-1, None] + width * unit_nodes
        found: list[FloatArray] = []
        for level in levels:
            found.append(self._followed(level, nodes * np.sign(unit)))
            nodes = nodes[: self._pieces(found)]
        self._nodes = nodes
        self._value, self._error = _limit(found, len(nodes))
        self._error += _ACCURACY * remains
        good = self._good(self._value, self._error).ravel()
        stop = good.size if np.all(good) else int(np.argmin(good))
        self.end = float(nodes.ravel()[stop - 1]) if stop else 0.0
        self.largest = float(np.max(self._error.ravel()[:stop], initial=0.0))
        self._fits = [
            chebyshev.chebfit(2 * unit_nodes - 1, row, _NODES - 1)
            for row in self._value
            if np.all(np.isfinite(row))
        ]

    def _good(self, value: FloatArray, error: FloatArray) -> NDArray[np.bool_]:
        moved = np.abs(value - value[0, 0])
        good: NDArray[np.bool_] = error <= TOLERANCE * (moved + self._remains)
        return good

    def _pieces(self, found: Sequence[FloatArray]) -> int:
        """How many pieces may be good at the finest level, from those before."""
        pieces = len(found[-1])
        if len(found) == 1:
            return pieces
        with np.errstate(invalid="ignore"):
            if len(found) < _FEWEST:
                value, error = found[-1], np.abs(found[-1] - found[-2][:pieces]) / 100
            else:
                value, error = _limit(found, pieces)
            good = self._good(value, error / 10)
        whole = np.all(good, axis=1)
        return len(whole) if np.all(whole) else max(1, int(np.argmin(whole)) + 1)

    def _followed(self, level: _Words, times: FloatArray) -> FloatArray:
        equation = Equation(
            level.rate,
            level.start,
            level.output,
            tolerance=_ACCURACY,
            absolute=_ACCURACY * float(np.max(np.abs(level.start))),
            name="flow of free matrices",
        )
        largest = _WILD * max(self._remains, 1e-300)
        values = follow(
            equation, times.ravel(), going=lambda x: largest - abs(float(level.output(x)[0]))
        ).values
        return values.reshape(times.shape)

    def values(self, times: FloatArray) -> FloatArray:
        """The output at distances from time 0."""
        piece = np.clip(np.searchsorted(self._edges, times, side="right") - 1, 0, None)
        piece = np.minimum(piece, len(self._fits) - 1)
        result = np.empty(times.shape)
        for number, fit in enumerate(self._fits):
            chosen = piece == number
            left, right = self._edges[number : number + 2]
            result[chosen] = chebyshev.chebval(
                (2 * times[chosen] - left - right) / (right - left), fit
            )
        return result

    def errors(self, times: FloatArray) -> FloatArray:
        """Their errors."""
        return np.interp(times, self._nodes.ravel(), self._error.ravel())


def _limit(levels: Sequence[FloatArray], pieces: int) -> tuple[FloatArray, FloatArray]:
    """The limit of values that alternate, by Aitken's rule, and its error from one value before."""
    *earlier, first, second, third = (values[:pieces] for values in levels)
    with np.errstate(all="ignore"):
        limit = _aitken(first, second, third)
        step = np.abs(third - second)
        if not earlier:
            return limit, step
        before = _aitken(earlier[-1], first, second)
        alternating = (third - second) * (second - first) < 0
        error = np.where(alternating, np.abs(limit - before), step)
    return limit, np.where(np.isfinite(error), np.maximum(error, 0.05 * step), inf)


def _aitken(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    before, after = second - first, third - second
    falling = np.abs(after) < np.abs(before)
    return np.where(falling & (after != 0), third - after**2 / (after - before), third)
