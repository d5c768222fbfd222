"""Layouts: planar where they can be, symmetric, deterministic; curves that do not lie."""

import math
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagflow.drawing.embedding import embeddings, faces
from diagflow.drawing.layout import Layout, layout
from diagflow.drawing.relaxation import System
from diagflow.drawing.skeleton import Skeleton
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp
from expansion.series import loss_series

p, H, N = Axis("p"), Axis("H"), Axis("N")
W = Tensor("W", (H, p), variance="sigma2")
X = Tensor("X", (p, N), Kind.GAUSSIAN, "tau2")
ROOT = Path(__file__).resolve().parents[2]


def edges_of(diagram: Diagram) -> list[tuple[int, int]]:
    return [ends for ends, _ in Skeleton.of(diagram).bundles]


def crossing_pairs(diagram: Diagram) -> int:
    """Crossings of the straight segments between joined vertices."""
    drawn = layout(diagram)
    points = [*drawn.nodes, *(point for _, point in drawn.junctions)]

    def turn(a: int, b: int, c: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
        return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)

    return sum(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for (a, b), (c, d) in combinations(edges_of(diagram), 2)
        if not {a, b} & {c, d}
    )


def cycle(length: int) -> Diagram:
    factors = [(W, (k, length + k)) for k in range(length)]
    factors += [(W, ((k + 1) % length, length + k)) for k in range(length)]
    return Diagram((H,) * length + (p,) * length, tuple(factors))


def flower(petals: int) -> Diagram:
    return Diagram((H,) + (p,) * petals, tuple((W, (0, k)) for k in range(1, petals + 1)) * 2)


def distances(drawn: Layout) -> list[float]:
    return [math.hypot(x, y) for x, y in drawn.nodes]


@pytest.mark.parametrize("length", [2, 3, 4, 6, 9])
def test_cycles_are_circles(length: int) -> None:
    drawn = layout(cycle(length))
    radii = distances(drawn)
    assert max(radii) - min(radii) < 2e-3
    # Lines lie on the same circle as the nodes.
    for line in drawn.lines:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = line.curve
        middle = ((ax + 3 * bx + 3 * cx + dx) / 8, (ay + 3 * by + 3 * cy + dy) / 8)
        assert math.hypot(*middle) == pytest.approx(radii[0], rel=5e-3)


@pytest.mark.parametrize("petals", [3, 4, 5, 7])
def test_flowers_have_a_hub_and_even_petals(petals: int) -> None:
    drawn = layout(flower(petals))
    hub, *tips = drawn.nodes
    lengths = [math.dist(hub, tip) for tip in tips]
    assert max(lengths) - min(lengths) < 2e-3
    angles = np.sort([math.atan2(y - hub[1], x - hub[0]) for x, y in tips])
    assert np.allclose(np.diff(angles), 2 * math.pi / petals, atol=2e-3)


def test_petals_with_different_leaves_alternate() -> None:
    """Two thick and two thin petals around a hub: opposite ones are alike."""
    factors = [(W, (0, k)) for k in (1, 2, 3, 4)] * 2 + [(W, (0, k)) for k in (1, 2)] * 2
    diagram = Diagram((H, p, p, p, p), tuple(factors))
    counts = {ends[1]: len(lines) for ends, lines in Skeleton.of(diagram).bundles}
    drawn = layout(diagram)
    (hx, hy), *_ = drawn.nodes
    around = sorted(
        counts, key=lambda v: math.atan2(drawn.nodes[v][1] - hy, drawn.nodes[v][0] - hx)
    )
    assert [counts[v] for v in around] in ([2, 4, 2, 4], [4, 2, 4, 2])


@pytest.mark.parametrize(("order", "symmetric", "s"), [(2, True, 4), (4, True, 2), (3, False, 2)])
def test_terms_are_drawn_without_crossings(order: int, symmetric: bool, s: int) -> None:
    planar = 0
    for diagram, _ in loss_series(cp(order=order, symmetric=symmetric)).diagrams(s):
        if networkx.check_planarity(networkx.Graph(edges_of(diagram)))[0]:
            planar += 1
            assert crossing_pairs(diagram) == 0, str(diagram)
    assert planar


