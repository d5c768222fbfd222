r"""Formulas at exact numbers: values in floating point with a proved error, and balls of any width.

A formula is compiled once to a program (`pde.numerics.programs`). At many times it is run

1. in double precision, with one bound for all times on the error of every intermediate result;
2. if that bound is not below 10⁻¹³ of the values, with a bound for every time;
3. where this one is not, in long double, in the same way;
4. where that is not enough either, in balls (Arb) whose precision is doubled until they are narrow.

So a formula may be written as it is read: where it cancels or overflows, other digits are taken. It
goes wrong nowhere; it is slow there, some thirty microseconds for a value. One ball gives any
number of digits, of which the last is proved.

>>> import sympy
>>> p, t = sympy.symbols("p t")
>>> cancels = Evaluator(1 + p - sympy.sqrt(p**2 + 2 * p + t), {"p": Fraction(10**9)})
>>> print(cancels(np.array([1.0, 1 + 2**-40])))
[ 0.0000000e+00 -4.5474735e-22]
>>> cancels.ball(Fraction(3, 2), 20).str(20, radius=False)
'-2.4999999975000000022e-10'
>>> value(sympy.log(1 - p), {"p": Fraction(2)})
nan

Source: ours; N. J. Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.3, for
bounds that are computed with the values; F. Johansson, IEEE Trans. Comput. 66 (2017) 1281, for Arb.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from diagrams.rationals import as_fmpq
from pde.numerics.programs import Node, Program, at_numbers, compiled
from pde.numerics.uniform_bounds import SMALL_POWERS, ULPS, Uniform

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = [
    "Evaluator",
    "as_mpf",
    "as_number",
    "bits_of",
    "exact_time",
    "value",
    "working_precision",
]

FloatArray = NDArray[np.float64]

PROVED = 1e-13
"""Relative error that a floating point value may have by its bound; it is mostly far below."""

_NARROW = 60
"""Bits of a ball that becomes a floating point value."""

_FIRST, _MOST, _MOST_OF_FLOATS = 128, 2**17, 2**15
"""Bits with which balls begin, and the most, of any value and of one in floating point."""

_GUARD = 5
"""Digits of a ball beyond those that are asked for."""

_MANY = 256
"""Times from which on bounds for all of them at once are tried first."""

# -- in floating point, with bounds ----------------------------------------------------------------

_Pair = tuple[Any, Any]
"""Values and bounds on their absolute errors, numbers or arrays."""


class _Floats:
    """Operations on values with bounds in one floating point type."""

    def __init__(self, kind: type[np.floating[Any]]) -> None:
        limits = np.finfo(kind)
        self.kind = kind
        self._u = kind(limits.eps) / 2
        # What underflows is known to this absolute error.
        self._tiny = kind(limits.tiny) / self._u

    def run(self, program: Program, t: FloatArray) -> _Pair:
        """The value of a program at times, and the bound on its error."""
        results: dict[int, _Pair] = {}
        needed = {part: place for place, node in enumerate(program) for part in node.parts}
        for place, node in enumerate(program):
            results[place] = self._step(node, [results[part] for part in node.parts], t)
            # What is not needed any more makes room for what comes.
            for part in node.parts:
                if needed[part] == place:
                    results.pop(part, None)
        return results[len(program) - 1]

    def _step(self, node: Node, parts: list[_Pair], t: FloatArray) -> _Pair:
        match node.kind:
            case "number":
                return self._number(node.number)
            case "symbol":
                return t.astype(self.kind), self.kind(0)
            case "sum":
                return self._sum(parts)
            case "product":
                result = parts[0]
                for part in parts[1:]:
                    result = self._product(result, part)
                return result
            case "power":
                return self._power(parts[0], node.number)
            case "max" | "min":
                pick = np.maximum if node.kind == "max" else np.minimum
                value, error = parts[0]
                for other, more in parts[1:]:
                    value, error = pick(value, other), np.maximum(error, more)
                return value, error
        x, e = parts[0]
        function = _FUNCTIONS[node.name]
        value = function.floats(x)
        if node.name == "log":
            return value, _moved(e / abs(x)) + ULPS * self._u * abs(value)
        # Within e of x the slope is at most 1 + 2e times that at x.
        wide = np.where(e < 0.25, e * (1 + 2 * e), np.inf)
        return value, function.slope(value) * wide + ULPS * self._u * abs(value) + self._tiny

    def _number(self, number: Fraction) -> _Pair:
        try:
            # Twice rounded, the second time what the first has left.
            high = float(number)
            low = float(number - Fraction(high))
        except OverflowError:
            return self.kind(np.inf), self.kind(np.inf)
        value = self.kind(high) + self.kind(low)
        exact = self.kind is np.float64 and low == 0.0
        return value, self.kind(0) if exact else abs(value) * self._u + self._tiny

    def _sum(self, parts: list[_Pair]) -> _Pair:
        total, error = parts[0]
        for value, more in parts[1:]:
            total = total + value
            error = error + more + self._u * abs(total)
        return total, error

    def _product(self, one: _Pair, other: _Pair) -> _Pair:
        (x, d), (y, e) = one, other
        value = x * y
        error = self._u * abs(value) + self._tiny
        if not _is_zero(e):
            error = error + abs(x) * e
        if not _is_zero(d):
            error = error + d * (abs(y) + e)
        return value, error

    def _power(self, base: _Pair, power: Fraction) -> _Pair:
        if power.denominator == 1 and 1 <= power <= SMALL_POWERS:
            result = base
            for _ in range(int(power) - 1):
                result = self._product(result, base)
            return result
        x, e = base
        share = _moved(e / abs(x))
        if power == -1:
            value = 1 / x
            return value, abs(value) * (share + self._u) + self._tiny
        if power.denominator == 1 and -SMALL_POWERS <= power < 0:
            return self._power(self._power(base, -power), Fraction(-1))
        if power == Fraction(1, 2):
            value = np.sqrt(x)
            return value, value * (share + self._u)
        exponent, _ = self._number(power)
        value = x**exponent
        size = abs(float(power))
        change = np.where(size * share < 0.25, size * share * (1 + 2 * size * share), np.inf)
        rounded = self._u * (ULPS + size * abs(np.log(abs(x))))
        return value, abs(value) * (change + rounded) + self._tiny


def _is_zero(error: Any) -> bool:
    return np.ndim(error) == 0 and bool(error == 0)


def _moved(share: Any) -> Any:
    """By how much a logarithm moves if its argument is wrong by a share of it."""
    return np.where(share < 0.25, share / (1 - share), np.inf)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function in floating point, in balls, and a bound on its slope from its value."""

    floats: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    balls: Callable[[arb], arb]


