"""Sources of solutions for a reader: the engine by its version, papers through a bibliography."""

import diagflow
from diagflow.latex.references import bibliography, cited
from diagflow.show.sources import source_text
from pde.power_law import SOURCE
from pde.solutions import SOLVERS

ENGINE = f"diagflow {diagflow.__version__}"


def test_no_reader_meets_the_word_of_the_authors() -> None:
    for source in {solver.source for solver in SOLVERS} | {SOURCE}:
        assert "ours" not in source_text(source)
        assert "ours" not in cited(source)
        assert (ENGINE in source_text(source)) == ("ours" in source)


def test_every_paper_of_a_solver_is_cited_and_listed() -> None:
    for source in {solver.source for solver in SOLVERS} | {SOURCE}:
        text = cited(source)
        assert "2026" not in text.replace("2026}", "")
        listed = bibliography(text)
        assert text.count("\\cite") >= 1
        for key in ("yarotsky2026", "golikov2026", "diagflow"):
            assert (f"{{{key}}}" in text) == (f"\\bibitem{{{key}}}" in listed)
