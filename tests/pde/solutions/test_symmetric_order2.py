"""SYM of order 2: the triangle to rounding, against many digits and a second route."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.regimes import Regimes, regimes
from pde.evolution import LossEvolution
from pde.solutions.symmetric_order2 import triangle_loss
from pde.solving import solution, solve

TIMES = (0.0, 1e-8, 1e-3, 0.1, 1.0, 4.7, 10.0, 150.0, 250.0, 1e3)
RATIOS = (Fraction(1, 8), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(8))
SCALES = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1), Fraction(16), Fraction(1000))
FACES = ("A-B-E", "A-B", "B-E", "E-A", "A", "B", "E")


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=2, symmetric=True), terms=8)


def published(y: Fraction, z: Fraction, tau: float, *, digits: int) -> mpmath.mpf:
    """E[L]/p as the literature writes it: the Hadamard product with the Narayana function h."""
    with mpmath.workdps(digits):
        y_, z_, x = mpmath.mpf(y.numerator) / y.denominator, _mpf(z), -mpmath.mpf(tau)
        if tau == 0:
            return mpmath.mpf(1) / 2 - z_ * y_ + z_**2 * y_ * (1 + y_) / 2
        Z = z_ * (1 - mpmath.exp(-4 * x))
        root = mpmath.sqrt(1 - 2 * Z * (y_ + 1) + Z**2 * (y_ - 1) ** 2)
        h = (1 - Z * (y_ + 1) - root) / (2 * Z**2)
        slope = (-(y_ + 1) - (-(y_ + 1) + Z * (y_ - 1) ** 2) / root) / (2 * Z**2) - 2 * h / Z
        psi = z_ * mpmath.exp(-8 * x) * slope / 2 - mpmath.exp(-4 * x) * h
        return mpmath.mpf(1) / 2 + z_ * psi


def _mpf(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


@pytest.mark.parametrize(("y", "z"), list(product(RATIOS, SCALES)))
def test_the_triangle_is_accurate_to_rounding(y: Fraction, z: Fraction) -> None:
    for tau in TIMES:
        # Enough digits to survive the cancellation of the published form.
        exact = published(y, z, tau, digits=60 + (int(16 * tau) if tau > 20 else 200))
        value = triangle_loss(float(y), float(z), np.array([tau]))[0]
        if abs(exact) > 1e-300:
            assert abs(mpmath.mpf(value) - exact) <= 1e-12 * abs(exact)
        else:
            assert value == 0.0


@pytest.mark.parametrize("digits", [15, 30, 60])
def test_formula_and_published_form_agree(found: Regimes, digits: int) -> None:
    evolution = solve(found, "A-B-E", at={"p": 100, "H": 50, "sigma2": Fraction(1, 50)})
    for tau in (Fraction(1, 1000), Fraction(1, 3), Fraction(5)):
        with mpmath.workdps(digits + 5):
            exact = 100 * published(Fraction(1, 2), Fraction(2), float(tau), digits=200)
            mine = evolution.precise(Fraction(float(tau)), digits)
            assert abs(mine - exact) <= abs(exact) * mpmath.mpf(10) ** (1 - digits)


@pytest.mark.parametrize("y", [0.5, 1.0, 3.0])
def test_average_over_eigenvalues(y: float) -> None:
    """The second route: half the average over the Marchenko-Pastur law of the eigenvalues."""
    z = 0.7
    for tau in (0.0, 0.2, 1.5):
        grown = math.exp(4 * tau)

        def weight(theta: mpmath.mpf, grown: float = grown) -> mpmath.mpf:
            mu = z * (1 + y + 2 * mpmath.sqrt(y) * mpmath.cos(theta))
            if mu == 0:
                return mpmath.mpf(0)
            density = 2 * z * y * mpmath.sin(theta) ** 2 / (mpmath.pi * mu)
            return density * ((1 - mu) / (1 - mu + mu * grown)) ** 2

        with mpmath.workdps(40):
            average = mpmath.quad(weight, [0, mpmath.pi / 2, mpmath.pi])
        expected = (average + max(1 - y, 0)) / 2
        assert triangle_loss(y, z, np.array([tau]))[0] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("name", FACES)
def test_certificates_cover_all_known_coefficients(found: Regimes, name: str) -> None:
    certificate = solution(found, name).certificate
    assert certificate.compared == tuple(range(9))
    assert certificate.holds


@pytest.mark.parametrize("name", ["A-B", "A", "B"])
def test_free_evolution_of_the_zero_target(name: str) -> None:
    free = regimes(cp(order=2, symmetric=True, target="zero"), terms=6)
    assert solution(free, name).certificate.matched == tuple(range(7))


@pytest.mark.parametrize("name", FACES)
def test_evaluators_agree_with_their_formulas(found: Regimes, name: str) -> None:
    evolution = solve(
        found, name, at={"p": 40, "H": 30, "sigma2": Fraction(1, 60), "T": Fraction(3, 2)}
    )
    # As it stands, also where the loss would be negative.
    evolution = replace(evolution, curve=evolution.solution.curve(evolution.parameters))
    for t in (-0.03, 0.0, 0.01, 0.4, 2.0):
        exact = evolution.precise(t, 30)
        assert float(evolution(t)) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize(("p", "H"), [(100, 40), (100, 100), (100, 300)])
def test_what_the_latent_space_cannot_represent_remains(found: Regimes, p: int, H: int) -> None:
    evolution = solve(found, "A-B-E", at={"p": p, "H": H, "sigma2": Fraction(1, 100)})
    assert evolution.limit() == max((p - H) / 2, 0)
    assert float(evolution(1e3)) == max((p - H) / 2, 0)
    assert float(evolution(30.0)) == pytest.approx(max((p - H) / 2, 0), abs=1e-9)


def test_ascent_ends_where_the_largest_eigenvalue_blows_up(found: Regimes) -> None:
    at = {"p": 100, "H": 100, "sigma2": Fraction(1, 100)}
    evolution = solve(found, "A-B-E", at=at)
    start = math.log(1 - 1 / 4) / 4  # the edge of the spectrum is 4
    assert evolution.domain.start == pytest.approx(start)
    assert np.all(np.isfinite(evolution(np.linspace(0.999 * start, 0, 5))))
    assert float(evolution(0.9999 * start)) > 1e3
    with pytest.raises(InvalidInputError, match=r"holds for t > -0.0719.*blown up"):
        evolution(1.001 * start)
    calm = solve(found, "A-B-E", at={**at, "sigma2": Fraction(1, 500)})
    assert calm.limit(past=True) == 50
    assert float(calm(-20.0)) == pytest.approx(50)


def test_arrays_keep_their_shape(found: Regimes) -> None:
    evolution: LossEvolution = solve(found, "A-B-E", at={"p": 10, "H": 5, "sigma2": 1})
    times = np.linspace(0, 1, 12).reshape(3, 4)
    assert evolution(times).shape == (3, 4)
    assert evolution(0.5).shape == ()
    assert float(evolution(times)[2, 3]) == float(evolution(1.0))


def test_bad_numbers_are_refused(found: Regimes) -> None:
    with pytest.raises(InvalidInputError, match="no value for sigma2"):
        solve(found, "A", at={"p": 1, "H": 1})
    with pytest.raises(InvalidInputError, match="'N': is not a symbol"):
        solve(found, "A", at={"p": 1, "H": 1, "sigma2": 1, "N": 3})
    with pytest.raises(InvalidInputError, match="T = 0"):
        solve(found, "A", at={"p": 1, "H": 1, "sigma2": 1, "T": 0})
    with pytest.raises(InvalidInputError, match=r"regime .C..*A, B, E"):
        solve(found, "C", at={"p": 1, "H": 1, "sigma2": 1})
    evolution = solve(found, "A-B-E", at={"p": 1, "H": 1, "sigma2": 1})
    with pytest.raises(InvalidInputError, match="not a finite number"):
        evolution([0.0, math.nan])
