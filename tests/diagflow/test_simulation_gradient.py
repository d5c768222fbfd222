"""Loss and gradient of a problem at given sizes, against the tensors written out in full."""

import time
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

import array_api_strict
import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diagflow.simulation import LossGradient, initial_tensors
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp, deep_linear, tied_autoencoder, two_layer
from expansion.problem import Problem

p, H, N = Axis("p"), Axis("H"), Axis("N")
W = Tensor("W", (H, p), variance="sigma2")
V = Tensor("V", (H, p), variance="sigma2_v")
B = Tensor("B", (p,), variance="sigma2")
X = Tensor("X", (p, N), Kind.GAUSSIAN, "sigma2_data")
TEACHER = Tensor("Z", (Axis("H_teacher"), p), Kind.GAUSSIAN, "sigma2_teacher")
HEAD = Tensor("Q", (Axis("heads", pinned=2), p, p), variance="sigma2")

SUM_MODEL = Problem(
    "sum",
    model=(
        Network.einsum("ki,kj->ij", W, V),
        Network.einsum("ki,kj->ij", W, W, coefficient=Fraction(-2, 3)),
        Network.einsum("i,j->ij", B, B),
        Network.einsum("i->ii", B),  # a diagonal matrix
    ),
    target=(Network.einsum("->ii", coefficient=3), Network.einsum("ki,kj->ij", TEACHER, TEACHER)),
    output_axes=(p, p),
)
TRAINED_ON_DATA = Problem(
    "data",
    model=(Network.einsum("ki,kj,jn->in", W, W, X),),
    target=(Network.einsum("in->in", X),),
    output_axes=(p, N),
)
PINNED_AND_FREE = Problem(
    "pinned",
    model=(
        Network.einsum("aij,aji->i", HEAD, HEAD),
        Network.einsum("ki->j", W),  # the open index is on no factor
        Network.einsum("aii->i", HEAD),  # a diagonal of one factor
    ),
    target=(Network.einsum("->i"),),
    output_axes=(p,),
)
DELTA = Problem(
    "delta",
    model=(Network.einsum("ki,ij,kj->ij", W, Tensor.delta(p), V),),
    target=(Network.einsum("->ij"),),
    output_axes=(p, p),
)
PROBLEMS = {
    **{
        f"{order}-{'SYM' if symmetric else 'ASYM'}": cp(order=order, symmetric=symmetric)
        for order in (2, 3, 4)
        for symmetric in (True, False)
    },
    "free": cp(order=3, symmetric=True, target="zero"),
    "amplitude": cp(order=3).with_target_amplitude("a"),
    "sum": SUM_MODEL,
    "data": TRAINED_ON_DATA,
    "pinned": PINNED_AND_FREE,
    "delta": DELTA,
    **{
        target: cp(order=3, target=target)
        for target in ("spike", "spiked", "teacher", "modular-addition")
    },
    "modular-addition-4": cp(order=4, symmetric=True, target="modular-addition"),
    "modular-addition-2": cp(order=2, target="modular-addition"),
    "combination": cp(order=2, target="identity - 1/2*a*teacher + spike"),
    "tied-autoencoder": tied_autoencoder(data=True),
    "deep-linear": deep_linear(depth=4),
}
VALUES: dict[str, float] = {
    "p": 3,
    "H": 2,
    "N": 4,
    "H_teacher": 2,
    "sigma2": 0.7,
    "sigma2_v": 0.4,
    "sigma2_data": 1.1,
    "sigma2_teacher": 0.9,
    "a": -1.75,
    "alpha": 0.6,
    "T": 1.5,
}


def values_of(problem: Problem, **changed: float) -> dict[str, float]:
    used = {axis.name for axis in problem.axes if axis.pinned is None} | {"T"}
    used |= {t.variance for t in problem.tensors if t.is_random} - {"1"}
    used |= {axis.name for net in problem.target for axis in net.amplitudes}
    return {name: VALUES[name] for name in used} | changed


def structural(tensor: Tensor, size: Callable[[Axis], int]) -> NDArray[np.float64]:
    array = np.zeros([size(axis) for axis in tensor.axes])
    for place in np.ndindex(array.shape):
        if tensor.kind is Kind.PIN:
            array[place] = place == (0,)
        elif tensor.kind is Kind.MODULAR:
            array[place] = (sum(place[:-1]) - place[-1]) % len(array) == 0
        else:
            array[place] = len(set(place)) == 1
    return array


