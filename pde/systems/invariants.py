"""Polynomial first integrals of a system, and polynomial relations along its trajectory.

Both are linear algebra. The derivative of an unknown polynomial along the rates is a polynomial
whose coefficients are linear in the unknown ones: a *first integral* makes all of them vanish. A
*relation* vanishes on the power series of the trajectory that starts at the given values; first
integrals give relations, but there are others, such as those of an invariant curve that the
trajectory starts on.

Which monomials take part is found at random rational numbers for the symbols. The coefficients are
then found again with symbols, where the linear equations have few unknowns, and what is returned
is verified with symbols: the derivative of a first integral is zero, that of a relation is a
multiple of the relations, which vanish at the start.

>>> from expansion.dynamics.system import SystemTerm
>>> p = Polynomial.parse
>>> mean_field = PolynomialSystem(
...     variables=("f", "r"),
...     rates=(
...         (SystemTerm(p("2"), ((1, 1),)), SystemTerm(p("-2"), ((0, 1), (1, 1)))),
...         (SystemTerm(p("2"), ((0, 1),)), SystemTerm(p("-2"), ((0, 2),))),
...     ),
...     initial=(p("0"), p("H*sigma2")),
...     output=(SystemTerm(p("p"), ((0, 1),)),),
... )
>>> [str(found.expression) for found in first_integrals(mean_field, degree=2)]
['-f**2 + r**2']

Source: ours; classical (Darboux).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, islice
from math import comb
from random import Random
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from diagrams.rationals import as_fmpq
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from pde.systems.dimensions import Powers
from pde.systems.exact import at_numbers, exact_series
from pde.systems.kernel import kernel
from pde.taylor import symbol

__all__ = ["Invariant", "first_integrals", "rates_of", "relations", "variables_of"]

_COLUMNS = 150
"""The most monomials that are tried."""

_HELD_OUT = 6
"""Further coefficients of the power series on which a relation has to hold."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A polynomial in the variables of a system, with coefficients in its symbols.

    Parameters
    ----------
    expression : sympy.Expr
    value : sympy.Expr
        What it is equal to along the trajectory.
    """

    expression: sympy.Expr
    value: sympy.Expr

    def __str__(self) -> str:
        return f"{self.expression} = {self.value}"


def variables_of(system: PolynomialSystem) -> tuple[sympy.Symbol, ...]:
    """Symbols for the variables, distinguished from those of the sizes by being real only."""
    return tuple(sympy.Symbol(name, real=True) for name in system.variables)


def rates_of(system: PolynomialSystem) -> tuple[sympy.Expr, ...]:
    """The rates as expressions in the variables and in the symbols."""
    return tuple(expression_of(rate, variables_of(system)) for rate in system.rates)


def expression_of(terms: Sequence[SystemTerm], variables: Sequence[sympy.Expr]) -> sympy.Expr:
    """A sum of terms as an expression."""
    return sympy.Add(
        *(
            _symbolic(term.coefficient)
            * sympy.Mul(*(variables[place] ** power for place, power in term.powers))
            for term in terms
        )
    )


def first_integrals(system: PolynomialSystem, *, degree: int) -> tuple[Invariant, ...]:
    """Independent polynomials up to a degree that do not change along any trajectory.

    Parameters
    ----------
    system : PolynomialSystem
    degree : int
        Lowered where there would be too many monomials.

    Returns
    -------
    tuple of Invariant
        Those that are no polynomials in the ones before them.
    """
    numbers = _random_numbers(system)
    at = at_numbers(system, numbers)
    found: list[tuple[dict[Powers, fmpq], Invariant]] = []
    for d in range(1, _affordable(len(system.variables), degree) + 1):
        columns = _monomials(len(system.variables), d)
        rows = [_derivative(at, powers) for powers in columns]
        known = _generated([vector for vector, _ in found], d)
        for vector in _new_kernel(columns, rows, known):
            invariant = _lifted(system, tuple(vector), relation=False)
            if invariant is not None:
                found.append((vector, invariant))
    return tuple(invariant for _, invariant in found)


def relations(system: PolynomialSystem, *, degree: int) -> tuple[Invariant, ...]:
    """Polynomials of exactly a degree, or less, that vanish along the trajectory.

    Parameters
    ----------
    system : PolynomialSystem
    degree : int

    Returns
    -------
    tuple of Invariant
        A basis of the space of those polynomials.
    """
    size = len(system.variables)
    if _affordable(size, degree) < degree:
        return ()
    at = at_numbers(system, _random_numbers(system))
    columns = [(), *_monomials(size, degree)]
    number = len(columns) + _HELD_OUT
    series = list(islice(exact_series(at), number))
    rows = [
        {n: c for n, c in enumerate(_product_series(series, powers)) if c} for powers in columns
    ]
    found = []
    for vector in _new_kernel(columns, rows, []):
        invariant = _lifted(system, tuple(vector), relation=True)
        if invariant is not None:
            found.append(invariant)
    return tuple(found)


# -- monomials at numbers ------------------------------------------------------------------------


def _affordable(size: int, degree: int) -> int:
    while degree and comb(size + degree, degree) > _COLUMNS:
        degree -= 1
    return degree


def _monomials(size: int, degree: int) -> list[Powers]:
    """All products of variables from degree 1 to a degree."""
    found = []
    for d in range(1, degree + 1):
        for places in combinations_with_replacement(range(size), d):
            found.append(tuple((i, places.count(i)) for i in sorted(set(places))))
    return found


def _random_numbers(system: PolynomialSystem) -> dict[str, Fraction]:
    coefficients = [term.coefficient for rate in system.rates for term in rate]
    coefficients += [*system.initial, *(term.coefficient for term in system.output)]
    names = sorted({name for coefficient in coefficients for name in coefficient.symbols})
    random = Random(7)
    return {name: Fraction(random.randint(11, 97), random.randint(11, 97)) for name in names}


def _derivative(system: PolynomialSystem, powers: Powers) -> dict[Powers, Fraction]:
    """The derivative of a product of variables along the rates of a system without symbols."""
    total: dict[Powers, Fraction] = {}
    for place, power in powers:
        rest = dict(powers) | {place: power - 1}
        for term in system.rates[place]:
            key = _times(rest, dict(term.powers))
            value = term.coefficient.coefficient() * power
            total[key] = total.get(key, Fraction(0)) + value
    return total


def _times(one: Mapping[int, int], other: Mapping[int, int]) -> Powers:
    places = sorted({*one, *other})
    powers = ((i, one.get(i, 0) + other.get(i, 0)) for i in places)
    return tuple((i, k) for i, k in powers if k)


def _product_series(series: list[list[Fraction]], powers: Powers) -> list[Fraction]:
    number = len(series)
    total = [Fraction(int(n == 0)) for n in range(number)]
    for place, power in powers:
        column = [row[place] for row in series]
        for _ in range(power):
            total = [
                sum((total[k] * column[n - k] for k in range(n + 1)), Fraction(0))
                for n in range(number)
            ]
    return total


def _generated(known: list[dict[Powers, fmpq]], degree: int) -> list[dict[Powers, fmpq]]:
    """All products of known polynomials up to a degree."""

    def degree_of(vector: Mapping[Powers, fmpq]) -> int:
        return max(sum(k for _, k in powers) for powers in vector)

    done: list[dict[Powers, fmpq]] = [{(): fmpq(1)}]
    for vector in known:
        for one in list(done):
            product = one
            while True:
                product = _multiplied(product, vector)
                if degree_of(product) > degree:
                    break
                done.append(product)
    return done[1:]


def _multiplied(a: Mapping[Powers, fmpq], b: Mapping[Powers, fmpq]) -> dict[Powers, fmpq]:
    total: dict[Powers, fmpq] = {}
    for one, x in a.items():
        for other, y in b.items():
            key = _times(dict(one), dict(other))
            total[key] = total.get(key, fmpq(0)) + x * y
    return {key: c for key, c in total.items() if c != 0}


def _new_kernel(
    columns: list[Powers],
    rows: Sequence[Mapping[Any, Fraction]],
    known: list[dict[Powers, fmpq]],
) -> list[dict[Powers, fmpq]]:
    """Combinations of columns that vanish and do not follow from known ones."""
    keys = sorted({key for row in rows for key in row}, key=repr)
    entries = [as_fmpq(row[key]) if key in row else fmpq(0) for key in keys for row in rows]
    basis = kernel(fmpq_mat(len(keys), len(columns), entries)) if keys else []
    vectors = [{columns[i]: c for i, c in enumerate(v) if c != 0} for _, v in basis]
    if not keys:
        vectors = [{powers: fmpq(1)} for powers in columns]
    return [vector for i, vector in enumerate(vectors) if _is_new(vector, [*known, *vectors[:i]])]


def _is_new(vector: Mapping[Powers, fmpq], known: Sequence[Mapping[Powers, fmpq]]) -> bool:
    keys = sorted({key for row in (vector, *known) for key in row})
    entries = [row.get(key, fmpq(0)) for row in (*known, vector) for key in keys]
    before = fmpq_mat(len(known), len(keys), entries[: len(known) * len(keys)]).rank()
    return bool(fmpq_mat(len(known) + 1, len(keys), entries).rank() > before)


# -- with symbols --------------------------------------------------------------------------------


def _symbolic(coefficient: Polynomial) -> sympy.Expr:
    return sympy.Add(
        *(
            sympy.Rational(c.numerator, c.denominator)
            * sympy.Mul(*(symbol(name) ** power for name, power in powers))
            for powers, c in coefficient
        )
    )


def _lifted(
    system: PolynomialSystem, support: tuple[Powers, ...], *, relation: bool
) -> Invariant | None:
    """The invariant with some monomials, None unless there is one, and it is verified."""
    variables, rates = variables_of(system), rates_of(system)
    monomials = [sympy.Mul(*(variables[i] ** k for i, k in powers)) for powers in support]
    start = dict(zip(variables, map(_symbolic, system.initial), strict=True))
    rows: list[list[sympy.Expr]] = []
    derivatives = monomials
    if relation:
        # Derivatives at the start, as many as there are unknowns.
        for _ in monomials:
            rows.append([sympy.expand(term.subs(start)) for term in derivatives])
            derivatives = [sympy.expand(_along(term, variables, rates)) for term in derivatives]
    else:
        slopes = [sympy.Poly(_along(term, variables, rates), *variables) for term in monomials]
        keys = sorted({key for slope in slopes for key in slope.as_dict()})
        rows = [[slope.as_dict().get(key, sympy.S.Zero) for slope in slopes] for key in keys]
    vectors = sympy.Matrix(rows).nullspace(simplify=sympy.cancel) if rows else []
    if rows and len(vectors) != 1:
        return None
    weights = vectors[0] if rows else sympy.ones(len(monomials), 1)
    expression = sympy.numer(sympy.together(weights.dot(sympy.Matrix(monomials))))
    expression = sympy.Poly(expression, *variables).primitive()[1].as_expr()
    slope = sympy.expand(_along(expression, variables, rates))
    if relation:
        multiple = sympy.div(sympy.Poly(slope, *variables), sympy.Poly(expression, *variables))[1]
        verified = multiple.is_zero and not sympy.simplify(expression.subs(start))
        return Invariant(expression, sympy.S.Zero) if verified else None
    if slope != 0:
        return None
    return Invariant(expression, sympy.factor(expression.subs(start)))


def _along(
    expression: sympy.Expr, variables: Sequence[sympy.Symbol], rates: Sequence[sympy.Expr]
) -> sympy.Expr:
    pairs = zip(variables, rates, strict=True)
    return sympy.Add(*(sympy.diff(expression, x) * rate for x, rate in pairs))
