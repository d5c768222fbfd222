"""Recurrences found in exact numbers, by linear algebra over the rationals.

For shifts k in a box and degrees up to a bound, the equations

    sum over k, a of  p_{k,a} (n+k)^a C_{n+k}  =  0

are linear in the unknown coefficients p_{k,a} of the polynomials P_k. Boxes and degrees are tried
from the fewest unknowns on. The equations are those of the smaller numbers; the larger numbers are
*held out*, and a solution counts only if it holds in every equation with a held-out number. What is
found is a conjecture, with the number of equations that confirm it.

Only equations that contain a number that is not zero are counted, and a box is tried only where
there are at least as many of them as unknowns: then a solution is no matter of course. Among the
solutions in a box the one whose terms come first is taken, where terms are ordered by degree, then
by the size of the shift: the first column of the matrix that depends on those before it.

>>> print(find_recurrence(sequence([1, 1, 2, 6, 24, 120, 720]), source=True))
(1)*C[n] + (-n)*C[n - 1] = [n = 0]
fitted to 4 equations, confirmed by 2 more

Source: ours. Guessing recurrences by linear algebra is classical (B. Salvy, P. Zimmermann, ACM
Trans. Math. Software 20 (1994) 163).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from flint import fmpq, fmpq_mat

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq, as_fraction
from expansion.polynomial import Polynomial
from pde.recurrences.recurrence import (
    Confirmation,
    Index,
    Numbers,
    Recurrence,
    exact_numbers,
    graded,
    sequence,
)

__all__ = ["FoundRecurrence", "find_recurrence", "sequence"]

_NAMES = {1: ("n",), 2: ("n", "m")}


@dataclass(frozen=True, slots=True)
class FoundRecurrence:
    """A recurrence that was found, and what speaks for it.

    Parameters
    ----------
    recurrence : Recurrence
    fitted : Confirmation
        The equations it was fitted to.
    held_out : Confirmation
        The equations with held-out numbers, which were not used to find it.
    """

    recurrence: Recurrence
    fitted: Confirmation
    held_out: Confirmation

    def __str__(self) -> str:
        return (
            f"{self.recurrence}\nfitted to {len(self.fitted.checked)} equations, "
            f"confirmed by {len(self.held_out.checked)} more"
        )


def find_recurrence(
    data: Numbers,
    *,
    indices: Sequence[str] | None = None,
    max_shift: int | Sequence[int] = 2,
    max_degree: int = 2,
    held_out: Fraction = Fraction(1, 4),
    source: bool = False,
    along: str | None = None,
) -> FoundRecurrence:
    """The recurrence with the fewest unknowns that exact numbers obey.

    Parameters
    ----------
    data : mapping from tuple of int to rational
        Known C_n, known zeros included. Off N_0^d they are zero and need not be given.
    indices : sequence of str, optional
        Names of the indices; n, or n and m, or n_1, n_2, ... unless given.
    max_shift : int or sequence of int
        How far back shifts may reach, for all indices or for each one.
    max_degree : int
        Largest degree of the polynomials.
    held_out : Fraction
        Share of the numbers that are not zero to hold out, the last ones in order of |n|.
    source : bool
        Whether the recurrence may fail in the corner, that is for n in N_0^d with every index
        smaller than the reach of the shifts; the source makes up for it there.
    along : str, optional
        An index in which it has to step: C_n follows from numbers at which this index is smaller.
        A relation between numbers of one step, such as a support, is then not an answer, and
        polynomials in this index alone come first.

    Returns
    -------
    FoundRecurrence

    Raises
    ------
    InvalidInputError
        If the data or an option is not usable, or nothing is found.

    Examples
    --------
    >>> delannoy = {(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 3}
    >>> for n, m in product(range(6), repeat=2):
    ...     near = ((n - 1, m), (n, m - 1), (n - 1, m - 1))
    ...     delannoy[n, m] = sum(delannoy.get(k, 0) for k in near) or 1
    >>> print(find_recurrence(delannoy, max_shift=1, max_degree=0, source=True).recurrence)
    (1)*C[n, m] + (-1)*C[n, m - 1] + (-1)*C[n - 1, m] + (-1)*C[n - 1, m - 1] = [n = 0, m = 0]
    """
    numbers = exact_numbers(data)
    dimension = _dimension(numbers)
    names = _names(indices, dimension)
    reach = _reach(max_shift, dimension)
    step = _step(along, names)
    early = _early(numbers, Fraction(held_out))
    tried = 0
    for box, degree in _grids(reach, max_degree):
        search = _Search(names, numbers, early, _shifts(box, step), degree, source, step)
        if not search.is_determined:
            continue
        tried += 1
        for recurrence in search.candidates():
            found = search.confirmed(recurrence)
            if found is not None:
                return found
    raise InvalidInputError(
        f"recurrence: none with shifts up to {reach} and degree up to {max_degree} in "
        f"{len(numbers)} numbers ({tried} boxes of shifts had enough equations); give more numbers "
        "or allow more"
    )


class _Search:
    """The linear equations of one box of shifts and one degree."""

    def __init__(
        self,
        names: tuple[str, ...],
        numbers: Numbers,
        early: frozenset[Index],
        shifts: list[Index],
        degree: int,
        source: bool,
        step: int | None,
    ) -> None:
        self._names = names
        self._numbers = numbers
        self._early = early
        reach = [-min(column) for column in zip(*shifts, strict=True)]
        self._corner = frozenset(product(*map(range, reach))) if source else frozenset[Index]()
        powers = [a for a in product(range(degree + 1), repeat=len(reach)) if sum(a) <= degree]
        self.columns = sorted(product(shifts, powers), key=lambda column: _cost(column, step))
        self.rows = self._equations(shifts)

    def _equations(self, shifts: list[Index]) -> list[Index]:
        """The n whose numbers are all known, none of them held out, and not all zero."""
        rows = []
        places = {_difference(n, k) for n in self._early for k in shifts} - self._corner
        for n in sorted(places, key=graded):
            inside = [m for m in (_sum(n, k) for k in shifts) if min(m) >= 0]
            if all(m in self._early for m in inside) and any(self._numbers[m] for m in inside):
                rows.append(n)
        return rows

    @property
    def is_determined(self) -> bool:
        """Whether there are as many equations as unknowns."""
        return len(self.rows) >= len(self.columns)

    def candidates(self) -> Iterator[Recurrence]:
        """One recurrence for every column that depends on those before it."""
        entries = [self._entry(_sum(n, k), a) for n in self.rows for k, a in self.columns]
        reduced, rank = fmpq_mat(len(self.rows), len(self.columns), entries).rref()
        pivots: list[int] = []
        for column in range(len(self.columns)):
            row = len(pivots)
            if row < rank and reduced[row, column] == 1:
                pivots.append(column)
                continue
            solution = {self.columns[column]: Fraction(-1)}
            for i, pivot in enumerate(pivots):
                value = reduced[i, column]
                solution[self.columns[pivot]] = as_fraction(value)
            yield self._recurrence(solution)

    def confirmed(self, recurrence: Recurrence) -> FoundRecurrence | None:
        """The recurrence with its source, if it holds wherever it can be checked."""
        places = [n for n in self._corner if all(m in self._numbers for m in self._inside(n))]
        if len(places) < len(self._corner):
            return None
        complete = Recurrence(
            indices=self._names,
            terms=dict(recurrence.terms),
            source={n: recurrence.defect(self._numbers, n) for n in places},
        )
        whole = complete.check(self._numbers)
        rows = frozenset(self.rows)
        corner = self._corner
        fitted = tuple(n for n in whole.checked if n in rows)
        rest = tuple(n for n in whole.checked if n not in rows and n not in corner)
        if whole.failures or not rest:
            return None
        return FoundRecurrence(complete, Confirmation(fitted, ()), Confirmation(rest, ()))

    def _inside(self, n: Index) -> list[Index]:
        shifts = {k for k, _ in self.columns}
        return [m for m in (_sum(n, k) for k in shifts) if min(m) >= 0]

    def _entry(self, m: Index, powers: Index) -> fmpq:
        value = self._numbers.get(m, Fraction(0)) if min(m) >= 0 else Fraction(0)
        scaled = value * math.prod(entry**a for entry, a in zip(m, powers, strict=True))
        return as_fmpq(scaled)

    def _recurrence(self, solution: dict[tuple[Index, Index], Fraction]) -> Recurrence:
        terms: dict[Index, dict[tuple[tuple[str, int], ...], Fraction]] = {}
        for (k, powers), value in solution.items():
            key = tuple(zip(self._names, powers, strict=True))
            terms.setdefault(k, {})[key] = value
        return Recurrence(
            indices=self._names, terms={k: Polynomial(table) for k, table in terms.items()}
        )


def _cost(column: tuple[Index, Index], step: int | None) -> tuple[int, int, int, Index, Index]:
    shift, powers = column
    others = 0 if step is None else sum(powers) - powers[step]
    return others, sum(powers), -sum(shift), tuple(-entry for entry in shift), powers


def _grids(reach: Index, max_degree: int) -> list[tuple[Index, int]]:
    """Boxes of shifts with degrees, in order of the number of unknowns."""
    dimension = len(reach)

    def unknowns(grid: tuple[Index, int]) -> tuple[int, int, Index]:
        box, degree = grid
        monomials = math.comb(degree + dimension, dimension)
        return math.prod(r + 1 for r in box) * monomials, degree, box

    boxes = product(*(range(r + 1) for r in reach))
    return sorted(product(boxes, range(max_degree + 1)), key=unknowns)


def _shifts(box: Index, step: int | None) -> list[Index]:
    """The shifts in a box; with a step in one index, only those that go back in it, and zero."""
    everything = product(*(range(0, -r - 1, -1) for r in box))
    return [k for k in everything if step is None or k[step] or not any(k)]


def _step(along: str | None, names: tuple[str, ...]) -> int | None:
    if along is None:
        return None
    if along not in names:
        raise InvalidInputError(
            f"along = {along!r}: is not an index; the indices are {', '.join(names)}"
        )
    return names.index(along)


def _dimension(numbers: Numbers) -> int:
    lengths = {len(n) for n in numbers}
    if len(lengths) != 1 or 0 in lengths:
        raise InvalidInputError(
            "numbers: their indices must have one length; give a mapping such as {(0, 0): 1, ...}"
        )
    if any(min(n) < 0 for n in numbers):
        raise InvalidInputError("numbers: an index is negative; C_n is zero there, leave it out")
    return lengths.pop()


def _names(indices: Sequence[str] | None, dimension: int) -> tuple[str, ...]:
    if indices is None:
        default = tuple(f"n_{i}" for i in range(1, dimension + 1))
        return _NAMES.get(dimension, default)
    if len(set(indices)) != dimension:
        raise InvalidInputError(
            f"indices {', '.join(indices)}: the numbers have {dimension}; give {dimension} "
            "different names"
        )
    return tuple(indices)


def _reach(max_shift: int | Sequence[int], dimension: int) -> Index:
    reach = (max_shift,) * dimension if isinstance(max_shift, int) else tuple(max_shift)
    if len(reach) != dimension or min(reach) < 0:
        raise InvalidInputError(
            f"max_shift = {max_shift}: give one number of at least 0, or {dimension} of them"
        )
    return reach


def _early(numbers: Numbers, held_out: Fraction) -> frozenset[Index]:
    """The places of the numbers that are not held out."""
    if not 0 < held_out < 1:
        raise InvalidInputError(
            f"held_out = {held_out}: is the share of the numbers kept for confirmation; give a "
            "number between 0 and 1"
        )
    support = sorted((n for n, value in numbers.items() if value), key=graded)
    late = frozenset(support[len(support) - math.ceil(held_out * len(support)) :])
    return frozenset(numbers) - late


def _sum(a: Index, b: Index) -> Index:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _difference(a: Index, b: Index) -> Index:
    return tuple(x - y for x, y in zip(a, b, strict=True))
