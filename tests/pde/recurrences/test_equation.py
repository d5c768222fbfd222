"""The theorem on recurrences and equations, on random recurrences and their truncated series."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.recurrences.equation import FirstOrderPDE, LinearPDE
from pde.recurrences.recurrence import Index, Recurrence

X, Z = sympy.symbols("x z")
SMALL = st.integers(-3, 3)


@st.composite
def recurrences(draw: st.DrawFn, *, degree: int = 2) -> Recurrence:
    terms: dict[Index, Polynomial] = {(0, 0): Polynomial.parse("s")}
    for k in ((-1, 0), (-1, -1), (-2, -1)):
        powers = [(a, b) for a in range(degree + 1) for b in range(degree + 1 - a)]
        terms[k] = Polynomial({(("m", b), ("s", a)): draw(SMALL) for a, b in powers})
    return Recurrence(indices=("s", "m"), terms=terms)


def series(rule: Recurrence, last: int) -> sympy.Expr:
    initial = {(0, m): Fraction(m == 0) for m in range(2 * last)}
    data = rule.values(initial, upto=(last, last))
    return sum(
        sympy.Rational(c.numerator, c.denominator) * X**s * Z**m for (s, m), c in data.items()
    )


@given(recurrences())
@settings(max_examples=15, deadline=None)
def test_the_series_solves_the_equation_to_its_order(rule: Recurrence) -> None:
    last = 5
    whole = sympy.expand(LinearPDE.from_recurrence(rule, (X, Z)).apply(series(rule, last)))
    table = sympy.Poly(whole, X, Z).as_dict()
    assert not [powers for powers in table if powers[0] <= last and powers[1] <= last]


@given(recurrences(degree=1))
@example(
    Recurrence(  # whose factor is no monomial
        indices=("s", "m"),
        terms={
            (0, 0): Polynomial.parse("s"),
            (-1, 0): Polynomial.parse("1"),
            (-1, -1): Polynomial.parse("s"),
            (-2, -1): Polynomial.parse("1"),
        },
    )
)
@settings(max_examples=15, deadline=None)
def test_first_order_equations_are_the_same_equation(rule: Recurrence) -> None:
    h = series(rule, 4)
    whole = LinearPDE.from_recurrence(rule, (X, Z))
    first = FirstOrderPDE.from_recurrence(rule, (X, Z))
    # They differ by a common factor, which does not depend on the function.
    one, other = whole.apply(h), first.defect(h)
    if sympy.expand(other) == 0:
        assert sympy.expand(one) == 0
        return
    ratio = sympy.cancel(one / other)
    changed = h + X**2 * Z + X * Z**3
    defect = whole.apply(changed) - one - ratio * (first.defect(changed) - other)
    assert sympy.expand(sympy.fraction(sympy.together(defect))[0]) == 0


def test_what_is_not_of_first_order() -> None:
    squares = Recurrence(
        indices=("n",), terms={(0,): Polynomial.parse("n**2"), (-1,): Polynomial.parse("-1")}
    )
    assert LinearPDE.from_recurrence(squares, (X,)).order == 2
    bessel = sum(X**n / sympy.factorial(n) ** 2 for n in range(8))
    rest = LinearPDE.from_recurrence(squares, (X,)).apply(bessel)
    assert sympy.Poly(sympy.expand(rest), X).monoms() == [(8,)]
    with pytest.raises(InvalidInputError, match="not of first order; use LinearPDE"):
        FirstOrderPDE.from_recurrence(squares, (X,))
    geometric = Recurrence(
        indices=("n",),
        terms={(0,): Polynomial.parse("1"), (-1,): Polynomial.parse("-1")},
        source={(0,): 1},
    )
    with pytest.raises(InvalidInputError, match="not homogeneous"):
        FirstOrderPDE.from_recurrence(geometric, (X,))
    with pytest.raises(InvalidInputError, match="2 variables: the recurrence has 1"):
        LinearPDE.from_recurrence(geometric, (X, Z))
    with pytest.raises(InvalidInputError, match="not all zero"):
        FirstOrderPDE((X, Z), (sympy.Integer(0), sympy.Integer(0)), X)


def test_latex() -> None:
    equation = FirstOrderPDE((X, Z), (1 + 4 * X, sympy.Integer(1)), -8 * Z)
    assert equation.latex() == (
        r"\left(4 x + 1\right)\, \partial_{x} h + \partial_{z} h = - 8 z\, h"
    )
