"""The types of packed diagrams, for `packing` and what it is made of.

Source: ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "Codes", "Kinds", "Weights"]

BITS = 8
"""Of a code, for the number of a node on its axis; ``kernel.c`` has the same."""

Codes = NDArray[np.unsignedinteger]
"""One code for each factor, one row of codes for each diagram (`packing`)."""

Kinds = NDArray[np.uint8]
"""The class of the tensor of each factor."""

Weights = NDArray[np.object_]
"""Integers of any size, such as coefficients or encoded polynomials."""
