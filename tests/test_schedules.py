"""The simulation of schedules: values known by hand, laws, and the rule of the engine."""

import json
import os
import pickle
import random
import re
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from hashlib import pbkdf2_hmac
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bystanders import watched
from benchmarks.cases import ReachCase
from benchmarks.schedules import CASES, WORKERS, MeasuredRun, Recording, main, page, record
from benchmarks.virtual_cluster import NetworkSpeed, TimedRound, TimedStep, simulate
from diagrams.engine.steps import StepRunner
from diagrams.flow import Flow
from expansion.models import cp

ROOT = Path(__file__).resolve().parent.parent

SMALL = ReachCase(order=3, symmetric=False, terms=5, quick_terms=4)


def seconds(steps: list[TimedStep], workers: int, **options: Any) -> float:
    return simulate([TimedRound(steps)], workers, **options).seconds


def mixed(seed: int) -> list[TimedRound]:
    """Rounds of all lengths with times that are no round numbers."""
    draw = random.Random(seed)
    return [
        TimedRound(
            [
                TimedStep(
                    making=draw.random(),
                    seconds=draw.random(),
                    taking=draw.random(),
                    packing=draw.random(),
                    unpacking=draw.random(),
                    sent=draw.randrange(100),
                    returned=7,
                )
                for _ in range(count)
            ],
            draw.random(),
            draw.random(),
        )
        for count in (0, 1, 3, 17, 150)
    ]


def test_one_worker_takes_the_sum_of_the_steps() -> None:
    steps = [TimedStep(seconds=0.25 * number) for number in range(200)]
    assert seconds(steps, 1) == sum(step.seconds for step in steps)


@pytest.mark.parametrize("workers", [1, 2, 30])
def test_on_one_processor_everything_is_a_sum(workers: int) -> None:
    rounds = mixed(1)
    found = simulate(rounds, workers, cores=1, enveloping=0.5)
    steps = [step for one in rounds for step in one.steps]
    expected = sum(one.serial + one.parallel for one in rounds)
    expected += sum(step.packing + step.unpacking for step in steps) + 0.5 * found.hand_overs
    assert found.seconds == pytest.approx(expected)
    assert found.main + found.busy == pytest.approx(expected)


@pytest.mark.parametrize(
    ("times", "workers", "expected"),
    [
        ([1.0, 1.0, 1.0], 3, 1.0),
        ([1.0, 1.0, 1.0], 2, 2.0),
        ([3.0, 1.0, 1.0, 1.0], 2, 3.0),
        ([1.0, 1.0, 1.0, 3.0], 2, 4.0),  # who is free takes the first that waits
        ([5.0], 64, 5.0),
        ([], 2, 0.0),
    ],
)
def test_few_steps_are_handed_over_one_by_one(
    times: list[float], workers: int, expected: float
) -> None:
    found = simulate([TimedRound([TimedStep(seconds=time) for time in times])], workers)
    assert found.seconds == expected
    assert found.hand_overs == len(times)
    assert found.use == (sum(times) / workers / expected if expected else 0.0)


def test_the_main_process_takes_results_while_the_next_are_made() -> None:
    steps = [TimedStep(seconds=1.0, taking=0.5)] * 2
    assert seconds(steps, 1) == 2.5  # takes from 1 to 1.5 and from 2 to 2.5
    assert seconds(steps, 2) == 2.0  # both are there after 1


def test_rounds_follow_each_other() -> None:
    one = TimedRound([TimedStep(seconds=1.0)] * 2, before=0.25, after=0.5)
    assert simulate([one, one, one], 2).seconds == 3 * 1.75


def test_packing_is_done_by_the_main_process() -> None:
    steps = [TimedStep(seconds=1.0, packing=0.25, unpacking=0.5)] * 2
    # Begun at 0.25 and 0.5, back at 1.25 and 1.5, unpacked from 1.25 to 2.25.
    assert seconds(steps, 2) == 2.25
    assert seconds(steps, 2, enveloping=0.25) == 2.5


def test_the_network_takes_its_time_both_ways() -> None:
    network = NetworkSpeed(latency=0.5, bandwidth=100.0)
    step = TimedStep(seconds=1.0, sent=60, returned=200)
    assert seconds([step], 1, network=network, envelope=40) == 1.0 + 0.5 + 1.0 + 2.0 + 0.5
    # The second is sent after the first, and its result waits for that of the first.
    assert seconds([step] * 2, 2, network=network, envelope=40) == 1.0 + 0.5 + 1.0 + 4.0 + 0.5
    found = simulate([TimedRound([step] * 2)], 2, network=network, envelope=40)
    assert (found.sent, found.returned) == (200, 400)


def test_processors_are_shared_evenly() -> None:
    steps = [TimedStep(seconds=1.0)] * 2
    assert seconds(steps, 2, cores=1.5) == pytest.approx(4 / 3)
    # The shorter is done when both have worked one second, after 4/3; the other has a whole one.
    steps = [TimedStep(seconds=1.0), TimedStep(seconds=2.0)]
    assert seconds(steps, 2, cores=1.5) == pytest.approx(4 / 3 + 1)


