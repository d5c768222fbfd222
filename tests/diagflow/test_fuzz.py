"""Input from strangers: whatever a text or a file holds, it is read or refused in one line.

Refused means a `DiagflowError`, whose message can be printed on one line; on the command line exit
status 2, that line on standard error and nothing on standard output. What is read can be used: it
has a coefficient Y_0 or refuses that too, and its own text reads back.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diagflow.commands.values import parse_times, parse_values
from diagrams import text as diagram_text
from diagrams.diagram import Diagram
from diagrams.errors import DiagflowError, InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.formula_parser import read_formula
from expansion.polynomial import MAXIMAL_LENGTH, Polynomial
from expansion.problem import Problem
from expansion.problem_files.declarations import MAXIMAL_SIZE
from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import MAXIMAL_CHARACTERS, MAXIMAL_DOTS, TomlDocument
from expansion.series import Budget, LossSeries
from expansion.series_files import MAXIMAL_BYTES, read_series_file
from expansion.series_records import read_series
from expansion.targets import target_networks
from tests.command import ROOT, Run

EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.toml"))]
SERIES = (ROOT / "tests" / "reference" / "cp_order2_asym.json").read_text(encoding="utf-8")[:4000]

Value = TypeVar("Value")

LONGEST_MESSAGE = 4_000
SECONDS = 5.0
"""How long the worst text of the largest size may take on a slow machine."""


def read_or_refused(read: Callable[[str], Value], text: str) -> Value | None:
    """What is read from a text, None if it is refused properly; any other error fails."""
    try:
        return read(text)
    except DiagflowError as error:
        message = str(error)
        assert message.isprintable(), message
        assert len(message) <= LONGEST_MESSAGE
        assert "; " in message, f"no remedy: {message}"
        return None


def problem_of(text: str) -> Problem:
    return read_problem(TomlDocument.parse("x.toml", text))


def used(problem: Problem) -> None:
    """A problem that was read has a first coefficient that reads back, within a budget."""
    series = LossSeries(problem, budget=Budget(diagrams=100, seconds=2))
    assert problem.title.isprintable()
    try:
        coefficient = series[0]
    except DiagflowError as error:
        assert str(error).isprintable()
        return
    assert Polynomial.parse(str(coefficient)) == coefficient


# --- texts that are drawn -------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *('"', "'", '"""', "[", "]", "[[", "{", "}", "=", ".", ",", "\n", "\\", "#", "-", "+", "*"),
        *("0", "1", "-1", "9" * 30, "9" * 5000, "1e999", "nan", "inf", "0x" + "f" * 60, "1/0", "/"),
        *("p", "H", "W", "[p,p]", "W[k,i]", "growing", '"growing"', "sigma2", "variance", "axes"),
        *(
            "kind",
            "weight",
            "gaussian",
            "pin",
            "modular",
            "structural",
            "train",
            "identity",
            "true",
        ),
        *("\x00", "\x1b[31m", "\u202e", "\ud800", "\ufeff", "é", "1979-05-27", "a.b.c", "^999999"),
        *("null", "NaN", "-Infinity", "{}", "[]", "[" * 400, '"s"', '"terms"', '"exponents"', ":"),
        *("(", ")", "~", ";", "H0", "p0", "axis", "W(H0,p0)", "->", "ij", "alpha", "$", "**", "^"),
    ]
)


@st.composite
def mutated(draw: st.DrawFn, originals: list[str]) -> str:
    """A valid text with parts cut, repeated, replaced or filled in."""
    text = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 20)))
        inserted = draw(WORDS | st.text(max_size=5) | st.just(text[start:end] * 2))
        text = text[:start] + inserted + text[end:]
    return text


SHORT = st.text(max_size=6) | WORDS
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SHORT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SHORT, inner, max_size=4),
    max_leaves=10,
)


