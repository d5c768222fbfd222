"""How the commands behave around their results: places, pipes, processes, standard input."""

import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from diagflow.store import MOST_BYTES, store_bytes, store_path
from diagrams.errors import InvalidInputError
from diagrams.tensors import UNIT_VARIANCE, Axis, Kind, Tensor
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.problem_files.problem_file import read_problem_stream
from expansion.regimes import regimes
from expansion.series import Budget, LossSeries, Progress, loss_series
from tests.command import ENVIRONMENT, Run

p = Axis("p")

# --- where the store is ---------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["off", "OFF", "Off", " off ", "0", "no", "No", "none", "false"])
def test_words_that_switch_the_store_off(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("DIAGFLOW_STORE", word)
    assert store_path() is None
    assert run("expand", "cp", "--order", "2", "--terms", "0").code == 0
    assert os.listdir(folder) == []


def test_a_tilde_is_the_home_folder(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment files of services and containers are read by no shell."""
    (folder / "home").mkdir()
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("DIAGFLOW_STORE", "~/x.sqlite")
    assert run("expand", "cp", "--order", "2", "--terms", "0").code == 0
    monkeypatch.setenv("DIAGFLOW_STORE", "off")
    assert run("expand", "cp", "--order", "2", "--terms", "0", "--store", "~/y.sqlite").code == 0
    assert os.listdir(folder) == ["home"]
    assert {"x.sqlite", "y.sqlite"} <= {*os.listdir(folder / "home")}
    monkeypatch.setenv("DIAGFLOW_STORE", "~there-is-no-such-user/x.sqlite")
    with pytest.raises(InvalidInputError, match="there is no such home folder"):
        store_path()


def test_the_largest_size_of_the_store(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAGFLOW_STORE_MB", "7")
    assert store_bytes() == 7_000_000
    monkeypatch.setenv("DIAGFLOW_STORE_MB", "")
    assert store_bytes() == MOST_BYTES == 500_000_000
    for wrong in ("0", "-1", "many", "1e3", "nan"):
        monkeypatch.setenv("DIAGFLOW_STORE_MB", wrong)
        with pytest.raises(InvalidInputError, match="counts megabytes"):
            store_bytes()


# --- places that cannot be used -------------------------------------------------------------------

FOUR = ("cp", "--order", "2", "--symmetric", "--terms", "4")


@pytest.mark.parametrize(
    "arguments",
    [
        ("expand", "folder.toml"),
        ("expand", "missing.toml"),
        ("expand", "missing/x.toml"),
        ("expand", f"{'a' * 300}.toml"),
        ("regimes", "folder.json"),
        ("expand", "cp", "--terms", "0", "--store", "folder.toml"),
        ("store", "info", "--store", "folder.toml"),
        ("draw", "cp", "--output", "taken.svg"),
        ("draw", "cp", "--output", "missing/x.svg"),
        ("draw", "cp", "--output", "file/x.svg"),
        ("draw", "cp", "--output", f"{'a' * 300}.svg"),
        ("regimes", *FOUR, "--plot", "taken.svg"),
        ("regimes", *FOUR, "--plot", "missing/x.svg"),
        ("report", *FOUR, "--no-simulations", "--output", "file"),
        ("report", *FOUR, "--no-simulations", "--output", "file/x"),
        ("demo", "--output", "file"),
        ("demo", "--output", "file/x"),
        ("gallery", "--output", "file"),
        (
            *("compare", *FOUR, "--regime", "A", "--at", "p=4,H=4,sigma2=1/8"),
            *("--times", "0:1:2", "--plot", "taken.pdf"),
        ),
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_places_are_refused_in_one_line(run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    for name in ("folder.toml", "folder.json", "taken.svg", "taken.csv"):
        (folder / name).mkdir()
    (folder / "file").write_text("a file")
    before = sorted(os.listdir(folder))
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("diagflow: error: ")
    assert sorted(os.listdir(folder)) == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_figure_in_a_folder_without_permission_is_refused_before_the_work(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK and access(place, mode))
    monkeypatch.setattr(LossSeries, "__getitem__", None)
    code, _, err = run("draw", "cp", "--output", "x.svg")
    assert (code, err) == (
        2,
        "diagflow: error: drawing x.svg: the folder . cannot be written; give another place\n",
    )


# --- pipes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("expand", "--help"),
        ("expand", "cp", "--order", "2", "--terms", "1"),
        ("expand", "cp", "--order", "2", "--terms", "1", "--format", "json"),
        ("expand", "cp", "--order", "2", "--terms", "1", "--format", "latex"),
        ("simulate", "cp", "--at", "p=2,H=2,sigma2=1", "--times", "0:1:2", "--format", "csv"),
        ("check", "cp", "--order", "2", "--no-simulations", "--quick"),
    ],
    ids=" ".join,
)
def test_a_reader_that_has_had_enough_is_no_failed_check(arguments: tuple[str, ...]) -> None:
    """The other end is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "diagflow", *arguments],
        env=ENVIRONMENT, stdout=writing, stderr=subprocess.PIPE, timeout=300, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_closed_standard_output_is_told_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "diagflow", "expand", "cp", "--order", "2", "--terms", "0"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("diagflow: error: standard output: ")
    assert done.stderr.count("\n") == 1


def test_nobody_who_reads_errors(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "diagflow", "expand", "cp", "--order", "1"],
        env=ENVIRONMENT, stdout=writing, stderr=writing, timeout=300, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 141


# --- a problem from standard input ----------------------------------------------------------------


SMALL = b"""\
family = "small"

[axes]
p = "growing"
H = "growing"

[tensors]
W = { kind = "weight", axes = ["H", "p"], variance = "sigma2" }

[losses.train]
outputs = ["i", "j"]
model = "W[k,i] W[k,j]"
target = "identity"
"""
"""Known, so that all of its regimes are solved at once: no clock decides what is printed."""


def piped(content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "diagflow", *arguments],
        env=ENVIRONMENT, input=content, capture_output=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("expand", "--terms", "1"),
        ("regimes", "--terms", "4"),
        ("solve", "--terms", "4", "--list"),
        ("simulate", "--at", "p=2,H=2,sigma2=1", "--times", "0:1:2"),
        ("check", "--no-simulations", "--quick", "--max-seconds", "500"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_problem_from_a_pipe_is_that_of_the_file(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    command, *options = arguments
    file = tmp_path / "problem.toml"
    file.write_bytes(SMALL)
    done = piped(SMALL, command, "-", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    plain = piped(b"", command, str(file), *options)
    assert done.stdout == plain.stdout


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "standard input: losses: there is no loss"),
        (b"#" * 500_000, "problem from standard input: is larger than 400000 bytes"),
        (b"\xff\xfe", "problem from standard input: is not text in UTF-8"),
    ],
    ids=["empty", "large", "binary"],
)
def test_standard_input_has_the_limits_of_files(content: bytes, part: str) -> None:
    done = piped(content, "expand", "-")
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"diagflow: error: {part}")
    assert done.stderr.count(b"\n") == 1
    with pytest.raises(InvalidInputError) as error:
        read_problem_stream(BytesIO(content))
    assert str(error.value).startswith(part)


