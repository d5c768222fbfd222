"""Gradient flow at finite sizes, against its exact properties and the exact coefficients Y_s."""

from itertools import pairwise, product
from math import log, prod
from typing import Any

import array_api_strict
import numpy as np
import pytest
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from diagflow.simulation import LossGradient, initial_tensors, integrate, simulate
from diagflow.simulation.integrate import check_pace
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.series import loss_series

p, H = Axis("p"), Axis("H")
W = Tensor("W", (H, p), variance="sigma2")
TEACHER = Problem(
    "teacher",
    model=(Network.einsum("ki,kj->ij", W, W), Network.einsum("ki,kj->ij", W, W, coefficient=-2)),
    target=(
        Network.einsum("->ii"),
        Network.einsum("i,j->ij", *[Tensor("Z", (p,), Kind.GAUSSIAN, "sigma2_teacher")] * 2),
    ),
    output_axes=(p, p),
)


def derivatives(
    losses: NDArray[np.float64], nodes: NDArray[np.float64], width: float, count: int
) -> NDArray[np.float64]:
    """d^s L / dt^s at 0 for s < count, from values at Chebyshev points of (-width, width)."""
    fitted = chebyshev.chebfit(nodes / width, losses.T, len(nodes) - 1)
    return np.array(
        [chebyshev.chebval(0.0, chebyshev.chebder(fitted, s)) / width**s for s in range(count)]
    )


def exact(problem: Problem, at: dict[str, float], s: int) -> float:
    y = loss_series(problem)[s]
    return float(y.evaluate(**{name: at[name] for name in y.symbols}))


def lie_derivative(flow: LossGradient, tensors: dict[str, Any], s: int, degree: int) -> float:
    """T^s d^s L / dt^s at the given tensors: exact, since L is a polynomial of known degree.

    Every derivative is the one along the gradient line u - e grad L, a polynomial in e.
    """
    if s == 0:
        return float(flow.loss(tensors))
    gradient = flow.gradient(tensors)
    if s == 1:
        return -float(sum(np.sum(g**2) for g in gradient.values()))
    # (s-1)-th derivative: degree + (s - 1)(degree - 2) in the weights
    count = degree + (s - 1) * (degree - 2) + 1
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    length = 0.5 / max(1.0, max(float(np.max(np.abs(g))) for g in gradient.values()))
    line = [
        lie_derivative(
            flow,
            {**tensors, **{n: tensors[n] - e * length * g for n, g in gradient.items()}},
            s - 1,
            degree,
        )
        for e in nodes
    ]
    slope = chebyshev.chebder(chebyshev.chebfit(nodes, line, count - 1))
    return float(chebyshev.chebval(0.0, slope)) / length


@pytest.mark.parametrize(
    ("problem", "at", "degree", "last"),
    [
        (cp(order=2, symmetric=True), {"p": 2, "H": 1, "sigma2": 0.7}, 4, 3),
        (cp(order=2, symmetric=True), {"p": 1, "H": 2, "sigma2": 0.7}, 4, 3),
        (cp(order=2), {"p": 2, "H": 1, "sigma2": 0.5}, 4, 2),
        (cp(order=3, symmetric=True), {"p": 1, "H": 2, "sigma2": 0.3}, 6, 2),
        (cp(order=3), {"p": 1, "H": 1, "sigma2": 0.3}, 6, 2),
        (cp(order=4, symmetric=True), {"p": 2, "H": 1, "sigma2": 0.3}, 8, 2),
        (TEACHER, {"p": 1, "H": 2, "sigma2": 0.4, "sigma2_teacher": 0.2}, 4, 2),
    ],
    ids=["2-SYM-p2", "2-SYM-H2", "2-ASYM", "3-SYM", "3-ASYM", "4-SYM", "teacher"],
)
def test_the_exact_average_of_the_derivatives_is_y_s(
    problem: Problem, at: dict[str, float], degree: int, last: int
) -> None:
    """The Gaussian average by quadrature, which is exact for polynomials, not by sampling."""
    flow = LossGradient(problem, at)
    tensors = [tensor for tensor in problem.tensors if tensor.is_random]
    deviations = np.concatenate(
        [np.full(prod(flow.shapes[t.name]), at[t.variance] ** 0.5) for t in tensors]
    )
    count = (degree + last * (degree - 2)) // 2 + 1
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    average = np.zeros(last + 1)
    for place in product(range(count), repeat=len(deviations)):
        weight = np.prod(weights[list(place)]) / (2 * np.pi) ** (len(deviations) / 2)
        entries = points[list(place)] * deviations
        start, offset = {}, 0
        for tensor in tensors:
            shape = flow.shapes[tensor.name]
            start[tensor.name] = entries[offset : offset + prod(shape)].reshape(shape)
            offset += prod(shape)
        average += [weight * lie_derivative(flow, start, s, degree) for s in range(last + 1)]
    assert average == pytest.approx([exact(problem, at, s) for s in range(last + 1)], rel=1e-9)


