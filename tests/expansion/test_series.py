"""The series as a machine: lazy, counted, limited, interruptible, the same on every run."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.flow import Flow
from diagrams.merge import symmetric_tensors
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from diagrams.wick import expectation
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import Budget, LossSeries, Progress, loss_series

ROOT = Path(__file__).resolve().parents[2]

# One for closed words, one for closed words of two colours, two for arrays.
CASES = [(2, True, 6), (2, False, 4), (3, True, 3), (3, False, 3)]


def problem(order: int, symmetric: bool) -> Problem:
    return cp(order=order, symmetric=symmetric)


def coefficients(order: int, symmetric: bool, terms: int) -> list[Polynomial]:
    series = loss_series(problem(order, symmetric))
    return [series[s] for s in range(terms + 1)]


EXPECTED = {case: coefficients(*case) for case in CASES}


# --- asking ---------------------------------------------------------------------------------------


def test_coefficients_are_computed_when_they_are_asked_for_and_kept() -> None:
    series = loss_series(problem(2, True))
    assert series.known == ()
    third = series[2]
    assert len(series.known) == 3
    assert series[2] is third
    assert series[0] is series.known[0]
    assert len(series.known) == 3


def test_a_negative_s_is_refused() -> None:
    message = r"^coefficient Y_-1: s counts time derivatives; give 0 or more$"
    with pytest.raises(InvalidInputError, match=message):
        loss_series(problem(2, True))[-1]


@pytest.mark.parametrize(("order", "symmetric", "terms"), CASES)
def test_the_diagrams_contract_to_the_coefficient(order: int, symmetric: bool, terms: int) -> None:
    """Their expectation one by one, on canonical forms: the slow way to the same Y_s."""
    series = loss_series(problem(order, symmetric))
    for s in range(min(terms, 3)):
        diagrams = series.diagrams(s)
        assert Polynomial(expectation(diagrams)) == series[s]
        # Isomorphic diagrams may be kept apart in the engine, never the other way round.
        assert 0 < len(diagrams) <= series.cost(s).diagrams


def test_the_cost_of_a_coefficient() -> None:
    series = loss_series(problem(3, False))
    costs = [series.cost(s) for s in range(4)]
    assert len(series.known) == 4
    assert all(cost.seconds > 0 and cost.diagrams > 0 for cost in costs)
    assert sum(cost.contractions for cost in costs) > 0
    assert [cost.diagrams for cost in costs] == sorted(cost.diagrams for cost in costs)


def test_the_zero_target_leaves_the_free_part() -> None:
    """Without target all diagrams are made of D: 2 order (s + 1) factors at most once counted."""
    for order in (2, 3):
        free = loss_series(cp(order=order, target="zero"))
        fitted = loss_series(cp(order=order))
        for s in range(3):
            top = max(dict(powers)["sigma2"] for powers, _ in free[s])
            assert {dict(powers)["sigma2"] for powers, _ in free[s]} == {top}
            expected = {m: c for m, c in fitted[s] if dict(m).get("sigma2") == top}
            assert dict(free[s].terms) == expected


# --- symmetry, found ------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["identity", "zero"])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_colours_of_the_asymmetric_model_are_one_class(order: int, target: str) -> None:
    loss = cp(order=order, target=target).loss
    classes = symmetric_tensors(loss)
    assert [[tensor.name for tensor in members] for members in classes] == [
        [f"U{mode}" for mode in range(1, order + 1)]
    ]
    assert Flow(loss, loss).representation.blocks.symmetric == classes


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_symmetric_model_has_one_tensor(order: int) -> None:
    [[tensor]] = symmetric_tensors(cp(order=order, symmetric=True).loss)
    assert tensor.name == "U"


def test_tensors_that_the_problem_tells_apart_are_not_one_class() -> None:
    """f = U V + U: exchanging U and V changes the model; other variances do as well."""
    p, H = Axis("p"), Axis("H")
    U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
    W = Tensor("W", (H, p), variance="tau2")
    networks = {
        "sum": (Network.einsum("ki,ki->ki", U, V), Network.einsum("ki->ki", U)),
        "variances": (Network.einsum("ki,ki->ki", U, W),),
    }
    for family, model in networks.items():
        loss = Problem(family, model, (), (H, p)).loss
        assert [len(members) for members in symmetric_tensors(loss)] == [1, 1]


# --- budgets --------------------------------------------------------------------------------------


def finished(series: LossSeries) -> str:
    """What the text of an error has to say about the finished terms."""
    count = len(series.known)
    return f"Y_0 ... Y_{count - 1}" if count > 1 else "Y_0" if count else "no term is finished"


def check_kept(series: LossSeries, error: BudgetExceededError, case: tuple[int, bool, int]) -> None:
    """The text names the limit and the finished terms, and those are right and still there."""
    known = series.known
    assert f"Y_{len(known)} needs more than" in str(error)
    assert finished(series) in str(error)
    assert "\n" not in str(error)
    assert list(known) == EXPECTED[case][: len(known)]
    assert [series[s] for s in range(len(known))] == list(known)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_budget_of_diagrams(case: tuple[int, bool, int]) -> None:
    order, symmetric, terms = case
    seen: list[Progress] = []
    whole = LossSeries(problem(order, symmetric), progress=seen.append)
    assert whole[terms] == EXPECTED[case][terms]
    total = seen[-1].diagrams
    reached = set()
    for limit in sorted({1, 2, total // 20 + 1, total // 5, total // 2, total - 1}):
        series = LossSeries(problem(order, symmetric), budget=Budget(diagrams=limit))
        with pytest.raises(BudgetExceededError, match=f"needs more than {limit} diagrams;") as info:
            series[terms]
        check_kept(series, info.value, case)
        reached.add(len(series.known))
        # Asking again says so again, unless the step that broke the budget was the last one.
        try:
            assert series[terms] == EXPECTED[case][terms]
        except BudgetExceededError as error:
            check_kept(series, error, case)
    assert len(reached) > 1
    enough = LossSeries(problem(order, symmetric), budget=Budget(diagrams=total))
    assert [enough[s] for s in range(terms + 1)] == EXPECTED[case]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_budget_of_seconds(case: tuple[int, bool, int]) -> None:
    order, symmetric, terms = case
    limit = 5.0
    slept = []

    def sleep_once(progress: Progress) -> None:
        if progress.s == 2 and not slept:
            slept.append(progress)
            clock.ahead = limit

    clock = Clock()
    series = LossSeries(
        problem(order, symmetric), budget=Budget(seconds=limit), progress=sleep_once
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "perf_counter", clock)
        with pytest.raises(BudgetExceededError, match="needs more than 5 seconds;") as info:
            series[terms]
    assert len(series.known) >= 2
    check_kept(series, info.value, case)


class Clock:
    """A clock that can be put ahead, so that no test has to wait."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._true = time.perf_counter

    def __call__(self) -> float:
        return self._true() + self.ahead


