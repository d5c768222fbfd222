"""Tables fit the terminal, and stay as they are where there is none."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace

import pytest

from diagflow.columns import counted, hanging, table, terminal_width
from diagflow.show import regimes as show_regimes
from diagflow.show import solution as show_solution
from expansion.models import cp
from expansion.regimes import regimes
from tests.command import Run


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
def test_no_row_is_wider_than_asked_for_and_no_word_is_lost(width: int) -> None:
    rows = [
        ("regime", "conditions", "T", "learning"),
        ("V1-V2-V3-V4-V5", "H/p -> oo, p*H*sigma2**3 ~ 1, " * 6, "p**2*H*sigma2", "rich"),
        ("A", "sizes grow", "1", "lazy"),
    ]
    lines = table(rows, width=width)
    assert max(map(len, lines)) <= max(width, 3 * 2 + 2 * 12 + len("learning") + 12)
    if width >= 60:
        assert max(map(len, lines)) <= width
        assert "\n".join(lines).count(" ~ 1") == 6  # a relation is not broken
    assert sorted(re.sub(r"\s", "", "".join(lines))) == sorted(
        re.sub(r"\s", "", "".join(map("".join, rows)))
    )


def test_without_a_width_every_row_is_one_line() -> None:
    rows = [("a", "b" * 300), ("c", "d")]
    assert table(rows) == [f"a  {'b' * 300}", "c  d"]
    assert hanging("x " * 200, 4) == ["x " * 200]


def test_maps_and_lists_of_solutions_fit_80_columns() -> None:
    found = regimes(cp(order=2, target="teacher"), terms=4)
    text = show_regimes.text(found, width=80)
    rows = text.partition("regime ")[2].partition("\n\n")[0]
    assert max(map(len, show_regimes.text(found).splitlines())) > 80
    assert max(map(len, rows.splitlines())) <= 80
    listed = [{"regime": r.name, "method": None, "reason": "why " * 40} for r in found]
    longest = max(len(row["regime"]) for row in listed)
    for row in listed:
        entry = show_solution.list_entry(row, longest=longest, width=80)
        assert max(map(len, entry.splitlines())) <= 80


@pytest.mark.parametrize(("terminal", "width"), [(True, 70), (False, None)])
def test_only_a_terminal_has_a_width(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, width: int | None
) -> None:
    # In the module alone: others ask for the size of the terminal too, with arguments.
    size = SimpleNamespace(get_terminal_size=lambda: os.terminal_size((70, 20)))
    stream = SimpleNamespace(isatty=lambda: terminal)
    monkeypatch.setattr("diagflow.columns.shutil", size)
    monkeypatch.setattr("diagflow.columns.sys", SimpleNamespace(stdout=stream))
    assert terminal_width() == width


def test_one_thing_is_singular(run: Run) -> None:
    assert counted(1, "time") == "1 time"
    done = run(
        *("compare", "cp", "--order", "2", "--symmetric", "--regime", "A-B-E", "--runs", "2"),
        *("--at", "p=16,H=16,sigma2=1/16", "--times", "1:1:1", "--terms", "4"),
    )
    said = done.out + done.err
    assert not re.search(r"\b1 (times|runs|coefficients|regimes|vertices)\b", said), said
    assert "2 runs" in said
