r"""Matrix models of one matrix: its singular values, which move as particles.

Where a matrix model (`expansion.dynamics.matrix_model`) has one matrix M, all words are powers of
MᵀM, and the flow keeps the singular vectors of M, under inertia those of its velocity, too. So the
singular values s move on their own,

    s'  =  - r dp/ds,        p(s)  =  Σ coefficient · (other traces) · s^l ,

or, with a velocity w that begins at rest, s' = n w, w' = -n γ w - r dp/ds. At time zero they have
the law of Marchenko and Pastur, for which a double exponential rule has points at all scales of s.
Coefficients in time are exact, from the moments, which are numbers of Narayana.

>>> from expansion.dynamics.derivation import derive
>>> from expansion.dynamics.matrix_model import matrix_model
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> ball = cp(order=2, symmetric=True).driven_by(momentum="gamma")
>>> model = matrix_model(derive(regimes(ball, terms=4), "V1-V5-V6", terms=2))
>>> from itertools import islice
>>> for coefficient in islice(coefficients(model), 4):
...     print(coefficient)
-p*H*sigma2 + 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2
0
-4*p*H*sigma2 + 8*p**2*H*sigma2**2 + 8*p*H**2*sigma2**2 - 4*p**3*H*sigma2**3 - ...
0
>>> numbers = {"p": Fraction(8), "H": Fraction(8), "sigma2": Fraction(1, 80), "T": Fraction(1)}
>>> curve = singular_curve(model, numbers, target=Fraction(4))
>>> print([f"{x:.4f}" for x in curve.evaluate(np.array([0.0, 1.5, 30.0]))])
['3.2800', '1.3477', '2.0539']

Source: V. Marchenko, L. Pastur, Mat. Sbornik 72 (1967) 507, for the law; as the solution of a kind
of hierarchy, ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from diagrams.counting import narayana
from diagrams.errors import CapacityError
from expansion.dynamics.matrix_model import MatrixModel
from expansion.dynamics.taylor import SeriesTerm, series_coefficients
from expansion.polynomial import Polynomial
from pde.curve import Curve, Parameters, bounded_float, exact_value
from pde.evolution import DerivationStep, Method, Solution
from pde.systems.curves import flow_curve
from pde.systems.slopes import BlockSlopes

__all__ = [
    "SingularFlow",
    "coefficients",
    "has_one_matrix",
    "singular_curve",
    "singular_solution",
    "solution_of_values",
    "squared_singular_values",
]

FloatArray = NDArray[np.float64]

_POINTS = (900, 700)
"""Singular values of the finer and of the coarser rule."""

_REACH = 3.6
"""Where the double exponential rule ends: fewer than 1e-12 of the singular values are smaller."""

_BLOCK = 8
"""So many coefficients are computed together."""

_ZERO, _ONE = Polynomial(), Polynomial({(): 1})
_NOTHING = Fraction(0)

_Core = tuple[int, int]
"""The sum over the singular values of s^a w^b."""


def has_one_matrix(model: MatrixModel) -> bool:
    """Whether a model has one matrix, which moves, between two spaces that grow alike."""
    if len(model.matrices) != 1 or model.orders:
        return False
    (matrix,) = model.matrices
    rows, columns = matrix.axes
    return rows != columns and not matrix.tensor.symmetric and bool(len(matrix.rate))


def coefficients(model: MatrixModel) -> Iterator[Polynomial]:
    """The exact leading coefficients of (t/T)^s times s!, one after the other, without end.

    Parameters
    ----------
    model : MatrixModel
        Of one matrix.
    """
    known = 0
    while True:
        rows = _Hierarchy(model).coefficients(known + _BLOCK - 1)
        yield from rows[known:]
        known += _BLOCK


class _Hierarchy:
    """The sums of s^a w^b over the singular values of a model of one matrix."""

    def __init__(self, model: MatrixModel) -> None:
        self._model = model
        (self._matrix,) = model.matrices

    def coefficients(self, last: int) -> tuple[Polynomial, ...]:
        """The first coefficients of the output."""
        place: dict[_Core, int] = {}

        def placed(core: _Core) -> int:
            return place.setdefault(core, len(place))

        def numbered(terms: Iterable[tuple[Polynomial, Sequence[_Core]]]) -> list[SeriesTerm]:
            return [(c, tuple(sorted(map(placed, cores)))) for c, cores in terms]

        output = numbered(
            (term.coefficient, [(len(word), 0) for word in term.words])
            for term in self._model.output
        )
        rates: dict[int, list[SeriesTerm]] = {}
        begun = 0
        for _ in range(last):
            level = list(place)[begun:]
            begun += len(level)
            for core in level:
                rates[place[core]] = numbered(self._rate(*core))
        initial = [self._initial(*core) for core in place]
        return series_coefficients(last, output=output, rates=rates, initial=initial)

    def _rate(self, a: int, b: int) -> Iterator[tuple[Polynomial, Sequence[_Core]]]:
        """The rate of change of a sum, as products of others."""
        inertia, rate = self._model.inertia, self._matrix.rate
        if inertia is None:
            for c, power, others in _forces(self._model):
                yield c * rate * -a, [(a - 1 + power, 0), *((length, 0) for length in others)]
            return
        if a:
            yield inertia.speed * a, [(a - 1, b + 1)]
        if b:
            if len(inertia.damping):
                yield inertia.damping * -b, [(a, b)]
            for c, power, others in _forces(self._model):
                yield c * rate * -b, [(a + power, b - 1), *((length, 0) for length in others)]

    def _initial(self, a: int, b: int) -> Polynomial:
        """The leading part of E tr (MᵀM)^k; velocities are at rest."""
        if b:
            return _ZERO
        n, m = (Polynomial({((axis.name, 1),): 1}) for axis in self._matrix.axes)
        k = a // 2
        total = _ZERO
        for j in range(1, k + 1):
            total += _power(n, j) * _power(m, k + 1 - j) * narayana(k, j)
        return total * _power(self._matrix.variance, k)


def _forces(model: MatrixModel) -> Iterator[tuple[Polynomial, int, tuple[int, ...]]]:
    """The terms of dp/ds: a coefficient, the power of s, and the lengths of the other traces."""
    for term in model.potential:
        for word, copies in Counter(term.words).items():
            others = list(term.words)
            others.remove(word)
            length = len(word)
            yield term.coefficient * (length * copies), length - 1, tuple(map(len, others))


def _power(value: Polynomial, exponent: int) -> Polynomial:
    result = _ONE
    for _ in range(exponent):
        result = result * value
    return result


class SingularFlow:
    """The singular values of a model at numbers, see `pde.systems.flows.EquationsOfMotion`.

    The state has the singular values, in units of the largest one at time zero, and under inertia
    their velocities behind them.

    Parameters
    ----------
    model : MatrixModel
        Of one matrix.
    parameters : mapping from str to Fraction
        A value for every symbol.
    points : int
        Singular values that stand for the law of Marchenko and Pastur.
    constant : Fraction, default 0
        What is added to the output.

    Raises
    ------
    CapacityError
        If a number is beyond double precision.
    """

    def __init__(
        self,
        model: MatrixModel,
        parameters: Parameters,
        points: int,
        constant: Fraction = _NOTHING,
    ) -> None:
        (matrix,), inertia = model.matrices, model.inertia
        n, m = (_float(parameters[axis.name]) for axis in matrix.axes)
        variance = _float(exact_value(matrix.variance, parameters))
        squares, self._weights = squared_singular_values(n, m, variance, points)
        largest = sqrt(float(squares[0]))
        values = np.sqrt(squares) / largest
        scaled = _Scaled(parameters, largest)
        rate = exact_value(matrix.rate, parameters)
        self._forces = [
            (-_float(scaled.value(c, (power - 1, *others)) * rate), power, others)
            for c, power, others in _forces(model)
        ]
        self._output = [
            (_float(scaled.value(t.coefficient, lengths)), lengths)
            for t in model.output
            for lengths in [tuple(map(len, t.words))]
        ]
        self._offset = _float(constant)
        powers = [power for _, power, _ in self._forces]
        self._lengths = sorted(
            {length for _, _, others in self._forces for length in others}
            | {length for _, lengths in self._output for length in lengths}
        )
        self._most = max((*powers, *self._lengths, 1))
        self._inert = inertia is not None
        self._damping = 0.0
        push = float(np.max(np.abs(self._force(values) / values), initial=0.0))
        if inertia is None:
            self.unit = 1 / push if push else 1.0
            faster = self.unit
        else:
            speed, damping = (
                _float(exact_value(c, parameters)) for c in (inertia.speed, inertia.damping)
            )
            fastest = max(sqrt(push * speed), damping)
            self.unit = 1 / fastest if fastest else 1.0
            faster = self.unit**2 * speed
            self._damping = damping * self.unit
        self._forces = [(c * faster, power, others) for c, power, others in self._forces]
        self.start: FloatArray = np.concatenate([values, np.zeros(points * self._inert)])
        self.is_large = self.start.size > BlockSlopes.LARGEST

    def expand(self, state: FloatArray, order: int, step: float) -> tuple[FloatArray, FloatArray]:
        """Taylor coefficients around a state, of the state and of the output."""
        points = len(self._weights)
        powers = np.zeros((self._most + 1, order + 1, points))
        powers[0, 0] = 1.0
        moved = np.zeros((order + 1, len(state)))
        moved[0] = state
        traces = {length: np.zeros(order + 1) for length in self._lengths}
        output = np.zeros(order + 1)
        for n in range(order + 1):
            powers[1, n] = moved[n, :points]
            for k in range(2, self._most + 1):
                powers[k, n] = np.einsum("ij,ij->j", powers[k - 1, : n + 1], powers[1, n::-1])
            for length, series in traces.items():
                series[n] = powers[length, n] @ self._weights
            output[n] = sum(c * _product(traces, lengths, n)[n] for c, lengths in self._output)
            if n < order:
                force = np.zeros(points)
                for c, power, others in self._forces:
                    if others:
                        force += c * (_product(traces, others, n)[n::-1] @ powers[power, : n + 1])
                    else:
                        force += c * powers[power, n]
                pace = step / (n + 1)
                if self._inert:
                    velocity = moved[n, points:]
                    moved[n + 1, :points] = velocity * pace
                    moved[n + 1, points:] = (force - self._damping * velocity) * pace
                else:
                    moved[n + 1] = force * pace
        output[0] += self._offset
        return moved, output

    def _force(self, values: FloatArray) -> FloatArray:
        """-r dp/ds at some singular values."""
        return self._summed(values, lambda c, power, traces: c * traces * values**power)

    def _summed(
        self, values: FloatArray, term: Callable[[float, int, float], FloatArray]
    ) -> FloatArray:
        """A sum over the terms of the force, of each its coefficient, power and other traces."""
        total = np.zeros_like(values)
        for c, power, others in self._forces:
            total += term(c, power, prod(self._trace(values, length) for length in others))
        return total

    def _trace(self, values: FloatArray, length: int) -> float:
        return float(self._weights @ values**length)

    def slopes(self, state: FloatArray) -> BlockSlopes:
        """Derivatives of the rates: a value feels itself, and all values by their traces."""
        points = len(self._weights)
        values = state[:points]
        own = self._summed(
            values, lambda c, power, traces: c * traces * power * values ** max(power - 1, 0)
        )
        # At least one trace, which then nobody feels: there is no matrix of rank zero.
        felt = sorted({length for _, _, others in self._forces for length in others}) or [1]
        left = np.zeros((points, len(felt)))
        for c, power, others in self._forces:
            for length, copies in Counter(others).items():
                rest = list(others)
                rest.remove(length)
                traces = prod(self._trace(values, other) for other in rest)
                left[:, felt.index(length)] += c * copies * traces * values**power
        right = np.array([length * self._weights * values ** (length - 1) for length in felt])
        if not self._inert:
            return BlockSlopes(own[:, None, None], left, right)
        blocks = np.zeros((points, 2, 2))
        blocks[:, 0, 1], blocks[:, 1, 0], blocks[:, 1, 1] = 1.0, own, -self._damping
        still = np.zeros_like(left)
        return BlockSlopes(
            blocks, np.concatenate([still, left]), np.concatenate([right, still.T], axis=1)
        )


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Coefficients of products of traces, with singular values in units of the largest one."""

    parameters: Parameters
    largest: float

    def value(self, coefficient: Polynomial, lengths: Iterable[int]) -> Fraction:
        number = Fraction(self.largest) ** sum(lengths)
        return exact_value(coefficient, self.parameters) * number


