"""Every JSON output against its schema, and that the schemas refuse what is wrong."""

import copy
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from diagflow.gallery.outcome import Outcome
from diagflow.gallery.run import run_gallery
from diagflow.schemas import VERSIONS, schema, versioned_text
from diagrams.errors import InvalidInputError
from expansion.series_files import read_series_file
from tests.command import ROOT, Run

LAW = settings(max_examples=150, deadline=None, derandomize=True)

SYM = ("cp", "--order", "2", "--symmetric")
CURVE = ("--at", "p=6,H=4,sigma2=1/12", "--times", "0:1:3")

# Format, arguments, and the status with which the command ends.
OUTPUTS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "symmetric": ("expand", ("expand", *SYM, "--terms", "2"), 0),
    "asymmetric": ("expand", ("expand", "cp", "--order", "3", "--terms", "2"), 0),
    "nothing left": (
        "expand",
        ("expand", "cp", "--order", "3", "--symmetric", "--target", "zero", "--terms", "0"),
        0,
    ),
    "modular addition": (
        "expand",
        ("expand", "cp", "--order", "3", "--target", "modular-addition", "--terms", "1"),
        0,
    ),
    "a prefactor and a teacher": (
        "expand",
        ("expand", "cp", "--target", "identity + beta*teacher", "--terms", "1"),
        0,
    ),
    "two layers": ("expand", ("expand", "two-layer", "--degree", "3", "--terms", "0"), 0),
    "data": ("expand", ("expand", "autoencoder", "--data", "--terms", "1"), 0),
    "population": (
        "expand",
        ("expand", "tied-autoencoder", "--data", "--loss", "population", "--terms", "1"),
        0,
    ),
    "observable": (
        "expand",
        ("expand", "deep-linear", "--observable", "ntk-trace", "--terms", "1"),
        0,
    ),
    "file": ("expand", ("expand", str(ROOT / "examples" / "spiked_cp.toml"), "--terms", "1"), 0),
    "another drive": (
        "expand",
        (
            *("expand", *SYM, "--terms", "1", "--flow", "train + lambda*weight-norm"),
            *("--rate", "U=eta", "--temperature", "tau", "--implicit", "eta"),
        ),
        0,
    ),
    "momentum": ("expand", ("expand", "mlp-linear", "--momentum", "gamma", "--terms", "1"), 0),
    "steps": ("expand", ("expand", *SYM, "--steps", "1", "--step-size", "eta"), 0),
    "one pass": ("expand", ("expand", str(ROOT / "examples" / "one-pass.toml"), "--steps", "1"), 0),
    "map of steps": (
        "regimes",
        ("regimes", *SYM, "--steps", "1", "--step-size", "eta", "--regime", "V4-V5"),
        0,
    ),
    "noise": (
        "simulate",
        (
            *("simulate", "mlp-linear", "--temperature", "tau", "--times", "0:1:2"),
            *("--at", "H=2,sigma2=1,c=1,y=1,tau=1/10"),
        ),
        0,
    ),
    "regimes": ("regimes", ("regimes", *SYM, "--terms", "4"), 0),
    "regimes on a slice": (
        "regimes",
        ("regimes", *SYM, "--terms", "4", "--slice", "H ~ p"),
        0,
    ),
    "regimes without a law": (
        "regimes",
        ("regimes", "cp", "--order", "2", "--target", "spike", "--terms", "4"),
        0,
    ),
    "walls that move": ("regimes", ("regimes", "cp", "--symmetric", "--terms", "4"), 0),
    "regimes of data": (
        "regimes",
        ("regimes", "tied-autoencoder", "--data", "--terms", "3", "--loss", "population"),
        0,
    ),
    "a regime and a place": (
        "regimes",
        (
            *("regimes", *SYM, "--terms", "2", "--regime", "A-B"),
            *("--at", "p=512,H=256,sigma2=2e-5"),
        ),
        0,
    ),
    "correlators": ("correlators", ("correlators", "mlp-linear"), 0),
    "a curve with its band": (
        "solve",
        ("solve", *SYM, "--regime", "E-A", "--terms", "4", *CURVE, "--band"),
        0,
    ),
    "a comparison with its band": (
        "compare",
        (
            *("compare", *SYM, "--regime", "A-B-E", "--terms", "4", "--band", "--runs", "4"),
            *("--at", "p=16,H=16,sigma2=1/16", "--times", "0:0.01:2", "--tolerance", "1"),
        ),
        0,
    ),
    "cumulant": ("expand", ("expand", *SYM, "--cumulant", "2", "--terms", "1"), 0),
    "expression": ("expand", ("expand", *SYM, "--observable", "train**2", "--terms", "0"), 0),
    "map of a variance": ("regimes", ("regimes", *SYM, "--cumulant", "2", "--terms", "4"), 0),
    "simulated variance": (
        "simulate",
        ("simulate", *SYM, *CURVE, "--cumulant", "2", "--runs", "4"),
        0,
    ),
    "derived": ("derive", ("derive", *SYM, "--regime", "E-A", "--terms", "3"), 0),
    "derived, random": (
        "derive",
        ("derive", "two-layer", "--regime", "V3", "--terms", "2"),
        0,
    ),
    "derived by its rate": (
        "derive",
        ("derive", "cp", "--order", "3", "--symmetric", "--regime", "B", "--terms", "2"),
        0,
    ),
    "closed form": ("solve", ("solve", *SYM, "--regime", "A-B-E", *CURVE, "--terms", "4"), 0),
    "no formula, bounded": (
        "solve",
        (
            *("solve", "cp", "--order", "4", "--symmetric", "--regime", "A-B-E", "--terms", "2"),
            *("--at", "p=64,H=600,sigma2=1/512", "--times", "-1:0:3"),
        ),
        0,
    ),
    "resummed": (
        "solve",
        (
            *("solve", "cp", "--order", "3", "--regime", "A-B", "--terms", "5"),
            *("--at", "p=20,H=400,sigma2=1/400", "--times", "0:0.01:2"),
        ),
        0,
    ),
    "solved regimes": ("solve-list", ("solve", "cp", "--order", "3", "--list", "--terms", "4"), 0),
    "one run": ("simulate", ("simulate", *SYM, *CURVE), 0),
    "curves of Euler": (
        "simulate",
        ("simulate", *SYM, *CURVE, "--runs", "2", "--curves", "--method", "euler", "--step", "0.1"),
        0,
    ),
    "blow-up": (
        "simulate",
        (
            *("simulate", "cp", "--order", "4", "--symmetric", "--runs", "2", "--seed", "3"),
            *("--at", "p=3,H=3,sigma2=1", "--times", "-5:0:3"),
        ),
        0,
    ),
    "agreement": (
        "compare",
        (
            *("compare", *SYM, "--regime", "A-B-E", *CURVE, "--runs", "4", "--terms", "5"),
            *("--tolerance", "0.5"),
        ),
        0,
    ),
    "undecided": (
        "compare",
        ("compare", *SYM, "--regime", "A-B-E", *CURVE, "--runs", "4", "--terms", "2"),
        3,
    ),
    "checks": ("check", ("check", *SYM, "--quick"), 0),
    "disagreement": (
        "compare",
        (
            *("compare", *SYM, "--regime", "A-B-E", *CURVE, "--runs", "4", "--terms", "5"),
            *("--tolerance", "1e-9", "--standard-errors", "1e-9"),
        ),
        1,
    ),
}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


