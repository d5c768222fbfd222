"""Learning regimes: the published table derived, problems without a theorem, and the definition."""

import random
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.geometry.newton import pareto_optimal
from expansion.models import cp
from expansion.pareto_theorem import agreement
from expansion.polynomial import Polynomial
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import Learning, Regime, regimes
from expansion.series import loss_series
from expansion.series_exponents import SeriesExponents
from tests.problems import cp_regimes

# Symbols in the order p, H, sigma2; a power of sigma is half a power of sigma2.
P, H, SIGMA = (2, 0, 0), (0, 2, 0), (0, 0, 1)
TERMS = {
    (2, True): 6,
    (4, True): 4,
    (6, True): 3,
    (2, False): 6,
    (3, False): 5,
    (4, False): 4,
    (5, False): 4,
}


def monomial(p: int = 0, H: int = 0, sigma: int = 0) -> Point:
    """Twice the exponents of p, H and sigma2."""
    return (2 * p, 2 * H, sigma)


def opposite(vector: Point) -> Point:
    return tuple(-entry for entry in vector)


Row = tuple[list[Point], list[Point], Point, str]
"""Monomials that stay of order one, monomials that diverge, the natural T, the learning."""


def table(order: int, symmetric: bool) -> Mapping[str, Row]:
    """The published table of regimes, as monomials."""
    v = order
    if symmetric:
        rank = monomial(-v, 2)
        under = monomial(v - 1, 0, v)
        over = monomial(v - 2, 2, 2 * v)
        slow, fast = monomial(0, 0, v - 2), monomial(v - 1, 0, 2 * v - 2)
        return {
            "A-B": ([rank], [under], fast, "free"),
            "B-E": ([over], [rank], slow, "rich"),
            "E": ([], [opposite(over), opposite(under)], slow, "rich"),
            "E-A": ([under], [opposite(rank)], slow, "rich"),
            "A-B-E": ([rank, under], [], slow, "rich"),
        }
    rank = monomial(1 - v, 1)
    under = monomial(v - 1, 0, v)
    over = monomial(v - 1, 1, 2 * v)
    mean = monomial(0, 1, v)
    slow, kernel = monomial(0, 0, v - 2), monomial(0, 1, 2 * v - 2)
    return {
        "A-B": ([rank], [under], kernel, "free"),
        "B-C": ([over], [mean], kernel, "lazy"),
        "C": ([], [opposite(over), mean], kernel, "lazy"),
        "C-D": ([mean], [rank], slow, "rich"),
        "D-E": ([rank], [opposite(mean)], slow, "rich"),
        "E-A": ([under], [opposite(rank)], slow, "rich"),
        "A-B-C-D-E": ([rank, under], [], slow, "rich"),
    }


def growing_cone(same: list[Point], diverging: list[Point]) -> Cone:
    return Cone.from_inequalities([*diverging, (1, 0, 0), (0, 1, 0)], same, dimension=3)


def cone_of_conditions(regime: Regime) -> Cone:
    """The cone that the printed conditions define, together with the growth of the sizes."""
    same, diverging = [], []
    for condition in regime.conditions:
        powers = dict(condition.powers)
        vector = tuple(powers.get(name, 0) for name in regime.symbols)
        if condition.relation == "~1":
            same.append(vector)
        else:
            diverging.append(vector if condition.relation == "->oo" else opposite(vector))
    return growing_cone(same, diverging)


@pytest.mark.parametrize(("order", "symmetric"), TERMS)
def test_published_table_is_derived(order: int, symmetric: bool) -> None:
    computed = cp_regimes(order, symmetric, TERMS[order, symmetric])
    assert computed.f_vector == ((3, 3, 1) if symmetric else (5, 5, 1))
    assert computed.confirmed_by >= 1
    for name, (same, diverging, time, learning) in table(order, symmetric).items():
        regime = computed[name]
        expected = growing_cone(same, diverging)
        assert regime.cone == expected, name
        assert cone_of_conditions(regime) == expected, name
        assert regime.learning == learning, name
        assert not regime.moving
        powers = dict(regime.natural_time)
        slope = [2 * powers.get(symbol, Fraction(0)) for symbol in regime.symbols]
        for ray in (*expected.rays, *expected.lineality):
            assert sum(x * y for x, y in zip(slope, ray, strict=True)) == inner_product(time, ray)


