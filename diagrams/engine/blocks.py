"""What a flow is made of: the blocks of its potential, what may be cut out of them, its symmetries.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Tensor

__all__ = ["Blocks", "Tick"]

Tick = Callable[[int], None]
"""Called between steps with the number of diagrams that were added; raises to stop the work."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a flow is made of.

    Parameters
    ----------
    potential : tuple of (Diagram, int)
        The blocks that every derivative merges with, with integer weights.
    cuts : tuple of tuple of (Factor, int)
        For each block one learnable factor from each orbit of its automorphisms, with the size of
        the orbit.
    symmetric : tuple of tuple of Tensor
        Classes of tensors that may be permuted without changing potential or observables.
    axes : tuple of Axis
        All axes, sorted.
    fixed : tuple of Tensor, default ()
        All tensors that are neither random nor Kronecker deltas, sorted.
    """

    potential: tuple[tuple[Diagram, int], ...]
    cuts: tuple[tuple[tuple[Factor, int], ...], ...]
    symmetric: tuple[tuple[Tensor, ...], ...]
    axes: tuple[Axis, ...]
    fixed: tuple[Tensor, ...] = ()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, class by class, then the fixed ones."""
        return (*(tensor for members in self.symmetric for tensor in members), *self.fixed)