def test_a_stream_is_not_read_beyond_the_limit() -> None:
    stream = BytesIO(b"#" * 10**7)
    with pytest.raises(InvalidInputError, match="is larger than"):
        read_problem_stream(stream)
    assert stream.tell() <= 400_001


# --- scripts without a guard ----------------------------------------------------------------------

SIMULATION = """
from diagflow import cp, simulate
at = {"p": 4, "H": 4, "sigma2": 0.125}
simulate(cp(order=2), at=at, times=[0.0, 1.0], runs=4, jobs=2)
"""
EXPANSION = """
from diagflow import cp, loss_series
from diagflow.workers.executors import executor
with executor(jobs=2) as workers:
    print(loss_series(cp(order=2), executor=workers)[1].symbols)
"""


@pytest.mark.parametrize(("script", "code"), [(SIMULATION, 1), (EXPANSION, 0)])
def test_a_script_without_a_guard_is_told_so(tmp_path: Path, script: str, code: int) -> None:
    file = tmp_path / "script.py"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(file)],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert 'put what it does under if __name__ == "__main__":' in done.stderr
    assert "memory" not in done.stderr
    assert done.stderr.count("Traceback") <= code, "nothing from the other processes"
    if not code:
        assert done.stdout == "('p', 'H', 'sigma2')\n"


