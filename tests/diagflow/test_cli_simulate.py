"""The commands simulate and compare: records, files, refusals, interrupts, exit statuses."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diagflow.simulation import Trajectory, simulate
from expansion.models import cp
from pde.solving import solve
from tests.command import ENVIRONMENT, Run

pytestmark = pytest.mark.usefixtures("folder")

SYM = ("cp", "--order", "2", "--symmetric")
NUMBERS = "p=16,H=8,sigma2=1/16"


def test_simulate_prints_the_record_of_the_contract(run: Run) -> None:
    arguments = ("--at", NUMBERS, "--times=-0.1:0.5:4", "--runs", "3", "--seed", "9")
    done = run("simulate", *SYM, *arguments, "--format", "json")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    expected = simulate(
        cp(order=2, symmetric=True),
        at={"p": 16, "H": 8, "sigma2": 1 / 16},
        times=[-0.1, 0.1, 0.3, 0.5],
        runs=3,
        seed=9,
    )
    assert record["t"] == [-0.1, 0.1, 0.3, 0.5]
    np.testing.assert_allclose(record["mean"], expected.mean, rtol=1e-12)
    np.testing.assert_allclose(record["standard_error"], expected.standard_error, rtol=1e-9)
    assert (record["runs"], record["seed"]) == (3, 9)
    assert record["blow_up"] == [None] * 3
    assert run("simulate", *SYM, *arguments, "--format", "json").out == done.out


def test_simulate_as_csv_with_the_curve_of_every_run(run: Run) -> None:
    done = run("simulate", *SYM, "--at", NUMBERS, "--runs", "2", "--format", "csv", "--curves")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == 11
    assert list(rows[0]) == ["t", "mean", "standard_error", "run_0", "run_1"]
    for row in rows:
        assert float(row["mean"]) == pytest.approx((float(row["run_0"]) + float(row["run_1"])) / 2)


def test_simulate_with_euler_and_a_blow_up(run: Run) -> None:
    done = run(
        "simulate", "cp", "--order", "2", "--symmetric", "--at", "p=2,H=9,sigma2=4",
        "--times=-3:0:2", "--runs", "2", "--method", "euler", "--step", "0.001",
    )  # fmt: skip
    assert done.code == 0
    assert "Euler with step 0.001" in done.out
    assert "2 of 2 runs blow up, from t = -0.0" in done.out
    assert done.out.splitlines()[-2].split()[1:] == ["-", "-"]


def test_simulate_records_another_loss_on_request(run: Run) -> None:
    numbers = ("--at", "p=3,H=2,N=4,sigma2=1/10", "--times", "0:1:3", "--runs", "2")
    curves = {}
    for loss in ("train", "population"):
        done = run(
            "simulate", "tied-autoencoder", "--data", *numbers, "--loss", loss, "--format", "json"
        )  # fmt: skip
        record = json.loads(done.out)
        assert record["problem"].endswith(f", {loss}")
        curves[loss] = record["mean"]
    assert not np.allclose(curves["train"], curves["population"])
    done = run("simulate", *SYM, "--at", NUMBERS, "--loss", "test")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("diagflow: error: loss 'test': cp has no such loss or observable; ")


def test_compare_agrees_and_says_with_what(run: Run) -> None:
    numbers = ("--at", NUMBERS, "--times", "0:1:6", "--runs", "300")
    done = run(
        "compare", *SYM, "--regime", "A-B-E", *numbers, "--terms", "5", "--format", "json"
    )  # fmt: skip
    assert done.code == 0, done.err
    record = json.loads(done.out)
    theory = solve(
        cp(order=2, symmetric=True), "A-B-E", at={"p": 16, "H": 8, "sigma2": 1 / 16}, terms=4
    )
    np.testing.assert_allclose(record["theory"], theory(np.array(record["t"])), rtol=1e-12)
    assert record["holds"] is True
    assert record["agrees"] == [True] * 6
    assert record["verdicts"] == ["agrees"] * 6
    assert record["verdict"] == "agrees"
    assert record["scale"] == 8.0
    assert record["correction"][0] == pytest.approx(0.5 * 16 * 8 / 16**2)
    ensemble = json.loads(run("simulate", *SYM, *numbers, "--format", "json").out)
    assert record["mean"] == ensemble["mean"]


def test_compare_exits_with_1_when_theory_and_simulation_differ(run: Run) -> None:
    """The kernel limit where it does not hold: the model is far from wide enough."""
    done = run(
        "compare", "cp", "--order", "3", "--regime", "C", "--at", "p=6,H=12,sigma2=1/20",
        "--times", "0:8:5", "--runs", "6", "--tolerance", "0.05", "--terms", "4",
    )  # fmt: skip
    assert done.code == 1
    assert "BEYOND standard errors and the tolerance of 5%" in done.out
    assert done.err.splitlines()[-1].startswith("diagflow: Largest deviation ")
    assert any(line.endswith("  !") for line in done.out.splitlines())


@pytest.mark.parametrize("extension", ["svg", "pdf", "png"])
def test_compare_draws_a_figure_and_writes_its_numbers(
    run: Run, tmp_path: Path, extension: str
) -> None:
    done = run(
        "compare", *SYM, "--regime", "A-B-E", "--at", NUMBERS, "--times", "0:1:6", "--runs", "4",
        "--terms", "5", "--tolerance", "0.1", "--plot", f"figure.{extension}", "--format", "csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "figure.csv").read_text(encoding="utf-8") == done.out
    assert (tmp_path / f"figure.{extension}").stat().st_size > 3000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["figure.csv", f"figure.{extension}"]
    )
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [float(row["t"]) for row in rows] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("simulate", *SYM), "simulate: --at is missing; see 'diagflow simulate --help'"),
        (
            ("simulate", *SYM, "--at", "p=4,H=2,sigma2=-1"),
            "variance sigma2=-1: is negative; give 0 or more",
        ),
        (
            ("simulate", *SYM, "--at", "p=4.5,H=2,sigma2=1"),
            "size p=9/2: is not a positive integer; give 1 or more",
        ),
        (
            ("simulate", *SYM, "--at", "p=4,sigma2=1"),
            "symbol H: has no value; give it, for example H=1",
        ),
        (
            ("simulate", *SYM, "--at", NUMBERS, "--runs", "0"),
            "runs 0: is not an integer of at least 1; give 1 or more",
        ),
        (
            ("simulate", *SYM, "--at", NUMBERS, "--method", "euler"),
            "step None: euler needs a positive length of time; give step",
        ),
        (
            ("compare", *SYM, "--at", NUMBERS),
            "compare: --regime is missing; see 'diagflow compare --help'",
        ),
        (
            ("compare", *SYM, "--regime", "A-B-E", "--at", NUMBERS, "--runs", "1"),
            "--runs 1: the standard error needs two or more; give more runs",
        ),
        (
            ("compare", *SYM, "--regime", "A-B-E", "--at", NUMBERS, "--plot", "figure.jpg"),
            "figure figure.jpg: its extension is not one of svg, pdf, png; rename it",
        ),
    ],
)
def test_refusals_are_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"diagflow: error: {message}\n"


def test_compare_of_an_interrupted_ensemble_says_what_was_compared(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any, runs: int, **options: Any) -> Trajectory:
        return replace(simulate(*given, runs=2, **options), interrupted=True)

    monkeypatch.setattr("diagflow.comparison.regime.simulate", interrupted)
    done = run(
        "compare", *SYM, "--regime", "A-B-E", "--at", NUMBERS, "--times", "0:1:3", "--runs", "7",
        "--terms", "5", "--format", "json",
    )  # fmt: skip
    assert done.code == 130
    record = json.loads(done.out)
    assert record["runs"] == 2 and record["interrupted"] is True
    assert done.err == "diagflow: interrupted: 2 of 7 runs were finished and are compared\n"


@pytest.mark.parametrize(
    ("limit", "code", "message"),
    [
        (None, 130, "interrupted: 1 of 7 runs was finished, and a comparison needs two"),
        (
            9.0,
            2,
            "error: budget: the comparison needs more than 9 seconds; 1 of 7 runs was finished, "
            "and a comparison needs two; raise --max-seconds",
        ),
    ],
)
@pytest.mark.parametrize("discrete", [False, True])
def test_compare_of_one_run_says_what_stopped_the_others(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    limit: float | None,
    code: int,
    message: str,
    discrete: bool,
) -> None:
    def interrupted(*given: Any, runs: int, **options: Any) -> Trajectory:
        found = simulate(*given, runs=1, **options)
        return replace(found, interrupted=True, limit=limit)

    place = "steps" if discrete else "regime"
    monkeypatch.setattr(f"diagflow.comparison.{place}.simulate", interrupted)
    what = (
        ("--step-size", "1/99", "--steps", "1")
        if discrete
        else ("--regime", "A-B-E", "--times", "0:1:3", "--terms", "5")
    )
    done = run("compare", *SYM, *what, "--at", NUMBERS, "--runs", "7")
    assert done == (code, "", f"diagflow: {message}\n")


def test_compare_warns_where_the_regime_neglects_more_than_it_keeps(run: Run) -> None:
    done = run(
        "compare", *SYM, "--regime", "E-A", "--at", "p=4,H=40,sigma2=1/4", "--times", "0:0:1",
        "--runs", "2", "--terms", "4", "--tolerance", "1000",
    )  # fmt: skip
    assert done.code == 0
    # 1/2 (p H^2 + p H) sigma^4 over 1/2 p - p H sigma^2 + 1/2 p^2 H sigma^4
    assert done.err.startswith("diagflow: warning: at these numbers regime E-A neglects about 11 ")


def test_a_regime_that_neglects_as_much_as_it_keeps_fails(run: Run) -> None:
    """Free evolution, where the loss of the zero model is 64 times the one it keeps."""
    done = run(
        "compare", "cp", "--order", "3", "--regime", "A", "--at", "p=64,H=64,sigma2=1/256",
        "--times", "0:1:3", "--runs", "2", "--terms", "4", "--format", "json",
    )  # fmt: skip
    assert done.code == 1
    record = json.loads(done.out)
    assert record["verdict"] == "differs"
    assert record["neglected"] == pytest.approx(64, rel=0.01)
    assert "neglects" in done.err


def test_what_cannot_be_judged_exits_with_3(run: Run) -> None:
    """Two coefficients leave the correction unknown beyond t = 0."""
    done = run(
        "compare", *SYM, "--regime", "A-B-E", "--at", "p=8,H=4,sigma2=1/8", "--times", "0:1:3",
        "--runs", "40", "--terms", "2", "--format", "json",
    )  # fmt: skip
    record = json.loads(done.out)
    assert (done.code, record["holds"], record["verdict"]) == (3, False, "cannot be judged")
    assert record["verdicts"][:2] == ["cannot be judged", "cannot be judged"]
    assert record["correction_error"][1:] == record["allowed"][1:] == [None, None]


def test_a_model_that_does_not_fit_is_refused_with_the_number(run: Run) -> None:
    done = run("simulate", *SYM, "--at", "p=1e6,H=1e6,sigma2=1e-6")
    assert done.code == 2
    assert "needs about 1.49e+05 GiB" in done.err


def test_help_has_two_examples(run: Run) -> None:
    for command in ("simulate", "compare"):
        done = run(command, "--help")
        assert done.code == 0
        assert len(re.findall(rf"^ *diagflow {command} ", done.out, re.MULTILINE)) >= 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_keeps_the_finished_runs(jobs: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-c",
        "import sys, diagflow.simulation.ensemble as e\n"
        "from diagflow.commands import ensemble\n"
        "from contextlib import contextmanager\n"
        "@contextmanager\n"
        "def counting(title, total):\n"
        "    yield lambda done, total: print('finished', done, file=sys.stderr, flush=True)\n"
        "ensemble.counting = counting\n"
        "if __name__ == '__main__':\n"
        "    from diagflow.cli import main\n"
        "    main()\n",
        "simulate", "cp", "--order", "3", "--at", "p=24,H=48,sigma2=1e-3", "--times", "0:40:3",
        "--runs", "5000", "--jobs", jobs, "--format", "json",
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("finished 3"):
            break
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    start = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 30
    assert process.returncode == 130
    record = json.loads(out)
    assert record["interrupted"] is True
    assert 3 <= record["runs"] < 5000
    assert all(np.isfinite(record["mean"]))
    assert "diagflow: interrupted: " in err
    assert "Traceback" not in err


# --- limits ---------------------------------------------------------------------------------------

ENDLESS = ("--times", "0:1000:2", "--rtol", "1e-13", "--at", "p=60,H=900,sigma2=1/100")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_limit_on_time_ends_a_run_that_does_not_end(run: Run, jobs: str) -> None:
    start = time.monotonic()
    arguments = (*ENDLESS, "--runs", "2", "--max-seconds", "2", "--jobs", jobs)
    done = run("simulate", "cp", "--order", "3", *arguments)
    assert time.monotonic() - start < 60
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "diagflow: error: budget: simulation of cp order=3 symmetric=false target=identity needs "
        "more than 2 seconds; raise --max-seconds\n"
    )


def test_a_limit_on_time_keeps_the_finished_runs(run: Run) -> None:
    arguments = ("--at", NUMBERS, "--times", "0:1:3", "--max-seconds", "4", "--runs")
    done = run("simulate", *SYM, *arguments, "100000", "--format", "json")
    assert done.code == 2
    record = json.loads(done.out)
    assert record["interrupted"] is True
    assert 0 < record["runs"] < 100_000
    assert done.err.startswith(
        "diagflow: error: budget: the simulation needs more than 4 seconds; "
    )
    whole = simulate(
        cp(order=2, symmetric=True),
        at={"p": 16, "H": 8, "sigma2": 1 / 16},
        times=[0.0, 0.5, 1.0],
        runs=record["runs"],
    )
    assert record["mean"] == whole.mean.tolist(), "as if so many had been asked for"
    few = run("simulate", *SYM, *arguments, "2", "--format", "json")
    assert (few.code, json.loads(few.out)["interrupted"]) == (0, False)


def test_a_comparison_has_one_limit_for_all_of_it(run: Run) -> None:
    arguments = ("--regime", "A-B-E", "--at", NUMBERS, "--times", "0:1:3", "--runs", "100000")
    done = run("compare", *SYM, *arguments, "--terms", "4", "--max-seconds", "6")
    assert done.code == 2
    assert "runs were finished and are compared; raise --max-seconds" in done.err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_limits_on_time_are_positive(run: Run, seconds: str) -> None:
    arguments = ("--at", NUMBERS, "--max-seconds", seconds)
    done = run("simulate", *SYM, *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "must be positive" in done.err


def test_without_times_a_comparison_ends_with_the_solution(run: Run) -> None:
    """The average over particles of a cubic potential exists for a short time only."""
    at = ("--at", "p=20,H=2,sigma2=1,T=1")
    words = ("cp", "--order", "3", "--symmetric", "--terms", "4", "--regime", "E", *at)
    found = run("compare", *words, "--runs", "2", "--format", "json")
    assert found.code in (0, 1, 3)
    times = json.loads(found.out)["t"]
    assert len(times) == 11 and times[0] == 0 and 0 < times[-1] < 1
    assert run("compare", *words, "--runs", "2", "--times", "0:1:3").code == 2
