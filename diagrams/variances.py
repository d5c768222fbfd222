"""Variances: products of a rational number and powers of symbols.

The variance of the entries of a Gaussian tensor is a *monomial*, a positive rational number times
integer powers of symbols: sizes, as in ``1/H``, or symbols of its own, as in ``2*sigma2/(3*p)``.
Everywhere in the project a variance is one text, its canonical form, so that equal variances are
equal texts.

Contraction counts the pairs of every variance without looking into it: the text stands for a
symbol, which no name of a size can be. `diagrams.laws.evaluated` puts the monomials in afterwards,
once for a whole expectation.

>>> Variance.parse("2/(3*p)"), str(Variance.parse("sigma2 * 2 / H**2"))
(Variance(coefficient=Fraction(2, 3), powers=(('p', -1),)), '2*sigma2/H**2')

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from numbers import Rational

from diagrams.arguments import rational, shown
from diagrams.errors import InvalidInputError

__all__ = [
    "MAXIMAL_DIGITS",
    "MAXIMAL_LENGTH",
    "MAXIMAL_POWER",
    "UNIT_VARIANCE",
    "Powers",
    "Variance",
]

UNIT_VARIANCE = "1"
"""The variance of a Gaussian tensor whose entries have variance one: no symbol is written."""

MAXIMAL_LENGTH = 200
"""Longest text of a variance that is read, in characters."""

MAXIMAL_DIGITS = 100
"""Most digits of the numerator and of the denominator of its number."""

MAXIMAL_POWER = 100
"""Highest power of a symbol in it, either way."""

Powers = tuple[tuple[str, int], ...]
"""Names of symbols with their powers, sorted by name, without zero powers."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_]\w*)|(\*\*|[*/()-]))", re.ASCII)
_REMEDY = "give a product of numbers and symbols such as 'sigma2', '1/H' or '2*sigma2/(3*p)'"


@dataclass(frozen=True, slots=True)
class Variance:
    """A positive rational number times powers of symbols.

    Parameters
    ----------
    coefficient : Fraction
        Positive.
    powers : tuple of (str, int)
        Symbols with their powers, sorted by name, without zeros.
    """

    coefficient: Fraction = Fraction(1)
    powers: Powers = ()

    @classmethod
    def of(cls, value: object) -> Variance:
        """The variance that a text, an integer or a fraction stands for.

        Raises
        ------
        InvalidInputError
            If it is of another type, is not a product of numbers and powers of symbols, is not
            positive, or is too large.

        Examples
        --------
        >>> str(Variance.of(1)), str(Variance.of(Fraction(1, 2))), str(Variance.of("sigma2/3"))
        ('1', '1/2', 'sigma2/3')
        """
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, bool) or not isinstance(value, Rational):
            raise InvalidInputError(f"variance {shown(value)}: is not exact; {_REMEDY}")
        return _checked(rational(value, "variance"), {}, str(value))

    @classmethod
    def parse(cls, text: str) -> Variance:
        """Read a product such as ``2*sigma2/(3*p)``.

        Raises
        ------
        InvalidInputError
            See `of`.
        """
        return _parsed(text)

    def __str__(self) -> str:
        above, below = self.coefficient.numerator, self.coefficient.denominator
        numerator = [str(above)] * (above != 1)
        numerator += [_power(name, power) for name, power in self.powers if power > 0]
        denominator = [str(below)] * (below != 1)
        denominator += [_power(name, -power) for name, power in self.powers if power < 0]
        text = "*".join(numerator) or "1"
        if not denominator:
            return text
        product = "*".join(denominator)
        return f"{text}/({product})" if len(denominator) > 1 else f"{text}/{product}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur, sorted."""
        return tuple(name for name, _ in self.powers)

    def with_numbers(self, numbers: Mapping[str, int]) -> Variance:
        """The same with positive integers for some symbols.

        Examples
        --------
        >>> str(Variance.parse("sigma2/H").with_numbers({"H": 3}))
        'sigma2/3'
        """
        coefficient = self.coefficient
        for name, power in self.powers:
            coefficient *= Fraction(numbers.get(name, 1)) ** power
        rest = tuple((name, power) for name, power in self.powers if name not in numbers)
        return Variance(coefficient, rest)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Variance:
    if len(text) > MAXIMAL_LENGTH:
        raise InvalidInputError(
            f"variance {text[:30]!r}...: is longer than {MAXIMAL_LENGTH} characters; write a "
            "shorter one"
        )
    tokens: list[str] = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unexpected(text, text[place:].strip()[:10])
        tokens.append(match[match.lastindex or 0])
        place = match.end()
    reader = _MonomialReader(text, tokens)
    coefficient, powers = reader.product()
    if reader.tokens:
        raise _unexpected(text, reader.tokens[0])
    return _checked(coefficient, powers, repr(text))


