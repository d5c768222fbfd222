"""Values of rational functions are rounded once, also where numbers end."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq_poly

from pde.numerics.approximants import RationalFunction


@pytest.mark.parametrize("power", [-1080, -1074, -1022, -300, -1, 0, 1, 60, 400, 900])
@pytest.mark.parametrize("seed", range(3))
def test_a_quotient_is_the_nearest_number(power: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    scale = Fraction(2) ** power
    for a, b, c in draw.integers(-(2**40), 2**40, (20, 3)).tolist():
        numerator = fmpq_poly([a, b]) * scale.numerator
        ratio = RationalFunction(numerator, fmpq_poly([c, 3]) * scale.denominator)
        points = draw.standard_normal(3)
        for point, value in zip(points, ratio(points), strict=True):
            exact = ratio.exact(Fraction(float(point)))
            assert exact is not None
            assert value == float(exact)


def test_beyond_the_largest_number() -> None:
    large = RationalFunction(fmpq_poly([-(2**1030)]), fmpq_poly([3, 1]))
    assert large(np.array([0.0, 1e-3])).tolist() == [-np.inf, -np.inf]
