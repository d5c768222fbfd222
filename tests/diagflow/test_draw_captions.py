"""What stands under pictures adds up: coefficients times contractions are the coefficients Y_s."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from diagflow.drawing.cumulants import cumulant_terms
from diagflow.drawing.draw import block_items, contraction_items, term_items
from diagrams.diagram import Diagram
from expansion.models import cp, mlp_linear, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import LossSeries, loss_series
from tests.command import Run

AMPLITUDE = """
family = "amplitudes"
amplitudes = ["c", "g"]
[axes]
p = "growing"
[tensors.W]
kind = "weight"
axes = ["p", "p"]
variance = "sv2"
[losses.l]
outputs = ["i", "j"]
model = "g W[i,j]"
target = "c identity"
"""


@pytest.fixture
def amplitudes(tmp_path: Path) -> Problem:
    file = tmp_path / "amplitudes.toml"
    file.write_text(AMPLITUDE)
    return read_problem_file(file)


def polynomial(latex: str) -> Polynomial:
    """One term in LaTeX."""
    coefficient = Fraction(1)
    powers: dict[str, int] = {}
    if latex.startswith("-"):
        coefficient, latex = -coefficient, latex[1:]
    letters = {"\\sigma": "sigma", "\\mathit{sv}": "sv"}
    token = re.compile(
        r"\\frac\{(\d+)\}\{(\d+)\}|(\d+)|(\\sigma|\\mathit\{\w+\}|[A-Za-z])(?:\^\{(-?\d+)\})?|\s+"
    )
    at = 0
    while at < len(latex):
        found = token.match(latex, at)
        assert found is not None, latex
        at = found.end()
        if found[1]:
            coefficient *= Fraction(int(found[1]), int(found[2]))
        elif found[3]:
            coefficient *= int(found[3])
        elif found[4]:
            name, power = letters.get(found[4], found[4]), int(found[5] or 1)
            if name in {"sigma", "sv"}:
                name, power = f"{name}2", power // 2
            powers[name] = powers.get(name, 0) + power
    return Polynomial({tuple(sorted(powers.items())): coefficient})


def sizes(diagram: Diagram) -> Polynomial:
    total = Polynomial.parse("1")
    for axis in diagram.nodes:
        total = total * (Polynomial.parse(axis.name) if axis.pinned is None else axis.pinned)
    return total


def added_up(items: Iterator[tuple[Diagram, str]]) -> dict[int, Polynomial]:
    """The sums of coefficient times count times monomial, by s."""
    total: dict[int, Polynomial] = {}
    factor, order = Polynomial(), 0
    for diagram, caption in items:
        head = re.fullmatch(r"\$Y_\{(\d+)\}:\\ \{(.*)\}\\times\$", caption)
        if head:
            order, factor = int(head[1]), polynomial(head[2])
            total.setdefault(order, Polynomial())
            if not diagram.factors:
                total[order] += factor * sizes(diagram)
            continue
        contraction = re.fullmatch(r"\$\\to\\ (\d+)\\times (.*)\$", caption)
        assert contraction is not None, caption
        total[order] += factor * polynomial(contraction[2]) * int(contraction[1])
    return total


@pytest.mark.parametrize(
    "problem",
    [cp(order=2), cp(order=2, symmetric=True), tied_autoencoder(data=True)],
    ids=["asymmetric", "symmetric", "data"],
)
def test_contractions_add_up_to_the_coefficients(problem: Problem) -> None:
    series = LossSeries(problem)
    assert added_up(contraction_items(series, 1)) == {0: series[0], 1: series[1]}


@pytest.mark.parametrize(
    ("problem", "loss"),
    [
        (cp(order=2, symmetric=True), "ntk-trace"),
        (cp(order=2, symmetric=True), "weight-norm*train"),
        (tied_autoencoder(data=True), "population"),
    ],
    ids=["kernel", "product", "population"],
)
def test_contractions_of_an_observable_add_up(problem: Problem, loss: str) -> None:
    series = LossSeries(problem, loss=loss)
    assert added_up(contraction_items(series, 1)) == {0: series[0], 1: series[1]}


@pytest.mark.parametrize(
    ("problem", "loss", "last"),
    [
        (cp(order=2, symmetric=True), "cumulant(train, 2)", 1),
        (cp(order=2), "cumulant(train, 2)", 1),
        (tied_autoencoder(data=True), "cumulant(train, 2)", 0),
        (mlp_linear(depth=2), "cumulant(train, 2)", 1),
        (cp(order=2, symmetric=True), "cumulant(weight-norm, 3)", 1),
        (cp(order=2).driven_by(rates={"U1": "r"}), "cumulant(weight-norm, 2)", 2),
    ],
    ids=["symmetric", "asymmetric", "data", "line", "third", "rates"],
)
def test_connected_contractions_add_up_to_cumulants(problem: Problem, loss: str, last: int) -> None:
    """Diagrams that are not connected themselves, as those of a model without outputs, too."""
    series = loss_series(problem, loss=loss)
    found = added_up(contraction_items(series, last))
    assert {s: found.get(s, Polynomial()) for s in range(last + 1)} == {
        s: series[s] for s in range(last + 1)
    }


def test_cumulants_of_signs_add_up() -> None:
    """Blocks of four connect, too."""
    signs = cp(order=2, symmetric=True).with_law("U", law="rademacher")
    terms = cumulant_terms(signs, "train", 2, 0)
    total = sum((term.value * term.coefficient for term in terms), Polynomial())
    assert total == loss_series(signs, loss="cumulant(train, 2)")[0]


def test_contractions_with_amplitudes_add_up(amplitudes: Problem) -> None:
    series = LossSeries(amplitudes)
    assert added_up(contraction_items(series, 2)) == {s: series[s] for s in range(3)}


def test_amplitudes_are_factors_and_not_drawn(amplitudes: Problem) -> None:
    series = LossSeries(amplitudes)
    for items in (
        term_items(series, 1),
        contraction_items(series, 1),
        block_items(amplitudes),
    ):
        captions = []
        for diagram, caption in items:
            assert {axis.name for axis in diagram.nodes} <= {"p"}
            captions.append(caption)
        assert any("c^{2}" in caption or "c " in caption for caption in captions)


def test_the_legend_names_no_amplitude(tmp_path: Path, run: Run) -> None:
    file, picture = tmp_path / "amplitudes.toml", tmp_path / "out.tex"
    file.write_text(AMPLITUDE)
    assert run("draw", str(file), "--what", "terms", "--output", str(picture)).code == 0
    assert re.findall(r"sum over \$(.*?)\$", picture.read_text()) == ["p"]


def test_blocks_have_the_normalisation_of_the_loss() -> None:
    captions = [caption for _, caption in block_items(tied_autoencoder(data=True))]
    assert captions
    assert all("N^{-1}" in caption.split("\n")[0] for caption in captions)
