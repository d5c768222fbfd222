r"""Formulas of a loss that is an average over the eigenvalues of Gaussian data.

Where every eigenvalue λ of the data S = XXᵀ/N learns by itself, the loss is a constant plus a scale
times the average of one density over the Marchenko-Pastur law, of λ times it for the loss on the
data. A density depends on λ and the time through x = λτ alone. Nothing is written beside it: the
values come from the certified evaluator (`pde.numerics.certified`), at x > 0 in e^{-4x} instead of
e^{4x}, which would overflow; the formula, the Taylor coefficients and the digits from the same.

>>> p, N, t, T, x = (symbol(name) for name in ("p", "N", "t", "T", SCALED))
>>> forgotten = SpectralFormulas(scale=p / 2, density=(1 + 4 * x) ** -2)
>>> print(*forgotten.coefficients(3))
1/2*p -4*p 48*p**2*N**-1 + 48*p
>>> curve = forgotten.curve({"p": Fraction(6), "N": Fraction(12), "T": Fraction(1)})
>>> curve.evaluate(np.array([0.0, 1.0])).round(6)
array([3.      , 0.319017])

Source: ours; the law in `pde.numerics.marchenko_pastur`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, FloatArray, Parameters
from pde.numerics.certified import Evaluator, value
from pde.numerics.marchenko_pastur import averages, moment_in_sizes, precise_average
from pde.taylor import symbol, taylor

if TYPE_CHECKING:
    import mpmath
    import sympy

__all__ = [
    "EIGENVALUE",
    "SCALED",
    "DensityValues",
    "SpectralFormulas",
    "largest_eigenvalue",
    "unseen_share",
]

EIGENVALUE, SCALED = "lam", "x"
"""The names of λ and of x = λτ in formulas."""

_PROVED, _NEGLIGIBLE = 1e-12, 1e-280
"""Relative and absolute error that a value under an average may have by its bound."""

_LARGEST = 175.0
"""The x up to which e^{4x} is a floating point number."""

_BLOCK = 128
"""How many times are averaged at once: near r = 1 each of them takes thousands of values."""

_GUARD = 15
"""Digits of an average beyond those that are asked for."""


def _zero() -> sympy.Expr:
    import sympy

    return sympy.Integer(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralFormulas:
    """The formulas of such a loss, in the symbols of `pde.taylor.symbol`; r is p/N.

    Parameters
    ----------
    scale : sympy.Expr
        What the average is multiplied with.
    density : sympy.Expr
        What is averaged, in x = λτ; of exponentials only e^{4x} is in it.
    constant : sympy.Expr, default 0
        What does not move.
    weighted : bool, default False
        Whether λ times the density is averaged.
    blow_up : tuple of sympy.Expr
        The times before t = 0 at which the loss becomes infinite; one without a real value at some
        numbers does not exist there.
    late : sympy.Expr, optional
        What the loss tends to.
    reason : str
        Why the domain ends at a blow-up.
    """

    scale: sympy.Expr
    density: sympy.Expr
    constant: sympy.Expr = field(default_factory=_zero)
    weighted: bool = False
    blow_up: tuple[sympy.Expr, ...] = ()
    late: sympy.Expr | None = None
    reason: str = ""

    def formula(self) -> sympy.Expr:
        """The loss, with the average as an integral over an angle."""
        import sympy

        theta, lam = symbol("theta"), symbol(EIGENVALUE)
        density = self._at_eigenvalue()
        r = symbol("p") / symbol("N")
        on_circle = 1 + r + 2 * sympy.sqrt(r) * sympy.cos(theta)
        at_zero = density.subs(lam, 0)
        integrand = (sympy.sin(theta) ** 2 * (density - at_zero) / lam).subs(lam, on_circle)
        integral = sympy.Integral(integrand, (theta, 0, sympy.pi)) * 2 / sympy.pi
        return self.constant + self.scale * (at_zero + integral)

    def coefficients(self, number: int) -> tuple[Polynomial, ...]:
        """The first Taylor coefficients in t/T, times s!, exactly."""
        whole = taylor(self.constant + self.scale * self._at_eigenvalue(), number)
        return tuple(_averaged(each) for each in whole)

    def curve(self, parameters: Parameters) -> Curve:
        """The loss at given numbers.

        Parameters
        ----------
        parameters : mapping from str to Fraction

        Raises
        ------
        KeyError
            If a symbol has no value.
        AverageError
            When it is evaluated, if the rule of the average does not converge.
        """
        constant, scale = value(self.constant, parameters), value(self.scale, parameters)
        r, T = parameters["p"] / parameters["N"], float(parameters["T"])
        density_at = DensityValues(self.density, parameters)

        def averaged_at(t: FloatArray) -> FloatArray:
            def values(nodes: FloatArray) -> FloatArray:
                plain = density_at(t[:, None] * nodes / T)
                return plain * nodes if self.weighted else plain

            mean, _ = averages(values, float(r))
            result: FloatArray = constant + scale * mean
            return result

        def evaluate(t: FloatArray) -> FloatArray:
            blocks = np.array_split(t, max(1, math.ceil(t.size / _BLOCK)))
            return np.concatenate([averaged_at(block) for block in blocks])

        late = None if self.late is None else value(self.late, parameters)
        return Curve(
            evaluate=evaluate,
            domain=self.domain(parameters),
            precise=lambda t, digits: self._precise(parameters, t, digits),
            limits=(None, late),
        )

    def domain(self, parameters: Parameters) -> Domain:
        """The times after the last blow-up before t = 0."""
        poles = [value(each, parameters) for each in self.blow_up]
        start = max((pole for pole in poles if pole < 0), default=-math.inf)
        return Domain(start=start, reason=self.reason if math.isfinite(start) else "")

    def _at_eigenvalue(self) -> sympy.Expr:
        lam = symbol(EIGENVALUE)
        density = self.density.subs(symbol(SCALED), lam * symbol("t") / symbol("T"))
        return lam * density if self.weighted else density

    def _precise(self, parameters: Parameters, t: mpmath.mpf, digits: int) -> mpmath.mpf:
        import mpmath
        import sympy

        exact = {
            symbol(name): sympy.Rational(v.numerator, v.denominator)
            for name, v in parameters.items()
        }
        lam = symbol(EIGENVALUE)
        function = sympy.lambdify([lam, symbol("t")], self._at_eigenvalue().subs(exact), "mpmath")
        with mpmath.workdps(digits + _GUARD):
            r = _quotient(parameters["p"] / parameters["N"])
            mean = precise_average(lambda node: mpmath.mpf(function(node, t)), r, digits + 5)
            constant, scale = (
                Evaluator(each, parameters).precise(Fraction(0), digits + _GUARD)
                for each in (self.constant, self.scale)
            )
            return constant + scale * mean


class DensityValues:
    """Values of a density at arrays of x = λτ, for an average in which small ones add little.

    Parameters
    ----------
    density : sympy.Expr
        In x; of exponentials only e^{4x} is in it.
    parameters : mapping from str to Fraction
    """

    def __init__(self, density: sympy.Expr, parameters: Parameters) -> None:
        import sympy

        grown, x = symbol("E"), symbol(SCALED)
        rational = density.subs(sympy.exp(4 * x), grown)
        late = sympy.factor(rational.subs(grown, 1 / grown))
        self._grows = not late.subs(grown, 0).is_finite
        self._before = Evaluator(density, parameters, variable=SCALED)
        self._after = Evaluator(late.subs(grown, sympy.exp(-4 * x)), parameters, variable=SCALED)

    def __call__(self, x: FloatArray) -> FloatArray:
        """The values, in the shape of x."""
        result = np.full(x.shape, np.inf)
        after = (x > 0) & ((x < _LARGEST) if self._grows else True)
        for evaluate, there in ((self._before, x <= 0), (self._after, after)):
            result[there] = evaluate(x[there], proved=_PROVED, negligible=_NEGLIGIBLE)
        return result


def largest_eigenvalue() -> sympy.Expr:
    """(1 + √r)², the edge of the spectrum of the data."""
    import sympy

    return (1 + sympy.sqrt(symbol("p") / symbol("N"))) ** 2


def unseen_share() -> sympy.Expr:
    """The share of the directions without data, 1 - N/p if there are any."""
    import sympy

    return sympy.Max(0, 1 - symbol("N") / symbol("p"))


def _averaged(polynomial: Polynomial) -> Polynomial:
    """Powers of λ replaced by moments of the Marchenko-Pastur law."""
    total = Polynomial()
    for powers, coefficient in polynomial:
        table = dict(powers)
        k = table.pop(EIGENVALUE, 0)
        rest = Polynomial({tuple(sorted(table.items())): coefficient})
        total = total + rest * moment_in_sizes(k)
    return total


def _quotient(number: Fraction) -> mpmath.mpf:
    import mpmath

    return mpmath.mpf(number.numerator) / number.denominator
