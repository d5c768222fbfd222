"""Taylor coefficients of the leading loss, exact, from the hierarchy of its cores.

With c(tau) = sum over k of c_k tau^k for every core, the hierarchy gives c_{k+1} from the
coefficients up to c_k of the cores in its derivative: power series are multiplied, nothing is
merged or contracted any more. A core that is reached after d derivatives is needed up to order
S - d only. All coefficients are Laurent polynomials in the symbols of the problem, in python-flint.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import factorial

from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from diagrams.rationals import as_fraction
from expansion.polynomial import Polynomial

__all__ = ["LaurentRing", "SeriesTerm", "gaussian_average", "series_coefficients"]

Exponents = tuple[int, ...]
Laurent = tuple[Exponents, fmpq_mpoly]
"""A monomial with exponents of any sign, times a polynomial."""

PRODUCTS_OF_ONE = 100
"""Products of monomials that count as one diagram."""

SeriesTerm = tuple[Polynomial, tuple[int, ...]]
"""A coefficient and the numbers of its variables, repeated for powers."""


class LaurentRing:
    """Laurent polynomials with rational coefficients in some symbols.

    Parameters
    ----------
    names : sequence of str

    Examples
    --------
    >>> ring = LaurentRing(["p", "H"])
    >>> x = ring.element(Polynomial.parse("p - H**-1"))
    >>> print(ring.polynomial(ring.product(x, x)))
    p**2 - 2*p*H**-1 + H**-2
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names) or ("unused",)
        self._ring = fmpq_mpoly_ctx.get(self.names, "lex")
        self._origin = (0,) * len(self.names)
        self.zero: Laurent = (self._origin, self._ring.constant(0))
        self.one: Laurent = (self._origin, self._ring.constant(1))

    def element(self, polynomial: Polynomial) -> Laurent:
        """A polynomial as an element."""
        exponents = polynomial.exponents(self.names)
        if not exponents:
            return self.zero
        least = tuple(map(min, zip(*exponents, strict=True)))
        table = {
            tuple(a - b for a, b in zip(point, least, strict=True)): fmpq(
                c.numerator, c.denominator
            )
            for point, (_, c) in zip(exponents, polynomial, strict=True)
        }
        return least, self._ring.from_dict(table)

    def polynomial(self, element: Laurent) -> Polynomial:
        """An element as a polynomial."""
        shift, value = element
        return Polynomial(
            {
                tuple(
                    (name, int(k) + low)
                    for name, k, low in zip(self.names, exponents, shift, strict=True)
                    if int(k) + low
                ): as_fraction(c)
                for exponents, c in value.to_dict().items()
            }
        )

    def product(self, first: Laurent, second: Laurent) -> Laurent:
        """The product of two elements."""
        return tuple(map(int.__add__, first[0], second[0])), first[1] * second[1]

    def total(self, elements: Sequence[Laurent]) -> Laurent:
        """The sum of some elements."""
        present = [element for element in elements if element[1]]
        if not present:
            return self.zero
        least = tuple(map(min, zip(*(shift for shift, _ in present), strict=True)))
        total = self._ring.constant(0)
        for shift, value in present:
            if shift != least:
                gap = tuple(a - b for a, b in zip(shift, least, strict=True))
                value = value * self._ring.from_dict({gap: 1})
            total += value
        return least, total

    def scaled(self, element: Laurent, factor: fmpq) -> Laurent:
        """An element times a number."""
        return element[0], element[1] * factor


def series_coefficients(
    last: int,
    *,
    output: Sequence[SeriesTerm],
    rates: Mapping[int, Sequence[SeriesTerm]],
    initial: Sequence[Polynomial],
    tick: Callable[[int], None] | None = None,
) -> tuple[Polynomial, ...]:
    """S! times the coefficient of tau^s in the output, for s = 0 ... last.

    Parameters
    ----------
    last : int
    output : sequence of SeriesTerm
    rates : mapping from int to sequence of SeriesTerm
        The derivative of every variable that is needed.
    initial : sequence of Polynomial
        The value of every variable at zero.
    tick : callable, optional
        Called with the work done, in diagrams of an average; raises to stop it.

    Examples
    --------
    An exponential: x' = -x, x(0) = p.

    >>> p = Polynomial.parse("p")
    >>> minus = Polynomial.parse("-1")
    >>> one = Polynomial.parse("1")
    >>> found = series_coefficients(
    ...     2, output=[(one, (0, 0))], rates={0: [(minus, (0,))]}, initial=[p]
    ... )
    >>> [str(coefficient) for coefficient in found]
    ['p**2', '-2*p**2', '4*p**2']
    """
    every = [*output, *(term for terms in rates.values() for term in terms)]
    symbols = {n for c, _ in every for n in c.symbols} | {n for c in initial for n in c.symbols}
    ring = LaurentRing(sorted(symbols))
    starts = [ring.element(value) for value in initial]
    # Linearised systems have the same coefficients again and again, as the same objects.
    known = {id(c): c for c, _ in every}
    elements = {key: ring.element(c) for key, c in known.items()}
    linear = {
        variable: [(elements[id(c)], variables) for c, variables in terms]
        for variable, terms in rates.items()
    }

    @cache
    def variable(place: int, order: int) -> Laurent:
        if order == 0:
            return starts[place]
        return ring.scaled(combination(linear[place], order - 1), fmpq(1, order))

    @cache
    def product(places: tuple[int, ...], order: int) -> Laurent:
        if not places:
            return ring.zero if order else ring.one
        if len(places) == 1:
            return variable(places[0], order)
        # The last place is the one met last, so that powers of the first ones are shared.
        head, tail = places[:-1], places[-1]
        parts = []
        for k in range(order + 1):
            left = product(head, k)
            if left[1]:
                right = variable(tail, order - k)
                if tick is not None:
                    tick(1 + len(left[1]) * len(right[1]) // PRODUCTS_OF_ONE)
                parts.append(ring.product(left, right))
        return ring.total(parts)

    def combination(terms: Sequence[tuple[Laurent, tuple[int, ...]]], order: int) -> Laurent:
        return ring.total([ring.product(c, product(places, order)) for c, places in terms])

    final = [(elements[id(c)], variables) for c, variables in output]
    result = []
    for s in range(last + 1):
        value = ring.scaled(combination(final, s), fmpq(factorial(s)))
        result.append(ring.polynomial(value))
    return tuple(result)


def gaussian_average(
    value: Polynomial, covariance: Mapping[tuple[str, str], Polynomial]
) -> Polynomial:
    """The mean of a polynomial over Gaussian symbols of mean zero.

    Parameters
    ----------
    value : Polynomial
    covariance : mapping from (str, str) to Polynomial
        For every pair of Gaussian symbols.

    Examples
    --------
    >>> p = Polynomial.parse
    >>> print(gaussian_average(p("x*g**2 + g**4 + y*g"), {("g", "g"): p("s")}))
    3*s**2 + s*x
    """
    symbols = {name for name, _ in covariance}
    if not symbols:
        return value

    @cache
    def mean(names: tuple[str, ...]) -> Polynomial:
        if not names:
            return Polynomial({(): 1})
        total = Polynomial()
        for k in range(1, len(names)):
            rest = names[1:k] + names[k + 1 :]
            total += covariance[names[0], names[k]] * mean(rest)
        return total

    result = Polynomial()
    for powers, c in value:
        names = tuple(n for n, k in powers if n in symbols for _ in range(k))
        rest = tuple((n, k) for n, k in powers if n not in symbols)
        result += Polynomial({rest: c}) * mean(names)
    return result
