"""Contraction against Gaussian moments taken monomial by monomial, and against closed formulas."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.counting import (
    catalan,
    double_factorial,
    gaussian_norm_moment,
    labelled_matchings,
    narayana,
    wishart_moment,
)
from diagrams.diagram import Diagram
from diagrams.errors import BudgetExceededError
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation, monomial
from expansion.models import cp

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
a = Tensor("a", (p,), variance="sigma2")

MANY = settings(max_examples=100, deadline=None)
SOME = settings(max_examples=40, deadline=None)


def trace(power: int) -> Diagram:
    """Tr (W W^T)^power."""
    edges = [(j, power + (j + k) % power) for j in range(power) for k in (0, 1)]
    return Diagram((H,) * power + (p,) * power, tuple((W, edge) for edge in edges))


# --- against moments of monomials -----------------------------------------------------------------


@MANY
@given(data=st.data())
def test_expectation_is_the_average_of_the_polynomial(labelled, algebra, data) -> None:
    """Multiply out at integer sizes, average monomial by monomial; variances stay symbols."""
    written = data.draw(labelled(max_nodes=6, max_factors=8, even=True))
    sizes = {"p": data.draw(st.integers(1, 2)), "H": data.draw(st.integers(1, 2))}
    expected = algebra.gaussian_mean(algebra.polynomial(written, sizes))
    assert algebra.at_sizes(expectation(Diagram(*written)), sizes) == expected


@SOME
@given(data=st.data())
def test_an_odd_number_of_factors_of_a_tensor_averages_to_zero(labelled, data) -> None:
    diagram = Diagram(*data.draw(labelled(deltas=False)))
    odd = any(count % 2 for count in Counter(tensor for tensor, _ in diagram.factors).values())
    assert (expectation(diagram) == {}) is odd


@SOME
@given(data=st.data())
def test_expectation_is_linear(labelled, data) -> None:
    even = labelled(max_factors=4, even=True)
    first, second = (Diagram(*data.draw(even)) for _ in range(2))
    x, y = (data.draw(st.fractions(-2, 2, max_denominator=3)) for _ in range(2))
    expected: Counter = Counter()
    for diagram, scale in ((first, x), (second, y)):
        for powers, value in expectation(diagram).items():
            expected[powers] += value * scale
    total = DiagramSum({first: x}) + DiagramSum({second: y})
    assert expectation(total) == {powers: c for powers, c in expected.items() if c}
    assert expectation(total - total) == {}


@MANY
@given(data=st.data())
def test_expectation_does_not_depend_on_numbers_or_names(labelled, data) -> None:
    """Renumbered nodes, reordered factors, renamed tensors and axes: the same average.

    New names change every order that the engine goes by, and with it the factors it integrates.
    """
    nodes, factors = data.draw(labelled(deltas=False, max_nodes=6, max_factors=8, even=True))
    order = data.draw(st.permutations(range(len(nodes))))
    number = {old: new for new, old in enumerate(order)}
    names = data.draw(st.permutations("abcdefgh"))
    swap = data.draw(st.booleans())
    image = {"p": "H", "H": "p"} if swap else {}
    axes = {axis: Axis(image.get(axis.name, axis.name), axis.pinned) for axis in nodes}
    tensors = {
        tensor: Tensor(name, tuple(axes[on] for on in tensor.axes), tensor.kind, tensor.variance)
        for tensor, name in zip(sorted({t for t, _ in factors}, key=repr), names, strict=False)
    }
    other = Diagram(
        tuple(axes[nodes[old]] for old in order),
        tuple(
            (tensors[tensor], tuple(number[j] for j in at))
            for tensor, at in data.draw(st.permutations(factors))
        ),
    )
    expected = {
        monomial({image.get(name, name): power for name, power in powers}): value
        for powers, value in expectation(Diagram(nodes, factors)).items()
    }
    assert expectation(other) == expected


def test_pinned_axes_count_as_numbers_and_fixed_tensors_are_paired() -> None:
    """E |X|^4 of a fixed 3 by p matrix: m (m + 2) at m = 3 p."""
    three = Axis("three", pinned=3)
    X = Tensor("X", (three, p), Kind.GAUSSIAN, "xi2")
    nodes = (three, p, three, p)
    square = Diagram(nodes, ((X, (0, 1)),) * 2 + ((X, (2, 3)),) * 2)
    assert expectation(square) == {
        (("p", 1), ("xi2", 2)): Fraction(6),
        (("p", 2), ("xi2", 2)): Fraction(9),
    }


def test_free_nodes_contribute_their_sizes() -> None:
    two = Axis("two", pinned=2)
    assert expectation(Diagram((p, p, H, two, two, two))) == {(("H", 1), ("p", 2)): 8}
    assert expectation(Diagram(())) == {(): 1}
    assert expectation(Diagram((H, p, p), ((W, (0, 1)), (W, (0, 1))))) == {
        (("H", 1), ("p", 2), ("sigma2", 1)): 1
    }


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (3, 2)])
def test_sixth_moment_of_a_matrix_by_quadrature(rows: int, columns: int) -> None:
    """E Tr (W W^T)^3 by Gauss-Hermite quadrature in every entry: no pairing is counted here."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    weights = weights / weights.sum()
    count = rows * columns
    grid = np.stack(np.meshgrid(*[nodes] * count, indexing="ij"), axis=-1).reshape(-1, count)
    density = np.stack(np.meshgrid(*[weights] * count, indexing="ij"), axis=-1).reshape(-1, count)
    matrices = grid.reshape(-1, rows, columns)
    gram = matrices @ matrices.transpose(0, 2, 1)
    average = density.prod(axis=1) @ np.einsum("nij,njk,nki->n", gram, gram, gram)
    exact = sum(
        value * rows ** dict(powers)["H"] * columns ** dict(powers)["p"]
        for powers, value in expectation(trace(3)).items()
    )
    assert average == pytest.approx(float(exact), rel=1e-10)


