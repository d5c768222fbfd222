"""Install diagflow into a virtual environment: exactly the locked files, then the project itself.

usage: python tools/install.py [--venv FOLDER] [--same-python] [--newest-pip]

Nothing is resolved. pip gets every package by name, version and hash from ``requirements.lock``
with ``--no-deps``, so that no release made after the lock changes what is installed. Resolving in
hash mode is what breaks: pip before 24 does not see ``name==1`` as a pin for ``name[extra]``, takes
the newest release instead, and finds no hash for it. ``pip check`` then proves that the set is
complete.

What is finished is written down in the environment, so that an interrupted run is made again and a
finished one costs nothing. Whatever goes wrong ends in one line on stderr and exit status 1; the
output of pip is kept in ``install.log`` inside the environment.

Runs on the standard library alone, with the Python that the environment is made from.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
BUILT_FROM = ("pyproject.toml", "diagrams/engine/arrays/kernel.c")
"""What the project is built from; where one of them is changed it is installed again."""
STATE = "installed.json"
LOG = "install.log"

DIVERTING = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
)
"""Settings of pip that would put the packages elsewhere, or others in their place."""

NO_CONNECTION = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|ProxyError|SSLError"
    r"|Failed to establish a new connection|Temporary failure in name resolution|Max retries"
    r"|Connection (?:reset|refused|aborted|broken)"
)
NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
OTHER_FILE = re.compile(r"DO NOT MATCH THE HASHES")
NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")


class InstallError(Exception):
    """What a person can do something about; its text is one line."""


def main() -> int:
    """Install what is not installed yet; the exit status."""
    parser = argparse.ArgumentParser(description="Install diagflow into a virtual environment.")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="the environment")
    parser.add_argument(
        "--same-python",
        action="store_true",
        help="make the environment again if it was made from another version of Python",
    )
    parser.add_argument(
        "--newest-pip", action="store_true", help="install with the newest pip, not the bundled one"
    )
    options = parser.parse_args()
    try:
        install(options.venv, same_python=options.same_python, newest_pip=options.newest_pip)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninstallation interrupted: run the same command again", file=sys.stderr)
        return 130
    except OSError as error:
        place = error.filename or options.venv
        print(
            f"installation: cannot write {place} ({error.strerror}); "
            "make room or make it writable, then run the same command again",
            file=sys.stderr,
        )
        return 1
    return 0


def install(venv: Path, *, same_python: bool = False, newest_pip: bool = False) -> None:
    """Bring an environment to the state of the lock and of ``pyproject.toml``.

    Raises
    ------
    InstallError
        If the Python has no ``venv``, the packages cannot be had, or they do not fit together.
    """
    done = _state(venv)
    packages = {"lock": _digest(LOCK), "root": str(ROOT)}
    if same_python:
        packages["python"] = sys.version
    built_from = [ROOT / name for name in BUILT_FROM]
    project = "".join(_digest(path) for path in built_from if path.is_file())
    if any(done.get(key) != value for key, value in packages.items()):
        _make_environment(venv, newest_pip=newest_pip)
        _install_packages(venv)
        done = {**packages, "python": sys.version}
        _write_state(venv, done)
    if done.get("project") != project:
        _pip(venv, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        _write_state(venv, {**done, "project": project})


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _state(venv: Path) -> dict[str, str]:
    """What a finished run wrote down; nothing if the environment does not run any more."""
    try:
        found = json.loads((venv / STATE).read_text(encoding="utf-8"))
        subprocess.run([_python(venv), "-c", ""], check=True, capture_output=True)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_state(venv: Path, state: dict[str, str]) -> None:
    new = venv / (STATE + ".new")
    new.write_text(json.dumps(state, indent=1), encoding="utf-8")
    new.replace(venv / STATE)


def _make_environment(venv: Path, *, newest_pip: bool) -> None:
    try:
        import ensurepip  # noqa: F401
        from venv import EnvBuilder
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise InstallError(
            f"installation: {sys.executable} has no venv module; install it (on Debian and Ubuntu "
            f"the package python{version}-venv), or name another Python with PYTHON="
        ) from None
    if venv.exists() and not venv.is_dir():
        raise InstallError(f"installation: {venv} is not a folder; remove it")
    try:
        EnvBuilder(with_pip=True, clear=True, upgrade_deps=newest_pip).create(venv)
    except subprocess.CalledProcessError as error:
        said = (error.output or b"").decode(errors="replace").strip().splitlines()
        raise InstallError(
            f"installation: {sys.executable} cannot make an environment in {venv} "
            f"({said[-1] if said else error}); name another Python with PYTHON="
        ) from None


def _install_packages(venv: Path) -> None:
    number = sum(1 for _ in _pins())
    print(f"Installing the locked packages into {venv.name} (a minute or two) ...", flush=True)
    seen = 0

    def show(line: str) -> None:
        nonlocal seen
        if line.startswith(("Collecting ", "Processing ")):
            seen += 1
            print(f"\r  {min(seen, number)} of at most {number}", end="", flush=True)

    watch = show if sys.stdout.isatty() else None
    options = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-user")
    _pip(venv, "install", *options, "--requirement", str(LOCK), watch=watch)
    if watch:
        print()
    _pip(venv, "check")


def _pins() -> Iterator[str]:
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            yield line


def _pip(venv: Path, *arguments: str, watch: Callable[[str], None] | None = None) -> None:
    """Run pip, its output going to the log."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {*DIVERTING, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }
    command = [_python(venv), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    lines = []
    with (
        (venv / LOG).open("a", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            lines.append(line)
            if watch:
                watch(line)
    if process.returncode:
        if watch:
            print()
        raise InstallError(f"installation: {explanation(''.join(lines))} (see {venv / LOG})")


def explanation(output: str) -> str:
    """What a failed run of pip means, and what to do, in one line.

    >>> explanation("ERROR: No matching distribution found for scipy==1.18.1").split(";")[0]
    'there is no wheel of scipy==1.18.1 for this Python and system'
    """
    if NO_SPACE.search(output):
        return "no space left on the disk; make room, then run the same command again"
    if NO_CONNECTION.search(output):
        return (
            "the packages could not be downloaded for want of a connection; check the network and "
            "the settings of pip, then run the same command again"
        )
    if "(from versions: none)" in output and (match := NO_WHEEL.search(output)):
        return (
            f"no file of {match[1]} was found; check the network and the settings of pip, or name "
            "another Python, as in 'make install PYTHON=python3.12'"
        )
    if match := NO_WHEEL.search(output):
        return (
            f"there is no wheel of {match[1]} for this Python and system; name another Python, as "
            "in 'make install PYTHON=python3.12'"
        )
    if OTHER_FILE.search(output):
        return (
            "a downloaded file is not the locked one; run the same command again, without a cache "
            "or a mirror of packages between"
        )
    errors = [line for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(errors) if line.startswith("ERROR")), None)
    return f"pip failed: {last or (errors or ['without a word'])[-1]}"


if __name__ == "__main__":
    sys.exit(main())
