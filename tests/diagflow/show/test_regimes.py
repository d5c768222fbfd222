"""Regimes and series in words and LaTeX, in the cases that examples do not have."""

from fractions import Fraction

from jsonschema import Draft202012Validator

from diagflow.schemas import VERSIONS, schema
from diagflow.show import regimes as show_regimes
from diagflow.show import series as show
from expansion.leading import LeadingSeries
from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.regime_records import regimes_record
from expansion.regimes import Regimes, regimes
from expansion.series_exponents import SeriesExponents


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


def late() -> Regimes:
    """A vertex above the smallest one appears in Y_6."""
    texts = [
        f"p**{s + 2}*H*x**{s + 2} + p*H**{s + 2}*x**{s + 2} + p*H*x" + (" + p**2*H*x" * (s == 6))
        for s in range(7)
    ]
    return regimes(
        SeriesExponents.of_coefficients([Polynomial.parse(t) for t in texts], growing=["p", "H"])
    )


def test_late_vertices_and_what_they_leave_open_are_printed() -> None:
    found = late()
    text = show_regimes.text(found)
    assert "from s = 0 to s = 5, not beyond" in text
    assert "  Y_6: new p**2*H*x; gone p*H*x" in text
    undecided = ", ".join(regime.name for regime in found.undecided)
    assert f"Undecided: {undecided}." in text
    assert f"% Undecided: {undecided}." in show_regimes.latex(found)
    record = regimes_record(found)
    assert (record["law_holds_to"], record["confirmed"], record["confirmed_by"]) == (5, False, 0)
    assert record["late_vertices"] == [
        {
            "s": 6,
            "appeared": [{"exponents": {"p": 2, "H": 1, "x": 1}}],
            "vanished": [{"exponents": {"p": 1, "H": 1, "x": 1}}],
        }
    ]
    assert not list(
        Draft202012Validator(schema("regimes")).iter_errors(
            {"schema_version": VERSIONS["regimes"], **record}
        )
    )


def test_the_vertices_of_a_numbered_regime_are_listed() -> None:
    found = regimes(cp(order=2, target="teacher"), terms=5)
    assert f"  F1: {', '.join(found['F1'].vertices)}" in show_regimes.text(found)


def test_only_a_map_that_fewer_terms_give_too_is_called_confirmed() -> None:
    few, many = (regimes(cp(order=2), terms=terms) for terms in (4, 6))
    assert "1 coefficient agrees with it, not yet confirmed" in show_regimes.text(few)
    assert "3 coefficients confirm it" in show_regimes.text(many)
    assert (few.confirmed, many.confirmed) == (False, True)


def test_a_slice_is_named() -> None:
    found = regimes(cp(order=2, symmetric=True), terms=4, slice="H ~ p")
    assert "3 regimes on the slice H ~ p, from Y_0 ... Y_4" in show_regimes.text(found)
    assert regimes_record(found)["slice"] == ["H ~ p"]


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


def test_names_of_faces_are_safe_in_latex() -> None:
    found = regimes(tied_autoencoder(data=True), terms=3)
    latex = show_regimes.latex(found)
    assert "large-data \\& mean-field" in latex and "large--data" not in latex
    rows = [line for line in latex.splitlines() if line.endswith("\\\\")]
    assert {line.replace("\\&", "").count("&") for line in rows} == {3}


def test_a_title_keeps_the_case_of_symbols() -> None:
    assert cp(order=2, target="Beta*spike").title.endswith("target=Beta*spike")
