"""Measures from moments, and chains of cores as their moving points."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import comb, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expansion.dynamics.chains import Chains, ChainTerm
from expansion.polynomial import Polynomial
from pde.systems import spectrum_curve, spectrum_solution
from pde.systems.measures import find_recurrence, gauss_rule, multiple
from pde.systems.spectra import CONFIRMED

ONE, NONE = Polynomial({(): 1}), Polynomial()


def marchenko_pastur(c: Fraction, number: int, shift: int) -> list[Fraction]:
    """Moments of the law of Wᵀ W with ratio c, times a power of λ."""
    return [
        sum((Fraction(comb(n, k) * comb(n, k - 1), n) * c**k for k in range(1, n + 1)), Fraction(0))
        for n in range(shift, number + shift)
    ]


@settings(max_examples=25, deadline=None)
@given(st.fractions(Fraction(1, 5), 5, max_denominator=20), st.integers(1, 3))
def test_a_recurrence_continues_the_moments(c: Fraction, shift: int) -> None:
    moments = marchenko_pastur(c, 24, shift)
    found = find_recurrence(moments[:11])
    assert found is not None and found.confirmations >= 2
    assert found.extended(moments[:11], 24) == moments
    rule = gauss_rule(moments, 12)
    assert rule is not None
    edges = (1 - np.sqrt(float(c))) ** 2, (1 + np.sqrt(float(c))) ** 2
    assert np.all((rule.nodes > edges[0] - 1e-9) & (rule.nodes < edges[1] + 1e-9))
    for k in range(24):
        assert rule.weights @ rule.nodes**k == pytest.approx(float(moments[k]), rel=1e-9)


def test_no_recurrence_is_claimed_without_confirmation() -> None:
    moments = marchenko_pastur(Fraction(2), 8, 1)
    assert find_recurrence(moments) is None
    wrong = marchenko_pastur(Fraction(2), 12, 1)
    wrong[-1] += 1
    assert find_recurrence(wrong) is None


def test_no_rule_for_what_is_no_measure() -> None:
    assert gauss_rule([Fraction(1), Fraction(0), Fraction(-1), Fraction(0)], 2) is None
    assert gauss_rule([Fraction(0), Fraction(1)], 1) is None


def test_a_measure_that_is_no_multiple() -> None:
    base = marchenko_pastur(Fraction(2), 9, 1)
    other = marchenko_pastur(Fraction(3), 9, 1)
    assert multiple(other, base) is None
    twice = [2 * a + 3 * b for a, b in pairwise(base)]
    assert multiple(twice, base) == (2, 3)


def decaying(moments: list[Fraction], *, slope: int = 0) -> Chains:
    """c_k' = -(1 + slope k) c_{k+1}, of which c_0 is followed."""
    return Chains(
        members=(tuple(range(len(moments))),),
        rules=((ChainTerm(-ONE, -slope * ONE, (), 0, 1),),),
        output=((ONE, (0,)),),
        rates={},
        initial=tuple(Polynomial({(): m}) for m in moments),
    )


@pytest.mark.parametrize("slope", [0, 1, 2])
def test_moving_points_follow_their_equation(slope: int) -> None:
    """λ' = -slope λ², w' = -λ w: of each point w = (1 + slope λ_0 τ)^(-1/slope), or exp(-λ τ)."""
    moments = marchenko_pastur(Fraction(1, 3), 12, 1)
    curve = spectrum_curve(decaying(moments, slope=slope), {"T": Fraction(2)})
    assert curve is not None and dict(curve.notes)[CONFIRMED] >= 2
    times = np.array([0.0, 0.1, 1.0, 5.0, 20.0])
    rule = gauss_rule(marchenko_pastur(Fraction(1, 3), 200, 1), 100)
    assert rule is not None
    tau = times[:, None] / 2
    values = (
        np.exp(-rule.nodes * tau) if not slope else (1 + slope * rule.nodes * tau) ** (-1 / slope)
    )
    assert curve.evaluate(times) == pytest.approx(values @ rule.weights, rel=1e-10)


def test_order_parameters_multiply_the_rates() -> None:
    """a' = -a c_0 and c_k' = -a c_{k+1}, against the exact series of both."""
    moments = marchenko_pastur(Fraction(1, 2), 12, 1)
    chains = Chains(
        members=(tuple(range(12)),),
        rules=((ChainTerm(-ONE, NONE, (12,), 0, 1),),),
        output=((Polynomial.parse("1/2"), (0, 12)),),
        rates={12: ((-ONE, (0, 12)),)},
        initial=(*(Polynomial({(): m}) for m in moments), ONE),
    )
    curve = spectrum_curve(chains, {"T": Fraction(1)})
    assert curve is not None
    t, exact = 1e-2, chains.coefficients()
    series = 0.0
    for s in range(10, -1, -1):
        series = float(exact[s].coefficient()) + series * t / (s + 1)
    assert curve.evaluate(np.array([t]))[0] == pytest.approx(series, rel=1e-12)


def test_the_curve_ends_where_its_rules_disagree() -> None:
    """Growth at the edge of the spectrum is seen by few points only."""
    moments = marchenko_pastur(Fraction(1), 12, 1)
    growing = Chains(
        members=(tuple(range(12)),),
        rules=((ChainTerm(ONE, ONE, (), 0, 1),),),
        output=((ONE, (0,)),),
        rates={},
        initial=tuple(Polynomial({(): m}) for m in moments),
    )
    curve = spectrum_curve(growing, {"T": Fraction(1)})
    assert curve is not None
    assert 0.2 < curve.domain.stop <= 0.26  # the largest point blows up at 1/4
    assert curve.domain.start < -10 and curve.domain.reason


def test_moments_of_no_measure_are_left_to_others() -> None:
    odd = [Fraction((-1) ** n) * (n + 1) ** n for n in range(12)]
    assert spectrum_curve(decaying(odd), {"T": Fraction(1)}) is None
    assert spectrum_solution(decaying(odd), problem="example", regime="V1") is None


def test_a_solution_shows_its_rules_and_their_coefficients() -> None:
    moments = marchenko_pastur(Fraction(1, 3), 12, 1)
    solved = spectrum_solution(decaying(moments), problem="example", regime="V1")
    assert solved is not None and solved.derivation[-1].title == "Spectrum"
    assert [row.coefficient() for row in solved.coefficients(4)] == [
        (-1) ** k * moments[k] for k in range(4)
    ]
    loss = solved.at({"T": 1})
    assert loss.domain.stop == inf or loss.domain.stop > 100
    assert 0 <= float(loss(3.0)) < float(loss(0.0))


def test_a_curve_from_zero_states_an_error() -> None:
    """An error relative to the start would be none."""
    moments = marchenko_pastur(Fraction(1, 3), 12, 1)
    rising = replace(decaying(moments), output=((ONE, (0,)), (Polynomial({(): -moments[0]}), ())))
    curve = spectrum_curve(rising, {"T": Fraction(1)})
    assert curve is not None and curve.evaluate(np.array([0.0]))[0] == pytest.approx(0, abs=1e-15)
    assert curve.error_estimate is not None and 1e-17 < curve.error_estimate < 1e-2
