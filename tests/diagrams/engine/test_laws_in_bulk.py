"""Laws of the entries in arrays of diagrams: the same as by definition, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import factorial

import pytest

from diagrams.engine import ArrayRepresentation, DefinitionRepresentation, TraceRepresentation
from diagrams.engine.arrays.block_counting import SCALE, Counting
from diagrams.flow import Flow
from diagrams.laws import Law
from diagrams.network import Network, inner_product
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor

p, H = Axis("p"), Axis("H")
two = Axis("two", pinned=2)

LAWS: Mapping[str, Mapping[str, object]] = {
    "gaussian": {"variance": "sigma2"},
    "rademacher": {"variance": "sigma2", "law": "rademacher"},
    "uniform": {"variance": "sigma2", "law": "uniform", "mean": "mu"},
    "bernoulli": {"law": "bernoulli", "probability": "q/2"},
    "given": {"cumulants": {2: "a", 3: "-b/H", 5: 1}},
}


def _loss(order: int, **words: object) -> DiagramSum:
    W = Tensor("W", (H, p), **words)  # type: ignore[arg-type]
    letters = "ijl"[:order]
    model = Network.einsum(",".join("k" + c for c in letters) + "->" + letters, *[W] * order)
    target = Network.einsum("->" + "i" * order, coefficient=-1)
    return inner_product((model, target), (model, target), (p,) * order) * Fraction(1, 2)


def _masked(**words: object) -> DiagramSum:
    """A model with a fixed tensor on it, two weights that may be exchanged, and a pinned axis."""
    M = Tensor("M", (p, p), Kind.FIXED, **words)  # type: ignore[arg-type]
    U, V = (Tensor(name, (two, p), variance="sigma2") for name in "UV")
    model = Network.einsum("ij,ki,kj->ij", M, U, V)
    target = Network.einsum("ij,ii->ij", M, M, coefficient=-1)
    return inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)


def _exchangeable(**words: object) -> DiagramSum:
    U, V = (Tensor(name, (H, p), **words) for name in "UV")  # type: ignore[arg-type]
    model, target = Network.einsum("ki,kj->ij", U, V), Network.einsum("->ii", coefficient=-1)
    return inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(
    ("loss", "last"), [("tied", 2), ("cubic", 1), ("masked", 1), ("exchangeable", 2)]
)
def test_arrays_agree_with_the_definition(name: str, loss: str, last: int) -> None:
    words = LAWS[name]
    total = {
        "tied": lambda: _loss(2, **words),
        "cubic": lambda: _loss(3, **words),
        "masked": lambda: _masked(**words),
        "exchangeable": lambda: _exchangeable(**words),
    }[loss]()
    bulk = Flow(total, total)
    blocks = bulk.representation.blocks
    if isinstance(bulk.representation, TraceRepresentation):
        bulk = Flow(total, total, ArrayRepresentation(blocks))
    assert isinstance(bulk.representation, ArrayRepresentation)
    plain = Flow(total, total, DefinitionRepresentation(blocks))
    for s in range(last + 1):
        assert bulk.expectation(s) == plain.expectation(s)


def test_words_take_gaussian_tensors_only() -> None:
    W = Tensor("W", (H, p), variance="sigma2", law="rademacher")
    [(square, _)] = inner_product(
        (Network.einsum("ki->ki", W),), (Network.einsum("ki->ki", W),), (H, p)
    )
    assert not TraceRepresentation.suits(square)
    assert ArrayRepresentation.suits(square)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("k", range(1, 13))
def test_scaled_cumulants_are_integers(name: str, k: int) -> None:
    law = Law.of(
        LAWS[name].get("law", "gaussian"),
        **{key: value for key, value in LAWS[name].items() if key != "law"},
    )
    if k not in law.sizes(k):
        return
    counting = Counting.of(law)
    total = {
        tuple(powers): Fraction(c * factorial(k - 1), SCALE**k) for c, powers in counting.terms(k)
    }
    for powers, c in total.items():
        assert c and len(powers) == len(counting.counters)
    # At one for every symbol both are the same number.
    at_one = sum(law.cumulant(k).values())
    if law.name == "bernoulli":
        half = Fraction(1, 2)
        assert sum(c * half ** powers[0] for powers, c in total.items()) == at_one
    elif law.name != "cumulants":
        assert sum(total.values()) == at_one


def test_an_expectation_does_not_depend_on_what_was_contracted_before() -> None:
    total = _loss(2, **LAWS["bernoulli"])
    fresh, used = Flow(total, total), Flow(total, total)
    used.expectation(2)
    assert used.expectation(1) == fresh.expectation(1)
    work = fresh.representation.reach(fresh.state(1))
    assert used.representation.reach(used.state(1)) == work
