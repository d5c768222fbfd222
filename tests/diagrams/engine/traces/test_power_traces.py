"""Traces of powers of Wishart matrices: against contraction, the definition, and known values."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest

from diagrams.diagram import Diagram
from diagrams.engine import FlowDiagrams
from diagrams.engine.traces.power_traces import power_of, power_trace
from diagrams.engine.traces.representation import TraceRepresentation
from diagrams.factorials import double_factorial
from diagrams.flow import Flow
from diagrams.tensors import Axis, Tensor
from diagrams.wick import expectation
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import LossSeries

p, H, TWO = Axis("p"), Axis("H"), Axis("two", pinned=2)

MATRICES = {
    "two sizes": Tensor("W", (H, p), variance="sigma2"),
    "a square": Tensor("W", (p, p), variance="sigma2"),
    "a pinned axis": Tensor("W", (TWO, p), variance="sigma2"),
    "both pinned": Tensor("W", (TWO, TWO), variance="sigma2"),
    "unit variance": Tensor("W", (H, p), variance="1"),
}


def trace(matrix: Tensor, power: int) -> Diagram:
    """tr (W W^T)^k."""
    nodes = tuple(matrix.axes[n % 2] for n in range(2 * power))
    last = 2 * power - 1
    factors = [(matrix, (n, n + 1)) for n in range(0, last, 2)]
    factors += [(matrix, ((n + 1) % (last + 1), n)) for n in range(1, last + 1, 2)]
    return Diagram(nodes, tuple(factors))


@pytest.mark.parametrize("power", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_the_engine_finds_what_the_definition_says(matrix: Tensor, power: int) -> None:
    diagram = trace(matrix, power)
    axes = tuple(sorted({*matrix.axes}, key=lambda axis: axis.name))
    representation = TraceRepresentation(FlowDiagrams((), (), ((matrix,),), axes))
    encoded = representation.encode([(diagram, 3)])
    expected = {key: 3 * c for key, c in expectation(diagram).items()}
    assert representation.expectation(encoded) == expected
    named = representation.polynomial(encoded)
    assert named is not None
    assert Polynomial.of_named(named) == Polynomial(expected)


@pytest.mark.parametrize("k", [1, 2, 3, 10, 31, 48])
def test_sums_and_single_columns(k: int) -> None:
    """One pairing each; for one column, moments of a chi-squared variable."""
    found = power_trace(k)
    assert sum(found.values()) == double_factorial(2 * k - 1)
    assert all(c > 0 and a + b <= k + 1 for (a, b), c in found.items())
    assert found[k, 1] == found[1, k] == 1
    for rows in (1, 2, 7):
        value = sum(c * rows**a for (a, _), c in found.items())
        assert value == prod(rows + 2 * j for j in range(k))


def test_leading_terms_are_narayana_numbers() -> None:
    found = power_trace(6)
    assert [found[a, 7 - a] for a in range(1, 7)] == [1, 15, 50, 50, 15, 1]


@pytest.mark.parametrize(
    ("word", "power"), [("@A", 1), ("@A@A@A", 3), ("@@", None), ("@AA@", None), ("@A@", None)]
)
def test_words_of_powers(word: str, power: int | None) -> None:
    assert power_of(word) == power


def test_series_are_those_of_contraction(monkeypatch: pytest.MonkeyPatch) -> None:
    short = [*LossSeries(cp(order=2, symmetric=True))[:21]]
    monkeypatch.setattr("diagrams.engine.traces.representation._SHORT", 1000)
    contracted = LossSeries(cp(order=2, symmetric=True))
    assert [*contracted[:21]] == short
    assert contracted.cost(20).contractions > 10


@pytest.mark.parametrize(
    ("problem", "last"),
    [
        (cp(2), 4),
        (cp(2, symmetric=True), 6),
        (tied_autoencoder(data=True), 3),
        (autoencoder(), 3),
        (deep_linear(depth=3), 2),
        (cp(2, target="teacher"), 3),
    ],
    ids=str,
)
def test_a_polynomial_of_flint_is_the_expectation(problem: Problem, last: int) -> None:
    flow = Flow(problem.loss, problem.loss)
    for s in range(last + 1):
        named = flow.polynomial(s)
        assert named is not None
        dense, terms = Polynomial.of_named(named), Polynomial(flow.expectation(s))
        assert dense.height == terms.height
        assert dense == terms and str(dense) == str(terms)


def test_where_a_variance_is_no_symbol_there_are_terms_only() -> None:
    matrix = Tensor("W", (H, p), variance="2/p")
    representation = TraceRepresentation(FlowDiagrams((), (), ((matrix,),), (H, p)))
    assert representation.polynomial(representation.encode([(trace(matrix, 2), 1)])) is None
    arrays = Flow(cp(3).loss, cp(3).loss)
    assert arrays.polynomial(1) is None
    assert Fraction(-9) in arrays.expectation(1).values()
