"""How a process that works for another one begins and ends, and pools of such processes.

It uses one thread, so that processes do not get in each other's way and numbers do not depend on
how many there are. And it ends with the process that started it, however that ends: one that is
killed cannot notify its workers, which would wait for ever.

A new process imports the script that started it. A script without ``if __name__ == "__main__":``
would so start processes from every process. Such a process ends at once, with a status of its own,
by which the first process knows what is wrong.

Source: ours.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import current_process, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import Any

from threadpoolctl import threadpool_limits

from diagrams.errors import InvalidInputError

__all__ = ["Workers", "begin", "check_jobs", "workers"]

_NO_GUARD = 87
"""The exit status of a process whose script starts processes when it is imported."""


def check_jobs(jobs: int) -> None:
    """Reject an invalid number of processes before work is spent on anything.

    Raises
    ------
    InvalidInputError
        If it is not positive.
    """
    if jobs < 1:
        raise InvalidInputError(f"--jobs {jobs}: counts processes; give 1 or more")


def begin() -> None:
    """Called once in a new process, before it works."""
    threadpool_limits(limits=1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class _Recording(SpawnContext):
    """Processes that are started afresh, and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        process = SpawnProcess(*arguments, **options)
        self.started.append(process)
        return process


class Workers:
    """A pool, and what became of its processes.

    Parameters
    ----------
    pool : ProcessPoolExecutor
    context : _Recording
        Has its processes.
    """

    def __init__(self, pool: ProcessPoolExecutor, context: _Recording) -> None:
        self.pool = pool
        self._context = context

    def failure(self) -> str | None:
        """Why a process ended by itself, and the remedy; None if no reason is known."""
        statuses = {process.exitcode for process in self._context.started}
        if _NO_GUARD in statuses:
            return (
                "the script starts processes while they import it; put what it does under "
                'if __name__ == "__main__":, or give jobs 1'
            )
        if -signal.SIGKILL in statuses:
            return (
                "a process was stopped from outside, most likely for want of memory; give fewer "
                "jobs"
            )
        ended = sorted(s for s in statuses if s and s != -signal.SIGTERM)
        return f"a process ended with status {ended[0]}; give jobs 1 to see why" if ended else None


@contextmanager
def workers(
    jobs: int, *, initializer: Callable[..., None], arguments: tuple[Any, ...] = ()
) -> Iterator[Workers]:
    """A pool of new processes; work that has not begun is dropped at the end of the block.

    Parameters
    ----------
    jobs : int
        Number of processes.
    initializer : callable
        Called first in every process, with the arguments.
    """
    if getattr(current_process(), "_inheriting", False):
        os._exit(_NO_GUARD)  # this process imports the script that started it
    context = _Recording()
    pool = ProcessPoolExecutor(
        jobs, mp_context=context, initializer=initializer, initargs=arguments
    )
    try:
        yield Workers(pool, context)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
