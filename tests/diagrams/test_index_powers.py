"""Powers of indices: sums, diagrams, and a spectrum diag(1, ..., p) against the oracle."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from diagflow import oracle
from diagrams.diagram import Diagram
from diagrams.engine import ArrayRepresentation, DefinitionRepresentation
from diagrams.errors import InvalidInputError
from diagrams.flow import Flow
from diagrams.generator import Amplitude, Generator
from diagrams.index_powers import power_sum, value
from diagrams.network import Network, inner_product
from diagrams.tensors import Axis, Kind, Tensor
from diagrams.wick import expectation
from expansion.polynomial import Polynomial
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import loss_series

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")


@pytest.mark.parametrize("exponent", range(9))
def test_a_power_sum_is_the_sum(exponent: int) -> None:
    polynomial = Polynomial(power_sum("p", exponent))
    for n in range(1, 6):
        assert polynomial.evaluate(p=n) == sum(i**exponent for i in range(1, n + 1))
        assert value(n, exponent) == polynomial.evaluate(p=n)


def test_identifying_nodes_adds_powers() -> None:
    D = Tensor("D", (p, p), Kind.POWER, exponent=2)
    index = Tensor.index(p)
    one = Diagram((p, p, p), ((D, (0, 1)), (index, (1,)), (D, (1, 2))))
    assert one == Diagram((p,), ((index, (0,)),) * 5)
    assert Diagram.parse(str(one)) == one
    assert expectation(one) == power_sum("p", 5)


def test_a_pinned_index_is_one_and_a_pinned_axis_a_number() -> None:
    index, pin = Tensor.index(p), Tensor.pin(p)
    assert expectation(Diagram((p,), ((index, (0,)),) * 3 + ((pin, (0,)),))) == {(): 1}
    three = Axis("three", pinned=3)
    assert expectation(Diagram((three,), ((Tensor.index(three), (0,)),) * 2)) == {(): 14}


def test_an_isometry_sums_powers_over_the_smaller_axis() -> None:
    r = Axis("r")
    J = Tensor.isometry(p, r)
    assert expectation(Diagram((p, r), ((J, (0, 1)), (Tensor.index(p), (0,))))) == power_sum("r", 1)


def test_a_power_that_a_modular_sum_binds_is_refused() -> None:
    bound = Diagram((p, p, p), ((Tensor.modular_sum(p), (0, 1, 2)), (Tensor.index(p), (0,))))
    with pytest.raises(InvalidInputError, match="no polynomial sum"):
        expectation(bound)


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_spectrum_agrees_with_the_oracle(exponent: int, size: int) -> None:
    D = Tensor("D", (p, p), "power", exponent=exponent)  # type: ignore[arg-type]
    model, target = Network.einsum("ki,kj->ij", W, W), Network.einsum("ij->ij", D, coefficient=-1)
    loss = inner_product((model, target), (model, target), (p, p)) * Fraction(1, 2)
    flow = Flow(loss, loss)
    expected = oracle.loss_derivatives(
        [oracle.Term(1, (("W", "ki"), ("W", "kj")), "ij")],
        [oracle.Term(1, (("D", "ij"),), "ij")],
        {"k": 1, "i": size, "j": size},
        2,
        structural={"D": lambda i, j: (i + 1) ** exponent * (i == j)},
    )
    for s, row in enumerate(expected):
        found: dict[tuple[tuple[str, int], ...], Fraction] = {}
        for powers, c in flow.expectation(s).items():
            rest = tuple(pair for pair in powers if pair[0] == "sigma2")
            c *= size ** dict(powers).get("p", 0)
            found[rest] = found.get(rest, Fraction(0)) + c
        assert {rest: c for rest, c in sorted(found.items()) if c} == row


def test_the_first_coefficient_of_a_spectrum() -> None:
    spectrum = read_problem_file(EXAMPLES / "spectrum.toml")
    assert loss_series(spectrum)[0] == (
        Polynomial.parse("1/6*p**3 + 1/4*p**2 + 1/12*p - 1/2*p**2*H*sigma2 - 1/2*p*H*sigma2")
        + Polynomial.parse("1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2 + 1/2*p*H*sigma2**2")
    )


@pytest.mark.parametrize("exponent", [0, 13, 1.5, True])
def test_an_exponent_that_is_none_is_refused(exponent: object) -> None:
    with pytest.raises(InvalidInputError, match="exponent"):
        Tensor("D", (p, p), Kind.POWER, exponent=exponent)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="only a tensor of kind power"):
        Tensor("W", (p, p), variance=1, exponent=2)


V = Tensor("V", (H, p), variance="s/p")
SIGNS = Tensor("S", (H, p), variance="sigma2", law="rademacher")
MASK = Tensor("M", (p,), Kind.FIXED, law="bernoulli", probability="q")
D = Tensor("D", (p,), Kind.POWER, exponent=2)
INDEX = Tensor("D", (p, p), Kind.POWER)
THREE = Axis("three", pinned=3)
FEW = Tensor("F", (THREE, p), variance="sigma2")
ROWS = Tensor("D", (THREE,), Kind.POWER, exponent=3)
SMALLER = Axis("r")
SHORT = Tensor("G", (H, SMALLER), variance="sigma2")
LEG = Tensor.isometry(p, SMALLER)

WITH_POWERS = {
    "a spectrum": (Network.einsum("ki,kj->ij", W, W), Network.einsum("ij->ij", INDEX)),
    "weighted outputs": (Network.einsum("j,ki,kj->ij", D, W, V), Network.einsum("->ii")),
    "signs": (Network.einsum("ki,kj->ij", SIGNS, SIGNS), Network.einsum("ij->ij", INDEX)),
    "a mask": (Network.einsum("i,ki,kj->ij", MASK, W, W), Network.einsum("i,ij->ij", MASK, INDEX)),
    "a pinned axis": (Network.einsum("k,ki,kj->ij", ROWS, FEW, FEW), Network.einsum("->ii")),
    "a pin": (
        Network.einsum("ki,kj->ij", W, V),
        Network.einsum("i,j,i->ij", Tensor.pin(p), Tensor.pin(p), D),
    ),
    "an isometry": (
        Network.einsum("ka,ia,kj->ij", SHORT, LEG, W),
        Network.einsum("ij->ij", INDEX),
    ),
    "a modular sum": (
        Network.einsum("ki,kj,l->ijl", W, W, D),
        Network.einsum("ijl->ijl", Tensor.modular_sum(p), coefficient=2),
    ),
}


@pytest.mark.parametrize("name", [n for n in WITH_POWERS if n != "a modular sum"])
@pytest.mark.parametrize("noise", [False, True])
def test_the_bulk_engine_sums_powers_as_the_definition_does(name: str, noise: bool) -> None:
    model, target = WITH_POWERS[name]
    rest = Network(target.factors, target.output, -target.coefficient)
    axes = tuple(model.index_axes((p,) * len(model.output))[i] for i in model.output)
    loss = inner_product((model, rest), (model, rest), axes) * Fraction(1, 2)
    temperature = Amplitude(Fraction(2), (Axis("tau"),)) if noise else None
    generator = Generator(loss, temperature=temperature)
    flow = Flow(loss, generator)
    assert isinstance(flow.representation, ArrayRepresentation)
    plain = Flow(loss, generator, DefinitionRepresentation(flow.representation.blocks))
    for s in range(4 if name == "a spectrum" else 3):
        assert flow.expectation(s) == plain.expectation(s)
    assert flow.expectation(1)


def test_the_bulk_engine_refuses_a_power_that_a_modular_sum_binds() -> None:
    model, target = WITH_POWERS["a modular sum"]
    loss = inner_product((model, target), (model, target), (p, p, p))
    with pytest.raises(InvalidInputError, match="no polynomial sum"):
        Flow(loss, loss).expectation(0)
