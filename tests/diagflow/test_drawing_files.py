"""Pictures of diagrams as files: SVG, TikZ, pages; contractions against the expectation."""

import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Polygon

import diagflow.drawing.page
from diagflow.drawing.appearance import INK, PINNED_FILL, Appearance
from diagflow.drawing.contractions import contractions, matchings
from diagflow.drawing.draw import draw
from diagflow.drawing.layout import layout
from diagflow.drawing.page import gallery
from diagflow.drawing.picture import draw_diagram
from diagflow.drawing.svg import svg
from diagflow.drawing.tikz import tikz, tikz_document
from diagrams.diagram import Diagram
from diagrams.errors import CapacityError, InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation
from expansion.models import cp
from expansion.problem import Problem
from expansion.series import loss_series

p, H, N = Axis("p"), Axis("H"), Axis("N")
W = Tensor("W", (H, p), variance="sigma2")
SVG = "{http://www.w3.org/2000/svg}"


def tied() -> Problem:
    """The weight-tied autoencoder on Gaussian data."""
    X = Tensor("X", (p, N), Kind.GAUSSIAN, "tau2")
    return Problem(
        family="tied",
        model=(Network.einsum("ki,kj,jn->in", W, W, X),),
        target=(Network.einsum("in->in", X),),
        output_axes=(p, N),
    )


PROBLEMS = {
    "sym2": (cp(order=2, symmetric=True), 2),
    "asym3": (cp(order=3), 1),
    "sym4": (cp(order=4, symmetric=True), 1),
    "tied": (tied(), 1),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_contractions_add_up_to_the_expectation(name: str) -> None:
    problem, terms = PROBLEMS[name]
    series = loss_series(problem)
    for s in range(terms + 1):
        for diagram, _ in series.diagrams(s):
            found = contractions(diagram)
            assert sum(c.count for c in found) == matchings(diagram)
            total: Counter[tuple[tuple[str, int], ...]] = Counter()
            for contraction in found:
                for powers, c in contraction.value:
                    total[powers] += int(c) * contraction.count
            assert {k: Fraction(v) for k, v in total.items()} == expectation(diagram)
            assert len({c.diagram for c in found}) == len(found), "classes are distinct pictures"


def test_flowers_of_the_order_4_square() -> None:
    """One H-node and four double petals: the leading term of E[D] when p is large."""
    ((square, _),) = cp(order=4, symmetric=True).model_square
    first = contractions(square)[0]
    ((powers, c),) = first.value
    assert (first.count, c, dict(powers)) == (1, 1, {"p": 4, "H": 1, "sigma2": 4})
    assert sorted(first.diagram.multiplicities.values()) == [2, 2, 2, 2]


def test_pinned_nodes_are_left_out_of_monomials() -> None:
    one = Axis("one", pinned=1)
    u = Tensor("u", (one, p), variance="sigma2")
    (contraction,) = contractions(Diagram((one, p), ((u, (0, 1)), (u, (0, 1)))))
    assert contraction.value == (((("p", 1), ("sigma2", 1)), 1),)


def test_too_many_matchings_are_refused() -> None:
    big = Diagram((H, p), ((W, (0, 1)),) * 16)
    message = (
        r"^diagram with 16 factors: has 2027025 contractions, more than 200000; draw fewer terms$"
    )
    with pytest.raises(CapacityError, match=message):
        contractions(big)
    assert contractions(Diagram((H, p), ((W, (0, 1)),) * 3)) == ()


def test_svg_has_one_shape_for_each_part() -> None:
    X = Tensor("X", (p, N), Kind.GAUSSIAN, "tau2")
    C = Tensor("C", (p, H, N), variance="c")
    diagram = Diagram((H, p, N), ((W, (0, 1)), (X, (1, 2)), (X, (1, 2)), (C, (1, 0, 2))))
    root = ElementTree.fromstring(svg(diagram))
    assert root.find(f"{SVG}title").text == str(diagram)  # type: ignore[union-attr]
    paths = root.findall(f"{SVG}path")
    assert len(paths) == 3 + 3
    assert sum("stroke-dasharray" in path.attrib for path in paths) == 2, "fixed ones are dashed"
    assert len({path.attrib["stroke"] for path in paths}) == 3
    assert len(root.findall(f"{SVG}circle")) == 2, "the p-node and the junction"
    assert sorted(
        len(shape.attrib["points"].split()) for shape in root.findall(f"{SVG}polygon")
    ) == [
        4,
        4,
    ]
    x0, y0, width, height = map(float, root.attrib["viewBox"].split())
    for path in paths:
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.attrib["d"])[::3]:
            assert x0 <= float(x) <= width and y0 <= float(y) <= height


