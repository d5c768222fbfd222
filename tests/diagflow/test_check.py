"""The checks pass where all is well, fail where something is broken on purpose, and say what."""

import json
import time
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from diagflow import oracle
from diagflow.checking import (
    CheckReport,
    Finding,
    Verdict,
    check_problems,
    default_problems,
    machine,
    simulated,
)
from diagflow.checking import exact as exact_checks
from diagflow.checking import show as show_check
from diagflow.checking.exact import check_certificates, check_counters, check_oracle, check_wishart
from diagflow.checking.simulated import check_simulation
from diagflow.checking.translation import OracleProblem, at_numbers
from diagflow.comparison.finite_size import FiniteSizeCorrection
from diagflow.schemas import schema
from diagflow.time_limit import TimeLimit
from diagflow.wording import as_options
from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.generator import Generator
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import Regime, Regimes, regimes
from expansion.series import Budget, LossSeries
from pde.curve import Domain
from pde.evolution import Solution
from pde.solving import solution
from tests.command import ROOT, Run

SYM = cp(order=2, symmetric=True)
ARGUMENTS = ("check", "cp", "--order", "2", "--symmetric", "--quick")


def verdicts(record: Any) -> dict[str, str]:
    """Verdicts by check, those of the problem in place of those of none."""
    checks = record["checks"]
    return {c["check"]: c["verdict"] for c in sorted(checks, key=lambda c: c["problem"] or "")}


# --- all is well ----------------------------------------------------------------------------------

PROBLEMS = {
    "asymmetric": cp(order=3),
    "order 4": cp(order=4, symmetric=True),
    "zero": cp(order=2, target="zero"),
    "modular addition": cp(order=3, symmetric=True, target="modular-addition"),
    "spiked": cp(order=2, target="spiked"),
    "a number, a symbol and a teacher": cp(order=2, target="1/2 identity - beta*teacher"),
    "data": autoencoder(data=True),
    "tied, data": tied_autoencoder(data=True),
    "three layers": deep_linear(3),
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_presets_agree_with_oracle_and_counters(problem: Problem) -> None:
    found = check_oracle(problem, monomials=20_000)
    assert found.verdict is Verdict.PASSED, found
    found = check_counters(problem, terms=1)
    assert found.verdict is Verdict.PASSED, found


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda p: p.stem)
def test_files_agree_with_oracle_and_counters_or_say_why_not(path: Path) -> None:
    problem = read_problem_file(path)
    for found in (check_oracle(problem, monomials=5_000), check_counters(problem, terms=1)):
        averaged = any(loss.averaged_over for loss in (problem, *problem.observed))
        stepwise = problem.drive.is_rewriting and found.check == "counters"
        unknown = stepwise or (averaged and found.check == "oracle")
        assert found.verdict is (Verdict.SKIPPED if unknown else Verdict.PASSED), found


