"""Correlators of linear networks: against published exponents, brute force and laws."""

from fractions import Fraction

import pytest

from diagflow.checking.translation import OracleProblem, at_numbers
from diagrams.errors import InvalidInputError
from expansion.correlators import CLUSTERS, Correlators, correlators
from expansion.models import cp, mlp_linear, two_layer
from expansion.polynomial import Polynomial

TABLES = {depth: correlators(mlp_linear(depth)) for depth in (2, 3, 4)}


def bare(found: Correlators, name: str) -> Polynomial:
    """A correlator with variance and multiplier one."""
    powers = {}
    for monomial, c in found[name].polynomial:
        key = tuple((n, k) for n, k in monomial if n == "H")
        powers[key] = powers.get(key, Fraction(0)) + c
    return Polynomial(powers)


@pytest.mark.parametrize("depth", TABLES)
def test_every_exponent_is_that_of_dyer_and_gur_ari(depth: int) -> None:
    """s_C = n_e + n_o/2 - m/2, and it is reached by all of them."""
    found = TABLES[depth]
    assert len(found.rows) == len(CLUSTERS)
    for row in found:
        assert row.exponent == row.conjectured and row.obeys, row.name
    expected = {"E[ff]": 0, "E[ΘΘ]": 0, "E[f·Θ*f]": -1, "E[Θ*f*f]": -1, "E[f·Θ*f*f*f]": -2}
    assert {name: found[name].conjectured for name in expected} == expected


@pytest.mark.parametrize("depth", TABLES)
def test_exact_polynomials_of_the_kernel(depth: int) -> None:
    expected = {
        2: "4*H**2 + 4*H",
        3: "9*H**4 + 20*H**3 + 16*H**2",
        4: "16*H**6 + 56*H**5 + 92*H**4 + 52*H**3",
    }
    assert bare(TABLES[depth], "E[ΘΘ]") == Polynomial.parse(expected[depth])
    assert bare(TABLES[depth], "E[Θ]") == Polynomial.parse(f"{depth}*H**{depth - 1}")


def test_the_fourth_moment_is_that_of_products_of_chi_squares() -> None:
    """f is normal given the layers below: E[ffff] = 3 E[|h|^4], with n(n + 2) for every layer."""
    for depth, found in TABLES.items():
        layer = Polynomial.parse("H**2 + 2*H")
        product = Polynomial.parse("3")
        for _ in range(depth - 1):
            product *= layer
        assert bare(found, "E[ffff]") == product


@pytest.mark.parametrize(("depth", "sizes"), [(2, (1, 2, 3)), (3, (1, 2))])
def test_equality_with_brute_force(depth: int, sizes: tuple[int, ...]) -> None:
    problem = mlp_linear(depth)
    for size in sizes:
        values = {"H": Fraction(size), "c": Fraction(3, 2), "y": Fraction(1)}
        told = OracleProblem(problem, values)
        for row in TABLES[depth]:
            (expected,) = told.coefficients(row.formula, 0)
            assert at_numbers(row.polynomial, values) == expected, (row.name, size)


def test_corrections_of_the_kernel() -> None:
    found = TABLES[3]
    assert found.relative_order(found.kernel_variance) == -1
    assert found.relative_order(found.kernel_motion) == -1
    assert found.kernel_motion == found["E[f·Θ*f]"].polynomial * -1


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (cp(order=2), "correlators of cp order=2 symmetric=false target=identity: its model has 2"),
        (mlp_linear(2, wide_ends=True), "correlators of mlp-linear depth=2 wide_ends=true: its"),
        (two_layer(), "correlators of two-layer degree=2 target=identity: its loss is"),
    ],
    ids=str,
)
def test_what_has_none(problem: object, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        correlators(problem)  # type: ignore[arg-type]
    assert str(error.value).startswith(message), error.value
    with pytest.raises(InvalidInputError, match="correlator E\\[x\\]: is not in the table; choose"):
        TABLES[2]["E[x]"]
