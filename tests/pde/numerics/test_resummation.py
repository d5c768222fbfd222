"""Approximants against functions known in closed form, and honest error estimates."""

from fractions import Fraction
from math import factorial, pi

import numpy as np
import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfcx, exp1, expn

from diagrams.errors import InvalidInputError
from pde.numerics.approximants import BorelSum, RationalFunction, borel_pade, levin, pade
from pde.numerics.resummation import Resummation, ResummationError, coefficient_growth, diverges

MEAN_SQUARE = [Fraction(4**n * factorial(2 * n + 1), factorial(n)) for n in range(24)]
"""The mean square of a particle of SYM 4 without shared drift: sum of 4^n (2n+1)!/n! a^n."""


def mean_square(a: float) -> float:
    return -1 / (8 * a) + np.sqrt(pi / -a) / (32 * a) * erfcx(1 / (4 * np.sqrt(-a)))


def test_the_order_4_series_at_minus_one() -> None:
    x = np.array([-1.0])
    exact = mean_square(-1.0)
    errors = [
        abs(f(x)[0] - exact)
        for f in (
            pade(MEAN_SQUARE, degree=12),
            borel_pade(MEAN_SQUARE, growth=1),
            levin(MEAN_SQUARE),
        )
    ]
    assert 1e-3 < errors[0] < 4e-2
    assert errors[1] < 1.2e-5
    assert errors[2] < 1e-7


