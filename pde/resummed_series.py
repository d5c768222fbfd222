"""Any regime without a solution: its exact leading coefficients, resummed.

The sum is given where approximants of different kinds agree (`pde.numerics.resummation`). That is
an interval of times around 0 which is found by walking outwards on a geometric grid until they
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
from pde.curve import Curve, Domain, FloatArray, Parameters, bounded_float, exact_value
from pde.evolution import DerivationStep, Method, Origin, Solution
from pde.numerics.resummation import FEWEST, Resummation, diverges

__all__ = ["TOLERANCE", "resummed_curve", "resummed_solution", "series_solution"]

TOLERANCE = 1e-3
"""Allowed disagreement of approximants, relative to the distance that the loss has moved."""

_DIVERGES = (
    "because there the coefficients grow like factorials with one sign: the formal series diverges "
    "and has no sum"
)


def resummed_curve(
    coefficients: Sequence[Fraction],
    *,
    target: Fraction,
    T: Fraction,
    relative_tolerance: float = TOLERANCE,
    asymptotic: bool = False,
) -> Curve:
    """The sum of c_s (t/T)^s / s!, where it can be determined.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...
    target : Fraction
        The part of c_0 that only measures the target.
    T : Fraction
    relative_tolerance : float, default `TOLERANCE`
        Allowed error, relative to abs(L - L(0)) + abs(L(0) - target), besides rounding.
    asymptotic : bool, default False
        Whether a divergent series without a sum is evaluated where its terms still determine it to
        the tolerance; without it a half of the line on which it diverges is rejected.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for an error estimate.
    """
    series = Resummation([Fraction(c) / factorial(s) for s, c in enumerate(coefficients)])
    start = bounded_float(Fraction(coefficients[0]))
    remains = bounded_float(abs(Fraction(coefficients[0]) - target))
    scale = bounded_float(T)

    def within(tau: FloatArray) -> tuple[np.ndarray, FloatArray, FloatArray]:
        """Which sums are determined, the sums less the first coefficient, and their errors."""
        moved, error = series.moved(tau)
        return error <= relative_tolerance * (np.abs(moved) + remains), moved, error

    ends = []
    reasons = []
    largest = 0.0
    disagree = (
        f"because beyond, approximants of the {len(coefficients)} known coefficients "
        f"disagree by more than {relative_tolerance:g}"
    )
    for sign in (-1, 1):
        if not asymptotic and diverges(series.coefficients, sign=sign):
            ends.append(0.0)
            reasons.append(_DIVERGES)
            continue
        grid = series.grid
        good, _, error = within(sign * grid)
        number = len(grid) if np.all(good) else int(np.argmin(good))
        ends.append(float(sign * grid[number - 1]) if number else 0.0)
        reasons.append(disagree)
        largest = max(largest, float(np.max(error[:number], initial=0.0)))

    def evaluate(t: FloatArray) -> FloatArray:
        good, moved, _ = within(t / scale)
        bad = t[~(good | (t == 0))]
        if bad.size:
            raise InvalidInputError(
                f"t = {float(bad[0]):g}: no value, {disagree}; give other times"
            )
        return start + moved

    def errors(t: FloatArray) -> FloatArray:
        return np.maximum(series.moved(t / scale)[1], np.spacing(abs(start)))

    return Curve(
        evaluate=evaluate,
        domain=Domain(
            start=ends[0] * scale, stop=ends[1] * scale, reason=reasons[1], start_reason=reasons[0]
        ),
        error_estimate=max(largest, float(np.spacing(abs(start)))),
        errors=errors,
    )


def resummed_solution(
    problem: Problem,
    regime: Regime,
    coefficients: Sequence[Polynomial],
    pure_target: Polynomial,
) -> Solution:
    """The resummed leading series of a regime.

    Parameters
    ----------
    problem : Problem
    regime : Regime
    coefficients : sequence of Polynomial
        lead(Y_0), lead(Y_1), ..., with the pure-target term unless the regime is free.
    pure_target : Polynomial
        That term, see `series_solution`.

    Raises
    ------
    InvalidInputError
        If there are too few coefficients for an error estimate.
    """
    if sum(1 for c in coefficients if len(c)) < FEWEST:
        raise InvalidInputError(
            f"regime {regime.name}: is not solved, and {len(coefficients)} coefficients are not "
            f"enough to resum it; expand more, at least terms={FEWEST}"
        )
    return series_solution(
        problem=problem.title,
        regime=regime.name,
        source="ours",
        derivation=(
            DerivationStep(
                "Leading coefficients",
                r"\mathbf{E}[L(t)] \sim \sum_s \mathrm{lead}(Y_s)\,\frac{(t/T)^s}{s!}",
                f"{len(coefficients)} of them, enumerated exactly.",
            ),
        ),
        taylor=lambda: iter(coefficients),
        number=len(coefficients),
        method=Method.RESUMMED,
        pure_target=pure_target,
        origin=Origin.RESUMMED,
    )


def series_solution(
    *,
    problem: str,
    regime: str,
    source: str,
    derivation: tuple[DerivationStep, ...],
    taylor: Callable[[], Iterator[Polynomial]],
    number: int,
    method: Method,
    pure_target: Polynomial,
    asymptotic: bool = False,
    origin: Origin = Origin.GIVEN,
) -> Solution:
    """A solution from exact Taylor coefficients, whose sum is found by approximants.

    Parameters
    ----------
    problem, regime, source, derivation, taylor, method
        See `Solution`.
    number : int
        How many coefficients are summed.
    pure_target : Polynomial
        The part of the first coefficient that only measures the target, zero if the regime is free.
    asymptotic : bool, default False
        See `resummed_curve`.
    origin : Origin, default `Origin.GIVEN`
        Where the coefficients come from.
    """

    def curve(parameters: Parameters) -> Curve:
        rows = [row for row, _ in zip(taylor(), range(number), strict=False)]
        values = [exact_value(row, parameters) for row in rows]
        return resummed_curve(
            values,
            target=exact_value(pure_target, parameters),
            T=parameters["T"],
            asymptotic=asymptotic,
        )

    last = DerivationStep(
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
        origin=origin,
        is_series=True,
    )
