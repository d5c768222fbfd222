"""One site: particles against the solutions found by hand, and what is formal."""

from fractions import Fraction
from itertools import islice
from math import factorial

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import solve_ivp

from diagrams.errors import CapacityError, InvalidInputError
from expansion.polynomial import Polynomial
from pde.evolution import Method
from pde.moments.hierarchy import ContractedLoss
from pde.moments.taylor import moment_taylor
from pde.solutions.asymmetric_mean_field import mean_field_taylor
from pde.solutions.asymmetric_narrow import narrow_taylor
from pde.solutions.symmetric_even import even_curve
from pde.systems import RADEMACHER, SiteProblem, site_curve, site_solution
from pde.systems.curves import branch
from pde.systems.particle import ParticleFlow
from pde.systems.slopes import BlockSlopes, DenseSlopes

p = Polynomial.parse

EVEN = {
    4: "-z4 + 1/2*H**-3*z2**4 + 3/2*H**-2*p**-2*z2**4",
    6: "-z6 + 1/2*H**-5*z2**6 + 15/2*H**-4*p**-3*z2**6",
}


def even(order: int) -> SiteProblem:
    """The reduced potential of SYM on A-B-E, with sums over all weights for its moments."""
    return SiteProblem.from_potential(
        p(EVEN[order]), weight=p("p*H"), variances=(p("sigma2"),), constant=p("1/2*p")
    )


def narrow(order: int) -> SiteProblem:
    squares = ["z" + "_".join("2" if c == d else "0" for d in range(order)) for c in range(order)]
    return SiteProblem.from_potential(
        p(f"1/2*{'*'.join(squares)} - z{'_'.join('1' * order)}"),
        weight=p("p"),
        variances=(p("sigma2"),) * order,
        constant=p("1/2*p"),
        number=p("H"),
    )


def mean_field(order: int) -> SiteProblem:
    overlap = f"z{'_'.join('1' * order)}"
    return SiteProblem.from_potential(
        p(f"1/2*{overlap}**2 - {overlap}"),
        weight=p("H"),
        variances=(p("sigma2"),) * order,
        constant=p("1/2*p"),
        number=p("p"),
    )


@pytest.mark.parametrize("order", [4, 6])
@pytest.mark.parametrize("sigma2", [Fraction(1, 10**6), Fraction(1, 1000), Fraction(1, 100)])
def test_ascent_of_even_order_is_rediscovered(order: int, sigma2: Fraction) -> None:
    numbers = {"p": Fraction(64), "H": Fraction(682), "sigma2": sigma2, "T": Fraction(2)}
    curve, known = site_curve(even(order), numbers), even_curve(order, "A-B-E", numbers)
    assert curve.domain.stop == 0
    start = known.domain.start
    if np.isfinite(start):
        assert curve.domain.start == pytest.approx(start, rel=1e-10)
        notes = dict(curve.notes)
        assert notes["past blow-up exponent"] == pytest.approx(-order / (order - 1), abs=1e-6)
    else:
        start = -1e6 / float(sigma2)
    t = start * np.append(0.0, np.geomspace(1e-6, 0.99, 30))
    wanted = known.evaluate(t)
    assert np.max(np.abs(curve.evaluate(t) / wanted - 1)) < 1e-9


def test_coefficients_are_those_of_the_hierarchies_by_hand() -> None:
    theta = p("1 + 3*H*p**-2")
    loss = ContractedLoss.parse("1/2*theta*z2**4 - z4")
    rows = moment_taylor(loss, number="H", weight="p", substitutions={"theta": theta})
    assert even(4).taylor(6) == tuple(islice(rows, 6))
    assert narrow(3).taylor(7) == tuple(islice(narrow_taylor(3), 7))
    assert mean_field(3).taylor(7) == tuple(islice(mean_field_taylor(3), 7))


def test_coefficients_at_numbers_are_those_of_the_polynomials() -> None:
    values = {"p": Fraction(5), "H": Fraction(3), "sigma2": Fraction(1, 4)}
    for problem in (even(4), narrow(3), mean_field(4)):
        rows = problem.taylor(5)
        assert problem.at(values).taylor(5) == tuple(c.evaluate(**values) for c in rows)


