"""Work that is stopped half-way: what was done stays right, and the rest is done when asked again.

A tick that raises (a budget), Ctrl-C at a tick, and Ctrl-C between any two lines of the engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import diagrams
from diagrams.counting import double_factorial, wishart_moment
from diagrams.engine.arrays import contraction_table as contraction
from diagrams.engine.arrays import integration_by_parts as integration
from diagrams.engine.arrays import representation as arrays
from diagrams.engine.arrays.contraction_table import Combination, ContractionTable
from diagrams.engine.arrays.packing import Codes, Packing
from diagrams.engine.arrays.representation import ArrayRepresentation
from diagrams.engine.representation import Representation
from diagrams.engine.traces.representation import TraceRepresentation
from diagrams.flow import Flow, represent
from diagrams.sums import DiagramSum
from diagrams.wick import Expectation
from expansion.models import cp

ENGINE = str(Path(diagrams.__file__).parent)

Errors = pytest.mark.parametrize("error", [ArithmeticError, KeyboardInterrupt])


class Alarm:
    """A tick that counts its calls and what they report, and raises at one of them."""

    def __init__(self, error: type[BaseException] = ArithmeticError, at: int = 0) -> None:
        self.error = error
        self.at = at
        self.calls = 0
        self.reported = 0

    def __call__(self, added: int) -> None:
        self.calls += 1
        self.reported += added
        if self.calls == self.at:
            raise self.error


class Progress(Alarm):
    """An alarm that does not hear a tick that reports no work."""

    def __call__(self, added: int) -> None:
        if added:
            super().__call__(added)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tick after every diagram, and contract pair by pair."""
    monkeypatch.setattr(integration, "MATCHINGS", 1)
    monkeypatch.setattr(contraction, "_ROWS", 0)
    monkeypatch.setattr(arrays, "_ROWS", 1)
    monkeypatch.setattr(arrays, "_PORTION", 1)


# --- the table of contractions --------------------------------------------------------------------


def trace_rows(power: int) -> tuple[Packing, Codes]:
    """Tr (W W^T)^power as a packed row."""
    W = cp(2, symmetric=True).tensors[0]
    packing = Packing(represent(cp(2, symmetric=True).loss).blocks)
    assert [axis.name for axis in packing.axes] == ["H", "p"]
    assert packing.place(W) == (0, 0)
    pairs = [(j, (j + k) % power) for j in range(power) for k in (0, 1)]
    local = np.array([pairs], dtype=np.intp)
    kinds = np.zeros((1, len(pairs)), dtype=np.uint8)
    starts = packing.starts((power, power))
    return packing, packing.pack(local + packing.offsets(kinds, starts), kinds, starts)


def moment(table: ContractionTable, codes: Codes) -> dict[tuple[int, ...], int]:
    size = codes.shape[1]
    one = np.array([1], dtype=object)
    combination = Combination(size, table.add(codes), one, double_factorial(size - 1), (0, 0))
    [values] = table.evaluate([[combination]])
    return values


@Errors
@pytest.mark.parametrize("power", [3, 5])
@pytest.mark.usefixtures("small_steps")
def test_a_table_that_was_stopped_at_any_tick(power: int, error: type[BaseException]) -> None:
    """Stopped at the n-th tick, for every n, and continued: the same moments, no work twice."""
    packing, codes = trace_rows(power)
    whole = Progress()
    table = ContractionTable(packing, whole)
    expected = moment(table, codes)
    assert expected == wishart_moment(power)
    assert whole.calls == len(table) - 1 > 1, "one tick for each diagram but the empty one"
    for n in range(1, whole.calls + 1):
        alarm = Progress(error, n)
        stopped = ContractionTable(packing, alarm)
        with pytest.raises(error):
            moment(stopped, codes)
        assert alarm.calls == n
        assert moment(stopped, codes) == expected
        assert len(stopped) == len(table)
        assert (alarm.calls, alarm.reported) == (whole.calls, whole.reported)


@pytest.mark.usefixtures("small_steps")
def test_a_table_that_is_stopped_at_every_tick_gets_there() -> None:
    packing, codes = trace_rows(4)
    alarm = Progress()
    table = ContractionTable(packing, alarm)
    stops = 0
    while True:
        alarm.at = alarm.calls + 1
        try:
            values = moment(table, codes)
        except ArithmeticError:
            stops += 1
            assert stops < 1000, "no progress between two stops"
        else:
            break
    assert values == wishart_moment(4)
    assert stops == len(table) - 1


