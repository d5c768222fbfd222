"""Identifying nodes in many diagrams at once, and what that leaves free.

Merging and contracting delete pairs of factors and identify their nodes slot by slot. Here that is
done for arrays of diagrams, whose nodes of all axes are numbered through
(`diagrams.engine.arrays.packing`). The result of the identifications is a table of *leaders*: for
every node the least node that is one with it.

Source: ours.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.packing import Packing

__all__ = ["Leaders", "free_nodes", "identified", "led", "nodes_used"]

Leaders = NDArray[np.uint16]


def identified(first: Nodes, second: Nodes, rank: int, width: int) -> Leaders:
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
    >>> identified(np.array([[[0, 2]]]), np.array([[[1, 3]]]), 2, 4).tolist()
    [[0, 0, 2, 2]]
    """
    # Small numbers, so that the table is quick to scan.
    leaders = np.empty((len(first), width), dtype=np.uint16)
    leaders[:] = np.arange(width, dtype=np.uint16)
    every = np.arange(len(first))
    for pair in range(first.shape[1]):
        for slot in range(rank):
            one = leaders[every, first[:, pair, slot]]
            other = leaders[every, second[:, pair, slot]]
            keep, drop = np.minimum(one, other)[:, None], np.maximum(one, other)[:, None]
            np.copyto(leaders, keep, where=leaders == drop)
    return leaders


def free_nodes(
    packing: Packing,
    leaders: Leaders,
    used: NDArray[np.bool_],
    deleted: Nodes,
    starts: NDArray[np.intp],
) -> NDArray[np.intp]:
    """How many nodes on each true axis are left without factors, shape (diagrams, sizes).

    Parameters
    ----------
    leaders : array of shape (diagrams, width)
        As `identified` gives them.
    used : array of shape (diagrams, width)
        Whether a node, before identification, is on a factor that remains.
    deleted : array of shape (diagrams, factors, slots)
        The nodes of deleted factors.
    starts : array of shape (axes + 1,)
        The first node of every axis (`Packing.starts`).
    """
    count, width = leaders.shape
    row = (np.arange(count) * width)[:, None]
    flat = leaders + row
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
    used = np.zeros((len(nodes), width), dtype=bool)
    used[np.arange(len(nodes))[:, None, None], nodes] = True
    return used


def led(leaders: Leaders, nodes: Nodes) -> Nodes:
    """Replace every node by its leader."""
    count, width = leaders.shape
    result: Nodes = leaders.ravel()[nodes + (np.arange(count) * width)[:, None, None]].astype(
        np.intp
    )
    return result
