"""The result of an experiment.

>>> Outcome("kernel", holds=True, lines=("p = 8: 2.1%",)).record()
{'name': 'kernel', 'holds': True, 'verdict': 'agrees', 'findings': ['p = 8: 2.1%']}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from diagflow.comparison.verdict import Agreement

__all__ = ["Experiment", "Outcome", "Report"]

Report = Callable[[str], None]
"""Told one line of progress."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an experiment.

    Parameters
    ----------
    name : str
    holds : bool
        Whether the experiment shows the expected behaviour.
    lines : tuple of str
        The result in words and numbers.
    undecided : bool
        Whether nothing contradicts the expectation, but it cannot be judged.
    """

    name: str
    holds: bool
    lines: tuple[str, ...]
    undecided: bool = False

    @property
    def verdict(self) -> Agreement:
        """The same in one word."""
        if self.holds:
            return Agreement.AGREES
        return Agreement.UNDECIDED if self.undecided else Agreement.DIFFERS

    def record(self) -> dict[str, object]:
        """The outcome as plain data."""
        return {
            "name": self.name,
            "holds": self.holds,
            "verdict": self.verdict.value,
            "findings": list(self.lines),
        }


class Experiment(Protocol):
    """Something that can be run into a folder."""

    @property
    def name(self) -> str:
        """Stem of its files."""

    @property
    def title(self) -> str:
        """One line that describes the figure."""

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        """Simulate, compare, and write ``name.pdf``, ``name.png`` and the numbers as CSV."""
