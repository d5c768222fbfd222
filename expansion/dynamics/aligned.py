r"""Aligned matrices: hierarchies of words that one matrix, frozen or not, carries alone.

Where all moving matrices start from zero or as multiples of the identity, at leading order, and one
further matrix X is in the words, every matrix is a function of X and stays one: the flow keeps the
singular vectors of X. What moves are numbers for every singular value x of X:

- s, the singular value of a matrix that starts from zero, or x itself for one that moves;
- g_ab = M_aᵀM_b, of matrices M_a whose rows are many more than their columns: these are
  concentrated, g_ab(0) = δ_ab · (rows) · var(M_a).

A word is the sum over x of a product of these numbers, p(x) what x has of the potential, and

    s_a'  =  - r_a ∂p/∂s_a,      M_a' = - r_a Σ_b (1 + δ_ab) ∂p/∂g_ab M_b.

A symmetric X has eigenvalues of either sign. The law of x at time zero is known by its moments,
which are sums over pairings without crossings (`expansion.dynamics.planar`).

>>> from expansion.dynamics.derivation import derive
>>> from expansion.models import tied_autoencoder
>>> from expansion.regimes import regimes
>>> found = aligned_model(derive(regimes(tied_autoencoder(data=True), terms=4), "mean-field"))
>>> print(found)
dg_1_1/dτ = 4*N**-1 x^2 g_1_1 - 4*N**-1 x^2 g_1_1^2;  g_1_1(0) = H*sigma2

Source: A. M. Saxe, J. L. McClelland, S. Ganguli, ICLR 2014 (arXiv:1312.6120), for the alignment
of the layers of linear networks; as a kind of hierarchy, ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import NamedTuple

from diagrams.diagram import Diagram
from diagrams.generator import is_velocity
from diagrams.tensors import Axis, Tensor
from diagrams.wick import monomial
from expansion.dynamics.derivation import EffectiveDynamics
from expansion.dynamics.hierarchy import CoreTerm
from expansion.dynamics.matrix_model import speed_of
from expansion.dynamics.planar import GrowingWords
from expansion.dynamics.trace_words import TensorLetter, are_words, named, trace_letters, transposed
from expansion.polynomial import Polynomial

__all__ = ["AlignedModel", "AlignedTerm", "Powers", "aligned_model"]

Powers = tuple[int, tuple[tuple[int, int], ...]]
"""The power of x, and the variables with their powers, by place."""

_ONE, _ZERO = Polynomial({(): 1}), Polynomial()


@dataclass(frozen=True, slots=True)
class AlignedTerm:
    """A coefficient times a product of sums over the singular values.

    Parameters
    ----------
    coefficient : Polynomial
    traces : tuple of Powers
    """

    coefficient: Polynomial
    traces: tuple[Powers, ...]


@dataclass(frozen=True)
class AlignedModel:
    """Numbers for every singular value of a matrix, and how they move.

    Parameters
    ----------
    variables : tuple of str
    start : tuple of (Polynomial, int)
        A coefficient and a power of x for every variable.
    rates : tuple of tuple of AlignedTerm
        Of every variable: the first of the traces is no sum, but belongs to the singular value that
        moves.
    output : tuple of AlignedTerm
    moments : GrowingWords
        Whose means are tr (XᵀX)^k.
    order : Fraction
        That of the output.
    time : Fraction
        How much smaller than its rate a change in natural times is, as an order.
    """

    variables: tuple[str, ...]
    start: tuple[tuple[Polynomial, int], ...]
    rates: tuple[tuple[AlignedTerm, ...], ...]
    output: tuple[AlignedTerm, ...]
    moments: GrowingWords
    order: Fraction
    time: Fraction

    def __str__(self) -> str:
        lines = []
        for name, rate, (value, power) in zip(self.variables, self.rates, self.start, strict=True):
            terms = " + ".join(map(self._text, rate)).replace("+ -", "- ") or "0"
            at_zero = self._product((power, ()), value)
            lines.append(f"d{name}/dτ = {terms};  {name}(0) = {at_zero}")
        return "\n".join(lines)

    def _text(self, term: AlignedTerm) -> str:
        own, *sums = term.traces
        shown = self._product(own, term.coefficient)
        return " ".join([shown, *(f"Σ({self._product(each, _ONE)})" for each in sums)])

    def _product(self, powers: Powers, coefficient: Polynomial) -> str:
        power, variables = powers
        named = [("x", power), *((self.variables[place], k) for place, k in variables)]
        factors = [name + (f"^{k}" if k > 1 else "") for name, k in named if k]
        shown = str(coefficient)
        if factors and coefficient == _ONE:
            return " ".join(factors)
        return " ".join([f"({shown})" if len(coefficient) > 1 else shown, *factors])

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in coefficients, starts and moments, sorted."""
        polynomials = [term.coefficient for rate in self.rates for term in rate]
        polynomials += [term.coefficient for term in self.output]
        polynomials += [value for value, _ in self.start]
        polynomials += self.moments.means(2)
        return tuple(sorted({name for each in polynomials for name in each.symbols}))

    @property
    def symmetric(self) -> bool:
        """Whether X is symmetric, with eigenvalues of either sign, as likely as each other."""
        return self.moments.piece[0][0].symmetric

    @property
    def whole(self) -> bool:
        """Whether what is followed, or what moves, has a part where x is zero."""
        products = [trace for term in self.output for trace in term.traces]
        products += [trace for rate in self.rates for term in rate for trace in term.traces[1:]]
        return any(self._least(each) == 0 for each in products)

    def _least(self, powers: Powers) -> int:
        power, variables = powers
        vanishing = {place for place, (value, e) in enumerate(self.start) if e or not len(value)}
        return power + sum(k for place, k in variables if place in vanishing)


