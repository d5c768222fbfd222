"""The band around a loss curve, for a paper.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagflow.latex.solutions import certificate_latex, scientific
from pde.evolution import Solution
from pde.formula_latex import formula_latex

__all__ = ["band_latex"]


def band_latex(
    times: Sequence[float],
    losses: Sequence[float],
    band: Sequence[float | None],
    variance: Solution | None = None,
) -> str:
    r"""How far one run is from the mean: what is known of the variance, and a table.

    Parameters
    ----------
    times, losses : sequence of float
    band : sequence of float or None
        The standard deviation of one run; None where it is not known.
    variance : Solution, optional
        What it is the root of.

    Examples
    --------
    >>> print(band_latex([0.0], [32.0], [1e-5]).splitlines()[4])
    0 & 32 & 1 \cdot 10^{-5} \\
    """
    parts = [
        "\\paragraph{Band.} One run differs from the mean by about "
        "$\\Delta L = (\\operatorname{Var} L)^{1/2}$, to leading order."
    ]
    if variance is not None:
        short = variance.short_formula()
        if short is not None:
            shown = f"\\operatorname{{Var}}[L(t)] \\sim {formula_latex(short.formula)}"
            parts.append("\\[\n" + ",\\quad ".join([shown, *short.equations]) + "\n\\]")
        parts.append(
            f"For the variance: {certificate_latex(variance.certificate)}"
            if variance.certificate.compared
            else "The variance is resummed from its exact leading coefficients."
        )
    rows = [
        f"{scientific(f'{t:.8g}')} & {scientific(f'{loss:.8g}')} & "
        f"{'--' if apart is None else scientific(f'{apart:.4g}')} \\\\"
        for t, loss, apart in zip(times, losses, band, strict=True)
    ]
    return "\n".join(
        [
            *parts,
            "\\begin{center}\n\\(\\begin{array}{rrr}",
            "t & \\mathbb{E}[L] & \\Delta L \\\\ \\hline",
            *rows,
            "\\end{array}\\)\n\\end{center}\n",
        ]
    )
