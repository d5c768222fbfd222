"""Finite systems: exact series, trajectories, blow-up, digits and closed forms."""

import time
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from math import inf, pi

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagrams.errors import DiagflowError
from expansion.dynamics.system import PolynomialSystem, SystemTerm
from expansion.polynomial import Polynomial
from pde.closed_form import precise_value
from pde.evolution import Method
from pde.face import RegimeFormulas
from pde.solutions.asymmetric_order2 import mean_field, mean_field_taylor, narrow_latent
from pde.systems import first_integrals, system_curve, system_solution, taylor, taylor_at
from pde.systems.enclosure import EnclosureError, enclosed_output
from pde.systems.exact import at_numbers
from pde.taylor import symbol
from pde.taylor import taylor as formula_taylor

Systems = Callable[[str], PolynomialSystem]

NUMBERS = {"p": Fraction(64), "H": Fraction(32), "sigma2": Fraction(1, 40), "T": Fraction(3)}


def test_coefficients_are_those_of_the_known_solutions(system: Systems) -> None:
    assert taylor(system("mean-field"), 12) == tuple(islice(mean_field_taylor(), 12))
    assert taylor(system("narrow"), 8) == formula_taylor(narrow_latent().loss, 8)


def test_coefficients_at_numbers_are_those_of_the_polynomials(system: Systems) -> None:
    values = {name: NUMBERS[name] for name in ("p", "H", "sigma2")}
    for name in ("mean-field", "two-layer"):
        rows = taylor(system(name), 8)
        assert taylor_at(system(name), 8, values) == tuple(c.evaluate(**values) for c in rows)


def test_sixty_coefficients_take_about_a_second(system: Systems) -> None:
    before = time.process_time()
    assert len(taylor(system("mean-field"), 60)) == 60
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("name", "face"),
    [("mean-field", mean_field), ("narrow", narrow_latent)],
)
@pytest.mark.parametrize("sigma2", [Fraction(1, 4000), Fraction(1, 40), Fraction(2)])
def test_trajectories_equal_the_known_solutions(
    system: Systems, name: str, face: Callable[[], RegimeFormulas], sigma2: Fraction
) -> None:
    numbers = NUMBERS | {"sigma2": sigma2}
    curve = system_curve(system(name), numbers)
    expected = face().curve(numbers)
    known, values = expected.domain, expected.evaluate
    assert curve.domain.stop == inf
    assert curve.domain.start == pytest.approx(known.start, rel=1e-12)
    assert dict(curve.notes)["past blow-up time"] == pytest.approx(known.start, rel=1e-13)
    assert dict(curve.notes)["past blow-up exponent"] == pytest.approx(-2, abs=1e-6)
    t = np.concatenate([np.linspace(0.999 * known.start, 0, 50), np.geomspace(1e-3, 100, 50)])
    wanted = values(t)
    assert np.max(np.abs(curve.evaluate(t) - wanted) / (1 + np.abs(wanted))) < 1e-11
    assert curve.error_estimate is not None
    assert curve.error_estimate < 1e-11 * max(1, abs(values(np.zeros(1))[0]))


def test_two_layers_have_the_values_of_the_reduced_potential(system: Systems) -> None:
    numbers = {"p": Fraction(60), "H": Fraction(60), "sigma2": Fraction(1, 60), "T": Fraction(1)}
    loss = system_curve(system("two-layer"), numbers).evaluate(np.array([0, 7.5e-4, 1.5e-3, 3e-3]))
    assert loss == pytest.approx(
        [1860, 1699.2281137582, 1548.3561700231, 1263.1425630234], abs=1e-7
    )


def test_many_times_are_fast_after_the_set_up(system: Systems) -> None:
    curve = system_curve(system("two-layer"), NUMBERS | {"T": Fraction(1)})
    t = np.linspace(0, 0.9 * curve.domain.stop, 10_000)
    before = time.process_time()
    curve.evaluate(t)
    assert time.process_time() - before < 0.05


