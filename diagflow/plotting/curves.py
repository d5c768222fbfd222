"""Theory against simulation: the curves, the deviation below them, the numbers in a file beside.

The theory is a line, the simulation its mean with a band of standard errors; the expected
finite-size correction, where it is known, is a dashed line in both panels. The largest deviation
stands in the figure, with the largest correction that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diagflow.columns import counted
from diagflow.comparison.verdict import STANDARD_ERRORS, Comparison
from diagflow.files import write_whole
from diagflow.plotting.evolution import draw_band
from diagflow.plotting.style import (
    COLOURS,
    COLUMN_WIDTH,
    RESOLUTION,
    check_figure_file,
    dashes,
    figure_style,
    spans_decades,
    write_figure,
)
from diagflow.show.comparison import csv_text
from expansion.polynomial import symbol_latex

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_curves", "draw_deviation", "largest_text", "numbers_text", "plot_comparison"]

_HEIGHT = 3.3
"""Height of a figure, in inches."""


def draw_curves(axes: Axes, comparison: Comparison, *, unit: float = 1.0) -> None:
    """Theory, corrected theory and simulated mean with its band, the loss divided by a unit."""
    t = comparison.t
    order = np.argsort(t, kind="stable")
    mean, error = comparison.mean[order] / unit, comparison.standard_error[order] / unit
    finite = np.isfinite(mean) & np.isfinite(error)
    axes.fill_between(
        t[order],
        mean - STANDARD_ERRORS * error,
        mean + STANDARD_ERRORS * error,
        where=finite,
        color=COLOURS["orange"],
        alpha=0.35,
        linewidth=0,
        label=f"its error, $\\pm{STANDARD_ERRORS:g}$ s.e.",
    )
    every = max(1, len(t) // 25)
    axes.plot(
        t[order][::every],
        np.where(finite, mean, np.nan)[::every],
        linestyle="none",
        marker="o",
        markersize=2.6,
        color=COLOURS["vermilion"],
        label=f"mean of {counted(comparison.trajectory.runs, 'simulated run')}",
    )
    fine_t, fine = comparison.fine or (t[order], comparison.theory[order])
    axes.plot(fine_t, fine / unit, color=COLOURS["blue"], linewidth=0.9, label="theory")
    if comparison.band is not None:
        width = comparison.band[order] / unit
        draw_band(axes, t[order], comparison.theory[order] / unit, width)
    corrected = (comparison.theory + comparison.correction)[order] / unit
    if np.count_nonzero(np.isfinite(corrected)) > 1:
        axes.plot(
            t[order],
            corrected,
            color=COLOURS["black"],
            linestyle="--",
            linewidth=0.8,
            label="with finite-size correction",
        )

    shown = np.concatenate([comparison.theory, np.where(finite, mean * unit, np.nan)])
    if spans_decades(shown[np.isfinite(shown)]):
        axes.set_yscale("log", nonpositive="clip")


def draw_deviation(axes: Axes, comparison: Comparison) -> None:
    """Relative deviation with its band, the allowed range around the correction, the correction."""
    order = np.argsort(comparison.t, kind="stable")
    t = comparison.t[order]
    deviation = np.where(np.isfinite(comparison.relative), comparison.relative, np.nan)[order]
    error = STANDARD_ERRORS * comparison.standard_error[order] / comparison.scale
    allowed = (comparison.allowed / comparison.scale)[order]
    center = np.zeros_like(t)
    if comparison.tolerance is None:
        expected = (comparison.correction / comparison.scale)[order]
        center = np.where(np.isfinite(expected), expected, 0.0)
    axes.fill_between(
        t,
        center - allowed,
        center + allowed,
        color=COLOURS["grey"],
        alpha=0.2,
        linewidth=0,
        label="where they agree",
    )
    axes.fill_between(
        t,
        deviation - error,
        deviation + error,
        where=np.isfinite(deviation) & np.isfinite(error),
        color=COLOURS["orange"],
        alpha=0.35,
        linewidth=0,
    )
    axes.plot(t, deviation, color=COLOURS["vermilion"], linewidth=0.9)
    correction = (comparison.correction / comparison.scale)[order]
    axes.plot(t, correction, color=COLOURS["black"], linestyle="--", linewidth=0.8)
    axes.axhline(0, color=COLOURS["blue"], linewidth=0.8)


def plot_comparison(
    comparison: Comparison,
    file: Path,
    *,
    title: str,
    at: Mapping[str, Fraction],
    width: float = COLUMN_WIDTH,
    titled: bool = True,
) -> None:
    """Write the figure, and its numbers beside it with the extension ``.csv``.

    Parameters
    ----------
    comparison : Comparison
    file : Path
        An ``.svg``, ``.pdf`` or ``.png`` file.
    title : str
        Of the figure.
    at : mapping from str to Fraction
        Sizes, variances and T, for the title and the scaled time.
    width : float
        In inches: one column of a paper, or `PAGE_WIDTH`.
    titled : bool
        Whether the figure itself has the title; a caption may have it instead.

    Raises
    ------
    InvalidInputError
        If a file cannot be written.
    """
    check_figure_file(file)
    from matplotlib.figure import Figure

    with figure_style():
        figure = Figure(figsize=(width, _HEIGHT), dpi=RESOLUTION, layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
        draw_curves(upper, comparison, unit=comparison.scale)
        draw_deviation(lower, comparison)
        if titled:
            upper.set_title(f"{dashes(title)}\n{numbers_text(at)}", fontsize=7)
        upper.set_ylabel(f"loss / {comparison.scale:.6g}")
        handles = [
            pair
            for axes in (upper, lower)
            for pair in zip(*axes.get_legend_handles_labels(), strict=True)
        ]
        handles.sort(key=lambda pair: (not pair[1].startswith("theory"), pair[1].startswith("its")))
        figure.legend(
            *zip(*handles, strict=True), frameon=False, loc="outside lower center", ncols=2
        )
        lower.set_ylabel("deviation")
        lower.set_xlabel("time $t$" if at.get("T", 1) == 1 else f"time $t$, $T = {at['T']}$")
        lower.annotate(
            largest_text(comparison),
            (0.98, 0.94),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=7,
        )
        write_figure(figure, file)
    write_whole(file.with_suffix(".csv"), csv_text(title, at, comparison))


def largest_text(comparison: Comparison) -> str:
    """The largest deviation in words, with the largest correction that is known."""
    if not np.isfinite(comparison.largest):
        return "runs have blown up"
    expected = np.abs(comparison.correction[np.isfinite(comparison.correction)])
    predicted = (
        f", predicted: {100 * np.max(expected) / comparison.scale:.2g}%" if expected.size else ""
    )
    return f"largest: {100 * comparison.largest:.2g}%{predicted}"


def numbers_text(at: Mapping[str, Fraction]) -> str:
    r"""Sizes and variances as a line of mathematics.

    Parameters
    ----------
    at : mapping

    Examples
    --------
    >>> print(numbers_text({"p": Fraction(64), "sigma2": Fraction(1, 64)}))
    $p = 64$, $\sigma^{2} = 0.015625$
    """
    return ", ".join(f"${symbol_latex(name)} = {_number(value)}$" for name, value in at.items())


def _number(value: Fraction) -> str:
    mantissa, _, exponent = f"{float(value):g}".partition("e")
    return f"{mantissa} \\times 10^{{{int(exponent)}}}" if exponent else mantissa
