"""What blocks of factors contribute to an expectation, as integers and powers of counters.

A table of contractions holds integers and exponents (`diagrams.engine.arrays.contraction_table`).
Of a Gaussian tensor it holds nothing: every pair is one variance, and how many there are is known
from the number of factors. A tensor with another law contributes a cumulant for every block, whose
size it holds; a `Counting` says what this is as an integer times powers of *counters*:

- laws with a variance v: κ_k = c_k v^(k/2) for k > 1. The power of v is known from the number of
  factors without a mean, for which there is a counter; c_k is made an integer by a scale to the
  power k/2.
- a Bernoulli law: κ_k is a polynomial in q with integer coefficients; q is the counter;
- a law of given cumulants: a counter for each.

>>> counting = Counting.of(Law.of("bernoulli", probability="q"))
>>> counting.counters, counting.terms(3)
(('q',), ((1, (1,)), (-3, (2,)), (2, (3,))))

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb

from diagrams.errors import CapacityError
from diagrams.laws import CUMULANTS, Law, bernoulli_powers, standard_cumulant

__all__ = ["Counting"]

_MOST_UNIFORM = 24
"""Largest block of a uniform law: its cumulants have the primes up to k + 1 in the denominator."""

_SCALE = 5 * 7 * 11 * 13 * 17 * 19 * 23
"""By its power k/2 they are integers up to there."""

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
    scale : int
        What the base is multiplied with.
    """

    law: Law
    counters: tuple[str, ...]
    base: str = ""
    scale: int = 1

    @classmethod
    def of(cls, law: Law) -> Counting:
        """The counting of a law."""
        if law.name == CUMULANTS:
            return cls(law, tuple(law.symbol(k) for k, _ in law.cumulants))
        if law.name == "bernoulli":
            return cls(law, (law.probability,))
        mean = (law.symbol(1),) if law.mean else ()
        return cls(law, mean, law.variance, _SCALE if law.name == "uniform" else 1)

    def terms(self, k: int) -> tuple[Term, ...]:
        """What a block of k factors contributes.

        Raises
        ------
        CapacityError
            If it is too large.
        """
        return _terms(self, k)

    def base_power(self, count: int, powers: tuple[int, ...]) -> int:
        """The power of the base, from the number of factors and the powers of the counters."""
        return (count - sum(powers)) // 2 if self.base else 0

    def bound(self, count: int) -> int:
        """At least the sum of the absolute coefficients of an expectation of so many factors."""
        return _bound(self, count)


@cache
def _terms(counting: Counting, k: int) -> tuple[Term, ...]:
    law = counting.law
    if law.name == CUMULANTS:
        place = [order for order, _ in law.cumulants].index(k)
        return ((1, tuple(int(n == place) for n in range(len(law.cumulants)))),)
    if law.name == "bernoulli":
        return tuple((c, (power,)) for power, c in bernoulli_powers(k))
    if k == 1:
        return ((1, (1,)),)
    if law.name == "uniform" and k > _MOST_UNIFORM:
        raise CapacityError(
            f"expectation of {k} factors of uniform entries: blocks of at most {_MOST_UNIFORM} are "
            "counted; ask for fewer terms"
        )
    c = standard_cumulant(law.name, k) * Fraction(counting.scale) ** (k // 2)
    return ((int(c), (0,) * len(counting.counters)),)


@cache
def _bound(counting: Counting, count: int) -> int:
    known = [1]
    for n in range(1, count + 1):
        known.append(
            sum(
                comb(n - 1, k - 1) * sum(abs(c) for c, _ in counting.terms(k)) * known[n - k]
                for k in counting.law.sizes(n)
            )
        )
    return max(known)
