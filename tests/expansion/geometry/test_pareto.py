"""The Pareto set against its definition, and refusals of what is no set of exponents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import Point
from expansion.geometry.pareto import pareto_optimal, read_indices, read_points

LAW = settings(deadline=None, max_examples=100)

cases = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(*[st.integers(-2, 2)] * n), max_size=15),
        st.sets(st.integers(0, n - 1)).map(tuple),
    )
)


def dominates(one: Point, other: Point, growing: tuple[int, ...]) -> bool:
    return one != other and all(
        x >= y if place in growing else x == y
        for place, (x, y) in enumerate(zip(one, other, strict=True))
    )


@LAW
@given(cases)
def test_the_definition(case: tuple[list[Point], tuple[int, ...]]) -> None:
    points, growing = case
    expected = {
        point for point in points if not any(dominates(other, point, growing) for other in points)
    }
    optimal = pareto_optimal(points, growing)
    assert optimal == tuple(sorted(expected))
    assert pareto_optimal(optimal, growing) == optimal
    assert all(
        any(point == other or dominates(other, point, growing) for other in optimal)
        for point in points
    )


def test_without_points_nothing_is_optimal() -> None:
    assert pareto_optimal([], growing=(0, 7)) == ()


def test_a_plane_hides_the_points_below_it() -> None:
    front = [(i, j, 200 - i - j) for i in range(100) for j in range(100)]
    below = [(i, j, k - 1) for i, j, k in front]
    assert len(pareto_optimal(front[::7] + below[::7], growing=(1, 2))) == len(front[::7])


@pytest.mark.parametrize("points", [[(1, 0.5)], [(1, "2")], [3], [None], [(1, 2), None]], ids=repr)
def test_what_is_no_exponent_is_refused(points: list[Point]) -> None:
    message = r"^points: must be sequences of integers; give every exponent as an int$"
    with pytest.raises(InvalidInputError, match=message):
        read_points(points)


def test_points_of_different_lengths_are_refused() -> None:
    message = r"^points: have different lengths; give every point one exponent per symbol$"
    with pytest.raises(InvalidInputError, match=message):
        pareto_optimal([(1, 2), (1,)], growing=())


@pytest.mark.parametrize("growing", [(2,), (-1,), (0, 0)])
def test_growing_indices_out_of_range_or_repeated_are_refused(growing: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"must be different and from 0 to 1; name each "):
        pareto_optimal([(1, 2)], growing)


def test_growing_names_are_refused() -> None:
    message = r"^growing indices: must be integers; name each growing symbol by its position$"
    with pytest.raises(InvalidInputError, match=message):
        read_indices(["p"], dimension=2)  # type: ignore[list-item]
