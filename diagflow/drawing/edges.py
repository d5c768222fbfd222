"""The lines of a drawing: bundles as fans of arcs, cycles as circles, loops as petals.

Every line is one cubic Bézier curve. A line between two vertices is close to an arc that leaves the
straight segment at an angle, its *bend*; handles of the length 4/3 tan(bend/2) times the radius
make it a circular arc to one part in a thousand, for bends up to a right angle.

>>> line = arc((0.0, 0.0), (1.0, 0.0), 0.0)
>>> [round(x, 3) for x, _ in line]
[0.0, 0.333, 0.667, 1.0]

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import networkx

__all__ = ["Bezier", "Point", "arc", "arrow_head", "bends", "free_direction", "loop"]

Point = tuple[float, float]
Bezier = tuple[Point, Point, Point, Point]
"""Start, two handles, end."""

_STEP = math.radians(22)
_PETAL = math.radians(62)
"""Bends between neighbours in a bundle, for a bundle among others and for a petal."""

_WIDEST = math.radians(80)
_LEAST_STEP = math.radians(7)


def arc(start: Point, end: Point, bend: float) -> Bezier:
    """A line that leaves the segment to its left at an angle, in radians below a right angle."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    # 4/3 tan(bend/2) times the radius, chord / (2 sin(bend)).
    handle = 1 / (3 * math.cos(bend / 2) ** 2)
    cosine, sine = handle * math.cos(bend), handle * math.sin(bend)
    return (
        start,
        (start[0] + cosine * dx - sine * dy, start[1] + cosine * dy + sine * dx),
        (end[0] - cosine * dx - sine * dy, end[1] - cosine * dy + sine * dx),
        end,
    )


def loop(node: Point, direction: float, rank: int) -> Bezier:
    """A loop at a node, the larger the higher its rank among the loops there."""
    size = 0.75 + 0.3 * rank
    return (
        node,
        _moved(node, direction - math.radians(38), size),
        _moved(node, direction + math.radians(38), size),
        node,
    )


def arrow_head(curve: Bezier, size: float) -> tuple[Point, Point, Point]:
    """A triangle in the middle of a curve that points along it; its tip is first.

    Examples
    --------
    >>> tip, left, right = arrow_head(arc((0.0, 0.0), (1.0, 0.0), 0.0), 0.1)
    >>> tip[0] > left[0] == right[0]
    True
    """
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    middle = ((ax + 3 * bx + 3 * cx + dx) / 8, (ay + 3 * by + 3 * cy + dy) / 8)
    direction = math.atan2(cy + dy - ay - by, cx + dx - ax - bx)
    tip, *back = (
        _moved(middle, direction + turn, size) for turn in (0.0, 0.75 * math.pi, -0.75 * math.pi)
    )
    return tip, back[0], back[1]


def bends(
    component: networkx.Graph, positions: Mapping[int, Point]
) -> dict[tuple[int, int], tuple[float, ...]]:
    """The bends of the lines of every bundle of a component.

    Parameters
    ----------
    component : networkx.Graph
        With the number of lines of every edge as ``lines``.
    positions : mapping from vertex to point
    """
    round_off = _circle(component, positions)
    result = {}
    for first, second, data in component.edges(data=True):
        ends = (min(first, second), max(first, second))
        lines = data["lines"]
        base = round_off.get(ends, 0.0)
        petal = 1 in (component.degree(first), component.degree(second))
        step = _PETAL if petal and lines < 4 else _STEP
        room = min(_gap(component, positions, v, w) for v, w in (ends, ends[::-1]))
        widest = min(_WIDEST, 0.47 * room)
        if lines > 1:
            step = max(min(step, 2 * widest / (lines - 1)), _LEAST_STEP)
        result[ends] = tuple(base + step * (line - (lines - 1) / 2) for line in range(lines))
    return result


def free_direction(component: networkx.Graph, positions: Mapping[int, Point], vertex: int) -> float:
    """The middle of the largest angle between neighbouring lines at a vertex."""
    around = sorted(_angle(positions, vertex, w) for w in component[vertex])
    if not around:
        return math.pi / 2
    wide = [(b - a, a) for a, b in pairwise([*around, around[0] + 2 * math.pi])]
    gap, start = max(wide, key=lambda pair: (round(pair[0], 6), pair[1]))
    return start + gap / 2


def _circle(
    component: networkx.Graph, positions: Mapping[int, Point]
) -> dict[tuple[int, int], float]:
    """The bends that make a cycle a circle; none for other graphs."""
    size = len(component)
    if size < 3 or any(degree != 2 for _, degree in component.degree()):
        return {}
    centre = _mean([positions[v] for v in component])
    result = {}
    for first, second in component.edges():
        ends = (min(first, second), max(first, second))
        (ax, ay), (bx, by) = positions[ends[0]], positions[ends[1]]
        left = (bx - ax) * (centre[1] - ay) - (by - ay) * (centre[0] - ax) > 0
        result[ends] = -math.pi / size if left else math.pi / size
    return result


def _gap(component: networkx.Graph, positions: Mapping[int, Point], v: int, w: int) -> float:
    """The angle at v between the edge to w and its next neighbour."""
    own = _angle(positions, v, w)
    others = (_angle(positions, v, x) - own for x in component[v] if x != w)
    return min((abs(math.remainder(turn, 2 * math.pi)) for turn in others), default=2 * math.pi)


def _angle(positions: Mapping[int, Point], v: int, w: int) -> float:
    (ax, ay), (bx, by) = positions[v], positions[w]
    return math.atan2(by - ay, bx - ax)


def _moved(point: Point, direction: float, by: float) -> Point:
    return point[0] + by * math.cos(direction), point[1] + by * math.sin(direction)


def _mean(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
