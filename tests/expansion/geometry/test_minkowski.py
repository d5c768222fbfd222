"""Minkowski sums: the faces and cones of the definition, classical sums, and their speed."""

import itertools
import math
import time
from collections.abc import Iterable

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.linear_algebra import Point
from expansion.geometry.newton import NewtonPolyhedron, minkowski_sum

LAW = settings(deadline=None, max_examples=60)


@st.composite
def families(draw: st.DrawFn, *, most: int = 3) -> list[NewtonPolyhedron]:
    dimension = draw(st.integers(1, 4))
    points = st.tuples(*[st.integers(-2, 2)] * dimension)
    growing = draw(st.sets(st.integers(0, dimension - 1)))
    number = draw(st.integers(1, most))
    return [
        NewtonPolyhedron(draw(st.lists(points, min_size=1, max_size=6)), growing=growing)
        for _ in range(number)
    ]


def sums(sets: Iterable[Iterable[Point]]) -> tuple[Point, ...]:
    """All sums of one point from each set, sorted."""
    totals = {tuple(map(sum, zip(*parts, strict=True))) for parts in itertools.product(*sets)}
    return tuple(sorted(totals))


# --- laws -----------------------------------------------------------------------------------------


@LAW
@given(families())
def test_the_sum_is_the_hull_of_all_sums_of_points(family: list[NewtonPolyhedron]) -> None:
    total = minkowski_sum(family)
    every = NewtonPolyhedron(sums(part.points for part in family), growing=family[0].growing)
    assert total.points == total.vertices == every.vertices
    assert total.facets == every.facets
    assert [(face.vertices, face.dimension, face.cone) for face in total.faces] == [
        (face.vertices, face.dimension, face.cone) for face in every.faces
    ]


@LAW
@given(families(), st.data())
def test_a_face_of_the_sum_is_the_sum_of_the_faces(
    family: list[NewtonPolyhedron], data: st.DataObject
) -> None:
    total = minkowski_sum(family)
    vectors = [face.cone.interior for face in total.faces]
    vectors.append(
        tuple(
            data.draw(st.integers(1 if place in total.growing else -5, 5))
            for place in range(total.dimension_of_space)
        )
    )
    for vector in vectors:
        expected = sums(part.face(vector).points for part in family)
        assert total.face(vector).vertices == NewtonPolyhedron(expected).vertices


@LAW
@given(families(most=2))
def test_the_normal_fan_is_the_common_refinement(family: list[NewtonPolyhedron]) -> None:
    """Its cones are the intersections of cones whose relative interiors meet."""
    total = minkowski_sum(family)
    refinement = set()
    for faces in itertools.product(*(part.faces for part in family)):
        cone = faces[0].cone
        for face in faces[1:]:
            cone = cone.intersection(face.cone)
        if all(face.cone.contains_in_interior(cone.interior) for face in faces):
            refinement.add(cone)
    assert {face.cone for face in total.faces} == refinement


@LAW
@given(families(), st.data())
def test_order_grouping_and_points_inside_do_not_matter(
    family: list[NewtonPolyhedron], data: st.DataObject
) -> None:
    total = minkowski_sum(family)
    assert minkowski_sum(data.draw(st.permutations(family))) == total
    one_by_one = family[0]
    for part in family[1:]:
        one_by_one = one_by_one.minkowski_sum(part)
    assert minkowski_sum([one_by_one]) == total
    origin = NewtonPolyhedron([(0,) * total.dimension_of_space], growing=total.growing)
    assert total.minkowski_sum(origin) == total
    corners = [NewtonPolyhedron(part.vertices, growing=part.growing) for part in family]
    assert minkowski_sum(corners) == total


@LAW
@given(families(most=1), st.integers(1, 5))
def test_copies_add_up_to_a_dilation(family: list[NewtonPolyhedron], number: int) -> None:
    (one,) = family
    total = minkowski_sum([one] * number)
    assert total.vertices == tuple(
        tuple(number * entry for entry in vertex) for vertex in one.vertices
    )
    assert [face.cone for face in total.faces] == [face.cone for face in one.faces]


# --- classical sums -------------------------------------------------------------------------------


def stirling(number: int, blocks: int) -> int:
    """Partitions of a set into blocks."""
    signs = ((-1) ** (blocks - k) * math.comb(blocks, k) * k**number for k in range(blocks + 1))
    return sum(signs) // math.factorial(blocks)


def unit(place: int, number: int) -> Point:
    return tuple(int(place == other) for other in range(number))


@pytest.mark.parametrize("number", range(2, 6))
def test_the_permutohedron(number: int) -> None:
    """The sum of the segments between all unit vectors; faces are ordered set partitions."""
    segments = [
        NewtonPolyhedron([unit(i, number), unit(j, number)])
        for i, j in itertools.combinations(range(number), 2)
    ]
    total = minkowski_sum(segments)
    assert set(total.vertices) == set(itertools.permutations(range(number)))
    assert total.f_vector == tuple(
        math.factorial(number - k) * stirling(number, number - k) for k in range(number)
    )


@pytest.mark.parametrize("number", range(2, 7))
def test_the_associahedron(number: int) -> None:
    """Loday's sum of the simplices on all intervals; faces are dissections of a polygon."""
    simplices = [
        NewtonPolyhedron([unit(place, number) for place in range(i, j + 1)])
        for i in range(number)
        for j in range(i, number)
    ]
    sides = number + 2
    dissections = [
        math.comb(number - 1, cuts) * math.comb(number + 1 + cuts, cuts) // (cuts + 1)
        for cuts in range(number)
    ]
    assert minkowski_sum(simplices).f_vector == tuple(reversed(dissections))
    assert dissections[-1] == math.comb(2 * sides - 4, sides - 2) // (sides - 1)  # Catalan


