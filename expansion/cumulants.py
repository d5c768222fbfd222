"""Cumulants: how runs scatter around their mean.

The *cumulant* of order K of a quantity X that is random by its initial weights is its connected
K-th moment: the mean for K = 1, the variance E[X^2] - E[X]^2 for K = 2. Of the moments it is

    k_n = m_n - sum over j < n of binomial(n-1, j-1) k_j m_{n-j} .

As functions of time, moments are power series, and products are those of power series; where time
is discrete, a coefficient is the value after a step, and products are taken step by step. Among the
diagrams of E[X^K] the cumulant keeps those whose contractions connect all K factors.

A cumulant is asked for by the name ``cumulant(train, 2)``.

>>> m = [Polynomial.parse(text) for text in ("a", "a**2 + b")]
>>> [str(k[0]) for k in cumulants([[m[0]], [m[1]]])]
['a', 'b']
>>> read_cumulant("cumulant(train*ntk, 3)")
('train*ntk', 3)

Source: ours; the recursion is textbook material, see e.g. P. McCullagh, *Tensor Methods in
Statistics*, chapter 2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import comb

from diagrams.arguments import whole, word
from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial

__all__ = ["MAXIMAL_CUMULANT", "cumulant_name", "cumulants", "power_name", "read_cumulant"]

MAXIMAL_CUMULANT = 6
"""Highest order of a cumulant: the diagrams of its moments grow like a power with this exponent."""

_CUMULANT = re.compile(r"cumulant\((.*), ?(\d{1,3})\)", re.ASCII | re.DOTALL)


def cumulant_name(name: str, order: int) -> str:
    """The name of a cumulant of a quantity; that of order one is the quantity.

    Raises
    ------
    InvalidInputError
        If the order is not from 1 to 6, or the quantity is a cumulant itself.

    Examples
    --------
    >>> cumulant_name("train", 2), cumulant_name("train", 1)
    ('cumulant(train, 2)', 'train')
    """
    whole(order, "cumulant", least=1, most=MAXIMAL_CUMULANT)
    if order == 1:
        return name
    if _CUMULANT.fullmatch(name):
        raise InvalidInputError(
            f"cumulant of {name[:60]}: is one of a cumulant; name a loss or an observable"
        )
    return f"cumulant({name}, {order})"


def read_cumulant(name: str) -> tuple[str, int]:
    """The quantity and the order of a name; any other name has order one.

    Raises
    ------
    InvalidInputError
        As `cumulant_name`.
    """
    match = _CUMULANT.fullmatch(word(name, "loss"))
    if match is None:
        return name, 1
    cumulant_name(match[1], int(match[2]))
    return match[1], int(match[2])


def power_name(name: str, power: int) -> str:
    """The name of a power of a quantity, see `expansion.expressions`."""
    return name if power == 1 else f"({name})**{power}"


def cumulants(
    moments: Sequence[Sequence[Polynomial]], *, discrete: bool = False
) -> list[list[Polynomial]]:
    """The cumulants of order 1, 2, ... from the moments of order 1, 2, ...

    Parameters
    ----------
    moments : sequence of sequence of Polynomial
        For every order the coefficients Y_0, Y_1, ...
    discrete : bool, default False
        Whether these are values after steps, in place of derivatives in time.
    """
    found: list[list[Polynomial]] = []
    for n, moment in enumerate(moments, start=1):
        total = list(moment)
        for j, cumulant in enumerate(found, start=1):
            product = _product(cumulant, moments[n - j - 1], discrete=discrete)
            total = [a - b * comb(n - 1, j - 1) for a, b in zip(total, product, strict=True)]
        found.append(total)
    return found


def _product(
    first: Sequence[Polynomial], second: Sequence[Polynomial], *, discrete: bool
) -> list[Polynomial]:
    """The product of two functions of time."""
    if discrete:
        return [a * b for a, b in zip(first, second, strict=True)]
    return [
        sum((first[i] * second[s - i] * comb(s, i) for i in range(s + 1)), Polynomial())
        for s in range(len(first))
    ]