def toml(value: object) -> str:
    """A value as TOML, as far as TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            pairs = (f"{json.dumps(str(key))} = {toml(item)}" for key, item in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return json.dumps(value)
    return str(value)


KEYS = st.sampled_from(
    ["family", "flow", "amplitudes", "axes", "tensors", "losses", "observables"]
) | st.text(max_size=3)
FORMULAS = st.lists(WORDS, max_size=6).map(" ".join)
TENSOR = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["weight", "gaussian", "structural", "pin", "modular"]) | VALUES,
        "axes": st.lists(st.sampled_from(["p", "H", "two"]), max_size=4) | VALUES,
        "variance": st.sampled_from(["sigma2", 1]) | VALUES,
    },
)
LOSS = st.fixed_dictionaries(
    {},
    optional={
        "outputs": st.lists(st.sampled_from(["i", "j"]), max_size=3) | VALUES,
        "model": st.sampled_from(["W[i,j]", "W[k,i] W[k,j]", "2 W[i,i]"]) | FORMULAS | VALUES,
        "target": st.sampled_from(["identity", "zero", "X[i,j]", "1/2 alpha"]) | FORMULAS | VALUES,
        "normalisation": st.dictionaries(st.sampled_from(["p", "alpha"]), st.integers()) | VALUES,
        "averaged_over": st.just(["X"]) | VALUES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "family": SHORT,
        "flow": st.just("train") | VALUES,
        "amplitudes": st.just(["alpha"]) | VALUES,
        "axes": st.just({"p": "growing", "H": "growing", "two": 2}) | VALUES,
        "tensors": st.dictionaries(st.sampled_from(["W", "X", "e"]), TENSOR, max_size=3) | VALUES,
        "losses": st.dictionaries(st.just("train") | SHORT, LOSS, max_size=2) | VALUES,
        "observables": VALUES,
    },
)
"""Documents with the keys of a problem file and, now and then, what belongs there."""


@given(st.text() | mutated(EXAMPLES))
@example('family = "' + "a" * 200 + '"')
@example('losses."$x$" = 3')
@settings(max_examples=150, deadline=None)
def test_a_problem_file_is_read_or_refused(text: str) -> None:
    problem = read_or_refused(problem_of, text)
    if problem is not None:
        used(problem)


@given(DOCUMENTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_document_is_read_or_refused(document: dict[str, object]) -> None:
    text = "\n".join(f"{key} = {toml(value)}" for key, value in document.items())
    problem = read_or_refused(problem_of, text)
    if problem is not None:
        used(problem)


@given(st.text() | st.lists(WORDS).map("".join))
@settings(max_examples=150, deadline=None)
def test_a_formula_is_read_or_refused(text: str) -> None:
    read_or_refused(lambda source: read_formula(source, names=("identity",)), text)
    read_or_refused(lambda source: target_networks(source, order=2), text)


@given(st.text() | st.lists(WORDS, max_size=10).map("".join))
@settings(max_examples=150, deadline=None)
def test_an_einsum_is_read_or_refused(text: str) -> None:
    tensor = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
    read_or_refused(lambda source: Network.einsum(source, tensor), text)
    read_or_refused(lambda source: Network.einsum(source, tensor, tensor), text)


POLYNOMIALS = ["1/2*p - p*H*sigma2 + 3*p**2*H*sigma2**2", "-p**-3*N", "0", "7/3"]


@given(st.text() | mutated(POLYNOMIALS) | st.lists(WORDS, max_size=10).map("".join))
@settings(max_examples=150, deadline=None)
def test_a_polynomial_is_read_or_refused(text: str) -> None:
    polynomial = read_or_refused(Polynomial.parse, text)
    if polynomial is not None:
        assert Polynomial.parse(str(polynomial)) == polynomial


DIAGRAMS = [
    "weight W[H,p]~sigma2; W(H0,p0)^2 W(H1,p0)^2",
    "axis first=1; pin e[first]; weight W[first,p]~1; e(first0) W(first0,p0) p1",
    "modular plus[p,p,p]; gaussian X[p,N]~1; plus(p0,p1,p2) X(p0,N0)",
    "1",
]


def test_a_long_name_makes_no_long_message() -> None:
    name = "A" * 5000
    with pytest.raises(InvalidInputError, match="put a node of that axis there") as error:
        Diagram.parse(f"axis i=1;pin e[i];weight A[{name}]~1;e(i0) A(i0)")
    assert len(str(error.value)) < 400


@given(st.text() | mutated(DIAGRAMS) | st.lists(WORDS, max_size=10).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_a_diagram_is_read_or_refused(text: str) -> None:
    diagram = read_or_refused(Diagram.parse, text)
    if diagram is not None:
        assert Diagram.parse(str(diagram)) == diagram


@given(st.text() | mutated([SERIES, '{"coefficients": [{"s": 0, "terms": []}]}']))
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_series_file_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "series.json"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    series = read_or_refused(lambda _: read_series_file(path), text)
    for polynomial in series or ():
        assert Polynomial.parse(str(polynomial)) == polynomial


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_a_record_is_read_or_refused(value: object) -> None:
    for record in (value, [value], [{"s": 0, "terms": value}], [{"s": 0, "terms": [value]}]):
        read_or_refused(lambda _, record=record: read_series(record), "")  # type: ignore[misc]
    term = {"coefficient": value, "exponents": {"p": 1}}
    read_or_refused(lambda _: read_series([{"s": 0, "terms": [term]}]), "")
    term = {"coefficient": "1", "exponents": value}
    read_or_refused(lambda _: read_series([{"s": 0, "terms": [term]}]), "")


@given(st.text() | mutated(["p=512,H=256,sigma2=2e-5,T=1", "p=1/3"]))
@settings(max_examples=150, deadline=None)
def test_values_are_read_or_refused(text: str) -> None:
    for value in (read_or_refused(parse_values, text) or {}).values():
        assert float(value) == pytest.approx(value)  # none rounds to infinity


@given(st.text() | mutated(["0:2:50", "-1e-3:1/3:7", "0:0:1"]))
@settings(max_examples=150, deadline=None)
def test_times_are_read_or_refused(text: str) -> None:
    times = read_or_refused(parse_times, text)
    if times is not None:
        assert all(abs(t) <= 1e30 for t in times)


# --- what was found -------------------------------------------------------------------------------

TEXT = """family = "e"
[axes]
p = "growing"
[tensors.W]
kind = "weight"
axes = ["p"]
variance = "s"
[losses.train]
outputs = ["i"]
model = "W[i]"
target = "identity"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"e"',
            "0x" + "f" * 50_000,
            "x.toml, line 1: family: is of type int; expected a text in quotes",
        ),
        (
            '"e"',
            "9" * 50_000,
            "x.toml: has a number of more digits than Python reads; write a shorter one",
        ),
        (
            'family = "e"',
            "a" + ".a" * 3_000 + " = 1",
            f"x.toml: has more than {MAXIMAL_DOTS} dots; describe the problem with fewer",
        ),
        (
            '"e"',
            '"e\\nf"',
            "x.toml, line 1: family: 'e\\nf' is not a name of at most 100 printable characters "
            "without $, \\, { and }; choose another",
        ),
        (
            "losses.train",
            'losses."$x$"',
            "x.toml: losses: '$x$' is not a name of at most 100 printable characters without $, "
            "\\, { and }; choose another",
        ),
        (
            "outputs",
            '"a\\nb" = 1\noutputs',
            "x.toml, line 8: losses.train: 'a\\nb' is not a name of at most 100 printable "
            "characters; choose another",
        ),
        (
            '["p"]',
            '["' + "p" * 101 + '"]',
            f"x.toml, line 6: tensors.W.axes: '{'p' * 59} is not a name of at most 100 printable "
            "characters; choose another",
        ),
        (
            '"growing"',
            str(MAXIMAL_SIZE + 1),
            f"x.toml, line 3: axes.p: is larger than {MAXIMAL_SIZE}; give a smaller size",
        ),
        (
            '"identity"',
            f'"{"9" * 60} {"9" * 60} identity"',
            f"x.toml, line 11: formula '{'9' * 30}': has a number of more than 100 digits; write a "
            "shorter one, or a symbol",
        ),
        (
            '"identity"',
            f'"{"a" * 101}"',
            f"x.toml, line 11: formula: the name '{'a' * 30}'... has more than 100 characters; "
            "write a shorter one",
        ),
        (
            "outputs",
            "normalisation = { p = 0x" + "f" * 5_000 + " }\noutputs",
            "x.toml, line 9: losses.train.normalisation.p: is of type int; expected an integer "
            "power, such as -1 for a mean",
        ),
    ],
)
def test_hostile_problem_files(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidInputError) as error:
        problem_of(TEXT.replace(old, new, 1))
    assert str(error.value) == message


