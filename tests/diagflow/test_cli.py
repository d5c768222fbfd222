"""The command line: what it prints, what it refuses, and that it refuses in one line.

Most commands run inside this process, through `main` with its arguments in place; those about
processes (pipes, signals, start-up) run for real.
"""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import diagflow
from diagflow import oracle
from diagflow.__main__ import INTERRUPTED
from diagflow.commands import shared_options
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.series import loss_series
from expansion.series_records import read_series
from tests.command import ENVIRONMENT, ROOT, Result, Run, process

pytestmark = pytest.mark.usefixtures("folder")

PREFIX = "diagflow: error: "


def check_refused(result: Result, *parts: str) -> None:
    """One line on standard error, nothing on standard output, exit status 2."""
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith(PREFIX)
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    for part in parts:
        assert part in result.err


# --- expand ---------------------------------------------------------------------------------------

PROBLEMS = [(2, True, 3), (2, False, 3), (3, True, 2), (3, False, 3), (4, True, 1), (4, False, 2)]


def options(order: int, symmetric: bool, terms: int) -> list[str]:
    family = "--symmetric" if symmetric else "--asymmetric"
    return ["cp", "--order", str(order), family, "--terms", str(terms)]


def expected(order: int, symmetric: bool, terms: int, target: str = "identity") -> list[Polynomial]:
    series = loss_series(cp(order=order, symmetric=symmetric, target=target))
    return [series[s] for s in range(terms + 1)]


@pytest.mark.parametrize(("order", "symmetric", "terms"), PROBLEMS)
def test_expand_prints_text_that_reads_back(
    run: Run, order: int, symmetric: bool, terms: int
) -> None:
    result = run("expand", *options(order, symmetric, terms))
    assert (result.code, result.err) == (0, "")
    title, *lines = result.out.splitlines()
    assert title == f"cp order={order} symmetric={str(symmetric).lower()} target=identity"
    for s, (line, polynomial) in enumerate(
        zip(lines, expected(order, symmetric, terms), strict=True)
    ):
        name, _, text = line.partition(" = ")
        assert name == f"Y_{s}"
        assert Polynomial.parse(text) == polynomial


@pytest.mark.parametrize(("order", "symmetric", "terms"), PROBLEMS)
def test_expand_prints_json_that_reads_back(
    run: Run, order: int, symmetric: bool, terms: int
) -> None:
    result = run("expand", *options(order, symmetric, terms), "--format", "json")
    assert (result.code, result.err) == (0, "")
    record = json.loads(result.out)
    assert {key: record[key] for key in ("family", "order", "symmetric", "target")} == {
        "family": "cp",
        "order": order,
        "symmetric": symmetric,
        "target": "identity",
    }
    assert list(read_series(record["coefficients"])) == expected(order, symmetric, terms)


