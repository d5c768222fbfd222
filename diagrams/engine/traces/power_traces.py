r"""Expectations of traces of powers of a Wishart matrix, in closed form.

For a matrix W of p rows and H columns of independent standard Gaussian entries, with zonal
polynomials \(Z_\lambda\) in which \(p_1^k\) has the coefficient one,

    E[Z_λ(W W^T)] = product over the boxes (i, j) of λ of (p + 2j - i) (H + 2j - i),

where i and j count from zero, and a power sum is

    tr (W W^T)^k = 2k sum over λ of θ_λ / h_λ Z_λ(W W^T),

with θ_λ the product of 2j - i over all boxes but the first, and h_λ the product of the hooks of the
partition 2λ, whose rows are twice as long. θ_λ vanishes if λ has the box (2, 1): there are two long
rows at most, the others are of length one. So a moment costs as much as multiplying matrices with
about k²/4 rows, where contracting letter by letter meets products of many traces.

Source: P. Hanlon, R. Stanley, J. Stembridge, "Some combinatorial aspects of the spectra of normally
distributed random matrices", 1992; I. G. Macdonald, "Symmetric Functions and Hall Polynomials",
sections VI.10 and VII.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import factorial, gcd

import flint

from diagrams.engine.traces.cyclic_words import Word, opposite
from diagrams.factorials import double_factorial

__all__ = ["power_of", "power_trace"]


def power_of(word: Word) -> int | None:
    """k, if a word walks back and forth along one tensor k times; None if it does not.

    Examples
    --------
    >>> power_of("@A@A"), power_of("@A@@"), power_of("@@")
    (2, None, None)
    """
    half, odd = divmod(len(word), 2)
    back = opposite(word[0])
    return half if not odd and back != word[0] and word == (word[0] + back) * half else None


def power_trace(k: int) -> dict[tuple[int, int], int]:
    """The expectation of tr (W W^T)^k for standard Gaussian entries.

    Parameters
    ----------
    k : int
        At least 1.

    Returns
    -------
    dict
        Coefficients by the exponents of the numbers of rows and of columns.

    Examples
    --------
    E[tr W W^T] = p H, and E[tr (W W^T)^2] = p H² + p² H + p H:

    >>> power_trace(1)
    {(1, 1): 1}
    >>> power_trace(2)
    {(1, 1): 1, (1, 2): 1, (2, 1): 1}
    """
    first, second, column = _products(k, 0, 2), _products(k, -1, 2), _products(k, -2, -1)
    shapes = list(_shapes(k))
    # The hooks of 2λ divide (2k)!: whole numbers up to a common factor.
    weights = [_theta(*shape) * (factorial(2 * k) // _hooks(*shape)) for shape in shapes]
    common = gcd(*weights)
    # Symmetric, of degree k + 1: of two exponents the smaller is at most half of that.
    half = (k + 1) // 2
    rows, weighted = [], []
    for weight, (a, b, c) in zip(weights, shapes, strict=True):
        polynomial = first[a] * second[b] * column[c]
        # The first box is a factor: nothing is constant.
        rows.append([polynomial[power] for power in range(1, k + 1)])
        polynomial *= weight // common
        weighted.append([polynomial[power] for power in range(1, half + 1)])
    left, right = flint.fmpz_mat(weighted).transpose(), flint.fmpz_mat(rows)
    scale = Fraction(common, factorial(2 * k - 1))
    found = {}
    for (i, j), value in _product(left, right, scale, double_factorial(2 * k - 1)).items():
        found[i + 1, j + 1] = found[j + 1, i + 1] = value
    return {exponents: found[exponents] for exponents in sorted(found)}


def _product(
    left: flint.fmpz_mat, right: flint.fmpz_mat, scale: Fraction, most: int
) -> dict[tuple[int, int], int]:
    """Nonzero entries of a scaled product, of a triangle where they are from 0 to ``most``.

    Modulo some primes and put together by the Chinese remainder theorem: the factors are several
    times longer than the entries.
    """
    half, k = left.nrows(), right.ncols()
    places = [(i, j) for i in range(half) for j in range(i, k - i)]
    values, modulus = [0] * len(places), 1
    for prime in _primes():
        product = flint.nmod_mat(left, prime) * flint.nmod_mat(right, prime)
        factor = scale.numerator * pow(scale.denominator, -1, prime) % prime
        entries = [int(entry) for entry in product.entries()]
        inverse = pow(modulus, -1, prime)
        for number, (i, j) in enumerate(places):
            more = (entries[i * k + j] * factor - values[number]) * inverse % prime
            values[number] += modulus * more
        modulus *= prime
        if modulus > most:
            break
    return {at: value for at, value in zip(places, values, strict=True) if value}


def _primes() -> Iterator[int]:
    """Primes below 2^62, larger than all that is divided by."""
    number = 2**62
    while True:
        number -= 1
        if flint.fmpz(number).is_prime():
            yield number


def _shapes(k: int) -> Iterator[tuple[int, int, int]]:
    """Partitions of k: two rows, the second perhaps empty, and a number of rows of length one."""
    yield k, 0, 0
    for a in range(1, k):
        for b in range(1, min(a, k - a) + 1):
            yield a, b, k - a - b


def _products(k: int, start: int, step: int) -> list[flint.fmpz_poly]:
    """The products of the first 0 to k factors x + start, x + start + step, ..."""
    found = [flint.fmpz_poly([1])]
    for number in range(k):
        found.append(found[-1] * flint.fmpz_poly([start + number * step, 1]))
    return found


def _theta(a: int, b: int, c: int) -> int:
    """The product of 2j - i over all boxes but the first."""
    result: int = 2 ** (a - 1) * factorial(a - 1)
    for j in range(b):
        result *= 2 * j - 1
    result *= factorial(c + 1)
    return -result if c % 2 else result


def _hooks(a: int, b: int, c: int) -> int:
    """The product of the hooks of the partition with rows 2a, 2b and c times 2."""
    if not b:
        return factorial(2 * a)
    upper = (2 * a + c + 1) * (2 * a + c) * factorial(2 * a - 1) * factorial(2 * a - 2 * b)
    lower = (2 * b + c) * (2 * b + c - 1) * factorial(2 * b - 2)
    return upper // factorial(2 * a - 2 * b + 1) * lower * factorial(c + 1) * factorial(c)
