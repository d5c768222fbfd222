"""Algebraic generating functions: what is not confirmed, and roots with another series."""

from fractions import Fraction
from math import comb

import pytest
import sympy

from diagrams.errors import InvalidInputError
from pde.algebraic import AlgebraicEquation, find_algebraic_equation, sequence

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
