"""Formulas: what they say, and errors that tell the column and what may stand there."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.formula_parser import (
    MAXIMAL_FACTORS,
    MAXIMAL_LENGTH,
    MAXIMAL_TERMS,
    FormulaTerm,
    read_formula,
)

NAMES = ("spike", "spiked", "modular-addition")
WORDS = st.sampled_from(["a", "W", "x_1", "N", "H_teacher"])
ENTRIES = st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=4).map(tuple))
TERMS = st.builds(
    FormulaTerm,
    coefficient=st.fractions().filter(bool),
    symbols=st.lists(WORDS, max_size=3).map(tuple),
    entries=st.lists(ENTRIES, max_size=3).map(tuple),
    name=st.sampled_from([None, *NAMES]),
)


@given(terms=st.lists(TERMS, min_size=1, max_size=5), data=st.data())
def test_a_formula_is_read_as_it_was_written(terms: list[FormulaTerm], data: st.DataObject) -> None:
    """With any blanks, with or without stars; signs and fractions included."""
    text = ""
    for number, term in enumerate(terms):
        words = [str(abs(term.coefficient)), *term.symbols]
        words += [f"{name}[{', '.join(at)}]" for name, at in term.entries]
        words += [term.name] if term.name else []
        between = data.draw(st.sampled_from([" ", "*", " * ", "\n"]))
        sign = "-" if term.coefficient < 0 else "+" if number else ""
        text += data.draw(st.sampled_from(["", " "])) + sign + " " + between.join(words)
    assert read_formula(text, names=NAMES) == tuple(terms)


def test_the_longest_name_is_read() -> None:
    assert [term.name for term in read_formula("spiked - spike", names=NAMES)] == [
        "spiked",
        "spike",
    ]
    [term] = read_formula("spiked_x", names=NAMES)
    assert term == FormulaTerm(symbols=("spiked_x",))


def test_without_names_a_name_is_a_symbol() -> None:
    assert read_formula("spike")[0].symbols == ("spike",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"has the end in column 1; expected a number, a symbol or a tensor such as W\[k,i\]$"),
        ("a +", r"has the end in column 4; expected a number, a symbol or a tensor"),
        ("a * + b", r"has '\+ b' in column 5; expected a number, a symbol or a tensor"),
        ("a ^ 2", r"has '\^ 2' in column 3; expected \+ or -$"),
        ("W[i,,j]", r"has 'i,,j\]' in column 3; expected names of indices with commas between"),
        ("W[]", r"has '\]' in column 3; expected names of indices"),
        ("W[i", r"has '\[i' in column 2; expected \+ or -$"),
        ("__import__('os')", r"has \"\('os'\)\" in column 11; expected \+ or -$"),
        ("2..3", r"has '\.\.3' in column 2; expected"),
    ],
)
def test_errors_tell_the_column(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_formula(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a " * MAXIMAL_LENGTH, r"^formula: is longer than 10000 characters; write a shorter one$"),
        ("a + " * MAXIMAL_TERMS + "a", r"^formula 'a \+ a .*': has more than 20 terms; write a"),
        (
            "a " * (MAXIMAL_FACTORS + 1),
            r"^formula 'a a .*': has a term of more than 100 factors; w",
        ),
    ],
)
def test_formulas_that_are_too_long(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_formula(text)


def test_a_number_with_too_many_digits() -> None:
    with pytest.raises(InvalidInputError, match=r"^number '9999.*': is not a rational number of a"):
        read_formula("9" * 9000)


def test_numbers_multiply() -> None:
    assert read_formula("2 * 3 / 4 x 2")[0] == FormulaTerm(Fraction(3), ("x",))
