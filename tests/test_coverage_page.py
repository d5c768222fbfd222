"""The page that says which regimes are solved: its cases, its counts and what a limit leaves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import coverage
from benchmarks.coverage import CASES, SOLVED, WAYS, CoverageCase, page, run, way

ROOT = Path(__file__).resolve().parents[1]
TEN = {
    "coupled_factorisations",
    "deep_residual",
    "gated_autoencoder",
    "quadratic_input",
    "rank_one",
    "rectangular_data",
    "shared_factor_tensor",
    "tucker",
    "two_teachers",
    "two_variances",
}


def row(**changes: object) -> dict[str, object]:
    return {
        "regime": "A",
        "method": "closed-form",
        "origin": "derived",
        "hierarchy": "none",
        "cores": None,
        "remark": "",
        "matched": 5,
        "compared": 5,
        "start": None,
        "stop": None,
        "why": "",
        "confirmations": None,
        "seconds": 1.0,
    } | changes


def test_every_case_is_a_problem() -> None:
    assert len({case.slug for case in CASES}) == len(CASES)
    for case in CASES:
        assert coverage.problem_of(case.arguments).losses
    assert {f"examples/{name}.toml" for name in TEN} <= {case.name for case in CASES}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "closed form"),
        ({"method": "moments", "hierarchy": "one site"}, "one site"),
        ({"method": "moments"}, "characteristics, moments"),
        ({"method": "moments", "hierarchy": "words"}, "a spectrum"),
        (
            {"method": "resummed", "hierarchy": "words", "step": "Free matrices", "stop": 0.7},
            "free matrices",
        ),
        (
            {"method": "resummed", "hierarchy": "words", "step": "Free matrices", "stop": None},
            "free matrices to the end",
        ),
        ({"method": "characteristics", "hierarchy": "finite system"}, "finite system"),
        ({"method": "resummed", "hierarchy": "words"}, "approximants"),
        ({"method": "resummed", "hierarchy": "words", "confirmations": 4.0}, WAYS[6]),
        ({"method": None, "reason": "no"}, "no answer"),
        ({"method": None, "limit": True, "reason": "late"}, "not reached"),
    ],
)
def test_ways(changes: dict[str, object], expected: str) -> None:
    assert way(row(**changes)) == expected


def test_the_counts_of_a_page() -> None:
    rows = [
        {"regimes": ["A", "B", "C"], "terms": 4, "seconds": 0.5},
        row(),
        row(regime="B", method="resummed", compared=0, matched=0, stop=0.25),
        {"regime": "C", "method": None, "limit": True, "reason": "not within 1 s"},
    ]
    text = page(
        [(CoverageCase("presets", ("cp",)), rows), (CoverageCase("presets", ("x",)), [])], 1
    )
    assert "**1 of 3 regimes (33 %)" in text and "2 have an answer" in text
    assert "| `cp` | 3 | 1 | 1 | 1 |" in text
    assert "| `x` | no map within 1 s |" in text
    assert "| B | approximants |  | 0.25 | estimated | 1.0 |" in text
    assert "| C | not reached |  |  | not within 1 s |  |" in text


def test_a_problem_in_a_process_of_its_own() -> None:
    rows = run(CoverageCase("problem files", ("examples/quadratic_input.toml",)), 120)
    assert rows[0]["regimes"] == [found["regime"] for found in rows[1:]]
    assert [way(found) for found in rows[1:]] == ["closed form"] * 3


def test_a_limit_leaves_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is stopped as soon as it has printed its map."""
    script = (
        "import json, time; print(json.dumps({'regimes': ['A'], 'terms': 2, 'seconds': 0}), "
        "flush=True); print('{\"regime\"', end='', flush=True); time.sleep(60)"
    )
    whole = coverage.subprocess.Popen

    def started(command: list[str], **options: object) -> object:
        return whole([command[0], "-c", script], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(coverage.subprocess, "Popen", started)
    monkeypatch.setattr(coverage, "PATIENCE", 1)
    monkeypatch.setattr(coverage, "EACH", 0)
    rows = run(CoverageCase("presets", ("cp",)), 3)
    assert rows[1]["limit"] and "not within the limit" in json.dumps(rows)


def test_the_committed_page_adds_up() -> None:
    text = (ROOT / "docs" / "results" / "coverage.md").read_text(encoding="utf-8")
    found = re.search(r"\*\*(\d+) of (\d+) regimes", text)
    assert found is not None
    solved, total = map(int, found.groups())
    lines = [
        line.split(" | ") for line in text.splitlines() if re.match(r"\| [^|]+ \| .* \|$", line)
    ]
    ways = [cells[1] for cells in lines if len(cells) == 6 and cells[1] in WAYS]
    assert (sum(name in SOLVED for name in ways), len(ways)) == (solved, total)
    assert f"| **all** | {total} |" in text
