"""The faces of the prism at sizes where their limits are visible: within 1% of L(0)."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from expansion.models import tied_autoencoder
from expansion.regimes import Regimes, regimes
from pde.solving import solve

pytestmark = pytest.mark.slow

LOSSES = ("train", "population")


@pytest.fixture(scope="module")
def prism() -> dict[str, Regimes]:
    problem = tied_autoencoder(data=True)
    return {loss: regimes(problem, loss=loss, terms=3) for loss in LOSSES}


def eigenvalues(p: int, N: int, generator: np.random.Generator) -> np.ndarray:
    """The eigenvalues of XXᵀ/N; by rotation invariance the data may be taken diagonal."""
    X = generator.normal(size=(min(p, N), max(p, N)))
    values = np.linalg.eigvalsh(X @ X.T / N)
    return np.concatenate((np.zeros(p - len(values)), values))


def flow(p: int, H: int, N: int, sigma2: float, times: np.ndarray) -> np.ndarray:
    """Both losses along one run in the eigenbasis of the data."""
    generator = np.random.default_rng(3)
    spectrum = eigenvalues(p, N, generator)
    seen = np.flatnonzero(spectrum)
    start = generator.normal(size=(H, p)) * sigma2**0.5

    def of_weights(_: float, flat: np.ndarray) -> np.ndarray:
        W = flat.reshape(H, p)
        # W M = (W - W A) S + W S (I - A), and only the seen columns of W S differ from zero.
        along = W[:, seen] * spectrum[seen]
        moved = along - (along @ W[:, seen].T) @ W if len(seen) == p else _few(W, along, seen)
        moved[:, seen] += (W[:, seen] - W @ (W.T @ W[:, seen])) * spectrum[seen]
        return np.asarray(moved.ravel())

    def of_squares(_: float, flat: np.ndarray) -> np.ndarray:
        A = flat.reshape(p, p)
        M = -A * spectrum
        M = M + M.T
        M[np.diag_indices(p)] += 2 * spectrum
        half = A @ M
        return np.asarray((half + half.T).ravel())

    wide = p < H
    initial = start.T @ start if wide else start
    path = solve_ivp(
        of_squares if wide else of_weights,
        (0, times[-1]),
        initial.ravel(),
        t_eval=times,
        rtol=1e-5,
        atol=1e-8,
    )
    losses = []
    for flat in path.y.T:
        end = flat.reshape(initial.shape)
        if wide:
            columns = np.sum((np.eye(p) - end) ** 2, axis=0)
        else:
            # Of |(I - A) e_i|² only products of W are needed, not A itself.
            gram = end @ end.T
            columns = 1 - 2 * np.sum(end**2, axis=0) + np.sum(end * (gram @ end), axis=0)
        losses.append([np.sum(columns * spectrum) / 2, np.sum(columns) / 2])
    return np.array(losses)


def _few(W: np.ndarray, along: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """W S (I - A) with few columns of W S."""
    moved = -along @ (W[:, seen].T @ W)
    moved[:, seen] += along
    return moved


@pytest.mark.parametrize(
    ("name", "p", "H", "N", "sigma2", "until"),
    [
        ("large-data", 400, 200, 100_000, Fraction(1, 400), 2.0),
        ("mean-field", 200, 100_000, 100, Fraction(1, 200_000), 2.0),
        ("mean-field", 200, 100_000, 200, Fraction(1, 200_000), 2.0),
        ("mean-field", 200, 100_000, 400, Fraction(1, 200_000), 2.0),
        ("narrow-latent", 4000, 8, 4000, Fraction(1, 4000), 2.0),
        ("small-data", 2000, 2000, 4, Fraction(1, 2000), 0.01),
    ],
)
def test_simulation_within_one_per_cent(
    prism: dict[str, Regimes], name: str, p: int, H: int, N: int, sigma2: Fraction, until: float
) -> None:
    times = np.linspace(0, until, 6)
    run = flow(p, H, N, float(sigma2), times)
    for place, loss in enumerate(LOSSES):
        theory = solve(prism[loss], name, at={"p": p, "H": H, "N": N, "sigma2": sigma2})(times)
        assert np.max(np.abs(run[:, place] - theory)) < 0.01 * p / 2
