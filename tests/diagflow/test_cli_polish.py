"""What all commands share: groups, examples, ``--quiet``, colours, completion."""

import inspect
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from diagflow.cli import GROUPS, app
from diagflow.commands.problem import complete_problem, complete_target, takes_problem
from diagflow.terminal import LONG, duration, following, quietly
from diagrams.errors import InvalidInputError
from expansion.problem import Problem
from expansion.series import Progress
from tests.command import ENVIRONMENT, ROOT, Run, process

COMMANDS = [command for commands in GROUPS.values() for command in commands]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def in_terminal(*arguments: str, **environment: str) -> str:
    """What a command shows on a terminal, its control sequences included."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "diagflow", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return shown.decode()


def test_the_help_groups_all_commands() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    places = [shown.index(f" {group} ") for group in GROUPS]
    assert places == sorted(places)
    for group, end in zip(GROUPS, [*places[1:], len(shown)], strict=True):
        section = shown[shown.index(f" {group} ") : end]
        names = re.findall(r"^\W*([a-z]+) {2,}\S", section, re.MULTILINE)
        assert names == [command.NAME for command in GROUPS[group]]


def test_every_command_is_in_a_group() -> None:
    modules = {path.stem for path in (ROOT / "diagflow" / "commands").glob("*.py")}
    shared = {
        *(
            "__init__",
            "bundles",
            "ensemble",
            "followed",
            "problem",
            "regime_search",
            "shared_options",
        ),
        "values",
    }
    assert {command.NAME for command in COMMANDS} == modules - shared


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_every_command_has_two_examples_or_more_and_can_be_quiet(command) -> None:
    shown = CliRunner().invoke(app, [command.NAME, "--help"], env={"COLUMNS": "200"}).output
    assert shown.partition("Examples:")[2].count(f"diagflow {command.NAME}") >= 2
    assert "--quiet" in shown


def test_quiet_leaves_out_a_warning_and_nothing_else() -> None:
    words = (
        "solve cp --order 2 --symmetric --regime A --at p=4,H=4,sigma2=1 --times 0:1:2 --terms 3"
    )
    runner = CliRunner()
    loud = runner.invoke(app, words.split())
    quiet = runner.invoke(app, [*words.split(), "--quiet"])
    assert "warning" in loud.stderr
    assert quiet.stderr == ""
    assert quiet.stdout == loud.stdout != ""


def test_quiet_writes_the_file_and_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "blocks.svg"
    done = CliRunner().invoke(app, ["draw", "cp", "--output", str(file), "-q"])
    assert (done.exit_code, done.output) == (0, "")
    assert file.read_text(encoding="utf-8").count("<svg") == 1


def test_errors_are_told_even_when_quiet() -> None:
    done = process("expand", "cp", "--order", "1", "--quiet")
    assert done.code == 2
    assert done.err.startswith("diagflow: error: order 1:")


def test_a_terminal_has_a_progress_bar_unless_quiet() -> None:
    words = ("expand", "cp", "--order", "2", "--terms", "2")
    loud, quiet = in_terminal(*words), in_terminal(*words, "--quiet")
    assert "\x1b[" in loud
    assert "\x1b" not in quiet
    assert (
        COLOUR.sub("", loud).replace("\r", "").rstrip().endswith(quiet.replace("\r", "").rstrip())
    )


def test_colours_on_a_terminal_and_not_with_no_color() -> None:
    def colours(shown: str) -> set[str]:
        codes = (code for found in COLOUR.findall(shown) for code in found[2:-1].split(";"))
        return {code for code in codes if re.fullmatch(r"[39][0-7]|38|4[0-8]", code)}

    assert colours(in_terminal("--help"))
    assert not colours(in_terminal("--help", NO_COLOR="1"))
    assert not colours(in_terminal("expand", "cp", "--order", "2", "--terms", "2", NO_COLOR="1"))


@pytest.mark.parametrize(
    "words",
    [
        "regimes cp --order 2 --terms 4",
        "regimes cp --order 2 --terms 4 --format latex",
        "solve cp --order 2 --regime C --at p=9,H=9999,sigma2=1/99 --times 0:1:3 --terms 4",
        "simulate cp --order 2 --at p=4,H=2,sigma2=1/4 --times 0:1:3 --runs 2",
        "simulate cp --order 2 --at p=4,H=2",
        "solve --help",
    ],
)
def test_a_pipe_gets_no_control_characters(words: str) -> None:
    done = process(*words.split())
    assert done.out + done.err
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.out + done.err)


def test_completion_knows_presets_files_and_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for name in ("cpx.toml", "notes.txt", "models/deep.toml"):
        (tmp_path / name).touch()
    assert complete_problem("cp") == ["cp", "cpx.toml"]
    assert complete_problem("mo") == ["models/"]
    assert complete_problem("models/") == complete_problem("models/d") == ["models/deep.toml"]
    assert set(complete_problem("")) > {"tied-autoencoder", "cpx.toml", "models/"}
    assert complete_target("sp") == ["spike", "spiked"]


def test_the_shell_completes_commands_and_presets() -> None:
    completing = ENVIRONMENT | {"_DIAGFLOW_COMPLETE": "complete_bash"}
    for words, expected in (("diagflow sim", ["simulate"]), ("diagflow solve tied", None)):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; sys.argv=['diagflow']; import diagflow.cli as c; c.main()",
            ],
            cwd=ROOT,
            env=completing | {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))},
            capture_output=True,
            text=True,
        )
        assert done.stdout.split() == (expected or ["tied-autoencoder"]), done.stderr


# --- what is said beside the result ---------------------------------------------------------------


@pytest.mark.parametrize("quiet", [False, True])
def test_a_long_coefficient_is_announced_once(
    capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    steps = [(3, None), (4, LONG), (5, 90.0), (5, 95.0), (6, 7200.0)]
    with quietly(quiet), following("a problem", 7) as follow:
        for s, expected in steps:
            follow(Progress(s=s, diagrams=10, seconds=1.0, expected=expected))
    told = [
        f"diagflow: Y_{s}: about {duration(seconds)}, judging by the growth so far"
        for s, seconds in ((5, 90.0), (6, 7200.0))
    ]
    assert capsys.readouterr().err.splitlines() == ([] if quiet else told)


@pytest.mark.parametrize("error", [OverflowError, ZeroDivisionError])
def test_overflow_is_the_fault_of_the_numbers_only_if_there_are_some(
    error: type[ArithmeticError],
) -> None:
    """Without them it is a fault of the program, which is not hidden."""

    def command(problem: Problem, *, at: str | None = None) -> None:
        raise error("of our own")

    described = dict.fromkeys(inspect.signature(takes_problem(command)).parameters)
    described["problem"] = "cp"
    with pytest.raises(error, match=r"^of our own$"):
        takes_problem(command)(**described)
    with pytest.raises(InvalidInputError) as refused:
        takes_problem(command)(**described | {"at": "p=1e30"})
    assert str(refused.value) == (
        "--at p=1e30: leads to numbers outside the range of floating point; give sizes, "
        "variances and times closer to 1"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_examples_can_be_copied(command: Any, run: Run) -> None:
    """Each stands on one line of a terminal of 80 columns."""
    lines = run(command.NAME, "--help").out.partition("Examples:")[2].splitlines()
    shown = [line.strip() for line in lines if line.strip()]
    assert shown == [part.strip() for part in command.EPILOG.split("\n\n")[1:]]
    assert shown and all(line.startswith("diagflow ") for line in shown)
