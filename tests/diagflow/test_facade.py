"""Whatever is given to the facade, it answers or refuses with an error of the family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diagflow
from diagflow import (
    Budget,
    DiagflowError,
    InvalidInputError,
    LeadingSeries,
    LossSeries,
    Polynomial,
    Regimes,
    cp,
    loss_series,
    read_problem_file,
    regimes,
    simulate,
    solve,
    where,
)

ROOT = Path(__file__).resolve().parents[2]

WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, float("nan"), float("inf"), 2 + 1j, Fraction(1, 3)),
    *("a", "", "\n", b"x", object(), [1], ["a"], [None], ("p", 3), {"a": 1}),
    *(np.array([1.0, 2.0]), np.float64(2), Path("x.toml"), range(0)),
)
"""Values of which most are of the wrong type, wherever they are given."""

AT: dict[str, Any] = {"p": 4, "H": 3, "sigma2": 0.1, "T": 1}

PROBLEM = cp(2)


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(PROBLEM, terms=4)


def calls(found: Regimes) -> Mapping[str, Callable[[Any], object]]:
    """Every argument of the facade, as functions of its value."""
    series = loss_series(PROBLEM)
    evolution = solve(found, "A", at=AT)
    place = where(found, p=4, H=3, sigma2=1)
    leading = LeadingSeries(found, found["A"])
    Y = series[1]
    run: dict[str, Any] = {"at": AT, "times": [0, 0.1], "runs": 1, "seed": 1}
    result: dict[str, Callable[[Any], object]] = {
        "cp": cp,
        "cp symmetric": lambda x: cp(2, symmetric=x),
        "deep_linear": diagflow.deep_linear,
        "two_layer": diagflow.two_layer,
        "loss_series": loss_series,
        "LossSeries beside": lambda x: LossSeries(PROBLEM, beside=x),
        "Y_s": lambda x: series[x],
        "cost": series.cost,
        "regimes": regimes,
        "R[name]": lambda x: found[x],
        "restricted": found.restricted,
        "face regime": lambda x: found.face(x, 1),
        "face s": lambda x: found.face(found["A"], x),
        "neighbours": found.neighbours,
        "includes": lambda x: found.includes(x, found["A"]),
        "wall": lambda x: found.wall(x, 1),
        "wall s": lambda x: found.wall(found["A"], x),
        "LeadingSeries": lambda x: LeadingSeries(x, found["A"])[0],
        "LeadingSeries regime": lambda x: LeadingSeries(found, x)[0],
        "leading": lambda x: leading[x],
        "derive": lambda x: diagflow.derive(x, "A"),
        "derive name": lambda x: diagflow.derive(found, x),
        "where": lambda x: where(x, p=3, H=3, sigma2=1),
        "where at": lambda x: where(found, at=x),
        "where p": lambda x: where(found, p=x, H=3, sigma2=1),
        "where times": lambda x: where(found, p=3, H=3, sigma2=1, times=x),
        "where tolerance": lambda x: where(found, p=3, H=3, sigma2=1, tolerance=x),
        "share": place.share,
        "evaluate": lambda x: Y.evaluate(p=x, H=2, sigma2=3),
        "evaluate negative power": lambda x: Polynomial.parse("p**-1").evaluate(p=x),
        "parse": Polynomial.parse,
        "Polynomial": Polynomial,
        "coefficient": lambda x: Y.coefficient(p=x),
        "exponents": Y.exponents,
        "evolution": evolution,
        "precise": evolution.precise,
        "precise digits": lambda x: evolution.precise(1, x),
        "error_at": evolution.error_at,
        "solve": lambda x: solve(x, "A", at=AT, terms=3),
        "solve regime": lambda x: solve(found, x, at=AT),
        "solve at": lambda x: solve(found, "A", at=x),
        "simulate": lambda x: simulate(x, **run),
        "read_problem_file": read_problem_file,
        "quantity": PROBLEM.quantity,
        "with_target_amplitude": PROBLEM.with_target_amplitude,
    }
    for preset in ("cp", "autoencoder", "tied_autoencoder", "deep_linear", "two_layer"):
        result[f"{preset} target"] = lambda x, preset=preset: getattr(diagflow, preset)(target=x)
    for preset in ("autoencoder", "tied_autoencoder", "deep_linear"):
        result[f"{preset} data"] = lambda x, preset=preset: getattr(diagflow, preset)(data=x)
    for name in ("seconds", "diagrams", "memory"):
        result[f"Budget {name}"] = lambda x, name=name: Budget(**{name: x})
    for name in ("loss", "budget", "progress", "store", "executor"):
        result[f"loss_series {name}"] = lambda x, name=name: loss_series(PROBLEM, **{name: x})[1]
        result[f"regimes {name}"] = lambda x, name=name: regimes(PROBLEM, **{"terms": 3, name: x})
    for name in ("terms", "slice"):
        result[f"regimes {name}"] = lambda x, name=name: regimes(PROBLEM, **{"terms": 3, name: x})
    for name in ("loss", "budget", "progress", "terms", "slice"):
        result[f"solve {name}"] = lambda x, name=name: solve(
            PROBLEM, "A", **{"at": AT, "terms": 3, name: x}
        )
    for name in ("loss", "terms", "budget", "progress", "averages"):
        result[f"derive {name}"] = lambda x, name=name: diagflow.derive(found, "A", **{name: x})
    for name in (*run, "loss", "progress", "method", "rtol", "step", "seconds"):
        result[f"simulate {name}"] = lambda x, name=name: simulate(PROBLEM, **(run | {name: x}))
    for name in AT:
        result[f"solve {name}"] = lambda x, name=name: solve(found, "A", at=AT | {name: x})
        result[f"simulate {name}"] = lambda x, name=name: simulate(
            PROBLEM, **(run | {"at": AT | {name: x}})
        )
    return result


def test_what_is_wrong_is_refused_in_one_line_by_an_error_of_the_family(found: Regimes) -> None:
    raw = []
    for name, call in calls(found).items():
        for value in WRONG:
            try:
                call(value)
            except DiagflowError as error:
                text = str(error)
                if "\n" in text or ": " not in text or len(text) > 400:
                    raw.append((name, value, text))
            except Exception as error:
                raw.append((name, value, repr(error)))
    assert not raw, "\n".join(map(str, raw))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cp(target=1), "target: is 1; give a text"),  # type: ignore[arg-type]
        (lambda: cp(2, symmetric="no"), "symmetric: is 'no'; give True or False"),  # type: ignore[arg-type]
        (lambda: regimes("cp"), "problem 'cp': is neither a Problem nor coefficients; make one"),
        (
            lambda: solve(PROBLEM, "A", at=AT)("a"),
            "times: 'a' is no list of numbers; give for example [0, 0.5, 1]",
        ),
        (
            lambda: Polynomial.parse("p").evaluate(p="a"),  # type: ignore[arg-type]
            "polynomial: p is 'a'; give a number",
        ),
        (
            lambda: Polynomial({(("p", 1),): 0.5}),  # type: ignore[dict-item]
            "polynomial: is {(('p', 1),): 0.5}; give exact coefficients",
        ),
        (
            lambda: read_problem_file(None),  # type: ignore[arg-type]
            "problem None: is no path; name a file",
        ),
        (lambda: cp(10**5000), "order of type int: more than 100 modes are out of reach"),
    ],
)
def test_the_message_names_the_thing_and_the_remedy(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(InvalidInputError) as error:
        call()
    assert str(error.value).startswith(message)


def test_a_problem_file_may_be_named_by_a_text() -> None:
    path = ROOT / "examples" / "teacher_student.toml"
    assert read_problem_file(str(path)) == read_problem_file(path)


def test_a_regime_may_be_named_where_one_is_expected(found: Regimes) -> None:
    A = found["A"]
    assert LeadingSeries(found, "A")[1] == LeadingSeries(found, A)[1]  # type: ignore[arg-type]
    assert found.neighbours("A") == found.neighbours(A)
    assert found.face("A", 2) == found.face(A, 2)


@pytest.mark.parametrize("other", [0.5, None, "a", True])
def test_only_exact_numbers_take_part_in_exact_algebra(other: Any) -> None:
    Y = Polynomial.parse("p")
    for combine in (lambda: Y + other, lambda: Y - other, lambda: Y * other, lambda: other * Y):
        with pytest.raises(TypeError, match=r"Polynomial"):
            combine()
