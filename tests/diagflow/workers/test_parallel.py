"""Expansions by several processes: the same coefficients, whatever happens to a worker."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from diagflow.workers.executors import executor
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.models import cp
from expansion.series import Budget, LossSeries, Progress
from tests.command import Run

LAST = 4


@pytest.fixture(scope="module")
def expected() -> tuple[Any, ...]:
    series = LossSeries(cp(order=3, symmetric=True))
    _ = series[LAST]
    return series.known


@pytest.mark.parametrize("order", ["2", "3"])
def test_two_processes_print_what_one_prints(run: Run, order: str) -> None:
    command = ("expand", "cp", "--order", order, "--terms", "5", "--format", "json", "--no-store")
    one = run(*command)
    two = run(*command, "--jobs", "2")
    assert one.code == 0
    assert two == one


def test_regimes_and_solutions_take_workers(run: Run) -> None:
    for command in (
        ("regimes", "cp", "--order", "3", "--terms", "4"),
        ("solve", "cp", "--order", "3", "--terms", "4", "--list"),
    ):
        one = run(*command)
        assert one.code == 0
        assert run(*command, "--jobs", "2") == one


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--jobs", "0"), "--jobs 0: counts processes; give 1 or more"),
        (("--jobs", "2", "--scheduler", "tcp://localhost:1"), "give one of them"),
        (("--scheduler", "nonsense://nowhere"), "--scheduler nonsense://nowhere: "),
    ],
)
def test_workers_that_cannot_be(run: Run, options: tuple[str, ...], part: str) -> None:
    status, out, err = run("expand", "cp", "--terms", "1", *options)
    assert (status, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagflow.workers.executors._CONNECT_SECONDS", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
        answer = "give the address that the scheduler prints"
        with pytest.raises(InvalidInputError, match=answer), executor(scheduler=address):
            pass


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    missing = pytest.raises(DiagflowError, match="with the extra 'cluster'")
    with missing, executor(scheduler="tcp://127.0.0.1:1"):
        pass


def when_running(act: Callable[[], None]) -> Callable[[Progress], None]:
    """Do something once, in a thread, when the last coefficient is under work."""
    done = threading.Event()

    def follow(state: Progress) -> None:
        if state.s == LAST and not done.is_set():
            done.set()
            threading.Thread(target=act).start()

    return follow


def test_a_worker_of_this_machine_is_killed(
    expected: tuple[Any, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with executor(jobs=2) as pool:
        assert isinstance(pool, ProcessPoolExecutor)

        def kill() -> None:
            os.kill(next(iter(pool._processes)), signal.SIGKILL)

        series = LossSeries(cp(order=3, symmetric=True), executor=pool, progress=when_running(kill))
        with caplog.at_level(logging.WARNING):
            _ = series[LAST]
    assert series.known == expected
    assert [m for m in caplog.messages if "a worker failed" in m][1:] == []


def test_a_budget_holds_with_workers() -> None:
    with executor(jobs=2) as pool:
        _ = LossSeries(cp(order=3), executor=pool)[3]  # the workers have started
        series = LossSeries(cp(order=3, symmetric=True), executor=pool, budget=Budget(seconds=1.0))
        start = time.monotonic()
        with pytest.raises(BudgetExceededError, match="more than 1 seconds"):
            _ = series[8]
        assert 1.0 <= time.monotonic() - start < 2.5


# --- a cluster ------------------------------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A scheduler and two workers, each a process of its own on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


def test_a_cluster_and_a_worker_of_it_that_is_killed(
    cluster: Any, expected: tuple[Any, ...]
) -> None:
    address = cluster.scheduler_address
    with executor(scheduler=address) as workers:
        series = LossSeries(cp(order=3, symmetric=True), executor=workers)
        _ = series[LAST]
        assert series.known == expected

        def kill() -> None:
            worker = next(iter(cluster.workers.values()))
            os.kill(worker.pid, signal.SIGKILL)

        series = LossSeries(
            cp(order=3, symmetric=True), executor=workers, progress=when_running(kill)
        )
        _ = series[LAST]
        assert series.known == expected


def test_the_command_line_uses_a_cluster(cluster: Any, run: Run) -> None:
    command = ("expand", "cp", "--order", "3", "--terms", "4", "--format", "json")
    one = run(*command)
    many = run(*command, "--scheduler", cluster.scheduler_address)
    assert one[:2] == many[:2]
    assert many.code == 0
