"""Flows that are not the gradient flow of the loss, against the independent oracle.

Weight decay, several losses, an observable as confinement, rates, a temperature, the modified flow
of finite steps, and pairs of them: on presets and on a problem file, at tiny sizes.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp

from diagflow.checking.translation import OracleProblem, at_numbers
from diagflow.oracle import OracleLoss, Term, cp_loss_derivatives
from diagflow.oracle_dynamics import Dynamics, moved_moments
from diagrams.engine import ArrayRepresentation, PlainRepresentation, TraceRepresentation
from diagrams.flow import Flow
from expansion.models import cp, deep_linear, mlp_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.series import LossSeries, loss_series
from tests.command import ROOT

SYM = cp(order=2, symmetric=True)

NUMBERS = {
    "lambda": Fraction(2, 3),
    "tau": Fraction(3, 5),
    "eta": Fraction(1, 7),
    "etaU": Fraction(5, 4),
    "etaV": Fraction(1, 3),
    "mu": Fraction(-1, 2),
    "gamma": Fraction(4, 3),
    "c": Fraction(3, 2),
    "y": Fraction(-2, 5),
    "kappa": Fraction(2, 9),
}

TASKS = TomlDocument.parse(
    "tasks.toml",
    """
flow = "2*first + mu*second + 1/3*quartic + lambda*weight-norm"
[axes]
p = "growing"
H = "growing"
N = "growing"
[tensors]
U = { kind = "weight", axes = ["H", "p"], variance = "sigma2", rate = "etaU" }
S = { kind = "weight", axes = ["p", "p"], variance = "s", symmetric = true, rate = "2*etaV/H" }
X = { kind = "gaussian", axes = ["p", "N"], variance = 1 }
[losses.first]
outputs = ["i", "n"]
model = "U[k,i] U[k,j] X[j,n]"
target = "X[i,n]"
normalisation = { N = -1 }
[losses.second]
outputs = ["i", "j"]
model = "S[i,j]"
target = "identity"
[observables.quartic]
formula = "U[k,i] U[k,i] U[k,i] U[k,i]"
normalisation = { H = -1 }
""",
)


def coefficients_agree(
    problem: Problem, sizes: Mapping[str, int], last: int, loss: str | None = None
) -> None:
    values = {name: Fraction(size) for name, size in sizes.items()}
    values |= {name: NUMBERS[name] for name in problem.amplitude_symbols}
    name = loss or problem.loss_name
    series = LossSeries(problem, loss=name)
    expected = OracleProblem(problem, values).coefficients(name, last)
    for s, moments in enumerate(expected):
        assert at_numbers(series[s], values) == moments, f"{problem}, {name}, {sizes}, s={s}"


DRIVES: list[dict[str, Any]] = [
    {"flow": "train + lambda*weight-norm"},
    {"flow": "2*train - 1/3*lambda*weight-norm + alignment"},
    {"flow": "lambda*model-norm"},
    {"temperature": "tau"},
    {"temperature": "1/3"},
    {"implicit": "eta"},
    {"flow": "train + lambda*weight-norm", "temperature": "2*tau"},
    {"flow": "train + weight-norm", "implicit": "eta"},
    {"implicit": "eta", "temperature": "tau"},
    {"momentum": "gamma"},
    {"momentum": "1/2", "flow": "train + lambda*weight-norm"},
    {"momentum": "gamma", "implicit": "eta"},
]


@pytest.mark.parametrize("drive", DRIVES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_symmetric_order_2(drive: dict[str, Any], sizes: tuple[int, int]) -> None:
    p, H = sizes
    coefficients_agree(SYM.driven_by(**drive), {"p": p, "H": H}, 2 if "implicit" in drive else 3)


RATES: list[dict[str, Any]] = [
    {"rates": {"U1": "etaU", "U2": "etaV"}},
    {"rates": {"U1": "etaU", "U2": "etaU"}},
    {"rates": {"U1": "3*etaU/H"}},
    {"rates": {"U1": "etaU"}, "temperature": "tau"},
    {"rates": {"U1": "etaU", "U2": "etaV/H"}, "momentum": "gamma/p"},
    {"rates": {"U1": "etaU/p", "U2": 2}, "implicit": "eta"},
    {"rates": {"U2": "1/2"}, "flow": "train + lambda*weight-norm", "temperature": "tau/H"},
]


@pytest.mark.parametrize("drive", RATES, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 2)])
def test_rates_of_the_asymmetric_order_2(drive: dict[str, Any], sizes: tuple[int, int]) -> None:
    p, H = sizes
    problem = cp(order=2).driven_by(**drive)
    coefficients_agree(problem, {"p": p, "H": H}, 1 if "implicit" in drive else 3)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2)])
def test_order_3(symmetric: bool, sizes: tuple[int, int]) -> None:
    p, H = sizes
    problem = cp(order=3, symmetric=symmetric)
    weight = problem.weights[0].name
    for drive in (
        {"flow": "train + lambda*weight-norm", "rates": {weight: "etaU"}},
        {"temperature": "tau", "rates": {weight: "etaU"}},
    ):
        coefficients_agree(problem.driven_by(**drive), {"p": p, "H": H}, 2)  # type: ignore[arg-type]


def test_deep_linear_with_a_temperature() -> None:
    problem = deep_linear(3).driven_by(rates={"W2": "etaU"}, temperature="tau")
    coefficients_agree(problem, {"p": 1, "H": 1}, 3)
    coefficients_agree(problem, {"p": 2, "H": 1}, 2)


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize(
    "drive",
    [
        {"flow": "train + lambda*weight-norm"},
        {"flow": "1/2*train + mu*population", "temperature": "tau"},
        {"temperature": "tau", "rates": {"W": "etaU/N"}},
        {"momentum": "gamma"},
    ],
    ids=str,
)
def test_normalised_losses(loss: str, drive: dict[str, Any]) -> None:
    problem = tied_autoencoder(data=True).driven_by(**drive)
    for sizes in ({"p": 1, "H": 1, "N": 2}, {"p": 1, "H": 2, "N": 1}, {"p": 2, "H": 1, "N": 1}):
        coefficients_agree(problem, sizes, 2, loss)


@pytest.mark.parametrize("loss", ["first", "second"])
@pytest.mark.parametrize("temperature", ["", "tau"])
def test_a_problem_file_of_two_tasks(loss: str, temperature: str) -> None:
    problem = read_problem(TASKS)
    assert problem.loss_name == "first" and not problem.drive.is_plain
    drive = problem.drive
    problem = problem.driven_by(drive.flow, rates=dict(drive.rates), temperature=temperature or "")
    for sizes in ({"p": 1, "H": 2, "N": 3}, {"p": 2, "H": 1, "N": 1}):
        coefficients_agree(problem, sizes, 1 if sizes["p"] == 2 else 2, loss)


def test_the_example_of_another_drive() -> None:
    """The page shows it as it is, and the oracle finds its coefficients."""
    path = ROOT / "examples" / "driven.toml"
    page = (ROOT / "docs" / "how-to" / "drive-the-weights.md").read_text(encoding="utf-8")
    assert f"```toml\n{path.read_text(encoding='utf-8')}```" in page
    problem = read_problem_file(path)
    for sizes in ({"p": 1, "H": 2}, {"p": 2, "H": 1}):
        coefficients_agree(problem, sizes, 2)


def test_linear_networks_with_rates() -> None:
    for depth, wide in ((2, False), (3, False), (2, True)):
        problem = mlp_linear(depth, wide_ends=wide)
        sizes = {"H": 2, "p": 1} if wide else {"H": 2}
        coefficients_agree(problem, sizes, 2)
        coefficients_agree(problem.driven_by(rates={"W1": "etaU/H"}), sizes, 2)


def test_a_hand_made_oracle_of_weight_decay() -> None:
    """Without the translation: written by hand in the words of the oracle."""
    model = (Term(1, (("U", "ki"), ("U", "kj")), "ij"),)
    loss = OracleLoss(model, (Term(1, (), "ii"),))
    lam = NUMBERS["lambda"]
    dynamics = Dynamics(potential=((Fraction(1), loss), (lam, "weight-norm")))
    expected = moved_moments(loss, dynamics, {"i": 2, "j": 2, "k": 1}, 3)
    series = loss_series(SYM.driven_by("train + lambda*weight-norm"))
    for s in range(4):
        values = {"p": Fraction(2), "H": Fraction(1), "lambda": lam}
        assert at_numbers(series[s], values) == expected[s]


def test_the_dynamics_without_anything_are_the_plain_flow() -> None:
    model = (Term(1, (("U", "ki"), ("U", "kj")), "ij"),)
    loss = OracleLoss(model, (Term(1, (), "ii"),))
    dynamics = Dynamics(potential=((Fraction(1), loss),))
    sizes = {"i": 2, "j": 2, "k": 1}
    plain = cp_loss_derivatives(2, symmetric=True, target="identity", p=2, H=1, terms=3)
    assert moved_moments(loss, dynamics, sizes, 3) == plain


STEPS: list[dict[str, Any]] = [
    {"step": "eta"},
    {"step": "eta/p", "flow": "train + lambda*weight-norm"},
    {"step": "eta", "flow": "train - weight-norm", "rates": {"U": "etaU"}},
    {"step": "eta", "implicit": "kappa"},
    {"step": "eta", "implicit": "kappa", "flow": "train + lambda*weight-norm"},
]


@pytest.mark.parametrize("drive", STEPS, ids=str)
@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 2)])
def test_a_step_of_the_symmetric_order_2(drive: dict[str, Any], sizes: tuple[int, int]) -> None:
    p, H = sizes
    coefficients_agree(SYM.driven_by(**drive), {"p": p, "H": H}, 1)


def test_steps_with_rates_data_and_order_3() -> None:
    untied = cp(order=2).driven_by(rates={"U1": "etaU/H"}, step="eta")
    coefficients_agree(untied, {"p": 1, "H": 2}, 1)
    data = tied_autoencoder(data=True).driven_by(step="2*eta")
    for loss in ("train", "population"):
        coefficients_agree(data, {"p": 1, "H": 1, "N": 2}, 1, loss)
    coefficients_agree(cp(order=3, symmetric=True).driven_by(step="eta"), {"p": 1, "H": 2}, 1)
    tasks = read_problem(TASKS)
    stepping = tasks.driven_by(tasks.drive.flow, rates=dict(tasks.drive.rates), step="eta")
    coefficients_agree(stepping, {"p": 1, "H": 1, "N": 2}, 1, "second")


ONE_PASS = read_problem_file(ROOT / "examples" / "one-pass.toml")


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize("sizes", [{"p": 1, "N": 2}, {"p": 2, "N": 1}], ids=str)
def test_one_pass_of_stochastic_descent(loss: str, sizes: dict[str, int]) -> None:
    assert ONE_PASS.drive.resample == ("x", "xi")
    coefficients_agree(ONE_PASS, sizes, 2, loss)


@pytest.mark.parametrize("loss", ["train", "population"])
def test_a_batch_for_every_step_of_the_autoencoder(loss: str) -> None:
    problem = tied_autoencoder(data=True).driven_by(step="eta", resample=["X"])
    for sizes in ({"p": 1, "H": 1, "N": 2}, {"p": 1, "H": 2, "N": 1}):
        coefficients_agree(problem, sizes, 1, loss)


def test_one_pass_and_full_batches_differ() -> None:
    """The batch of a step is seen again by full-batch descent only; the first step is the same."""
    plain = ONE_PASS.driven_by("train", step="eta")
    for loss, step, same in (
        ("population", 1, True),
        ("train", 1, False),
        ("population", 2, False),
    ):
        one, other = (loss_series(p, loss=loss)[step] for p in (ONE_PASS, plain))
        assert (one == other) is same


def test_the_recursion_of_least_mean_squares() -> None:
    """e = E|w - v|^2/2 obeys e' = q e + eta^2 p/(8 N), q = 1 - 2 eta + eta^2 (1 + (p + 1)/N)."""
    series = loss_series(ONE_PASS, loss="population")
    factor = Polynomial.parse("1 - 2*eta + eta**2 + eta**2*N**-1 + p*N**-1*eta**2")
    noise = Polynomial.parse("1/8*p*N**-1*eta**2")
    assert series[0] == Polynomial.parse("1/2*p*sigma2 + 1/2*p*s")
    for k in range(3):
        assert series[k + 1] == series[k] * factor + noise


