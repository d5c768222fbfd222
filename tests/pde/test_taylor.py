"""Exact Taylor coefficients against derivatives, and formulas that have none."""

from fractions import Fraction

import pytest
import sympy

from pde.taylor import ExpansionError, symbol, taylor

t, T, H, p = (symbol(name) for name in ("t", "T", "H", "p"))
x = H * t / T
half, third = sympy.Rational(1, 2), sympy.Rational(1, 3)


@pytest.mark.parametrize(
    "formula",
    [
        sympy.log(1 + 3 * x),
        sympy.log(sympy.exp(-x) + x**2) / p,
        sympy.log(sympy.cosh(x)) * sympy.exp(-p * x),
        p * sympy.tanh(x) + sympy.sinh(2 * x),
        (-1 + x) ** -3,
        (-p + p * x) ** -2,
        (8 * p**3 - x) ** -third,
        (4 * H**2 / 9 + x) ** (3 * half),
        (p + H + x) ** 6,
        (x - x**2) ** 5,
        (1 - sympy.exp(x)) ** 7,
        x**6,
        sympy.Integer(0),
        p - H,
    ],
    ids=str,
)
def test_coefficients_are_the_derivatives(formula: sympy.Expr) -> None:
    sizes = {"H": Fraction(2, 3), "p": Fraction(5, 7)}
    exact = {symbol(name): sympy.Rational(str(value)) for name, value in sizes.items()}
    derivative = formula.subs(T, 1).subs(exact)
    found = taylor(formula, 7)
    assert len(found) == 7
    for coefficient in found:
        assert sympy.Rational(str(coefficient.evaluate(**sizes))) == derivative.subs(t, 0)
        derivative = derivative.diff(t)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (p * t, "depends on T otherwise than through t/T; rescale it"),
        (sympy.exp(t / T**2), "depends on T otherwise than through t/T; rescale it"),
        (2**x, "its exponent is not rational"),
        (sympy.pi * t / T, "formula pi: is not expanded; use elementary functions"),
        (sympy.erf(x), "formula erf(H*t/T): is not expanded; use elementary functions"),
        (sympy.log(2 + x), "its argument is not 1 at time 0"),
        (sympy.exp(1 + p + x), "its exponent is not 0 at time 0"),
        ((p + H + x) ** -1, "its base is not a monomial at time 0"),
        (x**-1, "its base is not a monomial at time 0"),
        ((2 + x) ** half, "is not rational at time 0"),
        ((p + x) ** third, "is not rational at time 0"),
        ((-1 + x) ** half, "is not rational at time 0"),
        # The principal cube root of -1 is complex.
        ((-1 + x) ** third, "is not rational at time 0"),
    ],
    ids=str,
)
def test_formulas_without_an_expansion(formula: sympy.Expr, message: str) -> None:
    with pytest.raises(ExpansionError) as error:
        taylor(formula, 4)
    assert str(error.value).startswith("formula ")
    assert str(error.value).endswith(message)