def test_a_key_of_many_parts() -> None:
    """How deep Python goes depends on its version; the file is refused by all of them."""
    with pytest.raises(InvalidInputError) as error:
        problem_of(TEXT.replace('family = "e"', "family" + ".a" * 1_500 + " = 1", 1))
    assert str(error.value) in (
        "x.toml: family: is of type dict; expected a text in quotes",
        "x.toml: is nested too deeply; write tables such as [tensors.W]",
    )


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"coefficients": [], "coefficients": []}', "the key 'coefficients' occurs twice in one"),
        ('{"coefficients": NaN}', "NaN is no number of JSON"),
        ('{"coefficients": [-Infinity]}', "-Infinity is no number of JSON"),
        ('{"coefficients": ' + "9" * 4_001 + "}", "a number has more than 4000 digits"),
        ("[" * 100_000, "it is nested too deeply"),
        ("", "Expecting value"),
        ("[]", "has no list of coefficients; write it with series_record"),
        ('{"coefficients": 3}', "the coefficients are of type int, not a list; list them in order"),
        ('{"coefficients": [{"s": 1}]}', "coefficient number 0 is not the one with s = 0; list"),
        (
            '{"coefficients": [{"s": 0, "terms": [{"coefficient": 0.5, "exponents": {}}]}]}',
            "the term {'coefficient': 0.5, 'exponents': {}} is not understood; expected",
        ),
        (
            '{"coefficients": [{"s": 0, "terms": [{"coefficient": 1, "exponents": '
            '{"p": 1000000}}]}]}',
            "the term {'coefficient': 1, 'exponents': {'p': 1000000}} is not understood; expected",
        ),
    ],
)
def test_hostile_series_files(tmp_path: Path, record: str, message: str) -> None:
    path = tmp_path / "series.json"
    path.write_text(record, encoding="utf-8")
    with pytest.raises(InvalidInputError) as error:
        read_series_file(path)
    assert message in str(error.value)
    assert str(error.value).isprintable()