@pytest.mark.parametrize(("order", "symmetric"), TERMS)
def test_regimes_follow_the_definition(order: int, symmetric: bool) -> None:
    """A random scaling lies in one regime, and picks its vertices for every s."""
    computed = cp_regimes(order, symmetric, TERMS[order, symmetric])
    random_scaling = random.Random(order)
    for _ in range(60):
        scaling = (
            random_scaling.randint(1, 12),
            random_scaling.randint(1, 12),
            random_scaling.randint(-12, 4),
        )
        inside = [r for r in computed if r.cone.contains_in_interior(scaling)]
        assert len(inside) == 1
        for s in range(computed.start, computed.exponents.last + 1):
            picked = computed.polyhedra[s].face(scaling)
            assert set(picked.vertices) == {q.point(s) for q in inside[0].sequences}
            assert computed.face(inside[0], s) == picked


@pytest.mark.parametrize(("order", "symmetric"), TERMS)
def test_natural_time_is_the_growth_of_the_leading_order(order: int, symmetric: bool) -> None:
    computed = cp_regimes(order, symmetric, TERMS[order, symmetric])
    for regime in computed:
        scaling = regime.scaling
        powers = dict(regime.natural_time)
        time = sum(powers.get(n, 0) * a for n, a in zip(regime.symbols, scaling, strict=True))
        last, period = computed.exponents.last, computed.period
        largest = {
            s: max(inner_product(scaling, point) for point in computed.exponents.points(s))
            for s in (last, last - period)
        }
        assert largest[last] - largest[last - period] == period * time


@pytest.mark.parametrize(("order", "symmetric"), TERMS)
def test_pareto_terms_are_those_of_the_theorem(order: int, symmetric: bool) -> None:
    exponents = cp_regimes(order, symmetric, TERMS[order, symmetric]).exponents
    assert agreement(exponents) == tuple(range(exponents.last + 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "symmetric", "terms"),
    [
        (2, True, 20),
        (2, False, 10),
        (3, False, 6),
        (4, True, 5),
        (4, False, 6),
        (5, False, 5),
        (6, True, 4),
    ],
)
def test_pareto_theorem_as_far_as_the_engine_reaches(
    order: int, symmetric: bool, terms: int
) -> None:
    exponents = SeriesExponents.of_problem(cp(order=order, symmetric=symmetric), terms=terms)
    assert agreement(exponents) == tuple(range(terms + 1))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_zero_target_has_free_evolution_alone(order: int, symmetric: bool) -> None:
    computed = cp_regimes(order, symmetric, 4, "zero")
    assert [regime.name for regime in computed] == ["A", "B", "A-B"]
    assert {regime.learning for regime in computed} == {Learning.FREE}


# --- SYM of odd order, where no theorem exists ----------------------------------------------------


@pytest.mark.parametrize(("order", "terms"), [(3, 5), (5, 4)])
def test_symmetric_odd_order(order: int, terms: int) -> None:
    """Five vertices as without symmetry, and a wall between small and large rank that moves."""
    computed = cp_regimes(order, True, terms)
    half = (order - 1) // 2
    assert (computed.start, computed.period) == (1, 2)
    assert computed.f_vector == (5, 6, 2)
    rank = (-half, 1, 0)
    small, large = [opposite(rank)], [rank]
    under = ((order - 1) * 2, 0, order)
    over = (order - 1, 1, order)
    mean = (order - 1, 2, order)
    expected = {
        "A": ([], [*small, under], "free"),
        "B": ([], [*large, over], "free"),
        "C": ([], [*large, mean, opposite(over)], "lazy"),
        "D": ([], [*large, opposite(mean)], "rich"),
        "E": ([], [*small, opposite(under)], "rich"),
        "E-A": ([under], small, "rich"),
        "B-C": ([over], large, "lazy"),
        "C-D": ([mean], large, "rich"),
        "D-E": ([rank], [opposite(mean)], "rich"),
    }
    for name, (same, diverging, learning) in expected.items():
        assert computed[name].cone == growing_cone(same, diverging), name
        assert computed[name].learning == learning
    # The wall between free evolution of small and of large rank: H^s against p^(half (s + 1)).
    wall = computed["A-B"]
    assert [w.normal(s) for w in wall.moving for s in (1, 2, 10)] in (
        [primitive_normal(half, s) for s in (1, 2, 10)],
        [opposite(primitive_normal(half, s)) for s in (1, 2, 10)],
    )
    assert wall.cone.equations == computed["D-E"].cone.equations


