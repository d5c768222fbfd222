"""Simulations with products as variances, isometries and symmetric tensors."""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from numpy.random import SeedSequence

from diagflow.drawing.contractions import contractions
from diagflow.simulation import LossGradient, initial_tensors, simulate
from diagrams.diagram import Diagram
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from diagrams.wick import expectation
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import LossSeries

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
AT = {
    "scaled_initialisation": {"p": 4, "H": 3},
    "low_rank": {"p": 4, "n": 3, "H": 2, "r": 2, "sigma2": Fraction(1, 4)},
    "symmetric_noise": {"p": 4, "H": 2, "sigma2": Fraction(1, 4), "alpha": Fraction(1, 2)},
}

p, H, n, r = (Axis(name) for name in ("p", "H", "n", "r"))
S = Tensor("S", (p, p), variance="sigma2", symmetric=True)
C = Tensor("C", (p, p, p), variance="2", symmetric=True)


def problem(name: str) -> Problem:
    return read_problem_file(EXAMPLES / f"{name}.toml")


@pytest.mark.parametrize("name", AT)
def test_the_mean_of_runs_is_the_series(name: str) -> None:
    """Y_0, and at a short time Y_0 + Y_1 t + ... + Y_4 t^4 / 24."""
    series = LossSeries(problem(name))
    time = 0.02
    runs = simulate(series.problem, at=AT[name], times=[0.0, time], runs=400, seed=1)
    values = [float(series[s].evaluate(**AT[name])) for s in range(5)]
    expected = [values[0], sum(v * time**s / factorial(s) for s, v in enumerate(values))]
    allowed = 4 * runs.standard_error + [0.0, abs(values[4]) * time**4 / 24]
    assert np.all(np.abs(runs.mean - expected) <= allowed)
    assert np.all(allowed < 0.2 * runs.mean)


def model_of(tensor: Tensor) -> Problem:
    letters = "ijk"[: tensor.rank]
    return Problem(
        "square",
        model=(
            Network.einsum(f"{letters},{letters}->", tensor, tensor),
            Network.einsum(f"{'i' * tensor.rank}->", tensor),
        ),
        target=(Network.einsum("->"),),
        output_axes=(),
    )


@pytest.mark.parametrize("tensor", [S, C])
def test_the_gradient_is_the_symmetric_part(tensor: Tensor) -> None:
    """It is symmetric, and its product with a symmetric direction is the slope of the loss."""
    flow = LossGradient(model_of(tensor), {"p": 3} | ({"sigma2": 1.0} if tensor == S else {}))
    start = initial_tensors(flow, SeedSequence(3))[tensor.name]
    way = initial_tensors(flow, SeedSequence(4))[tensor.name]
    for array in (start, way, flow.gradient({tensor.name: start})[tensor.name]):
        for order in tensor.orders:
            assert np.allclose(array, array.transpose(order), rtol=1e-13, atol=1e-13)
    step = 1e-5
    ahead, back = (flow.loss({tensor.name: start + sign * step * way}) for sign in (1, -1))
    slope = float(np.sum(flow.gradient({tensor.name: start})[tensor.name] * way))
    assert slope == pytest.approx((ahead - back) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(("tensor", "unit"), [(S, 1.0), (C, 2.0)])
def test_symmetric_tensors_are_drawn_with_their_covariance(tensor: Tensor, unit: float) -> None:
    flow = LossGradient(model_of(tensor), {"p": 3} | ({"sigma2": 1.0} if tensor == S else {}))
    drawn = [initial_tensors(flow, SeedSequence(k))[tensor.name] for k in range(4000)]
    found = np.mean(np.square(drawn), axis=0)
    for index in np.ndindex(found.shape):
        alike = sum(tuple(index[i] for i in order) == index for order in tensor.orders)
        assert found[index] == pytest.approx(unit * alike, rel=0.15)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("low_rank", {"r": 4}, r"^size r=4: is larger than n=3, which an isometry forbids; give"),
        ("scaled_initialisation", {"p": 0}, r"^size p=0: is not a positive integer"),
        ("scaled_initialisation", {"sigma2": 1}, r"^symbol sigma2: does not occur in"),
        ("symmetric_noise", {"sigma2": -1}, r"^variance sigma2=-1: is negative"),
    ],
)
def test_values_that_do_not_fit(name: str, values: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        simulate(problem(name), at=AT[name] | values, times=[0.0])


DIAGRAMS = {
    "cycle": Diagram((p,) * 4, tuple((S, (i, (i + 1) % 4)) for i in range(4))),
    "three slots": Diagram((p,) * 3, ((C, (0, 0, 1)), (C, (1, 2, 2)))),
    "isometry": Diagram(
        (H, p, r),
        (
            (Tensor.isometry(p, r), (1, 2)),
            *([(Tensor("W", (H, p), variance="2/(3*p)"), (0, 1))] * 4),
        ),
    ),
    "pinned": Diagram(
        (H, p, p),
        ((Tensor.pin(p), (1,)), *([(Tensor("W", (H, p), variance="1/H"), (0, 1))] * 2)),
    ),
}


@pytest.mark.parametrize("diagram", DIAGRAMS.values(), ids=DIAGRAMS)
def test_the_drawn_contractions_add_up_to_the_expectation(diagram: Diagram) -> None:
    total = {}
    for contraction in contractions(diagram):
        for powers, c in contraction.value:
            total[powers] = total.get(powers, 0) + c * contraction.count
    assert total == expectation(diagram)
