"""A loss evolution as text, JSON, CSV or LaTeX, and the list of solutions of a map."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from diagflow.columns import counted, hanging
from diagflow.fits import CurveFit, fit_record
from diagflow.latex.bands import band_latex
from diagflow.latex.solutions import evolution_latex
from diagflow.schemas import versioned_text
from diagflow.show.numbers import values_line
from diagflow.show.sources import source_text
from diagflow.wording import as_options
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.closest_regime import NeglectedShare
from expansion.regimes import Regimes
from pde.curve import Domain
from pde.curve_check import CurveCheck, check_solution
from pde.evolution import Certificate, LossEvolution, Origin, Solution
from pde.hierarchies import HierarchyKind, HierarchySummary
from pde.solving import solution

__all__ = [
    "NOTEWORTHY",
    "UNDECIDED",
    "all_hold",
    "csv_text",
    "finite",
    "json_text",
    "latex",
    "list_entry",
    "list_json",
    "listed",
    "neglect_warning",
    "solution_text",
    "text",
]

_LONGEST_CORES = 31
"""Characters of the longest kind of hierarchy with its number of cores: rows come one by one."""

Band = Sequence[float | None] | None
"""The standard deviation of one run at every time, None where it is not known."""

UNDECIDED = (
    "the known coefficients do not tell whether this is a regime for all s, and other terms may "
    "lead later; more --terms decide more"
)
"""What is said of the solution of a regime that the map calls undecided."""

NOTEWORTHY = Fraction(1, 10)
"""A larger neglected share is worth a warning."""


def neglect_warning(share: NeglectedShare, *, T: Fraction) -> str | None:
    """A line on how far off the losses of a regime are, if that is worth one or is not known.

    Parameters
    ----------
    share : NeglectedShare
        At the times that were asked for.
    T : Fraction
        The inverse learning rate.
    """
    unknown = _unknown_times(share, T)
    worst = share.largest_known
    if worst is None or worst.share <= NOTEWORTHY:
        if not unknown:
            return None
        return (
            f"diagflow: note: how much regime {share.regime.name} neglects at these numbers is not "
            f"known {unknown}; see 'diagflow compare'"
        )
    size = (
        f"{float(f'{100 * float(worst.share):.2g}'):g}%"
        if worst.share < 10
        else f"{float(worst.share):.2g}"
    )
    relation = "of the loss" if worst.share < 10 else "times the loss"
    rest = f"; not known {unknown}" if unknown else ""
    place = f"largest at t = {float(worst.time * T):.4g}{rest}"
    return (
        f"diagflow: warning: at these numbers regime {share.regime.name} neglects about {size} "
        f"{relation} ({place}); see 'diagflow regimes --at'"
    )


def _unknown_times(share: NeglectedShare, T: Fraction) -> str:
    """From where on the share is not known, in both directions of time; empty if it is."""
    times = [float(time * T) for time in share.unknown]
    after, before = [t for t in times if t > 0], [t for t in times if t < 0]
    ends = [f"up to t = {max(before):.4g}"] if before else []
    ends += [f"from t = {min(after):.4g} on"] if after else []
    return " and ".join(ends)


def finite(values: NDArray[Any], times: Sequence[float]) -> list[float]:
    """The values as a list.

    Raises
    ------
    InvalidInputError
        If one of them is too large for a floating point number.
    """
    result = [float(value) for value in values]
    for t, value in zip(times, result, strict=True):
        if not math.isfinite(value):
            raise InvalidInputError(
                f"t = {t:g}: the loss is too large for a floating point number; give times "
                "closer to 0"
            )
    return result


def text(
    evolution: LossEvolution,
    times: Sequence[float],
    losses: Sequence[float],
    check: CurveCheck | None = None,
    band: Band = None,
    fit: CurveFit | None = None,
) -> str:
    """The solution, its method and certificate, and the curve, with a band if there is one."""
    lines = [solution_text(evolution.solution, check), "", _numbers_line(evolution)]
    error = evolution.error_at(times)
    if error is not None:
        lines.append(f"Estimated error: {error:.2g}")
    lines += [f"{name} = {value:.10g}" for name, value in evolution.curve.notes]
    rows = [f"{t:>14.8g}  {loss:.12g}" for t, loss in zip(times, losses, strict=True)]
    if band is not None:
        lines.append("One run is so far from the mean, as a standard deviation: third column")
        width = max(map(len, rows), default=0)
        apart = ["-" if value is None else f"{value:.4g}" for value in band]
        rows = [f"{row:<{width}}  +- {value}" for row, value in zip(rows, apart, strict=True)]
    lines += ["", *rows]
    lines += [] if fit is None else ["", str(fit)]
    return "\n".join(lines) + "\n"


def solution_text(solved: Solution, check: CurveCheck | None = None) -> str:
    """The solution, its method and certificate, without numbers."""
    lines = [
        solved.problem,
        f"Regime {solved.regime}, method {solved.method.value}, valid for {solved.validity}",
        f"Source: {source_text(solved.source)}",
        _certificate_line(solved),
        *([] if solved.decided else [f"Undecided: {UNDECIDED}"]),
        *_left_out_lines(solved.certificate),
        *([] if check is None else [_check_line(check)]),
    ]
    short = solved.short_formula()
    if short is not None:
        lines += ["", *short.definitions, f"E[L(t)] ~ {short.formula}"]
    if solved.derivation:
        lines += ["", _HEADINGS[solved.origin]]
        for number, step in enumerate(solved.derivation, start=1):
            lines.append(f"  {number}. {step.title}" + (f": {step.text}" if step.text else ""))
    return "\n".join(lines)


def json_text(
    evolution: LossEvolution,
    times: Sequence[float],
    losses: Sequence[float],
    check: CurveCheck | None = None,
    band: Band = None,
    fit: CurveFit | None = None,
) -> str:
    """The record of the command line's contract, indented."""
    solved = evolution.solution
    record = {
        "regime": solved.regime,
        **_undecided(solved),
        "parameters": {name: str(value) for name, value in evolution.parameters.items()},
        "valid": _domain_record(evolution.domain),
        "t": list(times),
        "loss": list(losses),
        **({} if band is None else {"band": list(band)}),
        **({} if fit is None else {"fit": fit_record(fit)}),
        "certificate": _certificate_record(evolution.certificate),
        "curve_check": None
        if check is None
        else {
            "holds": check.holds,
            "compared": check.compared,
            "worst": check.worst if math.isfinite(check.worst) else None,
        },
        "origin": solved.origin.value,
        **_formula_record(evolution.solution),
        "method": solved.method.value,
        "error_estimate": evolution.error_at(times),
        "source": source_text(solved.source),
        "notes": {
            name: value if math.isfinite(value) else None for name, value in evolution.curve.notes
        },
    }
    return versioned_text("solve", record)


