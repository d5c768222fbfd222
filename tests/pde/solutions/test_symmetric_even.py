"""SYM of even order by moments: certificates, thresholds, direct integration, asymptotics."""

import time
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.special import erfcx

from diagrams.errors import InvalidInputError
from expansion.models import cp
from pde.moments.common_drift import MeanFieldClock
from pde.moments.particles import blow_up, integrate
from pde.solutions.symmetric_even import SOLVERS, contracted_loss, critical_noise, shape

(SOLVER,) = SOLVERS


def solution(order: int, face: str = "A-B-E"):
    return SOLVER.derive(cp(order=order, symmetric=True), face, None)


def at(order: int, *, theta: Fraction, noise: float) -> dict[str, Fraction]:
    """Sizes with the given θ and p^{ν-1}σ^ν = noise · ρ*."""
    p = 64
    double_factorial = int(np.prod(range(1, order, 2)))
    rho = noise * critical_noise(order, float(theta))
    return {
        "p": Fraction(p),
        "H": (theta - 1) * p ** (order // 2) / double_factorial,
        "sigma2": Fraction((rho / p ** (order - 1)) ** (2 / order)),
        "T": Fraction(1),
    }


@pytest.mark.parametrize("face", ["A-B-E", "E-A", "B-E", "E"])
@pytest.mark.parametrize(("order", "terms"), [(4, 4), (6, 3)])
def test_the_certificate(face, order, terms, leading_series, leading_rows) -> None:
    leading = leading_series(order=order, symmetric=True, terms=terms, regime=face)
    problem = leading.regimes.exponents.problem
    assert SOLVER.applies(problem, face)
    derived = SOLVER.derive(problem, face, leading).certified(leading_rows(leading))
    assert derived.certificate.matched == tuple(range(terms + 1))


def test_order_4_has_the_printed_borel_sum() -> None:
    """F(a), the integral of exp(4au² - u) u over u > 0, in closed form for a < 0."""
    a = -np.logspace(-3, 6, 40)
    root = np.sqrt(-a)
    printed = -1 / (8 * a) + np.sqrt(np.pi) / (32 * a * root) * erfcx(1 / (4 * root))
    assert np.max(np.abs(shape(4).square(a) / printed - 1)) < 1e-9
    with mpmath.workdps(20):
        for s in (-0.01, -1, -30):
            exact = mpmath.quad(
                lambda u, s=s: mpmath.exp(4 * s * u * u - u) * u, [0, 0.1, 1, 10, 60]
            )
            overlap = mpmath.quad(
                lambda u, s=s: mpmath.exp(4 * s * u * u - u) * u**3 / 2, [0, 0.1, 1, 10, 90]
            )
            assert abs(shape(4).square(np.array(s)) / float(exact) - 1) < 1e-13
            assert abs(shape(4).overlap(np.array(s)) / float(overlap) - 1) < 1e-13


def test_critical_noise() -> None:
    assert abs(critical_noise(4) - 2.0778094484725803) < 1e-12
    assert abs(shape(4).integral - 0.03007975541065347) < 1e-15
    assert abs(critical_noise(6, 1.5) - 3.4668) < 5e-5
    assert critical_noise(4, 3.0) == pytest.approx(critical_noise(4) / 3, rel=1e-14)


@pytest.mark.parametrize("order", [4, 6, 8])
@pytest.mark.parametrize("noise", [0.9, 5.0])
def test_against_direct_integration_of_the_particle(order: int, noise: float) -> None:
    parameters = at(order, theta=Fraction(3, 2), noise=noise)
    evolution = solution(order).at(parameters)
    unit = shape(order).scale / float(parameters["sigma2"]) ** (order // 2 - 1)
    times = np.linspace(0, max(0.95 * evolution.domain.start, -20 * unit), 9)
    path = integrate(
        contracted_loss(order, "A-B-E"),
        weight=64.0,
        variance=float(parameters["sigma2"]),
        parameters={"theta": 1.5},
        times=times,
    )
    value = (evolution(times) - 32) / float(parameters["H"])
    scale = np.max(np.abs(path.loss))
    assert path.error < 1e-9 * max(1, scale)
    assert np.max(np.abs(value - path.loss)) < 1e-8 * scale


@pytest.mark.parametrize("order", [4, 6])
def test_low_noise_decays_to_the_target_alone(order: int) -> None:
    parameters = at(order, theta=Fraction(3, 2), noise=0.5)
    evolution = solution(order).at(parameters)
    assert evolution.domain.start == -np.inf
    assert evolution.limit(past=True) == 32
    drift = MeanFieldClock(shape(order), coupling=0.5 / shape(order).integral)
    far = -np.array([1e9, 4e9])
    _, overlap = drift.square_and_overlap(far)
    slope = np.log(overlap[1] / overlap[0]) / np.log(4)
    assert abs(slope + order / (order - 2)) < 1e-3


@pytest.mark.parametrize("order", [4, 6])
def test_high_noise_blows_up(order: int) -> None:
    parameters = at(order, theta=Fraction(3, 2), noise=2.0)
    evolution = solution(order).at(parameters)
    start = evolution.domain.start
    assert dict(evolution.curve.notes)["blow-up exponent"] == -order / (order - 1)

    def value_and_slope(t: float) -> tuple[float, float]:
        step = 1e-5 * (t - start)
        left, value, right = evolution([t - step, t, t + step])
        return value, (right - left) / (2 * step)

    found = blow_up(value_and_slope, start=0.99 * start, relative_tolerance=1e-7)
    assert abs(found.time / start - 1) < 1e-6
    assert abs(found.exponent - order / (order - 1)) < 0.01


def test_the_face_without_interaction_has_no_threshold() -> None:
    evolution = solution(4, "E").at({"p": 64, "H": 8, "sigma2": Fraction(1, 10), "T": 1})
    t = -np.array([0.0, 0.1, 3.0, 1e3])
    exact = 32 - 8 * 64 * 0.01 * shape(4).overlap(t / 10)
    assert np.max(np.abs(evolution(t) / exact - 1)) < 1e-12


def test_descent_is_refused_with_the_reason() -> None:
    evolution = solution(4).at(at(4, theta=Fraction(3, 2), noise=0.5))
    with pytest.raises(InvalidInputError, match=r"holds for t <= 0, .*formal series diverges"):
        evolution([0.0, 1e-6])


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_ten_thousand_times_take_less_than_a_second(noise: float) -> None:
    evolution = solution(4).at(at(4, theta=Fraction(3, 2), noise=noise))
    times = np.linspace(max(evolution.domain.start * 0.999, -1e3), 0, 10_000)
    begin = time.process_time()
    assert np.all(np.isfinite(evolution(times)))
    assert time.process_time() - begin < 1
