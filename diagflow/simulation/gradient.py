"""Loss and gradient of a problem at given sizes, from its own description by networks.

Definition. The loss L = 1/2 <f, f> - <f, F> + 1/2 <F, F> is a sum of closed networks. The
derivative of a closed network with respect to one occurrence of a weight is the network without
that factor, its indices open; occurrences that an automorphism exchanges are computed once.

Convention. An index that is summed and occurs nowhere multiplies by the size of its axis; a symbol
that multiplies a network without being the size of a tensor may be any real number. The loss is a
difference of numbers of the order of |F|^2, so it is exact to about 1e-16 |F|^2 and not better.

>>> import numpy
>>> from expansion.models import cp
>>> flow = LossGradient(cp(order=2, symmetric=True), {"p": 3, "H": 2, "sigma2": 1.0})
>>> zero = {"U": numpy.zeros((2, 3))}
>>> float(flow.loss(zero)), float(numpy.sum(flow.gradient(zero)["U"]))
(1.5, 0.0)

Source: ours; the Gram-matrix form of the loss is that of Yarotsky, Golikov, Gusev 2026, appendix L.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

import array_api_compat
import numpy as np
import psutil

from diagflow.simulation.contraction import Contraction, Program
from diagflow.simulation.planning import BLOCK_ENTRIES, compile_contractions
from diagflow.simulation.values import read_values
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.tensors import Axis, Tensor
from expansion.problem import Problem

__all__ = ["LossGradient"]

VECTORS = 20
"""Copies of the weights that an integrator keeps: the stages of DOP853 and what it works on."""

_MARK = "__open"


@dataclass(frozen=True, slots=True, init=False, eq=False)
class LossGradient:
    """The loss and its gradient as functions of the tensors.

    Parameters
    ----------
    problem : Problem
        Model and target.
    at : mapping
        Sizes, variances and other symbols by name.
    xp : array namespace, optional
        Any namespace of the array-API standard; NumPy by default.
    block_entries : int
        Largest intermediate before an index is cut into blocks.
    memory : int, optional
        Bytes that may be used; by default what the machine has free.
    copies : int
        How many processes will follow the flow at one time.

    Raises
    ------
    InvalidInputError
        If a symbol is missing or wrong, or the tensors do not fit in the memory.
    """

    problem: Problem
    values: dict[str, float]
    shapes: dict[str, tuple[int, ...]]
    weights: tuple[Tensor, ...]
    bytes: int
    xp: Any
    _loss: Program
    _gradient: Program
    _names: tuple[str, ...]
    _constants: dict[str, Any]

    def __init__(
        self,
        problem: Problem,
        at: Mapping[str, Fraction | float],
        *,
        xp: Any = np,
        block_entries: int = BLOCK_ENTRIES,
        memory: int | None = None,
        copies: int = 1,
    ) -> None:
        values = read_values(problem, at)
        xp = array_api_compat.array_namespace(xp.zeros(1))
        tensors = tuple(tensor for tensor in problem.tensors if tensor.is_random)
        shapes = {
            tensor.name: tuple(_size(axis, values) for axis in tensor.axes) for tensor in tensors
        }
        free = psutil.virtual_memory().available if memory is None else memory
        vectors = 8 * VECTORS * sum(prod(shape) for shape in shapes.values())
        _require(vectors * copies, free, problem)
        loss: list[Contraction] = []
        names: list[str] = []
        derivatives: list[Contraction] = []
        for diagram, coefficient in problem.loss:
            network = _Network(diagram, values, shapes)
            loss.append(network.contraction(float(coefficient), None))
            for position, count in _occurrences(diagram):
                names.append(diagram.factors[position][0].name)
                derivatives.append(network.contraction(float(coefficient * count), position))
        programs = [
            compile_contractions(list_, shapes, block_entries=block_entries)
            for list_ in (loss, derivatives)
        ]
        constants = {name: shape for name, shape in shapes.items() if name.startswith(_MARK)}
        needed = vectors + 8 * (
            sum(prod(shape) for shape in constants.values())
            + max(program.entries for program in programs)
        )
        _require(needed * copies, free, problem)
        for name, value in (
            ("problem", problem),
            ("values", values),
            ("shapes", {tensor.name: shapes[tensor.name] for tensor in tensors}),
            ("weights", tuple(tensor for tensor in tensors if tensor.is_learnable)),
            ("bytes", needed),
            ("xp", xp),
            ("_loss", programs[0]),
            ("_gradient", programs[1]),
            ("_names", tuple(names)),
            ("_constants", {name: _constant(shape, xp) for name, shape in constants.items()}),
        ):
            object.__setattr__(self, name, value)

    def loss(self, tensors: Mapping[str, Any]) -> Any:
        """The loss at the given weights and fixed tensors."""
        return sum(self._loss.run({**tensors, **self._constants}, self.xp))

    def gradient(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The derivative of the loss with respect to every weight."""
        gradient = {
            tensor.name: self.xp.zeros_like(tensors[tensor.name]) for tensor in self.weights
        }
        parts = self._gradient.run({**tensors, **self._constants}, self.xp)
        for name, part in zip(self._names, parts, strict=True):
            gradient[name] = gradient[name] + part
        return gradient


