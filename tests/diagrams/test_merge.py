"""Merging is the product of gradients, bilinear and symmetric, and leaves fixed tensors alone."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.merge import merge, symmetric_tensors
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp

p, H = Axis("p"), Axis("H")
U, V, W = (Tensor(name, (H, p), variance="sigma2") for name in "UVW")

MANY = settings(max_examples=100, deadline=None)
SOME = settings(max_examples=40, deadline=None)


def number_of_factors(total: DiagramSum) -> int:
    """The sum of all coefficients: how many terms there were before equal ones were collected."""
    return int(sum(c for _, c in total))


# --- the law --------------------------------------------------------------------------------------


@SOME
@given(data=st.data())
def test_the_algebra_of_these_tests_agrees_with_einsum(labelled, algebra, data) -> None:
    """What a diagram stands for, at random integer entries: multiplied out and by numpy."""
    nodes, factors = data.draw(labelled(deltas=False))
    assume(factors)
    sizes = {"p": data.draw(st.integers(1, 3)), "H": data.draw(st.integers(1, 3))}
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    arrays = {
        tensor: random.integers(-3, 4, [axis.pinned or sizes[axis.name] for axis in tensor.axes])
        for tensor, _ in factors
    }
    operands = [part for tensor, at in factors for part in (arrays[tensor], list(at))]
    used = {node for _, at in factors for node in at}
    loose = [axis for node, axis in enumerate(nodes) if node not in used]
    expected = int(np.einsum(*operands, []))
    for axis in loose:
        expected *= axis.pinned or sizes[axis.name]
    value = 0
    for entries, coefficient in algebra.polynomial((nodes, factors), sizes).items():
        for tensor, index in entries:
            coefficient *= int(arrays[tensor][index])
        value += coefficient
    assert value == expected


@MANY
@given(data=st.data())
def test_merging_is_the_product_of_gradients(labelled, algebra, data) -> None:
    """As polynomials in the entries, so for all weights at once; factors as they were written."""
    first, second = data.draw(labelled(max_factors=3)), data.draw(labelled(max_factors=3))
    sizes = {"p": data.draw(st.integers(1, 2)), "H": data.draw(st.integers(1, 2))}
    merged: Counter = Counter()
    for diagram, coefficient in merge(Diagram(*first), Diagram(*second)):
        part = algebra.polynomial((diagram.nodes, diagram.factors), sizes)
        for entries, count in part.items():
            merged[entries] += count * coefficient
    expected = algebra.gradient_product(
        algebra.polynomial(first, sizes), algebra.polynomial(second, sizes)
    )
    assert {e: c for e, c in merged.items() if c} == {e: c for e, c in expected.items() if c}


@MANY
@given(data=st.data())
def test_merging_at_random_integer_weights(labelled, algebra, data) -> None:
    """The same as numbers: both gradients by ordinary differentiation at one set of weights."""
    first, second = data.draw(labelled(max_factors=4)), data.draw(labelled(max_factors=4))
    sizes = {"p": 2, "H": data.draw(st.integers(1, 2))}
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weights: dict = {}

    def value(polynomial, without=None) -> int:
        """The polynomial at the weights, or its derivative with respect to one entry."""
        total = 0
        for entries, coefficient in polynomial.items():
            rest = list(entries)
            if without is not None:
                coefficient *= rest.count(without)
                if not coefficient:
                    continue
                rest.remove(without)
            for entry in rest:
                coefficient *= weights.setdefault(entry, int(random.integers(-3, 4)))
            total += coefficient
        return total

    one, two = (algebra.polynomial(labelled_diagram, sizes) for labelled_diagram in (first, second))
    learnable = {
        entry for entries in one for entry in entries if entry[0].kind is Kind.WEIGHT
    }  # entries that only the second one has do not contribute
    expected = sum(value(one, entry) * value(two, entry) for entry in learnable)
    merged = merge(Diagram(*first), Diagram(*second))
    assert expected == sum(
        coefficient * value(algebra.polynomial((diagram.nodes, diagram.factors), sizes))
        for diagram, coefficient in merged
    )


@SOME
@given(data=st.data())
def test_merging_is_bilinear_and_symmetric(labelled, data) -> None:
    small = labelled(max_nodes=4, max_factors=3)
    scalars = st.fractions(-3, 3, max_denominator=4)

    def some() -> DiagramSum:
        return collect((Diagram(*data.draw(small)), data.draw(scalars)) for _ in range(2))

    first, second, third = some(), some(), some()
    a, b = data.draw(scalars), data.draw(scalars)
    assert merge(first, third) == merge(third, first)
    assert merge(a * first + b * second, third) == a * merge(first, third) + b * merge(
        second, third
    )
    assert merge(first, DiagramSum()) == DiagramSum()


@MANY
@given(data=st.data())
def test_every_pair_of_equal_learnable_factors_merges_once(labelled, data) -> None:
    """The multiplicities add up to the number of pairs, and two factors disappear in each."""
    first, second = (Diagram(*data.draw(labelled())) for _ in range(2))
    counts = [Counter(tensor for tensor, _ in diagram.factors) for diagram in (first, second)]
    pairs = sum(
        counts[0][tensor] * counts[1][tensor] for tensor in counts[0] if tensor.is_learnable
    )
    merged = merge(first, second)
    assert number_of_factors(merged) == pairs
    for diagram, coefficient in merged:
        assert coefficient > 0
        assert len(diagram.factors) == len(first.factors) + len(second.factors) - 2
        lost = counts[0] + counts[1] - Counter(tensor for tensor, _ in diagram.factors)
        assert list(lost.values()) == [2]
        assert all(tensor.is_learnable for tensor in lost)


# --- fixed tensors --------------------------------------------------------------------------------


def test_fixed_tensors_are_never_merged_over() -> None:
    """Data and teacher stay; a weight of the same name and shape is another tensor."""
    X = Tensor("W", (H, p), Kind.GAUSSIAN, "sigma2")
    square = Diagram((H, p), ((X, (0, 1)), (X, (0, 1))))
    assert merge(square, square) == DiagramSum()
    mixed = Diagram((H, p), ((X, (0, 1)), (V, (0, 1))))
    [(diagram, coefficient)] = merge(mixed, mixed)
    assert (diagram, coefficient) == (square, 1)
    learnable = Diagram((H, p), ((W, (0, 1)), (W, (0, 1))))
    assert merge(square, learnable) == DiagramSum()


def test_deltas_are_never_merged_over() -> None:
    delta = Diagram((p, p), ((Tensor.delta(p), (0, 1)),))
    assert delta == Diagram((p,))
    assert merge(delta, delta) == DiagramSum()


# --- worked examples ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("symmetric", [True, False])
def test_sizes_of_the_mergers_of_the_cp_blocks(order: int, symmetric: bool) -> None:
    """Theory section 2: what merging with D or with R adds to a diagram, and in how many ways."""
    problem = cp(order, symmetric=symmetric)
    [(D, _)], [(R, _)] = problem.model_square, problem.overlap
    assert (len(D.factors), len(D.nodes)) == (2 * order, order + 2)
    assert (len(R.factors), len(R.nodes)) == (order, 2)
    colours = 1 if symmetric else order
    for block, edges, p_nodes, h_nodes in ((D, 2 * order - 2, order - 1, 1), (R, order - 2, 0, 0)):
        for start in (D, R):
            merged = merge(start, block)
            pairs = len(start.factors) * len(block.factors) // colours
            assert number_of_factors(merged) == pairs
            for diagram, _ in merged:
                assert len(diagram.factors) == len(start.factors) + edges
                assert diagram.nodes.count(p) == start.nodes.count(p) + p_nodes
                assert diagram.nodes.count(H) == start.nodes.count(H) + h_nodes


def test_merging_cycles_gives_a_cycle() -> None:
    """Theory section 5.3: cycles of lengths 2a and 2b merge, in 4ab ways, into one of 2(a+b-1)."""

    def cycle(half: int) -> Diagram:
        edges = [(j, half + (j + k) % half) for j in range(half) for k in (0, 1)]
        return Diagram((H,) * half + (p,) * half, tuple((W, edge) for edge in edges))

    for a in (1, 2, 3):
        for b in (1, 2, 4):
            assert merge(cycle(a), cycle(b)) == DiagramSum({cycle(a + b - 1): 4 * a * b})


# --- symmetries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [2, 3, 4])
def test_all_colours_of_the_asymmetric_model_are_one_class(order: int) -> None:
    loss = cp(order).loss
    assert symmetric_tensors(loss) == (cp(order).tensors,)


@SOME
@given(data=st.data())
def test_symmetric_classes_by_trying_all_exchanges(data) -> None:
    """Random sums over three equal tensors: the classes are the orbits of exchanges."""
    nodes = (H, H, p)
    places = st.tuples(st.sampled_from((0, 1)), st.just(2))
    factor = st.tuples(st.sampled_from((U, V, W)), places)
    diagrams = st.lists(factor, min_size=1, max_size=3).map(lambda f: Diagram(nodes, tuple(f)))
    drawn = data.draw(st.lists(diagrams, min_size=1, max_size=3))
    if data.draw(st.booleans()):  # make symmetric sums frequent
        a, b = data.draw(st.permutations((U, V, W)))[:2]
        drawn += [exchanged(diagram, {a: b, b: a}) for diagram in drawn]
    total = collect((diagram, 1) for diagram in drawn)
    present = [t for t in (U, V, W) if any(t in diagram.tensors for diagram, _ in total)]
    interchangeable = {
        (a, b)
        for a, b in permutations(present, 2)
        if collect((exchanged(d, {a: b, b: a}), c) for d, c in total) == total
    }
    classes = symmetric_tensors(total)
    assert sorted(t.name for members in classes for t in members) == [t.name for t in present]
    for members in classes:
        for tensor in present:
            together = tensor in members
            for other in members:
                if other != tensor:
                    assert ((tensor, other) in interchangeable) is together


def exchanged(diagram: Diagram, image: dict[Tensor, Tensor]) -> Diagram:
    return Diagram(diagram.nodes, tuple((image.get(t, t), at) for t, at in diagram.factors))


def test_tensors_of_different_variance_kind_or_shape_are_never_symmetric() -> None:
    others = (
        Tensor("V", (H, p), variance="tau2"),
        Tensor("V", (H, p), Kind.GAUSSIAN, "sigma2"),
        Tensor("V", (p, H), variance="sigma2"),
    )
    for other in others:
        at = (0, 1) if other.axes == (H, p) else (1, 0)
        product = DiagramSum({Diagram((H, p), ((U, (0, 1)), (other, at))): 1})
        assert symmetric_tensors(product) == ((U,), (other,))


def test_symmetry_must_hold_in_every_sum() -> None:
    both = collect((Diagram((H, p), ((t, (0, 1)), (t, (0, 1)))), 1) for t in (U, V))
    only = DiagramSum({Diagram((H, p), ((U, (0, 1)), (U, (0, 1)))): Fraction(1, 2)})
    assert symmetric_tensors(both) == ((U, V),)
    assert symmetric_tensors(both, only) == ((U,), (V,))


# --- networks -------------------------------------------------------------------------------------


def test_inner_product_multiplies_and_sums_over_open_indices(algebra) -> None:
    """<f, g> of sums with coefficients, a repeated open index, and one that no factor has."""
    a = Tensor("a", (H,), variance="tau2")
    first = (
        Network.einsum("ki,kj->ij", U, V, coefficient=Fraction(1, 2)),
        Network.einsum("->ii", coefficient=-3),
    )
    second = (Network.einsum("k,ki->ij", a, W), Network.einsum("->ij"))
    total = inner_product(first, second, (p, p))
    sizes = {"p": 2, "H": 2}
    value: Counter = Counter()
    for diagram, coefficient in total:
        for entries, count in algebra.polynomial((diagram.nodes, diagram.factors), sizes).items():
            value[entries] += count * coefficient
    # By hand: nodes k, i, j and l for the two sides.
    by_hand = [
        (Fraction(1, 2), ((H, p, p, H), ((U, (0, 1)), (V, (0, 2)), (a, (3,)), (W, (3, 1))))),
        (Fraction(1, 2), ((H, p, p), ((U, (0, 1)), (V, (0, 2))))),
        (Fraction(-3), ((p, H), ((a, (1,)), (W, (1, 0))))),
        (Fraction(-3), ((p,), ())),
    ]
    expected: Counter = Counter()
    for coefficient, labelled_diagram in by_hand:
        for entries, count in algebra.polynomial(labelled_diagram, sizes).items():
            expected[entries] += count * coefficient
    assert value == expected
