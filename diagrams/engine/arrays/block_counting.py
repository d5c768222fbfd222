"""What blocks of factors contribute to an expectation, as integers and powers of counters.

A table of contractions holds integers and exponents (`diagrams.engine.arrays.contraction_table`).
Of a Gaussian tensor it holds nothing: every pair is one variance, and how many there are is known
from the number of factors. A tensor with another law contributes a cumulant for every block, whose
size it holds; a `Counting` gives it as an integer times powers of *counters*:

- laws with a variance v: κ_k = c_k v^(k/2) for k > 1. The power of v is known from the number of
  factors without a mean, for which there is a counter;
- a Bernoulli law: κ_k is a polynomial in q with integer coefficients; q is the counter;
- a law of given cumulants: a counter for each.

What counts is κ_k / (k - 1)!, see `diagrams.engine.arrays.integration_by_parts`. It becomes an
integer by a scale for every factor: the product of the primes up to k + 1 to the power k suffices,
for (k - 1)! has a prime p less than k - 1 times, and the denominators of a uniform law add one or
two to that.

>>> counting = Counting.of(Law.of("bernoulli", probability="q"))
>>> counting.counters, [(Fraction(2 * c, SCALE**3), powers) for c, powers in counting.terms(3)]
(('q',), [(Fraction(1, 1), (1,)), (Fraction(-3, 1), (2,)), (Fraction(2, 1), (3,))])

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, comb, factorial, prod

from diagrams.laws import CUMULANTS, Law, bernoulli_powers, standard_cumulant

__all__ = ["MAXIMAL_BLOCK", "SCALE", "Counting", "Term"]

MAXIMAL_BLOCK = 40
"""Most factors of a block."""

SCALE = prod((2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41))
"""What every factor is multiplied with."""

Term = tuple[int, tuple[int, ...]]
"""A coefficient and the powers of the counters."""


@dataclass(frozen=True)
class Counting:
    """How the blocks of one law are counted.

    Parameters
    ----------
    law : Law
    counters : tuple of str
        The texts that they stand for (`diagrams.laws.evaluated`).
    base : str
        The variance whose power follows from the number of factors; empty if there is none.
    """

    law: Law
    counters: tuple[str, ...]
    base: str = ""

    @classmethod
    def of(cls, law: Law) -> Counting:
        """The counting of a law."""
        if law.name == CUMULANTS:
            return cls(law, tuple(law.symbol(k) for k, _ in law.cumulants))
        if law.name == "bernoulli":
            return cls(law, (law.probability,))
        mean = (law.symbol(1),) if law.mean else ()
        return cls(law, mean, law.variance)

    def terms(self, k: int) -> tuple[Term, ...]:
        """The contribution of a block of k factors, divided by (k - 1)! and scaled."""
        return _terms(self, k)

    def base_power(self, count: int, powers: tuple[int, ...]) -> int:
        """The power of the base, from the number of factors and the powers of the counters."""
        return (count - sum(powers)) // 2 if self.base else 0

    def bound(self, count: int) -> int:
        """At least the sum of the absolute coefficients of an expectation of so many factors."""
        return _bound(self, count)


@cache
def _terms(counting: Counting, k: int) -> tuple[Term, ...]:
    return tuple(
        (int(c * Fraction(SCALE**k, factorial(k - 1))), powers)
        for c, powers in _cumulant(counting, k)
    )


def _cumulant(counting: Counting, k: int) -> tuple[tuple[Fraction, tuple[int, ...]], ...]:
    """κ_k, with the powers of the counters."""
    law = counting.law
    if law.name == CUMULANTS:
        place = [order for order, _ in law.cumulants].index(k)
        return ((Fraction(1), tuple(int(n == place) for n in range(len(law.cumulants)))),)
    if law.name == "bernoulli":
        return tuple((Fraction(c), (power,)) for power, c in bernoulli_powers(k))
    if k == 1:
        return ((Fraction(1), (1,)),)
    return ((standard_cumulant(law.name, k), (0,) * len(counting.counters)),)


@cache
def _bound(counting: Counting, count: int) -> int:
    known = [Fraction(1)]
    for n in range(1, count + 1):
        total = Fraction(0)
        for k in counting.law.sizes(n):
            for c, _ in _cumulant(counting, k):
                total += abs(c) * comb(n - 1, k - 1) * known[n - k]
        known.append(total)
    # An open block counts the orders of its factors.
    return int(ceil(max(known)) * factorial(count) * SCALE**count)