def squared_singular_values(
    n: float, m: float, variance: float, points: int
) -> tuple[FloatArray, FloatArray]:
    """Squares of singular values of a Gaussian n × m matrix, largest first, with their weights.

    With x from -1 to 1 they are v (n + m + 2 sqrt(n m) x), and λ dμ = n m v (2/π) sqrt(1 - x²) dx.
    Small values take a time that grows with their logarithm: the double exponential rule for x has
    points at all scales of it.
    """
    steps = np.linspace(_REACH, -_REACH, points)
    growth = np.pi * np.sinh(steps)
    below, above = 2 / (1 + np.exp(growth)), 2 / (1 + np.exp(-growth))  # 1 - x and 1 + x
    width = 2 * _REACH / (points - 1) * np.pi / 2 * np.cosh(steps) * below * above
    squares = variance * ((sqrt(n) - sqrt(m)) ** 2 + 2 * sqrt(n * m) * above)
    return squares, n * m * variance * 2 / np.pi * np.sqrt(below * above) * width / squares


def _product(traces: Mapping[int, FloatArray], lengths: Sequence[int], n: int) -> FloatArray:
    """The first coefficients of a product of traces."""
    result = np.ones(1) if not lengths else traces[lengths[0]][: n + 1]
    for length in lengths[1:]:
        result = np.convolve(result, traces[length][: n + 1])[: n + 1]
    return result


