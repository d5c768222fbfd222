"""The command line of problems that something else drives than their loss."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from diagflow.checking.exact import check_counters
from diagflow.checking.findings import Verdict
from diagflow.report.article import article
from expansion.models import cp
from expansion.regimes import regimes
from expansion.series import loss_series
from expansion.series_records import read_series
from tests.command import ROOT, Run

SYM = ("cp", "--order", "2", "--symmetric")
DECAY = ("--flow", "train + lambda*weight-norm")


def test_every_word_reaches_the_problem(run: Run) -> None:
    status, out, err = run(
        *("expand", "cp", "--order", "2", *DECAY, "--rate", "U1=eta", "--rate", "U2 = 2/H"),
        *("--temperature", "tau", "--implicit", "1/4", "--terms", "1", "--format", "json"),
    )
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record["flow"] == "train + lambda*weight-norm"
    assert record["rates"] == {"U1": "eta", "U2": "2/H"}
    assert (record["temperature"], record["implicit"]) == ("tau", "1/4")
    problem = cp(order=2).driven_by(
        "train + lambda*weight-norm",
        rates={"U1": "eta", "U2": "2/H"},
        temperature="tau",
        implicit="1/4",
    )
    assert read_series(record["coefficients"])[1] == loss_series(problem)[1]


def test_steps(run: Run) -> None:
    status, out, _ = run("expand", *SYM, "--steps", "1", "--step-size", "eta", "--format", "json")
    assert status == 0
    record = json.loads(out)
    assert record["time"] == "discrete" and record["step"] == "eta"
    assert [len(entry["terms"]) for entry in record["coefficients"]] == [5, 124]


def test_options_add_to_what_a_file_says(run: Run) -> None:
    path = str((ROOT / "examples" / "driven.toml").relative_to(ROOT))
    status, out, _ = run("expand", path, "--rate", "V=3", "--terms", "0")
    assert status == 0
    assert out.startswith(
        "two layers with decay flow=train + lambda*weight-norm rate=U:eta rate=V:3\n"
    )
    status, out, _ = run("expand", path, "--flow", "train", "--terms", "0")
    assert out.startswith("two layers with decay rate=U:eta\n")


def test_a_simulation_counts_its_steps(run: Run) -> None:
    given = ("simulate", *SYM, "--step-size", "eta", "--at", "p=3,H=2,sigma2=0.1,eta=0.1")
    status, out, _ = run(*given, "--steps", "2", "--format", "csv")
    assert status == 0
    assert [line.split(",")[0] for line in out.splitlines()] == ["t", "0.0", "1.0", "2.0"]
    assert out == run(*given, "--times", "0:2:3", "--format", "csv")[1]
    status, out, _ = run(*given, "--steps", "0", "--format", "csv")
    assert status == 0 and len(out.splitlines()) == 2
    for wrong, said in (
        (("--steps", "2", "--times", "0:4:5"), "--steps 2 and --times 0:4:5"),
        (("--steps", "-1"), "--steps -1: is a number of steps"),
    ):
        status, out, err = run(*given, *wrong)
        assert (status, out) == (2, "") and said in err
    status, out, err = run("simulate", *SYM, "--at", "p=3,H=2,sigma2=0.1", "--steps", "2")
    assert (status, out) == (2, "") and "give --step-size too" in err


def test_a_simulation_of_steps_and_of_noise(run: Run) -> None:
    at = ("--at", "p=3,H=2,sigma2=0.1,eta=0.1")
    status, out, _ = run("simulate", *SYM, "--step-size", "eta", *at, "--times", "0:2:3")
    assert status == 0 and "gradient descent" in out
    at = ("--at", "p=3,H=2,sigma2=0.1,tau=0.1")
    status, out, _ = run(
        "simulate", *SYM, "--temperature", "tau", *at, "--times", "0:1:2", "--format", "json"
    )
    assert status == 0
    assert json.loads(out)["method"] == "euler"


def test_the_check_takes_the_oracle_along(run: Run) -> None:
    status, out, _ = run(
        "check", *SYM, *DECAY, "--quick", "--no-simulations", "--max-seconds", "20"
    )
    assert status == 0
    assert "oracle: up to Y_" in out


@pytest.mark.parametrize("command", ["derive", "solve"])
def test_no_regime_of_the_plain_flow(run: Run, command: str) -> None:
    at = ("--at", "p=64,H=32,sigma2=1/64,lambda=1/2") if command == "solve" else ()
    status, _, err = run(command, *SYM, *DECAY, "--terms", "3", "--regime", "A-B-E", *at)
    assert status == 2
    assert "'A-B-E': this problem does not have it" in err


def test_a_report_tells_the_motion() -> None:
    from diagflow.report.problem import problem_section

    driven = cp(order=2).driven_by("train + lambda*weight-norm", rates={"U1": "eta"}, implicit="h")
    section = problem_section(driven)
    assert r"\frac{du}{dt} = -\frac{r_u}{T} \frac{\partial P}{\partial u} ." in section
    assert r"The potential $P$ is \texttt{train + lambda*weight-norm}, to which" in section
    assert r"The rates $r_u$ are $\eta$ for \texttt{U1}, and 1 otherwise." in section
    ball = problem_section(cp(order=2).driven_by(momentum="gamma"))
    assert r"T^2 \frac{d^2u}{dt^2} = -\gamma T \frac{du}{dt} - \frac{\partial L}" in ball
    step = problem_section(cp(order=2).driven_by(step="eta"))
    assert r"u \leftarrow u - \eta \frac{\partial L}{\partial u}" in step


def test_a_map_of_steps_and_what_needs_a_flow(run: Run) -> None:
    steps = ("--step-size", "eta")
    status, out, _ = run("regimes", *SYM, *steps, "--steps", "1")
    assert status == 0
    assert "29 regimes, from Y_0 ... Y_1\nExact, for 1 step and the start; T counts steps." in out
    status, _, err = run("regimes", *SYM, *steps)
    assert status == 2 and "give the number of steps, such as --steps 1" in err
    status, _, err = run("regimes", *SYM, *steps, "--steps", "1", "--terms", "1")
    assert status == 2 and "--steps 1 and --terms 1: are the same number" in err
    status, _, err = run("derive", *SYM, *steps, "--regime", "V1")
    assert status == 2 and "derive cp order=2" in err and "use expand --steps" in err


def test_exact_means_of_steps_against_runs(run: Run) -> None:
    at = ("--at", "p=3,H=2,sigma2=1/10,eta=1/20")
    command = ("compare", *SYM, "--step-size", "eta", *at, "--runs", "300", "--format", "json")
    status, out, err = run(*command, "--steps", "1")
    assert status == 0, err
    record = json.loads(out)
    assert record["t"] == [0.0, 1.0] and record["verdict"] == "agrees"
    exact = loss_series(cp(order=2, symmetric=True).driven_by(step="eta"))[1]
    values = {"p": 3, "H": 2, "sigma2": Fraction(1, 10), "eta": Fraction(1, 20)}
    assert record["theory"][1] == pytest.approx(float(exact.evaluate(**values)))
    for more, message in (
        ((), "its time is discrete; give the number of steps, such as --steps 1"),
        (("--steps", "1", "--regime", "V1"), "in discrete time exact means are compared"),
    ):
        status, _, err = run(*command, *more)
        assert status == 2 and message in err


def test_tensors_that_are_drawn_anew(run: Run) -> None:
    data = ("tied-autoencoder", "--data", "--step-size", "eta", "--resample", "X")
    status, out, _ = run("expand", *data, "--steps", "0", "--format", "json")
    assert status == 0 and json.loads(out)["resample"] == ["X"]
    status, _, err = run("expand", *data, "--resample", "W", "--steps", "0")
    assert status == 2 and "resample W: is no fixed random tensor of this problem" in err


BAD = {
    "--rate U": "--rate U: is not a tensor with its rate; write for example W=eta",
    "--rate W=eta": "rate of W: there is no learnable tensor of this name; give rates to U",
    "--steps 2": "--steps 2: time is continuous here; give --step-size too, such as eta",
    "--temperature T": "symbol T: stands for the inverse learning rate; choose another name",
    "--momentum gamma --step-size eta": "momentum and step: are different dynamics; give one",
    "--wide-ends": "--wide-ends: does not describe cp, which takes --order, --symmetric",
}


@pytest.mark.parametrize("options", sorted(BAD))
def test_what_is_refused(run: Run, options: str) -> None:
    status, out, err = run("expand", *SYM, *options.split())
    assert (status, out) == (2, "")
    assert BAD[options] in err
    assert err.count("\n") == 1


def test_the_terms_of_inertia_are_drawn_and_counted(run: Run, tmp_path: Path) -> None:
    figure = tmp_path / "terms.svg"
    ball = (*SYM, "--momentum", "gamma")
    status, _, err = run("draw", *ball, "--what", "terms", "--terms", "2", "--output", str(figure))
    assert status == 0 and figure.exists(), err
    found = check_counters(cp(order=2, symmetric=True).driven_by(momentum="gamma"), terms=3)
    assert found.verdict is Verdict.PASSED
    status, _, err = run(
        *("draw", *SYM, "--step-size", "eta", "--what", "terms", "--terms", "1"),
        *("--output", str(figure)),
    )
    assert status == 2 and "are drawn for flows without finite steps; draw those" in err


def test_a_report_of_steps_has_means_and_a_map(run: Run, tmp_path: Path) -> None:
    """There is no series to sum; the exact means are the coefficients."""
    stepping = (*SYM, "--step-size", "eta", "--steps", "0")
    folder = tmp_path / "report"
    status, _, err = run("report", *stepping, "--output", str(folder))
    assert status == 0 and "Time is discrete" in (folder / "main.tex").read_text(), err
    text = article(regimes(cp(order=2, symmetric=True).driven_by(step="eta"), terms=1))
    assert r"Time is discrete: $Y_s = \mathbb{E}[L_s]$ is the exact mean after $s$ steps" in text
    assert "Learning regimes" in text and "Loss evolution" not in text
    status, _, err = run("report", *SYM, "--steps", "1", "--output", str(folder))
    assert status == 2 and "--steps 1: time is continuous here" in err
