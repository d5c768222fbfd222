"""Rational numbers of Python as those of FLINT, and back.

>>> as_fraction(as_fmpq(Fraction(2, 6)) ** 2)
Fraction(1, 9)

Source: ours.
"""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq

__all__ = ["as_fmpq", "as_fraction"]


def as_fmpq(value: Fraction) -> fmpq:
    """The same number for FLINT."""
    return fmpq(value.numerator, value.denominator)


def as_fraction(value: fmpq) -> Fraction:
    """The same number for Python."""
    return Fraction(int(value.p), int(value.q))
