r"""First-order equations solved along their characteristics.

Along a curve with dx/dλ = Φ(x) a solution of Φ·∇h = φ h grows as dh/dλ = φ h. The curve through a
point is followed back to the plane where the first variable x vanishes; there h is given.
Integrated symbolically are

- no other variable that moves: h(x, y) = h(0, y) exp ∫_0^x φ/Φ_x;
- one that moves, with dz/dx = a(x) b(z) *separable*: the first integral G(z) - A(x), with
  G = ∫ dz/b and A = ∫ a, gives the starting point z_0 and the growth along the curve;
- *triangular* systems, in which the speed of each variable depends on x, on itself and on variables
  that are known already: one after the other, linear ones by an integrating factor, separable ones
  by their first integral, others by sympy's dsolve within a time limit.

Everything else is followed numerically, to any precision (`pde.numerical_characteristics`).

The starting points and the growth are what is checked, for every h is made of them by the chain
rule. Their power series in x follow from the equation (Cauchy and Kovalevskaya) and are compared
with the formulas at exact numbers; the result is exact if sympy can decide besides that the
starting point does not change along a curve and that the growth has its rate. Integration takes all
symbols for positive, because sympy then keeps no roots of squares. Whether the formulas hold for
negative numbers too is found out afterwards, and where they do not, the result names the symbols.
The initial values are put in as they are given: |z| stays |z|.

On a plane that is characteristic values are no initial values: the equation itself may imply that h
vanishes there. Then h = x^k u, and the equation of u can be solved (`FirstOrderPDE.of_quotient`):

>>> x = sympy.Symbol("x")
>>> equation = FirstOrderPDE((x,), (x * (1 - x),), 1 + x)  # of 0, 1, 2, 3, ...
>>> solve_symbolically(equation, sympy.Integer(0))
Traceback (most recent call last):
pde.characteristics.integrable.CharacteristicsError: equation: the plane x = 0 is ...
>>> solve_symbolically(equation.of_quotient(1), sympy.Integer(1)).expression
(x - 1)**(-2)

One variable that moves:

>>> x, z = sympy.symbols("x z")
>>> equation = FirstOrderPDE((x, z), (sympy.Integer(1), 4 * z * (1 - z)), 4 * (z - 1))
>>> solution = solve_symbolically(equation, z / 2 - 1)
>>> expected = (2 * (z - 1) * sympy.exp(4 * x) - z) / (2 * (z - (z - 1) * sympy.exp(4 * x)) ** 2)
>>> sympy.simplify(solution.expression - expected), solution.verified
(0, 'exactly')

Source: Yarotsky, Golikov, Gusev 2026, section 6; the separable case and the checks are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mpmath
import sympy

from pde.cauchy import formulas_are_the_series, residual_at_random_points
from pde.characteristics.integrable import (
    CharacteristicsError,
    explicit_roots,
    quadratic_curve,
    triangular_curves,
)
from pde.numerical_characteristics import solve_numerically
from pde.recurrences.equation import FirstOrderPDE

__all__ = [
    "CharacteristicsError",
    "SymbolicSolution",
    "residual_at_random_points",
    "solve_numerically",
    "solve_symbolically",
]

_RESIDUAL = mpmath.mpf(10) ** -25
"""Largest residual of a part at random points."""

_LARGE = 300
"""Operations beyond which an expression is not simplified."""


@dataclass(frozen=True, slots=True)
class SymbolicSolution:
    """A solution with how it was verified.

    Parameters
    ----------
    expression : sympy.Expr
    starts : tuple of (sympy.Symbol, sympy.Expr)
        Where the characteristic through a point meets x = 0, for each variable that moves.
    verified : str
        ``exactly``, or how small the residual is at random points.
    assumed_positive : tuple of sympy.Symbol
        The symbols for whose negative values the formula does not hold.
    """

    expression: sympy.Expr
    starts: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    verified: str
    assumed_positive: tuple[sympy.Symbol, ...] = ()


def solve_symbolically(equation: FirstOrderPDE, initial: sympy.Expr) -> SymbolicSolution:
    """The solution with given values on the plane where the first variable vanishes.

    Parameters
    ----------
    equation : FirstOrderPDE
        Its first variable moves.
    initial : sympy.Expr
        h at x = 0 as a function of the other variables and of parameters.

    Raises
    ------
    CharacteristicsError
        If the plane x = 0 is characteristic, the characteristics are not of a kind that is
        integrated symbolically, or the result does not have the power series of the solution.
    """
    _check_problem(equation, initial)
    free = equation.growth.free_symbols.union(*(c.free_symbols for c in equation.field))
    symbols = sorted(free | set(equation.variables), key=lambda v: (v.name, str(v.assumptions0)))
    # Positive symbols: sympy then neither splits into real parts nor keeps roots of squares.
    inside = {old: sympy.Symbol(old.name, positive=True) for old in symbols}
    if len(set(inside.values())) < len(inside):
        inside = {old: sympy.Dummy(old.name, positive=True) for old in symbols}
    outside = {new: old for old, new in inside.items()}
    positive = FirstOrderPDE(
        tuple(inside[v] for v in equation.variables),
        tuple(component.subs(inside) for component in equation.field),
        equation.growth.subs(inside),
    )
    parts, growth = _starts_and_growth(positive)
    starts = {outside[v]: start.subs(outside) for v, start in parts.items()}
    assumed = formulas_are_the_series(equation, starts, growth.subs(outside))
    if _holds_in_parts(positive, parts, growth):
        verified = "exactly"
    else:
        worst = _residual_of_parts(positive, parts, growth)
        verified = f"up to {mpmath.nstr(worst, 2)} at random points"
    if initial.is_rational_function(*equation.variables[1:]):
        whole = initial.subs(inside).subs(parts, simultaneous=True) * growth
        expression = _simplified(whole).subs(outside)
        _check_simplified(expression, whole.subs(outside))
    else:
        # A root or an absolute value is not one of a positive number only.
        expression = initial.subs(starts, simultaneous=True) * growth.subs(outside)
    return SymbolicSolution(expression, tuple(starts.items()), verified, assumed)


def _check_problem(equation: FirstOrderPDE, initial: sympy.Expr) -> None:
    x = equation.variables[0]
    speed, *rest = equation.field
    if not speed:
        raise CharacteristicsError(
            f"equation in {x}, ...: {x} does not move along its characteristics; put a variable "
            "that moves first"
        )
    if initial.has(x) or initial.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise CharacteristicsError(
            f"initial values {initial}: are not finite values at {x} = 0; give a function of the "
            "other variables"
        )
    slopes = [sympy.cancel(component / speed) for component in (*rest, equation.growth)]
    if not any(_vanishes_at_zero(sympy.denom(slope), x) for slope in slopes):
        return
    order = sympy.cancel(x * slopes[-1])
    leading = None if _vanishes_at_zero(sympy.denom(order), x) else order.subs(x, 0)
    remedy = "choose other initial values"
    if leading is not None and leading.is_Integer and leading > 0:
        remedy = f"solve the equation of h/{x}^{leading} that of_quotient({leading}) gives"
    raise CharacteristicsError(
        f"equation: the plane {x} = 0 is characteristic, so that the values of h there do not fix "
        f"h; {remedy}"
    )


def _vanishes_at_zero(expression: sympy.Expr, x: sympy.Symbol) -> bool:
    return bool(sympy.simplify(expression.subs(x, 0)) == 0)


def _starts_and_growth(
    equation: FirstOrderPDE,
) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr]:
    """Where the characteristic through a point starts, and by which factor h grows along it."""
    x, *others = equation.variables
    speed, *rest = equation.field
    moving = {v: sympy.cancel(c / speed) for v, c in zip(others, rest, strict=True) if c != 0}
    if not moving:
        rate = sympy.apart(sympy.cancel(equation.growth / speed), x)
        return {}, _exponential(_between(rate, x, sympy.Integer(0), x), x)
    if len(moving) == 1 and _is_separable(x, moving):
        ((z, slope),) = moving.items()
        start, growth = _along_separable(equation, x, z, slope, speed)
        return {z: start}, growth
    along = sympy.Dummy("x_along", positive=True)
    curves = triangular_curves(moving, x, along)
    starts = {v: sympy.simplify(curve.subs(along, 0)) for v, curve in curves.items()}
    rate = sympy.cancel(equation.growth / speed).subs(x, along).subs(curves)
    return starts, sympy.exp(sympy.integrate(sympy.expand(rate), (along, 0, x)))


def _is_separable(x: sympy.Symbol, moving: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    ((z, slope),) = moving.items()
    parts = sympy.separatevars(sympy.factor(slope), symbols=(x, z), dict=True)
    return bool(parts)


def _along_separable(
    equation: FirstOrderPDE, x: sympy.Symbol, z: sympy.Symbol, slope: sympy.Expr, speed: sympy.Expr
) -> tuple[sympy.Expr, sympy.Expr]:
    """The start of the characteristic and the growth of h along it."""
    parts = sympy.separatevars(sympy.factor(slope), symbols=(x, z), dict=True)
    if not parts:
        raise CharacteristicsError(
            f"equation: d{z}/d{x} = {slope} is not a product of functions of {x} and of {z}; use "
            "solve_numerically"
        )
    of_x, of_z = parts[x] * parts["coeff"], parts[z]
    shift = _between(of_x, x, sympy.Integer(0), x)
    start = quadratic_curve(of_z, z, -shift)
    is_quotient = start is not None
    if start is None:
        start = _start(slope, of_z, shift, x, z)
    # The growth as an integral over z where the speed of z does not vanish, from z_0 to z.
    rate = sympy.cancel(equation.growth / speed)
    if rate.has(x) and rate.has(z):
        if is_quotient:  # sympy would look for the integral without end
            raise CharacteristicsError(
                f"equation: the growth {rate} is not integrated along d{z}/d{x} = {slope}; use "
                "solve_numerically"
            )
        along = sympy.Dummy("x_along")
        curve = sympy.simplify(_flow(start, x, z, along))
        integrand = sympy.simplify(rate.subs({x: along, z: curve}, simultaneous=True))
        exponent = sympy.integrate(integrand, (along, 0, x))
        return start, sympy.exp(exponent)
    if rate.has(z):
        density = sympy.apart(sympy.cancel(rate / slope), z)
        antiderivative = sympy.integrate(density, z)
        exponent = antiderivative - antiderivative.subs(z, start)
        return start, _exponential(exponent, x)
    return start, _exponential(_between(rate, x, sympy.Integer(0), x), x)


def _start(
    slope: sympy.Expr, of_z: sympy.Expr, shift: sympy.Expr, x: sympy.Symbol, z: sympy.Symbol
) -> sympy.Expr:
    """The start of the characteristic through (x, z), by the first integral of its equation."""
    first = sympy.integrate(sympy.apart(1 / of_z, z), z)
    # G(z_0) = G(z) - A(x), solved for z_0: logarithms of quotients become linear equations.
    z_0 = sympy.Dummy("z_0")
    level = sympy.exp(sympy.expand_log(first, force=True)) if first.has(sympy.log) else None
    if level is not None:
        left = sympy.exp(first.subs(z, z_0))
        right = sympy.exp(first - shift)
    else:
        left, right = first.subs(z, z_0), first - shift
    roots = [
        root
        for root in explicit_roots(sympy.simplify(left) - sympy.simplify(right), z_0)
        if sympy.simplify(root.subs(x, 0) - z) == 0
    ]
    if not roots:
        raise CharacteristicsError(
            f"equation: the characteristic d{z}/d{x} = {slope} could not be solved for its start; "
            "use solve_numerically"
        )
    return sympy.simplify(roots[0])


def _flow(start: sympy.Expr, x: sympy.Symbol, z: sympy.Symbol, along: sympy.Symbol) -> sympy.Expr:
    """The curve through (x, z) at another x: the point whose start is the same."""
    target = sympy.Dummy("z_along")
    there = start.subs({x: along, z: target}, simultaneous=True)
    roots = explicit_roots(there - start, target)
    for root in roots:
        if sympy.simplify(root.subs(along, x) - z) == 0:
            return root
    raise CharacteristicsError(
        "equation: the characteristic could not be written as a curve; use solve_numerically"
    )


def _between(rate: sympy.Expr, x: sympy.Symbol, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    antiderivative = sympy.integrate(rate, x)
    return antiderivative.subs(x, high) - antiderivative.subs(x, low)


def _exponential(exponent: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """The exponential of a sum of logarithms as a product of powers.

    Roots of squares are continued from x = 0, where they are known to be positive or negative.
    """

    def continued(inside: sympy.Expr) -> sympy.Expr:
        start = sympy.simplify(inside.subs(x, 0))
        if start.is_positive or start.is_negative:
            return inside if start.is_positive else -inside
        return sympy.Abs(inside)

    combined = sympy.logcombine(sympy.expand_log(exponent, force=True), force=True)
    powers = sympy.powdenest(sympy.simplify(sympy.exp(combined)), force=True)
    return powers.replace(sympy.Abs, continued)


def _residual_of_parts(
    equation: FirstOrderPDE, starts: Mapping[sympy.Symbol, sympy.Expr], growth: sympy.Expr
) -> mpmath.mpf:
    """How far the parts are from their equations at random points."""
    defects = [equation.defect(growth), *(equation.along(start) for start in starts.values())]
    worst = max(map(residual_at_random_points, defects))
    if not worst <= _RESIDUAL:
        raise CharacteristicsError(
            f"equation: the candidate with the growth {growth} leaves a residual of "
            f"{mpmath.nstr(worst, 3)}; use solve_numerically"
        )
    return worst


def _check_simplified(expression: sympy.Expr, whole: sympy.Expr) -> None:
    """That simplification has changed no value."""
    if expression == whole:
        return
    if not residual_at_random_points(expression - whole) <= _RESIDUAL:
        raise CharacteristicsError(
            f"equation: the candidate {expression} changed when it was simplified; use "
            "solve_numerically"
        )


def _holds_in_parts(
    equation: FirstOrderPDE, starts: Mapping[sympy.Symbol, sympy.Expr], growth: sympy.Expr
) -> bool:
    """Whether the starts stay the same along characteristics and the growth has its rate.

    Then every function of the starts times the growth is a solution, by the chain rule. To simplify
    the equation for the product instead would mix up its radicals, which can take for hours.
    """
    x = equation.variables[0]
    logarithm = sympy.expand_log(sympy.log(growth), force=True)
    identities = [
        equation.along(logarithm) - equation.growth,
        growth.subs(x, 0) - 1,
        *(equation.along(start) for start in starts.values()),
        *(start.subs(x, 0) - variable for variable, start in starts.items()),
    ]
    return all(_simplified(identity) == 0 for identity in identities)


def _simplified(expression: sympy.Expr) -> sympy.Expr:
    """The expression simplified, or as it is when that could take for ever."""
    if expression.count_ops() > _LARGE:
        return expression
    return sympy.simplify(expression)
