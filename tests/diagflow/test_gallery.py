"""The gallery: every experiment runs, shows what it should, and writes what it says."""

import csv
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from diagflow.gallery import ascent, experiments, run_gallery
from diagflow.gallery import curve_experiment as curves
from diagflow.gallery.ascent import AscentThreshold, Setting, predicted, theta, threshold
from diagflow.gallery.convergence import Convergence, fitted_slope
from diagflow.gallery.curve_experiment import CurveExperiment, GalleryCase, Scale
from diagflow.gallery.outcome import Outcome, Report
from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.regimes import regimes
from pde.solutions.symmetric_even import critical_noise
from tests.command import Run


def curve_experiment(**changed: object) -> CurveExperiment:
    case = GalleryCase(
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
    small = GalleryCase(
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


def test_a_loss_over_decades_has_a_logarithmic_axis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(curves, "write_pair", lambda figure, *rest: figures.append(figure))
    monkeypatch.setattr(curves, "regimes_of", lambda problem, terms=None: regimes(problem, terms=4))
    for logarithmic in (False, True):
        curve_experiment(logarithmic=logarithmic).run(tmp_path, jobs=1, report=silent)
    scales = [[axes.get_yscale() for axes in figure.axes] for figure in figures]
    assert scales == [["linear", "linear"], ["log", "linear"]]
    lines = figures[1].axes[0].get_lines()
    # Theory at t = 0, ½p - pHσ² + ½pHσ⁴(p + H) = 6, in units of the loss of the zero model, ½p = 8.
    assert lines[0].get_ydata()[0] == pytest.approx(6 / 8)  # type: ignore[index]


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


THRESHOLDS = {
    (8, 1): [(0.5, 0.4), (0.7, 0.8), (0.6, 0.6)],
    (4, 6): [(1.25, 1.0), (1.05, 1.1), (2.0, 2.5)],
}
"""Measured and predicted ones of three runs, by p and H."""

SETTINGS = (Setting(8, 1, 3), Setting(4, 6, 3))


def ascent_experiment(
    monkeypatch: pytest.MonkeyPatch,
    found: dict[tuple[int, int], list[tuple[float, float]]],
    *,
    writes: bool = False,
) -> tuple[AscentThreshold, list[Figure]]:
    """An experiment that finds given thresholds, and the figures that it draws."""
    figures: list[Figure] = []
    right = ascent.write_pair

    def given(order: int, p: int, H: int, run: int) -> tuple[float, float]:
        assert order == 4
        return found[p, H][run]

    def kept(figure: Figure, folder: Path, name: str) -> None:
        figures.append(figure)
        if writes:
            right(figure, folder, name)

    monkeypatch.setattr(ascent, "threshold", given)
    monkeypatch.setattr(ascent, "write_pair", kept)
    return AscentThreshold("ascent", "Ascent of SYM", 4, SETTINGS), figures


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_thresholds_of_all_runs_are_told_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jobs: int
) -> None:
    asked: list[int] = []

    @contextmanager
    def threads(number: int) -> Iterator[Executor]:
        asked.append(number)
        with ThreadPoolExecutor(number) as pool:
            yield pool

    monkeypatch.setattr(ascent, "processes", threads)
    experiment, _ = ascent_experiment(monkeypatch, THRESHOLDS, writes=True)
    told: list[str] = []
    outcome = experiment.run(tmp_path, jobs=jobs, report=told.append)
    assert asked == ([] if jobs == 1 else [3, 3])
    assert told == ["ascent: p = 8, H = 1", "ascent: p = 4, H = 6"]
    assert outcome == Outcome(
        "ascent",
        True,
        (
            # θ = 1 + 3 H / p²
            "p = 8, H = 1, theta = 1.05: half of 3 runs diverge at 0.60 of the limit's threshold; "
            "from the extreme row 0.60",
            "p = 4, H = 6, theta = 2.12: half of 3 runs diverge at 1.25 of the limit's threshold; "
            "from the extreme row 1.10",
        ),
    )
    rows = (tmp_path / "ascent.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [
        "p,H,theta,run,threshold,predicted",
        *(f"8,1,1.046875,{run},{a},{b}" for run, (a, b) in enumerate(THRESHOLDS[8, 1])),
        *(f"4,6,2.125,{run},{a},{b}" for run, (a, b) in enumerate(THRESHOLDS[4, 6])),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"ascent.csv", "ascent.pdf", "ascent.png"}


@pytest.mark.parametrize(("factor", "holds"), [(1.24, True), (1.26, False)])
@pytest.mark.parametrize("power", [1, -1])
def test_medians_of_thresholds_agree_within_a_quarter_in_every_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, factor: float, holds: bool, power: int
) -> None:
    off = [(factor**power, 1.0), (0.3, 5.0), (4.0, 0.2)]  # only the medians count
    experiment, _ = ascent_experiment(monkeypatch, THRESHOLDS | {(4, 6): off})
    assert experiment.run(tmp_path, jobs=1, report=silent).holds is holds


