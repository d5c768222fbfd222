"""Regimes and series in words and LaTeX, in the cases that examples do not have."""

from fractions import Fraction

from diagflow import show, show_regimes
from expansion.leading import LeadingSeries
from expansion.models import cp
from expansion.polynomial import Polynomial
from expansion.regimes import regimes


def test_the_leading_series_follows_the_table() -> None:
    """B of SYM with zero target: lead(Y_0) = ½ p H² σ⁴, the term with the most of H."""
    found = regimes(cp(order=2, symmetric=True, target="zero"), terms=4)
    leading = LeadingSeries(found, found["B"])
    table = show_regimes.latex(found)
    whole = show_regimes.latex(found, leading=leading)
    assert whole.startswith(table)
    rows = whole.removeprefix(table).splitlines()
    assert rows[0] == "\\begin{align*}"
    assert rows[1] == ("\\operatorname{lead}(Y_{0}) &= \\frac{1}{2} p H^{2} \\sigma^{4} \\\\")
    assert len(rows) == 2 + len(found.polyhedra)
    for s, row in enumerate(rows[1:-1]):
        assert (
            row.removesuffix(" \\\\")
            == f"\\operatorname{{lead}}(Y_{{{s}}}) &= {leading[s].latex()}"
        )
    assert rows[-2:] == [rows[-2].removesuffix(" \\\\"), "\\end{align*}"]


def test_only_what_is_dropped_is_told() -> None:
    """Of the two terms of Y_0 and more of later ones, a vertex drops one; the edge drops none."""
    found = regimes(cp(order=2, symmetric=True, target="zero"), terms=4)
    for name in ("B", "A-B"):
        leading = LeadingSeries(found, found[name])
        lines = show_regimes.text(found, leading=leading).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("Leading series of"))
        told = lines[start + 1 :]
        expected = []
        for s in found.polyhedra:
            expected.append(f"Y_{s} ~")
            expected += ["  dropped:"] * bool(leading.dropped(s))
        assert [line[: len(short)] for line, short in zip(told, expected, strict=True)] == expected
        assert ("  dropped:" in expected) is any(leading.dropped(s) for s in found.polyhedra)


def test_rational_powers() -> None:
    """Also those of variances, whose squares have one exponent and not two."""
    third, half = Fraction(1, 3), Fraction(1, 2)
    powers = (("H", third), ("p", Fraction(2)), ("sigma2", third))
    assert show_regimes.power_latex(powers) == "H^{1/3} p^{2} \\sigma^{2/3}"
    assert show_regimes.power_latex((("tau2", half), ("sigma2_teacher", -half))) == (
        "\\tau \\sigma_{*}^{-1}"
    )
    assert show_regimes.power_latex((("sigma2", Fraction(3, 2)),)) == "\\sigma^{3}"
    assert show_regimes.power_latex((("alpha", half),)) == "\\alpha^{1/2}"
    assert show_regimes.power_latex((("sigma2", Fraction(1, 2)),)) == "\\sigma"
    assert show_regimes.power_latex(()) == "1"


def test_a_coefficient_that_vanishes() -> None:
    problem = cp(order=2)
    text = show.latex(problem, [Polynomial(), Polynomial.parse("-2*p")])
    assert "\\begin{align*}\nY_{0} &= 0 \\\\\nY_{1} &= -2 p\n\\end{align*}" in text
