"""Steps: done by any executor, kept by any store; what goes wrong with either costs time only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from diagrams.engine import steps as work
from diagrams.engine.arrays.steps import Integration, Merging
from diagrams.engine.steps import EngineStep, StepRunner
from diagrams.engine.traces.representation import TraceRepresentation
from diagrams.engine.traces.steps import TraceMerging
from diagrams.errors import InvalidInputError
from diagrams.flow import Flow
from diagrams.sums import DiagramSum
from diagrams.wick import Expectation
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem

PROBLEMS = [
    pytest.param(cp(2), 6, id="words"),
    pytest.param(cp(3, symmetric=True), 3, id="arrays"),
    pytest.param(cp(3), 4, id="symmetric tensors"),
    pytest.param(cp(3, target="modular-addition"), 3, id="pins"),
    pytest.param(tied_autoencoder(data=True), 3, id="data"),
]

Problems = pytest.mark.parametrize(("problem", "last"), PROBLEMS)


class Dictionary:
    """A store in memory that counts."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.recalled = 0

    def recall(self, key: str) -> bytes | None:
        found = self.held.get(key)
        self.recalled += found is not None
        return found

    def keep(self, key: str, data: bytes) -> None:
        self.held[key] = data


def moments(problem: Problem, last: int, work: StepRunner | None = None) -> list[Expectation]:
    flow = Flow(problem.loss, problem.loss, work=work or StepRunner())
    return [flow.expectation(s) for s in range(last + 1)]


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small steps."""
    monkeypatch.setattr("diagrams.engine.arrays.contraction_table._ROWS", 50)
    monkeypatch.setattr("diagrams.engine.arrays.representation._PORTION", 7)
    monkeypatch.setattr("diagrams.engine.traces.representation._PORTION", 5)
    monkeypatch.setattr("diagrams.engine.traces.representation._TOGETHER", 3)
    monkeypatch.setattr("diagrams.engine.steps._LEAST_SECONDS", -1.0)
    monkeypatch.setattr("diagrams.engine.steps._SHARE", 1e9)


def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step may be done."""

    def refuse(*_: object) -> None:
        raise AssertionError("a step was done that was known")

    for kind in (Integration, Merging, TraceMerging):
        monkeypatch.setattr(kind, "carry_out", refuse)
    monkeypatch.setattr(TraceRepresentation, "_contracted", refuse)


# --- stores ---------------------------------------------------------------------------------------


