"""How values show themselves, when somebody above knows how to draw or write them.

The layers below the application draw nothing. A value asks here for its picture: `picture` calls
the *painter* that was named for the kind of picture, or returns None, which makes a notebook
print the value as text. The application names its painters with `paint_with` when it is imported;
a painter is called when a picture is asked for and not before, so naming it costs nothing. Reports
as text and tables are pictures in this sense, see `report` and `frame`.

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

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from os import PathLike
from typing import Any

from diagrams.errors import InvalidInputError

__all__ = ["Painter", "figure", "frame", "paint_with", "picture", "report", "save"]

Painter = Callable[[Any], Any]
"""Makes the picture of a value: text for SVG, HTML and reports, bytes for PNG."""

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


def report(kind: str, value: object) -> str:
    """The report of a value as the application prints it; its `repr` if nobody writes one."""
    written = picture(f"{kind} as text", value)
    return repr(value) if written is None else str(written)


def figure(kind: str, value: object) -> Any:
    """The figure of a value, of the plotting library.

    Raises
    ------
    InvalidInputError
        If nobody draws this kind of value.
    """
    drawn = picture(f"{kind} as figure", value)
    if drawn is None:
        raise InvalidInputError(
            f"figure of {value!r}: nobody draws it; import diagflow, which does"
        )
    return drawn


def save(kind: str, value: object, file: str | PathLike[str]) -> None:
    """Write the figure of a value, or its numbers, to a file, depending on its ending.

    Raises
    ------
    InvalidInputError
        If nobody writes this kind of value, or the file cannot be written.
    """
    writer = _PAINTERS.get(f"{kind} as file")
    if writer is None:
        raise InvalidInputError(f"file of {value!r}: nobody writes it; import diagflow, which does")
    writer((value, file))


def frame(columns: Mapping[str, Sequence[object]]) -> Any:
    """A table as a data frame of pandas.

    Parameters
    ----------
    columns : mapping from str to sequence
        The columns in order, all of one length.

    Raises
    ------
    InvalidInputError
        If pandas is not installed, which this project does not need otherwise.
    """
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise InvalidInputError(
            "data frame: needs pandas, which is not installed; install it, or use the values "
            f"themselves: {', '.join(columns)}"
        ) from None
    return pandas.DataFrame({name: list(column) for name, column in columns.items()})
