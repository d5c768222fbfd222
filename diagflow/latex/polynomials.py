r"""Coefficients of the loss expansion, grouped by the powers of some symbols or by regime.

>>> Y = Polynomial.parse("1/2*p - p*H*sigma2 + 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2")
>>> print(" ".join(by_power(Y, ("sigma2",))))
\frac{1}{2} p - p H \sigma^{2} + \frac{1}{2} \bigl( p^{2} H + p H^{2} \bigr) \sigma^{4}

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from diagflow.latex.lines import aligned
from diagflow.latex.numbers import number_latex
from diagflow.latex.prose import name_latex
from diagrams.wick import Monomial
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial, monomial_latex
from expansion.regimes import Regime, Regimes
from expansion.series import LossSeries

__all__ = ["by_power", "by_regime", "regime_parts", "series_latex", "summands"]


def summands(polynomial: Polynomial, *, continued: bool = False) -> list[str]:
    """The terms one by one, with their signs; the first joins others before it if continued."""
    return [
        _signed(
            coefficient, monomial_latex(powers) if powers else "", first=not (number or continued)
        )
        for number, (powers, coefficient) in enumerate(polynomial)
    ]


def by_power(polynomial: Polynomial, symbols: Iterable[str]) -> list[str]:
    """Summands grouped by the powers of some symbols, common numbers in front.

    Parameters
    ----------
    polynomial : Polynomial
    symbols : iterable of str

    Returns
    -------
    list of str
        Pieces between which a line may be broken; together they are the sum.
    """
    names = {*symbols}
    groups: dict[Monomial, dict[Monomial, Fraction]] = {}
    for powers, coefficient in polynomial:
        outer = tuple(item for item in powers if item[0] in names)
        inner = tuple(item for item in powers if item[0] not in names)
        groups.setdefault(outer, {})[inner] = coefficient
    pieces: list[str] = []
    for outer, terms in groups.items():
        after = monomial_latex(outer) if outer else ""
        first = not pieces
        if len(terms) == 1:
            ((inner, coefficient),) = terms.items()
            before = monomial_latex(inner) if inner else ""
            pieces.append(_signed(coefficient, f"{before} {after}".strip(), first=first))
            continue
        content = _content(terms.values())
        if next(iter(terms.values())) < 0:
            content = -content
        rest = summands(Polynomial({inner: c / content for inner, c in terms.items()}))
        if not after and abs(content) == 1 and content > 0:
            pieces += rest if first else [f"+ {rest[0]}", *rest[1:]]
            continue
        rest[0] = _signed(content, f"\\bigl( {rest[0]}", first=first)
        rest[-1] += f" \\bigr) {after}".rstrip()
        pieces += rest
    return pieces


def series_latex(series: LossSeries) -> str:
    """The known coefficients of a series, grouped by the powers of the variances of the weights."""
    rows = [
        (f"Y_{{{s}}}", by_power(polynomial, series.problem.weight_variances))
        for s, polynomial in enumerate(series.known or (series[0],))
    ]
    return "{\\allowdisplaybreaks\n" + aligned(rows) + "}\n"


def regime_parts(regime_set: Regimes, s: int) -> list[tuple[Regime | None, Polynomial]]:
    """Y_s split by the smallest faces on which its monomials lie.

    Returns
    -------
    list of (Regime or None, Polynomial)
        Vertices, edges, larger faces; last, with None, the monomials that lead nowhere, the
        pure-target term among them.

    Examples
    --------
    >>> from expansion.models import cp
    >>> from expansion.regimes import regimes
    >>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
    >>> for regime, part in regime_parts(regime_set, 0):
    ...     print(regime.name if regime else "-", ":", part)
    A : 1/2*p**2*H*sigma2**2
    B : 1/2*p*H**2*sigma2**2
    E : -p*H*sigma2
    - : 1/2*p + 1/2*p*H*sigma2**2
    """
    exponents = regime_set.exponents
    whole = exponents.coefficients[s]
    remaining = dict(whole if s else whole + exponents.pure_target)
    parts: list[tuple[Regime | None, Polynomial]] = []
    for regime in sorted(regime_set, key=lambda regime: regime.dimension):
        own = {
            powers: remaining.pop(powers)
            for powers, _ in LeadingSeries(regime_set, regime)[s]
            if powers in remaining
        }
        if own:
            parts.append((regime, Polynomial(own)))
    if remaining:
        parts.append((None, Polynomial(remaining)))
    return parts


def by_regime(regime_set: Regimes, s: int) -> str:
    """Y_s as an ``align*`` environment, a row for every face with its name at the end."""
    rows: list[tuple[str, list[str]]] = []
    tags = []
    for regime, part in regime_parts(regime_set, s):
        terms = summands(part, continued=bool(rows))
        rows.append(("" if rows else f"Y_{{{s}}}", terms))
        tags.append(name_latex(regime.name) if regime else "lower order")
    return aligned(rows, tags=tags) + "\n"


def _content(values: Iterable[Fraction]) -> Fraction:
    """The largest rational of which all values are integer multiples."""
    listed = list(values)
    return Fraction(
        math.gcd(*(value.numerator for value in listed)),
        math.lcm(*(value.denominator for value in listed)),
    )


def _signed(coefficient: Fraction, body: str, *, first: bool) -> str:
    size = abs(coefficient)
    number = "" if size == 1 and body else number_latex(size)
    text = f"{number} {body}".strip()
    if coefficient < 0:
        return f"-{text}" if first else f"- {text}"
    return text if first else f"+ {text}"
