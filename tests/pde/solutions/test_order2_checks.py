"""The checks that stand behind derived formulas of order 2 tell a wrong formula."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial
from pde.solutions.asymmetric_order2 import against_hierarchy, without_root
from pde.solutions.symmetric_order2_derivation import contraction_numbers, derivation
from pde.solving import solution
from pde.taylor import ExpansionError, symbol

p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))


def test_a_wrong_formula_differs_from_the_derived_one() -> None:
    right = p / 2 - p * H * sigma2 * sympy.exp(4 * t / T)
    assert derivation("E", right)[-1].title == "Hadamard product"
    with pytest.raises(InvalidInputError) as error:
        derivation("E", right.subs(t, t * sympy.Rational(1001, 1000)))
    assert str(error.value).startswith("regime E: the formula differs from the derived one by ")
    assert str(error.value).endswith("; correct it")


def test_the_smallest_cycle_alone() -> None:
    assert contraction_numbers(0) == {(0, 1): Fraction(1)}


@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_wrong_coefficient_differs_from_the_hierarchy(
    place: int, leading_series: Callable[..., LeadingSeries]
) -> None:
    leading = leading_series(order=2, symmetric=False, terms=4, regime="C-D")
    right = solution(leading.regimes, "C-D")
    coefficients = list(right.coefficients(12))
    coefficients[place] = coefficients[place] * 2
    wrong = replace(right, taylor=lambda: iter(coefficients))
    with pytest.raises(InvalidInputError) as error:
        against_hierarchy("C-D", wrong)
    assert str(error.value) == (
        f"regime C-D: its formula differs from its moment characteristics at s = {place}; "
        "correct it"
    )
    assert against_hierarchy("C-D", right) == right.derivation[-1]


def test_even_powers_of_the_root() -> None:
    """R² = 1 + (Hσ²)²."""
    found = without_root(Polynomial({(("R", 4), ("p", 1)): 3, (("H", 1),): 1}))
    assert found == Polynomial.parse("3*p + 6*p*H**2*sigma2**2 + 3*p*H**4*sigma2**4 + H")
    for power in (1, -2):
        with pytest.raises(ExpansionError, match="is not a polynomial in 1 \\+ κ²"):
            without_root(Polynomial({(("R", power),): 1}))
