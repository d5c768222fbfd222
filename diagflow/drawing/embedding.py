"""Planar embeddings and the barycentric drawings that they give.

An *embedding* is the cyclic order of the neighbours around every vertex. That of a connected graph
is put together from those of its blocks, the parts without cut vertices: around a cut vertex the
blocks follow one another like petals, none inside another, and blocks of one kind are spread
evenly.

From an embedding and an outer face a drawing is made by putting every vertex in the middle of its
neighbours (Tutte 1963), after a frame was fixed around the outer face and a web of auxiliary
vertices, one for each corner and one in the middle, was put into every other face. The web keeps
parallel paths apart, which the plain method lays on top of each other, and the drawing has every
symmetry of the embedding that preserves the outer face.

>>> square = networkx.cycle_graph(4)
>>> (embedding,) = embeddings(square)
>>> [len(face) for face in faces(embedding)]
[4, 4]
>>> positions = barycentric(embedding, faces(embedding)[0])
>>> bool(np.allclose(positions[0], -positions[2]))
True

Source: Tutte, How to draw a graph, 1963; the frame and the web are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import networkx
import numpy as np
from numpy.typing import NDArray

__all__ = ["Embedding", "Face", "Positions", "barycentric", "embeddings", "faces"]

Embedding = Mapping[int, tuple[int, ...]]
"""The neighbours of every vertex in clockwise order."""

Face = tuple[int, ...]
"""The vertices met on a walk around a face, with repetition."""

Positions = dict[int, NDArray[np.float64]]
"""A point for every vertex."""

_TRIALS = 2
"""Number of orders of the vertices in which the planarity test is run."""


def embeddings(graph: networkx.Graph) -> Iterator[Embedding]:
    """Some embeddings of a connected graph with at least one edge, none if it is not planar."""
    seen = set()
    vertices = list(graph)
    for trial in range(_TRIALS):
        shift = trial * len(vertices) // _TRIALS
        embedding = _embedding(graph, vertices[shift:] + vertices[:shift])
        if embedding is None:
            return
        key = tuple(sorted(embedding.items()))
        if key not in seen:
            seen.add(key)
            yield embedding


def faces(embedding: Embedding) -> list[Face]:
    """The faces, the longest first."""
    ahead = {}
    for vertex, around in embedding.items():
        for neighbour, following in zip(around, around[1:] + around[:1], strict=True):
            ahead[following, vertex] = (vertex, neighbour)
    found: list[Face] = []
    used = set()
    for start in ahead:
        if start in used:
            continue
        walk, edge = [], start
        while edge not in used:
            used.add(edge)
            walk.append(edge[0])
            edge = ahead[edge]
        found.append(tuple(walk))
    return sorted(found, key=lambda face: (-len(face), face))


def barycentric(embedding: Embedding, outer: Face) -> Positions:
    """The drawing with a given outer face.

    Parameters
    ----------
    embedding : Embedding
    outer : Face
        One of `faces`.
    """
    vertices = list(embedding)
    place = {vertex: row for row, vertex in enumerate(vertices)}
    links = [(place[v], place[w]) for v in vertices for w in embedding[v] if v < w]
    free = len(vertices)
    remaining = faces(embedding)
    remaining.remove(outer)
    for face in remaining:
        ring = range(free, free + len(face))
        centre = free + len(face)
        free = centre + 1
        for corner, vertex in enumerate(face):
            links.append((ring[corner], place[vertex]))
            links.append((ring[corner], ring[corner - 1]))
            links.append((ring[corner], centre))
    frame = free + np.arange(len(outer))
    links += [(place[vertex], int(corner)) for vertex, corner in zip(outer, frame, strict=True)]
    angles = 2 * np.pi * np.arange(len(outer)) / len(outer)
    fixed = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    laplacian = np.zeros((free + len(outer), free + len(outer)))
    for first, second in links:
        laplacian[first, second] -= 1
        laplacian[second, first] -= 1
        laplacian[first, first] += 1
        laplacian[second, second] += 1
    solved = np.linalg.solve(laplacian[:free, :free], -laplacian[:free, free:] @ fixed)
    return {vertex: solved[row] for vertex, row in place.items()}


def _embedding(graph: networkx.Graph, order: Sequence[int]) -> Embedding | None:
    """One embedding, from those of the blocks; the order of the vertices decides which."""
    around: dict[int, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {v: [] for v in graph}
    cut = set(networkx.articulation_points(graph))
    for block in sorted(sorted(part) for part in networkx.biconnected_components(graph)):
        members = set(block)
        part = networkx.Graph()
        part.add_nodes_from(vertex for vertex in order if vertex in members)
        part.add_edges_from(
            (v, w) for v in part for w in sorted(graph[v]) if w in members and v != w
        )
        planar, found = networkx.check_planarity(part)
        if not planar:
            return None
        own = {v: tuple(found.neighbors_cw_order(v)) for v in block}
        kind = _kind(graph, block)
        outer = min(
            faces(own), key=lambda face: (-len(cut & {*face}), -len(face), _weights(graph, face))
        )
        for vertex in block:
            around[vertex].append((kind, _opened(own[vertex], vertex, outer)))
    return {
        vertex: tuple(w for petal in _spread(petals) for w in petal)
        for vertex, petals in around.items()
    }


def _kind(graph: networkx.Graph, block: Sequence[int]) -> tuple[int, ...]:
    """A rough measure by which two blocks look alike: sizes and numbers of lines."""
    members = set(block)
    lines = sorted(
        data.get("lines", 1) for v, w, data in graph.edges(block, data=True) if {v, w} <= members
    )
    return len(block), *lines


def _weights(graph: networkx.Graph, face: Face) -> tuple[int, ...]:
    """Thin lines make the better border."""
    pairs = zip(face, face[1:] + face[:1], strict=True)
    return tuple(sorted(graph[v][w].get("lines", 1) for v, w in pairs))


def _opened(around: tuple[int, ...], vertex: int, outer: Face) -> tuple[int, ...]:
    """The neighbours in a block, beginning after the corner that its outer face has there."""
    if vertex in outer and len(around) > 1:
        corner = outer.index(vertex)
        before = outer[corner - 1]
        start = around.index(before)
        return around[start:] + around[:start]
    return around


def _spread(
    petals: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
) -> list[tuple[int, ...]]:
    """Petals of one kind as far apart as possible."""
    kinds: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for kind, petal in petals:
        kinds.setdefault(kind, []).append(petal)
    placed = [
        ((index + 0.5) / len(members), kind, petal)
        for kind, members in sorted(kinds.items())
        for index, petal in enumerate(members)
    ]
    return [petal for _, _, petal in sorted(placed)]
