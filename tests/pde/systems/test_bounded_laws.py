"""Bounded entries at the start: the symmetric models of even order beyond their ascent.

The references integrate the particle, and the formulas of the moments in psi and phi, with another
method than the product does.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod, sqrt
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.integrate import solve_ivp

from diagflow import simulate
from diagrams.errors import DiagflowError
from expansion.dynamics.derivation import derive
from expansion.dynamics.particle import Closure
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import Regimes, regimes
from pde.effective import effective_answer
from pde.evolution import Solution
from pde.systems import RADEMACHER, UNIFORM, SiteProblem, site_solution
from pde.systems.particle import folded

SIGNS = read_problem_file(Path(__file__).resolve().parents[3] / "examples" / "signs_order4.toml")

AT = {"p": Fraction(64), "H": Fraction(410), "sigma2": Fraction(1, 1000), "T": Fraction(1)}


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(SIGNS, terms=3)


@pytest.fixture(scope="module")
def triangle(found: Regimes) -> Solution:
    answer = effective_answer(found, "V1-V2-V3")
    assert answer.solution is not None
    return answer.solution


def _theta(p: float, H: float) -> float:
    return 1 + 3 * H / p**2


def _one_particle(p: float, H: float, sigma2: float, times: list[float]) -> list[float]:
    """u' = 4 (u^3 - theta p^3 u^7), u(0) = sigma, and p/2 + H (theta p^4 u^8 / 2 - p u^4)."""
    theta = _theta(p, H)
    solved = solve_ivp(
        lambda t, u: 4 * (u**3 - theta * p**3 * u**7),
        (0, times[-1]),
        [sqrt(sigma2)],
        t_eval=times,
        rtol=1e-12,
        atol=1e-15,
    )
    u = solved.y[0]
    return list(p / 2 + H * (theta * p**4 * u**8 / 2 - p * u**4))


