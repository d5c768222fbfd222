"""Losses and observables along one flow: against the oracle, shared tables, names and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from diagflow.oracle import Moments, OracleLoss, Term, loss_derivatives
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion import losses
from expansion.losses import OBSERVABLES, Observable
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.series import LossSeries, loss_series

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
WEIGHTS = Observable(name="weights", networks=(Network.einsum("ki,ki->", W, W),))


def at_sizes(polynomial: Polynomial, values: Mapping[str, int]) -> Moments:
    moments: Moments = {}
    for powers, coefficient in polynomial:
        for name, power in powers:
            coefficient *= Fraction(values.get(name, 1)) ** power
        rest = tuple(pair for pair in powers if pair[0] not in values)
        moments[rest] = moments.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in moments.items() if value}


def summed(series: Sequence[list[Moments]]) -> list[Moments]:
    """The coefficients of a sum of observables."""
    result = []
    for parts in zip(*series, strict=True):
        total: Moments = {}
        for moments in parts:
            for powers, value in moments.items():
                total[powers] = total.get(powers, Fraction(0)) + value
        result.append({powers: value for powers, value in total.items() if value})
    return result


def square(*terms: Term, factor: Fraction | int = 1) -> OracleLoss:
    """An observable of the oracle: the sum over the open indices of the square of the terms."""
    return OracleLoss(terms, (), Fraction(factor))


TIED = Term(1, (("W", "ki"), ("W", "kj")), "ij")
ASYM = Term(1, (("U", "ki"), ("V", "kj")), "ij")
IDENTITY = Term(1, (), "ii")

KERNEL_TIED = [square(Term(1, (("W", "kj"),), "ijki"), Term(1, (("W", "ki"),), "ijkj"))]
KERNEL_ASYM = [square(Term(1, (("V", "kj"),), "ijki")), square(Term(1, (("U", "ki"),), "ijkj"))]


@pytest.mark.parametrize(("size", "rank"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize(
    ("problem", "model", "kernel", "weights"),
    [(tied_autoencoder(), TIED, KERNEL_TIED, "W"), (autoencoder(), ASYM, KERNEL_ASYM, "UV")],
    ids=["tied", "untied"],
)
def test_observables_by_name(
    problem: Problem, model: Term, kernel: list[OracleLoss], weights: str, size: int, rank: int
) -> None:
    sizes = {"i": size, "j": size, "k": rank}
    values, last = {"p": size, "H": rank}, 3

    def oracle(*observables: OracleLoss) -> list[Moments]:
        return summed(
            [
                loss_derivatives([model], [IDENTITY], sizes, last, observable=observable)
                for observable in observables
            ]
        )

    # <f, F> = 1/2 |f|^2 + 1/2 |F|^2 - 1/2 |f - F|^2
    half = Fraction(1, 2)
    expected = {
        "model-norm": oracle(square(model)),
        "ntk-trace": oracle(*kernel),
        "alignment": oracle(
            square(model, factor=half),
            square(IDENTITY, factor=half),
            OracleLoss((model,), (IDENTITY,), -half),
        ),
        "weight-norm": oracle(
            *(square(Term(1, ((name, "ki"),), "ki"), factor=half) for name in weights)
        ),
    }
    assert sorted(expected) == sorted(OBSERVABLES)
    for name, moments in expected.items():
        series = LossSeries(problem, loss=name)
        assert [at_sizes(series[s], values) for s in range(last + 1)] == moments, name


@pytest.mark.parametrize(("size", "rank", "samples"), [(1, 1, 2), (2, 1, 1), (1, 2, 1)])
def test_observables_on_finite_data_are_normalised(size: int, rank: int, samples: int) -> None:
    """The kernel is that of the outputs f(x_n), and its trace a mean over them."""
    sizes = {"i": size, "j": size, "k": rank, "n": samples}
    values = {"p": size, "H": rank, "N": samples}
    factors = (("W", "ki"), ("W", "kj"), ("X", "jn"))
    kernel = OracleLoss(
        (
            Term(1, (("W", "kj"), ("X", "jn")), "inki"),
            Term(1, (("W", "ki"), ("X", "an")), "inka"),
        ),
        (),
        Fraction(1, samples),
    )
    expected = loss_derivatives(
        [Term(1, factors, "in")],
        [Term(1, (("X", "in"),), "in")],
        sizes | {"a": size},
        2,
        {"X": "1"},
        frozen={"X"},
        prefactor=Fraction(1, 2 * samples),
        observable=kernel,
    )
    series = LossSeries(tied_autoencoder(data=True), loss="ntk-trace")
    assert [at_sizes(series[s], values) for s in range(3)] == expected


def test_any_einsum_of_the_weights() -> None:
    """|W|^2 along the flow: d|W|^2/dt = -4 (|f|^2 - <f, F>)/T, Euler's relation for degree 2."""
    problem = replace(tied_autoencoder(), observables=(WEIGHTS,))
    assert "weights" in problem.quantities
    weights = LossSeries(problem, loss="weights")
    norm, overlap = (LossSeries(problem, loss=name) for name in ("model-norm", "alignment"))
    assert str(weights[0]) == "p*H*sigma2"
    for s in range(5):
        assert weights[s + 1] == (norm[s] - overlap[s]) * -4


