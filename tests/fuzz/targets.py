"""What is fuzzed: readers of texts, each with its property and texts to begin with.

A target reads bytes. A text is read, and then its own form reads back, or it is refused with a
`DiagflowError` whose message can be printed on one line. Anything else is a defect.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from diagflow.commands.values import parse_times, parse_values
from diagrams.diagram import Diagram
from diagrams.errors import DiagflowError
from diagrams.network import Network
from diagrams.tensors import Axis, Tensor
from expansion.formula_parser import read_formula
from expansion.polynomial import Polynomial
from expansion.problem_files.problem_file import read_problem_file
from expansion.series import Budget, LossSeries
from expansion.series_files import read_series_file
from expansion.targets import target_networks

__all__ = ["TARGETS", "Target"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Target:
    """A property of all bytes, and some bytes with which it holds."""

    holds: Callable[[bytes], None]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        """Check the property; a refusal in one line is what should happen to most bytes."""
        try:
            self.holds(data)
        except DiagflowError as error:
            message = str(error)
            assert message.isprintable(), f"more than one line: {message!r}"
            assert len(message) < 4_000, f"too long: {message!r}"


Value = TypeVar("Value")


def read_from(reader: Callable[[Path], Value], suffix: str, data: bytes) -> Value:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        return reader(path)


def problem_files(data: bytes) -> None:
    problem = read_from(read_problem_file, ".toml", data)
    assert problem.title.isprintable()
    coefficient = LossSeries(problem, budget=Budget(diagrams=50, seconds=1))[0]
    assert Polynomial.parse(str(coefficient)) == coefficient


def series_files(data: bytes) -> None:
    series = read_from(read_series_file, ".json", data)
    for polynomial in series:
        assert Polynomial.parse(str(polynomial)) == polynomial


def diagrams(data: bytes) -> None:
    diagram = Diagram.parse(text(data))
    assert Diagram.parse(str(diagram)) == diagram


def polynomials(data: bytes) -> None:
    polynomial = Polynomial.parse(text(data))
    assert Polynomial.parse(str(polynomial)) == polynomial


def formulas(data: bytes) -> None:
    read_formula(text(data), names=("identity", "zero"))
    target_networks(text(data), order=2)


def einsums(data: bytes) -> None:
    tensor = Tensor("W", (Axis("H"), Axis("p")), variance="sigma2")
    Network.einsum(text(data), tensor, tensor)


def values(data: bytes) -> None:
    for value in parse_values(text(data)).values():
        assert float(value) or not value


def times(data: bytes) -> None:
    # As many times as fit: the grid is long where the count is.
    if len(data) < 12:
        assert all(abs(t) <= 1e30 for t in parse_times(text(data)))


def text(data: bytes) -> str:
    """Any bytes as a text, single surrogates included."""
    try:
        return data.decode("utf-8", errors="surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def files(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(ROOT.glob(pattern)))


TARGETS: Mapping[str, Target] = {
    "problem-files": Target(problem_files, files("examples/*.toml")),
    "series-files": Target(series_files, files("tests/reference/cp_order2_*.json")),
    "diagrams": Target(
        diagrams,
        (
            b"weight W[H,p]~sigma2; W(H0,p0)^2 W(H1,p0)^2",
            b"axis first=1; pin e[first]; weight W[first,p]~1; e(first0) W(first0,p0) p1",
            b"modular plus[p,p,p]; gaussian X[p,N]~1; plus(p0,p1,p2) X(p0,N0)",
        ),
    ),
    "polynomials": Target(polynomials, (b"1/2*p - p*H*sigma2 + 3*p**2*H**-1*sigma2**2",)),
    "formulas": Target(formulas, (b"1/2*identity - 3 beta zero", b"W[k,i] * W[k,j] + 2 alpha")),
    "einsums": Target(einsums, (b"ki,kj->ij", b"ki,ki->")),
    "values": Target(values, (b"p=512,H=256,sigma2=2e-5,T=1/3",)),
    "times": Target(times, (b"0:2:50", b"-1:1/3:7")),
}
"""All targets by name."""
