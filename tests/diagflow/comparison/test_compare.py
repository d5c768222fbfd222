"""Theory against simulation: corrections, verdicts and what they refuse."""

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from diagflow.comparison.finite_size import (
    FiniteSizeCorrection,
    finite_size_correction,
    kept_coefficients,
    neglected_coefficients,
    target_constant,
)
from diagflow.comparison.regime import compare_regime, natural_scale
from diagflow.comparison.verdict import Agreement, Comparison, compare, comparison_record
from diagflow.show import comparison as show_comparison
from diagflow.show import simulation as show_simulation
from diagflow.simulation import Trajectory, simulate
from diagrams.errors import InvalidInputError
from expansion.models import cp, deep_linear, tied_autoencoder
from expansion.regimes import Regimes, regimes
from expansion.series import loss_series
from pde.solving import solution

AT: dict[str, Fraction | float] = {
    "p": Fraction(24),
    "H": Fraction(16),
    "sigma2": Fraction(1, 24),
    "T": Fraction(2),
}
TIMES = np.linspace(-0.05, 1.5, 32)


@cache
def found() -> Regimes:
    return regimes(cp(order=2, symmetric=True), terms=6)


def ensemble(runs: int = 60, **at: Fraction | float) -> Trajectory:
    numbers = {name: float(value) for name, value in (AT | at).items()}
    return simulate(cp(order=2, symmetric=True), at=numbers, times=TIMES, runs=runs, seed=1)


def theory(t: np.ndarray) -> np.ndarray:
    exact = {name: Fraction(value) for name, value in AT.items()}
    return solution(found(), "A-B-E").at(exact)(t)


def made(loss: list[list[float]], times: list[float]) -> Trajectory:
    return Trajectory(
        t=np.array(times),
        loss=np.array(loss),
        seed=3,
        blow_up=(None,) * len(loss),
        method="DOP853",
        rtol=1e-8,
        step=None,
        finished=tuple(range(len(loss))),
        interrupted=False,
    )


def test_what_a_regime_neglects_and_what_it_keeps_add_up_to_the_exact_coefficients() -> None:
    rest = neglected_coefficients(found(), "A-B-E", AT)
    kept = [
        c.evaluate(p=AT["p"], H=AT["H"], sigma2=AT["sigma2"])
        for c in solution(found(), "A-B-E").coefficients(7)
    ]
    series = loss_series(cp(order=2, symmetric=True))
    for s in range(7):
        whole = series[s].evaluate(p=AT["p"], H=AT["H"], sigma2=AT["sigma2"])
        assert rest[s] + kept[s] == whole


def test_a_free_regime_neglects_the_target() -> None:
    free = regimes(cp(order=2, symmetric=True), terms=5)
    at = {"p": Fraction(10), "H": Fraction(10), "sigma2": Fraction(3)}
    # 1/2 p - p H sigma2 + 1/2 p H sigma2^2 is left out where p sigma2 tends to infinity
    assert neglected_coefficients(free, "A-B", at)[0] == 5 - 300 + 450


@cache
def smaller_than_its_dynamics() -> Regimes:
    return regimes(deep_linear(depth=3), terms=4)


@pytest.mark.parametrize(
    ("at", "expected"),
    [((100, 20, Fraction(1, 500)), Fraction(2, 125)), ((60, 60, Fraction(1, 60)), Fraction(30))],
)
def test_leading_parts_that_a_solution_leaves_out_are_in_its_correction(
    at: tuple[Fraction | int, ...], expected: Fraction
) -> None:
    """At t = 0 the solution is p/2 and the loss p/2 + p^2 H^2 sigma^6/2."""
    numbers = dict(zip(("p", "H", "sigma2"), map(Fraction, at), strict=True))
    known = smaller_than_its_dynamics()
    evolution = solution(known, "V4").at({"T": Fraction(1), **numbers})
    correction = finite_size_correction(known, "V4", numbers, theory=evolution)
    assert correction.coefficients[0] == expected
    value, error = correction.estimate([0.0])
    assert (value[0], error[0]) == (pytest.approx(float(expected)), 0)


def test_the_coefficients_that_are_corrected_are_those_of_the_solution() -> None:
    numbers = {"p": Fraction(100), "H": Fraction(20), "sigma2": Fraction(1, 500)}
    known = smaller_than_its_dynamics()
    for name in ("V1", "V4", "V2"):
        solved = solution(known, name)
        left_out = solved.certificate.left_out
        kept = kept_coefficients(known, name, numbers, left_out)
        summed = tuple(row.evaluate(**numbers) for row in solved.coefficients(len(kept)))
        assert kept == summed, name


