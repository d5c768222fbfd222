"""Gaussian averages against exact moments, singular integrands and integrals that do not exist."""

import math

import mpmath
import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from pde.numerics.antiderivative import Antiderivative
from pde.numerics.gaussian_quadrature import (
    QuadratureError,
    average,
    gaussian_rule,
    precise_average,
)


@pytest.mark.parametrize("power", range(0, 21, 2))
def test_even_moments_are_double_factorials(power: int) -> None:
    rule = gaussian_rule(5)
    exact = math.prod(range(1, power, 2))
    assert abs(rule.weights @ rule.nodes**power / exact - 1) < 1e-13
    assert abs(average(lambda v: v**power).value / exact - 1) < 1e-12


@pytest.mark.parametrize("c", [0.0, 1e-3, 1.0, 1e3, 1e8])
@pytest.mark.parametrize("order", [4, 6, 8])
def test_many_scales_near_zero(order: int, c: float) -> None:
    def function(v):
        return v**2 * (1 + c * v ** (order - 2)) ** (-mpmath.mpf(2) / (order - 2))

    rule = gaussian_rule(5)
    values = rule.nodes**2 * (1 + c * rule.nodes ** (order - 2)) ** (-2 / (order - 2))
    exact = precise_average(function, digits=18, even=True)
    assert abs(rule.weights @ values / float(exact) - 1) < 1e-13


def test_the_estimate_bounds_the_error() -> None:
    for c in (1.0, 30.0, 900.0):
        result = average(lambda v, c=c: 1 / (1 + c * v**2), relative_tolerance=1e-8)
        a = 1 / math.sqrt(2 * c)
        exact = math.sqrt(math.pi) * a * math.exp(a * a) * math.erfc(a)
        assert abs(result.value - exact) <= result.error + 1e-15


def test_an_integral_that_does_not_exist_is_refused() -> None:
    with pytest.raises(QuadratureError, match="may not exist"):
        average(lambda v: np.exp(v**2))
    with pytest.raises(InvalidInputError, match="level 2"):
        gaussian_rule(2)


def test_antiderivative_and_its_inverse() -> None:
    F = Antiderivative(lambda x: np.exp(-x) * (2 + np.sin(3 * x)), np.linspace(0, 5, 21))
    x = np.linspace(0, 5, 301)
    exact = 2 * (1 - np.exp(-x)) + (3 - np.exp(-x) * (np.sin(3 * x) + 3 * np.cos(3 * x))) / 10
    assert np.max(np.abs(F(x) - exact)) < 1e-14
    assert F.error < 1e-12
    assert np.max(np.abs(F(F.inverse(exact)) - exact)) < 1e-14
    with pytest.raises(InvalidInputError, match="breaks"):
        Antiderivative(np.exp, np.array([0.0, 0.0]))


def test_digits_across_a_jump_are_refused() -> None:
    with pytest.raises(QuadratureError) as error:
        precise_average(lambda v: mpmath.sign(v - mpmath.mpf(1) / 3), digits=25)
    assert str(error.value).startswith(
        "Gaussian average: 25 digits are not reached, the estimated error is "
    )
    assert str(error.value).endswith("; ask for fewer digits")
