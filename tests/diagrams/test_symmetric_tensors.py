"""Symmetric Gaussian tensors against ordinary algebra with one variable for each entry.

The covariance, the canonical form and the merger are compared with sums over all indices, where
every multiset of indices is one independent Gaussian variable.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.by_definition import DefinitionRepresentation
from diagrams.engine.traces.representation import TraceRepresentation
from diagrams.errors import InvalidInputError
from diagrams.flow import Flow
from diagrams.input_average import average_over
from diagrams.merge import merge, shares
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum
from diagrams.tensors import MAXIMAL_SYMMETRIC, Axis, Kind, Tensor
from diagrams.wick import expectation

p, H = Axis("p"), Axis("H")
S = Tensor("S", (p, p), variance="v", symmetric=True)
C = Tensor("C", (p, p, p), variance="v", symmetric=True)
W = Tensor("W", (H, p), variance="v")

Variable = tuple[str, tuple[int, ...]]
Value = Counter[tuple[Variable, ...]]


def written_out(diagram: Diagram, size: int) -> Value:
    """The polynomial in independent variables, by monomial, with all sizes equal."""
    total: Value = Counter()
    for values in product(range(size), repeat=len(diagram.nodes)):
        monomial = []
        for tensor, at in diagram.factors:
            index = tuple(values[node] for node in at)
            monomial.append((tensor.name, tuple(sorted(index)) if tensor.symmetric else index))
        total[tuple(sorted(monomial))] += 1
    return total


def mean(value: Value, symmetric: set[str]) -> Fraction:
    """The Gaussian average at v = 1: an entry that n orders leave alone has variance n."""
    total = Fraction(0)
    for monomial, coefficient in value.items():
        term = Fraction(coefficient)
        for (name, index), count in Counter(monomial).items():
            term *= 0 if count % 2 else prod(range(1, count, 2))
            if name in symmetric:
                term *= fixing(index) ** (count // 2)
        total += term
    return total


def fixing(index: tuple[int, ...]) -> int:
    """How many orders leave an index alone."""
    return factorial(len(index)) // len(set(permutations(index)))


def merged(first: Value, second: Value, symmetric: set[str]) -> Counter[tuple[Variable, ...]]:
    """Sum of products of derivatives; an entry in n places of its array has weight 1/n."""
    total: Counter[tuple[Variable, ...]] = Counter()
    for one, a in first.items():
        for other, b in second.items():
            for variable in set(one) & set(other):
                rest = [*one, *other]
                rest.remove(variable)
                rest.remove(variable)
                name, index = variable
                places = len(set(permutations(index))) if name in symmetric else 1
                count = one.count(variable) * other.count(variable)
                total[tuple(sorted(rest))] += Fraction(a * b * count, places)  # type: ignore[assignment]
    return Counter({monomial: c for monomial, c in total.items() if c})


@st.composite
def diagrams(draw: st.DrawFn, *, even: bool) -> Diagram:
    nodes = draw(st.integers(1, 4))
    chosen = draw(st.lists(st.sampled_from([S, S, C, W]), min_size=1, max_size=2))
    factors = []
    for tensor in chosen * (2 if even else 1):
        at = [draw(st.integers(0, nodes - 1)) for _ in tensor.axes]
        at[0] = nodes if tensor == W else at[0]
        factors.append((tensor, tuple(at)))
    return Diagram((p,) * nodes + (H,), tuple(factors))


NAMES = {"S", "C"}


@given(diagrams(even=True), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_the_expectation_is_that_of_independent_entries(diagram: Diagram, size: int) -> None:
    counted = sum(
        coefficient * Fraction(size) ** sum(k for name, k in powers if name in "pH")
        for powers, coefficient in expectation(diagram).items()
    )
    assert counted == mean(written_out(diagram, size), NAMES)


@given(diagrams(even=False), diagrams(even=False), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_the_merger_is_that_of_independent_entries(a: Diagram, b: Diagram, size: int) -> None:
    found: Counter[tuple[Variable, ...]] = Counter()
    for diagram, coefficient in merge(a, b):
        for monomial, count in written_out(diagram, size).items():
            found[monomial] += coefficient * count  # type: ignore[assignment]
    expected = merged(written_out(a, size), written_out(b, size), NAMES)
    assert {k: v for k, v in found.items() if v} == dict(expected)
    assert all((c * shares(DiagramSum({b: 1}))).denominator == 1 for _, c in merge(a, b))


@given(diagrams(even=False), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_slots_does_not_matter(diagram: Diagram, random) -> None:  # type: ignore[no-untyped-def]
    number = [*range(len(diagram.nodes))]
    random.shuffle(number)
    nodes = [axis for _, axis in sorted(zip(number, diagram.nodes, strict=True))]
    factors = []
    for tensor, at in diagram.factors:
        slots = [number[node] for node in at]
        if tensor.symmetric:
            random.shuffle(slots)
        factors.append((tensor, tuple(slots)))
    random.shuffle(factors)
    assert Diagram(tuple(nodes), tuple(factors)) == diagram
    assert Diagram.parse(str(diagram)) == diagram


def test_the_moments_of_the_gaussian_orthogonal_ensemble() -> None:
    """E Tr S^2k / v^k: p^2 + p, 2 p^3 + 5 p^2 + 5 p, 5 p^4 + 22 p^3 + 52 p^2 + 41 p.

    M. Ledoux, "A recursion formula for the moments of the Gaussian orthogonal ensemble", 2009.
    """
    for power, known in ((1, [1, 1]), (2, [5, 5, 2]), (3, [41, 52, 22, 5])):
        trace = Diagram(
            (p,) * 2 * power, tuple((S, (i, (i + 1) % (2 * power))) for i in range(2 * power))
        )
        assert expectation(trace) == {
            (("p", k), ("v", power)): value for k, value in enumerate(known, 1)
        }


MODELS = {
    "linear": (Network.einsum("ij->ij", S),),
    "square": (Network.einsum("ij,jk->ik", S, S),),
    "sandwich": (Network.einsum("ki,ij,hj->kh", W, S, W),),
    "two": (
        Network.einsum("ij->ij", S),
        Network.einsum("ij->ij", Tensor("R", (p, p), variance="v", symmetric=True)),
    ),
    "with a rectangular one": (Network.einsum("ki,kj->ij", W, W), Network.einsum("ij->ij", S)),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_words_agree_with_plain_diagrams(model: tuple[Network, ...]) -> None:
    axes = (H, H) if model[0].output == ("k", "h") else (p, p)
    networks = (*model, Network.einsum("->ii", coefficient=-1))
    loss = inner_product(networks, networks, axes) * Fraction(1, 2)
    words = Flow(loss, loss)
    assert isinstance(words.representation, TraceRepresentation)
    plain = Flow(loss, loss, DefinitionRepresentation(words.representation.blocks))
    for s in range(4):
        assert words.expectation(s) == plain.expectation(s)
        assert words.expectation(s)


WIDE = {
    "three slots": (Network.einsum("ijk->ijk", C), (p, p, p), ("iii",)),
    "three slots and two": (Network.einsum("ijk,kl->ijl", C, S), (p, p, p), ("iii",)),
    "noise of order three": (
        Network.einsum("ki,kj,kl->ijl", W, W, W),
        (p, p, p),
        ("iii", Tensor("M", (p, p, p), Kind.GAUSSIAN, "1/p", symmetric=True)),
    ),
    "a diagonal": (Network.einsum("ij,jj->i", S, S), (p,), ("i",)),
    "a pin": (
        Network.einsum("ij,j->i", S, Tensor("a", (p,), variance="v")),
        (p,),
        (Tensor.pin(p),),
    ),
}


@pytest.mark.parametrize(("model", "axes", "targets"), WIDE.values(), ids=WIDE)
def test_arrays_agree_with_plain_diagrams(model, axes, targets) -> None:  # type: ignore[no-untyped-def]
    networks = [model]
    for target in targets:
        if isinstance(target, Tensor):
            letters = "ijl"[: target.rank]
            networks.append(Network.einsum(f"{letters}->{letters}", target, coefficient=-1))
        else:
            networks.append(Network.einsum(f"->{target}", coefficient=-2))
    loss = inner_product(networks, networks, axes) * Fraction(1, 2)
    arrays = Flow(loss, loss)
    assert isinstance(arrays.representation, ArrayRepresentation)
    plain = Flow(loss, loss, DefinitionRepresentation(arrays.representation.blocks))
    for s in range(3):
        assert arrays.expectation(s) == plain.expectation(s)
        assert arrays.expectation(s)
        assert arrays.diagrams(s) == plain.diagrams(s)


def test_a_linear_model_decays_as_every_linear_model_does() -> None:
    """f = S learns a symmetric target like f = W: the convention of the gradient."""
    for tensor in (S, Tensor("W", (p, p), variance="v")):
        networks = (Network.einsum("ij->ij", tensor), Network.einsum("->ii", coefficient=-1))
        loss = inner_product(networks, networks, (p, p)) * Fraction(1, 2)
        flow = Flow(loss, loss)
        for s in range(1, 4):
            doubled = {k: (-2) ** s * c for k, c in flow.expectation(0).items()}
            assert flow.expectation(s) == doubled


def test_the_kernel_is_the_merger_of_the_model_with_itself() -> None:
    """Derivatives as networks and derivatives by merging have one convention."""
    network = Network.einsum("ij,ji->", S, S)
    [(diagram, _)] = inner_product((network,), (Network((), ()),), ())
    slopes = network.derivatives(S)
    assert inner_product(slopes, slopes, (p, p)) == merge(diagram, diagram)
    direction = Tensor("x", (p,), Kind.GAUSSIAN, "1")
    cubic = Network.einsum("aab,b->", C, direction)
    [(diagram, _)] = inner_product((cubic,), (Network((), ()),), ())
    slopes = cubic.derivatives(C)
    assert len(slopes) == 6
    assert inner_product(slopes, slopes, (p, p, p)) == merge(diagram, diagram)


def test_an_average_over_a_symmetric_input_pairs_in_all_orders() -> None:
    X = Tensor("X", (p, p), Kind.GAUSSIAN, "1", symmetric=True)
    square = Diagram((p, p), ((X, (0, 1)), (X, (0, 1))))
    assert expectation(average_over(DiagramSum({square: 1}), X)) == expectation(square)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tensor("S", (p, H), variance="v", symmetric=True),
        lambda: Tensor("S", (p,), variance="v", symmetric=True),
        lambda: Tensor("S", (p, p), Kind.DELTA, symmetric=True),
        lambda: Tensor("S", (p,) * (MAXIMAL_SYMMETRIC + 1), variance="v", symmetric=True),
    ],
)
def test_what_cannot_be_symmetric(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInputError, match=r"^tensor S: a symmetric tensor .*; "):
        make()
