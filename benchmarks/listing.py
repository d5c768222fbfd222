"""Results of the benchmarks as tables: for a terminal and for the documentation.

>>> print(Listing("Reach", ("problem", "s"), (("SYM order 2", "40"),), ("all met",)).markdown())
| problem | s |
|:---|---:|
| SYM order 2 | 40 |
<BLANKLINE>
all met

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.cases import (
    CURVE_POINTS,
    MEMORY_LIMIT,
    REQUIRED_RATIO,
    REQUIRED_SPEEDUP,
    TIME_LIMIT,
)
from benchmarks.speedup import TURNS

if TYPE_CHECKING:
    from rich.table import Table

    from benchmarks.curve import CurveTimes
    from benchmarks.ratio import Ratio
    from benchmarks.reach import Reach
    from benchmarks.speedup import Speedup
    from benchmarks.start import Start

__all__ = ["Listing", "curves", "ratios", "reaches", "speedups", "starts"]


@dataclass(frozen=True)
class Listing:
    """A table of words with remarks below; the first column names the problem."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The table and its remarks, without the title."""
        lines = [
            "| " + " | ".join(self.columns) + " |",
            "|:---|" + "---:|" * (len(self.columns) - 1),
            *("| " + " | ".join(row) + " |" for row in self.rows),
        ]
        return "\n".join(lines) + "".join(f"\n\n{remark}" for remark in self.remarks)

    def table(self, *, plain: bool) -> Table:
        """The table for a terminal, or plain for a pipe."""
        from rich import box
        from rich.table import Table

        table = Table(
            title=self.title, title_justify="left", box=box.MARKDOWN if plain else box.HEAVY_HEAD
        )
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table


def reaches(results: Sequence[Reach]) -> Listing:
    """How far the series goes within the limits."""
    return Listing(
        "Reach: Y_0 ... Y_s in one fresh process, interpreter and imports included",
        (
            *("problem", "s", "seconds", "growth of the last Y_s", "diagrams of Y_s"),
            *("contractions", "µs each", "peak MB", "limits"),
        ),
        tuple(
            (
                result.case.title,
                str(result.terms),
                f"{result.seconds:.1f}",
                " ".join(f"{factor:.2f}" for factor in result.growth) or "-",
                str(result.diagrams),
                str(result.contractions),
                f"{1e6 * result.contraction_seconds:.0f}",
                f"{result.memory / 2**20:.0f}",
                "met" if result.met else "MISSED",
            )
            for result in results
        ),
        tuple(_miss(result) for result in results if not result.met),
    )


def _miss(result: Reach) -> str:
    limits = f"{TIME_LIMIT:.0f} s and {MEMORY_LIMIT // 2**30} GB"
    start = f"warning: {result.case.name} did not meet {limits}:"
    if result.finished:
        return f"{start} {result.seconds:.1f} s, {result.memory / 2**30:.2f} GB"
    done = f"Y_{result.steps[-1].s}" if result.steps else "no coefficient"
    return f"{start} stopped with status {result.status} after {result.seconds:.0f} s, {done} done"


def ratios(results: Sequence[Ratio], *, quick: bool) -> Listing:
    """The engine against the textbook enumerator."""
    return Listing(
        "Ratio: the textbook enumerator over the engine, in one process",
        ("problem", "s", "textbook seconds", "engine seconds", "ratio", "required", "results"),
        tuple(
            (
                result.case.title,
                str(result.terms),
                f"{result.textbook:.3f}",
                f"{result.engine:.5f}",
                f"{result.value:.0f}",
                "-" if quick else f"{REQUIRED_RATIO:.0f}",
                ("equal" if result.equal else "DIFFER") + ("" if result.met else ", FAILED"),
            )
            for result in results
        ),
    )


def speedups(results: Sequence[Speedup], *, quick: bool) -> Listing:
    """Two processes against one."""
    return Listing(
        "Speed-up: Y_0 ... Y_s by two processes instead of one",
        (
            *("problem", "s", "one, seconds", "stolen", "two, seconds", "stolen"),
            *("speed-up", "required", "results"),
        ),
        tuple(
            (
                result.case.title,
                str(result.one.terms),
                f"{result.one.seconds:.1f}",
                f"{result.one.stolen:.1f}",
                f"{result.two.seconds:.1f}",
                f"{result.two.stolen:.1f}",
                f"{result.value:.2f}",
                "-" if quick else f"{REQUIRED_SPEEDUP:.1f}",
                ("equal" if result.equal else "DIFFER") + ("" if result.met else ", MISSED"),
            )
            for result in results
        ),
        (
            f"Seconds are the best of {TURNS} runs, without the share of what was stolen: seconds "
            "of all processors that the host of a virtual machine gave to others.",
        ),
    )


def starts(results: Sequence[Start]) -> Listing:
    """Whole commands."""
    return Listing(
        "Start: commands in a fresh process",
        ("command", "store", "seconds", "of the imports", "ratio", "limit", "limits"),
        tuple(
            (
                f"`{result.case.command.split(' --at ')[0].split(' --output ')[0]}`",
                "filled" if result.case.stored else "off",
                f"{result.seconds:.2f}",
                f"{result.imports:.2f}",
                f"{result.ratio:.1f}",
                f"{result.case.limit:g}" + ("" if result.case.relative else " s"),
                ("met" if result.met else "MISSED")
                + (f", status {result.status}" if result.status else ""),
            )
            for result in results
        ),
    )


def curves(results: Sequence[CurveTimes]) -> Listing:
    """Loss evolutions against simulation."""
    points = results[0].points if results else CURVE_POINTS
    return Listing(
        f"Curve: a solution at {points} times after set-up, and one simulation",
        (
            *("problem", "regime", "solution ms", "simulation ms", "ratio", "limit ms"),
            *("largest relative deviation", "limits"),
        ),
        tuple(
            (
                result.case.title,
                result.case.regime,
                f"{1000 * result.solution:.2f}",
                f"{1000 * result.simulation:.0f}",
                f"{result.value:.0f}",
                f"{1000 * result.case.limit:.0f}",
                f"{result.deviation:.3f}",
                "met" if result.met else "MISSED",
            )
            for result in results
        ),
    )
