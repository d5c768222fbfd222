"""A loss of which only exact Taylor coefficients are known: an equation if there is one.

Hierarchies of words, and others that are neither finite nor on one site, give coefficients and no
more. At numbers, an equation is sought in them (`pde.systems.guess`); if it is found and confirmed,
the loss is continued along it (`pde.systems.continuation`) and holds for all times until its first
singular point. Otherwise the coefficients are summed by approximants (`pde.numerics.resummation`).

>>> rows = (Polynomial({(("p", 1),): (-2) ** s}) for s in range(24))  # p exp(-2τ)
>>> loss = series_solution(rows, number=24, problem="example", regime="V1").at({"p": 3, "T": 1})
>>> loss.domain.stop > 10, bool(abs(loss(1.0) - 3 * np.exp(-2)) < 1e-12)
(True, True)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from math import factorial, inf

import numpy as np
from flint import fmpq_poly

from expansion.polynomial import Polynomial
from pde.curve import Curve, FloatArray, Parameters, exact_value
from pde.evolution import DerivationStep, Method, Solution
from pde.resummed_series import resummed_curve
from pde.systems.continuation import ContinuationError, continued, differential
from pde.systems.curves import Branch, joined
from pde.systems.guess import FoundEquation, find_equation, in_variable

__all__ = ["CONFIRMED", "equation_curve", "series_curve", "series_solution"]


CONFIRMED = "coefficients that confirm the equation"
"""The note of a curve that follows an equation found in its coefficients."""

_ZERO = Polynomial()


def series_curve(
    coefficients: Sequence[Fraction], *, target: Fraction = Fraction(0), T: Fraction = Fraction(1)
) -> Curve:
    """The sum of c_s (t/T)^s / s!, by an equation or else by approximants.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...
    target : Fraction
        The part of c_0 that only measures the target, for the tolerance of approximants.
    T : Fraction

    Raises
    ------
    InvalidInputError
        If there is no equation, and too few coefficients for an error estimate.
    """
    found = equation_curve(coefficients, T=T)
    return resummed_curve(coefficients, target=target, T=T) if found is None else found[1]


def equation_curve(
    coefficients: Sequence[Fraction], *, T: Fraction = Fraction(1)
) -> tuple[FoundEquation, Curve] | None:
    """The equation that a series obeys, in scaled variables, and the curve along it.

    Parameters
    ----------
    coefficients : sequence of Fraction
        c_0, c_1, ...; the series is the sum of c_s (t/T)^s / s!.
    T : Fraction

    Returns
    -------
    tuple of FoundEquation and Curve, or None
        None if no equation is found, or none along which the series can be continued.
    """
    terms = [Fraction(c) / factorial(s) for s, c in enumerate(coefficients)]
    size = max((abs(c) for c in terms[:1]), default=Fraction(0)) or Fraction(1)
    unit = _unit(terms)
    # In τ the rates of exponentials are those of the flow; its own unit is used for τ itself.
    for lowest_order in (False, True):
        for scale, rates in ((Fraction(1), (4, 2, 1)), (unit, (0,))):
            scaled = [c / size * scale**n for n, c in enumerate(terms)]
            found = find_equation(scaled, rates=rates, lowest_order=lowest_order)
            if found is None:
                continue
            try:
                branches = _branches(found, scaled, float(size), float(scale))
            except ContinuationError:
                continue
            curve = joined(*branches, T=T)
            confirmed = (CONFIRMED, float(found.confirmations))
            return found, replace(curve, notes=(*curve.notes, confirmed))
    return None


def _unit(terms: Sequence[Fraction]) -> Fraction:
    """A power of two near the first ratio of terms, so that all have a similar size."""
    places = [n for n, c in enumerate(terms) if c][-2:]
    if len(places) < 2 or places[0] == 0:
        return Fraction(1)
    ratio = abs(terms[places[0]] / terms[places[1]])
    bits = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    return Fraction(2) ** (bits // (places[1] - places[0]))


def _branches(
    found: FoundEquation, terms: Sequence[Fraction], size: float, scale: float
) -> tuple[Branch, Branch]:
    series = in_variable(terms, found.rate)
    equation, series, known = differential(found, series, len(terms))
    past, future = (
        _branch(equation, series, known, past=side, size=size, scale=scale)
        for side in (True, False)
    )
    return past, future


def _branch(
    equation: FoundEquation, series: fmpq_poly, known: int, *, past: bool, size: float, scale: float
) -> Branch:
    rate = float(equation.rate)
    walked = continued(equation, series, known, past=past)
    sign = -1.0 if past else 1.0

    def place(distance: FloatArray) -> FloatArray:
        """|x| at |τ|; far ahead it is cut where the limit has long been reached."""
        if not rate:
            return distance
        return np.asarray(np.abs(np.expm1(np.minimum(sign * rate * distance, 700.0))))

    def evaluate(distance: FloatArray) -> FloatArray:
        return np.asarray(size * walked.values(place(distance)))

    end = _time(walked.end, sign, rate)
    notes: tuple[tuple[str, float], ...] = ()
    reason = "because the continuation ends there"
    if walked.singular < inf:
        notes = (("singular time", sign * _time(walked.singular, sign, rate) * scale),)
        reason = "because the equation of the series has a singular point there"
    limit = None if walked.limit is None else size * walked.limit
    return Branch(
        evaluate=evaluate,
        unit=scale,
        end=end * scale,
        reason=reason,
        limit=limit,
        error=size * walked.error,
        notes=notes,
    )


def _time(x: float, sign: float, rate: float) -> float:
    """|τ| at |x|; x = -1 is an infinite time."""
    if not rate:
        return x
    if sign * rate > 0:
        return float(np.log1p(x) / abs(rate))
    return float(-np.log1p(-x) / abs(rate)) if x < 1 - 1e-13 else inf


def series_solution(
    rows: Iterable[Polynomial],
    *,
    number: int,
    problem: str,
    regime: str,
    target: Polynomial = _ZERO,
    derivation: tuple[DerivationStep, ...] = (),
    source: str = "ours",
) -> Solution:
    """The solution of a regime from its exact leading coefficients alone.

    Parameters
    ----------
    rows : iterable of Polynomial
        The coefficients of (t/T)^s times s!, from s = 0 on.
    number : int
        How many of them are used.
    problem, regime, source
        See `Solution`.
    target : Polynomial
        The part of the first one that only measures the target.
    derivation : tuple of DerivationStep
        How they were obtained.

    Returns
    -------
    Solution
        Without a certificate; see `Solution.certified`. At numbers it looks for an equation.
    """
    known = tuple(islice(rows, number))

    def curve(parameters: Parameters) -> Curve:
        values = [exact_value(row, parameters) for row in known]
        constant = exact_value(target, parameters)
        return series_curve(values, target=constant, T=Fraction(parameters["T"]))

    last = DerivationStep(
        "Equation of the series",
        r"\sum_j P_j(x)\,F_j = 0,\qquad F = (1, h, h^2, \ldots)\ \text{or}\ (1, h, h', \ldots)",
        f"Sought at numbers in {len(known)} exact coefficients, confirmed by those that are left, "
        "and followed from disc to disc; approximants where there is none.",
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
        validity="t until a singular point of the equation, or while approximants agree",
    )
