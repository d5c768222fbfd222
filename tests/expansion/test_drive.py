"""What drives the weights: how it is said, what is refused, and what it must not be taken for."""

from fractions import Fraction
from typing import Any

import pytest

from diagrams.errors import InvalidInputError
from diagrams.merge import merge
from expansion.closest_regime import locate
from expansion.drive import Drive
from expansion.models import cp, mlp_linear, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.recognition import recognised
from expansion.regime_laws import regimes_at, scalings_to_try
from expansion.regimes import regimes
from expansion.series import LossSeries, loss_series
from expansion.series_store import series_key
from pde.solving import solution
from tests.command import ROOT

SYM = cp(order=2, symmetric=True)

FILE = """
[axes]
p = "growing"
H = "growing"
two = 2
[tensors]
U = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
V = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }
[losses.train]
outputs = ["i", "j"]
model = "U[k,i] V[k,j]"
target = "identity"
"""


def read(text: str) -> Problem:
    return read_problem(TomlDocument.parse("x.toml", text))


def test_the_plain_flow_under_any_name_is_the_problem_itself() -> None:
    for flow in ("", "train", "1/2*train + 1/2*train", "train + weight-norm - weight-norm"):
        assert SYM.driven_by(flow) == SYM
    assert SYM.driven_by(rates={"U": 1}) == SYM
    assert SYM.driven_by("2*train") != SYM


def test_series_of_twice_the_loss() -> None:
    twice, plain = loss_series(SYM.driven_by("2*train")), loss_series(SYM)
    assert [twice[s] for s in range(4)] == [plain[s] * 2**s for s in range(4)]


