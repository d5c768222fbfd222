r"""Linear recurrences with polynomial coefficients, in any number of indices.

A `Recurrence` states of numbers C_n, n in N_0^d, that

    sum over k of  C_{n+k} P_k(n+k)  =  g_n        for **all** n in Z^d,

where C is zero off N_0^d, the shifts k are finitely many vectors of Z^d, every P_k is a polynomial
in the indices with rational coefficients, and the *source* g is zero but for finitely many n. That
it holds for all n, the boundary of N_0^d included, is what makes it a differential equation of the
generating function (`pde.recurrences.equation`). A recurrence that holds only where all its indices
are non-negative can often be brought to this form in one of two ways:

- by a power of an index, that is by another normalisation of the numbers: M_s = 4 M_{s-1} for
  s >= 1 fails at s = 0, but C_s = M_s/s! obeys s C_s = 4 C_{s-1} for all s (`over_factorials`);
- by a source: the Catalan numbers obey (n + 1) C_n = (4n - 2) C_{n-1} + g_n, with g_0 = 1.

Shifts are counted from the largest of each index, and the coefficients are coprime integers, so
that equality is equality of the statements. The form of P_k that a person writes is P_k(n+k).

>>> catalan = Recurrence(
...     indices=("n",),
...     terms={(0,): Polynomial.parse("n + 1"), (-1,): Polynomial.parse("-4*n - 2")},
...     source={(0,): 1},
... )
>>> print(catalan)
(1 + n)*C[n] + (2 - 4*n)*C[n - 1] = [n = 0]
>>> [str(value) for value in catalan.values({}, upto=(7,)).values()]
['1', '1', '2', '5', '14', '42', '132', '429']

Source: Yarotsky, Golikov, Gusev 2026, section 6; the source g is ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial, symbol_latex

__all__ = [
    "Confirmation",
    "Index",
    "Numbers",
    "Recurrence",
    "exact_numbers",
    "over_factorials",
    "sequence",
]

Index = tuple[int, ...]
Numbers = Mapping[Index, Fraction]


def sequence(values: Iterable[Fraction | int]) -> dict[Index, Fraction]:
    """Numbers with one index, from C_0 on.

    Examples
    --------
    >>> sequence([1, 2])
    {(0,): Fraction(1, 1), (1,): Fraction(2, 1)}
    """
    return exact_numbers({(n,): value for n, value in enumerate(values)})


def exact_numbers(data: Mapping[Index, Fraction | int]) -> dict[Index, Fraction]:
    """Numbers as fractions.

    Raises
    ------
    InvalidInputError
        If one is not a finite rational number.

    Examples
    --------
    >>> exact_numbers({(0,): float("nan")})
    Traceback (most recent call last):
    diagrams.errors.InvalidInputError: number nan at (0): is not rational; give finite exact ...
    """
    found = {}
    for n, value in data.items():
        try:
            found[tuple(n)] = Fraction(value)
        except (TypeError, ValueError, OverflowError):
            raise InvalidInputError(
                f"number {value} at ({', '.join(map(str, n))}): is not rational; give finite exact "
                "numbers"
            ) from None
    return found


def over_factorials(numbers: Numbers, *, index: int = 0) -> dict[Index, Fraction]:
    """C_n = M_n / n_i!, the coefficients of the generating function exponential in one variable.

    Examples
    --------
    >>> list(over_factorials(sequence([1, 1, 2, 6])).values()) == [1, 1, 1, 1]
    True
    """
    return {n: Fraction(value) / math.factorial(n[index]) for n, value in numbers.items()}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """On which equations a recurrence was checked.

    Parameters
    ----------
    checked : tuple of tuple of int
        The n whose equation contains a number that is not zero, and only numbers that are known.
    failures : tuple of tuple of int
        Those of them where it does not hold.
    """

    checked: tuple[Index, ...]
    failures: tuple[Index, ...]

    def __bool__(self) -> bool:
        return bool(self.checked) and not self.failures

    def __str__(self) -> str:
        if not self.failures:
            return f"holds in {len(self.checked)} equations"
        first = ", ".join(map(str, self.failures[0]))
        return f"fails in {len(self.failures)} of {len(self.checked)} equations, first at ({first})"


@dataclass(frozen=True, slots=True, init=False)
class Recurrence:
    """sum_k C_{n+k} P_k(n+k) = g_n for all n in Z^d.

    Parameters
    ----------
    indices : sequence of str
        Names of the d indices, which are the symbols of the polynomials.
    terms : mapping from tuple of int to Polynomial
        P_k for every shift k.
    source : mapping from tuple of int to rational, optional
        g_n where it is not zero.

    Raises
    ------
    InvalidInputError
        If there is no term, a shift has the wrong length, or a polynomial has another symbol or a
        negative power.
    """

    indices: tuple[str, ...]
    terms: tuple[tuple[Index, Polynomial], ...]
    source: tuple[tuple[Index, Fraction], ...]

    def __init__(
        self,
        *,
        indices: Sequence[str],
        terms: Mapping[Index, Polynomial],
        source: Mapping[Index, Fraction | int] | None = None,
    ) -> None:
        names = tuple(indices)
        kept = {tuple(k): P for k, P in terms.items() if P}
        given = {tuple(n): Fraction(value) for n, value in (source or {}).items() if value}
        _validate(names, kept, given)
        top = tuple(max(column) for column in zip(*kept, strict=True))
        factor = _primitive_factor(kept, given)
        object.__setattr__(self, "indices", names)
        object.__setattr__(
            self,
            "terms",
            tuple(sorted(((_minus(k, top), P * factor) for k, P in kept.items()), key=_descending)),
        )
        object.__setattr__(
            self,
            "source",
            tuple(sorted((_plus(n, top), value * factor) for n, value in given.items())),
        )

    @property
    def shifts(self) -> tuple[Index, ...]:
        """The shifts k, the largest first."""
        return tuple(k for k, _ in self.terms)

    @property
    def degree(self) -> int:
        """The largest degree of a P_k, the order of the differential equation."""
        return max(sum(k for _, k in powers) for _, P in self.terms for powers, _ in P)

    def defect(self, numbers: Numbers, n: Index) -> Fraction:
        """sum_k C_{n+k} P_k(n+k) - g_n, where numbers that are not given count as zero."""
        total = -dict(self.source).get(n, Fraction(0))
        for k, P in self.terms:
            value = numbers.get(_plus(n, k))
            if value:
                total += value * self._at(P, _plus(n, k))
        return total

    def check(self, data: Numbers) -> Confirmation:
        """Check it exactly wherever the data allow.

        Parameters
        ----------
        data : mapping from tuple of int to rational
            Known C_n, known zeros included. Off N_0^d they are zero and need not be given.

        Returns
        -------
        Confirmation
            The equations whose numbers are all known and not all zero.

        Examples
        --------
        >>> doubling = Recurrence(
        ...     indices=("n",),
        ...     terms={(0,): Polynomial.parse("n"), (-1,): Polynomial.parse("-2*n - 2")},
        ... )
        >>> print(doubling.check(sequence([1, 2, 4, 8])))
        holds in 4 equations
        >>> print(doubling.check(sequence([1, 2, 4, 9])))
        fails in 1 of 4 equations, first at (3)
        """
        places = {_minus(n, k) for n in data for k in self.shifts}
        places.update(n for n, _ in self.source)
        checked = tuple(n for n in sorted(places, key=graded) if self._is_known(data, n))
        failures = tuple(n for n in checked if self.defect(data, n))
        return Confirmation(checked, failures)

    def values(self, initial: Numbers, *, upto: Index) -> dict[Index, Fraction]:
        """The numbers C_n with 0 <= n <= upto that follow from initial ones.

        C_m is taken from the equation in which it has the largest shift, in order of |m|.

        Parameters
        ----------
        initial : mapping from tuple of int to rational
            Numbers taken as they are, at least those that the recurrence leaves free.
        upto : tuple of int
            The last value of every index.

        Raises
        ------
        InvalidInputError
            If a number is not determined.

        Examples
        --------
        >>> tripling = Recurrence(
        ...     indices=("n",), terms={(0,): Polynomial.parse("n"), (-1,): Polynomial.parse("-3")}
        ... )
        >>> [str(value) for value in tripling.values({(0,): 1}, upto=(3,)).values()]
        ['1', '3', '9/2', '9/2']
        """
        if len(upto) != len(self.indices):
            raise InvalidInputError(
                f"upto = {upto}: has {len(upto)} entries; give one for each of "
                f"{', '.join(self.indices)}"
            )
        known = {n: Fraction(value) for n, value in initial.items()}
        wanted = sorted(product(*(range(last + 1) for last in upto)), key=graded)
        for place in wanted:
            self._determine(place, known)
        return {n: known[n] for n in wanted}

    # -- forms ---------------------------------------------------------------------------------

    def __str__(self) -> str:
        parts = [
            f"({self._shifted(k, P)})*C[{', '.join(map(_index_text, self.indices, k))}]"
            for k, P in self.terms
        ]
        right = [
            f"{'' if value == 1 else f'{value}*'}"
            f"[{', '.join(f'{i} = {m}' for i, m in zip(self.indices, n, strict=True))}]"
            for n, value in self.source
        ]
        return f"{' + '.join(parts)} = {' + '.join(right) or '0'}"

    def __repr__(self) -> str:
        return (
            f"Recurrence(indices={self.indices!r}, terms={dict(self.terms)!r}, "
            f"source={dict(self.source)!r})"
        )

    def latex(self) -> str:
        r"""The recurrence in LaTeX, without dollar signs.

        Examples
        --------
        >>> Recurrence(
        ...     indices=("n",), terms={(0,): Polynomial.parse("n"), (-1,): Polynomial.parse("-3")}
        ... ).latex()
        'n\\, C_{n}-3\\, C_{n - 1} = 0'
        """
        names = [symbol_latex(name) for name in self.indices]
        places = [", ".join(map(_index_text, names, k)) for k, _ in self.terms]
        left = ""
        for place, (k, P) in zip(places, self.terms, strict=True):
            factor = self._shifted(k, P)
            if len(factor) > 1:
                text = rf"\left({factor.latex()}\right) "
            else:
                text = {"1": "", "-1": "-"}.get(factor.latex(), factor.latex() + r"\, ")
            sign = "" if text.startswith("-") or not left else " + "
            left += f"{sign}{text}C_{{{place}}}"
        right = [
            rf"{'' if value == 1 else f'{value} '}"
            rf"[{', '.join(f'{i} = {m}' for i, m in zip(names, n, strict=True))}]"
            for n, value in self.source
        ]
        return f"{left} = {' + '.join(right) or '0'}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    # -- inside --------------------------------------------------------------------------------

    def _at(self, P: Polynomial, m: Index) -> Fraction:
        return Fraction(P.evaluate(**dict(zip(self.indices, m, strict=True))))

    def _is_known(self, data: Numbers, n: Index) -> bool:
        inside = [m for m in (_plus(n, k) for k in self.shifts) if min(m) >= 0]
        return all(m in data for m in inside) and any(data[m] for m in inside)

    def _determine(self, place: Index, known: dict[Index, Fraction]) -> None:
        """Add C at a place, and whatever it depends on, to the known numbers."""
        (top, leading), *rest = self.terms
        waiting = [place]
        while waiting:
            m = waiting[-1]
            n = _minus(m, top)
            needed = [_plus(n, k) for k, _ in rest if min(_plus(n, k)) >= 0]
            missing = [] if m in known else [other for other in needed if other not in known]
            waiting += missing
            if missing:
                continue
            waiting.pop()
            if m in known:
                continue
            factor = self._at(leading, m)
            if not factor:
                raise InvalidInputError(
                    f"C[{', '.join(map(str, m))}]: the recurrence multiplies it by 0 and does not "
                    "determine it; add it to the initial numbers"
                )
            known[m] = -self.defect({other: known[other] for other in needed}, n) / factor

    def _shifted(self, k: Index, P: Polynomial) -> Polynomial:
        """P_k(n+k) as a polynomial in n."""
        return _translate(P, dict(zip(self.indices, k, strict=True)))


def graded(n: Index) -> tuple[int, Index]:
    """Order of indices: by their sum, then from left to right."""
    return sum(n), n


def _plus(a: Index, b: Index) -> Index:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _minus(a: Index, b: Index) -> Index:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _descending(term: tuple[Index, Polynomial]) -> tuple[int, Index]:
    return -sum(term[0]), tuple(-entry for entry in term[0])


def _validate(
    names: tuple[str, ...], terms: Mapping[Index, Polynomial], source: Mapping[Index, Fraction]
) -> None:
    if not terms:
        raise InvalidInputError("recurrence: has no term; give a polynomial that is not zero")
    for place in (*terms, *source):
        if len(place) != len(names):
            raise InvalidInputError(
                f"recurrence: {place} has {len(place)} entries; give one for each of "
                f"{', '.join(names)}"
            )
    for polynomial in terms.values():
        other = [name for name in polynomial.symbols if name not in names]
        if other:
            raise InvalidInputError(
                f"recurrence: {other[0]} is not an index; its indices are {', '.join(names)}"
            )
        if any(power < 0 for powers, _ in polynomial for _, power in powers):
            raise InvalidInputError(
                f"recurrence: {polynomial} has a negative power; multiply all terms by a polynomial"
            )


def _primitive_factor(
    terms: Mapping[Index, Polynomial], source: Mapping[Index, Fraction]
) -> Fraction:
    """The number that makes all coefficients coprime integers and the first one positive."""
    leading = min(terms.items(), key=_descending)[1]
    numbers = [c for P in terms.values() for _, c in P] + list(source.values())
    size = Fraction(
        math.lcm(*(c.denominator for c in numbers)), math.gcd(*(c.numerator for c in numbers))
    )
    highest = max(leading, key=lambda term: (sum(power for _, power in term[0]), term[0]))
    return size if highest[1] > 0 else -size


def _index_text(name: str, shift: int) -> str:
    if not shift:
        return name
    return f"{name} {'+' if shift > 0 else '-'} {abs(shift)}"


def _translate(P: Polynomial, by: Mapping[str, int]) -> Polynomial:
    total: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for powers, coefficient in P:
        for lower in product(*(range(power + 1) for _, power in powers)):
            value = coefficient
            for (name, power), kept in zip(powers, lower, strict=True):
                value *= math.comb(power, kept) * by[name] ** (power - kept)
            key = tuple((n, k) for (n, _), k in zip(powers, lower, strict=True) if k)
            total[key] = total.get(key, Fraction(0)) + value
    return Polynomial(total)
