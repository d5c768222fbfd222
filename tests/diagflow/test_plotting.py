"""Figures of regimes: every region, wall and corner in its place, whole files or none."""

from fractions import Fraction
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from diagflow.plotting import plot_regimes
from diagflow.plotting.map_plane import MapPlane, sections, window_of
from diagflow.plotting.polygon import draw_polygon, telling_orders
from diagflow.plotting.regime_map import draw_map
from diagrams.errors import InvalidInputError
from tests.problems import cp_regimes

PROBLEMS = [(2, True, 4), (2, False, 6), (3, False, 4), (3, True, 4), (4, True, 3)]


def area(places: list[tuple[Fraction, Fraction]]) -> Fraction:
    shifted = [*places[1:], *places[:1]]
    return (
        abs(sum((x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(places, shifted, strict=True))))
        / 2
    )


@pytest.mark.parametrize("problem", PROBLEMS)
def test_regions_fill_the_window_exactly(problem: tuple[int, bool, int]) -> None:
    computed = cp_regimes(*problem)
    plane = MapPlane.of(computed)
    window = window_of(computed, plane)
    regions = {
        regime.name: list(places)
        for regime, places in sections(computed, plane, window)
        if len(places) > 2
    }
    assert set(regions) == {r.name for r in computed if not r.cone.equations}
    assert all(area(region) > 0 for region in regions.values())
    assert sum(area(region) for region in regions.values()) == (window.right - window.left) * (
        window.top - window.bottom
    )
    for name, region in regions.items():
        x, y = (sum(column) / len(region) for column in zip(*region, strict=True))
        assert computed[name].cone.contains_in_interior(plane.scaling((x, y)))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_regime_is_named_on_the_map(problem: tuple[int, bool, int]) -> None:
    computed = cp_regimes(*problem)
    axes = Figure().subplots()
    draw_map(axes, computed)
    words = {text.get_text().replace("–", "-").split("\n")[0].split(":")[0] for text in axes.texts}
    assert words == {regime.name for regime in computed}


def test_walls_are_where_the_table_says() -> None:
    """SYM of order 4: the corner at α_H = 2 α_p, α_σ = -3/4 α_p."""
    axes = Figure().subplots()
    draw_map(axes, cp_regimes(4, True, 3))
    (corner,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert corner.get_xydata().tolist() == [[2.0, -0.75]]


def test_given_numbers_are_a_point_of_the_map() -> None:
    axes = Figure().subplots()
    draw_map(axes, cp_regimes(2, True, 4), at={"p": 100, "H": 1000, "sigma2": 0.01})
    (star,) = [line for line in axes.lines if line.get_marker() == "*"]
    assert star.get_xydata().tolist()[0] == pytest.approx([1.5, -0.5])


def test_polygon_names_vertices_and_edges() -> None:
    computed = cp_regimes(2, False, 6)
    assert telling_orders(computed) == (5, 6)
    axes = Figure().subplots()
    draw_polygon(axes, computed)
    words = {text.get_text().replace("–", "-") for text in axes.texts}
    assert words == {regime.name for regime in computed if regime.dimension < 2}
    odd = Figure().subplots()
    draw_polygon(odd, computed, s=5)
    assert "D = E" in {text.get_text() for text in odd.texts}


@pytest.mark.parametrize("extension", ["svg", "pdf", "png"])
def test_the_same_figure_gives_the_same_bytes(extension: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.{extension}" for name in ("first", "second")]
    for file in files:
        plot_regimes(cp_regimes(2, True, 4), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes()) > 5000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f.name for f in files)


@pytest.mark.parametrize("name", ["map.gif", "map", "missing/map.svg"])
def test_a_file_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"figure .*map"):
        plot_regimes(cp_regimes(2, True, 4), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
