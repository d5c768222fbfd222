"""Values in notebooks: pictures from above, text where nobody draws."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy

import diagflow
from diagflow import cp, simulate, solve
from diagflow.comparison.representative import representative_times
from pde.evolution import LossEvolution
from pde.recurrences.equation import FirstOrderPDE
from pde.recurrences.search import find_recurrence

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"


def test_a_diagram_is_drawn_with_a_line_for_every_factor() -> None:
    ((diagram, _),) = cp(order=3).model_square
    picture = ElementTree.fromstring(diagram._repr_svg_() or "")
    assert picture.tag == f"{SVG}svg"
    assert len(picture.findall(f"{SVG}path")) == len(diagram.factors) == 6


def test_curves_are_png() -> None:
    problem = cp(order=2, symmetric=True)
    at = {"p": 8, "H": 4, "sigma2": Fraction(1, 8)}
    evolution = solve(problem, "A-B-E", at=at)
    trajectory = simulate(problem, at=at, times=np.linspace(0, 1, 5), runs=2)
    for value in (evolution, trajectory):
        assert (value._repr_png_() or b"").startswith(PNG)


@pytest.mark.parametrize(
    ("order", "symmetric", "regime", "H"),
    [(2, True, "A-B-E", 8), (3, False, "B-C", 10**4), (4, True, "A-B", 300)],
)
def test_the_times_show_most_of_the_change(order, symmetric, regime, H) -> None:
    at = {"p": 16, "H": H, "sigma2": Fraction(1, 20)}
    evolution = solve(cp(order=order, symmetric=symmetric), regime, at=at)
    start, stop = representative_times(evolution)
    assert start == 0
    first, last = evolution([0, stop])
    limit = evolution.limit()
    assert limit is not None
    assert abs(last - first) > 0.8 * abs(limit - first)
    # Nor is it nothing but the end.
    assert abs(evolution([stop / 20])[0] - first) < 0.8 * abs(limit - first)


def test_a_solution_for_ascent_is_drawn_before_zero() -> None:
    at = {"p": 1000, "H": 500000, "sigma2": Fraction(1, 40000)}
    evolution: LossEvolution = solve(cp(order=4, symmetric=True), "A-B-E", at=at)
    start, stop = representative_times(evolution)
    assert stop == 0
    assert start < 0
    assert evolution.domain.contains(np.array([start]))


def test_below_the_application_a_diagram_is_text() -> None:
    program = (
        "import sys\n"
        "from expansion.models import cp\n"
        "((diagram, _),) = cp(order=2).overlap\n"
        "assert diagram._repr_svg_() is None\n"
        "assert not any(name.partition('.')[0] == 'diagflow' for name in sys.modules)\n"
        "import diagflow\n"
        "assert diagram._repr_svg_().startswith('<svg ')\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_importing_the_facade_loads_nothing_heavy() -> None:
    program = "import sys, diagflow; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "diagflow" in loaded
    assert loaded.isdisjoint({"numpy", "sympy", "matplotlib", "igraph", "flint", "rich", "typer"})
    assert diagflow.__version__


def test_an_equation_shows_itself_as_mathematics() -> None:
    x, z = sympy.symbols("x z")
    surjections = "(s)*C[s, m] + (-m)*C[s - 1, m] + (-m)*C[s - 1, m - 1] = 0"
    numbers = {(0, 0): Fraction(1)} | {(0, m): Fraction(0) for m in range(1, 6)}
    for s in range(1, 6):
        for m in range(6):
            before = numbers[s - 1, m] + (numbers[s - 1, m - 1] if m else 0)
            numbers[s, m] = m * before / s
    rule = find_recurrence(numbers, indices=("s", "m"), max_shift=1, max_degree=1, along="s")
    assert str(rule.recurrence) == surjections
    equation = FirstOrderPDE.from_recurrence(rule.recurrence, (x, z))
    shown = equation._repr_latex_()
    assert shown.startswith("$") and shown.endswith("$")
    assert shown.count(r"\partial_") == 2