def test_the_ensemble_mean_of_derivatives_is_y_s_within_its_standard_error() -> None:
    problem, at = cp(order=3, symmetric=True), {"p": 2, "H": 2, "sigma2": 0.08}
    width, nodes = 0.04, np.cos(np.pi * np.arange(9) / 8) * 0.04
    ensemble = simulate(problem, at=at, times=nodes, runs=400, seed=11, rtol=1e-11)
    found = derivatives(ensemble.loss, nodes, width, 3)
    for s in range(3):
        error = np.std(found[s], ddof=1) / np.sqrt(400)
        y = exact(problem, at, s)
        assert error < 0.25 * abs(y)
        assert abs(np.mean(found[s]) - y) < 4 * error


@pytest.mark.parametrize("loss", ["train", "population"])
def test_the_ensemble_mean_with_finite_data_is_y_s(loss: str) -> None:
    problem, at = tied_autoencoder(data=True), {"p": 2, "H": 2, "N": 3, "sigma2": 0.1}
    width, nodes = 0.02, np.cos(np.pi * np.arange(9) / 8) * 0.02
    ensemble = simulate(problem, at=at, times=nodes, loss=loss, runs=400, seed=3, rtol=1e-10)
    found = derivatives(ensemble.loss, nodes, width, 2)
    series = loss_series(problem, loss=loss)
    for s in range(2):
        error = np.std(found[s], ddof=1) / np.sqrt(400)
        y = float(series[s].evaluate(**{name: at[name] for name in series[s].symbols}))
        assert error < 0.25 * abs(y)
        assert abs(np.mean(found[s]) - y) < 4 * error


@pytest.mark.parametrize(
    ("problem", "at"),
    [
        (cp(order=3), {"p": 3, "H": 4, "sigma2": 0.3, "T": 0.5}),
        (TEACHER, {"p": 3, "H": 2, "sigma2": 0.2, "sigma2_teacher": 0.5, "T": 2.0}),
    ],
    ids=["3-ASYM", "teacher"],
)
def test_the_loss_falls_at_the_rate_of_the_squared_gradient(
    problem: Problem, at: dict[str, float]
) -> None:
    flow = LossGradient(problem, at)
    start = initial_tensors(flow, np.random.SeedSequence(2))
    fixed = {name: a for name, a in start.items() if name not in {t.name for t in flow.weights}}
    width, nodes = 0.01, np.cos(np.pi * np.arange(11) / 10) * 0.01
    for t in (0.0, 0.4, 1.5):
        # one run for each time: a run meets its last time exactly, the others by interpolation
        losses = [integrate(flow, start, [t + node], rtol=1e-13).loss[0] for node in nodes]
        slope = derivatives(np.array([losses]), nodes, width, 2)[1, 0]
        (here,) = integrate(flow, start, [t], rtol=1e-13, keep_weights=True).weights
        assert here is not None
        square = sum(np.sum(g**2) for g in flow.gradient({**fixed, **here}).values())
        assert slope == pytest.approx(-square / at["T"], rel=1e-6)
        assert square > 1e-6


