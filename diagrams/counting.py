"""Independent counters: closed formulas that the enumerations are tested against.

Nothing here looks at a diagram. Each function is a classical number that some enumeration of the
engine has to reproduce.

Source: given with each function.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, factorial

from diagrams.factorials import double_factorial

__all__ = [
    "catalan",
    "double_factorial",
    "gaussian_norm_moment",
    "narayana",
    "wishart_moment",
]


def catalan(n: int) -> int:
    """The number of non-crossing partitions of n points.

    Examples
    --------
    >>> [catalan(n) for n in range(6)]
    [1, 1, 2, 5, 14, 42]
    """
    return comb(2 * n, n) // (n + 1)


def narayana(n: int, k: int) -> int:
    """The number of non-crossing partitions of n points into k parts.

    The leading part of E[Tr (W W^T)^n] is the sum of ``narayana(n, k) p^(n+1-k) H^k sigma^(2n)``.

    Examples
    --------
    >>> [narayana(4, k) for k in range(1, 5)]
    [1, 6, 6, 1]
    """
    if not 1 <= k <= n:
        return 0
    return comb(n, k) * comb(n, k - 1) // n


def gaussian_norm_moment(size: int, power: int) -> int:
    """E of the squared norm of a standard Gaussian vector to a power: size (size + 2) ...

    Examples
    --------
    >>> gaussian_norm_moment(3, 2)
    15
    """
    result = 1
    for step in range(power):
        result *= size + 2 * step
    return result


def wishart_moment(power: int) -> Mapping[tuple[int, int], int]:
    """E[Tr (W W^T)^power] for W with independent standard real Gaussian entries, H by p.

    Sum over all pairings of the 2 power letters of the cyclic word, by the genus-free count of the
    cycles of permutations: the letters pair up by a matching; walking along the word and jumping
    along the matching closes one cycle for every free index. Exponential cost, no recursion.

    Returns
    -------
    mapping
        Coefficients by (exponent of H, exponent of p).

    Examples
    --------
    >>> wishart_moment(2)
    {(1, 1): 1, (1, 2): 1, (2, 1): 1}

    Source
    ------
    The rule of surfaces glued from a polygon, see A. Zvonkin, "Matrix integrals and map
    enumeration", 1997.
    """
    result: dict[tuple[int, int], int] = {}
    for matching in _matchings(list(range(2 * power))):
        rows, columns = list(range(power)), list(range(power))
        for first, second in matching:
            # Letter 2j is W[row j, column j], letter 2j+1 is W[row j+1, column j].
            _unite(rows, ((first + 1) // 2) % power, ((second + 1) // 2) % power)
            _unite(columns, first // 2, second // 2)
        key = len(set(rows)), len(set(columns))
        result[key] = result.get(key, 0) + 1
    return dict(sorted(result.items()))


def _unite(labels: list[int], first: int, second: int) -> None:
    old, new = labels[first], labels[second]
    labels[:] = [new if label == old else label for label in labels]


def _matchings(points: list[int]) -> list[list[tuple[int, int]]]:
    if not points:
        return [[]]
    first, *rest = points
    return [
        [(first, other), *matching]
        for other in rest
        for matching in _matchings([point for point in rest if point != other])
    ]


def labelled_matchings(factors: int) -> int:
    """Number of perfect matchings of an even number of factors, by factorials.

    Examples
    --------
    >>> labelled_matchings(6) == double_factorial(5)
    True
    """
    half = factors // 2
    return 0 if factors % 2 else factorial(factors) // (2**half * factorial(half))
