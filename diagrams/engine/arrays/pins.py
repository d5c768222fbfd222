"""Factors that are not random, in arrays of diagrams: they stay until all others are contracted.

Pins and modular sums are neither merged over nor paired. A diagram with such factors only is a
number of solutions (`diagrams.residue_sums`), which is a product of sizes. All nodes of an axis
that carry a pin are one node with one pin, so merging two diagrams with pins identifies their
pinned nodes and drops one of the pins.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from diagrams.engine.arrays.labelling import Nodes
from diagrams.engine.arrays.packing import Kinds, Packing

__all__ = ["PinPairs", "without_second_pins"]


class PinPairs:
    """The pins of each diagram, of which there are at most two on each axis.

    Parameters
    ----------
    packing : Packing
    nodes : array of shape (diagrams, factors, slots)
    kinds : array of shape (diagrams, factors)

    Attributes
    ----------
    first, second : arrays of shape (diagrams, kinds of pins, slots)
        The nodes of the two pins, to be identified; the same twice where there is one pin or none.
    doubled : array of shape (diagrams, kinds of pins)
        Whether there are two.
    position : array of shape (diagrams, kinds of pins)
        Where the second one is.
    """

    def __init__(self, packing: Packing, nodes: Nodes, kinds: Kinds) -> None:
        size = kinds.shape[1]
        self.first: Nodes
        self.second: Nodes
        self.doubled: NDArray[np.bool_]
        if not size:  # merged away entirely: nothing is left to carry a pin
            self.doubled = np.zeros((len(kinds), 0), dtype=bool)
            self.position = np.zeros((len(kinds), 0), dtype=np.intp)
            self.first = self.second = np.zeros((len(kinds), 0, nodes.shape[2]), dtype=nodes.dtype)
            return
        every = np.arange(len(kinds))[:, None]
        is_pin = kinds[:, None, :] == np.array(packing.pins)[:, None]
        first = is_pin.argmax(axis=2)
        self.doubled = np.count_nonzero(is_pin, axis=2) == 2
        self.position = np.where(self.doubled, size - 1 - is_pin[:, :, ::-1].argmax(axis=2), first)
        self.first = nodes[every, first]
        self.second = nodes[every, self.position]


def without_second_pins(
    pairs: PinPairs, nodes: Nodes, kinds: Kinds
) -> Iterator[tuple[NDArray[np.intp], Nodes, Kinds]]:
    """The diagrams without their second pins, by number of factors.

    Yields the positions of some diagrams, their nodes and their classes.
    """
    size = kinds.shape[1]
    patterns = pairs.doubled @ (1 << np.arange(pairs.doubled.shape[1]))
    for pattern in sorted(set(patterns.tolist())):
        rows = np.flatnonzero(patterns == pattern)
        keep = np.ones((len(rows), size), dtype=bool)
        for pin in np.flatnonzero(pairs.doubled[rows[0]]).tolist():
            keep[np.arange(len(rows)), pairs.position[rows, pin]] = False
        kept = np.nonzero(keep)[1].reshape(len(rows), np.count_nonzero(keep[0]))
        yield rows, nodes[rows[:, None], kept], kinds[rows[:, None], kept]
