"""The declared cases: what `python -m benchmarks` measures and what it requires.

A *reach* case asks how far the series goes: Y_0 ... Y_terms in one process, within limits of time
and memory. A *ratio* case compares the engine with the textbook enumerator on the same problem, in
the same process and the same run. A *curve* case evaluates a loss evolution at many times, and
simulates one run of the same curve. A *speed-up* case computes a series by one process and by two.
All cases are CP models with the identity target.

>>> REACH[0].name, REACH[0].title, REACH[0].terms
('reach:sym2', 'SYM order 2', 40)
>>> [case.name for case in selected(RATIO, ["ratio:sym3"])]
['ratio:sym3']

Source: ours; the numbers of terms are those the project was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

__all__ = [
    "CURVES",
    "CURVE_POINTS",
    "MEMORY_LIMIT",
    "RATIO",
    "REACH",
    "REQUIRED_RATIO",
    "REQUIRED_SPEEDUP",
    "SPEEDUPS",
    "TIME_LIMIT",
    "Case",
    "CurveCase",
    "RatioCase",
    "ReachCase",
    "SpeedupCase",
    "names",
    "selected",
]

TIME_LIMIT = 60.0
"""Seconds in which a reach case has to finish, start of the interpreter and imports included."""

MEMORY_LIMIT = 4 * 2**30
"""Bytes that a reach case may hold at its peak."""

REQUIRED_RATIO = 500.0
"""How many times faster than the textbook enumerator the engine has to be."""


REQUIRED_SPEEDUP = 1.7
"""How many times faster than one process two have to be."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A CP model with the identity target and the last coefficient to compute."""

    order: int
    symmetric: bool
    terms: int
    quick_terms: int

    kind = "case"

    @property
    def model(self) -> str:
        return f"{'sym' if self.symmetric else 'asym'}{self.order}"

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.model}"

    @property
    def title(self) -> str:
        return f"{'SYM' if self.symmetric else 'ASYM'} order {self.order}"

    def last(self, *, quick: bool) -> int:
        """The last coefficient of a full or of a quick run."""
        return self.quick_terms if quick else self.terms


@dataclass(frozen=True, kw_only=True)
class ReachCase(Case):
    """Y_0 ... Y_terms in a process of its own."""

    kind = "reach"


@dataclass(frozen=True, kw_only=True)
class RatioCase(Case):
    """The engine against the textbook enumerator."""

    kind = "ratio"


@dataclass(frozen=True, kw_only=True)
class SpeedupCase(ReachCase):
    """Y_0 ... Y_terms by one process and by two."""

    kind = "speedup"


@dataclass(frozen=True, kw_only=True)
class CurveCase(Case):
    """A loss evolution at `CURVE_POINTS` times, after set-up."""

    regime: str
    at: tuple[tuple[str, float], ...]
    times: tuple[float, float]
    limit: float

    kind = "curve"

    @property
    def name(self) -> str:
        return f"{super().name}:{self.regime}"


REACH = (
    ReachCase(order=2, symmetric=True, terms=40, quick_terms=20),
    ReachCase(order=2, symmetric=False, terms=13, quick_terms=9),
    ReachCase(order=3, symmetric=True, terms=6, quick_terms=4),
    ReachCase(order=3, symmetric=False, terms=6, quick_terms=4),
    ReachCase(order=4, symmetric=True, terms=5, quick_terms=3),
    ReachCase(order=4, symmetric=False, terms=6, quick_terms=4),
)

RATIO = (
    RatioCase(order=2, symmetric=True, terms=4, quick_terms=3),
    RatioCase(order=3, symmetric=True, terms=2, quick_terms=1),
    RatioCase(order=3, symmetric=False, terms=3, quick_terms=2),
)

SPEEDUPS = (SpeedupCase(order=4, symmetric=False, terms=6, quick_terms=5),)

CURVE_POINTS = 10_000

CURVES = (
    CurveCase(
        order=2,
        symmetric=True,
        terms=4,
        quick_terms=2,
        regime="A-B-E",
        at=(("p", 128), ("H", 64), ("sigma2", 1 / 128)),
        times=(0.0, 2.0),
        limit=0.020,
    ),
    CurveCase(
        order=4,
        symmetric=True,
        terms=3,
        quick_terms=2,
        regime="A-B-E",
        at=(("p", 64), ("H", 682), ("sigma2", 0.001)),
        times=(-10.0, 0.0),
        limit=1.0,
    ),
)
"""A closed form and a moment solution, with the seconds they may take."""

AnyCase = TypeVar("AnyCase", bound=Case)


def names() -> tuple[str, ...]:
    """What ``--only`` accepts: a kind, or the name of a case."""
    return tuple(
        name
        for kind, cases in (
            ("reach", REACH),
            ("ratio", RATIO),
            ("speedup", SPEEDUPS),
            ("curve", CURVES),
        )
        for name in (kind, *(case.name for case in cases))
    )


def selected(cases: Iterable[AnyCase], only: Collection[str]) -> tuple[AnyCase, ...]:
    """The cases whose name or kind was asked for; all if nothing was."""
    return tuple(case for case in cases if not only or case.name in only or case.kind in only)
