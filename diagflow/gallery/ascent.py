r"""Where gradient ascent diverges at finite size: the threshold of every run against p.

In the limit ascent of SYM, even order ν, diverges if and only if ρ = p^{ν-1}σ^ν exceeds ρ*. At
finite size the H rows differ in norm, |u_k|² = pσ²(1 + ξ_k), and the row with the largest norm goes
first. A row alone has the coupling ρ(1 + ξ)^{ν/2}, the others act on it like θ - 1 of ρ, so that

    ρ(predicted) = ρ* θ / (max_k (1 + ξ_k)^{ν/2} + θ - 1)

for the ξ of the run. The prediction looks at the start only and is an estimate, not a law; the
limit ξ → 0 is ρ*.

A run is fixed up to its scale σ. Its threshold is found by bisection: it is taken for granted that
a larger start diverges if a smaller one does, and that a run that has not diverged at
t = -40 σ^{ν-2}, many natural times, never does. The share of the thresholds below ρ is the rate of
divergence at ρ.

>>> print(predicted(np.array([0.0]), order=4, theta=1.5))
1.0
>>> bool(predicted(np.array([-0.1, 0.5]), order=4, theta=1.5) < 0.6)
True

Source: ours; the threshold of the limit for ν = 4 is that of Yarotsky, Golikov, Gusev 2026.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from math import prod, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diagflow.demo import write_whole
from diagflow.gallery.files import write_pair
from diagflow.gallery.outcome import Outcome, Report
from diagflow.plotting.style import COLOURS, COLUMN_WIDTH, RESOLUTION, figure_style
from diagflow.simulation import LossGradient, integrate
from diagflow.simulation.processes import processes
from expansion.models import cp
from pde.solutions.symmetric_even import critical_noise

__all__ = ["AscentThreshold", "Setting", "predicted", "threshold"]

_CEILING = 8.0
"""A weight so many times the largest one at the start is on its way to infinity."""

_BISECTIONS = 8
_LONGEST = -40.0
"""The time t/σ^{ν-2} up to which ascent is followed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Sizes at which thresholds are measured."""

    p: int
    H: int
    runs: int


def theta(order: int, p: int, H: int) -> float:
    """θ = 1 + (ν-1)!! H / p^{ν/2}."""
    return 1 + float(prod(range(1, order, 2)) * H) / float(p ** (order // 2))


def predicted(excess: NDArray[np.float64], *, order: int, theta: float) -> float:
    """The expected threshold in units of ρ*, from the excess ξ of every row's squared norm."""
    return float(theta / (np.max(1 + excess) ** (order // 2) + theta - 1))


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

    low, high = 0.02, 3.0
    with threadpool_limits(limits=1):
        for _ in range(_BISECTIONS):
            middle = sqrt(low * high)
            low, high = (low, middle) if diverges(middle) else (middle, high)
    excess = np.sum(start**2, axis=1) / p - 1
    return sqrt(low * high), predicted(excess, order=order, theta=factor)


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
        near = np.abs(np.log(medians[:, 0] / medians[:, 1])) < np.log(1.5)
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
