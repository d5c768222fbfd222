"""Limits on time: what is inside is interrupted, the right limit is named, alarms come back."""

import contextlib
import signal
import threading
import time
import weakref
from typing import Any

import pytest

from diagflow.time_limit import OutOfTime, time_limit
from diagrams.errors import BudgetExceededError, InvalidInputError


def test_the_limit_that_is_over_first_ends_its_own_block() -> None:
    ended = []
    with pytest.raises(BudgetExceededError, match="outer"), time_limit(0.1, "outer"):
        with pytest.raises(BudgetExceededError, match="inner"), time_limit(0.02, "inner"):
            time.sleep(30)
        with time_limit(30, "longer"):
            try:
                time.sleep(30)
            except Exception:  # no error of the work inside
                ended.append("caught")
    assert ended == []
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_an_alarm_of_somebody_else_rings_when_it_should() -> None:
    rung: list[float] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with time_limit(0.1, "part"):
            pass
        with pytest.raises(BudgetExceededError), time_limit(0.05, "part"):
            time.sleep(30)
        time.sleep(0.25)
        assert len(rung) == 1
        assert rung[0] - start > 0.19
    finally:
        signal.signal(signal.SIGALRM, before)


def test_without_an_alarm_the_end_of_the_block_looks_at_the_clock() -> None:
    raised: list[str] = []

    def work() -> None:
        try:
            with time_limit(0.01, "part"):
                time.sleep(0.05)
        except BudgetExceededError as error:
            raised.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert raised == ["budget: part needs more than 0.01 seconds; raise --max-seconds"]


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_limits_are_positive(seconds: float) -> None:
    with pytest.raises(InvalidInputError, match="must be positive"), time_limit(seconds, "part"):
        pass


def test_no_limit_is_none() -> None:
    with time_limit(None, "part") as limit:
        assert limit.left is None
        limit.check()


def test_an_alarm_that_is_lost_rings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python swallows what is raised while it frees an object."""
    monkeypatch.setattr("diagflow.time_limit._AGAIN", 0.05)
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)

    class Lingering:
        def __del__(self) -> None:
            time.sleep(0.1)

    with pytest.raises(BudgetExceededError), time_limit(0.02, "part"):
        lingering = Lingering()
        del lingering
        time.sleep(30)


def test_no_alarm_outlives_its_block() -> None:
    """An alarm that rings while a block is entered or left must not leave the timer running."""
    for number in range(150):
        try:
            with time_limit(1e-4 * (1 + number % 7), "a short block"):
                for _ in range(200 * (number % 13)):
                    with contextlib.suppress(ValueError):
                        int("x")
        except BudgetExceededError:
            pass
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_limit_that_is_over_on_the_way_into_its_block_ends_it_soon() -> None:
    """Its alarm rings while the block is entered, where it may not raise."""
    for seconds in (1e-6, 1e-5, 1e-4):
        begun = time.monotonic()
        with pytest.raises(BudgetExceededError), time_limit(seconds, "sleep"):
            time.sleep(5)
        assert time.monotonic() - begun < 4


def test_an_alarm_inside_a_compiled_function_ends_the_limit() -> None:
    """Some return a result although the alarm raised: Python wraps it in a SystemError."""
    with (
        pytest.raises(BudgetExceededError, match="outer needs more"),
        time_limit(60, "outer") as outer,
        time_limit(30, "inner"),
    ):
        raise SystemError("returned a result with an exception set") from OutOfTime(outer)


def test_other_errors_of_the_system_are_not_taken_for_the_end_of_a_limit() -> None:
    with pytest.raises(SystemError, match="something else"), time_limit(60, "work"):
        raise SystemError("something else")


def test_an_alarm_in_a_finalizer_rings_again_instead_of_being_lost() -> None:
    code = "import sys\nframe = sys._getframe()"
    space: dict[str, Any] = {}
    exec(compile(code, weakref.__file__, "exec"), space)
    with time_limit(30, "a test"):
        ring = signal.getsignal(signal.SIGALRM)
        assert callable(ring)
        ring(signal.SIGALRM, space["frame"])  # raises nothing
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 1
