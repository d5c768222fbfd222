r"""Solution of matrix models: the flow of free matrices, in words of finitely many letters.

A matrix M of `expansion.dynamics.matrix_model` moves by dM/dτ = -r dP/dM. In the basis of
`pde.numerics.free_words` it is a vector. Every trace of the potential is written as a scalar
product of two elements, each cut off beyond n letters; the flow is the gradient flow of what is
left, an ordinary differential equation for the components. Its output converges geometrically as n
grows, from above and below in turn: the limit of three values by Aitken's rule is given, and that
of the three before shows the error. The curve ends where it is larger than allowed.

>>> from fractions import Fraction
>>> from expansion.dynamics.derivation import derive
>>> from expansion.dynamics.matrix_model import matrix_model
>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> model = matrix_model(derive(regimes(cp(order=2), terms=4), "A-B-C-D-E"))
>>> numbers = {"p": Fraction(100), "H": Fraction(100), "sigma2": Fraction(1, 100), "T": Fraction(1)}
>>> curve = free_curve(model, numbers, target=Fraction(50), letters=8)
>>> import numpy as np
>>> print([f"{x:.1f}" for x in curve.evaluate(np.array([0.1, 0.5]))])
['61.8', '23.9']

Source: ours; A. C. Aitken, Proc. R. Soc. Edinburgh 46 (1926) 289, for the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from math import factorial, inf, isfinite

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from diagrams.errors import InvalidInputError
from expansion.dynamics.matrix_model import DEPTH, MatrixModel
from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, Parameters, bounded_float, exact_value, unrelated_numbers
from pde.evolution import DerivationStep, Method, Solution
from pde.numerics.free_words import WordBasis
from pde.numerics.trajectories import follow
from pde.resummed_series import TOLERANCE, resummed_curve
from pde.systems.free_flow import FreeFlow, suits
from pde.systems.words import equation_curve

__all__ = ["free_curve", "free_solution", "most_letters"]

FloatArray = NDArray[np.float64]

_ZERO = Polynomial()

_LEVELS = 4
"""Cut-offs that are compared."""

_WORDS, _MORE_WORDS = 1500, 20_000
"""The most words from one space, for a curve and for a look at its first derivatives."""

_ENOUGH = 3
"""The fewest letters for which a flow is worth its time, for potentials of four factors."""

_FEW = (8, 12)
"""Letters that are tried before the most: where there are few words these converge quickly."""

_NEGLIGIBLE = 1e-6
"""An error relative to the loss that no further letters are taken for."""

_BETTER = 1 / 3
"""How much smaller the error with more letters has to be."""

_DEPTH = 24
"""The most letters of a word."""

_LONGEST_CHAIN = 16
"""The same where axes do not grow alike and words are few: more letters change nothing there."""

_LONGEST = 16.0
"""Where a curve ends at the latest, in the time in which the matrices change."""

_CAUTION = 3.0
"""The error of a limit in units of its distance from the one before, which falls slowly."""

_LAST = 2
"""Coefficients of a piece that are as large as what is left out."""

_ROUNDING = 1e-12

_FROM_THE_END = 10 / DEPTH
"""The relative error of numbers that are moved far into a regime, in place of a limit."""

_FEWEST = 3
"""Cut-offs whose limit is taken, and coefficients that a flow is compared with."""

_CHECKED = 7
"""The most coefficients that a flow is compared with."""

_SEEN = 1e-8
"""The size of the last coefficient when they are compared, relative to the first."""

_SEEN_FROM_DEPTH = 1e-5
"""The same where numbers are moved far into a regime."""

_SHORTEST, _LONGER = 1 / 16, 1.6
"""The first piece of a curve, and how much longer the next one reaches."""

_NEARLY = 0.98
"""Where the last piece before a blow-up ends."""

_NODES = 12
"""Points on every piece of a curve."""

_ACCURACY, _TOLERANCE = 1e-9, 1e-11
"""Of the integration, relative, and what is asked of every step for it."""

_WILD = 30.0
"""Where a curve ends at the latest, in multiples of the output at time 0."""


def free_curve(
    model: MatrixModel,
    parameters: Parameters,
    *,
    target: Fraction = Fraction(0),
    letters: int | None = None,
) -> Curve:
    """The output of a matrix model at numbers, as a function of t.

    Parameters
    ----------
    model : MatrixModel
    parameters : mapping from str to Fraction
        A value for every symbol, and T.
    target : Fraction, default 0
        A constant that is added to the output.
    letters : int, optional
        The most letters of a word; as many as a few seconds allow if it is left out.
    """
    if letters is None:
        most = most_letters(model)
        tried = (*(letters for letters in _FEW if letters < most and model.orders), most)
        curves = (free_curve(model, parameters, target=target, letters=n) for n in tried)
        return _first_precise(curves)
    finest = letters
    levels = [FreeFlow(model, parameters, finest - k) for k in reversed(range(_LEVELS))]
    unit = levels[0].unit
    first = float(levels[0].output(levels[0].start)[0])
    remains = max(abs(first), abs(first + float(target)))
    past, future = (_Side(levels, sign * unit, remains) for sign in (-1, 1))
    scale, constant = float(parameters["T"]), bounded_float(target)

    def on_sides(t: FloatArray, look: Callable[[_Side, FloatArray], FloatArray]) -> FloatArray:
        values = np.empty(t.shape)
        for side, chosen in ((past, t < 0), (future, t >= 0)):
            values[chosen] = look(side, np.abs(t[chosen]) / scale)
        return values

    disagree = f"because beyond, words of {finest} letters do not give {TOLERANCE:g}"
    if _is_potential(model):
        future.settle(constant)
    return Curve(
        evaluate=lambda t: constant + on_sides(t, _Side.values),
        errors=lambda t: on_sides(t, _Side.errors),
        domain=Domain(start=-past.end * scale, stop=future.end * scale, reason=disagree),
        error_estimate=max(past.largest, future.largest),
    )


def _is_potential(model: MatrixModel) -> bool:
    """Whether what is followed is the potential itself, up to a unit, and so falls for ever."""
    moving, followed = model.potential, model.output
    if model.inertia is not None or [t.words for t in moving] != [t.words for t in followed]:
        return False
    one, other = moving[0].coefficient, followed[0].coefficient
    return all(
        term.coefficient * one == its.coefficient * other
        for its, term in zip(moving, followed, strict=True)
    )


def _first_precise(curves: Iterable[Curve]) -> Curve:
    """The first curve whose error is negligible, or that more letters do not improve."""
    best: Curve | None = None
    for curve in curves:
        if best is not None and not _is_better(curve, best):
            return best
        best, error = curve, curve.error_estimate or 0.0
        moved = curve.domain.stop > 0
        if not moved or error <= _NEGLIGIBLE * abs(float(curve.evaluate(np.zeros(1))[0])):
            break
    assert best is not None
    return best


def _is_better(curve: Curve, other: Curve) -> bool:
    """Whether a curve reaches further than another, or has much less of an error."""
    error, its = (each.error_estimate or 0.0 for each in (curve, other))
    return curve.domain.stop > other.domain.stop or error < _BETTER * its


def free_solution(
    model: MatrixModel,
    rows: Sequence[Polynomial],
    *,
    problem: str,
    regime: str,
    target: Polynomial = _ZERO,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution | None:
    """The solution of a regime whose hierarchy is that of a matrix model.

    Parameters
    ----------
    model : MatrixModel
    rows : sequence of Polynomial
        The exact leading coefficients of (t/T)^s times s!, with the target.
    problem, regime, source
        See `Solution`.
    target : Polynomial
        The part of the first one that only measures the target.
    derivation : tuple of DerivationStep
        How the model was obtained.

    Returns
    -------
    Solution or None
        Without a certificate; see `Solution.certified`. At numbers it is what reaches furthest: an
        equation that the coefficients obey, the flow, or their sum without such an equation. None
        if words have too few letters, or if the flow does not start as the coefficients say.
    """
    known = tuple(rows)
    if not (suits(model) and _starts_like(model, known, target)):
        return None

    def curve(parameters: Parameters) -> Curve:
        values = [exact_value(row, parameters) for row in known]
        T, constant = Fraction(parameters["T"]), exact_value(target, parameters)
        found = equation_curve(values, T=T)
        curves = [] if found is None else [found[1]]
        if not curves or isfinite(curves[0].domain.stop):
            curves.append(free_curve(model, parameters, target=constant))
        if len(curves) == 1:
            with suppress(InvalidInputError):  # too few coefficients for an error
                curves.append(resummed_curve(values, target=constant, T=T))
        return max(curves, key=lambda curve: curve.domain.stop)

    letters = most_letters(model)
    last = DerivationStep(
        "Free matrices",
        r"\dot M = -r_M\,\partial P/\partial M,\qquad " + model.latex,
        f"The matrices are free at leading order; on words of up to {letters} letters their flow "
        "is an ordinary differential equation, and words of fewer letters give the limit and its "
        "error.",
    )
    return Solution(
        problem=problem,
        regime=regime,
        method=Method.RESUMMED,
        source=source,
        formula=None,
        derivation=(*derivation, last),
        taylor=lambda: iter(known),
        curve=curve,
        validity=f"t until words of {letters} letters do not determine it",
    )


def _starts_like(model: MatrixModel, rows: Sequence[Polynomial], target: Polynomial) -> bool:
    """Whether the flow has the coefficients that few letters give exactly, at some numbers."""
    longest = max(len(word) for term in model.potential for word in term.words)
    # The longer the words of the potential, the more letters a time of the flow takes.
    if 2 * most_letters(model) < _ENOUGH * (longest - 2):
        return False
    widest = max((longest, *(len(word) for term in model.output for word in term.words)))
    number = min(len(rows), _CHECKED)
    # Every derivative makes words longer by the potential less two letters; half of one is cut.
    letters = [(widest + s * (longest - 2) + 1) // 2 for s in range(number)]
    while number and not _allows(model, letters[number - 1], _MORE_WORDS):
        number -= 1
    if number < _FEWEST:
        return False
    known = rows[:number]
    names = {name for row in (*known, target) for name in row.symbols} | {*model.symbols}
    numbers = unrelated_numbers(names) | {"T": Fraction(1)}
    terms = [bounded_float(exact_value(row, numbers)) / factorial(s) for s, row in enumerate(known)]
    constant = bounded_float(exact_value(target, numbers))
    flow = FreeFlow(model, numbers, letters[number - 1])
    moving = [s for s, term in enumerate(terms) if term]
    if len(moving) < _FEWEST:
        return False
    first, last = moving[0], moving[-1]
    size = abs(terms[first])
    seen = _SEEN if model.depth is None else _SEEN_FROM_DEPTH
    time = (seen * size / abs(terms[last])) ** (1 / (last - first))
    times = np.array([-time, -time / 2, time / 2, time])
    values = follow(flow.equation(_TOLERANCE), times).values[:, 0] + constant
    expected = np.polynomial.polynomial.polyval(times, terms)
    # What follows the last term falls at least like that one did.
    parts = np.abs(times)[:, None] ** np.arange(len(terms)) * np.abs(terms)
    tail = _CAUTION * parts[:, last] ** 2 / parts[:, moving[-2]]
    # Numbers deep in a regime are not at its end.
    rounding = _ROUNDING if model.depth is None else _FROM_THE_END
    allowed = tail + rounding * parts[:, first]
    return bool(np.all(np.abs(values - expected) < allowed))


def most_letters(model: MatrixModel) -> int:
    """How many letters words may have for a curve within a few seconds."""
    letters, most = _LEVELS, _LONGEST_CHAIN if model.orders else _DEPTH
    while letters < most and _allows(model, letters + 1, _WORDS):
        letters += 1
    return letters


def _allows(model: MatrixModel, letters: int, words: int) -> bool:
    """Whether there are no more than so many words from any space."""
    ends = []
    for matrix, (rows, columns) in zip(model.matrices, model.ends, strict=True):
        ends.append((rows, columns))
        if not matrix.tensor.symmetric:
            ends.append((columns, rows))
    growth = dict(model.orders)
    orders = {name: growth.get(axis, Fraction(0)) for name, axis in model.spaces.items()}
    return all(WordBasis.count(ends, name, letters, orders) <= words for name in model.spaces)


class _Side:
    """A curve in one direction of time, as polynomials on pieces.

    Parameters
    ----------
    levels : sequence of FreeFlow
        The flow with fewer and more letters.
    unit : float
        The time in which the matrices change, negative in the past.
    remains : float
        The size of the output at time 0, with or without what does not move.
    """

    def __init__(self, levels: Sequence[FreeFlow], unit: float, remains: float) -> None:
        self._remains = remains
        self._settled = 0.0
        edges = [0.0, _SHORTEST]
        while edges[-1] < _LONGEST:
            edges.append(_LONGER * edges[-1])
        self._edges = np.array(edges) * abs(unit)
        unit_nodes = (1 - np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))) / 2
        nodes = _inside(self._edges, unit_nodes)
        first = self._followed(levels[0], nodes * np.sign(unit))
        stop = _NEARLY * float(np.max(nodes[np.isfinite(first)], initial=0.0))
        if stop and not np.all(np.isfinite(first)):
            # Where it blows up the last piece ends before.
            self._edges = np.append(self._edges[self._edges < stop], stop)
            nodes = _inside(self._edges, unit_nodes)
            first = self._followed(levels[0], nodes * np.sign(unit))
        found = [first]
        nodes = nodes[: self._pieces(found)]
        for level in levels[1:]:
            found.append(self._followed(level, nodes * np.sign(unit)))
            nodes = nodes[: self._pieces(found)]
        self._nodes = nodes
        value, self._error = _limit(found, len(nodes))
        self._fits = [
            chebyshev.chebfit(2 * unit_nodes - 1, row, _NODES - 1)
            for row in value
            if np.all(np.isfinite(row))
        ]
        self._error += _ACCURACY * remains
        for fit, row in zip(self._fits, self._error, strict=False):
            row += np.sum(np.abs(fit[-_LAST:]))
        self._error[len(self._fits) :] = inf
        good = self._good(value, self._error).ravel()
        stop = good.size if np.all(good) else int(np.argmin(good))
        self.end = float(nodes.ravel()[stop - 1]) if stop else 0.0
        self.largest = float(np.max(self._error.ravel()[:stop], initial=0.0))

    def _good(self, value: FloatArray, error: FloatArray) -> NDArray[np.bool_]:
        moved = np.abs(value - value[0, 0])
        good: NDArray[np.bool_] = error <= TOLERANCE * (moved + self._remains)
        return good

    def _pieces(self, found: Sequence[FloatArray]) -> int:
        """How many pieces may be good at the finest level, from those before."""
        pieces = len(found[-1])
        if len(found) == 1:
            return pieces
        with np.errstate(invalid="ignore"):
            if len(found) < _FEWEST:
                value, error = found[-1], np.abs(found[-1] - found[-2][:pieces]) / 100
            else:
                value, error = _limit(found, pieces)
            good = self._good(value, error / 10)
        whole = np.all(good, axis=1)
        return len(whole) if np.all(whole) else max(1, int(np.argmin(whole)) + 1)

    def _followed(self, level: FreeFlow, times: FloatArray) -> FloatArray:
        equation = level.equation(_TOLERANCE)
        largest = _WILD * max(self._remains, 1e-300)
        values = follow(
            equation, times.ravel(), going=lambda x: largest - abs(float(level.output(x)[0]))
        ).values
        return values.reshape(times.shape)

    def settle(self, constant: float) -> None:
        """Let a curve that was followed as long as one is have no end, if little of it is left.

        A loss that falls and is positive stays between zero and its last value, and if it hardly
        fell on the last piece, the longest one, it is not on its way to negative values.

        Parameters
        ----------
        constant : float
            What is added to the output to give the loss.
        """
        last = float(self._nodes.ravel()[-1])
        if self.end < last or len(self._nodes) < len(self._edges) - 1:
            return
        before, left = np.abs(self.values(self._edges[-2:]) + constant)
        if max(before, left) <= TOLERANCE * self._remains:
            self._settled, self.end = float(left), inf
            self.largest = max(self.largest, self._settled)

    def values(self, times: FloatArray) -> FloatArray:
        """The output at distances from time 0."""
        times = np.minimum(times, self._edges[-1])
        piece = np.clip(np.searchsorted(self._edges, times, side="right") - 1, 0, None)
        piece = np.minimum(piece, len(self._fits) - 1)
        result = np.empty(times.shape)
        for number, fit in enumerate(self._fits):
            chosen = piece == number
            left, right = self._edges[number : number + 2]
            result[chosen] = chebyshev.chebval(
                (2 * times[chosen] - left - right) / (right - left), fit
            )
        return result

    def errors(self, times: FloatArray) -> FloatArray:
        """Their errors."""
        errors = np.interp(times, self._nodes.ravel(), self._error.ravel())
        return np.where(times > self._nodes.ravel()[-1], errors + self._settled, errors)


def _inside(edges: FloatArray, places: FloatArray) -> FloatArray:
    """Points on every piece between two edges, at the same places of each."""
    return np.asarray(edges[:-1, None] + np.diff(edges)[:, None] * places)


def _limit(levels: Sequence[FloatArray], pieces: int) -> tuple[FloatArray, FloatArray]:
    """The limit of values that alternate, by Aitken's rule, and its error from one value before."""
    *earlier, first, second, third = (values[:pieces] for values in levels)
    with np.errstate(all="ignore"):
        limit = _aitken(first, second, third)
        step = np.abs(third - second)
        if not earlier:
            return limit, step
        before = _aitken(earlier[-1], first, second)
        alternating = (third - second) * (second - first) < 0
        error = np.where(alternating, _CAUTION * np.abs(limit - before) + step / 4, 2 * step)
    return limit, np.where(np.isfinite(error), error, inf)


def _aitken(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    before, after = second - first, third - second
    falling = np.abs(after) < np.abs(before)
    return np.where(falling & (after != 0), third - after**2 / (after - before), third)
