"""The theorem on Pareto-optimal monomials: what it covers, what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.pareto_theorem import agreement, pareto_theorem
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.series import loss_series
from expansion.series_exponents import SeriesExponents


def exponents(problem: Problem, last: int) -> SeriesExponents:
    return SeriesExponents.of_problem(problem, terms=last)


@pytest.mark.parametrize(
    ("order", "symmetric", "last"), [(2, True, 4), (2, False, 4), (3, False, 3), (4, True, 2)]
)
def test_the_theorem_agrees_with_the_enumeration(order: int, symmetric: bool, last: int) -> None:
    found = agreement(exponents(cp(order=order, symmetric=symmetric), last))
    assert found == tuple(range(last + 1))


@pytest.mark.parametrize(
    "problem",
    [
        cp(order=3, symmetric=True),
        cp(order=2, target="spiked"),
        tied_autoencoder(data=True),
    ],
    ids=lambda problem: problem.title,
)
def test_it_says_nothing_about_other_problems(problem: Problem) -> None:
    assert agreement(exponents(problem, 2)) is None


def test_it_holds_for_a_cp_model_of_another_name() -> None:
    assert agreement(exponents(tied_autoencoder(), 2)) == (0, 1, 2)
    problem = replace(cp(order=3), family="a name of its own", options=())
    assert agreement(exponents(problem, 2)) == (0, 1, 2)


def test_it_says_nothing_about_coefficients_from_elsewhere() -> None:
    coefficients = [Polynomial.parse("p - H"), Polynomial.parse("p*H")]
    assert agreement(SeriesExponents.of_coefficients(coefficients, growing=["p", "H"])) is None
    assert pareto_theorem(order=3, symmetric=True, s=1) is None


def test_an_amplitude_needs_a_name_of_its_own() -> None:
    problem = cp(order=2, target="spiked")
    for name in ("p", "alpha"):
        with pytest.raises(InvalidInputError) as error:
            problem.with_target_amplitude(name)
        assert str(error.value) == (
            f"amplitude '{name}': is a symbol of cp already; choose another"
        )
    marked = problem.with_target_amplitude("beta")
    assert loss_series(marked)[0].coefficient(p=1, beta=2) == loss_series(problem)[0].coefficient(
        p=1
    )


def test_a_list_of_anything_but_texts() -> None:
    document = TomlDocument.parse("x.toml", "[a]\nb = [1, 2]\nc = []")
    with pytest.raises(InvalidInputError) as error:
        document.strings(("a",), "b")
    assert str(error.value) == (
        'x.toml, line 2: a.b: is [1, 2]; expected a list such as ["i", "j"]'
    )
    assert document.strings(("a",), "c") == ()
