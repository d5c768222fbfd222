"""Quantities that are made of others: the diagrams of an expression.

The words of an expression (`expansion.expressions`) become sums of diagrams: names those of the
quantities of a problem, products diagrams side by side, mergers those of `diagrams.merge`, and
entries with common indices one diagram for every choice of networks of the model among them.

Source: ours; correlators of f and its derivatives: E. Dyer, G. Gur-Ari, "Asymptotics of wide
networks from Feynman diagrams", 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Protocol

from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.errors import InvalidInputError
from diagrams.input_average import average_over
from diagrams.merge import merge
from diagrams.network import Network
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Monomial, monomial
from expansion.drive import combined
from expansion.expressions import (
    KERNEL,
    LOSS,
    MODEL,
    Entry,
    Expression,
    Named,
    Power,
    Product,
    SlopeProduct,
    read_expression,
)
from expansion.losses import Followed, Quantity

__all__ = ["Composed", "World", "evaluated"]

MAXIMAL_DIAGRAMS = 10_000
"""Most products of diagrams that an expression may take."""

MAXIMAL_SIZE = 200
"""Most nodes and factors of a diagram of an expression."""

_Piece = tuple[Network, tuple[Axis, ...], tuple[str, ...]]
"""A network, the axes of its open indices, and names for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed(Followed):
    """An observable that is made of others.

    Parameters
    ----------
    name : str
        By which it is asked for.
    formula : str
        An expression.
    tensors : tuple of Tensor, default ()
        What the names with indices stand for.
    multipliers : tuple of (str, Fraction, tuple of Axis), default ()
        What an entry of a tensor is multiplied by.
    symbols : tuple of str, default ()
        What may stand in front, besides the symbols of the problem.
    normalisation : Monomial, default ()
        Powers of symbols in front.
    averaged_over : tuple of Tensor, default ()
        Fixed random tensors that are averaged over in the end, before the flow.
    """

    formula: str
    tensors: tuple[Tensor, ...] = ()
    multipliers: tuple[tuple[str, Fraction, tuple[Axis, ...]], ...] = ()
    symbols: tuple[str, ...] = ()
    normalisation: Monomial = ()
    averaged_over: tuple[Tensor, ...] = ()


class World(Protocol):
    """The meanings of the words of an expression."""

    @property
    def model(self) -> tuple[Network, ...]:
        """The model f."""

    @property
    def output_axes(self) -> tuple[Axis, ...]:
        """The axes of its open indices."""

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """All learnable tensors."""

    @property
    def loss_name(self) -> str:
        """The name of the loss of the model and its target."""


