r"""How the formulas of SYM of order 2 are derived: merging, contraction, and their product.

The diagrams of Y_s are cycles of m + 1 pairs of weights, m = 0, ..., s + 1. With M_{s,m} their
coefficients, (-1)^s included, and N_{m,n} the number of optimal contractions of a cycle with n
nodes of the axis H (z = p σ², y = H/p),

    E[L] ~ p/2 + p²σ² Σ_m f_m(τ) h_m(y) z^m,   f_m = Σ_s M_{s,m} τ^s/s!,   h_m = Σ_n N_{m,n} y^n,

a Hadamard product in z. Both factors are derived from enumerated diagrams: a recurrence of
M_{s,m}/s! is found, made a differential equation, and solved along characteristics; an algebraic
equation of h is found and solved. A face keeps a part of the two arrays, the rest is the same.

>>> steps = derivation("E-A", None)
>>> [step.title for step in steps][:3]
['Merging', 'Recurrence of merging', 'Differential equation']

Source: Yarotsky, Golikov, Gusev 2026, section 9, for the triangle; its faces as parts of the arrays
are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING, Literal

from diagrams.errors import InvalidInputError
from diagrams.wick import expectation
from expansion.models import cp
from expansion.series import LossSeries
from pde.characteristics.characteristics import solve_symbolically
from pde.evolution import DerivationStep
from pde.formula_latex import formula_latex
from pde.recurrences.equation import FirstOrderPDE
from pde.recurrences.recurrence import Index
from pde.recurrences.search import FoundRecurrence, find_recurrence
from pde.taylor import symbol

if TYPE_CHECKING:
    import sympy

__all__ = ["contraction_numbers", "derivation", "merging_numbers"]

LAST = 7
"""The largest s whose diagrams are enumerated for a derivation."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a face keeps of the arrays M and N.

    ``cycles`` are all, those of the largest m = s + 1, or those of the smallest, m = 0.
    """

    cycles: Literal["all", "longest", "shortest"]
    contractions: Callable[[int, int], bool]
    meaning: str


def _every(_m: int, _n: int) -> bool:
    return True


def _one(_m: int, n: int) -> bool:
    return n == 1


def _most(m: int, n: int) -> bool:
    return n == m + 1


_PARTS = {
    "A-B-E": _Part("all", _every, "all cycles, and all their optimal contractions"),
    "A-B": _Part("longest", _every, "the longest cycles, so that the target drops out"),
    "B-E": _Part("all", _most, "all cycles, and the contractions with the most H-nodes"),
    "E-A": _Part("all", _one, "all cycles, and the contractions with one H-node"),
    "E": _Part("shortest", _one, "the shortest cycle"),
    "A": _Part("longest", _one, "the longest cycles with one H-node"),
    "B": _Part("longest", _most, "the longest cycles with the most H-nodes"),
}


@lru_cache(maxsize=4)
def merging_numbers(last: int) -> dict[Index, Fraction]:
    """M_{s,m} for s = 0, ..., last, from the enumerated diagrams.

    Examples
    --------
    >>> numbers = merging_numbers(1)
    >>> {index: str(value) for index, value in numbers.items()}
    {(0, 0): '-1', (0, 1): '1/2', (1, 0): '-4', (1, 1): '8', (1, 2): '-4'}
    """
    series = LossSeries(cp(order=2, symmetric=True))
    numbers: dict[Index, Fraction] = {}
    for s in range(last + 1):
        for diagram, coefficient in series.diagrams(s):
            if diagram.factors:
                numbers[s, len(diagram.factors) // 2 - 1] = Fraction(coefficient)
    return dict(sorted(numbers.items()))


@lru_cache(maxsize=4)
def contraction_numbers(last: int) -> dict[Index, Fraction]:
    """N_{m,n} for m = 0, ..., last, from the contracted cycles.

    Examples
    --------
    The Narayana numbers:

    >>> {index: int(value) for index, value in contraction_numbers(2).items()}
    {(0, 1): 1, (1, 1): 1, (1, 2): 1, (2, 1): 1, (2, 2): 3, (2, 3): 1}
    """
    series = LossSeries(cp(order=2, symmetric=True))
    numbers: dict[Index, Fraction] = {}
    for diagram, _ in series.diagrams(max(last - 1, 0)):
        m = len(diagram.factors) // 2 - 1
        if not 0 <= m <= last:
            continue
        for powers, value in expectation(diagram).items():
            table = dict(powers)
            if table["p"] + table["H"] == m + 2:
                numbers[m, table["H"]] = value
    return dict(sorted(numbers.items()))


@lru_cache(maxsize=16)
def derivation(regime: str, formula: sympy.Expr | None) -> tuple[DerivationStep, ...]:
    """The steps from diagrams to the formula of a face.

    Parameters
    ----------
    regime : str
        Name of the face.
    formula : sympy.Expr or None
        The formula to compare the result with, in the symbols of `pde.taylor.symbol`; None to stop
        before.

    Raises
    ------
    InvalidInputError
        If the result and the formula differ.
    """
    import sympy

    from pde.recurrences.algebraic import find_algebraic_equation
    from pde.recurrences.hadamard import hadamard_product

    part = _PARTS[regime]
    tau = sympy.Symbol("tau", real=True)
    z, y = sympy.Symbol("z", positive=True), sympy.Symbol("y", positive=True)
    rule, equation, f, verified = _merged(part.cycles, tau, z)
    counted = find_algebraic_equation(
        {(m, n): N for (m, n), N in contraction_numbers(LAST).items() if part.contractions(m, n)},
        variables=("z", "y"),
    )
    h = counted.branch().subs(dict(zip(counted.variables, (z, y), strict=True)))
    steps = [
        DerivationStep(
            "Merging",
            r"\tfrac{d^s}{d\tau^s}\left(\tfrac12 D - R\right) = \sum_m M_{s,m}\,"
            r"\mathrm{cycle}_{2(m+1)}",
            f"Every diagram is a cycle; kept are {part.meaning}.",
        ),
        DerivationStep(
            "Recurrence of merging",
            rule.recurrence.latex(),
            f"C = M/s!; found by {len(rule.fitted.checked)} equations of enumerated coefficients "
            f"and confirmed by {len(rule.held_out.checked)} others.",
        ),
        DerivationStep("Differential equation", equation.latex("g"), _GENERATING[part.cycles]),
        DerivationStep(
            "Characteristics",
            f"f = {formula_latex(f)}",
            f"Its value at τ = 0 is {f.subs(tau, 0)}; it satisfies the equation {verified}.",
        ),
        DerivationStep(
            "Contraction",
            f"{formula_latex(counted.equation)} = 0,\\qquad h = {formula_latex(h)}",
            "Optimal contractions of a cycle are non-crossing; the equation of their generating "
            f"function is found by {counted.fitted} coefficients and confirmed by "
            f"{counted.held_out} others.",
        ),
    ]
    if formula is None:
        return tuple(steps)
    product = hadamard_product(h, f, z).subs(_in_sizes(tau, z, y))
    return (*steps, _hadamard_step(regime, product, formula))


def _in_sizes(tau: sympy.Symbol, z: sympy.Symbol, y: sympy.Symbol) -> dict[sympy.Expr, sympy.Expr]:
    """The scaled variables in sizes, variance and time."""
    p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))
    return {tau: t / T, z: p * sigma2, y: H / p}


def _hadamard_step(regime: str, product: sympy.Expr, formula: sympy.Expr) -> DerivationStep:
    """From the product of the two generating functions to the formula, which it has to equal."""
    from pde.characteristics.characteristics import residual_at_random_points

    p, sigma2 = symbol("p"), symbol("sigma2")
    free = regime in {"A", "B", "A-B"}
    loss = (0 if free else p / 2) + p**2 * sigma2 * product
    worst = residual_at_random_points(loss - formula)
    if not worst <= 1e-20:
        raise InvalidInputError(
            f"regime {regime}: the formula differs from the derived one by {float(worst):.1e}; "
            "correct it"
        )
    return DerivationStep(
        "Hadamard product",
        r"\mathbf{E}[L] \sim "
        + ("" if free else r"\frac p2 + ")
        + r"p^2\sigma^2\, (f \odot_z h)(\tau, y, z) = "
        + formula_latex(formula),
        "By the residue at the pole of f, written without cancellation; the two forms agree to "
        "more than 20 digits at random points.",
    )


_GENERATING = {
    "all": "g = f is the sum of C τ^s z^m.",
    "longest": "C = M/s! at m = s + 1, and f = z g(x) with x = z τ.",
    "shortest": "C = M/s! at m = 0, and f = g(τ).",
}


@lru_cache(maxsize=4)
def _merged(
    cycles: Literal["all", "longest", "shortest"], tau: sympy.Symbol, z: sympy.Symbol
) -> tuple[FoundRecurrence, FirstOrderPDE, sympy.Expr, str]:
    """The recurrence of the kept M/s!, its equation, f(τ, z), and how it was verified."""
    import sympy

    numbers: dict[Index, Fraction] = {
        (s, m): M / factorial(s) for (s, m), M in merging_numbers(LAST).items()
    }
    if cycles == "all":
        rule = find_recurrence(numbers, indices=("s", "m"), max_shift=1, max_degree=1)
        equation = FirstOrderPDE.from_recurrence(rule.recurrence, (tau, z))
        start = sum(_rational(value) * z**m for (s, m), value in numbers.items() if s == 0)
        solved = solve_symbolically(equation, start)
        return rule, equation, solved.expression, solved.verified
    line: dict[Index, Fraction] = {
        (s,): value for (s, m), value in numbers.items() if m == (cycles == "longest") * (s + 1)
    }
    rule = find_recurrence(line, indices=("s",), max_shift=1, max_degree=1)
    x = sympy.Symbol("x", real=True)
    equation = FirstOrderPDE.from_recurrence(rule.recurrence, (x,))
    solved = solve_symbolically(equation, _rational(line[0,]))
    if cycles == "shortest":
        return rule, equation, solved.expression.subs(x, tau), solved.verified
    return rule, equation, z * solved.expression.subs(x, z * tau), solved.verified


def _rational(value: Fraction) -> sympy.Rational:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)
