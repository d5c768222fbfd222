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

Everything else is followed numerically, to any precision. A symbolic answer is put back into the
equation at random points with many digits. It is exact if sympy can decide that the starting point
does not change along a curve and that the growth has its rate: the chain rule does the rest.

>>> x, z = sympy.symbols("x z")
>>> equation = FirstOrderPDE((x, z), (sympy.Integer(1), 4 * z * (1 - z)), 4 * (z - 1))
>>> solution = solve_symbolically(equation, z / 2 - 1)
>>> expected = (2 * (z - 1) * sympy.exp(4 * x) - z) / (2 * (z - (z - 1) * sympy.exp(4 * x)) ** 2)
>>> sympy.simplify(solution.expression - expected), solution.verified
(0, 'exactly')

Source: Yarotsky, Golikov, Gusev 2026, section 6; the separable case and the checks are ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import mpmath
import sympy

from pde.equation import FirstOrderPDE
from pde.integration import (
    CharacteristicsError,
    explicit_roots,
    quadratic_curve,
    triangular_curves,
)

__all__ = [
    "CharacteristicsError",
    "SymbolicSolution",
    "residual_at_random_points",
    "solve_numerically",
    "solve_symbolically",
]

CHECK_DIGITS = 50
CHECK_POINTS = 5

_LARGE = 300
"""Operations beyond which an expression is not simplified."""

_MOST_DIGITS = 12
"""Working digits per digit of the answer beyond which a curve is given up."""