def test_a_budget_of_seconds_before_the_first_term() -> None:
    series = LossSeries(problem(3, True), budget=Budget(seconds=1e-9))
    message = (
        r"^budget: Y_0 needs more than 1e-09 seconds; no term is finished; raise budget.seconds or "
        r"ask for fewer terms$"
    )
    with pytest.raises(BudgetExceededError, match=message):
        series[0]
    assert series.known == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_budget_of_memory(case: tuple[int, bool, int], monkeypatch: pytest.MonkeyPatch) -> None:
    order, symmetric, terms = case
    held = SimpleNamespace(rss=10)
    started = SimpleNamespace(memory_info=lambda: held)
    process = SimpleNamespace(
        memory_info=lambda: SimpleNamespace(rss=20), children=lambda recursive: [started]
    )
    monkeypatch.setattr(psutil, "Process", lambda *_: process)
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)

    def grow(progress: Progress) -> None:
        # Memory is looked at a few times a second only: let the clock run between steps.
        clock.ahead += 1.0
        if progress.s == 2:
            held.rss = 1000

    series = LossSeries(problem(order, symmetric), budget=Budget(memory=100), progress=grow)
    with pytest.raises(BudgetExceededError, match="needs more than 100 bytes of memory;") as info:
        series[terms]
    assert len(series.known) >= 2
    check_kept(series, info.value, case)


def test_a_budget_of_memory_that_the_process_already_holds() -> None:
    series = LossSeries(problem(3, True), budget=Budget(memory=1))
    message = (
        r"^budget: Y_0 needs more than 1 bytes of memory; no term is finished; raise budget.mem"
    )
    with pytest.raises(BudgetExceededError, match=message):
        series[0]


@pytest.mark.parametrize("name", ["seconds", "diagrams", "memory"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("-inf")])
def test_a_budget_that_is_not_positive(name: str, value: float) -> None:
    message = rf"^budget of {value} {name}: must be positive; raise it or leave it out$"
    with pytest.raises(InvalidInputError, match=message):
        Budget(**{name: value})  # type: ignore[arg-type]


def test_no_budget_is_no_limit() -> None:
    assert Budget() == Budget(seconds=None, diagrams=None, memory=None)
    series = LossSeries(problem(2, True), budget=Budget(seconds=float("inf"), diagrams=10**9))
    assert series[3] == EXPECTED[2, True, 6][3]


