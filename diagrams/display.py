"""How values show themselves in a notebook, when somebody above knows how to draw them.

The layers below the application draw nothing. A value asks here for its picture: `picture` calls
the *painter* that was named for the kind of picture, or returns None, which tells a notebook to
print the value as text. The application names its painters with `paint_with` when it is imported;
a painter is called when a picture is asked for and not before, so naming it costs nothing.

>>> picture("no-such-kind", 1) is None
True
>>> paint_with("example", lambda value: f"<svg>{value}</svg>")
>>> picture("example", 1)
'<svg>1</svg>'
>>> paint_with("example", None)
>>> picture("example", 1) is None
True

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Painter", "paint_with", "picture"]

Painter = Callable[[Any], Any]
"""Makes the picture of a value: text for SVG, bytes for PNG."""

_PAINTERS: dict[str, Painter] = {}


def paint_with(kind: str, painter: Painter | None) -> None:
    """Name the painter of a kind of picture; None takes it away.

    Parameters
    ----------
    kind : str
        What is painted, for example ``"diagram"``.
    painter : callable or None
        From a value to its picture.
    """
    if painter is None:
        _PAINTERS.pop(kind, None)
    else:
        _PAINTERS[kind] = painter


def picture(kind: str, value: object) -> Any:
    """The picture of a value, None if nobody paints this kind."""
    painter = _PAINTERS.get(kind)
    return None if painter is None else painter(value)
