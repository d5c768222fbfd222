"""Reports: complete, well formed, compiled where LaTeX is there, written whole or not at all."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy

from diagflow.comparison.verdict import LARGEST_SHARE
from diagflow.latex.prose import prose
from diagflow.report import article as article_module
from diagflow.report import experiments, write
from diagflow.report.article import article
from diagflow.report.problem import function_latex, open_indices, problem_section
from diagflow.report.title import title_latex, title_words
from diagflow.report.trials import TrialLimits, run_trials
from diagflow.report.write import write_report
from diagflow.simulation import simulate
from diagflow.simulation.trajectory import Trajectory
from diagflow.time_limit import TimeLimit
from diagrams.errors import DiagflowError, InvalidInputError
from diagrams.network import Network
from diagrams.tensors import Axis, Kind, Tensor
from expansion.closest_regime import NeglectedShare
from expansion.geometry.cones import Cone
from expansion.models import autoencoder, cp, deep_linear, two_layer
from expansion.problem import Problem
from expansion.regimes import Regimes, regimes
from expansion.series import loss_series
from expansion.series_exponents import SeriesExponents
from pde.evolution import Solution
from pde.formula_latex import formula_latex
from pde.solving import neglected, solution
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
    packages = set(re.findall(r"\\usepackage(?:\[[^]]*\])?\{([^}]*)\}", text))
    standard = {"amsmath, amssymb", "booktabs", "graphicx", "tikz", "hyperref", "geometry"}
    assert packages == standard | {"inputenc", "fontenc", "lmodern"}


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
    modular = cp(order=3, target="modular-addition")
    assert function_latex("F", modular.target, names) == (
        "F_{i_{1} i_{2} i_{3}} = [i_{3} \\equiv i_{1} + i_{2} \\;(\\mathrm{mod}\\; p)]"
    )


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
        "F_{i j} = -3 \\sum_{i'} W^{(\\mathrm{teacher})}_{i' i} W^{(\\mathrm{teacher})}_{i' j} "
        "+ 2 \\delta_{i j}"
    )
    section = problem_section(problem)
    assert "$W$ are independent $N(0, \\sigma^{2})$ at the start" in section
    assert "$N(0, \\sigma_{*}^{2})$ and fixed" in section


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
    part = part.partition("\\begin{thebibliography}")[0]
    assert part == (
        "\\begin{itemize}\n\\item B: there is no solution \\& no hope.\n\\end{itemize}\n"
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


def test_what_regimes_share_is_derived_once(found: Regimes) -> None:
    text = article(found)
    _, rest = text.split("\\subsection{Steps that regimes share}\n")
    shared, rest = rest.split("\\subsection{Regime", 1)
    equations = re.findall(r"\\paragraph\{S\d+\. .*\}.*\n\\\[\n(.*)\n", shared)
    assert equations and len(set(equations)) == len(equations)
    for equation in equations:
        assert f"\\[\n{equation}\n" not in rest
    referred = re.findall(r"\\hyperlink\{shared(\d+)\}", rest)
    assert set(referred) == {str(k + 1) for k in range(len(equations))}
    assert all(referred.count(number) > 1 for number in referred)
    assert "\\subsection{Steps that regimes share}" not in article(
        found, solved={regime.name: InvalidInputError("none") for regime in found}
    )


def test_figures_float_with_numbers_and_captions(found: Regimes) -> None:
    text = article(found, figures={"B": "regime-B.pdf"}, captions={"B": "Regime B at $p = 3$."})
    assert "\\caption{Regime B at $p = 3$.}\\label{fig:B}" in text
    assert text.count("\\begin{figure}") == text.count("\\caption{") == 2
    for label in re.findall(r"\\label\{(.*?)\}", text):
        assert f"\\ref{{{label}}}" in text


def test_papers_and_the_engine_are_cited(found: Regimes) -> None:
    text = article(found)
    cited = set(re.findall(r"\\cite(?:\[[^]]*\])?\{(.*?)\}", text))
    assert cited == set(re.findall(r"\\bibitem\{(.*?)\}", text)) == {"yarotsky2026", "diagflow"}
    assert "ours" not in re.sub(r"[a-z]ours|ours[a-z]", "", text)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (cp(order=2, symmetric=True), "the symmetric CP decomposition of order 2"),
        (cp(order=4, target="zero"), "the CP decomposition of order 4 with zero as target"),
        (deep_linear(depth=3), "the deep linear network of depth 3"),
        (autoencoder(data=True), "the linear autoencoder on finite data"),
        (two_layer(degree=3), "the two-layer network of degree 3"),
    ],
)
def test_titles_are_words(problem: Problem, words: str) -> None:
    assert title_words(problem) == words
    assert title_latex(problem).startswith(f"Learning regimes of {words}\\\\\n")


def test_the_title_of_a_file_is_its_name() -> None:
    problem = Problem(family="a & b", model=cp(order=2).model, target=(), output_axes=(p, p))
    assert title_words(problem) == "a & b" and "of a \\& b\\\\" in title_latex(problem)


def test_resummed_regimes_show_their_curve_with_its_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(experiments, "ENTRIES", 800)
    order2 = regimes(cp(order=2), terms=6)
    name = "A-B-C-D-E"
    file = tmp_path / "regime.pdf"
    at = experiments.draw_summed(order2, order2[name], solution(order2, name), file)
    assert at is not None and file.stat().st_size > 1000
    text = article(
        order2,
        solved={r.name: solution(order2, name) for r in order2},
        figures={name: file.name},
        captions={name: experiments.caption_summed(order2[name], at)},
    )
    assert f"\\includegraphics[width=0.5\\linewidth]{{{file.name}}}" in text
    assert "estimated error as a band" in text and "figure~\\ref{fig:A-B-C-D-E}" in text


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
    assert sorted(os.listdir(folder)) == ["main.tex", "regime-A-B.pdf", "regimes.pdf"]
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
    assert sorted(os.listdir(tmp_path / "report")) == ["main.tex", "regime-A-B.pdf", "regimes.pdf"]


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
    assert names == ["main.pdf", "main.tex", "notes.txt", "regime-A-B.pdf", "regimes.pdf"]
    assert (tmp_path / "report" / "notes.txt").read_text() == "mine"


def test_help_has_examples(run: Run) -> None:
    assert run("report", "--help").out.count("diagflow report cp") == 3


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


def test_what_is_not_solved_or_refused_has_no_simulation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A has no solution, the simulation of B is refused, A-B is resummed."""
    asked: list[str] = []

    def partly(given: Regimes, name: str) -> Solution:
        if name == "A":
            raise InvalidInputError("regime A: has no solution; choose another")
        return solution(given, name)

    def refuse(given: Regimes, name: str, **options: object) -> None:
        asked.append(name)
        raise InvalidInputError("t = 1: is out of reach; give other times")

    monkeypatch.setattr("diagflow.report.article.solution", partly)
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    monkeypatch.setattr(experiments, "compare_regime", refuse)
    told: list[str] = []
    report = write_report(
        cp(order=2, target="zero"), tmp_path / "report", terms=4, simulated=told.append
    )
    assert (told, asked, report.missing) == (["B"], ["B"], ())
    files = ["main.tex", "regime-A-B.pdf", "regimes.pdf"]  # a sum, and no simulation
    assert sorted(os.listdir(report.source.parent)) == files


