r"""The value of a solution at one point, by following its characteristic numerically.

The curve through the point and the logarithm of h along it are Taylor series in working precision,
from the point back to the plane where the first variable x vanishes. A curve that goes to infinity
on the way makes the steps shrink without end; it is given up as soon as that is seen.

>>> x, z = sympy.symbols("x z")
>>> linear = FirstOrderPDE((x, z), (sympy.Integer(1), z), sympy.Integer(0))
>>> mpmath.nstr(solve_numerically(linear, lambda z: z, (-0.5, 1.0)), 11)
'1.6487212707'

Source: Yarotsky, Golikov, Gusev 2026, section 6, for the method; the bounds are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
import sympy

from pde.characteristics.integrable import CharacteristicsError
from pde.recurrences.equation import FirstOrderPDE

__all__ = ["solve_numerically"]

_MOST_DIGITS = 12
"""Working digits per digit of the answer beyond which a curve is given up."""

_MOST_EVALUATIONS = 40_000
"""Evaluations of the field for one answer."""

_STALL = 2_000
"""Evaluations after which the curve has to have come at least `_PROGRESS` further."""

_PROGRESS = 1e-6
"""A part of the way to the initial plane."""


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
        The point, one finite number for each variable; x may be negative.
    digits : int
        Decimal digits of the answer.

    Raises
    ------
    CharacteristicsError
        If the equation has parameters, the point is not one of finite numbers for the variables, or
        digits is not a positive integer; if x does not move monotonically on the way or the plane
        x = 0 is characteristic where the curve meets it; if another variable or the solution goes
        to infinity, leaves the real numbers or needs too many steps; or if the precision is not
        reached.

    Examples
    --------
    >>> x, z = sympy.symbols("x z")
    >>> transport = FirstOrderPDE((x, z), (sympy.Integer(1), z), sympy.Integer(2))
    >>> value = solve_numerically(transport, lambda z: z, (0.5, 1.0), digits=20)
    >>> mpmath.nstr(value - mpmath.exp(0.5), 3) == "0.0" or abs(value - mpmath.exp(0.5)) < 1e-15
    True
    """
    _check_problem(equation, at, digits)
    working = digits + 10
    way = _Way(equation)
    before = _followed_back(way, initial, at, working)
    while True:
        # Taylor steps of odefun lose digits unnoticed: two precisions have to agree.
        working = 3 * working // 2
        after = _followed_back(way, initial, at, working)
        with mpmath.workdps(working):
            if abs(after - before) <= mpmath.mpf(10) ** -digits * max(abs(after), 1):
                return after
        if working > _MOST_DIGITS * digits:
            raise CharacteristicsError(
                f"equation: its characteristic was followed with {working} digits and {digits} are "
                "still not certain; choose a point nearer to the initial plane"
            )
        before = after


def _check_problem(equation: FirstOrderPDE, at: Sequence[float | mpmath.mpf], digits: int) -> None:
    if type(digits) is not int or digits < 1:
        raise CharacteristicsError(f"digits = {digits}: is not a number of digits; give 1 or more")
    names = ", ".join(map(str, equation.variables))
    if len(at) != len(equation.variables):
        raise CharacteristicsError(
            f"point with {len(at)} numbers: the equation has the variables {names}; give one for "
            "each"
        )
    for variable, entry in zip(equation.variables, at, strict=True):
        if not _is_real(entry):
            raise CharacteristicsError(
                f"{variable} = {entry}: is not a finite real number; give one for each of {names}"
            )
    used = equation.growth.free_symbols.union(*(c.free_symbols for c in equation.field))
    parameters = sorted(map(str, used - set(equation.variables)))
    if parameters:
        raise CharacteristicsError(
            f"equation: {', '.join(parameters)} is not among its variables {names}; substitute a "
            "number for every parameter"
        )


def _is_real(entry: object) -> bool:
    try:
        return bool(mpmath.isfinite(mpmath.mpf(entry)))
    except (TypeError, ValueError):
        return False


