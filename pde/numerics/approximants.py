r"""Sums of power series from finitely many exact coefficients.

A series sum of c_n x^n, convergent or not, is replaced by a function with the same first terms:

- *Padé*: a ratio of polynomials of degrees L and M that agrees with the series up to x^{L+M};
- *Levin's u-transformation*: with terms a_n = c_n x^n and partial sums S_n, the S for which
  (S - S_n)/((n+1) a_n) is a polynomial in 1/(n+1), eliminated by differences; again a ratio of
  polynomials in x;
- *Borel-Padé*: for coefficients that grow like (kn)!, the Padé approximant B of
  sum of c_n x^n/(kn)!, and then the integral of exp(-u) B(x u^k) over u > 0.

All coefficients are rational and the linear algebra is exact: for factorially divergent series it
is so badly conditioned that 30 digits do not suffice. A ratio is evaluated exactly at the given
floating-point number and rounded once.

>>> geometric = [Fraction(-2) ** n for n in range(3)]
>>> print(pade(geometric, degree=1))
(1)/(2*x + 1)
>>> euler = [Fraction((-1) ** n * factorial(n)) for n in range(20)]
>>> round(float(borel_pade(euler, growth=1)(np.array([1.0]))[0]), 6)  # e E_1(1)
0.596347

Source: G. A. Baker, P. Graves-Morris, Padé Approximants, 1996; D. Levin, Int. J. Comput. Math. B 3
(1973) 371.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, factorial
from typing import Any

import numpy as np
from flint import arb, arb_poly, ctx, fmpq, fmpq_mat, fmpq_poly
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq, as_fraction

__all__ = ["BorelSum", "RationalFunction", "borel_pade", "levin", "levin_by_parity", "pade"]

FloatArray = NDArray[np.float64]

DOUBLET = 1e-10
"""The relative size of a residue below which a pole has no influence."""

_PRECISIONS = (192, 1024)
"""Bits of the balls that are tried before exact numbers."""

_STEP = 2.0**-5
_GRID = np.arange(-4.5, 4.0, _STEP)
_NODES = np.exp(_GRID - np.exp(-_GRID))
_WEIGHTS = np.exp(-_NODES) * _NODES * (1 + np.exp(-_GRID)) * _STEP
"""Double-exponential quadrature of exp(-u) over u > 0."""


@dataclass(frozen=True, slots=True)
class RationalFunction:
    """A ratio of polynomials with rational coefficients.

    Parameters
    ----------
    numerator, denominator : flint.fmpq_poly
    """

    numerator: fmpq_poly
    denominator: fmpq_poly

    def exact(self, x: Fraction) -> Fraction | None:
        """The value at a rational number, None at a pole."""
        point = as_fmpq(x)
        below = self.denominator(point)
        if below == 0:
            return None
        value = self.numerator(point) / below
        return as_fraction(value)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Values at floating-point numbers, rounded once; not a number at a pole."""
        points = [float(point) for point in x.ravel()]
        found = {n: math.nan for n, point in enumerate(points) if not math.isfinite(point)}
        for precision in _PRECISIONS:
            if len(found) == len(points):
                break
            # A ball whose ends are rounded to one number is as good as the exact value.
            with ctx.workprec(precision):
                above, below = arb_poly(self.numerator), arb_poly(self.denominator)
                for n, point in enumerate(points):
                    if n in found:
                        continue
                    value = _settled(above(point), below(point))
                    if value is not None:
                        found[n] = value
        for n, point in enumerate(points):
            if n not in found:
                exact = self.exact(Fraction(point))
                found[n] = math.nan if exact is None else _rounded(exact)
        return np.array([found[n] for n in range(len(points))], dtype=float).reshape(x.shape)

    def nearest_pole(self, *, sign: int) -> float:
        """The distance from 0 of the nearest real pole of the given sign, infinite without one.

        Examples
        --------
        >>> pade([Fraction(-2) ** n for n in range(3)], degree=1).nearest_pole(sign=-1)
        0.5
        """
        return min((x for x, _ in self._poles(sign)), default=math.inf)

    def first_pole(self, *, sign: int) -> float:
        """The same without poles that nearly cancel with a zero.

        Such a pair, a Froissart doublet, is an artefact without influence: the residue, divided by
        the distance from 0, is below `DOUBLET` times the value to which the first powers add up.
        """
        strong = [
            x for x, residue in self._poles(sign) if not abs(residue) <= DOUBLET * x * min(x, 1.0)
        ]
        return min(strong, default=math.inf)

    def _poles(self, sign: int) -> list[tuple[float, float]]:
        """The distances of the real poles of a sign, with their residues."""
        # Pairs of a root and its multiplicity, despite the library's annotation.
        roots: list[Any] = list(self.denominator.complex_roots())
        slope = self.denominator.derivative()
        result = []
        for root, multiplicity in roots:
            if not (root.imag.contains(0) and root.real * sign > 0):
                continue
            exact = root.real.mid()
            with_residue = multiplicity == 1 and slope.degree() >= 0
            at = arb_poly(self.numerator)(exact) / arb_poly(slope)(exact) if with_residue else None
            residue = math.inf if at is None else float(at.abs_upper())
            result.append((float(exact * sign), residue))
        return result

    def has_pole(self, *, sign: int) -> bool:
        """Whether the denominator vanishes at a real number of the given sign."""
        return math.isfinite(self.nearest_pole(sign=sign))

    def less(self, constant: Fraction) -> RationalFunction:
        """The ratio minus a constant, exactly."""
        value = as_fmpq(constant)
        return RationalFunction(self.numerator - self.denominator * value, self.denominator)

    def __str__(self) -> str:
        return f"({self.numerator.str(var='x')})/({self.denominator.str(var='x')})"


