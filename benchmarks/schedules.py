"""How far the engine scales to many workers: docs/results/schedules.md.

    python -m benchmarks.schedules --page docs/results/schedules.md

runs every declared case once in a process of its own, which records the processor time of every
step, of what the main process does in between, and the bytes that would travel; what it found is
kept in a folder. From these times `benchmarks.virtual_cluster` finds how long the same work takes
on more workers. The same cases run with two real processes, for comparison; ``--turns 0`` leaves
that out.

``python -m benchmarks.schedules --case NAME`` is the child: it prints the recorded times as JSON.

Source: ours.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import astuple, dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import reach
from benchmarks.bystanders import watched
from benchmarks.cases import ReachCase
from benchmarks.virtual_cluster import (
    AT_ONCE,
    NetworkSpeed,
    Schedule,
    TimedRound,
    TimedStep,
    simulate,
)
from diagrams.engine.steps import EngineStep, Merger, StepRunner

if TYPE_CHECKING:
    from diagrams.engine.blocks import Tick

__all__ = ["CASES", "WORKERS", "MeasuredRun", "Recording", "page", "record"]

WORKERS = (1, 2, 8, 64, 512)
"""Numbers of workers on the page."""

TURNS = 3
"""How often each case runs with real processes."""

ETHERNET = NetworkSpeed(latency=0.0005, bandwidth=125e6)
"""One gigabit per second for each direction, half a millisecond for each way."""

_FEW = 0.5
"""Others, on average, up to which a run is nearly alone."""

_AS_GOOD = 0.95
"""The share of the largest speed-up that is enough."""

CASES = (
    ReachCase(order=3, symmetric=True, terms=6, quick_terms=4),
    ReachCase(order=3, symmetric=False, terms=6, quick_terms=4),
    ReachCase(order=4, symmetric=False, terms=6, quick_terms=4),
)

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Recording:
    """The rounds of the last coefficient of a case, and what travels with every hand-over."""

    rounds: tuple[TimedRound, ...]
    envelope: int
    enveloping: float

    @property
    def serial(self) -> float:
        """Seconds of the main process if it shares nothing."""
        return sum(one.serial for one in self.rounds)

    @property
    def parallel(self) -> float:
        """Seconds of all steps."""
        return sum(one.parallel for one in self.rounds)

    @property
    def seconds(self) -> float:
        """Seconds by one process."""
        return self.serial + self.parallel

    @property
    def steps(self) -> int:
        return sum(len(one.steps) for one in self.rounds)

    def on(
        self,
        workers: int,
        *,
        cores: float = inf,
        others: float = 0.0,
        network: NetworkSpeed = AT_ONCE,
    ) -> Schedule:
        """The schedule on some workers."""
        return simulate(
            self.rounds,
            workers,
            cores=cores,
            others=others,
            network=network,
            envelope=self.envelope,
            enveloping=self.enveloping,
        )

    def to_json(self) -> str:
        """The text that `from_json` reads."""
        rounds = [
            (one.before, one.after, [astuple(step) for step in one.steps]) for one in self.rounds
        ]
        return json.dumps([rounds, self.envelope, self.enveloping])

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """What `to_json` wrote."""
        rounds, envelope, enveloping = json.loads(text)
        return cls(
            tuple(
                TimedRound(tuple(TimedStep(*step) for step in steps), before, after)
                for before, after, steps in rounds
            ),
            envelope,
            enveloping,
        )


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """Seconds of the last coefficient by real processes, and who else was there."""

    jobs: int
    seconds: float
    others: float
    cores: float

    def simulated(self, recording: Recording) -> float:
        """What the simulation says, with as many others."""
        if self.jobs > 1:
            return recording.on(self.jobs, cores=self.cores, others=self.others).seconds
        return recording.seconds / min(1.0, self.cores / (1 + self.others))


# -- the child -------------------------------------------------------------------------------------


class _Recorder(StepRunner):
    """Carries out steps here, and writes down what each of them and all between them takes."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[TimedRound] = []
        self.merger: Merger | None = None
        self._last = time.process_time()

    def begin(self) -> None:
        """Forget what was."""
        self.rounds = []
        self._last = time.process_time()

    def passed(self) -> float:
        """Seconds of a processor since the last call."""
        before, self._last = self._last, time.process_time()
        return self._last - before

    def results(
        self, merger: Merger, steps: Iterable[EngineStep[Any]], tick: Tick
    ) -> Generator[Any]:
        self.merger = merger
        before = self.passed()
        timed: list[TimedStep] = []
        taking = 0.0
        try:
            for step in steps:
                making = self.passed()
                sent, packing, _ = self._travelled(step)
                result = step.carry_out(merger)
                seconds = self.passed()
                returned, _, unpacking = self._travelled(result)
                yield result
                taking = self.passed()
                timed.append(TimedStep(making, seconds, taking, packing, unpacking, sent, returned))
        finally:
            self.rounds.append(TimedRound(tuple(timed), before, self.passed()))

    def _travelled(self, value: Any) -> tuple[int, float, float]:
        """Bytes of a value on its way, and seconds for packing and unpacking it."""
        self.passed()
        data = pickle.dumps(value)
        packing = self.passed()
        pickle.loads(data)
        return len(data), packing, self.passed()

    def envelope(self) -> tuple[int, float]:
        """Bytes and seconds for what travels with the steps of every hand-over."""
        assert self.merger is not None
        size, packing, _ = self._travelled((type(self.merger), self.merger.blocks))
        return size, packing


