"""The loss expansion: exact coefficients Y_0, Y_1, ... of a problem.

Along the flow of what drives it, a problem's other losses and observables have the same expansion,
with G in place of L; see `expansion.drive` for flows that are not the gradient flow of the loss.

With the sign and the pure-target term that this project uses everywhere,

    Y_s = T^s E[d^s L/dt^s](0),      L(t) ~ sum over s of Y_s (t/T)^s / s!,

a polynomial in the sizes and variances with rational coefficients. Every merger with a normalised
loss brings its normalisation along: with the train loss of N data, Y_s has the factor N**-s and one
more for the train loss itself.

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
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real
from operator import index
from typing import Any, overload

import psutil

from diagrams.arguments import function, instance, shown
from diagrams.display import frame, report
from diagrams.engine import StepRunner
from diagrams.errors import BudgetExceededError, CapacityError, InvalidInputError
from diagrams.flow import Flow
from diagrams.iterated import Iterated
from diagrams.sums import DiagramSum
from diagrams.wick import Moments, Monomial, monomial
from expansion.cumulants import cumulants, power_name, read_cumulant
from expansion.drive import Driven, rewriting
from expansion.polynomial import MAXIMAL_BITS, Polynomial, symbol_order
from expansion.problem import Problem
from expansion.series_store import SeriesStore, StoredCoefficient, series_key

__all__ = [
    "Budget",
    "Cost",
    "CumulantSeries",
    "LossSeries",
    "Progress",
    "checked_budget",
    "loss_series",
    "memory_in_use",
]

_MEMORY_CHECK_SECONDS = 0.2

_MEMORY_AHEAD = 16 * 2**20
"""Bytes that may be taken before one looks again; of a small budget, a twentieth at most."""


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
        Memory of this process and of those it started, in bytes; a fraction does not matter. It
        is kept within a tenth, a small one within 64 MB, which a single step may take.

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
            # The negation rejects "not a number", too.
            if value is not None and not (isinstance(value, Real) and value > 0):
                raise InvalidInputError(
                    f"budget of {shown(value)} {name}: must be positive; raise it or leave it out"
                )


@dataclass(frozen=True, slots=True)
class Progress:
    """The work so far, given to the progress callback.

    ``s`` is the coefficient under work, ``diagrams`` counts all distinct diagrams met so far,
    ``seconds`` is the time spent, and ``expected`` the time that the coefficient under work is
    expected to take, if enough of them are known to say so. ``stage`` names work that is no
    expansion, such as the geometry of a map of regimes.
    """

    s: int
    diagrams: int
    seconds: float
    expected: float | None = None
    stage: str | None = None


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


def checked_budget(
    budget: Budget | None, progress: Callable[[Progress], None] | None = None
) -> Budget:
    """The limits that are given, or none, and a check that progress can be reported.

    Raises
    ------
    InvalidInputError
        If one is of another type.
    """
    function(progress, "progress")
    if budget is None:
        return Budget()
    return instance(budget, Budget, "budget", remedy="make one, as Budget(seconds=60)")


class LossSeries:
    """Y_0, Y_1, ... of a problem, computed when they are asked for and kept.

    Parameters
    ----------
    problem : Problem
    loss : str, optional
        What is expanded: a name in ``problem.quantities``; without it the loss that drives the
        flow.
    budget : Budget, optional
        Limits on the work; when one is reached `BudgetExceededError` is raised and all finished
        coefficients stay available.
    progress : callable, optional
        Called with a `Progress` several times a second while the engine works.
    beside : LossSeries, optional
        Another series of the same problem, to share the table of contractions where the
        symmetries of the two allow it.
    store : SeriesStore, optional
        Where finished coefficients are kept between runs, and looked for before they are
        computed; the steps of long computations are kept there too, so that one that was stopped
        loses little. A budget of diagrams counts a stored coefficient as if it were computed. A
        series beside another leaves the store alone, because its counts of work are not its own.
    executor : concurrent.futures.Executor, optional
        Does steps of the computation in other processes, on this machine or others. The
        coefficients do not depend on it.

    Raises
    ------
    InvalidInputError
        If the problem has no such loss or observable, or the other series is of another problem.

    Examples
    --------
    >>> from expansion.models import tied_autoencoder
    >>> train = LossSeries(tied_autoencoder(data=True))
    >>> population = LossSeries(train.problem, loss="population", beside=train)
    >>> train[0] == population[0], train[1] == population[1]
    (True, False)
    """

    def __init__(
        self,
        problem: Problem,
        *,
        loss: str | None = None,
        beside: LossSeries | None = None,
        budget: Budget | None = None,
        progress: Callable[[Progress], None] | None = None,
        store: SeriesStore | None = None,
        executor: Executor | None = None,
    ) -> None:
        instance(problem, Problem, "problem", remedy="make one, as cp(order=3)")
        for title, place, verbs in (
            ("store", store, ("get", "put")),
            ("executor", executor, ("submit",)),
        ):
            for verb in verbs if place is not None else ():
                if not callable(getattr(place, verb, None)):
                    raise InvalidInputError(
                        f"{title}: is {shown(place)}, which cannot {verb}; give a {title} or leave "
                        "it out"
                    )
        if beside is not None:
            instance(beside, LossSeries, "series", remedy="give another series of the problem")
        if beside is not None and beside.problem != problem:
            raise InvalidInputError(
                f"series of {problem.title}: beside= is a series of {beside.problem.title}; "
                "give one of the same problem"
            )
        self.problem: Problem = problem
        self.loss = problem.loss_name if loss is None else loss
        self._quantity = problem.quantity(self.loss)
        self._beside = beside
        self._meter = _Meter(checked_budget(budget, progress), progress)
        self._flow: Flow | Iterated | None = None
        self._known: list[Polynomial] = []
        self._costs: list[Cost] = []
        self._divisors: dict[str, tuple[int, ...]] = {}
        self._store = store if beside is None else None
        self._key = "" if self._store is None else series_key(problem, self.loss)
        self._computed = 0
        self._work = StepRunner(executor, self._store)

    def __repr__(self) -> str:
        known = f"Y_0 ... Y_{len(self._known) - 1}" if self._known else "nothing"
        return f"<series of {self.problem.title}, {self.loss}: {known} computed>"

    def __str__(self) -> str:
        return report("series", self)

    def _repr_latex_(self) -> str | None:
        if not self._known:
            return None
        rows = [f"Y_{{{s}}} &= {known.latex()}" for s, known in enumerate(self._known)]
        return "$\\displaystyle \\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}$"

    def to_frame(self) -> Any:
        """A data frame of pandas with a row for every term of the coefficients computed so far.

        Raises
        ------
        InvalidInputError
            If pandas is not installed.
        """
        terms = [(s, term) for s, known in enumerate(self._known) for term in known]
        names = sorted({n for known in self._known for n in known.symbols}, key=symbol_order)
        powers = {
            name: [dict(monomial).get(name, 0) for _, (monomial, _) in terms] for name in names
        }
        coefficients = [value for _, (_, value) in terms]
        return frame({"s": [s for s, _ in terms], "coefficient": coefficients, **powers})

    @overload
    def __getitem__(self, s: int) -> Polynomial: ...

    @overload
    def __getitem__(self, s: slice) -> tuple[Polynomial, ...]: ...

    def __getitem__(self, s: int | slice) -> Polynomial | tuple[Polynomial, ...]:
        """Y_s, or those of a slice, which has an end.

        Raises
        ------
        InvalidInputError
            If s is negative or no integer, or a slice has no end or counts backwards.
        BudgetExceededError
            If the budget does not suffice.
        CapacityError
            If a coefficient of it has more than 3900 digits, or a diagram does not fit.
        """
        if isinstance(s, slice):
            numbers = _numbers(s)
            if numbers:
                self.__getitem__(numbers[-1])
            return tuple(self._known[number] for number in numbers)
        try:
            s = index(s)
        except TypeError:
            raise InvalidInputError(
                f"coefficient Y_{shown(s)}: s counts time derivatives; give an integer"
            ) from None
        if s < 0:
            raise InvalidInputError(f"coefficient Y_{s}: s counts time derivatives; give 0 or more")
        while len(self._known) <= s:
            if not self._recall():
                self._extend()
        return self._known[s]

    @property
    def budget(self) -> Budget:
        """The limits on the work; they may be changed, and the work resumes where it stopped."""
        return self._meter.budget

    @budget.setter
    def budget(self, budget: Budget) -> None:
        self._meter.budget = budget

    @property
    def work(self) -> int:
        """Distinct diagrams merged and contracted so far, those of stored coefficients included."""
        return self._meter.diagrams

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

    def expected_cost(self) -> Cost | None:
        """An estimate of the cost of the next coefficient, from the growth so far.

        Numbers of diagrams grow by factors that grow themselves, and differ between even and odd
        s. So the growth over two steps is continued, and grows as it did before; the time for one
        contraction stays what it was. Within a factor of three for the models tried.

        Returns
        -------
        Cost or None
            None with fewer than four known coefficients.

        Examples
        --------
        >>> from expansion.models import cp
        >>> series = LossSeries(cp(order=3))
        >>> [series.cost(s).contractions for s in range(5)]
        [1, 2, 10, 73, 525]
        >>> series.expected_cost().contractions, series.cost(5).contractions
        (5512, 6399)
        """
        if len(self._costs) < 4:
            return None
        last = self._costs[-1]
        contractions = _continued([cost.contractions for cost in self._costs[-4:]])
        return Cost(
            diagrams=_continued([cost.diagrams for cost in self._costs[-4:]]),
            contractions=contractions,
            seconds=last.seconds * contractions / max(1, last.contractions),
        )

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """By size, numbers with which it must have no factor in common.

        The coefficients computed so far are right for all other values of the size. Only targets
        that look at indices as residues, such as modular addition, leave out anything; the list
        may be longer than needed, because terms that cancel count too.

        Examples
        --------
        >>> from expansion.models import cp
        >>> series = LossSeries(cp(order=3, symmetric=True, target="modular-addition"))
        >>> series[1].coefficient(p=5, H=1, sigma2=5), series.divisors
        (Fraction(-9, 1), {'p': (2,)})
        """
        if self._store is not None:
            return dict(self._divisors)
        return self._require_flow().representation.divisors

    def _require_flow(self) -> Flow | Iterated:
        if self._flow is None:
            observable, drive = self._quantity.diagrams, self.problem.drive
            tick, work = self._meter.tick, self._work
            if drive.is_rewriting:
                rule, meanings = rewriting(drive, self._driven, self.problem.tensors)
                self._flow = Iterated(observable, rule, meanings, tick=tick, work=work)
                return self._flow
            shared = None if self._beside is None else self._beside._require_flow().representation
            if shared is not None and not shared.holds(observable):
                shared = None
            self._flow = Flow(observable, self._driven.generator, shared, tick=tick, work=work)
        return self._flow

    @cached_property
    def _driven(self) -> Driven:
        return self.problem.dynamics

    def normalisation(self, s: int) -> Monomial:
        """The factor of Y_s besides its diagrams: of the quantity, and s times of what drives.

        Examples
        --------
        >>> from expansion.models import tied_autoencoder
        >>> LossSeries(tied_autoencoder(data=True)).normalisation(2)
        (('N', -3),)
        """
        factor = Counter(dict(self._quantity.normalisation))
        if not self.problem.drive.is_rewriting:  # which has it in the scale of its force
            for name, power in self._driven.normalisation:
                factor[name] += s * power
        return monomial(factor)

    def _normalised(self, moments: Moments, s: int) -> Polynomial:
        """Multiply by the normalisation."""
        factor = Counter(dict(self.normalisation(s)))
        if not factor:
            return Polynomial(moments)
        result = {}
        for powers, coefficient in moments.items():
            total = Counter(factor)
            for name, power in powers:
                total[name] += power
            result[monomial(total)] = coefficient
        return Polynomial(result)

    def _recall(self) -> bool:
        """Take the next coefficient from the store; False if it has to be computed."""
        s = len(self._known)
        if self._store is None or self._computed:
            return False
        found = self._store.get(self._key, s)
        if found is None:
            return False
        self._meter.recall(s, found.work)
        self._known.append(found.polynomial)
        self._costs.append(Cost(found.diagrams, found.contractions, found.seconds))
        self._divisors = dict(found.divisors)
        return True

    def _extend(self) -> None:
        """Compute the next coefficient, after those that came from the store.

        They are computed again: the engine needs most of their tables anyway, they cost a fraction
        of the next one, and what is computed counts more than what was stored.
        """
        s = len(self._known)
        if not self._computed:
            self._meter.restart()
        while self._computed <= s:
            self._compute(self._computed)

    def _compute(self, s: int) -> None:
        expected = self.expected_cost() if s == len(self._known) else self._costs[s]
        with self._meter.measuring(s, None if expected is None else expected.seconds):
            flow = self._require_flow()
            before = flow.representation.contractions
            start = time.perf_counter()
            dense = flow.polynomial(s)
            if dense is None:
                polynomial = self._normalised(flow.expectation(s), s)
            else:
                polynomial = Polynomial.of_named(dense)
                if factor := self.normalisation(s):
                    polynomial *= Polynomial({factor: 1})
            if polynomial.height.bit_length() > MAXIMAL_BITS:
                raise CapacityError(
                    f"Y_{s}: has a coefficient of more than 3900 digits, too long to be written; "
                    "ask for fewer terms"
                )
            cost = Cost(
                diagrams=flow.count(s),
                contractions=flow.representation.contractions - before,
                seconds=time.perf_counter() - start,
            )
        recalled = self._known[s : s + 1]
        self._known[s : s + 1] = [polynomial]
        self._costs[s : s + 1] = [cost]
        self._computed = s + 1
        if self._store is not None:
            self._divisors = flow.representation.divisors
            if recalled != [polynomial]:
                self._store.put(self._key, s, self._stored(s))

    def _stored(self, s: int) -> StoredCoefficient:
        cost = self._costs[s]
        return StoredCoefficient(
            polynomial=self._known[s],
            diagrams=cost.diagrams,
            contractions=cost.contractions,
            work=self._meter.diagrams,
            seconds=cost.seconds,
            divisors=tuple(sorted(self._divisors.items())),
        )


class CumulantSeries(LossSeries):
    """The series of a cumulant, from those of the moments, see `expansion.cumulants`.

    Parameters
    ----------
    problem : Problem
    loss : str
        The name of the cumulant.
    budget, progress, store, executor
        See `LossSeries`; the moments share the budget.

    Examples
    --------
    >>> from expansion.models import cp
    >>> variance = CumulantSeries(cp(order=2, symmetric=True), loss="cumulant(weight-norm, 2)")
    >>> print(variance[0])  # of pH squares of variance 2 sigma^4, over 4
    1/2*p*H*sigma2**2
    """

    def __init__(
        self,
        problem: Problem,
        *,
        loss: str,
        budget: Budget | None = None,
        progress: Callable[[Progress], None] | None = None,
        store: SeriesStore | None = None,
        executor: Executor | None = None,
    ) -> None:
        name, order = read_cumulant(loss)
        super().__init__(
            problem, loss=name, budget=budget, progress=progress, store=store, executor=executor
        )
        self.loss = loss
        self._moments = tuple(
            LossSeries(problem, loss=power_name(name, k), store=store, executor=executor)
            for k in range(1, order + 1)
        )
        for moment in self._moments:
            moment._meter = self._meter

    def cost(self, s: int) -> Cost:
        """What Y_s cost, all moments together."""
        costs = [moment.cost(s) for moment in self._moments]
        return Cost(
            diagrams=sum(cost.diagrams for cost in costs),
            contractions=sum(cost.contractions for cost in costs),
            seconds=sum(cost.seconds for cost in costs),
        )

    @property
    def divisors(self) -> dict[str, tuple[int, ...]]:
        """See `LossSeries.divisors`."""
        found: dict[str, set[int]] = {}
        for moment in self._moments:
            for name, divisors in moment.divisors.items():
                found.setdefault(name, set()).update(divisors)
        return {name: tuple(sorted(divisors)) for name, divisors in sorted(found.items())}

    def _recall(self) -> bool:
        return False  # the moments recall theirs

    def _extend(self) -> None:
        s = len(self._known)
        moments = [moment[0 : s + 1] for moment in self._moments]
        found = cumulants(moments, discrete=bool(self.problem.drive.step))
        self._known.append(found[-1][s])
        self._costs.append(self.cost(s))

    def _require_flow(self) -> Flow | Iterated:
        raise InvalidInputError(
            f"diagrams of {self.loss}: a cumulant is a difference of moments and has none of its "
            "own; ask for those of a power"
        )


def _numbers(part: slice) -> range:
    """The numbers s of a slice."""
    try:
        start, stop, step = (
            default if value is None else index(value)
            for value, default in ((part.start, 0), (part.stop, -1), (part.step, 1))
        )
    except TypeError:
        start, stop, step = -1, -1, -1
    if part.stop is None or min(start, stop) < 0 or step < 1:
        raise InvalidInputError(
            "coefficients of a slice: a series has no end, and s counts time derivatives; give "
            "bounds of 0 or more, for example series[0:3]"
        )
    return range(start, stop, step)


def loss_series(
    problem: Problem,
    *,
    loss: str | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    store: SeriesStore | None = None,
    executor: Executor | None = None,
) -> LossSeries:
    """The loss expansion of a problem, see `LossSeries`, or that of a cumulant.

    Examples
    --------
    >>> from expansion.models import cp
    >>> loss_series(cp(order=3, symmetric=True, target="zero"))[0].coefficient(p=1, H=1, sigma2=3)
    Fraction(4, 1)
    """
    if loss is not None and read_cumulant(loss)[1] > 1:
        return CumulantSeries(
            problem, loss=loss, budget=budget, progress=progress, store=store, executor=executor
        )
    return LossSeries(
        problem, loss=loss, budget=budget, progress=progress, store=store, executor=executor
    )


def memory_in_use() -> int:
    """Bytes that this process and those it started hold."""
    total = 0
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        with suppress(psutil.Error):  # it may have ended meanwhile
            total += process.memory_info().rss
    return total


def _continued(counts: Sequence[int]) -> int:
    """The count after four others, see `LossSeries.expected_cost`."""
    first, second, third, fourth = (max(1, count) for count in counts)
    growth = Fraction(fourth, second)
    return int(third * growth * max(Fraction(1), growth / Fraction(third, first)))


class _Meter:
    """Counts the work of a series, reports it and stops it when a budget is used up."""

    def __init__(self, budget: Budget, progress: Callable[[Progress], None] | None) -> None:
        self.budget = budget
        self._progress = progress
        self._s = 0
        self._expected: float | None = None
        self._diagrams = 0
        self._spent = 0.0
        self._started: float | None = None
        self._memory_checked = 0.0

    def measuring(self, s: int, expected: float | None) -> _Meter:
        self._s = s
        self._expected = expected
        return self

    @property
    def diagrams(self) -> int:
        """Distinct diagrams merged and contracted so far."""
        return self._diagrams

    def restart(self) -> None:
        """Count the diagrams from zero: what was recalled is computed again."""
        self._diagrams = 0

    def recall(self, s: int, diagrams: int) -> None:
        """Count as if Y_0 ... Y_s had been computed, with so many diagrams."""
        self._s = s
        self._diagrams = diagrams
        self._check_diagrams()
        if self._progress is not None:
            self._progress(Progress(s, diagrams, self._seconds()))

    def _check_diagrams(self) -> None:
        limit = self.budget.diagrams
        if limit is not None and self._diagrams > limit:
            raise self._exceeded(f"{limit} diagrams", "budget.diagrams")

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
        budget = self.budget
        if budget.seconds is not None and seconds > budget.seconds:
            raise self._exceeded(f"{budget.seconds:g} seconds", "budget.seconds")
        self._check_diagrams()
        if budget.memory is not None and seconds > self._memory_checked:
            self._check_memory(budget.memory)
        if self._progress is not None:
            self._progress(Progress(self._s, self._diagrams, seconds, self._expected))

    def _check_memory(self, most: float) -> None:
        """Stop where the next steps may take more than is left."""
        used = memory_in_use()
        # What is close to its end is looked at more often.
        pause = _MEMORY_CHECK_SECONDS if used < most / 2 else _MEMORY_CHECK_SECONDS / 8
        self._memory_checked = self._seconds() + pause
        if used > most - min(_MEMORY_AHEAD, most / 20):
            raise self._exceeded(f"{most:g} bytes of memory", "budget.memory")

    def _exceeded(self, limit: str, option: str) -> BudgetExceededError:
        finished = f"Y_0 ... Y_{self._s - 1} are finished" if self._s else "no term is finished"
        return BudgetExceededError(
            f"budget: Y_{self._s} needs more than {limit}; {finished}; raise {option} or ask for "
            "fewer terms"
        )
