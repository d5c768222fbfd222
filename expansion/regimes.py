"""Learning regimes: which monomials of the expansion lead when the sizes grow.

For every s let P_s be the Newton polyhedron of Y_s without its pure-target term, with the sizes as
growing directions. A scaling picks a compact face of each P_s, its leading monomials; two scalings
belong to the same *regime* when they pick the same face for every s. So the regimes are the compact
faces of the Minkowski sum of the P_s, and their normal cones are the scaling conditions.

Only finitely many P_s are known. Their vertices are sorted into sequences that move linearly with s
(`expansion.vertex_sequences`). A regime is named by the sequences on it, and its conditions, its
natural T and its learning are read off them. If a wall between two sequences moves with s, every
finite number of coefficients shows thin faces near it which are no regimes: they are collected into
the one regime of that wall, which says how the wall moves and where it tends to.

- *dimension*: that of the face, the number of independent conditions ``~1`` on it;
- *natural T*: the monomial, the slope of the sequences, for which the leading part of Y_s/T^s keeps
  its order as s grows: the inverse learning rate with which the loss changes at t of order one;
- *learning*: free if no leading monomial contains the target, lazy if the number of factors of the
  target stays bounded as s grows, rich if it grows.

>>> from expansion.models import cp
>>> found = regimes(cp(order=2, symmetric=True), terms=4)
>>> [regime.name for regime in found]
['A', 'B', 'E', 'A-B', 'E-A', 'B-E', 'A-B-E']
>>> [str(condition) for condition in found["B-E"].conditions]
['H*sigma2 ~ 1', 'H/p -> oo']
>>> found["A-B"].learning.value, found["A-B"].natural_time
('free', (('H', Fraction(1, 1)), ('sigma2', Fraction(1, 1))))

Source: Yarotsky, Golikov, Gusev 2026, section 5, for the CP models; the definition is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from diagrams.errors import InvalidInputError
from expansion.cones import Cone
from expansion.exponents import SeriesExponents
from expansion.linear_algebra import Point, modulo
from expansion.naming import regime_name, sequence_names
from expansion.newton import Face, NewtonPolyhedron, minkowski_sum
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.scalings import Condition, Relation, as_monomial, simplest_basis, simplest_modulo
from expansion.series import Budget, Progress
from expansion.series_store import SeriesStore
from expansion.vertex_sequences import PERIODS, VertexSequence, Wall, common_slope

__all__ = ["Learning", "Regime", "Regimes", "regimes"]

RationalMonomial = tuple[tuple[str, Fraction], ...]


class Learning(StrEnum):
    """How much of the target a regime sees."""

    FREE = "free"
    LAZY = "lazy"
    RICH = "rich"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A learning regime: a face of the Newton polyhedra that leads under a cone of scalings.

    Parameters
    ----------
    name : str
        The names of its vertex sequences, joined.
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
        A scaling that belongs to the regime: at the observed s it picks these sequences. For a
        regime with moving walls, one in the limit cone.
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
    """

    exponents: SeriesExponents
    regimes: tuple[Regime, ...]
    polyhedra: Mapping[int, NewtonPolyhedron]
    start: int
    period: int

    def __iter__(self) -> Iterator[Regime]:
        return iter(self.regimes)

    def __len__(self) -> int:
        return len(self.regimes)

    def __getitem__(self, name: str) -> Regime:
        """The regime of a name; the order of the letters does not matter.

        Raises
        ------
        InvalidInputError
            If there is none; the message lists the names.
        """
        for regime in self.regimes:
            if regime.name == name:
                return regime
        parts = sorted(name.split("-"))
        faces = sorted(name.split(" & "))
        for regime in self.regimes:
            if sorted(regime.vertices) == parts or sorted(regime.name.split(" & ")) == faces:
                return regime
        raise InvalidInputError(
            f"regime {name!r}: this problem does not have it; choose one of "
            f"{', '.join(regime.name for regime in self.regimes)}"
        )

    @property
    def confirmed_by(self) -> int:
        """How many coefficients obey the linear laws beyond those that determine them."""
        return self.exponents.last - self.start - self.period

    @property
    def f_vector(self) -> tuple[int, ...]:
        """The numbers of regimes of dimension 0, 1, ..."""
        top = max(regime.dimension for regime in self.regimes)
        return tuple(
            sum(1 for regime in self.regimes if regime.dimension == k) for k in range(top + 1)
        )

    def includes(self, big: Regime, small: Regime) -> bool:
        """Whether the face of one regime contains that of another."""
        return set(big.vertices) >= set(small.vertices)

    def neighbours(self, regime: Regime) -> tuple[Regime, ...]:
        """Regimes of equal dimension that share a face of one dimension less.

        Regimes of dimension 0 are neighbours when one of dimension 1 joins them.
        """
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

    def face(self, regime: Regime, s: int) -> Face:
        """The leading face of Y_s in a regime: the smallest that holds its vertices.

        Before the vertices move linearly it is the face that the regime's scaling picks.

        Raises
        ------
        InvalidInputError
            If Y_s is zero or not known.
        """
        if s not in self.polyhedra:
            raise InvalidInputError(
                f"leading part of Y_{s}: it is zero or beyond Y_{self.exponents.last}, the last "
                "known coefficient; expand more terms"
            )
        if s < self.start:
            return self.polyhedra[s].face(regime.scaling)
        return _smallest_face(self.polyhedra[s], [q.point(s) for q in regime.sequences])


