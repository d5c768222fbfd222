r"""Where gradient ascent diverges at finite size: the threshold of every run against p.

In the limit ascent of SYM, even order ν, diverges if and only if ρ = p^{ν-1}σ^ν exceeds ρ*. At
finite size the H rows differ, in their norms and in the pull of the target, and the row that is
ahead diverges first. Alone, a row u = σv moves exactly as the particles of the limit do, its own p
components taking the place of Gaussian ones: with

    K_k(s) = mean over i of v_i(s)^2,    v_i(s) = v_i (1 - ν(ν-2) s v_i^{ν-2})^{-1/(ν-2)},

it diverges if and only if 1 < ν² ρ ∫K_k^{ν-1} (integral over s < 0, see
`pde.moments.common_drift`). The H - 1 other rows attract it as the θ - 1 = (ν-1)!! H/p^{ν/2} of the
limit does, and are taken to keep pace with it and to be Gaussian, with the limit's K:

    1/ρ(predicted) = ν² max_k ∫(K_k^{ν-1} + (θ-1)(1-1/H) K_k^{ν/2-1} K^{ν/2}).

This is exact for H = 1. The prediction looks at the start only; K_k → K is ρ*.

A run is fixed up to its scale σ. Its threshold is found by bisection: it is taken for granted that
a larger start diverges if a smaller one does, and that a run that has not diverged at
t = -40 σ^{ν-2}, many times the natural T, never does. The share of the thresholds below ρ is the
rate of divergence at ρ.

>>> signs = np.array([[1.0, -1.0]])  # all v_i^2 = 1: one row of two components
>>> round(predicted(signs, order=4, theta=1.0) * critical_noise(4), 9)  # 1/(16 ∫(1 + 8|s|)^{-3})
1.0

Source: ours; the threshold of the limit for ν = 4 is that of Yarotsky, Golikov, Gusev 2026.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diagflow.files import write_whole
from diagflow.gallery.files import write_pair
from diagflow.gallery.outcome import Outcome, Report
from diagflow.plotting.style import COLOURS, COLUMN_WIDTH, RESOLUTION, figure_style
from diagflow.simulation import LossGradient, integrate
from diagflow.simulation.processes import processes
from diagrams.factorials import double_factorial
from expansion.models import cp
from pde.solutions.symmetric_even import critical_noise, shape

__all__ = ["AscentThreshold", "Setting", "predicted", "threshold"]

_CEILING = 8.0
"""A weight so many times the largest one at the start is on its way to infinity."""

_BRACKET = (0.01, 30.0)
"""Thresholds in units of ρ* are looked for between these."""

_BISECTIONS = 9
"""They leave a factor of 1.016."""

_LONGEST = -40.0
"""The time t/σ^{ν-2} up to which ascent is followed."""

_TIMES = np.exp(np.arange(-40.0, 60.0, 0.1))
"""Values of -s: a smooth integrand that falls at both ends is summed in log(-s)."""

_NEAR = 1.25
"""Measured and predicted thresholds agree within this factor."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Sizes at which thresholds are measured."""

    p: int
    H: int
    runs: int


