"""Fixed factors of neurons: squares of signs are numbers, and particles carry what stays fixed."""

from fractions import Fraction

import numpy as np
import pytest

from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Kind, Tensor
from expansion.dynamics.derivation import derive
from expansion.dynamics.particle import Closure
from expansion.dynamics.reduction import without_squares
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.regimes import Regimes, regimes
from pde.evolution import Method, Origin
from pde.solving import solution

TEXT = """
axes = {{ p = "growing", H = "growing" }}
[tensors]
a = {{ kind = "fixed", axes = ["H"], variance = {variance} }}
W = {{ kind = "weight", axes = ["H", "p"], variance = "sigma2" }}
[losses.train]
outputs = ["i", "j"]
model = "a[k] W[k,i] W[k,j]"
target = "identity"
"""


def mapped(variance: str) -> Regimes:
    text = TEXT.format(variance=variance)
    return regimes(read_problem(TomlDocument.parse("signs.toml", text)), terms=5)


@pytest.fixture(scope="module", params=["1", '"2*q"'])
def found(request: pytest.FixtureRequest) -> Regimes:
    """Neurons with signs as second layer, of variance one or of a symbol."""
    return mapped(f'{request.param}, law = "rademacher"')


def test_squares_of_fixed_signs_alone_are_numbers() -> None:
    H = Axis("H")
    numbers = {}
    for law, kind in (("rademacher", "fixed"), ("rademacher", "weight"), ("uniform", "fixed")):
        tensor = Tensor("a", (H,), Kind(kind), law=law, variance="1/3")
        diagram = Diagram((H,), ((tensor, (0,)),) * 4)
        plain, symbols, number = without_squares(diagram)
        numbers[law, kind] = len(plain.factors), symbols, number
    mean = Tensor("a", (H,), Kind.FIXED, law="rademacher", variance="v", mean="m")
    assert without_squares(Diagram((H,), ((mean, (0,)),) * 4))[1:] == ((), 1)
    signs = numbers.pop(("rademacher", "fixed"))
    assert signs == (0, (), Fraction(1, 9))
    assert {*numbers.values()} == {(4, (), 1)}


def test_a_narrow_map_with_signs_is_a_finite_system(found: Regimes) -> None:
    closed = 0
    for regime in found:
        if regime.dimension > 1:
            continue
        dynamics = derive(found, regime.name, rate_of_change=None)
        if dynamics.kind is Closure.FINITE:
            assert len(dynamics.cores) <= 2
            solved = solution(found, regime.name)
            assert solved.method is Method.CLOSED_FORM and solved.origin is Origin.DERIVED
            assert solved.certificate.holds and len(solved.certificate.compared) >= 3
            closed += 1
    assert closed >= 4


def test_a_neuron_with_a_fixed_sign_is_a_particle(found: Regimes) -> None:
    solved = solution(found, "V2-V5")
    assert solved.method is Method.MOMENTS and solved.certificate.holds
    assert solved.certificate.compared == (0, 1, 2, 3, 4, 5)
    if "q" in solved.symbols:
        return
    # Every neuron moves by u' = 4 u (a - u), from u = p sigma^2 = 1.
    at = {"p": Fraction(200), "H": Fraction(10), "sigma2": Fraction(1, 200)}
    t = np.array([-0.1, 0.0, 0.2, 1.0])
    sizes = {1: np.ones_like(t), -1: 1 / (2 * np.exp(4 * t) - 1)}
    losses = [u**2 / 2 - a * u for a, u in sizes.items()]
    assert solved.at(at)(t) == pytest.approx(100 + 10 * np.mean(losses, axis=0), rel=1e-9)


def test_a_fixed_gaussian_layer_is_averaged_over() -> None:
    """u' = 4 a u with a Gaussian: the loss is p/2 - H E[a u] = p/2 - 4 H u(0) t exp(8 t^2)."""
    found = mapped("1")
    for name in ("V2-V5", "V1-V3"):
        solved = solution(found, name)
        assert solved.method is Method.MOMENTS and solved.certificate.holds
    at = {"p": Fraction(30), "H": Fraction(20), "sigma2": Fraction(1, 10)}
    t = np.array([0.1, 0.3])
    moved = solution(found, "V1-V2").at(at)
    assert moved(t) == pytest.approx(15 - 240 * t * np.exp(8 * t**2), rel=1e-9)


@pytest.mark.parametrize("probability", ["1/3", "2/3"])
def test_of_neurons_with_a_fixed_gate_a_part_moves(probability: str) -> None:
    """u' = 4 u (1 - u) from u = p sigma^2 where the gate is open, as it is for a part of them."""
    text = TEXT.replace(
        "variance = {variance}", f'law = "bernoulli", probability = "{probability}"'
    ).format()
    solved = solution(regimes(read_problem(TomlDocument.parse("x.toml", text)), terms=5), "V1-V3")
    assert solved.method is Method.MOMENTS and solved.certificate.holds
    at = {"p": Fraction(200), "H": Fraction(30), "sigma2": Fraction(1, 400)}
    t = np.array([0.0, 0.2, 1.0])
    u = 1 / (1 + np.exp(-4 * t))
    many = 30 * float(Fraction(probability))
    assert solved.at(at)(t) == pytest.approx(100 + many * (u**2 / 2 - u), rel=1e-9)