@pytest.mark.parametrize(
    "problem",
    [
        cp(order=3),
        cp(order=3, symmetric=True, target="teacher"),
        cp(order=2, target="spiked"),
        cp(order=3, target="modular-addition"),
        deep_linear(3),
        two_layer(2),
    ],
    ids=lambda problem: problem.title,
)
def test_the_loss_is_made_of_its_observables(problem: Problem) -> None:
    """L = 1/2 |f|^2 - <f, F> + constant at every order, each expanded on its own."""
    loss = LossSeries(problem)
    norm = LossSeries(problem, loss="model-norm", beside=loss)
    overlap = LossSeries(problem, loss="alignment", beside=loss)
    for s in (1, 2):
        assert loss[s] == norm[s] * Fraction(1, 2) - overlap[s]


def test_the_kernel_of_two_layers_of_degree_one() -> None:
    """f = sum_k a_k w_k.x: the kernel, averaged over x, is sum_k |w_k|^2 + p a_k^2."""
    kernel = LossSeries(two_layer(degree=1, target="zero"), loss="ntk-trace")
    assert kernel[0] == Polynomial.parse("2*p*H*sigma2")


def test_series_that_share_a_table() -> None:
    problem = tied_autoencoder(data=True)
    train = LossSeries(problem)
    beside = LossSeries(problem, loss="population", beside=train)
    alone = LossSeries(problem, loss="population")
    assert [beside[s] for s in range(4)] == [alone[s] for s in range(4)]
    assert train[3] == LossSeries(problem)[3]
    fresh = LossSeries(problem, loss="population", beside=train)
    fresh[3]
    assert fresh.cost(3).contractions == 0 < alone.cost(3).contractions


def test_series_of_different_symmetry_do_not_share() -> None:
    """An observable that tells U from V breaks the symmetry of the loss."""
    U = Tensor("U", (H, p), variance="sigma2")
    only = Observable(name="first", networks=(Network.einsum("ki,ki->", U, U),))
    problem = replace(autoencoder(), observables=(only,))
    loss = LossSeries(problem)
    assert loss[2] == LossSeries(autoencoder())[2]
    beside, alone = (
        LossSeries(problem, loss="first", beside=loss),
        LossSeries(problem, loss="first"),
    )
    assert [beside[s] for s in range(4)] == [alone[s] for s in range(4)]
    assert str(beside[0]) == "p*H*sigma2"


# --- errors ---------------------------------------------------------------------------------------


def test_an_unknown_loss() -> None:
    message = (
        r"^loss 'test': tied-autoencoder has no such loss or observable; choose one of train, "
        r"population, alignment, model-norm, ntk-trace, weight-norm$"
    )
    with pytest.raises(InvalidInputError, match=message):
        LossSeries(tied_autoencoder(data=True), loss="test")


def test_a_series_beside_one_of_another_problem() -> None:
    message = r"^series of cp order=2 .*: beside= is a series of cp order=3 .*; give one of"
    with pytest.raises(InvalidInputError, match=message):
        LossSeries(cp(order=2), beside=LossSeries(cp(order=3)))


def test_an_observable_with_open_indices() -> None:
    message = (
        r"^observable rows: has the open indices k; sum over all indices, with nothing behind the "
        r"arrow$"
    )
    with pytest.raises(InvalidInputError, match=message):
        Observable(name="rows", networks=(Network.einsum("ki,ki->k", W, W),))


def test_two_quantities_of_one_name() -> None:
    message = r"^quantity train: is the name of two losses or observables; rename one$"
    with pytest.raises(InvalidInputError, match=message):
        replace(tied_autoencoder(), observables=(replace(WEIGHTS, name="train"),))


def test_a_size_in_a_variance_is_that_size() -> None:
    problem = Problem(
        family="scaled",
        model=(Network.einsum("i->i", Tensor("w", (p,), variance="p")),),
        target=(),
        output_axes=(p,),
    )
    assert problem.growing == ("p",)
    assert problem.weight_variances == ()
    assert str(LossSeries(problem)[0]) == "1/2*p**2"


def test_a_population_loss_needs_open_indices_that_fit() -> None:
    wrong = losses.QuadraticLoss(name="other", model=(), target=(), output_axes=(p,))
    problem = replace(tied_autoencoder(), observed=(wrong,))
    assert problem.losses == ("train", "other")
    message = r"^network with open indices i,i: there must be 1 of them; change"
    with pytest.raises(InvalidInputError, match=message):
        replace(wrong, model=(Network.einsum("->ii"),))


def test_inputs_that_are_signs() -> None:
    """L = E_x (w.x)^4 / 2 = (3 |w|^4 - 2 sum of w_i^4)/2 for signs x, by hand."""
    text = """
[axes]
p = "growing"
[tensors]
w = { kind = "weight", axes = ["p"], variance = "sigma2" }
x = { kind = "fixed", axes = ["p"], variance = 1, law = "rademacher" }
[losses.population]
outputs = []
model = "w[i] x[i] w[j] x[j]"
target = "zero"
averaged_over = ["x"]
"""
    series = loss_series(read_problem(TomlDocument.parse("signs.toml", text)))
    assert str(series[0]) == "3/2*p**2*sigma2**2"
    assert series[1] == Polynomial.parse("-36*p**3*sigma2**3 - 72*p**2*sigma2**3 + 48*p*sigma2**3")
    symbolic = text.replace("variance = 1", 'variance = "s"')
    with pytest.raises(InvalidInputError, match="whose law has no symbols; declare it so"):
        read_problem(TomlDocument.parse("signs.toml", symbolic))
