"""A polynomial system at numbers, as a flow that expands itself in powers of time.

What `pde.systems.trajectory` needs of its equations are `EquationsOfMotion`: a start, and around
any state the Taylor coefficients of the state and of the output. `SystemFlow` is a
`PolynomialSystem` at numbers; its variables are measured in units that keep every number that
occurs of moderate size, whatever the sizes and variances are: |x_i(0)|, or, where it vanishes,
|x_{i,n}| U^n for the largest n, with U the time in which the first variables change. The units are
powers of two, so that nothing is rounded by them.

>>> from expansion.dynamics.system import SystemTerm
>>> from expansion.polynomial import Polynomial
>>> p = Polynomial.parse
>>> decay = PolynomialSystem(
...     variables=("x",),
...     rates=((SystemTerm(p("-2"), ((0, 1),)),),),
...     initial=(p("1000"),),
...     output=(SystemTerm(p("1"), ((0, 1),)),),
... )
>>> flow = SystemFlow(decay)
>>> [float(c) for c in flow.expand(flow.start, 3, 1.0)[1]], flow.unit
([1000.0, -1000.0, 500.0, -166.66666666666666], 0.5)

Source: ours; A. Jorba, M. Zou, Experimental Mathematics 14 (2005) 99, for the Taylor method.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import CapacityError
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from pde.systems.dimensions import Powers
from pde.systems.exact import exact_series, products
from pde.systems.slopes import DenseSlopes, Jacobian

__all__ = ["EquationsOfMotion", "SystemFlow"]

FloatArray = NDArray[np.float64]

_FIRST = 10
"""Exact coefficients from which units are chosen."""


class EquationsOfMotion(Protocol):
    """Equations of motion that are expanded around a state.

    Attributes
    ----------
    start : numpy.ndarray, shape (n,)
        The state at time 0.
    unit : float
        The time in which it changes; times of a flow are in this unit.
    """

    start: FloatArray
    unit: float

    @property
    def is_large(self) -> bool:
        """Whether its slopes have no matrix."""
        ...

    def expand(self, state: FloatArray, order: int, step: float) -> tuple[FloatArray, FloatArray]:
        """Taylor coefficients around a state, of the state and of the output.

        Parameters
        ----------
        state : numpy.ndarray, shape (n,)
        order : int
        step : float
            The coefficients are those of powers of (time/step); negative to go back in time.

        Returns
        -------
        state : numpy.ndarray, shape (order + 1, n)
        output : numpy.ndarray, shape (order + 1,)
        """
        ...

    def slopes(self, state: FloatArray) -> Jacobian:
        """Derivatives of the rates."""
        ...


class SystemFlow:
    """A system with numbers for its coefficients.

    Parameters
    ----------
    system : PolynomialSystem
        Without symbols, see `pde.systems.exact.at_numbers`.

    Raises
    ------
    CapacityError
        If a number of the system in its own units is beyond double precision.
    """

    is_large = False

    def __init__(self, system: PolynomialSystem) -> None:
        self.size = len(system.variables)
        first = list(islice(exact_series(system), _FIRST))
        time = _time_unit(first)
        units = [_unit([row[i] for row in first], time) for i in range(self.size)]
        self.scales = np.array([_float(unit) for unit in units])
        self.unit = _float(time)
        self.start = np.array([_float(first[0][i] / units[i]) for i in range(self.size)])
        rates = [
            [_scaled(term, units, time / units[i]) for term in rate]
            for i, rate in enumerate(system.rates)
        ]
        output = [_scaled(term, units, Fraction(1)) for term in system.output]
        wanted = [powers for row in (*rates, output) for _, powers in row]
        plan = products(self.size, wanted)
        self._levels = _levels(self.size, plan.pairs)
        width = self.size + len(plan.pairs)
        self._rates = np.zeros((self.size, width))
        self._constant = np.zeros(self.size)
        self._output = np.zeros(width)
        self._offset = 0.0
        for i, row in enumerate(rates):
            for coefficient, powers in row:
                if powers:
                    self._rates[i, plan.places[powers]] += coefficient
                else:
                    self._constant[i] += coefficient
        for coefficient, powers in output:
            if powers:
                self._output[plan.places[powers]] += coefficient
            else:
                self._offset += coefficient
        self._slopes = _slopes(rates)
        self._width = width

    def expand(self, state: FloatArray, order: int, step: float) -> tuple[FloatArray, FloatArray]:
        """Taylor coefficients around a state, of the state and of the output."""
        series = np.zeros((order + 1, self._width))
        series[0, : self.size] = state
        for n in range(order + 1):
            for place, one, other in self._levels:
                series[n, place] = np.einsum("ij,ij->j", series[: n + 1, one], series[n::-1, other])
            if n < order:
                slope = self._rates @ series[n]
                if n == 0:
                    slope = slope + self._constant
                series[n + 1, : self.size] = slope * (step / (n + 1))
        output = series @ self._output
        output[0] += self._offset
        return series[:, : self.size], output

    def slopes(self, state: FloatArray) -> DenseSlopes:
        """Derivatives of the rates."""
        result = np.zeros((self.size, self.size))
        for row, column, coefficient, powers in self._slopes:
            value = coefficient
            for place, power in powers:
                value *= float(state[place]) ** power
            result[row, column] += value
        return DenseSlopes(result)


def _float(value: Fraction) -> float:
    try:
        result = float(value)
    except OverflowError:
        result = inf
    if result in {inf, -inf} or (value and not result):
        raise CapacityError(
            "numbers of a system: one of them is beyond double precision; give less extreme sizes "
            "and variances"
        )
    return result


def _scaled(term: SystemTerm, units: list[Fraction], factor: Fraction) -> tuple[float, Powers]:
    value = term.coefficient.coefficient() * factor
    for place, power in term.powers:
        value *= units[place] ** power
    # Underflow is a term that does not matter in these units.
    try:
        return float(value), term.powers
    except OverflowError:
        return _float(value), term.powers


def _bits(value: Fraction) -> int:
    """The logarithm of |value| to base 2, rounded to one or the other side."""
    return value.numerator.bit_length() - value.denominator.bit_length()


def _power_of_two(value: Fraction) -> Fraction:
    return Fraction(2) ** _bits(value)


def _rate(series: list[Fraction]) -> Fraction:
    """The largest |x_n/x_0|^{1/n} as a power of two, for a series that starts."""
    logs = [Fraction(_bits(c / series[0]), n) for n, c in enumerate(series) if n and c]
    return Fraction(2) ** round(max(logs)) if logs else Fraction(0)


def _time_unit(first: list[list[Fraction]]) -> Fraction:
    """The shortest time in which a variable changes by its own size, or by its second term."""
    rates = []
    for column in zip(*first, strict=True):
        places = [n for n, c in enumerate(column) if c]
        if places:
            rates.append(_rate(list(column[places[0] :])))
    fastest = max(rates, default=Fraction(0))
    return 1 / fastest if fastest else Fraction(1)


def _unit(series: list[Fraction], time: Fraction) -> Fraction:
    if series[0]:
        return _power_of_two(abs(series[0]))
    sizes = [abs(c) * time**n for n, c in enumerate(series) if c]
    return _power_of_two(max(sizes)) if sizes else Fraction(1)


def _levels(
    size: int, pairs: tuple[tuple[int, int], ...]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Products grouped such that those of one group do not need each other."""
    depth = [0] * size
    for one, other in pairs:
        depth.append(1 + max(depth[one], depth[other]))
    groups: dict[int, list[int]] = {}
    for place, level in enumerate(depth[size:], size):
        groups.setdefault(level, []).append(place)
    return [
        (
            np.array(places),
            np.array([pairs[place - size][0] for place in places]),
            np.array([pairs[place - size][1] for place in places]),
        )
        for _, places in sorted(groups.items())
    ]


def _slopes(rates: list[list[tuple[float, Powers]]]) -> list[tuple[int, int, float, Powers]]:
    """Row, column, coefficient and remaining powers of every term of the Jacobian."""
    found = []
    for row, rate in enumerate(rates):
        for coefficient, powers in rate:
            for column, power in powers:
                table: Mapping[int, int] = dict(powers) | {column: power - 1}
                rest = tuple((place, k) for place, k in table.items() if k)
                found.append((row, column, coefficient * power, rest))
    return found
