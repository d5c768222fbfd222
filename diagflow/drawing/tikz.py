r"""Diagrams in TikZ.

The pictures need the package tikz and nothing else: no library, and no style set elsewhere.

>>> from diagrams.tensors import Axis, Tensor
>>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
>>> square = Diagram((Axis("H"), Axis("p")), ((W, (0, 1)), (W, (0, 1))))
>>> tikz(square, label="$-R$").count("controls")
2

Source: ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from diagflow.drawing.appearance import INK, NODE_FILL, PINNED_FILL, Appearance, corners
from diagflow.drawing.edges import arrow_head
from diagflow.drawing.layout import layout
from diagflow.latex.names import tensor_latex
from diagrams.diagram import Diagram
from diagrams.tensors import Axis
from expansion.polynomial import symbol_latex

__all__ = ["rows_of", "tikz", "tikz_document", "tikz_gallery", "tikz_legend"]

Item = tuple[Diagram, str]
"""A diagram and its caption."""

_RADIUS = 0.115
"""Radius of a node, in centimetres."""

_HEAD = 0.09
"""Size of an arrow head, in centimetres."""

_WIDTH = 16.0
"""Width of the text on a page, in centimetres."""

_BETWEEN = 0.3
"""Space between pictures, in centimetres."""

_UNIT = 1.15
"""Longest edge, in centimetres."""


def tikz(
    diagram: Diagram,
    *,
    label: str | None = None,
    look: Appearance | None = None,
    unit: float = _UNIT,
) -> str:
    r"""A ``tikzpicture`` of a diagram.

    Parameters
    ----------
    diagram : Diagram
    label : str, optional
        LaTeX below the picture; its lines are separated by newlines.
    look : Appearance, optional
        That of the diagram alone unless given.
    unit : float
        Length of an edge, in centimetres.
    """
    drawn = layout(diagram)
    look = look or Appearance.of([diagram])
    parts = ["\\begin{tikzpicture}[baseline=0pt]", *_colours(look)]
    for line in drawn.lines:
        a, b, c, d = (f"({unit * x:.3f},{unit * y:.3f})" for x, y in line.curve)
        dashes = ", dash pattern=on 2.4pt off 1.4pt" if look.is_dashed(line.tensor) else ""
        parts.append(
            f"  \\draw[{_name(look.colour(line.tensor))}, line width=0.7pt{dashes}] "
            f"{a} .. controls {b} and {c} .. {d};"
        )
        if line.is_directed:
            head = " -- ".join(
                f"({unit * x:.3f},{unit * y:.3f})" for x, y in arrow_head(line.curve, _HEAD / unit)
            )
            parts.append(f"  \\fill[{_name(look.colour(line.tensor))}] {head} -- cycle;")
    for tensor, (x, y) in drawn.junctions:
        parts.append(
            f"  \\fill[{_name(look.colour(tensor))}] ({unit * x:.3f},{unit * y:.3f}) "
            f"circle[radius={_RADIUS / 2:g}];"
        )
    for axis, (x, y) in zip(diagram.nodes, drawn.nodes, strict=True):
        parts.append("  " + _node(look, axis, unit * x, unit * y))
    if label:
        bottom = unit * drawn.bounds[1] - _RADIUS - 0.1
        words = label.replace("\n", " \\\\ ")
        parts.append(
            f"  \\node[below, align=center, font=\\small] at (0,{bottom:.3f}) {{{words}}};"
        )
    return "\n".join([*parts, "\\end{tikzpicture}"]) + "\n"


def tikz_legend(look: Appearance) -> str:
    """A line that explains shapes and colours."""
    entries = []
    for axis in look.axes:
        name = symbol_latex(axis.name)
        size = "" if axis.pinned is None else f" = {axis.pinned}"
        node = _node(look, axis, 0.0, 0.0)
        entries.append(_inline(look, node) + f"~sum over ${name}{size}$")
    for tensor in look.tensors:
        dashes = ", dash pattern=on 2.4pt off 1.4pt" if look.is_dashed(tensor) else ""
        stroke = f"\\draw[{_name(look.colour(tensor))}, line width=0.7pt{dashes}] (0,0) -- (0.6,0);"
        still = "" if tensor.is_learnable else ", not learnt"
        entries.append(_inline(look, stroke) + f"~${tensor_latex(tensor.name)}${still}")
    return "\\quad\n".join(entries) + "\n"


def tikz_gallery(
    items: Sequence[tuple[Diagram, str]],
    *,
    look: Appearance | None = None,
    columns: int = 4,
    width: float = _WIDTH,
    starts: Collection[int] = (),
) -> str:
    """Rows of pictures with captions below them, and a legend, without a document around them.

    Parameters
    ----------
    items : sequence of (Diagram, str)
        Diagrams with captions in LaTeX.
    look : Appearance, optional
        That of all diagrams together unless given.
    columns : int
    width : float
        Width of the rows, in centimetres.
    starts : collection of int
        Numbers of items that begin a row, see `rows_of`.
    """
    look = look or Appearance.of(diagram for diagram, _ in items)
    wide = width / columns
    # Rows that begin on purpose begin below each other.
    parts = ["\\begingroup" + ("\\raggedright" if starts else "\\centering")]
    for row in rows_of(items, columns, starts):
        for item in row:
            if item is None:
                parts.append(f"\\hspace*{{{wide:.2f}cm}}%")
                continue
            diagram, caption = item
            left, bottom, right, top = layout(diagram).bounds
            unit = min(_UNIT, (wide - 0.5) / max(right - left, top - bottom, 1e-9))
            words = caption.replace("\n", " \\\\ ")
            parts += [
                f"\\begin{{minipage}}[b]{{{wide - _BETWEEN:.2f}cm}}\\centering",
                tikz(diagram, look=look, unit=unit).rstrip(),
                f"\\\\[6pt] \\footnotesize {words}",
                f"\\end{{minipage}}\\hspace{{{_BETWEEN}cm}}%",
            ]
        parts.append("\\par\\bigskip")
    parts += [f"{{\\footnotesize {tikz_legend(look).rstrip()}\\par}}", "\\endgroup"]
    return "\n".join(parts) + "\n"


def rows_of(
    items: Sequence[Item], columns: int, starts: Collection[int] = ()
) -> list[list[Item | None]]:
    """Items in rows.

    Parameters
    ----------
    items : sequence of (Diagram, str)
    columns : int
        Items in a row, at most.
    starts : collection of int
        Numbers of items that begin a row. A row that goes on below has no item in its first place,
        so that what belongs together stands below each other.

    Examples
    --------
    >>> a, b, c, d = ((Diagram((), ()), name) for name in "abcd")
    >>> [[item and item[1] for item in row] for row in rows_of([a, b, c, d], 2, {0, 3})]
    [['a', 'b'], [None, 'c'], ['d']]
    """
    rows: list[list[Item | None]] = []
    for number, item in enumerate(items):
        begins = number in starts
        if not rows or begins or len(rows[-1]) == columns:
            continues = starts and not begins and rows and columns > 1
            rows.append([None] if continues else [])
        rows[-1].append(item)
    return rows


def tikz_document(body: str) -> str:
    """A document that ``pdflatex`` compiles, with a body such as the functions above return."""
    return (
        "\\documentclass[10pt]{article}\n"
        "\\usepackage[a4paper, margin=2.5cm]{geometry}\n"
        "\\usepackage{amsmath, amssymb, tikz}\n"
        "\\pagestyle{empty}\n"
        "\\setlength{\\parindent}{0pt}\n"
        "\\begin{document}\n"
        f"{body}"
        "\\end{document}\n"
    )


def _inline(look: Appearance, body: str) -> str:
    colours = " ".join(line.strip() for line in _colours(look))
    return f"\\begin{{tikzpicture}}[baseline=-0.6ex]{colours} {body}\\end{{tikzpicture}}"


def _colours(look: Appearance) -> list[str]:
    used: Iterable[str] = dict.fromkeys(
        [INK, NODE_FILL, PINNED_FILL, *(look.colour(tensor) for tensor in look.tensors)]
    )
    return [f"  \\definecolor{{{_name(colour)}}}{{HTML}}{{{colour[1:]}}}" for colour in used]


def _name(colour: str) -> str:
    """The name under which a picture defines a colour."""
    return f"diagflow{colour[1:]}"


def _node(look: Appearance, axis: Axis, x: float, y: float) -> str:
    fill = _name(NODE_FILL if axis.pinned is None else PINNED_FILL)
    options = f"draw={_name(INK)}, fill={fill}, line width=0.6pt"
    outline = corners(look.shape(axis))
    if not outline:
        return f"\\filldraw[{options}] ({x:.3f},{y:.3f}) circle[radius={_RADIUS:g}];"
    points = " -- ".join(f"({x + _RADIUS * u:.3f},{y + _RADIUS * v:.3f})" for u, v in outline)
    return f"\\filldraw[{options}, line join=round] {points} -- cycle;"
