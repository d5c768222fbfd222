"""The singular values of one large matrix: exact coefficients, closed forms, slopes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from diagrams.counting import narayana
from diagrams.errors import CapacityError
from diagrams.tensors import Axis, Tensor
from expansion.dynamics.derivation import derive
from expansion.dynamics.matrix_model import (
    Inertia,
    Matrix,
    MatrixModel,
    TraceTerm,
    matrix_model,
)
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.regimes import Regime, Regimes, regimes
from pde.solving import solution
from pde.systems.singular_values import (
    SingularFlow,
    coefficients,
    has_one_matrix,
    singular_curve,
    singular_solution,
)

P = Polynomial.parse
SYM = cp(order=2, symmetric=True)
p, H = Axis("p"), Axis("H")
U = Matrix(Tensor("U", (H, p), variance="sigma2"), P("sigma2"), P("1"))
GRAM = ((0, True), (0, False))
AT = {"p": Fraction(8), "H": Fraction(5), "sigma2": Fraction(1, 8), "T": Fraction(1)}
SIZE = 5.0  # p H sigma2

DRIVES = {
    "inertia": ({"momentum": "gamma"}, {"gamma": Fraction(2)}),
    "steps": ({"implicit": "eta"}, {"eta": Fraction(1, 5)}),
    "steps with decay": (
        {"implicit": "eta", "flow": "train + lambda*weight-norm"},
        {"eta": Fraction(1, 5), "lambda": Fraction(1, 2)},
    ),
    "slow inertia": ({"momentum": "gamma", "rates": {"U": "eta"}}, {"gamma": 1, "eta": 2}),
}


def widest(found: Regimes) -> Regime:
    """The regime in which all is of order one."""
    return max(found, key=lambda regime: regime.dimension)


def model_of(problem: Problem, terms: int) -> tuple[Regimes, MatrixModel]:
    found = regimes(problem, terms=terms)
    model = matrix_model(derive(found, widest(found).name, terms=2))
    assert model is not None and has_one_matrix(model)
    return found, model


@pytest.mark.parametrize("name", DRIVES)
def test_regimes_of_other_drives_are_certified(name: str) -> None:
    """All coefficients of the map, those that inertia leaves zero apart."""
    drive, numbers = DRIVES[name]
    found = regimes(SYM.driven_by(**drive), terms=4)  # type: ignore[arg-type]
    solved = solution(found, widest(found).name)
    assert solved.derivation[-1].title == "Singular values"
    assert solved.certificate.holds and solved.certificate.matched[-1] == 4
    assert not solved.certificate.left_out
    evolution = solved.at({**AT, **numbers})
    assert evolution.domain.stop > 1
    first = [float(c.evaluate(**{**AT, **numbers})) for c in islice(solved.taylor(), 8)]
    t = 1e-3
    series = sum(c * t**s / np.prod(range(1, s + 1)) for s, c in enumerate(first))
    assert evolution(t) == pytest.approx(series, rel=1e-7)


def test_the_plain_flow_has_its_closed_form() -> None:
    found, model = model_of(SYM, 4)
    known = solution(found, "A-B-E").at(AT)
    curve = singular_curve(model, AT, target=Fraction(4))
    t = np.array([-0.005, 0.0, 0.1, 0.5, 2.0, 10.0])
    assert curve.evaluate(t) == pytest.approx(known(t), rel=1e-9)
    rows = solution(found, "A-B-E").coefficients(7)
    solved = singular_solution(model, problem="", regime="", target=P("1/2*p"))
    assert solved is not None and solved.coefficients(7) == rows


def test_an_oscillator() -> None:
    """P = tr U U^T/2 under inertia: all values move like a cosine, with friction slower."""
    potential = (TraceTerm(P("1/2"), (GRAM,)),)
    for damping, expected in (
        ("0", lambda t: np.cos(t) ** 2),
        ("2", lambda t: ((1 + t) * np.exp(-t)) ** 2),
    ):
        value = P(damping) if damping != "0" else Polynomial()
        model = MatrixModel((U,), potential, potential, Inertia(P("1"), value))
        curve = singular_curve(model, AT)
        t = np.linspace(0, 6, 13)
        assert curve.evaluate(t) == pytest.approx(SIZE / 2 * expected(t), abs=1e-7 * SIZE)
    names = [str(row) for row in islice(coefficients(model), 3)]
    assert names == ["1/2*p*H*sigma2", "0", "-p*H*sigma2"]


def test_traces_that_are_multiplied() -> None:
    """P = c tr(U U^T)^2, in which the trace z obeys z' = -8 c z^2."""
    potential = (TraceTerm(P("c"), (GRAM, GRAM)),)
    model = MatrixModel((U,), potential, potential)
    numbers = {**AT, "c": Fraction(1, 16)}
    curve = singular_curve(model, numbers)
    t = np.array([0.0, 0.3, 1.0, 20.0])
    z = SIZE / (1 + SIZE * t / 2)
    assert curve.evaluate(t) == pytest.approx(z**2 / 16, rel=1e-8)
    first, second = islice(coefficients(model), 2)
    assert first == P("c*p**2*H**2*sigma2**2") and second == P("-16*c**2*p**3*H**3*sigma2**3")


