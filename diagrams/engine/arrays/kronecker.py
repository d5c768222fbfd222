"""Polynomials packed into single integers (Kronecker substitution).

A polynomial with integer coefficients is one integer, the sum of its coefficients at fields of
fixed width: adding polynomials is adding integers, multiplying by a monomial is a shift. The width
has to hold every coefficient that occurs and its sign; it comes from a bound, never from a guess.

>>> fields = KroneckerLayout.fitting(bound=1000, extents=(3, 2))
>>> square = (1 << fields.shift((1, 0))) + (1 << fields.shift((0, 1)))
>>> fields.unpack(5 * square - (6 << fields.shift((0, 1))))
{(1, 0): 5, (0, 1): -1}

Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["KroneckerLayout"]


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