THREE_TOGETHER: list[dict[str, Any]] = [
    {"temperature": "tau", "implicit": "kappa", "rates": {"U1": "etaU"}},
    {"momentum": "gamma", "implicit": "kappa", "rates": {"U1": "etaU"}},
    {"momentum": "gamma", "flow": "train + lambda*weight-norm", "rates": {"U2": "etaV"}},
]


@pytest.mark.parametrize("drive", THREE_TOGETHER, ids=str)
@pytest.mark.parametrize("flow", ["train", "train + lambda*weight-norm"])
def test_three_generators_of_the_asymmetric_order_2(drive: dict[str, Any], flow: str) -> None:
    problem = cp(order=2).driven_by(**{"flow": flow} | drive)
    coefficients_agree(problem, {"p": 1, "H": 1}, 3 if "momentum" in drive else 2)


FRESH: list[dict[str, Any]] = [
    {"flow": "train + lambda*weight-norm"},
    {"flow": "train", "rates": {"w": "etaU/p"}},
    {"flow": "train + 1/2*population", "rates": {"w": "etaU"}},
    {"flow": "train", "implicit": "kappa"},
]


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize("drive", FRESH, ids=str)
def test_a_fresh_batch_together_with_another_generator(drive: dict[str, Any], loss: str) -> None:
    last = 1 if "implicit" in drive else 2
    for tensors, sizes in ((("x", "xi"), {"p": 1, "N": 2}), (("x",), {"p": 2, "N": 1})):
        problem = ONE_PASS.driven_by(**drive, step="eta", resample=tensors)
        coefficients_agree(problem, sizes, last, loss)


