"""A problem that is a preset in other units has the solutions of the preset, in its own symbols."""

from fractions import Fraction

import numpy as np
import pytest

from expansion.models import cp, tied_autoencoder
from expansion.problem_files.problem_file import read_problem_file
from expansion.recognition import recognised
from expansion.regimes import Regimes, regimes
from pde.evolution import Method
from pde.solving import solution
from tests.expansion.renamed import renamed_toml

WHICH = {
    "a normalised loss and a number in front of the model": (
        cp(order=2, symmetric=True),
        [
            ("[losses.fit]", "[losses.fit]\nnormalisation = { width = -1 }"),
            ('model = "', 'model = "3 '),
        ],
        ("A-B-E", "A-B", "B-E", "E-A", "A", "B", "E"),
    ),
    "rates and variances": (
        cp(order=2),
        [
            ('B0 = { kind = "weight", ', 'B0 = { kind = "weight", rate = "4*eta", '),
            ('B1 = { kind = "weight", ', 'B1 = { kind = "weight", rate = "eta", '),
            ('["width", "a"], variance = "w" }\nB1', '["width", "a"], variance = "4*w" }\nB1'),
        ],
        ("C-D", "E-A", "B-C", "A", "B", "C"),
    ),
    "an irrational unit": (
        cp(order=4, symmetric=True),
        [
            ("[losses.fit]", "[losses.fit]\nnormalisation = { a = 1 }"),
            ('"identity"', '"5 identity"'),
        ],
        ("A-B", "A", "B"),
    ),
}


@pytest.fixture(params=WHICH)
def case(request: pytest.FixtureRequest, tmp_path) -> tuple[Regimes, Regimes, tuple[str, ...]]:
    preset, changes, names = WHICH[request.param]
    text = renamed_toml(preset)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "problem.toml"
    path.write_text(text)
    problem = read_problem_file(path)
    terms = 6 if preset == cp(order=2, symmetric=True) else 4
    if dict(preset.options)["order"] == 4:
        terms = 3
    return regimes(problem, terms=terms), regimes(preset, terms=terms), names


def test_closed_forms_in_the_symbols_of_the_problem(case) -> None:
    mine, theirs, names = case
    known = recognised(mine.exponents.problem)
    for name in names:
        found, other = solution(mine, name), solution(theirs, name)
        assert found.method is other.method is Method.CLOSED_FORM
        assert found.certificate.matched == other.certificate.matched
        symbols = {symbol.name for symbol in found.formula.free_symbols}
        assert symbols <= {*mine.exponents.symbols, "t", "T"}
        at = dict.fromkeys(mine.exponents.symbols, Fraction(1, 99)) | {"width": 7, "a": 5, "T": 2}
        units = known.units
        power = Fraction(1, units.degree)
        values = {n: float(r) * float(w) ** power for n, (r, w) in units.numbers(at).items()}
        rate = float(units.rate(at)[0]) * float(units.rate(at)[1]) ** power
        size = float(known.units.loss.coefficient)
        for symbol, k in known.units.loss.powers:
            size *= float(at[symbol]) ** k
        times = np.linspace(0, 0.1, 5)
        other_at = other.at({n: Fraction(v) for n, v in values.items()} | {"T": 2})
        expected = size * other_at(times * rate)
        np.testing.assert_allclose(found.at(at)(times), expected, rtol=1e-12)
        formula = found.formula.subs(
            {s: at[s.name] for s in found.formula.free_symbols if s.name != "t"}
        )
        (t,) = formula.free_symbols
        values = [float(formula.subs(t, time).evalf(30)) for time in (0.02, 0.1)]
        np.testing.assert_allclose(found.at(at)(np.array([0.02, 0.1])), values, rtol=1e-12)


def test_a_slice_of_a_preset_has_its_closed_form(tmp_path) -> None:
    text = renamed_toml(cp(order=2, symmetric=True)).replace('variance = "w"', 'variance = "1/a"')
    (tmp_path / "slice.toml").write_text(text)
    mine = regimes(read_problem_file(tmp_path / "slice.toml"), terms=6)
    edge = solution(mine, "V1-V2")
    assert edge.method is Method.CLOSED_FORM
    whole = solution(regimes(cp(order=2, symmetric=True), terms=6), "A-B-E")
    times = np.linspace(0, 2, 9)
    np.testing.assert_allclose(
        edge.at({"width": 20, "a": 30})(times),
        whole.at({"p": 20, "H": 30, "sigma2": Fraction(1, 30)})(times),
        rtol=1e-13,
    )


def test_losses_beside_the_driving_one(tmp_path) -> None:
    text = renamed_toml(tied_autoencoder(data=True)).replace(
        "[losses.whole]", "[losses.whole]\nnormalisation = { width = -1 }"
    )
    (tmp_path / "data.toml").write_text(text)
    problem = read_problem_file(tmp_path / "data.toml")
    mine = regimes(problem, loss="whole", terms=3)
    theirs = regimes(tied_autoencoder(data=True), loss="population", terms=3)
    at, other = {"width": 50, "a": 80, "samples": 70, "w": Fraction(1, 80)}, None
    other = {"p": 50, "H": 80, "N": 70, "sigma2": Fraction(1, 80)}
    found, known = solution(mine, "mean-field"), solution(theirs, "mean-field")
    times = np.array([0.0, 0.3, 1.0])
    np.testing.assert_allclose(found.at(at)(times), known.at(other)(times) / 50, rtol=1e-12)


def test_modular_addition_learns_no_rich_face_as_the_identity_does() -> None:
    r"""In its Fourier basis modular addition is the identity times the root of p.

    The basis is complex, which free and lazy faces do not see: there its solutions are those of
    the identity with κ = p and W = 1/p. In rich faces the loss is another one.
    """
    addition = regimes(cp(order=3, target="modular-addition"), terms=4)
    identity = regimes(cp(order=3), terms=4)
    import sympy

    p = sympy.Symbol("p", positive=True)
    for name in ("A", "B", "C", "B-C"):
        known = solution(identity, name).formula
        symbols = {s.name: s for s in known.free_symbols}
        unit = symbols.get("p", p) ** sympy.Rational(-1, 3)
        moved = known.subs(
            {
                symbols["sigma2"]: symbols["sigma2"] * unit,
                symbols["t"]: symbols["t"] * symbols.get("p", p) * unit,
            },
            simultaneous=True,
        )
        found = solution(addition, name).formula
        assert sympy.simplify(found / (moved * symbols.get("p", p)) - 1) == 0
    rich = [solution(each, "C-D").coefficients(4) for each in (addition, identity)]
    assert len(rich[0][3]) and rich[0] != rich[1]
