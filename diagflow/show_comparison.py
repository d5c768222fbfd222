"""Theory against simulation as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from diagflow.compare import Comparison, comparison_record
from diagflow.schemas import versioned_text
from diagflow.show_simulation import blow_up_line, number, values_line

__all__ = ["csv_text", "json_text", "remaining", "text", "verdict"]

COLUMNS = ("t", "theory", "mean", "standard_error", "deviation", "correction", "allowed")
"""Columns of the table."""


def verdict(comparison: Comparison) -> str:
    """One line: how large the deviation is and whether it is allowed."""
    if not np.isfinite(comparison.largest):
        size = "unbounded: runs have blown up"
    else:
        size = f"{100 * comparison.largest:.3g}% of {comparison.scale:.6g}"
    rule = (
        "standard errors and the expected finite-size correction"
        if comparison.tolerance is None
        else f"standard errors and the tolerance of {100 * comparison.tolerance:g}%"
    )
    if comparison.holds:
        return f"Largest deviation {size}: within {rule}"
    outside = np.count_nonzero(~comparison.agrees)
    return f"Largest deviation {size}: BEYOND {rule} at {outside} of {len(comparison.t)} times"


def remaining(comparison: Comparison) -> list[str]:
    """A line on what is left after the finite-size correction, if that is known."""
    if comparison.remaining is None or not np.isfinite(comparison.remaining):
        return []
    known = np.count_nonzero(np.isfinite(comparison.correction))
    return [
        f"With the correction, at the {known} times where it is known: "
        f"{100 * comparison.remaining:.3g}%"
    ]


def text(title: str, at: Mapping[str, Fraction], comparison: Comparison) -> str:
    """What was compared, the table, the verdict."""
    ensemble = comparison.trajectory
    lines = [
        title,
        f"At {values_line(at)}; {ensemble.runs} runs, seed {ensemble.seed}",
        *blow_up_line(ensemble),
        "",
        "  ".join(f"{name.replace('_', ' '):>14}" for name in (*COLUMNS, "relative")),
    ]
    for k, t in enumerate(comparison.t):
        cells = [f"{t:.8g}"]
        cells += [number(getattr(comparison, name)[k], ".6g") for name in COLUMNS[1:]]
        cells.append(number(comparison.relative[k], "+.3%"))
        mark = "" if comparison.agrees[k] else "  !"
        lines.append("  ".join(f"{cell:>14}" for cell in cells) + mark)
    lines += ["", verdict(comparison), *remaining(comparison)]
    return "\n".join(lines) + "\n"


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
    writer.writerow(COLUMNS)
    for k in range(len(comparison.t)):
        row = [float(getattr(comparison, name)[k]) for name in COLUMNS]
        writer.writerow([repr(value) if np.isfinite(value) else "" for value in row])
    return buffer.getvalue()
