"""One integrator: both directions, events, ends, and errors that are as large as they are said."""

import numpy as np
import pytest

from diagrams.errors import BudgetExceededError
from expansion.models import tied_autoencoder
from expansion.regimes import Regimes, regimes
from pde.deadline import seconds_left
from pde.numerics.trajectories import Equation, distance, follow, largest_distance
from pde.solving import solve

TURN = Equation(lambda x: np.array([x[1], -x[0]]), np.array([0.0, 1.0]), lambda x: x)
SQUARE = Equation(lambda x: x**2, np.array([1.0]), lambda x: x)


def test_times_of_any_order_and_sign() -> None:
    times = np.array([3.0, -2.0, 0.0, 0.5, -20.0, 3.0, 40.0])
    path = follow(TURN, times)
    expected = np.stack([np.sin(times), np.cos(times)], axis=1)
    np.testing.assert_allclose(path.values, expected, atol=2e-11)
    assert np.array_equal(path.values[0], path.values[5]) and path.end == np.inf
    assert follow(TURN, np.zeros(0)).values.shape == (0, 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_blow_up_in_either_direction(sign: int) -> None:
    equation = Equation(lambda x: sign * x**2, np.array([1.0]), lambda x: x)
    path = follow(equation, sign * np.array([0.25, 0.999, 1.001, 5.0, -7.0]))
    end = path.end if sign > 0 else -path.start
    assert end == pytest.approx(1, abs=1e-9) and path.reason
    np.testing.assert_allclose(path.values[[0, 1, 4], 0], [4 / 3, 1000, 1 / 8], rtol=1e-9)
    assert np.all(np.isinf(path.values[2:4]))


def test_an_event_ends_a_path_where_it_happens() -> None:
    path = follow(TURN, np.array([0.5, 1.5, 1.6]), going=lambda x: x[1])
    assert path.end == pytest.approx(np.pi / 2, abs=1e-12) and path.reason == ""
    assert np.all(np.isfinite(path.values[:2])) and np.all(np.isinf(path.values[2]))
    assert follow(TURN, np.array([1.5]), going=lambda x: x[1]).end == np.inf
    undefined = follow(SQUARE, np.array([2.0]), going=lambda x: np.sqrt(9 - x[0]))
    assert undefined.end == pytest.approx(8 / 9, abs=1e-12)


def test_steps_and_time_are_limited() -> None:
    few = Equation(TURN.rate, TURN.start, TURN.output, most_steps=3)
    path = follow(few, np.array([1e3]))
    assert path.end < 1e3 and path.reason == "3 steps"
    with seconds_left(0.0), pytest.raises(BudgetExceededError, match=r"the pendulum.*t = 0 of 20"):
        follow(
            Equation(TURN.rate, TURN.start, TURN.output, name="the pendulum", unit=2.0),
            np.array([10.0]),
        )


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7])
def test_the_distance_covers_the_error(tolerance: float) -> None:
    fine, coarse = (
        Equation(TURN.rate, TURN.start, TURN.output, tolerance=tolerance * factor)
        for factor in (1, 100)
    )
    times = np.linspace(-10, 10, 41)
    values, errors = distance(fine, coarse, times)
    away = np.abs(values - np.stack([np.sin(times), np.cos(times)], axis=1))
    assert np.all(np.max(away, axis=0) <= np.max(errors, axis=0))
    assert np.max(errors) < 1e4 * tolerance
    np.testing.assert_array_equal(largest_distance(fine, coarse, times)[1], np.max(errors[:, 1]))


def test_values_close_to_a_blow_up_do_not_count() -> None:
    fine, coarse = (
        Equation(SQUARE.rate, SQUARE.start, SQUARE.output, tolerance=tolerance)
        for tolerance in (1e-12, 1e-6)
    )
    usual, wild = np.array([0.5, 0.9]), np.array([0.999999])
    assert largest_distance(fine, coarse, wild) == 0
    both = largest_distance(fine, coarse, np.concatenate([usual, wild]))
    assert 0 < both < 2 * largest_distance(fine, coarse, usual)


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(tied_autoencoder(data=True), terms=3)


@pytest.mark.parametrize("sigma2", [1e-5, 0.01, 0.07])
@pytest.mark.parametrize("name", ["narrow-latent", "narrow-latent & free"])
def test_regimes_of_few_latent_dimensions_report_their_error(
    found: Regimes, name: str, sigma2: float
) -> None:
    evolution = solve(found, name, at={"p": 40, "H": 4, "N": 60, "sigma2": sigma2})
    assert evolution.error_estimate is not None
    size = float(evolution(0.0))
    assert 0 < evolution.error_estimate < 1e-8 * size
    times = np.array([0.5 * max(evolution.domain.start, -1.0), 0.2, 1.0, 3.0])
    assert evolution.error_at(times) <= 2 * evolution.error_estimate