def regimes(
    source: Problem | SeriesExponents | Sequence[Polynomial],
    *,
    loss: str | None = None,
    terms: int | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    store: SeriesStore | None = None,
    executor: Executor | None = None,
) -> Regimes:
    """The learning regimes of a problem or of given coefficients.

    Parameters
    ----------
    source : Problem, SeriesExponents or sequence of Polynomial
        Coefficients from elsewhere are enough; see `SeriesExponents.of_coefficients` for sizes
        and amplitudes with other names than usual.
    loss : str, optional
        Which loss or observable of a problem; without it the loss that drives the flow.
    terms : int, optional
        The last coefficient that is used.
    budget, progress, store, executor
        For the expansion of a problem, see `LossSeries`.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients to decide how the vertices move, or no size grows.
    BudgetExceededError
        If the budget does not suffice.
    """
    if isinstance(source, Problem):
        exponents = SeriesExponents.of_problem(
            source,
            loss=loss,
            terms=terms,
            budget=budget,
            progress=progress,
            store=store,
            executor=executor,
        )
    elif isinstance(source, SeriesExponents):
        exponents = source
    else:
        exponents = SeriesExponents.of_coefficients(source)
    polyhedra = {
        s: NewtonPolyhedron(exponents.points(s), growing=exponents.growing_places)
        for s, polynomial in enumerate(exponents.coefficients)
        if len(polynomial)
    }
    start, sequences, groups = _sequences(polyhedra, exponents.last)
    members = {
        sequence: _learning(exponents, polyhedra, (sequence,), start) for sequence in sequences
    }
    problem = exponents.problem
    named = sequence_names(
        sequences,
        learning={sequence: learning.value for sequence, learning in members.items()},
        symbols=exponents.symbols,
        family=None if problem is None else problem.family,
    )
    edges = {frozenset(chosen) for chosen, dimension in groups.items() if dimension == 1}
    found = [
        _regime(exponents, polyhedra, chosen, sequences, named, dimension, start, edges)
        for chosen, dimension in groups.items()
    ]
    return Regimes(
        exponents=exponents,
        regimes=tuple(sorted(found, key=lambda r: (r.dimension, len(r.vertices), r.vertices))),
        polyhedra=polyhedra,
        start=start,
        period=sequences[0].period,
    )


def _sequences(
    polyhedra: Mapping[int, NewtonPolyhedron], last: int
) -> tuple[int, tuple[VertexSequence, ...], dict[tuple[VertexSequence, ...], int]]:
    """The vertex sequences, from which s on they hold, and the faces they span with dimensions."""
    for start in range(last):
        orders = range(start, last + 1)
        if not all(s in polyhedra for s in orders) or len(orders) < min(PERIODS) + 2:
            continue
        total = minkowski_sum(polyhedra[s] for s in orders)
        picked = [
            (face, {s: polyhedra[s].face(face.cone.interior).vertices for s in orders})
            for face in total.faces
        ]
        for period in PERIODS:
            fitted = {
                VertexSequence.fitted({s: at[s][0] for s in orders}, period=period)
                for face, at in picked
                if face.dimension == 0
            }
            sequences = tuple(sorted((q for q in fitted if q), key=lambda q: q.sort_key))
            if all({q.point(s) for q in sequences} >= set(polyhedra[s].vertices) for s in orders):
                groups: dict[tuple[VertexSequence, ...], int] = {}
                for face, at in picked:
                    chosen = _spanning(sequences, at)
                    groups[chosen] = max(face.dimension, groups.get(chosen, 0))
                return start, sequences, groups
    raise InvalidInputError(
        f"regimes: Y_0 ... Y_{last} are too few coefficients to decide how the vertices move; "
        f"give more terms, at least --terms {max(last + 1, max(PERIODS) + 1)}"
    )


