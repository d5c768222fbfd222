"""How the vertices of Newton polyhedra move with the order s of the coefficient.

The Newton polyhedra P_0, P_1, ... of the coefficients of one series grow with s. A *vertex
sequence* is a vertex of every P_s from some s on that moves linearly,

    v_s = a_{s mod m} + s b,

with one *slope* b and an *offset* a for each residue of s modulo the *period* m: the polyhedra of
even and odd s may be different, which is a period of 2. The slope measures what one more time
derivative costs, so along a scaling α the natural T of the sequence has the order α·b.

Sequences are found, not declared: a scaling picks a vertex of every P_s, and the vertices that it
picks are tested for the law. The law has more equations than unknowns, so it can fail; the number
of coefficients beyond those that determine it measures its confirmation. What is observed up to
some s is not a theorem.

Two sequences are separated by a *wall*, the scalings at which both have the same order. When their
difference keeps its direction the wall stands still; otherwise it *moves* with s towards a limit.

>>> sequence = VertexSequence.fitted({1: (5, 1), 2: (7, 1), 3: (9, 1)}, period=1)
>>> sequence.slope, sequence.point(4)
((Fraction(2, 1), Fraction(0, 1)), (11, 1))
>>> VertexSequence.fitted({1: (5, 1), 2: (7, 1), 3: (9, 2)}, period=1) is None
True

Source: the vertices of the CP models are those of Yarotsky, Golikov, Gusev 2026, section 5; the
general notion is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from expansion.geometry.linear_algebra import Point, integer_multiple, primitive

__all__ = [
    "INERTIAL_PERIODS",
    "PERIODS",
    "Vector",
    "VertexSequence",
    "Wall",
    "common_slope",
    "order",
]

PERIODS = (1, 2)
"""Periods that are tried, the smallest first."""

INERTIAL_PERIODS = (*PERIODS, 4)
"""The same under inertia, where a force acts every second derivative."""

Vector = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexSequence:
    """A vertex of every Newton polyhedron from some s on, moving linearly.

    Parameters
    ----------
    slope : tuple of Fraction
        The change of the exponents with s, on average over a period.
    offsets : tuple of tuple of Fraction
        For each residue of s modulo the period, the exponents less s times the slope.
    start : int
        The first s at which the sequence was observed.
    """

    slope: Vector
    offsets: tuple[Vector, ...]
    start: int

    @classmethod
    def fitted(cls, points: Mapping[int, Point], *, period: int) -> VertexSequence | None:
        """The sequence through the given vertices, or None if they do not move linearly.

        Parameters
        ----------
        points : mapping from int to Point
            The vertex at each of consecutive s, at least two more than the period; or at those
            with the same residues, at least three, where the coefficients of others are zero.
        period : int
            The period m of the offsets.
        """
        orders = sorted(points)
        if len(orders) < (period + 2 if _consecutive(orders) else 3):
            return None
        start = orders[0]
        if start + period not in points:
            return None
        slope = tuple(
            Fraction(after - before, period)
            for before, after in zip(points[start], points[start + period], strict=True)
        )
        offsets: dict[int, Vector] = {}
        for s in orders:
            offset = tuple(x - s * b for x, b in zip(points[s], slope, strict=True))
            if offsets.setdefault(s % period, offset) != offset:
                return None
        known = offsets[start % period]
        return cls(
            slope=slope,
            offsets=tuple(offsets.get(residue, known) for residue in range(period)),
            start=start,
        )

    @property
    def period(self) -> int:
        """The period of the offsets."""
        return len(self.offsets)

    def point(self, s: int) -> Point:
        """The exponents of the vertex at s, also beyond the observed ones."""
        offset = self.offsets[s % self.period]
        entries = [a + s * b for a, b in zip(offset, self.slope, strict=True)]
        return tuple(int(entry) for entry in entries)

    def order(self, scaling: Sequence[int], s: int) -> Fraction:
        """The order of the monomial at s under a scaling."""
        return order(scaling, self.offsets[s % self.period]) + s * order(scaling, self.slope)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Order of sequences: by slope and offsets."""
        return self.slope, self.offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Where two vertex sequences have the same order: α·(a + s b) = 0 for each pair (a, b).

    Parameters
    ----------
    slope : tuple of Fraction
        The difference of the slopes of the sequences.
    offsets : tuple of tuple of Fraction
        The differences of their offsets, one for each residue of s.
    """

    slope: Vector
    offsets: tuple[Vector, ...]

    @classmethod
    def between(cls, first: VertexSequence, second: VertexSequence) -> Wall:
        """The wall on whose positive side the first sequence leads."""
        return cls(
            slope=_minus(first.slope, second.slope),
            offsets=tuple(_minus(a, b) for a, b in zip(first.offsets, second.offsets, strict=True)),
        )

    @property
    def limits(self) -> tuple[Point, ...]:
        """The primitive normals that the wall tends to as s grows, one or one for each residue."""
        if any(self.slope):
            return (integer_multiple(self.slope, dimension=len(self.slope)),)
        found = {
            integer_multiple(offset, dimension=len(offset))
            for offset in self.offsets
            if any(offset)
        }
        return tuple(sorted(found))

    @property
    def moves(self) -> bool:
        """Whether the direction of the wall depends on s."""
        return any(self.slope) and any(
            any(offset) and not _parallel(offset, self.slope) for offset in self.offsets
        )

    def normal(self, s: int) -> Point:
        """The primitive normal of the wall at s, zero where the sequences meet."""
        offset = self.offsets[s % len(self.offsets)]
        entries = [a + s * b for a, b in zip(offset, self.slope, strict=True)]
        return integer_multiple(entries, dimension=len(entries))


def order(scaling: Sequence[int], exponents: Sequence[Fraction]) -> Fraction:
    """The order of a monomial with rational exponents under a scaling.

    Examples
    --------
    >>> order((2, 4), (Fraction(1, 2), Fraction(-1)))
    Fraction(-3, 1)
    """
    return sum((x * b for x, b in zip(scaling, exponents, strict=True)), Fraction(0))


def _consecutive(orders: Sequence[int]) -> bool:
    return orders == list(range(orders[0], orders[0] + len(orders)))


def _minus(first: Vector, second: Vector) -> Vector:
    return tuple(x - y for x, y in zip(first, second, strict=True))


def _parallel(first: Vector, second: Vector) -> bool:
    """Whether two vectors, not zero, are multiples of each other."""
    size = len(first)
    one, other = (primitive(integer_multiple(v, dimension=size)) for v in (first, second))
    return one in (other, tuple(-entry for entry in other))


def common_slope(sequences: Sequence[VertexSequence]) -> Vector:
    """The simplest slope among some sequences: few symbols, small exponents."""
    return min(
        (sequence.slope for sequence in sequences),
        key=lambda slope: (
            sum(1 for entry in slope if entry),
            sum(abs(entry) for entry in slope),
            slope,
        ),
    )
