"""Imports point one way, diagflow → pde → expansion → diagrams, and presentation stays on top.

Within a package no modules import each other in a circle, and the engine has one door.

The syntax trees are read, so that an import inside a function, or one for type checking only,
counts like any other.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("diagrams", "expansion", "pde", "diagflow")  # from the bottom up
PRESENTATION = {"click", "matplotlib", "mpl_toolkits", "pylab", "rich", "typer"}
DATABASES = {
    *("apsw", "dbm", "diskcache", "duckdb", "lmdb", "peewee", "psycopg", "psycopg2"),
    *("pymongo", "redis", "shelve", "sqlalchemy", "sqlite3"),
}
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every module that a module of ``package`` imports."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, level=level):
                parts = package.split(".")
                base = parts[: len(parts) - level + 1] if level else []
                yield node.lineno, ".".join([*base, *([module] if module else [])])
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def violations(source: str, package: str) -> list[str]:
    """What is wrong with the imports of a module of ``package``, one line each."""
    layer = package.partition(".")[0]
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    barred = above if layer == LAYERS[-1] else above | PRESENTATION | DATABASES
    return [
        f"line {line}: {package} imports {name}"
        for line, name in imports(source, package)
        if name.partition(".")[0] in barred
    ]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def edges(sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Which module imports which, those for type checking only included."""
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                members = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in sources else node.module for name in members]
            yield from ((module, name) for name in names if name in sources and name != module)


def circles(sources: Mapping[str, str]) -> list[list[str]]:
    """Modules that import each other, directly or on a way around."""
    graph = nx.DiGraph(edges(sources))
    return [sorted(c) for c in nx.strongly_connected_components(graph) if len(c) > 1]


def intruders(sources: Mapping[str, str], wing: str) -> list[str]:
    """Who imports the inside of a wing from outside."""
    return [
        f"{module} imports {name}"
        for module, name in edges(sources)
        if name.startswith(f"{wing}.") and not f"{module}.".startswith(f"{wing}.")
    ]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles({module_of(path): path.read_text(encoding="utf-8") for path in MODULES}) == []


def test_the_engine_has_one_door() -> None:
    sources = {module_of(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert intruders(sources, "diagrams.engine") == []


def test_geometry_knows_nothing_of_regimes() -> None:
    sources = {module_of(path): path.read_text(encoding="utf-8") for path in MODULES}
    inside = [pair for pair in edges(sources) if pair[0].startswith("expansion.geometry.")]
    assert inside
    assert [
        (module, name)
        for module, name in inside
        if not name.startswith("expansion.geometry.") and name != "diagrams.errors"
    ] == []


def test_circles_and_intruders_are_found() -> None:
    sources = {
        "a": "from b import x\nimport e.door",
        "b": "if TYPE_CHECKING:\n    from c import y",
        "c": "def f():\n    import a",
        "d": "from e import inside",
        "e": "from e.inside import z",
        "e.inside": "from e.other import w",
        "e.other": "",
        "e.door": "",
    }
    assert circles(sources) == [["a", "b", "c"]]
    assert intruders(sources, "e") == ["a imports e.door", "d imports e.inside"]


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_package_imports_nothing_from_above(layer: str) -> None:
    modules = [path for path in MODULES if path.is_relative_to(ROOT / layer)]
    assert ROOT / layer / "__init__.py" in modules
    assert [
        f"{path.relative_to(ROOT)}, {violation}"
        for path in modules
        for violation in violations(path.read_text(encoding="utf-8"), package_of(path))
    ] == []


@pytest.mark.parametrize(
    ("package", "source", "name"),
    [
        ("diagrams", "import expansion.series", "expansion.series"),
        ("diagrams", "from pde import recurrence", "pde"),
        ("expansion", "def f():\n    from diagflow.cli import main", "diagflow.cli"),
        ("expansion", "if TYPE_CHECKING:\n    import pde as q", "pde"),
        ("pde.solutions", "import importlib\nimportlib.import_module('diagflow')", "diagflow"),
        ("pde", "__import__('diagflow.cli')", "diagflow.cli"),
        ("pde", "import numpy, matplotlib.pyplot as plt", "matplotlib.pyplot"),
        ("diagrams", "from rich import print", "rich"),
        ("expansion", "def f():\n    import sqlite3", "sqlite3"),
    ],
)
def test_a_forbidden_import_is_found(package: str, source: str, name: str) -> None:
    (found,) = violations(source, package)
    assert found.endswith(f"{package} imports {name}")


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("diagflow", "import matplotlib, sqlite3, typer, pde, expansion, diagrams"),
        ("pde", "from expansion.series import LossSeries\nimport diagrams"),
        ("pde.solutions", "from . import free\nfrom .. import equation\nfrom ..moments import m"),
        ("diagrams", "import igraph\nfrom .tensors import Axis"),
        ("expansion", "import diagrams_of_others, pdes\nname = 'diagflow'"),
    ],
)
def test_an_allowed_import_is_not_found(package: str, source: str) -> None:
    assert violations(source, package) == []


def test_a_relative_import_has_its_absolute_name() -> None:
    source = "from . import free\nfrom ..moments import m\nfrom .. import equation"
    found = [name for _, name in imports(source, "pde.solutions")]
    assert found == ["pde.solutions", "pde.moments", "pde"]


def repeated_classes(paths: Mapping[str, str]) -> dict[str, list[str]]:
    """The modules of every class name that more than one of them defines, by their sources."""
    places: dict[str, list[str]] = {}
    for module, source in paths.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    return {name: modules for name, modules in places.items() if len(modules) > 1}


def test_the_name_of_a_class_has_one_meaning() -> None:
    benches = sorted((ROOT / "benchmarks").glob("*.py"))
    sources = {module_of(path): path.read_text(encoding="utf-8") for path in [*MODULES, *benches]}
    assert repeated_classes(sources) == {}
    seeded = {**sources, "pde.flow": "class Flow: ..."}
    assert repeated_classes(seeded) == {"Flow": ["diagrams.flow", "pde.flow"]}
