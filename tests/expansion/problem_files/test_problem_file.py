"""Problem files: the examples, each against what it should be, and errors that point at a line."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from diagflow.oracle import Term, loss_derivatives
from diagrams.errors import CapacityError, InvalidInputError
from diagrams.variances import Variance
from expansion.models import cp, deep_linear, tied_autoencoder, two_layer
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import MAXIMAL_CHARACTERS, TomlDocument
from expansion.series import LossSeries

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

PRESETS = {
    "cp_order3": cp(order=3),
    "deep_linear": deep_linear(3),
    "modular_addition": cp(order=3, target="modular-addition"),
    "spiked_cp": cp(order=3, symmetric=True, target="spiked"),
    "teacher_student": cp(order=3, symmetric=True, target="teacher"),
    "tied_autoencoder_data": tied_autoencoder(data=True),
    "two_layer": two_layer(2),
}
OTHERS = {
    "driven",
    "low_rank",
    "masked_autoencoder",
    "masked_modular_addition",
    "one-pass",
    "scaled_initialisation",
    "signs_order4",
    "skip_connection",
    "spectrum",
    "symmetric_noise",
}

IDENTITY = (Term(1, (), "ii"),)
TENSOR = (Term(1, (), "iii"),)
AXES = {"i": "p", "j": "p", "m": "p", "k": "H", "l": "H", "a": "q", "b": "N"}
"""The axes of the letters in `OURS`."""

OURS: dict[str, tuple[tuple[Term, ...], tuple[Term, ...], set[str]]] = {
    "coupled_factorisations": (
        (Term(1, (("U", "ki"), ("V", "kj")), "ij"), Term(1, (("V", "ki"), ("Z", "kj")), "ij")),
        IDENTITY,
        set(),
    ),
    "deep_residual": (
        (
            Term(1, (("U", "ki"), ("M", "kl"), ("V", "lj")), "ij"),
            Term(1, (("U", "ki"), ("V", "kj")), "ij"),
        ),
        IDENTITY,
        set(),
    ),
    "gated_autoencoder": (
        (Term(1, (("g", "k"), ("U", "ki"), ("V", "kj")), "ij"),),
        IDENTITY,
        set(),
    ),
    "neurons": (
        (Term(1, (("a", "k"), ("w", "ki"), ("w", "kj")), "ij"),),
        IDENTITY,
        set(),
    ),
    "rank_one": ((Term(1, (("u", "i"), ("v", "j"), ("w", "m")), "ijm"),), TENSOR, set()),
    "rectangular_data": (
        (Term(1, (("W", "ai"), ("X", "ib")), "ab"),),
        (Term(1, (("A", "ai"), ("X", "ib")), "ab"),),
        {"A", "X"},
    ),
    "shared_factor_tensor": (
        (Term(1, (("U", "ki"), ("U", "kj"), ("V", "km")), "ijm"),),
        TENSOR,
        set(),
    ),
    "tucker": ((Term(1, (("G", "kl"), ("U", "ki"), ("U", "lj")), "ij"),), IDENTITY, set()),
    "two_teachers": (
        (Term(1, (("U", "ki"), ("V", "kj")), "ij"),),
        (Term(1, (("A", "im"), ("B", "jm")), "ij"),),
        {"A", "B"},
    ),
    "two_variances": ((Term(1, (("U", "ki"), ("V", "kj")), "ij"),), IDENTITY, set()),
}
"""Models and targets of our own written out, and what does not move."""


def example(name: str) -> Problem:
    return read_problem_file(EXAMPLES / f"{name}.toml")


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {*PRESETS, *OURS} | OTHERS | {
        "quadratic_input"
    }


def test_the_page_shows_an_example_as_it_is() -> None:
    page = (EXAMPLES.parent / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
    shown = page.split("```toml\n")[1].split("```")[0]
    assert shown == (EXAMPLES / "tied_autoencoder_data.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_an_example_is_the_preset_that_it_describes(name: str) -> None:
    """All losses and all named observables, term by term."""
    problem, preset = example(name), PRESETS[name]
    assert problem.losses == preset.losses
    assert problem.growing == preset.growing
    assert problem.amplitude_symbols == preset.amplitude_symbols
    for quantity in preset.quantities:
        mine, given = LossSeries(problem, loss=quantity), LossSeries(preset, loss=quantity)
        assert [mine[s] for s in range(3)] == [given[s] for s in range(3)]


@pytest.mark.parametrize("name", sorted({*PRESETS, *OURS} | OTHERS | {"quadratic_input"}))
def test_all_that_an_example_follows_has_a_series(name: str) -> None:
    problem = example(name)
    marked = problem.with_target_amplitude("beta")
    for quantity in problem.quantities:
        if (name, quantity) == ("rectangular_data", "ntk-trace"):
            # The tangent kernel of a linear model does not move.
            assert not len(LossSeries(problem, loss=quantity)[1])
            continue
        assert len(LossSeries(problem, loss=quantity)[2]) > 0
        assert len(LossSeries(marked, loss=quantity)[1]) > 0


@pytest.mark.parametrize(("p", "H"), [(1, 1), (2, 1), (1, 2)])
def test_a_sum_of_networks_against_the_oracle(p: int, H: int) -> None:
    expected = loss_derivatives(
        [Term(1, (("U", "ki"), ("V", "kj")), "ij"), Term(1, (("S", "ij"),), "ij")],
        [Term(2, (), "ii")],
        {"i": p, "j": p, "k": H},
        3,
        {"S": "tau2"},
    )
    series = LossSeries(example("skip_connection"))
    for s, moments in enumerate(expected):
        found: dict[tuple[tuple[str, int], ...], Fraction] = {}
        for powers, coefficient in series[s]:
            for name, power in powers:
                coefficient *= Fraction({"p": p, "H": H}.get(name, 1)) ** power
            rest = tuple(item for item in powers if item[0] not in ("p", "H"))
            found[rest] = found.get(rest, Fraction(0)) + coefficient
        assert {k: v for k, v in found.items() if v} == moments


def numbers(
    polynomial: Polynomial, sizes: Mapping[str, int]
) -> dict[tuple[tuple[str, int], ...], Fraction]:
    """A polynomial at numbers for its sizes."""
    found: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for powers, coefficient in polynomial:
        for name, power in powers:
            coefficient *= Fraction(sizes.get(name, 1)) ** power
        rest = tuple(item for item in powers if item[0] not in sizes)
        found[rest] = found.get(rest, Fraction(0)) + coefficient
    return {rest: value for rest, value in found.items() if value}


def oracle_variance(text: str) -> tuple[Fraction, tuple[tuple[str, int], ...]]:
    """A variance as the oracle takes it."""
    value = Variance.of(text)
    return value.coefficient, value.powers


@pytest.mark.parametrize(
    "sizes",
    [
        {"p": 1, "H": 1, "q": 1, "N": 1},
        {"p": 2, "H": 1, "q": 1, "N": 1},
        {"p": 1, "H": 2, "q": 2, "N": 2},
    ],
    ids=["ones", "p", "others"],
)
@pytest.mark.parametrize("name", sorted(OURS))
def test_a_problem_of_ours_against_the_oracle(name: str, sizes: dict[str, int]) -> None:
    model, target, fixed = OURS[name]
    problem = example(name)
    tensors = {tensor for diagram, _ in problem.loss for tensor in diagram.tensors}
    written = "".join(at for term in (*model, *target) for _, at in term.factors)
    written += "".join(term.output for term in (*model, *target))
    expected = loss_derivatives(
        model,
        target,
        {letter: sizes[AXES[letter]] for letter in written},
        2,
        {t.name: oracle_variance(t.variance) for t in tensors},
        frozen=fixed,
        prefactor=Fraction(1, 2 * (sizes["N"] if dict(problem.normalisation) else 1)),
    )
    series = LossSeries(problem)
    for s, moments in enumerate(expected):
        whole = Polynomial(moments)
        assert numbers(series[s], sizes) == numbers(whole, sizes)


def test_a_quadratic_network_by_hand() -> None:
    """At p = H = 1 the averaged loss is (3/2) (w^2 - 1)^2."""
    series = LossSeries(example("quadratic_input"))
    assert numbers(series[0], {"p": 1, "H": 1}) == {
        (): Fraction(3, 2),
        (("sigma2", 1),): -3,
        (("sigma2", 2),): Fraction(9, 2),
    }
    assert numbers(series[1], {"p": 1, "H": 1}) == {
        (("sigma2", 1),): -36,
        (("sigma2", 2),): 216,
        (("sigma2", 3),): -540,
    }


def test_the_layers_of_a_deep_network_stay_balanced() -> None:
    """|W1|^2 - |W2|^2 is conserved: the known law of deep linear networks."""
    problem = example("deep_linear")
    first, middle = (LossSeries(problem, loss=name) for name in ("first-layer", "middle-layer"))
    assert first[0] != middle[0]
    for s in range(1, 5):
        assert first[s] == middle[s]
        assert first[s]


# --- errors ---------------------------------------------------------------------------------------

TEXT = """family = "example"
amplitudes = ["alpha"]
[axes]
p = "growing"
N = "growing"
two = 2
[tensors.W]
kind = "weight"
axes = ["two", "p"]
variance = "sigma2"
[tensors]
X = { kind = "gaussian", axes = ["p", "N"], variance = 1 }
[losses.train]
outputs = ["i", "n"]
model = "W[k,i] W[k,j] X[j,n]"
target = "alpha X[i,n]"
normalisation = { N = -1 }
[observables.norm]
formula = "W[k,i] W[k,i]"
"""


def read(text: str) -> Problem:
    return read_problem(TomlDocument.parse("x.toml", text))


def test_the_text_that_the_errors_are_made_of() -> None:
    problem = read(TEXT)
    assert problem.growing == ("N", "p")
    assert str(LossSeries(problem, loss="norm")[0]) == "2*p*sigma2"
    assert str(LossSeries(problem)[0]).startswith("1/2*p*alpha**2 - 2*p*alpha*sigma2")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'kind = "weight"',
            'kind = "weights"',
            "x.toml, line 8: tensors.W.kind: is 'weights'; expected weight, fixed, structural, "
            "pin, modular, isometry, power",
        ),
        (
            'kind = "weight"',
            "",
            "x.toml, line 7: tensors.W: 'kind' is missing; give it as a text in quotes",
        ),
        (
            'axes = ["two", "p"]',
            'axes = ["H", "p"]',
            "x.toml, line 9: tensors.W.axes: there is no axis 'H'; declare it under [axes] or name "
            "one of p, N, two",
        ),
        (
            'axes = ["two", "p"]',
            'axes = "two"',
            'x.toml, line 9: tensors.W.axes: is \'two\'; expected a list such as ["i", "j"]',
        ),
        (
            'axes = ["two", "p"]',
            "axes = []",
            "x.toml, line 7: tensor W: has no slot; give at least one axis",
        ),
        (
            'variance = "sigma2"',
            "variance = 0.5",
            'x.toml, line 10: tensors.W.variance: is 0.5; expected a symbol as "sigma2", a '
            'product as "2*sigma2/(3*p)", a fraction as "1/2", or an integer',
        ),
        (
            'variance = "sigma2"',
            "",
            "x.toml, line 7: tensor W: law gaussian: needs a variance; give a symbol such as "
            "'sigma2', or a product",
        ),
        (
            "two = 2",
            "two = 2.5",
            'x.toml, line 6: axes.two: is 2.5; expected "growing" or a positive integer',
        ),
        (
            "two = 2",
            "two = 0",
            "x.toml, line 6: axis two: pinned size 0 is not positive; give at least 1",
        ),
        (
            "two = 2",
            "two = true",
            'x.toml, line 6: axes.two: is True; expected "growing" or a positive integer',
        ),
        (
            "model =",
            "modle =",
            "x.toml, line 15: losses.train.modle: is not known here; expected outputs, model, "
            "target, normalisation, averaged_over",
        ),
        (
            'target = "alpha X[i,n]"',
            "",
            "x.toml, line 13: losses.train: 'target' is missing; give it as a text in quotes",
        ),
        (
            "W[k,j] X[j,n]",
            "W[k,j] Y[j,n]",
            "x.toml, line 15: losses.train.model: there is no tensor 'Y'; declare it under "
            "[tensors] or use one of W, X",
        ),
        (
            "W[k,j] X[j,n]",
            "W[k] X[j,n]",
            "x.toml, line 15: factor W: has 1 indices but the tensor has 2 slots; give one index "
            "for each slot",
        ),
        (
            "W[k,j] X[j,n]",
            "W[k,n] X[j,n]",
            "x.toml, line 15: index 'n': lies on the axes p and N; use another letter for one of "
            "them",
        ),
        (
            "W[k,j] X[j,n]",
            "W[k,j] ? X[j,n]",
            "x.toml, line 15: formula 'W[k,i] W[k,j] ? X[j,n]': has '? X[j,n]' in column 15; "
            "expected + or -",
        ),
        (
            'outputs = ["i", "n"]',
            'outputs = ["i", "m"]',
            "x.toml, line 14: losses.train.outputs: the open index 'm' is in no slot of the model; "
            "use it there, or leave it out",
        ),
        (
            '"alpha X[i,n]"',
            '"beta X[i,n]"',
            "x.toml, line 16: losses.train.target: the symbol 'beta' is not declared; list it "
            "under amplitudes, or give a tensor its indices in brackets",
        ),
        (
            '"alpha X[i,n]"',
            '"two X[i,n]"',
            "x.toml, line 16: losses.train.target: the symbol 'two' is not declared; list it under "
            "amplitudes, or give a tensor its indices in brackets",
        ),
        (
            '"alpha X[i,n]"',
            '"identity"',
            "x.toml, line 16: losses.train.target: the target 'identity' needs open indices that "
            "all lie on one growing axis, and no other tensors in its term; write it as a formula",
        ),
        (
            '"alpha X[i,n]"',
            '"W[k,i] W[k,j] X[j,n]"',
            "x.toml, line 13: target of train: contains the learnable tensor W; declare it as "
            "fixed Gaussian or structural",
        ),
        (
            "{ N = -1 }",
            "{ M = -1 }",
            "x.toml, line 17: losses.train.normalisation.M: is not a symbol; use one of alpha, p, "
            "N",
        ),
        (
            "{ N = -1 }",
            '{ N = "1/N" }',
            "x.toml, line 17: losses.train.normalisation.N: is '1/N'; expected an integer power, "
            "such as -1 for a mean",
        ),
        (
            "normalisation =",
            'averaged_over = ["W"]\nnormalisation =',
            "x.toml, line 17: losses.train.averaged_over: 'W' is not a tensor of kind fixed whose "
            "law has no symbols; declare it so, as with variance 1",
        ),
        (
            '"W[k,i] W[k,i]"',
            '"W[k,i] W[k,j]"',
            None,
        ),
        (
            '[observables.norm]\nformula = "W[k,i] W[k,i]"\n',
            "observables = 3\n",
            "x.toml, line 18: losses.train.observables: is not known here; expected outputs, "
            "model, target, normalisation, averaged_over",
        ),
        (
            "[observables.norm]",
            "[observables.train]",
            "x.toml: quantity train: is the name of two losses or observables; rename one",
        ),
        (
            'family = "example"',
            'family = "cp"',
            "x.toml, line 1: family: 'cp' is the name of a preset; choose another",
        ),
        (
            'family = "example"',
            'famly = "example"',
            "x.toml, line 1: famly: is not known here; expected family, flow, amplitudes, axes, "
            "tensors, losses, observables, temperature, implicit, momentum, step, resample",
        ),
        (
            'family = "example"',
            'flow = "test"',
            "x.toml, line 1: flow: there is no loss 'test', or it has a term without one; "
            "name one of train, or combine them as 'train + lambda*weight-norm'",
        ),
        (
            '["alpha"]',
            '["alpha", "p"]',
            "x.toml, line 2: amplitudes: 'p' is an axis already; it needs no declaration here",
        ),
        (
            '["alpha"]',
            '["alpha2"]',
            "x.toml, line 2: axis name 'alpha2': must be letters, digits and underscores, begin "
            "with a letter and not end in a digit; rename the axis",
        ),
        (
            "[losses.train]",
            '[losses.other]\noutputs = ["i"]\nmodel = "W[k,i]"\ntarget = "zero"\n[losses.train]',
            "x.toml: 'flow' is missing; give it as a text in quotes",
        ),
        (
            'p = "growing"',
            "p = growing",
            "x.toml: is not TOML, invalid value (at line 4, column 5); write keys as name = "
            '"value" under tables such as [tensors.W]',
        ),
    ],
)
def test_errors_point_at_a_line(old: str, new: str, message: str | None) -> None:
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    if message is None:  # another formula that is right
        assert read(text).family == "example"
        return
    with pytest.raises(InvalidInputError) as error:
        read(text)
    assert str(error.value) == message


def test_no_loss() -> None:
    with pytest.raises(InvalidInputError) as error:
        read('[axes]\np = "growing"\n')
    assert str(error.value) == "x.toml: losses: there is no loss; describe one as [losses.train]"


def test_nothing_to_learn() -> None:
    text = TEXT.replace('kind = "weight"', 'kind = "gaussian"')
    with pytest.raises(InvalidInputError) as error:
        read(text)
    assert str(error.value) == (
        "x.toml: model of example: has no learnable tensor; declare at least one weight"
    )


def test_the_family_is_by_default_the_name_of_the_file() -> None:
    assert read(TEXT.replace('family = "example"\n', "")).family == "x"


# --- sizes and files ------------------------------------------------------------------------------


def test_files_that_are_too_much() -> None:
    with pytest.raises(InvalidInputError, match=r"^x.toml: is longer than 100000 characters; desc"):
        read("#" * (MAXIMAL_CHARACTERS + 1))
    many = "\n".join(f'a{"b" * k} = "growing"' for k in range(1, 60))
    with pytest.raises(InvalidInputError, match=r"^x.toml, line 3: axes: has more than 50 entries"):
        read(TEXT.replace("[axes]", "[axes]\n" + many))
    with pytest.raises(InvalidInputError, match=r"^x.toml: is n"):
        read("a = " + "[" * 40_000)


def test_an_average_that_takes_too_long() -> None:
    text = (EXAMPLES / "two_layer.toml").read_text(encoding="utf-8")
    long = text.replace('"a[k] w[k,i] x[i] w[k,j] x[j]"', '"a[k]' + " w[k,i] x[i]" * 8 + '"')
    message = (
        r"^x.toml, line 15: losses.population.model: takes more than 50000 pairings of the inputs "
        r"that it is averaged over; lower its degree or the number of its terms$"
    )
    with pytest.raises(InvalidInputError, match=message):
        read(long)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"^problem '.*none.toml': cannot be read \(No"):
        read_problem_file(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match=r"binary.toml': is not text in UTF-8; save it as"):
        read_problem_file(binary)
    binary.write_bytes(b"#" * (4 * MAXIMAL_CHARACTERS + 1))
    with pytest.raises(InvalidInputError, match=r"binary.toml': is larger than 400000 bytes; des"):
        read_problem_file(binary)


def test_lines_of_keys_in_texts_over_several_lines() -> None:
    """An equals sign inside a text over several lines is not a key."""
    text = TEXT.replace('"W[k,i] W[k,j] X[j,n]"', '"""\nW[k,i]\ntarget = 3\n"""')
    document = TomlDocument.parse("x.toml", text)
    assert document.place("losses", "train", "target") == "x.toml, line 19"
    assert document.place("losses", "train", "model") == "x.toml, line 15"
    assert document.place("tensors", "X", "kind") == "x.toml, line 12"
    assert document.place("nowhere") == "x.toml"


def test_coefficients_too_long_to_be_written_are_refused() -> None:
    """Y_s of a linear model with the factor c is a number times c**(2 s + 2)."""
    text = f"""
