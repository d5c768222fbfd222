"""Diagrams at given sizes as contractions, and their derivatives.

Definition. A closed diagram is a contraction without output; its derivative with respect to one
occurrence of a tensor is the contraction of the other factors, the indices of that tensor open.

Convention. Everything that is not a tensor of the problem is a *constant* array that is made once:
a vector of ones for an open index that occurs nowhere else, a Kronecker delta where one tensor has
an index twice, a pin, an isometry, and the sum of two residues, of which a longer modular sum is a
chain. So a modular sum of any number of indices needs p^3 entries only. An index that is summed and
occurs nowhere multiplies by the size of its axis.

>>> from expansion.models import cp
>>> [(diagram, _)] = cp(order=2).overlap
>>> network = NetworkAtSizes(diagram, {"p": 3.0, "H": 2.0}, {})
>>> network.contraction(1.0, None).operands
(('U1', (0, 1)), ('U2', (0, 1)))
>>> network.contraction(1.0, 0).output
(0, 1)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from diagflow.simulation.program import EinsumTerm
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind

__all__ = ["Constant", "NetworkAtSizes", "axis_size", "occurrences"]

MARK = "#"
"""Begins the names of constants, and of no tensor."""


@dataclass(frozen=True, slots=True)
class Constant:
    """An array that does not depend on the tensors.

    ``kind`` is ``ones``, ``index``, ``delta``, ``pin``, ``sum`` or ``isometry``, which has a second
    size.
    """

    kind: str
    size: int
    smaller: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        if self.kind == "isometry":
            return (self.size, self.smaller)
        rank = {"ones": 1, "index": 1, "pin": 1, "delta": 2, "sum": 3}[self.kind]
        return (self.size,) * rank

    def array(self, xp: Any) -> Any:
        """The array, in the namespace ``xp``."""
        if self.kind == "ones":
            return xp.ones(self.size, dtype=xp.float64)
        if self.kind == "index":
            return xp.arange(1, self.size + 1, dtype=xp.float64)
        delta = xp.eye(self.size, dtype=xp.float64)
        if self.kind == "delta":
            return delta
        if self.kind == "isometry":
            return delta[:, : self.smaller]
        if self.kind == "pin":
            return delta[0, :]
        # sum[i, j, k] = 1 where k = i + j modulo the size: row i is the delta rolled by i.
        return xp.stack([xp.roll(delta, i, axis=1) for i in range(self.size)])


def axis_size(axis: Axis, values: Mapping[str, float]) -> int:
    """The size of an axis."""
    return axis.pinned if axis.pinned is not None else int(values[axis.name])


def occurrences(diagram: Diagram) -> list[tuple[int, int]]:
    """One weight factor of each class of exchangeable ones, with the size of the class."""
    classes: dict[Diagram, list[int]] = {}
    for position, (tensor, at) in enumerate(diagram.factors):
        if tensor.is_learnable:
            marked = list(diagram.factors)
            marked[position] = (replace(tensor, name=f"{tensor.name}__marked"), at)
            classes.setdefault(Diagram(diagram.nodes, tuple(marked)), []).append(position)
    return [(positions[0], len(positions)) for positions in classes.values()]


@dataclass(frozen=True, slots=True)
class NetworkAtSizes:
    """A diagram at given sizes, from which one factor may be taken out.

    Parameters
    ----------
    diagram : Diagram
    values : mapping
        Numbers for the sizes and for the symbols of free nodes.
    constants : dict
        To which the constants that are needed are added, by name.
    """

    diagram: Diagram
    values: Mapping[str, float]
    constants: dict[str, Constant]

    def contraction(self, coefficient: float, left_out: int | None) -> EinsumTerm:
        """The network, or its derivative with respect to the factor at a position."""
        nodes = list(self.diagram.nodes)
        factors: list[tuple[str, tuple[int, ...]]] = []
        open_at: tuple[int, ...] = ()
        for position, (tensor, at) in enumerate(self.diagram.factors):
            if tensor.is_random:
                if position == left_out:
                    open_at = at
                else:
                    factors.append((tensor.name, at))
            elif tensor.kind is Kind.PIN:
                factors.append((self._constant("pin", tensor.axes[0]), at))
            elif tensor.kind is Kind.POWER:
                factors.append((self._constant("index", tensor.axes[0]), at))
            elif tensor.kind is Kind.ISOMETRY:
                factors.append((self._isometry(*tensor.axes), at))
            else:
                factors += self._modular_sum(tensor.axes[0], at, nodes)
        operands: list[tuple[str, tuple[int, ...]]] = []
        for name, at in factors:
            operands.append((name, self._distinct(at, nodes, operands)))
        output = self._distinct(open_at, nodes, operands)
        touched = {x for _, labels in operands for x in labels}
        for node in sorted(set(output) - touched):
            operands.append((self._constant("ones", nodes[node]), (node,)))
        touched |= set(output)
        for node, axis in enumerate(nodes):
            if node not in touched:
                coefficient *= axis.pinned if axis.pinned is not None else self.values[axis.name]
        if not operands:
            operands.append((self._constant("ones", Axis("one", pinned=1)), (len(nodes),)))
        return EinsumTerm(tuple(operands), output, coefficient)

    def _distinct(
        self, at: tuple[int, ...], nodes: list[Axis], operands: list[tuple[str, tuple[int, ...]]]
    ) -> tuple[int, ...]:
        """The labels of a factor; for a node that is there twice a delta to a new one."""
        labels: list[int] = []
        for node in at:
            if node in labels:
                nodes.append(nodes[node])
                operands.append((self._constant("delta", nodes[node]), (len(nodes) - 1, node)))
                labels.append(len(nodes) - 1)
            else:
                labels.append(node)
        return tuple(labels)

    def _modular_sum(
        self, axis: Axis, at: tuple[int, ...], nodes: list[Axis]
    ) -> list[tuple[str, tuple[int, ...]]]:
        """The last index is the sum of the others: a chain of sums of two."""
        if len(at) == 1:
            return [(self._constant("pin", axis), at)]
        if len(at) == 2:
            return [(self._constant("delta", axis), at)]
        chain, total = [], at[0]
        for node in at[1:-2]:
            nodes.append(axis)
            chain.append((self._constant("sum", axis), (total, node, len(nodes) - 1)))
            total = len(nodes) - 1
        return [*chain, (self._constant("sum", axis), (total, at[-2], at[-1]))]

    def _isometry(self, larger: Axis, smaller: Axis) -> str:
        name = f"{MARK}isometry_{larger.name}_{smaller.name}"
        sizes = axis_size(larger, self.values), axis_size(smaller, self.values)
        self.constants[name] = Constant("isometry", *sizes)
        return name

    def _constant(self, kind: str, axis: Axis) -> str:
        name = f"{MARK}{kind}_{axis.name}"
        self.constants[name] = Constant(kind, axis_size(axis, self.values))
        return name