@pytest.mark.parametrize("power", [-30, -3, 0, 7, 30])
def test_blow_up_in_both_directions_for_any_size(system: Systems, power: int) -> None:
    start = Fraction(10) ** power * Fraction(3, 7)
    for sign in (1, -1):
        curve = system_curve(system("square"), {"p": sign * start, "T": Fraction(1)})
        ends = (curve.domain.start, curve.domain.stop)
        assert sign * ends[sign > 0] == pytest.approx(float(1 / start), rel=1e-13)
        assert abs(ends[sign < 0]) >= 1e14 * float(1 / start)
        half = sign * float(1 / start) / 2
        assert curve.evaluate(np.array([half, -half])) == pytest.approx(
            [2 * sign * float(start), sign * float(start) / 1.5], rel=1e-13
        )


def test_a_pole_that_is_passed_in_the_complex_plane_is_no_blow_up(make: Callable) -> None:
    """Around 1/(1 + 10^6 (τ - 1)²) the steps shrink, and grow again."""
    equations = {
        "x": ("1", []),
        "c": ("-1", [("1", {"x": 1})]),
        "u": ("1/1000001", [("-2000000", {"c": 1, "u": 2})]),
    }
    curve = system_curve(make(equations, [("1", {"u": 1})]), {"T": Fraction(1)})
    assert curve.domain.stop > 1e10
    assert curve.evaluate(np.array([1.0, 2.0])) == pytest.approx([1, 1 / 1000001], rel=1e-9)


def test_stiff_decay_is_followed_to_late_times(system: Systems) -> None:
    before = time.process_time()
    curve = system_curve(system("stiff"), {"T": Fraction(1)})
    assert time.process_time() - before < 20
    t = np.array([1e-7, 1.0, 1e3, 1e6])
    y = (1 + 0.2 * t[1:]) ** -0.5
    # The fast variable follows at a distance of 2yy'/10^6 and less.
    assert curve.evaluate(t[1:]) == pytest.approx(y + y**2, rel=1e-6)


def test_a_saddle_is_left(make: Callable) -> None:
    """x is at rest but for 10^-30: it is not taken for a fixed point."""
    equations = {"x": ("eps", [("1", {"x": 1}), ("-1", {"x": 2})])}
    curve = system_curve(
        make(equations, [("1", {"x": 1})]), {"eps": Fraction(1, 10**30), "T": Fraction(1)}
    )
    middle = 30 * np.log(10)
    assert curve.evaluate(np.array([middle])) == pytest.approx([0.5], abs=1e-11)
    assert curve.limits[1] == pytest.approx(1, abs=1e-12)


def test_oscillation_and_its_domain(make: Callable) -> None:
    equations = {"x": ("1", [("1", {"y": 1})]), "y": ("0", [("-1", {"x": 1})])}
    curve = system_curve(make(equations, [("1", {"x": 1})]), {"T": Fraction(1)})
    assert curve.evaluate(np.array([100 * pi, -7.0])) == pytest.approx([1, np.cos(7)], abs=1e-11)
    assert curve.limits == (None, None)


@pytest.mark.parametrize("digits", [15, 30, 60])
def test_digits_are_those_of_the_formula(system: Systems, digits: int) -> None:
    loss = system_solution(system("mean-field"), problem="", regime="", closed=False).at(NUMBERS)
    t = Fraction(5, 2)
    value = loss.precise(t, digits)
    with mpmath.workdps(digits + 20):
        wanted = precise_value(mean_field().loss, NUMBERS, mpmath.mpf(5) / 2, digits + 10)
        assert abs(value / wanted - 1) < mpmath.mpf(10) ** (1 - digits)
    assert float(value) == pytest.approx(float(loss(float(t))), rel=1e-12)


