"""Double factorials: the numbers of perfect matchings, and the moments of a Gaussian.

Source: ours.
"""

from __future__ import annotations

from math import prod

__all__ = ["double_factorial"]


def double_factorial(n: int) -> int:
    """The product n (n - 2) (n - 4) ..., 1 for n <= 0.

    ``double_factorial(2 l - 1)`` is the number of perfect matchings of 2l factors: the expectation
    of any diagram with 2l factors of one tensor at all sizes and variances equal to 1, and the
    moment of order 2l of a Gaussian of variance 1.

    Examples
    --------
    >>> [double_factorial(n) for n in (-1, 1, 3, 5, 7)]
    [1, 1, 3, 15, 105]
    """
    return prod(range(n, 1, -2))
