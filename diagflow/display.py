"""Pictures of values in notebooks: diagrams as SVG, curves as PNG.

`register` names the painters; importing `diagflow` calls it. What a painter needs, the plotting
library for one, is imported when a notebook asks for the first picture.

>>> from expansion.models import cp
>>> ((diagram, _),) = cp(order=2, symmetric=True).overlap
>>> register()
>>> diagram._repr_svg_().startswith("<svg ")
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagrams.display import paint_with

if TYPE_CHECKING:
    from diagflow.simulation.trajectory import Trajectory
    from diagrams.diagram import Diagram
    from pde.evolution import LossEvolution

__all__ = ["register"]


def register() -> None:
    """Let diagrams and curves show themselves as pictures."""
    paint_with("diagram", _diagram)
    paint_with("evolution", _evolution)
    paint_with("trajectory", _trajectory)


def _diagram(diagram: Diagram) -> str:
    from diagflow.drawing.svg import svg

    return svg(diagram)


def _evolution(evolution: LossEvolution) -> bytes:
    from diagflow.plotting.evolution import draw_evolution, png

    return png(lambda axes: draw_evolution(axes, evolution))


def _trajectory(trajectory: Trajectory) -> bytes:
    from diagflow.plotting.evolution import draw_trajectory, png

    return png(lambda axes: draw_trajectory(axes, trajectory))