def csv_text(
    evolution: LossEvolution,
    times: Sequence[float],
    losses: Sequence[float],
    check: CurveCheck | None = None,
    band: Band = None,
) -> str:
    """Two columns, t and loss, and a third one for a band."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["t", "loss", *(["band"] if band is not None else [])])
    columns = [times, losses, *([band] if band is not None else [])]
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue()


def latex(
    evolution: LossEvolution,
    times: Sequence[float],
    losses: Sequence[float],
    check: CurveCheck | None = None,
    band: Band = None,
    *,
    variance: Solution | None = None,
) -> str:
    """The derivation step by step, the formula and its certificate, for a paper.

    With a band, a table of the curve and of it follows, and what is known of the variance.
    """
    text = evolution_latex(evolution)
    return text if band is None else text + band_latex(times, losses, band, variance)


def listed(regime_set: Regimes) -> Iterator[dict[str, Any]]:
    """A record for every regime: method, cores, validity, certificate, or why it is not solved.

    One after the other, each as soon as it is known.
    """
    for regime in regime_set:
        try:
            solved = solution(regime_set, regime.name)
            check = check_solution(solved)
        except DiagflowError as error:
            yield {
                "regime": regime.name,
                "method": None,
                "reason": as_options(error),
                "code": error.code,
            }
            continue
        yield {
            "regime": regime.name,
            **_undecided(solved),
            "method": solved.method.value,
            "origin": solved.origin.value,
            "hierarchy": {
                "kind": solved.hierarchy.kind.value,
                "cores": solved.hierarchy.cores,
                "remark": solved.hierarchy.remark or None,
            },
            "validity": solved.validity,
            "certificate": _certificate_record(solved.certificate),
            "curve_holds": check.holds,
            "source": source_text(solved.source),
        }


def _undecided(solved: Solution) -> dict[str, bool]:
    """A field of the record of a regime that the map calls undecided."""
    return {} if solved.decided else {"decided": False}


def all_hold(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no certificate and no curve fails; a regime without a solution fails nothing."""
    return all(
        row["method"] is None
        or (row["certificate"]["matched"] == row["certificate"]["compared"] and row["curve_holds"])
        for row in rows
    )


