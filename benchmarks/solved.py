"""The table of what is solved, made from the solvers themselves.

    python -m benchmarks.solved --page docs/explanation/solutions.md

writes it between the two marks of the page, or prints it without ``--page``.

>>> table().splitlines()[0]
'| model | regimes | method | where it holds |'
>>> "| SYM order 2 | E | closed form | early times |" in table()
True

Source: ours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pde.solutions import SOLVERS
from pde.solver import Solved
from pde.solving import GENERAL

__all__ = ["BEGIN", "END", "main", "table", "with_table"]

BEGIN, END = "<!-- solved: made by `make solved-table` -->", "<!-- end of solved -->"


def lines() -> Iterator[Solved]:
    """What the solvers on file solve, in their order, and what is solved without one."""
    for solver in SOLVERS:
        yield from solver.solved
    yield from GENERAL


def table() -> str:
    """The table in Markdown."""
    rows = ["| model | regimes | method | where it holds |", "|---|---|---|---|"]
    for line in lines():
        rows.append(f"| {line.model} | {', '.join(line.regimes)} | {line.method} | {line.holds} |")
    return "\n".join(rows)


def with_table(page: str) -> str:
    """The text of a page with the table between its marks.

    Examples
    --------
    >>> with_table(f"before {BEGIN} old {END} after").startswith("before " + BEGIN)
    True
    """
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.solved")
    parser.add_argument("--page", type=Path, help="a page with the two marks")
    page = parser.parse_args(arguments).page
    if page is None:
        sys.stdout.write(table() + "\n")
    else:
        page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
