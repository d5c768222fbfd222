"""Polynomials of FLINT whose generators have names.

A polynomial with many thousand terms is handed from the engine to the exact algebra as it is: made
into terms with monomials and fractions it would cost many times what it cost to find.

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import flint

__all__ = ["NamedPolynomial", "generic_context", "integer_context"]


@lru_cache(maxsize=256)
def generic_context(count: int) -> flint.fmpq_mpoly_ctx:
    """The context of polynomials in so many generators; without any it has one all the same.

    FLINT never sees the names of symbols, of which some would be no names to it.
    """
    return flint.fmpq_mpoly_ctx.get(_generic(count), flint.Ordering.lex)


@lru_cache(maxsize=256)
def integer_context(count: int) -> flint.fmpz_mpoly_ctx:
    """The same for polynomials with integer coefficients."""
    return flint.fmpz_mpoly_ctx.get(_generic(count), flint.Ordering.lex)


def _generic(count: int) -> tuple[str, ...]:
    return tuple([f"x{number}" for number in range(count)] or ["x0"])


@dataclass(frozen=True, slots=True)
class NamedPolynomial:
    """A polynomial with rational coefficients.

    Parameters
    ----------
    names : tuple of str
        Those of the generators, sorted; not all of them need occur.
    poly : flint.fmpq_mpoly
        In the `generic_context` of so many generators.

    Examples
    --------
    >>> x, y = generic_context(2).gens()
    >>> NamedPolynomial(("H", "p"), 2 * x * y).scaled(Fraction(1, 4))
    NamedPolynomial(names=('H', 'p'), poly=1/2*x0*x1)
    """

    names: tuple[str, ...]
    poly: flint.fmpq_mpoly

    @classmethod
    def of_integers(cls, names: tuple[str, ...], poly: flint.fmpz_mpoly) -> NamedPolynomial:
        """The value of a polynomial in the `integer_context` of so many generators."""
        return cls(names, flint.fmpq_mpoly(poly, generic_context(len(names))))

    def scaled(self, factor: Fraction) -> NamedPolynomial:
        """The polynomial times a number."""
        exact = flint.fmpq(factor.numerator, factor.denominator)
        return NamedPolynomial(self.names, self.poly * exact)
