"""Theory against simulation as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from diagflow.columns import counted
from diagflow.comparison.verdict import (
    LARGEST_SHARE,
    RESOLUTION,
    Agreement,
    Comparison,
    comparison_record,
)
from diagflow.schemas import versioned_text
from diagflow.show.simulation import blow_up_line, number, values_line

__all__ = ["FORMATS", "csv_text", "json_text", "judged", "remaining", "text", "verdict"]

COLUMNS = (
    "t", "theory", "mean", "standard_error", "deviation", "correction", "correction_error",
    "allowed",
)  # fmt: skip
"""Columns of the table."""

HEADINGS = (
    ("", "t"), ("", "theory"), ("", "mean"), ("standard", "error"), ("", "deviation"),
    ("", "correction"), ("correction", "error"), ("", "allowed"), ("", "relative"),
)  # fmt: skip
"""What stands above them for people, in two lines, and above the deviation in percent."""

MARKS = {Agreement.AGREES: "", Agreement.DIFFERS: "  !", Agreement.UNDECIDED: "  ?"}
"""Behind the rows of the table."""


def verdict(comparison: Comparison) -> str:
    """One line: how large the deviation is, the verdict and its reason."""
    if not np.isfinite(comparison.largest):
        size = "unbounded: runs have blown up"
    else:
        size = f"{100 * comparison.largest:.3g}% of {comparison.scale:.6g}"
    return f"Largest deviation {size}: {_conclusion(comparison)}"


def _conclusion(comparison: Comparison) -> str:
    number = counted(len(comparison.t), "time")
    differing = comparison.agreements.count(Agreement.DIFFERS)
    undecided = comparison.agreements.count(Agreement.UNDECIDED)
    rule = (
        "standard errors and the error of the finite-size correction"
        if comparison.tolerance is None
        else f"standard errors and the tolerance of {100 * comparison.tolerance:g}%"
    )
    share = comparison.neglected
    neglects = (
        "" if share is None else f"neglects {100 * share:.3g}% of what it sums at these numbers"
    )
    if differing:
        reason = f"BEYOND {rule} at {differing} of {number}"
        too_much = comparison.tolerance is None and share is not None and not share < 1
        return f"{reason}, and the theory {neglects}" if too_much else reason
    if comparison.verdict is Agreement.DIFFERS:
        return f"DIFFERS, the theory {neglects}"
    if comparison.verdict is Agreement.AGREES:
        close = int(np.count_nonzero(comparison.judged_by_distance))
        besides = f", at {close} of {number} within {100 * RESOLUTION:g}% of the leading loss"
        return f"within {rule}{besides if close else ''}"
    if undecided:
        unknown = _unknown(comparison)
        reasons = []
        if unknown:
            reasons.append(f"the finite-size correction is not known at {unknown} of {number}")
        between = int(np.count_nonzero(comparison.between))
        if between:
            reasons.append(
                f"the deviation is smaller than the finite-size correction at {between} of {number}"
            )
        if undecided > unknown + between:
            reasons.append(
                f"the allowed deviation exceeds {100 * RESOLUTION:g}% of the leading loss at "
                f"{undecided - unknown - between} of {number}, give more runs or closer times"
            )
        return f"CANNOT BE JUDGED, {' and '.join(reasons)}"
    return f"CANNOT BE JUDGED, the theory {neglects}"


def _unknown(comparison: Comparison) -> int:
    """At how many times the lack of a correction leaves the verdict open."""
    undecided = [at is Agreement.UNDECIDED for at in comparison.agreements]
    return int(np.count_nonzero(~np.isfinite(comparison.allowed) & undecided))


def judged(comparison: Comparison) -> str:
    """At how many times theory and simulation agree, and why not at the others; no full stop.

    Examples
    --------
    >>> from diagflow.comparison.verdict import compare
    >>> from diagflow.simulation.trajectory import Trajectory
    >>> loss = np.array([[1.0, 0.5], [1.0, 0.75]])
    >>> t = np.array([0.0, 1.0])
    >>> ensemble = Trajectory(t, loss, 0, (None, None), "DOP853", 1e-8, None, (0, 1), False)
    >>> print(judged(compare(lambda t: 1 - t / 2, ensemble, scale=1.0)))
    theory and simulation agree at 1 of 2 times; at 1 standard errors are too large to tell
    """
    number = len(comparison.t)
    agreements = comparison.agreements
    agreeing = agreements.count(Agreement.AGREES)
    differing = agreements.count(Agreement.DIFFERS)
    undecided = agreements.count(Agreement.UNDECIDED)
    unknown = _unknown(comparison)
    everywhere = (
        "at all times" if agreeing == number else f"at {agreeing} of {counted(number, 'time')}"
    )
    parts = [f"theory and simulation agree {everywhere}"]
    if differing:
        parts.append(f"they differ at {differing}")
    if unknown:
        parts.append(f"at {unknown} the finite-size correction is not known")
    between = int(np.count_nonzero(comparison.between))
    if between:
        parts.append(f"at {between} the deviation is smaller than the finite-size correction")
    if undecided > unknown + between:
        coarse = undecided - unknown - between
        parts.append(f"at {coarse} standard errors are too large to tell")
    share = comparison.neglected
    if comparison.tolerance is None and share is not None and not share <= LARGEST_SHARE:
        parts.append(f"the theory neglects {100 * share:.2g}% of what it sums here")
    return "; ".join(parts)


def remaining(comparison: Comparison) -> list[str]:
    """A line on the remaining deviation after the finite-size correction, if that is known."""
    if comparison.remaining is None or not np.isfinite(comparison.remaining):
        return []
    known = np.count_nonzero(np.isfinite(comparison.correction))
    return [
        f"With the correction, at the {counted(int(known), 'time')} where it is known: "
        f"{100 * comparison.remaining:.3g}%"
    ]


def text(title: str, at: Mapping[str, Fraction], comparison: Comparison) -> str:
    """The title, the table, the verdict."""
    ensemble = comparison.trajectory
    lines = [
        title,
        f"At {values_line(at)}; {counted(ensemble.runs, 'run')}, seed {ensemble.seed}",
        *blow_up_line(ensemble),
        "",
    ]
    rows = [[above for above, _ in HEADINGS], [below for _, below in HEADINGS]]
    for k, t in enumerate(comparison.t):
        values = [number(getattr(comparison, name)[k], _FORMATS[name]) for name in COLUMNS[1:]]
        rows.append([f"{t:.8g}", *values, number(comparison.relative[k], "+.3%")])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    marks = ["", "", *(MARKS[agreement] for agreement in comparison.agreements)]
    for row, mark in zip(rows, marks, strict=True):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(("  ".join(cells) + mark).rstrip())
    lines += ["", verdict(comparison), *remaining(comparison)]
    if comparison.band is not None:
        names = ("t", "theory", "simulation")
        lines += ["", "One run is so far from the mean, as a standard deviation:"]
        lines.append("  ".join(f"{name:>16}" for name in names))
        for t, *pair in zip(comparison.t, comparison.band, comparison.spread, strict=True):
            cells = [f"{t:.8g}", *(number(value, ".4g") for value in pair)]
            lines.append("  ".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines) + "\n"


_FORMATS = {name: ".6g" if name in ("theory", "mean") else ".3g" for name in COLUMNS}


def json_text(title: str, at: Mapping[str, Fraction], comparison: Comparison) -> str:
    """The comparison as a record, indented."""
    record = {
        "comparison": title,
        "parameters": {name: str(value) for name, value in at.items()},
        **comparison_record(comparison),
    }
    return versioned_text("compare", record)


def csv_text(title: str, at: Mapping[str, Fraction], comparison: Comparison) -> str:
    """The table; cells are empty where a number is not known."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = COLUMNS if comparison.band is None else (*COLUMNS, "band", "spread")
    writer.writerow(columns)
    for k in range(len(comparison.t)):
        row = [float(getattr(comparison, name)[k]) for name in columns]
        writer.writerow([repr(value) if np.isfinite(value) else "" for value in row])
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json_text, "csv": csv_text}
"""How a comparison is printed, by the name of the format."""