def test_the_correction_explains_the_deviation_of_a_small_model() -> None:
    """With it the deviation is noise; without it, it is many standard errors."""
    runs = ensemble(400)
    correction = finite_size_correction(found(), "A-B-E", AT)
    bare = compare(theory, runs, scale=12.0)
    assert not bare.holds
    value, error = correction.estimate(TIMES)
    known = error < 0.2 * abs(float(correction.coefficients[0]))
    assert np.count_nonzero(known & (TIMES > 0)) >= 3
    before = np.abs(bare.deviation / bare.standard_error)[known]
    after = (np.abs(bare.deviation - value) / bare.standard_error)[known]
    assert np.max(before) > 5
    assert np.max(after) < 3
    evolution = solution(found(), "A-B-E").at({n: Fraction(v) for n, v in AT.items()})
    more = finite_size_correction(found(), "A-B-E", AT, theory=evolution)
    explained = compare(theory, runs, scale=12.0, correction=more)
    assert explained.verdict is not Agreement.DIFFERS
    assert explained.agrees[TIMES >= 0].all()
    assert explained.remaining is not None
    assert explained.remaining < explained.largest
    assert bare.remaining is None


def test_a_wrong_theory_does_not_pass() -> None:
    runs = ensemble()
    correction = finite_size_correction(found(), "A-B-E", AT)
    for wrong in (lambda t: theory(1.3 * t), lambda t: 1.1 * theory(t)):
        result = compare(wrong, runs, scale=12.0, correction=correction)
        assert not result.holds
        assert not compare(wrong, runs, scale=12.0, tolerance=0.01).holds


def test_a_tolerance_takes_the_place_of_the_correction() -> None:
    runs = ensemble()
    correction = finite_size_correction(found(), "A-B-E", AT)
    assert compare(theory, runs, scale=12.0, tolerance=0.1).holds
    strict = compare(theory, runs, scale=12.0, tolerance=1e-6, correction=correction)
    bare = compare(theory, runs, scale=12.0, tolerance=1e-6)
    np.testing.assert_array_equal(strict.allowed, bare.allowed)


def test_the_correction_is_told_only_where_approximants_agree() -> None:
    exact = FiniteSizeCorrection.of([Fraction(3 * (-4) ** s) for s in range(14)], T=2)
    t = np.array([-0.3, 0.0, 0.1, 0.5, 1.0, 1e6])
    values, error = exact.estimate(t)
    known = np.isfinite(values)
    assert known[:4].all()
    assert not known[-1]
    assert np.array_equal(known, np.isfinite(error))
    np.testing.assert_allclose(values[known], 3 * np.exp(-2 * t[known]), rtol=0.1)
    assert np.all(np.abs(values - 3 * np.exp(-2 * t))[known] <= error[known] + 1e-15)


