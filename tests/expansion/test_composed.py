"""Quantities that are made of others: against the oracle, by algebra, and what is refused."""

from fractions import Fraction

import pytest

from diagflow.checking.translation import OracleProblem, at_numbers
from diagrams.errors import InvalidInputError
from expansion.expressions import is_plain_formula, read_expression
from expansion.models import cp, mlp_linear, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.recognition import recognised
from expansion.regimes import regimes
from expansion.series import LossSeries, loss_series
from expansion.series_store import series_key

SYM = cp(order=2, symmetric=True)
NET = mlp_linear(2)

TEXT = """
flow = "train + mu*square"
amplitudes = ["mu"]
[axes]
p = "growing"
H = "growing"
[tensors]
U = { kind = "weight", axes = ["H", "p"], variance = "sigma2", multiplier = "2" }
S = { kind = "weight", axes = ["p", "p"], variance = "s", symmetric = true }
[losses.train]
outputs = ["i", "j"]
model = "U[k,i] U[k,j] + S[i,j]"
target = "identity"
[observables.square]
formula = "1/2*weight-norm**2/1"
[observables.slope]
formula = "merge(train, weight-norm) - mu*f[i,j] S[i,j]"
normalisation = { p = -1 }
[observables.both]
formula = "slope*weight-norm + 1/3*U[k,i] U[k,i]"
""".replace("**2/1", "**2")


def agree(problem: Problem, sizes: dict[str, int], name: str, last: int) -> None:
    values = {n: Fraction(size) for n, size in sizes.items()}
    values |= {n: Fraction(k + 2, 5) for k, n in enumerate(problem.amplitude_symbols)}
    series = loss_series(problem, loss=name)
    for s, moments in enumerate(OracleProblem(problem, values).coefficients(name, last)):
        assert at_numbers(series[s], values) == moments, (name, s)


@pytest.mark.parametrize(
    "name",
    [
        "train**2",
        "train*weight-norm - 1/2*H*alignment",
        "merge(train, train)",
        "merge(train*weight-norm, model-norm + loss)",
        "(train - weight-norm)**2 * 2",
        "f[i,j] f[j,k] f[k,i]",
        "f[i,j] U[k,i] U[k,j] - 3*f[i,i]",
        "p*f[i,i]*f[j,j] + alignment",
    ],
)
def test_expressions_of_a_preset(name: str) -> None:
    agree(SYM, {"p": 2, "H": 1}, name, 2)
    agree(SYM, {"p": 1, "H": 2}, name, 2)


@pytest.mark.parametrize(
    "name", ["f*f", "ntk", "ntk**2", "f*merge(ntk, f)", "merge(merge(ntk, f), f)", "c*ntk*f**2"]
)
def test_correlators_of_a_network(name: str) -> None:
    agree(NET, {"H": 2}, name, 2)
    agree(mlp_linear(3), {"H": 2}, name, 0)


def test_expressions_under_other_drives() -> None:
    for drive in ({"temperature": "tau"}, {"rates": {"U": "eta"}}, {"momentum": "gamma"}):
        agree(SYM.driven_by(**drive), {"p": 1, "H": 2}, "train**2", 3)  # type: ignore[arg-type]
    agree(SYM.driven_by(step="eta"), {"p": 1, "H": 1}, "train**2", 1)
    agree(tied_autoencoder(data=True), {"p": 1, "H": 1, "N": 2}, "train*population", 1)


@pytest.mark.parametrize("name", ["square", "slope", "both", "train*slope"])
def test_a_file_of_composed_observables(name: str) -> None:
    """Numbers, symbols, normalisations, multipliers and a symmetric tensor, under their flow."""
    problem = read_problem(TomlDocument.parse("made.toml", TEXT))
    assert problem.drive.flow == "train + mu*square"
    agree(problem, {"p": 2, "H": 1}, name, 1)


def test_what_is_known_of_them_by_algebra() -> None:
    """The slope of the loss, the kernel with indices, the norm of the model."""
    for one, other in (
        ("ntk[i,j,i,j]", "ntk-trace"),
        ("f[i,j] f[i,j]", "model-norm"),
        ("1/2*U[k,i] U[k,i]", "weight-norm"),
        ("f[i,i]", "alignment"),
        ("1/2*model-norm - alignment + 1/2*p", "train"),
    ):
        first, second = loss_series(SYM, loss=one), loss_series(SYM, loss=other)
        assert [first[s] for s in range(3)] == [second[s] for s in range(3)]
    slope = loss_series(SYM, loss="merge(loss, loss)")
    assert [slope[s] * -1 for s in range(2)] == [loss_series(SYM)[s] for s in (1, 2)]
    kernel = loss_series(cp(order=3), loss="ntk[a,b,c,a,b,c]")
    assert kernel[1] == loss_series(cp(order=3), loss="ntk-trace")[1]


