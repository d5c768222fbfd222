r"""Formulas in LaTeX, with variances as squares of standard deviations.

>>> H, sigma2 = sympy.Symbol("H"), sympy.Symbol("sigma2", positive=True)
>>> formula_latex(H * sigma2**2)
'H \\sigma^{4}'

Source: ours.
"""

from __future__ import annotations

import sympy

from expansion.polynomial import square_root, symbol_latex

__all__ = ["formula_latex"]


def formula_latex(formula: sympy.Expr) -> str:
    """A formula in LaTeX, without delimiters.

    A symbol such as ``sigma2`` or ``sigma2_data`` is the square of ``sigma`` or ``sigma_data``;
    other names are written as `expansion.polynomial.symbol_latex` writes them.

    Parameters
    ----------
    formula : sympy.Expr
    """
    squares, names = {}, {}
    for old in formula.free_symbols:
        root = square_root(old.name)
        if root is not None:
            deviation = sympy.Symbol(root, positive=True)
            squares[old] = deviation**2
            names[deviation] = symbol_latex(deviation.name)
        else:
            names[old] = symbol_latex(old.name)
    return str(sympy.latex(formula.subs(squares), symbol_names=names))
