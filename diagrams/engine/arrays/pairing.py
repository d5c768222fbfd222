"""Which factor of a diagram to integrate, and with which factors to pair it.

Integration by parts may start at any factor. The *chosen* factor is the one with the fewest
partners (factors of the same tensor), then at the node of smallest degree, then with the most
parallel copies. Partners that an automorphism of the diagram exchanges, without moving the chosen
factor, give isomorphic results, so one of them stands for all: parallel factors, and factors at
*twin* nodes. Two nodes are twins when exchanging them maps the diagram to itself; whether they are
is decided exactly, by comparing all their factors.

Source: ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.packing import Kinds, Packing, factor_multiplicities

__all__ = ["choose_factor", "occurrences", "partner_counts"]

_FIELD_BITS = 62


def choose_factor(
    packing: Packing, nodes: Nodes, labels: NDArray[np.intp], multiplicities: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The position of the factor to integrate in each diagram, the first of its parallel copies.

    Parameters
    ----------
    nodes : array of shape (diagrams, factors, slots)
        Node numbers, those of all axes numbered through.
    labels : array of shape (diagrams, factors)
        Numbers of tensors (`Packing.tensor_labels`).
    multiplicities : array of shape (diagrams, factors)
        As `diagrams.engine.arrays.packing.factor_multiplicities` gives them.
    """
    count, size, _ = nodes.shape
    partners = occurrences(labels, int(labels.max()) + 1)
    width = int(nodes.max()) + 1
    flat = nodes[:, :, : packing.rank].reshape(count, -1)
    degrees = occurrences(flat, width).reshape(count, size, packing.rank)
    bound = 2 * size * packing.rank + 2
    low, high = degrees.min(axis=2), degrees.max(axis=2)
    score = ((partners * bound + low) * bound - multiplicities) * bound + high
    score[multiplicities == 0] = np.iinfo(np.intp).max
    if packing.has_deterministic:
        score[packing.fixed_labels(labels)] = np.iinfo(np.intp).max
    chosen: NDArray[np.intp] = score.argmin(axis=1)
    return chosen


def partner_counts(
    packing: Packing,
    local: Nodes,
    kinds: Kinds,
    labels: NDArray[np.intp],
    multiplicities: NDArray[np.intp],
    chosen: NDArray[np.intp],
) -> NDArray[np.intp]:
    """For each factor how many partners it stands for, zero where it stands for none.

    Parameters
    ----------
    local : array of shape (diagrams, factors, slots)
        Node numbers within their axes.
    chosen : array of shape (diagrams,)
        The factor to integrate (`choose_factor`).

    Returns
    -------
    array of shape (diagrams, factors)
        The sum over a row is the number of partners of the chosen factor.
    """
    every = np.arange(len(local))
    counts = multiplicities.copy()
    # The chosen factor is first among its parallel copies; the one after it represents the others.
    copies = counts[every, chosen] - 1
    counts[every, chosen] = 0
    following = np.minimum(chosen + 1, local.shape[1] - 1)
    counts[every, following] = np.where(copies > 0, copies, counts[every, following])
    counts[labels != labels[every, chosen][:, None]] = 0
    code = labels
    for slot in range(packing.rank):
        nodes = local[:, :, slot]
        twins = _twins(packing, slot, local, kinds, multiplicities, nodes[every, chosen])
        if twins is not None:
            nodes = np.take_along_axis(twins, nodes, axis=1)
        code = code * (int(nodes.max(initial=0)) + 1) + nodes
    return _collected(code, counts)


def occurrences(values: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """For each entry how often its value occurs in its row; values lie below ``width``."""
    at = values + (np.arange(len(values)) * width)[:, None]
    result: NDArray[np.intp] = np.bincount(at.ravel(), minlength=len(values) * width)[at]
    return result


def _twins(
    packing: Packing,
    slot: int,
    local: Nodes,
    kinds: Kinds,
    multiplicities: NDArray[np.intp],
    fixed: NDArray[np.intp],
) -> NDArray[np.intp] | None:
    """For every node on the axis of a slot the first of its twins; ``fixed`` nodes have none.

    All factors at a node are written into one integer: for each possible combination of tensor and
    other nodes a field with the number of such factors. None where this does not fit, or where the
    nodes can stand in other slots too.
    """
    axes = packing.slot_axes[:, slot]
    if packing.slots_meeting(slot) != [slot] or len(set(axes.tolist())) > 1:
        return None
    neighbours = kinds.astype(np.intp)
    combinations = int(neighbours.max(initial=0)) + 1
    for other in range(packing.slots):
        if other != slot:
            extent = int(local[:, :, other].max(initial=0)) + 1
            neighbours = neighbours * extent + local[:, :, other]
            combinations *= extent
    bits = int(multiplicities.max(initial=1)).bit_length()
    if combinations * bits > _FIELD_BITS:
        return None
    nodes = local[:, :, slot]
    every = np.arange(len(local))
    signature = np.zeros((len(local), int(nodes.max(initial=0)) + 1), dtype=np.int64)
    np.add.at(signature, (every[:, None], nodes), np.int64(1) << (neighbours * bits))
    signature[every, fixed] = -1
    same = signature[:, :, None] == signature[:, None, :]
    result: NDArray[np.intp] = same.argmax(axis=2)
    return result


def _collected(code: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Move the counts of equal codes in a row to the first of them that has any."""
    order = np.argsort(code, axis=1, kind="stable")
    ordered = np.take_along_axis(code, order, axis=1)
    here = np.take_along_axis(counts, order, axis=1)
    total = np.cumsum(here, axis=1)
    length = factor_multiplicities(ordered)
    position = np.arange(code.shape[1])
    start = np.maximum.accumulate(np.where(length > 0, position, 0), axis=1)
    end = start + np.take_along_axis(length, start, axis=1) - 1
    before = np.take_along_axis(total - here, start, axis=1)
    collected = np.take_along_axis(total, end, axis=1) - before
    leads = (here > 0) & (total - here == before)
    result = np.zeros_like(counts)
    np.put_along_axis(result, order, np.where(leads, collected, 0), axis=1)
    return result
