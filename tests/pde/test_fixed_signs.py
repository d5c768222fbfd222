"""Fixed signs: their squares are numbers, so that hierarchies of cores with them close."""

from fractions import Fraction

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
a = {{ kind = "fixed", axes = ["H"], law = "rademacher", variance = {variance} }}
W = {{ kind = "weight", axes = ["H", "p"], variance = "sigma2" }}
[losses.train]
outputs = ["i", "j"]
model = "a[k] W[k,i] W[k,j]"
target = "identity"
"""


@pytest.fixture(scope="module", params=["1", '"2*q"'])
def found(request: pytest.FixtureRequest) -> Regimes:
    """Neurons with signs as second layer, of variance one or of a symbol."""
    text = TEXT.format(variance=request.param)
    return regimes(read_problem(TomlDocument.parse("signs.toml", text)), terms=5)


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
