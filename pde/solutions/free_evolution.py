r"""Free evolution of CP models: the vertices A and B, and A-B of SYM of even order from 4 on.

The target drops out and the leading diagrams are flowers and chains whose numbers obey a recurrence
in s. With lead(Y_s) = m x^s Σ_n s! C_{s,n} y^n, where m = p^ν H σ^{2ν},

    s C_{s,n} = -2c Σ_k w_k (β(s - 1) + ν) C_{s-1,n-k},      C_{0,k} = ½ w_k,

so that with θ = Σ w_k y^k the generating function h solves (1 + 2cβθx) h' = -2cνθ h:

    E[L] ~ ½ m θ (1 + 2cβθ x t/T)^{-ν/β},    or  ½ m θ exp(-2cνθ x t/T)  for β = 0.

- ASYM, A: c = 1, β = ν - 1, θ = 1, x = p^{ν-1} σ^{2(ν-1)}; B: the same with β = 0 and
  x = H σ^{2(ν-1)}.
- SYM of even order from 4 on, with y = H/p^{ν/2}: c = ν, β = ν - 1, x = p^{ν-1} σ^{2(ν-1)}, and
  θ = 1 on A, (ν-1)!! y on B, and their sum on A-B.

The recurrence is checked on the enumerated coefficients, and its equation is made and solved by the
general machinery. For order 2 the contractions of a cycle do not factorise and A-B is the free face
of `pde.solutions.symmetric_order2`.

Source: Yarotsky, Golikov, Gusev 2026, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial, monomial_latex
from expansion.problem import Problem
from pde.characteristics import solve_symbolically
from pde.closed_form import closed_form
from pde.equation import FirstOrderPDE
from pde.evolution import Domain, FloatArray, Parameters, Solution, Step
from pde.recurrence import Confirmation, Index, Recurrence
from pde.solver import CpModel, Solver, cp_model
from pde.taylor import symbol
from pde.typeset import formula_latex

if TYPE_CHECKING:
    import sympy

__all__ = ["SOLVERS", "FreeEvolution", "free_evolution"]

_SOURCE = "Yarotsky, Golikov, Gusev 2026, section 7"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeEvolution:
    """The recurrence of a free regime and the monomials that its numbers multiply.

    Parameters
    ----------
    order : int
        ν.
    rate : int
        c.
    beta : int
        β.
    weights : tuple of (int, int)
        The pairs (k, w_k) of θ.
    scale, time, ratio : Monomial
        m, x and y.
    """

    order: int
    rate: int
    beta: int
    weights: tuple[tuple[int, int], ...]
    scale: Monomial
    time: Monomial
    ratio: Monomial

    @property
    def recurrence(self) -> Recurrence:
        """The equation s C_{s,n} + 2c Σ_k w_k (β(s - 1) + ν) C_{s-1,n-k} = 0.

        Examples
        --------
        >>> face = free_evolution(CpModel(order=4, symmetric=True, target="zero"), "A-B")
        >>> print(face.recurrence)
        (s)*C[s, n] + (8 + 24*s)*C[s - 1, n] + (24 + 72*s)*C[s - 1, n - 1] = 0
        """
        before = Polynomial({(): self.order}) + Polynomial({(("s", 1),): self.beta})
        terms: dict[Index, Polynomial] = {(0, 0): Polynomial({(("s", 1),): 1})}
        for k, weight in self.weights:
            terms[-1, -k] = before * (2 * self.rate * weight)
        return Recurrence(indices=("s", "n"), terms=terms)

    def numbers(self, leading: LeadingSeries) -> dict[Index, Fraction]:
        """C_{s,n} of the enumerated leading coefficients.

        Raises
        ------
        InvalidInputError
            If a leading term is not of the form m x^s y^n.
        """
        numbers: dict[Index, Fraction] = {}
        for s in range(leading.last + 1):
            if s not in leading.regimes.polyhedra:
                break
            found = dict(leading[s].terms)
            for n in range(s + 2):
                powers: dict[str, int] = {}
                for part, times in ((self.scale, 1), (self.time, s), (self.ratio, n)):
                    for name, power in part:
                        powers[name] = powers.get(name, 0) + power * times
                value = found.pop(monomial(powers), Fraction(0)) if self.ratio or not n else 0
                numbers[s, n] = Fraction(value) / factorial(s)
            if found:
                raise InvalidInputError(
                    f"regime {leading.regime.name}: its coefficient Y_{s} has other leading terms "
                    "than free evolution; choose another solver"
                )
        return numbers

    def theta(self) -> sympy.Expr:
        """θ in the symbols of the problem."""
        import sympy

        return sympy.Add(*(w * _product(self.ratio) ** k for k, w in self.weights))


def free_evolution(model: CpModel, regime: str) -> FreeEvolution | None:
    """The data of a regime of a CP model, or None if it is not one of those solved here."""
    order = model.order
    scale = monomial({"p": order, "H": 1, "sigma2": order})
    narrow = monomial({"p": order - 1, "sigma2": order - 1})
    if model.target not in {"identity", "zero"}:
        return None
    if not model.symmetric:
        if regime not in {"A", "B"}:
            return None
        return FreeEvolution(
            order=order,
            rate=1,
            beta=order - 1 if regime == "A" else 0,
            weights=((0, 1),),
            scale=scale,
            time=narrow if regime == "A" else monomial({"H": 1, "sigma2": order - 1}),
            ratio=(),
        )
    if order < 4 or order % 2 or regime not in {"A", "B", "A-B"}:
        return None
    pairings = prod(range(1, order, 2))
    return FreeEvolution(
        order=order,
        rate=order,
        beta=order - 1,
        weights={"A": ((0, 1),), "B": ((1, pairings),)}.get(regime, ((0, 1), (1, pairings))),
        scale=scale,
        time=narrow,
        ratio=monomial({"H": 1, "p": -order // 2}),
    )


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return model is not None and free_evolution(model, regime) is not None


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    import sympy

    model = cp_model(problem)
    face = None if model is None else free_evolution(model, regime)
    if face is None:
        raise InvalidInputError(
            f"regime {regime} of {problem.title}: is not free evolution of a CP model; choose "
            "another solver"
        )
    rule = face.recurrence
    checked = rule.check(face.numbers(leading))
    x, y = sympy.Symbol("x"), sympy.Symbol("y", positive=True)
    equation = FirstOrderPDE.from_recurrence(rule, (x, y))
    theta = sympy.Add(*(w * y**k for k, w in face.weights))
    h = solve_symbolically(equation, theta / 2)
    argument = _product(face.time) * symbol("t") / symbol("T")
    formula = _product(face.scale) * h.expression.subs({y: _product(face.ratio), x: argument})

    def numbers(parameters: Parameters) -> tuple[float, float]:
        """½ m θ and 2cθx/T."""
        values = {
            symbol(name): sympy.Rational(v.numerator, v.denominator)
            for name, v in parameters.items()
        }
        amount = face.theta().subs(values)
        rate = 2 * face.rate * amount * _product(face.time).subs(values) / values[symbol("T")]
        return float(_product(face.scale).subs(values) * amount / 2), float(rate)

    def evaluate(parameters: Parameters, t: FloatArray) -> FloatArray:
        start, rate = numbers(parameters)
        with np.errstate(over="ignore"):
            if not face.beta:
                return np.asarray(start * np.exp(-face.order * rate * t))
            return np.asarray(
                start * np.exp(-face.order / face.beta * np.log1p(face.beta * rate * t))
            )

    def domain(parameters: Parameters) -> Domain:
        if not face.beta:
            return Domain()
        _, rate = numbers(parameters)
        return Domain(start=-1 / (face.beta * rate), reason="before it the loss has blown up")

    return closed_form(
        problem=problem.title,
        regime=regime,
        source=_SOURCE,
        formula=formula,
        derivation=_steps(face, rule, checked, equation, h.expression, h.verified, formula),
        evaluate=evaluate,
        domain=domain,
        limits=lambda parameters: (None, 0.0),
    )


def _steps(
    face: FreeEvolution,
    rule: Recurrence,
    checked: Confirmation,
    equation: FirstOrderPDE,
    h: sympy.Expr,
    verified: str,
    formula: sympy.Expr,
) -> tuple[Step, ...]:
    ratio = f", \\quad y = {monomial_latex(face.ratio)}" if face.ratio else ""
    return (
        Step(
            "Leading terms",
            rf"\operatorname{{lead}}(Y_s) = m\, x^s \sum_n s!\, C_{{s,n}}\, y^n, \quad m = "
            rf"{monomial_latex(face.scale)}, \quad x = {monomial_latex(face.time)}{ratio}",
            "The target drops out; optimal contractions are flowers and chains.",
        ),
        Step(
            "Recurrence",
            rule.latex(),
            f"On the enumerated leading coefficients it {checked}.",
        ),
        Step("Differential equation", equation.latex(), "h is the sum of C x^s y^n."),
        Step(
            "Characteristics",
            f"h = {formula_latex(h)}",
            f"It satisfies the equation {verified}.",
        ),
        Step(
            "Loss",
            rf"\mathbf{{E}}[L] \sim {formula_latex(formula)}",
            "m h at x t/T.",
        ),
    )


def _product(powers: Monomial) -> sympy.Expr:
    import sympy

    return sympy.Mul(*(symbol(name) ** power for name, power in powers))


SOLVERS = (
    Solver(
        title="CP models: free evolution",
        source=_SOURCE,
        applies=_applies,
        derive=_derive,
    ),
)
