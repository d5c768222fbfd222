"""Solutions: derivation step by step, formula, domain, certificate.

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import sympy

from diagflow.latex.prose import prose
from diagflow.show.sources import source_text
from pde.evolution import Certificate, DerivationStep, LossEvolution, Origin, Solution
from pde.formula_latex import formula_latex
from pde.short_formula import ShortFormula

__all__ = [
    "UNDECIDED_LATEX",
    "certificate_latex",
    "displayed",
    "evolution_latex",
    "left_out_latex",
    "orders_latex",
    "result_latex",
    "scientific",
    "solution_latex",
    "step_latex",
]

UNDECIDED_LATEX = (
    "The known coefficients do not tell whether this is a regime for all $s$; other terms may lead "
    "later."
)
"""What is said of the solution of a regime that the map calls undecided."""

Display = Callable[[str], str]


def displayed(formula: str) -> str:
    """A formula on a line of its own."""
    return f"\\[\n{formula}\n\\]"


def step_latex(step: DerivationStep, *, display: Display = displayed) -> str:
    """One step of a derivation: its title, what supports it, its result."""
    heading = f"\\paragraph{{{prose(step.title)}.}}"
    words = f" {prose(step.text)}" if step.text else ""
    return f"{heading}{words}\n{display(step.latex)}\n"


def solution_latex(solution: Solution, *, display: Display = displayed) -> str:
    """The derivation of a solution, its formula, its domain and its certificate.

    Parameters
    ----------
    solution : Solution
    display : callable, optional
        Sets a formula on a line of its own.
    """
    parts = [f"% {solution.problem}, regime {solution.regime}\n"]
    parts += [step_latex(step, display=display) for step in solution.derivation]
    short = solution.short_formula()
    if short is not None:
        parts.append(f"\\paragraph{{Result.}}\n{result_latex(short, display=display)}\n")
    parts.append(f"\\paragraph{{Validity.}} It holds for {prose(solution.validity)}.\n")
    parts.append(f"\\paragraph{{Certificate.}} {_certified(solution)}\n")
    if not solution.decided:
        parts.append(f"\\paragraph{{Undecided.}} {UNDECIDED_LATEX}\n")
    parts.append(f"\\paragraph{{Source.}} {prose(source_text(solution.source))}.\n")
    return "".join(parts)


def result_latex(short: ShortFormula, *, display: Display = displayed) -> str:
    """What the scaled variables and the letters stand for, and the formula in them.

    Parameters
    ----------
    short : ShortFormula
    display : callable, optional
        Sets a formula on a line of its own.
    """
    # In line, so that TeX finds the breaks between the parts.
    named = ", ".join(f"${row}$" for row in short.equations)
    formula = display(f"\\mathbb{{E}}[L(t)] \\sim {formula_latex(short.formula)}")
    return f"With {named},\n{formula}" if named else formula


def evolution_latex(evolution: LossEvolution) -> str:
    """The solution with the numbers at which it is evaluated."""
    values = ", ".join(
        f"${formula_latex(sympy.Symbol(name))} = {float(value):g}$"
        for name, value in evolution.parameters.items()
    )
    text = solution_latex(evolution.solution)
    extra = f"\\paragraph{{Numbers.}} {scientific(values)}.\n"
    if evolution.error_estimate is not None:
        error = scientific(f"${evolution.error_estimate:.2g}$")
        extra += f"\\paragraph{{Estimated error.}} {error}.\n"
    return text + extra


def _certified(solution: Solution) -> str:
    if solution.origin is Origin.RESUMMED:
        return "None: the curve is made of the exact coefficients, and its error is estimated."
    return certificate_latex(solution.certificate)


def certificate_latex(certificate: Certificate) -> str:
    r"""The certificate in a sentence.

    Examples
    --------
    >>> print(certificate_latex(Certificate((0, 1, 2), (0, 1, 2))))
    The Taylor coefficients equal the exact leading coefficients for $s = 0, \dots, 2$.
    """
    if not certificate.compared:
        return "Nothing was compared."
    if certificate.holds:
        matched = orders_latex(certificate.matched)
        return (
            f"The Taylor coefficients equal the exact leading coefficients for $s = {matched}$."
            f"{left_out_latex(certificate)}"
        )
    failed = sorted({*certificate.compared} - {*certificate.matched})
    return (
        "\\textbf{The Taylor coefficients differ from the exact leading coefficients} for "
        f"$s = {orders_latex(failed)}$."
    )


def left_out_latex(certificate: Certificate) -> str:
    r"""Which leading coefficients the solution does not contain, as a further sentence, or nothing.

    Examples
    --------
    >>> left_out_latex(Certificate((0,), (0,)))
    ''
    >>> print(left_out_latex(Certificate((1, 3), (1, 3), (0, 2))).strip())
    Those for $s = 0, 2$ are of lower order than the dynamics and left out.
    """
    if not certificate.left_out:
        return ""
    orders = orders_latex(certificate.left_out)
    return f" Those for $s = {orders}$ are of lower order than the dynamics and left out."


def orders_latex(orders: Sequence[int]) -> str:
    """Some orders s, a run of them by its ends."""
    if len(orders) > 2 and list(orders) == list(range(orders[0], orders[-1] + 1)):
        return f"{orders[0]}, \\dots, {orders[-1]}"
    return ", ".join(map(str, orders))


_EXPONENT = re.compile(r"(\d)e([+-]?)0*(\d+)")


def scientific(text: str) -> str:
    r"""Powers of ten in place of the letter e.

    Examples
    --------
    >>> print(scientific("2e-05"))
    2 \cdot 10^{-5}
    """
    return _EXPONENT.sub(
        lambda match: f"{match[1]} \\cdot 10^{{{match[2].rstrip('+')}{match[3]}}}", text
    )
