r"""Regimes whose leading series obeys a first-order recurrence in s: power laws and exponentials.

At a vertex lead(Y_s) is one monomial, c_s m T^s with the natural T. If C_s = c_s/s! obeys

    s C_s = (β (s - 1) + γ) C_{s-1}      at all s,

its generating function solves (1 - β x) h' = γ h, so that h(x) = C_0 (1 - β x)^{-γ/β}, or
C_0 e^{γx} for β = 0, at x = t/T with that T. The recurrence is found from the
exact leading coefficients, β and γ at s = 1 and 2, and confirmed on the others; the equation is
made from it and solved along characteristics.

That covers the vertices whose numbers obey such a recurrence from s = 0 on, as those of free
evolution and of the kernel limits of the CP models do. `late_law` sums those that obey one after
the first terms, on any face; others are solved by effective dynamics or resummed.

Source: Yarotsky, Golikov, Gusev 2026, section 7, for free evolution of the CP models; finding the
recurrence, and vertices of any other problem, are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial, quotient_latex
from expansion.problem import Problem
from expansion.regimes import Regime
from pde.characteristics.characteristics import solve_symbolically
from pde.closed_form import closed_form
from pde.evolution import DerivationStep, Origin, Solution
from pde.face import RegimeFormulas
from pde.formula_latex import formula_latex
from pde.recurrences.equation import FirstOrderPDE
from pde.recurrences.recurrence import Recurrence
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["power_law_solution", "vertex_data"]

_LEAST = 5
"""Numbers that give the two rates and confirm them at least twice."""

SOURCE = "Yarotsky, Golikov, Gusev 2026, section 7, for the CP models; the recurrence found, ours"


def vertex_data(leading: LeadingSeries) -> tuple[Monomial, Monomial, tuple[Fraction, ...]]:
    """The scale m, the natural T and the numbers c_s of lead(Y_s) = c_s m T^s.

    The pure-target term counts as c_0 m when Y_0 has no other leading term of this size.

    Raises
    ------
    InvalidInputError
        If the leading parts are not of this form.
    """
    regime, found = leading.regime, leading.regimes
    sequence = regime.sequences[0]
    slopes = dict(regime.natural_time)
    integral = all(power.denominator == 1 for power in slopes.values())
    if len(regime.sequences) > 1 or len(set(sequence.offsets)) > 1 or not integral:
        raise _not_a_power_law(regime)
    start = sequence.point(0)
    time = monomial({name: int(power) for name, power in slopes.items()})
    scale = monomial(dict(zip(regime.symbols, start, strict=True)))
    numbers = []
    for s in range(leading.last + 1):
        expected = monomial(
            {
                name: entry + s * int(slopes.get(name, 0))
                for name, entry in zip(regime.symbols, start, strict=True)
            }
        )
        polynomial = leading[s] if s in found.polyhedra else Polynomial()
        if s == 0 and not len(polynomial):
            polynomial = leading.pure_target
        table = dict(polynomial.terms)
        if set(table) - {expected}:
            raise _not_a_power_law(regime)
        numbers.append(table.get(expected, Fraction(0)))
    return scale, time, tuple(numbers)


def power_law_solution(problem: Problem, regime: Regime, leading: LeadingSeries) -> Solution:
    """The solution of a vertex regime by the recurrence of its numbers.

    Raises
    ------
    InvalidInputError
        If the leading parts are not single monomials, or no recurrence of first order in s and of
        first degree is confirmed by them.
    """
    import sympy

    scale, time, numbers = vertex_data(leading)
    beta, gamma, rule, checked = _recurrence(numbers)
    x = sympy.Symbol("x")
    equation = FirstOrderPDE.from_recurrence(rule, (x,))
    h = solve_symbolically(equation, sympy.Rational(numbers[0].numerator, numbers[0].denominator))
    argument = _product(time) * symbol("t") / symbol("T")
    constant = _constant(regime, leading)
    formula = constant + _product(scale) * h.expression.subs(x, argument)

    exact = sympy.Rational(beta.numerator, beta.denominator)
    decays = beta < 0 < gamma / beta or (not beta and gamma < 0)
    face = RegimeFormulas(
        loss=formula,
        blow_up=(symbol("t") / (exact * argument),) if beta and gamma / beta > 0 else (),
        late=constant if decays else None,
        reason="where the sum of the leading terms diverges",
    )
    return closed_form(
        face,
        problem=problem.title,
        regime=regime.name,
        source=SOURCE,
        origin=Origin.DERIVED,
        derivation=(
            DerivationStep(
                "Leading terms",
                "\\operatorname{lead}(Y_s) = c_s\\, "
                f"{quotient_latex(scale)} \\left({quotient_latex(time)}\\right)^s,\\quad c = "
                + ",\\ ".join(
                    sympy.latex(sympy.Rational(c.numerator, c.denominator)) for c in numbers
                ),
                "The numbers are exact.",
            ),
            DerivationStep(
                "Recurrence of C_s = c_s/s!",
                rule.latex(),
                f"Found at s = 1 and 2, and confirmed at s = {checked}.",
            ),
            DerivationStep("Differential equation", equation.latex(), "h is the sum of C_s x^s."),
            DerivationStep(
                "Solution",
                f"h = {formula_latex(h.expression)},\\quad x = {formula_latex(argument)}",
                f"It satisfies the equation {h.verified}.",
            ),
        ),
        validity="all t >= 0"
        if beta <= 0 and gamma <= 0
        else "times before the sum diverges, or turns negative or rises",
    )


def _recurrence(numbers: Sequence[Fraction]) -> tuple[Fraction, Fraction, Recurrence, str]:
    """β, γ, the recurrence, and the s that confirm it."""
    C = [c / factorial(s) for s, c in enumerate(numbers)]
    if len(C) < _LEAST or not all(C):
        raise InvalidInputError(
            f"power law: needs {_LEAST} numbers that are not zero, there are "
            f"{len(C) - C.count(Fraction(0))}; expand more terms"
        )
    gamma = C[1] / C[0]
    beta = 2 * C[2] / C[1] - gamma
    rule = Recurrence(
        indices=("s",),
        terms={
            (0,): Polynomial({(("s", 1),): 1}),
            (-1,): Polynomial({(("s", 1),): -beta, (): -gamma}),
        },
    )
    result = rule.check({(s,): c for s, c in enumerate(C)})
    if result.failures:
        raise InvalidInputError(f"recurrence {rule}: {result}; it is not a power law")
    return beta, gamma, rule, ", ".join(str(n[0]) for n in result.checked if n[0] > 2)


def _constant(regime: Regime, leading: LeadingSeries) -> sympy.Expr:
    """The pure-target term, if it stands beside the leading terms."""
    import sympy

    if 0 in leading.regimes.polyhedra and not len(leading[0]):
        return sympy.Integer(0)
    return leading.pure_target.to_sympy()


def _product(powers: Monomial) -> sympy.Expr:
    import sympy

    return sympy.Mul(*(symbol(name) ** power for name, power in powers))


def _not_a_power_law(regime: Regime) -> InvalidInputError:
    return InvalidInputError(
        f"regime {regime.name}: its leading parts are not single terms c_s m T^s; it is not a "
        "power law"
    )
