"""Half-life, rate and exponent: exact on exact laws, with errors that cover what is simulated."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from diagflow import cp, fit, simulate, solve
from diagflow.fits import CurveFit, DecayLaw, fit_points, fit_record
from diagflow.schemas import schema
from diagrams.errors import InvalidInputError
from tests.command import Run

KERNEL = {"p": 100, "H": 10**7, "sigma2": 1e-4}


@given(
    st.floats(0.01, 100),
    st.floats(0.01, 10),
    st.floats(-5, 5),
    st.sampled_from([-1.0, 1.0]),
)
def test_an_exponential_is_found_in_any_units(
    rate: float, size: float, limit: float, sign: float
) -> None:
    t = np.linspace(0, 10 / rate, 300)
    found = fit_points(t, limit + sign * size * np.exp(-rate * t), limit=limit)
    assert found.law is DecayLaw.EXPONENTIAL
    assert found.rate is not None and found.half_life is not None
    assert found.rate.value == pytest.approx(rate, rel=1e-6)
    assert found.rate.error < 1e-5 * rate
    assert found.half_life.value == pytest.approx(math.log(2) / rate, rel=1e-6)


@given(st.floats(0.5, 4))
def test_a_power_law_is_found_between_late_times(power: float) -> None:
    t = np.concatenate([[0.0], np.geomspace(0.01, 1e4, 400)])
    found = fit_points(t, (1 + t) ** -power, limit=0, between=(1e2, 1e4))
    assert (
        found.law is DecayLaw.POWER and found.exponent is not None and found.half_life is not None
    )
    assert abs(found.exponent.value - power) < 3 * found.exponent.error + 1e-3
    assert found.half_life.value == pytest.approx(2 ** (1 / power) - 1, rel=1e-2)


def test_an_error_says_that_a_line_is_bent() -> None:
    t = np.linspace(0, 30, 600)
    bent = fit_points(t, np.exp(-t) + 0.02 * np.exp(-0.2 * t), limit=0)
    assert bent.rate is not None and bent.rate.error > 0.05 and bent.law is not DecayLaw.EXPONENTIAL


def test_a_solution_is_fitted_to_its_known_limit() -> None:
    loss = solve(cp(order=2), "C", at=KERNEL, terms=6)
    found = fit(loss)
    assert found.limit == 0 and found.law is DecayLaw.EXPONENTIAL
    assert found.rate is not None and found.rate.value == pytest.approx(4 * 10**7 * 1e-4)
    assert found.half_life is not None
    assert found.half_life.value == pytest.approx(math.log(2) / 4000, rel=1e-5)


def test_the_errors_of_an_ensemble_cover_another_one() -> None:
    at = {"p": 12, "H": 48, "sigma2": 1 / 24}
    times = [k / 40 for k in range(41)]
    few, many = (
        fit(simulate(cp(order=2), at=at, times=times, runs=runs, seed=seed, rtol=1e-6))
        for runs, seed in ((8, 1), (60, 2))
    )
    for name in ("half_life", "rate", "exponent"):
        one, other = getattr(few, name), getattr(many, name)
        assert one.error > 0 and abs(one.value - other.value) < 4 * (one.error + other.error)
    assert few.half_life is not None and many.half_life is not None
    assert few.half_life.error > many.half_life.error


def test_what_cannot_be_fitted_is_said() -> None:
    t = [0.0, 1.0, 2.0]
    with pytest.raises(InvalidInputError, match="increase from zero"):
        fit_points([0.0, 0.0], [1.0, 2.0], limit=0)
    with pytest.raises(InvalidInputError, match="is 1, its limit"):
        fit_points(t, [1.0, 0.5, 0.2], limit=1)
    few = fit_points(t, [1.0, 0.9, 0.8], limit=0)
    assert few == CurveFit(0) and "not reached" in str(few) and "too few times" in str(few)
    with pytest.raises(InvalidInputError, match="fit of str: is neither"):
        fit("curve")  # type: ignore[arg-type]
    resummed = solve(cp(order=2), "A-B", at={"p": 64, "H": 64, "sigma2": 1 / 64}, terms=6)
    if resummed.limit() is None:
        with pytest.raises(InvalidInputError, match="is not known; give limit"):
            fit(resummed)
    assert fit(resummed, limit=0).limit == 0


def test_a_single_run_has_the_errors_of_its_lines_only() -> None:
    at = {"p": 8, "H": 32, "sigma2": 1 / 16}
    runs = simulate(cp(order=2), at=at, times=[k / 40 for k in range(41)], runs=1, seed=1)
    found = fit(runs)
    assert found.half_life is not None and found.half_life.error == 0


def test_the_command_line_prints_fits(run: Run) -> None:
    at = ("--at", "p=100,H=10000000,sigma2=1/10000")
    command = ("solve", "cp", "--order", "2", "--terms", "4", "--regime", "C", *at)
    done = run(*command, "--times", "0:0.001:3", "--fit")
    assert "  rate       4000 +- 0\n" in done.out and "law        exponential" in done.out
    record = json.loads(run(*command, "--fit", "--format", "json").out)
    Draft202012Validator(schema("solve")).validate(record)
    assert record["fit"]["rate"]["value"] == pytest.approx(4000)
    assert run(*command, "--fit", "--format", "csv").code == 2
    assert "--limit: is that of a fit" in run(*command, "--limit", "1").err
    small = ("simulate", "cp", "--order", "2", "--at", "p=4,H=16,sigma2=1/8", "--runs", "2")
    done = run(*small, "--times", "0:2:41", "--fit", "--format", "json")
    record = json.loads(done.out)
    Draft202012Validator(schema("simulate")).validate(record)
    assert record["fit"] == fit_record(
        fit(
            simulate(
                cp(order=2),
                at={"p": 4, "H": 16, "sigma2": 1 / 8},
                times=[k / 20 for k in range(41)],
                runs=2,
            )
        )
    )
