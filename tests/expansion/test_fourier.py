"""Sums modulo p in real Fourier modes: the same loss, flow and leading coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from diagflow.simulation.gradient import LossGradient
from expansion.dynamics.any_basis import derive_in_any_basis
from expansion.dynamics.derivation import RefusedError, derive
from expansion.dynamics.hierarchy import GrowthError
from expansion.fourier import fourier_twin, in_modes
from expansion.models import cp
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_stream
from expansion.series import Budget
from tests.problems import regimes_of

SYM = cp(order=3, symmetric=True, target="modular-addition")
ASYM = cp(order=3, target="modular-addition")
RATES = ASYM.driven_by(rates={"U1": "eta", "U3": "2"})
MIXED = read_problem_stream(
    BytesIO(b"""
[axes]
p = "growing"
H = "growing"
[tensors]
A = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
B = { kind = "weight", axes = ["p", "H"], variance = "sigma2/H", rate = "eta" }
G = { kind = "fixed", axes = ["p", "p"], variance = "v" }
plus = { kind = "modular", axes = ["p", "p", "p"] }
[losses.train]
outputs = ["a", "b", "c"]
model = "A[k,a] A[k,b] B[m,k] G[m,c]"
target = "2*plus[a,b,c]"
""")
)

Tensors = Mapping[str, NDArray[np.float64]]


def _modes(problem: Problem, weights: Tensors, p: int) -> dict[str, NDArray[np.float64]]:
    """Tensors as those of the twin, in units of the root of the number of pairs for each slot."""
    q = (p - 1) // 2
    angle = 2 * np.pi * np.outer(np.arange(p), np.arange(1, q + 1)) / p
    basis = {"x": np.sqrt(2 / p) * np.cos(angle), "y": np.sqrt(2 / p) * np.sin(angle)}
    result = {}
    for tensor in problem.tensors:
        slots = [slot for slot, axis in enumerate(tensor.axes) if axis.name == "p"]
        for parts in product("xy", repeat=len(slots) if tensor.name in weights else 0):
            value = weights.get(tensor.name)
            for slot, part in zip(slots, parts, strict=False):
                value = np.moveaxis(np.tensordot(value, basis[part], (slot, 0)), -1, slot)
            if value is not None:
                result[f"{tensor.name}_{''.join(parts)}"] = value / np.sqrt(q) ** len(slots)
    return result


def _random(problem: Problem, p: int, H: int) -> dict[str, NDArray[np.float64]]:
    """Tensors without the mode that is its own opposite."""
    generator = np.random.default_rng(p)
    result = {}
    for tensor in (tensor for tensor in problem.tensors if tensor.is_random):
        value = generator.normal(size=[p if axis.name == "p" else H for axis in tensor.axes])
        for slot, axis in enumerate(tensor.axes):
            if axis.name == "p":
                value -= value.mean(axis=slot, keepdims=True)
        result[tensor.name] = value
    return result


@pytest.mark.parametrize(
    "problem", [SYM, ASYM, RATES, MIXED], ids=["SYM", "ASYM", "rates", "mixed"]
)
@pytest.mark.parametrize(("p", "H"), [(7, 2), (9, 3)])
def test_loss_and_flow_are_those_of_the_twin(problem: Problem, p: int, H: int) -> None:
    """At the sizes of the twin q = (p - 1)/2 takes the place of p/2 in front of the overlap."""
    known = fourier_twin(problem)
    assert known is not None
    q = (p - 1) // 2
    others = {*problem.variance_symbols, *problem.amplitude_symbols}
    at = dict.fromkeys(others, 0.7) | {"H": H}
    mine = LossGradient(problem, {"p": p, **at})
    its = LossGradient(known.preset, {"q": q, **at}, loss=known.losses[0][1])
    # Even in one of the weights is the square of the model, odd the overlap with the target.
    turned = max(tensor.name for tensor in problem.weights)
    one = _random(problem, p, H)
    other = {name: -value if name == turned else value for name, value in one.items()}
    zero = {name: 0 * value for name, value in one.items()}
    here, there, nothing = (_modes(problem, tensors, p) for tensors in (one, other, zero))
    share = np.sqrt(2 * q / p)
    odd, even = mine.loss(one) - mine.loss(other), mine.loss(one) + mine.loss(other)
    assert its.loss(here) - its.loss(there) == pytest.approx(odd * share)
    assert its.loss(here) + its.loss(there) - 2 * its.loss(nothing) == pytest.approx(
        even - 2 * mine.loss(zero)
    )
    first, second = (_modes(problem, mine.gradient(w), p) for w in (one, other))
    left, right = (its.gradient(w) for w in (here, there))
    assert {*first} == {*left}
    for name in left:
        sign = -1 if name.startswith(turned) else 1
        square = first[name] + sign * second[name]
        overlap = first[name] - sign * second[name]
        assert left[name] + sign * right[name] == pytest.approx(square)
        assert left[name] - sign * right[name] == pytest.approx(overlap * share)


def test_the_twin_has_neither_sums_nor_half_powers() -> None:
    known = fourier_twin(ASYM)
    assert known is not None
    assert all(tensor.is_random for tensor in known.preset.tensors)
    found = regimes_of(ASYM, 4)
    exponents = found.exponents.in_preset(known, known.losses[0][1])
    # The leading coefficient of Y_3 is that of a complex particle, -72, not -108 of a real one.
    assert dict(exponents.coefficients[3])[(("H", 1), ("q", 3), ("sigma2", 3))] == -72 * 8
    back = (known.from_preset(c, s, "train") for s, c in enumerate(exponents.coefficients))
    assert tuple(back) == found.exponents.coefficients


@pytest.mark.parametrize("name", ["D", "E", "E-A"])
def test_what_is_open_in_indices_is_a_particle_in_modes(name: str) -> None:
    found = regimes_of(SYM, 4)
    with pytest.raises((GrowthError, RefusedError)):
        derive(found, name, budget=Budget(diagrams=20_000)).require_certificate()
    dynamics = derive_in_any_basis(found, name)
    assert dynamics.kind.value == "one-site" and dynamics.regime.name == name
    assert {1, 3} <= {*dynamics.certificate.matched}


def test_what_closes_in_indices_stays_in_them() -> None:
    assert derive_in_any_basis(regimes_of(SYM, 4), "A-C").problem == SYM


@pytest.mark.parametrize(
    "problem",
    [
        cp(order=3),
        cp(order=3, target="modular-addition + identity"),
        cp(order=3, target="modular-addition + spike"),
        SYM.driven_by("train + lambda*weight-norm"),
        SYM.driven_by(temperature="tau"),
        replace(SYM, normalisation=(("p", -1),)),
    ],
    ids=str,
)
def test_other_problems_have_no_twin(problem: Problem) -> None:
    assert fourier_twin(problem) is None


def test_a_map_of_a_problem_without_sums_is_in_no_modes() -> None:
    assert in_modes(regimes_of(cp(order=2), 4), "C") is None
