"""Derivatives of an observable along a flow, at time zero, in expectation.

For an observable G and the gradient flow of a potential P, T dG/dt = -(G * P), so

    T^s E[d^s G/dt^s](0) = (-1)^s E[(...((G * P) * P) ...) * P]        (s factors P);

rates, temperature and inertia change what is done s times, see `diagrams.generator`; velocities
vanish at time zero, and what has one in it is left out of the expectation. `Flow` keeps the merged
sums between calls and splits each of them into *parity sectors*: the parity of the number of
factors of every tensor is additive under merging, and of tensors with an even law only the sector
in which all are even has an expectation. The sector that is needed for s + 1 only is not computed
before. The temperature takes away two factors of one tensor and leaves a sector where it is.

>>> from diagrams.network import Network, inner_product
>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> model, target = Network.einsum("ki,kj->ij", W, W), Network.einsum("->ii", coefficient=-1)
>>> loss = inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)
>>> flow = Flow(loss, loss)
>>> flow.expectation(1)[("H", 1), ("p", 1), ("sigma2", 1)]
Fraction(-4, 1)

Source: Yarotsky, Golikov, Gusev 2026, section 3; parity sectors are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import Any

from diagrams.diagram import Diagram
from diagrams.engine import (
    IN_PROCESS,
    ArrayRepresentation,
    DefinitionRepresentation,
    FlowDiagrams,
    Representation,
    StepRunner,
    Tick,
    TraceRepresentation,
)
from diagrams.generator import Generator, is_velocity
from diagrams.laws import evaluated
from diagrams.merge import symmetric_tensors
from diagrams.named_polynomial import NamedPolynomial
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Expectation

__all__ = ["Flow", "represent"]

Parity = tuple[bool, ...]


def represent(
    potential: DiagramSum | Generator,
    *observables: DiagramSum,
    symbols: Iterable[Axis] = (),
    tick: Tick | None = None,
    work: StepRunner = IN_PROCESS,
) -> Representation[Any]:
    """The representation that suits the diagrams of a potential, or a generator, and observables.

    Products of traces become cyclic words, other diagrams arrays of factors unless a tensor has too
    many slots. The choice looks at the diagrams only, never at the model they come from. Further
    ``symbols`` may be free nodes of what is stored.
    """
    generator = Generator.of(potential)
    others = tuple(other for other in observables if other != generator.potential)
    diagrams = [diagram for total in others for diagram, _ in total]
    diagrams += [diagram for diagram, _ in generator.potential]
    diagrams += [diagram for diagram, _, _ in generator.blocks]
    axes = {axis for diagram in diagrams for axis in diagram.nodes}
    axes |= generator.symbols | {*symbols}
    deterministic = {t for diagram in diagrams for t in diagram.tensors if not t.is_random}
    blocks = FlowDiagrams(
        potential=tuple((diagram, weight) for diagram, weight, _ in generator.blocks),
        cuts=tuple(cuts for _, _, cuts in generator.blocks),
        symmetric=symmetric_tensors(*generator.invariants, *others),
        axes=tuple(sorted(axes, key=lambda axis: axis.sort_key)),
        deterministic=tuple(sorted(deterministic, key=lambda tensor: tensor.sort_key)),
        invariants=generator.invariants,
    )
    suitable: type[Representation[Any]] = next(
        kind
        for kind in (TraceRepresentation, ArrayRepresentation, DefinitionRepresentation)
        if all(kind.suits(diagram) for diagram in diagrams)
    )
    return suitable(blocks, tick, work)


class Flow:
    """The derivatives of one observable along a flow.

    Parameters
    ----------
    observable : DiagramSum
        The sum of diagrams whose expectation is derived.
    potential : DiagramSum or Generator
        The potential whose gradient the weights follow, or a generator.
    representation : Representation, optional
        Shared with other flows of the same problem to share the table of expectations; it must
        have been made for this potential and observable.
    tick, work
        For a representation of its own, see `diagrams.engine.representation` and
        `diagrams.engine.steps`.
    """

    def __init__(
        self,
        observable: DiagramSum,
        potential: DiagramSum | Generator,
        representation: Representation[Any] | None = None,
        *,
        tick: Tick | None = None,
        work: StepRunner = IN_PROCESS,
    ) -> None:
        self.representation = representation or represent(
            potential, observable, tick=tick, work=work
        )
        # The parity of a tensor is of use only if its odd moments vanish.
        self._classes = tuple(
            members
            for members in self.representation.blocks.symmetric
            if members[0].entries.is_even
        )
        self._observable, self._observable_denominator = _integral(observable)
        self._generator = Generator.of(potential)
        self._potential_denominator = self._generator.denominator
        blocks = [(diagram, weight) for diagram, weight, _ in self._generator.blocks]
        # Symmetric tensors are interchangeable in what is stored, so a parity for each of them
        # makes sense only if no diagram distinguishes them; otherwise one for the class is kept.
        self._uniform = all(
            len({_count(diagram, tensor) % 2 for tensor in members}) == 1
            for diagram, _ in (*blocks, *self._observable)
            for members in self._classes
        )
        self._by_parity: dict[Parity, list[int]] = {}
        for index, (diagram, _) in enumerate(blocks):
            if any(tensor.is_learnable or is_velocity(tensor) for tensor in diagram.tensors):
                self._by_parity.setdefault(self._parity(diagram), []).append(index)
        self._sectors: dict[tuple[int, Parity], Any] = {}

    def expectation(self, s: int) -> Expectation:
        """T^s times the expectation of the s-th time derivative at time zero.

        Parameters
        ----------
        s : int
            Order of the derivative, at least 0.

        Returns
        -------
        Expectation
            Exact coefficients of monomials in sizes and the symbols of variances.
        """
        scale = self._scale(s)
        moments = self.representation.expectation(self.state(s))
        return {powers: count * scale for powers, count in evaluated(moments).items()}

    def polynomial(self, s: int) -> NamedPolynomial | None:
        """`expectation` as a polynomial of FLINT, where it is found as one; None elsewhere."""
        found = self.representation.polynomial(self.state(s))
        return None if found is None else found.scaled(self._scale(s))

    def _scale(self, s: int) -> Fraction:
        """What the sum of the s-th derivative is multiplied by."""
        return Fraction((-1) ** s, self._observable_denominator * self._potential_denominator**s)

    def diagrams(self, s: int) -> DiagramSum:
        """The even sector of the s-th derivative, before the expectation.

        Diagrams that differ by a permutation of symmetric tensors are represented by one of them.
        """
        return self.representation.decode(self.state(s)) * self._scale(s)

    def count(self, s: int) -> int:
        """Number of distinct diagrams whose expectation is taken for the s-th derivative."""
        return self.representation.count(self.state(s))

    def work(self, s: int) -> int:
        """The cost of the s-th derivative: distinct diagrams merged for it; taken after it."""
        needed = {(s, self._even)}
        for level in range(s, 0, -1):
            needed |= {
                (level - 1, _sum(parity, other))
                for at, parity in needed
                if at == level
                for other in self._by_parity
            }
        return sum(self.representation.count(self._sectors[key]) for key in needed)

    def state(self, s: int) -> Any:
        """The state of the representation whose expectation is that of the s-th derivative."""
        state = self._sector(s, self._even)
        if self._generator.friction is None:
            return state
        return self.representation.without(state, is_velocity)

    @property
    def _even(self) -> Parity:
        return (False,) * len(self._classes)

    def _parity(self, diagram: Diagram) -> Parity:
        return tuple(
            sum(_count(diagram, t) for t in (members[:1] if self._uniform else members)) % 2 == 1
            for members in self._classes
        )

    def _sector(self, s: int, parity: Parity) -> Any:
        found = self._sectors.get((s, parity))
        if found is None:
            if s == 0:
                terms = [(d, c) for d, c in self._observable if self._parity(d) == parity]
                found = self.representation.encode(terms)
            else:
                found = self.representation.derivative(
                    [
                        (self._sector(s - 1, _sum(parity, other)), blocks)
                        for other, blocks in self._by_parity.items()
                    ]
                )
                if self._generator.temperature is not None:
                    noise = self._noise(self._sector(s - 1, parity))
                    found = self.representation.added(found, noise)
            self._sectors[s, parity] = found
        return found

    def _noise(self, encoded: Any) -> Any:
        """The effect of the temperature on a sum: two derivatives, no merger."""
        temperature = self._generator.temperature
        assert temperature is not None  # who asks has looked
        parts = []
        for tensor in self.representation.blocks.tensors:
            if tensor.is_learnable:
                rate = self._generator.rate(tensor)
                number = -self._potential_denominator * rate.number * temperature.number
                parts.append((tensor, int(number), (*rate.symbols, *temperature.symbols)))
        return self.representation.noise(encoded, parts)


def _count(diagram: Diagram, tensor: Tensor) -> int:
    return sum(1 for other, _ in diagram.factors if other == tensor)


def _sum(first: Parity, second: Parity) -> Parity:
    return tuple(a != b for a, b in zip(first, second, strict=True))


def _integral(total: DiagramSum) -> tuple[tuple[tuple[Diagram, int], ...], int]:
    """The terms over their common denominator, and that denominator."""
    denominator = lcm(*(c.denominator for _, c in total))
    return tuple((diagram, int(c * denominator)) for diagram, c in total), denominator