def record(case: ReachCase, terms: int) -> Recording:
    """The recorded times of Y_terms, the others having been computed before."""
    from diagrams.flow import Flow
    from expansion.models import cp

    problem = cp(order=case.order, symmetric=case.symmetric)
    recorder = _Recorder()
    flow = Flow(problem.loss, problem.loss, work=recorder)
    for s in range(terms):
        flow.expectation(s)
    recorder.begin()
    flow.expectation(terms)
    recorder.rounds.append(TimedRound((), recorder.passed()))
    return Recording(tuple(recorder.rounds), *recorder.envelope())


# -- the parent ------------------------------------------------------------------------------------


def run(case: ReachCase, terms: int) -> Recording:
    """A recording from a fresh process."""
    module = __name__ if __name__ != "__main__" else "benchmarks.schedules"
    command = [sys.executable, "-m", module, "--case", case.name, "--terms", str(terms)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Recording.from_json(done.stdout)


def measure(case: ReachCase, terms: int, jobs: int) -> MeasuredRun:
    """Seconds of the last coefficient by real processes."""
    with watched() as (forget, bystanders):
        last = MeasuredRun(jobs, 0.0, 0.0, 1.0)

        def follow(step: reach.Step) -> None:
            nonlocal last
            found = bystanders()
            last = MeasuredRun(jobs, step.seconds, found.others, found.cores)
            forget()

        done = reach.run(case, terms=terms, jobs=jobs, follow=follow)
    if not done.finished:
        raise RuntimeError(
            f"{case.name}: ended with status {done.status}; run it by itself to see why"
        )
    return last


Result = tuple[ReachCase, int, Recording, Sequence[MeasuredRun]]


def page(results: Sequence[Result]) -> str:
    """The page of the documentation."""
    lines = [
        "# Schedules",
        "",
        "How far an expansion scales when several processes share a coefficient "
        "([Run on many cores](../how-to/run-on-many-cores.md)): a simulation from recorded times. "
        "`python -m benchmarks.schedules` writes this page. One process computes the coefficient "
        "and records seconds of a processor: for every step, for what the main process does "
        "between them, for packing and unpacking what would travel, and its bytes. The engine's "
        "own rule (`diagrams.engine.steps.StepRunner`: which steps are handed over together, how "
        "many are under way, in which order results are taken) then runs with these times in place "
        "of real workers. Every process has a processor of its own; the main process is not "
        "counted among the workers.",
        "",
        "## What is serial",
        "",
        "The main process enters results into its table and passes on what diagrams carry: "
        "*serial* is its share of the time by one process. With workers it packs steps and unpacks "
        "results besides. *Limit* is the time by one process over that of the main process then: "
        "no number of workers is faster. *Enough* is the number of workers, a power of two, that "
        f"reaches {100 * _AS_GOOD:.0f} % of what {WORKERS[-1]} reach.",
        "",
        "| coefficient | one process, seconds | serial, seconds | serial | packing, seconds "
        "| limit | enough | steps | MB to the workers | MB back |",
        "|:---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_serial_line(result) for result in results),
        "",
        "## How far it scales",
        "",
        "Speed-up over one process without any. *Busy* is the share of its time that a worker "
        "works. *Network* is what goes through the main process's connection, both directions "
        "together; the last column has a network with one gigabit per second and half a "
        "millisecond for each way, in place of one that takes no time. What a scheduler between "
        "main process and workers takes for itself is not counted.",
    ]
    for result in results:
        lines += ["", f"### {_title(result)}", "", *_table(result[2])]
    compared = [result for result in results if result[3]]
    if compared:
        lines += _comparison(compared)
    return "\n".join(lines) + "\n"


def _title(result: Result) -> str:
    case, terms, _, _ = result
    return f"{case.title}, Y_{terms}"


def _serial_line(result: Result) -> str:
    recording = result[2]
    schedule = recording.on(1)
    packing = schedule.main - recording.serial
    return (
        f"| {_title(result)} | {recording.seconds:.2f} | {recording.serial:.2f} "
        f"| {100 * recording.serial / recording.seconds:.0f} % | {packing:.2f} "
        f"| {recording.seconds / schedule.main:.1f} | {_enough(recording)} | {recording.steps} "
        f"| {schedule.sent / 1e6:.1f} | {schedule.returned / 1e6:.1f} |"
    )


def _enough(recording: Recording) -> int:
    """The least power of two of workers that is as good as the largest number."""
    best = recording.on(WORKERS[-1]).seconds
    workers = 1
    while recording.on(workers).seconds > best / _AS_GOOD:
        workers *= 2
    return workers


def _table(recording: Recording) -> list[str]:
    lines = [
        "| workers | seconds | speed-up | busy | most hand-overs under way | network, MB/s "
        "| speed-up, gigabit |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for workers in WORKERS:
        ideal = recording.on(workers)
        real = recording.on(workers, network=ETHERNET)
        lines.append(
            f"| {workers} | {ideal.seconds:.2f} | {recording.seconds / ideal.seconds:.2f} "
            f"| {100 * ideal.use:.0f} % | {ideal.under_way} "
            f"| {(ideal.sent + ideal.returned) / ideal.seconds / 1e6:.1f} "
            f"| {recording.seconds / real.seconds:.2f} |"
        )
    return lines


def _comparison(results: Sequence[Result]) -> list[str]:
    lines = [
        "",
        "## Against real processes",
        "",
        "The same coefficient by one real process, and by a main process with two workers, on a "
        f"machine with {os.cpu_count()} processors that all of them share with each other and with "
        "others. How many others want to run is counted some times a second meanwhile; the "
        "simulation has as many processors and as many others on average, and gives everybody the "
        "same share, which a system need not do. Seconds of a clock, one line for each run.",
        "",
        "| coefficient | workers | others | measured, seconds | simulated | simulated / measured |",
        "|:---|---:|---:|---:|---:|---:|",
    ]
    ratios: dict[tuple[bool, int], list[float]] = {}
    for result in results:
        for one in sorted(result[3], key=lambda one: (one.jobs, one.others)):
            simulated = one.simulated(result[2])
            ratios.setdefault((one.others > _FEW, one.jobs), []).append(simulated / one.seconds)
            workers = "none" if one.jobs == 1 else one.jobs
            lines.append(
                f"| {_title(result)} | {workers} | {one.others:.1f} | {one.seconds:.2f} "
                f"| {simulated:.2f} | {simulated / one.seconds:.2f} |"
            )
    lines += ["", "Medians of simulated / measured:", ""]
    lines += [
        f"- {median(found):.2f} "
        + ("by one process" if jobs == 1 else f"with {jobs} workers")
        + (", others being there" if crowded else ", nearly alone")
        + f" ({len(found)} {'run' if len(found) == 1 else 'runs'})"
        for (crowded, jobs), found in sorted(ratios.items())
    ]
    return lines


def _result(path: Path, case: ReachCase, terms: int, turns: int) -> Result:
    """A result from the folder, or a new one, which is kept there."""
    if not path.exists():
        measured = [measure(case, terms, jobs) for _ in range(turns) for jobs in (1, 2)]
        text = run(case, terms).to_json()
        path.write_text(json.dumps([text, [astuple(one) for one in measured]]))
    text, rows = json.loads(path.read_text())
    return case, terms, Recording.from_json(text), [MeasuredRun(*row) for row in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases of the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedules", description=__doc__)
    parser.add_argument("--case", metavar="NAME", help="print the recorded times of one case")
    parser.add_argument("--terms", type=int, metavar="S", help="the coefficient, with --case")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page")
    parser.add_argument("--quick", action="store_true", help="smaller s")
    parser.add_argument("--turns", type=int, default=TURNS, help="runs of real processes")
    parser.add_argument("--fresh", action="store_true", help="do kept cases again")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / "out" / "schedules", help="folder of kept results"
    )
    options = parser.parse_args(arguments)
    if options.case is not None:
        [case] = [case for case in CASES if case.name == options.case]
        terms = case.terms if options.terms is None else options.terms
        print(record(case, terms).to_json())
        return 0
    console = Console(stderr=True)
    options.kept.mkdir(parents=True, exist_ok=True)
    results = []
    for number, case in enumerate(CASES, start=1):
        terms = case.last(quick=options.quick)
        path = options.kept / f"{case.name.replace(':', '_')}_{terms}.json"
        if options.fresh:
            path.unlink(missing_ok=True)
        results.append(_result(path, case, terms, options.turns))
        console.print(f"{number}/{len(CASES)} {_title(results[-1])}", highlight=False)
    if options.page is None:
        print(page(results), end="")
    else:
        options.page.write_text(page(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