def _at_most_one(value: Any) -> Any:
    return 1.0


_FUNCTIONS: dict[str, _Function] = {
    "exp": _Function(np.exp, lambda v: v, arb.exp),
    "expm1": _Function(np.expm1, lambda v: 1 + abs(v), arb.expm1),
    "sinh": _Function(np.sinh, lambda v: 1 + abs(v), arb.sinh),
    "cosh": _Function(np.cosh, lambda v: v, arb.cosh),
    "tanh": _Function(np.tanh, _at_most_one, arb.tanh),
    "sin": _Function(np.sin, _at_most_one, arb.sin),
    "cos": _Function(np.cos, _at_most_one, arb.cos),
    "Abs": _Function(np.abs, _at_most_one, arb.__abs__),
    "log": _Function(np.log, _at_most_one, arb.log),
    "asinh": _Function(np.arcsinh, _at_most_one, arb.asinh),
}


# -- in balls --------------------------------------------------------------------------------------


def _ball(program: Program, t: arb | None) -> arb:
    """The value of a program at the working precision."""
    results: list[arb] = []
    for node in program:
        parts = [results[part] for part in node.parts]
        results.append(_ball_step(node, parts, t))
    return results[-1]


def _ball_step(node: Node, parts: list[arb], t: arb | None) -> arb:
    match node.kind:
        case "number":
            return arb(as_fmpq(node.number))
        case "symbol":
            if t is None:
                raise KeyError(node.name)
            return t
        case "sum":
            return sum(parts[1:], start=parts[0])
        case "product":
            return math.prod(parts[1:], start=parts[0])
        case "max" | "min":
            result = parts[0]
            for part in parts[1:]:
                result = result.max(part) if node.kind == "max" else result.min(part)
            return result
        case "power":
            x, power = parts[0], node.number
            if power.denominator == 1:
                return _whole(x, power.numerator)
            if power == Fraction(1, 2):
                return x.sqrt()
            return x ** arb(as_fmpq(power))
    return _FUNCTIONS[node.name].balls(parts[0])


