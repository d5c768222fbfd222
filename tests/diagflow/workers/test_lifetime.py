"""Workers end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from diagflow.workers import lifetime as worker

ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

COMMANDS = {
    "expand": ("expand", "cp", "--order", "4", "--terms", "9", "--no-store"),
    "simulate": (
        *("simulate", "cp", "--order", "3", "--at", "p=24,H=48,sigma2=1e-3"),
        *("--times", "0:40:3", "--runs", "5000"),
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_left_of_a_command_that_is_killed(name: str) -> None:
    command = [sys.executable, "-m", "diagflow", *COMMANDS[name], "--jobs", "2", "--quiet"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        parent = psutil.Process(process.pid)
        busy: list[psutil.Process] = []
        end = time.monotonic() + 60
        # Workers and a process that tracks resources; two of them compute.
        while len(busy) < 2 and time.monotonic() < end:
            time.sleep(0.2)
            busy = [p for p in parent.children(recursive=True) if sum(p.cpu_times()[:2]) > 1]
        everyone = parent.children(recursive=True)
        process.kill()
    assert len(busy) == 2
    _, alive = psutil.wait_procs(everyone, timeout=20)
    assert alive == []


def test_the_first_process_waits_for_nobody() -> None:
    """It has no parent to end with: the call returns."""
    assert worker._end_with_parent() is None
