"""Names with underscores at their ends, or with other special characters, in every LaTeX output."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from diagflow.latex.names import indices_latex, tensor_latex
from tests.command import Run
from tests.latex_structure import check_scripts, check_structure

ODD = """
family = "odd_names_ & 100 %"

[axes]
p_ = "growing"
_H = "growing"

[tensors]
_w = { kind = "weight", axes = ["_H", "p_"], variance = "v_x_2" }
U__a_ = { kind = "weight", axes = ["_H", "p_"], variance = "v_x_2" }

[losses.train_]
outputs = ["i_", "_j"]
model = "_w[_k,i_] U__a_[_k,_j]"
target = "identity"

[observables.norm_]
formula = "_w[_k,i_] _w[_k,i_]"
"""

AT = ("--at", "p_=30,_H=20,v_x_2=1/60")

DOCUMENT = (
    "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage[T1]{fontenc}\n"
    "\\usepackage{amsmath, amssymb, booktabs}\n\\begin{document}\n%s\\end{document}\n"
)


@pytest.fixture
def odd(tmp_path: Path) -> str:
    file = tmp_path / "odd_names_.toml"
    file.write_text(ODD, encoding="utf-8")
    return str(file)


def compiled(folder: Path, name: str) -> None:
    """Compile a document twice; its first complaint is the failure."""
    for _ in range(2):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        log = done.stdout.decode("utf-8", errors="replace")
        assert done.returncode == 0, re.search(r"^!.*(?:\n.*){4}", log, re.MULTILINE)


def fragments(run: Run, odd: str) -> list[str]:
    commands = (
        ("expand", odd, "--terms", "1"),
        ("expand", odd, "--terms", "1", "--observable", "norm_"),
        ("regimes", odd, "--terms", "4"),
        ("derive", odd, "--regime", "C", "--terms", "2"),
        *(("solve", odd, "--terms", "4", "--regime", name, *AT) for name in ("A", "A-B-C-D-E")),
    )
    texts = []
    for command in commands:
        result = run(*command, "--format", "latex")
        assert result.code == 0, result.err
        texts.append(result.out)
    return texts


def test_every_fragment_is_well_formed_and_compiles(run: Run, odd: str, tmp_path: Path) -> None:
    texts = fragments(run, odd)
    for text in texts:
        check_structure(text)
        for formula in re.findall(r"\$([^$]+)\$|\\\[\n(.*?)\n\\\]", text, re.DOTALL):
            check_scripts("".join(formula).replace("&", ""))
    if shutil.which("pdflatex") is not None:
        (tmp_path / "all.tex").write_text(DOCUMENT % "\n\n".join(texts), encoding="utf-8")
        compiled(tmp_path, "all.tex")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
def test_drawings_and_the_report_compile(run: Run, odd: str, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.tex"
    assert run("draw", odd, "--what", "contractions", "--output", str(drawn)).code == 0
    compiled(tmp_path, "drawn.tex")
    folder = tmp_path / "report"
    done = run("report", odd, "--terms", "4", "--no-simulations", "--output", str(folder))
    assert done.code == 0 and (folder / "main.pdf").exists(), done.out


def test_names_stay_different() -> None:
    tensors = ["w", "_w", "w_", "w__", "w1", "w_a", "w__a", "ww", "w1_"]
    assert len({tensor_latex(name) for name in tensors}) == len(tensors)
    indices = ["i", "_i", "i_", "i1", "i_a", "i'", "i1'"]
    assert len({indices_latex([name]) for name in indices}) == len(indices)
