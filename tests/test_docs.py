"""The documentation builds without a warning, and its reference is what the code says."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest

import diagflow
from diagflow.gallery import experiments
from expansion.models import PRESETS
from expansion.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does, every warning an error."""
    folder, made = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("made")
    (made / "atlas" / "data").mkdir(parents=True)
    (made / "atlas" / "index.html").write_text("<h1>The atlas</h1>", encoding="utf-8")
    (made / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One\n\n$x^2$")])
    nbformat.write(notebook, made / "notebooks" / "01_one.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "DIAGFLOW_PUBLISHED": str(made)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def visible(page: Path) -> str:
    """The text of a page without its tags."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_page_is_built(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert {path for path in pages if not (site / path).is_file()} == set()
    assert len(pages) > 15


def test_the_atlas_and_the_notebooks_are_published(site: Path) -> None:
    assert (site / "atlas" / "index.html").read_text(encoding="utf-8") == "<h1>The atlas</h1>"
    assert not (site / "atlas" / "data").exists()
    assert 'href="../atlas/index.html"' in (site / "results" / "atlas.html").read_text(
        encoding="utf-8"
    )
    assert ">One</a>" in (site / "tutorial" / "notebooks.html").read_text(encoding="utf-8")
    notebook = (site / "notebooks" / "01_one.html").read_text(encoding="utf-8")
    assert 'class="arithmatex"' in notebook and "../katex/katex.min.js" in notebook
    style = (site / "katex" / "katex.min.css").read_text(encoding="utf-8")
    assert "url(data:font/woff2" in style and "url(fonts" not in style
    assert (site / "katex" / "LICENSE").is_file()


def test_the_facade_is_documented_name_by_name(site: Path) -> None:
    text = (site / "reference" / "facade.html").read_text(encoding="utf-8")
    homes = {name: getattr(diagflow, name) for name in diagflow.__all__}
    missing = [
        name
        for name, value in homes.items()
        if f'id="{value.__module__}.{value.__qualname__}"' not in text
    ]
    assert missing == []


def test_examples_are_code_and_not_quotations(site: Path) -> None:
    sources = [path for path in (DOCS / "reference").glob("*.md") if "\n::: " in path.read_text()]
    assert len(sources) >= 5
    for page in sorted(site / "reference" / f"{path.stem}.html" for path in sources):
        text = page.read_text(encoding="utf-8")
        assert "<blockquote" not in text, page.name
        assert ">>> " in visible(page), page.name


def test_pages_need_no_network(site: Path) -> None:
    outside = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="?(https?:[^" >]+)')
    for page in sorted(site.rglob("*.html")):
        assert outside.findall(page.read_text(encoding="utf-8")) == [], page.name


def test_a_broken_link_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Here\n\n[there](there.md)\n", encoding="utf-8")
    validation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("validation:")[2]
    rules = validation.partition("nav:\n  - Home")[0]
    text = f"site_name: wrong\nvalidation:{rules}"
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "there.md" in done.stdout + done.stderr


def test_no_experiment_preset_target_or_example_is_left_out() -> None:
    """The tables of the pages name all of them."""
    simulation = (DOCS / "results" / "simulation.md").read_text(encoding="utf-8")
    problems = (DOCS / "reference" / "problems.md").read_text(encoding="utf-8")
    named = {
        simulation: [experiment.name for experiment in experiments(quick=True)],
        problems: [*PRESETS, *TARGETS, *(path.stem for path in (ROOT / "examples").glob("*.toml"))],
    }
    assert [
        name for page, names in named.items() for name in names if f"`{name}`" not in page
    ] == []
