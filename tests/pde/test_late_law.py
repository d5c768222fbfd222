"""Closed sums with the first terms apart: found, confirmed, evaluated, and refused if changed."""

from dataclasses import replace
from fractions import Fraction
from math import factorial

import mpmath
import numpy as np
import pytest
import sympy

from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import Regimes, regimes
from pde.curve_check import check_solution
from pde.evolution import Method, Origin
from pde.late_law import ColumnLaw, column_law, late_law_solution
from pde.solving import solution
from pde.taylor import symbol

p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))


@pytest.fixture(scope="module")
def odd() -> Regimes:
    return regimes(cp(order=3, symmetric=True), terms=5)


def test_the_free_vertex_and_its_edge_of_odd_symmetric_order(odd: Regimes) -> None:
    """The kernel has one eigenvalue 6pHσ⁴ and others that are smaller by 1/p."""
    x = p * H * sigma2**2 * t / T
    late = sympy.exp(-6 * x) * sympy.Rational(3, 2) - sympy.Rational(3, 2) - 18 * x
    expected = {
        "B": H * p**2 * sigma2**3 * (p / 2 + late),
        "B-C": (1 + H * p**2 * sigma2**3) * (p / 2 + late),
    }
    for name, formula in expected.items():
        solved = solution(odd, name)
        assert sympy.expand(solved.formula - formula) == 0
        assert any(step.title.startswith("Recurrence from") for step in solved.derivation)
        assert not any("\\" in step.text for step in solved.derivation)
        assert (solved.method, solved.origin) == (Method.CLOSED_FORM, Origin.DERIVED)
        assert solved.certificate.matched == (0, 1, 2, 3, 4, 5)
        assert check_solution(solved).holds


def test_every_changed_coefficient_takes_the_law_away(odd: Regimes) -> None:
    """Of those that the law is made of; the others are apart, and certified one by one."""
    rows = [solution(odd, "B").coefficients(6)[s] for s in range(6)]
    for s in range(2, 6):
        wrong = [row * Fraction(21, 20) if s == k else row for k, row in enumerate(rows)]
        with pytest.raises(InvalidInputError, match="not few monomials with"):
            late_law_solution("a problem", odd["B"], wrong)


def test_a_changed_law_is_refused(odd: Regimes, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(numbers: list[Fraction]) -> ColumnLaw | None:
        law = column_law(numbers)
        return None if law is None else replace(law, gamma=law.gamma * Fraction(51, 50))

    rows = solution(odd, "B-C").coefficients(6)[:6]
    monkeypatch.setattr("pde.late_law.column_law", changed)
    changed_solution = late_law_solution("a problem", odd["B-C"], rows)
    assert not changed_solution.certified(rows).certificate.holds


@pytest.mark.parametrize("start", [0, 1, 2, 4])
@pytest.mark.parametrize(
    ("beta", "gamma"), [(0, -6), (-4, -6), (Fraction(-1, 3), 5), (2, 7), (-2, Fraction(-5, 3))]
)
def test_laws_of_any_start_are_found_and_evaluated(
    start: int, beta: Fraction, gamma: Fraction
) -> None:
    law = ColumnLaw(
        tuple(Fraction((-3) ** s, s + 2) for s in range(start)),
        Fraction(7, 4),
        Fraction(beta),
        Fraction(gamma),
    )
    x = sympy.Symbol("x")
    numbers = [
        Fraction(int(c.p), int(c.q))
        for c in (
            sympy.diff(law.formula(x), x, s).subs(x, 0) / sympy.factorial(s)
            for s in range(start + 5)
        )
    ]
    assert numbers[:start] == list(law.head) and column_law(numbers) == law
    # One coefficient less leaves something unconfirmed; one that is changed confirms nothing.
    assert column_law(numbers[: start + (3 if beta == 0 else 4)]) is None
    wrong = [*numbers[:-1], numbers[-1] * Fraction(101, 100)]
    assert column_law(wrong) is None
    scale = 1 / max(abs(float(beta)), abs(float(gamma)))
    points = np.array([-0.9, -0.4, -1e-3, 0.0, 1e-9, 0.3, 0.9]) * scale
    formula = sympy.lambdify(x, law.formula(x), "mpmath")
    with mpmath.workdps(50):
        exact = [float(formula(mpmath.mpf(float(point)))) for point in points]
    np.testing.assert_allclose(law(points), exact, rtol=1e-12)


def test_columns_without_a_law() -> None:
    factorials = [Fraction(factorial(s)) ** 2 for s in range(9)]
    assert column_law(factorials) is None
    # log(1 + x): the power law before its first term has none.
    logarithm = [Fraction(0), *(Fraction((-1) ** (s + 1), s) for s in range(1, 9))]
    assert column_law(logarithm) is None
    # One zero at the end may be a parity.
    assert column_law([Fraction(n) for n in (1, 2, 0)]) is None


@pytest.mark.parametrize(
    ("beta", "stop", "limit"), [(Fraction(-2), np.inf, 21.0), (Fraction(1, 2), 2.0, None)]
)
def test_domain_and_limit(odd: Regimes, beta: Fraction, stop: float, limit: float | None) -> None:
    """p/2 aside, and a power law: where it ends, and what it tends to."""
    at = {"p": Fraction(42), "H": Fraction(1, 42), "sigma2": Fraction(1), "T": Fraction(1)}
    gamma = -abs(beta) if beta < 0 else Fraction(1)
    terms = [Fraction(1)]
    for s in range(1, 7):
        terms.append(terms[-1] * (beta * (s - 1) + gamma))
    x = Polynomial.parse("p*H*sigma2**2")
    rows, power = [], Polynomial({(): 1})
    for s, c in enumerate(terms):
        rows.append((Polynomial.parse("1/2*p + 1") if s == 0 else Polynomial({(): c})) * power)
        power = power * x
    solved = late_law_solution("a problem", odd["B"], rows)
    curve = solved.curve(at)
    assert curve.domain.stop == pytest.approx(stop) and curve.limits == (None, limit)
    moved = 21 + (1 - float(beta) * 0.7) ** float(-gamma / beta)
    assert curve.evaluate(np.array([0.7]))[0] == pytest.approx(moved, rel=1e-13)


def test_ends_alone_and_many_columns_are_no_law(odd: Regimes) -> None:
    only = [Polynomial.parse("p"), *[Polynomial()] * 5]
    with pytest.raises(InvalidInputError, match="expand more terms"):
        late_law_solution("a problem", odd["B"], only)
    many = [Polynomial({(("p", k),): 1 for k in range(20)}), *only[1:]]
    with pytest.raises(InvalidInputError, match="expand more terms"):
        late_law_solution("a problem", odd["B"], many)
    with pytest.raises(InvalidInputError, match="expand more terms"):
        late_law_solution("a problem", odd["D"], only)
