"""A problem is recognised by its loss, whatever it, its axes, tensors and variances are called."""

from fractions import Fraction

import pytest

from expansion.models import autoencoder, cp, deep_linear, tied_autoencoder, two_layer
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.recognition import recognised
from expansion.regimes import regimes
from expansion.series import loss_series
from tests.expansion.renamed import SYMBOLS, renamed_toml

COPY = """
family = "a copy of another kind"
flow = "fit"
[axes]
a = "growing"
Width = "growing"
[tensors]
Z = { kind = "weight", axes = ["a", "Width"], variance = "v" }
Y = { kind = "weight", axes = ["Width", "a"], variance = "v" }
B = { kind = "weight", axes = ["a", "Width"], variance = "v" }
I = { kind = "structural", axes = ["a", "a", "a"] }
[losses.fit]
outputs = ["x", "y", "z"]
model = "B[x,k] Y[k,z] Z[y,k]"
target = "1/2 I[x,y,z] + 3/2 I[y,x,z]"
"""

DATA = """
family = "copy with data"
flow = "fit"
[axes]
p = "growing"
Width = "growing"
samples = "growing"
[tensors]
W = { kind = "weight", axes = ["p", "Width"], variance = "tau2" }
D = { kind = "gaussian", axes = ["samples", "p"], variance = 1 }
[losses.fit]
outputs = ["i", "n"]
model = "W[i,k] W[j,k] D[n,j]"
target = "D[n,i]"
normalisation = { samples = -1 }
[losses.everything]
outputs = ["i", "j"]
model = "W[i,k] W[j,k]"
target = "identity"
"""


@pytest.fixture
def read(tmp_path):
    def call(text: str) -> Problem:
        path = tmp_path / "problem.toml"
        path.write_text(text)
        return read_problem_file(path)

    return call


@pytest.mark.parametrize(
    ("problem", "preset", "scale"),
    [
        (cp(order=4, symmetric=True, target="1*identity"), cp(order=4, symmetric=True), 1),
        (cp(order=3, target="identity + zero"), cp(order=3), 1),
        (cp(order=3, target="identity - identity"), cp(order=3, target="zero"), 1),
        (cp(order=3, target="-5/2*identity"), cp(order=3), Fraction(5, 2)),
        (cp(order=3, symmetric=True, target="-2*identity"), cp(order=3, symmetric=True), 2),
        (cp(order=2, target="modular-addition"), cp(order=2), 1),
        (deep_linear(depth=2), cp(order=2), 1),
        (autoencoder(target="2*identity"), cp(order=2), 2),
        (
            tied_autoencoder(data=True, target="3*identity"),
            tied_autoencoder(data=True),
            3,
        ),
    ],
    ids=lambda value: value.title if isinstance(value, Problem) else str(value),
)
def test_same_loss_same_preset(problem, preset, scale) -> None:
    found = recognised(problem)
    assert found is not None
    assert (found.preset, found.scale) == (preset, scale)
    mine, other = loss_series(problem), loss_series(preset)
    for s in range(3):
        assert found.to_preset(mine[s], s) == other[s]
        assert found.from_preset(other[s], s) == mine[s]


def test_a_copy_with_other_names_axes_and_units(read) -> None:
    found = recognised(read(COPY))
    assert found is not None and found.preset == cp(order=3) and found.scale == 2
    assert dict(found.symbols) == {"a": "p", "Width": "H", "v": "sigma2"}
    mine, other = loss_series(read(COPY)), loss_series(cp(order=3))
    for s in range(3):
        assert found.to_preset(mine[s], s) == other[s]


def test_the_losses_are_recognised_too(read) -> None:
    found = recognised(read(DATA))
    assert found is not None and found.preset == tied_autoencoder(data=True)
    assert dict(found.symbols) == {"samples": "N", "Width": "H", "p": "p", "tau2": "sigma2"}
    assert dict(found.losses) == {"fit": "train", "everything": "population"}


def rescaled(preset: Problem, *changes: tuple[str, str]) -> str:
    """A copy of a preset in other units."""
    text = renamed_toml(preset)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


UNITS = {
    "a normalised loss": (
        rescaled(
            cp(order=3), ("[losses.fit]", "[losses.fit]\nnormalisation = { width = -1, a = 2 }")
        ),
        "; the loss is a**2/width times that of the preset",
    ),
    "a number in front of the model": (
        rescaled(cp(order=3, symmetric=True), ('model = "', 'model = "2 ')),
        "; the model is 2 times that of the preset",
    ),
    "symbols in front of model and target": (
        rescaled(
            cp(order=3),
            ("[axes]", 'amplitudes = ["b", "c"]\n[axes]'),
            ('model = "', 'model = "3 b '),
            ('"identity"', '"c c identity"'),
        ),
        "; the loss is c**4 times that of the preset; "
        "the model is 3*b/c**2 times that of the preset",
    ),
    "sums of targets": (
        rescaled(
            cp(order=2, target="spiked"),
            ("identity", "2 identity"),
            ("strength spike", "2 strength spike"),
        ),
        "",
    ),
    "products as variances": (
        rescaled(cp(order=3), ('variance = "w"', 'variance = "2*w/(3*a)"')),
        ", with 2*w/(3*a) for sigma2",
    ),
    "a multiplier": (
        rescaled(
            cp(order=2, symmetric=True),
            ("[axes]", 'amplitudes = ["b"]\n[axes]'),
            ('kind = "weight", ', 'kind = "weight", multiplier = "3*b", '),
        ),
        ", with 9*b**2*t for t, 9*b**2*w for sigma2",
    ),
    "one rate": (
        rescaled(cp(order=3), ('kind = "weight", ', 'kind = "weight", rate = "eta", ')),
        ", eta*t for t",
    ),
    "rates and variances": (
        rescaled(cp(order=2), ('"weight", axes', '"weight", rate = "eta", axes')).replace(
            'B0 = { kind = "weight", rate = "eta", axes = ["width", "a"], variance = "w" }',
            'B0 = { kind = "weight", rate = "4*eta", axes = ["width", "a"], variance = "4*w" }',
        ),
        ", with 2*eta*t for t",
    ),
    "data of another variance, not averaged": (
        rescaled(
            tied_autoencoder(data=True),
            ('variance = "1"', 'variance = "v"'),
            ("normalisation = { samples = -1 }", ""),
        ),
        "samples*t*v for t",
    ),
    "a population loss in other units": (
        rescaled(
            tied_autoencoder(data=True),
            ("[losses.whole]", "[losses.whole]\nnormalisation = { width = -1 }"),
        ),
        "",
    ),
    "sizes as variances": (
        rescaled(cp(order=2), ('variance = "w"', 'variance = "1/a"')),
        ", with 1/a for sigma2",
    ),
}


