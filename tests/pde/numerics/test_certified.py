"""Values with a proved error: against many digits, for formulas that cancel, overflow or vanish."""

import math
import time
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from pde.numerics import certified
from pde.numerics.certified import Evaluator, as_number, exact_time, value

p, H, t = sympy.Symbol("p", positive=True), sympy.Symbol("H", positive=True), sympy.Symbol("t")
NUMBERS = {"p": Fraction(3, 7), "H": Fraction(10**12 + 1, 10**12)}

FORMULAS = [
    sympy.exp(-p * t) / (1 + t**2),
    (1 - H) / (1 - H + H * sympy.exp(4 * t)),
    sympy.sqrt(1 + t**2) - sympy.Abs(t),
    sympy.log(1 + p * t**2) ** 3,
    (1 + p * t**2) ** sympy.Rational(-4, 3),
    (1 + p * t**2) ** sympy.Rational(-5, 2) - (1 + t**2) ** -7,
    p * sympy.tanh(t) ** 2 + sympy.cosh(p * t) ** -1,
    sympy.cosh(t) - sympy.sinh(t),
    sympy.sin(t) * sympy.cos(t) + sympy.asinh(t),
    sympy.Max(p - t, 0) + sympy.Min(t, H),
    H * (sympy.exp(t) - 1) + t**5 / 5,
]
TIMES = np.array([-300.0, -7.25, -1.0, -1e-9, 0.0, 1e-300, 1e-17, 0.1, 1.0, 3.0, 40.0, 800.0, 1e4])


def exact(formula: sympy.Expr, at: float) -> mpmath.mpf:
    """Another evaluator, with many more digits than cancel."""
    function = sympy.lambdify([p, H, t], formula, "mpmath")
    with mpmath.workdps(40_000 if abs(at) > 1000 else 3000):
        numbers = [mpmath.mpf(x.numerator) / x.denominator for x in NUMBERS.values()]
        return +function(*numbers, mpmath.mpf(at))


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_values_are_those_of_many_digits(formula: sympy.Expr) -> None:
    found = Evaluator(formula, NUMBERS)(TIMES)
    for at, mine in zip(TIMES, found, strict=True):
        wanted = exact(formula, float(at))
        if abs(wanted) < 1e-300:
            assert abs(mine - float(wanted)) < 1e-300
        elif abs(wanted) > 1e308:
            assert mine == math.copysign(math.inf, wanted)
        else:
            assert abs(mpmath.mpf(mine) / wanted - 1) < 1e-13


@settings(max_examples=30, deadline=None)
@given(
    coefficients=st.lists(st.integers(-9, 9), min_size=2, max_size=6),
    at=st.fractions(min_value=-3, max_value=3, max_denominator=1000),
)
def test_polynomials_near_their_zeros_keep_their_digits(
    coefficients: list[int], at: Fraction
) -> None:
    """A polynomial minus its value at a close point: all but a few digits cancel."""
    whole = sum(c * t**k for k, c in enumerate(coefficients))
    beside = at + Fraction(1, 2**40)
    level = sum(c * beside**k for k, c in enumerate(coefficients))
    formula = whole - sympy.Rational(level.numerator, level.denominator)
    time_ = float(at)
    wanted = sum(c * Fraction(time_) ** k for k, c in enumerate(coefficients)) - level
    if formula.is_number:
        return
    (found,) = Evaluator(formula, {})(np.array([time_]))
    assert abs(Fraction(found) - wanted) <= Fraction(certified.PROVED) * abs(wanted)


def test_bounds_hold_where_both_precisions_lose_the_same_digits() -> None:
    """The terms that vanish in double vanish in long double too; the bound tells."""
    formula = sympy.Add(1, t, sympy.Rational(1, 10**40), sympy.exp(-t), -2, evaluate=False)
    (found,) = Evaluator(formula, {})(np.array([2.0**-80]))
    assert found == pytest.approx(1e-40 + 2.0**-161, rel=1e-13)


