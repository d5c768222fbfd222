"""Leading dynamics under other drives, against equations of motion that are written by hand."""

from fractions import Fraction
from math import comb

import sympy as sp
from scipy.integrate import solve_ivp

from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes, regimes
from pde.solving import solution

SYM = cp(order=2, symmetric=True)
p, H, sigma2, a, r, v, eta, tau, lam, gamma = sp.symbols(
    "p H sigma2 a r v eta tau lambda gamma", positive=True
)


def leading(found: Regimes, regime: Regime, s: int) -> sp.Expr:
    """The leading part of Y_s, without the term of the target alone."""
    if s not in found.polyhedra:
        return sp.Integer(0)
    return LeadingSeries(found, regime)[s].to_sympy()


def regime_of(found: Regimes, *conditions: str) -> Regime:
    """The regime of these conditions and no others."""
    (regime,) = (r for r in found if {str(c) for c in r.conditions} == {*conditions})
    return regime


def whole(found: Regimes) -> Regime:
    """The regime in which all that can be is of order one."""
    return max(found, key=lambda regime: regime.dimension)


def spectral_moment(k: int) -> sp.Expr:
    """The leading mean of Tr (W^T W)^k, by Narayana numbers (Marchenko and Pastur)."""
    if k == 0:
        return p
    narayana = (sp.Rational(comb(k, i) * comb(k, i - 1), k) for i in range(1, k + 1))
    return sigma2**k * sum(n * H**i * p ** (k + 1 - i) for i, n in enumerate(narayana, start=1))


def mean_over_spectrum(function: sp.Expr) -> sp.Expr:
    powers = sp.Poly(sp.expand(function), a).terms()
    return sum(c * spectral_moment(k) for (k,), c in powers)


def motion(start: sp.Expr, fields: dict[sp.Symbol, sp.Expr], last: int) -> list[sp.Expr]:
    """A function of the state and its derivatives along a vector field."""
    result = [start]
    for _ in range(last):
        result.append(sum(sp.diff(result[-1], x) * speed for x, speed in fields.items()))
    return result


def assert_equal(found: Regimes, regime: Regime, expected: list[sp.Expr]) -> None:
    for s, value in enumerate(expected):
        difference = leading(found, regime, s) - value
        if not s:
            difference += p / 2  # of the target alone
        assert sp.expand(difference) == 0, s


def loss_of(square: sp.Expr) -> sp.Expr:
    return (1 - square) ** 2 / 2


def test_an_eigenvalue_under_weight_decay() -> None:
    """a' = 4a(1 - lambda/2 - a) from the law of Marchenko and Pastur, for s up to 4."""
    found = regimes(SYM.driven_by("train + lambda*weight-norm"), terms=4)
    field = {a: 4 * a * (1 - lam / 2 - a)}
    expected = [mean_over_spectrum(d) for d in motion(loss_of(a), field, 4)]
    assert_equal(found, whole(found), expected)


def test_an_eigenvalue_after_a_step() -> None:
    """a becomes a (1 + 2 eta (1 - a))^2."""
    found = regimes(SYM.driven_by(step="eta"), terms=1)
    after = loss_of(a * (1 + 2 * eta * (1 - a)) ** 2)
    assert_equal(found, whole(found), [mean_over_spectrum(loss_of(a)), mean_over_spectrum(after)])


def test_an_eigenvalue_after_two_steps() -> None:
    """The same map twice, of degree 18 in the weights, averaged over the start."""
    found = regimes(SYM.driven_by(step="eta"), terms=2)

    def moved(x: sp.Expr) -> sp.Expr:
        return x * (1 + 2 * eta * (1 - x)) ** 2

    expected = [mean_over_spectrum(loss_of(x)) for x in (a, moved(a), moved(moved(a)))]
    assert_equal(found, whole(found), expected)