def drawn_from(**law: Any) -> Problem:
    """A masked or weighted regression whose inputs are drawn anew from a law."""
    words = ", ".join(f"{key} = {json.dumps(value)}" for key, value in law.items())
    text = f"""
flow = "train"
step = "eta"
resample = ["x"]
[axes]
p = "growing"
N = "growing"
[tensors]
w = {{ kind = "weight", axes = ["p"], variance = "sigma2" }}
v = {{ kind = "fixed", axes = ["p"], variance = "s" }}
x = {{ kind = "fixed", axes = ["p", "N"], {words} }}
[losses.train]
outputs = ["n"]
model = "w[i] x[i,n]"
target = "v[i] x[i,n]"
normalisation = {{ N = -1 }}
[losses.population]
outputs = ["i"]
model = "w[i]"
target = "v[i]"
"""
    return read_problem(TomlDocument.parse("drawn.toml", text))


LAWS: list[dict[str, Any]] = [
    {"law": "rademacher", "variance": 1},
    {"law": "uniform", "variance": "2*kappa", "mean": "-mu"},
    {"law": "bernoulli", "probability": "kappa"},
    {"law": "gaussian", "variance": "kappa", "mean": "mu"},
]


@pytest.mark.parametrize("loss", ["train", "population"])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_fresh_batch_from_any_law(law: dict[str, Any], loss: str) -> None:
    problem = drawn_from(**law)
    for sizes in ({"p": 1, "N": 2}, {"p": 2, "N": 1}):
        values = {name: Fraction(size) for name, size in sizes.items()}
        values |= {name: NUMBERS[name] for name in ("eta", "kappa", "mu")}
        series = LossSeries(problem, loss=loss)
        for s, moments in enumerate(OracleProblem(problem, values).coefficients(loss, 2)):
            assert at_numbers(series[s], values) == moments


