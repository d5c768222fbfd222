"""Check the first commands of a newcomer with every Python on this machine.

usage: python tools/check_install.py [--python NAME]... [--pip own|newest|both]
                                     [--tests] [--no-wheel]

For each Python, and for the pip of its ``venv`` and for the newest one: a clean clone of the commit
at hand, in a folder of its own outside the working tree, ``make demo`` interrupted on the way, then
``make demo`` to the end. Both pips must have installed the same packages; what does not depend on
pip is therefore done once for each Python: ``make test`` with ``--tests``, and the wheel and the
sdist are built, the wheel of the sdist is installed into a second clean environment, and the
commands run from another folder without a network.

The packages come from wherever pip is set up to find them. Ends with the status 1 at the first
failure, with the last lines of its output.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NEWEST = (3, 20)

COMMAND_SECONDS = 600.0
"""No command of a newcomer may take longer, the first installation included."""

TEST_SECONDS = 2400.0
"""The tests take a quarter of an hour on two cores; a busy machine has more."""

FROM_WHEEL = (
    ("demo",),
    ("regimes", "cp", "--order", "4", "--symmetric", "--plot", "x.svg"),
    ("check",),
)
"""What an installed wheel has to do, package data (schemas, styles) included."""


class CheckError(Exception):
    """A command of the path did not end as it should."""


def main() -> int:
    """Run the checks that the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(description="Check the installation with every Python here.")
    parser.add_argument("--python", action="append", help="a Python instead of all that are found")
    parser.add_argument("--pip", choices=("own", "newest", "both"), default="both")
    parser.add_argument("--tests", action="store_true", help="run make test as well")
    parser.add_argument("--no-wheel", action="store_true", help="build no wheel and no sdist")
    options = parser.parse_args()
    # In the background a shell ignores interrupts, and so would the installation that is given one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pythons = list(_pythons(options.python))
    if not pythons:
        print("check of the installation: no Python 3.11 or newer was found", file=sys.stderr)
        return 1
    if _output("git", "status", "--porcelain", cwd=ROOT):
        print("note: the clones have the last commit, not what is uncommitted here")
    pips = ("own", "newest") if options.pip == "both" else (options.pip,)
    try:
        for python, version in pythons:
            packages = [
                _check(
                    python,
                    f"Python {version}, {pip} pip",
                    newest_pip=pip == "newest",
                    tests=options.tests and pip == pips[0],
                    wheel=not options.no_wheel and pip == pips[0],
                )
                for pip in pips
            ]
            if any(found != packages[0] for found in packages):
                raise CheckError(f"Python {version}: two pips installed different packages")
    except CheckError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"the first commands work with {len(pythons)} Python(s)")
    return 0


def _pythons(named: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """The Pythons to check, each once, with their versions."""
    candidates = list(named or [])
    if not named:
        names = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1])]
        candidates += [found for name in ("python3", *names) if (found := shutil.which(name))]
        managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        candidates += [str(path) for path in sorted(managed.glob("*/bin/python3"))]
    seen = set()
    for candidate in candidates:
        ask = "import sys; v = sys.version_info; print(v >= (3, 11), sys.base_prefix, *v[:3])"
        try:
            fits, prefix, *numbers = _output(candidate, "-c", ask).split(" ")
        except (OSError, subprocess.CalledProcessError):
            continue
        version = ".".join(numbers)
        if fits == "True" and (prefix, version) not in seen:
            seen.add((prefix, version))
            yield str(Path(prefix) / "bin" / "python3") if not named else candidate, version


def _check(python: str, title: str, *, newest_pip: bool, tests: bool, wheel: bool) -> str:
    """Walk the path in a clean clone; the packages that were installed, with their versions."""
    print(f"{title}:", flush=True)
    with tempfile.TemporaryDirectory(prefix="diagflow-check-") as name:
        folder = Path(name)
        clone = folder / "clone"
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True
        )
        make = ["make", f"PYTHON={python}", *(["INSTALL=--newest-pip"] if newest_pip else [])]
        _interrupted([*make, "install"], cwd=clone)
        _run([*make, "demo"], cwd=clone, title="make demo, after an interruption")
        if tests:
            _run([*make, "test"], cwd=clone, title="make test", seconds=TEST_SECONDS)
        if wheel:
            _check_wheel(python, clone, folder)
        locked = str(clone / ".venv" / "bin" / "python")
        frozen = _output(locked, "-m", "pip", "freeze", "--all", "--exclude-editable", cwd=clone)
        return "\n".join(line for line in frozen.splitlines() if not line.startswith("pip=="))


def _interrupted(command: Sequence[str], *, cwd: Path) -> None:
    """Start an installation and interrupt it while pip is at work, like a person with Ctrl-C."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=_clean_environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = cwd / ".venv" / "install.log"
    while process.poll() is None and not (log.exists() and log.stat().st_size > 2000):
        time.sleep(0.1)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    if process.wait() == 0:
        raise CheckError("an interrupted installation ended with the status 0")


def _check_wheel(python: str, clone: Path, folder: Path) -> None:
    """Build the sdist, the wheel from it, install that elsewhere and use it without a network."""
    locked = clone / ".venv" / "bin" / "python"
    dist = folder / "dist"
    build = "from setuptools import build_meta; print(build_meta.build_{}({!r}))"
    _run([locked, "-c", build.format("wheel", str(dist))], cwd=clone, title="wheel")
    _run([locked, "-c", build.format("sdist", str(dist))], cwd=clone, title="sdist")
    shutil.unpack_archive(next(dist.glob("*.tar.gz")), folder / "unpacked", filter="data")
    source = next((folder / "unpacked").iterdir())
    again = folder / "from-sdist"
    _run(
        [locked, "-c", build.format("wheel", str(again))], cwd=source, title="wheel from the sdist"
    )
    fresh = folder / "fresh"
    _run([python, "-m", "venv", fresh], cwd=folder, title="a second environment")
    pip = [
        fresh / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
    ]
    lock = ["--require-hashes", "--only-binary", ":all:", "-r", clone / "requirements.lock"]
    _run([*pip, *lock], cwd=folder, title="locked packages")
    _run([*pip, "--no-index", next(again.glob("*.whl"))], cwd=folder, title="the wheel installed")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for arguments in FROM_WHEEL:
        command = [*_offline(), fresh / "bin" / "diagflow", *arguments]
        _run(command, cwd=elsewhere, title=f"diagflow {' '.join(arguments)}")


def _offline() -> tuple[str, ...]:
    """What puts a command into a network of its own that leads nowhere, where the system has it."""
    unshare = ("unshare", "--net", "--map-root-user")
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        print("  (this system cannot take the network away; the commands keep it)")
        return ()
    return unshare


def _run(
    command: Sequence[str | Path], *, cwd: Path, title: str, seconds: float = COMMAND_SECONDS
) -> None:
    """Run a command of the path in a session of its own, which ends as a whole with its limit."""
    start = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=_clean_environment(),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except BaseException as error:
        # What the command started (pip, pytest and its workers) would continue without it.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise CheckError(f"{title}: did not end within {seconds:g} seconds") from error
        raise
    if process.returncode:
        end = "\n".join(output.splitlines()[-25:])
        raise CheckError(f"{end}\n{title}: ended with the status {process.returncode}")
    print(f"  {title}: {time.monotonic() - start:.0f} s", flush=True)


def _clean_environment() -> Mapping[str, str]:
    """The environment without what a developer's shell would add to a newcomer's."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("DIAGFLOW_")
    }


def _output(*command: str, cwd: Path | None = None) -> str:
    return subprocess.run(
        command, cwd=cwd, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