def _require(needed: int, free: int, problem: Problem) -> None:
    if needed > free:
        raise InvalidInputError(
            f"sizes of {problem.title}: the flow needs about {needed / 2**30:.3g} GiB and "
            f"{free / 2**30:.3g} GiB are free; give smaller sizes"
        )


def _size(axis: Axis, values: Mapping[str, float]) -> int:
    return axis.pinned if axis.pinned is not None else int(values[axis.name])


def _constant(shape: tuple[int, ...], xp: Any) -> Any:
    """The array of ones of one index, or the Kronecker delta of two."""
    return (xp.ones if len(shape) == 1 else xp.eye)(shape[0], dtype=xp.float64)


def _occurrences(diagram: Diagram) -> list[tuple[int, int]]:
    """One weight factor of each class of exchangeable ones, with the size of the class."""
    classes: dict[Diagram, list[int]] = {}
    for position, (tensor, at) in enumerate(diagram.factors):
        if tensor.is_learnable:
            marked = list(diagram.factors)
            marked[position] = (replace(tensor, name=f"{tensor.name}{_MARK}"), at)
            classes.setdefault(Diagram(diagram.nodes, tuple(marked)), []).append(position)
    return [(positions[0], len(positions)) for positions in classes.values()]


@dataclass(frozen=True, slots=True)
class _Network:
    """A diagram at given sizes, from which one factor may be taken out."""

    diagram: Diagram
    values: Mapping[str, float]
    shapes: dict[str, tuple[int, ...]]

    def contraction(self, coefficient: float, left_out: int | None) -> Contraction:
        """The network, or its derivative with respect to the factor at a position."""
        nodes = self.diagram.nodes
        fresh = len(nodes)
        operands: list[tuple[str, tuple[int, ...]]] = []
        for position, (tensor, at) in enumerate(self.diagram.factors):
            labels: list[int] = []
            for node in at:
                if node in labels:  # a diagonal: a delta to an index of its own
                    operands.append((self._constant(nodes[node], 2), (fresh, node)))
                    labels.append(fresh)
                    fresh += 1
                else:
                    labels.append(node)
            if position == left_out:
                output = tuple(labels)
            else:
                operands.append((tensor.name, tuple(labels)))
        if left_out is None:
            output = ()
        touched = {x for _, labels in operands for x in labels}
        for node in sorted(set(output) - touched):
            operands.append((self._constant(nodes[node], 1), (node,)))
        touched |= set(output)
        for node, axis in enumerate(nodes):
            if node not in touched:
                coefficient *= axis.pinned if axis.pinned is not None else self.values[axis.name]
        if not operands:
            operands.append((self._constant(Axis("one", pinned=1), 1), (fresh,)))
        return Contraction(tuple(operands), output, coefficient)

    def _constant(self, axis: Axis, rank: int) -> str:
        name = f"{_MARK}_{rank}_{axis.name}"
        self.shapes[name] = (_size(axis, self.values),) * rank
        return name
