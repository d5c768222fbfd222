"""Planes of scalings, polygons and whole figures of regimes: what is drawn, exactly."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from diagflow.plotting import plot_regimes, style
from diagflow.plotting.map_plane import (
    MapPlane,
    Window,
    exponents_of_values,
    sections,
    window_of,
)
from diagflow.plotting.polygon import draw_polygon, polygon_key, projection
from diagflow.plotting.regime_map import draw_map, map_key
from diagflow.plotting.style import COLOURS
from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.regimes import Regimes, regimes
from tests.problems import cp_regimes

KEY_OF_MOVING = ["limit of a wall", "wall at known $s$"]


@cache
def prism() -> Regimes:
    return regimes(tied_autoencoder(data=True), loss="train", terms=4)


@cache
def two_symbols() -> Regimes:
    """Two vertices, p^2 H^s and H^(s + 2), with two points below and on the edge between them."""
    return regimes(
        [Polynomial.parse(f"p**2*H**{s} + p*H**{s + 1} + H**{s + 2} + H**{s}") for s in range(4)]
    )


@cache
def one_symbol() -> Regimes:
    return regimes([Polynomial.parse(f"p**{s + 1}") for s in range(4)])


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Figure]:
    """The figure that would be written."""
    written: list[Figure] = []
    monkeypatch.setattr(style, "write_figure", lambda figure, _: written.append(figure))

    def plot(computed: Regimes, **options: object) -> Figure:
        plot_regimes(computed, tmp_path / "map.svg", **options)  # type: ignore[arg-type]
        return written.pop()

    return plot


# Planes of scalings.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"across": "N"},
            r"^symbol 'N': does not occur in the series; its symbols are p, H, sigma2$",
        ),
        (
            {"fixed": {"x": 1}},
            r"^symbol 'x': does not occur in the series; its symbols are p, H, sigma2$",
        ),
        (
            {"across": "H", "up": "H"},
            r"^regime map of H and H: an exponent is asked for twice; give two symbols and fix "
            r"others$",
        ),
        (
            {"fixed": {"H": 1}},
            r"^regime map of H and sigma2: an exponent is asked for twice; give two symbols and "
            r"fix others$",
        ),
        (
            {"across": "p", "up": "H"},
            r"^regime map of p and H: no other size grows; fix a positive exponent$",
        ),
        (
            {"fixed": {"p": 0}},
            r"^regime map of H and sigma2: no other size grows; fix a positive exponent$",
        ),
    ],
)
def test_planes_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        MapPlane.of(cp_regimes(2, True, 4), **options)  # type: ignore[arg-type]


def test_a_map_takes_three_symbols() -> None:
    message = (
        r"^regime map: the series has the symbols p, H only, a map takes three; "
        r"draw the polygon alone$"
    )
    with pytest.raises(InvalidInputError, match=message):
        MapPlane.of(two_symbols())


@pytest.mark.parametrize(
    ("options", "axes", "fixed"),
    [
        ({}, ("N", "sigma2"), (1, 1, 0, 0)),
        ({"up": "N"}, ("H", "N"), (1, 0, 0, 0)),
        ({"across": "sigma2"}, ("sigma2", "N"), (1, 1, 0, 0)),
        ({"across": "p", "fixed": {"N": 2}}, ("p", "sigma2"), (0, 1, 2, 0)),
    ],
)
def test_planes_that_are_taken(
    options: dict[str, object], axes: tuple[str, str], fixed: tuple[int, ...]
) -> None:
    plane = MapPlane.of(prism(), **options)  # type: ignore[arg-type]
    assert plane.symbols == ("p", "H", "N", "sigma2")
    assert (plane.symbols[plane.across], plane.symbols[plane.up]) == axes
    assert plane.fixed == fixed


@pytest.mark.parametrize(
    ("fixed", "note"),
    [
        ({}, r"$\alpha_{H} = \alpha_{p}$"),
        ({"H": 0}, r"$\alpha_{H} = 0$"),
        ({"H": 2}, r"$\alpha_{H} = 2\,\alpha_{p}$"),
        ({"H": -1}, r"$\alpha_{H} = -1\,\alpha_{p}$"),
        ({"p": 2, "H": 3}, r"$\alpha_{H} = 3/2\,\alpha_{p}$"),
        ({"H": Fraction(37, 100)}, r"$\alpha_{H} = 0.37\,\alpha_{p}$"),
        ({"H": Fraction(10**9 + 1, 10**9)}, r"$\alpha_{H} = 1\,\alpha_{p}$"),
    ],
)
def test_what_is_fixed_is_said(fixed: dict[str, int], note: str) -> None:
    assert MapPlane.of(prism(), fixed=fixed).note() == note


def test_what_is_no_choice_is_not_said() -> None:
    plane = MapPlane.of(cp_regimes(2, True, 4))
    assert plane.note() == ""
    assert plane.label(plane.across) == r"$\alpha_{H} / \alpha_{p}$"
    assert plane.label(plane.up) == r"$\alpha_{\sigma} / \alpha_{p}$"


@pytest.mark.parametrize("power", [1, 400])
def test_the_exponents_of_numbers(power: int) -> None:
    """Also of numbers that no float holds."""
    plane = MapPlane.of(prism(), fixed={"p": 2})
    values = {
        "p": Fraction(100) ** power,
        "H": Fraction(1000) ** power,
        "N": Fraction(1),
        "sigma2": Fraction(1, 100) ** power,
    }
    assert exponents_of_values(plane, values) == pytest.approx((2, 3, 0, -2))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"H": None},
            r"^values: there is none for H; give one for each of p, H, sigma2$",
        ),
        ({"sigma2": 0}, r"^value sigma2 = 0: has no logarithm; give a positive number$"),
        ({"H": Fraction(-1, 2)}, r"^value H = -1/2: has no logarithm; give a positive number$"),
        ({"p": 1}, r"^value p = 1: is no base for exponents; give more than 1$"),
        ({"p": 0.5}, r"^value p = 0.5: is no base for exponents; give more than 1$"),
    ],
)
def test_values_without_exponents(changed: dict[str, object], message: str) -> None:
    values = {"p": 10, "H": 10, "sigma2": 1} | changed
    given = {name: value for name, value in values.items() if value is not None}
    with pytest.raises(InvalidInputError, match=message):
        exponents_of_values(MapPlane.of(cp_regimes(2, True, 4)), given)  # type: ignore[arg-type]


def test_a_window_inside_a_region_shows_that_region_alone() -> None:
    computed = cp_regimes(2, True, 4)
    plane = MapPlane.of(computed)
    window = Window(*(Fraction(n, 10) for n in (16, 18, -4, -2)))
    ((regime, places),) = sections(computed, plane, window)
    assert set(places) == set(window.corners)
    # α_H > α_p and α_H + α_σ² > 0: H σ² and H/p grow.
    assert regime.name == "B"
    assert all(computed["B"].cone.contains_in_interior(plane.scaling(place)) for place in places)


@pytest.mark.parametrize("fixed", [{}, {"H": 2}, {"H": Fraction(1, 2)}, {"p": 3, "H": 1}])
def test_every_scaling_of_a_plane_belongs_to_one_section(fixed: dict[str, int]) -> None:
    """Through an edge of a cone, a plane may touch cones that it does not enter."""
    computed = prism()
    plane = MapPlane.of(computed, fixed=fixed)
    window = window_of(computed, plane)
    pieces = sections(computed, plane, window)
    entered = {regime.name for regime, _ in pieces}
    xs, ys = (
        {Fraction(k, 4) * sign for k in range(13) for sign in (1, -1)}
        | {places[0][i] for _, places in pieces if len(places) == 1}
        for i in (0, 1)
    )
    seen = set()
    for x in xs:
        for y in ys:
            if window.left < x < window.right and window.bottom < y < window.top and x > 0:
                at = [
                    r.name for r in computed if r.cone.contains_in_interior(plane.scaling((x, y)))
                ]
                assert len(at) == 1
                seen.update(at)
    assert seen <= entered
    regions = [places for _, places in pieces if len(places) > 2]
    areas = [
        abs(
            sum(
                a * d - b * c
                for (a, b), (c, d) in zip(places, [*places[1:], places[0]], strict=True)
            )
        )
        / 2
        for places in regions
    ]
    assert sum(areas) == (window.right - window.left) * (window.top - window.bottom)


# Polygons.


def test_the_symbols_of_a_polygon() -> None:
    computed = cp_regimes(2, True, 4)
    assert projection(computed) == (1, 2)
    assert projection(computed, symbols=("sigma2", "p")) == (2, 0)
    message = r"^symbol 'N': does not occur in the series; its symbols are p, H, sigma2$"
    with pytest.raises(InvalidInputError, match=message):
        projection(computed, symbols=("p", "N"))
    message = (
        r"^polygon of exponents: the series has the symbol p only; nothing is drawn with fewer "
        r"than two$"
    )
    with pytest.raises(InvalidInputError, match=message):
        projection(one_symbol())


@pytest.mark.parametrize("symbols", [None, ("p", "H"), ("sigma2", "p")])
def test_a_polygon_has_its_points_in_their_places(symbols: tuple[str, str] | None) -> None:
    computed = cp_regimes(2, True, 4)
    axes = Figure().subplots()
    draw_polygon(axes, computed, s=3, symbols=symbols)
    names = symbols or ("H", "sigma2")
    latex = {"p": "p", "H": "H", "sigma2": r"\sigma^{2}"}
    assert axes.get_xlabel() == f"power of ${latex[names[0]]}$"
    assert axes.get_ylabel() == f"power of ${latex[names[1]]}$"
    assert axes.get_title() == "$s = 3$"
    places = [computed.exponents.symbols.index(name) for name in names]
    flat = {tuple(v[i] for i in places) for v in computed.exponents.points(3)}
    vertices = {tuple(v[i] for i in places) for v in computed.polyhedra[3].vertices}
    (dots, *others) = axes.collections
    assert {tuple(place) for place in np.asarray(dots.get_offsets())} == vertices
    assert to_hex(dots.get_facecolor()[0]) == COLOURS["vermilion"].lower()
    drawn = [tuple(place) for kind in (dots, *others) for place in np.asarray(kind.get_offsets())]
    assert set(drawn) == flat and len(drawn) == len(flat)
    ends = {frozenset(map(tuple, line.get_xydata())) for line in axes.lines}
    assert ends >= {
        frozenset(tuple(v[i] for i in places) for v in face.vertices)
        for face in computed.polyhedra[3].faces
        if face.dimension == 1
    }


def test_a_coefficient_that_is_not_known_has_no_polygon() -> None:
    message = r"^polygon of Y_5: it is zero or not known; take one of Y_0, Y_1, Y_2, Y_3, Y_4$"
    with pytest.raises(InvalidInputError, match=message):
        draw_polygon(Figure().subplots(), cp_regimes(2, True, 4), s=5)


def test_the_key_has_the_kinds_that_occur() -> None:
    assert [sample.get_label() for sample in polygon_key(two_symbols())] == [
        "vertex",
        "Pareto-optimal, on a face",
        "dominated",
    ]


# Maps.


def test_a_wall_that_moves_is_dashed_and_dotted_where_it_is_at_known_s() -> None:
    computed = cp_regimes(3, True, 4)
    axes = Figure().subplots()
    draw_map(axes, computed)
    plane = MapPlane.of(computed)
    window = window_of(computed, plane)
    walls = {
        regime.name: [plane.on_axes(place) for place in places]
        for regime, places in sections(computed, plane, window)
        if len(places) == 2
    }
    moving = {name for name in walls if computed[name].moving}
    assert moving
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2]
    for name, ends in walls.items():
        (line,) = [x for x in lines if x.get_zorder() == 4 and np.allclose(x.get_xydata(), ends)]
        assert line.get_linestyle() == ("--" if name in moving else "-")
    dotted = [line for line in lines if line.get_linestyle() == ":"]
    # On each dotted segment two vertices of one known coefficient are equally large: σ, not σ².
    known = {
        tuple(a - b for a, b in zip(*(q.point(s) for q in regime.sequences), strict=True))
        for regime in computed
        if regime.moving and len(regime.vertices) == 2
        for s in range(computed.start, 5)
    }
    for line in dotted:
        assert line.get_color() == COLOURS["grey"]
        assert any(
            all(abs(p + H * x + 2 * sigma2 * y) < 1e-9 for x, y in line.get_xydata())
            for p, H, sigma2 in known
        )
    assert 0 < len(dotted) <= len(known) * 4
    assert [key.get_label() for key in map_key(computed)] == [
        "free",
        "lazy",
        "rich",
        *KEY_OF_MOVING,
    ]


def test_the_key_of_a_map_has_the_given_values() -> None:
    computed = cp_regimes(2, True, 4)
    key = map_key(computed, at={"p": 10, "H": 10, "sigma2": 1})
    assert [sample.get_label() for sample in key] == ["free", "rich", "given values"]
    star = key[-1]
    assert isinstance(star, Line2D) and star.get_marker() == "*"


def test_a_map_says_what_is_fixed() -> None:
    axes = Figure().subplots()
    draw_map(axes, prism())
    assert axes.get_title() == r"$\alpha_{H} = \alpha_{p}$"
    assert axes.get_xlabel() == r"$\alpha_{N} / \alpha_{p}$"
    assert axes.get_ylabel() == r"$\alpha_{\sigma} / \alpha_{p}$"


# Whole figures.


def test_a_polytope_is_shown_from_two_sides_above_its_map(
    figures: Callable[..., Figure],
) -> None:
    computed = prism()
    figure = figures(computed, at={"p": 100, "H": 1000, "N": 10000, "sigma2": 0.01})
    front, behind, below = figure.axes
    assert [axes.get_title() for axes in figure.axes] == [
        "$s = 4$",
        "from behind",
        r"$\alpha_{H} = 3/2\,\alpha_{p}$",
    ]
    # Every facet is seen from one side, and the silhouettes are mirror images.
    assert len(front.patches) + len(behind.patches) == 5
    wide = [
        np.array([p for line in axes.lines for p in line.get_xydata()]) for axes in (front, behind)
    ]
    assert wide[0][:, 0].min() == pytest.approx(-wide[1][:, 0].max(), abs=1e-9)
    (star,) = [line for line in below.lines if line.get_marker() == "*"]
    assert star.get_xydata()[0] == pytest.approx([2, -0.5])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["free", "rich", "given values"]
    figure.draw_without_rendering()
    names = [
        text
        for axes in figure.axes
        for text in axes.texts
        if text.get_text() and "from behind" not in text.get_text()
    ]
    assert_apart(names)
    # Nothing of the three panels or the legend covers another.
    panels = [axes.get_tightbbox() for axes in figure.axes] + [legend.get_window_extent()]
    for upper, lower in ((0, 2), (1, 2), (2, 3), (0, 1)):
        assert not panels[upper].overlaps(panels[lower])


def assert_apart(texts: list[Text]) -> None:
    boxes = [text.get_window_extent() for text in texts]
    assert not [
        (one.get_text(), other.get_text())
        for (one, a), (other, b) in combinations(zip(texts, boxes, strict=True), 2)
        if a.overlaps(b)
    ]


def test_two_symbols_have_polygons_and_no_map(figures: Callable[..., Figure]) -> None:
    figure = figures(two_symbols())
    (axes,) = figure.axes
    assert axes.get_title() == "$s = 3$"
    assert {axes.get_xlabel(), axes.get_ylabel()} == {"power of $p$", "power of $H$"}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        sample.get_label() for sample in polygon_key(two_symbols())
    ]
    mapped = figures(cp_regimes(2, True, 4))
    polygon, below = mapped.axes
    for panel, inches in ((axes, 1.7), (polygon, 1.7), (below, 2.5)):
        whole = panel.get_figure().get_figheight()
        assert panel.get_position().height * whole == pytest.approx(inches)


def test_polygons_of_two_residues_share_their_axis(figures: Callable[..., Figure]) -> None:
    left, right, below = figures(cp_regimes(2, False, 6)).axes
    assert (left.get_title(), right.get_title()) == ("$s = 5$", "$s = 6$")
    assert left.get_ylim() == right.get_ylim()
    assert (left.get_ylabel(), right.get_ylabel()) == (r"power of $\sigma^{2}$", "")
    assert below.get_ylabel() == r"$\alpha_{\sigma} / \alpha_{p}$"


def test_a_plane_of_a_slice_lies_in_it() -> None:
    whole = regimes(cp(order=2, symmetric=True, target="teacher"), terms=5)
    part = whole.restricted("H ~ p**2*H_teacher**-1, sigma2_teacher ~ sigma2")
    plane = MapPlane.of(part)
    for x in (Fraction(1, 3), Fraction(5, 4)):
        scaling = plane.scaling((x, Fraction(-2)))
        assert all(
            sum(a * n for a, n in zip(scaling, relation.normal, strict=True)) == 0
            for relation in part.on
        )
    window = window_of(part, plane)
    pieces = sections(part, plane, window)
    assert {len(places) > 2 for _, places in pieces} == {True, False}
    for regime, places in pieces:
        middle = tuple(sum(entries) / len(places) for entries in zip(*places, strict=True))
        scaling = plane.scaling((Fraction(middle[0]), Fraction(middle[1])))
        assert whole[regime.name].cone.contains_in_interior(scaling)
    with pytest.raises(InvalidInputError, match="tied by the slice"):
        MapPlane.of(part, across="sigma2_teacher")


def test_a_slice_may_be_too_small_for_a_plane() -> None:
    with pytest.raises(InvalidInputError, match="a map takes three"):
        MapPlane.of(cp_regimes(2, True, 4).restricted("H ~ p"))
