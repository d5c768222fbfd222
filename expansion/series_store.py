"""The interface of a cache of coefficients between runs.

A *store* maps the key of a series and a number s to a `StoredCoefficient`, and the keys of steps to
their results (`diagrams.engine.steps`). The key of a series is a digest of what the coefficients
depend on and of nothing else: the diagrams of what drives the flow, its rates and temperature, the
diagrams of what is followed, both normalisations, and `ENGINE_VERSION`. Names of presets and files
do not enter, so two descriptions of one problem share their records.

Laws:

- equal keys mean equal coefficients: the text of a diagram is its canonical form, with the axes,
  kinds and variances of its tensors;
- ``read_stored(write_stored(x)) == x``.

>>> from expansion.models import cp
>>> first, second = cp(order=2), cp(order=2, target="zero")
>>> series_key(first, "train") == series_key(first, "train")
True
>>> series_key(first, "train") == series_key(second, "train")
False

Source: ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from diagrams.engine import StepStore
from diagrams.errors import InvalidInputError
from diagrams.generator import Amplitude
from diagrams.sums import DiagramSum
from expansion.polynomial import Polynomial
from expansion.problem import Problem
from expansion.series_records import polynomial_record, read_polynomial

__all__ = [
    "ENGINE_VERSION",
    "SeriesStore",
    "StoredCoefficient",
    "read_stored",
    "series_key",
    "write_stored",
]

ENGINE_VERSION = 1
"""Raised whenever a coefficient, or the work that is counted for it, changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCoefficient:
    """One coefficient and its cost.

    Parameters
    ----------
    polynomial : Polynomial
        Y_s.
    diagrams, contractions : int
        Its cost, see `expansion.series.Cost`.
    work : int
        Distinct diagrams merged and contracted for Y_0 ... Y_s together; what a budget counts.
    seconds : float
        Time that it took when it was computed.
    divisors : tuple of (str, tuple of int)
        See `expansion.series.LossSeries.divisors`.
    """

    polynomial: Polynomial
    diagrams: int
    contractions: int
    work: int
    seconds: float
    divisors: tuple[tuple[str, tuple[int, ...]], ...] = ()


class SeriesStore(StepStore, Protocol):
    """A place for coefficients, and for the steps on the way to them.

    It never fails: what it cannot read or keep, it does not know.
    """

    def get(self, key: str, s: int) -> StoredCoefficient | None:
        """The coefficient Y_s of a series, None if it is not known."""

    def put(self, key: str, s: int, coefficient: StoredCoefficient) -> None:
        """Keep a coefficient, in place of another of the same key and number."""


def series_key(problem: Problem, quantity: str) -> str:
    """The key of a series: 64 hexadecimal digits.

    Parameters
    ----------
    problem : Problem
    quantity : str
        A name in ``problem.quantities``; the name itself does not enter.
    """
    followed = problem.quantity(quantity)
    driven = problem.driven
    generator = driven.generator
    description = {
        "engine": ENGINE_VERSION,
        "potential": _lines(generator.potential),
        "potential_normalisation": [list(power) for power in driven.normalisation],
        "followed": _lines(followed.diagrams),
        "followed_normalisation": [list(power) for power in followed.normalisation],
    }
    # Only where there are any, so that the keys of plain flows stay what they were.
    if generator.rates:
        description["rates"] = sorted(f"{t.name} {_factor(rate)}" for t, rate in generator.rates)
    if generator.temperature is not None:
        description["temperature"] = _factor(generator.temperature)
    if problem.drive.momentum:
        description["momentum"] = problem.drive.momentum
    if problem.drive.step:
        description["step"] = problem.drive.step
    if problem.drive.resample:
        redrawn = [t for t in problem.tensors if t.name in problem.drive.resample]
        description["resample"] = sorted(f"{t.name} {t.entries}" for t in redrawn)
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8")).hexdigest()


def write_stored(stored: StoredCoefficient) -> str:
    """The record of a coefficient, canonical JSON.

    Examples
    --------
    >>> print(
    ...     write_stored(
    ...         StoredCoefficient(
    ...             polynomial=Polynomial.parse("1/2*p"),
    ...             diagrams=1,
    ...             contractions=0,
    ...             work=1,
    ...             seconds=0.0,
    ...         )
    ...     )
    ... )
    {"contractions":0,"diagrams":1,"divisors":{},"seconds":0.0,"terms":[{"coefficient":"1/2","exponents":{"p":1}}],"work":1}
    """
    record = {
        "terms": polynomial_record(stored.polynomial),
        "diagrams": stored.diagrams,
        "contractions": stored.contractions,
        "work": stored.work,
        "seconds": stored.seconds,
        "divisors": {name: list(values) for name, values in stored.divisors},
    }
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def read_stored(text: str) -> StoredCoefficient:
    """The coefficient of a record.

    Raises
    ------
    InvalidInputError
        If the text is not such a record.
    """
    try:
        record = json.loads(text)
        return StoredCoefficient(
            polynomial=read_polynomial(record["terms"]),
            diagrams=_natural(record["diagrams"]),
            contractions=_natural(record["contractions"]),
            work=_natural(record["work"]),
            seconds=float(record["seconds"]),
            divisors=tuple(
                (str(name), tuple(_natural(value) for value in values))
                for name, values in sorted(record["divisors"].items())
            ),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInputError(
            f"stored coefficient: is not a record of a series ({type(error).__name__}); compute "
            "it again"
        ) from None


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("not a natural number")
    return value


def _factor(amplitude: Amplitude) -> str:
    return " ".join([str(amplitude.number), *(axis.name for axis in amplitude.symbols)])


def _lines(total: DiagramSum) -> list[str]:
    return sorted(f"{coefficient} {diagram}" for diagram, coefficient in total)
