"""The page of the documentation with the measured reach and speed of the engine, and its picture.

Source: ours.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.listing import Listing

if TYPE_CHECKING:
    from benchmarks.reach import Reach

__all__ = ["write_page"]

_HEAD = """# Benchmarks

The results of `make bench`{machine}. It writes this page; times of another machine
differ, and on a shared one by half from run to run. A coefficient counts as reached within
{limits}.

![Seconds for each coefficient, and the growth from one to the next]({picture})
"""

_SECTIONS = {
    "Reach": """## Exact reach

*Growth* is the time of a coefficient over that of the one before, for the last three: 2 means that
one more term doubles the work. *Contractions* are distinct diagrams; the time for each of them,
merging included, hardly depends on how many there are. Order 2 has its own representation, closed
words, with far fewer of them.
""",
    "Start": """## From a cold start

Whole commands in a fresh process: seconds of processor time, medians of some turns, and the ratio
to `python -c "import numpy, scipy, sympy"` in the same turns, which a limit is a multiple of.
""",
    "Ratio": """## Against the textbook

The same coefficients from a program that lists every merger and every pairing,
`benchmarks/textbook.py`. Both results are compared, and a ratio below the required one is a failure
of the benchmark.
""",
    "Speed-up": """## Two processes

Time of the whole run, the start of the workers included; the coefficients are compared digit
by digit. See [Run on many cores](../how-to/run-on-many-cores.md).
""",
    "Curve": """## Formula against simulation

A closed formula and a moment solution at many times, after the solution was found, and one run of
gradient flow over the same curve.
""",
}


def write_page(path: Path, listings: Sequence[Listing], reached: Sequence[Reach]) -> None:
    """Write the page, and beside it the picture of the same name.

    Parameters
    ----------
    path
        A Markdown file.
    listings
        The tables, each with a title that begins with the name of its section.
    reached
        For the picture.
    """
    from benchmarks.cases import MEMORY_LIMIT, TIME_LIMIT

    picture = path.with_suffix(".svg")
    _draw(picture, reached)
    limits = f"{TIME_LIMIT:.0f} seconds and {MEMORY_LIMIT // 2**30} GB"
    machine = (
        f", on {_cores()} cores ({platform.machine()}) with Python {platform.python_version()}"
    )
    parts = [_HEAD.format(machine=machine, limits=limits, picture=picture.name)]
    for listing in listings:
        section = _SECTIONS[listing.title.partition(":")[0]]
        parts.append(f"{section}\n{listing.markdown()}\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def _cores() -> int:
    import psutil

    return psutil.cpu_count() or 1


def _draw(path: Path, reached: Sequence[Reach]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Blue to red through nothing that looks alike without colour; symmetric models have discs.
    colours = {2: "#0072B2", 3: "#E69F00", 4: "#009E73"}
    with mpl.rc_context({"svg.hashsalt": "diagflow", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        seconds, growth = figure.subplots(1, 2)
        for result in reached:
            style = {
                "color": colours[result.case.order],
                "marker": "o" if result.case.symmetric else "s",
                "linestyle": "-" if result.case.symmetric else "--",
                "markersize": 3,
                "linewidth": 1,
                "label": result.case.title,
            }
            steps = [step for step in result.steps if step.seconds > 1e-3]
            seconds.plot([step.s for step in steps], [step.seconds for step in steps], **style)
            pairs = [
                (after.s, (after.seconds / before.seconds) ** 0.5)
                for before, after in zip(steps, steps[2:], strict=False)
            ]
            growth.plot(*zip(*pairs, strict=True), **style) if pairs else None
        for axes, label in ((seconds, "seconds for Y_s"), (growth, "growth per s, over two s")):
            axes.set(xlabel="s", ylabel=label, yscale="log")
            axes.grid(visible=True, alpha=0.3)
        seconds.legend(fontsize=7)
        figure.savefig(path, metadata={"Date": None})
