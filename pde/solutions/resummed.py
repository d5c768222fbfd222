"""Any regime without a solution: its exact leading coefficients, resummed.

The sum is given where approximants of different kinds agree (`pde.resummation`). That is an
interval of times around 0 which is found by walking outwards on a geometric grid until they
disagree by more than a tolerance, relative to how far the loss has moved. Beyond it there is no
value.

>>> from fractions import Fraction
>>> rows = [Polynomial({(("p", 1),): (-2) ** s}) for s in range(12)]  # p exp(-2τ)
>>> curve = resummed_curve(
...     [c.evaluate(p=Fraction(1)) for c in rows], target=Fraction(0), T=Fraction(1)
... )
>>> curve.domain.stop > 2
True
>>> bool(abs(curve.evaluate(np.array([1.0]))[0] - np.exp(-2)) < 1e-5)
True

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import factorial

import numpy as np

from diagrams.errors import InvalidInputError
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regime
from pde.evolution import Curve, Domain, FloatArray, Method, Parameters, Solution, Step
from pde.resummation import FEWEST, Resummation

__all__ = ["TOLERANCE", "resummed_curve", "resummed_solution", "series_solution"]

TOLERANCE = 1e-3
"""Allowed disagreement of approximants, relative to the distance that the loss has moved."""

_OCTAVES = 40
_PER_OCTAVE = 4
"""The grid: this many points for each doubling of the time."""


def resummed_curve(
    coefficients: Sequence[Fraction],
    *,
    target: Fraction,
    T: Fraction,
    relative_tolerance: float = TOLERANCE,
) -> Curve:
    """The sum of c_s (t/T)^s / s!, where it can be told.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...
    target : Fraction
        The part of c_0 that only measures the target.
    T : Fraction
    relative_tolerance : float, default `TOLERANCE`
        Allowed error, relative to abs(L - L(0)) + abs(L(0) - target).

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for an error estimate.
    """
    series = Resummation([Fraction(c) / factorial(s) for s, c in enumerate(coefficients)])
    start = float(coefficients[0])
    moved = abs(start - float(target))

    def within(tau: FloatArray) -> tuple[np.ndarray, FloatArray]:
        value, error = series.estimate(tau)
        return error <= relative_tolerance * (np.abs(value - start) + moved), error

    unit = _unit(series.coefficients)
    grid = unit * 2.0 ** (np.arange(-_OCTAVES // 2 * _PER_OCTAVE, _OCTAVES // 2 * _PER_OCTAVE) / 4)
    ends = []
    largest = 0.0
    for sign in (-1.0, 1.0):
        good, error = within(sign * grid)
        number = len(grid) if np.all(good) else int(np.argmin(good))
        ends.append(float(sign * grid[number - 1]) if number else 0.0)
        largest = max(largest, float(np.max(error[:number], initial=0.0)))
    scale = float(T)

    def evaluate(t: FloatArray) -> FloatArray:
        return series.estimate(t / scale)[0]

    return Curve(
        evaluate=evaluate,
        domain=Domain(
            start=ends[0] * scale,
            stop=ends[1] * scale,
            reason=(
                f"because beyond, approximants of the {len(coefficients)} known coefficients "
                f"disagree by more than {relative_tolerance:g}"
            ),
        ),
        error_estimate=largest,
    )


def _unit(coefficients: Sequence[Fraction]) -> float:
    """The time at which the first two terms that move the loss are equal."""
    places = [n for n, c in enumerate(coefficients) if c and n][:2]
    first, second = (coefficients[n] for n in places)
    ratio = float(abs(first / second))
    return float(ratio ** (1 / (places[1] - places[0])))


def resummed_solution(
    problem: Problem,
    regime: Regime,
    coefficients: Sequence[Polynomial],
    pure_target: Polynomial | None = None,
) -> Solution:
    """The resummed leading series of a regime.

    Parameters
    ----------
    problem : Problem
    regime : Regime
    coefficients : sequence of Polynomial
        lead(Y_0), lead(Y_1), ..., with the pure-target term unless the regime is free.
    pure_target : Polynomial, optional
        That term, see `series_solution`.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for an error estimate.
    """
    if sum(1 for c in coefficients if len(c)) < FEWEST:
        raise InvalidInputError(
            f"regime {regime.name}: is not solved, and {len(coefficients)} coefficients are not "
            f"enough to resum it; expand at least {FEWEST} with --terms"
        )
    return series_solution(
        problem=problem.title,
        regime=regime.name,
        source="ours",
        derivation=(
            Step(
                "Leading coefficients",
                r"\mathbf{E}[L(t)] \sim \sum_s \mathrm{lead}(Y_s)\,\frac{(t/T)^s}{s!}",
                f"{len(coefficients)} of them, enumerated exactly.",
            ),
        ),
        taylor=lambda: iter(coefficients),
        number=len(coefficients),
        method=Method.RESUMMED,
        pure_target=pure_target,
    )


def series_solution(
    *,
    problem: str,
    regime: str,
    source: str,
    derivation: tuple[Step, ...],
    taylor: Callable[[], Iterator[Polynomial]],
    number: int,
    method: Method,
    pure_target: Polynomial | None = None,
) -> Solution:
    """A solution from exact Taylor coefficients, whose sum is found by approximants.

    Parameters
    ----------
    problem, regime, source, derivation, taylor, method
        See `Solution`.
    number : int
        How many coefficients are summed.
    pure_target : Polynomial, optional
        The part of the first coefficient that only measures the target; without it its terms
        without a symbol that begins with ``sigma2``.
    """

    def curve(parameters: Parameters) -> Curve:
        symbols = {name: value for name, value in parameters.items() if name != "T"}
        rows = [row for row, _ in zip(taylor(), range(number), strict=False)]
        values = [Fraction(row.evaluate(**symbols)) for row in rows]
        still = _target(rows[0]) if pure_target is None else pure_target
        target = Fraction(still.evaluate(**symbols))
        return resummed_curve(values, target=target, T=parameters["T"])

    last = Step(
        "Resummation",
        r"\text{Padé, Borel-Padé, Levin}",
        "Exact linear algebra over the rationals; given where two kinds of approximants agree.",
    )
    return Solution(
        problem=problem,
        regime=regime,
        method=method,
        source=source,
        formula=None,
        derivation=(*derivation, last),
        taylor=taylor,
        curve=curve,
        validity="as long as approximants agree",
    )


def _target(first: Polynomial) -> Polynomial:
    """The terms without a variance of a weight."""
    terms = {
        powers: c
        for powers, c in first
        if not any(name.startswith("sigma2") and name != "sigma2_teacher" for name, _ in powers)
    }
    return Polynomial(terms)
