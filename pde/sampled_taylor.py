r"""Taylor coefficients at 0 of an explicit formula, from its values near 0.

For a function that is analytic for |z| <= r the averages over the N-th roots of unity ω

    r^{-n} (1/N) Σ_k f(r ω^k) ω^{-nk}  =  a_n + a_{n+N} r^N + a_{n+2N} r^{2N} + ...

are its coefficients up to terms of order r^N. The formula is only evaluated, so that a quotient
that is 0/0 at z = 0 does no harm, and nothing is simplified: it is the formula itself that is
tested. With a pole, a branch point or a jump at 0 the averages with n >= N/2 are not of order r^n,
which is seen. A formula for real numbers, with roots of what is negative, may jump on the circle;
`line_taylor` takes its values at real points, through which it lays a polynomial. Both are done at
two scales, which have to agree. Values that are not finite are never taken for coefficients.

>>> z = sympy.Symbol("z")
>>> catalan = circle_taylor((1 - sympy.sqrt(1 - 4 * z)) / (2 * z), z, 4)
>>> [mpmath.nstr(c.real, 6) for c in catalan]
['1.0', '1.0', '2.0', '5.0']

Source: L. N. Trefethen, J. A. C. Weideman, SIAM Review 56 (2014) 385, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import mpmath
import sympy
from flint import fmpz_mat

from diagrams.errors import DiagflowError

__all__ = [
    "NotAnalyticError",
    "circle_averages",
    "circle_taylor",
    "differs",
    "exact_points",
    "termwise",
]

DIGITS = 25
"""Digits to which coefficients agree that are the same."""

_RADIUS_DIGITS = 12
"""The circle has the radius 10^-12."""

_FRACTIONS = ((3, 7), (5, 11), (2, 13), (4, 17), (6, 19), (7, 23), (8, 29), (9, 31))


class NotAnalyticError(DiagflowError):
    """A formula that has no power series at 0, or no values near 0."""

    code = "not-analytic"


def circle_taylor(
    expression: sympy.Expr,
    variable: sympy.Symbol,
    number: int,
    at: Mapping[sympy.Symbol, sympy.Expr] | None = None,
) -> list[mpmath.mpc]:
    """The first coefficients of a formula at numbers for its parameters.

    Parameters
    ----------
    expression : sympy.Expr
    variable : sympy.Symbol
    number : int
        How many coefficients.
    at : mapping from sympy.Symbol to sympy.Expr, optional
        Exact numbers for the other symbols.

    Returns
    -------
    list of mpmath.mpc
        With at least `DIGITS` digits.

    Raises
    ------
    NotAnalyticError
        If a value is not finite, or the function is not analytic at 0.
    """
    return circle_averages(_function(expression, variable, at), number)


def line_taylor(
    expression: sympy.Expr,
    variable: sympy.Symbol,
    number: int,
    at: Mapping[sympy.Symbol, sympy.Expr] | None = None,
) -> list[mpmath.mpc]:
    """The same from values on the real line alone.

    Examples
    --------
    >>> z = sympy.Symbol("z")
    >>> differs(line_taylor((z - 1) ** 2 / sympy.sqrt(-1 - z) ** 2, z, 3), [-1, 3, -4]) is None
    True
    """
    function = _function(expression, variable, at)
    first, second = (_interpolated(function, number, share) for share in (1, 2))
    if differs(first, second) is not None:
        raise NotAnalyticError("formula: is not analytic at 0; its values at two scales disagree")
    return first


def _interpolated(
    function: Callable[[mpmath.mpc], mpmath.mpc], number: int, share: int
) -> list[mpmath.mpc]:
    """The coefficients of the polynomial through values at points -m r, ..., m r."""
    m = number
    matrix = fmpz_mat([[k**n for n in range(2 * m + 1)] for k in range(-m, m + 1)]).inv()
    with mpmath.workdps(_RADIUS_DIGITS * (2 * m + 1) + 2 * DIGITS):
        radius = mpmath.mpf(10) ** -_RADIUS_DIGITS / share
        values = [_value(function, radius * k) for k in range(-m, m + 1)]
        return [
            mpmath.fsum(v * int(matrix[n, k].p) / int(matrix[n, k].q) for k, v in enumerate(values))
            / radius**n
            for n in range(number)
        ]


def _function(
    expression: sympy.Expr,
    variable: sympy.Symbol,
    at: Mapping[sympy.Symbol, sympy.Expr] | None,
) -> Callable[[mpmath.mpc], mpmath.mpc]:
    """The formula at exact numbers for its parameters, in working precision."""
    inside = expression.subs(dict(at or {}), simultaneous=True)
    other = inside.free_symbols - {variable}
    if other:
        raise NotAnalyticError(f"formula {expression}: {min(map(str, other))} has no number")
    inside, roots = _with_roots(inside)
    function = sympy.lambdify([variable, *roots], inside, "mpmath")
    known: dict[int, list[mpmath.mpc]] = {}

    def evaluate(place: mpmath.mpc) -> mpmath.mpc:
        if mpmath.mp.prec not in known:
            known[mpmath.mp.prec] = _numerical(roots)
        return function(place, *known[mpmath.mp.prec])

    return evaluate


def circle_averages(function: Callable[[mpmath.mpc], mpmath.mpc], number: int) -> list[mpmath.mpc]:
    """The first coefficients of a function of one complex number.

    Raises
    ------
    NotAnalyticError
        If a value is not finite, or the function is not analytic at 0.
    """
    first, second = (_averages(function, number, share) for share in (1, 2))
    if differs(first, second) is not None:
        raise NotAnalyticError("formula: is not analytic at 0; circles of two sizes disagree")
    return first


def _averages(
    function: Callable[[mpmath.mpc], mpmath.mpc], number: int, share: int
) -> list[mpmath.mpc]:
    """The coefficients from one circle, of the full radius or of a share of it."""
    points = 2 * number + 2
    with mpmath.workdps(_RADIUS_DIGITS * points + 2 * DIGITS):
        radius = mpmath.mpf(10) ** -_RADIUS_DIGITS / share
        roots = [mpmath.expjpi(mpmath.mpf(2 * k) / points) for k in range(points)]
        values = [_value(function, radius * root) for root in roots]
        averages = [
            mpmath.fsum(v * roots[-n * k % points] for k, v in enumerate(values)) / points
            for n in range(points)
        ]
        scale = max(mpmath.mpf(1), *(abs(v) for v in values))
        bound = scale * radius ** ((number + 1) / 2)
        if not all(abs(average) <= bound for average in averages[number + 1 :]):
            raise NotAnalyticError("formula: is not analytic at 0; its values on a circle show it")
        return [averages[n] / radius**n for n in range(number)]


def termwise(
    first: Sequence[mpmath.mpc], second: Sequence[mpmath.mpc | sympy.Expr]
) -> list[mpmath.mpc]:
    """The products of the coefficients of two series; exact numbers become precise ones."""
    with mpmath.workdps(2 * DIGITS):
        return [a * _precise(b) for a, b in zip(first, second, strict=True)]


def differs(found: Sequence[mpmath.mpc], expected: Sequence[mpmath.mpc | sympy.Expr]) -> int | None:
    """The first place where two lists of coefficients are not the same, None if there is none.

    A coefficient that is not a number is not the same as any.

    Examples
    --------
    >>> differs([mpmath.mpf(1)], [mpmath.mpf(1)]) is None
    True
    >>> differs([mpmath.mpf(1), mpmath.nan], [mpmath.mpf(1), mpmath.nan])
    1
    """
    scale = mpmath.mpf(1)
    for n, (a, right) in enumerate(zip(found, expected, strict=True)):
        with mpmath.workdps(2 * DIGITS):
            b = _precise(right)
            size = abs(b)
            scale = max(scale, size) if mpmath.isfinite(size) else scale
            if not abs(a - b) <= scale * mpmath.mpf(10) ** -DIGITS:
                return n
    return None


def exact_points(
    symbols: Sequence[sympy.Symbol], signs: Sequence[int] | None = None, number: int = 2
) -> list[dict[sympy.Symbol, sympy.Rational]]:
    """Exact numbers for symbols, all different, that no simple formula singles out.

    Examples
    --------
    >>> exact_points([sympy.Symbol("y")], number=2)
    [{y: 3/7}, {y: 5/11}]
    """
    signs = signs or [1] * len(symbols)
    found = []
    for start in range(number):
        values = {}
        for i, (symbol, sign) in enumerate(zip(symbols, signs, strict=True)):
            top, bottom = _FRACTIONS[(start + i) % len(_FRACTIONS)]
            turns = (start + i) // len(_FRACTIONS)
            values[symbol] = sign * sympy.Rational(top + turns, bottom + 2 * turns)
        found.append(values)
    return found


def _precise(number: mpmath.mpc | sympy.Expr) -> mpmath.mpc:
    if not isinstance(number, sympy.Basic):
        return number
    real, imaginary = sympy.N(number, 2 * DIGITS).as_real_imag()
    return mpmath.mpc(mpmath.mpmathify(real), mpmath.mpmathify(imaginary))


def _value(function: Callable[[mpmath.mpc], mpmath.mpc], place: mpmath.mpc) -> mpmath.mpc:
    try:
        value = mpmath.mpc(function(place))
    except (ArithmeticError, TypeError, ValueError, NameError) as error:
        raise NotAnalyticError(f"formula: has no value near 0 ({error})") from None
    if not (mpmath.isfinite(value.real) and mpmath.isfinite(value.imag)):
        raise NotAnalyticError("formula: is not finite near 0")
    return value


def _with_roots(
    expression: sympy.Expr,
) -> tuple[sympy.Expr, dict[sympy.Symbol, tuple[sympy.Poly, int]]]:
    """Sums over the roots of polynomials written out, with a symbol for every root."""
    roots: dict[sympy.Symbol, tuple[sympy.Poly, int]] = {}

    def written_out(whole: sympy.RootSum) -> sympy.Expr:
        symbols = [sympy.Dummy(f"root_{k}") for k in range(whole.poly.degree())]
        roots.update({symbol: (whole.poly, k) for k, symbol in enumerate(symbols)})
        return sympy.Add(*(whole.fun(symbol) for symbol in symbols))

    return expression.replace(lambda part: isinstance(part, sympy.RootSum), written_out), roots


def _numerical(roots: Mapping[sympy.Symbol, tuple[sympy.Poly, int]]) -> list[mpmath.mpc]:
    """The values of the roots in working precision."""
    values: dict[sympy.Poly, list[mpmath.mpc]] = {}
    for polynomial, _ in roots.values():
        if polynomial not in values:
            coefficients = [mpmath.mpmathify(c) for c in polynomial.all_coeffs()]
            values[polynomial] = mpmath.polyroots(
                coefficients, maxsteps=1000, extraprec=4 * mpmath.mp.prec
            )
    return [values[polynomial][k] for polynomial, k in roots.values()]
