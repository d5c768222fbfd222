"""The notebooks run from the first cell to the last, and the last one asserts what was claimed.

They are kept without outputs, so that a change of the text is the only change that shows. With the
environment variable DIAGFLOW_NOTEBOOKS the pages with their outputs are written into that folder.
"""

import ast
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 120
"""No cell takes longer, even on a busy machine."""


def run(source: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in a folder."""
    notebook = nbformat.read(source, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def kinds(notebook: nbformat.NotebookNode) -> set[str]:
    """The media types of what a notebook displayed."""
    return {
        kind
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", {})
    }


def kinds_of(cell: nbformat.NotebookNode) -> set[str]:
    """The media types of what one cell displayed."""
    return {kind for output in cell.outputs for kind in output.get("data", {})}


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """What one cell displayed as text."""
    return [output.get("data", {}).get("text/plain", "") for output in cell.outputs]


def test_a_variance_in_a_formula_is_a_square(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    for source in (
        "import sympy\nfrom diagflow import cp, loss_series",
        "loss_series(cp(order=2))[1].to_sympy()",
        "sympy.Symbol('sv2', positive=True) ** 2 / 3",
        "sympy.Symbol('x2') + 1",
    ):
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    path = tmp_path / "formula.ipynb"
    nbformat.write(notebook, path)
    shown = [cell.outputs[0]["data"]["text/latex"] for cell in run(path, tmp_path).cells[1:]]
    assert "\\sigma^{2}" in shown[0] and "\\sigma_{2}" not in shown[0]
    assert "\\mathit{sv}^{4}" in shown[1]
    assert "x_{2}" in shown[2], "what is not ours is written as sympy writes it"


def test_there_are_notebooks_in_order() -> None:
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, len(NOTEBOOKS) + 1))
    assert len(NOTEBOOKS) >= 8


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean_and_ends_with_its_claims(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    assert notebook.cells[-1].cell_type == "code"
    assert any(isinstance(node, ast.Assert) for node in ast.parse(notebook.cells[-1].source).body)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    work = tmp_path / "work"
    work.mkdir()
    notebook = run(path, work)
    assert not list(work.iterdir()), "a notebook leaves files behind"
    if path.stem == "01_a_first_expansion":
        assert "text/latex" in kinds(notebook)
    if path.stem == "02_diagrams":
        assert {"text/latex", "image/svg+xml"} <= kinds(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "image/png" not in kinds_of(cell):
            # No text stands for a figure that is not seen.
            assert "subplots" not in cell.source and "Figure(" not in cell.source
            assert not any("<Figure" in text for text in texts(cell))
    if folder := os.environ.get("DIAGFLOW_NOTEBOOKS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, Path(folder) / path.name)


def test_a_notebook_with_a_wrong_claim_is_found(tmp_path: Path) -> None:
    wrong = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert 1 + 1 == 3")])
    nbformat.write(wrong, tmp_path / "wrong.ipynb")
    with pytest.raises(Exception, match="AssertionError"):
        run(tmp_path / "wrong.ipynb", tmp_path)
