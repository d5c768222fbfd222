r"""Powers of indices: sums of i^a over the indices i = 1, ..., n of an axis.

A power tensor is a Kronecker delta times a power of the common index. In a diagram it is as many
parallel factors of ``index``, one for every power, on one node: to identify nodes is to add powers.
What is left of such a node in the end is

    S_a(n)  =  sum over i = 1 ... n of i^a ,

a polynomial in n of degree a + 1 (Faulhaber's formula). Contraction does not look into it: a text
stands for it (`symbol`), as for a cumulant, and `diagrams.laws.evaluated` puts it in afterwards.

>>> power_sum("p", 2)
{(('p', 1),): Fraction(1, 6), (('p', 2),): Fraction(1, 2), (('p', 3),): Fraction(1, 3)}
>>> symbol("p", 2), read("2^p")
('2^p', ('p', 2))

Source: J. Faulhaber 1631, J. Bernoulli 1713; its use for diagrams is ours. Such sums are allowed in
Yarotsky, Golikov, Gusev 2026, theorem 3.1.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb

from diagrams.variances import Powers

__all__ = ["power_sum", "read", "symbol", "value"]


def symbol(axis: str, exponent: int) -> str:
    """The text that stands for S_a(n); no name can be it."""
    return f"{exponent}^{axis}"


def read(text: str) -> tuple[str, int] | None:
    """The name of the axis and the power of such a text, None if it is none."""
    exponent, mark, axis = text.partition("^")
    return (axis, int(exponent)) if mark else None


@lru_cache(maxsize=1024)
def power_sum(axis: str, exponent: int) -> dict[Powers, Fraction]:
    """S_a(n), a polynomial in the size n of an axis, by its name."""
    # (n + 1)^(a + 1) - 1 telescopes: sum over b <= a of C(a + 1, b) S_b.
    total = [Fraction(comb(exponent + 1, k)) for k in range(exponent + 2)]
    total[0] -= 1
    for b in range(exponent):
        for powers, c in power_sum(axis, b).items():
            total[dict(powers).get(axis, 0)] -= comb(exponent + 1, b) * c
    return {((axis, k),): c / (exponent + 1) for k, c in enumerate(total) if c}


def value(size: int, exponent: int) -> int:
    """S_a(n) at a number.

    Examples
    --------
    >>> value(3, 2)
    14
    """
    return sum(i**exponent for i in range(1, size + 1))
