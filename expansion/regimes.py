"""Learning regimes: which monomials of the expansion lead when the sizes grow.

For every s let P_s be the Newton polyhedron of Y_s without its pure-target term, with the sizes as
growing directions. A scaling picks a compact face of each P_s, its leading monomials; two scalings
belong to the same *regime* when they pick the same face for every s. So the regimes are the compact
faces of the Minkowski sum of the P_s, and their normal cones are the scaling conditions.

Only finitely many P_s are known. Their vertices are sorted into sequences that move linearly with s
(`expansion.vertex_laws`), and the cells of scalings in which these lead for large s are the regimes
(`expansion.regime_cells`): every scaling with growing sizes is in exactly one of them. If a wall
between two sequences moves with s, every finite number of coefficients shows thin cells near it
which are no regimes: the wall is one regime, with its motion and its limit. What
the known coefficients do not decide is listed (`expansion.regime_map`).

Laws, checked on every map that is made (`expansion.regime_laws`):

- every scaling with growing sizes is in exactly one regime, and no two regimes share a cone;
  those in which a probability would grow beyond one, or a rank beyond the size of an axis it
  belongs to, are left out after this check;
- no condition makes sizes alone stay of order one;
- the natural T of a regime is the largest slope at its scalings.

- *dimension*: that of the face, the number of independent conditions ``~1`` on it;
- *natural T*: the monomial, the slope of the sequences, for which the leading part of Y_s/T^s keeps
  its order as s grows: the inverse learning rate with which the loss changes at t of order one;
- *learning*: free if no leading monomial contains the target, lazy if the number of factors of the
  target stays bounded as s grows, rich if it grows.

In discrete time Y_s is the mean after s steps of gradient descent, and the size of a step is a
symbol like others. Then the map is that of the given number of steps, nothing is extrapolated, and
the natural T is 1: the time is the number of steps.

>>> from expansion.models import cp
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> [regime.name for regime in regime_set]
['A', 'B', 'E', 'A-B', 'E-A', 'B-E', 'A-B-E']
>>> [str(condition) for condition in regime_set["B-E"].conditions]
['H*sigma2 ~ 1', 'H/p -> oo']
>>> regime_set["A-B"].learning.value, regime_set["A-B"].natural_time
('free', (('H', Fraction(1, 1)), ('sigma2', Fraction(1, 1))))

Source: Yarotsky, Golikov, Gusev 2026, section 5, for the CP models; the definition is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import replace
from itertools import combinations

from diagrams.arguments import several, shown
from diagrams.errors import InvalidInputError
from diagrams.variances import Variance
from expansion.geometry.cones import Cone
from expansion.geometry.convex_hull import Tick
from expansion.geometry.linear_algebra import Point
from expansion.geometry.newton import NewtonPolyhedron
from expansion.learning import Learning, learning
from expansion.limits import Limits
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.recognition import recognised
from expansion.regime_laws import check_map
from expansion.regime_map import Change, MapCell, RegimeMap, find_map, map_of_steps
from expansion.regime_names import natural_key, regime_names, sequence_names
from expansion.regime_values import RationalMonomial, Regime, Regimes, conditions_of
from expansion.series import Budget, Progress
from expansion.series_exponents import SeriesExponents
from expansion.series_store import SeriesStore
from expansion.vertex_sequences import VertexSequence, Wall, common_slope, order

__all__ = ["Change", "Learning", "RationalMonomial", "Regime", "Regimes", "regimes"]


def regimes(
    source: Problem | SeriesExponents | Sequence[Polynomial],
    *,
    loss: str | None = None,
    terms: int | None = None,
    slice: str | None = None,
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
        The last coefficient that is used; in discrete time the number of steps, which is needed.
    slice : str, optional
        Restrict the scalings, see `Regimes.restricted`.
    budget, progress, store, executor
        For the expansion of a problem, see `LossSeries`. The seconds, the memory and the progress
        are those of the geometry as well.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for a map, or no size grows.
    BudgetExceededError
        If the budget does not suffice.
    """
    limits = Limits(budget, what="the map of regimes", progress=progress)
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
        exponents = SeriesExponents.of_coefficients(_coefficients(source))
    limits = limits.at(exponents.last)
    polyhedra = exponents.polyhedra(tick=limits.tick)
    if exponents.discrete:
        found = map_of_steps(polyhedra, exponents.last, tick=limits.tick)
    else:
        growing = exponents.growing_places
        found = find_map(
            polyhedra,
            exponents.last,
            growing=growing,
            tick=limits.tick,
            periods=exponents.periods,
        )
    result = _described(exponents, polyhedra, found, limits.tick)
    check_map(result, tick=limits.tick)
    result = _possible(result)
    limits.end()
    return result if slice is None else result.restricted(slice)


def _possible(regime_set: Regimes) -> Regimes:
    """The regimes in which no probability and no rank would have to grow beyond its bound.

    The probability of a mask is at most one, the rank of an isometry at most the size of the axis
    it maps to. The names are those of the whole map. A regime that lies on both sides of a bound is
    met at a scaling that obeys it.
    """
    problem, symbols = regime_set.exponents.problem, regime_set.exponents.symbols
    if problem is None:
        return regime_set
    laws = {t.entries for t in problem.tensors if t.is_random}
    ratios = [dict(Variance.parse(law.probability).powers) for law in laws if law.probability]
    ratios += [{small.name: 1, large.name: -1} for small, large in problem.nested]
    bounds = {
        tuple(-powers.get(symbol, 0) for symbol in symbols)
        for powers in ratios
        if {*powers} & {*symbols}
    }
    if not bounds:
        return regime_set
    kept = []
    for regime in regime_set.regimes:
        cone = Cone.from_inequalities(
            (*regime.cone.inequalities, *sorted(bounds)),
            regime.cone.equations,
            dimension=regime.cone.dimension_of_space,
        )
        if regime.cone.contains_in_interior(cone.interior):
            inside = cone.contains(regime.scaling)
            kept.append(regime if inside else replace(regime, scaling=cone.interior))
    return replace(regime_set, regimes=tuple(kept))


