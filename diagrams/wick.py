"""Contraction: the expectation of a diagram over its random tensors.

One factor ``u`` of a tensor whose entries have cumulants κ_k (`diagrams.laws`) is integrated by
summing over its *block*, the factors of the same tensor that it shares a cumulant with:

    E[u G] = sum over k, over k - 1 factors of the same tensor in G,
             of κ_k * E[G without these factors, identified],

where the nodes of ``u`` and of all factors of the block are identified slot by slot. A Gaussian
tensor has κ_2 alone: this is integration by parts, with one partner,

    E[u G] = κ_2 * sum over the factors u' of G of the same tensor of E[G without u', identified],

and for a symmetric tensor a sum over the orders of the slots (`diagrams.tensors`). Repeated until
no factor is left, it sums all set partitions, for Gaussian tensors all perfect matchings (Wick's
theorem); memoised on canonical forms, it costs one step for each *distinct* diagram and block. A
node
that is left without factors is a free sum and contributes the size of its axis; what is left of
tensors that are not random is summed by `diagrams.residue_sums`.

The result is a table from monomials to coefficients, ``{(("H", 1), ("sigma2", 2)): 3}``: names of
sizes and of the symbols of variances with their powers, sorted by name. What a monomial is worth is
not this layer's business.

>>> from diagrams.tensors import Axis, Tensor
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> for monomial, coefficient in expectation(circle).items():
...     print(coefficient, monomial)
1 (('H', 1), ('p', 1), ('sigma2', 2))
1 (('H', 1), ('p', 2), ('sigma2', 2))
1 (('H', 2), ('p', 1), ('sigma2', 2))

With entries ±sigma a fourth power is sigma**4, and not three times that:

>>> S = Tensor("S", (H, p), variance="sigma2", law="rademacher")
>>> expectation(Diagram((H, p), ((S, (0, 1)),) * 4))
{(('H', 1), ('p', 1), ('sigma2', 2)): Fraction(1, 1)}

Source: Yarotsky, Golikov, Gusev 2026, section 3 (the expectation as a sum over matchings);
integration by parts on canonical forms, and by blocks for other laws, is ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb

from diagrams import index_powers
from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.laws import evaluated
from diagrams.quotient import without_free
from diagrams.residue_sums import power_sums, solutions
from diagrams.sums import DiagramSum
from diagrams.tensors import UNIT_VARIANCE, Axis, Tensor
from diagrams.variances import Powers

__all__ = ["Expectation", "Monomial", "Steps", "blocks_of", "expectation", "monomial", "reach"]

Monomial = Powers
"""Names of sizes and variances with their powers, sorted by name, without zero powers."""

Expectation = dict[Monomial, Fraction]
"""An expectation: coefficients of monomials, sorted, without zeros."""

Moments = Expectation  # its former name

Counts = dict[Monomial, int]
"""An expectation of one diagram: numbers of pairings, or of set partitions, by monomial."""

Steps = dict[Diagram, tuple[int, tuple[Diagram, ...]]]
"""For each diagram of a table of expectations what it counts and what it was contracted to."""

MONOMIALS_OF_ONE = 10
"""Monomials carried over that count as one diagram more."""


def monomial(powers: Mapping[str, int]) -> Monomial:
    """The normal form of a product of powers; a unit variance is not written.

    Examples
    --------
    >>> monomial({"p": 2, "H": 0, "sigma2": 1})
    (('p', 2), ('sigma2', 1))
    """
    return tuple(
        sorted((name, power) for name, power in powers.items() if power and name != UNIT_VARIANCE)
    )


def expectation(
    value: Diagram | DiagramSum,
    *,
    known: dict[Diagram, Counts] | None = None,
    tick: Callable[[int], None] | None = None,
    steps: Steps | None = None,
) -> Expectation:
    """The expectation of a diagram or of a sum of diagrams.

    Parameters
    ----------
    value : Diagram or DiagramSum
    known : dict, optional
        A table of expectations of diagrams that is used and extended; variances and cumulants
        stand in it as they are written, each for a symbol.
    tick : callable, optional
        Called with the number of diagrams added to the table, those of many monomials counting
        more; raises to stop the work.
    steps : dict, optional
        Extended with ``known``: what each diagram in it counts, and what it was contracted to; see
        `reach`.

    Returns
    -------
    dict
        Coefficients of monomials in the axis names and variance symbols; pinned axes count as
        numbers.

    Notes
    -----
    Cost: proportional to the number of distinct diagrams that contraction reaches. Series of many
    terms go through `diagrams.flow`, which does the same in bulk.
    """
    terms = [(value, Fraction(1))] if isinstance(value, Diagram) else list(value)
    known = {} if known is None else known
    total: Counter[Monomial] = Counter()
    for diagram, coefficient in terms:
        for powers, count in _expectation(diagram, known, tick, steps).items():
            total[powers] += coefficient * count  # type: ignore[assignment]
    return evaluated({powers: Fraction(total[powers]) for powers in sorted(total) if total[powers]})


def reach(diagrams: Iterable[Diagram], steps: Steps) -> int:
    """The cost of the expectations of some diagrams, each diagram that they rest on once.

    A function of the diagrams alone: what was known before does not matter.

    Parameters
    ----------
    diagrams : iterable of Diagram
    steps : dict
        Of an `expectation` that took them.

    Examples
    --------
    >>> from diagrams.tensors import Axis, Tensor
    >>> p, H = Axis("p"), Axis("H")
    >>> W = Tensor("W", (H, p), variance="sigma2")
    >>> bundle = Diagram((H, p), ((W, (0, 1)),) * 4)
    >>> steps: Steps = {}
    >>> _ = expectation(bundle, steps=steps)
    >>> reach([bundle], steps)  # u^4, u^2 and 1
    3
    """
    seen = set(diagrams)
    waiting = list(seen)
    total = 0
    while waiting:
        counted, others = steps[waiting.pop()]
        total += counted
        for other in others:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return total


def _expectation(
    diagram: Diagram,
    known: dict[Diagram, Counts],
    tick: Callable[[int], None] | None,
    steps: Steps | None,
) -> Counts:
    found = known.get(diagram)
    if found is not None:
        return found
    result: Counts = {}
    carried = 0
    others: set[Diagram] = set()
    squares = _squares_of_signs(diagram)
    counts = Counter(tensor for tensor, _ in diagram.factors if tensor.is_random)
    if not counts:
        result = _times({(): 1}, solutions(diagram), "")
        for axis, exponent in power_sums(diagram):
            result = _times_power_sum(result, axis, exponent)
    elif squares:
        contracted, free = _without(diagram, squares.elements(), ())
        others.add(contracted)
        result = _times(_expectation(contracted, known, tick, steps), free, "")
        for (tensor, _), count in squares.items():
            for _ in range(count // 2):
                result = _times(result, (), tensor.entries.symbol(2))
    elif not any(count % 2 and tensor.entries.is_even for tensor, count in counts.items()):
        chosen = _choose(diagram, counts)
        law = chosen[0].entries
        for partners, multiplicity in blocks_of(diagram, chosen):
            symbol = law.symbol(1 + len(partners))
            for order in chosen[0].orders:
                contracted, free = _contract(diagram, chosen, partners, order)
                others.add(contracted)
                value = _expectation(contracted, known, tick, steps)
                inner = _times(value, free, symbol)
                carried += len(inner)
                for powers, count in inner.items():
                    result[powers] = result.get(powers, 0) + multiplicity * count
    known[diagram] = result
    counted = 1 + carried // MONOMIALS_OF_ONE
    if steps is not None:
        steps[diagram] = counted, tuple(others)
    if tick is not None:
        tick(counted)
    return result


def _squares_of_signs(diagram: Diagram) -> Counter[Factor]:
    """Pairs of parallel factors whose product is a number, κ_2: their sum is not over blocks."""
    return Counter(
        {
            factor: count - count % 2
            for factor, count in diagram.multiplicities.items()
            if count > 1 and factor[0].is_random and factor[0].entries.is_sign
        }
    )


def _choose(diagram: Diagram, counts: Mapping[Tensor, int]) -> Factor:
    """The factor with the fewest partners, then at the node of smallest degree."""
    degrees = diagram.degrees
    return min(
        (factor for factor in diagram.factors if factor[0].is_random),
        key=lambda factor: (counts[factor[0]], min(degrees[node] for node in factor[1])),
    )


def blocks_of(diagram: Diagram, chosen: Factor) -> Iterator[tuple[list[Factor], int]]:
    """The other factors of the blocks that a factor can be in, and how many choices are alike."""
    rest = Counter(factor for factor in diagram.factors if factor[0] == chosen[0])
    rest[chosen] -= 1
    kinds = [(factor, count) for factor, count in rest.items() if count]
    for size in chosen[0].entries.sizes(1 + rest.total()):
        yield from _choices(kinds, size - 1)


def _choices(
    kinds: Sequence[tuple[Factor, int]], number: int
) -> Iterator[tuple[list[Factor], int]]:
    """Multisets of so many factors, each with the number of ways to choose it."""
    if not number:
        yield [], 1
        return
    if sum(count for _, count in kinds) < number:
        return
    (factor, most), *others = kinds
    for count in range(min(most, number) + 1):
        for chosen, ways in _choices(others, number - count):
            yield [factor] * count + chosen, comb(most, count) * ways


def _contract(
    diagram: Diagram, first: Factor, others: Sequence[Factor], order: Sequence[int]
) -> tuple[Diagram, tuple[Axis, ...]]:
    """Delete a block of factors, identify their nodes, set apart the nodes that became free."""
    pairs: list[tuple[int, int]] = []
    for other in others:
        pairs += zip(first[1], (other[1][slot] for slot in order), strict=True)
    return _without(diagram, (first, *others), pairs)


def _without(
    diagram: Diagram, removed: Iterable[Factor], pairs: Iterable[tuple[int, int]]
) -> tuple[Diagram, tuple[Axis, ...]]:
    """Delete factors, identify nodes, set apart the nodes that became free."""
    rest = list(diagram.factors)
    for factor in removed:
        rest.remove(factor)
    kept, free = without_free(*identify(diagram.nodes, rest, pairs))
    return Diagram(*kept), free


def _times(counts: Counts, free: Iterable[Axis], variance: str) -> Counts:
    """Multiply by the sizes of free nodes and by one cumulant (or none, if it is empty)."""
    factor = 1
    extra: Counter[str] = Counter([variance] if variance else [])
    for axis in free:
        if axis.pinned is None:
            extra[axis.name] += 1
        else:
            factor *= axis.pinned
    more = monomial(extra)
    if not more and factor == 1:
        return counts
    return {_product(powers, more): count * factor for powers, count in counts.items()}


def _times_power_sum(counts: Counts, axis: Axis, exponent: int) -> Counts:
    """Multiply by the sum of a power of the indices of an axis."""
    if axis.pinned is None:
        return _times(counts, (), index_powers.symbol(axis.name, exponent))
    factor = index_powers.value(axis.pinned, exponent)
    return {powers: count * factor for powers, count in counts.items()}


@lru_cache(maxsize=100_000)
def _product(first: Monomial, second: Monomial) -> Monomial:
    return monomial(Counter(dict(first)) + Counter(dict(second)))
