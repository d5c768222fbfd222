"""Edges and vertices of the prism: other integrations of their equations, limits and blow-ups."""

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from diagrams.errors import InvalidInputError
from expansion.models import tied_autoencoder
from expansion.regimes import Regimes, regimes
from pde.deadline import seconds_left
from pde.numerics.marchenko_pastur import edge, moment, rule
from pde.solutions.finite_data_narrow import generating_average
from pde.solutions.finite_data_small import data_moments
from pde.solving import solution, solve

LOSSES = ("train", "population")


@pytest.fixture(scope="module")
def prism() -> dict[str, Regimes]:
    problem = tied_autoencoder(data=True)
    return {loss: regimes(problem, loss=loss, terms=3) for loss in LOSSES}


def single(equation: Callable[[float], float], start: float, times: np.ndarray) -> np.ndarray:
    """a' = f(a) at increasing times from 0."""
    path = solve_ivp(
        lambda _, a: equation(a),
        (0, times[-1]),
        [start],
        t_eval=times,
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
    )
    values: np.ndarray = path.y[0]
    return values


# -- many latent dimensions ------------------------------------------------------------------------

LOGISTIC, FREE, SMALL = (
    (lambda a: 4 * a * (1 - a), lambda a: (1 - a) ** 2),
    (lambda a: -4 * a**2, lambda a: a**2),
    (lambda a: 4 * a, lambda a: 1 - 2 * a),
)
"""The equation of one eigenvalue a in the time of its data, and twice its loss."""


@pytest.mark.parametrize(
    ("name", "face"),
    [
        ("small-data & mean-field", LOGISTIC),
        ("small-data & mean-field & free", FREE),
        ("small-data & mean-field & narrow-latent", SMALL),
    ],
)
@pytest.mark.parametrize("start", [Fraction(1, 5), Fraction(7, 2)])
def test_few_data_move_as_many_directions(
    prism: dict[str, Regimes],
    name: str,
    face: tuple[Callable[[float], float], Callable[[float], float]],
    start: Fraction,
) -> None:
    """N of p eigenvalues learn, each by itself; the train loss sees them p/N times."""
    equation, loss = face
    p, H, N, T = 300, 7000, 4, 2
    at = {"p": p, "H": H, "N": N, "sigma2": start / H, "T": T}
    data_times = np.array([0.0, 0.1, 0.3, 0.5])
    times = data_times * N / p * T
    moved = single(equation, float(start), data_times)
    expected = {
        "train": p / 2 * loss(moved),
        "population": N / 2 * loss(moved) + (p - N) / 2 * loss(float(start)),
    }
    for which in LOSSES:
        whole = solve(prism[which], name, at=at)
        # The formula as it stands, also where the loss would be negative.
        evolution = replace(whole, curve=whole.solution.curve(whole.parameters))
        np.testing.assert_allclose(evolution(times), expected[which], rtol=1e-9)
        for t in times:
            assert float(evolution.precise(t, 25)) == pytest.approx(float(evolution(t)), rel=1e-12)
        if "narrow-latent" in name:
            assert evolution.limit() is None
        else:
            late = evolution(1e6 if "free" in name else 50.0)
            assert float(late) == pytest.approx(evolution.limit(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "start", "blow_up"),
    [
        # In the time of the fastest eigenvalue: 1 - a_0 + a_0 exp(4 t) = 0, and 1 + 4 a_0 t = 0.
        ("mean-field", Fraction(5, 4), -math.log(5) / 4),
        ("mean-field", Fraction(1, 2), -math.inf),
        ("mean-field & free", Fraction(5, 4), -1 / 5),
        ("mean-field & narrow-latent", Fraction(5, 4), -math.inf),
        ("small-data & mean-field", Fraction(5, 4), -math.log(5) / 4),
        ("small-data & mean-field", Fraction(1, 2), -math.inf),
        ("small-data & mean-field & free", Fraction(5, 4), -1 / 5),
        ("small-data & mean-field & narrow-latent", Fraction(5, 4), -math.inf),
    ],
)
def test_blow_ups_of_many_latent_dimensions(
    prism: dict[str, Regimes], name: str, start: Fraction, blow_up: float
) -> None:
    p, H, N, T = 60, 5000, 20, 3
    at = {"p": p, "H": H, "N": N, "sigma2": start / H, "T": T}
    evolution = solve(prism["train"], name, at=at)
    rate = (p / N if "small-data" in name else edge(p / N)) / T
    assert evolution.domain.start == pytest.approx(blow_up / rate, rel=1e-13)
    if math.isinf(blow_up):
        # Long ago all weights were small, and nothing was learnt.
        assert float(evolution(-500.0)) == pytest.approx(p / 2, rel=1e-3)
        return
    if "small-data" in name:
        assert float(evolution(blow_up / rate * (1 - 1e-5))) > 1e8 * p
    with pytest.raises(InvalidInputError) as error:
        evolution(blow_up / rate * 1.001)
    assert str(error.value) == (
        f"t = {blow_up / rate * 1.001:g}: the solution of regime {name} holds for "
        f"t > {blow_up / rate:g}, because backwards in time the weights reach infinity there; "
        "give other times"
    )


