"""A series continued along the real axis by its linear differential equation.

Around an ordinary point of Σ p_k(x) h^{(k)} = q(x) the equation gives all Taylor coefficients of a
solution from its first ones. From 0, where the series itself is known, one goes from disc to disc
outwards. A real root of the leading polynomial is passed on a half circle in the complex plane: the
coefficients are real, so that the other half gives the complex conjugate, and if the values beyond
are real the solution does not notice the root. Otherwise it ends there, at a branch point or a
pole.

Everything is computed in balls (Arb). Their radius, with the size of the terms that are left out,
is the error.

>>> from fractions import Fraction
>>> geometric = [Fraction(1)] * 20  # (1 - x) h' = h
>>> equation = find_equation(geometric, kinds=[Kind.DIFFERENTIAL])
>>> series = in_variable(geometric, equation.rate)
>>> past, future = (continued(equation, series, 20, past=side) for side in (True, False))
>>> future.singular, round(float(past.values(np.array([3.0]))[0]), 12)
(1.0, 0.25)

Source: ours; analytic continuation of D-finite functions, D. V. and G. V. Chudnovsky (1990).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np
from flint import acb, arb, ctx, fmpq, fmpq_poly
from numpy.typing import NDArray

from diagrams.errors import DiagflowError
from pde.systems.guess import FoundEquation, Kind, extended, find_equation, in_variable

__all__ = ["Continuation", "ContinuationError", "continued", "differential"]

FloatArray = NDArray[np.float64]

_BITS = 1000
_ORDER = 220
_KEPT = 56
"""Coefficients of a disc that are kept for values: 2^-56 is below rounding."""

_DISCS = 900
_FIRST = 400
"""Coefficients at 0 that are computed by the recurrence."""

_FARTHEST = 1e40
_WILD = 100.0
_STILL = 8
"""Discs on which a function has to stay the same to have reached its limit."""

_ENOUGH = 4
"""Times as many coefficients of an algebraic function for its differential equation."""


class ContinuationError(DiagflowError):
    """A series that cannot be continued by its equation."""


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """A function on one side of 0, in pieces.

    Parameters
    ----------
    starts, steps : numpy.ndarray, shape (k,)
        Where a piece begins, and its centre and unit, in |x|.
    pieces : numpy.ndarray, shape (k, n)
        Coefficients in powers of (|x| - centre)/unit.
    end : float
        The last |x|.
    singular : float
        |x| of the singular point that ends it, infinite if there is none.
    limit : float or None
        What the function tends to, if it stays the same over many discs; then there is no end.
    error : float
        Largest expected error, where the function is at most some hundred times its start.
    """

    starts: FloatArray
    centres: FloatArray
    steps: FloatArray
    pieces: FloatArray
    end: float
    singular: float
    limit: float | None
    error: float

    def values(self, distance: FloatArray) -> FloatArray:
        """The function at |x|."""
        last = self.centres[-1] + self.steps[-1]
        capped = distance if self.limit is None else np.minimum(distance, last)
        place = np.searchsorted(self.starts, capped, side="right") - 1
        x = (capped - self.centres[place]) / self.steps[place]
        columns = self.pieces[place].T
        value = columns[-1].copy()
        for column in columns[-2::-1]:
            value *= x
            value += column
        return value


def differential(
    equation: FoundEquation, series: fmpq_poly, known: int
) -> tuple[FoundEquation, fmpq_poly, int]:
    """A differential equation of a series that obeys an equation, and more of its coefficients.

    Raises
    ------
    ContinuationError
        If none is found for an algebraic function.
    """
    if equation.kind is Kind.DIFFERENTIAL:
        return equation, series, known
    number = max(_ENOUGH * known, 120)
    longer = extended(equation, series, known, number)
    values = [_fraction(longer[n]) for n in range(number)]
    found = find_equation(values, rates=[0], kinds=[Kind.DIFFERENTIAL])
    if found is None:
        raise ContinuationError(
            f"equation {equation}: no differential equation follows from {number} coefficients; "
            "resum the series"
        )
    whole = FoundEquation(found.kind, found.polynomials, equation.rate, equation.confirmations)
    return whole, longer, number


def continued(
    equation: FoundEquation, series: fmpq_poly, known: int, *, past: bool
) -> Continuation:
    """The continuation of a series to x < 0 or x > 0.

    Parameters
    ----------
    equation : FoundEquation
        A differential one, of at least first order.
    series : flint.fmpq_poly
        The first coefficients, in the variable of the equation.
    known : int
        How many of them are known.
    past : bool
        Whether x < 0.

    Raises
    ------
    ContinuationError
        If the series cannot be extended at 0, or does not converge there.
    """
    # x -> -x makes the past a future.
    sign = -1 if past else 1
    with _precision():
        right, *left = [_reflected(p, sign) for p in equation.polynomials]
        left = [p * sign**k for k, p in enumerate(left)]
        coefficients = [series[n] * sign**n for n in range(known)]
        return _Walk(left, -right, coefficients).run()


@contextmanager
def _precision() -> Iterator[None]:
    before = ctx.prec
    ctx.prec = _BITS
    try:
        yield
    finally:
        ctx.prec = before


def _reflected(polynomial: fmpq_poly, sign: int) -> fmpq_poly:
    return polynomial(fmpq_poly([0, sign]))


class _Walk:
    """From disc to disc along x > 0."""

    def __init__(
        self, left: Sequence[fmpq_poly], right: fmpq_poly, coefficients: Sequence[fmpq]
    ) -> None:
        self._left, self._right = left, right
        self._order = len(left) - 1
        self._roots = [root for root, _ in left[-1].complex_roots()]
        self._coefficients = list(coefficients)
        self._passed: set[int] = set()
        self._rows: list[tuple[float, float, float, list[float]]] = []
        self._error = 0.0
        self._still = 0

    def run(self) -> Continuation:
        x, state = self._leave()
        singular, limit = inf, None
        for _ in range(_DISCS):
            if not x < _FARTHEST:
                break
            ahead = self._next_root(x)
            radius = self._radius(x)
            if ahead is not None and ahead[1] - x <= 1.01 * radius:
                # The nearest singular point lies ahead: go nearer, or around.
                place, root = ahead
                around = self._around(x, root, state)
                if around is None:
                    singular = root
                    x = self._approach(x, root, state)
                    break
                self._passed.add(place)
                radius = self._radius(x)
            coefficients = self._expand(acb(x), state)
            x, state = self._advance(x, radius / 2, coefficients)
            if self._still >= _STILL:
                limit, x = self._rows[-1][3][0], inf
                break
        starts, centres, steps, pieces = zip(*self._rows, strict=True)
        width = max(map(len, pieces))
        table = np.array([[*row, *[0.0] * (width - len(row))] for row in pieces])
        return Continuation(
            np.array(starts),
            np.array(centres),
            np.array(steps),
            table,
            end=x,
            singular=singular,
            limit=limit,
            error=self._error,
        )

    # -- the disc around 0 -----------------------------------------------------------------------

    def _leave(self) -> tuple[float, list[acb]]:
        """A first point away from 0 and the derivatives there, divided by factorials."""
        c = self._extended()
        nonzero = [abs(complex(root.mid())) for root in self._roots if not root.contains(0)]
        radius = min(nonzero, default=1.0)
        last = len(c) - 1
        step = radius / 2
        # The last terms tell whether the series converges as the equation says.
        if not _float(abs(arb(c[last])) * arb(step) ** last) <= 1e-30 * max(
            _float(abs(arb(value)) * arb(step) ** n) for n, value in enumerate(c)
        ):
            raise ContinuationError(
                "series: does not converge at the distance of the nearest singular point of its "
                "equation; resum it"
            )
        self._record(0.0, 0.0, step, [arb(value) for value in c[:_KEPT * 3]])
        return step, _shifted([acb(arb(value)) for value in c], acb(arb(step)), self._order)

    def _extended(self) -> list[fmpq]:
        """Coefficients at 0 by the recurrence, as far as it determines them."""
        terms = [
            (k - j, k, p[j]) for k, p in enumerate(self._left) for j in range(p.length()) if p[j]
        ]
        top = max(shift for shift, _, _ in terms)
        c = list(self._coefficients)
        while len(c) < _FIRST:
            n = len(c) - top
            total = self._right[n] if n >= 0 else fmpq(0)
            pivot = fmpq(0)
            for shift, k, value in terms:
                place = n + shift
                weight = value * _falling(place, k)
                if place == len(c):
                    pivot += weight
                elif 0 <= place < len(c):
                    total -= weight * c[place]
            if pivot == 0:
                break
            c.append(total / pivot)
        return c

    # -- ordinary points -------------------------------------------------------------------------

    def _expand(self, x: acb, state: Sequence[acb]) -> list[acb]:
        """Taylor coefficients at an ordinary point from the first of them."""
        shift = [_taylor_shift(p, x) for p in self._left]
        right = _taylor_shift(self._right, x)
        r = self._order
        c = list(state)
        leading = shift[r][0]
        for n in range(_ORDER - r):
            total = right[n] if n < len(right) else acb(0)
            for k, row in enumerate(shift):
                for j, value in enumerate(row):
                    place = n - j + k
                    if (j or k < r) and k <= place < len(c):
                        total -= value * c[place] * _falling(place, k)
            c.append(total / (leading * _falling(n + r, r)))
        return c

    def _advance(
        self, x: float, step: float, coefficients: Sequence[acb]
    ) -> tuple[float, list[acb]]:
        real = [value.real for value in coefficients]
        self._record(x, x, step, real[:_KEPT])
        end = x + step
        return end, _shifted(coefficients, acb(end) - acb(x), self._order)

    def _record(
        self, start: float, centre: float, step: float, coefficients: Sequence[arb]
    ) -> None:
        scaled = [value * arb(step) ** n for n, value in enumerate(coefficients)]
        radius = sum(float(value.rad()) for value in scaled)
        numbers = [float(value.mid()) for value in scaled]
        first = self._rows[0][3][0] if self._rows else numbers[0]
        if abs(numbers[0]) <= _WILD * max(abs(first), abs(numbers[0]) * 2.0**-52):
            rounding = abs(numbers[0]) * 2.0**-52
            self._error = max(self._error, radius + abs(numbers[-1]) + rounding)
        moved = sum(map(abs, numbers[1:]))
        self._still = self._still + 1 if moved <= 2.0**-54 * abs(numbers[0]) else 0
        self._rows.append((start, centre, step, numbers))

    # -- singular points -------------------------------------------------------------------------

    def _others(self) -> list[complex]:
        return [
            complex(root.mid()) for i, root in enumerate(self._roots) if i not in self._passed
        ]

    def _radius(self, x: float) -> float:
        return min((abs(root - x) for root in self._others()), default=max(4 * x, 1.0))

    def _next_root(self, x: float) -> tuple[int, float] | None:
        """The nearest real root ahead that was not passed."""
        real = [
            (float(root.real.mid()), i)
            for i, root in enumerate(self._roots)
            if i not in self._passed and root.imag.contains(0) and float(root.real.mid()) > x
        ]
        return (min(real)[1], min(real)[0]) if real else None

    def _around(self, x: float, root: float, state: Sequence[acb]) -> bool | None:
        """Whether the solution is real beyond a root, when it is passed in the complex plane."""
        others = [abs(other - root) for other in self._others() if abs(other - root) > 1e-12 * root]
        reach = min([root - x, *(0.9 * other for other in others)])
        there = [root - reach * np.exp(-1j * np.pi * k / 12) for k in range(12)]
        there.append(complex(root + reach))
        there[0], here = complex(root - reach), complex(x)
        values = list(state)
        # First along the axis to the circle, in steps of a quarter of the distance.
        while abs(there[0] - here) > 1e-12 * abs(root):
            step = min(abs(there[0] - here), abs(root - here) / 4)
            target = here + step
            values = self._hop(here, target, values)
            here = target
        for target in there[1:]:
            values = self._hop(here, target, values)
            here = target
        size = max(_float(abs(value)) for value in values)
        return True if all(_float(abs(v.imag)) <= 1e-25 * size for v in values) else None

    def _hop(self, here: complex, target: complex, state: Sequence[acb]) -> list[acb]:
        start, end = acb(here.real, here.imag), acb(target.real, target.imag)
        return _shifted(self._expand(start, state), end - start, self._order)

    def _approach(self, x: float, root: float, state: list[acb]) -> float:
        """Discs that come near to a singular point."""
        for _ in range(100):
            step = self._radius(x) / 2
            if not step > 1e-14 * root:
                break
            x, state = self._advance(x, step, self._expand(acb(x), state))
        return x


def _falling(n: int, k: int) -> int:
    value = 1
    for i in range(k):
        value *= n - i
    return value


def _taylor_shift(polynomial: fmpq_poly, x: acb) -> list[acb]:
    """Coefficients of a polynomial in powers of the distance from x."""
    c = [acb(arb(polynomial[n])) for n in range(polynomial.length())]
    for i in range(len(c)):
        for n in range(len(c) - 2, i - 1, -1):
            c[n] += x * c[n + 1]
    return c


def _shifted(coefficients: Sequence[acb], by: acb, number: int) -> list[acb]:
    """The first coefficients in powers of the distance from another point."""
    result = []
    for k in range(max(number, 1)):
        total = acb(0)
        for n in range(len(coefficients) - 1, k - 1, -1):
            binomial = _falling(n, k) // _falling(k, k)
            total = total * by + coefficients[n] * binomial
        result.append(total)
    return result


def _float(value: arb) -> float:
    return float(value.upper())


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
