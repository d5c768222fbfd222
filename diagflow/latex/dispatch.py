r"""The function `latex`.

Formulas come without delimiters: polynomials, numbers, expressions, recurrences, differential
equations. What is more than a formula comes as a piece of text with its own environments, for the
packages amsmath and booktabs: coefficients of a series, tables of regimes, steps of a derivation,
solutions and loss evolutions.

>>> from expansion.models import cp
>>> from expansion.series import loss_series
>>> print(latex(loss_series(cp(order=3))), end="")
{\allowdisplaybreaks
\begin{align*}
Y_{0} &= \frac{1}{2} p + \frac{1}{2} p^{3} H \sigma^{6}
\end{align*}}

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch

import sympy

from diagflow.latex.equations import first_order_latex, linear_latex
from diagflow.latex.numbers import number_latex
from diagflow.latex.polynomials import series_latex
from diagflow.latex.solutions import evolution_latex, solution_latex, step_latex
from diagflow.show import regimes as show_regimes
from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from expansion.regimes import Regimes
from expansion.series import LossSeries
from pde.evolution import DerivationStep, LossEvolution, Solution
from pde.formula_latex import formula_latex
from pde.recurrences.equation import FirstOrderPDE, LinearPDE
from pde.recurrences.recurrence import Recurrence

__all__ = ["latex"]


@singledispatch
def latex(value: object) -> str:
    """A value in LaTeX.

    Parameters
    ----------
    value : object
        Of one of the types above; `functools.singledispatch` registers more.

    Raises
    ------
    InvalidInputError
        If it is of another type.
    """
    known = ", ".join(sorted(kind.__name__ for kind in latex.registry if kind is not object))
    raise InvalidInputError(
        f"latex of {type(value).__name__}: is not a type that it knows; give one of {known}"
    )


@latex.register
def _(value: int) -> str:
    return str(value)


@latex.register
def _(value: Fraction) -> str:
    return number_latex(value)


@latex.register
def _(value: Polynomial) -> str:
    return value.latex()


@latex.register
def _(value: sympy.Expr) -> str:
    return formula_latex(value)


@latex.register
def _(value: Recurrence) -> str:
    return value.latex()


@latex.register
def _(value: LinearPDE) -> str:
    return linear_latex(value)


@latex.register
def _(value: FirstOrderPDE) -> str:
    return first_order_latex(value)


@latex.register
def _(value: LossSeries) -> str:
    return series_latex(value)


@latex.register
def _(value: Regimes) -> str:
    return show_regimes.latex(value)


@latex.register
def _(value: DerivationStep) -> str:
    return step_latex(value)


@latex.register
def _(value: Solution) -> str:
    return solution_latex(value)


@latex.register
def _(value: LossEvolution) -> str:
    return evolution_latex(value)