@pytest.mark.parametrize("name", UNITS)
def test_a_copy_in_other_units(name: str, read) -> None:
    text, words = UNITS[name]
    problem = read(text)
    found = recognised(problem)
    assert found is not None
    assert words in str(found)
    for mine, theirs in found.losses:
        one, other = loss_series(problem, loss=mine), loss_series(found.preset, loss=theirs)
        for s in range(4 if found.units.degree == 2 else 3):
            assert found.from_preset(other[s], s, mine) == one[s]
            if found.units.is_invertible:
                assert found.to_preset(one[s], s, mine) == other[s]
    assert found.units.is_invertible is (name != "sizes as variances")


@pytest.mark.parametrize(
    "name", ["a normalised loss", "a multiplier", "rates and variances", "products as variances"]
)
def test_a_map_in_other_units_has_the_names_of_the_preset(name: str, read) -> None:
    problem = read(UNITS[name][0])
    known = recognised(problem)
    assert known is not None
    mine, other = regimes(problem, terms=4), regimes(known.preset, terms=4)
    assert [regime.name for regime in mine] == [regime.name for regime in other]
    assert [regime.learning for regime in mine] == [regime.learning for regime in other]


@pytest.mark.parametrize(
    "problem",
    [
        cp(order=4, symmetric=True, target="-1*identity"),
        cp(order=3, target="identity + spike"),
    ],
    ids=lambda problem: problem.title,
)
def test_other_losses_are_not(problem: Problem) -> None:
    assert recognised(problem) is None


def test_two_variances_are_not_one(read) -> None:
    assert (
        recognised(
            read(COPY.replace('["Width", "a"], variance = "v"', '["Width", "a"], variance = "w"'))
        )
        is None
    )


COPIES = (
    cp(order=2),
    cp(order=2, symmetric=True),
    cp(order=3, target="zero"),
    cp(order=3, symmetric=True),
    cp(order=4, symmetric=True),
    cp(order=3, target="spiked"),
    cp(order=3, target="modular-addition"),
    cp(order=3, symmetric=True, target="teacher"),
    tied_autoencoder(data=True),
    autoencoder(data=True),
    deep_linear(depth=3),
    deep_linear(depth=3, data=True),
    two_layer(degree=2),
    two_layer(degree=3, target="teacher"),
)


@pytest.mark.parametrize("preset", COPIES, ids=lambda problem: problem.title)
def test_a_preset_under_other_names_is_that_preset(preset: Problem, read) -> None:
    found = recognised(read(renamed_toml(preset)))
    assert found is not None and (found.preset, found.scale) == (preset, 1)
    assert {mine: other for other, mine in SYMBOLS.items()}.items() >= dict(found.symbols).items()


def test_a_map_has_the_names_of_the_preset(read) -> None:
    for preset in (cp(order=2), cp(order=3, symmetric=True), deep_linear(depth=3), two_layer()):
        mine, other = regimes(read(renamed_toml(preset)), terms=4), regimes(preset, terms=4)
        assert [regime.name for regime in mine] == [regime.name for regime in other]
        for regime in mine:
            twin = other[regime.name]
            assert regime.learning is twin.learning
            assert {*regime.natural_time} == {(SYMBOLS[n], k) for n, k in twin.natural_time}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('model = "', 'model = "2 B0[o1,k] B1[o0,k] + 1/2 B0[o0,k] B1[o1,k] + '),
        ('model = "', 'model = "B1[o0,k] B1[o1,k] + '),
        ("B0[o1,k] B1[o0,k]", "B0[o0,k] B0[o1,k] + B0[o1,k] B1[o0,k]"),
        ('variance = "w"', 'variance = "1/width"'),
        ('variance = "w"', 'variance = "2*w"'),
        ('kind = "weight", ', 'kind = "weight", rate = 2, '),
        ('variance = "w"', 'variance = "v"'),
        ('width = "growing"', "width = 7"),
    ],
)
def test_what_is_nearly_a_preset_is_none(old: str, new: str, read) -> None:
    text = renamed_toml(cp(order=2)).replace("identity", "I[o0,o1]")
    text = text.replace(
        "[losses", 'I = { kind = "structural", axes = ["width", "width"] }\n[losses'
    )
    assert recognised(read(text)) is not None
    changed = text.replace(old, new, 1)
    assert changed != text
    assert recognised(read(changed)) is None
