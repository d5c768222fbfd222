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
    """Y_0 of ASYM with zero target is ½ p²Hσ⁴ alone, and every regime keeps it."""
    found = regimes(cp(order=2, target="zero"), terms=4)
    for regime in found:
        leading = LeadingSeries(found, regime)
        lines = show_regimes.text(found, leading=leading).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("Leading series of"))
        places = [0, *(s for s in found.polyhedra for _ in range(2) if s)]
        heads = [line.partition(" ")[0] for line in lines[start + 1 :]]
        assert heads == ["" if s and k % 2 == 0 else f"Y_{s}" for k, s in enumerate(places)]
        for s, line in zip(list(found.polyhedra)[1:], lines[start + 3 :: 2], strict=True):
            assert line.startswith("  dropped: ")
            assert line.count(" (") == len(leading.dropped(s)) > 0


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