def test_slots_on_one_axis_are_told_apart_by_arrows() -> None:
    """A_{ij} A_{ij} is not A_{ij} A_{ji}: the heads point to the second slot."""
    A = Tensor("A", (p, p), variance="sigma2")
    W_ = Tensor("W", (H, p), variance="sigma2")
    nodes = (p, p, H)
    same = Diagram(nodes, ((A, (0, 1)), (A, (0, 1)), (W_, (2, 0))))
    opposite = Diagram(nodes, ((A, (0, 1)), (A, (1, 0)), (W_, (2, 0))))
    for diagram in (same, opposite):
        drawn = layout(diagram)
        ends = {(line.curve[0], line.curve[3]) for line in drawn.lines if line.is_directed}
        at = {(drawn.nodes[a], drawn.nodes[b]) for t, (a, b) in diagram.factors if t == A}
        assert ends == at
        heads = [
            shape
            for shape in ElementTree.fromstring(svg(diagram)).findall(f"{SVG}polygon")
            if "stroke" not in shape.attrib
        ]
        assert len(heads) == 2
        assert tikz(diagram).count("-- cycle") == 2 + 1
    assert svg(same) != svg(opposite)


def test_artists_have_the_geometry_of_the_layout() -> None:
    """Lines, heads that point to the second slot, junctions and nodes, moved and scaled."""
    one = Axis("one", pinned=1)
    A = Tensor("A", (p, p), variance="sigma2")
    C = Tensor("C", (p, H, one), variance="c")
    X = Tensor("X", (p, N), Kind.GAUSSIAN, "tau2")
    factors = ((A, (0, 1)), (A, (1, 0)), (C, (0, 2, 3)), (X, (1, 4)))
    diagram = Diagram((p, p, H, one, N), factors)
    drawn, look = layout(diagram), Appearance.of([diagram])
    centre, unit, radius = (3.0, -2.0), 0.5, 0.06

    def at(points: object) -> np.ndarray:
        return np.array(centre) + unit * np.array(points)

    axes = Figure().subplots()
    draw_diagram(axes, diagram, look=look, centre=centre, unit=unit, radius=radius)
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    for line, patch in zip(drawn.lines, lines, strict=True):
        np.testing.assert_allclose(patch.get_path().vertices, at(line.curve))
        assert to_hex(patch.get_edgecolor()) == look.colour(line.tensor).lower()
        assert (patch.get_linestyle() == "solid") == (line.tensor != X)
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    ((tensor, junction),) = drawn.junctions
    dot, *nodes = sorted(circles, key=lambda circle: circle.radius)
    assert (tensor, dot.radius) == (C, radius / 2)
    assert dot.center == pytest.approx(at(junction))
    assert to_hex(dot.get_facecolor()) == look.colour(C).lower()
    assert {circle.radius for circle in nodes} == {radius}
    places = [tuple(np.round(circle.center, 9)) for circle in nodes]
    round_ones = [k for k, axis in enumerate(diagram.nodes) if axis == p]
    assert places == [tuple(np.round(at(drawn.nodes[k]), 9)) for k in round_ones]
    polygons = [patch for patch in axes.patches if isinstance(patch, Polygon)]
    shapes = [patch for patch in polygons if to_hex(patch.get_edgecolor()) == INK.lower()]
    others = [k for k, axis in enumerate(diagram.nodes) if axis != p]
    corners = {H: 4, one: 3, N: 4}
    for k, patch in zip(others, shapes, strict=True):
        outline = patch.get_xy()[:-1]
        np.testing.assert_allclose(outline.mean(axis=0), at(drawn.nodes[k]), atol=1e-12)
        axis = diagram.nodes[k]
        assert len(outline) == corners[axis]
        assert (to_hex(patch.get_facecolor()) == PINNED_FILL.lower()) == (axis == one)
    heads = [patch for patch in polygons if patch not in shapes]
    directed = [line.curve for line in drawn.lines if line.is_directed]
    assert {(curve[0], curve[3]) for curve in directed} == {
        tuple(drawn.nodes[slot] for slot in slots)
        for tensor, slots in diagram.factors
        if tensor == A
    }
    for curve, head in zip(directed, heads, strict=True):
        tip, left, right, _ = head.get_xy()
        along = at(curve[3]) - at(curve[0])
        assert (tip - (left + right) / 2) @ along > 0
        # Its corners are 0.75 radii from the middle of the line, whatever the unit.
        middle = at(np.array([1, 3, 3, 1]) / 8 @ np.array(curve))
        assert np.linalg.norm(np.array([tip, left, right]) - middle, axis=1) == pytest.approx(
            0.75 * radius
        )


