"""Exact Taylor coefficients of closed formulas.

A formula in time and in symbols for sizes and variances is expanded in τ = t/T with coefficients
that are Laurent polynomials in the symbols. No limits and no floating point are involved: every
function is expanded by the differential equation it satisfies, and a base of a power must have a
single monomial as its value at τ = 0. So a certificate of a formula comes from the formula itself.

>>> import sympy
>>> t, T, H, p = (symbol(name) for name in ("t", "T", "H", "p"))
>>> [str(c) for c in taylor(p / 2 * sympy.exp(-2 * H * t / T), 3)]
['1/2*p', '-p*H', '2*p*H**2']
>>> [str(c) for c in taylor((1 + 4 * H * t / T) ** sympy.Rational(-1, 2), 3)]
['1', '-2*H', '12*H**2']

Source: ours; the recurrences for powers and exponentials of power series are classical.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from flint import fmpq, fmpz

from diagrams.errors import DiagflowError
from diagrams.rationals import as_fmpq, as_fraction
from diagrams.wick import monomial
from expansion.polynomial import Polynomial

if TYPE_CHECKING:
    import sympy

__all__ = ["ExpansionError", "symbol", "taylor"]

Powers = tuple[tuple[str, int], ...]
Laurent = dict[Powers, fmpq]
Series = list[Laurent]

_ZERO, _UNIT = fmpq(0), fmpq(1)
_ONE: Laurent = {(): _UNIT}


class ExpansionError(DiagflowError):
    """A formula that cannot be expanded in powers of time with monomial coefficients."""

    code = "formula-expansion"


def symbol(name: str) -> sympy.Symbol:
    """The symbol of a name: positive, but for the time t, which is real."""
    import sympy

    return sympy.Symbol(name, real=True) if name == "t" else sympy.Symbol(name, positive=True)


def taylor(formula: sympy.Expr, number: int) -> tuple[Polynomial, ...]:
    """The coefficients of (t/T)^s of a formula, times s!, for s = 0, ..., number - 1.

    Parameters
    ----------
    formula : sympy.Expr
        In t, T and other symbols: sums, products, rational powers, exponentials, logarithms and
        hyperbolic functions.
    number : int
        How many coefficients.

    Raises
    ------
    ExpansionError
        If a part of the formula has no such expansion; the message shows it.
    """
    return _taylor(formula, number)


@lru_cache(maxsize=64)
def _taylor(formula: sympy.Expr, number: int) -> tuple[Polynomial, ...]:
    """`taylor`; a report asks for the same ones for a table, a certificate and a picture."""
    series = _expand(formula, number)
    result = []
    factorial = 1
    for s, coefficient in enumerate(series):
        factorial *= s or 1
        if any(name == "T" for powers in coefficient for name, _ in powers):
            raise ExpansionError(
                f"formula {formula}: depends on T otherwise than through t/T; rescale it"
            )
        result.append(
            Polynomial({powers: as_fraction(c) * factorial for powers, c in coefficient.items()})
        )
    return tuple(result)


def _expand(expression: sympy.Expr, number: int) -> Series:
    import sympy

    if expression.is_Rational:
        value = fmpq(int(expression.p), int(expression.q))
        return _constant({(): value} if value != 0 else {}, number)
    if expression.is_Symbol:
        if expression.name == "t":
            return _pad([{}, {(("T", 1),): _UNIT}], number)
        return _constant({((expression.name, 1),): _UNIT}, number)
    if expression.is_Add:
        total = _constant({}, number)
        for part in expression.args:
            total = [_add(a, b) for a, b in zip(total, _expand(part, number), strict=True)]
        return total
    if expression.is_Mul:
        product = _constant(_ONE, number)
        for part in expression.args:
            product = _product(product, _expand(part, number))
        return product
    if isinstance(expression, sympy.exp):
        return _exponential(_expand(expression.exp, number), expression)
    if expression.is_Pow:
        base, exponent = expression.args
        if not exponent.is_Rational:
            raise ExpansionError(f"formula {expression}: its exponent is not rational")
        return _power(_expand(base, number), Fraction(int(exponent.p), int(exponent.q)), expression)
    function = _FUNCTIONS.get(type(expression).__name__)
    if function is None:
        raise ExpansionError(f"formula {expression}: is not expanded; use elementary functions")
    return function(expression, number)


def _logarithm(expression: sympy.Expr, number: int) -> Series:
    """From f g' = f' with f(0) = 1."""
    f = _expand(expression.args[0], number)
    if f[0] != _ONE:
        raise ExpansionError(f"formula {expression}: its argument is not 1 at time 0")
    g: Series = [{}]
    for n in range(1, number):
        total = {powers: n * c for powers, c in f[n].items()}
        for k in range(1, n):
            total = _add(total, _times(g[k], f[n - k]), fmpq(-k))
        g.append({powers: c / n for powers, c in total.items() if c != 0})
    return g


def _hyperbolic(expression: sympy.Expr, number: int) -> Series:
    import sympy

    return _expand(expression.rewrite(sympy.exp), number)


_FUNCTIONS: Mapping[str, Callable[[sympy.Expr, int], Series]] = {
    "log": _logarithm,
    "cosh": _hyperbolic,
    "sinh": _hyperbolic,
    "tanh": _hyperbolic,
}


def _exponential(f: Series, expression: sympy.Expr) -> Series:
    """From g' = f' g with f(0) = 0."""
    if f[0]:
        raise ExpansionError(f"formula {expression}: its exponent is not 0 at time 0")
    g: Series = [dict(_ONE)]
    for n in range(1, len(f)):
        total: Laurent = {}
        for k in range(1, n + 1):
            total = _add(total, _times(f[k], g[n - k]), fmpq(k))
        g.append({powers: c / n for powers, c in total.items() if c != 0})
    return g


def _power(f: Series, exponent: Fraction, expression: sympy.Expr) -> Series:
    """From f g' = q f' g; by products if q is small and whole, or f(0) is not one monomial."""
    number = len(f)
    if exponent.denominator == 1 and exponent >= 0 and (exponent <= 4 or len(f[0]) != 1):
        result = _constant(_ONE, number)
        for _ in range(int(exponent)):
            result = _product(result, f)
        return result
    if len(f[0]) != 1:
        raise ExpansionError(f"formula {expression}: its base is not a monomial at time 0")
    ((powers, c),) = f[0].items()
    start = _monomial_power(powers, c, exponent, expression)
    inverse: Laurent = {tuple((name, -k) for name, k in powers): 1 / c}
    g: Series = [start]
    q = as_fmpq(exponent)
    for n in range(1, number):
        total: Laurent = {}
        for k in range(1, n + 1):
            total = _add(total, _times(f[k], g[n - k]), q * k - (n - k))
        g.append({m: x / n for m, x in _times(total, inverse).items() if x != 0})
    return g


def _monomial_power(powers: Powers, c: fmpq, exponent: Fraction, expression: sympy.Expr) -> Laurent:
    root = exponent.denominator
    roots = [_exact_root(abs(int(x)), root) for x in (c.p, c.q)]
    whole = all(k * exponent.numerator % root == 0 for _, k in powers)
    # The principal root of a negative number is not real, not even a cube root.
    if None in roots or not whole or (c < 0 and root > 1):
        raise ExpansionError(f"formula {expression}: is not rational at time 0")
    value = fmpq(roots[0] or 0, roots[1] or 1) ** exponent.numerator
    if c < 0 and exponent.numerator % 2:
        value = -value
    return {tuple((name, int(k * exponent)) for name, k in powers): value}


def _exact_root(value: int, degree: int) -> int | None:
    found = int(fmpz(value).root(degree)) if degree > 1 else value
    return found if found**degree == value else None


def _constant(value: Laurent, number: int) -> Series:
    return _pad([value], number)


def _pad(series: Series, number: int) -> Series:
    return [*series, *({} for _ in range(number - len(series)))][:number]


def _product(f: Series, g: Series) -> Series:
    result: Series = []
    for n in range(len(f)):
        total: Laurent = {}
        for k in range(n + 1):
            if f[k] and g[n - k]:
                total = _add(total, _times(f[k], g[n - k]))
        result.append(total)
    return result


def _add(f: Laurent, g: Laurent, factor: fmpq = _UNIT) -> Laurent:
    total = dict(f)
    for powers, c in g.items():
        value = total.get(powers, _ZERO) + c * factor
        if value != 0:
            total[powers] = value
        else:
            total.pop(powers, None)
    return total


@lru_cache(maxsize=65536)
def _joined(first: Powers, second: Powers) -> Powers:
    """The product of two monomials: in a series the same ones meet again and again."""
    exponents = dict(first)
    for name, k in second:
        exponents[name] = exponents.get(name, 0) + k
    return monomial(exponents)


def _times(f: Laurent, g: Laurent) -> Laurent:
    total: Laurent = {}
    for first, a in f.items():
        for second, b in g.items():
            key = _joined(first, second)
            total[key] = total.get(key, _ZERO) + a * b
    return {powers: c for powers, c in total.items() if c != 0}
