r"""Which preset a problem is, whatever it and its parts are called.

Two problems have the same series, up to names, when their losses are the same sum of diagrams after
a renaming of axes, tensors and variances. That is decided by one isomorphism of coloured graphs.
The graph of a loss has a vertex for every diagram, coloured by its coefficient, for every node,
factor and slot of it, and for every tensor, slot of a tensor, axis and variance; edges join what
belongs together. Names are no colours. The order of the slots of a tensor is none either.

What is in front of the loss, of the model and of the target is no part of the graph: numbers and
symbols there, rates of weights and variances of data are other units (`expansion.rescaling`).
A target c F is the target F with u = c^{1/ν} u' for a model of degree ν in its weights,

    L(u) = c² L'(u'),    σ² = c^{2/ν} σ'²,    t = c^{2/ν - 2} t'.

A modular sum of two indices is the identity. A change of sign of c is undone by a weight of which
the model is an odd function.

>>> found = recognised(cp(order=3, target="2*identity + zero"))
>>> found.preset.title, str(found.scale), found.units.degree
('cp order=3 symmetric=false target=identity', '2', 3)

Source: ours; T. Junttila, P. Kaski, "Engineering an efficient canonical labeling tool for large
and sparse graphs", 2007, for BLISS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from diagrams.canonical import answered
from diagrams.diagram import Diagram, identify
from diagrams.sums import collect
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from diagrams.variances import Variance
from expansion.drive import Drive
from expansion.losses import Quantity
from expansion.models import (
    MAXIMAL_DEGREE,
    MAXIMAL_ORDER,
    autoencoder,
    cp,
    deep_linear,
    tied_autoencoder,
    two_layer,
)
from expansion.polynomial import Polynomial, symbol_order
from expansion.problem import Problem
from expansion.rescaling import ONE, Rescaling, product, root
from expansion.targets import TARGETS
from expansion.vertex_sequences import VertexSequence

if TYPE_CHECKING:
    import igraph

__all__ = ["Recognised", "recognised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A problem as a preset under other names and in other units.

    Parameters
    ----------
    preset : Problem
    units : Rescaling
        What the symbols of the preset are in those of the problem.
    losses : tuple of (str, str)
        The names of the losses of the problem that are losses of the preset, with those.
    factors : tuple of Variance
        For each of them, how many times that of the preset it is.
    """

    preset: Problem
    units: Rescaling
    losses: tuple[tuple[str, str], ...]
    factors: tuple[Variance, ...]

    @property
    def symbols(self) -> tuple[tuple[str, str], ...]:
        """The symbols of the problem that are symbols of the preset, each with that one."""
        texts = ((str(value), name) for name, value in self.units.values)
        return tuple(sorted(pair for pair in texts if pair[0].isidentifier()))

    @property
    def is_itself(self) -> bool:
        """Whether no symbol and no unit differs."""
        same = all(str(value) == name for name, value in self.units.values)
        return same and not self.is_rescaled

    @property
    def is_rescaled(self) -> bool:
        """Whether there is more than other names."""
        units = self.units
        one = {units.loss, units.square, *self.factors} == {ONE}
        return not one or len(self.symbols) < len(units.values)

    @property
    def scale(self) -> Fraction:
        """c, if the target is c times that of the preset and nothing else differs, or 1."""
        units = self.units
        if product((units.loss, 1), (units.square, 1)) != ONE or units.loss.powers:
            return Fraction(1)
        c = root(units.loss)
        return Fraction(1) if c is None else c.coefficient

    @property
    def keeps_exponents(self) -> bool:
        """Whether its units are numbers, so that monomials only change the names of symbols."""
        units = self.units
        numbers = (units.loss, units.square, *self.factors)
        return not any(number.powers for number in numbers) and all(
            len(value.powers) == 1 and value.powers[0][1] == 1 for _, value in units.values
        )

    def __str__(self) -> str:
        """The preset in words, with what has another name or unit.

        Examples
        --------
        >>> print(recognised(cp(order=2, target="2*identity")))
        cp order=2 symmetric=false target=identity; the target is 2 times that of the preset
        >>> print(recognised(cp(order=2).driven_by(rates={"U1": "eta", "U2": "eta"})))
        cp order=2 symmetric=false target=identity, with eta*t for t
        """
        units = self.units
        target = product((units.loss, 1), (units.square, 1)) == ONE
        unit = ONE if target else root(units.square, units.degree)
        values = [
            (product((value, 1), (unit, 1)) if unit and name in units.weights else value, name)
            for name, value in units.values
        ]
        if unit and not target:
            values.append((product((units.loss, 1), (unit, 1), (Variance.parse("t"), 1)), "t"))
        named = sorted((str(value), name) for value, name in values)
        renamed = ", ".join(f"{mine} for {other}" for mine, other in named if mine != other)
        words = f"{self.preset.title}, with {renamed}" if renamed else self.preset.title
        if target:
            parts = [("target", units.loss)]
        else:
            parts = [("loss", product((units.loss, 2)))]
            parts += [] if unit else [("model", units.square)]
        for what, square in parts:
            factor = root(square)
            if factor is None:
                words += f"; the square of the {what} is {square} times that of the preset"
            elif factor != ONE:
                words += f"; the {what} is {factor} times that of the preset"
        return words

    def symbols_of(self, names: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the preset for some of the problem; others keep their names."""
        known = dict(self.symbols)
        return tuple(known.get(name, name) for name in names)

    def preset_symbols(self, names: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the preset for some of the problem, numbers in front left aside."""
        known = {value.symbols[0]: name for name, value in self.units.values if value.symbols}
        return tuple(known.get(name, name) for name in names)

    def factor(self, loss: str | None) -> Variance:
        """How many times that of the preset a loss of the problem is; None is the driving one."""
        names = [mine for mine, _ in self.losses]
        return self.factors[0 if loss is None else names.index(loss)]

    def to_preset(self, coefficient: Polynomial, s: int, loss: str | None = None) -> Polynomial:
        """Y_s of the problem as that of the preset, or a part of it."""
        return self.units.to_known(coefficient, s, factor=self.factor(loss))

    def from_preset(self, coefficient: Polynomial, s: int, loss: str | None = None) -> Polynomial:
        """Y_s of the preset as that of the problem, or a part of it."""
        return self.units.from_known(coefficient, s, factor=self.factor(loss))

    def sequences(
        self, sequences: Sequence[VertexSequence], symbols: Sequence[str], loss: str | None = None
    ) -> tuple[VertexSequence, ...] | None:
        """Vertex sequences of the problem in the symbols of the preset, None if they are none."""
        factor = self.factor(loss)
        found = [self.units.sequence(each, symbols, factor=factor) for each in sequences]
        known = tuple(sequence for sequence in found if sequence is not None)
        return known if len(known) == len(found) else None


@lru_cache(maxsize=64)
def recognised(problem: Problem) -> Recognised | None:
    """The preset that a problem is under other names and units, None if there is none.

    What drives the weights belongs to a problem, and so do the laws of its tensors: presets follow
    the gradient flow of their loss from Gaussian weights of mean zero, so that a problem with
    another flow or law is none of them, whatever its loss is; rates of its weights are units. Known
    are all presets with the targets of `expansion.targets.TARGETS`; a problem that is two of them
    is the first, a CP model.

    Parameters
    ----------
    problem : Problem

    Examples
    --------
    >>> recognised(deep_linear(2)).preset.title
    'cp order=2 symmetric=false target=identity'
    """
    if problem.drive != Drive(rates=problem.drive.rates):
        return None
    if any(tensor.is_random and not tensor.entries.is_wick for tensor in problem.tensors):
        return None
    for preset in _candidates(problem):
        found = _itself(preset) if preset == problem else _match(problem, preset)
        if found is not None:
            return found
    return None


def _candidates(problem: Problem) -> Iterator[Problem]:
    """The presets that have the degree, the number of weights and the inputs of a problem."""
    weights = {tensor for n in problem.model for tensor in n.tensors if tensor.is_learnable}
    degrees = {_degree(network.factors) for network in problem.model}
    if len(degrees) != 1:
        return
    (degree,) = degrees
    one = len(weights) == 1
    if not 2 <= degree <= MAXIMAL_ORDER or len(weights) not in {1, 2, degree}:
        return
    inputs = bool(problem.averaged_over)
    fixed = (t for n in problem.model for t in n.tensors if t.is_random and not t.is_learnable)
    data = next(fixed, None) is not None and not inputs
    for target in ("identity", *sorted({*TARGETS} - {"identity", "zero"})):
        target = target if len(problem.overlap) else "zero"
        if not inputs and not data and len(weights) in {1, degree}:
            yield cp(order=degree, symmetric=one, target=target)
        if data and degree == 2:
            yield (tied_autoencoder if one else autoencoder)(data=True, target=target)
        if not inputs and len(weights) == degree > 2:
            yield deep_linear(degree, data=data, target=target)
        if inputs and len(weights) == 2 and degree - 1 <= MAXIMAL_DEGREE:
            yield two_layer(degree - 1, target=target)
        if target == "zero":
            return


def _itself(preset: Problem) -> Recognised:
    symbols = (*preset.growing, *preset.variance_symbols, *preset.amplitude_symbols)
    return Recognised(
        preset=preset,
        units=_units(
            {name: Variance(powers=((name, 1),)) for name in symbols},
            preset,
            degree=_degree(preset.model[0].factors),
        ),
        losses=tuple((name, name) for name in preset.losses),
        factors=(ONE,) * len(preset.losses),
    )


def _units(
    values: Mapping[str, Variance],
    preset: Problem,
    *,
    degree: int,
    loss: Variance = ONE,
    square: Variance = ONE,
) -> Rescaling:
    return Rescaling(
        values=tuple(sorted(values.items(), key=lambda item: (symbol_order(item[0]), item[0]))),
        weights=preset.weight_variances,
        loss=loss,
        square=square,
        degree=degree,
    )


def _degree(factors: Sequence[tuple[Tensor, tuple[str, ...]]]) -> int:
    return sum(1 for tensor, _ in factors if tensor.is_learnable)


def _match(problem: Problem, preset: Problem) -> Recognised | None:
    extra = [(name, problem.quantity(name)) for name in problem.losses[1:]]
    known = [(name, preset.quantity(name)) for name in preset.losses[1:]]
    pairs = [([one], [other]) for one in extra for other in known]
    for mine, others in (*pairs, ([], [])):
        found = _renamed(problem, mine, preset, others)
        if found is not None:
            return found
    return None


def _renamed(
    problem: Problem,
    mine: Sequence[tuple[str, Quantity]],
    preset: Problem,
    others: Sequence[tuple[str, Quantity]],
) -> Recognised | None:
    """The problem as a preset, with some losses beside those that drive the flow."""
    one = _Loss.all(problem, [problem.driving.quantity, *(q for _, q in mine)])
    two = _Loss.all(preset, [preset.driving.quantity, *(q for _, q in others)])
    if one is None or two is None:
        return None
    values = _renaming(one, two, problem, preset)
    if values is None:
        return None
    names = {name: value.symbols[0] for name, value in values.items() if value.symbols}
    degree = _degree(preset.model[0].factors)
    found = [a.in_units_of(b, names, degree) for a, b in zip(one, two, strict=True)]
    units = [each for each in found if each is not None]
    if len(units) < len(found) or len({square for _, square, _ in units}) > 1:
        return None
    signs = {sign for _, _, sign in units}
    if len(signs) > 1 or (signs == {-1} and not _is_odd(preset, degree)):
        return None
    loss, square, _ = units[0]
    return Recognised(
        preset=preset,
        units=_units(values, preset, degree=degree, loss=loss, square=square),
        losses=(
            (problem.loss_name, preset.loss_name),
            *((a, b) for (a, _), (b, _) in zip(mine, others, strict=True)),
        ),
        factors=tuple(factor for factor, _, _ in units),
    )


def _is_odd(preset: Problem, degree: int) -> bool:
    """Whether the model changes its sign with that of a weight."""
    return degree % 2 == 1 or any(
        _degree([f for f in preset.model[0].factors if f[0] == tensor]) % 2
        for tensor in preset.weights
    )


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
    diagrams : tuple of (Diagram, str)
        With their colours: the number of weights, and the number in front in units of the largest.
    fronts : mapping from int to _Front
        By the number of weights.
    normalisation : Variance
    """

    diagrams: tuple[tuple[Diagram, str], ...]
    fronts: Mapping[int, _Front] = field(hash=False)
    normalisation: Variance

    @classmethod
    def all(cls, problem: Problem, quantities: Sequence[Quantity]) -> list[_Loss] | None:
        """The losses of a problem, the first of which drives the flow; None without such units."""
        rates = {name: Variance.parse(rate) for name, rate in problem.drive.rates}
        data = _data(quantities[0])
        found = [cls._of(quantity, rates, data) for quantity in quantities]
        known = [loss for loss in found if loss is not None]
        return known if len(known) == len(found) else None

    @classmethod
    def _of(
        cls, quantity: Quantity, rates: Mapping[str, Variance], data: frozenset[Tensor]
    ) -> _Loss | None:
        terms = collect((_without_pairs(diagram), c) for diagram, c in quantity.diagrams)
        groups: dict[int, list[tuple[Diagram, Fraction]]] = {}
        for diagram, c in terms:
            groups.setdefault(_weights(diagram), []).append((diagram, c))
        shared = {k: _shared_nodes([d for d, _ in group]) for k, group in groups.items() if k}
        if 0 in groups:
            shared[0] = _target_nodes(shared)
        diagrams: list[tuple[Diagram, str]] = []
        fronts = {}
        for number, group in groups.items():
            parts = {_in_front(diagram, rates, data) for diagram, _ in group}
            if len(parts) > 1:
                return None
            largest = max((c for _, c in group), key=lambda c: (abs(c), c))
            symbols = [
                product((Variance(powers=((axis.name, 1),)), 2 * k))
                for axis, k in shared[number].items()
            ]
            square = product(*((each, 1) for each in (*parts, Variance(largest**2), *symbols)))
            fronts[number] = _Front(1 if largest > 0 else -1, square)
            diagrams += [(_without(d, shared[number]), f"{number} {c / largest}") for d, c in group]
        return cls(tuple(diagrams), fronts, Variance(powers=quantity.normalisation))

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
        model, overlap, target = (ratios.get(k) for k in (2 * degree, degree, 0))
        if model is None:
            return None
        if target is None:
            target, square = model, ONE
        else:
            found = root(product((model, 1), (target, -1)))
            if found is None:
                return None
            square = found
        if overlap is not None and product((overlap, 2)) != product((model, 1), (target, 1)):
            return None
        loss = root(target)
        if loss is None:
            return None
        sign = 1
        if overlap is not None:
            sign = self.fronts[degree].sign * other.fronts[degree].sign
        size = product((self.normalisation, 1), (renamed(other.normalisation), -1))
        return product((loss, 1), (size, 1)), square, sign


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
    place = {node: number for number, node in enumerate(kept)}
    factors = tuple((t, tuple(place[node] for node in at)) for t, at in diagram.factors)
    return Diagram(tuple(diagram.nodes[node] for node in kept), factors)


def _without_pairs(diagram: Diagram) -> Diagram:
    """The diagram with every modular sum of two indices as the identity that it is."""
    pairs = [at for tensor, at in diagram.factors if tensor.kind is Kind.MODULAR and len(at) == 2]
    if not pairs:
        return diagram
    others = [f for f in diagram.factors if not (f[0].kind is Kind.MODULAR and len(f[1]) == 2)]
    return Diagram(*identify(diagram.nodes, others, [(at[0], at[1]) for at in pairs]))


# -- one graph for all names ----------------------------------------------------------------------


def _renaming(
    mine: Sequence[_Loss], other: Sequence[_Loss], problem: Problem, preset: Problem
) -> dict[str, Variance] | None:
    """The symbols of a preset as those of a problem under which some losses are equal."""
    one, two = _Graph(mine, problem), _Graph(other, preset)
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

    def __init__(self, losses: Sequence[_Loss], problem: Problem) -> None:
        self.colours: list[tuple[str, str]] = []
        self.edges: list[tuple[int, int]] = []
        self.symbols: list[tuple[Variance, int]] = []
        self._variances: dict[Variance, int] = {}
        self._axes: dict[str, int] = {}
        self._tensors: dict[Tensor, tuple[int, list[int]]] = {}
        self._amplitudes = {*problem.amplitude_symbols}
        self._rates = {name: Variance.parse(rate) for name, rate in problem.drive.rates}
        self._data = _data(problem.driving.quantity)
        for place, loss in enumerate(losses):
            for diagram, colour in loss.diagrams:
                self._diagram(diagram, f"{place} {colour}")

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
        if axis.name not in self._axes:
            size = "grows" if axis.pinned is None else str(axis.pinned)
            kind = "amplitude" if axis.name in self._amplitudes else size
            self._axes[axis.name] = self._vertex("axis", kind)
            if axis.pinned is None:
                self.symbols.append((Variance(powers=((axis.name, 1),)), self._axes[axis.name]))
        return self._axes[axis.name]

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

    def _diagram(self, diagram: Diagram, colour: str) -> None:
        whole = self._vertex("diagram", colour)
        nodes = [self._vertex("node", "", whole, self._axis(a)) for a in diagram.nodes]
        for tensor, at in diagram.factors:
            vertex, slots = self._tensor(tensor)
            factor = self._vertex("factor", "", whole, vertex)
            for slot, node in zip(slots, at, strict=True):
                self._vertex("slot", "", factor, slot, nodes[node])
