"""What all tests rely on, and what those of commands share; `tests.command` has the types.

No test touches the store in the user's cache; those about stores name a file. And an interrupt
interrupts: a shell that runs the tests in the background lets them, and all they start, ignore it.
"""

import os
import signal
from pathlib import Path

import pytest

from diagflow.cli import main
from tests.command import TERMINAL, Result, Run
from tests.long_tests import long_tests

os.environ["DIAGFLOW_STORE"] = "off"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the list as slow."""
    listed = long_tests()
    for item in items:
        if item.nodeid in listed:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command inside this process; what a library prints from C counts as its output."""
    for name in TERMINAL:
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["diagflow", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        return Result(int(exit_.value.code or 0), *capfd.readouterr())

    return call


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
