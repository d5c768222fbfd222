"""Newton polyhedra: classical polytopes by counting, laws, and two independent computations."""

import itertools
import math
import pickle
from fractions import Fraction

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.linear_algebra import Point, inner_product, primitive
from expansion.geometry.newton import Face, HalfSpace, NewtonPolyhedron, pareto_optimal
from expansion.models import cp
from expansion.series import loss_series

LAW = settings(deadline=None, max_examples=60)


def exponents(dimension: int, most: int) -> st.SearchStrategy[list[Point]]:
    return st.lists(st.tuples(*[st.integers(-2, 2)] * dimension), min_size=1, max_size=most)


def polyhedra(
    *, dimension: st.SearchStrategy[int], most: int, sizes: bool = True
) -> st.SearchStrategy[NewtonPolyhedron]:
    return dimension.flatmap(
        lambda n: st.builds(
            NewtonPolyhedron,
            exponents(n, most),
            growing=st.sets(st.integers(0, n - 1)) if sizes else st.just(()),
        )
    )


small = polyhedra(dimension=st.integers(1, 4), most=9)
polytopes = polyhedra(dimension=st.integers(1, 5), most=9, sizes=False)


def simplex(dimension: int) -> list[Point]:
    return [tuple(int(i == j) for j in range(dimension)) for i in range(-1, dimension)]


def cube(dimension: int) -> list[Point]:
    return list(itertools.product((0, 1), repeat=dimension))


def cross_polytope(dimension: int) -> list[Point]:
    return [point for sign in (1, -1) for point in _scaled(simplex(dimension)[1:], sign)]


def _scaled(points: list[Point], factor: int) -> list[Point]:
    return [tuple(factor * entry for entry in point) for point in points]


def moment_curve(number: int, dimension: int) -> list[Point]:
    return [
        tuple(t**power for power in range(1, dimension + 1)) for t in range(50, 50 + 7 * number, 7)
    ]


# --- classical polytopes --------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", range(1, 7))
def test_simplices(dimension: int) -> None:
    expected = tuple(math.comb(dimension + 1, k + 1) for k in range(dimension + 1))
    assert NewtonPolyhedron(simplex(dimension)).f_vector == expected
    units = simplex(dimension)[1:]
    corner = NewtonPolyhedron(units, growing=range(dimension))
    assert corner.f_vector == tuple(math.comb(dimension, k + 1) for k in range(dimension))


@pytest.mark.parametrize("dimension", range(1, 7))
def test_cubes(dimension: int) -> None:
    expected = tuple(2 ** (dimension - k) * math.comb(dimension, k) for k in range(dimension + 1))
    assert NewtonPolyhedron(cube(dimension)).f_vector == expected
    for number in range(1, dimension + 1):
        faces_at_the_top = NewtonPolyhedron(cube(dimension), growing=range(number))
        smaller = NewtonPolyhedron(cube(dimension - number))
        assert faces_at_the_top.f_vector == smaller.f_vector


@pytest.mark.parametrize("dimension", range(1, 7))
def test_cross_polytopes(dimension: int) -> None:
    expected = tuple(2 ** (k + 1) * math.comb(dimension, k + 1) for k in range(dimension))
    polytope = NewtonPolyhedron(cross_polytope(dimension))
    assert polytope.f_vector == (*expected, 1)
    signs = {HalfSpace(normal, 1) for normal in itertools.product((-1, 1), repeat=dimension)}
    assert set(polytope.facets) == signs


@pytest.mark.parametrize(("number", "half"), [(8, 1), (7, 2), (10, 2), (8, 3), (9, 3)])
def test_cyclic_polytopes(number: int, half: int) -> None:
    """Points with entries up to 10^12; neighbourly, with Gale's number of facets."""
    f_vector = NewtonPolyhedron(moment_curve(number, 2 * half)).f_vector
    assert f_vector[:half] == tuple(math.comb(number, k + 1) for k in range(half))
    facets = Fraction(number, number - half) * math.comb(number - half, half)
    assert f_vector[-2:] == (facets, 1)