def test_the_figure_of_thresholds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    experiment, figures = ascent_experiment(monkeypatch, THRESHOLDS)
    experiment.run(tmp_path, jobs=1, report=silent)
    (figure,) = figures
    (axes,) = figure.axes
    assert axes.get_title() == "Ascent of SYM"
    assert axes.get_ylabel() == r"threshold / $\rho_*$"
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "$p=8$\n$H=1$",
        "$p=4$\n$H=6$",
    ]
    *drawn, limit = axes.get_lines()
    for place, pairs in enumerate(THRESHOLDS.values()):
        measured, expected, median = drawn[3 * place : 3 * place + 3]
        assert measured.get_xydata() == pytest.approx(  # type: ignore[comparison-overlap]
            np.array([(place - 0.12, a) for a, _ in pairs])
        )
        assert expected.get_xydata() == pytest.approx(  # type: ignore[comparison-overlap]
            np.array([(place + 0.12, b) for _, b in pairs])
        )
        middle = sorted(a for a, _ in pairs)[1]
        assert median.get_ydata() == pytest.approx([middle, middle])
        assert same_color(measured.get_color(), median.get_color())
        assert not same_color(measured.get_color(), expected.get_color())
    assert list(limit.get_ydata()) == [1, 1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "runs",
        "predicted from the extreme row",
        "half of the runs diverge",
    ]
    assert axes.get_ylim() == pytest.approx((0, 1.35 * 2.5))
    # No mark lies under the legend.
    figure.draw_without_rendering()
    legend = axes.get_legend().get_window_extent()
    for line in drawn:
        assert not legend.count_contains(axes.transData.transform(line.get_xydata()))


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


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "gallery"
    with pytest.raises(InvalidInputError) as error:
        run_gallery([], folder, jobs=1, report=silent)
    assert str(error.value) == (
        f"output folder {folder}: cannot be made (Not a directory); give another one"
    )


def test_names_are_distinct_and_both_sizes_have_the_same() -> None:
    quick, full = ([e.name for e in experiments(quick=q)] for q in (True, False))
    assert quick == full
    assert len(set(full)) == len(full) == 19


def test_the_command_refuses_an_unknown_experiment(run: Run, tmp_path: Path) -> None:
    done = run("gallery", "--output", str(tmp_path / "g"), "--only", "nothing")
    assert done.code == 2
    assert done.err.startswith("diagflow: error: experiment 'nothing': is not known; choose ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "g").exists()


@dataclass
class Told:
    """An experiment with a known outcome, which remembers how it was run."""

    name: str
    holds: bool = True
    interrupted: bool = False
    jobs: list[int] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"about {self.name}"

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        self.jobs.append(jobs)
        if self.interrupted:
            raise KeyboardInterrupt
        return Outcome(self.name, self.holds, (f"{self.name} was seen", "and measured"))


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bool]]:
    """Put experiments in place of those of the gallery; tells for which sizes it was asked."""

    def offer(*given: Told) -> list[bool]:
        sizes: list[bool] = []

        def instead(*, quick: bool) -> tuple[Told, ...]:
            sizes.append(quick)
            return given

        monkeypatch.setattr("diagflow.gallery.experiments", instead)
        return sizes

    return offer


@pytest.mark.parametrize(
    ("options", "quick", "jobs"),
    [((), False, 2), (("--quick",), True, 1), (("--quick", "--jobs", "3"), True, 3)],
)
def test_the_command_runs_all_and_prints_what_was_found(
    run: Run,
    tmp_path: Path,
    offered: Callable[..., list[bool]],
    options: tuple[str, ...],
    quick: bool,
    jobs: int,
) -> None:
    first, second = Told("first"), Told("second")
    sizes = offered(first, second)
    done = run("gallery", "--output", str(tmp_path), *options)
    assert done.code == 0
    assert done.out == (
        "ok    first\n      first was seen\n      and measured\n"
        "ok    second\n      second was seen\n      and measured\n"
    )
    assert done.err == "first: finished in 0 s\nsecond: finished in 0 s\n"
    assert (sizes, first.jobs, second.jobs) == ([quick], [jobs], [jobs])


