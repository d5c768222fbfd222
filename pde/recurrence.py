"""Linear recurrences with polynomial coefficients: checked on exact data, and found.

A `Recurrence` for C_n, n in N_0^d, says

    sum over k in K of C_{n+k} P_k(n+k) = 0     for all n in Z^d,  with C = 0 off N_0^d,

where K is a finite set of shifts and the P_k are polynomials. The condition at *all* n, also those
with negative entries, is what turns the recurrence into a differential equation for the generating
function; a factor such as n_1 in the coefficient of C_n makes room for initial values.

A recurrence can be *found*: the unknown coefficients of the P_k solve a linear system over the
rationals. Shifts and degrees are tried from the smallest on; a part of the equations is used for
the fit and the others are held out. What was found is a conjecture, confirmed by the held-out
equations and by nothing else.

>>> catalan = {(n,): Fraction(c) for n, c in enumerate([1, 1, 2, 5, 14, 42, 132, 429, 1430])}
>>> found = find_recurrence(catalan, max_shift=1, max_degree=1, start=1)
>>> print(found.recurrence)
C[n]*(n + 1) + C[n-1]*(-4*n + 2) = 0
>>> found.held_out
5

Source: Yarotsky, Golikov, Gusev 2026, section 6, for the form; the search is classical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm

from flint import fmpz_mat

from diagrams.errors import InvalidInputError

__all__ = ["Confirmation", "FoundRecurrence", "IndexPolynomial", "Recurrence", "find_recurrence"]

Index = tuple[int, ...]

MINIMAL_HELD_OUT = 2
"""Fewer held-out equations do not confirm a recurrence."""


@dataclass(frozen=True, slots=True)
class IndexPolynomial:
    """A polynomial in the entries of an index n, with rational coefficients.

    Parameters
    ----------
    terms : tuple of (exponents, Fraction)
        Sorted by exponents, the highest first; no zeros.
    """

    terms: tuple[tuple[Index, Fraction], ...]

    @classmethod
    def of(cls, table: Mapping[Index, Fraction | int]) -> IndexPolynomial:
        """From a table of coefficients."""
        kept = [(powers, Fraction(c)) for powers, c in table.items() if c]
        return cls(tuple(sorted(kept, key=lambda item: (-sum(item[0]), [-k for k in item[0]]))))

    @property
    def degree(self) -> int:
        """The total degree, -1 for zero."""
        return max((sum(powers) for powers, _ in self.terms), default=-1)

    def __call__(self, index: Sequence[int]) -> Fraction:
        """The value at an index."""
        total = Fraction(0)
        for powers, coefficient in self.terms:
            value = coefficient
            for entry, power in zip(index, powers, strict=True):
                value *= entry**power
            total += value
        return total

    def text(self, names: Sequence[str]) -> str:
        """The polynomial with names for the entries of the index."""
        parts = []
        for powers, coefficient in self.terms:
            body = "*".join(
                name if power == 1 else f"{name}**{power}"
                for name, power in zip(names, powers, strict=True)
                if power
            )
            size = abs(coefficient)
            word = str(size) if not body else body if size == 1 else f"{size}*{body}"
            sign = "-" if coefficient < 0 else "+"
            if parts:
                parts.append(f" {sign} {word}")
            else:
                parts.append(f"-{word}" if coefficient < 0 else word)
        return "".join(parts) or "0"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a check of a recurrence found.

    Parameters
    ----------
    checked : int
        Number of equations that the data decide and that involve a coefficient that is not zero.
    failures : tuple of index
        The n at which the equation does not hold.
    """

    checked: int
    failures: tuple[Index, ...]

    @property
    def holds(self) -> bool:
        """Whether at least one equation was checked and none failed."""
        return self.checked > 0 and not self.failures


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A linear recurrence with polynomial coefficients.

    Parameters
    ----------
    terms : tuple of (shift, IndexPolynomial)
        For each shift k the polynomial P_k, which is evaluated at n + k.

    Raises
    ------
    InvalidInputError
        If there is no term, or shifts are repeated or of different lengths.

    Examples
    --------
    >>> factorial = Recurrence.of({(0,): {(0,): 1}, (-1,): {(1,): -1, (0,): -1}})
    >>> print(factorial)
    C[n] + C[n-1]*(-n) = 0
    """

    terms: tuple[tuple[Index, IndexPolynomial], ...]

    def __post_init__(self) -> None:
        shifts = [shift for shift, _ in self.terms]
        lengths = {len(shift) for shift in shifts} | {
            len(powers) for _, polynomial in self.terms for powers, _ in polynomial.terms
        }
        if not shifts or len(set(shifts)) < len(shifts) or len(lengths) != 1:
            raise InvalidInputError(
                f"recurrence with shifts {shifts}: needs at least one shift, all different and of "
                "one length"
            )

    @classmethod
    def of(cls, table: Mapping[Index, Mapping[Index, Fraction | int]]) -> Recurrence:
        """From tables of coefficients, primitive and with a positive leading one."""
        polynomials = {shift: IndexPolynomial.of(terms) for shift, terms in table.items()}
        kept = sorted(
            ((shift, polynomial) for shift, polynomial in polynomials.items() if polynomial.terms),
            reverse=True,
        )
        numbers = [c for _, polynomial in kept for _, c in polynomial.terms]
        if not numbers:
            raise InvalidInputError(
                "recurrence: all its polynomials are zero; give one that is not"
            )
        scale = Fraction(
            lcm(*(c.denominator for c in numbers)), gcd(*(c.numerator for c in numbers))
        )
        scale = scale if numbers[0] > 0 else -scale
        return cls(
            tuple(
                (shift, IndexPolynomial.of({powers: c * scale for powers, c in polynomial.terms}))
                for shift, polynomial in kept
            )
        )

    @property
    def dimension(self) -> int:
        """The number of entries of an index."""
        return len(self.terms[0][0])

    @property
    def degree(self) -> int:
        """The largest degree of a P_k: the order of the differential equation."""
        return max(polynomial.degree for _, polynomial in self.terms)

    def check(self, data: Mapping[Index, Fraction]) -> Confirmation:
        """Test the recurrence at every n that exact data decide.

        Parameters
        ----------
        data : mapping from index to Fraction
            Known coefficients; those with a negative index are zero and need not be given.
        """
        checked = 0
        failures = []
        for n in _decided(data, [shift for shift, _ in self.terms]):
            values = [
                (value, polynomial(_shifted(n, shift)))
                for shift, polynomial in self.terms
                if (value := data.get(_shifted(n, shift), Fraction(0)))
            ]
            checked += 1
            if sum((value * factor for value, factor in values), Fraction(0)):
                failures.append(n)
        return Confirmation(checked, tuple(failures))

    def text(self, names: Sequence[str], symbol: str = "C") -> str:
        """The recurrence with names for the entries of the index.

        The polynomials are shown as functions of n, that is of the index of the equation.
        """
        parts = []
        for shift, polynomial in self.terms:
            place = ",".join(
                name + (f"{k:+d}" if k else "") for name, k in zip(names, shift, strict=True)
            )
            shown = _translated(polynomial, shift).text(names)
            parts.append(f"{symbol}[{place}]" + ("" if shown == "1" else f"*({shown})"))
        return " + ".join(parts) + " = 0"

    def latex(self, names: Sequence[str], symbol: str = "C") -> str:
        """The recurrence in LaTeX, without delimiters."""
        parts = []
        for shift, polynomial in self.terms:
            place = ",".join(
                name + (f"{k:+d}" if k else "") for name, k in zip(names, shift, strict=True)
            )
            shown = _translated(polynomial, shift).text(names).replace("**", "^").replace("*", " ")
            factor = "" if shown == "1" else f"\\left({shown}\\right) "
            parts.append(f"{factor}{symbol}_{{{place}}}")
        return " + ".join(parts) + " = 0"

    def __str__(self) -> str:
        names = ["n"] if self.dimension == 1 else [f"n{i}" for i in range(1, self.dimension + 1)]
        return self.text(names)


@dataclass(frozen=True, slots=True)
class FoundRecurrence:
    """A recurrence that was found, with what confirms it.

    Parameters
    ----------
    recurrence : Recurrence
    fitted : int
        Number of equations that determined its coefficients.
    held_out : int
        Number of further equations that it satisfies.
    """

    recurrence: Recurrence
    fitted: int
    held_out: int


def find_recurrence(
    data: Mapping[Index, Fraction],
    *,
    max_shift: int,
    max_degree: int,
    start: int = 0,
) -> FoundRecurrence:
    """The smallest recurrence that exact data satisfy and that held-out data confirm.

    Parameters
    ----------
    data : mapping from index to Fraction
        Known coefficients of one dimension; those with a negative index are zero.
    max_shift : int
        The shifts are the vectors with entries from -max_shift to 0.
    max_degree : int
        Largest total degree of the polynomials.
    start : int, default 0
        The equations at n with all entries at least ``start`` are used. Leave it at 0 for a
        recurrence that holds at all n; a larger one gives a recurrence with initial values.

    Raises
    ------
    InvalidInputError
        If no recurrence of this size is confirmed by at least `MINIMAL_HELD_OUT` equations that
        were held out.
    """
    if not data:
        raise InvalidInputError("recurrence: there are no data; give some coefficients")
    (dimension,) = {len(n) for n in data}
    for shifts, degree in _sizes(dimension, max_shift, max_degree):
        monomials = [
            powers
            for powers in product(range(degree + 1), repeat=dimension)
            if sum(powers) <= degree
        ]
        unknowns = [(shift, powers) for shift in shifts for powers in monomials]
        places = [n for n in _decided(data, shifts) if min(n) >= start]
        equations = [_equation(data, n, unknowns) for n in places]
        fitted, vector = _null_vector(equations, len(unknowns))
        if vector is None or len(equations) - fitted < MINIMAL_HELD_OUT:
            continue
        if any(sum(a * x for a, x in zip(row, vector, strict=True)) for row in equations[fitted:]):
            continue
        table: dict[Index, dict[Index, Fraction]] = {}
        for (shift, powers), value in zip(unknowns, vector, strict=True):
            table.setdefault(shift, {})[powers] = Fraction(value)
        return FoundRecurrence(Recurrence.of(table), fitted, len(equations) - fitted)
    raise InvalidInputError(
        f"recurrence: none with shifts up to {max_shift} and degree up to {max_degree} is "
        "confirmed by the data; give more coefficients or allow more"
    )


def _sizes(dimension: int, max_shift: int, max_degree: int) -> list[tuple[list[Index], int]]:
    """Sets of shifts with a degree, the fewest unknowns first; without C_n itself there is none."""
    boxes = product(range(max_shift + 1), repeat=dimension)
    found = []
    for box in boxes:
        if not any(box):
            continue
        shifts = sorted(product(*(range(-k, 1) for k in box)), reverse=True)
        for degree in range(max_degree + 1):
            found.append((shifts, degree))
    return sorted(found, key=lambda item: (len(item[0]) * (item[1] + 1) ** dimension, item[1]))


def _decided(data: Mapping[Index, Fraction], shifts: Sequence[Index]) -> Iterator[Index]:
    """The n, in graded order, at which all coefficients are known and one of them is not zero."""
    candidates = {
        tuple(a - k for a, k in zip(place, shift, strict=True))
        for place, value in data.items()
        if value
        for shift in shifts
    }
    for n in sorted(candidates, key=lambda n: (sum(n), n)):
        places = [_shifted(n, shift) for shift in shifts]
        if all(min(place) < 0 or place in data for place in places):
            yield n


def _equation(
    data: Mapping[Index, Fraction], n: Index, unknowns: Iterable[tuple[Index, Index]]
) -> list[int]:
    """One row of the linear system, in integers."""
    row = []
    for shift, powers in unknowns:
        place = _shifted(n, shift)
        value = data.get(place, Fraction(0)) if min(place) >= 0 else Fraction(0)
        for entry, power in zip(place, powers, strict=True):
            value *= entry**power
        row.append(value)
    denominator = lcm(*(value.denominator for value in row))
    return [int(value * denominator) for value in row]


def _null_vector(rows: Sequence[Sequence[int]], width: int) -> tuple[int, list[int] | None]:
    """How many of the first rows leave one solution, and this solution.

    The number is the smallest for which the solution is unique up to a factor.
    """
    if len(rows) < width - 1:
        return 0, None
    low, high = width - 1, len(rows)
    if fmpz_mat([list(row) for row in rows]).rank() > width - 1:
        # Too many conditions for the whole, but the first rows may still suggest a candidate,
        # which the held-out ones then refuse.
        return 0, None
    while low < high:
        middle = (low + high) // 2
        if fmpz_mat([list(row) for row in rows[:middle]]).rank() == width - 1:
            high = middle
        else:
            low = middle + 1
    matrix = fmpz_mat([list(row) for row in rows[:low]])
    kernel, nullity = matrix.nullspace()
    if nullity != 1:
        return 0, None
    return low, [int(kernel[i, 0]) for i in range(width)]


def _shifted(n: Index, shift: Index) -> Index:
    return tuple(a + k for a, k in zip(n, shift, strict=True))


def _translated(polynomial: IndexPolynomial, shift: Index) -> IndexPolynomial:
    """The polynomial P(n + shift) in powers of n."""
    table: dict[Index, Fraction] = {}
    for powers, coefficient in polynomial.terms:
        parts: dict[Index, Fraction] = {(): coefficient}
        for power, k in zip(powers, shift, strict=True):
            extended: dict[Index, Fraction] = {}
            for done, value in parts.items():
                binomial = 1
                for j in range(power, -1, -1):
                    # The term C(power, j) n^j k^(power - j), from j = power downwards.
                    key = (*done, j)
                    extended[key] = extended.get(key, Fraction(0)) + value * binomial * Fraction(
                        k
                    ) ** (power - j)
                    binomial = binomial * j // (power - j + 1)
            parts = extended
        for key, value in parts.items():
            table[key] = table.get(key, Fraction(0)) + value
    return IndexPolynomial.of(table)
