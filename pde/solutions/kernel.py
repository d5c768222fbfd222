r"""ASYM, any order, B-C and C: the neural tangent kernel limit.

With many ranks k the kernel of the flow tends to ν H σ^{2ν-2} times the identity and stays there,
so that every entry of f - F decays at the same rate:

    E[L] ~ ½ (p + p^ν H σ^{2ν}) exp(-2ν H σ^{2ν-2} t/T)      on B-C,

where both terms are of one order. On C the model starts from f = 0 and the second term is absent.
SYM has no such limit: for ν = 2 its kernel is a linear function of f itself.

Each vertex of the face is a geometric sequence in s: its coefficients obey the recurrence
C_s = -2ν C_{s-1}. It is found on the exact leading coefficients and summed.

Source: Yarotsky, Golikov, Gusev 2026, section 8; the rate contains the factor ν.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.problem import Problem
from pde.closed_form import closed_form
from pde.evolution import Domain, FloatArray, Parameters, Solution, Step
from pde.solver import Solver, cp_model
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["SOLVERS"]

_SOURCE = "Yarotsky, Golikov, Gusev 2026, section 8"


def _order(problem: Problem) -> int:
    model = cp_model(problem)
    if model is None:
        raise InvalidInputError(f"problem {problem.title}: is not a CP model; give one")
    return model.order


def _applies(problem: Problem, regime: str) -> bool:
    model = cp_model(problem)
    return (
        model is not None
        and not model.symmetric
        and model.target == "identity"
        and regime in {"B-C", "C"}
    )


def _formula(order: int, regime: str) -> sympy.Expr:
    import sympy

    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    start = p + p**order * H * sigma2**order if regime == "B-C" else p
    return start / 2 * sympy.exp(-2 * order * H * sigma2 ** (order - 1) * t / T)


def _derive(problem: Problem, regime: str, leading: LeadingSeries) -> Solution:
    order = _order(problem)

    def evaluate(parameters: Parameters, t: FloatArray) -> FloatArray:
        p, H, sigma2 = (parameters[name] for name in ("p", "H", "sigma2"))
        start = float((p + p**order * H * sigma2**order if regime == "B-C" else p) / 2)
        rate = float(2 * order * H * sigma2 ** (order - 1) / parameters["T"])
        with np.errstate(over="ignore"):
            value: FloatArray = start * np.exp(-rate * t)
        return value

    formula = _formula(order, regime)
    return closed_form(
        problem=problem.title,
        regime=regime,
        source=_SOURCE,
        formula=formula,
        derivation=_steps(order, regime, leading),
        evaluate=evaluate,
        domain=lambda parameters: Domain(),
        limits=lambda parameters: (None, 0.0),
        validity="all t",
    )


def _steps(order: int, regime: str, leading: LeadingSeries) -> tuple[Step, ...]:
    start = r"p + p^{\nu} H \sigma^{2\nu}" if regime == "B-C" else "p"
    return (
        Step(
            "Kernel",
            rf"\Theta(0) \to {order} H \sigma^{{{2 * order - 2}}} \cdot \mathrm{{id}}",
            "Among the contractions of the kernel, those with the most H-nodes lead; they are "
            "proportional to the identity.",
        ),
        Step(
            "Ratio of successive coefficients",
            rf"\mathrm{{lead}}(Y_{{s+1}}) = -{2 * order} H \sigma^{{{2 * order - 2}}}\, "
            r"\mathrm{lead}(Y_s)",
            _confirmation(order, leading),
        ),
        Step(
            "Sum",
            rf"\mathbf{{E}}[L] \sim \tfrac12 ({start}) "
            rf"e^{{-{2 * order} H \sigma^{{{2 * order - 2}}} t/T}}",
            "The series of an exponential.",
        ),
    )


def _confirmation(order: int, leading: LeadingSeries) -> str:
    """For which s the ratio holds, from the exact leading coefficients."""
    holds = []
    for s in range(leading.regimes.start, leading.last):
        shifted = {
            tuple(sorted((dict(powers) | _raised(dict(powers), order)).items())): c * -2 * order
            for powers, c in leading[s]
        }
        expected = {tuple(sorted(powers)): c for powers, c in leading[s + 1]}
        if shifted == expected:
            holds.append(s)
    found = ", ".join(map(str, holds)) or "none"
    return f"Found on the exact leading coefficients and confirmed for s = {found}."


def _raised(powers: dict[str, int], order: int) -> dict[str, int]:
    return {
        "H": powers.get("H", 0) + 1,
        "sigma2": powers.get("sigma2", 0) + order - 1,
    }


SOLVERS = (
    Solver(
        title="ASYM: the neural tangent kernel", source=_SOURCE, applies=_applies, derive=_derive
    ),
)
