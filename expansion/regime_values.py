"""Learning regimes as values: a map of cells of scalings, with names, and what it is asked for.

`expansion.regimes.regimes` makes them.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> regime_set["A-B"], regime_set.f_vector, regime_set.neighbours(regime_set["A-B"])
(<regime A-B>, (3, 3, 1), (<regime E-A>, <regime B-E>))

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from os import PathLike
from typing import Any

from diagrams.arguments import shown
from diagrams.display import figure, frame, picture, report, save
from diagrams.errors import InvalidInputError
from expansion.geometry.cones import Cone
from expansion.geometry.linear_algebra import Point, modulo
from expansion.geometry.newton import Face, NewtonPolyhedron
from expansion.learning import Learning
from expansion.regime_map import Change
from expansion.scaling_conditions import (
    Condition,
    Relation,
    as_monomial,
    simplest_basis,
    simplest_modulo,
)
from expansion.series_exponents import SeriesExponents
from expansion.slices import Slice
from expansion.vertex_sequences import VertexSequence, Wall

__all__ = ["RationalMonomial", "Regime", "Regimes", "conditions_of"]

RationalMonomial = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A learning regime: a face of the Newton polyhedra that leads under a cone of scalings.

    Parameters
    ----------
    name : str
        The names of its vertex sequences, joined, or a number if they are many.
    vertices : tuple of str
        The names of its vertex sequences.
    sequences : tuple of VertexSequence
    dimension : int
    cone : Cone
        The closed cone of scalings, in the order of ``symbols``; if a wall moves, its limit.
    symbols : tuple of str
    conditions : tuple of Condition
        Together with the growth of the sizes they define the relative interior of the cone.
    natural_time : tuple of (str, Fraction)
        The monomial T.
    learning : Learning
    moving : tuple of Wall
        Walls between its sequences whose direction depends on s.
    scaling : tuple of int
        A scaling in the relative interior of the cone. Where walls around the regime move, it is
        so far inside that it belongs to the regime at all known s, if there is such a scaling.
    decided : bool
        Whether all known coefficients obey the law of the vertices here.
    """

    name: str
    vertices: tuple[str, ...]
    sequences: tuple[VertexSequence, ...]
    dimension: int
    cone: Cone
    symbols: tuple[str, ...]
    conditions: tuple[Condition, ...]
    natural_time: RationalMonomial
    learning: Learning
    moving: tuple[Wall, ...]
    scaling: Point
    decided: bool = True

    @property
    def is_primitive_edge(self) -> bool:
        """Whether it is an edge between neighbouring lattice points, for every s.

        Then all its monomials are those of its two vertices.
        """
        if len(self.sequences) != 2 or not self.decided:
            return False
        one, two = self.sequences
        if one.slope != two.slope or one.period != two.period:
            return False
        return all(
            gcd(*(int(x - y) for x, y in zip(first, second, strict=True))) == 1
            for first, second in zip(one.offsets, two.offsets, strict=True)
        )

    def __repr__(self) -> str:
        return f"<regime {self.name}>"


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """All regimes of a series, as far as its coefficients show them.

    Parameters
    ----------
    exponents : SeriesExponents
        What they were computed from.
    regimes : tuple of Regime
        By dimension, then by name.
    polyhedra : mapping from int to NewtonPolyhedron
        The Newton polyhedron of every Y_s that is not zero.
    start : int
        From this s on all vertices move linearly.
    period : int
        The period of the vertex sequences in s.
    law_last : int or None
        The last s of which this is true: the last known one, unless vertices appear late; None if
        the coefficients obey no law.
    confirmed_by : int
        How many coefficients obey the linear laws beyond those that determine them; zero if the
        maps of one and two coefficients fewer are not the same.
    confirmed : bool
        Whether the maps of one and of two coefficients fewer are known and the same.
    changes : tuple of Change
        Vertices that appear or vanish after ``law_last``.
    on : tuple of Slice
        The linear relations between exponents to which the map is restricted.
    """

    exponents: SeriesExponents
    regimes: tuple[Regime, ...]
    polyhedra: Mapping[int, NewtonPolyhedron]
    start: int
    period: int
    law_last: int | None
    confirmed_by: int
    confirmed: bool
    changes: tuple[Change, ...] = ()
    on: tuple[Slice, ...] = ()

    def __iter__(self) -> Iterator[Regime]:
        return iter(self.regimes)

    def __repr__(self) -> str:
        problem = self.exponents.problem
        title = "a given series" if problem is None else problem.title
        return f"<{len(self)} regimes of {title}, from Y_0 ... Y_{self.exponents.last}>"

    def __str__(self) -> str:
        return report("regimes", self)

    def _repr_html_(self) -> str | None:
        table: str | None = picture("regimes", self)
        return table

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        """A widget, where there is one; a notebook that shows none shows the table."""
        return picture("regimes as widget", self) or {}

    def to_frame(self) -> Any:
        """A data frame of pandas with a row for every regime.

        Raises
        ------
        InvalidInputError
            If pandas is not installed.
        """
        return frame(
            {
                "regime": [regime.name for regime in self],
                "dimension": [regime.dimension for regime in self],
                "conditions": [", ".join(map(str, regime.conditions)) for regime in self],
                "natural_time": [dict(regime.natural_time) for regime in self],
                "learning": [regime.learning.value for regime in self],
            }
        )

    def plot(self) -> Any:
        """The polygon of exponents and the regime map, as a figure of matplotlib.

        Raises
        ------
        InvalidInputError
            If there is no such figure.
        """
        return figure("regimes", self)

    def save(self, file: str | PathLike[str]) -> None:
        """Write the figure to an ``.svg``, ``.pdf`` or ``.png`` file, or the table to a ``.csv``.

        Raises
        ------
        InvalidInputError
            If the file has another ending or cannot be written.
        """
        save("regimes", self, file)

    def __len__(self) -> int:
        return len(self.regimes)

    def __getitem__(self, name: str) -> Regime:
        """The regime of a name; the names of its vertices in any order are a name as well.

        Raises
        ------
        InvalidInputError
            If there is none; the message lists the names.
        """
        if not isinstance(name, str):
            name = shown(name)  # what is no text is the name of none
        for regime in self.regimes:
            if regime.name == name:
                return regime
        parts = sorted(name.split("-"))
        faces = sorted(name.split(" & "))
        for regime in self.regimes:
            if sorted(regime.vertices) == parts or sorted(regime.name.split(" & ")) == faces:
                return regime
        raise InvalidInputError(
            f"regime {name!r}: this problem does not have it{self._where()}; choose one of "
            f"{', '.join(regime.name for regime in self.regimes)}"
        )

    def _of(self, regime: Regime | str) -> Regime:
        """A regime, or that of a name."""
        return regime if isinstance(regime, Regime) else self[regime]

    def _unknown(self, s: int) -> bool:
        """Whether Y_s is zero or not known."""
        given: object = s
        return not isinstance(given, int) or given not in self.polyhedra

    def _where(self) -> str:
        return f" on the slice {', '.join(map(str, self.on))}" if self.on else ""

    @property
    def undecided(self) -> tuple[Regime, ...]:
        """The regimes in which later coefficients do not obey the law of the vertices."""
        return tuple(regime for regime in self.regimes if not regime.decided)

    @property
    def f_vector(self) -> tuple[int, ...]:
        """The numbers of regimes of dimension 0, 1, ..."""
        top = max(regime.dimension for regime in self.regimes)
        return tuple(
            sum(1 for regime in self.regimes if regime.dimension == k) for k in range(top + 1)
        )

    def includes(self, big: Regime | str, small: Regime | str) -> bool:
        """Whether the face of one regime contains that of another.

        The scalings of the larger face are limits of those of the smaller one.
        """
        big, small = self._of(big), self._of(small)
        return set(big.vertices) >= set(small.vertices) and small.cone.contains(big.scaling)

    def neighbours(self, regime: Regime | str) -> tuple[Regime, ...]:
        """Regimes of equal dimension that share a face of one dimension less.

        Regimes of dimension 0 are neighbours when one of dimension 1 joins them.
        """
        regime = self._of(regime)
        step = -1 if regime.dimension else 1
        links = [r for r in self if r.dimension == regime.dimension + step]

        def linked(one: Regime, other: Regime) -> bool:
            return any(
                all(
                    self.includes(end, link) if step < 0 else self.includes(link, end)
                    for end in (one, other)
                )
                for link in links
            )

        return tuple(
            other
            for other in self
            if other.dimension == regime.dimension and other is not regime and linked(regime, other)
        )

    def face(self, regime: Regime | str, s: int) -> Face:
        """The leading face of Y_s in a regime: what its scaling picks.

        Raises
        ------
        InvalidInputError
            If Y_s is zero or not known.
        """
        if self._unknown(s):
            raise InvalidInputError(
                f"leading part of Y_{shown(s)}: it is zero or beyond Y_{self.exponents.last}, the "
                "last known coefficient; expand more terms"
            )
        return self.polyhedra[s].face(self._of(regime).scaling)

    def wall(self, regime: Regime | str, s: int) -> Face | None:
        """The edge between the two vertices of a regime at s, None if they do not share one.

        For a wall that moves, this is where it is at s.
        """
        regime = self._of(regime)
        if self._unknown(s):
            return None
        ends = tuple(sorted({sequence.point(s) for sequence in regime.sequences}))
        if len(ends) != 2:
            return None
        edges = (face for face in self.polyhedra[s].faces if face.dimension == 1)
        return next((edge for edge in edges if edge.vertices == ends), None)

    def restricted(self, text: str) -> Regimes:
        """The map on a linear subspace of scalings, given in words.

        Parameters
        ----------
        text : str
            Monomials that are of the same order, such as ``H ~ p, sigma2 ~ p**-1``.

        Raises
        ------
        InvalidInputError
            If it cannot be read, names other symbols, or no scaling with growing sizes obeys it.

        Examples
        --------
        >>> from expansion.models import cp
        >>> from expansion.regimes import regimes
        >>> regime_set = regimes(cp(order=2, symmetric=True), terms=4).restricted("H ~ p")
        >>> [(regime.name, [str(c) for c in regime.conditions]) for regime in regime_set]
        [('E', ['p*sigma2 -> 0']), ('A-B', ['p*sigma2 -> oo']), ('A-B-E', ['p*sigma2 ~ 1'])]
        """
        on = Slice.read_all(text, symbols=self.exponents.symbols)
        equations = [relation.normal for relation in (*self.on, *on)]
        found = []
        for regime in self.regimes:
            cone = Cone.from_inequalities(
                regime.cone.inequalities,
                [*regime.cone.equations, *equations],
                dimension=regime.cone.dimension_of_space,
            )
            if regime.cone.contains_in_interior(cone.interior):
                scaling = regime.scaling if cone.contains(regime.scaling) else cone.interior
                found.append((regime, cone, scaling))
        if not found or not any(scaling for _, _, scaling in found):
            raise InvalidInputError(
                f"slice {text}: no scaling with growing sizes obeys it; relate growing sizes with "
                "positive powers"
            )
        dimension = max(cone.dimension for _, cone, _ in found)
        return replace(
            self,
            on=(*self.on, *on),
            regimes=tuple(
                replace(
                    regime,
                    cone=cone,
                    scaling=scaling,
                    dimension=dimension - cone.dimension,
                    conditions=conditions_of(
                        cone, self.exponents.symbols, self.exponents.growing_places, equations
                    ),
                )
                for regime, cone, scaling in sorted(found, key=lambda item: -item[1].dimension)
            ),
        )


def conditions_of(
    cone: Cone,
    symbols: tuple[str, ...],
    growing: Sequence[int],
    given: Sequence[Point] = (),
) -> tuple[Condition, ...]:
    """What defines a cone together with the growth of the sizes and given equations."""
    size = len(symbols)
    basis = simplest_basis(cone.equations, beside=given, dimension=size)
    grow = {modulo(_unit(place, size), cone.equations) for place in growing}
    still = [Condition(as_monomial(symbols, vector), Relation.CONSTANT) for vector in basis]
    bounds = [
        Condition.diverging(symbols, simplest_modulo(normal, cone.equations))
        for normal in cone.inequalities
        if normal not in grow
    ]
    return (*still, *sorted(bounds, key=lambda condition: (len(condition.powers), str(condition))))


def _unit(place: int, size: int) -> Point:
    return tuple(int(i == place) for i in range(size))