def theta(order: int, p: int, H: int) -> float:
    """θ = 1 + (ν-1)!! H / p^{ν/2}."""
    return 1 + float(double_factorial(order - 1) * H) / float(p ** (order // 2))


def predicted(start: NDArray[np.float64], *, order: int, theta: float) -> float:
    """The expected threshold in units of ρ*.

    Parameters
    ----------
    start : array of shape (H, p)
        The rows in units of σ.
    order : int
        ν, even, at least 4.
    theta : float
        θ.
    """
    attraction = (theta - 1) * (1 - 1 / len(start))
    speed = order * (order - 2) * _TIMES[:, None]
    limit = shape(order).square(-_TIMES)
    largest = 0.0
    for row in start:
        square = np.mean(row**2 * (1 + speed * row ** (order - 2)) ** (-2 / (order - 2)), axis=1)
        others = attraction * square ** (order // 2 - 1) * limit ** (order // 2)
        largest = max(largest, float(np.sum((square ** (order - 1) + others) * _TIMES)))
    return float(np.sum(theta * limit ** (order - 1) * _TIMES)) / largest


def threshold(order: int, p: int, H: int, run: int) -> tuple[float, float]:
    """The threshold of a run and its prediction, both in units of ρ*."""
    generator = np.random.default_rng(np.random.SeedSequence((order, p, H, run)))
    start = generator.standard_normal((H, p))
    factor = theta(order, p, H)
    limit = critical_noise(order, factor)
    problem = cp(order=order, symmetric=True)

    def diverges(ratio: float) -> bool:
        sigma = (ratio * limit / p ** (order - 1)) ** (1 / order)
        at = {"p": p, "H": H, "sigma2": sigma**2, "T": sigma ** (order - 2)}
        path = integrate(
            LossGradient(problem, at),
            {"U": sigma * start},
            [_LONGEST],
            rtol=1e-5,
            ceiling=_CEILING,
        )
        return path.blow_up is not None

    low, high = _BRACKET
    with threadpool_limits(limits=1):
        for _ in range(_BISECTIONS):
            middle = sqrt(low * high)
            low, high = (low, middle) if diverges(middle) else (middle, high)
    return sqrt(low * high), predicted(start, order=order, theta=factor)


@dataclass(frozen=True, slots=True)
class AscentThreshold:
    """Thresholds at several sizes.

    Parameters
    ----------
    name, title : str
    order : int
        ν.
    settings : tuple of Setting
    """

    name: str
    title: str
    order: int
    settings: tuple[Setting, ...]

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        """Find all thresholds, write figure and table."""
        found: list[NDArray[np.float64]] = []
        for setting in self.settings:
            report(f"{self.name}: p = {setting.p}, H = {setting.H}")
            tasks = [(self.order, setting.p, setting.H, run) for run in range(setting.runs)]
            if jobs == 1:
                found.append(np.array([threshold(*task) for task in tasks]))
                continue
            with processes(jobs) as pool:
                found.append(np.array(list(pool.map(threshold, *zip(*tasks, strict=True)))))
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(["p", "H", "theta", "run", "threshold", "predicted"])
        lines = []
        for setting, values in zip(self.settings, found, strict=True):
            factor = theta(self.order, setting.p, setting.H)
            for run, (measured, expected) in enumerate(values.tolist()):
                writer.writerow([setting.p, setting.H, factor, run, measured, expected])
            measured, expected = np.median(values, axis=0)
            lines.append(
                f"p = {setting.p}, H = {setting.H}, theta = {factor:.3g}: half of {setting.runs} "
                f"runs diverge at {measured:.2f} of the limit's threshold; from the extreme row "
                f"{expected:.2f}"
            )
        write_whole(folder / f"{self.name}.csv", buffer.getvalue())
        self._draw(found, folder)
        medians = np.array([np.median(values, axis=0) for values in found])
        near = np.abs(np.log(medians[:, 0] / medians[:, 1])) < np.log(_NEAR)
        return Outcome(self.name, bool(np.all(near)), tuple(lines))

    def _draw(self, found: list[NDArray[np.float64]], folder: Path) -> None:
        from matplotlib.figure import Figure

        with figure_style():
            figure = Figure(figsize=(COLUMN_WIDTH, 2.8), dpi=RESOLUTION, layout="constrained")
            axes = figure.subplots()
            names = []
            for place, (setting, values) in enumerate(zip(self.settings, found, strict=True)):
                names.append(f"$p={setting.p}$\n$H={setting.H}$")
                first = place == 0
                axes.plot(
                    np.full(len(values), place - 0.12),
                    values[:, 0],
                    "o",
                    markersize=2.5,
                    color=COLOURS["vermilion"],
                    label="runs" if first else None,
                )
                axes.plot(
                    np.full(len(values), place + 0.12),
                    values[:, 1],
                    "x",
                    markersize=3,
                    color=COLOURS["blue"],
                    label="predicted from the extreme row" if first else None,
                )
                axes.plot(
                    [place - 0.3, place + 0.3],
                    [np.median(values[:, 0])] * 2,
                    color=COLOURS["vermilion"],
                    label="half of the runs diverge" if first else None,
                )
            axes.axhline(1, color=COLOURS["black"], linestyle="--", linewidth=0.8)
            axes.annotate("limit", (0, 1), textcoords="offset points", xytext=(0, 3), fontsize=7)
            axes.set_xticks(range(len(names)), names)
            axes.set_ylabel(r"threshold / $\rho_*$")
            highest = max(1.0, *(float(np.max(values)) for values in found))
            axes.set_ylim(0, 1.35 * highest)
            axes.set_title(self.title, fontsize=7)
            axes.legend(frameon=False, fontsize=6.5, loc="upper left")
            write_pair(figure, folder, self.name)
