"""The prism of the tied autoencoder on data: certificates, numbers, limits and the flow itself."""

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
from expansion.regimes import Regimes, regimes
from pde.evolution import LossEvolution, Method
from pde.numerics.marchenko_pastur import average, moment, precise_average, rule
from pde.solutions.finite_data_small import closure_error, data_moments
from pde.solving import solution, solve

OPEN = {"free", "prism"}
LOSSES = ("train", "population")


@pytest.fixture(scope="module")
def prism() -> dict[str, Regimes]:
    problem = tied_autoencoder(data=True)
    return {loss: regimes(problem, loss=loss, terms=4) for loss in LOSSES}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_prism_is_found(prism: dict[str, Regimes], loss: str) -> None:
    found = prism[loss]
    assert found.f_vector[:3] == (6, 9, 5)
    assert found.start == (0 if loss == "train" else 1)
    assert found["prism"].dimension == 3
    names = {regime.name for regime in found if regime.dimension == 2}
    assert names == {"large-data", "small-data", "mean-field", "narrow-latent", "free"}
    edges = {regime.name for regime in found if regime.dimension == 1}
    assert len(edges) == 9 and "large-data & mean-field" in edges
    assert "large-data & small-data" not in edges
    assert found["mean-field & large-data"] is found["large-data & mean-field"]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_projection_along_the_data_is_the_triangle(
    prism: dict[str, Regimes], loss: str
) -> None:
    """Without the powers of N and what they carry, the vertices are A, B and E."""
    triangle = regimes(cp(order=2, symmetric=True), terms=4)
    exponents = prism[loss].exponents
    p, H, N, sigma2 = (exponents.symbols.index(name) for name in ("p", "H", "N", "sigma2"))
    for s in range(1, 5):
        whole = prism[loss].polyhedra[s]
        # N < 0 goes with as many powers of p; without both, the total degree is that of CP.
        projected = {(v[p] + v[N], v[H], v[sigma2]) for v in whole.vertices}
        order = [triangle.exponents.symbols.index(name) for name in ("p", "H", "sigma2")]
        expected = {tuple(v[i] for i in order) for v in triangle.polyhedra[s].vertices}
        assert projected == expected


@pytest.mark.parametrize("loss", LOSSES)
def test_the_table_of_the_faces(prism: dict[str, Regimes], loss: str) -> None:
    """Conditions and natural T at scalings that meet them: exponents of p, H, N, 1/σ²."""
    inside = {
        "large-data": ((1, 1, 2, 1), 0),
        "small-data": ((2, 2, 1, 2), 1),
        "mean-field": ((1, 2, 1, 2), 0),
        "narrow-latent": ((2, 1, 2, 2), 0),
        "free": ((2, 2, 2, 1), 1),
    }
    found = prism[loss]
    order = [found.exponents.symbols.index(name) for name in ("p", "H", "N", "sigma2")]
    for name, (scaling, time) in inside.items():
        point = [0] * 4
        for place, value, sign in zip(order, scaling, (1, 1, 1, -1), strict=True):
            point[place] = sign * value
        meeting = [r.name for r in found if r.cone.contains_in_interior(tuple(point))]
        assert meeting == [name]
        slopes = dict(found[name].natural_time)
        symbols = found.exponents.symbols
        assert sum(Fraction(slopes.get(s, 0)) * point[i] for i, s in enumerate(symbols)) == time


@pytest.mark.parametrize("loss", LOSSES)
def test_certificates(prism: dict[str, Regimes], loss: str) -> None:
    for regime in prism[loss]:
        solved = solution(prism[loss], regime.name)
        assert (solved.method is Method.RESUMMED) == (regime.name in OPEN)
        # What is resummed is made of the coefficients that it would be compared with; what follows
        # free matrices is not.
        summed = regime.name in OPEN and solved.derivation[-1].title != "Free matrices"
        expected = () if summed else (0, 1, 2, 3, 4)
        assert solved.certificate.matched == expected, regime.name


# -- the Marchenko-Pastur law ----------------------------------------------------------------------


@pytest.mark.parametrize("r", [0.01, 0.5, 0.999, 1.0, 1.001, 2.0, 50.0])
def test_moments_and_averages(r: float) -> None:
    for k in range(6):
        exact = float(moment(k).evaluate(r=Fraction(r)))
        assert average(lambda x, k=k: x**k, r).value == pytest.approx(exact, rel=1e-12)
    nodes, _ = rule(r, 64)
    assert nodes.min() >= (1 - math.sqrt(r)) ** 2 - 1e-12
    precise = precise_average(lambda x: mpmath.exp(-3 * x), mpmath.mpf(r), 30)
    assert average(lambda x: np.exp(-3 * x), r).value == pytest.approx(float(precise), rel=1e-12)


