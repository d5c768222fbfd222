"""The diagrams of a flow: the blocks of its potential, the factors to derive by, its symmetries.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Tensor

__all__ = ["FlowDiagrams", "Tick"]

Tick = Callable[[int], None]
"""Called between steps with the number of diagrams that were added; raises to stop the work."""


@dataclass(frozen=True, slots=True)
class FlowDiagrams:
    """The diagrams that define a flow.

    Parameters
    ----------
    potential : tuple of (Diagram, int)
        The blocks that every derivative merges with, with integer weights.
    cuts : tuple of tuple of (Factor, int)
        For each block the factors that a merger may take out of it: one from each orbit of its
        automorphisms, with the size of the orbit. All that are learnable, unless tensors move at
        different rates; then a diagram of the potential gives a block for each of the rates, which
        is in its weight and its free nodes.
    symmetric : tuple of tuple of Tensor
        Classes of tensors that may be permuted without changing potential, rates or observables.
    axes : tuple of Axis
        All axes, sorted.
    deterministic : tuple of Tensor, default ()
        All tensors that are neither random nor Kronecker deltas, sorted.
    """

    potential: tuple[tuple[Diagram, int], ...]
    cuts: tuple[tuple[tuple[Factor, int], ...], ...]
    symmetric: tuple[tuple[Tensor, ...], ...]
    axes: tuple[Axis, ...]
    deterministic: tuple[Tensor, ...] = ()
    invariants: tuple[DiagramSum, ...] = field(default=(), repr=False)
    """The sums that made the symmetric classes; their effect is in the other fields."""

    @property
    def key(self) -> str:
        """A text that differs for different flows and outlives the names of class and fields."""
        return repr((self.potential, self.cuts, self.symmetric, self.axes, self.deterministic))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, class by class, then the deterministic ones."""
        return (*(tensor for members in self.symmetric for tensor in members), *self.deterministic)
