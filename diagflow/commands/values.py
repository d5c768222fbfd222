"""Numbers on the command line: ``p=512,H=256,sigma2=2e-5`` and ``START:STOP:COUNT``.

>>> parse_values("p=512, sigma2=2e-5")
{'p': Fraction(512, 1), 'sigma2': Fraction(1, 50000)}
>>> parse_times("-1:1:5")
(-1.0, -0.5, 0.0, 0.5, 1.0)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from diagrams.errors import InvalidInputError
from expansion.input_limits import legible

__all__ = ["MAXIMAL_COUNT", "MAXIMAL_VALUES", "parse_times", "parse_values"]

MAXIMAL_COUNT = 1_000_000
"""Largest number of times in one grid."""

MAXIMAL_VALUES = 100
"""Most values of one list."""

_NUMBER = re.compile(
    r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?|[+-]?\d{1,40}/\d{1,40}",
    re.ASCII,
)
_LARGEST = Fraction(10) ** 30
"""Numbers beyond it, and below one over it, have few products that are floating point numbers."""

_NAME = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


def parse_values(text: str) -> dict[str, Fraction]:
    """The numbers of a comma-separated list, exactly as they are written.

    Parameters
    ----------
    text : str
        Pairs ``name=number``; a number is a decimal such as ``2e-5`` or a quotient such as ``1/8``.

    Raises
    ------
    InvalidInputError
        If a part is not such a pair, or a name occurs twice.
    """
    values: dict[str, Fraction] = {}
    parts = text.split(",")
    if len(parts) > MAXIMAL_VALUES:
        raise InvalidInputError(f"--at: has more than {MAXIMAL_VALUES} values; give fewer")
    for part in parts:
        name, sign, number = (piece.strip() for piece in part.partition("="))
        if not sign or not _NAME.fullmatch(name) or not _NUMBER.fullmatch(number):
            raise InvalidInputError(
                f"--at: {part.strip()[:40]!r} is not understood; write for example "
                "p=512,H=256,sigma2=2e-5"
            )
        if name in values:
            raise InvalidInputError(f"--at: {name} has two values; give one")
        values[name] = _number(number, "--at")
    return values


DEFAULT_TIMES = "0:1:11"
"""The times of a solution without an option, if it holds so far."""

_NEARLY = 0.9
"""The last time, in units of the end of a domain that comes sooner."""


def times_inside(times: Sequence[float], stop: float) -> tuple[float, ...]:
    """The times, or as many from 0 to nearly the end of a domain that comes sooner.

    Parameters
    ----------
    times : sequence of float
        From 0 on, two at least.
    stop : float
        The end of the domain.

    Examples
    --------
    >>> times_inside((0.0, 0.5, 1.0), 2.0), times_inside((0.0, 0.5, 1.0), 0.25)
    ((0.0, 0.5, 1.0), (0.0, 0.113, 0.225))
    """
    if stop > times[-1]:
        return tuple(times)
    last = len(times) - 1
    return tuple(float(f"{_NEARLY * stop * k / last:.3g}") for k in range(last + 1))


def parse_times(text: str) -> tuple[float, ...]:
    """The times of a grid ``START:STOP:COUNT``, both ends included.

    Raises
    ------
    InvalidInputError
        If the text is not of this form, START is larger than STOP, or the count is not between 1
        and `MAXIMAL_COUNT`.
    """
    title = f"--times {legible(text, 60)}"
    parts = [part.strip() for part in text.split(":")]
    if (
        len(parts) != 3
        or not all(_NUMBER.fullmatch(part) for part in parts[:2])
        or not _COUNT.fullmatch(parts[2])
    ):
        raise InvalidInputError(
            f"{title}: is not understood; write START:STOP:COUNT, for example 0:2:50"
        )
    start, stop = (_number(part, "--times") for part in parts[:2])
    if start > stop:
        raise InvalidInputError(
            f"{title}: runs backwards; the times have to increase, write "
            f"{parts[1]}:{parts[0]}:{parts[2]}"
        )
    count = int(parts[2])
    if not 1 <= count <= MAXIMAL_COUNT:
        raise InvalidInputError(
            f"{title}: has {count} times; give a count from 1 to {MAXIMAL_COUNT}"
        )
    if count == 1:
        if start != stop:
            raise InvalidInputError(
                f"{title}: one time cannot be at two places; give START = STOP or a larger count"
            )
        return (float(start),)
    step = (stop - start) / (count - 1)
    return tuple(float(start + k * step) for k in range(count))


def _number(text: str, option: str) -> Fraction:
    try:
        number = Fraction(text)
    except ZeroDivisionError:
        raise InvalidInputError(f"{option}: {text} divides by zero; give a number") from None
    if number and not 1 / _LARGEST <= abs(number) <= _LARGEST:
        raise InvalidInputError(
            f"{option}: {text} is not between 1e-30 and 1e30 in size; choose another unit"
        )
    return number
