"""How axes and tensors look: shapes, colours and strokes.

p-nodes are round, H-nodes square, N-nodes diamonds, nodes of other axes take the remaining shapes
in the order of their names; pinned nodes are filled. Every tensor has a colour that readers with
any of the common colour deficiencies can distinguish; learnable tensors have solid strokes, fixed
ones dashed, so that a print without colours shows the same. In a gallery all pictures share one
appearance.

>>> from diagrams.tensors import Axis, Tensor
>>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
>>> look = Appearance.of([Diagram((Axis("H"), Axis("p")), ((W, (0, 1)),))])
>>> look.shape(Axis("p")).value, look.shape(Axis("H")).value, look.colour(W)
('circle', 'square', '#0072B2')

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from diagflow.plotting.style import COLOURS
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind, Tensor

__all__ = ["INK", "NODE_FILL", "PINNED_FILL", "Appearance", "Shape", "corners"]

INK = "#1A1A1A"
"""The outline of nodes."""

NODE_FILL = "#FFFFFF"
PINNED_FILL = "#9A9A9A"
"""The inside of nodes."""


class Shape(StrEnum):
    """The outline of a node."""

    CIRCLE = "circle"
    SQUARE = "square"
    DIAMOND = "diamond"
    TRIANGLE = "triangle"
    PENTAGON = "pentagon"
    HEXAGON = "hexagon"
    REVERSED = "reversed triangle"


_FIRST = {"p": Shape.CIRCLE, "H": Shape.SQUARE, "N": Shape.DIAMOND}
_OTHERS = (Shape.TRIANGLE, Shape.PENTAGON, Shape.HEXAGON, Shape.REVERSED)

_PALETTE = tuple(
    COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky", "black")
)

_CORNERS = {
    Shape.SQUARE: (4, 45.0, 1.18),
    Shape.DIAMOND: (4, 90.0, 1.3),
    Shape.TRIANGLE: (3, 90.0, 1.3),
    Shape.PENTAGON: (5, 90.0, 1.15),
    Shape.HEXAGON: (6, 0.0, 1.1),
    Shape.REVERSED: (3, 270.0, 1.3),
}
"""Number of corners, direction of the first in degrees, distance from the middle."""


def corners(shape: Shape) -> tuple[tuple[float, float], ...]:
    """The corners of a shape as large as a circle of radius one; none for the circle itself."""
    if shape is Shape.CIRCLE:
        return ()
    count, first, radius = _CORNERS[shape]
    angles = [math.radians(first + 360 * k / count) for k in range(count)]
    return tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in angles)


@dataclass(frozen=True, slots=True)
class Appearance:
    """The axes and tensors to be distinguished.

    Parameters
    ----------
    axes : tuple of Axis
    tensors : tuple of Tensor
        Both in the order in which shapes and colours are given out.
    """

    axes: tuple[Axis, ...]
    tensors: tuple[Tensor, ...]

    @classmethod
    def of(cls, diagrams: Iterable[Diagram]) -> Appearance:
        """The appearance of some diagrams together."""
        axes: set[Axis] = set()
        tensors: set[Tensor] = set()
        for diagram in diagrams:
            axes.update(diagram.nodes)
            tensors.update(diagram.tensors)
        return cls(
            tuple(sorted(axes, key=lambda axis: axis.sort_key)),
            tuple(sorted(tensors, key=lambda tensor: tensor.sort_key)),
        )

    def shape(self, axis: Axis) -> Shape:
        """The shape of the nodes on an axis."""
        if axis.name in _FIRST:
            return _FIRST[axis.name]
        others = [name for name in dict.fromkeys(a.name for a in self.axes) if name not in _FIRST]
        return _OTHERS[others.index(axis.name) % len(_OTHERS)]

    def colour(self, tensor: Tensor) -> str:
        """The colour of a tensor, as #RRGGBB."""
        return _PALETTE[self.tensors.index(tensor) % len(_PALETTE)]

    def is_dashed(self, tensor: Tensor) -> bool:
        """Whether its lines are dashed: fixed tensors, and every second round of the palette."""
        again = self.tensors.index(tensor) // len(_PALETTE) % 2 == 1
        return (tensor.kind is not Kind.WEIGHT) != again
