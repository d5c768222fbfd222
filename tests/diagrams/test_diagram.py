"""Laws of diagrams: one canonical form, and equality, hash, order and text that follow from it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod

import networkx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagrams.canonical import answered, automorphism_order, canonical_form
from diagrams.diagram import Diagram, identify
from diagrams.merge import factor_orbits
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
S = Tensor("S", (p, p), variance="sigma2")

MANY = settings(max_examples=100, deadline=None)
SOME = settings(max_examples=60, deadline=None)


def renumbered(nodes, factors, order):
    """The same diagram with node ``order[k]`` called ``k``."""
    number = {old: new for new, old in enumerate(order)}
    return (
        tuple(nodes[old] for old in order),
        tuple((tensor, tuple(number[j] for j in at)) for tensor, at in factors),
    )


def incidence(nodes, factors) -> networkx.MultiGraph:
    """The incidence graph, written down independently: labels are whole axes, tensors and slots."""
    graph = networkx.MultiGraph()
    for j, axis in enumerate(nodes):
        graph.add_node(("node", j), label=axis)
    for j, (tensor, at) in enumerate(factors):
        graph.add_node(("factor", j), label=tensor)
        for slot, node in enumerate(at):
            graph.add_edge(("factor", j), ("node", node), slot=slot)
    return graph


def isomorphic(first: networkx.MultiGraph, second: networkx.MultiGraph, label: str) -> bool:
    return networkx.is_isomorphic(
        first,
        second,
        node_match=networkx.algorithms.isomorphism.categorical_node_match(label, None),
        edge_match=networkx.algorithms.isomorphism.categorical_multiedge_match("slot", None),
    )


def node_permutations(nodes: Sequence[Axis]) -> Iterator[dict[int, int]]:
    """All permutations of the nodes that keep the axes."""
    by_axis = [[j for j, on in enumerate(nodes) if on == axis] for axis in sorted_axes(nodes)]
    for images in product(*(permutations(group) for group in by_axis)):
        yield {
            old: new
            for group, image in zip(by_axis, images, strict=True)
            for old, new in zip(group, image, strict=True)
        }


def sorted_axes(nodes: Sequence[Axis]) -> list[Axis]:
    return sorted(set(nodes), key=lambda axis: axis.sort_key)


def automorphisms(nodes, factors) -> list[dict[int, int]]:
    """The permutations of nodes that map the multiset of factors to itself."""
    original = Counter(factors)
    return [
        image
        for image in node_permutations(nodes)
        if Counter((tensor, tuple(image[j] for j in at)) for tensor, at in factors) == original
    ]


# --- canonical form -------------------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_renumbering_nodes_and_reordering_factors_gives_an_equal_diagram(labelled, data) -> None:
    nodes, factors = data.draw(labelled(max_nodes=7, max_factors=6))
    order = data.draw(st.permutations(range(len(nodes))))
    other_nodes, other_factors = renumbered(nodes, factors, order)
    first = Diagram(nodes, factors)
    second = Diagram(other_nodes, tuple(data.draw(st.permutations(other_factors))))
    assert first == second
    assert hash(first) == hash(second)
    assert (first.nodes, first.factors) == (second.nodes, second.factors)
    assert str(first) == str(second)


@MANY
@given(data=st.data())
def test_equal_exactly_when_isomorphic(labelled, data) -> None:
    """Against VF2 on near misses: one slot of one factor moved to another node of its axis."""
    nodes, factors = data.draw(labelled(deltas=False, max_nodes=7, max_factors=6))
    assume(factors)
    which = data.draw(st.integers(0, len(factors) - 1))
    tensor, at = factors[which]
    slot = data.draw(st.integers(0, tensor.rank - 1))
    choices = [j for j, on in enumerate(nodes) if on == tensor.axes[slot]]
    moved = (*at[:slot], data.draw(st.sampled_from(choices)), *at[slot + 1 :])
    changed = (*factors[:which], (tensor, moved), *factors[which + 1 :])
    order = data.draw(st.permutations(range(len(nodes))))
    other = renumbered(nodes, changed, order)
    expected = isomorphic(incidence(nodes, factors), incidence(*other), "label")
    assert (Diagram(nodes, factors) == Diagram(*other)) is expected


CYCLE_OF_EIGHT = (
    (H,) * 4 + (p,) * 4,
    [(W, (j, 4 + (j + k) % 4)) for j in range(4) for k in (0, 1)],
)
TWO_CYCLES_OF_FOUR = (
    (H,) * 4 + (p,) * 4,
    [(W, (2 * c + j, 4 + 2 * c + k)) for c in range(2) for j in range(2) for k in range(2)],
)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Equal degrees everywhere: colour refinement alone can not tell them apart.
        pytest.param(CYCLE_OF_EIGHT, TWO_CYCLES_OF_FOUR, id="one cycle or two"),
        pytest.param(((p,), [(S, (0, 0))]), ((p, p), [(S, (0, 1))]), id="loop or not"),
        pytest.param(
            ((p, p), [(S, (0, 1)), (S, (0, 1))]),
            ((p, p), [(S, (0, 1)), (S, (1, 0))]),
            id="order of slots",
        ),
        pytest.param(
            ((H, p, p), [(W, (0, 1)), (W, (0, 1)), (W, (0, 2))]),
            ((H, p, p), [(W, (0, 1)), (W, (0, 2))]),
            id="multiplicity",
        ),
        pytest.param(((p,), []), ((H,), []), id="axis of a free node"),
        pytest.param(((p, p), []), ((p,), []), id="number of free nodes"),
        pytest.param(((p,), []), ((Axis("p", pinned=3),), []), id="pinned or not"),
        pytest.param(
            ((H, p), [(W, (0, 1))]),
            ((H, p), [(Tensor("W", (H, p), variance="tau2"), (0, 1))]),
            id="variance",
        ),
        pytest.param(
            ((H, p), [(W, (0, 1))]),
            ((H, p), [(Tensor("W", (H, p), Kind.GAUSSIAN, "sigma2"), (0, 1))]),
            id="kind",
        ),
    ],
)
def test_different_diagrams_stay_different(first, second) -> None:
    one, other = Diagram(first[0], tuple(first[1])), Diagram(second[0], tuple(second[1]))
    assert one != other
    assert (one < other) != (other < one)


def test_all_renumberings_of_symmetric_graphs_have_one_form() -> None:
    """Where many nodes are equivalent a wrongly read permutation shows at once."""
    nodes, factors = CYCLE_OF_EIGHT
    forms = {
        canonical_form(*renumbered(nodes, factors, (*rows, *columns)))
        for rows in permutations(range(4))
        for columns in permutations(range(4, 8))
    }
    assert len(forms) == 1


@MANY
@given(data=st.data())
def test_deltas_identify_their_nodes_and_disappear(labelled, algebra, data) -> None:
    """The diagram stands for the polynomial that it is written as, deltas included."""
    written = data.draw(labelled())
    diagram = Diagram(*written)
    assert all(tensor.kind is not Kind.DELTA for tensor in diagram.tensors)
    sizes = {"p": 2, "H": 2}
    result = algebra.polynomial((diagram.nodes, diagram.factors), sizes)
    assert result == algebra.polynomial(written, sizes)


def test_identify_takes_the_transitive_closure() -> None:
    nodes, factors = identify((p,) * 5, [(S, (1, 4)), (S, (3, 2))], [(4, 3), (0, 1), (1, 3)])
    assert nodes == (p, p)
    assert factors == ((S, (0, 0)), (S, (0, 1)))


# --- text, hash, order ----------------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_text_reads_back_and_repr_begins_with_it(labelled, data) -> None:
    diagram = Diagram(*data.draw(labelled(max_nodes=7, max_factors=6)))
    assert Diagram.parse(str(diagram)) == diagram
    shown = repr(diagram)
    assert "\n" not in shown and len(shown) <= 100
    assert str(diagram)[:60].rstrip() in shown


def test_text_by_hand() -> None:
    """Declarations in order, powers for parallel factors, free nodes at the end."""
    first = Axis("first", pinned=2)
    X = Tensor("X", (p, first), Kind.GAUSSIAN, "xi2")
    factors = ((W, (0, 1)), (X, (1, 3)), (W, (0, 1)))
    text = "axis first=2; gaussian X[p,first]~xi2; weight W[H,p]~sigma2; "
    assert str(Diagram((H, p, p, first), factors)) in {
        text + "W(H0,p0)^2 X(p0,first0) p1",
        text + "W(H0,p1)^2 X(p1,first0) p0",
    }
    assert str(Diagram(())) == "1"
    assert Diagram.parse("1") == Diagram(())
    assert Diagram.parse(" weight W[H,p]~sigma2 ;W(H7,p3) W(H7,p3)  ") == Diagram.parse(
        "weight W[H,p]~sigma2; W(H0,p0)^2"
    )


@MANY
@given(data=st.data())
def test_order_is_total_and_agrees_with_equality_and_hash(labelled, data) -> None:
    small = labelled(max_nodes=3, max_factors=2)
    first, second, third = (Diagram(*data.draw(small)) for _ in range(3))
    assert [first < second, first == second, first > second].count(True) == 1
    assert (first <= second) is not (first > second)
    assert (first.sort_key == second.sort_key) is (first == second)
    if first == second:
        assert hash(first) == hash(second)
    if first < second < third:
        assert first < third
    assert sorted([first, second, third]) == sorted([third, first, second])


@SOME
@given(data=st.data())
def test_sums_collect_equal_diagrams(labelled, data) -> None:
    small = labelled(max_nodes=3, max_factors=2)
    coefficients = st.fractions(-2, 2, max_denominator=3)
    terms = [(Diagram(*data.draw(small)), data.draw(coefficients)) for _ in range(4)]
    total = collect(terms)
    for diagram in {diagram for diagram, _ in terms}:
        value = sum((c for other, c in terms if other == diagram), Fraction(0))
        assert dict(total.terms).get(diagram, 0) == value
    assert all(c for _, c in total), "zero coefficients are dropped"
    assert [diagram for diagram, _ in total] == sorted(diagram for diagram, _ in total)
    assert total - total == DiagramSum()
    assert total + total == 2 * total == total * 2 == -(total * -2)
    assert all(repr(diagram) in repr(total) for diagram, _ in total)


def test_same_bytes_under_any_hash_seed() -> None:
    """Nothing of the text, the order of terms or the expectations depends on set iteration."""
    outputs = set()
    for seed in ("0", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", SHOW_EVERYTHING],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
        )
        outputs.add(done.stdout)
    [output] = outputs
    assert output.count(b"\n") > 20


SHOW_EVERYTHING = """
from diagrams.diagram import Diagram
from diagrams.flow import Flow
from diagrams.merge import merge, symmetric_tensors
from diagrams.network import Network, inner_product
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation

