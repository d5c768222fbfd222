"""Budgets hold within a tenth, measured; and the cost of the next coefficient is foreseen."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from diagrams.errors import BudgetExceededError
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.series import Budget, LossSeries, Progress

PROBLEMS = {
    "words": cp(order=2),
    "arrays": cp(order=4),
    "symmetric": cp(order=3, symmetric=True),
    "data": tied_autoencoder(data=True),
    "modular addition": cp(order=3, target="modular-addition"),
}


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_seconds(problem: Problem) -> None:
    series = LossSeries(problem, budget=Budget(seconds=10))
    start = time.perf_counter()
    with pytest.raises(BudgetExceededError, match="more than 10 seconds"):
        _ = series[100]
    assert 10 <= time.perf_counter() - start < 11


@pytest.mark.slow
@pytest.mark.parametrize(("order", "symmetric"), [(4, False), (4, True), (3, True), (2, False)])
def test_memory(order: int, symmetric: bool) -> None:
    """The peak of a process of its own, looked at a hundred times a second.

    The system's own record would not do: a process starts with the peak of the one that started it.
    """
    code = f"""
from diagrams.errors import BudgetExceededError
from expansion.models import cp
from expansion.series import Budget, LossSeries
try:
    LossSeries(cp(order={order}, symmetric={symmetric}), budget=Budget(memory=300 * 2**20))[100]
except BudgetExceededError as error:
    print(error)
"""
    peak = 0
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            with suppress(psutil.Error):
                peak = max(peak, watched.memory_info().rss)
            time.sleep(0.01)
        assert child.stdout is not None
        assert "bytes of memory" in child.stdout.read()
    # One looks between steps: a step that needs wider integers takes a part of it at once.
    assert abs(peak - 300 * 2**20) < 40 * 2**20


@pytest.mark.parametrize(
    ("problem", "last"),
    [
        (cp(order=2), 9),
        (cp(order=2, symmetric=True), 20),
        (cp(order=3), 5),
        (cp(order=3, symmetric=True), 4),
        (cp(order=4), 5),
        (cp(order=4, symmetric=True), 4),
    ],
    ids=str,
)
def test_the_next_coefficient_is_foreseen_within_a_factor_of_three(
    problem: Problem, last: int
) -> None:
    """In numbers of diagrams, which do not depend on the machine."""
    series = LossSeries(problem)
    for s in range(4):
        assert series.expected_cost() is None
        _ = series[s]
    for s in range(4, last + 1):
        expected = series.expected_cost()
        assert expected is not None
        cost = series.cost(s)
        if cost.contractions > 100:
            assert 1 / 3 < expected.contractions / cost.contractions < 3
        if cost.diagrams > 100:
            assert 1 / 3 < expected.diagrams / cost.diagrams < 3


def test_what_is_expected_is_part_of_the_progress() -> None:
    seen: dict[int, float | None] = {}

    def follow(state: Progress) -> None:
        seen[state.s] = state.expected

    _ = LossSeries(cp(order=3), progress=follow)[5]
    assert [seen[s] for s in range(4)] == [None] * 4
    assert all(seconds is not None and seconds > 0 for seconds in (seen[4], seen[5]))
