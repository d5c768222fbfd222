"""``diagflow derive``: what it prints, and that a failed certificate is no success."""

import json

import pytest

from diagrams.generator import Generator
from expansion.series_records import read_polynomial
from tests.command import Run

pytestmark = pytest.mark.usefixtures("folder")

MEAN_FIELD = ("derive", "cp", "--order", "2", "--regime", "C-D")


def test_text_reads_like_a_derivation(run: Run) -> None:
    result = run(*MEAN_FIELD, "--terms", "3")
    assert result.code == 0
    assert "P = (-1) c1 + 1/2*p**-1 c1^2" in result.out
    assert "dc1/dtau = 2 c2 + (-2*p**-1) c2 c1" in result.out
    assert "variance of order" in result.out
    assert "Y_3 ~ -8*p*H*sigma2 - 32*p*H**3*sigma2**3" in result.out


def test_json_has_the_public_layout(run: Run) -> None:
    result = run(*MEAN_FIELD, "--terms", "20", "--format", "json")
    record = json.loads(result.out)
    assert result.code == 0
    assert record["regime"] == "C-D"
    assert record["kind"] == "finite"
    assert record["potential"][1]["coefficient"] == "1/2"
    assert record["potential"][1]["sizes"] == {"p": -1}
    assert len(record["potential"][1]["cores"]) == 2
    assert {"diagram", "scale"} <= set(record["cores"][0])
    assert [entry["s"] for entry in record["coefficients"]] == list(range(21))
    assert str(read_polynomial(record["coefficients"][2]["terms"])) == "8*p*H**2*sigma2**2"
    assert record["certificate"]["matched"] == list(range(9))


def test_a_loss_that_changes_by_less_than_its_size_is_derived_by_its_rate(run: Run) -> None:
    """The free vertex of symmetric order 3; Y_5 is beyond the map, and exact."""
    arguments = ("derive", "cp", "--order", "3", "--symmetric", "--regime", "B", "--terms", "5")
    record = json.loads(run(*arguments, "--format", "json").out)
    assert record["rate_of_change"] is True
    assert record["certificate"]["matched"] == [1, 2, 3, 4]
    values = [str(read_polynomial(entry["terms"])) for entry in record["coefficients"]]
    assert [entry["s"] for entry in record["coefficients"]] == list(range(6))
    assert (values[0], values[5]) == ("1/2*p**3*H*sigma2**3", "-11664*p**7*H**6*sigma2**13")
    assert "its rate of change, dL/dtau = " in run(*arguments).out


def test_latex_is_one_environment(run: Run) -> None:
    result = run(*MEAN_FIELD, "--terms", "2", "--format", "latex")
    assert result.code == 0
    assert result.out.count(r"\begin{align*}") == result.out.count(r"\end{align*}") == 1
    assert r"\frac{d c_{1}}{d\tau}" in result.out


def test_a_failed_certificate_ends_with_one_and_without_coefficients(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Generator.merged
    monkeypatch.setattr(Generator, "merged", lambda self, a, b: exact(self, a, b) * 2)
    result = run(*MEAN_FIELD, "--format", "json")
    assert result.code == 1
    assert "refused" in result.err
    record = json.loads(result.out)
    assert record["coefficients"] == []
    assert not record["certificate"]["holds"]
    assert record["certificate"]["failed"]


@pytest.mark.parametrize("arguments", [(), ("--regime", "Z"), ("--regime", "C-D", "--terms", "-1")])
def test_bad_input_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("derive", "cp", "--order", "2", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.count("\n") == 1