class _Letters:
    """How the matrices of some words start, and where they are attached."""

    def __init__(self, dynamics: EffectiveDynamics, tensors: Sequence[Tensor]) -> None:
        self._scales = dynamics.scales
        self.moving = [t for t in tensors if t.is_learnable]
        self.wide = {t: slot for t in self.moving if (slot := self._wide_slot(t)) is not None}
        self.vanishing = {t for t in self.moving if self._vanishes(t)}
        self.small = [t for t in self.moving if t not in self.wide]

    def _wide_slot(self, tensor: Tensor) -> int | None:
        """The slot of the rows of a matrix with many more rows than columns."""
        order = self._scales.scaling.order
        orders = [order(monomial({axis.name: 1})) for axis in tensor.axes]
        return None if orders[0] == orders[1] else int(orders[1] > orders[0])

    def _vanishes(self, tensor: Tensor) -> bool:
        """Whether a matrix is larger after a natural time, by an order, than at first."""
        scales = self._scales
        square = Diagram(tensor.axes, ((tensor, (0, 1)), (tensor, (0, 1))))
        at_first, later = scales.scaling.top(scales.averages.mean(square)), scales.of(square)
        return at_first is None or (later is not None and later > at_first)


def aligned_model(dynamics: EffectiveDynamics) -> AlignedModel | None:
    """The aligned matrices behind the effective dynamics of a regime.

    Returns
    -------
    AlignedModel or None
        None if its cores are no words of this kind.
    """
    driven = dynamics.problem.dynamics
    generator = driven.generator
    if generator.temperature is not None or generator.friction is not None:
        return None
    potential = [term for term in dynamics.potential if term.cores]
    cores = {core for term in (*potential, *dynamics.output) for core in term.cores}
    if not potential or not are_words(cores, dynamics.scales.scaling):
        return None
    tensors = sorted({t for core in cores for t in core.tensors}, key=lambda t: t.sort_key)
    if any(is_velocity(t) or (t.symmetric and t.is_learnable) for t in tensors):
        return None
    letters = _Letters(dynamics, tensors)
    words = {core: trace_letters(core) for core in cores}
    carrier = _carrier(letters, words.values())
    if carrier is None:
        return None
    for each in (carrier, transposed(carrier)):
        model = _model(dynamics, letters, each, words)
        if model is None or not model.whole:
            return model
        # What is there without X is counted on its left.
        if _counted(letters, each):
            return model
    return None


