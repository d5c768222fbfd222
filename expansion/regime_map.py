"""From the polyhedra of a series to the cells of its map, with what supports them.

The law of the vertices (`expansion.vertex_laws`) gives the cells (`expansion.regime_cells`). Three
things may be missing:

- the law holds up to some Y_S' only, because a vertex appears or vanishes late: the cells are those
  of this law, and each of them is *decided* if the later coefficients pick what the law promises;
- no law holds: the cells are those of the common refinement of the last coefficients, one period of
  them, and none is decided;
- the maps of fewer coefficients are different: then nothing is confirmed.

Where s counts steps of gradient descent, degrees grow by a factor with every step and there is no
law to look for: the map is that of the coefficients given, exactly.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.convex_hull import Tick, hull_of_sum
from expansion.geometry.face_lattice import face_layers
from expansion.geometry.faces import Face, compact_faces
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.geometry.newton import NewtonPolyhedron
from expansion.regime_cells import Cell, cells
from expansion.vertex_laws import VertexLaw, laws
from expansion.vertex_sequences import PERIODS, Vector, VertexSequence, order

__all__ = ["Change", "MapCell", "RegimeMap", "find_map", "map_of_steps"]

_LEAST = max(PERIODS) + 3
"""So many coefficients are needed to print cells without a law."""

_WELL_KNOWN = 2
"""A law that later coefficients contradict is kept if so many others confirmed it before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Vertices of a late coefficient that the law does not have, and those that it lacks."""

    s: int
    appeared: tuple[Point, ...]
    vanished: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """A cell of scalings with the vertex sequences that meet there.

    Parameters
    ----------
    cone : Cone
        The closure.
    sequences : tuple of VertexSequence
        Those of the cells of full dimension that it belongs to.
    scaling : Point
        Inside the cell; where the walls around it move, so far inside that it is in the cell for
        all known s if that is possible.
    decided : bool
    """

    cone: Cone
    sequences: tuple[VertexSequence, ...]
    scaling: Point
    decided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeMap:
    """The cells of a series and what supports them.

    Parameters
    ----------
    start : int
    last : int or None
        The law holds from the one to the other; without a law there is no last one.
    period : int
    cells : tuple of MapCell
    confirmed_by : int
        How many coefficients obey the law beyond those that determine it; zero if the maps of one
        or two coefficients fewer are different or there is no law up to the last coefficient.
    confirmed : bool
        Whether the maps of one and of two coefficients fewer are the same.
    changes : tuple of Change
        What later coefficients do not share with the law.
    """

    start: int
    last: int | None
    period: int
    cells: tuple[MapCell, ...]
    confirmed_by: int
    confirmed: bool
    changes: tuple[Change, ...]


def find_map(
    polyhedra: Mapping[int, NewtonPolyhedron],
    last: int,
    *,
    growing: Sequence[int],
    tick: Tick,
    periods: Sequence[int] = PERIODS,
) -> RegimeMap:
    """The map of the Newton polyhedra of Y_0 ... Y_last, with a law of one of some periods.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for a map.
    """
    known = _law(polyhedra, range(last, 1, -1), growing, tick, periods)
    if known is None:
        return _observed_map(polyhedra, last, growing, tick)
    law, limit = known
    later = [s for s in range(law.last + 1, last + 1) if s in polyhedra]
    agree = [
        None if shorter is None else _signature(shorter[1]) == _signature(limit)
        for shorter in (_law(polyhedra, [law.last - k], growing, tick, periods) for k in (1, 2))
    ]
    determined = law.last - law.start - law.period
    # Three coefficients may lie on a line by accident.
    complete = law.last == last and False not in agree and (law.period > 1 or agree[0] is not None)
    sequences = tuple(q for cell in limit if (q := _sequence(cell, law)) is not None)
    return RegimeMap(
        start=law.start,
        last=law.last,
        period=law.period,
        cells=tuple(_map_cell(cell, limit, law, polyhedra, later) for cell in limit),
        confirmed_by=determined if complete else 0,
        confirmed=complete and agree == [True, True],
        changes=tuple(
            change for s in later if (change := _change(s, polyhedra[s], sequences)) is not None
        ),
    )


def map_of_steps(polyhedra: Mapping[int, NewtonPolyhedron], last: int, *, tick: Tick) -> RegimeMap:
    """The common refinement of the normal fans of all polyhedra; nothing is extrapolated.

    A vertex sequence stands still and has a period as long as there are coefficients.
    """
    some = next(iter(polyhedra.values()))
    hull = hull_of_sum([p.vertices for p in polyhedra.values()], falls=some.falls, tick=tick)
    faces = compact_faces(hull, tuple(face_layers(hull)))
    pick = partial(_standing_sequence, polyhedra=polyhedra, last=last)
    return RegimeMap(
        start=0,
        last=last,
        period=last + 1,
        cells=_cells_of_faces(faces, pick, decided=True),
        confirmed_by=0,
        confirmed=False,
        changes=(),
    )


def _cells_of_faces(
    faces: Sequence[Face], pick: Callable[[Point], VertexSequence], *, decided: bool
) -> tuple[MapCell, ...]:
    """A cell for every face, led by the sequences that are picked at its vertices."""
    leading = {face: pick(face.cone.interior) for face in faces if not face.dimension}
    found = []
    for face in faces:
        inside = face.cone.interior
        near = [q for vertex, q in leading.items() if vertex.cone.contains(inside)]
        sequences = tuple(dict.fromkeys(near))
        found.append(MapCell(cone=face.cone, sequences=sequences, scaling=inside, decided=decided))
    return tuple(found)


def _standing_sequence(
    scaling: Point, polyhedra: Mapping[int, NewtonPolyhedron], last: int
) -> VertexSequence:
    """The vertices that a scaling picks, as they are."""
    at = {s: next(iter(_picks(polyhedron, scaling))) for s, polyhedron in polyhedra.items()}
    some = next(iter(at.values()))
    offsets = tuple(tuple(map(Fraction, at.get(s, some))) for s in range(last + 1))
    return VertexSequence(slope=(Fraction(0),) * len(some), offsets=offsets, start=0)


def _law(
    polyhedra: Mapping[int, NewtonPolyhedron],
    ends: Sequence[int],
    growing: Sequence[int],
    tick: Tick,
    periods: Sequence[int],
) -> tuple[VertexLaw, tuple[Cell, ...]] | None:
    """The first law that holds up to one of some ends, with its limit cells."""
    for end in ends:
        for law in laws(polyhedra, end, tick=tick, periods=periods):
            if end < ends[0] and end - law.start - law.period < _WELL_KNOWN:
                continue
            residues = {s % law.period for s in law.orders(polyhedra)}
            limit = cells(law.offsets(residues), growing=growing, tick=tick)
            if all(
                _deep(cell.cone, _leaders(cell), law.orders(polyhedra), law.period, polyhedra)
                for cell in limit
                if not cell.cone.equations
            ):
                return law, limit
    return None


def _signature(found: tuple[Cell, ...]) -> set[tuple[Cone, frozenset[Vector]]]:
    """What maps are compared by: cones with slopes."""
    return {(cell.cone, frozenset(slope for slope, _, _ in cell.picks)) for cell in found}


def _sequence(cell: Cell, law: VertexLaw) -> VertexSequence | None:
    return cell.sequence(period=law.period, start=law.start)


def _map_cell(
    cell: Cell,
    limit: Sequence[Cell],
    law: VertexLaw,
    polyhedra: Mapping[int, NewtonPolyhedron],
    later: Sequence[int],
) -> MapCell:
    inside = cell.cone.interior
    members = tuple(
        sequence
        for other in limit
        if (sequence := _sequence(other, law)) is not None and other.cone.contains(inside)
    )
    leaders = _leaders(cell)
    orders = law.orders(polyhedra)
    scaling = (
        _deep(cell.cone, leaders, [*orders, *later], law.period, polyhedra)
        or _deep(cell.cone, leaders, orders, law.period, polyhedra)
        or inside
    )
    decided = all(_picks(polyhedra[s], scaling) == _points(leaders, s, law.period) for s in later)
    return MapCell(cone=cell.cone, sequences=members, scaling=scaling, decided=decided)


Leaders = Mapping[int, tuple[tuple[Vector, Vector], ...]]
"""By residue of s, slopes and offsets."""


def _leaders(cell: Cell) -> Leaders:
    """The leading sequences inside a cell: of slopes of equal order those with largest offsets."""
    inside = cell.cone.interior
    found: dict[int, list[tuple[Vector, Vector]]] = {}
    for slope, residue, offsets in cell.picks:
        found.setdefault(residue, []).extend((slope, offset) for offset in offsets)
    result = {}
    for residue, candidates in found.items():
        orders = [order(inside, offset) for _, offset in candidates]
        largest = max(orders)
        result[residue] = tuple(
            c for c, height in zip(candidates, orders, strict=True) if height == largest
        )
    return result


def _points(leaders: Leaders, s: int, period: int) -> set[Point]:
    """The vertices that lead at s."""
    return {
        tuple(int(a + s * b) for a, b in zip(offset, slope, strict=True))
        for slope, offset in leaders[s % period]
    }


def _picks(polyhedron: NewtonPolyhedron, scaling: Point) -> set[Point]:
    """The vertices of the face that a scaling picks."""
    orders = [inner_product(scaling, vertex) for vertex in polyhedron.vertices]
    largest = max(orders)
    return {v for v, height in zip(polyhedron.vertices, orders, strict=True) if height == largest}


def _deep(
    cone: Cone,
    leaders: Leaders,
    orders: Sequence[int],
    period: int,
    polyhedra: Mapping[int, NewtonPolyhedron],
) -> Point | None:
    """A scaling inside a cone that picks the leaders at all given s; None if there is none."""
    wanted = {s: _points(leaders, s, period) for s in orders}

    def holds(scaling: Point) -> bool:
        return cone.contains_in_interior(scaling) and all(
            _picks(polyhedra[s], scaling) == points for s, points in wanted.items()
        )

    if holds(cone.interior):
        return cone.interior
    normals: set[Point] = set()
    for s, points in wanted.items():
        if not points <= set(polyhedra[s].vertices):
            return None
        for point in points:
            normals.update(
                tuple(x - y for x, y in zip(point, vertex, strict=True))
                for vertex in polyhedra[s].vertices
                if vertex != point
            )
    smaller = Cone.from_inequalities(
        [*cone.inequalities, *normals], cone.equations, dimension=cone.dimension_of_space
    )
    return smaller.interior if holds(smaller.interior) else None


def _change(
    s: int, polyhedron: NewtonPolyhedron, sequences: Sequence[VertexSequence]
) -> Change | None:
    promised = {q.point(s) for q in sequences}
    found = set(polyhedron.vertices)
    if promised == found:
        return None
    return Change(
        s=s, appeared=tuple(sorted(found - promised)), vanished=tuple(sorted(promised - found))
    )


def _observed_map(
    polyhedra: Mapping[int, NewtonPolyhedron], last: int, growing: Sequence[int], tick: Tick
) -> RegimeMap:
    """The cells of the common refinement of the last coefficients, without a law."""
    period = max(PERIODS)
    window = [s for s in range(last - 2 * period + 1, last + 1) if s in polyhedra]
    if last + 1 < _LEAST or last not in polyhedra or last - period not in polyhedra:
        raise InvalidInputError(
            f"regimes: Y_0 ... Y_{last} are too few coefficients to decide how the vertices move; "
            f"give more terms, at least terms={max(last + 1, max(PERIODS) + 1)}"
        )
    latest = [polyhedra[s].vertices for s in window if s > last - period]
    hull = hull_of_sum(latest, falls=polyhedra[last].falls, tick=tick)
    faces = compact_faces(hull, tuple(face_layers(hull)))
    pick = partial(_observed_sequence, polyhedra=polyhedra, window=window, period=period)
    return RegimeMap(
        start=window[0],
        last=None,
        period=period,
        # Without a law one more coefficient may move every cell.
        cells=_cells_of_faces(faces, pick, decided=False),
        confirmed_by=0,
        confirmed=False,
        changes=(),
    )


def _observed_sequence(
    scaling: Point, polyhedra: Mapping[int, NewtonPolyhedron], window: Sequence[int], period: int
) -> VertexSequence:
    """The fastest motion between vertices that a scaling picks."""
    at = {
        s: max(polyhedra[s].vertices, key=lambda v: (inner_product(scaling, v), v)) for s in window
    }
    slopes: dict[Vector, Fraction] = {}
    for s, after in at.items():
        if s - period in at:
            before = at[s - period]
            slope = tuple(Fraction(y - x, period) for x, y in zip(before, after, strict=True))
            slopes[slope] = order(scaling, slope)
    slope = max(slopes, key=lambda known: (slopes[known], known))
    offsets: dict[int, Vector] = {}
    for s, vertex in at.items():
        offsets[s % period] = tuple(x - s * b for x, b in zip(vertex, slope, strict=True))
    some = next(iter(offsets.values()))
    return VertexSequence(
        slope=slope,
        offsets=tuple(offsets.get(residue, some) for residue in range(period)),
        start=window[0],
    )
