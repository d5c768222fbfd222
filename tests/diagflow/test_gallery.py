"""The gallery: every experiment runs, shows what it should, and writes what it says."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from diagflow.gallery import experiments, run_gallery
from diagflow.gallery.ascent import predicted, theta, threshold
from diagflow.gallery.convergence import Convergence, fitted_slope
from diagflow.gallery.curves import Case, CurveExperiment, Scale
from diagflow.gallery.outcome import Outcome, Report
from expansion.models import cp
from pde.solutions.symmetric_even import critical_noise
from tests.command import Run


def curve_experiment(**changed: object) -> CurveExperiment:
    case = Case(
        label="$H = p/2$",
        problem=cp(order=2, symmetric=True),
        regime="A-B-E",
        at={"p": Fraction(16), "H": Fraction(8), "sigma2": Fraction(1, 16)},
        times=(0.0, 1.0, 9),
        runs=6,
    )
    options = {"name": "small", "title": "small", "cases": (case,), "tolerance": 0.1} | changed
    return CurveExperiment(**options)  # type: ignore[arg-type]


def silent(_: str) -> None:
    """Say nothing."""


def test_a_curve_experiment_writes_its_figure_and_numbers(tmp_path: Path) -> None:
    outcome = curve_experiment(normalised=True).run(tmp_path, jobs=1, report=silent)
    assert outcome.holds
    assert outcome.lines[0].startswith("H = p/2: Largest deviation ")
    assert "normalised at t = 0: " in outcome.lines[0]
    assert {path.name for path in tmp_path.iterdir()} == {
        "small.pdf",
        "small.png",
        "small-1.csv",
    }
    rows = list(csv.DictReader((tmp_path / "small-1.csv").open(encoding="utf-8")))
    assert len(rows) == 9
    assert float(rows[0]["theory"]) == pytest.approx(8 - 8 + 0.5 * (8 + 4))


def test_an_experiment_fails_beyond_its_tolerance(tmp_path: Path) -> None:
    (case,) = curve_experiment().cases
    small = Case(
        label="tiny",
        problem=case.problem,
        regime="B",
        at={"p": Fraction(4), "H": Fraction(4), "sigma2": Fraction(1)},
        times=(0.0, 1.0, 5),
        runs=30,
    )
    outcome = curve_experiment(cases=(small,), tolerance=1e-3, scale=Scale.LARGEST).run(
        tmp_path, jobs=1, report=silent
    )
    assert not outcome.holds
    assert "BEYOND" in outcome.lines[0]


def test_the_threshold_of_a_single_weight_is_exact() -> None:
    """Ascent of (u^4 - 1)^2 / 2 diverges if and only if u > 1 at the start."""
    limit = critical_noise(4, theta(4, 1, 1))
    seen = 0
    for run in range(12):
        start = np.random.default_rng(np.random.SeedSequence((4, 1, 1, run))).standard_normal()
        expected = 1 / (start**4 * limit)
        if 0.03 < expected < 2.5:
            assert threshold(4, 1, 1, run)[0] == pytest.approx(expected, rel=0.03)
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("order", [4, 6])
def test_the_predicted_threshold(order: int) -> None:
    rows = np.random.default_rng(1).standard_normal((3, 2000))
    single = [predicted(row[None], order=order, theta=1.0) for row in rows]
    assert single == pytest.approx([1, 1, 1], abs=0.3)  # long rows: the limit
    assert predicted(rows, order=order, theta=1.0) == min(single)
    stretched = predicted(1.5 * rows[:1], order=order, theta=1.0)
    assert stretched == pytest.approx(single[0] / 1.5**order)
    # More rows, all alike: their attraction is that of the limit.
    alike = predicted(np.repeat(rows[:1], 50, axis=0), order=order, theta=1.5)
    assert alike == pytest.approx(1.5 / (1 / single[0] + 0.49), rel=0.1)


@pytest.mark.slow
def test_the_extreme_row_explains_where_ascent_diverges() -> None:
    pairs = np.array([threshold(4, 24, 96, run) for run in range(5)])
    np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], rtol=0.2)
    assert np.all(pairs[:, 0] < 0.6)


@pytest.mark.parametrize("order", [4, 6])
def test_the_threshold_of_a_single_row_is_known(order: int) -> None:
    """Up to the resolution of the bisection, one percent."""
    pairs = np.array([threshold(order, 32, 1, run) for run in range(4)])
    np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], rtol=0.02)
    assert np.ptp(np.log(pairs[:, 1])) > 0.3


def test_the_deviation_of_order_4_falls_and_exact_terms_explain_the_start(tmp_path: Path) -> None:
    outcome = Convergence(sizes=((10, 60), (24, 30))).run(tmp_path, jobs=1, report=silent)
    assert outcome.holds
    rows = list(csv.DictReader((tmp_path / "finite-size-order-4.csv").open(encoding="utf-8")))
    for row in rows:
        exact, leading = float(row["exact_loss_at_0"]), float(row["leading_loss_at_0"])
        assert abs(float(row["loss_at_0"]) - exact) < abs(float(row["loss_at_0"]) - leading) / 2
    assert float(rows[1]["deviation"]) < float(rows[0]["deviation"])


def test_the_slope_of_a_power() -> None:
    assert fitted_slope([4, 8, 64], [3 / 16, 3 / 64, 3 / 4096]) == pytest.approx(-2)


def test_the_outcomes_are_written_as_they_come(tmp_path: Path) -> None:
    class Stops:
        name, title = "stops", "stops"

        def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_gallery([curve_experiment(), Stops()], tmp_path / "new", jobs=1, report=silent)
    record = json.loads((tmp_path / "new" / "gallery.json").read_text(encoding="utf-8"))
    (only,) = record["experiments"]
    assert (only["name"], only["holds"]) == ("small", True)


def test_names_are_distinct_and_both_sizes_have_the_same() -> None:
    quick, full = ([e.name for e in experiments(quick=q)] for q in (True, False))
    assert quick == full
    assert len(set(full)) == len(full) == 11


def test_the_command_refuses_an_unknown_experiment(run: Run, tmp_path: Path) -> None:
    done = run("gallery", "--output", str(tmp_path / "g"), "--only", "nothing")
    assert done.code == 2
    assert done.err.startswith("diagflow: error: experiment 'nothing': is not known; choose ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "g").exists()


@pytest.mark.slow
def test_the_quick_gallery_shows_what_it_should(run: Run, tmp_path: Path) -> None:
    done = run("gallery", "--output", str(tmp_path), "--quick")
    assert done.code == 0, done.out
    record = json.loads((tmp_path / "gallery.json").read_text(encoding="utf-8"))
    assert len(record["experiments"]) == 11
    for experiment in record["experiments"]:
        assert experiment["holds"], experiment
        for extension in ("pdf", "png"):
            assert (tmp_path / f"{experiment['name']}.{extension}").stat().st_size > 3000
        assert list(tmp_path.glob(f"{experiment['name']}*.csv"))
