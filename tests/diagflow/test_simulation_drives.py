"""Simulations of flows that something else drives than the loss, against exact results."""

from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np
import pytest

from diagflow.simulation import LossGradient, initial_tensors, integrate, simulate
from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import loss_series
from tests.command import ROOT

SYM = cp(order=2, symmetric=True)
SIZES = {"p": 3, "H": 2, "sigma2": 0.1}


def taylor(problem: Problem, at: dict[str, float], t: float, terms: int) -> float:
    """The series of the mean loss, at a time at which it is short."""
    series = loss_series(problem)
    values = {name: Fraction(value) for name, value in at.items() if name != "T"}
    tau = Fraction(t) / Fraction(at.get("T", 1))
    return float(
        sum(
            Fraction(y.evaluate(**{name: values[name] for name in y.symbols}))
            * tau**s
            / factorial(s)
            for s, y in ((s, series[s]) for s in range(terms + 1))
        )
    )


@pytest.mark.parametrize(
    ("drive", "more"),
    [
        ({"flow": "train + lambda*weight-norm"}, {"lambda": 0.5}),
        ({"rates": {"U": "eta/H"}}, {"eta": 3.0}),
        ({"implicit": "eta"}, {"eta": 0.1}),
        ({"momentum": "gamma"}, {"gamma": 2.0}),
        ({"temperature": "tau", "flow": "train + lambda*weight-norm"}, {"tau": 0.05, "lambda": 1}),
    ],
    ids=str,
)
def test_means_follow_the_series(drive: dict[str, Any], more: dict[str, float]) -> None:
    problem = SYM.driven_by(**drive)
    at = SIZES | more | {"T": 2.0, "sigma2": 0.02}
    times = [0.0, 0.05, 0.1]  # the series diverges in the end, but not yet with these terms
    found = simulate(problem, at=at, times=times, runs=300, seed=3)
    for k, t in enumerate(times):
        expected = taylor(problem, at, t, 4)
        assert abs(expected - taylor(problem, at, t, 3)) < 1e-4
        # The start is the same in all cases; what is tested is the change from it.
        change = found.loss[:, k] - found.loss[:, 0]
        error = np.std(change, ddof=1) / np.sqrt(found.runs)
        assert abs(np.mean(change) - expected + taylor(problem, at, 0.0, 0)) <= 4 * error + 1e-4


def test_rates_and_data_at_one_initialisation() -> None:
    """The slope of the loss is minus the sum of rate times squared gradients, exactly."""
    problem = tied_autoencoder(data=True).driven_by("train + mu*population", rates={"W": "2*eta/N"})
    at = {"p": 3.0, "H": 2.0, "N": 4.0, "sigma2": 0.3, "mu": -0.25, "eta": 0.7}
    flow = LossGradient(problem, at)
    plain = LossGradient(tied_autoencoder(data=True), {k: at[k] for k in ("p", "H", "N", "sigma2")})
    other = tied_autoencoder()
    population = LossGradient(other, {k: at[k] for k in ("p", "H", "sigma2")})
    tensors = initial_tensors(flow, np.random.SeedSequence(1))
    expected = plain.gradient(tensors)["W"] - 0.25 * population.gradient({"W": tensors["W"]})["W"]
    assert np.allclose(flow.gradient(tensors)["W"], 2 * 0.7 / 4 * expected, rtol=1e-12)


def test_steps_are_exact() -> None:
    """An eigenvalue a of W^T W goes to a (1 + 2 eta (1 - a))^2."""
    problem = SYM.driven_by(step="eta")
    at = {"p": 3.0, "H": 2.0, "sigma2": 0.4, "eta": 0.05}
    flow = LossGradient(problem, at)
    tensors = initial_tensors(flow, np.random.SeedSequence(5))
    path = integrate(flow, tensors, [0, 1, 7])
    a = np.linalg.eigvalsh(tensors["U"].T @ tensors["U"])
    expected = []
    for step in range(8):
        if step in (0, 1, 7):
            expected.append(np.sum((1 - a) ** 2) / 2)
        a = a * (1 + 2 * 0.05 * (1 - a)) ** 2
    assert np.allclose(path.loss, expected, rtol=1e-12)


