"""Laws of the exact polynomials, and what the parser does with text that is none."""

import re
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diagrams.errors import DiagflowError, InvalidInputError
from expansion.polynomial import (
    MAXIMAL_LENGTH,
    Polynomial,
    square_root,
    symbol_latex,
    symbol_order,
)
from tests.latex_structure import check_scripts, check_structure

NAMES = ("p", "H", "N", "sigma2", "sigma2_teacher", "H_teacher", "alpha", "x", "x9", "a_b", "_y")

LAW = settings(deadline=None, max_examples=60)

rationals = st.fractions(max_denominator=10**6)
scalars = rationals | st.integers(-(10**30), 10**30)
monomials = st.dictionaries(
    st.sampled_from(NAMES), st.integers(-5, 9).filter(bool), max_size=4
).map(lambda powers: tuple(sorted(powers.items())))
polynomials = st.dictionaries(monomials, rationals, max_size=7).map(Polynomial)
nonzero = rationals.filter(bool)
points = st.fixed_dictionaries(dict.fromkeys(NAMES, nonzero))


# --- laws -----------------------------------------------------------------------------------------


@LAW
@given(polynomials)
def test_text_reads_back(x: Polynomial) -> None:
    assert Polynomial.parse(str(x)) == x


@LAW
@given(polynomials)
def test_repr_is_an_expression_of_the_value(x: Polynomial) -> None:
    assert eval(repr(x), {"Polynomial": Polynomial}) == x


@LAW
@given(polynomials, polynomials, points)
def test_addition_and_subtraction_are_those_of_the_values(
    x: Polynomial, y: Polynomial, at: dict[str, Fraction]
) -> None:
    assert (x + y).evaluate(**at) == x.evaluate(**at) + y.evaluate(**at)
    assert (x - y).evaluate(**at) == x.evaluate(**at) - y.evaluate(**at)
    assert x + y == y + x
    assert x - x == Polynomial()
    assert x + Polynomial() == x


@LAW
@given(polynomials, scalars, points)
def test_scalar_multiplication_is_that_of_the_values(
    x: Polynomial, c: Fraction | int, at: dict[str, Fraction]
) -> None:
    assert (x * c).evaluate(**at) == c * x.evaluate(**at)
    assert x * c == c * x
    assert x * 0 == Polynomial()
    assert -x == x * -1


@LAW
@given(polynomials, points)
def test_evaluation_is_exact_and_agrees_with_the_terms(
    x: Polynomial, at: dict[str, Fraction]
) -> None:
    expected = Fraction(0)
    for powers, coefficient in x:
        for name, power in powers:
            coefficient *= at[name] ** power
        expected += coefficient
    value = x.evaluate(**at)
    assert isinstance(value, Fraction)
    assert value == expected


@LAW
@given(polynomials, points)
def test_sympy_has_the_same_values(x: Polynomial, at: dict[str, Fraction]) -> None:
    positive = {name: abs(value) for name, value in at.items()}
    expression = x.to_sympy()
    value = expression.subs(
        {
            sympy.Symbol(name, positive=True): sympy.Rational(v.numerator, v.denominator)
            for name, v in positive.items()
        }
    )
    expected = x.evaluate(**positive)
    assert isinstance(expected, Fraction)
    assert value == sympy.Rational(expected.numerator, expected.denominator)


@LAW
@given(polynomials)
def test_latex_is_never_empty_and_its_braces_match(x: Polynomial) -> None:
    text = x.latex()
    assert text.strip()
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert x._repr_latex_() == f"$\\displaystyle {text}$"


@LAW
@given(polynomials)
def test_terms_are_distinct_nonzero_and_in_one_order(x: Polynomial) -> None:
    powers = [monomial for monomial, _ in x]
    assert len(set(powers)) == len(powers) == len(x)
    assert all(coefficient for _, coefficient in x)
    assert all(power for monomial in powers for _, power in monomial)
    assert Polynomial(dict(reversed(x.terms))) == x
    assert hash(Polynomial(dict(reversed(x.terms)))) == hash(x)


@LAW
@given(polynomials)
def test_coefficients_and_exponents_are_those_of_the_terms(x: Polynomial) -> None:
    for powers, coefficient in x:
        assert x.coefficient(**dict(powers)) == coefficient
    rebuilt = {
        tuple(zip(x.symbols, exponents, strict=True)): coefficient
        for exponents, (_, coefficient) in zip(x.exponents(x.symbols), x, strict=True)
    }
    assert Polynomial(rebuilt) == x


# --- known values ---------------------------------------------------------------------------------


def test_negative_exponents() -> None:
    x = Polynomial.parse("p**-2*H - 3/2*sigma2**-1")
    assert x.coefficient(p=-2, H=1) == 1
    assert x.evaluate(p=2, H=4, sigma2=Fraction(3, 2)) == 0
    assert x.latex() == r"-\frac{3}{2} \sigma^{-2} + p^{-2} H"


def test_floating_point_is_asked_for_by_its_arguments() -> None:
    x = Polynomial.parse("1/2*p + H")
    assert x.evaluate(p=0.5, H=1) == 1.25
    assert isinstance(x.evaluate(p=0.5, H=1), float)
    assert isinstance(x.evaluate(p=1, H=1), Fraction)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", "0"),
        ("0", "0"),
        ("p-p", "0"),
        ("0*p", "0"),
        ("+p", "p"),
        ("-p", "-p"),
        ("2/4*p", "1/2*p"),
        ("p*p", "p**2"),
        ("p**0", "1"),
        ("H*p", "p*H"),
        ("p + 2 * p", "3*p"),
        ("p**-1", "p**-1"),
    ],
)
def test_what_is_read_is_written_in_normal_form(text: str, normal: str) -> None:
    assert str(Polynomial.parse(text)) == normal


