"""A value is one line as a repr, a report as a str, and a table where pandas is installed."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import is_dataclass
from fractions import Fraction
from types import SimpleNamespace

import pytest

import diagflow
from diagflow import InvalidInputError, cp, loss_series, regimes, simulate, solve
from expansion.polynomial import Polynomial
from pde.solving import solution

PACKAGES = {"diagrams", "expansion", "pde", "diagflow"}
AT = {"p": 16, "H": 8, "sigma2": Fraction(1, 512)}


@pytest.fixture(scope="module")
def values() -> dict[str, object]:
    problem = cp(order=2, symmetric=True)
    found = regimes(problem, terms=4)
    series = loss_series(problem)
    series[2]
    return {
        "problem": problem,
        "regimes": found,
        "regime": found["A-B-E"],
        "exponents": found.exponents,
        "series": series,
        "solution": solution(found, "A-B-E"),
        "evolution": solve(found, "A-B-E", at=AT),
        "simulation": simulate(problem, at=AT, times=[0, 1], runs=3, seed=1),
        "derived": diagflow.derive(found, "B-E"),
        "separated": diagflow.derive(regimes(cp(order=2), terms=4), "C-D"),
    }


def test_a_repr_is_one_line(values: dict[str, object]) -> None:
    for name, value in values.items():
        assert len(repr(value)) < 160 and "\n" not in repr(value), name
        assert " at 0x" not in repr(value), name
    assert "sigma2 = 1/512" in repr(values["evolution"])


def reached(value: object, met: dict[int, object], depth: int = 8) -> None:
    """All values of the packages inside one, by their identity."""
    if id(value) in met or depth == 0:
        return
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()][:20]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = [*value][:20]
    elif type(value).__module__.split(".")[0] in PACKAGES:
        met[id(value)] = value
        fields = dataclasses.fields(value) if is_dataclass(value) else ()
        parts = [getattr(value, f.name) for f in fields if not f.name.startswith("_")]
    else:
        return
    for part in parts:
        reached(part, met, depth - 1)


def test_whatever_is_inside_has_a_short_repr(values: dict[str, object]) -> None:
    """Of a public class: its name has no underscore. A polynomial is read back from its repr."""
    met: dict[int, object] = {}
    for value in values.values():
        reached(value, met)
    named = {type(value).__name__ for value in met.values()}
    assert {"Diagram", "Network", "DerivationStep", "CoreTerm", "NewtonPolyhedron"} <= named
    long = {
        type(value).__name__: repr(value)
        for value in met.values()
        if not type(value).__name__.startswith("_")
        and not isinstance(value, Polynomial)
        and ("\n" in repr(value) or " at 0x" in repr(value) or len(repr(value)) > 200)
    }
    assert long == {}


def test_a_str_is_the_report(values: dict[str, object]) -> None:
    assert "A-B-E" in str(values["regimes"]) and "natural T" in str(values["regimes"])
    assert "Y_2 = " in str(values["series"]) and "Y_3" not in str(values["series"])
    for name in ("solution", "evolution"):
        assert "closed-form" in str(values[name]) and "E[L(t)] ~ " in str(values[name])
    assert "sigma2 = 1/512" in str(values["evolution"])
    assert "standard error" in str(values["simulation"])
    assert "Reduced potential" in str(values["derived"])


def test_a_report_shows_no_latex(values: dict[str, object]) -> None:
    for name in ("solution", "evolution", "regimes", "series"):
        assert "\\" not in str(values[name]), name


def test_a_notebook_shows_mathematics(values: dict[str, object]) -> None:
    table = values["regimes"]._repr_html_()  # type: ignore[attr-defined]
    assert table.count("<tr>") == 8 and "H/p -&gt; 0" in table
    assert "Y_{1} &= " in values["series"]._repr_latex_()  # type: ignore[attr-defined]
    assert loss_series(cp(order=2))._repr_latex_() is None
    assert "\\tau" in values["solution"]._repr_latex_()  # type: ignore[attr-defined]


def test_tables_are_data_frames(values: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    frames = {
        name: values[name].to_frame()  # type: ignore[attr-defined]
        for name in ("regimes", "series", "simulation")
    }
    frames["evolution"] = values["evolution"].to_frame([0, 1])  # type: ignore[attr-defined]
    for name, frame in frames.items():
        assert len({len(column) for column in frame.values()}) == 1, name
    assert frames["regimes"]["regime"][-1] == "A-B-E"
    rows = zip(
        *(frames["series"][k] for k in ("s", "coefficient", "p", "H", "sigma2")), strict=True
    )
    assert (0, Fraction(-1), 1, 1, 1) in rows
    assert frames["evolution"]["t"] == [0, 1]
    assert frames["simulation"]["standard_error"][0] > 0


def test_without_pandas_the_remedy_is_told(
    values: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidInputError, match="install it"):
        values["regimes"].to_frame()  # type: ignore[attr-defined]