@pytest.mark.parametrize(
    ("potential", "formal"),
    [
        ("-z4 + z2**2", (False, True)),
        ("z4 + z2**2", (True, False)),
        ("-z3 + z2**2", (True, True)),
        ("1/2*z3**2 - z3", (True, True)),
        ("z2**2 - z2", (False, False)),
        ("1/2*z4**2", (True, False)),
        ("-z1_1 + 1/2*z2_0*z0_2", (False, False)),
        ("-z2_1 + 1/2*z2_0*z0_2", (True, True)),
        ("-z1_1_1", (True, True)),
        ("z2_2 + z4_0 + z0_4", (True, False)),
    ],
)
def test_what_is_formal_is_seen_in_the_potential(potential: str, formal: tuple[bool, bool]) -> None:
    colours = 3 if "z1_1_1" in potential else 2 if "_" in potential else 1
    problem = SiteProblem.from_potential(
        p(potential), weight=p("1"), variances=(p("1/10"),) * colours
    )
    assert problem.at({}).formal == formal


def test_formal_directions_are_resummed_or_refused() -> None:
    numbers = {"p": Fraction(30), "H": Fraction(20), "sigma2": Fraction(1, 50), "T": Fraction(1)}
    solution = site_solution(narrow(3), title="example", regime="E-A")
    assert solution.method is Method.MOMENTS
    loss = solution.at(numbers)
    assert loss.domain.start < 0 < loss.domain.stop < 10
    assert "formal" in loss.domain.reason
    rows = [float(c.evaluate(**numbers)) for c in narrow(3).taylor(5)]
    t = 1e-3
    partial = sum(c * t**s / factorial(s) for s, c in enumerate(rows))
    assert loss([0.0, t]) == pytest.approx([rows[0], partial], rel=1e-9)
    with pytest.raises(InvalidInputError):
        site_solution(even(4), title="example", regime="A-B-E").at(numbers)(1e-3)


def test_two_values_at_the_start_make_descent_regular() -> None:
    """Every particle is the same: u' = 4u³ - 4θp³u⁷ per row, and no average is missing."""
    numbers = {"p": Fraction(16), "H": Fraction(26), "sigma2": Fraction(1, 100), "T": Fraction(1)}
    signs = SiteProblem.from_potential(
        p(EVEN[4]),
        weight=p("p*H"),
        variances=(p("sigma2"),),
        constant=p("1/2*p"),
        law=RADEMACHER,
    )
    curve = site_curve(signs, numbers)
    theta = 1 + 3 * 26 / 256
    fixed = (1 / (theta * 16**3)) ** 0.25
    plateau = 8 + 26 * (0.5 * theta * 16**4 * fixed**8 - 16 * fixed**4)
    assert curve.domain.stop > 1e6
    assert curve.evaluate(np.array([1e5]))[0] == pytest.approx(plateau, rel=1e-10)


def test_quadratic_potentials_are_finite_systems() -> None:
    """Two colours with a quadratic potential turn hyperbolically: the closed form of E-A."""
    numbers = {"p": Fraction(64), "H": Fraction(32), "sigma2": Fraction(1, 40), "T": Fraction(1)}
    solution = site_solution(narrow(2), title="example", regime="E-A")
    assert solution.method is Method.CLOSED_FORM
    assert solution.coefficients(6) == narrow(2).taylor(6)
    t = np.array([-0.1, 0.0, 0.3, 2.0])
    z = 64 / 40
    below = 1 + z * np.sinh(2 * t)
    wanted = 32 + 32 * ((z * np.cosh(2 * t) / below) ** 2 / 2 - z * np.sinh(2 * t) / below)
    assert solution.at(numbers)(t) == pytest.approx(wanted, rel=1e-11)


def test_several_colours_are_averaged_by_a_product_rule() -> None:
    """Two colours that do not see each other are two particles of one colour."""
    one, two = (
        SiteProblem.from_potential(p(text), weight=p("1"), variances=(p("1/100"),) * colours)
        for text, colours in (("z4", 1), ("z4_0 + z0_4", 2))
    )
    flow = ParticleFlow(two.at({}), coarse=False)
    future = branch([flow, ParticleFlow(two.at({}), coarse=True)], past=False)
    t = np.array([0.0, 0.1, 1.0])
    alone = site_curve(one, {"T": Fraction(1)}).evaluate(t)
    assert np.max(np.abs(future(t) / (2 * alone) - 1)) < 1e-6
    late = np.array([1e3])
    difference = future(late) - 2 * site_curve(one, {"T": Fraction(1)}).evaluate(late)
    assert abs(difference[0]) < 10 * future.error


