"""Exact Taylor coefficients of a polynomial system, in its symbols or at numbers.

The coefficients x_{i,n} of x_i = Σ x_{i,n} τ^n follow one after the other from those of the
products of variables in the rates. Every product is built from two smaller ones, so that one
convolution for each of them gives its next coefficient. The symbols are first reduced to the
essential ones (`pde.systems.dimensions`), and restored at the end.

>>> from expansion.dynamics.system import SystemTerm
>>> p = Polynomial.parse
>>> logistic = PolynomialSystem(
...     variables=("a",),
...     rates=((SystemTerm(p("4"), ((0, 1),)), SystemTerm(p("-4"), ((0, 2),))),),
...     initial=(p("H*sigma2"),),
...     output=(SystemTerm(p("1/2*p")), SystemTerm(p("p"), ((0, 1),))),
... )
>>> [str(c) for c in taylor(logistic, 3)]
['1/2*p + p*H*sigma2', '4*p*H*sigma2 - 4*p*H**2*sigma2**2',
 '16*p*H*sigma2 - 48*p*H**2*sigma2**2 + 32*p*H**3*sigma2**3']
>>> taylor_at(logistic, 3, {"p": 2, "H": 1, "sigma2": 1})
(Fraction(3, 1), Fraction(0, 1), Fraction(0, 1))

Source: ours; the recurrences are classical (automatic differentiation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import factorial
from operator import mul
from typing import Any

from flint import fmpq, fmpq_mpoly_ctx, fmpq_poly

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq, as_fraction
from diagrams.wick import Monomial
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from pde.systems.dimensions import Powers, Units, units

__all__ = [
    "ProductPlan",
    "at_numbers",
    "coefficients",
    "exact_series",
    "products",
    "series_of_products",
    "taylor",
    "taylor_at",
]


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """Products of variables, each made of two that come before it.

    Parameters
    ----------
    pairs : tuple of (int, int)
        The two factors of every product, as places among the variables followed by the products.
    places : mapping from Powers to int
        The place of every product that is asked for; the empty one is not among them.
    """

    pairs: tuple[tuple[int, int], ...]
    places: Mapping[Powers, int]


def products(size: int, wanted: list[Powers]) -> ProductPlan:
    """A short sequence of multiplications for some products of variables.

    Parameters
    ----------
    size : int
        Number of variables.
    wanted : list of Powers

    Examples
    --------
    >>> products(2, [((0, 4),), ((0, 2), (1, 1))]).pairs
    ((0, 0), (2, 1), (2, 2))
    """
    places: dict[Powers, int] = {((i, 1),): i for i in range(size)}
    pairs: list[tuple[int, int]] = []

    def place(powers: Powers) -> int:
        if powers not in places:
            one, other = _halves(powers)
            pair = place(one), place(other)
            pairs.append(pair)
            places[powers] = size + len(pairs) - 1
        return places[powers]

    for powers in sorted(set(wanted), key=lambda powers: (sum(k for _, k in powers), powers)):
        if powers:
            place(powers)
    return ProductPlan(tuple(pairs), places)


def _halves(powers: Powers) -> tuple[Powers, Powers]:
    """A product as two: a power by halves, other products without their last variable."""
    *head, (place, power) = powers
    if head:
        return tuple(head), ((place, power),)
    return ((place, power // 2),), ((place, power - power // 2),)


class _Ring:
    """Polynomials in the essential symbols, with exponents that are shifted to be positive."""

    def __init__(self, system: PolynomialSystem, found: Units) -> None:
        self.units = found
        self.shifts, self.time = _shifts(system, found.essential)
        names = found.essential
        self._context = fmpq_mpoly_ctx.get(names, "lex") if len(names) > 1 else None

    def element(self, coefficient: Polynomial, shift: list[int]) -> Any:
        """A coefficient with the eliminated symbols set to one."""
        table: dict[tuple[int, ...], fmpq] = {}
        for powers, c in coefficient:
            exponents = dict(powers)
            key = tuple(
                exponents.get(name, 0) + by
                for name, by in zip(self.units.essential, shift, strict=True)
            )
            table[key] = table.get(key, fmpq(0)) + as_fmpq(c)
        if self._context is not None:
            return self._context.from_dict(table)
        if not self.units.essential:
            return table.get((), fmpq(0))
        top = max((k for (k,) in table), default=0)
        return fmpq_poly([table.get((k,), 0) for k in range(top + 1)])

    def polynomial(self, element: Any, powers: Powers, order: int) -> Polynomial:
        """A coefficient of a product of variables in all symbols."""
        if self._context is not None:
            items = element.to_dict().items()
        elif self.units.essential:
            items = [((k,), c) for k, c in enumerate(element.coeffs()) if c]
        else:
            items = [((), element)] if element else []
        shift = [
            sum(self.shifts[place][w] * k for place, k in powers) + order * self.time[w]
            for w in range(len(self.units.essential))
        ]
        terms: dict[Monomial, Fraction] = {}
        for exponents, c in items:
            true = tuple(int(k) - by for k, by in zip(exponents, shift, strict=True))
            key = self.units.restored(powers, order, true)
            terms[key] = terms.get(key, Fraction(0)) + as_fraction(c)
        return Polynomial(terms)


def _shifts(system: PolynomialSystem, names: tuple[str, ...]) -> tuple[list[list[int]], list[int]]:
    """Powers of every symbol that make all exponents of the variables and of the rates positive."""
    shifts = [[max(0, -_lowest(start, name)) for name in names] for start in system.initial]
    time = [0] * len(names)
    for place, rate in enumerate(system.rates):
        for term in rate:
            for w, name in enumerate(names):
                missing = sum(shifts[j][w] * k for j, k in term.powers) - shifts[place][w]
                time[w] = max(time[w], missing - _lowest(term.coefficient, name))
    return shifts, time


def _lowest(coefficient: Polynomial, name: str) -> int:
    return min((dict(powers).get(name, 0) for powers, _ in coefficient), default=0)


def coefficients(system: PolynomialSystem) -> Iterator[Polynomial]:
    """The coefficients of τ^s of the output times s!, one after the other, in all symbols.

    Parameters
    ----------
    system : PolynomialSystem
    """
    ring = _Ring(system, units(system))
    shifts, time = ring.shifts, ring.time
    rates = []
    for place, rate in enumerate(system.rates):
        row = []
        for term in rate:
            shift = [
                a + b - sum(shifts[j][w] * k for j, k in term.powers)
                for w, (a, b) in enumerate(zip(shifts[place], time, strict=True))
            ]
            row.append((ring.element(term.coefficient, shift), term.powers))
        rates.append(row)
    start = [
        ring.element(value, shift) for value, shift in zip(system.initial, shifts, strict=True)
    ]
    wanted = [term.powers for term in system.output]
    for order, row in enumerate(series_of_products(start, rates, wanted)):
        total = Polynomial()
        for term, element in zip(system.output, row, strict=True):
            if term.powers:
                total += term.coefficient * ring.polynomial(element, term.powers, order)
            elif order == 0:
                total += term.coefficient
        yield total * factorial(order)


def series_of_products(
    start: list[Any], rates: list[list[tuple[Any, Powers]]], wanted: list[Powers]
) -> Iterator[list[Any]]:
    """The coefficients of some products of variables, order by order; None for the empty one.

    Parameters
    ----------
    start : list
        Values of the variables in any ring that contains the rationals: exact numbers,
        polynomials, or balls.
    rates : list of list of (coefficient, Powers)
        For every variable the terms of its rate.
    wanted : list of Powers
    """
    size = len(start)
    plan = products(size, [*(powers for rate in rates for _, powers in rate), *wanted])
    series: list[list[Any]] = [[value] for value in start] + [[] for _ in plan.pairs]
    order = 0
    while True:
        for place, (one, other) in enumerate(plan.pairs, size):
            left, right = series[one], series[other]
            series[place].append(sum(map(mul, left, reversed(right[: order + 1]))))
        yield [series[plan.places[powers]][order] if powers else None for powers in wanted]
        for place, rate in enumerate(rates):
            total = start[place] * 0
            for coefficient, powers in rate:
                if powers:
                    total += coefficient * series[plan.places[powers]][order]
                elif order == 0:
                    total += coefficient
            series[place].append(total * fmpq(1, order + 1))
        order += 1


def exact_series(system: PolynomialSystem) -> Iterator[list[Fraction]]:
    """The coefficients of τ^n of all variables of a system without symbols, order by order."""
    start = [_rational(value) for value in system.initial]
    rates = [[(_rational(term.coefficient), term.powers) for term in rate] for rate in system.rates]
    variables: list[Powers] = [((place, 1),) for place in range(len(start))]
    for row in series_of_products(start, rates, variables):
        yield [as_fraction(c) for c in row]


def _rational(number: Polynomial) -> fmpq:
    return as_fmpq(number.coefficient())


def taylor(system: PolynomialSystem, number: int) -> tuple[Polynomial, ...]:
    """The first Taylor coefficients of the output times s!, as polynomials in the symbols.

    Parameters
    ----------
    system : PolynomialSystem
    number : int
        How many.
    """
    return tuple(islice(coefficients(system), number))


def taylor_at(
    system: PolynomialSystem, number: int, values: Mapping[str, Fraction | int]
) -> tuple[Fraction, ...]:
    """The same at numbers.

    Parameters
    ----------
    system : PolynomialSystem
    number : int
    values : mapping from str to rational
        A value for every symbol of the system.

    Raises
    ------
    InvalidInputError
        If a symbol has no value.
    """
    numbers = taylor(at_numbers(system, values), number)
    return tuple(c.coefficient() for c in numbers)


def at_numbers(system: PolynomialSystem, values: Mapping[str, Fraction | int]) -> PolynomialSystem:
    """The system with numbers for its symbols.

    Parameters
    ----------
    system : PolynomialSystem
    values : mapping from str to rational
        A value for every symbol; others are ignored.

    Raises
    ------
    InvalidInputError
        If a symbol has no value, or one is not a number.
    """
    exact: dict[str, Fraction] = {}
    for name, value in values.items():
        try:
            exact[name] = Fraction(value)
        except (OverflowError, ValueError):
            raise InvalidInputError(
                f"{name} = {value}: is not a finite number; give a rational one"
            ) from None

    def number(coefficient: Polynomial) -> Polynomial:
        return Polynomial({(): Fraction(coefficient.evaluate(**exact))})

    def row(terms: tuple[SystemTerm, ...]) -> tuple[SystemTerm, ...]:
        found = (SystemTerm(number(term.coefficient), term.powers) for term in terms)
        return tuple(term for term in found if len(term.coefficient))

    return PolynomialSystem(
        variables=system.variables,
        rates=tuple(row(rate) for rate in system.rates),
        initial=tuple(number(start) for start in system.initial),
        output=row(system.output),
    )