def _model(
    dynamics: EffectiveDynamics,
    letters: _Letters,
    carrier: tuple[TensorLetter, ...],
    words: Mapping[Diagram, Sequence[TensorLetter]],
) -> AlignedModel | None:
    """The model with a carrier, None if the words are none of numbers for its singular values."""
    driven, scaling = dynamics.problem.dynamics, dynamics.scales.scaling
    alignment = _Alignment(letters, carrier)
    traces: dict[Diagram, Powers] = {}
    for core, word in words.items():
        trace = alignment.trace(word)
        if trace is None:
            return None
        traces[core] = trace
    if not alignment.holds:
        return None

    def terms(found: Iterable[CoreTerm]) -> tuple[AlignedTerm, ...]:
        return tuple(
            AlignedTerm(term.coefficient, tuple(traces[core] for core in term.cores))
            for term in found
        )

    speeds = {tensor: speed_of(driven, tensor) for tensor in letters.moving}
    return AlignedModel(
        variables=alignment.variables,
        start=alignment.start(),
        rates=alignment.rates(terms(t for t in dynamics.potential if t.cores), speeds),
        output=terms(dynamics.output),
        moments=GrowingWords((), (*carrier, *transposed(carrier)), scaling),
        order=dynamics.order,
        time=dynamics.time,
    )


def _counted(letters: _Letters, carrier: tuple[TensorLetter, ...]) -> bool:
    """Whether the columns of all matrices with many rows are as many as X has on its left."""
    (tensor, turned), *_ = carrier
    left = tensor.axes[int(turned)]
    return all(t.axes[1 - slot] == left for t, slot in letters.wide.items())


def _carrier(
    letters: _Letters, words: Iterable[Sequence[TensorLetter]]
) -> tuple[TensorLetter, ...] | None:
    """X, a matrix or a product of fixed ones, None if there is none or more than one."""
    starting = [t for t in letters.small if t not in letters.vanishing]
    runs = {run for word in words for run in _runs(word, letters)}
    if starting:
        return ((starting[0], False),) if len(starting) == 1 and not runs else None
    if not runs:
        return None
    single = {tensor for run in runs for tensor, _ in run}
    if len(single) == 1:
        return ((single.pop(), False),)
    shortest = min(runs, key=len)
    if all(run in (shortest, transposed(shortest)) for run in runs):
        return shortest
    return None


def _runs(word: Sequence[TensorLetter], letters: _Letters) -> Iterator[tuple[TensorLetter, ...]]:
    """The products of fixed matrices in a cyclic word, between those that move."""
    first = next((k for k, (tensor, _) in enumerate(word) if tensor.is_learnable), None)
    if first is None:
        yield tuple(word)
        return
    run: list[TensorLetter] = []
    for letter in (*word[first:], *word[:first], word[first]):
        if letter[0].is_learnable:
            if run:
                yield tuple(run)
            run = []
        else:
            run.append(letter)


_End = tuple[str, int]
"""A matrix by its name, and one of its two slots."""


class _Item(NamedTuple):
    """A factor of a word: where it is attached, and X or a variable."""

    left: _End
    right: _End
    power: int = 0
    variable: int | None = None


