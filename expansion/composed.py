"""Quantities that are made of others: sums, products and mergers.

An *expression* is a sum of products of

- rational numbers and symbols of the problem;
- names of losses and observables; ``loss`` is that of the model and its target;
- entries of tensors with indices that are summed, ``W[k,i] W[k,j]``; so may be used ``f[i,j]``, the
  model with its open indices, and ``ntk[i,j,k,l]``, its tangent kernel: the sum over all weights u
  of df[i,j]/du df[k,l]/du. Of a model without open indices they are ``f`` and ``ntk``;
- ``merge(A, B)``, the sum over all weights u of dA/du dB/du, with expressions A and B;
- expressions in parentheses, and powers ``**2`` of all but entries.

An index lives in its product: parentheses and mergers have indices of their own.

>>> expression = read_expression("1/2*(train - f)*f + merge(f, f)**2", names=("train",))
>>> len(expression), expression[0].coefficient, len(expression[0].parts), len(expression[1].parts)
(2, Fraction(1, 2), 2, 2)

Source: ours; correlators of f and its derivatives: E. Dyer, G. Gur-Ari, "Asymptotics of wide
networks from Feynman diagrams", 2019.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Protocol

from diagrams.arguments import word
from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.errors import InvalidInputError
from diagrams.input_average import averaged
from diagrams.merge import merge
from diagrams.network import Network
from diagrams.sums import DiagramSum, collect
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Monomial, monomial
from expansion.drive import combined
from expansion.formulas import MAXIMAL_DIGITS, MAXIMAL_FACTORS, MAXIMAL_LENGTH, MAXIMAL_TERMS
from expansion.losses import Followed, Quantity
from expansion.polynomial import read_rational
from expansion.untrusted import MAXIMAL_NAME

__all__ = [
    "KERNEL",
    "MODEL",
    "Composed",
    "Entry",
    "Expression",
    "Merger",
    "Named",
    "Product",
    "World",
    "evaluated",
    "is_expression",
    "is_plain_formula",
    "read_expression",
]

MODEL, KERNEL, LOSS = "f", "ntk", "loss"
"""The words of expressions that are no names of quantities."""

MAXIMAL_DEPTH = 20
"""Deepest nesting of parentheses and mergers."""

MAXIMAL_POWER = 8
"""Highest power of a part."""

MAXIMAL_DIAGRAMS = 10_000
"""Most products of diagrams that an expression may take."""

_ENTRY = re.compile(r"([A-Za-z_]\w*)\s*\[([\w\s,]*)\]", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\s*/\s*\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MERGE = re.compile(r"merge\s*\(", re.ASCII)
_POWER = re.compile(r"\s*\*\*\s*(\d{1,3})", re.ASCII)
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Named:
    """A loss, an observable or a symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a tensor, of the model or of its kernel."""

    name: str
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merger:
    """The sum over all weights of the products of two slopes."""

    first: Expression
    second: Expression


@dataclass(frozen=True, slots=True)
class Product:
    """A number times parts; the indices of its entries are summed together."""

    coefficient: Fraction
    parts: tuple[Named | Entry | Merger | Expression, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The parts with indices."""
        return tuple(part for part in self.parts if isinstance(part, Entry))


