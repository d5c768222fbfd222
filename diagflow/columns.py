r"""Tables of text for people: columns that fit the terminal, and words that fit their number.

>>> rows = [("regime", "conditions"), ("A", "H/p -> 0, p*sigma2 -> oo")]
>>> print("\n".join(table(rows, width=24)))
regime  conditions
A       H/p -> 0,
        p*sigma2 -> oo

Source: ours.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

__all__ = ["counted", "hanging", "table", "terminal_width"]

_GAP = "  "

_NARROWEST = 12
"""Characters that a column keeps, if its cells have as many."""

_RELATION = re.compile(r" (->|~|=) ")


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None if it is none.

    Output into files and pipes does not depend on a window.
    """
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[tuple[str, ...]], *, width: int | None = None) -> list[str]:
    """The lines of a table whose columns are as wide as their cells.

    Parameters
    ----------
    rows : sequence of tuple of str
    width : int, optional
        Where the rows are longer, the cells of the widest columns are broken into several lines,
        between words and not inside a relation such as ``H ~ p``. Columns stay legible: of very
        many, a narrow terminal does not hold all.
    """
    widths = _fitting([max(map(len, column)) for column in zip(*rows, strict=True)], width)
    lines = []
    for row in rows:
        cells = [_broken(cell, limit) for cell, limit in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            padded = (part.ljust(limit) for part, limit in zip(parts, widths, strict=True))
            lines.append(_GAP.join(padded).rstrip())
    return lines


def hanging(line: str, indent: int, *, width: int | None = None) -> list[str]:
    """A line, broken between words where it is longer than the width, the rest indented."""
    if width is None or len(line) <= width:
        return [line]
    return textwrap.wrap(
        line,
        max(width, _NARROWEST),
        subsequent_indent=" " * min(indent, width // 3),
        break_on_hyphens=False,
    )


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "run"), counted(0, "run"), counted(3, "vertex", "vertices")
    ('1 run', '0 runs', '3 vertices')
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


def _fitting(widths: Sequence[int], width: int | None) -> list[int]:
    """The widths of the columns, the widest of them reduced until the row fits."""
    result = list(widths)
    if width is None:
        return result
    free = width - len(_GAP) * (len(result) - 1)
    while sum(result) > free and max(result) > _NARROWEST:
        result[result.index(max(result))] -= 1
    return result


def _broken(cell: str, width: int) -> list[str]:
    if len(cell) <= width:
        return [cell]
    # A space that does not break keeps a relation together where there is room for it.
    kept = _RELATION.sub("\xa0\\1\xa0", cell)
    whole = max(map(len, kept.split(" "))) <= width
    lines = textwrap.wrap(kept if whole else cell, width, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]