@pytest.mark.parametrize("power", [-30, 30])
def test_any_size_of_the_variance(power: int) -> None:
    """Ascent at low noise only depends on pσ⁴ and so on: units are all that changes."""
    s2 = Fraction(10) ** power
    numbers = {"p": Fraction(10), "H": Fraction(4), "sigma2": s2, "T": Fraction(1)}
    problem = SiteProblem.from_potential(
        p("1/2*z2**2"), weight=p("p"), variances=(p("sigma2"),), number=p("H")
    )
    curve = site_curve(problem, numbers)
    tau = np.array([0.5]) / (10 * float(s2))
    start = 0.5 * 4 * (10 * float(s2)) ** 2
    assert curve.evaluate(tau)[0] == pytest.approx(start / (1 + 4 * 0.5) ** 2, rel=1e-11)


def test_the_jacobian_of_a_particle_is_the_derivative_of_its_rates() -> None:
    values = {"p": Fraction(3), "H": Fraction(2), "sigma2": Fraction(1, 3)}
    problem = SiteProblem.from_potential(
        p("z2_2 + 1/3*z1_1**2 - 2*z2_0*z0_2"),
        weight=p("p"),
        variances=(p("sigma2"), p("1/2*sigma2")),
        law=RADEMACHER,
    )
    flow = ParticleFlow(problem.at(values), coarse=False)
    state = flow.start + 0.1 * np.arange(flow.start.size)
    step = 1e-6
    columns = []
    for unit in np.eye(state.size):
        ahead, behind = (flow.expand(state + s * step * unit, 1, 1.0)[0][1] for s in (1, -1))
        columns.append((ahead - behind) / (2 * step))
    jacobian = flow.slopes(state).matrix
    assert jacobian is not None
    assert np.max(np.abs(jacobian - np.stack(columns, axis=1))) < 1e-7


def test_rules_of_gauss_and_hermite_are_exact_for_polynomials() -> None:
    x, w = hermegauss(40)
    assert (w / np.sqrt(2 * np.pi)) @ x**8 == pytest.approx(105, rel=1e-12)


def test_too_many_colours_are_reported() -> None:
    problem = SiteProblem.from_potential(p("z4_0_0_0_0"), weight=p("1"), variances=(p("1"),) * 5)
    with pytest.raises(CapacityError):
        site_curve(problem, {"T": Fraction(1)})
    with pytest.raises(InvalidInputError):
        SiteProblem.from_potential(p("z2"), weight=p("1"), variances=(p("1"),) * 2)


def test_near_zero_the_terms_of_a_formal_series_determine_it() -> None:
    """-z3 has coefficients of one sign in τ²: both lines of time are Stokes lines."""
    problem = SiteProblem.from_potential(p("-z3"), weight=p("1"), variances=(p("1"),))
    loss = site_solution(problem, title="example", regime="V1").at({})
    assert -0.1 < loss.domain.start < 0 < loss.domain.stop < 0.1
    t = loss.domain.stop / 2
    terms = [float(c.coefficient()) * t**s / factorial(s) for s, c in enumerate(problem.taylor(24))]
    kept = [term for term in terms if term]
    least = min(range(len(kept)), key=lambda n: abs(kept[n]))
    assert loss(t) == pytest.approx(sum(kept[: least + 1]), abs=4 * abs(kept[least]))


