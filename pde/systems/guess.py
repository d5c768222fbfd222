"""Equations of a series, found in its exact coefficients: differential and algebraic ones.

For power series F_1, F_2, ... made of one series h, polynomials P_j with Σ P_j F_j = 0 are found by
linear algebra: with F = (1, h, h', h'', ...) a linear *differential* equation, with
F = (1, h, h², ...) an *algebraic* one. Small boxes of (number of F's, degree of the P's) come
first. Whether a box holds a solution is decided modulo a prime, on all coefficients; it counts only
if there are some more coefficients than unknowns, which confirm it. The solution itself is then
found over the rationals, and confirmed by exact evaluation.

The variable is the time, or x = exp(λτ) - 1 for given rates λ: many losses are algebraic in
exponentials of the time and obey no linear differential equation in it.

>>> from math import comb, factorial
>>> catalan = [Fraction(comb(2 * n, n), n + 1) for n in range(16)]
>>> print(find_equation(catalan))
(1) + (-1)*h + (x)*h^2 = 0, x = τ; 10 more coefficients than unknowns confirm it
>>> decay = [Fraction((-3) ** n, factorial(n)) for n in range(16)]
>>> print(find_equation(decay))
(3)*h + (1)*h' = 0, x = τ; 12 more coefficients than unknowns confirm it

Source: ours. Guessing by Hermite-Padé approximants is classical (B. Salvy, P. Zimmermann, ACM
Trans. Math. Software 20 (1994) 163).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpq_poly, nmod_mat

from diagrams.rationals import as_fmpq
from pde.systems.kernel import kernel

__all__ = ["EquationKind", "FoundEquation", "extended", "find_equation", "in_variable"]

_PRIME = 2**61 - 1

CONFIRMATIONS = 6
"""The fewest coefficients beyond the number of unknowns."""

_MOST_FUNCTIONS = 6


class EquationKind(StrEnum):
    """The parts of an equation."""

    ALGEBRAIC = "algebraic"
    DIFFERENTIAL = "differential"


@dataclass(frozen=True, slots=True)
class FoundEquation:
    """Σ P_j F_j = 0 for F = (1, h, h², ...) or (1, h, h', ...), and what speaks for it.

    Parameters
    ----------
    kind : EquationKind
    polynomials : tuple of flint.fmpq_poly
        P_0, P_1, ...
    rate : Fraction
        λ of x = exp(λτ) - 1; zero for x = τ.
    confirmations : int
        The number of coefficients used beyond that of unknowns.
    """

    kind: EquationKind
    polynomials: tuple[fmpq_poly, ...]
    rate: Fraction
    confirmations: int

    def __str__(self) -> str:
        terms = [
            f"({_text(polynomial)})" + ("*" + name if name else "")
            for name, polynomial in zip(self._names(), self.polynomials, strict=True)
            if polynomial
        ]
        variable = f"exp({self.rate}τ) - 1" if self.rate else "τ"
        return (
            f"{' + '.join(terms)} = 0, x = {variable}; {self.confirmations} more coefficients "
            "than unknowns confirm it"
        )

    def latex(self) -> str:
        """The equation in LaTeX, without delimiters."""
        terms = [
            rf"\left({_latex(polynomial)}\right) {name}"
            for name, polynomial in zip(self._names(latex=True), self.polynomials, strict=True)
            if polynomial
        ]
        variable = rf"e^{{{self.rate}\tau}} - 1" if self.rate else r"\tau"
        return rf"{' + '.join(terms)} = 0,\qquad x = {variable}"

    def _names(self, *, latex: bool = False) -> list[str]:
        number = len(self.polynomials) - 1
        if self.kind is EquationKind.DIFFERENTIAL:
            return ["", *("h" + "'" * k for k in range(number))]
        power = "h^{{{}}}" if latex else "h^{}"
        return ["", *("h" if k == 1 else power.format(k) for k in range(1, number + 1))]


def _text(polynomial: fmpq_poly) -> str:
    """Written without brackets around a single negative number."""
    text = polynomial.str(var="x")
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _latex(polynomial: fmpq_poly) -> str:
    return _text(polynomial).replace("*", " ")


def in_variable(coefficients: Sequence[Fraction], rate: Fraction) -> fmpq_poly:
    """A series in τ as one in x = exp(λτ) - 1, or as it is for λ = 0.

    Examples
    --------
    >>> in_variable([Fraction(1), Fraction(2), Fraction(2)], Fraction(2))
    x + 1
    """
    number = len(coefficients)
    series = fmpq_poly([as_fmpq(c) for c in coefficients])
    if not rate:
        return series
    unit = fmpq(rate.denominator, rate.numerator)
    time = fmpq_poly([0, *(unit * fmpq((-1) ** (n + 1), n) for n in range(1, number))])
    total = fmpq_poly([0])
    for n in range(number - 1, -1, -1):
        total = _cut(total * time, number) + series[n]
    return total


def find_equation(
    coefficients: Sequence[Fraction],
    *,
    rates: Sequence[Fraction | int] = (0, 4, 2, 1),
    kinds: Sequence[EquationKind] = (EquationKind.ALGEBRAIC, EquationKind.DIFFERENTIAL),
    lowest_order: bool = False,
) -> FoundEquation | None:
    """The equation with the fewest unknowns that a series obeys.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ... of the powers of τ.
    rates : sequence of rational
        The λ of the variables x = exp(λτ) - 1 that are tried, zero for τ.
    kinds : sequence of EquationKind
    lowest_order : bool, default False
        Whether the order or the degree in h counts before the number of unknowns. The equation of
        lowest order has no solutions but those that belong to the singular points of h.

    Returns
    -------
    FoundEquation or None
        None if there is none with as many unknowns as the coefficients can decide. It is a
        conjecture, with the number of coefficients that confirm it.
    """
    number = len(coefficients)
    families = {
        (Fraction(rate), kind): _functions(in_variable(coefficients, Fraction(rate)), number, kind)
        for rate in rates
        for kind in kinds
    }
    modular = {
        key: [_residues(function, number) for function in functions]
        for key, functions in families.items()
    }
    for functions, degree in _boxes(number, lowest_order=lowest_order):
        for (rate, kind), residues in modular.items():
            # The last coefficients of a derivative are not known.
            known = number - (functions - 2 if kind is EquationKind.DIFFERENTIAL else 0)
            unknowns = functions * (degree + 1)
            if unknowns + CONFIRMATIONS > known or functions < _FEWEST_FUNCTIONS[kind]:
                continue
            if not _has_relation(residues[:functions], degree, known):
                continue
            found = _relation(families[rate, kind][:functions], degree, known)
            if found is not None:
                return FoundEquation(kind, found, rate, known - unknowns)
    return None


_FEWEST_FUNCTIONS = {EquationKind.ALGEBRAIC: 2, EquationKind.DIFFERENTIAL: 3}


def _functions(series: fmpq_poly, number: int, kind: EquationKind) -> list[fmpq_poly]:
    functions = [fmpq_poly([1]), series]
    while len(functions) < _MOST_FUNCTIONS:
        last = functions[-1]
        if kind is EquationKind.DIFFERENTIAL:
            functions.append(last.derivative())
        else:
            functions.append(_cut(last * series, number))
    return functions


def _boxes(number: int, *, lowest_order: bool) -> list[tuple[int, int]]:
    """Numbers of functions and degrees, the fewest unknowns first."""
    boxes = [
        (functions, degree)
        for functions in range(2, _MOST_FUNCTIONS + 1)
        for degree in range(number)
        if functions * (degree + 1) + CONFIRMATIONS <= number
    ]
    return boxes if lowest_order else sorted(boxes, key=lambda box: (box[0] * (box[1] + 1), box))


def _cut(polynomial: fmpq_poly, number: int) -> fmpq_poly:
    return polynomial.truncate(number)


def _residues(polynomial: fmpq_poly, number: int) -> list[int]:
    return [
        int(c.p) * pow(int(c.q), -1, _PRIME) % _PRIME
        for c in (polynomial[n] for n in range(number))
    ]


def _has_relation(residues: Sequence[Sequence[int]], degree: int, known: int) -> bool:
    columns = [
        [0] * shift + list(row[: known - shift]) for row in residues for shift in range(degree + 1)
    ]
    rows = [value for row in zip(*columns, strict=True) for value in row]
    matrix = nmod_mat(known, len(columns), rows, _PRIME)
    return bool(matrix.rank() < len(columns))


def _relation(
    functions: Sequence[fmpq_poly], degree: int, known: int
) -> tuple[fmpq_poly, ...] | None:
    """A relation over the rationals that contains the last function, with coprime integers."""
    columns = [
        [fmpq(0)] * shift + [function[n] for n in range(known - shift)]
        for function in functions
        for shift in range(degree + 1)
    ]
    width = len(columns)
    entries = [value for row in zip(*columns, strict=True) for value in row]
    # A relation of lower order or degree is found in a smaller box.
    last = width - degree - 1
    basis = kernel(fmpq_mat(known, width, entries))
    vector = next((vector for free, vector in basis if free >= last), None)
    if vector is None:
        return None
    polynomials = [
        fmpq_poly(vector[j * (degree + 1) : (j + 1) * (degree + 1)]) for j in range(len(functions))
    ]
    common = fmpq_poly([0])
    for polynomial in polynomials:
        common = common.gcd(polynomial)
    polynomials = [polynomial / common for polynomial in polynomials]
    # A common power of x had hidden as many of the last coefficients.
    defect = sum(
        (
            polynomial * function
            for polynomial, function in zip(polynomials, functions, strict=True)
        ),
        fmpq_poly([0]),
    )
    if any(defect[n] != 0 for n in range(known)):
        return None
    whole = fmpq_poly([c for polynomial in polynomials for c in polynomial.coeffs()])
    scale = whole.denom()
    content = (whole * scale).numer().content()
    return tuple(polynomial * scale / content for polynomial in polynomials)


def extended(equation: FoundEquation, series: fmpq_poly, known: int, number: int) -> fmpq_poly:
    """More coefficients of a series that obeys an algebraic equation, by Newton's iteration.

    Parameters
    ----------
    equation : FoundEquation
        An algebraic one.
    series : flint.fmpq_poly
        Its first coefficients, in the variable of the equation.
    known, number : int
        How many of them are known, and how many are wanted.
    """
    h = series
    while known < number:
        slope = _evaluated(_slope(equation.polynomials), h, 2 * known)
        valuation = next(n for n in range(2 * known) if slope[n] != 0)
        reached = min(2 * (known - valuation), number)
        defect = _evaluated(equation.polynomials, h, reached + valuation)
        shift = fmpq_poly([*[0] * valuation, 1])
        correction = _cut((defect / shift) * _inverse(slope / shift, reached), reached)
        h, known = _cut(h - correction, reached), max(reached, known + 1)
    return h


def _slope(polynomials: Sequence[fmpq_poly]) -> list[fmpq_poly]:
    return [polynomial * k for k, polynomial in enumerate(polynomials)][1:]


def _evaluated(polynomials: Sequence[fmpq_poly], h: fmpq_poly, number: int) -> fmpq_poly:
    total = fmpq_poly([0])
    for polynomial in reversed(polynomials):
        total = _cut(total * h + polynomial, number)
    return total


def _inverse(series: fmpq_poly, number: int) -> fmpq_poly:
    result = fmpq_poly([1 / series[0]])
    reached = 1
    while reached < number:
        reached = min(2 * reached, number)
        result = _cut(result * (2 - _cut(result * series, reached)), reached)
    return result


Kind = EquationKind  # its former name
