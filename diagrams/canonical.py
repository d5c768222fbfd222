"""Canonical form of labelled diagrams, and the order of their automorphism group.

A labelled diagram is a list of nodes, each on an axis, and a multiset of factors ``(tensor,
nodes)``. Two labelled diagrams stand for the same diagram exactly when a renumbering of the nodes
within each axis turns one into the other. The canonical form is one labelled diagram chosen from
each such class.

The choice is made by BLISS (through igraph) on the *incidence graph*: one vertex for every node,
coloured by its axis, and one for every distinct factor, coloured by its tensor and its
multiplicity; parallel factors are one vertex, because BLISS drops parallel edges. Where a tensor
has two slots on the same axis, a vertex for each slot stands between factor and node; where it is
symmetric, a vertex for each of its distinct nodes, coloured by the number of slots that the node is
in.

Convention: igraph returns a permutation whose *inverse* maps a vertex to its canonical label; read
the other way, isomorphic graphs get different keys.

Source: ours; T. Junttila, P. Kaski, "Engineering an efficient canonical labeling tool for large
and sparse graphs", 2007, for BLISS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import factorial
from typing import TYPE_CHECKING, TypeVar

from diagrams.tensors import Axis, Kind, Tensor

if TYPE_CHECKING:
    import igraph

__all__ = [
    "Factor",
    "answered",
    "automorphism_order",
    "canonical_form",
    "exchange_form",
    "factor_orbits",
]

_T = TypeVar("_T")

Factor = tuple[Tensor, tuple[int, ...]]
"""A tensor and the nodes in its slots, by number."""


def canonical_form(
    nodes: Sequence[Axis], factors: Sequence[Factor]
) -> tuple[tuple[Axis, ...], tuple[Factor, ...]]:
    """The labelled diagram that represents all renumberings of the given one.

    Parameters
    ----------
    nodes : sequence of Axis
        The axis of each node; node ``j`` is the ``j``-th entry.
    factors : sequence of Factor
        Tensors with the nodes in their slots, in any order, repeated if parallel.

    Returns
    -------
    tuple
        Nodes sorted by axis and factors sorted by tensor and nodes, in the canonical numbering.

    Examples
    --------
    >>> p, H = Axis("p"), Axis("H")
    >>> W = Tensor("W", (H, p), variance="sigma2")
    >>> first = canonical_form([p, H, p], [(W, (1, 0)), (W, (1, 2)), (W, (1, 2))])
    >>> second = canonical_form([H, p, p], [(W, (0, 1)), (W, (0, 2)), (W, (0, 1))])
    >>> first == second
    True
    """
    form, _ = _canonical(nodes, factors)
    return form


def _canonical(
    nodes: Sequence[Axis], factors: Sequence[Factor]
) -> tuple[tuple[tuple[Axis, ...], tuple[Factor, ...]], list[int]]:
    """`canonical_form`, and the new number of every node."""
    rank = _ranks(factors)
    graph, colours = _incidence_graph(nodes, Counter(factors), rank)
    inverse = answered(partial(graph.canonical_permutation, color=colours))
    label = [0] * len(inverse)
    for position, vertex in enumerate(inverse):
        label[vertex] = position
    order = sorted(range(len(nodes)), key=lambda j: (nodes[j].sort_key, label[j]))
    number = [0] * len(nodes)
    for new, old in enumerate(order):
        number[old] = new
    renumbered = [
        (tensor, tensor.arranged(tuple([number[j] for j in at]))) for tensor, at in factors
    ]
    renumbered.sort(key=lambda factor: (rank[factor[0]], factor[1]))
    return (tuple([nodes[j] for j in order]), tuple(renumbered)), number


def exchange_form(
    nodes: Sequence[Axis], factors: Sequence[Factor], classes: Sequence[Sequence[Tensor]]
) -> tuple[tuple[tuple[Axis, ...], tuple[Factor, ...]], dict[Tensor, int]]:
    """What all labelled diagrams share that differ by numbers of nodes and exchanges of tensors.

    Every tensor of a class becomes a node of its own, on an axis of the class, in a further slot of
    its factors: permuting the tensors is then renumbering nodes.

    Parameters
    ----------
    nodes, factors
        As for `canonical_form`.
    classes : sequence of sequences of Tensor
        Tensors that may be permuted, none of them symmetric.

    Returns
    -------
    form : tuple
        Equal for two labelled diagrams exactly if they differ in this way.
    order : dict
        For each tensor of a class that occurs, a number by which it stands among its class. Taken
        in this order, the tensors of all diagrams with one form can be given the same names.

    Examples
    --------
    >>> p, H = Axis("p"), Axis("H")
    >>> U, V = (Tensor(name, (H, p), variance="sigma2") for name in "UV")
    >>> first = exchange_form([H, p, p], [(U, (0, 1)), (U, (0, 2)), (V, (0, 2))], [(U, V)])
    >>> second = exchange_form([H, p, p], [(V, (0, 2)), (V, (0, 1)), (U, (0, 2))], [(U, V)])
    >>> first[0] == second[0]
    True
    >>> [first[1][U] < first[1][V], second[1][V] < second[1][U]] in ([True] * 2, [False] * 2)
    True
    """
    place: dict[Tensor, tuple[Tensor, int]] = {}
    all_nodes = list(nodes)
    present = {tensor for tensor, _ in factors}
    for members in classes:
        first = members[0]
        axis = Axis(f"{first.name}_or_other")
        shared = Tensor(first.name, (*first.axes, axis), Kind.WEIGHT, "1")
        for tensor in members:
            if tensor in present:
                place[tensor] = shared, len(all_nodes)
                all_nodes.append(axis)
    rewritten = []
    for tensor, at in factors:
        if tensor in place:
            shared, node = place[tensor]
            rewritten.append((shared, (*at, node)))
        else:
            rewritten.append((tensor, at))
    form, number = _canonical(all_nodes, rewritten)
    return form, {tensor: number[node] for tensor, (_, node) in place.items()}


def automorphism_order(nodes: Sequence[Axis], factors: Sequence[Factor]) -> int:
    """Number of renumberings and exchanges of parallel factors that leave the diagram as it is.

    Examples
    --------
    >>> p, H = Axis("p"), Axis("H")
    >>> W = Tensor("W", (H, p), variance="sigma2")
    >>> automorphism_order([H, p], [(W, (0, 1)), (W, (0, 1))])
    2
    """
    multiplicities = Counter(factors)
    graph, colours = _incidence_graph(nodes, multiplicities, _ranks(factors))
    order = int(answered(partial(graph.count_automorphisms, color=colours)))
    for multiplicity in multiplicities.values():
        order *= factorial(multiplicity)
    return order


def factor_orbits(nodes: Sequence[Axis], factors: Sequence[Factor]) -> list[list[Factor]]:
    """Classes of distinct factors that automorphisms exchange, in the order of their first ones.

    Examples
    --------
    >>> p, H = Axis("p"), Axis("H")
    >>> W = Tensor("W", (H, p), variance="sigma2")
    >>> star = [(W, (0, 1)), (W, (0, 2)), (W, (0, 3)), (W, (0, 3))]
    >>> [[at for _, at in orbit] for orbit in factor_orbits([H, p, p, p], star)]
    [[(0, 1), (0, 2)], [(0, 3)]]
    """
    multiplicities = Counter(factors)
    graph, colours = _incidence_graph(nodes, multiplicities, _ranks(factors))
    generators = answered(partial(graph.automorphism_group, color=colours))
    first = list(range(len(colours)))
    # The orbits are the connected components of the generators, taken as links.
    for generator in generators:
        for vertex, image in enumerate(generator):
            low, high = sorted((first[vertex], first[image]))
            if low != high:
                first = [low if number == high else number for number in first]
    orbits: dict[int, list[Factor]] = {}
    for vertex, factor in enumerate(multiplicities, start=len(nodes)):
        orbits.setdefault(first[vertex], []).append(factor)
    return list(orbits.values())


def answered(question: Callable[[], _T]) -> _T:
    """The answer of the library of graphs; an interrupt of it is raised as it is.

    The library looks for interrupts by itself. One that it meets on its way out comes together with
    its answer, which Python reports as an error of the system.

    Examples
    --------
    >>> answered(lambda: 2)
    2
    """
    try:
        return question()
    except SystemError as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None


def _ranks(factors: Iterable[Factor]) -> dict[Tensor, int]:
    """Numbers for tensors in their order, so that each is compared once."""
    tensors = sorted({tensor for tensor, _ in factors}, key=lambda tensor: tensor.sort_key)
    return {tensor: number for number, tensor in enumerate(tensors)}


def _incidence_graph(
    nodes: Sequence[Axis], multiplicities: Mapping[Factor, int], rank: Mapping[Tensor, int]
) -> tuple[igraph.Graph, list[int]]:
    """The coloured graph of the module docstring; vertex ``j`` is node ``j``.

    ``rank`` numbers the tensors in their order. Factors follow the nodes, in the order of their
    multiplicities, vertices of slots follow the factors.
    """
    # Here and not above: igraph loads a plotting library, half a second that processes which only
    # do steps of the bulk engine need not spend.
    import igraph

    axes = sorted(set(nodes), key=lambda axis: axis.sort_key)
    classes = sorted({(rank[tensor], count) for (tensor, _), count in multiplicities.items()})
    axis_colour = {axis: colour for colour, axis in enumerate(axes)}
    class_colour = {key: len(axes) + colour for colour, key in enumerate(classes)}
    slot_colour = len(axes) + len(classes)
    colours = [axis_colour[axis] for axis in nodes]
    colours += [class_colour[rank[tensor], n] for (tensor, _), n in multiplicities.items()]
    edges: list[tuple[int, int]] = []
    for vertex, (tensor, at) in enumerate(multiplicities, start=len(nodes)):
        ordered_slots = len(set(tensor.axes)) < tensor.rank
        # The number of a slot, or for a symmetric tensor of how many slots are alike, by node.
        slots = [*Counter(at).items()] if tensor.symmetric else [(n, k) for k, n in enumerate(at)]
        for node, slot in slots:
            if ordered_slots:
                edges.append((vertex, len(colours)))
                edges.append((len(colours), node))
                colours.append(slot_colour + slot)
            else:
                edges.append((vertex, node))
    return igraph.Graph(len(colours), edges), colours