@pytest.mark.parametrize("even", [True, False])
def test_what_is_followed_need_not_drive(even: bool) -> None:
    """The mean of u^4, or of u, v and their product, along the flow of another potential."""
    given = {"lambda": Fraction(1, 3), "eta": Fraction(2), "T": Fraction(1)}
    problem = SiteProblem.from_potential(
        p("1/2*lambda*z2 + 1/4*z4" if even else "lambda*z2_0 + z2_2 + z0_2 + z4_0 + z0_4 - z1_1"),
        output=p("z4 - 3*z2" if even else "z1_1 + z2_0**2 + 1"),
        weight=p("1"),
        variances=(p("1/8"),) * (1 if even else 2),
        rates=(p("eta"),) if even else (p("eta"), p("1")),
    )
    loss = site_solution(problem, title="example", regime="V1").at(given)
    rows = [float(c.evaluate(**{n: given[n] for n in c.symbols})) for c in problem.taylor(9)]
    assert problem.at(given).taylor(9) == tuple(
        c.evaluate(**{n: given[n] for n in c.symbols}) for c in problem.taylor(9)
    )
    t = np.array([1e-4, 1e-3])
    partial = sum(c * t**s / factorial(s) for s, c in enumerate(rows))
    assert loss(t) == pytest.approx(partial, rel=1e-9)
    # The same by an ordinary solver on Gauss-Hermite nodes of its own.
    nodes, weights = hermegauss(40)
    weights = weights / weights.sum()
    x = nodes[:, None] + 0 * nodes[None, :], nodes[None, :] + 0 * nodes[:, None]
    u, v = (np.sqrt(1 / 8) * a.ravel() for a in x)
    w = np.outer(weights, weights).ravel()
    rate = 1 / 3

    def slopes(time: float, state: np.ndarray) -> np.ndarray:
        a, b = state.reshape(2, -1)
        if even:
            return np.concatenate([-2 * (rate * a + a**3), 0 * b])
        return np.concatenate(
            [
                -2 * (2 * rate * a + 2 * a * b**2 + 4 * a**3 - b),
                -(2 * a**2 * b + 2 * b + 4 * b**3 - a),
            ]
        )

    end = solve_ivp(slopes, (0, 1), np.concatenate([u, v]), rtol=1e-10, atol=1e-12).y[:, -1]
    a, b = end.reshape(2, -1)
    value = w @ (a**4 - 3 * a**2) if even else w @ (a * b) + (w @ a**2) ** 2 + 1
    assert loss(1.0) == pytest.approx(value, rel=1e-6)


def test_equal_rates_are_a_unit_of_time() -> None:
    plain, fast = (
        SiteProblem.from_potential(
            p("z4 + z2"), weight=p("1"), variances=(p("1/4"),), rates=(p(rate),)
        )
        for rate in ("1", "3")
    )
    slow, quick = (
        site_solution(problem, title="example", regime="V1").at({}) for problem in (plain, fast)
    )
    times = np.array([0.1, 1.0, 5.0])
    assert quick(times) == pytest.approx(slow(3 * times), rel=1e-9)
    system = SiteProblem.from_potential(
        p("1/2*z2"), output=p("z2**2"), weight=p("1"), variances=(p("2"),), rates=(p("3"),)
    ).closed_system()
    assert system is not None
    assert [str(t.coefficient) for row in system.rates for t in row] == ["-6"]


def test_rates_are_given_for_every_colour() -> None:
    with pytest.raises(InvalidInputError, match="1 colours and 2 rates"):
        SiteProblem.from_potential(
            p("z2"), weight=p("1"), variances=(p("1"),), rates=(p("1"), p("1"))
        )


def test_an_average_ends_where_its_rules_differ() -> None:
    """Three layers of a diagonal network part at the planes where a weight vanishes."""
    problem = SiteProblem.from_potential(
        p("1/2*z2_2_2 - z1_1_1 + 1/2"), weight=p("1"), variances=(p("1/2"),) * 3
    )
    loss = site_solution(problem, title="example", regime="V1").at({"T": Fraction(1)})
    assert 0.1 < loss.domain.stop < 10 and "not known to 0.001" in loss.domain.reason
    t = loss.domain.stop * np.array([0.3, 0.6, 0.99])
    generator = np.random.default_rng(0)
    start = generator.normal(scale=np.sqrt(0.5), size=(3, 40_000))

    def slopes(time: float, state: np.ndarray) -> np.ndarray:
        u = state.reshape(3, -1)
        whole = np.prod(u, axis=0)
        rest = [u[1] * u[2], u[0] * u[2], u[0] * u[1]]
        return np.concatenate([(1 - whole) * each for each in rest])

    found = solve_ivp(slopes, (0, t[-1]), start.ravel(), t_eval=t, rtol=1e-8, atol=1e-10)
    runs = 0.5 * (1 - np.prod(found.y.reshape(3, -1, 3), axis=0)) ** 2
    error = runs.std(axis=0) / np.sqrt(runs.shape[0])
    assert np.all(np.abs(runs.mean(axis=0) - loss(t)) < 4 * error + loss.curve.error_estimate)


