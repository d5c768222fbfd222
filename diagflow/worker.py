"""How a process that works for another one begins and ends.

It uses one thread, so that processes do not get in each other's way and numbers do not depend on
how many there are. And it ends with the process that started it, however that ends: one that is
killed cannot tell its workers, which would wait for ever.

Source: ours.
"""

from __future__ import annotations

import os
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread

from threadpoolctl import threadpool_limits

__all__ = ["begin"]


def begin() -> None:
    """Called once in a new process, before it works."""
    threadpool_limits(limits=1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