def test_long_doubles_are_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [Evaluator(formula, NUMBERS)(TIMES) for formula in FORMULAS]
    monkeypatch.setattr(certified, "_TIERS", certified._TIERS[:1])
    for formula, before in zip(FORMULAS, whole, strict=True):
        np.testing.assert_allclose(Evaluator(formula, NUMBERS)(TIMES), before, rtol=1e-13)


@pytest.mark.parametrize("digits", [15, 50, 1000])
def test_the_last_digit_is_that_of_more_digits(digits: int) -> None:
    for formula in FORMULAS:
        evaluator = Evaluator(formula, NUMBERS)
        few, many = (evaluator.ball(Fraction(17, 3), n) for n in (digits, digits + 40))
        assert few.contains(many)
        text = [ball.str(digits, radius=False) for ball in (few, many)]
        assert text[0] == text[1]


def test_points_without_a_value_are_no_numbers() -> None:
    found = Evaluator(1 / t + sympy.log(t + 1), {})(np.array([0.0, -2.0, 1.0]))
    assert np.isnan(found[:2]).all() and found[2] == pytest.approx(1 + math.log(2))
    for at in (Fraction(0), Fraction(-2)):
        with pytest.raises(InvalidInputError, match=r"formula at t = .*no certain finite value"):
            Evaluator(1 / t + sympy.log(t + 1), {}).ball(at, 15)


def test_what_is_exact_stays_exact() -> None:
    """An exact zero is one, in spite of thirds."""
    third = {"p": Fraction(1, 3), "H": Fraction(3)}
    assert Evaluator((1 - p * H) * sympy.exp(t), third)(np.array([5.0])).tolist() == [0.0]
    assert value(sympy.sqrt(p * H**3), third) == 3.0
    assert math.isnan(value(sympy.log(1 - p * H), third))
    assert math.isnan(value(sympy.sqrt(p - H), third))
    assert value(sympy.Max(p - H, 0), third) == 0.0
    assert value(sympy.exp(10**6 * p * H), third) == math.inf


def test_cases_are_chosen_by_exact_numbers() -> None:
    cases = sympy.Piecewise((H, p > 2))
    assert value(cases, {"p": Fraction(2) + Fraction(1, 10**30), "H": Fraction(5)}) == 5
    assert math.isnan(value(cases, {"p": Fraction(2), "H": Fraction(5)}))


def test_words_for_what_is_missing() -> None:
    with pytest.raises(InvalidInputError, match="gamma"):
        Evaluator(sympy.gamma(t), {})
    with pytest.raises(KeyError, match="p"):
        Evaluator(p * t, {})
    for bad in (math.inf, math.nan, mpmath.inf):
        with pytest.raises(InvalidInputError, match="is not a finite time"):
            exact_time(bad)
    assert exact_time(mpmath.mpf(-0.375)) == exact_time(-0.375) == Fraction(-3, 8)


def test_numbers_from_balls() -> None:
    assert as_number(arb(3, 1e-30)) == 3.0
    assert as_number(arb(0, 1e-300)) is None and as_number(arb(0)) == 0.0
    assert as_number(arb(2) ** 5000) == math.inf and as_number(-(arb(2) ** 5000)) == -math.inf
    assert as_number(arb(2) ** -5000) == 0.0


def test_ten_thousand_values_take_some_milliseconds() -> None:
    formula = FORMULAS[1]
    times = np.linspace(0, 3, 10_000)
    evaluator = Evaluator(formula, {"p": Fraction(1), "H": Fraction(1, 7)})
    evaluator(times)
    seconds = []
    for _ in range(5):
        before = time.process_time()
        evaluator(times)
        seconds.append(time.process_time() - before)
    assert min(seconds) < 0.05
    # One after the other they are the same.
    assert all(a >= b for a, b in pairwise(evaluator(times)))
