"""Averages over fixed random tensors that are taken before anything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.input_average import average_over
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
x = Tensor("x", (p,), Kind.GAUSSIAN, variance="1")
W_ROW = Tensor("w", (p,), variance="sigma2")
Z = Tensor("Z", (H, p), Kind.GAUSSIAN, variance="1")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_averaging_first_does_not_change_the_expectation(labelled, data) -> None:
    """Averages over independent tensors may be taken in any order."""
    total = DiagramSum(
        {
            Diagram(*data.draw(labelled((W, x, Z), deltas=False, max_factors=6))): k
            for k in range(1, 4)
        }
    )
    for tensors in ((x,), (Z,), (x, Z), (Z, x)):
        first = average_over(total, *tensors)
        assert not any(tensor in d.tensors for d, _ in first for tensor in tensors)
        assert expectation(first) == expectation(total)


OF_LAWS = (
    Tensor("S", (p,), Kind.FIXED, variance="1", law="rademacher"),
    Tensor("V", (H, p), Kind.FIXED, variance="2*s", law="uniform", mean="-mu"),
    Tensor("M", (H, p), Kind.FIXED, law="bernoulli", probability="q"),
    Tensor("K", (p,), Kind.FIXED, cumulants=((2, "s"), (3, "-k"))),
    Tensor("G", (p, p), Kind.FIXED, variance="s", symmetric=True),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), number=st.integers(0, len(OF_LAWS) - 1))
def test_averaging_first_for_any_law(labelled, data, number: int) -> None:
    drawn = OF_LAWS[number]
    total = DiagramSum(
        {
            Diagram(*data.draw(labelled((W, drawn, Z), deltas=False, max_factors=6))): k
            for k in range(1, 4)
        }
    )
    first = average_over(total, drawn)
    assert not any(drawn in d.tensors for d, _ in first)
    assert expectation(first) == expectation(total)


def test_the_fourth_moment_of_a_sum_of_signs() -> None:
    """E (w.x)^4 = 3 |w|^4 - 2 sum of w^4 for signs x."""
    w, signs = Tensor("w", (p,), variance="sigma2"), OF_LAWS[0]
    power = Diagram((p,) * 4, tuple((t, (k,)) for k in range(4) for t in (w, signs)))
    square = Diagram((p, p), ((w, (0,)), (w, (0,)), (w, (1,)), (w, (1,))))
    fourth = Diagram((p,), ((w, (0,)),) * 4)
    assert average_over(DiagramSum({power: 1}), signs) == DiagramSum({square: 3, fourth: -2})


def test_the_fourth_moment_of_a_linear_function() -> None:
    """E (w.x)^4 = 3 |w|^4, and an odd power averages to nothing."""
    w = Tensor("w", (p,), variance="sigma2")
    power = Diagram((p,) * 4, tuple((t, (k,)) for k in range(4) for t in (w, x)))
    square = Diagram((p, p), ((w, (0,)), (w, (0,)), (w, (1,)), (w, (1,))))
    assert average_over(DiagramSum({power: 1}), x) == DiagramSum({square: 3})
    odd = Diagram((p,), ((w, (0,)), (x, (0,))))
    assert len(average_over(DiagramSum({odd: 1}), x)) == 0


def test_without_tensors_nothing_changes() -> None:
    total = DiagramSum({Diagram((p,), ((x, (0,)), (x, (0,)))): 2})
    assert average_over(total) == total


def test_a_variance_becomes_a_factor() -> None:
    """E (w.x)^4 = 3 v^2 |w|^4 with v = 2 s H."""
    y = Tensor("y", (p,), Kind.GAUSSIAN, variance="2*s*H")
    power = Diagram((p,) * 4, tuple((t, (k,)) for k in range(4) for t in (W_ROW, y)))
    square = Diagram(
        (p, p, Axis("s"), Axis("s"), H, H),
        ((W_ROW, (0,)), (W_ROW, (0,)), (W_ROW, (1,)), (W_ROW, (1,))),
    )
    assert average_over(DiagramSum({power: 1}), y) == DiagramSum({square: 12})


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (
            W,
            "average over W: is not a fixed random tensor; declare it as fixed with a variance or "
            "a law",
        ),
        (
            Tensor("X", (p,), Kind.GAUSSIAN, "s/H"),
            "average over X: its law s/H divides by a symbol; give it another one and the loss a "
            "normalisation",
        ),
        (
            Tensor("X", (p,), Kind.FIXED, cumulants=((2, "s"), (5, "k/H"))),
            "average over X: its law cumulants(2=s,5=k/H) divides by a symbol; give it another "
            "one and the loss a normalisation",
        ),
    ],
)
def test_tensors_that_cannot_be_averaged_over(tensor: Tensor, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        average_over(DiagramSum(), tensor)
    assert str(error.value) == message
