"""The diagrams that the contractions of a diagram lead to.

A contraction puts the random factors into *blocks*, each of factors of one tensor, and identifies
the nodes of a block slot by slot; a block of k contributes the cumulant κ_k of the law of its
tensor (`diagrams.laws`). Of Gaussian tensors of mean zero all blocks are pairs: perfect matchings.
Contractions with equal cumulants that identify nodes alike, up to isomorphism, form a *class*: its
picture is the quotient of the diagram with all factors left in place, its value the sum over the
remaining nodes times the cumulants, its count the number of contractions. The sum over the classes
of count times value is the expectation of the diagram.

>>> from diagrams.tensors import Axis
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> for contraction in contractions(circle):
...     print(contraction.count, contraction.value)
1 (((('H', 1), ('p', 2), ('sigma2', 2)), Fraction(1, 1)),)
1 (((('H', 2), ('p', 1), ('sigma2', 2)), Fraction(1, 1)),)
1 (((('H', 1), ('p', 1), ('sigma2', 2)), Fraction(1, 1)),)

Signs have a block of four in addition, of κ_4 = -2 σ⁴:

>>> S = Tensor("S", (H, p), variance="sigma2", law="rademacher")
>>> square = Diagram((H, p), ((S, (0, 1)),) * 4)
>>> for contraction in contractions(square):
...     print(contraction.count, contraction.value)
1 (((('H', 1), ('p', 1), ('sigma2', 2)), Fraction(-2, 1)),)
3 (((('H', 1), ('p', 1), ('sigma2', 2)), Fraction(1, 1)),)

Source: Yarotsky, Golikov, Gusev 2026, section 3; other laws than Gaussian ones are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement, product
from math import comb, prod

from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.errors import CapacityError
from diagrams.laws import evaluated
from diagrams.tensors import Axis, Tensor
from diagrams.wick import Monomial, expectation, monomial

__all__ = [
    "MAXIMAL_MATCHINGS",
    "Contraction",
    "connected_contractions",
    "contractions",
    "matchings",
]

MAXIMAL_MATCHINGS = 200_000
"""Diagrams with more contractions are not contracted one by one."""

_Leaders = tuple[int, ...]
_Blocks = tuple[tuple[Tensor, int], ...]
_State = tuple[_Leaders, tuple[Factor, ...], _Blocks]


@dataclass(frozen=True, slots=True)
class Contraction:
    """A class of contractions.

    Parameters
    ----------
    diagram : Diagram
        The quotient, with all factors.
    value : tuple of (Monomial, Fraction)
        What each of them contributes, a polynomial in sizes and the symbols of the laws; the sizes
        of pinned nodes are left out.
    count : int
        Number of contractions; pairs of a symmetric tensor count for every order of their slots.
    """

    diagram: Diagram
    value: tuple[tuple[Monomial, Fraction], ...]
    count: int


def matchings(diagram: Diagram) -> int:
    """The number of contractions; 0 if there is none.

    Of Gaussian tensors of mean zero they are perfect matchings, and this is a product of double
    factorials.
    """
    total = 1
    counts = Counter(tensor for tensor, _ in diagram.factors if tensor.is_random)
    for tensor, count in counts.items():
        ways = [1]
        for n in range(1, count + 1):
            sizes = (k for k in range(1, n + 1) if _occurs(tensor, k))
            ways.append(
                sum(comb(n - 1, k - 1) * len(tensor.orders) ** (k - 1) * ways[n - k] for k in sizes)
            )
        total *= ways[count]
    return total


@lru_cache(maxsize=1024)
def contractions(diagram: Diagram) -> tuple[Contraction, ...]:
    """The classes of contractions, those with many nodes left first.

    Parameters
    ----------
    diagram : Diagram

    Raises
    ------
    CapacityError
        If there are more than `MAXIMAL_MATCHINGS` contractions.
    """
    return connected_contractions((diagram,))


@lru_cache(maxsize=1024)
def connected_contractions(parts: tuple[Diagram, ...]) -> tuple[Contraction, ...]:
    """The classes of contractions of a product of diagrams that connect all of them.

    Contractions connect two diagrams if a node of one is identified with one of the other. The sum
    of count times value is the joint cumulant of the diagrams.

    Parameters
    ----------
    parts : tuple of Diagram
        Those of the product; of one alone all contractions connect it.

    Raises
    ------
    CapacityError
        If the product has more than `MAXIMAL_MATCHINGS` contractions.

    Examples
    --------
    >>> from diagrams.tensors import Axis
    >>> W = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
    >>> square = Diagram((Axis("H"), Axis("p")), ((W, (0, 1)),) * 2)
    >>> [(found.count, found.value) for found in connected_contractions((square, square))]
    [(2, (((('H', 1), ('p', 1), ('sigma2', 2)), Fraction(1, 1)),))]
    """
    nodes, factors, owners = _product(parts)
    total = matchings(Diagram(nodes, factors))
    if total > MAXIMAL_MATCHINGS:
        raise CapacityError(
            f"diagram with {len(factors)} factors: has {total} contractions, more than "
            f"{MAXIMAL_MATCHINGS}; draw fewer terms"
        )
    if not total:
        return ()
    counts: Counter[tuple[Diagram, tuple[tuple[Monomial, Fraction], ...]]] = Counter()
    for (leaders, blocks), count in _identifications(nodes, factors).items():
        if _is_connected(leaders, owners, len(parts)):
            merged, left = identify(nodes, factors, list(enumerate(leaders)))
            counts[Diagram(merged, left), _value(merged, left, blocks)] += count
    found = [Contraction(picture, value, n) for (picture, value), n in counts.items()]
    return tuple(sorted(found, key=lambda c: (-len(c.diagram.nodes), c.value, -c.count, c.diagram)))


@lru_cache(maxsize=1024)
def _occurs(tensor: Tensor, k: int) -> bool:
    """Whether a block of k factors contributes."""
    return k == 2 if tensor.entries.is_wick else bool(tensor.entries.cumulant(k))


def _product(
    parts: Sequence[Diagram],
) -> tuple[tuple[Axis, ...], tuple[Factor, ...], tuple[int, ...]]:
    """Nodes and factors of diagrams side by side, and to which of them a node belongs."""
    nodes: list[Axis] = []
    factors: list[Factor] = []
    owners: list[int] = []
    for number, part in enumerate(parts):
        first = len(nodes)
        factors += [(tensor, tuple(first + node for node in at)) for tensor, at in part.factors]
        nodes += part.nodes
        owners += [number] * len(part.nodes)
    return tuple(nodes), tuple(factors), tuple(owners)


def _is_connected(leaders: _Leaders, owners: Sequence[int], number: int) -> bool:
    """Whether identifications join all diagrams of a product, so many of them."""
    joined = list(range(number))
    for node, leader in enumerate(leaders):
        one, other = joined[owners[node]], joined[owners[leader]]
        joined = [one if group == other else group for group in joined]
    return len({*joined}) <= 1


def _identifications(
    nodes: Sequence[Axis], factors: tuple[Factor, ...]
) -> Counter[tuple[_Leaders, _Blocks]]:
    """How many contractions lead to each identification, given by the least node of each class.

    Contractions are built block by block; partial ones with the same identification, the same
    blocks and the same factors left are counted together.
    """
    start = tuple(range(len(nodes)))
    random = tuple(factor for factor in factors if factor[0].is_random)
    states: Counter[_State] = Counter({(start, random, ()): 1})
    result: Counter[tuple[_Leaders, _Blocks]] = Counter()
    while states:
        following: Counter[_State] = Counter()
        for (leaders, factors, blocks), count in states.items():
            if not factors:
                result[leaders, blocks] += count
                continue
            tensor = factors[0][0]
            alike = sum(1 for factor in factors[1:] if factor[0] == tensor)
            for k in (k for k in range(1, alike + 2) if _occurs(tensor, k)):
                grown = tuple(sorted((*blocks, (tensor, k)), key=_block_key))
                for merged, left, ways in _blocks_of(leaders, factors, k):
                    following[merged, left, grown] += count * ways
        states = following
    return result


def _blocks_of(
    leaders: _Leaders, factors: tuple[Factor, ...], k: int
) -> Iterator[tuple[_Leaders, tuple[Factor, ...], int]]:
    """The first factor in a block with k - 1 others: new leaders, factors left, number of ways."""
    chosen, rest = factors[0], factors[1:]
    partners = Counter(factor for factor in rest if factor[0] == chosen[0])
    for others in combinations_with_replacement(partners, k - 1):
        taken = Counter(others)
        ways = prod(comb(partners[factor], n) for factor, n in taken.items())
        if not ways:
            continue
        left = list(rest)
        for factor in others:
            left.remove(factor)
        for orders in product(chosen[0].orders, repeat=k - 1):
            merged = leaders
            for partner, order in zip(others, orders, strict=True):
                merged = _merged(merged, chosen, partner, order)
            moved = [(t, t.arranged(tuple(merged[node] for node in at))) for t, at in left]
            yield merged, tuple(sorted(moved, key=_factor_key)), ways


def _factor_key(factor: Factor) -> tuple[str, tuple[int, ...]]:
    return factor[0].name, factor[1]


def _block_key(block: tuple[Tensor, int]) -> tuple[str, int]:
    return block[0].name, block[1]


def _merged(leaders: _Leaders, first: Factor, second: Factor, order: tuple[int, ...]) -> _Leaders:
    """Identify the nodes of two factors slot by slot, those of the second in an order."""
    result = list(leaders)
    for a, b in zip(first[1], (second[1][slot] for slot in order), strict=True):
        low, high = sorted((result[a], result[b]))
        if low != high:
            result = [low if leader == high else leader for leader in result]
    return tuple(result)


def _value(
    nodes: Sequence[Axis], factors: Sequence[Factor], blocks: _Blocks
) -> tuple[tuple[Monomial, Fraction], ...]:
    """The sum over the nodes of what is not random, times the cumulants."""
    still = tuple(factor for factor in factors if not factor[0].is_random)
    cumulants = Counter(tensor.entries.symbol(k) for tensor, k in blocks)
    moments = {
        monomial(dict(powers) | cumulants): c
        for powers, c in expectation(Diagram(tuple(nodes), still)).items()
    }
    return tuple(sorted(evaluated(moments).items()))