def test_others_have_their_share() -> None:
    steps = [TimedStep(seconds=1.0, taking=1.0)]
    assert seconds(steps, 1, cores=2, others=1) == 2.0
    assert seconds(steps, 1, cores=2, others=3) == 4.0
    assert MeasuredRun(1, 5.0, others=3.0, cores=2.0).simulated(timed(steps)) == 4.0
    assert MeasuredRun(2, 5.0, others=3.0, cores=2.0).simulated(timed(steps)) == 4.0


def timed(steps: list[TimedStep]) -> Recording:
    return Recording((TimedRound(steps),), 0, 0.0)


def test_bystanders_are_others_only() -> None:
    """Threads of this process that work, more than anybody else has, are none of them."""
    own = 24
    with watched() as (forget, found), ThreadPoolExecutor(own) as threads:
        work = [threads.submit(pbkdf2_hmac, "sha256", b"", b"", 150_000) for _ in range(own)]
        for one in work:
            one.result()
        busy = found()
        forget()
        assert 0 <= busy.others < own / 2
        assert 0 < busy.cores <= (os.cpu_count() or 1)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_faster_than_the_main_process_or_than_all_workers(seed: int) -> None:
    rounds = mixed(seed)
    work = sum(one.parallel for one in rounds)
    for workers in WORKERS:
        found = simulate(rounds, workers)
        assert found.busy == pytest.approx(work)
        assert found.seconds >= max(found.main, work / workers) * (1 - 1e-12)
        assert found.seconds <= (found.main + work) * (1 + 1e-12)
        slow = simulate(rounds, workers, network=NetworkSpeed(latency=0.1, bandwidth=1e4))
        assert slow.seconds > found.seconds
    assert found.under_way <= 22, "the rule has 64 steps and those held back under way"


class Counting(Executor):
    """Does everything at once and counts."""

    def __init__(self) -> None:
        self.given = 0
        self.bytes = 0

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        self.given += 1
        self.bytes += len(pickle.dumps(args))
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(SMALL, 5)


def test_the_schedule_is_that_of_the_engine(recording: Recording) -> None:
    """As many hand-overs as the engine makes, with about as many bytes."""
    executor = Counting()
    problem = cp(order=3)
    flow = Flow(problem.loss, problem.loss, work=StepRunner(executor))
    for s in range(5):
        flow.expectation(s)
    given, size = executor.given, executor.bytes
    flow.expectation(5)
    found = recording.on(2)
    assert found.hand_overs == executor.given - given > 10
    # Steps that are packed together share a few names.
    assert found.sent == pytest.approx(executor.bytes - size, rel=0.1)


def test_a_recording_is_a_sum_of_its_parts(recording: Recording) -> None:
    assert recording.serial > 0 and recording.parallel > 0
    assert recording.steps == sum(len(one.steps) for one in recording.rounds) > 20
    assert all(step.sent > 0 and step.returned > 0 for r in recording.rounds for step in r.steps)
    assert Recording.from_json(recording.to_json()) == recording
    assert recording.on(3, cores=1).seconds == pytest.approx(
        recording.on(1).main + recording.parallel
    )


def test_a_page_of_small_cases(recording: Recording, tmp_path: Path) -> None:
    text = page(
        [(SMALL, 5, recording, [MeasuredRun(1, 2.0, 0.0, 2.0), MeasuredRun(2, 1.0, 0.5, 2.0)])]
    )
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows if len(row) == 7][1:] == [*map(str, WORKERS)]
    assert any("ASYM order 3, Y_5" in row[0] and row[3] == "2.00" for row in rows)
    alone = page([(SMALL, 5, recording, [])])
    assert "Against real processes" in text and "Against real processes" not in alone


def test_what_is_kept_is_not_measured_again(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in CASES:
        path = tmp_path / f"{case.name.replace(':', '_')}_{case.terms}.json"
        path.write_text(json.dumps([recording.to_json(), [[1, 1.0, 0.0, 2.0]]]))
    written = tmp_path / "page.md"
    assert main(["--kept", str(tmp_path), "--page", str(written)]) == 0
    assert main(["--kept", str(tmp_path)]) == 0
    assert capsys.readouterr().out == written.read_text()


def test_the_committed_page_adds_up() -> None:
    text = (ROOT / "docs" / "results" / "schedules.md").read_text(encoding="utf-8")
    tables = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(tables) == len(CASES)
    for case, table in zip(CASES, tables, strict=True):
        title = f"{case.title}, Y_{case.terms}"
        assert table.startswith(title)
        [whole] = [line.split(" | ") for line in text.splitlines() if line.count("|") == 11
                   and line.startswith(f"| {title} ")]  # fmt: skip
        limit = float(whole[5])
        ups = [float(line.split(" | ")[2]) for line in table.splitlines()
               if re.match(r"\| \d+ \|", line)]  # fmt: skip
        assert len(ups) == len(WORKERS)
        assert ups == sorted(ups)
        assert ups[-1] <= limit + 0.05
