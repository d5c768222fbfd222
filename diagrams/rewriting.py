r"""Heavy balls and finite steps: dynamics that rewrite a diagram factor by factor.

Both take a polynomial G of the weights to another one, and are done to it s times. Let the *force*
on an entry u be -f r_W dP/du, with the potential P and the rates of a `diagrams.generator` and a
symbol f, the *scale* of the force, that stands for what multiplies it.

- *Heavy ball*, u'' = -γ u' - f r_W dP/du: its generator has a friction (`diagrams.generator`).
  Derivatives are taken at rest: what has a velocity in it vanishes then.

- *Descent*, one step of gradient descent: G(u - f r_W dP/du), that is every factor u of G either
  stays or is merged with P. A step maps products to products, so connected parts of diagrams take
  it on their own and once each. Their factors are decided one after the other, along the diagram:
  those that wait carry a number in their name, and what has been decided is collected on the way,
  with polynomials in the free nodes for coefficients. So the work grows with the number of results
  and not with that of choices, of which m factors have (1 + terms of the force)^m. Fixed tensors
  may be *drawn anew* in every step: then G is averaged over them first, at the weights after the
  step, and those that remain are of the force alone.

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
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from diagrams.canonical import Factor
from diagrams.components import disjoint_union, pieces
from diagrams.diagram import Diagram, identify
from diagrams.generator import Amplitude, Generator, at_rest
from diagrams.input_average import average_over
from diagrams.merge import factor_orbits
from diagrams.quotient import without_free
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor

__all__ = ["Descent", "Force", "HeavyBall", "Rewriting"]

_WAITING = "__waiting"
"""In the names of tensors that stand for a factor to be decided, before its number."""

_Polynomial = dict[tuple[Axis, ...], Fraction]
"""A polynomial in free nodes: sorted axes with coefficients."""

_Nodes = tuple[Axis, ...]
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
    """

    generator: Generator
    scale: Axis

    def replacing(
        self, diagram: Diagram, factor: Factor, weight: Tensor
    ) -> Iterator[tuple[_Nodes, tuple[Factor, ...], Fraction]]:
        """A diagram with one of its factors replaced by the force on that entry of a weight.

        Yields nodes, factors and coefficient of every term.
        """
        rest = [*diagram.factors]
        rest.remove(factor)
        shift = len(diagram.nodes)
        for nodes, cut, others, c in self._slopes.get(weight, ()):
            moved = [(t, tuple(n + shift for n in at)) for t, at in others]
            for order in weight.orders:
                pairs = zip(factor[1], (cut[slot] + shift for slot in order), strict=True)
                joined = identify((*diagram.nodes, *nodes), [*rest, *moved], pairs)
                yield *joined, c / len(weight.orders)

    @cached_property
    def _slopes(self) -> dict[Tensor, list[_Slope]]:
        """The diagrams of the force by weight."""
        found: dict[Tensor, list[_Slope]] = {}
        for diagram, c in self.generator.potential:
            for (tensor, cut), size in factor_orbits(diagram).items():
                rate = self.generator.rate(tensor)
                rest = [*diagram.factors]
                rest.remove((tensor, cut))
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
        result = self._generator.applied(total)
        tick(len(result))
        return result

    def still(self, total: DiagramSum) -> DiagramSum:
        """The diagrams without velocities."""
        return at_rest(total)

    @cached_property
    def _generator(self) -> Generator:
        plain = self.force.generator
        return Generator(
            Amplitude(symbols=(self.force.scale,)) * plain.potential,
            plain.rates,
            friction=Amplitude(symbols=(self.friction,)),
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
        Fixed random tensors that are drawn anew after the step.
    """

    force: Force
    redrawn: tuple[Tensor, ...] = ()

    def applied(self, total: DiagramSum, tick: Tick = lambda added: None) -> DiagramSum:
        """G after the step."""
        known: dict[Diagram, tuple[tuple[Diagram, Fraction], ...]] = {}
        result: dict[Diagram, Fraction] = {}
        for diagram, c in average_over(total, *self.redrawn):
            products = {Diagram(()): c}
            for part in pieces(diagram.nodes, diagram.factors):
                if part not in known:
                    known[part] = tuple(self._after(part, tick))
                found: dict[Diagram, Fraction] = {}
                for left, a in products.items():
                    for right, b in known[part]:
                        product = disjoint_union(left, right) if left.nodes else right
                        found[product] = found.get(product, Fraction(0)) + a * b
                products = found
            tick(len(products))
            for product, a in products.items():
                result[product] = result.get(product, Fraction(0)) + a
        return DiagramSum(result)

    def _after(self, diagram: Diagram, tick: Tick) -> Iterator[tuple[Diagram, Fraction]]:
        """A connected diagram after the step."""
        order, waiting = _numbered(diagram)
        current: dict[Diagram, _Polynomial] = {waiting: {(): Fraction(1)}}
        for number, weight in enumerate(order):
            found: dict[Diagram, _Polynomial] = {}
            for before, polynomial in current.items():
                for after, more, c in self._decided(before, number, weight):
                    total = found.setdefault(after, {})
                    for axes, a in polynomial.items():
                        key = tuple(sorted((*axes, *more), key=lambda axis: axis.sort_key))
                        total[key] = total.get(key, Fraction(0)) + a * c
            current = found
            tick(len(current))
        for after, polynomial in current.items():
            for axes, c in polynomial.items():
                yield (Diagram((*after.nodes, *axes), after.factors) if axes else after), c

    def _decided(
        self, diagram: Diagram, number: int, weight: Tensor
    ) -> Iterator[tuple[Diagram, _Nodes, Fraction]]:
        """The factor that waits under a number stays, or is replaced by the force."""
        factor = next(
            factor for factor in diagram.factors if factor[0].name == _waiting(weight, number).name
        )
        rest = [*diagram.factors]
        rest[rest.index(factor)] = weight, factor[1]
        yield Diagram(diagram.nodes, tuple(rest)), (), Fraction(1)
        for nodes, factors, c in self.force.replacing(diagram, factor, weight):
            kept, free = without_free(nodes, factors)
            yield Diagram(*kept), free, c

    @property
    def symbols(self) -> frozenset[Axis]:
        """The symbols that it brings, besides those of the potential."""
        drawn = {name for tensor in self.redrawn for name in tensor.entries.symbols}
        return super().symbols | {Axis(name) for name in drawn}


def _waiting(weight: Tensor, number: int) -> Tensor:
    """What stands for a factor that is not decided yet."""
    return replace(weight, name=f"{weight.name}{_WAITING}{number}", kind=Kind.FIXED)


def _along(diagram: Diagram) -> list[Factor]:
    """The factors in an order in which each follows one that it shares a node with.

    Of the nodes that have been reached those come first to which the fewest factors are left.
    """
    left, order = [*diagram.factors], list[Factor]()
    reached: set[int] = set()
    while left:
        open_ends = Counter(node for _, at in left for node in {*at} if node in reached)

        def fewest(factor: Factor, ends: Counter[int] = open_ends) -> int:
            return min((ends[node] or len(left) for node in factor[1]), default=0)

        best = min(left, key=fewest)
        left.remove(best)
        order.append(best)
        reached.update(best[1])
    return order


def _numbered(diagram: Diagram) -> tuple[list[Tensor], Diagram]:
    """The weights along the diagram, and the diagram with all of them waiting."""
    weights, factors = list[Tensor](), list[Factor]()
    for tensor, at in _along(diagram):
        if tensor.is_learnable:
            factors.append((_waiting(tensor, len(weights)), at))
            weights.append(tensor)
        else:
            factors.append((tensor, at))
    return weights, Diagram(diagram.nodes, tuple(factors))
