r"""The textbook enumerator: the loss expansion of the CP model as one would first write it.

The engine is compared with this program for speed, so it is plain but not careless.

- A *diagram* is a list of edges (colour, H-node, p-node).
- *Merging* takes every pair of equal-colour edges, deletes both and identifies their ends.
- *Like terms* are collected when the labelled edge lists agree after the nodes are renumbered in
  order of first appearance and the list is sorted, repeated until it settles.  There is no test of
  isomorphism: two drawings of one diagram stay two terms if that renumbering does not make them
  equal.  (Without the sorting, Y_4 of the symmetric model of order 2 has 4e8 pairings instead of
  2e6.)
- The *expectation* lists every perfect matching of the edges into equal-colour pairs, identifies
  the nodes of each pair with a union-find and counts the nodes that are left.

Convention: ``Y_s = T^s E[d^s L/dt^s](0)``, with its sign ``(-1)^s`` and, at s = 0, the pure-target
term p/2 of the identity target.

Law, the random loss at initialisation ``Y_0 = (p^2 H + p H^2 + p H) sigma2^2 / 2``:

>>> series = textbook_series(2, symmetric=True, target="zero", terms=0)
>>> for powers, coefficient in sorted(series[0].items()):
...     print(powers, coefficient)
(1, 1, 2) 1/2
(1, 2, 2) 1/2
(2, 1, 2) 1/2

``python benchmarks/textbook.py`` runs the declared cases, prints their cost and exits with an error
if a series differs from the reference record.

Source: the method as written in D. Yarotsky, E. Golikov, Y. Gusev, *Gradient Flow Through Diagram
Expansions* (arXiv 2602.04548), section 3; the program is ours.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain, product
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Literal, TypeAlias

Edge: TypeAlias = tuple[int, int, int]
"""Colour, H-node, p-node."""

Diagram: TypeAlias = tuple[Edge, ...]
DiagramSum: TypeAlias = dict[Diagram, Fraction]
Matching: TypeAlias = tuple[tuple[int, int], ...]

Polynomial: TypeAlias = dict[tuple[int, int, int], Fraction]
"""(power of p, power of H, power of sigma2) -> coefficient."""

Target: TypeAlias = Literal["identity", "zero"]

RELABELLING_ROUNDS = 8
"""Renumbering and sorting rarely need more than three rounds, but they may cycle."""


def textbook_series(
    order: int, *, symmetric: bool, target: Target = "identity", terms: int
) -> list[Polynomial]:
    """Return ``Y_0, ..., Y_terms`` of the CP model by listing every pairing of every diagram.

    Parameters
    ----------
    order
        Number of modes, at least 2.
    symmetric
        Whether all modes share one weight matrix (one colour).
    target
        ``"identity"`` or ``"zero"`` (free evolution).
    terms
        Order of the last coefficient.

    Returns
    -------
    list of Polynomial
        Zero coefficients are left out.

    Examples
    --------
    >>> textbook_series(3, symmetric=False, terms=0)
    [{(1, 0, 0): Fraction(1, 2), (3, 1, 3): Fraction(1, 2)}]

    Notes
    -----
    The cost is the number of pairings, some five microseconds each; `pairing_count` gives it
    without listing them.

    Source
    ------
    Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3.
    """
    series = [
        _expectation(powers)
        for powers in merge_powers(order, symmetric=symmetric, target=target, terms=terms)
    ]
    if target == "identity":
        series[0] = {(1, 0, 0): Fraction(1, 2), **series[0]}
    return series


def merge_powers(
    order: int, *, symmetric: bool, target: Target = "identity", terms: int
) -> Iterator[DiagramSum]:
    """Yield the diagrams of ``d^s L/dt^s`` for s = 0, ..., terms, sign included.

    Parameters
    ----------
    order, symmetric, target, terms
        As in `textbook_series`.

    Examples
    --------
    >>> [len(powers) for powers in merge_powers(2, symmetric=True, terms=3)]
    [2, 4, 11, 47]

    Source
    ------
    Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3.
    """
    loss = _loss(order, symmetric=symmetric, target=target)
    current = loss
    yield current
    for _ in range(terms):
        current = _merge_with_force(current, loss)
        yield current


def merge(left: Diagram, right: Diagram) -> Iterator[Diagram]:
    """Yield one diagram for every pair of equal-colour edges, one edge from each side.

    Parameters
    ----------
    left, right
        The two diagrams; their node numbers are independent.

    Examples
    --------
    Two parallel edges each: four pairs, all the same diagram.

    >>> Counter(merge(((0, 0, 0), (0, 0, 0)), ((0, 0, 0), (0, 0, 0))))
    Counter({((0, 0, 0), (0, 0, 0)): 4})

    Source
    ------
    Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3.
    """
    # Numbers above every number of the left diagram keep the two sets of nodes apart.
    shift = 1 + max((max(h, p) for _, h, p in left), default=0)
    shifted = [(colour, h + shift, p + shift) for colour, h, p in right]
    for i, (left_colour, left_h, left_p) in enumerate(left):
        left_rest = left[:i] + left[i + 1 :]
        for j, (right_colour, right_h, right_p) in enumerate(shifted):
            if left_colour != right_colour:
                continue
            right_rest = [
                (colour, left_h if h == right_h else h, left_p if p == right_p else p)
                for colour, h, p in shifted[:j] + shifted[j + 1 :]
            ]
            yield relabel([*left_rest, *right_rest])


def relabel(edges: Sequence[Edge]) -> Diagram:
    """Renumber the nodes in order of first appearance and sort the edges, until they settle.

    This is cheap and collects many like terms, but it is not a canonical form.

    Examples
    --------
    >>> relabel([(0, 7, 3), (0, 5, 3), (0, 7, 9)])
    ((0, 0, 0), (0, 0, 1), (0, 1, 0))

    Source
    ------
    Ours.
    """
    current = tuple(edges)
    for _ in range(RELABELLING_ROUNDS):
        previous, current = current, tuple(sorted(_in_order_of_appearance(current)))
        if current == previous:
            break
    return current


def pairing_count(diagram: Diagram) -> int:
    """Count the perfect matchings of the edges into equal-colour pairs.

    Examples
    --------
    >>> pairing_count(((0, 0, 0),) * 4)
    3
    >>> pairing_count(((0, 0, 0), (1, 0, 0)))
    0

    Source
    ------
    Wick's theorem: ``(2l - 1)!!`` matchings of ``2l`` edges of one colour.
    """
    return prod(
        prod(range(1, edges, 2)) if edges % 2 == 0 else 0
        for edges in Counter(colour for colour, _, _ in diagram).values()
    )


@cache
def perfect_matchings(size: int) -> tuple[Matching, ...]:
    """List the perfect matchings of ``0, ..., size - 1``.

    Examples
    --------
    >>> perfect_matchings(4)
    (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    >>> perfect_matchings(3)
    ()

    Source
    ------
    Ours.
    """
    return tuple(_matchings_of(tuple(range(size))))


def _matchings_of(points: tuple[int, ...]) -> Iterator[Matching]:
    if not points:
        yield ()
    for position in range(1, len(points)):
        pair = (points[0], points[position])
        for rest in _matchings_of(points[1:position] + points[position + 1 :]):
            yield (pair, *rest)


def _in_order_of_appearance(edges: Sequence[Edge]) -> Iterator[Edge]:
    h_numbers: dict[int, int] = {}
    p_numbers: dict[int, int] = {}
    for colour, h, p in edges:
        yield (
            colour,
            h_numbers.setdefault(h, len(h_numbers)),
            p_numbers.setdefault(p, len(p_numbers)),
        )


def _loss(order: int, *, symmetric: bool, target: Target) -> DiagramSum:
    """Build D/2 - R, without the pure-target term."""
    colours = [0] * order if symmetric else list(range(order))
    model_squared = [(colour, h, p) for h in (0, 1) for p, colour in enumerate(colours)]
    loss = {relabel(model_squared): Fraction(1, 2)}
    if target == "identity":
        loss[relabel([(colour, 0, 0) for colour in colours])] = Fraction(-1)
    return loss


def _merge_with_force(current: DiagramSum, loss: DiagramSum) -> DiagramSum:
    """Compute the time derivative ``- current * loss``, like terms collected."""
    derivative: dict[Diagram, Fraction] = {}
    for left, left_coefficient in current.items():
        for right, right_coefficient in loss.items():
            coefficient = -left_coefficient * right_coefficient
            for diagram, multiplicity in Counter(merge(left, right)).items():
                derivative[diagram] = derivative.get(diagram, 0) + multiplicity * coefficient
    return {diagram: coefficient for diagram, coefficient in derivative.items() if coefficient}


def _expectation(diagrams: DiagramSum) -> Polynomial:
    """Sum the pairings of all diagrams."""
    total: Polynomial = {}
    for diagram, coefficient in diagrams.items():
        for (p_nodes, h_nodes), count in count_nodes_left(diagram).items():
            powers = (p_nodes, h_nodes, len(diagram) // 2)
            total[powers] = total.get(powers, Fraction(0)) + count * coefficient
    return {powers: coefficient for powers, coefficient in sorted(total.items()) if coefficient}


def count_nodes_left(diagram: Diagram) -> Counter[tuple[int, int]]:
    """Count the pairings of a diagram by the numbers of p-nodes and H-nodes they leave.

    Examples
    --------
    >>> sorted(count_nodes_left(((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))).items())
    [((1, 1), 1), ((1, 2), 1), ((2, 1), 1)]

    Source
    ------
    Wick's theorem; Yarotsky, Golikov, Gusev (arXiv 2602.04548), section 3.
    """
    counts: Counter[tuple[int, int]] = Counter()
    h_ends = [h for _, h, _ in diagram]
    p_ends = [p for _, _, p in diagram]
    for pairs in _equal_colour_pairings(diagram):
        counts[_classes(p_ends, pairs), _classes(h_ends, pairs)] += 1
    return counts


def _equal_colour_pairings(diagram: Diagram) -> Iterator[Matching]:
    """List the perfect matchings of the edges into pairs of equal colour."""
    positions: dict[int, list[int]] = {}
    for position, (colour, _, _) in enumerate(diagram):
        positions.setdefault(colour, []).append(position)
    by_colour = [
        [
            tuple((edges[i], edges[j]) for i, j in matching)
            for matching in perfect_matchings(len(edges))
        ]
        for edges in positions.values()
    ]
    for matchings in product(*by_colour):
        yield tuple(chain.from_iterable(matchings))


def _classes(ends: Sequence[int], pairs: Matching) -> int:
    """Count the classes of nodes after the ends of each pair of edges are identified."""
    classes = max(ends) + 1
    parent = list(range(classes))
    for first, second in pairs:
        left, right = ends[first], ends[second]
        while parent[left] != left:
            left = parent[left]
        while parent[right] != right:
            right = parent[right]
        if left != right:
            parent[right] = left
            classes -= 1
    return classes


@dataclass(frozen=True)
class TextbookCase:
    """One run of the enumerator on the identity target.

    Examples
    --------
    >>> print(TextbookCase(order=3, symmetric=True, terms=2))
    SYM order 3, terms 2

    Source
    ------
    Ours: the largest numbers of terms that finish within a minute.
    """

    order: int
    symmetric: bool
    terms: int

    def __str__(self) -> str:
        family = "SYM" if self.symmetric else "ASYM"
        return f"{family} order {self.order}, terms {self.terms}"


CASES = (
    TextbookCase(order=2, symmetric=True, terms=4),
    TextbookCase(order=3, symmetric=True, terms=2),
    TextbookCase(order=3, symmetric=False, terms=3),
)


def report(case: TextbookCase) -> tuple[str, bool]:
    """Run a case; return its cost as text and whether it agrees with the reference record.

    Parameters
    ----------
    case
        What to run; the reference record has to reach its number of terms.

    Examples
    --------
    >>> report(TextbookCase(order=4, symmetric=False, terms=1))[1]
    True

    Source
    ------
    Ours.
    """
    start = perf_counter()
    series = textbook_series(case.order, symmetric=case.symmetric, terms=case.terms)
    seconds = perf_counter() - start
    agrees = series == reference_series(case.order, symmetric=case.symmetric)[: case.terms + 1]
    powers = list(merge_powers(case.order, symmetric=case.symmetric, terms=case.terms))
    diagrams = sum(map(len, powers))
    pairings = sum(pairing_count(diagram) for diagram_sum in powers for diagram in diagram_sum)
    verdict = "agrees with" if agrees else "DIFFERS from"
    text = (
        f"{case}: {seconds:.1f} s, {diagrams} diagrams, {pairings} pairings, "
        f"{verdict} the reference record"
    )
    return text, agrees


def reference_series(order: int, *, symmetric: bool) -> list[Polynomial]:
    """Read the reference record of the CP model with the identity target.

    Examples
    --------
    >>> reference_series(3, symmetric=False)[0]
    {(1, 0, 0): Fraction(1, 2), (3, 1, 3): Fraction(1, 2)}

    Source
    ------
    The provenance is stated in the record.
    """
    name = f"cp_order{order}_{'sym' if symmetric else 'asym'}.json"
    folder = Path(__file__).resolve().parents[1] / "tests" / "reference"
    record = json.loads((folder / name).read_text(encoding="utf-8"))
    return [
        {
            tuple(term["exponents"].get(symbol, 0) for symbol in ("p", "H", "sigma2")): Fraction(
                term["coefficient"]
            )
            for term in entry["terms"]
        }
        for entry in record["coefficients"]
    ]


def main() -> int:
    """Run the declared cases; return the exit status.

    Source: ours.
    """
    status = 0
    for case in CASES:
        text, agrees = report(case)
        print(text, flush=True)
        status |= not agrees
    return status


if __name__ == "__main__":
    sys.exit(main())
