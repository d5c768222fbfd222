"""Polynomials packed into single integers (Kronecker substitution).

A polynomial with non-negative integer coefficients is one integer with a field of fixed width for
each coefficient: adding polynomials is adding integers, multiplying by a monomial is a shift. The
width has to hold every coefficient that occurs; it comes from a bound, never from a guess.

>>> fields = Fields.fitting(bound=1000, extents=(3, 2))
>>> square = (1 << fields.shift((1, 0))) + (1 << fields.shift((0, 1)))
>>> fields.unpack(5 * square)
{(1, 0): 5, (0, 1): 5}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Fields"]


@dataclass(frozen=True, slots=True)
class Fields:
    """Polynomials in the sizes as single integers, one field of ``width`` bits a coefficient.

    The coefficient of the monomial with exponents ``e`` stands at field ``sum(e * strides)``;
    exponents of axis ``a`` are below ``extents[a]``; an axis of extent 1 is ignored.
    """

    width: int
    extents: tuple[int, ...]

    @classmethod
    def fitting(cls, bound: int, extents: Sequence[int]) -> Fields:
        """Fields for polynomials whose coefficients are at most ``bound``, in whole bytes."""
        return cls(8 * (bound.bit_length() // 8 + 1), tuple(extents))

    def shift(self, exponents: Sequence[int]) -> int:
        """Bits by which multiplying with this monomial shifts."""
        field_number, stride = 0, 1
        for exponent, extent in zip(exponents, self.extents, strict=True):
            field_number += exponent * stride if extent > 1 else 0
            stride *= extent
        return field_number * self.width

    def unpack(self, value: int) -> dict[tuple[int, ...], int]:
        """Coefficients by exponents."""
        total = 1
        for extent in self.extents:
            total *= extent
        step = self.width // 8
        data = value.to_bytes(total * step, "little")
        result = {}
        for number in range(total):
            coefficient = int.from_bytes(data[number * step : (number + 1) * step], "little")
            if coefficient:
                exponents = []
                for extent in self.extents:
                    number, exponent = divmod(number, extent)
                    exponents.append(exponent)
                result[tuple(exponents)] = coefficient
        return result
