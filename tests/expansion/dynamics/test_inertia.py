"""Effective dynamics under momentum: cores with velocities."""

from collections.abc import Mapping
from typing import Any

import pytest
import sympy as sp

from diagrams.generator import Generator, at_rest, velocity
from diagrams.sums import DiagramSum
from expansion.dynamics.averages import Averages
from expansion.dynamics.derivation import derive
from expansion.dynamics.particle import Closure
from expansion.models import cp, mlp_linear, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes, regimes
from expansion.series import loss_series

SYM = cp(order=2, symmetric=True)


def regime_of(found: Regimes, *conditions: str) -> Regime:
    (regime,) = (r for r in found if {str(c) for c in r.conditions} == {*conditions})
    return regime


NORMALISED: list[tuple[Problem, Mapping[str, Any]]] = [
    (SYM, {"momentum": "gamma/p"}),
    (SYM, {"momentum": "2/3"}),
    (cp(order=2), {"momentum": "gamma", "rates": {"U1": "eta/H"}}),
    (tied_autoencoder(data=True), {"momentum": "gamma"}),
    (tied_autoencoder(data=True), {"momentum": "gamma*p/N", "flow": "train + lambda*weight-norm"}),
]


@pytest.mark.parametrize(("problem", "drive"), NORMALISED, ids=str)
def test_the_generator_gives_the_exact_coefficients(
    problem: Problem, drive: Mapping[str, Any]
) -> None:
    """Whatever is taken out of the velocities as a normalisation."""
    driven = problem.driven_by(**drive)
    series = loss_series(driven)
    quantity, dynamics = driven.quantity(driven.loss_name), driven.dynamics
    assert isinstance(dynamics.generator, Generator)
    averages = Averages(dynamics.generator, quantity.diagrams)
    for s in range(4):
        total = Polynomial()
        for diagram, c in quantity.diagrams:
            total += Polynomial(averages.derivatives(diagram, s)[s]) * c
        for powers in (quantity.normalisation, *[dynamics.normalisation] * s):
            total *= Polynomial({powers: 1})
        assert total == series[s], s


def test_velocities_vanish_at_rest() -> None:
    problem = SYM.driven_by(momentum="gamma")
    generator = problem.dynamics.generator
    (weight,) = problem.weights
    first = generator.applied(problem.loss)
    assert len(first) and all(velocity(weight) in diagram.tensors for diagram, _ in first)
    assert at_rest(first) == DiagramSum()
    averages = Averages(generator, problem.loss)
    assert all(averages.mean(diagram) == {} for diagram, _ in first)


def test_wide_weights_are_an_oscillator() -> None:
    """Cores |U|^2, U.V and |V|^2; the coefficients are those of r'' = -gamma r' + 2r(1 - r^2)."""
    found = regimes(SYM.driven_by(momentum="gamma"), terms=5)
    regime = regime_of(found, "H*sigma2 ~ 1", "H/p -> oo", "gamma ~ 1")
    dynamics = derive(found, regime.name)
    assert dynamics.kind is Closure.FINITE and len(dynamics.cores) == 3
    assert dynamics.certificate.matched == (0, 1, 2, 3, 4, 5)
    p, H, sigma2, gamma, r, v = sp.symbols("p H sigma2 gamma r v", positive=True)
    value, expected = (1 - r**2) ** 2 / 2, []
    for _ in range(9):
        start = value.subs(v, 0).subs(r, sp.sqrt(H * sigma2))
        expected.append(sp.expand(p * start))
        value = sp.diff(value, r) * v + sp.diff(value, v) * (-gamma * v + 2 * r * (1 - r**2))
    expected[0] -= p / 2
    for coefficient, other in zip(dynamics.coefficients(8), expected, strict=True):
        assert sp.expand(coefficient.to_sympy() - other) == 0


def test_strong_friction_moves_the_loss_little() -> None:
    """In T = gamma the loss changes by less than itself: its rate of change is followed."""
    found = regimes(SYM.driven_by(momentum="gamma"), terms=5)
    regime = regime_of(found, "H*sigma2 -> oo", "H/p -> oo", "gamma**2/(H*sigma2) -> oo")
    dynamics = derive(found, regime.name, rate_of_change=None)
    assert dynamics.rate_of_change and dynamics.certificate.holds
    assert [str(c) for c in dynamics.loss_coefficients(3)] == [
        "1/2*p*H**2*sigma2**2",
        "0",
        "-4*p*H**3*sigma2**3",
        "4*p*H**3*sigma2**3*gamma",
    ]


def test_untied_weights_and_a_network_have_velocities_too() -> None:
    """Whether cores are numbers, as of small weights, or random, as an output at the start."""
    for problem, terms in ((cp(order=2), 6), (mlp_linear(2), 5)):
        found = regimes(problem.driven_by(momentum="gamma"), terms=terms)
        for regime in found:
            conditions = {str(c) for c in regime.conditions}
            if not regime.dimension and not any("p*H*sigma2**2" in c for c in conditions):
                dynamics = derive(found, regime.name, rate_of_change=None, terms=4)
                certificate = dynamics.certificate
                if conditions & {"p*sigma2 -> 0", "H*sigma2 -> 0", "gamma -> 0"}:
                    # Small weights grow in T = 1: six coefficients do not show it, nor decide T.
                    assert certificate.doubtful == (3, 4, 5, 6), (regime.name, certificate)
                    continue
                assert certificate.holds, (regime.name, certificate)
