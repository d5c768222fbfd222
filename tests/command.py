"""A command as the tests run it: inside this process, the fixture `run`, or in one of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

ROOT = Path(__file__).resolve().parents[1]

TERMINAL = {
    *("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR", "PY_COLORS", "COLUMNS"),
    *("TTY_COMPATIBLE", "TTY_INTERACTIVE"),
}
"""What the terminal that runs the tests may say of colours and width; no command sees it."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in TERMINAL} | {
    "PYTHONPATH": str(ROOT),
    "DIAGFLOW_STORE": "off",
    "TERM": "xterm-256color",
    "COLUMNS": "80",
}
"""That of a command in a process of its own."""


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Run a command, its name first, and collect what it leaves behind."""

    def __call__(self, *arguments: str) -> Result: ...


def process(*arguments: str) -> Result:
    """Run a command in a process of its own, its output into pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "diagflow", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    return Result(done.returncode, done.stdout, done.stderr)
