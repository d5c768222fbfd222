"""Reports: complete, well formed, compiled where LaTeX is there, written whole or not at all."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from diagflow.report import experiments, write
from diagflow.report.article import article, named_parts
from diagflow.report.problem import function_latex, open_indices, problem_section
from diagflow.report.write import write_report
from diagrams.errors import InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.cones import Cone
from expansion.exponents import SeriesExponents
from expansion.models import cp
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import loss_series
from pde.evolution import Solution
from pde.solving import neglected, solution
from pde.typeset import formula_latex
from tests.command import Run
from tests.latex_structure import check_structure

p, H, N = Axis("p"), Axis("H"), Axis("N")
HAS_LATEX = shutil.which("pdflatex") is not None
SMALL = ("report", "cp", "--order", "2", "--target", "zero", "--terms", "4", "--no-simulations")


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=3), terms=4)


def test_the_article_says_everything(found: Regimes) -> None:
    text = article(found)
    sections = re.findall(r"\\section\{(.*)\}", text)
    assert sections == ["Problem", "Diagrams", "Expansion", "Learning regimes", "Loss evolution"]
    for s in range(3):
        assert f"Y_{{{s}}} &= " in text
    for regime in found:
        assert f"\n{regime.name.replace('-', '--')} & " in text, "a row of the table"
    solved = set(re.findall(r"\\subsection\{Regime (.*)\}", text))
    assert {"A", "B", "C", "B--C"} <= solved
    others = set(re.findall(r"\\item ([A-Z-]+): ", text))
    assert {regime.name for regime in found} == {
        name.replace("--", "-") for name in solved | others
    }
    assert not solved & others
    # What is resummed is made of the coefficients: it has no certificate.
    certified = text.count("The Taylor coefficients equal the exact leading coefficients")
    assert certified == len(solved)
    packages = set(re.findall(r"\\usepackage(?:\[.*\])?\{(.*)\}", text))
    standard = {"amsmath, amssymb", "booktabs", "graphicx", "tikz", "hyperref", "geometry"}
    assert packages == standard | {"inputenc", "fontenc"}


def test_the_article_is_well_formed(found: Regimes) -> None:
    text = article(found)
    assert {letter for letter in text if not letter.isascii()} <= {"é"}, "Padé is a name"
    check_structure(text)


def test_long_coefficients_are_counted(found: Regimes) -> None:
    text = article(found)
    whole = loss_series(cp(order=3))
    match = re.search(r"Not printed: (.*)\.", text)
    assert match is not None
    listed = dict(re.findall(r"Y_\{(\d)\}\$ has (\d+) terms", match[1]))
    assert listed
    assert {int(s): int(n) for s, n in listed.items()} == {
        int(s): len(whole[int(s)]) for s in listed
    }


def test_models_in_formulas() -> None:
    problem = cp(order=3)
    names = open_indices(problem)
    assert function_latex("f", problem.model, names) == (
        "f_{i_{1} i_{2} i_{3}} = \\sum_{k} U^{(1)}_{k i_{1}} U^{(2)}_{k i_{2}} U^{(3)}_{k i_{3}}"
    )
    assert function_latex("F", problem.target, names) == (
        "F_{i_{1} i_{2} i_{3}} = \\delta_{i_{1} i_{2} i_{3}}"
    )
    assert function_latex("F", (), names) == "F_{i_{1} i_{2} i_{3}} = 0"


def test_indices_that_clash_get_a_prime() -> None:
    """The target sums over an index with the name of an open one, with a number in front."""
    W = Tensor("W", (H, p), variance="sigma2")
    teacher = Tensor("W_teacher", (H, p), Kind.GAUSSIAN, "sigma2_teacher")
    problem = Problem(
        family="clash",
        model=(Network.einsum("ki,kj->ij", W, W),),
        target=(
            Network.einsum("ia,ib->ab", teacher, teacher, coefficient=-3),
            Network.einsum("->aa", coefficient=2),
        ),
        output_axes=(p, p),
    )
    names = open_indices(problem)
    assert function_latex("F", problem.target, names) == (
        "F_{i j} = -3 \\sum_{i'} W^{(teacher)}_{i' i} W^{(teacher)}_{i' j} + 2 \\delta_{i j}"
    )
    section = problem_section(problem)
    assert "$W$ are independent $N(0, \\sigma^{2})$ at the start" in section
    assert "$N(0, \\sigma_{*}^{2})$ and fixed" in section


def test_parts_with_names_are_the_formula() -> None:
    p_, t = sympy.symbols("p t", positive=True)
    root = sympy.sqrt(1 + p_ * t)
    formula = (root + 1 + (1 + p_ * t) ** 2) / (root * (2 + root)) + p_**2 * t
    names = sympy.numbered_symbols("q_", start=1, positive=True)
    parts, short = named_parts(formula, names)
    assert parts
    assert sympy.count_ops(short) < sympy.count_ops(formula)
    for name, part in reversed(parts):
        short = short.xreplace({name: part})
    assert sympy.simplify(short - formula) == 0


def test_given_coefficients_have_no_report() -> None:
    series = loss_series(cp(order=2, target="zero"))
    given = regimes(SeriesExponents.of_coefficients([series[s] for s in range(5)]))
    with pytest.raises(InvalidInputError, match=r"^report: .*; a report needs their problem$"):
        article(given)


def test_regimes_without_a_solution_are_listed_with_the_reason(
    found: Regimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def partly(given: Regimes, name: str) -> Solution:
        if name == "B":
            raise InvalidInputError("there is no solution & no hope")
        return solution(given, name)

    monkeypatch.setattr("diagflow.report.article.solution", partly)
    text = article(found)
    _, part = text.split("\\subsection{Unsolved regimes}\n")
    assert part == (
        "\\begin{itemize}\n\\item B: there is no solution \\& no hope.\n"
        "\\end{itemize}\n\\end{document}\n"
    )
    assert "\\subsection{Regime B}" not in text
    monkeypatch.undo()
    assert "\\subsection{Unsolved regimes}" not in article(found)


@pytest.mark.parametrize("length", [2, 30])
def test_a_formula_that_no_step_has_told_is_the_result(
    found: Regimes, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A long one without common parts has no names."""
    letters = sympy.symbols(" ".join(f"a_{number}" for number in range(length)))
    formula = sympy.Add(*letters)

    def bare(given: Regimes, name: str) -> Solution:
        solved = solution(given, name)
        return replace(solved, derivation=(), formula=formula) if name == "A" else solved

    monkeypatch.setattr("diagflow.report.article.solution", bare)
    text = article(found)
    _, part = text.split("\\subsection{Regime A}\n")
    part, _ = part.split("\\subsection{Regime B}\n")
    head = "\\paragraph{Result.}\n\\[\n\\fitted{$\\displaystyle \\mathbb{E}[L(t)] \\sim "
    _, printed = part.split(head)
    assert printed == f"{formula_latex(formula)}$}}\n\\]\n\n"
    assert printed.count("a_{") == length


