"""Means by partitions of indices, against blocks of factors and against a flow that is known."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.flow import Flow
from diagrams.index_partitions import IndexPartitions
from diagrams.laws import evaluated
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation
from expansion.models import cp
from expansion.series import loss_series

p, H, two = Axis("p"), Axis("H"), Axis("two", pinned=2)

TENSORS = (
    Tensor("W", (H, p), variance="sigma2", law="rademacher"),
    Tensor("V", (H, p), variance="sigma2/3", law="uniform"),
    Tensor("G", (p, two), variance="s"),
    Tensor("M", (p, p), Kind.FIXED, law="bernoulli", probability="q"),
    Tensor("a", (H,), variance="2*v", law="rademacher"),
)

NODES = (H, H, p, p, p, two, two)


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    tensors = draw(st.lists(st.sampled_from(TENSORS), min_size=2, max_size=8))
    return Diagram(
        NODES,
        tuple(
            (
                tensor,
                tuple(
                    draw(st.sampled_from([v for v, axis in enumerate(NODES) if axis == slot]))
                    for slot in tensor.axes
                ),
            )
            for tensor in tensors
        ),
    )


@given(diagrams())
@settings(max_examples=200, deadline=None)
def test_the_mean_is_that_of_blocks_of_factors(diagram: Diagram) -> None:
    assert IndexPartitions.suits(diagram)
    value, work = IndexPartitions().expectation(diagram)
    assert evaluated(value) == expectation(diagram)
    assert work > 0


def test_what_is_kept_changes_neither_value_nor_work() -> None:
    W = TENSORS[0]
    overlap = Diagram((H, H, *[p] * 4), tuple((W, (k, 2 + i)) for k in (0, 1) for i in range(4)))
    partitions = IndexPartitions()
    assert partitions.expectation(overlap) == partitions.expectation(overlap)


def test_a_law_with_a_mean_or_given_cumulants_is_left_to_blocks() -> None:
    for words in ({"variance": "s", "mean": "mu"}, {"cumulants": {2: "s", 4: "k"}}):
        W = Tensor("W", (H, p), **words)  # type: ignore[arg-type]
        assert not IndexPartitions.suits(Diagram((H, p), ((W, (0, 1)),) * 2))


@pytest.mark.parametrize("law", ["rademacher", "uniform"])
def test_the_engine_agrees_with_the_definition(law: str) -> None:
    loss = cp(order=4, symmetric=True).with_law("U", law=law).loss
    flow = Flow(loss, loss)
    assert max(len(d.factors) for d, _ in flow.diagrams(1)) >= 14
    assert flow.expectation(1) == expectation(flow.diagrams(1))


@pytest.mark.parametrize("order", [6, 8])
def test_the_flow_of_one_sign_is_known(order: int) -> None:
    """With one entry x = ±sigma, L = (x^order - 1)^2 / 2, L' = L_x and L'' = 2 L_x^2 L_xx."""
    series = loss_series(cp(order=order, symmetric=True).with_law("U", law="rademacher"))
    n, half = order, order // 2
    for number in (Fraction(1, 3), Fraction(2), Fraction(-5, 7)):
        square = n**2 * number ** (n - 1) * (number**half - 1) ** 2
        curvature = n * (2 * n - 1) * number ** (n - 1) - n * (n - 1) * number ** (half - 1)
        at = {"p": Fraction(1), "H": Fraction(1), "sigma2": number}
        assert series[1].evaluate(**at) == -square
        assert series[2].evaluate(**at) == 2 * square * curvature
