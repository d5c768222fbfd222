"""A series as plain data, in the layout that every command and reference file uses.

    {"family": ..., "order": ..., ..., "coefficients": [
        {"s": 0, "terms": [{"coefficient": "1/2", "exponents": {"p": 1}}, ...]}, ...]}

Exact numbers are strings. Zero exponents are left out and may be left out on reading.

>>> terms = polynomial_record(Polynomial.parse("1/2*p - H"))
>>> terms
[{'coefficient': '1/2', 'exponents': {'p': 1}}, {'coefficient': '-1', 'exponents': {'H': 1}}]
>>> str(read_polynomial(terms))
'1/2*p - H'

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from diagrams.arguments import shown
from diagrams.errors import InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.input_limits import MAXIMAL_NAME
from expansion.polynomial import (
    MAXIMAL_BITS,
    Polynomial,
    monomial_text,
    read_rational,
    symbol_order,
)
from expansion.problem import Problem

__all__ = [
    "MAXIMAL_EXPONENT",
    "MAXIMAL_SYMBOLS",
    "SERIES_VERSION",
    "polynomial_record",
    "read_polynomial",
    "read_series",
    "series_record",
]

SERIES_VERSION = 1
"""The version of the layout above, as ``schema_version`` in a JSON file."""

MAXIMAL_EXPONENT = 999_999
"""Largest power of a symbol, either way: as many digits as `Polynomial.parse` reads."""

MAXIMAL_SYMBOLS = 50
"""Most symbols of a monomial."""

_SYMBOL = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def polynomial_record(polynomial: Polynomial) -> list[dict[str, Any]]:
    """The terms of a polynomial as plain data."""
    return [
        {
            "coefficient": str(coefficient),
            "exponents": dict(sorted(powers, key=lambda item: symbol_order(item[0]))),
        }
        for powers, coefficient in polynomial
    ]


def series_record(
    problem: Problem,
    coefficients: Sequence[Polynomial],
    *,
    loss: str | None = None,
    divisors: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """The first coefficients of a problem's series as plain data.

    Parameters
    ----------
    problem : Problem
    coefficients : sequence of Polynomial
    loss : str, optional
        The expanded loss; written if the problem has several or it is not the one that drives the
        flow.
    divisors : mapping, optional
        The sizes for which the series does not hold, see `expansion.series.LossSeries.divisors`;
        written if there are any. So are the sizes that isometries bound.

    Examples
    --------
    >>> from expansion.models import tied_autoencoder
    >>> record = series_record(tied_autoencoder(data=True), [], loss="population")
    >>> record["data"], record["loss"]
    ('gaussian', 'population')
    """
    loss = problem.loss_name if loss is None else loss
    bounds: dict[str, list[str]] = {}
    for small, large in problem.nested:
        if large.pinned is not None:
            continue
        bounds.setdefault(small.name, []).append(large.name)
    alone = problem.losses == (loss,)
    return {
        "family": problem.family,
        **dict(problem.options),
        **problem.drive.record,
        **({} if alone else {"loss" if loss in problem.losses else "observable": loss}),
        **({"divisors": {n: list(d) for n, d in divisors.items()}} if divisors else {}),
        **({"at_most": bounds} if bounds else {}),
        "coefficients": [
            {"s": s, "terms": polynomial_record(polynomial)}
            for s, polynomial in enumerate(coefficients)
        ],
    }


def read_polynomial(terms: object) -> Polynomial:
    """A polynomial from its plain data.

    Raises
    ------
    InvalidInputError
        If a term is not of the layout above, or like terms add up to a number that is too long.
    """
    total: dict[Monomial, Fraction] = {}
    if not isinstance(terms, list):
        raise _not_understood(terms)
    for term in terms:
        try:
            powers = _powers(term["exponents"])
            value = _rational(term["coefficient"])
        except (KeyError, TypeError, AttributeError, InvalidInputError) as error:
            raise _not_understood(term) from error
        value += total.get(powers, Fraction(0))
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAXIMAL_BITS:
            raise InvalidInputError(
                f"series record: the coefficients of {monomial_text(powers)[:60]} add up to a "
                "number of too many digits; write their sum"
            )
        total[powers] = value
    return Polynomial(total)


def read_series(coefficients: object) -> tuple[Polynomial, ...]:
    """The polynomials of a list of coefficients, which must be s = 0, 1, 2, ... in order.

    Raises
    ------
    InvalidInputError
        If a coefficient is missing or not of the layout above.
    """
    if not isinstance(coefficients, list):
        raise InvalidInputError(
            f"series record: the coefficients are of type {type(coefficients).__name__}, not a "
            "list; list them in order from s = 0 on"
        )
    result = []
    for s, coefficient in enumerate(coefficients):
        if not isinstance(coefficient, dict) or coefficient.get("s") != s:
            raise InvalidInputError(
                f"series record: coefficient number {s} is not the one with s = {s}; list them in "
                "order from 0 on"
            )
        result.append(read_polynomial(coefficient.get("terms", [])))
    return tuple(result)


def _not_understood(term: object) -> InvalidInputError:
    return InvalidInputError(
        f"series record: the term {shown(term, 60)} is not understood; expected "
        '{"coefficient": "1/2", "exponents": {"p": 1}}'
    )


def _rational(value: object) -> Fraction:
    """Exact numbers are strings or integers; a floating point number is not exact."""
    return read_rational(value) if isinstance(value, str) else Fraction(_integer(value))


def _powers(exponents: Any) -> Monomial:
    if len(exponents) > MAXIMAL_SYMBOLS:
        raise TypeError("too many symbols")
    return monomial({_symbol(name): _exponent(power) for name, power in exponents.items()})


def _symbol(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAXIMAL_NAME or not _SYMBOL.fullmatch(value):
        raise TypeError("not a symbol")
    return value


def _exponent(value: object) -> int:
    power = _integer(value)
    if abs(power) > MAXIMAL_EXPONENT:
        raise TypeError("too large an exponent")
    return power


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value.bit_length() > MAXIMAL_BITS:
        raise TypeError("not an integer of a size that can be written")
    return value
