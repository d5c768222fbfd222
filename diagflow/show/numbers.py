"""Numbers and parameters as text.

>>> values_line({"p": Fraction(512), "sigma2": Fraction(1, 50_000)})
'p = 512, sigma2 = 2e-05'
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite

from diagrams.arguments import number_text

__all__ = ["number", "values_line"]


def values_line(at: Mapping[str, Fraction]) -> str:
    """Names and values, ``p = 512, sigma2 = 2e-05``."""
    return ", ".join(f"{name} = {number_text(value)}" for name, value in at.items())


def number(value: float, form: str) -> str:
    """A formatted number, or a dash where there is none."""
    return format(float(value), form) if isfinite(value) else "-"
