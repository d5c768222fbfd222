"""Pins in arrays of diagrams: problems in which merging leaves no factor at all."""

from __future__ import annotations

from fractions import Fraction

from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp
from expansion.polynomial import Polynomial
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


def test_diagrams_that_are_finished_beside_others_that_are_not() -> None:
    """f = W/3 on N x N and F = 2 p a - a with a = the number of sums modulo p, which is p.

    Some rows of one size have a modular sum only, the others a weight too. The sum over a, b of
    [2 a = b] and of [b + a = a] is p: F = 2 p^2 - p in every entry.
    """
    N = Axis("N")
    W = Tensor("W", (N, N), variance="sigma2")
    plus = Tensor("plus", (p, p, p), Kind.MODULAR)
    problem = Problem(
        family="sums",
        model=(Network(((W, ("i", "j")),), ("i", "j"), Fraction(1, 3)),),
        target=(
            Network(((plus, ("a", "a", "b")),), ("i", "j"), Fraction(2), (p,)),
            Network(((plus, ("b", "a", "a")),), ("i", "j"), Fraction(-1)),
        ),
        output_axes=(N, N),
    )
    series = LossSeries(problem)
    assert series[0] == Polynomial.parse(
        "1/18*N**2*sigma2 + 2*p**4*N**2 - 2*p**3*N**2 + 1/2*p**2*N**2"
    )
    assert all(series[s] == series[0] * Fraction(-2, 9) ** s for s in range(5))
