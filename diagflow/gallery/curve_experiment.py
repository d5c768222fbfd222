"""Experiments of curves: the solution of a regime against an ensemble, at several numbers.

A case is drawn as a line (theory), a dashed line (theory with its exact finite-size correction,
where that is known) and points with a band (simulation); the lower panel has the deviations. The
largest deviation of each case stands in the figure.

>>> from expansion.models import cp
>>> case = GalleryCase(
...     "H = p/2",
...     cp(order=2, symmetric=True),
...     "A-B-E",
...     {"p": Fraction(8), "H": Fraction(4), "sigma2": Fraction(1, 8)},
...     (0.0, 1.0, 5),
... )
>>> case.grid.tolist()
[0.0, 0.25, 0.5, 0.75, 1.0]

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diagflow.comparison.regime import compare_regime, natural_scale
from diagflow.comparison.verdict import STANDARD_ERRORS, Agreement, Comparison
from diagflow.files import write_whole
from diagflow.gallery.files import plain, write_pair
from diagflow.gallery.outcome import Outcome, Report
from diagflow.plotting.style import COLOURS, PAGE_WIDTH, RESOLUTION, figure_style
from diagflow.show.comparison import csv_text, remaining, verdict
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from pde.solving import solve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CurveExperiment", "GalleryCase", "Scale", "regimes_of"]

RELATIVE_TOLERANCE = 1e-6
"""Of the integrator: far below the standard errors."""

_CYCLE = ("blue", "vermilion", "green", "purple")


class Scale(Enum):
    """What relative deviations are relative to."""

    TARGET = "target"
    """The loss of the zero model."""

    LARGEST = "largest"
    """The largest loss of the theory on the grid."""

    MOVED = "moved"
    """The difference of the largest and the smallest loss of the theory on the grid."""


@dataclass(frozen=True, slots=True)
class GalleryCase:
    """One curve of an experiment.

    Parameters
    ----------
    label : str
    problem : Problem
    regime : str
    at : dict
        Sizes, variances and T, best the natural T of the regime, so that t is of order one.
    times : (float, float, int)
        First, last, count.
    runs, seed : int
    terms : int, optional
        The last coefficient of the map of regimes.
    """

    label: str
    problem: Problem
    regime: str
    at: dict[str, Fraction]
    times: tuple[float, float, int]
    runs: int = 4
    seed: int = 1
    terms: int | None = None

    @property
    def grid(self) -> NDArray[np.float64]:
        """The times."""
        return np.linspace(*self.times)


@lru_cache(maxsize=16)
def regimes_of(problem: Problem, terms: int | None = None) -> Regimes:
    """The regimes of a problem, expanded once."""
    return regimes(problem, terms=terms)


@dataclass(frozen=True, slots=True)
class CurveExperiment:
    """Curves of one kind in one figure.

    Parameters
    ----------
    name, title : str
    cases : tuple of GalleryCase
    tolerance : float, optional
        Allowed relative deviation; without it the finite-size correction decides.
    scale : Scale
    logarithmic : bool
        Whether the loss has a logarithmic axis.
    normalised : bool
        Whether deviations are also measured after both curves are divided by their values at t = 0.
    """

    name: str
    title: str
    cases: tuple[GalleryCase, ...]
    tolerance: float | None = None
    scale: Scale = Scale.TARGET
    logarithmic: bool = False
    normalised: bool = False

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        """Simulate all cases, write the figure and a table for each."""
        found = []
        for number, case in enumerate(self.cases):
            report(f"{self.name}: {plain(case.label)}")
            comparison = compare_regime(
                regimes_of(case.problem, case.terms),
                case.regime,
                at=case.at,
                times=case.grid.tolist(),
                runs=case.runs,
                seed=case.seed,
                rtol=RELATIVE_TOLERANCE,
                jobs=jobs,
                tolerance=self.tolerance,
                scale=self._scale(case),
            )
            if comparison.trajectory.interrupted:  # some runs were finished; the case was not
                raise KeyboardInterrupt
            found.append(comparison)
            write_whole(folder / f"{self.name}-{number + 1}.csv", csv_text("", case.at, comparison))
        self._draw(found, folder)
        lines = []
        for case, comparison in zip(self.cases, found, strict=True):
            line = f"{plain(case.label)}: {verdict(comparison)}"
            if self.normalised:
                line += f"; normalised at t = 0: {100 * _normalised(comparison):.3g}%"
            lines += [line, *(f"  {words}" for words in remaining(comparison))]
        return Outcome(
            self.name,
            all(comparison.holds for comparison in found),
            tuple(lines),
            undecided=all(comparison.verdict is not Agreement.DIFFERS for comparison in found),
        )

    def _scale(self, case: GalleryCase) -> float:
        computed = regimes_of(case.problem, case.terms)
        evolution = solve(computed, case.regime, at=case.at)
        if self.scale is Scale.TARGET:
            return natural_scale(computed, case.regime, evolution)
        curve = evolution(case.grid)
        lowest = np.min(curve) if self.scale is Scale.MOVED else 0.0
        return float(np.max(curve) - lowest)

    def _draw(self, found: list[Comparison], folder: Path) -> None:
        from matplotlib.figure import Figure

        with figure_style():
            figure = Figure(figsize=(PAGE_WIDTH, 3.6), dpi=RESOLUTION, layout="constrained")
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
            moved = self.scale is Scale.MOVED
            for case, comparison, colour in zip(self.cases, found, _CYCLE, strict=False):
                origin = float(np.min(comparison.theory)) if moved else 0.0
                _draw_case(upper, lower, case, comparison, COLOURS[colour], origin=origin)
            if self.logarithmic:
                upper.set_yscale("log")
            upper.set_title(self.title)
            upper.set_ylabel("(loss - smallest) / scale" if moved else "loss / scale")
            upper.legend(frameon=False, fontsize=6.5)
            lower.axhline(0, color=COLOURS["grey"], linewidth=0.6)
            lower.set_ylabel("deviation / scale")
            lower.set_xlabel("time $t$")
            write_pair(figure, folder, self.name)


def _draw_case(
    upper: Axes,
    lower: Axes,
    case: GalleryCase,
    comparison: Comparison,
    colour: str,
    *,
    origin: float,
) -> None:
    """Theory as line, simulation as points and band, above an origin; their difference below."""
    t = comparison.t
    scale = comparison.scale
    shown = np.isfinite(comparison.mean)
    mean = (np.where(shown, comparison.mean, np.nan) - origin) / scale
    theory = (comparison.theory - origin) / scale
    error = STANDARD_ERRORS * np.where(shown, comparison.standard_error, np.nan) / scale
    every = max(1, len(t) // 16)
    size = (
        f"{100 * comparison.largest:.2g}%" if np.isfinite(comparison.largest) else "runs blown up"
    )
    upper.plot(t, theory, color=colour, label=f"{case.label}: deviation {size}")
    upper.fill_between(t, mean - error, mean + error, color=colour, alpha=0.25, linewidth=0)
    upper.plot(t[::every], mean[::every], "o", markersize=2.6, color=colour)
    # Where it is larger than half of the loss a first correction means nothing.
    known = np.abs(comparison.correction) <= 0.5 * np.abs(comparison.theory)
    corrected = np.where(known, theory + comparison.correction / scale, np.nan)
    upper.plot(t, corrected, color=COLOURS["black"], linestyle="--", linewidth=0.7)
    deviation = mean - theory
    lower.plot(t, deviation, color=colour)
    lower.fill_between(
        t, deviation - error, deviation + error, color=colour, alpha=0.25, linewidth=0
    )
    lower.plot(
        t, comparison.correction / scale, color=COLOURS["black"], linestyle="--", linewidth=0.7
    )


def _normalised(comparison: Comparison) -> float:
    """The largest deviation after both curves are divided by their first values."""
    simulated = comparison.mean / comparison.mean[0]
    return float(np.max(np.abs(simulated - comparison.theory / comparison.theory[0])))