def _whole(x: arb, power: int) -> arb:
    """A whole power by products; that of Arb gives up on wide balls around zero."""
    result, square, left = arb(1), x, abs(power)
    while left:
        if left % 2:
            result *= square
        left //= 2
        if left:
            square *= square
    return 1 / result if power < 0 else result


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Balls are computed with this many bits inside, and as before after it."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def bits_of(digits: int) -> int:
    """As many bits as hold so many decimal digits."""
    return math.ceil(digits * math.log2(10))


def _narrowing(program: Program, t: arb | None, most: int) -> Iterator[arb]:
    """Balls around a value, each with twice the bits of the one before."""
    bits = _FIRST
    while bits <= most:
        with working_precision(bits):
            yield _ball(program, t)
        bits *= 2


def as_number(ball: arb) -> float | None:
    """The floating point number that a narrow ball is; None if it is too wide for one.

    Examples
    --------
    >>> as_number(arb("0.5")), as_number(arb(1, 0.1)) is None
    (0.5, True)
    """
    if not ball.is_finite():
        return None
    _, largest = _exponents(abs(ball.abs_upper()))
    if largest < -1080:
        return 0.0
    mantissa, exponent = ball.mid().man_exp()
    size, top = _exponents(ball.mid())
    _, width = _exponents(ball.rad())
    if not size or width > top - _NARROW:
        return None
    # Of a long mantissa the leading bits are enough.
    extra = max(size - 2 * _NARROW, 0)
    try:
        return math.ldexp(int(mantissa) >> extra, int(exponent) + extra)
    except OverflowError:
        return math.copysign(math.inf, int(mantissa))


def _exponents(x: arb) -> tuple[int, int]:
    """Bits of the mantissa of a number, and the e of the power 2^e that is just above it."""
    mantissa, exponent = x.man_exp()
    bits = int(abs(mantissa)).bit_length()
    return bits, bits + int(exponent) if bits else -(2**62)


def as_mpf(ball: arb) -> mpmath.mpf:
    """The middle of a ball, with all its digits."""
    import mpmath

    mantissa, exponent = ball.mid().man_exp()
    bits = int(abs(mantissa)).bit_length()
    with mpmath.workprec(max(bits, 53)):
        return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


def exact_time(t: Fraction | float | mpmath.mpf) -> Fraction:
    """The rational number that a time is.

    Raises
    ------
    InvalidInputError
        If it is not finite.
    """
    if isinstance(t, Fraction | int):
        return Fraction(t)
    try:
        if isinstance(t, float):
            return Fraction(t)
        sign, mantissa, exponent, bits = t._mpf_
        if not (mantissa or not exponent) or bits < 0:
            raise ValueError(t)
    except (OverflowError, ValueError):
        raise InvalidInputError(f"t = {t}: is not a finite time; choose another time") from None
    found = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -found if sign else found


# -- both ------------------------------------------------------------------------------------------

_TIERS = (_Floats(np.float64), _Floats(np.longdouble))


