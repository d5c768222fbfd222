"""The polygon of Pareto-optimal exponents with its faces named.

The Pareto-optimal monomials of Y_s lie in a plane when the regimes form one polygon; its vertices
and edges are regimes. The picture projects the exponents to two symbols, for the CP models the
powers of H and σ², whose pair determines the power of p.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagflow.plotting.style import COLOURS
from expansion.newton import pareto_optimal
from expansion.polynomial import symbol_latex
from expansion.regimes import Regimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_polygon", "projection", "telling_order"]


def telling_order(found: Regimes) -> int:
    """The last s at which all vertices are different points."""
    orders = range(found.exponents.last, found.start - 1, -1)
    return max(orders, key=lambda s: (len(found.polyhedra[s].vertices), s))


def projection(found: Regimes) -> tuple[int, int]:
    """The places of the two symbols that are drawn: the last size and the last variance."""
    exponents = found.exponents
    still = [i for i, name in enumerate(exponents.symbols) if name not in exponents.growing]
    across = exponents.growing_places[-1]
    up = still[-1] if still else exponents.growing_places[0]
    return across, up


def draw_polygon(axes: Axes, found: Regimes, *, s: int | None = None) -> None:
    """Draw the exponents of one coefficient: vertices, edges, Pareto-optimal and other points.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    found : Regimes
    s : int, optional
        Which coefficient; `telling_order` unless given.
    """
    from matplotlib.ticker import MaxNLocator

    order = telling_order(found) if s is None else s
    across, up = projection(found)
    exponents = found.exponents
    polyhedron = found.polyhedra[order]
    points = exponents.points(order)
    optimal = pareto_optimal(points, exponents.growing_places)
    vertices = set(polyhedron.vertices)

    def flat(chosen: Sequence[tuple[int, ...]]) -> tuple[list[int], list[int]]:
        return [point[across] for point in chosen], [point[up] for point in chosen]

    dominated = sorted(set(points) - set(optimal))
    inner = sorted(set(optimal) - vertices)
    for face in polyhedron.faces:
        if face.dimension == 1:
            axes.plot(*flat(face.vertices), color=COLOURS["black"], zorder=2)
    shown_before = {(point[across], point[up]) for point in optimal}
    hidden = [point for point in dominated if (point[across], point[up]) not in shown_before]
    axes.scatter(*flat(hidden), s=5, color="0.8", zorder=1, label="dominated")
    axes.scatter(
        *flat(inner),
        s=16,
        facecolor="white",
        edgecolor=COLOURS["blue"],
        linewidth=0.8,
        zorder=3,
        label="Pareto-optimal",
    )
    axes.scatter(
        *flat(sorted(vertices)), s=28, color=COLOURS["vermilion"], zorder=4, label="vertex"
    )
    _name_faces(axes, found, order, across, up)
    axes.set_xlabel(f"power of ${symbol_latex(exponents.symbols[across])}$")
    name = exponents.symbols[up]
    axes.set_ylabel(f"power of ${symbol_latex(name)}$")
    axes.set_title(f"$s = {order}$", fontsize=8)
    axes.margins(0.16)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
        low, high = axis.get_view_interval()
        if high - low < 2:
            # A polygon that is a segment; matplotlib would magnify its thickness.
            axis.set_view_interval((low + high) / 2 - 1, (low + high) / 2 + 1, ignore=True)


def _name_faces(axes: Axes, found: Regimes, order: int, across: int, up: int) -> None:
    """Names at vertices, away from the centre, and at the middles of edges."""
    corners = sorted(found.polyhedra[order].vertices)
    centre = tuple(sum(point[i] for point in corners) / len(corners) for i in (across, up))
    labels: dict[tuple[float, float], list[str]] = {}
    edges: dict[tuple[float, float], str] = {}
    for regime in found:
        places = sorted({q.point(order) for q in regime.sequences})
        if regime.dimension == 0:
            labels.setdefault((places[0][across], places[0][up]), []).append(regime.name)
        elif regime.dimension == 1 and len(places) == 2:
            middle = tuple((places[0][i] + places[1][i]) / 2 for i in (across, up))
            edges[middle[0], middle[1]] = regime.name
    width = max(abs(x - centre[0]) for x, _ in labels) or 1
    height = max(abs(y - centre[1]) for _, y in labels) or 1
    for (x, y), names in labels.items():
        right, above = (x - centre[0]) / width, (y - centre[1]) / height
        length = (right**2 + above**2) ** 0.5 or 1
        axes.annotate(
            " = ".join(names),
            (x, y),
            xytext=(11 * right / length, 11 * above / length),
            textcoords="offset points",
            ha="center",
            va="center",
            fontweight="bold",
        )
    for (x, y), name in edges.items():
        axes.annotate(
            name.replace("-", "–"),
            (x, y),
            ha="center",
            va="center",
            fontsize=6.5,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            zorder=5,
        )
