"""Places of labels on a picture whose data, pixels and points are the same, so exact."""

import math
from itertools import combinations, product

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from diagflow.plotting.label_placement import Labels, centroid, meet, polygon_area

SIDE = 500
Box = list[tuple[float, float]]


def picture(side: int = SIDE) -> Axes:
    """Axes from 0 to a number of pixels of one point each."""
    axes = Figure(figsize=(side / 72, side / 72), dpi=72).add_axes((0, 0, 1, 1))
    axes.set_xlim(0, side)
    axes.set_ylim(0, side)
    return axes


def rectangle(left: float, bottom: float, right: float, top: float) -> Box:
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def half(text: Text) -> tuple[float, float]:
    """Half the width and half the height of an upright text."""
    box = text.get_window_extent()
    return box.width / 2, box.height / 2


def extent(text: Text) -> Bbox:
    return text.get_window_extent()


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(3.0, 4.0)], (3, 4)),
        ([(0.0, 0.0), (2.0, 4.0)], (1, 2)),
        ([(0.0, 0.0), (1.0, 1.0), (5.0, 5.0)], (2, 2)),
        ([(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)], (1, 1)),
        # An extra corner on a side does not move it.
        ([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 1.5), (2.0, 0.0)], (1, 1)),
    ],
)
def test_centroids(places: Box, expected: tuple[float, float]) -> None:
    assert centroid(places) == pytest.approx(expected)


def test_touching_polygons_meet() -> None:
    square = rectangle(0, 0, 2, 2)
    assert meet(square, rectangle(2, 2, 3, 3))
    assert not meet(square, rectangle(2.001, 0, 3, 3))
    assert meet(square, [(1.0, 1.0)]), "a point inside"
    # The boxes around them overlap, the polygons do not.
    assert not meet([(0, 0), (2, 0), (0, 2)], [(2, 2), (2, 0.5), (1.6, 2)])
    assert polygon_area([(0, 0), (0, 2), (2, 2), (2, 0)]) == 4


def test_a_label_stands_four_points_off_its_object() -> None:
    axes = picture()
    Labels(axes).near((250, 250), "name", size=8)
    (text,) = axes.texts
    wide, high = half(text)
    step = 4 * math.sqrt(0.5)
    assert text.get_position() == pytest.approx((250 - step - wide, 250 + step + high))
    assert not axes.lines


@pytest.mark.parametrize(
    ("inner", "across", "up"), [((0, 250), 1, 0), ((500, 250), -1, 0), ((250, 0), 0, 1)]
)
def test_a_label_stands_away_from_another_point(
    inner: tuple[float, float], across: int, up: int
) -> None:
    axes = picture()
    Labels(axes).near((250, 250), "name", size=8, away_from=inner)
    (text,) = axes.texts
    wide, high = half(text)
    assert text.get_position() == pytest.approx((250 + across * (4 + wide), 250 + up * (4 + high)))


