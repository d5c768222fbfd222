"""All messages of errors in one file, so that their wording is read and improved in one place.

    python -m tests.messages

writes ``tests/reference/messages.txt`` anew: a line for every message that an error is made with in
the code, its variable parts as ``{expression}``, under the code of its kind.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import diagrams.errors

__all__ = ["FILE", "messages", "text"]

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tests" / "reference" / "messages.txt"
LAYERS = ("diagrams", "expansion", "pde", "diagflow")


def template(node: ast.expr) -> str | None:
    """The words of a literal text, None if it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                parts.append("{" + ast.unparse(part.value) + "}")
            elif isinstance(part, ast.Constant):
                parts.append(str(part.value))
        return "".join(parts)
    return None


@cache
def kinds() -> dict[str, str]:
    """The codes of the errors of the family by the names of their classes."""
    found = {name: getattr(diagrams.errors, name).code for name in diagrams.errors.__all__}
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    for line in node.body:
                        if (
                            isinstance(line, ast.Assign)
                            and ast.unparse(line.targets[0]) == "code"
                            and node.name.endswith("Error")
                        ):
                            found[node.name] = ast.literal_eval(line.value)
    return found


def messages() -> Iterator[tuple[str, str]]:
    """The code and the words of every message."""
    codes = kinds()
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = ast.unparse(node.func).rpartition(".")[2]
                words = template(node.args[0])
                if name in codes and words is not None:
                    yield codes[name], " ".join(words.split())


@cache
def text() -> str:
    """The file: the codes in order, under each its messages in order."""
    found = sorted(set(messages()))
    lines = []
    for code in sorted({code for code, _ in found}):
        lines += [f"[{code}]", *(words for kind, words in found if kind == code), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
