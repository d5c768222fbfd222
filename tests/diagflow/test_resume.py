"""An expansion that is killed goes on where it was, and ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from math import inf
from pathlib import Path

import pytest

from diagflow.store import SQLiteStore
from diagrams.engine.arrays.steps import Integration, Merging
from diagrams.engine.steps import StepRunner
from expansion.models import cp
from expansion.problem import Problem
from expansion.series import LossSeries

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
COMMAND = [
    *(sys.executable, "-m", "diagflow", "expand", "cp", "--order", "3", "--symmetric"),
    *("--terms", "5", "--format", "json", "--quiet"),
]


def keep_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it pays or not."""
    monkeypatch.setattr("diagrams.engine.steps._LEAST_SECONDS", -1.0)
    monkeypatch.setattr("diagrams.engine.steps._SHARE", 1e9)
    monkeypatch.setattr("diagrams.engine.traces.representation._TOGETHER", 4)


def finished(store: Path, *options: str) -> bytes:
    command = [*COMMAND, "--store", str(store), *options]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=300, check=True)
    assert result.stderr == b""
    return result.stdout


def killed(store: Path, seconds: float, *options: str) -> bool:
    """Run for a time, then kill -9 the whole group; whether it was still running."""
    with subprocess.Popen(
        [*COMMAND, "--store", str(store), *options],
        env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return True
        return False


def kill_at_random(folder: Path, times: int, *options: str) -> None:
    """Kill at random moments; every third time finish, compare, and begin with a new store."""
    chance = random.Random(times)
    whole = inf
    for name in ("first", "second"):  # the first may have to fetch everything from the disk
        start = time.monotonic()
        expected = finished(folder / f"{name}.sqlite3", *options)
        whole = min(whole, time.monotonic() - start)
    assert [c["s"] for c in json.loads(expected)["coefficients"]] == list(range(6))
    hit = 0
    for number in range(times):
        store = folder / f"store-{number // 3}.sqlite3"
        hit += killed(store, chance.uniform(0.1, whole), *options)
        if number % 3 == 2 or number == times - 1:
            assert finished(store, *options) == expected
            held = SQLiteStore(store).contents()
            assert (held.records, held.damaged) == (6, 0)
            assert not list(folder.glob("*set-aside*"))
    assert hit > times // 3, "too few were killed before they ended"


def test_three_kills(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 3)


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 50)


@pytest.mark.slow
def test_ten_kills_of_two_processes(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 10, "--jobs", "2")


