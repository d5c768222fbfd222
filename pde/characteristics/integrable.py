r"""Ordinary equations along a characteristic, integrated one after the other.

In a *triangular* system dv_i/dx = g_i(x, v_1, ..., v_i) the first equation is solved by itself; its
curve makes the second one an equation for v_2 alone, and so on. Each is solved

- if it is linear, dv/dx = a(x) v + b(x), by the integrating factor exp ∫a;
- if it is separable, dv/dx = a(x) b(v), by the first integral ∫dv/b - ∫a; where b is quadratic with
  irrational roots, as a quotient of two solutions of a linear system, because inverting that
  integral may keep sympy busy without end;
- otherwise by sympy's dsolve, in a process of its own that is ended after a time limit.

>>> x, v, w, along = sympy.symbols("x v w along")
>>> curves = triangular_curves({v: sympy.Integer(1), w: w + v - x}, x, along)
>>> curves[v]
along + v - x
>>> sympy.simplify(curves[w].subs(along, x) - w)
0

Source: ours; the methods are those of every textbook.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping

import sympy

from diagrams.errors import DiagflowError

__all__ = [
    "CharacteristicsError",
    "dsolve_within",
    "explicit_roots",
    "quadratic_curve",
    "triangular_curves",
]

TIME_LIMIT = 20.0
"""Seconds for one equation."""


class CharacteristicsError(DiagflowError):
    """The characteristics of an equation could not be followed."""

    code = "characteristics"


def triangular_curves(
    slopes: Mapping[sympy.Symbol, sympy.Expr], x: sympy.Symbol, along: sympy.Symbol
) -> dict[sympy.Symbol, sympy.Expr]:
    """The curve through a point, as functions of the place along it.

    Parameters
    ----------
    slopes : mapping from sympy.Symbol to sympy.Expr
        dv/dx for each variable v; they may contain x, the variables and parameters.
    x, along : sympy.Symbol
        The independent variable at the point and anywhere on the curve.

    Returns
    -------
    dict
        v(along), which is v at along = x.

    Raises
    ------
    CharacteristicsError
        If the system is not triangular, or one of its equations is not integrated.
    """
    curves: dict[sympy.Symbol, sympy.Expr] = {}
    waiting = dict(slopes)
    while waiting:
        ready = [
            v
            for v, slope in waiting.items()
            if not any(slope.has(other) for other in waiting if other != v)
        ]
        if not ready:
            names = ", ".join(str(v) for v in waiting)
            raise CharacteristicsError(
                f"characteristics of {names}: each depends on another one, so that the system is "
                "not triangular; use solve_numerically"
            )
        v = ready[0]
        slope = waiting.pop(v).subs(x, along).subs(curves)
        curves[v] = _curve(sympy.expand(slope), v, x, along)
    return curves


def _curve(slope: sympy.Expr, v: sympy.Symbol, x: sympy.Symbol, along: sympy.Symbol) -> sympy.Expr:
    """The solution of dv/d(along) = slope that is v at along = x."""
    rate = sympy.diff(slope, v)
    if not rate.has(v):
        source = sympy.simplify(slope - rate * v)
        factor = sympy.exp(_integral(rate, x, along))
        back = sympy.Dummy("back", positive=True)
        rest = sympy.expand(sympy.simplify(source / factor)).subs(along, back)
        return sympy.simplify(factor * (v + sympy.integrate(rest, (back, x, along))))
    parts = sympy.separatevars(sympy.factor(slope), symbols=(along, v), dict=True)
    if parts:
        shift = _integral(parts[along] * parts["coeff"], x, along)
        curve = quadratic_curve(parts[v], v, shift)
        if curve is not None:
            return curve
        inverse = 1 / parts[v]
        if inverse.is_rational_function(v):
            inverse = sympy.apart(sympy.cancel(inverse), v)
        first = sympy.integrate(inverse, v)
        end = sympy.Dummy("end")
        for root in explicit_roots(first.subs(v, end) - first - shift, end):
            if sympy.simplify(root.subs(along, x) - v) == 0:
                return root
    return dsolve_within(slope, v, x, along)


def quadratic_curve(slope: sympy.Expr, v: sympy.Symbol, time: sympy.Expr) -> sympy.Expr | None:
    """The solution of dv/dt = q2 v^2 + q1 v + q0 through v, some time later.

    With v = y/z, the vector (y, z) obeys a linear equation.

    Parameters
    ----------
    slope : sympy.Expr
        A function of v.
    v : sympy.Symbol
    time : sympy.Expr
        Free of v; negative goes back.

    Returns
    -------
    sympy.Expr or None
        None if the slope is not quadratic, or has roots that other methods take as well: rational
        ones or rational multiples of i.

    Examples
    --------
    >>> v, t = sympy.symbols("v t")
    >>> curve = quadratic_curve(v**2 - 2, v, t)
    >>> sympy.simplify(curve.diff(t) - curve**2 + 2)
    0
    """
    if not slope.is_polynomial(v) or sympy.degree(slope, v) != 2:
        return None
    q2, q1, q0 = sympy.Poly(slope, v).all_coeffs()
    # The matrix [[q1/2, q0], [-q2, -q1/2]] of that equation has the square root^2.
    root = sympy.sqrt(sympy.factor(q1**2 / 4 - q0 * q2))
    if root.is_rational or (root / sympy.I).is_rational:
        return None
    cosh, sinh = sympy.cosh(root * time), sympy.sinh(root * time) / root
    return (v * cosh + sinh * (q1 * v / 2 + q0)) / (cosh - sinh * (q2 * v + q1 / 2))


def explicit_roots(expression: sympy.Expr, unknown: sympy.Symbol) -> list[sympy.Expr]:
    """The roots that sympy finds, none if it knows no method.

    Examples
    --------
    >>> v = sympy.Symbol("v")
    >>> explicit_roots(v**2 - 4, v), explicit_roots(v + sympy.exp(v) - sympy.sin(v), v)
    ([-2, 2], [])
    """
    try:
        return list(sympy.solve(expression, unknown))
    except NotImplementedError:
        return []


def _integral(rate: sympy.Expr, x: sympy.Symbol, along: sympy.Symbol) -> sympy.Expr:
    """The integral from x to along."""
    antiderivative = sympy.integrate(rate, along)
    return sympy.simplify(antiderivative - antiderivative.subs(along, x))


def dsolve_within(
    slope: sympy.Expr,
    v: sympy.Symbol,
    x: sympy.Symbol,
    along: sympy.Symbol,
    *,
    seconds: float = TIME_LIMIT,
) -> sympy.Expr:
    """The solution of dv/d(along) = slope through v at along = x, by dsolve within a time limit.

    Raises
    ------
    CharacteristicsError
        If there is none, or not in time.
    """
    # A process of its own can be ended at any moment; a thread cannot.
    program = [sys.executable, "-c", "from pde.characteristics.integrable import _serve; _serve()"]
    try:
        answer = subprocess.run(
            program,
            input=pickle.dumps((slope, v, along)),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CharacteristicsError(
            f"d{v}/d{x} = {slope.subs(along, x)}: was not integrated within {seconds:g} s; use "
            "solve_numerically"
        ) from None
    solutions = [] if answer.returncode else pickle.loads(answer.stdout)
    constant = sympy.Symbol("C1")
    for general in solutions:
        for value in explicit_roots(general.subs(along, x) - v, constant):
            return sympy.simplify(general.subs(constant, value))
    raise CharacteristicsError(
        f"d{v}/d{x} = {slope.subs(along, x)}: was not integrated; use solve_numerically"
    )


def _serve() -> None:
    """Solve the equation on the standard input, for `dsolve_within`."""
    solutions = _general_solutions(*pickle.load(sys.stdin.buffer))
    sys.stdout.buffer.write(pickle.dumps(solutions))


def _general_solutions(slope: sympy.Expr, v: sympy.Symbol, along: sympy.Symbol) -> list[sympy.Expr]:
    """The explicit solutions of dsolve, with the constant C1."""
    function = sympy.Function("f")
    equation = sympy.Eq(function(along).diff(along), slope.subs(v, function(along)))
    found = sympy.dsolve(equation, function(along))
    found = found if isinstance(found, list) else [found]
    return [entry.rhs for entry in found if entry.lhs == function(along)]
