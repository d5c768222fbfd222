r"""Algebraic generating functions: their equation found in exact coefficients, and their branch.

A generating function h(x) = Σ C_n x^n in one or several variables is algebraic if a polynomial
P(x, h) vanishes on it. Like a recurrence, P is *found*: the power series of the monomials
x^a h^k are computed to the order in the first variable to which C is known, known zeros included,
and a linear relation between them is sought on the lower orders and confirmed on the higher ones,
which are held out. Monomials are tried from the fewest on.

A polynomial whose low orders vanish on a truncated series need not vanish on any series: (h - 1)^2
is of order x^{2k} for every h = 1 + x^k + .... So a relation counts only if P has a root that is a
power series and agrees with all the data. With N known orders and v the order of ∂P/∂h there is
exactly one root near the data if P(x, h) is of order N > 2v (Newton, Hensel), and it agrees with
all of them if P is of order N + v on the truncated series.

The *branch* is the root of P that agrees with the series.

The Catalan numbers, h = 1 + x h²:

>>> found = find_algebraic_equation(sequence([1, 1, 2, 5, 14, 42, 132, 429]), variables=("x",))
>>> found.equation
h**2*x - h + 1
>>> found.branch()
-(sqrt(1 - 4*x) - 1)/(2*x)

Source: ours; for Narayana numbers, Yarotsky, Golikov, Gusev 2026, section 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

import mpmath
import sympy
from flint import fmpq_mat

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq, as_fraction
from pde.recurrences.recurrence import Index, Numbers, exact_numbers, sequence

__all__ = ["AlgebraicEquation", "find_algebraic_equation", "sequence"]

Series = dict[Index, Fraction]

_CHECK_DIGITS = 20


@dataclass(frozen=True, slots=True)
class AlgebraicEquation:
    """P(x, h) = 0 for a generating function, and what speaks for it.

    Parameters
    ----------
    variables : tuple of sympy.Symbol
    function : sympy.Symbol
        The symbol that stands for h.
    equation : sympy.Expr
        P, a polynomial in the variables and in h.
    fitted, held_out : int
        The numbers of coefficients of P(x, h) to which it was fitted and that confirm it.
    data : tuple of (tuple of int, Fraction)
        The coefficients of h it was found in.
    """

    variables: tuple[sympy.Symbol, ...]
    function: sympy.Symbol
    equation: sympy.Expr
    fitted: int
    held_out: int
    data: tuple[tuple[Index, Fraction], ...]

    def branch(self) -> sympy.Expr:
        """The root of P whose power series has the coefficients of the data.

        Raises
        ------
        InvalidInputError
            If the roots of P cannot be written down, or none has that series.
        """
        roots = sympy.roots(sympy.Poly(self.equation, self.function))
        for root in roots:
            if self._agrees(root):
                return sympy.factor(root, deep=False)
        raise InvalidInputError(
            f"equation {self.equation} = 0: none of its {len(roots)} explicit roots has the given "
            "power series; use the equation itself"
        )

    def _agrees(self, root: sympy.Expr) -> bool:
        """Whether a root equals the sum of the data near 0, up to the first unknown term."""
        order = max(n[0] for n, _ in self.data) + 1
        function = sympy.lambdify(self.variables, root, "mpmath")
        # An explicit root divides by powers of the variable and cancels as many digits.
        with mpmath.workdps(_CHECK_DIGITS * (order + 8)):
            small = mpmath.mpf(10) ** -_CHECK_DIGITS
            values = [small, *(mpmath.mpf(2 + i) / 7 for i in range(len(self.variables) - 1))]
            partial = mpmath.fsum(
                mpmath.mpf(c.numerator)
                / c.denominator
                * prod((v**k for v, k in zip(values, n, strict=True)), start=mpmath.mpf(1))
                for n, c in self.data
            )
            return bool(abs(function(*values) - partial) < small ** (order - 1))


def find_algebraic_equation(
    data: Numbers,
    *,
    variables: Sequence[str],
    degree: int = 2,
    max_power: int = 2,
    held_out: Fraction = Fraction(1, 4),
) -> AlgebraicEquation:
    """The polynomial equation with the fewest monomials that a generating function obeys.

    Parameters
    ----------
    data : mapping from tuple of int to rational
        C_n for every n whose first index is at most the largest one given, known zeros included;
        those not given up to there are zero.
    variables : sequence of str
        Names of the variables, one for each index.
    degree : int
        Largest degree in h.
    max_power : int
        Largest power of each variable.
    held_out : Fraction
        Share of the orders in the first variable that are kept for confirmation.

    Raises
    ------
    InvalidInputError
        If nothing is found, or the indices do not fit the variables.

    Examples
    --------
    >>> small = {(0,): Fraction(1), (1,): Fraction(1)}
    >>> find_algebraic_equation(small, variables=("x",))
    Traceback (most recent call last):
    diagrams.errors.InvalidInputError: algebraic equation: none of degree up to 2 in 2 ...
    """
    known = exact_numbers(data)
    if not 0 < held_out < 1:
        raise InvalidInputError(
            f"held_out = {held_out}: is the share of the orders kept for confirmation; give a "
            "number between 0 and 1"
        )
    if {len(n) for n in known} != {len(variables)}:
        raise InvalidInputError(
            f"variables {', '.join(variables)}: the coefficients have another number of indices; "
            "give one variable for each"
        )
    numbers = {n: value for n, value in known.items() if value}
    order = max(n[0] for n in known) + 1
    for top, powers in _grids(degree, max_power, len(variables)):
        monomials = [
            (a, k) for k in range(top + 1) for a in product(*(range(r + 1) for r in powers))
        ]
        columns = [
            _shifted(series, a, order) for (a, _), series in _powers(monomials, numbers, order)
        ]
        rows = sorted({n for column in columns for n in column})
        orders = sorted({n[0] for n in rows})
        # Shares of the orders with an equation: a cut within known zeros changes nothing.
        late = set(orders[len(orders) - max(1, round(held_out * len(orders))) :])
        fitted = [n for n in rows if n[0] not in late]
        relation = _relation(columns, fitted)
        if relation is None or any(_combined(relation, columns, n) for n in rows):
            continue
        terms = {m: c for m, c in zip(monomials, relation, strict=True) if c}
        if not _has_root(terms, numbers, order):
            continue
        return AlgebraicEquation(
            variables=tuple(sympy.Symbol(name) for name in variables),
            function=sympy.Symbol("h"),
            equation=_equation(terms, variables),
            fitted=len(fitted),
            held_out=len(rows) - len(fitted),
            data=tuple(sorted(known.items())),
        )
    raise InvalidInputError(
        f"algebraic equation: none of degree up to {degree} in {len(known)} coefficients; give "
        "more of them or allow a higher degree"
    )


def _grids(degree: int, max_power: int, dimension: int) -> list[tuple[int, Index]]:
    """Degrees in h and in the variables, in order of the number of monomials."""
    boxes = product(range(1, degree + 1), product(range(max_power + 1), repeat=dimension))
    return sorted(boxes, key=lambda grid: ((grid[0] + 1) * prod(r + 1 for r in grid[1]), grid))


def _equation(terms: dict[tuple[Index, int], Fraction], variables: Sequence[str]) -> sympy.Expr:
    """P with coprime integers, the first of them positive."""
    symbols = [*(sympy.Symbol(name) for name in variables), sympy.Symbol("h")]
    table = {(*a, k): sympy.Rational(c.numerator, c.denominator) for (a, k), c in terms.items()}
    _, polynomial = sympy.Poly.from_dict(table, *symbols).clear_denoms(convert=True)
    return sympy.sign(polynomial.LC()) * polynomial.primitive()[1].as_expr()


def _has_root(terms: dict[tuple[Index, int], Fraction], numbers: Series, order: int) -> bool:
    """Whether one power series obeys P = 0 and agrees with all the data.

    With h the truncated series, P(x, h + u) = P(x, h) + ∂P/∂h u + ..., so that the correction u
    begins at the order of P(x, h) less that of ∂P/∂h.
    """
    slope = {(a, k - 1): k * c for (a, k), c in terms.items() if k}
    lowest = min((n[0] for n in _substituted(slope, numbers, order)), default=order)
    if 2 * lowest >= order:
        return False
    return not _substituted(terms, numbers, order + lowest)


def _substituted(terms: dict[tuple[Index, int], Fraction], numbers: Series, order: int) -> Series:
    """P(x, h) up to an order in the first variable, for the h with just these coefficients."""
    total: Series = {}
    for (a, k), series in _powers(sorted(terms, key=lambda term: term[1]), numbers, order):
        for n, c in _shifted(series, a, order).items():
            total[n] = total.get(n, Fraction(0)) + terms[a, k] * c
    return {n: c for n, c in total.items() if c}


def _powers(
    monomials: list[tuple[Index, int]], numbers: Series, order: int
) -> Iterator[tuple[tuple[Index, int], Series]]:
    """Every monomial with its power of h, known below an order in the first variable."""
    dimension = len(monomials[0][0])
    power: Series = {(0,) * dimension: Fraction(1)}
    reached = 0
    for a, k in monomials:
        while reached < k:
            power = _product(power, numbers, order)
            reached += 1
        yield (a, k), power


def _product(a: Series, b: Series, order: int) -> Series:
    total: Series = {}
    for n, x in a.items():
        for m, y in b.items():
            if n[0] + m[0] < order:
                place = tuple(i + j for i, j in zip(n, m, strict=True))
                total[place] = total.get(place, Fraction(0)) + x * y
    return {n: c for n, c in total.items() if c}


def _shifted(series: Series, by: Index, order: int) -> Series:
    moved = {tuple(i + j for i, j in zip(n, by, strict=True)): c for n, c in series.items()}
    return {n: c for n, c in moved.items() if n[0] < order}


def _relation(columns: list[Series], rows: list[Index]) -> list[Fraction] | None:
    """The only linear relation between the columns in some rows, if there is exactly one."""
    if len(rows) < len(columns):
        return None
    entries = [column.get(n, Fraction(0)) for n in rows for column in columns]
    matrix = fmpq_mat(len(rows), len(columns), [as_fmpq(c) for c in entries])
    reduced, rank = matrix.rref()
    if rank != len(columns) - 1:
        return None
    pivots: list[int] = []
    for column in range(len(columns)):
        if len(pivots) < rank and reduced[len(pivots), column] == 1:
            pivots.append(column)
    free = next(column for column in range(len(columns)) if column not in pivots)
    relation = [Fraction(0)] * len(columns)
    relation[free] = Fraction(-1)
    for row, pivot in enumerate(pivots):
        value = reduced[row, free]
        relation[pivot] = as_fraction(value)
    return relation


def _combined(relation: list[Fraction], columns: list[Series], n: Index) -> Fraction:
    pairs = zip(relation, columns, strict=True)
    return sum((c * column.get(n, Fraction(0)) for c, column in pairs), start=Fraction(0))
