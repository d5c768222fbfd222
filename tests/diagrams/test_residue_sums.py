"""Tensors that are neither random nor deltas: pins and modular sums, counted by brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import gcd, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.engine.arrays.contraction_table import ContractionTable
from diagrams.engine.arrays.packing import Packing
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.by_definition import DefinitionRepresentation
from diagrams.engine.traces.representation import TraceRepresentation
from diagrams.errors import CapacityError, InvalidInputError
from diagrams.flow import Flow, represent
from diagrams.merge import merge, symmetric_tensors
from diagrams.network import Network, inner_product
from diagrams.residue_sums import divisors, solutions
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation

p, H, PAIR = Axis("p"), Axis("H"), Axis("pair", pinned=2)
W = Tensor("W", (H, p), variance="sigma2")
PIN, PLUS, PLUS4 = Tensor.pin(p), Tensor.modular_sum(p), Tensor("plus4", (p,) * 4, Kind.MODULAR)
FIXED = (PIN, PLUS, PLUS4, Tensor.delta(p), Tensor.pin(H), Tensor.pin(PAIR))
SOME = settings(max_examples=60, deadline=None)


def holds(diagram: Diagram, sizes: dict[str, int]) -> bool:
    """Whether no size has a factor in common with a divisor."""
    found = divisors(diagram)
    return all(gcd(d, sizes[name]) == 1 for name, values in found.items() for d in values)


@SOME
@given(data=st.data())
def test_the_indices_at_which_no_factor_vanishes(labelled, algebra, data) -> None:
    """The product of the sizes is their number, or at a size that is left out, less than it."""
    written = data.draw(labelled(FIXED, deltas=False, max_nodes=6, max_factors=5))
    diagram = Diagram(*written)
    for size in (1, 2, 3, 4, 5):
        sizes = {"p": size, "H": 3}
        count = sum(algebra.polynomial(written, sizes).values())
        counted = prod(axis.pinned or sizes[axis.name] for axis in solutions(diagram))
        assert counted == count if holds(diagram, sizes) else counted < count


def test_a_size_that_is_left_out() -> None:
    """i + j = k and i + k = j, so 2 i = 0: two solutions for i at even p."""
    diagram = Diagram((p, p, p), ((PLUS, (0, 1, 2)), (PLUS, (0, 2, 1))))
    assert solutions(diagram) == (p,)
    assert divisors(diagram) == {"p": (2,)}
    for size in range(1, 7):
        count = sum(
            (i + j - k) % size == 0 and (i + k - j) % size == 0
            for i, j, k in product(range(size), repeat=3)
        )
        assert count == size * gcd(2, size)


@SOME
@given(data=st.data())
def test_expectations_with_fixed_factors(labelled, algebra, data) -> None:
    """Whatever the conditions, at sizes prime to all that could be divisors of so few of them."""
    written = data.draw(
        labelled((W, PIN, PLUS, Tensor.delta(p)), deltas=False, max_nodes=5, max_factors=6)
    )
    sizes = {"p": data.draw(st.sampled_from([1, 5, 7])), "H": 2}
    known: dict[Diagram, object] = {}
    found = expectation(Diagram(*written), known=known)  # type: ignore[arg-type]
    if all(holds(diagram, sizes) for diagram in known if W not in diagram.tensors):
        expected = algebra.gaussian_mean(algebra.polynomial(written, sizes))
        assert algebra.at_sizes(found, sizes) == expected


@SOME
@given(data=st.data())
def test_mergers_with_fixed_factors(labelled, algebra, data) -> None:
    tensors = (W, PIN, PLUS, Tensor.delta(p))
    first, second = (
        data.draw(labelled(tensors, deltas=False, max_nodes=4, max_factors=3)) for _ in range(2)
    )
    sizes = {"p": 3, "H": 2}
    total: dict[object, int] = {}
    for diagram, c in merge(Diagram(*first), Diagram(*second)):
        for entries, count in algebra.polynomial((diagram.nodes, diagram.factors), sizes).items():
            total[entries] = total.get(entries, 0) + int(c) * count
    expected = algebra.gradient_product(
        algebra.polynomial(first, sizes), algebra.polynomial(second, sizes)
    )
    assert {k: v for k, v in total.items() if v} == {k: v for k, v in expected.items() if v}


def test_pins_of_one_axis_are_one_node() -> None:
    two = Diagram((p, p, H), ((PIN, (0,)), (PIN, (1,)), (W, (2, 0)), (W, (2, 1))))
    one = Diagram((p, H), ((PIN, (0,)), (W, (1, 0)), (W, (1, 0))))
    assert two == one
    assert Diagram((p,), ((PIN, (0,)), (PIN, (0,)))) == Diagram((p,), ((PIN, (0,)),))
    assert expectation(one) == {(("H", 1), ("sigma2", 1)): 1}


@SOME
@given(data=st.data())
def test_the_text_of_fixed_tensors_parses_back(labelled, data) -> None:
    diagram = Diagram(*data.draw(labelled((W, *FIXED), max_nodes=6, max_factors=5)))
    assert Diagram.parse(str(diagram)) == diagram


def loss_of(order: int, *others: Network, tensors: tuple[Tensor, ...] = (W,)) -> DiagramSum:
    """1/2 |f - F|^2 of a CP model and a target."""
    letters = "abcdefg"[:order]
    formula = ",".join("k" + letter for letter in letters) + "->" + letters
    model = Network.einsum(formula, *(tensors * order)[:order])
    networks = (model, *others)
    return inner_product(networks, networks, (p,) * order) * Fraction(1, 2)


def delta(order: int, coefficient: int | Fraction = -1) -> Network:
    return Network.einsum("->" + "a" * order, coefficient=coefficient)


def spike(order: int, coefficient: int | Fraction = -1) -> Network:
    return Network(((PIN, ("a",)),), ("a",) * order, Fraction(coefficient))


def plus(order: int, coefficient: int | Fraction = -1) -> Network:
    modes = tuple("abcdefg"[:order])
    return Network(((Tensor.modular_sum(p, order), modes),), modes, Fraction(coefficient))


U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
HIDDEN_PIN = Network(
    ((Tensor.pin(H), ("k",)), (W, ("k", "a")), (Tensor.pin(p), ("b",))), ("a", "b"), Fraction(1, 3)
)
LOSSES = {
    "identity, order 2": loss_of(2, delta(2)),
    "identity, order 3": loss_of(3, delta(3)),
    "spike": loss_of(2, spike(2, 2)),
    "spike, order 3": loss_of(3, delta(3), spike(3)),
    "spike, two colours": loss_of(2, delta(2), spike(2), tensors=(U, V)),
    "modular sum": loss_of(3, plus(3)),
    "modular sum, two colours": loss_of(3, plus(3), tensors=(U, V, U)),
    "modular sum, order 4": loss_of(4, plus(4)),
    "all of them": loss_of(2, delta(2, Fraction(1, 2)), spike(2), plus(2), tensors=(U, V)),
    "pins on two axes": loss_of(2, spike(2), HIDDEN_PIN),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_flows_of_plain_diagrams_are_those_of_the_others(loss: DiagramSum) -> None:
    """Bulk engines against the definitions, diagram by diagram: values and exceptions."""
    other = represent(loss, loss)
    assert not isinstance(other, DefinitionRepresentation)
    plain, bulk = Flow(loss, loss, DefinitionRepresentation(other.blocks)), Flow(loss, loss, other)
    for s in range(3):
        assert plain.expectation(s) == bulk.expectation(s)
        assert plain.representation.divisors == bulk.representation.divisors
        if all(len(members) == 1 for members in other.blocks.symmetric):
            assert plain.diagrams(s) == bulk.diagrams(s)
        assert plain.count(s) >= bulk.count(s) > 0


def test_pinned_nodes_stay_one() -> None:
    """However often a spike is merged, a diagram has one pin on each axis."""
    loss = LOSSES["pins on two axes"]
    flow = Flow(loss, loss)
    for diagram, _ in flow.diagrams(2):
        pins = [tensor for tensor, _ in diagram.factors if tensor.kind is Kind.PIN]
        assert len(pins) == len(set(pins)) <= 2
    assert any(len(d.tensors) == 3 for d, _ in flow.diagrams(2))


def test_a_tensor_with_too_many_slots_for_a_packed_factor() -> None:
    """Seven modes: the plain representation takes over, with the count of the elementary sum."""
    loss = loss_of(7, plus(7))
    flow = Flow(loss, loss)
    assert isinstance(flow.representation, DefinitionRepresentation)
    assert flow.expectation(0)[("p", 6),] == Fraction(1, 2)


def test_the_representation_is_chosen_by_the_diagrams() -> None:
    assert isinstance(represent(LOSSES["identity, order 2"]), TraceRepresentation)
    for name in ("spike", "modular sum", "identity, order 3"):
        chosen = represent(LOSSES[name])
        assert isinstance(chosen, ArrayRepresentation)
        assert chosen.holds(LOSSES[name])
    assert symmetric_tensors(LOSSES["spike"]) == ((W,),)


def test_diagrams_of_fixed_factors_need_a_rule() -> None:
    blocks = represent(LOSSES["spike"]).blocks
    table = ContractionTable(Packing(blocks), lambda added: None)
    code = Packing(blocks).is_deterministic.tolist().index(True) << 16
    table.add(np.array([[code]], dtype=np.uint32))
    with pytest.raises(CapacityError, match=r"^contraction: deterministic factors need a rule"):
        table.evaluate([[]])


def test_fixed_and_random_diagrams_with_one_number_of_factors() -> None:
    """Some are finished, others integrated, and each finds its own way back."""
    sums = [Tensor.modular_sum(p, rank) for rank in (2, 3)]
    fixed = [Diagram((p,) * m.rank, ((m, tuple(range(m.rank))),) * 2) for m in sums]
    random = [
        Diagram((H, p), ((W, (0, 1)),) * 2),
        Diagram((H, p, p), ((W, (0, 1)), (W, (0, 2)))),
        Diagram((H, H, p), ((W, (0, 2)), (W, (1, 2)))),
    ]
    observable = DiagramSum({d: 10**n for n, d in enumerate((*fixed, *random))})
    blocks = represent(observable, observable).blocks
    found = [
        Flow(observable, observable, kind(blocks)).expectation(0)
        for kind in (DefinitionRepresentation, ArrayRepresentation)
    ]
    assert (
        found[0]
        == found[1]
        == {
            (("p", 1),): 1,
            (("p", 2),): 10,
            (("H", 1), ("p", 1), ("sigma2", 1)): 11100,
        }
    )


def test_what_a_representation_does_not_hold() -> None:
    """Another tensor, another axis, a diagram that does not suit, or fewer symmetries."""
    model = Network.einsum("ki,kj->ij", U, V)
    loss = inner_product((model,), (model,), (p, p))
    store = represent(loss)
    assert store.holds(loss)
    other = Diagram((H, p), ((W, (0, 1)), (W, (0, 1))))
    assert not store.holds(DiagramSum({other: 1}))
    assert not store.holds(DiagramSum({Diagram((Axis("N"),), ()): 1}))
    star = Diagram((H, p), ((U, (0, 1)), (U, (0, 1)), (V, (0, 1)), (V, (0, 1))))
    assert not store.holds(DiagramSum({star: 1}))
    lone = Diagram((H, p), ((U, (0, 1)), (U, (0, 1))))
    assert not store.holds(DiagramSum({lone: 1}))


# --- what such tensors may be ---------------------------------------------------------------------


def test_a_modular_sum_on_a_pinned_axis() -> None:
    message = (
        r"^tensor modular_sum_pair3: a modular sum is counted for sizes that are symbols but axis"
    )
    with pytest.raises(InvalidInputError, match=message):
        Tensor.modular_sum(PAIR)


def test_a_pin_with_two_slots() -> None:
    message = r"^tensor e: a pin is a vector but has 2 slots; give it one axis$"
    with pytest.raises(InvalidInputError, match=message):
        Tensor("e", (p, p), Kind.PIN)


@pytest.mark.parametrize("kind", [Kind.PIN, Kind.MODULAR])
def test_a_fixed_tensor_with_a_variance(kind: Kind) -> None:
    with pytest.raises(InvalidInputError, match=r"^tensor e: a .* has no variance and joins nodes"):
        Tensor("e", (p,), kind, "sigma2")