@pytest.mark.parametrize("dimension", range(1, 6))
def test_polytopes_in_a_hyperplane(dimension: int) -> None:
    """The same cube, lifted: all cones gain the same line, nothing else changes."""
    flat = NewtonPolyhedron(cube(dimension))
    lifted = NewtonPolyhedron([(*point, 3 - 2 * sum(point)) for point in cube(dimension)])
    line = ((2,) * dimension + (1,),)
    assert lifted.f_vector == flat.f_vector
    assert [[point[:-1] for point in face.points] for face in lifted.faces] == [
        list(face.points) for face in flat.faces
    ]
    for face, other in zip(flat.faces, lifted.faces, strict=True):
        rays = [(*ray, 0) for ray in face.cone.rays]
        assert other.cone == Cone.from_rays(rays, line, dimension=dimension + 1)


@pytest.mark.parametrize("growing", [(), (0,), (0, 1)])
def test_a_single_point(growing: tuple[int, ...]) -> None:
    polyhedron = NewtonPolyhedron([(3, 4)], growing=growing)
    (face,) = polyhedron.faces
    assert (polyhedron.f_vector, polyhedron.dimension) == ((1,), 0)
    units = [(1, 0), (0, 1)]
    rays = [units[place] for place in growing]
    lines = [unit for unit in units if unit not in rays]
    assert face.cone == Cone.from_rays(rays, lines, dimension=2)


def test_a_point_without_symbols() -> None:
    polyhedron = NewtonPolyhedron([()])
    assert (polyhedron.vertices, polyhedron.f_vector) == (((),), (1,))
    assert polyhedron.face(()) == polyhedron.faces[0]


# --- laws -----------------------------------------------------------------------------------------


@LAW
@given(small, st.data())
def test_a_face_is_where_its_vectors_are_maximal(
    polyhedron: NewtonPolyhedron, data: st.DataObject
) -> None:
    for face in polyhedron.faces:
        inner = face.cone.interior
        assert all(inner[place] > 0 for place in polyhedron.growing)
        assert polyhedron.face(inner) == face
        largest = max(inner_product(inner, point) for point in polyhedron.points)
        assert face.points == tuple(
            point for point in polyhedron.points if inner_product(inner, point) == largest
        )
        assert face.dimension + face.cone.dimension == polyhedron.dimension_of_space
        for ray in face.cone.rays:
            top = max(inner_product(ray, point) for point in polyhedron.points)
            assert all(inner_product(ray, point) == top for point in face.points)
    vector = data.draw(st.tuples(*[st.integers(-5, 5)] * polyhedron.dimension_of_space))
    positive = tuple(
        abs(entry) + 1 if place in polyhedron.growing else entry
        for place, entry in enumerate(vector)
    )
    picked = polyhedron.face(positive)
    assert [face for face in polyhedron.faces if face.cone.contains_in_interior(positive)] == [
        picked
    ]


@LAW
@given(small)
def test_normal_cones_read_off_the_lattice_are_canonical(polyhedron: NewtonPolyhedron) -> None:
    """Both descriptions, computed again from either one; and cones of faces are faces of cones."""
    space = polyhedron.dimension_of_space
    for face in polyhedron.faces:
        cone = face.cone
        assert cone == Cone.from_rays(cone.rays, cone.lineality, dimension=space)
        assert cone == Cone.from_inequalities(cone.inequalities, cone.equations, dimension=space)
        away = [
            tuple(x - y for x, y in zip(vertex, point, strict=True))
            for vertex in face.vertices
            for point in polyhedron.points
        ]
        falls = [tuple(int(i == j) for j in range(space)) for i in polyhedron.growing]
        assert cone == Cone.from_inequalities([*away, *falls], dimension=space)
        for other in polyhedron.faces:
            if polyhedron.includes(face, other):
                assert cone == other.cone.intersection(cone)


@LAW
@given(small)
def test_vertices_are_pareto_optimal_and_span(polyhedron: NewtonPolyhedron) -> None:
    optimal = pareto_optimal(polyhedron.points, polyhedron.growing)
    assert set(polyhedron.vertices) <= set(optimal) <= set(polyhedron.points)
    spanned = NewtonPolyhedron(polyhedron.vertices, growing=polyhedron.growing)
    assert spanned.facets == polyhedron.facets
    assert [face.cone for face in spanned.faces] == [face.cone for face in polyhedron.faces]
    assert polyhedron.vertices == tuple(sorted(polyhedron.vertices))
    for facet in polyhedron.facets:
        values = [inner_product(facet.normal, point) for point in polyhedron.points]
        assert max(values) == facet.bound
        assert all(facet.normal[place] >= 0 for place in polyhedron.growing)


