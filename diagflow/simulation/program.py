"""Many tensor networks as one straight-line program of pairwise contractions.

Definition. A *contraction* is an einsum with a coefficient. A *program* does several of them by
pairwise steps, each a batched matrix product or an elementwise one. A step whose result several
contractions need is done once. A part of a program may be run once for each block of an index,
and the results added.

Convention. Arrays obey the array-API standard; only ``matmul``, ``*``, ``+``, ``sum``,
``permute_dims`` and ``reshape`` are used.

>>> import numpy
>>> part = Part({"W": (2, 3)}, inputs=[("W", None)])
>>> part.steps.append(PairwiseStep(-1, (0, 1), -1, (2, 1), (0, 2)))
>>> part.results.append((0, 0, 0.5))
>>> Program((part,), 1).run({"W": numpy.ones((2, 3))}, numpy)[0]
array([[1.5, 1.5],
       [1.5, 1.5]])

Source: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

__all__ = ["EinsumTerm", "Labels", "PairwiseStep", "Part", "Program"]

Labels = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EinsumTerm:
    """A coefficient times a product of named arrays, summed over the labels not in the output.

    Parameters
    ----------
    operands : tuple of (str, tuple of int)
        Names of arrays with a label for each dimension, no label twice in one operand.
    output : tuple of int
        Labels that remain; each occurs in an operand.
    coefficient : float
        Factor in front.
    """

    operands: tuple[tuple[str, Labels], ...]
    output: Labels
    coefficient: float = 1.0


@dataclass(frozen=True, slots=True)
class PairwiseStep:
    """One pairwise contraction, or a sum over labels of one array when ``right`` is None."""

    left: int
    left_labels: Labels
    right: int | None
    right_labels: Labels
    output: Labels


@dataclass(slots=True)
class Part:
    """Steps that share intermediates, run once or once for each block of an index."""

    sizes: Mapping[str, tuple[int, ...]]
    inputs: list[tuple[str, int | None]] = field(default_factory=list)
    steps: list[PairwiseStep] = field(default_factory=list)
    results: list[tuple[int, int, float]] = field(default_factory=list)
    blocks: tuple[slice, ...] = (slice(None),)
    entries: int = 0
    flops: int = 0
    _known: dict[object, int] = field(default_factory=dict)

    def value(self, key: object, make: Any) -> int:
        """The number of a value, made when it is new: inputs count down from -1, steps up."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Program:
    """Compiled contractions.

    Parameters
    ----------
    parts : tuple of Part
        Independent groups of steps.
    count : int
        Number of results.
    """

    parts: tuple[Part, ...]
    count: int

    @property
    def entries(self) -> int:
        """Upper bound on the entries of all intermediates that exist at one time."""
        return max((part.entries for part in self.parts), default=0)

    @property
    def flops(self) -> int:
        """Multiplications of one run."""
        return sum(part.flops for part in self.parts)

    def run(self, arrays: Mapping[str, Any], xp: Any) -> list[Any]:
        """The value of every contraction, in the order given, with the array namespace ``xp``."""
        results: list[Any] = [None] * self.count
        for part in self.parts:
            for block in part.blocks:
                for index, value in _run_part(part, block, arrays, xp):
                    results[index] = value if results[index] is None else results[index] + value
        return results


def _run_part(
    part: Part, block: slice, arrays: Mapping[str, Any], xp: Any
) -> list[tuple[int, Any]]:
    inputs = []
    for name, axis in part.inputs:
        array = arrays[name]
        if axis is not None:
            array = array[tuple(block if k == axis else slice(None) for k in range(array.ndim))]
        inputs.append(array)
    values: list[Any] = []

    def get(value: int) -> Any:
        return values[value] if value >= 0 else inputs[-value - 1]

    for step in part.steps:
        left = get(step.left)
        if step.right is None:
            values.append(_reduce(left, step.left_labels, step.output, xp))
        else:
            values.append(
                _pair(left, step.left_labels, get(step.right), step.right_labels, step.output, xp)
            )
    return [(index, get(value) * coefficient) for index, value, coefficient in part.results]


def _reduce(array: Any, labels: Labels, output: Labels, xp: Any) -> Any:
    """Sum over the labels that are not in the output and order the rest."""
    summed = tuple(k for k, x in enumerate(labels) if x not in output)
    if summed:
        array = xp.sum(array, axis=summed)
    return _order(array, tuple(x for x in labels if x in output), output, xp)


def _order(array: Any, labels: Labels, output: Labels, xp: Any) -> Any:
    if labels == output:
        return array
    return xp.permute_dims(array, tuple(labels.index(x) for x in output))


def _pair(a: Any, a_labels: Labels, b: Any, b_labels: Labels, output: Labels, xp: Any) -> Any:
    """Contract two arrays by a batched matrix product, or an elementwise one where that is all."""
    keep_a = tuple(x for x in a_labels if x in b_labels or x in output)
    keep_b = tuple(x for x in b_labels if x in a_labels or x in output)
    a, b = _reduce(a, a_labels, keep_a, xp), _reduce(b, b_labels, keep_b, xp)
    batch = tuple(x for x in keep_a if x in keep_b and x in output)
    inner = tuple(x for x in keep_a if x in keep_b and x not in output)
    left = tuple(x for x in keep_a if x not in keep_b)
    right = tuple(x for x in keep_b if x not in keep_a)
    size = dict(zip(keep_a, a.shape, strict=True)) | dict(zip(keep_b, b.shape, strict=True))
    if not inner and not (left and right):
        both = batch + left + right
        a = xp.reshape(
            _order(a, keep_a, batch + left, xp),
            tuple(size[x] if x in keep_a else 1 for x in both),
        )
        b = xp.reshape(
            _order(b, keep_b, batch + right, xp),
            tuple(size[x] if x in keep_b else 1 for x in both),
        )
        return _order(a * b, both, output, xp)
    rows, columns, middle = (prod(size[x] for x in part) for part in (left, right, inner))
    shape = tuple(size[x] for x in batch)
    a = xp.reshape(_order(a, keep_a, batch + left + inner, xp), (*shape, rows, middle))
    b = xp.reshape(_order(b, keep_b, batch + inner + right, xp), (*shape, middle, columns))
    product = xp.reshape(xp.matmul(a, b), tuple(size[x] for x in batch + left + right))
    return _order(product, batch + left + right, output, xp)