# --- against closed formulas ----------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_at_sizes_one_the_pairings_are_counted(labelled, data) -> None:
    """All sizes and variances one: the product of the double factorials (2 l - 1)!!."""
    tensors = tuple(Tensor(n, (H, p), variance="sigma2") for n in "UV")
    nodes, factors = data.draw(
        labelled(tensors, deltas=False, max_nodes=7, max_factors=12, even=True)
    )
    counts = Counter(tensor for tensor, _ in factors)
    pairings = prod(double_factorial(count - 1) for count in counts.values())
    moments = expectation(Diagram(nodes, factors))
    assert sum(moments.values()) == pairings
    assert pairings == prod(labelled_matchings(count) for count in counts.values())


@pytest.mark.parametrize("power", range(1, 6))
def test_wishart_moments(power: int) -> None:
    found = {
        (dict(powers)["H"], dict(powers)["p"]): int(value)
        for powers, value in expectation(trace(power)).items()
    }
    assert all(("sigma2", power) in powers for powers in expectation(trace(power)))
    assert found == wishart_moment(power)
    leading = {n: count for (n, q), count in found.items() if n + q == power + 1}
    assert leading == {k: narayana(power, k) for k in range(1, power + 1)}
    assert max(n + q for n, q in found) == power + 1
    assert sum(leading.values()) == catalan(power)


@pytest.mark.parametrize("power", range(6))
def test_moments_of_the_norm(power: int) -> None:
    """E |u|^(2 power) = size (size + 2) (size + 4) ..."""
    norm = Diagram((p,) * power, tuple((a, (j,)) for j in range(power) for _ in range(2)))
    moments = expectation(norm)
    for size in range(1, 8):
        value = sum(c * size ** dict(powers).get("p", 0) for powers, c in moments.items())
        assert value == gaussian_norm_moment(size, power)


def test_the_counters_agree_with_one_another_and_with_published_numbers() -> None:
    """Narayana rows add up to the Catalan numbers (OEIS A000108), matchings to A001147."""
    for n in range(1, 12):
        assert sum(narayana(n, k) for k in range(1, n + 1)) == catalan(n)
        assert [narayana(n, k) for k in range(n + 2)][:: n + 1] == [0, 0]
    assert [catalan(n) for n in range(9)] == [1, 1, 2, 5, 14, 42, 132, 429, 1430]
    assert [double_factorial(n) for n in range(-1, 12, 2)] == [1, 1, 3, 15, 105, 945, 10395]
    assert [double_factorial(n) for n in range(0, 9, 2)] == [1, 2, 8, 48, 384]
    assert [labelled_matchings(n) for n in range(8)] == [1, 0, 1, 0, 3, 0, 15, 0]
    for power in range(1, 5):
        moment = wishart_moment(power)
        assert sum(moment.values()) == double_factorial(2 * power - 1)
        assert moment == {key[::-1]: value for key, value in sorted(moment.items())}
        # One row: Tr (w w^T)^k = |w|^(2k).
        for size in (1, 2, 5):
            assert sum(c * size**q for (_, q), c in moment.items()) == gaussian_norm_moment(
                size, power
            )


# --- the examples of the theory -------------------------------------------------------------------


def test_expectations_of_the_blocks_of_the_cp_models() -> None:
    """Theory section 2: SYM E[D_4] and E[D_6], ASYM E[D] for every order."""
    sym4, sym6 = cp(2, symmetric=True).model_square, cp(3, symmetric=True).model_square
    assert expectation(sym4) == {
        (("H", 1), ("p", 1), ("sigma2", 2)): 1,
        (("H", 1), ("p", 2), ("sigma2", 2)): 1,
        (("H", 2), ("p", 1), ("sigma2", 2)): 1,
    }
    assert expectation(sym6) == {
        (("H", 1), ("p", 1), ("sigma2", 3)): 8,
        (("H", 1), ("p", 2), ("sigma2", 3)): 6,
        (("H", 1), ("p", 3), ("sigma2", 3)): 1,
    }
    for order in range(2, 7):
        assert expectation(cp(order).model_square) == {
            (("H", 1), ("p", order), ("sigma2", order)): 1
        }


def test_work_is_counted_while_it_is_done_and_can_be_stopped() -> None:
    """A limit that were looked at after the last contraction only would bound nothing."""
    counted: list[int] = []
    expectation(trace(5), tick=counted.append)
    assert len(counted) > 5
    assert min(counted) >= 1

    def stop(added: int) -> None:
        raise BudgetExceededError("budget: enough")

    with pytest.raises(BudgetExceededError):
        expectation(trace(5), tick=stop)
