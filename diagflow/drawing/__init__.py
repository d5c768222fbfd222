"""Drawings of diagrams: positions and curves, TikZ, SVG, pages of pictures.

>>> from expansion.models import cp
>>> ((diagram, _),) = cp(order=2, symmetric=True).overlap
>>> svg(diagram).startswith("<svg ")
True
"""

from __future__ import annotations

from diagflow.drawing.appearance import Appearance
from diagflow.drawing.contractions import Contraction, contractions
from diagflow.drawing.draw import What, draw
from diagflow.drawing.gallery import gallery
from diagflow.drawing.layout import Layout, Line, layout
from diagflow.drawing.svg import svg
from diagflow.drawing.tikz import tikz, tikz_document, tikz_gallery

__all__ = [
    "Appearance",
    "Contraction",
    "Layout",
    "Line",
    "What",
    "contractions",
    "draw",
    "gallery",
    "layout",
    "svg",
    "tikz",
    "tikz_document",
    "tikz_gallery",
]
