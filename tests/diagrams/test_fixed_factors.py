"""Pins in arrays of diagrams: problems in which merging leaves no factor at all."""

from __future__ import annotations

from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp
from expansion.problem import Problem
from expansion.series import LossSeries

p, two = Axis("p"), Axis("two", pinned=2)
w = Tensor("w", (p,), variance="sigma2")
first = Tensor("first", (p,), Kind.PIN)
e = Tensor("e", (two,), Kind.PIN)


def test_a_linear_model_fitted_to_a_pin() -> None:
    """f_i = w_i and F_i = [i = 1]: L obeys T dL/dt = -2 L, so that Y_s = (-2)^s Y_0."""
    problem = Problem(
        family="linear",
        model=(Network(((w, ("i",)),), ("i",)),),
        target=(Network(((first, ("i",)),), ("i",)),),
        output_axes=(p,),
    )
    series = LossSeries(problem)
    assert str(series[0]) == "1/2 + 1/2*p*sigma2"
    assert all(series[s] == series[0] * (-2) ** s for s in range(6))


def test_mergers_that_leave_no_factor_beside_pins() -> None:
    """f_i = w_i and F_i = 1 + sum over a of [a = 1] = 2: the two terms of w and 1 merge to none."""
    target = (Network((), ("i",)), Network(((e, ("a",)),), ("i",)))
    problem = Problem(
        family="shifted",
        model=(Network(((w, ("i",)),), ("i",)),),
        target=target,
        output_axes=(p,),
    )
    series = LossSeries(problem)
    assert str(series[0]) == "2*p + 1/2*p*sigma2"
    assert all(series[s] == series[0] * (-2) ** s for s in range(6))


def test_a_spike_with_amplitude_zero_is_the_identity() -> None:
    spiked, identity = (LossSeries(cp(order=2, target=t)) for t in ("spiked", "identity"))
    for s in range(4):
        assert [(powers, c) for powers, c in spiked[s] if "alpha" not in dict(powers)] == [
            *identity[s]
        ]
