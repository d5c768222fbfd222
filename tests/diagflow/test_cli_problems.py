"""The argument PROBLEM: presets, files, losses and observables, and what does not go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from expansion.models import (
    PRESETS,
    autoencoder,
    cp,
    deep_linear,
    tied_autoencoder,
    two_layer,
)
from expansion.problem import Problem
from expansion.series import LossSeries
from expansion.series_records import read_series
from tests.command import ROOT, Run


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the names of the examples begin."""
    monkeypatch.chdir(ROOT)


def record_of(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, err = run("expand", *arguments, "--terms", "2", "--format", "json")
    assert (status, err) == (0, "")
    record: dict[str, Any] = json.loads(out)
    return record


DESCRIBED = {
    "cp --target teacher": cp(target="teacher"),
    "cp --order 2 --symmetric --target spiked": cp(order=2, symmetric=True, target="spiked"),
    "cp --asymmetric --target modular-addition": cp(target="modular-addition"),
    "autoencoder": autoencoder(),
    "autoencoder --data": autoencoder(data=True),
    "tied-autoencoder": tied_autoencoder(),
    "tied-autoencoder --data": tied_autoencoder(data=True),
    "deep-linear": deep_linear(3),
    "deep-linear --depth 4 --target zero": deep_linear(4, target="zero"),
    "two-layer": two_layer(2),
    "two-layer --degree 3 --target teacher": two_layer(3, target="teacher"),
}


@pytest.mark.parametrize(("arguments", "problem"), DESCRIBED.items(), ids=DESCRIBED)
def test_expand_a_preset(run: Run, arguments: str, problem: Problem) -> None:
    record = record_of(run, *arguments.split())
    assert record["family"] == problem.family
    for name, value in problem.options:
        assert record[name] == value
    series = LossSeries(problem)
    assert list(read_series(record["coefficients"])) == [series[s] for s in range(3)]
    assert record.get("loss") == ("train" if "--data" in arguments else None)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda p: p.stem)
def test_expand_an_example(run: Run, path: Path) -> None:
    status, out, err = run("expand", str(path.relative_to(ROOT)), "--terms", "1")
    assert (status, err) == (0, "")
    assert out.count("\nY_") == 2


def test_a_combination_of_targets(run: Run) -> None:
    target = "identity + 1/2*beta*teacher"
    record = record_of(run, "cp", "--order", "2", "--target", target)
    series = LossSeries(cp(order=2, target=target))
    assert list(read_series(record["coefficients"])) == [series[s] for s in range(3)]
    assert record["target"] == target


@pytest.mark.parametrize("loss", ["train", "population"])
def test_a_loss_against_the_reference(run: Run, loss: str) -> None:
    path = ROOT / "tests" / "reference" / "tied_autoencoder_data.json"
    reference = json.loads(path.read_text(encoding="utf-8"))[loss]
    record = record_of(run, "tied-autoencoder", "--data", "--loss", loss)
    assert record["loss"] == loss
    assert record["data"] == "gaussian"
    assert read_series(record["coefficients"]) == read_series(reference[:3])


def test_an_observable_of_a_preset_and_of_a_file(run: Run) -> None:
    record = record_of(run, "autoencoder", "--observable", "ntk-trace")
    assert record["observable"] == "ntk-trace"
    assert "loss" not in record
    status, out, _ = run(
        "expand", "examples/deep_linear.toml", "--observable", "first-layer", "--terms", "0"
    )
    assert (status, out) == (0, "deep linear network observable=first-layer\nY_0 = p*H*sigma2\n")


@pytest.mark.parametrize("form", ["text", "latex"])
def test_sizes_that_are_left_out_are_told(run: Run, form: str) -> None:
    arguments = ["--symmetric", "--target", "modular-addition", "--terms", "1", "--format", form]
    status, out, _ = run("expand", "cp", *arguments)
    assert status == 0
    assert "for p without a common factor with 2\n" in out
    _, out, _ = run("expand", "cp", "--symmetric", "--terms", "1", "--format", form)
    assert "common factor" not in out


BAD = {
    "cp --data": "--data: does not describe cp, which takes --order, --symmetric, --target; leave",
    "cp --depth 3": "--depth: does not describe cp, which takes --order, --symmetric, --target; ",
    "tied-autoencoder --order 2": "--order: does not describe tied-autoencoder, which takes --data",
    "two-layer --symmetric": "--symmetric: does not describe two-layer, which takes --degree, --t",
    "examples/cp_order3.toml --order 3": "--order: does not describe examples/cp_order3.toml, wh",
    "deep-linear --depth 1": "depth 1: a deep linear network has from 2 to 100 weight matrices; ",
    "two-layer --degree 0": "degree 0: an activation has a degree from 1 to 6; give another deg",
    "perceptron": "problem 'perceptron': is not a known preset; choose one of cp, autoencoder, ",
    "none.toml": "problem 'none.toml': cannot be read (No such file or directory); check its name",
    "pyproject.toml": "pyproject.toml, line 1: build-system: is not known here; expected family,",
    "cp --loss population": "loss 'population': cp has no such loss or observable; choose one of",
    "cp --observable trian": "loss 'trian': cp has no such loss or observable; choose one of",
    "cp --loss train --observable alignment": "--loss and --observable: name one thing to follow",
    "cp --target identity*": "formula 'identity*': has the end in column 10; expected a name, a ",
}


@pytest.mark.parametrize(("arguments", "message"), BAD.items(), ids=BAD)
def test_bad_input_is_one_line(run: Run, arguments: str, message: str) -> None:
    status, out, err = run("expand", *arguments.split())
    assert status == 2
    assert out == ""
    assert err.startswith(f"diagflow: error: {message}")
    assert err.count("\n") == 1
    assert err.endswith("\n")


@pytest.mark.parametrize("command", ["regimes", "solve", "simulate", "compare"])
def test_the_other_commands_read_problems_alike(run: Run, command: str) -> None:
    status, _, err = run(command, "tied-autoencoder", "--degree", "2")
    assert status == 2
    assert "--degree: does not describe tied-autoencoder" in err


def test_the_presets_are_in_the_facade() -> None:
    import diagflow

    for name in PRESETS:
        assert getattr(diagflow, name.replace("-", "_")) is PRESETS[name]
    problem = diagflow.read_problem_file(ROOT / "examples" / "tied_autoencoder_data.toml")
    assert diagflow.loss_series(problem, loss="population")[0] == diagflow.loss_series(problem)[0]
