"""Algebraic generating functions: what is not confirmed, and roots with another series."""

from fractions import Fraction
from math import comb

import pytest
import sympy

from diagrams.errors import InvalidInputError
from pde.recurrences.algebraic import AlgebraicEquation, find_algebraic_equation, sequence

CATALAN = [comb(2 * n, n) // (n + 1) for n in range(8)]


@pytest.mark.parametrize("place", [6, 7])
def test_one_wrong_coefficient_among_those_held_out_is_seen(place: int) -> None:
    right = find_algebraic_equation(sequence(CATALAN), variables=("x",), degree=2, max_power=1)
    assert str(right.equation) == "h**2*x - h + 1"
    wrong = [value + (n == place) for n, value in enumerate(CATALAN)]
    with pytest.raises(InvalidInputError) as error:
        find_algebraic_equation(sequence(wrong), variables=("x",), degree=2, max_power=1)
    assert str(error.value) == (
        "algebraic equation: none of degree up to 2 in 8 coefficients; give more of them or allow "
        "a higher degree"
    )


def test_variables_are_counted() -> None:
    with pytest.raises(InvalidInputError, match="variables x, y: the coefficients have another"):
        find_algebraic_equation(sequence(CATALAN), variables=("x", "y"))


def quadratic(values: list[int]) -> AlgebraicEquation:
    """h² = 1 + x, with the coefficients of one root or of neither."""
    x, h = sympy.symbols("x h")
    data = tuple(((n,), Fraction(c, 8)) for n, c in enumerate(values))
    return AlgebraicEquation((x,), h, h**2 - 1 - x, 3, 1, data)


def test_the_branch_has_the_series() -> None:
    x = sympy.Symbol("x")
    assert quadratic([8, 4, -1]).branch() == sympy.sqrt(x + 1)
    assert quadratic([-8, -4, 1]).branch() == -sympy.sqrt(x + 1)
    with pytest.raises(InvalidInputError) as error:
        quadratic([8, 5, -1]).branch()
    assert str(error.value) == (
        "equation h**2 - x - 1 = 0: none of its 2 explicit roots has the given power series; use "
        "the equation itself"
    )


def binomials(number: int, step: int, offset: int) -> list[Fraction]:
    """x^offset / sqrt(1 - x^step)."""
    values = [Fraction(0)] * number
    for k, n in enumerate(range(offset, number, step)):
        values[n] = Fraction(comb(2 * k, k), 4**k)
    return values


@pytest.mark.parametrize(("step", "offset"), [(3, 1), (2, 0), (2, 1), (3, 2), (3, 0)])
def test_what_is_found_does_not_depend_on_where_the_list_is_cut(step: int, offset: int) -> None:
    """Once found, an equation is found with every number of known zeros at the end."""
    x, h = sympy.symbols("x h")
    right = sympy.expand(h**2 * (1 - x**step) - x ** (2 * offset))
    found = []
    for number in range(10, 30):
        data = sequence(binomials(number, step, offset))
        try:
            equation = find_algebraic_equation(data, variables=("x",), max_power=4).equation
            found.append(equation)
            assert sympy.expand(equation**2 - right**2) == 0
        except InvalidInputError:
            assert not found
    assert len(found) > 5


def test_zeros_that_are_not_given_are_zero_up_to_the_last_one_given() -> None:
    values = binomials(20, 3, 1)
    sparse = {(n,): c for n, c in enumerate(values) if c or n == 19}
    whole = find_algebraic_equation(sequence(values), variables=("x",), max_power=3)
    assert find_algebraic_equation(sparse, variables=("x",), max_power=3).equation == whole.equation


@pytest.mark.parametrize("zeros", range(6))
@pytest.mark.parametrize("gap", [3, 4, 5, 6])
def test_an_equation_that_no_power_series_obeys_is_not_confirmed(gap: int, zeros: int) -> None:
    """(h - 1)^2 begins at x^{2 gap} for h = 1 + x^gap + ..., yet h is not 1."""
    data = [1, *[0] * (gap - 1), *[1] * gap, *[0] * zeros]
    try:
        found = find_algebraic_equation(sequence(data), variables=("x",))
    except InvalidInputError:
        return
    x, h = sympy.symbols("x h")
    assert sympy.discriminant(sympy.Poly(found.equation, h), h) != 0
    polynomial = sum(c * x**n for n, c in enumerate(data))
    residual = sympy.Poly(found.equation.subs(h, polynomial), x)
    assert all(n >= len(data) for (n,), _ in residual.terms())


@pytest.mark.parametrize("place", range(12))
def test_no_wrong_coefficient_is_confirmed(place: int) -> None:
    data = [comb(2 * n, n) // (n + 1) + (n == place) for n in range(12)]
    try:
        found = find_algebraic_equation(sequence(data), variables=("x",))
    except InvalidInputError:
        return
    assert str(found.equation) != "h**2*x - h + 1"
    branch = sympy.series(found.branch(), sympy.Symbol("x"), 0, 12).removeO()
    assert [branch.coeff(sympy.Symbol("x"), n) for n in range(12)] == data


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, 1j])
def test_numbers_that_are_none(bad: float) -> None:
    with pytest.raises(InvalidInputError, match="is not rational"):
        sequence([1, bad])
    with pytest.raises(InvalidInputError, match="is not rational"):
        find_algebraic_equation({(0,): Fraction(1), (1,): bad}, variables=("x",))


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1), Fraction(-1), float("nan")])
def test_the_share_held_out_is_one(share: Fraction) -> None:
    with pytest.raises(InvalidInputError, match="held_out ="):
        find_algebraic_equation(sequence(CATALAN), variables=("x",), held_out=share)
