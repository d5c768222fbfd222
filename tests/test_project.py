"""The project's own files: nothing of the machine they were made on, and a lock that pins all."""

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("diagrams", "expansion", "pde", "diagflow")

# Put together from pieces, because this file must not contain what it forbids.
REGISTRY_HOSTS = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("anaconda", "org"),
        ("conda", "anaconda"),
        ("deb", "debian"),
        ("proxy", "golang"),
        ("rubygems", "org"),
    )
)
MACHINE_PATH = re.compile(r"(?<![\w.~$}*)\]-])/(?:home|root|work|Users)/\w|file:/{2}/")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;[^\\]*)?(?: \\)?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text files in git, and those on their way there (not ignored), by name."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not in a git repository")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    found = {}
    for name in sorted(set(listing.decode().split("\0")) - {""}):
        if (ROOT / name).is_file():
            content = (ROOT / name).read_bytes()
            if b"\0" not in content:
                found[name] = content.decode()
    return found


@pytest.fixture(scope="module")
def lock() -> dict[str, list[str]]:
    """The pins of the lock, ``name==version``, each with its lines of hashes."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if match := PIN.match(line):
            pin = f"{normalised(match['name'])}=={match['version']}"
            pins[pin] = []
        else:
            assert HASH.match(line), f"neither a pin nor a hash: {line!r}"
            pins[pin].append(line)
    return pins


def test_no_file_names_a_package_registry(texts: dict[str, str]) -> None:
    named = [
        (name, host) for name, text in texts.items() for host in REGISTRY_HOSTS if host in text
    ]
    assert named == []


def test_no_file_has_a_path_of_a_machine(texts: dict[str, str]) -> None:
    paths = [(name, hit[0]) for name, text in texts.items() for hit in MACHINE_PATH.finditer(text)]
    assert paths == []


@pytest.mark.parametrize("start", ["home", "root", "work", "Users"])
def test_a_path_of_a_machine_is_found(start: str) -> None:
    path = f"/{start}/main"
    assert all(
        MACHINE_PATH.search(text) for text in (path, f'"{path}"', f"see {path}", f"({path})")
    )
    assert not any(
        MACHINE_PATH.search(text) for text in (f"docs{path}", f"..{path}", f"${{X}}{path}")
    )


def test_every_pin_of_the_lock_has_a_hash(lock: dict[str, list[str]]) -> None:
    assert lock
    assert [pin for pin, hashes in lock.items() if not hashes] == []


def test_the_lock_has_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for mark in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", " @ "):
        assert mark not in text


def test_the_lock_pins_every_requirement(lock: dict[str, list[str]]) -> None:
    pinned = {pin.partition("==")[0] for pin in lock}
    extras = project()["optional-dependencies"].values()
    required = [*project()["dependencies"], *(name for extra in extras for name in extra)]
    names = {normalised(re.split(r"[^\w.-]", requirement)[0]) for requirement in required}
    assert names - pinned == set()


def test_pyproject_and_package_have_one_version() -> None:
    text = (ROOT / "diagflow" / "version.py").read_text(encoding="utf-8")
    versions = [
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and re.match(r"VERSION\b", ast.unparse(node))
    ]
    assert versions == [project()["version"]]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_package_is_marked_as_typed(layer: str) -> None:
    assert (ROOT / layer / "py.typed").is_file()
