"""Exact linear combinations of diagrams.

A `DiagramSum` maps diagrams to rational coefficients. Isomorphic diagrams are one diagram, so
like terms are collected by construction; terms with coefficient zero disappear.

>>> from diagrams.tensors import Axis
>>> a, b = Diagram((Axis("p"),)), Diagram((Axis("H"),))
>>> total = DiagramSum({a: 1}) + DiagramSum({b: Fraction(1, 2)}) * 2
>>> print(total - DiagramSum({a: 1}))
1 * [H0]
>>> total - total == DiagramSum()
True

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from diagrams.diagram import Diagram

__all__ = ["DiagramSum", "collect"]


@dataclass(frozen=True, slots=True, init=False)
class DiagramSum:
    """A linear combination of diagrams with rational coefficients.

    Parameters
    ----------
    terms : mapping from Diagram to rational, optional
        Coefficients; zeros are dropped.
    """

    terms: tuple[tuple[Diagram, Fraction], ...]

    def __init__(self, terms: Mapping[Diagram, Fraction | int] | None = None) -> None:
        kept = {d: Fraction(c) for d, c in (terms or {}).items() if c}
        object.__setattr__(self, "terms", tuple(sorted(kept.items())))

    def __iter__(self) -> Iterator[tuple[Diagram, Fraction]]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __add__(self, other: DiagramSum) -> DiagramSum:
        return collect([*self, *other])

    def __mul__(self, scalar: Fraction | int) -> DiagramSum:
        return DiagramSum({diagram: c * scalar for diagram, c in self})

    __rmul__ = __mul__

    def __neg__(self) -> DiagramSum:
        return self * -1

    def __sub__(self, other: DiagramSum) -> DiagramSum:
        return self + -other

    def __str__(self) -> str:
        return " + ".join(f"{c} * [{diagram}]" for diagram, c in self) or "0"

    def __repr__(self) -> str:
        return f"DiagramSum({dict(self.terms)!r})"


def collect(terms: Iterable[tuple[Diagram, Fraction | int]]) -> DiagramSum:
    """Add up the coefficients of equal diagrams.

    Examples
    --------
    >>> from diagrams.tensors import Axis
    >>> node = Diagram((Axis("p"),))
    >>> print(collect([(node, 1), (node, Fraction(1, 2))]))
    3/2 * [p0]
    """
    total: dict[Diagram, Fraction] = {}
    for diagram, coefficient in terms:
        total[diagram] = total.get(diagram, Fraction(0)) + coefficient
    return DiagramSum(total)
