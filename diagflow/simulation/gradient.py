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
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import array_api_compat
import numpy as np
import psutil

from diagflow.simulation.networks import Constant, NetworkAtSizes, axis_size, occurrences
from diagflow.simulation.planning import BLOCK_ENTRIES, compile_contractions
from diagflow.simulation.program import EinsumTerm, Program
from diagflow.simulation.values import (
    amplitude_at,
    factor_at,
    read_values,
    signed_factor_at,
)
from diagrams.errors import InvalidInputError
from diagrams.tensors import Tensor
from diagrams.wick import Monomial
from expansion.drive import Driven
from expansion.losses import Quantity
from expansion.problem import Problem

__all__ = ["LossGradient", "drawn", "symmetric_part"]

VECTORS = 20
"""Copies of the weights that an integrator keeps: the stages of DOP853 and what it works on."""


@dataclass(frozen=True, slots=True, init=False, eq=False)
class LossGradient:
    """The loss and its gradient as functions of the tensors.

    Parameters
    ----------
    problem : Problem
        Model and target.
    at : mapping
        Sizes, variances and other symbols by name.
    loss : str, optional
        What is recorded: a name in ``problem.quantities``; by default the loss that drives the
        flow.
    xp : array namespace, optional
        Any namespace of the array-API standard; NumPy by default.
    block_entries : int
        Largest intermediate before an index is cut into blocks.
    memory : int, optional
        Bytes that may be used; by default the free memory of the machine.
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
    noise: dict[str, float]
    _loss: Program
    _gradient: Program
    _names: tuple[str, ...]
    _constants: dict[str, Any]

    def __init__(
        self,
        problem: Problem,
        at: Mapping[str, Fraction | float],
        *,
        loss: str | None = None,
        xp: Any = np,
        block_entries: int = BLOCK_ENTRIES,
        memory: int | None = None,
        copies: int = 1,
    ) -> None:
        values = read_values(problem, at)
        xp = array_api_compat.array_namespace(xp.zeros(1))
        tensors = tuple(tensor for tensor in problem.tensors if tensor.is_random)
        shapes = {
            tensor.name: tuple(axis_size(axis, values) for axis in tensor.axes)
            for tensor in tensors
        }
        free = psutil.virtual_memory().available if memory is None else memory
        vectors = 8 * VECTORS * sum(prod(shape) for shape in shapes.values())
        _require(vectors * copies, free, problem)
        constants: dict[str, Constant] = {}
        recorded = _closed(problem.quantity(loss or problem.loss_name), values, constants)
        driven = problem.driven
        names, derivatives = _derivatives(driven, values, constants)
        arrays = shapes | {name: constant.shape for name, constant in constants.items()}
        programs = [
            compile_contractions(list_, arrays, block_entries=block_entries)
            for list_ in (recorded, derivatives)
        ]
        needed = vectors + 8 * (
            sum(prod(constant.shape) for constant in constants.values())
            + max(program.entries for program in programs)
        )
        _require(needed * copies, free, problem)
        for name, value in (
            ("problem", problem),
            ("values", values),
            ("shapes", shapes),
            ("weights", tuple(tensor for tensor in tensors if tensor.is_learnable)),
            ("bytes", needed),
            ("xp", xp),
            ("noise", _noise(problem, driven, values)),
            ("_loss", programs[0]),
            ("_gradient", programs[1]),
            ("_names", tuple(names)),
            ("_constants", {name: constant.array(xp) for name, constant in constants.items()}),
        ):
            object.__setattr__(self, name, value)

    def loss(self, tensors: Mapping[str, Any]) -> Any:
        """The loss, or what is recorded, at the given weights and fixed tensors."""
        return sum(self._loss.run({**tensors, **self._constants}, self.xp))

    def gradient(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The slope of what drives the flow with respect to every weight, times its rate.

        For a symmetric weight it is the symmetric part of the derivative by its entries.
        """
        gradient = {
            tensor.name: self.xp.zeros_like(tensors[tensor.name]) for tensor in self.weights
        }
        parts = self._gradient.run({**tensors, **self._constants}, self.xp)
        for name, part in zip(self._names, parts, strict=True):
            gradient[name] = gradient[name] + part
        for tensor in self.weights:
            if tensor.symmetric:
                gradient[tensor.name] = symmetric_part(gradient[tensor.name], tensor, self.xp)
        return gradient


