r"""Figures of the gallery as files, and their labels as plain text.

>>> plain(r"$H/p = 1/4$, $p\sigma^2 = 16$")
'H/p = 1/4, p sigma^2 = 16'

Source: ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diagflow.plotting.style import write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plain", "write_pair"]


def plain(label: str) -> str:
    """A label without the marks of mathematics."""
    return label.replace("$", "").replace("\\sigma", " sigma").replace("  ", " ").strip()


def write_pair(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PDF and as PNG."""
    for extension in ("pdf", "png"):
        write_figure(figure, folder / f"{name}.{extension}")
