"""Everything that the page of a problem shows, as plain data: the format ``explorer``.

Exact numbers are strings, curves are numbers. Where something is missing there is ``null`` and a
sentence with the reason.

>>> from expansion.models import cp
>>> from expansion.regimes import regimes
>>> regime_set = regimes(cp(order=2, symmetric=True), terms=4)
>>> record = explorer_record(regime_set, {})
>>> record["symbols"][0]["name"], [regime["name"] for regime in record["regimes"]][:3]
('p', ['A', 'B', 'E'])

Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagflow.atlas.formulas import formula_record
from diagflow.atlas.shapes import exponents_record, map_record
from diagflow.atlas.tables import Table
from diagflow.report.experiments import Experiment
from diagflow.report.problem import function_latex, motion_latex, open_indices
from diagflow.report.title import title_words
from diagflow.schemas import VERSIONS
from diagflow.show.comparison import judged
from diagflow.show.regimes import power_latex, power_text, support
from diagflow.show.sources import engine_name, source_text
from diagrams.errors import BudgetExceededError, DiagflowError
from expansion.leading import LeadingSeries
from expansion.polynomial import Polynomial, symbol_latex
from expansion.problem import Problem
from expansion.recognition import recognised
from expansion.regimes import Regime, Regimes
from expansion.series_exponents import SeriesExponents
from pde.evolution import Solution

__all__ = ["Findings", "explorer_record", "how_solved"]

_MONOMIALS = 20_000
"""Monomials of all coefficients together; later coefficients are left to the command line."""

_DIGITS = 7

Findings = Mapping[str, Any]
"""The results for a regime in addition to its solution: table, dynamics, experiment, numbers."""

NOTHING: Findings = MappingProxyType({})


def explorer_record(
    regime_set: Regimes,
    solved: Mapping[str, Solution | DiagflowError],
    *,
    findings: Mapping[str, Findings] = NOTHING,
    terms: Mapping[str, Any] | None = None,
    missing: Sequence[str] = (),
) -> dict[str, Any]:
    """The record of a page.

    Parameters
    ----------
    regime_set : Regimes
        Of a problem.
    solved : mapping
        The solution of regimes by name, or why there is none.
    findings : mapping, optional
        For regimes by name ``table``, ``taylor``, ``dynamics``, ``experiment`` and ``numbers``,
        where known.
    terms : mapping, optional
        Drawn diagrams of the first coefficients.
    missing : sequence of str
        What was not finished, a line each.
    """
    exponents = regime_set.exponents
    problem = exponents.problem
    kept = _kept(exponents)
    return {
        "schema_version": VERSIONS["explorer"],
        "generator": engine_name(),
        "problem": None if problem is None else _problem(problem),
        "symbols": [
            {"name": name, "latex": symbol_latex(name), "grows": name in exponents.growing}
            for name in exponents.symbols
        ],
        "last_term": exponents.last,
        "support": support(regime_set),
        "coefficients": [
            _polynomial(coefficient, exponents.symbols)
            for coefficient in exponents.coefficients[:kept]
        ],
        "pure_target": _polynomial(exponents.pure_target, exponents.symbols),
        "descends": bool(exponents.loss is None and problem and problem.drive.is_plain),
        "exponents": exponents_record(regime_set),
        "map": map_record(regime_set),
        "regimes": [
            _regime(
                regime_set, regime, solved.get(regime.name), findings.get(regime.name, {}), kept
            )
            for regime in regime_set
        ],
        "diagrams": terms,
        "missing": list(missing),
    }


def how_solved(solved: Solution | DiagflowError | None) -> str:
    """The way in which a regime is solved, in a word or two."""
    if solved is None or isinstance(solved, BudgetExceededError):
        return "not reached"
    if isinstance(solved, DiagflowError):
        return "not solved"
    return str(solved.method.value)


def _kept(exponents: SeriesExponents) -> int:
    """How many coefficients have no more monomials together than a page holds."""
    total = 0
    for number, coefficient in enumerate(exponents.coefficients):
        total += len(coefficient)
        if total > _MONOMIALS:
            return max(1, number)
    return len(exponents.coefficients)


def _problem(problem: Problem) -> dict[str, Any]:
    known = recognised(problem)
    preset = None if known is None or known.is_itself else known.preset.title
    names = open_indices(problem)
    return {
        "title": problem.title,
        "words": title_words(problem),
        "family": problem.family,
        "options": {name: str(value) for name, value in dict(problem.options).items()},
        "preset": preset,
        "model": function_latex("f", problem.model, names),
        "target": function_latex("F", problem.target, names),
        "motion": motion_latex(problem),
    }


def _polynomial(polynomial: Polynomial, symbols: Sequence[str]) -> list[list[Any]]:
    """Rows of a coefficient as a string, followed by the exponents."""
    rows = []
    for powers, coefficient in polynomial:
        table = dict(powers)
        rows.append([str(coefficient), *(table.get(name, 0) for name in symbols)])
    return rows


def _regime(
    regime_set: Regimes,
    regime: Regime,
    solved: Solution | DiagflowError | None,
    findings: Findings,
    kept: int,
) -> dict[str, Any]:
    table = findings.get("table")
    experiment = findings.get("experiment")
    return {
        "name": regime.name,
        "vertices": list(regime.vertices),
        "dimension": regime.dimension,
        "conditions": [
            {"latex": condition.latex(), "text": str(condition)} for condition in regime.conditions
        ],
        "natural_time": {
            "latex": power_latex(regime.natural_time),
            "text": power_text(regime.natural_time),
            "exponents": {name: str(power) for name, power in regime.natural_time},
        },
        "learning": regime.learning.value,
        "decided": regime.decided,
        "moves": bool(regime.moving),
        "neighbours": [other.name for other in regime_set.neighbours(regime)],
        "faces": [
            other.name
            for other in regime_set
            if other is not regime and regime_set.includes(regime, other)
        ],
        "cone": {
            "equations": [list(row) for row in regime.cone.equations],
            "inequalities": [list(row) for row in regime.cone.inequalities],
        },
        "leading": _leading(regime_set, regime, kept),
        "numbers": {name: str(value) for name, value in (findings.get("numbers") or {}).items()},
        "solved": how_solved(solved),
        "solution": _solution(solved) if isinstance(solved, Solution) else None,
        "unsolved": str(solved) if isinstance(solved, DiagflowError) else None,
        "table": None if table is None else _table(table),
        "taylor": [
            _polynomial(coefficient, regime_set.exponents.symbols)
            for coefficient in findings.get("taylor") or ()
        ],
        "dynamics": findings.get("dynamics"),
        "experiment": None if experiment is None else _experiment(experiment),
        "no_experiment": findings.get("no_experiment"),
    }


def _leading(regime_set: Regimes, regime: Regime, kept: int) -> list[list[int]]:
    """Which monomials of each coefficient lead, by their place in it."""
    leading = LeadingSeries(regime_set, regime)
    result = []
    for s, coefficient in enumerate(regime_set.exponents.coefficients[:kept]):
        lead = {powers for powers, _ in leading[s]} if s in regime_set.polyhedra else set()
        result.append([place for place, (powers, _) in enumerate(coefficient) if powers in lead])
    return result


def _solution(solved: Solution) -> dict[str, Any]:
    certificate = solved.certificate
    hierarchy = solved.hierarchy
    return {
        "method": solved.method.value,
        "origin": solved.origin.value,
        "validity": solved.validity,
        "source": source_text(solved.source),
        "certificate": {
            "matched": list(certificate.matched),
            "compared": list(certificate.compared),
            "left_out": list(certificate.left_out),
        },
        "hierarchy": None if hierarchy.cores is None else str(hierarchy),
        "formula": formula_record(solved),
        "steps": [
            {"title": step.title, "text": step.text, "latex": step.latex}
            for step in solved.derivation
        ],
    }


def _table(table: Table) -> dict[str, Any]:
    variables = table.variables
    return {
        "ratios": [list(row) for row in variables.ratios],
        "time": [str(x) for x in variables.time],
        "scale": [str(x) for x in variables.scale],
        "sign": table.sign,
        "step": table.step,
        "axes": [
            [_rounded(axis[0]), _rounded(axis[1] - axis[0]), len(axis)] for axis in table.axes
        ],
        "units": _numbers(table.units),
        "values": _numbers(table.values),
        "times": table.values.shape[-1],
        "error": _rounded(table.error + table.stated),
        "probes": table.probes,
    }


def _experiment(done: Experiment) -> dict[str, Any]:
    at, comparison = done
    return {
        "at": {name: str(value) for name, value in at.items()},
        "t": _numbers(comparison.t),
        "theory": _numbers(comparison.theory),
        "correction": _numbers(comparison.correction),
        "mean": _numbers(comparison.mean),
        "error": _numbers(comparison.standard_error),
        "runs": comparison.trajectory.runs,
        "seed": comparison.trajectory.seed,
        "largest": _rounded(comparison.largest),
        "scale": _rounded(comparison.scale),
        "verdict": comparison.verdict.value,
        "judged": judged(comparison),
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers in the order of the array, rounded; null where there is none."""
    return [_rounded(value) for value in np.ravel(values)]


def _rounded(value: float | np.float64 | Fraction) -> float | None:
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
