"""How fast order 4 converges: the deviation of free evolution against p, measured.

Both curves are divided by their values at t = 0 and compared at c t = 1, where the theory, SYM of
order 4 on the edge A-B, has fallen to 2^{-4/3}. The deviation falls like 1/p, which is slow: at
p = 64 it is still a few percent. What explains it is exact: the terms of Y_0 and Y_1 beyond the
leading ones give the true loss and slope at t = 0.

>>> round(fitted_slope([8, 16, 32], [0.4, 0.2, 0.1]), 6)
-1.0

Source: ours.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from diagflow.files import write_whole
from diagflow.gallery.curve_experiment import regimes_of
from diagflow.gallery.files import write_pair
from diagflow.gallery.outcome import Outcome, Report
from diagflow.plotting.style import COLOURS, COLUMN_WIDTH, RESOLUTION, figure_style
from diagflow.simulation import simulate
from expansion.models import cp
from pde.solving import solve

__all__ = ["Convergence", "fitted_slope"]

COLUMNS = (
    "p", "H", "deviation", "standard_error", "loss_at_0", "exact_loss_at_0", "leading_loss_at_0",
    "slope_at_0", "exact_slope_at_0", "leading_slope_at_0",
)  # fmt: skip
"""Of the table; slopes are relative to the loss."""

_PROBE = 1e-3
"""The time c t between which and its negative the simulated slope is taken."""


def fitted_slope(sizes: Sequence[float], deviations: Sequence[float]) -> float:
    """Exponent of the power of the size that fits the deviations best."""
    return float(np.polyfit(np.log(sizes), np.log(np.abs(deviations)), 1)[0])


@dataclass(frozen=True, slots=True)
class Convergence:
    """The experiment at several sizes.

    Parameters
    ----------
    sizes : tuple of (int, int)
        p and the number of runs.
    name, title : str
    """

    sizes: tuple[tuple[int, int], ...]
    name: str = "finite-size-order-4"
    title: str = r"Free evolution, SYM of order 4, $H = p^2/4$"

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        """Simulate at all sizes, fit the exponent, write figure and table."""
        rows = []
        for p, runs in self.sizes:
            report(f"{self.name}: p = {p}")
            rows.append(_measure(p, runs, jobs))
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([[repr(row[name]) for name in COLUMNS] for row in rows])
        write_whole(folder / f"{self.name}.csv", buffer.getvalue())
        slope = fitted_slope([row["p"] for row in rows], [row["deviation"] for row in rows])
        self._draw(rows, slope, folder)
        lines = [f"deviation falls like p^{slope:.2f}"]
        for row in rows:
            lines.append(
                f"p = {row['p']:g}: deviation {row['deviation']:.4f} +- "
                f"{row['standard_error']:.4f}; loss at 0 {row['loss_at_0']:.4f} (exact "
                f"{row['exact_loss_at_0']:.4f}, leading {row['leading_loss_at_0']:.4f}); slope "
                f"{row['slope_at_0']:.3f} (exact {row['exact_slope_at_0']:.3f}, leading "
                f"{row['leading_slope_at_0']:.3f})"
            )
        last = rows[-1]
        near = abs(last["loss_at_0"] / last["exact_loss_at_0"] - 1)
        lines.append(f"the exact terms give the loss at 0 within {100 * near:.2g}%")
        falling = all(b["deviation"] < a["deviation"] for a, b in pairwise(rows))
        return Outcome(self.name, falling and -1.5 < slope < -0.5, tuple(lines))

    def _draw(self, rows: list[dict[str, float]], slope: float, folder: Path) -> None:
        from matplotlib.figure import Figure

        p = np.array([row["p"] for row in rows])
        deviation = np.array([row["deviation"] for row in rows])
        with figure_style():
            figure = Figure(figsize=(COLUMN_WIDTH, 2.6), dpi=RESOLUTION, layout="constrained")
            axes = figure.subplots()
            axes.errorbar(
                p,
                deviation,
                yerr=[2 * row["standard_error"] for row in rows],
                fmt="o",
                markersize=3.5,
                color=COLOURS["vermilion"],
                label=f"simulation, fitted slope {slope:.2f}",
            )
            axes.plot(p, deviation[-1] * p[-1] / p, color=COLOURS["blue"], label="$1/p$")
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xlabel("$p$")
            axes.set_ylabel("deviation at $ct = 1$")
            axes.set_title(self.title, fontsize=7)
            axes.legend(frameon=False)
            write_pair(figure, folder, self.name)


def _measure(p: int, runs: int, jobs: int) -> dict[str, float]:
    """The deviation at ct = 1 and the values at t = 0, for one size."""
    problem = cp(order=4, symmetric=True, target="zero")
    regime_set = regimes_of(problem)
    H = p * p // 4
    theta = 1 + Fraction(3 * H, p * p)
    # E[L(0)] = 1/2 p^4 H sigma^8 theta = 1; c = 2 nu (nu - 1) theta p^3 sigma^6 / T
    sigma2 = Fraction(float(2 / (p**4 * H * theta)) ** 0.25)
    at = {"p": Fraction(p), "H": Fraction(H), "sigma2": sigma2}
    at["T"] = 24 * theta * p**3 * sigma2**3
    times = [-_PROBE, 0.0, _PROBE, 1.0]
    ensemble = simulate(problem, at=at, times=times, runs=runs, seed=p, jobs=jobs)
    if ensemble.interrupted:  # some runs were finished; the experiment was not
        raise KeyboardInterrupt
    theory = solve(regime_set, "A-B", at=at)(np.array(times))
    ratios = ensemble.loss[:, 3] / ensemble.mean[1]
    coefficients = [
        c.evaluate(p=p, H=H, sigma2=sigma2) for c in regime_set.exponents.coefficients[:2]
    ]
    exact, exact_slope = float(coefficients[0]), float(coefficients[1] / at["T"])
    return {
        "p": p,
        "H": H,
        "deviation": abs(float(ensemble.mean[3] / ensemble.mean[1] - theory[3] / theory[1])),
        "standard_error": float(np.std(ratios, ddof=1) / np.sqrt(runs)),
        "loss_at_0": float(ensemble.mean[1]),
        "exact_loss_at_0": exact,
        "leading_loss_at_0": float(theory[1]),
        "slope_at_0": float((ensemble.mean[2] - ensemble.mean[0]) / (2 * _PROBE)),
        "exact_slope_at_0": exact_slope,
        "leading_slope_at_0": float((theory[2] - theory[0]) / (2 * _PROBE)),
    }
