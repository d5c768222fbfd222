"""The lock is complete and consistent: nothing has to be resolved when it is installed.

Every requirement that the metadata of a locked package states, with its extras and markers, is met
by a pin of the lock, for every Python and system that the project claims. The metadata are those of
the packages installed here; packages that only other systems need have none here and end a branch.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]*))?")
PYTHONS = ("3.11.4", "3.11.7", "3.12.1", "3.13.0", "3.14.0", "3.15.0")
SYSTEMS = {"linux": "Linux", "darwin": "Darwin"}

Pins = Mapping[str, str]


def lines(text: str) -> Iterator[tuple[str, str, str | None]]:
    """Name, version and marker of each pin."""
    for line in text.splitlines():
        if match := PIN.match(line):
            marker = match[3].strip() if match[3] else None
            yield canonicalize_name(match[1]), match[2], marker or None


def environment(python: str, system: str) -> dict[str, str]:
    return {
        **default_environment(),
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": system,
        "platform_system": SYSTEMS[system],
    }


def pins(text: str, where: Mapping[str, str]) -> Pins:
    """The versions that the lock installs in an environment."""
    found: dict[str, str] = {}
    for name, version, marker in lines(text):
        if marker is None or Marker(marker).evaluate(where):
            assert name not in found, f"{name} is pinned twice"
            found[name] = version
    return found


def unmet(locked: Pins, where: Mapping[str, str]) -> list[str]:
    """Requirements of the project and of the locked packages that no pin meets."""
    seen: set[tuple[str, str]] = set()
    waiting = [("diagflow", extra) for extra in ("", "cluster", "dev", "docs", "notebooks")]
    missing = []
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for text in required:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({**where, "extra": extra}):
                continue
            wanted = canonicalize_name(requirement.name)
            if wanted not in locked:
                missing.append(f"{name}[{extra}] wants {text}: not in the lock")
            elif not requirement.specifier.contains(locked[wanted], prereleases=True):
                missing.append(f"{name}[{extra}] wants {text}: locked is {locked[wanted]}")
            waiting += [(wanted, wish) for wish in ("", *requirement.extras)]
    return missing


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_of_every_locked_package_is_met(
    text: str, python: str, system: str
) -> None:
    where = environment(python, system)
    assert unmet(pins(text, where), where) == []


@pytest.mark.parametrize("name", ["coverage", "pyyaml", "pluggy", "mkdocs"])
def test_a_missing_pin_is_found(text: str, name: str) -> None:
    where = environment("3.12.1", "linux")
    locked = {k: v for k, v in pins(text, where).items() if k != name}
    assert any(f"wants {name}" in line.lower() for line in unmet(locked, where))


def test_a_pin_that_a_requirement_excludes_is_found(text: str) -> None:
    where = environment("3.12.1", "linux")
    locked = {**pins(text, where), "coverage": "6.0"}
    assert any("locked is 6.0" in line for line in unmet(locked, where))


def test_exactly_the_locked_versions_are_installed_here(text: str) -> None:
    locked = pins(text, default_environment())
    installed = {name: distribution(name).version for name in locked}
    assert installed == locked


def test_the_newest_claimed_python_is_tested() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    newest = ".".join(PYTHONS[-1].split(".")[:2])
    assert f"Python 3.11 to {newest}" in readme
