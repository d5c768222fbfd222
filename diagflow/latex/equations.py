r"""Recurrences and differential equations.

>>> from pde.recurrences.recurrence import Recurrence
>>> terms = {(0,): Polynomial.parse("n**2"), (-1,): Polynomial.parse("-2*n - 1")}
>>> equation = LinearPDE.from_recurrence(
...     Recurrence(indices=("n",), terms=terms, source={(0,): 1}), (sympy.Symbol("x"),)
... )
>>> print(linear_latex(equation))
(x\partial_{x})^{2} h - x \bigl( 1 + 2 x\partial_{x} \bigr) h = 1

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction

import sympy

from diagflow.latex.numbers import number_latex
from expansion.polynomial import Polynomial
from pde.formula_latex import formula_latex
from pde.recurrences.equation import FirstOrderPDE, LinearPDE

__all__ = ["field_latex", "first_order_latex", "linear_latex"]


def linear_latex(equation: LinearPDE, function: str = "h") -> str:
    """The equation of a generating function, in the operators x∂_x."""
    left = ""
    for shift, polynomial in equation.recurrence.terms:
        factor = " ".join(
            _power(variable, -k) for variable, k in zip(equation.variables, shift, strict=True) if k
        )
        sign, operator = _operator(equation, polynomial)
        mark = (" + " if left else "") if sign > 0 else (" - " if left else "-")
        left += mark + " ".join(part for part in (factor, operator, function) if part)
    right = ""
    for place, value in equation.recurrence.source:
        monomial = " ".join(
            _power(variable, n) for variable, n in zip(equation.variables, place, strict=True) if n
        )
        right += _term(value, monomial, is_first=not right)
    return f"{left} = {right or '0'}"


def first_order_latex(equation: FirstOrderPDE, function: str = "h") -> str:
    r"""The equation Φ·∇h = φ h.

    Examples
    --------
    >>> x, z = sympy.symbols("x z")
    >>> print(first_order_latex(FirstOrderPDE((x, z), (1, -2 * z), sympy.Integer(-1))))
    \partial_{x} h - 2 z\, \partial_{z} h = -h
    """
    left = ""
    for variable, component in zip(equation.variables, equation.field, strict=True):
        if not component:
            continue
        derivative = f"\\partial_{{{formula_latex(variable)}}} {function}"
        text = _times(component, derivative)
        if left:
            left += f" - {text[1:].lstrip()}" if text.startswith("-") else f" + {text}"
        else:
            left = text
    return f"{left} = {_times(equation.growth, function) if equation.growth else '0'}"


def field_latex(equation: FirstOrderPDE) -> str:
    r"""The field and the growth of a first-order equation.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> print(field_latex(FirstOrderPDE((x,), (1 + x,), sympy.Integer(3))))
    \Phi = \left(x + 1\right), \qquad \varphi = 3
    """
    components = ", ".join(formula_latex(component) for component in equation.field)
    return (
        f"\\Phi = \\left({components}\\right), \\qquad \\varphi = {formula_latex(equation.growth)}"
    )


def _times(factor: sympy.Expr, body: str) -> str:
    """A product of an expression and something else."""
    if factor in (1, -1):
        return f"{'-' if factor == -1 else ''}{body}"
    text = formula_latex(factor)
    if factor.is_Add:
        text = f"\\left({text}\\right)"
    return f"{text}\\, {body}"


def _operator(equation: LinearPDE, polynomial: Polynomial) -> tuple[int, str]:
    """A sign and P(x∂_x); a common minus sign is taken out."""
    sign = -1 if all(coefficient < 0 for _, coefficient in polynomial) else 1
    text = ""
    for powers, coefficient in polynomial:
        factors = []
        for name, power in powers:
            variable = equation.variables[equation.recurrence.indices.index(name)]
            letter = formula_latex(variable)
            operator = f"{letter}\\partial_{{{letter}}}"
            factors.append(operator if power == 1 else f"({operator})^{{{power}}}")
        text += _term(sign * coefficient, " ".join(factors), is_first=not text)
    if len(polynomial) > 1:
        return sign, f"\\bigl( {text} \\bigr)"
    return sign, "" if text == "1" else text


def _term(value: Fraction, body: str, *, is_first: bool) -> str:
    number = "" if abs(value) == 1 and body else number_latex(abs(value))
    text = f"{number} {body}".strip()
    if is_first:
        return f"-{text}" if value < 0 else text
    return f" - {text}" if value < 0 else f" + {text}"


def _power(variable: sympy.Symbol, power: int) -> str:
    letter = formula_latex(variable)
    return letter if power == 1 else f"{letter}^{{{power}}}"
