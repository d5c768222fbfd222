r"""One loss as another one in other units.

Let L be n/2 |m f - c F|² and L' be ½|f' - F'|², with the same model and target up to names, and let
the model have the degree ν in its weights. Then L(u) = κ L'(u') for u' = W^{1/2ν} u, where

    κ = n c²,    W = m²/c².

A gradient flow of u is one of u' in another time, from weights of another variance:

    σ'² = W^{1/ν} σ²,    t' = κ W^{1/ν} t.

The numbers n, m and c are monomials: rational numbers times powers of symbols, for example one over
a size in front of a loss, a multiplier of a tensor, or the amplitude of a target. A rate r of a
tensor w is a multiplier too, since the flow of w with the rate r is that of r^{-1/2} w. So κ and W
are monomials, and a monomial of Y'_s is one of Y_s times powers of symbols, which are integers:
of W there is one half for every factor f of a diagram.

>>> units = Rescaling(
...     values=(("p", Variance.parse("p")), ("sigma2", Variance.parse("2*v"))),
...     weights=("sigma2",),
...     loss=Variance.parse("1/p"),
...     square=Variance.parse("9*p**2"),
...     degree=2,
... )
>>> print(units.from_known(Polynomial.parse("p*sigma2**3"), 1))
648*p**3*v**3
>>> print(units.to_known(Polynomial.parse("648*p**3*v**3"), 1))
p*sigma2**3

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from diagrams.rationals import as_fmpq, as_fraction
from diagrams.variances import Variance
from expansion.polynomial import Polynomial
from expansion.vertex_sequences import Vector, VertexSequence

__all__ = ["ONE", "Rescaling", "power_of", "product", "root", "value_at"]

ONE = Variance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaling:
    """The units in which a loss is a known one.

    Parameters
    ----------
    values : tuple of (str, Variance)
        Each symbol of the known loss as a monomial in those of the problem, without W.
    weights : tuple of str
        The variances of weights among them, which carry W^{1/ν}.
    loss : Variance
        κ of the loss that drives the flow.
    square : Variance
        W.
    degree : int
        ν.
    """

    values: tuple[tuple[str, Variance], ...]
    weights: tuple[str, ...]
    loss: Variance = ONE
    square: Variance = ONE
    degree: int = 1

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the known loss."""
        return tuple(name for name, _ in self.values)

    @property
    def is_invertible(self) -> bool:
        """Whether a monomial of the problem belongs to one of the known loss at most."""
        return _left_inverse(self) is not None

    def from_known(
        self, coefficient: Polynomial, s: int, *, factor: Variance | None = None
    ) -> Polynomial:
        """Y'_s of the known loss, or a part of it, as that of the problem.

        Parameters
        ----------
        coefficient : Polynomial
        s : int
        factor : Variance, optional
            κ of the loss that is followed; that of the driving one by default.
        """
        terms: dict[tuple[tuple[str, int], ...], Fraction] = {}
        for powers, value in coefficient:
            image, number = self._image(dict(powers), s, factor or self.loss)
            key = tuple(sorted((name, _whole(k)) for name, k in image.items() if k))
            terms[key] = terms.get(key, Fraction(0)) + value * number
        return Polynomial(terms)

    def to_known(
        self, coefficient: Polynomial, s: int, *, factor: Variance | None = None
    ) -> Polynomial:
        """Y_s of the problem, or a part of it, as that of the known loss.

        Raises
        ------
        ValueError
            If it is none.
        """
        factor = factor or self.loss
        terms = {}
        for powers, value in coefficient:
            moved = self._minus_base(dict(powers), s, factor)
            known = self._preimage(moved)
            if known is None or any(k.denominator != 1 for k in known.values()):
                raise ValueError(f"Y_{s} is not that of the known loss in other units")
            key = tuple(sorted((name, int(k)) for name, k in known.items() if k))
            terms[key] = value / self._image(dict(key), s, factor)[1]
        return Polynomial(terms)

    def sequence(
        self, sequence: VertexSequence, symbols: Sequence[str], *, factor: Variance | None = None
    ) -> VertexSequence | None:
        """A vertex sequence of the problem as one of the known loss, in the order of `values`."""
        base = self._base(factor or self.loss)
        step = self._step()
        slope = self._moved(sequence.slope, symbols, step)
        offsets = [self._moved(offset, symbols, base) for offset in sequence.offsets]
        if slope is None or None in offsets:
            return None
        known = tuple(offset for offset in offsets if offset is not None)
        return VertexSequence(slope=slope, offsets=known, start=sequence.start)

    def numbers(self, given: Mapping[str, Fraction]) -> dict[str, tuple[Fraction, Fraction]]:
        """The symbols of the known loss at given numbers, each as r w^{1/ν}, in pairs (r, w)."""
        w = value_at(self.square, given)
        return {
            name: (value_at(value, given), w if name in self.weights else Fraction(1))
            for name, value in self.values
        }

    def rate(self, given: Mapping[str, Fraction]) -> tuple[Fraction, Fraction]:
        """How fast the time of the known loss passes, κ W^{1/ν}, as such a pair."""
        return value_at(self.loss, given), value_at(self.square, given)

    # -- exponents -------------------------------------------------------------------------------

    def _image(
        self, powers: Mapping[str, int], s: int, factor: Variance
    ) -> tuple[dict[str, Fraction], Fraction]:
        """The exponents of a monomial in the symbols of the problem, and the number in front."""
        weights = sum(powers.get(name, 0) for name in self.weights)
        values = dict(self.values)
        parts = [
            (factor, Fraction(1)),
            (self.loss, Fraction(s)),
            (self.square, Fraction(weights + s, self.degree)),
            *((values[name], Fraction(k)) for name, k in powers.items()),
        ]
        number = Fraction(1)
        for part, k in parts:
            number *= power_of(part.coefficient, k)
        return _sum(parts), number

    def _base(self, factor: Variance) -> dict[str, Fraction]:
        return _sum([(factor, Fraction(1))])

    def _step(self) -> dict[str, Fraction]:
        return _sum([(self.loss, Fraction(1)), (self.square, Fraction(1, self.degree))])

    def _minus_base(
        self, powers: Mapping[str, int], s: int, factor: Variance
    ) -> dict[str, Fraction]:
        base, step = self._base(factor), self._step()
        names = {*powers, *base, *step}
        return {
            n: Fraction(powers.get(n, 0)) - base.get(n, 0) - s * step.get(n, Fraction(0))
            for n in names
        }

    def _moved(
        self, vector: Vector, symbols: Sequence[str], base: Mapping[str, Fraction]
    ) -> Vector | None:
        given = dict(zip(symbols, vector, strict=True))
        names = {*given, *base}
        known = self._preimage(
            {n: given.get(n, Fraction(0)) - base.get(n, Fraction(0)) for n in names}
        )
        return None if known is None else tuple(known[name] for name, _ in self.values)

    def columns(self) -> dict[str, dict[str, Fraction]]:
        """The exponents of every symbol of the known loss in those of the problem."""
        share = Fraction(1, self.degree)
        return {
            name: _sum(
                [(value, Fraction(1)), *([(self.square, share)] if name in self.weights else [])]
            )
            for name, value in self.values
        }

    def _preimage(self, exponents: Mapping[str, Fraction]) -> dict[str, Fraction] | None:
        """The exponents of the symbols of the known loss; None if there are none."""
        inverse = _left_inverse(self)
        if inverse is None:
            return None
        result = {
            name: sum((row.get(n, Fraction(0)) * k for n, k in exponents.items()), Fraction(0))
            for name, row in inverse.items()
        }
        reached: dict[str, Fraction] = {}
        for name, column in self.columns().items():
            for n, k in column.items():
                reached[n] = reached.get(n, Fraction(0)) + k * result[name]
        names = {*reached, *exponents}
        same = all(reached.get(n, Fraction(0)) == exponents.get(n, Fraction(0)) for n in names)
        return result if same else None


