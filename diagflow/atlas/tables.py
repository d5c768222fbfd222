r"""The loss of a regime as a table in its scaled variables, for regimes without a closed form.

The leading series of a regime is unchanged, up to a factor, under every scaling in the span of its
cone. So with the monomials y_1, y_2, ... that are of order one there (`Regime.conditions`), the
natural time N and a scale M of the loss,

    L(t) = c + M Φ(t N/T; y_1, y_2, ...),

where c is the part that only measures the target. A table holds Φ on a grid that is even in
log(1 + τ/τ_0) and in log y, and log τ_0, where τ_0(y) is the time of half of the change; a page
interpolates both with cubic polynomials. Its *error* is measured: the curve is asked for at
points between those of the grid, and at sizes that no point of the grid had, and compared with what
the table there. So a wrong law of scaling shows as an error too.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> from pde.solving import solution
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> table = tabulated(regime_set, "A", solution(regime_set, "A"))
>>> table.error < 1e-3, table.values.shape
(True, (64,))

Source: ours; interpolation after Catmull and Rom 1974.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from diagflow.comparison.representative import representative_times
from diagflow.time_limit import TimeLimit, time_limit
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.geometry.linear_algebra import Point, inner_product
from expansion.leading import LeadingSeries
from expansion.regimes import Learning, Regime, Regimes
from expansion.scaling_conditions import Relation
from pde.evolution import LossEvolution, Method, Solution

__all__ = ["Table", "Variables", "tabulated"]

FloatArray = NDArray[np.float64]

LARGEST_ERROR = 0.05
"""A table that is off by more, relative to how far the loss moves, is none."""

_LATEST = 24.0
"""The last time of a table, in units of τ_0."""

_TIMES = 64
_STEP = math.log1p(_LATEST) / (_TIMES - 1)
"""The distance of the times in log(1 + τ/τ_0); the first is zero."""

_PLACES = np.expm1(_STEP * np.arange(_TIMES))
"""The times in units of τ_0."""

_GRIDS = ((9, 2.0), (7, 2.0), (5, 2.0))
"""Points along a scaled variable, and the quotient of neighbours; the first that time allows."""

_PROBES = 6
"""Points at which the error is measured."""


@dataclass(frozen=True, slots=True)
class Variables:
    """How numbers become the scaled variables of a regime.

    Parameters
    ----------
    ratios : tuple of Point
        Exponents of the monomials that are of order one.
    time : tuple of Fraction
        Exponents of the natural time.
    scale : tuple of Fraction
        Exponents of the scale of the loss.
    directions : tuple of tuple of Fraction
        Exponents of numbers whose scaled variables are given: y_i is that of the i-th alone.
    symbols : tuple of str
    """

    ratios: tuple[Point, ...]
    time: tuple[Fraction, ...]
    scale: tuple[Fraction, ...]
    directions: tuple[tuple[Fraction, ...], ...]
    symbols: tuple[str, ...]

    @classmethod
    def of(cls, regime_set: Regimes, regime: Regime, left_out: Sequence[int] = ()) -> Variables:
        """The scaled variables of a regime.

        Raises
        ------
        InvalidInputError
            If no leading coefficient has a monomial.
        """
        symbols = regime.symbols
        ratios = tuple(
            tuple(dict(c.powers).get(name, 0) for name in symbols)
            for c in regime.conditions
            if c.relation is Relation.CONSTANT
        )
        times = dict(regime.natural_time)
        slope = tuple(Fraction(times.get(name, 0)) for name in symbols)
        leading = LeadingSeries(regime_set, regime)
        for s in range(leading.last + 1):
            if s in regime_set.polyhedra and s not in left_out and len(leading[s]):
                point = leading[s].exponents(symbols)[0]
                scale = tuple(x - s * y for x, y in zip(point, slope, strict=True))
                return cls(ratios, slope, scale, _dual(ratios), symbols)
        raise InvalidInputError(
            f"table of regime {regime.name}: no leading coefficient is known; expand more terms"
        )

    def logarithms(self, ys: Sequence[float], start: Mapping[str, float]) -> dict[str, float]:
        """Logarithms of numbers with some scaled variables, near others."""
        now = [self._of(ratio, start) for ratio in self.ratios]
        return {
            name: start[name]
            + sum(
                (math.log(y) - old) * float(direction[i])
                for y, old, direction in zip(ys, now, self.directions, strict=True)
            )
            for i, name in enumerate(self.symbols)
        }

    def _of(self, exponents: Sequence[Fraction | int], logs: Mapping[str, float]) -> float:
        return sum(
            float(power) * logs[name]
            for power, name in zip(exponents, self.symbols, strict=True)
            if power
        )

    def values(self, logs: Mapping[str, float]) -> tuple[float, ...]:
        """Logarithms of the scaled variables."""
        return tuple(self._of(ratio, logs) for ratio in self.ratios)

    def unit_time(self, logs: Mapping[str, float]) -> float:
        """1/N, the time that τ = 1 is."""
        return math.exp(-self._of(self.time, logs))

    def unit_loss(self, logs: Mapping[str, float]) -> float:
        """M, the scale of the loss."""
        return math.exp(self._of(self.scale, logs))


@dataclass(frozen=True, eq=False)
class Table:
    """Φ on a grid.

    Parameters
    ----------
    variables : Variables
    sign : int
        Whether it is a table of times after zero, or before.
    units : array
        log τ_0, of the shape of the axes.
    axes : tuple of array
        Logarithms of the scaled variables, evenly spaced.
    values : array
        Φ, of the shape of the axes and of the times; not a number outside the domain.
    error : float
        The largest error that was seen between the points, relative to the loss that moves.
    stated : float
        The error that the curve itself states, relative to the same.
    probes : int
        How many curves the error was measured on.
    """

    variables: Variables
    sign: int
    units: FloatArray
    axes: tuple[FloatArray, ...]
    values: FloatArray
    error: float
    stated: float
    probes: int

    @property
    def step(self) -> float:
        """The distance of the times in log(1 + τ/τ_0); the first is zero."""
        return _STEP

    def __call__(self, ys: Sequence[float], taus: FloatArray) -> FloatArray:
        """Φ at logarithms of scaled variables and at sizes of τ, as a page interpolates it."""
        whole, unit = self.values, self.units
        for axis, y in zip(self.axes, ys, strict=True):
            place = (y - axis[0]) / (axis[1] - axis[0])
            whole, unit = _interpolated(whole, place), _interpolated(unit, place)
        places = np.log1p(taus / math.exp(float(unit))) / _STEP
        return np.array([float(_interpolated(whole, place)) for place in places])


def tabulated(
    regime_set: Regimes, name: str, solved: Solution, *, seconds: float | None = None
) -> Table | None:
    """The table of a regime, or None if it cannot be tabulated with a small error.

    Parameters
    ----------
    regime_set : Regimes
    name : str
    solved : Solution
    seconds : float, optional
        What it may take: a coarser grid is used where a finer one would take longer.

    Notes
    -----
    There is none of a curve that is summed from the leading coefficients: a page sums them itself.
    """
    regime = regime_set[name]
    if solved.method is Method.RESUMMED:
        return None
    try:
        with time_limit(seconds, f"the table of regime {name}") as limit:
            return _tabulated(regime_set, regime, solved, limit)
    except DiagflowError:
        return None


def _tabulated(
    regime_set: Regimes, regime: Regime, solved: Solution, limit: TimeLimit
) -> Table | None:
    try:
        variables = Variables.of(regime_set, regime, solved.certificate.left_out)
        source = _Source(regime_set, regime, solved, variables)
        middle = source.middle()
    except (DiagflowError, ArithmeticError):
        return None
    if middle is None:
        return None
    logs, sign = middle
    began = time.monotonic()
    source.row(logs, sign)
    each = time.monotonic() - began
    count = len(variables.ratios)
    grid = next(
        (g for g in _GRIDS if limit.left is None or (g[0] ** count + _PROBES) * each < limit.left),
        None,
    )
    if grid is None:
        return None
    number, ratio = grid if count < 3 else _GRIDS[-1]
    steps: FloatArray = math.log(ratio) * (np.arange(number) - number // 2).astype(np.float64)
    axes: tuple[FloatArray, ...] = tuple(y + steps for y in variables.values(logs))
    units = np.full((number,) * count, np.nan)
    values = np.full((*units.shape, _TIMES), np.nan)
    for place in product(range(number), repeat=count):
        ys = [math.exp(axis[i]) for axis, i in zip(axes, place, strict=True)]
        units[place], values[place] = source.row(variables.logarithms(ys, logs), sign)
    table = Table(variables, sign, units, axes, values, math.inf, source.stated, 0)
    error, probes = _measured(table, source, logs)
    if not probes or not error + source.stated <= LARGEST_ERROR:
        return None
    return replace(table, error=error, stated=source.stated, probes=probes)


class _Source:
    """The curve of a solution in scaled variables, with the largest error that it states."""

    def __init__(
        self, regime_set: Regimes, regime: Regime, solved: Solution, variables: Variables
    ) -> None:
        self._found, self._regime = regime_set, regime
        self._solved, self._variables = solved, variables
        self.stated = 0.0

    def middle(self) -> tuple[dict[str, float], int] | None:
        """Logarithms of numbers at which the solution moves, and in which direction of time."""
        inside = dict(zip(self._regime.symbols, self._regime.cone.interior, strict=True))
        for base in (64, 16, 256, 4):
            logs = {name: math.log(base) * float(power) for name, power in inside.items()}
            for shift in (0.0, -math.log(2)):
                moved = {
                    name: value + (0.0 if name in self._found.exponents.growing else shift)
                    for name, value in logs.items()
                }
                try:
                    edges = representative_times(self._at(moved))
                except (DiagflowError, ArithmeticError):
                    continue
                sign = 1 if edges[1] > 0 else -1
                if np.count_nonzero(np.isfinite(self.row(moved, sign)[1])) > _TIMES // 2:
                    return moved, sign
        return None

    def row(self, logs: Mapping[str, float], sign: int) -> tuple[float, FloatArray]:
        """The logarithm of τ_0, and Φ at the times of a table."""
        nothing = math.nan, np.full(_TIMES, np.nan)
        try:
            evolution = self._at(logs)
            end = max(map(abs, representative_times(evolution)))
            stop = abs(evolution.domain.stop if sign > 0 else evolution.domain.start)
            grid = np.linspace(0.0, end, 201)
            late = np.array([x for x in (4 * end, 16 * end) if x < stop])
            with np.errstate(all="ignore"):
                losses = evolution(sign * np.concatenate([grid, late]))
        except (DiagflowError, ArithmeticError):
            return nothing
        change = np.abs(losses - losses[0])
        limit = evolution.limit(past=sign < 0)
        most = abs(limit - losses[0]) if limit is not None and math.isfinite(limit) else math.nan
        if not most > 0:
            most = float(np.max(change[np.isfinite(change)], initial=0.0))
        past = np.flatnonzero(change[: len(grid)] >= most / 2)
        if not most > 0 or not past.size or not past[0]:
            return nothing
        k = int(past[0])
        part = (most / 2 - change[k - 1]) / (change[k] - change[k - 1])
        unit = (grid[k - 1] + part * (grid[k] - grid[k - 1])) / self._variables.unit_time(logs)
        return math.log(unit), self.evaluate(logs, sign, unit * _PLACES)

    def _at(self, logs: Mapping[str, float]) -> LossEvolution:
        # Short numbers: exact work with sixteen digits takes far longer.
        numbers = {name: Fraction(f"{math.exp(value):.5g}") for name, value in logs.items()}
        return self._solved.at({**numbers, "T": Fraction(1)})

    def evaluate(self, logs: Mapping[str, float], sign: int, taus: FloatArray) -> FloatArray:
        """Φ at some times; not a number outside the domain, or where it is hardly known."""
        result = np.full(len(taus), np.nan)
        unit = self._variables.unit_loss(logs)
        try:
            evolution = self._at(logs)
            times = sign * taus * self._variables.unit_time(logs)
            inside = evolution.domain.inside(times)
            with np.errstate(all="ignore"):
                losses = evolution(times[inside])
                stated = self._errors(evolution, times[inside]) / unit
        except (DiagflowError, ArithmeticError):
            return result
        constant = 0.0
        if self._regime.learning is not Learning.FREE:
            pure = self._found.exponents.pure_target
            constant = float(pure.evaluate(**{name: math.exp(logs[name]) for name in pure.symbols}))
        result[inside] = (losses - constant) / unit
        errors = np.zeros_like(result)
        errors[inside] = stated
        result[~(np.isfinite(result) & (errors <= LARGEST_ERROR / 2 * _spread(result)))] = np.nan
        known = np.isfinite(result)
        if known.any() and errors[known].max() > 0:
            self.stated = max(self.stated, float(errors[known].max()) / _spread(result))
        return result

    def _errors(self, evolution: LossEvolution, times: FloatArray) -> FloatArray:
        if evolution.curve.errors is not None:
            return np.asarray(evolution.curve.errors(times))
        return np.full_like(times, evolution.error_estimate or 0.0)


def _measured(table: Table, source: _Source, logs: Mapping[str, float]) -> tuple[float, int]:
    """The largest error between the points of a grid, and how many curves it was seen on."""
    between = np.expm1(_STEP * (np.arange(_TIMES - 1) + 0.5))
    worst, probes = 0.0, 0
    for ys, moved in _probes(table, logs):
        taus = math.exp(source.row(moved, table.sign)[0]) * between
        exact = source.evaluate(moved, table.sign, taus)
        shown = table(ys, taus)
        known = np.isfinite(shown) & np.isfinite(exact)
        spread = _spread(exact)
        if not known.any() or not spread > 0:
            continue
        worst = max(worst, float(np.max(np.abs(shown - exact)[known])) / spread)
        probes += 1
    return worst, probes


def _probes(
    table: Table, logs: Mapping[str, float]
) -> Iterator[tuple[tuple[float, ...], dict[str, float]]]:
    """Scaled variables between the points of a grid, with numbers elsewhere in the regime."""
    variables = table.variables
    for k in range(_PROBES):
        ys = tuple(
            float(axis[0] + (axis[-1] - axis[0]) * (0.08 + 0.84 * ((0.37 * (k + 1) * (i + 1)) % 1)))
            for i, axis in enumerate(table.axes)
        )
        # Along the cone, where the scaled variables stay and everything else moves.
        factor = 1.0 + 0.15 * (k - 2)
        start = {name: factor * value for name, value in logs.items()}
        yield ys, variables.logarithms([math.exp(y) for y in ys], start)


def _spread(values: FloatArray) -> float:
    """How far a curve moves."""
    known = values[np.isfinite(values)]
    return float(known.max() - known.min()) if known.size else 0.0


def _interpolated(values: FloatArray, place: float) -> FloatArray:
    """A cubic through the four nearest values along the first axis; linear at the ends.

    Examples
    --------
    >>> float(_interpolated(np.array([0.0, 1.0, 4.0, 9.0, 16.0]), 1.5))
    2.25
    """
    last = len(values) - 1
    if not -1e-9 <= place <= last + 1e-9:
        nothing: FloatArray = np.full(values.shape[1:], np.nan)
        return nothing
    k = min(max(math.floor(place), 0), max(last - 1, 0))
    u = place - k
    if last == 0:
        return np.asarray(values[0])
    one, two = values[k], values[k + 1]
    before = values[k - 1] if k else 2 * one - two
    after = values[k + 2] if k + 2 <= last else 2 * two - one
    cubic = (
        one
        + u
        * (
            two
            - before
            + u * (2 * before - 5 * one + 4 * two - after + u * (3 * (one - two) + after - before))
        )
        / 2
    )
    straight = one + u * (two - one)
    result: FloatArray = np.where(np.isfinite(cubic), cubic, straight)
    return result


def _dual(ratios: Sequence[Point]) -> tuple[tuple[Fraction, ...], ...]:
    """For each ratio the shortest direction along which its logarithm alone grows, by one."""
    # The inverse of the Gram matrix, by Gauss and Jordan.
    size = len(ratios)
    rows = [
        [Fraction(inner_product(a, b)) for b in ratios]
        + [Fraction(int(i == j)) for j in range(size)]
        for i, a in enumerate(ratios)
    ]
    for k in range(size):
        pivot = next(i for i in range(k, size) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(size):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    inverse = [row[size:] for row in rows]
    return tuple(
        tuple(
            sum((c * r[i] for c, r in zip(line, ratios, strict=True)), Fraction(0))
            for i in range(len(ratios[0]))
        )
        for line in inverse
    )