def test_averages_of_no_times(prism: dict[str, Regimes]) -> None:
    at = {"p": 60, "H": 5000, "N": 20, "sigma2": Fraction(1, 5000)}
    for name in ("mean-field", "small-data & mean-field", "narrow-latent", "small-data"):
        assert solve(prism["train"], name, at=at)(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("loss", LOSSES)
def test_coefficients_of_free_mean_field(prism: dict[str, Regimes], loss: str) -> None:
    """½p a_0² (-4a_0)^s (s+1)! times a moment of order s, or s + 1, beyond the first block of 8."""
    found = solution(prism[loss], "mean-field & free").coefficients(12)
    for s, coefficient in enumerate(found):
        mean = moment(s + (loss == "train")).evaluate(r=Fraction(3, 2))
        expected = Fraction(3, 2) * Fraction(1, 7) ** 2 * Fraction(-4, 7) ** s * mean
        at = {"p": 3, "N": 2, "H": Fraction(5, 7), "sigma2": Fraction(1, 5)}
        assert coefficient.evaluate(**at) == expected * math.factorial(s + 1)


# -- few latent dimensions -------------------------------------------------------------------------


def eigenvalue_flow(z: float, r: float, times: np.ndarray, *, with_target: bool) -> np.ndarray:
    """w_0 and w_1 from one amplitude v(λ) for each eigenvalue, v' = 2λv(2 - w_0) - 2w_1v."""
    nodes, weights = rule(r, 200)
    nodes = np.append(nodes, 0.0)
    weights = np.append(weights, 1 - weights.sum())
    two = 2 if with_target else 0

    def derivative(_: float, v: np.ndarray) -> np.ndarray:
        w0, w1 = weights @ v, weights @ (nodes * v)
        moved: np.ndarray = 2 * v * (nodes * (two - w0) - w1)
        return moved

    path = solve_ivp(
        derivative,
        (0, times[-1]),
        np.full(len(nodes), z),
        t_eval=times,
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
    )
    return np.array([weights @ path.y, (weights * nodes) @ path.y])


@pytest.mark.parametrize(("N", "z"), [(250, Fraction(3)), (40, Fraction(1, 3))])
@pytest.mark.parametrize("sign", [1, -1])
def test_narrow_latent_against_amplitudes(
    prism: dict[str, Regimes], N: int, z: Fraction, sign: int
) -> None:
    p, H, T = 100, 6, 2
    at = {"p": p, "H": H, "N": N, "sigma2": z / p, "T": T}
    for with_target in (True, False):
        name = "narrow-latent" if with_target else "narrow-latent & free"
        times = np.array([0.0, 0.01, 0.04] if sign < 0 else [0.0, 0.05, 0.3, 2.0]) * sign
        w0, w1 = eigenvalue_flow(float(z), p / N, times, with_target=with_target)
        for loss, other in (("train", w1), ("population", w0)):
            expected = p / 2 - H * other * (1 - w0 / 2) if with_target else H / 2 * w0 * other
            # In any order of times.
            found = solve(prism[loss], name, at=at)(times[::-1] * T)[::-1]
            np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("z", [Fraction(1, 10**9), Fraction(1), Fraction(30)])
@pytest.mark.parametrize("N", [50, 400])
def test_blow_up_without_a_target(prism: dict[str, Regimes], z: Fraction, N: int) -> None:
    """α' = -zZ² reaches infinity at the time -∫ dα/zZ², however late that is."""
    logarithm = generating_average(100 / N)
    integral = quad(lambda a: math.exp(-2 * logarithm(a)[0]), 0, math.inf, epsrel=1e-12)[0]
    at = {"p": 100, "H": 4, "N": N, "sigma2": z / 100, "T": 3}
    evolution = solve(prism["population"], "narrow-latent & free", at=at)
    assert evolution.domain.start == pytest.approx(float(-3 * integral / z), rel=1e-7)


@pytest.mark.parametrize("z", [Fraction(5, 2), Fraction(20)])
@pytest.mark.parametrize("N", [50, 400])
def test_blow_up_with_large_weights(prism: dict[str, Regimes], z: Fraction, N: int) -> None:
    """For z > 2, α' = 2 - b < 0 with b²/(b-1) = (zZ)²/(z-1)."""
    logarithm = generating_average(100 / N)

    def inverse(alpha: float) -> float:
        q = float(z) ** 2 / (float(z) - 1) * math.exp(min(2 * logarithm(alpha)[0], 300.0))
        return 1 / ((q + math.sqrt(q * (q - 4))) / 2 - 2)

    at = {"p": 100, "H": 4, "N": N, "sigma2": z / 100}
    evolution = solve(prism["population"], "narrow-latent", at=at)
    expected = -quad(inverse, 0, math.inf, epsrel=1e-12)[0]
    assert evolution.domain.start == pytest.approx(expected, rel=1e-7)


def test_whether_slightly_large_weights_blow_up(prism: dict[str, Regimes]) -> None:
    """They do unless b stays below 2, which Z > 2√(z-1)/z allows where directions are not seen."""
    z = Fraction(10001, 10000)
    starts = [
        solve(
            prism["train"], "narrow-latent", at={"p": 100, "H": 4, "N": N, "sigma2": z / 100}
        ).domain.start
        for N in (1000, 100, 97)
    ]
    assert starts[0] > -10
    # The smallest eigenvalue is zero: they linger, for hundreds of T, and blow up after all.
    assert -2000 < starts[1] < -200
    assert 2 * math.sqrt(z - 1) / z < 1 - 97 / 100 and starts[2] == -math.inf


@pytest.mark.parametrize("N", [20, 50, 100, 400])
def test_free_narrow_latent_keeps_what_the_data_do_not_show(
    prism: dict[str, Regimes], N: int
) -> None:
    at = {"p": 100, "H": 4, "N": N, "sigma2": Fraction(3, 200)}
    population = solve(prism["population"], "narrow-latent & free", at=at)
    expected = 2 * Fraction(3, 2) ** 2 * max(1 - Fraction(N, 100), 0) ** 4
    assert population.limit() == pytest.approx(float(expected), rel=1e-14)
    assert float(population(1e7)) == pytest.approx(float(expected), rel=1e-6, abs=1e-6)
    train = solve(prism["train"], "narrow-latent & free", at=at)
    assert train.limit() == 0 and 0 <= float(train(1e7)) < 1e-6


@pytest.mark.parametrize(
    "name", ["small-data & narrow-latent", "small-data & narrow-latent & free"]
)
@pytest.mark.parametrize("z", [Fraction(1, 2), Fraction(2), Fraction(3)])
@pytest.mark.parametrize("loss", LOSSES)
def test_few_data_and_few_latent_dimensions(
    prism: dict[str, Regimes], name: str, z: Fraction, loss: str
) -> None:
    """Values and limits against the exact series, which has no division by 2 - z."""
    at = {"p": 400, "H": 6, "N": 8, "sigma2": z / 400, "T": 5}
    evolution = solve(prism[loss], name, at=at)
    known = {key: Fraction(value) for key, value in at.items() if key != "T"}
    series = [c.evaluate(**known) for c in islice(evolution.solution.taylor(), 60)]
    for t in (Fraction(0), Fraction(1, 100), Fraction(-1, 20), Fraction(1, 10)):
        exact = sum(c * (t / 5) ** s / math.factorial(s) for s, c in enumerate(series))
        assert float(evolution(float(t))) == pytest.approx(float(exact), rel=1e-13, abs=1e-12)
        assert float(evolution.precise(t, 25)) == pytest.approx(float(exact), rel=1e-13)
    if (z < 2 and not name.endswith("free")) or (z == 2 and not name.endswith("free")):
        assert evolution.limit() is None
    else:
        assert evolution.limit() == pytest.approx(float(evolution(1e3)), rel=1e-13, abs=1e-13)


# -- few data --------------------------------------------------------------------------------------


def exact_data_series(
    z: int, last: int, *, with_target: bool
) -> tuple[list[Fraction], list[Fraction]]:
    """The Taylor coefficients of ½(1 - 2m_1 + m_2) and -4(m_1 - 2m_2 + m_3) at y = 1.

    From A' = AM + MA for a Jacobi matrix of so many rows that its end is not felt.
    """
    size = last + 4
    one = np.zeros((size, size), dtype=object) + Fraction(0)
    A0 = one.copy()
    for i in range(size):
        A0[i, i] = Fraction(2 * z if i else z)
        if i:
            A0[i, i - 1] = A0[i - 1, i] = Fraction(z)
        one[i, i] = Fraction(int(with_target))
    S = np.zeros((size, size), dtype=object) + Fraction(0)
    S[0, 0] = Fraction(1)
    A, rest, M = [A0], [one - A0], [(one - A0) @ S + S @ (one - A0)]
    for n in range(last):
        total = sum(A[k] @ M[n - k] + M[n - k] @ A[k] for k in range(n + 1))
        A.append(total / (n + 1))
        rest.append(-A[-1])
        M.append(rest[-1] @ S + S @ rest[-1])
    half, rate = [], []
    for n in range(last + 1):
        squares = [rest[k][0] @ rest[n - k][0] for k in range(n + 1)]
        half.append(sum(squares, start=Fraction(0)) / 2)
        cubes = [
            rest[j][0] @ A[k] @ rest[n - j - k][0] for j in range(n + 1) for k in range(n + 1 - j)
        ]
        rate.append(-4 * sum(cubes, start=Fraction(0)))
    return half, rate


@pytest.mark.parametrize("with_target", [True, False])
def test_moment_hierarchy_against_an_exact_matrix(
    prism: dict[str, Regimes], with_target: bool
) -> None:
    """Both losses beyond the first block of 4 coefficients, at y = 1, z = 3, N = 2, p = 5."""
    name = "small-data" if with_target else "small-data & free"
    half, rate = exact_data_series(3, 5, with_target=with_target)
    at = {"p": 5, "H": 5, "N": 2, "sigma2": Fraction(3, 5)}
    for loss in LOSSES:
        found = solution(prism[loss], name).coefficients(6)
        for s, coefficient in enumerate(found):
            factor = Fraction(5, 2) ** s
            if loss == "train" or s == 0:
                expected = 5 * half[s] * math.factorial(s)
            else:
                expected = 2 * rate[s - 1] * math.factorial(s - 1)
            assert coefficient.evaluate(**at) == expected * factor


def test_too_few_rows_are_noticed(prism: dict[str, Regimes]) -> None:
    """y = 0.9, z = 1000: whether eigenvalues begin below 2 is not seen by few rows."""
    at = {"p": 100, "H": 90, "N": 2, "sigma2": 10}
    for loss in LOSSES:
        evolution = solve(prism[loss], "small-data", at=at)
        with pytest.raises(InvalidInputError) as error:
            evolution([0.0, 0.06])
        assert str(error.value) == (
            "t = 0.06: 60 and 90 rows of the moment hierarchy give different losses; give earlier "
            "times"
        )


@pytest.mark.parametrize("with_target", [True, False])
@pytest.mark.parametrize(("z", "y"), [(1.0, 1.0), (0.5, 0.4), (3.0, 2.0), (6.0, 0.2)])
def test_the_spectrum_moves_as_its_matrix(z: float, y: float, with_target: bool) -> None:
    """Eigenvalues and weights against the flow A' = AM + MA of the same rows."""
    size = 12
    A = np.diag(np.full(size, z * (1 + y)))
    A[0, 0] = z * y
    beside = np.arange(size - 1)
    A[beside, beside + 1] = A[beside + 1, beside] = z * np.sqrt(y)
    S = np.zeros((size, size))
    S[0, 0] = 1
    target = np.eye(size) * with_target

    def rate(_: float, state: np.ndarray) -> np.ndarray:
        A = state[:-1].reshape(size, size)
        M = (target - A) @ S + S @ (target - A)
        moved = -4 * ((target - A) @ A @ (target - A))[0, 0]
        return np.concatenate([(A @ M + M @ A).ravel(), [moved]])

    times = np.array([0.0, 0.05, 0.4, 2.0])
    states = solve_ivp(
        rate, (0, 2), [*A.ravel(), 0], t_eval=times, method="DOP853", rtol=1e-11, atol=1e-12
    ).y
    expected = [((target[0] - states[:size, k]) ** 2).sum() / 2 for k in range(4)]
    half, moved = data_moments(z, y, times, size=size, with_target=with_target)
    np.testing.assert_allclose(half, expected, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(moved, states[-1], rtol=1e-9)


@pytest.mark.parametrize("name", ["small-data", "small-data & free"])
def test_few_data_reach_any_time(prism: dict[str, Regimes], name: str) -> None:
    """t = 1e6 and 1e12 within 20 s, on a busy machine too."""
    at = {"p": 400, "H": 400, "N": 4, "sigma2": Fraction(1, 400)}
    for loss in LOSSES:
        evolution = solve(prism[loss], name, at=at)
        with seconds_left(20):
            values = evolution([0.0, 10.0, 1e6, 1e12])
        assert np.all(np.diff(values) <= 1e-9)
        assert evolution.error_at([1e6, 1e12]) < 1e-3
    # On the edge with free ϑ² times the loss tends to a constant.
    moments = data_moments(1.0, 3.0, np.array([1e6, 1e12]), size=40, with_target=False)[0]
    assert moments[0] * 1e12 == pytest.approx(1 / 32, rel=1e-4)
    assert moments[1] * 1e24 == pytest.approx(1 / 32, rel=1e-4)


@pytest.mark.parametrize(
    ("p", "H", "sigma2", "limit"), [(400, 20, 1, None), (400, 20, Fraction(1, 400), 0.0)]
)
def test_a_datum_may_be_pushed_into_the_kernel(
    prism: dict[str, Regimes], p: int, H: int, sigma2: Fraction, limit: float | None
) -> None:
    """All eigenvalues but 0 begin above 2: half of the data stays, and nothing says otherwise."""
    evolution = solve(prism["train"], "small-data", at={"p": p, "H": H, "N": 4, "sigma2": sigma2})
    late = float(evolution(1e4))
    assert evolution.limit() == limit
    assert late == pytest.approx(p / 2 if limit is None else 0, abs=1e-6)
