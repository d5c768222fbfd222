"""Leading parts: what is kept, what is dropped and why, and scaled variables."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2

from diagrams.errors import InvalidInputError
from expansion.closest_regime import TOLERANCE, locate, neglected_share
from expansion.dynamics import high_order
from expansion.dynamics.derivation import RefusedError
from expansion.geometry.linear_algebra import inner_product, reduced_basis
from expansion.leading import LeadingSeries, leading_part
from expansion.learning import Learning
from expansion.models import cp, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import regimes
from expansion.scaling_conditions import (
    integer_coordinates,
    lattice_basis,
    simplest_basis,
    simplest_modulo,
)
from expansion.series import Budget
from pde.solving import solution
from tests.problems import cp_regimes

PROBLEMS = [(2, True, 4), (2, False, 5), (3, False, 4), (4, True, 3), (3, True, 4)]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_leading_part_is_what_the_scaling_picks(problem: tuple[int, bool, int]) -> None:
    computed = cp_regimes(*problem)
    for regime, s in product(computed, sorted(computed.polyhedra)):
        if regime.moving:
            continue
        leading = LeadingSeries(computed, regime)
        scaling = dict(zip(regime.symbols, regime.scaling, strict=True))
        expected = leading_part(computed.exponents.coefficients[s], scaling)
        if leading[s] != expected:
            # Y_0 of ASYM has no terms of the order that the vertices promise.
            assert s < computed.start
            assert not len(leading[s])


@pytest.mark.parametrize("problem", PROBLEMS)
def test_scaled_variables_give_the_leading_part_back(problem: tuple[int, bool, int]) -> None:
    computed = cp_regimes(*problem)
    for regime in computed:
        leading = LeadingSeries(computed, regime)
        assert len(leading.variables) == regime.dimension or regime.moving
        for s in range(computed.start, leading.last + 1):
            scale, polynomial = leading.scaled(s)
            terms: dict[tuple[tuple[str, int], ...], Fraction] = {}
            for powers, coefficient in polynomial:
                total = dict(scale)
                for name, power in powers:
                    assert power > 0
                    for symbol, exponent in leading.variables[name]:
                        total[symbol] = total.get(symbol, 0) + power * exponent
                terms[tuple(total.items())] = coefficient
            assert Polynomial(terms) == leading[s]


@pytest.mark.parametrize("problem", PROBLEMS[:4])
def test_dropped_terms_are_negligible_for_the_stated_reason(
    problem: tuple[int, bool, int],
) -> None:
    computed = cp_regimes(*problem)
    for regime, s in product(computed, sorted(computed.polyhedra)):
        leading = LeadingSeries(computed, regime)
        dropped = leading.dropped(s)
        assert len(dropped) + len(leading[s]) == len(computed.exponents.coefficients[s])
        scaling = dict(zip(regime.symbols, regime.scaling, strict=True))
        for _, condition in dropped:
            order = sum(scaling[name] * power for name, power in condition.powers)
            assert (order > 0) == (condition.relation == "->oo")
            assert order != 0


def test_variables_of_the_triangle() -> None:
    computed = cp_regimes(2, True, 4)
    assert LeadingSeries(computed, computed["A-B-E"]).variables == {
        "y": (("H", 1), ("p", -1)),
        "z": (("p", 1), ("sigma2", 1)),
    }


def test_leading_parts_beyond_the_series_are_refused() -> None:
    computed = cp_regimes(2, True, 4)
    with pytest.raises(InvalidInputError, match=r"Y_5.*expand more terms"):
        LeadingSeries(computed, computed["A"])[5]


# --- which regime is closest ----------------------------------------------------------------------


def test_neglected_share_at_the_start_is_what_is_left_of_the_exact_coefficient() -> None:
    computed = cp_regimes(2, True, 4)
    values = {"p": Fraction(40), "H": Fraction(7), "sigma2": Fraction(1, 30)}
    place = locate(computed, times=[0], **values)
    pure = values["p"] / 2
    whole = computed.exponents.coefficients[0].evaluate(**values) + pure
    for entry in place.table:
        (share,) = entry.shares
        constant = 0 if entry.regime.learning == "free" else pure
        leading = LeadingSeries(computed, entry.regime)[0].evaluate(**values)
        kept = min(abs(leading + constant), abs(leading))
        assert share.share == abs(whole - leading - constant) / kept
        assert share.error == 0
    assert locate(computed, **values).table[0].regime.name == "A-B-E"
    assert place.share(place.closest.name) <= max(TOLERANCE, 2 * place.table[0].largest)


def _loss_of_one_unit(t: float, H: int, sigma2: float) -> float:
    """The exact expected loss of SYM order 2 with p = 1: a' = 4a(1 - a), a = sigma^2 chi^2_H."""

    def weighted(x: float) -> float:
        start = sigma2 * x
        end = start / (start + (1 - start) * np.exp(-4 * t))
        return float(chi2(H).pdf(x) * (1 - end) ** 2 / 2)

    return float(quad(weighted, 0, 150, limit=400)[0])


