"""An ensemble of simulations as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from diagflow.columns import counted
from diagflow.fits import CurveFit, fit_record
from diagflow.schemas import versioned_text
from diagflow.show.numbers import number, values_line
from diagflow.simulation import METHODS
from diagflow.simulation.trajectory import Trajectory, trajectory_record

__all__ = [
    "FORMATS",
    "blow_up_line",
    "csv_text",
    "curve_lines",
    "json_text",
    "number",
    "text",
    "values_line",
]


def text(
    title: str,
    at: Mapping[str, Fraction],
    trajectory: Trajectory,
    *,
    curves: bool,
    fit: CurveFit | None = None,
) -> str:
    """The problem, the integrator, and the mean with its standard error; curves on request."""
    lines = [title, f"At {values_line(at)}", *curve_lines(trajectory, curves=curves)]
    lines += [] if fit is None else ["", str(fit)]
    return "\n".join(lines) + "\n"


def curve_lines(trajectory: Trajectory, *, curves: bool) -> list[str]:
    """How the ensemble was integrated, and its mean with the standard error at every time."""
    how = (
        f"Euler with step {trajectory.step:g}"
        if trajectory.step is not None
        else f"{trajectory.method} with relative tolerance {trajectory.rtol:g}"
    )
    lines = [
        f"{counted(trajectory.runs, 'run')}, seed {trajectory.seed}; {how}",
        *blow_up_line(trajectory),
        "",
        f"{'t':>14}  {_heading(trajectory):>18}  {'standard error':>15}"
        + ("".join(f"  {f'run {run}':>15}" for run in trajectory.finished) if curves else ""),
    ]
    for k, t in enumerate(trajectory.t):
        row = f"{t:>14.8g}  {number(trajectory.mean[k], '.12g'):>18}"
        row += f"  {number(trajectory.standard_error[k], '.3g'):>15}"
        if curves:
            row += "".join(f"  {number(value, '.9g'):>15}" for value in trajectory.loss[:, k])
        lines.append(row)
    return lines


def _heading(trajectory: Trajectory) -> str:
    """The name of the estimate."""
    names = {1: "mean loss", 2: "variance"}
    return names.get(trajectory.cumulant, f"cumulant {trajectory.cumulant}")


def json_text(
    title: str,
    at: Mapping[str, Fraction],
    trajectory: Trajectory,
    *,
    curves: bool,
    fit: CurveFit | None = None,
) -> str:
    """The record of the command line's contract, indented; the curve of every run on request."""
    record = trajectory_record(trajectory) | {
        "problem": title,
        "parameters": {name: str(value) for name, value in at.items()},
        "method": trajectory.method if trajectory.method in METHODS else "euler",
        "rtol": trajectory.rtol,
        "step": trajectory.step,
        "blow_up": list(trajectory.blow_up),
        "interrupted": trajectory.interrupted,
    }
    if fit is not None:
        record["fit"] = fit_record(fit)
    if curves:
        record["loss"] = [
            [float(x) if np.isfinite(x) else None for x in row] for row in trajectory.loss
        ]
    return versioned_text("simulate", record)


def csv_text(
    title: str,
    at: Mapping[str, Fraction],
    trajectory: Trajectory,
    *,
    curves: bool,
    fit: CurveFit | None = None,
) -> str:
    """Columns t, mean, standard_error, and on request one for each run; empty where undefined."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = [trajectory.t, trajectory.mean, trajectory.standard_error]
    names = ["t", "mean", "standard_error"]
    if curves:
        columns += list(trajectory.loss)
        names += [f"run_{run}" for run in trajectory.finished]
    writer.writerow(names)
    for row in zip(*columns, strict=True):
        writer.writerow([repr(float(value)) if np.isfinite(value) else "" for value in row])
    return buffer.getvalue()


def blow_up_line(trajectory: Trajectory) -> list[str]:
    """Which runs have blown up and when, if any."""
    times = sorted((t for t in trajectory.blow_up if t is not None), key=abs)
    if not times:
        return []
    ends = f"at t = {times[0]:.6g}" if len(times) == 1 else f"from t = {times[0]:.6g} on"
    if len(times) > 1:
        ends += f", the last at t = {times[-1]:.6g}"
    return [f"{len(times)} of {trajectory.runs} runs blow up, {ends}"]


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": json_text, "csv": csv_text}
"""How an ensemble is printed, by the name of the format."""
