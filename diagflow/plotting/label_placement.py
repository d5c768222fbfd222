"""Places for labels: near what they name, on nothing else.

Labels and obstacles are convex polygons in pixels (a point or a segment is one, too). Candidates
are tried from the best to the worst, and the first that meets no obstacle is taken; a label that
finds no room at its object stands beside it with a line that leads there. Numeric by purpose.

>>> meet([(0, 0), (2, 0), (2, 2), (0, 2)], [(1, 1), (3, 3)])
True
>>> meet([(0, 0), (2, 0), (0, 2)], [(2, 2), (2, 1)])
False

Source: ours; the separating axes of convex polygons are standard.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Labels", "centroid", "meet", "polygon_area"]

Spot = tuple[float, float]
Shape = Sequence[Spot]

_STEPS = 36
"""Candidates along each side of a region."""

_FROM_THE_MIDDLE = [k / _STEPS for k in sorted(range(1, _STEPS), key=lambda k: abs(k - _STEPS / 2))]
"""Fractions of a segment, from its middle outwards."""

_DIRECTIONS = (3, 1, 5, 7, 2, 6, 4, 0, 3.5, 2.5, 0.5, 1.5, 4.5, 5.5, 6.5, 7.5)
"""Directions from a point in eighths of a turn, in the order of preference."""


def meet(first: Shape, second: Shape) -> bool:
    """Whether two convex polygons have a point in common; touching counts."""
    for a, b in ((first, second), (second, first)):
        for (x0, y0), (x1, y1) in zip(a, [*a[1:], *a[:1]], strict=True):
            for axis in ((y0 - y1, x1 - x0), (x1 - x0, y1 - y0)):
                one = [x * axis[0] + y * axis[1] for x, y in a]
                two = [x * axis[0] + y * axis[1] for x, y in b]
                if max(one) < min(two) or max(two) < min(one):
                    return False
    return True


def centroid(places: Shape) -> Spot:
    """The centroid of a convex polygon, the mean of its corners if it has no area."""
    x0, y0 = places[0]
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in pairwise(places[1:]):
        part = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        area += part
        x += part * (x0 + x1 + x2) / 3
        y += part * (y0 + y1 + y2) / 3
    if not area:
        return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)
    return x / area, y / area


def polygon_area(places: Shape) -> float:
    """The area of a polygon without crossings.

    Examples
    --------
    >>> polygon_area([(0, 0), (2, 0), (0, 2)])
    2.0
    """
    shifted = [*places[1:], *places[:1]]
    return abs(sum(a * d - b * c for (a, b), (c, d) in zip(places, shifted, strict=True))) / 2


class Labels:
    """The labels of one `Axes` whose limits and size are settled, in the order they are placed.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        figure = axes.get_figure(root=True)
        assert figure is not None
        self._pixels_per_point = figure.dpi / 72
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
        axes.apply_aspect()
        box = axes.get_window_extent()
        self._frame = (box.x0, box.y0, box.x1, box.y1)
        self._hard: list[Shape] = []
        self._soft: list[Shape] = []
        self._boxes: list[Shape] = []

    def avoid(self, places: Iterable[Spot], *, room: float = 0.0, soft: bool = False) -> None:
        """Keep labels off a polygon, segment or point of the picture.

        Parameters
        ----------
        places : iterable of pairs of float
            In the coordinates of the axes.
        room : float
            Width of a margin around a point, in typographical points.
        soft : bool
            Whether a label may cover it if there is no other place.
        """
        shape = self._pixels(places)
        if len(shape) == 1:
            shape = _disc(shape[0], self._size(room))
        (self._soft if soft else self._hard).append(shape)

    def in_region(
        self,
        places: Iterable[Spot],
        *texts: str,
        size: float,
        colour: str,
        or_beside: bool = True,
    ) -> bool:
        """A label inside a convex polygon, as near to the centroid as there is room.

        Of several texts the first that fits is taken, or the last beside the polygon if that is
        wanted.

        Returns
        -------
        bool
            Whether it is inside.
        """
        region = self._pixels(places)
        centre = centroid(region)
        spots = self._grid(region, centre)
        for room, obstacles in (
            (5.0, [*self._hard, *self._soft]),
            (2.0, [*self._hard, *self._soft]),
            (1.5, self._hard),
        ):
            for text in texts:
                width, height = self._extent(text, size)
                margin = 2 * self._size(room)
                for spot in spots:
                    box = _box(spot, width + margin, height + margin, 0.0)
                    if _inside(box, region) and self._free(box, obstacles):
                        self._put(spot, text, size=size, colour=colour)
                        return True
        if or_beside:
            self._beside(centre, texts[-1], size=size, own=())
        return False

    def along(self, start: Spot, end: Spot, text: str, *, size: float) -> None:
        """A label on a segment and along it, as near to its middle as there is room."""
        first, last = self._pixels([start, end])
        length = math.dist(first, last)
        angle = _upright(first, last)
        width, height = self._extent(text, size)
        own = (first, last)
        margin = self._size(3.0)
        obstacles = [shape for shape in self._hard if not _is_segment(shape, own)]
        for t in _FROM_THE_MIDDLE:
            spot = (first[0] + t * (last[0] - first[0]), first[1] + t * (last[1] - first[1]))
            room = length * min(t, 1 - t) - width / 2
            box = _box(spot, width + margin, height + margin, angle)
            if room >= self._size(4.0) and self._in_frame(box) and self._free(box, obstacles):
                self._put(spot, text, size=size, colour="white", angle=angle)
                return
        middle = ((first[0] + last[0]) / 2, (first[1] + last[1]) / 2)
        self._beside(middle, text, size=size, own=own)

    def alongside(self, start: Spot, end: Spot, text: str, *, size: float, away_from: Spot) -> None:
        """A label along a segment on its side away from a point, or on the other side.

        Left out where it would cover something: the names of its ends suffice.
        """
        first, last, inner = self._pixels([start, end, away_from])
        length = math.dist(first, last)
        angle = _upright(first, last)
        width, height = self._extent(text, size)
        if not length:
            self._beside(first, text, size=size, own=())
            return
        normal = ((first[1] - last[1]) / length, (last[0] - first[0]) / length)
        outside = (first[0] - inner[0]) * normal[0] + (first[1] - inner[1]) * normal[1]
        side = -1.0 if outside < 0 else 1.0
        reach, margin = height / 2 + self._size(3.5), self._size(1.5)
        for sign in (side, -side):
            for t in _FROM_THE_MIDDLE:
                spot = (
                    first[0] + t * (last[0] - first[0]) + sign * reach * normal[0],
                    first[1] + t * (last[1] - first[1]) + sign * reach * normal[1],
                )
                box = _box(spot, width + margin, height + margin, angle)
                if self._in_frame(box) and self._free(box, [*self._hard, *self._soft]):
                    self._put(spot, text, size=size, colour="none", angle=angle)
                    return
        middle = ((first[0] + last[0]) / 2, (first[1] + last[1]) / 2)
        self._beside(middle, text, size=size, own=(first, last), is_needed=False)

    def near(
        self,
        place: Spot,
        text: str,
        *,
        size: float,
        bold: bool = False,
        away_from: Spot | None = None,
        others: Iterable[Spot] = (),
    ) -> None:
        """A label close to a point, if possible on its side away from another point.

        It is nearer to its point than to the others that have labels, or a line leads from it to
        its point.
        """
        spot, inner = self._pixels([place, place if away_from is None else away_from])
        rivals = [other for other in self._pixels(others) if other != spot]
        self._beside(spot, text, size=size, own=(), bold=bold, inner=inner, rivals=rivals)

    def _beside(
        self,
        target: Spot,
        text: str,
        *,
        size: float,
        own: Shape,
        bold: bool = False,
        inner: Spot | None = None,
        rivals: Sequence[Spot] = (),
        is_needed: bool = True,
    ) -> None:
        """A label at the nearest free place, with a line to its object if that is not adjacent.

        One that is larger than the picture is left out, and one that is not needed where it would
        cover something.
        """
        width, height = self._extent(text, size, bold=bold)
        margin = self._size(2.0)
        trials = [[*self._hard, *self._soft], self._hard]
        for obstacles in [*trials, self._boxes, []] if is_needed else trials:
            for distance, spot in self._around(target, width, height, inner or target):
                box = _box(spot, width + margin, height + margin, 0.0)
                far = distance > 6.0 or bool(own)
                if far and not self._free((spot, target), self._boxes):
                    continue
                if not far and rivals:
                    to_others = min(_gap(box, rival) for rival in rivals)
                    if not to_others >= _gap(box, target) + margin:
                        continue
                if self._in_frame(box) and self._free(box, obstacles):
                    self._put(
                        spot,
                        text,
                        size=size,
                        colour="white",
                        target=target if far else None,
                        bold=bold,
                    )
                    return

    def _around(
        self, target: Spot, width: float, height: float, inner: Spot
    ) -> Iterator[tuple[float, Spot]]:
        """Places of a box around a point, by distance in points, first away from another one."""
        away = math.atan2(target[1] - inner[1], target[0] - inner[0])
        directions: Sequence[float] = _DIRECTIONS
        if inner != target:
            directions = sorted(
                _DIRECTIONS, key=lambda k: (-round(math.cos(math.pi * k / 4 - away), 6), k)
            )
        for distance in (4.0, 5.0, 6.0, 8.0, 12.0, 17.0, 23.0, 30.0, 38.0, 47.0, 57.0, 70.0, 85.0):
            for k in directions:
                right, up = math.cos(math.pi * k / 4), math.sin(math.pi * k / 4)
                reach = self._size(distance)
                yield (
                    distance,
                    (
                        target[0] + right * reach + _sign(right) * width / 2,
                        target[1] + up * reach + _sign(up) * height / 2,
                    ),
                )

    def _put(
        self,
        spot: Spot,
        text: str,
        *,
        size: float,
        colour: str,
        angle: float = 0.0,
        target: Spot | None = None,
        bold: bool = False,
    ) -> None:
        width, height = self._extent(text, size, bold=bold)
        margin = self._size(1.5)
        self._boxes.append(_box(spot, width + margin, height + margin, angle))
        self._hard.append(self._boxes[-1])
        to_data = self.axes.transData.inverted().transform
        if target is not None:
            (x0, y0), (x1, y1) = to_data([spot, target])
            self.axes.plot([x0, x1], [y0, y1], color="0.35", linewidth=0.5, zorder=7)
            self._hard.append((spot, target))
        x, y = to_data(spot)
        artist = self.axes.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=size,
            fontweight="bold" if bold else "normal",
            linespacing=1.25,
            rotation=angle,
            rotation_mode="anchor",
            zorder=8,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": colour, "edgecolor": "none"},
        )
        artist.set_in_layout(False)

    def _extent(self, text: str, size: float, *, bold: bool = False) -> Spot:
        artist = self.axes.text(
            0, 0, text, fontsize=size, linespacing=1.25, fontweight="bold" if bold else "normal"
        )
        box = artist.get_window_extent()
        artist.remove()
        return box.width, box.height

    def _size(self, points: float) -> float:
        return points * self._pixels_per_point

    def _pixels(self, places: Iterable[Spot]) -> list[Spot]:
        return [(float(x), float(y)) for x, y in self.axes.transData.transform(list(places))]

    def _grid(self, region: Shape, centre: Spot) -> list[Spot]:
        left, right = min(x for x, _ in region), max(x for x, _ in region)
        low, high = min(y for _, y in region), max(y for _, y in region)
        spots = [
            (left + (right - left) * i / _STEPS, low + (high - low) * j / _STEPS)
            for i in range(1, _STEPS)
            for j in range(1, _STEPS)
        ]
        return [centre, *sorted(spots, key=lambda spot: (math.dist(spot, centre), spot))]

    def _free(self, box: Shape, obstacles: Iterable[Shape]) -> bool:
        return not any(meet(box, shape) for shape in obstacles)

    def _in_frame(self, box: Shape) -> bool:
        left, low, right, high = self._frame
        return all(left < x < right and low < y < high for x, y in box)


