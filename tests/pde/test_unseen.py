"""Problems that no paper has, typed as files: what was wrong with them once."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from io import BytesIO
from math import factorial
from pathlib import Path

import numpy as np
import pytest

from diagrams.errors import InvalidInputError
from expansion.drive import Drive
from expansion.dynamics.derivation import derive
from expansion.models import cp
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file, read_problem_stream
from expansion.regimes import Regimes, regimes
from pde.evolution import Method
from pde.hierarchies import HierarchyKind
from pde.solving import solution

FROZEN = """
[axes]
p = "growing"
r = "growing"
[tensors.W]
kind = "fixed"
axes = ["p", "p"]
variance = "omega/p"
[tensors.A]
kind = "weight"
axes = ["r", "p"]
variance = "sigma2"
[tensors.B]
kind = "weight"
axes = ["p", "r"]
variance = "sigma2"
[losses.train]
outputs = ["i", "j"]
model = "MODEL"
target = "TARGET"
"""

DECAYED = """
flow = "train + lambda*weight-norm"
[axes]
p = "growing"
H = "growing"
[tensors.u]
kind = "weight"
axes = ["H", "p"]
variance = "sigma2/p"
[losses.train]
outputs = ["i", "j", "k"]
model = "u[h,i] u[h,j] u[h,k]"
target = "identity"
"""

NEURONS = read_problem_file(Path(__file__).parents[2] / "examples" / "neurons.toml")


def read(text: str) -> Problem:
    return read_problem_stream(BytesIO(text.encode()))


@cache
def decayed() -> Regimes:
    return regimes(read(DECAYED))


@cache
def neurons() -> Regimes:
    return regimes(NEURONS)


def test_a_frozen_part_of_a_model_is_a_part_of_the_target() -> None:
    """f = W + BA with the target 0 is f = BA with the target -W."""
    fitted = read(FROZEN.replace("MODEL", "W[i,j] + B[i,k] A[k,j]").replace("TARGET", "zero"))
    taught = read(FROZEN.replace("MODEL", "B[i,k] A[k,j]").replace("TARGET", "-1*W[i,j]"))
    maps = [regimes(problem) for problem in (fitted, taught)]
    described = [
        [(r.name, r.cone, r.natural_time, r.learning.value) for r in found] for found in maps
    ]
    assert described[0] == described[1]
    assert {r.name for r in maps[0] if r.learning == "free"} == {"V4", "V5", "V4-V5"}
    at = {"p": 100, "r": 10_000, "sigma2": Fraction(1, 50), "omega": 25}
    for name in ("V2", "V3"):
        first, second = (solution(found, name).at(at) for found in maps)
        assert first(0) == pytest.approx(100 * 25 / 2)
        assert first(1e-3 / 200) == pytest.approx(second(1e-3 / 200))


@pytest.mark.parametrize("name", ["A", "E", "A-B", "C-D"])
def test_numbers_of_a_solution_are_asked_for(name: str) -> None:
    """T has the value 1 unless one is given; what else is missing is told."""
    solved = solution(regimes(cp(order=2)), name)
    with pytest.raises(InvalidInputError, match="no value for H, sigma2; give one for each of"):
        solved.at({"p": 10})
    at = {"p": 10, "H": 10, "sigma2": Fraction(1, 100)}
    assert solved.at(at)(1e-3) == solved.at(at | {"T": 1})(1e-3)


@pytest.mark.parametrize("name", ["V4", "V4-V6", "V4-V5-V6-V7-V8", "F1"])
def test_weights_that_decay_are_particles_too(name: str) -> None:
    """The decay moves the particles and is no part of the loss."""
    solved = solution(decayed(), name)
    assert solved.method is Method.MOMENTS and solved.hierarchy.kind is HierarchyKind.ONE_SITE
    assert solved.certificate.holds
    at = {"p": 40, "H": 40, "sigma2": Fraction(1, 50), "lambda": Fraction(1, 40)}
    evolution = solved.at(at)
    rows = [
        float(row.evaluate(**{n: at[n] for n in row.symbols})) for row in solved.coefficients(6)
    ]
    t = evolution.domain.stop / 50
    expected = sum(c * t**s / factorial(s) for s, c in enumerate(rows))
    assert evolution(t) == pytest.approx(expected, abs=1e-4 * abs(evolution(t) - evolution(0)))


def test_rates_of_their_own_are_rates_of_a_particle() -> None:
    """One layer moves twice as fast; slow and fast are exchanged by exchanging the layers."""
    problem = cp(order=3)
    faster = replace(problem, drive=Drive(rates=(("U1", "2"),)))
    solved = solution(regimes(faster), "E-A")
    assert solved.hierarchy.kind is HierarchyKind.ONE_SITE and solved.certificate.holds


@pytest.mark.parametrize(
    ("name", "kept"), [("V1", "a(H0) w(H0,p0)^2"), ("V7", "a(H0)^2 w(H0,p0)^2 w(H0,p1)^2")]
)
def test_a_vector_is_not_its_length_where_its_neuron_drives_it(name: str, kept: str) -> None:
    """The length of the weights of a neuron is typical, until its output weight moves it."""
    dynamics = derive(neurons(), name)
    assert dynamics.certificate.holds
    assert next(str(core).split("; ")[-1] for core, _ in dynamics.cores) == kept


@pytest.mark.parametrize("name", ["V1", "V7", "V1-V2", "V1-V3", "V2-V7", "V7-V11", "V1-V5"])
def test_neurons_are_particles_with_a_length(name: str) -> None:
    solved = solution(neurons(), name)
    assert solved.method is Method.MOMENTS and solved.hierarchy.kind is HierarchyKind.ONE_SITE
    assert solved.certificate.holds
    assert any("squared length of a vector" in step.text for step in solved.derivation)


def test_output_weights_that_are_too_large_to_move_stand_still() -> None:
    """V1: du/dt = 2 a u with a Gaussian a, E[sum a u^2] = p H sigma^2 4 t tau^2 e^(8 tau^2 t^2)."""
    at = {"p": 10, "H": 1000, "sigma2": Fraction(1, 10**6), "tau2": 1}
    evolution = solution(neurons(), "V1").at(at)
    t = np.array([0.1, 0.3, 0.5])
    expected = 10 / 2 - 10 * 1000 * 1e-6 * 4 * t * np.exp(8 * t**2)
    assert evolution(t) == pytest.approx(expected, rel=1e-9)