def test_the_neglected_share_is_the_error_of_the_loss() -> None:
    """Against the exact loss of a single unit: 11% at t = 0, a percent later, nowhere 44 times."""
    computed = cp_regimes(2, True, 8)
    values = {"p": 1, "H": 8, "sigma2": 10}
    times = [Fraction(k, 4000) for k in range(7)]
    losses = solution(computed, "A-B-E").at({**values, "T": 1})(np.array(times, dtype=float))
    share = neglected_share(computed, "A-B-E", values, times=times, losses=losses)
    for at, loss in zip(share.shares, losses, strict=True):
        off = abs(_loss_of_one_unit(float(at.time), 8, 10) - loss) / (max(losses) - 0.5)
        assert abs(off - float(at.share)) <= float(at.error) + 1e-8
        assert at.known
    assert share.largest_known is share.shares[0]
    assert float(share.largest) == pytest.approx(400 / 3520)
    assert float(share.shares[4].share) < 0.02


def test_where_the_sum_is_not_known_there_is_no_share() -> None:
    share = neglected_share(
        cp_regimes(2, True, 4), "A-B-E", {"p": 1, "H": 8, "sigma2": 10}, times=[0, 5]
    )
    assert share.unknown == (5,)
    assert share.largest_known is share.shares[0]


@pytest.mark.parametrize("name", ["A", "B", "E", "A-B", "B-E", "E-A", "A-B-E"])
def test_far_inside_a_regime_it_is_the_closest(name: str) -> None:
    computed = cp_regimes(2, True, 4)
    regime = computed[name]
    values = {
        symbol: Fraction(10) ** (4 * power)
        for symbol, power in zip(regime.symbols, regime.scaling, strict=True)
    }
    assert locate(computed, **values).closest.name == name


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"p": 3, "H": 2}, "none for sigma2"),
        ({"p": 3, "H": 2, "sigma2": 1, "N": 4}, "symbol 'N': does not occur"),
        ({"p": 3, "H": 0, "sigma2": 1}, "H = 0: must be a positive"),
        ({"p": float("inf"), "H": 1, "sigma2": 1}, "p = inf: must be a positive"),
    ],
)
def test_bad_values_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        locate(cp_regimes(2, True, 4), **values)


# --- monomials in their simplest form -------------------------------------------------------------

VECTORS = st.lists(st.tuples(*[st.integers(-4, 4)] * 4), min_size=1, max_size=5)


@given(VECTORS)
def test_a_simplest_basis_spans_the_same_space(vectors: list[tuple[int, ...]]) -> None:
    basis = simplest_basis(vectors, dimension=4)
    assert reduced_basis(basis, dimension=4) == reduced_basis(vectors, dimension=4)
    assert len(basis) == len(reduced_basis(vectors, dimension=4))


@given(VECTORS, st.tuples(*[st.integers(-4, 4)] * 4))
def test_the_simplest_vector_is_on_the_same_ray(
    vectors: list[tuple[int, ...]], vector: tuple[int, ...]
) -> None:
    basis = simplest_basis(vectors, dimension=4)
    rank = len(reduced_basis([*basis, vector], dimension=4))
    if rank == len(basis):
        return
    simple = simplest_modulo(vector, basis)
    assert sum(map(bool, simple)) <= sum(map(bool, vector))
    # vector = t simple + combination of the basis, with t > 0.
    assert len(reduced_basis([*basis, vector, simple], dimension=4)) == rank
    assert inner_product(_orthogonal_part(vector, basis), simple) > 0


