r"""The Hadamard product of two generating functions, by residues.

The product of Σ a_n z^n and Σ b_n z^n term by term is

    (A ⊙ B)(z) = Σ a_n b_n z^n = (1/2πi) ∮ A(ζ) B(z/ζ) dζ/ζ

over a circle on which both series converge. If B is a rational function without a pole at 0 the
circle contains the poles of B(z/ζ), which tend to 0 with z: each pole w of B gives one at ζ = z/w,
and a polynomial part of B, whose pole is at ζ = 0, gives single terms a_n b_n z^n.

>>> z = sympy.Symbol("z")
>>> sympy.factor(hadamard_product(1 / (1 - z), 1 / (1 - 3 * z), z))
-1/(3*z - 1)
>>> hadamard_product(sympy.exp(z), z**3 + 1, z)
z**3/6 + 1

Source: Yarotsky, Golikov, Gusev 2026, section 9, for one product; J. Hadamard, Acta Math. 22 (1899)
55, for the integral.
"""

from __future__ import annotations

import sympy

from diagrams.errors import InvalidInputError

__all__ = ["hadamard_product"]


def hadamard_product(A: sympy.Expr, B: sympy.Expr, z: sympy.Symbol) -> sympy.Expr:
    """The function whose coefficients of z^n are the products of those of two functions.

    Parameters
    ----------
    A : sympy.Expr
        A function of z, analytic at 0, and of parameters.
    B : sympy.Expr
        A rational function of z without a pole at 0; its other symbols are parameters.

    Raises
    ------
    InvalidInputError
        If B is not rational in z, has a pole at 0, or its poles cannot be written down.

    Examples
    --------
    Products of squares and a geometric series with parameters:

    >>> x, y, z = sympy.symbols("x y z")
    >>> product = hadamard_product(1 / (1 - x * z), 1 / (1 - y * z) ** 2, z)
    >>> sympy.simplify(product - 1 / (1 - x * y * z) ** 2)
    0
    """
    numerator, denominator = sympy.fraction(sympy.together(B))
    if not (numerator.is_polynomial(z) and denominator.is_polynomial(z)):
        raise InvalidInputError(
            f"Hadamard product with {B}: is not a rational function of {z}; exchange the factors"
        )
    common = sympy.cancel(numerator / denominator)
    numerator, denominator = sympy.fraction(sympy.together(common))
    if sympy.expand(denominator.subs(z, 0)) == 0:
        raise InvalidInputError(
            f"Hadamard product with {B}: has a pole at {z} = 0; a power series has none"
        )
    whole, rest = sympy.div(sympy.Poly(numerator, z), sympy.Poly(denominator, z))
    total = _single_terms(A, whole, z)
    if rest.is_zero:
        return total
    poles = sympy.roots(sympy.Poly(denominator, z))
    if sum(poles.values()) < sympy.degree(denominator, z):
        raise InvalidInputError(
            f"Hadamard product with {B}: the poles of its denominator cannot be written down; give "
            "a denominator whose roots can"
        )
    proper = rest.as_expr() / denominator
    for pole, order in poles.items():
        total += _residue(A, proper, z, pole, order)
    return total


def _single_terms(A: sympy.Expr, whole: sympy.Poly, z: sympy.Symbol) -> sympy.Expr:
    """The terms a_n b_n z^n for a polynomial B."""
    if whole.is_zero:
        return sympy.Integer(0)
    series = sympy.series(A, z, 0, whole.degree() + 1).removeO()
    return sum(
        (series.coeff(z, n) * b * z**n for (n,), b in whole.terms()),
        start=sympy.Integer(0),
    )


def _residue(
    A: sympy.Expr, B: sympy.Expr, z: sympy.Symbol, pole: sympy.Expr, order: int
) -> sympy.Expr:
    """The residue of A(ζ) B(z/ζ)/ζ at ζ = z/pole."""
    zeta = sympy.Dummy("zeta")
    place = z / pole
    regular = sympy.cancel(sympy.together(B.subs(z, z / zeta) * (zeta - place) ** order / zeta))
    derivative = sympy.diff(A.subs(z, zeta) * regular, zeta, order - 1)
    return derivative.subs(zeta, place) / sympy.factorial(order - 1)
