"""Expectations of many diagrams: a table of contractions, evaluated level by level.

Integration by parts on one factor (see `diagrams.wick`) turns a diagram with 2l random factors
into diagrams with 2l - 2 of them. The table keeps, for every distinct diagram met so far, its
children with their multiplicities and the free nodes they set loose; it grows when new diagrams
arrive and is never recomputed. Of all factors the one with the fewest partners is integrated: for
a model with several weight tensors this finishes one tensor after the other and keeps the number
of distinct diagrams several times smaller than any other rule tried (see benchmarks/README.md);
ties go to the node of smallest degree, then to the factor with most parallel copies.

Expectations are polynomials with non-negative integer coefficients whose sum is at most the number
of pairings, a product of double factorials: they are added up as `diagrams.fields`.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from diagrams.errors import CapacityError
from diagrams.fields import Fields
from diagrams.integration import Contractions, integrate
from diagrams.packing import Codes, Packing, distinct_rows, runs
from diagrams.representation import Tick

__all__ = ["Combination", "ContractionTable"]

_CHILDREN = 4096
"""About as many children are made in one step: enough to share its cost, few enough for caches."""


Finish = Callable[[Codes], tuple[int, ...]]
"""Numbers of free indices on every axis for a row of fixed factors."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of expectations of diagrams with one number of factors.

    ``numbers`` are those that `ContractionTable.add` returns; ``pairings`` is at least the number
    of pairings of each of the diagrams.
    """

    size: int
    numbers: Sequence[int]
    coefficients: Sequence[int]
    pairings: int


@dataclass(frozen=True, slots=True)
class _Children:
    """The children with ``size`` factors of some consecutive diagrams of one level.

    ``made`` is the number of children before equal ones were collected; ``parent`` counts from the
    first diagram; ``free`` numbers a row of ``free_nodes``, the free nodes on every axis.
    """

    size: int
    made: int
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    multiplicity: list[int]
    free: NDArray[np.int32]
    free_nodes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The children of some consecutive diagrams, by their number of factors."""

    parents: int
    parts: tuple[_Children, ...]

    @property
    def made(self) -> int:
        return sum(part.made for part in self.parts)


@dataclass(slots=True)
class _Level:
    """The diagrams with one number of factors: their numbers by packed row, and their children."""

    number: dict[bytes, int] = field(default_factory=dict)
    expansions: list[_Expansion] = field(default_factory=list)

    @property
    def expanded(self) -> int:
        return sum(part.parents for part in self.expansions)


