r"""Rational numbers in LaTeX.

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["number_latex"]


def number_latex(value: Fraction) -> str:
    r"""A rational number, the sign in front of the fraction.

    Examples
    --------
    >>> print(number_latex(Fraction(-1, 2)))
    -\frac{1}{2}
    """
    if value.denominator == 1:
        return str(value)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