def test_a_model_with_one_index_twice_has_numbered_ones() -> None:
    """f_ij = δ_ij v_i."""
    v = Tensor("v", (p,), variance="sigma2")
    problem = Problem(
        family="diagonal",
        model=(Network.einsum("a->aa", v),),
        target=(Network.einsum("->bb"),),
        output_axes=(p, p),
    )
    names = open_indices(problem)
    assert names == ("i1", "i2")
    assert function_latex("f", problem.model, names) in problem_section(problem)
    assert function_latex("F", problem.target, names) == "F_{i_{1} i_{2}} = \\delta_{i_{1} i_{2}}"


def test_without_latex_the_source_is_there(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    folder = tmp_path / "new" / "report"
    done = run(*SMALL, "--output", str(folder))
    assert done.code == 0
    assert f"written: {folder}/main.tex\nno PDF: there is no pdflatex here; install" in done.out
    assert sorted(os.listdir(folder)) == ["main.tex", "regimes.pdf"]
    assert os.listdir(tmp_path) == ["new"]
    assert os.listdir(tmp_path / "new") == ["report"]


def test_a_latex_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pdflatex"
    program.write_text("#!/bin/sh\necho '! Undefined control sequence.'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(write.shutil, "which", lambda name: str(program))
    report = write_report(cp(order=2, target="zero"), tmp_path / "report", terms=4)
    assert report.pdf is None
    assert report.reason.startswith("pdflatex failed: Undefined control sequence.; run it")
    assert report.source.exists()


def test_a_latex_that_does_not_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pdflatex"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(write.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(write, "_SECONDS", 0.1)
    report = write_report(cp(order=2, target="zero"), tmp_path / "report", terms=4, simulate=False)
    assert (report.pdf, report.reason) == (
        None,
        "pdflatex was stopped after 0.1 seconds; run it on main.tex",
    )
    assert sorted(os.listdir(tmp_path / "report")) == ["main.tex", "regimes.pdf"]


def test_a_report_that_cannot_be_moved_to_its_place_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """A folder has the name of the document; nothing else is left behind."""
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    (folder / "report" / "main.tex").mkdir(parents=True)
    message = "report report: cannot be written (Is a directory); give another folder"
    assert run(*SMALL, "--output", "report") == (2, "", f"diagflow: error: {message}\n")
    assert os.listdir(folder) == ["report"]
    assert os.listdir(folder / "report") == ["main.tex"]


def test_a_folder_without_permission_is_refused_before_the_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(write.os, "access", lambda place, mode: mode != os.W_OK)
    monkeypatch.setattr(write, "regimes", None)
    message = f"report new/report: {folder} cannot be written; give another folder"
    assert run(*SMALL, "--output", "new/report") == (2, "", f"diagflow: error: {message}\n")
    assert os.listdir(folder) == []


@pytest.mark.skipif(not HAS_LATEX, reason="there is no pdflatex here")
@pytest.mark.parametrize(("order", "symmetric"), [(2, True), (3, False), (4, True)])
def test_reports_compile_without_complaint(order: int, symmetric: bool, tmp_path: Path) -> None:
    problem = cp(order=order, symmetric=symmetric)
    report = write_report(problem, tmp_path / "report")
    assert report.pdf is not None
    assert report.pdf.read_bytes().startswith(b"%PDF")
    for _ in range(2):
        log = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "main.tex"],
            cwd=tmp_path / "report",
            capture_output=True,
            timeout=300,
        ).stdout.decode("utf-8", errors="replace")
    assert "undefined" not in log
    widths = [float(width) for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(widths, default=0.0) <= 10.0


@pytest.mark.skipif(not HAS_LATEX, reason="there is no pdflatex here")
def test_a_small_report_compiles(run: Run, tmp_path: Path) -> None:
    """Twice into one folder: the files are replaced, others stay."""
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.txt").write_text("mine")
    for _ in range(2):
        done = run(*SMALL, "--output", str(tmp_path / "report"))
        assert done.code == 0
        assert f"written: {tmp_path}/report/main.pdf" in done.out
    names = sorted(os.listdir(tmp_path / "report"))
    assert names == ["main.pdf", "main.tex", "notes.txt", "regimes.pdf"]
    assert (tmp_path / "report" / "notes.txt").read_text() == "mine"


def test_help_has_two_examples(run: Run) -> None:
    assert run("report", "--help").out.count("diagflow report cp") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "report: --output is missing; name a folder such as out/report"),
        (("--output", "taken"), "report taken: is a file, not a folder; give another name"),
    ],
)
def test_refusals_are_one_line(
    run: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "taken").write_text("a file")
    assert run(*SMALL, *arguments) == (2, "", f"diagflow: error: {message}\n")
    assert os.listdir(folder) == ["taken"]


