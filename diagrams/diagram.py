"""The diagram: a polynomial in the entries of tensors, summed over all indices.

A *diagram* is a set of nodes, each on an axis, and a multiset of *factors*, each a tensor with one
node in every slot. It stands for the polynomial

    sum over an index for every node of the product of the tensor entries at those indices.

Laws, all by the canonical form that the constructor computes:

- renumbering the nodes or reordering the factors gives an equal diagram;
- equality, hash and order come from one tuple;
- ``Diagram.parse(str(d)) == d``;
- a Kronecker delta among the factors identifies its nodes and disappears;
- a power tensor identifies its nodes and becomes parallel factors of their index;
- all nodes of an axis that carry a pin are one node with one pin;
- nodes that isometries join to one node of the same axis are one node;
- parallel factors of a mask, a fixed tensor of zeros and ones, are one factor;
- the nodes of a factor of a symmetric tensor stand in ascending order.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> circle == Diagram((p, H, p, H), ((W, (3, 2)), (W, (3, 0)), (W, (1, 0)), (W, (1, 2))))
True
>>> print(circle)
weight W[H,p]~sigma2; W(H0,p0) W(H0,p1) W(H1,p0) W(H1,p1)
>>> Diagram.parse(str(circle)) == circle
True
>>> delta = Tensor.delta(p)
>>> print(Diagram((H, p, p), ((W, (0, 1)), (W, (0, 2)), (delta, (1, 2)))))
weight W[H,p]~sigma2; W(H0,p0)^2

Source: Yarotsky, Golikov, Gusev 2026, section 3; general axes and tensors are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING

from diagrams import text
from diagrams.arguments import brief
from diagrams.canonical import Factor, automorphism_order, canonical_form
from diagrams.display import picture
from diagrams.errors import InvalidInputError
from diagrams.isometries import joined
from diagrams.quotient import identify
from diagrams.tensors import Axis, Kind, Tensor

if TYPE_CHECKING:
    import networkx

__all__ = ["Diagram", "identify"]


@total_ordering
@dataclass(frozen=True, slots=True)
class Diagram:
    """A diagram in canonical form.

    Parameters
    ----------
    nodes : tuple of Axis
        The axis of each node, in any order.
    factors : tuple of (Tensor, tuple of int)
        The factors with the numbers of their nodes, in any order.

    Raises
    ------
    InvalidInputError
        If a factor has the wrong number of nodes, a node that does not exist, or a node on an axis
        other than its slot's.
    """

    nodes: tuple[Axis, ...]
    factors: tuple[Factor, ...] = ()

    def __repr__(self) -> str:
        return f"<Diagram {brief(self)}>"

    def __post_init__(self) -> None:
        for factor in self.factors:
            _check(self.nodes, factor)
        nodes, factors = self.nodes, self.factors
        if any(tensor.kind is Kind.DELTA for tensor, _ in factors):
            deltas = [at for tensor, at in factors if tensor.kind is Kind.DELTA]
            others = [factor for factor in factors if factor[0].kind is not Kind.DELTA]
            pairs = [(at[0], node) for at in deltas for node in at[1:]]
            nodes, factors = identify(nodes, others, pairs)
        if any(tensor.kind is Kind.POWER for tensor, _ in factors):
            nodes, factors = _powers_of_indices(nodes, factors)
        if any(tensor.kind is Kind.PIN for tensor, _ in factors):
            nodes, factors = _pinned_together(nodes, factors)
        if any(tensor.kind is Kind.ISOMETRY for tensor, _ in factors):
            nodes, factors = joined(nodes, factors)
        if any(tensor.is_idempotent for tensor, _ in factors):
            once = dict.fromkeys(factor for factor in factors if factor[0].is_idempotent)
            factors = (*once, *(factor for factor in factors if not factor[0].is_idempotent))
        if any(tensor.symmetric for tensor, _ in factors):
            factors = tuple((tensor, tensor.arranged(at)) for tensor, at in factors)
        nodes, factors = canonical_form(nodes, factors)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "factors", factors)

    @classmethod
    def parse(cls, source: str) -> Diagram:
        """Read the text form that ``str`` writes.

        Raises
        ------
        InvalidInputError
            If the text is not of that form; the message names the part that is not understood.
        """
        return cls(*text.parse(source))

    def __str__(self) -> str:
        return text.show(self.nodes, self.factors)

    def _repr_svg_(self) -> str | None:
        drawn: str | None = picture("diagram", self)
        return drawn

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Small diagrams first, then by canonical form."""
        return (
            len(self.factors),
            len(self.nodes),
            tuple(axis.sort_key for axis in self.nodes),
            tuple((tensor.sort_key, at) for tensor, at in self.factors),
        )

    def __lt__(self, other: Diagram) -> bool:
        return self.sort_key < other.sort_key

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The distinct tensors of the factors, sorted."""
        return tuple(sorted({tensor for tensor, _ in self.factors}, key=lambda t: t.sort_key))

    @property
    def multiplicities(self) -> dict[Factor, int]:
        """Distinct factors, in order, with the number of parallel copies of each."""
        return dict(Counter(self.factors))

    @property
    def degrees(self) -> tuple[int, ...]:
        """Number of slots at each node."""
        count = Counter(node for _, at in self.factors for node in at)
        return tuple(count[node] for node in range(len(self.nodes)))

    @property
    def automorphism_order(self) -> int:
        """Order of the automorphism group, exchanges of parallel factors included."""
        return automorphism_order(self.nodes, self.factors)

    def to_networkx(self) -> networkx.MultiGraph:
        """The incidence graph: vertices ``("node", j)`` and ``("factor", j)``.

        Node vertices carry the attribute ``axis``, factor vertices ``tensor``, edges ``slot``.

        Examples
        --------
        >>> from diagrams.tensors import Axis, Tensor
        >>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
        >>> graph = Diagram((Axis("H"), Axis("p")), ((W, (0, 1)), (W, (0, 1)))).to_networkx()
        >>> graph.number_of_nodes(), graph.number_of_edges()
        (4, 4)
        """
        import networkx  # takes a while, and hardly any process asks for it

        graph = networkx.MultiGraph()
        for j, axis in enumerate(self.nodes):
            graph.add_node(("node", j), axis=axis.name)
        for j, (tensor, at) in enumerate(self.factors):
            graph.add_node(("factor", j), tensor=tensor.name)
            for slot, node in enumerate(at):
                graph.add_edge(("factor", j), ("node", node), slot=slot)
        return graph


def _powers_of_indices(
    nodes: tuple[Axis, ...], factors: Sequence[Factor]
) -> tuple[tuple[Axis, ...], tuple[Factor, ...]]:
    """Power tensors as factors of the index of one node, one for every power."""
    pairs = [(at[0], node) for t, at in factors if t.kind is Kind.POWER for node in at[1:]]
    nodes, joined_factors = identify(nodes, factors, pairs)
    result: list[Factor] = []
    for tensor, at in joined_factors:
        if tensor.kind is Kind.POWER:
            result += [(Tensor.index(tensor.axes[0]), at[:1])] * tensor.exponent
        else:
            result.append((tensor, at))
    return nodes, tuple(result)


def _pinned_together(
    nodes: tuple[Axis, ...], factors: tuple[Factor, ...]
) -> tuple[tuple[Axis, ...], tuple[Factor, ...]]:
    """The same with at most one pinned node on each axis, and one pin at it."""
    first: dict[Tensor, int] = {}
    pairs = []
    for tensor, at in factors:
        if tensor.kind is Kind.PIN:
            pairs.append((first.setdefault(tensor, at[0]), at[0]))
    nodes, factors = identify(nodes, factors, pairs)
    pins = dict.fromkeys(factor for factor in factors if factor[0].kind is Kind.PIN)
    return nodes, (*pins, *(factor for factor in factors if factor[0].kind is not Kind.PIN))


def _check(nodes: Sequence[Axis], factor: Factor) -> None:
    tensor, at = factor
    if len(at) != tensor.rank:
        raise InvalidInputError(
            f"{_shown(factor)}: has {len(at)} nodes but the tensor has {tensor.rank} "
            "slots; give one node for each slot"
        )
    for axis, node in zip(tensor.axes, at, strict=True):
        if not 0 <= node < len(nodes):
            raise InvalidInputError(
                f"{_shown(factor)}: there is no node {node}; nodes are numbered from 0 "
                f"to {len(nodes) - 1}"
            )
        if nodes[node] != axis:
            raise InvalidInputError(
                f"{_shown(factor)}: node {node} is on axis {brief(nodes[node].name)} but its "
                f"slot is on axis {brief(axis.name)}; put a node of that axis there"
            )


def _shown(factor: Factor) -> str:
    tensor, at = factor
    return f"factor {brief(tensor.name)}{brief(at)}"