def test_the_kernel_at_depth_3() -> None:
    """E[ntk^2] with variance and multiplier one is 9 n^4 + 20 n^3 + 16 n^2 (Dyer, Gur-Ari 2019)."""
    found = loss_series(mlp_linear(3), loss="ntk**2")[0]
    expected = Polynomial.parse("9*H**4 + 20*H**3 + 16*H**2")
    assert found == expected * Polynomial.parse("sigma2**4*c**4")


def test_target_factors_are_counted_in_expressions() -> None:
    """The square of the loss is lazy where half a target remains beside free weights."""
    learning = {r.name: r.learning.value for r in regimes(SYM, loss="train**2", terms=5)}
    vertices = {"A": "free", "B": "free", "C": "lazy", "E": "rich"}
    assert {name: learning[name] for name in vertices} == vertices


def test_keys_and_names() -> None:
    assert series_key(SYM, "train**2") == series_key(SYM, "train*loss") != series_key(SYM, "train")
    assert recognised(SYM) is not None
    assert LossSeries(SYM, loss="train*train").loss == "train*train"


def test_plain_formulas_stay_einsums() -> None:
    assert is_plain_formula("W[k,i] W[k,i]") and is_plain_formula("1/2 a W[i] - W[i] X[i]")
    for text in (
        "ntk",
        "train",
        "2*train - W[i] W[i]",
        "(W[i] W[i])",
        "f[i] f[i]",
        "W[i] W[i]*3**2",
    ):
        assert not is_plain_formula(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("U[k]", "observable 'U[k]': U has 1 indices but needs 2; give one for each"),
        ("train*", "formula 'train*': has the end in column 7; expected a number, a name or"),
        (
            "ntk",
            "observable 'ntk': ntk stands for a model without open indices, and this one has 2; "
            "give them, as ntk[i,j,k,l]",
        ),
        (
            "2*foo",
            "observable '2*foo': 'foo' is no loss, observable or symbol of this problem; use",
        ),
        ("train**9", "formula 'train**9': has '9' in column 8; expected a power from 1 to 8"),
        ("merge(train)", "formula 'merge(train)': has ')' in column 12; expected ,"),
        ("f[i,j] U[i,j]", "observable 'f[i,j] U[i,j]': index 'i' lies on the axes p and H; use"),
        ("V[i,j]", "observable 'V[i,j]': there is no tensor 'V'; use one of U, f, ntk"),
        ("train)", "formula 'train)': has ')' in column 6; expected +, - or the end"),
        ("(" * 30 + "train" + ")" * 30, "formula '((((((((((((((((((((((((((((((': is nested"),
        ("trai", "loss 'trai': cp has no such loss or observable; choose one of train, alignment"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        loss_series(SYM, loss=text)
    assert str(error.value).startswith(message)


def test_the_number_of_products_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expansion.composed.MAXIMAL_DIAGRAMS", 10)
    for text in ("train**3", "merge(train**2, train)"):
        with pytest.raises(InvalidInputError, match="takes more than 10 products of diagrams"):
            loss_series(SYM, loss=text)


def test_errors_in_a_file_point_at_a_line() -> None:
    for old, new, message in (
        (
            "merge(train",
            "merge(trane",
            "line 17: observable 'slope': 'trane' is no",
        ),
        ("slope*weight-norm", "both*train", "line 20: observable 'both': 'both' is no loss"),
    ):
        with pytest.raises(InvalidInputError) as error:
            read_problem(TomlDocument.parse("made.toml", TEXT.replace(old, new)))
        assert str(error.value).startswith("made.toml, " + message), error.value


def test_expressions_are_read_as_written() -> None:
    (one, two) = read_expression(" - 2/3 a*(b + c) b-d**2 + merge( a , b )", names=["b-d"])
    assert (one.coefficient, len(one.parts)) == (Fraction(-2, 3), 3)
    assert (two.coefficient, len(two.parts)) == (1, 1)


def test_nested_powers_are_bounded_and_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expansion.composed.MAXIMAL_SIZE", 50)
    for base in ("p", "train"):
        text = base
        for _ in range(12):
            text = f"({text})**8"
        with pytest.raises(InvalidInputError, match=r"write a shorter|take lower powers"):
            loss_series(SYM, loss=text)
