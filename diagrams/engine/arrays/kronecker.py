"""Polynomials as single numbers: packed into integers (Kronecker substitution), or sparse.

A polynomial with integer coefficients is one integer, the sum of its coefficients at fields of
fixed width: adding polynomials is adding integers, multiplying by a monomial is a shift. The width
has to hold every coefficient that occurs and its sign; it comes from a bound, never from a guess.

>>> fields = KroneckerLayout.fitting(bound=1000, extents=(3, 2))
>>> square = (1 << fields.shift((1, 0))) + (1 << fields.shift((0, 1)))
>>> fields.unpack(5 * square - (6 << fields.shift((0, 1))))
{(1, 0): 5, (0, 1): -1}

Every monomial that fits has a field, whether it occurs or not. Where these are many, as with more
than a few symbols, a sparse polynomial of python-flint is shorter:

>>> fields = SparseLayout((3, 2))
>>> fields.unpack(5 * fields.shift((1, 0)) - fields.shift((0, 1)))
{(1, 0): 5, (0, 1): -1}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import flint
import numpy as np

from diagrams.engine.arrays.codes import Weights

__all__ = ["KroneckerLayout", "SparseLayout", "objects"]


def objects(values: Sequence[Any]) -> Weights:
    """An array of objects, of which numpy does not look inside."""
    result: Weights = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        result[place] = value
    return result


_MOST_FIELDS = 1000
"""Fields of an integer beyond which sparse polynomials are faster."""


@dataclass(frozen=True, slots=True)
class KroneckerLayout:
    """Polynomials in the sizes as single integers, one field of ``width`` bits a coefficient.

    The coefficient of the monomial with exponents ``e`` stands at field ``sum(e * strides)``;
    exponents of axis ``a`` are below ``extents[a]``; an axis of extent 1 is ignored.
    """

    width: int
    extents: tuple[int, ...]

    @classmethod
    def fitting(cls, bound: int, extents: Sequence[int]) -> KroneckerLayout:
        """The layout, in whole bytes, for coefficients between ``-bound`` and ``bound``."""
        return cls(8 * ((bound.bit_length() + 1) // 8 + 1), tuple(extents))

    def shift(self, exponents: Sequence[int]) -> int:
        """Bits by which multiplying with this monomial shifts."""
        field_number, stride = 0, 1
        for exponent, extent in zip(exponents, self.extents, strict=True):
            field_number += exponent * stride if extent > 1 else 0
            stride *= extent
        return field_number * self.width

    @staticmethod
    def placed(coefficients: Weights, shift: Any) -> Weights:
        """Coefficients times a monomial."""
        result: Weights = coefficients << shift
        return result

    def unpack(self, value: int) -> dict[tuple[int, ...], int]:
        """Coefficients by exponents."""
        total = 1
        for extent in self.extents:
            total *= extent
        step = self.width // 8
        # Half of what a field holds is added to each of them, so that none is negative.
        half = 1 << (self.width - 1)
        offset = half * (((1 << total * self.width) - 1) // ((1 << self.width) - 1))
        data = (value + offset).to_bytes(total * step, "little")
        result = {}
        for number in range(total):
            field = int.from_bytes(data[number * step : (number + 1) * step], "little")
            if field != half:
                exponents = []
                for extent in self.extents:
                    number, exponent = divmod(number, extent)
                    exponents.append(exponent)
                result[tuple(exponents)] = field - half
        return result


@dataclass(frozen=True)
class SparseLayout:
    """Polynomials in the sizes with those monomials only that occur.

    Parameters
    ----------
    extents : tuple of int
        An axis of extent 1 is ignored.
    """

    extents: tuple[int, ...]

    @staticmethod
    def is_shorter(extents: Sequence[int]) -> bool:
        """Whether integers would have too many fields."""
        return prod(extents) > _MOST_FIELDS

    @cached_property
    def _context(self) -> flint.fmpz_mpoly_ctx:
        names = [f"x{number}" for number in range(len(self.extents))]
        return flint.fmpz_mpoly_ctx.get(names, "lex")

    def shift(self, exponents: Sequence[int]) -> flint.fmpz_mpoly:
        """The monomial."""
        powers = tuple(
            exponent if extent > 1 else 0
            for exponent, extent in zip(exponents, self.extents, strict=True)
        )
        return self._context.from_dict({powers: 1})

    @staticmethod
    def placed(coefficients: Weights, shift: Any) -> Weights:
        """Coefficients times a monomial."""
        return objects([int(c) * shift for c in coefficients])

    def unpack(self, value: flint.fmpz_mpoly | int) -> dict[tuple[int, ...], int]:
        """Coefficients by exponents; of a level at which nothing has arrived, none."""
        if isinstance(value, int):
            return {}
        return {tuple(map(int, powers)): int(c) for powers, c in value.to_dict().items()}
