"""Two processes against one: the same series, each time in a fresh process with its workers.

The time counts everything, the start of the workers too (see `benchmarks.reach`). Both run a few
times, in turns, and the best time of each counts: the cores of a shared machine are not always all
there. The coefficients are compared by digests of their text.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import reach
from benchmarks.cases import REQUIRED_SPEEDUP, SpeedupCase
from benchmarks.reach import Reach, Step

__all__ = ["TURNS", "Speedup", "measure"]

TURNS = 3
"""How often each number of processes runs."""


@dataclass(frozen=True)
class Speedup:
    """One run by one process, one by two."""

    case: SpeedupCase
    one: Reach
    two: Reach

    @property
    def value(self) -> float:
        return self.one.seconds / self.two.seconds

    @property
    def equal(self) -> bool:
        """Whether both finished with the same coefficients."""
        digests = [[step.digest for step in run.steps] for run in (self.one, self.two)]
        return self.one.finished and self.two.finished and digests[0] == digests[1]

    @property
    def met(self) -> bool:
        """Whether the results are equal and the declared case is fast enough."""
        small = self.one.terms < self.case.terms
        return self.equal and (small or self.value >= REQUIRED_SPEEDUP)


def measure(
    case: SpeedupCase, *, terms: int | None = None, follow: Callable[[Step], None] | None = None
) -> Speedup:
    """Run a case by one process, then by two, and so on in turns.

    Parameters
    ----------
    case
        The problem.
    terms
        The last coefficient, if not the declared one.
    follow
        Called with every finished step of all runs.
    """
    runs = [reach.run(case, terms=terms, jobs=jobs, follow=follow) for jobs in (1, 2) * TURNS]
    one, two = (
        min(runs[first::2], key=lambda run: (not run.finished, run.seconds)) for first in (0, 1)
    )
    return Speedup(case, one, two)