def test_few_terms_tell_the_correction_at_the_start_only() -> None:
    correction = FiniteSizeCorrection.of([Fraction(-1, 2), Fraction(3)])
    assert np.isnan(correction([0.1])[0])
    assert correction([0.0])[0] == -0.5
    nothing = FiniteSizeCorrection.of([Fraction(0)] * 6)
    assert nothing([0.0, 5.0]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("terms", [5, 6])
def test_with_a_solution_the_correction_is_known_until_the_loss_is_learnt(terms: int) -> None:
    """Exact deviations of the mean of many runs, p = 12, up to where the loss has its limit."""
    known = regimes(cp(order=2, symmetric=True), terms=terms)
    at = {"p": Fraction(12), "H": Fraction(6), "sigma2": Fraction(1, 12)}
    times = np.linspace(0, 2, 9)
    evolution = solution(known, "A-B-E").at({"T": Fraction(1), **at})
    value, error = finite_size_correction(known, "A-B-E", at, theory=evolution).estimate(times)
    assert np.isfinite(value[:5]).all()
    assert np.all(error[:5] <= 0.065 * abs(evolution(times) - 6)[:5])
    runs = simulate(cp(order=2, symmetric=True), at=at, times=times, runs=400, seed=5, rtol=1e-6)
    beyond = np.abs(runs.mean - evolution(times) - value) - error
    assert np.all((beyond <= 4 * runs.standard_error)[:5])


def test_a_blow_up_agrees_with_nothing() -> None:
    runs = made([[1.0, np.inf], [1.1, 2.0]], [0.0, -1.0])
    result = compare(lambda t: np.ones_like(t), runs, scale=1.0, tolerance=0.5)
    assert result.agrees.tolist() == [True, False]
    record = json.loads(json.dumps(comparison_record(result), allow_nan=False))
    assert record["mean"][1] is None
    assert record["deviation"][1] is None
    assert record["holds"] is False


def test_a_comparison_in_words() -> None:
    """Unbounded where runs have blown up; what is left after a correction only if it is known."""
    blown = compare(
        lambda t: np.ones_like(t), made([[1.0, np.inf], [1.1, 2.0]], [0.0, -1.0]), scale=1.0
    )
    assert show_comparison.verdict(blown) == (
        "Largest deviation unbounded: runs have blown up: BEYOND standard errors and the error of "
        "the finite-size correction at 1 of 2 times"
    )
    assert show_comparison.remaining(blown) == []
    quiet = made([[2.0, 4.0], [2.0, 4.0]], [0.0, 1.0])
    near = compare(lambda t: np.array([2.0, 3.9]), quiet, scale=2.0, tolerance=0.06)
    assert show_comparison.verdict(near) == (
        "Largest deviation 5% of 2: within standard errors and the tolerance of 6%"
    )
    assert show_comparison.remaining(near) == []
    few = FiniteSizeCorrection.of([Fraction(1, 2), Fraction(3)])
    corrected = compare(lambda t: np.array([1.5, 3.8]), quiet, scale=2.0, correction=few)
    assert show_comparison.remaining(corrected) == [
        "With the correction, at the 1 time where it is known: 0%"
    ]
    assert show_comparison.verdict(corrected) == (
        "Largest deviation 25% of 2: CANNOT BE JUDGED, the finite-size correction is not known at "
        "1 of 2 times"
    )
    close = compare(lambda t: np.array([1.5, 3.95]), quiet, scale=2.0, correction=few)
    assert show_comparison.verdict(close) == (
        "Largest deviation 25% of 2: within standard errors and the error of the finite-size "
        "correction, at 1 of 2 times within 5% of the leading loss"
    )
    unknown = compare(lambda t: t, made([[1.0]] * 2, [1.0]), scale=1.0, correction=few)
    assert show_comparison.remaining(unknown) == []


def known_at_the_start(theory: float, correction: float, mean: float, spread: float) -> Comparison:
    """A single time with two runs and an exact correction."""
    runs = made([[mean - spread], [mean + spread]], [0.0])
    exact = FiniteSizeCorrection.of([Fraction(correction)])
    return compare(lambda t: np.full_like(t, theory), runs, scale=1.0, correction=exact)


@pytest.mark.parametrize(
    ("theory", "correction", "mean", "spread", "verdict"),
    [
        (1.0, 0.125, 1.125, 1e-3, Agreement.AGREES),
        (1.0, 0.125, 0.875, 1e-3, Agreement.DIFFERS),  # as large, of the other sign
        (1.0, 0.125, 1.0, 1e-3, Agreement.DIFFERS),  # exactly the theory, which is not expected
        (1.0, 0.125, 1.125, 0.1, Agreement.UNDECIDED),  # noise of 40%
        (1.0, 0.5, 1.5, 1e-3, Agreement.UNDECIDED),  # explained, but not by the theory
        (1.0, 64.0, 65.0, 1e-3, Agreement.DIFFERS),  # the theory keeps a 64th
        (1.0, 0.125, np.nan, 1e-3, Agreement.DIFFERS),
        (np.nan, 0.125, 1.0, 1e-3, Agreement.DIFFERS),
    ],
)
def test_what_a_verdict_compares(
    theory: float, correction: float, mean: float, spread: float, verdict: Agreement
) -> None:
    result = known_at_the_start(theory, correction, mean, spread)
    assert result.verdict is verdict
    assert result.holds is (verdict is Agreement.AGREES)


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [
        (0.5, Agreement.UNDECIDED),  # exactly the theory
        (0.509, Agreement.UNDECIDED),
        (None, Agreement.AGREES),  # as corrected
        (0.6, Agreement.DIFFERS),  # far from both
        (0.45, Agreement.DIFFERS),
        (0.7, Agreement.DIFFERS),
    ],
)
def test_a_deviation_smaller_than_an_estimate_does_not_refute_the_theory(
    mean: float | None, verdict: Agreement
) -> None:
    """The correction exp(-2t)/8 at t = 1/10 from a few terms, with a stated error."""
    estimate = FiniteSizeCorrection.of([Fraction((-2) ** s, 8) for s in range(7)])
    (value,), (error,) = estimate.estimate([0.1])
    assert 0.1 < value < 0.11 and 0 < error < 1e-3
    mean = 0.5 + value if mean is None else mean
    runs = made([[mean - 1e-6], [mean + 1e-6]], [0.1])
    result = compare(lambda t: np.full_like(t, 0.5), runs, scale=1.0, correction=estimate)
    assert result.agreements == (verdict,)
    words = show_comparison.judged(result)
    assert ("smaller than the finite-size correction" in words) == (verdict is Agreement.UNDECIDED)
    assert ("agree at all times" in words) == (verdict is Agreement.AGREES)
    assert ("differ at 1" in words) == (verdict is Agreement.DIFFERS)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((None, None, None), []),
        ((None, -0.5, None), ["1 of 3 runs blow up, at t = -0.5"]),
        ((-2.0, None, 0.25), ["2 of 3 runs blow up, from t = 0.25 on, the last at t = -2"]),
    ],
)
def test_blow_ups_in_words(times: tuple[float | None, ...], words: list[str]) -> None:
    runs = replace(made([[1.0]] * 3, [0.0]), blow_up=times)
    assert show_simulation.blow_up_line(runs) == words