def test_the_population_loss_along_the_flow_of_the_train_loss() -> None:
    """Tied autoencoder, S = X X^T / N, A = W^T W: dL_pop/dt = -4 Tr[S A (1 - A)^2]."""
    at = {"p": 3, "H": 2, "N": 5, "sigma2": 0.3}
    flow = LossGradient(tied_autoencoder(data=True), at, loss="population")
    start = initial_tensors(flow, np.random.SeedSequence(6))
    S = start["X"] @ start["X"].T / 5
    width, nodes = 0.01, np.cos(np.pi * np.arange(11) / 10) * 0.01
    for t in (0.0, 0.3):
        losses = [integrate(flow, start, [t + node], rtol=1e-13).loss[0] for node in nodes]
        slope = derivatives(np.array([losses]), nodes, width, 2)[1, 0]
        (here,) = integrate(flow, start, [t], rtol=1e-13, keep_weights=True).weights
        assert here is not None
        A = here["W"].T @ here["W"]
        rest = np.eye(3) - A
        assert slope == pytest.approx(-4 * np.trace(S @ A @ rest @ rest), rel=1e-6)


def test_differences_of_the_norms_of_colours_are_conserved() -> None:
    flow = LossGradient(cp(order=3), {"p": 4, "H": 3, "sigma2": 0.3})
    start = initial_tensors(flow, np.random.SeedSequence(4))
    path = integrate(flow, start, [-0.02, 0.3, 3.0], rtol=1e-11, keep_weights=True)

    def differences(weights: object) -> NDArray[np.float64]:
        assert isinstance(weights, dict)
        norms = [np.sum(weights[name] ** 2, axis=1) for name in ("U1", "U2", "U3")]
        return np.array([norms[0] - norms[1], norms[1] - norms[2]])

    for weights in path.weights:
        np.testing.assert_allclose(differences(weights), differences(start), atol=1e-9)
        assert weights is not None
        assert not np.allclose(np.sum(weights["U1"] ** 2), np.sum(start["U1"] ** 2), rtol=1e-3)


@pytest.mark.parametrize("t", [0.7, -0.05])
def test_euler_is_of_first_order(t: float) -> None:
    flow = LossGradient(cp(order=3, symmetric=True), {"p": 3, "H": 3, "sigma2": 0.1})
    start = initial_tensors(flow, np.random.SeedSequence(9))
    limit = integrate(flow, start, [t], rtol=1e-12).loss[0]
    steps = [abs(t) / 400 / 2**k for k in range(4)]
    errors = [
        abs(integrate(flow, start, [t], method="euler", step=step).loss[0] - limit)
        for step in steps
    ]
    orders = [log(a / b, 2) for a, b in pairwise(errors)]
    assert orders[-1] == pytest.approx(1, abs=0.05)
    assert errors[-1] < 0.01 * limit


def test_euler_is_gradient_descent() -> None:
    flow = LossGradient(cp(order=2), {"p": 2, "H": 3, "sigma2": 0.5, "T": 4.0})
    start = initial_tensors(flow, np.random.SeedSequence(1))
    weights = dict(start)
    for _ in range(10):
        gradient = flow.gradient(weights)
        weights = {name: a - 0.05 / 4.0 * gradient[name] for name, a in weights.items()}
    path = integrate(flow, start, [0.2, 0.5], method="euler", step=0.05)
    assert path.loss[1] == pytest.approx(float(flow.loss(weights)), rel=1e-12)
    assert path.evaluations == 10


