"""Solutions that are one formula: their exact Taylor series, values and many digits.

A formula comes with a floating point evaluator of its own, because as it is written it overflows
and cancels. The evaluator is compared with the formula at many digits in the
tests; the certificate is computed from the formula.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.evolution import DerivationStep, Method, Origin, Solution
from pde.taylor import symbol, taylor

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = ["EARLY_TIMES", "UNTIL_BLOW_UP", "closed_form", "precise_value"]

UNTIL_BLOW_UP = "all t >= 0, and t < 0 until the loss blows up"

EARLY_TIMES = "t until the leading terms turn negative or rise, at times of order log(1/sigma)"
"""Where the initialisation is small and the leading terms grow like exponentials."""

_BLOCK = 8

_MOST_DIGITS = 40_000
"""Working digits after which two evaluations have to agree."""
"""Taylor coefficients are computed in blocks that double from this number."""


def closed_form(
    *,
    problem: str,
    regime: str,
    source: str,
    formula: sympy.Expr,
    derivation: tuple[DerivationStep, ...],
    evaluate: Callable[[Parameters, FloatArray], FloatArray],
    domain: Callable[[Parameters], Domain] = lambda parameters: Domain(),
    limits: Callable[[Parameters], tuple[float | None, float | None]] = lambda parameters: (
        None,
        None,
    ),
    notes: Callable[[Parameters], tuple[tuple[str, float], ...]] = lambda parameters: (),
    method: Method = Method.CLOSED_FORM,
    validity: str = UNTIL_BLOW_UP,
    origin: Origin = Origin.GIVEN,
) -> Solution:
    """A solution from its formula.

    Parameters
    ----------
    problem, regime, source, derivation, method, validity, origin
        See `Solution`.
    formula : sympy.Expr
        In the symbols of `pde.taylor.symbol`.
    evaluate : callable
        From parameters and times to losses, safe from overflow and cancellation.
    domain, limits, notes : callable
        From parameters to the fields of `Curve`.
    """

    def curve(parameters: Parameters) -> Curve:
        return Curve(
            evaluate=lambda times: evaluate(parameters, times),
            domain=domain(parameters),
            precise=lambda t, digits: precise_value(formula, parameters, t, digits),
            limits=limits(parameters),
            notes=notes(parameters),
        )

    return Solution(
        problem=problem,
        regime=regime,
        method=method,
        source=source,
        formula=formula,
        derivation=derivation,
        taylor=lambda: _coefficients(formula),
        curve=curve,
        validity=validity,
        origin=origin,
    )


def precise_value(
    formula: sympy.Expr, parameters: Parameters, t: mpmath.mpf, digits: int
) -> mpmath.mpf:
    """The value of a formula at one time to a number of digits.

    The working precision is raised until two evaluations agree, so that cancellation in the formula
    costs time and not digits.

    Raises
    ------
    InvalidInputError
        If the formula has no finite value there, or its digits stay uncertain.
    """
    import mpmath
    import sympy

    names = sorted(parameters)
    function = sympy.lambdify([symbol(name) for name in (*names, "t")], formula, "mpmath")

    def value(working: int) -> mpmath.mpf:
        with mpmath.workdps(working):
            exact = [_mpf(parameters[name]) for name in names]
            return function(*exact, mpmath.mpf(t))

    working = digits + 20
    before = value(working)
    while True:
        working *= 2
        after = value(working)
        change = abs(after - before)
        is_finite = mpmath.isfinite(after)
        if is_finite and change <= abs(after) * mpmath.mpf(10) ** (-digits - 2):
            return after
        # Where the value is zero the two only agree absolutely.
        if is_finite and working > _MOST_DIGITS and change <= mpmath.mpf(10) ** (-working // 4):
            return after
        if not is_finite or working > _MOST_DIGITS:
            raise InvalidInputError(
                f"formula at t = {mpmath.nstr(t, 6)}: has no certain finite value (tried {working} "
                "digits); choose another time"
            )
        before = after


def _mpf(value: Fraction) -> mpmath.mpf:
    import mpmath

    return mpmath.mpf(value.numerator) / value.denominator


def _coefficients(formula: sympy.Expr) -> Iterator[Polynomial]:
    done, number = 0, _BLOCK
    while True:
        yield from taylor(formula, number)[done:]
        done, number = number, 2 * number
