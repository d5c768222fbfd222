"""Characteristics: symbolic, numerical and by series, of one and the same equation."""

import math
from collections.abc import Callable
from fractions import Fraction
from math import factorial

import mpmath
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pde.characteristics import characteristics
from pde.characteristics.characteristics import (
    CharacteristicsError,
    residual_at_random_points,
    solve_numerically,
    solve_symbolically,
)
from pde.characteristics.integrable import dsolve_within
from pde.recurrences.equation import FirstOrderPDE
from pde.recurrences.search import find_recurrence, sequence

X, Y, Z = sympy.symbols("x y z")
ONE = sympy.Integer(1)


def taylor_in_x(equation: FirstOrderPDE, initial: sympy.Expr, last: int) -> sympy.Expr:
    """The Cauchy-Kovalevskaya series, for the speed 1 of x: an independent route."""
    total, term = initial, initial
    for n in range(1, last + 1):
        moved = equation.growth * term
        for v, c in zip(equation.variables[1:], equation.field[1:], strict=True):
            moved -= c * sympy.diff(term, v)
        term = sympy.expand(moved) / n
        total += term * X**n
    return total


SMALL = st.integers(-3, 3)


@given(SMALL, SMALL, SMALL, SMALL, st.integers(0, 3))
@settings(max_examples=8, deadline=None)
@example(-3, 3, 2, -3, 1)  # roots of third order
@example(0, -1, 0, 2, 0)  # an even power of what is negative at x = 0
@example(-2, -1, 1, 1, 2)  # the root of a square
def test_symbolic_solutions_have_the_right_series(a: int, b: int, c: int, d: int, k: int) -> None:
    """h_x + (a z + b z²) h_z = (c + d z) h, with h = 1 + z^k at x = 0."""
    equation = FirstOrderPDE((X, Z), (ONE, a * Z + b * Z**2), c + d * Z)
    initial = 1 + Z**k
    solution = solve_symbolically(equation, initial)
    assert solution.verified == "exactly"
    difference = solution.expression - taylor_in_x(equation, initial, 6)
    # The first terms that differ are of the seventh order in x.
    point = {Z: sympy.Rational(1, 7)}
    small = abs(sympy.N(difference.subs(point).subs(X, sympy.Rational(1, 10**6)), 60))
    assert small < 1e-36


@pytest.mark.parametrize(
    ("slope", "growth"),
    [
        (Z**2 - 2, 2 - 3 * Z),
        (3 * Z**2 - 3 * Z - 1, X),
        (Z**2 + 3, ONE),
        (Z, X * Z),
        (X * Z, X * Z),
        (Z**2, X * Z),
        (1 + Z, X + Z),
    ],
)
def test_irrational_roots_and_growth_of_both_variables(
    slope: sympy.Expr, growth: sympy.Expr
) -> None:
    equation = FirstOrderPDE((X, Z), (ONE, slope), growth)
    exact = solve_symbolically(equation, 1 + Z).expression
    at = (mpmath.mpf(1) / 5, mpmath.mpf(5) / 3)
    value = solve_numerically(equation, lambda z: 1 + z, at)
    expected = exact.subs({X: sympy.Rational(1, 5), Z: sympy.Rational(5, 3)}).evalf(30)
    assert float(value) == pytest.approx(float(expected), rel=1e-13)


def test_irrational_roots_and_growth_of_both_variables_together_are_told() -> None:
    equation = FirstOrderPDE((X, Z), (ONE, 2 - Z**2), X * Z)
    with pytest.raises(CharacteristicsError, match="growth x\\*z is not integrated along dz/dx ="):
        solve_symbolically(equation, 1 + Z)


def test_a_first_integral_that_is_not_inverted_is_told() -> None:
    equation = FirstOrderPDE((X, Z), (ONE, 1 / (1 + Z**4)), ONE)
    with pytest.raises(CharacteristicsError, match="could not be solved for its start; use solve_"):
        solve_symbolically(equation, Z)


