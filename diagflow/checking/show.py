"""A report of checks as a table, plain text or JSON.

>>> from diagflow.checking import Finding, CheckReport, Verdict
>>> print(line(Finding("cp order=2", "oracle", Verdict.FAILED, "differs: Y_1")))
FAILED   cp order=2: oracle: differs: Y_1

Source: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagflow.checking.findings import CheckReport, Finding, Verdict
from diagflow.schemas import versioned_text

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["closing", "json_text", "line", "opening", "table"]

_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.SKIPPED: "yellow"}


def opening(machine: tuple[tuple[str, str], ...]) -> str:
    """Versions and threads."""
    return ", ".join(f"{name} {words}" for name, words in machine)


def line(finding: Finding) -> str:
    """A finding on one line."""
    word = finding.verdict.value
    shown = word.upper() if finding.verdict is Verdict.FAILED else word
    place = "" if finding.problem is None else f"{finding.problem}: "
    return f"{shown:<9}{place}{finding.check}: {' '.join(finding.detail.split())}"


def closing(report: CheckReport) -> str:
    """The verdict, and how many checks there were of each kind."""
    counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in Verdict)
    rest = "" if report.complete else "; interrupted, the finished checks are printed"
    return f"Verdict: {report.verdict.value} ({counts}){rest}"


def table(report: CheckReport) -> Table:
    """The findings for a terminal."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title="diagflow check", title_justify="left")
    for name in ("problem", "check", "verdict", "what was compared"):
        shown.add_column(name, overflow="fold")
    last: str | None = None
    for number, finding in enumerate(report.findings):
        if number and finding.problem != last:
            shown.add_section()
        again = number and finding.problem == last
        last = finding.problem
        shown.add_row(
            Text("" if again or last is None else last),
            Text(finding.check),
            Text(finding.verdict.value, style=_STYLES[finding.verdict]),
            Text(" ".join(finding.detail.split())),
        )
    return shown


def json_text(report: CheckReport) -> str:
    """The report as a record with the version of its format, indented."""
    return versioned_text("check", report.record())