@Problems
def test_what_one_run_kept_another_does_not_do(
    problem: Problem, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    expected = moments(problem, last)
    store = Dictionary()
    assert moments(problem, last, StepRunner(store=store)) == expected
    assert len(store.held) > 10
    assert store.recalled == 0
    never(monkeypatch)
    assert moments(problem, last, StepRunner(store=store)) == expected
    assert store.recalled > 10


@Problems
def test_part_of_what_was_kept_is_enough_to_go_on(
    problem: Problem, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third result is lost, every third is no result at all."""
    small(monkeypatch)
    expected = moments(problem, last)
    store = Dictionary()
    moments(problem, last, StepRunner(store=store))
    for number, key in enumerate(list(store.held)):
        if number % 3 == 0:
            del store.held[key]
        elif number % 3 == 1:
            store.held[key] = store.held[key][: len(store.held[key]) // 2] + b"?"
    assert moments(problem, last, StepRunner(store=store)) == expected
    assert store.recalled > 0


def test_problems_do_not_share_steps_that_differ() -> None:
    store = Dictionary()
    for problem, last in [(cp(2), 2), (cp(2, symmetric=True), 2), (cp(3), 2), (cp(4), 1)]:
        assert moments(problem, last, StepRunner(store=store)) == moments(problem, last)


def test_results_survive_the_way_through_bytes() -> None:
    """Bytes to result to bytes, for what a run keeps."""
    seen: set[type[EngineStep[Any]]] = set()

    class Checked(StepRunner):
        def results(self, representation: Any, steps: Any, tick: Any) -> Any:
            for step in steps:
                result = step.carry_out(representation)
                data = step.result_to_bytes(result)
                again = step.result_from_bytes(data)
                assert step.result_to_bytes(again) == data
                seen.add(type(step))
                yield again

    for problem, last in [(cp(2), 3), (cp(3), 3)]:
        assert moments(problem, last, Checked()) == moments(problem, last)
    assert seen == {Integration, Merging, TraceMerging}


@pytest.mark.parametrize("kind", [Integration, Merging, TraceMerging])
@pytest.mark.parametrize("data", [b"?", b"[[1]]", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{}"])
def test_bytes_that_are_no_result(kind: type[EngineStep[Any]], data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="compute it again"):
        kind.result_from_bytes(data)


# --- executors ------------------------------------------------------------------------------------


class Now(Executor):
    """Does what it is given at once, or something worse."""

    def __init__(self, fate: Callable[[int], BaseException | None]) -> None:
        self.fate = fate
        self.given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given += 1
        future: Future[Any] = Future()
        error = self.fate(self.given)
        if isinstance(error, RuntimeError):
            raise error
        if error is None:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(error)
        return future


class Backwards(Executor):
    """Does the last task first, when the first result is asked for."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor = self

        class Lazy(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                while executor.waiting:
                    future, function, arguments = executor.waiting.pop()
                    future.set_result(function(*arguments))
                return super().result(timeout)

        future = Lazy()
        self.waiting.append((future, fn, args))
        self.most = max(self.most, len(self.waiting))
        return future


@Problems
def test_any_executor_serves(problem: Problem, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    expected = moments(problem, last)
    with ThreadPoolExecutor(3) as threads:
        assert moments(problem, last, StepRunner(threads)) == expected
    backwards = Backwards()
    assert moments(problem, last, StepRunner(backwards)) == expected
    assert backwards.most > 1
    store = Dictionary()
    now = Now(lambda number: None)
    assert moments(problem, last, StepRunner(now, store)) == expected
    assert 0 < now.given <= len(store.held)
    assert moments(problem, last, StepRunner(Now(lambda number: OSError()), store)) == expected


@pytest.mark.parametrize("known", range(2, 12))
def test_nothing_that_an_executor_takes_is_done_here(
    known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the steps that a store knows lie between the others: a third, ..., all but a few."""
    small(monkeypatch)
    expected = moments(cp(3), 4)
    store = Dictionary()
    moments(cp(3), 4, StepRunner(store=store))
    keys = list(store.held)
    lost = keys[:40] + keys[40 : -len(keys) // 4 : known * known] + keys[-len(keys) // 4 :]
    for key in lost:
        del store.held[key]
    given: list[int] = []
    carried_out: list[EngineStep[Any]] = []
    plain = work._elsewhere

    def elsewhere(kind: type[Any], blocks: Any, steps: Any) -> list[Any]:
        given.append(len(steps))
        return plain(kind, blocks, steps)

    def counted(kind: type[EngineStep[Any]]) -> Callable[[EngineStep[Any], Any], Any]:
        carry_out = kind.carry_out

        def count(step: EngineStep[Any], representation: Any) -> Any:
            carried_out.append(step)
            return carry_out(step, representation)

        return count

    monkeypatch.setattr(work, "_elsewhere", elsewhere)
    for kind in (Integration, Merging):
        monkeypatch.setattr(kind, "carry_out", counted(kind))
    assert moments(cp(3), 4, StepRunner(Now(lambda number: None), store)) == expected
    assert sum(given) == len(carried_out) == len(lost)
    assert max(given) <= work._TOGETHER


@pytest.mark.parametrize(
    "error", [OSError("gone"), TimeoutError("late"), CancelledError(), RuntimeError("closed")]
)
@pytest.mark.parametrize("every", [1, 3])
def test_what_fails_elsewhere_is_done_here(
    every: int,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    small(monkeypatch)
    executor = Now(lambda number: error if number % every == 0 else None)
    with caplog.at_level(logging.WARNING):
        assert moments(cp(3), 3, StepRunner(executor)) == moments(cp(3), 3)
    assert executor.given > 10
    [message] = caplog.messages
    assert "a worker failed, its part is computed here" in message
    assert type(error).__name__ in message


def test_a_true_error_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ArithmeticError("true")

    monkeypatch.setattr(Integration, "carry_out", broken)
    with ThreadPoolExecutor(1) as threads, pytest.raises(ArithmeticError, match="true"):
        moments(cp(3), 2, StepRunner(threads))


def test_a_budget_stops_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that raises while results are waited for; nothing that waits is begun after."""
    small(monkeypatch)

    class Never(Executor):
        def __init__(self) -> None:
            self.given: list[Future[Any]] = []

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.given.append(Future())
            return self.given[-1]

    def stop(added: int) -> None:
        raise KeyboardInterrupt

    never_done = Never()
    loss: DiagramSum = cp(3).loss
    flow = Flow(loss, loss, tick=stop, work=StepRunner(never_done))
    with pytest.raises(KeyboardInterrupt):
        flow.expectation(2)
    assert never_done.given
    assert all(future.cancelled() for future in never_done.given)