def wide(problem: Problem, terms: int, *more: str) -> tuple[Regimes, Regime]:
    """Where H >> p: all eigenvalues begin at H sigma2."""
    found = regimes(problem, terms=terms)
    return found, regime_of(found, "H*sigma2 ~ 1", "H/p -> oo", *more)


def test_wide_weights_under_noise() -> None:
    """All eigenvalues obey a' = 4a(1 - a) + 2 tau H, for s up to 5."""
    found, regime = wide(SYM.driven_by(temperature="tau"), 5, "H*tau ~ 1")
    field = {a: 4 * a * (1 - a) + 2 * tau * H}
    expected = [p * d.subs(a, H * sigma2) for d in motion(loss_of(a), field, 5)]
    assert_equal(found, regime, expected)


def test_a_wide_heavy_ball() -> None:
    """A column of W moves along itself: r'' = -gamma r' + 2r(1 - r^2), a = r^2, for s up to 6."""
    found, regime = wide(SYM.driven_by(momentum="gamma"), 6, "gamma ~ 1")
    field = {r: v, v: -gamma * v + 2 * r * (1 - r**2)}
    square = sp.sqrt(H * sigma2)
    derivatives = motion(loss_of(r**2), field, 6)
    assert_equal(found, regime, [p * d.subs({v: 0, r: square}) for d in derivatives])


def test_the_natural_times_of_momentum() -> None:
    """The friction, or the root of the rate of the flow; the wall is where they are equal."""
    found = regimes(SYM.driven_by(momentum="gamma"), terms=6)
    for regime in found:
        if regime.dimension:
            continue
        conditions = {str(c) for c in regime.conditions}
        time = dict(regime.natural_time)
        if "gamma" in time:
            assert time == {"gamma": 1}
            assert any(c.startswith("gamma") and c.endswith("-> oo") for c in conditions)
        else:
            assert {*time.values()} <= {Fraction(1, 2)}
            assert any(c.startswith("gamma") and c.endswith("-> 0") for c in conditions)


def test_noise_is_derived_and_integrated() -> None:
    """The loss of wide weights by their cores against a' = 4a(1 - a) + 2 tau H, integrated."""
    found, regime = wide(SYM.driven_by(temperature="tau"), 5, "H*tau ~ 1")
    at = {"p": 10.0, "H": 1000.0, "sigma2": 0.0005, "tau": 0.001, "T": 1.0}
    curve = solution(found, regime.name).at(at)
    times = [0.005, 0.01, 0.02]
    path = solve_ivp(
        lambda t, y: 4 * y * (1 - y) + 2.0, (0, 0.02), [0.5], t_eval=times, rtol=1e-10, atol=1e-12
    ).y[0]
    assert curve.solution.origin == "derived" and curve.certificate.holds
    for t, value in zip(times, path, strict=True):
        assert abs(float(curve(t)) - 5 * (1 - value) ** 2) < 1e-6


def test_small_untied_factors_under_momentum_have_period_four() -> None:
    """U'' = V, V'' = U: E U.V = pH sigma^2 (cosh^2 t - cos^2 t)/2, of which every fourth term is
    not zero."""
    found = regimes(cp(order=2).driven_by(momentum="gamma"))
    assert found.period == 4 and found.exponents.last == 11

    def with_conditions(*conditions: str) -> Regime:
        (regime,) = (r for r in found if {str(c) for c in r.conditions} == {*conditions})
        return regime

    assert with_conditions("gamma ~ 1", "H*sigma2 -> 0", "p*sigma2 -> 0").natural_time == ()
    still = with_conditions("gamma -> 0", "gamma**2/(H*sigma2) -> oo", "gamma**2/(p*sigma2) -> oo")
    assert still.natural_time == () and still.decided
    leading, unit = LeadingSeries(found, still), Polynomial.parse("p*H*sigma2")
    assert leading[2] == unit * -2 and leading[6] == unit * -32
    assert solution(found, still.name).certificate.matched == (0, 2, 6, 10)
