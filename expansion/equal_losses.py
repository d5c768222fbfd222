r"""Sums of diagrams that are equal up to the names of what they are made of, and up to units.

The graph of a loss has a vertex for every diagram, coloured by its coefficient, for every node,
factor and slot of it, and for every tensor, slot of a tensor, axis and variance; edges join what
belongs together. Names are no colours. The order of the slots of a tensor is none either. Two
losses are equal up to names when their graphs are isomorphic, with colours.

What all diagrams with as many weights have in front of them is no part of the graph: numbers and
symbols, rates of weights and variances of data are units (`expansion.rescaling`).

>>> from expansion.models import cp
>>> one, two = (Side.of(problem) for problem in (cp(order=2, target="3*identity"), cp(order=2)))
>>> found = compared(one, two, degree=2)
>>> str(found.losses[0]), str(found.square)
('9', '1/9')

Source: ours; T. Junttila, P. Kaski, "Engineering an efficient canonical labeling tool for large
and sparse graphs", 2007, for BLISS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from diagrams.canonical import answered
from diagrams.diagram import Diagram, identify
from diagrams.quotient import restricted
from diagrams.sums import collect
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from diagrams.variances import Powers, Variance
from expansion.losses import Quantity
from expansion.problem import Problem
from expansion.rescaling import ONE, product, root

if TYPE_CHECKING:
    import igraph

__all__ = ["Compared", "Side", "Terms", "compared"]


@dataclass(frozen=True, slots=True)
class Terms:
    """A sum of diagrams with numbers and powers of symbols in front, and of all of them."""

    terms: tuple[tuple[Diagram, Fraction, Powers], ...]
    normalisation: Powers = ()

    @classmethod
    def of(cls, quantity: Quantity) -> Terms:
        """Those of a quantity."""
        found = collect((_without_pairs(diagram), c) for diagram, c in quantity.diagrams)
        return cls(tuple((diagram, c, ()) for diagram, c in found), quantity.normalisation)


@dataclass(frozen=True, slots=True)
class Side:
    """Some losses of a problem, the first of which drives its flow.

    Parameters
    ----------
    problem : Problem
    losses : tuple of Terms
    data : frozenset of Tensor
        Fixed random tensors whose variance is a matter of units, such as inputs.
    """

    problem: Problem
    losses: tuple[Terms, ...]
    data: frozenset[Tensor]

    @classmethod
    def of(cls, problem: Problem, *others: Quantity) -> Side:
        """The driving loss of a problem and others."""
        driving = problem.driving.quantity
        return cls(problem, (Terms.of(driving), *map(Terms.of, others)), _data(driving))


@dataclass(frozen=True, slots=True)
class Compared:
    """How the losses of one side are those of another one.

    Parameters
    ----------
    values : mapping from str to Variance
        Each symbol of the second side as a monomial in those of the first.
    losses : tuple of Variance
        κ of every loss.
    square : Variance
        W.
    sign : int
        Of what is in front of the target.
    """

    values: Mapping[str, Variance]
    losses: tuple[Variance, ...]
    square: Variance
    sign: int


def compared(one: Side, two: Side, *, degree: int) -> Compared | None:
    """How the losses of the first side are those of the second, None if they are not.

    Parameters
    ----------
    one, two : Side
    degree : int
        ν: diagrams have no weights, ν of them, or 2ν.
    """
    mine, other = _Loss.all(one), _Loss.all(two)
    if mine is None or other is None:
        return None
    values = _renaming(mine, other, (one, two))
    if values is None:
        return None
    names = {name: value.symbols[0] for name, value in values.items() if value.symbols}
    found = [a.in_units_of(b, names, degree) for a, b in zip(mine, other, strict=True)]
    units = [each for each in found if each is not None]
    same = len({square for _, square, _ in units}) == len({sign for _, _, sign in units}) == 1
    if len(units) < len(found) or not same:
        return None
    _, square, sign = units[0]
    return Compared(values, tuple(loss for loss, _, _ in units), square, sign)


def _weights(diagram: Diagram) -> int:
    return sum(1 for tensor, _ in diagram.factors if tensor.is_learnable)


# -- what is in front -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Front:
    """What diagrams with the same number of weights have in common in front of them.

    Parameters
    ----------
    sign : int
    square : Variance
        The square of its size: rates and variances of data come with powers of one half.
    """

    sign: int
    square: Variance


@dataclass(frozen=True, slots=True)
class _Loss:
    """A loss as diagrams without what is in front of them, and what was.

    Parameters
    ----------
    diagrams : tuple of (Diagram, str, Powers)
        With their colours: the number of weights, and the number in front in units of the largest;
        and with the powers of symbols that not all of them have.
    fronts : mapping from int to _Front
        By the number of weights.
    normalisation : Variance
    """

    diagrams: tuple[tuple[Diagram, str, Powers], ...]
    fronts: Mapping[int, _Front] = field(hash=False)
    normalisation: Variance

    @classmethod
    def all(cls, side: Side) -> list[_Loss] | None:
        """The losses of a problem, the first of which drives the flow; None without such units."""
        rates = {name: Variance.parse(rate) for name, rate in side.problem.drive.rates}
        found = [cls._of(terms, rates, side.data) for terms in side.losses]
        known = [loss for loss in found if loss is not None]
        return known if len(known) == len(found) else None

    @classmethod
    def _of(
        cls, loss: Terms, rates: Mapping[str, Variance], data: frozenset[Tensor]
    ) -> _Loss | None:
        groups: dict[int, list[tuple[Diagram, Fraction, Powers]]] = {}
        for diagram, c, powers in loss.terms:
            groups.setdefault(_weights(diagram), []).append((diagram, c, powers))
        shared = {k: _shared_nodes([d for d, _, _ in group]) for k, group in groups.items() if k}
        if 0 in groups:
            shared[0] = _target_nodes(shared)
        diagrams: list[tuple[Diagram, str, Powers]] = []
        fronts = {}
        for number, group in groups.items():
            parts = {_in_front(diagram, rates, data) for diagram, _, _ in group}
            if len(parts) > 1:
                return None
            largest = max((c for _, c, _ in group), key=lambda c: (abs(c), c))
            least = _least([dict(powers) for _, _, powers in group])
            symbols = [
                product((Variance(powers=((axis.name, 1),)), 2 * k))
                for axis, k in shared[number].items()
            ]
            symbols += [product((Variance(powers=((name, 1),)), 2 * k)) for name, k in least]
            square = product(*((each, 1) for each in (*parts, Variance(largest**2), *symbols)))
            fronts[number] = _Front(1 if largest > 0 else -1, square)
            diagrams += [
                (_without(d, shared[number]), f"{number} {c / largest}", _less(powers, least))
                for d, c, powers in group
            ]
        return cls(tuple(diagrams), fronts, Variance(powers=loss.normalisation))

    def in_units_of(
        self, other: _Loss, names: Mapping[str, str], degree: int
    ) -> tuple[Variance, Variance, int] | None:
        """κ, W and the sign of the target, if both are one loss in units; None if they are not."""

        def renamed(value: Variance) -> Variance:
            powers = sorted((names.get(name, name), k) for name, k in value.powers)
            return Variance(value.coefficient, tuple(powers))

        ratios = {
            number: product((front.square, 1), (renamed(other.fronts[number].square), -1))
            for number, front in self.fronts.items()
        }
        model, overlap, target = (ratios.pop(k, None) for k in (2 * degree, degree, 0))
        if ratios:
            return None
        if model is None or (target is None and overlap is None):
            target, square = model or overlap or target, ONE
            if target is None or (model or overlap) not in (None, target):
                return None
        else:
            # Of the squares of n m², n m c and n c² one follows from the other two.
            if target is None or overlap is None:
                target = target or product((overlap or ONE, 2), (model, -1))
            elif product((overlap, 2)) != product((model, 1), (target, 1)):
                return None
            found = root(product((model, 1), (target, -1)))
            if found is None:
                return None
            square = found
        loss = root(target)
        if loss is None:
            return None
        sign = 1
        if overlap is not None:
            sign = self.fronts[degree].sign * other.fronts[degree].sign
        size = product((self.normalisation, 1), (renamed(other.normalisation), -1))
        return product((loss, 1), (size, 1)), square, sign


def _least(group: Sequence[Mapping[str, int]]) -> Powers:
    """The powers of symbols that all of some monomials have."""
    names = sorted({name for powers in group for name in powers})
    least = ((name, min(powers.get(name, 0) for powers in group)) for name in names)
    return tuple((name, k) for name, k in least if k)


def _less(powers: Powers, least: Powers) -> Powers:
    return product((Variance(powers=powers), 1), (Variance(powers=least), -1)).powers


def _data(quantity: Quantity) -> frozenset[Tensor]:
    """The fixed random tensors that are in every diagram equally often, such as inputs."""
    counts = [
        {tensor: sum(t == tensor for t, _ in diagram.factors) for tensor in diagram.tensors}
        for diagram, _ in quantity.diagrams
    ]
    return frozenset(
        tensor
        for tensor in {tensor for count in counts for tensor in count}
        if tensor.is_random
        and not tensor.is_learnable
        and len({count.get(tensor, 0) for count in counts}) == 1
    )


def _in_front(diagram: Diagram, rates: Mapping[str, Variance], data: frozenset[Tensor]) -> Variance:
    """The square of what rates and variances of data put in front of a diagram."""
    factors = [rates.get(t.name, ONE) for t, _ in diagram.factors if t.is_learnable]
    factors += [Variance.parse(t.variance) for t, _ in diagram.factors if t in data]
    return product(*((factor, 1) for factor in factors))


def _shared_nodes(diagrams: Sequence[Diagram]) -> dict[Axis, int]:
    """How many nodes without factors all diagrams have at least, by their axes."""
    counts = []
    for diagram in diagrams:
        joined = {node for _, at in diagram.factors for node in at}
        free = [a for n, a in enumerate(diagram.nodes) if n not in joined and a.pinned is None]
        counts.append({axis: free.count(axis) for axis in free})
    return {axis: min(count.get(axis, 0) for count in counts) for axis in counts[0]}


def _target_nodes(shared: Mapping[int, Mapping[Axis, int]]) -> dict[Axis, int]:
    """The nodes in front of the square of a target, c² = (mc)² / m²; others are its own."""
    if len(shared) < 2:
        return {}
    overlap, model = (shared[number] for number in sorted(shared))
    axes = {*overlap, *model}
    found = {axis: 2 * overlap.get(axis, 0) - model.get(axis, 0) for axis in axes}
    return {axis: k for axis, k in found.items() if k}


def _without(diagram: Diagram, shared: Mapping[Axis, int]) -> Diagram:
    """The diagram without some of its nodes that have no factors."""
    joined = {node for _, at in diagram.factors for node in at}
    left = dict(shared)
    kept = []
    for node, axis in enumerate(diagram.nodes):
        if node not in joined and left.get(axis, 0) > 0:
            left[axis] -= 1
        else:
            kept.append(node)
    return Diagram(*restricted(diagram.nodes, diagram.factors, kept))


def _without_pairs(diagram: Diagram) -> Diagram:
    """The diagram with every modular sum of two indices as the identity that it is."""
    pairs = [at for tensor, at in diagram.factors if tensor.kind is Kind.MODULAR and len(at) == 2]
    if not pairs:
        return diagram
    others = [f for f in diagram.factors if not (f[0].kind is Kind.MODULAR and len(f[1]) == 2)]
    return Diagram(*identify(diagram.nodes, others, [(at[0], at[1]) for at in pairs]))


# -- one graph for all names ----------------------------------------------------------------------


def _renaming(
    mine: Sequence[_Loss], other: Sequence[_Loss], sides: tuple[Side, Side]
) -> dict[str, Variance] | None:
    """The symbols of the second side as those of the first under which some losses are equal."""
    one, two = _Graph(mine, sides[0]), _Graph(other, sides[1])
    if sorted(one.colours) != sorted(two.colours) or len(one.edges) != len(two.edges):
        return None
    numbers = {colour: place for place, colour in enumerate(sorted({*one.colours}))}
    first, second = one.graph, two.graph
    colours = [[numbers[colour] for colour in graph.colours] for graph in (one, two)]
    if not answered(partial(first.isomorphic_bliss, second, color1=colours[0], color2=colours[1])):
        return None
    # The vertices in canonical order; for the direction see `diagrams.canonical`.
    places = [
        answered(partial(graph.canonical_permutation, color=colour))
        for graph, colour in zip((first, second), colours, strict=True)
    ]
    image = dict(zip(*places, strict=True))
    back = {vertex: value for value, vertex in two.symbols}
    return {str(back[image[vertex]]): value for value, vertex in one.symbols}


class _Graph:
    """The coloured graph of some losses."""

    def __init__(self, losses: Sequence[_Loss], side: Side) -> None:
        self.colours: list[tuple[str, str]] = []
        self.edges: list[tuple[int, int]] = []
        self.symbols: list[tuple[Variance, int]] = []
        self._variances: dict[Variance, int] = {}
        self._axes: dict[str, int] = {}
        self._tensors: dict[Tensor, tuple[int, list[int]]] = {}
        self._growing = {*side.problem.growing}
        self._rates = {name: Variance.parse(rate) for name, rate in side.problem.drive.rates}
        self._data = side.data
        for place, loss in enumerate(losses):
            for diagram, colour, powers in loss.diagrams:
                self._diagram(diagram, f"{place} {colour}", powers)

    @property
    def graph(self) -> igraph.Graph:
        import igraph

        return igraph.Graph(len(self.colours), self.edges)

    def _vertex(self, kind: str, colour: str, *joined: int) -> int:
        vertex = len(self.colours)
        self.colours.append((kind, colour))
        self.edges += [(vertex, other) for other in joined]
        return vertex

    def _axis(self, axis: Axis) -> int:
        if axis.pinned is None:
            return self._symbol(axis.name)
        if axis.name not in self._axes:
            self._axes[axis.name] = self._vertex("axis", str(axis.pinned))
        return self._axes[axis.name]

    def _symbol(self, name: str) -> int:
        if name not in self._axes:
            kind = "grows" if name in self._growing else "amplitude"
            self._axes[name] = self._vertex("axis", kind)
            self.symbols.append((Variance(powers=((name, 1),)), self._axes[name]))
        return self._axes[name]

    def _tensor(self, tensor: Tensor) -> tuple[int, list[int]]:
        if tensor not in self._tensors:
            joined = []
            colour = f"{tensor.kind.value} {tensor.symmetric} {tensor in self._data}"
            if tensor.is_random and tensor not in self._data:
                # A weight that moves at a rate is one of another variance.
                given = Variance.parse(tensor.variance or UNIT_VARIANCE)
                value = product((given, 1), (self._rates.get(tensor.name, ONE), -1))
                if value not in self._variances:
                    self._variances[value] = self._vertex("variance", "")
                    self.symbols.append((value, self._variances[value]))
                joined.append(self._variances[value])
            vertex = self._vertex("tensor", colour, *joined)
            slots = [
                self._vertex("slot of a tensor", "", vertex, self._axis(axis))
                for axis in tensor.axes
            ]
            self._tensors[tensor] = vertex, slots
        return self._tensors[tensor]

    def _diagram(self, diagram: Diagram, colour: str, powers: Powers) -> None:
        whole = self._vertex("diagram", colour)
        for name, power in powers:
            self._vertex("power", str(power), whole, self._symbol(name))
        nodes = [self._vertex("node", "", whole, self._axis(a)) for a in diagram.nodes]
        for tensor, at in diagram.factors:
            vertex, slots = self._tensor(tensor)
            factor = self._vertex("factor", "", whole, vertex)
            for slot, node in zip(slots, at, strict=True):
                self._vertex("slot", "", factor, slot, nodes[node])
