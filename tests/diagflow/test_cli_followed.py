"""--loss, --observable and --cumulant: one meaning in every command."""

import json
import math

import pytest

from tests.command import Run

SYM = ("cp", "--order", "2", "--symmetric")
AT = ("--at", "p=16,H=16,sigma2=1/16")
EARLY = ("--times", "0:0.01:2")

COMMANDS: dict[str, tuple[str, ...]] = {
    "expand": ("--terms", "1"),
    "regimes": ("--terms", "4"),
    "derive": ("--terms", "2", "--regime", "A-B-E"),
    "solve": ("--terms", "4", "--regime", "A-B-E", *AT, *EARLY),
    "simulate": (*AT, *EARLY, "--runs", "3"),
    "compare": (
        "--terms",
        "4",
        "--regime",
        "A-B-E",
        *AT,
        *EARLY,
        "--runs",
        "3",
        "--tolerance",
        "1",
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_both_options_mean_the_same(run: Run, command: str) -> None:
    answers = [
        run(command, *SYM, *COMMANDS[command], option, "weight-norm", "--format", "json")
        for option in ("--loss", "--observable")
    ]
    assert answers[0] == answers[1] and answers[0][0] == 0
    plain = run(command, *SYM, *COMMANDS[command], "--format", "json")
    assert plain[0] == 0 and plain[1] != answers[0][1]


@pytest.mark.parametrize("command", ["expand", "regimes", "derive", "solve", "simulate"])
def test_a_cumulant_of_an_expression(run: Run, command: str) -> None:
    words = ("--observable", "weight-norm - train", "--cumulant", "2")
    times = ("--times", "0:0.001:2") if command == "solve" else ()
    status, out, err = run(command, *SYM, *COMMANDS[command], *words, *times)
    assert status == 0, err
    assert command == "solve" or "cumulant(weight-norm - train, 2)" in out


def test_the_norm_is_what_its_hierarchy_says(run: Run) -> None:
    """|W|^2/2 is half the first core."""
    status, out, _ = run("derive", *SYM, *COMMANDS["derive"], "--observable", "weight-norm")
    assert status == 0
    assert "Leading part of the observable\n  L = 1/2 c1\n" in out


def test_the_variance_is_derived_from_fluctuations(run: Run) -> None:
    """Wide weights: L = p (1 - a)^2/2, p a = c1, and Cov(c1, c1) = 2 p H sigma^4."""
    words = ("derive", *SYM, "--regime", "B-E", "--cumulant", "2", "--terms", "1")
    status, out, _ = run(*words)
    assert status == 0
    assert "  Cov(c1, c1) = 2*p*H*sigma2**2\n" in out and "Certificate: equal for s = 0, 1" in out
    assert "V_0 ~ 2*p*H*sigma2**2 - 4*p*H**2*sigma2**3 + 2*p*H**3*sigma2**4\n" in out
    record = json.loads(run(*words, "--format", "json")[1])
    assert record["loss"] == "cumulant(train, 2)" and record["certificate"]["holds"]
    assert [c["s"] for c in record["coefficients"]] == [0, 1] and len(record["covariances"]) == 1
    assert r"\operatorname{Cov}(c_{1}, c_{1})" in run(*words, "--format", "latex")[1]
    status, out, _ = run("derive", *SYM, "--regime", "A-B-E", "--cumulant", "5")
    assert status == 2 and not out


def test_the_third_cumulant_is_derived_from_trees(run: Run) -> None:
    words = ("derive", *SYM, "--regime", "E", "--cumulant", "3", "--terms", "1")
    status, out, _ = run(*words)
    assert status == 0 and "K3 = sum over cores of" in out
    assert "  K_0 ~ -8*p*H*sigma2**3\n  K_1 ~ -96*p*H*sigma2**3\n" in out
    assert json.loads(run(*words, "--format", "json")[1])["certificate"]["holds"]
    assert r"K_{1} &\sim -96" in run(*words, "--format", "latex")[1]


def test_a_report_of_a_variance(run: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "report"
    status, _, err = run(
        *("report", *SYM, "--cumulant", "2", "--terms", "4", "--no-simulations"),
        *("--output", str(folder)),
    )
    assert status == 0, err
    text = (folder / "main.tex").read_text(encoding="utf-8")
    assert r"Here $L$ is \texttt{cumulant(train, 2)}." in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--loss", "train", "--observable", "ntk-trace"), "--loss and --observable: name one"),
        (("--observable", "trane"), "loss 'trane': cp has no such loss or observable; choose one"),
        (("--cumulant", "0"), "cumulant 0: "),
        (("--cumulant", "7"), "cumulant 7: "),
        (("--observable", "merge(train"), "formula 'merge(train': has the end in column 12"),
    ],
)
@pytest.mark.parametrize("command", ["expand", "simulate"])
def test_what_is_refused(run: Run, command: str, words: tuple[str, ...], message: str) -> None:
    status, out, err = run(command, *SYM, *COMMANDS[command], *words)
    assert (status, out) == (2, "") and message in err and err.count("\n") == 1


def test_correlators(run: Run) -> None:
    status, out, _ = run("correlators", "mlp-linear", "--depth", "3", "--format", "json")
    assert status == 0
    record = json.loads(out)
    assert {row["conjectured"] for row in record["correlators"]} == {"0", "-1", "-2"}
    status, out, _ = run("correlators", "mlp-linear", "--format", "latex")
    assert status == 0 and r"$\mathbb{E}[f  \cdot  \Theta  \star f]$" not in out
    assert r"\Theta" in out and out.count("\\\\\n") == 11
    status, out, err = run("correlators", "cp")
    assert status == 2 and "its model has 3 open indices" in err


def test_what_is_zero_at_first_has_a_solution_and_a_scale(run: Run) -> None:
    """The output of a network has no mean at the start; it is compared with runs all the same."""
    words = ("mlp-linear", "--terms", "5", "--observable", "f", "--regime", "V1")
    at = ("--at", "H=64,sigma2=1,c=1/8,y=8", "--times", "0:0.1:2")
    done = run("solve", *words, *at, "--format", "csv")
    assert done.code == 0
    last = float(done.out.splitlines()[-1].split(",")[1])
    assert abs(last - 8 * math.sinh(0.2)) < 1e-9  # H c sigma2 sinh(2 c y t)
    compared = run("compare", *words, *at, "--runs", "10")
    assert compared.code == 3 and "correction" in compared.out
