"""Any number of digits of the output of a system, with a proof: enclosures in ball arithmetic.

On a step of length h around a state x the Taylor polynomial of degree N - 1 misses c_N(ξ) h^N for
some ξ that the solution passes through. A box B around the polynomial on the whole step contains
the solution if the remainder over B, c_N(B) [0, h]^N, stays inside the margin by which B is wider
than the polynomial. Then that remainder, taken at h, is added to the state as a ball. Everything is
computed in balls (Arb), so that what comes out encloses the solution; if the ball is too wide, all
is done again with more digits.

>>> from expansion.dynamics.system import SystemTerm
>>> from expansion.polynomial import Polynomial
>>> p = Polynomial.parse
>>> growth = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("1"), ((0, 1),)),),),
...     initial=(p("1"),),
...     output=(SystemTerm(p("1"), ((0, 1),)),),
... )
>>> enclosed_output(growth, Fraction(1), digits=30).str(30, radius=False)
'2.71828182845904523536028747135'

Source: R. E. Moore, Interval Analysis (1966); N. S. Nedialkov, K. R. Jackson, G. F. Corliss, Appl.
Math. Comput. 105 (1999) 21, for the enclosure of high order.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import ceil, isfinite, log
from typing import TYPE_CHECKING, Any

from flint import arb

from diagrams.errors import DiagflowError
from diagrams.rationals import as_fmpq
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from pde.numerics.certified import as_mpf, bits_of, working_precision
from pde.systems.dimensions import Powers
from pde.systems.exact import series_of_products

if TYPE_CHECKING:
    import mpmath

__all__ = ["EnclosureError", "enclosed_output", "precise_output"]

_STEPS = 1000
_ATTEMPTS = 5
_HALVINGS = 20
_SHORTEST = Fraction(1, 2**40)
"""A step shorter than this part of the whole time means that there is no way ahead."""

_GUARD = 12
"""Digits beyond those that are asked for, at first."""


class EnclosureError(DiagflowError):
    """Digits that are not reached within the limits on steps and on precision."""

    code = "enclosure"


def enclosed_output(system: PolynomialSystem, time: Fraction, *, digits: int) -> arb:
    """A ball that contains the output at a time, narrow enough for some digits.

    Parameters
    ----------
    system : PolynomialSystem
        Without symbols, see `pde.systems.exact.at_numbers`.
    time : Fraction
    digits : int
        The radius is below 10^-digits times the size of the output, or of its largest term.

    Raises
    ------
    EnclosureError
        If this takes too many steps or too high a precision, as beyond a blow-up.
    """
    guard = _GUARD
    for _ in range(_ATTEMPTS):
        with working_precision(bits_of(digits + 2 * guard)):
            found = _attempt(system, time, digits + guard)
            if found is None:
                break
            value, size = found
            allowed = 10.0**-digits * max(float(abs(value.mid())), size * 1e-6)
            if value.is_finite() and float(value.rad()) <= allowed:
                return value
        guard *= 2
    raise EnclosureError(
        f"{digits} digits at τ = {float(time):.6g}: are not reached within {_STEPS} steps and "
        f"{digits + guard} digits of work; ask for fewer, or for an earlier time"
    )


def precise_output(system: PolynomialSystem, time: Fraction, digits: int) -> mpmath.mpf:
    """The middle of `enclosed_output` as a number of mpmath."""
    return as_mpf(enclosed_output(system, time, digits=digits + 2))


def _attempt(system: PolynomialSystem, time: Fraction, digits: int) -> tuple[arb, float] | None:
    """The output in a ball and the size of its largest term, or None if a step fails."""
    order = ceil((digits + 8) * log(10) / 2) + 6
    rates = [[(_ball(term), term.powers) for term in rate] for rate in system.rates]
    state = [arb(as_fmpq(start.coefficient())) for start in system.initial]
    left = abs(time)
    sign = 1 if time >= 0 else -1
    for _ in range(_STEPS):
        if not left:
            terms = [_ball(term) * _product(state, term.powers) for term in system.output]
            sizes = [float(abs(term.mid())) for term in terms]
            return sum(terms, arb(0)), max(sizes, default=0.0)
        series = _expanded(state, rates, order)
        step = _radius(series) / Fraction(15, 2)
        for _ in range(_HALVINGS):
            length = min(left, step)
            if length < left and not length >= abs(time) * _SHORTEST:
                return None
            moved = _step(series, rates, order, sign * length)
            if moved is not None:
                break
            step /= 2
        else:
            return None
        left -= length
        state = moved
    return None


def _ball(term: SystemTerm) -> arb:
    return arb(as_fmpq(term.coefficient.coefficient()))


def _product(state: list[arb], powers: Powers) -> arb:
    value = arb(1)
    for place, power in powers:
        value *= state[place] ** power
    return value


def _expanded(start: list[arb], rates: Any, order: int) -> list[list[arb]]:
    """Coefficients 0 ... order of all variables, order by order."""
    variables: list[Powers] = [((place, 1),) for place in range(len(start))]
    return list(islice(series_of_products(start, rates, variables), order + 1))


def _radius(series: list[list[arb]]) -> Fraction:
    """About the radius of convergence: a simple binary number, for which nothing is claimed."""
    order = len(series) - 1
    logs = []
    for n in (order - 1, order):
        for first, second, last in zip(series[0], series[1], series[n], strict=True):
            size = _log(last)
            scale = max(_log(first), _log(second) - 1)
            if isfinite(size) and isfinite(scale):
                logs.append((size - scale) / n)
    if not logs:
        return Fraction(2) ** 40
    return Fraction(2) ** round(-max(logs) / log(2))


def _log(value: arb) -> float:
    mantissa, exponent = value.mid().man_exp()
    if mantissa == 0:
        return float("-inf")
    bits = int(abs(mantissa)).bit_length()
    return (bits + int(exponent)) * log(2)


def _step(series: list[list[arb]], rates: Any, order: int, length: Fraction) -> list[arb] | None:
    """The state at the end of a step, None if the enclosure is not proved."""
    h = arb(as_fmpq(length))
    whole = arb(0).union(h)
    columns = list(zip(*series[:order], strict=True))
    path = [_horner(column, whole) for column in columns]
    sizes = [abs(x).upper() for x in path]
    margins = [arb(0, 1) * (size * arb(2) ** -10) for size in sizes]
    # A variable that rests at 0 gets the margin of its derivative over the step.
    box = [x + margin for x, margin in zip(path, margins, strict=True)]
    remainder = _expanded(box, rates, order)[order]
    power = whole**order
    for missed, margin in zip(remainder, margins, strict=True):
        change = missed * power
        if not (change == 0 or margin.contains_interior(change)):
            return None
    end = h**order
    return [
        _horner(column, h) + missed * end for column, missed in zip(columns, remainder, strict=True)
    ]


def _horner(column: tuple[arb, ...], x: arb) -> arb:
    value = column[-1]
    for coefficient in column[-2::-1]:
        value = value * x + coefficient
    return value
