"""``python -m benchmarks``: run the declared cases and print what they cost.

Tables on a terminal, Markdown when piped; progress on standard error. Exit status 1 if a result
differs from the textbook enumerator's or a ratio is too small, and with ``--strict`` also if a
reach or curve case misses its limits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import cases, reach
from benchmarks.cases import (
    CURVE_POINTS,
    MEMORY_LIMIT,
    REQUIRED_RATIO,
    TIME_LIMIT,
    CurveCase,
    RatioCase,
    ReachCase,
)
from benchmarks.reach import Reach, Step

PIPED_WIDTH = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    passed = True
    # Reach first: a child's peak memory starts with that of its parent, which is still small.
    if chosen_reach := cases.selected(cases.REACH, options.only):
        passed = _reach(console, chosen_reach, quick=options.quick) or not options.strict
    if chosen_ratio := cases.selected(cases.RATIO, options.only):
        passed = _ratio(console, chosen_ratio, quick=options.quick) and passed
    if chosen_curves := cases.selected(cases.CURVES, options.only):
        met = _curves(console, chosen_curves, quick=options.quick)
        passed = (met or not options.strict) and passed
    return 0 if passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller s, no required ratio")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=cases.names(),
        metavar="NAME",
        help=f"run these cases only; one of {', '.join(cases.names())}; may be repeated",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 if a reach or curve case misses its limits",
    )
    return parser


# --- reach ----------------------------------------------------------------------------------------


def _reach(console: Console, chosen: Sequence[ReachCase], *, quick: bool) -> bool:
    """Run the reach cases, print their table; whether all were met."""
    table = _table(
        console, "Reach: Y_0 ... Y_s in one fresh process, interpreter and imports included"
    )
    for column in (
        *("s", "seconds", "growth of the last Y_s", "diagrams of Y_s"),
        *("contractions", "peak MB", "limits"),
    ):
        table.add_column(column, justify="right")
    results = []
    for case in chosen:
        last = case.last(quick=quick)
        with _progress(f"{case.name}: Y_0 ... Y_{last}") as report:
            result = reach.run(case, terms=last, follow=report)
        results.append(result)
        table.add_row(
            case.title,
            str(last),
            f"{result.seconds:.1f}",
            " ".join(f"{factor:.2f}" for factor in result.growth) or "-",
            str(result.diagrams),
            str(result.contractions),
            f"{result.memory / 2**20:.0f}",
            "met" if result.met else "MISSED",
        )
    console.print(table)
    for result in results:
        if not result.met:
            console.print(_miss(result), soft_wrap=True)
    console.print()
    return all(result.met for result in results)


def _miss(result: Reach) -> str:
    limits = f"{TIME_LIMIT:.0f} s and {MEMORY_LIMIT // 2**30} GB"
    start = f"warning: {result.case.name} did not meet {limits}:"
    if result.finished:
        return f"{start} {result.seconds:.1f} s, {result.memory / 2**30:.2f} GB"
    done = f"Y_{result.steps[-1].s}" if result.steps else "no coefficient"
    return f"{start} stopped with status {result.status} after {result.seconds:.0f} s, {done} done"


# --- ratio ----------------------------------------------------------------------------------------


def _ratio(console: Console, chosen: Sequence[RatioCase], *, quick: bool) -> bool:
    """Run the ratio cases, print their table; whether all were met."""
    from benchmarks import ratio

    table = _table(console, "Ratio: the textbook enumerator over the engine, in one process")
    for column in ("s", "textbook seconds", "engine seconds", "ratio", "required", "results"):
        table.add_column(column, justify="right")
    met = []
    for case in chosen:
        last = case.last(quick=quick)
        with _progress(f"{case.name}: Y_0 ... Y_{last} by both programs"):
            result = ratio.measure(case, terms=last)
        met.append(result.met)
        table.add_row(
            case.title,
            str(last),
            f"{result.textbook:.3f}",
            f"{result.engine:.5f}",
            f"{result.value:.0f}",
            "-" if quick else f"{REQUIRED_RATIO:.0f}",
            ("equal" if result.equal else "DIFFER") + ("" if result.met else ", FAILED"),
        )
    console.print(table)
    console.print()
    return all(met)


# --- curve ----------------------------------------------------------------------------------------


def _curves(console: Console, chosen: Sequence[CurveCase], *, quick: bool) -> bool:
    """Run the curve cases, print their table; whether all were met."""
    from benchmarks import curve

    points = CURVE_POINTS // 100 if quick else CURVE_POINTS
    table = _table(console, f"Curve: a solution at {points} times after set-up, and one simulation")
    for column in (
        *("regime", "solution ms", "simulation ms", "ratio", "limit ms"),
        *("largest relative deviation", "limits"),
    ):
        table.add_column(column, justify="right")
    met = []
    for case in chosen:
        with _progress(case.name):
            result = curve.measure(case, points=points, terms=case.last(quick=quick))
        met.append(result.met)
        table.add_row(
            case.title,
            case.regime,
            f"{1000 * result.solution:.2f}",
            f"{1000 * result.simulation:.0f}",
            f"{result.value:.0f}",
            f"{1000 * case.limit:.0f}",
            f"{result.deviation:.3f}",
            "met" if result.met else "MISSED",
        )
    console.print(table)
    console.print()
    return all(met)


# --- output ---------------------------------------------------------------------------------------


def _table(console: Console, title: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.HEAVY_HEAD if console.is_terminal else box.MARKDOWN,
    )
    table.add_column("problem")
    return table


@contextmanager
def _progress(title: str) -> Iterator[_Report]:
    """A spinner on standard error with the last finished coefficient; nothing when piped."""
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield _Report(bar, title)


class _Report:
    """Shows the last finished step."""

    def __init__(self, bar: Progress, title: str) -> None:
        self._bar = bar
        self._title = title
        self._task = bar.add_task(title)

    def __call__(self, step: Step) -> None:
        done = f"{self._title}; Y_{step.s} took {step.seconds:.1f} s, {step.diagrams} diagrams"
        self._bar.update(self._task, description=done)


if __name__ == "__main__":
    sys.exit(main())
