"""The leading variance from the fluctuations of cores: exact coefficients, laws, simulation."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from diagflow.simulation import simulate
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.wick import Moments
from expansion.dynamics.averages import Averages
from expansion.dynamics.connected import TREES, cumulant_coefficients
from expansion.dynamics.derivation import derive
from expansion.dynamics.fluctuations import variance_coefficients
from expansion.dynamics.scales import Scales
from expansion.models import cp, mlp_linear
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from pde.effective import effective_answer
from pde.evolution import Origin
from pde.solving import solution
from pde.variance import variance_solution

SYM, ASYM, NET = cp(order=2, symmetric=True), cp(order=2), mlp_linear(2)


@cache
def variance_map(problem: Problem, loss: str = "train", terms: int = 4) -> Regimes:
    return regimes(problem, loss=f"cumulant({loss}, 2)", terms=terms)


CERTIFIED: list[tuple[Problem, str, tuple[int, ...]]] = [
    *((SYM, name, (0, 1, 2, 3, 4)) for name in ("A", "B", "E", "A-B", "A-B-E")),
    *((ASYM, name, (0, 1, 2, 3, 4)) for name in ("A", "B", "C", "C-D", "E-A", "B-C")),
    *((ASYM, name, (0, 2, 4)) for name in ("D", "E", "D-E")),
    (NET, "V1", (0, 2, 4)),
    (NET, "V2", (0, 1, 2, 3, 4)),
    (NET, "V1-V2", (0, 1, 2, 3, 4)),
]


@pytest.mark.parametrize(
    ("problem", "name", "matched"), CERTIFIED, ids=lambda value: getattr(value, "title", value)
)
def test_coefficients_are_the_exact_leading_ones(
    problem: Problem, name: str, matched: tuple[int, ...]
) -> None:
    """Every second one is of lower order where vertices have the period two."""
    summary, solved = variance_solution(variance_map(problem), name)
    assert solved is not None, summary.remark
    certificate = solved.certificate
    assert certificate.holds and certificate.matched == matched
    assert certificate.left_out == tuple(s for s in range(5) if s not in matched)


def test_the_free_regimes_are_those_of_a_wishart_matrix() -> None:
    """A and B begin with the leading variances of Tr (W^T W)^2 over 4: 2 p^3 H and 2 p H^3."""
    for name, text in (("A", "2*p**3*H*sigma2**4"), ("B", "2*p*H**3*sigma2**4")):
        solved = solution(variance_map(SYM), name)
        assert solved.coefficients(1)[0] == Polynomial.parse(text)


def test_an_observable_and_another_drive() -> None:
    problem = SYM.driven_by("train + lambda*weight-norm")
    found = variance_map(problem, "weight-norm")
    name = max(found, key=lambda regime: regime.dimension).name
    _, solved = variance_solution(found, name)
    assert solved is not None and solved.certificate.matched == (0, 1, 2, 3, 4)


def test_runs_scatter_as_the_theory_says_at_all_times() -> None:
    """Also where the exact series has long ceased to say anything."""
    solved = solution(variance_map(SYM), "A-B-E")
    assert solved.origin is Origin.DERIVED
    at: dict[str, Any] = {"p": 24, "H": 24, "sigma2": 1 / 24, "T": 1}
    times = [0.0, 0.1, 0.25]
    theory = solved.at(at)(np.array(times))
    runs = simulate(SYM, at=at, times=times, loss="cumulant(train, 2)", runs=150, seed=2, rtol=1e-5)
    assert np.all(np.abs(runs.mean - theory) <= 4 * runs.standard_error + 0.1 * theory)
    assert theory[2] < theory[0] / 50


def test_no_variance_where_cores_are_random_or_not_told_apart() -> None:
    found = variance_map(NET)
    summary, solved = variance_solution(found, "V3")
    assert solved is None and "its cores are random to leading order" in summary.remark
    assert effective_answer(found, "V3").hierarchy.remark == summary.remark
    together = derive(regimes(ASYM, terms=4), "A-B")
    with pytest.raises(InvalidInputError, match="or not distinguished; use the exact coefficients"):
        variance_coefficients(together, 2)


def test_a_wrong_covariance_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is computed: half the covariances are no solution."""
    exact = Scales.fluctuation

    def half(scales: Scales, first: Diagram, second: Diagram) -> Moments:
        value = exact(scales, first, second)
        return value if first == second else {powers: c * 2 for powers, c in value.items()}

    monkeypatch.setattr(Scales, "fluctuation", half)
    summary, solved = variance_solution(variance_map(SYM), "A-B-E")
    assert solved is None
    assert summary.remark == "the fluctuations of its cores do not give the exact coefficients"


