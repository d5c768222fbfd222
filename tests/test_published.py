"""What the site publishes beside its pages: maps and pages of the atlas, notebooks with outputs."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.atlas_page import figure, page
from diagflow.atlas.problems import PRESETS, described, listed
from diagflow.atlas.record import explorer_record
from diagflow.atlas.shapes import thumbnail
from expansion.regimes import regimes
from tests.test_coverage_page import TEN

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "published.py"))


def test_a_notebook_becomes_a_page_with_its_outputs(published: dict[str, Any]) -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "with $x^2$"]},
            {
                "cell_type": "code",
                "source": "```\nvalue",
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["said\n"]},
                    {
                        "output_type": "execute_result",
                        "data": {"text/plain": "<x>", "text/latex": "$\\displaystyle a < b$"},
                    },
                    {"output_type": "display_data", "data": {"image/png": "aGk=\n"}},
                    {"output_type": "display_data", "data": {"text/html": "<b>1</b>\n\n<i>2</i>"}},
                    {"output_type": "display_data", "data": {"text/plain": "plain"}},
                ],
            },
        ]
    }
    text = published["notebook_markdown"](notebook)
    assert "# Title\nwith $x^2$" in text
    assert "````python\n```\nvalue\n````" in text
    assert "```text\nsaid\n```" in text and "```text\nplain\n```" in text
    assert '<div class="arithmatex">a &lt; b</div>' in text
    assert 'src="data:image/png;base64,aGk="' in text
    assert "<div><b>1</b> <i>2</i></div>" in text


def test_the_page_of_the_atlas_has_a_map_of_every_problem() -> None:
    text = (DOCS / "results" / "atlas.md").read_text(encoding="utf-8")
    for name in listed([*PRESETS, str(ROOT / "examples")]):
        short = name.replace(f"{ROOT}/", "")
        if described(name).drive.step:
            continue  # a problem in discrete time has no map
        assert f"<code>{short}</code>" in text, short
    assert text.count("<figure>") >= 25
    for name in TEN:
        assert f"<code>examples/{name}.toml</code>" in text


@pytest.mark.parametrize("name", ["cp --order 2 --symmetric", "cp --order 2", "autoencoder"])
def test_a_map_on_the_page_is_the_one_that_is_computed(name: str) -> None:
    found = regimes(described(name), terms=8)
    kept = {"record": explorer_record(found, {}), "thumbnail": thumbnail(found)}
    assert figure(name, kept) in (DOCS / "results" / "atlas.md").read_text(encoding="utf-8")


def test_problems_without_data_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    record = {"problem": {"words": "the model"}, "regimes": [1, 2], "last_term": 3}
    kept = {"record": record, "thumbnail": "<svg/>"}
    (tmp_path / "data" / "cp-order-2.json").write_text(json.dumps(kept), encoding="utf-8")
    text = page(tmp_path, ["cp --order 2", "cp --order 3"])
    assert "The model<br><code>cp --order 2</code><br>2 regimes, s = 0 … 3" in text
    assert "order 3" not in text
