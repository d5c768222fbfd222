r"""Which preset a problem is, whatever it and its parts are called.

Two problems have the same series, up to names, when their losses are the same sum of diagrams after
a renaming of axes, tensors and variances. That is decided by one isomorphism of coloured graphs.
The graph of a loss has a vertex for every diagram, coloured by its coefficient, for every node,
factor and slot of it, and for every tensor, slot of a tensor, axis and variance; edges join what
belongs together. Names are no colours. The order of the slots of a tensor is none either.

A target c F, with a number c, is the target F in other units: with u = c^{1/ν} u' for a model of
degree ν in its weights,

    L(u) = c² L'(u'),    σ² = c^{2/ν} σ'²,    t = c^{2/ν - 2} t'.

A modular sum of two indices is the identity. A change of sign of c is undone by a weight of which
the model is an odd function.

>>> found = recognised(cp(order=3, target="2*identity + zero"))
>>> found.preset.title, str(found.scale), found.degree
('cp order=3 symmetric=false target=identity', '2', 3)

Source: ours; T. Junttila, P. Kaski, "Engineering an efficient canonical labeling tool for large
and sparse graphs", 2007, for BLISS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from diagrams.canonical import answered
from diagrams.diagram import Diagram, identify
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from diagrams.variances import Variance
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
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.targets import TARGETS

if TYPE_CHECKING:
    import igraph

__all__ = ["Recognised", "recognised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A problem as a preset under other names.

    Parameters
    ----------
    preset : Problem
    symbols : tuple of (str, str)
        The symbols of the problem, each with that of the preset.
    losses : tuple of (str, str)
        The names of the losses of the problem that are losses of the preset, with those.
    scale : Fraction
        c, positive: the target is c times that of the preset.
    degree : int
        ν, the degree of the model in its weights.
    """

    preset: Problem
    symbols: tuple[tuple[str, str], ...]
    losses: tuple[tuple[str, str], ...]
    scale: Fraction = Fraction(1)
    degree: int = 1

    @property
    def is_itself(self) -> bool:
        """Whether no symbol and no unit differs."""
        return self.scale == 1 and all(mine == other for mine, other in self.symbols)

    def __str__(self) -> str:
        """The preset in words, with what has another name or unit.

        Examples
        --------
        >>> print(recognised(cp(order=2, target="2*identity")))
        cp order=2 symmetric=false target=identity; the target is 2 times that of the preset
        """
        renamed = ", ".join(f"{mine} for {other}" for mine, other in self.symbols if mine != other)
        words = f"{self.preset.title}, with {renamed}" if renamed else self.preset.title
        if self.scale != 1:
            words += f"; the target is {self.scale} times that of the preset"
        return words

    def symbols_of(self, names: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the preset for some of the problem; others keep their names."""
        known = dict(self.symbols)
        return tuple(known.get(name, name) for name in names)

    def to_preset(self, coefficient: Polynomial, s: int) -> Polynomial:
        """Y_s of the problem as that of the preset, or a part of it."""
        return self._changed(coefficient, s, dict(self.symbols), backwards=True)

    def from_preset(self, coefficient: Polynomial, s: int) -> Polynomial:
        """Y_s of the preset as that of the problem, or a part of it."""
        names = {other: mine for mine, other in self.symbols}
        return self._changed(coefficient, s, names, backwards=False)

    def _changed(
        self, coefficient: Polynomial, s: int, names: Mapping[str, str], *, backwards: bool
    ) -> Polynomial:
        weights = {name for pair in self.symbols for name in pair if pair[1] in self._variances}
        terms = {}
        for powers, value in coefficient:
            n = sum(power for name, power in powers if name in weights)
            factors = 2 * (s + 1) - Fraction(2 * (n + s), self.degree)
            unit = self.scale ** int(factors)
            key = tuple((names.get(name, name), power) for name, power in powers)
            terms[key] = value / unit if backwards else value * unit
        return Polynomial(terms)

    @property
    def _variances(self) -> tuple[str, ...]:
        return self.preset.weight_variances


@lru_cache(maxsize=64)
def recognised(problem: Problem) -> Recognised | None:
    """The preset that a problem is under other names and units, None if there is none.

    What drives the weights belongs to a problem, and so do the laws of its tensors: presets follow
    the gradient flow of their loss from Gaussian weights of mean zero, so that a problem with
    another flow or law is none of them, whatever its loss is. Known are all presets
    with the targets of `expansion.targets.TARGETS`; a problem that is two of them is the first, a
    CP model.

    Parameters
    ----------
    problem : Problem

    Examples
    --------
    >>> recognised(deep_linear(2)).preset.title
    'cp order=2 symmetric=false target=identity'
    """
    if not problem.drive.is_plain:
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
    data = bool(problem.normalisation) and not inputs
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
    symbols = *preset.growing, *preset.variance_symbols, *preset.amplitude_symbols
    return Recognised(
        preset=preset,
        symbols=tuple(sorted((name, name) for name in symbols)),
        losses=tuple((name, name) for name in preset.losses),
        degree=_degree(preset.model[0].factors),
    )


def _degree(factors: Sequence[tuple[Tensor, tuple[str, ...]]]) -> int:
    return sum(1 for tensor, _ in factors if tensor.is_learnable)


def _match(problem: Problem, preset: Problem) -> Recognised | None:
    mine, other = problem.driving.quantity, preset.driving.quantity
    degree = _degree(preset.model[0].factors)
    scale = _target_scale(mine.diagrams, degree)
    if scale < 0:
        odd = degree % 2 == 1 or any(
            _degree([f for f in preset.model[0].factors if f[0] == tensor]) % 2
            for tensor in preset.tensors
            if tensor.is_learnable
        )
        if not odd:
            return None
    mine = _in_units(mine, degree, scale)
    extra = [(name, problem.quantity(name)) for name in problem.losses[1:]]
    known = [(name, preset.quantity(name)) for name in preset.losses[1:]]
    for name, quantity in extra:
        for known_name, known_quantity in known:
            one, two = _in_units(quantity, degree, scale), known_quantity
            symbols = _renaming([mine, one], [other, two], problem, preset)
            if symbols is not None:
                losses = (problem.loss_name, preset.loss_name), (name, known_name)
                return Recognised(
                    preset=preset,
                    symbols=symbols,
                    losses=losses,
                    scale=abs(scale),
                    degree=degree,
                )
    symbols = _renaming([mine], [other], problem, preset)
    if symbols is None:
        return None
    return Recognised(
        preset=preset,
        symbols=symbols,
        losses=((problem.loss_name, preset.loss_name),),
        scale=abs(scale),
        degree=degree,
    )


def _target_scale(diagrams: DiagramSum, degree: int) -> Fraction:
    """The number in front of the target, if it is one diagram; 1 without a target."""
    overlaps = [c for diagram, c in diagrams if _weights(diagram) == degree]
    return -overlaps[0] if len(overlaps) == 1 else Fraction(1)


def _weights(diagram: Diagram) -> int:
    return sum(1 for tensor, _ in diagram.factors if tensor.is_learnable)


def _in_units(quantity: Quantity, degree: int, scale: Fraction) -> Quantity:
    """A loss with the number in front of its target divided out, and pairs of a delta joined."""
    terms = []
    for diagram, c in quantity.diagrams:
        factors = 2 - Fraction(_weights(diagram), degree)
        power = int(factors) if factors.denominator == 1 and factors >= 0 else 0
        terms.append((_without_pairs(diagram), c / scale**power))
    return Quantity(collect(terms), quantity.normalisation)


def _without_pairs(diagram: Diagram) -> Diagram:
    """The diagram with every modular sum of two indices as the identity that it is."""
    pairs = [at for tensor, at in diagram.factors if tensor.kind is Kind.MODULAR and len(at) == 2]
    if not pairs:
        return diagram
    others = [f for f in diagram.factors if not (f[0].kind is Kind.MODULAR and len(f[1]) == 2)]
    return Diagram(*identify(diagram.nodes, others, [(at[0], at[1]) for at in pairs]))


# -- one graph for all names ----------------------------------------------------------------------


def _renaming(
    mine: Sequence[Quantity], other: Sequence[Quantity], problem: Problem, preset: Problem
) -> tuple[tuple[str, str], ...] | None:
    """The symbols of a problem with those of a preset under which some quantities are equal."""
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
    back = {vertex: name for name, vertex in two.symbols.items()}
    return tuple(sorted((name, back[image[vertex]]) for name, vertex in one.symbols.items()))


class _Graph:
    """The coloured graph of some quantities."""

    def __init__(self, quantities: Sequence[Quantity], problem: Problem) -> None:
        self.colours: list[tuple[str, str]] = []
        self.edges: list[tuple[int, int]] = []
        self.symbols: dict[str, int] = {}
        self._axes: dict[str, int] = {}
        self._tensors: dict[Tensor, tuple[int, list[int]]] = {}
        self._quantities = quantities
        self._amplitudes = {*problem.amplitude_symbols}
        for place, quantity in enumerate(quantities):
            for diagram, c in quantity.diagrams:
                self._diagram(diagram, f"{place} {c}")

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
            powers = [dict(q.normalisation).get(axis.name, 0) for q in self._quantities]
            size = "grows" if axis.pinned is None else str(axis.pinned)
            kind = "amplitude" if axis.name in self._amplitudes else size
            self._axes[axis.name] = self._vertex("axis", f"{kind} {powers}")
            if axis.pinned is None:
                self.symbols[axis.name] = self._axes[axis.name]
        return self._axes[axis.name]

    def _tensor(self, tensor: Tensor) -> tuple[int, list[int]]:
        if tensor not in self._tensors:
            joined = []
            # A variance that is no symbol, such as 1/H, is that of no preset: names must not hide.
            colour = tensor.variance if tensor.is_random else ""
            if Variance.parse(colour or UNIT_VARIANCE).symbols == (colour,):
                if colour not in self.symbols:
                    self.symbols[colour] = self._vertex("variance", "")
                joined.append(self.symbols[colour])
                colour = "symbol"
            vertex = self._vertex("tensor", f"{tensor.kind.value} {colour}", *joined)
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