def test_curves_of_all_runs_in_words() -> None:
    runs = replace(made([[1.0, np.inf], [3.0, 0.25]], [0.0, 2.0]), finished=(0, 4))
    lines = [
        show_simulation.text("a problem", {"p": Fraction(2)}, runs, curves=curves).splitlines()
        for curves in (False, True)
    ]
    assert lines[0][:4] == [
        "a problem",
        "At p = 2",
        "2 runs, seed 3; DOP853 with relative tolerance 1e-08",
        "",
    ]
    plain, full = ([line.split() for line in part[4:]] for part in lines)
    assert plain == [
        ["t", "mean", "loss", "standard", "error"],
        ["0", "2", "1"],
        ["2", "-", "-"],
    ]
    assert [row[len(short) :] for row, short in zip(full, plain, strict=True)] == [
        ["run", "0", "run", "4"],
        ["1", "3"],
        ["-", "0.25"],
    ]
    assert len({len(line) for line in lines[1][4:]}) == 1, "columns are aligned"


def test_what_cannot_be_compared_is_refused() -> None:
    given = regimes(found().exponents.coefficients)
    name = next(iter(given)).name
    with pytest.raises(InvalidInputError) as error:
        compare_regime(given, name, at={}, times=[0.0])
    assert str(error.value) == (
        f"regime {name}: belongs to given coefficients; a simulation needs their problem"
    )
    data = regimes(tied_autoencoder(data=True), terms=4)
    at = dict(zip(("p", "H", "N", "sigma2"), map(Fraction, (9, 3, 3, 1)), strict=True))
    name = "small-data & narrow-latent"
    with pytest.raises(InvalidInputError) as error:
        compare_regime(data, name, at=at, times=[0.0, -100.0])
    assert str(error.value) == (
        f"regime {name}: the loss is too large for a floating point number; give times closer to 0"
    )
    with pytest.raises(InvalidInputError) as error:
        FiniteSizeCorrection.of([])
    assert str(error.value) == "correction: has no coefficients; give at least that of s = 0"


