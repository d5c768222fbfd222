"""Edges without monomials between their vertices are the sums of these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from expansion.models import cp, deep_linear
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from pde.evolution import Method, Origin
from pde.solving import solution
from pde.taylor import symbol
from pde.vertex_sums import sum_of_solutions

AT = {"p": 64, "H": 4096, "sigma2": 1e-3, "T": 2}
EDGES = [
    (cp(order=3, target="modular-addition"), "B-C", "1/2*p**2 + 1/2*p**3*H*sigma2**3", 6),
    (deep_linear(3), "V2-V3", "1/2*p + 1/2*p**2*H**2*sigma2**3", 6),
]


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=3, target="modular-addition"), terms=4)


@pytest.mark.parametrize(("problem", "name", "start", "rate"), EDGES)
def test_a_kernel_regime_decays_at_one_rate(
    problem: Problem, name: str, start: str, rate: int
) -> None:
    maps = regimes(problem, terms=4)
    solved = solution(maps, name)
    assert solved.method is Method.CLOSED_FORM and solved.certificate.matched == (0, 1, 2, 3, 4)
    natural = "*".join(f"{n}**{k}" for n, k in maps[name].natural_time)
    time = Polynomial.parse(natural).to_sympy() * symbol("t") / symbol("T")
    formula = Polynomial.parse(start).to_sympy() * sympy.exp(-rate * time)
    assert sympy.simplify(solved.formula - formula) == 0


def test_the_curve_is_the_sum_with_the_target_counted_once(found: Regimes) -> None:
    times = np.linspace(0, 3, 7)
    both = solution(found, "B-C").at(AT)(times)
    one, two = (solution(found, name).at(AT)(times) for name in "BC")
    # B is free: its loss is without the target; C starts at that of the target.
    assert np.allclose(both, one + two, rtol=1e-12)
    precise = solution(found, "B-C").at(AT).precise("1/2", 25)
    assert abs(precise - solution(found, "B-C").at(AT)(0.5)) < 1e-9 * precise


def test_a_sum_with_other_coefficients_is_none(found: Regimes) -> None:
    parts = [solution(found, name) for name in "BC"]
    wanted = solution(found, "B-C").coefficients(5)
    names = {"problem": "", "regime": ""}
    assert sum_of_solutions(parts, Polynomial({}), wanted, **names) is not None
    for s in range(5):
        wrong = [*wanted]
        wrong[s] = wrong[s] * 2
        assert sum_of_solutions(parts, Polynomial({}), wrong, **names) is None
    assert sum_of_solutions(parts, Polynomial.parse("p"), wanted, **names) is None
    resummed = [parts[0], replace(parts[1], origin=Origin.RESUMMED)]
    assert sum_of_solutions(resummed, Polynomial({}), wanted, **names) is None


def test_edges_with_monomials_between_are_no_sums() -> None:
    maps = regimes(cp(order=2, symmetric=True), terms=4)
    assert not any(regime.is_primitive_edge for regime in maps)
    maps = regimes(cp(order=2), terms=4)
    assert [regime.name for regime in maps if regime.is_primitive_edge] == ["B-C"]
