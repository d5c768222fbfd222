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

from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.wick import Monomial, monomial
from expansion.linear_algebra import Point
from expansion.polynomial import Polynomial, symbol_order
from expansion.problem import Problem
from expansion.series import Budget, LossSeries, Progress
from expansion.series_store import SeriesStore

__all__ = ["DEFAULT_DIAGRAMS", "SeriesExponents"]

DEFAULT_DIAGRAMS = 30_000
"""Without a number of terms, a problem is expanded until it has met this many diagrams."""

_MOST_DIAGRAMS = 20 * DEFAULT_DIAGRAMS
"""The same where they do not give the fewest coefficients that a map needs."""

_FEWEST_TERMS = 4
"""The last of the fewest coefficients that a map of regimes is usually read off."""

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

    @classmethod
    def of_problem(
        cls,
        problem: Problem,
        *,
        loss: str | None = None,
        terms: int | None = None,
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
            The last coefficient. Without it as many as `DEFAULT_DIAGRAMS` diagrams allow, at most
            Y_8, so that the answer does not depend on the machine.
        budget, progress, store, executor
            See `LossSeries`.

        Raises
        ------
        InvalidInputError
            If the number of terms is negative.
        BudgetExceededError
            If a budget is given and does not suffice for the terms.
        """
        if terms is not None and terms < 0:
            raise InvalidInputError(
                f"--terms {terms}: the number of the last coefficient is not negative; give 0 or "
                "more"
            )
        limits = budget or Budget()
        chosen = terms is not None or limits.diagrams is not None
        series = None
        for diagrams in (limits.diagrams,) if chosen else (DEFAULT_DIAGRAMS, _MOST_DIAGRAMS):
            series = LossSeries(
                problem.with_target_amplitude(_AMPLITUDE),
                loss=loss,
                budget=replace(limits, diagrams=diagrams),
                progress=progress,
                store=store,
                executor=executor,
            )
            # The second time, what one more coefficient costs is paid for a map only.
            last = terms if terms is not None else MAXIMAL_DEFAULT_TERMS
            try:
                series[_FEWEST_TERMS if diagrams == _MOST_DIAGRAMS and not chosen else last]
            except BudgetExceededError:
                if terms is not None or not series.known:
                    raise
            if len(series.known) > _FEWEST_TERMS:
                break
        assert series is not None
        return cls.of_coefficients(
            series.known,
            growing=problem.growing,
            amplitude=_AMPLITUDE,
            variances=problem.weight_variances,
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
        symbols = tuple(sorted(found - {amplitude}, key=symbol_order))
        sizes = (
            tuple(name for name in symbols if not name.startswith("sigma"))
            if growing is None
            else tuple(growing)
        )
        for name in sizes:
            if name not in symbols and problem is None:
                raise InvalidInputError(
                    f"symbol {name!r}: does not occur in the series; its symbols are "
                    f"{', '.join(symbols) or '(none)'}"
                )
        sizes = tuple(name for name in symbols if name in sizes)
        if not sizes:
            raise InvalidInputError(
                f"series in {', '.join(symbols) or 'no symbols'}: no symbol grows, so that no term "
                "leads; name the sizes"
            )
        fixed = {name for name in symbols if name not in sizes}
        weights = fixed if variances is None else set(variances)
        tables = []
        factors: list[dict[Point, tuple[int, int]]] = []
        pure: dict[Monomial, Fraction] = {}
        for s, polynomial in enumerate(coefficients):
            table: dict[Monomial, Fraction] = {}
            counted: dict[Point, tuple[int, int]] = {}
            for powers, coefficient in polynomial:
                exponents = dict(powers)
                count = exponents.pop(amplitude, 0) if amplitude else 0
                key = monomial(exponents)
                if s == 0 and weights and not weights & exponents.keys():
                    pure[key] = pure.get(key, Fraction(0)) + coefficient
                    continue
                table[key] = table.get(key, Fraction(0)) + coefficient
                point = tuple(exponents.get(name, 0) for name in symbols)
                least, largest = counted.get(point, (count, count))
                counted[point] = min(least, count), max(largest, count)
            tables.append(Polynomial(table))
            factors.append(counted)
        return cls(
            coefficients=tuple(tables),
            pure_target=Polynomial(pure),
            symbols=symbols,
            growing=sizes,
            factors=tuple(factors) if amplitude else None,
            problem=problem,
            loss=loss,
        )

    @property
    def growing_places(self) -> tuple[int, ...]:
        """The places of the growing symbols in a point."""
        return tuple(self.symbols.index(name) for name in self.growing)

    @property
    def last(self) -> int:
        """The s of the last coefficient."""
        return len(self.coefficients) - 1

    def points(self, s: int) -> tuple[Point, ...]:
        """The exponents of the monomials of Y_s, sorted."""
        return tuple(sorted(self.coefficients[s].exponents(self.symbols)))

    def target_factors(self, s: int, point: Point) -> tuple[int, int] | None:
        """The least and the largest number of target factors in a monomial, None if not known."""
        return None if self.factors is None else self.factors[s][point]
