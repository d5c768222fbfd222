"""The table of what is solved says what the solvers solve, and the page has it."""

from pathlib import Path

import pytest

from benchmarks.solved import BEGIN, END, main, table, with_table
from pde.solutions import SOLVERS
from pde.solver import Solver
from pde.solving import GENERAL, solver_for

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "solutions.md"
NAMES = {name for solver in SOLVERS for line in solver.solved for name in line.regimes}


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.title)
def test_the_lines_of_a_solver_are_what_it_solves(solver: Solver) -> None:
    assert solver.solved
    for line in solver.solved:
        assert line.example is not None
        problem = line.example()
        listed = {name for each in solver.solved for name in each.regimes}
        assert {name for name in NAMES if solver.applies(problem, name)} == listed
        assert all(solver_for(problem, name) is solver for name in line.regimes)


def test_the_page_is_current(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert with_table(text) == text, "make solved-table"
    copy = tmp_path / "solutions.md"
    copy.write_text(text.replace(table(), "an old table"), encoding="utf-8")
    assert main(["--page", str(copy)]) == 0
    assert copy.read_text(encoding="utf-8") == text


def test_what_needs_no_solver_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(line.method in printed for line in GENERAL)
    assert printed.count("\n") == 2 + sum(len(s.solved) for s in SOLVERS) + len(GENERAL)
