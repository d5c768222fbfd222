"""Figures of comparisons: what is drawn is what was compared."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from diagflow.comparison.finite_size import FiniteSizeCorrection
from diagflow.comparison.verdict import STANDARD_ERRORS, Comparison, compare
from diagflow.plotting.curves import draw_curves, draw_deviation, plot_comparison
from diagflow.simulation import Trajectory

TIMES = np.array([1.0, 0.0, 0.5, -0.5])  # in any order
ORDER = np.argsort(TIMES)


def comparison(*, blow_up: bool = False) -> Comparison:
    loss = np.array([[1.0, 2.0, 1.5, 3.0], [1.2, 2.2, 1.3, 3.4], [1.1, 2.4, 1.1, 3.2]])
    if blow_up:
        loss[0, 3] = np.inf
    trajectory = Trajectory(
        t=TIMES,
        loss=loss,
        seed=1,
        blow_up=(-0.3 if blow_up else None, None, None),
        method="DOP853",
        rtol=1e-8,
        step=None,
        finished=(0, 1, 2),
        interrupted=False,
    )
    correction = FiniteSizeCorrection.of([Fraction((-2) ** s, 10) for s in range(12)])
    return compare(lambda t: 2 * np.exp(-t), trajectory, scale=4.0, correction=correction)


def test_the_curves_are_theory_and_mean_in_units_and_in_order() -> None:
    result = comparison()
    axes = Figure().subplots()
    draw_curves(axes, result, unit=4.0)
    lines = {str(line.get_label()): line for line in axes.lines}
    theory = lines["theory"]
    np.testing.assert_allclose(theory.get_xdata(), np.sort(TIMES))
    np.testing.assert_allclose(theory.get_ydata(), np.exp(-np.sort(TIMES)) / 2)
    simulated = next(line for label, line in lines.items() if label == "mean of 3 simulated runs")
    np.testing.assert_allclose(simulated.get_ydata(), result.mean[ORDER] / 4)
    assert "with finite-size correction" in lines
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    upper = (result.mean + STANDARD_ERRORS * result.standard_error) / 4
    assert heights.max() == pytest.approx(upper.max())


def test_the_lower_panel_has_the_relative_deviation() -> None:
    result = comparison()
    axes = Figure().subplots()
    draw_deviation(axes, result)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), result.relative[ORDER])
    assert len(axes.collections) == 2  # what is allowed, and the band of the mean


def test_what_has_blown_up_is_not_drawn(tmp_path: Path) -> None:
    result = comparison(blow_up=True)
    axes = Figure().subplots()
    draw_curves(axes, result)
    simulated = next(line for line in axes.lines if str(line.get_label()).startswith("mean of"))
    assert np.isnan(simulated.get_ydata()[0])
    plot_comparison(result, tmp_path / "figure.svg", title="cp, A-B", at={"p": Fraction(4)})
    assert (tmp_path / "figure.csv").read_text(encoding="utf-8").count("\n") == 5


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        plot_comparison(comparison(), tmp_path / f"{name}.svg", title="cp", at={"T": Fraction(2)})
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_theory_is_a_fine_curve_where_it_is_known_between_the_times() -> None:
    grid = np.linspace(-0.5, 1.0, 301)
    result = replace(comparison(), fine=(grid, 2 * np.exp(-grid)))
    axes = Figure().subplots()
    draw_curves(axes, result)
    theory = next(line for line in axes.lines if line.get_label() == "theory")
    np.testing.assert_allclose(theory.get_ydata(), 2 * np.exp(-grid))


def test_a_loss_that_falls_by_more_than_a_hundred_has_a_logarithmic_axis() -> None:
    for rate, scale in ((2.0, "linear"), (8.0, "log")):
        trajectory = Trajectory(
            t=np.array([0.0, 1.0]),
            loss=np.array([[1.0, np.exp(-rate)], [1.1, 1.1 * np.exp(-rate)]]),
            seed=0,
            blow_up=(None, None),
            method="DOP853",
            rtol=1e-8,
            step=None,
            finished=(0, 1),
            interrupted=False,
        )
        axes = Figure().subplots()
        draw_curves(axes, compare(lambda t, k=rate: np.exp(-k * t), trajectory, scale=1.0))
        assert axes.get_yscale() == scale


def test_every_mark_is_in_the_legend(tmp_path: Path) -> None:
    plot_comparison(comparison(), tmp_path / "figure.svg", title="cp, A-B", at={"p": Fraction(4)})
    axes = Figure().subplots(2)
    draw_curves(axes[0], comparison())
    draw_deviation(axes[1], comparison())
    labels = [label for part in axes for label in part.get_legend_handles_labels()[1]]
    assert len(labels) == len(set(labels)) == 5  # dots, their band, theory, corrected, agreement