@LAW
@given(polytopes)
def test_euler(polytope: NewtonPolyhedron) -> None:
    assert sum((-1) ** k * count for k, count in enumerate(polytope.f_vector)) == 1
    assert polytope.f_vector[-1] == 1
    assert polytope.faces[-1].vertices == polytope.vertices
    assert polytope.faces[-1].points == polytope.points


@LAW
@given(small)
def test_the_order_of_inclusion(polyhedron: NewtonPolyhedron) -> None:
    faces = polyhedron.faces
    assert [(face.dimension, face.vertices) for face in faces] == sorted(
        (face.dimension, face.vertices) for face in faces
    )
    for face in faces:
        below, above = polyhedron.faces_of(face), polyhedron.cofaces(face)
        assert set(below) & set(above) == {face}
        assert below == tuple(o for o in faces if set(o.points) <= set(face.points))
        assert above == tuple(o for o in faces if polyhedron.includes(o, face))
        # A face is a polytope, with the same faces and Euler's relation.
        itself = NewtonPolyhedron(face.points)
        assert [part.points for part in itself.faces] == [part.points for part in below]
        assert [part.dimension for part in itself.faces] == [part.dimension for part in below]
        # Between two faces that differ by two dimensions lie exactly two.
        for other in above:
            if other.dimension == face.dimension + 2:
                between = set(above) & set(polyhedron.faces_of(other))
                assert len(between) == 4


@LAW
@given(small)
def test_neighbours(polyhedron: NewtonPolyhedron) -> None:
    for face in polyhedron.faces:
        near = polyhedron.neighbours(face)
        assert face not in near
        for other in polyhedron.faces:
            if other.dimension == face.dimension and other != face:
                if face.dimension:
                    common = set(polyhedron.faces_of(face)) & set(polyhedron.faces_of(other))
                    expected = any(part.dimension == face.dimension - 1 for part in common)
                else:
                    common = set(polyhedron.cofaces(face)) & set(polyhedron.cofaces(other))
                    expected = any(part.dimension == 1 for part in common)
                assert (other in near) == expected == (face in polyhedron.neighbours(other))


@LAW
@given(small, st.data())
def test_the_order_and_repetition_of_points_do_not_matter(
    polyhedron: NewtonPolyhedron, data: st.DataObject
) -> None:
    points = data.draw(st.permutations([*polyhedron.points, polyhedron.points[0]]))
    growing = data.draw(st.permutations(polyhedron.growing))
    again = NewtonPolyhedron(map(list, points), growing=growing)  # type: ignore[arg-type]
    assert again == polyhedron
    assert hash(again) == hash(polyhedron)
    assert again.faces == polyhedron.faces
    assert pickle.loads(pickle.dumps(polyhedron)).faces == polyhedron.faces


@LAW
@given(small, st.data())
def test_unimodular_changes_of_exponents(polyhedron: NewtonPolyhedron, data: st.DataObject) -> None:
    """x' = x + k (entry j) e_i, a' = a − k (entry i) e_j; growing entries must not enter others."""
    space, growing = polyhedron.dimension_of_space, polyhedron.growing
    places = st.integers(0, space - 1)
    steps = data.draw(st.lists(st.tuples(places, places, st.integers(-9, 9)), max_size=6))
    steps = [(i, j, k) for i, j, k in steps if i != j and j not in growing]

    def moved(point: Point) -> Point:
        entries = list(point)
        for i, j, k in steps:
            entries[i] += k * entries[j]
        return tuple(entries)

    def moved_covector(vector: Point) -> Point:
        entries = list(vector)
        for i, j, k in steps:
            entries[j] -= k * entries[i]
        return tuple(entries)

    image = NewtonPolyhedron(map(moved, polyhedron.points), growing=growing)
    faces = {face.points: face for face in image.faces}
    assert image.f_vector == polyhedron.f_vector
    for face in polyhedron.faces:
        other = faces[tuple(sorted(map(moved, face.points)))]
        assert other.vertices == tuple(sorted(map(moved, face.vertices)))
        assert other.dimension == face.dimension
        assert other.cone == Cone.from_rays(
            map(moved_covector, face.cone.rays),
            map(moved_covector, face.cone.lineality),
            dimension=space,
        )


