"""Theory against simulation: corrections, verdicts and what they refuse."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from diagflow import show_comparison, show_simulation
from diagflow.compare import compare, comparison_record
from diagflow.finite_size import (
    FiniteSizeCorrection,
    finite_size_correction,
    neglected_coefficients,
)
from diagflow.regime_comparison import compare_regime
from diagflow.simulation import Trajectory, simulate
from diagrams.errors import InvalidInputError
from expansion.models import cp, tied_autoencoder
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


def test_the_correction_explains_the_deviation_of_a_small_model() -> None:
    """With it the deviation is noise; without it, it is many standard errors."""
    runs = ensemble(400)
    correction = finite_size_correction(found(), "A-B-E", AT)
    bare = compare(theory, runs, scale=12.0)
    assert not bare.holds
    value, error = correction.estimate(TIMES)
    known = error < 0.08 * abs(float(correction.coefficients[0]))
    assert np.count_nonzero(known & (TIMES > 0)) >= 6
    before = np.abs(bare.deviation / bare.standard_error)[known]
    after = (np.abs(bare.deviation - value) / bare.standard_error)[known]
    assert np.max(before) > 5
    assert np.max(after) < 3
    explained = compare(theory, runs, scale=12.0, correction=correction)
    assert explained.holds
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
    values = exact(t)
    known = np.isfinite(values)
    assert known[:4].all()
    assert not known[-1]
    np.testing.assert_allclose(values[known], 3 * np.exp(-2 * t[known]), rtol=0.1)
    allowance = exact.allowance(t)
    value, error = exact.estimate(t)
    np.testing.assert_allclose(allowance[known], (np.abs(value) + error)[known])
    assert np.all(np.abs(value - 3 * np.exp(-2 * t))[known] <= error[known] + 1e-15)
    assert allowance[-1] == pytest.approx(3)


def test_few_terms_tell_the_correction_at_the_start_only() -> None:
    correction = FiniteSizeCorrection.of([Fraction(-1, 2), Fraction(3)])
    assert np.isnan(correction([0.1])[0])
    assert correction([0.0])[0] == -0.5
    assert correction.allowance([0.0, 0.1, -2.0]).tolist() == [0.5, 0.5, 0.5]
    nothing = FiniteSizeCorrection.of([Fraction(0)] * 6)
    assert nothing([0.0, 5.0]).tolist() == [0.0, 0.0]


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
        "Largest deviation unbounded: runs have blown up: BEYOND standard errors and the expected "
        "finite-size correction at 1 of 2 times"
    )
    assert show_comparison.remaining(blown) == []
    quiet = made([[2.0, 4.0], [2.0, 4.0]], [0.0, 1.0])
    near = compare(lambda t: np.array([2.0, 3.9]), quiet, scale=2.0, tolerance=0.06)
    assert show_comparison.verdict(near) == (
        "Largest deviation 5% of 2: within standard errors and the tolerance of 6%"
    )
    assert show_comparison.remaining(near) == []
    few = FiniteSizeCorrection.of([Fraction(1, 2), Fraction(3)])
    corrected = compare(lambda t: np.array([1.25, 4.0]), quiet, scale=2.0, correction=few)
    assert show_comparison.remaining(corrected) == [
        "With the correction, at the 1 times where it is known: 12.5%"
    ]
    unknown = compare(lambda t: t, made([[1.0]] * 2, [1.0]), scale=1.0, correction=few)
    assert show_comparison.remaining(unknown) == []


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