class _MonomialReader:
    """Tokens on their way to a monomial, taken from the left."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens

    def product(self) -> tuple[Fraction, dict[str, int]]:
        """Factors with ``*`` and ``/`` between them."""
        coefficient, powers = self._factor()
        while self.tokens and self.tokens[0] in ("*", "/"):
            sign = 1 if self._next() == "*" else -1
            number, more = self._factor()
            if number == 0:
                raise InvalidInputError(f"variance {self.text!r}: is not positive; {_REMEDY}")
            coefficient *= number**sign
            for name, power in more.items():
                powers[name] = powers.get(name, 0) + sign * power
            _checked(coefficient, powers, repr(self.text))
        return coefficient, powers

    def _factor(self) -> tuple[Fraction, dict[str, int]]:
        """A number, a symbol or a product in parentheses, with a power or without."""
        token = self._next()
        powers: dict[str, int] = {}
        coefficient = Fraction(1)
        if token == "(":
            coefficient, powers = self.product()
            if self._next() != ")":
                raise _unexpected(self.text, "a parenthesis that is not closed")
        elif token.isdigit():
            coefficient = _number(token, self.text)
        elif _NAME.fullmatch(token):
            powers[token] = 1
        else:
            raise _unexpected(self.text, token)
        if self.tokens and self.tokens[0] == "**":
            self._next()
            sign = 1
            if self.tokens and self.tokens[0] == "-":
                self._next()
                sign = -1
            exponent = self._next()
            if not exponent.isdigit() or len(exponent) > len(str(MAXIMAL_POWER)):
                raise _unexpected(self.text, exponent)
            power = sign * int(exponent)
            if abs(power) > MAXIMAL_POWER:
                raise _too_large(self.text)
            if coefficient == 0:
                raise InvalidInputError(f"variance {self.text!r}: is not positive; {_REMEDY}")
            coefficient **= power
            powers = {name: power * k for name, k in powers.items()}
            _checked(coefficient, powers, repr(self.text))
        return coefficient, powers

    def _next(self) -> str:
        if not self.tokens:
            raise _unexpected(self.text, "the end")
        return self.tokens.pop(0)


def _number(digits: str, text: str) -> Fraction:
    if len(digits) > MAXIMAL_DIGITS:
        raise _too_large(text)
    return Fraction(int(digits))


def _checked(coefficient: Fraction, powers: dict[str, int], shown: str) -> Variance:
    if coefficient <= 0:
        raise InvalidInputError(f"variance {shown}: is not positive; {_REMEDY}")
    largest = max(coefficient.numerator, coefficient.denominator)
    if largest >= 10**MAXIMAL_DIGITS or any(abs(k) > MAXIMAL_POWER for k in powers.values()):
        raise _too_large(shown)
    result = Variance(coefficient, _sorted(powers))
    if len(str(result)) > MAXIMAL_LENGTH:
        raise _too_large(shown)
    return result


def _sorted(powers: Mapping[str, int]) -> Powers:
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}**{power}"


def _too_large(text: str) -> InvalidInputError:
    return InvalidInputError(
        f"variance {text[:40]}: has a number of more than {MAXIMAL_DIGITS} digits or a power above "
        f"{MAXIMAL_POWER}; write a smaller one, or a symbol"
    )


def _unexpected(text: str, found: str) -> InvalidInputError:
    return InvalidInputError(
        f"variance {text[:40]!r}: {found!r} is not understood there; {_REMEDY}"
    )