class _Alignment:
    """Words as products of numbers, and the sides of X that the matrices are attached to."""

    def __init__(self, letters: _Letters, carrier: tuple[TensorLetter, ...]) -> None:
        self._letters, self._carrier = letters, carrier
        wide = sorted(letters.wide, key=lambda t: t.sort_key)
        self._pairs = [
            (a, b)
            for a, b in combinations_with_replacement(wide, 2)
            if a.axes[letters.wide[a]] == b.axes[letters.wide[b]]
        ]
        self._small = list(letters.small)
        number = {tensor: k for k, tensor in enumerate(wide, start=1)}
        self.variables = (
            *(f"g_{number[a]}_{number[b]}" for a, b in self._pairs),
            *(f"s_{k}" for k in range(1, len(self._small) + 1)),
        )
        self._place = {frozenset(pair): k for k, pair in enumerate(self._pairs)}
        self._small_place = {t: len(self._pairs) + k for k, t in enumerate(self._small)}
        self._sides: dict[_End, _End] = {}
        self._axes: dict[_End, Axis] = {}

    # -- words ---------------------------------------------------------------------------------

    def trace(self, word: Sequence[TensorLetter]) -> Powers | None:
        """A cyclic word as a product of numbers, None if it is none."""
        items = self._items(word)
        if items is None:
            return None
        power, variables = 0, Counter[int]()
        for item, following in zip(items, (*items[1:], items[0]), strict=True):
            self._join(item.right, following.left)
            power += item.power
            if item.variable is not None:
                variables[item.variable] += 1
        return power, tuple(sorted(variables.items()))

    def _items(self, word: Sequence[TensorLetter]) -> list[_Item] | None:
        """What a word is made of, None if it is not made of numbers."""
        word = self._rotated(word)
        items: list[_Item] = []
        k = 0
        while k < len(word):
            tensor, turned = word[k]
            if tensor in self._letters.wide:
                pair = word[k : k + 2]
                if len(pair) < 2 or not self._meet(*pair):
                    return None
                place = self._place.get(frozenset((tensor, pair[1][0])))
                if place is None:
                    return None
                items.append(_Item(self._end(pair[0]), self._end(pair[1]), variable=place))
                k += 2
            elif tensor.is_learnable:
                variable = self._small_place[tensor]
                left, right = (tensor.name, int(turned)), (tensor.name, int(not turned))
                for end in (left, right):
                    self._axes[end] = tensor.axes[end[1]]
                items.append(_Item(left, right, variable=variable))
                k += 1
            else:
                size = len(self._carrier)
                piece = tuple(word[k : k + size])
                if piece not in (self._carrier, transposed(self._carrier)):
                    return None
                items.append(_Item(*self._carrier_ends(piece), power=1))
                k += size
        return items

    def _rotated(self, word: Sequence[TensorLetter]) -> tuple[TensorLetter, ...]:
        """A cyclic word from a place on at which no product of two is cut."""
        for k in range(len(word)):
            turned = (*word[k:], *word[:k])
            if turned[0][0] in self._letters.wide:
                if self._meet(turned[0], turned[1]):
                    return turned
            elif turned[0][0].is_learnable or (
                tuple(turned[: len(self._carrier)])
                in (
                    self._carrier,
                    transposed(self._carrier),
                )
                and not any(t.is_learnable for t, _ in word)
            ):
                return turned
        return tuple(word)

    def _meet(self, one: TensorLetter, other: TensorLetter) -> bool:
        """Whether two letters that follow each other share the many rows."""
        (first, a), (second, b) = one, other
        wide = self._letters.wide
        return second in wide and wide[first] == int(not a) and wide[second] == int(b)

    # -- sides ---------------------------------------------------------------------------------

    def _end(self, letter: TensorLetter) -> _End:
        """The columns of a matrix with many rows."""
        tensor, _ = letter
        end = (tensor.name, 1 - self._letters.wide[tensor])
        self._axes[end] = tensor.axes[end[1]]
        return end

    def _carrier_ends(self, piece: tuple[TensorLetter, ...]) -> tuple[_End, _End]:
        ends = ("X", 0), ("X", 1)
        (first, a), (last, b) = self._carrier[0], self._carrier[-1]
        self._axes[ends[0]], self._axes[ends[1]] = first.axes[int(a)], last.axes[int(not b)]
        return ends if piece == self._carrier else (ends[1], ends[0])

    def _root(self, end: _End) -> _End:
        while self._sides.get(end, end) != end:
            end = self._sides[end]
        return end

    def _join(self, one: _End, other: _End) -> None:
        self._sides[self._root(one)] = self._root(other)

    @property
    def holds(self) -> bool:
        """Whether every matrix is attached to the sides of X, apart or those of one space."""
        sides = self._carrier_sides()
        if self._carrier[0][0].symmetric:
            self._join(*sides)
        left, right = (self._root(end) for end in sides)
        apart = left != right or self._carrier[0][0].symmetric
        return apart and {self._root(end) for end in self._axes} <= {left, right}

    def _carrier_sides(self) -> tuple[_End, _End]:
        ((tensor, _), *rest) = self._carrier
        if tensor.is_learnable and not rest:
            return (tensor.name, 0), (tensor.name, 1)
        return ("X", 0), ("X", 1)

    # -- the flow ------------------------------------------------------------------------------

    def start(self) -> tuple[tuple[Polynomial, int], ...]:
        """What every variable is at time zero."""
        vanishing = self._letters.vanishing
        carried = {tensor for tensor, _ in self._carrier}
        result: list[tuple[Polynomial, int]] = []
        for a, b in self._pairs:
            rows = a.axes[self._letters.wide[a]]
            whole = named(rows.name, a.variance)
            result.append((whole if a == b and a not in vanishing else _ZERO, 0))
        for tensor in self._small:
            result.append((_ONE, 1) if tensor in carried else (_ZERO, 0))
        return tuple(result)

    def rates(
        self, potential: Sequence[AlignedTerm], speeds: Mapping[Tensor, Polynomial]
    ) -> tuple[tuple[AlignedTerm, ...], ...]:
        """How every variable moves."""
        slopes = [list(_slope(potential, place)) for place in range(len(self.variables))]
        result = []
        for a, b in self._pairs:
            terms = [*self._pulled(a, b, slopes, speeds), *self._pulled(b, a, slopes, speeds)]
            result.append(_collected(terms))
        for tensor in self._small:
            place = self._small_place[tensor]
            result.append(_collected(_times(slopes[place], speeds[tensor] * -1, ())))
        return tuple(result)

    def _pulled(
        self,
        moved: Tensor,
        other: Tensor,
        slopes: Sequence[Sequence[AlignedTerm]],
        speeds: Mapping[Tensor, Polynomial],
    ) -> Iterator[AlignedTerm]:
        """What the motion of one of two matrices changes of their product."""
        for pair, place in self._place.items():
            if moved not in pair:
                continue
            partner = next(iter(pair - {moved}), moved)
            product = self._place.get(frozenset((partner, other)))
            if product is not None:
                twice = 2 if partner == moved else 1
                yield from _times(slopes[place], speeds[moved] * -twice, (product,))


