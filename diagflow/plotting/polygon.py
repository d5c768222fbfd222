"""The polygon of Pareto-optimal exponents with its faces named.

The Pareto-optimal monomials of Y_s lie in a plane when the regimes form one polygon; its vertices
and edges are regimes. The picture projects the exponents to two symbols, for the CP models the
powers of H and σ², whose pair determines the power of p. A Pareto-optimal point on no compact face
never leads: it is dominated by the points of a face together, though by none of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from diagflow.plotting.label_placement import Labels
from diagflow.plotting.style import COLOURS, dashes
from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import Point, reduced_basis
from expansion.geometry.newton import pareto_optimal
from expansion.polynomial import symbol_latex
from expansion.regimes import Regimes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw_polygon", "polygon_key", "projection", "telling_orders"]

_KINDS: Mapping[str, Mapping[str, Any]] = {
    "vertex": {"s": 26, "color": COLOURS["vermilion"], "zorder": 4},
    "Pareto-optimal, on a face": {
        "s": 14,
        "facecolor": "white",
        "edgecolor": COLOURS["blue"],
        "linewidth": 0.8,
        "zorder": 3,
    },
    "Pareto-optimal, on no face": {
        "s": 14,
        "marker": "x",
        "color": COLOURS["blue"],
        "linewidth": 0.8,
        "zorder": 3,
    },
    "dominated": {"s": 5, "color": "0.75", "zorder": 1},
}
"""How points are drawn; the last kind is faint."""

_ROOM = 2.7
"""Radius around a point that names keep off, in typographical points."""


def telling_orders(regime_set: Regimes) -> tuple[int, ...]:
    """The last s of each residue modulo the period, in increasing order.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> telling_orders(regimes(cp(order=2), terms=5))
    (4, 5)
    """
    last = regime_set.exponents.last
    return tuple(
        s for s in range(last - regime_set.period + 1, last + 1) if s in regime_set.polyhedra
    )


def projection(regime_set: Regimes, *, symbols: tuple[str, str] | None = None) -> tuple[int, int]:
    """The places of the two symbols that are drawn.

    Unless given, the last size and the last symbol that is no size, or else the first pair in whose
    exponents the faces are not flat.

    Raises
    ------
    InvalidInputError
        If the series has one symbol only, or a given one does not occur.
    """
    exponents = regime_set.exponents
    names = exponents.symbols
    if symbols is not None:
        for name in symbols:
            if name not in names:
                raise InvalidInputError(
                    f"symbol {name!r}: does not occur in the series; its symbols are "
                    f"{', '.join(names)}"
                )
        return names.index(symbols[0]), names.index(symbols[1])
    if len(names) < 2:
        raise InvalidInputError(
            f"polygon of exponents: the series has the symbol {names[0]} only; nothing is drawn "
            "with fewer than two"
        )
    still = [i for i, name in enumerate(names) if name not in exponents.growing]
    usual = (exponents.growing_places[-1], [*exponents.growing_places[:-1], *still][-1])
    pairs = [usual, *((j, i) for i, j in combinations(reversed(range(len(names))), 2))]
    vertices = regime_set.polyhedra[regime_set.exponents.last].vertices

    def rank(pair: tuple[int, int]) -> int:
        flat = [tuple(point[i] - vertices[0][i] for i in pair) for point in vertices]
        return len(reduced_basis(flat, dimension=2))

    return max(pairs, key=rank)


def draw_polygon(
    axes: Axes, regime_set: Regimes, *, s: int | None = None, symbols: tuple[str, str] | None = None
) -> None:
    """Draw the exponents of one coefficient: vertices, edges, Pareto-optimal and other points.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of its final size: labels are placed by their extent on it.
    regime_set : Regimes
    s : int, optional
        Which coefficient; the last unless given.
    symbols : pair of str, optional
        Whose powers are drawn across and up; see `projection`.

    Raises
    ------
    InvalidInputError
        If Y_s is zero or not known, or `projection` finds no two symbols.
    """
    from matplotlib.ticker import MaxNLocator

    order = telling_orders(regime_set)[-1] if s is None else s
    if order not in regime_set.polyhedra:
        raise InvalidInputError(
            f"polygon of Y_{order}: it is zero or not known; take one of "
            f"{', '.join(f'Y_{k}' for k in regime_set.polyhedra)}"
        )
    places = projection(regime_set, symbols=symbols)
    together = telling_orders(regime_set) if order in telling_orders(regime_set) else (order,)
    shown = [point for k in together for point in regime_set.exponents.points(k)]
    axes.set_xlim(*_limits(point[places[0]] for point in regime_set.exponents.points(order)))
    axes.set_ylim(*_limits(point[places[1]] for point in shown))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    across, up = (symbol_latex(regime_set.exponents.symbols[i]) for i in places)
    axes.set_xlabel(f"power of ${across}$")
    axes.set_ylabel(f"power of ${up}$")
    axes.set_title(f"$s = {order}$", fontsize=8)
    labels = Labels(axes)
    for face in regime_set.polyhedra[order].faces:
        if face.dimension == 1:
            ends = [(float(v[places[0]]), float(v[places[1]])) for v in face.vertices]
            axes.plot(*zip(*ends, strict=True), color=COLOURS["black"], linewidth=1.1, zorder=2)
            labels.avoid(ends)
    for kind, points in _kinds(regime_set, order, places).items():
        if points:
            axes.scatter(*zip(*points, strict=True), **_KINDS[kind])
            for point in points:
                labels.avoid([point], room=_ROOM, soft=kind == "dominated")
    _name_faces(labels, regime_set, order, places)


def polygon_key(regime_set: Regimes) -> list[Artist]:
    """Samples of the points of the polygons of `telling_orders`, to be given to a legend."""
    from matplotlib.figure import Figure

    places = projection(regime_set)
    axes = Figure().subplots()
    present = {
        kind
        for s in telling_orders(regime_set)
        for kind, points in _kinds(regime_set, s, places).items()
        if points
    }
    return [
        axes.scatter([], [], label=kind, **style)
        for kind, style in _KINDS.items()
        if kind in present
    ]


def _kinds(
    regime_set: Regimes, order: int, places: tuple[int, int]
) -> dict[str, list[tuple[float, float]]]:
    """The projected points of every kind; where several meet, the one of the first kind."""
    polyhedron = regime_set.polyhedra[order]
    points = regime_set.exponents.points(order)
    kinds: dict[str, Iterable[Point]] = {
        "vertex": polyhedron.vertices,
        "Pareto-optimal, on a face": (v for face in polyhedron.faces for v in face.points),
        "Pareto-optimal, on no face": pareto_optimal(points, regime_set.exponents.growing_places),
        "dominated": points,
    }
    result: dict[str, list[tuple[float, float]]] = {}
    taken: set[Point] = set()
    covered: set[tuple[int, int]] = set()
    for kind, members in kinds.items():
        fresh = sorted(set(members) - taken)
        taken.update(fresh)
        flat = [(point[places[0]], point[places[1]]) for point in fresh]
        result[kind] = [
            (float(x), float(y)) for x, y in dict.fromkeys(flat) if (x, y) not in covered
        ]
        covered.update(flat)
    return result


def _name_faces(labels: Labels, regime_set: Regimes, order: int, places: tuple[int, int]) -> None:
    """Names at vertices and edges, outside the polygon."""
    corners = sorted(regime_set.polyhedra[order].vertices)
    centre = (
        sum(v[places[0]] for v in corners) / len(corners),
        sum(v[places[1]] for v in corners) / len(corners),
    )
    named: dict[tuple[float, float], list[str]] = {}
    edges = []
    for regime in regime_set:
        at = sorted({q.point(order) for q in regime.sequences})
        flat = [(float(v[places[0]]), float(v[places[1]])) for v in at]
        if regime.dimension == 0:
            named.setdefault(flat[0], []).append(regime.name)
        elif regime.dimension == 1 and len(flat) == 2:
            edges.append((flat[0], flat[1], dashes(regime.name)))
    corner_places = list(named)
    for place, names in named.items():
        labels.near(
            place, " = ".join(names), size=8, bold=True, away_from=centre, others=corner_places
        )
    for start, end, name in edges:
        # Two vertices that differ in symbols that are not drawn have their names already.
        if start == end:
            continue
        labels.alongside(start, end, name, size=6.5, away_from=centre)


def _limits(values: Iterable[int]) -> tuple[float, float]:
    """The range of some exponents with room for names around them."""
    exact = list(values)
    low, high = min(exact), max(exact)
    room = max(0.25 * (high - low), 1.0 if high == low else 0.5)
    return low - room, high + room
