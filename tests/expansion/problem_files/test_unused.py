"""What a file declares in vain is said once, and nothing that is used is."""

from pathlib import Path

import pytest

from expansion.problem_files.problem_file import read_problem, read_problem_file
from expansion.problem_files.toml_document import TomlDocument
from expansion.problem_files.unused import unused_declarations
from tests.command import Run

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

TEXT = """
family = "mine"
amplitudes = ["c", "lambda", "k"]
flow = "train + lambda*weight-norm"
[axes]
p = "growing"
H = "growing"
N = "growing"
two = 2
[tensors.W]
kind = "weight"
axes = ["H", "p"]
variance = "sigma2/two"
[tensors.V]
kind = "weight"
axes = ["H", "p"]
variance = "sigma2"
[losses.train]
outputs = ["i", "c"]
model = "W[k,i] W[k,c]"
target = "identity"
"""


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda file: file.stem)
def test_no_example_declares_anything_in_vain(file: Path) -> None:
    assert read_problem_file(file).remarks == ()


def test_an_index_is_no_use_and_a_flow_a_law_and_an_observable_are() -> None:
    document = TomlDocument.parse("x.toml", TEXT)
    assert unused_declarations(document) == (
        "x.toml, line 3: amplitudes: nothing uses 'c'; leave it out, or write it into a formula",
        "x.toml, line 3: amplitudes: nothing uses 'k'; leave it out, or write it into a formula",
        "x.toml, line 8: axes.N: nothing uses it; leave it out, or give it to a tensor",
        "x.toml, line 14: tensors.V: nothing uses it; leave it out, or write it into a formula",
    )
    more = (
        TEXT + '[observables.o]\nformula = "c V[k,i] V[k,i]"\nnormalisation = { N = -1, k = 1 }\n'
    )
    problem = read_problem(TomlDocument.parse("x.toml", more))
    assert problem.remarks == ()
    # A problem is the same whatever its file declares besides.
    plain = read_problem(TomlDocument.parse("x.toml", TEXT.replace("[tensors.V]", "[tensors.U]")))
    assert plain == read_problem(document) and plain.remarks != read_problem(document).remarks


def test_the_command_warns_and_goes_on(run: Run, folder: Path) -> None:
    (folder / "x.toml").write_text(TEXT, encoding="utf-8")
    done = run("expand", "x.toml", "--terms", "0")
    assert done.code == 0 and done.out
    assert done.err.splitlines()[-1] == (
        "diagflow: warning: x.toml, line 14: tensors.V: nothing uses it; leave it out, or write it "
        "into a formula"
    )
    assert done.err.count("nothing uses") == 4
    assert run("expand", "x.toml", "--terms", "0", "--quiet") == (0, done.out, "")
