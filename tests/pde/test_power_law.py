"""Power laws and exponentials found in exact numbers, against formulas found otherwise."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from diagrams.errors import InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import cp, tied_autoencoder
from expansion.problem import Problem
from expansion.regimes import regimes
from pde.evolution import LossEvolution
from pde.power_law import power_law_solution, vertex_data
from pde.recurrent_regimes import FirstOrderRegime
from pde.solutions.free_evolution import free_evolution
from pde.solver import CpModel
from pde.solving import solve
from pde.taylor import symbol

AT = {"p": Fraction(7), "H": Fraction(5), "sigma2": Fraction(1, 30), "T": Fraction(2)}
p, H, sigma2, t, T = (symbol(name) for name in ("p", "H", "sigma2", "t", "T"))


def power_law(problem: Problem, name: str, terms: int = 4) -> LossEvolution:
    found = regimes(problem, terms=terms)
    regime = found[name]
    solved = power_law_solution(problem, regime, LeadingSeries(found, regime))
    return replace(solved, positive=True, descending=True).at(AT)


@pytest.mark.parametrize(
    ("problem", "name", "formula", "limit"),
    [
        (cp(order=3), "B", p**3 * H * sigma2**3 / 2 * sympy.exp(-6 * H * sigma2**2 * t / T), 0),
        # The pure target moves by itself, and stands beside what moves.
        (cp(order=3), "C", p / 2 * sympy.exp(-6 * H * sigma2**2 * t / T), 0),
        (
            cp(order=2, symmetric=True),
            "E",
            p / 2 - p * H * sigma2 * sympy.exp(4 * t / T),
            None,
        ),
        (
            cp(order=3),
            "A",
            p**3 * H * sigma2**3 / 2 * (1 + 4 * p**2 * sigma2**2 * t / T) ** sympy.Rational(-3, 2),
            0,
        ),
    ],
    ids=["B", "C", "E", "A"],
)
def test_vertices_that_other_solvers_know(
    problem: Problem, name: str, formula: sympy.Expr, limit: float | None
) -> None:
    mine, other = power_law(problem, name), solve(regimes(problem, terms=4), name, at=AT)
    assert sympy.simplify(mine.expression - formula) == 0
    growing = name == "E"
    times = np.array([0.0, 0.2, 0.5] if growing else [0.0, 0.2, 1.0, 3.0])
    np.testing.assert_allclose(mine(times), other(times), rtol=1e-12)
    assert mine.limit() == limit and mine.limit(past=True) is None
    assert mine.solution.validity.startswith("times before" if growing else "all t >= 0")
    if name == "A":
        pole = -T / (4 * p**2 * sigma2**2)
        exact = pole.subs({symbol(key): sympy.Rational(str(v)) for key, v in AT.items()})
        assert mine.domain.start == pytest.approx(float(exact), rel=1e-14)
        with pytest.raises(InvalidInputError, match="where the sum of the leading terms diverges"):
            mine(float(exact) * 1.01)
    elif growing:
        # p/2 = pHσ² exp(4τ): the loss would be negative beyond.
        end = float(AT["T"]) * np.log(1 / (2 * float(AT["H"] * AT["sigma2"]))) / 4
        assert mine.domain.stop == pytest.approx(end, rel=1e-9)
    else:
        assert np.isinf(mine.domain.start) and np.isinf(mine.domain.stop)


def test_the_numbers_of_a_vertex() -> None:
    found = regimes(cp(order=3), terms=4)
    data = vertex_data(LeadingSeries(found, found["C"]))
    assert data == (
        (("p", 1),),
        (("H", 1), ("sigma2", 2)),
        tuple(Fraction((-6) ** s, 2) for s in range(5)),
    )


@pytest.mark.parametrize("name", ["D", "A-B", "E"])
def test_what_is_not_a_power_law(name: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        power_law(cp(order=3), name)
    assert str(error.value) == (
        f"regime {name}: its leading parts are not single terms c_s m T^s; it is not a power law"
    )


def test_two_numbers_have_to_confirm_the_rates() -> None:
    with pytest.raises(InvalidInputError) as error:
        power_law(tied_autoencoder(data=True), "small-data & mean-field & free", terms=3)
    assert str(error.value) == (
        "power law: needs 5 numbers that are not zero, there are 4; expand more terms"
    )


def test_a_vertex_whose_numbers_obey_no_recurrence_of_first_order() -> None:
    """SYM of order 4, E: -3, -240, -40320, ... is told by two of the five equations."""
    with pytest.raises(InvalidInputError) as error:
        power_law(cp(order=4, symmetric=True), "E")
    message = str(error.value)
    assert message.startswith("recurrence (s)*C[s] + (8 - 88*s)*C[s - 1] = 0: fails in 2 of 5")
    assert message.endswith("; it is not a power law")


def test_a_recurrence_of_another_regime_is_refused() -> None:
    found = regimes(cp(order=3), terms=4)
    face = free_evolution(CpModel(order=3, symmetric=False, target="identity"), "A")
    assert isinstance(face, FirstOrderRegime)
    with pytest.raises(InvalidInputError) as error:
        face.numbers(LeadingSeries(found, found["B"]))
    assert str(error.value) == (
        "regime B: its coefficient Y_1 has other leading terms than those of its recurrence; "
        "choose another solver"
    )