def check_balanced(text: str) -> None:
    """Every brace and every environment is closed, in order."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", text):
        depth += (match[0] == "{") - (match[0] == "}")
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []


@pytest.mark.parametrize(("order", "symmetric", "terms"), PROBLEMS)
def test_expand_prints_latex_that_is_well_formed(
    run: Run, order: int, symmetric: bool, terms: int
) -> None:
    result = run("expand", *options(order, symmetric, terms), "--format", "latex")
    assert (result.code, result.err) == (0, "")
    first, *rest = result.out.splitlines()
    assert first == f"% cp order={order} symmetric={str(symmetric).lower()} target=identity"
    body = "\n".join(rest)
    check_balanced(body)
    assert body.count(r"\begin{align*}") == body.count(r"\end{align*}") == 1
    assert not re.search(r"[%$#_^&]\s*$|\^\^|__|sigma2|\*\*", body, re.MULTILINE)
    inside = body.partition(r"\begin{align*}")[2].partition(r"\end{align*}")[0]
    rows = inside.strip().split(r"\\")
    # One alignment mark a row, one row or more for each coefficient, no empty row.
    assert all(row.count("&") == 1 and row.split("&")[1].strip() for row in rows)
    heads = re.findall(r"Y_\{(\d+)\} &=", inside)
    assert heads == [str(s) for s in range(terms + 1)]


def test_expand_latex_has_every_term_once(run: Run) -> None:
    """Rows broken in the middle of a polynomial keep all terms and their signs."""
    result = run("expand", *options(3, True, 2), "--format", "latex")
    for s, polynomial in enumerate(expected(3, True, 2)):
        start = result.out.index(f"Y_{{{s}}} &=") + len(f"Y_{{{s}}} &=")
        end = result.out.find("Y_{", start)
        row = result.out[start : end if end >= 0 else result.out.index(r"\end{align*}")]
        joined = re.sub(r"\\\\\s*(&\\quad)?|\s", "", row)
        assert joined == re.sub(r"\s", "", polynomial.latex())


def test_expand_has_defaults(run: Run) -> None:
    result = run("expand", "cp")
    assert result.out.startswith("cp order=3 symmetric=false target=identity\nY_0 = ")
    assert result.out.count("\n") == 4


def test_expand_the_zero_target(run: Run) -> None:
    result = run("expand", *options(2, True, 2), "--target", "zero", "--format", "json")
    record = json.loads(result.out)
    assert record["target"] == "zero"
    assert list(read_series(record["coefficients"])) == expected(2, True, 2, target="zero")


def test_expand_within_its_budget(run: Run) -> None:
    limits = ("--max-seconds", "1000", "--max-diagrams", "100000", "--max-memory", "1000")
    assert run("expand", *options(3, False, 2), *limits) == run("expand", *options(3, False, 2))


# --- bad input ------------------------------------------------------------------------------------

BAD = {
    "order 1": (["expand", "cp", "--order", "1"], ["order 1:", "at least two modes", "give"]),
    "order 0": (["expand", "cp", "--order", "0"], ["order 0:"]),
    "order out of reach": (["expand", "cp", "--order", "9" * 30], ["out of reach", "smaller"]),
    "order negative": (["expand", "cp", "--order", "-2"], ["order -2:"]),
    "terms negative": (["expand", "cp", "--terms", "-1"], ["--terms -1:", "give 0 or more"]),
    "target": (
        ["expand", "cp", "--target", "moon"],
        ["target 'moon'", "not known", "choose one of identity, modular-addition, "],
    ),
    "preset": (["expand", "cq"], ["problem 'cq'", "not a known preset", "choose one of cp"]),
    "no such file": (["expand", "model.toml"], ["problem 'model.toml'"]),
    "command": (["expnd", "cp"], ["No such command 'expnd'", "--help"]),
    "seconds 0": (["expand", "cp", "--max-seconds", "0"], ["budget of 0", "must be positive"]),
    "seconds nan": (["expand", "cp", "--max-seconds", "nan"], ["budget of nan seconds"]),
    "seconds negative": (["expand", "cp", "--max-seconds", "-1"], ["must be positive"]),
    "diagrams 0": (["expand", "cp", "--max-diagrams", "0"], ["budget of 0 diagrams"]),
    "diagrams negative": (["expand", "cp", "--max-diagrams", "-5"], ["budget of -5 diagrams"]),
    "diagrams fraction": (["expand", "cp", "--max-diagrams", "1.5"], ["--max-diagrams"]),
    "memory 0": (["expand", "cp", "--max-memory", "0"], ["must be positive"]),
    "memory nan": (["expand", "cp", "--max-memory", "nan"], ["must be positive"]),
    "memory negative": (["expand", "cp", "--max-memory", "-1"], ["must be positive"]),
    "order text": (["expand", "cp", "--order", "three"], ["--order", "integer"]),
    "order fraction": (["expand", "cp", "--order", "2.5"], ["--order", "integer"]),
    "terms text": (["expand", "cp", "--terms", "two"], ["--terms", "integer"]),
    "terms empty": (["expand", "cp", "--terms", ""], ["--terms"]),
    "format": (["expand", "cp", "--format", "xml"], ["--format", "'text', 'json', 'latex'"]),
    "no problem": (["expand"], ["Missing argument 'PROBLEM'", "diagflow expand --help"]),
    "no value": (["expand", "cp", "--order"], ["--order", "argument"]),
    "extra argument": (["expand", "cp", "cp"], ["unexpected", "cp"]),
    "option": (["expand", "cp", "--ordr", "3"], ["--ordr"]),
    "global option": (["--verbose"], ["--verbose"]),
    "two lines": (["expand", "c\np"], ["problem"]),
    "demo argument": (["demo", "out"], ["unexpected"]),
}


@pytest.mark.parametrize(("arguments", "parts"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(
    run: Run, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    check_refused(run(*arguments), *parts)
    assert list(tmp_path.iterdir()) == []


def test_an_infinite_memory_is_no_limit_or_refused(run: Run) -> None:
    result = run("expand", *options(2, True, 1), "--max-memory", "inf")
    if result.code:
        check_refused(result, "memory")
    else:
        assert result.out == run("expand", *options(2, True, 1)).out


@pytest.mark.parametrize("arguments", [["expand", "cp", "--order", "1"], ["expand"], ["x"]])
def test_bad_input_is_one_line_in_a_process_too(arguments: list[str]) -> None:
    check_refused(process(*arguments))


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (["--max-diagrams", "40"], "needs more than 40 diagrams; Y_0"),
        (["--max-seconds", "1e-9"], "needs more than 1e-09 seconds; no term is finished"),
        (["--max-memory", "0.0001"], "bytes of memory; no term is finished"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "latex"])
def test_a_budget_exceeded_is_one_line_and_prints_nothing(
    run: Run, limit: list[str], text: str, form: str
) -> None:
    result = run("expand", *options(3, True, 3), *limit, "--format", form)
    check_refused(result, "budget: Y_", text, f"raise {limit[0]} or ask for fewer terms")


def test_a_large_order_keeps_to_its_budget() -> None:
    """A model with a hundred modes is refused or stopped, not worked on for ever."""
    result = process("expand", "cp", "--order", "100", "--terms", "3", "--max-seconds", "1")
    check_refused(result)


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["expand", "demo"])
def test_the_help_of_every_command_has_examples(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert "Examples:" in result.out
    assert f"diagflow {command}" in result.out.partition("Examples:")[2]


def test_the_help_lists_all_commands(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    assert {"expand", "demo"} <= set(re.findall(r"^\W*(\w+)", result.out, re.MULTILINE))
    assert run().out == result.out
    assert run("-h").out == result.out


def test_the_version(run: Run) -> None:
    assert run("--version") == Result(0, f"diagflow {diagflow.__version__}\n", "")


HEAVY = ("sympy", "igraph", "flint", "numpy", "scipy", "networkx", "matplotlib", "mpmath")
LOADED = f"print('\\nloaded:', *(name for name in {HEAVY!r} if name in sys.modules))"


def loaded(code: str) -> list[str]:
    """Which heavy libraries a fresh interpreter has after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{LOADED}"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rpartition("loaded:")[2].split()