@LAW
@given(small, st.data())
def test_renaming_the_symbols(polyhedron: NewtonPolyhedron, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(polyhedron.dimension_of_space)))
    image = NewtonPolyhedron(
        [tuple(point[place] for place in order) for point in polyhedron.points],
        growing=[order.index(place) for place in polyhedron.growing],
    )
    expected = {
        frozenset(tuple(point[place] for place in order) for point in face.points)
        for face in polyhedron.faces
    }
    assert {frozenset(face.points) for face in image.faces} == expected


@LAW
@given(small, st.integers(10**20, 10**30), st.integers(-(10**30), 10**30))
def test_giant_exponents(polyhedron: NewtonPolyhedron, factor: int, shift: int) -> None:
    """A dilation and a shift change no cone."""
    image = NewtonPolyhedron(
        [tuple(factor * entry + shift for entry in point) for point in polyhedron.points],
        growing=polyhedron.growing,
    )
    assert [face.cone for face in image.faces] == [face.cone for face in polyhedron.faces]


# --- independent computations ---------------------------------------------------------------------


def is_exposed(points: tuple[Point, ...], chosen: set[Point], growing: tuple[int, ...]) -> bool:
    """Whether a vector, at least 1 at growing indices, is maximal at some points by a margin."""
    first, *rest = sorted(chosen)
    equal = [numpy.subtract(point, first) for point in rest]
    below = [numpy.subtract(point, first) for point in points if point not in chosen]
    bounds = [(1 if place in growing else None, None) for place in range(len(first))]
    result = linprog(
        [0] * len(first),
        A_ub=numpy.array(below) if below else None,
        b_ub=[-1] * len(below) if below else None,
        A_eq=numpy.array(equal) if equal else None,
        b_eq=[0] * len(equal) if equal else None,
        bounds=bounds,
    )
    return bool(result.status == 0)


@settings(deadline=None, max_examples=25)
@given(polyhedra(dimension=st.integers(1, 4), most=6))
def test_faces_are_the_sets_that_a_vector_can_pick(polyhedron: NewtonPolyhedron) -> None:
    """Every subset of the points, by linear programming."""
    points = polyhedron.points
    expected = {
        chosen
        for size in range(1, len(points) + 1)
        for chosen in itertools.combinations(points, size)
        if is_exposed(points, set(chosen), polyhedron.growing)
    }
    assert {face.points for face in polyhedron.faces} == expected


@pytest.mark.parametrize(
    ("dimension", "number", "size"),
    [(2, 40, 9), (3, 40, 4), (3, 60, 99), (4, 40, 3), (5, 25, 9), (6, 16, 2), (6, 18, 99)],
)
def test_facets_and_vertices_against_qhull(dimension: int, number: int, size: int) -> None:
    """Small sizes make many coplanar points; Qhull returns each facet in several simplices."""
    generator = numpy.random.default_rng(dimension * number + size)
    cloud = generator.integers(-size, size, size=(number, dimension), endpoint=True)
    polytope = NewtonPolyhedron([tuple(map(int, point)) for point in cloud])
    hull = ConvexHull(cloud)
    corners = {tuple(map(int, cloud[place])) for place in hull.vertices}
    # Qhull may keep points inside a facet as vertices, never lose one.
    assert set(polytope.vertices) <= corners <= set(polytope.points)
    ours = numpy.array([(*facet.normal, -facet.bound) for facet in polytope.facets], dtype=float)
    ours /= numpy.linalg.norm(ours[:, :-1], axis=1)[:, None]
    distances = numpy.abs(hull.equations[:, None, :] - ours[None, :, :]).max(axis=2)
    assert (distances.min(axis=1) < 1e-8).all()
    assert (distances.min(axis=0) < 1e-8).all()
    assert {int(place) for place in distances.argmin(axis=1)} == set(range(len(ours)))


