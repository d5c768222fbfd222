r"""LaTeX of every value: read back where it can be, compiled where LaTeX is there, golden files.

Golden files are written by running this module as a program, python -m tests.diagflow.test_latex.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diagflow.latex.dispatch import latex
from diagflow.latex.equations import field_latex, first_order_latex
from diagflow.latex.lines import aligned, visible_length
from diagflow.latex.polynomials import by_power, by_regime, regime_parts
from diagflow.latex.prose import name_latex, prose
from diagflow.latex.solutions import certificate_latex
from diagflow.show import series as show
from diagflow.show.sources import engine_name
from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import regimes
from expansion.series import LossSeries, loss_series
from pde.evolution import Certificate, DerivationStep
from pde.recurrences.equation import FirstOrderPDE, LinearPDE
from pde.recurrences.recurrence import Recurrence
from pde.solving import solution, solve
from tests.latex_structure import check_structure

GOLDEN = Path(__file__).parent / "golden"
NUMBERS = {"p": 100, "H": 10**7, "sigma2": Fraction(1, 10**4)}


def series() -> LossSeries:
    found = loss_series(cp(order=4, symmetric=True))
    found[2]
    return found


def middle() -> str:
    return by_regime(regimes(cp(order=2, symmetric=True), terms=5), 2)


def equation() -> str:
    """The recurrence of merging for SYM of order 2, its equation, Φ and φ."""
    rule = Recurrence(
        indices=("s", "m"),
        terms={
            (0, 0): Polynomial.parse("s"),
            (-1, 0): Polynomial.parse("4*m + 4"),
            (-1, -1): Polynomial.parse("-4*m - 4"),
        },
    )
    variables = (sympy.Symbol("x"), sympy.Symbol("z"))
    first = FirstOrderPDE.from_recurrence(rule, variables)
    lines = [latex(rule), latex(LinearPDE.from_recurrence(rule, variables)), latex(first)]
    return "".join(f"\\[\n{line}\n\\]\n" for line in [*lines, field_latex(first)])


GOLDEN_FILES: Mapping[str, Callable[[], str]] = {
    "symmetric_order4_series": lambda: latex(series()),
    "symmetric_order2_by_regime": middle,
    "symmetric_order2_regimes": lambda: latex(regimes(cp(order=2, symmetric=True), terms=5)),
    "merging_equation": equation,
    "kernel_limit": lambda: latex(solve(cp(order=3), "B-C", at=NUMBERS, terms=4)),
    "ascent": lambda: latex(solution(regimes(cp(order=4, symmetric=True), terms=3), "A-B-E")),
}


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_golden_files(name: str) -> None:
    made = GOLDEN_FILES[name]().replace(engine_name(), "diagflow VERSION")
    assert made == (GOLDEN / f"{name}.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_structure(name: str) -> None:
    check_structure((GOLDEN / f"{name}.tex").read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
def test_golden_files_compile(tmp_path: Path) -> None:
    body = "\n".join(f"\\input{{{GOLDEN / name}}}\n" for name in GOLDEN_FILES)
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\n\\usepackage{amsmath, amssymb, booktabs}\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:]


# --- reading back ---------------------------------------------------------------------------------


def read(text: str) -> Polynomial:
    """A polynomial from LaTeX: the notation that `latex` uses, and nothing else."""
    text = re.sub(r"\\[bB]ig[lr]|\\quad|\\\\|&|\n", " ", text)
    text = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"(\1/\2)", text)
    text = re.sub(r"\\sigma\^\{(\d+)\}", lambda m: f"sigma2**{int(m[1]) // 2}", text)
    text = re.sub(r"\^\{(-?\d+)\}", r"**(\1)", text)
    text = re.sub(r"(?<=[\w)])\s+(?=[\w(])", "*", text)
    names = {name: sympy.Symbol(name) for name in ("p", "H", "sigma2")}
    expression = sympy.Poly(sympy.sympify(text, locals=names), *names.values())
    return Polynomial(
        {
            tuple(zip(names, map(int, powers), strict=True)): Fraction(int(c.p), int(c.q))
            for powers, c in expression.terms()
        }
    )


polynomials = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    st.fractions(max_denominator=6).filter(bool),
    min_size=1,
    max_size=9,
).map(
    lambda terms: Polynomial(
        {tuple(zip(("p", "H", "sigma2"), k, strict=True)): c for k, c in terms.items()}
    )
)


@settings(max_examples=60, deadline=None)
@given(polynomials)
def test_grouped_polynomials_read_back(polynomial: Polynomial) -> None:
    pieces = by_power(polynomial, ("sigma2",))
    assert read(" ".join(pieces)) == polynomial
    assert read(latex(polynomial)) == polynomial
    powers = re.findall(r"\\sigma\^\{\d+\}", " ".join(pieces))
    assert len(powers) == len(set(powers)), "every power of the variance is written once"


def test_a_sum_without_powers_of_the_variance_needs_no_brackets() -> None:
    pieces = by_power(Polynomial.parse("p**2*H*sigma2 + p + 2*H"), ("sigma2",))
    assert pieces == ["p", "+ 2 H", "+ p^{2} H \\sigma^{2}"]
    polynomial = Polynomial.parse("p + 2*H")
    assert by_power(polynomial, ("sigma2",)) == ["p", "+ 2 H"]
    assert by_power(-polynomial, ("sigma2",)) == ["-\\bigl( p", "+ 2 H \\bigr)"]
    assert by_power(2 * polynomial, ("sigma2",)) == ["2 \\bigl( p", "+ 2 H \\bigr)"]


def test_a_coefficient_that_leads_as_a_whole_has_no_lower_order() -> None:
    found = regimes(cp(order=2, target="zero"), terms=4)
    parts = regime_parts(found, 0)
    assert [(regime.name if regime else None, str(part)) for regime, part in parts] == [
        ("A", "1/2*p**2*H*sigma2**2")
    ]
    assert "lower order" not in by_regime(found, 0)
    assert "lower order" in by_regime(found, 1)


def test_equations_with_sums_and_without_components() -> None:
    x, y, z = sympy.symbols("x y z")
    field = (sympy.Integer(0), 1 + x, -2 * z)
    still = FirstOrderPDE((x, y, z), field, sympy.Integer(0))
    assert first_order_latex(still) == (
        "\\left(x + 1\\right)\\, \\partial_{y} h - 2 z\\, \\partial_{z} h = 0"
    )
    grows = FirstOrderPDE((x,), (sympy.Integer(1),), 1 + x)
    assert first_order_latex(grows, "g") == "\\partial_{x} g = \\left(x + 1\\right)\\, g"


@settings(max_examples=30, deadline=None)
@given(polynomials, st.integers(8, 60))
def test_broken_lines_read_back(polynomial: Polynomial, width: int) -> None:
    text = aligned([("Y", by_power(polynomial, ("sigma2",)))], width=width)
    check_structure(text)
    body = text.removeprefix("\\begin{align*}\nY &= ").removesuffix("\n\\end{align*}")
    assert read(body) == polynomial
    for line in body.split("\\\\"):
        terms = re.split(r" (?=[+-] )", line.replace("&\\quad", "").strip())
        assert visible_length(line) <= width or len(terms) == 1


@pytest.mark.parametrize(("order", "symmetric"), [(2, True), (2, False)])
def test_regime_parts_are_all_of_a_coefficient(order: int, symmetric: bool) -> None:
    found = regimes(cp(order=order, symmetric=symmetric), terms=5)
    whole = loss_series(cp(order=order, symmetric=symmetric))
    for s in range(4):
        total = Polynomial()
        for _, part in regime_parts(found, s):
            assert all(total.coefficient(**dict(powers)) == 0 for powers, _ in part)
            total = total + part
        assert total == whole[s]
        rows = by_regime(found, s).count("\\tag*")
        assert rows == len(regime_parts(found, s))


# --- types ----------------------------------------------------------------------------------------


def test_small_values() -> None:
    x = sympy.Symbol("sigma2")
    assert latex(3) == "3"
    assert latex(Fraction(-3, 4)) == "-\\frac{3}{4}"
    assert latex(x**2) == "\\sigma^{4}"
    step = DerivationStep("Sum", "a = b", "By z_2 & co, τ -> ∞.")
    expected = "\\paragraph{Sum.} By $z_{2}$ \\& co, $\\tau$ $\\to$ $\\infty$.\n\\[\na = b\n\\]\n"
    assert latex(step) == expected


def test_a_type_that_it_does_not_know() -> None:
    with pytest.raises(InvalidInputError, match=r"^latex of dict: is not a type that it knows; "):
        latex({})


def test_names_of_regimes() -> None:
    assert name_latex("A-B-C") == "A--B--C"
    assert name_latex("small-data & free") == "small-data \\& free"
    assert prose("100% of {a}_b ~ c\\d") == (
        "100\\% of \\{a\\}\\_b \\textasciitilde{} $c$\\textbackslash{}d"
    )


def test_letters_in_sentences() -> None:
    assert prose("It's a sum over H-nodes in A-B at t/T, s = 1") == (
        "It's a sum over $H$-nodes in A-B at $t$/$T$, $s$ = 1"
    )


def test_indices_after_a_bracket_or_a_number() -> None:
    assert prose("3² and (−)₁") == "3${}^{2}$ and ($-$)${}_{1}$"


def test_certificates() -> None:
    assert certificate_latex(Certificate((), ())) == "Nothing was compared."
    failing = certificate_latex(Certificate((0, 1), (0, 1, 2, 4)))
    assert failing.endswith("differ from the exact leading coefficients} for $s = 2, 4$.")


def expanded() -> str:
    """What ``expand cp --order 3 --format latex`` prints."""
    found = loss_series(cp(order=3))
    found[3]
    return show.latex(found.problem, found.known)


def test_a_sign_at_the_beginning_of_a_line_joins_the_terms() -> None:
    for text in (expanded(), middle(), latex(series())):
        continued = re.findall(r"&\\quad (.*)", text)
        assert continued
        assert all(re.match(r"[+-] \S", line) for line in continued), continued


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
def test_an_expansion_compiles(tmp_path: Path) -> None:
    body = f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{expanded()}"
    (tmp_path / "all.tex").write_text(body + "\\end{document}\n", encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", errors="replace")[-2000:]


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for file, make in GOLDEN_FILES.items():
        (GOLDEN / f"{file}.tex").write_text(make(), encoding="utf-8")
