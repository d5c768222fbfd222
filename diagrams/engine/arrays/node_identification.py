"""Identifying nodes in many diagrams at once, and what that leaves free.

Merging and contracting delete pairs of factors and identify their nodes slot by slot. Here that is
done for arrays of diagrams, whose nodes of all axes are numbered through
(`diagrams.engine.arrays.packing`). The result is a table of *representatives*: for every node the
least node that is one with it.

Source: ours.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.packing import Packing

__all__ = ["Representatives", "free_nodes", "identify", "nodes_used", "relabelled"]

Representatives = NDArray[np.uint16]


def identify(first: Nodes, second: Nodes, rank: int, width: int) -> Representatives:
    """The node that stands for each node when pairs of factors are identified slot by slot.

    Parameters
    ----------
    first, second : arrays of shape (diagrams, pairs, slots)
        The nodes of the two factors of each pair; the first ``rank`` slots are identified.
    width : int
        Number of nodes, at most 65536.

    Returns
    -------
    array of shape (diagrams, width)
        For each node the least of those that are one with it.

    Examples
    --------
    >>> identify(np.array([[[0, 2]]]), np.array([[[1, 3]]]), 2, 4).tolist()
    [[0, 0, 2, 2]]
    """
    # Small numbers, so that the table is quick to scan.
    representatives = np.empty((len(first), width), dtype=np.uint16)
    representatives[:] = np.arange(width, dtype=np.uint16)
    every = np.arange(len(first))
    for pair in range(first.shape[1]):
        for slot in range(rank):
            one = representatives[every, first[:, pair, slot]]
            other = representatives[every, second[:, pair, slot]]
            keep, drop = np.minimum(one, other)[:, None], np.maximum(one, other)[:, None]
            np.copyto(representatives, keep, where=representatives == drop)
    return representatives


def free_nodes(
    packing: Packing,
    representatives: Representatives,
    used: NDArray[np.bool_],
    deleted: Nodes,
    starts: NDArray[np.intp],
) -> NDArray[np.intp]:
    """How many nodes on each true axis are left without factors, shape (diagrams, sizes).

    Parameters
    ----------
    representatives : array of shape (diagrams, width)
        As `identify` gives them.
    used : array of shape (diagrams, width)
        Whether a node, before identification, is on a factor that remains.
    deleted : array of shape (diagrams, factors, slots)
        The nodes of deleted factors.
    starts : array of shape (axes + 1,)
        The first node of every axis (`Packing.starts`).
    """
    count, width = representatives.shape
    row = (np.arange(count) * width)[:, None]
    flat = representatives + row
    loose = np.zeros(count * width, dtype=bool)
    loose[flat.ravel()[deleted + row[:, :, None]]] = True
    loose[flat[used]] = False
    table = loose.reshape(count, width)
    return np.stack(
        [
            np.count_nonzero(table[:, first:last], axis=1)
            for first, last in pairwise(starts[: packing.sizes + 1].tolist())
        ],
        axis=1,
    )


def nodes_used(nodes: Nodes, width: int) -> NDArray[np.bool_]:
    """Whether each of ``width`` nodes is on a factor, shape (diagrams, width)."""
    used = np.zeros(len(nodes) * width, dtype=bool)
    used[nodes + (np.arange(len(nodes)) * width)[:, None, None]] = True
    return used.reshape(len(nodes), width)


def relabelled(representatives: Representatives, nodes: Nodes) -> Nodes:
    """Replace every node by its representative."""
    count, width = representatives.shape
    result: Nodes = representatives.ravel()[
        nodes + (np.arange(count) * width)[:, None, None]
    ].astype(np.intp)
    return result
