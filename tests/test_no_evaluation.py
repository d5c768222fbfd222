"""Nothing that comes from outside is ever evaluated: by the sources, and by running the commands.

The syntax trees of the packages are walked for calls that evaluate a text, for modules that build
objects out of bytes and for shells. sympy's own parser evaluates what it is given, and many of its
functions hand texts to it silently: so commands run once with that parser taken away.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Run

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("diagrams", "expansion", "pde", "diagflow")

EVALUATING = {
    *("eval", "exec", "compile", "__import__", "sympify", "parse_expr", "parse_latex", "S"),
    *("mathematica_code", "parse_mathematica", "parse_maxima", "nsimplify", "runpy", "run_path"),
    *("system", "popen", "literal_eval", "unpickle", "read_pickle", "numexpr"),
}
"""Names of functions that evaluate a text, or build what a text says."""

HARMLESS = {"re.compile", "platform.system"}
"""Functions of the same names that make a pattern and tell the name of a machine."""

ALLOWING = {"shell": "starts a shell", "allow_pickle": "allows pickles"}
"""Arguments that have to be false."""

OBJECTS_FROM_BYTES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}

OWN_CHILD = "pde/characteristics/integrable.py"
"""It pickles expressions to and from a process that it starts itself, through pipes."""


def found(source: str) -> Iterator[str]:
    """What evaluates a text in a module, one line each."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name.partition(".")[0] in OBJECTS_FROM_BYTES:
                        yield f"line {node.lineno}: imports {alias.name}"
            case ast.ImportFrom(module=str(module), names=names):
                if module.partition(".")[0] in OBJECTS_FROM_BYTES:
                    yield f"line {node.lineno}: imports {module}"
                for alias in names:
                    if alias.name in EVALUATING:
                        yield f"line {node.lineno}: imports {module}.{alias.name}"
            case ast.Call(func=function, keywords=keywords):
                name = getattr(function, "id", getattr(function, "attr", ""))
                if name in EVALUATING and ast.unparse(function) not in HARMLESS:
                    yield f"line {node.lineno}: calls {name}"
                for word in keywords:
                    allowed = not isinstance(word.value, ast.Constant) or word.value.value
                    if word.arg in ALLOWING and allowed:
                        yield f"line {node.lineno}: {ALLOWING[word.arg]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_evaluates_nothing(package: str) -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): list(found(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert lines
    child = lines.pop(OWN_CHILD, None)
    assert (child is None) == (package != "pde")
    if child is not None:
        assert len(child) == 1 and child[0].endswith("imports pickle")
    assert {path: evaluating for path, evaluating in lines.items() if evaluating} == {}


def test_the_pickles_of_the_child_come_through_pipes_only() -> None:
    """What is unpickled is the output of a process that was started in the same function, or the
    standard input of that process."""
    source = (ROOT / OWN_CHILD).read_text(encoding="utf-8")
    loads = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pickle.load", "pickle.loads")
    ]
    assert sorted(loads) == ["pickle.load(sys.stdin.buffer)", "pickle.loads(answer.stdout)"]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import pickle, os", ["line 1: imports pickle"]),
        ("from pickle import loads", ["line 1: imports pickle"]),
        ("from sympy import sympify as s", ["line 1: imports sympy.sympify"]),
        ("def f(x):\n    return eval(x)", ["line 2: calls eval"]),
        ("sympy.parse_expr(text)", ["line 1: calls parse_expr"]),
        ("sympy.S(text)", ["line 1: calls S"]),
        ("compile(text, '', 'exec')", ["line 1: calls compile"]),
        ("subprocess.run(text, shell=True)", ["line 1: starts a shell"]),
        ("numpy.load(file, allow_pickle=True)", ["line 1: allows pickles"]),
        (
            "numpy.load(file, allow_pickle=False)\nre.compile(text)\n"
            "subprocess.run(words, shell=False)\nsympy.Symbol(name)",
            [],
        ),
    ],
)
def test_what_evaluates_is_found(source: str, lines: list[str]) -> None:
    assert list(found(source)) == lines


HOSTILE = """
family = "__import__('os').abort()"
amplitudes = ["exec", "lambda"]
[axes]
p = "growing"
H = "growing"
[tensors.eval]
kind = "weight"
axes = ["H", "p"]
variance = "__class__"
[losses.train]
outputs = ["i", "j"]
model = "eval[k,i] eval[k,j]"
target = "exec identity - lambda identity"
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["expand", "{file}", "--terms", "2", "--format", "latex"],
        ["expand", "{file}", "--terms", "1", "--format", "json"],
        ["regimes", "{file}", "--terms", "4", "--format", "latex"],
        ["simulate", "{file}", "--at", "p=3,H=2,__class__=1,exec=1,lambda=0", "--times", "0:1:3"],
        [
            *("solve", "cp", "--order", "2", "--symmetric", "--terms", "3", "--regime", "A-B-E"),
            *("--at", "p=8,H=4,sigma2=1/8", "--times", "0:1:3", "--format", "latex"),
        ],
        [
            *("solve", "cp", "--order", "2", "--terms", "4", "--regime", "C-D"),
            *("--at", "p=8,H=64,sigma2=1/64", "--times", "0:1:3"),
        ],
        [
            *("solve", "tied-autoencoder", "--data", "--terms", "3", "--regime", "mean-field"),
            *("--at", "p=64,H=512,N=64,sigma2=1/512", "--times", "0:1:3"),
        ],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_commands_run_without_the_parser_of_sympy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    arguments: list[str],
) -> None:
    """Names of tensors and symbols that would be expressions reach no evaluation."""
    import sympy.parsing.sympy_parser as parser
    import sympy.physics.units  # noqa: F401  (imported when needed, and reads names of its own then)

    texts: list[str] = []

    def refuse(text: str, *_: object, **__: object) -> object:
        texts.append(text)
        raise AssertionError(f"sympy was given {text!r} to evaluate")

    monkeypatch.setattr(parser, "parse_expr", refuse)
    monkeypatch.setattr(parser, "eval_expr", refuse)
    file = tmp_path / "hostile.toml"
    file.write_text(HOSTILE, encoding="utf-8")
    words = [word.replace("{file}", str(file)) for word in arguments]
    done = run(*words)
    assert texts == []
    assert done.code == 0, done.err
    assert done.out


def test_the_parser_of_sympy_is_the_one_that_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above could not fail."""
    import sympy
    import sympy.parsing.sympy_parser as parser

    def refuse(text: str, *_: object, **__: object) -> object:
        raise AssertionError(text)

    monkeypatch.setattr(parser, "parse_expr", refuse)
    with pytest.raises(AssertionError, match=r"^1 \+ 1$"):
        sympy.sympify("1 + 1")