# --- wrong types in Python ------------------------------------------------------------------------


def test_slices_of_a_series_are_tuples() -> None:
    series = loss_series(cp(order=2))
    whole = tuple(series[s] for s in range(5))
    assert series[0:3] == whole[0:3]
    assert series[:4:2] == whole[:4:2]
    assert series[2:5] == whole[2:5]
    assert series[3:3] == series[4:2] == ()


def test_a_variance_of_one_is_the_number() -> None:
    assert Tensor("X", (p,), Kind.GAUSSIAN, variance=1).variance == UNIT_VARIANCE  # type: ignore[arg-type]


WRONG = {
    "slice without end": lambda: loss_series(cp(order=2))[1:],
    "slice backwards": lambda: loss_series(cp(order=2))[3:0:-1],
    "slice of text": lambda: loss_series(cp(order=2))[0:"3"],  # type: ignore[misc]
    "number that is none": lambda: loss_series(cp(order=2))[1.5],  # type: ignore[call-overload]
    "name of a problem": lambda: loss_series("cp"),  # type: ignore[arg-type]
    "slice of leading parts": lambda: LeadingSeries(
        (found := regimes(cp(order=2, target="zero"), terms=4)), found["A"]
    )[0:2],  # type: ignore[index]
    "number of a regime": lambda: regimes(cp(order=2, target="zero"), terms=4)[0],  # type: ignore[index]
    "order": lambda: cp(order="3"),  # type: ignore[arg-type]
    "terms": lambda: regimes(cp(order=2), terms="4"),  # type: ignore[arg-type]
    "limit": lambda: Budget(seconds="3"),  # type: ignore[arg-type]
    "variance": lambda: Tensor("W", (p,), variance=0.5),  # type: ignore[arg-type]
    "no variance": lambda: Tensor("W", (p,), variance=None),  # type: ignore[arg-type]
    "axes": lambda: Tensor("W", 3, variance="v"),  # type: ignore[arg-type]
    "name of a tensor": lambda: Tensor(3, (p,), variance="v"),  # type: ignore[arg-type]
    "name of an axis": lambda: Axis(3),  # type: ignore[arg-type]
    "size of an axis": lambda: Axis("p", "3"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_types_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        WRONG[name]()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, ""),
        (Progress(0, 5, 0.1), "no term was finished"),
        (
            Progress(3, 5, 0.1),
            "Y_0 ... Y_2 were finished; --terms 2 gives the map of these, if they are enough",
        ),
        (
            Progress(4, 0, 0.1, stage="the map of regimes"),
            "the map of regimes was not finished, and none of it is decided before all of it is; "
            "its coefficients are, Y_0 ... Y_4; ask for fewer --terms",
        ),
    ],
)
def test_an_interrupted_search_says_how_far_it_was(
    run: Run, monkeypatch: pytest.MonkeyPatch, state: Progress | None, said: str
) -> None:
    def interrupted(problem: Any, *, progress: Callable[[Progress], None], **_: Any) -> None:
        if state is not None:
            progress(state)
        raise KeyboardInterrupt

    monkeypatch.setattr("expansion.regimes.regimes", interrupted)
    done = run("regimes", "cp", "--order", "2")
    assert (done.code, done.out) == (130, "")
    assert done.err == f"diagflow: interrupted{': ' if said else ''}{said}\n"


def test_compare_takes_a_slice(run: Run) -> None:
    asked = ("compare", "cp", "--order", "2", "--symmetric", "--terms", "4", "--runs", "2")
    at = ("--at", "p=8,H=8,sigma2=1/8", "--times", "0:0.1:2", "--slice", "H ~ p")
    assert "A-B-E" in run(*asked, *at, "--regime", "A-B-E").out
    refused = run(*asked, *at, "--regime", "B")
    assert refused.code == 2
    assert "on the slice H ~ p; choose one of E, A-B, A-B-E" in refused.err
