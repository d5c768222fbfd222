"""Regimes of modular addition with shared weights, which are solved in Fourier modes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from diagflow.comparison.regime import compare_regime
from expansion.models import cp
from expansion.regimes import Regimes
from pde.evolution import Origin
from pde.hierarchies import HierarchyKind
from pde.solving import solution
from pde.taylor import symbol
from tests.problems import regimes_of

PROBLEM = cp(order=3, symmetric=True, target="modular-addition")


def found() -> Regimes:
    return regimes_of(PROBLEM, 4)


def test_a_narrow_network_is_a_particle_in_modes() -> None:
    solved = solution(found(), "E-A")
    assert solved.origin is Origin.DERIVED and solved.problem == PROBLEM.title
    assert solved.hierarchy.kind is HierarchyKind.ONE_SITE
    assert solved.certificate.matched == (0, 1, 2, 3, 4)
    assert solved.derivation[0].title == "Fourier modes"
    assert "W_x and W_y are the arrays of the parts" in solved.derivation[0].text
    assert not any("+ -" in step.latex for step in solved.derivation)
    assert set(solved.symbols) == {"p", "H", "sigma2"}


def test_theory_and_simulation_of_a_narrow_network() -> None:
    """Learned is a third of the model's square by then, and the correction a tenth of that."""
    at = {"p": Fraction(41), "H": Fraction(4), "sigma2": Fraction(1, 41)}
    result = compare_regime(found(), "E-A", at=at, times=[0.0, 0.01, 0.02], runs=400)
    learned = float(result.theory[0] - result.theory[-1])
    assert learned > 1.0
    left = np.abs(result.deviation - result.correction)
    allowed = 4 * result.trajectory.standard_error + result.correction_error
    assert np.all(left <= allowed) and np.all(allowed < 0.25 * learned)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["B", "C"])
def test_a_wide_network_has_a_closed_form_in_the_symbols_of_the_problem(name: str) -> None:
    solved = solution(found(), name)
    assert solved.certificate.matched == (0, 1, 2, 3, 4) and solved.formula is not None
    assert {str(each) for each in solved.formula.free_symbols} <= {"p", "H", "sigma2", "t", "T"}
    numbers = {"p": 7, "H": 90, "sigma2": Fraction(2, 9), "T": 1}
    curve = solved.at(numbers)
    for t in (0.0, 0.3 * curve.domain.stop):
        values = {symbol(name): float(value) for name, value in numbers.items()}
        expected = solved.formula.subs(values | {symbol("t"): t})
        assert curve(t) == pytest.approx(float(expected))