p, H, first = Axis("p"), Axis("H"), Axis("first", pinned=3)
U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
a = Tensor("a", (H,), variance="tau2")
S = Tensor("S", (p, p), variance="rho2")
X = Tensor("X", (p, first), Kind.GAUSSIAN, "xi2")
nodes = (H, p, p, first, H)
factors = ((U, (0, 1)), (V, (0, 2)), (S, (1, 2)), (S, (2, 1)), (X, (1, 3)), (a, (0,)), (a, (4,)))
mixed = Diagram(nodes, factors)
print(mixed, repr(mixed), mixed.automorphism_order, mixed.tensors, mixed.multiplicities)
square = merge(mixed, mixed)
for line in str(square).split(" + "):
    print(line)
print(expectation(square), symmetric_tensors(square))
identity = Network.einsum("->ij", coefficient=-1)
for model in (Network.einsum("ki,kj->ij", U, V), Network.einsum("k,ki,kj->ij", a, U, U)):
    loss = inner_product((model, identity), (model, identity), (p, p))
    flow = Flow(loss, loss)
    for s in range(4):
        print(flow.expectation(s), flow.count(s), flow.representation.contractions)
        print(flow.diagrams(s))
"""


# --- automorphisms --------------------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_automorphism_order_by_trying_all_permutations(labelled, data) -> None:
    nodes, factors = data.draw(labelled(deltas=False, max_nodes=6, max_factors=5))
    exchanges = prod(factorial(count) for count in Counter(factors).values())
    expected = len(automorphisms(nodes, factors)) * exchanges
    assert automorphism_order(nodes, factors) == expected
    assert Diagram(nodes, factors).automorphism_order == expected


@MANY
@given(data=st.data())
def test_factor_orbits_by_trying_all_permutations(labelled, data) -> None:
    """One learnable factor from each orbit, and the sizes of the orbits."""
    diagram = Diagram(*data.draw(labelled(deltas=False, max_nodes=6, max_factors=5)))
    group = automorphisms(diagram.nodes, diagram.factors)
    orbits: dict[frozenset, int] = {}
    for tensor, at in diagram.factors:
        if tensor.is_learnable:
            orbit = frozenset((tensor, tuple(image[j] for j in at)) for image in group)
            orbits[orbit] = orbits.get(orbit, 0) + 1
    found = factor_orbits(diagram)
    assert len(found) == len(orbits)
    for representative, size in found.items():
        [orbit] = [orbit for orbit in orbits if representative in orbit]
        assert orbits[orbit] == size


# --- the graph ------------------------------------------------------------------------------------


@SOME
@given(data=st.data())
def test_to_networkx_is_the_incidence_graph(labelled, data) -> None:
    nodes, factors = data.draw(labelled(deltas=False))
    expected = incidence(nodes, factors)
    for vertex, label in expected.nodes(data="label"):
        expected.nodes[vertex]["axis" if vertex[0] == "node" else "tensor"] = label.name
    shown = Diagram(nodes, factors).to_networkx()
    assert isomorphic(shown, expected, "axis")
    assert isomorphic(shown, expected, "tensor")
    assert Counter(shown.nodes(data="axis")) == Counter(
        (("node", j), axis.name) for j, axis in enumerate(sorted(nodes, key=lambda a: a.sort_key))
    ) + Counter((("factor", j), None) for j in range(len(factors)))


@SOME
@given(data=st.data())
def test_degrees_count_slots_and_multiplicities_count_factors(labelled, data) -> None:
    diagram = Diagram(*data.draw(labelled()))
    assert sum(diagram.degrees) == sum(tensor.rank for tensor, _ in diagram.factors)
    assert len(diagram.degrees) == len(diagram.nodes)
    for node, degree in enumerate(diagram.degrees):
        assert degree == sum(at.count(node) for _, at in diagram.factors)
    assert Counter(diagram.multiplicities) == Counter(diagram.factors)


def test_an_interrupt_inside_the_library_of_graphs_is_raised_as_it_is() -> None:
    """Python makes a `SystemError` of an answer that comes together with an exception."""

    def interrupted() -> int:
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        answered(interrupted)

    def broken() -> int:
        raise SystemError("something else")

    with pytest.raises(SystemError, match="something else"):
        answered(broken)
