"""The bulk engine against the plain one: iterated `merge`, then `expectation`.

The two share the canonical form and the choice of what a merger is, nothing of labelling, packing,
tables or words. The last section compares with values from outside: the reference records and the
oracle, which knows no diagrams.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagflow.oracle import OracleLoss, Term, loss_derivatives
from diagrams.diagram import Diagram
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.blocks import FlowDiagrams
from diagrams.engine.representation import Representation
from diagrams.engine.traces.cyclic_words import canonical_word
from diagrams.engine.traces.representation import TraceRepresentation, is_product_of_traces
from diagrams.flow import Flow, represent
from diagrams.merge import merge, symmetric_tensors
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import Expectation, expectation, monomial
from expansion.models import cp

REFERENCE = Path(__file__).parent.parent / "reference"

p, H, N, M = Axis("p"), Axis("H"), Axis("N"), Axis("M")
ONE, TWO = Axis("one", pinned=1), Axis("two", pinned=2)
HALF = Fraction(1, 2)


def weight(name: str, *axes: Axis, variance: str = "sigma2") -> Tensor:
    return Tensor(name, axes, variance=variance)


def square_loss(terms: Sequence[Network], axes: Sequence[Axis]) -> DiagramSum:
    """Half the squared norm of a sum of networks."""
    return inner_product(terms, terms, axes) * HALF


def blocks_of(potential: DiagramSum, *observables: DiagramSum) -> FlowDiagrams:
    return represent(potential, *observables).blocks


def representations(potential: DiagramSum, *observables: DiagramSum) -> list[Representation[Any]]:
    """Arrays always, words as well if the diagrams are products of traces."""
    blocks = blocks_of(potential, *observables)
    traces = all(
        is_product_of_traces(diagram) for total in (potential, *observables) for diagram, _ in total
    )
    words: list[Representation[Any]] = [TraceRepresentation(blocks)] if traces else []
    return [ArrayRepresentation(blocks), *words]


def iterated(observable: DiagramSum, potential: DiagramSum, terms: int) -> Iterable[Expectation]:
    """T^s E[d^s G/dt^s](0) = (-1)^s E[(... (G * P) ...) * P], one diagram at a time."""
    value = observable
    for s in range(terms + 1):
        if s:
            value = -merge(value, potential)
        yield expectation(value)


def check(observable: DiagramSum, potential: DiagramSum, terms: int) -> None:
    """Both representations give the derivatives, with and without the diagrams in between."""
    expected = list(iterated(observable, potential, terms))
    for representation in representations(potential, observable):
        flow = Flow(observable, potential, representation)
        assert [flow.expectation(s) for s in range(terms + 1)] == expected
        for s in range(terms + 1):
            assert expectation(flow.diagrams(s)) == expected[s]


# --- CP models ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["identity", "zero"])
@pytest.mark.parametrize("symmetric", [True, False], ids=["sym", "asym"])
@pytest.mark.parametrize(("order", "terms"), [(2, 4), (3, 2), (4, 1), (5, 1)])
def test_cp_models(order: int, terms: int, symmetric: bool, target: str) -> None:
    loss = cp(order, symmetric=symmetric, target=target).loss
    check(loss, loss, terms)


@pytest.mark.parametrize("symmetric", [True, False], ids=["sym", "asym"])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_cp_models_against_the_reference_records(order: int, symmetric: bool) -> None:
    family = "sym" if symmetric else "asym"
    record = json.loads((REFERENCE / f"cp_order{order}_{family}.json").read_text(encoding="utf-8"))
    loss = cp(order, symmetric=symmetric).loss
    for representation in representations(loss):
        flow = Flow(loss, loss, representation)
        for entry in record["coefficients"]:
            assert flow.expectation(entry["s"]) == read_terms(entry["terms"])


@pytest.mark.parametrize("order", [2, 3])
def test_derivatives_in_any_order_and_again(order: int) -> None:
    """A higher derivative first, one twice, and by another flow on the same table."""
    loss = cp(order).loss
    expected = list(iterated(loss, loss, 2))
    for representation in representations(loss):
        flow = Flow(loss, loss, representation)
        assert [flow.expectation(s) for s in (2, 0, 1)] == [expected[s] for s in (2, 0, 1)]
        known = representation.contractions
        assert flow.expectation(2) == expected[2]
        assert Flow(loss, loss, representation).expectation(2) == expected[2]
        assert representation.contractions == known, "nothing is contracted twice"


def read_terms(terms: Iterable[dict[str, Any]]) -> Expectation:
    return {monomial(t["exponents"]): Fraction(t["coefficient"]) for t in terms}


@pytest.mark.parametrize("order", [2, 3])
def test_odd_diagrams_average_to_nothing(order: int) -> None:
    """A flow never asks for them; a representation answers all the same."""
    blocks = cp(order)
    odd, even = blocks.overlap, blocks.model_square
    mixed = {diagram: 3 * n for n, (diagram, _) in enumerate((*odd, *even), start=1)}
    expected = expectation(DiagramSum(mixed))
    assert expected and expectation(odd) == {}
    for representation in representations(blocks.loss):
        state = representation.encode(mixed.items())
        assert representation.expectation(state) == expected
        assert representation.expectation(representation.encode([(d, 1) for d, _ in odd])) == {}


# --- the autoencoder with data --------------------------------------------------------------------


def tied_autoencoder() -> tuple[DiagramSum, DiagramSum]:
    """N times the train loss, and the population loss, of f(x) = W^T W x on Gaussian data."""
    W, X = weight("W", H, p), Tensor("X", (p, N), Kind.GAUSSIAN, "one")
    train = (Network.einsum("ki,kj,jn->in", W, W, X), Network.einsum("in->in", X, coefficient=-1))
    population = (Network.einsum("ki,kj->ij", W, W), Network.einsum("->ii", coefficient=-1))
    return square_loss(train, (p, N)), square_loss(population, (p, p))


@pytest.mark.parametrize("kind", [ArrayRepresentation, TraceRepresentation])
def test_tied_autoencoder_with_data(kind: type[Representation[Any]]) -> None:
    """Train and population loss along the flow of the train loss, in one table of contractions.

    The engine knows no 1/N: s mergers with N times the loss are N^s times too large.
    """
    train, population = tied_autoencoder()
    record = json.loads((REFERENCE / "tied_autoencoder_data.json").read_text(encoding="utf-8"))
    representation = kind(blocks_of(train, population))
    for name, observable, extra in (("train", train, 1), ("population", population, 0)):
        flow = Flow(observable, train, representation)
        for entry in record[name]:
            found: Expectation = {}
            for powers, value in flow.expectation(entry["s"]).items():
                exponents = dict(powers)
                exponents.pop("one", None)
                exponents["N"] = exponents.get("N", 0) - entry["s"] - extra
                found[monomial(exponents)] = value
            assert found == read_terms(entry["terms"]), (name, entry["s"])


def test_tied_autoencoder_against_iterated_merging() -> None:
    train, population = tied_autoencoder()
    check(train, train, 1)
    check(population, train, 2)


# --- potentials of other shapes -------------------------------------------------------------------


def two_layers() -> DiagramSum:
    """f_ij = sum_k a_k w_ki w_kj: a two-layer net with quadratic activation, ranks 1 and 2."""
    a, w = weight("a", H, variance="tau2"), weight("w", H, p)
    return square_loss(
        (Network.einsum("k,ki,kj->ij", a, w, w), Network.einsum("->ii", coefficient=-1)), (p, p)
    )


def three_ranks() -> DiagramSum:
    """A convolution-like model with tensors of rank 1, 2 and 3, one with two slots on one axis."""
    b, U, C = weight("b", H), weight("U", H, p), weight("C", p, H, p)
    return square_loss(
        (Network.einsum("ikj,k->ij", C, b), Network.einsum("ki,kj->ij", U, U)), (p, p)
    )


def skew() -> DiagramSum:
    """Square matrices: loops, and words whose letters meet themselves in both orientations."""
    S = weight("S", p, p)
    terms = (Network.einsum("ij,jk->ik", S, S), Network.einsum("ji->ij", S), Network.einsum("->ii"))
    return square_loss(terms, (p, p))


def product_of_traces() -> DiagramSum:
    """|W|^2 |V|^2 and a trace: diagrams that are not connected, tensors of two variances."""
    W, V = weight("W", H, p), weight("V", p, N, variance="tau2")
    both = Diagram((H, p, p, N), ((W, (0, 1)), (W, (0, 1)), (V, (2, 3)), (V, (2, 3))))
    round_trip = ((W, (0, 1)), (V, (1, 3)), (V, (2, 3)), (W, (0, 2)))
    joined = Diagram((H, p, p, N), round_trip)
    return DiagramSum({both: Fraction(1, 3), joined: -2, Diagram((p, H)): 5})


def pinned() -> DiagramSum:
    """The target is the identity plus a spike at the first index; a narrow layer of two."""
    W, e = weight("W", TWO, p), Tensor("e", (ONE, p), Kind.GAUSSIAN, "xi2")
    terms = (
        Network.einsum("ki,kj->ij", W, W),
        Network.einsum("->ii", coefficient=-1),
        Network.einsum("oi,oj->ij", e, e, coefficient=Fraction(-3, 2)),
    )
    return square_loss(terms, (p, p))


def pinned_spike() -> DiagramSum:
    """Pinned nodes in a model of rank three, where words do not apply."""
    U, a = weight("U", TWO, p), weight("a", TWO, variance="tau2")
    return square_loss(
        (Network.einsum("k,ki,ki->i", a, U, U), Network.einsum("->i", coefficient=HALF)), (p,)
    )


def deep_linear() -> DiagramSum:
    """Three factors with different inner axes and variances: no two are interchangeable."""
    first, second, third = weight("A", p, H), weight("B", H, M, variance="tau2"), weight("C", M, p)
    terms = (
        Network.einsum("ik,kl,lj->ij", first, second, third),
        Network.einsum("->ii", coefficient=-1),
    )
    return square_loss(terms, (p, p))


def not_interchangeable() -> DiagramSum:
    """Equal axes, kind and variance, but the potential tells the two apart."""
    U, V = weight("U", H, p), weight("V", H, p)
    terms = (
        Network.einsum("ki,kj->ij", U, U),
        Network.einsum("ki,kj->ij", U, V, coefficient=2),
        Network.einsum("->ii", coefficient=-1),
    )
    return square_loss(terms, (p, p))


def interchangeable_as_a_sum() -> DiagramSum:
    """No diagram is symmetric, the sum is: exchanging the two exchanges diagrams."""
    U, V = weight("U", H, p), weight("V", H, p)
    nodes = (H, p, p)
    one = Diagram(nodes, ((U, (0, 1)),) * 3 + ((V, (0, 2)),))
    other = Diagram(nodes, ((V, (0, 1)),) * 3 + ((U, (0, 2)),))
    return DiagramSum({one: 1, other: 1, Diagram((H, p), ((U, (0, 1)), (V, (0, 1)))): -1})


def decoupled() -> DiagramSum:
    """Two copies of one model that do not meet: words, exchanged as a sum."""
    return collect(
        term
        for name in "UV"
        for term in square_loss(
            (
                Network.einsum("ki,kj->ij", weight(name, H, p), weight(name, H, p)),
                Network.einsum("->ii", coefficient=-1),
            ),
            (p, p),
        )
    )


def many_parities() -> DiagramSum:
    """f_i = sum_k a_k W_ki + c_i - 1: factors of each tensor odd or even, in five combinations."""
    a, W, c = weight("a", H, variance="tau2"), weight("W", H, p), weight("c", p)
    terms = (
        Network.einsum("k,ki->i", a, W),
        Network.einsum("i->i", c),
        Network.einsum("->i", coefficient=-1),
        Network.einsum("ki->i", W, coefficient=HALF),
    )
    return square_loss(terms, (p,))


def fixed_teacher() -> DiagramSum:
    """A teacher with the shape and variance of the student; it is averaged, never merged."""
    W, T = weight("W", H, p), Tensor("T", (H, p), Kind.GAUSSIAN, "sigma2")
    terms = (
        Network.einsum("ki,kj,kl->ijl", W, W, W),
        Network.einsum("ki,kj,kl->ijl", T, T, T, coefficient=-1),
    )
    return square_loss(terms, (p, p, p))


POTENTIALS = {
    two_layers: 2,
    three_ranks: 2,
    skew: 3,
    product_of_traces: 3,
    pinned: 2,
    pinned_spike: 2,
    deep_linear: 1,
    not_interchangeable: 3,
    interchangeable_as_a_sum: 3,
    decoupled: 3,
    many_parities: 2,
    fixed_teacher: 1,
}


@pytest.mark.parametrize(
    ("potential", "terms"),
    [pytest.param(make, terms, id=make.__name__) for make, terms in POTENTIALS.items()],
)
def test_flow_equals_iterated_merging(potential, terms: int) -> None:
    check(potential(), potential(), terms)


def test_the_potentials_above_are_what_they_claim() -> None:
    """Symmetries, traces and disconnected diagrams: the cases that the engine treats apart."""
    names = [[t.name for t in members] for members in symmetric_tensors(interchangeable_as_a_sum())]
    assert names == [["U", "V"]]
    assert all(
        symmetric_tensors(DiagramSum({diagram: 1})) == ((weight("U", H, p),), (weight("V", H, p),))
        for diagram, _ in interchangeable_as_a_sum()
        if len(diagram.factors) == 4
    )
    assert len(symmetric_tensors(not_interchangeable())) == 2
    assert len(symmetric_tensors(deep_linear())) == 3
    assert len(symmetric_tensors(decoupled())) == 1
    words = {make.__name__ for make in POTENTIALS if len(representations(make())) == 2}
    assert words >= {"skew", "product_of_traces", "pinned", "deep_linear", "decoupled"}
    assert not words & {"two_layers", "three_ranks", "pinned_spike", "fixed_teacher"}


def test_observables_with_tensors_and_axes_of_their_own() -> None:
    """What is followed may contain fixed tensors, free nodes and axes that the flow has not."""
    W, Y = weight("W", H, p), Tensor("Y", (p, M), Kind.GAUSSIAN, "xi2")
    observable = DiagramSum(
        {
            Diagram((H, p, M, M), ((W, (0, 1)), (W, (0, 1)), (Y, (1, 2)), (Y, (1, 2)))): 2,
            Diagram((M,)): HALF,
        }
    )
    potential = cp(2, symmetric=True).loss
    W_is_U = {Tensor("U", (H, p), variance="sigma2"): W}
    potential = collect(
        (Diagram(d.nodes, tuple((W_is_U[t], at) for t, at in d.factors)), c) for d, c in potential
    )
    check(observable, potential, 2)


def test_a_symmetric_potential_with_an_observable_that_is_not() -> None:
    """One table for a flow whose observable breaks the symmetry of the potential."""
    U = cp(2).tensors[0]
    observable = DiagramSum({Diagram((H, p), ((U, (0, 1)), (U, (0, 1)))): 1})
    check(observable, cp(2).loss, 3)


def test_without_learnable_tensors_nothing_moves() -> None:
    X = Tensor("X", (p, N), Kind.GAUSSIAN, "xi2")
    still = DiagramSum({Diagram((p, N), ((X, (0, 1)), (X, (0, 1)))): 3, Diagram((p,)): 1})
    for representation in representations(still):
        flow = Flow(still, still, representation)
        assert flow.expectation(0) == expectation(still)
        assert flow.expectation(1) == {}
        assert flow.diagrams(1) == DiagramSum()
        assert flow.count(1) == 0


def test_a_constant_does_not_move() -> None:
    """The empty diagram is the number one: no axis, no tensor, nothing to learn."""
    for constant in (DiagramSum({Diagram(()): HALF}), DiagramSum()):
        for representation in representations(constant):
            flow = Flow(constant, constant, representation)
            assert flow.expectation(0) == expectation(constant)
            assert flow.expectation(1) == {}


# --- random potentials ----------------------------------------------------------------------------


@st.composite
def closed_words(draw: st.DrawFn) -> Diagram:
    """A random product of traces: every slot meets exactly one other."""
    S, V, W = weight("S", p, p), weight("V", H, p), weight("W", TWO, p, variance="tau2")
    X = Tensor("X", (p, H), Kind.GAUSSIAN, "xi2")
    squares = draw(st.lists(st.just(S), max_size=2))
    pairs = draw(st.lists(st.sampled_from((V, W, X)), max_size=2))
    tensors = [*squares, *pairs, *pairs] or [S]
    slots = [(i, slot, axis) for i, t in enumerate(tensors) for slot, axis in enumerate(t.axes)]
    nodes: list[Axis] = []
    at = [[0, 0] for _ in tensors]
    for axis in (H, p, TWO):
        ends = draw(st.permutations([(i, slot) for i, slot, on in slots if on == axis]))
        for first, second in zip(ends[::2], ends[1::2], strict=True):
            for i, slot in (first, second):
                at[i][slot] = len(nodes)
            nodes.append(axis)
    nodes += draw(st.lists(st.sampled_from((p, TWO)), max_size=1))
    return Diagram(
        tuple(nodes), tuple((t, tuple(ends)) for t, ends in zip(tensors, at, strict=True))
    )


COEFFICIENTS = st.fractions(-2, 2, max_denominator=3).filter(bool)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_random_products_of_traces(data) -> None:
    sums = [
        collect((data.draw(closed_words()), data.draw(COEFFICIENTS)) for _ in range(count))
        for count in (1, 2)
    ]
    assert all(is_product_of_traces(diagram) for total in sums for diagram, _ in total)
    letters = sum(max((len(diagram.factors) for diagram, _ in total), default=0) for total in sums)
    check(*sums, terms=2 if letters <= 8 else 1)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_random_potentials(labelled, data) -> None:
    """Any tensors, any shape: ranks 1 to 3, loops, parallel factors, free and pinned nodes."""
    potential, observable = (
        collect(
            (
                Diagram(*data.draw(labelled(max_factors=4, min_factors=least, even=not least))),
                data.draw(COEFFICIENTS),
            )
            for least in (0, 1)
        )
        for _ in range(2)
    )
    check(observable, potential, 2)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_potentials_with_exchanged_tensors(labelled, data) -> None:
    """Sums over three tensors made symmetric by adding all their permutations of a diagram."""
    three = tuple(weight(name, H, p) for name in "QRS")
    images = [dict(zip(three, order, strict=True)) for order in permutations(three)]
    sums = []
    for _ in range(2):
        nodes, factors = data.draw(labelled(three, deltas=False, min_factors=1, max_factors=3))
        sums.append(
            collect(
                (Diagram(nodes, tuple((image[t], at) for t, at in factors)), 1) for image in images
            )
        )
    assert symmetric_tensors(*sums) == (three,)
    check(sums[0], sums[1], 2)


@settings(max_examples=100, deadline=None)
@given(
    word=st.text(alphabet="`abcdefg", min_size=1, max_size=9),
    start=st.integers(0, 8),
    backwards=st.booleans(),
)
def test_the_canonical_word_is_the_same_from_every_start_and_in_both_directions(
    word: str, start: int, backwards: bool
) -> None:
    start %= len(word)
    other = word[start:] + word[:start]
    if backwards:
        other = "".join(chr(ord(letter) ^ 1) for letter in reversed(other))
    assert canonical_word(other) == canonical_word(word)
    assert canonical_word(canonical_word(word)) == canonical_word(word)
    assert len(canonical_word(word)) == len(word)


# --- against the oracle ---------------------------------------------------------------------------


def at_sizes(moments: Expectation, sizes: dict[str, int]) -> Expectation:
    result: Expectation = {}
    for powers, value in moments.items():
        for name, power in powers:
            value *= sizes.get(name, 1) ** power
        rest = tuple((name, power) for name, power in powers if name not in sizes)
        result[rest] = result.get(rest, Fraction(0)) + value
    return {powers: value for powers, value in result.items() if value}


@pytest.mark.parametrize(("size", "rank"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_two_layer_net_against_the_oracle(size: int, rank: int) -> None:
    loss = two_layers()
    flow = Flow(loss, loss)
    series = loss_derivatives(
        [Term(1, (("a", "k"), ("w", "ki"), ("w", "kj")), "ij")],
        [Term(1, (), "ii")],
        {"i": size, "j": size, "k": rank},
        2,
        {"a": "tau2"},
    )
    for s, expected in enumerate(series):
        assert at_sizes(flow.expectation(s), {"p": size, "H": rank}) == expected


@pytest.mark.parametrize(("size", "inner", "outer"), [(1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 2)])
def test_deep_linear_net_against_the_oracle(size: int, inner: int, outer: int) -> None:
    """Two observables: the loss itself, and the squared norm of the model along its flow."""
    A, B, C = (term for term in (("A", "ik"), ("B", "kl"), ("C", "lj")))
    model = Term(1, (A, B, C), "ij")
    loss = deep_linear()
    norm = DiagramSum({d: c for d, c in loss if len(d.factors) == 6})
    sizes = {"i": size, "j": size, "k": inner, "l": outer}
    shared = represent(loss, norm)
    for observable, observed in ((loss, None), (norm, OracleLoss((model,), ()))):
        flow = Flow(observable, loss, shared)
        series = loss_derivatives(
            [model], [Term(1, (), "ii")], sizes, 2, {"B": "tau2"}, observable=observed
        )
        for s, expected in enumerate(series):
            assert at_sizes(flow.expectation(s), {"p": size, "H": inner, "M": outer}) == expected
