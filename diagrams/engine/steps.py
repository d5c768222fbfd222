"""How the independent steps of the engine are carried out.

Most of the work of the engine is in *steps*: merge some diagrams, integrate some others. A step is
a value, and its result depends on the step and on the blocks of the flow alone. So it does not
matter where it is done, when, or how often: in this process, by any `concurrent.futures.Executor`,
or in an earlier run that left its results in a `StepStore`. Results are taken in the order of the
steps, so that sums do not depend on who was faster.

Keeping must pay. A step that took less than `_LEAST_SECONDS` is not kept: to look it up would take
about as long. And no more time is spent on keeping than the share `_SHARE` of the time that the
steps took, so that a run that keeps its steps is hardly slower than one that does not. Which steps
are kept depends on the clock; results do not.

A failure elsewhere (a worker that is killed, a connection that breaks) costs time only: the
step is done here, where it succeeds or raises its true error.

Source: ours.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from diagrams.engine.blocks import FlowDiagrams, Tick
from diagrams.errors import InvalidInputError

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

__all__ = ["IN_PROCESS", "EngineStep", "Merger", "StepRunner", "StepStore", "step_key"]

_LOGGER = logging.getLogger(__name__)

STEPS_VERSION = 1
"""Raised whenever the result of a step changes its form or its meaning."""

_UNDER_WAY = 64
"""Steps that an executor is given ahead of the one whose result is taken next."""

_TOGETHER = 4
"""Steps that an executor is given at once: submitting costs as much as a tenth of a step."""

_READY = 16
"""Steps held back until more arrive to be submitted together, or until the last has arrived."""

_PATIENCE = 0.1
"""Seconds between two ticks while an executor is waited for."""

_LEAST_SECONDS = 0.002
"""Steps that take less are not kept."""

_SHARE = 0.05
"""The share of the time of the steps that may be spent on storing their results."""

Result = TypeVar("Result")


class Merger(ABC):
    """Carries out the steps of one flow; made of its blocks alone, so that any process can make it.

    Parameters
    ----------
    blocks : FlowDiagrams
    """

    name: ClassVar[str]
    """Tells apart in a store what different mergers did; it outlives the names of classes."""

    def __init__(self, blocks: FlowDiagrams) -> None:
        self.blocks = blocks

    @cached_property
    def digest(self) -> Digest:
        """Of the kind of merger and the blocks: what equal steps have in common."""
        return sha256(f"{self.name}\n{self.blocks.key}\n".encode())


class EngineStep(ABC, Generic[Result]):
    """A piece of work that depends on nothing but itself and the blocks of the flow.

    Steps and results travel between processes and to files: they are made of arrays, numbers and
    tuples.
    """

    name: ClassVar[str]
    """Tells apart the kinds of steps in a store."""

    @abstractmethod
    def carry_out(self, merger: Any) -> Result:
        """The result, by a merger of the blocks, of the kind that the step is for."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """A text or sequence of bytes that differs for different steps of this kind."""

    @staticmethod
    @abstractmethod
    def result_to_bytes(result: Result) -> bytes:
        """A result as bytes."""

    @staticmethod
    @abstractmethod
    def result_from_bytes(data: bytes) -> Result:
        """The result that was written.

        Raises
        ------
        InvalidInputError
            If it is none.
        """


class StepStore(Protocol):
    """A place for results of steps. It never fails: an unreadable record is an unknown one."""

    def recall(self, key: str) -> bytes | None:
        """The record of a key, None if there is none."""

    def keep(self, key: str, data: bytes) -> None:
        """Keep the result of a step, now or within the next second or so."""


class StepRunner:
    """Who carries out steps, and where results are kept.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Does the steps; without it they are done in this process. Its first failure is logged.
    store : StepStore, optional
        Keeps results between runs.
    """

    def __init__(self, executor: Executor | None = None, store: StepStore | None = None) -> None:
        self.executor = executor
        self.store = store
        self._failed = False
        self._computing = 0.0
        self._keeping = 0.0

    def keep(self, key: str, write: Callable[[], bytes], seconds: float) -> None:
        """Keep the result of a step, if that pays.

        Parameters
        ----------
        key : str
        write : callable
            Makes the bytes.
        seconds : float
            The time of the step.
        """
        self._computing += seconds
        if self.store is None or seconds < _LEAST_SECONDS:
            return
        if self._keeping > _SHARE * self._computing:
            return
        start = time.perf_counter()
        self.store.keep(key, write())
        self._keeping += time.perf_counter() - start

    def results(
        self, merger: Merger, steps: Iterable[EngineStep[Result]], tick: Tick
    ) -> Generator[Result]:
        """The results of steps, in their order.

        Parameters
        ----------
        merger : Merger
            Does the steps that are done here; elsewhere another one of the same blocks does them.
        steps : iterable of EngineStep
            Taken one by one, a few ahead of the results.
        tick : callable
            Called with 0 while results are waited for.
        """
        executor = self.executor
        if executor is None:
            for step in steps:
                yield self._finished(merger, self._recalled(merger, step), tick)
            return
        waiting: deque[_Pending[Result]] = deque()
        ready: list[_Pending[Result]] = []
        since = 0
        try:
            for step in steps:
                pending = self._recalled(merger, step)
                waiting.append(pending)
                since += 1
                if not pending.done:
                    ready.append(pending)
                if len(ready) == _READY:
                    self._hand_over(executor, merger, ready[:_TOGETHER])
                    del ready[:_TOGETHER]
                    since = 0
                elif since == 2 * _READY:  # most are known: what waits may soon be asked for
                    self._hand_over_all(executor, merger, ready)
                    since = 0
                if len(waiting) > _UNDER_WAY:
                    yield self._first(merger, waiting, tick)
            self._hand_over_all(executor, merger, ready)
            while waiting:
                yield self._first(merger, waiting, tick)
        finally:
            for pending in waiting:
                if pending.future is not None:
                    pending.future.cancel()

    def _recalled(self, merger: Merger, step: EngineStep[Result]) -> _Pending[Result]:
        """A step, with its result if the store knows it."""
        if self.store is None:
            return _Pending(step)
        key = step_key(merger, step.name, step.to_bytes())
        data = self.store.recall(key)
        if data is not None:
            try:
                return _Pending(step, key, done=(step.result_from_bytes(data),))
            except InvalidInputError:
                pass
        return _Pending(step, key)

    def _hand_over_all(
        self,
        executor: Executor,
        merger: Merger,
        ready: list[_Pending[Result]],
    ) -> None:
        """Ever fewer steps together, so that all workers end at about the same time."""
        while ready:
            together = max(1, len(ready) * _TOGETHER // _READY)
            self._hand_over(executor, merger, ready[:together])
            del ready[:together]

    def _hand_over(
        self,
        executor: Executor,
        merger: Merger,
        together: Sequence[_Pending[Result]],
    ) -> None:
        """Give some steps to the executor; if it does not take them, they wait to be done here."""
        steps = [pending.step for pending in together]
        try:
            future = executor.submit(_elsewhere, type(merger), merger.blocks, steps)
        except Exception as error:
            self._report(error)
            return
        for place, pending in enumerate(together):
            pending.future, pending.place = future, place

    def _first(self, merger: Merger, waiting: deque[_Pending[Result]], tick: Tick) -> Result:
        """The result of the first that waits; it leaves only then, so that it can be cancelled."""
        result = self._finished(merger, waiting[0], tick)
        waiting.popleft()
        return result

    def _finished(self, merger: Merger, pending: _Pending[Result], tick: Tick) -> Result:
        if pending.done:
            return pending.done[0]
        step = pending.step
        if pending.future is None:
            result, seconds = _timed(merger, step)
        else:
            try:
                result, seconds = _awaited(pending.future, tick)[pending.place]
            except _ElsewhereError as error:
                self._report(error.__cause__)
                result, seconds = _timed(merger, step)
        self.keep(pending.key, lambda: step.result_to_bytes(result), seconds)
        return result

    def _report(self, error: BaseException | None) -> None:
        if not self._failed:
            _LOGGER.warning(
                "diagflow: a worker failed, its part is computed here (%s: %s)",
                type(error).__name__,
                error,
            )
        self._failed = True


IN_PROCESS = StepRunner()
HERE, Step, Work = IN_PROCESS, EngineStep, StepRunner  # former names
"""Everything in this process, nothing kept."""


def step_key(merger: Merger, name: str, content: bytes) -> str:
    """The key of a step in a store: a digest of everything that its result depends on."""
    digest = merger.digest.copy()
    digest.update(f"{STEPS_VERSION}\n{name}\n".encode())
    digest.update(content)
    return digest.hexdigest()


@dataclass(slots=True, eq=False)
class _Pending(Generic[Result]):
    """A step that was begun: its result, or the promise of it among others, or neither."""

    step: EngineStep[Result]
    key: str = ""
    done: tuple[Result, ...] = ()
    future: Future[list[tuple[Result, float]]] | None = None
    place: int = 0


class _ElsewhereError(Exception):
    """An executor did not return a result, for the reason in its cause."""


def _awaited(future: Future[Result], tick: Tick) -> Result:
    while True:
        try:
            return future.result(timeout=_PATIENCE)
        except TimeoutError as error:
            if future.done():
                raise _ElsewhereError from error
            tick(0)
        except Exception as error:
            raise _ElsewhereError from error


_MADE: dict[tuple[type[Merger], FlowDiagrams], Merger] = {}


def _elsewhere(
    kind: type[Merger], blocks: FlowDiagrams, steps: Sequence[EngineStep[Result]]
) -> list[tuple[Result, float]]:
    """Do steps in another process, which keeps the merger for the next ones."""
    merger = _MADE.get((kind, blocks))
    if merger is None:
        _MADE.clear()
        merger = _MADE[kind, blocks] = kind(blocks)
    return [_timed(merger, step) for step in steps]


def _timed(merger: Merger, step: EngineStep[Result]) -> tuple[Result, float]:
    """The result of a step and the seconds that it took."""
    start = time.perf_counter()
    result = step.carry_out(merger)
    return result, time.perf_counter() - start
