"""Which problems are CP models under another name."""

import pytest

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder
from expansion.problem import Problem
from expansion.regimes import regimes
from pde.solutions import free_evolution
from pde.solver import CpModel, cp_model
from pde.solving import solve


@pytest.mark.parametrize("target", ["identity", "zero"])
def test_linear_autoencoders_are_cp_models_of_order_2(target: str) -> None:
    """Their exact expansions are those of the CP model, and so are their solvers."""
    for make, symmetric in ((autoencoder, False), (tied_autoencoder, True)):
        problem = make(target=target)
        assert cp_model(problem) == CpModel(order=2, symmetric=symmetric, target=target)
        mine = regimes(problem, terms=4)
        other = regimes(cp(order=2, symmetric=symmetric, target=target), terms=4)
        assert mine.exponents.coefficients == other.exponents.coefficients


@pytest.mark.parametrize(
    "problem",
    [autoencoder(data=True), tied_autoencoder(data=True), deep_linear(depth=3)],
    ids=lambda problem: problem.title,
)
def test_other_problems_are_not(problem: Problem) -> None:
    assert cp_model(problem) is None


def test_free_evolution_is_of_the_targets_it_knows() -> None:
    assert free_evolution.free_evolution(CpModel(order=2, symmetric=False, target="x"), "A") is None
    found = regimes(cp(order=3), terms=4)
    (solver,) = free_evolution.SOLVERS
    with pytest.raises(InvalidInputError) as error:
        solver.derive(cp(order=3), "C", LeadingSeries(found, found["C"]))
    assert str(error.value) == (
        f"regime C of {cp(order=3).title}: is not free evolution of a CP model; choose another "
        "solver"
    )


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0, -1])
def test_sizes_are_positive_numbers(value: float) -> None:
    found = regimes(cp(order=3), terms=4)
    with pytest.raises(InvalidInputError) as error:
        solve(found, "A", at={"p": value, "H": 1, "sigma2": 1})
    assert str(error.value) == f"p = {value}: must be a positive number; give one above 0"
