"""Polytopes of exponents: what is visible, solid, dashed and named, against convex hulls."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from diagflow.plotting.polytope import draw_polytope, telling_view
from diagflow.plotting.style import COLOURS, LEARNING_FILL
from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.regimes import Learning, Regimes, regimes

FRONT, BEHIND = (-55.0, 15.0), (125.0, -15.0)
VIEWS = [FRONT, BEHIND, (30.0, 40.0), (200.0, 61.0)]
Point = tuple[int, ...]


@cache
def prism() -> Regimes:
    return regimes(tied_autoencoder(data=True), loss="train", terms=4)


def of_points(
    *coefficients: Sequence[Point], names: Sequence[str] = ("p", "H", "N", "sigma2")
) -> Regimes:
    """Of coefficients with given exponents, all moved by one in every step."""
    return regimes(
        [
            Polynomial.parse(
                " + ".join(
                    "*".join(f"{name}**{power + s}" for name, power in zip(names, v, strict=True))
                    for v in points
                )
            )
            for s, points in enumerate(coefficients)
        ]
    )


def drawn(found: Regimes, *, s: int | None = None, view: tuple[float, float] | None = None) -> Axes:
    axes = Figure(figsize=(6, 6), dpi=150).add_axes((0, 0, 1, 1))
    draw_polytope(axes, found, s=s, view=view)
    return axes


def directions(view: tuple[float, float]) -> NDArray[np.float64]:
    """The rows right, up and eye."""
    a, e = np.radians(view)
    eye = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0])
    return np.array([right, np.cross(eye, right), eye])


def stretched(points: Sequence[Point], places: Sequence[int]) -> NDArray[np.float64]:
    chosen = np.array(points, float)[:, places]
    return (chosen - chosen.min(axis=0)) / np.ptp(chosen, axis=0)


def facets_of(points: NDArray[np.float64]) -> list[tuple[frozenset[int], NDArray[np.float64]]]:
    """The facets of a hull: their corners, and their area times the outer normal."""
    hull = ConvexHull(points)
    areas: dict[tuple[float, ...], NDArray[np.float64]] = {}
    corners: dict[tuple[float, ...], set[int]] = {}
    for simplex, equation in zip(hull.simplices, hull.equations, strict=True):
        key = tuple(np.round(equation, 9))
        a, b, c = points[simplex]
        area = np.linalg.norm(np.cross(b - a, c - a)) / 2 * equation[:3]
        areas[key] = areas.get(key, np.zeros(3)) + area
        corners.setdefault(key, set()).update(map(int, simplex))
    return [(frozenset(corners[key]), area) for key, area in areas.items()]


def flat_area(corners: NDArray[np.float64]) -> float:
    x, y = corners.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def as_set(places: NDArray[np.float64]) -> frozenset[tuple[float, float]]:
    return frozenset((round(float(x), 6) + 0.0, round(float(y), 6) + 0.0) for x, y in places)


def outlines(axes: Axes) -> list[NDArray[np.float64]]:
    patches = [patch for patch in axes.patches if isinstance(patch, Polygon)]
    return [np.asarray(patch.get_xy())[:-1] for patch in patches]


def names(axes: Axes) -> set[str]:
    """What the labels say, without line breaks and in plain dashes; not the three powers."""
    texts = (text.get_text() for text in axes.texts)
    return {
        text.replace("–\n", "–").replace("\n", " ").replace("–", "-")
        for text in texts
        if text and "$" not in text
    }


@pytest.mark.parametrize("view", VIEWS)
def test_facets_and_edges_that_face_the_eye_are_drawn(view: tuple[float, float]) -> None:
    found = prism()
    vertices = found.polyhedra[4].vertices
    points = stretched(vertices, [found.exponents.symbols.index(n) for n in ("H", "N", "sigma2")])
    right, up, eye = directions(view)
    flat = points @ np.array([right, up]).T
    visible = [corners for corners, area in facets_of(points) if area @ eye > 0]
    axes = drawn(found, view=view)

    faces = outlines(axes)
    assert {as_set(face) for face in faces} == {as_set(flat[[*c]]) for c in visible}
    assert len(faces) == len(visible)
    # Visible facets cover the silhouette once.
    assert sum(map(flat_area, faces)) == pytest.approx(ConvexHull(flat).volume)

    edges = {
        frozenset(one & other)
        for (one, _), (other, _) in combinations(facets_of(points), 2)
        if len(one & other) == 2
    }
    assert len(edges) == 9
    lines = {as_set(line.get_xydata()): line for line in axes.lines if len(line.get_xdata()) == 2}
    for edge in edges:
        line = lines[as_set(flat[[*edge]])]
        shown = any(edge <= corners for corners in visible)
        assert line.get_linestyle() == ("-" if shown else "--")
        assert line.get_color() == COLOURS["black" if shown else "grey"]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    seen = sorted(frozenset.union(*visible))
    assert as_set(np.array([dot.get_xydata()[0] for dot in dots])) == as_set(flat[seen])
    assert len(dots) == len(seen)


def test_facets_have_the_colours_of_what_is_learnt() -> None:
    axes = drawn(prism(), view=FRONT)
    free, rich = (LEARNING_FILL[learning] for learning in (Learning.FREE, Learning.RICH))
    fills = sorted((to_hex(patch.get_facecolor()), patch.get_hatch()) for patch in axes.patches)
    assert fills == sorted(
        [(free[0].lower(), free[1]), (rich[0].lower(), rich[1]), (rich[0].lower(), rich[1])]
    )


def test_front_and_back_together_name_all_facets_and_vertices() -> None:
    found = prism()
    front, behind = names(drawn(found, view=FRONT)), names(drawn(found, view=BEHIND))
    assert front | behind == {regime.name for regime in found if regime.dimension in (0, 2)}
    # A facet shows one of its sides only.
    assert not front & behind & {regime.name for regime in found if regime.dimension == 2}


@pytest.mark.parametrize("view", VIEWS)
def test_names_overlap_nothing(view: tuple[float, float]) -> None:
    axes = drawn(prism(), view=view)
    frame = axes.get_window_extent()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    for box in boxes:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1
    # The three powers come first.
    for one, other in combinations(boxes if view in (FRONT, BEHIND) else boxes[3:], 2):
        assert not one.overlaps(other)
    dots = axes.transData.transform(
        [d.get_xydata()[0] for d in axes.lines if d.get_marker() == "o"]
    )
    for box in boxes[3:]:
        assert not any(box.contains(*dot) for dot in dots)


def test_the_telling_view_is_the_clearest_of_all() -> None:
    """The least area of a facet, or distance of a vertex from an edge of others, is largest."""
    found = prism()
    vertices = found.polyhedra[4].vertices
    points = stretched(vertices, [found.exponents.symbols.index(n) for n in ("H", "N", "sigma2")])
    facets = facets_of(points)
    edges = [
        sorted(one & other)
        for (one, _), (other, _) in combinations(facets, 2)
        if len(one & other) == 2
    ]

    def clearness(view: tuple[float, float]) -> float:
        right, up, eye = directions(view)
        flat = points @ np.array([right, up]).T
        found = [abs(area @ eye) for _, area in facets]
        for first, last in edges:
            along = flat[last] - flat[first]
            for vertex in set(range(len(flat))) - {first, last}:
                share = np.clip((flat[vertex] - flat[first]) @ along / (along @ along), 0, 1)
                found.append(np.linalg.norm(flat[vertex] - flat[first] - share * along))
        return float(min(found))

    chosen = telling_view(found)
    assert chosen in [(a, e) for a in range(-90, 90, 5) for e in range(10, 45, 5)]
    best = max(clearness((a, e)) for a in range(-90, 90, 10) for e in range(10, 45, 5))
    assert clearness(chosen) >= best - 1e-9
    assert clearness(chosen) > 0.2
    # It is the view of a picture unless another is given.
    assert {*map(as_set, outlines(drawn(found)))} == {
        *map(as_set, outlines(drawn(found, view=chosen)))
    }


def test_the_tripod_shows_where_the_powers_grow() -> None:
    """Seen along the first axis, the second points to the right and the third up."""
    axes = drawn(prism(), view=(0.0, 0.0))
    origin = axes.transAxes.transform((0.1, 0.07))
    reach = 1.55 * 12 * 150 / 72
    shift = {
        text.get_text(): axes.transAxes.transform(text.get_position()) - origin
        for text in axes.texts
        if "$" in text.get_text()
    }
    assert list(shift) == ["$H$", "$N$", r"$\sigma^{2}$"]
    for name, expected in (("$H$", (0, 0)), ("$N$", (reach, 0)), (r"$\sigma^{2}$", (0, reach))):
        np.testing.assert_allclose(shift[name], expected, atol=1e-9)


def test_the_powers_that_are_drawn_are_independent() -> None:
    """The powers of the three sizes after the first add up to the same number on all vertices."""
    names = ("p", "H", "K", "N", "sigma2")
    points = [(8, 0, 0, 8, 1), (8, 4, 0, 4, 1), (8, 0, 4, 4, 1), (4, 1, 1, 6, 5)]
    found = of_points(*[points] * 4, names=names)
    assert found.exponents.symbols == ("p", "H", "N", "sigma2", "K")
    axes = drawn(found)
    shown = [text.get_text() for text in axes.texts if "$" in text.get_text()]
    assert shown == ["$H$", "$N$", r"$\sigma^{2}$"]
    flat = stretched(points, [1, 3, 4]) @ directions(telling_view(found))[:2].T
    dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) >= 3
    assert as_set(np.array(dots)) <= as_set(flat)


SHEET = [(0, 1, 3, 5), (1, 4, 3, 1), (2, 0, 2, 5), (3, 0, 0, 3), (3, 2, 3, 2)]
"""A tetrahedron without the fourth point, and a triangle at one of its edges with it."""


def test_a_facet_that_bounds_no_polytope_is_seen_from_both_sides() -> None:
    found = of_points(SHEET, SHEET, SHEET, SHEET)
    assert found.polyhedra[3].f_vector == (5, 8, 5, 1)
    points = stretched(SHEET, [1, 2, 3])
    body = [0, 1, 2, 4]
    hull = facets_of(points[body])
    for view in (FRONT, BEHIND):
        right, up, eye = directions(view)
        flat = points @ np.array([right, up]).T
        expected = {as_set(flat[[body[i] for i in c]]) for c, area in hull if area @ eye > 0}
        expected.add(as_set(flat[[2, 3, 4]]))
        axes = drawn(found, view=view)
        assert {as_set(face) for face in outlines(axes)} == expected
        assert "V4" in names(axes)
        assert {to_hex(patch.get_facecolor()) for patch in axes.patches} == {"#eeeeee"}


def test_a_facet_between_two_polytopes_is_not_seen() -> None:
    """Two tetrahedra with a common facet: the other six facets are seen from one side each."""
    points = [(0, 2, 2, 4), (1, 3, 0, 3), (2, 0, 4, 2), (3, 1, 0, 5), (4, 0, 0, 1)]
    found = of_points(points, points, points, points)
    assert found.polyhedra[3].f_vector == (5, 9, 7, 2)
    solid = stretched(points, [1, 2, 3])
    seen: list[frozenset[int]] = []
    for view in (FRONT, BEHIND):
        flat = solid @ directions(view)[:2].T
        number = {place: i for i, row in enumerate(flat) for place in as_set(row[None])}
        faces = outlines(drawn(found, view=view))
        seen += [frozenset(number[place] for place in as_set(face)) for face in faces]
    outside = [set(c) for c in combinations(range(5), 3) if not {0, 4} <= set(c)]
    assert sorted(map(sorted, seen)) == sorted(sorted(c) for c in outside if c != {1, 2, 3})


def test_an_edge_that_bounds_no_facet_is_seen_from_both_sides() -> None:
    points = [(0, 0, 6, 3), (0, 6, 0, 3), (2, 2, 2, 9), (6, 0, 0, 3), (6, 4, 4, 7)]
    found = of_points(points, points, points, points)
    assert found.polyhedra[3].f_vector == (5, 7, 4, 1)
    solid = stretched(points, [1, 2, 3])
    for view in (FRONT, BEHIND):
        flat = solid @ directions(view)[:2].T
        axes = drawn(found, view=view)
        (wire,) = [
            line
            for line in axes.lines
            if len(line.get_xdata()) == 2 and as_set(line.get_xydata()) == as_set(flat[[2, 4]])
        ]
        assert (wire.get_linestyle(), wire.get_color()) == ("-", COLOURS["black"])
        assert {"V3", "V5"} <= names(axes)


def test_faces_that_are_no_regimes_have_no_name() -> None:
    """Y_0 leads with one more point than the others do: what it spans is white."""
    base = [(0, 0, 6, 3), (0, 6, 0, 3), (6, 0, 0, 3), (2, 2, 2, 9)]
    first = [*base[:3], (2, 2, 2, 11)]
    found = of_points(first, base, base, base)
    assert found.start == 1
    for view in (FRONT, BEHIND):
        early, late = drawn(found, s=0, view=view), drawn(found, s=1, view=view)
        white = [f for f in early.patches if to_hex(f.get_facecolor()) == "#ffffff"]
        assert white and len(early.patches) == len(late.patches)
        assert not any(to_hex(f.get_facecolor()) == "#ffffff" for f in late.patches)
        # The top, the third vertex, is on all faces but one.
        assert names(early) == {name for name in names(late) if "V3" not in name}


@pytest.mark.parametrize("s", [1, 7])
def test_flat_polytopes_are_refused(s: int) -> None:
    found = regimes(cp(order=2, symmetric=True), terms=4)
    message = (
        f"^polytope of Y_{s}: its leading exponents do not fill three dimensions; draw the polygon$"
    )
    with pytest.raises(InvalidInputError, match=message):
        draw_polytope(Figure().subplots(), found, s=s)
    with pytest.raises(InvalidInputError, match=message):
        telling_view(found, s=s)
