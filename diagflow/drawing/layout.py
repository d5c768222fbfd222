"""Where the nodes of a diagram stand and how its lines run.

Planar diagrams are drawn without crossings (`diagflow.drawing.embedding`), with edges of about
equal length and all the symmetry that the embedding has (`diagflow.drawing.relaxation`): cycles are
circles, flowers have their petals around a hub. The unit of length is an ideal edge; the y-axis
points up; components stand side by side. The same diagram always has the same layout.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> drawn = layout(circle)
>>> len({round(math.hypot(x, y), 3) for x, y in drawn.nodes})
1

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import networkx
import numpy as np
from numpy.typing import NDArray

from diagflow.drawing.edges import Bezier, Point, arc, bends, free_direction, loop
from diagflow.drawing.embedding import barycentric, embeddings, faces
from diagflow.drawing.relaxation import System
from diagflow.drawing.skeleton import Skeleton
from diagrams.diagram import Diagram
from diagrams.tensors import Tensor

__all__ = ["Layout", "Line", "layout"]

_OUTER_FACES = 3
"""Number of outer faces that are tried for each embedding."""

_PARTS = 4
"""Number of planar parts that are tried for a graph that is not planar."""

_BETWEEN = 0.7
"""Space between components."""

_DIGITS = 4
"""Digits of the coordinates, so that rounding errors of machines do not show."""


@dataclass(frozen=True, slots=True)
class Line:
    """A factor of a tensor of rank two, or one slot of another factor.

    Parameters
    ----------
    tensor : Tensor
    curve : four points
        A cubic Bézier curve: start, two handles, end.
    is_directed : bool
        Whether it needs an arrow head: both slots are on one axis, and the curve runs from the
        first to the second.
    """

    tensor: Tensor
    curve: Bezier
    is_directed: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions and curves of a drawn diagram, in units of an edge.

    Parameters
    ----------
    nodes : tuple of points
        One for each node of the diagram.
    junctions : tuple of (Tensor, point)
        One for each factor whose tensor is not of rank two.
    lines : tuple of Line
    """

    nodes: tuple[Point, ...]
    junctions: tuple[tuple[Tensor, Point], ...]
    lines: tuple[Line, ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least x and y, largest x and y of points and curves."""
        points = [*self.nodes, *(point for _, point in self.junctions)]
        for line in self.lines:
            points += _samples(line.curve)
        if not points:
            return 0.0, 0.0, 0.0, 0.0
        xs, ys = zip(*points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@lru_cache(maxsize=4096)
def layout(diagram: Diagram) -> Layout:
    """Lay out a diagram.

    Parameters
    ----------
    diagram : Diagram

    Returns
    -------
    Layout
        Centred at the origin.

    Notes
    -----
    Cost: a few hundredths of a second for ten nodes; the forces take the square of the size.
    """
    skeleton = Skeleton.of(diagram)
    positions: dict[int, Point] = {}
    curves: dict[tuple[int, int], tuple[Bezier, ...]] = {}
    loops: dict[int, tuple[Bezier, ...]] = {}
    looping = dict(skeleton.loops)
    right = 0.0
    for component in skeleton.components:
        own = _positions(component, _looks(diagram, skeleton))
        drawn = {
            ends: tuple(arc(own[ends[0]], own[ends[1]], bend) for bend in turns)
            for ends, turns in bends(component, own).items()
        }
        petals = {
            v: tuple(
                loop(own[v], free_direction(component, own, v), rank)
                for rank in range(len(looping[v]))
            )
            for v in component
            if v in looping
        }
        points = [*own.values()]
        for curve in [c for group in (*drawn.values(), *petals.values()) for c in group]:
            points += _samples(curve)
        left = min(x for x, _ in points)
        middle = (min(y for _, y in points) + max(y for _, y in points)) / 2
        shift = (right - left, -middle)
        right += max(x for x, _ in points) - left + _BETWEEN
        positions |= {v: _shifted(point, shift) for v, point in own.items()}
        curves |= {e: tuple(_shifted_curve(c, shift) for c in group) for e, group in drawn.items()}
        loops |= {v: tuple(_shifted_curve(c, shift) for c in group) for v, group in petals.items()}
    centre = (-(right - _BETWEEN) / 2, 0.0)
    place = {v: _rounded(_shifted(point, centre)) for v, point in positions.items()}
    lines = []
    for ends, strands in skeleton.bundles:
        for (tensor, sense), curve in zip(strands, curves[ends], strict=True):
            run = _rounded_curve(_shifted_curve(curve, centre))
            directed = sense != 0 and not tensor.symmetric
            lines.append(Line(tensor, run if sense >= 0 else _reversed(run), directed))
    for node, tensors in skeleton.loops:
        for tensor, curve in zip(tensors, loops[node], strict=True):
            lines.append(Line(tensor, _rounded_curve(_shifted_curve(curve, centre))))
    return Layout(
        tuple(place[v] for v in range(skeleton.nodes)),
        tuple((t, place[skeleton.nodes + k]) for k, t in enumerate(skeleton.junctions)),
        tuple(lines),
    )


def _looks(diagram: Diagram, skeleton: Skeleton) -> tuple[Hashable, ...]:
    """What each vertex looks like, to see whether a drawing is its own mirror image."""
    return (*diagram.nodes, *skeleton.junctions)


def _positions(component: networkx.Graph, looks: tuple[Hashable, ...]) -> dict[int, Point]:
    """The best of some drawings of a component, turned upright."""
    vertices = list(component)
    if len(vertices) == 1:
        return {vertices[0]: (0.0, 0.0)}
    place = {vertex: row for row, vertex in enumerate(vertices)}
    system = System.of(
        len(vertices),
        [
            ((place[v], place[w]), 1 + 0.08 * (min(lines, 8) - 1), 1 + 0.6 * (lines - 1))
            for v, w, lines in component.edges(data="lines")
        ],
    )
    best: tuple[tuple[float, float], NDArray[np.float64]] | None = None
    for start in _starts(component):
        points = system.relaxed(np.array([start[vertex] for vertex in vertices]))
        rank = (system.crossings(points), round(system.energy(points), 4))
        if best is None or rank < best[0]:
            best = rank, points
    assert best is not None
    upright = _upright(best[1], [looks[vertex] for vertex in vertices])
    return {vertex: (float(x), float(y)) for vertex, (x, y) in zip(vertices, upright, strict=True)}


def _starts(component: networkx.Graph) -> Iterator[Mapping[int, NDArray[np.float64]]]:
    """Barycentric drawings, of the largest planar part if the graph is not planar."""
    planar = True
    parts = [component]
    if not networkx.check_planarity(component)[0]:
        planar = False
        parts = [_planar_part(component, trial) for trial in range(_PARTS)]
    for part in parts:
        for embedding in embeddings(part):
            lengths: list[int] = []
            for outer in faces(embedding):
                if lengths.count(len(outer)) < 2:
                    lengths.append(len(outer))
                    start = barycentric(embedding, outer)
                    yield start if planar else _shaken(start)
                if len(lengths) == _OUTER_FACES:
                    break


def _planar_part(component: networkx.Graph, trial: int) -> networkx.Graph:
    """A maximal planar subgraph on all vertices; which one, depends on the trial."""
    edges = list(component.edges(data=True))
    shift = trial * len(edges) // _PARTS
    part = networkx.Graph()
    part.add_nodes_from(component)
    for first, second, data in edges[shift:] + edges[:shift]:
        part.add_edge(first, second, **data)
        if not networkx.check_planarity(part)[0]:
            part.remove_edge(first, second)
    return part


def _shaken(positions: Mapping[int, NDArray[np.float64]]) -> Mapping[int, NDArray[np.float64]]:
    """Slightly moved, so that no vertex lies on an edge that was left out."""
    return {
        vertex: point + 0.02 * np.array([math.sin(7 * k + 1), math.cos(5 * k)])
        for k, (vertex, point) in enumerate(positions.items())
    }


def _upright(points: NDArray[np.float64], looks: list[Hashable]) -> NDArray[np.float64]:
    """Turn a drawing: symmetric about the vertical if it can be, not tall, the first node above."""
    centred = points - points.mean(axis=0)
    (a, b), (_, c) = centred.T @ centred
    directions = [0.5 * math.atan2(2 * b, a - c)]
    directions += [math.atan2(y, x) for x, y in centred if math.hypot(x, y) > 0.1]
    best: tuple[tuple[float, ...], NDArray[np.float64]] | None = None
    for direction in directions:
        for target in (math.pi / 2, 0.0, -math.pi / 2, math.pi):
            angle = target - direction
            rotation = np.array(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            )
            turned = centred @ rotation.T
            width, height = np.ptp(turned, axis=0)
            rank = (
                _is_mirrored(turned, looks, 0) + 0.5 * _is_mirrored(turned, looks, 1),
                bool(width > 0.6 * height),
                round(float(turned[0, 1]), 2),
                -round(float(turned[0, 0]), 2),
            )
            if best is None or rank > best[0]:
                best = rank, turned
    assert best is not None
    return best[1]


def _is_mirrored(points: NDArray[np.float64], looks: list[Hashable], axis: int) -> bool:
    """Whether the points are symmetric under a change of the sign of one coordinate."""
    image = points.copy()
    image[:, axis] *= -1
    distance = np.sqrt(((points[:, None] - image[None]) ** 2).sum(axis=2))
    nearest = distance.argmin(axis=1)
    return bool(distance.min(axis=1).max() < 0.05) and all(
        looks[i] == looks[j] for i, j in enumerate(nearest)
    )


def _samples(curve: Bezier, count: int = 9) -> list[Point]:
    """Points on a curve."""
    result = []
    for k in range(count):
        t = k / (count - 1)
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        result.append(
            (
                sum(w * x for w, (x, _) in zip(weights, curve, strict=True)),
                sum(w * y for w, (_, y) in zip(weights, curve, strict=True)),
            )
        )
    return result


def _shifted(point: Point, shift: Point) -> Point:
    return point[0] + shift[0], point[1] + shift[1]


def _rounded(point: Point) -> Point:
    # Adding zero turns a negative zero into zero.
    return round(point[0], _DIGITS) + 0.0, round(point[1], _DIGITS) + 0.0


def _shifted_curve(curve: Bezier, shift: Point) -> Bezier:
    a, b, c, d = (_shifted(point, shift) for point in curve)
    return a, b, c, d


def _reversed(curve: Bezier) -> Bezier:
    a, b, c, d = curve
    return d, c, b, a


def _rounded_curve(curve: Bezier) -> Bezier:
    a, b, c, d = (_rounded(point) for point in curve)
    return a, b, c, d
