"""How far the series goes: Y_0 ... Y_s in a fresh process, with its time and its peak memory.

``python -m benchmarks.reach ORDER sym|asym TERMS JOBS`` is the child: it prints one JSON line for
every finished coefficient, flushed at once, so that the parent can follow it. `run` starts it and
measures its wall time from outside: the start of the interpreter and the imports count, the time
that the host of a virtual machine gives to others while this one wants to run does not.

The peak memory is that of the child itself. What Linux reports of a finished process counts the
one that started it, so the child reads its own peak from ``/proc``; elsewhere the parent stays
small: nothing of the engine is imported at the top of this module.

Source: ours.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from benchmarks.cases import MEMORY_LIMIT, TIME_LIMIT, ReachCase

__all__ = ["Reach", "Step", "run", "stolen_seconds"]

PATIENCE = 3 * TIME_LIMIT
"""Seconds after which a child that misses its limit is stopped."""


@dataclass(frozen=True)
class Step:
    """One finished coefficient: its cost, its digest, the peak memory of the process so far."""

    s: int
    seconds: float
    diagrams: int
    contractions: int
    memory: int
    digest: str = ""


@dataclass(frozen=True)
class Reach:
    """The results of a child: its steps, its time, its exit status.

    ``seconds`` is the wall time without the share of ``stolen``, the seconds of all processors that
    the host gave to others.
    """

    case: ReachCase
    terms: int
    steps: tuple[Step, ...]
    seconds: float
    status: int
    stolen: float = 0.0

    @property
    def finished(self) -> bool:
        return self.status == 0 and len(self.steps) == self.terms + 1

    @property
    def met(self) -> bool:
        """Whether all coefficients came within the limits of time and memory."""
        return self.finished and self.seconds <= TIME_LIMIT and self.memory <= MEMORY_LIMIT

    @property
    def diagrams(self) -> int:
        """Distinct diagrams of the last coefficient, before contraction."""
        return self.steps[-1].diagrams if self.steps else 0

    @property
    def contractions(self) -> int:
        """Distinct diagrams contracted for all coefficients."""
        return sum(step.contractions for step in self.steps)

    @property
    def contraction_seconds(self) -> float:
        """Seconds for each of them, merging included."""
        return sum(step.seconds for step in self.steps) / max(1, self.contractions)

    @property
    def memory(self) -> int:
        """Peak memory in bytes."""
        return self.steps[-1].memory if self.steps else 0

    @property
    def growth(self) -> tuple[float, ...]:
        """The time of each of the last coefficients over that of the one before, three at most."""
        last = self.steps[-4:]
        return tuple(
            after.seconds / before.seconds for before, after in pairwise(last) if before.seconds > 0
        )


def run(
    case: ReachCase,
    *,
    terms: int | None = None,
    jobs: int = 1,
    follow: Callable[[Step], None] | None = None,
) -> Reach:
    """Run a case in a fresh process.

    Parameters
    ----------
    case
        The problem.
    terms
        The last coefficient, if not the declared one.
    jobs
        Number of processes that merge and contract.
    follow
        Called with every finished step.
    """
    last = case.terms if terms is None else terms
    family = "sym" if case.symmetric else "asym"
    command = [sys.executable, "-m", __name__, str(case.order), family, str(last), str(jobs)]
    steps: list[Step] = []
    start, stolen = time.perf_counter(), stolen_seconds()
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        timer = threading.Timer(PATIENCE, child.kill)
        timer.start()
        try:
            for line in child.stdout or ():
                steps.append(Step(**json.loads(line)))
                if follow is not None:
                    follow(steps[-1])
            status = child.wait()
        finally:
            timer.cancel()
            child.kill()
    stolen = stolen_seconds() - stolen
    seconds = time.perf_counter() - start - stolen / jobs
    return Reach(case, last, tuple(steps), seconds, status, stolen)


def stolen_seconds() -> float:
    """Processor time that was given to other machines since the start; 0 where it is unknown."""
    import psutil

    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def peak_memory() -> int:
    """Peak memory of this process in bytes."""
    import resource

    # ru_maxrss of a process counts the peak of the one that started it, on Linux.
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
        if found is not None:
            return int(found.group(1)) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def child(arguments: Sequence[str]) -> None:
    """Expand one problem and print a line for every coefficient."""
    from diagflow.workers.executors import executor
    from diagflow.workers.startup import import_igraph_without_matplotlib

    order, family, terms, jobs = arguments
    with executor(jobs=int(jobs)) as workers:
        import_igraph_without_matplotlib()
        from expansion.models import cp
        from expansion.series import LossSeries

        series = LossSeries(cp(order=int(order), symmetric=family == "sym"), executor=workers)
        for s in range(int(terms) + 1):
            cost = series.cost(s)
            digest = sha256(str(series[s]).encode()).hexdigest()
            step = Step(s, cost.seconds, cost.diagrams, cost.contractions, peak_memory(), digest)
            print(json.dumps(vars(step)), flush=True)


if __name__ == "__main__":
    child(sys.argv[1:])