def test_zero_and_one() -> None:
    assert str(Polynomial()) == Polynomial().latex() == "0"
    assert not len(Polynomial())
    assert Polynomial().symbols == ()
    assert Polynomial().evaluate() == 0
    assert str(Polynomial({(): 1})) == "1"
    assert Polynomial({(("p", 0),): 2, (): 1}) == Polynomial.parse("3")


def test_symbols_are_written_in_the_order_of_the_field() -> None:
    names = ["zeta", "sigma2_teacher", "sigma2", "alpha", "H_teacher", "N", "H", "p", "b"]
    expected = ["p", "H", "N", "H_teacher", "alpha", "sigma2", "sigma2_teacher", "b", "zeta"]
    assert sorted(names, key=symbol_order) == expected
    assert Polynomial.parse("sigma2*H*p").symbols == ("p", "H", "sigma2")


@pytest.mark.parametrize(
    ("name", "power", "latex"),
    [
        ("p", 1, "p"),
        ("p", 3, "p^{3}"),
        ("sigma2", 1, r"\sigma^{2}"),
        ("sigma2", -1, r"\sigma^{-2}"),
        ("sigma2_teacher", 2, r"\sigma_{*}^{4}"),
        ("H_teacher", 1, "H_{*}"),
        ("alpha", 2, r"\alpha^{2}"),
        ("width", 1, r"\mathit{width}"),
        ("H_a", 1, r"H_{\mathrm{a}}"),
    ],
)
def test_symbols_in_latex(name: str, power: int, latex: str) -> None:
    assert symbol_latex(name, power) == latex


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p H +", r"^polynomial: '\+' is not understood; expected a term such as -3/2\*p\*\*2\*H"),
        ("2p + ?", r"^polynomial: '\+\?' is not understood"),
        ("p**H", r"^polynomial: '\*\*H' is not understood"),
        ("p**1.5", r"^polynomial: '\.5' is not understood"),
        ("(p+H)", r"^polynomial: '\(p\+H\)' is not understood"),
        ("p/2", r"^polynomial: '/2' is not understood"),
        ("__import__('os')", r"^polynomial: \"\('os'\)\" is not understood"),
        ("1/0*p", r"^number '1/0': divides by zero; give a rational number$"),
        ("--p", r"^polynomial: '--p' is not understood"),
        ("p**99999999", r"^polynomial: '99' is not understood"),
        ("π", r"^polynomial: 'π' is not understood"),
    ],
)
def test_text_that_is_no_polynomial(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Polynomial.parse(text)


def test_text_that_is_too_long() -> None:
    with pytest.raises(InvalidInputError, match=r"300001 characters are more than 300000; split"):
        Polynomial.parse("1" * (MAXIMAL_LENGTH + 1))


def test_a_missing_value_is_named() -> None:
    message = r"^polynomial: no value for H, sigma2; give one for each of p, H, sigma2$"
    with pytest.raises(InvalidInputError, match=message):
        Polynomial.parse("p*H*sigma2").evaluate(p=1)


LIKELY = st.text("pHs0129_+-*/ .^()x", max_size=40)


@LAW
@given(st.text(max_size=60) | LIKELY)
def test_any_text_is_read_or_refused_by_an_error_of_the_family(text: str) -> None:
    try:
        value: Any = Polynomial.parse(text)
    except DiagflowError as error:
        assert "\n" not in str(error)
    else:
        assert Polynomial.parse(str(value)) == value


def test_a_number_of_thousands_of_digits_is_read_or_refused() -> None:
    """Python converts at most a few thousand digits; that limit must not show as its own error."""
    try:
        assert len(Polynomial.parse("1" * 10_000)) == 1
    except DiagflowError as error:
        assert "digits" in str(error)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,7}", fullmatch=True).filter(
    lambda name: name.strip("_") not in {"", "teacher"}
)


@given(NAMES, st.integers(1, 4))
@example("_x", 2)
@example("x_", 2)
@example("x_1_2", 2)
@example("sv2", 3)
@example("x2_data_", 2)
@example("__a2__b__", 2)
def test_every_name_is_a_symbol_that_can_carry_a_power(name: str, power: int) -> None:
    latex = symbol_latex(name, power)
    check_structure(latex)
    check_scripts(latex)
    check_scripts(f"{latex} {symbol_latex('x_', 2)} {latex}")


@given(st.lists(NAMES, min_size=2, max_size=8, unique=True))
@example(["x", "_x", "x_", "__x", "x__", "_x_"])
@example(["x_y", "x__y", "x_y_", "_x_y", "xy", "x_y_z"])
def test_different_names_are_different_symbols(names: list[str]) -> None:
    """But for the square of x, which is what x2 stands for, and the star of a teacher."""
    others = [name for name in names if not name.endswith("_teacher")]
    assert len({symbol_latex(name) for name in others}) == len(others)


@pytest.mark.parametrize("name", ["sigma2", "sv2", "variance2_data", "s2", "_x2"])
def test_a_name_with_2_is_a_square(name: str) -> None:
    root = square_root(name)
    assert root is not None
    assert symbol_latex(name) == symbol_latex(root, 2)
    assert symbol_latex(name, 3) == symbol_latex(root, 6)
    assert re.search(r"\^\{2\}$", symbol_latex(name))
