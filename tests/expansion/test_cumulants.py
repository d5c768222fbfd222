"""Cumulants of losses and observables: brute force, laws, regimes, simulation."""

from fractions import Fraction
from itertools import product
from math import comb, factorial
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstat

from diagflow.checking.translation import OracleProblem, at_numbers
from diagflow.simulation import simulate
from diagflow.simulation.statistics import k_statistic
from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.cumulants import cumulant_name, read_cumulant
from expansion.dynamics.derivation import derive
from expansion.leading import LeadingSeries
from expansion.models import cp, mlp_linear
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import regimes
from expansion.series import Budget, CumulantSeries, loss_series
from pde.solving import solution

SYM = cp(order=2, symmetric=True)
VARIANCE = "cumulant(train, 2)"


def product_of(first: dict[Any, Fraction], second: dict[Any, Fraction]) -> dict[Any, Fraction]:
    """The product of two polynomials in the layout of the oracle."""
    result: dict[Any, Fraction] = {}
    for one, a in first.items():
        for other, b in second.items():
            powers = dict(one)
            for name, power in other:
                powers[name] = powers.get(name, 0) + power
            key = tuple(sorted(powers.items()))
            result[key] = result.get(key, Fraction(0)) + a * b
    return result


@pytest.mark.parametrize(
    ("problem", "last"),
    [
        (SYM, 2),
        (cp(order=2), 2),
        (mlp_linear(2), 2),
        (SYM.driven_by(temperature="tau"), 2),
        (SYM.driven_by("train + lambda*weight-norm", rates={"U": "eta"}), 2),
    ],
    ids=str,
)
def test_the_variance_is_that_of_brute_force(problem: Problem, last: int) -> None:
    """E[L^2] and E[L] from the oracle, at tiny sizes."""
    for sizes in ({"p": 1, "H": 2}, {"p": 2, "H": 1}):
        values = {n: Fraction(size) for n, size in sizes.items() if n in problem.growing}
        values |= {n: Fraction(k + 2, 3) for k, n in enumerate(problem.amplitude_symbols)}
        told = OracleProblem(problem, values)
        mean, square = (told.coefficients(name, last) for name in ("train", "train**2"))
        series = loss_series(problem, loss=VARIANCE)
        for s in range(last + 1):
            expected = dict(square[s])
            for i in range(s + 1):
                for key, value in product_of(mean[i], mean[s - i]).items():
                    expected[key] = expected.get(key, Fraction(0)) - comb(s, i) * value
            found = at_numbers(series[s], values)
            assert found == {key: value for key, value in expected.items() if value}


def test_steps_are_not_convolved() -> None:
    problem = SYM.driven_by(step="eta")
    series = [loss_series(problem, loss=name) for name in (VARIANCE, "train**2", "train")]
    for step in (0, 1):
        variance, square, mean = (one[step] for one in series)
        assert variance == square - mean * mean


def test_the_cumulants_of_a_chi_square() -> None:
    """Half the sum of n squares: k_K = n/2 (K - 1)! sigma^{2K}; under decay all shrink alike."""
    for order in range(1, 7):
        name = cumulant_name("weight-norm", order)
        free = loss_series(SYM.driven_by("lambda*weight-norm"), loss=name)
        value = Polynomial.parse(f"p*H*sigma2**{order}") * Fraction(factorial(order - 1), 2)
        assert free[0] == value
        if order < 4:
            assert free[2] == value * Polynomial.parse(f"{4 * order**2}*lambda**2")


def test_the_variance_is_of_order_one_over_the_triangle() -> None:
    """y z^2 (2 - 4z - 4yz + 2z^2 + 5yz^2 + 2y^2z^2): the loss averages itself."""
    found = regimes(SYM, loss=VARIANCE, terms=4)
    leading = LeadingSeries(found, found["A-B-E"])
    scale, polynomial = leading.scaled(0)
    assert dict(scale) == {"p": 1, "H": 1, "sigma2": 2}
    expected = "2 - 4*z - 4*y*z + 2*z**2 + 5*y*z**2 + 2*y**2*z**2"
    assert polynomial == Polynomial.parse(expected)
    assert {r.name: r.learning.value for r in found}["E"] == "rich"