def test_an_enclosure_contains_more_precise_ones(system: Systems) -> None:
    at = at_numbers(system("two-layer"), {"p": 10, "H": 7, "sigma2": Fraction(1, 10)})
    few = enclosed_output(at, Fraction(1, 50), digits=10)
    many = enclosed_output(at, Fraction(1, 50), digits=25)
    assert few.contains(many)
    assert float(many.rad()) < 1e-25 * float(abs(many.mid()))


def test_no_digits_beyond_a_blow_up(system: Systems) -> None:
    at = at_numbers(system("square"), {"p": 1})
    with pytest.raises(EnclosureError):
        enclosed_output(at, Fraction(2), digits=10)


def test_closed_forms_are_found(system: Systems) -> None:
    for name in ("mean-field", "narrow", "logistic"):
        solution = system_solution(system(name), problem="example", regime="V1")
        assert solution.method is Method.CLOSED_FORM
        loss = solution.at(NUMBERS)
        with mpmath.workdps(30):
            value = precise_value(solution.formula, NUMBERS, mpmath.mpf(1) / 3, 20)
            assert abs(value / loss.precise(Fraction(1, 3), 20) - 1) < 1e-18
    unsolved = system_solution(system("two-layer"), problem="example", regime="V1")
    assert unsolved.formula is None
    assert unsolved.method is Method.CHARACTERISTICS


def test_scalar_and_linear_forms(make: Callable) -> None:
    cases = [
        ({"x": ("H", [("-2*p", {"x": 4})])}, [("1", {"x": 2})]),
        ({"x": ("H", [("3", {"x": 1}), ("-p", {"x": 3})])}, [("1", {"x": 2})]),
        ({"x": ("0", [("1", {}), ("-p**2", {"x": 2})])}, [("1", {"x": 1})]),
        (
            {"x": ("H", [("1", {"y": 1}), ("p", {})]), "y": ("1", [("1", {"x": 1})])},
            [("1", {"x": 2})],
        ),
    ]
    for equations, output in cases:
        solution = system_solution(make(equations, output), problem="", regime="")
        assert solution.formula is not None
        numbers = {"p": Fraction(2), "H": Fraction(3, 7), "T": Fraction(2)}
        loss = solution.at(numbers)
        value = solution.formula.subs({symbol(name): number for name, number in numbers.items()})
        wanted = [float(value.subs(symbol("t"), t)) for t in (-0.05, 0.3)]
        assert loss([-0.05, 0.3]) == pytest.approx(wanted, rel=1e-12)


def test_an_equation_without_an_elementary_solution_gets_none(make: Callable) -> None:
    equations = {"x": ("H", [("1", {}), ("-1", {"x": 5}), ("1", {"x": 2})])}
    assert (
        system_solution(make(equations, [("1", {"x": 1})]), problem="", regime="").formula is None
    )


def test_the_certificate_is_that_of_the_system(system: Systems) -> None:
    solution = system_solution(system("mean-field"), problem="", regime="", closed=False)
    leading = list(islice(mean_field_taylor(), 6))
    assert solution.certified(leading).certificate.holds
    wrong = [*leading[:5], leading[5] + Polynomial({(): 1})]
    assert solution.certified(wrong).certificate.matched == (0, 1, 2, 3, 4)


def test_an_output_without_variables_is_constant(make: Callable) -> None:
    still = make({"x": ("1", [("1", {"x": 2})])}, [("1/2*p", {})])
    loss = system_solution(still, problem="", regime="").at(NUMBERS)
    assert loss([-5.0, 7.0]).tolist() == [32.0, 32.0]
    assert loss.precise(1) == 32
    assert loss.solution.coefficients(3)[1:] == (Polynomial(), Polynomial())


def test_first_integrals(system: Systems) -> None:
    found = first_integrals(system("mean-field"), degree=3)
    assert len(found) == 2
    assert first_integrals(system("two-layer"), degree=1) == ()


