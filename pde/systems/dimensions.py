"""The dimensionless form of an exact system: which symbols matter, and which are only units.

With x_i = c^{e_i} X_i and the time in units of c^{-e_T}, a symbol c drops out of a system if the
exponents e can be chosen such that c cancels in every term. These are linear equations for e (the
Pi theorem). A symbol that cannot be cancelled alone may follow another, essential one: c then only
occurs as c^W w. What is left is a system in as few symbols as there are independent dimensionless
numbers, and every result of it is restored exactly.

>>> from expansion.dynamics.system import SystemTerm
>>> from expansion.polynomial import Polynomial
>>> p = Polynomial.parse
>>> system = PolynomialSystem(
...     variables=("a",),
...     rates=((SystemTerm(p("4"), ((0, 1),)), SystemTerm(p("-4*p"), ((0, 2),))),),
...     initial=(p("sigma2"),),
...     output=(SystemTerm(p("p**2"), ((0, 2),)),),
... )
>>> found = units(system)
>>> found.essential, found.eliminated, found.restored(((0, 1),), 3, (2,))
(('p',), ('sigma2',), (('p', 2), ('sigma2', 3)))

Source: ours; E. Buckingham, Phys. Rev. 4 (1914) 345, for the Pi theorem.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq_mat

from diagrams.rationals import as_fmpq, as_fraction
from diagrams.wick import Monomial, monomial
from expansion.dynamics.system import PolynomialSystem

__all__ = ["Powers", "Units", "units"]

Powers = tuple[tuple[int, int], ...]
"""Pairs of a variable's place and its power."""


@dataclass(frozen=True, slots=True)
class Units:
    """How the symbols of a system are split into essential ones and units.

    Parameters
    ----------
    essential : tuple of str
        Symbols that are kept.
    eliminated : tuple of str
        Symbols that are set to one.
    scales : tuple of tuple of Fraction
        For every eliminated symbol its exponents e_i, one for each variable.
    time : tuple of Fraction
        For every eliminated symbol its exponent e_T.
    company : tuple of tuple of Fraction
        For every eliminated symbol its power W in the company of each essential one.
    """

    essential: tuple[str, ...]
    eliminated: tuple[str, ...]
    scales: tuple[tuple[Fraction, ...], ...]
    time: tuple[Fraction, ...]
    company: tuple[tuple[Fraction, ...], ...]

    def restored(self, powers: Powers, order: int, exponents: tuple[int, ...]) -> Monomial:
        """The monomial in all symbols that belongs to one in the essential symbols.

        Parameters
        ----------
        powers : tuple of (int, int)
            The product of variables in whose series it occurs.
        order : int
            The power of the time.
        exponents : tuple of int
            Exponents of the essential symbols.
        """
        table = dict(zip(self.essential, exponents, strict=True))
        for name, scales, time, company in zip(
            self.eliminated, self.scales, self.time, self.company, strict=True
        ):
            whole = sum((scales[place] * power for place, power in powers), order * time)
            whole += sum(W * k for W, k in zip(company, exponents, strict=True))
            # The coefficient is a Laurent polynomial: every exponent in it is an integer.
            assert whole.denominator == 1, f"{name} to the power {whole} in a coefficient"
            table[name] = int(whole)
        return monomial(table)


def units(system: PolynomialSystem) -> Units:
    """Split the symbols of the rates and initial values of a system.

    Parameters
    ----------
    system : PolynomialSystem
    """
    rows, monomials = _occurrences(system)
    names = sorted({name for powers in monomials for name in powers})
    width = len(system.variables) + 1
    essential: list[str] = []
    eliminated: list[tuple[str, list[Fraction]]] = []
    for name in names:
        columns = [[row[j] for row in rows] for j in range(width)]
        columns += [[Fraction(-powers.get(w, 0)) for powers in monomials] for w in essential]
        target = [Fraction(-powers.get(name, 0)) for powers in monomials]
        solution = _combination(columns, target)
        if solution is None:
            essential.append(name)
        else:
            eliminated.append((name, solution))
    size = width - 1
    return Units(
        essential=tuple(essential),
        eliminated=tuple(name for name, _ in eliminated),
        scales=tuple(tuple(e[:size]) for _, e in eliminated),
        time=tuple(e[size] for _, e in eliminated),
        company=tuple(
            (*e[width:], *[Fraction(0)] * (len(essential) - len(e) + width)) for _, e in eliminated
        ),
    )


def _occurrences(system: PolynomialSystem) -> tuple[list[list[Fraction]], list[dict[str, int]]]:
    """Exponents of every monomial of rates and initial values, and what changes them."""
    width = len(system.variables) + 1
    rows: dict[tuple[tuple[int, ...], Monomial], None] = {}
    for place, (rate, start) in enumerate(zip(system.rates, system.initial, strict=True)):
        for term in rate:
            change = [0] * width
            change[place] -= 1
            change[-1] -= 1
            for other, power in term.powers:
                change[other] += power
            rows.update(dict.fromkeys((tuple(change), powers) for powers, _ in term.coefficient))
        change = [0] * width
        change[place] -= 1
        rows.update(dict.fromkeys((tuple(change), powers) for powers, _ in start))
    changes = [[Fraction(k) for k in change] for change, _ in rows]
    return changes, [dict(powers) for _, powers in rows]


def _combination(columns: list[list[Fraction]], target: list[Fraction]) -> list[Fraction] | None:
    """Coefficients of columns whose sum is the target, None if there are none."""
    width = len(columns)
    entries = [as_fmpq(value) for row in zip(*columns, target, strict=True) for value in row]
    if not target:
        return [Fraction(0)] * width
    reduced, rank = fmpq_mat(len(target), width + 1, entries).rref()
    solution = [Fraction(0)] * width
    column = 0
    for row in range(rank):
        while reduced[row, column] == 0:
            column += 1
        if column == width:
            return None
        value = reduced[row, width]
        solution[column] = as_fraction(value)
    return solution