def _upright(first: Spot, last: Spot) -> float:
    """The angle of a segment in degrees at which text on it is not upside down."""
    angle = math.degrees(math.atan2(last[1] - first[1], last[0] - first[0]))
    return angle if -90 < angle <= 90 else angle - math.copysign(180, angle)


def _box(centre: Spot, width: float, height: float, angle: float) -> list[Spot]:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [
        (centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos)
        for x, y in (
            (-width / 2, -height / 2),
            (width / 2, -height / 2),
            (width / 2, height / 2),
            (-width / 2, height / 2),
        )
    ]


def _gap(box: Shape, spot: Spot) -> float:
    """The distance of a point from an upright box."""
    xs, ys = [x for x, _ in box], [y for _, y in box]
    right = max(min(xs) - spot[0], 0.0, spot[0] - max(xs))
    return math.hypot(right, max(min(ys) - spot[1], 0.0, spot[1] - max(ys)))


def _disc(centre: Spot, radius: float) -> list[Spot]:
    """An octagon."""
    turns = [math.pi * (2 * k + 1) / 8 for k in range(8)]
    return [(centre[0] + radius * math.cos(t), centre[1] + radius * math.sin(t)) for t in turns]


def _inside(box: Shape, region: Shape) -> bool:
    """Whether a polygon lies in a convex one, whatever its orientation."""
    sides = list(zip(region, [*region[1:], *region[:1]], strict=True))
    for x, y in box:
        signs = {
            math.copysign(1, (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0))
            for (x0, y0), (x1, y1) in sides
        }
        if len(signs) > 1:
            return False
    return True


def _is_segment(shape: Shape, own: Shape) -> bool:
    return len(shape) == 2 and sorted(shape) == sorted(own)


def _sign(value: float) -> float:
    return 0.0 if abs(value) < 0.2 else math.copysign(1, value)
