"""Who else wants the processors while something is timed, on Linux.

A run that shares its machine takes longer by what others take. How many others there are on
average, and how much of the processors the host of a virtual machine gives away, is enough for a
simulation to take it into account (`benchmarks.virtual_cluster`). Where the system does not tell,
there is nobody.

Source: ours.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import psutil

from benchmarks.reach import stolen_seconds

__all__ = ["Bystanders", "watched"]

_PERIOD = 0.25
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Bystanders:
    """On average over some time: threads of others that want to run, and processors taken away."""

    others: float = 0.0
    stolen: float = 0.0

    @property
    def cores(self) -> float:
        """The processors that are there."""
        return (os.cpu_count() or 1) - self.stolen


@contextmanager
def watched() -> Iterator[tuple[Callable[[], None], Callable[[], Bystanders]]]:
    """Two functions for the time of a ``with`` block: one forgets what was, one tells what is.

    This process and all that it has started are none of the others.

    Examples
    --------
    >>> with watched() as (forget, found):
    ...     forget()
    ...     found().others >= 0
    True
    """
    looks: list[int] = []
    begun = [time.perf_counter(), stolen_seconds()]
    ended = threading.Event()

    def forget() -> None:
        looks.clear()
        begun[:] = time.perf_counter(), stolen_seconds()

    def found() -> Bystanders:
        passed = time.perf_counter() - begun[0]
        stolen = (stolen_seconds() - begun[1]) / passed if passed > _PERIOD else 0.0
        return Bystanders(fmean(looks) if looks else 0.0, stolen)

    def look() -> None:
        while not ended.wait(_PERIOD):
            everybody = _running()
            if everybody is not None:
                looks.append(max(0, everybody - _own()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield forget, found
    finally:
        ended.set()
        thread.join()


def _running() -> int | None:
    """Threads that run or want to; None if the system does not tell."""
    try:
        text = Path("/proc/stat").read_text()
    except OSError:
        return None
    found = re.search(r"^procs_running (\d+)$", text, re.MULTILINE)
    return None if found is None else int(found.group(1))


def _own() -> int:
    """Those of this process and its descendants."""
    this = psutil.Process()
    total = 0
    with suppress(psutil.Error):
        for process in (this, *this.children(recursive=True)):
            for path in Path(f"/proc/{process.pid}/task").glob("*/stat"):
                with suppress(OSError):
                    total += path.read_text().rpartition(")")[2].split()[0] == "R"
    return total