def test_blocks_and_moments_are_solved_as_their_matrix() -> None:
    generator = np.random.default_rng(1)
    slopes = BlockSlopes(
        generator.normal(size=(5, 3, 3)),
        generator.normal(size=(15, 2)),
        generator.normal(size=(2, 15)),
    )
    right = generator.normal(size=15) + 1j * generator.normal(size=15)
    assert slopes.matrix is not None
    expected = np.linalg.solve((2 + 1j) * np.eye(15) - slopes.matrix, right)
    for each in (slopes, DenseSlopes(slopes.matrix)):
        solver = each.solver(2 + 1j)
        assert solver is not None and solver(right) == pytest.approx(expected)
    broken = BlockSlopes(np.full((5, 3, 3), np.nan), slopes.left, slopes.right)
    assert broken.solver(1.0) is None


def test_a_shift_that_is_an_eigenvalue_has_no_solver(recwarn: pytest.WarningsRecorder) -> None:
    """An implicit step becomes shorter; nobody is told of a singular matrix."""
    both = BlockSlopes(np.ones((1, 1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    felt = BlockSlopes(np.zeros((1, 1, 1)), np.ones((1, 1)), np.ones((1, 1)))
    for slopes in (both, felt, DenseSlopes(np.eye(2))):
        assert slopes.solver(1.0) is None
        assert slopes.solver(2.0) is not None
    assert not recwarn.list


@pytest.mark.parametrize("still", [False, True])
def test_a_length_is_that_of_a_vector(still: bool) -> None:
    """Output weights a and vectors w of some neurons, and the squared lengths of these."""
    loss = "1/2*z2_2 - z1_1"  # a^2 |w|^4/2 - a |w|^2, without and with the motion of a
    terms = [((((2, 2), 1),), (2, 2), 0), ((((1, 1), 1),), (1, 1), 0)]
    problem = SiteProblem.from_potential(
        p(loss),
        weight=p("1"),
        variances=(p("1/4"), p("2/3")),
        lengths=(False, True),
        still=frozenset(terms) if still else frozenset(),
    )
    solved = site_solution(problem, title="example", regime="V1").at({"T": Fraction(1)})
    a, weights = hermegauss(160)
    a, weights = a / 2, weights / weights.sum()
    w = np.full((3, a.size), np.sqrt(2 / 9))

    def slopes(time: float, state: np.ndarray) -> np.ndarray:
        a, *w = state.reshape(4, -1)
        length = sum(x**2 for x in w)
        pull = 2 * a * (1 - a * length)
        return np.concatenate(
            [(0 if still else 1) * length * (1 - a * length), *(pull * x for x in w)]
        )

    start = np.concatenate([a, *w])
    times = np.array([0.2, 0.7])
    found = solve_ivp(slopes, (0, 1), start, t_eval=times, rtol=1e-10, atol=1e-12).y
    a, *w = found.reshape(4, -1, 2)
    length = sum(x**2 for x in w)
    values = weights @ (a**2 * length**2 / 2 - a * length)
    assert solved(times) == pytest.approx(values, rel=1e-6)
    rows = [float(c) for c in problem.at({}).taylor(9)]
    assert rows == [float(c.coefficient()) for c in problem.taylor(9)]
    t = 1e-2
    partial = sum(c * t**s / factorial(s) for s, c in enumerate(rows))
    assert solved(t) == pytest.approx(partial, rel=1e-7)
    assert problem.closed_system() is None


def test_what_stands_still_is_not_formal() -> None:
    """a u^2/2 with a Gaussian a at rest only grows; with a that moves it blows up at once."""
    for still, formal in ((frozenset({((((1, 1), 1),), (1, 1), 0)}), False), (frozenset(), True)):
        problem = SiteProblem.from_potential(
            p("-z1_1"),
            weight=p("1"),
            variances=(p("1"), p("1")),
            lengths=(False, True),
            still=still,
        )
        assert problem.at({}).formal[1] is formal
