"""Expressions: what a text makes of quantities, by sums, products and mergers.

An *expression* is a sum of products of

- rational numbers and symbols of the problem;
- names of losses and observables; ``loss`` is that of the model and its target;
- entries of tensors with indices that are summed, ``W[k,i] W[k,j]``; so may be used ``f[i,j]``, the
  model with its open indices, and ``ntk[i,j,k,l]``, its tangent kernel: the sum over all weights u
  of df[i,j]/du df[k,l]/du. Of a model without open indices they are ``f`` and ``ntk``;
- ``merge(A, B)``, the sum over all weights u of dA/du dB/du, with expressions A and B;
- expressions in parentheses, and powers ``**2`` of all but entries.

An index lives in its product: parentheses and mergers have indices of their own. What the words
stand for is known to `expansion.composed`.

>>> expression = read_expression("1/2*(train - f)*f + merge(f, f)**2", names=("train",))
>>> len(expression), expression[0].coefficient, len(expression[0].parts), expression[1].parts[0]
(2, Fraction(1, 2), 2, Power(base=SlopeProduct(...), exponent=2))

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from diagrams.arguments import word
from diagrams.errors import InvalidInputError
from expansion.formula_parser import (
    ENTRY,
    MAXIMAL_LENGTH,
    NUMBER,
    after_blanks,
    check_factors,
    check_number,
    check_terms,
    short_name,
    unexpected,
)
from expansion.polynomial import read_rational

__all__ = [
    "KERNEL",
    "LOSS",
    "MODEL",
    "Entry",
    "Expression",
    "Named",
    "Part",
    "Power",
    "Product",
    "SlopeProduct",
    "entry_names",
    "is_expression",
    "is_plain_formula",
    "read_expression",
    "word_names",
]

MODEL, KERNEL, LOSS = "f", "ntk", "loss"
"""The words of expressions that are no names of quantities."""

MAXIMAL_DEPTH = 20
"""Deepest nesting of parentheses and mergers."""

MAXIMAL_POWER = 8
"""Highest power of a part."""

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MERGE = re.compile(r"merge\s*\(", re.ASCII)
_POWER = re.compile(r"\s*\*\*\s*(\d{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Named:
    """A loss, an observable or a symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a tensor, of the model or of its kernel."""

    name: str
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlopeProduct:
    """The sum over all weights of the products of two slopes."""

    first: Expression
    second: Expression


@dataclass(frozen=True, slots=True)
class Power:
    """A part to an integer power of two or more."""

    base: Named | SlopeProduct | Expression
    exponent: int


@dataclass(frozen=True, slots=True)
class Product:
    """A number times parts; the indices of its entries are summed together."""

    coefficient: Fraction
    parts: tuple[Part, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The parts with indices."""
        return tuple(part for part in self.parts if isinstance(part, Entry))


Expression = tuple[Product, ...]
"""A sum of products."""

Part = Named | Entry | SlopeProduct | Power | Expression
"""A factor of a product."""


def is_expression(name: str) -> bool:
    """Whether a text is more than one name: an expression, or one of its words.

    Examples
    --------
    >>> [is_expression(text) for text in ("train", "weight-norm", "train**2", "ntk")]
    [False, False, True, True]
    """
    return name in (MODEL, KERNEL, LOSS) or re.fullmatch(r"[\w-]+", name, re.ASCII) is None


def is_plain_formula(text: str) -> bool:
    """Whether a formula has neither names of quantities nor products of them, but entries only.

    Examples
    --------
    >>> is_plain_formula("1/2*a W[k,i] W[k,i]"), is_plain_formula("ntk"), is_plain_formula("f[i]")
    (True, False, False)
    """
    # A symbol looks like a name: only entries make a formula plain, in every one of its terms.
    if "(" in text or "**" in text:
        return False
    entries = ENTRY.findall(text)
    if any(name in (MODEL, KERNEL) for name, _ in entries):
        return False
    return bool(entries) and all(ENTRY.search(term) for term in re.split(r"[+-]", text) if term)


def entry_names(text: str) -> frozenset[str]:
    """The names in a text that have indices.

    Examples
    --------
    >>> sorted(entry_names("W[k,i] V [k] - a*train"))
    ['V', 'W']
    """
    return frozenset(name for name, _ in ENTRY.findall(text))


