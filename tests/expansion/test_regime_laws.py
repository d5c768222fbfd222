"""The laws of a map: a partition into distinct cones, the largest slope, stable with more terms."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from diagrams.errors import BudgetExceededError, InvalidInputError
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.learning import Learning, learning
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.regime_laws import regimes_at
from expansion.regime_names import regime_names
from expansion.regimes import Regime, Regimes, regimes
from expansion.series import Budget, LossSeries
from expansion.series_exponents import DEFAULT_DIAGRAMS, SeriesExponents
from tests.expansion.random_problems import random_problem

EXAMPLES = Path(__file__).parents[2] / "examples"


def satisfied(regime: Regime, scaling: Point) -> bool:
    """Whether a scaling meets the printed conditions of a regime."""
    table = dict(zip(regime.symbols, scaling, strict=True))
    for condition in regime.conditions:
        order = sum(table[name] * power for name, power in condition.powers)
        wanted = {"~1": order == 0, "->0": order < 0, "->oo": order > 0}
        if not wanted[condition.relation.value]:
            return False
    return True


def scalings(found: Regimes, count: int) -> list[Point]:
    dice = random.Random(count)
    growing = found.exponents.growing_places
    size = len(found.exponents.symbols)
    drawn = [
        tuple(dice.randint(1, 12) if i in growing else dice.randint(-24, 24) for i in range(size))
        for _ in range(count)
    ]
    # Walls have measure zero: sums and differences of what is inside the cells meet them.
    inside = [regime.scaling for regime in found]
    for _ in range(count):
        one, other = dice.choice(inside), dice.choice(inside)
        drawn.append(tuple(x + y for x, y in zip(one, other, strict=True)))
    return drawn


def order(powers: tuple[tuple[str, Fraction], ...], regime: Regime, scaling: Point) -> Fraction:
    table = dict(zip(regime.symbols, scaling, strict=True))
    return sum((table[name] * power for name, power in powers), Fraction(0))


def check_laws(found: Regimes) -> None:
    """What the definition says, by the printed conditions alone."""
    assert len({regime.cone for regime in found}) == len(found)
    assert len({regime.name for regime in found}) == len(found)
    assert len({regime.conditions for regime in found}) == len(found)
    growing = set(found.exponents.growing)
    for regime in found:
        assert found[regime.name] is regime
        for condition in regime.conditions:
            signs = {power > 0 for _, power in condition.powers}
            only_sizes = {name for name, _ in condition.powers} <= growing
            assert not (only_sizes and len(signs) == 1), (regime, condition)
    for scaling in scalings(found, 40):
        places = [regime for regime in found if satisfied(regime, scaling)]
        assert places == list(regimes_at(found, scaling))
        assert len(places) == 1, scaling
        if found.law_last is not None:
            fastest = max(order(other.natural_time, other, scaling) for other in found)
            assert order(places[0].natural_time, places[0], scaling) == fastest
    for regime in found:
        assert regimes_at(found, regime.scaling) == (regime,)
        check_growth(found, regime)


def check_growth(found: Regimes, regime: Regime) -> None:
    """The order of the leading part grows by that of T for each s, where the law holds."""
    last = found.law_last
    if last is None or not regime.decided:
        return
    steps = []
    for s in range(last - found.period + 1, last + 1):
        if s in found.polyhedra and s - found.period in found.polyhedra:
            after, before = (
                max(inner_product(regime.scaling, v) for v in found.polyhedra[k].vertices)
                for k in (s, s - found.period)
            )
            steps.append(Fraction(after - before, found.period))
    assert max(steps) == order(regime.natural_time, regime, regime.scaling)


def signature(found: Regimes) -> set[tuple[object, ...]]:
    return {(regime.cone, regime.natural_time, regime.learning) for regime in found}


def check_all_lengths(whole: SeriesExponents) -> Regimes | None:
    """The laws for every number of terms; confirmed maps stay as they are."""
    maps: dict[int, Regimes] = {}
    for last in range(2, whole.last + 1):
        assert whole.factors is not None
        part = replace(
            whole, coefficients=whole.coefficients[: last + 1], factors=whole.factors[: last + 1]
        )
        try:
            maps[last] = regimes(part)
        except InvalidInputError as error:
            assert "too few coefficients" in str(error)
            assert last < 4
            continue
        check_laws(maps[last])
    for last, found in maps.items():
        for more in (last + 1, last + 2):
            if found.confirmed and more in maps and maps[more].law_last == more:
                assert signature(found) == signature(maps[more]), (last, more)
    return maps.get(whole.last)


PRESETS: dict[str, tuple[Callable[[], Problem], int]] = {
    **{
        f"SYM 2 {target}": (lambda t=target: cp(order=2, symmetric=True, target=t), 7)  # type: ignore[misc]
        for target in ("identity", "zero", "spike", "spiked", "teacher", "modular-addition")
    },
    **{
        f"ASYM 2 {target}": (lambda t=target: cp(order=2, target=t), 6)  # type: ignore[misc]
        for target in ("identity", "zero", "spike", "spiked", "teacher", "modular-addition")
    },
    **{
        f"SYM 3 {target}": (lambda t=target: cp(order=3, symmetric=True, target=t), 4)  # type: ignore[misc]
        for target in ("identity", "zero", "spike", "spiked", "teacher")
    },
    "ASYM 3": (lambda: cp(order=3), 5),
    "SYM 4 spiked": (lambda: cp(order=4, symmetric=True, target="spiked"), 3),
    "deep linear": (lambda: deep_linear(depth=3), 5),
    "two-layer": (lambda: two_layer(degree=2), 4),
    "autoencoder with data": (lambda: autoencoder(data=True), 4),
    "tied autoencoder with data": (lambda: tied_autoencoder(data=True), 5),
    "skip connection": (lambda: read_problem_file(EXAMPLES / "skip_connection.toml"), 6),
}


@pytest.mark.parametrize("name", PRESETS)
def test_laws_of_presets(name: str) -> None:
    make, terms = PRESETS[name]
    whole = SeriesExponents.of_problem(make(), terms=terms)
    assert check_all_lengths(whole) is not None


def check_random(seed: int, diagrams: int) -> None:
    series = LossSeries(
        random_problem(seed).with_target_amplitude("target_amplitude"),
        budget=Budget(diagrams=diagrams),
    )
    with suppress(BudgetExceededError):
        series[6]
    whole = SeriesExponents.of_coefficients(
        series.known, growing=series.problem.growing, amplitude="target_amplitude"
    )
    check_all_lengths(whole)


@pytest.mark.parametrize("seed", range(12))
def test_laws_of_random_problems(seed: int) -> None:
    check_random(seed, 300)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_laws_of_two_hundred_random_problems(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        check_random(seed, 1500)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "terms"),
    [
        (cp(order=3, symmetric=True, target="spiked"), 5),
        (cp(order=3, symmetric=True, target="modular-addition"), 4),
        (cp(order=3, symmetric=True, target="teacher"), 5),
        (cp(order=3, target="spiked"), 5),
        (cp(order=3, target="teacher"), 5),
        (cp(order=4, symmetric=True, target="teacher"), 4),
        (cp(order=2, target="spiked"), 8),
        (cp(order=2, symmetric=True, target="teacher"), 10),
    ],
)
def test_laws_of_expensive_presets(problem: Problem, terms: int) -> None:
    assert check_all_lengths(SeriesExponents.of_problem(problem, terms=terms)) is not None


# --- the number of regimes is that of the limit ---------------------------------------------------


@pytest.mark.parametrize(
    ("target", "count"), [("spike", 7), ("spiked", 15), ("teacher", 15), ("identity", 7)]
)
def test_walls_that_move_do_not_add_regimes(target: str, count: int) -> None:
    """E meets A at p^(s+2) sigma2^(s+1) for a spike: one wall, whatever the number of terms."""
    whole = SeriesExponents.of_problem(cp(order=2, symmetric=True, target=target), terms=8)
    for last in (4, 5, 6, 7, 8):
        assert whole.factors is not None
        found = regimes(
            replace(
                whole,
                coefficients=whole.coefficients[: last + 1],
                factors=whole.factors[: last + 1],
            )
        )
        assert len(found) == count
        assert found.confirmed


def test_a_regime_on_the_limit_of_a_wall_is_led_by_what_leads_there() -> None:
    """SYM 3, H ~ p: p^(2s+3) H is larger than p^(s+2) H^(s+1) for every s: the target is unseen."""
    found = regimes(cp(order=3, symmetric=True), terms=4)
    for name in ("A-B", "A-C", "A-B-C"):
        regime = found[name]
        assert regime.moving
        assert regime.learning is Learning.FREE
        for s in range(1, 5):
            assert found.face(regime, s).vertices == ((2 * s + 3, 1, 2 * s + 3),)
    assert found["B-C"].learning is Learning.LAZY
    # Deep inside B-C two factors of the target are on the leading terms from s = 1 on.
    for s in range(1, 5):
        counts = [found.exponents.target_factors(s, v) for v in found.face(found["B-C"], s).points]
        assert max(count[1] for count in counts if count is not None) == 2
    assert found.wall(found["A-B"], 2) is not None


@pytest.mark.parametrize(
    ("most", "period", "expected"),
    [
        ({1: 0, 2: 0, 3: 0}, 1, "free"),
        ({1: 2, 2: 2, 3: 2, 4: 2}, 2, "lazy"),
        ({1: 0, 2: 0, 3: 2, 4: 2}, 2, "rich"),
        ({1: 0, 2: 0, 3: 2, 4: 2, 5: 2}, 2, "unknown"),
        ({1: 3, 2: 2, 3: 1}, 1, "unknown"),
        ({1: 2}, 1, "unknown"),
        ({1: 2, 2: 2, 3: 4, 4: 4}, 2, "rich"),
        # Y_0 is without its pure-target term: its leading terms may be of another kind.
        ({0: 0, 1: 2, 2: 2, 3: 2, 4: 2}, 1, "lazy"),
        ({0: 0, 1: 2, 2: 4, 3: 6}, 1, "rich"),
        ({0: 0, 1: 2, 2: 0}, 1, "unknown"),
    ],
)
def test_learning_goes_by_the_change_in_a_period(
    most: dict[int, int], period: int, expected: str
) -> None:
    assert learning(most, period=period).value == expected


# --- late vertices --------------------------------------------------------------------------------


def late_series(last: int) -> list[Polynomial]:
    """A triangle like that of SYM 2, in which a vertex above E appears in Y_6."""
    series = []
    for s in range(last + 1):
        text = f"p**{s + 2}*H*x**{s + 2} + p*H**{s + 2}*x**{s + 2} + p*H*x"
        series.append(Polynomial.parse(text + (" + p**2*H*x" if s >= 6 else "")))
    return series


def test_a_late_vertex_is_part_of_the_map() -> None:
    before = regimes(SeriesExponents.of_coefficients(late_series(5), growing=["p", "H"]))
    after = regimes(SeriesExponents.of_coefficients(late_series(6), growing=["p", "H"]))
    assert before.confirmed
    assert not before.undecided
    assert (after.law_last, after.confirmed, after.confirmed_by) == (5, False, 0)
    check_laws(after)
    assert {regime.cone for regime in before} == {regime.cone for regime in after}
    (change,) = after.changes
    assert (change.s, change.appeared, change.vanished) == (6, ((2, 1, 1),), ((1, 1, 1),))
    free = {r.cone for r in after if "p*x -> oo" in map(str, r.conditions)}
    decided = {r.cone for r in after if r.decided}
    assert free <= decided
    assert len(decided) < len(after)


@pytest.mark.slow
def test_the_late_vertex_of_the_symmetric_model_of_order_3() -> None:
    """p^3 H^2 sigma^12 appears in Y_6 with the coefficient 524880 and leads in D and E."""
    found = regimes(cp(order=3, symmetric=True), terms=6)
    coefficient = dict(found.exponents.coefficients[6].terms)[("H", 2), ("p", 3), ("sigma2", 6)]
    assert coefficient == 524880
    assert found.f_vector == (5, 6, 2)
    assert found.law_last == 5
    assert [(c.s, c.appeared, c.vanished) for c in found.changes] == [
        (6, ((3, 2, 6),), ((2, 2, 6), (3, 1, 6)))
    ]
    assert {r.name for r in found if r.decided} == {"A", "B", "C", "A-B", "A-C", "B-C", "A-B-C"}


def test_maps_without_a_law_are_printed_with_what_is_undecided() -> None:
    found = regimes(cp(order=3, symmetric=True, target="teacher"), terms=4)
    assert found.law_last is None
    assert not found.confirmed
    assert found.undecided
    assert len(found.undecided) == len(found)
    check_laws(found)


def test_odd_coefficients_may_vanish() -> None:
    texts = {0: "p*x", 2: "p*x + p**3*x**3", 4: "p*x + p**5*x**5", 6: "p*x + p**7*x**7"}
    series = [Polynomial.parse(texts.get(s, "0")) for s in range(7)]
    found = regimes(SeriesExponents.of_coefficients(series, growing=["p"]))
    check_laws(found)
    assert [str(c) for r in found for c in r.conditions] == [
        "p*x -> 0",
        "p*x -> oo",
        "p*x ~ 1",
    ]


# --- names, slices, limits ------------------------------------------------------------------------


def test_long_names_are_short_and_still_accepted() -> None:
    found = regimes(cp(order=2, target="teacher"), terms=5)
    assert max(len(regime.name) for regime in found) < 20
    largest = max(found, key=lambda regime: len(regime.vertices))
    assert largest.name == "F1"
    assert found["-".join(reversed(largest.vertices))] is largest


def test_regimes_that_share_their_vertices_are_told_apart() -> None:
    assert regime_names([["A", "B"], ["A", "B"], ["A", "C"]]) == ("F1", "F2", "A-C")


def test_a_slice_is_the_part_of_the_map_on_a_subspace() -> None:
    found = regimes(cp(order=2, symmetric=True, target="teacher"), terms=5)
    part = found.restricted("H ~ p, sigma2_teacher ~ sigma2")
    for x in range(1, 4):
        for y, z in ((1, -3), (2, -2), (1, -1), (3, 2)):
            scaling = (x, x, y, z, z)
            (place,) = regimes_at(found, scaling)
            (there,) = regimes_at(part, scaling)
            assert there.name == place.name
            assert satisfied(there, scaling)
    assert {len(regime.cone.equations) - regime.dimension for regime in part} == {2}
    assert regimes(found.exponents, slice="H ~ p").on == found.restricted("H ~ p").on
    with pytest.raises(InvalidInputError, match="this problem does not have it on the slice"):
        part["no regime"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("H", "has to relate two monomials"),
        ("H ~ p ~ p", "has to relate two monomials"),
        ("H ~ q", "'q' does not occur"),
        ("H ~ p + 1", "no product of powers"),
        ("H ~ H", "both sides are the same"),
        ("H ~ ", "no product of powers"),
        ("H ~ 1", "no scaling with growing sizes"),
        ("H ~ p, H ~ p**2", "no scaling with growing sizes"),
    ],
)
def test_slices_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        regimes(cp(order=2, symmetric=True), terms=4, slice=text)


RECTANGLE = """
family = "rectangular network and teacher"
[axes]
p = "growing"
n = "growing"
H = "growing"
R = "growing"
[tensors]
V = { kind = "weight", axes = ["n", "H"], variance = "s_v" }
W = { kind = "weight", axes = ["H", "p"], variance = "s_w" }
A = { kind = "gaussian", axes = ["n", "R"], variance = "s_t" }
B = { kind = "gaussian", axes = ["R", "p"], variance = "s_t" }
[losses.train]
outputs = ["i", "j"]
model = "V[i,k] W[k,j]"
target = "A[i,r] B[r,j]"
"""


@cache
def rectangle() -> SeriesExponents:
    return SeriesExponents.of_problem(
        read_problem(TomlDocument.parse("rectangle.toml", RECTANGLE)), terms=5
    )


def test_seven_symbols_take_seconds() -> None:
    start = time.process_time()
    found = regimes(rectangle())
    assert time.process_time() - start < 60
    assert len(found.exponents.symbols) == 7
    assert len(found) == 225
    assert sum((-1) ** k * count for k, count in enumerate(found.f_vector)) == 1
    assert len({regime.cone for regime in found}) == 225


def test_the_geometry_obeys_limits_and_reports() -> None:
    exponents = rectangle()
    with pytest.raises(BudgetExceededError, match=r"map of regimes needs more than 0\.2 seconds"):
        regimes(exponents, budget=Budget(seconds=0.2))
    with pytest.raises(BudgetExceededError, match=r"budget\.memory"):
        regimes(exponents, budget=Budget(memory=1.0))
    stages = []

    def follow(state: object) -> None:
        stages.append(state)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regimes(exponents, progress=follow)
    assert stages


def test_the_default_number_of_terms_does_not_depend_on_the_clock() -> None:
    """The seconds end the expansion with an error, not with fewer terms."""
    with pytest.raises(BudgetExceededError, match=r"budget\.seconds"):
        SeriesExponents.of_problem(cp(order=3), budget=Budget(seconds=0.05))


def test_the_default_number_of_terms_goes_on_until_the_map_is_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert DEFAULT_DIAGRAMS == 30_000
    monkeypatch.setattr("expansion.series_exponents.DEFAULT_DIAGRAMS", 10)
    monkeypatch.setattr("expansion.series_exponents.DECIDING_DIAGRAMS", 5_000)
    counted = SeriesExponents.of_problem(cp(order=2), budget=Budget(diagrams=10))
    assert not counted.has_law()
    found = regimes(cp(order=2))
    assert found.law_last == found.exponents.last == 4
