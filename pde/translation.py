r"""The solution of a preset as that of a problem which is the preset under other names and units.

With κ times the loss and u' = W^{1/2ν} u, see `expansion.rescaling`,

    E[L(t; σ²)] = κ E[L'(κ W^{1/ν} t; W^{1/ν} σ²)],

and the symbols of the preset are monomials in those of the problem. The Taylor coefficients stay
exact.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from diagrams.variances import Variance
from expansion.polynomial import Polynomial, symbol_latex
from expansion.recognition import Recognised
from expansion.rescaling import ONE, power_of, value_at
from pde.curve import Curve, FloatArray, Parameters
from pde.evolution import DerivationStep, Solution
from pde.taylor import symbol

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = ["translated"]

_DIGITS = 100
"""An irrational root is rounded to this many digits."""


def translated(
    solution: Solution,
    known: Recognised,
    loss: str | None = None,
    *,
    step: DerivationStep | None = None,
) -> Solution:
    """The solution for the problem that was recognised.

    Parameters
    ----------
    solution : Solution
        That of a regime of the preset.
    known : Recognised
    loss : str, optional
        The loss of the problem; the one that drives the flow by default.
    step : DerivationStep, optional
        The first step of the derivation; by default that the loss is that of a preset.
    """
    if known.is_itself:
        return solution
    units, factor = known.units, known.factor(loss)

    def taylor() -> Iterator[Polynomial]:
        return (known.from_preset(c, s, loss) for s, c in enumerate(solution.taylor()))

    def curve(parameters: Parameters) -> Curve:
        given = {name: Fraction(value) for name, value in parameters.items()}
        values = {"T": parameters["T"]}
        for name, (value, power) in units.numbers(given).items():
            values[name] = value * _root(power, units.degree)
        rate, power = units.rate(given)
        return _scaled(
            solution.curve(values), value_at(factor, given), rate * _root(power, units.degree)
        )

    if step is None:
        step = DerivationStep("Recognised", _step(known), f"The loss is that of {known}.")
    return replace(
        solution,
        formula=None if solution.formula is None else _formula(solution.formula, known, factor),
        derivation=(step, *solution.derivation),
        taylor=taylor,
        curve=curve,
    )


def _step(known: Recognised) -> str:
    """How the units change, in LaTeX."""
    units = known.units
    if known.scale != 1:
        return (
            r"L = c^2 L',\quad \sigma^2 = c^{2/\nu}\sigma'^2,\quad t = c^{2/\nu-2}\,t',\qquad c = "
            + str(known.scale)
        )
    if units.loss == units.square == ONE:
        return "L = L'"
    return (
        r"L = \kappa L',\quad \sigma'^2 = W^{1/\nu}\sigma^2,\quad t' = \kappa W^{1/\nu}\,t,\qquad "
        rf"\kappa = {symbol_latex(str(units.loss))},\quad W = {symbol_latex(str(units.square))}"
    )


def _formula(formula: sympy.Expr, known: Recognised, factor: Variance) -> sympy.Expr:
    import sympy

    def expression(value: Variance) -> sympy.Expr:
        number = value.coefficient
        return sympy.Mul(
            sympy.Rational(number.numerator, number.denominator),
            *(symbol(name) ** k for name, k in value.powers),
        )

    units = known.units
    unit = expression(units.square) ** sympy.Rational(1, units.degree)
    values = {
        symbol(name): expression(value) * (unit if name in units.weights else 1)
        for name, value in units.values
    }
    values[symbol("t")] = symbol("t") * expression(units.loss) * unit
    return expression(factor) * formula.subs(values, simultaneous=True)


def _root(value: Fraction, degree: int) -> Fraction:
    """An exact root, or one to many digits."""
    from flint import fmpz

    try:
        return power_of(value, Fraction(1, degree))
    except ValueError:
        # So many digits after those that stand before the point of a small number are left.
        digits = _DIGITS + max(0, len(str(value.denominator)) - len(str(value.numerator)))
        shift = 10 ** (digits * degree)
        return Fraction(
            int(fmpz(value.numerator * shift // value.denominator).root(degree)), 10**digits
        )


def _scaled(curve: Curve, factor: Fraction, rate: Fraction) -> Curve:
    """The losses times a factor, at times that pass by the given rate."""
    size, speed = float(factor), float(rate)
    domain = curve.domain
    precise, errors = curve.precise, curve.errors

    def many_digits(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        import mpmath

        assert precise is not None
        moved = t * mpmath.mpf(rate.numerator) / rate.denominator
        value = precise(moved, digits)
        return value * mpmath.mpf(factor.numerator) / factor.denominator

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
