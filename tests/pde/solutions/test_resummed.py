"""The fallback: exact leading coefficients, resummed where approximants agree, else refused."""

from fractions import Fraction

import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from expansion.models import cp
from pde.evolution import Method
from pde.resummed_series import TOLERANCE, resummed_curve, resummed_solution
from pde.solutions import asymmetric_order2

AT = {"p": Fraction(64), "H": Fraction(48), "sigma2": Fraction(1, 50), "T": Fraction(2)}


@pytest.mark.parametrize("face", ["C-D", "E-A"])
def test_a_solved_face_is_found_again(face, leading_series, leading_rows) -> None:
    """From 8 coefficients, against the closed form, within the stated tolerance and error."""
    leading = leading_series(order=2, symmetric=False, terms=7, regime=face)
    problem = leading.regimes.exponents.problem
    rows = leading_rows(leading)
    fallback = resummed_solution(
        problem, leading.regime, rows, leading.regimes.exponents.pure_target
    ).certified(rows)
    assert fallback.method is Method.RESUMMED
    # It is made of the coefficients that it would be compared with.
    assert fallback.certificate.compared == ()
    summed = fallback.at(AT)
    exact = asymmetric_order2.derived_face(cp(order=2), face, None).at(AT)
    times = np.linspace(0.99 * summed.domain.start, 0.99 * summed.domain.stop, 41)
    difference = np.abs(summed(times) - exact(times))
    assert np.all(difference <= summed.curve.errors(times))
    assert np.max(difference) <= summed.error_estimate
    start = exact(0.0)
    moved = np.abs(exact(times) - start) + abs(start - 32)
    assert np.all(difference <= 3 * TOLERANCE * moved + 1e-12)
    assert summed.domain.stop > 0.3


def test_beyond_its_interval_there_is_no_value(leading_series, leading_rows) -> None:
    leading = leading_series(order=2, symmetric=False, terms=7, regime="A-B-C-D-E")
    problem = leading.regimes.exponents.problem
    evolution = resummed_solution(
        problem, leading.regime, leading_rows(leading), leading.regimes.exponents.pure_target
    ).at(AT)
    assert np.isfinite(evolution(0.9 * evolution.domain.stop))
    with pytest.raises(
        InvalidInputError, match="approximants of the 8 known coefficients disagree"
    ):
        evolution(1.1 * evolution.domain.stop)


def test_a_tighter_tolerance_gives_a_shorter_interval() -> None:
    rows = [Fraction((-1) ** s * (s + 1)) * Fraction(2) ** s for s in range(10)]
    wide, tight = (
        resummed_curve(rows, target=Fraction(0), T=Fraction(1), relative_tolerance=tolerance)
        for tolerance in (1e-2, 1e-6)
    )
    assert 0 < tight.domain.stop < wide.domain.stop
    assert tight.error_estimate < wide.error_estimate


def test_a_few_coefficients_are_not_summed(leading_series, leading_rows) -> None:
    leading = leading_series(order=2, symmetric=False, terms=7, regime="E-A")
    rows = leading_rows(leading)[:3]
    with pytest.raises(InvalidInputError, match="3 coefficients are not enough"):
        resummed_solution(
            leading.regimes.exponents.problem,
            leading.regime,
            rows,
            leading.regimes.exponents.pure_target,
        )
