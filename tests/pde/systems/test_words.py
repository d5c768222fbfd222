"""Equations found in exact coefficients, and the functions that follow from them."""

from fractions import Fraction
from math import comb, factorial, inf

import numpy as np
import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from expansion.polynomial import Polynomial
from pde.solutions.symmetric_order2 import triangle_loss
from pde.systems import equation_curve, find_equation, series_curve, series_solution
from pde.systems.continuation import ContinuationError, continued, differential
from pde.systems.guess import EquationKind, FoundEquation, extended, in_variable

NUMBER = 44


def triangle(y: Fraction, z: Fraction, number: int) -> list[Fraction]:
    """The coefficients of L/p on A-B-E of SYM of order 2, times s!, from Narayana numbers."""
    ratio, noise = (fmpq(v.numerator, v.denominator) for v in (y, z))
    narayana = [
        sum(
            (fmpq(comb(n + 1, k) * comb(n + 1, k - 1), n + 1) * ratio**k for k in range(1, n + 2)),
            fmpq(0),
        )
        for n in range(number + 1)
    ]
    h, growth = fmpq_poly(narayana), fmpq_poly([1, 1])
    moved = fmpq_poly([0, -noise])
    loss = fmpq(1, 2) * noise**2 * growth**2 * h.derivative()(moved) - noise * growth * h(moved)
    exponential = fmpq_poly([0, *(fmpq(4**n, factorial(n)) for n in range(1, number))])
    total = fmpq_poly([0])
    for n in range(number - 1, -1, -1):
        total = (total * exponential).truncate(number) + loss[n]
    total += fmpq_poly([fmpq(1, 2)])
    return [Fraction(int(total[n].p), int(total[n].q)) * factorial(n) for n in range(number)]


@pytest.mark.parametrize(
    ("y", "z"),
    [(Fraction(1, 2), Fraction(1, 4)), (Fraction(1, 2), Fraction(2)), (Fraction(1), Fraction(1))],
)
def test_the_triangle_of_order_two_is_rediscovered(y: Fraction, z: Fraction) -> None:
    """It is algebraic in exp(4τ) - 1, which nobody says, and holds for all t."""
    found = equation_curve(triangle(y, z, NUMBER))
    assert found is not None
    equation, curve = found
    assert equation.kind is EquationKind.ALGEBRAIC
    assert equation.rate == 4
    assert equation.confirmations >= 20
    assert curve.domain.stop == inf
    tau = np.array([0.0, 0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 50.0])
    wanted = triangle_loss(float(y), float(z), tau)
    assert curve.evaluate(tau) == pytest.approx(wanted, abs=1e-13)
    # Ascent blows up when the largest eigenvalue reaches infinity.
    largest = float(z) * (1 + float(y) ** 0.5) ** 2
    assert largest < 1 or curve.domain.start == pytest.approx(np.log1p(-1 / largest) / 4, rel=1e-9)
    assert curve.error_estimate is not None
    assert curve.error_estimate < 1e-12


def test_wrong_coefficients_leave_no_equation() -> None:
    rows = triangle(Fraction(1, 2), Fraction(1, 4), NUMBER)
    # Every second one: a single late one could be a local exponent of an equation.
    rows[10::2] = [c + 1 for c in rows[10::2]]
    scaled = [c / factorial(n) for n, c in enumerate(rows)]
    assert find_equation(scaled) is None


def test_numbers_without_an_equation_get_none() -> None:
    primes = [n for n in range(2, 200) if all(n % k for k in range(2, n))][:30]
    assert find_equation([Fraction(n) for n in primes]) is None


@settings(max_examples=6, deadline=None)
@given(
    roots=st.lists(st.integers(1, 6), min_size=1, max_size=2, unique=True),
    power=st.sampled_from([Fraction(-1, 2), Fraction(1, 3), Fraction(-3, 2)]),
)
def test_products_of_powers_are_found_and_continued(roots: list[int], power: Fraction) -> None:
    """(1 + x/r_1)^a (1 + x/r_2)^a is regular for x > 0 and ends at -min r."""
    number = 30
    series = fmpq_poly([1])
    for root in roots:
        factor, value = [fmpq(1)], Fraction(1)
        for n in range(1, number):
            value = value * (power - n + 1) / n / root
            factor.append(fmpq(value.numerator, value.denominator))
        series = (series * fmpq_poly(factor)).truncate(number)
    terms = [Fraction(int(series[n].p), int(series[n].q)) for n in range(number)]
    equation = find_equation(terms, rates=[0], kinds=[EquationKind.DIFFERENTIAL])
    assert equation is not None
    future, past = (continued(equation, series, number, past=side) for side in (False, True))
    x = np.array([0.1, 1.0, 30.0])
    wanted = np.prod([(1 + x / root) ** float(power) for root in roots], axis=0)
    assert future.values(x) == pytest.approx(wanted, rel=1e-12)
    assert past.singular == pytest.approx(min(roots), rel=1e-12)
    assert past.values(np.array([0.99 * min(roots)])) == pytest.approx(
        [np.prod([(1 - 0.99 * min(roots) / r) ** float(power) for r in roots])], rel=1e-10
    )


