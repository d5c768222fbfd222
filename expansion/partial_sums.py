"""The sum of a series from a few exact terms, by Wynn's ε-algorithm.

From the partial sums S_0, S_1, ... the table

    ε_{-1}^{(n)} = 0,   ε_0^{(n)} = S_n,
    ε_{k+1}^{(n)} = ε_{k-1}^{(n+1)} + 1/(ε_k^{(n+1)} - ε_k^{(n)})

has in its even columns the values of Padé approximants. Everything is rational; the error is
estimated by how much the value changes when the last term, and the last two, are left out. It is an
estimate of size, cheap enough for every regime of a map; `pde.numerics.resummation` is the careful
one.

>>> value, error = accelerated_sum([Fraction(-1, 2) ** s for s in range(7)])
>>> value, error
(Fraction(2, 3), Fraction(0, 1))
>>> logarithm = [Fraction((-1) ** s, s + 1) for s in range(9)]
>>> value, error = accelerated_sum(logarithm)
>>> abs(float(value) - 0.693147180) < float(error) < 1e-4
True

Source: P. Wynn, On a device for computing the e_m(S_n) transformation, MTAC 10 (1956) 91.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

__all__ = ["accelerated_sum"]


def accelerated_sum(terms: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """The sum of a series and an estimate of its error.

    Parameters
    ----------
    terms : sequence of Fraction
        The first terms; those that vanish, as in even series, are left out.

    Returns
    -------
    tuple of (Fraction, Fraction)
        The value, and the largest change when one or two terms are left out. A single term is its
        own error.
    """
    present = [Fraction(term) for term in terms if term]
    if not present:
        return Fraction(0), Fraction(0)
    sums = list(accumulate(present))
    if len(sums) <= 2:
        return sums[-1], abs(present[-1])
    value = _last_entry(sums)
    shorter = [_last_entry(sums[:-left_out]) for left_out in (1, 2) if len(sums) > left_out]
    return value, max(abs(value - other) for other in shorter)


def _last_entry(sums: Sequence[Fraction]) -> Fraction:
    """The entry of the highest even column that uses the last partial sum."""
    before = [Fraction(0)] * (len(sums) + 1)
    column, result = list(sums), sums[-1]
    for order in range(1, len(sums)):
        steps = [b - a for a, b in pairwise(column)]
        if not all(steps):  # the column has become constant: it is the sum
            return result
        before, column = (
            column,
            [known + 1 / step for known, step in zip(before[1:], steps, strict=False)],
        )
        if order % 2 == 0:
            result = column[-1]
    return result
