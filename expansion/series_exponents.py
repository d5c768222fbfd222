"""The exponents of a series: what the map of learning regimes is computed from.

A monomial of Y_s is a point, its exponents with respect to a fixed order of symbols. The sizes
among the symbols *grow*; variances may grow or shrink. The *pure-target term*, the part of Y_0
without weights, does not move and is left out. If the target carries a symbolic amplitude, the
power of the amplitude counts the factors of the target and is no exponent.

>>> from expansion.models import cp
>>> points = SeriesExponents.of_problem(cp(order=2), terms=1)
>>> points.symbols, points.growing
(('p', 'H', 'sigma2'), ('p', 'H'))
>>> points.points(1)
((1, 1, 1), (2, 1, 3), (2, 2, 3), (3, 1, 3))
>>> points.target_factors(1, (1, 1, 1))
(2, 2)

Source: Yarotsky, Golikov, Gusev 2026, section 5; counting target factors by a symbol is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from diagrams.arguments import shown
from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.sums import DiagramSum
from diagrams.wick import Monomial, expectation, monomial
from expansion.cumulants import read_cumulant
from expansion.geometry.convex_hull import Tick, unhurried
from expansion.geometry.linear_algebra import Point
from expansion.geometry.newton import NewtonPolyhedron
from expansion.polynomial import Polynomial, symbol_order
from expansion.problem import Problem
from expansion.recognition import Recognised, recognised
from expansion.regime_map import find_map
from expansion.series import Budget, LossSeries, Progress, loss_series
from expansion.series_store import SeriesStore
from expansion.vertex_laws import laws
from expansion.vertex_sequences import INERTIAL_PERIODS, PERIODS

__all__ = ["DEFAULT_DIAGRAMS", "SeriesExponents", "pure_target_of"]

DEFAULT_DIAGRAMS = 30_000
"""Without a number of terms, a problem is expanded until it has met this many diagrams."""

DECIDING_DIAGRAMS = 120_000
"""So many if fewer do not decide how the vertices move."""

ENOUGH_DIAGRAMS = 12_000
"""More are not met for a map that the coefficients known confirm already."""

_RELIABLE = 6
"""From this s on, what a coefficient is expected to cost is right within a quarter."""

_INERTIAL_TERMS = 12
"""The last coefficient of a map under inertia that is not confirmed sooner."""

MAXIMAL_DEFAULT_TERMS = 8

_AMPLITUDE = "target_amplitude"


@dataclass(frozen=True)
class SeriesExponents:
    """The monomials of Y_0 ... Y_S with their coefficients and their target factors.

    Parameters
    ----------
    coefficients : tuple of Polynomial
        Y_0 ... Y_S, without the pure-target term, the amplitude of the target set to one.
    pure_target : Polynomial
        The pure-target term of Y_0.
    symbols : tuple of str
        The order of the exponents in a point.
    growing : tuple of str
        The symbols that are sizes.
    factors : tuple of mapping, optional
        For each s the least and the largest number of target factors of every point; None if they
        are not known.
    problem : Problem, optional
        Where the series comes from.
    loss : str, optional
        Which of its losses or observables it is; None is the loss that drives the flow.
    """

    coefficients: tuple[Polynomial, ...]
    pure_target: Polynomial
    symbols: tuple[str, ...]
    growing: tuple[str, ...]
    factors: tuple[dict[Point, tuple[int, int]], ...] | None = None
    problem: Problem | None = None
    loss: str | None = None

    def __repr__(self) -> str:
        title = "a given series" if self.problem is None else self.problem.title
        return f"<exponents of Y_0 ... Y_{self.last} of {title} in {', '.join(self.symbols)}>"

    @classmethod
    def of_problem(
        cls,
        problem: Problem,
        *,
        loss: str | None = None,
        terms: int | None = None,
        stopped: Callable[[BaseException], None] | None = None,
        budget: Budget | None = None,
        progress: Callable[[Progress], None] | None = None,
        store: SeriesStore | None = None,
        executor: Executor | None = None,
    ) -> SeriesExponents:
        """Expand a problem and count the factors of the target in every monomial.

        Parameters
        ----------
        problem : Problem
        loss : str, optional
            Which loss or observable; without it the loss that drives the flow.
        terms : int, optional
            The last coefficient. Without it as many as decide the map: once the maps of one and of
            two coefficients fewer are the same, none for which more than `ENOUGH_DIAGRAMS` would
            be met; until then as many as `DEFAULT_DIAGRAMS` allow, and if these do not decide how
            the vertices move, as many as `DECIDING_DIAGRAMS` allow until they do; at most Y_8.
            None is begun that the growth so far puts far beyond. Diagrams are counted, not
            seconds, so that the answer does not depend on the machine or its load.
        stopped : callable, optional
            Called with the `BudgetExceededError` or `KeyboardInterrupt` that ended the expansion
            before the terms were finished; the coefficients that are finished, at least Y_0, are
            used. Without it the exception is raised.
        budget, progress, store, executor
            See `LossSeries`.

        Raises
        ------
        InvalidInputError
            If the number of terms is negative, or missing although time is discrete.
        BudgetExceededError
            If a budget is given and does not suffice for the terms.
        """
        last: object = terms
        if last is not None and not (isinstance(last, int) and last >= 0):
            raise InvalidInputError(
                f"terms={shown(terms)}: is the number of the last coefficient; give 0 or more"
            )
        if problem.drive.step and terms is None:
            raise InvalidInputError(
                f"regimes of {problem.title}: its time is discrete, and the degree of a loss grows "
                "with every step by a factor; give the number of steps, such as steps=1"
            )
        limits = budget or Budget()
        counted = terms is None and limits.diagrams is None
        series = loss_series(
            problem.with_target_amplitude(_AMPLITUDE),
            loss=loss,
            budget=replace(limits, diagrams=DEFAULT_DIAGRAMS) if counted else limits,
            progress=progress,
            store=store,
            executor=executor,
        )
        try:
            if terms is not None:
                series[terms]
            elif counted:
                return cls._deciding(problem, loss, series)
            else:
                _reaches(series, MAXIMAL_DEFAULT_TERMS)
        except (BudgetExceededError, KeyboardInterrupt) as error:
            if not series.known or stopped is None:
                raise
            stopped(error)
        return cls._of_series(problem, loss, series.known)

    @classmethod
    def _deciding(cls, problem: Problem, loss: str | None, series: LossSeries) -> SeriesExponents:
        """The exponents of as many coefficients as decide the map."""
        found: SeriesExponents | None = None
        deciding = False
        for last in range(MAXIMAL_DEFAULT_TERMS + 1):
            if deciding or _likely_work(series) > ENOUGH_DIAGRAMS:
                found = cls._of_series(problem, loss, series.known)
                if found.has_law() if deciding else found.is_confirmed():
                    return found
            if not deciding and not _reaches(series, last):
                found = found or cls._of_series(problem, loss, series.known)
                if found.has_law():
                    return found
                series.budget = replace(series.budget, diagrams=DECIDING_DIAGRAMS)
                deciding = True
            if deciding and not _reaches(series, last):
                return found or cls._of_series(problem, loss, series.known)
            found = None
        found = cls._of_series(problem, loss, series.known)
        for last in range(MAXIMAL_DEFAULT_TERMS + 1, _INERTIAL_TERMS + 1):
            # A period of four takes more coefficients to be seen.
            if not problem.drive.momentum or found.is_confirmed() or not _reaches(series, last):
                break
            found = cls._of_series(problem, loss, series.known)
        return found

    @classmethod
    def _of_series(
        cls, problem: Problem, loss: str | None, known: Sequence[Polynomial]
    ) -> SeriesExponents:
        return cls.of_coefficients(
            known,
            growing=problem.growing,
            amplitude=_AMPLITUDE,
            pure_target=pure_target_of(
                problem.with_target_amplitude(_AMPLITUDE),
                problem.loss_name if loss is None else loss,
            ),
            problem=problem,
            loss=None if loss == problem.loss_name else loss,
        )

    @classmethod
    def of_coefficients(
        cls,
        coefficients: Sequence[Polynomial],
        *,
        growing: Sequence[str] | None = None,
        amplitude: str | None = None,
        variances: Sequence[str] | None = None,
        pure_target: Polynomial | None = None,
        problem: Problem | None = None,
        loss: str | None = None,
    ) -> SeriesExponents:
        """The exponents of coefficients from anywhere.

        Parameters
        ----------
        coefficients : sequence of Polynomial
            Y_0, Y_1, ...
        growing : sequence of str, optional
            The symbols that are sizes; without it all that do not begin with ``sigma``.
        amplitude : str, optional
            The symbol that multiplies the target, if there is one.
        variances : sequence of str, optional
            The variances of the weights; a term of Y_0 without any of them is the pure-target
            term. Without it all symbols that do not grow.
        pure_target : Polynomial, optional
            The pure-target term of Y_0, where it is known.

        Raises
        ------
        InvalidInputError
            If there is no coefficient, no symbol grows, or a symbol does not occur.

        Examples
        --------
        >>> series = [Polynomial.parse("1/2*p - p*H*sigma2"), Polynomial.parse("p*H**2*sigma2**2")]
        >>> found = SeriesExponents.of_coefficients(series)
        >>> found.growing, str(found.pure_target)
        (('p', 'H'), '1/2*p')
        """
        if not coefficients:
            raise InvalidInputError("series: has no coefficients; give Y_0, Y_1, ...")
        found = {name for polynomial in coefficients for name in polynomial.symbols}
        # A problem under other names has its symbols in the places that they have in the preset.
        known = None if problem is None else recognised(problem)
        names = {} if known is None else dict(known.symbols)
        places = {name: symbol_order(names.get(name, name)) for name in found - {amplitude}}
        symbols = tuple(sorted(places, key=lambda name: (*places[name], name)))
        sizes = _sizes(symbols, growing, any_symbol=problem is not None)
        if pure_target is None:
            weights = set(symbols) - {*sizes} if variances is None else set(variances)
            still = [(powers, c) for powers, c in coefficients[0] if not weights & {*dict(powers)}]
            pure_target = Polynomial(dict(still) if weights else {})
        moving = (coefficients[0] - pure_target, *coefficients[1:])
        return cls(
            coefficients=tuple(_at_amplitude_one(polynomial, amplitude) for polynomial in moving),
            pure_target=_at_amplitude_one(pure_target, amplitude),
            symbols=symbols,
            growing=sizes,
            factors=(
                tuple(_amplitude_powers(polynomial, symbols, amplitude) for polynomial in moving)
                if amplitude
                else None
            ),
            problem=problem,
            loss=loss,
        )

    def in_preset(self, known: Recognised, loss: str | None) -> SeriesExponents:
        """The same series in the symbols and units of the preset that its problem is.

        Parameters
        ----------
        known : Recognised
            How the problem is a preset; different monomials are different ones there.
        loss : str or None
            The loss of the preset.
        """
        moved = tuple(known.to_preset(c, s, self.loss) for s, c in enumerate(self.coefficients))
        found = SeriesExponents.of_coefficients(
            moved,
            growing=known.preset.growing,
            pure_target=Polynomial(),
            problem=known.preset,
            loss=loss,
        )

        def place(s: int, point: Point) -> Point:
            powers = {n: k for n, k in zip(self.symbols, point, strict=True) if k}
            one = known.to_preset(Polynomial({monomial(powers): Fraction(1)}), s, self.loss)
            return one.exponents(found.symbols)[0]

        factors = self.factors and tuple(
            {place(s, point): count for point, count in counts.items()}
            for s, counts in enumerate(self.factors)
        )
        target = known.to_preset(self.pure_target, 0, self.loss)
        return replace(found, pure_target=target, factors=factors)

    @property
    def growing_places(self) -> tuple[int, ...]:
        """The places of the growing symbols in a point."""
        return tuple(self.symbols.index(name) for name in self.growing)

    @property
    def last(self) -> int:
        """The s of the last coefficient."""
        return len(self.coefficients) - 1

    @property
    def discrete(self) -> bool:
        """Whether s counts steps, not derivatives in time."""
        return self.problem is not None and bool(self.problem.drive.step)

    @property
    def periods(self) -> tuple[int, ...]:
        """The periods with which vertices may move."""
        inertial = self.problem is not None and bool(self.problem.drive.momentum)
        return INERTIAL_PERIODS if inertial else PERIODS

    def has_law(self) -> bool:
        """Whether all vertices of the Newton polyhedra move linearly up to the last coefficient."""
        found = laws(self.polyhedra(), self.last, periods=self.periods)
        return next(iter(found), None) is not None

    def is_confirmed(self) -> bool:
        """Whether the maps of one and of two coefficients fewer are the same as that of all."""
        try:
            found = find_map(
                self.polyhedra(),
                self.last,
                growing=self.growing_places,
                tick=unhurried,
                periods=self.periods,
            )
        except InvalidInputError:  # too few coefficients
            return False
        return found.confirmed

    def polyhedra(self, *, tick: Tick = unhurried) -> dict[int, NewtonPolyhedron]:
        """The Newton polyhedron of every Y_s that is not zero.

        Parameters
        ----------
        tick : callable, optional
            Called during the work; it may raise an exception to end it.
        """
        for s, polynomial in enumerate(self.coefficients):
            if len(polynomial) and s not in self._polyhedra:
                self._polyhedra[s] = NewtonPolyhedron(
                    self.points(s), growing=self.growing_places, tick=tick
                )
        return dict(self._polyhedra)

    @cached_property
    def _polyhedra(self) -> dict[int, NewtonPolyhedron]:
        """Those that were asked for."""
        return {}

    def points(self, s: int) -> tuple[Point, ...]:
        """The exponents of the monomials of Y_s, sorted."""
        return tuple(sorted(self.coefficients[s].exponents(self.symbols)))

    def target_factors(self, s: int, point: Point) -> tuple[int, int] | None:
        """The least and the largest number of target factors in a monomial, None if not known."""
        return None if self.factors is None else self.factors[s][point]


def _sizes(
    symbols: Sequence[str], growing: Sequence[str] | None, *, any_symbol: bool
) -> tuple[str, ...]:
    """The symbols that grow, in the order of all; ``any_symbol`` allows names that do not occur."""
    sizes = [s for s in symbols if not s.startswith("sigma")] if growing is None else [*growing]
    for name in sizes:
        if name not in symbols and not any_symbol:
            raise InvalidInputError(
                f"symbol {name!r}: does not occur in the series; its symbols are "
                f"{', '.join(symbols) or '(none)'}"
            )
    if not {*symbols} & {*sizes}:
        raise InvalidInputError(
            f"series in {', '.join(symbols) or 'no symbols'}: no symbol grows, so that no term "
            "leads; name the sizes"
        )
    return tuple(name for name in symbols if name in sizes)


def _at_amplitude_one(polynomial: Polynomial, amplitude: str | None) -> Polynomial:
    """A polynomial at amplitude one of the target."""
    table: dict[Monomial, Fraction] = {}
    for powers, coefficient in polynomial:
        key = monomial({name: power for name, power in powers if name != amplitude})
        table[key] = table.get(key, Fraction(0)) + coefficient
    return Polynomial(table)


def _amplitude_powers(
    polynomial: Polynomial, symbols: Sequence[str], amplitude: str
) -> dict[Point, tuple[int, int]]:
    """For each point the least and the largest power of the amplitude of the target."""
    counted: dict[Point, tuple[int, int]] = {}
    for powers, _ in polynomial:
        exponents = dict(powers)
        count = exponents.get(amplitude, 0)
        point = tuple(exponents.get(name, 0) for name in symbols)
        least, largest = counted.get(point, (count, count))
        counted[point] = min(least, count), max(largest, count)
    return counted


def pure_target_of(problem: Problem, name: str) -> Polynomial:
    """The part of Y_0 without weights: it is no function of time."""
    name, order = read_cumulant(name)
    if order > 1:
        return Polynomial()
    quantity = problem.quantity(name)
    still = {
        diagram: coefficient
        for diagram, coefficient in quantity.diagrams
        if not any(tensor.is_learnable for tensor in diagram.tensors)
    }
    return Polynomial(expectation(DiagramSum(still))) * Polynomial(
        {quantity.normalisation: Fraction(1)}
    )


def _likely_work(series: LossSeries) -> int:
    """How many diagrams will have been met with the next coefficient; 0 if it is not known."""
    cost = series.expected_cost()
    return 0 if cost is None else series.work + cost.diagrams + cost.contractions


def _reaches(series: LossSeries, last: int) -> bool:
    """Whether the limit on diagrams allows Y_last; other limits may not decide it."""
    limit = series.budget.diagrams
    known = len(series.known)
    if limit is not None and known == last:
        margin = Fraction(5, 4) if last >= _RELIABLE else 2
        if _likely_work(series) > margin * limit:
            return False
    try:
        series[last]
    except BudgetExceededError:
        if not series.known or limit is None or series.work <= limit:
            raise
        return False
    return True
