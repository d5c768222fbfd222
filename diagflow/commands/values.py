"""Numbers for symbols on the command line: ``p=512,H=256,sigma2=2e-5``.

>>> parse_values("p=512, sigma2=2e-5")
{'p': Fraction(512, 1), 'sigma2': Fraction(1, 50000)}
"""

from __future__ import annotations

import re
from fractions import Fraction

from diagrams.errors import InvalidInputError

__all__ = ["parse_values"]

_NUMBER = re.compile(
    r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?|[+-]?\d{1,400}/\d{1,400}",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)


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
    for part in text.split(","):
        name, sign, number = (piece.strip() for piece in part.partition("="))
        if not sign or not _NAME.fullmatch(name) or not _NUMBER.fullmatch(number):
            raise InvalidInputError(
                f"--at: {part.strip()[:40]!r} is not understood; write for example "
                "p=512,H=256,sigma2=2e-5"
            )
        if name in values:
            raise InvalidInputError(f"--at: {name} has two values; give one")
        try:
            values[name] = Fraction(number)
        except ZeroDivisionError:
            raise InvalidInputError(f"--at: {number} divides by zero; give a number") from None
    return values
