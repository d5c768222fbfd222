"""Matrix models as flows of free matrices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from diagrams.diagram import Diagram
from diagrams.tensors import Axis, Tensor
from diagrams.wick import expectation
from expansion.dynamics.derivation import derive
from expansion.dynamics.matrix_model import MatrixModel, TraceTerm, matrix_model
from expansion.models import autoencoder, cp, deep_linear
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from pde.effective import effective_solution
from pde.numerics.free_words import Source, Space, WordBasis
from pde.solving import solution
from pde.systems.free_flow import FreeFlow, suits
from pde.systems.free_matrices import free_curve, free_solution, most_letters

P, H = Axis("p"), Axis("H")
NAMES = ("A", "B")
RECTANGULAR = {"p": Fraction(60), "H": Fraction(90), "sigma2": Fraction(1, 60), "T": Fraction(1)}


@lru_cache
def maps(problem: Problem, terms: int) -> Regimes:
    return regimes(problem, terms=terms)


@lru_cache
def model_of(problem: Problem, regime: str, terms: int = 4) -> MatrixModel:
    model = matrix_model(derive(maps(problem, terms), regime))
    assert model is not None
    return model


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from((0, 1)), min_size=2, max_size=8).filter(lambda x: not len(x) % 2))
def test_traces_of_words_are_their_leading_averages(letters: list[int]) -> None:
    """tr(A^T B A^T A ...): the sum over pairings without crossings."""
    basis = WordBasis(
        (Space("p", 2.0), Space("H", 3.0)),
        tuple(Source(k, "H", "p", 0.5 * (k + 1)) for k in range(2)),
        letters=len(letters),
    )
    element = basis.identity("p")
    for place, letter in enumerate(letters):
        vector = basis.matrix(letter)
        if place % 2:
            element = basis.product("p", "H", "p")(element, vector)
        else:
            turned = basis.adjoint("p", "H")(vector)
            element = basis.product("p", "p", "H")(element, turned)
    number = len(letters)
    # The nodes along the circle alternate between the axes.
    nodes = tuple(P if k % 2 == 0 else H for k in range(number))
    tensors = [Tensor(NAMES[k], (H, P), variance=f"s{k}") for k in range(2)]
    factors = []
    for place, letter in enumerate(letters):
        after = (place + 1) % number
        at = (after, place) if place % 2 == 0 else (place, after)
        factors.append((tensors[letter], at))
    mean = Polynomial(expectation(Diagram(nodes, tuple(factors))))
    order = number // 2 + 1
    leading = sum(
        float(c)
        * 2.0 ** dict(m).get("p", 0)
        * 3.0 ** dict(m).get("H", 0)
        * 0.5 ** dict(m).get("s0", 0)
        for m, c in mean
        if dict(m).get("p", 0) + dict(m).get("H", 0) == order
    )
    assert basis.trace(element, "p") == pytest.approx(leading, rel=1e-12, abs=1e-12)


def test_products_are_associative_and_adjoints_turn_them_around() -> None:
    basis = WordBasis(
        (Space("a", 1.5), Space("b", 4.0)),
        (Source(0, "a", "b", 1.0), Source(1, "b", "b", 0.3), Source(2, "a", "a", 0.7, True)),
        letters=6,
    )
    M, N, S = (basis.matrix(k) for k in range(3))
    left = basis.product("a", "a", "b")(S, basis.product("a", "b", "b")(M, N))
    right = basis.product("a", "b", "b")(basis.product("a", "a", "b")(S, M), N)
    assert np.allclose(left, right, rtol=1e-14)
    turned = basis.adjoint("b", "a")(left)
    transposes = [basis.adjoint("b", "b")(N), basis.adjoint("b", "a")(M)]
    product = basis.product("b", "b", "a")(*transposes)
    assert np.allclose(turned, basis.product("b", "a", "a")(product, S), rtol=1e-14)
    assert np.allclose(basis.adjoint("a", "b")(turned), left, rtol=1e-14)
    assert np.array_equal(basis.adjoint("a", "a")(S), S)


@pytest.mark.parametrize(
    ("problem", "regime"),
    [
        (cp(order=2), "A-B-C-D-E"),
        (cp(order=2, target="teacher"), "F1"),
        (deep_linear(3), "V1-V2-V3-V4-V5"),
    ],
    ids=lambda value: getattr(value, "title", value),
)
def test_the_flow_is_that_of_a_gradient(problem: Problem, regime: str) -> None:
    model = model_of(problem, regime)
    numbers = {name: Fraction(k + 2, k + 1) for k, name in enumerate(model.symbols)}
    flow = FreeFlow(replace(model, output=model.potential), numbers, letters=4)
    rng = np.random.default_rng(1)
    state = flow.start + 0.1 * rng.normal(size=flow.start.size)
    rate = flow.rate(state)
    step = 1e-5 * rate
    slope = (flow.output(state + step)[0] - flow.output(state - step)[0]) / 2e-5
    assert slope == pytest.approx(-flow.power(state), rel=1e-7)


def simulated(problem_target: float, numbers: dict[str, Fraction], times: np.ndarray) -> np.ndarray:
    """Losses of untied factors of a multiple of the identity, one row for every run."""
    p, width = int(numbers["p"]), int(numbers["H"])
    rows = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        start = rng.normal(size=(2, width, p)) * float(numbers["sigma2"]) ** 0.5

        def rate(_: float, x: np.ndarray) -> np.ndarray:
            A, B = x.reshape(2, width, p)
            defect = A.T @ B - problem_target * np.eye(p)
            return -np.stack([B @ defect.T, A @ defect]).ravel()

        path = solve_ivp(rate, (0, times[-1]), start.ravel(), t_eval=times, rtol=1e-6, atol=1e-8)
        losses = []
        for x in path.y.T:
            A, B = x.reshape(2, width, p)
            losses.append(np.sum((A.T @ B - problem_target * np.eye(p)) ** 2) / 2)
        rows.append(losses)
    return np.array(rows)


def test_large_random_matrices_move_like_free_ones() -> None:
    curve = free_curve(
        model_of(cp(order=2), "A-B-C-D-E"), RECTANGULAR, target=RECTANGULAR["p"] / 2, letters=8
    )
    times = np.array([0.05, 0.15, 0.3])
    assert curve.domain.stop > times[-1]
    runs = simulated(1.0, RECTANGULAR, times)
    scatter = runs.std(axis=0, ddof=1) / len(runs) ** 0.5
    size = curve.evaluate(np.array([0.0]))[0]
    # The means of finite matrices differ by 1/p^2 of the loss and more.
    allowed = 4 * scatter + curve.errors(times) + size * 3 / float(RECTANGULAR["p"]) ** 2
    assert np.all(np.abs(runs.mean(axis=0) - curve.evaluate(times)) < allowed)


@pytest.mark.parametrize("width", [30, 60, 120])
def test_errors_cover_what_more_letters_change(width: int) -> None:
    model = model_of(cp(order=2), "A-B-C-D-E")
    numbers = {**RECTANGULAR, "H": Fraction(width)}
    few, many = (free_curve(model, numbers, letters=letters) for letters in (6, 9))
    start, stop = few.domain.start, few.domain.stop
    assert many.domain.stop >= stop
    times = np.linspace(0.99 * max(start, many.domain.start), 0.99 * stop, 41)
    change = np.abs(few.evaluate(times) - many.evaluate(times))
    assert np.all(change <= few.errors(times) + many.errors(times))


def test_a_regime_is_solved_beyond_its_series() -> None:
    solution = effective_solution(maps(cp(order=2), 8), "A-B-C-D-E")
    assert solution is not None
    assert solution.derivation[-1].title == "Free matrices"
    assert solution.certificate.matched == solution.certificate.compared == tuple(range(9))
    loss = solution.at({"p": 100, "H": 100, "sigma2": Fraction(1, 100), "T": 1})
    assert loss.domain.stop > 0.6
    values = loss(np.array([0.1, 0.5]))
    # From words of 15 letters, in arithmetic of its own.
    assert values == pytest.approx([61.83307356, 23.9420], rel=3e-4)


@pytest.mark.parametrize("regime", ["V4-V7", "V1-V2-V3-V4-V7"])
def test_other_models_have_the_same_potential(regime: str) -> None:
    """With many data an autoencoder is that of the population, and has its solution."""
    solution = effective_solution(maps(autoencoder(data=True), 5), regime)
    assert solution is not None
    assert solution.derivation[-1].title == "Free matrices"
    assert solution.certificate.matched == solution.certificate.compared


def test_few_letters_are_left_to_the_series() -> None:
    problem = cp(order=2, target="teacher")
    model = model_of(problem, "F1")
    rows = [Polynomial.parse("1")] * 6
    assert most_letters(model) < most_letters(model_of(cp(order=2), "A-B"))
    assert free_solution(model, rows, problem="", regime="F1") is None


def test_a_flow_that_starts_otherwise_is_refused() -> None:
    problem = cp(order=2)
    regime_set = maps(problem, 6)
    derived = derive(regime_set, "A-B")
    rows = [*derived.coefficients(5)]
    model = model_of(problem, "A-B")
    assert free_solution(model, rows, problem="", regime="A-B") is not None
    for place in range(1, 6):
        wrong = list(rows)
        wrong[place] = wrong[place] * Fraction(11, 10)
        assert free_solution(model, wrong, problem="", regime="A-B") is None


def chain(hop: float, times: np.ndarray, sites: int = 12) -> np.ndarray:
    """The output of a wide deep linear network of three layers, found by hand.

    Columns of the outer matrices are vectors a and c, with squared length g^2 = H sigma2 at first;
    the inner matrix hops between neighbours on two half lines, that of a and that of c, and gains
    rank one. With f = c W a,

        a' = (1 - f) W^T c,    c' = (1 - f) W a,    W' = (1 - f) c a^T.
    """
    shape = (2, sites)  # the chain, and the place on it; a lives on even places of the first one
    is_right = (np.add.outer(range(2), range(sites)) % 2 == 0).ravel()
    line = np.eye(sites, k=1) + np.eye(sites, k=-1)
    both = np.kron(np.eye(2), hop * line)
    inner = both * np.outer(~is_right, is_right)
    a, c = np.zeros(shape), np.zeros(shape)
    a[0, 0] = c[1, 0] = hop
    start = np.concatenate([a.ravel(), c.ravel(), inner.ravel()])
    size = 2 * sites

    def moved(_: float, state: np.ndarray) -> np.ndarray:
        a, c, W = state[:size], state[size : 2 * size], state[2 * size :].reshape(size, size)
        left = 1 - c @ W @ a
        return left * np.concatenate([W.T @ c, W @ a, np.outer(c, a).ravel()])

    found = solve_ivp(moved, (0, times[-1]), start, t_eval=times, rtol=1e-11, atol=1e-13)
    paths = found.y.T
    return np.array(
        [x[size : 2 * size] @ x[2 * size :].reshape(size, size) @ x[:size] for x in paths]
    )


def test_a_wide_deep_network_learns_by_a_chain() -> None:
    """Axes that do not grow alike: H much larger than p."""
    found = maps(deep_linear(3), 4)
    solved = solution(found, "V1-V2")
    assert solved.certificate.holds and solved.derivation[-1].title == "Free matrices"
    for spread in (Fraction(1, 2), Fraction(2)):
        curve = solved.at({"p": 6, "H": 6000, "sigma2": spread / 6000, "T": 1})
        times = np.linspace(0.0, 3.0, 7)
        expected = 3 * (1 - chain(float(spread) ** 0.5, times)) ** 2
        assert curve(times) == pytest.approx(expected, rel=1e-5, abs=1e-5)
        # Hardly anything is left when it was followed as long as flows are.
        assert curve.domain.stop == np.inf and abs(float(curve(1e6))) < 1e-6
        assert 0 < (curve.error_at([1e6]) or 0.0) < 1e-5


def test_a_wide_flow_that_starts_otherwise_is_refused() -> None:
    derived = derive(maps(deep_linear(3), 4), "V1-V2")
    rows = [*derived.coefficients(4)]
    model = matrix_model(derived)
    assert model is not None and dict(model.orders) == {"p": 1, "H": 2}
    target = Polynomial.parse("1/2*p")
    words = {"problem": "", "regime": "V1-V2", "target": target}
    right = [rows[0] + target, *rows[1:]]
    assert free_solution(model, right, **words) is not None
    for place in range(1, 5):
        wrong = [*right[:place], right[place] * Fraction(11, 10), *right[place + 1 :]]
        assert free_solution(model, wrong, **words) is None


def test_a_trace_that_returns_from_a_large_space_twice_is_not_followed() -> None:
    (outer,) = (m for m in model_of(deep_linear(3), "V1-V2").matrices if m.tensor.name == "W1")
    word = ((0, False), (0, True))
    for number, followed in ((2, True), (3, False)):
        term = TraceTerm(Polynomial.parse("1"), (number * word,))
        orders = (("H", Fraction(2)), ("p", Fraction(1)))
        assert suits(MatrixModel((outer,), (term,), (term,), orders=orders)) is followed
        assert suits(MatrixModel((outer,), (term,), (term,)))


def test_a_heavy_ball_of_two_matrices() -> None:
    """P = tr(X X^T Y Y^T)/2 - tr X^T Y: the leading coefficients, and runs of large matrices."""
    problem = cp(order=2).driven_by(momentum="gamma")
    found = regimes(problem, terms=6)
    regime = max(found, key=lambda regime: regime.dimension)
    solved = solution(found, regime.name)
    assert solved.derivation[-1].title == "Free matrices"
    assert solved.certificate.matched == (0, 2, 3, 4, 5, 6)
    at = {"p": Fraction(100), "H": Fraction(100), "sigma2": Fraction(1, 100), "gamma": Fraction(1)}
    curve = solved.at({**at, "T": Fraction(1)})
    assert curve.domain.stop > 1
    t = np.array([0.25, 0.5, 1.0])
    rng = np.random.default_rng(3)
    start = np.concatenate([rng.standard_normal(20_000) / 10, np.zeros(20_000)])

    def moved(_: float, state: np.ndarray) -> np.ndarray:
        X, Y, *speeds = state.reshape(4, 100, 100)
        rest = X.T @ Y - np.eye(100)
        forces = -Y @ rest.T, -X @ rest
        kicks = [force - speed for force, speed in zip(forces, speeds, strict=True)]
        return np.concatenate([*speeds, *kicks]).ravel()

    run = solve_ivp(moved, (0.0, 1.0), start, t_eval=t, rtol=1e-6)
    losses = [
        np.sum((X.T @ Y - np.eye(100)) ** 2) / 2
        for X, Y, *_ in (state.reshape(4, 100, 100) for state in run.y.T)
    ]
    assert losses == pytest.approx(curve(t), rel=0.03)


def test_a_flow_that_is_too_stiff_ends_its_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is followed for so many steps and no further."""
    model = model_of(cp(order=2), "A-B")
    monkeypatch.setattr("pde.systems.free_flow._MOST_STEPS", 1)
    curve = free_curve(model, RECTANGULAR, letters=5)
    whole = FreeFlow(model, RECTANGULAR, 5).unit
    assert 0 <= -curve.domain.start < 0.1 * whole and 0 <= curve.domain.stop < 0.1 * whole