def test_the_command_fails_with_an_experiment(
    run: Run, tmp_path: Path, offered: Callable[..., list[bool]]
) -> None:
    offered(Told("first"), Told("second", holds=False), Told("third"))
    done = run("gallery", "--output", str(tmp_path))
    assert done.code == 1
    marks = [line.split() for line in done.out.splitlines() if not line.startswith(" ")]
    assert marks == [["ok", "first"], ["FAIL", "second"], ["ok", "third"]]
    record = json.loads((tmp_path / "gallery.json").read_text(encoding="utf-8"))
    assert [(e["title"], e["holds"]) for e in record["experiments"]] == [
        ("about first", True),
        ("about second", False),
        ("about third", True),
    ]


def test_the_command_runs_only_what_is_named(
    run: Run, tmp_path: Path, offered: Callable[..., list[bool]]
) -> None:
    first, second, third = Told("first"), Told("second", holds=False), Told("third")
    offered(first, second, third)
    done = run("gallery", "--output", str(tmp_path), "--only", "third", "--only", "first")
    assert (done.code, second.jobs) == (0, [])
    assert done.out.splitlines()[::3] == ["ok    first", "ok    third"]


def test_an_interrupt_keeps_what_the_command_has_finished(
    run: Run, tmp_path: Path, offered: Callable[..., list[bool]]
) -> None:
    offered(Told("first"), Told("second", interrupted=True), Told("third"))
    done = run("gallery", "--output", str(tmp_path))
    assert (done.code, done.out) == (130, "")
    kept = tmp_path / "gallery.json"
    assert done.err.endswith(f"diagflow: interrupted: finished results are in {kept}\n")
    record = json.loads(kept.read_text(encoding="utf-8"))
    assert [e["name"] for e in record["experiments"]] == ["first"]


def test_the_command_refuses_to_work_without_processes(run: Run, tmp_path: Path) -> None:
    done = run("gallery", "--output", str(tmp_path / "g"), "--jobs", "0")
    message = "diagflow: error: --jobs 0: counts processes; give 1 or more\n"
    assert done == (2, "", message)
    assert not (tmp_path / "g").exists()


@pytest.mark.slow
def test_the_quick_gallery_shows_what_it_should(run: Run, tmp_path: Path) -> None:
    done = run("gallery", "--output", str(tmp_path), "--quick")
    record = json.loads((tmp_path / "gallery.json").read_text(encoding="utf-8"))
    assert len(record["experiments"]) == 19
    # At these sizes the theory of order 6 neglects three times what it sums, and it is told so.
    differs = {each["name"] for each in record["experiments"] if each["verdict"] == "differs"}
    assert (differs, done.code) == ({"free-symmetric-order-6"}, 1), done.out
    for experiment in record["experiments"]:
        for extension in ("pdf", "png"):
            assert (tmp_path / f"{experiment['name']}.{extension}").stat().st_size > 3000
        assert list(tmp_path.glob(f"{experiment['name']}*.csv"))


@dataclass
class Endless(Told):
    """An experiment that does not end by itself."""

    def run(self, folder: Path, *, jobs: int, report: Report) -> Outcome:
        time.sleep(600)
        raise AssertionError


def test_a_limit_of_time_keeps_what_the_command_has_finished(
    run: Run, tmp_path: Path, offered: Callable[..., list[bool]]
) -> None:
    third = Told("third")
    offered(Told("first"), Endless("second"), third)
    done = run("gallery", "--output", str(tmp_path), "--max-seconds", "0.5")
    assert (done.code, third.jobs) == (2, [])
    assert done.out.splitlines()[0] == "ok    first"
    kept = tmp_path / "gallery.json"
    assert done.err.endswith(
        f"diagflow: error: budget: 0.5 seconds were over before second, third; what was finished "
        f"is in {kept}; raise --max-seconds or choose with --only\n"
    )
    record = json.loads(kept.read_text(encoding="utf-8"))
    assert [entry["title"] for entry in record["experiments"]] == ["about first"]