def test_a_diagram_that_is_not_planar_is_drawn() -> None:
    """K_{3,3} has to have a crossing; more than three are never needed."""
    diagram = Diagram(
        (H,) * 3 + (p,) * 3, tuple((W, (i, 3 + j)) for i in range(3) for j in range(3))
    )
    assert 1 <= crossing_pairs(diagram) <= 3
    points = layout(diagram).nodes
    assert min(math.dist(a, b) for a, b in combinations(points, 2)) > 0.3


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Small diagrams with hyper-edges, loops, stubs, parallel lines and free nodes."""
    sizes = {axis: draw(st.integers(1, 3)) for axis in (p, H, N)}
    nodes = [axis for axis, count in sizes.items() for _ in range(count)]
    places = {axis: [k for k, a in enumerate(nodes) if a == axis] for axis in sizes}
    tensors = [W, X, Tensor("b", (H,), variance="a"), Tensor("A", (p, p), variance="b")]
    tensors.append(Tensor("C", (p, H, N), variance="c"))
    factors = [
        (tensor, tuple(draw(st.sampled_from(places[axis])) for axis in tensor.axes))
        for tensor in draw(st.lists(st.sampled_from(tensors), max_size=9))
    ]
    return Diagram(tuple(nodes), tuple(factors))


@settings(max_examples=40, deadline=None)
@given(diagrams())
def test_every_diagram_has_a_layout(diagram: Diagram) -> None:
    drawn = layout(diagram)
    assert len(drawn.nodes) == len(diagram.nodes)
    hyper = [t for t, _ in diagram.factors if t.rank != 2]
    assert len(drawn.junctions) == len(hyper)
    plain = len(diagram.factors) - len(hyper)
    assert len(drawn.lines) == plain + sum(t.rank for t in hyper)
    points = [*drawn.nodes, *(point for _, point in drawn.junctions)]
    assert all(math.dist(a, b) > 0.15 for a, b in combinations(points, 2))
    for line in drawn.lines:
        assert {line.curve[0], line.curve[3]} <= set(points)
    curves = [line.curve for line in drawn.lines]
    assert len(set(curves)) == len(curves), "no line covers another"
    left, bottom, right, top = drawn.bounds
    assert left <= right and bottom <= top
    assert left == pytest.approx(-right, abs=1e-3)
    if networkx.check_planarity(networkx.Graph(edges_of(diagram)))[0]:
        assert crossing_pairs(diagram) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.randoms(use_true_random=False))
def test_embeddings_obey_euler(count: int, random: object) -> None:
    """V - E + F = 2 for connected planar graphs, and every half-edge lies on one face."""
    graph = networkx.random_labeled_tree(count, seed=random)
    vertices = list(graph)
    for first, second in combinations(vertices, 2):
        graph.add_edge(first, second)
        if len(graph.edges) > 2 * count or not networkx.check_planarity(graph)[0]:
            graph.remove_edge(first, second)
    for embedding in embeddings(graph):
        found = faces(embedding)
        assert count - graph.number_of_edges() + len(found) == 2
        assert sum(map(len, found)) == 2 * graph.number_of_edges()
        assert {v: set(around) for v, around in embedding.items()} == {
            v: set(graph[v]) for v in graph
        }


@pytest.mark.parametrize("tail", [False, True])
def test_a_graph_that_is_not_planar_has_no_embedding(tail: bool) -> None:
    """Also if only one of its blocks is not planar."""
    graph = networkx.complete_graph(5)
    if tail:
        graph.add_edge(4, 5)
    assert list(embeddings(graph)) == []
    graph.remove_edge(0, 1)
    found = list(embeddings(graph))
    assert found
    for embedding in found:
        assert len(graph) - graph.number_of_edges() + len(faces(embedding)) == 2


def test_a_drawing_at_rest_stays_as_it_is() -> None:
    """Two vertices rest at the distance d with 2 (d - 1) = 0.12 / d^2."""
    (distance,) = (root.real for root in np.roots([2, -2, 0, -0.12]) if abs(root.imag) < 1e-9)
    system = System.of(2, [((0, 1), 1.0, 1.0)])
    start = np.array([[0.0, 0.0], [distance, 0.0]])
    assert system.relaxed(start) is start
    assert system.energy(start) == pytest.approx((distance - 1) ** 2 + 0.12 / distance)
    moved = system.relaxed(start + np.array([[0.3, 0.1], [0.0, 0.0]]))
    assert np.linalg.norm(moved[1] - moved[0]) == pytest.approx(distance, abs=1e-3)


def test_a_diagram_without_nodes_is_a_point() -> None:
    assert layout(Diagram(())) == Layout((), (), ())
    assert layout(Diagram(())).bounds == (0, 0, 0, 0)


def test_the_layout_does_not_depend_on_hashes() -> None:
    script = (
        "from diagflow.drawing.layout import layout\n"
        "from expansion.models import cp\n"
        "from expansion.series import loss_series\n"
        "print([layout(d) for d, _ in loss_series(cp(order=3)).diagrams(2)])\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
