"""Cones: canonical in both descriptions, against brute force and linear programming."""

import itertools
import math

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.double_description import extremal_rays
from expansion.geometry.linear_algebra import (
    Point,
    inner_product,
    modulo,
    orthogonal_basis,
    primitive,
)

LAW = settings(deadline=None, max_examples=60)

entries = st.integers(-3, 3)


def vectors(dimension: int, most: int) -> st.SearchStrategy[list[Point]]:
    return st.lists(st.tuples(*[entries] * dimension), max_size=most)


systems = st.integers(1, 4).flatmap(
    lambda n: st.tuples(st.just(n), vectors(n, 6), vectors(n, 2) | st.just([]))
)
pairs = st.integers(1, 4).flatmap(
    lambda n: st.tuples(st.just(n), vectors(n, 5), vectors(n, 5), st.tuples(*[entries] * n))
)


def brute_force_rays(inequalities: list[Point], dimension: int) -> set[Point]:
    """Extremal rays of a pointed cone: feasible vectors, alone on d - 1 rows up to a multiple."""
    found = set()
    for rows in itertools.combinations(inequalities, dimension - 1):
        matrix = sympy.Matrix(dimension - 1, dimension, [entry for row in rows for entry in row])
        kernel = matrix.nullspace()
        if len(kernel) == 1:
            denominator = math.lcm(*(int(entry.q) for entry in kernel[0]))
            for sign in (1, -1):
                ray = primitive([int(sign * denominator * entry) for entry in kernel[0]])
                if all(inner_product(row, ray) >= 0 for row in inequalities):
                    found.add(ray)
    return found


def is_combination(target: Point, rays: tuple[Point, ...], lines: tuple[Point, ...]) -> bool:
    """Whether a vector is a non-negative combination of rays plus any combination of lines."""
    columns = [*rays, *lines]
    if not columns:
        return not any(target)
    result = linprog(
        [0] * len(columns),
        A_eq=[list(row) for row in zip(*columns, strict=True)],
        b_eq=target,
        bounds=[(0, None)] * len(rays) + [(None, None)] * len(lines),
    )
    return bool(result.status == 0)


# --- the two descriptions -------------------------------------------------------------------------


@LAW
@given(systems)
def test_both_descriptions_give_the_same_value(
    system: tuple[int, list[Point], list[Point]],
) -> None:
    dimension, inequalities, equations = system
    cone = Cone.from_inequalities(inequalities, equations, dimension=dimension)
    assert Cone.from_rays(cone.rays, cone.lineality, dimension=dimension) == cone
    assert Cone.from_inequalities(cone.inequalities, cone.equations, dimension=dimension) == cone
    assert cone.dual().dual() == cone
    assert hash(cone.dual().dual()) == hash(cone)
    assert eval(repr(cone), {"Cone": Cone}) == cone


@LAW
@given(systems)
def test_the_descriptions_are_irredundant(system: tuple[int, list[Point], list[Point]]) -> None:
    dimension, inequalities, equations = system
    cone = Cone.from_inequalities(inequalities, equations, dimension=dimension)
    for ray in cone.rays:
        fewer = tuple(other for other in cone.rays if other != ray)
        assert not is_combination(ray, fewer, cone.lineality)
    for facet in cone.inequalities:
        fewer = tuple(other for other in cone.inequalities if other != facet)
        assert not is_combination(facet, fewer, cone.equations)


@LAW
@given(systems, st.data())
def test_membership_agrees_with_both_descriptions(
    system: tuple[int, list[Point], list[Point]], data: st.DataObject
) -> None:
    dimension, inequalities, equations = system
    cone = Cone.from_inequalities(inequalities, equations, dimension=dimension)
    vector = data.draw(st.tuples(*[entries] * dimension))
    expected = all(inner_product(row, vector) >= 0 for row in inequalities) and not any(
        inner_product(row, vector) for row in equations
    )
    assert cone.contains(vector) == expected
    assert is_combination(vector, cone.rays, cone.lineality) == expected


@LAW
@given(systems)
def test_rays_of_pointed_cones_against_brute_force(
    system: tuple[int, list[Point], list[Point]],
) -> None:
    dimension, inequalities, _ = system
    cone = Cone.from_inequalities(inequalities, dimension=dimension)
    if not cone.lineality:
        assert set(cone.rays) == brute_force_rays(inequalities, dimension)


@LAW
@given(systems)
def test_rays_lie_on_their_tight_rows(system: tuple[int, list[Point], list[Point]]) -> None:
    dimension, inequalities, _ = system
    lineality, rays, tight = extremal_rays(inequalities, dimension=dimension)
    for ray, rows in zip(rays, tight, strict=True):
        assert ray == modulo(ray, lineality)
        on = [row for row in inequalities if not inner_product(row, ray)]
        assert on == [row for number, row in enumerate(inequalities) if rows >> number & 1]
        assert len(orthogonal_basis(on, dimension=dimension)) == len(lineality) + 1