def test_runs_scatter_as_much() -> None:
    at = {"p": 6, "H": 4, "sigma2": 0.1}
    times = [0.0, 0.01]
    series = loss_series(SYM, loss=VARIANCE)
    exact = {name: Fraction(str(value)) for name, value in at.items()}
    found = simulate(SYM, at=at, times=times, loss=VARIANCE, runs=800, seed=1, rtol=1e-4)
    assert found.cumulant == 2
    for k, t in enumerate(times):
        terms = [float(series[s].evaluate(**exact)) * t**s / factorial(s) for s in range(5)]
        assert abs(found.mean[k] - sum(terms)) <= 4 * found.standard_error[k] + abs(terms[-1])
    plain = simulate(SYM, at=at, times=times, runs=50, seed=1)
    variance = simulate(SYM, at=at, times=times, loss=VARIANCE, runs=50, seed=1)
    np.testing.assert_allclose(variance.mean, 50 * plain.standard_error**2)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_k_statistics_are_unbiased(order: int) -> None:
    """Over all samples of five fair throws of 0 or 1; and equal to those of SciPy."""
    samples = [np.array(sample, dtype=float)[:, None] for sample in product((0, 1), repeat=5)]
    mean = np.mean([k_statistic(sample, order)[0] for sample in samples])
    assert mean == pytest.approx({1: 1 / 2, 2: 1 / 4, 3: 0, 4: -1 / 8}[order], abs=1e-12)
    values = np.random.default_rng(order).gamma(2.0, size=(40, 3))
    estimate, error = k_statistic(values, order)
    np.testing.assert_allclose(estimate, [kstat(column, order) for column in values.T])
    left_out = [kstat(np.delete(values[:, 0], k), order) for k in range(40)]
    assert error[0] == pytest.approx(np.std(left_out) * np.sqrt(39))


def test_what_is_and_is_not_derived_from_it() -> None:
    found = regimes(SYM, loss=VARIANCE, terms=5)
    with pytest.raises(
        InvalidInputError, match=r"effective dynamics of cumulant\(train, 2\): cores"
    ):
        derive(found, "A-B-E")
    solved = solution(found, "A-B-E")
    assert solved.method.value == "resummed"
    at = {"p": 64.0, "H": 64.0, "sigma2": 1 / 64, "T": 1.0}
    assert float(solved.at(at)(np.array([0.0]))[0]) == pytest.approx(3.0)  # z = y = 1 above


def test_names_and_what_is_refused() -> None:
    assert read_cumulant("train") == ("train", 1)
    assert read_cumulant(cumulant_name("train**2", 3)) == ("train**2", 3)
    with pytest.raises(InvalidInputError, match="cumulant 7: "):
        cumulant_name("train", 7)
    with pytest.raises(InvalidInputError, match="is one of a cumulant; name a loss"):
        cumulant_name(VARIANCE, 2)
    with pytest.raises(InvalidInputError, match=r"^loss 'trian': cp has no such loss"):
        loss_series(SYM, loss="cumulant(trian, 2)")
    for runs, name in ((3, "cumulant(train, 4)"), (9, "cumulant(train, 5)")):
        with pytest.raises(InvalidInputError, match=r"^cumulant [45]: "):
            simulate(SYM, at={"p": 2, "H": 2, "sigma2": 0.1}, times=[0], loss=name, runs=runs)


def test_the_budget_is_that_of_all_moments() -> None:
    series = CumulantSeries(SYM, loss=VARIANCE, budget=Budget(diagrams=30))
    with pytest.raises(BudgetExceededError, match="needs more than 30 diagrams"):
        series[6]
    assert 0 < len(series.known) < 6
    with pytest.raises(InvalidInputError, match="a cumulant is a difference of moments"):
        series.diagrams(0)
