"""The command solve: its record, its forms, its refusals, warnings and exit statuses."""

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import pde.solving
from diagflow.show import solution as show_solution
from expansion.models import cp
from expansion.regimes import Regimes
from pde.evolution import Certificate, Solution
from pde.solving import solve
from tests.command import Result, Run

SYM = ("cp", "--order", "2", "--symmetric", "--terms", "5")
TRIANGLE = (*SYM, "--regime", "A-B-E", "--at", "p=64,H=32,sigma2=1/64")
ASCENT = ("cp", "--order", "4", "--symmetric", "--terms", "3", "--regime", "A-B-E")


@pytest.fixture
def run(run: Run, folder: Path) -> Run:
    """Run the command solve, which leaves no file."""

    def call(*arguments: str) -> Result:
        done = run("solve", *arguments)
        assert not list(folder.iterdir())
        return done

    return call


def test_the_record_of_the_contract(run: Run) -> None:
    done = run(*TRIANGLE, "--times", "0:2:5", "--format", "json")
    assert done.code == 0
    assert done.err.startswith("diagflow: note: how much regime A-B-E neglects")
    record = json.loads(done.out)
    at = {"p": 64, "H": 32, "sigma2": 1 / 64}
    expected = solve(cp(order=2, symmetric=True), "A-B-E", at=at, terms=5)
    assert record["regime"] == "A-B-E"
    assert record["parameters"] == {"p": "64", "H": "32", "sigma2": "1/64", "T": "1"}
    assert record["t"] == [0, 0.5, 1, 1.5, 2]
    assert record["loss"] == [float(x) for x in expected(record["t"])]
    assert record["certificate"]["matched"] == [0, 1, 2, 3, 4, 5]
    assert record["method"] == "closed-form"
    assert record["error_estimate"] is None
    assert r"\sigma" in record["formula"] and "sigma_" not in record["formula"]
    assert record["valid"]["stop"] is None and record["valid"]["start"] < 0
    assert run(*TRIANGLE, "--times", "0:2:5", "--format", "json").out == done.out


def test_other_forms(run: Run) -> None:
    rows = list(csv.reader(io.StringIO(run(*TRIANGLE, "--times", "0:1:3", "--format", "csv").out)))
    assert rows[0] == ["t", "loss"] and len(rows) == 4
    assert float(rows[1][1]) == pytest.approx(float(solve_at_start()), rel=1e-12)
    text = run(*TRIANGLE, "--times", "0:1:3").out
    for words in ("closed-form", "s = 0 ... 5", "Hadamard product", "Characteristics", "E[L(t)] ~"):
        assert words in text
    latex = run(*TRIANGLE, "--times", "0:1:3", "--format", "latex").out
    assert latex.count(r"\[") == latex.count(r"\]") >= 6
    assert latex.count("{") == latex.count("}")


def solve_at_start() -> float:
    """½ p - pHσ² + ½ pHσ⁴(p + H), the leading part of Y_0."""
    p, H, sigma2 = 64, 32, 1 / 64
    return p / 2 - p * H * sigma2 + p * H * sigma2**2 * (p + H) / 2


def test_the_list_of_all_regimes(run: Run) -> None:
    done = run(*SYM, "--list", "--format", "json")
    records = json.loads(done.out)["solutions"]
    assert [r["regime"] for r in records] == ["A", "B", "E", "A-B", "E-A", "B-E", "A-B-E"]
    for record in records:
        assert record["method"] == "closed-form"
        assert record["certificate"]["matched"] == [0, 1, 2, 3, 4, 5]


def test_negative_times_are_ascent(run: Run) -> None:
    at = "p=100,H=10,sigma2=1/1000000"
    done = run(*ASCENT, "--at", at, "--times", "-2:0:5", "--format", "json")
    record = json.loads(done.out)
    assert record["t"] == [-2, -1.5, -1, -0.5, 0]
    assert record["method"] == "moments"
    assert record["loss"][0] > record["loss"][-1]


