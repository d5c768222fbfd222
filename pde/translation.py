r"""The solution of a preset as that of a problem which is the preset under other names and units.

With a target c times that of the preset, for a model of degree ν in its weights,

    E[L(t; σ²)] = c² E[L'(t c^{2 - 2/ν}; σ² c^{-2/ν})],

see `expansion.recognition`. Sizes, variances and T only change their names. The Taylor coefficients
stay exact: a term with k factors of the target is multiplied by c^k.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from expansion.polynomial import Polynomial
from expansion.recognition import Recognised
from pde.curve import Curve, FloatArray, Parameters
from pde.evolution import DerivationStep, Solution
from pde.taylor import symbol

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = ["translated"]

_DIGITS = 100
"""An irrational power of c is rounded to this many digits."""


def translated(solution: Solution, known: Recognised) -> Solution:
    """The solution for the problem that was recognised.

    Parameters
    ----------
    solution : Solution
        That of a regime of the preset.
    known : Recognised
    """
    if known.is_itself:
        return solution
    names = dict(known.symbols)
    size = _power(known.scale, Fraction(2, known.degree))

    def taylor() -> Iterator[Polynomial]:
        return (known.from_preset(c, s) for s, c in enumerate(solution.taylor()))

    def curve(parameters: Parameters) -> Curve:
        values = {names.get(name, name): value for name, value in parameters.items()}
        for name in known.preset.weight_variances:
            values[name] = values[name] / size
        return _scaled(solution.curve(values), known.scale, known.scale**2 / size)

    step = DerivationStep(
        "Recognised",
        r"L = c^2 L',\quad \sigma^2 = c^{2/\nu}\sigma'^2,\quad t = c^{2/\nu-2}\,t',\qquad c = "
        + str(known.scale),
        f"The loss is that of {known}.",
    )
    return replace(
        solution,
        formula=None if solution.formula is None else _formula(solution.formula, known),
        derivation=(step, *solution.derivation),
        taylor=taylor,
        curve=curve,
    )


def _formula(formula: sympy.Expr, known: Recognised) -> sympy.Expr:
    import sympy

    c = sympy.Rational(known.scale.numerator, known.scale.denominator)
    size = c ** sympy.Rational(2, known.degree)
    values = {symbol(other): symbol(mine) for mine, other in known.symbols}
    for name in known.preset.weight_variances:
        values[symbol(name)] = values[symbol(name)] / size
    values[symbol("t")] = symbol("t") * c**2 / size
    return c**2 * formula.subs(values, simultaneous=True)


def _power(value: Fraction, exponent: Fraction) -> Fraction:
    """An exact power, or one to many digits."""
    from flint import fmpz

    root = exponent.denominator
    raised = value**exponent.numerator
    parts = [int(fmpz(part).root(root)) for part in (raised.numerator, raised.denominator)]
    exact = Fraction(parts[0], parts[1])
    if exact**root == raised:
        return exact
    shift = 10 ** (_DIGITS * root)
    return Fraction(
        int(fmpz(raised.numerator * shift // raised.denominator).root(root)), 10**_DIGITS
    )


def _scaled(curve: Curve, c: Fraction, rate: Fraction) -> Curve:
    """The losses times c², at times that pass by the given rate."""
    size, speed = float(c) ** 2, float(rate)
    domain = curve.domain
    precise, errors = curve.precise, curve.errors

    def many_digits(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        import mpmath

        assert precise is not None
        moved = t * mpmath.mpf(rate.numerator) / rate.denominator
        value = precise(moved, digits)
        return value * mpmath.mpf(c.numerator) ** 2 / mpmath.mpf(c.denominator) ** 2

    def expected(t: FloatArray) -> FloatArray:
        assert errors is not None
        return np.asarray(errors(t * speed) * size)

    return replace(
        curve,
        evaluate=lambda t: np.asarray(curve.evaluate(t * speed) * size),
        domain=replace(domain, start=domain.start / speed, stop=domain.stop / speed),
        precise=None if precise is None else many_digits,
        limits=(_times(curve.limits[0], size), _times(curve.limits[1], size)),
        error_estimate=_times(curve.error_estimate, size),
        errors=None if errors is None else expected,
    )


def _times(value: float | None, size: float) -> float | None:
    return None if value is None else value * size