def primitive_normal(half: int, s: int) -> Point:
    from math import gcd

    p, h = -half * (s + 1), s
    return (p // gcd(p, h), h // gcd(p, h), 0)


def test_pareto_terms_and_hulls_differ_for_an_odd_order() -> None:
    """At s = 4 the point (9, 2) is Pareto-optimal below the segment from (11, 1) to (6, 5)."""
    computed = cp_regimes(3, True, 5)
    points = [point for point in computed.exponents.points(4) if point[2] == 11]
    assert pareto_optimal(points, (0, 1)) == (
        (6, 5, 11),
        (7, 4, 11),
        (8, 3, 11),
        (9, 2, 11),
        (11, 1, 11),
    )
    on_hull = {point for face in computed.polyhedra[4].faces for point in face.points}
    assert (11, 1, 11) in on_hull
    assert (6, 5, 11) in on_hull
    assert (9, 2, 11) not in on_hull


# --- structure ------------------------------------------------------------------------------------


def test_inclusion_and_neighbours() -> None:
    computed = cp_regimes(2, False, 6)
    edge, vertex, whole = computed["A-B"], computed["A"], computed["A-B-C-D-E"]
    assert computed.includes(whole, edge)
    assert computed.includes(edge, vertex)
    assert not computed.includes(edge, computed["C"])
    assert {r.name for r in computed.neighbours(vertex)} == {"B", "E"}
    assert {r.name for r in computed.neighbours(edge)} == {"B-C", "E-A"}
    assert computed.neighbours(whole) == ()
    assert computed["E-A"] is computed["A-E"]


def test_coefficients_alone_are_enough() -> None:
    """A series without target counter has the same cones, with names of its own."""
    series = loss_series(cp(order=2, symmetric=True))
    series[5]
    alone = regimes(series.known)
    assert {regime.cone for regime in alone} == {regime.cone for regime in cp_regimes(2, True, 6)}
    assert {regime.learning for regime in alone} == {Learning.UNKNOWN}
    assert [regime.name for regime in alone if regime.dimension == 0] == ["V1", "V2", "V3"]


def test_the_whole_series_may_have_other_symbols() -> None:
    """Renaming and reordering the symbols renames the regimes' conditions, nothing else."""
    series = loss_series(cp(order=2))
    series[6]
    names = {"p": "width", "H": "rank", "sigma2": "sigma2"}
    renamed = [
        Polynomial({tuple((names[n], k) for n, k in powers): c for powers, c in polynomial})
        for polynomial in series.known
    ]
    other = regimes(SeriesExponents.of_coefficients(renamed, growing=["rank", "width"]))
    order = [other.exponents.symbols.index(names[n]) for n in ("p", "H", "sigma2")]
    cones = {
        tuple(sorted(tuple(ray[i] for i in order) for ray in regime.cone.rays)) for regime in other
    }
    assert cones == {tuple(sorted(regime.cone.rays)) for regime in cp_regimes(2, False, 6)}


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("symmetric", "terms"), [(True, 1), (False, 3)])
def test_too_few_terms(*, symmetric: bool, terms: int) -> None:
    with pytest.raises(InvalidInputError, match=r"too few coefficients.*terms="):
        regimes(cp(order=2, symmetric=symmetric), terms=terms)


def test_no_growing_symbol() -> None:
    with pytest.raises(InvalidInputError, match=r"no symbol grows.*name the sizes"):
        regimes([Polynomial.parse("sigma2"), Polynomial.parse("sigma2**2")])


def test_unknown_symbol() -> None:
    series = [Polynomial.parse("p*sigma2")]
    with pytest.raises(InvalidInputError, match=r"symbol 'Q'.*p, sigma2"):
        SeriesExponents.of_coefficients(series, growing=["Q"])


def test_no_coefficients() -> None:
    with pytest.raises(InvalidInputError, match="give Y_0"):
        regimes([])


def test_unknown_regime_lists_the_names() -> None:
    with pytest.raises(InvalidInputError, match=r"'B-D'.*A, B, C, D, E, A-B"):
        cp_regimes(2, False, 6)["B-D"]


def test_negative_terms() -> None:
    with pytest.raises(InvalidInputError, match="terms=-1"):
        regimes(cp(order=2), terms=-1)


def test_no_rank_exceeds_the_sizes_that_bound_it() -> None:
    """Where r > p the polynomials of an isometry from r to p mean nothing."""
    path = Path(__file__).parents[2] / "examples" / "low_rank.toml"
    found = regimes(read_problem_file(path), terms=4)
    place = {symbol: number for number, symbol in enumerate(found.exponents.symbols)}
    assert found.regimes
    for regime in found:
        for size in "pn":
            assert regime.scaling[place["r"]] <= regime.scaling[place[size]]
            assert f"r/{size} -> oo" not in [str(condition) for condition in regime.conditions]
