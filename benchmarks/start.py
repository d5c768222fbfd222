"""Commands from a cold start: what somebody waits for who types one line.

Every command runs in a fresh process, and so does ``python -c "import numpy, scipy, sympy"``, in
turns: the time of the one over that of the other is what is compared with the declared limit. Times
are seconds of processor time of the whole process, which do not depend on who else uses the
machine, and medians of some turns. The store is off, or it is a new file that one run has filled
before.

Source: ours.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.cases import StartCase

__all__ = ["TURNS", "Start", "measure"]

TURNS = 3
"""How often each command runs."""

PATIENCE = 300
"""Seconds after which a command is stopped."""

_IMPORTS = ("-c", "import numpy, scipy, sympy")


@dataclass(frozen=True)
class Start:
    """A command: its seconds, those of the imports in the same turns, and its exit status."""

    case: StartCase
    seconds: float
    imports: float
    status: int

    @property
    def ratio(self) -> float:
        return self.seconds / self.imports

    @property
    def met(self) -> bool:
        """Whether the command succeeded within its limit."""
        found = self.ratio if self.case.relative else self.seconds
        return self.status == 0 and found <= self.case.limit


def measure(
    case: StartCase, *, turns: int = TURNS, follow: Callable[[float], None] | None = None
) -> Start:
    """Run a command and the imports in turns.

    Parameters
    ----------
    case
        The command.
    turns
        How often.
    follow
        Called with the seconds of every turn.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = "off" if not case.stored else str(Path(folder) / "coefficients.sqlite3")
        environment = {**os.environ, "DIAGFLOW_STORE": store}
        words = [word.replace("FOLDER", folder) for word in shlex.split(case.command)]
        command = ("-m", "diagflow", *words)
        if case.stored:
            _seconds(command, environment)
        own, imports, status = [], [], 0
        for _ in range(turns):
            imports.append(_seconds(_IMPORTS, environment)[0])
            seconds, ended = _seconds(command, environment)
            own.append(seconds)
            status = status or ended
            if follow is not None:
                follow(seconds)
    return Start(case, median(own), median(imports), status)


def _seconds(arguments: tuple[str, ...], environment: Mapping[str, str]) -> tuple[float, int]:
    """Processor seconds and exit status of a run of Python."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=Path(__file__).resolve().parents[1],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    after = os.times()
    used = after.children_user - before.children_user
    return used + after.children_system - before.children_system, done.returncode