def test_the_table_of_a_problem_is_the_same_for_the_same_seed(run: Run) -> None:
    status, out, err = run(*ARGUMENTS, "--format", "json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    Draft202012Validator(schema("check")).validate(record)
    assert record["verdict"] == "passed"
    assert set(verdicts(record)) == {*exact_names(), "simulation", "versions"}
    assert run(*ARGUMENTS, "--format", "json", "--seed", "0").out == out


def test_another_seed_draws_other_runs() -> None:
    found = regimes(SYM, terms=5)
    findings = {check_simulation(found, runs=6, seed=seed, at_most=2) for seed in (0, 1, 2, 2)}
    assert len(findings) == 3
    assert {finding.verdict for finding in findings} == {Verdict.PASSED}


def test_what_cannot_be_evaluated_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = simulated.deviation

    def refusing(found: Any, regime: Any, *rest: Any, **options: Any) -> float | None:
        if regime.name == "B":
            raise InvalidInputError("regime B: does not converge; choose another")
        return right(found, regime, *rest, **options)

    monkeypatch.setattr(simulated, "deviation", refusing)
    found = check_simulation(regimes(SYM, terms=5), runs=6, seed=0, at_most=2)
    assert found.verdict is Verdict.PASSED
    assert found.detail.startswith("2 regimes, 6 runs each: at most ")
    assert found.detail.endswith("; left out: B (regime B: does not converge; choose another)")


def exact_names() -> tuple[str, ...]:
    return "oracle", "counters", "certificates"


@pytest.mark.slow
def test_without_a_problem_three_are_checked(run: Run) -> None:
    status, out, err = run("check")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("diagflow ")
    assert lines[-1] == "Verdict: passed (14 passed, 0 failed, 0 skipped)"
    for problem in default_problems():
        assert sum(f"{problem.title}: " in line for line in lines) == 4
    assert "\x1b" not in out


def test_plain_lines_when_piped(run: Run) -> None:
    status, out, _ = run(*ARGUMENTS)
    assert status == 0
    lines = out.splitlines()
    assert len(lines) == 8
    assert all(line.startswith("passed   ") for line in lines[1:-1])
    assert "\x1b" not in out


def test_a_table_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    status, out, _ = run(*ARGUMENTS)
    assert status == 0
    assert "what was compared" in out
    assert "\x1b" in out
    assert len(out.splitlines()) < 50


# --- something is broken --------------------------------------------------------------------------


def failed(run: Run, *named: str) -> dict[str, str]:
    """The verdicts of a run that fails, in which the errors name some checks."""
    status, out, err = run(*ARGUMENTS, "--format", "json")
    assert status == 1
    record = json.loads(out)
    Draft202012Validator(schema("check")).validate(record)
    found = verdicts(record)
    assert record["verdict"] == "failed"
    assert [name for name, verdict in found.items() if verdict == "failed"] == list(named)
    assert err.count("\n") == 1
    for name in named:
        assert f"{name} of {SYM.title}" in err
    return {c["check"]: c["detail"] for c in record["checks"] if c["verdict"] == "failed"}


def test_a_wrong_coefficient(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LossSeries.__getitem__

    def wrong(series: LossSeries, s: int) -> Polynomial:
        found = right(series, s)
        return found + Polynomial.parse("p*H*sigma2") if s == 1 else found

    monkeypatch.setattr(LossSeries, "__getitem__", wrong)
    details = failed(run, "counters", "oracle")
    assert details["oracle"].startswith("differs: Y_1 of train at p = 1, H = 1, Y_1 of train at p")
    assert details["counters"] == "differs: Y_1"


def test_a_wrong_leading_coefficient(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from pde import solving

    right = solving.leading_coefficients

    def wrong(leading: Any, left_out: Any = ()) -> tuple[Polynomial, ...]:
        first, *others = right(leading, left_out)
        return (first, *(2 * other for other in others[:1]), *others[1:])

    monkeypatch.setattr(solving, "leading_coefficients", wrong)
    status, out, err = run(*ARGUMENTS, "--format", "json")
    assert status == 1
    details = {c["check"]: c["detail"] for c in json.loads(out)["checks"]}
    assert details["certificates"].startswith("differs: regime A at s = 1, regime B at s = 1")
    assert f"certificates of {SYM.title}" in err


@pytest.mark.parametrize("factor", [0.9, 1.1, np.nan])
def test_a_wrong_solution(run: Run, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    from pde.evolution import LossEvolution

    right = LossEvolution.__call__

    def wrong(evolution: LossEvolution, times: Any) -> Any:
        return right(evolution, times) * (1 + (factor - 1) * np.minimum(np.abs(times) * 20, 1))

    monkeypatch.setattr(simulated, "_ENTRIES", 20_000)
    monkeypatch.setattr(LossEvolution, "__call__", wrong)
    details = failed(run, "simulation")
    assert details["simulation"].startswith("differs: regime A by ")
    assert ("regime A by inf" in details["simulation"]) == np.isnan(factor)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_wrong_simulator(run: Run, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    from diagflow.simulation import ensemble

    right = ensemble.initial_tensors

    def wrong(flow: Any, seed: Any) -> dict[str, Any]:
        return {name: factor * value for name, value in right(flow, seed).items()}

    monkeypatch.setattr(ensemble, "initial_tensors", wrong)
    details = failed(run, "simulation")
    assert details["simulation"].endswith("standard errors")


def test_runs_that_blow_up_are_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    right = simulated.simulate

    def wrong(*given: Any, **options: Any) -> Any:
        ensemble = right(*given, **options)
        ensemble.loss[0, -1] = np.inf
        return ensemble

    monkeypatch.setattr(simulated, "simulate", wrong)
    found = check_simulation(regimes(SYM, terms=4), runs=4, seed=0, at_most=1)
    assert found.verdict is Verdict.FAILED
    assert found.detail == "differs: regime A by inf standard errors"


def test_a_wrong_contraction(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_wishart().verdict is Verdict.PASSED
    right = exact_checks.expectation
    monkeypatch.setattr(
        exact_checks,
        "expectation",
        lambda d: {m: c + (len(d.factors) == 6) for m, c in right(d).items()},
    )
    found = check_wishart()
    assert found.verdict is Verdict.FAILED
    assert found.detail == "differs: Tr (W W^T)^3"


def test_a_wrong_merger(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Generator.applied
    monkeypatch.setattr(Generator, "applied", lambda self, total: right(self, total) * 2)
    assert check_counters(SYM, terms=1).detail == "differs: Y_1"


def test_an_old_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"numpy": "2.3.9", "sympy": "1.14", "rich": "15.0.0rc1"}
    monkeypatch.setattr(
        machine, "requires", lambda _: ["numpy>=2.4", "sympy>=1.14.0", "rich>=15.0", "x>=1; extra"]
    )
    monkeypatch.setattr(machine, "version", versions.__getitem__)
    found = machine.check_versions()
    assert found.verdict is Verdict.FAILED
    assert found.detail == "numpy is 2.3.9, 2.4 or newer is needed"

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", missing)
    assert machine.check_versions().detail.startswith("numpy is missing, 2.4 or newer is needed")
    monkeypatch.setattr(machine, "requires", missing)
    assert machine.check_versions().verdict is Verdict.SKIPPED


# --- skipped, interrupted, refused ----------------------------------------------------------------


def test_what_cannot_be_done_is_skipped_with_the_reason(tmp_path: Path) -> None:
    found = check_oracle(two_layer(degree=2))
    assert found.verdict is Verdict.SKIPPED
    assert "average over inputs" in found.detail
    found = check_oracle(SYM, monomials=1)
    assert (found.verdict, found.detail) == (
        Verdict.SKIPPED,
        "no coefficient is small enough for the oracle",
    )
    path = tmp_path / "pinned.toml"
    text = (ROOT / "examples" / "teacher_student.toml").read_text(encoding="utf-8")
    assert 'H = "growing"' in text
    path.write_text(text.replace('H = "growing"', "H = 2"), encoding="utf-8")
    found = check_counters(read_problem_file(path))
    assert found.verdict is Verdict.SKIPPED
    assert found.detail == "axis H has a fixed size, so that not all sizes can be 1"


def test_counters_go_as_far_as_diagrams_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of SYM has the diagrams of ½|U^T U|², |U|² and ½p, with 3, 1 and 1 matchings."""
    monkeypatch.setattr(exact_checks, "_DIAGRAMS", 3)
    found = check_counters(SYM)
    assert (found.verdict, found.detail) == (
        Verdict.PASSED,
        "Y_0 at sizes and variances 1: 3 diagrams, 5 matchings",
    )
    monkeypatch.setattr(exact_checks, "_DIAGRAMS", 2)
    found = check_counters(SYM)
    assert (found.verdict, found.detail) == (Verdict.SKIPPED, "the loss has too many diagrams")


def test_counters_that_exceed_the_budget_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_checks, "BUDGET", Budget(diagrams=1))
    with pytest.raises(BudgetExceededError) as error:
        _ = LossSeries(SYM, budget=Budget(diagrams=1))[0]
    found = check_counters(SYM)
    assert (found.verdict, found.detail) == (Verdict.SKIPPED, as_options(error.value))


def test_a_solution_that_was_compared_with_nothing_counts_as_unsolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = regimes(SYM, terms=4)

    def uncompared(given: Any, name: str) -> Solution:
        solved = solution(given, name)
        return solved.certified(()) if name in bare else solved

    monkeypatch.setattr(exact_checks, "solution", uncompared)
    bare = {"B", "A-B"}
    told = check_certificates(found)
    assert (told.verdict, told.detail) == (
        Verdict.PASSED,
        "5 of 7 regimes up to Y_4; not solved: B, A-B",
    )
    bare = {regime.name for regime in found}
    told = check_certificates(found)
    assert (told.verdict, told.detail) == (Verdict.SKIPPED, "no regime is solved")


@pytest.mark.parametrize(("again", "verdict"), [(1.0, Verdict.PASSED), (6.0, Verdict.FAILED)])
def test_a_deviation_has_to_be_seen_again_in_more_runs(
    monkeypatch: pytest.MonkeyPatch, again: float, verdict: Verdict
) -> None:
    asked: list[tuple[int, int]] = []

    def seen(*_: Any, runs: int, seed: int, **__: Any) -> float:
        asked.append((runs, seed))
        return 5.1 if runs == 6 else again

    monkeypatch.setattr(simulated, "deviation", seen)
    found = check_simulation(regimes(SYM, terms=4), runs=6, seed=3, at_most=1)
    assert asked == [(6, 3), (24, 4)]
    assert found.verdict is verdict


def test_simulations_are_of_solved_regimes_with_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the eleven regimes of ASYM two are resummed; those without numbers do not count."""
    found = regimes(cp(order=2), terms=4)
    asked: list[str] = []
    sizes = {"A": None, "B": 0.5, "C": 2.0}

    def given(_: object, regime: Regime, *rest: object, **options: object) -> float | None:
        return sizes.get(regime.name, 1.0)

    monkeypatch.setattr(simulated, "deviation", given)
    told = check_simulation(found, runs=3, seed=0, progress=asked.append)
    assert asked == ["A", "B", "C", "D", "E", "E-A", "B-C", "C-D", "D-E"]
    assert told.verdict is Verdict.PASSED
    assert told.detail == "8 regimes, 3 runs each: at most 2.0 standard errors (C), 5 allowed"
    sizes |= dict.fromkeys(asked)
    told = check_simulation(found, runs=3, seed=0)
    assert (told.verdict, told.detail) == (
        Verdict.SKIPPED,
        "no regime has a solution and numbers that can be simulated quickly",
    )


def test_where_nothing_can_be_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """No problem, no time at which the correction is known, or no value of it there."""
    found = regimes(SYM, terms=4)
    regime = found["A-B-E"]
    solved = solution(found, "A-B-E")

    def refuse(*_: object, **options: object) -> None:
        raise AssertionError("it is not simulated")

    monkeypatch.setattr(simulated, "simulate", refuse)
    given = regimes(found.exponents.coefficients)
    assert simulated.deviation(given, next(iter(given)), solved, runs=2, seed=0) is None

    few = FiniteSizeCorrection.of([Fraction(1, 2), Fraction(3)])
    assert (few.domain.start, few.domain.stop) == (0, 0)
    monkeypatch.setattr(simulated, "finite_size_correction", lambda *_, **__: few)
    assert simulated.deviation(found, regime, solved, runs=2, seed=0) is None
    wide = replace(few, domain=Domain(-1.0, 1.0))
    assert np.isnan(wide([0.5])).all()
    monkeypatch.setattr(simulated, "finite_size_correction", lambda *_, **__: wide)
    assert simulated.deviation(found, regime, solved, runs=2, seed=0) is None


def test_without_a_problem_the_default_ones_are_taken(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[object, bool, int]] = []

    def check(problems: object, *, quick: bool, seed: int, **_: object) -> list[Finding]:
        taken.append((problems, quick, seed))
        return [Finding(None, "counters", Verdict.PASSED, "all is well")]

    monkeypatch.setattr("diagflow.checking.check_problems", check)
    status, out, err = run("check", "--quick", "--seed", "5")
    assert (status, err) == (0, "")
    assert taken == [(default_problems(), True, 5)]
    assert out.splitlines()[-1] == "Verdict: passed (1 passed, 0 failed, 0 skipped)"


def test_too_few_coefficients_for_regimes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(problem: Problem) -> None:
        raise InvalidInputError("regimes: too few; give more")

    monkeypatch.setattr("diagflow.checking.run.regimes", refusing)
    found = list(check_problems([SYM], quick=True))
    assert [f.check for f in found if f.verdict is Verdict.SKIPPED] == [
        "certificates",
        "simulation",
    ]
    assert found[-1].detail == "regimes: too few; give more"


def test_regimes_of_given_coefficients_have_nothing_to_check() -> None:
    found = regimes(regimes(SYM, terms=4).exponents.coefficients)
    assert check_certificates(found).verdict is Verdict.SKIPPED
    assert check_simulation(found, runs=2, seed=0).verdict is Verdict.SKIPPED


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_interrupt_keeps_what_was_found(
    run: Run, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    def interrupted(found: object, **_: object) -> Finding:
        raise KeyboardInterrupt

    monkeypatch.setattr("diagflow.checking.run.check_certificates", interrupted)
    status, out, err = run(*ARGUMENTS, "--format", form)
    assert status == 130
    assert err == "diagflow: interrupted: 4 checks were finished\n"
    if form == "json":
        record = json.loads(out)
        Draft202012Validator(schema("check")).validate(record)
        assert (record["complete"], len(record["checks"])) == (False, 4)
    else:
        assert out.count("passed   ") == 4
        assert out.splitlines()[-1].endswith("; interrupted, the finished checks are printed")


def test_an_interrupt_within_a_simulation_ends_the_check(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = simulated.simulate
    calls: list[int] = []

    def interrupted(*given: Any, **options: Any) -> Any:
        calls.append(1)
        return replace(right(*given, **options), interrupted=True)

    monkeypatch.setattr(simulated, "simulate", interrupted)
    status, out, err = run(*ARGUMENTS)
    assert (status, len(calls)) == (130, 1)
    assert "simulation" not in out
    assert err == "diagflow: interrupted: 5 checks were finished\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--order", "3"), "check: --order describes a problem, and none is named"),
        (("cp", "--order", "1"), "order 1: a CP model needs at least two modes"),
        (("nothing",), "problem 'nothing': is not a known preset"),
        (("cp", "--seed", "-1"), "--seed -1: is negative"),
    ],
)
def test_bad_input(run: Run, arguments: tuple[str, ...], part: str) -> None:
    status, _, err = run("check", *arguments)
    assert status == 2
    assert err.startswith(f"diagflow: error: {part}")
    assert err.count("\n") == 1


# --- the parts ------------------------------------------------------------------------------------


def test_what_is_told_to_the_oracle_is_the_problem() -> None:
    """A model that is written by hand for the oracle, and the same from its problem."""
    values = {"p": Fraction(2), "H": Fraction(1), "N": Fraction(3)}
    told = OracleProblem(tied_autoencoder(data=True), values)
    W, X = ("W", "ki"), ("X", "jn")
    expected = oracle.loss_derivatives(
        [oracle.Term(1, (W, ("W", "kj"), X), "in")],
        [oracle.Term(1, (("X", "in"),), "in")],
        {"i": 2, "j": 2, "k": 1, "n": 3},
        1,
        {"X": oracle.UNIT_VARIANCE},
        frozen={"X"},
        prefactor=Fraction(1, 6),
    )
    assert told.coefficients("train", 1) == expected
    assert told.reach("train", monomials=1) == -1


def test_a_loss_with_more_indices_than_letters() -> None:
    """53 of them, one after the other; 52 can be told."""

    def chain(length: int) -> Problem:
        W = Tensor("W", (p, p), variance="sigma2")
        names = [f"i{number}" for number in range(length)]
        network = Network(tuple((W, pair) for pair in pairwise(names)), (names[0], names[-1]))
        return Problem(family="chain", model=(network,), target=(), output_axes=(p, p))

    p = Axis("p")
    values = {"p": Fraction(1)}
    told = OracleProblem(chain(52), values).coefficients("train", 0)
    assert told == [{(("sigma2", 51),): Fraction(prod(range(1, 102, 2)), 2)}]
    with pytest.raises(InvalidInputError) as error:
        OracleProblem(chain(53), values).coefficients("train", 0)
    assert str(error.value) == (
        "loss of chain: has more than 52 indices, for which the oracle has no letters; "
        "check a problem with fewer"
    )


def test_numbers_leave_the_other_symbols() -> None:
    polynomial = Polynomial.parse("p*N*sigma2 - 4*p*sigma2 + H")
    assert at_numbers(polynomial, {"p": Fraction(1), "N": Fraction(4)}) == {
        (("H", 1),): Fraction(1)
    }


def test_verdicts_of_reports() -> None:
    def report(*found: Verdict) -> CheckReport:
        findings = tuple(Finding(None, "oracle", verdict, "x") for verdict in found)
        return CheckReport(("cp",), 0, False, findings, (("python", "3"),))

    assert report().verdict is Verdict.SKIPPED
    assert report(Verdict.SKIPPED, Verdict.PASSED).verdict is Verdict.PASSED
    assert report(Verdict.PASSED, Verdict.FAILED).verdict is Verdict.FAILED
    assert show_check.closing(report(Verdict.PASSED)) == (
        "Verdict: passed (1 passed, 0 failed, 0 skipped)"
    )


# --- limits ---------------------------------------------------------------------------------------


def test_a_regime_that_does_not_end_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = simulated.deviation

    def slow(found: Any, regime: Any, *rest: Any, **options: Any) -> float | None:
        if regime.name == "A":
            time.sleep(600)
        return right(found, regime, *rest, **options)

    monkeypatch.setattr(simulated, "deviation", slow)
    found = check_simulation(regimes(SYM, terms=5), runs=6, seed=0, at_most=1, seconds=2)
    assert found.verdict is Verdict.PASSED
    reason = "budget: regime A needs more than 2 seconds; raise --simulation-seconds"
    assert f"left out: A ({reason})" in found.detail


def test_the_time_of_all_simulations_is_told_from_that_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulated, "deviation", lambda *_, **__: time.sleep(600))
    found = check_simulation(
        regimes(SYM, terms=5),
        runs=6,
        seed=0,
        seconds=60,
        whole=TimeLimit.begun(1, "the simulations"),
    )
    reason = "budget: the simulations need more than 1 seconds; raise --max-seconds"
    assert f"left out: A ({reason})" in found.detail


@pytest.mark.parametrize(("each", "together"), [("30", 30.0), ("100", None)])
def test_a_longer_time_for_one_simulation_lifts_the_limit_on_all(
    run: Run, monkeypatch: pytest.MonkeyPatch, each: str, together: float | None
) -> None:
    seen = []

    def instead(found: Any, *, whole: TimeLimit, seconds: float, **_: Any) -> Finding:
        seen.append((seconds, whole.seconds))
        return Finding("x", "simulation", Verdict.PASSED, "seen")

    monkeypatch.setattr("diagflow.checking.run.check_simulation", instead)
    assert run(*ARGUMENTS, "--simulation-seconds", each).code == 0
    assert seen == [(float(each), together)]


def test_a_counted_budget_is_told_from_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = regimes(SYM, terms=4)
    real = exact_checks.solution

    def solve(found: Any, name: str) -> Any:
        if name == "A":
            raise BudgetExceededError("budget: more than 5 diagrams; raise it")
        if name == "E":
            time.sleep(600)
        return real(found, name)

    monkeypatch.setattr(exact_checks, "solution", solve)
    finding = check_certificates(found, limit=TimeLimit.begun(4, "the certificates"))
    assert "left out, as their budget of diagrams was used up: A" in finding.detail
    assert "left out, as the time of 4 seconds was over: " in finding.detail
    counted = check_certificates(_only(found, "A"), limit=None)
    assert counted.detail == (
        "no regime is solved; left out, as their budget of diagrams was used up: A"
    )


def _only(found: Regimes, name: str) -> Regimes:
    return replace(found, regimes=(found[name],))


@pytest.mark.parametrize("slow", ["check_oracle", "regimes", "check_certificates"])
def test_what_is_not_finished_in_time_is_skipped(
    run: Run, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    monkeypatch.setattr(f"diagflow.checking.run.{slow}", lambda *_, **__: time.sleep(600))
    status, out, err = run(*ARGUMENTS, "--max-seconds", "2", "--format", "json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    Draft202012Validator(schema("check")).validate(record)
    reasons = {c["check"]: c["detail"] for c in record["checks"] if c["verdict"] == "skipped"}
    assert {"certificates", "simulation"} <= set(reasons)
    assert set(reasons.values()) == {"not finished within 2 seconds; raise --max-seconds"}


def test_simulations_can_be_left_out_and_shared(run: Run) -> None:
    record = json.loads(run(*ARGUMENTS, "--no-simulations", "--format", "json").out)
    assert verdicts(record)["simulation"] == "skipped"
    found = regimes(SYM, terms=5)
    one, two = (check_simulation(found, runs=6, seed=0, at_most=1, jobs=jobs) for jobs in (1, 2))
    assert one == two
