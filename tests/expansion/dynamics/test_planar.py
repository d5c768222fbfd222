"""Means of long words against Wick averages, at axes that grow alike and not."""

from fractions import Fraction
from itertools import product

import pytest

from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation
from expansion.dynamics.planar import GrowingWords, growing_words
from expansion.dynamics.scales import Scaling
from expansion.polynomial import Polynomial

p, H, N = Axis("p"), Axis("H"), Axis("N")
X = Tensor("X", (p, N), Kind.GAUSSIAN, variance="v")
U = Tensor("U", (H, p), variance="sigma2")
A, B = (Tensor(name, (N, p), Kind.GAUSSIAN, variance="v") for name in "AB")

WORDS = {
    "Gram": ((), ((X, False), (X, True))),
    "weights around data": (((U, True), (U, False)), ((X, False), (X, True))),
    "a teacher of two": (((U, True), (U, False)), ((A, True), (B, False), (B, True), (A, False))),
}
SCALINGS = [
    {"p": 1, "H": 1, "N": 1, "v": 0, "sigma2": 0},
    {"p": 1, "H": 3, "N": 2, "v": -1, "sigma2": -2},
    {"p": 2, "H": 1, "N": 1, "v": 0, "sigma2": 0},
]


def trace(word) -> Diagram:
    """The diagram of the trace of a word."""
    axes = [tensor.axes[int(transposed)] for tensor, transposed in word]
    factors = []
    for k, (tensor, transposed) in enumerate(word):
        ends = (k, (k + 1) % len(word))
        factors.append((tensor, ends[::-1] if transposed else ends))
    return Diagram(tuple(axes), tuple(factors))


@pytest.mark.parametrize(("name", "exponents"), list(product(WORDS, SCALINGS)))
def test_leading_parts_of_wick_averages(name, exponents) -> None:
    base, piece = WORDS[name]
    scaling = Scaling({k: Fraction(a) for k, a in exponents.items()}, Fraction(0))
    words = GrowingWords(base, piece, scaling)
    means = words.means(4)
    numbers = {"p": Fraction(3), "H": Fraction(5), "N": Fraction(7, 2)}
    numbers |= {"v": Fraction(1, 3), "sigma2": Fraction(2)}
    at_numbers = words.means_at(numbers, 4)
    for m in range(1, 4 if len(base) + 3 * len(piece) <= 8 else 3):
        whole = Polynomial(expectation(trace((*base, *piece * m))))
        order = scaling.top(dict(whole))
        leading = scaling.leading(dict(whole), order)
        assert means[m] == leading
        value = leading.evaluate(**{name: numbers[name] for name in leading.symbols})
        assert at_numbers[m] == (order, value)


def test_a_word_with_crossings_alone_vanishes() -> None:
    square = Tensor("S", (p, p), Kind.GAUSSIAN, variance="v")
    scaling = Scaling({"p": Fraction(1), "v": Fraction(0)}, Fraction(0))
    crossed = GrowingWords((), ((square, False), (square, False)), scaling)
    assert [len(mean) for mean in crossed.means(4)[1:]] == [0, 0, 0]
    assert [
        order for order, _ in crossed.means_at({"p": Fraction(3), "v": Fraction(1)}, 3)[1:]
    ] == [
        None,
        None,
    ]


def test_a_symmetric_matrix_is_paired_in_both_directions() -> None:
    noise = Tensor("M", (p, p), Kind.GAUSSIAN, variance="v", symmetric=True)
    scaling = Scaling({"p": Fraction(1), "v": Fraction(0)}, Fraction(0))
    words = GrowingWords((), ((noise, False), (noise, True)), scaling)
    for m, mean in enumerate(words.means(3)):
        whole = Polynomial(expectation(trace(((noise, False), (noise, False)) * m)))
        assert m == 0 or mean == scaling.leading(dict(whole), scaling.top(dict(whole)))


def test_the_piece_is_read_off_three_members() -> None:
    base, piece = WORDS["a teacher of two"]
    scaling = Scaling({k: Fraction(a) for k, a in SCALINGS[0].items()}, Fraction(0))
    line = [trace((*base, *piece * m)) for m in (1, 2, 3)]
    found = growing_words(line, scaling)
    assert found is not None
    assert found.means(4) == GrowingWords((*base, *piece), piece, scaling).means(4)
    other = trace((*base, *piece * 2, *piece[:2]))
    assert growing_words([line[0], line[1], other], scaling) is None
    small = Scaling({**scaling.exponents, "p": Fraction(0)}, Fraction(0))
    assert growing_words(line, small) is None
