"""Vertices that move linearly, and walls between them."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from expansion.geometry.linear_algebra import inner_product, primitive
from expansion.vertex_sequences import VertexSequence, Wall

VECTOR = st.tuples(*[st.integers(-5, 5)] * 3)


def linear(
    start: int, period: int, slope: tuple[int, ...], offsets: list[tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """Vertices at some consecutive s; the slope is that of one whole period."""
    return {
        s: tuple(
            a + ((s - s % period) // period) * b
            for a, b in zip(offsets[s % period], slope, strict=True)
        )
        for s in range(start, start + period + 3)
    }


@given(st.integers(0, 3), st.integers(1, 2), VECTOR, st.lists(VECTOR, min_size=2, max_size=2))
def test_a_linear_motion_is_found_and_continued(
    start: int, period: int, slope: tuple[int, ...], offsets: list[tuple[int, ...]]
) -> None:
    points = linear(start, period, slope, offsets)
    last = max(points)
    known = {s: point for s, point in points.items() if s < last}
    found = VertexSequence.fitted(known, period=period)
    assert found is not None
    assert found.slope == tuple(Fraction(b, period) for b in slope)
    assert all(found.point(s) == point for s, point in points.items())


@given(
    st.integers(0, 3),
    st.integers(1, 2),
    VECTOR,
    st.lists(VECTOR, min_size=2, max_size=2),
    VECTOR.filter(any),
)
def test_one_point_off_the_line_is_noticed(
    start: int,
    period: int,
    slope: tuple[int, ...],
    offsets: list[tuple[int, ...]],
    shift: tuple[int, ...],
) -> None:
    points = linear(start, period, slope, offsets)
    last = max(points)
    points[last] = tuple(x + y for x, y in zip(points[last], shift, strict=True))
    assert VertexSequence.fitted(points, period=period) is None


def test_too_few_points_determine_nothing() -> None:
    assert VertexSequence.fitted({0: (1,), 1: (2,)}, period=1) is None
    assert VertexSequence.fitted({0: (1,), 1: (2,), 2: (3,)}, period=2) is None


@given(VECTOR, VECTOR, VECTOR, VECTOR)
def test_a_wall_tends_to_its_limit(
    slope: tuple[int, ...],
    other_slope: tuple[int, ...],
    offset: tuple[int, ...],
    other_offset: tuple[int, ...],
) -> None:
    first, second = (
        VertexSequence(slope=tuple(map(Fraction, b)), offsets=(tuple(map(Fraction, a)),), start=0)
        for a, b in ((offset, slope), (other_offset, other_slope))
    )
    assume(first != second)
    wall = Wall.between(first, second)
    for s in (1, 4):
        difference = [x - y for x, y in zip(first.point(s), second.point(s), strict=True)]
        assert wall.normal(s) == primitive(difference)
    (limit,) = wall.limits
    # Far out the direction differs from the limit by at most the offset over s.
    far = 10**6
    normal = wall.normal(far)
    cross = inner_product(normal, normal) * inner_product(limit, limit) - (
        inner_product(normal, limit) ** 2
    )
    assert cross * 10**6 <= inner_product(normal, normal) * inner_product(limit, limit) * 10**3
    assert inner_product(normal, limit) > 0
    if not wall.moves:
        assert cross == 0
