"""One bound for all times: where it answers it is right, and it answers where nothing cancels."""

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from expansion.models import cp
from expansion.regimes import regimes
from pde.numerics import certified
from pde.numerics.certified import PROVED, Evaluator
from pde.numerics.programs import at_numbers, compiled
from pde.numerics.uniform_bounds import Uniform
from pde.solving import solution
from tests.pde.numerics.test_certified import FORMULAS, NUMBERS, exact, t

RANGES = [(0.0, 2.0), (0.5, 30.0), (-3.0, -1e-6), (1e-160, 1e-150), (-1.0, 1.0), (100.0, 700.0)]


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
@pytest.mark.parametrize("ends", RANGES, ids=str)
def test_answers_are_right(formula: sympy.Expr, ends: tuple[float, float]) -> None:
    times = np.linspace(*ends, 300)
    found = Uniform(at_numbers(compiled(formula), NUMBERS))(times, PROVED)
    if found is None:
        return
    for place in (0, 1, 150, 298, 299):
        wanted = exact(formula, float(times[place]))
        assert abs(found[place] - wanted) <= PROVED * abs(wanted)


def test_what_neither_cancels_nor_overflows_has_an_answer() -> None:
    times = np.linspace(0, 2, 300)
    answered = [Uniform(at_numbers(compiled(f), NUMBERS))(times, PROVED) for f in FORMULAS]
    assert [k for k, values in enumerate(answered) if values is not None] == [0, 1, 4]


@pytest.mark.parametrize("seed", range(40))
def test_bounds_of_random_formulas_hold(seed: int) -> None:
    """Sums, products and powers of what keeps its sign, against sixty digits."""
    chance = random.Random(seed)

    def number() -> sympy.Rational:
        return sympy.Rational(chance.randint(1, 99), chance.randint(1, 99))

    def positive(depth: int) -> sympy.Expr:
        if not depth:
            return chance.choice([number(), sympy.exp(t), t + number(), sympy.exp(-number() * t)])
        one, other = positive(depth - 1), positive(depth - 1)
        return chance.choice(
            [
                one + other,
                one * other,
                one / other,
                sympy.sqrt(one),
                one ** sympy.Rational(-4, 3),
                one + other - number() / 100,
                one**3 + (sympy.exp(other / 50) - 1),
            ]
        )

    formula = positive(4)
    times = np.linspace(0, 1.5, 256)
    found = Uniform(compiled(formula))(times, PROVED)
    if found is None:
        return
    function = sympy.lambdify([t], formula, "mpmath")
    import mpmath

    with mpmath.workdps(60):
        for place in range(0, 256, 51):
            wanted = function(mpmath.mpf(float(times[place])))
            assert abs(found[place] - wanted) <= PROVED * abs(wanted)


def test_most_random_formulas_have_an_answer() -> None:
    times = np.linspace(0, 1.5, 256)
    formulas = [(1 + t) ** k / (sympy.exp(-k * t) + k) - sympy.Rational(1, 50) for k in range(1, 9)]
    assert all(Uniform(compiled(f))(times, PROVED) is not None for f in formulas)


def test_the_triangle_needs_no_bounds_for_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its form without cancellation is that, at few and many ranks and any noise."""
    face = solution(regimes(cp(order=2, symmetric=True), terms=4), "A-B-E")
    times = np.linspace(0, 3, 1000)
    for H, sigma2 in ((64, Fraction(1, 128)), (300, Fraction(1, 50)), (128, Fraction(1, 3000))):
        at = {"p": Fraction(128), "H": Fraction(H), "sigma2": sigma2, "T": Fraction(1)}
        evaluator = Evaluator(face.formula, at)
        slow = np.array([float(evaluator.precise(Fraction(float(x)), 20)) for x in times[::250]])
        with monkeypatch.context() as patch:
            patch.setattr(certified, "_TIERS", ())
            np.testing.assert_allclose(evaluator(times)[::250], slow, rtol=PROVED)
            assert np.isfinite(evaluator(times)).all()
