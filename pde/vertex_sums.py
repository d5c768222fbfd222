r"""Regimes that are the sum of their vertices.

On an edge of the Newton polyhedra the leading part of Y_s has the monomials of the two vertices and
those between them. Where the vertices are neighbouring lattice points for every s, there are none
between them: the leading series is the sum of those of the vertices, and so is the loss:

    lead_edge(Y_s) = lead_v(Y_s) + lead_w(Y_s).

The term that only measures the target is counted once. An example is the edge B-C of ASYM of order
3 for modular addition, a kernel regime in which noise and error decay at one rate.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from expansion.polynomial import Polynomial
from pde.curve import Curve, Domain, FloatArray, Parameters, bounded_float, exact_value
from pde.evolution import DerivationStep, Method, Origin, Solution

if TYPE_CHECKING:
    import mpmath

__all__ = ["sum_of_solutions"]


def sum_of_solutions(
    parts: Sequence[Solution],
    still: Polynomial,
    wanted: Sequence[Polynomial],
    *,
    problem: str,
    regime: str,
    derivation: Sequence[DerivationStep] | None = None,
) -> Solution | None:
    """The sum of some solutions and a term that does not move, if that has given coefficients.

    Parameters
    ----------
    parts : sequence of Solution
        Those of the vertices.
    still : Polynomial
        What is added: the pure-target term times the number of times that it is missing.
    wanted : sequence of Polynomial
        lead(Y_0), lead(Y_1), ... of the edge, which certify the sum.
    problem, regime : str
        What the sum is the solution of.
    derivation : sequence of DerivationStep, optional
        Its steps; without them those of the parts.

    Returns
    -------
    Solution or None
        Certified; None if the sum has other coefficients, or a part is no function that is known
        for all times of its domain.
    """
    if any(part.origin is Origin.RESUMMED for part in parts):
        return None

    def taylor() -> Iterator[Polynomial]:
        for s, rows in enumerate(zip(*(part.taylor() for part in parts), strict=False)):
            yield sum(rows, still if s == 0 else Polynomial({}))

    def curve(parameters: Parameters) -> Curve:
        curves = [part.curve(parameters) for part in parts]
        constant = exact_value(still, parameters)
        return _Sum(tuple(curves), bounded_float(Fraction(constant))).curve

    formulas = [part.formula for part in parts if part.formula is not None]
    whole = len(formulas) == len(parts)
    methods = {part.method for part in parts}
    solved = Solution(
        problem=problem,
        regime=regime,
        method=methods.pop() if len(methods) == 1 else Method.MOMENTS,
        source="; ".join(dict.fromkeys(part.source for part in parts)),
        formula=sum(formulas, still.to_sympy()) if whole else None,
        derivation=tuple(_steps(parts) if derivation is None else derivation),
        taylor=taylor,
        curve=curve,
        validity=_validity([part.validity for part in parts]),
        origin=Origin.DERIVED
        if all(part.origin is Origin.DERIVED for part in parts)
        else Origin.GIVEN,
        is_series=any(part.is_series for part in parts),
        checked_terms=min(part.checked_terms for part in parts),
        obeys_bounds=False,
    ).certified(wanted)
    return solved if solved.certificate.holds else None


def _validity(parts: Sequence[str]) -> str:
    """Where all parts hold, in words."""
    bounded = [words for words in dict.fromkeys(parts) if words != "all t"]
    return "; ".join(bounded) or "all t"


def _steps(parts: Sequence[Solution]) -> Iterator[DerivationStep]:
    names = ", ".join(part.regime for part in parts)
    yield DerivationStep(
        "Sum of vertices",
        r"\operatorname{lead}(Y_s) = \sum_v \operatorname{lead}_v(Y_s)",
        f"The vertices {names} are neighbouring monomials: none lies between them, for no s.",
    )
    for part in parts:
        for step in part.derivation:
            yield DerivationStep(f"{part.regime}: {step.title}", step.latex, step.text)


@dataclass(frozen=True)
class _Sum:
    """Curves that are added, with a number."""

    curves: tuple[Curve, ...]
    constant: float

    @property
    def curve(self) -> Curve:
        start = max(self.curves, key=lambda curve: curve.domain.start).domain
        stop = min(self.curves, key=lambda curve: curve.domain.stop).domain
        estimates = [curve.error_estimate for curve in self.curves]
        known = [estimate for estimate in estimates if estimate is not None]
        return Curve(
            evaluate=self._values,
            domain=Domain(start.start, stop.stop, stop.why(1.0), start.why(-1.0)),
            precise=self._precise if all(curve.precise for curve in self.curves) else None,
            limits=(self._limit(0), self._limit(1)),
            error_estimate=sum(known) if known else None,
            errors=self._errors if known else None,
            notes=tuple(note for curve in self.curves for note in curve.notes),
        )

    def _values(self, t: FloatArray) -> FloatArray:
        return np.asarray(sum(curve.evaluate(t) for curve in self.curves) + self.constant)

    def _precise(self, t: mpmath.mpf, digits: int) -> mpmath.mpf:
        parts = [curve.precise(t, digits) for curve in self.curves if curve.precise is not None]
        return sum(parts) + self.constant

    def _errors(self, t: FloatArray) -> FloatArray:
        found = np.zeros(len(t))
        for curve in self.curves:
            if curve.errors is not None:
                found += curve.errors(t)
            elif curve.error_estimate is not None:
                found += curve.error_estimate
        return found

    def _limit(self, which: int) -> float | None:
        limits = [curve.limits[which] for curve in self.curves]
        known = [limit for limit in limits if limit is not None]
        return sum(known) + self.constant if len(known) == len(limits) else None
