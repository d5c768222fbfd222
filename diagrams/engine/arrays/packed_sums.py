"""Sums of packed diagrams: groups of rows with coefficients.

Source: ours.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.packing import Codes, distinct_rows, row_runs

__all__ = ["Group", "PackedSum", "SumBuilder"]

Group = tuple[int, tuple[int, ...]]
"""Number of factors, and of free nodes on every axis."""

PackedSum = dict[Group, tuple[Codes, NDArray[np.object_]]]
"""For each group distinct rows of codes, sorted, and their integer coefficients."""


class SumBuilder:
    """Rows with weights, gathered group by group and added up at the end."""

    def __init__(self) -> None:
        self._groups: defaultdict[Group, list[tuple[Codes, NDArray[np.object_]]]]
        self._groups = defaultdict(list)

    def append(self, free: tuple[int, ...], codes: Codes, weights: NDArray[np.object_]) -> None:
        """Take rows that all have the same free nodes."""
        self._groups[codes.shape[1], free].append((codes, weights))

    def append_sum(self, encoded: PackedSum) -> None:
        """Take all groups of a sum."""
        for (_, free), (codes, weights) in encoded.items():
            self.append(free, codes, weights)

    def append_groups(
        self, free: NDArray[np.intp], codes: Codes, weights: NDArray[np.object_]
    ) -> None:
        """The same for rows with different numbers of free nodes."""
        groups, number = distinct_rows(free)
        for index, loose in enumerate(groups):
            chosen = number == index
            self.append(loose, codes[chosen], weights[chosen])

    def build(self) -> PackedSum:
        """The sum of everything taken."""
        result: PackedSum = {}
        for group in sorted(self._groups):
            parts = self._groups[group]
            codes = np.concatenate([codes for codes, _ in parts])
            weights = np.concatenate([weights for _, weights in parts])
            order, first = row_runs(codes)
            total = np.add.reduceat(weights[order], first) if len(first) else weights
            kept = (total != 0).nonzero()[0]
            if len(kept):
                result[group] = codes[order[first[kept]]], total[kept]
        return result
