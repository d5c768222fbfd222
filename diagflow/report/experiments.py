"""A comparison with simulation for every solved regime of a report.

The numbers and times are those of `diagflow.comparison.representative`. Where a regime neglects a
quarter of its loss there, there is no comparison: its figure would show something else. A
deviation is simulated again, with more runs and another seed: the standard error of few runs is
too small now and then. Where a solution grows without bound, the times are those at which it has
changed by less than half.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from diagflow.columns import counted
from diagflow.comparison.regime import compare_regime
from diagflow.comparison.representative import ENTRIES, representative_sizes, representative_times
from diagflow.comparison.verdict import LARGEST_SHARE, STANDARD_ERRORS, Agreement, Comparison
from diagflow.latex.prose import name_latex, prose
from diagflow.plotting.curve_figure import plot_evolution
from diagflow.plotting.curves import largest_text, numbers_text, plot_comparison
from diagflow.plotting.style import article_fonts
from diagflow.show.comparison import judged
from diagflow.time_limit import TimeLimit
from diagrams.errors import BudgetExceededError, DiagflowError
from expansion.regimes import Regime, Regimes
from pde.evolution import LossEvolution, Method, Solution
from pde.solving import neglected

__all__ = [
    "Experiment",
    "caption",
    "caption_summed",
    "draw",
    "draw_summed",
    "experiment",
    "finished_runs",
]

typical_numbers = representative_sizes  # its former name and place

RUNS = 4
_AGAIN = 4
"""A deviation is seen again in so many times as many runs."""

POINTS = 31
_CHANGE = 0.5

Experiment = tuple[dict[str, Fraction], Comparison]
"""The numbers, and the comparison at them."""


def experiment(
    regime_set: Regimes, regime: Regime, solved: Solution, *, seconds: float | None = None
) -> Experiment | None:
    """Theory against simulation in a regime, or None where there is nothing to compare.

    Parameters
    ----------
    regime_set : Regimes
    regime : Regime
    solved : Solution
    seconds : float, optional
        Limit on the runs; those that are finished are compared, if there are two.

    Raises
    ------
    BudgetExceededError
        If the limit leaves less.
    """
    if solved.method is Method.RESUMMED:
        return None
    at = representative_sizes(regime_set, regime, entries=ENTRIES)
    if at is None or neglected(regime_set, regime.name, at).largest > LARGEST_SHARE:
        return None
    try:
        with np.errstate(all="ignore"):
            evolution = solved.at({"T": Fraction(1), **at})
            times = list(_times(evolution))
            limit = TimeLimit.begun(seconds, f"regime {regime.name}")

            def compared(runs: int, seed: int) -> Comparison:
                return compare_regime(
                    regime_set,
                    regime.name,
                    at=at,
                    times=times,
                    runs=runs,
                    seed=seed,
                    rtol=1e-6,
                    seconds=limit.left,
                    solved=solved,
                )

            done = compared(RUNS, 1)
            if done.verdict is Agreement.DIFFERS and not done.trajectory.interrupted:
                done = _again(compared, done)
    except BudgetExceededError:
        raise
    except DiagflowError:
        return None
    return at, done


def _again(compared: Callable[[int, int], Comparison], done: Comparison) -> Comparison:
    """The comparison with more runs, or the first one where there is no time for two of them."""
    try:
        return compared(_AGAIN * RUNS, 2)
    except BudgetExceededError:
        return done


def _times(evolution: LossEvolution) -> Iterator[float]:
    start, stop = representative_times(evolution)
    sign, end = (1.0, stop) if stop > 0 else (-1.0, -start)
    if sign > 0 and evolution.limit() is None:
        grid = end * 2.0 ** np.arange(-60, 1)
        with np.errstate(all="ignore"):
            first, *values = evolution(np.concatenate(([0.0], grid)))
            moderate = np.abs(np.array(values) / first - 1) < _CHANGE
        if first:  # what begins at zero has no size that it could keep
            end = float(grid[np.flatnonzero(moderate)[-1]]) if moderate.any() else float(grid[0])
    yield from (sign * end * k / (POINTS - 1) for k in range(POINTS))


def finished_runs(regime: Regime, done: Experiment) -> str:
    """A line on the runs that are missing, if some are."""
    ensemble = done[1].trajectory
    if not ensemble.interrupted:
        return ""
    return (
        f"the simulation of regime {regime.name} is the mean of {ensemble.runs} runs, because it "
        "was stopped"
    )


def draw(regime_set: Regimes, regime: Regime, done: Experiment, file: Path) -> None:
    """Write the figure of an experiment, and its numbers beside it."""
    at, comparison = done
    problem = regime_set.exponents.problem
    title = "" if problem is None else f"{problem.title}, {regime.name}"
    with article_fonts():
        plot_comparison(comparison, file, title=title, at=at, titled=False)


def caption(regime: Regime, done: Experiment) -> str:
    """What stands under the figure of an experiment, in LaTeX."""
    at, comparison = done
    known = np.isfinite(comparison.correction).any()
    dashed = "; dashed, with the finite-size correction" if known else ""
    said = prose(largest_text(comparison).replace("largest", "largest deviation"))
    return (
        f"Regime {name_latex(regime.name)} at {numbers_text(at)}. Above, the loss: theory (line) "
        f"and the mean of {counted(comparison.trajectory.runs, 'simulated run')} (dots) with "
        f"{STANDARD_ERRORS:g} standard errors (band){dashed}. Below, simulation minus theory in "
        "units of the scale; grey, the range in which they agree. "
        f"{said[:1].upper()}{said[1:]}; {prose(judged(comparison))}."
    )


def draw_summed(
    regime_set: Regimes, regime: Regime, solved: Solution, file: Path
) -> dict[str, Fraction] | None:
    """Write the curve of a resummed regime with its error.

    Parameters
    ----------
    regime_set : Regimes
    regime : Regime
    solved : Solution
    file : Path

    Returns
    -------
    dict or None
        The sizes and variances of the figure; None where there are none, or no curve at them.
    """
    at = representative_sizes(regime_set, regime, entries=ENTRIES)
    if at is None:
        return None
    try:
        with np.errstate(all="ignore"), article_fonts():
            evolution = solved.at({"T": Fraction(1), **at})
            times = np.linspace(*representative_times(evolution), POINTS)
            plot_evolution(evolution, file, times=times, titled=False)
    except BudgetExceededError:
        raise
    except DiagflowError:
        return None
    return at


def caption_summed(regime: Regime, at: Mapping[str, Fraction]) -> str:
    """What stands under the curve of a resummed regime, in LaTeX."""
    return (
        f"Regime {name_latex(regime.name)} at {numbers_text(at)}: the sum of the leading terms, "
        "with its estimated error as a band."
    )
