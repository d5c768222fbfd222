"""Figures with one size or with points that coincide, and figures that cannot be drawn."""

import math
from itertools import product
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from diagflow.plotting import regime_figure
from diagflow.plotting.map_plane import MapPlane, sections, window_of
from diagflow.plotting.polygon import draw_polygon, projection
from diagflow.report import write
from expansion.models import deep_linear
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import regimes
from pde.effective import Answer
from pde.hierarchies import HierarchySummary
from tests.command import Run

COINCIDING = """
family = "rectangular, constant target"
[axes]
H = "growing"
p = "growing"
n = "growing"
[tensors.W]
kind = "weight"
axes = ["H", "p"]
variance = "s"
[tensors.Q]
kind = "weight"
axes = ["H", "n"]
variance = "q"
[losses.l]
outputs = ["i", "j"]
model = "W[k,i] Q[k,j]"
target = "1"
"""

ONE_SIZE = """
family = "one size"
{amplitudes}
[axes]
p = "growing"
[tensors.W]
kind = "weight"
axes = ["p", "p"]
variance = "s"
[losses.l]
outputs = ["i", "j"]
model = "W[i,j]"
target = "{target}"
"""

TABLES = {
    "coinciding": COINCIDING,
    "amplitude": ONE_SIZE.format(amplitudes='amplitudes = ["c"]', target="c identity"),
    "two amplitudes": ONE_SIZE.format(amplitudes='amplitudes = ["b", "c"]', target="b c identity"),
    "no amplitude": ONE_SIZE.format(amplitudes="", target="identity"),
}


@pytest.fixture(params=TABLES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "problem.toml"
    path.write_text(TABLES[request.param])
    return path


def test_a_figure_is_drawn(file: Path, tmp_path: Path, run: Run) -> None:
    picture = tmp_path / "map.svg"
    plain = run("regimes", str(file), "--terms", "4")
    drawn = run("regimes", str(file), "--terms", "4", "--plot", str(picture))
    assert (plain.code, drawn.code) == (0, 0)
    assert plain.out == drawn.out
    assert picture.read_text().startswith("<?xml")


def test_a_report_is_written(
    file: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The figures are what is tested; the dynamics of 85 regimes would take minutes.
    nothing = Answer(HierarchySummary())
    monkeypatch.setattr("pde.solving.effective_answer", lambda *_: nothing)
    folder = tmp_path / "report"
    arguments = ("--terms", "4", "--no-simulations", "--output", str(folder))
    assert run("report", str(file), *arguments).code == 0
    assert (folder / "main.tex").exists()


def spoil(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(regime_figure, "draw_polygon", fails)


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("x"), ValueError("x"), IndexError("x"), StopIteration("x")],
    ids=repr,
)
def test_a_figure_that_fails_does_not_fail_the_table(
    error: Exception, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "map.svg"
    arguments = ("regimes", "cp", "--order", "2", "--terms", "4")
    plain = run(*arguments)
    spoil(monkeypatch, error)
    failed = run(*arguments, "--plot", str(picture))
    assert failed.out == plain.out
    assert failed.code == 2
    assert "cannot be drawn" in failed.err
    assert "Traceback" not in failed.err
    assert not picture.exists()


def test_a_report_is_written_without_a_figure_that_fails(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, ZeroDivisionError("x"))
    folder = tmp_path / "report"
    arguments = ("--terms", "4", "--no-simulations", "--output", str(folder))
    assert run("report", "cp", "--order", "2", *arguments).code == 0
    text = (folder / "main.tex").read_text()
    assert write.MAP_FILE not in text
    assert "Learning regimes" in text
    assert not (folder / write.MAP_FILE).exists()


def test_a_wrong_file_name_is_refused_before_the_work(tmp_path: Path, run: Run) -> None:
    failed = run("regimes", "cp", "--order", "2", "--plot", str(tmp_path / "map.doc"))
    assert failed.code == 2
    assert failed.out == ""


def test_the_map_of_one_size_is_cut_into_its_regimes(tmp_path: Path) -> None:
    """Every scaling with α_p = 1 lies in the section of the regime that leads there."""
    path = tmp_path / "problem.toml"
    path.write_text(TABLES["amplitude"])
    found = regimes(read_problem_file(path), terms=4)
    plane = MapPlane.of(found)
    assert found.exponents.symbols[plane.base] == "p"
    window = window_of(found, plane)
    pieces = dict(sections(found, plane, window))
    assert {regime.name for regime in pieces} == {regime.name for regime in found}
    for c, s in product((-1, 0, 1), repeat=2):
        scaling = {"p": 1, "c": c, "s": s}
        power = scaling["p"] + s - 2 * c
        name = "V1-V2" if power == 0 else "V1" if power < 0 else "V2"
        exact = tuple(scaling[symbol] for symbol in found.exponents.symbols)
        assert found[name].cone.contains_in_interior(exact)


@pytest.mark.parametrize(("depth", "s"), [(3, 3), (3, 4), (2, 3), (4, 3)])
def test_names_stand_at_their_own_vertices(depth: int, s: int) -> None:
    found = regimes(deep_linear(depth=depth), terms=4)
    axes = Figure(figsize=(1.5, 1.7), dpi=300).add_axes((0.1, 0.1, 0.88, 0.8))
    draw_polygon(axes, found, s=s)
    places = projection(found)
    own = {
        regime.name: tuple(regime.sequences[0].point(s)[i] for i in places)
        for regime in found
        if regime.dimension == 0
    }
    pixels = {name: axes.transData.transform(place) for name, place in own.items()}
    texts = {text.get_text(): text for text in axes.texts}
    ends = [tuple(line.get_xydata()[-1]) for line in axes.lines if len(line.get_xydata()) == 2]
    for label, text in texts.items():
        names = label.split(" = ")
        if not set(names) <= set(own):
            continue
        box = text.get_window_extent()
        distances = {
            name: math.hypot(max(box.x0 - x, 0.0, x - box.x1), max(box.y0 - y, 0.0, y - box.y1))
            for name, (x, y) in pixels.items()
        }
        nearest = min(distances.values())
        assert all(distances[name] == nearest for name in names) or own[names[0]] in ends
