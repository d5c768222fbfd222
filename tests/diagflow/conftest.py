"""What the tests of commands share; `tests.diagflow.command` has the types."""

from pathlib import Path

import pytest

from diagflow.cli import main
from tests.diagflow.command import TERMINAL, Result, Run


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
