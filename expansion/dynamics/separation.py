"""Separation: blocks that hang on one or two nodes and may be replaced by their means.

Let S be one or two nodes whose removal leaves a connected diagram G in several components, and B
one of them with its links to S: a function B(S) of the indices at S. It is *concentrated* if, at
typical different indices, its variance is of lower order than the square of its size,

    order Var B(S)  <  2 [sigma(B) - order of the sizes of S],

with sigma the dynamic scale of B summed over S. Then every B(S) equals its mean to leading order,
and

    G  ->  (G without B) * (B summed over S) / (product of the sizes of S).

What is concentrated at the start stays so unless the flow feels something that is not: the vector
of a neuron has a typical length, which later depends on the output weight of that neuron. If it is
asked for, dB/dtau has to obey the same inequality, in units of the natural time.

Both sides of the inequality are computed exactly: the variance is the mean of two copies of B glued
together at S, less the square of the mean. When both nodes of S lie on one axis, equal indices are
taken out by inclusion and exclusion.

At a node whose index is fixed (a pin, or an axis of size one) a diagram falls apart exactly. Where
an isometry of rank r meets a node of S, its typical indices are the first r: B keeps the isometry,
and r is the size that is divided by.

>>> from expansion.models import cp
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.scales import Scaling
>>> problem = cp(order=2)
>>> scaling = Scaling({"p": Fraction(1), "H": Fraction(2), "sigma2": Fraction(-2)}, Fraction(0))
>>> separation = Separation(Scales(Averages(problem.loss), scaling))
>>> star = Diagram.parse("weight U1[H,p]~sigma2; U1(H0,p0)^2 U1(H1,p0)^2")
>>> split = separation.split(star)
>>> print(split.block, "|", split.rest, "|", split.sizes)
weight U1[H,p]~sigma2; U1(H0,p0)^2 | weight U1[H,p]~sigma2; U1(H0,p0)^2 | (('p', -1),)

Source: ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, compress, pairwise
from operator import not_

from diagrams.arguments import brief
from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.engine import Tick
from diagrams.generator import is_velocity
from diagrams.quotient import Labelled, leaders, restricted
from diagrams.sums import DiagramSum
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import Moments, Monomial
from expansion.dynamics.scales import Scales, times

__all__ = ["Separation", "Split"]

CUT_WORK = 10
"""What trying a cut costs, in units of a diagram that the engine enumerates in bulk."""

_MARK = "root__"

_SPECIAL = (Kind.PIN, Kind.POWER)
"""Tensors that distinguish the indices of a node: what hangs there has no typical value."""

MINIMAL_BLOCK = 4
"""Blocks with more distinct factors, and more than a merger adds, are not tried."""


@dataclass(frozen=True, slots=True)
class Split:
    """A diagram as a product.

    Parameters
    ----------
    block : Diagram
        The part that was separated, summed over the nodes it hung on.
    rest : Diagram
        What is left, connected or not.
    sizes : Monomial
        The sizes that the product is multiplied by, one negative power for each separating node.
    variance : Fraction or None
        Order of the variance of the block at typical indices; None if it does not vary at all.
    square : Fraction or None
        Order of its squared size there; None for an exact split at a fixed index.
    """

    block: Diagram
    rest: Diagram
    sizes: Monomial
    variance: Fraction | None
    square: Fraction | None

    def __repr__(self) -> str:
        return f"<Split {brief(self.block)}>"


class Separation:
    """Splits of diagrams under one scaling, kept.

    Parameters
    ----------
    scales : Scales
    moving : bool, default False
        Whether the rates of change of a block have to be concentrated too.
    """

    def __init__(self, scales: Scales, *, moving: bool = False) -> None:
        self._scales = scales
        self._moving = moving
        self._splits: dict[Diagram, Split | None] = {}
        self._spreads: dict[Diagram, tuple[Fraction | None, Fraction] | None] = {}
        self._marked: dict[_Written, Diagram] = {}

    def split(self, diagram: Diagram) -> Split | None:
        """A split of a connected diagram, None if it has none.

        Fixed indices come first, then single nodes, then pairs; the smallest block is taken.
        """
        if diagram not in self._splits:
            self._splits[diagram] = self._find(diagram)
        return self._splits[diagram]

    def _find(self, diagram: Diagram) -> Split | None:
        exact = _at_fixed_index(diagram)
        if exact is not None:
            return exact
        for roots, block, rest in _cuts(diagram, self._largest, self._scales.averages.tick):
            self._scales.averages.tick(CUT_WORK)
            spread = self.spread(*block, tuple(range(len(roots))))
            if spread is None or not _concentrated(spread):
                continue
            if not (self._different(diagram, roots) or self._equal(*block, len(roots))):
                continue
            variance, square = spread
            return Split(
                block=Diagram(*block),
                rest=Diagram(*rest),
                sizes=_inverse(block[0][: len(roots)]),
                variance=variance,
                square=square,
            )
        return None

    @property
    def _largest(self) -> int:
        """Most distinct factors of a block that is tried."""
        return max(MINIMAL_BLOCK, self._scales.averages.growth)

    def _different(self, diagram: Diagram, roots: Sequence[int]) -> bool:
        """Whether equal indices at two roots of one axis are negligible."""
        if len(roots) < 2 or diagram.nodes[roots[0]] != diagram.nodes[roots[1]]:
            return True
        equal = Diagram(*identify(diagram.nodes, diagram.factors, [(roots[0], roots[1])]))
        whole, part = self._scales.of(diagram), self._scales.of(equal)
        return whole is not None and (part is None or part < whole)

    def _equal(self, nodes: Sequence[Axis], factors: Sequence[Factor], count: int) -> bool:
        """Whether a block on two roots of one axis takes its typical value at equal indices too."""
        roots = tuple(range(count))
        merged = identify(nodes, factors, [(roots[0], roots[1])])
        spread = self.spread(*merged, (0,))
        if spread is None or not _concentrated(spread):
            return False
        different = self._leading_mean(tuple(nodes), tuple(factors), roots)
        return different is not None and different == self._leading_mean(*merged, (0,))

    def _leading_mean(
        self, nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: tuple[int, ...]
    ) -> Moments | None:
        """The leading part of the mean at typical indices, None if it is zero."""
        scaling = self._scales.scaling
        sizes = _inverse([nodes[v] for v in roots])
        mean = {times(m, sizes): c for m, c in self._typical(nodes, factors, roots).items() if c}
        top = scaling.top(mean)
        return None if top is None else scaling.of_order(mean, top)

    def spread(
        self, nodes: Sequence[Axis], factors: Sequence[Factor], roots: tuple[int, ...]
    ) -> tuple[Fraction | None, Fraction] | None:
        """Orders of variance and squared size of a block at typical different indices.

        Parameters
        ----------
        nodes, factors
            The labelled block.
        roots : tuple of int
            The nodes it hangs on.

        Returns
        -------
        tuple or None
            None if the block has no dynamic scale or is too large to decide.
        """
        if len(set(factors)) > self._largest:
            return None
        # The same segments are cut out of one word again and again, mostly numbered alike.
        written = tuple(nodes), tuple(sorted(factors, key=_name_and_nodes)), roots
        key = self._marked.get(written)
        if key is None:
            key = self._marked[written] = _marked(*written)
        if key not in self._spreads:
            self._spreads[key] = self._spread(*written)
        return self._spreads[key]

    def _spread(
        self, nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: tuple[int, ...]
    ) -> tuple[Fraction | None, Fraction] | None:
        scaling = self._scales.scaling
        size = self._scales.of(Diagram(nodes, factors))
        if size is None:
            return None
        sizes = _inverse([nodes[v] for v in roots])
        typical = size + scaling.order(sizes)
        still = sum(is_velocity(tensor) for tensor, _ in factors)
        if still:
            # At rest nothing varies; as many derivatives as there are velocities show what will.
            found = [
                order - 2 * still * scaling.time
                for piece in self._rates_of_change(nodes, factors, roots, times=still)
                if (order := self._variance(*piece)) is not None
            ]
            return max(found, default=None), 2 * typical
        variance = self._variance(nodes, factors, roots)
        if self._moving and (variance is None or variance < 2 * typical):
            period = self._scales.averages.period
            # In units of the natural time, so that they compare with the block itself.
            rates = (
                self._variance(*piece)
                for piece in self._rates_of_change(nodes, factors, roots, times=period)
            )
            found = [rate - 2 * period * scaling.time for rate in rates if rate is not None]
            variance = max(found if variance is None else [variance, *found], default=None)
        return variance, 2 * typical

    def _variance(
        self, nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: tuple[int, ...]
    ) -> Fraction | None:
        """The order of the variance at typical different indices, None if there is none."""
        sizes = _inverse([nodes[v] for v in roots])
        mean = {times(m, sizes): c for m, c in self._typical(nodes, factors, roots).items()}
        glued = _glued(nodes, factors, roots)
        total = {times(m, sizes): c for m, c in self._typical(*glued, roots).items()}
        for a, x in mean.items():
            for b, y in mean.items():
                total[times(a, b)] = total.get(times(a, b), Fraction(0)) - x * y
        return self._scales.scaling.top({m: c for m, c in total.items() if c})

    def _rates_of_change(
        self,
        nodes: tuple[Axis, ...],
        factors: tuple[Factor, ...],
        roots: tuple[int, ...],
        *,
        times: int,
    ) -> Iterator[tuple[tuple[Axis, ...], tuple[Factor, ...], tuple[int, ...]]]:
        """The diagrams of a derivative of B, each with the nodes that it hangs on."""
        averages = self._scales.averages
        rate = DiagramSum({_marked(nodes, factors, roots): 1})
        for _ in range(times):
            rate = averages.generator.applied(rate)
            averages.tick(len(rate))
        for diagram, _ in rate:
            marks = {t.name: at[0] for t, at in diagram.factors if t.name.startswith(_MARK)}
            kept = tuple(f for f in diagram.factors if not f[0].name.startswith(_MARK))
            places = tuple(marks[f"{_MARK}{place}"] for place in range(len(roots)))
            if len({*places}) == len(places):
                yield diagram.nodes, kept, places

    def _typical(
        self, nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: tuple[int, ...]
    ) -> Moments:
        """The mean, summed over different indices at the roots."""
        averages = self._scales.averages
        total = dict(averages.mean(Diagram(nodes, factors)))
        if len(roots) == 2 and nodes[roots[0]] == nodes[roots[1]]:
            equal = Diagram(*identify(nodes, factors, [(roots[0], roots[1])]))
            for powers, value in averages.mean(equal).items():
                total[powers] = total.get(powers, Fraction(0)) - value
        return total


def _concentrated(spread: tuple[Fraction | None, Fraction]) -> bool:
    variance, square = spread
    return variance is None or variance < square


def _marked(
    nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: tuple[int, ...]
) -> Diagram:
    """A block with a factor of its own at each of its roots, which distinguishes it from others."""
    marks = tuple((_mark(place, nodes[v]), (v,)) for place, v in enumerate(roots))
    return Diagram(nodes, (*factors, *marks))


@cache
def _mark(place: int, axis: Axis) -> Tensor:
    return Tensor(f"{_MARK}{place}", (axis,), Kind.GAUSSIAN, variance="1")


def _name_and_nodes(factor: Factor) -> tuple[str, tuple[int, ...]]:
    return factor[0].name, factor[1]


def _inverse(axes: Sequence[Axis]) -> Monomial:
    powers = Counter(axis.name for axis in axes if axis.pinned is None)
    return tuple(sorted((name, -count) for name, count in powers.items()))


_Written = tuple[tuple[Axis, ...], tuple[Factor, ...], tuple[int, ...]]
"""The nodes and factors of a block, and the nodes that it hangs on."""


def _cuts(
    diagram: Diagram, most: int, tick: Tick
) -> Iterator[tuple[tuple[int, ...], Labelled, Labelled]]:
    """Separating nodes with a block and the rest, smallest blocks first; roots come first.

    A factor that sits on one node alone, such as an output weight, is a block too. Blocks with more
    than ``most`` distinct factors are left out.
    """
    size = len(diagram.nodes)
    special = {v for tensor, at in diagram.factors if tensor.kind in _SPECIAL for v in at}
    typical = [v for v in range(size) if diagram.nodes[v].pinned is None and v not in special]
    chains = _chains(diagram)
    end = {v: chains[v][-1][1][1] if v in chains else v for v in typical}
    for count in (1, 2):
        found: list[tuple[int, tuple[int, ...], set[int], list[bool]]] = []
        for roots in combinations(typical, count):
            tick(1)
            if len({end[v] for v in roots}) < count:
                continue
            parts = _components(diagram, roots)
            alone = {f for f in diagram.factors if count == 1 and set(f[1]) == {*roots}}
            if len(diagram.factors) > 1:
                for factor in sorted(alone, key=lambda f: f[0].sort_key):
                    first = diagram.factors.index(factor)
                    is_inside = [number == first for number in range(len(diagram.factors))]
                    found.append((1, roots, set(), is_inside))
            if len(parts) < 2 and not alone:
                continue
            part_of = {v: number for number, part in enumerate(parts) for v in part}
            # All nodes of a factor but the roots are in one part.
            owner = [
                next((part_of[v] for v in at if v in part_of), None) for _, at in diagram.factors
            ]
            for number, part in enumerate(parts):
                is_inside = [own == number for own in owner]
                inside = [*compress(diagram.factors, is_inside)]
                if len(inside) == len(diagram.factors) or len(set(inside)) > most:
                    continue
                if len({v for _, at in inside for v in at if v in roots}) == count:
                    found.append((len(inside), roots, part, is_inside))
        for _, roots, part, is_inside in sorted(found, key=lambda entry: entry[:2]):
            inside = [*compress(diagram.factors, is_inside)]
            outside = [*compress(diagram.factors, map(not_, is_inside))]
            others = [v for v in range(size) if v not in part and v not in roots]
            chained = [factor for v in roots for factor in chains.get(v, ())]
            if any(factor in inside for factor in chained) or {*outside} <= {*chained}:
                continue
            ends = [end[v] for v in roots]
            within = {v for _, at in chained for v in at}.union(roots, part).difference(ends)
            yield (
                roots,
                restricted(diagram.nodes, (*inside, *chained), (*ends, *sorted(within))),
                restricted(diagram.nodes, outside, (*roots, *others)),
            )


def _chains(diagram: Diagram) -> dict[int, tuple[Factor, ...]]:
    """For each node that an isometry maps to, the isometries down to the smallest axis.

    The index of such a node is one of the first r, which the target may move unlike the others:
    what hangs on it is averaged over these only.
    """
    below = {f[1][0]: f for f in diagram.factors if f[0].kind is Kind.ISOMETRY}
    chains = {}
    for node in below:
        chain = [below[node]]
        while chain[-1][1][1] in below:
            chain.append(below[chain[-1][1][1]])
        chains[node] = tuple(chain)
    return chains


def _components(diagram: Diagram, removed: Sequence[int]) -> list[set[int]]:
    """The components of the other nodes, linked by factors, in the order of their first nodes."""
    links: list[tuple[int, int]] = []
    for at in {at for _, at in diagram.factors}:
        links += pairwise([v for v in at if v not in removed])
    found: dict[int, set[int]] = {}
    for v, leader in enumerate(leaders(len(diagram.nodes), links)):
        if v not in removed:
            found.setdefault(leader, set()).add(v)
    return [*found.values()]


def _glued(nodes: tuple[Axis, ...], factors: tuple[Factor, ...], roots: Sequence[int]) -> Labelled:
    """Two copies of a block with common roots."""
    others = [v for v in range(len(nodes)) if v not in roots]
    number = {v: v for v in roots} | {v: len(nodes) + k for k, v in enumerate(others)}
    copy = tuple((tensor, tuple(number[v] for v in at)) for tensor, at in factors)
    return (*nodes, *(nodes[v] for v in others)), (*factors, *copy)


def _at_fixed_index(diagram: Diagram) -> Split | None:
    """The exact split at a node with one index only, if more than one group of factors meets it."""
    for v, axis in enumerate(diagram.nodes):
        pins = tuple(f for f in diagram.factors if f[0].kind is Kind.PIN and f[1] == (v,))
        if axis.pinned != 1 and not pins:
            continue
        parts = _components(diagram, (v,))
        alone = [f for f in diagram.factors if set(f[1]) == {v} and f not in pins]
        if len(parts) + len(alone) < 2:
            continue
        if parts:
            inside = [f for f in diagram.factors if any(n in parts[0] for n in f[1])]
            kept = sorted(parts[0])
        else:
            inside, kept = alone[:1], []
        outside = [f for f in diagram.factors if f not in pins]
        for factor in inside:
            outside.remove(factor)
        others = [n for n in range(len(diagram.nodes)) if n != v and n not in kept]
        return Split(
            block=Diagram(*restricted(diagram.nodes, (*pins, *inside), (v, *kept))),
            rest=Diagram(*restricted(diagram.nodes, (*pins, *outside), (v, *others))),
            sizes=(),
            variance=None,
            square=None,
        )
    return None
