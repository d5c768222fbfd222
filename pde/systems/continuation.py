"""A series continued along the real axis by its linear differential equation.

Around an ordinary point of Σ p_k(x) h^{(k)} = q(x) the equation gives all Taylor coefficients of a
solution from its first ones. From 0, where the series itself is known, one goes from disc to disc
outwards. At a real root of the leading polynomial the solution may be regular all the same. To see
it one goes so near that the root is the nearest one by far: the Taylor coefficients then show
whether the series converges beyond the root. If not, the solution ends there, at a branch point or
a pole.

Everything is computed to some hundred digits. Every disc is compared with the one before half-way
between their centres; the distance, and the size of the terms that are left out, are the error.
That sees what one disc loses, not what it passes on: an equation may have other solutions that grow
much faster than the one that is followed, and the last term of a disc, however small, starts them.
So the way is gone twice, the second time with fewer terms in every disc, and the function ends
where the two part. It is observed, not proved.

>>> from fractions import Fraction
>>> from pde.systems.guess import in_variable
>>> geometric = [Fraction(1)] * 20  # (1 - x) h' = h
>>> equation = find_equation(geometric, kinds=[EquationKind.DIFFERENTIAL])
>>> series = in_variable(geometric, equation.rate)
>>> past, future = (continued(equation, series, 20, past=side) for side in (True, False))
>>> future.singular, round(float(past.values(np.array([3.0]))[0]), 12)
(1.0, 0.25)

Source: ours; analytic continuation of D-finite functions, D. V. and G. V. Chudnovsky (1990).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq, fmpq_poly
from numpy.typing import NDArray

from diagrams.errors import DiagflowError
from diagrams.rationals import as_fraction
from pde.systems.guess import EquationKind, FoundEquation, extended, find_equation
from pde.systems.pieces import piecewise

__all__ = ["Continuation", "ContinuationError", "continued", "differential"]

FloatArray = NDArray[np.float64]

_BITS = 1500
_ORDER = 220
_FEWER = 200
"""Terms of a disc on the second way: what a disc leaves out is a million times as large there."""

_KEPT = 56
"""Coefficients of a disc that are kept for values: 2^-56 is below rounding."""

_DISCS = 900
_FEWEST_DISCS = 4
_FIRST = 400
"""Coefficients at 0 that are computed by the recurrence."""

_PRECISE = 1e-9
"""The largest difference of discs and of ways, in units of the function or of its start."""

_FARTHEST = 1e40
_WILD = 100.0
_REGULAR = 1e-30
_STILL = 8
"""Discs on which a function has to stay the same to have reached its limit."""

_RATIONAL = 2
"""Polynomials in the equation of a rational function."""

_ENOUGH = 4
"""Times as many coefficients of an algebraic function for its differential equation."""


class ContinuationError(DiagflowError):
    """A series that cannot be continued by its equation."""

    code = "continuation"


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
        return piecewise(self.starts, self.centres, self.steps, self.pieces, capped)


def differential(
    equation: FoundEquation, series: fmpq_poly, known: int
) -> tuple[FoundEquation, fmpq_poly, int]:
    """A differential equation of a series that obeys an equation, and more of its coefficients.

    Raises
    ------
    ContinuationError
        If none is found for an algebraic function.
    """
    if equation.kind is EquationKind.DIFFERENTIAL:
        return equation, series, known
    if len(equation.polynomials) == _RATIONAL:
        # Whichever equation is sought of a rational function has solutions that do not belong to
        # it; those of (P_1 h)' = -P_0' are small where h has no pole.
        constant, slope = equation.polynomials
        polynomials = (constant.derivative(), slope.derivative(), slope)
        return (
            replace(equation, kind=EquationKind.DIFFERENTIAL, polynomials=polynomials),
            series,
            known,
        )
    number = max(_ENOUGH * known, 120)
    longer = extended(equation, series, known, number)
    values = [as_fraction(longer[n]) for n in range(number)]
    found = find_equation(values, rates=[0], kinds=[EquationKind.DIFFERENTIAL], lowest_order=True)
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
    # exp(λτ) - 1 does not go below -1.
    farthest = (
        1.0 if (past and equation.rate > 0) or (not past and equation.rate < 0) else _FARTHEST
    )
    with _precision():
        right, *left = [_reflected(p, sign) for p in equation.polynomials]
        left = [p * sign**k for k, p in enumerate(left)]
        coefficients = [series[n] * sign**n for n in range(known)]
        walk, again = (
            _Walk(left, -right, coefficients, farthest, order) for order in (_ORDER, _FEWER)
        )
        return _confirmed(walk, again)


def _confirmed(walk: _Walk, again: _Walk) -> Continuation:
    """The continuation of a walk as far as another one agrees with it."""
    fine, check = walk.run(), again.run()
    centres = np.concatenate([fine.centres, fine.centres + fine.steps / 2])
    places = np.sort(centres[centres < min(fine.end, check.end)])
    first = abs(fine.pieces[0][0])
    values, others = fine.values(places), check.values(places)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(values - others)
        parted = ~(apart <= _PRECISE * np.maximum(np.abs(values), first))
    usual = apart[~parted & (np.abs(values) <= _WILD * first)]
    difference = float(np.max(usual, initial=0.0))
    end = float(places[np.argmax(parted)]) if np.any(parted) else min(fine.end, check.end)
    if end == fine.end:
        return replace(fine, error=max(fine.error, difference))
    # The last disc that is kept was confirmed inside.
    kept = int(np.sum(fine.starts < end)) - 1
    if kept < _FEWEST_DISCS:
        raise ContinuationError(
            "series: solutions of its equation that grow faster hide it near the start; resum it "
            "instead"
        )
    return Continuation(
        fine.starts[:kept],
        fine.centres[:kept],
        fine.steps[:kept],
        fine.pieces[:kept],
        end=float(fine.starts[kept]),
        singular=inf,
        limit=None,
        error=max(walk.error_before(float(fine.starts[kept])), difference),
    )


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


class _LostError(Exception):
    """Neighbouring discs differ."""


class _Walk:
    """From disc to disc along x > 0."""

    def __init__(
        self,
        left: Sequence[fmpq_poly],
        right: fmpq_poly,
        coefficients: Sequence[fmpq],
        farthest: float,
        order: int,
    ) -> None:
        self._farthest, self._terms = farthest, order
        self._left, self._right = left, right
        self._order = len(left) - 1
        # Pairs of a root and its multiplicity, despite the library's annotation.
        found: list[Any] = list(left[-1].complex_roots())
        self._roots = [root for root, _ in found]
        self._coefficients = list(coefficients)
        self._passed: set[int] = set()
        self._rows: list[tuple[float, float, float, list[float]]] = []
        self._outermost = 4 * max((abs(complex(root.mid())) for root in self._roots), default=0.0)
        self._errors: list[tuple[float, float]] = []
        self._still = 0
        self._before: tuple[float, Sequence[arb]] | None = None

    def run(self) -> Continuation:
        x, state = self._leave()
        singular, limit = inf, None
        for _ in range(_DISCS):
            if not x < self._farthest:
                break
            coefficients = self._expand(x, state)
            ahead = self._next_root(x)
            if ahead is not None:
                place, root = ahead
                if root >= self._farthest * (1 - 1e-12):
                    x = self._approach(x, min(root, self._farthest), state)
                    break
                if root - x <= self._radius(x, but=place) / 2:
                    if not _is_regular(coefficients, root - x):
                        singular, x = root, self._approach(x, root, state)
                        break
                    self._passed.add(place)
            radius = self._radius(x)
            try:
                x, state = self._advance(x, min(radius / 2, self._farthest - x), coefficients)
            except _LostError:
                x = self._retreat()
                break
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
            error=self.error_before(inf),
        )

    def error_before(self, end: float) -> float:
        """The largest error of discs that begin before a place."""
        return max((error for start, error in self._errors if start < end), default=0.0)

    # -- the disc around 0 -----------------------------------------------------------------------

    def _leave(self) -> tuple[float, list[arb]]:
        """A first point away from 0 and the derivatives there, divided by factorials."""
        c = self._extended()
        nonzero = [abs(complex(root.mid())) for root in self._roots if not root.contains(0)]
        radius = min(nonzero, default=1.0)
        last = len(c) - 1
        step = radius / 2
        # The last terms show whether the series converges as the equation predicts.
        sizes = [abs(arb(value)) * arb(step) ** n for n, value in enumerate(c)]
        if not any(size * arb(1e-30) >= sizes[last] for size in sizes):
            raise ContinuationError(
                "series: does not converge at the distance of the nearest singular point of its "
                "equation; resum it"
            )
        self._record(0.0, 0.0, step, [arb(value) for value in c[: _KEPT * 3]])
        return step, _shifted([arb(value) for value in c], arb(step), self._order)

    def _extended(self) -> list[fmpq]:
        """Coefficients at 0 by the recurrence, as far as it determines them."""
        terms = [
            (k - j, k, p[j])
            for k, p in enumerate(self._left)
            for j in range(p.length())
            if p[j] != 0
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

    def _expand(self, x: float, state: Sequence[arb]) -> list[arb]:
        """Taylor coefficients at an ordinary point from the first of them."""
        shift = [_taylor_shift(p, arb(x)) for p in self._left]
        right = _taylor_shift(self._right, arb(x))
        r = self._order
        c = list(state)
        leading = shift[r][0]
        for n in range(self._terms - r):
            total = right[n] if n < len(right) else arb(0)
            for k, row in enumerate(shift):
                for j, value in enumerate(row):
                    place = n - j + k
                    if (j or k < r) and k <= place < len(c):
                        total -= value * c[place] * _falling(place, k)
            # Radii would grow by a factor with every order, rounding does not.
            c.append((total / (leading * _falling(n + r, r))).mid())
        return c

    def _advance(
        self, x: float, step: float, coefficients: Sequence[arb]
    ) -> tuple[float, list[arb]]:
        if self._before is not None:
            centre, earlier = self._before
            middle = (centre + x) / 2
            one, other = (
                _shifted(row, arb(middle) - arb(at), 1)[0]
                for row, at in ((earlier, centre), (coefficients, x))
            )
            self._compared(_float(abs(one - other)), _float(abs(one)))
        self._before = x, coefficients
        self._record(x, x, step, coefficients[:_KEPT])
        end = x + step
        return end, _shifted(coefficients, arb(end) - arb(x), self._order)

    def _compared(self, difference: float, size: float) -> None:
        if not difference <= _PRECISE * max(size, abs(self._rows[0][3][0])):
            raise _LostError
        if size <= _WILD * abs(self._rows[0][3][0]):
            self._errors.append((self._rows[-1][0], difference))

    def _record(
        self, start: float, centre: float, step: float, coefficients: Sequence[arb]
    ) -> None:
        scaled = [value * arb(step) ** n for n, value in enumerate(coefficients)]
        numbers = [float(value.mid()) for value in scaled]
        first = self._rows[0][3][0] if self._rows else numbers[0]
        if abs(numbers[0]) <= _WILD * max(abs(first), abs(numbers[0]) * 2.0**-52):
            rounding = abs(numbers[0]) * 2.0**-52
            self._errors.append((start, abs(numbers[-1]) + rounding))
        # Only beyond all singular points does rest mean a limit.
        moved = sum(map(abs, numbers[1:]))
        still = moved <= 2.0**-54 * max(abs(numbers[0]), abs(first)) and start > self._outermost
        self._still = self._still + 1 if still else 0
        self._rows.append((start, centre, step, numbers))

    # -- singular points -------------------------------------------------------------------------

    def _radius(self, x: float, *, but: int | None = None) -> float:
        """The distance of the nearest root that was not passed, but for one."""
        distances = [
            abs(complex(root.mid()) - x)
            for i, root in enumerate(self._roots)
            if i not in self._passed and i != but
        ]
        return min(distances, default=max(4 * x, 1.0))

    def _next_root(self, x: float) -> tuple[int, float] | None:
        """The nearest real root ahead that was not passed."""
        real = [
            (float(root.real.mid()), i)
            for i, root in enumerate(self._roots)
            if i not in self._passed and root.imag.contains(0) and float(root.real.mid()) > x
        ]
        return (min(real)[1], min(real)[0]) if real else None

    def _approach(self, x: float, root: float, state: list[arb]) -> float:
        """Discs that come near to a singular point."""
        for _ in range(100):
            step = min(self._radius(x) / 2, (root - x) / 2)
            if not step > 1e-14 * root:
                break
            try:
                x, state = self._advance(x, step, self._expand(x, state))
            except _LostError:
                return self._retreat()
        return x

    def _retreat(self) -> float:
        """Without the last disc, which is not confirmed: where it begins."""
        if len(self._rows) < _FEWEST_DISCS:
            raise ContinuationError(
                "series: neighbouring discs differ near the start; resum it instead"
            )
        return self._rows.pop()[0]


def _is_regular(coefficients: Sequence[arb], distance: float) -> bool:
    """Whether a function continues at a root that is much nearer than all others.

    Then its coefficients fall like powers of the ratio of the distances; at a singular point they
    do not fall faster than some power of their number.
    """
    last = len(coefficients) - 1
    sizes = [_float(abs(coefficients[n])) * distance**n for n in (last - 1, last)]
    largest = max(_float(abs(value)) * distance**n for n, value in enumerate(coefficients))
    return max(sizes) <= _REGULAR * largest


def _falling(n: int, k: int) -> int:
    value = 1
    for i in range(k):
        value *= n - i
    return value


def _taylor_shift(polynomial: fmpq_poly, x: arb) -> list[arb]:
    """Coefficients of a polynomial in powers of the distance from x."""
    c = [arb(polynomial[n]) for n in range(polynomial.length())]
    for i in range(len(c)):
        for n in range(len(c) - 2, i - 1, -1):
            c[n] += x * c[n + 1]
    return c


def _shifted(coefficients: Sequence[arb], by: arb, number: int) -> list[arb]:
    """The first coefficients in powers of the distance from another point."""
    result = []
    for k in range(max(number, 1)):
        total = arb(0)
        for n in range(len(coefficients) - 1, k - 1, -1):
            binomial = _falling(n, k) // _falling(k, k)
            total = total * by + coefficients[n] * binomial
        result.append(total.mid())
    return result


def _float(value: arb) -> float:
    return float(value.upper())