def dense(network: Network, problem: Problem, values: dict[str, float], arrays: Any) -> Any:
    """The network as a full array, deltas and free indices as explicit arrays."""
    letters: dict[str, int] = {}

    def letter(index: str) -> int:
        return letters.setdefault(index, len(letters))

    def size(axis: Axis) -> int:
        return axis.pinned or int(values[axis.name])

    operands: list[Any] = []
    for tensor, at in network.factors:
        array = arrays[tensor.name] if tensor.is_random else structural(tensor, size)
        operands += [array, [letter(index) for index in at]]
    output = []
    for place, (index, axis) in enumerate(zip(network.output, problem.output_axes, strict=True)):
        output.append(letter(f"open {place}"))
        operands += [np.eye(size(axis)), [letter(index), output[-1]]]
    factor = float(network.coefficient) * prod(values[axis.name] for axis in network.amplitudes)
    return factor * np.einsum(*operands, output)


def full_loss(problem: Problem, values: dict[str, float], arrays: Any) -> Any:
    shape = [axis.pinned or int(values[axis.name]) for axis in problem.output_axes]
    difference: Any = np.zeros(shape)
    for network in problem.model:
        difference = difference + dense(network, problem, values, arrays)
    for network in problem.target:
        difference = difference - dense(network, problem, values, arrays)
    factor = np.prod([values[name] ** float(power) for name, power in problem.normalisation])
    return 0.5 * factor * np.sum(difference * difference)


def full_gradient(problem: Problem, values: dict[str, float], arrays: Any, name: str) -> Any:
    """By a complex step, which is exact for polynomials up to rounding."""
    result = np.zeros_like(arrays[name])
    for place in np.ndindex(result.shape):
        shifted = arrays[name].astype(complex)
        shifted[place] += 1e-30j
        result[place] = full_loss(problem, values, {**arrays, name: shifted}).imag / 1e-30
    return result