@pytest.mark.parametrize("arguments", [["--help"], ["expand", "--help"], ["--version"], ["expnd"]])
def test_help_and_errors_of_usage_load_nothing_heavy(arguments: list[str]) -> None:
    """This is what makes them quick to start."""
    code = f"""
sys.argv = ['diagflow', *{arguments!r}]
from diagflow.cli import main
try:
    main()
except SystemExit:
    pass
"""
    assert loaded(code) == []


# --- pipes and signals ----------------------------------------------------------------------------


@pytest.mark.parametrize("imported", ["typer", "diagflow.commands", "diagflow.commands.solve"])
def test_an_interrupt_while_the_command_line_is_imported_is_one_line(imported: str) -> None:
    """As Ctrl-C in the first tenths of a second: here at the import of a module."""
    code = f"""
import sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {imported!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from diagflow.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "diagflow: interrupted\n")


def test_the_console_script_begins_inside_the_guard() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert scripts["scripts"]["diagflow"] == "diagflow.__main__:main"
    assert INTERRUPTED == shared_options.INTERRUPTED


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["expand", "--help"],
        ["expand", *options(2, True, 2)],
        ["expand", *options(3, False, 2), "--format", "latex"],
        ["expand", *options(2, False, 2), "--format", "json"],
        ["expand", "cp", "--order", "1"],
        ["expand", "cp", "--ordr", "1"],
    ],
    ids=" ".join,
)
def test_a_pipe_gets_no_control_characters(arguments: list[str]) -> None:
    result = process(*arguments)
    for text in (result.out, result.err):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_a_closed_pipe_is_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "diagflow", "expand", *options(3, True, 3)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        errors = child.stderr.read()
    assert (child.returncode, errors) == (141, "")


def wait_for(pattern: str, descriptor: int, seconds: float = 120.0) -> None:
    """Read a terminal until a pattern has appeared on it."""
    seen, end = "", time.monotonic() + seconds
    while not re.search(pattern, seen):
        assert time.monotonic() < end, f"never saw {pattern!r} in {seen!r}"
        seen += os.read(descriptor, 4096).decode(errors="replace")


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_interrupt_prints_what_is_finished(form: str) -> None:
    """Control-C in the middle of a long expansion: exit status 130, and a whole document.

    The progress bar, on a terminal of our own, tells when the first coefficients are finished.
    """
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    terms = 12
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "diagflow", "expand", *options(3, True, terms)),
            *("--format", form, "--max-seconds", "300"),
        ],
        cwd=ROOT,
        env=ENVIRONMENT | {"COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as child:
        os.close(theirs)
        try:
            wait_for(rf"[2-9]/{terms + 1}", ours)
            child.send_signal(signal.SIGINT)
            assert child.stdout is not None
            out = child.stdout.read().decode()
            status = child.wait(60)
            err = os.read(ours, 65536).decode()
        finally:
            child.kill()
            os.close(ours)
    assert status == 130
    assert "Traceback" not in err
    assert re.search(r"diagflow: interrupted: Y_0 \.\.\. Y_\d+ were finished and are printed", err)
    if form == "json":
        known = read_series(json.loads(out)["coefficients"])
    else:
        known = tuple(Polynomial.parse(line.partition(" = ")[2]) for line in out.splitlines()[1:])
    assert 2 <= len(known) <= terms
    compared = min(len(known), 5)
    assert list(known[:compared]) == expected(3, True, compared - 1)


def test_an_interrupt_before_the_first_coefficient(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("expansion.series.LossSeries.__getitem__", interrupted)
    result = run("expand", "cp", "--format", "json")
    assert result.code == 130
    assert json.loads(result.out)["coefficients"] == []
    assert result.err == "diagflow: interrupted: nothing kept\n"


@pytest.mark.parametrize("command", [("solve", "cp", "--list"), ("gallery",)])
def test_an_interrupt_is_told_by_every_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def interrupted(*_: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diagflow.gallery.experiments", interrupted)
    monkeypatch.setattr("expansion.series.LossSeries.__getitem__", interrupted)
    assert run(*command) == (130, "", "diagflow: interrupted\n")


def test_a_worker_that_imports_the_program_does_not_run_it() -> None:
    """A new process of a pool imports the main module of its parent under another name."""
    found = runpy.run_module("diagflow", run_name="__mp_main__")
    assert found["main"].__module__ == "__mp_main__"  # there, and not called


# --- demo -----------------------------------------------------------------------------------------

FILES = [
    f"cp_order{case}.{kind}" for case in ("2_sym", "3_asym", "4_sym") for kind in ("json", "tex")
]


def test_the_demo_writes_six_files_that_agree(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--output", str(tmp_path / "results" / "new"))
    assert (result.code, result.err) == (0, "")
    assert "all agree" in result.out
    assert "DIFFERS" not in result.out
    folder = tmp_path / "results" / "new"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for path in folder.glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        problem = cp(order=record["order"], symmetric=record["symmetric"])
        assert path.stem == f"cp_order{record['order']}_{'a' * (not record['symmetric'])}sym"
        coefficients = read_series(record["coefficients"])
        assert len(coefficients) > 2
        series = loss_series(problem)
        assert list(coefficients) == [series[s] for s in range(len(coefficients))]
        reference = ROOT / "tests" / "reference" / path.name
        given = read_series(json.loads(reference.read_text(encoding="utf-8"))["coefficients"])
        common = min(len(given), len(coefficients))
        assert given[:common] == coefficients[:common]
    for path in folder.glob("*.tex"):
        check_balanced(path.read_text(encoding="utf-8").partition("\n")[2])
    # The tables say what every coefficient cost.
    for word in ("diagrams", "contractions", "seconds", "oracle", "agrees"):
        assert word in result.out


def test_the_demo_writes_into_out_and_over_what_is_there(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / FILES[0]).write_text("old", encoding="utf-8")
    (folder / "mine.txt").write_text("kept", encoding="utf-8")
    assert run("demo").code == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (folder / FILES[0]).read_text(encoding="utf-8") != "old"
    assert (folder / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_the_demo_fails_when_the_oracle_disagrees(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    true = oracle.cp_loss_derivatives

    def wrong(order: int, **rest: Any) -> list[oracle.Moments]:
        moments = true(order, **rest)
        if order == 3:
            moments[-1] = {powers: value + 1 for powers, value in moments[-1].items()}
        return moments

    monkeypatch.setattr(oracle, "cp_loss_derivatives", wrong)
    result = run("demo", "--output", str(tmp_path))
    assert result.code == 1
    assert "THERE ARE DIFFERENCES" in result.out
    assert "DIFFERS" in result.out
    assert "all agree" not in result.out


def test_the_demo_refuses_a_folder_that_is_a_file(run: Run, tmp_path: Path) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("a file", encoding="utf-8")
    check_refused(run("demo", "--output", str(blocked)), str(blocked), "give another one")
    check_refused(run("demo", "--output", str(blocked / "below")), "give another one")
    assert blocked.read_text(encoding="utf-8") == "a file"


def test_the_demo_leaves_nothing_half_written(run: Run, tmp_path: Path) -> None:
    """A folder stands where a file has to go: one line, exit status 2, no temporary file."""
    (tmp_path / FILES[0]).mkdir()
    result = run("demo", "--output", str(tmp_path))
    assert result.code == 2
    assert result.err.startswith(PREFIX)
    assert result.err.count("\n") == 1
    assert "cannot be written" in result.err
    assert [path.name for path in tmp_path.iterdir()] == [FILES[0]]


# --- the facade -----------------------------------------------------------------------------------


def test_the_facade_has_the_names_of_the_contract() -> None:
    from diagflow import Polynomial, Problem, loss_series
    from diagflow import cp as preset

    assert isinstance(preset(order=3), Problem)
    second = loss_series(preset(order=3, symmetric=True))[2]
    assert isinstance(second, Polynomial)
    assert second._repr_latex_().startswith("$")
    assert {"Problem", "cp", "loss_series", "__version__"} <= set(dir(diagflow))
    assert set(diagflow.__all__) <= set(dir(diagflow))


def test_every_public_name_can_be_imported() -> None:
    former = {"where": "locate"}
    for name in diagflow.__all__:
        assert getattr(diagflow, name).__name__ == former.get(name, name)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"^module 'diagflow' has no attribute 'nothing'$"):
        diagflow.nothing  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from diagflow import nothing  # noqa: F401


def test_importing_the_facade_loads_nothing_heavy() -> None:
    assert loaded("import diagflow\nassert diagflow.__version__ and dir(diagflow)") == []


def test_expanding_does_not_load_sympy() -> None:
    """sympy is for the edge only: asked for by `to_sympy`."""
    code = "from diagflow import cp, loss_series\nloss_series(cp(order=3))[1]"
    assert not {"sympy", "scipy"} & set(loaded(code))


# --- regimes --------------------------------------------------------------------------------------


def test_regimes_prints_the_contract_as_json(run: Run) -> None:
    result = run("regimes", "cp", "--order", "2", "--terms", "5", "--format", "json")
    assert (result.code, result.err) == (0, "")
    record = json.loads(result.out)
    names = [regime["name"] for regime in record["regimes"]]
    assert names == [*"ABCDE", "A-B", "E-A", "B-C", "C-D", "D-E", "A-B-C-D-E"]
    kernel = record["regimes"][names.index("B-C")]
    assert kernel["dimension"] == 1
    assert kernel["conditions"] == [
        {"monomial": {"p": "1", "H": "1", "sigma2": "2"}, "relation": "~1"},
        {"monomial": {"p": "-1", "H": "1"}, "relation": "->oo"},
    ]
    assert kernel["natural_time"] == {"H": "1", "sigma2": "1"}
    assert kernel["learning"] == "lazy"
    assert set(kernel["faces"]) == {"B", "C"}
    assert set(kernel["neighbours"]) == {"A-B", "C-D"}


def test_regimes_of_an_odd_order_give_half_powers_and_moving_walls(run: Run) -> None:
    result = run("regimes", "cp", "--symmetric", "--terms", "4", "--format", "json")
    regimes = {regime["name"]: regime for regime in json.loads(result.out)["regimes"]}
    assert regimes["D"]["natural_time"] == {"sigma2": "1/2"}
    assert regimes["A-B"]["moving_walls"] == [
        {"slope": {"p": "-1", "H": "1"}, "offsets": [{"p": "-1"}, {"p": "-1"}]}
    ]


def test_regimes_prints_a_table_for_a_paper(run: Run) -> None:
    result = run("regimes", "cp", "--order", "2", "--symmetric", "--format", "latex")
    assert result.code == 0
    check_balanced(result.out)
    assert r"A--B--E & $H / p \asymp 1$, $p \sigma^{2} \asymp 1$ & $1$ & rich \\" in result.out
    assert result.out.count(r"\\") == 8
    assert r"\toprule" in result.out


def test_regimes_reads_a_series(run: Run, tmp_path: Path) -> None:
    written = run("expand", "cp", "--order", "2", "--terms", "5", "--format", "json").out
    (tmp_path / "series.json").write_text(written, encoding="utf-8")
    result = run("regimes", "series.json", "--growing", "H,p")
    assert result.code == 0
    assert result.out.startswith("given series\n11 regimes, from Y_0 ... Y_5\n")
    fewer = run("regimes", "series.json", "--terms", "2")
    check_refused(fewer, "too few coefficients", "--terms 3")


def test_a_file_with_a_series_has_no_other_loss(run: Run, tmp_path: Path) -> None:
    written = run("expand", "cp", "--order", "2", "--terms", "3", "--format", "json").out
    (tmp_path / "series.json").write_text(written, encoding="utf-8")
    refused = run("regimes", "series.json", "--loss", "train")
    message = "--loss: a JSON file holds one series; leave it out"
    assert refused == (2, "", f"diagflow: error: {message}\n")


def test_regimes_says_what_a_regime_keeps_and_drops(run: Run) -> None:
    result = run("regimes", "cp", "--order", "2", "--symmetric", "--terms", "3", "--regime", "E-A")
    assert "Leading series of E-A: y = p*sigma2; T = 1" in result.out
    assert "Y_0 ~ p*H*sigma2 * (-1 + 1/2*y)\n" in result.out
    assert "p*H**2*sigma2**2 (H/p -> 0)" in result.out


def test_regimes_draws(run: Run, tmp_path: Path) -> None:
    result = run(
        "regimes", "cp", "--order", "2", "--terms", "4", "--plot", "map.svg",
        "--at", "p=100,H=1000,sigma2=1e-3",
    )  # fmt: skip
    assert result.code == 0
    assert "the closest regime is" in result.out
    assert (tmp_path / "map.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["cp", "--order", "2", "--terms", "2"], ["too few coefficients", "--terms 3"]),
        (["cp", "--order", "2", "--terms", "-1"], ["--terms -1", "give 0 or more"]),
        (["cp", "--order", "2", "--terms", "4", "--regime", "F"], ["regime 'F'", "A, B, C"]),
        (["cp", "--order", "2", "--terms", "4", "--at", "p=1"], ["none for H, sigma2"]),
        (["cp", "--order", "2", "--at", "p"], ["--at: 'p'", "p=512"]),
        (["cp", "--order", "2", "--at", "p=1/0"], ["divides by zero"]),
        (["cp", "--order", "2", "--at", "p=1,p=2"], ["p has two values"]),
        (["cp", "--order", "2", "--terms", "4", "--at", "p=1,H=0,sigma2=1"], ["H = 0"]),
        (["cp", "--order", "2", "--terms", "4", "--plot", "map.gif"], ["map.gif", "svg, pdf, png"]),
        (["cp", "--growing", "p"], ["--growing", "axes"]),
        (["cp", "--order", "4", "--terms", "6", "--max-diagrams", "50"], ["--max-diagrams"]),
        (["missing.json"], ["missing.json", "cannot be read"]),
        (["nothing"], ["'nothing'", "choose one of"]),
    ],
)
def test_regimes_refuses(run: Run, tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    check_refused(run("regimes", *arguments), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "no list of coefficients"),
        ('{"coefficients": []}', "give Y_0"),
        ('{"coefficients": [{"s": 0, "terms": [{"coefficient": 0.5, "exponents": {}}]}]}', "term"),
        (
            '{"coefficients": [{"s": 0, "terms": ['
            '{"coefficient": "1", "exponents": {"sigma2": 1}}]}]}',
            "no symbol grows",
        ),
    ],
)
def test_regimes_refuses_a_stranger_file(run: Run, tmp_path: Path, content: str, part: str) -> None:
    (tmp_path / "series.json").write_text(content, encoding="utf-8")
    check_refused(run("regimes", "series.json"), part)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [("--help",), ("expand", "cp", "--order", "2", "--no-store")])
def test_a_full_disk_is_told_in_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "diagflow", *arguments],
            cwd=ROOT, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "diagflow: error: standard output: No space left on device; make room\n"
