"""The loss expansion: exact coefficients Y_0, Y_1, ... of a problem.

With the sign and the pure-target term that this project uses everywhere,

    Y_s = T^s E[d^s L/dt^s](0),      L(t) ~ sum over s of Y_s (t/T)^s / s!,

a polynomial in the sizes and variances with rational coefficients.

>>> from expansion.models import cp
>>> series = LossSeries(cp(order=2, symmetric=True))
>>> print(series[0])
1/2*p - p*H*sigma2 + 1/2*p**2*H*sigma2**2 + 1/2*p*H**2*sigma2**2 + 1/2*p*H*sigma2**2
>>> series.cost(0).diagrams
3

Source: Yarotsky, Golikov, Gusev 2026, section 3.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from diagrams.errors import BudgetExceededError, InvalidInputError
from diagrams.flow import Flow
from diagrams.sums import DiagramSum
from expansion.polynomial import Polynomial
from expansion.problem import Problem

__all__ = ["Budget", "Cost", "LossSeries", "Progress", "loss_series"]

_MEMORY_CHECK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits on the work of one series; without a limit there is none.

    Parameters
    ----------
    seconds : float, optional
        Time spent in the engine.
    diagrams : int, optional
        Distinct diagrams merged and contracted.
    memory : int, optional
        Memory of the process, in bytes; a fraction of a byte does not matter.

    Raises
    ------
    InvalidInputError
        If a limit is not positive.
    """

    seconds: float | None = None
    diagrams: int | None = None
    memory: float | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("seconds", self.seconds),
            ("diagrams", self.diagrams),
            ("memory", self.memory),
        ):
            # The negation refuses "not a number" as well.
            if value is not None and not value > 0:
                raise InvalidInputError(
                    f"budget of {value} {name}: must be positive; raise it or leave it out"
                )


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been done so far, given to the progress callback.

    ``s`` is the coefficient under work, ``diagrams`` counts all distinct diagrams met so far, and
    ``seconds`` the time spent.
    """

    s: int
    diagrams: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What one coefficient cost.

    ``diagrams`` is the number of distinct diagrams in Y_s before contraction, ``contractions`` the
    number of distinct diagrams that had to be contracted and were not known from earlier
    coefficients, ``seconds`` the time.
    """

    diagrams: int
    contractions: int
    seconds: float


class LossSeries:
    """Y_0, Y_1, ... of a problem, computed when they are asked for and kept.

    Parameters
    ----------
    problem : Problem
    budget : Budget, optional
        Limits on the work; when one is reached `BudgetExceededError` is raised and all finished
        coefficients stay available.
    progress : callable, optional
        Called with a `Progress` several times a second while the engine works.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        budget: Budget | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.problem = problem
        self._meter = _Meter(budget or Budget(), progress)
        self._flow: Flow | None = None
        self._known: list[Polynomial] = []
        self._costs: list[Cost] = []

    def __getitem__(self, s: int) -> Polynomial:
        """Y_s.

        Raises
        ------
        InvalidInputError
            If s is negative.
        BudgetExceededError
            If the budget does not suffice.
        """
        if s < 0:
            raise InvalidInputError(f"coefficient Y_{s}: s counts time derivatives; give 0 or more")
        while len(self._known) <= s:
            self._extend()
        return self._known[s]

    @property
    def known(self) -> tuple[Polynomial, ...]:
        """The coefficients computed so far."""
        return tuple(self._known)

    def cost(self, s: int) -> Cost:
        """What Y_s cost; it is computed if it is not known yet."""
        self.__getitem__(s)
        return self._costs[s]

    def diagrams(self, s: int) -> DiagramSum:
        """The diagrams of Y_s before contraction, with their coefficients.

        One diagram stands for all that differ by a permutation of symmetric tensors; diagrams
        whose expectation vanishes by parity are left out.
        """
        self.__getitem__(s)
        return self._require_flow().diagrams(s)

    def _require_flow(self) -> Flow:
        if self._flow is None:
            loss = self.problem.loss
            self._flow = Flow(loss, loss, tick=self._meter.tick)
        return self._flow

    def _extend(self) -> None:
        s = len(self._known)
        with self._meter.measuring(s):
            flow = self._require_flow()
            before = flow.representation.contractions
            start = time.perf_counter()
            polynomial = Polynomial(flow.expectation(s))
            cost = Cost(
                diagrams=flow.count(s),
                contractions=flow.representation.contractions - before,
                seconds=time.perf_counter() - start,
            )
        self._known.append(polynomial)
        self._costs.append(cost)


def loss_series(
    problem: Problem,
    *,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> LossSeries:
    """The loss expansion of a problem, see `LossSeries`.

    Examples
    --------
    >>> from expansion.models import cp
    >>> loss_series(cp(order=3, symmetric=True, target="zero"))[0].coefficient(p=1, H=1, sigma2=3)
    Fraction(4, 1)
    """
    return LossSeries(problem, budget=budget, progress=progress)


class _Meter:
    """Counts the work of a series, reports it and stops it when a budget is used up."""

    def __init__(self, budget: Budget, progress: Callable[[Progress], None] | None) -> None:
        self._budget = budget
        self._progress = progress
        self._s = 0
        self._diagrams = 0
        self._spent = 0.0
        self._started: float | None = None
        self._memory_checked = 0.0

    def measuring(self, s: int) -> _Meter:
        self._s = s
        return self

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self._spent = self._seconds()
        self._started = None

    def _seconds(self) -> float:
        running = 0.0 if self._started is None else time.perf_counter() - self._started
        return self._spent + running

    def tick(self, added: int) -> None:
        """Called by the engine between steps."""
        self._diagrams += added
        seconds = self._seconds()
        budget = self._budget
        if budget.seconds is not None and seconds > budget.seconds:
            raise self._exceeded(f"{budget.seconds:g} seconds", "--max-seconds")
        if budget.diagrams is not None and self._diagrams > budget.diagrams:
            raise self._exceeded(f"{budget.diagrams} diagrams", "--max-diagrams")
        if budget.memory is not None and seconds > self._memory_checked:
            self._memory_checked = seconds + _MEMORY_CHECK_SECONDS
            if psutil.Process().memory_info().rss > budget.memory:
                raise self._exceeded(f"{budget.memory:g} bytes of memory", "--max-memory")
        if self._progress is not None:
            self._progress(Progress(self._s, self._diagrams, seconds))

    def _exceeded(self, limit: str, option: str) -> BudgetExceededError:
        finished = f"Y_0 ... Y_{self._s - 1} are finished" if self._s else "no term is finished"
        return BudgetExceededError(
            f"budget: Y_{self._s} needs more than {limit}; {finished}; raise {option} or ask for "
            "fewer terms"
        )