@cache
def cumulant_map(problem: Problem, order: int) -> Regimes:
    return regimes(problem, loss=f"cumulant(train, {order})", terms=4)


HIGHER: list[tuple[Problem, int, str, tuple[int, ...]]] = [
    *((SYM, order, name, (0, 1, 2, 3, 4)) for order in (3, 4) for name in ("A", "B", "E", "B-E")),
    (SYM, 3, "A-B-E", (0, 1, 2, 3, 4)),
    *((ASYM, 3, name, (0, 1, 2, 3, 4)) for name in ("A", "B", "C", "C-D", "E-A", "B-C")),
    *((ASYM, 3, name, (1, 3)) for name in ("D", "E", "D-E")),
    *((ASYM, 4, name, (0, 2, 4)) for name in ("D", "D-E")),
    (ASYM, 4, "C-D", (0, 1, 2, 3, 4)),
]


@pytest.mark.parametrize(
    ("problem", "order", "name", "matched"),
    HIGHER,
    ids=lambda value: getattr(value, "title", value),
)
def test_higher_cumulants_are_the_exact_leading_ones(
    problem: Problem, order: int, name: str, matched: tuple[int, ...]
) -> None:
    summary, solved = variance_solution(cumulant_map(problem, order), name)
    assert solved is not None, summary.remark
    certificate = solved.certificate
    assert certificate.holds and certificate.matched == matched
    assert certificate.left_out == tuple(s for s in range(5) if s not in matched)


@pytest.mark.parametrize("order", [3, 4])
def test_the_start_is_a_chi_square(order: int) -> None:
    """In E the loss is minus the sum of squares of p H Gaussian entries."""
    _, solved = variance_solution(cumulant_map(SYM, order), "E")
    number = {3: -8, 4: 48}[order]
    assert solved is not None
    assert solved.coefficients(1)[0] == Polynomial.parse(f"{number}*p*H*sigma2**{order}")


def test_a_missing_tree_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = TREES[3]
    monkeypatch.setitem(TREES, 3, (first,))
    summary, solved = variance_solution(cumulant_map(SYM, 3), "B-E")
    assert solved is None
    assert summary.remark == "the fluctuations of its cores do not give the exact coefficients"


def test_runs_are_as_skew_as_the_theory_says() -> None:
    """At p = H = 24 the third cumulant is 8/3, and an eighth of it soon after."""
    _, solved = variance_solution(cumulant_map(SYM, 3), "A-B-E")
    assert solved is not None
    at: dict[str, Any] = {"p": 24, "H": 24, "sigma2": 1 / 24, "T": 1}
    times = [0.0, 0.02]
    theory = solved.at(at)(np.array(times))
    assert theory == pytest.approx([8 / 3, 0.345297], abs=1e-6)
    runs = simulate(SYM, at=at, times=times, loss="cumulant(train, 3)", runs=700, seed=4, rtol=1e-5)
    assert np.all(np.abs(runs.mean - theory) <= 3 * runs.standard_error)
    assert np.all(runs.mean > 2 * runs.standard_error)


def test_cumulants_beyond_the_fourth_are_left_to_the_exact_coefficients() -> None:
    found = regimes(SYM, loss="cumulant(train, 5)", terms=2)
    summary, solved = variance_solution(found, "E")
    assert solved is None and "two, three or four" in summary.remark
    apart = Averages(SYM.driven.generator, SYM.loss, exchange=False)
    dynamics = derive(regimes(SYM, terms=4), "E", averages=apart)
    with pytest.raises(InvalidInputError, match="cumulant of order 5 from fluctuations: is known"):
        cumulant_coefficients(dynamics, 5, 1)