def test_solved_regimes_are_compared_with_simulations(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    monkeypatch.setattr(experiments, "ENTRIES", 800)
    order2 = regimes(cp(order=2, symmetric=True), terms=4)
    report = write_report(cp(order=2, symmetric=True), tmp_path / "report", terms=4)
    text = report.source.read_text(encoding="utf-8")
    for regime in order2:
        assert f"{{regime-{regime.name}.pdf}}" in text
        assert (tmp_path / "report" / f"regime-{regime.name}.pdf").stat().st_size > 1000
        rows = (tmp_path / "report" / f"regime-{regime.name}.csv").read_text().splitlines()
        assert len([row for row in rows if row[0] in "-0123456789"]) == experiments.POINTS


def test_what_is_not_solved_or_refused_has_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A has no solution, the simulation of B is refused, A-B is resummed."""
    zero = regimes(cp(order=2, target="zero"), terms=4)
    asked: list[str] = []

    def partly(given: Regimes, name: str) -> Solution:
        if name == "A":
            raise InvalidInputError("regime A: has no solution; choose another")
        return solution(given, name)

    def refuse(given: Regimes, name: str, **options: object) -> None:
        asked.append(name)
        raise InvalidInputError("t = 1: is out of reach; give other times")

    monkeypatch.setattr(write, "solution", partly)
    monkeypatch.setattr(experiments, "compare_regime", refuse)
    told: list[str] = []
    assert write._comparisons(zero, tmp_path, told.append) == {}
    assert (told, asked) == (["B", "A-B"], ["B"])
    assert os.listdir(tmp_path) == []


def test_there_are_no_numbers_without_a_problem_or_for_sizes_that_do_not_grow() -> None:
    order2 = regimes(cp(order=2), terms=4)
    given = regimes(order2.exponents.coefficients)
    assert all(experiments.typical_numbers(given, regime) is None for regime in given)
    regime = order2["A"]
    assert dict(zip(regime.symbols, regime.cone.interior, strict=True)) == {
        "p": 2,
        "H": 1,
        "sigma2": -1,
    }
    assert experiments.typical_numbers(order2, regime) is not None
    # A wall between p and H at which H does not grow: the ray (1, 0, -1).
    ray = Cone.from_inequalities([(1, 0, 0)], [(0, 1, 0), (1, 0, 1)], dimension=3)
    assert experiments.typical_numbers(order2, replace(regime, cone=ray)) is None


def test_numbers_lie_in_their_regime() -> None:
    order2 = regimes(cp(order=2), terms=4)
    for regime in order2:
        numbers = experiments.typical_numbers(order2, regime)
        if numbers is None:
            continue
        assert sum(numbers["p"] * numbers["H"] for _ in range(2)) <= experiments.ENTRIES
        large = experiments.typical_numbers(order2, regime, entries=10**8)
        assert large is not None
        # The larger the sizes, the less is neglected.
        shares = [float(neglected(order2, regime.name, at)) for at in (numbers, large)]
        assert shares[1] < 0.5 * shares[0]