# -- curves ----------------------------------------------------------------------------------------

AT = {"p": 200, "H": 100, "N": 400, "sigma2": Fraction(1, 200)}


def numerical_flow(p: int, H: int, N: int, sigma2: float, times: list[float]) -> np.ndarray:
    """One run of the flow of W, written without the engine: both losses."""
    generator = np.random.default_rng(7)
    W = generator.normal(size=(H, p)) * math.sqrt(sigma2)
    X = generator.normal(size=(p, N))
    S = X @ X.T / N

    def of_weights(_: float, flat: np.ndarray) -> np.ndarray:
        W = flat.reshape(H, p)
        rest = W - (W @ W.T) @ W  # W (I - A)
        along = W @ S
        moved: np.ndarray = rest @ S + along - (along @ W.T) @ W
        return moved.ravel()

    def of_squares(_: float, flat: np.ndarray) -> np.ndarray:
        A = flat.reshape(p, p)
        M = S - A @ S
        M += M.T
        half = A @ M
        moved: np.ndarray = half + half.T
        return moved.ravel()

    # A has full rank for H > p, and W is the smaller one for H < p.
    wide = p < H
    start = W.T @ W if wide else W
    path = solve_ivp(
        of_squares if wide else of_weights,
        (0, times[-1]),
        start.ravel(),
        t_eval=times,
        rtol=1e-6,
        atol=1e-8,
    )
    ends = [flat.reshape(start.shape) for flat in path.y.T]
    rest = [np.eye(p) - (end if wide else end.T @ end) for end in ends]
    return np.array([[np.sum((d @ S) * d) / 2, np.sum(d * d) / 2] for d in rest])


@pytest.mark.parametrize(
    ("name", "at", "tolerance"),
    [
        ("mean-field", {"p": 60, "H": 6000, "N": 60, "sigma2": Fraction(1, 20000)}, 0.03),
        ("mean-field", {"p": 60, "H": 6000, "N": 30, "sigma2": Fraction(1, 20000)}, 0.03),
        ("narrow-latent", {"p": 300, "H": 3, "N": 300, "sigma2": Fraction(1, 300)}, 0.03),
        ("large-data", {"p": 150, "H": 150, "N": 15000, "sigma2": Fraction(1, 150)}, 0.03),
        ("small-data", {"p": 300, "H": 300, "N": 3, "sigma2": Fraction(1, 300)}, 0.05),
    ],
)
def test_curves_against_the_flow(
    prism: dict[str, Regimes], name: str, at: dict[str, Fraction], tolerance: float
) -> None:
    scale = float(at["N"] / at["p"]) if name == "small-data" else 1.0
    times = [0.0, 0.1 * scale, 0.4 * scale, 1.5 * scale]
    sizes = (int(at[key]) for key in ("p", "H", "N"))
    exact = numerical_flow(*sizes, float(at["sigma2"]), times)
    for place, loss in enumerate(LOSSES):
        curve = solve(prism[loss], name, at=at)(times)
        assert np.max(np.abs(curve - exact[:, place])) < tolerance * exact[0, place]


def test_small_data_learns_what_it_can(prism: dict[str, Regimes]) -> None:
    """y = z = 1: the population loss falls by 1.12837536 N."""
    half, moved = data_moments(1.0, 1.0, np.array([0.0, 1.0, 50.0]), size=60)
    assert moved[2] == pytest.approx(-1.12837536, abs=1e-8)
    fewer = [data_moments(1.0, 1.0, np.array([0.0, 1.0, 50.0]), size=n)[0] for n in (30, 40)]
    assert np.max(closure_error([*fewer, half])) < 1e-9
    at = {"p": 4000, "H": 4000, "N": 4, "sigma2": Fraction(1, 4000)}
    late = solve(prism["population"], "small-data", at=at)
    assert float(late(0.05)) - float(late(0.0)) == pytest.approx(-1.12837536 * 4, abs=1e-6)


