r"""Power series of solutions in the first variable, against which formulas are compared.

For an equation ∂_x u + Σ_v s_v ∂_v u = r u with coefficients that are analytic at x = 0, the
coefficients of u = Σ u_n x^n follow from u_0 one by one,

    (n + 1) u_{n+1} = Σ_k (r_k u_{n-k} - Σ_v s_{v,k} ∂_v u_{n-k}),

with the coefficients r_k and s_{v,k} of r and s_v. A formula for u is right if it has these
coefficients at numbers for the other symbols; where they are exact and the comparison is precise, a
wrong branch of a root, a wrong sign or a value that is no number cannot pass.

>>> x, z = sympy.symbols("x z")
>>> equation = FirstOrderPDE((x, z), (sympy.Integer(1), z), sympy.Integer(2))
>>> cauchy_series(equation, z, equation.growth, 3)
[z, z, z/2]
>>> formulas_are_the_series(equation, {z: z * sympy.exp(-x)}, sympy.exp(2 * x))
()

Source: the theorem of Cauchy and Kovalevskaya, for example L. C. Evans, Partial Differential
Equations, section 4.6.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import product

import mpmath
import sympy

from pde.characteristics.integrable import CharacteristicsError
from pde.recurrences.equation import FirstOrderPDE
from pde.sampled_taylor import NotAnalyticError, differs, exact_points, line_taylor

__all__ = ["cauchy_series", "formulas_are_the_series", "residual_at_random_points"]

CHECK_DIGITS = 50
CHECK_POINTS = 5

_COMPARED = 5
"""Coefficients that are compared."""

_MOST_SIGNED = 5
"""Symbols for which all combinations of signs are tried; with more, one negative at a time."""


def cauchy_series(
    equation: FirstOrderPDE, initial: sympy.Expr, growth: sympy.Expr, number: int
) -> list[sympy.Expr]:
    """The first coefficients in x of the solution with given values at x = 0.

    Parameters
    ----------
    equation : FirstOrderPDE
        Its field; the plane x = 0 is not characteristic.
    initial : sympy.Expr
        A differentiable function of the other variables.
    growth : sympy.Expr
        What stands for the φ of the equation; 0 for a function that is constant along
        characteristics.
    number : int
        How many coefficients.
    """
    x, *others = equation.variables
    speed, *rest = equation.field
    rates = _coefficients(sympy.cancel(growth / speed), x, number)
    slopes = [_coefficients(sympy.cancel(c / speed), x, number) for c in rest]
    series = [initial]
    for n in range(number - 1):
        total = sympy.Add(*(rates[k] * series[n - k] for k in range(n + 1)))
        for v, slope in zip(others, slopes, strict=True):
            total -= sympy.Add(
                *(slope[k] * sympy.diff(series[n - k], v) for k in range(n + 1) if slope[k])
            )
        series.append(total / (n + 1))
    return series


def formulas_are_the_series(
    equation: FirstOrderPDE, starts: Mapping[sympy.Symbol, sympy.Expr], growth: sympy.Expr
) -> tuple[sympy.Symbol, ...]:
    """Compare the starts of characteristics and the growth along them with their power series.

    Parameters
    ----------
    equation : FirstOrderPDE
    starts : mapping from sympy.Symbol to sympy.Expr
        Where the characteristic through a point meets x = 0.
    growth : sympy.Expr
        The factor by which h grows from there.

    Returns
    -------
    tuple of sympy.Symbol
        The symbols that have to be positive: for negative ones the formulas are not the solution.

    Raises
    ------
    CharacteristicsError
        If the formulas are wrong for positive symbols, or cannot be compared.
    """
    x = equation.variables[0]
    pairs = [(growth, cauchy_series(equation, sympy.Integer(1), equation.growth, _COMPARED))]
    for v, start in starts.items():
        pairs.append((start, cauchy_series(equation, v, sympy.Integer(0), _COMPARED)))
    used = set(equation.variables[1:]).union(*(formula.free_symbols for formula, _ in pairs))
    used |= equation.growth.free_symbols.union(*(c.free_symbols for c in equation.field))
    symbols = sorted(used - {x}, key=str)
    reason = _refuted(pairs, x, symbols, [_sign(v, 1) for v in symbols])
    if reason is not None:
        raise CharacteristicsError(
            f"equation: a candidate for its solution {reason}; use solve_numerically"
        )
    signed = [v for v in symbols if v.is_positive is None and v.is_negative is None]

    def holds(negative: Sequence[sympy.Symbol]) -> bool:
        signs = [_sign(v, -1 if v in negative else 1) for v in symbols]
        return _refuted(pairs, x, symbols, signs) is None

    assumed = {v for v in signed if not holds([v])}
    free = [v for v in signed if v not in assumed]
    if 1 < len(free) <= _MOST_SIGNED and not all(
        holds([v for v, is_negative in zip(free, chosen, strict=True) if is_negative])
        for chosen in product((False, True), repeat=len(free))
        if sum(chosen) > 1
    ):
        assumed = set(signed)
    return tuple(v for v in symbols if v in assumed)


def _sign(symbol: sympy.Symbol, otherwise: int) -> int:
    return -1 if symbol.is_negative else 1 if symbol.is_positive else otherwise


def _refuted(
    pairs: Sequence[tuple[sympy.Expr, list[sympy.Expr]]],
    x: sympy.Symbol,
    symbols: Sequence[sympy.Symbol],
    signs: Sequence[int],
) -> str | None:
    """Why a formula is not the function with the given series, None if it is."""
    for at in exact_points(symbols, signs):
        for formula, series in pairs:
            exact = [coefficient.subs(at) for coefficient in series]
            try:
                place = differs(line_taylor(formula, x, _COMPARED, at), exact)
            except NotAnalyticError as error:
                return f"has no power series ({error})"
            if place is not None:
                return f"has a wrong coefficient of {x}^{place}"
    return None


def _coefficients(function: sympy.Expr, x: sympy.Symbol, number: int) -> list[sympy.Expr]:
    """The first Taylor coefficients at x = 0 of a coefficient of the equation."""
    found, factorial = [], 1
    for n in range(number):
        factorial *= n or 1
        value = function.subs(x, 0)
        if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            raise CharacteristicsError(
                f"equation: {function} is not analytic at {x} = 0, so that its solution cannot be "
                "compared with a power series; use solve_numerically"
            )
        found.append(value / factorial)
        function = sympy.diff(function, x)
    return found


def residual_at_random_points(
    expression: sympy.Expr, *, points: int = CHECK_POINTS, digits: int = CHECK_DIGITS, seed: int = 1
) -> mpmath.mpf:
    """The largest absolute value of an expression at random points between 0 and 1/8.

    Parameters
    ----------
    expression : sympy.Expr
    points, digits, seed : int
        Number of points, decimal digits, and what makes the points the same every time.

    Returns
    -------
    mpmath.mpf
        Infinite if a value is not finite, so that no bound holds.

    Examples
    --------
    >>> residual_at_random_points(sympy.nan)
    mpf('+inf')
    """
    if expression.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return mpmath.inf
    symbols = sorted(expression.free_symbols, key=str)
    generator = random.Random(seed)
    function = sympy.lambdify(symbols, expression, "mpmath")
    with mpmath.workdps(digits):
        worst = mpmath.mpf(0)
        for _ in range(points):
            values = [mpmath.mpf(generator.randint(1, 10**6)) / (8 * 10**6) for _ in symbols]
            try:
                size = abs(mpmath.mpmathify(function(*values)))
            except ArithmeticError:
                return mpmath.inf
            if not mpmath.isfinite(size):
                return mpmath.inf
            worst = max(worst, size)
        return worst
