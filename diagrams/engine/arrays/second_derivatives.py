"""Second derivatives of many diagrams at once, summed over the entries of a tensor.

Two factors of the tensor are taken out and their nodes identified, for every ordered pair of
factors, those of a symmetric tensor in all orders of the slots: what integration by parts does with
one factor and its partners (`diagrams.engine.arrays.integration_by_parts`), for all factors.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.codes import Codes
from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.node_identification import free_nodes, identify, nodes_used, relabelled
from diagrams.engine.arrays.packing import Kinds, Packing, batches, factor_multiplicities

__all__ = ["second_derivatives"]

_ROWS = 512
"""Diagrams that are unpacked together: the results of each are as many as pairs of factors."""

_Derivatives = tuple[Codes, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
"""Rows, the position of the diagram that each comes from, its free nodes, and how often."""


def second_derivatives(packing: Packing, codes: Codes, label: int) -> Iterator[_Derivatives]:
    """The second derivatives of some diagrams, some rows at a time.

    Parameters
    ----------
    packing : Packing
        The layout of the rows.
    codes : array of shape (diagrams, factors)
        Packed rows.
    label : int
        The number of the tensor, see `Packing.tensor_label`.
    """
    if codes.shape[1] < 2:
        return
    for part in batches(codes, _ROWS):
        rows, nodes, kinds, free, counts, starts = _unpacked(packing, codes[part], label)
        if len(rows):
            [packed] = packing.pack_together([(nodes, kinds)], starts)
            yield packed, rows + (part.start or 0), free, counts


def _unpacked(
    packing: Packing, codes: Codes, label: int
) -> tuple[NDArray[np.intp], Nodes, Kinds, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    local, kinds = packing.unpack(codes)
    starts = packing.starts(packing.extents(local, kinds))
    nodes = local + packing.offsets(kinds, starts)
    size = codes.shape[1]
    copies = factor_multiplicities(codes)
    copies[packing.tensor_labels(local, kinds) != label] = 0
    # Ordered pairs of factors by the first of their parallel copies.
    pairs = 2 * copies[:, :, None] * copies[:, None, :]
    every = np.arange(size)
    pairs[:, every, every] = copies * (copies - 1)
    pairs *= every[:, None] <= every
    rows, one, other = np.nonzero(pairs)
    counts = pairs[rows, one, other]
    other = other + (one == other)  # the next of the parallel copies
    second = nodes[rows, other]
    if packing.symmetric:
        index, second = packing.in_all_orders(second, kinds[rows, other])
        rows, one, other, counts = rows[index], one[index], other[index], counts[index]
    kept = np.arange(size - 2) + np.zeros_like(one[:, None])
    kept += kept >= one[:, None]
    kept += kept >= other[:, None]
    rest, width = nodes[rows[:, None], kept], int(starts[-1])
    first = nodes[rows, one][:, None]
    representatives = identify(first, second[:, None], packing.rank, width)
    free = free_nodes(packing, representatives, nodes_used(rest, width), first, starts)
    return (
        rows,
        relabelled(representatives, rest),
        kinds[rows[:, None], kept],
        free,
        counts,
        starts,
    )