@pytest.mark.parametrize("problem", [cp(order=2), cp(order=3, symmetric=True)], ids=str)
def test_what_was_done_before_the_kill_is_not_done_again(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps of a coefficient that was lost are there: nothing is merged or contracted."""
    keep_everything(monkeypatch)
    monkeypatch.setattr("diagflow.store.sqlite_store._KEEP_SECONDS", -1.0)
    store = SQLiteStore(tmp_path / "store.sqlite3")
    last = 8 if problem == cp(order=2) else 3
    whole = LossSeries(problem, store=store)
    expected = whole[last]
    store._run("DELETE FROM coefficients")
    assert store.contents().steps > 20
    store.close()

    def refuse(*_: object) -> None:
        raise AssertionError("a step was done twice")

    for kind in (Integration, Merging):
        monkeypatch.setattr(kind, "carry_out", refuse)
    monkeypatch.setattr(
        "diagrams.engine.traces.representation.TraceRepresentation._contracted", refuse
    )
    monkeypatch.setattr("diagrams.engine.traces.merging.TraceMerger.merged", refuse)
    again = LossSeries(problem, store=SQLiteStore(tmp_path / "store.sqlite3"))
    assert again[last] == expected


def test_steps_are_written_every_second_or_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once, which would be slow, and not much later than a second."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    store = SQLiteStore(tmp_path / "store.sqlite3")
    for number in range(21):
        store.keep(f"key {number}", b"data")
        held = SQLiteStore(tmp_path / "store.sqlite3").contents().steps
        assert number - 6 <= held <= number + 1
        now += 0.25
    assert store.recall("key 3") is None or store.recall("key 3") == b"data"
    other = SQLiteStore(tmp_path / "store.sqlite3")
    assert other.recall("key 3") == b"data"
    assert other.recall("key 99") is None


def test_a_damaged_step_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_everything(monkeypatch)
    monkeypatch.setattr("diagflow.store.sqlite_store._KEEP_SECONDS", -1.0)
    store = SQLiteStore(tmp_path / "store.sqlite3")
    expected = LossSeries(cp(order=3), store=store)[3]
    for change in (
        "UPDATE steps SET data = x'00'",
        "UPDATE steps SET data = coalesce((SELECT data FROM steps AS other "
        "WHERE other.key > steps.key), x'00')",
        "UPDATE steps SET digest = 'x'",
        "UPDATE steps SET data = 'text'",
    ):
        store._run("DELETE FROM coefficients")
        store._run(change)
        damaged = store.contents()
        assert damaged.damaged >= damaged.steps - 1 > 5
        store.close()
        assert LossSeries(cp(order=3), store=store)[3] == expected
        assert store.contents().damaged == 0


def test_what_was_not_used_for_the_longest_time_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1e9
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr("diagflow.store.sqlite_store._KEEP_SECONDS", -1.0)
    store = SQLiteStore(tmp_path / "store.sqlite3", most_bytes=120_000)
    _ = LossSeries(cp(order=3), store=store)[4]
    later = SQLiteStore(tmp_path / "store.sqlite3", most_bytes=120_000)  # another run
    chance = random.Random(1)
    for number in range(100):
        now += 3601
        store.keep(f"key {number}", chance.randbytes(5000))
        if number > 2:
            assert later.recall("key 2") is not None, "what is used stays"
        assert store.contents().bytes < 140_000
    held = store.contents()
    assert 5 < held.steps < 25
    assert (held.records, held.removed_records, held.damaged) == (5, 0, 0)
    assert held.removed_steps >= 100 - held.steps
    assert later.recall("key 3") is None and later.recall("key 99") is not None
    store.keep("too large", chance.randbytes(130_000))
    assert later.recall("too large") is None
    # Coefficients go when there is nothing else left to go.
    small = SQLiteStore(tmp_path / "store.sqlite3", most_bytes=20_000)
    _ = LossSeries(cp(order=2), store=small)[2]
    held = small.contents()
    assert held.steps == 0 and held.removed_records > 0
    assert small.clear() == held.records
    assert (small.contents().steps, small.contents().removed_steps) == (0, 0)


def test_a_file_of_the_first_layout_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    told: list[str] = []
    expected = LossSeries(cp(order=3), store=SQLiteStore(path))[3]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP INDEX steps_by_use; DROP TABLE removed; ALTER TABLE steps DROP COLUMN used;"
            "ALTER TABLE coefficients DROP COLUMN used; PRAGMA user_version = 1"
        )
    again = SQLiteStore(path, tell=told.append)
    assert again.contents().records == 4
    assert LossSeries(cp(order=3), store=again)[3] == expected
    assert told == []


def test_a_place_that_is_only_read_is_used_without_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting that a record is used is the only thing that cannot be done."""
    path = tmp_path / "store.sqlite3"
    expected = LossSeries(cp(order=3), store=SQLiteStore(path))[3]
    monkeypatch.setattr("diagflow.store.sqlite_store._NOTED_MILLISECONDS", 0)
    told: list[str] = []
    only_read = SQLiteStore(
        path,
        tell=told.append,
        connect=lambda place: sqlite3.connect(
            f"file:{place}?mode=ro", uri=True, isolation_level=None
        ),
    )
    assert LossSeries(cp(order=3), store=only_read)[3] == expected
    assert told == []


# --- what keeping costs ---------------------------------------------------------------------------


class Slow:
    """A store whose time is known."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.kept = 0

    def recall(self, key: str) -> bytes | None:
        return None

    def keep(self, key: str, data: bytes) -> None:
        self.kept += 1
        time.sleep(self.seconds)


def test_no_more_time_is_spent_on_keeping_than_pays() -> None:
    store = Slow(0.01)
    work = StepRunner(store=store)
    for _ in range(100):
        work.keep("key", lambda: b"data", 0.01)
    assert 1 <= store.kept <= 10, "a twentieth of the time, and the first"
    before = store.kept
    for _ in range(100):
        work.keep("key", lambda: b"data", 0.001)
    assert store.kept == before, "what is quick is not kept"
    for _ in range(100):
        work.keep("key", lambda: b"data", 1.0)
    assert store.kept == before + 100, "what is slow is"


def test_products_of_traces_leave_few_small_records(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.sqlite3")
    series = LossSeries(cp(order=2), store=store)
    _ = series[9]
    contracted = sum(series.cost(s).contractions for s in range(10))
    held = store.contents()
    assert held.steps < contracted / 100
    assert held.bytes < 100 * contracted