@pytest.mark.parametrize(
    ("field", "growth", "initial"),
    [
        ((ONE, Y, Z + Y), 1 + Y, Y * Z),
        ((ONE, Y**2, Z * Y), X, Y + Z),
        ((ONE, X + Y, sympy.Integer(0)), sympy.Integer(2), Y**2 + Z),
        ((ONE, 2 * X * Y, Y + Z), sympy.Integer(0), Z),
    ],
)
def test_triangular_systems(
    field: tuple[sympy.Expr, ...], growth: sympy.Expr, initial: sympy.Expr
) -> None:
    equation = FirstOrderPDE((X, Y, Z), field, growth)
    solution = solve_symbolically(equation, initial)
    start = sympy.lambdify((Y, Z), initial, "mpmath")
    exact = sympy.lambdify((X, Y, Z), solution.expression, "mpmath")
    with mpmath.workdps(40):
        point = [mpmath.mpf(1) / n for n in (5, 3, 4)]
        followed = solve_numerically(equation, start, point, digits=30)
        assert abs(exact(*point) - followed) < mpmath.mpf(10) ** -25


def test_dsolve_is_a_last_resort() -> None:
    """A Bernoulli equation that is not separable, which dsolve integrates."""
    equation = FirstOrderPDE((X, Y), (ONE, Y * (1 - X * Y)), sympy.Integer(0))
    solution = solve_symbolically(equation, Y)
    assert solution.verified == "exactly"


def test_what_cannot_be_integrated_is_followed_numerically() -> None:
    coupled = FirstOrderPDE((X, Y, Z), (ONE, Z**2, Y), Y)
    with pytest.raises(CharacteristicsError, match="not triangular; use solve_numerically"):
        solve_symbolically(coupled, Y + Z)
    at = [mpmath.mpf(1) / n for n in (10, 5, 4)]
    value = solve_numerically(coupled, lambda y, z: y + z, at)
    point = {v: sympy.Rational(1, n) for v, n in zip((X, Y, Z), (10, 5, 4), strict=True)}
    series = taylor_in_x(coupled, Y + Z, 14).subs(point)
    assert float(value) == pytest.approx(float(series), rel=1e-13)


def test_the_time_limit_ends_dsolve() -> None:
    along = sympy.Dummy("x_along", positive=True)
    with pytest.raises(CharacteristicsError, match=r"within 0\.2 s"):
        dsolve_within(sympy.sin(Y * along), Y, X, along, seconds=0.2)


def test_systems_that_are_not_triangular() -> None:
    rotation = FirstOrderPDE((X, Y, Z), (ONE, -Z, Y), sympy.Integer(0))
    with pytest.raises(CharacteristicsError, match="not triangular"):
        solve_symbolically(rotation, Y)
    value = solve_numerically(rotation, lambda y, _z: y, (1.0, 1.0, 0.0), digits=20)
    with mpmath.workdps(25):
        assert abs(value - mpmath.cos(1)) < 1e-18


@pytest.mark.parametrize("digits", [15, 30, 60])
def test_precision_of_characteristics_is_an_argument(digits: int) -> None:
    equation = FirstOrderPDE((X, Z), (ONE, 4 * Z * (1 - Z)), 4 * (Z - 1))
    exact = solve_symbolically(equation, Z / 2 - 1).expression
    with mpmath.workdps(digits + 10):
        at = (mpmath.mpf(1) / 5, mpmath.mpf(1) / 3)
        value = solve_numerically(equation, lambda z: z / 2 - 1, at, digits=digits)
        expected = sympy.lambdify((X, Z), exact, "mpmath")(*at)
        assert abs(value - expected) < mpmath.mpf(10) ** (1 - digits)


def test_variables_that_do_not_move() -> None:
    with pytest.raises(CharacteristicsError, match="does not move"):
        solve_symbolically(FirstOrderPDE((X, Y), (sympy.Integer(0), ONE), ONE), Y)
    with pytest.raises(CharacteristicsError, match="stops at"):
        solve_numerically(FirstOrderPDE((X, Y), (X - 1, ONE), ONE), lambda y: y, (1.0, 0.0))


INITIALS = [abs(Z), sympy.sqrt(Z**2), sympy.sign(Z), abs(Z - 1) ** 3, sympy.Max(Z, 0), Z**2]