def test_a_monomial_of_many_symbols() -> None:
    """51 are refused, 50 are read."""
    for count in (50, 51):
        term = {"coefficient": "1", "exponents": {f"a{k}": 1 for k in range(count)}}
        series = read_or_refused(lambda _, term=term: read_series([{"s": 0, "terms": [term]}]), "")
        assert (series is not None) == (count == 50)


def test_like_terms_whose_sum_cannot_be_written() -> None:
    terms = [{"coefficient": f"1/{10**2500 + offset}", "exponents": {"p": 1}} for offset in (1, 3)]
    message = (
        r"^series record: the coefficients of p add up to a number of too many digits; write their "
        r"sum$"
    )
    with pytest.raises(InvalidInputError, match=message):
        read_series([{"s": 0, "terms": terms}])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "weight W[H,p]~s; " + "W(H0,p0)^999999 " * 100,
            "diagram text: has more than 10000 factors; split it",
        ),
        (
            " ".join(f"p{number}" for number in range(1001)),
            "diagram text: has more than 1000 nodes; split it",
        ),
        (
            "axis one=1; axis one=2; one0",
            "diagram text: axis 'one' is declared twice; keep one declaration",
        ),
    ],
)
def test_hostile_diagrams(source: str, message: str) -> None:
    assert len(source) <= diagram_text.MAXIMAL_LENGTH
    with pytest.raises(InvalidInputError) as error:
        Diagram.parse(source)
    assert str(error.value) == message


