r"""Contraction by partitions of indices, for entries that are independent and of any named law.

A sum over all indices is the sum, over the set partitions of the nodes, of the sums in which
exactly the nodes of a block have equal indices. With n indices on an axis, b different ones can be
chosen in n (n - 1) ... (n - b + 1) ways, and then every entry is independent of all others, so that
the mean is a product of moments. Blocks of factors (`diagrams.wick`) are never met: of entries ±σ
these are many, and almost all cancel.

Most partitions need not be listed either. Let the *inner* nodes be those of a set of axes such that
no factor meets two of them, as the p-nodes of a weight H × p; the *outer* nodes are the others.
Once the outer nodes are partitioned, an inner node is a monomial in entries, and the sum over inner
indices,

    F(S) = sum over the blocks B of S that hold its first node, of  m(B) n F'(S - B),

with m(B) the moment of the product of the monomials of B, depends on the multiset S of monomials
alone: equal monomials are counted, not told apart. In F' one index less is left to choose from, so
that falling powers of n are counted. Of an even law only monomials whose product is even meet in
a block, and even powers of a sign are no part of a monomial.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2", law="rademacher")
>>> overlap = Diagram((H, H, *[p] * 6), tuple((W, (k, 2 + i)) for k in (0, 1) for i in range(6)))
>>> for monomial, coefficient in IndexPartitions().expectation(overlap)[0].items():
...     print(coefficient, monomial)
-16 (('H', 1), ('p', 1), ('sigma2', 6))
30 (('H', 1), ('p', 2), ('sigma2', 6))
-15 (('H', 1), ('p', 3), ('sigma2', 6))
1 (('H', 1), ('p', 6), ('sigma2', 6))
16 (('H', 2), ('p', 1), ('sigma2', 6))
-30 (('H', 2), ('p', 2), ('sigma2', 6))
15 (('H', 2), ('p', 3), ('sigma2', 6))

Source: ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import chain, combinations, product
from math import comb, lcm, prod
from operator import mul

from diagrams.diagram import Diagram
from diagrams.factorials import double_factorial
from diagrams.laws import Law
from diagrams.tensors import Axis, Tensor
from diagrams.variances import Powers

__all__ = ["STEPS_OF_ONE", "IndexPartitions"]

MOST_PARTITIONS = 250
"""With more set partitions of its outer nodes a diagram is left to blocks of factors."""

STEPS_OF_ONE = 100
"""Steps of a sum over partitions that count as one diagram more."""

_NAMED = ("gaussian", "rademacher", "uniform", "bernoulli")

_Slots = tuple[int | None, ...]
"""The classes of the outer nodes in the slots of a factor; None stands for the inner node."""

_Entry = tuple[Tensor, _Slots]

_Monomial = tuple[tuple[int, int], ...]
"""Numbers of entries with their powers, sorted."""

_Counts = tuple[int, ...]

_Sum = dict[tuple[int, ...], Fraction]
"""Coefficients by the number of different indices and the powers of probabilities."""


class IndexPartitions:
    """Means of diagrams by partitions of their indices; sums over inner indices are kept."""

    def __init__(self) -> None:
        self._sums: dict[Hashable, tuple[_Sum, int]] = {}

    @staticmethod
    def suits(diagram: Diagram) -> bool:
        """Whether all moments are monomials, and few partitions have to be listed.

        Examples
        --------
        >>> from diagrams.tensors import Axis, Tensor
        >>> p, H = Axis("p"), Axis("H")
        >>> W = Tensor("W", (H, p), variance="sigma2", mean="mu")
        >>> IndexPartitions.suits(Diagram((H, p), ((W, (0, 1)),)))
        False
        """
        return all(_is_named(tensor) for tensor in diagram.tensors) and (
            _partitions_of(diagram, _inner_axes(diagram)) <= MOST_PARTITIONS
        )

    def expectation(self, diagram: Diagram) -> tuple[dict[Powers, Fraction], int]:
        """The mean of a diagram that suits, and the work that it took, a function of the diagram.

        Returns
        -------
        dict
            Coefficients of monomials in the names of axes and the texts of variances and
            probabilities, which `diagrams.laws.evaluated` replaces.
        int
        """
        inner = _inner_axes(diagram)
        outer = [v for v, axis in enumerate(diagram.nodes) if axis not in inner]
        axes = sorted({diagram.nodes[v] for v in outer}, key=lambda axis: axis.sort_key)
        groups = [[v for v in outer if diagram.nodes[v] == axis] for axis in axes]
        inner_axes = sorted(
            {axis for axis in diagram.nodes if axis in inner}, key=lambda axis: axis.sort_key
        )
        symbols = sorted({t.entries.probability for t in diagram.tensors} - {""})
        total: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)
        work = 1
        for classes in product(*(_set_partitions(len(group)) for group in groups)):
            class_of = {
                v: (place, number)
                for place, (group, numbers) in enumerate(zip(groups, classes, strict=True))
                for v, number in zip(group, numbers, strict=True)
            }
            chosen = tuple(1 + max(numbers, default=-1) for numbers in classes)
            found, more = self._of_partition(diagram, class_of, inner_axes, symbols)
            work += more
            for powers, c in found.items():
                total[*chosen, *powers] += c
        return _in_powers(total, [*axes, *inner_axes], symbols, _base(diagram)), work

    def _of_partition(
        self,
        diagram: Diagram,
        class_of: Mapping[int, tuple[int, int]],
        inner_axes: Sequence[Axis],
        symbols: Sequence[str],
    ) -> tuple[dict[tuple[int, ...], Fraction], int]:
        """The sum over different indices of the outer classes, by the counts of inner indices."""
        outside: Counter[_Entry] = Counter()
        inside: dict[int, Counter[_Entry]] = {
            v: Counter() for v in range(len(diagram.nodes)) if v not in class_of
        }
        places = sorted({*class_of.values()})
        number = {place: n for n, place in enumerate(places)}
        for tensor, at in diagram.factors:
            slots = tuple(number[class_of[v]] if v in class_of else None for v in at)
            met = next((v for v in at if v not in class_of), None)
            (outside if met is None else inside[met])[tensor, slots] += 1
        coefficient, powers = _moment(outside, symbols)
        if not coefficient:
            return {}, 1
        result = {powers: coefficient}
        work = 1
        for axis in inner_axes:
            own = [inside[v] for v in sorted(inside) if diagram.nodes[v] == axis]
            found, more = self._inner_sum(own, symbols)
            work += more
            extended: dict[tuple[int, ...], Fraction] = {}
            for before, c in result.items():
                counts, qs = (
                    before[: len(before) - len(symbols)],
                    before[len(before) - len(symbols) :],
                )
                for (blocks, *own_powers), value in found.items():
                    qs_now = tuple(a + b for a, b in zip(qs, own_powers, strict=True))
                    key = (*counts, blocks, *qs_now)
                    extended[key] = extended.get(key, Fraction(0)) + c * value
            result = extended
        return result, work

    def _inner_sum(
        self, nodes: Sequence[Counter[_Entry]], symbols: Sequence[str]
    ) -> tuple[_Sum, int]:
        """The sum over the inner indices of one axis, and the work."""
        monomials, entries = _numbered(nodes)
        powers = Counter[int]()
        for monomial in monomials:
            powers.update(dict(monomial))
        if any(power % 2 and entries[entry].is_even for entry, power in powers.items()):
            return {}, 1
        types = tuple(sorted(Counter(monomials).items()))
        key = types, tuple(entries), tuple(symbols)
        if key not in self._sums:
            found = _InnerSum(types, entries, symbols, powers)
            self._sums[key] = found.value(), found.work
        return self._sums[key]


class _InnerSum:
    """The sum over the indices of some nodes, each a monomial in entries with a count.

    Counts of monomials are packed into one integer, a field for each with a bit on top that a
    difference clears where it is negative. A polynomial in the number of different indices and in
    probabilities is one integer too: its coefficients are not negative, each in its own field.
    """

    def __init__(
        self,
        types: Sequence[tuple[_Monomial, int]],
        entries: Sequence[Law],
        symbols: Sequence[str],
        powers: Mapping[int, int],
    ) -> None:
        counts = [count for _, count in types]
        self._field = max(counts, default=0).bit_length() + 1
        self._mask = (1 << self._field) - 1
        self._guards = sum(1 << (self._field * (place + 1) - 1) for place in range(len(counts)))
        self._full = self._packed(counts)
        self._scale = lcm(1, *range(1, max(powers.values(), default=0) + 2, 2))
        self._halves = sum(powers[n] // 2 for n, law in enumerate(entries) if law.name == "uniform")
        largest = prod(_largest(law, powers[n], self._scale) for n, law in enumerate(entries))
        self._width = (_bell(sum(counts)) * largest).bit_length()
        # No power of a probability is higher than the number of factors.
        extents = [sum(counts) + 1, *(sum(powers.values()) + 1 for _ in symbols)]
        self._extents = extents
        self._strides = [prod(extents[:place]) for place in range(len(extents))]
        self._blocks = [
            [*self._blocks_of(types, first, entries, symbols)] for first in range(len(types))
        ]
        self._known: dict[int, int] = {0: 1}
        self.work = 1

    def value(self) -> _Sum:
        """The sum."""
        packed = self._of(self._full)
        scale = self._scale**self._halves
        result: _Sum = {}
        place = 0
        while packed:
            c = packed & ((1 << self._width) - 1)
            if c:
                exponents, rest = [], place
                for extent in self._extents:
                    rest, exponent = divmod(rest, extent)
                    exponents.append(exponent)
                result[tuple(exponents)] = Fraction(c, scale)
            packed >>= self._width
            place += 1
        return result

    def _packed(self, counts: Iterable[int]) -> int:
        return sum(count << (self._field * place) for place, count in enumerate(counts))

    def _of(self, counts: int) -> int:
        found = self._known.get(counts)
        if found is not None:
            return found
        field, mask, guards = self._field, self._mask, self._guards
        first = ((counts & -counts).bit_length() - 1) // field
        guarded = counts | guards
        total = 0
        for block, fields, moment, shift in self._blocks[first]:
            rest = guarded - block
            if rest & guards != guards:
                continue
            self.work += 1
            ways = moment
            for at, take, less in fields:
                ways *= comb((counts >> at & mask) - less, take)
            total += (ways * self._of(rest ^ guards)) << shift
        self._known[counts] = total
        return total

    def _blocks_of(
        self,
        types: Sequence[tuple[_Monomial, int]],
        first: int,
        entries: Sequence[Law],
        symbols: Sequence[str],
    ) -> Iterator[tuple[int, tuple[tuple[int, int, int], ...], int, int]]:
        """Blocks with at least one node of a type and none of those before it, with a moment.

        Yields the packed counts, the fields that are chosen from, the moment, and how far what
        comes after the block is shifted.
        """
        even = [law.is_even for law in entries]
        odd = [
            sum(1 << entry for entry, power in monomial if power % 2 and even[entry])
            for monomial, _ in types
        ]
        limits = [0 if place < first else count for place, (_, count) in enumerate(types)]
        for block in _even_counts(limits, odd):
            if not block[first]:
                continue
            powers = [0] * len(entries)
            for (monomial, _), count in zip(types, block, strict=True):
                for entry, power in monomial if count else ():
                    powers[entry] += power * count
            moment, counted = 1, [1] + [0] * len(symbols)
            for law, power in zip(entries, powers, strict=True):
                if power:
                    moment *= _scaled_moment(law, power, self._scale)
                    if law.probability:
                        counted[1 + symbols.index(law.probability)] += 1
            shift = self._width * sum(map(mul, counted, self._strides))
            # The first node is in the block: one less is chosen from one less.
            fields = tuple(
                (self._field * place, count - (place == first), int(place == first))
                for place, count in enumerate(block)
                if count > (place == first)
            )
            yield self._packed(block), fields, moment, shift


def _even_counts(limits: Sequence[int], odd: Sequence[int]) -> Iterator[_Counts]:
    """Numbers of things up to their limits in which every bit of ``odd`` is met evenly.

    Examples
    --------
    >>> list(_even_counts([1, 2, 1], [0b01, 0b11, 0b10]))
    [(0, 0, 0), (0, 2, 0), (1, 1, 1)]
    """
    # The bits that things from some place on can still change.
    later = [0]
    for limit, bits in zip(reversed(limits), reversed(odd), strict=True):
        later.append(later[-1] | (bits if limit else 0))
    later.reverse()
    found: list[tuple[_Counts, int]] = [((), 0)]
    for limit, bits, rest in zip(limits, odd, later[1:], strict=True):
        found = [
            ((*counts, count), now)
            for counts, parity in found
            for count in range(limit + 1)
            if not (now := parity ^ (bits if count % 2 else 0)) & ~rest
        ]
    return (counts for counts, _ in found)


def _moment(
    entries: Mapping[_Entry, int], symbols: Sequence[str]
) -> tuple[Fraction, tuple[int, ...]]:
    """The mean of a product of entries: a number, and the powers of the probabilities."""
    value, powers = Fraction(1), [0] * len(symbols)
    for (tensor, _), power in entries.items():
        law = tensor.entries
        if law.is_even and power % 2:
            return Fraction(0), ()
        scale = power + 1 if law.name == "uniform" else 1
        value *= Fraction(_scaled_moment(law, power, scale), scale ** (power // 2))
        if law.probability:
            powers[symbols.index(law.probability)] += 1
    return value, tuple(powers)


def _scaled_moment(law: Law, power: int, scale: int) -> int:
    """E u^power of the law of variance one; of a Bernoulli law, of q.

    A uniform law has 3^k / (2k + 1) for the power 2k, scaled to an integer by the power k of a
    multiple of 2k + 1.
    """
    if law.name == "gaussian":
        return double_factorial(power - 1)
    if law.name == "uniform":
        return int((3 * scale) ** (power // 2) // (power + 1))
    return 1


def _largest(law: Law, power: int, scale: int) -> int:
    """At least every product of scaled moments whose powers add up to one."""
    if law.name == "uniform":
        return int((3 * scale) ** (power // 2))
    return _scaled_moment(law, power, scale) if power else 1


def _is_named(tensor: Tensor) -> bool:
    """Whether its entries are independent and their moments monomials."""
    return (
        tensor.is_random
        and not tensor.symmetric
        and tensor.entries.name in _NAMED
        and not tensor.entries.mean
    )


def _numbered(nodes: Sequence[Counter[_Entry]]) -> tuple[list[_Monomial], list[Law]]:
    """Nodes as monomials in numbered entries, with the laws of these.

    Entries are numbered in the order in which sorted nodes have them: relabelled sums are often the
    same, and the same entry of another tensor with the same law is no other case.
    """
    written = [
        tuple(
            sorted(
                (
                    (tensor.sort_key, slots_key(slots), tensor, slots, reduced)
                    for (tensor, slots), power in node.items()
                    if (reduced := _reduced(tensor.entries, power))
                ),
                key=lambda item: item[:2],
            )
        )
        for node in nodes
    ]
    written.sort(key=lambda node: [item[:2] for item in node])
    number: dict[_Entry, int] = {}
    monomials = [
        tuple(
            sorted(
                (number.setdefault((tensor, slots), len(number)), power)
                for _, _, tensor, slots, power in node
            )
        )
        for node in written
    ]
    return monomials, [tensor.entries for tensor, _ in number]


def slots_key(slots: _Slots) -> tuple[int, ...]:
    """Sorts slots; the inner node comes first."""
    return tuple(-1 if slot is None else slot for slot in slots)


def _reduced(law: Law, power: int) -> int:
    """The least power of an entry that is, for its moments, the same as this one."""
    if law.name == "rademacher":
        return power % 2
    return min(power, 1) if law.name == "bernoulli" else power


def _inner_axes(diagram: Diagram) -> frozenset[Axis]:
    """The axes whose nodes are inner: those that leave the fewest partitions of the others."""
    axes = sorted({*diagram.nodes}, key=lambda axis: axis.sort_key)
    found = [
        frozenset(chosen)
        for chosen in chain.from_iterable(combinations(axes, n) for n in range(len(axes) + 1))
        if all(len({v for v in at if diagram.nodes[v] in chosen}) < 2 for _, at in diagram.factors)
    ]
    return min(found, key=lambda chosen: _partitions_of(diagram, chosen))


def _partitions_of(diagram: Diagram, inner: frozenset[Axis]) -> int:
    """How many set partitions the outer nodes have, axis by axis."""
    counts = Counter(axis for axis in diagram.nodes if axis not in inner)
    return prod(_bell(count) for count in counts.values())


@cache
def _bell(n: int) -> int:
    return 1 if n == 0 else sum(comb(n - 1, k) * _bell(k) for k in range(n))


@cache
def _set_partitions(n: int) -> tuple[tuple[int, ...], ...]:
    """All set partitions of n things: for each thing the number of its block, counted from zero."""
    found: list[tuple[int, ...]] = [()]
    for _ in range(n):
        found = [(*p, k) for p in found for k in range(max(p, default=-1) + 2)]
    return tuple(found)


def _base(diagram: Diagram) -> dict[str, int]:
    """The powers of the variances, known from the numbers of factors."""
    result: Counter[str] = Counter()
    for tensor, count in Counter(tensor for tensor, _ in diagram.factors).items():
        if tensor.entries.variance:
            result[tensor.entries.variance] += count // 2
    return dict(result)


def _in_powers(
    total: Mapping[tuple[int, ...], Fraction],
    axes: Sequence[Axis],
    symbols: Sequence[str],
    base: Mapping[str, int],
) -> dict[Powers, Fraction]:
    """Falling powers of the sizes as powers, with the variances."""
    for place, axis in enumerate(axes):
        converted: defaultdict[tuple[int, ...], Fraction] = defaultdict(Fraction)
        for key, c in total.items():
            for power, factor in _falling(key[place], axis.pinned):
                converted[*key[:place], power, *key[place + 1 :]] += c * factor
        total = converted
    names = [*(axis.name for axis in axes), *symbols]
    result: defaultdict[Powers, Fraction] = defaultdict(Fraction)
    for key, c in total.items():
        powers = Counter(base)
        for name, power in zip(names, key, strict=True):
            powers[name] += power
        result[tuple(sorted((name, power) for name, power in powers.items() if power))] += c
    return {powers: result[powers] for powers in sorted(result) if result[powers]}


@cache
def _falling(count: int, size: int | None) -> tuple[tuple[int, int], ...]:
    """The powers of n in n (n - 1) ... (n - count + 1) with coefficients; at a size, a number."""
    if size is not None:
        return ((0, prod(range(size - count + 1, size + 1))),)
    found = {0: 1}
    for k in range(count):
        extended: dict[int, int] = {}
        for power, c in found.items():
            extended[power + 1] = extended.get(power + 1, 0) + c
            extended[power] = extended.get(power, 0) - k * c
        found = extended
    return tuple((power, c) for power, c in found.items() if c)