Expression = tuple[Product, ...]
"""A sum of products."""

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
        Fixed Gaussian tensors that are averaged over in the end, before the flow.
    """

    formula: str
    tensors: tuple[Tensor, ...] = ()
    multipliers: tuple[tuple[str, Fraction, tuple[Axis, ...]], ...] = ()
    symbols: tuple[str, ...] = ()
    normalisation: Monomial = ()
    averaged_over: tuple[Tensor, ...] = ()


def is_expression(name: str) -> bool:
    """Whether a text is more than one name: an expression, or one of its words.

    Examples
    --------
    >>> [is_expression(text) for text in ("train", "weight-norm", "train**2", "ntk")]
    [False, False, True, True]
    """
    return name in (MODEL, KERNEL, LOSS) or re.fullmatch(r"[\w-]+", name, re.ASCII) is None


def is_plain_formula(text: str) -> bool:
    """Whether a formula has neither names of quantities nor products of them, but entries only.

    Examples
    --------
    >>> is_plain_formula("1/2*a W[k,i] W[k,i]"), is_plain_formula("ntk"), is_plain_formula("f[i]")
    (True, False, False)
    """
    # A symbol looks like a name: only entries make a formula plain, in every one of its terms.
    if "(" in text or "**" in text:
        return False
    entries = _ENTRY.findall(text)
    if any(name in (MODEL, KERNEL) for name, _ in entries):
        return False
    return bool(entries) and all(_ENTRY.search(term) for term in re.split(r"[+-]", text) if term)


def read_expression(text: str, *, names: Collection[str]) -> Expression:
    """The expression that a text stands for.

    Parameters
    ----------
    text : str
    names : collection of str
        Words that may contain hyphens.

    Raises
    ------
    InvalidInputError
        If it is none, or too long; the message tells the place and what may stand there.
    """
    if len(word(text, "formula")) > MAXIMAL_LENGTH:
        raise InvalidInputError(
            f"formula: is longer than {MAXIMAL_LENGTH} characters; write a shorter one"
        )
    words = sorted((name for name in names if not _WORD.fullmatch(name)), key=len, reverse=True)
    named = re.compile("(?:" + "|".join(map(re.escape, words)) + r")(?!\w)") if words else None
    expression, place = _Reader(text, named).expression(0, 0)
    if place < len(text):
        raise _unexpected(text, place, "+, - or the end")
    return expression


@dataclass(frozen=True)
class _Reader:
    text: str
    named: re.Pattern[str] | None

    def expression(self, place: int, depth: int) -> tuple[Expression, int]:
        """A sum, and the place behind it."""
        if depth > MAXIMAL_DEPTH:
            raise InvalidInputError(
                f"formula {self.text[:30]!r}: is nested more than {MAXIMAL_DEPTH} times; write a "
                "flatter one"
            )
        terms: list[Product] = []
        place = self._blank(place)
        while True:
            sign = 1
            if self.text[place : place + 1] in ("+", "-") and place < len(self.text):
                sign = -1 if self.text[place] == "-" else 1
                place = self._blank(place + 1)
            elif terms:
                return tuple(terms), place
            term, place = self._product(place, depth)
            terms.append(replace(term, coefficient=sign * term.coefficient))
            if len(terms) > MAXIMAL_TERMS:
                raise InvalidInputError(
                    f"formula {self.text[:30]!r}: has more than {MAXIMAL_TERMS} terms; write a "
                    "shorter one"
                )

    def _product(self, place: int, depth: int) -> tuple[Product, int]:
        coefficient = Fraction(1)
        parts: list[Named | Entry | Merger | Expression] = []
        first = True
        while True:
            starred = not first and self.text[place : place + 1] == "*"
            if starred:
                place = self._blank(place + 1)
            if match := _NUMBER.match(self.text, place):
                coefficient *= read_rational("".join(match[0].split()))
                place = self._blank(match.end())
            else:
                part, end = self._part(place, depth)
                if part is None:
                    if first or starred:
                        raise _unexpected(self.text, place, "a number, a name or a parenthesis")
                    break
                power = _POWER.match(self.text, end)
                count = 1
                if power is not None and not isinstance(part, Entry):
                    count, end = int(power[1]), power.end()
                    if not 1 <= count <= MAXIMAL_POWER:
                        raise _unexpected(
                            self.text, power.start(1), f"a power from 1 to {MAXIMAL_POWER}"
                        )
                parts += [part] * count
                place = self._blank(end)
            first = False
            if len(parts) > MAXIMAL_FACTORS:
                raise InvalidInputError(
                    f"formula {self.text[:30]!r}: has a term of more than {MAXIMAL_FACTORS} "
                    "factors; write a shorter one"
                )
        if max(abs(coefficient.numerator), coefficient.denominator) >= 10**MAXIMAL_DIGITS:
            raise InvalidInputError(
                f"formula {self.text[:30]!r}: has a number of more than {MAXIMAL_DIGITS} digits; "
                "write a shorter one"
            )
        return Product(coefficient, tuple(parts)), place

    def _part(
        self, place: int, depth: int
    ) -> tuple[Named | Entry | Merger | Expression | None, int]:
        text = self.text
        if self.named and (match := self.named.match(text, place)):
            return Named(match[0]), match.end()
        if match := _MERGE.match(text, place):
            first, place = self.expression(match.end(), depth + 1)
            place = self._expect(place, ",")
            second, place = self.expression(place, depth + 1)
            return Merger(first, second), self._expect(place, ")")
        if text[place : place + 1] == "(":
            inner, place = self.expression(place + 1, depth + 1)
            return inner, self._expect(place, ")")
        if match := _ENTRY.match(text, place):
            indices = tuple(index.strip() for index in match[2].split(","))
            if not all(_WORD.fullmatch(index) for index in indices):
                raise _unexpected(text, match.start(2), "names of indices with commas between")
            return Entry(_short(match[1]), tuple(map(_short, indices))), match.end()
        if match := _WORD.match(text, place):
            return Named(_short(match[0])), match.end()
        return None, place

    def _blank(self, place: int) -> int:
        match = _BLANK.match(self.text, place)
        return match.end() if match else place

    def _expect(self, place: int, mark: str) -> int:
        if self.text[place : place + 1] != mark:
            raise _unexpected(self.text, place, mark)
        return place + 1


class World(Protocol):
    """What the words of an expression stand for."""

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

    def _value(self, part: Named | Merger | Expression) -> Quantity:
        if isinstance(part, Merger):
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
                shown = ",".join("ijklmn"[: len(self.world.output_axes)]) or "i"
                raise InvalidInputError(
                    f"{self.title}: {name} stands for a model without open indices, and this one "
                    f"has {len(self.world.output_axes)}; give them, as {MODEL}[{shown}]"
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
        """What an entry may be: one network, or for a kernel two slopes with a common weight."""
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
    total = averaged(found.diagrams, *composed.averaged_over)
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


def _short(name: str) -> str:
    if len(name) > MAXIMAL_NAME:
        raise InvalidInputError(
            f"formula: the name {name[:30]!r}... has more than {MAXIMAL_NAME} characters; write a "
            "shorter one"
        )
    return name


def _unexpected(text: str, place: int, expected: str) -> InvalidInputError:
    found = repr(text[place : place + 15]) if place < len(text) else "the end"
    return InvalidInputError(
        f"formula {text[:60]!r}: has {found} in column {place + 1}; expected {expected}"
    )