@pytest.mark.parametrize(("rank", "method"), [(64, "DOP853"), (200, "DOP853"), (64, "LSODA")])
def test_symmetric_order_2_follows_its_eigenvalues(rank: int, method: str) -> None:
    """da/dt = 4 a (1 - a) for every eigenvalue of W^T W."""
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 128, "H": rank, "sigma2": 1 / 128})
    start = initial_tensors(flow, np.random.SeedSequence(3))
    if method == "LSODA":  # few weights: its matrix is of their number squared
        flow = LossGradient(cp(order=2, symmetric=True), {"p": 16, "H": 8, "sigma2": 1 / 128})
        start = {"U": start["U"][:8, :16]}
    times = [-0.03, 0.0, 0.3, 1.0, 2.0]
    a = np.clip(np.linalg.eigvalsh(start["U"].T @ start["U"]), 0, None)
    exact_loss = [0.5 * np.sum(((1 - a) / (1 - a + a * np.exp(4 * t))) ** 2) for t in times]
    with threadpool_limits(limits=1):
        path = integrate(flow, start, times, rtol=1e-9, method=method)
    assert path.blow_up is None
    np.testing.assert_allclose(path.loss, exact_loss, rtol=1e-6, atol=1e-13 * len(a))


@pytest.mark.parametrize("method", ["DOP853", "LSODA"])
def test_the_time_of_blow_up(method: str) -> None:
    """a' = 4 a (1 - a) from a = a0 > 1 diverges at t = log(1 - 1/a0) / 4 < 0."""
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1, "T": 3.0})
    at = 3 * log(1 - 1 / 2.25) / 4
    path = integrate(
        flow, {"U": np.array([[1.5]])}, [1.0, 0.9 * at, at - 0.01, -9.0], method=method
    )
    assert path.blow_up == pytest.approx(at, rel=1e-5)
    assert [np.isfinite(loss) for loss in path.loss] == [True, True, False, False]


def test_euler_reports_a_blow_up_too() -> None:
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    path = integrate(flow, {"U": np.array([[1.5]])}, [-1.0, 1.0], method="euler", step=0.01)
    assert path.loss[0] == np.inf
    assert path.loss[1] < 0.1
    assert path.blow_up is not None
    assert -0.4 < path.blow_up < log(1 - 1 / 2.25) / 4


def test_the_order_of_the_times_does_not_matter() -> None:
    flow = LossGradient(cp(order=3), {"p": 2, "H": 2, "sigma2": 0.3})
    start = initial_tensors(flow, np.random.SeedSequence(1))
    times = [0.5, -0.1, 0.0, 2.0, 0.5, -0.2]
    path = integrate(flow, start, times)
    ordered = integrate(flow, start, sorted(times))
    assert [loss for _, loss in sorted(zip(times, path.loss, strict=True))] == list(ordered.loss)


def test_another_array_library_gives_the_same_curve() -> None:
    problem, at = cp(order=3), {"p": 3, "H": 4, "sigma2": 0.3}
    curves = [
        simulate(problem, at=at, times=[-0.02, 0.0, 1.0], runs=2, xp=xp).loss
        for xp in (np, array_api_strict)
    ]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"method": "RK45"},
            "method 'RK45': is unknown; choose DOP853, LSODA, euler",
        ),
        ({"method": "euler"}, "step None: euler needs a positive length of time; give step"),
        (
            {"method": "euler", "step": -0.1},
            "step -0.1: euler needs a positive length of time; give step",
        ),
        ({"step": 0.1}, "step 0.1: DOP853 chooses its own steps; give rtol instead"),
        ({"rtol": 0.0}, "tolerance 0.0: must lie between 0 and 1; give 1e-8 or so"),
    ],
)
def test_wrong_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        simulate(cp(), at={"p": 2, "H": 2, "sigma2": 1}, times=[1.0], **options)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_a_method_that_does_not_fit_is_refused_with_the_number() -> None:
    at = {"p": 1000, "H": 1000, "sigma2": 1e-3}
    with pytest.raises(InvalidInputError, match=r"matrix of 1000000 x 1000000 .*choose DOP853"):
        simulate(cp(order=2, symmetric=True), at=at, times=[1.0], method="LSODA")


