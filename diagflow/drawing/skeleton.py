"""The simple graph that is laid out in place of a diagram.

Its vertices are the nodes of the diagram and one *junction* for every factor of a tensor whose rank
is not two: such a factor is a hyper-edge and is drawn as a small dot joined to its nodes. Parallel
lines between two vertices are one *bundle*; a factor of rank two with both slots on one node is a
*loop*.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W, b = Tensor("W", (H, p), variance="sigma2"), Tensor("b", (H,), variance="tau2")
>>> skeleton = Skeleton.of(Diagram((H, p), ((W, (0, 1)), (W, (0, 1)), (b, (0,)))))
>>> skeleton.vertices, [(ends, len(lines)) for ends, lines in skeleton.bundles]
(3, [((0, 1), 2), ((0, 2), 1)])

Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import networkx

from diagrams.diagram import Diagram
from diagrams.tensors import Tensor

__all__ = ["Sense", "Skeleton"]

Sense = Literal[-1, 0, 1]
"""How a line runs from the first slot to the second between a pair of vertices: 1 along the pair,
-1 against it; 0 if the nodes distinguish the slots, being on different axes."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The vertices and lines of a drawing.

    Parameters
    ----------
    nodes : int
        Number of nodes of the diagram; they are the first vertices.
    junctions : tuple of Tensor
        The tensors of the other vertices.
    bundles : tuple of ((int, int), tuple of (Tensor, Sense))
        Pairs of vertices, sorted, with the tensors of the lines between them and how they run.
    loops : tuple of (int, tuple of Tensor)
        Nodes with the tensors of their loops.
    """

    nodes: int
    junctions: tuple[Tensor, ...]
    bundles: tuple[tuple[tuple[int, int], tuple[tuple[Tensor, Sense], ...]], ...]
    loops: tuple[tuple[int, tuple[Tensor, ...]], ...]

    @classmethod
    def of(cls, diagram: Diagram) -> Skeleton:
        """The skeleton of a diagram."""
        junctions: list[Tensor] = []
        bundles: dict[tuple[int, int], list[tuple[Tensor, Sense]]] = {}
        loops: dict[int, list[Tensor]] = {}
        count = len(diagram.nodes)
        for tensor, at in diagram.factors:
            if len(at) != 2:
                for node in at:
                    bundles.setdefault((node, count + len(junctions)), []).append((tensor, 0))
                junctions.append(tensor)
            elif at[0] == at[1]:
                loops.setdefault(at[0], []).append(tensor)
            else:
                sense: Sense = 0
                if tensor.axes[0] == tensor.axes[1]:
                    sense = 1 if at[0] < at[1] else -1
                bundles.setdefault((min(at), max(at)), []).append((tensor, sense))
        return cls(
            count,
            tuple(junctions),
            tuple((ends, tuple(lines)) for ends, lines in sorted(bundles.items())),
            tuple((node, tuple(lines)) for node, lines in sorted(loops.items())),
        )

    @property
    def vertices(self) -> int:
        """Number of vertices."""
        return self.nodes + len(self.junctions)

    @property
    def components(self) -> tuple[networkx.Graph, ...]:
        """The connected components, large ones first, with the number of lines as edge ``lines``.

        The graphs have their vertices and edges in increasing order, so that what is made from
        them does not depend on hashes.
        """
        graph = networkx.Graph()
        graph.add_nodes_from(range(self.vertices))
        for (first, second), lines in self.bundles:
            graph.add_edge(first, second, lines=len(lines))
        parts = sorted(
            (sorted(part) for part in networkx.connected_components(graph)),
            key=lambda part: (-len(part), part),
        )
        result = []
        for part in parts:
            component = networkx.Graph()
            component.add_nodes_from(part)
            component.add_edges_from(
                (first, second, {"lines": len(lines)})
                for (first, second), lines in self.bundles
                if first in component
            )
            result.append(component)
        return tuple(result)