def _settled(above: arb, below: arb) -> float | None:
    """The floating-point number nearest to a quotient, None if the balls leave it open."""
    if below.contains(0):
        return None
    ball = above / below
    if not ball.is_finite():
        return None
    # Both ends are exact, and rounded to the nearest, as fractions are.
    low, high = float(ball.lower()), float(ball.upper())
    return low if low == high else None


def _rounded(value: Fraction) -> float:
    """The nearest floating-point number, infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def pade(coefficients: Sequence[Fraction], *, degree: int) -> RationalFunction:
    """The Padé approximant with a denominator of the given degree that uses all coefficients.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ..., c_n.
    degree : int
        M, between 0 and n; the numerator has degree n - M.

    Raises
    ------
    InvalidInputError
        If the degree does not fit, or the approximant does not exist.
    """
    last = len(coefficients) - 1
    if not 0 <= degree <= last:
        raise InvalidInputError(
            f"Padé approximant: {last + 1} coefficients allow denominators of degree 0 to {last}, "
            f"not {degree}; give more coefficients"
        )
    c = [as_fmpq(x) for x in coefficients]
    top = last - degree
    series = fmpq_poly(c)
    # Unknown are the coefficients of the denominator, highest power first; one is always free.
    zero = fmpq(0)
    rows = [
        [c[n - j] if n >= j else zero for j in range(degree, -1, -1)]
        for n in range(top + 1, last + 1)
    ]
    below = fmpq_poly(_kernel_vector(rows, degree + 1)[::-1])
    product = series * below
    above = fmpq_poly([product[n] for n in range(top + 1)])
    common = above.gcd(below) if above else below
    above, below = above / common, below / common
    # Where the denominator begins with a power of x, so does the numerator: both are cancelled.
    above, below = above / below[0], below / below[0]
    defect = series * below - above
    if any(defect[n] for n in range(last + 1)):
        raise InvalidInputError(
            f"Padé approximant [{top}/{degree}]: does not exist for these coefficients; choose "
            "another degree"
        )
    return RationalFunction(above, below)


def _kernel_vector(rows: list[list[fmpq]], columns: int) -> list[fmpq]:
    """A vector that a matrix with fewer rows than columns sends to zero."""
    vector = [fmpq(0)] * columns
    if not rows:
        return [*vector[:-1], fmpq(1)]
    reduced, rank = fmpq_mat(rows).rref()
    pivots = [next(j for j in range(columns) if reduced[i, j] != 0) for i in range(rank)]
    free = next(j for j in reversed(range(columns)) if j not in pivots)
    vector[free] = fmpq(1)
    for i, j in enumerate(pivots):
        vector[j] = -reduced[i, free]
    return vector


def levin(coefficients: Sequence[Fraction]) -> RationalFunction:
    """Levin's u-transform of the partial sums.

    Terms that vanish, as in odd or even series, are left out.

    Raises
    ------
    InvalidInputError
        If there are fewer than two terms.

    Examples
    --------
    >>> print(levin([Fraction(1), Fraction(-1), Fraction(1)]))
    (1)/(x + 1)
    """
    places = [n for n, c in enumerate(coefficients) if c]
    k = len(places) - 1
    if k < 1:
        raise InvalidInputError("Levin's transform: needs two terms that do not vanish; give more")
    exact = [as_fmpq(c) for c in coefficients]
    last = places[-1]
    above, below = fmpq_poly([]), fmpq_poly([])
    for j, n in enumerate(places):
        weight = fmpq((-1) ** j * comb(k, j)) * fmpq(j + 1, k + 1) ** (k - 1)
        factor = weight / (exact[n] * (j + 1))
        power = fmpq_poly([0] * (last - n) + [factor])
        below += power
        above += power * fmpq_poly(exact[: n + 1])
    common = above.gcd(below)
    above, below = above / common, below / common
    lowest = next((c for c in below.coeffs() if c != 0), fmpq(1))
    return RationalFunction(above / lowest, below / lowest)


def levin_by_parity(coefficients: Sequence[Fraction]) -> RationalFunction:
    """Levin's transforms of the even and of the odd terms, added.

    Where the terms of one parity are much smaller than those of the other, as at a small
    initialisation, the transform of the whole series is spoilt: it divides by the terms.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...

    Examples
    --------
    >>> print(levin_by_parity([Fraction(1), Fraction(0), Fraction(-1), Fraction(5)]))
    (10*x^5 + 5*x^3 + x^2 + 1)/(2*x^2 + 1)
    """
    above, below = fmpq_poly([]), fmpq_poly([1])
    for parity in (0, 1):
        part = coefficients[parity::2]
        if sum(1 for c in part if c) > 1:
            ratio = levin(part)
        else:
            ratio = RationalFunction(fmpq_poly([as_fmpq(c) for c in part]), below**0)
        square = fmpq_poly([0, 0, 1])
        top, bottom = ratio.numerator(square), ratio.denominator(square)
        above = above * bottom + top * fmpq_poly([0] * parity + [1]) * below
        below = below * bottom
    return RationalFunction(above, below)


@dataclass(frozen=True, eq=False)
class BorelSum:
    """The integral of exp(-u) B(x u^k) over u > 0.

    Parameters
    ----------
    transform : RationalFunction
        B.
    growth : int
        k.
    """

    transform: RationalFunction
    growth: int

    def __call__(self, x: FloatArray) -> FloatArray:
        """Values; not a number where B has a pole on the path of integration."""
        flat = x.ravel()
        result = np.full(flat.shape, np.nan)
        negative, positive = self._broken
        exists = np.where(flat > 0, not positive, not negative) | (flat == 0)
        above, below, scale = self._floats
        argument = np.multiply.outer(flat[exists], _NODES**self.growth) / scale
        result[exists] = _ratio(above, below, argument) @ _WEIGHTS
        return result.reshape(x.shape)

    @cached_property
    def _broken(self) -> tuple[bool, bool]:
        """Whether the integral does not exist at x < 0, and at x > 0."""
        return self.transform.has_pole(sign=-1), self.transform.has_pole(sign=1)

    @cached_property
    def _floats(self) -> tuple[FloatArray, FloatArray, float]:
        return _scaled(self.transform)

    def has_pole(self, *, sign: int) -> bool:
        """Whether B has a pole on the path of integration for x of the given sign."""
        return self._broken[sign > 0]

    def nearest_pole(self, *, sign: int) -> float:
        """0 where the integral does not exist for x of the given sign, else infinite."""
        return 0.0 if self.has_pole(sign=sign) else math.inf

    first_pole = nearest_pole

    def less(self, constant: Fraction) -> BorelSum:
        """The sum minus a constant: B minus the same one, for the weights add up to 1."""
        return BorelSum(self.transform.less(constant), self.growth)


def _scaled(ratio: RationalFunction) -> tuple[FloatArray, FloatArray, float]:
    """Floating-point coefficients in x/scale, with a scale that keeps them of moderate size."""
    degree = ratio.denominator.degree()
    leading = ratio.denominator[degree]
    size = abs(as_fraction(leading))
    scale = Fraction(1)
    if degree and size:
        bits = size.numerator.bit_length() - size.denominator.bit_length()
        scale = Fraction(2) ** (-(bits // degree))
    stretch = fmpq_poly([0, as_fmpq(scale)])
    arrays = [
        np.array([_rounded(as_fraction(c)) for c in polynomial(stretch).coeffs()])
        for polynomial in (ratio.numerator, ratio.denominator)
    ]
    return arrays[0], arrays[1], float(scale)


def _ratio(above: FloatArray, below: FloatArray, x: FloatArray) -> FloatArray:
    """A ratio of polynomials without overflow: in 1/x where x is large."""
    small = np.abs(x) <= 1
    result = np.empty_like(x)
    near, far = x[small], 1 / x[~small]
    result[small] = np.polyval(above[::-1], near) / np.polyval(below[::-1], near)
    power = float(below.size - above.size)
    result[~small] = far**power * np.polyval(above, far) / np.polyval(below, far)
    return result


def borel_pade(
    coefficients: Sequence[Fraction], *, growth: int, degree: int | None = None
) -> BorelSum:
    """The Borel-Padé sum of a series whose coefficients grow like (growth * n)!.

    Parameters
    ----------
    coefficients : sequence of Fraction
    growth : int
        k, at least 1.
    degree : int, optional
        Of the denominator; by default half of the number of coefficients.

    Raises
    ------
    InvalidInputError
        If the growth is below 1 or the approximant does not exist.
    """
    if growth < 1:
        raise InvalidInputError(f"growth {growth}: must be at least 1; for 0 use Padé approximants")
    transform = [c / factorial(growth * n) for n, c in enumerate(coefficients)]
    chosen = len(coefficients) // 2 if degree is None else degree
    return BorelSum(pade(transform, degree=chosen), growth)


Ratio = RationalFunction  # its former name
