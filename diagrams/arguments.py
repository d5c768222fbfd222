"""Arguments of constructors, checked and brought into the form that the dataclasses keep.

A single value stands for a tuple of one, and any iterable for a tuple; what is of another type is
an error of the family.

>>> several("ab", str, "names"), several(["a", "b"], str, "names")
(('ab',), ('a', 'b'))
>>> rational(2, "coefficient")
Fraction(2, 1)
>>> number("0.25", "sigma2"), whole(3.0, "runs", least=1)
(Fraction(1, 4), 3)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import TypeVar

from diagrams.errors import InvalidInputError

__all__ = [
    "flag",
    "function",
    "instance",
    "number",
    "number_text",
    "positive",
    "powers_of",
    "rational",
    "several",
    "shown",
    "whole",
    "word",
]

Item = TypeVar("Item")


_LONGEST_QUOTIENT = 15
"""A longer quotient of integers is written as a rounded decimal."""


def shown(value: object, characters: int = 60) -> str:
    """A value for a message, on one line and not long, or its type if Python does not write it."""
    try:
        text = str(value) if isinstance(value, Real) else repr(value)
        return " ".join(text[:characters].split())
    except (RecursionError, ValueError):  # an integer of thousands of digits
        return f"of type {type(value).__name__}"


def brief(text: object, characters: int = 60) -> str:
    """The beginning of a text, for the repr of a value, which is one line.

    Examples
    --------
    >>> brief("a long text", 6)
    'a long...'
    """
    whole = " ".join(str(text).split())
    return whole if len(whole) <= characters else f"{whole[:characters]}..."


def instance(value: object, kind: type[Item], title: str, *, remedy: str) -> Item:
    """A value of a type.

    Raises
    ------
    InvalidInputError
        If it is of another type; the message ends with the remedy.
    """
    if not isinstance(value, kind):
        raise InvalidInputError(f"{title} {shown(value)}: is no {kind.__name__}; {remedy}")
    return value


def function(value: Callable[..., object] | None, title: str) -> None:
    """Reject a value that cannot be called, unless it is None.

    Raises
    ------
    InvalidInputError
        If it cannot.
    """
    if value is not None and not callable(value):
        raise InvalidInputError(
            f"{title}: is {shown(value)}; give something to call, or leave it out"
        )


def flag(value: object, title: str) -> bool:
    """True or False; a text would be true, whatever its words.

    Raises
    ------
    InvalidInputError
        If it is neither.
    """
    if not isinstance(value, bool):
        raise InvalidInputError(f"{title}: is {shown(value)}; give True or False")
    return value


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


def whole(value: object, title: str, *, least: int, most: int | None = None) -> int:
    """An integer within bounds; a float that is one counts.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    try:
        exact = None if isinstance(value, str | bool) else number(value, title)
    except InvalidInputError:
        exact = None
    if exact is None or exact.denominator != 1 or exact < least:
        raise InvalidInputError(
            f"{title} {shown(value)}: is not an integer of at least {least}; give {least} or more"
        )
    if most is not None and exact > most:
        raise InvalidInputError(f"{title} {shown(value)}: is more than {most}; give fewer")
    return exact.numerator


def number(value: object, title: str) -> Fraction:
    """The exact value of a finite number, or of a text that is one.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    try:
        if isinstance(value, str | Decimal | Rational):
            return Fraction(value)
        if isinstance(value, Real):
            return Fraction(float(value))
    except (OverflowError, ValueError, ZeroDivisionError):
        pass
    raise InvalidInputError(f"{title}: is {shown(value)}; give a finite number")


def positive(value: object, name: str) -> Fraction:
    """The exact value of a positive number.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    try:
        result = number(value, name)
    except InvalidInputError:
        result = Fraction(0)
    if result <= 0:
        raise InvalidInputError(
            f"{name} = {shown(value)}: must be a positive number; give one above 0"
        )
    return result


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
