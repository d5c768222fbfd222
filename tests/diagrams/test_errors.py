"""Every error of the layer: it names the object, the rule and the remedy, in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.errors import (
    BudgetExceededError,
    CapacityError,
    DiagflowError,
    InvalidInputError,
)
from diagrams.flow import Flow, represent
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.text import MAXIMAL_LENGTH

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
a = Tensor("a", (p,), variance="sigma2")

VALID = "axis first=2; gaussian X[p,first]~xi2; weight W[H,p]~sigma2; W(H0,p0)^2 X(p0,first0) p1"

TENSORS: dict[str, Callable[[], object]] = {
    "axis name 'p2': must be letters, digits and underscores, begin with a letter and not end in "
    "a digit; rename the axis": lambda: Axis("p2"),
    "axis name '': must be letters, digits and underscores, begin with a letter and not end in a "
    "digit; rename the axis": lambda: Axis(""),
    "axis name '2p': must be letters, digits and underscores, begin with a letter and not end in "
    "a digit; rename the axis": lambda: Axis("2p"),
    "axis name 'p\\n': must be letters, digits and underscores, begin with a letter and not end in "
    "a digit; rename the axis": lambda: Axis("p\n"),
    "axis name 'σ': must be letters, digits and underscores, begin with a letter and not end in a "
    "digit; rename the axis": lambda: Axis("σ"),
    "axis first: pinned size 0 is not positive; give at least 1": lambda: Axis("first", pinned=0),
    "axis first: pinned size -3 is not positive; give at least 1": lambda: Axis("first", pinned=-3),
    "tensor name 'W-1': must be letters, digits and underscores and begin with a letter; rename "
    "the tensor": lambda: Tensor("W-1", (p,), variance="v"),
    "tensor W: has no slot; give at least one axis": lambda: Tensor("W", (), variance="v"),
    "tensor W: law gaussian: needs a variance; give a symbol such as 'sigma2', or a "
    "product": lambda: Tensor("W", (p,)),
    "tensor X: variance '0': is not positive; give a product of numbers and symbols such as "
    "'sigma2', '1/H' or '2*sigma2/(3*p)'": lambda: Tensor("X", (p,), Kind.GAUSSIAN, "0"),
    "tensor delta: a Kronecker delta has no variance and joins nodes of one axis; drop the "
    "variance and use the same axis in every slot": lambda: Tensor("delta", (p, H), Kind.DELTA),
    "tensor eq: a Kronecker delta has no variance and joins nodes of one axis; drop the variance "
    "and use the same axis in every slot": lambda: Tensor("eq", (p, p), Kind.DELTA, "v"),
}

DIAGRAMS: dict[str, Callable[[], object]] = {
    "factor W(0,): has 1 nodes but the tensor has 2 slots; give one node for each slot": lambda: (
        Diagram((H, p), ((W, (0,)),))
    ),
    "factor W(0, 1, 1): has 3 nodes but the tensor has 2 slots; give one node for each "
    "slot": lambda: Diagram((H, p), ((W, (0, 1, 1)),)),
    "factor W(0, 2): there is no node 2; nodes are numbered from 0 to 1": lambda: Diagram(
        (H, p), ((W, (0, 2)),)
    ),
    "factor W(0, -1): there is no node -1; nodes are numbered from 0 to 1": lambda: Diagram(
        (H, p), ((W, (0, -1)),)
    ),
    "factor W(1, 0): node 1 is on axis p but its slot is on axis H; put a node of that axis "
    "there": lambda: Diagram((H, p), ((W, (1, 0)),)),
    "factor delta(0, 1): node 1 is on axis p but its slot is on axis H; put a node of that axis "
    "there": lambda: Diagram((H, p), ((Tensor.delta(H), (0, 1)),)),
}

TEXTS: dict[str, Callable[[], object]] = {
    f"diagram text: {MAXIMAL_LENGTH + 1} characters are more than {MAXIMAL_LENGTH}; split "
    "it": lambda: Diagram.parse("p" * (MAXIMAL_LENGTH + 1)),
    "diagram text: 'W' is not understood; expected a node such as H0": lambda: Diagram.parse("W"),
    "diagram text: '' is not understood; expected a node such as H0": lambda: Diagram.parse(
        "weight W[H,p]~s; W(H0,)"
    ),
    "diagram text: 'W(H0,p0)^' is not understood; expected a node such as H0": lambda: (
        Diagram.parse("weight W[H,p]~s; W(H0,p0)^")
    ),
    f"diagram text: '{'x' * 40}' is not understood; expected a node such as H0": lambda: (
        Diagram.parse("x" * 50)
    ),
    "diagram text: 'W[H,p]~s' is not understood; expected a declaration such as 'weight "
    "W[H,p]~sigma2' or 'axis first=1'": lambda: Diagram.parse("W[H,p]~s; 1"),
    "diagram text: 'structural d[p,p]~' is not understood; expected a declaration such as 'weight "
    "W[H,p]~sigma2' or 'axis first=1'": lambda: Diagram.parse("structural d[p,p]~; 1"),
    "diagram text: tensor 'V' is not declared; declare it as 'weight V[H,p]~sigma2;' before the "
    "product": lambda: Diagram.parse("weight W[H,p]~s; V(H0,p0)"),
    "diagram text: tensor 'W' is declared twice; keep one declaration": lambda: Diagram.parse(
        "weight W[H,p]~s; gaussian W[H,p]~s; W(H0,p0)"
    ),
    # Rules of tensors and diagrams hold for what is read, too.
    "axis first: pinned size 0 is not positive; give at least 1": lambda: Diagram.parse(
        "axis first=0; first0"
    ),
    "factor W(0,): has 1 nodes but the tensor has 2 slots; give one node for each slot": lambda: (
        Diagram.parse("weight W[H,p]~s; W(H0)")
    ),
    "factor W(0, 1): node 0 is on axis p but its slot is on axis H; put a node of that axis "
    "there": lambda: Diagram.parse("weight W[H,p]~s; W(p0,H0)"),
}

MODEL = Network.einsum("ki,kj->ij", W, W)
NETWORKS: dict[str, Callable[[], object]] = {
    "factor W: has 1 indices but the tensor has 2 slots; give one index for each slot": lambda: (
        Network.einsum("k->k", W)
    ),
    "factor W: has 3 indices but the tensor has 2 slots; give one index for each slot": lambda: (
        Network(((W, ("k", "i", "j")),), ())
    ),
    "einsum 'ki,kj': must be groups of letters, an arrow and the open indices; write for example "
    "'ki,kj->ij'": lambda: Network.einsum("ki,kj", W, W),
    "einsum 'k1->k': must be groups of letters, an arrow and the open indices; write for example "
    "'ki,kj->ij'": lambda: Network.einsum("k1->k", W),
    "einsum 'kσ->k': must be groups of letters, an arrow and the open indices; write for example "
    "'ki,kj->ij'": lambda: Network.einsum("kσ->k", W),
    "einsum 'ki->i': has 1 groups for 2 tensors; give one group for each tensor": lambda: (
        Network.einsum("ki->i", W, W)
    ),
    "einsum '->ii': has 0 groups for 1 tensors; give one group for each tensor": lambda: (
        Network.einsum("->ii", W)
    ),
    "index 'i': lies on the axes p and H; use another letter for one of them": lambda: (
        Network.einsum("ki,ij->kj", W, W)
    ),
    "index 'k': lies on the axes H and p; use another letter for one of them": lambda: (
        inner_product((Network.einsum("ki->k", W),), (Network.einsum("->i"),), (p,))
    ),
    "network with open indices i,j: there must be 1 of them; change the right side of its "
    "einsum": lambda: inner_product((MODEL,), (Network.einsum("->i"),), (p,)),
    "network with open indices (none): there must be 2 of them; change the right side of its "
    "einsum": lambda: inner_product((MODEL,), (Network.einsum("->"),), (p, p)),
}


@pytest.mark.parametrize(
    ("text", "make"),
    [
        pytest.param(text, make, id=f"{name} {number}")
        for name, table in (
            ("tensors", TENSORS),
            ("diagram", DIAGRAMS),
            ("text", TEXTS),
            ("network", NETWORKS),
        )
        for number, (text, make) in enumerate(table.items())
    ],
)
def test_invalid_input_is_named_with_rule_and_remedy(text: str, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert str(caught.value) == text
    assert "\n" not in text


def test_errors_are_one_family() -> None:
    for error in (InvalidInputError, BudgetExceededError, CapacityError):
        assert issubclass(error, DiagflowError)
    assert issubclass(InvalidInputError, ValueError)
    assert not issubclass(DiagflowError, ValueError)


# --- capacity -------------------------------------------------------------------------------------


def test_a_tensor_with_too_many_slots_for_a_code() -> None:
    wide = Tensor("T", (p,) * 8, variance="sigma2")
    square = DiagramSum({Diagram((p,), ((wide, (0,) * 8),) * 2): 1})
    blocks = represent(square).blocks
    with pytest.raises(CapacityError, match=r"^tensors with 8 slots: a packed factor has room for"):
        ArrayRepresentation(blocks)
    # A flow chooses another representation: E[T T] is the variance at one node.
    assert Flow(square, square).expectation(0) == {(("p", 1), ("sigma2", 1)): 1}


def scattered(leaves: int) -> DiagramSum:
    """A diagram with so many nodes of degree one, 6 leaves on each factor but the last."""
    wide = Tensor("T", (p,) * 6, variance="sigma2")
    factors = [(wide, tuple(range(j, j + 6))) for j in range(0, 12 * (leaves // 12), 6)]
    factors += [(a, (j,)) for j in range(6 * len(factors), leaves)]
    return DiagramSum({Diagram((p,) * leaves, tuple(factors)): 1})


def test_a_diagram_with_too_many_nodes_for_a_code() -> None:
    """256 nodes on one axis fit, 258 do not: an error, never a wrong number."""
    full, more = scattered(256), scattered(258)
    representation = ArrayRepresentation(represent(full).blocks)
    [(diagram, coefficient)] = full
    assert representation.decode(representation.encode([(diagram, int(coefficient))])) == full
    with pytest.raises(CapacityError) as caught:
        Flow(more, more).count(0)
    assert str(caught.value) == (
        "a diagram with more than 256 nodes on one axis: does not fit a packed factor; ask for "
        "fewer terms"
    )


def test_merging_beyond_the_capacity() -> None:
    """The limit holds for what grows during a flow, too; smaller orders stay available."""
    potential = scattered(144)
    flow = Flow(potential, potential)
    assert flow.count(0) == 1
    with pytest.raises(CapacityError, match="more than 256 nodes on one axis"):
        flow.count(1)
    assert flow.diagrams(0) == potential


# --- fuzz -----------------------------------------------------------------------------------------


def read(source: str) -> None:
    """Either an error of the family or a diagram that reads back."""
    try:
        diagram = Diagram.parse(source)
    except DiagflowError as error:
        assert "\n" not in str(error)
    else:
        assert Diagram.parse(str(diagram)) == diagram


@settings(max_examples=150, deadline=None)
@given(source=st.one_of(st.text(), st.text(alphabet="WHp012()[],;^~=ax is weghtuna\n\u0661")))
def test_any_text_is_read_or_refused(source: str) -> None:
    read(source)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_of_a_valid_text_is_read_or_refused(data) -> None:
    """Delete, insert or double pieces of a valid text, a few at a time."""
    source = VALID
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(source)))
        stop = data.draw(st.integers(start, min(len(source), start + 4)))
        piece = data.draw(
            st.one_of(
                st.just(source[start:stop] * 2),
                st.text(alphabet="WXHp01()[],;^~= \u00b2é_", max_size=2),
                st.sampled_from(["axis p=3; ", "weight W[p]~v; ", "^0", "first1", " 1 ", ";;"]),
            )
        )
        source = source[:start] + piece + source[stop:]
    read(source)


def test_the_fuzzed_text_is_valid() -> None:
    assert str(Diagram.parse(VALID)) in {
        VALID,
        VALID.replace("p0", "q").replace("p1", "p0").replace("q", "p1"),
    }