def strict(text: str) -> Any:
    """JSON as the standard has it: without NaN and infinities."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def places(record: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths to all values inside a record; of a list the first two entries."""
    if path:
        yield path
    entries = (
        record.items()
        if isinstance(record, dict)
        else enumerate(record[:2])
        if isinstance(record, list)
        else ()
    )
    for key, value in entries:
        yield from places(value, (*path, key))


def at(record: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        record = record[key]
    return record


def changed(record: Any, path: tuple[str | int, ...], value: object) -> Any:
    result = copy.deepcopy(record)
    at(result, path[:-1])[path[-1]] = value
    return result


def without(record: Any, path: tuple[str | int, ...]) -> Any:
    result = copy.deepcopy(record)
    del at(result, path[:-1])[path[-1]]
    return result


def is_exact(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?\d+(/\d+)?", value) is not None


# Names that a record may lack, and objects whose keys are names of symbols or regimes.
OPTIONAL = {
    "derive": {"depth", "degree", "target", "data", "loss", "random", "rate_of_change"},
    "expand": {
        *("depth", "degree", "wide_ends", "target", "data", "loss", "observable", "divisors"),
        *("flow", "rates", "temperature", "implicit", "momentum", "resample"),
    },
    "regimes": {"family", "target", "data", "loss", "leading", "place", "moving_walls"},
    "simulate": {"loss", "cumulant"},
    "solve": {"band"},
    "compare": {"band", "spread"},
    "correlators": {"depth", "wide_ends"},
}
MAPS = {"exponents", "monomial", "natural_time", "slope", "offsets", "scale", "variables"} | {
    *(
        "parameters",
        "values",
        "neglected",
        "notes",
        "divisors",
        "machine",
        "sizes",
        "rates",
        "scaled_variables",
    ),
}


def refuses_what_is_wrong(name: str, record: Any) -> None:
    """The schema refuses a record in which one place is wrong, whichever it is."""
    valid = validator(name).is_valid
    assert valid(record)
    for version in (0, 2, 1.5, "1", None, True):
        assert not valid(changed(record, ("schema_version",), version)), version
    for path in places(record):
        value, key = at(record, path), path[-1]
        inside = [step for step in path[:-1] if isinstance(step, str)]
        free = not MAPS.isdisjoint(inside)
        if isinstance(key, str) and not free and key not in OPTIONAL.get(name, ()):
            assert not valid(without(record, path)), f"without {path}"
        if isinstance(value, dict) and key not in MAPS and not free:
            assert not valid(changed(record, path, {**value, "more": 1})), f"more in {path}"
        if is_exact(value) and (free or key == "coefficient"):
            for wrong in (float(Fraction(value)), 3, "0.5", "1/0", "2/1", "", f"{value}.0", None):
                assert not valid(changed(record, path, wrong)), f"{wrong!r} at {path}"
        for wrong in ({"": [True]}, [[]], *([] if isinstance(value, str | None) else ["7"])):
            assert not valid(changed(record, path, wrong)), f"{wrong!r} at {path}"
    assert not valid({**record, "more": 1})
    assert not valid([record])
    assert not valid({})


@pytest.mark.parametrize("name", VERSIONS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", VERSIONS)
def test_versions_are_those_of_the_schemas(name: str) -> None:
    found = schema(name)
    assert found["properties"]["schema_version"]["const"] == VERSIONS[name]
    assert found["$id"] == f"urn:diagflow:{name}:{VERSIONS[name]}"
    assert found["title"]
    assert found["description"].endswith(".")
    assert ("schema_version" in found["required"]) == (name != "series")


def test_there_is_a_file_for_every_format_and_no_other() -> None:
    folder = ROOT / "diagflow" / "schemas"
    assert {path.stem for path in folder.glob("*.json")} == set(VERSIONS)


def test_parts_with_one_name_are_one_thing_in_all_schemas() -> None:
    seen: dict[str, Any] = {}
    for name in VERSIONS:
        for part, value in schema(name).get("$defs", {}).items():
            assert seen.setdefault(part, value) == value, (name, part)
            assert {"title", "type"} <= set(value)
    assert len(seen) > 10


@pytest.mark.parametrize("name", VERSIONS)
def test_every_reference_leads_to_a_part_and_every_part_is_used(name: str) -> None:
    found = schema(name)
    used = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(found)))
    assert used == set(found.get("$defs", {}))
    assert '"$ref": "' not in re.sub(r'"\$ref": "#/\$defs/\w+"', "", json.dumps(found))


def test_an_unknown_format() -> None:
    with pytest.raises(InvalidInputError, match=r"format 'expanded': is not known; choose one of"):
        schema("expanded")
    with pytest.raises(InvalidInputError, match=r"format '': is not known"):
        versioned_text("", {})


def test_json_has_no_word_for_infinity() -> None:
    with pytest.raises(ValueError, match="JSON"):
        versioned_text("simulate", {"t": [float("inf")]})


@pytest.mark.parametrize(("name", "arguments", "status"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_outputs_are_valid_and_what_is_wrong_is_not(
    run: Run, name: str, arguments: tuple[str, ...], status: int
) -> None:
    ended, out, _ = run(*arguments, "--format", "json")
    assert ended == status
    record = strict(out)
    assert next(iter(record)) == "schema_version"
    errors = [
        f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(record)
    ]
    assert errors == []
    refuses_what_is_wrong(name, record)


def test_a_regime_without_a_solution(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from diagflow.show import solution as show_solution

    solution = show_solution.solution

    def refusing(found: Any, name: str) -> object:
        if name == "A":
            raise InvalidInputError("regime A: is not solved; choose another one")
        return solution(found, name)

    monkeypatch.setattr(show_solution, "solution", refusing)
    status, out, _ = run("solve", *SYM, "--list", "--terms", "2", "--format", "json")
    assert status == 0
    record = strict(out)
    assert record["solutions"][0]["method"] is None
    assert record["solutions"][0]["code"] == "invalid-input"
    refuses_what_is_wrong("solve-list", record)


def test_an_interrupted_expansion(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from expansion.series import LossSeries

    whole = LossSeries.__getitem__

    def interrupted(series: LossSeries, s: int) -> object:
        whole(series, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(LossSeries, "__getitem__", interrupted)
    status, out, _ = run("expand", *SYM, "--terms", "3", "--format", "json")
    assert status == 130
    record = strict(out)
    validator("expand").validate(record)
    assert [coefficient["s"] for coefficient in record["coefficients"]] == [0, 1]


def test_an_exhausted_budget_prints_nothing(run: Run) -> None:
    arguments = ("expand", *SYM, "--terms", "9", "--max-diagrams", "1", "--format", "json")
    assert run(*arguments)[:2] == (2, "")


def test_the_store(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "kept.sqlite3")
    assert run("expand", *SYM, "--store", path).code == 0
    status, out, _ = run("store", "info", "--store", path, "--format", "json")
    assert run("store", "info", "--store", path, "--json") == (status, out, "")
    assert status == 0
    refuses_what_is_wrong("store-info", strict(out))
    assert strict(out)["records"] == 3


class _Short:
    """An experiment that takes no time."""

    name = "short"
    title = "Nothing is simulated"

    def run(self, folder: Path, *, jobs: int, report: object) -> Outcome:
        assert folder.is_dir()
        return Outcome(self.name, holds=jobs == 1, lines=("one line",))


def test_the_file_of_the_gallery(tmp_path: Path) -> None:
    run_gallery([_Short(), _Short()], tmp_path, jobs=1, report=lambda _: None)
    record = strict((tmp_path / "gallery.json").read_text(encoding="utf-8"))
    refuses_what_is_wrong("gallery", record)
    assert len(record["experiments"]) == 2


def read(tmp_path: Path, record: object) -> bool:
    """Whether the reader takes a record."""
    path = tmp_path / "series.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    try:
        read_series_file(path)
    except InvalidInputError as error:
        assert "\n" not in str(error)
        return False
    return True


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "reference").glob("cp_*.json")))
def test_reference_records_are_series(path: Path, tmp_path: Path) -> None:
    record = strict(path.read_text(encoding="utf-8"))
    validator("series").validate(record)
    assert read(tmp_path, record)


def test_what_is_written_is_read(run: Run, tmp_path: Path) -> None:
    out = run("expand", "cp", "--order", "2", "--terms", "4", "--format", "json").out
    validator("series").validate(strict(out))
    path = tmp_path / "series.json"
    path.write_text(out, encoding="utf-8")
    status, printed, _ = run("regimes", str(path), "--growing", "p,H", "--format", "json")
    assert status == 0
    record = strict(printed)
    assert "family" not in record
    refuses_what_is_wrong("regimes", record)
    path.write_text(out.replace('"schema_version": 1', '"schema_version": 2'), encoding="utf-8")
    assert run("regimes", str(path))[:2] == (2, "")


@pytest.mark.parametrize("version", [0, 2, -1, 10**400, True, 1.0, 1.5, "1", None, [1], {}])
def test_a_series_of_another_version_is_not_read(version: object, tmp_path: Path) -> None:
    assert not read(tmp_path, {"schema_version": version, "coefficients": []})
    if version != 1 or version is True:
        assert not validator("series").is_valid({"schema_version": version, "coefficients": []})


terms = st.fixed_dictionaries(
    {},
    optional={
        "coefficient": st.one_of(
            st.sampled_from(["-27/2", "+3", "007", "0", "3/0", "3/-2", "1/00", "1.5", "", " 1"]),
            st.sampled_from(["6/4", "1/020", "١", "1_0", "1e3", "9" * 4000, "9" * 4001]),
            st.integers(-9, 9),
            st.sampled_from([0.5, True, None, [], {}]),
        ),
        "exponents": st.one_of(
            st.dictionaries(
                st.sampled_from(["p", "H", "sigma2", "_x", "", "2p", "p q", "σ"]),
                st.one_of(st.integers(-3, 3), st.sampled_from([0.5, "1", None, True])),
                max_size=2,
            ),
            st.sampled_from([None, [], "p"]),
        ),
        "note": st.just("kept"),
    },
)
coefficients = st.one_of(
    st.lists(st.lists(terms, max_size=3), max_size=2).map(
        lambda several: [{"s": s, "terms": held} for s, held in enumerate(several)]
    ),
    st.sampled_from([[{"s": 0}], [{"terms": []}], [{"s": 0, "terms": None}], {}, None, "Y_0"]),
)


@LAW
@given(coefficients)
def test_the_reader_takes_just_what_the_schema_of_series_allows(
    tmp_path_factory: pytest.TempPathFactory, given_coefficients: object
) -> None:
    record = {"coefficients": given_coefficients}
    assert read(tmp_path_factory.getbasetemp(), record) == validator("series").is_valid(record)