def test_narrow_latent_at_the_fixed_point(prism: dict[str, Regimes]) -> None:
    """z = 1: L_train = p/2 - (H/2) Z_1/Z at α = τ, and L_pop stays at (p - H)/2."""
    at = {"p": 100, "H": 4, "N": 50, "sigma2": Fraction(1, 100)}
    times = np.array([0.0, 0.2, 1.0, 6.0])
    r = mpmath.mpf(2)
    expected = []
    for tau in times:
        Z = precise_average(lambda x, tau=tau: mpmath.exp(2 * tau * x), r, 16)
        Z_1 = precise_average(lambda x, tau=tau: x * mpmath.exp(2 * tau * x), r, 16)
        expected.append(float(50 - 2 * Z_1 / Z))
    np.testing.assert_allclose(
        solve(prism["train"], "narrow-latent", at=at)(times), expected, rtol=1e-11
    )
    np.testing.assert_allclose(
        solve(prism["population"], "narrow-latent", at=at)(times), 48.0, rtol=1e-13
    )


@pytest.mark.parametrize("z", [Fraction(1, 10**6), Fraction(1, 3), Fraction(3), Fraction(20)])
def test_narrow_latent_reaches_its_limit(prism: dict[str, Regimes], z: Fraction) -> None:
    """For z > 2 the characteristic goes back; with few data it need not return."""
    at = {"p": 100, "H": 4, "N": 50, "sigma2": z / 100}
    for loss in LOSSES:
        evolution = solve(prism[loss], "narrow-latent", at=at)
        limit = evolution.limit()
        assert limit is not None
        # The top of the spectrum is approached like 1/t.
        distance = [abs(float(evolution(t)) - limit) for t in (100.0, 1000.0)]
        assert distance[1] < 0.2 * distance[0] + 1e-9
        assert np.all(np.diff(evolution(np.linspace(0, 5, 50))) <= 1e-9)


def test_large_weights_and_few_data_can_stop_learning(prism: dict[str, Regimes]) -> None:
    """z = 20, r = 2: the weights leave the data before they have learnt them."""
    at = {"p": 100, "H": 4, "N": 50, "sigma2": Fraction(1, 5)}
    assert solve(prism["train"], "narrow-latent", at=at).limit() == 50
    with_more_data = solve(prism["train"], "narrow-latent", at=at | {"N": 400})
    assert with_more_data.limit() == pytest.approx(50 - 2 * 1.5**2)
    population = solve(prism["population"], "narrow-latent", at=at).limit()
    assert population is not None and population > 50


def unbounded(evolution: LossEvolution) -> LossEvolution:
    """The formula as it stands, also where the loss would be negative."""
    return replace(evolution, curve=evolution.solution.curve(evolution.parameters))


@pytest.mark.parametrize("name", ["mean-field", "mean-field & free", "mean-field & narrow-latent"])
@pytest.mark.parametrize("loss", LOSSES)
def test_averages_at_many_digits(prism: dict[str, Regimes], name: str, loss: str) -> None:
    at = {"p": 50, "H": 700, "N": 30, "sigma2": Fraction(1, 1000)}
    evolution = unbounded(solve(prism[loss], name, at=at))
    for t in (0.0, 0.01, 0.3, 2.0):
        assert float(evolution(t)) == pytest.approx(float(evolution.precise(t, 30)), rel=1e-11)
    with mpmath.workdps(40):
        few, many = (evolution.precise(Fraction(1, 4), digits) for digits in (15, 30))
        assert abs(few - many) < 1e-13 * abs(many)


def test_mean_field_leaves_what_the_data_do_not_show(prism: dict[str, Regimes]) -> None:
    at = {"p": 50, "H": 700, "N": 30, "sigma2": Fraction(1, 1400)}
    population = solve(prism["population"], "mean-field", at=at)
    assert population.limit() == pytest.approx(25 * (1 - 30 / 50) * 0.25)
    assert float(population(300.0)) == pytest.approx(population.limit(), rel=1e-9)
    assert float(solve(prism["train"], "mean-field", at=at)(300.0)) < 1e-9


def test_large_data_is_the_triangle(prism: dict[str, Regimes]) -> None:
    for loss in LOSSES:
        evolution = solve(prism[loss], "large-data", at=AT)
        assert evolution.limit() == 50.0
        assert "Many data" in [step.title for step in evolution.derivation]


def test_only_descent_is_integrated_on_small_data(prism: dict[str, Regimes]) -> None:
    with pytest.raises(InvalidInputError, match="only gradient descent"):
        solve(prism["train"], "small-data", at=AT)(-0.1)
