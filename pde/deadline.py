"""A limit of time for numerical work that cannot know how long it takes.

>>> with seconds_left(60):
...     check_time("integration")

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from diagrams.errors import BudgetExceededError

__all__ = ["check_time", "seconds_left"]

_END: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def seconds_left(seconds: float | None) -> Iterator[None]:
    """Limit the work inside to a number of seconds, or not at all."""
    token = _END.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def check_time(what: str, reached: str = "") -> None:
    """Called now and then by long work.

    Parameters
    ----------
    what : str
        The work, for the message.
    reached : str, optional
        How far it is, such as ``t = 3.2 of 10``.

    Raises
    ------
    BudgetExceededError
        If the time is over.
    """
    end = _END.get()
    if end is not None and time.monotonic() > end:
        place = f", which ended at {reached}" if reached else ""
        raise BudgetExceededError(
            f"{what}: did not end in the time allowed{place}; raise budget.seconds, "
            "or give earlier times"
        )
