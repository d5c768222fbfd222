r"""Free evolution of CP models: the vertices A and B, and A-B of SYM of even order from 4 on.

The target drops out; the leading diagrams are flowers and chains, and their numbers are those of a
`pde.recurrent_regimes` with m = p^ν H σ^{2ν}, γ = ν and a = ½θ:

- ASYM, A: c = 1, β = ν - 1, θ = 1, x = p^{ν-1} σ^{2(ν-1)}; B: the same with β = 0 and
  x = H σ^{2(ν-1)}.
- SYM of even order from 4 on, with y = H/p^{ν/2}: c = ν, β = ν - 1, x = p^{ν-1} σ^{2(ν-1)}, and
  θ = 1 on A, (ν-1)!! y on B, and their sum on A-B.

ASYM needs no solver: `pde.power_law` finds these recurrences in few enumerated coefficients. For
order 2 of SYM the contractions of a cycle do not factorise and A-B is the free face of
`pde.solutions.symmetric_order2`.

Source: Yarotsky, Golikov, Gusev 2026, section 7.
"""

from __future__ import annotations

from fractions import Fraction

from diagrams.errors import InvalidInputError
from diagrams.factorials import double_factorial
from diagrams.wick import monomial
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.problem import Problem
from pde.evolution import Solution
from pde.recurrent_regimes import FirstOrderRegime, recurrent_solution
from pde.solver import CpModel, Solved, Solver, cp_model

__all__ = ["SOLVERS", "free_evolution"]

_SOURCE = "Yarotsky, Golikov, Gusev 2026, section 7"


def free_evolution(model: CpModel, regime: str) -> FirstOrderRegime | None:
    """The data of a regime of a CP model, or None if it is not one of those solved here.

    Examples
    --------
    >>> face = free_evolution(CpModel(order=4, symmetric=True, target="zero"), "A-B")
    >>> print(face.recurrence)
    (s)*C[s, n] + (8 + 24*s)*C[s - 1, n] + (24 + 72*s)*C[s - 1, n - 1] = 0
    """
    order = model.order
    scale = monomial({"p": order, "H": 1, "sigma2": order})
    narrow = monomial({"p": order - 1, "sigma2": order - 1})
    if model.target not in {"identity", "zero"}:
        return None
    if not model.symmetric:
        if regime not in {"A", "B"}:
            return None
        return FirstOrderRegime(
            rate=1,
            beta=order - 1 if regime == "A" else 0,
            gamma=order,
            weights=((0, 1),),
            start=((0, Fraction(1, 2)),),
            scale=scale,
            time=narrow if regime == "A" else monomial({"H": 1, "sigma2": order - 1}),
        )
    if order < 4 or order % 2 or regime not in {"A", "B", "A-B"}:
        return None
    pairings = double_factorial(order - 1)
    weights = {"A": ((0, 1),), "B": ((1, pairings),)}.get(regime, ((0, 1), (1, pairings)))
    return FirstOrderRegime(
        rate=order,
        beta=order - 1,
        gamma=order,
        weights=weights,
        start=tuple((k, Fraction(weight, 2)) for k, weight in weights),
        scale=scale,
        time=narrow,
        ratio=monomial({"H": 1, "p": -order // 2}),
    )


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return model is not None and model.symmetric and free_evolution(model, regime) is not None


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    model = cp_model(problem)
    series = None if model is None else free_evolution(model, regime)
    if series is None:
        raise InvalidInputError(
            f"regime {regime} of {problem.title}: is not free evolution of a CP model; choose "
            "another solver"
        )
    return recurrent_solution(
        series,
        problem=problem,
        leading=leading,
        source=_SOURCE,
        words="The target drops out; optimal contractions are flowers and chains.",
    )


SOLVERS = (
    Solver(
        title="SYM of even order >= 4: free evolution",
        source=_SOURCE,
        applies=_applies,
        derive=_derive,
        solved=(
            Solved(
                model="SYM even order from 4 on",
                regimes=("A", "B", "A-B"),
                method="closed form, by the recurrence of free evolution",
                holds="until ascent blows up",
                example=lambda: cp(order=4, symmetric=True),
            ),
        ),
    ),
)
