"""Nothing written is unexecuted: the blocks of README.md and of docs/*.md run.

A ``python`` block is a script, or a session if it has ``>>>``; blocks of one file share their
names, in order. In a ``console`` block every ``$ diagflow ...`` line is run and its output compared
with the lines below it, where a line that ends in ``...`` stands for any rest of that line, and a
line that is only ``...`` for any number of lines. Other commands in such blocks are not run here.
Both find the folder ``examples``.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGE_IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
ESTIMATE = re.compile(r"^diagflow: Y_\d+: about .*\n", re.MULTILINE)
"""A note on a slow machine only."""
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line it starts at."""

    language: str
    text: str
    line: int


def blocks(text: str, language: str) -> list[Block]:
    return [
        Block(match[1], match[2], text.count("\n", 0, match.start()) + 2)
        for match in BLOCK.finditer(text)
        if match[1] == language
    ]


def run_python(page: Path) -> int:
    """Run the python blocks of a page, return how many there are."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    found = blocks(page.read_text(encoding="utf-8"), "python")
    for block in found:
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(
                block.text, namespace, page.name, str(page), block.line - 1
            )
            report: list[str] = []
            runner = doctest.DocTestRunner(optionflags=OPTIONS)
            runner.run(test, out=report.append, clear_globs=False)
            namespace = test.globs
            assert runner.failures == 0, "".join(report)
        else:
            # Empty lines in front make the line numbers of a traceback those of the page.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page), "exec"), namespace)
    return len(found)


def sessions(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines shown below it."""
    result: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            result.append((line[2:], []))
        elif result:
            result[-1][1].append(line)
    return result


def pattern(shown: list[str]) -> str:
    """A regular expression for the output that some shown lines stand for."""
    pieces = []
    for line in shown:
        if line.strip() == "...":
            pieces.append(r"(?:[^\n]*\n)*?")
        elif line.endswith("..."):
            pieces.append(re.escape(line.removesuffix("...")) + r"[^\n]*\n")
        else:
            pieces.append(re.escape(line.rstrip()) + r" *\n")
    return "".join(pieces)


def check_session(command: str, shown: list[str], folder: Path) -> None:
    words = shlex.split(command, comments=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "diagflow", *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    printed = done.stdout + ESTIMATE.sub("", done.stderr)
    assert re.fullmatch(pattern(shown), printed), f"$ {command}\nprinted\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_the_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    run_python(page)


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_the_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for block in blocks(page.read_text(encoding="utf-8"), "console"):
        for command, shown in sessions(block.text):
            if command.startswith("diagflow"):
                check_session(command, shown, tmp_path)


def test_the_readme_has_an_example_and_a_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(blocks(text, "python")) >= 1
    shown = [command for block in blocks(text, "console") for command, _ in sessions(block.text)]
    assert any(command.startswith("diagflow expand") for command in shown)
    assert {"make demo", "make test"} <= set(shown)


def test_every_fence_is_closed_and_names_its_language() -> None:
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) % 2 == 0
        assert all(fences[::2]), f"{page.name}: a block without a language"
        assert not any(fences[1::2])


def test_the_links_between_our_files_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


# --- the test of the tests ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 + 1 == 3\n```\n",
        "```python\n>>> 1 + 1\n3\n\n```\n",
        "```python\nx = 1\n```\ntext\n```python\n>>> x\n2\n\n```\n",
    ],
)
def test_a_wrong_python_block_is_found(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        run_python(page)


def test_blocks_of_a_page_share_their_names(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nx = 1\n```\n```python\n>>> y = x + 1\n>>> y\n2\n\n```\n"
        "```python\nassert y == 2\n```\n",
        encoding="utf-8",
    )
    assert run_python(page) == 3


def test_a_wrong_session_is_found(tmp_path: Path) -> None:
    check_session("diagflow --version", ["diagflow ..."], tmp_path)
    check_session("diagflow --help", ["..."], tmp_path)
    with pytest.raises(AssertionError, match="printed"):
        check_session("diagflow --version", ["diagflow 99"], tmp_path)
    with pytest.raises(AssertionError, match="printed"):
        check_session("diagflow --version", [], tmp_path)
