"""Chains of cores: rules that are read off, and what does not obey them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from diagrams.diagram import Diagram
from expansion.dynamics.chains import Chains, Numbered, chains_of, find_chains
from expansion.dynamics.derivation import EffectiveDynamics, derive
from expansion.dynamics.insertion import following
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import regimes

EXAMPLES = Path(__file__).parents[3] / "examples"

TEACHER = cp(order=2, symmetric=True, target="teacher")
TRIANGLE = cp(order=2, symmetric=True)


@cache
def derived(problem: Problem, regime: str) -> EffectiveDynamics:
    return derive(regimes(problem, terms=5), regime)


def chains(problem: Problem, regime: str) -> Chains:
    found = chains_of(derived(problem, regime))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("problem", "regime", "moves"),
    [(TRIANGLE, "A-B", True), (TRIANGLE, "A-B-E", True), (TEACHER, "V1-V3", False)],
)
def test_rules_predict_coefficients_that_were_not_used(
    problem: Problem, regime: str, moves: bool
) -> None:
    """From the first rates and the moments at time zero: those of the engine, held out."""
    found = chains(problem, regime)
    assert any(len(term.slope) for rule in found.rules for term in rule) is moves
    exact = regimes(problem, terms=9).exponents.coefficients
    dynamics = derived(problem, regime)
    scaling = dynamics.scales.scaling
    mine = found.coefficients()
    assert len(mine) >= 9
    for s in range(1, 9):
        order = scaling.top(dict(mine[s]))
        assert order is not None
        assert mine[s] == scaling.leading(dict(exact[s]), order)


def test_a_hierarchy_that_ends_has_no_chains() -> None:
    assert chains_of(derived(TRIANGLE, "A")) is None


def _changed(numbered: Numbered, core: int) -> Numbered:
    """One rate with a coefficient that is off by one."""
    cores, output, rates, initial = numbered
    (coefficient, places), *rest = rates[core]
    wrong = [(coefficient + Polynomial({(): 1}), places), *rest]
    return cores, output, {**rates, core: wrong}, initial


def test_a_rate_that_disagrees_leaves_no_rule() -> None:
    dynamics = derived(TRIANGLE, "A-B-E")
    numbered = dynamics.numbered(dynamics.depth or 0)
    assert find_chains(numbered) is not None
    core = sorted(numbered[2])[-2]
    assert find_chains(_changed(numbered, core)) is None


TEXT = "fixed X[p,N]~1; weight U[H,p]~sigma2; "


def test_the_next_member_has_the_same_matrices_once_more() -> None:
    members = [
        Diagram.parse(TEXT + factors)
        for factors in (
            "U(H0,p0) U(H0,p1) X(p0,N0) X(p1,N0)",
            "U(H0,p0) U(H0,p2) X(p0,N0) X(p1,N0) X(p1,N1) X(p2,N1)",
            "U(H0,p0) U(H0,p3) X(p0,N0) X(p1,N0) X(p1,N1) X(p2,N1) X(p2,N2) X(p3,N2)",
        )
    ]
    more = following(members)
    assert more is not None and len(more.factors) == 10
    again = following([*members[1:], more])
    assert again is not None and len(again.factors) == 12


def test_members_that_do_not_follow_each_other_tell_nothing() -> None:
    one = Diagram.parse(TEXT + "U(H0,p0) U(H0,p1) X(p0,N0) X(p1,N0)")
    other = Diagram.parse(TEXT + "U(H0,p0)^2 X(p1,N0)^2 X(p0,N1)^2")
    assert following([one, other, one]) is None


@pytest.mark.parametrize(
    ("problem", "regime"),
    [
        # What hangs on the first r indices does not have the mean of all p.
        (read_problem_file(EXAMPLES / "low_rank.toml"), "V4-V8-V10"),
        # Nor has what hangs on the one index of a spike.
        (cp(order=3, symmetric=True, target="spiked"), "V4-V8"),
        # U grows from V alone: words of V and U that its first mean does not tell apart.
        pytest.param(
            read_problem_file(EXAMPLES / "driven.toml"), "V13-V17", marks=pytest.mark.slow
        ),
    ],
)
def test_indices_and_times_that_are_not_typical(problem: Problem, regime: str) -> None:
    certificate = derived(problem, regime).certificate
    assert certificate.holds and len(certificate.matched) >= 4
