"""The parts of a page: formulas, tables, pictures, the record and the file around it."""

import json
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy
from jsonschema import Draft202012Validator

from diagflow.atlas import explorer
from diagflow.atlas.build import Wanted, build_atlas
from diagflow.atlas.explorer import check_page_file, explore, write_explorer
from diagflow.atlas.formulas import python_code, tree
from diagflow.atlas.page import page
from diagflow.atlas.problems import PRESETS, described, file_name, listed
from diagflow.atlas.record import explorer_record
from diagflow.atlas.shapes import exponents_record, map_record
from diagflow.atlas.tables import Variables, tabulated
from diagflow.schemas import schema
from diagrams.errors import BudgetExceededError, DiagflowError, InvalidInputError
from expansion.leading import LeadingSeries
from expansion.models import autoencoder, cp
from expansion.regimes import Regimes, regimes
from expansion.series import Budget
from pde.curve import Curve
from pde.evolution import Method, Solution
from pde.solving import solution
from tests.command import Run

ZERO = cp(order=2, symmetric=True, target="zero")


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=2, symmetric=True), terms=4)


def value(node: object, numbers: dict[str, float]) -> float:
    """What the script of a page makes of a tree, written again."""
    if isinstance(node, str):
        return numbers[node]
    assert isinstance(node, list)
    name, *parts = node
    if name == "n":
        return float(Fraction(parts[0]))
    values = [value(part, numbers) for part in parts]
    if name in "+*^":
        return {"+": math.fsum, "*": math.prod, "^": lambda v: v[0] ** v[1]}[name](values)
    return float(getattr(math, name)(*values))


@pytest.mark.parametrize("name", ["A", "B", "E", "A-B", "B-E", "E-A", "A-B-E"])
def test_trees_and_python_have_the_value_of_the_formula(found: Regimes, name: str) -> None:
    solved = solution(found, name)
    short = solved.short_formula()
    assert short is not None and solved.formula is not None
    numbers = {"p": 40.0, "H": 30.0, "sigma2": 0.001, "T": 2.0, "t": 0.3}
    exact = float(solved.formula.subs({s: numbers[s.name] for s in solved.formula.free_symbols}))
    assert value(tree(solved.formula), numbers) == pytest.approx(exact, rel=1e-10)
    space: dict[str, object] = {}
    exec(python_code(short, solved), space)
    t = numbers.pop("t")
    assert space["loss"](t, **numbers) == pytest.approx(exact, rel=1e-10)  # type: ignore[operator]


def test_python_of_an_integral_is_evaluated_by_scipy() -> None:
    t, p, theta = sympy.symbols("t p theta", positive=True)
    formula = p * sympy.Integral(1 / (1 + t * sympy.cos(theta) ** 2), (theta, 0, sympy.pi))
    solved = Solution(
        problem="a problem",
        regime="V1",
        method=Method.MOMENTS,
        source="ours",
        formula=formula,
        derivation=(),
        taylor=lambda: iter(()),
        curve=lambda at: Curve(evaluate=lambda t: t),
    )
    short = solved.short_formula()
    assert short is not None
    space: dict[str, object] = {}
    exec(python_code(short, solved), space)
    exact = 2 * math.pi / math.sqrt(1.7)
    assert space["loss"](0.7, p=2.0) == pytest.approx(exact)  # type: ignore[operator]


def test_a_formula_of_another_kind_has_no_tree() -> None:
    x = sympy.Symbol("x", positive=True)
    for formula in (sympy.I * x, sympy.besseli(0, x), sympy.Piecewise((x, x > 1), (1, True))):
        assert tree(formula) is None
    assert tree(sympy.Symbol("x") + sympy.gamma(x)) is None


