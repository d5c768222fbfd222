"""The findings of checks: passed, failed, or skipped with the reason.

>>> report = CheckReport(
...     problems=("cp order=2",),
...     seed=0,
...     quick=True,
...     findings=(
...         Finding("cp order=2", "oracle", Verdict.PASSED, "Y_0 ... Y_3"),
...         Finding("cp order=2", "simulation", Verdict.SKIPPED, "no regime is solved"),
...     ),
...     machine=(("python", "3.11"),),
... )
>>> report.verdict.value, report.complete
('passed', True)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CheckReport", "Finding", "Verdict"]


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Parameters
    ----------
    problem : str or None
        Title of the problem; None for what does not depend on one.
    check : str
        Name of the check.
    verdict : Verdict
    detail : str
        One line: what was compared, what failed, or why it was skipped.
    """

    problem: str | None
    check: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings of a run.

    Parameters
    ----------
    problems : tuple of str
        Titles of the problems that were to be checked.
    seed : int
    quick : bool
    findings : tuple of Finding
        Those that were finished.
    machine : tuple of (str, str)
        Versions and threads by name.
    complete : bool
        Whether nothing was interrupted.
    """

    problems: tuple[str, ...]
    seed: int
    quick: bool
    findings: tuple[Finding, ...]
    machine: tuple[tuple[str, str], ...]
    complete: bool = True

    @property
    def verdict(self) -> Verdict:
        """Failed if one check failed; skipped if nothing was compared."""
        found = {finding.verdict for finding in self.findings}
        for verdict in (Verdict.FAILED, Verdict.PASSED):
            if verdict in found:
                return verdict
        return Verdict.SKIPPED

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(finding.verdict is verdict for finding in self.findings)

    def record(self) -> dict[str, object]:
        """The report as plain data; the same for the same seed on the same machine."""
        return {
            "problems": list(self.problems),
            "seed": self.seed,
            "quick": self.quick,
            "machine": dict(self.machine),
            "checks": [_record(finding) for finding in self.findings],
            "complete": self.complete,
            "verdict": self.verdict.value,
        }


def _record(finding: Finding) -> dict[str, object]:
    return {
        "problem": finding.problem,
        "check": finding.check,
        "verdict": finding.verdict.value,
        "detail": finding.detail,
    }


def listed(names: Iterable[object], *, at_most: int = 5) -> str:
    """Names with commas between them, the first few of many.

    Examples
    --------
    >>> listed("abc"), listed(range(9), at_most=2)
    ('a, b, c', '0, 1 and 7 more')
    """
    words = [str(name) for name in names]
    rest = len(words) - at_most
    return ", ".join(words) if rest <= 0 else f"{', '.join(words[:at_most])} and {rest} more"


Report = CheckReport  # its former name
