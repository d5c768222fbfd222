"""Sums of diagrams as they are, one canonical form at a time.

The representation for diagrams that no other suits, with tensors of very many slots. It merges and
contracts diagram by diagram, with the definitions in `diagrams.merge` and `diagrams.wick`: so the
others are tested against it.

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from diagrams.diagram import Diagram
from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.engine.representation import NoisePart, Representation
from diagrams.engine.steps import IN_PROCESS, StepRunner
from diagrams.generator import laplacian
from diagrams.merge import merge
from diagrams.residue_sums import divisors
from diagrams.sums import DiagramSum
from diagrams.tensors import Tensor
from diagrams.wick import Counts, Expectation, Steps, expectation, reach

__all__ = ["DefinitionRepresentation"]

IntegerSum = dict[Diagram, int]


def _itself(tensor: Tensor) -> Tensor:
    """What a factor is merged with, which is learnable or a velocity: the cuts say so."""
    return tensor


class DefinitionRepresentation(Representation[IntegerSum]):
    """Sums are encoded as dictionaries from diagrams to integers."""

    @staticmethod
    def suits(diagram: Diagram) -> bool:
        """Any diagram is stored as it is."""
        return True

    def __init__(
        self, blocks: FlowDiagrams, tick: Tick | None = None, work: StepRunner = IN_PROCESS
    ) -> None:
        super().__init__(blocks, tick, work)
        self._known: dict[Diagram, Counts] = {}
        self._steps: Steps = {}

    def encode(self, terms: Iterable[tuple[Diagram, int]]) -> IntegerSum:
        """The encoded form of a linear combination."""
        return dict(terms)

    def decode(self, encoded: IntegerSum) -> DiagramSum:
        """The linear combination of an encoded sum."""
        return DiagramSum(encoded)

    def count(self, encoded: IntegerSum) -> int:
        """Number of distinct diagrams."""
        return len(encoded)

    def without(self, encoded: IntegerSum, kind: Callable[[Tensor], bool]) -> IntegerSum:
        """The diagrams that have no tensor of a kind."""
        return {d: c for d, c in encoded.items() if not any(map(kind, d.tensors))}

    def derivative(self, sources: Iterable[tuple[IntegerSum, Sequence[int]]]) -> IntegerSum:
        """Merge each encoded sum with blocks of the potential; the sum."""
        total: defaultdict[Diagram, int] = defaultdict(int)
        for encoded, blocks in sources:
            for diagram, coefficient in encoded.items():
                for block in blocks:
                    other, weight = self.blocks.potential[block]
                    cut = {tensor for (tensor, _), _ in self.blocks.cuts[block]}
                    for merged, count in merge(diagram, other, over=cut, cut=_itself):
                        total[merged] += coefficient * int(weight * count)
                self.tick(0)
        result = {diagram: total[diagram] for diagram in sorted(total) if total[diagram]}
        self.tick(len(result))
        return result

    def noise(self, encoded: IntegerSum, parts: Sequence[NoisePart]) -> IntegerSum:
        """The sum of second derivatives by the entries of some tensors."""
        total: defaultdict[Diagram, int] = defaultdict(int)
        for tensor, number, symbols in parts:
            for diagram, c in laplacian(DiagramSum(encoded), tensor):
                total[Diagram((*diagram.nodes, *symbols), diagram.factors)] += int(c * number)
            self.tick(0)
        result = {diagram: total[diagram] for diagram in sorted(total) if total[diagram]}
        self.tick(len(result))
        return result

    def added(self, first: IntegerSum, second: IntegerSum) -> IntegerSum:
        """The sum of two encoded sums."""
        total = Counter(first)
        total.update(second)
        return {diagram: total[diagram] for diagram in sorted(total) if total[diagram]}

    @property
    def contractions(self) -> int:
        """Number of distinct diagrams contracted."""
        return len(self._known)

    def expectation(self, encoded: IntegerSum) -> Expectation:
        """The expectation of an encoded sum."""
        total: defaultdict[tuple[tuple[str, int], ...], Fraction] = defaultdict(Fraction)
        for diagram, coefficient in encoded.items():
            before = len(self._known)
            for powers, value in expectation(diagram, known=self._known, steps=self._steps).items():
                total[powers] += coefficient * value
            self.tick(len(self._known) - before)
        return {powers: total[powers] for powers in sorted(total) if total[powers]}

    def reach(self, encoded: IntegerSum) -> int:
        """The cost of the expectation of an encoded sum, see `diagrams.wick`; taken after it."""
        return reach(encoded, self._steps)

    def forget(self) -> None:
        """Drop the table of expectations; a later request computes them again."""
        self._known.clear()
        self._steps.clear()

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By axis, the elementary divisors above 1 of all sums met so far."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for diagram in self._known:
            if not any(tensor.is_random for tensor in diagram.tensors):
                for name, values in divisors(diagram).items():
                    found[name] |= {*values}
        return {name: tuple(sorted(found[name])) for name in sorted(found)}
