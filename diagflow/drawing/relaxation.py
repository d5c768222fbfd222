"""Relaxing a drawing: equal edges, vertices apart, and no line ever crossed.

A drawing has the energy

    sum over edges of (length - ideal)^2
      + repulsion * sum over pairs of vertices of 1/distance
      + clearance * sum over vertices and edges apart from each other of width/distance^2,

and follows its gradient. Every vertex moves by less than a third of the least distance between a
vertex and an edge, so that no vertex can pass over an edge: what was planar stays planar, and what
was symmetric stays symmetric.

>>> start = np.array([[0.0, 0.0], [0.3, 0.0]])
>>> apart = System.of(2, [((0, 1), 1.0, 1.0)]).relaxed(start)
>>> bool(np.linalg.norm(apart[1] - apart[0]) > 0.9)
True

Source: ours; forces of this kind are common in drawing graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["System"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_REPULSION = 0.12
_CLEARANCE = 0.006
_STEPS = 240
_LONGEST = 0.12
"""Longest move of a vertex in one step, in units of the ideal edge."""

_FINISHED = 1e-7
"""A step that lowers the energy by a smaller share is the last."""


@dataclass(frozen=True, slots=True)
class System:
    """The vertices and edges whose drawing is relaxed.

    Parameters
    ----------
    ends : array of shape (edges, 2)
    ideal, width : arrays of shape (edges,)
        The wanted lengths, and how much room each edge takes.
    pairs : array of shape (2, pairs)
        All pairs of vertices.
    apart : array of shape (2, ...)
        All vertices with the edges that they are not on.
    gather : array of shape (vertices, edges + pairs + 3 * apart)
        Adds up the forces on every vertex.
    """

    ends: IndexArray
    ideal: FloatArray
    width: FloatArray
    pairs: IndexArray
    apart: IndexArray
    gather: FloatArray

    @classmethod
    def of(cls, vertices: int, edges: Sequence[tuple[tuple[int, int], float, float]]) -> System:
        """The system of some edges, each with its ideal length and width."""
        ends = np.array([pair for pair, _, _ in edges])
        pairs = np.stack(np.triu_indices(vertices, 1))
        every = np.arange(vertices)
        apart = np.stack(np.nonzero((every[:, None, None] != ends[None]).all(axis=2)))

        def at(where: IndexArray) -> FloatArray:
            result: FloatArray = (every[:, None] == where[None]).astype(float)
            return result

        gather = np.concatenate(
            [
                at(ends[:, 0]) - at(ends[:, 1]),
                at(pairs[1]) - at(pairs[0]),
                at(apart[0]),
                -at(ends[apart[1], 0]),
                -at(ends[apart[1], 1]),
            ],
            axis=1,
        )
        ideal = np.array([length for _, length, _ in edges])
        width = np.array([wide for _, _, wide in edges])
        return cls(ends, ideal, width, pairs, apart, gather)

    def relaxed(self, start: FloatArray) -> FloatArray:
        """The drawing that a drawing, of shape (vertices, 2), relaxes to."""
        positions = start
        value, force, room = self._forces(positions)
        rate = 0.25
        for _ in range(_STEPS):
            longest = float(np.sqrt((force**2).sum(axis=1)).max())
            if longest < _FINISHED:
                break
            move = min(rate, min(_LONGEST, 0.3 * room) / longest)
            trial = positions + move * force
            new_value, new_force, new_room = self._forces(trial)
            if new_value > value:
                rate = move / 2
                continue
            finished = value - new_value < _FINISHED * value
            positions, value, force, room = trial, new_value, new_force, new_room
            rate = min(1.5 * move, 1.0)
            if finished:
                break
        return positions

    def energy(self, positions: FloatArray) -> float:
        """The energy of a drawing."""
        return self._forces(positions)[0]

    def crossings(self, positions: FloatArray) -> int:
        """Number of pairs of edges that cross."""
        first, second = np.triu_indices(len(self.ends), 1)
        distinct = (self.ends[first][:, :, None] != self.ends[second][:, None, :]).all(axis=(1, 2))
        a, b = (positions[self.ends[first[distinct], end]] for end in (0, 1))
        c, d = (positions[self.ends[second[distinct], end]] for end in (0, 1))
        sides = _turn(a, b, c) * _turn(a, b, d) < 0
        return int(np.count_nonzero(sides & (_turn(c, d, a) * _turn(c, d, b) < 0)))

    def _forces(self, positions: FloatArray) -> tuple[float, FloatArray, float]:
        """Energy, its negative gradient, and the least distance from a vertex to anything."""
        base = positions[self.ends[:, 0]]
        along = positions[self.ends[:, 1]] - base
        square = (along**2).sum(axis=1)
        size = np.sqrt(square)
        stretch = size - self.ideal
        pull = (2 * stretch / size)[:, None] * along

        between = positions[self.pairs[1]] - positions[self.pairs[0]]
        distance = np.sqrt((between**2).sum(axis=1))
        push = (_REPULSION / distance**3)[:, None] * between

        vertex, edge = self.apart
        offset, span = positions[vertex] - base[edge], along[edge]
        share = np.clip((offset * span).sum(axis=1) / square[edge], 0, 1)[:, None]
        away = offset - share * span
        near = (away**2).sum(axis=1)
        weight = _CLEARANCE * self.width[edge]
        repel = (2 * weight / near**2)[:, None] * away

        value = (stretch**2).sum() + (_REPULSION / distance).sum() + (weight / near).sum()
        forces = np.concatenate([pull, push, repel, (1 - share) * repel, share * repel])
        room = min(float(distance.min()), float(np.sqrt(near.min())) if len(near) else np.inf)
        return float(value), self.gather @ forces, room


def _turn(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    u, v = b - a, c - a
    area: FloatArray = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return area