def test_descent_is_refused_where_the_series_diverges(run: Run) -> None:
    done = run(*ASCENT, "--at", "p=100,H=10,sigma2=1/1000000", "--times", "0:1:5")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "the formal series diverges" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SYM, "--regime", "C", "--at", "p=1,H=1,sigma2=1"), "A, B, E, A-B, E-A, B-E, A-B-E"),
        ((*SYM, "--at", "p=1,H=1,sigma2=1"), "--regime is missing"),
        ((*SYM, "--regime", "A"), "--at is missing"),
        (
            (*SYM, "--regime", "A", "--at", "p=1,H=1"),
            "no value for sigma2; give one for each of p, H, sigma2 (T is 1 unless given)",
        ),
        ((*SYM, "--regime", "A", "--at", "p=1,H=1,sigma2=-1"), "must be a positive number"),
        ((*SYM, "--regime", "A", "--at", "p=1,H=1,sigma2=1,q=1"), "'q'"),
        ((*SYM, "--regime", "A", "--at", "p=one,H=1,sigma2=1"), "p"),
        ((*TRIANGLE, "--times", "0:1"), "START:STOP:COUNT"),
        ((*TRIANGLE, "--times", "-50:0:3"), "blown up"),
        (
            (*TRIANGLE, "--times", "0:1:1"),
            "--times 0:1:1: one time cannot be at two places; give START = STOP or a larger count",
        ),
        ((*TRIANGLE, "--max-seconds", "0"), "budget of 0.0 seconds: must be positive"),
    ],
)
def test_refusals_are_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_numbers_outside_the_regime_are_told_with_how_much_is_neglected(run: Run) -> None:
    inside = run(*SYM, "--regime", "E-A", "--at", "p=1000,H=1,sigma2=1/1000", "--times", "0:1:2")
    assert (inside.code, inside.err) == (0, "")
    at = "p=1000,H=1000,sigma2=1/1000"
    outside = run(*SYM, "--regime", "E-A", "--at", at, "--times", "0:1:2")
    assert outside.code == 0
    # 1/2 (p H^2 + p H) sigma^4 over 1/2 p - p H sigma^2 + 1/2 p^2 H sigma^4, without 1/2 p
    assert "warning: at these numbers regime E-A neglects about 100% of the loss" in outside.err


@pytest.mark.parametrize(
    ("times", "share"),
    [
        ("0:1:11", "about 11% of the loss (largest at t = 0; not known from t = "),
        ("0.001:0.002:2", ""),
    ],
)
def test_the_neglected_share_is_that_of_the_loss_at_the_times_asked_for(
    run: Run, times: str, share: str
) -> None:
    """3920.5 instead of 3520.5 at t = 0, one or two percent later; terms of Y_8 are 44 times as
    large."""
    done = run(*TRIANGLE[:-2], "--at", "p=1,H=8,sigma2=10", "--times", times)
    assert done.code == 0
    assert share in done.err
    assert bool(done.err) == bool(share)


def test_from_where_on_the_neglected_share_is_not_known(run: Run) -> None:
    """13.5 where simulations have 15.6: a share that is not known, or with more terms a third."""
    small = ("--regime", "E", "--at", "p=40,H=40,sigma2=1e-5", "--times")
    for terms, times, said in (
        ("5", "0:0.25:2", None),
        ("5", "0:1.5:4", "note: how much regime E neglects at these numbers is not known from t ="),
        ("6", "0:1.5:4", "warning: at these numbers regime E neglects about 32% of the loss"),
    ):
        done = run(*SYM[:-1], terms, *small, times)
        assert done.code == 0
        assert done.err.count("\n") == (said is not None)
        assert said is None or said in done.err


def test_times_run_forwards(run: Run) -> None:
    done = run(*TRIANGLE, "--times", "1:0:2")
    assert (done.code, done.out) == (2, "")
    assert "runs backwards; the times have to increase, write 0:1:2" in done.err


def test_a_solution_that_fails_its_certificate_exits_with_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(solution: Solution, leading: object) -> Solution:
        return replace(solution, certificate=Certificate(matched=(0, 2), compared=(0, 1, 2)))

    monkeypatch.setattr(pde.solving.Solution, "certified", fails)
    done = run(*TRIANGLE, "--times", "0:1:2")
    assert done.code == 1
    assert "does not reproduce the exact leading coefficients at s = [1]" in done.err


def test_a_loss_that_would_turn_negative_or_rise_is_refused_with_the_reason(run: Run) -> None:
    """The early-time expansions of small initialisations, each past the time at which it ends."""
    for order, at, regime in (
        (("--symmetric",), "p=100,H=4,sigma2=1/100000000", "E"),
        ((), "p=100,H=300,sigma2=1/100000000", "D"),
        ((), "p=100,H=3,sigma2=1/1000000", "E"),
    ):
        arguments = ("cp", "--order", "2", *order, "--terms", "4", "--regime", regime, "--at", at)
        early = run(*arguments, "--times", "0:1:3")
        assert early.code == 0, early.err
        late = run(*arguments, "--times", "0:20:3")
        assert (late.code, late.out) == (2, "")
        assert "of order log(1/sigma)" in late.err and late.err.count("\n") == 1