def test_tikz_has_a_dot_at_each_junction() -> None:
    C = Tensor("C", (p, H, N), variance="c")
    diagram = Diagram((p, H, N), ((C, (0, 1, 2)), (C, (0, 1, 2))))
    dots = re.findall(r"\\fill\[(\w+)\] \((-?[\d.]+),(-?[\d.]+)\) circle", tikz(diagram, unit=2.0))
    (colour,) = {name for name, _, _ in dots}
    assert colour == f"diagflow{Appearance.of([diagram]).colour(C)[1:]}"
    assert [(float(x), float(y)) for _, x, y in dots] == [
        pytest.approx((2 * x, 2 * y), abs=1e-3) for _, (x, y) in layout(diagram).junctions
    ]


def test_a_page_says_all_and_covers_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Captions, a legend of more than one row and a note, apart from each other on the page."""
    written: list[Figure] = []
    monkeypatch.setattr(
        diagflow.drawing.page, "write_figure", lambda figure, _: written.append(figure)
    )
    names = [f"long_name_of_weight{k}" for k in range(9)]
    tensors = [Tensor(name, (H, p), variance="sigma2") for name in names]
    items = [(Diagram((H, p), ((t, (0, 1)), (t, (0, 1)))), f"{t.name[-1]}\nline") for t in tensors]
    gallery(items, tmp_path / "page.svg", note="a note")
    gallery(items[:1], tmp_path / "page.svg")
    page, small = written
    (axes,) = page.axes
    texts = {text.get_text(): text for text in axes.texts}
    assert len(texts) == len(axes.texts) - 8, "nine captions have the same second line"
    entries = [
        "sum over $H$",
        "sum over $p$",
        *(f"$\\mathit{{long\\_name\\_of\\_weight{k}}}$" for k in range(9)),
    ]
    assert set(texts) == {"a note", "line", *entries, *"012345678"}
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    width, height = page.get_size_inches() * page.dpi
    assert all(0 < box.x0 < box.x1 < width and 0 < box.y0 < box.y1 < height for box in boxes)
    # From above: the captions, the note, the legend in some rows.
    heights = sorted({round(texts[entry].get_position()[1], 6) for entry in entries}, reverse=True)
    assert len(heights) > 1
    assert np.diff(heights) == pytest.approx(-0.24)
    note = texts["a note"].get_position()[1]
    captions = [texts[name].get_position()[1] for name in "012345678"]
    assert min(captions) > note
    assert note - heights[0] == pytest.approx(0.19 + 0.24 / 2)
    # Samples of the lines have the colours and strokes of the tensors.
    look = Appearance.of(diagram for diagram, _ in items)
    for tensor, line in zip(look.tensors, axes.lines, strict=True):
        assert (line.get_color(), line.get_linestyle() == "--") == (
            look.colour(tensor),
            look.is_dashed(tensor),
        )
    assert [text.get_text() for text in small.axes[0].texts] == ["0", "line", *entries[:3]]


@pytest.mark.parametrize(("order", "what"), [(2, "blocks"), (2, "contractions")])
def test_pictures_that_are_left_out_are_counted(order: int, what: str, tmp_path: Path) -> None:
    problem = cp(order=order)
    file = tmp_path / "some.tex"
    assert draw(problem, what, terms=0, output=file, maximal=10**4) == 0
    every = file.read_text(encoding="utf-8").count("begin{minipage}")
    assert draw(problem, what, terms=0, output=file, maximal=1) == every - 1
    text = file.read_text(encoding="utf-8")
    assert text.count("begin{minipage}") == 1
    assert f"and {every - 1} more" in text


def test_one_appearance_for_all_pictures() -> None:
    """A tensor keeps its colour in a diagram that lacks the others."""
    U1, U2 = (Tensor(f"U{k}", (H, p), variance="sigma2") for k in (1, 2))
    both = Diagram((H, p), ((U1, (0, 1)), (U2, (0, 1))))
    second = Diagram((H, p), ((U2, (0, 1)), (U2, (0, 1))))
    look = Appearance.of([both, second])
    assert look.colour(U2) in svg(second, look=look)
    assert look.colour(U1) not in svg(second, look=look)
    assert look.colour(U2) not in svg(second)


def test_shapes_of_further_axes_differ() -> None:
    axes = [Axis(name) for name in ("p", "H", "N", "a", "b", "c")]
    look = Appearance.of([Diagram(tuple(axes))])
    assert len({look.shape(axis) for axis in axes}) == len(axes)


def balanced(text: str) -> bool:
    depth = 0
    for token in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if token == "{" else -1
        if depth < 0:
            return False
    begins = re.findall(r"\\begin\{(\w+\*?)\}", text)
    ends = re.findall(r"\\end\{(\w+\*?)\}", text)
    return depth == 0 and Counter(begins) == Counter(ends)


def test_tikz_says_every_line_and_node() -> None:
    for diagram, _ in loss_series(cp(order=3)).diagrams(2):
        text = tikz(diagram, label="$a$\n$b$")
        assert balanced(text)
        assert text.count(".. controls") == len(diagram.factors)
        assert text.count("\\filldraw") == len(diagram.nodes)
        assert "$a$ \\\\ $b$" in text
        used = set(re.findall(r"[\[=](diagflow[0-9A-F]{6})", text))
        assert used <= set(re.findall(r"\\definecolor\{(\w+)\}", text))


def test_tikz_has_the_geometry_of_the_layout() -> None:
    """A cycle of length four in TikZ lies on a circle too."""
    ((square, _),) = cp(order=2, symmetric=True).model_square
    points = re.findall(r"\\draw\[.*\] \((-?[\d.]+),(-?[\d.]+)\)", tikz(square))
    radii = [math.hypot(float(x), float(y)) for x, y in points]
    assert len(radii) == 4
    assert max(radii) - min(radii) < 5e-3


@pytest.mark.parametrize("extension", ["svg", "png", "pdf", "tex"])
@pytest.mark.parametrize("what", ["blocks", "terms", "contractions"])
def test_pages_are_written_twice_the_same(what: str, extension: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{k}.{extension}" for k in range(2)]
    for file in files:
        assert draw(cp(order=2, symmetric=True), what, terms=1, output=file) == 0
    first, second = (file.read_bytes() for file in files)
    assert first == second
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "tex": b"\\documentclass"}
    assert first.startswith(starts[extension])
    assert sorted(tmp_path.iterdir()) == files
    if extension == "tex":
        assert balanced(first.decode())


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
@pytest.mark.parametrize("name", PROBLEMS)
def test_pages_compile(name: str, tmp_path: Path) -> None:
    problem, _ = PROBLEMS[name]
    draw(problem, "contractions", terms=0, output=tmp_path / "page.tex")
    (diagram, _), *_ = problem.model_square
    (tmp_path / "one.tex").write_text(tikz_document(tikz(diagram, label="$D$")), encoding="utf-8")
    for file in ("page", "one"):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{file}.tex"],
            cwd=tmp_path,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        assert (tmp_path / f"{file}.pdf").exists()


def test_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "some.tex"
    series = loss_series(cp(order=3))
    every = sum(len(series.diagrams(s)) for s in range(3))
    assert draw(series, "terms", terms=2, output=file, maximal=4) == every - 4
    text = file.read_text(encoding="utf-8")
    assert f"and {every - 4} more" in text
    assert text.count("begin{minipage}") == 4
    assert draw(series, "terms", terms=2, output=file, maximal=every) == 0
    assert "more" not in file.read_text(encoding="utf-8")


def test_captions_say_coefficient_and_expectation(tmp_path: Path) -> None:
    file = tmp_path / "terms.tex"
    draw(cp(order=2, symmetric=True), "terms", terms=1, output=file)
    text = file.read_text(encoding="utf-8")
    assert "$Y_{0}:\\ {\\frac{1}{2}}\\times$ \\\\ $\\mathrm{E} = p$" in text
    assert "$Y_{1}:\\ {-4}\\times$ \\\\ $\\mathrm{E} = p H \\sigma^{2}$" in text
    assert "$\\mathrm{E} = p^{2} H \\sigma^{4} + p H^{2} \\sigma^{4} + p H \\sigma^{4}$" in text
    assert "p^{3} H \\sigma^{6} + p H^{3} \\sigma^{6} + \\cdots$" in text


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("a.gif", r"^drawing .*a\.gif: its extension is not one of svg, pdf, png, tex; rename it$"),
        ("none/a.svg", r"^drawing .*: the folder .*none does not exist; make it first$"),
    ],
)
def test_files_that_cannot_be(file: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        draw(cp(order=2), "blocks", output=tmp_path / file)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("extension", ["svg", "tex"])
def test_nothing_half_written(extension: str, tmp_path: Path) -> None:
    """The place of the file is taken by a folder."""
    file = tmp_path / f"taken.{extension}"
    file.mkdir()
    with pytest.raises(InvalidInputError, match=r"is a folder"):
        draw(cp(order=2), "blocks", output=file)
    assert list(tmp_path.iterdir()) == [file]


def test_arguments_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    message = r"^draw 'all': is not one of blocks, terms, contractions; choose one$"
    with pytest.raises(InvalidInputError, match=message):
        draw(cp(order=2), "all", output=file)
    with pytest.raises(InvalidInputError, match=r"^draw: Y_0 \.\.\. Y_-1: s counts"):
        draw(cp(order=2), "terms", terms=-1, output=file)
    with pytest.raises(InvalidInputError, match=r"there is no diagram to draw"):
        gallery([], file)
    assert not list(tmp_path.iterdir())


def test_contractions_stand_in_a_row_after_their_term(tmp_path: Path) -> None:
    """A row that is too long goes on below, without a picture in its first place."""
    file = tmp_path / "page.tex"
    draw(cp(order=2, symmetric=True), "contractions", output=file, terms=1)
    rows = file.read_text(encoding="utf-8").split("\\par\\bigskip")[:-1]
    for row in rows:
        captions = re.findall(r"\\footnotesize (.*)", row)
        begins = [caption.startswith("$Y_") for caption in captions]
        continued = "\\hspace*" in row.partition("\\begin{minipage}")[0]
        assert begins.count(True) == (0 if continued else 1) and (continued or begins[0])
    assert len(rows) > 6