# --- interruptions --------------------------------------------------------------------------------


def interrupt_after(calls: int) -> tuple[Callable[[Progress], None], list[int]]:
    """A callback that interrupts once, at the given call, and the count of its calls."""
    count = [0]

    def callback(_: Progress) -> None:
        count[0] += 1
        if count[0] == calls:
            raise KeyboardInterrupt

    return callback, count


@pytest.mark.parametrize("case", CASES, ids=str)
def test_interrupted_anywhere_and_continued(case: tuple[int, bool, int]) -> None:
    order, symmetric, terms = case
    callback, count = interrupt_after(-1)
    LossSeries(problem(order, symmetric), progress=callback)[terms]
    calls = count[0]
    assert calls > 3

    @settings(deadline=None, max_examples=12)
    @given(st.integers(1, calls))
    def at(call: int) -> None:
        callback, _ = interrupt_after(call)
        series = LossSeries(problem(order, symmetric), progress=callback)
        with pytest.raises(KeyboardInterrupt):
            series[terms]
        known = series.known
        assert list(known) == EXPECTED[case][: len(known)]
        assert [series[s] for s in range(terms + 1)] == EXPECTED[case]

    at()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_interrupted_again_and_again(case: tuple[int, bool, int]) -> None:
    """Interrupted at distances that grow slowly, since an unfinished step begins anew."""
    order, symmetric, terms = case
    calls, distance, interruptions = 0, 1.0, 0

    def callback(_: Progress) -> None:
        nonlocal calls, distance, interruptions
        calls += 1
        if calls >= distance:
            calls, distance, interruptions = 0, 1.1 * distance + 0.1, interruptions + 1
            raise KeyboardInterrupt

    series = LossSeries(problem(order, symmetric), progress=callback)
    while len(series.known) <= terms:
        with suppress(KeyboardInterrupt):
            series[terms]
        assert interruptions < 1000
    assert interruptions > 3
    assert list(series.known) == EXPECTED[case]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_of_the_callback_comes_through(case: tuple[int, bool, int]) -> None:
    order, symmetric, terms = case

    def callback(_: Progress) -> None:
        raise LookupError("mine")

    series = LossSeries(problem(order, symmetric), progress=callback)
    with pytest.raises(LookupError, match="mine"):
        series[terms]


# --- progress -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_progress_never_goes_back(case: tuple[int, bool, int]) -> None:
    order, symmetric, terms = case
    seen: list[Progress] = []
    series = LossSeries(problem(order, symmetric), progress=seen.append)
    for s in range(terms + 1):
        before = len(seen)
        assert series[s] == EXPECTED[case][s]
        assert all(progress.s == s for progress in seen[before:])
    assert seen
    for values in ([x.s for x in seen], [x.diagrams for x in seen], [x.seconds for x in seen]):
        assert values == sorted(values)
    assert seen[0].seconds >= 0
    assert seen[-1].diagrams > seen[0].diagrams


def test_time_between_two_questions_is_not_counted() -> None:
    seen: list[Progress] = []
    series = LossSeries(problem(2, True), progress=seen.append)
    assert series[2]
    spent = seen[-1].seconds
    time.sleep(0.3)
    start = time.perf_counter()
    assert series[3]
    assert seen[-1].seconds <= spent + (time.perf_counter() - start) + 0.2


# --- the same on every run ------------------------------------------------------------------------

SCRIPT = """
import sys
from diagflow.show import series as show
from expansion.models import cp
from expansion.series import loss_series
for order, symmetric, terms in ((2, True, 5), (2, False, 4), (3, True, 2), (3, False, 3)):
    for target in ("identity", "zero"):
        problem = cp(order=order, symmetric=symmetric, target=target)
        series = loss_series(problem)
        known = [series[s] for s in range(terms + 1)]
        for form in (show.text, show.json_text, show.latex):
            sys.stdout.write(form(problem, known))
        print([(series.cost(s).diagrams, series.cost(s).contractions) for s in range(terms + 1)])
        print(series.diagrams(1))
        print(repr(known[1]))
"""


def output(seed: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, check=True
    )
    return done.stdout


def test_the_seed_of_hashes_changes_nothing() -> None:
    """Text, JSON, LaTeX, diagrams and costs: the same bytes under two seeds."""
    first, second = output("1"), output("2718")
    assert first == second
    assert first.count(b"\n") > 1000


def test_two_series_of_one_process_are_equal() -> None:
    first, second = loss_series(problem(3, False)), loss_series(problem(3, False))
    assert [first[s] for s in range(4)] == [second[s] for s in range(4)]
    assert [first.cost(s).contractions for s in range(4)] == [
        second.cost(s).contractions for s in range(4)
    ]