@pytest.fixture
def stops_at_the_third(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Solutions of which the third does not end, but in an exception."""

    def stops(by: Callable[[], None]) -> None:
        known = pde.solving.solution
        asked: list[str] = []

        def solved(found: Regimes, name: str) -> Solution:
            asked.append(name)
            if len(asked) == 3:
                by()
            return known(found, name)

        monkeypatch.setattr(show_solution, "solution", solved)

    return stops


def interrupts() -> None:
    raise KeyboardInterrupt


def lasts() -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("by", "limits", "status", "said"),
    [
        (interrupts, (), 130, "diagflow: interrupted: 2 of 7 regimes were finished\n"),
        (lasts, ("--max-seconds", "10"), 2, "than 10 seconds; 2 of 7 regimes are finished; raise"),
    ],
)
def test_a_list_that_is_cut_short_keeps_what_was_printed(
    run: Run,
    stops_at_the_third: Callable[[Callable[[], None]], None],
    by: Callable[[], None],
    limits: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    stops_at_the_third(by)
    done = run(*SYM, "--list", *limits)
    assert done.code == status
    assert [line.split()[0] for line in done.out.splitlines()] == ["A", "B"]
    assert said in done.err and done.err.count("\n") == 1


def test_a_list_in_which_something_fails_exits_with_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(solution: Solution, leading: object) -> Solution:
        return replace(solution, certificate=Certificate(matched=(0, 2), compared=(0, 1, 2)))

    monkeypatch.setattr(pde.solving.Solution, "certified", fails)
    done = run(*SYM, "--list")
    assert done.code == 1 and "FAILS at [1]" in done.out and "not every solution" in done.err


def test_a_mutated_evaluator_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve that is printed is checked, not only the formula beside it."""
    from pde.numerics.certified import Evaluator

    whole = Evaluator.__call__
    monkeypatch.setattr(Evaluator, "__call__", lambda self, t: whole(self, t) * 4 / 3)
    done = run(*TRIANGLE, "--times", "0:1:3")
    assert done.code == 1 and "Curve FAILS" in done.out
    assert "is not the sum of its exact coefficients" in done.err
    listed = run(*SYM, "--list")
    assert listed.code == 1 and "curve FAILS" in listed.out


def test_what_is_not_derived_is_not_called_so(run: Run) -> None:
    given = run("cp", "--order", "2", "--terms", "4", "--regime", "C-D", *_NUMBERS)
    assert "Formula given, certified" in given.out and "Derived" not in given.out
    derived = run(*TRIANGLE, "--times", "0:1:2")
    assert "Derived from the enumerated coefficients" in derived.out
    summed = run("cp", "--order", "3", "--symmetric", "--terms", "5", "--regime", "C-D", *_NUMBERS)
    assert "Certificate: none" in summed.out and "Estimated error" in summed.out


_NUMBERS = ("--at", "p=50,H=70,sigma2=1/100", "--times", "0:0.001:2")


def test_times_end_with_the_solution_unless_they_are_given(run: Run) -> None:
    """Regime E of order two holds until the loss turns negative, before t = 1."""
    at = ("--at", "p=8,H=4096,sigma2=1/65536", "--terms", "4", "--format", "json")
    command = ("cp", "--order", "2", "--symmetric", "--regime", "E", *at)
    assert "holds for" in run(*command, "--times", "0:10:3").err
    done = run(*command)
    assert done.code == 0, done.err
    times = json.loads(done.out)["t"]
    assert times[0] == 0 and len(times) == 11


def test_a_paper_has_the_band(run: Run) -> None:
    """The variance at the start is 3 for p = H = 1/sigma2, whatever p is."""
    numbers = "p=64,H=64,sigma2=1/64"
    words = ("cp", "--order", "2", "--symmetric", "--regime", "B-E", "--terms", "4")
    latex = run(*words, "--at", numbers, "--times", "0:0.3:2", "--band", "--format", "latex").out
    assert latex.count("{") == latex.count("}")
    assert "\\operatorname{Var}" in latex and "\\Delta L" in latex
    rows = [line for line in latex.splitlines() if line.endswith("\\\\") and line[0].isdigit()]
    assert len(rows) == 2 and rows[0].startswith("0 & ")
    plain = run(*words, "--at", numbers, "--times", "0:0.3:2", "--band").out
    assert plain.splitlines()[-2].split()[-1] in rows[0]
