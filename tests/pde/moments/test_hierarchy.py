"""Moment hierarchies against the particle: by hand, in series and by direct integration."""

from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest
from flint import fmpq, fmpq_series

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.moments.hierarchy import ContractedLoss, MomentSeries, gaussian_moments
from pde.moments.particles import blow_up, integrate
from pde.numerics.gaussian_quadrature import QuadratureError


def test_a_linear_drift() -> None:
    """l = z2/2: every coordinate decays as exp(-tau), z_m as exp(-m tau)."""
    series = MomentSeries(ContractedLoss.parse("1/2*z2"), gaussian_moments(weight="p"))
    for m in (2, 4, 6):
        for n in range(6):
            exact = Fraction((-m) ** n * prod(range(1, m, 2)), factorial(n))
            assert series.moment((m,), n) == Polynomial({(("p", 1), ("sigma2", m // 2)): exact})


@pytest.mark.parametrize("order", [4, 6])
def test_the_overlap_alone_is_a_binomial_series(order: int) -> None:
    """v(s) = v (1 - k s v^{nu-2})^{-1/(nu-2)}, k = nu (nu-2), averaged term by term."""
    series = MomentSeries(ContractedLoss.parse(f"-z{order}"), gaussian_moments(variance=1))
    gap, k = order - 2, order * (order - 2)
    for m in (2, order):
        for n in range(6):
            exponent = Fraction(m, gap)
            rising = prod((exponent + j for j in range(n)), start=Fraction(1))
            exact = rising * k**n / factorial(n) * prod(range(1, m + n * gap, 2))
            assert series.moment((m,), n) == Polynomial({(): exact})


def test_two_colours_turn_hyperbolically() -> None:
    series = MomentSeries(ContractedLoss.parse("-1*z1_1"), gaussian_moments(variance=1))
    for n in range(8):
        cosh = Fraction(2**n, factorial(n)) if n % 2 == 0 else Fraction(0)
        sinh = Fraction(2**n, factorial(n)) if n % 2 else Fraction(0)
        assert series.moment((2, 0), n) == Polynomial({(): cosh})
        assert series.moment((1, 1), n) == Polynomial({(): sinh})


def test_permuted_colours_are_equivalent() -> None:
    loss = ContractedLoss.parse("1/2*z2_0_0*z0_2_0*z0_0_2 - z1_1_1")
    one = MomentSeries(loss, gaussian_moments(weight="p"))
    other = MomentSeries(loss, gaussian_moments(weight="p"), symmetric=True)
    assert [one.output(n) for n in range(6)] == [other.output(n) for n in range(6)]


def test_the_shared_drift_in_formal_series() -> None:
    """Scale and time changes of `pde.moments.common_drift` in exact power series, for ASYM 3."""
    order, number = 3, 9
    w, theta = 1, 1
    bare = MomentSeries(
        ContractedLoss.parse("-1*z1_1_1"), gaussian_moments(variance=1), symmetric=True
    )
    A, C = (
        fmpq_series(
            [
                fmpq(c.numerator, c.denominator)
                for c in (bare.moment(m, n).coefficient() for n in range(number))
            ],
            prec=number,
        )
        for m in ((2, 0, 0), (1, 1, 1))
    )
    bracket = 1 + order * theta * (A ** (order - 1)).integral()
    # (bracket^{1/3}) by exp(log/3), exact; the time is its integral.
    root = (bracket.log() / order).exp()
    clock = root.integral()
    s = clock.reversion()
    chi2 = (-bracket.log() * 2 / order).exp()
    a = (chi2 * A)(s) * w
    c = (C / bracket)(s) * w
    full = MomentSeries(
        ContractedLoss.parse("1/2*z2_0_0*z0_2_0*z0_0_2 - z1_1_1"),
        gaussian_moments(variance=1),
        symmetric=True,
    )
    loss = a**order / 2 - c
    for n in range(number - 1):
        expected = full.output(n).coefficient()
        assert loss[n] == fmpq(expected.numerator, expected.denominator)


def test_taylor_polynomial_meets_direct_integration() -> None:
    loss = ContractedLoss.parse("1/2*z2_0*z0_2 - z1_1")
    series = MomentSeries(loss, gaussian_moments(weight="p"))
    values = [float(series.output(n).evaluate(p=3, sigma2=Fraction(1, 10))) for n in range(30)]
    times = [0.0, 0.2, 0.4]
    path = integrate(loss, weight=3.0, variance=0.1, parameters={}, times=times)
    exact = [np.polyval(values[::-1], t) for t in times]
    assert np.max(np.abs(path.loss - exact)) < 1e-9
    assert path.error < 1e-9


def test_a_particle_that_runs_away_is_refused() -> None:
    loss = ContractedLoss.parse("-1*z4")
    with pytest.raises(QuadratureError, match="unbounded"):
        integrate(loss, weight=1.0, variance=1.0, parameters={}, times=[0.0, 1.0])


@pytest.mark.parametrize(
    ("text", "times", "match"),
    [
        ("theta*z2", [0.0, 1.0], "no value for theta"),
        ("z2", [1.0, 2.0], "start at 0"),
        ("z2", [0.0, 1.0, 0.5], "monotone"),
        ("z1_1_1_1", [0.0, 1.0], "4 colours"),
        ("z3", [0.0, 1.0], "odd moments"),
    ],
)
def test_refusals(text: str, times: list[float], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        integrate(ContractedLoss.parse(text), weight=1.0, variance=1.0, parameters={}, times=times)


def test_a_loss_needs_one_number_of_colours() -> None:
    with pytest.raises(InvalidInputError, match="one number of colours"):
        ContractedLoss.parse("z2 - z1_1")


def test_no_blow_up_is_found_where_there_is_none() -> None:
    found = blow_up(
        lambda t: ((3 - t) ** -0.75 + 1, 0.75 * (3 - t) ** -1.75),
        start=1.0,
        relative_tolerance=1e-8,
    )
    assert abs(found.time - 3) < 1e-6
    with pytest.raises(InvalidInputError, match="none is approached"):
        blow_up(
            lambda t: (np.exp(t), np.exp(t) * (1 + 0.1 * np.sin(t))),
            start=0.0,
            relative_tolerance=1e-12,
        )
