"""Linear subspaces of scalings, given in words: monomials that are of the same order.

>>> (relation,) = Slice.read_all("H ~ p**2", symbols=("p", "H", "sigma2"))
>>> relation.normal, str(relation)
((-2, 1, 0), 'H ~ p**2')

Source: ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from diagrams.arguments import word
from diagrams.errors import InvalidInputError
from expansion.geometry.linear_algebra import Point

__all__ = ["Slice"]

_FACTOR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(?:\*\*|\^)\(?(-?[0-9]{1,2})\)?)?|1")

_FORM = "write it as 'H ~ p, sigma2 ~ p**-1'"


@dataclass(frozen=True, slots=True)
class Slice:
    """Two monomials that are of the same order.

    Parameters
    ----------
    text : str
        The relation as it was given.
    normal : Point
        The exponents of their quotient: scalings of the slice are orthogonal to it.
    """

    text: str
    normal: Point

    def __str__(self) -> str:
        return self.text

    @classmethod
    def read_all(cls, text: str, *, symbols: Sequence[str]) -> tuple[Slice, ...]:
        """Relations with commas between them, each of the form ``monomial ~ monomial``.

        Raises
        ------
        InvalidInputError
            If one has another form, relates equal monomials or names another symbol.

        Examples
        --------
        >>> [relation.normal for relation in Slice.read_all("p*H ~ 1, p ~ 1/H", symbols=("p", "H"))]
        [(1, 1), (1, 1)]
        """
        return tuple(_read(part.strip(), symbols) for part in word(text, "slice").split(","))


def _read(text: str, symbols: Sequence[str]) -> Slice:
    sides = text.split("~")
    if len(sides) != 2:
        raise InvalidInputError(f"slice {text[:60]!r}: has to relate two monomials; {_FORM}")
    left, right = (_monomial(side, text, symbols) for side in sides)
    normal = tuple(a - b for a, b in zip(left, right, strict=True))
    if not any(normal):
        raise InvalidInputError(
            f"slice {text[:60]!r}: both sides are the same; relate two different monomials"
        )
    return Slice(text=" ".join(f"{sides[0].strip()} ~ {sides[1].strip()}".split()), normal=normal)


def _monomial(side: str, text: str, symbols: Sequence[str]) -> Point:
    """The exponents of a product of powers of symbols, with quotients."""
    exponents = [0] * len(symbols)
    rest, sign = "".join(side.split()), 1
    while True:
        match = _FACTOR.match(rest)
        if match is None:
            raise InvalidInputError(
                f"slice {text[:60]!r}: a side is no product of powers of symbols; {_FORM}"
            )
        name, power = match.groups()
        if name is not None:
            if name not in symbols:
                raise InvalidInputError(
                    f"slice {text[:60]!r}: {name[:40]!r} does not occur in the series; its symbols "
                    f"are {', '.join(symbols)}"
                )
            exponents[symbols.index(name)] += sign * (1 if power is None else int(power))
        rest = rest[match.end() :]
        if not rest:
            return tuple(exponents)
        if rest[0] not in "*/":
            raise InvalidInputError(
                f"slice {text[:60]!r}: a side is no product of powers of symbols; {_FORM}"
            )
        sign = 1 if rest[0] == "*" else -1
        rest = rest[1:]
