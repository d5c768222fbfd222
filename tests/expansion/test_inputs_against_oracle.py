"""Products as variances, isometries and symmetric tensors: the engine against the oracle.

The oracle writes every entry out as a variable: the diagonal of a symmetric tensor with its own
variance, an isometry as a matrix of zeros and ones, a variance as the number it is at these sizes.
Files and Python say the same.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from diagflow.checking.translation import OracleProblem, at_numbers
from diagflow.oracle import Term, format_moments, loss_derivatives
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem
from expansion.problem_files.toml_document import TomlDocument
from expansion.series import LossSeries
from expansion.series_exponents import SeriesExponents
from expansion.series_store import series_key

AXES = (
    'axes = {{ p = "growing", n = "growing", H = "growing", r = "growing", two = 2, three = 3 }}\n'
)
FILE = AXES + "{tensors}\n[losses.train]\noutputs = {outputs}\nmodel = {model}\ntarget = {target}\n"
WEIGHT = (
    '[tensors.{name}]\nkind = "weight"\naxes = {axes}\nvariance = {variance}\n'
    "symmetric = {symmetric}\n"
)


def weight(
    name: str, axes: str, variance: str, *, symmetric: bool = False, kind: str = "weight"
) -> str:
    slots = "[" + ", ".join(f'"{axis}"' for axis in axes.split()) + "]"
    text = WEIGHT.format(name=name, axes=slots, variance=variance, symmetric=str(symmetric).lower())
    return text.replace('"weight"', f'"{kind}"')


def isometry(name: str, larger: str, smaller: str) -> str:
    return f'[tensors.{name}]\nkind = "isometry"\naxes = ["{larger}", "{smaller}"]\n'


def problem(tensors: str, model: str, target: str, outputs: str = "ij", more: str = "") -> Problem:
    listed = "[" + ", ".join(f'"{index}"' for index in outputs) + "]"
    text = FILE.format(tensors=tensors, outputs=listed, model=repr(model), target=repr(target))
    return read_problem(TomlDocument.parse("x.toml", more + text))


W, V = weight("W", "H p", '"sigma2"'), weight("V", "H n", '"sigma2"')
S = weight("S", "p p", '"sigma2"', symmetric=True)

PROBLEMS = {
    "variance 1/H": problem(weight("W", "H p", '"1/H"'), "W[k,i] W[k,j]", "identity"),
    "variance 2/(3*p) and a number": problem(
        weight("W", "H p", '"2/(3*p)"') + weight("V", "H n", "2"), "W[k,i] V[k,j]", "zero"
    ),
    "variances of one symbol": problem(
        weight("W", "H p", '"sigma2/3"') + weight("V", "H n", '"2*sigma2"'), "W[k,i] V[k,j]", "0"
    ),
    "variance sigma2/H of order three": problem(
        weight("W", "H p", '"sigma2/H"'), "W[k,i] W[k,j] W[k,l]", "identity", "ijl"
    ),
    "a pinned size in a variance": problem(
        weight("W", "two p", '"1/two"'), "W[k,i] W[k,j]", "identity"
    ),
    "a teacher with a number": problem(
        W + weight("T", "r p", '"1/2"', kind="gaussian"), "W[k,i] W[k,j]", "T[t,i] T[t,j]"
    ),
    "a partial isometry": problem(
        W + V + isometry("E", "p", "r") + isometry("F", "n", "r"), "W[k,i] V[k,j]", "E[i,a] F[j,a]"
    ),
    "a projector": problem(W + isometry("E", "p", "r"), "W[k,i] W[k,j]", "E[i,a] E[j,a]"),
    "a projector of rank two": problem(
        W + isometry("E", "p", "two"), "W[k,i] W[k,j]", "E[i,a] E[j,a] - 1/2 identity"
    ),
    "the first indices in order three": problem(
        W + isometry("E", "p", "r"), "W[k,i] W[k,j] W[k,l]", "E[i,a] E[j,a] E[l,a]", "ijl"
    ),
    "ranks in a chain": problem(
        W + isometry("E", "p", "r") + isometry("F", "r", "two"),
        "W[k,i] W[k,j]",
        "E[i,a] F[a,c] F[b,c] E[j,b] + E[i,a] E[j,a]",
    ),
    "an isometry and a pin": problem(
        W + isometry("E", "p", "r") + '[tensors.e]\nkind = "pin"\naxes = ["p"]\n',
        "W[k,i] W[k,j]",
        "E[i,a] E[j,a] + e[i] e[j]",
    ),
    "a symmetric matrix": problem(S, "S[i,j]", "identity"),
    "its square": problem(S, "S[i,k] S[k,j]", "identity"),
    "its diagonal": problem(S, "S[i,j] S[i,i]", "0"),
    "a quadratic form": problem(
        weight("S", "p p", '"sigma2/p"', symmetric=True) + W, "W[k,i] S[i,j] W[l,j]", "0", "kl"
    ),
    "symmetric noise": problem(
        W + weight("M", "p p", '"1/p"', symmetric=True, kind="gaussian"),
        "W[k,i] W[k,j]",
        "identity + M[i,j]",
    ),
    "a symmetric matrix on a pinned axis": problem(
        weight("S", "two two", '"sigma2"', symmetric=True) + weight("W", "two p", '"tau2"'),
        "S[k,l] W[l,i]",
        "0",
        "ki",
    ),
    "a symmetric tensor of three slots": problem(
        weight("C", "p p p", '"sigma2"', symmetric=True), "C[i,j,l]", "identity", "ijl"
    ),
    "contracted with a vector": problem(
        weight("C", "p p p", '"sigma2"', symmetric=True) + weight("u", "p", '"tau2"'),
        "C[i,j,l] u[l]",
        "identity",
    ),
    "symmetric on the range of an isometry": problem(
        weight("S", "r r", '"1/r"', symmetric=True) + isometry("E", "p", "r"),
        "E[i,a] S[a,b] E[j,b]",
        "identity",
    ),
}
SIZES = [
    {"p": 1, "n": 1, "H": 1, "r": 1},
    {"p": 2, "n": 2, "H": 1, "r": 1},
    {"p": 1, "n": 2, "H": 2, "r": 1},
    {"p": 2, "n": 3, "H": 1, "r": 2},
    {"p": 3, "n": 2, "H": 1, "r": 2},
]


@pytest.mark.parametrize("given", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_against_the_oracle(given: Problem) -> None:
    series = LossSeries(given)
    compared = 0
    for sizes in SIZES:
        values = {name: Fraction(size) for name, size in sizes.items()}
        if any(
            (a.pinned or values[a.name]) > (b.pinned or values[b.name]) for a, b in given.nested
        ):
            continue
        told = OracleProblem(given, values)
        last = min(3, told.reach("train", monomials=100_000))
        for s, exact in enumerate(told.coefficients("train", last) if last >= 0 else []):
            assert at_numbers(series[s], values) == exact
            compared += bool(exact) or s > 0
    assert compared >= 6


def test_the_oracle_knows_symmetric_entries_by_themselves() -> None:
    """f = S at p = 2: S_11 and S_22 of variance 2 v, S_12 twice, all decaying alike."""
    moments = loss_derivatives(
        [Term(1, (("S", "ij"),), "ij")], [], {"i": 2, "j": 2}, 2, {"S": "v"}, symmetric={"S"}
    )
    assert [format_moments(m) for m in moments] == ["3*v", "-6*v", "12*v"]
    with pytest.raises(ValueError, match="symmetric tensor 'S' has the shape"):
        loss_derivatives([Term(1, (("S", "ij"),), "ij")], [], {"i": 2, "j": 1}, 0, symmetric={"S"})


def test_python_says_what_a_file_says() -> None:
    p, H = Axis("p"), Axis("H")
    U = Tensor("U", (H, p), variance=Fraction(1, 2))
    S = Tensor("S", (p, p), variance="sigma2/p", symmetric=True)
    mine = Problem(
        "python",
        model=(Network.einsum("ki,kj->ij", U, U), Network.einsum("ij->ij", S)),
        target=(),
        output_axes=(p, p),
    )
    read = problem(
        weight("U", "H p", '"1/2"') + weight("S", "p p", '"sigma2/p"', symmetric=True),
        "U[k,i] U[k,j] + S[i,j]",
        "zero",
    )
    assert [LossSeries(mine)[s] for s in range(3)] == [LossSeries(read)[s] for s in range(3)]
    assert series_key(mine, "train") == series_key(read, "train")
    assert mine.weight_variances == mine.variance_symbols == ("sigma2",)


def test_keys_of_stored_series_tell_variances_and_symmetries_apart() -> None:
    variances = ['"1"', '"2"', '"1/p"', '"sigma2"', '"2*sigma2"']
    keys = {
        series_key(problem(weight("S", "p p", v, symmetric=symmetric), "S[i,j]", "0"), "train")
        for v in variances
        for symmetric in (False, True)
    }
    assert len(keys) == 10


def test_what_does_not_move_is_told_by_diagrams_and_not_by_symbols() -> None:
    """Without a variance symbol of its own a model term looks like a pure-target term."""
    exponents = SeriesExponents.of_problem(PROBLEMS["variance 1/H"], terms=2)
    assert exponents.symbols == exponents.growing == ("p", "H")
    assert exponents.pure_target == Polynomial.parse("1/2*p")
    whole = LossSeries(PROBLEMS["variance 1/H"])[0]
    assert exponents.coefficients[0] + exponents.pure_target == whole
    shared = problem(
        W + weight("T", "H p", '"sigma2"', kind="gaussian"), "W[k,i] W[k,j]", "T[t,i] T[t,j]"
    )
    still = SeriesExponents.of_problem(shared, terms=0).pure_target
    # E |T^T T|^2 / 2, although T has the variance of the weights.
    assert str(still) == "1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2 + 1/2*p*H*sigma2**2"


@pytest.mark.parametrize("given", [cp(order=3, target="teacher"), tied_autoencoder(data=True)])
def test_the_pure_target_of_presets_is_what_it_was(given: Problem) -> None:
    marked = LossSeries(given.with_target_amplitude("a"))[0]
    weights = set(given.weight_variances)
    still = {m: c for m, c in marked if not weights & {*dict(m)}}
    expected = Polynomial({tuple(x for x in m if x[0] != "a"): c for m, c in still.items()})
    assert SeriesExponents.of_problem(given, terms=1).pure_target == expected


def test_a_problem_knows_its_sizes_and_symbols() -> None:
    given = PROBLEMS["a partial isometry"]
    assert [(small.name, large.name) for small, large in given.nested] == [("r", "n"), ("r", "p")]
    assert given.growing == ("H", "n", "p", "r")
    assert PROBLEMS["a quadratic form"].variance_symbols == ("sigma2",)
    U = Tensor("U", (Axis("p"),), variance="1/two")
    with pytest.raises(
        InvalidInputError, match=r"^tensor U: its variance 1/two names the axis two"
    ):
        Problem(
            "pinned",
            model=(Network.einsum("i,j->ij", U, Tensor("v", (Axis("two", 2),), variance="v")),),
            target=(),
            output_axes=(Axis("p"), Axis("two", 2)),
        )


ERRORS = {
    ("variance", "0.5"): "x.toml, line 5: tensors.U.variance: is 0.5; expected a symbol as",
    ("variance", "true"): "x.toml, line 5: tensors.U.variance: is True; expected",
    ("variance", "0"): "x.toml, line 5: variance '0': is not positive; give a product",
    ("variance", '"-1/p"'): "x.toml, line 5: variance '-1/p': '-' is not understood there; give",
    ("variance", '"1/r"'): "x.toml, line 5: tensors.U.variance: the axis 'r' is in no slot",
    ("symmetric", "1"): "x.toml, line 6: tensors.U.symmetric: is 1; expected true or false",
    (
        "symmetric",
        "true",
    ): "x.toml, line 2: tensor U: a symmetric tensor is Gaussian of mean zero and has two",
}


@pytest.mark.parametrize(("key", "value"), ERRORS)
def test_errors_of_a_file_name_the_line(key: str, value: str) -> None:
    values = {"variance": '"sigma2"', "symmetric": "false"} | {key: value}
    tensor = '[tensors.U]\nkind = "weight"\naxes = ["H", "p"]\n'
    tensor += "".join(f"{name} = {text}\n" for name, text in values.items())
    with pytest.raises(InvalidInputError) as error:
        problem(tensor, "U[k,i] U[k,j]", "0")
    assert str(error.value).startswith(ERRORS[key, value])


@pytest.mark.parametrize("target", ["zero", "0", "0 + zero", "1/2 zero", "zero - 0"])
@pytest.mark.parametrize("outputs", ["ij", "ji"])
def test_zero_is_the_zero_target_on_any_axes(target: str, outputs: str) -> None:
    given = problem(W + V, "W[k,i] V[k,j]", target, outputs)
    assert given.target == ()
    assert given.growing == ("H", "n", "p")
    with pytest.raises(InvalidInputError):
        problem(W + V, "W[k,i] V[k,j]", "identity", outputs)


def test_fixed_kinds_stay_fixed() -> None:
    assert Tensor.isometry(Axis("p"), Axis("r")).kind is Kind.ISOMETRY
    with pytest.raises(InvalidInputError, match="contains the learnable tensor"):
        problem(W, "W[k,i] W[k,j]", "W[k,i] W[k,j]")