# --- limits and interrupts ------------------------------------------------------------------------


def finished(run: Run, folder: Path, *options: str) -> tuple[int, list[str], str]:
    """The status, what is missing, and the article, which is well formed and says so too."""
    done = run("report", "cp", "--order", "2", "--symmetric", *options, "--output", str(folder))
    text = (folder / "main.tex").read_text(encoding="utf-8")
    check_structure(text)
    for file in re.findall(r"\\includegraphics\[.*\]\{(.*)\}", text):
        assert (folder / file).stat().st_size > 1000, "what is shown is there"
    lines = done.out.splitlines()
    missing = [line.removeprefix("missing: ") for line in lines if line.startswith("missing: ")]
    section = text.partition("\\section{What is missing}\n")[2]
    assert section.count("\\item") == len(missing)
    for line in missing:
        assert prose(line) in section
    return done.code, missing, text


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Comparisons are quick, but for that in a regime, which does not end."""
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    monkeypatch.setattr(experiments, "ENTRIES", 100)
    real = experiments.compare_regime

    def place(stuck_in: str, action: Callable[[], None] = lambda: time.sleep(600)) -> None:
        def compare(given: Regimes, name: str, **options: Any) -> Any:
            if name == stuck_in:
                action()
            return real(given, name, **options)

        monkeypatch.setattr(experiments, "compare_regime", compare)

    return place


def test_a_simulation_that_does_not_end_costs_its_own_figure(
    run: Run, stuck: Callable[[str], None], tmp_path: Path
) -> None:
    stuck("B")
    others = [
        part for name in ("E", "A-E", "B-E", "A-B-E") for part in ("--no-simulation-of", name)
    ]
    options = ("--terms", "4", "--simulation-seconds", "3", *others)
    code, missing, text = finished(run, tmp_path, *options)
    assert code == 0
    assert "the simulation of regime B needs more than 3 seconds" in missing
    assert "{regime-A-B.pdf}" in text and "{regime-B.pdf}" not in text
    assert "\\subsection{Regime B}" in text, "its solution is there"


def test_a_report_whose_time_is_over_is_complete_without_the_rest(
    run: Run, stuck: Callable[[str], None], tmp_path: Path
) -> None:
    stuck("A")
    options = ("--terms", "4", "--max-seconds", "20")
    code, missing, text = finished(run, tmp_path, *options)
    assert code == 2
    lines = [
        re.fullmatch("the simulation of regime A needs more than (.*) seconds", line)
        for line in missing
    ]
    assert lines[0] is not None and float(lines[0][1]) < 7, "its share, not all that was left"
    assert "{regime-B.pdf}" in text, "what comes after it has its own share"
    assert "\\subsection{Regime A}" in text, "its solution is there"


def test_a_solution_that_does_not_end_costs_its_share_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = article_module.solution

    def slow(found: Regimes, name: str) -> Any:
        if name == "B":
            time.sleep(600)
        return real(found, name)

    monkeypatch.setattr(article_module, "solution", slow)
    found = regimes(cp(order=2, symmetric=True), terms=4)
    limit = TimeLimit.begun(14, "the solutions")
    solved = article_module.solutions(found, limit=limit)
    assert [name for name, known in solved.items() if isinstance(known, DiagflowError)] == ["B"]
    assert not limit.is_over


def test_a_report_on_a_slice_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    options = ("--terms", "4", "--no-simulations", "--slice", "H ~ p")
    code, _, text = finished(run, tmp_path, *options)
    assert code == 0
    assert "There are 3 on the slice $H / p \\sim 1$, from" in text
    assert "\\subsection{Regime A--B--E}" in text and "\\subsection{Regime B}" not in text


def test_an_interrupt_leaves_a_complete_report(
    run: Run, stuck: Callable[..., None], tmp_path: Path
) -> None:
    stuck("B", lambda: signal.raise_signal(signal.SIGINT))
    code, missing, text = finished(run, tmp_path, "--terms", "4")
    assert code == 130
    assert "the simulation of regime B was interrupted" in missing
    assert "{regime-A.pdf}" in text


def test_an_expansion_that_is_cut_short_is_reported_as_far_as_it_got(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    for limit, sections in (("60", 6), ("8", 4)):
        options = ("--terms", "30", "--no-simulations", "--max-diagrams", limit)
        code, missing, text = finished(run, tmp_path, *options)
        assert code == 2
        assert text.count("\\section{") == sections, "without regimes if there are too few"
        assert re.fullmatch(r"Y_\d+ ... Y_30: not finished", missing[0])


def test_regimes_are_left_out_by_name_and_shared_by_processes(tmp_path: Path) -> None:
    limits = TrialLimits()
    order2 = regimes(cp(order=2, symmetric=True), terms=4)
    told: list[str] = []
    trials = run_trials(order2, ["B", "A", "A-B"], limits, jobs=2, begun=told.append)
    assert [trial.regime for trial in trials] == ["B", "A", "A-B"]
    assert sorted(told) == ["A", "A-B", "B"]
    here = run_trials(order2, ["A"], limits)[0].done
    assert here is not None and trials[1].done is not None
    assert here[1].mean.tolist() == trials[1].done[1].mean.tolist()


@pytest.mark.parametrize("limit", [None, 27.0])
def test_the_finished_runs_of_a_trial_are_used(
    monkeypatch: pytest.MonkeyPatch, limit: float | None
) -> None:
    """An interrupt ends the trials that follow; a limit is one on its trial only."""
    order2 = regimes(cp(order=2, symmetric=True), terms=4)
    begun: list[str] = []
    stops: list[BaseException] = []

    def stopped(*given: Any, runs: int, **options: Any) -> Trajectory:
        if begun[-1] != "B":
            return simulate(*given, runs=runs, **options)
        return replace(simulate(*given, runs=3, **options), interrupted=True, limit=limit)

    monkeypatch.setattr("diagflow.comparison.regime.simulate", stopped)
    trials = run_trials(
        order2, ["A", "B", "A-B"], TrialLimits(), begun=begun.append, stopped=stops.append
    )
    runs = [trial.done and trial.done[1].trajectory.runs for trial in trials]
    few = "the simulation of regime B is the mean of 3 runs, because it was stopped"
    if limit is None:
        assert runs == [4, 3, None] and begun == ["A", "B"] and len(stops) == 1
        assert trials[2].reason == "the simulation of regime A-B was interrupted"
    else:
        assert runs == [4, 3, 4] and not stops and not trials[2].reason
    assert (trials[0].reason, trials[1].reason) == ("", few)
    assert trials[1].done is not None
    assert "mean of 3 simulated runs" in experiments.caption(order2["B"], trials[1].done)


def test_a_trial_that_is_stopped_after_one_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    order2 = regimes(cp(order=2, symmetric=True), terms=4)

    def stopped(*given: Any, runs: int, **options: Any) -> Trajectory:
        return replace(simulate(*given, runs=1, **options), interrupted=True, limit=27.0)

    monkeypatch.setattr("diagflow.comparison.regime.simulate", stopped)
    (trial,) = run_trials(order2, ["B"], TrialLimits())
    assert trial.done is None
    assert trial.reason == "the simulation of regime B needs more than 30 seconds"


def test_a_regime_that_is_left_out_by_name_has_no_figure(
    run: Run, stuck: Callable[[str], None], tmp_path: Path
) -> None:
    stuck("none")
    options = ("--terms", "4", "--no-simulation-of", "B", "--no-simulation-of", "E-B-A")
    code, _, text = finished(run, tmp_path, *options)
    assert (code, "missing" in text) == (0, False)
    assert "{regime-A.pdf}" in text
    assert "{regime-B.pdf}" not in text and "{regime-A-B-E.pdf}" not in text


def test_an_earlier_pdf_does_not_stand_beside_a_new_source(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(write.shutil, "which", lambda name: None)
    (tmp_path / "main.pdf").write_bytes(b"%PDF of another report")
    assert run(*SMALL, "--output", str(tmp_path)).code == 0
    assert sorted(os.listdir(tmp_path)) == ["main.tex", "regime-A-B.pdf", "regimes.pdf"]


def test_there_are_no_numbers_without_a_problem_or_for_sizes_that_do_not_grow() -> None:
    order2 = regimes(cp(order=2), terms=4)
    given = regimes(order2.exponents.coefficients)
    assert all(experiments.representative_sizes(given, regime) is None for regime in given)
    regime = order2["A"]
    assert dict(zip(regime.symbols, regime.cone.interior, strict=True)) == {
        "p": 2,
        "H": 1,
        "sigma2": -1,
    }
    assert experiments.representative_sizes(order2, regime) is not None
    # A wall between p and H at which H does not grow: the ray (1, 0, -1).
    ray = Cone.from_inequalities([(1, 0, 0)], [(0, 1, 0), (1, 0, 1)], dimension=3)
    assert experiments.representative_sizes(order2, replace(regime, cone=ray)) is None


def test_numbers_do_not_grow_for_ever_after_a_share_that_has_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On faces of SYM of order 3 the neglected share falls with every step, and never to little."""
    asked: list[object] = []

    def counted(*given: object) -> NeglectedShare:
        asked.append(given)
        return neglected(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(experiments, "neglected", counted)
    found = regimes(cp(order=3, symmetric=True), terms=4)
    for regime in found:
        asked.clear()
        numbers = experiments.representative_sizes(found, regime)
        assert len(asked) < 100
        assert numbers is None or max(map(abs, numbers.values())) < 10**6


@pytest.mark.parametrize(
    ("order", "symmetric", "shallow"),
    [(2, True, set()), (2, False, set()), (3, False, {"B-C"}), (4, True, set())],
)
def test_numbers_lie_so_deep_in_their_regime_that_it_neglects_little(
    order: int, symmetric: bool, shallow: set[str]
) -> None:
    """Small sizes that fit, and a share of the loss that a figure can show."""
    found = regimes(cp(order=order, symmetric=symmetric), terms=4)
    for regime in found:
        numbers = experiments.representative_sizes(found, regime)
        if numbers is None or regime.name in shallow:
            continue
        weights = 1 if symmetric else order
        assert weights * numbers["p"] * numbers["H"] <= experiments.ENTRIES
        assert all(numbers[name].denominator == 1 for name in ("p", "H"))
        share = neglected(found, regime.name, numbers).largest
        assert share <= LARGEST_SHARE, (regime.name, numbers, float(share))


def test_a_regime_that_is_out_of_reach_has_a_sentence_instead_of_a_figure(
    found: Regimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "ENTRIES", 40)
    assert experiments.experiment(found, found["A"], solution(found, "A")) is None
    text = article(found, figures={"B": "regime-B.pdf"})
    _, part = text.split("\\subsection{Regime A}\n")
    part, rest = part.split("\\subsection{Regime B}\n")
    assert "There is no simulation of this regime" in part
    assert "There is no simulation" not in rest.split("\\subsection{Regime C}")[0]
    assert "There is no simulation" not in article(found)