class ContractionTable:
    """Distinct diagrams and how they contract.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.
    tick : callable
        Called with the number of diagrams expanded; may raise. The table stays consistent: what
        was expanded is kept and the rest is done when it is asked for again.
    finish : callable, optional
        For diagrams of fixed factors only, the numbers of free indices on every axis.
    """

    def __init__(self, packing: Packing, tick: Tick, finish: Finish | None = None) -> None:
        self._packing = packing
        self._finish: Finish = finish or _unfinished
        self._tick = tick
        self._levels: dict[int, _Level] = {0: _Level({b"": 0})}
        self._extents = [0] * packing.sizes
        self._has_pins = any(axis.pinned is not None for axis in packing.axes)

    def __len__(self) -> int:
        return sum(len(level.number) for level in self._levels.values())

    def add(self, codes: Codes) -> list[int]:
        """Numbers of the given diagrams within their level, new ones entered."""
        nodes, kinds = self._packing.unpack(codes)
        extents = self._packing.extents(nodes, kinds)
        self._extents = [max(a, b) for a, b in zip(self._extents, extents, strict=True)]
        return self._enter(codes)

    def _enter(self, codes: Codes) -> list[int]:
        level = self._levels.setdefault(codes.shape[1], _Level())
        width = codes.shape[1] * codes.dtype.itemsize
        packed = codes.tobytes()
        number = level.number
        return [
            number.setdefault(packed[width * i : width * (i + 1)], len(number))
            for i in range(len(codes))
        ]

    def complete(self) -> None:
        """Expand every diagram that was entered, down to the empty one."""
        for size in range(max(self._levels), 0, -1):
            level = self._levels.setdefault(size, _Level())
            waiting = list(islice(level.number, level.expanded, None))
            first, step = 0, _CHILDREN // size + 1
            while first < len(waiting):
                part = waiting[first : first + step]
                rows = np.frombuffer(b"".join(part), dtype=self._packing.dtype)
                expansion = self._expand(rows.reshape(-1, size))
                # One append makes the step visible: an interrupt leaves it done or not begun.
                level.expansions.append(expansion)
                self._tick(len(part))
                first += len(part)
                step = 1 + _CHILDREN * len(part) // (expansion.made + 1)

    def _expand(self, codes: Codes) -> _Expansion:
        parts = tuple(self._children(result) for result in self._integrated(codes))
        return _Expansion(len(codes), parts)

    def _integrated(self, codes: Codes) -> Iterator[Contractions]:
        """Integrate what has random factors, and finish what has none."""
        if not self._packing.has_fixed:
            yield from integrate(self._packing, codes)
            return
        _, kinds = self._packing.unpack(codes)
        fixed = self._packing.is_fixed[kinds].all(axis=1)
        finished, others = np.flatnonzero(fixed), np.flatnonzero(~fixed)
        if len(finished):
            free = np.array([self._finish(codes[row]) for row in finished.tolist()], dtype=np.intp)
            empty = np.zeros((len(finished), 0), dtype=codes.dtype)
            yield Contractions(empty, finished, free, np.ones(len(finished), dtype=np.intp))
        if len(others):
            for result in integrate(self._packing, codes[others]):
                yield replace(result, parent=others[result.parent])

    def _children(self, results: Contractions) -> _Children:
        """Enter the results of an integration, collect equal ones of each diagram."""
        child = np.array(self._enter(results.codes), dtype=np.intp)
        free_nodes, free = distinct_rows(results.free)
        key = (results.parent * len(free_nodes) + free) * (int(child.max(initial=0)) + 1) + child
        order, first = runs(key)
        index = order[first]
        total = np.add.reduceat(results.multiplicity[order], first)
        if self._has_pins:
            scales = np.array([self._pinned(exponents) for exponents in free_nodes], dtype=object)
            total = total * scales[free[index]]
        return _Children(
            results.codes.shape[1],
            len(child),
            results.parent[index].astype(np.int32),
            child[index].astype(np.int32),
            total.tolist(),
            free[index].astype(np.int32),
            free_nodes,
        )

    def _pinned(self, exponents: Sequence[int]) -> int:
        """The number that free nodes on pinned axes contribute."""
        result = 1
        for axis, exponent in zip(self._packing.axes, exponents, strict=True):
            result *= (axis.pinned or 1) ** exponent
        return result

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(self, combinations: Sequence[Combination]) -> list[dict[tuple[int, ...], int]]:
        """For each combination the coefficients by exponents of the axes."""
        self.complete()
        fields = self._fields(combinations)
        positive, negative = [0] * len(combinations), [0] * len(combinations)
        largest = max((c.size for c in combinations), default=0)
        last_use = self._last_uses(largest)
        values: dict[int, list[int]] = {0: [1]}
        for size in range(0, largest + 1, 1 if self._packing.has_fixed else 2):
            if size:
                values[size] = self._values(size, values, fields)
            for index, combination in enumerate(combinations):
                if combination.size == size:
                    for number, coefficient in zip(
                        combination.numbers, combination.coefficients, strict=True
                    ):
                        if coefficient > 0:
                            positive[index] += coefficient * values[size][number]
                        else:
                            negative[index] -= coefficient * values[size][number]
            for used in [used for used, last in last_use.items() if last == size]:
                values.pop(used, None)
        return [
            {
                exponents: plus.get(exponents, 0) - minus.get(exponents, 0)
                for exponents in sorted({*plus, *minus})
                if plus.get(exponents, 0) != minus.get(exponents, 0)
            }
            for plus, minus in zip(
                map(fields.unpack, positive), map(fields.unpack, negative), strict=True
            )
        ]

    def _fields(self, combinations: Sequence[Combination]) -> Fields:
        """Fields that hold these combinations and all that they are made of.

        Contracting never raises the number of pairings or of nodes, so the bound for the whole
        bounds its parts; other diagrams of the table may overflow into themselves unnoticed.
        """
        bound = max(c.pairings * max(1, sum(map(abs, c.coefficients))) for c in combinations)
        extents = []
        for axis, count in zip(self._packing.axes, self._extents, strict=True):
            bound *= (axis.pinned or 1) ** count
            extents.append(count + 1 if axis.pinned is None else 1)
        return Fields.fitting(bound, extents)

    def _last_uses(self, largest: int) -> dict[int, int]:
        """For each number of factors the largest diagrams that need values of that size."""
        result: dict[int, int] = {}
        for size in range(largest + 1):
            for expansion in self._levels.get(size, _Level()).expansions:
                for part in expansion.parts:
                    result[part.size] = size
        return result

    def _values(self, size: int, known: dict[int, list[int]], fields: Fields) -> list[int]:
        level = self._levels.get(size, _Level())
        values = [0] * level.expanded
        base = 0
        for expansion in level.expansions:
            for part in expansion.parts:
                below = known[part.size]
                shifts = [fields.shift(exponents) for exponents in part.free_nodes]
                # Most children count once and set no node free: skip what does nothing to them.
                for parent, child, multiplicity, free in zip(
                    part.parent.tolist(),
                    part.child.tolist(),
                    part.multiplicity,
                    part.free.tolist(),
                    strict=True,
                ):
                    value = below[child]
                    if multiplicity != 1:
                        value *= multiplicity
                    if shifts[free]:
                        value <<= shifts[free]
                    values[base + parent] += value
            base += expansion.parents
        return values


def _unfinished(row: Codes) -> tuple[int, ...]:
    raise CapacityError("contraction: fixed factors need a rule to finish them; give one")
