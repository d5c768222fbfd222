"""Ordinary equations along characteristics, and those that no method integrates."""

import pytest
import sympy

from pde.characteristics.integrable import CharacteristicsError, triangular_curves

x, along, v = sympy.symbols("x along v", positive=True)


QUADRATIC = [v**2 - 2, 3 * v**2 - 3 * v - 1, x * (5 - v**2), v**2 + 3, v**2 + v + 1]
"""With roots that are neither rational nor rational multiples of i."""


@pytest.mark.parametrize("slope", QUADRATIC, ids=str)
def test_quadratic_slopes_need_no_inverse_of_an_integral(
    slope: sympy.Expr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("sympy.solve may not end")

    monkeypatch.setattr(sympy, "solve", refuse)
    test_curves_solve_their_equation(slope)


@pytest.mark.parametrize(
    "slope",
    [x / v, x * sympy.exp(-v), v**2 / x, v * (v - 1) * x, v / (1 + v), v / x + x],
    ids=str,
)
def test_curves_solve_their_equation(slope: sympy.Expr) -> None:
    curve = triangular_curves({v: slope}, x, along)[v]
    point = {x: sympy.Rational(1, 3), v: sympy.Rational(2, 5)}
    start = curve.subs(point).subs(along, point[x])
    assert abs(sympy.N(start - point[v], 40)) < 1e-35
    defect = curve.diff(along) - slope.subs({x: along, v: curve}, simultaneous=True)
    assert abs(sympy.N(defect.subs(point).subs(along, sympy.Rational(3, 8)), 40)) < 1e-35


@pytest.mark.parametrize("slope", [(v - 1) / (v**2 + v + 3), 1 / (1 + v**4)], ids=str)
def test_first_integrals_without_an_explicit_root(slope: sympy.Expr) -> None:
    with pytest.raises(CharacteristicsError) as error:
        triangular_curves({v: slope}, x, along)
    message = str(error.value)
    assert message.startswith("dv/dx = ")
    assert message.endswith(": was not integrated; use solve_numerically")
