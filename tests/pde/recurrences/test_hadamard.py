"""The Hadamard product against products of coefficients; algebraic functions against series."""

from fractions import Fraction
from itertools import pairwise
from math import comb

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from pde.rational_series import rational_taylor
from pde.recurrences.algebraic import find_algebraic_equation
from pde.recurrences.hadamard import hadamard_product
from pde.recurrences.recurrence import Index, sequence

Z = sympy.Symbol("z")


def coefficients(function: sympy.Expr, number: int) -> list[sympy.Expr]:
    """The first Taylor coefficients at 0, from differences of a contour sum in exact arithmetic."""
    numerator, denominator = sympy.fraction(sympy.together(function))
    top, bottom = sympy.Poly(numerator, Z), sympy.Poly(denominator, Z)
    result: list[sympy.Expr] = []
    for n in range(number):
        rest = top.nth(n) - sum(bottom.nth(n - k) * result[k] for k in range(n))
        result.append(sympy.nsimplify(rest / bottom.nth(0)))
    return result


RATIONAL = st.tuples(
    st.lists(st.integers(-3, 3), min_size=1, max_size=4),
    st.lists(st.integers(-2, 2).filter(bool), min_size=0, max_size=3),
)


def rational(data: tuple[list[int], list[int]]) -> sympy.Expr:
    top, roots = data
    return sum(c * Z**n for n, c in enumerate(top)) / sympy.Mul(*(1 - r * Z for r in roots))


@given(RATIONAL, RATIONAL)
@settings(max_examples=20, deadline=None)
def test_rational_functions(a: tuple[list[int], list[int]], b: tuple[list[int], list[int]]) -> None:
    A, B = rational(a), rational(b)
    product = sympy.cancel(sympy.together(hadamard_product(A, B, Z)))
    expected = [x * y for x, y in zip(coefficients(A, 7), coefficients(B, 7), strict=True)]
    assert coefficients(product, 7) == expected


def test_transcendental_and_rational() -> None:
    """Σ (n+1) z^n/n! = (1 + z) e^z."""
    product = hadamard_product(sympy.exp(Z), 1 / (1 - Z) ** 2, Z)
    assert sympy.simplify(product - (1 + Z) * sympy.exp(Z)) == 0


def test_what_is_not_rational_or_no_power_series() -> None:
    with pytest.raises(InvalidInputError, match="not a rational function"):
        hadamard_product(1 / (1 - Z), sympy.exp(Z), Z)
    with pytest.raises(InvalidInputError, match="has a pole at z = 0"):
        hadamard_product(1 / (1 - Z), 1 / Z, Z)
    with pytest.raises(InvalidInputError, match="are not exact"):
        hadamard_product(1 / (1 - Z), 1 / (1 - 0.5 * Z), Z)
    with pytest.raises(InvalidInputError, match="are not exact"):
        hadamard_product(sympy.nan, 1 / (1 - Z), Z)


IRREDUCIBLE = [
    1 - 2 * Z**2,
    1 - Z - Z**2,
    1 - Z**3,
    1 + Z - Z**5,
    (1 - Z - Z**2) ** 2,
    (1 - 2 * Z) * (3 - Z + Z**3),
    1 - sympy.sqrt(2) * Z,
]


@pytest.mark.parametrize("denominator", IRREDUCIBLE, ids=str)
def test_rational_functions_with_irrational_poles(denominator: sympy.Expr) -> None:
    """1/(1-z) leaves every series as it is, and two such series give products of coefficients."""
    B = (2 + Z) / denominator
    assert sympy.simplify(hadamard_product(1 / (1 - Z), B, Z) - B) == 0
    A = 1 / (1 - 3 * Z - Z**2)
    pairs = zip(coefficients(A, 12), rational_taylor(B, Z, 12), strict=True)
    found = rational_taylor(hadamard_product(A, B, Z), Z, 12)
    assert [sympy.expand(x * y - c) for (x, y), c in zip(pairs, found, strict=True)] == [0] * 12


@pytest.mark.parametrize("denominator", IRREDUCIBLE, ids=str)
@pytest.mark.parametrize("A", [sympy.exp(Z), sympy.sqrt(1 - 4 * Z), sympy.sin(Z) / Z], ids=str)
def test_irrational_poles_and_a_function_that_is_not_rational(
    A: sympy.Expr, denominator: sympy.Expr
) -> None:
    """The value of the product at a point against its series, whose coefficients are exact."""
    B = (2 + Z) / denominator
    last = 48
    series = sympy.Poly(sympy.series(A, Z, 0, last).removeO(), Z)
    others = rational_taylor(B, Z, last)
    place = sympy.Rational(1, 100)
    expected = sum(series.nth(n) * b * place**n for n, b in enumerate(others))
    value = sympy.N(hadamard_product(A, B, Z).subs(Z, place), 30)
    assert abs(complex(value) - complex(sympy.N(expected, 30))) < 1e-14


@pytest.mark.parametrize(
    "A", [abs(Z), sympy.sqrt(Z), sympy.log(Z), sympy.sign(Z), 1 / Z, sympy.sqrt(Z**2)], ids=str
)
def test_a_first_factor_without_a_power_series_is_refused(A: sympy.Expr) -> None:
    with pytest.raises(InvalidInputError):
        hadamard_product(A, 1 / (1 - Z), Z)


def test_a_wrong_candidate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of coefficients is not a matter of course: a spoilt part does not pass."""
    for spoilt in (lambda *_: sympy.Integer(1), lambda *_: sympy.nan):
        with monkeypatch.context() as patch:
            patch.setattr("pde.recurrences.hadamard._reduced", spoilt)
            with pytest.raises(InvalidInputError):
                hadamard_product(sympy.exp(Z), 1 / (1 - Z - Z**2), Z)


def test_narayana_from_numbers() -> None:
    data: dict[Index, Fraction] = {
        (m, n): Fraction(comb(m + 1, n) * comb(m + 1, n - 1), m + 1)
        for m in range(7)
        for n in range(1, m + 2)
    }
    found = find_algebraic_equation(data, variables=("z", "y"))
    assert str(found.equation) == "h**2*z**2 + h*y*z + h*z - h + y"
    assert found.held_out > 5
    z, y = found.variables
    root = sympy.sqrt(1 - 2 * z * (y + 1) + z**2 * (y - 1) ** 2)
    published = (1 - z * (y + 1) - root) / (2 * z**2)
    assert sympy.simplify(found.branch() - published) == 0


@pytest.mark.parametrize("shift", [0, 1])
def test_motzkin_and_catalan(shift: int) -> None:
    """h = 1 + shift x h + x^{1+shift} h²: Catalan for shift 0, Motzkin for shift 1."""
    values = [1]
    for n in range(1, 14):
        whole = sum(values[k] * values[n - 1 - shift - k] for k in range(n - shift))
        values.append(whole + shift * values[-1])
    found = find_algebraic_equation(sequence(values), variables=("x",))
    (x,) = found.variables
    branch = sympy.series(found.branch(), x, 0, 8).removeO()
    assert [branch.coeff(x, n) for n in range(8)] == values[:8]


def test_numbers_without_an_equation() -> None:
    factorials = [1]
    for n in range(1, 12):
        factorials.append(factorials[-1] * n)
    with pytest.raises(InvalidInputError, match="none of degree up to 2"):
        find_algebraic_equation(sequence(factorials), variables=("x",))
    with pytest.raises(InvalidInputError, match="another number of indices"):
        find_algebraic_equation(sequence(factorials), variables=("x", "y"))
    assert all(a < b for a, b in pairwise(factorials[1:]))