SERIES = [
    ("mean square", MEAN_SQUARE, mean_square, -1),
    (
        "Euler",
        [Fraction((-1) ** n * factorial(n)) for n in range(20)],
        lambda x: exp1(1 / x) * np.exp(1 / x) / x,
        1,
    ),
    (
        "exponential integral",
        [Fraction((-1) ** n * factorial(n + 2), 2) for n in range(16)],
        lambda x: np.exp(1 / x) * expn(3, 1 / x) / x,
        1,
    ),
    (
        "exponential",
        [Fraction((-1) ** n, factorial(n)) for n in range(14)],
        lambda x: np.exp(-x),
        1,
    ),
    ("logarithm", [Fraction((-1) ** n, n + 1) for n in range(16)], lambda x: np.log1p(x) / x, 1),
    (
        "arc tangent",
        [Fraction(0) if n % 2 == 0 else Fraction((-1) ** (n // 2), n) for n in range(20)],
        np.arctan,
        1,
    ),
]


@pytest.mark.parametrize(("name", "coefficients", "function", "sign"), SERIES)
def test_the_estimate_covers_the_error(name, coefficients, function, sign) -> None:
    x = sign * np.array([0.05, 0.2, 0.5, 1.0, 2.0, 5.0])
    value, error = Resummation(coefficients).estimate(x)
    exact = np.array([function(point) for point in x])
    assert np.all(np.abs(value - exact) <= error + 1e-14)
    assert error[0] < 1e-7
    assert error[3] < 2e-2


def test_a_stokes_line_is_refused() -> None:
    series = Resummation([Fraction(factorial(n)) for n in range(20)])
    with pytest.raises(ResummationError, match="approximants agree only to"):
        series(np.array([0.01, 1.0]), relative_tolerance=1e-3)
    assert series(np.array([0.01]), relative_tolerance=1e-3)[0] == pytest.approx(1.01021, abs=1e-5)


def test_signs_that_alternate_are_no_stokes_line() -> None:
    """Every second term of Euler's series has one sign, and yet it is Borel summable for x > 0."""
    euler = [Fraction((-1) ** n * factorial(n)) for n in range(24)]
    assert not diverges(euler, sign=1)
    assert diverges(euler, sign=-1)
    in_squares = [c for n in range(12) for c in (Fraction(factorial(n)), Fraction(0))]
    assert diverges(in_squares, sign=1)
    assert diverges(in_squares, sign=-1)


@pytest.mark.parametrize("missing", [[1], [1, 2, 3], [0, 0, 1, 2]])
def test_few_coefficients_are_refused(missing: list[int]) -> None:
    with pytest.raises(InvalidInputError, match="not enough"):
        Resummation([Fraction(c) for c in missing])


def test_growth() -> None:
    assert round(coefficient_growth(MEAN_SQUARE)) == 1
    assert Resummation([Fraction((-1) ** n * factorial(3 * n)) for n in range(12)]).growth == 3


rationals = st.fractions(-3, 3, max_denominator=5)


@settings(deadline=None, max_examples=60)
@given(st.lists(rationals, min_size=1, max_size=7), st.lists(rationals, max_size=3), st.data())
def test_pade_reproduces_the_series(above, below, data) -> None:
    """A ratio of polynomials is recovered from as many terms as it has coefficients."""
    denominator = [Fraction(1), *below]
    series: list[Fraction] = []
    for n in range(len(above) + len(below)):
        value = above[n] if n < len(above) else Fraction(0)
        value -= sum(
            (denominator[j] * series[n - j] for j in range(1, min(n, len(below)) + 1)),
            Fraction(0),
        )
        series.append(value)
    try:
        ratio = pade(series, degree=len(below))
    except InvalidInputError:
        return  # a common factor at zero: the approximant of these degrees does not exist
    x = Fraction(1, 7)
    exact_below = sum(d * x**j for j, d in enumerate(denominator))
    exact = sum((c * x**j for j, c in enumerate(above)), Fraction(0))
    if exact_below and ratio.exact(x) is not None:
        assert ratio.exact(x) == exact / exact_below


def test_refused_degrees() -> None:
    with pytest.raises(InvalidInputError, match="degree 0 to 1"):
        pade([Fraction(1), Fraction(1)], degree=2)
    with pytest.raises(InvalidInputError, match="does not exist"):
        pade([Fraction(1), Fraction(0), Fraction(1)], degree=1)
    with pytest.raises(InvalidInputError, match="at least 1"):
        borel_pade([Fraction(1)], growth=0)
    with pytest.raises(InvalidInputError, match="two terms"):
        levin([Fraction(0), Fraction(1)])


def test_values_at_a_pole_and_at_zero() -> None:
    ratio = pade([Fraction(2) ** n for n in range(4)], degree=1)
    assert ratio.exact(Fraction(1, 2)) is None
    values = ratio(np.array([[0.0, 0.25], [1.0, -1.0]]))
    np.testing.assert_array_equal(values, [[1, 2], [-1, 1 / 3]])
    assert np.isnan(ratio(np.array([0.5]))[0])
    assert ratio.has_pole(sign=1) and not ratio.has_pole(sign=-1)


@pytest.mark.parametrize("x", [-0.3, 0.0, 2.0])
def test_a_polynomial_is_its_own_borel_sum(x: float) -> None:
    """A denominator of degree 0: 1 + 2 x + 5 x², with the growth (2n)!."""
    total = borel_pade([Fraction(1), Fraction(2), Fraction(5)], growth=2, degree=0)
    assert isinstance(total, BorelSum) and isinstance(total.transform, RationalFunction)
    assert total(np.array([x]))[0] == pytest.approx(1 + 2 * x + 5 * x**2, rel=1e-13)


def test_few_terms_have_no_growth() -> None:
    assert coefficient_growth([Fraction(1), Fraction(10**6), Fraction(10**30)]) == 0.0


def test_series_without_pade_approximants_are_refused() -> None:
    with pytest.raises(InvalidInputError) as error:
        Resummation([Fraction(c) for c in (1, 0, 0, 0, 1, 1, 1)])
    assert str(error.value) == (
        "resummation: Padé approximants do not exist for these coefficients, and one method alone "
        "has no error estimate; give more coefficients"
    )


@given(
    above=st.lists(st.fractions(max_denominator=10**9), min_size=1, max_size=12),
    below=st.lists(st.fractions(max_denominator=10**9), min_size=1, max_size=12).filter(any),
    points=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), max_size=4),
)
def test_ratios_are_rounded_once(
    above: list[Fraction], below: list[Fraction], points: list[float]
) -> None:
    """By balls, and exactly where these leave it open, also at poles and beyond all doubles."""
    ratio = RationalFunction(
        *(fmpq_poly([fmpq(c.numerator, c.denominator) for c in p]) for p in (above, below))
    )
    for point, value in zip(points, ratio(np.array(points)), strict=True):
        exact = ratio.exact(Fraction(point))
        if exact is None:
            assert np.isnan(value)
        else:
            try:
                expected = float(exact)
            except OverflowError:
                expected = np.inf if exact > 0 else -np.inf
            assert value == expected


def test_no_value_where_there_is_no_number() -> None:
    geometric = pade([Fraction(-2) ** n for n in range(3)], degree=1)
    assert np.isnan(geometric(np.array([np.nan, np.inf, -np.inf, -0.5]))).all()
