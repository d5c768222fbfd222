"""What a person sees whose machine lacks something: one line that says what to do, and a way on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ONE = "threadpoolctl"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with the installer, a lock of one package, and nothing else."""
    folder = tmp_path / "project"
    (folder / "tools").mkdir(parents=True)
    for name in ("install.py", "python"):
        shutil.copy(ROOT / "tools" / name, folder / "tools" / name)
    shutil.copy(ROOT / "Makefile", folder / "Makefile")
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{ONE}=="))
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith(" "))
    (folder / "requirements.lock").write_text("\n".join(lines[start:end]) + "\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "small"\nversion = "1"\n')
    return folder


def cut_off(**more: str) -> dict[str, str]:
    """An environment in which pip reaches no index and has no cache."""
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**kept, **nowhere, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "1", **more}


def install(
    folder: Path, environment: Mapping[str, str], *, user: int | None = None
) -> subprocess.CompletedProcess[str]:
    python = sys.executable if user is None else python_of_everybody()
    command = [python, "tools/install.py", "--venv", ".venv"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, user=user, timeout=120
    )


def python_of_everybody() -> str:
    """A Python that another user may run: those of a person's own folder are out of reach."""
    own, base = Path(sys.executable), Path(sys.base_prefix) / "bin" / "python3"
    for python in (own, base):
        if all(folder.stat().st_mode & 0o001 for folder in python.resolve().parents):
            return str(python)
    pytest.skip("no Python here is in the reach of another user")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("version", ["3.10.13", "2.7.18"])
def test_an_old_python_is_named_with_what_to_do(tmp_path: Path, version: str) -> None:
    old = tmp_path / "python3"
    old.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit\nexit 1\n')
    old.chmod(0o755)
    command = ["sh", str(ROOT / "tools" / "python")]
    named = subprocess.run([*command, str(old)], capture_output=True, text=True)
    assert named.returncode == 1
    assert len(named.stderr.splitlines()) == 1
    assert f"Python {version}" in named.stderr and "PYTHON=" in named.stderr


def test_no_python_at_all_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / "tools" / "python")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "PYTHON=" in done.stderr


def test_a_newer_python_is_found_behind_an_old_python3(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    (tmp_path / "python3.12").symlink_to(sys.executable)
    done = subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / "tools" / "python")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "python3.12\n"


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_missing_venv_module_is_one_line(project: Path, tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError('not packaged')\n")
    said = one_line(install(project, cut_off(PYTHONPATH=str(tmp_path))))
    assert "venv module" in said and "-venv" in said


def test_no_network_is_one_line_and_the_next_run_begins_anew(project: Path) -> None:
    said = one_line(install(project, cut_off()))
    assert "connection" in said and "install.log" in said
    assert not (project / ".venv" / "installed.json").exists()
    assert "connection" in one_line(install(project, cut_off()))


def test_a_folder_that_cannot_be_written_is_one_line(project: Path) -> None:
    nobody = 65534 if os.geteuid() == 0 else None
    readable = [project, *project.parents]
    old = {path: path.stat().st_mode for path in readable if path.owner() != "nobody"}
    try:
        for path in readable:
            if path.stat().st_uid == os.getuid():
                path.chmod(path.stat().st_mode | 0o055)
        project.chmod(0o555)
        said = one_line(install(project, cut_off(), user=nobody))
    finally:
        for path, mode in old.items():
            if path.stat().st_uid == os.getuid():
                path.chmod(mode)
    assert "writable" in said


def test_a_file_in_the_place_of_the_environment_is_one_line(project: Path) -> None:
    (project / ".venv").write_text("")
    assert "remove it" in one_line(install(project, cut_off()))


def test_an_interrupt_is_one_line_and_half_an_environment_is_made_again(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "tools/install.py", "--venv", ".venv"],
        cwd=project,
        env=cut_off(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (project / ".venv" / "pyvenv.cfg").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1].startswith("installation interrupted")
    assert "connection" in one_line(install(project, cut_off()))


def test_what_is_finished_is_not_done_again(project: Path) -> None:
    """A finished environment is recognised without pip; a changed lock is not taken for it."""
    import hashlib

    def digest(name: str) -> str:
        return hashlib.sha256((project / name).read_bytes()).hexdigest()

    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    state = {
        "lock": digest("requirements.lock"),
        "root": str(project),
        "project": digest("pyproject.toml"),
    }
    (project / ".venv" / "installed.json").write_text(json.dumps(state))
    done = install(project, cut_off())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (project / "requirements.lock").open("a").write("# changed\n")
    assert "connection" in one_line(install(project, cut_off()))


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("ERROR: No matching distribution found for scipy==1.18.1", "scipy==1.18.1"),
        ("(from versions: none)\nERROR: No matching distribution found for a==1", "network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "locked"),
        ("OSError: [Errno 28] No space left on device", "space"),
        ("a 1.0 requires b, which is not installed.", "requires b"),
        ("", "without a word"),
    ],
)
def test_every_failure_of_pip_is_explained_in_one_line(output: str, word: str) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert word in module.explanation(output)
    assert "\n" not in module.explanation(output)