@lru_cache(maxsize=64)
def _left_inverse(units: Rescaling) -> dict[str, dict[str, Fraction]] | None:
    """(MᵀM)⁻¹Mᵀ for the matrix M of exponents; None if its columns depend on each other."""
    import flint

    columns = units.columns()
    names = sorted({name for column in columns.values() for name in column})
    if not names:
        return None
    matrix = flint.fmpq_mat(
        [[as_fmpq(k) for k in (c.get(n, Fraction(0)) for n in names)] for c in columns.values()]
    )
    square = matrix * matrix.transpose()
    if square.det() == 0:
        return None
    inverse = square.inv() * matrix
    return {
        name: {n: as_fraction(inverse[i, j]) for j, n in enumerate(names)}
        for i, name in enumerate(columns)
    }


# -- monomials ------------------------------------------------------------------------------------


def product(*factors: tuple[Variance, int]) -> Variance:
    """A product of powers of monomials.

    Examples
    --------
    >>> str(product((Variance.parse("2*a"), 2), (Variance.parse("a/b"), -1)))
    '4*a*b'
    """
    number = Fraction(1)
    for factor, k in factors:
        number *= factor.coefficient**k
    total = _sum((factor, Fraction(k)) for factor, k in factors)
    return Variance(number, tuple(sorted((name, int(k)) for name, k in total.items() if k)))


def root(value: Variance, degree: int = 2) -> Variance | None:
    """A root of a monomial, the square root by default; None if it is no monomial.

    Examples
    --------
    >>> str(root(Variance.parse("9*p**4/4"))), root(Variance.parse("p"))
    ('3*p**2/2', None)
    """
    if any(k % degree for _, k in value.powers):
        return None
    try:
        number = power_of(value.coefficient, Fraction(1, degree))
    except ValueError:
        return None
    return Variance(number, tuple((name, k // degree) for name, k in value.powers))


def power_of(value: Fraction, exponent: Fraction) -> Fraction:
    """A rational power of a positive number, exactly.

    Raises
    ------
    ValueError
        If it is irrational.
    """
    from flint import fmpz

    raised = value**exponent.numerator
    if exponent.denominator == 1:
        return raised
    parts = [int(fmpz(n).root(exponent.denominator)) for n in raised.as_integer_ratio()]
    result = Fraction(parts[0], parts[1])
    if result**exponent.denominator != raised:
        raise ValueError(f"({value})**({exponent}) is irrational")
    return result


def value_at(value: Variance, given: Mapping[str, Fraction]) -> Fraction:
    """A monomial at given numbers."""
    result = value.coefficient
    for name, k in value.powers:
        result *= given[name] ** k
    return result


def _sum(parts: Iterable[tuple[Variance, Fraction]]) -> dict[str, Fraction]:
    """The exponents of a product of powers."""
    total: dict[str, Fraction] = {}
    for part, power in parts:
        for name, k in part.powers:
            total[name] = total.get(name, Fraction(0)) + k * power
    return total


def _whole(power: Fraction) -> int:
    if power.denominator != 1:
        raise ValueError(f"a power {power} of a symbol is no integer")
    return int(power)