# --- the faces of exponents in the theory ---------------------------------------------------------


def test_a_pareto_optimal_point_under_an_edge() -> None:
    """p^q H^n of order s = 4, 22 edges, of the symmetric cubic model."""
    points = [(11, 1), (9, 2), (8, 3), (7, 4), (6, 5)]
    assert pareto_optimal(points, growing=(0, 1)) == tuple(sorted(points))
    polyhedron = NewtonPolyhedron(points, growing=(0, 1))
    assert polyhedron.vertices == ((6, 5), (11, 1))
    assert polyhedron.faces[-1].points == ((6, 5), (11, 1))
    assert primitive(polyhedron.faces[-1].cone.interior) == (4, 5)


@pytest.mark.parametrize("s", range(1, 7))
def test_the_moving_wall_of_the_free_cubic_model(s: int) -> None:
    polyhedron = NewtonPolyhedron([(2 * s + 3, 1), (s + 2, s + 1)], growing=(0, 1))
    assert polyhedron.faces[-1].cone.rays == ((s, s + 1),)


def symmetric_terms(order: int, s: int) -> list[Point]:
    """(q, n, edges) of the Pareto terms, identity target, even order."""
    return [
        (
            1 + (order - 1) * blocks - order // 2 * (n - 1),
            n,
            order * (blocks + 1) + (order - 2) * s,
        )
        for blocks in range(s + 2)
        for n in range(1, blocks + 2)
    ]


