r"""A program in double precision with one bound on its error for all times.

Beside the values x̂ of an operation at all times stand four numbers: a share s and a floor f with

    |x - x̂| ≤ s |x̂| + f,

and bounds on the x̂ themselves. They follow from those of its parts: operations in floating point
are monotone, so that the ends of a range are those of the parts, and a sum of terms of one sign has
the largest of their shares. Terms of both signs are added apart, and what their difference loses is
(P + N)/(P - N), from the range of the two sums. So there is one operation on arrays for one of the
program, where bounds for every time take five or six.

The bounds are of the worst time. Where they do not suffice there is no answer, and others are
needed; where they do, every value is right to the accuracy that is asked for.

>>> import sympy
>>> from pde.numerics.programs import compiled
>>> t = sympy.Symbol("t")
>>> times = np.linspace(0, 1, 5)
>>> print(Uniform(compiled(1 / (1 + t) ** 2))(times, 1e-13))
[1.         0.64       0.44444444 0.32653061 0.25      ]
>>> Uniform(compiled(1 - t))(times, 1e-13) is None
True

Source: ours; N. J. Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pde.numerics.programs import Node, Program

__all__ = ["SMALL_POWERS", "ULPS", "Uniform"]

FloatArray = NDArray[np.float64]

ULPS = 8
"""The largest error of a function, in units of rounding; its vector code is within 4 ulp."""

SMALL_POWERS = 4
"""Powers up to this one are products."""

_U = 2.0**-53
_TINY = 2.0**-1022 / _U
"""What underflows is known to this absolute error."""

_MORE = 1 + 2.0**-40
"""Bounds are computed in floating point themselves, and rounded up."""

_LARGEST = 2.0**1000

_WIDER = 1e-14
"""By so much of themselves ranges of functions are widened, which need not be monotone."""


class _InsufficientError(Exception):
    """The bounds for all times do not suffice."""


@dataclass(frozen=True, slots=True)
class _Bounded:
    """Values at all times, or one number for all, with s, f and the range of the values."""

    values: Any
    share: float
    floor: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """The largest size of a value."""
        return max(-self.low, self.high)

    @property
    def least(self) -> float:
        """The smallest size of a value, zero if the range has both signs."""
        return max(self.low, -self.high, 0.0)

    @property
    def whole_share(self) -> float:
        """A share that needs no floor."""
        if self.least == 0.0:
            raise _InsufficientError
        return self.share + self.floor / self.least * _MORE

    def narrowed(self) -> _Bounded:
        """The same with the range that the values really have."""
        if isinstance(self.values, float):
            return self
        low, high = float(np.min(self.values)), float(np.max(self.values))
        return _Bounded(self.values, self.share, self.floor, low, high)


class Uniform:
    """A program that is run with one bound on its error for all times.

    Parameters
    ----------
    program : tuple of Node
    """

    def __init__(self, program: Program) -> None:
        self._steps = [_prepared(node) for node in program]

    def __call__(self, t: FloatArray, accuracy: float) -> FloatArray | None:
        """The values at all times, None if one bound on their errors does not suffice.

        Parameters
        ----------
        t : array
            At least one time.
        accuracy : float
            The relative error that a value may have.
        """
        try:
            with np.errstate(all="ignore"):
                found = self._run(t).narrowed()
                if not found.whole_share <= accuracy:
                    return None
        except (_InsufficientError, OverflowError, ZeroDivisionError):
            return None
        return np.array(np.broadcast_to(found.values, t.shape))

    def _run(self, t: FloatArray) -> _Bounded:
        results: list[_Bounded] = []
        times = _Bounded(t, 0.0, 0.0, float(np.min(t)), float(np.max(t)))
        for step, parts in self._steps:
            if isinstance(step, _Bounded):
                results.append(step)
                continue
            found = times if step is None else step([results[part] for part in parts])
            # What is not a number, and what is infinite, is in no range.
            if not (found.low >= -_LARGEST and found.high <= _LARGEST and found.share < 1):
                raise _InsufficientError
            results.append(found)
        return results[-1]


_Step = Callable[[Sequence[_Bounded]], _Bounded]


def _prepared(node: Node) -> tuple[_Step | _Bounded | None, tuple[int, ...]]:
    """What an operation does with its parts: a number nothing, and None is the variable."""
    match node.kind:
        case "number":
            try:
                value = float(node.number)
            except OverflowError:
                return _insufficient, ()
            share = 0.0 if Fraction(value) == node.number else _U * _MORE
            return _Bounded(value, share, _TINY if share else 0.0, value, value), ()
        case "symbol":
            return None, ()
        case "sum":
            return _sum, node.parts
        case "product":
            return partial(reduce, _product), node.parts
        case "power":
            return _raising(node.number), node.parts
        case "function":
            function = {"exp": _exp, "expm1": _expm1}.get(node.name, _insufficient)
            return function, node.parts
    return _insufficient, node.parts


def _insufficient(_: Sequence[_Bounded]) -> _Bounded:
    raise _InsufficientError


def _sum(parts: Sequence[_Bounded]) -> _Bounded:
    """Terms of one sign apart from those of the other one."""
    groups = [[p for p in parts if p.low >= 0], [p for p in parts if p.high <= 0 and p.low < 0]]
    if len(groups[0]) + len(groups[1]) < len(parts):
        raise _InsufficientError
    sums = [_same_sign(group) for group in groups if group]
    if len(sums) == 1:
        return sums[0]
    plus, minus = (each.narrowed() for each in sums)
    least, most = (plus, minus) if plus.least > minus.size else (minus, plus)
    if not least.least > most.size:
        raise _InsufficientError
    loss = (least.least + most.size) / (least.least - most.size) * _MORE
    share = (max(plus.share, minus.share) * loss + _U) * _MORE
    floor = (plus.floor + minus.floor + _TINY) * _MORE
    low, high = plus.low + minus.low, plus.high + minus.high
    return _Bounded(plus.values + minus.values, share, floor, low, high)


def _same_sign(parts: Sequence[_Bounded]) -> _Bounded:
    total = parts[0]
    for part in parts[1:]:
        # Of a sum of one sign no partial sum is larger.
        share = (max(total.share, part.share) * (1 + 2 * _U) + _U) * _MORE
        floor = (total.floor + part.floor) * _MORE
        low, high = total.low + part.low, total.high + part.high
        total = _Bounded(total.values + part.values, share, floor, low, high)
    return total


def _product(one: _Bounded, other: _Bounded) -> _Bounded:
    ends = [a * b for a in (one.low, one.high) for b in (other.low, other.high)]
    share = (one.share + other.share + one.share * other.share + 2 * _U) * _MORE
    floor = (1 + other.share) * one.floor * other.size + (1 + one.share) * other.floor * one.size
    floor = (floor + one.floor * other.floor + _TINY) * _MORE
    return _Bounded(one.values * other.values, share, floor, min(ends), max(ends))


def _raising(power: Fraction) -> _Step:
    """The operation that raises to a power."""
    if power.denominator == 1 and 1 <= power <= SMALL_POWERS:
        return partial(_multiplied, int(power))
    if power.denominator == 1 and -SMALL_POWERS <= power < -1:
        return partial(_reciprocal_power, int(-power))
    if power == -1:
        return _reciprocal
    if power == Fraction(1, 2):
        return _square_root
    return partial(_rational_power, float(power))


def _multiplied(power: int, parts: Sequence[_Bounded]) -> _Bounded:
    (base,) = parts
    result = base
    for _ in range(power - 1):
        result = _product(result, base)
    if power % 2:
        return result
    # The range of a product does not know that its factors are the same.
    ends = _wide(base.least**power, base.size**power)
    return _Bounded(result.values, result.share, result.floor, *ends)


def _reciprocal_power(power: int, parts: Sequence[_Bounded]) -> _Bounded:
    return _reciprocal([_multiplied(power, parts)])


def _reciprocal(parts: Sequence[_Bounded]) -> _Bounded:
    (base,) = parts
    share = base.whole_share
    if share > 0.25:
        raise _InsufficientError
    share = (share / (1 - share) + _U) * _MORE
    return _Bounded(1 / base.values, share, _TINY, 1 / base.high, 1 / base.low)


def _square_root(parts: Sequence[_Bounded]) -> _Bounded:
    (base,) = parts
    share = base.whole_share
    if base.low <= 0:
        raise _InsufficientError
    share = (share / 2 * (1 + share) + _U) * _MORE
    low, high = math.sqrt(base.low), math.sqrt(base.high)
    return _Bounded(np.sqrt(base.values), share, 0.0, low, high)


def _rational_power(exponent: float, parts: Sequence[_Bounded]) -> _Bounded:
    (base,) = parts
    share = abs(exponent) * base.whole_share
    if base.low <= 0 or share > 0.25:
        raise _InsufficientError
    logarithm = max(abs(math.log(base.low)), abs(math.log(base.high)))
    share = share * (1 + 2 * share) + _U * (ULPS + (1 + abs(exponent)) * logarithm)
    low, high = sorted((base.low**exponent, base.high**exponent))
    return _Bounded(base.values**exponent, share * _MORE, _TINY, *_wide(low, high))


def _moved(x: _Bounded) -> float:
    """By how much an argument may be wrong."""
    moved = (x.share * x.size + x.floor) * _MORE
    if moved > 0.25:
        raise _InsufficientError
    return moved


def _exp(parts: Sequence[_Bounded]) -> _Bounded:
    (x,) = parts
    moved = _moved(x)
    share = (moved * (1 + 2 * moved) + ULPS * _U) * _MORE
    return _Bounded(np.exp(x.values), share, _TINY, *_wide(math.exp(x.low), math.exp(x.high)))


def _expm1(parts: Sequence[_Bounded]) -> _Bounded:
    (x,) = parts
    more = 1 + 2 * _moved(x)
    # x e^x / (e^x - 1) is at most 1 + x, and at most 1 for x < 0.
    share = (x.share * (1 + max(x.high, 0.0)) * more + ULPS * _U) * _MORE
    floor = (x.floor * math.exp(max(x.high, 0.0)) * more + _TINY) * _MORE
    ends = _wide(math.expm1(x.low), math.expm1(x.high))
    return _Bounded(np.expm1(x.values), share, floor, *ends)


def _wide(low: float, high: float) -> tuple[float, float]:
    """A range a little wider, without another sign."""
    return low - _WIDER * abs(low), high + _WIDER * abs(high)
