"""Regimes with equal reduced potentials share a solution, which their own coefficients certify."""

from fractions import Fraction

import numpy as np
import pytest

from expansion.models import cp, tied_autoencoder
from expansion.regimes import regimes
from pde.effective import effective_answer
from pde.evolution import Method
from pde.reduced_twins import KNOWN, known_dynamics, shape_of
from pde.solving import solution


@pytest.mark.parametrize(
    ("loss", "regime", "twin"),
    [
        (None, "large-data", "A-B-E"),
        ("population", "large-data", "A-B-E"),
        (None, "large-data & free", "A-B"),
    ],
)
def test_many_data_have_the_potential_of_none(loss, regime, twin) -> None:
    mine = regimes(tied_autoencoder(data=True), loss=loss, terms=3)
    found = effective_answer(mine, regime).solution
    assert found.method is Method.CLOSED_FORM
    assert found.certificate.matched == (0, 1, 2, 3) == found.certificate.compared
    assert [step.title for step in found.derivation][:2] == [
        "Reduced potential",
        "Equal reduced potentials",
    ]
    known = solution(regimes(cp(order=2, symmetric=True), terms=4), twin)
    at = {"p": 30, "H": 40, "N": 900, "sigma2": Fraction(1, 20), "T": 1}
    times = np.linspace(0, 2, 7)
    other = {name: value for name, value in at.items() if name != "N"}
    np.testing.assert_allclose(
        found.curve({n: Fraction(v) for n, v in at.items()}).evaluate(times),
        known.at(other)(times),
        rtol=1e-13,
    )


def test_entries_that_are_signs_have_the_words_of_gaussian_ones() -> None:
    signs = regimes(cp(order=2, symmetric=True).with_law("U", law="rademacher"), terms=4)
    known = regimes(cp(order=2, symmetric=True), terms=4)
    found = solution(signs, "A-B-E")
    assert found.method is Method.CLOSED_FORM
    assert found.formula == solution(known, "A-B-E").formula


def test_a_decay_that_does_not_lead_leaves_a_closed_form() -> None:
    """Where lambda is small the potential is that without decay; where it is not, another one."""
    problem = cp(order=2, symmetric=True).driven_by("train + lambda*weight-norm")
    regime_set = regimes(problem, terms=4)
    shared = [
        regime
        for regime in regime_set
        if any(
            step.title == "Equal reduced potentials"
            for step in effective_answer(regime_set, regime.name).solution.derivation
        )
    ]
    assert [regime.dimension for regime in shared] == [1, 2]
    for regime in shared:
        scaling = dict(zip(regime.symbols, regime.scaling, strict=True))
        assert scaling["lambda"] < max(0, scaling["p"] + scaling["sigma2"])


def test_noise_in_an_equal_potential_is_no_twin() -> None:
    """Temperature moves the cores and is in no potential: the coefficients reject the twin."""
    hot = cp(order=2, symmetric=True).driven_by(temperature="tau")
    regime_set = regimes(hot, terms=4)
    (whole,) = [r for r in regime_set if r.dimension == max(r.dimension for r in regime_set)]
    found = effective_answer(regime_set, whole.name).solution
    assert found is not None and found.certificate.holds
    assert "Equal reduced potentials" not in [step.title for step in found.derivation]


@pytest.mark.parametrize(
    ("known", "name"), [(known, name) for known in KNOWN for name in known.regimes]
)
def test_known_potentials_have_the_shape_at_which_others_are_sorted_out(known, name) -> None:
    problem = known.problem()
    dynamics, _ = known_dynamics(problem, problem.losses[0], name)
    assert shape_of(dynamics) == known.shape


SIGNS_ON_DATA = tied_autoencoder(data=True).with_law("W", law="rademacher")


@pytest.mark.parametrize(
    ("loss", "regime", "method"),
    [
        ("train", "mean-field", Method.CLOSED_FORM),
        ("population", "mean-field & free", Method.CLOSED_FORM),
        ("train", "narrow-latent", Method.CHARACTERISTICS),
        ("population", "narrow-latent & free", Method.CHARACTERISTICS),
        ("train", "small-data", Method.MOMENTS),
        ("train", "small-data & mean-field", Method.CLOSED_FORM),
    ],
)
def test_signs_on_data_share_what_gaussian_entries_have(loss, regime, method) -> None:
    signs = regimes(SIGNS_ON_DATA, loss=loss, terms=4)
    gaussian = regimes(tied_autoencoder(data=True), loss=loss, terms=4)
    found = solution(signs, regime)
    assert found.method is method
    assert "Equal reduced potentials" in [step.title for step in found.derivation]
    at = {"p": 30, "H": 40, "N": 20, "sigma2": Fraction(1, 200), "T": 1}
    numbers = {name: Fraction(value) for name, value in at.items()}
    times = np.linspace(0, 0.1, 5)
    np.testing.assert_allclose(
        found.at(numbers)(times), solution(gaussian, regime).at(numbers)(times), rtol=1e-9
    )


def test_a_decay_that_does_not_lead_leaves_what_is_known_on_data() -> None:
    problem = tied_autoencoder(data=True).driven_by("train + lambda*weight-norm")
    regime_set = regimes(problem, terms=4)
    shared = {
        regime.name: answer.solution.method
        for regime in regime_set
        if regime.dimension <= 1
        and (answer := effective_answer(regime_set, regime.name)).solution is not None
        and any(step.title == "Equal reduced potentials" for step in answer.solution.derivation)
    }
    assert set(shared.values()) == {Method.CLOSED_FORM, Method.CHARACTERISTICS, Method.MOMENTS}