def test_a_root_where_the_function_is_regular_is_passed() -> None:
    """h = (1 + x) e^x has the equation (1 + x) h' = (2 + x) h, and goes on at -1."""
    terms = [
        Fraction(1, factorial(n)) + (Fraction(1, factorial(n - 1)) if n else 0) for n in range(30)
    ]
    equation = find_equation(terms, rates=[0], kinds=[EquationKind.DIFFERENTIAL])
    assert equation is not None
    walked = continued(equation, in_variable(terms, Fraction(0)), 30, past=True)
    assert walked.singular == inf
    x = np.array([0.5, 1.0, 1.5, 4.0])
    assert walked.values(x) == pytest.approx((1 - x) * np.exp(-x), abs=1e-14)


def test_more_coefficients_of_an_algebraic_function() -> None:
    catalan = [Fraction(comb(2 * n, n), n + 1) for n in range(60)]
    equation = find_equation(catalan[:16])
    assert equation is not None
    longer = extended(equation, in_variable(catalan[:16], Fraction(0)), 16, 60)
    assert [Fraction(int(longer[n].p), int(longer[n].q)) for n in range(60)] == catalan
    found, _, _ = differential(equation, longer, 60)
    assert found.kind is EquationKind.DIFFERENTIAL


def test_divergent_series_are_not_continued() -> None:
    """Euler's series obeys an equation with an irregular point at 0: it is summed instead."""
    euler = [Fraction((-1) ** n * factorial(n)) for n in range(24)]
    equation = find_equation(euler, rates=[0])
    assert equation is not None
    with pytest.raises(ContinuationError):
        continued(equation, in_variable(euler, Fraction(0)), 24, past=False)
    curve = series_curve([c * factorial(n) for n, c in enumerate(euler)])
    assert 0.1 < curve.domain.stop < inf
    assert curve.evaluate(np.array([0.1])) == pytest.approx([0.9156333394], rel=1e-6)


@pytest.mark.parametrize("power", [-20, 20])
def test_any_unit_of_time_and_size(power: int) -> None:
    """p (1 + 3kτ)^{-1/2}."""
    rate, size = Fraction(10) ** power, Fraction(10) ** -power
    terms, value = [], size
    for n in range(24):
        terms.append(value * factorial(n))
        value *= Fraction(-1 - 2 * n, 2 * (n + 1)) * 3 * rate
    curve = series_curve(terms, T=Fraction(2))
    t = np.array([0.0, 1.0, 1000.0]) * 2 / float(rate)
    wanted = float(size) * (1 + 3 * np.array([0.0, 1.0, 1000.0])) ** -0.5
    assert curve.evaluate(t) == pytest.approx(wanted, rel=1e-12)
    assert curve.domain.start == pytest.approx(-2 / (3 * float(rate)), rel=1e-9)


def test_the_solution_keeps_its_coefficients() -> None:
    rows = [Polynomial({(("p", 1),): (-2) ** s}) for s in range(20)]
    solution = series_solution(rows, number=20, problem="example", regime="V1")
    assert solution.certified(rows).certificate.holds
    assert solution.at({"p": 3, "T": 2})([1.0]) == pytest.approx([3 * np.exp(-1)], rel=1e-12)


def test_a_rational_function_of_an_exponential_keeps_its_digits() -> None:
    """Rows of either sign: b' = ∓4b(1 ± b), b(0) = 1, of which one half grows along -b.

    Any equation A h' + B h = C is one of a rational function, and the first that is met has
    solutions that grow like exp(4 e^{4τ}): its discs agreed with each other and were wrong.
    """
    b = [Fraction(1)]
    for n in range(16):
        square = sum((b[k] * b[n - k] for k in range(n + 1)), Fraction(0))
        b.append(-4 * (b[n] + square) / (n + 1))
    rows = [
        factorial(n) * 3 * (sum((b[k] * b[n - k] for k in range(n + 1)), Fraction(0)) / 2 + b[n])
        for n in range(16)
    ]
    rows[0] += Fraction(37, 2)
    found = equation_curve(rows)
    assert found is not None
    equation, curve = found
    assert equation.kind is EquationKind.ALGEBRAIC and len(equation.polynomials) == 2
    assert curve.domain.stop == inf and curve.limits[1] == pytest.approx(18.5, rel=1e-15)
    t = np.array([0.0, 0.69, 0.92, 1.5, 8.0])
    x = np.exp(-4 * t) / 2
    wanted = 18.5 + 3 * ((x / (1 - x)) ** 2 / 2 + x / (1 - x))
    assert curve.evaluate(t) == pytest.approx(wanted, rel=1e-14)


def test_a_continuation_ends_where_another_solution_takes_over() -> None:
    """(1 + x)² (h' - 4h) = -5 - 4x has the solution 1/(1 + x), and e^{4x} beside it."""
    equation = FoundEquation(
        EquationKind.DIFFERENTIAL,
        (fmpq_poly([5, 4]), fmpq_poly([-4, -8, -4]), fmpq_poly([1, 2, 1])),
        Fraction(0),
        9,
    )
    walked = continued(equation, fmpq_poly([(-1) ** n for n in range(30)]), 30, past=False)
    assert 5 < walked.end < 50 and walked.limit is None
    x = np.linspace(0, walked.end, 999, endpoint=False)
    assert walked.values(x) == pytest.approx(1 / (1 + x), rel=1e-12)
    assert walked.error < 1e-12
