r"""Heavy balls and finite steps: dynamics that rewrite a diagram factor by factor.

Both take a polynomial G of the weights to another one, and are done to it s times. Let the *force*
on an entry u be -f r_W dP/du, with the potential P and the rates of a `diagrams.generator` and a
symbol f, the *scale* of the force, that stands for what multiplies it.

- *Heavy ball*, u'' = -γ u' - f r_W dP/du: with a velocity v for every entry of every weight,

      𝓛 G  =  sum over u of  v dG/du  -  (γ v + f r_W dP/du) dG/dv ,

  so a factor of a weight becomes one of its velocity, and a factor of a velocity either γ times
  itself or a merger with P. Derivatives are taken at rest: what has a velocity in it vanishes then.

- *Descent*, one step of gradient descent: G(u - f r_W dP/du), that is every factor u of G either
  stays or is merged with P. The factors are taken one after the other: those that have been decided
  carry a mark, and j of them are decided in j! orders. Fixed tensors may be *drawn anew* in every
  step: then G is averaged over them first, at the weights after the step, and those that remain
  are of the force alone.

>>> from diagrams.tensors import Axis
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> square = DiagramSum({Diagram((H, p), ((W, (0, 1)), (W, (0, 1)))): 1})
>>> force = Force(Generator(square * Fraction(1, 2)), Axis("f"))
>>> print(Descent(force).applied(square))  # (1 - f)^2 W^2
1 * [weight W[H,p]~sigma2; W(H0,p0)^2] + -2 * [weight W[H,p]~sigma2; W(H0,p0)^2 f0] + ...

Source: ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.generator import Generator
from diagrams.input_average import average_over
from diagrams.merge import factor_orbits
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.variances import Variance

__all__ = ["Descent", "Force", "HeavyBall", "Rewriting"]

_VELOCITY = "__velocity"
_DECIDED = "__decided"
"""Ends of the names of tensors that stand for a velocity, and for a factor that was decided."""


_Slope = tuple[tuple[Axis, ...], tuple[int, ...], list[Factor], Fraction]
"""A diagram of a force: its nodes, those of the entry, its factors and its coefficient."""


@dataclass(frozen=True)
class Force:
    """-f r_W dP/du for every learnable entry.

    Parameters
    ----------
    generator : Generator
        Potential and rates; a temperature is not looked at.
    scale : Axis
        The symbol f.
    mark : str, default ""
        What is put behind the names of the weights in it; then they count as fixed.
    """

    generator: Generator
    scale: Axis
    mark: str = ""

    def replacing(
        self, diagram: Diagram, factor: Factor, weight: Tensor
    ) -> Iterator[tuple[Diagram, Fraction]]:
        """A diagram with one of its factors replaced by the force on that entry of a weight."""
        rest = [*diagram.factors]
        rest.remove(factor)
        shift = len(diagram.nodes)
        for nodes, cut, others, c in self._slopes.get(weight, ()):
            moved = [(t, tuple(n + shift for n in at)) for t, at in others]
            for order in weight.orders:
                pairs = zip(factor[1], (cut[slot] + shift for slot in order), strict=True)
                joined = identify((*diagram.nodes, *nodes), [*rest, *moved], pairs)
                yield Diagram(*joined), c / len(weight.orders)

    @cached_property
    def _slopes(self) -> dict[Tensor, list[_Slope]]:
        """The diagrams of the force by weight."""
        found: dict[Tensor, list[_Slope]] = {}
        for diagram, c in self.generator.potential:
            for (tensor, cut), size in factor_orbits(diagram).items():
                rate = self.generator.rate(tensor)
                left = [*diagram.factors]
                left.remove((tensor, cut))
                rest = [(_renamed(t, self.mark) if t.is_learnable else t, at) for t, at in left]
                nodes = (*diagram.nodes, *rate.symbols, self.scale)
                entry = (nodes, cut, rest, -c * size * rate.number)
                found.setdefault(tensor, []).append(entry)
        return found


Tick = Callable[[int], None]


class Rewriting(ABC):
    """The operation on a sum of diagrams in one derivative, or in one step."""

    force: Force

    @abstractmethod
    def applied(self, total: DiagramSum, tick: Tick = lambda added: None) -> DiagramSum:
        """The sum after it was done once.

        Parameters
        ----------
        total : DiagramSum
        tick : callable, optional
            Called with the number of diagrams met; raises to stop the work.
        """

    def still(self, total: DiagramSum) -> DiagramSum:
        """A sum at time zero."""
        return total

    @property
    def symbols(self) -> frozenset[Axis]:
        """The symbols that it brings, besides those of the potential."""
        return self.force.generator.symbols | {self.force.scale}


@dataclass(frozen=True)
class HeavyBall(Rewriting):
    """A derivative in time under inertia.

    Parameters
    ----------
    force : Force
    friction : Axis
        The symbol γ.
    """

    force: Force
    friction: Axis

    def applied(self, total: DiagramSum, tick: Tick = lambda added: None) -> DiagramSum:
        """𝓛 G."""
        result = collect(
            (moved, c * count) for diagram, c in total for moved, count in self._moved(diagram)
        )
        tick(len(result))
        return result

    def _moved(self, diagram: Diagram) -> Iterator[tuple[Diagram, Fraction]]:
        for factor, copies in diagram.multiplicities.items():
            tensor, at = factor
            if tensor.is_learnable:
                factors = [*diagram.factors]
                factors[factors.index(factor)] = _renamed(tensor, _VELOCITY), at
                yield Diagram(diagram.nodes, tuple(factors)), Fraction(copies)
            elif tensor.name.endswith(_VELOCITY):
                nodes = (*diagram.nodes, self.friction)
                yield Diagram(nodes, diagram.factors), Fraction(-copies)
                for moved, c in self.force.replacing(diagram, factor, _weight(tensor, _VELOCITY)):
                    yield moved, copies * c

    def still(self, total: DiagramSum) -> DiagramSum:
        """The diagrams without velocities."""
        return DiagramSum(
            {
                diagram: c
                for diagram, c in total
                if not any(tensor.name.endswith(_VELOCITY) for tensor in diagram.tensors)
            }
        )

    @property
    def symbols(self) -> frozenset[Axis]:
        """The symbols that it brings, besides those of the potential."""
        return super().symbols | {self.friction}


@dataclass(frozen=True)
class Descent(Rewriting):
    """A step of gradient descent, of the length that is the scale of the force.

    Parameters
    ----------
    force : Force
    redrawn : tuple of Tensor, default ()
        Fixed Gaussian tensors that are drawn anew after the step.
    """

    force: Force
    redrawn: tuple[Tensor, ...] = ()

    def applied(self, total: DiagramSum, tick: Tick = lambda added: None) -> DiagramSum:
        """G after the step."""
        total = average_over(total, *self.redrawn)
        result = [(diagram, c) for diagram, c in total]
        current, number = total, 0
        while len(current):
            number += 1
            current = collect(
                (moved, c * count / number)
                for diagram, c in current
                for moved, count in self._moved(diagram)
            )
            tick(len(current))
            result += [(_undecided(diagram), c) for diagram, c in current]
        return collect(result)

    def _moved(self, diagram: Diagram) -> Iterator[tuple[Diagram, Fraction]]:
        """One more factor replaced by the force; those of the force carry the mark."""
        for factor, size in factor_orbits(diagram).items():
            for moved, c in self._decided.replacing(diagram, factor, factor[0]):
                yield moved, size * c

    @property
    def symbols(self) -> frozenset[Axis]:
        """The symbols that it brings, besides those of the potential."""
        variances = (Variance.parse(tensor.variance) for tensor in self.redrawn)
        return super().symbols | {Axis(name) for v in variances for name in v.symbols}

    @cached_property
    def _decided(self) -> Force:
        return replace(self.force, mark=_DECIDED)


def _renamed(tensor: Tensor, end: str) -> Tensor:
    """A fixed tensor in place of a weight, itself if nothing is added to its name."""
    if not end:
        return tensor
    return replace(tensor, name=tensor.name + end, kind=Kind.FIXED)


def _weight(tensor: Tensor, end: str) -> Tensor:
    """The weight that a tensor stands for."""
    return replace(tensor, name=tensor.name.removesuffix(end), kind=Kind.WEIGHT)


def _undecided(diagram: Diagram) -> Diagram:
    factors = tuple(
        (_weight(tensor, _DECIDED) if tensor.name.endswith(_DECIDED) else tensor, at)
        for tensor, at in diagram.factors
    )
    return Diagram(diagram.nodes, factors)
