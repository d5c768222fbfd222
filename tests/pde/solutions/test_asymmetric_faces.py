"""ASYM faces: certificates from the engine, formulas against equations and other routes."""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from diagrams.errors import InvalidInputError
from expansion.models import cp
from pde.evolution import Method
from pde.solutions import (
    asymmetric_mean_field,
    asymmetric_narrow,
    asymmetric_order2,
)

AT = {"p": Fraction(64), "H": Fraction(48), "sigma2": Fraction(1, 50), "T": Fraction(2)}

CASES = [
    *[(asymmetric_order2, 2, face, 7) for face in ("C-D", "E-A", "D", "E", "D-E")],
    *[(asymmetric_mean_field, order, face, 5) for order in (3, 4) for face in ("C-D", "D")],
    *[(asymmetric_narrow, order, face, 5) for order in (3, 4) for face in ("E-A", "E")],
]


@pytest.mark.parametrize(("module", "order", "face", "terms"), CASES)
def test_the_certificate(module, order, face, terms, leading_series, leading_rows) -> None:
    leading = leading_series(order=order, symmetric=False, terms=terms, regime=face)
    problem = leading.regimes.exponents.problem
    (solver,) = module.SOLVERS
    assert solver.applies(problem, face)
    solution = solver.derive(problem, face, leading).certified(leading_rows(leading))
    assert solution.certificate.matched == tuple(range(terms + 1))
    assert all(step.title and step.latex for step in solution.derivation)


@pytest.mark.parametrize("module", [asymmetric_order2, asymmetric_mean_field])
def test_solvers_keep_to_their_regimes(module) -> None:
    (solver,) = module.SOLVERS
    assert not solver.applies(cp(order=2, symmetric=True), "C-D")
    assert not solver.applies(cp(order=3, target="zero"), "C")
    assert not solver.applies(cp(order=2), "A-B-C-D-E")


@pytest.mark.parametrize("face", ["C-D", "E-A", "D", "E", "D-E"])
@pytest.mark.parametrize("sigma2", [Fraction(1, 10**6), Fraction(1, 50), Fraction(3)])
def test_values_against_the_formula_at_many_digits(face: str, sigma2: Fraction) -> None:
    solution = asymmetric_order2.derived_face(cp(order=2), face, None)
    evolution = solution.at(AT | {"sigma2": sigma2})
    start = max(evolution.domain.start, -8.0)
    for t in (0.9 * start, 0.3 * start, 0.0, 1e-8, 1e-3, 0.1, 1.0, 10.0):
        precise = float(evolution.precise(t, 25))
        assert abs(evolution(t) - precise) <= 2e-14 * max(abs(precise), 1e-250) * 10


def test_the_mean_field_solves_its_equations() -> None:
    """f' = 2r(1-f), r' = 2f(1-f), and the loss ½p(1-f)²."""
    evolution = asymmetric_order2.derived_face(cp(order=2), "C-D", None).at(AT)
    kappa = float(AT["H"] * AT["sigma2"])
    times = np.linspace(0, 6, 25)
    path = solve_ivp(
        lambda _, y: [2 * y[1] * (1 - y[0]), 2 * y[0] * (1 - y[0])],
        (0, 3),
        [0.0, kappa],
        t_eval=times / 2,
        rtol=1e-12,
        atol=1e-14,
    )
    assert np.max(np.abs(evolution(times) - 32 * (1 - path.y[0]) ** 2)) < 1e-9


@pytest.mark.parametrize("face", ["C-D", "E-A"])
def test_ascent_ends_where_the_loss_blows_up(face: str) -> None:
    evolution = asymmetric_order2.derived_face(cp(order=2), face, None).at(AT)
    start = evolution.domain.start
    near, nearer = evolution([start * (1 - 1e-6), start * (1 - 5e-7)])
    assert 3.9 < nearer / near < 4.1  # (t - start)^{-2}
    with pytest.raises(InvalidInputError, match="reach infinity"):
        evolution(1.01 * start)


def test_limits() -> None:
    wide, narrow = (
        asymmetric_order2.derived_face(cp(order=2), face, None).at(AT) for face in ("C-D", "E-A")
    )
    assert wide.limit() == 0
    assert wide([1e4])[0] == 0
    assert narrow.limit() == narrow([1e4])[0] == 8


def test_order_2_by_the_moment_hierarchy() -> None:
    """The vector particles of order 2 have the closed forms."""
    for face, rows in (
        ("C-D", asymmetric_mean_field.mean_field_taylor(2)),
        ("E-A", asymmetric_narrow.narrow_latent_taylor(2)),
    ):
        solution = asymmetric_order2.derived_face(cp(order=2), face, None)
        assert solution.coefficients(12) == tuple(islice(rows, 12))


def test_vector_particles_are_given_where_approximants_agree() -> None:
    at = {"p": 64, "H": 20, "sigma2": Fraction(1, 64), "T": 1}
    (solver,) = asymmetric_narrow.SOLVERS
    evolution = solver.derive(cp(order=3), "E-A", None).at(at)
    assert evolution.method is Method.MOMENTS
    assert evolution.domain.start < -0.1
    assert evolution.domain.stop > 1
    with pytest.raises(InvalidInputError, match="disagree by more than"):
        evolution(1e3)


@pytest.mark.slow
def test_few_ranks_against_simulated_rows() -> None:
    """Mean of six runs of gradient flow at p = 64, H = 20; the error is of order 1/p."""
    p, H = 64, 20
    at = {"p": p, "H": H, "sigma2": Fraction(1, 64), "T": 1}
    (solver,) = asymmetric_narrow.SOLVERS
    evolution = solver.derive(cp(order=3), "E-A", None).at(at)
    times = np.array([0.0, 0.2, 0.5, 1.0])
    generator = np.random.default_rng(1)

    def velocity(_, flat):
        u = flat.reshape(3, H, p)
        grams = [x @ x.T for x in u]
        return np.concatenate(
            [(u[c - 2] * u[c - 1] - (grams[c - 2] * grams[c - 1]) @ u[c]).ravel() for c in range(3)]
        )

    def loss(flat):
        u = flat.reshape(3, H, p)
        grams = [x @ x.T for x in u]
        return np.sum(grams[0] * grams[1] * grams[2]) / 2 - np.sum(u[0] * u[1] * u[2]) + p / 2

    runs = []
    for _ in range(6):
        start = generator.normal(size=3 * H * p) / 8
        path = solve_ivp(
            velocity, (0, 1), start, t_eval=times, rtol=1e-6, atol=1e-9, method="DOP853"
        )
        runs.append([loss(flat) for flat in path.y.T])
    assert np.max(np.abs(np.mean(runs, axis=0) / evolution(times) - 1)) < 0.02