def test_a_label_far_from_its_object_has_a_line_that_crosses_no_label() -> None:
    """A disc of 20 points around each object keeps all names off; the second finds the first."""
    axes = picture()
    labels = Labels(axes)
    labels.avoid([(250, 250)], room=20)
    for number in range(6):
        labels.near((250, 250), f"name {number}", size=8)
    assert len(axes.texts) == len(axes.lines) == 6
    boxes = [extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    for text, line in zip(axes.texts, axes.lines, strict=True):
        start, end = line.get_xydata()
        assert tuple(start) == pytest.approx(text.get_position())
        assert tuple(end) == pytest.approx((250, 250))
        for other in axes.texts:
            if other is not text:
                along = [start + k / 60 * (end - start) for k in range(61)]
                assert not any(extent(other).contains(*place) for place in along)
        # The middle of the disc is 20 points from all names.
        nearest = [min(max(250, low), high) for low, high in extent(text).get_points().T]
        assert math.dist(nearest, (250, 250)) > 18


def test_a_label_is_not_led_across_another() -> None:
    """In a corridor above its object there is room only behind the first name."""
    axes = picture()
    labels = Labels(axes)
    walls = [(0, 0, 243, SIDE), (257, 0, SIDE, SIDE), (243, 0, 257, 248)]
    for wall in walls:
        labels.avoid(rectangle(*wall))
    for name in "AB":
        labels.near((250, 250), name, size=8, away_from=(250, 0))
    first, second = axes.texts
    assert first.get_position()[0] == pytest.approx(250)
    assert 250 < extent(first).y0 < 260
    # It rather covers a wall, close to its object.
    assert not axes.lines
    assert math.dist(second.get_position(), (250, 250)) < 25
    assert not extent(first).overlaps(extent(second))


def test_labels_prefer_to_cover_what_is_faint() -> None:
    """Where the whole picture is taken: faint things are covered, then lines, labels never."""
    axes = picture()
    labels = Labels(axes)
    labels.avoid(rectangle(0, 0, 300, SIDE))
    labels.avoid(rectangle(0, 0, SIDE, SIDE), soft=True)
    labels.near((305, 250), "faint below", size=8)
    assert extent(axes.texts[0]).x0 > 300
    labels.avoid(rectangle(0, 0, SIDE, SIDE))
    for _ in range(2):
        labels.near((100, 100), "all below", size=8)
    first, second = axes.texts[1:]
    wide, high = half(first)
    step = 4 * math.sqrt(0.5)
    assert first.get_position() == pytest.approx((100 - step - wide, 100 + step + high))
    assert not extent(first).overlaps(extent(second))


def test_a_label_larger_than_the_picture_is_left_out() -> None:
    axes = picture(60)
    labels = Labels(axes)
    labels.near((30, 30), "a name that is far too long for it", size=12)
    labels.along((0, 30), (60, 30), "a name that is far too long for it", size=12)
    assert not axes.texts and not axes.lines
    # In a small picture labels cover each other rather than being left out.
    for _ in range(9):
        labels.near((30, 30), "name", size=12)
    assert len(axes.texts) == 9


def test_the_first_text_that_fits_a_region_is_taken() -> None:
    axes = picture()
    labels = Labels(axes)
    for (left, right), expected in {
        (10, 200): "first second",
        (210, 265): "first\nsecond",
    }.items():
        region = rectangle(left, 100, right, 200)
        assert labels.in_region(region, "first second", "first\nsecond", size=10, colour="white")
        text = axes.texts[-1]
        assert text.get_text() == expected
        assert text.get_position() == pytest.approx(((left + right) / 2, 150))
        box = extent(text)
        assert left < box.x0 and box.x1 < right


def test_a_name_without_room_in_its_region_is_beside_it_or_not_there() -> None:
    axes = picture()
    labels = Labels(axes)
    region = rectangle(245, 245, 255, 255)
    texts = ("first second", "first\nsecond")
    assert not labels.in_region(region, *texts, size=10, colour="white", or_beside=False)
    assert not axes.texts and not axes.lines
    labels.avoid(region)
    assert not labels.in_region(region, *texts, size=10, colour="white")
    (text,) = axes.texts
    assert text.get_text() == "first\nsecond"
    assert not extent(text).overlaps(Bbox.from_extents(245, 245, 255, 255))
    # From the border of the region it is at most eight points away.
    box = extent(text)
    assert min(abs(box.x1 - 245), abs(box.x0 - 255), abs(box.y0 - 255), abs(box.y1 - 245)) < 8


def test_a_name_in_a_region_keeps_off_what_is_there() -> None:
    axes = picture()
    labels = Labels(axes)
    labels.avoid(rectangle(0, 0, 250, 250))
    assert labels.in_region(rectangle(0, 0, 400, 250), "name", size=10, colour="white")
    assert extent(axes.texts[0]).x0 > 250
    # Faint things everywhere are covered.
    labels.avoid(rectangle(0, 300, 400, 500), soft=True)
    assert labels.in_region(rectangle(0, 300, 400, 500), "name", size=10, colour="white")
    assert axes.texts[1].get_position() == pytest.approx((200, 400))


@pytest.mark.parametrize(
    ("start", "end", "angle"),
    [
        ((100, 250), (400, 250), 0),
        ((100, 250), (100, 400), 90),
        ((100, 250), (100, 100), 90),
        ((100, 250), (400, 550), 45),
        ((400, 250), (100, 550), -45),
    ],
)
def test_a_label_along_a_segment_is_on_its_middle_and_upright(
    start: tuple[float, float], end: tuple[float, float], angle: float
) -> None:
    axes = picture(600)
    Labels(axes).along(start, end, "name", size=8)
    (text,) = axes.texts
    assert text.get_position() == pytest.approx(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    assert text.get_rotation() % 360 == pytest.approx(angle % 360)


def test_a_label_on_a_segment_leaves_what_crosses_it_free() -> None:
    axes = picture()
    labels = Labels(axes)
    labels.avoid([(100, 250), (400, 250)])
    labels.avoid([(250, 200), (250, 300)])
    labels.along((100, 250), (400, 250), "name", size=8)
    box = extent(axes.texts[0])
    assert axes.texts[0].get_position()[1] == pytest.approx(250)
    assert box.x1 < 250 or box.x0 > 250
    assert min(abs(box.x1 - 250), abs(box.x0 - 250)) < 12
    # A segment that is too short has its label beside it, with a line.
    labels.along((50, 400), (60, 400), "name", size=8)
    (line,) = axes.lines
    assert tuple(line.get_xydata()[1]) == pytest.approx((55, 400))


def test_a_label_alongside_an_edge_is_outside_or_inside_or_beside() -> None:
    """A margin of 3.5 points to the edge; the other side if the outer one is taken."""
    start, end, inner = (150, 250), (350, 250), (250, 100)
    positions = []
    for taken in ((), ("above",), ("above", "below")):
        axes = picture()
        labels = Labels(axes)
        labels.avoid([start, end])
        if "above" in taken:
            labels.avoid(rectangle(140, 252, 360, 270))
        if "below" in taken:
            labels.avoid(rectangle(140, 230, 360, 248))
        labels.alongside(start, end, "name", size=8, away_from=inner)
        (text,) = axes.texts
        positions.append(text.get_position())
        high = half(text)[1]
        assert bool(axes.lines) == (len(taken) == 2)
    above, below, beside = positions
    assert above == pytest.approx((250, 250 + high + 3.5))
    assert below == pytest.approx((250, 250 - high - 3.5))
    assert not 225 <= beside[1] <= 275
    # The line leads to the middle of the edge.
    assert tuple(axes.lines[0].get_xydata()[1]) == pytest.approx((250, 250))


def test_labels_are_placed_on_axes_of_their_final_size() -> None:
    """A layout engine moves the axes when the figure is drawn; the distances are those then."""
    figure = Figure(figsize=(4, 4), dpi=72, layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("several\nlines\nof text", fontsize=20)
    axes.set_title("title", fontsize=30)
    Labels(axes).near((0.5, 0.5), "name", size=8, away_from=(0, 0.5))
    figure.draw_without_rendering()
    (text,) = axes.texts
    target = axes.transData.transform((0.5, 0.5))
    assert extent(text).x0 - target[0] == pytest.approx(4)
    assert extent(text).y0 + extent(text).height / 2 == pytest.approx(target[1])


def test_a_crowd_of_labels_does_not_overlap() -> None:
    axes = picture()
    labels = Labels(axes)
    places = [(200 + 12.0 * i, 200 + 12.0 * j) for i, j in product(range(4), repeat=2)]
    for place in places:
        labels.avoid([place], room=2)
    for number, place in enumerate(places):
        labels.near(place, f"place {number}", size=7)
    boxes = [extent(text) for text in axes.texts]
    assert len(boxes) == 16
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.contains(*place) for box in boxes for place in places)
    # Lines lead from the names that are not adjacent to the places that are named.
    ends = {tuple(map(round, line.get_xydata()[1])) for line in axes.lines}
    assert ends <= {tuple(map(round, place)) for place in places} and ends


@pytest.mark.parametrize("gap", [6, 12, 20, 30, 60])
def test_a_name_is_nearest_to_its_own_point_or_has_a_line(gap: int) -> None:
    axes = picture(200)
    labels = Labels(axes)
    spots = [(100.0, 60.0), (100.0 + gap, 60.0), (100.0, 60.0 + gap)]
    for spot in spots:
        labels.avoid([spot], room=2.7)
    for number, spot in enumerate(spots):
        before = len(axes.lines)
        labels.near(spot, f"V{number}", size=8, away_from=(110.0, 75.0), others=spots)
        box = axes.texts[-1].get_window_extent()
        if len(axes.lines) == before:
            distances = [outside(box, other) for other in spots]
            assert min(distances) == distances[number]
            assert sorted(distances)[1] > distances[number]


def outside(box: Bbox, spot: tuple[float, float]) -> float:
    right = max(box.x0 - spot[0], 0.0, spot[0] - box.x1)
    return math.hypot(right, max(box.y0 - spot[1], 0.0, spot[1] - box.y1))


def test_a_segment_without_length_has_its_label_beside_it() -> None:
    axes = picture()
    labels = Labels(axes)
    labels.alongside((50, 50), (50, 50), "edge", size=8, away_from=(0, 0))
    labels.along((90, 50), (90, 50), "wall", size=8)
    assert [text.get_text() for text in axes.texts] == ["edge", "wall"]