@pytest.mark.parametrize("options", [{}, {"method": "euler", "step": 0.1}], ids=str)
def test_the_loss_at_the_start_needs_no_gradient(options: dict[str, Any]) -> None:
    """(1.5^2 - 1)^2 / 2 for one weight."""
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    path = integrate(flow, {"U": np.array([[1.5]])}, [0.0, 0.0], keep_weights=True, **options)
    assert path.loss == (1.25**2 / 2,) * 2
    assert (path.blow_up, path.evaluations) == (None, 0)
    assert [kept["U"].tolist() for kept in path.weights if kept] == [[[1.5]]] * 2


def test_a_loss_beyond_all_numbers_is_a_blow_up() -> None:
    """u^4/2 overflows where u does not; the weights there are not kept."""
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    path = integrate(flow, {"U": np.array([[1e80]])}, [0.0], keep_weights=True)
    assert (path.loss, path.blow_up, path.weights) == ((np.inf,), 0.0, (None,))


def test_several_processes_need_numpy() -> None:
    with pytest.raises(InvalidInputError) as error:
        simulate(
            cp(), at={"p": 2, "H": 2, "sigma2": 1}, times=[1.0], runs=2, jobs=2, xp=array_api_strict
        )
    assert str(error.value) == ("jobs 2: several processes share runs with NumPy only; give jobs 1")


def test_a_ceiling_ends_a_blow_up_early() -> None:
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    start = {"U": np.array([[1.5]])}
    whole = integrate(flow, start, [-1.0, 1.0])
    early = integrate(flow, start, [-1.0, 1.0], ceiling=100.0)
    assert early.blow_up == pytest.approx(whole.blow_up, rel=1e-3)
    assert early.evaluations < 0.7 * whole.evaluations
    assert early.loss == whole.loss


def test_a_time_out_of_reach_of_explicit_steps_is_refused() -> None:
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    start = {"U": np.array([[1.5]])}
    with pytest.raises(
        InvalidInputError, match=r"^time 1e\+30: 2000 steps lead to .*; ask for ear"
    ):
        integrate(flow, start, [0.0, 1e30])
    assert integrate(flow, start, [1e30], method="LSODA").loss[0] < 1e-15


def test_a_late_time_within_reach_is_met() -> None:
    """More than 2000 steps of about 0.8: the weight rests at one."""
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    path = integrate(flow, {"U": np.array([[1.5]])}, [4e3])
    assert path.loss[0] < 1e-15
    assert path.evaluations > 12 * 2000


def test_euler_refuses_too_many_steps() -> None:
    flow = LossGradient(cp(order=2, symmetric=True), {"p": 1, "H": 1, "sigma2": 1})
    with pytest.raises(InvalidInputError, match=r"^time 1e\+30: 1e\+32 steps of 0\.01 away; ask"):
        integrate(flow, {"U": np.array([[1.5]])}, [1e30], method="euler", step=0.01)


@pytest.mark.parametrize(
    "paces",
    [[1.0, 1.0], [3.0, 1.0, 3.0, 1.0], [1.0, 5.0, 1.0, 5.0], [9.0, 4.0, 8.0, 1.0]],
    ids=str,
)
def test_a_pace_that_leads_nowhere_is_seen(paces: list[float]) -> None:
    """Also one that wavers by more than a factor of two."""
    reached = np.cumsum([0.0, *paces]).tolist()
    with pytest.raises(InvalidInputError, match="ask for earlier times"):
        check_pace(reached, 1e30)
    check_pace(reached, 1e3)


@pytest.mark.parametrize(
    "paces", [[1.0], [1.0, 4.0, 16.0, 64.0], [64.0, 16.0, 4.0, 1.0], [1.0, 3.0]], ids=str
)
def test_a_pace_that_grows_or_shrinks_is_let_be(paces: list[float]) -> None:
    check_pace(np.cumsum([0.0, *paces]).tolist(), 1e30)


def test_no_flow_takes_more_than_the_most_steps() -> None:
    """Steps that grow, but not fast enough."""
    check_pace([float(2**number - 1) for number in range(1000)], 1e307)
    with pytest.raises(InvalidInputError, match=r"10000000 steps lead to"):
        check_pace([float(number) ** 40 for number in range(10_001)], 1e300)