class Evaluator:
    """A formula at exact numbers, as a function of one variable.

    Parameters
    ----------
    formula : sympy.Expr
        Sums, products, rational powers and elementary functions.
    numbers : mapping from str to Fraction
        Values of its other symbols.
    variable : str, default "t"

    Raises
    ------
    InvalidInputError
        If the formula has other functions.
    KeyError
        If a symbol has no value.
    """

    def __init__(
        self, formula: sympy.Expr, numbers: Mapping[str, Fraction], *, variable: str = "t"
    ) -> None:
        known = {name: x for name, x in numbers.items() if name != variable}
        self._program = at_numbers(compiled(formula), known)
        for node in self._program:
            if node.kind == "symbol" and node.name != variable:
                raise KeyError(node.name)

    def __repr__(self) -> str:
        return f"<Evaluator of {len(self._program)} operations>"

    @cached_property
    def _uniform(self) -> Uniform:
        return Uniform(self._program)

    def __call__(
        self, t: FloatArray, *, proved: float = PROVED, negligible: float = 0.0
    ) -> FloatArray:
        """Values at an array of times, right to `PROVED` and mostly to rounding.

        NaN where the formula has no value.

        Parameters
        ----------
        t : numpy.ndarray
        proved : float, default `PROVED`
            Relative error that a value may have by its bound.
        negligible : float, default 0
            Absolute error that does no harm either, because values are added up: no further digits
            are taken for values far below it.
        """
        t = np.asarray(t, dtype=float)
        if t.size >= _MANY and not negligible:
            found = self._uniform(t, proved)
            if found is not None:
                return found
        result = np.full(t.shape, np.nan)
        open_ = np.ones(t.shape, dtype=bool)
        for tier in _TIERS:
            if not np.any(open_):
                return result
            with np.errstate(all="ignore"):
                values, errors = tier.run(self._program, t[open_])
                values = np.broadcast_to(values, t[open_].shape)
                known = errors <= np.maximum(proved * abs(values), negligible)
                rounded = values.astype(float)
            known &= np.isfinite(rounded)
            places = np.flatnonzero(open_)
            result.flat[places[known]] = rounded[known]
            open_.flat[places[known]] = False
        for place in np.flatnonzero(open_):
            result.flat[place] = self._by_balls(float(t.flat[place]))
        return result

    def _by_balls(self, t: float) -> float:
        for ball in _narrowing(self._program, arb(t), _MOST_OF_FLOATS):
            found = as_number(ball)
            if found is not None:
                return found
        return math.nan

    def ball(self, t: Fraction, digits: int) -> arb:
        """A ball around the value at a time, narrow enough for a number of digits.

        Where the value is zero, or cannot be distinguished from it, the ball is narrow absolutely.

        Raises
        ------
        InvalidInputError
            If there is no finite value, or it stays uncertain.
        """
        bits = bits_of(digits + _GUARD)
        tried = _FIRST
        while tried < bits:
            tried *= 2
        while tried <= max(_MOST, 8 * bits):
            with working_precision(tried):
                ball = _ball(self._program, arb(as_fmpq(t)))
            if ball.is_finite():
                _, top = _exponents(ball.mid())
                _, width = _exponents(ball.rad())
                if width <= top - bits or (tried > _MOST // 2 and width < -tried // 4):
                    return ball
            tried *= 2
        raise InvalidInputError(
            f"formula at t = {float(t):.6g}: has no certain finite value (tried "
            f"{round(tried / 2 / math.log2(10))} digits); choose another time"
        )

    def precise(self, t: Fraction, digits: int) -> mpmath.mpf:
        """The value at a time to a number of digits, the last one proved.

        Raises
        ------
        InvalidInputError
            If there is no finite value, or it stays uncertain.
        """
        return as_mpf(self.ball(t, digits))


def value(formula: sympy.Expr, numbers: Mapping[str, Fraction]) -> float:
    """A formula without a variable as a floating point number, NaN if it has no real value.

    Parameters
    ----------
    formula : sympy.Expr
        A case of a `Piecewise` is chosen exactly.
    numbers : mapping from str to Fraction
        A value for every symbol.
    """
    import sympy

    if formula.has(sympy.Piecewise):
        exact = {name: sympy.Rational(x.numerator, x.denominator) for name, x in numbers.items()}
        formula = formula.subs({each: exact[each.name] for each in formula.free_symbols})
    if formula is sympy.nan:
        return math.nan
    program = at_numbers(compiled(formula), numbers)
    if program[-1].kind == "number":
        try:
            return float(program[-1].number)
        except OverflowError:
            return math.copysign(math.inf, program[-1].number)
    for ball in _narrowing(program, None, _MOST_OF_FLOATS):
        found = as_number(ball)
        if found is not None:
            return found
    return math.nan
