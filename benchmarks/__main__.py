"""``python -m benchmarks``: run the declared cases and print their cost.

Tables on a terminal, Markdown when piped; progress on standard error. Exit status 1 if a result
differs from the textbook enumerator's or a ratio is too small, and with ``--strict`` also if a
reach, speed-up, start or curve case misses its limits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import cases, listing, reach, speedup, start
from benchmarks.cases import (
    CURVE_POINTS,
    CurveCase,
    RatioCase,
    ReachCase,
    SpeedupCase,
    StartCase,
)
from benchmarks.listing import Listing
from benchmarks.page import write_page
from benchmarks.reach import Step

if TYPE_CHECKING:
    from benchmarks.curve import CurveTimes
    from benchmarks.ratio import Ratio

PIPED_WIDTH = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases of the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    quick: bool = options.quick
    listings: list[Listing] = []

    def show(found: Listing) -> None:
        listings.append(found)
        console.print(found.table(plain=not console.is_terminal))
        for remark in found.remarks:
            console.print(remark, soft_wrap=True)
        console.print()

    passed = True
    reached: list[reach.Reach] = []
    # Reach first: a child's peak memory starts with that of its parent, which is still small.
    if chosen_reach := cases.selected(cases.REACH, options.only):
        reached = [_reach(case, quick=quick) for case in chosen_reach]
        show(listing.reaches(reached))
        passed = all(result.met for result in reached) or not options.strict
    if chosen_speedups := cases.selected(cases.SPEEDUPS, options.only):
        compared = [_speedup(case, quick=quick) for case in chosen_speedups]
        show(listing.speedups(compared, quick=quick))
        # Whether the cores were free is not the engine's doing; that results are equal is.
        fast = all(result.met for result in compared) or not options.strict
        passed = passed and fast and all(result.equal for result in compared)
    if chosen_starts := cases.selected(cases.STARTS, options.only):
        begun = [_start(case, quick=quick) for case in chosen_starts]
        show(listing.starts(begun))
        passed = passed and (all(result.met for result in begun) or not options.strict)
    if chosen_ratio := cases.selected(cases.RATIO, options.only):
        measured = [_ratio(case, quick=quick) for case in chosen_ratio]
        show(listing.ratios(measured, quick=quick))
        passed = passed and all(result.met for result in measured)
    if chosen_curves := cases.selected(cases.CURVES, options.only):
        drawn = [_curve(case, quick=quick) for case in chosen_curves]
        show(listing.curves(drawn))
        passed = passed and (all(result.met for result in drawn) or not options.strict)
    if options.page is not None:
        write_page(options.page, listings, reached)
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
        help="exit with 1 if a reach, speed-up, start or curve case misses its limits",
    )
    parser.add_argument(
        "--page",
        type=Path,
        metavar="FILE",
        help="write the tables and a plot as a page of the documentation, FILE and FILE's .svg",
    )
    return parser


def _reach(case: ReachCase, *, quick: bool) -> reach.Reach:
    last = case.last(quick=quick)
    with _progress(f"{case.name}: Y_0 ... Y_{last}") as report:
        return reach.run(case, terms=last, follow=report)


def _speedup(case: SpeedupCase, *, quick: bool) -> speedup.Speedup:
    last = case.last(quick=quick)
    with _progress(f"{case.name}: Y_0 ... Y_{last} by one process and by two") as report:
        return speedup.measure(case, terms=last, follow=report)


def _ratio(case: RatioCase, *, quick: bool) -> Ratio:
    from benchmarks import ratio

    last = case.last(quick=quick)
    with _progress(f"{case.name}: Y_0 ... Y_{last} by both programs"):
        return ratio.measure(case, terms=last)


def _start(case: StartCase, *, quick: bool) -> start.Start:
    with _progress(f"diagflow {case.command}"):
        return start.measure(case, turns=1 if quick else start.TURNS)


def _curve(case: CurveCase, *, quick: bool) -> CurveTimes:
    from benchmarks import curve

    points = CURVE_POINTS // 100 if quick else CURVE_POINTS
    with _progress(case.name):
        return curve.measure(case, points=points, terms=case.last(quick=quick))


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
