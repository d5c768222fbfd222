"""The scripts in examples/ run from any folder and print something; the verbs have one each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
VERBS = {
    *("expand", "regimes", "derive", "solve", "simulate", "compare"),
    *("draw", "correlators", "report"),
}


def test_every_verb_has_a_script() -> None:
    assert {script.stem for script in SCRIPTS} >= VERBS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_script_runs(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # Where matplotlib looks for a font it may print which one it takes.
    noted = [line for line in done.stderr.splitlines() if not line.startswith("findfont: ")]
    assert done.stdout.strip() and not noted
    assert not [*tmp_path.iterdir()]