def test_a_batch_of_signs_has_no_fourth_cumulant_to_pay_for() -> None:
    """e' = q e with q = 1 - 2 eta + eta^2 (1 + (p - 1)/N): for Gaussian inputs it is p + 1."""
    series = loss_series(drawn_from(law="rademacher", variance=1), loss="population")
    factor = Polynomial.parse("1 - 2*eta + eta**2 - eta**2*N**-1 + p*N**-1*eta**2")
    assert series[1] == series[0] * factor and series[2] == series[1] * factor


@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 2)])
def test_two_steps_of_the_symmetric_order_2(sizes: tuple[int, int]) -> None:
    p, H = sizes
    coefficients_agree(SYM.driven_by(step="eta"), {"p": p, "H": H}, 2)


def test_two_steps_of_one_weight() -> None:
    """At p = H = 1 a step is w -> w (1 + 2 eta (1 - w^2)), and E[L_2] has 5843 monomials."""
    second = loss_series(SYM.driven_by(step="eta"))[2]
    assert len(second) == 5843
    found: dict[tuple[int, int], Fraction] = {}
    for powers, c in second:
        key = (dict(powers).get("eta", 0), dict(powers).get("sigma2", 0))
        found[key] = found.get(key, Fraction(0)) + c
    eta, w = sp.symbols("eta w")
    moved = sp.Poly(w, w, eta)
    for _ in range(2):
        moved *= 1 + 2 * eta * (1 - moved**2)
    expected = {
        (power, degree // 2): Fraction(int(c)) * int(sp.factorial2(degree - 1)) / 2
        for (degree, power), c in ((1 - moved**2) ** 2).terms()
    }
    assert {key: c for key, c in found.items() if c} == expected


# --- check values ---------------------------------------------------------------------------------


def test_weight_decay_of_the_symmetric_order_2() -> None:
    decayed = loss_series(SYM.driven_by("train + lambda*weight-norm"))
    expected = Polynomial.parse(
        "2*p*H*sigma2*lambda - 2*p**2*H*sigma2**2*lambda - 2*p*H**2*sigma2**2*lambda"
        " - 2*p*H*sigma2**2*lambda"
    )
    assert decayed[1] - loss_series(SYM)[1] == expected
    assert decayed[0] == loss_series(SYM)[0]


def test_langevin_dynamics_of_the_symmetric_order_2() -> None:
    noisy = loss_series(SYM.driven_by(temperature="tau"))
    expected = Polynomial.parse(
        "2*p**2*H*sigma2*tau + 2*p*H**2*sigma2*tau + 2*p*H*sigma2*tau - 2*p*H*tau"
    )
    assert noisy[1] - loss_series(SYM)[1] == expected


def test_the_norm_of_an_ornstein_uhlenbeck_process() -> None:
    """E|W|² = pH (σ² e^{-2λt} + (τ/λ)(1 - e^{-2λt})), of which half is followed."""
    problem = cp(order=2, symmetric=True).driven_by("lambda*weight-norm", temperature="tau")
    series = loss_series(problem, loss="weight-norm")
    assert series[0] == Polynomial.parse("1/2*p*H*sigma2")
    for s in range(1, 5):
        decay, noise = (-2) ** s, -((-2) ** s)
        expected = Polynomial.parse(
            f"{decay // 2}*p*H*sigma2*lambda**{s}".replace("+-", "-")
        ) + Polynomial.parse(f"{noise // 2}*p*H*tau*lambda**{s - 1}")
        assert series[s] == expected


def test_gradient_descent_of_the_symmetric_order_2() -> None:
    """E[L_1] has 124 monomials; to first order in eta it is L_0 + eta Y_1 of the flow."""
    steps, flow = loss_series(SYM.driven_by(step="eta")), loss_series(SYM)
    assert len(steps[1]) == 124
    for power, expected in ((0, flow[0]), (1, flow[1])):
        part = {m: c for m, c in steps[1] if dict(m).get("eta", 0) == power}
        assert Polynomial(part) == expected * Polynomial.parse(f"eta**{power}")


def test_the_heavy_ball_begins_as_the_flow() -> None:
    """Y_1 = 0, Y_2 = Y_1 of the flow, Y_3 = -gamma Y_1 of the flow."""
    ball, flow = loss_series(SYM.driven_by(momentum="gamma")), loss_series(SYM)
    assert ball[0] == flow[0] and not len(ball[1])
    assert ball[2] == flow[1]
    assert ball[3] == flow[1] * Polynomial.parse("-gamma")


def test_the_modified_flow_agrees_with_a_step_to_second_order() -> None:
    """E[L_1] = Y_0 + eta Y_1 + eta^2 Y_2/2 + O(eta^3) along the flow of L + eta/4 |grad L|^2."""
    step = loss_series(SYM.driven_by(step="eta"))[1]
    modified = loss_series(SYM.driven_by(implicit="eta"))
    eta = Polynomial.parse("eta")
    total = modified[0] + modified[1] * eta + modified[2] * eta * eta * Fraction(1, 2)
    for power in (0, 1, 2):
        one, two = (
            {m: c for m, c in value if dict(m).get("eta", 0) == power} for value in (step, total)
        )
        assert one == two


def test_rates_of_the_asymmetric_order_2_in_all_sizes() -> None:
    series = loss_series(cp(order=2).driven_by(rates={"U1": "etaU", "U2": "etaV"}))
    free = "p**3*H*sigma2**3 + p**2*H**2*sigma2**3 + p**2*H*sigma2**3"
    one = -Polynomial.parse(f"p*H*sigma2 + {free}")
    both = Polynomial.parse("etaU + etaV")
    assert series[1] == one * both


# --- one problem, three representations -----------------------------------------------------------


def test_the_bulk_engine_equals_the_definition() -> None:
    for problem, kind in (
        (cp(order=2).driven_by(rates={"U1": "etaU"}, temperature="tau"), TraceRepresentation),
        (cp(order=3).driven_by(rates={"U1": "etaU"}, temperature="tau/2"), ArrayRepresentation),
        (cp(order=3).driven_by("train + lambda*weight-norm"), ArrayRepresentation),
    ):
        generator, loss = problem.driven.generator, problem.loss
        flow = Flow(loss, generator)
        assert isinstance(flow.representation, kind)
        plain = Flow(loss, generator, PlainRepresentation(flow.representation.blocks))
        value = loss
        for s in range(3):
            assert flow.expectation(s) == plain.expectation(s)
            if s:
                value = generator.applied(value)
        arrays = Flow(loss, generator, ArrayRepresentation(flow.representation.blocks))
        assert arrays.expectation(2) == flow.expectation(2)


def test_equal_rates_are_a_factor_of_time() -> None:
    problem = cp(order=3).driven_by(rates=dict.fromkeys(("U1", "U2", "U3"), "eta"))
    assert not problem.driven.generator.rates
    assert loss_series(problem)[2] == loss_series(cp(order=3))[2] * Polynomial.parse("eta**2")


def test_followed_beside_what_drives() -> None:
    problem = two_layer(degree=2).driven_by("population + lambda*weight-norm")
    series = loss_series(problem, loss="weight-norm")
    plain = loss_series(two_layer(degree=2), loss="weight-norm")
    decay = series[1] - plain[1]
    assert decay == Polynomial.parse("-H*sigma2*lambda - p*H*sigma2*lambda")
