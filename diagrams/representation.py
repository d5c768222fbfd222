"""What the bulk engine asks of a way to store sums of diagrams.

The flow of an observable (see `diagrams.flow`) needs three things of a sum of diagrams: translate
it from and to `DiagramSum`, merge it with the blocks of the potential, and take the
expectation. A *representation* does them for the whole sum at once, with integer coefficients, in
a format that suits the diagrams at hand. Three exist: closed words for products of
traces (`diagrams.traces`), arrays of factors for almost all other diagrams (`diagrams.arrays`), and
plain diagrams for those with tensors of very many slots (`diagrams.plain`).

Source: ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from diagrams.canonical import Factor
from diagrams.diagram import Diagram
from diagrams.merge import symmetric_tensors
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Moments
from diagrams.work import HERE, Work

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

__all__ = ["Blocks", "Representation", "Tick"]

Tick = Callable[[int], None]
"""Called between steps with the number of diagrams that were added; raises to stop the work."""

State = TypeVar("State")


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


class Representation(ABC, Generic[State]):
    """A store of sums of diagrams, with a table of expectations that is kept between calls."""

    def __init__(self, blocks: Blocks, tick: Tick | None = None, work: Work = HERE) -> None:
        self.blocks = blocks
        self.tick: Tick = tick or (lambda added: None)
        self.work = work

    @cached_property
    def digest(self) -> Digest:
        """Of the kind of representation and the blocks: what equal steps have in common."""
        return sha256(f"{type(self).__name__}\n{self.blocks!r}\n".encode())

    @staticmethod
    @abstractmethod
    def suits(diagram: Diagram) -> bool:
        """Whether a diagram, and what it merges to, can be stored."""

    @abstractmethod
    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> State:
        """The state of a linear combination."""

    @abstractmethod
    def decode(self, state: State) -> DiagramSum:
        """The linear combination of a state, up to permutations of symmetric tensors."""

    @abstractmethod
    def count(self, state: State) -> int:
        """Number of distinct diagrams in a state."""

    @abstractmethod
    def derivative(self, sources: Iterable[tuple[State, Sequence[int]]]) -> State:
        """Merge each state with some blocks of the potential, by number, weights included; add."""

    @abstractmethod
    def expectation(self, state: State) -> Moments:
        """The Gaussian expectation of a state."""

    @property
    @abstractmethod
    def contractions(self) -> int:
        """Number of distinct diagrams whose expectation is known."""

    def holds(self, total: DiagramSum) -> bool:
        """Whether it stores this sum and all that it merges to: nothing new, same symmetries."""
        return (
            {tensor for diagram, _ in total for tensor in diagram.tensors} <= {*self.blocks.tensors}
            and {axis for diagram, _ in total for axis in diagram.nodes} <= {*self.blocks.axes}
            and all(self.suits(diagram) for diagram, _ in total)
            and symmetric_tensors(DiagramSum(dict(self.blocks.potential)), total)
            == self.blocks.symmetric
        )

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By axis, numbers with which its size must have no factor in common.

        Expectations are polynomials in the sizes for such sizes only; see `diagrams.structure`.
        """
        return {}
