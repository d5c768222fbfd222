"""How values show themselves: pictures and formulas in notebooks, reports where they are printed.

`register` names the painters; importing `diagflow` calls it. The libraries of a painter, the
plotting library for one, is imported when a notebook asks for the first picture.

>>> from expansion.models import cp
>>> ((diagram, _),) = cp(order=2, symmetric=True).overlap
>>> register()
>>> diagram._repr_svg_().startswith("<svg ")
True
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from diagflow.files import write_whole
from diagrams.arguments import shown
from diagrams.display import paint_with
from diagrams.errors import InvalidInputError

if TYPE_CHECKING:
    import sympy
    from matplotlib.figure import Figure

    from diagflow.simulation.trajectory import Trajectory
    from diagrams.diagram import Diagram
    from expansion.dynamics.derivation import EffectiveDynamics
    from expansion.regimes import Regimes
    from expansion.series import LossSeries
    from pde.evolution import LossEvolution, Solution

__all__ = ["register"]

_ROWS = 100
"""Steps of time of a curve in a table."""

_SHOWN = 4
"""Derived dynamics print their coefficients up to this s."""


def register() -> None:
    """Let values show themselves as pictures, and print themselves as the command line does."""
    paint_with("diagram", _diagram)
    paint_with("evolution", _evolution)
    paint_with("trajectory", _trajectory)
    paint_with("solution", _solution_latex)
    paint_with("regimes", _regimes_html)
    paint_with("regimes as widget", _regimes_widget)
    paint_with("series as text", _series_text)
    paint_with("regimes as text", _regimes_text)
    paint_with("solution as text", _solution_text)
    paint_with("evolution as text", _evolution_text)
    paint_with("trajectory as text", _trajectory_text)
    paint_with("dynamics as text", _dynamics_text)
    paint_with("evolution as figure", _evolution_figure)
    paint_with("trajectory as figure", _trajectory_figure)
    paint_with("regimes as figure", _regimes_figure)
    paint_with("evolution as file", _evolution_file)
    paint_with("trajectory as file", _trajectory_file)
    paint_with("regimes as file", _regimes_file)
    _typeset_formulas()


def _typeset_formulas() -> None:
    """Let a notebook write a variance in a formula as a square, as in all other output.

    The names are those of sympy, and it takes the 2 of ``sigma2`` for an index.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/latex"]
        formatter.for_type_by_name("sympy.core.basic", "Basic", _formula)


def _formula(formula: sympy.Basic) -> str | None:
    from expansion.polynomial import square_root
    from pde.formula_latex import formula_latex

    ours = (v for v in formula.free_symbols if v.is_positive and square_root(v.name) is not None)
    if not any(ours):
        latex: str | None = formula._repr_latex_()
        return latex
    return f"$\\displaystyle {formula_latex(formula)}$"


def _diagram(diagram: Diagram) -> str:
    from diagflow.drawing.svg import svg

    return svg(diagram)


def _evolution(evolution: LossEvolution) -> bytes:
    from diagflow.plotting.evolution import draw_evolution, png

    return png(lambda axes: draw_evolution(axes, evolution))


def _trajectory(trajectory: Trajectory) -> bytes:
    from diagflow.plotting.evolution import draw_trajectory, png

    return png(lambda axes: draw_trajectory(axes, trajectory))


def _series_text(series: LossSeries) -> str:
    from diagflow.show.series import text

    return text(series.problem, series.known, loss=series.loss).rstrip("\n")


def _regimes_text(regime_set: Regimes) -> str:
    from diagflow.show.regimes import text

    return text(regime_set).rstrip("\n")


def _regimes_html(regime_set: Regimes) -> str:
    from diagflow.show.regimes import html

    return html(regime_set)


def _regimes_widget(regime_set: Regimes) -> object:
    # A terminal shows none, and without the package there is none: then nothing is solved for it.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if not hasattr(shell, "kernel") or find_spec("anywidget") is None:
        return None
    if regime_set.exponents.problem is None:
        return None
    from diagflow.widget import widget_bundle

    return widget_bundle(regime_set)


def _solution_text(solved: Solution) -> str:
    from diagflow.show.solution import solution_text

    return solution_text(solved)


def _solution_latex(solved: Solution) -> str | None:
    short = solved.short_formula()
    return None if short is None else f"$\\displaystyle {short.latex()}$"


def _evolution_text(evolution: LossEvolution) -> str:
    from diagflow.show.solution import text

    return text(evolution, [], []).rstrip("\n")


def _trajectory_text(trajectory: Trajectory) -> str:
    from diagflow.show.simulation import curve_lines

    return "\n".join(curve_lines(trajectory, curves=False))


def _dynamics_text(found: EffectiveDynamics) -> str:
    from diagflow.show.derivation import text

    last = _SHOWN if found.depth is None else min(_SHOWN, found.depth)
    return text(found, last).rstrip("\n")


def _evolution_figure(evolution: LossEvolution) -> Figure:
    from diagflow.plotting.curve_figure import evolution_figure

    return evolution_figure(evolution)


def _trajectory_figure(trajectory: Trajectory) -> Figure:
    from diagflow.plotting.curve_figure import trajectory_figure

    return trajectory_figure(trajectory)


def _regimes_figure(regime_set: Regimes) -> Figure:
    from diagflow.plotting.regime_figure import regimes_figure

    return regimes_figure(regime_set)


def _evolution_file(given: tuple[LossEvolution, str | PathLike[str]]) -> None:
    from diagflow.comparison.representative import representative_times
    from diagflow.plotting.curve_figure import plot_evolution
    from diagflow.show.solution import csv_text

    evolution, file = given[0], _path(given[1])
    if _is_table(file):
        start, stop = representative_times(evolution)
        times = [start + (stop - start) * k / _ROWS for k in range(_ROWS + 1)]
        write_whole(file, csv_text(evolution, times, evolution(times).tolist()))
    else:
        plot_evolution(evolution, file)


def _trajectory_file(given: tuple[Trajectory, str | PathLike[str]]) -> None:
    from diagflow.plotting.curve_figure import plot_trajectory
    from diagflow.show.simulation import csv_text

    trajectory, file = given[0], _path(given[1])
    if _is_table(file):
        write_whole(file, csv_text("", {}, trajectory, curves=False))
    else:
        plot_trajectory(trajectory, file)


def _regimes_file(given: tuple[Regimes, str | PathLike[str]]) -> None:
    from diagflow.plotting.regime_figure import plot_regimes
    from diagflow.show.regimes import csv_text

    found, file = given[0], _path(given[1])
    if _is_table(file):
        write_whole(file, csv_text(found))
    else:
        plot_regimes(found, file)


_ENDINGS = (".svg", ".pdf", ".png", ".csv")
"""Figures and tables that values are saved as."""


def _path(file: object) -> Path:
    """The path of a file to be written."""
    if not isinstance(file, str | PathLike):
        raise InvalidInputError(
            f"file {shown(file)}: is no path; give one that ends in .svg, .pdf, .png or .csv"
        )
    path = Path(file)
    if path.suffix.lower() not in _ENDINGS:
        raise InvalidInputError(
            f"file {shown(str(path), 200)}: its extension is not one of svg, pdf, png, csv; rename "
            "it"
        )
    return path


def _is_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv"
