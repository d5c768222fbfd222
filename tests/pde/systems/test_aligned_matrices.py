"""Aligned matrices against exact coefficients, known closed forms and the flow of random ones."""

from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from expansion.dynamics.aligned import AlignedTerm, aligned_model
from expansion.dynamics.derivation import derive
from expansion.models import autoencoder, cp, tied_autoencoder
from expansion.problem_files.problem_file import read_problem_file, read_problem_stream
from expansion.regimes import regimes
from pde.effective import effective_answer
from pde.evolution import Method
from pde.solving import solution
from pde.systems import aligned_matrices
from pde.systems.aligned_matrices import aligned_curve, aligned_solution

EXAMPLES = Path(__file__).parents[3] / "examples"

TWO_STARTS = """
[axes]
p = "growing"
H = "growing"
[tensors]
U = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
V = { kind = "weight", axes = ["H", "p"], variance = "tau2" }
[losses.train]
outputs = ["i", "j"]
model = "U[k,i] V[k,j]"
target = "identity"
"""


def title(solved) -> str:
    return solved.derivation[-1].title


@pytest.mark.parametrize(
    ("problem", "regime"),
    [
        (cp(order=2, target="teacher"), "V1-V3"),
        (cp(order=2, target="teacher"), "V1-V5"),
        (cp(order=2, target="teacher"), "V1-V3-V5"),
        (cp(order=2, symmetric=True, target="teacher"), "V1-V2-V3"),
        (autoencoder(data=True), "V3-V8"),
        (autoencoder(data=True), "V5-V8"),
        (autoencoder(data=True), "V1-V3-V5-V8"),
        (read_problem_stream(BytesIO(TWO_STARTS.encode())), "V1-V3-V5-V9"),
        (read_problem_file(EXAMPLES / "symmetric_noise.toml"), "V3-V5"),
    ],
)
def test_regimes_that_no_hierarchy_closes(problem, regime) -> None:
    solved = solution(regimes(problem), regime)
    assert title(solved) == "Aligned matrices" and solved.method is Method.MOMENTS
    assert solved.certificate.matched == solved.certificate.compared
    assert len(solved.certificate.compared) >= 7


@pytest.mark.parametrize("regime", ["mean-field", "mean-field & free"])
def test_the_tied_autoencoder_on_data_is_found_again(regime) -> None:
    """Its closed form is an average over the same eigenvalues."""
    regime_set = regimes(tied_autoencoder(data=True), terms=4)
    known = solution(regime_set, regime)
    model = aligned_model(derive(regime_set, regime))
    assert model is not None
    pure = Fraction(30 if regime == "mean-field" else 0)
    at = {"p": 60, "H": 9000, "N": 45, "sigma2": Fraction(1, 36000), "T": 1}
    numbers = {name: Fraction(value) for name, value in at.items()}
    curve = aligned_curve(model, numbers, target=pure)
    times = np.array([0.0, 0.05, 0.2, 0.3])
    np.testing.assert_allclose(curve.evaluate(times), known.at(numbers)(times), rtol=1e-9)
    rows = aligned_solution(model, problem="", regime=regime).coefficients(5)
    assert rows[1:] == known.coefficients(5)[1:]


def flow_of_gram_matrices(target: np.ndarray, kappa: float, times: np.ndarray) -> np.ndarray:
    """½|M - F|² for F = UᵀV, infinitely many rows, from UᵀU = VᵀV = κ and F = 0."""
    n = len(target)

    def rate(_: float, state: np.ndarray) -> np.ndarray:
        K, F, L = state.reshape(3, n, n)
        rest = target - F
        return np.array(
            [rest @ F.T + F @ rest.T, K @ rest + rest @ L, rest.T @ F + F.T @ rest]
        ).ravel()

    start = np.array([kappa * np.eye(n), np.zeros((n, n)), kappa * np.eye(n)]).ravel()
    found = solve_ivp(rate, (0, times[-1]), start, t_eval=times, rtol=1e-8, atol=1e-8)
    return np.array([np.sum((target - F) ** 2) / 2 for F in found.y.T.reshape(-1, 3, n, n)[:, 1]])


def test_a_wide_student_of_a_random_teacher() -> None:
    """CP of order 2, H much larger than p, teachers of many: the flow of random Gram matrices."""
    solved = solution(regimes(cp(order=2, target="teacher"), terms=6), "V1-V3")
    p, kappa = 50, 8.0
    rng = np.random.default_rng(3)
    H, teachers = 10**8, 10**6
    at = {"p": p, "H": H, "H_teacher": teachers, "sigma2": kappa / H, "T": 1}
    at["sigma2_teacher"] = Fraction(1, 1000)
    scale = np.sqrt(teachers) * float(at["sigma2_teacher"])
    times = np.array([0.0, 0.03, 0.1, 0.3, 1.0])
    runs = np.array(
        [
            flow_of_gram_matrices(scale * rng.standard_normal((p, p)), kappa, times)
            for _ in range(12)
        ]
    )
    mean, error = runs.mean(axis=0), runs.std(axis=0) / np.sqrt(len(runs))
    found = solved.at({name: Fraction(value) for name, value in at.items()})(times)
    assert np.all(abs(found - mean) < 4 * error + 0.02 * mean[0] / p)
    assert found[-1] < 0.1 * found[0]


def test_a_wrong_rate_is_refused(monkeypatch) -> None:
    regime_set = regimes(cp(order=2, target="teacher"), terms=5)
    whole = aligned_matrices.coefficients

    def wrong(model):
        first, *others = model.rates
        changed = tuple(AlignedTerm(t.coefficient * 2, t.traces) for t in first)
        return whole(replace(model, rates=(changed, *others)))

    # Of these terms no other test has kept an answer.
    monkeypatch.setattr(aligned_matrices, "coefficients", wrong)
    found = effective_answer(regime_set, "V1-V3").solution
    assert found is None or title(found) != "Aligned matrices"


def test_a_start_at_the_middle_of_a_logistic_curve_is_no_pole() -> None:
    """Every second Taylor coefficient vanishes there; ratios of rounding errors show nothing."""
    model = aligned_model(derive(regimes(tied_autoencoder(data=True), terms=4), "mean-field"))
    at = {"p": 40, "H": 4000, "N": 20, "sigma2": Fraction(1, 8000), "T": 1}
    curve = aligned_curve(model, {name: Fraction(x) for name, x in at.items()}, target=20)
    assert curve.domain.start < -1 and curve.domain.stop > 1


def test_two_matrices_that_start_at_random_are_not_aligned() -> None:
    regime_set = regimes(cp(order=2), terms=4)
    assert aligned_model(derive(regime_set, "A-B-C-D-E")) is None
    assert aligned_model(derive(regime_set, "A-B")) is None