@pytest.mark.parametrize("initial", INITIALS, ids=str)
@pytest.mark.parametrize("speed", [ONE, -Z, sympy.Rational(1, 2) * Z * (1 - Z)], ids=str)
def test_initial_values_are_taken_as_they_are(initial: sympy.Expr, speed: sympy.Expr) -> None:
    """Values at points of all signs against curves that are followed numerically."""
    equation = FirstOrderPDE((X, Z), (ONE, speed), sympy.Integer(0))
    solution = solve_symbolically(equation, initial)
    function = sympy.lambdify([Z], initial, "mpmath")
    for x, z in [(2.0, 1.0), (-1.0, -0.5), (1.0, -0.25), (0.5, 0.75), (0.25, -1.0)]:
        followed = solve_numerically(equation, function, (x, z))
        at = {X: sympy.Rational(x), Z: sympy.Rational(z)}
        assert float(solution.expression.subs(at)) == pytest.approx(float(followed), abs=1e-12)
    assert solution.assumed_positive == ()


def test_what_holds_for_positive_symbols_only_is_stated() -> None:
    """dz/dx = 1/z leads to z_0 = sqrt(z^2 - 2x), which is right for z > 0 alone."""
    equation = FirstOrderPDE((X, Z), (ONE, 1 / Z), sympy.Integer(0))
    assert solve_symbolically(equation, Z).assumed_positive == (Z,)
    z = sympy.Symbol("z", positive=True)
    assert solve_symbolically(FirstOrderPDE((X, z), (ONE, 1 / z), 0 * z), z).assumed_positive == ()


def offset_sequences() -> list[tuple[list[Fraction], sympy.Expr]]:
    exponential = [Fraction(0), *(Fraction(1, factorial(n)) for n in range(12))]
    shifted = [Fraction(0), Fraction(0), *(Fraction(2) ** n for n in range(12))]
    return [
        ([Fraction(n) for n in range(14)], X / (1 - X) ** 2),
        (exponential, X * sympy.exp(X)),
        (shifted, X**2 / (1 - 2 * X)),
    ]


@pytest.mark.parametrize(("data", "right"), offset_sequences(), ids=lambda value: str(value)[:20])
def test_sequences_that_begin_with_zeros(data: list[Fraction], right: sympy.Expr) -> None:
    found = find_recurrence(sequence(data), max_shift=1, max_degree=1)
    equation = FirstOrderPDE.from_recurrence(found.recurrence, (X,))
    with pytest.raises(CharacteristicsError, match="the plane x = 0 is characteristic"):
        solve_symbolically(equation, sympy.Integer(0))
    order = next(n for n, c in enumerate(data) if c)
    quotient = solve_symbolically(equation.of_quotient(order), sympy.Integer(1))
    assert sympy.simplify(X**order * quotient.expression - right) == 0


@pytest.mark.parametrize("initial", [sympy.nan, sympy.oo, sympy.zoo, X + Z], ids=str)
def test_initial_values_that_are_none(initial: sympy.Expr) -> None:
    with pytest.raises(CharacteristicsError, match="are not finite values"):
        solve_symbolically(FirstOrderPDE((X, Z), (ONE, Z), ONE), initial)


@pytest.mark.parametrize("part", ["starts", "growth"])
@pytest.mark.parametrize(
    "spoilt",
    [
        lambda part: part * sympy.nan,
        lambda part: part * sympy.oo,
        lambda part: -part,
        lambda part: part + X**3 / 1000,
        lambda part: part * (X - X) / (sympy.Symbol("x") - X + 0 * Z),
        lambda part: part * (1 + abs(X) / 1000),
    ],
)
def test_a_spoilt_part_is_refused(
    monkeypatch: pytest.MonkeyPatch, part: str, spoilt: Callable[[sympy.Expr], sympy.Expr]
) -> None:
    """Neither what is no number nor another function passes for a solution."""
    whole = characteristics._starts_and_growth

    def candidate(equation: FirstOrderPDE) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr]:
        starts, growth = whole(equation)
        x = equation.variables[0]
        if part == "growth":
            return starts, spoilt(growth).subs(X, x)
        return {v: spoilt(start).subs(X, x) for v, start in starts.items()}, growth

    monkeypatch.setattr(characteristics, "_starts_and_growth", candidate)
    with pytest.raises(CharacteristicsError):
        solve_symbolically(FirstOrderPDE((X, Z), (ONE, Z), 1 + Z), 1 + Z)


