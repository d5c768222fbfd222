"""Wrong types in Python are errors of the family, and near misses are understood."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.losses import Observable, QuadraticLoss
from expansion.problem import Problem
from expansion.series import LossSeries

p = Axis("p")
W = Tensor("W", (p, p), variance=1)
model: Any = Network.einsum("ij->ij", W)
some: Any = {"family": "x", "model": (model,), "target": (), "output_axes": (p, p)}


def problem(**changed: Any) -> Problem:
    return Problem(**(some | changed))


WRONG: dict[str, Callable[[], object]] = {
    "einsum: is 3; give a text": lambda: Network.einsum(3, W),  # type: ignore[arg-type]
    "factor ('W', ('i', 'j')): is not a tensor with its indices": lambda: Network.einsum(
        "ij->ij",
        "W",  # type: ignore[arg-type]
    ),
    "einsum 'ij->ij': coefficient: 0.5 is not exact; give an integer": lambda: Network.einsum(
        "ij->ij",
        W,
        coefficient=0.5,  # type: ignore[arg-type]
    ),
    "einsum 'ij->ij': coefficient: None is not exact": lambda: Network.einsum(
        "ij->ij",
        W,
        coefficient=None,  # type: ignore[arg-type]
    ),
    "factors: is None; give a tuple": lambda: Network(None, ()),  # type: ignore[arg-type]
    "factors: 'W' is not of type tuple": lambda: Network(("W",), ()),  # type: ignore[arg-type]
    "coefficient of a network: nan is not exact": lambda: Network(
        (),
        (),
        float("nan"),  # type: ignore[arg-type]
    ),
    "amplitudes of a network: 'a' is not of type Axis": lambda: Network(
        (),
        (),
        amplitudes=("a",),  # type: ignore[arg-type]
    ),
    "problem x: target: is None; give": lambda: problem(target=None),
    "problem x: target: is 0; give": lambda: problem(target=0),
    "problem x: model: 'ij' is not of type Network": lambda: problem(model=("ij",)),
    "problem x: output_axes: 'p' is not of type Axis": lambda: problem(output_axes=("p", "p")),
    "problem x: normalisation: is 3; give symbols": lambda: problem(normalisation=3),
    "problem x: normalisation: is (('N', 0.5),); give": lambda: problem(
        normalisation=(("N", 0.5),)
    ),
    "problem x: averaged_over: 'x' is not of type Tensor": lambda: problem(averaged_over=["x"]),
    "problem x: observed: is 1; give": lambda: problem(observed=1),
    "family of a problem: is 3; give a text": lambda: problem(family=3),
    "observable a: networks: is None; give": lambda: Observable(
        name="a",
        networks=None,  # type: ignore[arg-type]
    ),
    "loss a: model: is None; give": lambda: QuadraticLoss(
        name="a",
        model=None,  # type: ignore[arg-type]
        target=(),
        output_axes=(p, p),
    ),
}


@pytest.mark.parametrize(("message", "make"), WRONG.items(), ids=WRONG)
def test_a_wrong_type_is_named(message: str, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError) as error:
        make()
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_one_value_stands_for_a_tuple_of_one_and_a_list_for_a_tuple() -> None:
    assert problem(model=model, target=[], output_axes=[p, p]) == problem()
    assert problem(normalisation={"N": -1}) == problem(normalisation=(("N", -1),))
    square = Network.einsum("ij,ij->", W, W)
    assert Observable(name="a", networks=square) == Observable(name="a", networks=(square,))  # type: ignore[arg-type]
    assert Network([(W, "ij")], "ij") == model  # type: ignore[arg-type]
    assert str(LossSeries(problem(model=model))[0]) == "1/2*p**2"
    assert Network.einsum("ij->ij", W, coefficient=2).coefficient == Fraction(2)
