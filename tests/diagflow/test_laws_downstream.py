"""What follows from a law: draws, keys, recognition, papers, pictures, errors of the simulation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from diagflow import simulate
from diagflow.drawing.contractions import contractions, matchings
from diagflow.drawing.draw import draw
from diagflow.report.problem import problem_section
from diagflow.simulation.ensemble import initial_tensors
from diagflow.simulation.gradient import LossGradient
from diagrams.errors import InvalidInputError
from diagrams.laws import evaluated
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import Monomial, expectation
from expansion.models import cp
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.recognition import recognised
from expansion.series import loss_series
from expansion.series_store import series_key

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

p, H = Axis("p"), Axis("H")

LAWS: dict[str, dict[str, object]] = {
    "gaussian": {"variance": "sigma2", "mean": "mu"},
    "rademacher": {"variance": "sigma2", "law": "rademacher"},
    "uniform": {"variance": "sigma2/2", "law": "uniform", "mean": "-mu"},
    "bernoulli": {"law": "bernoulli", "probability": "q"},
}


def _tied(**words: object) -> Problem:
    W = Tensor("W", (H, p), **words)  # type: ignore[arg-type]
    model = (Network.einsum("ki,kj->ij", W, W),)
    return Problem("tied", model, (Network.einsum("->ii"),), (p, p))


def _at(problem: Problem, **values: float) -> dict[str, float]:
    known = {"mu": 0.5, "q": 0.25, "sigma2": 0.09} | values
    return {name: known[name] for name in (*problem.growing, *problem.variance_symbols)}


@pytest.mark.parametrize("name", LAWS)
def test_draws_have_the_moments_of_the_law(name: str) -> None:
    problem = _tied(**LAWS[name])
    at = _at(problem, p=400, H=400)
    drawn = initial_tensors(LossGradient(problem, at), np.random.SeedSequence(1))["W"]
    law = problem.weights[0].entries
    for k in (1, 2, 3, 4):
        exact, spread = (
            float(sum(c * np.prod([at[n] ** e for n, e in m]) for m, c in law.moment(j).items()))
            for j in (k, 2 * k)
        )
        error = np.sqrt((spread - exact**2) / drawn.size)
        assert np.mean(drawn**k) == pytest.approx(exact, abs=5 * error + 1e-12)


def test_gaussian_draws_are_what_they_were() -> None:
    problem = cp(order=2, symmetric=True)
    at = {"p": 2, "H": 2, "sigma2": 4.0}
    drawn = initial_tensors(LossGradient(problem, at), np.random.SeedSequence(3))["U"]
    expected = np.random.default_rng(np.random.SeedSequence(3)).standard_normal((2, 2)) * 2
    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("name", ["rademacher", "uniform", "bernoulli"])
def test_runs_start_where_the_series_does(name: str) -> None:
    problem = _tied(**LAWS[name])
    at = _at(problem, p=3, H=2)
    exact = {key: Fraction(value).limit_denominator(1000) for key, value in at.items()}
    series = loss_series(problem)
    seen = simulate(problem, at=at, times=[0.0, 1e-3], runs=400, seed=1)
    for place, time in enumerate((0.0, 1e-3)):
        expected = sum(float(series[s].evaluate(**exact)) * time**s / max(1, s) for s in range(3))
        assert seen.mean[place] == pytest.approx(expected, abs=5 * seen.standard_error[place])


def test_runs_with_given_cumulants_or_impossible_numbers_are_refused() -> None:
    given = _tied(cumulants={2: "sigma2", 4: "k4"})
    at = {"p": 2, "H": 2, "sigma2": 1, "k4": -1}
    with pytest.raises(InvalidInputError, match="cannot be drawn from"):
        simulate(given, at=at, times=[0.0])
    masked = _tied(**LAWS["bernoulli"])
    with pytest.raises(InvalidInputError, match="not between 0 and 1"):
        simulate(masked, at={"p": 2, "H": 2, "q": 1.5}, times=[0.0])
    shifted = _tied(**LAWS["gaussian"])
    simulate(shifted, at={"p": 2, "H": 2, "sigma2": 1, "mu": -1}, times=[0.0])
    with pytest.raises(InvalidInputError, match="variance sigma2=-1"):
        simulate(shifted, at={"p": 2, "H": 2, "sigma2": -1, "mu": 1}, times=[0.0])


def test_a_law_changes_the_key_of_a_series() -> None:
    plain = _tied(variance="sigma2")
    keys = {series_key(_tied(**words), "train") for words in LAWS.values()}
    assert len(keys | {series_key(plain, "train")}) == 5
    same = _tied(variance="sigma2", mean=0)
    assert series_key(same, "train") == series_key(plain, "train")


def test_a_preset_with_another_law_is_not_the_preset() -> None:
    assert recognised(_tied(variance="sigma2")) is not None
    for words in LAWS.values():
        assert recognised(_tied(**words)) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (LAWS["rademacher"], "of two opposite values, of mean $0$ and variance"),
        (LAWS["uniform"], "uniform on an interval, of mean $-\\mu$ and variance"),
        (LAWS["bernoulli"], "one with probability $q$ and else zero"),
        ({"cumulants": {2: "sigma2", 4: "-k4"}}, "with the cumulants $"),
    ],
)
def test_a_paper_says_the_law(words: dict[str, object], text: str) -> None:
    assert text in problem_section(_tied(**words))


@pytest.mark.parametrize("words", [*LAWS.values(), {"cumulants": {2: "sigma2", 3: "k3"}}], ids=str)
def test_contractions_of_any_law_add_up_to_the_expectation(words: dict[str, object]) -> None:
    problem = _tied(**words)
    for total in (problem.overlap, problem.model_square):
        for diagram, _ in total:
            found = contractions(diagram)
            assert sum(c.count for c in found) == matchings(diagram)
            mean: dict[Monomial, Fraction] = {}
            for contraction in found:
                for powers, c in contraction.value:
                    mean[powers] = mean.get(powers, Fraction(0)) + c * contraction.count
            known = evaluated(expectation(diagram))
            assert {k: c for k, c in mean.items() if c} == {k: c for k, c in known.items() if c}


def test_signs_have_a_block_of_four(tmp_path: Path) -> None:
    """The circle of four edges has three matchings and a block of kappa_4 = -2 sigma^4."""
    signs = cp(order=2, symmetric=True).with_law("U", law="rademacher")
    ((circle, _),) = signs.model_square
    values = [dict(c.value) for c in contractions(circle)]
    assert len(values) == 4
    assert {(("H", 1), ("p", 1), ("sigma2", 2)): Fraction(-2)} in values
    draw(signs, "contractions", terms=0, output=tmp_path / "page.tex")
    assert "1\\times (-2" in (tmp_path / "page.tex").read_text(encoding="utf-8")


def test_contractions_sum_powers_of_indices() -> None:
    problem = read_problem_file(EXAMPLES / "spectrum.toml")
    ((overlap, _),) = problem.overlap
    (contraction,) = contractions(overlap)
    assert dict(contraction.value) == expectation(overlap)


def _read(line: str) -> Problem:
    text = f"""