def _float(value: Fraction) -> float:
    try:
        result = float(value)
    except OverflowError:
        result = inf
    if not isfinite(result) or (value and not result):
        raise CapacityError(
            "numbers of a matrix: one of them is beyond double precision; give less extreme sizes "
            "and variances"
        )
    return result


def singular_curve(
    model: MatrixModel, parameters: Parameters, *, target: Fraction = Fraction(0)
) -> Curve:
    """The output of a model of one matrix at numbers, as a function of t.

    Parameters
    ----------
    model : MatrixModel
    parameters : mapping from str to Fraction
        A value for every symbol, and T.
    target : Fraction, default 0
        A constant that is added to the output.

    Raises
    ------
    CapacityError
        If the numbers are beyond double precision.
    """
    flows = [SingularFlow(model, parameters, points, target) for points in _POINTS]
    return flow_curve(flows, T=Fraction(parameters["T"]), constant=bounded_float(target))


def singular_solution(
    model: MatrixModel,
    *,
    problem: str,
    regime: str,
    target: Polynomial = _ZERO,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution | None:
    """The solution of a regime whose hierarchy is that of one matrix.

    Parameters
    ----------
    model : MatrixModel
    problem, regime, source
        See `Solution`.
    target : Polynomial
        The part of the first coefficient that only measures the target.
    derivation : tuple of DerivationStep
        How the model was obtained.

    Returns
    -------
    Solution or None
        Without a certificate; see `Solution.certified`. None if the model has more matrices.
    """
    if not has_one_matrix(model):
        return None
    step = DerivationStep(
        "Singular values",
        _latex(model),
        "The flow keeps the singular vectors of the matrix, and its singular values s move on "
        "their own. At time zero they have the law of Marchenko and Pastur, of which a "
        "double exponential rule makes points; one with fewer points gives the error.",
    )
    return solution_of_values(
        lambda: coefficients(model),
        lambda parameters, constant: singular_curve(model, parameters, target=constant),
        target=target,
        problem=problem,
        regime=regime,
        derivation=(*derivation, step),
        source=source,
    )


def solution_of_values(
    rows: Callable[[], Iterator[Polynomial]],
    curve: Callable[[Parameters, Fraction], Curve],
    *,
    target: Polynomial,
    problem: str,
    regime: str,
    derivation: tuple[DerivationStep, ...],
    source: str,
) -> Solution:
    """A solution by singular values that move, without a certificate.

    Parameters
    ----------
    rows : callable
        Gives the exact coefficients without the target, one after the other.
    curve : callable
        From numbers, and the target at them, to the curve.
    target, problem, regime, derivation, source
        As for `singular_solution`; the derivation is whole.
    """

    def taylor() -> Iterator[Polynomial]:
        found = rows()
        yield next(found) + target
        yield from found

    return Solution(
        problem=problem,
        regime=regime,
        method=Method.MOMENTS,
        source=source,
        formula=None,
        derivation=derivation,
        taylor=taylor,
        curve=lambda parameters: curve(parameters, exact_value(target, parameters)),
        validity="t until two rules for the singular values differ",
    )


def _latex(model: MatrixModel) -> str:
    """The potential, and how the singular values move in it."""
    rate = model.matrices[0].rate.latex()
    if model.inertia is None:
        moves = rf"\dot s = -({rate})\,\partial p/\partial s"
    else:
        speed, damping = model.inertia.speed.latex(), model.inertia.damping.latex()
        moves = (
            rf"\dot s = ({speed})\,w,\quad "
            rf"\dot w = -({damping})\,w - ({rate})\,\partial p/\partial s"
        )
    return rf"{moves},\qquad {model.latex},\quad \operatorname{{tr}}(M^\top M)^k = \sum s^{{2k}}"
