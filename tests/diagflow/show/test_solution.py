"""Solutions in words: every part said if it is there and left out if not."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import sympy

import diagflow
from diagflow.latex.solutions import evolution_latex
from diagflow.show import solution as show_solution
from diagrams.errors import InvalidInputError
from expansion.models import cp, two_layer
from expansion.regimes import Regimes, regimes
from pde.curve import Curve, Domain
from pde.evolution import Certificate, LossEvolution, Method, Solution, Step
from pde.solving import solution
from tests.command import Run


def evolution(*, curve: Curve | None = None, **changed: Any) -> LossEvolution:
    """One with p = 2 of which nothing is known, but for what is changed."""
    chosen = curve or Curve(evaluate=lambda t: t)
    known: dict[str, Any] = {
        "problem": "a problem",
        "regime": "V1",
        "method": Method.MOMENTS,
        "source": "ours",
        "formula": None,
        "derivation": (),
        "taylor": lambda: iter(()),
        "curve": lambda at: chosen,
    }
    return Solution(**(known | changed)).at({"p": 2})


def lines(shown: LossEvolution) -> list[str]:
    return show_solution.text(shown, [0.0, 0.5], [3.0, 1 / 3]).splitlines()


def test_a_solution_of_which_little_is_known() -> None:
    assert lines(evolution()) == [
        "a problem",
        "Regime V1, method moments, valid for all t",
        f"Source: diagflow {diagflow.__version__}",
        "Certificate: nothing was compared",
        "",
        "At p = 2, T = 1",
        "",
        "             0  3",
        "           0.5  0.333333333333",
    ]


def test_a_solution_of_an_undecided_regime_says_so(run: Run) -> None:
    """A vertex of SYM of order 3 appears late, in Y_6; walls with it are undecided."""
    at = ("--at", "p=10,H=1000,sigma2=1e-4")
    for terms, undecided in (("4", False), ("6", True)):
        words = ("solve", "cp", "--order", "3", "--symmetric", "--terms", terms, "--quiet")
        done = run(*words, "--regime", "D", *at)
        assert done.code == 0
        assert (f"\nUndecided: {show_solution.UNDECIDED}\n" in done.out) == undecided
        record = json.loads(run(*words, "--regime", "D", *at, "--format", "json").out)
        assert record.get("decided", True) is not undecided
        assert (
            "Undecided" in run(*words, "--regime", "D", *at, "--format", "latex").out
        ) == undecided
        assert "ndecided" not in run(*words, "--regime", "B", *at).out


def test_the_list_marks_undecided_regimes() -> None:
    found = regimes(cp(order=3, symmetric=True), terms=6)
    rows = {name: {"regime": name} for name in ("A", "D")}
    for row in show_solution.listed(found):
        if row["regime"] in rows:
            rows[row["regime"]] = row
        if row["regime"] == "D":
            break
    assert "decided" not in rows["A"] and rows["D"]["decided"] is False
    shown = {name: show_solution.list_entry(row, longest=1) for name, row in rows.items()}
    assert shown["D"].endswith("; undecided\n") and "undecided" not in shown["A"]


def test_a_solution_of_which_all_is_known() -> None:
    p, t = sympy.symbols("p t")
    shown = evolution(
        curve=Curve(
            evaluate=lambda t: t,
            domain=Domain(-0.25, 1.5, "it ends"),
            error_estimate=0.00123,
            notes=(("blow-up", 1.5),),
        ),
        formula=p * t,
        derivation=(Step("First", "a = b", "As is known."), Step("Second", "c")),
        certificate=Certificate((0, 1, 2), (0, 1, 2)),
    )
    assert lines(shown)[3:15] == [
        "Certificate: the exact leading coefficients are reproduced at s = 0 ... 2",
        "",
        "E[L(t)] ~ p*t",
        "",
        "Formula given, certified for the s above; the reasons given for it:",
        "  1. First: As is known.",
        "  2. Second",
        "",
        "At p = 2, T = 1, for t > -0.25 and t < 1.5",
        "Estimated error: 0.0012",
        "blow-up = 1.5",
        "",
    ]


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (Certificate((0, 2), (0, 1, 2)), "Certificate FAILS: only s = 0, 2 is reproduced"),
        (
            Certificate((0, 1), (0, 1)),
            "Certificate: the exact leading coefficients are reproduced at s = 0, 1",
        ),
    ],
)
def test_certificates_in_words(certificate: Certificate, words: str) -> None:
    assert lines(evolution(certificate=certificate))[3] == words


def test_what_is_smaller_than_the_dynamics_is_not_called_reproduced() -> None:
    shown = lines(evolution(certificate=Certificate((1, 3), (1, 3), (0, 2, 4))))
    assert shown[3:5] == [
        "Certificate: the exact leading coefficients are reproduced at s = 1, 3",
        "Left out: those at s = 0, 2, 4, which are smaller than the dynamics: of lower order than "
        "the loss times T**s",
    ]


def test_latex_without_a_formula_has_the_derivation_only() -> None:
    shown = evolution(
        derivation=(Step("First", "a = b", "With z_2."),), certificate=Certificate((0, 1), (0, 1))
    )
    text = show_solution.latex(shown, [], [])
    assert text.startswith(
        "% a problem, regime V1\n\\paragraph{First.} With $z_{2}$.\n\\[\na = b\n\\]\n"
    )
    assert "Result" not in text and "coefficients for $s = 0, 1$." in text


def test_the_error_of_a_solution_in_latex() -> None:
    exact = evolution_latex(evolution())
    assert "Estimated" not in exact
    rough = evolution_latex(evolution(curve=Curve(evaluate=lambda t: t, error_estimate=2.5e-7)))
    assert rough == exact + "\\paragraph{Estimated error.} $2.5 \\cdot 10^{-7}$.\n"


def test_values_are_finite_or_refused() -> None:
    assert show_solution.finite(np.array([1.0, -2.5]), [0.0, 1.0]) == [1.0, -2.5]
    for bad in (math.inf, math.nan):
        with pytest.raises(InvalidInputError) as error:
            show_solution.finite(np.array([1.0, bad]), [0.0, 12.5])
        assert str(error.value) == (
            "t = 12.5: the loss is too large for a floating point number; give times closer to 0"
        )


def test_a_list_says_what_is_not_solved_and_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = regimes(cp(order=2, target="zero"), terms=4)

    def partly(given: Regimes, name: str) -> Solution:
        if name == "A":
            raise InvalidInputError("regime A: has no solution; choose another")
        solved = solution(given, name)
        return solved.certified(wrong(solved)) if name == "B" else solved

    def wrong(solved: Solution) -> Sequence[Any]:
        first, second, third = solved.coefficients(3)
        return [first, 2 * second, third]

    monkeypatch.setattr(show_solution, "solution", partly)
    rows = list(show_solution.listed(found))
    longest = max(len(row["regime"]) for row in rows)
    entries = "".join(show_solution.list_entry(row, longest=longest) for row in rows)
    assert entries.splitlines() == [
        "A    not solved: regime A: has no solution; choose another",
        f"B    closed-form      derived   {'-':<31}  FAILS at [1]  all t >= 0",
        f"A-B  resummed         derived   {'words, 62 cores':<31}  s = 0 ... 4   "
        "t until words of 16 letters do not determine it",
    ]
    assert not show_solution.all_hold(rows)
    assert show_solution.all_hold([row for row in rows if row["regime"] != "B"])
    assert not show_solution.all_hold([rows[2] | {"curve_holds": False}])


def test_a_list_says_what_kind_of_cores_a_solution_is_made_of() -> None:
    rows = show_solution.listed(regimes(two_layer(degree=2), terms=4))
    kinds = {row["regime"]: (row["hierarchy"]["kind"], row["hierarchy"]["cores"]) for row in rows}
    assert kinds["V1-V2"] == ("finite system", 2)
    assert kinds["V3"] == ("random order parameters", 3)
    assert all(row["hierarchy"]["remark"] is None for row in rows)


def test_a_list_says_why_there_are_no_cores() -> None:
    """On a map of so few terms cores of the regime D leave their scales."""
    rows = show_solution.listed(regimes(cp(order=3, symmetric=True), terms=4))
    hierarchy = next(row["hierarchy"] for row in rows if row["regime"] == "D")
    assert hierarchy["kind"] == "none" and hierarchy["cores"] is None
    assert "grows beyond its scale" in hierarchy["remark"]
