"""Drawings of diagrams: positions and curves, TikZ, SVG, pages of pictures.

- `diagflow.drawing.layout`: where nodes stand and how lines run;
- `diagflow.drawing.tikz`, `diagflow.drawing.svg`, `diagflow.drawing.picture`: pictures in LaTeX,
  as text without a plotting library, and with matplotlib;
- `diagflow.drawing.contractions`: what contractions make of a diagram;
- `diagflow.drawing.page`, `diagflow.drawing.draw`: pages of pictures of a problem.

Import the modules. They stand on `diagrams` and, for the terms of a problem, on `expansion.series`;
the command ``draw``, reports, the atlas and notebooks use them.

>>> from diagflow.drawing.svg import svg
>>> from expansion.models import cp
>>> ((diagram, _),) = cp(order=2, symmetric=True).overlap
>>> svg(diagram).startswith("<svg ")
True
"""
