"""No check is passed by what is not a number.

Every comparison of an error with a bound is written so that NaN fails, and the numbers that the
checks work with are replaced by NaN, infinity and zero over zero in turn.
"""

import ast
import re
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy

from diagrams.errors import DiagflowError
from pde import cauchy, sampled_taylor
from pde.characteristics.characteristics import solve_symbolically
from pde.closed_form import precise_value
from pde.moments import particles
from pde.numerics import gaussian_quadrature as quadrature
from pde.numerics import marchenko_pastur
from pde.recurrences import hadamard
from pde.recurrences.equation import FirstOrderPDE
from pde.taylor import symbol

ROOT = Path(__file__).resolve().parents[2]
MEASURED = re.compile(
    r"error|residual|worst|deviation|defect|mismatch|closure|discrepancy|\babs\(|np\.abs|difference"
)
"""What a check measures and compares with a bound."""


def passed_by_nan(source: str) -> list[str]:
    """Tests ``if measured > bound`` whose branch refuses: NaN does not enter it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.If):
            continue
        refuses = any(
            isinstance(part, ast.Raise)
            or (isinstance(part, ast.Return) and _is_refusal(part.value))
            for part in node.body
        )
        for test in ast.walk(node.test):
            if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                break
            if not (refuses and isinstance(test, ast.Compare) and len(test.ops) == 1):
                continue
            small, large = test.comparators[0], test.left
            if isinstance(test.ops[0], ast.Lt | ast.LtE):
                small, large = large, small
            elif not isinstance(test.ops[0], ast.Gt | ast.GtE):
                continue
            if MEASURED.search(ast.unparse(large)) and "len(" not in ast.unparse(large):
                found.append(f"{node.lineno}: {ast.unparse(test)}")
    return found


def _is_refusal(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value in (False, None)


def test_the_search_finds_what_it_is_for() -> None:
    assert passed_by_nan("if error > tolerance:\n    raise ValueError")
    assert passed_by_nan("if tolerance < abs(a - b):\n    return False")
    assert passed_by_nan("if worst >= 1e-9 and known:\n    raise ValueError")
    assert not passed_by_nan("if not error <= tolerance:\n    raise ValueError")
    assert not passed_by_nan("if error > tolerance:\n    steps += 1")


def test_no_comparison_lets_nan_pass() -> None:
    """The layers below compute with exact numbers alone."""
    found = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / "pde").rglob("*.py"))
        if (lines := passed_by_nan(path.read_text(encoding="utf-8")))
    }
    assert found == {}


BAD = [mpmath.nan, mpmath.inf, -mpmath.inf, mpmath.mpc(0, mpmath.nan)]


@pytest.mark.parametrize("bad", BAD, ids=str)
@pytest.mark.parametrize("module", [cauchy, hadamard])
def test_coefficients_that_are_no_numbers_confirm_nothing(
    monkeypatch: pytest.MonkeyPatch, bad: mpmath.mpf, module: object
) -> None:
    """Both sides of the comparison are spoilt alike, and still nothing is confirmed."""
    x, z = sympy.symbols("x z")
    monkeypatch.setattr(
        sampled_taylor, "_averages", lambda _f, number, _share: [mpmath.mpf(1)] * number
    )
    for name in ("line_taylor", "circle_taylor"):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, lambda _f, _x, number, *_: [bad] * number)
    if module is cauchy:
        with pytest.raises(DiagflowError):
            solve_symbolically(FirstOrderPDE((x, z), (sympy.Integer(1), z), z), z)
    else:
        with pytest.raises(DiagflowError):
            hadamard.hadamard_product(sympy.exp(z), 1 / (1 - z), z)


def test_a_formula_without_a_value_has_no_precise_one() -> None:
    p, t = symbol("p"), symbol("t")
    parameters = {"p": Fraction(1), "T": Fraction(1)}
    for formula in (sympy.log(p) / t**2, (p - 1) * sympy.exp(1 / t) / t, sympy.log(t) * (p - 1)):
        with pytest.raises((DiagflowError, ZeroDivisionError)):
            precise_value(formula, parameters, mpmath.mpf(0), 15)
    cancels = sympy.sqrt(1 + t) ** 2 - 1 - t
    assert abs(precise_value(cancels, parameters, mpmath.mpf(1) / 3, 15)) < 1e-100


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_average_that_is_not_finite_is_none(bad: float, first: int) -> None:
    """The rules before a value that is not finite do not make it one."""
    calls = []

    def function(v: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.full_like(v, bad if len(calls) > 2 * first else 1.0 + len(calls))

    with pytest.raises(DiagflowError):
        quadrature.average(function)
    calls.clear()

    def of_node(x: mpmath.mpf) -> mpmath.mpf:
        calls.append(1)
        return mpmath.mpf(bad) if len(calls) > 40 * first else mpmath.cos(x)

    with pytest.raises(DiagflowError):
        quadrature.precise_average(of_node, digits=15)
    calls.clear()

    def on_nodes(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.full_like(x, bad if len(calls) > first else 1.0 + len(calls))

    with pytest.raises(DiagflowError):
        marchenko_pastur.average(on_nodes, 2.0)


@pytest.mark.parametrize("slope", [np.nan, np.inf, 0.0, -0.0])
def test_a_blow_up_is_at_a_finite_time(slope: float) -> None:
    with np.errstate(all="ignore"), pytest.raises((DiagflowError, ZeroDivisionError)):
        particles.blow_up(lambda _: (1.0, slope), start=0.0, relative_tolerance=1e-9)


def test_a_value_that_becomes_infinite_is_not_precise() -> None:
    p, t = symbol("p"), symbol("t")
    with pytest.raises(DiagflowError):
        precise_value(p * sympy.gamma(t), {"p": Fraction(1)}, mpmath.inf, 15)