def drawn(tensor: Tensor, flow: LossGradient, generator: np.random.Generator) -> Any:
    """The entries of a random tensor, from its law.

    A symmetric one is the sum of an independent array over the orders of its slots, over the square
    root of their number: the covariance of `diagrams.tensors`.
    """
    array = _independent(tensor, flow.shapes[tensor.name], flow.values, generator)
    if tensor.symmetric:
        array = symmetric_part(array, tensor, np) * np.sqrt(len(tensor.orders))
    return array


def _independent(
    tensor: Tensor,
    shape: tuple[int, ...],
    values: Mapping[str, float],
    generator: np.random.Generator,
) -> Any:
    if tensor.law == "bernoulli":
        return (generator.random(shape) < factor_at(tensor.probability, values)).astype(float)
    if tensor.law == "rademacher":
        array: Any = 2.0 * generator.integers(0, 2, shape) - 1.0
    elif tensor.law == "uniform":
        array = generator.uniform(-np.sqrt(3), np.sqrt(3), shape)
    else:
        array = generator.standard_normal(shape)
    array = array * np.sqrt(factor_at(tensor.variance, values))
    return array + signed_factor_at(tensor.mean, values) if tensor.mean else array


def symmetric_part(array: Any, tensor: Tensor, xp: Any) -> Any:
    """The mean of an array over the orders of the slots of a symmetric tensor."""
    orders = tensor.orders
    return sum(xp.permute_dims(array, order) for order in orders) / len(orders)


def _closed(
    quantity: Quantity, values: Mapping[str, float], constants: dict[str, Constant]
) -> list[EinsumTerm]:
    """The contractions whose sum is a quantity."""
    factor = _factor(quantity.normalisation, values)
    return [
        NetworkAtSizes(diagram, values, constants).contraction(factor * float(c), None)
        for diagram, c in quantity.diagrams
    ]


def _derivatives(
    driven: Driven, values: Mapping[str, float], constants: dict[str, Constant]
) -> tuple[list[str], list[EinsumTerm]]:
    """The contractions whose sums are the slopes of what drives, each with the name of its weight.

    The slope by a weight is multiplied by its rate.
    """
    factor = _factor(driven.normalisation, values)
    names, found = [], []
    for diagram, c in driven.generator.potential:
        network = NetworkAtSizes(diagram, values, constants)
        for position, count in occurrences(diagram):
            tensor = diagram.factors[position][0]
            rate = amplitude_at(driven.generator.rate(tensor), values)
            names.append(tensor.name)
            found.append(network.contraction(factor * rate * float(c * count), position))
    return names, found


def _noise(problem: Problem, driven: Driven, values: Mapping[str, float]) -> dict[str, float]:
    """By weight, half the variance of its noise per unit of t/T; empty without a temperature."""
    temperature = driven.generator.temperature
    if temperature is None:
        return {}
    common = _factor(driven.normalisation, values) * amplitude_at(temperature, values)
    found = {
        tensor.name: common * amplitude_at(driven.generator.rate(tensor), values)
        for tensor in problem.weights
    }
    if min(found.values()) < 0:
        raise InvalidInputError(
            f"temperature {problem.drive.temperature}: the noise has a negative variance at these "
            "values; give a temperature and rates of 0 or more"
        )
    return found


def _factor(normalisation: Monomial, values: Mapping[str, float]) -> float:
    return prod(values[name] ** power for name, power in normalisation)


def _require(needed: int, free: int, problem: Problem) -> None:
    if needed > free:
        raise InvalidInputError(
            f"sizes of {problem.title}: the flow needs about {needed / 2**30:.3g} GiB and "
            f"{free / 2**30:.3g} GiB are free; give smaller sizes"
        )
