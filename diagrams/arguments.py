"""Arguments of constructors, checked and brought into the form that the dataclasses keep.

A single value stands for a tuple of one, and any iterable for a tuple; what is of another type is
an error of the family.

>>> several("ab", str, "names"), several(["a", "b"], str, "names")
(('ab',), ('a', 'b'))
>>> rational(2, "coefficient")
Fraction(2, 1)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from numbers import Rational
from typing import TypeVar

from diagrams.errors import InvalidInputError

__all__ = ["number_text", "powers_of", "rational", "several", "shown", "word"]

Item = TypeVar("Item")


_LONGEST_QUOTIENT = 15
"""A longer quotient of integers is written as a rounded decimal."""


def shown(value: object) -> str:
    """A value for a message, on one line and not long."""
    return " ".join(repr(value)[:60].split())


def number_text(value: Fraction) -> str:
    """A rational number as a person writes it: the shorter of decimal and quotient.

    Examples
    --------
    >>> [number_text(Fraction(text)) for text in ("1/512", "0.001", "2e-5", "512", "1/3")]
    ['1/512', '0.001', '2e-05', '512', '1/3']
    >>> number_text(Fraction(0.1))
    '0.1'
    """
    decimal, quotient = f"{float(value):.15g}", str(value)
    exact = Fraction(decimal) == value or Fraction(float(decimal)) == value
    if exact and len(decimal) <= len(quotient):
        return decimal
    return quotient if len(quotient) <= _LONGEST_QUOTIENT else f"{float(value):g}"


def several(value: object, kind: type[Item], title: str) -> tuple[Item, ...]:
    """A tuple of values of a type.

    Raises
    ------
    InvalidInputError
        If it is none, or a value is of another type.
    """
    if isinstance(value, kind) and kind is not tuple:
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        raise InvalidInputError(
            f"{title}: is {shown(value)}; give a tuple of values of type {kind.__name__}"
        )
    result = []
    for item in value:
        if not isinstance(item, kind):
            raise InvalidInputError(
                f"{title}: {shown(item)} is not of type {kind.__name__}; give values of this type"
            )
        result.append(item)
    return tuple(result)


def word(value: object, title: str) -> str:
    """A text.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{title}: is {shown(value)}; give a text")
    return value


def rational(value: object, title: str) -> Fraction:
    """An exact number.

    Raises
    ------
    InvalidInputError
        If it is none: a float is not exact.
    """
    if isinstance(value, bool) or not isinstance(value, Rational):
        raise InvalidInputError(
            f"{title}: {shown(value)} is not exact; give an integer or a Fraction"
        )
    return Fraction(int(value.numerator), int(value.denominator))


def powers_of(value: object, title: str) -> tuple[tuple[str, int], ...]:
    """Powers of symbols, from a mapping or from pairs, sorted, without zeros.

    Raises
    ------
    InvalidInputError
        If it is neither.

    Examples
    --------
    >>> powers_of({"p": 1, "N": -1}, "normalisation")
    (('N', -1), ('p', 1))
    """
    pairs = value.items() if isinstance(value, Mapping) else value
    result: dict[str, int] = {}
    try:
        for name, power in pairs:  # type: ignore[attr-defined]
            if not isinstance(name, str) or isinstance(power, bool) or not isinstance(power, int):
                raise TypeError
            result[name] = result.get(name, 0) + power
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"{title}: is {shown(value)}; give symbols with integer powers, such as (('N', -1),)"
        ) from None
    return tuple(sorted((name, power) for name, power in result.items() if power))