[axes]
p = "growing"
two = 2
[tensors]
W = {{ kind = "weight", axes = ["two", "p"], {line} }}
[losses.train]
outputs = ["i", "j"]
model = "W[k,i] W[k,j]"
target = "zero"
"""
    return read_problem(TomlDocument.parse("x.toml", text))


@pytest.mark.parametrize(
    ("line", "law"),
    [
        ('variance = "sigma2/two", law = "rademacher"', "rademacher(sigma2/2)"),
        ('variance = 1, mean = "-mu"', "gaussian(1,mean=-mu)"),
        ("variance = 1, mean = 0", "1"),
        ('law = "bernoulli", probability = "1/2"', "bernoulli(1/2)"),
        ('cumulants = { 2 = "sigma2", 4 = "-2*k4/two" }', "cumulants(2=sigma2,4=-k4)"),
    ],
)
def test_files_say_laws(line: str, law: str) -> None:
    assert str(_read(line).weights[0].entries) == law


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('variance = 1, law = "normal"', "x.toml, line 6: law 'normal': is not known"),
        ('law = "bernoulli", probability = 2', "line 6: law bernoulli: the probability 2"),
        ('law = "bernoulli", probability = "1/p", mean = 1', "has a probability and neither"),
        ("variance = 1, mean = 0.5", "tensors.W.mean: is 0.5; expected a symbol"),
        ('cumulants = { x = "sigma2" }', "cumulant 'x': is no order"),
        ('cumulants = "sigma2"', "tensors.W.cumulants: is 'sigma2'"),
        ("variance = 1, exponent = 2", "only a tensor of kind power has an exponent"),
    ],
)
def test_errors_of_laws_in_files(line: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        _read(line)
    assert message in str(error.value)


def test_the_old_name_of_a_kind_is_understood() -> None:
    old, new = (Tensor("X", (p,), kind, "1") for kind in ("gaussian", "fixed"))  # type: ignore[arg-type]
    assert old == new == Tensor("X", (p,), Kind.GAUSSIAN, "1")
    assert replace(new, law="uniform") != new
