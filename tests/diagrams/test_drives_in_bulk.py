"""Inertia and noise in the bulk engine, against the definition."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from diagrams.engine import ArrayRepresentation, DefinitionRepresentation, TraceRepresentation
from diagrams.flow import Flow
from diagrams.generator import Amplitude, Generator, at_rest, laplacian
from diagrams.network import Network, inner_product
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation

p, H = Axis("p"), Axis("H")
U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
C = Tensor("C", (H, p, p), variance="sigma2")
S = Tensor("S", (p, p), variance="sigma2", symmetric=True)
SIGNS = Tensor("U", (H, p), variance="sigma2", law="rademacher")
SHIFTED = Tensor("U", (H, p), variance="sigma2", mean="mu")
X = Tensor("X", (p, p), Kind.FIXED, variance="1/p")

BALLS = {
    "traces": (Network.einsum("ki,kj->ij", U, V), TraceRepresentation),
    "one matrix and data": (Network.einsum("ki,kj,jn->in", U, U, X), TraceRepresentation),
    "symmetric": (Network.einsum("ij,jl->il", S, S), TraceRepresentation),
    "three slots": (Network.einsum("kij,kl,lj->ij", C, U, S), ArrayRepresentation),
    "signs": (Network.einsum("ki,kj->ij", SIGNS, SIGNS), ArrayRepresentation),
    "with a mean": (Network.einsum("ki,kj->ij", SHIFTED, V), ArrayRepresentation),
}


@pytest.mark.parametrize("name", BALLS)
@pytest.mark.parametrize("rated", [False, True])
def test_a_heavy_ball_in_bulk_is_that_of_the_definition(name: str, rated: bool) -> None:
    """The blocks with velocities give what rewriting diagram by diagram does."""
    model, kind = BALLS[name]
    target = Network.einsum("->ii", coefficient=-1)
    loss = inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)
    weights = sorted({t for t in model.tensors if t.is_learnable}, key=lambda t: t.name)
    rates = ((weights[0], Amplitude(Fraction(2, 3), (Axis("eta"),))),) if rated else ()
    friction = Amplitude(Fraction(1, 5), (Axis("gamma"), p))
    ball = Generator(loss, rates, friction=friction)
    flow = Flow(loss, ball)
    assert isinstance(flow.representation, kind)
    plain = Flow(loss, ball, DefinitionRepresentation(flow.representation.blocks))
    total = loss
    for s in range(4):
        total = ball.applied(total) if s else total
        exact = expectation(at_rest(total))
        assert flow.expectation(s) == exact
        if s < 3:
            assert plain.expectation(s) == exact
        assert flow.count(s) <= len(at_rest(total))


@pytest.mark.parametrize("name", BALLS)
@pytest.mark.parametrize("rated", [False, True])
def test_noise_in_bulk_is_that_of_the_definition(name: str, rated: bool) -> None:
    """Second derivatives of packed rows and of words are those of diagrams."""
    model, kind = BALLS[name]
    target = Network.einsum("->ii", coefficient=-1)
    loss = inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)
    weights = sorted({t for t in model.tensors if t.is_learnable}, key=lambda t: t.name)
    rates = ((weights[0], Amplitude(Fraction(2, 3), (Axis("eta"),))),) if rated else ()
    generator = Generator(loss, rates, temperature=Amplitude(Fraction(1, 7), (Axis("tau"), p)))
    flow = Flow(loss, generator)
    assert isinstance(flow.representation, kind)
    plain = Flow(loss, generator, DefinitionRepresentation(flow.representation.blocks))
    total = loss
    for s in range(3):
        total = generator.applied(total) if s else total
        assert flow.expectation(s) == plain.expectation(s) == expectation(total)


@pytest.mark.parametrize("name", BALLS)
def test_second_derivatives_of_a_sum(name: str) -> None:
    """As sums of diagrams, whose weights have no symmetry here."""
    model, _ = BALLS[name]
    total = inner_product((model,), (model,), (p, p)) * 3
    flow = Flow(total, total)
    store = flow.representation
    if any(len(members) > 1 for members in store.blocks.symmetric):
        store = type(store)(
            replace(store.blocks, symmetric=tuple((t,) for t in store.blocks.tensors))
        )
    for tensor in sorted(model.tensors, key=lambda tensor: tensor.name):
        encoded = store.noise(store.encode((d, int(c)) for d, c in total), [(tensor, 12, (p,))])
        expected = Amplitude(Fraction(12), (p,)) * laplacian(total, tensor)
        assert store.decode(encoded) == expected and len(expected)
