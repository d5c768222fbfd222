r"""Long sums broken into lines.

>>> print(aligned([("Y_{0}", ["a", "+ b", "- c"])], width=4))
\begin{align*}
Y_{0} &= a + b \\
  &\quad - c
\end{align*}

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["WIDTH", "aligned", "visible_length"]

WIDTH = 66
"""Characters of mathematics that fit a line of an article, without commands."""

_COMMAND = re.compile(r"\\[A-Za-z]+|[\\{}^_$&,\s]")


def visible_length(formula: str) -> int:
    r"""Roughly the width that a reader sees: a letter is one, a sign between terms is two.

    Examples
    --------
    >>> visible_length(r"\sigma^{4} + p")
    5
    """
    formula = re.sub(r"\\(?:left|right|quad|bigl|bigr|displaystyle)(?![A-Za-z])", "", formula)
    shown = _COMMAND.sub(lambda match: "x" if match[0][1:2].isalpha() else "", formula)
    return len(shown) + sum(shown.count(sign) for sign in "+-=")


def aligned(
    rows: Sequence[tuple[str, Sequence[str]]], *, width: int = WIDTH, tags: Sequence[str] = ()
) -> str:
    r"""An ``align*`` environment of equations whose right sides are sums.

    Parameters
    ----------
    rows : sequence of (str, sequence of str)
        Left sides, with the terms of the right sides and their signs. An empty left side continues
        the equation above.
    width : int
        Characters in a line.
    tags : sequence of str, optional
        The end of each row, as text.
    """
    lines = []
    for number, (left, terms) in enumerate(rows):
        tag = f" \\tag*{{{tags[number]}}}" if tags else ""
        body = [f"{left} &= " if left else "  &\\quad "]
        used = 0
        for position, term in enumerate(terms or ["0"]):
            size = visible_length(term)
            if position and used + size > width:
                body.append("  &\\quad ")
                used = 0
            body[-1] += term + " "
            used += size
        lines.append(" \\\\\n".join(line.rstrip() for line in body) + tag)
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"
