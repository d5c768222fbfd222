"""The engine against every reference record, term by term."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from expansion.models import cp, tied_autoencoder
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series import LossSeries, loss_series
from expansion.series_records import read_series
from tests.command import Run

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
RECORDS = sorted(REFERENCE.glob("cp_order*.json"))
IDS = [path.stem for path in RECORDS]

Terms = dict[tuple[tuple[str, int], ...], Fraction]


def read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def problem_of(record: dict[str, Any]) -> Problem:
    assert record["family"] == "cp"
    return cp(order=record["order"], symmetric=record["symmetric"], target=record["target"])


def terms_of(entries: list[dict[str, Any]]) -> Terms:
    """The terms of a record, read without the project's own reader."""
    found: Terms = {}
    for entry in entries:
        powers = tuple(sorted((n, k) for n, k in entry["exponents"].items() if k))
        assert powers not in found
        found[powers] = Fraction(entry["coefficient"])
    return found


def test_all_records_are_here() -> None:
    names = [f"cp_order{order}_{family}" for order in (2, 3, 4) for family in ("asym", "sym")]
    assert names == IDS


@pytest.mark.parametrize("path", RECORDS, ids=IDS)
def test_the_series_has_exactly_the_terms_of_the_record(path: Path) -> None:
    record = read(path)
    series = loss_series(problem_of(record))
    for s, entry in enumerate(record["coefficients"]):
        assert entry["s"] == s
        assert dict(series[s].terms) == terms_of(entry["terms"]), f"s={s}"


@pytest.mark.parametrize("path", RECORDS, ids=IDS)
def test_a_record_is_read_as_the_series(path: Path) -> None:
    record = read(path)
    series = loss_series(problem_of(record))
    expected = read_series(record["coefficients"])
    assert [series[s] for s in range(len(expected))] == list(expected)


@pytest.mark.parametrize("path", RECORDS, ids=IDS)
def test_the_command_line_prints_the_record(path: Path, run: Run) -> None:
    """`diagflow expand --format json`: same keys after the version, same options, same terms."""
    record = read(path)
    terms = len(record["coefficients"]) - 1
    family = "--symmetric" if record["symmetric"] else "--asymmetric"
    arguments = ["expand", "cp", "--order", str(record["order"]), family]
    arguments += ["--target", record["target"], "--terms", str(terms), "--format", "json"]
    done = run(*arguments)
    assert done.code == 0
    printed = json.loads(done.out)
    assert printed.pop("schema_version") == 1
    assert list(printed) == ["family", "order", "symmetric", "target", "coefficients"]
    for key in ("family", "order", "symmetric", "target"):
        assert printed[key] == record[key]
        assert type(printed[key]) is type(record[key])
    for mine, given in zip(printed["coefficients"], record["coefficients"], strict=True):
        assert list(mine) == ["s", "terms"]
        assert mine["s"] == given["s"]
        assert all(isinstance(term["coefficient"], str) for term in mine["terms"])
        assert terms_of(mine["terms"]) == terms_of(given["terms"])


def test_the_examples_of_the_theory() -> None:
    """E[D_4] and E[D_6] of the symmetric model, and the first Pareto terms of odd order."""
    zero = loss_series(cp(order=2, symmetric=True, target="zero"))[0]
    assert zero * 2 == Polynomial.parse("p**2*H*sigma2**2 + p*H**2*sigma2**2 + p*H*sigma2**2")
    zero = loss_series(cp(order=3, symmetric=True, target="zero"))[0]
    assert zero * 2 == Polynomial.parse("p**3*H*sigma2**3 + 6*p**2*H*sigma2**3 + 8*p*H*sigma2**3")
    for order in (2, 3, 4, 5):
        zero = loss_series(cp(order=order, target="zero"))[0]
        assert zero * 2 == Polynomial.parse(f"p**{order}*H*sigma2**{order}")
    first = loss_series(cp(order=3, symmetric=True))[1]
    assert first.coefficient(p=1, H=1, sigma2=2) == -27
    assert first.coefficient(p=3, H=2, sigma2=5) == -27
    assert first.coefficient(p=5, H=1, sigma2=5) == -9


@pytest.mark.parametrize("loss", ["train", "population"])
def test_the_tied_autoencoder_on_finite_data(loss: str) -> None:
    """Both losses along the flow of the train loss, with negative powers of N."""
    record = read(REFERENCE / "tied_autoencoder_data.json")
    series = LossSeries(tied_autoencoder(data=True), loss=loss)
    assert record["family"] == series.problem.family
    for s, entry in enumerate(record[loss]):
        assert entry["s"] == s
        assert dict(series[s].terms) == terms_of(entry["terms"]), f"s={s}"
    assert len(series.known) == len(record[loss]) > 2