@LAW
@given(systems)
def test_giant_entries_lose_nothing(system: tuple[int, list[Point], list[Point]]) -> None:
    """An integral change of coordinates with entries of thirty digits, there and back."""
    dimension, inequalities, _ = system
    shear = 10**30 + 57

    def sheared(row: Point) -> Point:
        return tuple(entry + shear * sum(row[:place]) for place, entry in enumerate(row))

    def sheared_back(ray: Point) -> Point:
        return tuple(entry + shear * sum(ray[place + 1 :]) for place, entry in enumerate(ray))

    cone = Cone.from_inequalities(inequalities, dimension=dimension)
    image = Cone.from_inequalities(map(sheared, inequalities), dimension=dimension)
    assert cone == Cone.from_rays(
        map(sheared_back, image.rays), map(sheared_back, image.lineality), dimension=dimension
    )


# --- interior, faces, intersection ----------------------------------------------------------------


@LAW
@given(systems)
def test_the_interior_vector_and_the_facets(
    system: tuple[int, list[Point], list[Point]],
) -> None:
    dimension, inequalities, equations = system
    cone = Cone.from_inequalities(inequalities, equations, dimension=dimension)
    assert cone.contains_in_interior(cone.interior)
    assert len(cone.facets) == len(set(cone.facets)) == len(cone.inequalities)
    for normal, facet in zip(cone.inequalities, cone.facets, strict=True):
        assert facet.dimension == cone.dimension - 1
        assert facet == cone.intersection(Cone.from_inequalities([], [normal], dimension=dimension))
        assert not cone.contains_in_interior(facet.interior)


@LAW
@given(pairs)
def test_intersection_is_that_of_the_sets(
    pair: tuple[int, list[Point], list[Point], Point],
) -> None:
    dimension, left, right, vector = pair
    one, other = (Cone.from_rays(rays, dimension=dimension) for rays in (left, right))
    both = one.intersection(other)
    assert both.contains(vector) == (one.contains(vector) and other.contains(vector))
    assert both == other.intersection(one)
    assert one.intersection(one) == one
    assert both.dual() == Cone.from_rays(
        one.dual().rays + other.dual().rays,
        one.dual().lineality + other.dual().lineality,
        dimension=dimension,
    )


@pytest.mark.parametrize("dimension", range(1, 7))
def test_the_orthant_and_the_cone_over_the_cube(dimension: int) -> None:
    units = [tuple(int(i == j) for j in range(dimension)) for i in range(dimension)]
    orthant = Cone.from_inequalities(units, dimension=dimension)
    assert orthant.rays == orthant.inequalities == tuple(sorted(units))
    assert orthant.interior == (1,) * dimension
    corners = [(*corner, 1) for corner in itertools.product((-1, 1), repeat=dimension - 1)]
    cone = Cone.from_rays(corners, dimension=dimension)
    assert len(cone.rays) == 2 ** (dimension - 1)
    assert len(cone.inequalities) == (2 * (dimension - 1) or 1)


@pytest.mark.parametrize("dimension", range(4))
def test_the_whole_space_and_the_origin(dimension: int) -> None:
    space = Cone.from_inequalities([], dimension=dimension)
    origin = Cone.from_rays([], dimension=dimension)
    assert space.dual() == origin
    assert (space.dimension, origin.dimension) == (dimension, 0)
    assert space.interior == origin.interior == (0,) * dimension
    assert space.facets == origin.facets == ()
    assert space.intersection(origin) == origin


# --- errors ---------------------------------------------------------------------------------------


def test_cones_of_different_spaces_do_not_meet() -> None:
    message = (
        r"^intersection of cones: their spaces have dimensions 1 and 2; take cones in one space$"
    )
    with pytest.raises(InvalidInputError, match=message):
        Cone.from_rays([], dimension=1).intersection(Cone.from_rays([], dimension=2))


def test_descriptions_that_disagree_are_refused() -> None:
    message = r"^cone: its rays violate its inequalities; build it with from_inequalities or "
    with pytest.raises(InvalidInputError, match=message):
        Cone(
            dimension_of_space=1,
            equations=(),
            inequalities=((1,),),
            rays=((-1,),),
            lineality=(),
        )


@pytest.mark.parametrize("vector", [(1,), (1, 2, 3), (0.5, 1)])
def test_vectors_that_do_not_fit_are_refused(vector: tuple[int, ...]) -> None:
    cone = Cone.from_rays([(1, 0)], dimension=2)
    with pytest.raises(InvalidInputError, match=r"^vector "):
        cone.contains(vector)
    with pytest.raises(InvalidInputError, match=r"^vector "):
        cone.contains_in_interior(vector)
    with pytest.raises(InvalidInputError, match=r"^vector "):
        Cone.from_inequalities([vector], dimension=2)
