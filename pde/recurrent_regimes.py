r"""Leading series in one scaled size whose numbers obey a recurrence of first order in time.

With lead(Y_s) = m x^s Σ_n s! C_{s,n} y^n for monomials m (scale), x (time) and y (ratio), let

    s C_{s,n} = -2c Σ_k w_k (β(s - 1) + γ) C_{s-1,n-k},      Σ_n C_{0,n} y^n = a(y).

With θ = Σ w_k y^k the generating function h obeys (1 + 2cβθx) ∂h/∂x = -2cγθ h, so that

    E[L] ~ m a(y) (1 + 2cβθx t/T)^{-γ/β},    or  m a(y) exp(-2cγθx t/T)  for β = 0.

A `FirstOrderRegime` is these data. Its recurrence is checked on the enumerated coefficients; its
equation is made and solved along characteristics by the general machinery.

>>> flower = FirstOrderRegime(
...     rate=1,
...     beta=1,
...     gamma=2,
...     weights=((0, 1),),
...     start=((0, Fraction(1, 2)),),
...     scale=(("H", 1), ("p", 2), ("sigma2", 2)),
...     time=(("p", 1), ("sigma2", 1)),
... )
>>> print(flower.recurrence)
(s)*C[s, n] + (2 + 2*s)*C[s - 1, n] = 0

Source: Yarotsky, Golikov, Gusev 2026, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial, monomial_latex
from expansion.problem import Problem
from pde.characteristics.characteristics import solve_symbolically
from pde.closed_form import closed_form
from pde.evolution import DerivationStep, Solution
from pde.face import RegimeFormulas
from pde.formula_latex import formula_latex
from pde.recurrences.equation import FirstOrderPDE
from pde.recurrences.recurrence import Index, Recurrence
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["FirstOrderRegime", "recurrent_solution"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrderRegime:
    """The recurrence of a regime and the monomials that its numbers multiply.

    Parameters
    ----------
    rate, beta, gamma : int
        c, β and γ.
    weights : tuple of (int, int)
        The pairs (k, w_k) of θ.
    start : tuple of (int, Fraction)
        The pairs (n, C_{0,n}) of a(y).
    scale, time, ratio : Monomial
        m, x and y; without a ratio there is one term for each s.
    """

    rate: int
    beta: int
    gamma: int
    weights: tuple[tuple[int, int], ...]
    start: tuple[tuple[int, Fraction], ...]
    scale: Monomial
    time: Monomial
    ratio: Monomial = ()

    @property
    def recurrence(self) -> Recurrence:
        """The equation s C_{s,n} + 2c Σ_k w_k (β(s - 1) + γ) C_{s-1,n-k} = 0."""
        before = Polynomial({(): self.gamma}) + Polynomial({(("s", 1),): self.beta})
        terms: dict[Index, Polynomial] = {(0, 0): Polynomial({(("s", 1),): 1})}
        for k, weight in self.weights:
            terms[-1, -k] = before * (2 * self.rate * weight)
        return Recurrence(indices=("s", "n"), terms=terms)

    def numbers(self, leading: LeadingSeries) -> dict[Index, Fraction]:
        """C_{s,n} of the enumerated leading coefficients, the pure target with them unless free.

        Raises
        ------
        InvalidInputError
            If a leading term is not of the form m x^s y^n.
        """
        widest = max(n for n, _ in self.start)
        step = max(k for k, _ in self.weights)
        numbers: dict[Index, Fraction] = {}
        for s in range(leading.last + 1):
            if s not in leading.regimes.polyhedra:
                break
            whole = leading[s]
            if s == 0:
                whole = whole + leading.pure_target
            found = dict(whole.terms)
            for n in range(widest + s * step + 1):
                powers: dict[str, int] = {}
                for part, times in ((self.scale, 1), (self.time, s), (self.ratio, n)):
                    for name, power in part:
                        powers[name] = powers.get(name, 0) + power * times
                numbers[s, n] = found.pop(monomial(powers), Fraction(0)) / factorial(s)
            if found:
                raise InvalidInputError(
                    f"regime {leading.regime.name}: its coefficient Y_{s} has other leading terms "
                    "than those of its recurrence; choose another solver"
                )
        return numbers

    def amplitude(self, y: sympy.Expr) -> sympy.Expr:
        """The initial a(y)."""
        import sympy

        return sympy.Add(
            *(sympy.Rational(c.numerator, c.denominator) * y**n for n, c in self.start)
        )

    def theta(self, y: sympy.Expr) -> sympy.Expr:
        """The polynomial θ(y)."""
        import sympy

        return sympy.Add(*(w * y**k for k, w in self.weights))


def recurrent_solution(
    series: FirstOrderRegime,
    *,
    problem: Problem,
    leading: LeadingSeries,
    source: str,
    words: str,
) -> Solution:
    """The solution of a regime from its recurrence.

    Parameters
    ----------
    series : FirstOrderRegime
    problem : Problem
    leading : LeadingSeries
        The enumerated leading coefficients, on which the recurrence is checked.
    source : str
        Where it comes from.
    words : str
        Why the leading terms are what they are, in a sentence.
    """
    import sympy

    rule = series.recurrence
    checked = rule.check(series.numbers(leading))
    x, y = sympy.Symbol("x"), sympy.Symbol("y", positive=True)
    equation = FirstOrderPDE.from_recurrence(rule, (x, y))
    h = solve_symbolically(equation, series.amplitude(y))
    argument = _product(series.time) * symbol("t") / symbol("T")
    formula = _product(series.scale) * h.expression.subs({y: _product(series.ratio), x: argument})
    ratio = f", \\quad y = {monomial_latex(series.ratio)}" if series.ratio else ""
    rate = 2 * series.rate * series.theta(y) * argument / symbol("t")
    pole = -1 / (series.beta * rate.subs(y, _product(series.ratio))) if series.beta else None
    return closed_form(
        RegimeFormulas(
            loss=formula,
            blow_up=() if pole is None else (pole,),
            late=sympy.Integer(0),
            reason="before it the loss has blown up",
        ),
        problem=problem.title,
        regime=leading.regime.name,
        source=source,
        derivation=(
            DerivationStep(
                "Leading terms",
                rf"\operatorname{{lead}}(Y_s) = m\, x^s \sum_n s!\, C_{{s,n}}\, y^n, \quad m = "
                rf"{monomial_latex(series.scale)}, \quad x = {monomial_latex(series.time)}{ratio}",
                words,
            ),
            DerivationStep(
                "Recurrence",
                rule.latex(),
                f"On the enumerated leading coefficients it {checked}.",
            ),
            DerivationStep("Differential equation", equation.latex(), "h is the sum of C x^s y^n."),
            DerivationStep(
                "Characteristics",
                f"h = {formula_latex(h.expression)}",
                f"It satisfies the equation {h.verified}.",
            ),
            DerivationStep(
                "Loss", rf"\mathbf{{E}}[L] \sim {formula_latex(formula)}", "m h at x t/T."
            ),
        ),
        validity="all t >= 0, and t < 0 until the loss blows up" if series.beta else "all t",
    )


def _product(powers: Monomial) -> sympy.Expr:
    import sympy

    return sympy.Mul(*(symbol(name) ** power for name, power in powers))


RecurrentSeries = FirstOrderRegime  # its former name
