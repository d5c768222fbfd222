"""Processes that share the runs of an ensemble.

Convention. Every process begins and ends as `diagflow.worker` says. An interrupt of the user ends
the processes without a word; what they had finished is kept by the caller.

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
from multiprocessing import get_context
from typing import Any

from diagflow import worker
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
        If a process is stopped from outside.
    """
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(prepare, arguments)
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise BudgetExceededError(
            "simulation: a process was stopped from outside, most likely for want of memory; "
            "give fewer jobs"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
