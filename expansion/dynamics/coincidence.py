"""Coincidence: which nodes of a diagram have equal indices where the diagram leads.

A sum over all indices is the sum, over all partitions of the nodes axis by axis, of the sums in
which exactly the nodes of a block have equal indices. Only the partitions whose sums reach the
dynamic scale of the whole are kept. They are found by deciding one pair of nodes after the other,

    G  =  G[x = y]  +  (G - G[x = y]),

and leaving every branch whose sum stays below the dynamic scale; no list of all partitions is made.
If the sum over different indices leads by itself, nothing is gained and the diagram stays whole,
which is an identity.

>>> from expansion.models import cp
>>> from expansion.dynamics.averages import Averages
>>> from expansion.dynamics.scales import Scaling
>>> problem = cp(order=2)
>>> scaling = Scaling({"p": Fraction(1), "H": Fraction(2), "sigma2": Fraction(-2)}, Fraction(0))
>>> coincidence = Coincidence(Scales(Averages(problem.loss), scaling))
>>> square = next(diagram for diagram, _ in problem.model_square)
>>> for found, weight in coincidence.leading(square).items():
...     print(weight, str(found).split("; ")[-1])
1 U1(H0,p0) U1(H1,p0) U2(H0,p0) U2(H1,p0)

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations

from diagrams.diagram import Diagram, identify
from expansion.dynamics.scales import Scales

__all__ = ["Coincidence"]

MAXIMAL_NODES = 9
"""Diagrams with more nodes stay whole, and those with more factors than a merger of two blocks."""

MAXIMAL_BRANCH_FACTORS = 10
"""In larger diagrams only pairs that always coincide are looked for."""

FAR_NODES = 10
"""`MAXIMAL_NODES` where diagrams are looked at from far."""

FAR_FACTORS = 16
"""`MAXIMAL_BRANCH_FACTORS` where diagrams are looked at from far."""

Partition = tuple[int, ...]
"""For each node the least node of its block."""


class Coincidence:
    """Leading coincidences under one scaling, kept.

    Parameters
    ----------
    scales : Scales
    branching : bool, default True
        Whether several leading partitions are looked for, or only pairs that always coincide.
    far : bool, default False
        Whether larger diagrams are looked at too, such as the square of a model of order 8, and
        derivatives with more factors.

    Attributes
    ----------
    skipped : bool
        Whether a diagram stayed whole because it is too large, and would be looked at from far.
    """

    def __init__(self, scales: Scales, *, branching: bool = True, far: bool = False) -> None:
        self._scales = scales
        self._branching = branching
        self._far = far
        self._nodes = FAR_NODES if far else MAXIMAL_NODES
        self._factors = FAR_FACTORS if far else MAXIMAL_BRANCH_FACTORS
        self.skipped = False
        self._known: dict[Diagram, dict[Diagram, Fraction]] = {}

    def leading(self, diagram: Diagram) -> Mapping[Diagram, Fraction]:
        """A linear combination of diagrams with the same leading part; the diagram itself if whole.

        Parameters
        ----------
        diagram : Diagram
            Connected.
        """
        if diagram not in self._known:
            self._known[diagram] = self._find(diagram)
        return self._known[diagram]

    def _find(self, diagram: Diagram) -> dict[Diagram, Fraction]:
        whole = {diagram: Fraction(1)}
        size, nodes = len(diagram.factors), len(diagram.nodes)
        growth = self._scales.averages.growth
        last = self._scales.apart(diagram, growth, far=self._far)
        if last is None or size > 2 * growth + 2 or nodes > self._nodes:
            self.skipped |= self._branching and size <= FAR_FACTORS and nodes <= FAR_NODES
            return whole
        scale = self._scales.of(diagram)
        if scale is None:
            return whole
        late = self._last(diagram)
        last = max(last, late)
        pairs = [
            (x, y) for x, y in combinations(range(nodes), 2) if diagram.nodes[x] == diagram.nodes[y]
        ]
        possible = []
        for x, y in pairs:
            equal = Diagram(*identify(diagram.nodes, diagram.factors, [(x, y)]))
            order = self._scales.of(equal)
            if order is None or order < scale:
                continue
            if self._below({diagram: Fraction(1), equal: Fraction(-1)}, scale, last):
                return {equal: Fraction(1)}
            possible.append((x, y))
        if not self._branching:
            return whole
        last = self._scales.apart(diagram, self._scales.least_growth, far=self._far)
        if not possible:
            return whole
        if last is None or size > self._factors:
            self.skipped |= size <= FAR_FACTORS
            return whole
        return self._branches(diagram, possible, scale, max(last, late))

    def _last(self, diagram: Diagram) -> int:
        """Derivatives that are compared: one more than those that show the diagram at its size.

        The first one at which it has a mean shows a few of its coincidences only.
        """
        later = self._scales.reached_at(diagram) + self._scales.averages.period
        fits = self._scales.fits(diagram, later, far=self._far)
        return later if later > self._scales.least and fits else 0

    def _below(self, terms: Mapping[Diagram, Fraction], scale: Fraction, last: int) -> bool:
        order = self._scales.of_sum(terms, last)
        return order is None or order < scale

    def _branches(
        self, diagram: Diagram, pairs: list[tuple[int, int]], scale: Fraction, last: int
    ) -> dict[Diagram, Fraction]:
        """The leading branches of the tree of decisions, added up; pairs apart come first."""
        total: dict[Diagram, Fraction] = {}
        start: dict[Partition, Fraction] = {tuple(range(len(diagram.nodes))): Fraction(1)}
        stack = [(start, 0, True)]
        # Nodes that are alike make many branches of one kind.
        quotients: dict[Partition, Diagram] = {}
        decided: dict[frozenset[tuple[Diagram, Fraction]], bool] = {}

        def below(terms: Mapping[Diagram, Fraction]) -> bool:
            key = frozenset(terms.items())
            if key not in decided:
                decided[key] = self._below(terms, scale, last)
            return decided[key]

        while stack:
            terms, place, apart = stack.pop()
            together: dict[Diagram, Fraction] = {}
            for partition, c in terms.items():
                if partition not in quotients:
                    quotients[partition] = self._quotient(diagram, partition)
                found = quotients[partition]
                together[found] = together.get(found, Fraction(0)) + c
            together = {found: c for found, c in together.items() if c}
            if not together or below(together):
                continue
            if place == len(pairs):
                if apart:
                    return {diagram: Fraction(1)}
                for found, c in together.items():
                    total[found] = total.get(found, Fraction(0)) + c
                continue
            equal: dict[Partition, Fraction] = {}
            for partition, c in terms.items():
                key = _joined(partition, *pairs[place])
                equal[key] = equal.get(key, Fraction(0)) + c
            different = dict(terms)
            for partition, c in equal.items():
                different[partition] = different.get(partition, Fraction(0)) - c
            stack.append(({k: c for k, c in equal.items() if c}, place + 1, False))
            stack.append(({k: c for k, c in different.items() if c}, place + 1, apart))
        leading = {f: c for f, c in total.items() if c and self._scales.of(f) == scale}
        return leading if diagram not in leading else {diagram: Fraction(1)}

    @staticmethod
    def _quotient(diagram: Diagram, partition: Partition) -> Diagram:
        pairs = [(first, node) for node, first in enumerate(partition) if first != node]
        return Diagram(*identify(diagram.nodes, diagram.factors, pairs))


def _joined(partition: Partition, x: int, y: int) -> Partition:
    low, high = sorted((partition[x], partition[y]))
    return tuple(low if first == high else first for first in partition)
