"""Modular addition of order 3: complex particles against exact coefficients and runs."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
import pytest

from diagflow import simulate
from diagrams.flow import Flow
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import Regimes, regimes
from expansion.series import loss_series
from pde.solutions.modular_addition import complex_moments, mean_field_taylor, narrow_latent_taylor
from pde.solving import solution

PROBLEM = cp(order=3, target="modular-addition")


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(PROBLEM, terms=4)


@pytest.mark.parametrize("regime", ["D", "E", "D-E", "C-D", "E-A"])
def test_the_complex_particle_is_certified(found: Regimes, regime: str) -> None:
    certificate = solution(found, regime).certificate
    assert certificate is not None
    assert certificate.matched == certificate.compared == (0, 1, 2, 3, 4)


def test_moments_of_the_particle_are_averages_of_complex_numbers() -> None:
    """g_1 and g_3 written out, averaged over complex Gaussian numbers."""
    generator = np.random.default_rng(5)
    a, b, c = generator.standard_normal((3, 2, 400_000)) / np.sqrt(2)
    a, b, c = (x[0] + 1j * x[1] for x in (a, b, c))
    A, B, C, overlap = abs(a) ** 2, abs(b) ** 2, abs(c) ** 2, (a * b * c.conj()).real
    first = A * B + B * C + C * A
    third = 4 * (first * (A + B + C) + 6 * overlap**2)
    for n, sample in ((1, first), (3, third)):
        error = sample.std() / np.sqrt(len(sample))
        assert sample.mean() == pytest.approx(float(complex_moments(n)), abs=5 * error)


def test_the_target_alone_gives_the_lowest_coefficients() -> None:
    """(-1)^s E[(R * R) * ... * R] of exact diagrams: 72 and not 108, and 4608."""
    flow = Flow(PROBLEM.overlap, PROBLEM.overlap)
    for s, leading in ((1, 3), (3, 72), (5, 4608)):
        value = Polynomial(flow.expectation(s))
        power = (s + 3) // 2
        found = {m: c for m, c in value if dict(m)["p"] == power}
        monomial = (("H", 1), ("p", power), ("sigma2", power))
        assert found == {monomial: Fraction(-leading)}
        assert complex_moments(s) == leading


def test_a_real_particle_would_be_larger() -> None:
    real, complex_ = loss_series(cp(order=3))[3], loss_series(PROBLEM)[3]
    assert dict(real)[("H", 1), ("p", 1), ("sigma2", 3)] == -108
    assert dict(complex_)[("H", 1), ("p", 3), ("sigma2", 3)] == -72


def test_both_edges_begin_alike() -> None:
    for wide, narrow, _ in zip(mean_field_taylor(), narrow_latent_taylor(), range(6), strict=False):
        lowest = {m: c for m, c in wide if dict(m).get("H", 0) == 1}
        assert lowest.items() <= dict(narrow).items()


def test_runs_of_a_wide_network_follow_it() -> None:
    """kappa = 1, to a time at which ten coefficients are enough; deviations of order 1/p."""
    p, H = 13, 3000
    sigma2 = Fraction((p**0.5 / H) ** (2 / 3)).limit_denominator(10**9)
    values = {"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2}
    end = 0.1 / (p * float(sigma2)) ** 0.5
    rows = [
        float(row.evaluate(**values))
        for row, _ in zip(mean_field_taylor(), range(10), strict=False)
    ]
    terms = [row * end**n / factorial(n) for n, row in enumerate(rows)]
    assert abs(terms[-1]) < 1e-3 * terms[0]
    seen = simulate(PROBLEM, at=values | {"T": Fraction(1)}, times=[0, end], runs=2, seed=4)
    start, theory = terms[0], sum(terms)
    assert theory < 0.6 * start
    assert np.allclose(seen.mean, [start, theory], atol=0.06 * start)