def test_scaled_variables_are_dual_to_the_ratios(found: Regimes) -> None:
    variables = Variables.of(found, found["A-B-E"])
    start = {"p": 3.0, "H": 2.0, "sigma2": -4.0}
    moved = variables.logarithms([7.0, 0.5], start)
    assert variables.values(moved) == pytest.approx((math.log(7.0), math.log(0.5)))
    again = variables.logarithms([math.exp(v) for v in variables.values(start)], start)
    assert again == pytest.approx(start)


def test_a_table_says_what_the_curve_says(found: Regimes) -> None:
    solved = solution(found, "A-B")
    table = tabulated(found, "A-B", solved)
    assert table is not None and table.error < 0.02
    at = {"p": Fraction(90), "H": Fraction(50), "sigma2": Fraction(1, 3)}
    logs = {name: math.log(number) for name, number in at.items()}
    times = np.array([0.02, 0.1, 0.5]) * table.variables.unit_time(logs)
    exact = solved.at({**at, "T": Fraction(1)})(times) / table.variables.unit_loss(logs)
    said = table(table.variables.values(logs), times / table.variables.unit_time(logs))
    assert said == pytest.approx(exact, abs=2 * table.error * float(np.max(np.abs(exact))))


def test_a_wrong_law_of_scaling_is_seen_by_the_error(found: Regimes) -> None:
    """The table of a regime whose curve is that of another one is refused, or its error large."""
    table = tabulated(found, "A", solution(found, "A-B"))
    assert table is None or table.error > 0.02


def test_the_record_has_every_leading_monomial(found: Regimes) -> None:
    record = explorer_record(found, {})
    for regime, row in zip(found, record["regimes"], strict=True):
        leading = LeadingSeries(found, regime)
        for s, places in enumerate(row["leading"]):
            rows = [record["coefficients"][s][place] for place in places]
            assert sum(Fraction(r[0]) for r in rows) == sum(c for _, c in leading[s])
            assert len(rows) == len(leading[s])


def test_shapes_are_a_polytope_a_plane_or_a_line() -> None:
    prism = regimes(autoencoder(data=True), terms=4)
    record = exponents_record(prism)
    assert record["kind"] == "polytope" and len(record["view"]) == 2
    last = record["orders"]["4"]
    assert len([face for face in last["faces"] if face["dimension"] == 3]) == 1
    named = {name for face in last["faces"] for name in face["regimes"]}
    assert {regime.name for regime in prism if regime.dimension} <= named
    assert map_record(prism)["kind"] == "plane"
    line = regimes(described(str(Path(__file__).parents[3] / "examples" / "rank_one.toml")))
    assert map_record(line)["kind"] == "line"


@pytest.mark.parametrize("problem", [cp(order=2, symmetric=True), cp(order=3)], ids=str)
def test_records_are_of_the_format_and_pages_are_small_and_whole(
    tmp_path: Path, problem: object
) -> None:
    explored = explore(
        problem,  # type: ignore[arg-type]
        terms=4,
        simulate=False,
        budget=Budget(seconds=10),
    )
    record = json.loads(json.dumps(explored.record))
    Draft202012Validator(schema("explorer")).validate(record)
    file = tmp_path / "page.html"
    write_explorer(explored, file)
    text = file.read_text(encoding="utf-8")
    assert len(text) < 3_000_000
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", text, flags=re.DOTALL)
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?!data:)", markup)
    assert "url(fonts" not in text
    data = re.search(r'<script type="application/json" id="record">(.*?)</script>', text, re.DOTALL)
    assert data is not None and json.loads(data[1]) == record


def test_a_title_cannot_leave_its_place() -> None:
    text = page({"problem": {"title": "</script><script>alert(1)</script>"}})
    assert "<script>alert" not in text


@pytest.mark.parametrize("name", ["page.pdf", "nowhere/page.html", "page"])
def test_a_file_that_is_no_page_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="report"):
        check_page_file(tmp_path / name)


