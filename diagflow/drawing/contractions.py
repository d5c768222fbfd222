"""The diagrams that the perfect matchings of a diagram lead to.

A perfect matching of the factors, each with one of the same tensor, identifies nodes. Matchings
that identify nodes alike, up to isomorphism, form a *class*: its picture is the quotient of the
diagram with all factors left in place, its monomial the sizes of the remaining nodes and the
variances of the pairs, its count the number of matchings. The sum over the classes of count times
monomial is the expectation of the diagram.

>>> from diagrams.tensors import Axis
>>> p, H = Axis("p"), Axis("H")
>>> W = Tensor("W", (H, p), variance="sigma2")
>>> circle = Diagram((H, H, p, p), ((W, (0, 2)), (W, (1, 2)), (W, (1, 3)), (W, (0, 3))))
>>> for contraction in contractions(circle):
...     print(contraction.count, contraction.monomial)
1 (('H', 1), ('p', 2), ('sigma2', 2))
1 (('H', 2), ('p', 1), ('sigma2', 2))
1 (('H', 1), ('p', 1), ('sigma2', 2))

Source: Yarotsky, Golikov, Gusev 2026, section 3.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from diagrams.canonical import Factor
from diagrams.diagram import Diagram, identify
from diagrams.errors import CapacityError, InvalidInputError
from diagrams.factorials import double_factorial
from diagrams.residue_sums import solutions
from diagrams.tensors import Tensor
from diagrams.wick import Monomial, monomial

__all__ = ["MAXIMAL_MATCHINGS", "Contraction", "contractions", "matchings"]

MAXIMAL_MATCHINGS = 200_000
"""Diagrams with more perfect matchings are not contracted one matching at a time."""

_Leaders = tuple[int, ...]
_State = tuple[_Leaders, tuple[Factor, ...]]


@dataclass(frozen=True, slots=True)
class Contraction:
    """A class of perfect matchings.

    Parameters
    ----------
    diagram : Diagram
        The quotient, with all factors.
    monomial : Monomial
        What each matching contributes, variances as they are written; the sizes of pinned nodes are
        left out.
    count : int
        Number of matchings; pairs of a symmetric tensor count for every order of their slots.
    """

    diagram: Diagram
    monomial: Monomial
    count: int


def matchings(diagram: Diagram) -> int:
    """The number of perfect matchings, a product of double factorials; 0 if there is none."""
    total = 1
    counts = Counter(tensor for tensor, _ in diagram.factors if tensor.is_random)
    for tensor, count in counts.items():
        total *= 0 if count % 2 else double_factorial(count - 1)
        total *= len(tensor.orders) ** (count // 2)
    return total


@lru_cache(maxsize=1024)
def contractions(diagram: Diagram) -> tuple[Contraction, ...]:
    """The classes of perfect matchings, those with many nodes left first.

    Parameters
    ----------
    diagram : Diagram

    Raises
    ------
    CapacityError
        If there are more than `MAXIMAL_MATCHINGS` matchings.
    InvalidInputError
        If a tensor has another law than a Gaussian one of mean zero.
    """
    for tensor in diagram.tensors:
        if tensor.is_random and not tensor.entries.is_wick:
            raise InvalidInputError(
                f"contractions of {tensor.name}: are drawn as pairs, which are all of a Gaussian "
                f"tensor of mean zero, and its law is {tensor.entries}; draw the blocks or terms"
            )
    total = matchings(diagram)
    if total > MAXIMAL_MATCHINGS:
        raise CapacityError(
            f"diagram with {len(diagram.factors)} factors: has {total} matchings, more than "
            f"{MAXIMAL_MATCHINGS}; draw fewer terms"
        )
    if not total:
        return ()
    counts: Counter[tuple[Diagram, Monomial]] = Counter()
    for leaders, count in _identifications(diagram).items():
        pairs = list(enumerate(leaders))
        quotient = Diagram(*identify(diagram.nodes, diagram.factors, pairs))
        counts[quotient, _monomial(quotient)] += count
    found = [Contraction(picture, powers, n) for (picture, powers), n in counts.items()]
    return tuple(
        sorted(found, key=lambda c: (-len(c.diagram.nodes), c.monomial, -c.count, c.diagram))
    )


def _identifications(diagram: Diagram) -> Counter[_Leaders]:
    """How many matchings lead to each identification, given by the least node of each class.

    Matchings are built pair by pair; partial ones with the same identification and the same
    factors left are counted together.
    """
    start = tuple(range(len(diagram.nodes)))
    random = tuple(factor for factor in diagram.factors if factor[0].is_random)
    states: Counter[_State] = Counter({(start, random): 1})
    for _ in range(len(random) // 2):
        following: Counter[_State] = Counter()
        for (leaders, factors), count in states.items():
            chosen, rest = factors[0], factors[1:]
            for partner, copies in Counter(f for f in rest if f[0] == chosen[0]).items():
                left = list(rest)
                left.remove(partner)
                for order in chosen[0].orders:
                    merged = _merged(leaders, chosen, partner, order)
                    moved = [(t, t.arranged(tuple(merged[node] for node in at))) for t, at in left]
                    moved.sort(key=_factor_key)
                    following[merged, tuple(moved)] += count * copies
        states = following
    result: Counter[_Leaders] = Counter()
    for (leaders, _), count in states.items():
        result[leaders] += count
    return result


def _factor_key(factor: Factor) -> tuple[str, tuple[int, ...]]:
    return factor[0].name, factor[1]


def _merged(leaders: _Leaders, first: Factor, second: Factor, order: tuple[int, ...]) -> _Leaders:
    """Identify the nodes of two factors slot by slot, those of the second in an order."""
    result = list(leaders)
    for a, b in zip(first[1], (second[1][slot] for slot in order), strict=True):
        low, high = sorted((result[a], result[b]))
        if low != high:
            result = [low if leader == high else leader for leader in result]
    return tuple(result)


def _monomial(quotient: Diagram) -> Monomial:
    fixed = tuple(factor for factor in quotient.factors if not factor[0].is_random)
    free = solutions(Diagram(quotient.nodes, fixed))
    powers: Counter[str] = Counter(axis.name for axis in free if axis.pinned is None)
    used: Counter[Tensor] = Counter(tensor for tensor, _ in quotient.factors if tensor.is_random)
    for tensor, count in used.items():
        powers[tensor.variance] += count // 2
    return monomial(powers)