def list_entry(row: Mapping[str, Any], *, longest: int, width: int | None = None) -> str:
    """A record of `listed` as text.

    Parameters
    ----------
    row : mapping
    longest : int
        The length of the longest name of a regime.
    width : int, optional
        That of a line.
    """
    line = f"{row['regime']:<{longest}}  "
    if row["method"] is None:
        line += f"not solved: {row['reason']}"
    else:
        line += f"{row['method']:<15}  {row['origin']:<8}  {_cores(row):<{_LONGEST_CORES}}  "
        line += f"{_proof(row):<12}  {row['validity']}"
        line += "" if row.get("decided", True) else "; undecided"
    return "\n".join(hanging(line, longest + 2, width=width)) + "\n"


def list_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """The records of `listed` as JSON."""
    return versioned_text("solve-list", {"solutions": list(rows)})


def _cores(row: Mapping[str, Any]) -> str:
    """The kind of hierarchy with the number of its cores, - if there is none."""
    if row["method"] is None or row["hierarchy"]["cores"] is None:
        return "-"
    return str(HierarchySummary(HierarchyKind(row["hierarchy"]["kind"]), row["hierarchy"]["cores"]))


def _proof(row: Mapping[str, Any]) -> str:
    matched, compared = (row["certificate"][name] for name in ("matched", "compared"))
    if matched != compared:
        return f"FAILS at {sorted({*compared} - {*matched})}"
    if not row["curve_holds"]:
        return "curve FAILS"
    return f"s = {_range(matched)}" if compared else "estimated"


def _check_line(check: CurveCheck) -> str:
    if check.holds:
        at = counted(check.compared, "time")
        return f"Curve: agrees with its exact coefficients and formula at {at}"
    return f"Curve FAILS: at t = {check.time:g} it is not the sum of its coefficients"


_HEADINGS = {
    Origin.DERIVED: "Derived from the enumerated coefficients:",
    Origin.GIVEN: "Formula given, certified for the s above; the reasons given for it:",
    Origin.RESUMMED: "Resummed:",
}


def _certificate_line(solved: Solution) -> str:
    certificate = solved.certificate
    if not certificate.compared and solved.origin is Origin.RESUMMED:
        return (
            "Certificate: none, the curve is made of the exact coefficients; its error is estimated"
        )
    if not certificate.compared:
        return "Certificate: nothing was compared"
    if certificate.holds:
        return (
            f"Certificate: the exact leading coefficients are reproduced at "
            f"s = {_range(certificate.matched)}"
        )
    return f"Certificate FAILS: only s = {_range(certificate.matched)} is reproduced"


def _left_out_lines(certificate: Certificate) -> list[str]:
    """Which leading coefficients the solution does not contain, and why."""
    if not certificate.left_out:
        return []
    return [
        f"Left out: those at s = {_range(certificate.left_out)}, which are smaller than the "
        "dynamics: of lower order than the loss times T**s"
    ]


def _certificate_record(certificate: Certificate) -> dict[str, list[int]]:
    return {
        "matched": list(certificate.matched),
        "compared": list(certificate.compared),
        "left_out": list(certificate.left_out),
    }


def _range(orders: Sequence[int]) -> str:
    if len(orders) > 2 and list(orders) == list(range(orders[0], orders[-1] + 1)):
        return f"{orders[0]} ... {orders[-1]}"
    return ", ".join(map(str, orders))


def _numbers_line(evolution: LossEvolution) -> str:
    values = values_line(evolution.parameters)
    domain = evolution.domain
    bounds = [
        *([f"t > {domain.start:.10g}"] if math.isfinite(domain.start) else []),
        *([f"t < {domain.stop:.10g}"] if math.isfinite(domain.stop) and domain.stop else []),
        *(["t <= 0"] if domain.stop == 0 else []),
    ]
    return f"At {values}" + (f", for {' and '.join(bounds)}" if bounds else "")


def _domain_record(domain: Domain) -> dict[str, Any]:
    return {
        "start": domain.start if math.isfinite(domain.start) else None,
        "stop": domain.stop if math.isfinite(domain.stop) else None,
        "reason": domain.reasons,
    }


def _formula_record(solved: Solution) -> dict[str, Any]:
    """The formula: short in LaTeX, and as one expression in the symbols of the problem."""
    short = solved.short_formula()
    if short is None:
        return {"formula": None, "expression": None, "scaled_variables": {}}
    return {
        "formula": short.latex(),
        "expression": str(solved.formula),
        "scaled_variables": {name: str(value) for name, value in short.scaled},
    }