@pytest.mark.parametrize("inertia", [None, Inertia(P("2"), P("1/3"))])
def test_the_slopes_are_those_of_the_rates(inertia: Inertia | None) -> None:
    potential = (
        TraceTerm(P("-1"), (GRAM,)),
        TraceTerm(P("1/7"), (GRAM, GRAM * 2)),
        TraceTerm(P("1/2"), (GRAM * 3,)),
    )
    flow = SingularFlow(MatrixModel((U,), potential, potential, inertia), AT, 5)
    state = flow.start + 0.1 * np.arange(len(flow.start))
    matrix = flow.slopes(state).matrix
    assert matrix is not None
    for place in range(len(state)):
        moved = np.eye(len(state))[place] * 1e-6
        ahead, behind = (flow.expand(state + sign * moved, 1, 1.0)[0][1] for sign in (1, -1))
        assert matrix[:, place] == pytest.approx((ahead - behind) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("sizes", [(8, 5), (5, 8), (6, 6), (1000, 1)])
def test_the_rule_has_the_moments_of_the_law(sizes: tuple[int, int]) -> None:
    n, m = sizes
    numbers = {**AT, "H": Fraction(n), "p": Fraction(m)}
    output = tuple(TraceTerm(P("1"), (GRAM * k,)) for k in (1, 2, 3, 4))
    for k, term in enumerate(output, start=1):
        flow = SingularFlow(MatrixModel((U,), output, (term,)), numbers, 200)
        exact = sum(narayana(k, j) * n**j * m ** (k + 1 - j) for j in range(1, k + 1)) / 8**k
        assert flow.expand(flow.start, 0, 1.0)[1][0] == pytest.approx(exact, rel=1e-12)


def test_what_is_no_single_matrix() -> None:
    potential = (TraceTerm(P("1"), (GRAM,)),)
    V = replace(U, tensor=Tensor("V", (H, p), variance="sigma2"))
    square = replace(U, tensor=Tensor("U", (p, p), variance="sigma2"))
    still = replace(U, rate=Polynomial())
    for matrices in ((U, V), (square,), (still,)):
        model = MatrixModel(matrices, potential, potential)
        assert singular_solution(model, problem="", regime="") is None


def test_numbers_beyond_double_precision() -> None:
    model = MatrixModel((U,), (TraceTerm(P("1"), (GRAM,)),), (TraceTerm(P("1"), (GRAM,)),))
    with pytest.raises(CapacityError, match="numbers of a matrix"):
        singular_curve(model, {**AT, "sigma2": Fraction(10) ** 400})
