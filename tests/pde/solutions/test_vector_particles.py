"""Formal sums of vector particles, in both directions of time, against more of their terms.

On one half of the line all terms have one sign. Where their sum is not determined to the stated
error, more of the terms say something else.
"""

from fractions import Fraction

import numpy as np
import pytest

from expansion.models import cp
from expansion.regimes import Regimes, regimes
from pde.resummed_series import resummed_curve
from pde.solutions.vector_particles import TERMS
from pde.solving import solution

MORE = 36


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=3), terms=4)


@pytest.mark.parametrize(
    ("name", "H", "sigma2"),
    [
        ("D", 10_000, Fraction(1, 10_000)),
        ("C-D", 10_000, Fraction(1, 400)),
        ("E", 100, Fraction(1, 10_000)),
        pytest.param("D", 10_000, Fraction(1, 100), marks=pytest.mark.slow),
        pytest.param("C-D", 10, Fraction(1, 4), marks=pytest.mark.slow),
        pytest.param("E-A", 100, Fraction(1, 100), marks=pytest.mark.slow),
        pytest.param("E-A", 100, Fraction(1, 10), marks=pytest.mark.slow),
    ],
)
def test_the_error_covers_what_more_terms_say(
    found: Regimes, name: str, H: int, sigma2: Fraction
) -> None:
    at = {"p": Fraction(50), "H": Fraction(H), "sigma2": sigma2, "T": Fraction(1)}
    solved = solution(found, name)
    rows = solved.coefficients(MORE)
    values = [Fraction(row.evaluate(**{n: at[n] for n in row.symbols})) for row in rows]
    few, more = (
        resummed_curve(values[:number], target=Fraction(25), T=Fraction(1), asymptotic=True)
        for number in (TERMS, MORE)
    )
    evolution = solved.at(at)
    for end in (evolution.domain.start, evolution.domain.stop):
        t = end * np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
        assert np.array_equal(evolution(t), few.evaluate(t))
        t = t[more.domain.inside(t)]
        assert t.size >= 2
        away = np.abs(few.evaluate(t) - more.evaluate(t))
        assert np.all(away <= few.errors(t) + more.errors(t)), (t, away, few.errors(t))