@pytest.mark.parametrize(("dimension", "number"), [(2, 9), (3, 8), (4, 7), (5, 7)])
def test_generic_zonotopes(dimension: int, number: int) -> None:
    """Segments along the moment curve: as many vertices as a generic arrangement has chambers."""
    segments = [
        NewtonPolyhedron([(0,) * dimension, tuple(t**k for k in range(dimension))])
        for t in range(1, number + 1)
    ]
    chambers = 2 * sum(math.comb(number - 1, k) for k in range(dimension))
    assert len(minkowski_sum(segments).vertices) == chambers


def test_staircases_merge_by_slope() -> None:
    """With growing sizes only the outer staircase of each summand matters."""
    one = NewtonPolyhedron([(0, 3), (2, 2), (3, 0), (0, 0)], growing=(0, 1))
    other = NewtonPolyhedron([(0, 1), (4, 0)], growing=(0, 1))
    total = one.minkowski_sum(other)
    assert total.vertices == ((0, 4), (4, 3), (6, 2), (7, 0))
    assert total.f_vector == (4, 3)
    slopes = [face.cone.rays for face in total.faces if face.dimension == 1]
    assert slopes == [((1, 4),), ((1, 2),), ((2, 1),)]


# --- the regimes of the theory --------------------------------------------------------------------


def test_odd_and_even_coefficients_together_have_five_cells() -> None:
    """Asymmetric CP, order 3: quadrangles and pentagons with walls in common."""
    polygons = [
        NewtonPolyhedron(
            [
                (1 + 2 * (blocks + 1 - n), n, 3 * (blocks + 1) + s)
                for blocks in range(s + 2)
                for n in range(1, blocks + 2)
                if (s + 1 - blocks) % 2 == 0 and (n, blocks) != (s + 2, s + 1)
            ],
            growing=(0, 1),
        )
        for s in range(9)
    ]
    total = minkowski_sum(polygons)
    assert total.f_vector == (5, 5, 1)
    rays = {face.cone.rays for face in total.faces if face.dimension == 2}
    assert rays == {((3, 6, -2),)}


def prism(s: int, most: int) -> NewtonPolyhedron:
    return NewtonPolyhedron(
        [
            (edges + 1 - n + j, n, -j, edges)
            for edges in range(1, s + 3)
            for n in range(1, edges + 1)
            for j in range(most + 1)
        ],
        growing=(0, 1, 2),
    )


def test_all_prisms_together_are_a_prism() -> None:
    """Training starts as a triangle, the population loss one coefficient later."""
    train = minkowski_sum(prism(s, s) for s in range(5))
    population = minkowski_sum(prism(s, max(s - 1, 0)) for s in range(5))
    assert train.f_vector == population.f_vector == (6, 9, 5, 1)
    assert [face.cone for face in train.faces] == [face.cone for face in population.faces]


# --- speed ----------------------------------------------------------------------------------------


def growth(summands: list[NewtonPolyhedron], some: int) -> float:
    """Processor time of the sum and of all its faces with their cones, over that of some of them.

    The better time of two for each: a ratio does not depend on the machine.
    """

    def seconds(number: int) -> float:
        start = time.process_time()
        assert minkowski_sum(summands[:number]).faces
        return time.process_time() - start

    best = [min(seconds(number) for _ in range(2)) for number in (some, len(summands))]
    return best[1] / best[0]


def test_forty_plane_polygons_of_three_symbols() -> None:
    """Twenty vertices each, all slopes different: some five hundred vertices."""
    generator = numpy.random.default_rng(1)
    summands = []
    for _ in range(40):
        angles = generator.uniform(0, 2 * math.pi, 20)
        circle = [(round(99 * math.cos(x)), round(99 * math.sin(x))) for x in angles]
        summands.append(NewtonPolyhedron([(x, y, x + y) for x, y in circle], growing=(0, 1)))
    assert growth(summands, 10) < 30  # a square would be 16, a cube 64


def test_prisms_of_four_symbols() -> None:
    assert growth([prism(s, s) for s in range(6)], 3) < 15


def test_twenty_simplices_in_six_dimensions() -> None:
    """Simplices on random sets of two to five unit vectors, three sizes growing."""
    generator = numpy.random.default_rng(2)
    summands = []
    for _ in range(20):
        places = generator.choice(6, size=generator.integers(2, 6), replace=False)
        summands.append(
            NewtonPolyhedron([unit(int(place), 6) for place in places], growing=(0, 1, 2))
        )
    assert growth(summands, 5) < 30


# --- refusals -------------------------------------------------------------------------------------


def test_no_summand_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"^Minkowski sum: has no summand; give at least one$"
    ):
        minkowski_sum([])


@pytest.mark.parametrize(
    "other",
    [NewtonPolyhedron([(0, 0)], growing=(0,)), NewtonPolyhedron([(0,)])],
    ids=["growing", "space"],
)
def test_summands_that_differ_are_refused(other: NewtonPolyhedron) -> None:
    message = (
        r"^Minkowski sum: its summands differ in their space or growing indices; give all of them "
        r"the same symbols and the same growing indices$"
    )
    with pytest.raises(InvalidInputError, match=message):
        NewtonPolyhedron([(0, 0)]).minkowski_sum(other)


def test_the_cones_at_the_corners_of_a_rectangle() -> None:
    total = minkowski_sum([NewtonPolyhedron([(0, 0), (2, 1)]), NewtonPolyhedron([(0, 0), (-1, 2)])])
    assert total.face((1, 0)).cone == Cone.from_rays([(2, 1), (1, -2)], dimension=2)
