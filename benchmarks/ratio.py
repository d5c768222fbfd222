"""The engine against the textbook enumerator: same problem, same process, same run.

The engine is measured cold, with a new `LossSeries` each time, and the best of some repetitions
counts; the textbook enumerator takes seconds and runs once. Imports are not counted on either side.
The two results are compared coefficient by coefficient.

>>> from benchmarks.cases import RATIO
>>> measure(RATIO[0], terms=1).equal
True

Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import REQUIRED_RATIO, RatioCase
from benchmarks.textbook import Polynomial, textbook_series
from expansion.models import cp
from expansion.series import LossSeries

__all__ = ["REPETITIONS", "Ratio", "engine_series", "measure"]

REPETITIONS = 20

SYMBOLS = ("p", "H", "sigma2")


@dataclass(frozen=True)
class Ratio:
    """The seconds of both programs, and whether their results are equal."""

    case: RatioCase
    terms: int
    textbook: float
    engine: float
    equal: bool

    @property
    def value(self) -> float:
        return self.textbook / self.engine

    @property
    def met(self) -> bool:
        """Whether the results are equal and the declared case is fast enough."""
        return self.equal and (self.terms < self.case.terms or self.value >= REQUIRED_RATIO)


def engine_series(order: int, *, symmetric: bool, target: str, terms: int) -> list[Polynomial]:
    """Y_0 ... Y_terms of a CP model by the engine, in the form of `textbook_series`."""
    series = LossSeries(cp(order=order, symmetric=symmetric, target=target))
    result: list[Polynomial] = []
    # Asked for all at once, as the textbook enumerator is.
    series[terms]
    for s, polynomial in enumerate(series.known):
        table: Polynomial = {}
        for powers, coefficient in polynomial:
            exponents = dict(powers)
            p, H, sigma2 = (exponents.pop(symbol, 0) for symbol in SYMBOLS)
            if exponents:
                raise ValueError(f"Y_{s} contains {', '.join(exponents)}: not a CP series")
            table[p, H, sigma2] = coefficient
        result.append(table)
    return result


def measure(case: RatioCase, *, terms: int | None = None, repetitions: int = REPETITIONS) -> Ratio:
    """Run both programs on a case.

    Parameters
    ----------
    case
        The problem.
    terms
        The last coefficient, if not the declared one.
    repetitions
        How often the engine runs; the best time counts.
    """
    last = case.terms if terms is None else terms

    def engine() -> list[Polynomial]:
        return engine_series(case.order, symmetric=case.symmetric, target="identity", terms=last)

    def textbook() -> list[Polynomial]:
        return textbook_series(case.order, symmetric=case.symmetric, terms=last)

    timed = [_timed(engine) for _ in range(repetitions)]
    slow, expected = _timed(textbook)
    return Ratio(
        case,
        last,
        textbook=slow,
        engine=min(seconds for seconds, _ in timed),
        equal=all(result == expected for _, result in timed),
    )


def _timed(program: Callable[[], list[Polynomial]]) -> tuple[float, list[Polynomial]]:
    start = time.perf_counter()
    result = program()
    return time.perf_counter() - start, result
