"""Taylor coefficients from a circle: right for analytic functions, refused for others."""

import mpmath
import pytest
import sympy

from pde.sampled_taylor import NotAnalyticError, circle_averages, circle_taylor, differs

Z, Y = sympy.symbols("z y")


@pytest.mark.parametrize(
    "function",
    [
        sympy.exp(3 * Z),
        1 / (1 - 100 * Z) ** 2,
        (sympy.exp(Z) - 1 - Z) / Z**2,
        sympy.RootSum(Z**5 - Z - 1, sympy.Lambda(Z, Z**2), auto=False) + Y * Z,
    ],
    ids=str,
)
def test_analytic_functions(function: sympy.Expr) -> None:
    at = {Y: sympy.Rational(2, 3)}
    series = sympy.series(function.subs(at).doit(), Z, 0, 9).removeO()
    found = circle_taylor(function, Z, 9, at)
    assert differs(found, [series.coeff(Z, n) for n in range(9)]) is None


@pytest.mark.parametrize(
    "function",
    [abs(Z), sympy.conjugate(Z), sympy.sqrt(Z), Z ** sympy.Rational(7, 2), 1 / Z, sympy.nan],
    ids=str,
)
def test_what_is_not_analytic_or_not_a_number(function: sympy.Expr) -> None:
    with pytest.raises(NotAnalyticError):
        circle_taylor(function, Z, 6)


def test_parameters_need_numbers() -> None:
    with pytest.raises(NotAnalyticError, match="y has no number"):
        circle_taylor(Y * Z, Z, 3)


@pytest.mark.parametrize("bad", [mpmath.nan, mpmath.inf, mpmath.mpc(0, mpmath.nan)])
def test_nothing_is_confirmed_by_what_is_not_finite(bad: mpmath.mpf) -> None:
    with pytest.raises(NotAnalyticError):
        circle_averages(lambda z: z + bad, 3)
    assert differs([bad], [bad]) == 0
    assert differs([mpmath.mpf(1)], [bad]) == 0
