r"""ASYM, any order, B-C and C: the neural tangent kernel limit.

With many ranks k the kernel of the flow tends to ν H σ^{2ν-2} times the identity and stays there,
so that every entry of f - F decays at the same rate:

    E[L] ~ ½ (p + p^ν H σ^{2ν}) exp(-2ν H σ^{2ν-2} t/T)      on B-C,

where both terms are of one order. On C the model starts from f = 0 and the second term is absent.
SYM has no such limit: for ν = 2 its kernel is a linear function of f itself.

It is the `pde.recurrent_regimes` with m = p, x = H σ^{2ν-2}, c = 1, β = 0, γ = ν, θ = 1 and, with
y = p^{ν-1} H σ^{2ν}, a = ½(1 + y) on B-C and ½ on C.

Source: Yarotsky, Golikov, Gusev 2026, section 8; the rate contains the factor ν.
"""

from __future__ import annotations

from fractions import Fraction

from diagrams.wick import monomial
from expansion.leading import LeadingSeries
from expansion.problem import Problem
from pde.evolution import Solution
from pde.recurrent_regimes import FirstOrderRegime, recurrent_solution
from pde.solver import Solver, cp_model

__all__ = ["SOLVERS", "kernel_series"]

_SOURCE = "Yarotsky, Golikov, Gusev 2026, section 8"


def kernel_series(order: int, regime: str) -> FirstOrderRegime:
    """The data of B-C or C.

    Examples
    --------
    >>> print(kernel_series(3, "B-C").recurrence)
    (s)*C[s, n] + (6)*C[s - 1, n] = 0
    """
    half = Fraction(1, 2)
    return FirstOrderRegime(
        rate=1,
        beta=0,
        gamma=order,
        weights=((0, 1),),
        start=((0, half), (1, half)) if regime == "B-C" else ((0, half),),
        scale=monomial({"p": 1}),
        time=monomial({"H": 1, "sigma2": order - 1}),
        ratio=monomial({"p": order - 1, "H": 1, "sigma2": order}) if regime == "B-C" else (),
    )


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model is not None
        and not model.symmetric
        and model.target == "identity"
        and regime in {"B-C", "C"}
    )


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    model = cp_model(problem)
    order = 0 if model is None else model.order
    return recurrent_solution(
        kernel_series(order, regime),
        problem=problem,
        leading=leading,
        source=_SOURCE,
        words="Among the contractions of the kernel, those with the most H-nodes lead; they are "
        "proportional to the identity.",
    )


SOLVERS = (
    Solver(
        title="ASYM: the neural tangent kernel", source=_SOURCE, applies=_applies, derive=_derive
    ),
)
