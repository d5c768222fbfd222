"""Averages over the Marchenko-Pastur law: known integrals, and one that does not converge."""

import mpmath
import numpy as np
import pytest

from pde.numerics.marchenko_pastur import AverageError, average, precise_average


def test_the_square_case() -> None:
    """r = 1: the average of e^{-x} is e^{-2}(I_0(2) + I_1(2))."""
    with mpmath.workdps(40):
        exact = mpmath.exp(-2) * (mpmath.besseli(0, 2) + mpmath.besseli(1, 2))
        found = precise_average(lambda x: mpmath.exp(-x), mpmath.mpf(1), 30)
        assert abs(found - exact) < mpmath.mpf(10) ** -30
    assert average(lambda x: np.exp(-x), 1.0).value == pytest.approx(float(exact), rel=1e-14)


def test_a_jump_is_refused() -> None:
    with pytest.raises(AverageError) as error:
        average(lambda x: (x > 1).astype(float), 0.5)
    assert str(error.value) == (
        "average over the Marchenko-Pastur law at r = 0.5: does not converge with 32768 nodes; "
        "choose an earlier time"
    )
