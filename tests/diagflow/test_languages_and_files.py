"""Formulas in other languages, values that are drawn, written and pickled, the nearest regime."""

import csv
import io
import json
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy
from jsonschema import Draft202012Validator

from diagflow import cp, locate, loss_series, regimes, simulate, solve, two_layer
from diagflow.schemas import schema
from diagflow.show.languages import Language, formula_code, series_code
from diagflow.show.series_sum import summed
from diagrams.errors import InvalidInputError
from expansion.regimes import Regimes
from pde.solving import solution
from tests.command import Run

SYM = ("cp", "--order", "2", "--symmetric")


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=2, symmetric=True), terms=4)


def test_code_of_sympy_gives_the_series_and_the_formula_back(found: Regimes) -> None:
    series = loss_series(cp(order=2).driven_by("train + lambda*weight-norm"))
    space: dict[str, object] = {}
    exec(series_code(Language.SYMPY, [series[0], series[1]]), space)
    assert space["Y"] == [series[0].to_sympy(), series[1].to_sympy()]
    solved = solution(found, "A-B").formula
    assert solved is not None
    exec(formula_code(Language.SYMPY, solved), space)
    assert sympy.simplify(space["loss"] - solved) == 0  # type: ignore[operator]


def test_code_of_mathematica_is_read_back_by_sympy() -> None:
    from sympy.parsing.mathematica import parse_mathematica

    series = loss_series(cp(order=2))
    code = series_code(Language.MATHEMATICA, [series[1]])
    read = parse_mathematica(code.removeprefix("Y = {").rstrip().removesuffix("};"))
    plain = {s: sympy.Symbol(s.name) for s in series[1].to_sympy().free_symbols}
    assert sympy.expand(read - series[1].to_sympy().xreplace(plain)) == 0


def test_integrals_are_written_so_that_a_system_evaluates_them() -> None:
    x, theta = sympy.symbols("x theta", positive=True)
    average = sympy.Integral(1 / (1 + x * sympy.cos(theta) ** 2), (theta, 0, sympy.pi))
    space: dict[str, object] = {}
    exec(formula_code(Language.SYMPY, average), space)
    assert space["loss"] == average
    assert "Hold" not in formula_code(Language.MATHEMATICA, average)
    assert "integral(" in formula_code(Language.SAGE, average)
    with pytest.raises(InvalidInputError, match="format julia: the formula has an integral"):
        formula_code(Language.JULIA, average)


@pytest.mark.parametrize("language", Language)
def test_names_that_a_language_reserves_are_changed(language: Language) -> None:
    series = loss_series(cp(order=2, symmetric=True).driven_by("train + lambda*weight-norm"))
    code = series_code(language, [series[1]])
    assert ("lambda_" in code) == (language in (Language.SYMPY, Language.SAGE))


def test_the_sum_of_a_series_is_within_its_error_of_a_simulation() -> None:
    problem = cp(order=2)
    series = loss_series(problem)
    at = {"p": Fraction(12), "H": Fraction(8), "sigma2": Fraction(1, 24)}
    times = [0.1, 0.2]
    _, losses, errors = summed([series[s] for s in range(8)], at, times)
    runs = simulate(problem, at=at, times=times, runs=300, seed=5)
    for loss, error, mean, deviation in zip(
        losses, errors, runs.mean, runs.standard_error, strict=True
    ):
        assert 0 < error < 0.1
        assert abs(loss - mean) < error + 5 * deviation


def test_a_sum_needs_a_number_for_every_symbol_and_no_other() -> None:
    series = [loss_series(cp(order=2))[0]]
    with pytest.raises(InvalidInputError, match="none for sigma2"):
        summed(series, {"p": Fraction(1), "H": Fraction(1)}, [0.0])
    whole = {name: Fraction(1) for name in ("p", "H", "sigma2", "x")}
    with pytest.raises(InvalidInputError, match="x does not occur"):
        summed(series, whole, [0.0])


def test_a_sum_on_the_command_line_is_of_its_format(run: Run) -> None:
    at = ("--at", "p=30,H=20,sigma2=1/60,T=2", "--times", "0:1:3")
    code, out, _ = run("expand", *SYM, "--terms", "6", *at, "--format", "json")
    assert code == 0
    Draft202012Validator(schema("series-sum")).validate(json.loads(out))
    assert run("expand", *SYM, *at, "--format", "latex")[0] == 2


@pytest.mark.parametrize("name", ["A", "E", "B-E"])
def test_solutions_and_evolutions_are_pickled(found: Regimes, name: str) -> None:
    solved = solution(found, name)
    again = pickle.loads(pickle.dumps(solved))
    assert again.regime == name and again.certificate == solved.certificate
    evolution = solved.at({"p": 40, "H": 30, "sigma2": Fraction(1, 90), "T": 1})
    copy = pickle.loads(pickle.dumps(evolution))
    assert copy(0.1) == evolution(0.1)


