"""The cells of scalings in which regimes lead: the limit of the normal fans as s grows.

Vertices move as a + s b (`expansion.vertex_laws`). For large s a scaling α picks the largest α·b
first, and among the sequences of one slope b the largest α·a. So a cell holds the scalings that
agree in

- the face of the *slope polyhedron* that they pick, the hull of all slopes;
- for each slope b on this face and each residue r of s, the face of the hull of the offsets a of
  the sequences with slope b that they pick.

Where a wall stands still this is the common refinement of the normal fans of the P_s. A wall that
moves with s lies between two slopes and appears once, at its limit. Cells are relatively open
cones; every scaling that is positive on the sizes is in exactly one of them, by construction.

>>> from fractions import Fraction as F
>>> offsets = {(F(0), F(1)): {0: ((F(0), F(0)),)}, (F(1), F(0)): {0: ((F(3), F(1)),)}}
>>> [cell.cone.rays for cell in cells(offsets, growing=(0, 1))]
[((0, 1), (1, 1)), ((1, 0), (1, 1)), ((1, 1),)]

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from expansion.geometry.cones import Cone
from expansion.geometry.convex_hull import (
    Hull,
    Tick,
    convex_hull,
    hull_of_sum,
    unhurried,
    unit_vector,
)
from expansion.geometry.face_lattice import face_layers
from expansion.geometry.faces import Face, compact_faces
from expansion.geometry.linear_algebra import Point, inner_product, orthogonal_basis
from expansion.vertex_sequences import Vector, VertexSequence, order

__all__ = ["Cell", "Offsets", "cells"]

Offsets = Mapping[Vector, Mapping[int, tuple[Vector, ...]]]
"""By slope and residue of s, the offsets of sequences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A relatively open cone of scalings.

    Parameters
    ----------
    cone : Cone
        Its closure.
    picks : tuple of (slope, residue, offsets)
        What its scalings pick.
    """

    cone: Cone
    picks: tuple[tuple[Vector, int, tuple[Vector, ...]], ...]

    def sequence(self, *, period: int, start: int) -> VertexSequence | None:
        """The vertex sequence that leads in a cell of full dimension, None in another one."""
        if self.cone.equations:
            return None
        slope = self.picks[0][0]
        offsets = {residue: picked[0] for _, residue, picked in self.picks}
        some = self.picks[0][2][0]
        return VertexSequence(
            slope=slope,
            offsets=tuple(offsets.get(residue, some) for residue in range(period)),
            start=start,
        )


def cells(offsets: Offsets, *, growing: Iterable[int], tick: Tick = unhurried) -> tuple[Cell, ...]:
    """The cells of all scalings that are positive at the growing places.

    Parameters
    ----------
    offsets : mapping
        By slope and residue of s, the offsets of sequences.
    growing : iterable of int
    tick : callable, optional
        Called during the work.

    Returns
    -------
    tuple of Cell
        Those of full dimension first, then by cone.
    """
    size = len(next(iter(offsets)))
    falls = tuple(unit_vector(place, dimension=size) for place in growing)
    scale = lcm(*(entry.denominator for slope in offsets for entry in slope))
    slopes = {_scaled(slope, scale): slope for slope in offsets}
    found: list[Cell] = []
    for face in _faces(convex_hull(tuple(sorted(slopes)), falls=falls, tick=tick)):
        groups = {slopes[vertex]: offsets[slopes[vertex]] for vertex in face.vertices}
        found += _refined(face.cone, groups, tick)
    return tuple(sorted(found, key=lambda cell: (len(cell.cone.equations), cell.cone.rays)))


def _refined(cone: Cone, groups: Offsets, tick: Tick) -> Iterator[Cell]:
    """The cells within the relative interior of a cone, on which some slopes are the largest."""
    size = cone.dimension_of_space
    axes = orthogonal_basis(cone.equations, dimension=size)
    summands = []
    for table in groups.values():
        for vectors in table.values():
            scale = lcm(*(entry.denominator for vector in vectors for entry in vector))
            shadows = {_coordinates(_scaled(vector, scale), axes) for vector in vectors}
            if len(shadows) > 1:
                summands.append(sorted(shadows))
    if not summands:
        yield Cell(cone=cone, picks=_picks(groups, cone.interior))
        return
    falls = tuple(_coordinates(normal, axes) for normal in cone.inequalities)
    for face in _faces(hull_of_sum(summands, falls=falls, tick=tick)):
        part = Cone.from_rays(
            [_combined(ray, axes) for ray in face.cone.rays],
            [_combined(line, axes) for line in face.cone.lineality],
            dimension=size,
        )
        yield Cell(cone=part, picks=_picks(groups, part.interior))


def _faces(hull: Hull) -> tuple[Face, ...]:
    return compact_faces(hull, tuple(face_layers(hull)))


def _picks(groups: Offsets, scaling: Point) -> tuple[tuple[Vector, int, tuple[Vector, ...]], ...]:
    """The offsets that are largest along a scaling, by slope and residue."""
    result = []
    for slope, table in groups.items():
        for residue, vectors in table.items():
            orders = [order(scaling, vector) for vector in vectors]
            largest = max(orders)
            result.append(
                (
                    slope,
                    residue,
                    tuple(v for v, x in zip(vectors, orders, strict=True) if x == largest),
                )
            )
    return tuple(result)


def _scaled(vector: Vector, scale: int) -> Point:
    return tuple(int(entry * scale) for entry in vector)


def _coordinates(normal: Sequence[int], axes: Sequence[Point]) -> Point:
    """A functional in the coordinates of a subspace."""
    return tuple(inner_product(normal, axis) for axis in axes)


def _combined(coordinates: Sequence[int], axes: Sequence[Point]) -> list[int]:
    """The vector with given coordinates along axes."""
    return [inner_product(coordinates, entries) for entries in zip(*axes, strict=True)]
