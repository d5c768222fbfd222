r"""The Hadamard product of two generating functions, by residues.

The product of Σ a_n z^n and Σ b_n z^n term by term is

    (A ⊙ B)(z) = Σ a_n b_n z^n = (1/2πi) ∮ A(ζ) B(z/ζ) dζ/ζ

over a circle on which both series converge. If B is a rational function without a pole at 0 the
circle contains the poles of B(z/ζ), which tend to 0 with z: each pole w of B gives one at ζ = z/w,
and a polynomial part of B, whose pole is at ζ = 0, gives single terms a_n b_n z^n. The principal
part of B at w is computed in the field that w generates, so that no root is simplified; a sum over
the roots of an irreducible polynomial that are not written down stays a sum over these roots.

If A is rational too, so is the product. Its poles are the products of those of A and B, the roots
of a resultant, and its numerator follows from its first coefficients: no root appears at all.

What is returned has been compared with the products of the coefficients: exactly if it is
rational, and else at exact numbers for the parameters, with `pde.sampled_taylor`.

>>> z = sympy.Symbol("z")
>>> sympy.factor(hadamard_product(1 / (1 - z), 1 / (1 - 3 * z), z))
-1/(3*z - 1)
>>> hadamard_product(sympy.exp(z), z**3 + 1, z)
z**3/6 + 1
>>> hadamard_product(1 / (1 - z), 1 / (1 - z - z**2), z)
-1/(z**2 + z - 1)

Source: Yarotsky, Golikov, Gusev 2026, section 9, for one product; J. Hadamard, Acta Math. 22 (1899)
55, for the integral.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy.polys.polyerrors import BasePolynomialError

from diagrams.errors import InvalidInputError
from pde.rational_series import rational_hadamard, rational_taylor
from pde.sampled_taylor import NotAnalyticError, circle_taylor, differs, exact_points, termwise

__all__ = ["hadamard_product"]

_LEAST_COMPARED = 8
"""Coefficients that are compared at least."""


def hadamard_product(A: sympy.Expr, B: sympy.Expr, z: sympy.Symbol) -> sympy.Expr:
    """The function whose coefficients of z^n are the products of those of two functions.

    Parameters
    ----------
    A : sympy.Expr
        A function of z, analytic at 0, and of parameters.
    B : sympy.Expr
        A rational function of z without a pole at 0; its other symbols are parameters.

    Returns
    -------
    sympy.Expr
        A rational function if A is one. Otherwise the poles of B appear in it; those that are not
        written down as a `sympy.RootSum`.

    Raises
    ------
    InvalidInputError
        If B is not rational in z, has a pole at 0 or numbers that are not exact, if A is not
        analytic at 0, or if the Taylor coefficients of the result are not the products.

    Examples
    --------
    Products of squares and a geometric series with parameters:

    >>> x, y, z = sympy.symbols("x y z")
    >>> product = hadamard_product(1 / (1 - x * z), 1 / (1 - y * z) ** 2, z)
    >>> sympy.simplify(product - 1 / (1 - x * y * z) ** 2)
    0
    """
    top, bottom = _quotient(B, z)
    if not (top.is_polynomial(z) and bottom.is_polynomial(z)):
        raise InvalidInputError(
            f"Hadamard product with {B}: is not a rational function of {z}; exchange the factors"
        )
    if sympy.expand(bottom.subs(z, 0)) == 0:
        raise InvalidInputError(
            f"Hadamard product with {B}: has a pole at {z} = 0; a power series has none"
        )
    if (A * B).has(sympy.Float, sympy.nan, sympy.zoo, sympy.oo):
        raise InvalidInputError(
            f"Hadamard product of {A} and {B}: its numbers are not exact; give rational numbers"
        )
    numerator, denominator = _quotient(A, z)
    if numerator.is_polynomial(z) and denominator.is_polynomial(z):
        if sympy.expand(denominator.subs(z, 0)) == 0:
            raise InvalidInputError(
                f"Hadamard product with {A}: has a pole at {z} = 0; a power series has none"
            )
        found = rational_hadamard((numerator, denominator), (top, bottom), z)
        if found is not None:
            return found
    return _by_residues(A, sympy.Poly(top, z), sympy.Poly(bottom, z), z)


def _quotient(function: sympy.Expr, z: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """Numerator and denominator, in lowest terms if the function is rational."""
    top, bottom = sympy.fraction(sympy.together(function))
    if top.is_polynomial(z) and bottom.is_polynomial(z):
        top, bottom = sympy.fraction(sympy.together(sympy.cancel(top / bottom)))
    return top, bottom


def _by_residues(A: sympy.Expr, top: sympy.Poly, bottom: sympy.Poly, z: sympy.Symbol) -> sympy.Expr:
    """The product with any A, from the poles of B."""
    number = max(_LEAST_COMPARED, bottom.degree() + max(top.degree() - bottom.degree(), 0) + 3)
    B = top.as_expr() / bottom.as_expr()
    symbols = sorted((A.free_symbols | B.free_symbols) - {z}, key=str)
    whole, rest = sympy.div(top, bottom)
    try:
        # Before anything else: without coefficients there is no product.
        checks = [
            (at, circle_taylor(A, z, number, at), rational_taylor(B.subs(at), z, number))
            for at in exact_points(symbols, number=2 if symbols else 1)
        ]
        total = _single_terms(A, whole, z)
        if not rest.is_zero:
            total += sympy.Add(*_parts(A, rest.as_expr(), bottom, z))
        wrong = [
            differs(circle_taylor(total, z, number, at), termwise(of_A, of_B))
            for at, of_A, of_B in checks
        ]
    except NotAnalyticError as error:
        raise InvalidInputError(
            f"Hadamard product of {A} and {B}: its Taylor coefficients at {z} = 0 cannot be "
            f"compared ({error}); give functions that are analytic there"
        ) from None
    except BasePolynomialError as error:
        raise InvalidInputError(
            f"Hadamard product of {A} and {B}: their numbers make no field ({error}); "
            "write roots of parameters as parameters of their own"
        ) from None
    failed = next((n for n in wrong if n is not None), None)
    if failed is not None:
        raise InvalidInputError(
            f"Hadamard product of {A} and {B}: the candidate has a wrong coefficient of {z}^"
            f"{failed}; multiply the coefficients one by one"
        )
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


def _parts(
    A: sympy.Expr, top: sympy.Expr, bottom: sympy.Poly, z: sympy.Symbol
) -> Iterator[sympy.Expr]:
    """What each irreducible factor of the denominator of B gives."""
    w = sympy.Dummy("w")
    for factor, order in _factors(bottom):
        other = sympy.cancel(bottom.as_expr() / factor.as_expr() ** order)
        modulus = factor.as_expr().subs(z, w)
        cofactor = sympy.cancel((factor.as_expr() - modulus) / (z - w))
        principal = [
            _reduced(part, modulus, w)
            for part in _taylor_at(top / (other * cofactor**order), z, w, order)
        ]
        term = sympy.Add(
            *(
                c * (-w) ** (i - order) * _weighted(A, z, order - i).subs(z, z / w)
                for i, c in enumerate(principal)
            )
        )
        roots = _written_down(factor)
        if roots is None:
            yield sympy.RootSum(modulus, sympy.Lambda(w, term), w, auto=False)
        else:
            yield sympy.Add(*(term.subs(w, root) for root in roots))


def _factors(bottom: sympy.Poly) -> list[tuple[sympy.Poly, int]]:
    """Irreducible factors over the field of the coefficients, or one for each explicit root."""
    try:
        return list(sympy.Poly(bottom, extension=True).factor_list()[1])
    except BasePolynomialError:
        pass
    roots = sympy.roots(bottom)
    if sum(roots.values()) < bottom.degree():
        raise InvalidInputError(
            f"denominator {bottom.as_expr()}: its poles cannot be written down; give one whose "
            "roots can"
        )
    return [(sympy.Poly(bottom.gen - root, bottom.gen), n) for root, n in roots.items()]


def _taylor_at(
    function: sympy.Expr, z: sympy.Symbol, w: sympy.Symbol, number: int
) -> list[sympy.Expr]:
    """The first Taylor coefficients at z = w."""
    return [sympy.diff(function, z, i).subs(z, w) / sympy.factorial(i) for i in range(number)]


def _reduced(element: sympy.Expr, modulus: sympy.Expr, w: sympy.Symbol) -> sympy.Expr:
    """An element of the field that a root w of an irreducible polynomial generates.

    As a polynomial in w it has no denominator that could vanish unnoticed.
    """
    top, bottom = sympy.fraction(sympy.together(element))
    if sympy.degree(modulus, w) == 1:
        (root,) = sympy.roots(sympy.Poly(modulus, w))
        return sympy.cancel(sympy.together((top / bottom).subs(w, root)))
    q = sympy.Poly(modulus, w, field=True)
    inverse = sympy.invert(sympy.Poly(bottom, w, field=True).rem(q), q)
    return (sympy.Poly(top, w, field=True) * inverse).rem(q).as_expr()


def _weighted(A: sympy.Expr, z: sympy.Symbol, order: int) -> sympy.Expr:
    """Σ binomial(n + order - 1, order - 1) a_n z^n, from 1/(1 - z)^order."""
    return sympy.diff(z ** (order - 1) * A, z, order - 1) / sympy.factorial(order - 1)


def _written_down(factor: sympy.Poly) -> list[sympy.Expr] | None:
    """The roots of a linear, quadratic or binomial polynomial, None for others."""
    if factor.degree() > 2 and len(factor.terms()) > 2:
        return None
    roots = sympy.roots(factor)
    return list(roots) if sum(roots.values()) == factor.degree() else None
