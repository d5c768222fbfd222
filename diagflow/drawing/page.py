"""A page of diagrams with captions, as a figure or as LaTeX.

Source: ours.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diagflow.drawing.appearance import Appearance
from diagflow.drawing.layout import layout
from diagflow.drawing.picture import draw_diagram, draw_node
from diagflow.drawing.tikz import rows_of, tikz_document, tikz_gallery
from diagflow.files import write_whole
from diagflow.latex.lines import visible_length
from diagflow.latex.names import tensor_latex
from diagflow.plotting.style import (
    EXTENSIONS,
    PAGE_WIDTH,
    figure_style,
    write_figure,
)
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from expansion.polynomial import symbol_latex

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DRAWING_EXTENSIONS", "check_drawing_file", "gallery"]

DRAWING_EXTENSIONS = (*EXTENSIONS, "tex")

Item = tuple[Diagram, str]
"""A diagram and its caption: mathematics between dollar signs, lines separated by newlines."""

_FEW, _MANY, _IN_LATEX = 4, 6, 3
"""Pictures in a row: usually, when there are many, in LaTeX, whose letters are wider."""

_PAGE_ITEMS = 16
"""More pictures than these are put in longer rows, if their captions let them."""

_SHORT = 20
"""Characters of a caption that fits a long row, without commands."""

_UNIT = 0.5
"""Longest edge, in inches."""

_RADIUS = 0.055
_MARGIN = 0.14
_LINE = 0.19
_LEGEND_LINE = 0.24
_LETTER = 0.062
"""The width of a letter of a note."""


def check_drawing_file(file: Path) -> None:
    """Reject a file that cannot become a drawing, before work is spent on it.

    Raises
    ------
    InvalidInputError
        If the extension is not one of `DRAWING_EXTENSIONS` it is a folder, or the one it
        lies in does not exist or cannot be written.
    """
    if file.suffix.lstrip(".").lower() not in DRAWING_EXTENSIONS:
        raise InvalidInputError(
            f"drawing {file}: its extension is not one of {', '.join(DRAWING_EXTENSIONS)}; "
            "rename it"
        )
    if not file.parent.is_dir():
        raise InvalidInputError(
            f"drawing {file}: the folder {file.parent} does not exist; make it first"
        )
    if file.is_dir():
        raise InvalidInputError(f"drawing {file}: is a folder; give the name of a file")
    if not os.access(file.parent, os.W_OK):
        raise InvalidInputError(
            f"drawing {file}: the folder {file.parent} cannot be written; give another place"
        )


def gallery(
    items: Sequence[Item], file: Path, *, note: str = "", starts: Collection[int] = ()
) -> None:
    """Write a page of diagrams.

    Parameters
    ----------
    items : sequence of (Diagram, str)
        Diagrams with captions, which are LaTeX that matplotlib understands too.
    file : Path
        An ``.svg``, ``.png``, ``.pdf`` or ``.tex`` file; it is there whole or not at all.
    note : str
        Words below the pictures.
    starts : collection of int
        Numbers of items that begin a row.

    Raises
    ------
    InvalidInputError
        If there is nothing to draw, or the file cannot be written.
    """
    check_drawing_file(file)
    if not items:
        raise InvalidInputError(f"drawing {file}: there is no diagram to draw; ask for more terms")
    look = Appearance.of(diagram for diagram, _ in items)
    if file.suffix.lower() == ".tex":
        columns = _MANY if _columns(items) == _MANY else _IN_LATEX
        body = tikz_gallery(items, look=look, columns=columns, starts=starts)
        write_whole(file, tikz_document(body + (f"\\medskip\n{note}\n" if note else "")))
        return
    from matplotlib.figure import Figure

    whole = _columns(items)
    rows = rows_of(items, whole, starts)
    columns = max(map(len, rows))
    wide = PAGE_WIDTH / whole
    sizes = [[item and _drawn_size(item[0], wide) for item in row] for row in rows]
    tall = [max(size[1] for size in row if size) for row in sizes]
    lines = [max(item[1].count("\n") + 1 for item in row if item) for row in rows]
    heights = [
        height + _LINE * count + 3 * _MARGIN for height, count in zip(tall, lines, strict=True)
    ]
    words = textwrap.wrap(note, max(20, int(columns * wide / _LETTER))) if note else []
    below = _legend_lines(look, columns * wide) * _LEGEND_LINE + _LINE * len(words) + _MARGIN
    page = (columns * wide, sum(heights) + below)
    with figure_style():
        figure = Figure(figsize=page)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, page[0])
        axes.set_ylim(0, page[1])
        top = page[1]
        for row, size, height, drawn in zip(rows, sizes, heights, tall, strict=True):
            for column, (item, unit) in enumerate(zip(row, size, strict=True)):
                if item is None or unit is None:
                    continue
                _draw_cell(
                    axes,
                    *item,
                    look=look,
                    centre=((column + 0.5) * wide, top - _MARGIN - drawn / 2),
                    unit=unit[0],
                    caption_top=top - 2 * _MARGIN - drawn,
                )
            top -= height
        for line in words:
            axes.text(page[0] / 2, top, line, ha="center", va="top", fontsize=8)
            top -= _LINE
        _draw_legend(axes, look, page[0], top)
        write_figure(figure, file)


def _columns(items: Sequence[Item]) -> int:
    """How many pictures stand in a row."""
    longest = max(visible_length(line) for _, caption in items for line in caption.split("\n"))
    return _MANY if len(items) > _PAGE_ITEMS and longest <= _SHORT else _FEW


def _drawn_size(diagram: Diagram, wide: float) -> tuple[float, float]:
    """Length of an edge and height of a picture, in inches."""
    left, bottom, right, top = layout(diagram).bounds
    unit = min(_UNIT, (wide - 2 * _MARGIN) / max(right - left, top - bottom, 1e-9))
    return unit, unit * (top - bottom) + 2 * _RADIUS


def _draw_cell(
    axes: Axes,
    diagram: Diagram,
    caption: str,
    *,
    look: Appearance,
    centre: tuple[float, float],
    unit: float,
    caption_top: float,
) -> None:
    left, bottom, right, top = layout(diagram).bounds
    middle = (centre[0] - unit * (left + right) / 2, centre[1] - unit * (bottom + top) / 2)
    draw_diagram(axes, diagram, look=look, centre=middle, unit=unit, radius=_RADIUS)
    for number, line in enumerate(caption.split("\n")):
        axes.text(centre[0], caption_top - number * _LINE, line, ha="center", va="top", fontsize=8)


def _legend_width(text: str) -> float:
    return 0.42 + 0.065 * len(re.sub(r"\\mathit|[${}]", "", text))


def _legend_entries(look: Appearance) -> list[str]:
    entries = [
        f"sum over ${symbol_latex(axis.name)}{'' if axis.pinned is None else f' = {axis.pinned}'}$"
        for axis in look.axes
    ]
    return entries + [
        f"${tensor_latex(tensor.name)}$" + ("" if tensor.is_learnable else ", not learnt")
        for tensor in look.tensors
    ]


def _legend_rows(look: Appearance, wide: float) -> list[list[int]]:
    """Entries of the legend, by number, in rows that fit."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for number, text in enumerate(_legend_entries(look)):
        if rows[-1] and used + _legend_width(text) > wide - 2 * _MARGIN:
            rows.append([])
            used = 0.0
        rows[-1].append(number)
        used += _legend_width(text)
    return rows


def _legend_lines(look: Appearance, wide: float) -> int:
    return len(_legend_rows(look, wide))


def _draw_legend(axes: Axes, look: Appearance, wide: float, top: float) -> None:
    entries = _legend_entries(look)
    for row, numbers in enumerate(_legend_rows(look, wide)):
        x = (wide - sum(_legend_width(entries[n]) for n in numbers)) / 2
        y = top - (row + 0.5) * _LEGEND_LINE
        for number in numbers:
            if number < len(look.axes):
                axis = look.axes[number]
                draw_node(
                    axes,
                    look.shape(axis),
                    (x + 0.17, y),
                    radius=_RADIUS,
                    is_pinned=axis.pinned is not None,
                )
            else:
                tensor = look.tensors[number - len(look.axes)]
                axes.plot(
                    [x + 0.02, x + 0.25],
                    [y, y],
                    color=look.colour(tensor),
                    linewidth=1.15,
                    linestyle=(0, (3.2, 1.4)) if look.is_dashed(tensor) else "solid",
                )
            axes.text(x + 0.29, y, entries[number], ha="left", va="center", fontsize=8)
            x += _legend_width(entries[number])