def test_an_einsum_that_is_too_long() -> None:
    with pytest.raises(
        InvalidInputError, match=r"^einsum 'i{40}'\.\.\.: is longer than 1000 characters; write a s"
    ):
        Network.einsum("i" * 1001)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (
            parse_times,
            "0:1e999:3",
            "--times: 1e999 is not between 1e-30 and 1e30 in size; choose another unit",
        ),
        (
            parse_times,
            "0\n:1:3:4",
            "--times '0\\n:1:3:4': is not understood; write START:STOP:COUNT, for example 0:2:50",
        ),
        (
            parse_values,
            "p=1e-31",
            "--at: 1e-31 is not between 1e-30 and 1e30 in size; choose another unit",
        ),
        (
            parse_values,
            "p=1" + ",p=1" * 100,
            "--at: has more than 100 values; give fewer",
        ),
    ],
)
def test_hostile_numbers(read: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read(text)
    assert str(error.value) == message


# --- files that are none --------------------------------------------------------------------------


def refused(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(InvalidInputError) as error:
        read(path)
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize(
    ("read", "suffix", "title"),
    [(read_problem_file, ".toml", "problem '"), (read_series_file, ".json", "series file ")],
)
def test_what_is_no_regular_file(
    tmp_path: Path, read: Callable[[Path], object], suffix: str, title: str
) -> None:
    directory, pipe, loop, device = (tmp_path / f"{name}{suffix}" for name in ("d", "p", "l", "z"))
    directory.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    device.symlink_to("/dev/zero")
    for path in (directory, pipe, device):
        message = refused(read, path)
        assert message.startswith(title)
        assert message.endswith(": is not a regular file; name one")
    assert "cannot be read (Too many levels of symbolic links); check its name" in refused(
        read, loop
    )
    assert refused(read, Path(f"a\0b{suffix}")).endswith("is not the name of a file; check it")
    assert "File name too long" in refused(read, tmp_path / ("a" * 5000 + suffix))
    assert "\\n" in refused(read, tmp_path / f"two\nlines{suffix}")


def test_the_contents_of_files(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"")
    assert refused(read_problem_file, path).startswith("x.toml: losses: there is no loss; describe")
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_problem_file(path) == problem_of(TEXT)
    path.write_bytes(b"\xff\xfe" + TEXT.encode("utf-16-le"))
    assert refused(read_problem_file, path).endswith("': is not text in UTF-8; save it as such")
    path.write_bytes(b"#" * (4 * MAXIMAL_CHARACTERS + 1))
    assert refused(read_problem_file, path).endswith("describe the problem in fewer")
    newline = tmp_path / "two\nlines.toml"
    newline.write_text("= 3", encoding="utf-8")
    assert "two\\nlines.toml': is not TOML" in refused(read_problem_file, newline)
    link = tmp_path / "link.toml"
    path.write_text(TEXT, encoding="utf-8")
    link.symlink_to(path)
    assert read_problem_file(link) == problem_of(TEXT)
    series = tmp_path / "x.json"
    series.write_bytes(b"\xef\xbb\xbf" + b'{"coefficients": []}')
    assert read_series_file(series) == ()
    with series.open("wb") as file:
        file.truncate(MAXIMAL_BYTES + 1)
    assert refused(read_series_file, series).endswith(
        f"is larger than {MAXIMAL_BYTES} bytes; give fewer coefficients"
    )


# --- time -----------------------------------------------------------------------------------------


def of_size(part: str, size: int, *, before: str = "", after: str = "") -> str:
    return before + part * ((size - len(before) - len(after)) // len(part)) + after


LARGEST_PROBLEMS = {
    "headers": of_size("[a]\n", MAXIMAL_CHARACTERS),
    "tables": "".join(f"[a{number}]\n" for number in range(1_999)) + "[[b]]\n" * 10_000,
    "dots": "a" + ".a" * MAXIMAL_DOTS + " = 1",
    "dotted": "\n".join(f"{'a.' * 99}b{number} = 1" for number in range(20)),
    "list": of_size("1,", MAXIMAL_CHARACTERS, before="a = [", after="]"),
    "nested": of_size("[", MAXIMAL_CHARACTERS, before="a = "),
    "inline": of_size("{a=", MAXIMAL_CHARACTERS, before="a="),
    "escapes": of_size("\\n", MAXIMAL_CHARACTERS, before='a = "', after='"'),
    "open": of_size("\\n", MAXIMAL_CHARACTERS, before='a = """'),
    "quotes": of_size('"a".', MAXIMAL_DOTS * 4, after="a = 1"),
    "blanks": of_size(" ", MAXIMAL_CHARACTERS, before="a ="),
    "terms": TEXT.replace('"W[i]"', '"' + of_size("W[i] ", 9_990) + '"'),
    "losses": TEXT
    + "".join(
        f'[losses.l{k}]\noutputs = ["i"]\ntarget = "identity"\nmodel = "{"W[i] + " * 19}W[i]"\n'
        for k in range(49)
    ),
}


@pytest.mark.parametrize("text", LARGEST_PROBLEMS.values(), ids=LARGEST_PROBLEMS)
def test_the_largest_problem_files_take_no_time(text: str) -> None:
    start = time.process_time()
    read_or_refused(problem_of, text)
    assert time.process_time() - start < SECONDS


def term(coefficient: str, **exponents: int) -> str:
    return json.dumps({"coefficient": coefficient, "exponents": exponents})


def series_text(terms: list[str]) -> str:
    """As many of the terms as fit."""
    whole, kept = MAXIMAL_BYTES - 60, []
    for written in terms:
        whole -= len(written) + 1
        if whole < 0:
            break
        kept.append(written)
    return '{"coefficients": [{"s": 0, "terms": [' + ",".join(kept) + "]}]}"


LARGEST_SERIES = {
    "terms": series_text([term("1", **{f"a{k}": 1}) for k in range(80_000)]),
    "symbols": series_text(
        [term("1", **{f"a{j}": j + k for j in range(50)}) for k in range(6_000)]
    ),
    "like terms": series_text([term(f"1/{10**90 + 2 * k + 1}") for k in range(30_000)]),
    "digits": series_text([term(f"1/{10**3990 + 2 * k + 1}", p=k) for k in range(1_000)]),
    "nested": "[" * (MAXIMAL_BYTES - 1),
    "coefficients": '{"coefficients": [' + '{"s":0},' * 240_000 + "0]}",
    "keys": "{" + ",".join(f'"a{k}":1' for k in range(150_000)) + "}",
}


@pytest.mark.parametrize("text", LARGEST_SERIES.values(), ids=LARGEST_SERIES)
def test_the_largest_series_files_take_no_time(tmp_path: Path, text: str) -> None:
    assert len(text) <= MAXIMAL_BYTES
    path = tmp_path / "series.json"
    path.write_text(text, encoding="utf-8")
    start = time.process_time()
    read_or_refused(lambda _: read_series_file(path), text)
    assert time.process_time() - start < SECONDS


def test_like_terms_of_a_text_whose_sum_cannot_be_written() -> None:
    message = (
        r"^polynomial: the coefficients of p add up to a number of more than 4000 digits; write "
        r"their sum$"
    )
    with pytest.raises(InvalidInputError, match=message):
        Polynomial.parse(f"1/{10**2500 + 1}*p + 1/{10**2500 + 3}*p")


LARGEST_POLYNOMIALS = {
    "terms": "+".join(f"a{k}" for k in range(42_000)),
    "symbols": "*".join(f"a{k}" for k in range(42_000)),
    "powers": "*".join(["p**999999"] * 30_000),
    "digits": "+".join(f"1/{10**3990 + 2 * k + 1}*p**{k}" for k in range(70)),
    "like terms": "+".join(f"1/{10**90 + 2 * k + 1}" for k in range(3_000)),
}


@pytest.mark.parametrize("text", LARGEST_POLYNOMIALS.values(), ids=LARGEST_POLYNOMIALS)
def test_the_largest_polynomials_take_no_time(text: str) -> None:
    assert 200_000 < len(text) <= MAXIMAL_LENGTH
    start = time.process_time()
    read_or_refused(Polynomial.parse, text)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    "source",
    [
        " ".join(f"p{number}" for number in range(1_000)),
        "weight W[H,p]~s; " + " ".join(f"W(H{k},p{k})" for k in range(500)),
        "weight W[H,p]~s; " + " ".join(f"W(H0,p{k})^9" for k in range(999)),
        "weight W[H,p]~s; " + " ".join(f"W(H{k // 99},p{k % 99})" for k in range(6_000)),
        "gaussian W[" + "p," * 999 + "p]~s; W(" + ",".join(f"p{k}" for k in range(1_000)) + ")",
        ";" * diagram_text.MAXIMAL_LENGTH,
    ],
    ids=["nodes", "edges", "star", "bipartite", "tensor", "declarations"],
)
def test_the_largest_diagrams_take_no_time(source: str) -> None:
    start = time.process_time()
    read_or_refused(Diagram.parse, source)
    assert time.process_time() - start < SECONDS


# --- the command line -----------------------------------------------------------------------------


def told_properly(status: int, output: str, errors: str) -> bool:
    """Whether a command succeeded, or was refused in one line."""
    if status == 0:
        return bool(output)
    return status == 2 and not output and errors.count("\n") == 1 and "error: " in errors


HOSTILE_OPTIONS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(text=mutated(EXAMPLES[:1] + EXAMPLES[4:5]))
@HOSTILE_OPTIONS
def test_expand_reads_or_refuses(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    arguments = ["expand", str(path), "--terms", "0", "--max-diagrams", "100"]
    assert told_properly(*run(*arguments))


@given(text=mutated([SERIES, SERIES.rstrip().rstrip(",") + "]}]}"]))
@HOSTILE_OPTIONS
def test_regimes_reads_or_refuses(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    assert told_properly(*run("regimes", str(path)))


NUMBERS = ["0", "-1", "1", "1/3", "1e30", "1e-30", "2e-5", "99999999999", "nan", "", "1e31"]


@given(
    at=st.tuples(*(st.sampled_from(NUMBERS),) * 4),
    regime=st.sampled_from(["A-B-E", "E", "A-B", "B-E", "x\ny"]),
    times=st.sampled_from(["0:1:3", "-1:1:3", "0:1e30:2", "-1e30:0:2", "1:0:2", "x"]),
)
@example(at=("1e30",) * 4, regime="E", times="0:1:3")
@example(at=("1e-30",) * 4, regime="A-B", times="0:1:3")
@HOSTILE_OPTIONS
# NumPy warns on the way to an infinity, which is then refused.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_solve_answers_or_refuses(run: Run, at: tuple[str, ...], regime: str, times: str) -> None:
    values = ",".join(
        f"{name}={number}" for name, number in zip(("p", "H", "sigma2", "T"), at, strict=True)
    )
    command = ["solve", "cp", "--order", "2", "--symmetric", "--terms", "3", "--regime", regime]
    told = run(*command, "--at", values, "--times", times)
    assert told_properly(*told), (values, regime, times, told)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:3", "--rtol", "nan"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:3", "--rtol", "inf"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:3", "--jobs", "0"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:3", "--seed", "-1"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:3", "--runs", "9" * 20],
        ["--at", "p=1e30,H=2,sigma2=1", "--times", "0:1:3"],
        ["--at", "p=3,H=2,sigma2=nan", "--times", "0:1:3"],
        ["--at", "p=3,H=2,sigma2=1,T=0", "--times", "0:1:3"],
        ["--at", "", "--times", "0:1:3"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "nan:1:3"],
        ["--at", "p=3,H=2,sigma2=1", "--times", "0:1:999999999"],
    ],
)
def test_simulate_refuses(run: Run, arguments: list[str]) -> None:
    command = ["simulate", "cp", "--order", "2", "--symmetric", *arguments]
    status, output, errors = run(*command)
    assert status == 2
    assert told_properly(status, output, errors), errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["a\nb"],
        ["a\nb.toml"],
        [".toml"],
        ["/dev/zero.toml"],
        ["a" * 5000 + ".toml"],
        ["cp", "--order", "9" * 30],
        ["cp", "--order", "9" * 5000],
        ["cp", "--target", "9" * 5000],
        ["cp", "--target", "x" * 20_000],
        ["cp", "--target", "a\nb"],
        ["cp", "--target", "1/0 identity"],
        ["cp", "--loss", "\x1b[31m"],
        ["cp", "--max-seconds", "nan"],
    ],
)
def test_expand_refuses(run: Run, arguments: list[str]) -> None:
    status, output, errors = run("expand", *arguments, "--terms", "0")
    assert status == 2
    assert told_properly(status, output, errors), errors
    assert errors.rstrip("\n").isprintable()


@pytest.mark.parametrize("tolerance", ["nan", "inf", "-1", "0x1", ""])
def test_compare_refuses_tolerances(run: Run, tolerance: str) -> None:
    command = ["compare", "cp", "--order", "2", "--symmetric", "--regime", "E", "--times", "0:1:3"]
    command += ["--at", "p=8,H=4,sigma2=0.001", "--runs", "2", f"--tolerance={tolerance}"]
    status, output, errors = run(*command)
    assert status == 2
    assert told_properly(status, output, errors), errors
