"""Preset models: which are one and the same, what their options change, and their errors."""

import pytest

from diagrams.errors import InvalidInputError
from expansion.models import (
    MAXIMAL_DEGREE,
    MAXIMAL_DEPTH,
    PRESETS,
    autoencoder,
    cp,
    deep_linear,
    tied_autoencoder,
    two_layer,
)
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import LossSeries, loss_series
from expansion.targets import TARGETS


def coefficients(problem: Problem, last: int) -> list[Polynomial]:
    series = loss_series(problem)
    return [series[s] for s in range(last + 1)]


@pytest.mark.parametrize("target", ["identity", "zero", "spiked", "teacher", "modular-addition"])
def test_models_that_are_the_same_agree_term_by_term(target: str) -> None:
    last = 3
    asymmetric = coefficients(cp(order=2, target=target), last)
    assert coefficients(autoencoder(target=target), last) == asymmetric
    assert coefficients(deep_linear(2, target=target), last) == asymmetric
    symmetric = coefficients(cp(order=2, symmetric=True, target=target), last)
    assert coefficients(tied_autoencoder(target=target), last) == symmetric


def test_with_data_too() -> None:
    for loss in ("train", "population"):
        one = LossSeries(autoencoder(data=True), loss=loss)
        other = LossSeries(deep_linear(2, data=True), loss=loss)
        assert [one[s] for s in range(4)] == [other[s] for s in range(4)]


def test_further_on_for_the_identity() -> None:
    assert coefficients(autoencoder(), 6) == coefficients(cp(order=2), 6)
    assert coefficients(deep_linear(2), 6) == coefficients(cp(order=2), 6)
    assert coefficients(tied_autoencoder(), 6) == coefficients(cp(order=2, symmetric=True), 6)


def test_two_layers_of_degree_one_by_hand() -> None:
    """f(x) = a . W x and F(x) = x_1 + ... + x_p, so L = 1/2 |W^T a - 1|^2.

    T dL/dt = -|W (W^T a - 1)|^2 - |W^T a - 1|^2 |a|^2, averaged with E tr (W W^T)^2 =
    (p^2 H + p H^2 + p H) sigma2^2 and E |a|^4 = (H^2 + 2 H) sigma2^2.
    """
    series = loss_series(two_layer(degree=1))
    assert series[0] == Polynomial.parse("1/2*p + 1/2*p*H*sigma2**2")
    assert series[1] == Polynomial.parse(
        "-2*p*H*sigma2 - p**2*H*sigma2**3 - 2*p*H**2*sigma2**3 - 3*p*H*sigma2**3"
    )


def test_the_large_data_limit_is_the_population() -> None:
    """The terms of order zero in 1/N are those without data, train and population alike."""
    without = coefficients(tied_autoencoder(), 3)
    for loss in ("train", "population"):
        series = LossSeries(tied_autoencoder(data=True), loss=loss)
        for s, expected in enumerate(without):
            kept = {m: c for m, c in series[s] if "N" not in dict(m)}
            assert Polynomial(kept) == expected


def test_losses_and_sizes() -> None:
    data = tied_autoencoder(data=True)
    assert data.losses == ("train", "population")
    assert data.growing == ("H", "N", "p")
    assert data.weight_variances == ("sigma2",)
    assert data.amplitude_symbols == ()
    assert data.with_target_amplitude("beta").amplitude_symbols == ("beta",)
    assert cp(order=3, target="spiked").amplitude_symbols == ("alpha",)
    assert cp(order=3, target="spiked").growing == ("H", "p")
    assert cp(order=3, target="teacher").growing == ("H", "H_teacher", "p")
    assert two_layer().growing == ("H", "p")
    assert two_layer().losses == ("population",)


@pytest.mark.parametrize("name", sorted({*PRESETS} - {"mlp-linear"}))  # which has one datum
@pytest.mark.parametrize("target", TARGETS)
def test_the_power_of_the_target_s_amplitude_counts_its_factors(name: str, target: str) -> None:
    """At amplitude 1 nothing changes, and at 0 it is free evolution."""
    problem, zero = PRESETS[name](target=target), PRESETS[name](target="zero")
    plain, free = loss_series(problem), loss_series(zero)
    marked = loss_series(problem.with_target_amplitude("beta"))
    for s in range(2):
        at_one: dict[tuple[tuple[str, int], ...], object] = {}
        for powers, coefficient in marked[s]:
            rest = tuple(item for item in powers if item[0] != "beta")
            at_one[rest] = at_one.get(rest, 0) + coefficient  # type: ignore[operator]
        assert Polynomial(at_one) == plain[s]  # type: ignore[arg-type]
        assert Polynomial({m: c for m, c in marked[s] if "beta" not in dict(m)}) == free[s]


def test_a_marked_target_with_data() -> None:
    marked = tied_autoencoder(data=True).with_target_amplitude("beta")
    population = LossSeries(marked, loss="population")[0]
    assert str(population).startswith("1/2*p*beta**2 - p*H*sigma2*beta + ")


@pytest.mark.parametrize("depth", [1, 0, MAXIMAL_DEPTH + 1])
def test_a_depth_out_of_reach(depth: int) -> None:
    message = (
        rf"^depth {depth}: a deep linear network has from 2 to 100 weight matrices; give another "
        r"depth$"
    )
    with pytest.raises(InvalidInputError, match=message):
        deep_linear(depth)


@pytest.mark.parametrize("degree", [0, MAXIMAL_DEGREE + 1])
def test_a_degree_out_of_reach(degree: int) -> None:
    message = rf"^degree {degree}: an activation has a degree from 1 to 6; give another degree$"
    with pytest.raises(InvalidInputError, match=message):
        two_layer(degree)
    assert len(two_layer(MAXIMAL_DEGREE).loss) > 3