@pytest.mark.parametrize(
    ("drive", "message"),
    [
        ({"flow": "train + lambda"}, "flow 'train + lambda': has a term without a loss or an"),
        ({"flow": "train - train"}, "flow 'train - train': is zero, and nothing moves; combine"),
        ({"flow": "lambda1*train"}, "symbol 'lambda1': ends in a digit; rename it"),
        ({"flow": "train*train"}, "formula 'train*train': has 'train' in column 7"),
        ({"flow": "T*train"}, "symbol T: stands for the inverse learning rate; choose another"),
        ({"rates": {"W": "eta"}}, "rate of W: there is no learnable tensor of this name; give"),
        ({"rates": {"U": "-eta"}}, "rate of U '-eta': '-' is not understood there; give a product"),
        ({"rates": {"U": 0}}, "rate of U 0: is not positive; give a product"),
        ({"rates": {"U": 0.5}}, "rate of U 0.5: is not exact; give a product"),
        ({"temperature": "a b"}, "temperature 'a b': 'b' is not understood there; give a product"),
        ({"temperature": "tau", "step": "eta"}, "temperature and step: are different dynamics;"),
        ({"resample": ["X"]}, "resample X: tensors are drawn anew after steps, and time is"),
        ({"resample": ["U"], "step": "h"}, "resample U: is no fixed random tensor of this"),
        ({"resample": "X", "step": "h"}, "resample: 'X' is no list of names of tensors; give"),
    ],
    ids=str,
)
def test_what_is_refused(drive: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        SYM.driven_by(**drive)
    assert str(error.value).startswith(message)


def test_rates_are_pairs_and_given_once() -> None:
    with pytest.raises(InvalidInputError, match="rate of U: is given twice; give it once"):
        Drive(rates=(("U", "eta"), ("U", "2")))
    with pytest.raises(InvalidInputError, match="rates: 3 are no tensors with rates; give"):
        Drive(rates=3)  # type: ignore[arg-type]


def test_symbols_are_those_of_the_problem() -> None:
    problem = SYM.driven_by("train + lambda*weight-norm", rates={"U": "eta/H"}, temperature="tau")
    assert problem.amplitude_symbols == ("eta", "lambda", "tau")
    assert problem.growing == ("H", "p")


def test_a_normalised_loss_and_an_observable_without_one() -> None:
    """1/N in front of both, and a free node N for the second."""
    driven = tied_autoencoder(data=True).driven_by("train + lambda*weight-norm").driven
    assert driven.normalisation == (("N", -1),)
    (norm,) = (
        d
        for d, _ in driven.generator.potential
        if len(d.factors) == 2 == len(d.tensors) + 1 and "lambda" in {axis.name for axis in d.nodes}
    )
    assert sorted(axis.name for axis in norm.nodes) == ["H", "N", "lambda", "p"]


def test_the_squared_gradient_is_a_merger() -> None:
    generator = SYM.driven_by(implicit="4").driven.generator
    assert generator.potential == SYM.loss + merge(SYM.loss, SYM.loss)


# --- never taken for the plain flow ---------------------------------------------------------------

OTHERS: list[dict[str, Any]] = [
    {"flow": "2*train"},
    {"flow": "train + lambda*weight-norm"},
    {"rates": {"U": "eta"}},
    {"temperature": "tau"},
    {"momentum": "gamma"},
    {"implicit": "eta"},
    {"step": "eta"},
]
DATA = tied_autoencoder(data=True)


@pytest.mark.parametrize("drive", OTHERS, ids=str)
def test_another_flow_is_no_preset_and_has_its_own_records(drive: dict[str, Any]) -> None:
    problem = SYM.driven_by(**drive)
    known = recognised(problem)
    # One rate of all weights is another unit of time, and no other flow.
    assert (known is not None and known.is_rescaled) if "rates" in drive else known is None
    assert recognised(SYM) is not None
    keys = {series_key(other, "train") for other in (SYM, problem)}
    assert len(keys) == 2


def test_keys_of_different_drives_differ() -> None:
    keys = {series_key(SYM.driven_by(**drive), "train") for drive in OTHERS}
    assert len(keys) == len(OTHERS)
    one, two = DATA.driven_by(step="eta"), DATA.driven_by(step="eta", resample=["X"])
    assert series_key(one, "train") != series_key(two, "train")


def test_the_solution_of_twice_the_loss_is_not_that_of_the_loss() -> None:
    """A map of the same shape, whose curves are twice as fast."""
    found = regimes(SYM.driven_by("2*train"), terms=5)
    name = next(r.name for r in found if not r.dimension and dict(r.natural_time).get("p"))
    solved = solution(found, name)
    assert solved.certificate.holds and solved.certificate.matched
    assert not solved.descending


def test_weight_decay_is_solved_with_its_own_certificate() -> None:
    found = regimes(SYM.driven_by("train + lambda*weight-norm"), terms=5)
    for name in ("V5", "V6"):
        assert solution(found, name).certificate.holds


# --- parametrisations -----------------------------------------------------------------------------


def walls(problem: Problem, terms: int) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Where conditions are of order one, with the natural time there."""
    found = {}
    for regime in regimes(problem, terms=terms):
        if regime.dimension == 1:
            (condition,) = (c.powers for c in regime.conditions)
            power = dict(condition)
            found[regime.name] = (
                {name: int(p * 2 / power["y"]) for name, p in power.items()},
                {name: int(p) for name, p in regime.natural_time},
            )
    return found


def test_walls_of_two_layers() -> None:
    """y/(c n s) ~ 1 with T = c y, and y²/(c² n s²) ~ 1 with T = c² n s."""
    assert walls(mlp_linear(2), 6) == {
        "V1-V2": ({"y": 2, "c": -2, "H": -2, "sigma2": -2}, {"c": 1, "y": 1}),
        "V2-V3": ({"y": 2, "c": -2, "H": -1, "sigma2": -2}, {"c": 2, "H": 1, "sigma2": 1}),
    }


def test_the_wall_of_three_layers_is_that_of_mup() -> None:
    """y²/(c² n³ s³) ~ 1: with c = y = 1 and s = 1/n it holds, and T = 1."""
    wall, time = walls(mlp_linear(3), 5)["V1-V2"]
    assert wall == {"y": 2, "c": -2, "H": -3, "sigma2": -3}
    assert time == {"c": 2, "H": 2, "sigma2": 2}


def test_layers_of_width_p() -> None:
    wide = loss_series(mlp_linear(2, wide_ends=True))
    assert wide[0] == Polynomial.parse("1/2*p*y**2 + 1/2*p**2*H*sigma2**2*c**2")
    with pytest.raises(InvalidInputError, match="depth 1: a linear network has from 2"):
        mlp_linear(1)


def test_a_multiplier_is_a_rate_and_a_variance() -> None:
    """c W of rate 1 and variance v is W of rate c² and variance c² v."""
    row = 'V = { kind = "weight", axes = ["H", "p"], variance = "sigma2"'
    multiplied = read(FILE.replace(row, f'{row}, multiplier = "3"'))
    moved = read(
        FILE.replace(
            row, 'V = { kind = "weight", axes = ["H", "p"], variance = "9*sigma2", rate = 9'
        )
    )
    one, two = loss_series(multiplied), loss_series(moved)
    assert [one[s] for s in range(4)] == [two[s] for s in range(4)]


def test_multipliers_with_symbols_multiply_every_occurrence() -> None:
    row = 'V = { kind = "weight", axes = ["H", "p"], variance = "sigma2"'
    problem = read(FILE.replace(row, f'{row}, multiplier = "c/2"'))
    plain = loss_series(read(FILE))[0]
    expected = {}
    for powers, value in plain:
        count = dict(powers).get("sigma2", 0)
        more = Polynomial.parse(f"c**{count}") * Polynomial({powers: value / 2**count})
        expected |= dict(more.terms)
    assert loss_series(problem)[0] == Polynomial(expected)


# --- problem files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[axes]",
            'flow = "train + lambda*decay"\n[axes]',
            "x.toml, line 2: flow: there is no loss 'train + lambda*decay', or it has a term "
            "without one; name one of train, or combine them as 'train + lambda*weight-norm'",
        ),
        (
            "[axes]",
            'temperature = "two*x"\n[axes]',
            None,
        ),
        (
            "[axes]",
            "temperature = 0.5\n[axes]",
            'x.toml, line 2: temperature: is 0.5; expected a symbol as "eta", a product as '
            '"2*eta/H", a fraction as "1/2", or an integer',
        ),
        (
            "[axes]",
            'temperature = "tau"\nmomentum = "gamma"\n[axes]',
            "x.toml, line 2: temperature and momentum: are different dynamics; give one of them",
        ),
        (
            'variance = "sigma2" }\nV',
            'variance = "sigma2", rate = "2 eta" }\nV',
            "x.toml, line 7: rate '2 eta': 'eta' is not understood there; give a product of "
            "numbers and symbols such as 'sigma2', '1/H' or '2*sigma2/(3*p)'",
        ),
        (
            'variance = "sigma2" }\nV',
            'variance = "sigma2", multiplier = "1/H" }\nV',
            "x.toml, line 7: tensors.U.multiplier: divides by H; put its square into the variance "
            "and the rate of U instead, which is the same flow",
        ),
    ],
)
def test_errors_point_at_a_line(old: str, new: str, message: str | None) -> None:
    text = FILE.replace(old, new)
    assert text != FILE
    if message is None:
        assert read(text).drive.temperature == "2*x"
        return
    with pytest.raises(InvalidInputError) as error:
        read(text)
    assert str(error.value) == message


def test_a_file_of_which_an_observable_drives() -> None:
    text = FILE.replace("[axes]", 'flow = "decay"\n[axes]')
    problem = read(text + '[observables.decay]\nformula = "1/2 U[k,i] U[k,i]"\n')
    assert problem.loss_name == "train" and problem.drive.flow == "decay"
    series = LossSeries(problem, loss="decay")
    assert series[1] == Polynomial.parse("-p*H*sigma2")


STEPPED = SYM.driven_by(step="eta")


def test_a_map_of_steps_needs_their_number() -> None:
    with pytest.raises(InvalidInputError, match=r"time is discrete, and the degree .* steps=1"):
        regimes(STEPPED)


def test_every_scaling_picks_what_its_regime_says() -> None:
    """The leading monomials of L_0 and L_1 under many scalings, one by one."""
    found = regimes(STEPPED, terms=1)
    symbols = found.exponents.symbols
    assert set(symbols) == {"p", "H", "sigma2", "eta"} and found.exponents.growing == ("p", "H")
    seen = set()
    for scaling in scalings_to_try(4, growing=found.exponents.growing_places, count=80):
        (regime,) = regimes_at(found, scaling)
        seen.add(regime.name)
        for s, polynomial in enumerate(found.exponents.coefficients):
            orders = {
                point: sum(a * x for a, x in zip(scaling, point, strict=True))
                for point in polynomial.exponents(symbols)
            }
            leading = {point for point, order in orders.items() if order == max(orders.values())}
            assert leading == set(found.face(regime, s).points)
    assert {regime.name for regime in found if not regime.dimension} <= seen


def test_the_edge_of_stability_is_a_wall() -> None:
    """Free weights with H >> p grow in a step if eta H sigma2 is large, and shrink else."""
    found = regimes(STEPPED, terms=1)
    assert all(not regime.natural_time and regime.decided for regime in found)
    wall = {
        str(condition): regime
        for regime in found
        if regime.dimension == 1
        for condition in regime.conditions[:1]
    }["H*sigma2*eta ~ 1"]
    below, beyond = (found[name] for name in wall.vertices)
    assert found.face(below, 1).points == found.face(below, 0).points
    eta = found.exponents.symbols.index("eta")
    assert {point[eta] for point in found.face(beyond, 1).points} == {4}
    assert {point[eta] for point in found.face(wall, 1).points} == {0, 1, 2, 3, 4}


def test_a_map_of_many_steps_of_a_linear_model() -> None:
    """E|w - v|^2 is multiplied by 1 - 2 eta + eta^2 (1 + (p + 1)/N): the walls are its corners."""
    problem = read_problem_file(ROOT / "examples" / "one-pass.toml")
    found = regimes(problem, loss="population", terms=2)
    conditions = {str(c) for regime in found if regime.dimension == 1 for c in regime.conditions}
    assert {"eta ~ 1", "p*eta**2/N ~ 1", "N/p ~ 1"} <= conditions


def test_what_a_map_of_steps_is_not_for() -> None:
    found = regimes(STEPPED, terms=1)
    at = {"p": 8, "H": 8, "sigma2": Fraction(1, 8), "eta": Fraction(1, 10)}
    with pytest.raises(InvalidInputError, match="regime V1: time is discrete, and there is no"):
        solution(found, "V1")
    with pytest.raises(InvalidInputError, match="closest regime: time is discrete"):
        locate(found, at=at)


def test_numbers_for_symbols_commute_with_the_expansion() -> None:
    whole = loss_series(SYM.driven_by("train + lambda*weight-norm", temperature="tau"))[2]
    half = loss_series(SYM.driven_by("train + 1/2*weight-norm", temperature="1/3"))[2]
    values = {"p": Fraction(2), "H": Fraction(3), "sigma2": Fraction(1, 5)}
    assert whole.evaluate(**values, **{"lambda": Fraction(1, 2), "tau": Fraction(1, 3)}) == (
        half.evaluate(**values)
    )
