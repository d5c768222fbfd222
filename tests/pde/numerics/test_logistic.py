"""The logistic curve against 50 digits, at starts and times of any size."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pde.numerics.logistic import logistic_rest


def exact(start: float, x: float) -> mp.mpf:
    with mp.workdps(400):
        growing = mp.exp(mp.mpf(x))
        return +((1 - mp.mpf(start)) / (1 - mp.mpf(start) + mp.mpf(start) * growing))


@pytest.mark.parametrize("start", [1e-12, 0.25, 0.5, 1.0, 1.5, 1e3, 1e17, 1e40])
@pytest.mark.parametrize("x", [0.0, 1e-30, 1e-17, 1e-3, 0.7, 30.0, 600.0])
def test_forward(start: float, x: float) -> None:
    found = float(logistic_rest(start, np.array(x)))
    expected = exact(start, x)
    assert abs(found - expected) <= 1e-14 * abs(expected)


@given(start=st.floats(1e-9, 1.0), x=st.floats(-300.0, 300.0))
@example(start=1.0, x=-38.0)
@example(start=1.0, x=-800.0)
@example(start=1 - 2.0**-53, x=-300.0)
def test_both_directions(start: float, x: float) -> None:
    found = float(logistic_rest(start, np.array(x)))
    assert abs(found - exact(start, x)) <= 1e-13 * abs(exact(start, x)) + 1e-300


def test_before_the_blow_up() -> None:
    """For b_0 > 1 the curve comes from infinity at x = log(1 - 1/b_0)."""
    start = 4.0
    blow_up = np.log(1 - 1 / start)
    for share in (0.1, 0.5, 0.9):
        x = share * blow_up
        assert float(logistic_rest(start, np.array(x))) == pytest.approx(
            float(exact(start, x)), rel=1e-13
        )