@dataclass(frozen=True)
class _Evaluation:
    """An expression on its way to diagrams.

    Parameters
    ----------
    title : str
        For messages.
    world : World
    quantity : callable
        From the name of a quantity to it, or None if there is none.
    symbols : collection of str
        What may stand in front.
    composed : Composed
    """

    title: str
    world: World
    quantity: Callable[[str], Quantity | None]
    symbols: Collection[str]
    composed: Composed

    def total(self, expression: Expression) -> Quantity:
        parts = [self._product(term) for term in expression]
        total, powers = combined([(1, q.normalisation, q.diagrams) for q in parts])
        return Quantity(total, powers)

    def _product(self, term: Product) -> Quantity:
        result = Quantity(DiagramSum({Diagram(()): term.coefficient}))
        if term.entries:
            result = self._times(result, Quantity(self._entries(term.entries)))
        for part in term.parts:
            if not isinstance(part, Entry):
                result = self._times(result, self._value(part))
        return result

    def _value(self, part: Named | SlopeProduct | Power | Expression) -> Quantity:
        if isinstance(part, Power):
            base = result = self._value(part.base)
            for _ in range(part.exponent - 1):
                result = self._times(result, base)
            return result
        if isinstance(part, SlopeProduct):
            first, second = self.total(part.first), self.total(part.second)
            self._bound(len(first.diagrams) * len(second.diagrams))
            return Quantity(
                merge(first.diagrams, second.diagrams),
                _powers(first.normalisation, second.normalisation),
            )
        if isinstance(part, Named):
            return self._named(part.name)
        return self.total(part)

    def _named(self, name: str) -> Quantity:
        found = self.quantity(name)
        if found is not None:
            return found
        if name in self.symbols:
            return Quantity(DiagramSum({Diagram((Axis(name),)): 1}))
        if name == LOSS:
            found = self.quantity(self.world.loss_name)
            assert found is not None
            return found
        if name in (MODEL, KERNEL):
            if self.world.output_axes:
                # A kernel has the indices of two outputs.
                rank = len(self.world.output_axes) * (2 if name == KERNEL else 1)
                shown = ",".join("ijklmnopqrstuvwxyz"[:rank])
                raise InvalidInputError(
                    f"{self.title}: {name} stands for a model without open indices, and this one "
                    f"has {len(self.world.output_axes)}; give them, as {name}[{shown}]"
                )
            return Quantity(self._entries((Entry(name, ()),)))
        raise InvalidInputError(
            f"{self.title}: {name!r} is no loss, observable or symbol of this problem; use "
            f"{', '.join(self._known())}, or entries of tensors such as W[k,i]"
        )

    def _known(self) -> Iterator[str]:
        yield from (LOSS, MODEL, KERNEL)
        yield from sorted(self.symbols)

    def _entries(self, entries: Sequence[Entry]) -> DiagramSum:
        """Entries that share indices, as a sum over the networks of the models among them."""
        total: list[tuple[Diagram, Fraction]] = []
        for chosen in product(*(self._choices(n, entry) for n, entry in enumerate(entries))):
            self._bound(len(total))
            pieces = [piece for choice in chosen for piece in choice]
            c = prod((network.coefficient for network, _, _ in pieces), start=Fraction(1))
            total.append((self._joined(pieces), c))
        return collect(total)

    def _choices(self, number: int, entry: Entry) -> list[list[_Piece]]:
        """An entry: one network, or for a kernel two slopes with a common weight."""
        world = self.world
        named = {tensor.name: tensor for tensor in self.composed.tensors}
        own, rank = entry.name in named, len(world.output_axes)
        wanted = named[entry.name].rank if own else rank * (1 + (entry.name == KERNEL))
        if not own and entry.name not in (MODEL, KERNEL):
            raise InvalidInputError(
                f"{self.title}: there is no tensor {entry.name!r}; use one of "
                f"{', '.join([*named, MODEL, KERNEL])}"
            )
        if len(entry.indices) != wanted:
            raise InvalidInputError(
                f"{self.title}: {entry.name} has {len(entry.indices)} indices but needs {wanted}; "
                "give one for each"
            )
        if own:
            tensor = named[entry.name]
            return [[(self._tensor(tensor), tensor.axes, entry.indices)]]
        if entry.name == MODEL:
            return [[(network, world.output_axes, entry.indices)] for network in world.model]
        first, second = entry.indices[:rank], entry.indices[rank:]
        found = []
        for tensor in world.weights:
            # A blank, which no index of a user has, marks the slots of the weight.
            slots = tuple(f"{number} {slot}" for slot in range(tensor.rank))
            axes = (*world.output_axes, *tensor.axes)
            slopes = [slope for network in world.model for slope in network.derivatives(tensor)]
            found += [
                [(one, axes, (*first, *slots)), (other, axes, (*second, *slots))]
                for one in slopes
                for other in slopes
            ]
        return found

    def _joined(self, pieces: Sequence[_Piece]) -> Diagram:
        """The diagram of networks whose open indices of one name are one index."""
        nodes: list[Axis] = []
        factors: list[Factor] = []
        pairs: list[tuple[int, int]] = []
        places: dict[str, int] = {}
        for network, output_axes, names in pieces:
            axes = network.index_axes(output_axes)
            number = {index: len(nodes) + k for k, index in enumerate(axes)}
            nodes += [*axes.values(), *network.amplitudes]
            factors += [(t, tuple(number[i] for i in at)) for t, at in network.factors]
            for index, name in zip(network.output, names, strict=True):
                place = places.setdefault(name, number[index])
                if nodes[place] != nodes[number[index]]:
                    raise InvalidInputError(
                        f"{self.title}: index {name!r} lies on the axes {nodes[place].name} and "
                        f"{nodes[number[index]].name}; use another name for one of them"
                    )
                pairs.append((place, number[index]))
        return Diagram(*identify(nodes, factors, pairs))

    def _tensor(self, tensor: Tensor) -> Network:
        at = tuple(f"slot{k}" for k in range(tensor.rank))
        multiplied = {name: (c, axes) for name, c, axes in self.composed.multipliers}
        c, axes = multiplied.get(tensor.name, (Fraction(1), ()))
        return Network(((tensor, at),), at, c, axes)

    def _times(self, first: Quantity, second: Quantity) -> Quantity:
        self._bound(len(first.diagrams) * len(second.diagrams))
        if _size(first) + _size(second) > MAXIMAL_SIZE:
            raise InvalidInputError(
                f"{self.title}: makes diagrams of more than {MAXIMAL_SIZE} nodes and factors; take "
                "lower powers"
            )
        return Quantity(
            collect(
                (_beside(one, other), a * b)
                for one, a in first.diagrams
                for other, b in second.diagrams
            ),
            _powers(first.normalisation, second.normalisation),
        )

    def _bound(self, count: int) -> None:
        if count > MAXIMAL_DIAGRAMS:
            raise InvalidInputError(
                f"{self.title}: takes more than {MAXIMAL_DIAGRAMS} products of diagrams; write a "
                "shorter expression"
            )


def evaluated(
    composed: Composed,
    world: World,
    quantity: Callable[[str], Quantity | None],
    *,
    names: Collection[str],
    symbols: Collection[str],
) -> Quantity:
    """The diagrams of a composed quantity.

    Parameters
    ----------
    composed : Composed
    world : World
        The problem.
    quantity : callable
        From a name to what it stands for, None if there is no such quantity.
    names : collection of str
        The names of the quantities.
    symbols : collection of str
        What may stand in front.

    Raises
    ------
    InvalidInputError
        If a word of the formula stands for nothing, or the formula is too long.
    """
    title = f"observable {composed.name[:60]!r}"
    expression = read_expression(composed.formula, names=names)
    found = _Evaluation(title, world, quantity, symbols, composed).total(expression)
    total = average_over(found.diagrams, *composed.averaged_over)
    return Quantity(total, _powers(found.normalisation, composed.normalisation))


def _powers(first: Monomial, second: Monomial) -> Monomial:
    total = dict(first)
    for name, power in second:
        total[name] = total.get(name, 0) + power
    return monomial(total)


def _beside(first: Diagram, second: Diagram) -> Diagram:
    """The product of two diagrams: both of them, with nothing in common."""
    shift = len(first.nodes)
    moved = tuple((tensor, tuple(node + shift for node in at)) for tensor, at in second.factors)
    return Diagram((*first.nodes, *second.nodes), (*first.factors, *moved))


def _size(quantity: Quantity) -> int:
    """Nodes and factors of the largest diagram."""
    sizes = (len(diagram.nodes) + len(diagram.factors) for diagram, _ in quantity.diagrams)
    return max(sizes, default=0)