def _spanning(
    sequences: tuple[VertexSequence, ...], at: Mapping[int, tuple[Point, ...]]
) -> tuple[VertexSequence, ...]:
    """The sequences on a face at every s, or the fewest that together meet all its vertices.

    The second case are the thin faces near a wall that moves.
    """
    on = tuple(q for q in sequences if all(q.point(s) in vertices for s, vertices in at.items()))
    if all({q.point(s) for q in on} == set(vertices) for s, vertices in at.items()):
        return on
    for size in range(1, len(sequences) + 1):
        for chosen in combinations(sequences, size):
            if all({q.point(s) for q in chosen} >= set(points) for s, points in at.items()):
                return chosen
    raise AssertionError("every vertex is on a sequence")


def _regime(
    exponents: SeriesExponents,
    polyhedra: Mapping[int, NewtonPolyhedron],
    chosen: tuple[VertexSequence, ...],
    sequences: tuple[VertexSequence, ...],
    named: Mapping[VertexSequence, str],
    dimension: int,
    start: int,
    edges: Set[frozenset[VertexSequence]],
) -> Regime:
    cone = _limit_cone(chosen, sequences, exponents)
    vertices = tuple(sorted(named[q] for q in chosen))
    symbols = exponents.symbols
    return Regime(
        name=regime_name(vertices),
        vertices=vertices,
        sequences=tuple(sorted(chosen, key=lambda q: named[q])),
        dimension=dimension,
        cone=cone,
        symbols=symbols,
        conditions=_conditions(cone, symbols, exponents.growing_places),
        natural_time=tuple(
            (name, power)
            for name, power in zip(symbols, common_slope(chosen), strict=True)
            if power
        ),
        learning=_learning(exponents, polyhedra, chosen, start),
        moving=tuple(
            wall
            for first, second in combinations(chosen, 2)
            if {first, second} in edges and (wall := Wall.between(first, second)).moves
        ),
        scaling=cone.interior,
    )


def _limit_cone(
    chosen: Sequence[VertexSequence],
    sequences: Sequence[VertexSequence],
    exponents: SeriesExponents,
) -> Cone:
    """The scalings at which the chosen sequences lead for large s."""
    size = len(exponents.symbols)
    equal = [normal for other in chosen[1:] for normal in Wall.between(chosen[0], other).limits]
    above = [
        normal
        for one in chosen
        for other in sequences
        if other not in chosen
        for normal in Wall.between(one, other).limits
    ]
    grow = [_unit(place, size) for place in exponents.growing_places]
    return Cone.from_inequalities([*above, *grow], equal, dimension=size)


def _conditions(
    cone: Cone, symbols: tuple[str, ...], growing: Sequence[int]
) -> tuple[Condition, ...]:
    size = len(symbols)
    basis = simplest_basis(cone.equations, dimension=size)
    grow = {modulo(_unit(place, size), cone.equations) for place in growing}
    still = [Condition(as_monomial(symbols, vector), Relation.CONSTANT) for vector in basis]
    bounds = [
        Condition.diverging(symbols, simplest_modulo(normal, basis))
        for normal in cone.inequalities
        if normal not in grow
    ]
    return (*still, *sorted(bounds, key=lambda condition: (len(condition.powers), str(condition))))


def _learning(
    exponents: SeriesExponents,
    polyhedra: Mapping[int, NewtonPolyhedron],
    chosen: tuple[VertexSequence, ...],
    start: int,
) -> Learning:
    if exponents.factors is None:
        return Learning.UNKNOWN
    most = {
        s: max(
            exponents.factors[s][point][1]
            for point in _smallest_face(polyhedra[s], [q.point(s) for q in chosen]).points
        )
        for s in range(start, exponents.last + 1)
    }
    if not any(most.values()):
        return Learning.FREE
    period = chosen[0].period
    bounded = all(most[s] <= most[s - period] for s in most if s - period in most)
    return Learning.LAZY if bounded else Learning.RICH


def _smallest_face(polyhedron: NewtonPolyhedron, points: Sequence[Point]) -> Face:
    """The face of smallest dimension that holds some vertices; faces are sorted by dimension."""
    return next(face for face in polyhedron.faces if set(face.vertices) >= set(points))


def _unit(place: int, size: int) -> Point:
    return tuple(int(i == place) for i in range(size))
