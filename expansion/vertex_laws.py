"""The law of motion of the vertices of P_0, P_1, ..., found and checked.

A scaling of general position picks one vertex of every P_s. The scalings that pick the same
vertices for all s of a *window* are a full-dimensional cell of the common refinement of the normal
fans; what such a cell picks is a candidate for a vertex sequence (`expansion.vertex_sequences`),
and it is one if it moves linearly with s. A *law* of period m is a window start ... last in which
every vertex of every P_s is on a sequence, and in which each vertex of the last polyhedron of each
residue of s has one slope only. Cells between walls that move do not pick linear sequences; that is
no contradiction as long as the vertices that they pick are on others.

The law that begins first is taken. If none reaches the last coefficient, vertices have appeared or
vanished late: the longest law that there is stays, and the later coefficients are compared with it.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from expansion.geometry.convex_hull import Hull, Tick, bits, hull_of_sum, unhurried
from expansion.geometry.linear_algebra import Point, inner_product, primitive
from expansion.geometry.newton import NewtonPolyhedron
from expansion.vertex_sequences import PERIODS, Vector, VertexSequence

__all__ = ["VertexLaw", "laws", "picked_vertex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexLaw:
    """How all vertices move with s in a window.

    Parameters
    ----------
    start, last : int
        The window.
    period : int
    sequences : tuple of VertexSequence
        The linear sequences of cells; in each residue of s every vertex is on one of them.
    """

    start: int
    last: int
    period: int
    sequences: tuple[VertexSequence, ...]

    def orders(self, polyhedra: Mapping[int, NewtonPolyhedron]) -> tuple[int, ...]:
        """The s of the window for which Y_s is not zero."""
        return tuple(s for s in range(self.start, self.last + 1) if s in polyhedra)

    def offsets(self, residues: Iterable[int]) -> dict[Vector, dict[int, tuple[Vector, ...]]]:
        """By slope and residue of s, the offsets of the sequences."""
        residues = tuple(residues)
        found: dict[Vector, dict[int, set[Vector]]] = {}
        for sequence in self.sequences:
            of_slope = found.setdefault(sequence.slope, {residue: set() for residue in residues})
            for residue in residues:
                of_slope[residue].add(sequence.offsets[residue])
        return {
            slope: {residue: tuple(sorted(known)) for residue, known in table.items()}
            for slope, table in sorted(found.items())
        }


def laws(
    polyhedra: Mapping[int, NewtonPolyhedron],
    last: int,
    *,
    tick: Tick = unhurried,
    periods: Sequence[int] = PERIODS,
) -> Iterable[VertexLaw]:
    """The laws that hold up to Y_last, those of the longest windows first.

    Parameters
    ----------
    polyhedra : mapping from int to NewtonPolyhedron
        Of the Y_s that are not zero.
    last : int
    tick : callable, optional
        Called during the work.
    periods : sequence of int, optional
        Those that are tried, the smallest first.
    """
    for start in range(last):
        window = [s for s in range(start, last + 1) if s in polyhedra]
        if start not in polyhedra or len(window) < min(PERIODS) + 2:
            continue
        chains: list[dict[int, Point]] | None = None
        for period in periods:
            residues = {s % period for s in window}
            whole = [s for s in range(start, last + 1) if s % period in residues]
            if whole != window or start + period > last:
                continue
            if chains is None:
                chains = _chains({s: polyhedra[s] for s in window}, tick)
            fitted = {VertexSequence.fitted(chain, period=period) for chain in chains}
            sequences = _unambiguous(
                {q for q in fitted if q is not None}, polyhedra, window, period
            )
            if sequences:
                yield VertexLaw(start=start, last=last, period=period, sequences=sequences)


def picked_vertex(polyhedron: NewtonPolyhedron, scaling: Point) -> Point | None:
    """The vertex that a scaling picks, None if it picks a larger face.

    Examples
    --------
    >>> square = NewtonPolyhedron([(0, 0), (0, 1), (1, 0), (1, 1)])
    >>> picked_vertex(square, (2, 1)), picked_vertex(square, (1, 0))
    ((1, 1), None)
    """
    orders = [inner_product(scaling, vertex) for vertex in polyhedron.vertices]
    largest = max(orders)
    return polyhedron.vertices[orders.index(largest)] if orders.count(largest) == 1 else None


def _chains(polyhedra: Mapping[int, NewtonPolyhedron], tick: Tick) -> list[dict[int, Point]]:
    """The vertices of all P_s that each full-dimensional cell of the common refinement picks."""
    # Polyhedra with the same normal fan refine it once.
    different = {polyhedron.normal_fan: polyhedron for polyhedron in polyhedra.values()}
    some = next(iter(different.values()))
    total = hull_of_sum(
        [polyhedron.vertices for polyhedron in different.values()], falls=some.falls, tick=tick
    )
    chains = []
    for scaling in _inner_scalings(total):
        tick()
        chain = {s: picked_vertex(polyhedron, scaling) for s, polyhedron in polyhedra.items()}
        chains.append({s: vertex for s, vertex in chain.items() if vertex is not None})
    return chains


def _inner_scalings(hull: Hull) -> Iterable[Point]:
    """A vector inside the normal cone of every vertex."""
    facets = [0] * len(hull.points)
    for number, tight in enumerate(hull.tight):
        for place in bits(tight & ((1 << len(hull.points)) - 1)):
            facets[place] |= 1 << number
    zero = (0,) * hull.dimension_of_space
    for members in facets:
        normals = (hull.normals[number] for number in bits(members))
        yield primitive([sum(entries) for entries in zip(zero, *normals, strict=True)])


def _unambiguous(
    sequences: set[VertexSequence],
    polyhedra: Mapping[int, NewtonPolyhedron],
    window: list[int],
    period: int,
) -> tuple[VertexSequence, ...]:
    """Sequences that explain all vertices, with one slope for every last vertex; else none."""
    on: dict[tuple[int, Point], set[VertexSequence]] = {
        (s, vertex): set() for s in window for vertex in polyhedra[s].vertices
    }
    for sequence in sequences:
        for s in window:
            on[s, sequence.point(s)].add(sequence)
    if not all(on.values()):
        return ()
    if not _one_slope(on, window[-period:]):
        # A chain of vertices that do not belong together may be linear by accident.
        sequences = {q for some in on.values() if len(some) == 1 for q in some}
        on = {place: some & sequences for place, some in on.items()}
        if not all(on.values()) or not _one_slope(on, window[-period:]):
            return ()
    return tuple(sorted(sequences, key=lambda q: q.sort_key))


def _one_slope(on: Mapping[tuple[int, Point], set[VertexSequence]], last: Iterable[int]) -> bool:
    """Whether each vertex at the last s of each residue has one slope."""
    orders = set(last)
    return all(len({q.slope for q in some}) == 1 for (s, _), some in on.items() if s in orders)


Law = VertexLaw  # its former name