LINEAR = FirstOrderPDE((X, Z), (ONE, Z), sympy.Integer(0))


@pytest.mark.parametrize(
    ("equation", "at"),
    [
        (LINEAR, (float("nan"), 1.0)),
        (LINEAR, (1.0, float("nan"))),
        (LINEAR, (float("inf"), 1.0)),
        (LINEAR, (1.0, -float("inf"))),
        (LINEAR, (1.0,)),
        (LINEAR, (1.0, 1j)),
        (FirstOrderPDE((X, Z), (ONE, Y * Z), sympy.Integer(0)), (0.5, 1.0)),
        (FirstOrderPDE((X, Z), (ONE, Z), Y), (0.5, 1.0)),
        (FirstOrderPDE((X, Z), (ONE, Z**2), sympy.Integer(0)), (2.0, -1.0)),
        (FirstOrderPDE((X, Z), (ONE, -(Z**2)), sympy.Integer(0)), (-2.0, -1.0)),
        (FirstOrderPDE((X, Z), (ONE, sympy.Integer(0)), 1 / (X - 1)), (2.0, 1.0)),
        (FirstOrderPDE((X, Z), (X, Z), sympy.Integer(0)), (2.0, 1.0)),
        (FirstOrderPDE((X, Z), (X, ONE), sympy.Integer(0)), (2.0, 1.0)),
        (FirstOrderPDE((X, Z), (ONE, sympy.sqrt(Z)), sympy.Integer(0)), (1.0, -1.0)),
        (FirstOrderPDE((X, Z), (sympy.Integer(0), Z), sympy.Integer(0)), (1.0, 1.0)),
    ],
    ids=str,
)
def test_curves_that_cannot_be_followed_are_refused(
    equation: FirstOrderPDE, at: tuple[float, ...]
) -> None:
    with pytest.raises(CharacteristicsError):
        solve_numerically(equation, lambda z: z, at)


def test_a_curve_that_takes_too_many_steps_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pde.numerical_characteristics._MOST_EVALUATIONS", 500)
    fast = FirstOrderPDE((X, Z), (ONE, sympy.sin(100 * X)), sympy.Integer(0))
    with pytest.raises(CharacteristicsError, match="more than 500 evaluations"):
        solve_numerically(fast, lambda z: z, (1.0, 1.0))


@pytest.mark.parametrize("digits", [0, -3, 2.5, True])
def test_digits_are_a_positive_number(digits: int) -> None:
    with pytest.raises(CharacteristicsError, match="digits ="):
        solve_numerically(LINEAR, lambda z: z, (0.5, 1.0), digits=digits)


@pytest.mark.parametrize("value", [mpmath.nan, mpmath.inf, mpmath.mpc(0, 1)])
@pytest.mark.parametrize("x", [0.0, 0.5])
def test_initial_values_that_are_no_real_numbers(value: mpmath.mpf, x: float) -> None:
    with pytest.raises(CharacteristicsError, match="not a finite real number"):
        solve_numerically(LINEAR, lambda _: value, (x, 1.0))


@given(st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=10, deadline=None)
def test_negative_and_positive_places(x: float, z: float) -> None:
    value = solve_numerically(LINEAR, lambda z: z, (x, z))
    assert float(value) == pytest.approx(z * math.exp(-x), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("bad", [sympy.nan, sympy.oo, -sympy.oo, sympy.zoo, 1 / (X - X)], ids=str)
def test_nothing_that_is_not_finite_has_a_small_residual(bad: sympy.Expr) -> None:
    assert not residual_at_random_points(X * 0 + bad) <= 1e300
    assert not residual_at_random_points(1 / sympy.Max(X - 1, 0)) <= 1e300


def test_a_wrong_solution_leaves_a_residual() -> None:
    equation = FirstOrderPDE((X, Z), (ONE, Z), sympy.Integer(2))
    assert residual_at_random_points(equation.defect(sympy.exp(X) * Z)) == 0
    assert residual_at_random_points(equation.defect(sympy.exp(2 * X) * Z)) > 1e-3
