"""A diagram as an SVG picture: a string, written without any plotting library.

>>> from diagrams.tensors import Axis, Tensor
>>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
>>> picture = svg(Diagram((Axis("H"), Axis("p")), ((W, (0, 1)), (W, (0, 1)))))
>>> picture.startswith("<svg "), picture.count("<path "), picture.count("<circle ")
(True, 2, 1)

Source: ours.
"""

from __future__ import annotations

from html import escape

from diagflow.drawing.appearance import INK, NODE_FILL, PINNED_FILL, Appearance, corners
from diagflow.drawing.edges import arrow_head
from diagflow.drawing.layout import layout
from diagrams.diagram import Diagram

__all__ = ["svg"]

_UNIT = 64.0
"""Pixels of an edge."""

_RADIUS = 6.5
_HEAD = 0.08
"""Size of an arrow head, in edges."""

_MARGIN = 10.0


def svg(diagram: Diagram, *, look: Appearance | None = None) -> str:
    """The picture of a diagram.

    Parameters
    ----------
    diagram : Diagram
    look : Appearance, optional
        That of the diagram alone unless given.

    Returns
    -------
    str
        An ``<svg>`` element; its title is the text form of the diagram.
    """
    drawn = layout(diagram)
    look = look or Appearance.of([diagram])
    left, bottom, right, top = drawn.bounds
    width = _UNIT * (right - left) + 2 * _MARGIN
    height = _UNIT * (top - bottom) + 2 * _MARGIN

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return _MARGIN + _UNIT * (point[0] - left), _MARGIN + _UNIT * (top - point[1])

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.1f}" '
        f'height="{height:.1f}" viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<title>{escape(str(diagram))}</title>",
    ]
    for line in drawn.lines:
        a, b, c, d = ("{:.2f} {:.2f}".format(*at(point)) for point in line.curve)
        dashes = ' stroke-dasharray="5 3"' if look.is_dashed(line.tensor) else ""
        parts.append(
            f'<path d="M {a} C {b}, {c}, {d}" fill="none" stroke="{look.colour(line.tensor)}" '
            f'stroke-width="1.8"{dashes}/>'
        )
        if line.is_directed:
            head = " ".join(
                "{:.2f},{:.2f}".format(*at(point)) for point in arrow_head(line.curve, _HEAD)
            )
            parts.append(f'<polygon points="{head}" fill="{look.colour(line.tensor)}"/>')
    for tensor, point in drawn.junctions:
        x, y = at(point)
        parts.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{_RADIUS / 2:g}" fill="{look.colour(tensor)}"/>'
        )
    for axis, point in zip(diagram.nodes, drawn.nodes, strict=True):
        x, y = at(point)
        fill = NODE_FILL if axis.pinned is None else PINNED_FILL
        paint = f'fill="{fill}" stroke="{INK}" stroke-width="1.4"'
        outline = corners(look.shape(axis))
        if outline:
            points = " ".join(f"{x + _RADIUS * u:.2f},{y - _RADIUS * v:.2f}" for u, v in outline)
            parts.append(f'<polygon points="{points}" stroke-linejoin="round" {paint}/>')
        else:
            parts.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{_RADIUS:g}" {paint}/>')
    return "\n".join([*parts, "</svg>\n"])
