"""A command begins without libraries that it does not ask for."""

import subprocess
import sys

import pytest

START = "from diagflow.workers.startup import import_igraph_without_matplotlib as load; load()"

CHECKS = {
    "not loaded": "assert not {name for name in sys.modules if name.startswith('matplotlib')}",
    "loaded later": "import matplotlib.pyplot; assert matplotlib.pyplot.figure",
    "labels": "from expansion.models import cp; assert cp(order=2).loss",
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_igraph_comes_without_a_plotting_library(check: str) -> None:
    code = f"import sys; {START}; {check}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_plotting_library_that_is_there_stays() -> None:
    code = f"import sys, matplotlib; {START};assert sys.modules['matplotlib'] is matplotlib"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_command_does_not_load_one() -> None:
    code = (
        "import sys; from diagflow.cli import app;"
        "app(['expand', 'cp', '--order', '2', '--terms', '1'], standalone_mode=False);"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
