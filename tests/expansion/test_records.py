"""Series as plain data: what is written reads back, and what is no record is refused."""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diagrams.errors import DiagflowError, InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.series import loss_series
from expansion.series_records import polynomial_record, read_polynomial, read_series, series_record

LAW = settings(deadline=None, max_examples=60)

monomials = st.dictionaries(
    st.sampled_from(("p", "H", "N", "sigma2", "x9")), st.integers(-5, 9).filter(bool), max_size=3
).map(lambda powers: tuple(sorted(powers.items())))
polynomials = st.dictionaries(monomials, st.fractions(), max_size=6).map(Polynomial)


@LAW
@given(polynomials)
def test_a_polynomial_survives_the_round_trip(x: Polynomial) -> None:
    assert read_polynomial(json.loads(json.dumps(polynomial_record(x)))) == x


@LAW
@given(st.lists(polynomials, max_size=4))
def test_a_series_survives_the_round_trip(series: list[Polynomial]) -> None:
    record = json.loads(json.dumps(series_record(cp(order=2), series)))
    assert read_series(record["coefficients"]) == tuple(series)


def test_the_record_of_a_problem_names_it() -> None:
    problem = cp(order=2, symmetric=True, target="zero")
    record = series_record(problem, [loss_series(problem)[0]])
    assert record == {
        "family": "cp",
        "order": 2,
        "symmetric": True,
        "target": "zero",
        "coefficients": [
            {
                "s": 0,
                "terms": [
                    {"coefficient": "1/2", "exponents": {"p": 2, "H": 1, "sigma2": 2}},
                    {"coefficient": "1/2", "exponents": {"p": 1, "H": 2, "sigma2": 2}},
                    {"coefficient": "1/2", "exponents": {"p": 1, "H": 1, "sigma2": 2}},
                ],
            }
        ],
    }


def test_zero_exponents_may_be_written_and_like_terms_are_added() -> None:
    terms = [
        {"coefficient": "1/2", "exponents": {"p": 1, "H": 0}},
        {"coefficient": 1, "exponents": {"p": 1}},
        {"coefficient": "-3", "exponents": {}},
    ]
    assert read_polynomial(terms) == Polynomial.parse("3/2*p - 3")


def test_a_coefficient_without_terms_is_zero() -> None:
    assert read_series([{"s": 0, "terms": []}]) == (Polynomial(),)


@pytest.mark.parametrize(
    "term",
    [
        None,
        5,
        "p",
        {},
        {"coefficient": "1/2"},
        {"coefficient": "half", "exponents": {}},
        {"coefficient": "1/0", "exponents": {}},
        {"coefficient": None, "exponents": {}},
        {"coefficient": "1", "exponents": [1]},
        {"coefficient": "1", "exponents": {"p": 1.5}},
        {"coefficient": "1", "exponents": {"p": True}},
        {"coefficient": "1", "exponents": {"p": "2"}},
    ],
    ids=repr,
)
def test_a_term_that_is_none(term: Any) -> None:
    message = r"^series record: the term .* is not understood; expected \{\"coefficient\": \"1/2\""
    with pytest.raises(InvalidInputError, match=message):
        read_polynomial([term])


@pytest.mark.parametrize(
    "coefficients",
    [[None], [{}], [{"s": 1, "terms": []}], [{"s": 0, "terms": []}, {"s": 2, "terms": []}], ["s"]],
    ids=repr,
)
def test_coefficients_out_of_order(coefficients: Sequence[Any]) -> None:
    number = len(coefficients) - 1
    message = rf"^series record: coefficient number {number} is not the one with s = {number}; list"
    with pytest.raises(InvalidInputError, match=message):
        read_series(coefficients)


# --- anything that JSON can hold ------------------------------------------------------------------

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
likely_terms = st.fixed_dictionaries(
    {},
    optional={
        "coefficient": plain | st.fractions().map(str),
        "exponents": plain | st.dictionaries(st.sampled_from("pHN"), plain, max_size=3),
    },
)
likely_series = st.lists(
    st.fixed_dictionaries(
        {"s": st.integers(0, 2)}, optional={"terms": plain | st.lists(likely_terms, max_size=3)}
    ),
    max_size=3,
)


@settings(deadline=None, max_examples=200)
@example([{"s": 0, "terms": 5}])
@example([{"s": 0, "terms": None}])
@example([{"s": 0, "terms": ["two\nlines"]}])
@example([{"s": 0, "terms": [10**5000]}])
@example([{"s": 0, "terms": [{"coefficient": float("inf"), "exponents": {}}]}])
@example([{"s": 0, "terms": [{"coefficient": float("nan"), "exponents": {}}]}])
@given(st.lists(plain, max_size=3) | likely_series)
def test_any_data_is_read_or_refused_by_an_error_of_the_family(data: list[Any]) -> None:
    try:
        series = read_series(data)
    except DiagflowError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(polynomial, Polynomial) for polynomial in series)
        assert len(series) == len(data)


@pytest.mark.parametrize("number", [0.5, 0.1, 1.0])
def test_a_floating_point_coefficient_is_not_taken_for_an_exact_one(number: float) -> None:
    """Exact numbers are strings or integers: a float has no business in an exact series."""
    with pytest.raises(InvalidInputError, match="series record: the term"):
        read_polynomial([{"coefficient": number, "exponents": {"p": 1}}])


def test_a_number_in_scientific_notation_is_not_blown_up() -> None:
    """``Fraction("1e9999999")`` would build a number of ten million digits."""
    with pytest.raises(InvalidInputError, match="series record: the term"):
        read_polynomial([{"coefficient": "1e9999999", "exponents": {"p": 1}}])


@pytest.mark.parametrize("name", ["", " ", "a b", "2", "p*H", "p**2", "-p", "p\n", "π"], ids=repr)
def test_an_exponent_of_something_that_is_no_symbol(name: str) -> None:
    """Whatever is read can be written and read back, so names are those that the parser knows."""
    with pytest.raises(InvalidInputError, match="series record"):
        read_polynomial([{"coefficient": "1", "exponents": {name: 1}}])


def test_exact_numbers_are_not_rounded() -> None:
    large = Fraction(10**40 + 1, 3**50)
    assert read_polynomial([{"coefficient": str(large), "exponents": {}}]) == Polynomial(
        {(): large}
    )


def test_what_was_expanded_is_told_where_there_is_a_choice() -> None:
    """The layout of a problem with one loss does not change."""
    data = tied_autoencoder(data=True)
    keys = ["family", "target", "data", "loss", "coefficients"]
    assert list(series_record(data, [])) == keys
    assert series_record(data, [])["loss"] == "train"
    assert series_record(data, [], loss="population")["loss"] == "population"
    assert series_record(data, [], loss="ntk-trace")["observable"] == "ntk-trace"
    assert "loss" not in series_record(cp(order=2), [], loss="train")
    assert series_record(cp(order=2), [], divisors={"p": (2, 3)})["divisors"] == {"p": [2, 3]}
    assert "divisors" not in series_record(cp(order=2), [], divisors={})