family = "scaled"
[axes]
p = "growing"
[tensors]
A = {{ kind = "weight", axes = ["p"], variance = "sigma2" }}
[losses.train]
outputs = ["a"]
model = "{10**99} A[a]"
target = "zero"
"""
    series = LossSeries(read(text))
    assert series[1].coefficient(p=1, sigma2=1) == -(10 ** (99 * 4))
    with pytest.raises(CapacityError, match=r"^Y_19: has a coefficient of more than 3900 digits"):
        series[30]
    assert len(series.known) == 19
    assert Polynomial.parse(str(series[18])) == series[18]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'outputs = ["i", "n"]',
            'outputs = ["i", "n", "i"]',
            r"line 22: losses.train.outputs: the open index 'i' is there twice; name it once",
        ),
        (
            'kind = "gaussian"',
            'kind = "power"\nexponent = 1.5',
            r"tensors.X.exponent: is 1.5; expected an integer",
        ),
        (
            'kind = "gaussian"',
            'kind = "power"\nexponent = true',
            r"tensors.X.exponent: is True; expected an integer",
        ),
        (
            'variance = "sigma2"',
            "cumulants = { 2 = -1, 4 = 3 }",
            r"cumulant 2 is -1: a variance is not negative; give a positive one",
        ),
    ],
)
def test_values_that_were_read_as_something_else(old: str, new: str, message: str) -> None:
    text = (EXAMPLES / "tied_autoencoder_data.toml").read_text()
    assert old in text
    with pytest.raises(InvalidInputError, match=message):
        read_problem(TomlDocument.parse("x.toml", text.replace(old, new)))
