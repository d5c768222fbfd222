r"""The series of a particle in three complex coordinates, alone or with a shared drift.

    da/ds = b̄ c,   db/ds = ā c,   dc/ds = a b.

With A = |a|², B = |b|², C = |c|², ρ = Re(a b c̄) it closes, dA/ds = dB/ds = dC/ds = 2ρ and
dρ/ds = AB + BC + CA. At the start A, B, C are exponential and the phase of a b c̄ is uniform:

    E[A^α B^β C^γ ρ^{2j}] = (α+j)! (β+j)! (γ+j)! binomial(2j, j) / 4^j    at σ = 1.

G(s) = Σ g_n s^n/n! is the mean of ρ. In a mean field of such particles f = κG(s), ds/dθ = 1 - f;
with a drift that all coordinates share, M = 1 + 2∫G ds, ds/dθ = λ and dλ/dθ = -ωλ⁵M².

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import count
from math import comb, factorial

from flint import fmpq, fmpq_poly

from diagrams.rationals import as_fmpq, as_fraction
from expansion.polynomial import Polynomial

__all__ = ["complex_moments", "mean_field_taylor", "narrow_latent_taylor"]

_Powers = tuple[int, int, int, int]
_Row = list[fmpq_poly]
"""Coefficients of θ^n, polynomials in κ or in ω."""


@cache
def _derivative(n: int) -> dict[_Powers, int]:
    """d^n ρ/ds^n, a polynomial in A, B, C and ρ."""
    if n == 0:
        return {(0, 0, 0, 1): 1}
    result: dict[_Powers, int] = {}
    for (a, b, c, r), value in _derivative(n - 1).items():
        steps = [
            ((a - 1, b, c, r + 1), 2 * a),
            ((a, b - 1, c, r + 1), 2 * b),
            ((a, b, c - 1, r + 1), 2 * c),
            ((a + 1, b + 1, c, r - 1), r),
            ((a, b + 1, c + 1, r - 1), r),
            ((a + 1, b, c + 1, r - 1), r),
        ]
        for powers, factor in steps:
            if factor:
                result[powers] = result.get(powers, 0) + factor * value
    return result


@cache
def complex_moments(n: int) -> Fraction:
    """g_n, the mean of d^n ρ/ds^n at the start for σ = 1.

    Examples
    --------
    >>> [int(complex_moments(n)) for n in range(6)]
    [0, 3, 0, 72, 0, 4608]
    """
    total = Fraction(0)
    for (a, b, c, r), value in _derivative(n).items():
        if r % 2 == 0:
            j = r // 2
            squares = factorial(a + j) * factorial(b + j) * factorial(c + j)
            total += value * squares * Fraction(comb(r, j), 4**j)
    return total


def mean_field_taylor() -> Iterator[Polynomial]:
    """The coefficients of ½p²(1 - f)² in t/T, times s!, with θ = √p σ t/T and κ = Hσ³/√p.

    Examples
    --------
    >>> rows = mean_field_taylor()
    >>> [str(next(rows)) for _ in range(3)]
    ['1/2*p**2', '-3*p**2*H*sigma2**2', '18*p**2*H**2*sigma2**4']
    """
    kappa = fmpq_poly([0, 1])
    rest: _Row = []  # 1 - f
    s: _Row = [fmpq_poly(0)]
    for n in count():
        rest.append(fmpq_poly(int(n == 0)) - kappa * _mean_of(s, n))
        s.append(rest[n] / (n + 1))
        square = _coefficient(n, rest, rest)
        yield _loss(square / 2, n, lambda j, n: ((n - j) // 2 + 2, j, (3 * j + n) // 2))


def narrow_latent_taylor() -> Iterator[Polynomial]:
    """The coefficients of ½p² + H(½ω²λ⁶M³ - ωλ³G) in t/T, times s!, with ω = (pσ²)^{3/2}.

    Examples
    --------
    >>> rows = narrow_latent_taylor()
    >>> [str(next(rows)) for _ in range(2)]
    ['1/2*p**2 + 1/2*p**3*H*sigma2**3', '-3*p**2*H*sigma2**2 - 3*p**5*H*sigma2**5']
    """
    omega, one = fmpq_poly([0, 1]), fmpq_poly(1)
    scale, mean, s, overlaps = [one], [one], [fmpq_poly(0)], []  # λ, M, s, G
    for n in count():
        overlaps.append(_mean_of(s, n))
        free = _coefficient(n, *[scale] * 6, *[mean] * 3)
        learnt = _coefficient(n, *[scale] * 3, overlaps)
        row = _loss(
            omega**2 * free / 2 - omega * learnt,
            n,
            lambda j, n: ((3 * j + n) // 2, 1, (3 * j + n) // 2),
        )
        yield row + Polynomial.parse("1/2*p**2") if n == 0 else row
        slower = omega * _coefficient(n, *[scale] * 5, *[mean] * 2)
        moved = _coefficient(n, overlaps, scale)
        s.append(scale[n] / (n + 1))
        mean.append(2 * moved / (n + 1))
        scale.append(-slower / (n + 1))


# -- series in θ -----------------------------------------------------------------------------------


def _product(one: Sequence[fmpq_poly], other: Sequence[fmpq_poly], n: int) -> _Row:
    """A product up to θ^n."""
    return [
        sum((one[k] * other[m - k] for k in range(m + 1)), start=fmpq_poly(0)) for m in range(n + 1)
    ]


def _coefficient(n: int, *factors: Sequence[fmpq_poly]) -> fmpq_poly:
    """The coefficient of θ^n of a product."""
    result = list(factors[0][: n + 1])
    for factor in factors[1:]:
        result = _product(result, factor, n)
    return result[n]


def _mean_of(s: Sequence[fmpq_poly], n: int) -> fmpq_poly:
    """The coefficient of θ^n of G(s); s begins at θ."""
    total = fmpq_poly(0)
    power: _Row = [fmpq_poly(1), *(fmpq_poly(0) for _ in range(n))]
    for k in range(n + 1):
        total += power[n] * as_fmpq(complex_moments(k) / factorial(k))
        power = _product(power, s, n)
    return total


def _loss(
    row: fmpq_poly, n: int, exponents: Callable[[int, int], tuple[int, int, int]]
) -> Polynomial:
    """A coefficient in p, H and sigma2, times n!."""
    terms = {}
    for j, c in enumerate(row.coeffs()):
        powers = zip(("p", "H", "sigma2"), exponents(j, n), strict=True)
        key = tuple(sorted((name, power) for name, power in powers if power))
        if c != 0:
            terms[key] = as_fraction(c * fmpq(factorial(n)))
    return Polynomial(terms)
