"""The environment that numbers depend on: versions of Python and libraries, BLAS threads.

Source: ours.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from threadpoolctl import threadpool_info

import diagflow
from diagflow.checking.findings import Finding, Verdict, listed

__all__ = ["check_versions", "describe_machine"]

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)$")


def describe_machine() -> tuple[tuple[str, str], ...]:
    """Names and versions: diagflow, Python, the required libraries, the libraries with threads.

    *engine* tells whether the compiled kernel of the engine is there: results do not depend on it,
    times do.

    Examples
    --------
    >>> dict(describe_machine())["diagflow"] == diagflow.__version__
    True
    """
    import numpy as np  # loads the linear algebra, so that its threads are listed

    from diagrams.engine import is_compiled

    found = [
        ("diagflow", diagflow.__version__),
        ("python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("engine", "compiled" if is_compiled() else "numpy alone"),
        ("numpy", np.__version__),
    ]
    found += [(name, held) for name, _, held in _required() if name != "numpy" and held]
    # Sorted: the libraries are listed in the order in which they happen to be loaded.
    pools = sorted(
        (pool["user_api"], pool["internal_api"], pool["version"] or "", pool["num_threads"])
        for pool in threadpool_info()
    )
    for number, (purpose, library, release, threads) in enumerate(pools, start=1):
        words = (library, release, f"{threads} thread{'s' * (threads != 1)}")
        found.append((f"{purpose} {number}", " ".join(word for word in words if word)))
    return tuple(found)


def check_versions() -> Finding:
    """Whether the libraries are at least as new as diagflow needs them."""
    required = tuple(_required())
    if not required:
        reason = "diagflow is not installed as a package, so that its requirements are not known"
        return Finding(None, "versions", Verdict.SKIPPED, reason)
    wrong = [
        f"{name} is {held or 'missing'}, {least} or newer is needed"
        for name, least, held in required
        if held is None or _numbers(held) < _numbers(least)
    ]
    if wrong:
        return Finding(None, "versions", Verdict.FAILED, listed(wrong))
    detail = f"{len(required)} libraries are as new as required"
    return Finding(None, "versions", Verdict.PASSED, detail)


def _required() -> Iterator[tuple[str, str, str | None]]:
    """Name, least version and installed version, None if it is missing."""
    try:
        lines = requires("diagflow") or []
    except PackageNotFoundError:
        return
    for line in lines:
        if match := _REQUIREMENT.match(line.strip()):
            try:
                held = version(match[1])
            except PackageNotFoundError:
                held = None
            yield match[1], match[2], held


def _numbers(text: str) -> tuple[int, ...]:
    """The release numbers in front of a version, without zeros at the end."""
    found = [int(digits) for digits in re.findall(r"\d+", re.split(r"[^0-9.]", text)[0])]
    while found and not found[-1]:
        found.pop()
    return tuple(found)
