"""Answers at numbers, times and names that have gone wrong once."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.leading import LeadingSeries
from expansion.models import cp, deep_linear, tied_autoencoder, two_layer
from expansion.problem import Problem
from expansion.regimes import regimes
from pde.deadline import seconds_left
from pde.evolution import Origin
from pde.numerics.resummation import diverges
from pde.resummed_series import resummed_solution
from pde.solutions.finite_data_small import data_moments
from pde.solutions.symmetric_order2 import triangle_loss
from pde.solving import leading_coefficients, solution, solve


@pytest.mark.parametrize("target", ["1*identity", "identity + zero", "2*identity"])
def test_a_divergent_regime_is_refused_under_every_name(target: str) -> None:
    found = regimes(cp(order=4, symmetric=True, target=target), terms=4)
    for name in ("E", "E-A", "B-E", "A-B-E"):
        evolution = solve(found, name, at={"p": 50, "H": 20, "sigma2": Fraction(1, 10**5)})
        with pytest.raises(InvalidInputError, match="the formal series diverges"):
            evolution(1e-3)


def test_a_divergent_series_of_any_problem_is_refused() -> None:
    """Not by recognition: the coefficients of SYM 4 on E as they are."""
    found = regimes(cp(order=4, symmetric=True), terms=5)
    leading = LeadingSeries(found, found["E"])
    summed = resummed_solution(
        found.exponents.problem,
        found["E"],
        leading_coefficients(leading),
        found.exponents.pure_target,
    )
    at = {"p": Fraction(50), "H": Fraction(20), "sigma2": Fraction(1, 10**5), "T": Fraction(1)}
    evolution = summed.at(at)
    assert evolution.domain.stop == 0 and evolution.domain.start < 0
    with pytest.raises(InvalidInputError, match="has no sum"):
        evolution(1e-3)


@pytest.mark.parametrize(
    "power", [Fraction(-2), Fraction(-1, 2), Fraction(1, 2), Fraction(-9, 2), Fraction(3, 2)]
)
def test_convergent_series_are_not_called_divergent(power: Fraction) -> None:
    """(1 - x)^power on its own half of the line, and 1/(1 - x²)."""
    terms = [Fraction(1)]
    for n in range(12):
        terms.append(terms[-1] * (n - power) / (n + 1))
    for last in range(5, 13):
        assert not diverges(terms[:last], sign=1) and not diverges(terms[:last], sign=-1)
    assert not diverges([Fraction(int(n % 2 == 0)) for n in range(14)], sign=1)


@pytest.mark.parametrize(
    ("problem", "name"), [(cp(order=3), "D"), (two_layer(), "V1"), (deep_linear(), "V1")]
)
@pytest.mark.parametrize("exponent", [4, 8, 14])
def test_small_initialisations_have_values(problem: Problem, name: str, exponent: int) -> None:
    found = regimes(problem, terms=5)
    evolution = solve(found, name, at={"p": 90, "H": 90, "sigma2": Fraction(1, 10**exponent)})
    assert evolution.domain.start < 0 < evolution.domain.stop
    t = evolution.domain.stop * np.array([0.1, 0.5, 0.9])
    assert np.all(np.isfinite(evolution(t))) and np.all(np.diff(evolution(t)) <= 1e-12)
    assert evolution.error_at(t) <= evolution.error_estimate


def test_no_number_past_an_exact_blow_up() -> None:
    """Ascent of the triangle of SYM 2, resummed as if it were not known."""
    found = regimes(cp(order=2, symmetric=True), terms=6)
    leading = LeadingSeries(found, found["A-B-E"])
    rows = leading_coefficients(leading)
    summed = resummed_solution(
        found.exponents.problem, found["A-B-E"], rows, found.exponents.pure_target
    )
    for p, H, sigma2 in ((50, 20, Fraction(1, 20)), (9, 90, Fraction(1, 7)), (30, 30, Fraction(1))):
        at = {"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2, "T": Fraction(1)}
        exact, mine = solution(found, "A-B-E").at(at), summed.at(at)
        assert exact.domain.start < mine.domain.start < 0
        t = mine.domain.start * np.linspace(0.02, 0.98, 23)
        assert np.all(np.abs(mine(t) - exact(t)) <= mine.curve.errors(t) + 1e-12)


def test_results_do_not_depend_on_the_name_of_a_variance() -> None:
    def tied(name: str) -> Problem:
        W = Tensor("W", (Axis("H"), Axis("p")), variance=name)
        V = Tensor("V", (Axis("H"), Axis("p")), variance="nu")
        return Problem(
            family="two variances",
            model=(Network.einsum("ki,kj->ij", W, V),),
            target=(Network.einsum("->ii"),),
            output_axes=(Axis("p"), Axis("p")),
        )

    ends = []
    for name in ("sigma2_teacher", "v", "sigma2"):
        found = regimes(tied(name), terms=5)
        largest = found.regimes[-1].name
        at = {"p": 30, "H": 40, name: Fraction(1, 90), "nu": Fraction(1, 80)}
        evolution = solve(found, largest, at=at)
        ends.append((evolution.domain.start, evolution.domain.stop))
    assert ends[0] == ends[1] == ends[2] and ends[0][1] > 0


@pytest.mark.parametrize("name", ["T", "t"])
def test_reserved_symbols_are_refused_where_they_are_declared(name: str) -> None:
    W = Tensor("W", (Axis("H"), Axis(name)), variance="sigma2")
    with pytest.raises(InvalidInputError, match=f"symbol {name}: stands for"):
        Problem("a", (Network.einsum("ki,kj->ij", W, W),), (), (Axis(name), Axis(name)))
    with pytest.raises(InvalidInputError, match=f"symbol {name}: stands for"):
        cp(order=2, target=f"{name}*identity")


DATA_AT = {"p": 40, "H": 10, "N": 60, "sigma2": Fraction(1, 200)}


def test_times_that_coincide_and_the_error_of_narrow_latent() -> None:
    found = regimes(tied_autoencoder(data=True), terms=4)
    evolution = solve(found, "narrow-latent", at=DATA_AT)
    values = evolution([1.0, 1.0, 0.25, 1.0])
    assert values[0] == values[1] == values[3] == evolution(1.0)
    assert 0 < evolution.error_at([1.0, 2.0]) < 1e-8


def test_late_times_of_few_data_end() -> None:
    half, moved = data_moments(1.0, 0.2, np.array([10.0, 60.0]), size=20)
    assert half[1] < half[0] and np.isfinite(moved[1])
    out_of_time = pytest.raises(BudgetExceededError, match="did not end in the time allowed")
    with out_of_time, seconds_left(0.0):
        data_moments(1.0, 1.0, np.array([1e3]), size=40)


def test_the_triangle_at_a_large_initialisation_and_early_times() -> None:
    """Against many digits, where 1 - exp(-4τ) must not be formed by a difference."""
    at = {"p": Fraction(10), "H": Fraction(7), "sigma2": Fraction(10**17), "T": Fraction(1)}
    found = regimes(cp(order=2, symmetric=True), terms=4)
    evolution = solution(found, "A-B-E").at(at)
    for tau in (1e-9, 3e-8, 1e-5, 1e-2):
        mine = 10 * triangle_loss(0.7, 1e18, np.array([tau]))[0]
        assert mine == pytest.approx(float(evolution.precise(tau, 25)), rel=1e-12)


@pytest.mark.parametrize("problem", [two_layer(degree=3), deep_linear(depth=4)])
def test_presets_answer_by_default(problem: Problem) -> None:
    assert len(regimes(problem)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["D", "E", "E-A"])
def test_every_allowed_number_gets_a_value_or_a_refusal(name: str) -> None:
    found = regimes(cp(order=3), terms=4)
    for p, H, sigma2 in ((1e30, 1e30, 1e30), (1, 1, 1e-30), (1e30, 1e-30, 1), (1e-30, 1e30, 1)):
        try:
            evolution = solve(found, name, at={"p": p, "H": H, "sigma2": sigma2})
            assert np.all(np.isfinite(evolution([0.0, evolution.domain.stop / 2])))
        except InvalidInputError:
            pass


def test_a_scaled_target_is_another_unit() -> None:
    """2*identity on C-D against the preset at the numbers of those units."""
    mine = regimes(cp(order=2, target="9/4*identity"), terms=4)
    other = regimes(cp(order=2), terms=4)
    at = {"p": 40, "H": 300, "sigma2": Fraction(1, 100)}
    scaled = solve(mine, "C-D", at=at)
    plain = solve(other, "C-D", at={**at, "sigma2": Fraction(1, 225)})
    t = np.array([0.0, 0.1, 0.7])
    np.testing.assert_allclose(scaled(t), plain(t * 9 / 4) * (9 / 4) ** 2, rtol=1e-12)
    assert scaled.certificate.holds and scaled.solution.origin is Origin.GIVEN
    assert replace(scaled.solution, positive=False).formula is not None