def test_the_record_says_what_was_compared() -> None:
    result = compare(theory, ensemble(4), scale=12.0)
    record = json.loads(json.dumps(comparison_record(result), allow_nan=False))
    assert record["runs"] == 4
    assert record["t"] == TIMES.tolist()
    assert record["theory"] == result.theory.tolist()
    assert record["correction"] == [None] * len(TIMES)
    np.testing.assert_allclose(record["relative_deviation"], result.deviation / 12.0)


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        (1, {"scale": 1.0}, "comparison with 1 run: the standard error needs two or more"),
        (2, {"scale": 0.0}, "scale 0.0: is not positive; give a positive number"),
        (2, {"scale": 1.0, "tolerance": -1.0}, "tolerance -1.0: is not positive"),
        (2, {"scale": 1.0, "standard_errors": np.inf}, "standard errors inf: is not positive"),
    ],
)
def test_refusals(runs: int, options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        compare(lambda t: t, made([[1.0]] * runs, [0.0]), **options)  # type: ignore[arg-type]
    assert str(error.value).startswith(message)


# --- the power of a verdict -----------------------------------------------------------------------

# The problem and regime, numbers inside it, times, and numbers of a neighbour.
SETTINGS = {
    "triangle": (cp(order=2, symmetric=True), "A-B-E", "24 16 1/24", (0.1, 0.2, 0.4), "1 16 1/24"),
    "narrow": (cp(order=2, symmetric=True), "E-A", "200 1 1/400", (0.2, 0.4, 0.8), "24 24 1/48"),
    "wide": (cp(order=2, symmetric=True), "B-E", "1 200 1/400", (0.2, 0.4, 0.8), "24 24 1/48"),
    "free": (
        cp(order=2, symmetric=True, target="zero"),
        "A-B",
        "24 16 1/24",
        (0.1, 0.2, 0.4),
        "1 1 1/2",
    ),
    "small": (cp(order=2, symmetric=True), "E", "400 1 1/80000", (0.1, 0.2, 0.3), "24 24 1/48"),
    "free-narrow": (
        cp(order=2, symmetric=True, target="zero"), "A", "200 1 1/200", (0.2, 0.5), "24 24 1/48",
    ),
    "kernel": (cp(order=2), "B-C", "8 800 1/160", (0.01, 0.03, 0.06), "12 12 1/24"),
    "mean-field": (cp(order=2), "C-D", "12 400 1/400", (0.1, 0.2, 0.4), "12 12 1/24"),
    "narrow-asymmetric": (cp(order=2), "E-A", "200 1 1/400", (0.2, 0.4, 0.8), "12 12 1/24"),
}  # fmt: skip


@cache
def setting(name: str) -> tuple[Regimes, str, dict[str, Fraction], np.ndarray, Trajectory]:
    problem, regime, at, times, _ = SETTINGS[name]
    numbers = dict(zip(("p", "H", "sigma2"), map(Fraction, at.split()), strict=True))
    t = np.array(times)
    runs = simulate(problem, at=numbers, times=t, runs=300, seed=3, rtol=1e-8)
    return regimes(problem, terms=5), regime, numbers, t, runs


def judged(name: str, change: Callable[[np.ndarray, float], np.ndarray]) -> Comparison:
    """A comparison with a solution that is changed: from losses and the constant to losses."""
    known, regime, at, _, runs = setting(name)
    evolution = solution(known, regime).at({"T": Fraction(1), **at})
    constant = float(target_constant(known, regime, at))
    return compare(
        lambda t: change(evolution(t), constant),
        runs,
        scale=natural_scale(known, regime, evolution),
        correction=finite_size_correction(known, regime, at, theory=evolution),
        kept=float(np.max(np.abs(evolution(runs.t) - constant))),
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_a_right_solution_agrees(name: str) -> None:
    result = judged(name, lambda loss, constant: loss)
    assert result.verdict is Agreement.AGREES, show_comparison.verdict(result)


@pytest.mark.parametrize("factor", [0.95, 1.05])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_solution_with_a_coefficient_that_is_off_by_a_twentieth_is_found_out(
    name: str, factor: float
) -> None:
    """What the solution adds to the loss of the zero model; and a rate that is off by half."""
    result = judged(name, lambda loss, constant: constant + factor * (loss - constant))
    assert result.verdict is Agreement.DIFFERS, show_comparison.verdict(result)
    known, regime, at, t, _ = setting(name)
    rate = 0.5 if factor < 1 else 1.5
    result = judged(name, lambda *_: solution(known, regime).at({"T": Fraction(1), **at})(rate * t))
    assert result.verdict is Agreement.DIFFERS, show_comparison.verdict(result)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_regime_at_the_numbers_of_its_neighbour_does_not_agree(name: str) -> None:
    known, regime, _, t, _ = setting(name)
    neighbour = map(Fraction, SETTINGS[name][-1].split())
    at = dict(zip(("p", "H", "sigma2"), neighbour, strict=True))
    try:
        result = compare_regime(known, regime, at=at, times=list(t), runs=60, rtol=1e-6)
    except InvalidInputError:  # the solution itself is refused there
        return
    assert not result.holds, show_comparison.verdict(result)
