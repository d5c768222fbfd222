"""Which tests only `make test-all` runs because they take long: tests/reference/long_tests.txt.

    python -m pytest -n 2 --durations=0 -vv > durations.txt
    python -m tests.long_tests durations.txt 1500

writes the list anew: the longest tests, until the others take no more than so many seconds of one
processor together. Of a test with parameters the shortest case always stays, and so do those named
in `KEPT`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

FILE = Path(__file__).parent / "reference" / "long_tests.txt"

KEPT = (
    "tests/test_docs.py",
    "tests/test_layering.py",
    "tests/test_messages.py",
    "tests/test_readme.py::test_the_commands_print_what_is_shown[README.md]",
    "tests/test_readme.py::test_the_commands_print_what_is_shown[docs/tutorial",
)
"""Beginnings of the names of tests that always run."""

_LINE = re.compile(r"^(\d+\.\d+)s (?:call|setup|teardown) +(\S.*)$", re.MULTILINE)


def long_tests() -> frozenset[str]:
    """The names of the tests on the list."""
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    return frozenset(line for line in lines if line and not line.startswith("#"))


def chosen(durations: str, rest: float) -> list[str]:
    """The longest tests of a report of pytest, until the others take no more than a time."""
    times: Counter[str] = Counter()
    for seconds, name in _LINE.findall(durations):
        times[name] += float(seconds)  # type: ignore[assignment]
    cases: Counter[str] = Counter(name.split("[")[0] for name in times)
    total, found = sum(times.values()), []
    for name, seconds in times.most_common():
        if total <= rest:
            break
        function = name.split("[")[0]
        alone = cases[function] == 1
        if name.startswith(KEPT) or (alone and "[" in name):
            continue
        cases[function] -= 1
        total -= seconds
        found.append(name)
    return sorted(found)


def main(durations: str, rest: str) -> None:
    """Write the list."""
    names = chosen(Path(durations).read_text(encoding="utf-8", errors="replace"), float(rest))
    head = "# Tests that take long, written by `python -m tests.long_tests`.\n"
    FILE.write_text(head + "".join(f"{name}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
