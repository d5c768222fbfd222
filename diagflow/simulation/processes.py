"""Processes that share the runs of an ensemble.

Convention. Every process begins and ends by `diagflow.workers.lifetime`. An interrupt of the
user ends the processes silently; the caller has the results that they had finished.

>>> with processes(2) as pool:
...     sorted(pool.map(abs, [-1, -2, 3]))
[1, 2, 3]

Source: ours.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from diagflow.workers import lifetime as worker
from diagrams.errors import BudgetExceededError

__all__ = ["processes"]


def _start(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    worker.begin()
    if prepare is not None:
        prepare(*arguments)


@contextmanager
def processes(
    jobs: int, *, prepare: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, each prepared by a function; unfinished work ends with the block.

    Raises
    ------
    BudgetExceededError
        If a process ends before its work is done: it was stopped from outside, or the script that
        starts it does so wherever it is imported.
    """
    with worker.workers(jobs, initializer=_start, arguments=(prepare, arguments)) as made:
        try:
            yield made.pool
        except BrokenProcessPool:
            made.pool.shutdown(wait=True)
            reason = made.failure() or "a process ended before its work was done; give fewer jobs"
            raise BudgetExceededError(f"simulation: {reason}") from None
