"""The solution of a finite system: exact series, closed form if there is one, and numbers.

>>> from expansion.dynamics.system import SystemTerm
>>> p = Polynomial.parse
>>> logistic = PolynomialSystem(
...     variables=("a",),
...     rates=((SystemTerm(p("4"), ((0, 1),)), SystemTerm(p("-4"), ((0, 2),))),),
...     initial=(p("H*sigma2"),),
...     output=(
...         SystemTerm(p("1/2*p")),
...         SystemTerm(p("-p"), ((0, 1),)),
...         SystemTerm(p("1/2*p"), ((0, 2),)),
...     ),
... )
>>> solution = system_solution(logistic, problem="example", regime="V1")
>>> solution.method.value, [step.title for step in solution.derivation]
('closed-form', ['Effective equations', 'Scalar equation', 'Loss'])
>>> loss = solution.at({"p": 10, "H": 1, "sigma2": Fraction(1, 2), "T": 1})
>>> print(f"{loss([0.0, 1.0])[1]:.12f}", loss.precise(1, digits=20))
0.001617518744 0.00161751874400221...

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import sympy

from diagrams.errors import InvalidInputError
from expansion.dynamics.system import PolynomialSystem
from expansion.polynomial import Polynomial
from pde.curve import Curve, Parameters
from pde.evolution import DerivationStep, Method, Solution
from pde.formula_latex import formula_latex
from pde.numerics.certified import Evaluator, exact_time
from pde.systems.closed import closed_formula, pruned
from pde.systems.curves import flow_curve
from pde.systems.enclosure import precise_output
from pde.systems.exact import at_numbers, coefficients
from pde.systems.flows import SystemFlow
from pde.systems.invariants import first_integrals, rates_of

__all__ = ["system_curve", "system_solution"]

_SHOWN = 6
"""Equations that a derivation writes out."""

_DEGREE = 3
"""First integrals are sought up to this degree."""


def system_curve(system: PolynomialSystem, parameters: Parameters) -> Curve:
    """The output of a system at numbers, as a function of t.

    Parameters
    ----------
    system : PolynomialSystem
    parameters : mapping from str to Fraction
        A value for every symbol, and T.

    Raises
    ------
    CapacityError
        If the numbers are beyond double precision.
    """
    at = at_numbers(pruned(system), parameters)
    T = parameters["T"]
    if not at.variables:
        return _constant(sum((t.coefficient.coefficient() for t in at.output), Fraction(0)))
    curve = flow_curve([SystemFlow(at)], T=T)

    def precise(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        return precise_output(at, exact_time(t) / T, digits)

    return replace(curve, precise=precise)


def _with_digits(curve: Curve, formula: sympy.Expr | None, parameters: Parameters) -> Curve:
    """The curve with the digits of a closed form, which are found much faster.

    Where the formula has no certain value, as where it is zero over zero, they are enclosed.
    """
    enclosed = curve.precise
    if formula is None or enclosed is None:
        return curve
    try:
        evaluator = Evaluator(formula, parameters)
    except InvalidInputError:  # complex numbers, in a loss that is real
        return curve

    def precise(t: mpmath.mpf, digits: int) -> mpmath.mpf:
        try:
            return evaluator.precise(exact_time(t), digits)
        except InvalidInputError:
            return enclosed(t, digits)

    return replace(curve, precise=precise)


def _constant(value: Fraction) -> Curve:
    """An output without variables."""
    number = float(value)
    return Curve(
        evaluate=lambda t: np.full(t.shape, number),
        precise=lambda t, digits: mpmath.mpf(value.numerator) / value.denominator,
        limits=(number, number),
    )


def system_solution(
    system: PolynomialSystem,
    *,
    problem: str,
    regime: str,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
    closed: bool = True,
) -> Solution:
    """The solution of a regime whose hierarchy is a finite system.

    Parameters
    ----------
    system : PolynomialSystem
    problem, regime, source
        See `Solution`.
    derivation : tuple of DerivationStep
        How the system was obtained.
    closed : bool, default True
        Whether to look for first integrals and a closed form.

    Returns
    -------
    Solution
        Without a certificate; see `Solution.certified`.
    """
    small = pruned(system)
    form = closed_formula(small) if closed else None
    steps = [*derivation, _equations(small)]
    if form is not None:
        steps += form.steps
    else:
        if closed and len(small.variables):
            steps += _integrals(small)
        steps.append(_INTEGRATION)
    return Solution(
        problem=problem,
        regime=regime,
        method=Method.CHARACTERISTICS if form is None else Method.CLOSED_FORM,
        source=source,
        formula=None if form is None else form.formula,
        derivation=tuple(steps),
        taylor=lambda: _coefficients(small),
        curve=lambda parameters: _with_digits(
            system_curve(small, parameters), None if form is None else form.formula, parameters
        ),
        validity="all t"
        if form is not None and form.is_entire
        else "t until the loss blows up, in both directions of time",
    )


_INTEGRATION = DerivationStep(
    "Integration",
    r"x(\tau + h) = \sum_n x_n h^n",
    "Taylor polynomials of high order, an implicit method where the equations are stiff; the error "
    "is the distance of two runs. More digits by enclosures in ball arithmetic.",
)


def _coefficients(system: PolynomialSystem) -> Iterator[Polynomial]:
    return coefficients(system)


def _equations(system: PolynomialSystem) -> DerivationStep:
    shown = list(zip(system.variables, rates_of(system), strict=True))[:_SHOWN]
    lines = [f"{_name(name)}' = {formula_latex(rate)}" for name, rate in shown]
    if len(system.variables) > _SHOWN:
        lines.append(r"\ldots")
    many = len(system.variables)
    return DerivationStep(
        "Effective equations",
        r",\qquad ".join(lines),
        f"A closed {'equation' if many == 1 else f'system of {many} variables'}, in τ = t/T.",
    )


def _name(name: str) -> str:
    return formula_latex(sympy.Symbol(name, real=True))


def _integrals(system: PolynomialSystem) -> list[DerivationStep]:
    found = first_integrals(system, degree=_DEGREE)
    if not found:
        return []
    latex = r",\qquad ".join(
        f"{formula_latex(each.expression)} = {formula_latex(each.value)}" for each in found
    )
    return [
        DerivationStep(
            "First integrals", latex, "Found by exact linear algebra, verified by symbols."
        )
    ]
