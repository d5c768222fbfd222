r"""From recurrences to differential equations of generating functions.

If C obeys a `Recurrence` at all n in Z^d, its generating function h(x) = Σ C_n x^n obeys

    sum over k of  x^{-k} P_k(x ∂_x) h = 0,      x ∂_x = (x_1 ∂_1, ..., x_d ∂_d).

If all P_k have degree at most one this is an equation of first order, Φ·∇h = φ h.

>>> from pde.recurrence import Recurrence
>>> x = sympy.Symbol("x")
>>> geometric = Recurrence.of({(0,): {(1,): 1}, (-1,): {(1,): -2, (0,): -2}})
>>> LinearPDE.from_recurrence(geometric, (x,)).residual(1 / (1 - 2 * x))
0
>>> exponential = Recurrence.of({(0,): {(1,): 1}, (-1,): {(0,): -3}})
>>> equation = FirstOrderPDE.from_recurrence(exponential, (x,))
>>> equation.field, equation.growth, equation.residual(sympy.exp(3 * x))
((1,), 3, 0)

Source: Yarotsky, Golikov, Gusev 2026, theorem 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from diagrams.errors import InvalidInputError
from pde.recurrence import IndexPolynomial, Recurrence

__all__ = ["FirstOrderPDE", "LinearPDE"]


@dataclass(frozen=True, slots=True)
class LinearPDE:
    """The equation of a generating function.

    Parameters
    ----------
    variables : tuple of sympy.Symbol
        One for each entry of the index.
    recurrence : Recurrence
    """

    variables: tuple[sympy.Symbol, ...]
    recurrence: Recurrence

    @classmethod
    def from_recurrence(
        cls, recurrence: Recurrence, variables: tuple[sympy.Symbol, ...]
    ) -> LinearPDE:
        """The equation that follows from a recurrence.

        Raises
        ------
        InvalidInputError
            If there are not as many variables as entries of the index.
        """
        if len(variables) != recurrence.dimension:
            raise InvalidInputError(
                f"generating function in {len(variables)} variables: the recurrence has an index "
                f"of {recurrence.dimension} entries; give one variable for each"
            )
        return cls(tuple(variables), recurrence)

    @property
    def order(self) -> int:
        """The order of the equation."""
        return self.recurrence.degree

    def apply(self, h: sympy.Expr) -> sympy.Expr:
        """The left side for a function of the variables."""
        total = sympy.Integer(0)
        for shift, polynomial in self.recurrence.terms:
            part = _at_derivatives(polynomial, self.variables, h)
            for variable, k in zip(self.variables, shift, strict=True):
                part *= variable ** (-k)
            total += part
        return total

    def residual(self, h: sympy.Expr) -> sympy.Expr:
        """The simplified left side, zero for a solution."""
        return sympy.simplify(self.apply(h))


@dataclass(frozen=True, slots=True)
class FirstOrderPDE:
    """The equation Φ·∇h = φ h.

    Parameters
    ----------
    variables : tuple of sympy.Symbol
    field : tuple of sympy.Expr
        Φ, one component for each variable.
    growth : sympy.Expr
        φ.

    Raises
    ------
    InvalidInputError
        If there are not as many components as variables, or all of them vanish.
    """

    variables: tuple[sympy.Symbol, ...]
    field: tuple[sympy.Expr, ...]
    growth: sympy.Expr

    def __post_init__(self) -> None:
        if len(self.variables) != len(self.field) or not any(self.field):
            raise InvalidInputError(
                f"first-order equation in {len(self.variables)} variables: its field has "
                f"{len(self.field)} components; give one for each variable, not all zero"
            )

    @classmethod
    def from_recurrence(
        cls, recurrence: Recurrence, variables: tuple[sympy.Symbol, ...]
    ) -> FirstOrderPDE:
        """The equation that follows from a recurrence with polynomials of degree at most one.

        It is divided by the common factor of its coefficients.

        Raises
        ------
        InvalidInputError
            If a polynomial has a higher degree, or the numbers of variables differ.
        """
        whole = LinearPDE.from_recurrence(recurrence, variables)
        if whole.order > 1:
            raise InvalidInputError(
                f"recurrence {recurrence}: has coefficients of degree {whole.order}, so that its "
                "equation is not of first order; use LinearPDE"
            )
        field = [sympy.Integer(0)] * len(variables)
        growth = sympy.Integer(0)
        for shift, polynomial in recurrence.terms:
            factor = sympy.Integer(1)
            for variable, k in zip(variables, shift, strict=True):
                factor *= variable ** (-k)
            for powers, coefficient in polynomial.terms:
                value = sympy.Rational(coefficient.numerator, coefficient.denominator) * factor
                if not any(powers):
                    growth -= value
                else:
                    place = powers.index(1)
                    field[place] += value * variables[place]
        common = sympy.gcd_list([*field, growth]) or sympy.Integer(1)
        return cls(
            tuple(variables),
            tuple(sympy.factor(sympy.cancel(component / common)) for component in field),
            sympy.factor(sympy.cancel(growth / common)),
        )

    def residual(self, h: sympy.Expr) -> sympy.Expr:
        """Φ·∇h - φ h, simplified; zero for a solution."""
        return sympy.simplify(self.defect(h))

    def defect(self, h: sympy.Expr) -> sympy.Expr:
        """Φ·∇h - φ h as it stands."""
        total = -self.growth * h
        for variable, component in zip(self.variables, self.field, strict=True):
            total += component * sympy.diff(h, variable)
        return total

    def latex(self, function: str = "h") -> str:
        """The equation in LaTeX, without delimiters."""
        left = []
        for variable, component in zip(self.variables, self.field, strict=True):
            if component:
                derivative = f"\\partial_{{{sympy.latex(variable)}}} {function}"
                factor = "" if component == 1 else _bracketed(component) + "\\, "
                left.append(factor + derivative)
        right = f"{_bracketed(self.growth)}\\, {function}" if self.growth else "0"
        return " + ".join(left) + " = " + right


def _at_derivatives(
    polynomial: IndexPolynomial, variables: tuple[sympy.Symbol, ...], h: sympy.Expr
) -> sympy.Expr:
    """P(x ∂_x) h."""
    total = sympy.Integer(0)
    for powers, coefficient in polynomial.terms:
        part = h
        for variable, power in zip(variables, powers, strict=True):
            for _ in range(power):
                part = variable * sympy.diff(part, variable)
        total += sympy.Rational(coefficient.numerator, coefficient.denominator) * part
    return total


def _bracketed(expression: sympy.Expr) -> str:
    text = sympy.latex(expression)
    return f"\\left({text}\\right)" if expression.is_Add else text
