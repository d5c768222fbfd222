"""The list of tests that take long."""

from __future__ import annotations

import re
from pathlib import Path

from tests.long_tests import KEPT, chosen, long_tests

ROOT = Path(__file__).resolve().parents[1]

REPORT = """
9.00s call     tests/test_a.py::test_one
0.50s setup    tests/test_a.py::test_one
8.00s call     tests/test_b.py::test_two[x]
7.00s call     tests/test_b.py::test_two[y]
6.00s call     tests/test_layering.py::test_kept
1.00s call     tests/test_c.py::test_three[a b]
"""


def test_the_longest_leave_and_a_case_of_every_test_stays() -> None:
    assert chosen(REPORT, 1000) == []
    assert chosen(REPORT, 25) == ["tests/test_a.py::test_one"]
    assert chosen(REPORT, 1) == ["tests/test_a.py::test_one", "tests/test_b.py::test_two[x]"]


def test_the_list_leaves_what_always_runs() -> None:
    assert not [name for name in long_tests() if name.startswith(KEPT)]


def test_the_list_names_tests_that_exist() -> None:
    for name in long_tests():
        file, function, *_ = re.split(r"::|\[", name)
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), name