def test_a_solution_without_a_formula_is_pickled() -> None:
    solved = solution(regimes(two_layer(), terms=4), "V1-V2")
    at = {"p": 40, "H": 30, "sigma2": Fraction(1, 90), "T": 1}
    assert pickle.loads(pickle.dumps(solved)).at(at)(1e-3) == solved.at(at)(1e-3)


def test_values_are_drawn_and_saved(found: Regimes, tmp_path: Path) -> None:
    at = {"p": 20, "H": 10, "sigma2": Fraction(1, 40)}
    values = (
        found,
        solve(found, "A-B-E", at=at),
        simulate(cp(order=2, symmetric=True), at=at, times=[0.0, 0.1, 0.2], runs=2, seed=1),
    )
    for number, value in enumerate(values):
        assert value.plot().axes
        for ending in ("svg", "csv"):
            file = tmp_path / f"{number}.{ending}"
            value.save(file)
            assert file.stat().st_size > 50
        with pytest.raises(InvalidInputError, match=r"is not one of svg, pdf, png, csv; rename"):
            value.save(tmp_path / "value.txt")
        with pytest.raises(InvalidInputError, match="is no path"):
            value.save(None)
    rows = list(csv.reader((tmp_path / "1.csv").open(encoding="utf-8")))
    t, loss = np.array(rows[1:], dtype=float).T
    assert loss == pytest.approx(values[1](t))


def test_regimes_are_written_as_a_table(run: Run) -> None:
    at = ("--at", "p=512,H=256,sigma2=2e-5")
    code, out, _ = run("regimes", *SYM, "--terms", "4", "--format", "csv", *at)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and [row["regime"] for row in rows][:2] == ["A", "B"]
    best = min(rows, key=lambda row: float(row["neglected"]))
    place = locate(cp(order=2, symmetric=True), p=512, H=256, sigma2=Fraction(1, 50000))
    assert best["regime"] == place.table[0].regime.name


def test_solve_finds_the_nearest_regime(run: Run, tmp_path: Path) -> None:
    figure = tmp_path / "loss.svg"
    code, out, err = run(
        *("solve", *SYM, "--terms", "5", "--regime", "auto", "--plot", str(figure)),
        *("--at", "p=512,H=10000000,sigma2=1/1000", "--times", "0:0.0001:3", "--format", "json"),
    )
    assert code == 0 and json.loads(out)["regime"] == "B"
    assert "nearest regime: B" in err
    assert figure.read_text(encoding="utf-8").startswith("<?xml")


def test_simulate_draws_its_curve(run: Run, tmp_path: Path) -> None:
    figure = tmp_path / "loss.png"
    at = ("--at", "p=8,H=4,sigma2=1/8", "--times", "0:0.1:3", "--runs", "2")
    assert run("simulate", *SYM, *at, "--plot", str(figure))[0] == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert run("simulate", *SYM, *at, "--plot", str(tmp_path / "loss.gif"))[0] == 2


def test_a_formula_in_another_language_needs_one(run: Run) -> None:
    at = ("--at", "p=100,H=100,sigma2=1e-6", "--times", "0:0.001:2", "--terms", "4")
    code, out, _ = run("solve", *SYM, "--regime", "E", *at, "--format", "mathematica")
    assert code == 0 and out.startswith("loss = ") and "Exp[" in out
    code, _, err = run("solve", "two-layer", "--regime", "V1-V2", *at, "--format", "sage")
    assert code == 2 and "no closed form" in err


@pytest.mark.parametrize("language", Language)
def test_a_formula_as_code_needs_no_numbers(run: Run, language: Language, tmp_path: Path) -> None:
    words = ("solve", *SYM, "--terms", "4", "--format", language.value)
    done = run(*words, "--regime", "A-B")
    with_numbers = run(*words, "--regime", "A-B", "--at", "p=9,H=9,sigma2=1", "--quiet")
    assert done == (0, with_numbers.out, "") and "loss" in done.out
    message = "diagflow: error: solve: --at is missing; name a regime and give numbers, or ask with"
    for more in (
        ("--regime", "auto"),
        ("--regime", "B", "--band"),
        ("--regime", "B", "--plot", str(tmp_path / "b.svg")),
    ):
        code, out, err = run(*words, *more)
        assert (code, out) == (2, "") and err.startswith(message)


def test_means_after_steps_are_no_series_in_time(run: Run) -> None:
    """E[L_0] and E[L_1] at numbers as they are, not Y_0 + t Y_1."""
    arguments = (
        "expand",
        "cp",
        "--order",
        "2",
        "--symmetric",
        "--steps",
        "1",
        "--step-size",
        "eta",
    )
    done = run(*arguments, "--at", "p=4,H=4,sigma2=1/8,eta=1/100", "--format", "json")
    record = json.loads(done.out)
    assert record["t"] == [0, 1]
    assert record["coefficients"] == ["9/8", "11176678697/10240000000"]
    assert record["loss"] == [1.125, 11176678697 / 10240000000]
    assert record["error"] == [0, 0]