rationals = st.fractions(min_value=-2, max_value=2, max_denominator=5)


@settings(max_examples=6, deadline=None)
@given(rates=st.lists(st.tuples(rationals, rationals, rationals), min_size=2, max_size=2))
def test_trajectories_of_random_systems_agree_with_their_enclosures(
    rates: list[tuple[Fraction, Fraction, Fraction]],
) -> None:
    """x' = ax + by + cxy and the same for y, from (1, -1/2)."""
    monomials = (((0, 1),), ((1, 1),), ((0, 1), (1, 1)))
    random = PolynomialSystem(
        variables=("x", "y"),
        rates=tuple(
            tuple(
                SystemTerm(Polynomial({(): c}), powers)
                for c, powers in zip(row, monomials, strict=True)
                if c
            )
            for row in rates
        ),
        initial=(Polynomial({(): 1}), Polynomial({(): Fraction(-1, 2)})),
        output=(SystemTerm(Polynomial({(): 1}), ((0, 2),)), SystemTerm(Polynomial({(): 1}))),
    )
    curve = system_curve(random, {"T": Fraction(1)})
    for t in (Fraction(-1, 3), Fraction(1, 2)):
        # Not too near to a blow-up, where an enclosure takes long.
        if 0.8 * curve.domain.start < t < 0.8 * curve.domain.stop:
            value = float(enclosed_output(random, t, digits=16).mid())
            assert curve.evaluate(np.array([float(t)]))[0] == pytest.approx(value, rel=1e-11)


def test_numbers_that_are_missing_or_not_finite_are_reported(system: Systems) -> None:
    with pytest.raises(DiagflowError):
        system_curve(system("square"), {"T": Fraction(1)})
    with pytest.raises(DiagflowError):
        taylor_at(system("square"), 3, {"p": float("nan")})


def test_each_side_of_time_has_its_own_error() -> None:
    """An oscillator with friction, backwards: where the past is lost, the future is not."""
    p = Polynomial.parse
    system = PolynomialSystem(
        variables=("x", "v"),
        rates=(
            (SystemTerm(p("1"), ((1, 1),)),),
            (SystemTerm(p("-1"), ((0, 3),)), SystemTerm(p("-1"), ((1, 1),))),
        ),
        initial=(p("1"), p("0")),
        output=(SystemTerm(p("1"), ((0, 2),)),),
    )
    curve = system_curve(system, {"T": Fraction(1)})
    assert curve.errors is not None and curve.error_estimate is not None
    past, future = curve.errors(np.array([-1.0, 1.0]))
    assert max(past, future) == curve.error_estimate
    assert future < 1e-12 < 1e-3 * curve.evaluate(np.zeros(1))[0]


def test_a_variable_that_is_odd_around_its_start_has_no_pole() -> None:
    """x' = 4x(1 - x) + 3/2 from x = 1/2: every second coefficient of x - 1/2 is rounding."""
    system = PolynomialSystem(
        variables=("x",),
        rates=(
            (
                SystemTerm(Polynomial.parse("4"), ((0, 1),)),
                SystemTerm(Polynomial.parse("-4"), ((0, 2),)),
                SystemTerm(Polynomial.parse("3/2")),
            ),
        ),
        initial=(Polynomial.parse("1/2"),),
        output=(
            SystemTerm(Polynomial.parse("3"), ((0, 2),)),
            SystemTerm(Polynomial.parse("-6"), ((0, 1),)),
            SystemTerm(Polynomial.parse("3")),
        ),
    )
    curve = system_curve(system, {"T": Fraction(1)})
    assert curve.domain.stop == inf
    root = np.sqrt(5 / 8)
    t = np.array([0.0, 0.1, 1.0])
    x = 1 / 2 + root * np.tanh(4 * root * t)
    assert curve.evaluate(t) == pytest.approx(3 * (1 - x) ** 2, rel=1e-10)
