"""The interface of the ways in which the bulk engine stores sums of diagrams.

The flow of an observable (see `diagrams.flow`) needs three things of a sum of diagrams: translate
it from and to `DiagramSum`, merge it with the blocks of the potential, and take the expectation. A
*representation* does them for the whole sum at once, with integer coefficients, in a format that
suits the diagrams at hand. Three exist: cyclic words for products of traces
(`diagrams.engine.traces.representation`), arrays of factors for almost all other diagrams
(`diagrams.engine.arrays.representation`), and plain diagrams for those with tensors of very many
slots (`diagrams.engine.by_definition`).

Source: ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from diagrams.diagram import Diagram
from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.engine.steps import IN_PROCESS, StepRunner
from diagrams.merge import symmetric_tensors
from diagrams.named_polynomial import NamedPolynomial
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Expectation

__all__ = ["NoisePart", "Representation"]

NoisePart = tuple[Tensor, int, tuple[Axis, ...]]
"""A tensor, a number and symbols that its second derivatives are multiplied by."""

Encoded = TypeVar("Encoded")


class Representation(ABC, Generic[Encoded]):
    """A store of sums of diagrams, with a table of expectations that is kept between calls."""

    def __init__(
        self, blocks: FlowDiagrams, tick: Tick | None = None, work: StepRunner = IN_PROCESS
    ) -> None:
        self.blocks = blocks
        self.tick: Tick = tick or (lambda added: None)
        self.work = work

    @staticmethod
    @abstractmethod
    def suits(diagram: Diagram) -> bool:
        """Whether a diagram, and all its mergers, can be stored."""

    @abstractmethod
    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> Encoded:
        """The encoded form of a linear combination."""

    @abstractmethod
    def decode(self, encoded: Encoded) -> DiagramSum:
        """The linear combination of an encoded sum, up to permutations of symmetric tensors."""

    @abstractmethod
    def count(self, encoded: Encoded) -> int:
        """Number of distinct diagrams in an encoded sum."""

    @abstractmethod
    def without(self, encoded: Encoded, kind: Callable[[Tensor], bool]) -> Encoded:
        """The diagrams that have no tensor of a kind."""

    @abstractmethod
    def derivative(self, sources: Iterable[tuple[Encoded, Sequence[int]]]) -> Encoded:
        """Merge each encoded sum with blocks of the potential, by number, weights included; add."""

    @abstractmethod
    def noise(self, encoded: Encoded, parts: Sequence[NoisePart]) -> Encoded:
        """The sum over some tensors of their second derivatives, with numbers and symbols.

        The derivatives are summed over the entries of the tensor, see
        `diagrams.generator.laplacian`; the shares of the orders of a symmetric tensor divide the
        numbers.
        """

    @abstractmethod
    def added(self, first: Encoded, second: Encoded) -> Encoded:
        """The sum of two encoded sums."""

    @abstractmethod
    def expectation(self, encoded: Encoded) -> Expectation:
        """The Gaussian expectation of an encoded sum."""

    def polynomial(self, encoded: Encoded) -> NamedPolynomial | None:
        """The same as a polynomial of FLINT, where it is found as one; None elsewhere."""
        return None

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
            and symmetric_tensors(*self.blocks.invariants, total) == self.blocks.symmetric
        )

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By axis, numbers with which its size must have no factor in common.

        Expectations are polynomials in the sizes for such sizes only; see `diagrams.residue_sums`.
        """
        return {}