@dataclass(frozen=True, slots=True)
class SymbolicSolution:
    """A solution with how it was verified.

    Parameters
    ----------
    expression : sympy.Expr
    starts : tuple of (sympy.Symbol, sympy.Expr)
        Where the characteristic through a point meets x = 0, for each variable that moves.
    verified : str
        ``exactly``, or how small the residual is at how many random points.
    """

    expression: sympy.Expr
    starts: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    verified: str


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
        If the characteristics are not of a kind that is integrated symbolically, or the result does
        not satisfy the equation.
    """
    # Positive symbols: sympy then neither splits into real parts nor keeps roots of squares.
    free = set(equation.variables) | initial.free_symbols | equation.growth.free_symbols
    free = free.union(*(component.free_symbols for component in equation.field))
    inside = {old: sympy.Symbol(old.name, positive=True) for old in sorted(free, key=str)}
    solved = _solved_in_positive_symbols(
        FirstOrderPDE(
            tuple(inside[v] for v in equation.variables),
            tuple(component.subs(inside) for component in equation.field),
            equation.growth.subs(inside),
        ),
        initial.subs(inside),
    )
    outside = {new: old for old, new in inside.items()}
    return SymbolicSolution(
        solved.expression.subs(outside),
        tuple((v.subs(outside), start.subs(outside)) for v, start in solved.starts),
        solved.verified,
    )


def _solved_in_positive_symbols(equation: FirstOrderPDE, initial: sympy.Expr) -> SymbolicSolution:
    x, *others = equation.variables
    speed, *rest = equation.field
    if not speed:
        raise CharacteristicsError(
            f"equation in {x}, ...: {x} does not move along its characteristics; put a variable "
            "that moves first"
        )
    moving = {v: sympy.cancel(c / speed) for v, c in zip(others, rest, strict=True) if c != 0}
    starts: dict[sympy.Symbol, sympy.Expr] = {}
    if not moving:
        rate = sympy.apart(sympy.cancel(equation.growth / speed), x)
        growth = _exponential(_between(rate, x, sympy.Integer(0), x), x)
    elif len(moving) == 1 and _is_separable(x, moving):
        ((z, slope),) = moving.items()
        starts[z], growth = _along_separable(equation, x, z, slope, speed)
    else:
        along = sympy.Dummy("x_along", positive=True)
        curves = triangular_curves(moving, x, along)
        starts = {v: sympy.simplify(curve.subs(along, 0)) for v, curve in curves.items()}
        rate = sympy.cancel(equation.growth / speed).subs(x, along).subs(curves)
        growth = sympy.exp(sympy.integrate(sympy.expand(rate), (along, 0, x)))
    expression = _simplified(initial.subs(starts, simultaneous=True) * growth)
    residual = _residual(equation, expression, initial)
    verified = (
        "exactly"
        if _holds_in_parts(equation, starts, growth)
        else f"up to {mpmath.nstr(residual, 2)} at {CHECK_POINTS} random points"
    )
    return SymbolicSolution(expression, tuple(starts.items()), verified)


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


def _residual(equation: FirstOrderPDE, expression: sympy.Expr, initial: sympy.Expr) -> mpmath.mpf:
    """How far a candidate is from the equation and its initial values at random points."""
    boundary = expression.subs(equation.variables[0], 0) - initial
    residuals = map(residual_at_random_points, (equation.defect(expression), boundary))
    worst = max(residuals, key=abs)
    if worst > mpmath.mpf(10) ** (-CHECK_DIGITS // 2):
        raise CharacteristicsError(
            f"equation: the candidate {expression} leaves a residual of {mpmath.nstr(worst, 3)}; "
            "use solve_numerically"
        )
    return worst


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


def residual_at_random_points(
    expression: sympy.Expr, *, points: int = CHECK_POINTS, digits: int = CHECK_DIGITS, seed: int = 1
) -> mpmath.mpf:
    """The largest absolute value of an expression at random points between 0 and 1/8.

    Parameters
    ----------
    expression : sympy.Expr
    points, digits, seed : int
        Number of points, decimal digits, and what makes the points the same every time.
    """
    symbols = sorted(expression.free_symbols, key=str)
    generator = random.Random(seed)
    function = sympy.lambdify(symbols, expression, "mpmath")
    with mpmath.workdps(digits):
        worst = mpmath.mpf(0)
        for _ in range(points):
            values = [mpmath.mpf(generator.randint(1, 10**6)) / (8 * 10**6) for _ in symbols]
            worst = max(worst, abs(function(*values)))
        return worst


def solve_numerically(
    equation: FirstOrderPDE,
    initial: Callable[..., mpmath.mpf],
    at: Sequence[float | mpmath.mpf],
    *,
    digits: int = 15,
) -> mpmath.mpf:
    """The value of the solution at one point, by following its characteristic back to x = 0.

    The curve and the logarithm of h are Taylor series, and the working precision is raised until
    two results agree.

    Parameters
    ----------
    equation : FirstOrderPDE
        Without parameters; its first variable x moves.
    initial : callable
        h at x = 0 as a function of the other variables.
    at : sequence of numbers
        The point, one number for each variable.
    digits : int
        Decimal digits of the answer.

    Raises
    ------
    CharacteristicsError
        If x does not move monotonically on the way, or the precision is not reached.

    Examples
    --------
    >>> x, z = sympy.symbols("x z")
    >>> transport = FirstOrderPDE((x, z), (sympy.Integer(1), z), sympy.Integer(2))
    >>> value = solve_numerically(transport, lambda z: z, (0.5, 1.0), digits=20)
    >>> mpmath.nstr(value - mpmath.exp(0.5), 3) == "0.0" or abs(value - mpmath.exp(0.5)) < 1e-15
    True
    """
    working = digits + 10
    before = _followed_back(equation, initial, at, working)
    while True:
        # Taylor steps of odefun lose digits unnoticed: two precisions have to agree.
        working = 3 * working // 2
        after = _followed_back(equation, initial, at, working)
        with mpmath.workdps(working):
            if abs(after - before) <= mpmath.mpf(10) ** -digits * max(abs(after), 1):
                return after
        if working > _MOST_DIGITS * digits:
            raise CharacteristicsError(
                f"equation: its characteristic was followed with {working} digits and {digits} are "
                "still not certain; choose a point nearer to the initial plane"
            )
        before = after


def _followed_back(
    equation: FirstOrderPDE,
    initial: Callable[..., mpmath.mpf],
    at: Sequence[float | mpmath.mpf],
    working: int,
) -> mpmath.mpf:
    """The value at one point with a number of working digits."""
    with mpmath.workdps(working):
        speed, *rest = (
            sympy.lambdify(equation.variables, component, "mpmath") for component in equation.field
        )
        growth = sympy.lambdify(equation.variables, equation.growth, "mpmath")
        end, *start = (mpmath.mpf(entry) for entry in at)
        if end == 0:
            return initial(*start)

        def derivative(x: mpmath.mpf, state: Sequence[mpmath.mpf]) -> list[mpmath.mpf]:
            # The direction is reversed: x runs from its end to 0 as the parameter grows.
            place = (end - x, *state[:-1])
            pace = speed(*place)
            if pace == 0:
                raise CharacteristicsError(
                    f"equation: {equation.variables[0]} stops at {mpmath.nstr(end - x, 5)}; the "
                    "characteristic does not reach the initial plane"
                )
            return [*(-component(*place) / pace for component in rest), growth(*place) / pace]

        flow = mpmath.odefun(derivative, 0, [*start, mpmath.mpf(0)])
        *origin, exponent = flow(end)
        return initial(*origin) * mpmath.exp(exponent)