class _Way:
    """The way back, run through as its share s goes from 0 to 1, with bounds on what it costs."""

    def __init__(self, equation: FirstOrderPDE) -> None:
        speed, *rest = equation.field
        if not speed:
            raise CharacteristicsError(
                f"equation in {equation.variables[0]}, ...: {equation.variables[0]} does not move "
                "along its characteristics; put a variable that moves first"
            )
        slopes = [sympy.cancel(c / speed) for c in (*rest, equation.growth)]
        # Where it vanishes x stops, relative to the others.
        pace = sympy.lcm_list([sympy.denom(slope) for slope in slopes])
        self._name = equation.variables[0]
        self._pace = sympy.lambdify(equation.variables, pace, "mpmath")
        self._slopes = [sympy.lambdify(equation.variables, slope, "mpmath") for slope in slopes]
        self._evaluations = 0
        self.begin(mpmath.mpf(0))

    def begin(self, end: mpmath.mpf) -> None:
        """Start from another point, or with another precision."""
        self._end = end
        self._sign: mpmath.mpf | None = None
        self._farthest = self._mark = mpmath.mpf(-1)
        self._begun = self._evaluations

    def derivative(self, share: mpmath.mpf, state: Sequence[mpmath.mpf]) -> list[mpmath.mpf]:
        """The derivatives of the other variables and of the logarithm that h gains on the way."""
        self._count(share)
        place = (self._end * (1 - share), *state[:-1])
        try:
            sign = mpmath.sign(self._pace(*place))
            if sign == 0 or (self._sign is not None and sign != self._sign):
                raise CharacteristicsError(
                    f"equation: {self._name} stops at {self._here(share)}; the characteristic does "
                    "not reach the initial plane"
                )
            self._sign = sign
            *others, growth = (-self._end * slope(*place) for slope in self._slopes)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise self._lost(share, str(error)) from None
        if not all(map(mpmath.isfinite, (*others, growth))):
            raise self._lost(share, "the field is not finite")
        return [*others, -growth]

    def _count(self, share: mpmath.mpf) -> None:
        self._evaluations += 1
        self._farthest = max(self._farthest, share)
        if (self._evaluations - self._begun) % _STALL == 0:
            if not self._farthest - self._mark >= _PROGRESS:
                raise self._lost(share, "a variable or the solution goes to infinity")
            self._mark = self._farthest
        if self._evaluations > _MOST_EVALUATIONS:
            raise self._lost(share, f"more than {_MOST_EVALUATIONS} evaluations are needed")

    def _lost(self, share: mpmath.mpf, why: str) -> CharacteristicsError:
        return CharacteristicsError(
            f"equation: its characteristic is lost at {self._name} = {self._here(share)} ({why}); "
            "choose a point nearer to the initial plane"
        )

    def _here(self, share: mpmath.mpf) -> str:
        return str(mpmath.nstr(self._end * (1 - share), 5))


def _followed_back(
    way: _Way,
    initial: Callable[..., mpmath.mpf],
    at: Sequence[float | mpmath.mpf],
    working: int,
) -> mpmath.mpf:
    """The value at one point with a number of working digits."""
    with mpmath.workdps(working):
        end, *origin = (mpmath.mpf(entry) for entry in at)
        exponent = mpmath.mpf(0)
        if end != 0:
            way.begin(end)
            flow = mpmath.odefun(way.derivative, 0, [*origin, exponent])
            *origin, exponent = flow(1)
            way.derivative(mpmath.mpf(1), [*origin, exponent])  # rejects a characteristic plane
        try:
            value = initial(*origin) * mpmath.exp(exponent)
            is_real = mpmath.im(value) == 0 and mpmath.isfinite(value)
        except (ArithmeticError, TypeError) as error:
            value, is_real = str(error), False
        if not is_real:
            starts = ", ".join(mpmath.nstr(entry, 5) for entry in origin)
            raise CharacteristicsError(
                f"equation: its characteristic starts at ({starts}), where the value {value} is "
                "not a finite real number; choose another point"
            )
        return mpmath.re(value)
