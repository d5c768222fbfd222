"""How long recorded steps would take on more workers: a simulation of the schedule.

The schedule is that of the engine itself: `diagrams.engine.steps.StepRunner` asks for steps, hands
them over and waits for results, exactly as it does with real workers. Only the executor that it is
given is virtual. It has a clock instead of processes: what the main process does takes the recorded
time, a worker takes the first of the steps that wait, and what travels takes the time of the
network.

Two workers, two steps of one second each that the main process needs half a second to make:

>>> steps = [TimedStep(making=0.5, seconds=1.0)] * 2
>>> schedule = simulate([TimedRound(steps)], workers=2)
>>> schedule.seconds, schedule.busy
(2.0, 2.0)

Both are handed over when the last is made, after one second; by one process it takes three.

Source: ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, cast

from diagrams.engine.steps import EngineStep, Merger, StepRunner

__all__ = ["AT_ONCE", "NetworkSpeed", "Schedule", "TimedRound", "TimedStep", "simulate"]


@dataclass(frozen=True, slots=True)
class TimedStep:
    """A step of the engine: seconds of processors, and bytes that travel.

    ``making`` and ``taking`` are what the main process does before it hands the step over and after
    it has the result; ``packing`` and ``unpacking`` are what it does besides if the step is done
    elsewhere. ``seconds`` is the step itself.
    """

    making: float = 0.0
    seconds: float = 0.0
    taking: float = 0.0
    packing: float = 0.0
    unpacking: float = 0.0
    sent: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class TimedRound:
    """Steps that do not depend on each other, and what the main process does before and after."""

    steps: Sequence[TimedStep]
    before: float = 0.0
    after: float = 0.0

    @property
    def serial(self) -> float:
        """Seconds of the main process, without what only distributing takes."""
        return self.before + self.after + sum(step.making + step.taking for step in self.steps)

    @property
    def parallel(self) -> float:
        """Seconds of the steps."""
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, slots=True)
class NetworkSpeed:
    """What connects the main process with all workers together.

    ``latency`` is in seconds for each way; ``bandwidth`` in bytes per second for each direction.
    """

    latency: float = 0.0
    bandwidth: float = inf


AT_ONCE = NetworkSpeed()
"""A network that takes no time."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What became of it: seconds from start to end, of the work of everybody, and bytes.

    ``busy`` is the work of all workers together, ``main`` that of the main process; ``under_way``
    is the largest number of hand-overs that were not back.
    """

    workers: int
    seconds: float
    busy: float
    main: float
    sent: int
    returned: int
    hand_overs: int
    under_way: int

    @property
    def use(self) -> float:
        """The share of the time that a worker works."""
        return self.busy / (self.workers * self.seconds) if self.seconds else 0.0


def simulate(
    rounds: Sequence[TimedRound],
    workers: int,
    *,
    cores: float = inf,
    others: float = 0.0,
    network: NetworkSpeed = AT_ONCE,
    envelope: int = 0,
    enveloping: float = 0.0,
) -> Schedule:
    """The schedule of some rounds, one after the other, on some workers.

    Parameters
    ----------
    rounds : sequence of TimedRound
    workers : int
        How many there are besides the main process.
    cores : float, optional
        Processors that all of them share, each as much as another; without it everyone has one.
    others : float, default 0
        How many more, who do other things, share them.
    network : NetworkSpeed, optional
    envelope : int, default 0
        Bytes that travel with every hand-over, whatever the steps.
    enveloping : float, default 0
        Seconds of the main process for them.

    Examples
    --------
    On one processor nothing is gained:

    >>> steps = [TimedStep(making=0.25, seconds=1.0, taking=0.25)] * 4
    >>> simulate([TimedRound(steps)], workers=3, cores=1).seconds
    6.0
    """
    clock = _Clock(workers, cores, others, network)
    executor = _VirtualExecutor(clock, envelope, enveloping)
    runner = StepRunner(executor)
    merger = Merger(cast(Any, None))  # it is handed over with the steps and never asked
    for one in rounds:
        clock.work(one.before)
        made = _made(one.steps, clock)
        with closing(runner.results(merger, made, lambda _: None)) as results:
            for step, _ in zip(one.steps, results, strict=True):
                clock.work(step.taking)
        clock.work(one.after)
    return Schedule(
        workers,
        clock.now,
        clock.busy,
        clock.main,
        executor.sent,
        executor.returned,
        executor.hand_overs,
        executor.most,
    )


def _made(steps: Sequence[TimedStep], clock: _Clock) -> Iterator[EngineStep[None]]:
    for step in steps:
        clock.work(step.making)
        yield _VirtualStep(step)


@dataclass(frozen=True, slots=True)
class _VirtualStep(EngineStep[None]):
    """A step of which only the time is known."""

    timed: TimedStep

    name = "virtual"

    def carry_out(self, merger: Any) -> None:
        raise NotImplementedError("a virtual step is never done here")

    def to_bytes(self) -> bytes:
        raise NotImplementedError("a virtual step is never kept")

    @staticmethod
    def result_to_bytes(result: None) -> bytes:
        raise NotImplementedError("a virtual step is never kept")

    @staticmethod
    def result_from_bytes(data: bytes) -> None:
        raise NotImplementedError("a virtual step is never kept")


@dataclass(slots=True, eq=False)
class _HandOver:
    """Steps on their way: when their result is back is known when a worker has ended."""

    seconds: float
    returned: int
    arrives: float
    back: float | None = None


class _Clock:
    """The time of a main process, of workers that take the first that waits, and of a network.

    All who work have the same share of the processors. So an amount of work that everybody has done
    tells when somebody ends: at the amount at which he began, and his own.
    """

    def __init__(self, workers: int, cores: float, others: float, network: NetworkSpeed) -> None:
        self.now = 0.0
        self.busy = 0.0
        self.main = 0.0
        self._workers = workers
        self._cores = cores
        self._others = others
        self._network = network
        self._each = 0.0
        self._ends: list[tuple[float, int, _HandOver]] = []
        self._order = count()
        self._travelling: deque[_HandOver] = deque()
        self._waiting: deque[_HandOver] = deque()
        self._way_there = 0.0
        self._way_back = 0.0

    def hand_over(self, seconds: float, sent: int, returned: int) -> _HandOver:
        """Send steps that take so long, and so many bytes, to the workers."""
        self._way_there = max(self._way_there, self.now) + sent / self._network.bandwidth
        made = _HandOver(seconds, returned, self._way_there + self._network.latency)
        self._travelling.append(made)
        self._arrive()
        return made

    def work(self, seconds: float) -> None:
        """The main process works."""
        self.main += seconds
        until = self._each + seconds
        while self._each < until:
            self._next(until, inf)

    def wait(self, waited: _HandOver) -> None:
        """The main process does nothing until a result is there."""
        while waited.back is None:
            self._next(None, inf)
        while self.now < waited.back:
            self._next(None, waited.back)

    def _next(self, main: float | None, alarm: float) -> None:
        """Go on to what happens next: somebody ends, steps arrive, or the alarm.

        ``main`` is the amount of work at which the main process ends, None if it does nothing.
        """
        working = len(self._ends) + (main is not None)
        pace = min(1.0, self._cores / (working + self._others)) if working else 1.0
        amount = min(
            self._ends[0][0] if self._ends else inf,
            inf if main is None else main,
        )
        ended = self.now + (amount - self._each) / pace
        arrival = self._travelling[0].arrives if self._travelling else inf
        if ended <= min(arrival, alarm):
            self.now, self._each = ended, amount
            while self._ends and self._ends[0][0] <= amount:
                self._return(heappop(self._ends)[2])
        else:
            then = min(arrival, alarm)
            self._each += (then - self.now) * pace
            self.now = then
        self._arrive()

    def _return(self, ended: _HandOver) -> None:
        self._way_back = max(self._way_back, self.now) + ended.returned / self._network.bandwidth
        ended.back = self._way_back + self._network.latency

    def _arrive(self) -> None:
        """Those that are there wait; workers that have nothing to do begin with the first."""
        while self._travelling and self._travelling[0].arrives <= self.now:
            self._waiting.append(self._travelling.popleft())
        while self._waiting and len(self._ends) < self._workers:
            begun = self._waiting.popleft()
            self.busy += begun.seconds
            heappush(self._ends, (self._each + begun.seconds, next(self._order), begun))


class _VirtualFuture(Future[Any]):
    """The promise of the results of some steps; asking for it lets the time pass."""

    def __init__(self, executor: _VirtualExecutor, made: _HandOver, steps: int) -> None:
        super().__init__()
        self._executor = executor
        self._made = made
        self._steps = steps

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self._executor.wait(self._made)
            self.set_result([(None, 0.0)] * self._steps)
        return super().result()


@dataclass(slots=True)
class _VirtualExecutor(Executor):
    """What `StepRunner` hands steps over to."""

    clock: _Clock
    envelope: int
    enveloping: float
    sent: int = 0
    returned: int = 0
    hand_overs: int = 0
    most: int = 0
    _unpacking: dict[int, float] = field(default_factory=dict)
    _under_way: list[_HandOver] = field(default_factory=list)

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        steps: Sequence[TimedStep] = [step.timed for step in args[-1]]
        self.clock.work(self.enveloping + sum(step.packing for step in steps))
        sent = self.envelope + sum(step.sent for step in steps)
        returned = sum(step.returned for step in steps)
        made = self.clock.hand_over(sum(step.seconds for step in steps), sent, returned)
        self._unpacking[id(made)] = sum(step.unpacking for step in steps)
        self.sent += sent
        self.returned += returned
        self.hand_overs += 1
        now = self.clock.now
        self._under_way = [one for one in self._under_way if one.back is None or one.back > now]
        self._under_way.append(made)
        self.most = max(self.most, len(self._under_way))
        return _VirtualFuture(self, made, len(steps))

    def wait(self, made: _HandOver) -> None:
        """Let the time pass until a result is there and unpacked."""
        self.clock.wait(made)
        self.clock.work(self._unpacking.pop(id(made)))
