r"""Moments of the laws of entries, for the oracle; without cumulants unless they are given.

A *law* is a function from k to E u^k, a polynomial in the symbols of the law. The oracle multiplies
the moments of the entries of a monomial, so it needs nothing else.

>>> from diagflow.oracle import format_moments
>>> half = Fraction(1), (("sigma2", 1),)
>>> [format_moments(rademacher(half)(k)) for k in (2, 3, 4)]
['sigma2', '0', 'sigma2^2']
>>> format_moments(shifted(rademacher(half), (Fraction(-1), (("mu", 1),)))(2))
'sigma2 + mu^2'

Source: ours.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import comb
from typing import TypeAlias

from diagflow.oracle import Moments, Variance, multiplied, odd_double_factorial

__all__ = ["EntryLaw", "bernoulli", "gaussian", "of_cumulants", "rademacher", "shifted", "uniform"]

EntryLaw: TypeAlias = Callable[[int], Moments]
"""From k to E u^k."""


def gaussian(variance: Variance) -> EntryLaw:
    """Mean zero."""
    return lambda k: {} if k % 2 else _power(variance, k // 2, odd_double_factorial(k // 2))


def rademacher(variance: Variance) -> EntryLaw:
    """Plus or minus the square root of the variance."""
    return lambda k: {} if k % 2 else _power(variance, k // 2, 1)


def uniform(variance: Variance) -> EntryLaw:
    """Between plus and minus the square root of three times the variance.

    Examples
    --------
    >>> uniform((Fraction(1), ()))(4)
    {(): Fraction(9, 5)}
    """
    return lambda k: {} if k % 2 else _power(variance, k // 2, Fraction(3 ** (k // 2), k + 1))


def bernoulli(probability: Variance) -> EntryLaw:
    """One with a probability, else zero."""
    return lambda k: _power(probability, 1 if k else 0, 1)


def of_cumulants(values: Mapping[int, Variance]) -> EntryLaw:
    """The law with these cumulants, all others zero."""

    def moment(k: int) -> Moments:
        if not k:
            return {(): Fraction(1)}
        total: Moments = {}
        for block in range(1, k + 1):
            if block in values:
                own = _power(values[block], 1, comb(k - 1, block - 1))
                total = _added(total, multiplied(own, moment(k - block)))
        return total

    return moment


def shifted(law: EntryLaw, mean: Variance) -> EntryLaw:
    """The law of entries with a mean added."""

    def moment(k: int) -> Moments:
        total: Moments = {}
        for j in range(k + 1):
            total = _added(total, multiplied(_power(mean, k - j, comb(k, j)), law(j)))
        return total

    return moment


def _added(first: Moments, second: Moments) -> Moments:
    total = dict(first)
    for key, value in second.items():
        total[key] = total.get(key, Fraction(0)) + value
    return {key: value for key, value in total.items() if value}


def _power(value: Variance, power: int, factor: Fraction | int) -> Moments:
    number, monomial = value
    scaled = tuple((name, exponent * power) for name, exponent in monomial if power)
    return {scaled: number**power * factor}
