"""Particles with a shared drift, where both quadratures are known."""

import math

import numpy as np
import pytest

from pde.moments.common_drift import FreeParticle, MeanFieldClock


@pytest.fixture(scope="module")
def particle() -> FreeParticle:
    return FreeParticle(
        order=4, scale=0.1, square=lambda s: 1 / (1 - s), overlap=lambda s: 1 / (1 - s) ** 2
    )


def test_without_coupling_the_shape_is_the_solution(particle: FreeParticle) -> None:
    time = -np.array([0.0, 1e-3, 1.0, 1e10, 1e23, 1e26])
    square, overlap = MeanFieldClock(particle, coupling=0.0).square_and_overlap(time)
    np.testing.assert_allclose(square, 1 / (1 - time), rtol=1e-12)
    np.testing.assert_allclose(overlap, 1 / (1 - time) ** 2, rtol=1e-12)


def test_the_scale_tends_to_a_constant(particle: FreeParticle) -> None:
    """I = 1/2 and g = 1: chi^4 tends to 2, so that s ~ sqrt(2) time, on the panels and beyond."""
    drift = MeanFieldClock(particle, coupling=1.0)
    assert drift.blow_up is None
    time = -np.array([1e18, 1e23, 1e24, 1e25, 1e28])
    square, overlap = drift.square_and_overlap(time)
    np.testing.assert_allclose(square * -time, 1, rtol=1e-12)
    np.testing.assert_allclose(overlap * time**2, 1, rtol=1e-12)


def test_the_time_of_the_blow_up_and_its_error(particle: FreeParticle) -> None:
    """The integral of sqrt(2/u² - 1) from 1 to sqrt(2), for g = 4."""
    drift = MeanFieldClock(particle, coupling=4.0)
    exact = 1 - math.sqrt(2) * math.log(1 + math.sqrt(2))
    assert drift.blow_up is not None
    assert abs(drift.blow_up - exact) <= max(drift.error, 1e-15)
    assert drift.error < 1e-12