def _slope(terms: Iterable[AlignedTerm], place: int) -> Iterator[AlignedTerm]:
    """The derivative by a variable at one singular value; its trace comes first."""
    for term in terms:
        for number, (power, variables) in enumerate(term.traces):
            table = dict(variables)
            k = table.get(place, 0)
            if not k:
                continue
            table[place] = k - 1
            own = power, tuple(sorted((v, e) for v, e in table.items() if e))
            others = (*term.traces[:number], *term.traces[number + 1 :])
            yield AlignedTerm(term.coefficient * k, (own, *others))


def _times(
    terms: Iterable[AlignedTerm], factor: Polynomial, places: Sequence[int]
) -> Iterator[AlignedTerm]:
    for term in terms:
        (power, variables), *others = term.traces
        table = Counter(dict(variables))
        table.update(places)
        own = power, tuple(sorted(table.items()))
        yield AlignedTerm(term.coefficient * factor, (own, *others))


def _collected(terms: Iterable[AlignedTerm]) -> tuple[AlignedTerm, ...]:
    total: dict[tuple[Powers, ...], Polynomial] = {}
    for term in terms:
        key = term.traces[0], *sorted(term.traces[1:])
        total[key] = total.get(key, _ZERO) + term.coefficient
    return tuple(AlignedTerm(c, key) for key, c in sorted(total.items()) if len(c))