def test_names_of_problems_are_read_as_the_command_line_reads_them() -> None:
    assert described("cp --order 3 --symmetric") == cp(order=3, symmetric=True)
    assert described("cp --asymmetric --order 2") == cp(order=2)
    assert len({file_name(name) for name in PRESETS}) == len(PRESETS) > 20
    for name in PRESETS:
        described(name)
    for wrong in ("cp --order", "cp 3", "unknown", "cp --order x", "'cp", "cp --wide-ends"):
        with pytest.raises(InvalidInputError):
            described(wrong)


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    examples = Path(__file__).parents[3] / "examples"
    assert len(listed([str(examples)])) == len(list(examples.glob("*.toml")))
    with pytest.raises(InvalidInputError, match=r"no \.toml files"):
        listed([str(tmp_path)])


def test_an_atlas_is_made_again_only_where_needed(tmp_path: Path) -> None:
    said: list[str] = []
    names = ["cp --order 2 --symmetric --target zero"]
    wanted = Wanted(tmp_path, terms=4, simulate=False)
    build_atlas(names, wanted, told=said.append)
    first = (tmp_path / "index.html").read_text(encoding="utf-8")
    build_atlas(names, wanted, told=said.append)
    build_atlas(names, Wanted(tmp_path, terms=5, simulate=False), told=said.append)
    assert [line.rpartition(": ")[2] for line in said] == ["finished", "kept", "finished"]
    assert "cp-order-2-symmetric-target-zero.html" in first


def test_a_problem_without_a_page_is_named(tmp_path: Path) -> None:
    built = build_atlas(["cp --order 2"], Wanted(tmp_path, terms=1, simulate=False))
    assert built.pages == [] and "too few coefficients" in built.failed["cp --order 2"]
    assert "too few coefficients" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_a_limit_cuts_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiagflowError):
        explore(cp(order=5), terms=6, budget=Budget(seconds=0.05), simulate=False)

    def some(found: Regimes, **options: object) -> dict[str, object]:
        late = BudgetExceededError("budget: the solution needs more than 1 seconds")
        return {r.name: late if r.name == "A" else solution(found, r.name) for r in found}

    monkeypatch.setattr(explorer, "solutions", some)
    explored = explore(ZERO, terms=4, simulate=False)
    assert explored.missing == ("the solution of regime A",)
    assert explored.record["missing"] == list(explored.missing)
    ways = {row["name"]: row["solved"] for row in explored.record["regimes"]}
    assert ways["A"] == "not reached" and ways["B"] == "closed-form"


def test_an_interrupt_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explorer, "_describe", stopped)
    explored = explore(ZERO, terms=4, simulate=False)
    assert explored.interrupted and explored.missing
    assert all(row["solution"] for row in explored.record["regimes"])


def test_the_command_line_writes_a_page_and_an_atlas(run: Run, tmp_path: Path) -> None:
    zero = ("cp", "--order", "2", "--symmetric", "--target", "zero")
    file = tmp_path / "zero.html"
    code, out, _ = run(
        *("report", *zero, "--terms", "4", "--html", "--output", str(file), "--no-simulations")
    )
    assert code == 0 and str(file) in out and file.stat().st_size > 100_000
    assert run("report", *zero, "--html", "--output", str(tmp_path / "zero.pdf"))[0] == 2
    code, _, err = run("report", *zero, "--html", "--output", str(file), "--jobs", "0")
    assert (code, err) == (2, "diagflow: error: --jobs 0: counts processes; give 1 or more\n")
    folder = tmp_path / "atlas"
    names = (" ".join(zero), "cp --order 2")
    code, out, err = run(
        *("atlas", *names, "--terms", "3", "--output", str(folder), "--no-simulations")
    )
    assert code == 2 and "1 problem without a page" in err
    assert (folder / "cp-order-2-symmetric-target-zero.html").exists()
    assert "too few coefficients" in (folder / "index.html").read_text(encoding="utf-8")
    assert run("atlas", "unknown", "--output", str(folder))[0] == 2
