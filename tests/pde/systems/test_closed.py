"""Closed forms of linear systems against numerical exponentials of their matrices."""

from typing import Any

import pytest
import sympy

from pde.systems.closed import TAU, propagated

N, H, p, sigma2 = sympy.symbols("N H p sigma2", positive=True)
NUMBERS = {N: 3, p: 2, H: 7, sigma2: sympy.Rational(1, 5)}

SYSTEMS: dict[str, tuple[list[list[Any]], list[Any]]] = {
    "irrational eigenvalues": (
        [
            [-(p**2) * sigma2 / N, p / N, p / N],
            [2 * p / N, -2 * p**2 * sigma2 / N, 0],
            [2 * p / N, 0, 0],
        ],
        [0, H * N * p * sigma2, H * N * p * sigma2],
    ),
    "a double eigenvalue": ([[p, 1, 0], [0, p, 2], [0, 0, 3 * H]], [1, H, p]),
    "numbers": ([[2, 1, 0], [1, 2, 2], [0, 0, 3]], [1, 3, 2]),
    "nilpotent": ([[0, 1, 0], [0, 0, p], [0, 0, 0]], [1, 3, H]),
    "oscillating": ([[0, p], [-p, 0]], [1, 0]),
}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("tau", [sympy.Integer(0), sympy.Rational(1, 7), sympy.Rational(-1, 3)])
def test_a_linear_system_follows_the_exponential_of_its_matrix(
    name: str, tau: sympy.Rational
) -> None:
    rows, start = SYSTEMS[name]
    matrix, vector = sympy.Matrix(rows), sympy.Matrix(start)
    found = propagated(matrix, vector)
    assert found is not None
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        numbers = mpmath.matrix(sympy.matrix2numpy((matrix * tau).subs(NUMBERS).evalf(40)).tolist())
        exact = mpmath.expm(numbers) * mpmath.matrix(vector.subs(NUMBERS).evalf(40).tolist())
        for value, right in zip(found, exact, strict=True):
            here = sympy.N(value.subs(NUMBERS).subs(TAU, tau), 40)
            assert abs(mpmath.mpmathify(here) - right) < mpmath.mpf(10) ** -30


def test_a_cubic_characteristic_polynomial_has_no_closed_form() -> None:
    matrix = sympy.Matrix([[0, 1, 0], [0, 0, 1], [1, p, H]])
    assert propagated(matrix, sympy.Matrix([1, 0, 0])) is None
