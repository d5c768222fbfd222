r"""Power series of rational functions over any exact field, and their products term by term.

The coefficients of P/Q follow from those of P by the recurrence whose characteristic polynomial is
Q. The product term by term of two such series is again one: with the irreducible factors f^m of one
denominator and g^k of the other its denominator divides

    Π R(f, g)^{m+k-1},      R(f, g)(z) = Res_w(f(w), w^{deg g} g(z/w)),

whose roots are the products of a root of f and one of g. The numerator follows from the first
coefficients, and the next ones have to agree. No root is computed.

>>> z = sympy.Symbol("z")
>>> rational_taylor(1 / (1 - z - z**2), z, 6)
[1, 1, 2, 3, 5, 8]
>>> fibonacci = (sympy.Integer(1), 1 - z - z**2)
>>> rational_hadamard(fibonacci, fibonacci, z)
(1 - z)/(z**3 - 2*z**2 - 2*z + 1)

Source: R. P. Stanley, Enumerative Combinatorics 1, proposition 4.2.5, for the denominator.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import sympy
from sympy.polys.polyerrors import BasePolynomialError

from diagrams.errors import InvalidInputError

__all__ = ["Quotient", "rational_hadamard", "rational_taylor"]

Quotient = tuple[sympy.Expr, sympy.Expr]

_EXTRA = 6
"""Coefficients beyond those that determine the numerator, which have to agree."""


def rational_taylor(function: sympy.Expr, z: sympy.Symbol, number: int) -> list[sympy.Expr]:
    """The first coefficients of a rational function without a pole at 0.

    Parameters
    ----------
    function : sympy.Expr
        A rational function of z over the rationals, parameters, or algebraic numbers.
    z : sympy.Symbol
    number : int
        How many coefficients.
    """
    top, bottom = sympy.fraction(sympy.together(function))
    polynomials, _ = sympy.parallel_poly_from_expr([top, bottom], z, extension=True, field=True)
    field = polynomials[0].get_domain()
    return [field.to_sympy(c) for c in _expanded(polynomials[0], polynomials[1], number)]


def rational_hadamard(a: Quotient, b: Quotient, z: sympy.Symbol) -> sympy.Expr | None:
    """The product term by term of two rational functions, in lowest terms.

    Parameters
    ----------
    a, b : (numerator, denominator)
        Polynomials in z; the denominators do not vanish at 0.
    z : sympy.Symbol

    Returns
    -------
    sympy.Expr or None
        None if the numbers and parameters make no field in which sums are recognised as zero.

    Raises
    ------
    InvalidInputError
        If the result has not the coefficients that it should have.
    """
    polynomials, _ = sympy.parallel_poly_from_expr([*a, *b], z, extension=True, field=True)
    field = polynomials[0].get_domain()
    if field.is_EX or not field.is_Exact:
        return None
    (P, Q), (R, S) = polynomials[:2], polynomials[2:]
    try:
        bottom = _denominator(Q, S, z)
    except BasePolynomialError:
        return None
    excess = max(P.degree() - Q.degree(), R.degree() - S.degree(), -1)
    size = int(bottom.degree()) + max(excess, -1) + 1
    products = [
        x * y
        for x, y in zip(_expanded(P, Q, size + _EXTRA), _expanded(R, S, size + _EXTRA), strict=True)
    ]
    below = list(reversed(bottom.rep.to_list()))
    top = [
        sum((below[k] * products[n - k] for k in range(min(n + 1, len(below)))), field.zero)
        for n in range(size + _EXTRA)
    ]
    numerator = sympy.Poly.from_list(list(reversed(top[:size])) or [0], z, domain=field)
    up, down = numerator.cancel(bottom, include=True)
    if any(top[size:]) or _expanded(up, down, size + _EXTRA) != products:
        raise InvalidInputError(
            f"Hadamard product of {a[0] / a[1]} and {b[0] / b[1]}: the candidate does not have the "
            "products as coefficients; multiply them one by one"
        )
    return sympy.cancel(up.as_expr() / down.as_expr())


def _denominator(Q: sympy.Poly, S: sympy.Poly, z: sympy.Symbol) -> sympy.Poly:
    """A polynomial with every product of a root of Q and one of S, often enough."""
    total = sympy.Poly(1, z, domain=Q.get_domain())
    w = sympy.Dummy("w")
    for (f, m), (g, k) in product(Q.factor_list()[1], S.factor_list()[1]):
        (degree,) = g.degree_list()
        turned = sum(c * z**n * w ** (degree - n) for (n,), c in g.terms())
        resultant = sympy.resultant(f.as_expr().subs(z, w), turned, w)
        total *= sympy.Poly(resultant, z, domain=Q.get_domain()) ** (m + k - 1)
    return total


def _expanded(P: sympy.Poly, Q: sympy.Poly, number: int) -> list[Any]:
    """The first coefficients of P/Q, as elements of the field."""
    field = P.get_domain()
    above, below = (list(reversed(poly.rep.to_list())) for poly in (P, Q))
    result: list[Any] = []
    for n in range(number):
        rest = above[n] if n < len(above) else field.zero
        for k in range(1, min(n + 1, len(below))):
            rest -= below[k] * result[n - k]
        result.append(rest / below[0])
    return result
