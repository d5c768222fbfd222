r"""From recurrences to differential equations of generating functions.

If C obeys a `Recurrence` at all n in Z^d, its generating function h(x) = Σ C_n x^n obeys

    sum over k of  x^{-k} P_k(x ∂_x) h = Σ g_n x^n,      x ∂_x = (x_1 ∂_1, ..., x_d ∂_d),

with the source g of the recurrence. If there is none and all P_k have degree at most one this is an
equation of first order, Φ·∇h = φ h.

>>> from expansion.polynomial import Polynomial
>>> x = sympy.Symbol("x")
>>> terms = {(0,): Polynomial.parse("1"), (-1,): Polynomial.parse("-2")}
>>> geometric = Recurrence(indices=("n",), terms=terms, source={(0,): 1})
>>> LinearPDE.from_recurrence(geometric, (x,)).residual(1 / (1 - 2 * x))
0
>>> terms = {(0,): Polynomial.parse("n"), (-1,): Polynomial.parse("-3")}
>>> exponential = Recurrence(indices=("n",), terms=terms)
>>> equation = FirstOrderPDE.from_recurrence(exponential, (x,))
>>> equation.field, equation.growth, equation.residual(sympy.exp(3 * x))
((1,), 3, 0)

Source: Yarotsky, Golikov, Gusev 2026, theorem 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from pde.formula_latex import formula_latex
from pde.recurrences.recurrence import Recurrence

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
        if len(variables) != len(recurrence.indices):
            raise InvalidInputError(
                f"generating function in {len(variables)} variables: the recurrence has "
                f"{len(recurrence.indices)} indices; give one variable for each"
            )
        return cls(tuple(variables), recurrence)

    @property
    def order(self) -> int:
        """The order of the equation."""
        return self.recurrence.degree

    def apply(self, h: sympy.Expr) -> sympy.Expr:
        """The left side less the right side for a function of the variables."""
        total = sympy.Integer(0)
        for shift, polynomial in self.recurrence.terms:
            part = self._at_derivatives(polynomial, h)
            for variable, k in zip(self.variables, shift, strict=True):
                part *= variable ** (-k)
            total += part
        for place, value in self.recurrence.source:
            power = sympy.Rational(value.numerator, value.denominator)
            for variable, n in zip(self.variables, place, strict=True):
                power *= variable**n
            total -= power
        return total

    def residual(self, h: sympy.Expr) -> sympy.Expr:
        """The simplified difference of the sides, zero for a solution."""
        return sympy.simplify(self.apply(h))

    def _at_derivatives(self, polynomial: Polynomial, h: sympy.Expr) -> sympy.Expr:
        """P(x ∂_x) h."""
        total = sympy.Integer(0)
        for powers, coefficient in polynomial:
            part = h
            for name, power in powers:
                variable = self.variables[self.recurrence.indices.index(name)]
                for _ in range(power):
                    part = variable * sympy.diff(part, variable)
            total += sympy.Rational(coefficient.numerator, coefficient.denominator) * part
        return total


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
        If there are not as many components as variables, all of them vanish, or one is not finite.
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
        for part in (*self.field, self.growth):
            if sympy.Add(part, 0).has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                raise InvalidInputError(
                    f"first-order equation: its coefficient {part} is not finite; give functions "
                    "of the variables"
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
            If a polynomial has a higher degree, there is a source, or the numbers of variables
            differ.
        """
        whole = LinearPDE.from_recurrence(recurrence, variables)
        if whole.order > 1:
            raise InvalidInputError(
                f"recurrence {recurrence}: has coefficients of degree {whole.order}, so that its "
                "equation is not of first order; use LinearPDE"
            )
        if recurrence.source:
            raise InvalidInputError(
                f"recurrence {recurrence}: has a source, so that its equation is not homogeneous; "
                "use LinearPDE"
            )
        field = [sympy.Integer(0)] * len(variables)
        growth = sympy.Integer(0)
        for shift, polynomial in recurrence.terms:
            factor = sympy.Integer(1)
            for variable, k in zip(variables, shift, strict=True):
                factor *= variable ** (-k)
            for powers, coefficient in polynomial:
                value = sympy.Rational(coefficient.numerator, coefficient.denominator) * factor
                if not powers:
                    growth -= value
                for name, _ in powers:
                    place = recurrence.indices.index(name)
                    field[place] += value * variables[place]
        return cls(tuple(variables), *_primitive(field, growth))

    def of_quotient(self, power: int) -> FirstOrderPDE:
        """The equation of h/x^power for a solution h, with x the first variable.

        Examples
        --------
        The numbers 0, 1, 2, ... have the generating function x/(1-x)^2:

        >>> x = sympy.Symbol("x")
        >>> equation = FirstOrderPDE((x,), (x * (1 - x),), 1 + x)
        >>> quotient = equation.of_quotient(1)
        >>> quotient.field, quotient.growth
        ((1 - x,), 2)
        """
        growth = self.growth - power * self.field[0] / self.variables[0]
        return FirstOrderPDE(self.variables, *_primitive(self.field, growth))

    def residual(self, h: sympy.Expr) -> sympy.Expr:
        """Φ·∇h - φ h, simplified; zero for a solution."""
        return sympy.simplify(self.defect(h))

    def defect(self, h: sympy.Expr) -> sympy.Expr:
        """Φ·∇h - φ h as it stands."""
        return self.along(h) - self.growth * h

    def along(self, function: sympy.Expr) -> sympy.Expr:
        """Φ·∇ of any function: how it changes along characteristics."""
        return sympy.Add(
            *(
                component * sympy.diff(function, variable)
                for variable, component in zip(self.variables, self.field, strict=True)
            )
        )

    def latex(self, function: str = "h") -> str:
        """The equation in LaTeX, without delimiters."""
        left = []
        for variable, component in zip(self.variables, self.field, strict=True):
            if component:
                derivative = f"\\partial_{{{formula_latex(variable)}}} {function}"
                factor = "" if component == 1 else _bracketed(component) + "\\, "
                left.append(factor + derivative)
        right = f"{_bracketed(self.growth)}\\, {function}" if self.growth else "0"
        return " + ".join(left) + " = " + right

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def _primitive(
    field: Sequence[sympy.Expr], growth: sympy.Expr
) -> tuple[tuple[sympy.Expr, ...], sympy.Expr]:
    """The coefficients without their common factor."""
    growth = sympy.cancel(growth)
    common = sympy.gcd_list([*field, growth]) or sympy.Integer(1)
    return (
        tuple(sympy.factor(sympy.cancel(component / common)) for component in field),
        sympy.factor(sympy.cancel(growth / common)),
    )


def _bracketed(expression: sympy.Expr) -> str:
    text = formula_latex(expression)
    return f"\\left({text}\\right)" if expression.is_Add else text