def _orthogonal_part(vector: tuple[int, ...], basis: tuple[tuple[int, ...], ...]) -> list[int]:
    """A positive multiple of the part of a vector that is orthogonal to a basis."""
    rest = [Fraction(x) for x in vector]
    done: list[list[Fraction]] = []
    for row in basis:
        part = [Fraction(x) for x in row]
        for other in done:
            part = _without(part, other)
        done.append(part)
    for other in done:
        rest = _without(rest, other)
    scale = 1
    for x in rest:
        scale *= x.denominator
    return [int(x * scale) for x in rest]


def _without(vector: list[Fraction], direction: list[Fraction]) -> list[Fraction]:
    factor = sum(x * y for x, y in zip(vector, direction, strict=True)) / sum(
        y * y for y in direction
    )
    return [x - factor * y for x, y in zip(vector, direction, strict=True)]


@given(VECTORS)
def test_a_lattice_basis_generates_the_lattice(vectors: list[tuple[int, ...]]) -> None:
    basis = lattice_basis(vectors, dimension=4)
    for vector in vectors:
        coordinates = integer_coordinates(vector, basis)
        combined = tuple(
            sum(k * row[i] for k, row in zip(coordinates, basis, strict=True)) for i in range(4)
        )
        assert combined == vector
    # Each basis vector is an integer combination of the generators: same lattice determinant.
    again = lattice_basis([*vectors, *basis], dimension=4)
    for row in again:
        integer_coordinates(row, basis)


def test_a_vector_outside_the_lattice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not an integer combination"):
        integer_coordinates((1, 0), ((2, 0),))


# --- beyond the exact coefficients ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "regime", "terms"),
    [
        (cp(order=2, symmetric=True), "A-B-E", 4),
        (cp(order=2), "C-D", 5),
        (cp(order=3), "E-A", 4),
        (two_layer(degree=2), "V1-V2", 4),
        (two_layer(degree=2), "V2-V3", 4),
    ],
)
def test_a_continued_series_is_the_exact_one(problem: Problem, regime: str, terms: int) -> None:
    """What a hierarchy gives beyond a short map is what a longer expansion finds."""
    short = regimes(problem, terms=terms)
    longer = regimes(problem, terms=terms + 1)
    continued = high_order.continued(LeadingSeries(short, short[regime]))
    exact = LeadingSeries(longer, longer[regime])
    assert continued.last == terms
    assert continued[terms + 1] == exact[terms + 1]
    assert continued[terms] == exact[terms]
    assert len(continued[terms + 4])
    assert continued.origin(terms) == "exact"
    assert continued.origin(terms + 1).endswith(f"certified for s = 0 ... {terms}")


def test_a_series_does_not_go_on_where_the_hierarchy_sees_half_of_it() -> None:
    """In E of asymmetric models every second coefficient is of lower order than the dynamics."""
    found = regimes(cp(order=3), terms=5)
    with pytest.raises(RefusedError, match="use the exact coefficients"):
        high_order.continued(LeadingSeries(found, found["E"]))


def test_a_series_does_not_go_on_from_few_derivatives() -> None:
    found = regimes(cp(order=2), terms=6)
    with pytest.raises(RefusedError, match="does not give the exact parts at s = "):
        high_order.continued(LeadingSeries(found, found["A-B"]), budget=Budget(diagrams=2000))


def test_an_exact_series_ends() -> None:
    found = regimes(cp(order=2), terms=5)
    with pytest.raises(InvalidInputError):
        LeadingSeries(found, found["C-D"])[6]


@pytest.mark.parametrize(
    ("order", "symmetric", "terms", "kept", "left_out"),
    [
        (3, True, 4, {"A-C", "A-B-C"}, {"A", "B", "A-B"}),
        (2, True, 6, set(), {"A", "B", "A-B"}),
        (2, False, 6, set(), {"A", "B", "A-B"}),
        (4, True, 3, set(), {"A", "B", "A-B"}),
    ],
)
def test_the_target_stays_in_a_free_regime_where_it_is_nowhere_small(
    order: int, symmetric: bool, terms: int, kept: set[str], left_out: set[str]
) -> None:
    """Where p ~ H and p sigma2 ~ 1, p^3 H sigma^6/2 of the model is as large as p/2."""
    maps = cp_regimes(order, symmetric, terms)
    for name in kept | left_out:
        assert maps[name].learning is Learning.FREE
        leading = LeadingSeries(maps, maps[name])
        assert leading.pure_target == (maps.exponents.pure_target if name in kept else Polynomial())
    for name in kept:
        assert solution(maps, name).coefficients(1)[0] == (
            maps.exponents.pure_target + LeadingSeries(maps, maps[name])[0]
        )
