"""Free evolution of CP models: published formulas, certificates, and power laws of new problems."""

from fractions import Fraction
from math import factorial, prod

import pytest

from expansion.models import cp
from expansion.regimes import regimes
from pde.evolution import Method
from pde.recurrences.recurrence import Recurrence
from pde.solutions.free_evolution import free_evolution
from pde.solver import CpModel
from pde.solving import solution, solve

AT = {"p": Fraction(7), "H": Fraction(5), "sigma2": Fraction(1, 30), "T": Fraction(2)}


def published(order: int, *, symmetric: bool, regime: str, t: float) -> float:
    """The formulas of section 7, written anew."""
    p, H, T = 7.0, 5.0, 2.0
    sigma = (1 / 30) ** 0.5
    start = p**order * H * sigma ** (2 * order) / 2
    if not symmetric and regime == "B":
        return start * 2.718281828459045 ** (-2 * order * sigma ** (2 * order - 2) * H * t / T)
    pairings = prod(range(order - 1, 0, -2))
    theta = {"A": 1.0, "B": pairings * H / p ** (order / 2)}.get(
        regime, 1 + pairings * H / p ** (order / 2)
    )
    c = order if symmetric else 1
    rate = 2 * c * (order - 1) * theta * p ** (order - 1) * sigma ** (2 * order - 2) / T
    return float(start * theta * (1 + rate * t) ** (-order / (order - 1)))


@pytest.mark.parametrize(
    ("order", "symmetric", "regime", "terms"),
    [
        *((order, False, name, 4) for order in (2, 3, 4) for name in ("A", "B")),
        *((4, True, name, 4) for name in ("A", "B", "A-B")),
        *((6, True, name, 2) for name in ("A", "B", "A-B")),
    ],
)
@pytest.mark.parametrize("target", ["identity", "zero"])
def test_formulas_and_certificates(
    order: int, symmetric: bool, regime: str, terms: int, target: str
) -> None:
    found = regimes(cp(order=order, symmetric=symmetric, target=target), terms=terms)
    evolution = solve(found, regime, at=AT)
    assert evolution.method is Method.CLOSED_FORM
    assert evolution.certificate.matched == tuple(range(terms + 1))
    for t in (0.0, 0.3, 5.0):
        expected = published(order, symmetric=symmetric, regime=regime, t=t)
        assert float(evolution(t)) == pytest.approx(expected, rel=1e-12)
        assert float(evolution.precise(t, 40)) == pytest.approx(expected, rel=1e-12)
    assert evolution.limit() == 0
    words = "holds in" if symmetric else "confirmed at s = 3"
    assert any(words in step.text for step in evolution.derivation)


def test_a_wrong_rate_is_told_by_the_recurrence() -> None:
    face = free_evolution(CpModel(order=4, symmetric=True, target="zero"), "A")
    assert face is not None
    data = {
        (s, 0): Fraction(prod(-8 * (1 + 3 * k) for k in range(1, s + 1)), 2 * factorial(s))
        for s in range(6)
    }
    assert face.recurrence.check(data)
    terms = dict(face.recurrence.terms)
    wrong = Recurrence(indices=("s", "n"), terms={**terms, (-1, 0): terms[-1, 0] * 2})
    assert wrong.check(data).failures


def test_the_zero_target_and_the_identity_share_free_evolution() -> None:
    both = [
        solution(regimes(cp(order=3, target=target), terms=4), "A").formula
        for target in ("identity", "zero")
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(("order", "factor"), [(3, 6), (5, 10)])
def test_few_ranks_of_odd_symmetric_order_are_a_power_law(order: int, factor: int) -> None:
    """SYM of odd order, A: found by its recurrence, the flowers of even orders with c = ν."""
    found = regimes(cp(order=order, symmetric=True), terms=4)
    evolution = solve(found, "A", at=AT)
    assert evolution.certificate.matched == (0, 1, 2, 3, 4)
    p, H, sigma2, T = 7.0, 5.0, 1 / 30, 2.0
    rate = factor * (order - 1) * (p * sigma2) ** (order - 1) / T
    for t in (0.0, 0.7, 3.0):
        expected = H / 2 * (p * sigma2) ** order * (1 + rate * t) ** (-order / (order - 1))
        assert float(evolution(t)) == pytest.approx(expected, rel=1e-12)