def _coefficients(source: object) -> tuple[Polynomial, ...]:
    """The coefficients that are given instead of a problem."""
    try:
        return several(source, Polynomial, "regimes")
    except InvalidInputError:
        raise InvalidInputError(
            f"problem {shown(source)}: is neither a Problem nor coefficients; make one, as "
            "cp(order=3), or give Y_0, Y_1, ..."
        ) from None


def _described(
    exponents: SeriesExponents,
    polyhedra: Mapping[int, NewtonPolyhedron],
    found: RegimeMap,
    tick: Tick,
) -> Regimes:
    """The map with names, conditions, natural times and learning."""
    full = [cell for cell in found.cells if not cell.cone.equations]
    sequences = tuple(sorted((c.sequences[0] for c in full), key=lambda q: q.sort_key))
    learnt = {id(cell): _learning(exponents, polyhedra, cell, found) for cell in found.cells}
    kinds = {cell.sequences[0]: learnt[id(cell)].value for cell in full}
    named = _sequence_names(exponents, sequences, kinds)
    ordered = sorted(
        found.cells,
        key=lambda cell: (
            len(cell.cone.equations),
            len(cell.sequences),
            [natural_key(name) for name in _vertices(cell, named)],
            cell.cone.rays,
        ),
    )
    names = regime_names([_vertices(cell, named) for cell in ordered])
    edges = {
        frozenset(cell.sequences)
        for cell in found.cells
        if found.last is not None and len(cell.cone.equations) == 1 and len(cell.sequences) == 2
    }
    return Regimes(
        exponents=exponents,
        regimes=tuple(
            _regime(exponents, cell, name, named, learnt[id(cell)], edges, tick)
            for name, cell in zip(names, ordered, strict=True)
        ),
        polyhedra=polyhedra,
        start=found.start,
        period=found.period,
        law_last=found.last,
        confirmed_by=found.confirmed_by,
        confirmed=found.confirmed,
        changes=found.changes,
    )


def _sequence_names(
    exponents: SeriesExponents,
    sequences: Sequence[VertexSequence],
    kinds: Mapping[VertexSequence, str],
) -> dict[VertexSequence, str]:
    """A name for every sequence: that of the preset which the problem is, by whatever name."""
    problem, loss = exponents.problem, exponents.loss
    preset = None if problem is None else recognised(problem)
    if preset is None or problem is None or not preset.is_rescaled:
        return sequence_names(
            sequences,
            learning=kinds,
            symbols=exponents.symbols if preset is None else preset.symbols_of(exponents.symbols),
            family=None if problem is None else (preset.preset if preset else problem).family,
        )
    known = None
    if loss is None or loss in dict(preset.losses):
        known = preset.sequences(sequences, exponents.symbols, loss)
    if known is None:
        return sequence_names(
            sequences, learning=kinds, symbols=exponents.symbols, family=problem.family
        )
    mine = dict(zip(known, sequences, strict=True))
    names = sequence_names(
        sorted(known, key=lambda q: q.sort_key),
        learning={q: kinds[mine[q]] for q in known},
        symbols=preset.units.symbols,
        family=preset.preset.family,
    )
    return {mine[q]: name for q, name in names.items()}


def _vertices(cell: MapCell, named: Mapping[VertexSequence, str]) -> list[str]:
    """The names of the vertices of a cell, in natural order."""
    return sorted((named[q] for q in cell.sequences), key=natural_key)


def _regime(
    exponents: SeriesExponents,
    cell: MapCell,
    name: str,
    named: Mapping[VertexSequence, str],
    learnt: Learning,
    edges: Set[frozenset[VertexSequence]],
    tick: Tick,
) -> Regime:
    tick()
    symbols = exponents.symbols
    sequences = tuple(sorted(cell.sequences, key=lambda q: natural_key(named[q])))
    slope = common_slope(_fastest(sequences, cell.cone.interior))
    return Regime(
        name=name,
        vertices=tuple(named[q] for q in sequences),
        sequences=sequences,
        dimension=len(cell.cone.equations),
        cone=cell.cone,
        symbols=symbols,
        conditions=conditions_of(cell.cone, symbols, exponents.growing_places),
        natural_time=tuple(
            (symbol, power) for symbol, power in zip(symbols, slope, strict=True) if power
        ),
        learning=learnt,
        moving=tuple(
            wall
            for first, second in combinations(sorted(sequences, key=lambda q: q.sort_key), 2)
            if {first, second} in edges and (wall := Wall.between(first, second)).moves
        ),
        scaling=cell.scaling,
        decided=cell.decided,
    )


def _fastest(sequences: Sequence[VertexSequence], scaling: Point) -> list[VertexSequence]:
    """The sequences whose slope is the largest along a scaling: all, unless no law holds."""
    orders = [order(scaling, q.slope) for q in sequences]
    return [q for q, growth in zip(sequences, orders, strict=True) if growth == max(orders)]


def _learning(
    exponents: SeriesExponents,
    polyhedra: Mapping[int, NewtonPolyhedron],
    cell: MapCell,
    found: RegimeMap,
) -> Learning:
    if exponents.factors is None:
        return Learning.UNKNOWN
    most = {}
    for s in range(found.start, (exponents.last if found.last is None else found.last) + 1):
        if s in polyhedra:
            points = polyhedra[s].face(cell.scaling).points
            most[s] = max(exponents.factors[s][point][1] for point in points)
    return learning(most, period=1 if exponents.discrete else found.period)
