"""Diagrams as matplotlib artists.

Source: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagflow.drawing.appearance import INK, NODE_FILL, PINNED_FILL, Appearance, Shape, corners
from diagflow.drawing.edges import arrow_head
from diagflow.drawing.layout import layout
from diagrams.diagram import Diagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_diagram", "draw_node"]


def draw_diagram(
    axes: Axes,
    diagram: Diagram,
    *,
    look: Appearance,
    centre: tuple[float, float] = (0.0, 0.0),
    unit: float = 1.0,
    radius: float = 0.11,
) -> None:
    """Draw a diagram around a point of the axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With equal scales.
    diagram : Diagram
    look : Appearance
    centre : tuple of float
    unit : float
        Length of an edge, in units of the axes.
    radius : float
        Radius of a node, in units of the axes.
    """
    from matplotlib.patches import Circle, PathPatch, Polygon
    from matplotlib.path import Path

    drawn = layout(diagram)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return centre[0] + unit * point[0], centre[1] + unit * point[1]

    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    for line in drawn.lines:
        axes.add_patch(
            PathPatch(
                Path([at(point) for point in line.curve], codes),
                facecolor="none",
                edgecolor=look.colour(line.tensor),
                linewidth=1.15,
                linestyle=(0, (3.2, 1.4)) if look.is_dashed(line.tensor) else "solid",
                capstyle="round",
                zorder=1,
            )
        )
        if line.is_directed:
            colour = look.colour(line.tensor)
            head = [at(point) for point in arrow_head(line.curve, 0.75 * radius / unit)]
            axes.add_patch(Polygon(head, facecolor=colour, edgecolor=colour, zorder=1))
    for tensor, point in drawn.junctions:
        colour = look.colour(tensor)
        axes.add_patch(
            Circle(at(point), 0.5 * radius, facecolor=colour, edgecolor=colour, zorder=2)
        )
    for axis, point in zip(diagram.nodes, drawn.nodes, strict=True):
        draw_node(
            axes,
            look.shape(axis),
            at(point),
            radius=radius,
            is_pinned=axis.pinned is not None,
        )


def draw_node(
    axes: Axes, shape: Shape, at: tuple[float, float], *, radius: float, is_pinned: bool
) -> None:
    """Draw the outline of one node."""
    from matplotlib.patches import Circle, Patch, Polygon

    fill = PINNED_FILL if is_pinned else NODE_FILL
    outline = corners(shape)
    patch: Patch
    if outline:
        patch = Polygon(
            [(at[0] + radius * x, at[1] + radius * y) for x, y in outline], joinstyle="round"
        )
    else:
        patch = Circle(at, radius)
    patch.set(facecolor=fill, edgecolor=INK, linewidth=0.9, zorder=3)
    axes.add_patch(patch)
