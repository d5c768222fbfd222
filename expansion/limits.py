"""Limits on the work of the geometry, the same as those of the expansion before it.

>>> Limits(Budget(seconds=1e-9), what="the map of regimes").tick()
Traceback (most recent call last):
    ...
diagrams.errors.BudgetExceededError: budget: the map of regimes needs more than 1e-09 seconds; ...

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from diagrams.errors import BudgetExceededError
from expansion.series import Budget, Progress, checked_budget, memory_in_use

__all__ = ["Limits"]

_LOOK_SECONDS = 0.2


class Limits:
    """Checks a budget during work that is no expansion, and reports its progress.

    Parameters
    ----------
    budget : Budget, optional
        Its seconds count from the making of this object.
    what : str
        What is computed, for the message.
    s : int, optional
        The last coefficient, for the progress.
    progress : callable, optional
        Called with a `Progress` several times a second.
    """

    def __init__(
        self,
        budget: Budget | None,
        *,
        what: str,
        s: int = 0,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._budget = checked_budget(budget, progress)
        self._what = what
        self._s = s
        self._progress = progress
        self._start = time.perf_counter()
        self._looked = 0.0

    def at(self, s: int) -> Limits:
        """The same limits, with the time spent so far, for work on Y_0 ... Y_s."""
        other = Limits(self._budget, what=self._what, s=s, progress=self._progress)
        other._start = self._start
        return other

    def end(self) -> None:
        """Let later computations run without limits and without notes."""
        self._budget, self._progress = Budget(), None

    @property
    def seconds(self) -> float:
        """The time since the beginning."""
        return time.perf_counter() - self._start

    def tick(self) -> None:
        """Called between steps.

        Raises
        ------
        BudgetExceededError
            If the seconds or the memory are used up.
        """
        seconds, limit = self.seconds, self._budget.seconds
        if limit is not None and seconds > limit:
            raise self._exceeded(f"{limit:g} seconds", "budget.seconds")
        if seconds < self._looked:
            return
        self._looked = seconds + _LOOK_SECONDS
        memory = self._budget.memory
        if memory is not None and memory_in_use() > memory:
            raise self._exceeded(f"{memory:g} bytes of memory", "budget.memory")
        if self._progress is not None:
            self._progress(Progress(self._s, 0, seconds, stage=self._what))

    def _exceeded(self, limit: str, option: str) -> BudgetExceededError:
        return BudgetExceededError(
            f"budget: {self._what} needs more than {limit}; its coefficients are finished, Y_0 ... "
            f"Y_{self._s}, and none of it is decided before all of it is; raise {option} or ask "
            "for fewer terms"
        )
