"""The plan of many contractions: paths of least cost, shared intermediates, blocks.

Definition. Each contraction is split into pairwise steps along the cheapest path that `opt_einsum`
finds. Steps that occur in several contractions, or twice in one, are done once: for a model of
order nu this turns the squared norm and all its derivatives into products of the same Gram
matrices. An intermediate above the block size is never formed; an index that is summed is cut into
blocks instead and the blocks are added.

>>> import numpy
>>> square = EinsumTerm((("W", (0, 1)), ("W", (2, 1)), ("W", (0, 3)), ("W", (2, 3))), ())
>>> program = compile_contractions([square], {"W": (2, 3)})
>>> [len(part.steps) for part in program.parts]  # W W^T once, then its square, summed
[2]
>>> float(program.run({"W": numpy.ones((2, 3))}, numpy)[0])
36.0

Source: ours; the search for paths is that of opt_einsum (Smith, Gray 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import opt_einsum

from diagflow.simulation.program import EinsumTerm, Labels, PairwiseStep, Part, Program

__all__ = ["BLOCK_ENTRIES", "compile_contractions"]

BLOCK_ENTRIES = 2**25
"""Intermediates above this number of entries (256 MiB in double precision) are cut into blocks."""


MOST_FOR_DP = 16
"""Dynamic programming finds the best path, in a time that grows exponentially with operands."""


def compile_contractions(
    contractions: Sequence[EinsumTerm],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    block_entries: int = BLOCK_ENTRIES,
) -> Program:
    """Plan contractions of arrays with the given shapes.

    Parameters
    ----------
    contractions : sequence of EinsumTerm
        What to compute.
    shapes : mapping
        Shape of each named array.
    block_entries : int
        Largest number of entries of an intermediate before an index is cut into blocks.
    """
    shared = Part(shapes)
    parts = [shared]
    for index, contraction in enumerate(contractions):
        sizes = {
            label: size
            for name, labels in contraction.operands
            for label, size in zip(labels, shapes[name], strict=True)
        }
        path, largest = _path(contraction, sizes)
        cut = _cut(contraction, sizes, path, block_entries) if largest > block_entries else None
        if cut is None:
            _add(shared, contraction, sizes, path, index, None)
            continue
        label, length = cut
        total = sizes[label]
        part = Part(
            shapes,
            blocks=tuple(slice(k, min(k + length, total)) for k in range(0, total, length)),
        )
        block_sizes = sizes | {label: length}
        _add(part, contraction, block_sizes, _path(contraction, block_sizes)[0], index, label)
        parts.append(part)
    return Program(tuple(part for part in parts if part.results), len(contractions))


def _path(contraction: EinsumTerm, sizes: Mapping[int, int]) -> tuple[list[Any], int]:
    """The cheapest of several paths, equal steps counted once, and its largest intermediate."""
    operands = [labels for _, labels in contraction.operands]
    if len(operands) == 1:
        return [(0,)], 1
    symbol = opt_einsum.get_symbol
    equation = ",".join("".join(symbol(x) for x in labels) for labels in operands)
    equation += "->" + "".join(symbol(x) for x in contraction.output)
    shapes = [tuple(sizes[x] for x in labels) for labels in operands]
    best: tuple[int, list[Any], int] | None = None
    exact = ("dp",) if len(operands) <= MOST_FOR_DP else ()
    for optimize in (*exact, "greedy", "auto"):
        path, info = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize=optimize)
        trial = Part({})
        _add(trial, contraction, sizes, path, 0, None)
        if best is None or trial.flops < best[0]:
            best = trial.flops, list(path), int(info.largest_intermediate)
    assert best is not None
    return best[1], best[2]


def _merge(
    operands: list[tuple[int, Labels]], pair: Sequence[int], output: Labels
) -> tuple[list[tuple[int, Labels]], Labels]:
    """Remove the operands of a path step and return the labels of their product."""
    taken = [operands.pop(i) for i in sorted(pair, reverse=True)]
    needed = set(output).union(*(labels for _, labels in operands))
    seen = dict.fromkeys(x for _, labels in taken for x in labels)
    return taken, output if not operands else tuple(x for x in seen if x in needed)


def _cut(
    contraction: EinsumTerm, sizes: Mapping[int, int], path: Sequence[Any], limit: int
) -> tuple[int, int] | None:
    """A summed label of the largest intermediate and the length of its blocks."""
    operands = [(0, labels) for _, labels in contraction.operands]
    largest: Labels = ()
    for pair in path:
        _, kept = _merge(operands, pair, contraction.output)
        operands.append((0, kept))
        largest = max(largest, kept, key=lambda labels: prod(sizes[x] for x in labels))
    summed = [x for x in largest if x not in contraction.output]
    if not summed:
        return None
    label = max(summed, key=lambda x: sizes[x])
    return label, max(1, sizes[label] * limit // prod(sizes[x] for x in largest))


def _add(
    part: Part,
    contraction: EinsumTerm,
    sizes: Mapping[int, int],
    path: Sequence[Any],
    index: int,
    cut: int | None,
) -> None:
    """Append the steps of one contraction, except those the part has already."""
    operands: list[tuple[int, Labels]] = []
    for name, labels in contraction.operands:
        source = (name, labels.index(cut) if cut in labels and cut is not None else None)

        def make_input(source: tuple[str, int | None] = source) -> int:
            part.inputs.append(source)
            return -len(part.inputs)

        operands.append((part.value(source, make_input), labels))
    for pair in path:
        taken, kept = _merge(operands, pair, contraction.output)
        taken.sort()
        number: dict[int, int] = {}
        for _, labels in taken:
            for x in labels:
                number.setdefault(x, len(number))
        if operands:  # the last step must end in the order of the output
            kept = tuple(sorted(kept, key=lambda x: number[x]))
        renamed = [(value, tuple(number[x] for x in labels)) for value, labels in taken]
        left, left_labels = renamed[0]
        right, right_labels = renamed[1] if len(renamed) == 2 else (None, ())
        step = PairwiseStep(left, left_labels, right, right_labels, tuple(number[x] for x in kept))

        def make_step(
            step: PairwiseStep = step, kept: Labels = kept, number: dict[int, int] = number
        ) -> int:
            part.steps.append(step)
            part.entries += prod(sizes[x] for x in kept)
            part.flops += prod(sizes[x] for x in number)
            return len(part.steps) - 1

        operands.append((part.value(step, make_step), kept))
    part.results.append((index, operands[0][0], contraction.coefficient))
