"""A formula in scaled variables is the formula, and shorter."""

from __future__ import annotations

from collections.abc import Iterator

import mpmath
import pytest
import sympy

from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.regimes import regimes
from pde.evolution import Solution
from pde.short_formula import short_formula
from pde.solving import solution
from pde.taylor import symbol


def closed(problem: Problem) -> Iterator[Solution]:
    found = regimes(problem, terms=4)
    for regime in found:
        solved = solution(found, regime.name)
        if solved.formula is not None:
            yield solved


def value(formula: sympy.Expr) -> mpmath.mpf:
    numbers = {"p": 7, "H": 5, "N": 11, "sigma2": "0.013", "T": 3, "t": "0.4"}
    at = {s: sympy.Rational(numbers[s.name]) for s in formula.free_symbols}
    return sympy.N(formula.subs(at), 40)


@pytest.mark.parametrize(
    "problem",
    [
        cp(order=2, symmetric=True),
        cp(order=2),
        cp(order=3),
        cp(order=4, symmetric=True),
        cp(order=2, symmetric=True, target="zero"),
        cp(order=3, target="3*identity"),
        tied_autoencoder(data=True),
    ],
    ids=lambda problem: problem.title,
)
def test_it_is_the_formula(problem: Problem) -> None:
    solved = [*closed(problem)]
    assert solved
    for one in solved:
        short = one.short_formula()
        assert short is not None and one.formula is not None
        assert abs(value(short.expanded) / value(one.formula) - 1) < 1e-30, one.regime
        assert sympy.count_ops(short.formula) <= sympy.count_ops(one.formula)
        defined = {name for name, _ in (*short.letters, *short.scaled)}
        assert {s.name for s in short.formula.free_symbols} <= {*one.symbols} | defined


def test_a_wrong_letter_is_seen() -> None:
    (one,) = [s for s in closed(cp(order=2, symmetric=True)) if s.regime == "A-B-E"]
    short = one.short_formula()
    assert short is not None and short.letters and one.formula is not None
    name, part = short.letters[0]
    wrong = type(short)(short.formula, ((name, 2 * part), *short.letters[1:]), short.scaled)
    assert abs(value(wrong.expanded) / value(one.formula) - 1) > 1e-3


def test_symbols_that_are_taken_name_nothing_else() -> None:
    y, u, t, T = (symbol(name) for name in ("y", "u", "t", "T"))
    root = sympy.sqrt(1 + y * t / T)
    short = short_formula((root + u) / (root * (2 + root)), [(("u", 1), ("y", -1))], ())
    names = [name for name, _ in (*short.scaled, *short.letters)]
    assert not {"y", "u"} & {*names} and len({*names}) == len(names)
    assert sympy.simplify(short.expanded - (root + u) / (root * (2 + root))) == 0


def test_it_is_printed_with_its_variables() -> None:
    (one,) = [s for s in closed(cp(order=2, symmetric=True)) if s.regime == "B-E"]
    short = one.short_formula()
    assert short is not None
    assert str(short).splitlines() == [
        "tau = t/T, y = H*sigma2",
        "p*(y - 1)**2/(2*(y*exp(4*tau) - y + 1)**2)",
    ]
    assert "\\tau &= \\frac{t}{T}" in short.display()
    assert short.latex() in str(short._repr_latex_())
