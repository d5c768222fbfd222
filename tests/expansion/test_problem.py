"""Problems: the loss as diagrams, presets, and errors that name the thing, the rule, the remedy."""

import pickle
from fractions import Fraction

import pytest

from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import MAXIMAL_ORDER, PRESETS, cp
from expansion.problem import Problem
from expansion.series import loss_series

p, H, N = Axis("p"), Axis("H"), Axis("N")
W = Tensor("W", (H, p), variance="sigma2")
X = Tensor("X", (p, N), Kind.GAUSSIAN, variance="one")
IDENTITY = Network.einsum("->ii")


def tied(**changes: object) -> Problem:
    """The weight-tied linear autoencoder, with something changed."""
    arguments: dict[str, object] = {
        "family": "tied",
        "model": (Network.einsum("ki,kj->ij", W, W),),
        "target": (IDENTITY,),
        "output_axes": (p, p),
    }
    return Problem(**(arguments | changes))  # type: ignore[arg-type]


# --- presets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("target", ["identity", "zero"])
def test_the_blocks_of_a_cp_model(order: int, symmetric: bool, target: str) -> None:
    """D has two H-nodes, order p-nodes and 2 order factors; R one of each and order factors."""
    problem = cp(order=order, symmetric=symmetric, target=target)
    assert len(problem.tensors) == (1 if symmetric else order)
    assert [axis.name for axis in problem.axes] == ["H", "p"]
    [(square, coefficient)] = problem.model_square
    assert coefficient == 1
    assert [axis.name for axis in square.nodes] == ["H"] * 2 + ["p"] * order
    assert len(square.factors) == 2 * order
    if target == "zero":
        assert len(problem.overlap) == len(problem.target_square) == 0
    else:
        [(overlap, _)] = problem.overlap
        assert [axis.name for axis in overlap.nodes] == ["H", "p"]
        assert len(overlap.factors) == order
        [(constant, _)] = problem.target_square
        assert [axis.name for axis in constant.nodes] == ["p"]
        assert not constant.factors
    half = Fraction(1, 2)
    assert problem.loss == (
        problem.model_square * half - problem.overlap + problem.target_square * half
    )


def test_a_preset_is_the_problem_that_its_networks_describe() -> None:
    described = tied(
        family="cp", options=(("order", 2), ("symmetric", True), ("target", "identity"))
    )
    assert loss_series(described)[2] == loss_series(cp(order=2, symmetric=True))[2]
    assert described.title == cp(order=2, symmetric=True).title
    assert PRESETS["cp"] is cp


def test_a_problem_is_a_value() -> None:
    one, other = cp(order=3), cp(order=3)
    assert one == other
    assert hash(one) == hash(other)
    assert one != cp(order=3, symmetric=True)
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_fixed_random_target_is_a_teacher() -> None:
    """f = W fitted to a teacher V of variance tau2: E[L] = p (sigma2 + tau2) / 2 exp(-2 t / T)."""
    student = Tensor("W", (p,), variance="sigma2")
    teacher = Tensor("V", (p,), Kind.GAUSSIAN, variance="tau2")
    problem = Problem(
        family="teacher",
        model=(Network.einsum("i->i", student),),
        target=(Network.einsum("i->i", teacher),),
        output_axes=(p,),
    )
    series = loss_series(problem)
    for s in range(4):
        expected = Fraction((-2) ** s, 2)
        assert series[s].coefficient(p=1, sigma2=1) == expected
        assert series[s].coefficient(p=1, tau2=1) == expected
        assert len(series[s]) == 2


# --- errors ---------------------------------------------------------------------------------------


def test_two_tensors_of_one_name() -> None:
    other = Tensor("W", (H, p), variance="tau2")
    message = r"^tensor W: stands for two different tensors; give each its own name$"
    with pytest.raises(InvalidInputError, match=message):
        tied(model=(Network.einsum("ki,kj->ij", W, other),))


@pytest.mark.parametrize("model", [(), (Network.einsum("in,jn->ij", X, X),)], ids=["none", "fixed"])
def test_nothing_to_learn(model: tuple[Network, ...]) -> None:
    message = r"^model of tied: has no learnable tensor; declare at least one weight$"
    with pytest.raises(InvalidInputError, match=message):
        tied(model=model)


def test_a_target_that_learns() -> None:
    message = (
        r"^target of tied: contains the learnable tensor W; declare it as fixed Gaussian or "
        r"structural$"
    )
    with pytest.raises(InvalidInputError, match=message):
        tied(target=(Network.einsum("ki,kj->ij", W, W),))


def test_too_few_open_indices() -> None:
    message = (
        r"^network with open indices i,j: there must be 1 of them; change the right side of its "
        r"einsum$"
    )
    with pytest.raises(InvalidInputError, match=message):
        tied(output_axes=(p,))


def test_a_target_with_other_open_indices_than_the_model() -> None:
    message = r"^network with open indices i,i,i: there must be 2 of them; change"
    with pytest.raises(InvalidInputError, match=message):
        tied(target=(Network.einsum("->iii"),))


def test_a_network_without_open_indices() -> None:
    message = r"^network with open indices \(none\): there must be 2 of them; change"
    with pytest.raises(InvalidInputError, match=message):
        tied(target=(Network.einsum("in->", X),))


def test_an_open_index_on_another_axis() -> None:
    message = r"^index 'i': lies on the axes p and N; use another letter for one of them$"
    with pytest.raises(InvalidInputError, match=message):
        tied(output_axes=(N, p))


@pytest.mark.parametrize("order", [1, 0, -3])
def test_an_order_below_two(order: int) -> None:
    message = rf"^order {order}: a CP model needs at least two modes; give an order of 2 or more$"
    with pytest.raises(InvalidInputError, match=message):
        cp(order=order)


def test_an_order_out_of_reach() -> None:
    message = r"^order 101: more than 100 modes are out of reach; give a smaller order$"
    with pytest.raises(InvalidInputError, match=message):
        cp(order=MAXIMAL_ORDER + 1)
    assert len(cp(order=MAXIMAL_ORDER, symmetric=True).tensors) == 1


def test_an_unknown_target() -> None:
    message = r"^target 'modular': is not known; choose one of identity, modular-addition, "
    with pytest.raises(InvalidInputError, match=message):
        cp(order=3, target="modular")
