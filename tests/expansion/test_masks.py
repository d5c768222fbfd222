"""Masks: a loss on a random part of its entries, against the sum over all masks."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import exp
from pathlib import Path

import pytest

from diagflow import oracle, oracle_dynamics, oracle_laws
from diagflow.oracle import Moments, OracleLoss, Term
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.regimes import regimes
from expansion.series import loss_series
from pde.solving import solution

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _problem(name: str) -> Problem:
    return read_problem_file(EXAMPLES / f"{name}.toml")


def _at(value: Polynomial, **values: int | Fraction) -> Moments:
    found: Moments = {}
    for powers, c in value:
        for name, power in powers:
            c *= Fraction(values.get(name, 1)) ** power
        rest = tuple(pair for pair in powers if pair[0] not in values)
        found[rest] = found.get(rest, Fraction(0)) + c
    return {rest: c for rest, c in sorted(found.items()) if c}


def _over_all_masks(
    model: Term, target: Term, sizes: dict[str, int], q: Fraction, last: int, **losses: bool
) -> list[Moments]:
    """The mean over all masks of what the oracle says for each, a fixed table of zeros and ones."""
    p = sizes["i"]
    plus = {"plus": lambda a, b, c: int((a + b) % p == c)}
    identity = {"D": lambda i, j: int(i == j)}
    used = {name for term in (model, target) for name, _ in term.factors}
    structural = {name: f for name, f in (plus | identity).items() if name in used}
    whole = OracleLoss((model,), (target,))
    masked = tuple(Term(1, (("M", "ij"), *term.factors), term.output) for term in (model, target))
    total: list[Moments] = [{} for _ in range(last + 1)]
    for seen in product((0, 1), repeat=p * p):
        weight = q ** sum(seen) * (1 - q) ** (p * p - sum(seen))
        rows = oracle.loss_derivatives(
            [masked[0]],
            [masked[1]],
            sizes,
            last,
            structural=structural | {"M": lambda i, j, seen=seen: seen[p * i + j]},
            observable=whole if losses.get("population") else None,
        )
        for sum_of_rows, row in zip(total, rows, strict=True):
            for powers, c in row.items():
                sum_of_rows[powers] = sum_of_rows.get(powers, Fraction(0)) + weight * c
    return [{powers: c for powers, c in sorted(row.items()) if c} for row in total]


@pytest.mark.parametrize("population", [False, True])
@pytest.mark.parametrize("q", [Fraction(1, 3), Fraction(1)])
def test_a_masked_matrix_is_the_mean_over_all_masks(population: bool, q: Fraction) -> None:
    series = loss_series(
        _problem("masked_autoencoder"), loss="population" if population else "train"
    )
    expected = _over_all_masks(
        Term(1, (("W", "ki"), ("W", "kj")), "ij"),
        Term(1, (("D", "ij"),), "ij"),
        {"k": 1, "i": 2, "j": 2},
        q,
        2,
        population=population,
    )
    assert [_at(series[s], p=2, H=1, q=q) for s in range(3)] == expected


@pytest.mark.parametrize("population", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_masked_addition_is_the_mean_over_all_masks(population: bool) -> None:
    q = Fraction(1, 3)
    series = loss_series(
        _problem("masked_modular_addition"), loss="population" if population else "train"
    )
    expected = _over_all_masks(
        Term(1, (("A", "ki"), ("B", "kj"), ("C", "kl")), "ijl"),
        Term(1, (("plus", "ijl"),), "ijl"),
        {"k": 1, "i": 3, "j": 3, "l": 3},
        q,
        1,
        population=population,
    )
    assert [_at(series[s], p=3, H=1, q=q) for s in range(2)] == expected


def test_the_population_moves_first_as_fast_as_the_mask_is_dense() -> None:
    masked = loss_series(_problem("masked_autoencoder"), loss="population")
    whole = loss_series(cp(order=2, symmetric=True))
    assert masked[1] == whole[1] * Polynomial.parse("q")
    assert masked[0] == whole[0]


def test_a_mask_of_everything_is_none() -> None:
    masked, whole = loss_series(_problem("masked_autoencoder")), loss_series(cp(2, symmetric=True))
    for s in range(3):
        assert _at(masked[s], q=1) == _at(whole[s])


def test_a_mask_is_its_own_square() -> None:
    p = Axis("p")
    mask = Tensor("M", (p, p), Kind.FIXED, law="bernoulli", probability="q")
    weight = Tensor("M", (p, p), law="bernoulli", probability="q")
    assert len(Diagram((p, p), ((mask, (0, 1)),) * 3).factors) == 1
    assert len(Diagram((p, p), ((weight, (0, 1)),) * 3).factors) == 3


def test_steps_of_weights_of_zeros_and_ones_agree_with_the_oracle() -> None:
    """What stands for a weight in a step is no mask, although it is fixed meanwhile."""
    problem = cp(2, symmetric=True).with_law("U", law="bernoulli", variance="", probability="q")
    series = loss_series(problem.driven_by(step="eta"))
    eta = Fraction(1, 3)
    U = Term(1, (("U", "ki"), ("U", "kj")), "ij")
    loss = OracleLoss((U,), (Term(1, (), "ii"),))
    expected = oracle_dynamics.moved_moments(
        loss,
        oracle_dynamics.Dynamics(potential=((Fraction(1), loss),), step=eta),
        {"k": 1, "i": 2, "j": 2},
        1,
        laws={"U": oracle_laws.bernoulli((Fraction(1), (("q", 1),)))},
    )
    assert [_at(series[s], p=2, H=1, eta=eta) for s in range(2)] == expected


def test_no_regime_asks_a_probability_to_grow() -> None:
    found = regimes(_problem("masked_autoencoder"), terms=4)
    place = found.exponents.symbols.index("q")
    for regime in found:
        assert regime.scaling[place] <= 0
        assert "q -> oo" not in [str(condition) for condition in regime.conditions]
    on_slice = found.restricted("q ~ 1")
    assert len(on_slice.regimes) == 7


def test_few_rows_of_a_masked_matrix() -> None:
    """Six cores, of which the closed form of docs/reference/laws.md is the solution."""
    text = (EXAMPLES / "masked_autoencoder.toml").read_text(encoding="utf-8")
    quarter = text.replace('probability = "q"', 'probability = "1/4"')
    found = regimes(read_problem(TomlDocument.parse("masked.toml", quarter)), terms=3)
    (regime,) = (r for r in found if {str(c) for c in r.conditions} == {"p*sigma2 ~ 1", "H/p -> 0"})
    solved = solution(found, regime.name)
    assert solved.certificate.holds and str(solved.hierarchy) == "finite system, 6 cores"
    p, H, q, z = 512, 4, 0.25, 0.75
    curve = solved.at({"p": p, "H": H, "sigma2": z / p, "T": 1})
    for t in (0.0, 0.2, 0.7):
        a = exp(4 * t) / (1 / (q * z) + q * (exp(4 * t) - 1) + 4 * (1 - q) * t)
        b = a * (1 - q) / q * exp(-4 * t)
        expected = q * p / 2 + H * (q * (a + b) ** 2 / 2 - a)
        assert float(curve(t)) == pytest.approx(expected, rel=1e-9)