@pytest.mark.usefixtures("small_steps")
def test_another_question_between_stop_and_continuation() -> None:
    """Diagrams that come in after a stop do not take the numbers of those that wait."""
    packing, first = trace_rows(4)
    _, second = trace_rows(3)
    for n in range(1, 8):
        alarm = Progress(at=n)
        table = ContractionTable(packing, alarm)
        with pytest.raises(ArithmeticError):
            moment(table, first)
        assert moment(table, second) == wishart_moment(3)
        assert moment(table, first) == wishart_moment(4)


@Errors
@pytest.mark.usefixtures("small_steps")
def test_a_table_that_was_stopped_while_adding_up(error: type[BaseException]) -> None:
    """The ticks that report no work: adding up begins again, and nothing is expanded twice."""
    packing, codes = trace_rows(4)
    whole = Alarm()
    expected = moment(table := ContractionTable(packing, whole), codes)
    expanding = len(table) - 1
    assert whole.calls > expanding + 1
    for n in range(1, whole.calls + 1):
        alarm = Alarm(error, n)
        stopped = ContractionTable(packing, alarm)
        with pytest.raises(error):
            moment(stopped, codes)
        assert moment(stopped, codes) == expected
        assert alarm.reported == expanding
    assert alarm.calls > whole.calls


# --- flows ----------------------------------------------------------------------------------------

PROBLEMS = [
    pytest.param(ArrayRepresentation, cp(3, symmetric=True).loss, 1, id="arrays, sym 3"),
    pytest.param(ArrayRepresentation, cp(2).loss, 2, id="arrays, asym 2"),
    pytest.param(TraceRepresentation, cp(2).loss, 3, id="words, asym 2"),
    pytest.param(TraceRepresentation, cp(2, symmetric=True).loss, 4, id="words, sym 2"),
]


@Errors
@pytest.mark.parametrize(("kind", "loss", "terms"), PROBLEMS)
@pytest.mark.usefixtures("small_steps")
def test_a_flow_that_was_stopped_at_any_tick(
    kind: type[Representation[Any]], loss: DiagramSum, terms: int, error: type[BaseException]
) -> None:
    """Merging and contracting, in both representations, stopped at the n-th tick for every n."""
    whole = Alarm()
    expected = derivatives(Flow(loss, loss, represent_as(kind, loss, whole)), terms)
    assert whole.calls > 8
    for n in range(1, whole.calls + 1):
        flow = Flow(loss, loss, represent_as(kind, loss, Alarm(error, n)))
        with pytest.raises(error):
            derivatives(flow, terms)
        assert derivatives(flow, terms) == expected


def represent_as(
    kind: type[Representation[Any]], loss: DiagramSum, tick: Callable[[int], None]
) -> Representation[Any]:
    return kind(represent(loss).blocks, tick)


def derivatives(flow: Flow, terms: int) -> list[tuple[Expectation, int]]:
    return [(flow.expectation(s), flow.count(s)) for s in range(terms + 1)]


# --- between any two lines ------------------------------------------------------------------------


@contextmanager
def interrupted(at: int) -> Iterator[list[int]]:
    """Raise KeyboardInterrupt before the n-th line that the engine runs; count the lines."""
    lines = [0]

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(ENGINE):
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] == at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    ("kind", "order"),
    [(ArrayRepresentation, 3), (ArrayRepresentation, 2), (TraceRepresentation, 2)],
)
@pytest.mark.usefixtures("small_steps")
def test_a_flow_that_was_stopped_between_two_lines(
    kind: type[Representation[Any]], order: int
) -> None:
    """Ctrl-C comes anywhere, in the middle of a step too."""
    loss = cp(order).loss
    # The first run fills the caches of layouts, so that the later ones run the same lines.
    expected = derivatives(Flow(loss, loss, kind(represent(loss).blocks)), 1)
    flow = Flow(loss, loss, kind(represent(loss).blocks))
    with interrupted(0) as lines:
        assert derivatives(flow, 1) == expected
    stops = range(1, lines[0], max(1, lines[0] // 40))
    assert len(stops) >= 40
    for n in stops:
        flow = Flow(loss, loss, kind(represent(loss).blocks))
        with pytest.raises(KeyboardInterrupt), interrupted(n):
            derivatives(flow, 1)
        assert derivatives(flow, 1) == expected, f"stopped before line {n} of {lines[0]}"