def asymmetric_terms(order: int, s: int) -> list[Point]:
    return [
        (1 + (order - 1) * (blocks + 1 - n), n, order * (blocks + 1) + (order - 2) * s)
        for blocks in range(s + 2)
        for n in range(1, blocks + 2)
        if (s + 1 - blocks) % 2 == 0 and (n, blocks) != (s + 2, s + 1)
    ]


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("s", range(5))
def test_the_triangle_of_the_symmetric_model(order: int, s: int) -> None:
    terms = symmetric_terms(order, s)
    polyhedron = NewtonPolyhedron(terms, growing=(0, 1))
    assert polyhedron.f_vector == (3, 3, 1)
    whole = polyhedron.face((1, Fraction(order, 2), Fraction(1 - order, order)))
    assert whole.points == tuple(sorted(terms)) == pareto_optimal(terms, growing=(0, 1))
    edges_below = (order - 2) * s
    expected = {
        (1 + (order - 1) * (s + 1), 1, order * (s + 2) + edges_below),
        (1 + (order // 2 - 1) * (s + 1), s + 2, order * (s + 2) + edges_below),
        (1, 1, order + edges_below),
    }
    assert set(whole.vertices) == expected


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("s", range(3, 9))
def test_the_polygon_of_the_asymmetric_model(order: int, s: int) -> None:
    """A pentagon for even s, a quadrangle, where D and E coincide, for odd s."""
    terms = asymmetric_terms(order, s)
    polyhedron = NewtonPolyhedron(terms, growing=(0, 1))
    corners = 4 if s % 2 else 5
    assert polyhedron.f_vector == (corners, corners, 1)
    normal = (1, order - 1, Fraction(1 - order, order))
    assert polyhedron.face(normal).points == tuple(sorted(terms))
    blocks = 0 if s % 2 else 1
    labels = {(1, s + 1), (s + 1, s + 1), (s, s - 1), (blocks + 1, blocks), (1, blocks)}
    assert set(polyhedron.vertices) == {
        (1 + (order - 1) * (d + 1 - n), n, order * (d + 1) + (order - 2) * s) for n, d in labels
    }


@pytest.mark.parametrize(
    ("order", "symmetric", "terms"), [(2, True, 4), (4, True, 1), (2, False, 3), (3, False, 2)]
)
def test_the_exact_series_has_these_pareto_terms(order: int, symmetric: bool, terms: int) -> None:
    """All monomials of Y_s, without the pure target, against the closed formulas."""
    series = loss_series(cp(order=order, symmetric=symmetric))
    formula = symmetric_terms if symmetric else asymmetric_terms
    for s in range(terms + 1):
        powers = [dict(powers) for powers, _ in series[s].terms]
        points = [
            (power.get("p", 0), power.get("H", 0), 2 * power["sigma2"])
            for power in powers
            if "sigma2" in power
        ]
        expected = tuple(sorted(formula(order, s)))
        assert pareto_optimal(points, growing=(0, 1)) == expected
        normal = (1, Fraction(order, 2) if symmetric else order - 1, Fraction(1 - order, order))
        assert NewtonPolyhedron(points, growing=(0, 1)).face(normal).points == expected


def prism_terms(s: int, most: int) -> list[Point]:
    """Exponents of p, H, N, sigma2: p^(l+1-n+j) H^n N^(-j) sigma2^l."""
    return [
        (l + 1 - n + j, n, -j, l)
        for l in range(1, s + 3)  # noqa: E741
        for n in range(1, l + 1)
        for j in range(most + 1)
    ]


@pytest.mark.parametrize("s", range(1, 5))
def test_the_prism_of_the_autoencoder_with_data(s: int) -> None:
    terms = prism_terms(s, s)
    # Lower terms and ones with fewer powers of N change nothing.
    lower = [(q - 1, n, m, l) for q, n, m, l in terms] + [(q, n, m - 1, l) for q, n, m, l in terms]  # noqa: E741
    polyhedron = NewtonPolyhedron(terms + lower, growing=(0, 1, 2))
    assert polyhedron.f_vector == (6, 9, 5, 1)
    whole = polyhedron.face((1, 1, 1, -1))
    assert whole.points == tuple(sorted(terms)) == pareto_optimal(polyhedron.points, (0, 1, 2))
    assert whole.cone.rays == ((1, 1, 1, -1),)
    sizes = sorted(len(face.vertices) for face in polyhedron.faces if face.dimension == 2)
    assert sizes == [3, 3, 4, 4, 4]
    assert NewtonPolyhedron(prism_terms(s, 0), growing=(0, 1, 2)).f_vector == (3, 3, 1)
    # The narrow face, n = 1: H is much smaller than p and N, sigma2 is 1/p.
    narrow = polyhedron.face((2, 1, 2, -2))
    assert narrow.points == tuple(sorted(point for point in terms if point[1] == 1))


# --- refusals -------------------------------------------------------------------------------------


def test_no_point_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"^Newton polyhedron: has no point; give at least one$"
    ):
        NewtonPolyhedron([])


def test_a_vector_that_is_not_positive_where_sizes_grow_is_refused() -> None:
    polyhedron = NewtonPolyhedron([(1, 0), (0, 1)], growing=(1,))
    message = (
        r"^vector \(1, 0\): is not positive at the growing index 1, so that its maximum is not on "
        r"a compact face; make this entry positive$"
    )
    with pytest.raises(InvalidInputError, match=message):
        polyhedron.face((7, 0))
    with pytest.raises(InvalidInputError, match=r"has 1 entries, the space has dimension 2"):
        polyhedron.face((1,))
    with pytest.raises(InvalidInputError, match=r"must be exact numbers"):
        polyhedron.face((1, 0.5))  # type: ignore[arg-type]


def test_a_foreign_face_is_refused() -> None:
    one = NewtonPolyhedron([(0, 0), (1, 0)])
    other = NewtonPolyhedron([(0, 0), (0, 1)])
    message = (
        r"^face of dimension 1 with the vertex \(0, 0\): is not a face of this polyhedron; take "
        r"one of its faces$"
    )
    foreign: Face = other.faces[-1]
    for ask in (one.faces_of, one.cofaces, one.neighbours):
        with pytest.raises(InvalidInputError, match=message):
            ask(foreign)
    with pytest.raises(InvalidInputError, match=message):
        one.includes(one.faces[-1], foreign)
    # The same vertex is a face of both, with another cone.
    with pytest.raises(InvalidInputError, match=r"^face of dimension 0 with the vertex \(0, 0\)"):
        one.faces_of(other.face((0, -1)))


@pytest.mark.parametrize(
    ("points", "growing"), [([(1, 2), (1,)], ()), ([(0.5, 1)], ()), ([(1, 2)], (2,))]
)
def test_bad_exponents_are_refused(points: list[Point], growing: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError):
        NewtonPolyhedron(points, growing=growing)