def test_descent_from_signs_is_one_particle_on_the_whole_triangle(triangle: Solution) -> None:
    assert triangle.certificate is not None and triangle.certificate.matched == (0, 1, 2, 3)
    loss = triangle.at(AT)
    times = [0.0, 10.0, 60.0, 400.0, 3000.0]
    expected = _one_particle(64, 410, 1e-3, times)
    assert np.allclose(loss(np.array(times)), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("order", [6, pytest.param(8, marks=pytest.mark.slow)])
def test_descent_from_signs_is_one_particle_at_higher_orders(order: int) -> None:
    """u' = nu (u^(nu - 1) - theta p^(nu - 1) u^(2 nu - 1)) on the whole triangle."""
    signs = cp(order=order, symmetric=True).with_law("U", law="rademacher")
    answer = effective_answer(regimes(signs, terms=2), "A-B-E")
    assert answer.solution is not None and answer.solution.certificate is not None
    assert answer.solution.certificate.matched == (0, 1, 2)
    p, H, sigma2 = 4, 20, Fraction(1, 16)
    theta = 1 + prod(range(1, order, 2)) * H / p ** (order // 2)
    loss = answer.solution.at(
        {"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": Fraction(1)}
    )
    times = [0.0, 0.2, 1.0, 5.0, 20.0]
    solved = solve_ivp(
        lambda t, u: order * (u ** (order - 1) - theta * p ** (order - 1) * u ** (2 * order - 1)),
        (0, times[-1]),
        [sqrt(sigma2)],
        t_eval=times,
        rtol=1e-13,
        atol=1e-16,
    )
    u = solved.y[0]
    expected = p / 2 + H * (theta * p**order * u ** (2 * order) / 2 - p * u**order)
    assert abs(expected[-1] - expected[0]) > 1e-4
    assert np.allclose(loss(np.array(times)), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("law", "name"), [("rademacher", "A-B"), ("uniform", "B")])
def test_the_square_of_the_model_of_order_6_closes(law: str, name: str) -> None:
    """Where it leads alone, the squared length of the weights moves by itself."""
    dynamics = derive(regimes(cp(order=6, symmetric=True).with_law("U", law=law), terms=2), name)
    assert dynamics.kind is Closure.FINITE and len(dynamics.cores) == 1
    assert dynamics.certificate.matched == (0, 1, 2)


def test_the_deviation_of_runs_of_order_6_falls_like_one_over_p() -> None:
    """At p^5 sigma^6 = 0.3, H = p^3/60 and tau sigma^4 = 0.02, in units of the plateau."""
    signs = cp(order=6, symmetric=True).with_law("U", law="rademacher")
    deviations = []
    for p, runs in ((8, 60), (16, 30), (32, 6)):
        H = round(p**3 / 60)
        theta = 1 + 15 * H / p**3
        sigma2 = Fraction((0.3 / p**5) ** (1 / 3)).limit_denominator(10**9)
        time = 0.02 / float(sigma2) ** 2
        seen = simulate(
            signs, at={"p": p, "H": H, "sigma2": sigma2, "T": 1}, times=[0, time], runs=runs, seed=2
        )
        solved = solve_ivp(
            lambda t, u, p=p, theta=theta: 6 * (u**5 - theta * p**5 * u**11),
            (0, time),
            [sqrt(sigma2)],
            rtol=1e-12,
            atol=1e-15,
        )
        u = solved.y[0, -1]
        unit = 2 * theta * p**4 / H
        theory = H * (theta * p**6 * u**12 / 2 - p * u**6) * unit
        deviations.append(theory - (seen.mean[1] - p / 2) * unit)
        assert seen.standard_error[1] * unit < deviations[-1] / 4
    assert deviations[0] < 0.06 and deviations[-1] < 0.015
    for larger, smaller in pairwise(deviations):
        assert larger / smaller == pytest.approx(2, abs=0.7)


def test_the_plateau_of_descent_from_signs(triangle: Solution) -> None:
    at = {"p": Fraction(16), "H": Fraction(26), "sigma2": Fraction(1, 100), "T": Fraction(1)}
    plateau = 8 - 26 / (2 * _theta(16, 26) * 16**2)
    assert triangle.at(at)(1e6) == pytest.approx(plateau, abs=1e-9)


def test_the_deviation_of_runs_from_signs_falls_like_one_over_p(triangle: Solution) -> None:
    """At p^3 sigma^4 = 0.3, H = p^2/10 and tau sigma^2 = 0.06."""
    deviations = []
    for p, runs in ((16, 40), (32, 12)):
        H = round(p * p / 10)
        sigma2 = Fraction(sqrt(0.3 / p**3)).limit_denominator(10**9)
        at = {"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": Fraction(1)}
        time = 0.06 / float(sigma2)
        seen = simulate(SIGNS, at=at, times=[0, time], runs=runs, seed=2)
        unit = 2 * _theta(p, H) * p**2 / H
        theory = float(triangle.at(at)(time))
        assert (theory - p / 2) * unit == pytest.approx(-0.8835, abs=1e-3)
        deviations.append((theory - seen.mean[1]) * unit)
        assert seen.standard_error[1] * unit < 0.003
    assert 0 < deviations[1] < deviations[0] < 0.06
    assert deviations[0] / deviations[1] == pytest.approx(2, abs=0.5)


@pytest.mark.parametrize("order", [4, 6])
def test_uniform_entries_diverge_when_the_largest_of_them_does(order: int) -> None:
    """1 = nu (nu - 2) sigma^(nu - 2) psi M^(nu - 2), M^2 = 3, on the edge theta = 1."""
    p, H, sigma2 = AT["p"], AT["H"], float(AT["sigma2"])
    z = f"z{order}"
    problem = SiteProblem.from_potential(
        Polynomial.parse(f"1/2*H**{1 - order}*z2**{order} - {z}"),
        weight=Polynomial.parse("p*H"),
        variances=(Polynomial.parse("sigma2"),),
        constant=Polynomial.parse("1/2*p"),
        law=UNIFORM,
    )
    loss = site_solution(problem, title="uniform", regime="E-A").at(AT)

    nu, size = order, float(p)
    nodes, weights = leggauss(2000)
    v, w = nodes * sqrt(3), weights / 2

    def moment(psi: float, log_phi: float, m: int) -> float:
        distance = 1 - nu * (nu - 2) * sigma2 ** (nu / 2 - 1) * psi * v ** (nu - 2)
        power = m / (nu - 2)
        mean = float(np.sum(w * v**m * distance**-power))
        return size * sigma2 ** (m / 2) * np.exp(power * log_phi) * mean

    def rates(t: float, y: np.ndarray) -> list[float]:
        return [-nu * (nu - 2) * moment(y[1], y[0], 2) ** (nu - 1), float(np.exp(y[0]))]

    def left(t: float, y: np.ndarray) -> float:
        return 1 - nu * (nu - 2) * sigma2 ** (nu / 2 - 1) * y[1] * 3 ** (nu / 2 - 1)

    left.terminal = True  # type: ignore[attr-defined]
    solved = solve_ivp(
        rates, (0, 1e9), [0.0, 0.0], events=left, rtol=1e-11, atol=1e-13, dense_output=True
    )
    end = float(solved.t_events[0][0])
    half = solved.sol(end / 2)
    expected = size / 2 + float(H) * (
        moment(half[1], half[0], 2) ** nu / 2 - moment(half[1], half[0], nu)
    )
    assert loss.domain.stop == pytest.approx(end, rel=1e-5)
    assert loss(end / 2) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(DiagflowError, match="reaches infinity"):
        loss(1.01 * end)


def test_signs_need_no_quadrature() -> None:
    nodes, weights = RADEMACHER.rule(1, coarse=False)
    assert nodes.tolist() == [[-1.0, 1.0]] and weights.tolist() == [0.5, 0.5]
    for moments, kept in (([(2,), (4,)], [[1.0]]), ([(3,)], [[-1.0, 1.0]])):
        half, whole = folded(nodes, weights, moments, (False,))
        assert half.tolist() == kept and whole.sum() == 1
