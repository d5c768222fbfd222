"""Who does the steps of an expansion: this process, several, or the workers of a cluster.

Any `concurrent.futures.Executor` serves (`diagrams.engine.steps`); these are the two that the
command line offers. Workers ignore an interrupt: the process that gave them work ends them.

>>> with executor(jobs=1) as none:
...     print(none)
None

Source: ours.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module

from diagflow.workers import lifetime as worker
from diagrams.errors import DiagflowError, InvalidInputError

__all__ = ["executor"]

_LOGGER = logging.getLogger(__name__)

_CONNECT_SECONDS = 10


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker.begin()


def _prepare() -> None:
    import_module("diagrams.engine")


@contextmanager
def executor(*, jobs: int = 1, scheduler: str | None = None) -> Iterator[Executor | None]:
    """An executor for the time of a ``with`` block; None if this process does everything.

    Parameters
    ----------
    jobs : int, default 1
        Number of processes on this machine.
    scheduler : str, optional
        Address of a dask.distributed scheduler, such as ``tcp://10.0.0.1:8786``. Its workers need
        the same version of this package.

    Raises
    ------
    InvalidInputError
        If jobs is not positive, both are given, or nobody answers at the address.
    DiagflowError
        If dask.distributed is not installed.
    """
    worker.check_jobs(jobs)
    if scheduler is not None and jobs > 1:
        raise InvalidInputError(
            "--jobs and --scheduler: a cluster has its own number of workers; give one of them"
        )
    if scheduler is not None:
        with _cluster(scheduler) as cluster:
            yield cluster
    elif jobs == 1:
        yield None
    else:
        with worker.workers(jobs, initializer=_start) as made:
            try:
                for _ in range(jobs):
                    # the workers start while this process gets ready itself
                    made.pool.submit(_prepare)
                yield made.pool
            finally:
                made.pool.shutdown(wait=True, cancel_futures=True)
                reason = made.failure()
                if reason is not None:
                    _LOGGER.warning("diagflow: the workers did not do their part: %s", reason)


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise DiagflowError(
            "--scheduler: needs dask.distributed; install diagflow with the extra 'cluster'"
        ) from None
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InvalidInputError(
            f"--scheduler {address}: {' '.join(str(error).split())}; give the address that the "
            "scheduler prints when it starts"
        ) from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()
