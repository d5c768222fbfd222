"""Formulas: models, targets and observables as one writes them.

A formula is a sum of terms; a term is a product of rational numbers, symbols, tensor entries and at
most one name, with blanks or ``*`` between them. Indices that are not open are summed.

    W[k,i] W[k,j]                   the entries of W^T W, with the open indices i and j
    identity + 1/2*alpha*teacher    a combination of named targets

>>> term, other = read_formula("W[k,i] W[k,j] - 1/2 alpha identity", names=("identity",))
>>> term.entries
(('W', ('k', 'i')), ('W', ('k', 'j')))
>>> other.coefficient, other.symbols, other.name
(Fraction(-1, 2), ('alpha',), 'identity')

Source: ours; the summation convention is Einstein's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.input_limits import MAXIMAL_NAME
from expansion.polynomial import read_rational

__all__ = [
    "ENTRY",
    "MAXIMAL_DIGITS",
    "MAXIMAL_FACTORS",
    "MAXIMAL_LENGTH",
    "MAXIMAL_TERMS",
    "NUMBER",
    "FormulaTerm",
    "after_blanks",
    "check_factors",
    "check_number",
    "check_terms",
    "read_formula",
    "short_name",
    "unexpected",
]

MAXIMAL_LENGTH = 10_000
"""Longest formula that is read, in characters."""

MAXIMAL_TERMS = 20
"""Most terms of a formula: the square of a model has that number squared."""

MAXIMAL_FACTORS = 100
"""Most tensor entries in a term."""

MAXIMAL_DIGITS = 100
"""Most digits of the numerator and of the denominator of the number in front of a term."""

ENTRY = re.compile(r"([A-Za-z_]\w*)\s*\[([\w\s,]*)\]", re.ASCII)
"""A tensor with its indices, also in `expansion.expressions`."""

NUMBER = re.compile(r"\d+(?:\s*/\s*\d+)?", re.ASCII)
"""A positive rational number."""

_SYMBOL = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_INDEX = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class FormulaTerm:
    """A product: a coefficient, symbols, entries of tensors with named indices, and a name."""

    coefficient: Fraction = Fraction(1)
    symbols: tuple[str, ...] = ()
    entries: tuple[tuple[str, tuple[str, ...]], ...] = ()
    name: str | None = None

    @property
    def is_zero(self) -> bool:
        """Whether it is the number zero, with nothing beside it."""
        return self.coefficient == 0 and not (self.entries or self.symbols or self.name)


def read_formula(text: str, *, names: Sequence[str] = ()) -> tuple[FormulaTerm, ...]:
    """The terms of a formula.

    Parameters
    ----------
    text : str
    names : sequence of str
        Words that stand for themselves; they may contain hyphens.

    Raises
    ------
    InvalidInputError
        If the text is not a formula, or too long; the message names the place and what may stand
        there.

    Examples
    --------
    >>> [term.coefficient for term in read_formula("-2/3 a + b")]
    [Fraction(-2, 3), Fraction(1, 1)]
    """
    if len(text) > MAXIMAL_LENGTH:
        raise InvalidInputError(
            f"formula: is longer than {MAXIMAL_LENGTH} characters; write a shorter one"
        )
    words = sorted(names, key=len, reverse=True)
    named = re.compile("(?:" + "|".join(map(re.escape, words)) + r")(?!\w)") if words else None
    place = after_blanks(text, 0)
    terms: list[FormulaTerm] = []
    while place < len(text) or not terms:
        sign = 1
        if text[place : place + 1] in ("+", "-"):
            sign = -1 if text[place] == "-" else 1
            place = after_blanks(text, place + 1)
        elif terms:
            raise unexpected(text, place, "+ or -")
        term, place = _term(text, place, named)
        terms.append(FormulaTerm(term.coefficient * sign, term.symbols, term.entries, term.name))
        check_terms(text, len(terms))
    return tuple(terms)


def check_terms(text: str, count: int) -> None:
    """Reject a sum of too many terms."""
    if count > MAXIMAL_TERMS:
        raise InvalidInputError(
            f"formula {text[:30]!r}: has more than {MAXIMAL_TERMS} terms; write a shorter one"
        )


def check_factors(text: str, count: int) -> None:
    """Reject a product of too many factors."""
    if count > MAXIMAL_FACTORS:
        raise InvalidInputError(
            f"formula {text[:30]!r}: has a term of more than {MAXIMAL_FACTORS} factors; write a "
            "shorter one"
        )


def check_number(text: str, number: Fraction) -> None:
    """Reject a number of too many digits."""
    if max(abs(number.numerator), number.denominator) >= 10**MAXIMAL_DIGITS:
        raise InvalidInputError(
            f"formula {text[:30]!r}: has a number of more than {MAXIMAL_DIGITS} digits; write a "
            "shorter one, or a symbol"
        )


class _Factor(Enum):
    NAME = auto()
    ENTRY = auto()
    NUMBER = auto()
    SYMBOL = auto()


def _term(text: str, place: int, named: re.Pattern[str] | None) -> tuple[FormulaTerm, int]:
    """One term, and the place behind it."""
    coefficient, name = Fraction(1), None
    symbols: list[str] = []
    entries: list[tuple[str, tuple[str, ...]]] = []
    for match, kind in _factors(text, place, named):
        if kind is _Factor.NAME:
            if name is not None:
                raise unexpected(text, match.start(), "one name in a term")
            name = match[0]
        elif kind is _Factor.ENTRY:
            entries.append((short_name(match[1]), _indices(text, match)))
        elif kind is _Factor.NUMBER:
            coefficient *= read_rational("".join(match[0].split()))
        else:
            symbols.append(short_name(match[0]))
        place = after_blanks(text, match.end())
        check_factors(text, len(entries) + len(symbols))
    check_number(text, coefficient)
    return FormulaTerm(coefficient, tuple(symbols), tuple(entries), name), place


def _factors(
    text: str, place: int, named: re.Pattern[str] | None
) -> Iterator[tuple[re.Match[str], _Factor]]:
    """The factors of a term one after the other, with an asterisk or a blank between them."""
    patterns = {_Factor.ENTRY: ENTRY, _Factor.NUMBER: NUMBER, _Factor.SYMBOL: _SYMBOL}
    if named:
        patterns = {_Factor.NAME: named, **patterns}
    required = True  # a factor must follow: at the start, and after an asterisk
    while True:
        found = ((pattern.match(text, place), kind) for kind, pattern in patterns.items())
        match, kind = next(((m, kind) for m, kind in found if m), (None, None))
        if match is None or kind is None:
            if required:
                words = "a number, a symbol or a tensor such as W[k,i]"
                raise unexpected(text, place, "a name, " + words if named else words)
            return
        yield match, kind
        place = after_blanks(text, match.end())
        required = text[place : place + 1] == "*"
        if required:
            place = after_blanks(text, place + 1)


def _indices(text: str, match: re.Match[str]) -> tuple[str, ...]:
    indices = tuple(index.strip() for index in match[2].split(","))
    if not all(_INDEX.fullmatch(index) for index in indices):
        raise unexpected(text, match.start(2), "names of indices with commas between them")
    return tuple(short_name(index) for index in indices)


def short_name(name: str) -> str:
    """The name itself.

    Raises
    ------
    InvalidInputError
        If it is too long.
    """
    if len(name) > MAXIMAL_NAME:
        raise InvalidInputError(
            f"formula: the name {name[:30]!r}... has more than {MAXIMAL_NAME} characters; write a "
            "shorter one"
        )
    return name


def after_blanks(text: str, place: int) -> int:
    """The next place that is not blank."""
    match = _BLANK.match(text, place)
    return match.end() if match else place


def unexpected(text: str, place: int, expected: str) -> InvalidInputError:
    """The error that names what stands at a place and what should."""
    found = repr(text[place : place + 15]) if place < len(text) else "the end"
    return InvalidInputError(
        f"formula {text[:60]!r}: has {found} in column {place + 1}; expected {expected}"
    )


Term = FormulaTerm  # its former name
