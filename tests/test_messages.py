"""Errors: a code for every kind, words for Python in the library, and all of them in one file."""

import re
from pathlib import Path

import pytest

import diagrams.errors
from diagflow.wording import as_options
from diagrams.errors import DiagflowError, InvalidInputError
from expansion.models import cp
from expansion.regimes import regimes
from pde.systems.enclosure import EnclosureError
from tests.messages import FILE, kinds, text

ROOT = Path(__file__).resolve().parents[1]


def test_the_file_has_all_messages() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "python -m tests.messages"
    assert text().count("\n") > 300


def test_every_kind_has_a_code_of_its_own() -> None:
    classes = {}
    for layer in ("diagrams", "expansion", "pde", "diagflow"):
        for path in (ROOT / layer).rglob("*.py"):
            found = re.findall(r"^class ([A-Z]\w*Error)\((.*)\):", path.read_text("utf-8"), re.M)
            classes.update(found)
    family = {name for name in classes if name in kinds()}
    assert family == {
        name for name, base in classes.items() if base.split(",")[0] in {*kinds(), "Exception"}
    }
    assert len(set(kinds().values())) == len(kinds())
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in kinds().values())
    assert EnclosureError.code == "enclosure" and issubclass(EnclosureError, DiagflowError)
    assert diagrams.errors.CapacityError.code == kinds()["CapacityError"] == "capacity"


def test_the_library_speaks_python_and_the_command_line_options() -> None:
    with pytest.raises(InvalidInputError) as error:
        regimes(cp(), terms=-1)
    assert error.value.code == "invalid-input"
    assert str(error.value).startswith("terms=-1: ")
    assert as_options(error.value).startswith("--terms -1: ")
    assert as_options("cp order=2 terms: p = 3") == "cp order=2 terms: p = 3"


def test_no_message_of_the_layers_below_has_an_option() -> None:
    allowed = re.compile(r"expand --(format json|steps)")
    for layer in ("diagrams", "expansion", "pde"):
        for path in (ROOT / layer).rglob("*.py"):
            for words in re.findall(r'"[^"\n]*"', path.read_text("utf-8")):
                assert not re.search(r"(?<!-)--[a-z]", allowed.sub("", words)), f"{path}: {words}"