def test_one_pass_follows_the_exact_means() -> None:
    """Each step has a batch of its own, and the loss is that of the next."""
    problem = read_problem_file(ROOT / "examples" / "one-pass.toml")
    at = {"p": 4, "N": 3, "sigma2": 0.5, "s": 1.0, "eta": 0.25}
    for loss in ("train", "population"):
        found = simulate(problem, at=at, times=[0, 1, 3], loss=loss, runs=400, seed=5)
        series = loss_series(problem, loss=loss)
        for k, step in enumerate([0, 1, 3]):
            expected = float(series[step].evaluate(**{n: Fraction(x) for n, x in at.items()}))
            assert abs(found.mean[k] - expected) <= 4 * found.standard_error[k]


def test_one_step_follows_the_exact_mean() -> None:
    problem = SYM.driven_by(step="1/10")
    found = simulate(problem, at=SIZES, times=[0, 1], runs=1500)
    values = {"p": Fraction(3), "H": Fraction(2), "sigma2": Fraction(1, 10)}
    exact = float(Fraction(loss_series(problem)[1].evaluate(**values)))
    assert abs(found.mean[1] - exact) <= 4 * found.standard_error[1]


def test_a_ball_on_a_spring() -> None:
    """u'' = -gamma u' - u in t/T, from rest: the solution is elementary."""
    problem = cp(order=2, symmetric=True).driven_by("weight-norm", momentum="gamma")
    at = {"p": 1.0, "H": 1.0, "sigma2": 1.0, "gamma": 1.0, "T": 2.0}
    flow = LossGradient(problem, at, loss="weight-norm")
    times = np.array([0.0, 1.0, 4.0])
    path = integrate(flow, {"U": np.array([[3.0]])}, times.tolist(), rtol=1e-10)
    w, t = np.sqrt(3) / 2, times / 2
    u = 3 * np.exp(-t / 2) * (np.cos(w * t) + np.sin(w * t) / (2 * w))
    assert np.allclose(path.loss, u**2 / 2, rtol=1e-8)


def test_the_stationary_law_under_a_temperature() -> None:
    """E|W|^2 = pH (sigma2 e^{-2 lambda t} + (tau/lambda)(1 - e^{-2 lambda t}))."""
    problem = SYM.driven_by("lambda*weight-norm", temperature="tau")
    at = {"p": 4.0, "H": 8.0, "sigma2": 0.3, "lambda": 2.0, "tau": 0.5, "T": 4.0}
    found = simulate(
        problem, at=at, times=[0, 1, 4], loss="weight-norm", runs=40, seed=1, rtol=5e-3
    )
    decay = np.exp(-4 * found.t / 4)
    expected = 16 * (0.3 * decay + 0.25 * (1 - decay))
    assert np.all(np.abs(found.mean - expected) <= 4 * found.standard_error + 5e-3 * expected)
    assert found.method == "Euler-Maruyama" and found.rtol == 5e-3


def test_noise_has_a_seed_and_shares_nothing_between_runs() -> None:
    problem = SYM.driven_by(temperature="tau")
    at = SIZES | {"tau": 0.1}
    first = simulate(problem, at=at, times=[0, 1], runs=3, seed=7)
    assert np.array_equal(first.loss, simulate(problem, at=at, times=[0, 1], runs=3, seed=7).loss)
    more = simulate(problem, at=at, times=[0, 1], runs=5, seed=7)
    assert np.array_equal(more.loss[:3], first.loss)
    assert len({*first.loss[:, 1]}) == 3


@pytest.mark.parametrize(
    ("drive", "at", "times", "message"),
    [
        (
            {"temperature": "tau"},
            {"tau": 1.0},
            [-1.0],
            "time -1: noise is not undone backwards in time; give 0 or more",
        ),
        (
            {"temperature": "tau"},
            {"tau": -1.0},
            [1.0],
            "temperature tau: the noise has a negative variance at these values; give a "
            "temperature and rates of 0 or more",
        ),
        (
            {"step": "eta"},
            {"eta": 1.0},
            [0.5],
            "time 0.5: is no number of steps; give integers from 0 on, such as 0:10:11",
        ),
    ],
)
def test_what_cannot_be_simulated(
    drive: dict[str, Any], at: dict[str, float], times: list[float], message: str
) -> None:
    with pytest.raises(InvalidInputError) as error:
        simulate(SYM.driven_by(**drive), at=SIZES | at, times=times)
    assert str(error.value) == message