def assert_agrees(flow: LossGradient, arrays: dict[str, NDArray[np.float64]], xp: Any = np) -> None:
    tensors = {name: xp.asarray(array) for name, array in arrays.items()}
    loss = full_loss(flow.problem, flow.values, arrays)
    assert float(flow.loss(tensors)) == pytest.approx(loss, rel=1e-12)
    gradient = flow.gradient(tensors)
    assert set(gradient) == {t.name for t in flow.problem.tensors if t.is_learnable}
    for name, part in gradient.items():
        expected = full_gradient(flow.problem, flow.values, arrays, name)
        scale = np.max(np.abs(expected))
        assert scale > 0
        np.testing.assert_allclose(np.asarray(part), expected, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("name", PROBLEMS)
def test_loss_and_gradient_are_those_of_the_full_tensors(name: str) -> None:
    problem = PROBLEMS[name]
    flow = LossGradient(problem, values_of(problem))
    assert_agrees(flow, initial_tensors(flow, np.random.SeedSequence(7)))


def test_a_loss_that_is_an_average_over_inputs() -> None:
    """E over x ~ N(0, 1)^2 of the squared error of sum_k a_k (w_k . x)^2 against sum_i x_i^2."""
    flow = LossGradient(two_layer(degree=2), {"p": 2, "H": 3, "sigma2": 0.5})
    tensors = initial_tensors(flow, np.random.SeedSequence(1))
    points, weights = np.polynomial.hermite_e.hermegauss(6)
    weights = weights / np.sqrt(2 * np.pi)

    def loss(a: Any, w: Any) -> Any:
        total = 0.0
        for x0, c0 in zip(points, weights, strict=True):
            for x1, c1 in zip(points, weights, strict=True):
                x = np.array([x0, x1])
                total = total + 0.5 * c0 * c1 * (np.sum(a * (w @ x) ** 2) - np.sum(x * x)) ** 2
        return total

    assert float(flow.loss(tensors)) == pytest.approx(loss(tensors["a"], tensors["w"]), rel=1e-12)
    gradient = flow.gradient(tensors)
    for place in np.ndindex(3, 2):
        w = tensors["w"].astype(complex)
        w[place] += 1e-30j
        slope = loss(tensors["a"], w).imag / 1e-30
        assert gradient["w"][place] == pytest.approx(slope, rel=1e-10, abs=1e-12)


def test_another_loss_is_recorded_along_the_same_flow() -> None:
    problem, at = tied_autoencoder(data=True), {"p": 3, "H": 2, "N": 4, "sigma2": 0.3}
    train, population = (LossGradient(problem, at, loss=name) for name in ("train", "population"))
    tensors = initial_tensors(train, np.random.SeedSequence(2))
    W, X = tensors["W"], tensors["X"]
    rest = np.eye(3) - W.T @ W
    assert float(train.loss(tensors)) == pytest.approx(np.sum((rest @ X) ** 2) / 8, rel=1e-12)
    assert float(population.loss(tensors)) == pytest.approx(np.sum(rest**2) / 2, rel=1e-12)
    np.testing.assert_array_equal(train.gradient(tensors)["W"], population.gradient(tensors)["W"])
    norm = LossGradient(problem, at, loss="model-norm")
    assert float(norm.loss(tensors)) == pytest.approx(np.sum((W.T @ W @ X) ** 2) / 4, rel=1e-12)
    with pytest.raises(InvalidInputError, match=r"^loss 'test': tied-autoencoder has no such"):
        LossGradient(problem, at, loss="test")


def test_a_modular_sum_of_one_index_is_a_pin() -> None:
    """The index is the sum of none, which is 0."""
    at = {"p": 3, "H": 2, "sigma2": 0.5}

    def problem(spike: Tensor) -> Problem:
        return Problem(
            "one",
            model=(Network.einsum("ki->i", W),),
            target=(Network.einsum("i->i", spike),),
            output_axes=(p,),
        )

    values = []
    for spike in (Tensor.modular_sum(p, 1), Tensor.pin(p)):
        flow = LossGradient(problem(spike), at)
        start = initial_tensors(flow, np.random.SeedSequence(3))
        values.append((flow.loss(start), flow.gradient(start)["W"]))
    difference = start["W"].sum(axis=0) - np.array([1.0, 0.0, 0.0])
    assert values[0][0] == pytest.approx(float(difference @ difference) / 2)
    np.testing.assert_allclose(values[0][1], np.tile(difference, (2, 1)))
    assert values[1][0] == pytest.approx(values[0][0])
    np.testing.assert_allclose(values[1][1], values[0][1])


def test_a_modular_sum_of_many_indices_needs_few_entries() -> None:
    flow = LossGradient(cp(order=8, target="modular-addition"), {"p": 20, "H": 2, "sigma2": 1.0})
    assert flow.bytes < 8 * 20**5


@pytest.mark.parametrize("name", ["3-ASYM", "4-SYM", "sum", "data", "pinned"])
def test_blocks_change_nothing(name: str) -> None:
    problem = PROBLEMS[name]
    values = values_of(problem, p=5, **({"H": 7} if H in problem.axes else {}))
    whole = LossGradient(problem, values)
    blocked = LossGradient(problem, values, block_entries=12)
    arrays = initial_tensors(whole, np.random.SeedSequence(3))
    assert float(blocked.loss(arrays)) == pytest.approx(float(whole.loss(arrays)), rel=1e-12)
    for weight, part in whole.gradient(arrays).items():
        np.testing.assert_allclose(blocked.gradient(arrays)[weight], part, rtol=1e-11, atol=1e-12)


def test_blocks_bound_the_memory() -> None:
    values = {"p": 64, "H": 600, "sigma2": 0.01}
    whole = LossGradient(cp(order=4, symmetric=True), values)
    blocked = LossGradient(cp(order=4, symmetric=True), values, block_entries=60_000)
    assert whole.bytes - blocked.bytes > 8 * 600 * 600
    arrays = initial_tensors(whole, np.random.SeedSequence(3))
    expected = whole.gradient(arrays)["U"]
    np.testing.assert_allclose(blocked.gradient(arrays)["U"], expected, rtol=1e-10)


@pytest.mark.parametrize(
    "name", ["2-SYM", "3-ASYM", "sum", "data", "pinned", "spiked", "modular-addition-4"]
)
def test_another_array_library_gives_the_same(name: str) -> None:
    problem = PROBLEMS[name]
    flow = LossGradient(problem, values_of(problem), xp=array_api_strict)
    assert_agrees(flow, initial_tensors(flow, np.random.SeedSequence(5)), array_api_strict)


def test_the_cost_is_the_smaller_of_both_gram_forms() -> None:
    """SYM of order 2 is a product of p x p or of H x H matrices, whichever is smaller."""
    problem = cp(order=2, symmetric=True)
    wide = LossGradient(problem, {"p": 16, "H": 1000, "sigma2": 1.0})
    narrow = LossGradient(problem, {"p": 1000, "H": 16, "sigma2": 1.0})
    for flow in (wide, narrow):
        assert flow._gradient.flops <= 2.1 * 16 * 16 * 1000


def test_the_gradient_of_order_3_is_50_times_faster_than_through_the_tensor() -> None:
    """The other way is the definition: an einsum for f, and one for each derivative."""
    flow = LossGradient(cp(order=3), {"p": 64, "H": 256, "sigma2": 0.01})
    u, v, w = (arrays := initial_tensors(flow, np.random.SeedSequence(1))).values()

    def direct() -> list[NDArray[np.float64]]:
        difference = np.einsum("ki,kj,kl->ijl", u, v, w)
        difference[np.arange(64), np.arange(64), np.arange(64)] -= 1
        pairs = (("jl", v, w), ("il", u, w), ("ij", u, v))
        return [
            np.einsum(
                f"ijl,k{at[0]},k{at[1]}->k{({'i', 'j', 'l'} - set(at)).pop()}", difference, *x
            )
            for at, *x in pairs
        ]

    def seconds(function: Any) -> float:
        start = time.process_time()
        function()
        return time.process_time() - start

    def generated() -> dict[str, Any]:
        return flow.gradient(arrays)

    for expected, name in zip(direct(), ("U1", "U2", "U3"), strict=True):
        np.testing.assert_allclose(generated()[name], expected, rtol=0, atol=1e-9)
    with threadpool_limits(limits=1):  # threads that wait for each other would be counted too
        assert seconds(direct) > 50 * min(seconds(generated) for _ in range(5))


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ({"p": 3, "sigma2": 1}, "symbol H: has no value; give it, for example H=1"),
        ({"p": 3, "H": 2}, "symbol sigma2: has no value; give it, for example sigma2=1"),
        (
            {"p": 3, "H": 2, "N": 1, "sigma2": 1},
            "symbol N: does not occur in cp order=3 symmetric=false target=identity; "
            "give H, T, p, sigma2",
        ),
        (
            {"p": 2.5, "H": 2, "sigma2": 1},
            "size p=2.5: is not a positive integer; give 1 or more",
        ),
        ({"p": 3, "H": 0, "sigma2": 1}, "size H=0: is not a positive integer; give 1 or more"),
        ({"p": 3, "H": 2, "sigma2": -1}, "variance sigma2=-1: is negative; give 0 or more"),
        ({"p": 3, "H": 2, "sigma2": float("nan")}, "sigma2=nan: is not a finite number; give one"),
        ({"p": 10**400, "H": 2, "sigma2": 1}, "is not a finite number; give one"),
        ({"p": 3, "H": 2, "sigma2": 1, "T": 0}, "T=0: is not positive; give T > 0"),
    ],
)
def test_wrong_values(at: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        LossGradient(cp(order=3), at)
    assert str(error.value).endswith(message)


@pytest.mark.parametrize("sizes", [{"p": 10**6, "H": 10**6}, {"p": 10**30, "H": 1}])
def test_sizes_that_do_not_fit_are_refused_with_the_number(sizes: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=r"needs about \S+ GiB and \S+ GiB are free"):
        LossGradient(cp(order=2), {**sizes, "sigma2": 1})


def test_the_memory_counts_what_every_process_needs() -> None:
    at = {"p": 100, "H": 100, "sigma2": 1}
    needed = LossGradient(cp(order=2), at).bytes
    LossGradient(cp(order=2), at, memory=needed)
    with pytest.raises(InvalidInputError, match="give smaller sizes"):
        LossGradient(cp(order=2), at, memory=needed, copies=2)
