"""A limit on the seconds that a part of a program may take, whatever that part is.

Definition. Inside `time_limit` the program is interrupted when the time is over, as by Ctrl-C: the
work is left where it is, and `BudgetExceededError` is raised at the end of the ``with`` block.
Limits may stand inside each other; the one that is over first ends its own block.

Convention. Time is that of the clock on the wall. The interrupt is the alarm of the operating
system, which only the main thread of a process can set. In other threads, and on systems without
alarms, the limit is looked at when the block is left and where `check` is called.

>>> import time
>>> with time_limit(0.05, "sleep"):
...     time.sleep(60)
Traceback (most recent call last):
...
diagrams.errors.BudgetExceededError: budget: sleep needs more than 0.05 seconds; raise --max-seconds

Source: ours.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from types import FrameType

from diagrams.arguments import shown
from diagrams.errors import BudgetExceededError, InvalidInputError

__all__ = ["OutOfTime", "TimeLimit", "check_seconds", "time_limit"]

_SOON = 1e-6
"""An alarm in no seconds would be none."""

_SHORTLY = 0.01
"""Seconds after which an alarm that rang on the way into a block rings again."""

_LONGEST = 1e9
"""Seconds of the longest limit: alarms of the operating system have one."""

_AGAIN = 10.0
"""Seconds after which an alarm rings again: one that rings while Python frees an object is lost."""


class OutOfTime(BaseException):  # no error: nothing inside may catch it
    """The time of a limit is over."""

    def __init__(self, limit: TimeLimit) -> None:
        super().__init__()
        self.limit = limit


@dataclass(frozen=True, slots=True, eq=False)
class TimeLimit:
    """A limit that has begun.

    Parameters
    ----------
    what : str
        What may take the time, for the message.
    seconds : float or None
        The time it may take; None is no limit.
    end : float
        When that is over, by `time.monotonic`.
    """

    what: str
    seconds: float | None
    end: float

    @classmethod
    def begun(cls, seconds: float | None, what: str) -> TimeLimit:
        """A limit that begins now, and interrupts nothing by itself.

        Raises
        ------
        InvalidInputError
            If it is not positive.
        """
        check_seconds(seconds)
        return cls(what, seconds, time.monotonic() + (seconds or 0.0))

    @property
    def left(self) -> float | None:
        """Seconds that are left; None if there is no limit.

        They are positive, and hardly any when the time is over, so that they are a limit again.
        """
        return None if self.seconds is None else max(_SOON, self.end - time.monotonic())

    def share(self, parts: int) -> float | None:
        """Seconds for the next of so many parts, so that none of them takes the time of the others.

        What a part leaves of its share is shared by those after it.

        Examples
        --------
        >>> limit = TimeLimit.begun(60, "report")
        >>> 14.9 < limit.share(4) <= 15, limit.share(1) <= 60
        (True, True)
        """
        return None if self.left is None else max(_SOON, self.left / max(1, parts))

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self.seconds is not None and time.monotonic() >= self.end

    def check(self) -> None:
        """Raise `BudgetExceededError` if the time is over."""
        if self.is_over:
            raise self.exceeded

    @property
    def exceeded(self) -> BudgetExceededError:
        """The error of an exceeded limit."""
        return BudgetExceededError(
            f"budget: {self.what} needs more than {self.seconds:g} seconds; raise --max-seconds"
        )


def check_seconds(seconds: float | None, name: str = "budget") -> None:
    """Reject a limit that is not positive, or too long for an alarm.

    Raises
    ------
    InvalidInputError
        If it is not; "not a number" is not.
    """
    # The negation rejects "not a number", too.
    if seconds is not None and not (isinstance(seconds, Real) and seconds > 0):
        raise InvalidInputError(
            f"{name} of {shown(seconds)} seconds: must be positive; raise it or leave it out"
        )
    if seconds is not None and seconds > _LONGEST:
        raise InvalidInputError(
            f"{name} of {shown(seconds)} seconds: is longer than 30 years; leave it out"
        )


@contextmanager
def time_limit(seconds: float | None, what: str) -> Iterator[TimeLimit]:
    """Interrupt the block when it takes too long.

    Parameters
    ----------
    seconds : float, optional
        Positive; None is no limit.
    what : str
        What may take the time, for the message.

    Raises
    ------
    InvalidInputError
        If the limit is not positive.
    BudgetExceededError
        At the end of the block, if the time was over before.
    """
    limit = TimeLimit.begun(seconds, what)
    if seconds is None:
        yield limit
    elif not _has_alarm() or 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield limit  # another limit, around this one, is over first
        limit.check()
    else:
        try:
            with _alarm(limit):
                yield limit
        except (OutOfTime, SystemError) as error:
            out = _out_of_time(error)
            if out is None or out.limit is not limit:
                raise (out or error) from None
            raise limit.exceeded from None
        limit.check()  # the alarm may have come too late to interrupt


_BETWEEN = frozenset({__file__, contextlib.__file__, weakref.__file__})
"""Code that enters and leaves blocks, and finalizers, whose exceptions Python prints and drops."""


def _has_alarm() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _out_of_time(error: BaseException) -> OutOfTime | None:
    """The end of a limit that an exception is, or that rang inside a compiled function.

    Such a function may return a result although the alarm raised, which Python calls an error of
    the system, with the alarm as its cause.
    """
    cause = error.__cause__ if isinstance(error, SystemError) else error
    return cause if isinstance(cause, OutOfTime) else None


@contextmanager
def _alarm(limit: TimeLimit) -> Iterator[None]:
    """An alarm at the end of a limit, and afterwards the one that was set before."""
    over = False

    def ring(number: int, frame: FrameType | None) -> None:
        if over:
            return
        # On the way in or out of a block the exception would leave the timer running for ever; the
        # alarm rings again soon.
        if frame is not None and frame.f_code.co_filename in _BETWEEN:
            signal.setitimer(signal.ITIMER_REAL, _SHORTLY, _AGAIN)
            return
        raise OutOfTime(limit)

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    before, interval = signal.setitimer(signal.ITIMER_REAL, limit.left or _SOON, _AGAIN)
    try:
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before:
            left = max(_SOON, before - (time.monotonic() - began))
            signal.setitimer(signal.ITIMER_REAL, left, interval)