def word_names(text: str) -> frozenset[str]:
    """All words of a text, parts of hyphenated ones too.

    Examples
    --------
    >>> sorted(word_names("2*a*weight-norm"))
    ['a', 'norm', 'weight']
    """
    return frozenset(_WORD.findall(text))


def read_expression(text: str, *, names: Collection[str]) -> Expression:
    """The expression that a text stands for.

    Parameters
    ----------
    text : str
    names : collection of str
        Words that may contain hyphens.

    Raises
    ------
    InvalidInputError
        If it is none, or too long; the message names the place and what may stand there.
    """
    if len(word(text, "formula")) > MAXIMAL_LENGTH:
        raise InvalidInputError(
            f"formula: is longer than {MAXIMAL_LENGTH} characters; write a shorter one"
        )
    words = sorted((name for name in names if not _WORD.fullmatch(name)), key=len, reverse=True)
    named = re.compile("(?:" + "|".join(map(re.escape, words)) + r")(?!\w)") if words else None
    expression, place = _ExpressionReader(text, named).expression(0, 0)
    if place < len(text):
        raise unexpected(text, place, "+, - or the end")
    return expression


@dataclass(frozen=True)
class _ExpressionReader:
    text: str
    named: re.Pattern[str] | None

    def expression(self, place: int, depth: int) -> tuple[Expression, int]:
        """A sum, and the place behind it."""
        if depth > MAXIMAL_DEPTH:
            raise InvalidInputError(
                f"formula {self.text[:30]!r}: is nested more than {MAXIMAL_DEPTH} times; write a "
                "flatter one"
            )
        terms: list[Product] = []
        place = self._blank(place)
        while True:
            sign = 1
            if self.text[place : place + 1] in ("+", "-") and place < len(self.text):
                sign = -1 if self.text[place] == "-" else 1
                place = self._blank(place + 1)
            elif terms:
                return tuple(terms), place
            term, place = self._product(place, depth)
            terms.append(replace(term, coefficient=sign * term.coefficient))
            check_terms(self.text, len(terms))

    def _product(self, place: int, depth: int) -> tuple[Product, int]:
        coefficient = Fraction(1)
        parts: list[Part] = []
        first = True
        while True:
            starred = not first and self.text[place : place + 1] == "*"
            if starred:
                place = self._blank(place + 1)
            if match := NUMBER.match(self.text, place):
                coefficient *= read_rational("".join(match[0].split()))
                place = self._blank(match.end())
            else:
                part, end = self._part(place, depth)
                if part is None:
                    if first or starred:
                        raise unexpected(self.text, place, "a number, a name or a parenthesis")
                    break
                made: Part = part
                power = _POWER.match(self.text, end)
                if power is not None and not isinstance(part, Entry):
                    count, end = int(power[1]), power.end()
                    if not 1 <= count <= MAXIMAL_POWER:
                        raise unexpected(
                            self.text, power.start(1), f"a power from 1 to {MAXIMAL_POWER}"
                        )
                    made = part if count == 1 else Power(part, count)
                parts.append(made)
                place = self._blank(end)
            first = False
            check_factors(self.text, len(parts))
        check_number(self.text, coefficient)
        return Product(coefficient, tuple(parts)), place

    def _part(
        self, place: int, depth: int
    ) -> tuple[Named | Entry | SlopeProduct | Expression | None, int]:
        text = self.text
        if self.named and (match := self.named.match(text, place)):
            return Named(match[0]), match.end()
        if match := _MERGE.match(text, place):
            first, place = self.expression(match.end(), depth + 1)
            place = self._expect(place, ",")
            second, place = self.expression(place, depth + 1)
            return SlopeProduct(first, second), self._expect(place, ")")
        if text[place : place + 1] == "(":
            inner, place = self.expression(place + 1, depth + 1)
            return inner, self._expect(place, ")")
        if match := ENTRY.match(text, place):
            indices = tuple(index.strip() for index in match[2].split(","))
            if not all(_WORD.fullmatch(index) for index in indices):
                raise unexpected(text, match.start(2), "names of indices with commas between")
            return Entry(short_name(match[1]), tuple(map(short_name, indices))), match.end()
        if match := _WORD.match(text, place):
            return Named(short_name(match[0])), match.end()
        return None, place

    def _blank(self, place: int) -> int:
        return after_blanks(self.text, place)

    def _expect(self, place: int, mark: str) -> int:
        if self.text[place : place + 1] != mark:
            raise unexpected(self.text, place, mark)
        return place + 1


Merger = SlopeProduct  # its former name
