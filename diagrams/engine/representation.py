"""What the bulk engine asks of a way to store sums of diagrams.

The flow of an observable (see `diagrams.flow`) needs three things of a sum of diagrams: translate
it from and to `DiagramSum`, merge it with the blocks of the potential, and take the expectation. A
*representation* does them for the whole sum at once, with integer coefficients, in a format that
suits the diagrams at hand. Three exist: closed words for products of traces
(`diagrams.engine.traces.representation`), arrays of factors for almost all other diagrams
(`diagrams.engine.arrays.representation`), and plain diagrams for those with tensors of very many
slots (`diagrams.engine.by_definition`).

Source: ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from diagrams.diagram import Diagram
from diagrams.engine.blocks import Blocks, Tick
from diagrams.engine.steps import HERE, Work
from diagrams.merge import symmetric_tensors
from diagrams.sums import DiagramSum
from diagrams.wick import Moments

__all__ = ["Representation"]

State = TypeVar("State")


class Representation(ABC, Generic[State]):
    """A store of sums of diagrams, with a table of expectations that is kept between calls."""

    def __init__(self, blocks: Blocks, tick: Tick | None = None, work: Work = HERE) -> None:
        self.blocks = blocks
        self.tick: Tick = tick or (lambda added: None)
        self.work = work

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

        Expectations are polynomials in the sizes for such sizes only; see `diagrams.residue_sums`.
        """
        return {}
